//! The disk store: verified entries by key, in a directory that may be damaged, hostile, full or gone.
//!
//! One way of dependence: `store -> publisher -> write, admit -> evict, outdated -> read -> format, metadata -> path`, all of them on
//! `tree` (a verified, opened directory), which stands on `trust`, `secret` and `sys`.

pub(crate) mod admit;
pub(crate) mod doctor;
pub(crate) mod evict;
pub(crate) mod format;
pub(crate) mod hint;
pub(crate) mod lifetime;
pub(crate) mod lock;
pub(crate) mod maintain;
pub(crate) mod metadata;
pub(crate) mod offer;
pub(crate) mod outdated;
pub(crate) mod path;
pub(crate) mod pause;
pub(crate) mod publisher;
pub(crate) mod read;
pub(crate) mod secret;
pub(crate) mod shared;
pub(crate) mod store;
pub(crate) mod sys;
pub(crate) mod tree;
pub(crate) mod trust;
pub(crate) mod usage;
pub(crate) mod uses;
pub(crate) mod write;

use crate::event::Layer;

/// The two tables of a store. One format; a file of one is never taken for a file of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Payloads by fingerprint.
    Objects,
    /// Small records by the hash of what leads to a fingerprint.
    Shortcuts,
}

impl Table {
    /// Both tables.
    pub const ALL: [Self; 2] = [Self::Objects, Self::Shortcuts];

    /// The byte that tells the tables apart in a file.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Objects => 1,
            Self::Shortcuts => 2,
        }
    }

    /// The layer that events of this table name.
    pub fn layer(self) -> Layer {
        match self {
            Self::Objects => Layer::Disk,
            Self::Shortcuts => Layer::Shortcut,
        }
    }
}
