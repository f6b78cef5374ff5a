//! Tells statistics, the log and the embedder what happens.
//!
//! Invariant: one loop that is not found on disk is one miss, though its file is looked for twice, before and after the lock
//! that one of many processes compiles under.

use parloop_cache::{Event, Layer, Observer, Stats};
use std::cell::Cell;
use std::sync::Arc;

thread_local! {
    static SECOND_LOOK: Cell<bool> = const { Cell::new(false) };
}

pub(crate) struct Fanout {
    pub(crate) stats: Arc<Stats>,
    pub(crate) embedder: Option<Arc<dyn Observer>>,
}

impl Observer for Fanout {
    fn event(&self, event: &Event) {
        if SECOND_LOOK.get()
            && matches!(
                event,
                Event::Miss {
                    layer: Layer::Disk,
                    ..
                }
            )
        {
            return;
        }
        self.stats.event(event);
        parloop_cache::trace(event);
        if let Some(observer) = &self.embedder {
            observer.event(event);
        }
    }
}

/// Looks again for what has just been missed; another miss is the same one.
pub(crate) fn second_look<T>(look: impl FnOnce() -> T) -> T {
    SECOND_LOOK.set(true);
    let found = look();
    SECOND_LOOK.set(false);
    found
}
