//! The object cache: built once per identical arguments, alive exactly as long as these, without cycles.

mod support;

use parloop_cache::object::{Handle, Identity, KeyParts, ObjectCache, ObjectKey};
use parloop_cache::{Event, Observer};
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::time::Duration;
use support::*;

/// A set, as an embedder would make one.
struct Set {
    identity: Identity,
}

#[derive(Clone)]
struct SetHandle(Arc<Set>);

fn set() -> SetHandle {
    SetHandle(Arc::new(Set {
        identity: Identity::new(),
    }))
}

/// A map keeps its sets.
struct Map {
    identity: Identity,
    _from: SetHandle,
}

type MapHandle = Arc<Map>;

fn map(from: &SetHandle) -> MapHandle {
    Arc::new(Map {
        identity: Identity::new(),
        _from: from.clone(),
    })
}

/// A data set: a cached object that is itself a key of others.
struct DataSet {
    identity: Identity,
    dim: u64,
}

#[derive(Clone)]
struct DataSetKey {
    set: SetHandle,
    dim: u64,
}

impl ObjectKey for DataSetKey {
    fn parts<'a>(&'a self, parts: &mut KeyParts<'a>) {
        parts.identity(&self.set.0.identity).word(self.dim);
    }
}

type DataSetHandle = Handle<DataSetKey, DataSet>;

#[derive(Clone)]
struct MapsKey(Vec<MapHandle>);

impl ObjectKey for MapsKey {
    fn parts<'a>(&'a self, parts: &mut KeyParts<'a>) {
        for map in &self.0 {
            parts.identity(&map.identity);
        }
    }
}

#[derive(Clone)]
struct SparsityKey {
    data_set: DataSetHandle,
    map: MapHandle,
}

impl ObjectKey for SparsityKey {
    fn parts<'a>(&'a self, parts: &mut KeyParts<'a>) {
        parts
            .identity(&self.data_set.identity)
            .identity(&self.map.identity);
    }
}

/// Counts how often it was built and how many are alive.
#[derive(Clone, Default)]
struct Count {
    built: Arc<AtomicUsize>,
    alive: Arc<AtomicUsize>,
}

struct Counted(Count);

impl Count {
    fn build(&self) -> Result<(Counted, u64), Infallible> {
        self.built.fetch_add(1, SeqCst);
        self.alive.fetch_add(1, SeqCst);
        Ok((Counted(self.clone()), 10))
    }

    fn now(&self) -> (usize, usize) {
        (self.built.load(SeqCst), self.alive.load(SeqCst))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, SeqCst);
    }
}

fn cache<K, V>() -> ObjectCache<K, V> {
    ObjectCache::new(Arc::new(()))
}

fn data_set(cache: &ObjectCache<DataSetKey, DataSet>, set: &SetHandle, dim: u64) -> DataSetHandle {
    let key = DataSetKey {
        set: set.clone(),
        dim,
    };
    let build = |key: &DataSetKey| {
        Ok::<_, Infallible>((
            DataSet {
                identity: Identity::new(),
                dim: key.dim,
            },
            8,
        ))
    };
    cache.get_or_try_build(key, build).unwrap()
}

#[test]
fn identical_arguments_give_the_same_object_and_others_another() {
    let cache = cache();
    let (a, b) = (set(), set());
    let first = data_set(&cache, &a, 3);
    assert!(Handle::same(&first, &data_set(&cache, &a, 3)));
    assert!(!Handle::same(&first, &data_set(&cache, &a, 4)));
    assert!(!Handle::same(&first, &data_set(&cache, &b, 3)));
    assert_eq!((first.dim, cache.len(), cache.size_bytes()), (3, 3, 24));
    assert!(Arc::ptr_eq(&first.key().set.0, &a.0));
}

#[test]
fn the_order_of_the_objects_in_a_key_matters() {
    let (cache, count, from) = (cache(), Count::default(), set());
    let (m, n) = (map(&from), map(&from));
    let keys = [
        vec![m.clone(), n.clone()],
        vec![n.clone(), m.clone()],
        vec![m.clone()],
        vec![m.clone(), m.clone()],
    ];
    let handles = keys.map(|maps| {
        cache
            .get_or_try_build(MapsKey(maps), |_| count.build())
            .unwrap()
    });
    assert_eq!(count.now(), (4, 4));
    drop((handles, n));
    assert_eq!(
        count.now(),
        (4, 2),
        "what was built on the dropped map is gone"
    );
    drop(m);
    assert_eq!(count.now(), (4, 0));
}

