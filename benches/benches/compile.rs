//! Question: how long does it take from the C text of `res_calc` to a function that can be called, and where does it go?
//! Baseline: the system's C compiler at -O3 -march=native on the same loop (`cc`, measured here where there is one; 33-65 ms with
//! gcc 12 on the machine of the first records). Goal: at most 1 ms, and at most 1/40 of the C compiler.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use parloop::{Engine, PreparedLoop};
use parloop_benches::ResCalc;
use parloop_compiler::{
    ConstantDecl, DType, KernelText, Options, Request, Signature, Target, check_kernel, compile,
    dump_c,
};
use parloop_kernels::airfoil::{Constants, RES_CALC};
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

/// Memory only: nothing is looked up on disk or written to it.
fn fresh() -> ResCalc {
    ResCalc::new(&Engine::builder().build().expect("an engine"))
}

fn prepare(res_calc: &ResCalc) -> PreparedLoop {
    let kernel = res_calc.kernel();
    res_calc
        .engine()
        .prepare(&kernel, res_calc.edges(), &res_calc.args())
        .expect("a loop")
}

fn constants() -> Vec<ConstantDecl> {
    Constants::published()
        .named()
        .iter()
        .map(|(name, values)| ConstantDecl {
            name: (*name).to_owned(),
            dtype: DType::F64,
            dim: values.len() as u32,
            specialised: None,
        })
        .collect()
}

fn signature() -> Signature {
    prepare(&fresh()).signature().clone()
}

fn text_to_callable(c: &mut Criterion) {
    c.bench_function("text to callable, res_calc", |b| {
        b.iter_batched(fresh, |res_calc| prepare(&res_calc), BatchSize::SmallInput)
    });
}

fn stages(c: &mut Criterion) {
    let constants = constants();
    let text = KernelText {
        text: RES_CALC.source,
        function: Some(RES_CALC.function),
        constants: &constants,
        hosts: &[],
    };
    c.bench_function("text to checked kernel, res_calc", |b| {
        b.iter(|| check_kernel(black_box(&text)).expect("a kernel"))
    });
    let level = fresh().engine().level();
    let request = Request {
        kernel: check_kernel(&text).expect("a kernel").kernel,
        signature: signature(),
        options: Options::default(),
        target: Target { level },
    };
    c.bench_function("request to object, res_calc", |b| {
        b.iter(|| compile(black_box(&request)).expect("an object"))
    });
}

/// The same loop by the C compiler, to an object; nothing where there is no compiler.
fn c_compiler(c: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    let source = directory.path().join("res_calc.c");
    let constants = constants();
    let text = KernelText {
        text: RES_CALC.source,
        function: Some(RES_CALC.function),
        constants: &constants,
        hosts: &[],
    };
    let checked = check_kernel(&text).expect("a kernel");
    let c_text = dump_c(&text, &checked, &signature(), false);
    std::fs::write(&source, c_text).expect("a file");
    let object = directory.path().join("res_calc.o");
    if !c_compiles(&source, &object) {
        return;
    }
    let mut group = c.benchmark_group("baseline");
    group.sample_size(10);
    group.bench_function("cc -O3 -march=native -c, res_calc", |b| {
        b.iter(|| c_compiles(&source, &object))
    });
    group.finish();
}

fn c_compiles(source: &Path, object: &Path) -> bool {
    let status = Command::new("cc")
        .args(["-O3", "-march=native", "-fPIC", "-c", "-o"])
        .args([object, source])
        .status();
    status.is_ok_and(|status| status.success())
}

criterion_group!(benches, text_to_callable, stages, c_compiler);
criterion_main!(benches);
