//! The typed intermediate representation of kernels and loops.

mod body;
mod builder;
mod canon;
pub mod eval;
mod fills;
pub mod interp;
mod kernel;
pub mod limits;
mod loops;
mod print;
mod read;
mod types;
mod uses;
mod verify;
mod visit;

pub(crate) use body::integer;
pub use body::{
    Array, ArrayData, BinaryOp, Block, Body, CallArgs, CompareOp, For, HostSymbol, Inst, Label, Op,
    Place, Region, Site, Stmt, Symbol, Table, TableData, UnaryOp, Value, Var,
};
pub use builder::{Builder, OpenFor};
pub use canon::{Canonical, canonicalize};
pub use kernel::{ConstantSlot, Kernel, Param, Passing};
pub use loops::{Loop, Wide};
pub use read::{read_kernel, read_loop};
pub use types::{Scalar, Type};
pub(crate) use uses::{count_uses, for_each_operand, per_value};
pub use verify::{Rule, VerifyError, verify_kernel, verify_loop};
pub(crate) use visit::any_stmt;
pub use visit::for_each_stmt;
