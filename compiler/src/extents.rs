//! How much of what its parameters point to a kernel uses, as far as its text tells; and the signature of a plain function.
//!
//! Declared extents count first (`double A[12][12]`); else the largest index that the kernel can be seen to use, plus one: bounds
//! are followed through loop counters, constants, tables and integer arithmetic. An index that depends on data has no bound
//! here, and the caller has to say.

mod bounds;
mod holds;

use crate::aliasing;
use crate::ir::Passing;
use crate::signature::{Access, ArgSignature, DType, Iteration, Layout, Signature, Source};
use crate::source::{CheckedKernel, ParamInfo};

/// How far a kernel is seen to reach through one of its parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reach {
    /// One more than the largest index of a scalar, of which a complex value has two; 0 if there is none.
    pub values: u64,
    /// For an array of row pointers: one more than the largest row.
    pub rows: u64,
    /// Whether some index is not known to stay below.
    pub open: bool,
}

impl Reach {
    /// Of every parameter, in order.
    pub fn of(checked: &CheckedKernel) -> Vec<Reach> {
        bounds::reach(&checked.kernel.body, checked.params.len())
    }

    /// How many values the kernel may use through `param`: what it declares, else what is reached. `None` if an index depends on
    /// data.
    pub fn extent(&self, param: &ParamInfo) -> Option<u64> {
        let known = param.extents.iter().flatten();
        let known = known.fold(1u64, |product, extent| product.saturating_mul(*extent));
        if !param.extents.is_empty() && param.extents.iter().all(Option::is_some) {
            return Some(known);
        }
        let parts = u64::from(param.dtype.map_or(1, DType::parts));
        let values = self.values.div_ceil(parts);
        (!self.open).then(|| values.max(1).next_multiple_of(known.max(1)))
    }
}

/// What stands for the signature of a plain function while its text is not parsed: the extents that the caller gave.
pub fn provisional_function_signature(extents: &[u32]) -> Signature {
    let args = extents.iter().enumerate().map(|(index, dim)| ArgSignature {
        source: Source::Direct,
        dtype: DType::U8,
        dim: *dim,
        layout: Layout::Aos,
        access: Access::Read,
        dat: index as u16,
    });
    Signature {
        iteration: Iteration::Function,
        args: args.collect(),
        allow_conflicts: false,
    }
}

/// The signature of `checked` as a plain function. `extents` are the caller's, by parameter; 0 or a missing one leaves it to the
/// text.
///
/// # Errors
/// The first parameter, by number, whose extent neither the caller nor the text gives, or that a plain function can't have.
pub fn function_signature(
    checked: &CheckedKernel,
    extents: &[u32],
) -> Result<Signature, ExtentError> {
    let reach = Reach::of(checked);
    let slots = aliasing::slots(&checked.params);
    let mut args = Vec::with_capacity(checked.params.len());
    for (index, param) in checked.params.iter().enumerate() {
        let given = extents.get(index).copied().filter(|extent| *extent > 0);
        args.push(ArgSignature {
            dat: slots[index],
            ..argument(index, param, &reach[index], given)?
        });
    }
    if extents.len() > args.len() {
        return Err(ExtentError::Surplus { params: args.len() });
    }
    Ok(Signature {
        iteration: Iteration::Function,
        args,
        allow_conflicts: false,
    })
}

fn argument(
    index: usize,
    param: &ParamInfo,
    reach: &Reach,
    given: Option<u32>,
) -> Result<ArgSignature, ExtentError> {
    let name = || param.name.clone();
    let (source, dim) = match param.passing {
        Passing::Value => (Source::Value, 1),
        Passing::Unused => (Source::Direct, 1),
        Passing::Rows => return Err(ExtentError::Rows { name: name() }),
        Passing::Pointer => {
            let found = || {
                reach
                    .extent(param)
                    .and_then(|extent| u32::try_from(extent).ok())
            };
            let dim = given.or_else(found);
            (
                Source::Direct,
                dim.ok_or(ExtentError::Unknown { name: name() })?,
            )
        }
    };
    let constant = param.is_const || param.passing != Passing::Pointer;
    Ok(ArgSignature {
        source,
        dtype: param.dtype.unwrap_or(DType::U8),
        dim,
        layout: Layout::Aos,
        access: if constant { Access::Read } else { Access::Rw },
        dat: index as u16,
    })
}

/// Why a kernel has no signature as a plain function.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtentError {
    /// An index through this parameter depends on data.
    #[error("how many values `{name}` points to depends on data: say its extent")]
    Unknown {
        /// The parameter.
        name: String,
    },
    /// An array of row pointers.
    #[error(
        "`{name}` is an array of row pointers, which only a loop's argument through a map can give"
    )]
    Rows {
        /// The parameter.
        name: String,
    },
    /// More extents than parameters.
    #[error("there are more extents than the kernel's {params} parameters")]
    Surplus {
        /// Parameters of the kernel.
        params: usize,
    },
}
