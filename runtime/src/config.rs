//! Settings of an engine: each with a name, a value, and where the value came from.
//!
//! One table serves all ways to set them: the API, environment variables (`PARLOOP_` and the name in capitals), command lines.
//! Nothing here reads the environment but [`Config::from_env`], and an engine reads nothing but its `Config`.

use parloop_cache::Mode;
use parloop_compiler::{Effort, FloatMode, Level, Options};
use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::time::Duration;

/// Why a setting was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No setting of that name.
    #[error("there is no setting `{name}` ({from}); `parloop config` lists those there are")]
    Unknown {
        /// The name.
        name: String,
        /// Where it was given.
        from: Origin,
    },
    /// A value that the setting can't have.
    #[error("setting `{name}` ({from}): `{value}` is not possible; it takes {expected}")]
    Value {
        /// The setting.
        name: &'static str,
        /// Where the value was given.
        from: Origin,
        /// The value.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
}

/// Where a setting's value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// Built in.
    Default,
    /// An environment variable.
    Environment,
    /// A command line.
    Option,
    /// The program itself.
    Api,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Origin::Default => "default",
            Origin::Environment => "environment",
            Origin::Option => "command line",
            Origin::Api => "program",
        })
    }
}

/// A setting as shown to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name, as on a command line, with `_`.
    pub name: &'static str,
    /// The environment variable that sets it.
    pub variable: String,
    /// Its value, as it would be written.
    pub value: String,
    /// Where that came from.
    pub origin: Origin,
    /// What it is, and what values it takes.
    pub help: &'static str,
}

/// Settings of an engine. The default keeps nothing on disk.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where compiled loops are kept; `None` for memory only.
    pub cache_dir: Option<PathBuf>,
    /// What may be done with that directory.
    pub cache_mode: Mode,
    /// In mode `audit`, one hit in so many is audited.
    pub audit_every: u32,
    /// Bound on the bytes kept there.
    pub cache_bytes_max: u64,
    /// Bound on the files kept there.
    pub cache_entries_max: u64,
    /// How long to wait for another process that compiles the same loop.
    pub cache_wait: Duration,
    /// Bound on the memory that code takes: whole pages for each loop, and what is kept beside them. A process has less than 128 KiB
    /// more, ready for its next loops.
    pub memory_bytes_max: u64,
    /// Bound on the loops kept in memory. The default, 32,768, leaves half of the mappings that Linux gives a process.
    pub memory_entries_max: u64,
    /// Level of CPU features to compile for; `None` for the highest that the host has.
    pub level: Option<Level>,
    /// Choices about code.
    pub options: Options,
    /// Steps that one element may spend in loops whose length is not known when compiling. The default, 2^32, is seconds
    /// of work: far more than a kernel needs, and an end to one that would never stop.
    pub steps_max: u64,
    /// How many threads compile kernels that are asked for together; 0 for one on each core that the process may use.
    pub compile_threads: usize,
    /// Whether to print sizes and counts of the caches to standard error when the engine goes.
    pub cache_info: bool,
    /// Whether to tell `perf` the names of loops, in `/tmp/perf-PID.map`.
    pub perf_map: bool,
    origins: BTreeMap<&'static str, Origin>,
}

impl Default for Config {
    fn default() -> Config {
        let store = parloop_cache::StoreConfig::default();
        let memory = parloop_cache::ClassLimits::default();
        Config {
            cache_dir: None,
            cache_mode: Mode::ReadWrite,
            audit_every: 16,
            cache_bytes_max: store.size_bytes_max,
            cache_entries_max: store.entries_max,
            cache_wait: store.lock_wait_max,
            memory_bytes_max: memory.size_bytes_max,
            memory_entries_max: LOOPS_MAX,
            level: None,
            options: Options::default(),
            steps_max: 1 << 32,
            compile_threads: 0,
            cache_info: false,
            perf_map: false,
            origins: BTreeMap::new(),
        }
    }
}

