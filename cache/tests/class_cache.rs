//! The class cache: bounds, single flight, failures, and values that outlive their eviction.

mod support;

use parloop_cache::{ClassCache, ClassLimits, Event, Key, Layer};
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::time::Duration;
use support::*;

fn limits(size_bytes_max: u64, entries_max: u64) -> ClassLimits {
    let mut limits = ClassLimits::default();
    limits.size_bytes_max = size_bytes_max;
    limits.entries_max = entries_max;
    limits
}

fn cache<V>(limits: ClassLimits) -> (Arc<ClassCache<V>>, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    (
        Arc::new(ClassCache::new(limits, recorder.clone())),
        recorder,
    )
}

fn memory_hit(key: Key) -> Event {
    Event::Hit {
        saved: Duration::ZERO,
        layer: Layer::Memory,
        key,
    }
}

fn memory_miss(key: Key) -> Event {
    Event::Miss {
        layer: Layer::Memory,
        key,
        reason: "absent",
    }
}

#[test]
fn a_value_is_made_once_and_then_hit() {
    let (cache, recorder) = cache::<u64>(ClassLimits::default());
    let first = cache
        .get_or_try_init(&key(1), || Ok::<_, Infallible>((7, 100)))
        .unwrap();
    let second = cache
        .get_or_try_init(&key(1), || Err("made twice"))
        .unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(recorder.take(), [memory_miss(key(1)), memory_hit(key(1))]);
    assert_eq!((cache.len(), cache.size_bytes()), (1, 100));
}

#[test]
fn row_33_of_32_threads_that_ask_for_one_key_one_makes_the_value() {
    let (cache, _) = cache::<u64>(ClassLimits::default());
    let (made, start) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(32)));
    let threads: Vec<_> = (0..32)
        .map(|_| {
            let (cache, made, start) = (cache.clone(), made.clone(), start.clone());
            std::thread::spawn(move || {
                start.wait();
                let make = || {
                    made.fetch_add(1, SeqCst);
                    std::thread::sleep(Duration::from_millis(20));
                    Ok::<_, Infallible>((42, 1))
                };
                *cache.get_or_try_init(&key(1), make).unwrap()
            })
        })
        .collect();
    assert!(
        threads
            .into_iter()
            .all(|thread| thread.join().unwrap() == 42)
    );
    assert_eq!(made.load(SeqCst), 1);
}

#[test]
fn row_34_when_making_fails_or_panics_another_waiter_makes_the_value() {
    let (cache, _) = cache::<u64>(ClassLimits::default());
    let (tries, start) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(8)));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (cache, tries, start) = (cache.clone(), tries.clone(), start.clone());
            std::thread::spawn(move || {
                start.wait();
                let make = || {
                    std::thread::sleep(Duration::from_millis(5));
                    match tries.fetch_add(1, SeqCst) {
                        0 => Err("refused"),
                        1 => panic!("a panic while making a value (expected by this test)"),
                        _ => Ok((42, 1)),
                    }
                };
                cache.get_or_try_init(&key(1), make).map(|value| *value)
            })
        })
        .collect();
    let ends: Vec<_> = threads
        .into_iter()
        .map(|thread| thread.join().ok())
        .collect();
    assert_eq!(
        ends.iter().filter(|end| end.is_none()).count(),
        1,
        "one panicked"
    );
    assert_eq!(
        ends.iter()
            .filter(|end| **end == Some(Err("refused")))
            .count(),
        1
    );
    assert_eq!(ends.iter().filter(|end| **end == Some(Ok(42))).count(), 6);
    assert_eq!(tries.load(SeqCst), 3);
}

#[test]
fn row_34_a_failure_is_not_kept() {
    let (cache, _) = cache::<u64>(ClassLimits::default());
    assert_eq!(cache.get_or_try_init(&key(1), || Err("no")), Err("no"));
    assert!(cache.is_empty());
    assert_eq!(
        cache
            .get_or_try_init(&key(1), || Ok::<_, &str>((1, 1)))
            .as_deref(),
        Ok(&1)
    );
}

#[test]
fn a_value_that_asks_for_itself_while_it_is_made_does_not_wait_for_itself() {
    let (cache, _) = cache::<u64>(ClassLimits::default());
    let outer = cache.get_or_try_init(&key(1), || {
        let inner = cache.get_or_try_init(&key(1), || Ok::<_, Infallible>((1, 1)))?;
        Ok::<_, Infallible>((*inner + 1, 1))
    });
    assert_eq!(outer.as_deref(), Ok(&2));
    assert_eq!(cache.get(&key(1)).as_deref(), Some(&2));
}

