//! Renumbering: the elements of a set in another order, and with it the maps and dats that hang on the set.
//!
//! A renumbered set is another set, with another identity: what was forgotten on the old one does not fit a loop on the new one
//! and is refused. Invariant: both arrays are permutations of the set's elements and each other's inverse; they keep core
//! elements in the core, boundary elements in the boundary, and each halo element in its place, which other processes know.

mod along;
mod error;
mod rcm;
mod ties;

pub use error::RenumberError;

use crate::data::Dat;
use crate::mesh::{Map, Set, Subset};
use std::fmt;
use std::sync::Arc;

/// A set's elements in another order. A cheap handle.
///
/// ```
/// use parloop::{DType, Engine, Map, Renumbering, Set};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let engine = Engine::builder().build()?;
/// let cells = Set::new("cells", 5)?;
/// let edges = Set::new("edges", 4)?;
/// let sides = Map::new("sides", &edges, &cells, 2, [0, 3, 3, 1, 1, 4, 4, 2])?;
/// let u = engine.dat(&cells, "u", 1, &[0.0, 2.0, 4.0, 1.0, 3.0])?;
/// assert_eq!(sides.row_span().max, 3);
///
/// let cells = Renumbering::rcm(&cells, &[&sides])?;
/// let (sides, u) = (cells.map(&sides)?, cells.dat(&u)?);
/// assert_eq!(sides.row_span().max, 1);
///
/// let edges = Renumbering::along(&edges, &sides)?;
/// let sides = edges.map(&sides)?;
/// assert_eq!((sides.from_set(), sides.to_set()), (edges.set(), cells.set()));
///
/// let output = cells.inverse().dat(&u)?; // on the set that was given, in its order
/// assert_eq!(*output.data::<f64>()?, [0.0, 2.0, 4.0, 1.0, 3.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Renumbering {
    old: Set,
    new: Set,
    /// `[new number]`.
    old_of_new: Arc<[u32]>,
    /// `[old number]`.
    new_of_old: Arc<[u32]>,
}

impl Renumbering {
    /// The caller's own order: element `i` of the new set is element `old_of_new[i]` of `set`, halo included.
    ///
    /// # Errors
    /// [`RenumberError::Length`], [`RenumberError::OutOfRange`], [`RenumberError::Twice`]; [`RenumberError::Moved`] for an
    /// element that would leave core, boundary or its place in the halo.
    pub fn of(set: &Set, old_of_new: impl Into<Vec<u32>>) -> Result<Renumbering, RenumberError> {
        let old_of_new = old_of_new.into();
        let new_of_old = inverted(set, &old_of_new)?;
        check_parts(set, &old_of_new)?;
        Ok(Renumbering {
            old: set.clone(),
            new: set.renumbered(),
            old_of_new: old_of_new.into(),
            new_of_old: new_of_old.into(),
        })
    }

    /// Reverse Cuthill-McKee: elements that belong together get numbers close to each other.
    ///
    /// Elements of `set` are neighbours when they have an entry of a map from the set in common, or stand in one row of a map to
    /// it; a map from the set to itself makes an element the neighbour of its entries. Rows and elements of halos make no
    /// neighbours. Each part that hangs together is ordered from an element at its edge outwards, neighbours of few neighbours
    /// first, and reversed; parts follow each other as their lowest elements did. The core comes first, then the boundary, both
    /// in this order.
    ///
    /// Takes memory in proportion to elements and map entries, and time too, but for sorting the neighbours that an element
    /// brings in. The result depends on nothing but the entries. (E. Cuthill, J. McKee: "Reducing the bandwidth of sparse symmetric
    /// matrices", 1969; A. George: "Computer implementation of the finite element method", 1971, for the reversal; A. George,
    /// J. W. H. Liu: "An implementation of a pseudoperipheral node finder", 1979, for the first element.)
    ///
    /// # Errors
    /// [`RenumberError::OtherMap`] for a map neither from nor to the set.
    pub fn rcm(set: &Set, maps: &[&Map]) -> Result<Renumbering, RenumberError> {
        let order = rcm::order(&ties::Ties::new(set, maps)?);
        Ok(Renumbering::from_order(set, order))
    }

    /// A set in the order of another that is numbered well already, core and boundary each for itself.
    ///
    /// If `map` is from the set, elements are sorted by their row's lowest entry, then by its highest. If `map` leads to the set,
    /// they come as the owned rows name them, first row first. Equal ones, and at the end those that touch nothing, keep their
    /// order. So, once cells are renumbered: edges along the map from edges to cells, nodes along the one from cells to nodes.
    ///
    /// # Errors
    /// [`RenumberError::OtherMap`] for a map neither from nor to the set.
    pub fn along(set: &Set, map: &Map) -> Result<Renumbering, RenumberError> {
        Ok(Renumbering::from_order(set, along::order(set, map)?))
    }

