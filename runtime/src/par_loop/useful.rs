//! How many bytes a loop has to move, whatever its code: the measure that bandwidths are given in.
//!
//! Each distinct value counts once for each direction of a call (READ and WRITE once; INC, RW, MIN and MAX twice), each map
//! entry used once. This is the field's convention; it leaves caches and lines out of account.

use super::call::{Held, Holder};
use crate::mesh::{Columns, Map};
use parloop_compiler::{Access, ArgSignature, Signature, Source};

/// The bytes of a loop over `elements`.
pub(crate) fn useful_bytes<E>(
    signature: &Signature,
    slots: &[Held],
    maps: &[Map],
    elements: E,
) -> u64
where
    E: ExactSizeIterator<Item = u32> + Clone,
{
    let data = slots.iter().enumerate().map(|(slot, held)| {
        let args = signature
            .args
            .iter()
            .filter(|a| a.source != Source::Element && usize::from(a.dat) == slot);
        data_bytes(&args.collect::<Vec<_>>(), held, maps, elements.clone())
    });
    let entries = maps.iter().enumerate().map(|(slot, map)| {
        columns_used(signature, slot, map) * elements.len() as u64 * map.entry_bytes()
    });
    data.chain(entries).sum()
}

fn data_bytes<E>(args: &[&ArgSignature], held: &Held, maps: &[Map], elements: E) -> u64
where
    E: ExactSizeIterator<Item = u32> + Clone,
{
    let reads = args.iter().any(|a| a.access != Access::Write);
    let writes = args.iter().any(|a| a.access.writes());
    let directions = u64::from(reads) + u64::from(writes);
    let Some(row_bytes) = args.first().map(|a| a.row_bytes()) else {
        return 0;
    };
    let rows = match &held.data {
        Holder::Global(_) => 1,
        Holder::Dat(_) if args.iter().all(|a| a.source == Source::Direct) => elements.len() as u64,
        Holder::Dat(dat) => rows_touched(args, dat.set().total_size(), maps, elements),
    };
    rows * row_bytes * directions
}

/// How many different rows the arguments reach from `elements`.
fn rows_touched(
    args: &[&ArgSignature],
    rows: usize,
    maps: &[Map],
    elements: impl Iterator<Item = u32> + Clone,
) -> u64 {
    let mut touched = vec![0u64; rows.div_ceil(64)];
    let mut touch = |row: u32| touched[row as usize / 64] |= 1 << (row % 64);
    for arg in args {
        let (map, columns) = match arg.source {
            Source::At(map, column) => (map, Columns::One(column)),
            Source::Through(map) => (map, Columns::All),
            Source::Direct | Source::Global | Source::Element | Source::Value | Source::Rows(_) => {
                elements.clone().for_each(&mut touch);
                continue;
            }
        };
        let map = &maps[usize::from(map.slot)];
        elements
            .clone()
            .for_each(|element| map.targets(element, columns, &mut touch));
    }
    touched
        .iter()
        .map(|word| u64::from(word.count_ones()))
        .sum()
}

/// How many different entries of each row of a map the arguments use.
fn columns_used(signature: &Signature, slot: usize, map: &Map) -> u64 {
    let mut used = vec![false; map.arity()];
    for arg in &signature.args {
        match arg.source {
            Source::At(use_, column) if usize::from(use_.slot) == slot => {
                used[usize::from(column)] = true
            }
            Source::Through(use_) if usize::from(use_.slot) == slot => used.fill(true),
            _ => {}
        }
    }
    used.iter().filter(|column| **column).count() as u64
}
