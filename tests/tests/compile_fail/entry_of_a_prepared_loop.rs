//! The entry point of a prepared loop can't be reached.
use parloop::PreparedLoop;

fn entry(prepared: &PreparedLoop) -> *const u8 {
    prepared.call.entry
}

fn main() {}
