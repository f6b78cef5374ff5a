//! The class cache: values by key, in memory, bounded, for every mesh alike.
//!
//! Invariants: the bounds on bytes and entries are never exceeded; evicting a value never invalidates an `Arc` that
//! somebody holds; of the threads that ask for one missing key, one makes the value while the others wait for it.
//! A hit takes no lock that a maker holds, hashes nothing (keys are digests) and allocates nothing. A forked child keeps and finds
//! nothing: it does not have the threads that hold a lock or make a value.

use crate::event::{Event, Layer, Observer};
use crate::key::Key;
use quick_cache::sync::{Cache, GuardResult};
use quick_cache::{Lifecycle, OptionsBuilder, Weighter};
use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::Duration;

/// Bytes below which another shard is not worth having: a value must fit in one shard.
const SHARD_BYTES_MIN: u64 = 8 << 20;
const SHARDS_MAX: u64 = 16;
/// Up to this bound on entries a value's share of the whole would be more than may be admitted, so it is charged a
/// share of what may be; below 24 that can not let one more in, as n / 0.96 < n + 1.
const ENTRIES_FEW: u64 = 16;

/// Bounds of a [`ClassCache`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassLimits {
    /// Bound on the sum of the weights, in bytes. Default 256 MiB. Zero keeps nothing.
    pub size_bytes_max: u64,
    /// Bound on the number of values. Default 65 536. Zero keeps nothing.
    pub entries_max: u64,
    /// How long one thread waits for another that makes the same value, before it makes its own. Default 60 s.
    pub wait_max: Duration,
}

impl Default for ClassLimits {
    fn default() -> Self {
        Self {
            size_bytes_max: 256 << 20,
            entries_max: 1 << 16,
            wait_max: Duration::from_secs(60),
        }
    }
}

/// A bounded in-memory cache of values by [`Key`].
///
/// Values are shared as `Arc<V>`: what a caller holds stays valid, evicted or not.
///
/// In a child forked after the cache was made it is empty and stays so: values that were handed out before stay valid, others are
/// made for each caller.
pub struct ClassCache<V> {
    /// Leaked by a child, where it may be half changed.
    cache: Option<Kept<V>>,
    /// Who made it.
    pid: u32,
    observer: Arc<dyn Observer>,
    /// The least that a value is charged, so that the bound on bytes bounds the entries too.
    charge_min: u64,
    charge_max: u64,
    wait_max: Duration,
}

type Kept<V> = Cache<Key, Slot<V>, Charge, KeyState, Evictions>;

struct Slot<V> {
    value: Arc<V>,
    /// The weight the caller gave, in bytes.
    weight: u64,
    /// What the value counts for against the bound; `u64::MAX` if it fits nowhere.
    charge: u64,
}

impl<V> Clone for Slot<V> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            weight: self.weight,
            charge: self.charge,
        }
    }
}

