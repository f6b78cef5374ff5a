//! What a value is can't be extended from outside: its bytes are read by compiled code.
use parloop::{DType, Value};

#[derive(Clone, Copy)]
struct Half(u16);

impl Value for Half {
    const DTYPE: DType = DType::U16;
    fn bits(self) -> u64 {
        u64::from(self.0)
    }
}

fn main() {}
