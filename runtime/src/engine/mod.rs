//! The engine: what joins the compiler, the caches, the loader and the data of one program.
//!
//! An engine is explicit: there is no global one, and it reads nothing but its configuration. Invariant: dats, globals,
//! constants and kernels belong to the engine that made them; handles keep what they need of it alive.

mod acquire;
mod builder;
mod doubt;
mod explain;
mod identity;
mod info;
mod observe;
pub(crate) mod reason;
#[cfg(test)]
mod tests;
mod texts;
mod together;
mod workspaces;

pub(crate) use acquire::Acquired;
pub use builder::EngineBuilder;
pub use explain::{Explanation, KeptEntries, Nearest};
pub(crate) use identity::Resolution;
pub use info::CacheInfo;
pub use reason::rejection_codes;

use self::doubt::Distrusted;
use self::texts::Texts;
use self::workspaces::Workspaces;
use crate::code::{Code, HostTable, Linker};
use crate::config::Config;
use crate::constants::{ConstantError, Constants};
use crate::data::{Buffer, Dat, DataError, Global, Real, Registry, Shape, Value};
use crate::kernel::{Kernel, Text};
use crate::mesh::Set;
use parloop_cache::{ClassCache, Observer, StatsSnapshot, Store};
use parloop_compiler::{DType, Level, Options, Target};
use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Joins compiler, caches and data. A cheap `Send + Sync` handle; dropping the last one, kernels and prepared loops
/// included, waits up to a second for what is still to be written to the cache directory.
///
/// A process may fork while other threads use the engine. The child may use it too, and what was made with it; it finds no code in
/// memory, but in loops that are prepared, and waits for none of the threads that it does not have. `fork` itself waits for those that
/// change constants or register data, for microseconds (and no longer than 0.2 s: a signal handler that forks in the middle of this
/// leaves a child that should end or run another program). What another thread borrowed at that moment, a dat that a loop of its
/// wrote, stays borrowed in the child: an error at once, never a wait. An observer that takes a lock is its program's affair.
/// Forks are noticed by `pthread_atfork`: what passes it by (`_Fork`, `vfork`, a system call `clone` or `fork` of the program's own)
/// makes a child that takes itself for its parent, and that may only run another program or end.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) options: Options,
    pub(crate) target: Target,
    pub(crate) registry: Arc<Registry>,
    pub(crate) constants: Constants,
    pub(crate) hosts: HostTable,
    pub(crate) linker: Box<dyn Linker>,
    pub(crate) classes: ClassCache<Code>,
    pub(crate) store: Store,
    pub(crate) texts: Texts,
    workspaces: Workspaces,
    pub(crate) observer: Arc<dyn Observer>,
    stats: Arc<parloop_cache::Stats>,
    /// Calls of the compiler, counted here and not by events, so that tests can hold the one against the other.
    pub(crate) compilations: AtomicU64,
    /// Hits on disk, to audit a part of them.
    hits_seen: AtomicU64,
    distrusted: Distrusted,
}

impl Engine {
    /// An engine as its user wants it: code is kept in `$PARLOOP_CACHE_DIR`, else `$XDG_CACHE_HOME/parloop`, else
    /// `~/.cache/parloop`, and all other `PARLOOP_*` variables are heeded. It is `Engine::new(Config::from_env()?)`.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a variable that names no setting or has an impossible value. A directory that
    /// can't be used is no error: code is kept in memory then.
    pub fn from_env() -> Result<Engine, crate::Error> {
        Engine::new(Config::from_env()?)
    }

