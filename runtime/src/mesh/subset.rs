//! Subsets: some of a set's elements, as a list.
//!
//! Invariant: every number in the list is an element of the superset, and none stands twice. A loop over a subset takes the
//! superset's dats and maps, and runs in the order of the list.

use super::{MeshError, Set};
use std::fmt;
use std::sync::Arc;

/// Some of a set's elements. A cheap handle; two are equal when they are the same subset.
#[derive(Clone)]
pub struct Subset(Arc<List>);

struct List {
    superset: Set,
    elements: Box<[u32]>,
}

impl Subset {
    /// The elements as listed, run in this order.
    ///
    /// # Errors
    /// [`MeshError::ElementOutOfRange`], [`MeshError::DuplicateElement`].
    pub fn new(superset: &Set, elements: impl Into<Vec<u32>>) -> Result<Subset, MeshError> {
        let elements = elements.into();
        check_range(superset, &elements)?;
        let mut sorted = elements.clone();
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(MeshError::DuplicateElement {
                set: superset.name().to_owned(),
                element: pair[0],
            }),
            None => Ok(Subset::of(superset, elements)),
        }
    }

    /// The elements in ascending order, each once however often it is listed.
    ///
    /// # Errors
    /// [`MeshError::ElementOutOfRange`].
    pub fn sorted(superset: &Set, elements: impl Into<Vec<u32>>) -> Result<Subset, MeshError> {
        let mut elements = elements.into();
        check_range(superset, &elements)?;
        elements.sort_unstable();
        elements.dedup();
        Ok(Subset::of(superset, elements))
    }

    fn of(superset: &Set, elements: Vec<u32>) -> Subset {
        Subset(Arc::new(List {
            superset: superset.clone(),
            elements: elements.into(),
        }))
    }

    /// Elements of a subset by their numbers in a renumbered superset, each of them one of it and listed once.
    pub(crate) fn renumbered(superset: &Set, elements: Vec<u32>) -> Subset {
        Subset::of(superset, elements)
    }

    /// The set it is a part of.
    pub fn superset(&self) -> &Set {
        &self.0.superset
    }

    /// Its elements, by their numbers in the superset.
    pub fn elements(&self) -> &[u32] {
        &self.0.elements
    }
}

fn check_range(superset: &Set, elements: &[u32]) -> Result<(), MeshError> {
    let size = superset.total();
    match elements.iter().position(|element| *element >= size) {
        None => Ok(()),
        Some(position) => Err(MeshError::ElementOutOfRange {
            set: superset.name().to_owned(),
            position,
            element: elements[position],
            size,
        }),
    }
}

impl PartialEq for Subset {
    fn eq(&self, other: &Subset) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Subset {}

impl fmt::Debug for Subset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Subset({}, {})",
            self.superset().name(),
            self.elements().len()
        )
    }
}
