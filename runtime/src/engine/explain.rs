//! Why a loop was not found: the nearest entry that is kept, and in what it differs.
//!
//! Looks only when asked, or when an observer wants it, never on the way to a hit. Every entry is read and verified, one after
//! another, and an [`Outline`] is all that is remembered of it; the few that seem nearest are read again and compared in full.
//! Invariants: who asks gets the nearest of all entries, however many; for an event a bounded number of entries and bytes is read, and
//! the event says so; what is told comes from the preimages that entries keep, not from texts; a text at hand lends names and lines.

use super::identity::{self, Parsed};
use super::{Engine, Shared};
use crate::error::Error;
use crate::host;
use crate::kernel::Kernel;
use parloop_cache::{Event, Expect, Key, Listed, Store, Table};
use parloop_compiler::fingerprint::{Part, parts};
use parloop_compiler::{CheckedKernel, Difference, Names, Signature, differences};
use rustc_hash::FxHasher;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};

/// So many entries are looked at for an event, which takes some 20 ms: it delays a compilation, in every program whose log takes all that
/// is said at debug level.
const EVENT_ENTRIES_MAX: u64 = 1024;
/// So many bytes of them.
const EVENT_BYTES_MAX: u64 = 256 << 20;
/// So many of them are compared in full.
const COMPARED_MAX: usize = 16;
/// An entry of another kernel, by name and by meaning, is near if it differs in no more than this.
const STRANGE_MAX: usize = 8;

/// What the cache directory has for a loop, and what comes nearest. `Display` tells it in a few lines.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// The fingerprint, as the directory names it.
    pub fingerprint: String,
    /// `None` if a sound entry is kept; else the stable code of the reason why it is not found.
    pub miss: Option<&'static str>,
    /// Of all others kept, the entry that differs least, if one is near at all.
    pub nearest: Option<Nearest>,
}

/// An entry near to a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Nearest {
    /// Its fingerprint.
    pub fingerprint: String,
    /// The name of its kernel; to be escaped where it is printed.
    pub label: String,
    /// What it has, and what was asked for.
    pub differences: Vec<Difference>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.miss {
            None => write!(f, "{} is kept", self.fingerprint)?,
            Some(reason) => write!(f, "{} is not found: {reason}", self.fingerprint)?,
        }
        let Some(nearest) = &self.nearest else {
            return f.write_str("; no entry is near it");
        };
        let label = nearest.label.escape_debug();
        write!(f, "; nearest is {} ({label})", nearest.fingerprint)?;
        let mut each = nearest.differences.iter();
        each.try_for_each(|difference| write!(f, "\n  {difference}"))
    }
}

/// What is remembered of an entry.
#[derive(Clone, Debug)]
struct Kept {
    key: Key,
    label: Box<str>,
    outline: Outline,
}

impl Kept {
    /// Of an entry that is sound, and whose preimage is one.
    fn of(listed: Listed) -> Option<Kept> {
        let entry = listed.entry.ok()?;
        Some(Kept {
            key: listed.key,
            label: entry.label().into(),
            outline: Outline::of(entry.preimage())?,
        })
    }
}

/// All entries of a cache directory, read once, to find those near to several requests among. What is remembered of each is its key,
/// its kernel's name, and what to compare it by: some hundred bytes, and sixteen for each argument.
#[derive(Clone, Debug, Default)]
pub struct KeptEntries(Vec<Kept>);

impl KeptEntries {
    /// Reads all entries of `store`, which takes some 20 µs for each.
    pub fn read(store: &Store) -> KeptEntries {
        KeptEntries(
            store
                .entries_of(Table::Objects)
                .filter_map(Kept::of)
                .collect(),
        )
    }

    /// Of the entries of kernels of this name, or of the same meaning as that of `preimage`, one for each signature, by key.
    pub fn signatures_of(&self, label: &str, preimage: &[u8]) -> Vec<Key> {
        let Some(own) = Outline::of(preimage) else {
            return Vec::new();
        };
        let mut found: BTreeMap<Vec<PartHash>, Key> = BTreeMap::new();
        for kept in &self.0 {
            if *kept.label != *label && !kept.outline.same_kernel(&own) {
                continue;
            }
            let key = found.entry(kept.outline.signature()).or_insert(kept.key);
            *key = kept.key.min(*key);
        }
        let mut keys: Vec<Key> = found.into_values().collect();
        keys.sort_unstable();
        keys
    }

