//! The class cache: values by key, in memory, bounded, for every mesh alike.
//!
//! Invariants: the bounds on bytes and entries are never exceeded; evicting a value never invalidates an `Arc` that
//! somebody holds; of the threads that ask for one missing key, one makes the value while the others wait for it. What goes, and
//! what is not let in, is decided by [worth](crate::worth), as on disk.
//! A hit takes no lock that a maker holds, hashes nothing (keys are digests) and allocates nothing. A forked child keeps and finds
//! nothing: it does not have the threads that hold a lock or make a value.

mod flight;

use crate::error::Bypass;
use crate::event::{Event, Layer, Observer};
use crate::key::Key;
use crate::worth::{self, Asked, Verdict};
use flight::{Boarding, Flights, Making};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Parts of the table, each with its lock, so that threads seldom look at one cache line.
const SHARDS: usize = 16;
/// Where there are many values, this part of a bound is made free at once, so that not every new value looks for what to evict.
const SLACK_PART: u64 = 16;
/// So many values are looked at for the one that is worth least, before all are; from each shard as many.
const SAMPLE: usize = 64;

/// Bounds of a [`ClassCache`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassLimits {
    /// Bound on the sum of the values' bytes. Default 256 MiB. Zero keeps nothing.
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

/// What a value costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The memory that it takes.
    pub bytes: u64,
    /// The time that it takes to make.
    pub time: Duration,
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
    /// Tells processes apart, and the one that made it.
    process: fn() -> u64,
    maker: u64,
    observer: Arc<dyn Observer>,
    wait_max: Duration,
}

/// What is kept, and by what is decided about it.
struct Kept<V> {
    shards: [Shard<V>; SHARDS],
    /// Held by whoever changes a shard, and while it is decided what goes.
    sums: Mutex<Sums>,
    limits: ClassLimits,
    asked: Asked,
    flights: Flights<V>,
}

struct Slot<V> {
    value: Arc<V>,
    cost: Cost,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    entries: u64,
    bytes: u64,
}

/// What became of a value that was to be kept: told, and dropped, once nothing is locked.
struct Kempt<V> {
    events: Vec<Event>,
    /// What went.
    _dropped: Vec<Slot<V>>,
}

