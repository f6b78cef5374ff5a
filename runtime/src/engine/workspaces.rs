//! What compilations work in, kept for those to come: an engine compiles many kernels, often several at once.
//!
//! Nothing waits here: a thread that finds the place taken works in memory of its own, and so does a child forked meanwhile. A
//! thread gets back what it worked in before, if that is there: allocators make threads wait for each other's memory.

use parloop_compiler::{CompileError, Compiled, Request, Workspace, compile_in};
use std::sync::Mutex;
use std::thread::{self, ThreadId};

/// So many are kept. More threads than this hardly compile at once.
const KEPT_MAX: usize = 8;
/// What has worked on more instructions than this is not kept: it takes some kilobytes for each.
const INSTRUCTIONS_MAX: usize = 20_000;

/// Memory of compilations that are over, with the threads that they ran in.
#[derive(Default)]
pub(crate) struct Workspaces(Mutex<Vec<(ThreadId, Workspace)>>);

impl Workspaces {
    /// [`parloop_compiler::compile`], in memory that may have been used before.
    pub(crate) fn compile(&self, request: &Request) -> Result<Compiled, CompileError> {
        let mut workspace = self.take().unwrap_or_default();
        let compiled = compile_in(&mut workspace, request)?;
        if compiled.clif_instructions <= INSTRUCTIONS_MAX
            && let Ok(mut kept) = self.0.try_lock()
            && kept.len() < KEPT_MAX
        {
            kept.push((thread::current().id(), workspace));
        }
        Ok(compiled)
    }

    /// This thread's own if there is one, else the one used last.
    fn take(&self) -> Option<Workspace> {
        let mut kept = self.0.try_lock().ok()?;
        let me = thread::current().id();
        let own = kept.iter().rposition(|(thread, _)| *thread == me);
        let at = own.or(kept.len().checked_sub(1))?;
        Some(kept.swap_remove(at).1)
    }
}
