//! An argument borrows its dat and map.
use parloop::{Engine, Map, Set};

fn main() {
    let engine = Engine::builder().build().unwrap();
    let set = Set::new("cells", 1).unwrap();
    let dat = engine.dat(&set, "a", 1, &[1.0]).unwrap();
    let arg = {
        let map = Map::new("self", &set, &set, 1, vec![0i32]).unwrap();
        dat.read().at(&map, 0)
    };
    println!("{arg:?}");
}
