//! The store in sound surroundings: exact events, modes, tables, the queue, and use from many threads.

mod support;

use parloop_cache::{
    ClassCache, Event, Expect, FlightGuard, Key, Layer, Miss, Mode, Observer, State, Stats, Store,
    StoreConfig, Table,
};
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::*;

fn publish_event(place: &Place, table: Table, key: Key) -> Event {
    let bytes = std::fs::metadata(place.entry_path(table, &key))
        .unwrap()
        .len();
    Event::Publish {
        layer: table.layer(),
        key,
        bytes,
        duration: Duration::ZERO,
    }
}

#[test]
fn a_miss_a_publication_and_a_hit_are_these_events_in_both_tables() {
    let place = Place::new();
    let (store, recorder) = place.open();
    assert_eq!(store.state(), State::ReadWrite);
    for table in Table::ALL {
        let (k, layer) = (key(1), table.layer());
        assert_eq!(answer(&store, table, &k, b"preimage"), Err("absent"));
        publish(&store, table, &k, b"payload", b"preimage");
        assert_eq!(
            answer(&store, table, &k, b"preimage"),
            Ok(b"payload".to_vec())
        );
        let expected = [
            Event::Miss {
                layer,
                key: k,
                reason: "absent",
            },
            publish_event(&place, table, k),
            Event::Hit {
                layer,
                key: k,
                saved: match table {
                    Table::Objects => Duration::from_micros(500),
                    Table::Shortcuts => Duration::ZERO,
                },
                duration: Duration::ZERO,
            },
        ];
        assert_eq!(recorder.take(), expected);
    }
}

#[test]
fn hits_on_disk_and_publications_are_told_with_their_times() {
    let place = Place::new();
    let (store, recorder) = place.open();
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    load(&store, OBJECTS, &key(1), b"preimage").unwrap();
    let times = recorder
        .take_as_told()
        .into_iter()
        .map(|event| match event {
            Event::Publish { duration, .. } | Event::Hit { duration, .. } => Some(duration),
            _ => None,
        });
    let times: Option<Vec<Duration>> = times.collect();
    let times = times.unwrap();
    assert_eq!(times.len(), 2);
    assert!(times.iter().all(|time| !time.is_zero()), "{times:?}");
}

#[test]
fn without_a_thread_nothing_is_written_and_the_next_publication_tries_again() {
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
    let place = Place::new();
    let fails = Arc::new(AtomicBool::new(true));
    let mut config = place.config();
    let on = fails.clone();
    config.faults = Some(Arc::new(move |call| {
        (call == "thread" && on.load(SeqCst)).then_some(11)
    }));
    let (store, recorder) = open(config);
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    let bypass = Event::Bypass {
        layer: DISK,
        key: key(1),
        reason: "no_thread",
    };
    assert_eq!(recorder.take(), [bypass]);
    fails.store(false, SeqCst);
    check_heals(&store, &recorder);
}

#[test]
fn payload_preimage_and_metadata_come_back_as_they_were_given() {
    let place = Place::new();
    let (store, _) = place.open();
    for (n, (payload, preimage)) in [(0, 0), (0, 9), (9, 0), (100_000, 70_000)]
        .into_iter()
        .enumerate()
    {
        let (payload, preimage) = (vec![1; payload], vec![2; preimage]);
        let given = publication(&payload, &preimage);
        store.publish(OBJECTS, &key(n as u64), given.clone(), None);
        store.flush(PATIENCE);
        let entry = load(&store, OBJECTS, &key(n as u64), &preimage).unwrap();
        assert_eq!(
            (entry.payload(), entry.preimage()),
            (&payload[..], &preimage[..])
        );
        let mut metadata = entry.metadata();
        assert!(metadata.created_unix_s > 1_700_000_000);
        metadata.created_unix_s = 0;
        assert_eq!(metadata, given.metadata);
    }
}

#[test]
fn another_process_would_find_what_was_published_before_the_store_was_dropped() {
    let place = Place::new();
    let (store, _) = place.open();
    for n in 0..50 {
        store.publish(OBJECTS, &key(n), publication(b"payload", b"preimage"), None);
    }
    drop(store);
    assert_eq!(place.open().0.usage().objects, 50);
}

