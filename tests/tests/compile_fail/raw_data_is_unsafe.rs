//! Lending storage is a promise that only its owner can make.
use parloop::{DType, Engine, Set};

fn main() {
    let engine = Engine::builder().build().unwrap();
    let set = Set::new("cells", 1).unwrap();
    let mut value = 1.0f64;
    let base = (&raw mut value).cast();
    let _dat = engine.dat_from_raw(&set, "a", 1, DType::F64, base, ());
}
