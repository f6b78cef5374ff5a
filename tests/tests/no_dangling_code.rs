//! No dangling code: an entry point is reachable only while its owner lives, eviction included; never writable and executable.
//!
//! Prepared loops are run after all else that led to them is gone; the process's memory is looked at while loops are
//! compiled, loaded and dropped.

use parloop::{Config, DType, Engine, Function, Origin, PreparedLoop, Set};
use parloop_tests::cached::{directory, flush, run_small};
use parloop_tests::oracle::call_function;
use std::sync::atomic::{AtomicBool, Ordering};

/// A kernel that differs from all others by `i`.
fn text(i: usize) -> String {
    format!(
        "void k(const double *a, double *b) {{ b[0] += {}.0 * a[0] - {i}.0 * a[0]; }}",
        i + 2
    )
}

fn small_memory(entries: u64) -> Engine {
    let mut config = Config::default();
    config.memory_entries_max = entries;
    Engine::new(config).unwrap()
}

#[test]
fn evicted_code_runs_on_while_a_prepared_loop_holds_it() {
    let engine = small_memory(1);
    let mut held: Vec<PreparedLoop> = (0..40).map(|i| run_small(&engine, &text(i))).collect();
    let evicted: u64 = engine.stats().evictions.values().sum();
    // Nearly all: one that shares a counter with another is not let in in its place.
    assert!(evicted >= 35, "{evicted} evictions");
    for prepared in &mut held {
        prepared.run().unwrap();
    }
    // What was evicted is compiled again for those who ask anew.
    (0..40).for_each(|i| drop(run_small(&engine, &text(i))));
    assert!(
        engine.compilations() >= 79,
        "{} compilations",
        engine.compilations()
    );
    std::thread::scope(|scope| {
        for prepared in &mut held {
            scope.spawn(|| prepared.run().unwrap());
        }
        for i in 0..20 {
            run_small(&engine, &text(100 + i));
        }
    });
}

#[test]
fn a_prepared_loop_outlives_every_other_handle() {
    let (_temp, path) = directory();
    let (mut prepared, a) = {
        let engine = Engine::builder().cache_dir(&path).build().unwrap();
        let set = Set::new("cells", 4).unwrap();
        let a = engine.dat(&set, "a", 1, &[1.0, 2.0, 3.0, 4.0]).unwrap();
        let b = engine.dat(&set, "b", 1, &[1.0; 4]).unwrap();
        engine.declare_constant("gam", &[0.5]).unwrap();
        let kernel = engine.kernel(
            "void k(double *a, const double *b) { a[0] = gam * a[0] + b[0]; }",
            None,
        );
        let prepared = engine.prepare(&kernel, &set, &[a.rw(), b.read()]).unwrap();
        flush(&engine);
        (prepared, a)
    };
    std::fs::remove_dir_all(&path).unwrap();
    prepared.run().unwrap();
    prepared.run().unwrap();
    drop(prepared);
    assert_eq!(*a.data::<f64>().unwrap(), [1.75, 2.0, 2.25, 2.5]);
}

#[test]
fn a_function_outlives_the_engine_and_its_eviction() {
    let (_temp, path) = directory();
    let mut config = Config::default();
    config.memory_entries_max = 1;
    config
        .set("cache_dir", path.to_str().unwrap(), Origin::Default)
        .unwrap();
    let functions: Vec<Function> = {
        let engine = Engine::new(config).unwrap();
        let function = |i| {
            engine
                .function(&engine.kernel(&text(i), None), &[])
                .unwrap()
        };
        let functions = (0..20).map(function).collect();
        let evicted: u64 = engine.stats().evictions.values().sum();
        assert!(evicted >= 19, "{evicted} evictions");
        flush(&engine);
        functions
    };
    std::fs::remove_dir_all(&path).unwrap();
    let results: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let run = |function: &Function| {
            let number = |x: f64| x.to_le_bytes().to_vec();
            let mut buffers = [number(3.0), number(1.0)];
            let copy = function.clone();
            assert_eq!(call_function(&copy, &mut buffers, &[(0, 0), (1, 0)]), 0);
            buffers[1].clone()
        };
        let runs: Vec<_> = functions
            .iter()
            .map(|f| scope.spawn(move || run(f)))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    for result in results {
        assert_eq!(f64::from_le_bytes(result.try_into().unwrap()), 7.0);
    }
}

/// Mappings of this process that are executable: their length in KiB, and those that are writable too.
fn executable() -> (usize, Vec<String>) {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let rights = |line: &&str| {
        line.split_whitespace()
            .nth(1)
            .is_some_and(|r| r.contains('x'))
    };
    let lines: Vec<&str> = maps.lines().filter(rights).collect();
    let both = lines
        .iter()
        .filter(|l| l.split_whitespace().nth(1).unwrap().contains('w'));
    let bytes = |line: &&str| {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let bound = |text| usize::from_str_radix(text, 16).unwrap();
        bound(end) - bound(start)
    };
    let bytes: usize = lines.iter().map(bytes).sum();
    (bytes >> 10, both.map(|l| (*l).to_owned()).collect())
}

#[test]
fn row_s18_no_memory_is_ever_writable_and_executable_and_dropped_code_is_unmapped() {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(executable().1, Vec::<String>::new());
            }
        });
        let (before, _) = executable();
        // Threads share what their code is taken of.
        std::thread::scope(|scope| {
            for thread in 0..3 {
                scope.spawn(move || {
                    let engine = small_memory(4);
                    for i in 0..200 {
                        run_small(&engine, &text(1000 * (thread + 1) + i));
                    }
                });
            }
        });
        let (after, _) = executable();
        stop.store(true, Ordering::Relaxed);
        watcher.join().unwrap();
        // Other tests of this process load code too, but no more than they hold.
        assert!(
            after < before + 1200,
            "{before} KiB of code became {after}, and 600 loops have at least 2400"
        );
    });
}

#[test]
fn a_folded_constant_changes_the_code_under_a_prepared_loop_and_the_old_code_goes() {
    let engine = small_memory(2);
    let set = Set::new("cells", 1).unwrap();
    let a = engine.dat_zeroed(&set, "a", 1, DType::F64).unwrap();
    engine.declare_constant("gam", &[0.0]).unwrap();
    engine.specialise("gam", true).unwrap();
    let kernel = engine.kernel("void k(double *a) { a[0] = gam; }", None);
    let mut prepared = engine.prepare(&kernel, &set, &[a.write()]).unwrap();
    for i in 0..100 {
        engine.set_constant("gam", &[f64::from(i)]).unwrap();
        prepared.run().unwrap();
        assert_eq!(*a.data::<f64>().unwrap(), [f64::from(i)]);
    }
}

#[test]
fn code_that_was_never_kept_still_runs() {
    let mut config = Config::default();
    config.memory_entries_max = 0;
    config.memory_bytes_max = 0;
    let engine = Engine::new(config).unwrap();
    for _ in 0..3 {
        run_small(&engine, &text(0)).run().unwrap();
    }
}
