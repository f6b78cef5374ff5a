//! Configures and makes an engine.
//!
//! Invariant: everything an engine depends on goes through here; nothing about it changes later but its constants.

use super::observe::Fanout;
use super::{Engine, Shared, doubt};
use crate::code::{CraneliftLinker, HostTable};
use crate::config::Config;
use crate::constants::Constants;
use crate::data::Registry;
use crate::error::Error;
use crate::fork;
use crate::host;
use parloop_cache::{ClassCache, ClassLimits, Mode, Observer, State, Stats, Store, StoreConfig};
use parloop_compiler::ir::HostSymbol;
use parloop_compiler::{Level, Options, Target};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// The configuration of an engine that is to be made. See [`Engine::builder`].
pub struct EngineBuilder {
    config: Config,
    observer: Option<Arc<dyn Observer>>,
    hosts: HostTable,
    /// A host function that was not taken.
    refused: Option<String>,
}

impl EngineBuilder {
    pub(crate) fn new(config: Config) -> EngineBuilder {
        EngineBuilder {
            config,
            observer: None,
            hosts: HostTable::with_math(),
            refused: None,
        }
    }

    /// Replaces all settings.
    #[must_use]
    pub fn config(mut self, config: Config) -> EngineBuilder {
        self.config = config;
        self
    }

    /// Keeps compiled loops in this directory.
    #[must_use]
    pub fn cache_dir(mut self, directory: impl AsRef<Path>) -> EngineBuilder {
        self.config.cache_dir = Some(directory.as_ref().to_owned());
        self
    }

    /// What may be done with the cache directory.
    #[must_use]
    pub fn cache_mode(mut self, mode: Mode) -> EngineBuilder {
        self.config.cache_mode = mode;
        self
    }

    /// Choices about code.
    #[must_use]
    pub fn options(mut self, options: Options) -> EngineBuilder {
        self.config.options = options;
        self
    }

    /// Compiles for this level of CPU features instead of the highest that the host has.
    #[must_use]
    pub fn level(mut self, level: Level) -> EngineBuilder {
        self.config.level = Some(level);
        self
    }

    /// Steps that one element may spend in loops of unknown length.
    #[must_use]
    pub fn steps_max(mut self, steps: u64) -> EngineBuilder {
        self.config.steps_max = steps;
        self
    }

    /// Who is told of every hit, miss and compilation. Called where it happens: it must be quick.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> EngineBuilder {
        self.observer = Some(observer);
        self
    }

    /// Lets kernels call a function of the program, besides those of `math.h`.
    ///
    /// # Safety
    /// `address` is that of a C function with exactly this signature, which any thread may call at any time while the
    /// engine lives, which has no side effect, and which neither unwinds, nor touches the engine, nor calls a
    /// [`Function`](crate::Function) of any engine: those of one thread share memory for large local arrays.
    #[must_use]
    pub unsafe fn host_function(mut self, symbol: HostSymbol, address: *const u8) -> EngineBuilder {
        let name = symbol.name.clone();
        // SAFETY: passed on to the caller.
        let taken = unsafe { self.hosts.add(symbol, address) };
        if !taken {
            self.refused.get_or_insert(name);
        }
        self
    }

    /// Makes the engine. A cache directory that can't be used costs one warning event, not the engine.
    ///
    /// # Errors
    /// [`Error::HostFunction`] for a host function with a name that is taken or no C identifier, or without an address,
    /// [`Error::Config`] for a setting that can't be.
    pub fn build(self) -> Result<Engine, Error> {
        let EngineBuilder {
            config,
            observer,
            hosts,
            refused,
        } = self;
        if let Some(name) = refused {
            return Err(Error::HostFunction { name });
        }
        config.check()?;
        let level = config.level.unwrap_or_else(host::native_level);
        let stats = Arc::new(Stats::default());
        let observer: Arc<dyn Observer> = Arc::new(Fanout {
            stats: stats.clone(),
            embedder: observer,
        });
        let classes =
            ClassCache::with_process(class_limits(&config), observer.clone(), fork::process());
        let store = Store::open(store_config(&config), observer.clone());
        say_where(&store);
        Ok(Engine(Arc::new(Shared {
            options: config.options,
            target: Target { level },
            hits_seen: AtomicU64::new(doubt::first_count(config.audit_every)),
            distrusted: doubt::Distrusted::default(),
            config,
            registry: Arc::new(Registry::default()),
            texts: super::texts::Texts::default(),
            workspaces: super::workspaces::Workspaces::default(),
            constants: Constants::default(),
            hosts,
            linker: Box::new(CraneliftLinker),
            classes,
            store,
            observer,
            stats,
            compilations: AtomicU64::new(0),
        })))
    }
}

/// Tells the log where code is kept, once for each engine.
fn say_where(store: &Store) {
    let mode = store.config().mode.name();
    match (&store.config().directory, store.state()) {
        (Some(directory), State::Disabled { why } | State::ReadOnly { why }) => {
            tracing::info!(target: "parloop::cache", ?directory, mode, %why, "cache directory");
        }
        (Some(directory), _) => {
            tracing::info!(target: "parloop::cache", ?directory, mode, "cache directory");
        }
        (None, _) => tracing::info!(target: "parloop::cache", mode, "no cache directory"),
    }
}

fn class_limits(config: &Config) -> ClassLimits {
    let mut limits = ClassLimits::default();
    limits.size_bytes_max = config.memory_bytes_max;
    limits.entries_max = config.memory_entries_max;
    limits
}

fn store_config(config: &Config) -> StoreConfig {
    let mut store = StoreConfig::default();
    store.directory = config.cache_dir.clone();
    store.mode = config.cache_mode;
    store.size_bytes_max = config.cache_bytes_max;
    store.entries_max = config.cache_entries_max;
    store.lock_wait_max = config.cache_wait;
    store
}
