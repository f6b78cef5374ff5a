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

#[test]
fn row_32_a_child_opens_no_directory_that_its_parent_left_alone_or_was_refused() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let mut off = place.config();
    off.mode = parloop_cache::Mode::Off;
    let open_to_all = Place::new();
    std::fs::create_dir(open_to_all.root()).unwrap();
    let mode = |mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(open_to_all.root(), mode).unwrap();
    };
    for config in [off, open_to_all.config()] {
        mode(0o777);
        let store = parloop_cache::Store::open(config, std::sync::Arc::new(()));
        // What refused it is gone: it does not come back in a child alone.
        mode(0o700);
        let well = in_forked_child(
            || {
                store.publish(OBJECTS, &key(1), publication(b"child", b"x"), None);
                answer(&store, OBJECTS, &key(1), b"x") == Err("disabled")
            },
            Duration::from_secs(10),
        );
        assert!(well);
    }
    assert!(!place.root().exists());
    assert_eq!(std::fs::read_dir(open_to_all.root()).unwrap().count(), 0);
}

#[test]
fn row_32_what_a_child_publishes_is_bounded() {
    const ENTRIES_MAX: u64 = 20;
    let place = Place::new();
    let mut config = place.config();
    config.entries_max = ENTRIES_MAX;
    let store = parloop_cache::Store::open(config, std::sync::Arc::new(()));
    publish(&store, OBJECTS, &key(0), b"payload", b"preimage");
    let well = in_forked_child(
        || {
            for n in 1..200 {
                store.publish(OBJECTS, &key(n), publication(b"child", b"x"), None);
            }
            true
        },
        Duration::from_secs(60),
    );
    assert!(well);
    let entries = store.usage().entries();
    assert!(entries > 0 && entries <= 2 * ENTRIES_MAX, "{entries}");
}

#[test]
fn row_32_a_child_holds_off_after_a_write_that_failed() {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    let place = Place::new();
    let created = std::sync::Arc::new(AtomicU32::new(0));
    let mut config = place.config();
    config.retry_after = Duration::from_secs(3600);
    let counter = created.clone();
    config.faults = Some(std::sync::Arc::new(move |call| {
        (call == "create" && counter.fetch_add(1, SeqCst) > 0).then_some(28)
    }));
    // The first one is of the secret.
    let store = parloop_cache::Store::open(config, std::sync::Arc::new(()));
    let well = in_forked_child(
        || {
            for n in 0..5 {
                store.publish(OBJECTS, &key(n), publication(b"child", b"x"), None);
            }
            created.load(SeqCst) == 2
        },
        Duration::from_secs(10),
    );
    assert!(well);
}

#[test]
fn row_32_what_the_parent_counted_is_not_added_by_the_child_as_well() {
    let place = Place::new();
    drop(with_one_entry(&place));
    let before = place.open().0.lifetime().disk_hits;
    let store = parloop_cache::Store::open(place.config(), std::sync::Arc::new(()));
    let hit = || answer(&store, OBJECTS, &key(1), b"preimage") == Ok(b"payload".to_vec());
    assert!((0..5).all(|_| hit()));
    let well = in_forked_child(
        || {
            let hit = hit();
            store.publish(OBJECTS, &key(2), publication(b"child", b"x"), None);
            hit
        },
        Duration::from_secs(10),
    );
    assert!(well);
    drop(store);
    let looked = place.open().0;
    assert_eq!(looked.lifetime().disk_hits - before, 6);
    let uses = |listed: parloop_cache::Listed| (listed.key == key(1)).then_some(listed.uses);
    assert_eq!(looked.entries().find_map(uses), Some(6));
}
