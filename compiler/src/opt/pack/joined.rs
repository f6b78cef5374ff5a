//! Vectors that are joined of scalars, and what they are when the scalars are computed together.

use super::plan::Packed;
use super::{Group, Run};
use crate::ir::{Body, Op, Stmt, Type, Value};

/// The scalars that a vector is joined of, as `build` joins them: the first in all lanes, the others put in theirs one by one.
pub(super) fn scalars(body: &Body, vector: Value, ty: Type) -> Option<Group> {
    let lanes = usize::from(ty.lanes);
    let splat = |value: Value| match body.values[value].op {
        Op::Splat(scalar) if body.ty(value) == ty => Some(scalar),
        _ => None,
    };
    let mut reversed = Group::new();
    let mut joined = vector;
    for lane in (1..lanes).rev() {
        let Op::Shuffle(before, last, mask) = body.values[joined].op else {
            return None;
        };
        if body.ty(joined) != ty || mask != joining(lane, lanes) {
            return None;
        }
        reversed.push(splat(last)?);
        joined = before;
    }
    reversed.push(splat(joined)?);
    reversed.reverse();
    Some(reversed)
}

/// The lanes of a shuffle that puts the first lane of its second operand in one of the first's.
pub(super) fn joining(lane: usize, lanes: usize) -> [u8; 4] {
    let mut mask = [0; 4];
    for (other, entry) in mask.iter_mut().enumerate().take(lanes) {
        *entry = if other == lane { lanes } else { other } as u8;
    }
    mask
}

impl Run<'_> {
    /// Packs what the run's joined vectors are of.
    pub(super) fn pack_joined(&mut self) {
        for at in 0..self.statements.len() {
            let Stmt::Let(vector) = self.statements[at] else {
                continue;
            };
            let Some(values) = scalars(self.body, vector, self.vector) else {
                continue;
            };
            self.work = 0;
            let plan = self.plan(&values, 0);
            let is_packed = !matches!(plan.packed, Packed::Joined(_) | Packed::Same(_));
            if is_packed && plan.at <= at {
                let built = self.build(&plan);
                self.taken.push((vector, built));
                self.removed[at] = true;
            }
        }
    }
}
