//! Complex arguments as twice as many reals: what kernels see after the front end, and all that follows.

use crate::error::{CompileError, Mismatch};
use crate::signature::{Access, ArgSignature, Signature};

/// The signature with every complex value as its two parts.
///
/// # Errors
/// The first argument that has an order of complex numbers, or too many of them.
pub(super) fn in_reals(signature: &Signature) -> Result<Signature, CompileError> {
    let args = signature.args.iter().enumerate();
    let args = args.map(|(index, arg)| argument(index, *arg));
    Ok(Signature {
        args: args.collect::<Result<_, _>>()?,
        ..signature.clone()
    })
}

fn argument(index: usize, arg: ArgSignature) -> Result<ArgSignature, CompileError> {
    let parts = arg.dtype.parts();
    if parts == 1 {
        return Ok(arg);
    }
    if matches!(arg.access, Access::Min | Access::Max) {
        let mismatch = Mismatch::Unordered;
        return Err(CompileError::Argument { index, mismatch });
    }
    let dim = arg.dim.checked_mul(parts);
    Ok(ArgSignature {
        dtype: arg.dtype.real(),
        dim: dim.ok_or(CompileError::TooLarge {
            what: "scalars of an argument",
            size: u64::from(arg.dim) * u64::from(parts),
            limit: u64::from(u32::MAX),
        })?,
        ..arg
    })
}