#[test]
fn threads_that_wait_for_each_other_give_up_waiting() {
    let mut short = ClassLimits::default();
    short.wait_max = Duration::from_millis(50);
    let (cache, _) = cache::<u64>(short);
    let both = Arc::new(Barrier::new(2));
    let ask = |mine: u64, other: u64| {
        let (cache, both) = (cache.clone(), both.clone());
        std::thread::spawn(move || {
            let make = || {
                both.wait();
                let inner =
                    cache.get_or_try_init(&key(other), || Ok::<_, Infallible>((other, 1)))?;
                Ok::<_, Infallible>((mine * 10 + *inner, 1))
            };
            *cache.get_or_try_init(&key(mine), make).unwrap()
        })
    };
    let (one, two) = (ask(1, 2), ask(2, 1));
    let (one, two) = (one.join().unwrap(), two.join().unwrap());
    assert!(one == 12 || two == 21, "neither gave up: {one} {two}");
}

#[test]
fn the_bounds_on_bytes_and_entries_are_never_exceeded() {
    for (bytes_max, entries_max) in [
        (1000, 1 << 16),
        (1 << 20, 1),
        (1 << 20, 3),
        (1 << 20, 16),
        (1 << 20, 17),
        (1 << 20, 32),
        (1 << 20, 33),
        (64 << 20, 100),
    ] {
        let (cache, recorder) = cache::<u64>(limits(bytes_max, entries_max));
        for n in 0..500 {
            cache.insert(key(n), Arc::new(n), 10);
            assert!(
                cache.len() as u64 <= entries_max,
                "{} values of {entries_max}",
                cache.len()
            );
            assert!(cache.size_bytes() <= bytes_max);
        }
        assert!(
            cache.len() as u64 >= entries_max.min(bytes_max / 10) * 6 / 10,
            "only {} kept",
            cache.len()
        );
        let evicted = recorder
            .take()
            .iter()
            .filter(|e| matches!(e, Event::Evict { bytes: 10, .. }))
            .count();
        assert_eq!(evicted + cache.len(), 500);
    }
}

#[test]
fn row_35_a_value_stays_valid_after_it_was_evicted() {
    let (cache, _) = cache::<Vec<u8>>(limits(100, 100));
    let held = cache
        .get_or_try_init(&key(0), || Ok::<_, Infallible>((vec![7; 50], 50)))
        .unwrap();
    for n in 1..100 {
        cache.insert(key(n), Arc::new(vec![0; 90]), 90);
    }
    assert!(cache.get(&key(0)).is_none());
    assert_eq!(*held, vec![7; 50]);
}

#[test]
fn row_36_a_value_that_can_not_fit_is_returned_and_bypassed_with_a_reason() {
    for limits in [limits(0, 10), limits(100, 0), limits(99, 10)] {
        let (cache, recorder) = cache::<u64>(limits);
        for _ in 0..3 {
            let value = cache.get_or_try_init(&key(1), || Ok::<_, Infallible>((5, 100)));
            assert_eq!(value.as_deref(), Ok(&5));
        }
        assert!(cache.is_empty());
        let bypass = Event::Bypass {
            layer: Layer::Memory,
            key: key(1),
            reason: "over_limit",
        };
        let expected = [memory_miss(key(1)), bypass];
        assert_eq!(
            recorder.take(),
            [&expected[..], &expected, &expected].concat()
        );
    }
}

#[test]
fn a_bypassed_value_is_shared_by_those_who_waited_for_it() {
    let (cache, _) = cache::<u64>(limits(10, 10));
    let (made, start) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(8)));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (cache, made, start) = (cache.clone(), made.clone(), start.clone());
            std::thread::spawn(move || {
                start.wait();
                let make = || {
                    made.fetch_add(1, SeqCst);
                    std::thread::sleep(Duration::from_millis(100));
                    Ok::<_, Infallible>((1, 100))
                };
                *cache.get_or_try_init(&key(1), make).unwrap()
            })
        })
        .collect();
    assert!(
        threads
            .into_iter()
            .all(|thread| thread.join().unwrap() == 1)
    );
    assert!(made.load(SeqCst) < 8, "nobody shared");
}

#[test]
fn removing_and_clearing_forget() {
    let (cache, _) = cache::<u64>(ClassLimits::default());
    for n in 0..3 {
        cache.insert(key(n), Arc::new(n), 1);
    }
    cache.remove(&key(0));
    assert!(cache.get(&key(0)).is_none() && cache.get(&key(1)).is_some());
    cache.clear();
    assert!(cache.is_empty());
}
