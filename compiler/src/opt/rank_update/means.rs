//! By what means an update is run, if by any: machine code of its own, or a host function.

use super::{Factor, RankUpdate, Rows};
use crate::abi::{self, rank_update::FUNCTIONS};
use crate::ir::{Body, Place, Scalar, Value};
use crate::microkernel::{POINTERS_MAX, REACH_BYTES_MAX, Shape};
use crate::target::{Level, Target};

/// So many products are added in the time that a call of a host function takes, and so many more in the time that it takes to tell
/// of a term.
const PRODUCTS_PER_CALL: u64 = 320;
const PRODUCTS_PER_TERM: u64 = 48;

/// Rows shorter than this gain nothing from wider vectors.
const COLUMNS_MIN: u64 = 4;

/// The fewest bytes of products that are worth a microkernel: of one trip, and of several, which load and store entries but once.
const PRODUCT_BYTES_MIN: u64 = 8 * 64;
const PRODUCT_BYTES_OF_TRIPS_MIN: u64 = 8 * 24;

/// How many trips are several.
const TRIPS_MIN: u64 = 4;

/// What runs an update.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Means {
    /// Code made for it.
    Microkernel(Shape),
    /// A host function, by name.
    Host(&'static str),
}

/// The fewest products that are worth vectors of 512 bits: while one of those is on its way, one of the units that do the
/// arithmetic around it is not there.
const PRODUCTS_OF_512_BITS_MIN: u64 = 256;

/// What an address that a microkernel is given leads to: factors of one origin are told apart by their offsets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    /// Local arrays on the stack.
    Stack,
    /// Local arrays in working memory.
    Scratch,
    Tables,
    /// What was in a register and is put in memory.
    Values,
    Place(Place),
    /// An entry of a place.
    Entry(Place, Value),
}

impl Origin {
    /// Where entries are, if arrays are on the stack.
    pub(crate) fn of(rows: &Rows) -> Origin {
        match (rows.first, rows.place) {
            (None, place) => Origin::Entry(place, rows.index),
            (_, Place::Array(_)) => Origin::Stack,
            (_, Place::Table(_)) => Origin::Tables,
            (_, place) => Origin::Place(place),
        }
    }
}

/// How large an update is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) trips: u64,
    pub(super) rows: u64,
    pub(super) columns: u64,
    /// Products that a trip adds to an entry.
    pub(super) terms: u64,
}

impl Size {
    fn products(self) -> u64 {
        let all = [self.trips, self.rows, self.columns, self.terms];
        all.into_iter().fold(1, u64::saturating_mul)
    }

    /// Whether a call of a host function is worth it.
    fn is_long(self) -> bool {
        let call = PRODUCTS_PER_TERM.saturating_mul(self.terms);
        self.products() >= PRODUCTS_PER_CALL.saturating_add(call)
    }

    /// The shape of a microkernel, if one is possible and worth it.
    fn shape(self, scalar: Scalar, level: Level) -> Option<Shape> {
        let has_avx512 = match level {
            Level::V3 => false,
            Level::V4 => self.products() >= PRODUCTS_OF_512_BITS_MIN,
            Level::Baseline | Level::V2 | Level::Aarch64 => return None,
        };
        let shape = Shape {
            scalar,
            has_avx512,
            trips: self.trips,
            rows: self.rows,
            columns: self.columns,
            terms: self.terms,
        };
        let bytes = u64::from(scalar.bytes());
        let least = match self.trips {
            TRIPS_MIN.. => PRODUCT_BYTES_OF_TRIPS_MIN,
            _ => PRODUCT_BYTES_MIN,
        };
        let is_worth_it = self.products().saturating_mul(bytes) >= least;
        (is_worth_it && scalar.is_float() && shape.can_be_made()).then_some(shape)
    }
}

/// Whether an update of some size, without gaps, is faster than loops.
pub(super) fn pays(scalar: Scalar, size: Size, level: Level) -> bool {
    size.shape(scalar, level).is_some() || size.is_long() && has_means(scalar, level)
}

impl RankUpdate {
    /// What runs it `around` times, put together, on a target; `None` if loops are as fast.
    pub(crate) fn means(&self, target: &Target, around: u64) -> Option<Means> {
        if self.columns < COLUMNS_MIN {
            return None;
        }
        let size = self.size(around);
        let shape = size.shape(self.scalar, target.level);
        if let Some(shape) = shape.filter(|shape| self.is_within_reach(shape)) {
            return Some(Means::Microkernel(shape));
        }
        let host = function(self.scalar, self.is_fused, target.level);
        host.filter(|_| size.is_long()).map(Means::Host)
    }

    /// How long it takes on a target, about, in quarters of a cycle.
    pub(in crate::opt) fn quarter_cycles(&self, target: &Target) -> u32 {
        let size = self.size(1);
        let cost = match self.means(target, 1) {
            Some(Means::Microkernel(shape)) => shape.quarter_cycles(),
            // Sixteen products in a cycle, and as long as so many take until it begins.
            _ => PRODUCTS_PER_CALL + PRODUCTS_PER_TERM * size.terms + size.products() / 4,
        };
        u32::try_from(cost).unwrap_or(u32::MAX)
    }

