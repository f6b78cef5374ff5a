//! Kernels run in the interpreter, natively, and through the system's C compiler, with the same results.
//!
//! For each case, mode, mesh and choice of elements: the interpreter on the loop after all passes equals native code bit for
//! bit, in every mode; in strict mode the interpreter on the loop before passes, and C at `-O2 -ffp-contract=off -fno-builtin`,
//! equal it too, NaN payloads aside. Contracted code lies within a tolerance of C. The cases are `corpus/*.c` and the catalogue.

use parloop_compiler::{DType, FloatMode};
use parloop_kernels::reduce::ElementType;
use parloop_kernels::{airfoil, jac, reduce};
use parloop_tests::case::{Case, Front};
use parloop_tests::oracle::{Built, STRICT, build, c_file, have_cc};
use parloop_tests::ways::{End, Mode, Native, Outcome, interpret, stages};
use parloop_tests::world::{Over, Taste, World, difference, distance};
use std::path::Path;

/// What is run: no, one and many elements; ranges; lists, with repetitions.
fn runs() -> Vec<(u32, Over)> {
    vec![
        (0, Over::All),
        (1, Over::All),
        (23, Over::All),
        (23, Over::Range(5, 5)),
        (23, Over::Range(3, 20)),
        (23, Over::List(vec![])),
        (23, Over::List(vec![4, 5, 6, 1, 22, 7, 7, 0, 8])),
        // Two and four at once: some that differ, then one of them again.
        (23, Over::List(vec![9, 3, 9, 9, 3, 1, 2, 4, 2, 21, 0, 5, 0])),
    ]
}

fn same(what: &str, world: &World, one: &Outcome, other: &Outcome) {
    assert_eq!(one.end, other.end, "{what}");
    if one.end == End::Done
        && let Some(difference) = difference(&world.data, &one.data, &other.data)
    {
        panic!("{what}: {difference}");
    }
}

fn tolerance(dtype: DType) -> f64 {
    if dtype == DType::F32 { 1e-3 } else { 1e-9 }
}

/// The C compiler's code, strict and contracted.
struct Oracle {
    strict: Built,
    contracted: Built,
}

fn oracle(directory: &Path, case: &Case, front: &Front) -> Option<Oracle> {
    have_cc().then(|| {
        let contracted = ["-O2", "-ffp-contract=fast", "-march=native", "-fwrapv"];
        Oracle {
            strict: build(directory, "strict", &c_file(case, front, true), &STRICT),
            contracted: build(
                directory,
                "contracted",
                &c_file(case, front, false),
                &contracted,
            ),
        }
    })
}

fn check_mode(case: &Case, front: &Front, mode: Mode, taste: Taste, oracle: Option<&Oracle>) {
    let what = format!("{}, {mode:?}, {taste:?}", case.name);
    let stages = stages(front, mode).unwrap_or_else(|e| panic!("{what}: {e}"));
    let native = Native::new(case, mode);
    let strict = mode.options.float == FloatMode::Strict;
    for (size, over) in runs() {
        let what = format!("{what}, {size} elements, {over:?}");
        let world = World::new(case, size, taste, 7 + u64::from(size));
        let ours = native
            .run(&world, &over)
            .unwrap_or_else(|e| panic!("{what}: {e}"));
        let after = interpret(case, front, &stages.optimised, &world, &over).unwrap();
        same(
            &format!("{what}: after passes, native"),
            &world,
            &after,
            &ours,
        );
        if strict {
            let before = interpret(case, front, &stages.guarded, &world, &over).unwrap();
            same(
                &format!("{what}: before and after passes"),
                &world,
                &before,
                &after,
            );
            if let Ok(wrapped) = interpret(case, front, &stages.wrapped, &world, &over) {
                same(
                    &format!("{what}: as wrapped and after passes"),
                    &world,
                    &wrapped,
                    &after,
                );
            } else {
                assert_ne!(
                    ours.end,
                    End::Done,
                    "{what}: only a stopped loop leaves its places"
                );
            }
        }
        if let (Some(oracle), End::Done) = (oracle, &ours.end) {
            let c = match strict {
                true => oracle.strict.run(case, front, &world, &over),
                false => oracle.contracted.run(case, front, &world, &over),
            };
            let differs = match strict {
                true => difference(&world.data, &ours.data, &c.data),
                false if taste == Taste::Plain => {
                    // Doubles may be sums of floats, which are added in another order.
                    let reorders = mode.options.float == FloatMode::Reassociate;
                    let within = |dtype| tolerance(if reorders { DType::F32 } else { dtype });
                    distance(&world.data, &ours.data, &c.data, within)
                }
                false => None,
            };
            assert_eq!(differs, None, "{what}: native, C");
        }
    }
    assert_eq!(
        native.engine.compilations(),
        1,
        "{what}: one compilation for all meshes"
    );
}

