//! Writes events down, a line each, so that tests can compare the whole list.

use parloop::{Event, Observer};
use std::sync::{Mutex, PoisonError};

/// An observer that keeps what it is told.
#[derive(Default, Debug)]
pub struct Log(Mutex<Vec<Event>>);

impl Observer for Log {
    fn event(&self, event: &Event) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event.clone());
    }
}

/// An event in a line, without its key and its numbers.
pub fn line(event: &Event) -> String {
    match event {
        Event::Hit { layer, .. } => format!("{} hit", layer.name()),
        Event::Retract { layer, .. } => format!("{} retract", layer.name()),
        Event::Miss { layer, reason, .. } => format!("{} miss: {reason}", layer.name()),
        Event::Compile { .. } => "compile".to_owned(),
        Event::Publish { layer, .. } => format!("{} publish", layer.name()),
        Event::Bypass { layer, reason, .. } => format!("{} bypass: {reason}", layer.name()),
        Event::Reject { layer, reason, .. } => format!("{} reject: {reason}", layer.name()),
        Event::Evict { layer, .. } => format!("{} evict", layer.name()),
        Event::Nondeterministic { layer, .. } => format!("{} nondeterministic", layer.name()),
        Event::Explained { nearest: None, .. } => "explained: nothing near".to_owned(),
        Event::Explained { differences, .. } => format!("explained: {}", differences.join("; ")),
        Event::Verified { layer, .. } => format!("{} verified", layer.name()),
        Event::Warning { code, .. } => format!("warning: {code}"),
        other => format!("{other:?}"),
    }
}

impl Log {
    /// The events since the last time.
    pub fn events(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The lines since the last time: those of the caller's thread in order, then those of the thread that writes files.
    pub fn lines(&self) -> Vec<String> {
        let lines: Vec<String> = self.events().iter().map(line).collect();
        let written = |line: &String| line.contains("publish") || line.contains("bypass");
        let (late, mut now): (Vec<String>, Vec<String>) = lines.into_iter().partition(written);
        now.extend(late);
        now
    }
}
