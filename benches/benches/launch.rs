//! Question: what does launching a loop cost, besides its elements: prepared, and looked up anew each time?
//! Baseline: a call through a bare pointer, 2.6 ns; PyOP2's 24-36 us prepared and 80-122 us unprepared (on the machine of the first
//! records). Goals: at most 100 ns prepared, 2 us unprepared.

use criterion::{Criterion, criterion_group, criterion_main};
use parloop::Engine;
use parloop_benches::ResCalc;
use std::hint::black_box;

fn res_calc() -> ResCalc {
    ResCalc::new(&Engine::builder().build().expect("an engine"))
}

fn prepared(c: &mut Criterion) {
    let res_calc = res_calc();
    let mut prepared = res_calc
        .engine()
        .prepare(&res_calc.kernel(), res_calc.edges(), &res_calc.args())
        .expect("a loop");
    c.bench_function("prepared launch, empty set, res_calc", |b| {
        b.iter(|| prepared.run().expect("a run"))
    });
}

fn unprepared(c: &mut Criterion) {
    let res_calc = res_calc();
    let kernel = res_calc.kernel();
    c.bench_function("unprepared launch, empty set, res_calc", |b| {
        b.iter(|| {
            res_calc
                .engine()
                .par_loop(&kernel, res_calc.edges(), &res_calc.args())
                .expect("a run")
        })
    });
}

extern "C" fn nothing(
    _ctx: *mut u8,
    _args: *const u8,
    _elems: *const u32,
    _begin: u64,
    end: u64,
) -> u32 {
    end as u32
}

fn bare_call(c: &mut Criterion) {
    type Bare = extern "C" fn(*mut u8, *const u8, *const u32, u64, u64) -> u32;
    let pointer: Bare = black_box(nothing);
    let null = std::ptr::null_mut();
    c.bench_function("baseline: call through a bare pointer", |b| {
        b.iter(|| black_box(pointer)(null, null, std::ptr::null(), 0, black_box(0)))
    });
}

criterion_group!(benches, prepared, unprepared, bare_call);
criterion_main!(benches);
