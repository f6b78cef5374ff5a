//! Failing systems: every call fails in turn, the disk is full, read-only, gone; none of it reaches the caller.

mod support;

use parloop_cache::{Event, Mode, State, StoreConfig, Why};
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::*;

const ENOENT: i32 = 2;
const EINTR: i32 = 4;
const EIO: i32 = 5;
const EAGAIN: i32 = 11;
const EACCES: i32 = 13;
const EBUSY: i32 = 16;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;
const ESTALE: i32 = 116;
const EDQUOT: i32 = 122;
const EPERM: i32 = 1;
const EEXIST: i32 = 17;
const EXDEV: i32 = 18;
const ENOTDIR: i32 = 20;
const EMFILE: i32 = 24;
const ELOOP: i32 = 40;
const ENOLCK: i32 = 37;
const EOPNOTSUPP: i32 = 95;
const ENOMEM: i32 = 12;
const ENFILE: i32 = 23;
const ENOSYS: i32 = 38;
const EINVAL: i32 = 22;

/// The names of the calls that were made.
type Calls = Arc<Mutex<Vec<&'static str>>>;

/// A configuration whose `k`-th call fails with `errno`, and the calls.
fn failing_call(place: &Place, k: usize, errno: i32) -> (StoreConfig, Calls) {
    let calls = Calls::default();
    let mut config = place.config();
    let made = calls.clone();
    config.faults = Some(Arc::new(move |call| {
        if call == "elevated" {
            return None;
        }
        let mut made = made.lock().unwrap();
        made.push(call);
        (made.len() - 1 == k).then_some(errno)
    }));
    (config, calls)
}

/// Uses a store in every way; whatever it answers must be right. What is left fits the bound on entries.
fn use_it(mut config: StoreConfig) {
    config.entries_max = 1;
    let (store, _) = open(config);
    for n in 0..2 {
        let right =
            |found: Result<Vec<u8>, &str>| found.is_err() || found == Ok(b"payload".to_vec());
        assert!(right(answer(&store, OBJECTS, &key(n), b"preimage")));
        let guard = store.lock(&key(n));
        store.publish(
            OBJECTS,
            &key(n),
            publication(b"payload", b"preimage"),
            guard,
        );
        assert!(store.flush(PATIENCE));
        assert!(right(answer(&store, OBJECTS, &key(n), b"preimage")));
    }
    if let Ok(collected) = store.collect() {
        assert!(collected.entries <= 1 && store.usage().entries() <= 1);
    }
    assert!(store.entries().all(|listed| {
        let found = listed.entry.map(|entry| entry.payload().to_vec());
        found.is_err() || found == Ok(b"payload".to_vec())
    }));
}

/// Every call of using a store fails in turn with each of these numbers.
fn check_every_call(errnos: &[i32]) {
    let (config, calls) = failing_call(&Place::new(), usize::MAX, 0);
    use_it(config);
    let calls = calls.lock().unwrap().clone();
    // What decides whether to trust, takes locks, lists and draws random numbers is among them.
    for name in [
        "walk_stat",
        "walk_open",
        "lock",
        "unlock",
        "list",
        "readdir",
        "random",
        "unlink",
    ] {
        assert!(calls.contains(&name), "{name} is not called");
    }
    for errno in errnos {
        for k in 0..calls.len() {
            let place = Place::new();
            let (config, made) = failing_call(&place, k, *errno);
            use_it(config);
            // How many there are depends a little on who comes first.
            let Some(name) = made.lock().unwrap().get(k).copied() else {
                continue;
            };
            let at = || format!("call {k}, {name}, failed with {errno}");
            // One that could not be removed is swept when it is old.
            let left = place.temporary_files();
            assert!(
                left == 0 || left == 1 && ["unlink", "open_parent"].contains(&name),
                "{}",
                at()
            );
            // A sound store finds a usable directory: whatever is there is right or absent, and everything heals.
            let (store, recorder) = place.open();
            for n in 0..2 {
                publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
                let found = answer(&store, OBJECTS, &key(n), b"preimage");
                assert_eq!(found, Ok(b"payload".to_vec()), "{}", at());
            }
            assert_eq!(recorder.warnings(), [""; 0], "{}", at());
            assert_eq!(store.problems(), [], "{}", at());
        }
    }
}

