//! What can be wrong with a set, a subset or a map that is being made.
//!
//! Messages name the mesh object, say what was found, and what would be right.

/// Why a set, a subset or a map was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MeshError {
    /// A set with 2^32 elements or more.
    #[error("set `{set}` would have {size} elements; a set has fewer than 2^32: split it")]
    SetTooLarge {
        /// The set's name.
        set: String,
        /// Its elements, halo included.
        size: u128,
    },
    /// A subset names an element that its set lacks.
    #[error(
        "subset of `{set}`: entry {position} is {element}, but the set has {size} elements; give numbers below that"
    )]
    ElementOutOfRange {
        /// The set's name.
        set: String,
        /// Where in the list.
        position: usize,
        /// What stands there.
        element: u32,
        /// The set's size, halo included.
        size: u32,
    },
    /// A subset names an element twice.
    #[error(
        "subset of `{set}`: element {element} is listed twice; list it once, or use `Subset::sorted`"
    )]
    DuplicateElement {
        /// The set's name.
        set: String,
        /// Which element.
        element: u32,
    },
    /// A map with no entries an element, or with more than 65,535.
    #[error("map `{map}`: arity {arity} is not possible; it is from 1 to 65535")]
    Arity {
        /// The map's name.
        map: String,
        /// What was asked for.
        arity: usize,
    },
    /// A map with a wrong number of entries.
    #[error(
        "map `{map}` from `{from}` needs {expected} entries (elements times arity), but {found} were given"
    )]
    EntryCount {
        /// The map's name.
        map: String,
        /// The set it is from.
        from: String,
        /// Elements of that set, halo included, times the arity.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// A map's entry that is no element of the set it leads to.
    #[error("map `{map}`: entry {column} of element {row} is {value}, but `{to}` has {size} elements; give numbers from 0 below that{}", partial_hint(*.value))]
    EntryOutOfRange {
        /// The map's name.
        map: String,
        /// The element it belongs to.
        row: usize,
        /// Which of its entries.
        column: usize,
        /// What stands there.
        value: i64,
        /// The set it leads to.
        to: String,
        /// That set's size, halo included.
        size: u32,
    },
}

fn partial_hint(value: i64) -> &'static str {
    if value == -1 {
        ", or declare the map partial"
    } else {
        ""
    }
}
