//! Whether an argument fits its parameter, and how the kernel uses each parameter.

use crate::error::{CompileError, Mismatch};
use crate::ir::{Body, Kernel, Op, Param, Passing, Place, Scalar, Stmt, Value, for_each_stmt};
use crate::signature::{Access, ArgSignature, DType, Iteration, Layout, Signature, Source};
use std::collections::BTreeMap;

/// Refuses an argument that can't be one of a plain function, or only of one.
pub(super) fn check_form(
    index: usize,
    arg: &ArgSignature,
    iteration: Iteration,
) -> Result<(), CompileError> {
    let fits = match iteration {
        Iteration::Elements => !matches!(arg.source, Source::Value | Source::Rows(_)),
        Iteration::Function => match arg.source {
            Source::Value => arg.access == Access::Read && arg.dim == 1,
            Source::Direct | Source::Rows(_) => matches!(arg.access, Access::Read | Access::Rw),
            _ => false,
        },
    };
    let mismatch = Mismatch::Form;
    match fits {
        true => Ok(()),
        false => Err(CompileError::Argument { index, mismatch }),
    }
}

/// Refuses an argument that its parameter can't take.
pub(super) fn check_argument(
    index: usize,
    param: Param,
    arg: &ArgSignature,
) -> Result<(), CompileError> {
    match mismatch(param, arg) {
        Some(mismatch) => Err(CompileError::Argument { index, mismatch }),
        None => Ok(()),
    }
}

/// Refuses arguments that share a map or a dat and say different things of it, and entries that a map does not have.
pub(super) fn check_slots(signature: &Signature) -> Result<(), CompileError> {
    let (mut maps, mut dats) = (BTreeMap::new(), BTreeMap::new());
    for (index, arg) in signature.args.iter().enumerate() {
        let mut fits = true;
        if let Some(map) = arg.source.map() {
            fits &= *maps.entry(map.slot).or_insert(map) == map;
        }
        if let Source::At(map, entry) = arg.source {
            fits &= entry < map.arity;
        }
        // Pointers of a plain function that may meet share a slot, whatever they point to.
        let on_a_dat = !matches!(arg.source, Source::Element | Source::Value);
        if on_a_dat && signature.iteration == Iteration::Elements {
            let held = (arg.dtype, arg.dim, arg.source == Source::Global);
            fits &= *dats.entry(arg.dat).or_insert(held) == held;
        }
        if !fits {
            let mismatch = Mismatch::Slot;
            return Err(CompileError::Argument { index, mismatch });
        }
    }
    Ok(())
}

fn mismatch(param: Param, arg: &ArgSignature) -> Option<Mismatch> {
    let element = arg.source == Source::Element;
    let bool_in_memory = arg.dtype == DType::Bool && arg.source != Source::Value;
    if arg.layout != Layout::Aos || bool_in_memory {
        return Some(Mismatch::Reserved);
    }
    let by_value = arg.source == Source::Value;
    let rows = matches!(arg.source, Source::Rows(_));
    match param.passing {
        Passing::Unused => None,
        Passing::Value if by_value => differing_type(param, arg),
        _ if by_value => Some(Mismatch::Passing),
        Passing::Rows if rows => differing_type(param, arg),
        _ if rows => Some(Mismatch::Passing),
        Passing::Value if element => (!is_integer(param.scalar)).then_some(Mismatch::ByValue),
        Passing::Value => {
            let fits = arg.source == Source::Global && arg.access == Access::Read && arg.dim == 1;
            match fits {
                true => differing_type(param, arg),
                false => Some(Mismatch::ByValue),
            }
        }
        Passing::Pointer | Passing::Rows if element => Some(Mismatch::Passing),
        Passing::Rows if !matches!(arg.source, Source::Through(_)) => Some(Mismatch::NotThroughMap),
        Passing::Pointer | Passing::Rows => differing_type(param, arg),
    }
}

fn is_integer(scalar: Scalar) -> bool {
    scalar.is_int()
}

fn differing_type(param: Param, arg: &ArgSignature) -> Option<Mismatch> {
    (param.scalar != arg.dtype.scalar()).then_some(Mismatch::DType(arg.dtype))
}

/// How a kernel uses one parameter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    /// Whether it is used at all.
    pub(super) used: bool,
    /// Whether every index into it is a constant.
    pub(super) constant: bool,
    /// Whether anything is stored through it.
    pub(super) stored: bool,
}

/// How a kernel uses its parameters.
pub(super) fn usage(kernel: &Kernel) -> Vec<Usage> {
    let unused = Usage {
        used: false,
        constant: true,
        stored: false,
    };
    let mut usage = vec![unused; kernel.params.len()];
    let body = &kernel.body;
    let mut note = |place: &Place, index: Value, stored: bool| {
        if let Some((param, row)) = parameter(place) {
            let constant = is_constant(body, index) && row.is_none_or(|row| is_constant(body, row));
            let entry = &mut usage[param as usize];
            entry.used = true;
            entry.constant &= constant;
            entry.stored |= stored;
        }
    };
    let mut by_value = Vec::new();
    for_each_stmt(&body.root, &mut |stmt| match stmt {
        Stmt::Let(value) => match &body.values[*value].op {
            Op::Load { place, index, .. } => note(place, *index, false),
            Op::Param(param) => by_value.push(*param),
            _ => {}
        },
        Stmt::Store { place, index, .. } => note(place, *index, true),
        _ => {}
    });
    for param in by_value {
        usage[param as usize].used = true;
    }
    usage
}

/// The parameter and row that a place names.
pub(super) fn parameter(place: &Place) -> Option<(u16, Option<Value>)> {
    match *place {
        Place::Param(param) => Some((param, None)),
        Place::ParamRow { param, row } => Some((param, Some(row))),
        Place::Array(_) | Place::Table(_) | Place::Constant(_) => None,
        Place::RowPointers(_) | Place::Row { .. } => None,
    }
}

fn is_constant(body: &Body, value: Value) -> bool {
    body.int_constant(value).is_some()
}