#[test]
fn row_19_and_23_every_call_failing_in_turn_costs_at_most_entries() {
    check_every_call(&[
        EIO, ENOSPC, EDQUOT, EROFS, EACCES, EPERM, ESTALE, EBUSY, EINTR, EAGAIN, ENOLCK, ENOENT,
    ]);
}

#[test]
#[ignore = "slow: the same with the numbers that are left"]
fn row_19_and_23_every_call_failing_in_turn_with_any_number_costs_at_most_entries() {
    let any_other = [
        EEXIST, EXDEV, ELOOP, ENOTDIR, EMFILE, EOPNOTSUPP, ENOMEM, ENFILE, ENOSYS, EINVAL,
    ];
    check_every_call(&any_other);
}

#[test]
fn row_23_a_directory_that_can_not_be_listed_is_not_counted_as_empty() {
    for name in ["open_dir", "list", "readdir"] {
        let place = Place::new();
        let (store, _) = place.open();
        for n in 0..4 {
            publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
        }
        drop(store);
        let usage = || std::fs::read(place.root().join("v1/usage")).unwrap();
        let before = usage();
        let names: &'static [&'static str] = Box::leak(Box::new([name]));
        let (config, fails) = failing_while(&place, names, EIO);
        let (store, _) = open(config);
        assert!(store.collect().is_err(), "{name}");
        assert_eq!(usage(), before, "{name}");
        fails.store(false, SeqCst);
        assert_eq!(store.collect().unwrap().entries, 4, "{name}");
    }
}

/// A configuration whose calls of these names fail with `errno` while the switch is on.
fn failing_while(
    place: &Place,
    names: &'static [&'static str],
    errno: i32,
) -> (StoreConfig, Arc<AtomicBool>) {
    let switch = Arc::new(AtomicBool::new(true));
    let mut config = place.config();
    let on = switch.clone();
    config.faults = Some(Arc::new(move |call| {
        (on.load(SeqCst) && names.contains(&call)).then_some(errno)
    }));
    (config, switch)
}

#[test]
fn row_19_a_full_disk_at_each_step_leaves_no_partial_file_and_warns_once() {
    for errno in [ENOSPC, EDQUOT] {
        for names in [
            &["write"][..],
            &["mkdir"],
            &["create"],
            &["rename"],
            &["chmod"],
        ] {
            let place = Place::new();
            drop(place.open()); // the secret exists
            let names: &'static [&'static str] = Box::leak(names.to_vec().into_boxed_slice());
            let (config, _) = failing_while(&place, names, errno);
            let (store, recorder) = open(config);
            for n in 0..5 {
                publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
                assert_eq!(answer(&store, OBJECTS, &key(n), b"preimage"), Err("absent"));
            }
            assert_eq!(recorder.warnings().len(), 1, "{names:?}");
            assert_eq!(
                (store.usage().entries(), place.temporary_files()),
                (0, 0),
                "{names:?}"
            );
            assert_eq!(store.state(), State::ReadWrite);
        }
    }
}

#[test]
fn row_19_writing_is_held_off_after_a_failure() {
    let place = Place::new();
    drop(place.open());
    let (mut config, _) = failing_while(&place, &["write"], ENOSPC);
    config.retry_after = Duration::from_secs(3600);
    let (store, recorder) = open(config);
    for n in 0..3 {
        publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
    }
    let bypasses: Vec<_> = recorder
        .take()
        .into_iter()
        .filter_map(|event| match event {
            Event::Bypass { reason, .. } => Some(reason),
            _ => None,
        })
        .collect();
    assert_eq!(bypasses, ["io", "backing_off", "backing_off"]);
}

#[test]
fn row_20_caching_resumes_by_itself_when_there_is_space_again() {
    let place = Place::new();
    let (config, full) = failing_while(&place, &["write"], ENOSPC);
    let (store, recorder) = open(config);
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    assert!(load(&store, OBJECTS, &key(1), b"preimage").is_err());
    full.store(false, SeqCst);
    check_heals(&store, &recorder);
}

