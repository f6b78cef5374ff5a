//! Several processes on one directory: publishing at once, dying at every step, holding locks, waiting for each other.
//!
//! The other processes are this test binary again, in a role that an environment variable names.

mod support;

use parloop_cache::{Event, StoreConfig, Table};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use support::*;

const ROLE: &str = "PARLOOP_TEST_ROLE";
const ROOT: &str = "PARLOOP_TEST_ROOT";
const NUMBER: &str = "PARLOOP_TEST_NUMBER";

fn start(role: &str, root: &Path, number: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "another_process",
            "--nocapture",
            "--test-threads=1",
        ])
        .envs([(ROLE, role), (NUMBER, &number.to_string())])
        .env(ROOT, root)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Lines that a process says, after `said:`.
fn said(child: Child) -> Vec<String> {
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "a process failed: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    lines(&output.stdout).collect()
}

fn lines(output: &[u8]) -> impl Iterator<Item = String> + '_ {
    BufReader::new(output).lines().filter_map(|line| {
        let line = line.unwrap();
        line.split_once("said:").map(|(_, text)| text.to_owned())
    })
}

#[allow(clippy::print_stdout, reason = "how a child process answers its test")]
fn say(text: impl std::fmt::Display) {
    println!("said:{text}");
}

#[test]
#[ignore = "the other processes of these tests"]
fn another_process() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let root = std::path::PathBuf::from(std::env::var(ROOT).unwrap());
    let number: u64 = std::env::var(NUMBER).unwrap().parse().unwrap();
    let config = StoreConfig::at(&root);
    match &*role {
        "publish_same" => publish_many(config, |_| b"the same".to_vec()),
        "publish_different" => publish_many(config, |n| format!("{n} by {number}").into_bytes()),
        "compile_cold" => compile_cold(config, &root),
        "die_at_call" => die_at_call(config, number),
        "die_replacing" => die_replacing(config, number),
        "short_lived" => end_soon(config, number),
        "little_memory" => read_in_little_memory(config),
        "random" => random_operations(config, number),
        "hold_lock" => {
            let (store, _) = open(config);
            let _guard = store.lock(&key(1)).unwrap();
            say("locked");
            std::thread::sleep(Duration::from_secs(60));
        }
        "no_thread" => no_thread_before_the_first_publication(config),
        other => panic!("no role {other}"),
    }
}

/// Waits for all processes of a test to be there.
fn meet() {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let slot = Duration::from_millis(200);
    std::thread::sleep(slot - Duration::from_nanos((now.as_nanos() % slot.as_nanos()) as u64));
}

fn publish_many(config: StoreConfig, payload: impl Fn(u64) -> Vec<u8>) {
    let (store, recorder) = open(config);
    meet();
    for n in 0..20 {
        publish(&store, OBJECTS, &key(n), &payload(n), b"preimage");
        assert!(load(&store, OBJECTS, &key(n), b"preimage").is_ok());
    }
    let events = recorder.take();
    say(events
        .iter()
        .filter(|event| matches!(event, Event::Nondeterministic { .. }))
        .count());
}

#[test]
fn row_14_processes_that_store_one_key_at_once_leave_one_file() {
    let place = Place::new();
    let children: Vec<_> = (0..4)
        .map(|n| start("publish_same", &place.root(), n))
        .collect();
    for child in children {
        assert_eq!(said(child), ["0"]);
    }
    let (store, _) = place.open();
    assert_eq!((store.usage().objects, place.temporary_files()), (20, 0));
    assert!(
        store
            .entries()
            .all(|listed| listed.entry.unwrap().payload() == b"the same")
    );
}

#[test]
fn row_14_different_bytes_for_one_key_are_reported_once_and_the_first_stay() {
    let place = Place::new();
    let children: Vec<_> = (0..2)
        .map(|n| start("publish_different", &place.root(), n))
        .collect();
    let reports: u64 = children
        .into_iter()
        .map(|child| said(child)[0].parse::<u64>().unwrap())
        .sum();
    assert_eq!(reports, 20);
    let (store, _) = place.open();
    assert_eq!(store.usage().objects, 20);
    assert!(store.entries().all(|listed| listed.entry.is_ok()));
}