    /// Starts the configuration of an engine that does only what its program says. It reads no variable and, unless it is given a
    /// directory, keeps nothing on disk: the next process compiles again. [`Engine::from_env`] has the user's directory.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::new(Config::default())
    }

    /// An engine with this configuration.
    ///
    /// # Errors
    /// [`Error::Load`](crate::Error::Load) if code can't be loaded on this system at all.
    pub fn new(config: Config) -> Result<Engine, crate::Error> {
        EngineBuilder::new(config).build()
    }

    /// Its configuration.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The level of CPU features that it compiles for: the configured one, or the highest that the host has.
    pub fn level(&self) -> Level {
        self.0.target.level
    }

    /// What its caches and compiler have done so far.
    pub fn stats(&self) -> StatsSnapshot {
        self.0.stats.snapshot()
    }

    /// How many times the compiler was called.
    pub fn compilations(&self) -> u64 {
        self.0.compilations.load(Ordering::Relaxed)
    }

    /// Its cache directory, to look into.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Waits until everything compiled is written to the cache directory or given up; whether that came within `timeout`.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.0.store.flush(timeout)
    }

    /// A kernel of this engine. Nothing is parsed until a loop needs it, or [`Kernel::check`] asks.
    ///
    /// `text` is C and may hold many functions; `function` names the kernel among them, and `None` means the only one that
    /// no other calls.
    pub fn kernel(&self, text: &str, function: Option<&str>) -> Kernel {
        Kernel::of(self, Text::new(text), function)
    }

    /// Kernels of one text, by the names of their functions: what [`Engine::kernel`] gives for each, but the text is held once, and
    /// read once to look for what the cache directory has of them.
    pub fn kernels(&self, text: &str, functions: &[&str]) -> Vec<Kernel> {
        let text = Text::new(text);
        let kernel = |name: &&str| Kernel::of(self, Arc::clone(&text), Some(name));
        functions.iter().map(kernel).collect()
    }

    /// A dat with these values, `[element][component]`, halo included.
    ///
    /// # Errors
    /// [`DataError::Dim`], [`DataError::Length`], [`DataError::OutOfMemory`].
    pub fn dat<T: Value>(
        &self,
        set: &Set,
        name: &str,
        dim: usize,
        values: &[T],
    ) -> Result<Dat, DataError> {
        let shape = Shape {
            name,
            rows: set.total_size(),
            dim,
            dtype: T::DTYPE,
        };
        Ok(Dat::of(
            set,
            Buffer::copied(&self.0.registry, shape, values)?,
        ))
    }

    /// A dat of zeroes.
    ///
    /// # Errors
    /// [`DataError::Dim`], [`DataError::Type`], [`DataError::OutOfMemory`].
    pub fn dat_zeroed(
        &self,
        set: &Set,
        name: &str,
        dim: usize,
        dtype: DType,
    ) -> Result<Dat, DataError> {
        let shape = Shape {
            name,
            rows: set.total_size(),
            dim,
            dtype,
        };
        Ok(Dat::of(set, Buffer::zeroed(&self.0.registry, shape)?))
    }

    /// A dat whose values the embedder keeps: `total_size * dim` values of `dtype` from `base` on. `owner` is dropped when the
    /// dat's last handle is.
    ///
    /// # Errors
    /// [`DataError::BadPointer`], [`DataError::Overlap`], [`DataError::Dim`], [`DataError::Type`].
    ///
    /// # Safety
    /// Until `owner` is dropped these bytes stay where they are, initialised, valid for reads and writes from any thread;
    /// and while a loop or guard uses the dat, nothing else writes them (nor reads them, if the loop or guard writes).
    pub unsafe fn dat_from_raw(
        &self,
        set: &Set,
        name: &str,
        dim: usize,
        dtype: DType,
        base: *mut u8,
        owner: impl Any + Send + Sync,
    ) -> Result<Dat, DataError> {
        let shape = Shape {
            name,
            rows: set.total_size(),
            dim,
            dtype,
        };
        // SAFETY: passed on to the caller.
        let buffer = unsafe { Buffer::lent(&self.0.registry, shape, base, Box::new(owner)) }?;
        Ok(Dat::of(set, buffer))
    }

    /// A global with these values.
    ///
    /// # Errors
    /// [`DataError::Dim`], [`DataError::OutOfMemory`].
    pub fn global<T: Value>(&self, name: &str, values: &[T]) -> Result<Global, DataError> {
        let shape = Shape {
            name,
            rows: 1,
            dim: values.len(),
            dtype: T::DTYPE,
        };
        Ok(Global::of(Buffer::copied(&self.0.registry, shape, values)?))
    }

    /// A global whose values the embedder keeps.
    ///
    /// # Errors
    /// As [`Engine::dat_from_raw`].
    ///
    /// # Safety
    /// As [`Engine::dat_from_raw`], for `dim` values of `dtype`.
    pub unsafe fn global_from_raw(
        &self,
        name: &str,
        dim: usize,
        dtype: DType,
        base: *mut u8,
        owner: impl Any + Send + Sync,
    ) -> Result<Global, DataError> {
        let shape = Shape {
            name,
            rows: 1,
            dim,
            dtype,
        };
        // SAFETY: passed on to the caller.
        let buffer = unsafe { Buffer::lent(&self.0.registry, shape, base, Box::new(owner)) }?;
        Ok(Global::of(buffer))
    }

    /// Declares a kernel constant: kernels see a scalar for one value, else an array. Declaring one again, with the same
    /// type and number of values, sets it.
    ///
    /// # Errors
    /// [`ConstantError`].
    pub fn declare_constant<T: Real>(&self, name: &str, values: &[T]) -> Result<(), ConstantError> {
        self.0.constants.declare(name, values)
    }

    /// Sets a kernel constant. Loops that start after this, prepared ones too, use the new value.
    ///
    /// # Errors
    /// [`ConstantError`].
    pub fn set_constant<T: Real>(&self, name: &str, values: &[T]) -> Result<(), ConstantError> {
        self.0.constants.set(name, values)
    }

    /// Folds the value of a kernel constant into code (`true`), or has it read at each run (`false`, as at first). A loop
    /// with a folded constant is compiled anew for each value.
    ///
    /// # Errors
    /// [`ConstantError::Unknown`].
    pub fn specialise(&self, name: &str, fold: bool) -> Result<(), ConstantError> {
        self.0.constants.specialise(name, fold)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }

    pub(crate) fn is(&self, other: &Engine) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("store", &self.0.store)
            .finish_non_exhaustive()
    }
}
