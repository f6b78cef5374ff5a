//! Why a loop's arguments are refused before anything runs.
//!
//! Arguments are counted from 0. Each message says which argument, what was found, and what would be right.

use parloop_compiler::{Access, DType};

/// What does not fit in a loop's arguments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgError {
    /// MIN or MAX of complex numbers.
    #[error(
        "argument {arg} (`{param}`) is {access} of {dtype}, and complex numbers have no order: reduce their parts or absolute values"
    )]
    Unordered {
        /// Which argument.
        arg: usize,
        /// The kernel's parameter.
        param: String,
        /// The access.
        access: Access,
        /// The data's type.
        dtype: DType,
    },
    /// Another number of arguments than the kernel has parameters.
    #[error("the kernel has {expected} parameters, but the loop has {found} arguments")]
    Count {
        /// The kernel's parameters.
        expected: usize,
        /// The loop's arguments.
        found: usize,
    },
    /// Data that another engine made.
    #[error(
        "argument {arg}: `{data}` belongs to another engine; make it with the engine that runs the loop"
    )]
    OtherEngine {
        /// Which argument.
        arg: usize,
        /// The dat or global.
        data: String,
    },
    /// A dat of another set, used without a map.
    #[error(
        "argument {arg}: `{dat}` is on `{dat_set}`, the loop over `{set}`; go through a map from `{set}` to `{dat_set}`"
    )]
    DirectOnOtherSet {
        /// Which argument.
        arg: usize,
        /// The dat.
        dat: String,
        /// The set it is on.
        dat_set: String,
        /// The set of the loop.
        set: String,
    },
    /// A map whose rows belong to another set's elements.
    #[error(
        "argument {arg}: map `{map}` is from `{from}`, the loop over `{set}`; use a map from `{set}`"
    )]
    MapFromOtherSet {
        /// Which argument.
        arg: usize,
        /// The map.
        map: String,
        /// The set it is from.
        from: String,
        /// The set of the loop.
        set: String,
    },
    /// A map that leads to another set than the dat's.
    #[error(
        "argument {arg}: map `{map}` leads to `{to}`, but `{dat}` is on `{dat_set}`; use a map to `{dat_set}`"
    )]
    MapToOtherSet {
        /// Which argument.
        arg: usize,
        /// The map.
        map: String,
        /// The set it leads to.
        to: String,
        /// The dat.
        dat: String,
        /// The set it is on.
        dat_set: String,
    },
    /// A map's entry that it does not have.
    #[error(
        "argument {arg}: entry {index} of map `{map}` is asked for, but it has {arity}, counted from 0"
    )]
    MapIndex {
        /// Which argument.
        arg: usize,
        /// The map.
        map: String,
        /// The entry asked for.
        index: usize,
        /// Its entries an element.
        arity: usize,
    },
    /// A map on something that is not on a set.
    #[error(
        "argument {arg}: a global or an element index goes through no map; leave `at` and `through` out"
    )]
    MapWithoutDat {
        /// Which argument.
        arg: usize,
    },
    /// More arguments, maps or dats than a signature can number.
    #[error("a loop has at most {limit} arguments, this has {found}")]
    TooMany {
        /// The loop's arguments.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// Two arguments on one dat or global whose accesses do not go together.
    #[error(
        "arguments {first} ({first_access}) and {second} ({second_access}) both use `{data}`: unless all uses are direct, all have one access, READ, INC, MIN or MAX; copy the data, or allow conflicts and run one element at a time"
    )]
    Conflict {
        /// One argument.
        first: usize,
        /// The other.
        second: usize,
        /// The dat or global.
        data: String,
        /// What the one does.
        first_access: Access,
        /// What the other does.
        second_access: Access,
    },
    /// Data of another type than the kernel's parameter.
    #[error(
        "argument {arg}: parameter `{param}` is {expected}, the data {found}; change one of them"
    )]
    Type {
        /// Which argument.
        arg: usize,
        /// The parameter.
        param: String,
        /// Its type.
        expected: DType,
        /// The data's.
        found: DType,
    },
    /// Another number of values than the kernel's parameter declares.
    #[error(
        "argument {arg}: parameter `{param}` declares {expected} values, the argument has {found}"
    )]
    Dim {
        /// Which argument.
        arg: usize,
        /// The parameter.
        param: String,
        /// Values it declares.
        expected: u64,
        /// Values of the argument (an element's, times the arity for `through`).
        found: u64,
    },
    /// Another number of rows than the kernel's parameter declares.
    #[error(
        "argument {arg}: parameter `{param}` declares {expected} rows, the map has {found} entries an element"
    )]
    Arity {
        /// Which argument.
        arg: usize,
        /// The parameter.
        param: String,
        /// Rows it declares.
        expected: u64,
        /// The map's arity.
        found: u64,
    },
    /// A parameter by value, by pointer or by pointers to rows, where the argument is passed in another way.
    #[error("argument {arg}: parameter `{param}` is {expected}, the argument gives {found}")]
    Passing {
        /// Which argument.
        arg: usize,
        /// The parameter.
        param: String,
        /// What the kernel takes.
        expected: &'static str,
        /// What the loop passes.
        found: &'static str,
    },
    /// A `const` parameter under an access that writes.
    #[error(
        "argument {arg}: parameter `{param}` is const, but the access is {access}; pass READ or drop the const"
    )]
    ConstParameter {
        /// Which argument.
        arg: usize,
        /// The parameter.
        param: String,
        /// The access.
        access: Access,
    },
    /// A READ argument that the kernel writes.
    #[error(
        "argument {arg}: the access is READ, but the kernel writes through parameter `{param}`; pass the access that it means"
    )]
    ReadIsWritten {
        /// Which argument.
        arg: usize,
        /// The parameter.
        param: String,
    },
    /// A rebinding to something that gives the loop another signature.
    #[error("argument {arg} can not be rebound to `{data}`: {what}; prepare another loop")]
    Rebind {
        /// Which argument.
        arg: usize,
        /// What it was to be bound to.
        data: String,
        /// What differs.
        what: &'static str,
    },
    /// Elements that the loop's set does not have.
    #[error("elements up to {end} of `{set}` are asked for, but it has {size}, halo included")]
    Range {
        /// The set.
        set: String,
        /// One past the last element asked for.
        end: u64,
        /// Its size.
        size: u64,
    },
}