    fn size(&self, around: u64) -> Size {
        Size {
            trips: self.trips.saturating_mul(around),
            rows: self.rows,
            columns: self.columns,
            terms: self.terms.len() as u64,
        }
    }

    /// Whether steps fit instructions, and addresses registers.
    fn is_within_reach(&self, shape: &Shape) -> bool {
        let reach = REACH_BYTES_MAX / u64::from(self.scalar.bytes());
        self.column_step == 1
            && self.room != Room::Large
            && self
                .walks()
                .all(|rows| self.reach(rows, shape.trips) < reach)
            && self.pointers(shape.is_unrolled()) <= POINTERS_MAX
    }

    /// All that it walks over.
    fn walks(&self) -> impl Iterator<Item = &Rows> {
        let factors = self.terms.iter().flat_map(|term| {
            [Some(&term.row_factor), term.scale.as_ref()]
                .into_iter()
                .flatten()
                .filter_map(|factor| match factor {
                    Factor::Entries(rows) => Some(rows),
                    Factor::Value(_) => None,
                })
                .chain([&term.factors])
        });
        factors.chain([&self.entries])
    }

    /// How many scalars from its first the last one is that it walks to, at most.
    fn reach(&self, rows: &Rows, trips: u64) -> u64 {
        let first = rows.first.unwrap_or(0).unsigned_abs();
        let down = rows.row_step.unsigned_abs().saturating_mul(self.rows);
        let on = rows.trip_step.unsigned_abs().saturating_mul(trips);
        let all = [first, down, on, self.columns];
        all.into_iter().fold(0, u64::saturating_add)
    }

    /// How many addresses a microkernel is given, at most: one for each origin, and each step if they move from trip to trip.
    fn pointers(&self, is_unrolled: bool) -> usize {
        let mut found = Vec::new();
        let mut add = |origin, step| {
            let key = (origin, if is_unrolled { 0 } else { step });
            if !found.contains(&key) {
                found.push(key);
            }
        };
        for rows in self.walks() {
            let origin = Origin::of(rows);
            if origin == Origin::Stack && self.room == Room::Scratch {
                add(Origin::Scratch, rows.trip_step);
            }
            add(origin, rows.trip_step);
        }
        let mut factors = self
            .terms
            .iter()
            .flat_map(|t| [Some(&t.row_factor), t.scale.as_ref()]);
        if factors.any(|factor| matches!(factor, Some(Factor::Value(_)))) {
            add(Origin::Values, 0);
        }
        found.len()
    }
}

/// Where a loop's local arrays and tables find room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Room {
    /// All arrays are on the stack.
    Stack,
    /// Some arrays may be in working memory.
    Scratch,
    /// Offsets may be too large for instructions.
    Large,
}

impl Room {
    pub(super) fn of(body: &Body) -> Room {
        // Each is aligned.
        let bytes = |len: u64, scalar: Scalar| len.saturating_mul(u64::from(scalar.bytes()) + 15);
        let arrays = body.arrays.values();
        let arrays = arrays.map(|array| bytes(array.len, array.scalar));
        let arrays = arrays.fold(0, u64::saturating_add);
        let tables = body.tables.values();
        let tables = tables.map(|table| bytes(table.bits.len() as u64, table.scalar));
        let all = tables.fold(arrays, u64::saturating_add);
        match arrays {
            _ if all >= REACH_BYTES_MAX => Room::Large,
            0..=abi::STACK_ARRAY_BYTES_MAX => Room::Stack,
            _ => Room::Scratch,
        }
    }
}

/// Whether there are means for updates of a type.
pub(super) fn has_means(scalar: Scalar, level: Level) -> bool {
    function(scalar, true, level).is_some()
}

/// The host function for a type, with one rounding for a product and its addition or with two.
fn function(scalar: Scalar, is_fused: bool, level: Level) -> Option<&'static str> {
    let bits = match scalar {
        Scalar::F32 => 32,
        Scalar::F64 => 64,
        _ => return None,
    };
    let level = match level {
        Level::V3 => 3,
        Level::V4 => 4,
        Level::Baseline | Level::V2 | Level::Aarch64 => return None,
    };
    let mut all = FUNCTIONS.iter();
    let found = all.find(|f| (f.bits, f.is_fused, f.level) == (bits, is_fused, level));
    found.map(|f| f.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_512_bits_are_for_large_updates_at_the_highest_level() {
        let wide = |trips, rows, level| {
            let size = Size {
                trips,
                rows,
                columns: 8,
                terms: 1,
            };
            size.shape(Scalar::F64, level).map(|s| s.has_avx512)
        };
        assert_eq!(wide(4, 8, Level::V4), Some(true));
        assert_eq!(wide(4, 7, Level::V4), Some(false));
        assert_eq!(wide(4, 8, Level::V3), Some(false));
        assert_eq!(wide(4, 8, Level::V2), None);
    }
}
