//! In which order an app's sets are numbered: a generated mesh is numbered row by row, which few real ones are.
//!
//! The same seed for every run: an order depends on the mesh alone.

use crate::draw::Draw;
use parloop::{RenumberError, Renumbering, Set};

/// The order of an app's sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// As the mesh has them.
    #[default]
    Natural,
    /// All sets in random orders: a mesh whose maker cared for none.
    Shuffled,
    /// The shuffled mesh after reverse Cuthill-McKee of the set that the others hang on, and those along it.
    Rcm,
}

impl Order {
    /// All of them.
    pub const ALL: [Order; 3] = [Order::Natural, Order::Shuffled, Order::Rcm];

    /// What commands and reports call it.
    pub fn name(self) -> &'static str {
        match self {
            Order::Natural => "natural",
            Order::Shuffled => "shuffled",
            Order::Rcm => "rcm",
        }
    }
}

/// A random order of a set without a halo (Fisher and Yates's shuffle), drawn from its name and size.
pub(crate) fn shuffled(set: &Set) -> Result<Renumbering, RenumberError> {
    let seed = |state: u64, byte: u8| state.rotate_left(8) ^ u64::from(byte);
    let mut draw = Draw {
        state: set.name().bytes().fold(set.size() as u64, seed),
    };
    let mut order: Vec<u32> = (0..set.size() as u32).collect();
    for last in (1..order.len()).rev() {
        order.swap(last, draw.below(last as u64 + 1) as usize);
    }
    Renumbering::of(set, order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_is_the_same_each_time_and_leaves_little_in_place() {
        let set = Set::new("cells", 1000).unwrap();
        let first = shuffled(&set).unwrap();
        let again = shuffled(&Set::new("cells", 1000).unwrap()).unwrap();
        assert_eq!(first.old_of_new(), again.old_of_new());
        let pairs = (0..).zip(first.old_of_new());
        assert!(pairs.filter(|(new, old)| new == *old).count() < 10);
        let other = shuffled(&Set::new("nodes", 1000).unwrap()).unwrap();
        assert_ne!(first.old_of_new(), other.old_of_new());
    }
}
