//! The background thread that writes entries, and its queue.
//!
//! Invariants: the caller of `publish` never waits for a disk; no thread exists before the first publication; the queue
//! is bounded; after a failed write nothing is tried for a while, and then writing resumes by itself; the bounds are kept however
//! long the queue is. A forked child has no thread: it writes and keeps the bounds on the caller's, and never touches the
//! queue, whose lock may be held for ever.

use crate::disk::admit::{self, Candidate};
use crate::disk::lock::FlightGuard;
use crate::disk::pause::Pause;
use crate::disk::shared::{Shared, is_read_only};
use crate::disk::trust::Refusal;
use crate::disk::write::{self, Done, Outcome, Publication, Rules};
use crate::disk::{Table, evict};
use crate::error::{Bypass, Caution};
use crate::event::Event;
use crate::key::Key;
use rustix::io::Errno;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// With so many publications waiting, those that come give up their locks: others had better compile than wait for this queue.
const GUARDS_MAX: usize = 256;
/// After so many publications it is looked whether the bounds are exceeded, and they are kept before more is written.
const JOBS_BY_TURN: u32 = 64;
/// So long a child keeps house after a publication, before it leaves the rest to its next one or to other processes.
const CHILD_TURN: Duration = Duration::from_millis(20);

/// One publication on its way.
pub(crate) struct Job {
    pub(crate) table: Table,
    pub(crate) key: Key,
    pub(crate) publication: Publication,
    /// Given up when the job is done.
    pub(crate) guard: Option<FlightGuard>,
}

/// The queue, and the thread that empties it.
pub(crate) struct Publisher {
    queue: Arc<Queue>,
    /// What a forked child writes with. The parent never locks it.
    child: Mutex<Option<Writer>>,
}

#[derive(Default)]
struct Queue {
    inner: Mutex<Inner>,
    /// There is something to do, or it is time to stop.
    wake: Condvar,
    /// The queue is empty and the thread rests.
    idle: Condvar,
}