#[test]
fn a_dropped_object_still_hits_while_its_arguments_live() {
    let (cache, count, m) = (cache(), Count::default(), map(&set()));
    for _ in 0..3 {
        drop(
            cache
                .get_or_try_build(MapsKey(vec![m.clone()]), |_| count.build())
                .unwrap(),
        );
    }
    assert_eq!(count.now(), (1, 1));
    drop(m);
    assert_eq!(count.now(), (1, 0));
    assert!(cache.is_empty());
}

#[test]
fn a_handle_keeps_the_object_and_its_arguments() {
    let (cache, count, from) = (cache(), Count::default(), set());
    let weak_set = Arc::downgrade(&from.0);
    let handle = cache
        .get_or_try_build(MapsKey(vec![map(&from)]), |_| count.build())
        .unwrap();
    drop(from);
    assert!(
        weak_set.upgrade().is_some(),
        "the handle keeps the map, the map its set"
    );
    let again = handle.clone();
    drop(handle);
    assert_eq!(count.now(), (1, 1));
    drop(again);
    assert_eq!(count.now(), (1, 0));
    assert!(weak_set.upgrade().is_none(), "a cycle kept the set");
}

#[test]
fn an_object_goes_when_any_one_of_its_arguments_goes() {
    for survivor in 0..3 {
        let (cache, count, from) = (cache(), Count::default(), set());
        let mut maps = vec![map(&from), map(&from), map(&from)];
        drop(
            cache
                .get_or_try_build(MapsKey(maps.clone()), |_| count.build())
                .unwrap(),
        );
        let kept = maps.remove(survivor);
        drop(maps.pop());
        assert_eq!(count.now(), (1, 0), "survivor {survivor}");
        drop((maps, kept));
    }
}

#[test]
fn objects_built_on_cached_objects_live_and_go_with_the_chain() {
    let (data_sets, sparsities, count) = (cache(), cache(), Count::default());
    let s = set();
    let m = map(&s);
    let sparsity = |data_set: DataSetHandle| {
        let key = SparsityKey {
            data_set,
            map: m.clone(),
        };
        sparsities.get_or_try_build(key, |_| count.build()).unwrap()
    };
    drop(sparsity(data_set(&data_sets, &s, 2)));
    drop(sparsity(data_set(&data_sets, &s, 2)));
    assert_eq!(count.now(), (1, 1), "neither was built again");

    let held = sparsity(data_set(&data_sets, &s, 2));
    let weak_set = Arc::downgrade(&s.0);
    drop((s, m));
    assert_eq!(
        (count.now(), data_sets.len()),
        ((1, 1), 1),
        "the handle keeps the whole chain"
    );
    drop(held);
    assert_eq!(
        (count.now(), data_sets.len(), sparsities.len()),
        ((1, 0), 0, 0)
    );
    assert!(weak_set.upgrade().is_none());
}

#[test]
fn many_temporary_maps_on_one_set_leave_memory_flat() {
    let (plans, count, from) = (cache(), Count::default(), set());
    let data_sets = cache();
    let kept = data_set(&data_sets, &from, 1);
    let sparsities = cache();
    for _ in 0..20_000 {
        let m = map(&from);
        plans
            .get_or_try_build(MapsKey(vec![m.clone()]), |_| count.build())
            .unwrap();
        let key = SparsityKey {
            data_set: kept.clone(),
            map: m,
        };
        sparsities.get_or_try_build(key, |_| count.build()).unwrap();
        assert!(plans.len() + sparsities.len() <= 2);
    }
    assert_eq!(count.now(), (40_000, 0));
    assert_eq!((plans.size_bytes(), sparsities.size_bytes()), (0, 0));
}

#[test]
fn of_32_threads_that_ask_for_one_object_one_builds_it() {
    let cache: Arc<ObjectCache<MapsKey, Counted>> = Arc::new(cache());
    let (count, start, m) = (Count::default(), Arc::new(Barrier::new(32)), map(&set()));
    let threads: Vec<_> = (0..32)
        .map(|_| {
            let (cache, count, start, m) = (cache.clone(), count.clone(), start.clone(), m.clone());
            std::thread::spawn(move || {
                start.wait();
                let build = |_: &MapsKey| {
                    std::thread::sleep(Duration::from_millis(10));
                    count.build()
                };
                cache.get_or_try_build(MapsKey(vec![m]), build).unwrap()
            })
        })
        .collect();
    let handles: Vec<_> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    assert!(
        handles
            .windows(2)
            .all(|pair| Handle::same(&pair[0], &pair[1]))
    );
    assert_eq!(count.now(), (1, 1));
}

