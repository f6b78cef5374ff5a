//! Question: how long does it take to get at code that was compiled before: from disk with the request in hand, from disk by the
//! source shortcut, from memory by its key?
//! Baseline: `dlopen` of a shared object alone, 33-46 us; a hash map's lookup of a 32-byte key, 5-9 ns (both on the machine of the
//! first records). Goals: at most 20 us verified with the request in hand, 35 us by the shortcut, 100 ns from memory.

use criterion::{Criterion, criterion_group, criterion_main};
use parloop::{Config, Engine, Kernel};
use parloop_benches::ResCalc;
use parloop_cache::{ClassCache, ClassLimits, Cost, Key, Stats};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// An engine that keeps code on disk alone, where `res_calc` is.
fn disk_only(directory: &TempDir) -> ResCalc {
    let mut config = Config::default();
    config.cache_dir = Some(directory.path().join("cache"));
    config.memory_entries_max = 0;
    let engine = Engine::new(config).expect("an engine");
    let res_calc = ResCalc::new(&engine);
    acquire(&res_calc, &res_calc.kernel());
    assert!(engine.flush(Duration::from_secs(10)));
    res_calc
}

fn acquire(res_calc: &ResCalc, kernel: &Kernel) {
    let prepared = res_calc
        .engine()
        .prepare(kernel, res_calc.edges(), &res_calc.args());
    black_box(prepared.expect("a loop"));
}

fn warm(c: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    let res_calc = disk_only(&directory);
    let known = res_calc.kernel();
    acquire(&res_calc, &known);
    let compiled = res_calc.engine().compilations();
    c.bench_function("warm, request in hand, res_calc", |b| {
        b.iter(|| acquire(&res_calc, &known))
    });
    c.bench_function("warm, by the source shortcut, res_calc", |b| {
        b.iter(|| acquire(&res_calc, &res_calc.kernel()))
    });
    let engine = res_calc.engine();
    assert_eq!(engine.compilations(), compiled, "all of these were hits");
}

fn memory(c: &mut Criterion) {
    let cache = ClassCache::new(ClassLimits::default(), Arc::new(Stats::default()));
    let key = |n: u64| {
        let mut bytes = [0x5a; 32];
        bytes[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
        Key::new(bytes)
    };
    for n in 0..1000 {
        let time = Duration::from_micros(500);
        cache.insert(key(n), Arc::new(n), Cost { bytes: 4096, time });
    }
    let wanted = key(500);
    c.bench_function("memory hit by key", |b| {
        b.iter(|| cache.get(black_box(&wanted)).expect("a hit"))
    });
}

criterion_group!(benches, warm, memory);
criterion_main!(benches);
