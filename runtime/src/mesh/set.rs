//! Sets: a size and an identity.
//!
//! Invariant: a set has fewer than 2^32 elements, halo included. Its elements are numbered core first, then the rest of the
//! owned ones, then the halo; loops run over the owned ones, dats and maps cover all.

use super::MeshError;
use std::fmt;
use std::sync::Arc;

/// A set of mesh entities: nodes, edges, cells. A cheap handle; two are equal when they are the same set.
#[derive(Clone)]
pub struct Set(Arc<Sizes>);

struct Sizes {
    name: Box<str>,
    core: u32,
    owned: u32,
    total: u32,
}

impl Set {
    /// A set of `size` elements without a halo.
    ///
    /// # Errors
    /// [`MeshError::SetTooLarge`].
    pub fn new(name: &str, size: usize) -> Result<Set, MeshError> {
        Set::with_halo(name, size, 0, 0)
    }

    /// A set of `core` elements that touch no halo, `boundary` further owned elements, and `halo` elements that another
    /// process owns, numbered in this order.
    ///
    /// # Errors
    /// [`MeshError::SetTooLarge`].
    pub fn with_halo(
        name: &str,
        core: usize,
        boundary: usize,
        halo: usize,
    ) -> Result<Set, MeshError> {
        let size = core as u128 + boundary as u128 + halo as u128;
        let total = u32::try_from(size).map_err(|_| MeshError::SetTooLarge {
            set: name.to_owned(),
            size,
        })?;
        // `total` bounds both of the others.
        let (core, owned) = (core as u32, (core + boundary) as u32);
        Ok(Set(Arc::new(Sizes {
            name: name.into(),
            core,
            owned,
            total,
        })))
    }

    /// Its name, for messages.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Elements that a loop over the set runs on: all but the halo.
    pub fn size(&self) -> usize {
        self.0.owned as usize
    }

    /// Elements that touch no halo.
    pub fn core_size(&self) -> usize {
        self.0.core as usize
    }

    /// All elements, halo included: the rows of the set's dats and maps.
    pub fn total_size(&self) -> usize {
        self.0.total as usize
    }

    /// Another set of the same sizes, whose name says what became of it.
    pub(crate) fn renumbered(&self) -> Set {
        const MARK: &str = " (renumbered)";
        let name = self.name().trim_end_matches(MARK);
        Set(Arc::new(Sizes {
            name: format!("{name}{MARK}").into(),
            ..*self.0
        }))
    }

    pub(crate) fn total(&self) -> u32 {
        self.0.total
    }
}

impl PartialEq for Set {
    fn eq(&self, other: &Set) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Set {}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Set({}, {})", self.name(), self.total_size())
    }
}