#[test]
fn a_build_that_fails_or_panics_is_tried_again_by_the_next() {
    let (cache, count, m) = (cache(), Count::default(), map(&set()));
    let key = || MapsKey(vec![m.clone()]);
    assert!(matches!(
        cache.get_or_try_build(key(), |_| Err("no")),
        Err("no")
    ));
    let panics =
        || cache.get_or_try_build::<Infallible>(key(), |_| panic!("expected by this test"));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
    assert_eq!(cache.len(), 0);
    cache.get_or_try_build(key(), |_| count.build()).unwrap();
    assert_eq!(count.now(), (1, 1));
}

#[test]
#[should_panic(expected = "asked for by the closure that builds it")]
fn a_build_that_asks_for_itself_panics_instead_of_waiting_for_ever() {
    let (cache, count, m) = (cache(), Count::default(), map(&set()));
    let key = MapsKey(vec![m]);
    let _ = cache.get_or_try_build(key.clone(), |_| {
        let _inner = cache.get_or_try_build(key.clone(), |_| count.build());
        count.build()
    });
}

#[test]
fn a_build_may_ask_for_other_objects_on_the_same_arguments() {
    let (data_sets, sparsities, s) = (cache(), cache(), set());
    let m = map(&s);
    let outer = sparsities.get_or_try_build(MapsKey(vec![m.clone()]), |_| {
        let inner = data_set(&data_sets, &s, 5);
        Ok::<_, Infallible>((inner.dim, 1))
    });
    assert_eq!(*outer.unwrap(), 5);
}

#[test]
fn objects_dropped_by_many_threads_at_once_all_go() {
    let cache: Arc<ObjectCache<MapsKey, Counted>> = Arc::new(cache());
    let (count, from) = (Count::default(), set());
    for _ in 0..200 {
        let maps: Vec<_> = (0..4).map(|_| map(&from)).collect();
        for rotation in 0..4 {
            let mut key = maps.clone();
            key.rotate_left(rotation);
            cache
                .get_or_try_build(MapsKey(key), |_| count.build())
                .unwrap();
        }
        let start = Arc::new(Barrier::new(4));
        let threads: Vec<_> = maps
            .into_iter()
            .map(|m| {
                let start = start.clone();
                std::thread::spawn(move || {
                    start.wait();
                    drop(m);
                })
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    }
    assert_eq!(count.now(), (800, 0));
}

#[test]
fn every_build_and_every_hit_is_an_event() {
    let recorder = Arc::new(Recorder::default());
    let cache = ObjectCache::new(recorder.clone() as Arc<dyn Observer>);
    let (count, m) = (Count::default(), map(&set()));
    for _ in 0..2 {
        cache
            .get_or_try_build(MapsKey(vec![m.clone()]), |_| count.build())
            .unwrap();
    }
    let events = recorder.take();
    assert!(
        matches!(
            events[..],
            [Event::ObjectBuilt { bytes: 10, .. }, Event::ObjectHit]
        ),
        "{events:?}"
    );
}

#[test]
fn holders_are_told_by_name_with_what_hangs_on_them_the_largest_first() {
    let named = |name: &str| {
        SetHandle(Arc::new(Set {
            identity: Identity::named(name),
        }))
    };
    let (cells, edges, unnamed) = (named("cells"), named("edges"), set());
    let cache: ObjectCache<DataSetKey, u64> = ObjectCache::new(Arc::new(()));
    let build = |set: &SetHandle, dim: u64| {
        let set = set.clone();
        let build = |key: &DataSetKey| Ok::<_, Infallible>((key.dim, 10 * key.dim));
        cache
            .get_or_try_build(DataSetKey { set, dim }, build)
            .unwrap()
    };
    let told = || {
        let holders = cache.holders().into_iter();
        let each = holders.map(|held| {
            let name = held.name.as_deref().unwrap_or("-").to_owned();
            format!("{name} {} {}", held.objects, held.bytes)
        });
        each.collect::<Vec<_>>()
    };
    assert_eq!(told(), [""; 0]);
    for (set, dim) in [(&cells, 1), (&edges, 2), (&edges, 3), (&unnamed, 4)] {
        build(set, dim);
        // Found again it counts once.
        build(set, dim);
    }
    assert_eq!(told(), ["edges 2 50", "- 1 40", "cells 1 10"]);
    let kept = build(&edges, 3);
    drop(edges);
    assert_eq!(told()[0], "edges 2 50", "a handle keeps it");
    drop(kept);
    assert_eq!(told(), ["- 1 40", "cells 1 10"]);
    drop((cells, unnamed));
    assert_eq!((told().len(), cache.size_bytes()), (0, 0));
}
