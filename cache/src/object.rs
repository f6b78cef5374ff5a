//! The object cache: values built from identities, which live exactly as long as what they were built from.
//!
//! Every cacheable object owns an [`Identity`]. A value built on some objects hangs, without references back, in a
//! side table of the first of them; the others remember where. Dropping an identity drops what hangs on it and what
//! it is mentioned in. Strong references to the objects are only in the [`Handle`]s given out:
//!
//! ```text
//! Handle { value: Arc<V>, key: K }     K holds strong handles to the objects
//!      object --Identity--> { key parts -> Arc<V> }      downwards only, so there are no cycles
//! ```
//!
//! Invariants: a value is built once per identical key, however many threads ask; no lock of a table is held while a
//! value is built or dropped; an identity has no number that a caller could read, so none gets into a [`Key`](crate::Key).

use crate::event::{Event, Observer};
use std::any::Any;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::ThreadId;
use std::time::Instant;

/// What makes an object itself and no other. Owned by the object, inside whatever its handles share.
///
/// It can't be cloned, copied, compared or read: equality of objects is identity, and an identity never leaves memory.
pub struct Identity(Arc<Node>);

struct Node {
    id: u64,
    name: Option<Box<str>>,
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    /// Slots that hang here: this identity is the first of their key.
    slots: HashMap<SlotKey, Hung>,
    /// Slots that hang elsewhere and have this identity in their key, with where they hang.
    mentions: HashMap<SlotKey, Weak<Node>>,
}

struct Hung {
    slot: Arc<dyn Any + Send + Sync>,
    /// The other objects of the key, which mention the slot.
    others: Box<[Weak<Node>]>,
}

/// The identities and words of a key, prefixed by the cache they belong to.
#[derive(Clone, PartialEq, Eq, Hash)]
struct SlotKey(Arc<[u64]>);

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Identity {
    /// A new identity, different from all others of the process.
    #[expect(
        clippy::new_without_default,
        reason = "a default value that differs from itself would mislead"
    )]
    pub fn new() -> Self {
        Self::of(None)
    }

    /// A new identity of an object with a name, by which [`ObjectCache::holders`] tells it. Names need not differ.
    pub fn named(name: impl Into<Box<str>>) -> Self {
        Self::of(Some(name.into()))
    }

    fn of(name: Option<Box<str>>) -> Self {
        Self(Arc::new(Node {
            id: NEXT_ID.fetch_add(1, Relaxed),
            name,
            tables: Mutex::default(),
        }))
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        let tables = std::mem::take(&mut *lock(&self.0.tables));
        let mut dead = Vec::new();
        for (key, owner) in tables.mentions {
            if let Some(owner) = owner.upgrade() {
                dead.extend(lock(&owner.tables).slots.remove(&key));
            }
        }
        for (key, hung) in tables.slots {
            for other in hung.others.iter().filter_map(Weak::upgrade) {
                lock(&other.tables).mentions.remove(&key);
            }
            dead.push(hung);
        }
        // Values may own identities themselves: they are dropped with no table locked.
        drop(dead);
    }
}

/// Parts of a key under construction: see [`ObjectKey::parts`].
pub struct KeyParts<'a> {
    words: Vec<u64>,
    nodes: Vec<&'a Arc<Node>>,
}

impl std::fmt::Debug for KeyParts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyParts")
            .field("identities", &self.nodes.len())
            .finish_non_exhaustive()
    }
}

const TAG_IDENTITY: u64 = 1;
const TAG_WORD: u64 = 2;

impl<'a> KeyParts<'a> {
    /// An object of the key.
    pub fn identity(&mut self, identity: &'a Identity) -> &mut Self {
        self.words.extend([TAG_IDENTITY, identity.0.id]);
        self.nodes.push(&identity.0);
        self
    }

    /// A plain value of the key: a dimension, a flag, an offset.
    pub fn word(&mut self, word: u64) -> &mut Self {
        self.words.extend([TAG_WORD, word]);
        self
    }
}

/// The arguments that an object is built from: strong handles to other objects, and plain values.
pub trait ObjectKey: Clone + Send + Sync + 'static {
    /// Names every object and every plain value of the key, in a fixed order; at least one object.
    fn parts<'a>(&'a self, parts: &mut KeyParts<'a>);
}

/// A handle to a cached value: keeps the value, and the objects it was built from.
#[derive(Debug)]
pub struct Handle<K, V> {
    // Before the key: the value goes before what it was built from.
    value: Arc<V>,
    key: K,
}

