//! A key of compiled code can't stand in the key of a cached object.
use parloop_cache::{Identity, Key};

fn main() {
    let key = Key::new([0; 32]);
    let _identity: Identity = key.into();
}
