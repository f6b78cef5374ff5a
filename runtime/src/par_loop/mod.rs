//! Loops: arguments, the checks on them, and the call.
//!
//! One direction: [`arg`] is what a caller writes, [`bind`] turns a list of them into a signature and a binding (refusing what
//! does not fit the mesh), [`params`] checks a signature against the kernel's parameters, [`call`] runs code on a binding.
//! Invariant: `call` is reached only with a binding that passed both checks for exactly the code it runs.

mod arg;
mod audit;
mod bind;
mod call;
mod error;
mod params;
mod prepare;
mod prepared;
mod rebind;
mod useful;

pub use arg::{Arg, Over, element_index};
use arg::{Data, Path};
use bind::{Binding, Slot, bind};

pub use error::ArgError;
use params::check_params;

pub use prepared::{CodeSource, PreparedLoop};
pub use rebind::Bound;
