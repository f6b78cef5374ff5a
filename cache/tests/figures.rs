//! Figures, not assertions: `cargo test --release -p parloop-cache --test figures -- --ignored --nocapture`.
//!
//! Question: what do a hit and a publication cost the caller? Baseline: reading the same file with `std::fs::read`.
#![allow(clippy::print_stdout, reason = "a measurement prints its result")]

mod support;

use parloop_cache::{ClassCache, ClassLimits, Stats, Store, StoreConfig};
use std::sync::Arc;
use std::time::Instant;
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
        cache.insert(key(n), Arc::new(n), 1000);
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
    let place = Place::new();
    let store = Store::open(StoreConfig::at(place.root()), Arc::new(()));
    let mut published = 0;
    for entries in [100, 100_000] {
        for n in published..entries {
            store.publish(OBJECTS, &key(n), publication(&[7; 4096], b"preimage"), None);
            if n % 1000 == 0 {
                store.flush(PATIENCE);
            }
        }
        store.flush(PATIENCE);
        published = entries;
        let mut n = 0;
        let times = measure(20_000, |_| {
            n = (n + 7919) % entries;
            drop(load(&store, OBJECTS, &key(n), b"preimage").unwrap());
        });
        report(&format!("hit of 4 KiB among {entries}"), times);
    }
    println!("{:?}", store.usage());
}