#[test]
fn row_15_different_keys_of_one_label_are_both_present() {
    let place = Place::new();
    let (first, second) = (place.open().0, place.open().0);
    publish(&first, OBJECTS, &key(1), b"one", b"1");
    publish(&second, OBJECTS, &key(2), b"two", b"2");
    assert_eq!(answer(&second, OBJECTS, &key(1), b"1"), Ok(b"one".to_vec()));
    assert_eq!(answer(&first, OBJECTS, &key(2), b"2"), Ok(b"two".to_vec()));
    let labels: Vec<_> = first
        .entries()
        .map(|listed| listed.entry.unwrap().metadata().label)
        .collect();
    assert_eq!(labels, ["res_calc", "res_calc"]);
}

/// What a runtime does for each kernel: load, lock, load again, compile, publish.
fn compile_cold(config: StoreConfig, root: &Path) {
    let (store, _) = open(config);
    meet();
    for n in 0..40 {
        let k = key(n);
        if load(&store, OBJECTS, &k, b"preimage").is_ok() {
            continue;
        }
        let guard = store.lock(&k);
        assert!(guard.is_some());
        if load(&store, OBJECTS, &k, b"preimage").is_ok() {
            continue;
        }
        std::thread::sleep(Duration::from_millis(2));
        let log = root.join(format!("compiled-{n}"));
        let mut log = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(log)
            .unwrap();
        std::io::Write::write_all(&mut log, b"x").unwrap();
        store.publish(OBJECTS, &k, publication(b"payload", b"preimage"), guard);
    }
}

#[test]
fn processes_started_together_on_a_cold_set_compile_each_kernel_once_in_all() {
    let place = Place::new();
    let children: Vec<_> = (0..3)
        .map(|n| start("compile_cold", &place.root(), n))
        .collect();
    children.into_iter().for_each(|child| drop(said(child)));
    for n in 0..40 {
        let times = std::fs::metadata(place.root().join(format!("compiled-{n}")))
            .unwrap()
            .len();
        assert_eq!(times, 1, "kernel {n}");
    }
    assert_eq!(place.open().0.usage().objects, 40);
}

/// Has the process abort before its call of this number; gives the count of calls.
fn abort_at_call(config: &mut StoreConfig, number: u64) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let calls = count.clone();
    config.faults = Some(Arc::new(move |_| {
        if calls.fetch_add(1, SeqCst) as u64 == number {
            std::process::abort();
        }
        None
    }));
    count
}

/// Aborts before its call of this number; says how many there are if that is past the end.
fn die_at_call(mut config: StoreConfig, number: u64) {
    let count = abort_at_call(&mut config, number);
    config.entries_max = 2;
    let (store, _) = open(config);
    for n in 0..4 {
        let guard = store.lock(&key(n));
        store.publish(
            OBJECTS,
            &key(n),
            publication(b"payload", b"preimage"),
            guard,
        );
        store.flush(PATIENCE);
        let _ = load(&store, OBJECTS, &key(n), b"preimage");
    }
    drop(store);
    say(count.load(SeqCst));
}

#[test]
fn row_17_a_process_killed_at_any_step_leaves_the_old_state_or_the_new_one() {
    let calls: u64 = said(start("die_at_call", &Place::new().root(), u64::MAX))[0]
        .parse()
        .unwrap();
    assert!(calls > 100, "{calls}");
    for k in 0..calls {
        let place = Place::new();
        let output = start("die_at_call", &place.root(), k)
            .wait_with_output()
            .unwrap();
        assert!(!output.status.success(), "it did not die at call {k}");
        let (store, recorder) = place.open();
        for listed in store.entries() {
            assert_eq!(
                listed.entry.unwrap().payload(),
                b"payload",
                "killed at call {k}"
            );
        }
        assert_eq!(store.problems(), [], "killed at call {k}");
        assert!(place.temporary_files() <= 1);
        assert!(
            store.lock(&key(1)).is_some(),
            "the lock died with its holder"
        );
        check_heals(&store, &recorder);
    }
}

