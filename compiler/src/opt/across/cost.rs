//! What statements cost, about: in quarters of a cycle of a machine with two units for floats and one for shuffles.

use super::loads::{is_next_door, row_distance};
use super::plan::Plan;
use crate::ir::{BinaryOp, Block, Body, For, Inst, Op, Place, Stmt, Type, UnaryOp};
use crate::opt::rank_update::RankUpdate;
use crate::opt::simplify::memory;
use crate::target::Target;

/// What a branch costs besides its sides: some are mispredicted.
const BRANCH: u32 = 12;

/// The cost of a block whose loops are counted; of a branch, both sides count half.
pub(super) fn cost(body: &Body, block: &Block, target: &Target) -> u32 {
    let all = block.iter().map(|stmt| of_statement(body, stmt, target));
    all.fold(0, u32::saturating_add)
}

/// The cost of statements for several elements, of which branches leave out nothing but at the end.
pub(super) fn cost_of_all(body: &Body, block: &Block, target: &Target) -> u32 {
    let of = |stmt: &Stmt| match stmt {
        Stmt::If { then, .. } => cost(body, then, target).saturating_add(4),
        stmt => of_statement(body, stmt, target),
    };
    block.iter().map(of).fold(0, u32::saturating_add)
}

/// What the statements that a plan makes of some for several elements cost at least, before what they have in common is found.
pub(super) fn least_of_all(body: &Body, block: &Block, plan: &Plan) -> u32 {
    let elements = u32::from(plan.vector.lanes);
    let of = |stmt: &Stmt| match stmt {
        Stmt::Let(value) => {
            let Inst { op, ty } = &body.values[*value];
            let for_each = of_instruction(op, *ty).saturating_mul(elements);
            let for_all = || of_instruction(op, ty.with_lanes(plan.vector.lanes));
            match *op {
                _ if plan.uniform[*value] => of_instruction(op, *ty),
                _ if plan.serial[*value] => for_each,
                Op::Load { place, .. } if *ty == plan.float() => {
                    let is_row = matches!(place, Place::Row { .. });
                    match row_distance(body, plan, place) {
                        _ if !is_row || is_next_door(body, plan, place) => for_all(),
                        // Two loads and two shuffles for the two columns of such rows.
                        Some(8) if elements == 4 => 6,
                        // Turned, they take more.
                        _ => for_each,
                    }
                }
                Op::RowAddr { base, row, .. }
                    if !plan.covers_rest
                        && plan.uniform[base]
                        && body.values[row].op == Op::Element =>
                {
                    of_instruction(op, *ty)
                }
                _ if plan.is_shared(body, *value) => for_all(),
                _ => for_each,
            }
        }
        Stmt::Store { place, .. } => match place {
            Place::Row { .. } if plan.shared.contains(&memory(place)) => 4 * elements,
            // A vector, turned.
            Place::Row { .. } if !is_next_door(body, plan, *place) => 4 + 4,
            _ => 4,
        },
        Stmt::For(it) => of_trips(body, it, least_of_all(body, &it.body, plan)),
        _ => 0,
    };
    block.iter().map(of).fold(0, u32::saturating_add)
}

fn of_statement(body: &Body, stmt: &Stmt, target: &Target) -> u32 {
    match stmt {
        Stmt::Let(value) => {
            let Inst { op, ty } = &body.values[*value];
            of_instruction(op, *ty)
        }
        Stmt::Store { .. } => 4,
        Stmt::If { then, other, .. } => {
            let [then, other] = [then, other].map(|side| cost(body, side, target));
            (then / 2).saturating_add(other / 2).saturating_add(BRANCH)
        }
        Stmt::For(it) => {
            if let Some(update) = RankUpdate::of(body, it, target) {
                return update.quarter_cycles(target);
            }
            of_trips(body, it, cost(body, &it.body, target))
        }
        _ => 0,
    }
}

/// The cost of a loop, a trip of which costs so much.
fn of_trips(body: &Body, it: &For, trip: u32) -> u32 {
    let trips = u32::try_from(body.trips(it).unwrap_or(1)).unwrap_or(u32::MAX);
    trips.saturating_mul(trip.saturating_add(4))
}

fn of_instruction(op: &Op, ty: Type) -> u32 {
    let is_float = ty.scalar.is_float();
    match op {
        Op::Const(_) | Op::Get(_) | Op::Element | Op::ElementAfter(_) | Op::ArgBase(_) => 0,
        Op::Unary(UnaryOp::Sqrt, _) => 18,
        Op::Binary(BinaryOp::Div | BinaryOp::Rem, ..) => 16,
        Op::Binary(BinaryOp::Min | BinaryOp::Max, ..) if is_float => 6,
        // A comparison in a register of its own, and a blend.
        Op::Select(..) if is_float && ty.lanes == 1 => 10,
        Op::Call(..) => 80,
        // A value in all lanes is mostly loaded so.
        Op::Splat(_) | Op::Load { .. } | Op::MapEntry { .. } => 2,
        Op::Lane(_, 0) => 0,
        Op::Lane(..) | Op::Shuffle(..) => 4,
        Op::RowAddr { .. } => 1,
        _ if is_float => 2,
        _ => 1,
    }
}