#[test]
fn the_same_entry_published_again_is_not_written_again() {
    let place = Place::new();
    let (store, recorder, file) = with_one_entry(&place);
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    assert_eq!(
        recorder.take(),
        [Event::Bypass {
            layer: DISK,
            key: key(1),
            reason: "present"
        }]
    );
    assert_eq!(
        std::fs::read(place.entry_path(OBJECTS, &key(1))).unwrap(),
        file
    );
}

#[test]
fn different_bytes_for_one_key_are_reported_and_the_first_stay() {
    let place = Place::new();
    let (store, recorder, _) = with_one_entry(&place);
    publish(&store, OBJECTS, &key(1), b"PAYLOAD", b"preimage");
    let bypass = Event::Bypass {
        layer: DISK,
        key: key(1),
        reason: "present",
    };
    assert_eq!(
        recorder.take(),
        [
            Event::Nondeterministic {
                layer: DISK,
                key: key(1)
            },
            bypass
        ]
    );
    assert_eq!(
        answer(&store, OBJECTS, &key(1), b"preimage"),
        Ok(b"payload".to_vec())
    );
}

#[test]
fn the_mode_refresh_answers_nothing_and_replaces() {
    let place = Place::new();
    let (_, _, _) = with_one_entry(&place);
    let mut config = place.config();
    config.mode = Mode::Refresh;
    let (store, recorder) = open(config);
    assert_eq!(
        answer(&store, OBJECTS, &key(1), b"preimage"),
        Err("refresh")
    );
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    publish(&store, OBJECTS, &key(1), b"PAYLOAD", b"preimage");
    let published = publish_event(&place, OBJECTS, key(1));
    let nondeterministic = Event::Nondeterministic {
        layer: DISK,
        key: key(1),
    };
    assert_eq!(
        recorder.take(),
        [
            miss(key(1), "refresh"),
            published.clone(),
            nondeterministic,
            published
        ]
    );
    let (store, _) = place.open();
    assert_eq!(
        answer(&store, OBJECTS, &key(1), b"preimage"),
        Ok(b"PAYLOAD".to_vec())
    );
    assert_eq!(store.usage().objects, 1);
}

#[test]
fn the_mode_off_touches_nothing() {
    let place = Place::new();
    let mut config = place.config();
    config.mode = Mode::Off;
    let (store, recorder) = open(config);
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    assert_eq!(
        answer(&store, OBJECTS, &key(1), b"preimage"),
        Err("disabled")
    );
    assert!(!place.root().exists() && recorder.warnings().is_empty());
}

#[test]
fn row_38_entries_of_two_kinds_of_host_stay_side_by_side() {
    let place = Place::new();
    let (old, new) = (place.open().0, place.open().0);
    publish(&old, OBJECTS, &key(1), b"baseline", b"baseline preimage");
    publish(&new, OBJECTS, &key(2), b"avx512", b"avx512 preimage");
    for _ in 0..3 {
        assert_eq!(
            answer(&old, OBJECTS, &key(1), b"baseline preimage"),
            Ok(b"baseline".to_vec())
        );
        assert_eq!(
            answer(&new, OBJECTS, &key(2), b"avx512 preimage"),
            Ok(b"avx512".to_vec())
        );
    }
    assert_eq!(old.usage().objects, 2);
}

#[test]
fn tools_find_the_payload_at_the_beginning_of_the_file() {
    let place = Place::new();
    let (_store, _, file) = with_one_entry(&place);
    assert!(file.starts_with(b"payload"));
    assert_eq!(
        place
            .entry_path(OBJECTS, &key(1))
            .file_name()
            .unwrap()
            .as_bytes()
            .len(),
        52
    );
}

#[test]
fn many_threads_hit_without_a_miss_while_others_publish() {
    let place = Place::new();
    let (store, _, _) = with_one_entry(&place);
    let store = &store;
    std::thread::scope(|scope| {
        for thread in 0..16 {
            scope.spawn(move || {
                for n in 0..200 {
                    assert_eq!(
                        answer(store, OBJECTS, &key(1), b"preimage"),
                        Ok(b"payload".to_vec())
                    );
                    if n % 20 == 0 {
                        let k = key(1000 * thread + n);
                        store.publish(OBJECTS, &k, publication(b"payload", b"preimage"), None);
                    }
                }
            });
        }
    });
    assert!(store.flush(PATIENCE));
    assert_eq!(store.usage().objects, 1 + 16 * 10);
}

