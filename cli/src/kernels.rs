//! The kernels of a C file, for commands that take all of them or one by name.

use crate::args::KernelsArgs;
use crate::compare::{constants, specialised};
use crate::error::CliError;
use parloop::{Engine, Error, Extent};
use parloop_compiler::{
    CheckedKernel, ConstantDecl, Diagnostics, KernelText, LexedText, ParamInfo, kernel_functions,
};
use std::path::{Path, PathBuf};

/// A C file, and what is known of its kernels from the command line.
pub(crate) struct KernelFile<'a> {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    args: &'a KernelsArgs,
    values: Vec<(String, Vec<f64>)>,
    constants: Vec<ConstantDecl>,
}

impl<'a> KernelFile<'a> {
    pub(crate) fn read(path: &Path, args: &'a KernelsArgs) -> Result<KernelFile<'a>, CliError> {
        let bytes = std::fs::read(path).map_err(|source| CliError::Read {
            path: path.to_owned(),
            source,
        })?;
        let values = constants(&args.constants)?;
        Ok(KernelFile {
            path: path.to_owned(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
            args,
            constants: specialised(&values),
            values,
        })
    }

    fn refused(&self, diagnostics: Diagnostics) -> CliError {
        CliError::Engine(Error::Text {
            kernel: self.path.display().to_string(),
            diagnostics,
        })
    }

    /// The kernels, by name: those asked for, else all functions that return nothing and that no other calls.
    pub(crate) fn names(&self) -> Result<Vec<String>, CliError> {
        if let Some(name) = &self.args.function {
            return Ok(vec![name.clone()]);
        }
        let text = KernelText {
            text: &self.text,
            function: None,
            constants: &self.constants,
            hosts: &[],
        };
        let functions = kernel_functions(&text).map_err(|found| self.refused(found))?;
        let kernels = functions
            .into_iter()
            .filter(|f| f.is_kernel && !f.is_called);
        let names: Vec<String> = kernels.map(|f| f.name).collect();
        if names.is_empty() {
            let what = "there is no kernel in it: no function that returns void and that no other calls; name one with --function".to_owned();
            let path = self.path.clone();
            return Err(CliError::NoKernel { path, what });
        }
        Ok(names)
    }

    pub(crate) fn lexed(&self) -> Result<LexedText, CliError> {
        LexedText::new(&self.text).map_err(|found| self.refused(found))
    }

    /// A kernel, checked; else what is wrong with it, in a line.
    pub(crate) fn check(&self, lexed: &LexedText, name: &str) -> Result<CheckedKernel, String> {
        let checked = lexed.check(Some(name), &self.constants, &[]);
        checked.map_err(|found| {
            let messages = found.0.iter().map(|finding| {
                let line = finding.span.line(&self.text);
                format!("line {line}: {}", finding.message)
            });
            messages.collect::<Vec<_>>().join("; ")
        })
    }

    /// The extents that were given for parameters of these names.
    pub(crate) fn extents(&self, params: &[ParamInfo]) -> Vec<Extent> {
        let given = |param: &ParamInfo| {
            let named = self
                .args
                .extents
                .iter()
                .find(|(name, _)| *name == param.name);
            named.map_or(0.into(), |(_, extent)| *extent)
        };
        params.iter().map(given).collect()
    }

    /// Declares the constants to an engine, as values to be folded in.
    pub(crate) fn declare(&self, engine: &Engine) -> Result<(), CliError> {
        for (name, values) in &self.values {
            engine.declare_constant(name, values)?;
            engine.specialise(name, true)?;
        }
        Ok(())
    }
}
