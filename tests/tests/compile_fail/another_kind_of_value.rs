//! Dats hold numbers and nothing else.
use parloop::{Engine, Set};

fn main() {
    let engine = Engine::builder().build().unwrap();
    let set = Set::new("cells", 1).unwrap();
    let _dat = engine.dat(&set, "a", 1, &[String::new()]).unwrap();
}
