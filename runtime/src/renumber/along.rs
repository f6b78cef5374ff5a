//! The order of a set that follows another set's: by the elements that its own ones touch.

use super::RenumberError;
use crate::mesh::{Columns, Map, Set};

/// All owned elements of `set`: a map to it names them in turn, one from it tells what to sort them by.
pub(super) fn order(set: &Set, map: &Map) -> Result<Vec<u32>, RenumberError> {
    if map.from_set() == set {
        Ok(by_entries(set, map))
    } else if map.to_set() == set {
        Ok(as_named(set, map))
    } else {
        Err(RenumberError::other_map(map, set))
    }
}

/// By the lowest entry, then by the highest. An empty row is behind all others.
fn by_entries(set: &Set, map: &Map) -> Vec<u32> {
    let key = |element: u32| {
        let (mut low, mut high) = (u32::MAX, 0);
        map.targets(element, Columns::All, |target| {
            low = low.min(target);
            high = high.max(target);
        });
        (low, high)
    };
    let mut order: Vec<u32> = (0..set.size() as u32).collect();
    order.sort_by_cached_key(|element| key(*element));
    order
}

/// As the owned rows name them for the first time.
fn as_named(set: &Set, map: &Map) -> Vec<u32> {
    let owned = set.size();
    let mut order = Vec::with_capacity(owned);
    let mut named = vec![false; owned];
    for row in 0..map.from_set().size() as u32 {
        map.targets(row, Columns::All, |target| {
            if let Some(named @ false) = named.get_mut(target as usize) {
                *named = true;
                order.push(target);
            }
        });
    }
    order.extend((0..owned as u32).filter(|element| !named[*element as usize]));
    order
}