    /// Of all entries but that of `preimage` itself, the one that differs least from it; `label` is its kernel's name. Entries of
    /// a kernel of that name, or of the same meaning, come first. `store` is where they were read.
    pub fn nearest(
        &self,
        store: &Store,
        preimage: &[u8],
        label: &str,
        names: Names<'_>,
    ) -> Option<Nearest> {
        nearest_of(store, self.0.iter(), preimage, label, names)
    }
}

/// Entries, until there were enough of them for an event.
struct Bounded<I> {
    listed: I,
    entries: u64,
    bytes: u64,
    /// There are more.
    cut: bool,
}

impl<I: Iterator<Item = Listed>> Bounded<I> {
    fn new(listed: I) -> Bounded<I> {
        Bounded {
            listed,
            entries: 0,
            bytes: 0,
            cut: false,
        }
    }
}

impl<I: Iterator<Item = Listed>> Iterator for Bounded<I> {
    type Item = Listed;

    fn next(&mut self) -> Option<Listed> {
        if self.cut {
            return None;
        }
        let next = self.listed.next()?;
        self.cut = self.entries == EVENT_ENTRIES_MAX || self.bytes >= EVENT_BYTES_MAX;
        if self.cut {
            return None;
        }
        self.entries += 1;
        // What is too large to be an entry was not read.
        self.bytes += next.entry.as_ref().map_or(0, |_| next.file_bytes);
        Some(next)
    }
}

/// Of these entries of a store, the nearest to a preimage.
fn nearest_of<E: Borrow<Kept>>(
    store: &Store,
    entries: impl Iterator<Item = E>,
    preimage: &[u8],
    label: &str,
    names: Names<'_>,
) -> Option<Nearest> {
    let own = Outline::of(preimage)?;
    let mut candidates: Vec<Candidate> = Vec::new();
    for entry in entries {
        let kept = entry.borrow();
        let Some(rank) = own.rank(&kept.outline, *kept.label == *label) else {
            continue;
        };
        let key = kept.key;
        candidates.push(Candidate { rank, key });
        if candidates.len() >= 2 * COMPARED_MAX {
            keep_best(&mut candidates);
        }
    }
    keep_best(&mut candidates);
    let compared = candidates.into_iter().filter_map(|candidate| {
        // Gone meanwhile, maybe.
        let entry = store.inspect(Table::Objects, &candidate.key).ok()?;
        let found = differences(entry.preimage(), preimage, names).ok()?;
        let weight: usize = found.iter().map(Difference::weight).sum();
        let strange = candidate.rank.strange;
        (!strange || weight <= STRANGE_MAX).then_some(((strange, weight), entry, candidate, found))
    });
    let (_, entry, best, differences) = compared.min_by_key(|(order, ..)| *order)?;
    Some(Nearest {
        fingerprint: best.key.to_string(),
        label: entry.label().to_owned(),
        differences,
    })
}

/// An entry that may be the nearest.
struct Candidate {
    rank: Rank,
    key: Key,
}

/// How far an entry seems to be, by whole parts alone; less is nearer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Neither the kernel's name nor its meaning is the same.
    strange: bool,
    parts: usize,
}

fn keep_best(candidates: &mut Vec<Candidate>) {
    candidates.sort_by_key(|candidate| (candidate.rank, candidate.key));
    candidates.truncate(COMPARED_MAX);
}

/// Which part, and a hash of its bytes: two that are alike by chance cost a worse answer, never a false one.
type PartHash = (Part, u64);

/// What is compared of a preimage before it is looked at in full.
#[derive(Clone, Debug)]
struct Outline {
    parts: Box<[PartHash]>,
    kernel_bytes: usize,
}

impl Outline {
    fn of(preimage: &[u8]) -> Option<Outline> {
        let parts = parts(preimage).ok()?;
        let kernel = parts.iter().find(|(part, _)| *part == Part::Kernel)?;
        let kernel_bytes = kernel.1.len();
        let hashed = parts.iter().map(|(part, bytes)| {
            let mut hasher = FxHasher::default();
            bytes.hash(&mut hasher);
            (*part, hasher.finish())
        });
        Some(Outline {
            parts: hashed.collect(),
            kernel_bytes,
        })
    }

