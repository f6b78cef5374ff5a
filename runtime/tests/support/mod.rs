//! What the tests share: engines that are watched, meshes, and kernels in one line.

#![allow(dead_code, reason = "each test file uses some of it")]

use parloop::{Engine, Event, Map, Observer, Set};
use std::sync::{Arc, Mutex};

/// Writes events down, in one line each: the layer and what happened there.
#[derive(Default)]
pub(crate) struct Log(Mutex<Vec<String>>);

impl Observer for Log {
    fn event(&self, event: &Event) {
        let line = match event {
            Event::Hit { layer, .. } => format!("{} hit", layer.name()),
            Event::Miss { layer, reason, .. } => format!("{} miss: {reason}", layer.name()),
            Event::Compile { .. } => "compile".to_owned(),
            Event::Publish { layer, .. } => format!("{} publish", layer.name()),
            Event::Bypass { layer, reason, .. } => format!("{} bypass: {reason}", layer.name()),
            Event::Reject { layer, reason, .. } => format!("{} reject: {reason}", layer.name()),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

impl Log {
    /// The lines since the last time, without those of the thread that writes files, whose order is its own.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut lines = std::mem::take(&mut *self.0.lock().unwrap());
        lines.retain(|line| !line.contains("publish") && !line.contains("bypass"));
        lines
    }

    /// All lines since the last time, sorted.
    pub(crate) fn take_sorted(&self) -> Vec<String> {
        let mut lines = std::mem::take(&mut *self.0.lock().unwrap());
        lines.sort();
        lines
    }
}

/// An engine that keeps code in memory only.
pub(crate) fn engine() -> Engine {
    Engine::builder().build().unwrap()
}

/// An engine on a cache directory, and what it says.
pub(crate) fn watched(directory: &std::path::Path) -> (Engine, Arc<Log>) {
    let log = Arc::new(Log::default());
    let engine = Engine::builder()
        .cache_dir(directory)
        .observer(log.clone())
        .build()
        .unwrap();
    (engine, log)
}

/// Waits for the files of an engine.
pub(crate) fn flush(engine: &Engine) {
    assert!(engine.flush(std::time::Duration::from_secs(10)));
}

/// Edges of a ring of `size` nodes: edge `i` from node `i` to the next.
pub(crate) fn ring(size: usize) -> (Set, Set, Map) {
    let nodes = Set::new("nodes", size).unwrap();
    let edges = Set::new("edges", size).unwrap();
    let ends: Vec<i32> = (0..size)
        .flat_map(|i| [i as i32, ((i + 1) % size) as i32])
        .collect();
    let map = Map::new("ends", &edges, &nodes, 2, ends).unwrap();
    (nodes, edges, map)
}
