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
    /// Whether some index of a value is not known to stay below.
    pub open: bool,
    /// The same of rows.
    pub open_rows: bool,
}

/// How much a parameter of a plain function points to, as its caller says; what is 0 is left to the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Extent {
    /// How many row pointers there are, where the parameter is an array of them.
    pub rows: u32,
    /// How many values there are, in each row where there are rows.
    pub values: u32,
}

/// So many values, of each row where there are rows.
impl From<u32> for Extent {
    fn from(values: u32) -> Extent {
        Extent { rows: 0, values }
    }
}

/// So many rows of so many values.
impl From<[u32; 2]> for Extent {
    fn from([rows, values]: [u32; 2]) -> Extent {
        Extent { rows, values }
    }
}

impl Reach {
    /// Of every parameter, in order.
    pub fn of(checked: &CheckedKernel) -> Vec<Reach> {
        bounds::reach(&checked.kernel.body, checked.params.len())
    }

    /// How many values the kernel may use through `param`, in each row if there are rows: what it declares, else what is reached.
    /// `None` if an index depends on data.
    pub fn extent(&self, param: &ParamInfo) -> Option<u64> {
        let declared = match param.passing {
            Passing::Rows => param.extents.get(1..).unwrap_or_default(),
            _ => &param.extents,
        };
        // What arrays a row is made of is declared, not how many.
        let whole = param.passing != Passing::Rows && !declared.is_empty();
        let known = declared.iter().flatten();
        let known = known.fold(1u64, |product, extent| product.saturating_mul(*extent));
        if whole && declared.iter().all(Option::is_some) {
            return Some(known);
        }
        let parts = u64::from(param.dtype.map_or(1, DType::parts));
        let values = self.values.div_ceil(parts);
        (!self.open).then(|| values.max(1).next_multiple_of(known.max(1)))
    }

    /// How many row pointers the kernel may use through `param`: what it declares, else what is reached. `None` if a row depends
    /// on data.
    pub fn row_extent(&self, param: &ParamInfo) -> Option<u64> {
        let declared = param.extents.first().copied().flatten();
        declared.or_else(|| (!self.open_rows).then_some(self.rows.max(1)))
    }
}

/// What stands for the signature of a plain function while its text is not parsed: the extents that the caller gave.
pub fn provisional_function_signature(extents: &[Extent]) -> Signature {
    let args = extents.iter().enumerate().map(|(index, extent)| {
        let Extent { rows, values } = *extent;
        ArgSignature {
            source: match rows {
                0 => Source::Direct,
                rows => Source::Rows(rows),
            },
            dtype: DType::U8,
            dim: values,
            layout: Layout::Aos,
            access: Access::Read,
            dat: index as u16,
        }
    });
    Signature {
        iteration: Iteration::Function,
        args: args.collect(),
        allow_conflicts: false,
    }
}

/// The extents that a provisional signature stands for.
pub fn provisional_extents(signature: &Signature) -> Vec<Extent> {
    let extent = |arg: &ArgSignature| Extent {
        rows: match arg.source {
            Source::Rows(rows) => rows,
            _ => 0,
        },
        values: arg.dim,
    };
    signature.args.iter().map(extent).collect()
}

/// The signature of `checked` as a plain function. `extents` are the caller's, by parameter; 0 or a missing one leaves it to the
/// text.
///
/// # Errors
/// The first parameter, by number, whose extent neither the caller nor the text gives, or that a plain function can't have.
pub fn function_signature(
    checked: &CheckedKernel,
    extents: &[Extent],
) -> Result<Signature, ExtentError> {
    let reach = Reach::of(checked);
    let slots = aliasing::slots(&checked.params);
    let mut args = Vec::with_capacity(checked.params.len());
    for (index, param) in checked.params.iter().enumerate() {
        let given = extents.get(index).copied().unwrap_or_default();
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
    given: Extent,
) -> Result<ArgSignature, ExtentError> {
    let name = param.name.clone();
    let chosen = |given: u32, found: Option<u64>| match given {
        0 => found.and_then(|extent| u32::try_from(extent).ok()),
        given => Some(given),
    };
    if given.rows > 0 && param.passing != Passing::Rows {
        return Err(ExtentError::NoRows { name });
    }
    let values = || chosen(given.values, reach.extent(param));
    let (source, dim) = match param.passing {
        Passing::Value => (Source::Value, 1),
        Passing::Unused => (Source::Direct, 1),
        Passing::Pointer => {
            let dim = values().ok_or(ExtentError::Unknown { name })?;
            (Source::Direct, dim)
        }
        Passing::Rows => {
            let rows = chosen(given.rows, reach.row_extent(param));
            let both = rows.zip(values()).ok_or(ExtentError::Rows { name })?;
            (Source::Rows(both.0), both.1)
        }
    };
    let by_pointer = matches!(param.passing, Passing::Pointer | Passing::Rows);
    let constant = param.is_const || !by_pointer;
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
    /// A row, or an index in a row, of this parameter depends on data.
    #[error("how many rows of how many values `{name}` points to depends on data: say its extents")]
    Rows {
        /// The parameter.
        name: String,
    },
    /// A number of rows for a parameter that has none.
    #[error("`{name}` is no array of row pointers: its extent has no rows")]
    NoRows {
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
