//! Runs loops of C kernels over unstructured meshes: each is compiled in-process, once, and kept in memory and on disk.
//!
//! ```
//! use parloop::{Engine, Map, Set};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let own = tempfile::tempdir()?;
//! # // SAFETY: an example is a process of its own, with one thread so far.
//! # unsafe { std::env::set_var("PARLOOP_CACHE_DIR", own.path().join("cache")) };
//! let engine = Engine::from_env()?; // keeps code in the user's cache directory
//! let nodes = Set::new("nodes", 4)?;
//! let edges = Set::new("edges", 3)?;
//! let ends = Map::new("ends", &edges, &nodes, 2, [0, 1, 1, 2, 2, 3])?;
//! let length = engine.dat(&edges, "length", 1, &[1.0, 2.0, 4.0])?;
//! let sum = engine.dat(&nodes, "sum", 1, &[0.0; 4])?;
//! let total = engine.global("total", &[0.0])?;
//!
//! let kernel = engine.kernel(
//!     "void add(const double *l, double *a, double *b, double *t) { a[0] += l[0]; b[0] += l[0]; *t += l[0]; }",
//!     Some("add"),
//! );
//! let args = [length.read(), sum.inc().at(&ends, 0), sum.inc().at(&ends, 1), total.inc()];
//! engine.par_loop(&kernel, &edges, &args)?;
//!
//! assert_eq!(*sum.data::<f64>()?, [1.0, 3.0, 6.0, 4.0]);
//! assert_eq!(total.data::<f64>()?[0], 7.0);
//! # Ok(())
//! # }
//! ```
//!
//! - [`Set`]s, [`Map`]s and [`Subset`]s are the mesh; their entries are checked when they are made.
//!   A [`Renumbering`] puts a set into an order that caches like better, with the maps and dats that hang on it.
//! - [`Dat`]s and [`Global`]s are the data, in storage of the engine or the program's own. Looking into one
//!   ([`Dat::data`], [`Dat::data_mut`]) and running a loop on it exclude each other: an error at once, never a wait.
//! - An [`Engine`] joins them with compiler, caches and [`Kernel`]s. [`Engine::from_env`] keeps compiled code in the user's cache
//!   directory; [`Engine::builder`] does only what it is told, and keeps none on disk unless it is given a directory. [`Engine::par_loop`] runs a loop now;
//!   [`Engine::prepare`] gives a [`PreparedLoop`], whose [`run`](PreparedLoop::run) hashes nothing, allocates nothing and
//!   takes no lock.
//! - An [`Arg`] says what the kernel may do ([`Access`]) and how it gets to the data: directly, by one entry of a map
//!   ([`Arg::at`]), by all of them ([`Arg::through`]). What does not fit is refused with an [`ArgError`] before anything runs.
//! - A program that does its own loops takes a kernel as a C function: [`Engine::function`] gives a [`Function`].
//! - Kernel constants belong to the engine ([`Engine::declare_constant`]); a changed value is seen by the next run.
//! - What compiler and caches do is told as [`Event`]s, to an [`Observer`]; [`Engine::stats`] counts them. [`Engine::explain`]
//!   says why a loop is not in the cache directory: the nearest entry, and in what it differs.
//!
//! The accesses mean this, for every element in order. Indirect WRITE and INC start from zero in a local, which is written or
//! added after the kernel; MIN and MAX start from the data and are combined with it; RW, and everything direct, works in place.
//! A global under INC or WRITE is zero at each element and then added or taken; under MIN, MAX and RW the kernel sees the
//! running value. Every access is allowed on every path. A row that a partial map leaves out reads as zero and is not written.
//!
//! The crate deliberately has no global state, reads the environment only in [`Config::from_env`] and [`Engine::from_env`], never shows a fault of the
//! cache to its caller, and does not guard data against the C functions that a program lends to kernels
//! ([`EngineBuilder::host_function`]). Loops run on one thread; threads and processes come later.

mod code;
mod config;
mod constants;
mod data;
mod engine;
mod error;
mod exec;
mod fork;
mod function;
mod host;
mod kernel;
mod mesh;
mod par_loop;
mod perf_map;
mod renumber;

pub use code::{Entry, LoadError};
pub use config::{Config, ConfigError, Origin, Setting};
pub use constants::ConstantError;
pub use data::{Dat, DataError, DataMut, DataRef, Global, Real, Value};
pub use engine::{
    CacheInfo, Engine, EngineBuilder, Explanation, KeptEntries, Nearest, rejection_codes,
};
pub use error::{Error, Fault};
pub use function::Function;
pub use kernel::Kernel;
pub use mesh::{Map, MapIndex, MeshError, RowSpan, Set, Subset};
pub use par_loop::{Arg, ArgError, Bound, CodeSource, Over, PreparedLoop, element_index};
pub use renumber::{RenumberError, Renumbering};

pub use parloop_cache::{Event, Mode, Observer, StatsSnapshot};
pub use parloop_compiler::ir::{HostSymbol, Scalar};
pub use parloop_compiler::{
    Access, DType, Difference, Effort, Extent, ExtentError, FloatMode, Level, Options, ParamInfo,
};
