//! What can go wrong between a call of the engine and its return.
//!
//! Faults of the cache are not among them: they cost a compilation and are told as events.

use crate::code::LoadError;
use crate::config::ConfigError;
use crate::data::DataError;
use crate::par_loop::ArgError;
use parloop_compiler::{CompileError, Diagnostics, ExtentError, abi};
use std::fmt;

/// Why a loop did not run, or did not run to its end.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel's text does not parse or check. `Diagnostic::render` draws each finding over the text.
    #[error("kernel `{kernel}`: {diagnostics}")]
    Text {
        /// The kernel.
        kernel: String,
        /// All that is wrong with it.
        diagnostics: Diagnostics,
    },
    /// The arguments fit neither the kernel nor each other nor the mesh. Nothing ran.
    #[error("loop of `{kernel}` over `{set}`: {reason}")]
    Refused {
        /// The kernel.
        kernel: String,
        /// The set it was to loop over.
        set: String,
        /// What does not fit.
        reason: Box<ArgError>,
    },
    /// A dat or global is in use by someone else. Nothing ran.
    #[error("loop of `{kernel}`: {reason}")]
    Busy {
        /// The kernel.
        kernel: String,
        /// Who and what.
        reason: DataError,
    },
    /// The kernel stopped at an element. Dats it writes hold valid memory with unspecified values.
    #[error("kernel `{kernel}`{}, element {element}: {}", at(*.line, *.column), fault(*.what, *.value))]
    Kernel {
        /// The kernel.
        kernel: String,
        /// Line of its text, from 1; `None` where the text no longer tells.
        line: Option<u32>,
        /// Column of that line in bytes, from 1.
        column: Option<u32>,
        /// The first element, in order, at which it failed.
        element: u64,
        /// What happened.
        what: Fault,
        /// The offending value: the index, or the steps asked for.
        value: i64,
    },
    /// In mode `audit`: the results of a loop's code are not the interpreter's, so one of the two is wrong: a fault of parloop, or of
    /// this machine. The entry is taken away, and the engine uses that code no more. Of the loop that found it, dats it writes hold
    /// valid memory with unspecified values.
    #[error(
        "kernel `{kernel}`: the results of its code are not the interpreter's; the code, {fingerprint}, is not used any more"
    )]
    ResultsDiffer {
        /// The kernel.
        kernel: String,
        /// The fingerprint of the code, as the cache directory names it.
        fingerprint: String,
    },
    /// A plain function stopped. The arrays that it writes hold valid memory with unspecified values.
    #[error("kernel `{kernel}`{}: {}", at(*.line, *.column), fault_of_call(*.what, *.value))]
    Function {
        /// The kernel.
        kernel: String,
        /// Line of its text, from 1; `None` where the text no longer tells.
        line: Option<u32>,
        /// Column of that line in bytes, from 1.
        column: Option<u32>,
        /// What happened.
        what: Fault,
        /// The offending value: the index, or the steps asked for.
        value: i64,
    },
    /// The kernel can't be a plain function, or not without being told an extent.
    #[error("kernel `{kernel}` as a plain function: {reason}")]
    Extent {
        /// The kernel.
        kernel: String,
        /// Which parameter, and why.
        reason: ExtentError,
    },
    /// The compiler does not accept the loop, for its size as an example.
    #[error("kernel `{kernel}` was not compiled: {reason}")]
    Compile {
        /// The kernel.
        kernel: String,
        /// Why.
        reason: Box<CompileError>,
    },
    /// What the compiler made is not loaded: a fault of parloop or of this system.
    #[error("the code of kernel `{kernel}` was not loaded: {reason}")]
    Load {
        /// The kernel.
        kernel: String,
        /// Why.
        reason: LoadError,
    },
    /// No memory for what the loop needs besides its data.
    #[error("kernel `{kernel}`: no memory for {bytes} bytes of temporaries")]
    OutOfMemory {
        /// The kernel.
        kernel: String,
        /// How much.
        bytes: usize,
    },
    /// A kernel that another engine made.
    #[error(
        "kernel `{kernel}` belongs to another engine; make it with the engine that runs the loop"
    )]
    OtherEngine {
        /// The kernel.
        kernel: String,
    },
    /// A host function that can't be added: its name is taken or no C identifier, or it has no address.
    #[error(
        "host function `{name}` can not be added: its name is taken or no C identifier, or its address is null"
    )]
    HostFunction {
        /// Its name.
        name: String,
    },
    /// A setting that the engine can't have.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A constant that the kernel reads is no longer declared as it was.
    #[error("kernel `{kernel}` reads a constant that is not declared; declare it on this engine")]
    Constant {
        /// The kernel.
        kernel: String,
    },
}

/// What stops a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// An index out of the range of what it indexes.
    IndexOutOfRange,
    /// An integer division by zero.
    DivisionByZero,
    /// A loop that would go past the engine's step budget for an element.
    OutOfSteps,
}

impl Fault {
    /// What a failing status of compiled code means.
    pub(crate) fn of_status(status: u32) -> Fault {
        match status {
            abi::DIVISION_BY_ZERO => Fault::DivisionByZero,
            abi::OUT_OF_STEPS => Fault::OutOfSteps,
            _ => Fault::IndexOutOfRange,
        }
    }
}

fn at(line: Option<u32>, column: Option<u32>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!(", line {line}:{column}"),
        (Some(line), None) => format!(", line {line}"),
        (None, _) => String::new(),
    }
}

fn fault(what: Fault, value: i64) -> String {
    match what {
        Fault::IndexOutOfRange => format!("index {value} is out of range"),
        Fault::DivisionByZero => "integer division by zero".to_owned(),
        Fault::OutOfSteps => {
            format!("{value} steps go past the step budget of an element; raise `steps_max`")
        }
    }
}

/// Of a plain function, whose budget is fixed.
fn fault_of_call(what: Fault, value: i64) -> String {
    match what {
        Fault::OutOfSteps => format!(
            "{value} steps go past the step budget of a call, {}",
            abi::FUNCTION_STEPS
        ),
        what => fault(what, value),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::IndexOutOfRange => "index out of range",
            Fault::DivisionByZero => "division by zero",
            Fault::OutOfSteps => "out of steps",
        })
    }
}
