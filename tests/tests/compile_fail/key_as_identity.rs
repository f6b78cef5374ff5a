//! A key of compiled code can't stand in the key of a cached object.
use parloop_cache::Key;
use parloop_cache::object::Identity;

fn main() {
    let key = Key::new([0; 32]);
    let _identity: Identity = key.into();
}