/// Replaces what is there, in both tables, puts a defect right, evicts, and sweeps; aborts before its call of this number.
fn die_replacing(mut config: StoreConfig, number: u64) {
    let count = abort_at_call(&mut config, number);
    config.mode = parloop_cache::Mode::Refresh;
    let (store, _) = open(config.clone());
    for table in Table::ALL {
        for n in 0..2 {
            publish(&store, table, &key(n), b"new", b"preimage");
        }
    }
    drop(store);
    config.mode = parloop_cache::Mode::ReadWrite;
    config.entries_max = 2;
    let (store, _) = open(config);
    let _ = store.collect();
    let _ = load(&store, OBJECTS, &key(5), b"preimage");
    publish(&store, OBJECTS, &key(5), b"new", b"preimage");
    assert!(store.remove(OBJECTS, &key(5)) || store.usage().entries() <= 2);
    drop(store);
    say(count.load(SeqCst));
}

/// Entries in both tables, a defective one, and maybe a damaged key.
fn old_state(place: &Place, damaged_key: bool) {
    let (store, _) = place.open();
    for table in Table::ALL {
        for n in 0..3 {
            publish(&store, table, &key(n), b"old", b"preimage");
        }
    }
    publish(&store, OBJECTS, &key(5), b"old", b"preimage");
    drop(store);
    let flip = |path: &Path, at: usize| {
        let mut bytes = std::fs::read(path).unwrap();
        bytes[at] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    flip(&place.entry_path(OBJECTS, &key(5)), 1);
    if damaged_key {
        flip(&place.root().join("secret"), 20);
    }
}

#[test]
fn row_17_a_process_killed_while_it_replaces_evicts_or_makes_a_key_leaves_the_old_state_or_the_new_one()
 {
    for damaged_key in [false, true] {
        let place = Place::new();
        old_state(&place, damaged_key);
        let calls = &said(start("die_replacing", &place.root(), u64::MAX))[0];
        let calls: u64 = calls.parse().unwrap();
        assert!(calls > 100, "{calls}");
        for k in 0..calls {
            let place = Place::new();
            old_state(&place, damaged_key);
            let child = start("die_replacing", &place.root(), k);
            child.wait_with_output().unwrap();
            let (store, recorder) = place.open();
            for listed in store.entries() {
                let at = format!("killed at call {k}: {listed:?}");
                match listed.entry {
                    Ok(entry) => assert!([&b"old"[..], b"new"].contains(&entry.payload()), "{at}"),
                    // The flipped one; under a new key all that is old.
                    Err(miss) => {
                        assert!(
                            miss.code() == "bad_mac" && (damaged_key || listed.key == key(5)),
                            "{at}"
                        );
                    }
                }
            }
            // What a killed process left is one file at most, and goes once it is old.
            assert!(place.temporary_files() <= 1, "killed at call {k}");
            for left in std::fs::read_dir(place.root().join("v1/tmp")).unwrap() {
                let left = std::fs::File::options()
                    .write(true)
                    .open(left.unwrap().path())
                    .unwrap();
                left.set_modified(std::time::UNIX_EPOCH).unwrap();
            }
            store.collect().unwrap();
            assert_eq!(place.temporary_files(), 0, "killed at call {k}");
            if answer(&store, OBJECTS, &key(1), b"preimage").is_ok() {
                assert!(store.remove(OBJECTS, &key(1)));
            }
            check_heals(&store, &recorder);
        }
    }
}

/// Publishes one entry to a directory that it has no time to count, and ends.
fn end_soon(mut config: StoreConfig, number: u64) {
    config.entries_max = 60;
    config.drop_wait_max = Duration::from_millis(100);
    config.faults = Some(Arc::new(|call| {
        if call == "list" {
            std::thread::sleep(Duration::from_millis(2));
        }
        None
    }));
    let (store, _) = open(config);
    store.publish(
        OBJECTS,
        &key(number),
        publication(b"payload", b"preimage"),
        None,
    );
    let begin = Instant::now();
    drop(store);
    assert!(
        begin.elapsed() < Duration::from_secs(1),
        "{:?}",
        begin.elapsed()
    );
    say("done");
}

#[test]
fn processes_that_never_live_to_count_all_entries_keep_the_bounds_together() {
    let place = Place::new();
    let (store, _) = place.open();
    for n in 0..300 {
        store.publish(OBJECTS, &key(n), publication(b"payload", b"preimage"), None);
    }
    drop(store);
    let store = place.open().0;
    assert_eq!(store.usage().entries(), 300);
    let mut entries = Vec::new();
    while entries.last().is_none_or(|last| *last > 90) {
        let n = 1000 + entries.len() as u64;
        assert_eq!(said(start("short_lived", &place.root(), n)), ["done"]);
        entries.push(store.usage().entries());
        assert!(entries.len() < 100, "{entries:?}");
    }
    assert_eq!((store.problems(), place.temporary_files()), (vec![], 0));
}

/// Reads whatever lies there with no more memory than twice the cap on one file.
fn read_in_little_memory(mut config: StoreConfig) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    config.entry_bytes_max = 8 << 20;
    let (store, _) = open(config.clone());
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let size = status.split_once("VmSize:").unwrap().1.trim_start();
    let size_kib: u64 = size.split(' ').next().unwrap().parse().unwrap();
    let mut limit = getrlimit(Resource::As);
    limit.current = Some(size_kib * 1024 + 2 * config.entry_bytes_max);
    setrlimit(Resource::As, limit).unwrap();
    let mut found: Vec<&str> = (0..8)
        .map(|n| {
            store
                .inspect(OBJECTS, &key(n))
                .map_or_else(|miss| miss.code(), |_| "hit")
        })
        .collect();
    assert_eq!(
        store
            .entries()
            .filter(|listed| listed.entry.is_err())
            .count(),
        7
    );
    assert_eq!(store.problems().len(), 7);
    for n in 0..8 {
        let asked = answer(&store, OBJECTS, &key(n), b"preimage");
        assert_eq!(asked.map_or_else(|code| code, |_| "hit"), found[n as usize]);
    }
    // Under this limit more can't be had.
    assert!(Vec::<u8>::new().try_reserve_exact(64 << 20).is_err());
    found.dedup();
    say(found.join(" "));
}