/// Loops side by side share a mapping, but those that outlive their neighbours have one each, of which Linux gives a process 65,530
/// (`vm.max_map_count`). Half of them are left for all else.
const LOOPS_MAX: u64 = 1 << 15;

/// How a setting is read and shown.
struct Row {
    name: &'static str,
    help: &'static str,
    read: fn(&mut Config, &str) -> Option<()>,
    show: fn(&Config) -> String,
}

impl Row {
    fn impossible(&self, value: String, from: Origin) -> ConfigError {
        let expected = self.help.rsplit(": ").next().unwrap_or(self.help);
        ConfigError::Value {
            name: self.name,
            from,
            value,
            expected,
        }
    }
}

const PREFIX: &str = "PARLOOP_";

/// How the names of variables go on that are no settings: those of our own tests and fuzzers, which a command may inherit, and the one by
/// which programs customarily filter what `tracing` is told.
const NOT_SETTINGS: [&str; 4] = ["TEST_", "TESTS_", "FUZZ_", "LOG"];

const TABLE: [Row; 17] = [
    Row {
        name: "cache_dir",
        help: "where compiled loops are kept: a directory, empty for memory only",
        read: |c, v| {
            c.cache_dir = (!v.is_empty()).then(|| PathBuf::from(v));
            Some(())
        },
        show: |c| {
            c.cache_dir
                .as_ref()
                .map(|d| d.display().to_string())
                .unwrap_or_default()
        },
    },
    Row {
        name: "cache_mode",
        help: "what may be done with it: off, read-only, read-write, refresh, verify or audit",
        read: |c, v| set(&mut c.cache_mode, named(&MODES, v)),
        show: |c| name_of(&MODES, &c.cache_mode),
    },
    Row {
        name: "audit_every",
        help: "in mode audit, one hit in so many is audited: a number from 1 on",
        read: |c, v| {
            set(
                &mut c.audit_every,
                v.parse().ok().filter(|every| *every > 0),
            )
        },
        show: |c| c.audit_every.to_string(),
    },
    Row {
        name: "cache_bytes_max",
        help: "bound on the bytes kept there: a number",
        read: |c, v| set(&mut c.cache_bytes_max, v.parse().ok()),
        show: |c| c.cache_bytes_max.to_string(),
    },
    Row {
        name: "cache_entries_max",
        help: "bound on the files kept there: a number",
        read: |c, v| set(&mut c.cache_entries_max, v.parse().ok()),
        show: |c| c.cache_entries_max.to_string(),
    },
    Row {
        name: "cache_wait_ms",
        help: "how long to wait for another process that compiles the same loop: milliseconds",
        read: |c, v| set(&mut c.cache_wait, v.parse().ok().map(Duration::from_millis)),
        show: |c| c.cache_wait.as_millis().to_string(),
    },
    Row {
        name: "memory_bytes_max",
        help: "bound on the memory that code takes, in whole pages for each loop: a number of bytes",
        read: |c, v| set(&mut c.memory_bytes_max, v.parse().ok()),
        show: |c| c.memory_bytes_max.to_string(),
    },
    Row {
        name: "memory_entries_max",
        help: "bound on the loops kept in memory: a number",
        read: |c, v| set(&mut c.memory_entries_max, v.parse().ok()),
        show: |c| c.memory_entries_max.to_string(),
    },
    Row {
        name: "level",
        help: "CPU features to compile for: native, baseline, x86-64-v2, x86-64-v3, x86-64-v4 (also v2, v3, v4) or aarch64, if the host has them; `parloop check`, which runs nothing, takes any",
        read: |c, v| {
            let level = match v {
                "native" => None,
                name => Some(Config::level_named(name).filter(|level| crate::host::runs(*level))?),
            };
            set(&mut c.level, Some(level))
        },
        show: |c| c.level.map_or("native", Level::name).to_owned(),
    },
    Row {
        name: "float",
        help: "how floating point is evaluated: contract, strict or reassociate",
        read: |c, v| set(&mut c.options.float, named(&FLOATS, v)),
        show: |c| name_of(&FLOATS, &c.options.float),
    },
    Row {
        name: "effort",
        help: "effort of the code generator after our own passes: none or speed",
        read: |c, v| set(&mut c.options.effort, named(&EFFORTS, v)),
        show: |c| name_of(&EFFORTS, &c.options.effort),
    },
    Row {
        name: "lanes",
        help: "the most elements in flight at a time, two for doubles: 1, 2 or 4",
        read: |c, v| {
            set(
                &mut c.options.lanes,
                v.parse().ok().filter(|lanes| [1, 2, 4].contains(lanes)),
            )
        },
        show: |c| c.options.lanes.to_string(),
    },
    Row {
        name: "unroll",
        help: "the most copies of a loop's body that unrolling makes: a number below 65536",
        read: |c, v| set(&mut c.options.unroll, v.parse().ok()),
        show: |c| c.options.unroll.to_string(),
    },
    Row {
        name: "steps_max",
        help: "steps that one element may spend in loops of unknown length: a number",
        read: |c, v| set(&mut c.steps_max, v.parse().ok()),
        show: |c| c.steps_max.to_string(),
    },
    Row {
        name: "compile_threads",
        help: "threads that compile kernels asked for together, 0 for one on each core: a number",
        read: |c, v| set(&mut c.compile_threads, v.parse().ok()),
        show: |c| c.compile_threads.to_string(),
    },
    Row {
        name: "cache_info",
        help: "whether to print sizes and counts of the caches at the end: true, 1, false or 0",
        read: |c, v| set(&mut c.cache_info, switch(v)),
        show: |c| c.cache_info.to_string(),
    },
    Row {
        name: "perf_map",
        help: "whether to tell perf the names of loops: true or false",
        read: |c, v| set(&mut c.perf_map, v.parse().ok()),
        show: |c| c.perf_map.to_string(),
    },
];

