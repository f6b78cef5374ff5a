//! Code for several kernels, come by in a few threads.
//!
//! Kernels are parsed in the caller's order; of those that it has parsed, a thread compiles the largest first, then those that
//! others have, so that none is left with a long one at the end. No more than a bounded number is parsed and waits: what they
//! were parsed to takes memory. The calling thread is one of the threads, and alone until there is something to compile; none is
//! left when it returns.

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

/// Kernels that one thread has parsed, by size and place: the last is the largest, of equal ones the caller's first.
type Parsed<'a> = BTreeMap<(usize, Reverse<usize>), Begun<'a>>;

/// What is still to be done.
struct Queue<'a> {
    /// With their places.
    waiting: std::iter::Enumerate<std::slice::Iter<'a, Wanted<'a>>>,
    /// By thread.
    begun: BTreeMap<usize, Parsed<'a>>,
}

/// One step of one kernel.
enum Step<'a> {
    Begin(usize, Wanted<'a>),
    Finish(usize, Box<Begun<'a>>),
}

impl<'a> Queue<'a> {
    /// The next step for a thread. What it has parsed itself lies in its caches, and in its part of the allocator.
    fn next(&mut self, thread: usize) -> Option<Step<'a>> {
        if self.begun.values().map(Parsed::len).sum::<usize>() < BEGUN_MAX
            && let Some((at, wanted)) = self.waiting.next()
        {
            return Some(Step::Begin(at, *wanted));
        }
        let own = self.begun.get(&thread).and_then(largest);
        let from = match own {
            Some(_) => self.begun.get_mut(&thread),
            None => self.begun.values_mut().max_by_key(|begun| largest(begun)),
        };
        let ((_, Reverse(at)), begun) = from?.pop_last()?;
        Some(Step::Finish(at, Box::new(begun)))
    }
}

fn largest(begun: &Parsed<'_>) -> Option<usize> {
    begun.last_key_value().map(|((size, _), _)| *size)
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
        if work.go(0, &mut found, true) {
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
        let threads = self.shared.config.compile_threads_for(kernels);
        let run = |thread| {
            let mut found = Found::new();
            self.go(thread, &mut found, false);
            found
        };
        thread::scope(|scope| {
            let helpers = (1..threads).map_while(|thread| {
                // A host that has no more threads to give gets by with fewer.
                let helper = move || run(thread);
                thread::Builder::new().spawn_scoped(scope, helper).ok()
            });
            let helpers: Vec<_> = helpers.collect();
            let mut found = run(0);
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
    fn go(&self, thread: usize, found: &mut Found, alone: bool) -> bool {
        let queue = || self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let step = queue().next(thread);
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
                    let place = (size, Reverse(at));
                    queue()
                        .begun
                        .entry(thread)
                        .or_default()
                        .insert(place, begun);
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
