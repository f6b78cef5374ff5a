//! A fork under an engine in use: the child runs loops, those of before and new ones, and waits for no thread that it does not have.
//!
//! Unsafe code is here because no safe call forks.

use parloop::{Arg, DType, Engine, Kernel, Set};
use parloop_cache::Layer;
use parloop_tests::cached::directory;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

unsafe extern "C" {
    fn fork() -> i32;
    fn _exit(status: i32) -> !;
}

/// Runs `work` in a forked child; whether it ended well within the time.
fn in_forked_child(work: impl FnOnce() -> bool, patience: Duration) -> bool {
    // SAFETY: the child runs only `work` and `_exit`; that `work` takes no lock which another thread of this process may hold at
    // the fork is what the test is about, and glibc makes its allocator usable after a fork.
    let pid = unsafe { fork() };
    if pid == 0 {
        let well = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(false);
        // SAFETY: ends the child at once, without running the test harness's exit handlers.
        unsafe { _exit(i32::from(!well)) }
    }
    let pid = rustix::process::Pid::from_raw(pid).expect("fork failed");
    let deadline = Instant::now() + patience;
    loop {
        let options = rustix::process::WaitOptions::NOHANG;
        if let Some((_, status)) = rustix::process::waitpid(Some(pid), options).unwrap() {
            return status.exit_status() == Some(0);
        }
        if Instant::now() > deadline {
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
            rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()).unwrap();
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// A kernel that adds `n` to its second argument, and takes a while to compile.
fn kernel(engine: &Engine, n: usize) -> Kernel {
    let sums = "b[0] += a[0] * 0.0; ".repeat(200);
    engine.kernel(
        &format!("void k(const double *a, double *b) {{ {sums} b[0] += {n}.0; }}"),
        None,
    )
}

/// How many asked for code that was not in memory.
fn missed(engine: &Engine) -> u64 {
    let misses = engine.stats().misses;
    misses.get(&(Layer::Memory, "absent")).copied().unwrap_or(0)
}

#[test]
fn row_32_a_child_forked_under_an_engine_in_use_runs_old_and_new_loops_and_ends() {
    const ROUNDS: usize = 12;
    let (_temp, path) = directory();
    let engine = Engine::builder().cache_dir(path).build().unwrap();
    let set = Set::new("cells", 1).unwrap();
    let a = engine.dat(&set, "a", 1, &[1.0]).unwrap();
    let b = engine.dat_zeroed(&set, "b", 1, DType::F64).unwrap();
    let args: [Arg<'_>; 2] = [a.read(), b.inc()];
    let mut old = engine.prepare(&kernel(&engine, 1), &set, &args).unwrap();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        // Counts are read all the time, so that a lock on them would mostly be held.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                missed(&engine);
            }
        });
        let mut all_well = true;
        for round in 0..ROUNDS {
            let before = missed(&engine);
            let wanted = kernel(&engine, 100 + round);
            let (engine, set, args) = (&engine, &set, &args);
            let compiling =
                scope.spawn(move || engine.prepare(&wanted, set, args).map(drop).unwrap());
            while missed(engine) == before {
                thread::yield_now();
            }
            let child = || {
                old.run().unwrap();
                // What another thread compiles at present, and what nobody does.
                for n in [100 + round, 1000 + round] {
                    let kernel = kernel(engine, n);
                    engine.par_loop(&kernel, set, args).unwrap();
                }
                let info = engine.cache_info();
                let sum = b.data::<f64>().unwrap()[0];
                (sum, info.loops) == ((1 + 1100 + 2 * round) as f64, 0)
            };
            let well = in_forked_child(child, Duration::from_secs(10));
            // Either may have compiled it first, and the other found it on disk.
            all_well &= well && compiling.join().is_ok();
            if !all_well {
                break;
            }
        }
        over.store(true, Ordering::Relaxed);
        assert!(all_well, "a child hung, or came to something else");
    });
    // The parent's memory is its own.
    assert_eq!(engine.cache_info().loops, 1 + ROUNDS);
}

#[test]
fn row_32_a_child_sets_constants_and_makes_dats_and_engines_whatever_other_threads_were_at() {
    const ROUNDS: usize = 60;
    let engine = Engine::builder().build().unwrap();
    let set = Set::new("cells", 1).unwrap();
    engine.declare_constant("c", &[0.0]).unwrap();
    let over = AtomicBool::new(false);
    let mut all_well = true;
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    engine.set_constant("c", &[1.0]).unwrap();
                    drop(engine.dat_zeroed(&set, "a", 1, DType::F64).unwrap());
                }
            });
        }
        for round in 0..ROUNDS {
            let child = || {
                engine.set_constant("c", &[2.0 + round as f64]).unwrap();
                let b = engine.dat_zeroed(&set, "b", 1, DType::F64).unwrap();
                let kernel = engine.kernel("void k(double *b) { b[0] = c; }", None);
                let args: [Arg<'_>; 1] = [b.write()];
                engine.par_loop(&kernel, &set, &args).unwrap();
                let own = Engine::builder().build().unwrap();
                own.dat(&set, "d", 1, &[1.0]).unwrap();
                b.data::<f64>().unwrap()[0] == 2.0 + round as f64
            };
            all_well &= in_forked_child(child, Duration::from_secs(10));
            if !all_well {
                break;
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(all_well, "a child hung, or came to something else");
}