    /// From an order of all owned elements.
    fn from_order(set: &Set, order: Vec<u32>) -> Renumbering {
        let (core, owned) = (set.core_size(), set.size());
        let mut old_of_new = Vec::with_capacity(set.total_size());
        let in_core = |element: &&u32| (**element as usize) < core;
        old_of_new.extend(order.iter().filter(in_core));
        old_of_new.extend(order.iter().filter(|element| !in_core(element)));
        old_of_new.extend(owned as u32..set.total());
        let mut new_of_old = vec![0; old_of_new.len()];
        for (new, old) in (0..).zip(&old_of_new) {
            new_of_old[*old as usize] = new;
        }
        Renumbering {
            old: set.clone(),
            new: set.renumbered(),
            old_of_new: old_of_new.into(),
            new_of_old: new_of_old.into(),
        }
    }

    /// The set in its new order: as large as the old one, another set all the same.
    pub fn set(&self) -> &Set {
        &self.new
    }

    /// The set whose elements were renumbered.
    pub fn old_set(&self) -> &Set {
        &self.old
    }

    /// Old numbers of the elements, in the new order.
    pub fn old_of_new(&self) -> &[u32] {
        &self.old_of_new
    }

    /// New numbers of the elements, in the old order.
    pub fn new_of_old(&self) -> &[u32] {
        &self.new_of_old
    }

    /// The way back: from the new set to the old one, the very set that was renumbered.
    pub fn inverse(&self) -> Renumbering {
        Renumbering {
            old: self.new.clone(),
            new: self.old.clone(),
            old_of_new: self.new_of_old.clone(),
            new_of_old: self.old_of_new.clone(),
        }
    }

    /// The same map with the new set for the old one: rows in the new order if it is from the set, entries renamed if it leads to
    /// it. Missing entries stay missing.
    ///
    /// # Errors
    /// [`RenumberError::OtherMap`]; [`RenumberError::TooWide`] for a new number that a map of `i32` can't hold.
    pub fn map(&self, map: &Map) -> Result<Map, RenumberError> {
        let (from, to) = (*map.from_set() == self.old, *map.to_set() == self.old);
        if !from && !to {
            return Err(RenumberError::other_map(map, &self.old));
        }
        let rows = from.then_some((&self.new, self.old_of_new()));
        let entries = to.then_some((&self.new, self.new_of_old()));
        map.renumbered(rows, entries)
            .map_err(|entry| RenumberError::TooWide {
                map: map.name().to_owned(),
                entry,
            })
    }

    /// A copy of the dat on the new set, its rows in the new order. The old dat stays as it is.
    ///
    /// # Errors
    /// [`RenumberError::OtherDat`]; [`RenumberError::Data`] while somebody writes the dat, or without memory for another.
    pub fn dat(&self, dat: &Dat) -> Result<Dat, RenumberError> {
        if *dat.set() != self.old {
            return Err(RenumberError::OtherDat {
                dat: dat.name().to_owned(),
                dat_set: dat.set().name().to_owned(),
                set: self.old.name().to_owned(),
            });
        }
        Ok(dat.renumbered(&self.new, &self.old_of_new)?)
    }

    /// The same elements as a subset of the new set, in ascending order.
    ///
    /// # Errors
    /// [`RenumberError::OtherSubset`].
    pub fn subset(&self, subset: &Subset) -> Result<Subset, RenumberError> {
        if *subset.superset() != self.old {
            return Err(RenumberError::OtherSubset {
                superset: subset.superset().name().to_owned(),
                set: self.old.name().to_owned(),
            });
        }
        let new = |old: &u32| self.new_of_old[*old as usize];
        let mut elements: Vec<u32> = subset.elements().iter().map(new).collect();
        elements.sort_unstable();
        Ok(Subset::renumbered(&self.new, elements))
    }
}

impl fmt::Debug for Renumbering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Renumbering({:?} -> {:?})", self.old, self.new)
    }
}

/// The inverse of `old_of_new`, if it is a permutation of all elements.
fn inverted(set: &Set, old_of_new: &[u32]) -> Result<Vec<u32>, RenumberError> {
    let name = || set.name().to_owned();
    if old_of_new.len() != set.total_size() {
        return Err(RenumberError::Length {
            set: name(),
            expected: set.total_size(),
            found: old_of_new.len(),
        });
    }
    // No new number is this one: a set has fewer than 2^32 elements.
    const NONE: u32 = u32::MAX;
    let mut new_of_old = vec![NONE; old_of_new.len()];
    for (position, &element) in old_of_new.iter().enumerate() {
        match new_of_old.get_mut(element as usize) {
            None => {
                return Err(RenumberError::OutOfRange {
                    set: name(),
                    position,
                    element,
                    size: set.total(),
                });
            }
            Some(new) if *new == NONE => *new = position as u32,
            Some(_) => {
                return Err(RenumberError::Twice {
                    set: name(),
                    position,
                    element,
                });
            }
        }
    }
    Ok(new_of_old)
}

/// Whether each element stays in its part of the set.
fn check_parts(set: &Set, old_of_new: &[u32]) -> Result<(), RenumberError> {
    let (core, owned) = (set.core_size(), set.size());
    let stays = |new: usize, old: usize| {
        if new < owned {
            old < owned && (new < core) == (old < core)
        } else {
            new == old
        }
    };
    let pairs = old_of_new.iter().map(|old| *old as usize).enumerate();
    for (position, element) in pairs {
        if !stays(position, element) {
            return Err(RenumberError::Moved {
                set: set.name().to_owned(),
                position,
                element: element as u32,
            });
        }
    }
    Ok(())
}