#[test]
fn a_full_queue_bypasses_with_a_reason_and_the_caller_never_waits() {
    let place = Place::new();
    let gate = Arc::new(Mutex::new(()));
    let mut config = place.config();
    let closed = gate.clone();
    config.faults = Some(Arc::new(move |call| {
        if call == "write" {
            drop(closed.lock().unwrap());
        }
        None
    }));
    config.queue_bytes_max = 1000;
    let (store, recorder) = open(config);
    let shut = gate.lock().unwrap();
    for n in 0..20 {
        store.publish(OBJECTS, &key(n), publication(&[1; 150], b"preimage"), None);
    }
    assert!(
        !store.flush(Duration::from_millis(20)),
        "nothing can be in place yet"
    );
    drop(shut);
    assert!(store.flush(PATIENCE));
    let full = |event: &&Event| {
        matches!(
            event,
            Event::Bypass {
                reason: "queue_full",
                ..
            }
        )
    };
    let bypassed = recorder.take().iter().filter(full).count() as u64;
    assert!(bypassed > 0);
    assert_eq!(bypassed + store.usage().objects, 20);
}

#[test]
fn an_observer_that_panics_does_not_stop_the_publications() {
    struct Panics;
    impl Observer for Panics {
        fn event(&self, event: &Event) {
            assert!(
                !matches!(event, Event::Publish { .. }),
                "expected by this test"
            );
        }
    }
    let place = Place::new();
    let store = Store::open(place.config(), Arc::new(Panics));
    for n in 0..3 {
        publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
    }
    assert_eq!(store.usage().objects, 3);
}

#[test]
fn the_lock_of_a_key_is_kept_until_its_entry_is_in_place() {
    let place = Place::new();
    let (store, _) = place.open();
    let mut config = place.config();
    config.lock_wait_max = Duration::from_millis(30);
    let (other, _) = open(config);
    let guard = store.lock(&key(1));
    assert!(guard.is_some() && other.lock(&key(1)).is_none());
    store.publish(
        OBJECTS,
        &key(1),
        publication(b"payload", b"preimage"),
        guard,
    );
    store.flush(PATIENCE);
    assert!(other.lock(&key(1)).is_some());
    assert_eq!(
        answer(&other, OBJECTS, &key(1), b"preimage"),
        Ok(b"payload".to_vec())
    );
}

#[test]
fn what_is_refused_was_no_hit_and_saved_nothing() {
    let place = Place::new();
    let (store, recorder, _) = with_one_entry(&place);
    let offer = || {
        let expect = Expect::Preimage(b"preimage");
        store.offer(OBJECTS, &key(1), expect, &|_| true).unwrap()
    };
    let compared = offer().take_to_compare();
    assert_eq!(compared.payload(), b"payload");
    assert_eq!(store.lifetime().saved, Duration::ZERO);
    assert_eq!(offer().take().payload(), b"payload");
    assert_eq!(store.lifetime().saved, Duration::from_micros(500));
    recorder.take();
    offer().refuse("load_header");
    let expected = [reject(key(1), "load_header"), miss(key(1), "load_header")];
    assert_eq!(recorder.take(), expected);
    let counts = store.lifetime();
    let one = [((DISK, "load_header"), 1)].into();
    assert_eq!((counts.disk_hits, counts.disk_misses), (2, 1));
    assert_eq!((&counts.misses, &counts.rejects), (&one, &one));
    assert_eq!(answer(&store, OBJECTS, &key(1), b"preimage"), Err("absent"));
}

