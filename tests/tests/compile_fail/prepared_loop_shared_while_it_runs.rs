//! A prepared loop runs for one caller at a time.
use parloop::PreparedLoop;

fn twice(prepared: &PreparedLoop) {
    prepared.run().unwrap();
}

fn main() {}
