//! Single flight across processes: file locks on shards, held open, waited for a bounded time.
//!
//! Invariant: locks only save work. Where they are refused, broken or held too long, the caller goes on without one
//! and the result is the same. None is taken on a hit. Lock files are never removed while the store is used.

use crate::disk::path;
use crate::disk::sys::Sys;
use crate::disk::tree::Tree;
use crate::key::Key;
use rustix::io::{self, Errno};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

const POLL_FIRST: Duration = Duration::from_micros(100);
const POLL_MAX: Duration = Duration::from_millis(2);

/// The right to compile a key while other processes wait. Give it to
/// [`Store::publish`](crate::Store::publish), which keeps it until the entry is in place or too much is waiting to be written, or drop it.
#[derive(Debug)]
pub struct FlightGuard {
    sys: Sys,
    file: OwnedFd,
    pid: u32,
}

impl Drop for FlightGuard {
    fn drop(&mut self) {
        // A child forked meanwhile shares the lock: the parent must give it up for both, and the child for neither.
        if self.pid == std::process::id() {
            self.sys.unlock(&self.file);
        }
    }
}

/// Takes the lock of a key's shard, or gives up after `wait_max`.
pub(crate) fn take(tree: &Tree, key: &Key, wait_max: Duration) -> Option<FlightGuard> {
    let file = open(tree, key).ok()?;
    let deadline = Instant::now() + wait_max;
    let mut pause = POLL_FIRST;
    loop {
        match tree.sys.try_lock(&file) {
            Ok(true) => {
                return Some(FlightGuard {
                    sys: tree.sys.clone(),
                    file,
                    pid: std::process::id(),
                });
            }
            Ok(false) => {}
            Err(_no_locks_here) => return None,
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(POLL_MAX);
    }
}

fn open(tree: &Tree, key: &Key) -> io::Result<OwnedFd> {
    let at = path::lock(key);
    match tree.open_file(path::LOCKS_DIR, &at) {
        Err(Errno::NOENT) => {
            tree.make_dirs(&[path::VERSION_DIR, path::LOCKS_DIR])?;
            tree.open_file(path::LOCKS_DIR, &at)
        }
        outcome => outcome,
    }
}