impl<V> std::fmt::Debug for ClassCache<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClassCache")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl<V> ClassCache<V> {
    /// An empty cache, which asks the system for the process that it is in at each call.
    pub fn new(limits: ClassLimits, observer: Arc<dyn Observer>) -> Self {
        Self::with_process(limits, observer, || u64::from(std::process::id()))
    }

    /// An empty cache that asks `process` instead: a function which gives one number in this process and others in its children.
    pub fn with_process(
        limits: ClassLimits,
        observer: Arc<dyn Observer>,
        process: fn() -> u64,
    ) -> Self {
        Self {
            cache: Some(Kept {
                shards: std::array::from_fn(|_| RwLock::default()),
                sums: Mutex::default(),
                limits,
                asked: Asked::default(),
                flights: Flights::default(),
            }),
            maker: process(),
            process,
            observer,
            wait_max: limits.wait_max,
        }
    }

    /// What is kept; `None` in a child.
    fn kept(&self) -> Option<&Kept<V>> {
        let cache = self.cache.as_ref();
        cache.filter(|_| self.maker == (self.process)())
    }

    /// The value kept under `key`, if any. Sends a `Hit`, or a `Miss` with reason `absent`.
    pub fn get(&self, key: &Key) -> Option<Arc<V>> {
        self.look(self.kept(), key)
    }

    fn look(&self, kept: Option<&Kept<V>>, key: &Key) -> Option<Arc<V>> {
        let found = kept.and_then(|kept| {
            kept.asked.note(key, 0);
            kept.find(key)
        });
        self.observer.event(&match found {
            Some(_) => Event::Hit {
                layer: Layer::Memory,
                key: *key,
                saved: Duration::ZERO,
                duration: Duration::ZERO,
            },
            None => Event::Miss {
                layer: Layer::Memory,
                key: *key,
                reason: "absent",
            },
        });
        found
    }

    /// Keeps a value under `key`, replacing what was there, if it is worth that.
    pub fn insert(&self, key: Key, value: Arc<V>, cost: Cost) {
        if let Some(kept) = self.kept() {
            self.tell(kept.keep(key, Slot { value, cost }, || true));
        }
    }

    /// The value kept under `key`, or the one that `init` makes, and what that costs.
    ///
    /// When many threads ask for one key, one runs its `init`; the others wait and share the value (each of them sent a
    /// `Miss`, for it did not find the value there). If that `init`
    /// fails or panics, its own caller gets the error or the panic, and one of those waiting runs its `init` in turn;
    /// nothing is kept. A call for `key` from within an `init` for `key` on the same thread runs its own `init` and
    /// keeps nothing, instead of waiting for itself; a thread that waited for `wait_max` does the same.
    pub fn get_or_try_init<E>(
        &self,
        key: &Key,
        init: impl FnOnce() -> Result<(V, Cost), E>,
    ) -> Result<Arc<V>, E> {
        let kept = self.kept();
        if let Some(value) = self.look(kept, key) {
            return Ok(value);
        }
        let cache_id = std::ptr::from_ref(self).addr();
        let (Some(kept), Some(_making)) = (kept, Making::begin(cache_id, *key)) else {
            return init().map(|(value, _)| Arc::new(value));
        };
        let deadline = Instant::now() + self.wait_max;
        loop {
            match kept.flights.board(key, || kept.find(key), deadline) {
                Boarding::There(value) => return Ok(value),
                Boarding::TooLate => return init().map(|(value, _)| Arc::new(value)),
                // Whoever made it failed.
                Boarding::Again => {}
                Boarding::Mine(flight) => {
                    let (value, cost) = init()?;
                    let value = Arc::new(value);
                    let slot = Slot {
                        value: Arc::clone(&value),
                        cost,
                    };
                    let kempt = kept.keep(*key, slot, || flight.is_wanted());
                    flight.land(&value);
                    self.tell(kempt);
                    return Ok(value);
                }
            }
        }
    }

    fn tell(&self, kempt: Kempt<V>) {
        kempt
            .events
            .iter()
            .for_each(|event| self.observer.event(event));
    }

    /// Forgets the value under `key`, and does not keep one that is being made; whoever holds it keeps it.
    pub fn remove(&self, key: &Key) {
        if let Some(kept) = self.kept() {
            kept.flights.forget(Some(key));
            let mut sums = kept.lock();
            let removed = kept.take(&mut sums, key);
            drop(sums);
            drop(removed);
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        if let Some(kept) = self.kept() {
            kept.flights.forget(None);
            let mut sums = kept.lock();
            let shards = kept.shards.iter();
            let removed: Vec<_> = shards
                .map(|shard| std::mem::take(&mut *write(shard)))
                .collect();
            *sums = Sums::default();
            drop(sums);
            drop(removed);
        }
    }

    /// Number of values kept.
    pub fn len(&self) -> usize {
        self.kept().map_or(0, |kept| {
            usize::try_from(kept.lock().entries).unwrap_or(usize::MAX)
        })
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sum of the bytes of the values kept.
    pub fn size_bytes(&self) -> u64 {
        self.kept().map_or(0, |kept| kept.lock().bytes)
    }
}

impl<V> Drop for ClassCache<V> {
    fn drop(&mut self) {
        if self.kept().is_none() {
            std::mem::forget(self.cache.take());
        }
    }
}

type Shard<V> = RwLock<HashMap<Key, Slot<V>, KeyState>>;

fn write<V>(shard: &Shard<V>) -> std::sync::RwLockWriteGuard<'_, HashMap<Key, Slot<V>, KeyState>> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

impl<V> Kept<V> {
    fn lock(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By other bytes of the key than its place in the shard.
    fn shard(&self, key: &Key) -> &Shard<V> {
        &self.shards[usize::from(key.as_bytes()[8]) % SHARDS]
    }

    fn find(&self, key: &Key) -> Option<Arc<V>> {
        let shard = self.shard(key).read();
        let shard = shard.unwrap_or_else(PoisonError::into_inner);
        shard.get(key).map(|slot| Arc::clone(&slot.value))
    }

    fn take(&self, sums: &mut Sums, key: &Key) -> Option<Slot<V>> {
        let slot = write(self.shard(key)).remove(key)?;
        sums.entries -= 1;
        sums.bytes -= slot.cost.bytes;
        Some(slot)
    }

    /// Keeps a value if there is room for it or it is worth that of others, and if it is still wanted.
    fn keep(&self, key: Key, slot: Slot<V>, wanted: impl FnOnce() -> bool) -> Kempt<V> {
        let mut kempt = Kempt {
            events: Vec::new(),
            _dropped: Vec::new(),
        };
        let bypass = |why: Bypass| Event::Bypass {
            layer: Layer::Memory,
            key,
            reason: why.code(),
        };
        let mut sums = self.lock();
        if !wanted() {
            return kempt;
        }
        if slot.cost.bytes > self.limits.size_bytes_max || self.limits.entries_max == 0 {
            kempt.events.push(bypass(Bypass::OverLimit));
            return kempt;
        }
        // What it replaces makes room for it.
        let before = self.take(&mut sums, &key);
        if self.make_room(&mut sums, &key, slot.cost, &mut kempt) {
            kempt._dropped.extend(before);
            self.put(&mut sums, key, slot);
        } else {
            kempt.events.push(bypass(Bypass::NotWorth));
            kempt._dropped.push(slot);
            if let Some(before) = before {
                self.put(&mut sums, key, before);
            }
        }
        kempt
    }

    fn put(&self, sums: &mut Sums, key: Key, slot: Slot<V>) {
        sums.entries += 1;
        sums.bytes += slot.cost.bytes;
        write(self.shard(&key)).insert(key, slot);
    }

    /// Evicts until a value fits; whether it is to be kept.
    fn make_room(&self, sums: &mut Sums, key: &Key, cost: Cost, kempt: &mut Kempt<V>) -> bool {
        let limits = &self.limits;
        let over = |entries: u64, bytes: u64, slack: u64| {
            let (entries_max, bytes_max) = (limits.entries_max, limits.size_bytes_max);
            entries + 1 > entries_max - slack * (entries_max / SLACK_PART)
                || bytes + cost.bytes > bytes_max - slack * (bytes_max / SLACK_PART)
        };
        if !over(sums.entries, sums.bytes, 0) {
            return true;
        }
        let asked = match sums.entries > worth::TOLD_APART_MAX {
            true => 0,
            false => self.asked.of(key, 0),
        };
        let lets_in = |least: f64| match worth::judge(worth_of(cost, asked), asked, least) {
            Verdict::In => true,
            Verdict::Out => false,
            Verdict::OutAndAge => {
                self.asked.age();
                false
            }
        };
        // Most that are left out are so by a few values: all are only put in order for what comes in.
        if sums.entries > SAMPLE as u64
            && !worth::is_new(asked)
            && !lets_in(self.least_of_some(key))
        {
            return false;
        }
        let mut others = self.by_worth();
        // The best of those that have to go.
        let (mut entries, mut bytes, mut least) = (sums.entries, sums.bytes, 0.0);
        let must_go = others.iter().take_while(|(worth, _, size)| {
            let goes = over(entries, bytes, 0);
            if goes {
                (entries, bytes, least) = (entries - 1, bytes - size, *worth);
            }
            goes
        });
        let must_go = must_go.count();
        if !lets_in(least) {
            return false;
        }
        for (n, (_, key, _)) in others.drain(..).enumerate() {
            if n >= must_go && !over(sums.entries, sums.bytes, 1) {
                break;
            }
            let Some(slot) = self.take(sums, &key) else {
                continue;
            };
            kempt.events.push(Event::Evict {
                layer: Layer::Memory,
                key,
                bytes: slot.cost.bytes,
            });
            kempt._dropped.push(slot);
        }
        self.asked.age();
        true
    }

    /// The least worth of some values, others for other keys.
    fn least_of_some(&self, key: &Key) -> f64 {
        let mut least = f64::INFINITY;
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            let each = SAMPLE / SHARDS;
            let first = usize::from(key.as_bytes()[16]) % (shard.len().saturating_sub(each) + 1);
            for (key, slot) in shard.iter().skip(first).take(each) {
                least = least.min(worth_of(slot.cost, self.asked.of(key, 0)));
            }
        }
        least
    }

    /// All values, by worth, key and size, the least first.
    fn by_worth(&self) -> Vec<(f64, Key, u64)> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            all.extend(shard.iter().map(|(key, slot)| {
                let worth = worth_of(slot.cost, self.asked.of(key, 0));
                (worth, *key, slot.cost.bytes)
            }));
        }
        all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        all
    }
}

fn worth_of(cost: Cost, asked: u8) -> f64 {
    let time_ns = u64::try_from(cost.time.as_nanos()).unwrap_or(u64::MAX);
    worth::worth(time_ns, asked, cost.bytes)
}

/// Keys are digests: their first bytes are hash enough.
#[derive(Clone, Default)]
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
