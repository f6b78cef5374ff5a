//! Bounds on the disk: they hold, what goes first is what saves least, and no clock, hint or tiny limit upsets that.

mod support;

use parloop_cache::{Event, Observer, Store, StoreConfig, Table};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::*;

fn bounded(place: &Place, size_bytes_max: u64, entries_max: u64) -> StoreConfig {
    let mut config = place.config();
    config.size_bytes_max = size_bytes_max;
    config.entries_max = entries_max;
    config
}

const LOTS: u64 = 1 << 40;

fn publish_costing(store: &Store, n: u64, cost: Duration, bytes: usize) {
    let mut publication = publication(&vec![n as u8; bytes], b"preimage");
    publication.metadata.compile_time = cost;
    store.publish(OBJECTS, &key(n), publication, None);
    assert!(store.flush(PATIENCE));
}

fn kept(store: &Store) -> BTreeSet<u64> {
    (0..300)
        .filter(|n| store.inspect(OBJECTS, &key(*n)).is_ok())
        .collect()
}

#[test]
fn the_bound_on_entries_holds_after_every_publication() {
    let place = Place::new();
    let (store, recorder) = open(bounded(&place, LOTS, 10));
    for n in 0..60 {
        let table = Table::ALL[n as usize % 2];
        publish(&store, table, &key(n), b"payload", b"preimage");
        assert!(store.usage().entries() <= 10, "{:?}", store.usage());
    }
    assert!(store.usage().entries() >= 9);
    let evicted = recorder
        .take()
        .iter()
        .filter(|event| matches!(event, Event::Evict { .. }))
        .count() as u64;
    assert_eq!(evicted + store.usage().entries(), 60);
}

#[test]
fn the_bound_on_bytes_holds_after_every_publication() {
    let place = Place::new();
    let (store, _) = open(bounded(&place, 100_000, LOTS));
    for n in 0..60 {
        publish_costing(
            &store,
            n,
            Duration::from_millis(1),
            1000 * (1 + n as usize % 20),
        );
        assert!(store.usage().bytes() <= 100_000, "{:?}", store.usage());
    }
    assert!(store.usage().bytes() > 50_000);
}

#[test]
fn what_was_expensive_to_compile_or_is_small_outlives_the_rest() {
    let place = Place::new();
    let (store, _) = open(bounded(&place, LOTS, 40));
    let (long, short) = (Duration::from_secs(1), Duration::from_micros(10));
    for n in 0..30 {
        publish_costing(&store, n, if n % 3 == 0 { long } else { short }, 100);
    }
    for n in 100..150 {
        publish_costing(&store, n, short, 100);
    }
    let kept = kept(&store);
    assert!((0..30).step_by(3).all(|n| kept.contains(&n)), "{kept:?}");
}

#[test]
fn row_28_what_is_used_outlives_the_rest_by_the_caches_own_record() {
    let place = Place::new();
    let (store, _) = open(bounded(&place, LOTS, 20));
    for n in 0..20 {
        publish_costing(&store, n, Duration::from_millis(1), 100);
    }
    drop(store);
    // Uses by a process that publishes nothing count too.
    let (reader, _) = open(bounded(&place, LOTS, 20));
    for n in (0..20).step_by(4) {
        for _ in 0..40 {
            load(&reader, OBJECTS, &key(n), b"preimage").unwrap();
        }
    }
    drop(reader);
    let (store, _) = open(bounded(&place, LOTS, 20));
    for n in 100..112 {
        publish_costing(&store, n, Duration::from_millis(1), 100);
    }
    let kept = kept(&store);
    assert!((0..20).step_by(4).all(|n| kept.contains(&n)), "{kept:?}");
    assert!(kept.len() <= 20);
}

