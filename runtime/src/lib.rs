//! Runs loops of C kernels over unstructured meshes; compiles each once, in-process, and keeps the code in memory and on disk.

mod code;
mod config;
mod constants;
mod data;
mod engine;
mod error;
mod exec;
mod host;
mod kernel;
mod mesh;
mod par_loop;
mod perf_map;

pub use code::LoadError;
pub use config::{Config, ConfigError, Origin, Setting};
pub use constants::ConstantError;
pub use data::{Dat, DataError, DataMut, DataRef, Global, Value};
pub use engine::{Engine, EngineBuilder};
pub use error::{Error, Fault};
pub use kernel::Kernel;
pub use mesh::{Map, MapIndex, MeshError, Set, Subset};
pub use par_loop::{Arg, ArgError, Bound, CodeSource, Over, PreparedLoop, element_index};

pub use parloop_cache::{Event, Mode, Observer, StatsSnapshot};
pub use parloop_compiler::ir::{HostSymbol, Scalar};
pub use parloop_compiler::{Access, DType, Effort, FloatMode, Level, Options};