fn check(case: &Case) {
    let front = case
        .check()
        .unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let directory = tempfile::tempdir().unwrap();
    let oracle = oracle(directory.path(), case, &front);
    for mode in Mode::all() {
        for taste in [Taste::Plain, Taste::Special] {
            check_mode(case, &front, mode, taste, oracle.as_ref());
        }
    }
}

/// Checks all cases of a file, and then tells of all that failed.
fn check_corpus(file: &str) {
    let cases = Case::corpus(file);
    assert!(cases.len() > 4);
    let failed = |case: &&Case| std::panic::catch_unwind(|| check(case)).is_err();
    let failed: Vec<&str> = cases
        .iter()
        .filter(failed)
        .map(|c| c.name.as_str())
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn statements_mean_the_same_in_all_ways() {
    check_corpus(include_str!("../corpus/statements.c"));
}

#[test]
fn operators_mean_the_same_in_all_ways() {
    check_corpus(include_str!("../corpus/operators.c"));
}

#[test]
fn types_mean_the_same_in_all_ways() {
    check_corpus(include_str!("../corpus/types.c"));
}

#[test]
fn accesses_mean_the_same_in_all_ways() {
    check_corpus(include_str!("../corpus/accesses.c"));
}

#[test]
fn arrays_mean_the_same_in_all_ways() {
    check_corpus(include_str!("../corpus/arrays.c"));
}

#[test]
fn loop_nests_mean_the_same_in_all_ways() {
    check_corpus(include_str!("../corpus/nests.c"));
}

#[test]
fn complex_numbers() {
    check_corpus(include_str!("../corpus/complex.c"));
}

#[test]
fn math_functions_mean_the_same_in_all_ways() {
    check_corpus(include_str!("../corpus/math.c"));
}

#[test]
fn two_elements_at_once_mean_the_same_in_all_ways() {
    let file = include_str!("../corpus/across.c");
    check_corpus(file);
    let mode = Mode::native(FloatMode::Contract);
    let is_single = |case: &Case| {
        let stages = stages(&case.check().unwrap(), mode).unwrap();
        stages.optimised.wide.is_none()
    };
    let cases = Case::corpus(file).into_iter();
    let single: Vec<String> = cases.filter(is_single).map(|case| case.name).collect();
    assert!(single.is_empty(), "{single:?}");
}

/// Every type in every access and by every path that goes with it.
#[test]
fn every_access_by_every_path_means_the_same_in_all_ways() {
    for dtype in ["f64", "f32", "i8", "u16", "i32", "u64"] {
        for access in ["write", "rw", "inc", "min", "max"] {
            let ty = parloop_tests::case::dtype(dtype).c_name();
            for path in [
                "",
                "at ends 1",
                "through wide",
                "at gaps 2",
                "through holes",
                "global",
            ] {
                let args = format!("read {dtype} 2; {access} {dtype} 2 {path}");
                let update = match access {
                    "min" => "if (r[0] < x[0]) x[0] = r[0]; x[1] = r[1] < x[1] ? r[1] : x[1];",
                    "max" => "if (r[0] > x[0]) x[0] = r[0]; x[1] = r[1] > x[1] ? r[1] : x[1];",
                    "write" => "x[0] = r[1]; if (r[0] > r[1]) x[1] = r[0];",
                    _ => "x[0] += r[1]; x[1] -= r[0];",
                };
                let text = format!("void k(const {ty} *r, {ty} *x) {{ {update} }}\n");
                let name = format!("{access} {dtype} {path}");
                let case = Case::new(&name, &args, &text);
                check_briefly(&case);
            }
        }
    }
}

/// One strict and one contracted mode, without C.
fn check_briefly(case: &Case) {
    let front = case
        .check()
        .unwrap_or_else(|e| panic!("{}: {e}", case.name));
    for float in [FloatMode::Strict, FloatMode::Contract] {
        check_mode(case, &front, Mode::native(float), Taste::Special, None);
    }
}

fn airfoil_case(kernel: &parloop_kernels::text::KernelText, args: &str) -> Case {
    let mut case = Case::new(kernel.file, args, kernel.source).function(kernel.function);
    for (name, values) in airfoil::Constants::published().named() {
        let values: Vec<String> = values.iter().map(|v| format!("{v:?}")).collect();
        case = case.constant(&format!("{name} f64 {}", values.join(" ")));
    }
    case
}

#[test]
fn the_airfoil_kernels_mean_the_same_in_all_ways() {
    let x = "read f64 2 at ends 0 of x; read f64 2 at ends 1 of x";
    let corners = format!("{x}; read f64 2 at wide 0 of x; read f64 2 at wide 1 of x");
    check(&airfoil_case(
        &airfoil::SAVE_SOLN,
        "read f64 4; write f64 4",
    ));
    check(&airfoil_case(
        &airfoil::ADT_CALC,
        &format!("{corners}; read f64 4; write f64 1"),
    ));
    let args = format!(
        "{x}; read f64 4 at wide 0 of q; read f64 4 at wide 1 of q; read f64 1 at wide 0 of adt; \
         read f64 1 at wide 1 of adt; inc f64 4 at wide 0 of res; inc f64 4 at wide 1 of res"
    );
    check(&airfoil_case(&airfoil::RES_CALC, &args));
    let args =
        format!("{x}; read f64 4 at wide 0; read f64 1 at wide 0; inc f64 4 at wide 0; read i32 1");
    check(&airfoil_case(&airfoil::BRES_CALC, &args));
    check(&airfoil_case(
        &airfoil::UPDATE,
        "read f64 4; write f64 4; rw f64 4; read f64 1; inc f64 1 global",
    ));
}

#[test]
fn the_jac_kernels_mean_the_same_in_all_ways() {
    for (ty, kernels) in [("f64", &jac::KERNELS[..2]), ("f32", &jac::KERNELS[2..])] {
        let res =
            format!("read {ty} 1; read {ty} 1 at ends 1; inc {ty} 1 at ends 0; read {ty} 1 global");
        let update =
            format!("read {ty} 1; rw {ty} 1; rw {ty} 1; inc {ty} 1 global; max {ty} 1 global");
        for (kernel, args) in kernels.iter().zip([res, update]) {
            let case = Case::new(kernel.file, &args, kernel.source).function(kernel.function);
            check(&case.constant(&format!("alpha {ty} 1.0")));
        }
    }
}

#[test]
fn the_reduce_kernels_mean_the_same_in_all_ways_and_types() {
    let tags = [
        "f64", "f32", "i64", "i32", "i16", "i8", "u64", "u32", "u16", "u8",
    ];
    for (element, ty) in ElementType::ALL.into_iter().zip(tags) {
        let args = [
            "read T 1; inc T 1 global; min T 1 global; max T 1 global",
            "read T 1; inc T 1 at ends 0 of s; inc T 1 at ends 1 of s",
            "read T 1; min T 1 at ends 0 of s; min T 1 at ends 1 of s",
            "read T 1; max T 1 through ends",
            "read T 1 through ends; write T 1; max T 1 global",
        ];
        for (kernel, args) in reduce::KERNELS.iter().zip(args) {
            let text = reduce::text(kernel, element);
            let name = format!("{} of {ty}", kernel.file);
            let case = Case::new(&name, &args.replace('T', ty), &text).function(kernel.function);
            match ty {
                "f64" | "i8" => check(&case),
                _ => check_briefly(&case),
            }
        }
    }
}
