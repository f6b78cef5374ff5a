//! Random kernels mean the same in the interpreter, natively and in C.
//!
//! A kernel is drawn as a tree of small numbers and written as C by rules that make every tree a valid kernel, so that a tree
//! shrunk is a kernel still. *Tame* kernels have a meaning in C; they are compared with the C compiler's code in strict mode.
//! *Wild* ones index, divide, shift, convert and loop as they like, which parloop defines or stops; natively and in the
//! interpreter they must end alike, and alike before and after passes. Kernels are run by loops, and as plain functions whose
//! arrays overlap. `PARLOOP_TEST_CASES=n` draws n of each.

mod integrals;
mod rows;
mod straight;
mod tree;
mod types;
mod unit;
mod values;
mod walks;
mod writer;

use integrals::integral;
use parloop_compiler::{Effort, FloatMode, abi};
use parloop_tests::case::Case;
use parloop_tests::oracle::{STRICT, build, c_file, have_cc};
use parloop_tests::plain::Plain;
use parloop_tests::ways::{End, Mode, Native, host_levels, interpret, stages};
use parloop_tests::world::{Dice, Over, Taste, World, difference, values};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use rows::rows;
use std::cell::Cell;
use std::fs;
use std::path::Path;
use straight::straight;
use tree::{Drawn, drawn, walking};
use unit::{Wild, called, looped, same_in_c};

const TAME: Wild = Wild {
    values: false,
    loops: false,
};
const WILD: Wild = Wild {
    values: true,
    loops: true,
};

/// What went wrong, with the kernel that shows it.
fn fail(case: &Case, what: impl std::fmt::Display) -> TestCaseError {
    let args: Vec<String> = case.args.iter().map(|a| format!("{a:?}")).collect();
    TestCaseError::fail(format!("{what}\n{}\n{}", args.join("\n"), case.text))
}

/// What wild kernels may be refused for.
const CERTAIN: [&str; 2] = ["index-out-of-range", "division-by-zero"];

fn out_of_steps(end: &End) -> bool {
    matches!(end, End::Stopped { status, .. } if *status == abi::OUT_OF_STEPS)
}

fn modes() -> Vec<Mode> {
    let mut modes = Mode::all();
    modes.retain(|m| m.options.lanes == 1 || m.options.effort == Effort::None);
    modes
}

/// Runs a case in all ways; `with_c` if it is tame and C gives it the same meaning.
fn check(case: &Case, seed: u64, with_c: bool) -> Result<(), TestCaseError> {
    check_in(&modes(), &few(), case, seed, with_c)
}

/// How many elements there are, what their data are like, and which of them run.
type Run = (u32, Taste, Over);

fn few() -> [Run; 3] {
    [
        (9, Taste::Plain, Over::All),
        (5, Taste::Special, Over::All),
        (6, Taste::Plain, Over::List(vec![3, 4, 0, 0, 5, 2, 5, 1, 2])),
    ]
}

/// Enough for strips, and some that are left.
fn many() -> [Run; 3] {
    let runs = (3..45).chain([60, 50, 51, 52]).chain(70..99);
    [
        (77, Taste::Plain, Over::All),
        (43, Taste::Special, Over::All),
        (100, Taste::Plain, Over::List(runs.collect())),
    ]
}

/// Runs a case in some modes, over some elements.
fn check_in(
    modes: &[Mode],
    runs: &[Run],
    case: &Case,
    seed: u64,
    with_c: bool,
) -> Result<(), TestCaseError> {
    let front = match case.check() {
        Ok(front) => front,
        // What is certainly wrong is said before anything is compiled.
        Err(e) if !with_c && e.0.iter().all(|d| CERTAIN.contains(&&*d.code)) => return Ok(()),
        Err(e) => return Err(fail(case, format_args!("not accepted: {e}"))),
    };
    let directory = tempfile::tempdir().unwrap();
    let c = (with_c && have_cc()).then(|| {
        build(
            directory.path(),
            "random",
            &c_file(case, &front, true),
            &STRICT,
        )
    });
    for mode in modes.iter().copied() {
        let stages = stages(&front, mode).map_err(|e| fail(case, e))?;
        let native = Native::new(case, mode);
        for (size, taste, over) in runs.iter().cloned() {
            let world = World::new(case, size, taste, seed);
            let what = format!("{mode:?}, {size} elements, {taste:?}, {over:?}");
            let ours = native
                .run(&world, &over)
                .map_err(|e| fail(case, format_args!("{what}: {e}")))?;
            let pairs = [
                ("after passes", &stages.optimised, true),
                ("before passes", &stages.guarded, false),
            ];
            for (stage, looped, always) in pairs {
                if !always && mode.options.float != FloatMode::Strict {
                    continue;
                }
                let theirs = interpret(case, &front, looped, &world, &over)
                    .map_err(|e| fail(case, format_args!("{what}: {stage}: {e}")))?;
                // Passes may save steps, and spend none.
                if !always && out_of_steps(&theirs.end) {
                    continue;
                }
                if ours.end != theirs.end {
                    let ends = format!("{what}: native {:?}, {stage} {:?}", ours.end, theirs.end);
                    return Err(fail(case, ends));
                }
                if ours.end == End::Done
                    && let Some(at) = difference(&world.data, &ours.data, &theirs.data)
                {
                    return Err(fail(case, format_args!("{what}: native and {stage}: {at}")));
                }
            }
            if let (Some(c), FloatMode::Strict) = (&c, mode.options.float) {
                if out_of_steps(&ours.end) {
                    continue;
                }
                if ours.end != End::Done {
                    return Err(fail(
                        case,
                        format_args!("{what}: a tame kernel ended {:?}", ours.end),
                    ));
                }
                let theirs = c.run(case, &front, &world, &over);
                if let Some(at) = difference(&world.data, &ours.data, &theirs.data) {
                    return Err(fail(case, format_args!("{what}: native and C: {at}")));
                }
            }
        }
    }
    Ok(())
}

