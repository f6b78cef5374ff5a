//! Maps have entries of 32 or 64 bits with a sign.
use parloop::{Map, Set};

fn main() {
    let set = Set::new("cells", 1).unwrap();
    let _map = Map::new("m", &set, &set, 1, vec![0.0]);
}
