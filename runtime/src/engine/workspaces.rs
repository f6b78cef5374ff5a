//! What compilations work in, kept for those to come: an engine compiles many kernels, often several at once.
//!
//! Nothing waits here: a thread that finds the place taken works in memory of its own, and so does a child forked meanwhile.

use parloop_compiler::{CompileError, Compiled, Request, Workspace, compile_in};
use std::sync::Mutex;

/// So many are kept. More threads than this hardly compile at once.
const KEPT_MAX: usize = 8;
/// What has worked on more instructions than this is not kept: it takes some kilobytes for each.
const INSTRUCTIONS_MAX: usize = 20_000;

/// Memory of compilations that are over.
#[derive(Default)]
pub(crate) struct Workspaces(Mutex<Vec<Workspace>>);

impl Workspaces {
    /// [`parloop_compiler::compile`], in memory that may have been used before.
    pub(crate) fn compile(&self, request: &Request) -> Result<Compiled, CompileError> {
        let taken = self.0.try_lock().ok().and_then(|mut kept| kept.pop());
        let mut workspace = taken.unwrap_or_default();
        let compiled = compile_in(&mut workspace, request)?;
        if compiled.clif_instructions <= INSTRUCTIONS_MAX
            && let Ok(mut kept) = self.0.try_lock()
            && kept.len() < KEPT_MAX
        {
            kept.push(workspace);
        }
        Ok(compiled)
    }
}
