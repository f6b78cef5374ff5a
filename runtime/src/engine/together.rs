//! Code for several kernels, come by in a few threads.
//!
//! Kernels are parsed in the caller's order; of those that are, the largest is compiled first, so that no thread is left with a
//! long one at the end. No more than a bounded number is parsed and waits: what they were parsed to takes memory. The calling
//! thread is one of the threads, and none is left when it returns.

use super::acquire::{Acquired, Search};
use super::{Engine, Shared};
use crate::error::Error;
use crate::kernel::Kernel;
use parloop_compiler::Signature;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// So many kernels may be parsed and not yet compiled, save one more for each thread.
const BEGUN_MAX: usize = 512;

/// A kernel and what it is called with.
type Wanted<'a> = (&'a Kernel, &'a Signature);

/// What is still to be done. Each has its place in the caller's order.
struct Queue<'a> {
    waiting: std::iter::Enumerate<std::slice::Iter<'a, Wanted<'a>>>,
    begun: BinaryHeap<Begun<'a>>,
}

/// A kernel whose fingerprint is known. The largest is the greatest, of equal ones the first.
struct Begun<'a> {
    rank: (usize, Reverse<usize>),
    search: Box<Search<'a>>,
}

impl Ord for Begun<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl PartialOrd for Begun<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Begun<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Begun<'_> {}

/// One step of one kernel.
enum Step<'a> {
    Begin(usize, Wanted<'a>),
    Finish(usize, Box<Search<'a>>),
}

impl<'a> Queue<'a> {
    fn next(&mut self) -> Option<Step<'a>> {
        if self.begun.len() < BEGUN_MAX
            && let Some((at, wanted)) = self.waiting.next()
        {
            return Some(Step::Begin(at, *wanted));
        }
        let Begun { rank, search } = self.begun.pop()?;
        let (_, Reverse(at)) = rank;
        Some(Step::Finish(at, search))
    }
}

impl Engine {
    /// What [`Engine::acquire`] gives for each, in this order.
    pub(crate) fn acquire_together(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Acquired, Error>> {
        let shared = self.shared();
        let queue = Mutex::new(Queue {
            waiting: wanted.iter().enumerate(),
            begun: BinaryHeap::new(),
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
                    Ok(search) => queue().begun.push(Begun {
                        rank: (search.size(), Reverse(at)),
                        search: Box::new(search),
                    }),
                    Err(error) => found.push((at, Err(error))),
                }
            }
            Some(Step::Finish(at, search)) => found.push((at, search.finish(|_| Ok(())))),
            None => return found,
        }
    }
}
