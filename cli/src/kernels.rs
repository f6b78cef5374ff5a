//! The kernels of a C file, for commands that take all of them or one by name.
//!
//! One place says which functions of a file are its kernels, and what the command line tells of them: values of kernel constants,
//! which are folded into the code, names of those that loops read at run time, and extents.

use crate::args::KernelsArgs;
use crate::check::declared_constant;
use crate::error::CliError;
use parloop::{Engine, Error, Extent};
use parloop_compiler::ir::Passing;
use parloop_compiler::{
    CheckedKernel, ConstantDecl, DType, Diagnostics, KernelText, LexedText, ParamInfo,
    kernel_functions,
};
use std::path::{Path, PathBuf};

/// Kernel constants and their values.
pub(crate) type Constants = Vec<(String, Vec<f64>)>;

/// A C file, and what is known of its kernels from the command line.
pub(crate) struct KernelFile<'a> {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// Values of kernel constants.
    pub(crate) values: Constants,
    args: &'a KernelsArgs,
    constants: Vec<ConstantDecl>,
}

impl<'a> KernelFile<'a> {
    pub(crate) fn read(path: &Path, args: &'a KernelsArgs) -> Result<KernelFile<'a>, CliError> {
        Self::of(path, args, &args.constants, Vec::new())
    }

    /// As [`KernelFile::read`], where `--constant` may also declare a constant that is read at run time.
    pub(crate) fn read_for_loops(
        path: &Path,
        args: &'a KernelsArgs,
    ) -> Result<KernelFile<'a>, CliError> {
        let is_valued = |spec: &String| spec.contains('=');
        let (valued, named): (Vec<String>, Vec<String>) =
            args.constants.iter().cloned().partition(is_valued);
        let declared: Result<Vec<_>, _> = named.iter().map(|s| declared_constant(s)).collect();
        Self::of(path, args, &valued, declared?)
    }

    fn of(
        path: &Path,
        args: &'a KernelsArgs,
        valued: &[String],
        declared: Vec<ConstantDecl>,
    ) -> Result<KernelFile<'a>, CliError> {
        let values = constants(valued)?;
        let mut constants = [specialised(&values), declared].concat();
        // The order in which an engine declares them.
        constants.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(KernelFile {
            path: path.to_owned(),
            text: text(path)?,
            args,
            constants,
            values,
        })
    }

    fn refused(&self, diagnostics: Diagnostics) -> CliError {
        CliError::Engine(Error::Text {
            kernel: self.path.display().to_string(),
            diagnostics,
        })
    }

    /// What the front end reads for one of its functions.
    pub(crate) fn kernel_text<'b>(&'b self, function: Option<&'b str>) -> KernelText<'b> {
        KernelText {
            text: &self.text,
            function,
            constants: &self.constants,
            hosts: &[],
        }
    }

    /// The kernels, by name: the one asked for, else all.
    pub(crate) fn names(&self) -> Result<Vec<String>, CliError> {
        if let Some(name) = &self.args.function {
            return Ok(vec![name.clone()]);
        }
        let names = kernel_names(&self.kernel_text(None)).map_err(|found| self.refused(found))?;
        match names.is_empty() {
            true => Err(no_kernel(&self.path)),
            false => Ok(names),
        }
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
                let advice = match &*finding.code {
                    "undeclared-name" => "; if it is a kernel constant, say so with --constant",
                    _ => "",
                };
                format!("line {line}: {}{advice}", finding.message)
            });
            messages.collect::<Vec<_>>().join("; ")
        })
    }

    /// The extents that were given for parameters of these names. Functions of a file may share names: rows are for those with
    /// row pointers.
    pub(crate) fn extents(&self, params: &[ParamInfo]) -> Vec<Extent> {
        let given = |param: &ParamInfo| {
            let has_rows = param.passing == Passing::Rows;
            let fits = |extent: &Extent| has_rows || extent.rows == 0;
            let mut given = self.args.extents.iter();
            let found = given.find(|(name, extent)| *name == param.name && fits(extent));
            found.map_or(Extent::default(), |(_, extent)| *extent)
        };
        params.iter().map(given).collect()
    }

    /// Declares the constants to an engine, as values to be folded in.
    pub(crate) fn declare(&self, engine: &Engine) -> Result<(), CliError> {
        declare(&self.values, engine)
    }
}

/// The text of a file; what is no UTF-8 in it is for the lexer to find.
pub(crate) fn text(path: &Path) -> Result<String, CliError> {
    let bytes = std::fs::read(path).map_err(|source| CliError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// All kernels of a text: functions that return nothing and that no other calls.
pub(crate) fn kernel_names(text: &KernelText<'_>) -> Result<Vec<String>, Diagnostics> {
    let functions = kernel_functions(text)?.into_iter();
    let kernels = functions.filter(|f| f.is_kernel && !f.is_called);
    Ok(kernels.map(|f| f.name).collect())
}

/// That a file has none.
pub(crate) fn no_kernel(path: &Path) -> CliError {
    let what = "there is no kernel in it: no function that returns void and that no other calls; name one with --function".to_owned();
    let path = path.to_owned();
    CliError::NoKernel { path, what }
}

/// `NAME=VALUE` or `NAME=VALUE,VALUE..`.
fn constants(specs: &[String]) -> Result<Constants, CliError> {
    let one = |spec: &String| {
        let wrong = || CliError::ConstantValue { spec: spec.clone() };
        let (name, values) = spec.split_once('=').ok_or_else(wrong)?;
        let values: Result<Vec<f64>, _> = values.split(',').map(str::parse).collect();
        Ok((name.to_owned(), values.map_err(|_| wrong())?))
    };
    specs.iter().map(one).collect()
}

/// Kernel constants with their values folded in.
pub(crate) fn specialised(constants: &[(String, Vec<f64>)]) -> Vec<ConstantDecl> {
    let declared = constants.iter().map(|(name, values)| ConstantDecl {
        name: name.clone(),
        dtype: DType::F64,
        dim: values.len() as u32,
        specialised: Some(values.iter().map(|value| value.to_bits()).collect()),
    });
    declared.collect()
}

/// Declares constants to an engine, as values to be folded in.
pub(crate) fn declare(constants: &[(String, Vec<f64>)], engine: &Engine) -> Result<(), CliError> {
    for (name, values) in constants {
        engine.declare_constant(name, values)?;
        engine.specialise(name, true)?;
    }
    Ok(())
}
