//! An observer is told from many threads.
use parloop::{Engine, Event, Observer};
use std::cell::Cell;
use std::sync::Arc;

struct Count(Cell<u32>);

impl Observer for Count {
    fn event(&self, _event: &Event) {
        self.0.set(self.0.get() + 1);
    }
}

fn main() {
    let _builder = Engine::builder().observer(Arc::new(Count(Cell::new(0))));
}