#[test]
fn a_hit_that_is_taken_back_is_a_miss_by_every_count() {
    for flushed in [false, true] {
        let place = Place::new();
        let stats = Arc::new(Stats::default());
        let mut store = Store::open(place.config(), stats.clone());
        for table in Table::ALL {
            publish(&store, table, &key(1), b"payload", b"preimage");
            let offer = store.offer(table, &key(1), Expect::Preimage(b"preimage"), &|_| true);
            offer.unwrap().take_to_compare();
        }
        if flushed {
            // What was a hit may be in the file already.
            store.close();
            store = Store::open(place.config(), stats.clone());
        }
        for table in Table::ALL {
            store.retract(table, &key(1), "misled");
        }
        let counts = store.lifetime();
        assert_eq!(
            (counts.disk_hits, counts.shortcut_hits),
            (0, 0),
            "{flushed}"
        );
        assert_eq!((counts.disk_misses, counts.shortcut_misses), (1, 1));
        store.close();
        assert_eq!(place.open().0.lifetime(), counts);
        let snapshot = stats.snapshot();
        assert_eq!((snapshot.disk_hits, snapshot.shortcut_hits), (0, 0));
        let misled = [(Layer::Disk, "misled"), (Layer::Shortcut, "misled")];
        assert_eq!(snapshot.misses, misled.map(|miss| (miss, 1)).into());
        assert_eq!(snapshot.rejects, snapshot.misses);
    }
}

#[test]
fn looking_again_under_the_lock_is_no_second_miss_but_a_hit_is_a_hit() {
    let place = Place::new();
    let (store, recorder) = place.open();
    let again = || {
        let expect = Expect::Preimage(b"preimage");
        store
            .offer_again(OBJECTS, &key(1), expect, &|_| true)
            .map(|offer| offer.take().payload().to_vec())
    };
    assert_eq!(answer(&store, OBJECTS, &key(1), b"preimage"), Err("absent"));
    assert_eq!(again(), Err(Miss::Absent));
    assert_eq!(recorder.take(), [miss(key(1), "absent")]);
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    recorder.take();
    assert_eq!(again(), Ok(b"payload".to_vec()));
    assert!(matches!(*recorder.take(), [Event::Hit { .. }]));
    assert_eq!(store.lifetime().disk_misses, 1);
}

#[test]
fn maintenance_lists_finds_inspects_and_removes() {
    let place = Place::new();
    let (store, recorder) = place.open();
    for n in 0..10 {
        publish(
            &store,
            Table::ALL[n as usize % 2],
            &key(n),
            b"payload",
            b"preimage",
        );
    }
    recorder.take();
    let mut listed: Vec<_> = store
        .entries()
        .map(|listed| (listed.table, listed.key))
        .collect();
    listed.sort();
    let mut expected: Vec<_> = (0..10)
        .map(|n| (Table::ALL[n as usize % 2], key(n)))
        .collect();
    expected.sort();
    assert_eq!(listed, expected);
    let bytes: u64 = store.entries().map(|listed| listed.file_bytes).sum();
    let usage = store.usage();
    assert_eq!(
        (usage.objects, usage.shortcuts, usage.bytes()),
        (5, 5, bytes)
    );
    assert_eq!(
        store.keys_with_prefix(OBJECTS, &key(2).to_string()[..10]),
        [key(2)]
    );
    assert_eq!(
        store.keys_with_prefix(OBJECTS, &key(1).to_string()[..10]),
        []
    );
    assert_eq!(
        store.inspect(OBJECTS, &key(2)).unwrap().preimage(),
        b"preimage"
    );
    assert!(store.remove(OBJECTS, &key(2)) && !store.remove(OBJECTS, &key(2)));
    assert!(store.inspect(OBJECTS, &key(2)).is_err());
    assert_eq!(store.clear().entries(), 9);
    assert_eq!((store.usage().entries(), store.problems()), (0, vec![]));
    assert_eq!(recorder.take(), [], "maintenance is no use of the cache");
}

#[test]
fn statistics_are_made_from_the_events() {
    let place = Place::new();
    let stats = Arc::new(Stats::default());
    let store = Store::open(place.config(), stats.clone());
    let _ = load(&store, OBJECTS, &key(1), b"preimage");
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    let _ = load(&store, OBJECTS, &key(1), b"preimage");
    std::fs::write(place.entry_path(OBJECTS, &key(1)), b"").unwrap();
    let _ = load(&store, OBJECTS, &key(1), b"preimage");
    let snapshot = stats.snapshot();
    assert_eq!((snapshot.disk_hits, snapshot.published), (1, 1));
    assert_eq!(snapshot.misses[&(Layer::Disk, "absent")], 1);
    assert_eq!(snapshot.misses[&(Layer::Disk, "truncated")], 1);
    assert_eq!(snapshot.rejects[&(Layer::Disk, "truncated")], 1);
}