/// A kernel as a plain function, on arrays that overlap where C lets them; loops end, as a call may spend four billion steps.
fn check_called(drawn: &Drawn, wild: bool) -> Result<(), TestCaseError> {
    let made = called(
        drawn,
        Wild {
            values: wild,
            loops: false,
        },
    );
    let text = parloop_compiler::KernelText {
        text: &made.text,
        function: Some("k"),
        constants: &[],
        hosts: &[],
    };
    match parloop_compiler::check_kernel(&text) {
        Err(e) if wild && e.0.iter().all(|d| CERTAIN.contains(&&*d.code)) => return Ok(()),
        Err(e) => {
            return Err(TestCaseError::fail(format!(
                "not accepted: {e}\n{}",
                made.text
            )));
        }
        Ok(_) => {}
    }
    for taste in [Taste::Plain, Taste::Special] {
        let mut dice = Dice(drawn.seed);
        let buffer = |(ty, bytes): &(types::Ty, usize)| {
            values(ty.dtype(), bytes / ty.bytes(), taste, &mut dice)
        };
        let buffers = made.buffers.iter().map(buffer).collect();
        let mut plain = Plain::new(&made.text, buffers, &made.args);
        plain.function = Some("k".to_owned());
        plain.extents = made.extents.iter().map(|extent| (*extent).into()).collect();
        let status = plain
            .compare(&modes(), !wild)
            .map_err(TestCaseError::fail)?;
        if !wild && !matches!(status, abi::OK | abi::OUT_OF_STEPS) {
            return Err(TestCaseError::fail(format!(
                "status {status}\n{}",
                made.text
            )));
        }
    }
    Ok(())
}

fn soak<T: std::fmt::Debug>(
    kernels: impl Strategy<Value = T>,
    shrinks: u32,
    check: impl Fn(T) -> Result<(), TestCaseError>,
) {
    let asked = std::env::var("PARLOOP_TEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    let config = Config {
        cases: asked.unwrap_or(40),
        failure_persistence: None,
        max_shrink_iters: shrinks,
        ..Config::default()
    };
    // The suite draws the same kernels each time, a soak draws others.
    let mut runner = match asked {
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
        Some(_) => TestRunner::new(config),
    };
    match runner.run(&kernels, check) {
        Ok(()) => {}
        // The tree that the kernel was written from tells nobody anything.
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(aborted) => panic!("{aborted}"),
    }
}

/// A kernel that a loop calls, from a file of the corpus. It is kept while it runs: natively it could end the process.
fn check_looped(file: &str, seed: u64, tame: bool) -> Result<(), TestCaseError> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let kept = folder.join(if tame {
        "running.tame.c"
    } else {
        "running.wild.c"
    });
    fs::write(&kept, format!("{file}// {seed}\n")).unwrap();
    let case = Case::corpus(file).pop().unwrap();
    let checked = check(&case, seed, tame && same_in_c(&case));
    // Another run beside this one may have been quicker.
    let _gone = fs::remove_file(&kept);
    checked
}

/// The file that `PARLOOP_TEST_CASE` names, if it names one of this kind.
fn replayed(tame: bool) -> bool {
    let Ok(path) = std::env::var("PARLOOP_TEST_CASE") else {
        return false;
    };
    let file = fs::read_to_string(&path).unwrap();
    let seed = file
        .lines()
        .next_back()
        .and_then(|line| line.strip_prefix("// "));
    let seed = seed.and_then(|seed| seed.parse().ok()).unwrap_or(0);
    if path.contains("tame") == tame {
        let case = Case::corpus(&file).pop().unwrap();
        check(&case, seed, tame && same_in_c(&case)).unwrap_or_else(|e| panic!("{e}"));
    }
    true
}

#[test]
fn tame_kernels_mean_the_same_in_the_interpreter_natively_and_in_c() {
    if !replayed(true) {
        soak(drawn(), 600, |drawn| {
            check_looped(&looped(&drawn, TAME), drawn.seed, true)
        });
    }
}