#[test]
fn row_21_a_directory_that_can_not_be_written_is_read_and_warned_of_once() {
    for errno in [EROFS, EACCES, EPERM] {
        let place = Place::new();
        drop(with_one_entry(&place));
        let writes = &[
            "write",
            "create",
            "mkdir",
            "rename",
            "unlink",
            "open_create",
            "chmod",
        ];
        let (config, _) = failing_while(&place, writes, errno);
        let (store, recorder) = open(config);
        for n in 2..5 {
            publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
            assert_eq!(
                answer(&store, OBJECTS, &key(1), b"preimage"),
                Ok(b"payload".to_vec())
            );
        }
        assert!(matches!(
            store.state(),
            State::ReadOnly {
                why: Why::NotWritable(_)
            }
        ));
        assert_eq!(recorder.warnings().len(), 1);
        assert!(store.lock(&key(1)).is_none());
        assert_eq!(store.usage().entries(), 1);
    }
}

#[test]
fn row_21_a_read_only_directory_without_a_secret_answers_nothing_and_warns_once() {
    let place = Place::new();
    drop(with_one_entry(&place));
    std::fs::remove_file(place.root().join("secret")).unwrap();
    let (config, _) = failing_while(
        &place,
        &["write", "create", "mkdir", "rename", "unlink"],
        EROFS,
    );
    let (store, recorder) = open(config);
    assert_eq!(
        store.state(),
        State::ReadOnly {
            why: Why::NotWritable(ErrorKind::ReadOnlyFilesystem)
        }
    );
    assert_eq!(
        answer(&store, OBJECTS, &key(1), b"preimage"),
        Err("no_secret")
    );
    assert_eq!(recorder.warnings().len(), 1);
}

#[test]
fn row_21_the_read_only_mode_hits_and_changes_nothing() {
    let place = Place::new();
    let (_, _, good) = with_one_entry(&place);
    let mut config = place.config();
    config.mode = Mode::ReadOnly;
    let (store, recorder) = open(config);
    assert_eq!(
        answer(&store, OBJECTS, &key(1), b"preimage"),
        Ok(b"payload".to_vec())
    );
    publish(&store, OBJECTS, &key(2), b"payload", b"preimage");
    assert!(!store.remove(OBJECTS, &key(1)));
    assert_eq!(store.clear().entries(), 0);
    let path = place.entry_path(OBJECTS, &key(1));
    std::fs::write(&path, &good[1..]).unwrap();
    assert_eq!(
        answer(&store, OBJECTS, &key(1), b"preimage"),
        Err("bad_lengths")
    );
    assert!(path.exists(), "a read-only store removed a file");
    assert_eq!(store.usage().entries(), 1);
    assert!(recorder.warnings().is_empty());
}

#[test]
fn row_21_a_missing_directory_in_read_only_mode_is_not_made() {
    let place = Place::new();
    let mut config = place.config();
    config.mode = Mode::ReadOnly;
    let (store, _) = open(config);
    assert!(matches!(store.state(), State::Disabled { .. }));
    assert!(!place.root().exists());
}

#[test]
fn row_22_without_a_directory_the_store_is_silent_and_off() {
    let (store, recorder) = open(StoreConfig::default());
    assert_eq!(
        store.state(),
        State::Disabled {
            why: Why::NoDirectory
        }
    );
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    assert_eq!(
        answer(&store, OBJECTS, &key(1), b"preimage"),
        Err("disabled")
    );
    let bypass = Event::Bypass {
        layer: DISK,
        key: key(1),
        reason: "disabled",
    };
    assert_eq!(recorder.take(), [bypass, miss(key(1), "disabled")]);
}

#[test]
fn row_22_a_root_that_can_not_be_made_leaves_memory_only_and_one_warning() {
    let place = Place::new();
    let file = place.above().join("file");
    std::fs::write(&file, b"").unwrap();
    for bad in [
        file.join("cache"),
        "/proc/parloop-cache".into(),
        "".into(),
        "/".into(),
    ] {
        let (store, recorder) = open(StoreConfig::at(&bad));
        assert!(matches!(store.state(), State::Disabled { .. }), "{bad:?}");
        assert_eq!(recorder.warnings().len(), 1, "{bad:?}");
    }
}