const MODES: [(&str, Mode); 6] = [
    (Mode::Off.name(), Mode::Off),
    (Mode::ReadOnly.name(), Mode::ReadOnly),
    (Mode::ReadWrite.name(), Mode::ReadWrite),
    (Mode::Refresh.name(), Mode::Refresh),
    (Mode::Verify.name(), Mode::Verify),
    (Mode::Audit.name(), Mode::Audit),
];
const FLOATS: [(&str, FloatMode); 3] = [
    ("contract", FloatMode::Contract),
    ("strict", FloatMode::Strict),
    ("reassociate", FloatMode::Reassociate),
];
const EFFORTS: [(&str, Effort); 2] = [("none", Effort::None), ("speed", Effort::Speed)];

fn switch(value: &str) -> Option<bool> {
    match value {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

fn set<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

fn named<T: Copy>(names: &[(&str, T)], name: &str) -> Option<T> {
    names
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, value)| *value)
}

fn name_of<T: PartialEq>(names: &[(&str, T)], value: &T) -> String {
    names
        .iter()
        .find(|(_, v)| v == value)
        .map_or("", |(name, _)| name)
        .to_owned()
}

impl Config {
    /// The defaults, the user's cache directory (`$XDG_CACHE_HOME/parloop` or `~/.cache/parloop`), and then what `PARLOOP_*`
    /// variables say.
    ///
    /// # Errors
    /// [`ConfigError`], for a variable that names no setting or has an impossible value.
    pub fn from_env() -> Result<Config, ConfigError> {
        let mut config = Config {
            cache_dir: user_cache_dir(),
            ..Config::default()
        };
        config.origins.insert("cache_dir", Origin::Default);
        for (variable, value) in env::vars_os() {
            let variable = variable.to_string_lossy();
            let Some(name) = variable.strip_prefix(PREFIX) else {
                continue;
            };
            if NOT_SETTINGS.iter().any(|other| name.starts_with(other)) {
                continue;
            }
            let name = name.to_ascii_lowercase();
            if name == "cache_dir" {
                // A path need not be UTF-8.
                config.cache_dir = (!value.is_empty()).then(|| PathBuf::from(value));
                config.origins.insert("cache_dir", Origin::Environment);
                continue;
            }
            config.set(&name, &value.to_string_lossy(), Origin::Environment)?;
        }
        Ok(config)
    }