#[test]
fn wild_kernels_mean_the_same_or_stop_alike_in_the_interpreter_and_natively() {
    if !replayed(false) {
        soak(drawn(), 2_000, |drawn| {
            check_looped(&looped(&drawn, WILD), drawn.seed, false)
        });
    }
}

#[test]
fn kernels_that_once_showed_a_fault_show_none() {
    for case in Case::corpus(include_str!("../../corpus/found/kernels.c")) {
        for seed in [0, 1, 2, 4_965_385_590_840_891_460] {
            check(&case, seed, false).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        }
    }
}

#[test]
fn tame_functions_mean_the_same_in_the_interpreter_natively_and_in_c() {
    soak(drawn(), 600, |drawn| check_called(&drawn, false));
}

#[test]
fn wild_functions_mean_the_same_or_stop_alike_in_the_interpreter_and_natively() {
    soak(drawn(), 2_000, |drawn| check_called(&drawn, true));
}

#[test]
fn walks_through_arrays_mean_the_same_in_the_interpreter_natively_and_in_c() {
    soak(walking(), 600, |drawn| check_called(&drawn, false));
}

#[test]
fn straight_loops_mean_the_same_in_the_interpreter_natively_and_in_c() {
    let (drawn_in_all, two_at_once, four_at_once) = (Cell::new(0), Cell::new(0), Cell::new(0));
    soak(straight(), 600, |drawn| {
        let case = Case::corpus(&drawn.file()).pop().unwrap();
        let front = case.check().map_err(|e| fail(&case, e))?;
        let stages = stages(&front, Mode::native(FloatMode::Contract));
        let wide = stages.map_err(|e| fail(&case, e))?.optimised.wide;
        drawn_in_all.set(drawn_in_all.get() + 1);
        let elements = wide.map_or(1, |wide| wide.elements);
        two_at_once.set(two_at_once.get() + u32::from(elements == 2));
        four_at_once.set(four_at_once.get() + u32::from(elements == 4));
        check(&case, drawn.seed, true)
    });
    let all = drawn_in_all.get();
    for (elements, wide) in [(2, two_at_once.get()), (4, four_at_once.get())] {
        assert!(
            12 * wide > all,
            "{wide} of {all} do {elements} elements at once"
        );
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Updates are done by other instructions for each level.
fn modes_of_updates() -> Vec<Mode> {
    let mut modes = Vec::new();
    for float in [FloatMode::Strict, FloatMode::Contract] {
        let levels = host_levels().into_iter().rev().take(3);
        modes.extend(levels.map(|level| Mode {
            level,
            ..Mode::native(float)
        }));
    }
    modes
}

#[test]
fn integrals_mean_the_same_in_the_interpreter_natively_and_in_c() {
    let (drawn_in_all, updates) = (Cell::new(0), Cell::new(0));
    let modes = modes_of_updates();
    soak(integral(), 600, |drawn| {
        let case = Case::corpus(&drawn.file()).pop().unwrap();
        let front = case.check().map_err(|e| fail(&case, e))?;
        let stages = stages(&front, Mode::native(FloatMode::Contract));
        let object = stages.map_err(|e| fail(&case, e))?.object;
        let calls = ["parloop_rank_update", abi::LOCAL_PREFIX];
        let calls = calls.iter().any(|name| contains(&object, name.as_bytes()));
        drawn_in_all.set(drawn_in_all.get() + 1);
        updates.set(updates.get() + u32::from(calls));
        check_in(&modes, &few(), &case, drawn.seed, true)
    });
    let (all, updates) = (drawn_in_all.get(), updates.get());
    let native = Mode::native(FloatMode::Contract).level;
    let has_updates = native.is_x86_64() && native.has_fma();
    assert!(
        !has_updates || 3 * updates > all,
        "{updates} of {all} have an update"
    );
}

#[test]
fn loops_over_rows_alone_mean_the_same_in_the_interpreter_natively_and_in_c() {
    let (drawn_in_all, strips) = (Cell::new(0), Cell::new(0));
    let modes = modes_of_updates();
    soak(rows(), 600, |drawn| {
        let case = Case::corpus(&drawn.file()).pop().unwrap();
        let front = case.check().map_err(|e| fail(&case, e))?;
        let stages = stages(&front, Mode::native(FloatMode::Contract));
        let wide = stages.map_err(|e| fail(&case, e))?.optimised.wide;
        drawn_in_all.set(drawn_in_all.get() + 1);
        strips.set(strips.get() + u32::from(wide.is_some_and(|wide| wide.is_strip)));
        check_in(&modes, &many(), &case, drawn.seed, true)
    });
    let (all, strips) = (drawn_in_all.get(), strips.get());
    let native = Mode::native(FloatMode::Contract).level;
    let has_strips = native.is_x86_64() && native.has_fma();
    assert!(
        !has_strips || 3 * strips > all,
        "{strips} of {all} have a strip"
    );
}
