//! Writes the vectors that were planned.

use super::joined::joining;
use super::plan::{Packed, Plan};
use super::{Access, Group, Run};
use crate::ir::{Inst, Op, Stmt, Type, Value};
use smallvec::SmallVec;

/// Lanes of vectors.
type Lanes = SmallVec<[(Value, u8); 4]>;

impl Run<'_> {
    /// Emits a vector where it can be.
    pub(super) fn build(&mut self, plan: &Plan) -> Value {
        let at = plan.at;
        // Another part of the same expression may have built it just now.
        if let Some(vector) = self.built_by(&plan.packed, at) {
            return vector;
        }
        match &plan.packed {
            Packed::Built(vector) => *vector,
            Packed::Same(value) => self.build_splat(*value, at),
            Packed::Joined(values) => self.build_joined(values, at),
            Packed::Loaded(values) => self.build_load(values, at),
            Packed::Each(values, operands) => {
                // An operand may have been built for the other use of it just now.
                let built: Vec<Value> = operands.iter().map(|plan| self.build(plan)).collect();
                let mut op = self.body.values[values[0]].op.clone();
                let mut next = built.into_iter();
                op.map_operands(|old| next.next().unwrap_or(old));
                let vector = self.emit(op, at);
                self.built.insert(values.clone(), (vector, at));
                if !self.single(values) {
                    for (lane, value) in values.iter().enumerate() {
                        self.take(*value, vector, lane as u8, at);
                    }
                }
                vector
            }
        }
    }

    /// Has other uses of a scalar take it from its lane.
    pub(super) fn take(&mut self, scalar: Value, vector: Value, lane: u8, at: usize) {
        if self.taken.iter().any(|(known, _)| *known == scalar) {
            return;
        }
        let op = Op::Lane(vector, lane);
        let ty = self.body.ty(scalar);
        let lane = self.body.values.push(Inst { op, ty });
        self.inserted.push((at, Stmt::Let(lane)));
        self.taken.push((scalar, lane));
    }

    /// What was built already, if it is there by then.
    fn built_by(&self, packed: &Packed, at: usize) -> Option<Value> {
        let (vector, built_at) = match packed {
            Packed::Built(vector) => return Some(*vector),
            Packed::Same(value) => self.built.get(&self.throughout(*value))?,
            Packed::Joined(values) | Packed::Loaded(values) | Packed::Each(values, _) => {
                self.built.get(values)?
            }
        };
        (*built_at <= at).then_some(*vector)
    }

    /// One value in all lanes.
    fn throughout(&self, value: Value) -> Group {
        SmallVec::from_elem(value, usize::from(self.vector.lanes))
    }

    fn build_splat(&mut self, value: Value, at: usize) -> Value {
        let op = match self.body.constant(value) {
            Some(bits) => Op::Const(bits),
            None => Op::Splat(value),
        };
        let vector = self.emit(op, at);
        self.built.insert(self.throughout(value), (vector, at));
        vector
    }

    /// The vectors and lanes that values are taken from, if nothing else uses them.
    pub(super) fn lanes_of(&self, values: &[Value]) -> Option<Lanes> {
        self.lanes(values).filter(|_| self.single(values))
    }

    /// The vectors and lanes that values are taken from.
    fn lanes(&self, values: &[Value]) -> Option<Lanes> {
        let lane = |value: &Value| match self.body.values[*value].op {
            Op::Lane(vector, lane) if self.body.ty(vector) == self.vector => Some((vector, lane)),
            _ => None,
        };
        values.iter().map(lane).collect()
    }

    /// A vector of lanes of others.
    fn build_lanes(&mut self, lanes: &Lanes, at: usize) -> Value {
        if let [(a, i), (b, j)] = lanes[..] {
            return self.emit(Op::Shuffle(a, b, [i, 2 + j, 0, 0]), at);
        }
        let [(a, _), (b, _), (c, _), (d, _)] = lanes[..] else {
            unreachable!("vectors have two or four lanes");
        };
        let of_two = |a: Value, b: Value| {
            let mask = lanes.iter().map(|(vector, lane)| match *vector {
                vector if vector == a => Some(*lane),
                vector if vector == b => Some(4 + lane),
                _ => None,
            });
            mask.collect::<Option<SmallVec<[u8; 4]>>>()
        };
        // One shuffle does for lanes of two vectors.
        for (first, second) in [(a, b), (a, c), (a, d)] {
            if let Some(mask) = of_two(first, second) {
                let mask = [mask[0], mask[1], mask[2], mask[3]];
                return self.emit(Op::Shuffle(first, second, mask), at);
            }
        }
        let (first, low) = self.halves(lanes[0], lanes[1], at);
        let (second, high) = self.halves(lanes[2], lanes[3], at);
        let mask = [low, low + 1, 4 + high, 5 + high];
        self.emit(Op::Shuffle(first, second, mask), at)
    }

    /// A vector that has two lanes of others, and where. If they are alike its other half has the lanes next to them, and it
    /// serves both.
    fn halves(&mut self, (a, i): (Value, u8), (b, j): (Value, u8), at: usize) -> (Value, u8) {
        if i != j {
            let mask = [i, 4 + j, i, 4 + j];
            return (self.emit(Op::Shuffle(a, b, mask), at), 0);
        }
        let (half, place) = (i / 2 * 2, i % 2 * 2);
        if let Some((vector, built_at)) = self.halves.get(&(a, b, half))
            && *built_at <= at
        {
            return (*vector, place);
        }
        let mask = [half, 4 + half, half + 1, 5 + half];
        let vector = self.emit(Op::Shuffle(a, b, mask), at);
        self.halves.insert((a, b, half), (vector, at));
        (vector, place)
    }

    /// The first in all lanes, the others put in theirs one by one.
    fn build_joined(&mut self, values: &Group, at: usize) -> Value {
        // One shuffle does for two lanes, whatever else they are used for.
        let lanes = self.lanes(values);
        if let Some(lanes) = lanes.filter(|_| values.len() == 2 || self.single(values)) {
            let vector = self.build_lanes(&lanes, at);
            self.built.insert(values.clone(), (vector, at));
            return vector;
        }
        let mut vector = self.emit(Op::Splat(values[0]), at);
        for lane in 1..values.len() {
            let next = self.emit(Op::Splat(values[lane]), at);
            let mask = joining(lane, values.len());
            vector = self.emit(Op::Shuffle(vector, next, mask), at);
        }
        self.built.insert(values.clone(), (vector, at));
        vector
    }

    fn build_load(&mut self, values: &Group, at: usize) -> Value {
        let first = self.loads[&values[0]];
        let (index, site) = (self.index(first), first.site);
        let place = self.touched(first).place;
        let vector = self.emit(Op::Load { place, index, site }, at);
        self.built.insert(values.clone(), (vector, at));
        vector
    }

    /// The index of an access where it is done instead.
    pub(super) fn index(&mut self, access: Access) -> Value {
        let Some(bits) = self.body.constant(access.index) else {
            return access.index;
        };
        if let Some(known) = self.indices.get(&bits) {
            return *known;
        }
        let op = Op::Const(bits);
        let index = self.body.values.push(Inst { op, ty: Type::I64 });
        self.inserted.push((0, Stmt::Let(index)));
        self.indices.insert(bits, index);
        index
    }

    fn emit(&mut self, op: Op, at: usize) -> Value {
        let ty = self.vector;
        let value = self.body.values.push(Inst { op, ty });
        self.inserted.push((at, Stmt::Let(value)));
        value
    }
}