impl<K: Clone, V> Clone for Handle<K, V> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            key: self.key.clone(),
        }
    }
}

impl<K, V> Deref for Handle<K, V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.value
    }
}

impl<K, V> Handle<K, V> {
    /// The arguments that the value was built from.
    pub fn key(&self) -> &K {
        &self.key
    }

    /// Whether two handles are to the same value.
    pub fn same(a: &Self, b: &Self) -> bool {
        Arc::ptr_eq(&a.value, &b.value)
    }
}

/// Builds values of one type once per identical key, and finds them again while the objects of the key live.
///
/// A value lives exactly as long as every object of its key: an object lives while it has a handle, or, if it is
/// itself a cached value, while the objects of *its* key do. A value must not hold handles to the objects of its key
/// (that would be a cycle); it finds them through [`Handle::key`].
///
/// ```
/// use parloop_cache::object::{Identity, KeyParts, ObjectCache, ObjectKey};
/// use std::sync::Arc;
///
/// struct Set { size: usize, identity: Identity }
///
/// #[derive(Clone)]
/// struct Colouring { set: Arc<Set>, colours: u64 }
/// impl ObjectKey for Colouring {
///     fn parts<'a>(&'a self, parts: &mut KeyParts<'a>) {
///         parts.identity(&self.set.identity).word(self.colours);
///     }
/// }
///
/// let plans: ObjectCache<Colouring, Vec<u64>> = ObjectCache::new(Arc::new(()));
/// let set = Arc::new(Set { size: 6, identity: Identity::new() });
/// let build = |key: &Colouring| {
///     let plan: Vec<u64> = (0..key.set.size as u64).map(|i| i % key.colours).collect();
///     Ok::<_, std::convert::Infallible>((plan, 48))
/// };
/// let plan = plans.get_or_try_build(Colouring { set: set.clone(), colours: 2 }, build).unwrap();
/// drop(set); // the handle keeps the set
/// assert_eq!((plan.len(), plans.len()), (6, 1));
/// drop(plan); // the last handle to the set is gone, and with it the plan
/// assert_eq!(plans.len(), 0);
/// ```
pub struct ObjectCache<K, V> {
    id: u64,
    observer: Arc<dyn Observer>,
    totals: Arc<Totals>,
    types: std::marker::PhantomData<fn(K) -> V>,
}

#[derive(Default)]
struct Totals {
    objects: AtomicU64,
    bytes: AtomicU64,
    /// By the number of the object that values hang on.
    holders: Mutex<HashMap<u64, Holder>>,
}

/// What hangs on one object: see [`ObjectCache::holders`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The name that its identity was given, as it was given.
    pub name: Option<Box<str>>,
    /// Number of values that it keeps alive.
    pub objects: u64,
    /// Their bytes, as told when they were built.
    pub bytes: u64,
}

impl<K, V> std::fmt::Debug for ObjectCache<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectCache")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl<K, V> ObjectCache<K, V> {
    /// An empty cache.
    pub fn new(observer: Arc<dyn Observer>) -> Self {
        let id = NEXT_ID.fetch_add(1, Relaxed);
        Self {
            id,
            observer,
            totals: Arc::default(),
            types: std::marker::PhantomData,
        }
    }

    /// Number of values alive.
    pub fn len(&self) -> u64 {
        self.totals.objects.load(Relaxed)
    }

    /// Whether no value is alive.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the values alive hold, as told when they were built.
    pub fn size_bytes(&self) -> u64 {
        self.totals.bytes.load(Relaxed)
    }

    /// The objects that keep values alive, those with the most bytes first: what to let go of when memory runs short. A value counts
    /// for the first object of its key.
    pub fn holders(&self) -> Vec<Holder> {
        let mut holders: Vec<Holder> = lock(&self.totals.holders).values().cloned().collect();
        holders.sort_by(|a, b| {
            let by_bytes = b.bytes.cmp(&a.bytes).then(b.objects.cmp(&a.objects));
            by_bytes.then_with(|| a.name.cmp(&b.name))
        });
        holders
    }
}

