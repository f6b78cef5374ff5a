//! Single flight within a process: of the threads that want one value, one makes it and the others wait, for a bounded time.
//!
//! Invariant: a flight ends with whoever began it, by a value, an error or a panic; then all who wait are told. No lock is held while a
//! value is made.

use super::KeyState;
use crate::key::Key;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The values that are being made.
pub(super) struct Flights<V>(Mutex<HashMap<Key, Arc<Flight<V>>, KeyState>>);

impl<V> Default for Flights<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// A value that is being made.
struct Flight<V> {
    landing: Mutex<Landing<V>>,
    over: Condvar,
    /// Whether it was forgotten while it was made.
    unwanted: AtomicBool,
}

enum Landing<V> {
    Awaited,
    Made(Arc<V>),
    Failed,
}

/// What became of asking for a value that was not there.
pub(super) enum Boarding<'a, V> {
    /// It is there after all, or another thread has made it.
    There(Arc<V>),
    /// Another thread failed to make it.
    Again,
    /// Another thread is still making it.
    TooLate,
    /// It is for this thread to make.
    Mine(Own<'a, V>),
}

/// The right and the duty to make a value.
pub(super) struct Own<'a, V> {
    flights: &'a Flights<V>,
    flight: Arc<Flight<V>>,
    key: Key,
}

impl<V> Flights<V> {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Flight<V>>, KeyState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins those who wait for a value until the deadline, or is the one to make it if `find` still does not.
    pub(super) fn board(
        &self,
        key: &Key,
        find: impl FnOnce() -> Option<Arc<V>>,
        deadline: Instant,
    ) -> Boarding<'_, V> {
        let mut flights = self.lock();
        if let Some(flight) = flights.get(key) {
            let flight = Arc::clone(flight);
            drop(flights);
            return flight.wait(deadline);
        }
        if let Some(value) = find() {
            return Boarding::There(value);
        }
        let flight = Arc::new(Flight {
            landing: Mutex::new(Landing::Awaited),
            over: Condvar::new(),
            unwanted: AtomicBool::new(false),
        });
        flights.insert(*key, Arc::clone(&flight));
        Boarding::Mine(Own {
            flights: self,
            flight,
            key: *key,
        })
    }

    /// Has values that are being made not kept: that of a key, or all.
    pub(super) fn forget(&self, key: Option<&Key>) {
        let flights = self.lock();
        let of_key = |(made, _): &(&Key, _)| key.is_none_or(|key| key == *made);
        for (_, flight) in flights.iter().filter(of_key) {
            flight.unwanted.store(true, SeqCst);
        }
    }
}

impl<V> Flight<V> {
    fn wait<'a>(&self, deadline: Instant) -> Boarding<'a, V> {
        let left = deadline.saturating_duration_since(Instant::now());
        let landing = self.landing.lock().unwrap_or_else(PoisonError::into_inner);
        let awaited = |landing: &mut Landing<V>| matches!(landing, Landing::Awaited);
        let outcome = self.over.wait_timeout_while(landing, left, awaited);
        let (landing, _) = outcome.unwrap_or_else(PoisonError::into_inner);
        match &*landing {
            Landing::Awaited => Boarding::TooLate,
            Landing::Made(value) => Boarding::There(Arc::clone(value)),
            Landing::Failed => Boarding::Again,
        }
    }
}

impl<V> Own<'_, V> {
    /// Whether it is still to be kept.
    pub(super) fn is_wanted(&self) -> bool {
        !self.flight.unwanted.load(SeqCst)
    }

    /// Gives the value to all who wait.
    pub(super) fn land(self, value: &Arc<V>) {
        self.end(Landing::Made(Arc::clone(value)));
    }

    fn end(&self, how: Landing<V>) {
        let landing = self.flight.landing.lock();
        let mut landing = landing.unwrap_or_else(PoisonError::into_inner);
        if matches!(*landing, Landing::Awaited) {
            *landing = how;
        }
    }
}

impl<V> Drop for Own<'_, V> {
    fn drop(&mut self) {
        self.end(Landing::Failed);
        drop(self.flights.lock().remove(&self.key));
        // Nobody comes to it any more, and who waits holds it. Telling nobody would be a system call, too.
        if Arc::strong_count(&self.flight) > 1 {
            self.flight.over.notify_all();
        }
    }
}

thread_local! {
    /// The keys that this thread is making values for, so that it never waits for itself.
    static MAKING: RefCell<Vec<(usize, Key)>> = const { RefCell::new(Vec::new()) };
}

/// Held while a thread makes, or waits for, a value.
pub(super) struct Making;

impl Making {
    pub(super) fn begin(cache_id: usize, key: Key) -> Option<Self> {
        MAKING.with_borrow_mut(|making| {
            if making.contains(&(cache_id, key)) {
                return None;
            }
            making.push((cache_id, key));
            Some(Self)
        })
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        // Calls nest, so the last one pushed is this one.
        MAKING.with_borrow_mut(|making| making.pop());
    }
}
