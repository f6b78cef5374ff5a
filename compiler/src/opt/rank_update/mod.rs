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
mod fresh;
mod means;
mod nest;
mod writer;

pub(super) use distribute::distribute;
pub(super) use evaluate::{Points, evaluate};
pub(super) use fission::{fission, has_blocks};
pub(super) use forward::forward;
pub(crate) use fresh::{Touched, filled};
pub(crate) use means::{Means, Origin};

use crate::ir::{Body, For, Place, Scalar, Value};
use crate::target::Target;
use means::{Room, has_means};
use nest::Nest;

/// The most products that one trip adds to an entry.
const TERMS_MAX: usize = 256;

/// A nest that adds products to the entries of a block of rows, maybe several times.
#[derive(Debug)]
pub(crate) struct RankUpdate {
    /// Type of all values.
    pub(crate) scalar: Scalar,
    /// Whether a product and its addition are rounded once.
    pub(crate) is_fused: bool,
    /// How often all terms are added.
    pub(crate) trips: u64,
    pub(crate) rows: u64,
    pub(crate) columns: u64,
    /// The entries that are added to, and how many scalars apart those of a row are.
    pub(crate) entries: Rows,
    pub(crate) column_step: i64,
    /// In the order in which they are added.
    pub(crate) terms: Vec<Term>,
    room: Room,
}

/// Values of a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    pub(crate) place: Place,
    /// Of the first, in the first trip of all loops.
    pub(crate) index: Value,
    /// The same, if it is a number.
    pub(crate) first: Option<i64>,
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
    /// What a loop is, if that is a rank-k update which the target has means for, and they are faster.
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
        let update = Nest::of(body, outer)?.update()?;
        update.means(target, trips).is_some().then_some(update)
    }
}

/// What a nest may compute once for all trips: neither floating point nor anything that fails, and nothing that memory holds.
fn is_address(body: &Body, value: Value) -> bool {
    let inst = &body.values[value];
    !inst.ty.scalar.is_float() && inst.op.is_pure()
}
