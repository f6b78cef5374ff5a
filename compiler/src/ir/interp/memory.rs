//! What the interpreter runs on: buffers of bytes, bindings of arguments to them, host functions, and how a run ended.

use crate::abi;
use crate::ir::body::HostSymbol;
use crate::ir::kernel::{Kernel, Passing};
use crate::ir::types::Scalar;
use crate::ir::verify::VerifyError;
use std::ops::Range;
use std::sync::Arc;

/// What a loop runs on. Values lie in buffers as in native memory, little-endian.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Memory {
    /// Dats and globals.
    pub buffers: Vec<Vec<u8>>,
    /// Where the arguments lie, in the signature's order. Two may share a buffer.
    pub args: Vec<ArgBinding>,
    /// By slot, the bytes of the kernel constants.
    pub constants: Vec<Vec<u8>>,
    /// Steps that an element may spend.
    pub steps: u64,
}

/// Where an argument lies.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ArgBinding {
    /// Which buffer.
    pub buffer: usize,
    /// Of its first value, in bytes.
    pub offset: u64,
    /// Its map.
    pub map: Option<MapBinding>,
    /// Of row pointers instead of a buffer and an offset: those of each row.
    pub rows: Vec<(usize, u64)>,
}

/// A map: `arity` entries an element, whatever their width in memory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MapBinding {
    /// Entries, with shape `[element][arity]`; arguments on one map share them.
    pub entries: Arc<[i64]>,
}

/// What a kernel runs on as a plain function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KernelMemory {
    /// What pointers point into.
    pub buffers: Vec<Vec<u8>>,
    /// Arguments, in the parameters' order.
    pub args: Vec<KernelArg>,
    /// By slot, the bytes of the kernel constants.
    pub constants: Vec<Vec<u8>>,
    /// Steps that the call may spend.
    pub steps: u64,
}

/// An argument of a kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KernelArg {
    /// A scalar by its bits.
    Value(u64),
    /// A pointer.
    Pointer(Pointer),
    /// An array of row pointers.
    Rows(Vec<Pointer>),
    /// For a parameter that is never used.
    Unused,
}

/// A pointer and how far it is good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pointer {
    /// Which buffer.
    pub buffer: usize,
    /// In bytes.
    pub offset: u64,
    /// How many scalars may be accessed; what is beyond is a bad index.
    pub len: u64,
}

/// The elements of a run.
#[derive(Clone, Debug)]
pub enum Elements<'a> {
    /// From the first to before the last.
    Range(Range<u64>),
    /// These, in order.
    List(&'a [u32]),
}

impl Elements<'_> {
    /// What one call of compiled code runs on, call by call.
    pub(super) fn parts(&self) -> Vec<Elements<'_>> {
        match self {
            Elements::Range(range) => vec![Elements::Range(range.clone())],
            Elements::List(list) => {
                let part = |part| Elements::List(&list[part]);
                abi::parts(list).map(part).collect()
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> + Clone {
        let (range, list) = match self {
            Elements::Range(range) => (range.clone(), [].as_slice()),
            Elements::List(list) => (0..0, *list),
        };
        range.chain(list.iter().map(|e| u64::from(*e)))
    }
}

/// Host functions.
pub trait Hosts {
    /// The result's bits, or `None` if there is no such function.
    fn call(&self, host: &HostSymbol, args: &[u64]) -> Option<u64>;
}

/// A table of functions by name, from bits to bits.
impl Hosts for &[(&str, fn(&[u64]) -> u64)] {
    fn call(&self, host: &HostSymbol, args: &[u64]) -> Option<u64> {
        let entry = self.iter().find(|(name, _)| *name == host.name)?;
        Some(entry.1(args))
    }
}

/// No functions.
impl Hosts for () {
    fn call(&self, _host: &HostSymbol, _args: &[u64]) -> Option<u64> {
        None
    }
}

/// How a run ended, as `abi::Ctx` tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// One of the statuses of `abi`.
    pub status: u32,
    /// Where it stopped; 0 if it did not.
    pub site: u32,
    /// The element that stopped it; 0 if none did.
    pub element: u64,
    /// The offending value; 0 if there is none.
    pub value: i64,
}

/// Why a run has no result.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InterpError {
    /// The verifier refuses it.
    #[error("unsound: {0}")]
    Unsound(#[from] VerifyError),
    /// An access outside of its place, with no guard before it.
    #[error("an access of {what} at {index} is out of bounds")]
    OutOfBounds {
        /// What was accessed.
        what: &'static str,
        /// The index, or the offset in bytes.
        index: i64,
    },
    /// An integer division by zero with no guard before it.
    #[error("an unguarded division by zero")]
    Division,
    /// A host function that the caller has not given.
    #[error("no host function {0}")]
    NoHost(String),
    /// An argument or constant that is missing or of another kind than the parameter.
    #[error("argument {0} is not what its parameter takes")]
    Argument(usize),
    /// Local arrays too large to be interpreted.
    #[error("{0} entries of local arrays are too many")]
    TooLarge(u64),
}

impl KernelMemory {
    /// Whether each argument is of its parameter's kind.
    pub(super) fn matches(&self, kernel: &Kernel) -> Result<(), InterpError> {
        for (i, param) in kernel.params.iter().enumerate() {
            let fits = matches!(
                (param.passing, self.args.get(i)),
                (Passing::Value, Some(KernelArg::Value(_)))
                    | (Passing::Pointer, Some(KernelArg::Pointer(_)))
                    | (Passing::Rows, Some(KernelArg::Rows(_)))
                    | (Passing::Unused, Some(_))
            );
            if !fits {
                return Err(InterpError::Argument(i));
            }
        }
        Ok(())
    }
}

/// The bits of a scalar in memory, if it lies there in full.
pub(super) fn read(bytes: &[u8], at: i128, scalar: Scalar) -> Option<u64> {
    let at = usize::try_from(at).ok()?;
    let size = scalar.bytes() as usize;
    let found = bytes.get(at..at.checked_add(size)?)?;
    let mut bits = [0; 8];
    bits[..size].copy_from_slice(found);
    let bits = u64::from_le_bytes(bits);
    Some(match scalar {
        Scalar::Bool => u64::from(bits != 0),
        _ => bits,
    })
}

/// Writes the bits of a scalar, if there is room.
pub(super) fn write(bytes: &mut [u8], at: i128, scalar: Scalar, bits: u64) -> Option<()> {
    let at = usize::try_from(at).ok()?;
    let size = scalar.bytes() as usize;
    let place = bytes.get_mut(at..at.checked_add(size)?)?;
    place.copy_from_slice(&bits.to_le_bytes()[..size]);
    Some(())
}
