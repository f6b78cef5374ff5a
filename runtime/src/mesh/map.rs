//! Maps: from each element of a set to `arity` elements of another.
//!
//! Invariant: every entry is an element of the set the map leads to, or -1 in a map declared partial; entries never change.
//! So compiled code may follow a map without a check.

use super::{MeshError, Set};
use parloop_compiler::IndexWidth;
use std::fmt;
use std::sync::Arc;

/// From each element of a set to `arity` elements of another. A cheap handle; two are equal when they are the same map.
#[derive(Clone)]
pub struct Map(Arc<Rows>);

struct Rows {
    name: Box<str>,
    from: Set,
    to: Set,
    arity: u16,
    partial: bool,
    entries: Entries,
}

/// Entries by width, `[from.total_size()][arity]`.
#[derive(Debug)]
pub enum Entries {
    /// 32-bit.
    I32(Box<[i32]>),
    /// 64-bit.
    I64(Box<[i64]>),
}

/// Types of map entries: `i32` and `i64`.
pub trait MapIndex: Copy + Into<i64> + sealed::Sealed {}

mod sealed {
    use super::Entries;

    pub trait Sealed: Sized {
        fn entries(values: Vec<Self>) -> Entries;
    }

    impl Sealed for i32 {
        fn entries(values: Vec<i32>) -> Entries {
            Entries::I32(values.into())
        }
    }

    impl Sealed for i64 {
        fn entries(values: Vec<i64>) -> Entries {
            Entries::I64(values.into())
        }
    }
}

impl MapIndex for i32 {}
impl MapIndex for i64 {}

/// Which entries of a row an argument follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Columns {
    One(u16),
    All,
}

impl Map {
    /// A map with `arity` entries for each element of `from` (halo included), row by row: `entries[row * arity + column]`.
    ///
    /// # Errors
    /// [`MeshError::Arity`], [`MeshError::EntryCount`], [`MeshError::EntryOutOfRange`].
    pub fn new<I: MapIndex>(
        name: &str,
        from: &Set,
        to: &Set,
        arity: usize,
        entries: impl Into<Vec<I>>,
    ) -> Result<Map, MeshError> {
        Map::checked(name, from, to, arity, entries.into(), false)
    }

    /// The same, where entries may also be -1: such a row reads as zero and is not written.
    ///
    /// # Errors
    /// As [`Map::new`].
    pub fn partial<I: MapIndex>(
        name: &str,
        from: &Set,
        to: &Set,
        arity: usize,
        entries: impl Into<Vec<I>>,
    ) -> Result<Map, MeshError> {
        Map::checked(name, from, to, arity, entries.into(), true)
    }

    fn checked<I: MapIndex>(
        name: &str,
        from: &Set,
        to: &Set,
        arity: usize,
        entries: Vec<I>,
        partial: bool,
    ) -> Result<Map, MeshError> {
        let narrow = match u16::try_from(arity) {
            Ok(arity @ 1..) => arity,
            _ => {
                return Err(MeshError::Arity {
                    map: name.to_owned(),
                    arity,
                });
            }
        };
        // Fewer than 2^32 elements times fewer than 2^16 entries fit 64 bits.
        let expected = from.total_size() * arity;
        if entries.len() != expected {
            let from = from.name().to_owned();
            return Err(MeshError::EntryCount {
                map: name.to_owned(),
                from,
                expected,
                found: entries.len(),
            });
        }
        let least = if partial { -1 } else { 0 };
        let good = least..i64::from(to.total());
        if let Some(at) = entries
            .iter()
            .position(|entry| !good.contains(&(*entry).into()))
        {
            return Err(MeshError::EntryOutOfRange {
                map: name.to_owned(),
                row: at / arity,
                column: at % arity,
                value: entries[at].into(),
                to: to.name().to_owned(),
                size: to.total(),
            });
        }
        let (name, from, to) = (name.into(), from.clone(), to.clone());
        Ok(Map(Arc::new(Rows {
            name,
            from,
            to,
            arity: narrow,
            partial,
            entries: I::entries(entries),
        })))
    }

    /// Its name, for messages.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The set whose elements have rows.
    pub fn from_set(&self) -> &Set {
        &self.0.from
    }

    /// The set that entries are elements of.
    pub fn to_set(&self) -> &Set {
        &self.0.to
    }

    /// Entries an element.
    pub fn arity(&self) -> usize {
        usize::from(self.0.arity)
    }

    /// Whether entries may be -1.
    pub fn is_partial(&self) -> bool {
        self.0.partial
    }

    /// Entry `column` of element `row`; `None` beyond the map's rows or columns.
    pub fn entry(&self, row: usize, column: usize) -> Option<i64> {
        if column >= self.arity() {
            return None;
        }
        let at = row.checked_mul(self.arity())? + column;
        match &self.0.entries {
            Entries::I32(entries) => entries.get(at).map(|e| i64::from(*e)),
            Entries::I64(entries) => entries.get(at).copied(),
        }
    }

    pub(crate) fn narrow_arity(&self) -> u16 {
        self.0.arity
    }

    pub(crate) fn width(&self) -> IndexWidth {
        match self.0.entries {
            Entries::I32(_) => IndexWidth::I32,
            Entries::I64(_) => IndexWidth::I64,
        }
    }

    /// Bytes of an entry.
    pub(crate) fn entry_bytes(&self) -> u64 {
        match self.0.entries {
            Entries::I32(_) => 4,
            Entries::I64(_) => 8,
        }
    }

    /// The address of the first entry.
    pub(crate) fn base(&self) -> *const u8 {
        match &self.0.entries {
            Entries::I32(entries) => entries.as_ptr().cast(),
            Entries::I64(entries) => entries.as_ptr().cast(),
        }
    }

    /// Calls `visit` with the targets of `row` that `columns` names, without those that are missing.
    pub(crate) fn targets(&self, row: u32, columns: Columns, mut visit: impl FnMut(u32)) {
        let columns = match columns {
            Columns::One(column) => usize::from(column)..usize::from(column) + 1,
            Columns::All => 0..self.arity(),
        };
        for column in columns {
            if let Some(target) = self
                .entry(row as usize, column)
                .and_then(|t| u32::try_from(t).ok())
            {
                visit(target);
            }
        }
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Map) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Map {}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from_set().name(), self.to_set().name());
        write!(f, "Map({}: {from} -> {to}, {})", self.name(), self.arity())
    }
}