#[test]
fn row_27_times_of_any_value_neither_keep_nor_wipe() {
    let place = Place::new();
    let (store, _) = open(bounded(&place, LOTS, 10));
    let far = Duration::from_secs(1 << 33);
    for (n, time) in (0..50).zip(
        [UNIX_EPOCH, UNIX_EPOCH + far, SystemTime::now()]
            .into_iter()
            .cycle(),
    ) {
        publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
        if let Ok(file) = std::fs::File::open(place.entry_path(OBJECTS, &key(n))) {
            file.set_modified(time).unwrap();
        }
        let entries = store.usage().entries();
        assert!(entries <= 10 && entries >= 9.min(n), "{entries} after {n}");
    }
}

#[test]
fn row_35_entries_loaded_while_others_are_evicted_are_whole() {
    let place = Place::new();
    let config = bounded(&place, LOTS, 4);
    let (writer, _) = open(config.clone());
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let done = done.clone();
        let (store, _) = open(config);
        std::thread::spawn(move || {
            let mut hits = 0;
            while !done.load(SeqCst) {
                for n in 0..8 {
                    if let Ok(entry) = load(&store, OBJECTS, &key(n), b"preimage") {
                        assert_eq!(entry.payload(), vec![n as u8; 3000]);
                        hits += 1;
                    }
                }
            }
            hits
        })
    };
    for n in 0..200 {
        publish_costing(&writer, n % 8, Duration::from_millis(1 + n % 5), 3000);
    }
    done.store(true, SeqCst);
    assert!(reader.join().unwrap() > 0);
}

#[test]
fn row_36_an_entry_larger_than_a_limit_is_bypassed_with_a_reason_and_writes_nothing() {
    let place = Place::new();
    let mut small_entries = place.config();
    small_entries.entry_bytes_max = 100;
    for config in [
        bounded(&place, 0, 10),
        bounded(&place, LOTS, 0),
        bounded(&place, 100, 10),
        small_entries,
    ] {
        let (store, recorder) = open(config);
        for _ in 0..3 {
            publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
        }
        let bypass = Event::Bypass {
            layer: DISK,
            key: key(1),
            reason: "over_limit",
        };
        assert_eq!(recorder.take(), [bypass.clone(), bypass.clone(), bypass]);
        assert_eq!((store.usage().entries(), place.temporary_files()), (0, 0));
    }
}

#[test]
fn row_36_a_limit_shrunk_a_hundredfold_is_met_after_the_next_publication() {
    let place = Place::new();
    let (store, _) = open(bounded(&place, LOTS, 1000));
    for n in 0..200 {
        store.publish(OBJECTS, &key(n), publication(b"payload", b"preimage"), None);
    }
    drop(store);
    let (store, recorder) = open(bounded(&place, LOTS, 2));
    assert_eq!(store.usage().entries(), 200);
    publish(&store, OBJECTS, &key(200), b"payload", b"preimage");
    assert_eq!(store.usage().entries(), 2);
    let evicted = recorder
        .take()
        .iter()
        .filter(|event| matches!(event, Event::Evict { .. }))
        .count();
    assert_eq!(evicted, 199);
}

#[test]
fn row_41_damaged_or_missing_hints_are_rebuilt_and_nothing_depends_on_them() {
    let place = Place::new();
    let config = bounded(&place, LOTS, 10);
    let (store, _) = open(config.clone());
    let hint = |name: &str| place.root().join("v1").join(name);
    let mut n = 0;
    for (name, damage) in ["usage", "uses", "stats"]
        .into_iter()
        .flat_map(|name| [None, Some(0), Some(1), Some(40), Some(100_000)].map(|d| (name, d)))
    {
        match damage {
            None => drop(std::fs::remove_file(hint(name))),
            Some(len) => std::fs::write(hint(name), vec![0xff; len]).unwrap(),
        }
        for _ in 0..12 {
            n += 1;
            publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
            assert!(
                load(&store, OBJECTS, &key(n), b"preimage").is_ok() || store.usage().entries() > 0
            );
        }
        assert!(store.usage().entries() <= 10, "{name} {damage:?}");
    }
}

/// Publishes many entries at the first eviction, so that they are written between the steps of a collection.
#[derive(Default)]
struct BusyWhileCollecting {
    store: OnceLock<Weak<Store>>,
    told: AtomicBool,
}