impl<V> std::fmt::Debug for ClassCache<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClassCache")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl<V> ClassCache<V> {
    /// An empty cache.
    pub fn new(limits: ClassLimits, observer: Arc<dyn Observer>) -> Self {
        let capacity = limits.size_bytes_max;
        let shards = (capacity / SHARD_BYTES_MIN)
            .clamp(1, SHARDS_MAX)
            .next_power_of_two();
        let options = OptionsBuilder::new()
            .shards(usize::try_from(shards).unwrap_or(1))
            .estimated_items_capacity(
                usize::try_from(limits.entries_max)
                    .unwrap_or(usize::MAX)
                    .min(1 << 20),
            )
            .weight_capacity(capacity)
            .hot_allocation(0.97)
            .build();
        let cache = match options {
            Ok(options) => Cache::with_options(
                options,
                Charge,
                KeyState,
                Evictions {
                    observer: Arc::clone(&observer),
                },
            ),
            // Every mandatory option is set above, so `build` has nothing to refuse.
            Err(_) => Cache::with(
                1,
                capacity,
                Charge,
                KeyState,
                Evictions {
                    observer: Arc::clone(&observer),
                },
            ),
        };
        let charge_max = (cache.shard_capacity() as f64 * 0.96) as u64;
        let charge_min = match limits.entries_max {
            0 => u64::MAX,
            // One value alone must stay below the share that the cache gives to admitted values.
            n @ 1..=ENTRIES_FEW => charge_max / n,
            n => capacity.div_ceil(n),
        };
        Self {
            cache: Some(cache),
            pid: std::process::id(),
            observer,
            charge_min,
            charge_max,
            wait_max: limits.wait_max,
        }
    }

    /// What is kept; `None` in a child.
    fn kept(&self) -> Option<&Kept<V>> {
        let cache = self.cache.as_ref();
        cache.filter(|_| self.pid == std::process::id())
    }

    /// The value kept under `key`, if any. Sends a `Hit`, or a `Miss` with reason `absent`.
    pub fn get(&self, key: &Key) -> Option<Arc<V>> {
        let found = self.kept().and_then(|kept| kept.get(key));
        let found = found.map(|slot| slot.value);
        self.observer.event(&match found {
            Some(_) => Event::Hit {
                layer: Layer::Memory,
                key: *key,
                saved: Duration::ZERO,
            },
            None => Event::Miss {
                layer: Layer::Memory,
                key: *key,
                reason: "absent",
            },
        });
        found
    }

    /// Keeps a value of `weight` bytes under `key`, replacing what was there.
    pub fn insert(&self, key: Key, value: Arc<V>, weight: u64) {
        if let Some(kept) = self.kept() {
            kept.insert(key, self.slot(value, weight));
        }
    }

    /// The value kept under `key`, or the one that `init` makes: its value and weight in bytes.
    ///
    /// When many threads ask for one key, one runs its `init`; the others wait and share the value (each of them sent a
    /// `Miss`, for it did not find the value there). If that `init`
    /// fails or panics, its own caller gets the error or the panic, and one of those waiting runs its `init` in turn;
    /// nothing is kept. A call for `key` from within an `init` for `key` on the same thread runs its own `init` and
    /// keeps nothing, instead of waiting for itself; a thread that waited for `wait_max` does the same.
    pub fn get_or_try_init<E>(
        &self,
        key: &Key,
        init: impl FnOnce() -> Result<(V, u64), E>,
    ) -> Result<Arc<V>, E> {
        if let Some(value) = self.get(key) {
            return Ok(value);
        }
        let cache_id = std::ptr::from_ref(self).addr();
        let (Some(kept), Some(_making)) = (self.kept(), Making::begin(cache_id, *key)) else {
            return init().map(|(value, _)| Arc::new(value));
        };
        match kept.get_value_or_guard(key, Some(self.wait_max)) {
            GuardResult::Value(slot) => Ok(slot.value),
            GuardResult::Timeout => init().map(|(value, _)| Arc::new(value)),
            GuardResult::Guard(guard) => {
                let (value, weight) = init()?;
                let value = Arc::new(value);
                // An `Err` hands the value back: the key was removed or set meanwhile. The caller's value is as good.
                drop(guard.insert(self.slot(Arc::clone(&value), weight)));
                Ok(value)
            }
        }
    }

    /// Forgets the value under `key`; whoever holds it keeps it.
    pub fn remove(&self, key: &Key) {
        if let Some(kept) = self.kept() {
            kept.remove(key);
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        if let Some(kept) = self.kept() {
            kept.clear();
        }
    }

    /// Number of values kept.
    pub fn len(&self) -> usize {
        self.kept().map_or(0, Cache::len)
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.kept().is_none_or(Cache::is_empty)
    }

    /// Sum of the weights of the values kept, in bytes.
    pub fn size_bytes(&self) -> u64 {
        let slots = self.kept().into_iter().flat_map(Cache::iter);
        slots.map(|(_, slot)| slot.weight).sum()
    }

    fn slot(&self, value: Arc<V>, weight: u64) -> Slot<V> {
        let charge = weight.max(self.charge_min);
        let charge = if charge > self.charge_max {
            u64::MAX
        } else {
            charge
        };
        Slot {
            value,
            weight,
            charge,
        }
    }
}

impl<V> Drop for ClassCache<V> {
    fn drop(&mut self) {
        if self.kept().is_none() {
            std::mem::forget(self.cache.take());
        }
    }
}

thread_local! {
    /// The keys that this thread is making values for, so that it never waits for itself.
    static MAKING: RefCell<Vec<(usize, Key)>> = const { RefCell::new(Vec::new()) };
}

/// Held while a thread makes, or waits for, a value.
struct Making;

impl Making {
    fn begin(cache_id: usize, key: Key) -> Option<Self> {
        MAKING.with_borrow_mut(|making| {
            if making.contains(&(cache_id, key)) {
                return None;
            }
            making.push((cache_id, key));
            Some(Self)
        })
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        // Calls nest, so the last one pushed is this one.
        MAKING.with_borrow_mut(|making| making.pop());
    }
}

#[derive(Clone)]
struct Charge;

impl<V> Weighter<Key, Slot<V>> for Charge {
    fn weight(&self, _key: &Key, slot: &Slot<V>) -> u64 {
        slot.charge
    }
}

#[derive(Clone)]
struct Evictions {
    observer: Arc<dyn Observer>,
}

impl<V> Lifecycle<Key, Slot<V>> for Evictions {
    /// What left the cache in one request: told and dropped once the shard is unlocked.
    type RequestState = Vec<(Key, Slot<V>)>;

    fn begin_request(&self) -> Self::RequestState {
        Vec::new()
    }

    fn on_evict(&self, state: &mut Self::RequestState, key: Key, slot: Slot<V>) {
        state.push((key, slot));
    }

    fn end_request(&self, state: Self::RequestState) {
        for (key, slot) in state {
            self.observer.event(&match slot.charge {
                u64::MAX => Event::Bypass {
                    layer: Layer::Memory,
                    key,
                    reason: "over_limit",
                },
                _ => Event::Evict {
                    layer: Layer::Memory,
                    key,
                    bytes: slot.weight,
                },
            });
        }
    }
}

/// Keys are digests: their first bytes are hash enough.
#[derive(Clone)]
struct KeyState;

impl BuildHasher for KeyState {
    type Hasher = KeyHasher;

    fn build_hasher(&self) -> KeyHasher {
        KeyHasher(0)
    }
}

struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length_prefix: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