#[test]
fn row_23_a_stale_handle_is_retried_and_an_error_is_a_miss() {
    let place = Place::new();
    drop(with_one_entry(&place));
    let armed = Arc::new(AtomicUsize::new(0));
    let mut config = place.config();
    let (left, errno) = (armed.clone(), Arc::new(AtomicUsize::new(0)));
    let number = errno.clone();
    config.faults = Some(Arc::new(move |call| {
        let fails = call == "open"
            && left
                .fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1))
                .is_ok();
        fails.then(|| number.load(SeqCst) as i32)
    }));
    let (store, _) = open(config);
    let ask = |number: i32, times: usize| {
        errno.store(number as usize, SeqCst);
        armed.store(times, SeqCst);
        let found = answer(&store, OBJECTS, &key(1), b"preimage");
        armed.store(0, SeqCst);
        found
    };
    for (number, times) in [(ESTALE, 2), (EINTR, 8), (EAGAIN, 8)] {
        assert_eq!(
            ask(number, times),
            Ok(b"payload".to_vec()),
            "{number} {times} times"
        );
    }
    for number in [EIO, EBUSY, EACCES, ESTALE, EINTR, EAGAIN] {
        assert_eq!(ask(number, 1000), Err("io"), "{number} for ever");
    }
    assert_eq!(
        ask(EIO, 0),
        Ok(b"payload".to_vec()),
        "no defect, so nothing was removed"
    );
}

#[test]
fn row_30_without_locks_nothing_changes_but_the_work() {
    let place = Place::new();
    let (config, _) = failing_while(&place, &["open_create"], ESTALE);
    let (store, recorder) = open(config);
    assert!(store.lock(&key(1)).is_none());
    check_heals(&store, &recorder);
}

#[test]
fn row_30_where_locks_are_refused_single_flight_is_off_and_everything_else_works() {
    for errno in [ENOLCK, EOPNOTSUPP, ENOSYS] {
        let place = Place::new();
        let (mut config, _) = failing_while(&place, &["lock", "unlock"], errno);
        config.entries_max = 4;
        config.lock_wait_max = Duration::from_secs(3600);
        // Two stores at once, as of two processes on one file server.
        let (one, recorder) = open(config.clone());
        let (other, _) = open(config);
        let begin = std::time::Instant::now();
        for n in 0..20 {
            for store in [&one, &other] {
                let guard = store.lock(&key(n));
                assert!(guard.is_none(), "{errno}");
                store.publish(
                    OBJECTS,
                    &key(n),
                    publication(b"payload", b"preimage"),
                    guard,
                );
                assert!(store.flush(PATIENCE));
            }
            let found = answer(&other, OBJECTS, &key(n), b"preimage");
            assert!(found == Ok(b"payload".to_vec()) || found == Err("absent"));
            assert!(one.usage().entries() <= 4 + 1, "{:?}", one.usage());
        }
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "no lock was waited for"
        );
        assert_eq!(recorder.warnings(), [""; 0]);
        assert!(other.collect().unwrap().entries <= 4);
        assert_eq!((one.problems(), place.temporary_files()), (vec![], 0));
    }
}

#[test]
fn row_31_a_lock_names_no_owner_so_none_is_taken_for_another() {
    let place = Place::new();
    let (store, _) = place.open();
    let guard = store.lock(&key(1)).unwrap();
    let path = place.root().join("v1/locks");
    let path = path.join(&key(1).to_string()[..2]);
    assert_eq!(std::fs::read(&path).unwrap(), b"", "nothing to be mistaken");
    // What a file of that name says of a process, this very one too, holds nobody up.
    std::fs::write(&path, std::process::id().to_string()).unwrap();
    drop(guard);
    assert!(store.lock(&key(1)).is_some());
}

#[test]
fn row_37_a_directory_deleted_under_a_running_store_comes_back() {
    let place = Place::new();
    let (store, recorder, _) = with_one_entry(&place);
    for _ in 0..3 {
        std::fs::remove_dir_all(place.root()).unwrap();
        assert_eq!(answer(&store, OBJECTS, &key(1), b"preimage"), Err("absent"));
        assert_eq!(recorder.take(), [miss(key(1), "absent")]);
        check_heals(&store, &recorder);
    }
    std::fs::remove_dir_all(place.root().join("v1")).unwrap();
    check_heals(&store, &recorder);
    std::fs::remove_dir_all(place.root().join("v1/objects")).unwrap();
    check_heals(&store, &recorder);
    assert_eq!(place.open().0.usage().entries(), 1);
}

#[test]
fn row_37_a_directory_deleted_and_replaced_by_an_untrusted_one_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let (store, recorder, _) = with_one_entry(&place);
    std::fs::remove_dir_all(place.root()).unwrap();
    std::fs::create_dir(place.root()).unwrap();
    std::fs::set_permissions(place.root(), std::fs::Permissions::from_mode(0o777)).unwrap();
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    assert_eq!(std::fs::read_dir(place.root()).unwrap().count(), 0);
    assert_eq!(recorder.warnings().len(), 1);
}

