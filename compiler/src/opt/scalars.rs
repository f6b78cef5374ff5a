//! Local arrays whose every index is a known constant become variables, one for each entry, save those that crowd a loop.

use super::crowded::Crowded;
use crate::ir::{Array, Block, Body, Inst, Op, Place, Stmt, Value, Var};
use cranelift_entity::SecondaryMap;

/// Longer arrays stay in memory: they would not fit in registers, and each entry costs a variable.
const LEN_MAX: u64 = 256;

/// Replaces the arrays of a body's blocks that can be replaced.
pub(super) fn arrays_to_variables(body: &mut Body, blocks: &mut [&mut Block], crowded: &Crowded) {
    let mut root = std::mem::take(&mut body.root);
    let mut fixed: SecondaryMap<Array, bool> = SecondaryMap::new();
    for (array, data) in body.arrays.iter() {
        fixed[array] = data.len > LEN_MAX || crowded[array];
    }
    for block in blocks.iter() {
        find_variable_indices(body, block, &mut fixed);
    }
    find_variable_indices(body, &root, &mut fixed);
    let mut entries: SecondaryMap<Array, Option<Vec<Var>>> = SecondaryMap::new();
    for array in body.arrays.keys().collect::<Vec<_>>() {
        if !fixed[array] {
            let data = body.arrays[array];
            let vars = (0..data.len).map(|_| body.vars.push(data.scalar.into()));
            entries[array] = Some(vars.collect());
        }
    }
    for block in blocks.iter_mut() {
        replace(body, block, &entries);
    }
    replace(body, &mut root, &entries);
    body.root = root;
}

fn find_variable_indices(body: &Body, block: &Block, fixed: &mut SecondaryMap<Array, bool>) {
    crate::ir::for_each_stmt(block, &mut |stmt| {
        let access = match stmt {
            Stmt::Let(value) => match &body.values[*value] {
                Inst {
                    op: Op::Load { place, index, .. },
                    ty,
                } => Some((place, *index, ty.lanes)),
                _ => None,
            },
            Stmt::Store {
                place,
                index,
                value,
                ..
            } => Some((place, *index, body.ty(*value).lanes)),
            _ => None,
        };
        if let Some((Place::Array(array), index, lanes)) = access {
            let known = entry(body, *array, index).is_some();
            fixed[*array] |= !known || lanes > 1;
        }
    });
}

/// The entry that an index names, if it is a constant in range.
fn entry(body: &Body, array: Array, index: Value) -> Option<usize> {
    let at = u64::try_from(body.int_constant(index)?).ok()?;
    (at < body.arrays[array].len).then_some(at as usize)
}

fn replace(body: &mut Body, block: &mut Block, entries: &SecondaryMap<Array, Option<Vec<Var>>>) {
    let mut kept = Block::with_capacity(block.len());
    for mut stmt in std::mem::take(block) {
        match &mut stmt {
            Stmt::Let(value) => {
                if let Some(var) = loaded(body, *value, entries) {
                    body.values[*value].op = Op::Get(var);
                }
            }
            Stmt::Store {
                place: Place::Array(array),
                index,
                value,
                ..
            } => {
                if let Some(vars) = &entries[*array] {
                    let at = entry(body, *array, *index).expect("indices were found constant");
                    stmt = Stmt::Set(vars[at], *value);
                }
            }
            Stmt::Clear(array) => {
                if let Some(vars) = &entries[*array] {
                    clear(body, *array, vars, &mut kept);
                    continue;
                }
            }
            _ => {}
        }
        for inner in stmt.blocks_mut() {
            replace(body, inner, entries);
        }
        kept.push(stmt);
    }
    *block = kept;
}

fn loaded(
    body: &Body,
    value: Value,
    entries: &SecondaryMap<Array, Option<Vec<Var>>>,
) -> Option<Var> {
    let Op::Load {
        place: Place::Array(array),
        index,
        ..
    } = body.values[value].op
    else {
        return None;
    };
    let vars = entries[array].as_ref()?;
    let at = entry(body, array, index).expect("indices were found constant");
    Some(vars[at])
}

fn clear(body: &mut Body, array: Array, vars: &[Var], kept: &mut Block) {
    let ty = body.arrays[array].scalar.into();
    let zero = body.values.push(Inst {
        op: Op::Const(0),
        ty,
    });
    kept.push(Stmt::Let(zero));
    kept.extend(vars.iter().map(|var| Stmt::Set(*var, zero)));
}
