//! What can be wrong with a renumbering, or with what is to follow it.

use crate::data::DataError;
use crate::mesh::{Map, Set};

/// Why a set, or what hangs on it, was not renumbered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenumberError {
    /// A map neither from nor to the set.
    #[error(
        "map `{map}` is from `{from}` to `{to}`, not from or to `{set}`, which is renumbered; leave it out"
    )]
    OtherMap {
        /// The map.
        map: String,
        /// The set it is from.
        from: String,
        /// The set it leads to.
        to: String,
        /// The set that is renumbered.
        set: String,
    },
    /// A dat on another set.
    #[error("`{dat}` is on `{dat_set}`, not on `{set}`, which is renumbered; leave it out")]
    OtherDat {
        /// The dat.
        dat: String,
        /// The set it is on.
        dat_set: String,
        /// The set that is renumbered.
        set: String,
    },
    /// A subset of another set.
    #[error("the subset is one of `{superset}`, not of `{set}`, which is renumbered; leave it out")]
    OtherSubset {
        /// The set it is a part of.
        superset: String,
        /// The set that is renumbered.
        set: String,
    },
    /// An order with a wrong number of elements.
    #[error(
        "the order of `{set}` lists {found} elements, but it has {expected}, halo included; list each once"
    )]
    Length {
        /// The set.
        set: String,
        /// Its elements, halo included.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// An order that names an element which the set lacks.
    #[error(
        "the order of `{set}`: entry {position} is {element}, but the set has {size} elements; give numbers below that"
    )]
    OutOfRange {
        /// The set.
        set: String,
        /// Where in the order.
        position: usize,
        /// What stands there.
        element: u32,
        /// The set's size, halo included.
        size: u32,
    },
    /// An order that names an element twice.
    #[error(
        "the order of `{set}`: entry {position} is {element}, which is listed already; list each once"
    )]
    Twice {
        /// The set.
        set: String,
        /// Where it stands the second time.
        position: usize,
        /// Which element.
        element: u32,
    },
    /// An order that takes an element out of its part of the set, or moves one of the halo.
    #[error(
        "the order of `{set}` would move element {element} to {position}, out of its part; order core and boundary each for itself and leave the halo as it is"
    )]
    Moved {
        /// The set.
        set: String,
        /// Its new number.
        position: usize,
        /// Its old one.
        element: u32,
    },
    /// A new number that a map of 32-bit entries can't hold.
    #[error("map `{map}`: the new number {entry} does not fit its entries; make it of 64-bit ones")]
    TooWide {
        /// The map.
        map: String,
        /// The first such number.
        entry: u32,
    },
    /// A dat that could not be read or copied.
    #[error(transparent)]
    Data(#[from] DataError),
}

impl RenumberError {
    pub(super) fn other_map(map: &Map, set: &Set) -> RenumberError {
        RenumberError::OtherMap {
            map: map.name().to_owned(),
            from: map.from_set().name().to_owned(),
            to: map.to_set().name().to_owned(),
            set: set.name().to_owned(),
        }
    }
}
