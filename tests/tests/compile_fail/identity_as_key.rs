//! An identity of a set can't become the key of compiled code.
use parloop_cache::Key;
use parloop_cache::object::Identity;

fn main() {
    let identity = Identity::new();
    let _key: Key = Key::new(identity);
}