impl Observer for BusyWhileCollecting {
    fn event(&self, event: &Event) {
        let store = self.store.get().and_then(Weak::upgrade);
        let (Event::Evict { .. }, Some(store)) = (event, store) else {
            return;
        };
        if self.told.swap(true, SeqCst) {
            return;
        }
        for n in 5000..5200 {
            store.publish(OBJECTS, &key(n), publication(b"payload", b"preimage"), None);
        }
    }
}

#[test]
fn what_is_written_while_a_collection_runs_is_bounded_too() {
    let place = Place::new();
    let busy = Arc::new(BusyWhileCollecting::default());
    let store = Arc::new(Store::open(bounded(&place, LOTS, 100), busy.clone()));
    busy.store.set(Arc::downgrade(&store)).unwrap();
    publish(&store, OBJECTS, &key(0), b"payload", b"preimage");
    for n in 1..400 {
        let path = place.entry_path(OBJECTS, &key(n));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"left by the dead").unwrap();
    }
    for n in 1000..1300 {
        store.publish(OBJECTS, &key(n), publication(b"payload", b"preimage"), None);
    }
    store.flush(PATIENCE);
    assert!(busy.told.load(SeqCst));
    assert!(store.usage().entries() <= 100, "{:?}", store.usage());
}

#[test]
fn totals_that_miss_what_others_wrote_are_counted_anew() {
    let place = Place::new();
    let (store, _) = open(bounded(&place, LOTS, 100));
    publish(&store, OBJECTS, &key(0), b"payload", b"preimage");
    // As if a thousand entries had come from processes that died before they added them.
    for n in 1..200 {
        let path = place.entry_path(OBJECTS, &key(n));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"left by the dead").unwrap();
    }
    for n in 1000..1300 {
        store.publish(OBJECTS, &key(n), publication(b"payload", b"preimage"), None);
    }
    store.flush(PATIENCE);
    assert!(store.usage().entries() <= 100, "{:?}", store.usage());
}

#[test]
fn opening_and_hitting_list_no_directory_and_write_nothing() {
    let place = Place::new();
    drop(with_one_entry(&place));
    let calls: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let mut config = place.config();
    let record = calls.clone();
    config.faults = Some(Arc::new(move |call| {
        record.lock().unwrap().push(call);
        None
    }));
    let (store, _) = open(config);
    load(&store, OBJECTS, &key(1), b"preimage").unwrap();
    let mut calls = std::mem::take(&mut *calls.lock().unwrap());
    // The way to the root is walked and looked at first; how long it is depends on where temporary files lie.
    let walked = calls.iter().rposition(|call| *call == "walk_open").unwrap();
    assert_eq!(calls[0], "elevated");
    assert!(
        calls[1..=walked]
            .iter()
            .all(|call| call.starts_with("walk_") || *call == "stat")
    );
    assert_eq!(
        calls.split_off(walked + 1),
        [
            "stat", "stat", "open", "stat", "read", "open", "stat", "read"
        ]
    );
}

#[test]
fn collecting_on_demand_meets_the_bounds_and_sweeps_what_was_left() {
    let place = Place::new();
    let (store, _) = place.open();
    for n in 0..20 {
        publish_costing(&store, n, Duration::from_micros(n + 1), 100);
    }
    drop(store);
    let left = place.root().join("v1/tmp").join("b".repeat(16));
    std::fs::write(&left, "half a file").unwrap();
    let file = std::fs::File::options().write(true).open(&left).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    let (store, recorder) = open(bounded(&place, 1 << 20, 10));
    let collected = store.collect().unwrap();
    // A tenth below the bound.
    assert_eq!((collected.evicted, collected.entries), (11, 9));
    assert_eq!(collected.temporary, 1);
    assert!(collected.evicted_bytes > 1100 && collected.bytes > 900);
    assert_eq!(kept(&store), (11..20).collect());
    let told = recorder.take_as_told();
    let evictions = told.iter();
    let evictions = evictions.filter(|event| matches!(event, Event::Evict { .. }));
    assert_eq!(evictions.count(), 11);
    // What was evicted is told once more, with the time that all took.
    assert!(
        matches!(told.last(), Some(Event::Collect { entries: 11, bytes, duration })
            if *bytes == collected.evicted_bytes && !duration.is_zero()),
        "{told:?}"
    );
    let again = store.collect().unwrap();
    assert_eq!((again.evicted, again.entries, again.temporary), (0, 9, 0));
}

