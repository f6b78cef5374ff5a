//! Differences of options and signatures.
//!
//! Slots are numbers of no meaning to a user; what is told is whose map or dat an argument shares. So an argument that is put
//! before others changes nothing about them.

use super::Difference;
use crate::fingerprint::Part;
use crate::options::{Effort, FloatMode, Options};
use crate::signature::{ArgSignature, IndexWidth, Iteration, Layout, MapUse, Signature, Source};
use std::collections::BTreeMap;

pub(super) fn options(old: &Options, new: &Options, found: &mut Vec<Difference>) {
    let shown = |options: &Options| {
        let Options {
            float,
            effort,
            lanes,
            unroll,
        } = *options;
        let float = match float {
            FloatMode::Contract => "contract",
            FloatMode::Strict => "strict",
            FloatMode::Reassociate => "reassociate",
        };
        let effort = match effort {
            Effort::None => "none",
            Effort::Speed => "speed",
        };
        [
            ("float", float.to_owned()),
            ("effort", effort.to_owned()),
            ("lanes", lanes.to_string()),
            ("unroll", unroll.to_string()),
        ]
    };
    for ((what, old), (_, new)) in shown(old).into_iter().zip(shown(new)) {
        if old != new {
            found.push(Difference::new(Part::Options, what, old, new));
        }
    }
}

pub(super) fn compare(old: &Signature, new: &Signature, found: &mut Vec<Difference>) {
    let Signature {
        iteration,
        args,
        allow_conflicts,
    } = new;
    let kind = |iteration: Iteration| match iteration {
        Iteration::Elements => "over elements",
        Iteration::Function => "a plain function",
    };
    if old.iteration != *iteration {
        let (old, new) = (kind(old.iteration), kind(*iteration));
        found.push(Difference::new(Part::Iteration, "loop", old, new));
    }
    if old.allow_conflicts != *allow_conflicts {
        let (old, new) = (old.allow_conflicts, *allow_conflicts);
        found.push(Difference::new(
            Part::Iteration,
            "conflicts allowed",
            old,
            new,
        ));
    }
    arguments(&old.args, args, found);
}

fn arguments(old: &[ArgSignature], new: &[ArgSignature], found: &mut Vec<Difference>) {
    let alike = |(a, b): &(&ArgSignature, &ArgSignature)| plain(a) == plain(b);
    let (mut head, mut tail) = (old.len().min(new.len()), 0);
    if old.len() != new.len() {
        let (old_count, new_count) = (old.len(), new.len());
        found.push(Difference::new(
            Part::Argument,
            "arguments",
            old_count,
            new_count,
        ));
        let shorter = head;
        head = old.iter().zip(new).take_while(alike).count();
        let back = old.iter().rev().zip(new.iter().rev());
        tail = back.take_while(alike).count().min(shorter - head);
    }
    let (old, new) = (Side::of(old), Side::of(new));
    let (old_tail, new_tail) = (old.args.len() - tail, new.args.len() - tail);
    let moved = |at: usize| {
        if at >= old_tail {
            at - old_tail + new_tail
        } else {
            at
        }
    };
    let mut one = |was: usize, is: usize| {
        let pairs = old
            .fields(was, &moved)
            .into_iter()
            .zip(new.fields(is, &|at| at));
        for ((what, was), (_, now)) in pairs {
            // What only one way of giving an argument has is told by the way.
            if was != now && !was.is_empty() && !now.is_empty() {
                let difference = Difference::new(Part::Argument, what, was, now);
                found.push(difference.of_argument(is));
            }
        }
    };
    (0..head).for_each(|at| one(at, at));
    (0..tail).for_each(|at| one(old_tail + at, new_tail + at));
    if old.args.len() == new.args.len() {
        return;
    }
    for at in head..old_tail {
        let gone = describe_argument(&old.args[at]);
        found.push(Difference::new(Part::Argument, "", gone, "").of_argument(at));
    }
    for at in head..new_tail {
        let added = describe_argument(&new.args[at]);
        found.push(Difference::new(Part::Argument, "", "", added).of_argument(at));
    }
}