#[derive(Default)]
struct Inner {
    jobs: VecDeque<Job>,
    bytes: u64,
    started: bool,
    busy: bool,
    stop: bool,
    /// From then on nothing is done that can be left to another process.
    late: Option<Instant>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Publisher {
    pub(crate) fn new() -> Self {
        Self {
            queue: Arc::default(),
            child: Mutex::default(),
        }
    }

    /// Hands a job to the thread, starting it if need be.
    pub(crate) fn submit(&self, shared: &Arc<Shared>, mut job: Job) {
        let bypass = |job: &Job, reason| bypass(shared, job, reason);
        if shared.in_child() {
            return self.run_in_child(shared, job);
        }
        let size = job.publication.size_bytes();
        let mut inner = self.queue.lock();
        if inner.stop {
            drop(inner);
            return bypass(&job, Bypass::Disabled);
        }
        if inner.bytes.saturating_add(size) > shared.config.queue_bytes_max {
            drop(inner);
            return bypass(&job, Bypass::QueueFull);
        }
        if !inner.started && self.start(shared).is_err() {
            drop(inner);
            return bypass(&job, Bypass::NoThread);
        }
        inner.started = true;
        inner.bytes += size;
        let given_up = match inner.jobs.len() < GUARDS_MAX {
            true => None,
            false => job.guard.take(),
        };
        inner.jobs.push_back(job);
        drop(inner);
        drop(given_up);
        self.queue.wake.notify_one();
    }

    /// Does a job, and what follows from it, on the caller's thread.
    fn run_in_child(&self, shared: &Arc<Shared>, job: Job) {
        let fresh = || Writer::new(Arc::clone(shared));
        match self.child.try_lock() {
            Ok(mut writer) => writer.get_or_insert_with(fresh).run_and_settle(job),
            Err(TryLockError::Poisoned(poisoned)) => {
                let mut writer = poisoned.into_inner();
                writer.get_or_insert_with(fresh).run_and_settle(job);
            }
            // Another thread of the child writes, or, in a child's child, did when that was forked.
            Err(TryLockError::WouldBlock) => fresh().run_and_settle(job),
        }
    }

    fn start(&self, shared: &Arc<Shared>) -> std::io::Result<()> {
        let queue = Arc::clone(&self.queue);
        let writer = Writer::new(Arc::clone(shared));
        shared.sys.may_start_thread()?;
        let thread = std::thread::Builder::new().name("parloop-publish".to_owned());
        thread.spawn(move || run(&queue, writer)).map(drop)
    }

    /// Waits until everything submitted is in place or given up; whether that came in time.
    pub(crate) fn flush(&self, shared: &Shared, timeout: Duration) -> bool {
        if shared.in_child() {
            return true;
        }
        let inner = self.queue.lock();
        let waiting = |inner: &mut Inner| inner.busy || !inner.jobs.is_empty();
        let outcome = self.queue.idle.wait_timeout_while(inner, timeout, waiting);
        !outcome
            .unwrap_or_else(PoisonError::into_inner)
            .1
            .timed_out()
    }

    /// Flushes, half of the time to keep the bounds, then lets the thread end. It is not joined: it may hang in a dead file server.
    pub(crate) fn stop(&self, shared: &Shared) {
        if shared.in_child() {
            return;
        }
        let wait_max = shared.config.drop_wait_max;
        self.queue.lock().late = Some(Instant::now() + wait_max / 2);
        self.flush(shared, wait_max);
        self.queue.lock().stop = true;
        self.queue.wake.notify_all();
    }
}

/// The thread.
fn run(queue: &Queue, mut writer: Writer) {
    let mut inner = queue.lock();
    let mut jobs_since = 0;
    loop {
        let turn = jobs_since >= JOBS_BY_TURN;
        if !turn && let Some(job) = inner.jobs.pop_front() {
            jobs_since += 1;
            inner.bytes -= job.publication.size_bytes();
            inner.busy = true;
            drop(inner);
            unless_it_panics(|| writer.run(job));
            inner = queue.lock();
            continue;
        }
        if inner.busy {
            let late = inner.late.is_some_and(|late| Instant::now() >= late);
            drop(inner);
            let mut more = false;
            unless_it_panics(|| more = writer.keep_house(late));
            inner = queue.lock();
            if !more {
                jobs_since = 0;
                if inner.jobs.is_empty() {
                    inner.busy = false;
                    queue.idle.notify_all();
                }
            }
            continue;
        }
        if inner.stop {
            return;
        }
        inner = queue
            .wake
            .wait(inner)
            .unwrap_or_else(PoisonError::into_inner);
    }
}

/// An observer that panics must not end the thread: whoever flushes waits for it.
fn unless_it_panics(work: impl FnOnce()) {
    let _reported_by_the_panic_hook = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
}

/// Why a job could not be done.
enum Failed {
    Call(Errno),
    /// The directory was deleted, and what is at its path now is refused.
    Open(Refusal),
}

/// Does jobs one after another, and what follows from them.
struct Writer {
    shared: Arc<Shared>,
    /// After a failed write.
    pause: Pause,
    keeper: evict::Keeper,
}

impl Writer {
    fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            pause: Pause::default(),
            keeper: evict::Keeper::default(),
        }
    }

    fn run(&mut self, job: Job) {
        if self.pause.is_on() {
            return bypass(&self.shared, &job, Bypass::BackingOff);
        }
        if !self.shared.is_writable() {
            return bypass(&self.shared, &job, Bypass::ReadOnly);
        }
        let start = Instant::now();
        match self.write(&job) {
            Ok(outcome) => {
                self.pause.end();
                self.tell(&job, outcome, start.elapsed());
            }
            Err(Failed::Call(errno)) if is_read_only(errno) => {
                self.shared.became_read_only(errno.kind());
                bypass(&self.shared, &job, Bypass::ReadOnly);
            }
            Err(failed) => self.back_off(&job, failed),
        }
        // The entry is in place, or never will be: others may go on.
        drop(job.guard);
    }

    /// Does a job and keeps the bounds, for a while and leaving no lock taken.
    fn run_and_settle(&mut self, job: Job) {
        self.run(job);
        let late = Instant::now() + CHILD_TURN;
        while self.keep_house(Instant::now() >= late) {}
    }

    fn rules<'a>(&self, admits: &'a dyn Fn(u64) -> bool) -> Rules<'a> {
        let config = &self.shared.config;
        let none = config.entries_max == 0;
        Rules {
            file_bytes_max: if none {
                0
            } else {
                config.entry_bytes_max.min(config.size_bytes_max)
            },
            read_bytes_max: config.entry_bytes_max,
            replace: config.mode == crate::config::Mode::Refresh,
            admits,
        }
    }

    fn write(&self, job: &Job) -> Result<Outcome, Failed> {
        let compile_time = job.publication.metadata.compile_time;
        let attempt = |tree: &crate::disk::tree::Tree| {
            let admits = |bytes| {
                let candidate = Candidate {
                    key: &job.key,
                    cost_ns: u64::try_from(compile_time.as_nanos()).unwrap_or(u64::MAX),
                    bytes,
                };
                admit::admits(&self.shared, tree, self.keeper.delta, &candidate)
            };
            let rules = self.rules(&admits);
            write::write_entry(tree, job.table, &job.key, &job.publication, rules)
        };
        let tree = self.shared.tree();
        if let Some(tree) = tree {
            match attempt(&tree) {
                Err(_) if tree.is_deleted() => {}
                outcome => return outcome.map_err(Failed::Call),
            }
        }
        let reopened = self.shared.reopen().map_err(Failed::Open)?;
        attempt(&reopened).map_err(Failed::Call)
    }

    fn tell(&mut self, job: &Job, outcome: Outcome, duration: Duration) {
        let (layer, key) = (job.table.layer(), job.key);
        if outcome.differed {
            self.shared.event(&Event::Nondeterministic { layer, key });
        }
        match outcome.done {
            Done::Written { bytes, replaced } => {
                self.shared.wrote();
                self.keeper.wrote(bytes, replaced);
                self.shared.event(&Event::Publish {
                    layer,
                    key,
                    bytes,
                    duration,
                });
            }
            Done::Present => bypass(&self.shared, job, Bypass::Present),
            Done::OverLimit => bypass(&self.shared, job, Bypass::OverLimit),
            Done::NotWorth => bypass(&self.shared, job, Bypass::NotWorth),
        }
    }

    fn back_off(&mut self, job: &Job, failed: Failed) {
        self.pause.begin(self.shared.config.retry_after);
        // What is above its bounds may be what fills the disk.
        self.keeper.look();
        bypass(&self.shared, job, Bypass::Io);
        let (code, message) = match failed {
            Failed::Call(errno) => (
                Caution::Write,
                format!("writing to the cache on disk failed: {}", errno.kind()),
            ),
            Failed::Open(refusal) => (
                Caution::Directory,
                format!("the cache on disk is off: {refusal}"),
            ),
        };
        self.shared
            .warn(code, format!("{message}; it is tried again later"));
    }

    /// One step of what is done when the queue is empty, and now and then while it is not: totals, eviction, sweeping. Whether there is
    /// more. Goes on while writing pauses, for it only takes away.
    fn keep_house(&mut self, late: bool) -> bool {
        if !self.shared.is_writable() {
            self.keeper.abandon();
            return false;
        }
        self.keeper.step(&self.shared, late)
    }
}

fn bypass(shared: &Shared, job: &Job, why: Bypass) {
    shared.event(&Event::Bypass {
        layer: job.table.layer(),
        key: job.key,
        reason: why.code(),
    });
}
