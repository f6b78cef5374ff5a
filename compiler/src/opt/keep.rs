//! Constants of floating-point arithmetic that registers have room for are loaded once, before all elements.
//!
//! Elsewhere a constant is an operand in memory, which costs no register, but as much as any other load: short loops wait for those. What
//! chooses or compares keeps its constants, since the code generator knows more of what is one.

use super::spill::{ElementNeeds, Needs, REGISTERS, is_update};
use crate::ir::{BinaryOp, Block, Body, Inst, Loop, Op, Scalar, Stmt, Type, Value, per_value};
use crate::signature::Iteration;
use crate::target::Target;
use std::collections::BTreeMap;

/// Registers that are left to the code generator.
const SPARE: usize = 2;

/// Keeps constants of what the elements of `it` compute.
pub(super) fn keep_constants(it: &mut Loop, target: &Target, needs: ElementNeeds) {
    if it.signature.iteration != Iteration::Elements {
        return;
    }
    let mut root = std::mem::take(&mut it.body.root);
    let mut wide = it.wide.take();
    let several = wide.as_mut().map(|wide| (&mut wide.block, needs.several));
    for (block, needs) in several.into_iter().chain([(&mut root, needs.single)]) {
        keep_in(&mut it.body, block, &mut it.before, target, needs);
    }
    it.body.root = root;
    it.wide = wide;
}

/// What a constant is: its type and its bits.
type Known = ((Scalar, u8), u64);

fn keep_in(
    body: &mut Body,
    block: &mut Block,
    before: &mut Block,
    target: &Target,
    needs: Option<Needs>,
) {
    let mut uses: BTreeMap<Known, (u32, Value)> = BTreeMap::new();
    count(body, block, target, &mut uses);
    if uses.is_empty() {
        return;
    }
    let needs = needs.unwrap_or_else(|| Needs::of(body, block, target, &mut per_value(body)));
    let room = REGISTERS.saturating_sub(SPARE + needs.all());
    let mut wanted: Vec<(u32, Known, Value)> = uses
        .into_iter()
        .map(|(known, (uses, value))| (uses, known, value))
        .collect();
    // The most used first, in an order that is the same each time.
    wanted.sort_by_key(|(uses, known, _)| (u32::MAX - uses, *known));
    wanted.truncate(room);
    let mut kept = BTreeMap::new();
    let mut start = Block::new();
    for (_, known, value) in wanted {
        let ty = body.ty(value);
        let constant = body.values.push(Inst {
            op: body.values[value].op.clone(),
            ty,
        });
        let var = body.vars.push(ty);
        before.extend([Stmt::Let(constant), Stmt::Set(var, constant)]);
        let op = Op::Get(var);
        let value = body.values.push(Inst { op, ty });
        start.push(Stmt::Let(value));
        kept.insert(known, value);
    }
    if !kept.is_empty() {
        replace(body, block, target, &kept);
        start.append(block);
        *block = start;
    }
}

fn known(body: &Body, value: Value) -> Option<Known> {
    let Type { scalar, lanes } = body.ty(value);
    let bits = body.constant(value)?;
    scalar.is_float().then_some(((scalar, lanes), bits))
}

/// Whether operands of an operation are kept.
fn is_arithmetic(body: &Body, value: Value) -> bool {
    use BinaryOp::{Add, Div, Mul, Sub};
    matches!(
        body.values[value].op,
        Op::Fma(..) | Op::Binary(Add | Sub | Mul | Div, ..)
    )
}

/// Counts the uses of constants in a block and those inside.
fn count(body: &Body, block: &Block, target: &Target, uses: &mut BTreeMap<Known, (u32, Value)>) {
    for stmt in block {
        if is_update(body, stmt, target) {
            continue;
        }
        if let Stmt::Let(value) = stmt
            && is_arithmetic(body, *value)
        {
            body.values[*value].op.for_each_operand(|operand| {
                if let Some(known) = known(body, operand) {
                    uses.entry(known).or_insert((0, operand)).0 += 1;
                }
            });
        }
        stmt.blocks()
            .for_each(|inner| count(body, inner, target, uses));
    }
}

fn replace(body: &mut Body, block: &Block, target: &Target, kept: &BTreeMap<Known, Value>) {
    for stmt in block {
        if is_update(body, stmt, target) {
            continue;
        }
        if let Stmt::Let(value) = stmt
            && is_arithmetic(body, *value)
        {
            let mut op = body.values[*value].op.clone();
            op.map_operands(|operand| {
                let own = known(body, operand).and_then(|known| kept.get(&known));
                own.copied().unwrap_or(operand)
            });
            body.values[*value].op = op;
        }
        stmt.blocks()
            .for_each(|inner| replace(body, inner, target, kept));
    }
}
