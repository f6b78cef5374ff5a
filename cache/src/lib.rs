//! A compilation cache for any compiler's output: bytes by opaque key, in memory and on disk. It may lose, never lie.
//!
//! ```
//! use parloop_cache::{Expect, Key, Metadata, Publication, Stats, Store, StoreConfig, Table};
//! use std::{sync::Arc, time::Duration};
//!
//! # let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
//! # let temp = tempfile::Builder::new().permissions(private).tempdir().unwrap();
//! # let directory = temp.path().join("cache");
//! let stats = Arc::new(Stats::default());
//! let store = Store::open(StoreConfig::at(directory), stats.clone());
//! let preimage = b"all that the compiler reads";
//! let key = Key::new([7; 32]); // in earnest: a digest of the preimage
//! let here = |_feature: &str| true;
//!
//! if store.load(Table::Objects, &key, Expect::Preimage(preimage), &here).is_err() {
//!     let publication = Publication {
//!         payload: Arc::from(&b"object code"[..]),
//!         preimage: Arc::from(&preimage[..]),
//!         metadata: Metadata::default(),
//!     };
//!     store.publish(Table::Objects, &key, publication, None);
//! }
//! store.flush(Duration::from_secs(5));
//! let entry = store.load(Table::Objects, &key, Expect::Preimage(preimage), &here).unwrap();
//! assert_eq!(entry.payload(), b"object code");
//! assert_eq!((stats.snapshot().published, stats.snapshot().disk_hits), (1, 1));
//! ```
//!
//! - [`Store`] is the disk: two [`Table`]s of verified files (`FORMAT.md` describes them). [`Store::load`] gives an
//!   [`Entry`] or a [`Miss`] with its reason, [`Store::offer`] one that its reader may still refuse; [`Store::publish`] writes in the background; [`Store::lock`] lets one of
//!   many processes compile. Whatever is wrong on disk is a miss that heals, never an error.
//! - [`ClassCache`] is the memory: bounded values by [`Key`], made by one thread when many ask.
//! - [`object`] keeps what is built from objects with an identity, exactly as long as those live.
//! - [`Event`]s tell an [`Observer`] everything; [`Stats`] counts them, [`trace()`] forwards them to `tracing`. Reasons have stable
//!   codes, listed in `FORMAT.md`.
//! - [`Store::diagnose`] finds what slows a directory or keeps it from use, [`Store::collect`] evicts on demand.
//!
//! `examples/any_compiler.rs` keeps what `cc` makes, each object compiled by one of many processes.
//!
//! It deliberately does not parse payloads, make keys, read the environment, choose a directory, or know a compiler.

#![forbid(unsafe_code)]

mod config;
mod disk;
mod error;
mod event;
mod key;
mod memory;
pub mod object;
mod stats;
mod trace;
mod worth;

pub use config::{Mode, StoreConfig};
pub use disk::Table;
pub use disk::doctor::{Condition, Severity};
pub use disk::evict::Collected;
pub use disk::lifetime::Lifetime;
pub use disk::lock::FlightGuard;
pub use disk::maintain::{Listed, Problem, Usage};
pub use disk::metadata::Metadata;
pub use disk::offer::Offer;
pub use disk::read::{Entry, Expect};
pub use disk::shared::{State, Why};
pub use disk::store::Store;
pub use disk::trust::Refusal;
pub use disk::write::Publication;
pub use error::{Bypass, Caution, Miss, REJECTIONS};
pub use event::{Event, Layer, Observer};
pub use key::{Key, KeyError};
pub use memory::{ClassCache, ClassLimits, Cost};
pub use stats::{Stats, StatsSnapshot};
pub use trace::{explanations_are_traced, trace};
