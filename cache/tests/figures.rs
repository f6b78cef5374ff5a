//! Figures, not assertions: `cargo test --release -p parloop-cache --test figures -- --ignored --nocapture`.
//!
//! Question: what do a hit and a publication cost the caller? Baseline: reading the same file with `std::fs::read`.
#![allow(clippy::print_stdout, reason = "a measurement prints its result")]

mod support;

use parloop_cache::{ClassCache, ClassLimits, Cost, Stats, Store, StoreConfig};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::*;

/// Median and 99th percentile of `runs` runs, in nanoseconds.
fn measure(runs: usize, mut run: impl FnMut(usize)) -> (u128, u128) {
    let mut times: Vec<u128> = (0..runs)
        .map(|i| {
            let start = Instant::now();
            run(i);
            start.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    (times[runs / 2], times[runs * 99 / 100])
}

fn report(what: &str, (median, p99): (u128, u128)) {
    println!(
        "{what}: median {:.2} us, p99 {:.2} us",
        median as f64 / 1e3,
        p99 as f64 / 1e3
    );
}

#[test]
#[ignore = "a measurement"]
fn a_hit_and_a_publication() {
    let place = Place::new();
    let stats = Arc::new(Stats::default());
    let store = Store::open(StoreConfig::at(place.root()), stats);
    for kib in [4, 16, 64] {
        let k = key(kib);
        let (payload, preimage) = (vec![7; kib as usize * 1024], vec![3; 2000]);
        publish(&store, OBJECTS, &k, &payload, &preimage);
        report(
            &format!("hit, {kib} KiB"),
            measure(20_000, |_| {
                drop(load(&store, OBJECTS, &k, &preimage).unwrap())
            }),
        );
        let path = place.entry_path(OBJECTS, &k);
        report(
            &format!("std::fs::read, {kib} KiB"),
            measure(20_000, |_| drop(std::fs::read(&path).unwrap())),
        );
    }
    report(
        "miss, absent",
        measure(20_000, |_| {
            assert!(load(&store, OBJECTS, &key(99), b"x").is_err())
        }),
    );
    let publications: Vec<_> = (0..2000u32)
        .map(|n| publication(&vec![1; 16 * 1024], &n.to_le_bytes()))
        .collect();
    let mut publications = publications.into_iter();
    report(
        "publish, 16 KiB, caller",
        measure(2000, |n| {
            store.publish(
                OBJECTS,
                &key(1000 + n as u64),
                publications.next().unwrap(),
                None,
            );
        }),
    );
    let start = Instant::now();
    store.flush(PATIENCE);
    println!("flush of 2000 publications: {:?}", start.elapsed());
    let open = measure(200, |_| {
        drop(Store::open(StoreConfig::at(place.root()), Arc::new(())))
    });
    report("opening and dropping a store", open);
    report(
        "lock and unlock",
        measure(2000, |n| drop(store.lock(&key(n as u64)))),
    );
}

#[test]
#[ignore = "a measurement"]
fn a_hit_in_memory() {
    let stats = Arc::new(Stats::default());
    let cache = ClassCache::new(ClassLimits::default(), stats);
    for n in 0..1000 {
        let time = Duration::from_micros(500);
        cache.insert(key(n), Arc::new(n), Cost { bytes: 1000, time });
    }
    let keys: Vec<_> = (0..1000).map(key).collect();
    let (median, p99) = measure(5000, |_| {
        for key in &keys {
            std::hint::black_box(cache.get(key));
        }
    });
    // Each run is a thousand hits.
    let (median, p99) = (median as f64 / 1e3, p99 as f64 / 1e3);
    println!("hit in memory: median {median:.1} ns, p99 {p99:.1} ns");
}

#[test]
#[ignore = "a measurement, with 100 000 files"]
fn a_hit_among_100_000_entries() {
    let sizes = [100, 100_000];
    let places = [Place::new(), Place::new()];
    let open = |place: &Place| Store::open(StoreConfig::at(place.root()), Arc::new(()));
    let stores = places.each_ref().map(open);
    for (store, entries) in stores.iter().zip(sizes) {
        for n in 0..entries {
            store.publish(OBJECTS, &key(n), publication(&[7; 4096], b"preimage"), None);
            if n % 1000 == 0 {
                store.flush(PATIENCE);
            }
        }
        store.flush(PATIENCE);
    }
    // In turn, so that what else the machine does is the same for both.
    let mut times = [Vec::new(), Vec::new()];
    let mut n = 0;
    for _ in 0..40_000 {
        n += 7919;
        for ((store, entries), times) in stores.iter().zip(sizes).zip(&mut times) {
            let start = Instant::now();
            drop(load(store, OBJECTS, &key(n % entries), b"preimage").unwrap());
            times.push(start.elapsed().as_nanos());
        }
    }
    let medians = sizes.iter().zip(&mut times).map(|(entries, times)| {
        times.sort_unstable();
        let at = |part: usize| times[(times.len() - 1) * part / 100];
        report(&format!("hit of 4 KiB among {entries}"), (at(50), at(99)));
        at(50) as f64
    });
    let medians: Vec<f64> = medians.collect();
    println!("ratio of the medians: {:.2}", medians[1] / medians[0]);
    let [_, place] = &places;
    let [_, store] = &stores;
    println!("{:?}", store.usage());
    while_collecting(place, store);
}

/// Hits while another store on the directory evicts nine in ten.
fn while_collecting(place: &Place, store: &Store) {
    let mut config = StoreConfig::at(place.root());
    config.entries_max = 10_000;
    let collector = Store::open(config, Arc::new(()));
    let (mut hits, mut misses, mut n) = (Vec::new(), 0, 0);
    std::thread::scope(|scope| {
        let start = Instant::now();
        let collecting = scope.spawn(move || (collector.collect().unwrap(), start.elapsed()));
        while !collecting.is_finished() {
            n = (n + 7919) % 100_000;
            let start = Instant::now();
            match load(store, OBJECTS, &key(n), b"preimage") {
                Ok(_) => hits.push(start.elapsed().as_nanos()),
                Err(miss) => {
                    assert_eq!(miss.code(), "absent");
                    misses += 1;
                }
            }
        }
        let (collected, time) = collecting.join().unwrap();
        println!("collected in {time:?}: {collected:?}");
    });
    hits.sort_unstable();
    let at = |part: usize| hits[(hits.len() - 1) * part / 100];
    report("hit of 4 KiB while collecting", (at(50), at(99)));
    println!("{} hits, {misses} of what was evicted", hits.len());
    assert!(store.usage().entries() <= 10_000);
}
