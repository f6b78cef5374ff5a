//! Tells statistics, the log and the embedder what happens.
//!
//! Invariant: all three see the same events, in the same order; what one of them does with an event does not change what the
//! others see.

use parloop_cache::{Event, Observer, Stats};
use std::sync::Arc;

pub(crate) struct Fanout {
    pub(crate) stats: Arc<Stats>,
    pub(crate) embedder: Option<Arc<dyn Observer>>,
}

impl Observer for Fanout {
    fn event(&self, event: &Event) {
        self.stats.event(event);
        parloop_cache::trace(event);
        if let Some(observer) = &self.embedder {
            observer.event(event);
        }
    }

    fn wants_explanations(&self) -> bool {
        let wanted = self.embedder.as_ref();
        wanted.is_some_and(|observer| observer.wants_explanations())
            || parloop_cache::explanations_are_traced()
    }
}
