//! Code generator settings for a target and an effort.

use crate::error::CompileError;
use crate::target::Target;
use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use target_lexicon::Triple;

/// How hard the code generator works on one function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Work {
    /// Mid-end optimisations; right for loops and short blocks.
    Optimise,
    /// Translation only; right for long straight-line blocks, which the mid-end would re-order until everything is live.
    Translate,
}

/// The settings for a target.
pub(crate) fn isa(target: &Target, work: Work) -> Result<OwnedTargetIsa, CompileError> {
    let mut shared = settings::builder();
    let level = match work {
        Work::Optimise => "speed",
        Work::Translate => "none",
    };
    for (name, value) in [
        ("opt_level", level),
        ("is_pic", "false"),
        ("preserve_frame_pointers", "true"),
        ("unwind_info", "false"),
        ("enable_probestack", "true"),
        ("probestack_strategy", "inline"),
        ("enable_verifier", verifier()),
    ] {
        shared.set(name, value).map_err(backend)?;
    }
    let triple = match target.level.is_x86_64() {
        true => "x86_64-unknown-linux-gnu",
        false => "aarch64-unknown-linux-gnu",
    };
    let triple: Triple = triple.parse().map_err(backend)?;
    let mut builder = isa::lookup(triple).map_err(backend)?;
    for feature in target.level.features() {
        builder.enable(feature).map_err(backend)?;
    }
    builder
        .finish(settings::Flags::new(shared))
        .map_err(backend)
}

/// The verifier costs a third of the time: tests and debug builds run it.
const fn verifier() -> &'static str {
    match cfg!(debug_assertions) {
        true => "true",
        false => "false",
    }
}

/// Wraps an error of the code generator.
pub(crate) fn backend(error: impl std::fmt::Display) -> CompileError {
    CompileError::Backend {
        message: error.to_string(),
    }
}
