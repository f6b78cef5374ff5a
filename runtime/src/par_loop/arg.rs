//! What a caller writes: arguments and what to loop over.
//!
//! An argument borrows its dat and map; making one allocates and checks nothing. All checks are in `bind` and `params`.

use crate::data::{Buffer, Dat, Global};
use crate::mesh::{Map, Set, Subset};
use parloop_compiler::Access;

/// One argument of a loop, made by [`Dat::read`] and its kin, [`Global::read`] and its kin, or [`element_index`].
#[derive(Clone, Copy, Debug)]
pub struct Arg<'a> {
    pub(crate) data: Data<'a>,
    pub(crate) access: Access,
    pub(crate) path: Path<'a>,
}

/// Where the values of an argument are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Data<'a> {
    Dat(&'a Dat),
    Global(&'a Global),
    /// The element's number; nothing is kept.
    Element,
}

/// How an argument gets from an element to rows of its dat.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path<'a> {
    Direct,
    At(&'a Map, usize),
    Through(&'a Map),
}

/// The element's number as an argument, by value; the kernel's parameter is an integer.
pub fn element_index() -> Arg<'static> {
    Arg {
        data: Data::Element,
        access: Access::Read,
        path: Path::Direct,
    }
}

impl<'a> Arg<'a> {
    pub(crate) fn dat(dat: &'a Dat, access: Access) -> Arg<'a> {
        Arg {
            data: Data::Dat(dat),
            access,
            path: Path::Direct,
        }
    }

    pub(crate) fn global(global: &'a Global, access: Access) -> Arg<'a> {
        Arg {
            data: Data::Global(global),
            access,
            path: Path::Direct,
        }
    }

    /// The row that entry `index` of the map gives: the kernel gets a pointer to `dim` values (OP2's convention).
    #[must_use]
    pub fn at(self, map: &'a Map, index: usize) -> Arg<'a> {
        Arg {
            path: Path::At(map, index),
            ..self
        }
    }

    /// The rows that all entries of the map give: the kernel gets `[arity][dim]` values (PyOP2's convention), or, if its
    /// parameter is a pointer to pointers, `arity` pointers to rows.
    #[must_use]
    pub fn through(self, map: &'a Map) -> Arg<'a> {
        Arg {
            path: Path::Through(map),
            ..self
        }
    }
}

impl<'a> Data<'a> {
    pub(crate) fn buffer(self) -> Option<&'a Buffer> {
        match self {
            Data::Dat(dat) => Some(dat.buffer()),
            Data::Global(global) => Some(global.buffer()),
            Data::Element => None,
        }
    }
}

impl<'a> Path<'a> {
    pub(crate) fn map(self) -> Option<&'a Map> {
        match self {
            Path::Direct => None,
            Path::At(map, _) | Path::Through(map) => Some(map),
        }
    }
}

/// What to loop over: a set's owned elements in order, or a subset in the order of its list.
#[derive(Clone, Copy, Debug)]
pub enum Over<'a> {
    /// All owned elements of a set.
    Set(&'a Set),
    /// The elements of a subset.
    Subset(&'a Subset),
}

impl<'a> Over<'a> {
    /// The set whose dats and maps arguments use.
    pub fn set(self) -> &'a Set {
        match self {
            Over::Set(set) => set,
            Over::Subset(subset) => subset.superset(),
        }
    }
}

impl<'a> From<&'a Set> for Over<'a> {
    fn from(set: &'a Set) -> Over<'a> {
        Over::Set(set)
    }
}

impl<'a> From<&'a Subset> for Over<'a> {
    fn from(subset: &'a Subset) -> Over<'a> {
        Over::Subset(subset)
    }
}
