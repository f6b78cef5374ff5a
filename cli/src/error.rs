//! Why a command failed, and the exit code that says so.

use crate::bench::{CompareError, CountError};
use crate::objdump::ObjdumpError;
use parloop::ConfigError;
use parloop_cache::Why;
use parloop_compiler::CompileError;
use parloop_kernels::airfoil::file::MeshFileError;
use parloop_kernels::airfoil::mesh::MeshError;
use parloop_kernels::app::AppError;
use parloop_kernels::jac::mesh::GridError;
use parloop_kernels::reduce::mesh::NetworkError;
use std::io;
use std::path::PathBuf;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("the output can not be written: {0}")]
    Output(#[from] io::Error),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Engine(#[from] parloop::Error),
    #[error(transparent)]
    App(#[from] AppError),
    #[error("{0}; give a number of cells from 1 on, or blocks I,J from 1,1 on")]
    Mesh(#[from] MeshError),
    #[error("{0}")]
    Grid(#[from] GridError),
    #[error("{0}")]
    Network(#[from] NetworkError),
    #[error(transparent)]
    MeshFile(#[from] MeshFileError),
    #[error("there is no app `{name}`; there are {known}")]
    NoApp { name: String, known: String },
    #[error("there is no element type `{name}`; there are {known}, and all")]
    ElementType { name: String, known: String },
    #[error("{} can not be written: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{}: can not be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "`{spec}` declares no kernel constant; write NAME, NAME:DIM, NAME:TYPE or NAME:TYPE:DIM, with a type such as double, float or int"
    )]
    Constant { spec: String },
    #[error("{}: {what}", path.display())]
    NoKernel { path: PathBuf, what: String },
    #[error("{}: {failed} of {total} kernel functions do not compile", path.display())]
    Rejected {
        path: PathBuf,
        failed: usize,
        total: usize,
    },
    #[error("an object's bytes are not for a terminal; redirect the output to a file")]
    BinaryOnTerminal,
    #[error(
        "`{spec}` gives no kernel constant a value; write NAME=VALUE, or NAME=VALUE,VALUE.. for an array"
    )]
    ConstantValue { spec: String },
    #[error(
        "no C compiler: `{command}` does not run: {source}; install one, or name it with --cc or CC"
    )]
    NoCompiler { command: String, source: io::Error },
    #[error("{}: the C compiler does not take it with {flags}:\n{message}", path.display())]
    CcRefused {
        path: PathBuf,
        flags: String,
        message: String,
    },
    #[error("what the C compiler made is not loaded: {message}")]
    Driver { message: String },
    #[error("{}: {disagree} functions do not agree with the C compiler's", path.display())]
    Disagree { path: PathBuf, disagree: usize },
    #[error("{}: {crashed} functions did not survive being run", path.display())]
    Crashed { path: PathBuf, crashed: usize },
    #[error("{}: nothing was compared", path.display())]
    NothingCompared { path: PathBuf },
    #[error(transparent)]
    KernelConstant(#[from] parloop::ConstantError),
    #[error(transparent)]
    Objdump(#[from] ObjdumpError),
    #[error(transparent)]
    Compare(#[from] CompareError),
    #[error(transparent)]
    Compile(#[from] CompileError),
    #[error(transparent)]
    Count(#[from] CountError),
    #[error("{}: is no record of `parloop bench compile --json`: {source}", path.display())]
    NoRecord {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error(
        "no cache directory is configured: set --cache-dir or PARLOOP_CACHE_DIR, or HOME for the usual place"
    )]
    NoCacheDirectory,
    #[error("the cache directory {} is not used: {why}", path.display())]
    CacheUnusable { path: PathBuf, why: Why },
    #[error(
        "no entry's fingerprint begins with `{prefix}`; `parloop cache ls` lists those there are"
    )]
    NoEntry { prefix: String },
    #[error("{count} fingerprints begin with `{prefix}`; give more of it")]
    AmbiguousEntry { prefix: String, count: usize },
    #[error("the cache directory {} can not be collected: {source}", path.display())]
    Collect { path: PathBuf, source: io::Error },
    #[error(
        "{count} of {total} files are no sound entries; the next runs that need them replace them"
    )]
    Unsound { count: usize, total: usize },
    #[error("{failed} of {total} kernel functions are not warmed{}", unread_files(*.unread, *.files))]
    NotWarmed {
        failed: usize,
        total: usize,
        /// Files without a kernel that could be found, and all files.
        unread: usize,
        files: usize,
    },
    #[error("entry {key} can not be removed; `parloop cache doctor` says why")]
    NotRemoved { key: String },
    #[error(
        "PARLOOP_LOG: `{value}` is no filter: {reason}; write a level (`debug`), or TARGET=LEVEL (`parloop::cache=debug`)"
    )]
    LogFilter { value: String, reason: String },
    #[error("the cache directory is not used")]
    Unwell,
    #[error(
        "not all that was compiled could be written to the cache directory; `parloop cache doctor` says why"
    )]
    NotKept,
    #[error("entry {key} is damaged: {reason}; the next run that needs it replaces it")]
    DamagedEntry {
        key: String,
        reason: parloop_cache::Miss,
    },
}

fn unread_files(unread: usize, files: usize) -> String {
    match unread {
        0 => String::new(),
        unread => format!("; {unread} of {files} files could not be read"),
    }
}

impl CliError {
    /// 1 for a failure, 2 for wrong usage.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            CliError::Config(_)
            | CliError::Mesh(_)
            | CliError::Grid(_)
            | CliError::Network(_)
            | CliError::ElementType { .. }
            | CliError::NoApp { .. }
            | CliError::Constant { .. }
            | CliError::ConstantValue { .. }
            | CliError::LogFilter { .. }
            | CliError::BinaryOnTerminal => 2,
            _ => 1,
        }
    }

    /// Whether the reader of the output went away.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, CliError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