#[test]
fn row_06_files_and_lengths_of_any_size_are_read_in_memory_bounded_by_the_cap() {
    let place = Place::new();
    let (store, _) = place.open();
    for n in 0..8 {
        publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
    }
    drop(store);
    let file = |n: u64| place.entry_path(OBJECTS, &key(n));
    let sizes = [4 << 30, 1 << 40, (8 << 20) + 1, 8 << 20];
    for (n, size) in (1..).zip(sizes) {
        let file = std::fs::File::options().write(true).open(file(n)).unwrap();
        file.set_len(size).unwrap();
    }
    // Lengths of payload and metadata, alone and together.
    let (all, none) = (u64::MAX.to_le_bytes(), 0u64.to_le_bytes());
    for (n, lengths) in (5..).zip([[all, none], [none, all], [all, all]]) {
        let mut bytes = std::fs::read(file(n)).unwrap();
        let trailer = bytes.len() - 152;
        bytes[trailer..trailer + 16].copy_from_slice(lengths.as_flattened());
        std::fs::write(file(n), bytes).unwrap();
    }
    let found = said(start("little_memory", &place.root(), 0));
    assert_eq!(found, ["hit too_large bad_magic bad_lengths"]);
}

#[test]
fn row_17_temporary_files_of_the_killed_are_swept_when_they_are_old() {
    let place = Place::new();
    let (store, _, _) = with_one_entry(&place);
    drop(store);
    let tmp = place.root().join("v1/tmp");
    let hour = Duration::from_secs(3600);
    let now = std::time::SystemTime::now();
    let times = [
        ("aaaaaaaaaaaaaaaa", now - 2 * hour),
        ("bbbbbbbbbbbbbbbb", now + 2 * hour),
        ("cccccccccccccccc", now),
    ];
    for (name, time) in times {
        std::fs::File::create(tmp.join(name))
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
    std::fs::File::create(tmp.join("not ours"))
        .unwrap()
        .set_modified(now - 2 * hour)
        .unwrap();
    let (store, _) = place.open();
    publish(&store, OBJECTS, &key(2), b"payload", b"preimage");
    let mut left: Vec<_> = std::fs::read_dir(&tmp)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["cccccccccccccccc", "not ours"]);
}

fn payload_of(n: u64) -> Vec<u8> {
    vec![n as u8; 100 + 37 * n as usize]
}