#[test]
fn row_24_a_listing_waits_for_no_empty_file_and_an_answer_does() {
    const FILES: usize = 50;
    let place = Place::new();
    let (store, _) = place.open();
    for n in 0..FILES {
        publish(&store, OBJECTS, &key(n as u64), b"payload", b"preimage");
        std::fs::write(place.entry_path(OBJECTS, &key(n as u64)), b"").unwrap();
    }
    let opened = Arc::new(AtomicUsize::new(0));
    let mut config = place.config();
    let counter = opened.clone();
    config.faults = Some(Arc::new(move |call| {
        counter.fetch_add(usize::from(call == "open"), SeqCst);
        None
    }));
    let (store, _) = open(config);
    let count = |work: &dyn Fn()| {
        opened.store(0, SeqCst);
        work();
        opened.load(SeqCst)
    };
    let listed = count(&|| {
        let codes = store.entries().map(|listed| listed.entry.unwrap_err());
        assert_eq!(
            codes.filter(|miss| miss.code() == "truncated").count(),
            FILES
        );
    });
    // One for each file, one for the hint of uses in each table.
    assert_eq!(listed, FILES + 2);
    let problems = count(&|| assert_eq!(store.problems().len(), FILES));
    assert_eq!(problems, FILES);
    let answered = count(&|| drop(store.inspect(OBJECTS, &key(0))));
    assert_eq!(answered, 3, "twice more for one that was asked for");
}

#[test]
fn a_store_that_was_closed_is_not_waited_for_again_when_it_is_dropped() {
    let place = Place::new();
    let hangs = Arc::new(AtomicBool::new(true));
    let calls = Arc::new(AtomicUsize::new(0));
    let mut config = place.config();
    config.drop_wait_max = Duration::from_millis(500);
    let (hanging, counter) = (hangs.clone(), calls.clone());
    config.faults = Some(Arc::new(move |call| {
        counter.fetch_add(usize::from(call != "elevated"), SeqCst);
        let writes = std::thread::current().name() == Some("parloop-publish");
        while writes && call == "create" && hanging.load(SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }));
    let (mut store, recorder) = open(config);
    store.publish(OBJECTS, &key(1), publication(b"payload", b"x"), None);
    let start = std::time::Instant::now();
    store.close();
    let closed = start.elapsed();
    assert!(closed >= Duration::from_millis(500), "{closed:?}");
    store.publish(OBJECTS, &key(2), publication(b"payload", b"x"), None);
    let reason = "disabled";
    let (layer, key) = (DISK, key(2));
    assert_eq!(recorder.take(), [Event::Bypass { layer, key, reason }]);
    let before = calls.load(SeqCst);
    drop(store);
    assert_eq!(calls.load(SeqCst), before, "the second time is no work");
    let both = start.elapsed();
    assert!(both < closed + Duration::from_millis(400), "{both:?}");
    hangs.store(false, SeqCst);
}

#[test]
fn row_20_a_directory_that_could_not_be_opened_is_tried_again() {
    for (name, errno) in [
        ("walk_open", EMFILE),
        ("walk_open", EIO),
        ("walk_stat", ESTALE),
        ("mkdir", ENOSPC),
        ("stat", EIO),
    ] {
        let place = Place::new();
        let names: &'static [&'static str] = Box::leak(Box::new([name]));
        let (config, fails) = failing_while(&place, names, errno);
        let (store, recorder) = open(config);
        assert!(matches!(store.state(), State::Disabled { .. }), "{name}");
        publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
        assert_eq!(
            answer(&store, OBJECTS, &key(1), b"preimage"),
            Err("disabled")
        );
        assert_eq!(recorder.warnings().len(), 1, "{name}");
        fails.store(false, SeqCst);
        check_heals(&store, &recorder);
        assert_eq!(store.state(), State::ReadWrite);
    }
}

