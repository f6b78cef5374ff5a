//! The owner of lent storage is dropped wherever the last handle is: it must be able to go to another thread.
use parloop::{DType, Engine, Set};
use std::rc::Rc;

fn main() {
    let engine = Engine::builder().build().unwrap();
    let set = Set::new("cells", 1).unwrap();
    let owner = Rc::new([1.0f64]);
    let base = owner.as_ptr().cast_mut().cast();
    // SAFETY: none is claimed; this does not compile.
    let _dat = unsafe { engine.dat_from_raw(&set, "a", 1, DType::F64, base, owner) };
}