/// An argument without its slots.
fn plain(arg: &ArgSignature) -> ArgSignature {
    let unslotted = |map: MapUse| MapUse { slot: 0, ..map };
    let source = match arg.source {
        Source::At(map, entry) => Source::At(unslotted(map), entry),
        Source::Through(map) => Source::Through(unslotted(map)),
        other => other,
    };
    ArgSignature {
        source,
        dat: 0,
        ..*arg
    }
}

/// The arguments of one request, and which of them share what.
struct Side<'a> {
    args: &'a [ArgSignature],
    /// The first argument with the same map.
    maps: Vec<usize>,
    /// The first argument with the same dat.
    dats: Vec<usize>,
}

impl<'a> Side<'a> {
    fn of(args: &'a [ArgSignature]) -> Side<'a> {
        let (mut by_map, mut by_dat) = (BTreeMap::new(), BTreeMap::new());
        let map = |(at, arg): (usize, &ArgSignature)| match arg.source.map() {
            Some(map) => *by_map.entry(map.slot).or_insert(at),
            None => at,
        };
        let dat = |(at, arg): (usize, &ArgSignature)| match arg.source {
            Source::Element | Source::Value => at,
            _ => *by_dat.entry(arg.dat).or_insert(at),
        };
        Side {
            args,
            maps: args.iter().enumerate().map(map).collect(),
            dats: args.iter().enumerate().map(dat).collect(),
        }
    }

    /// What is told of an argument, by field; empty for what it does not have. `numbered` gives the number that an argument
    /// is told by.
    fn fields(&self, at: usize, numbered: &dyn Fn(usize) -> usize) -> [(&'static str, String); 12] {
        let ArgSignature {
            source,
            dtype,
            dim,
            layout,
            access,
            dat: _,
        } = &self.args[at];
        let map = source.map();
        let of_map = |show: &dyn Fn(MapUse) -> String| map.map_or_else(String::new, show);
        let (entry, rows) = match source {
            Source::At(_, entry) => (entry.to_string(), String::new()),
            Source::Rows(rows) => (String::new(), rows.to_string()),
            _ => (String::new(), String::new()),
        };
        let width = |map: MapUse| match map.width {
            IndexWidth::I32 => "of 32 bits".to_owned(),
            IndexWidth::I64 => "of 64 bits".to_owned(),
        };
        let shared = |first: usize| match first {
            _ if first == at => "its own".to_owned(),
            other => format!("that of argument {}", numbered(other)),
        };
        [
            ("given", way(source).to_owned()),
            ("type", dtype.c_name().to_owned()),
            ("dim", dim.to_string()),
            ("layout", layout_name(*layout).to_owned()),
            ("access", access.name().to_owned()),
            ("arity", of_map(&|map| map.arity.to_string())),
            ("map entry", entry),
            ("map entries", of_map(&width)),
            ("partial map", of_map(&|map| map.partial.to_string())),
            ("map", of_map(&|_| shared(self.maps[at]))),
            ("rows", rows),
            ("dat", shared(self.dats[at])),
        ]
    }
}

fn way(source: &Source) -> &'static str {
    match source {
        Source::Direct => "directly",
        Source::At(..) => "by one entry of a map",
        Source::Through(_) => "through a map",
        Source::Global => "as a global",
        Source::Element => "as the element's index",
        Source::Value => "by value",
        Source::Rows(_) => "as row pointers",
    }
}

const fn layout_name(layout: Layout) -> &'static str {
    match layout {
        Layout::Aos => "array of structures",
        Layout::Soa => "structure of arrays",
        Layout::Strided => "strided",
    }
}

/// An argument in a few words: access, dim and type, and where its values come from.
pub fn describe_argument(arg: &ArgSignature) -> String {
    let data = format!("{} {} x {}", arg.access, arg.dim, arg.dtype);
    match arg.source {
        Source::Direct => format!("{data}, direct, dat {}", arg.dat),
        Source::At(map, entry) => format!(
            "{data}, entry {entry} of map {} (arity {}), dat {}",
            map.slot, map.arity, arg.dat
        ),
        Source::Through(map) => format!(
            "{data}, through map {} (arity {}), dat {}",
            map.slot, map.arity, arg.dat
        ),
        Source::Global => format!("{data}, global, slot {}", arg.dat),
        Source::Element => "the element's index".to_owned(),
        Source::Value => "a value".to_owned(),
        Source::Rows(rows) => format!("{data}, in each of {rows} rows, dat {}", arg.dat),
    }
}