    fn of_part(&self, part: Part) -> impl Iterator<Item = u64> + '_ {
        let of_part = self.parts.iter().filter(move |(p, _)| *p == part);
        of_part.map(|(_, hash)| *hash)
    }

    fn same_kernel(&self, other: &Outline) -> bool {
        self.of_part(Part::Kernel).eq(other.of_part(Part::Kernel))
    }

    /// Iteration and arguments.
    fn signature(&self) -> Vec<PartHash> {
        let parts = self.parts.iter().copied();
        parts
            .filter(|(part, _)| matches!(part, Part::Iteration | Part::Argument))
            .collect()
    }

    /// How far another is, unless it is this one, or nothing like it.
    fn rank(&self, other: &Outline, same_label: bool) -> Option<Rank> {
        if self.parts == other.parts {
            return None;
        }
        let mut differing = 0;
        for part in Part::ALL {
            let (mut ours, mut theirs) = (self.of_part(part), other.of_part(part));
            loop {
                match (ours.next(), theirs.next()) {
                    (None, None) => break,
                    (ours, theirs) => differing += usize::from(ours != theirs),
                }
            }
        }
        let strange = !same_label && !self.same_kernel(other);
        let arguments = |outline: &Outline| outline.of_part(Part::Argument).count();
        let alike = self.kernel_bytes.abs_diff(other.kernel_bytes) <= self.kernel_bytes / 4;
        if strange && !(alike && arguments(self) == arguments(other)) {
            return None;
        }
        Some(Rank {
            strange,
            parts: differing,
        })
    }
}

impl Engine {
    /// What the directory has for a kernel under a signature.
    pub(crate) fn explain_signature(
        &self,
        kernel: &Kernel,
        signature: &Signature,
        check: impl Fn(&parloop_compiler::ShortcutRecord) -> Result<(), Error>,
    ) -> Result<Explanation, Error> {
        let shared = self.shared();
        let (_, constants) = shared.constants.declarations();
        let parsed = identity::parse(shared, kernel, signature, &constants)?;
        check(&parsed.resolution.record)?;
        let key = parsed.resolution.key;
        let expect = Expect::Preimage(&parsed.preimage);
        let found = shared.store.look(Table::Objects, &key, expect, &host::has);
        Ok(Explanation {
            fingerprint: key.to_string(),
            miss: found.err().map(|miss| miss.code()),
            nearest: nearest(
                shared,
                kernel,
                &parsed,
                shared.store.entries_of(Table::Objects),
            ),
        })
    }
}

/// The nearest of these entries, with the names and lines of the kernel's text.
fn nearest(
    shared: &Shared,
    kernel: &Kernel,
    parsed: &Parsed,
    entries: impl Iterator<Item = Listed>,
) -> Option<Nearest> {
    let record = &parsed.resolution.record;
    let params: Vec<String> = record
        .params
        .iter()
        .map(|param| param.name.clone())
        .collect();
    let names = Names {
        params: &params,
        constants: &record.constants,
    };
    let kept = entries.filter_map(Kept::of);
    let (store, preimage) = (&shared.store, &parsed.preimage);
    let mut nearest = nearest_of(store, kept, preimage, &record.name, names)?;
    // The text was just parsed, so it parses; what it was made to is not kept.
    if let Ok(checked) = kernel.check() {
        locate(&mut nearest.differences, kernel.text(), &checked);
    }
    Some(nearest)
}

fn locate(differences: &mut [Difference], text: &str, checked: &CheckedKernel) {
    for difference in differences {
        difference.locate(text, checked);
    }
}

/// Tells an observer that wants to know why a kernel is compiled.
pub(super) fn tell(shared: &Shared, kernel: &Kernel, parsed: &Parsed) {
    if !shared.observer.wants_explanations() {
        return;
    }
    let mut bounded = Bounded::new(shared.store.entries_of(Table::Objects));
    let nearest = nearest(shared, kernel, parsed, &mut bounded);
    let key = nearest
        .as_ref()
        .and_then(|nearest| nearest.fingerprint.parse().ok());
    let differences = nearest
        .map(|nearest| nearest.differences)
        .unwrap_or_default();
    shared.observer.event(&Event::Explained {
        key: parsed.resolution.key,
        nearest: key,
        differences: differences.iter().map(Difference::to_string).collect(),
        entries: bounded.entries,
        all: !bounded.cut,
    });
}
