//! A loop's C file through the system's C compiler, and loaded.

use super::CompareError;
use super::library::Library;
use crate::cc::{self, Cc};
use parloop::{Engine, FloatMode};
use parloop_compiler::{CheckedKernel, ConstantDecl, DType, KernelText, dump_c};
use parloop_kernels::app::AppLoop;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A C compiler, its flags, and where its files go.
pub(crate) struct Compiler {
    cc: Cc,
    flags: Vec<String>,
    directory: TempDir,
}

/// A loop that the C compiler made.
pub(crate) struct Built {
    pub(crate) library: Library,
    pub(crate) compile_time: Duration,
}

impl Compiler {
    /// Flags of `$CC`, else `cc`, or of the compiler that they begin with.
    pub(crate) fn find(flags: &str) -> Result<Compiler, CompareError> {
        let (command, flags) = match flags.trim().split_once(char::is_whitespace) {
            Some((first, rest)) if !first.starts_with('-') => (Some(first), rest),
            _ => (None, flags),
        };
        let found = Cc::find(command);
        let cc = found.map_err(|(command, source)| CompareError::NoCompiler { command, source })?;
        let directory = tempfile::Builder::new()
            .prefix("parloop-cc-")
            .tempdir()
            .map_err(CompareError::Temporary)?;
        Ok(Compiler {
            cc,
            flags: cc::words(flags),
            directory,
        })
    }

    /// What it says of itself, in a line.
    pub(crate) fn version(&self) -> &str {
        self.cc.version()
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
            .cc
            .shared(&self.flags, &source, &object)
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
}

/// The declarations of the constants that a checked kernel reads.
pub(crate) fn constants(checked: &CheckedKernel) -> Vec<ConstantDecl> {
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
