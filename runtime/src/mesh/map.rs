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

/// How far apart the entries of a map's rows are: of each row, its highest less its lowest. Missing entries don't count.
///
/// For a map to a set, the greatest is the bandwidth of the set's graph whose edges are pairs in a row; the mean tells how far a
/// loop over the rows jumps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowSpan {
    /// The greatest.
    pub max: u64,
    /// The mean over all rows that have an entry; 0 if none has.
    pub mean: f64,
}

impl Map {
    /// How far apart the entries of a row are. Goes through all owned rows.
    pub fn row_span(&self) -> RowSpan {
        let (mut max, mut sum, mut rows) = (0, 0.0, 0.0);
        for row in 0..self.from_set().size() as u32 {
            let mut ends = None;
            self.targets(row, Columns::All, |target| {
                let (low, high) = ends.unwrap_or((target, target));
                ends = Some((low.min(target), high.max(target)));
            });
            if let Some((low, high)) = ends {
                let span = u64::from(high - low);
                max = max.max(span);
                sum += span as f64;
                rows += 1.0;
            }
        }
        let mean = if rows > 0.0 { sum / rows } else { 0.0 };
        RowSpan { max, mean }
    }

    /// The same map with other sets, of the same sizes as its own: row `r` is row `rows.1[r]` of this one, and an entry `e` becomes
    /// `entries.1[e]`; `None` leaves set and numbers as they are. Fails with a number that does not fit the entries' type.
    pub(crate) fn renumbered(
        &self,
        rows: Option<(&Set, &[u32])>,
        entries: Option<(&Set, &[u32])>,
    ) -> Result<Map, u32> {
        let from = rows.map_or(self.from_set(), |(set, _)| set).clone();
        let to = entries.map_or(self.to_set(), |(set, _)| set).clone();
        let (rows, names) = (rows.map(|(_, rows)| rows), entries.map(|(_, names)| names));
        let arity = self.arity();
        let entries = match &self.0.entries {
            Entries::I32(old) => Entries::I32(renumber(old, arity, rows, names)?),
            Entries::I64(old) => Entries::I64(renumber(old, arity, rows, names)?),
        };
        Ok(Map(Arc::new(Rows {
            name: self.0.name.clone(),
            from,
            to,
            arity: self.0.arity,
            partial: self.0.partial,
            entries,
        })))
    }
}

/// Entries `[row][arity]` with rows taken in the order of `rows` and each entry `e` that is not missing replaced by `names[e]`.
fn renumber<I: MapIndex + TryFrom<u32>>(
    old: &[I],
    arity: usize,
    rows: Option<&[u32]>,
    names: Option<&[u32]>,
) -> Result<Box<[I]>, u32> {
    let mut new = match rows {
        None => old.to_vec(),
        Some(rows) => {
            let row = |row: &u32| &old[*row as usize * arity..][..arity];
            let mut taken = Vec::with_capacity(old.len());
            rows.iter().for_each(|r| taken.extend_from_slice(row(r)));
            taken
        }
    };
    if let Some(names) = names {
        for entry in &mut new {
            if let Ok(target) = usize::try_from((*entry).into()) {
                let name = names[target];
                *entry = I::try_from(name).map_err(|_| name)?;
            }
        }
    }
    Ok(new.into())
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