/// Random operations; whatever is loaded must be right.
fn random_operations(mut config: StoreConfig, number: u64) {
    config.entries_max = 30;
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let (mut store, _) = open(config.clone());
    for _ in 0..number % 1000 {
        let n = random(40);
        let table = Table::ALL[random(2) as usize];
        match random(20) {
            0 => drop(store.remove(table, &key(n))),
            1 => drop(store.usage()),
            2 => (store, _) = open(config.clone()),
            3..8 => {
                let guard = store.lock(&key(n));
                store.publish(
                    table,
                    &key(n),
                    publication(&payload_of(n), b"preimage"),
                    guard,
                );
            }
            _ => {
                if let Ok(entry) = load(&store, table, &key(n), b"preimage") {
                    assert!(entry.payload() == payload_of(n), "a wrong payload");
                }
            }
        }
    }
    say("done");
}

fn check_random(processes: u64, operations: u64) {
    let place = Place::new();
    let mut children: Vec<_> = (0..processes)
        .map(|n| start("random", &place.root(), n * 1000 + operations))
        .collect();
    for (i, child) in children.iter_mut().enumerate().filter(|(i, _)| i % 3 == 0) {
        std::thread::sleep(Duration::from_millis(7 + i as u64 % 5));
        child.kill().unwrap();
    }
    for (i, child) in children.into_iter().enumerate() {
        let output = child.wait_with_output().unwrap();
        assert!(
            i % 3 == 0 || output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
    let (store, _) = place.open();
    for listed in store.entries() {
        let payload = listed.entry.unwrap().payload().to_vec();
        assert!((0..40).any(|n| key(n) == listed.key && payload_of(n) == payload));
    }
}

#[test]
fn row_16_after_random_operations_and_kills_every_surviving_entry_verifies() {
    check_random(9, 300);
}

#[test]
#[ignore = "slow: the same with 64 processes of 999 operations"]
fn row_16_after_many_random_operations_and_kills_every_surviving_entry_verifies() {
    check_random(64, 999);
}

#[test]
fn row_29_a_lock_holder_that_is_stopped_or_killed_is_waited_for_a_bounded_time() {
    let place = Place::new();
    let mut child = start("hold_lock", &place.root(), 0);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("locked") {
        line.clear();
        assert_ne!(output.read_line(&mut line).unwrap(), 0);
    }
    let pid = Pid::from_raw(child.id() as i32).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let mut config = place.config();
    config.lock_wait_max = Duration::from_millis(100);
    let (store, recorder) = open(config);
    let begin = Instant::now();
    assert!(store.lock(&key(1)).is_none());
    assert!(begin.elapsed() >= Duration::from_millis(100));
    assert!(store.lock(&key(2)).is_some(), "another shard is free");
    check_heals(&store, &recorder);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        store.lock(&key(1)).is_some(),
        "the lock died with its holder"
    );
}

fn no_thread_before_the_first_publication(config: StoreConfig) {
    let threads = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let names =
            tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap());
        names
            .filter(|name| name.trim() == "parloop-publish")
            .count()
    };
    let (store, _) = open(config);
    let _ = load(&store, OBJECTS, &key(1), b"preimage");
    assert_eq!(threads(), 0);
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    publish(&store, OBJECTS, &key(2), b"payload", b"preimage");
    assert_eq!(threads(), 1);
    say("done");
}

#[test]
fn there_is_no_thread_before_the_first_publication_and_one_after() {
    assert_eq!(said(start("no_thread", &Place::new().root(), 0)), ["done"]);
}

#[test]
fn row_15_keys_of_one_label_in_one_directory_stored_at_once_are_all_present() {
    const EACH: u64 = 40;
    let place = Place::new();
    // Keys with the same beginning lie in one directory.
    let near = |n: u64| {
        let mut bytes = *key(n).as_bytes();
        bytes[..2].fill(7);
        parloop_cache::Key::new(bytes)
    };
    let payload = |n: u64| n.to_le_bytes();
    std::thread::scope(|scope| {
        for first in 0..4 {
            let place = &place;
            scope.spawn(move || {
                let (store, _) = place.open();
                for n in (0..EACH).map(|n| first * EACH + n) {
                    let made = publication(&payload(n), &payload(n));
                    store.publish(OBJECTS, &near(n), made, None);
                }
                assert!(store.flush(PATIENCE));
            });
        }
    });
    let (store, _) = place.open();
    for n in 0..4 * EACH {
        assert_eq!(
            answer(&store, OBJECTS, &near(n), &payload(n)),
            Ok(payload(n).to_vec())
        );
    }
    assert_eq!(
        (store.usage().entries(), store.problems()),
        (4 * EACH, vec![])
    );
}
