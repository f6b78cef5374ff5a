//! Lanes moved about, by instructions that every level has.
//!
//! Four lanes of two vectors in any order are one instruction only from bytes moved by a table in memory, which the lowest level
//! of x86-64 lacks. One instruction of any level does two lanes of one vector and then two of another; two or three of those do
//! the rest.

use super::{Lower, clif_type};
use crate::ir::{Op, Type, Value};
use crate::target::Level;
use cranelift_codegen::ir::{self as clif, Endianness, InstBuilder, MemFlagsData, types};

impl Lower<'_, '_> {
    pub(super) fn shuffle(&mut self, a: Value, b: Value, lanes: [u8; 4], ty: Type) -> clif::Value {
        if let Some(inserted) = self.inserted(a, b, lanes, ty) {
            return inserted;
        }
        let both = [self.value(a), self.value(b)];
        if let Some(moved) = self.one_of_each(both, lanes, ty) {
            return moved;
        }
        if ty.lanes < 4 || is_one_move(lanes, self.target.level) {
            return self.move_lanes(both, lanes, ty);
        }
        let (low, [i, j]) = self.half(both, [lanes[0], lanes[1]], ty);
        let (high, [k, l]) = self.half(both, [lanes[2], lanes[3]], ty);
        self.move_lanes([low, high], [i, j, 4 + k, 4 + l], ty)
    }

    /// The first lane of one vector of two put in a lane of the other: less for the code generator to do than bytes moved about.
    fn one_of_each(
        &mut self,
        [a, b]: [clif::Value; 2],
        lanes: [u8; 4],
        ty: Type,
    ) -> Option<clif::Value> {
        let (from, to, lane) = match (ty.lanes, lanes) {
            (2, [0, 2, ..]) => (b, a, 1),
            (2, [0, 3, ..]) => (a, b, 0),
            _ => return None,
        };
        if !self.target.level.is_x86_64() {
            return None;
        }
        let first = self.b.ins().extractlane(from, 0);
        Some(self.b.ins().insertlane(to, first, lane))
    }

    /// A vector that has both lanes, and where.
    fn half(
        &mut self,
        both: [clif::Value; 2],
        [i, j]: [u8; 2],
        ty: Type,
    ) -> (clif::Value, [u8; 2]) {
        if i / 4 == j / 4 {
            return (both[usize::from(i / 4)], [i % 4, j % 4]);
        }
        (self.move_lanes(both, [i, i, j, j], ty), [0, 2])
    }

    fn move_lanes(&mut self, both: [clif::Value; 2], lanes: [u8; 4], ty: Type) -> clif::Value {
        let width = ty.scalar.bytes() as u8;
        let mut mask = [0u8; 16];
        for (at, byte) in mask.iter_mut().enumerate() {
            let lane = lanes[at / usize::from(width)];
            *byte = lane * width + at as u8 % width;
        }
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        let [a, b] = both.map(|vector| self.b.ins().bitcast(types::I8X16, flags, vector));
        let mask = self.b.func.dfg.immediates.push(mask.to_vec().into());
        let bytes = self.b.ins().shuffle(a, b, mask);
        self.b.ins().bitcast(clif_type(ty), flags, bytes)
    }

    /// A scalar put in one lane: one move, where a shuffle with a splat would take more.
    fn inserted(&mut self, a: Value, b: Value, lanes: [u8; 4], ty: Type) -> Option<clif::Value> {
        let Op::Splat(scalar) = self.it.body.values[b].op else {
            return None;
        };
        let mut moved = (0..ty.lanes).filter(|lane| lanes[usize::from(*lane)] != *lane);
        let lane = moved.next()?;
        if moved.next().is_some() || lanes[usize::from(lane)] < ty.lanes {
            return None;
        }
        // Of two lanes the other one is all that is left of the vector, and it need not be in both.
        let other = match self.it.body.values[a].op {
            Op::Splat(other) if (ty.lanes, lane) == (2, 1) => Some(other),
            _ => None,
        };
        if let Some(both) = other.and_then(|other| self.same_lanes(other, scalar)) {
            return Some(both);
        }
        let scalar = self.value(scalar);
        let all = self.value(a);
        Some(self.b.ins().insertlane(all, scalar, lane))
    }

    /// A vector of two scalars that are the same lane of two vectors: one instruction, too.
    fn same_lanes(&mut self, first: Value, second: Value) -> Option<clif::Value> {
        let body = &self.it.body;
        let (Op::Lane(first, i), Op::Lane(second, j)) =
            (&body.values[first].op, &body.values[second].op)
        else {
            return None;
        };
        let ty = body.ty(*first);
        if i != j || ty.lanes != 2 || ty != body.ty(*second) {
            return None;
        }
        let both = [*first, *second].map(|vector| self.value(vector));
        Some(self.move_lanes(both, [*i, 2 + i, 0, 0], ty))
    }
}

/// Whether four lanes of two vectors are one instruction.
fn is_one_move(lanes: [u8; 4], level: Level) -> bool {
    let [i, j, k, l] = lanes.map(|lane| lane / 4);
    let pairs = i == j && k == l;
    let interleaved = matches!(lanes, [0, 4, 1, 5] | [2, 6, 3, 7]);
    let mut places = lanes.iter().zip(0u8..);
    let shifted = places.clone().all(|(lane, at)| *lane == lanes[0] + at);
    let blended = places.all(|(lane, at)| lane % 4 == at);
    let from_v2 = level >= Level::V2 && (shifted || blended);
    !level.is_x86_64() || pairs || interleaved || from_v2
}