#[test]
fn row_41_counts_are_kept_over_processes_and_only_a_hint() {
    let place = Place::new();
    for _ in 0..3 {
        let (store, _) = place.open();
        let _ = load(&store, OBJECTS, &key(1), b"preimage");
        publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
        load(&store, OBJECTS, &key(1), b"preimage").unwrap();
    }
    let (store, _) = place.open();
    let kept = store.lifetime();
    assert_eq!(
        (kept.disk_misses, kept.published, kept.disk_hits),
        (1, 1, 5)
    );
    assert_eq!(kept.saved, 5 * Duration::from_micros(500));
    let reasons: Vec<_> = kept.misses.into_iter().collect();
    assert_eq!(reasons, [((Layer::Disk, "absent"), 1)]);
    let bypasses: Vec<_> = kept.bypasses.into_iter().collect();
    assert_eq!(bypasses, [("present", 2)]);
    assert_eq!(store.entries_of(OBJECTS).next().unwrap().uses, 5);
    std::fs::write(place.root().join("v1/stats"), [0xff; 80]).unwrap();
    assert_eq!(store.lifetime().disk_hits, 0);
    load(&store, OBJECTS, &key(1), b"preimage").unwrap();
    drop(store);
    assert_eq!(place.open().0.lifetime().disk_hits, 1);
}

#[test]
fn what_is_shared_between_threads_can_be() {
    fn shareable<T: Send + Sync>() {}
    shareable::<Store>();
    shareable::<StoreConfig>();
    shareable::<FlightGuard>();
    shareable::<Stats>();
    shareable::<ClassCache<Vec<u8>>>();
    shareable::<parloop_cache::object::ObjectCache<u8, Vec<u8>>>();
}

#[test]
fn modes_are_told_by_the_names_of_their_settings() {
    let place = Place::new();
    publish(&place.open().0, OBJECTS, &key(1), b"payload", b"preimage");
    let mut config = place.config();
    config.mode = Mode::ReadOnly;
    let (store, _) = open(config);
    let State::ReadOnly { why } = store.state() else {
        panic!("{:?}", store.state());
    };
    assert_eq!(why.to_string(), "the configured mode is read-only");
}

#[test]
fn row_38_hosts_that_take_turns_each_hit_their_own_and_write_nothing_more() {
    const LOOPS: u64 = 8;
    let place = Place::new();
    // What a host of each kind runs: keys of its own, whose code needs what it has.
    let run = |host: &'static str, first: u64| {
        let (store, recorder) = place.open();
        let mut missed = 0;
        for n in first..first + LOOPS {
            let expect = Expect::Preimage(host.as_bytes());
            let has = |feature: &str| feature == host;
            match store.load(OBJECTS, &key(n), expect, &has) {
                Ok(entry) => assert_eq!(entry.payload(), host.as_bytes()),
                Err(_) => {
                    missed += 1;
                    let mut made = publication(host.as_bytes(), host.as_bytes());
                    made.metadata.features = vec![host.into()];
                    store.publish(OBJECTS, &key(n), made, None);
                    assert!(store.flush(PATIENCE));
                }
            }
        }
        let wrote = |event: &&Event| matches!(event, Event::Publish { .. });
        (missed, recorder.take().iter().filter(wrote).count() as u64)
    };
    for round in 0..5 {
        let fresh = if round == 0 { LOOPS } else { 0 };
        assert_eq!(run("sse2", 0), (fresh, fresh), "{round}");
        assert_eq!(run("avx512f", 100), (fresh, fresh), "{round}");
    }
    // Even of one key, the host that lacks a feature leaves the other's entry where it is.
    for _ in 0..3 {
        let (store, recorder) = place.open();
        let expect = Expect::Preimage(b"avx512f");
        let found = store.load(OBJECTS, &key(100), expect, &|feature| feature == "sse2");
        assert_eq!(found.unwrap_err(), Miss::FeatureMissing);
        publish(&store, OBJECTS, &key(100), b"lower", b"avx512f");
        let wrote = |event: &Event| matches!(event, Event::Publish { .. });
        assert!(!recorder.take().iter().any(wrote));
        assert_eq!(run("avx512f", 100), (0, 0));
    }
}