#[test]
fn a_directory_that_is_only_read_is_not_collected() {
    let place = Place::new();
    drop(with_one_entry(&place));
    let mut config = bounded(&place, 1, 1);
    config.mode = parloop_cache::Mode::ReadOnly;
    assert!(open(config).0.collect().is_err());
    assert_eq!(kept(&place.open().0).len(), 1);
}

/// What a program does that runs these loops, started so many times: files written, and calls that found nothing.
fn run_in_turn(config: &StoreConfig, loops: std::ops::Range<u64>, times: u64) -> (u64, u64) {
    let (mut written, mut missed) = (0, 0);
    for _ in 0..times {
        let (store, recorder) = open(config.clone());
        for n in loops.clone() {
            match answer(&store, OBJECTS, &key(n), b"preimage") {
                Ok(payload) => assert_eq!(payload, b"payload"),
                Err(reason) => {
                    assert_eq!(reason, "absent");
                    missed += 1;
                    publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
                }
            }
            let usage = store.usage();
            assert!(
                usage.entries() <= config.entries_max && usage.bytes() <= config.size_bytes_max
            );
        }
        let wrote = |event: &&Event| matches!(event, Event::Publish { .. });
        written += recorder.take().iter().filter(wrote).count() as u64;
    }
    (written, missed)
}

#[test]
fn row_36_more_loops_than_fit_run_in_turn_write_a_bounded_number_of_files() {
    const TIMES: u64 = 20;
    let entry = {
        let place = Place::new();
        let (store, _, file) = with_one_entry(&place);
        drop(store);
        file.len() as u64
    };
    for fit in [1, 2, 8, 20] {
        for (bytes, entries) in [(LOTS, fit), (fit * entry + entry / 2, 1 << 18)] {
            let place = Place::new();
            let config = bounded(&place, bytes, entries);
            let (written, missed) = run_in_turn(&config, 0..2 * fit, TIMES);
            assert!(
                written <= 4 * fit,
                "{fit}: {written} files for {missed} misses"
            );
            // What is there is of use: nearly half of the calls hit.
            let calls = 2 * fit * TIMES;
            assert!(
                calls - missed >= (TIMES - 4) * (fit - fit / 5),
                "{fit}: {missed} misses of {calls}"
            );
            assert_eq!(place.temporary_files(), 0);
        }
    }
}

#[test]
fn what_is_run_no_more_makes_way_for_what_is() {
    let place = Place::new();
    let config = bounded(&place, LOTS, 8);
    run_in_turn(&config, 0..8, 300);
    let (_, missed) = run_in_turn(&config, 100..108, 60);
    assert!(missed < 30 * 8, "{missed}");
    assert_eq!(run_in_turn(&config, 100..108, 1), (0, 0));
}

#[test]
fn what_was_rejected_in_a_full_directory_is_written_again() {
    let place = Place::new();
    let config = bounded(&place, LOTS, 200);
    run_in_turn(&config, 0..200, 3);
    let path = place.entry_path(OBJECTS, &key(7));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let (store, _) = open(config);
    assert_eq!(
        answer(&store, OBJECTS, &key(7), b"preimage"),
        Err("bad_mac")
    );
    publish(&store, OBJECTS, &key(7), b"payload", b"preimage");
    assert_eq!(
        answer(&store, OBJECTS, &key(7), b"preimage"),
        Ok(b"payload".to_vec())
    );
}

