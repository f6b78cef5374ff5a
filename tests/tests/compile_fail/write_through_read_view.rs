//! A view to read can't be written.
use parloop::{Engine, Set};

fn main() {
    let engine = Engine::builder().build().unwrap();
    let set = Set::new("cells", 1).unwrap();
    let dat = engine.dat(&set, "a", 1, &[1.0]).unwrap();
    dat.data::<f64>().unwrap()[0] = 2.0;
}
