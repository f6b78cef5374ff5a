//! The system's C compiler: a loop's C file in, a shared object out.

use super::CompareError;
use super::library::Library;
use parloop::{Engine, FloatMode};
use parloop_compiler::{CheckedKernel, ConstantDecl, DType, KernelText, dump_c};
use parloop_kernels::app::AppLoop;
use std::io;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A C compiler that was found to run.
pub(crate) struct Compiler {
    /// The command's words: a wrapper such as ccache may stand first.
    command: Vec<String>,
    flags: Vec<String>,
    version: String,
    directory: TempDir,
}

/// A loop that the C compiler made.
pub(crate) struct Built {
    pub(crate) library: Library,
    pub(crate) compile_time: Duration,
}

impl Compiler {
    /// `$CC`, else `cc`.
    pub(crate) fn find(flags: &str) -> Result<Compiler, CompareError> {
        let words =
            |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        let mut command = words(&std::env::var("CC").unwrap_or_default());
        if command.is_empty() {
            command.push("cc".to_owned());
        }
        let version = version(&command).map_err(|source| CompareError::NoCompiler {
            command: command.join(" "),
            source,
        })?;
        let directory = tempfile::Builder::new()
            .prefix("parloop-cc-")
            .tempdir()
            .map_err(CompareError::Temporary)?;
        Ok(Compiler {
            command,
            flags: words(flags),
            version,
            directory,
        })
    }

    /// What it says of itself, in a line.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Compiles and loads the C file of a loop.
    pub(crate) fn build(&self, engine: &Engine, of: &AppLoop) -> Result<Built, CompareError> {
        let kernel = engine.kernel(&of.text, Some(of.function));
        let checked = kernel.check()?;
        let constants = constants(&checked);
        let text = KernelText {
            text: &of.text,
            function: Some(of.function),
            constants: &constants,
            hosts: &[],
        };
        let strict = engine.config().options.float == FloatMode::Strict;
        let c = dump_c(&text, &checked, of.prepared.signature(), strict);

        let stem = of.prepared.fingerprint();
        let source = self.directory.path().join(format!("{stem}.c"));
        let object = self.directory.path().join(format!("{stem}.so"));
        std::fs::write(&source, c).map_err(CompareError::Temporary)?;
        let started = Instant::now();
        let output = self
            .compile(&source, &object)
            .map_err(CompareError::Temporary)?;
        let compile_time = started.elapsed();
        if !output.status.success() {
            return Err(CompareError::Rejected {
                label: of.label.clone(),
                message: String::from_utf8_lossy(&output.stderr).into_owned(),
            });
        }
        let library =
            Library::load(&object, &of.prepared).map_err(|error| CompareError::NotLoaded {
                label: of.label.clone(),
                message: error.to_string(),
            })?;
        Ok(Built {
            library,
            compile_time,
        })
    }

    fn compile(&self, source: &Path, object: &Path) -> io::Result<Output> {
        Command::new(&self.command[0])
            .args(&self.command[1..])
            .args(&self.flags)
            // Without the third a kernel with external linkage could be replaced at load time, and so would not be inlined.
            .args(["-shared", "-fPIC", "-fno-semantic-interposition", "-o"])
            .arg(object)
            .arg(source)
            .arg("-lm")
            .output()
    }
}

/// The first line of what the compiler says of itself.
fn version(command: &[String]) -> io::Result<String> {
    let output = Command::new(&command[0])
        .args(&command[1..])
        .arg("--version")
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("it ends with {}", output.status)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}

/// The declarations of the constants that a checked kernel reads.
fn constants(checked: &CheckedKernel) -> Vec<ConstantDecl> {
    let slots = checked.constants.iter().zip(&checked.kernel.constants);
    slots
        .filter_map(|(name, slot)| {
            let dtype = DType::ALL.into_iter().find(|d| d.scalar() == slot.scalar)?;
            Some(ConstantDecl {
                name: name.clone(),
                dtype,
                dim: slot.dim,
                specialised: None,
            })
        })
        .collect()
}
