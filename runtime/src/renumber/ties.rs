//! What ties the elements of a set together: for each map, groups of elements that belong to one thing.
//!
//! A group is what shares a target of a map from the set, a row of a map to it, or an element with its entries where the map is
//! from the set to itself. Groups are kept as the map has them, never as pairs of elements: one that all elements share costs as
//! many entries as there are elements, not their square. Invariant: elements are owned ones; each map's entries are held twice
//! at most, by row in the map and by target in its `Transpose`.

use super::RenumberError;
use crate::mesh::{Columns, Map, Set};

/// The groups of a set's owned elements, by map.
pub(super) struct Ties<'a> {
    pub(super) elements: u32,
    maps: Vec<Tie<'a>>,
}

struct Tie<'a> {
    map: &'a Map,
    rows: Transpose,
    kind: Kind,
    /// Owned elements of the set.
    elements: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A map from the set: a group is a target, of the elements that have it.
    From,
    /// A map to the set: a group is a row, of its entries.
    To,
    /// A map from the set to itself: a group is a row, of its element and its entries.
    Own,
}

/// Of each target of a map, the rows that name it: `rows[starts[target]..starts[target + 1]]`.
struct Transpose {
    starts: Box<[usize]>,
    rows: Box<[u32]>,
}

impl Transpose {
    /// Of the first `rows` rows and the first `targets` targets.
    fn new(map: &Map, rows: u32, targets: u32) -> Transpose {
        let mut starts = vec![0; targets as usize + 1];
        let each = |visit: &mut dyn FnMut(u32, usize)| {
            for row in 0..rows {
                map.targets(row, Columns::All, |target| {
                    if target < targets {
                        visit(row, target as usize);
                    }
                });
            }
        };
        each(&mut |_, target| starts[target] += 1);
        let mut end = 0;
        for start in &mut starts {
            end += *start;
            *start = end;
        }
        let mut named = vec![0; end];
        // Filled from behind: what was each target's end becomes its start, and its rows are in descending order.
        each(&mut |row, target| {
            starts[target] -= 1;
            named[starts[target]] = row;
        });
        Transpose {
            starts: starts.into(),
            rows: named.into(),
        }
    }

    fn of(&self, target: u32) -> &[u32] {
        let target = target as usize;
        &self.rows[self.starts[target]..self.starts[target + 1]]
    }
}

impl Tie<'_> {
    fn new<'a>(set: &Set, map: &'a Map) -> Result<Tie<'a>, RenumberError> {
        let kind = match (map.from_set() == set, map.to_set() == set) {
            (true, false) => Kind::From,
            (false, true) => Kind::To,
            (true, true) => Kind::Own,
            (false, false) => return Err(RenumberError::other_map(map, set)),
        };
        let elements = set.size() as u32;
        let targets = match kind {
            Kind::From => map.to_set().total(),
            Kind::To | Kind::Own => elements,
        };
        let rows = map.from_set().size() as u32;
        Ok(Tie {
            map,
            rows: Transpose::new(map, rows, targets),
            kind,
            elements,
        })
    }

    /// How many groups, counting those of one element and of none.
    fn groups(&self) -> usize {
        match self.kind {
            Kind::From => self.map.to_set().total_size(),
            Kind::To | Kind::Own => self.map.from_set().size(),
        }
    }

    fn each_group(&self, element: u32, mut visit: impl FnMut(u32)) {
        match self.kind {
            Kind::From => self.map.targets(element, Columns::All, visit),
            Kind::To => self.rows.of(element).iter().copied().for_each(visit),
            Kind::Own => {
                visit(element);
                self.rows.of(element).iter().copied().for_each(visit);
            }
        }
    }

    fn each_member(&self, group: u32, mut visit: impl FnMut(u32)) {
        if self.kind == Kind::From {
            return self.rows.of(group).iter().copied().for_each(visit);
        }
        if self.kind == Kind::Own {
            visit(group);
        }
        self.map.targets(group, Columns::All, |target| {
            if target < self.elements {
                visit(target);
            }
        });
    }
}

impl<'a> Ties<'a> {
    pub(super) fn new(set: &Set, maps: &[&'a Map]) -> Result<Ties<'a>, RenumberError> {
        let maps: Result<Vec<_>, _> = maps.iter().map(|map| Tie::new(set, map)).collect();
        Ok(Ties {
            elements: set.size() as u32,
            maps: maps?,
        })
    }

    /// A flag for each group, by map.
    pub(super) fn flags(&self) -> Vec<Vec<bool>> {
        let flags = |tie: &Tie<'_>| vec![false; tie.groups()];
        self.maps.iter().map(flags).collect()
    }

    /// Calls `visit` with each group that the element is in: the map's place, and the group.
    pub(super) fn each_group(&self, element: u32, mut visit: impl FnMut(usize, u32)) {
        for (map, tie) in self.maps.iter().enumerate() {
            tie.each_group(element, |group| visit(map, group));
        }
    }

    /// Calls `visit` with each element of a group.
    pub(super) fn each_member(&self, map: usize, group: u32, visit: impl FnMut(u32)) {
        self.maps[map].each_member(group, visit);
    }

    /// For each element, with how many others it shares a group, counted once for each such group, however often a row names it.
    pub(super) fn degrees(&self) -> Vec<u32> {
        let mut degrees = vec![0u32; self.elements as usize];
        // Whether an element was counted in the group at hand.
        let mut counted = vec![false; self.elements as usize];
        for tie in &self.maps {
            for group in 0..tie.groups() as u32 {
                let mut members = 0u32;
                tie.each_member(group, |member| {
                    let again = std::mem::replace(&mut counted[member as usize], true);
                    members = members.saturating_add(u32::from(!again));
                });
                let others = members.saturating_sub(1);
                tie.each_member(group, |member| {
                    if std::mem::take(&mut counted[member as usize]) {
                        let degree = &mut degrees[member as usize];
                        *degree = degree.saturating_add(others);
                    }
                });
            }
        }
        degrees
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_that_a_row_names_twice_is_one_member_of_its_group() {
        let (cells, edges) = (Set::new("cells", 4).unwrap(), Set::new("edges", 2).unwrap());
        let degrees = |map: &Map| Ties::new(&cells, &[map]).unwrap().degrees();
        let to = Map::new("to", &edges, &cells, 3, [0i32, 0, 1, 2, 3, 2]).unwrap();
        assert_eq!(degrees(&to), [1, 1, 1, 1]);
        let from = Map::new("from", &cells, &edges, 2, [0i32, 0, 0, 1, 1, 1, 1, 1]).unwrap();
        assert_eq!(degrees(&from), [1, 3, 2, 2]);
        // The row of an element often names the element itself.
        let own = Map::new("own", &cells, &cells, 2, [0i32, 1, 1, 1, 2, 2, 3, 0]).unwrap();
        assert_eq!(degrees(&own), [2, 1, 0, 1]);
    }
}
