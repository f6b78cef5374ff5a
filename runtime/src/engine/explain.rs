//! Why a loop was not found: the nearest entry that is kept, and in what it differs.
//!
//! Looks only when asked, or when an observer wants it, never on the way to a hit. Invariants: a bounded number of entries and
//! bytes is read; what is told comes from the preimages that entries keep, not from texts; a text at hand lends names and lines.

use super::identity::{self, Parsed};
use super::{Engine, Shared};
use crate::error::Error;
use crate::host;
use crate::kernel::Kernel;
use parloop_cache::{Event, Expect, Key, Store, Table};
use parloop_compiler::fingerprint::{Part, parts};
use parloop_compiler::{CheckedKernel, Difference, Names, Signature, differences};
use std::borrow::Borrow;
use std::fmt;

/// So many entries are looked at.
const ENTRIES_MAX: usize = 4096;
/// So many bytes of them.
const BYTES_MAX: u64 = 256 << 20;
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

/// An entry of a cache directory, without its code.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeptEntry {
    /// Its fingerprint.
    pub key: Key,
    /// The name of its kernel; to be escaped where it is printed.
    pub label: String,
    /// The encoded request that it was made from.
    pub preimage: Vec<u8>,
}

/// The entries of a cache directory, read once, to find those near to several requests among.
#[derive(Clone, Debug, Default)]
pub struct KeptEntries(Vec<KeptEntry>);

impl KeptEntries {
    /// Reads some thousands of entries of `store` and no more.
    pub fn read(store: &Store) -> KeptEntries {
        KeptEntries(entries(store).collect())
    }

    /// The entries, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &KeptEntry> {
        self.0.iter()
    }

    /// Of all entries but that of `preimage` itself, the one that differs least from it; `label` is its kernel's name. Entries of
    /// a kernel of that name, or of the same meaning, come first.
    pub fn nearest(&self, preimage: &[u8], label: &str, names: Names<'_>) -> Option<Nearest> {
        nearest_of(self.iter(), preimage, label, names)
    }
}

/// The entries of a store that are looked at, one after another.
fn entries(store: &Store) -> impl Iterator<Item = KeptEntry> + '_ {
    let mut bytes = 0;
    let listed = store.entries_of(Table::Objects).take(ENTRIES_MAX);
    let listed = listed.take_while(move |listed| {
        // What is too large to be an entry is not read.
        if listed.file_bytes <= store.config().entry_bytes_max {
            bytes += listed.file_bytes;
        }
        bytes <= BYTES_MAX
    });
    listed.filter_map(|listed| {
        let entry = listed.entry.ok()?;
        Some(KeptEntry {
            key: listed.key,
            label: entry.metadata().label,
            preimage: entry.preimage().to_vec(),
        })
    })
}

/// Of these entries, the nearest to a preimage.
fn nearest_of<E: Borrow<KeptEntry>>(
    entries: impl Iterator<Item = E>,
    preimage: &[u8],
    label: &str,
    names: Names<'_>,
) -> Option<Nearest> {
    let own = Outline::of(preimage)?;
    let mut candidates: Vec<Candidate<E>> = Vec::new();
    for entry in entries {
        let kept = entry.borrow();
        if kept.preimage == preimage {
            continue;
        }
        let Some(rank) = own.rank(&kept.preimage, kept.label == label) else {
            continue;
        };
        candidates.push(Candidate { rank, entry });
        if candidates.len() >= 2 * COMPARED_MAX {
            keep_best(&mut candidates);
        }
    }
    keep_best(&mut candidates);
    let compared = candidates.into_iter().filter_map(|candidate| {
        let found = differences(&candidate.entry.borrow().preimage, preimage, names).ok()?;
        let weight: usize = found.iter().map(Difference::weight).sum();
        let strange = candidate.rank.strange;
        (!strange || weight <= STRANGE_MAX).then_some(((strange, weight), candidate, found))
    });
    let (_, best, differences) = compared.min_by_key(|(order, ..)| *order)?;
    let best = best.entry.borrow();
    Some(Nearest {
        fingerprint: best.key.to_string(),
        label: best.label.clone(),
        differences,
    })
}

/// An entry that may be the nearest.
struct Candidate<E> {
    rank: Rank,
    entry: E,
}

/// How far an entry seems to be, by whole parts alone; less is nearer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Neither the kernel's name nor its meaning is the same.
    strange: bool,
    parts: usize,
}

fn keep_best<E: Borrow<KeptEntry>>(candidates: &mut Vec<Candidate<E>>) {
    candidates.sort_by_key(|candidate| (candidate.rank, candidate.entry.borrow().key));
    candidates.truncate(COMPARED_MAX);
}

/// The parts of a preimage.
struct Outline<'a> {
    parts: Vec<(Part, &'a [u8])>,
}

impl<'a> Outline<'a> {
    fn of(preimage: &'a [u8]) -> Option<Outline<'a>> {
        let parts = parts(preimage).ok()?;
        Some(Outline { parts })
    }

    fn of_part(&self, part: Part) -> impl Iterator<Item = &'a [u8]> {
        let of_part = self.parts.iter().filter(move |(p, _)| *p == part);
        of_part.map(|(_, bytes)| *bytes)
    }

    /// How many parts differ.
    fn rank(&self, other: &[u8], same_label: bool) -> Option<Rank> {
        let other = Outline::of(other)?;
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
        let kernel = |outline: &Outline<'_>| outline.of_part(Part::Kernel).next().map(<[u8]>::len);
        let same_kernel = self.of_part(Part::Kernel).eq(other.of_part(Part::Kernel));
        let strange = !same_label && !same_kernel;
        let arguments = |outline: &Outline<'_>| outline.of_part(Part::Argument).count();
        let alike = match (kernel(self), kernel(&other)) {
            (Some(ours), Some(theirs)) => ours.abs_diff(theirs) <= ours / 4,
            _ => false,
        };
        if strange && !(alike && arguments(self) == arguments(&other)) {
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
            nearest: nearest(shared, kernel, &parsed),
        })
    }
}

/// The nearest entry, with the names and lines of the kernel's text.
fn nearest(shared: &Shared, kernel: &Kernel, parsed: &Parsed) -> Option<Nearest> {
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
    let entries = entries(&shared.store);
    let mut nearest = nearest_of(entries, &parsed.preimage, &record.name, names)?;
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
    let nearest = nearest(shared, kernel, parsed);
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
    });
}
