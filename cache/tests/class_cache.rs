//! The class cache: bounds, single flight, failures, and values that outlive their eviction.

mod support;

use parloop_cache::{ClassCache, ClassLimits, Cost, Event, Key, Layer};
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

/// A value of so many bytes, which takes a moment to make.
fn cost(bytes: u64) -> Cost {
    let time = Duration::from_micros(500);
    Cost { bytes, time }
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
        duration: Duration::ZERO,
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
        .get_or_try_init(&key(1), || Ok::<_, Infallible>((7, cost(100))))
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
                    Ok::<_, Infallible>((42, cost(1)))
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
                        _ => Ok((42, cost(1))),
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
            .get_or_try_init(&key(1), || Ok::<_, &str>((1, cost(1))))
            .as_deref(),
        Ok(&1)
    );
}

#[test]
fn a_value_that_asks_for_itself_while_it_is_made_does_not_wait_for_itself() {
    let (cache, _) = cache::<u64>(ClassLimits::default());
    let outer = cache.get_or_try_init(&key(1), || {
        let inner = cache.get_or_try_init(&key(1), || Ok::<_, Infallible>((1, cost(1))))?;
        Ok::<_, Infallible>((*inner + 1, cost(1)))
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
                    cache.get_or_try_init(&key(other), || Ok::<_, Infallible>((other, cost(1))))?;
                Ok::<_, Infallible>((mine * 10 + *inner, cost(1)))
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
            cache.insert(key(n), Arc::new(n), cost(10));
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
        .get_or_try_init(&key(0), || Ok::<_, Infallible>((vec![7; 50], cost(50))))
        .unwrap();
    for n in 1..100 {
        cache.insert(key(n), Arc::new(vec![0; 90]), cost(90));
    }
    assert!(cache.get(&key(0)).is_none());
    assert_eq!(*held, vec![7; 50]);
}

#[test]
fn row_36_a_value_that_can_not_fit_is_returned_and_bypassed_with_a_reason() {
    for limits in [limits(0, 10), limits(100, 0), limits(99, 10)] {
        let (cache, recorder) = cache::<u64>(limits);
        for _ in 0..3 {
            let value = cache.get_or_try_init(&key(1), || Ok::<_, Infallible>((5, cost(100))));
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
                    Ok::<_, Infallible>((1, cost(100)))
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
        cache.insert(key(n), Arc::new(n), cost(1));
    }
    cache.remove(&key(0));
    assert!(cache.get(&key(0)).is_none() && cache.get(&key(1)).is_some());
    cache.clear();
    assert!(cache.is_empty());
}

#[test]
fn row_32_in_another_process_a_cache_is_empty_and_whoever_asks_makes_for_himself() {
    static PROCESS: AtomicUsize = AtomicUsize::new(0);
    let process = || PROCESS.load(SeqCst) as u64;
    let cache = ClassCache::<u64>::with_process(ClassLimits::default(), Arc::new(()), process);
    cache.insert(key(1), Arc::new(7), cost(1));
    assert_eq!(cache.get(&key(1)).as_deref(), Some(&7));
    PROCESS.fetch_add(1, SeqCst);
    assert_eq!((cache.len(), cache.size_bytes()), (0, 0));
    assert!(cache.get(&key(1)).is_none());
    for n in [8, 9] {
        let made = cache.get_or_try_init(&key(1), || Ok::<_, Infallible>((n, cost(1))));
        assert_eq!(made.as_deref(), Ok(&n));
    }
    PROCESS.fetch_sub(1, SeqCst);
    assert_eq!(cache.get(&key(1)).as_deref(), Some(&7));
}

/// How many of the values were made of those that were asked for in turn, so many times.
fn made_in_turn(
    cache: &ClassCache<u64>,
    values: u64,
    turns: u64,
    cost_of: impl Fn(u64) -> Cost,
) -> u64 {
    let mut made = 0;
    for n in (0..turns).flat_map(|_| 0..values) {
        let value = cache.get_or_try_init(&key(n), || {
            made += 1;
            Ok::<_, Infallible>((n, cost_of(n)))
        });
        assert_eq!(value.as_deref(), Ok(&n));
    }
    made
}

#[test]
fn row_36_more_values_than_fit_asked_for_in_turn_do_not_chase_each_other_out() {
    const TURNS: u64 = 60;
    for (limits, fit) in [
        (limits(1 << 20, 1), 1),
        (limits(1 << 20, 4), 4),
        (limits(800, 1000), 8),
        (limits(1 << 20, 100), 100),
    ] {
        let (cache, recorder) = cache::<u64>(limits);
        let made = made_in_turn(&cache, 2 * fit, TURNS, |_| cost(100));
        // Those that fit are made once or twice, the others each time they are asked for.
        assert!(made <= fit * TURNS + 3 * fit, "{fit}: {made}");
        let events = recorder.take();
        let evicted = events
            .iter()
            .filter(|e| matches!(e, Event::Evict { .. }))
            .count() as u64;
        assert!(evicted <= 3 * fit, "{fit}: {evicted} evictions");
        let left_out = |e: &&Event| {
            matches!(
                e,
                Event::Bypass {
                    reason: "not_worth",
                    ..
                }
            )
        };
        assert!(
            events.iter().filter(left_out).count() as u64 >= fit * (TURNS - 4),
            "{fit}"
        );
    }
}

#[test]
fn what_took_long_to_make_is_small_or_is_asked_for_often_outlives_the_rest() {
    let cost = |bytes, us| Cost {
        bytes,
        time: Duration::from_micros(us),
    };
    let (cache, _) = cache::<u64>(limits(100_000, 1 << 16));
    // Slow to make, small, and asked for often; then a hundred of no merit.
    cache.insert(key(1000), Arc::new(0), cost(1000, 50_000));
    cache.insert(key(1001), Arc::new(0), cost(10, 500));
    cache.insert(key(1002), Arc::new(0), cost(1000, 500));
    for n in 0..200 {
        let _ = cache.get(&key(1002));
        cache.insert(key(n), Arc::new(n), cost(1000, 500));
    }
    let kept = |n| cache.get(&key(n)).is_some();
    assert_eq!([1000, 1001, 1002].map(kept), [true; 3]);
    assert!(cache.size_bytes() <= 100_000 && cache.size_bytes() > 90_000);
}

#[test]
fn what_is_asked_for_no_more_makes_way_for_what_is() {
    for fit in [1, 4, 50] {
        let (cache, _) = cache::<u64>(limits(1 << 20, fit));
        made_in_turn(&cache, fit, 500, |_| cost(100));
        // Others, from now on.
        let mut turns = 0;
        let others = || {
            (fit..2 * fit)
                .filter(|n| cache.get(&key(*n)).is_some())
                .count() as u64
        };
        while others() < fit {
            for n in fit..2 * fit {
                let value = cache.get_or_try_init(&key(n), || Ok::<_, Infallible>((n, cost(100))));
                assert_eq!(value.as_deref(), Ok(&n));
            }
            turns += 1;
            assert!(turns < 60, "{fit}: {} of them are kept", others());
        }
    }
}

#[test]
fn among_many_values_what_is_new_is_let_in_though_counters_are_shared() {
    let (cache, recorder) = cache::<u64>(limits(1 << 40, 10_000));
    made_in_turn(&cache, 10_000, 6, |_| cost(100));
    recorder.take();
    for n in 10_000..11_000 {
        let made = cache.get_or_try_init(&key(n), || Ok::<_, Infallible>((n, cost(100))));
        assert_eq!(made.as_deref(), Ok(&n));
    }
    let left_out = |e: &&Event| matches!(e, Event::Bypass { .. });
    assert_eq!(recorder.take().iter().filter(left_out).count(), 0);
}

#[test]
fn a_value_that_is_removed_while_it_is_made_is_not_kept() {
    let (cache, _) = cache::<u64>(ClassLimits::default());
    let value = cache.get_or_try_init(&key(1), || {
        cache.remove(&key(1));
        Ok::<_, Infallible>((5, cost(1)))
    });
    assert_eq!((value.as_deref(), cache.len()), (Ok(&5), 0));
}

#[test]
fn a_value_that_is_not_worth_its_room_leaves_what_was_there() {
    let (cache, recorder) = cache::<u64>(limits(100, 10));
    let dear = Cost {
        bytes: 50,
        time: Duration::from_secs(1),
    };
    cache.insert(key(1), Arc::new(1), cost(50));
    cache.insert(key(2), Arc::new(2), dear);
    for _ in 0..3 {
        cache.get(&key(1)).unwrap();
    }
    recorder.take();
    for (bytes, reason) in [(100, "not_worth"), (1000, "over_limit")] {
        cache.insert(key(1), Arc::new(10), cost(bytes));
        let bypass = Event::Bypass {
            layer: Layer::Memory,
            key: key(1),
            reason,
        };
        assert_eq!(recorder.take(), [bypass]);
        assert_eq!((cache.len(), cache.size_bytes()), (2, 100));
        assert_eq!(cache.get(&key(1)).as_deref(), Some(&1));
        recorder.take();
    }
    cache.insert(key(1), Arc::new(11), cost(10));
    assert_eq!(cache.get(&key(1)).as_deref(), Some(&11));
    assert_eq!((cache.len(), cache.size_bytes()), (2, 60));
}

#[test]
fn among_many_values_one_of_as_much_worth_stays_out_and_one_of_more_comes_in() {
    const FIT: u64 = 1000;
    let (cache, recorder) = cache::<u64>(limits(1 << 30, FIT));
    for n in 0..FIT {
        for _ in 0..2 {
            cache.get(&key(n));
        }
        cache.insert(key(n), Arc::new(n), cost(10));
    }
    let ask = |n: u64, cost: Cost| {
        cache.get(&key(n));
        cache.get(&key(n));
        recorder.take();
        cache.insert(key(n), Arc::new(n), cost);
        recorder.take()
    };
    for n in FIT..FIT + 50 {
        let told = ask(n, cost(10));
        assert!(
            matches!(
                told[..],
                [Event::Bypass {
                    reason: "not_worth",
                    ..
                }]
            ),
            "{told:?}"
        );
    }
    assert_eq!(cache.len() as u64, FIT);
    let time = Duration::from_secs(1);
    let told = ask(2 * FIT, Cost { bytes: 10, time });
    // A sixteenth goes at once.
    assert_eq!(told.len() as u64, FIT / 16 + 1);
    assert!(cache.get(&key(2 * FIT)).is_some());
}
