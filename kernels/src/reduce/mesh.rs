//! The sets of reduce: edges between nodes drawn at random, so that a node is the end of any number of edges, none included,
//! and an edge may have one node at both ends.
//!
//! The draw is a fixed function of the sizes: the same network on every machine.

use super::Element;
use crate::draw::Draw;

/// Most elements of a set: map values are 32-bit signed integers.
pub const SET_SIZE_MAX: u64 = i32::MAX as u64;

/// Why a network can't be made.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkError {
    /// Edges need nodes to end at.
    #[error(
        "a network needs at least one node and one edge: asked for {nnode} nodes, {nedge} edges"
    )]
    Empty {
        /// Nodes asked for.
        nnode: u64,
        /// Edges asked for.
        nedge: u64,
    },
    /// A set would have more elements than a map can name.
    #[error("a network of {nnode} nodes, {nedge} edges is too large: at most {limit} of each")]
    TooLarge {
        /// Nodes asked for.
        nnode: u64,
        /// Edges asked for.
        nedge: u64,
        /// The most elements of a set, [`SET_SIZE_MAX`].
        limit: u64,
    },
}

/// Nodes, and edges between them. Map values count from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Network {
    /// Number of nodes.
    pub nnode: usize,
    /// Nodes of the edges: `[nedge][2]`.
    pub edges: Vec<i32>,
}

impl Network {
    /// A network of `nnode` nodes and `nedge` edges.
    pub fn new(nnode: u64, nedge: u64) -> Result<Network, NetworkError> {
        if nnode == 0 || nedge == 0 {
            return Err(NetworkError::Empty { nnode, nedge });
        }
        if nnode.max(nedge) > SET_SIZE_MAX {
            return Err(NetworkError::TooLarge {
                nnode,
                nedge,
                limit: SET_SIZE_MAX,
            });
        }
        let mut draw = Draw {
            state: nnode ^ nedge.rotate_left(32),
        };
        let edges = (0..2 * nedge).map(|_| draw.below(nnode) as i32).collect();
        Ok(Network {
            nnode: nnode as usize,
            edges,
        })
    }

    /// Number of edges.
    pub fn nedge(&self) -> usize {
        self.edges.len() / 2
    }
}

/// `count` values of the sample range of `T`, the same for the same `seed`.
pub fn values<T: Element>(count: usize, seed: u64) -> Vec<T> {
    let mut draw = Draw { state: seed };
    (0..count)
        .map(|_| T::sample(draw.below(121) as u8))
        .collect()
}
