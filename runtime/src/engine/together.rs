//! Code for several kernels, come by in a few threads.
//!
//! Kernels are parsed in the caller's order; of those that are, the largest is compiled first, so that no thread is left with a
//! long one at the end. No more than a bounded number is parsed and waits: what they were parsed to takes memory. The calling
//! thread is one of the threads, and alone until there is something to compile; none is left when it returns.

use super::acquire::{Acquired, Search};
use super::{Engine, Shared};
use crate::error::Error;
use crate::kernel::Kernel;
use parloop_compiler::Signature;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// So many kernels may be parsed and not yet compiled, save one more for each thread.
const BEGUN_MAX: usize = 512;

/// A kernel and what it is called with.
type Wanted<'a> = (&'a Kernel, &'a Signature);

/// What came of kernels, each with its place in the caller's order.
type Found = Vec<(usize, Result<Acquired, Error>)>;

/// A parsed kernel, and how long that took.
struct Begun<'a> {
    search: Search<'a>,
    spent: Duration,
}

/// What is still to be done.
struct Queue<'a> {
    /// With their places.
    waiting: std::iter::Enumerate<std::slice::Iter<'a, Wanted<'a>>>,
    /// By size and place: the last is the largest, of equal ones the caller's first.
    begun: BTreeMap<(usize, Reverse<usize>), Begun<'a>>,
}

/// One step of one kernel.
enum Step<'a> {
    Begin(usize, Wanted<'a>),
    Finish(usize, Box<Begun<'a>>),
}

impl<'a> Queue<'a> {
    fn next(&mut self) -> Option<Step<'a>> {
        if self.begun.len() < BEGUN_MAX
            && let Some((at, wanted)) = self.waiting.next()
        {
            return Some(Step::Begin(at, *wanted));
        }
        let ((_, Reverse(at)), begun) = self.begun.pop_last()?;
        Some(Step::Finish(at, Box::new(begun)))
    }
}

impl Engine {
    /// What [`Engine::acquire`] gives for each, in this order.
    pub(crate) fn acquire_together(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Acquired, Error>> {
        let work = Work {
            shared: self.shared(),
            queue: Mutex::new(Queue {
                waiting: wanted.iter().enumerate(),
                begun: BTreeMap::new(),
            }),
        };
        let mut found = Found::new();
        if work.go(&mut found, true) {
            found.extend(work.shared_out(wanted.len() - found.len()));
        }
        found.sort_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, acquired)| acquired).collect()
    }
}

/// What all threads see.
struct Work<'a> {
    shared: &'a Shared,
    queue: Mutex<Queue<'a>>,
}

impl Work<'_> {
    /// Does all that is left, so many kernels, in as many threads as are to compile.
    fn shared_out(&self, kernels: usize) -> Found {
        let run = || {
            let mut found = Found::new();
            self.go(&mut found, false);
            found
        };
        thread::scope(|scope| {
            let helpers = (1..self.shared.config.compile_threads_for(kernels)).map_while(|_| {
                // A host that has no more threads to give gets by with fewer.
                thread::Builder::new().spawn_scoped(scope, run).ok()
            });
            let helpers: Vec<_> = helpers.collect();
            let mut found = run();
            for helper in helpers {
                match helper.join() {
                    Ok(others) => found.extend(others),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            found
        })
    }

    /// Does steps until none is left, or, if `alone`, until a kernel had to be parsed; whether that was so. What another thread is
    /// still parsing it compiles itself.
    fn go(&self, found: &mut Found, alone: bool) -> bool {
        let queue = || self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let step = queue().next();
            let started = Instant::now();
            match step {
                Some(Step::Begin(at, (kernel, signature))) => {
                    let search = match Search::begin(self.shared, kernel, signature) {
                        Ok(search) => search,
                        Err(error) => {
                            found.push((at, Err(error)));
                            continue;
                        }
                    };
                    let Some(size) = search.size() else {
                        found.push((at, search.finish(started, |_| Ok(()))));
                        continue;
                    };
                    let spent = started.elapsed();
                    let begun = Begun { search, spent };
                    queue().begun.insert((size, Reverse(at)), begun);
                    if alone {
                        return true;
                    }
                }
                Some(Step::Finish(at, begun)) => {
                    let Begun { search, spent } = *begun;
                    let acquired = search.finish(started, |_| Ok(())).map(|acquired| Acquired {
                        duration: spent + acquired.duration,
                        ..acquired
                    });
                    found.push((at, acquired));
                }
                None => return false,
            }
        }
    }
}
