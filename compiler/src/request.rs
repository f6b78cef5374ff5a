//! All that `compile` reads.

use crate::ir::Kernel;
use crate::options::Options;
use crate::signature::Signature;
use crate::target::Target;

/// A compilation: equal requests give equal bytes, on any host, in any process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The kernel in canonical form.
    pub kernel: Kernel,
    /// The arguments.
    pub signature: Signature,
    /// The choices.
    pub options: Options,
    /// The machine.
    pub target: Target,
}
