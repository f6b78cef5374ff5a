//! Checks a signature against a kernel's parameters as their author wrote them.
//!
//! Depends on nothing but the two, so a pair that passed once need not be looked at again.

use super::ArgError;
use parloop_compiler::ir::Passing;
use parloop_compiler::{Access, ArgSignature, DType, ParamInfo, Signature, Source};

/// Checks that `signature` can be passed to a kernel with `params`.
pub(crate) fn check_params(params: &[ParamInfo], signature: &Signature) -> Result<(), ArgError> {
    if params.len() != signature.args.len() {
        return Err(ArgError::Count {
            expected: params.len(),
            found: signature.args.len(),
        });
    }
    for (index, (param, arg)) in params.iter().zip(&signature.args).enumerate() {
        check_passing(index, param, arg)?;
        if param.passing == Passing::Unused {
            continue;
        }
        check_type(index, param, arg)?;
        check_extents(index, param, arg)?;
        check_access(index, param, arg)?;
    }
    Ok(())
}

fn check_passing(arg: usize, param: &ParamInfo, given: &ArgSignature) -> Result<(), ArgError> {
    let expected = match param.passing {
        Passing::Value => "a value",
        Passing::Pointer => "a pointer",
        Passing::Rows => "a pointer to row pointers",
        Passing::Unused => return Ok(()),
    };
    let (fits, found) = match given.source {
        Source::Element => (
            param.passing == Passing::Value,
            "the element's index, a value",
        ),
        // C passes small parameters of a method by value; only a value that stays the same can be.
        Source::Global if param.passing == Passing::Value => (
            given.access == Access::Read && given.dim == 1,
            "more than one READ value",
        ),
        Source::Direct | Source::At(..) | Source::Global => {
            (param.passing == Passing::Pointer, "a pointer")
        }
        Source::Value => (false, "a plain function's value"),
        Source::Rows(_) => (false, "a plain function's row pointers"),
        Source::Through(_) => (
            matches!(param.passing, Passing::Pointer | Passing::Rows),
            "the rows of all map entries",
        ),
    };
    if fits {
        return Ok(());
    }
    Err(ArgError::Passing {
        arg,
        param: param.name.clone(),
        expected,
        found,
    })
}

fn check_type(arg: usize, param: &ParamInfo, given: &ArgSignature) -> Result<(), ArgError> {
    let Some(expected) = param.dtype else {
        return Ok(());
    };
    let index_types = [DType::I32, DType::U32, DType::I64, DType::U64];
    let fits = match given.source {
        Source::Element => index_types.contains(&expected),
        _ => expected == given.dtype,
    };
    if fits {
        return Ok(());
    }
    Err(ArgError::Type {
        arg,
        param: param.name.clone(),
        expected,
        found: given.dtype,
    })
}

/// `[arity][dim]` against the declared extents; where the text gives no extent, the kernel's own indices are checked later.
fn check_extents(arg: usize, param: &ParamInfo, given: &ArgSignature) -> Result<(), ArgError> {
    let Some((outer, inner)) = param.extents.split_first() else {
        return Ok(());
    };
    let name = || param.name.clone();
    let Some(row) = inner
        .iter()
        .try_fold(1u64, |product, extent| product.checked_mul((*extent)?))
    else {
        return Ok(());
    };
    let dim = u64::from(given.dim);
    let shaped = !inner.is_empty() || param.passing == Passing::Rows;
    match given.source {
        Source::Through(map) if shaped => {
            // A pointer to row pointers declares no inner extent unless it says so.
            if !inner.is_empty() && row != dim {
                return Err(ArgError::Dim {
                    arg,
                    param: name(),
                    expected: row,
                    found: dim,
                });
            }
            match *outer {
                Some(expected) if expected != u64::from(map.arity) => Err(ArgError::Arity {
                    arg,
                    param: name(),
                    expected,
                    found: u64::from(map.arity),
                }),
                _ => Ok(()),
            }
        }
        _ => {
            let found = given.extent();
            match outer {
                Some(outer) if outer.checked_mul(row) != Some(found) => Err(ArgError::Dim {
                    arg,
                    param: name(),
                    expected: outer.saturating_mul(row),
                    found,
                }),
                None if !inner.is_empty() && (row == 0 || !found.is_multiple_of(row)) => {
                    Err(ArgError::Dim {
                        arg,
                        param: name(),
                        expected: row,
                        found,
                    })
                }
                _ => Ok(()),
            }
        }
    }
}

fn check_access(arg: usize, param: &ParamInfo, given: &ArgSignature) -> Result<(), ArgError> {
    let name = || param.name.clone();
    if given.dtype.parts() > 1 && matches!(given.access, Access::Min | Access::Max) {
        return Err(ArgError::Unordered {
            arg,
            param: name(),
            access: given.access,
            dtype: given.dtype,
        });
    }
    let by_pointer = matches!(param.passing, Passing::Pointer | Passing::Rows);
    if by_pointer && param.is_const && given.access.writes() {
        return Err(ArgError::ConstParameter {
            arg,
            param: name(),
            access: given.access,
        });
    }
    if by_pointer && param.written && given.access == Access::Read {
        return Err(ArgError::ReadIsWritten { arg, param: name() });
    }
    Ok(())
}
