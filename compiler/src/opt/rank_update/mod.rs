//! Nests that add sums of outer products to a dense block, `a[i][j] += x[i] * t[j] + ..`: the rank-k updates that integrals of
//! finite elements consist of.
//!
//! A host function runs them with vectors wider than the code generator's, the products of each entry added in the order of the
//! text. They stay loops in the IR: whoever asks whether a loop is one leaves it alone, and the translation calls the function
//! instead. `fission`, `forward`, `evaluate` and `distribute` turn what code generators of finite elements write into larger updates.

mod distribute;
mod evaluate;
mod fission;
mod forward;
mod nest;
mod writer;

pub(super) use distribute::distribute;
pub(super) use evaluate::{Points, evaluate};
pub(super) use fission::{fission, has_blocks};
pub(super) use forward::forward;

use crate::abi::rank_update as abi;
use crate::ir::{Body, For, Place, Scalar, Value};
use crate::target::{Level, Target};
use nest::Nest;

/// So many products are added in the time that a call takes, and so many more in the time that it takes to tell of a term.
const PRODUCTS_PER_CALL: u64 = 320;
const PRODUCTS_PER_TERM: u64 = 48;

/// Rows shorter than this gain nothing from wider vectors.
const COLUMNS_MIN: u64 = 4;

/// The most products that one trip adds to an entry.
const TERMS_MAX: usize = 64;

/// A nest that adds products to the entries of a block of rows, maybe several times.
#[derive(Debug)]
pub(crate) struct RankUpdate {
    /// The host function that does it.
    pub(crate) function: &'static str,
    /// Type of all values.
    pub(crate) scalar: Scalar,
    /// How often all terms are added.
    pub(crate) trips: u64,
    pub(crate) rows: u64,
    pub(crate) columns: u64,
    /// The entries that are added to, and how many scalars apart those of a row are.
    pub(crate) entries: Rows,
    pub(crate) column_step: i64,
    /// In the order in which they are added.
    pub(crate) terms: Vec<Term>,
}

/// Values of a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    pub(crate) place: Place,
    /// Of the first, in the first trip of all loops.
    pub(crate) index: Value,
    /// How many scalars after it the next row starts.
    pub(crate) row_step: i64,
    /// How many scalars after it the next trip starts.
    pub(crate) trip_step: i64,
}

/// Products that are added, one to each entry: `row_factor * (scale * factors)`.
#[derive(Debug)]
pub(crate) struct Term {
    /// The factor of all entries of a row.
    pub(crate) row_factor: Factor,
    /// A factor of all entries, if there is one.
    pub(crate) scale: Option<Factor>,
    /// The factors of a row's entries, the same ones for all rows.
    pub(crate) factors: Rows,
}

/// A factor of many entries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Factor {
    /// The same for all rows and trips.
    Value(Value),
    /// One for each row and trip, or for each trip.
    Entries(Rows),
}

impl RankUpdate {
    /// How long a call takes, about, in quarters of a cycle: sixteen products in one, and as long as so many take until it begins.
    pub(super) fn quarter_cycles(&self) -> u32 {
        let terms = self.terms.len() as u64;
        let products = self.trips * self.rows * self.columns * terms;
        let all = PRODUCTS_PER_CALL + PRODUCTS_PER_TERM * terms + products / 4;
        u32::try_from(all).unwrap_or(u32::MAX)
    }

    /// What a loop is, if that is a rank-k update which the target has a function for, and it is faster.
    pub(crate) fn of(body: &Body, outer: &For, target: &Target) -> Option<RankUpdate> {
        RankUpdate::inside(body, outer, target, 1)
    }

    /// The same of a loop that runs so often, and can be put together with the loop around it.
    pub(super) fn inside(
        body: &Body,
        outer: &For,
        target: &Target,
        trips: u64,
    ) -> Option<RankUpdate> {
        let update = Nest::of(body, outer)?.update(target.level)?;
        let entries = update.rows.saturating_mul(update.columns);
        let terms = update.terms.len() as u64;
        let products = entries.saturating_mul(terms);
        let all = products.saturating_mul(trips.saturating_mul(update.trips));
        let is_long = all >= PRODUCTS_PER_CALL + PRODUCTS_PER_TERM * terms;
        (update.columns >= COLUMNS_MIN && is_long).then_some(update)
    }
}

/// What a nest may compute once for all trips: neither floating point nor anything that fails, and nothing that memory holds.
fn is_address(body: &Body, value: Value) -> bool {
    let inst = &body.values[value];
    !inst.ty.scalar.is_float() && inst.op.is_pure()
}

/// The function for a type, with one rounding for a product and its addition or with two.
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
    let mut all = abi::FUNCTIONS.iter();
    let found = all.find(|f| (f.bits, f.is_fused, f.level) == (bits, is_fused, level));
    found.map(|f| f.name)
}
