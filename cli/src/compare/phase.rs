//! What a child process is doing, left in a file for when it does not come back.

use crate::error::CliError;
use std::path::Path;

#[derive(Clone, Copy)]
pub(super) enum Phase {
    Compiling,
    Loading,
    Ours,
    Theirs,
    Timing,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Phase::Compiling => "compiling with parloop",
            Phase::Loading => "loading the C compiler's code",
            Phase::Ours => "running parloop's code",
            Phase::Theirs => "running the C compiler's code",
            Phase::Timing => "timing both codes",
        }
    }
}

/// The file that says what is running.
pub(super) struct Phases<'a>(pub(super) &'a Path);

impl Phases<'_> {
    pub(super) fn enter(&self, phase: Phase) -> Result<(), CliError> {
        Ok(std::fs::write(self.0, phase.name())?)
    }
}
