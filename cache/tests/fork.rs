//! A fork under a store in use: the child must not wait for a thread that it does not have.
//!
//! The only unsafe code of the crate is here: no safe call forks.

mod support;

use std::time::{Duration, Instant};
use support::*;

unsafe extern "C" {
    fn fork() -> i32;
    fn _exit(status: i32) -> !;
}

/// Runs `work` in a forked child; whether it ended well within the time.
fn in_forked_child(work: impl FnOnce() -> bool, patience: Duration) -> bool {
    // SAFETY: the child runs only `work` and `_exit`; it takes no lock that another thread of this process could hold
    // at the fork, which is what the test is about, and glibc makes its allocator usable after a fork.
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
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn row_32_a_child_forked_under_a_store_in_use_loads_publishes_and_ends() {
    let place = Place::new();
    // An observer that takes a lock may be forked with its lock held; it says so of itself, and none is under test here.
    let store = parloop_cache::Store::open(place.config(), std::sync::Arc::new(()));
    publish(&store, OBJECTS, &key(0), b"payload", b"preimage");
    let store = std::sync::Arc::new(store);
    for round in 1..20 {
        // The thread is busy and the queue full while the process forks.
        for n in 0..20 {
            store.publish(
                OBJECTS,
                &key(round * 100 + n),
                publication(b"payload", b"preimage"),
                None,
            );
        }
        let held = store.lock(&key(7));
        let of_child = store.clone();
        let well = in_forked_child(
            move || {
                let k = key(round * 100 + 50);
                let right =
                    answer(&of_child, OBJECTS, &key(0), b"preimage") == Ok(b"payload".to_vec());
                of_child.publish(OBJECTS, &k, publication(b"child", b"preimage"), None);
                right
                    && of_child.flush(PATIENCE)
                    && answer(&of_child, OBJECTS, &k, b"preimage") == Ok(b"child".to_vec())
            },
            Duration::from_secs(10),
        );
        assert!(well, "round {round}");
        drop(held);
        assert!(
            store.lock(&key(7)).is_some(),
            "a lock given up by the parent was kept by the child"
        );
        assert_eq!(
            answer(&store, OBJECTS, &key(round * 100 + 50), b"preimage"),
            Ok(b"child".to_vec())
        );
    }
    assert!(store.flush(PATIENCE));
    assert_eq!(store.usage().entries(), 1 + 19 * 21);
}
