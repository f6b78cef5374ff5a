//! A host function's address is a promise that only the program can make.
use parloop::Engine;
use parloop_compiler::ir::{HostSymbol, Scalar};

fn main() {
    let symbol = HostSymbol { name: "f".into(), params: vec![Scalar::F64], result: Scalar::F64 };
    let _builder = Engine::builder().host_function(symbol, std::ptr::null());
}