impl<K: ObjectKey, V: Send + Sync + 'static> ObjectCache<K, V> {
    /// The value for `key`, built by `build` (value and bytes held) unless an identical key has one.
    ///
    /// One thread builds, others that ask for the same key wait; if it fails or panics, the next one builds.
    ///
    /// # Panics
    /// If the key names no object, or if `build` asks for the very value that it is building.
    pub fn get_or_try_build<E>(
        &self,
        key: K,
        build: impl FnOnce(&K) -> Result<(V, u64), E>,
    ) -> Result<Handle<K, V>, E> {
        let slot = self.slot(&key);
        let builder = *lock(&slot.builder);
        assert!(
            builder != Some(std::thread::current().id()),
            "an object was asked for by the closure that builds it"
        );
        let mut content = lock(&slot.content);
        if let Some(built) = &*content {
            let value = Arc::clone(&built.value);
            drop(content);
            self.observer.event(&Event::ObjectHit);
            return Ok(Handle { value, key });
        }
        let start = Instant::now();
        *lock(&slot.builder) = Some(std::thread::current().id());
        let _building = Building(&slot.builder);
        let (value, bytes) = build(&key)?;
        let value = Arc::new(value);
        *content = Some(Built::new(&value, bytes, &self.totals, &slot.owner));
        drop(content);
        self.observer.event(&Event::ObjectBuilt {
            duration: start.elapsed(),
            bytes,
        });
        Ok(Handle { value, key })
    }

    /// The slot of `key`, made and hung up if there is none. All objects of the key are alive: the caller holds it.
    fn slot(&self, key: &K) -> Arc<Slot<V>> {
        let mut parts = KeyParts {
            words: vec![self.id],
            nodes: Vec::new(),
        };
        key.parts(&mut parts);
        let KeyParts { words, nodes } = parts;
        let (owner, others) = nodes
            .split_first()
            .expect("a key names at least one object");
        let slot_key = SlotKey(words.into());
        let others = || others.iter().filter(|other| !Arc::ptr_eq(other, owner));
        let slot = {
            let mut tables = lock(&owner.tables);
            let hung = tables
                .slots
                .entry(slot_key.clone())
                .or_insert_with(|| Hung {
                    slot: Arc::new(Slot::<V>::of(owner)),
                    others: others().map(|other| Arc::downgrade(other)).collect(),
                });
            Arc::clone(&hung.slot)
        };
        for other in others() {
            lock(&other.tables)
                .mentions
                .entry(slot_key.clone())
                .or_insert_with(|| Arc::downgrade(owner));
        }
        slot.downcast().unwrap_or_else(|_| {
            unreachable!("a slot key names its cache, and a cache has one value type")
        })
    }
}

struct Slot<V> {
    content: Mutex<Option<Built<V>>>,
    /// The thread that is building, to catch a build that waits for itself.
    builder: Mutex<Option<ThreadId>>,
    owner: Owner,
}

/// The object that a slot hangs on, as far as it is told.
struct Owner {
    id: u64,
    name: Option<Box<str>>,
}

impl<V> Slot<V> {
    fn of(owner: &Node) -> Self {
        Self {
            content: Mutex::new(None),
            builder: Mutex::new(None),
            owner: Owner {
                id: owner.id,
                name: owner.name.clone(),
            },
        }
    }
}

struct Building<'a>(&'a Mutex<Option<ThreadId>>);

impl Drop for Building<'_> {
    fn drop(&mut self) {
        *lock(self.0) = None;
    }
}

struct Built<V> {
    value: Arc<V>,
    bytes: u64,
    totals: Arc<Totals>,
    owner_id: u64,
}

impl<V> Built<V> {
    fn new(value: &Arc<V>, bytes: u64, totals: &Arc<Totals>, owner: &Owner) -> Self {
        totals.objects.fetch_add(1, Relaxed);
        totals.bytes.fetch_add(bytes, Relaxed);
        let mut holders = lock(&totals.holders);
        let holder = holders.entry(owner.id).or_insert_with(|| Holder {
            name: owner.name.clone(),
            objects: 0,
            bytes: 0,
        });
        holder.objects += 1;
        holder.bytes += bytes;
        drop(holders);
        Self {
            value: Arc::clone(value),
            bytes,
            totals: Arc::clone(totals),
            owner_id: owner.id,
        }
    }
}

impl<V> Drop for Built<V> {
    fn drop(&mut self) {
        self.totals.objects.fetch_sub(1, Relaxed);
        self.totals.bytes.fetch_sub(self.bytes, Relaxed);
        let mut holders = lock(&self.totals.holders);
        if let Some(holder) = holders.get_mut(&self.owner_id) {
            holder.objects -= 1;
            holder.bytes -= self.bytes;
            if holder.objects == 0 {
                holders.remove(&self.owner_id);
            }
        }
    }
}
