//! The time of each stage of a compilation.

use parloop_compiler::{Stage, Watch};
use std::fmt;
use std::time::{Duration, Instant};

/// The name of the front end's time among those of the stages.
pub(crate) const FRONT_END: &str = "check";

/// Takes the time of each stage, and prints what one of them makes; printing is not timed.
pub(crate) struct Clock {
    last: Instant,
    wanted: Option<Stage>,
    /// By the stages' names, in order.
    pub(crate) stages: Vec<(&'static str, Duration)>,
    /// What the wanted stage made.
    pub(crate) printed: Option<String>,
}

impl Clock {
    /// A clock that runs from now on.
    pub(crate) fn new(wanted: Option<Stage>) -> Clock {
        Clock {
            last: Instant::now(),
            wanted,
            stages: Vec::with_capacity(Stage::ALL.len()),
            printed: None,
        }
    }
}

impl Watch for Clock {
    fn passed(&mut self, stage: Stage, result: &dyn fmt::Display) {
        self.stages.push((stage.name(), self.last.elapsed()));
        if self.wanted == Some(stage) {
            self.printed = Some(result.to_string());
        }
        self.last = Instant::now();
    }
}
