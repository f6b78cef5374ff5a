//! Code for several kernels, come by in a few threads.
//!
//! Kernels are parsed in the caller's order; of those that are, the largest is compiled first, so that no thread is left with a
//! long one at the end. The calling thread is one of the threads, and none is left when it returns.

use super::acquire::{Acquired, Search};
use super::{Engine, Shared};
use crate::error::Error;
use crate::kernel::Kernel;
use parloop_compiler::Signature;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// A kernel and what it is called with.
type Wanted<'a> = (&'a Kernel, &'a Signature);

/// What is still to be done. Each has its place in the caller's order.
struct Queue<'a> {
    waiting: std::iter::Enumerate<std::slice::Iter<'a, Wanted<'a>>>,
    begun: Vec<(usize, Box<Search<'a>>)>,
}

/// One step of one kernel.
enum Step<'a> {
    Begin(usize, Wanted<'a>),
    Finish(usize, Box<Search<'a>>),
}

impl<'a> Queue<'a> {
    fn next(&mut self) -> Option<Step<'a>> {
        if let Some((at, wanted)) = self.waiting.next() {
            return Some(Step::Begin(at, *wanted));
        }
        let sizes = self.begun.iter().enumerate();
        let (largest, _) = sizes.max_by_key(|(_, (_, search))| search.size())?;
        let (at, search) = self.begun.swap_remove(largest);
        Some(Step::Finish(at, search))
    }
}

impl Engine {
    /// What [`Engine::acquire`] gives for each, in this order.
    pub(crate) fn acquire_together(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Acquired, Error>> {
        let shared = self.shared();
        let queue = Mutex::new(Queue {
            waiting: wanted.iter().enumerate(),
            begun: Vec::new(),
        });
        let work = || work(shared, &queue);
        let mut found = thread::scope(|scope| {
            let helpers = (1..shared.config.compile_threads_for(wanted.len())).map_while(|_| {
                // A host that has no more threads to give gets by with fewer.
                thread::Builder::new().spawn_scoped(scope, work).ok()
            });
            let helpers: Vec<_> = helpers.collect();
            let mut found = work();
            for helper in helpers {
                match helper.join() {
                    Ok(others) => found.extend(others),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            found
        });
        found.sort_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, acquired)| acquired).collect()
    }
}

/// Does steps until none is left. What another thread is still parsing it compiles itself.
fn work<'a>(shared: &'a Shared, queue: &Mutex<Queue<'a>>) -> Vec<(usize, Result<Acquired, Error>)> {
    let queue = || queue.lock().unwrap_or_else(PoisonError::into_inner);
    let mut found = Vec::new();
    loop {
        let step = queue().next();
        match step {
            Some(Step::Begin(at, (kernel, signature))) => {
                match Search::begin(shared, kernel, signature) {
                    Ok(search) => queue().begun.push((at, Box::new(search))),
                    Err(error) => found.push((at, Err(error))),
                }
            }
            Some(Step::Finish(at, search)) => found.push((at, search.finish(|_| Ok(())))),
            None => return found,
        }
    }
}