#[test]
fn row_20_a_directory_that_could_not_be_opened_is_left_alone_for_a_while() {
    let place = Place::new();
    let tries = Arc::new(AtomicUsize::new(0));
    let mut config = place.config();
    config.retry_after = Duration::from_secs(3600);
    let counter = tries.clone();
    config.faults = Some(Arc::new(move |call| {
        (call == "walk_open").then(|| {
            counter.fetch_add(1, SeqCst);
            EIO
        })
    }));
    let (store, _) = open(config);
    for n in 0..10 {
        publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
        assert_eq!(answer(&store, OBJECTS, &key(n), b"x"), Err("disabled"));
    }
    assert_eq!(tries.load(SeqCst), 1);
}

#[test]
fn row_21_a_directory_that_could_not_be_written_is_tried_again() {
    for errno in [EACCES, EPERM, EROFS] {
        let place = Place::new();
        drop(with_one_entry(&place));
        let (config, fails) = failing_while(&place, &["create"], errno);
        let (store, recorder) = open(config);
        publish(&store, OBJECTS, &key(2), b"payload", b"preimage");
        assert!(matches!(store.state(), State::ReadOnly { .. }));
        fails.store(false, SeqCst);
        publish(&store, OBJECTS, &key(3), b"payload", b"preimage");
        assert_eq!(store.state(), State::ReadWrite);
        assert_eq!(
            answer(&store, OBJECTS, &key(3), b"preimage"),
            Ok(b"payload".to_vec())
        );
        assert_eq!(recorder.warnings().len(), 1);
    }
}

#[test]
fn row_21_a_secret_that_another_process_makes_later_is_found() {
    let place = Place::new();
    std::fs::create_dir(place.root()).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(place.root(), private).unwrap();
    let mut only_reads = place.config();
    only_reads.mode = Mode::ReadOnly;
    let (reader, _) = open(only_reads);
    let (config, _) = failing_while(&place, &["random"], EIO);
    let (without, _) = open(config);
    assert_eq!(answer(&reader, OBJECTS, &key(1), b"x"), Err("absent"));
    drop(with_one_entry(&place));
    for store in [&reader, &without] {
        assert_eq!(
            answer(store, OBJECTS, &key(1), b"preimage"),
            Ok(b"payload".to_vec())
        );
    }
}

#[test]
fn row_29_a_long_queue_holds_few_locks() {
    let place = Place::new();
    let gate = Arc::new(AtomicBool::new(false));
    let mut config = place.config();
    config.lock_wait_max = Duration::ZERO;
    let others = config.clone();
    let open_now = gate.clone();
    config.faults = Some(Arc::new(move |call| {
        let writes = std::thread::current().name() == Some("parloop-publish");
        while writes && call == "create" && !open_now.load(SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }));
    let (store, _) = open(config);
    let mut shards = std::collections::BTreeSet::new();
    let mut of_own_shard =
        |key: &parloop_cache::Key| shards.insert(key.to_string()[..2].to_owned());
    let keys: Vec<_> = (0..4000)
        .map(key)
        .filter(&mut of_own_shard)
        .take(400)
        .collect();
    for key in &keys {
        let guard = store.lock(key);
        assert!(guard.is_some());
        store.publish(OBJECTS, key, publication(b"payload", b"x"), guard);
    }
    let (other, _) = open(others);
    let held = keys.iter().filter(|key| other.lock(key).is_none()).count();
    gate.store(true, SeqCst);
    // Of as many as wait at most, and of the one that is being written.
    assert!((1..=257).contains(&held), "{held} locks are held");
    assert!(store.flush(PATIENCE));
    assert!(keys.iter().all(|key| other.lock(key).is_some()));
}

#[test]
fn row_42_a_path_longer_than_the_system_takes_is_walked_and_a_name_that_is_too_long_refused() {
    let place = Place::new();
    // Longer than PATH_MAX, of names that are not too long.
    let mut deep = place.above().to_owned();
    (0..24).for_each(|_| deep.push("d".repeat(200)));
    let config = StoreConfig::at(deep.join("cache"));
    let (store, recorder) = open(config);
    assert_eq!(store.state(), State::ReadWrite);
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    assert!(load(&store, OBJECTS, &key(1), b"preimage").is_ok());
    assert_eq!(recorder.warnings(), [""; 0]);
    let (store, recorder) = open(StoreConfig::at(place.above().join("n".repeat(300))));
    assert!(matches!(store.state(), State::Disabled { .. }));
    assert_eq!(recorder.warnings().len(), 1);
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    assert_eq!(answer(&store, OBJECTS, &key(1), b"x"), Err("disabled"));
}
