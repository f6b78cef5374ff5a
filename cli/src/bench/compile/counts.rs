//! Instructions that compilations take, as valgrind's callgrind counts them.
//!
//! The command runs itself under valgrind. There each loop is compiled once by [`counted_compilation`], which is all that is counted,
//! and a file is written when it returns: the n-th file is of the n-th loop.

use super::Loop;
use crate::args::AppCommand;
use crate::bench::app;
use crate::error::CliError;
use parloop::{Config, Engine, Origin, Setting};
use parloop_compiler::{Compiled, compile};
use std::ffi::OsString;
use std::hint::black_box;
use std::io;
use std::path::Path;
use std::process::Command;

const VALGRIND: &str = "valgrind";

/// The function whose instructions count, as valgrind demangles its name.
const COUNTED: &str = concat!(module_path!(), "::counted_compilation");

/// What valgrind's processor has, whatever the machine is.
const LEVEL: &str = "x86-64-v3";

/// Why instructions could not be counted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CountError {
    #[error("instructions can not be counted: `{VALGRIND}` does not run: {0}; install it")]
    NoValgrind(io::Error),
    #[error("instructions can not be counted: valgrind ends with {status}:\n{message}")]
    Failed { status: String, message: String },
    #[error(
        "instructions can not be counted: valgrind's file {file} is not there or has no total: {why}"
    )]
    NoTotal { file: String, why: String },
    #[error("no temporary directory for valgrind's files: {0}")]
    Temporary(io::Error),
}

/// Compiles each loop of some apps once, for [`count`].
pub(super) fn compile_each(commands: &[AppCommand], config: &Config) -> Result<(), CliError> {
    for command in commands {
        let engine = Engine::new(config.clone())?;
        let app = app(command, &engine)?;
        for of in app.loops() {
            black_box(counted_compilation(&Loop::new(&engine, of)?)?);
        }
    }
    Ok(())
}

/// A loop from its text to an object. Named by [`COUNTED`].
#[inline(never)]
fn counted_compilation(of: &Loop<'_>) -> Result<Compiled, CliError> {
    let checked = of.check()?;
    Ok(compile(&of.request(checked))?)
}

/// The instructions that each of so many compilations takes.
pub(super) fn count(
    app: Option<&str>,
    loops: usize,
    config: &Config,
) -> Result<Vec<u64>, CountError> {
    let directory = tempfile::Builder::new().prefix("parloop-counts-").tempdir();
    let directory = directory.map_err(CountError::Temporary)?;
    let file = directory.path().join("counts");
    run_counted(&file, app, config)?;
    (1..=loops).map(|at| total(&file, at)).collect()
}

fn run_counted(file: &Path, app: Option<&str>, config: &Config) -> Result<(), CountError> {
    let command = std::env::current_exe().map_err(CountError::NoValgrind)?;
    let mut written_to = OsString::from("--callgrind-out-file=");
    written_to.push(file);
    // The level that is asked for here may be one that valgrind's processor does not have.
    let value = |setting: &Setting| match (setting.name, setting.origin) {
        ("level", _) => Some(LEVEL.to_owned()),
        (_, Origin::Default) => None,
        _ => Some(setting.value.clone()),
    };
    let settings = config.settings().into_iter();
    let set = settings.filter_map(|s| Some((value(&s)?, s.variable)));
    let output = Command::new(VALGRIND)
        .envs(set.map(|(value, variable)| (variable, value)))
        .arg("--tool=callgrind")
        .arg(written_to)
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--dump-after={COUNTED}"))
        .arg(command)
        .args(["bench", "compile", "--counted"])
        .args(app.iter().flat_map(|app| ["--app", app]))
        .output()
        .map_err(CountError::NoValgrind)?;
    if output.status.success() {
        return Ok(());
    }
    Err(CountError::Failed {
        status: output.status.to_string(),
        message: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// The total of the file that was written after so many compilations.
fn total(file: &Path, at: usize) -> Result<u64, CountError> {
    let mut file = file.as_os_str().to_owned();
    file.push(format!(".{at}"));
    let failed = |why: String| CountError::NoTotal {
        file: file.to_string_lossy().into_owned(),
        why,
    };
    let text = std::fs::read_to_string(&file).map_err(|error| failed(error.to_string()))?;
    total_in(&text).ok_or_else(|| failed("no line `totals: N`".to_owned()))
}

fn total_in(text: &str) -> Option<u64> {
    let mut lines = text.lines().rev();
    let total = lines.find_map(|line| line.strip_prefix("totals:"))?;
    total.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_in_a_line_of_its_own() {
        let text = "version: 1\nevents: Ir\nsummary: 12\nfn=(1)\n3 12\n\ntotals: 7012\n";
        assert_eq!(total_in(text), Some(7012));
        assert_eq!(total_in("events: Ir\nsummary: 12\n"), None);
        assert_eq!(total_in("totals: none\n"), None);
    }
}