    /// Sets a setting by name, from text. `-` and `_` are alike in the name.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn set(&mut self, name: &str, value: &str, from: Origin) -> Result<(), ConfigError> {
        let plain = name.replace('-', "_");
        let Some(row) = TABLE.iter().find(|row| row.name == plain) else {
            return Err(ConfigError::Unknown {
                name: name.to_owned(),
                from,
            });
        };
        if (row.read)(self, value).is_none() {
            return Err(row.impossible(value.to_owned(), from));
        }
        self.origins.insert(row.name, from);
        Ok(())
    }

    /// The level of a name: a full one, or `v2`, `v3` or `v4`.
    pub fn level_named(name: &str) -> Option<Level> {
        let short = || Level::from_name(&format!("x86-64-{name}"));
        Level::from_name(name).or_else(short)
    }

    /// Refuses values that [`Config::set`] would not have taken.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let rows = TABLE
            .iter()
            .filter(|row| ["level", "lanes"].contains(&row.name));
        for row in rows {
            let value = (row.show)(self);
            if (row.read)(&mut self.clone(), &value).is_none() {
                return Err(row.impossible(value, self.origin(row)));
            }
        }
        Ok(())
    }

    /// Where a setting's value came from. One that was assigned as a field, and so differs from the default, is the program's.
    fn origin(&self, row: &Row) -> Origin {
        let recorded = self.origins.get(row.name).copied();
        recorded.unwrap_or_else(|| {
            let changed = (row.show)(self) != (row.show)(&Config::default());
            if changed {
                Origin::Api
            } else {
                Origin::Default
            }
        })
    }

    /// How many threads compile so many kernels that are asked for together.
    pub fn compile_threads_for(&self, kernels: usize) -> usize {
        match self.compile_threads {
            // Asking takes longer than most answers of the caches.
            _ if kernels <= 1 => kernels,
            0 => std::thread::available_parallelism()
                .map_or(1, usize::from)
                .min(kernels),
            threads => threads.min(kernels),
        }
    }

    /// All settings, with the origin of each.
    pub fn settings(&self) -> Vec<Setting> {
        let setting = |row: &Row| Setting {
            name: row.name,
            variable: format!("{PREFIX}{}", row.name.to_ascii_uppercase()),
            value: (row.show)(self),
            origin: self.origin(row),
            help: row.help,
        };
        TABLE.iter().map(setting).collect()
    }
}

/// Where the user's caches are by convention, if the environment tells: never relative, never shared with other users.
fn user_cache_dir() -> Option<PathBuf> {
    let named = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let base = named.or_else(|| etcetera::home_dir().ok().map(|home| home.join(".cache")))?;
    base.is_absolute().then(|| base.join("parloop"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_takes_the_value_it_shows() {
        let config = Config::default();
        for setting in config.settings() {
            let mut copy = config.clone();
            copy.set(setting.name, &setting.value, Origin::Option)
                .unwrap();
            let again = copy
                .settings()
                .into_iter()
                .find(|s| s.name == setting.name)
                .unwrap();
            assert_eq!((again.value, again.origin), (setting.value, Origin::Option));
        }
    }

    #[test]
    fn unknown_settings_and_impossible_values_are_refused_with_what_would_do() {
        let mut config = Config::default();
        let unknown = config.set("cache-drawer", "x", Origin::Option).unwrap_err();
        assert_eq!(
            unknown,
            ConfigError::Unknown {
                name: "cache-drawer".into(),
                from: Origin::Option
            }
        );
        let cases = [
            ("lanes", "3"),
            ("cache_mode", "maybe"),
            ("level", "x86-64-v9"),
            ("steps_max", "-1"),
        ];
        for (name, value) in cases {
            let error = config.set(name, value, Origin::Environment).unwrap_err();
            assert!(error.to_string().contains("it takes"), "{error}");
        }
        assert_eq!(config.settings(), Config::default().settings());
    }
}