#[test]
fn the_bounds_hold_while_the_queue_is_never_empty() {
    const ENTRIES_MAX: u64 = 100;
    const BETWEEN: u64 = 64;
    let place = Place::new();
    let gate = Arc::new(AtomicBool::new(false));
    let mut config = bounded(&place, LOTS, ENTRIES_MAX);
    let open_now = gate.clone();
    config.faults = Some(Arc::new(move |call| {
        let writes = std::thread::current().name() == Some("parloop-publish");
        while writes && call == "create" && !open_now.load(SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }));
    let (store, recorder) = open(config);
    for n in 0..2000 {
        store.publish(OBJECTS, &key(n), publication(b"payload", b"preimage"), None);
    }
    gate.store(true, SeqCst);
    assert!(store.flush(PATIENCE));
    let (mut there, mut most, mut written) = (0u64, 0, 0);
    for event in recorder.take() {
        match event {
            Event::Publish { .. } => (there, written) = (there + 1, written + 1),
            Event::Evict { .. } => there -= 1,
            _ => {}
        }
        most = most.max(there);
    }
    assert_eq!(written, 2000);
    assert!(most <= ENTRIES_MAX + BETWEEN, "{most} at once");
    assert!(store.usage().entries() <= ENTRIES_MAX);
}

#[test]
fn row_19_a_cache_above_its_bounds_makes_room_although_the_disk_is_full() {
    let place = Place::new();
    let (store, _) = place.open();
    for n in 0..50 {
        store.publish(OBJECTS, &key(n), publication(b"payload", b"preimage"), None);
    }
    drop(store);
    for names in [&["write"][..], &["create"], &["write", "open_create"]] {
        let mut config = bounded(&place, LOTS, 10);
        config.retry_after = Duration::from_secs(3600);
        config.faults = Some(Arc::new(move |call| names.contains(&call).then_some(28)));
        let (store, _) = open(config);
        publish(&store, OBJECTS, &key(100), b"payload", b"preimage");
        match names.contains(&"open_create") {
            true => assert!(store.usage().entries() <= 50),
            false => assert!(store.usage().entries() <= 10, "{names:?}"),
        }
    }
}

#[test]
fn a_collection_in_the_background_is_told_with_its_time() {
    let place = Place::new();
    let (store, recorder) = open(bounded(&place, LOTS, 10));
    for n in 0..30 {
        publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
    }
    let told = recorder.take_as_told();
    let evicted = |event: &&Event| matches!(event, Event::Evict { .. });
    let collected = told.iter().filter_map(|event| match event {
        Event::Collect {
            entries, duration, ..
        } if !duration.is_zero() => Some(*entries),
        _ => None,
    });
    let evictions = told.iter().filter(evicted).count() as u64;
    assert_eq!(collected.sum::<u64>(), evictions);
    assert!(evictions > 0);
}

#[test]
fn row_09_entries_of_another_version_among_ours_go_first() {
    let place = Place::new();
    let (store, _) = open(bounded(&place, LOTS, 20));
    for n in 0..20 {
        publish_costing(&store, n, Duration::from_millis(1 + n % 7), 100);
        for _ in 0..n % 3 {
            load(&store, OBJECTS, &key(n), b"preimage").unwrap();
        }
    }
    let other = |n: u64| n.is_multiple_of(5);
    for n in (0..20).filter(|n| other(*n)) {
        let path = place.entry_path(OBJECTS, &key(n));
        let mut file = std::fs::read(&path).unwrap();
        let at = file.len() - 16;
        file[at..at + 4].copy_from_slice(&2u32.to_le_bytes());
        std::fs::write(&path, &file).unwrap();
    }
    // Left in place while there is room; four are evicted for this one.
    assert!((0..20).all(|n| place.entry_path(OBJECTS, &key(n)).exists()));
    publish_costing(&store, 100, Duration::from_secs(1), 100);
    assert_eq!(store.usage().entries(), 18);
    let gone = (0..20).filter(|n| !place.entry_path(OBJECTS, &key(*n)).exists());
    assert!(gone.into_iter().all(other));
}
