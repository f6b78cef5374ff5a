//! A view of values can't outlive its dat.
use parloop::{Engine, Set};

fn main() {
    let engine = Engine::builder().build().unwrap();
    let set = Set::new("cells", 1).unwrap();
    let view = {
        let dat = engine.dat(&set, "a", 1, &[1.0]).unwrap();
        dat.data::<f64>().unwrap()
    };
    println!("{}", view[0]);
}
