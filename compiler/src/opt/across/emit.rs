//! Writes the statements for two elements.

use super::loads::{is_next_door, neighbours, row_distance};
use super::plan::Plan;
use crate::ir::{BinaryOp, Block, Body, Inst, Loop, Op, Place, Site, Stmt, Type, Value};
use crate::opt::simplify::memory;
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;
use rustc_hash::FxHashMap;

/// A double of each element.
const VECTOR: Type = Type::F64.with_lanes(2);

/// The statements for two elements.
pub(super) struct Made {
    /// What is computed before the first element for them.
    pub(super) before: Block,
    pub(super) block: Block,
}

/// Writes the statements of a loop for two elements.
pub(super) fn emit(it: &mut Loop, plan: &Plan) -> Made {
    let pairs = neighbours(&it.body, plan);
    let root = std::mem::take(&mut it.body.root);
    let mut pass = Emit {
        body: &mut it.body,
        plan,
        pairs,
        forms: SecondaryMap::new(),
        vectors: SecondaryMap::new(),
        lanes: SecondaryMap::new(),
        made: Made {
            before: Block::new(),
            block: Block::with_capacity(root.len()),
        },
    };
    let mut serial = Vec::new();
    for stmt in &root {
        if pass.is_serial(stmt) {
            serial.push(stmt);
        } else {
            pass.both(stmt);
        }
    }
    for element in 0..2 {
        for stmt in &serial {
            pass.one(stmt, element);
        }
    }
    let made = pass.made;
    it.body.root = root;
    made
}

/// What a value of one element is for two.
#[derive(Clone, Copy, Default)]
enum Form {
    /// The value itself: it is defined before all elements, or not treated yet.
    #[default]
    Itself,
    /// One value for both.
    Common(Value),
    /// A value for each.
    Each([Value; 2]),
    /// A vector of both.
    Vector(Value),
}

struct Emit<'a> {
    body: &'a mut Body,
    plan: &'a Plan,
    pairs: FxHashMap<Value, (Value, Value)>,
    forms: SecondaryMap<Value, Form>,
    /// Vectors made of other forms.
    vectors: SecondaryMap<Value, PackedOption<Value>>,
    /// Lanes taken out of vectors.
    lanes: SecondaryMap<Value, [PackedOption<Value>; 2]>,
    made: Made,
}

impl Emit<'_> {
    /// Whether a statement is done for one element after the other.
    fn is_serial(&self, stmt: &Stmt) -> bool {
        match stmt {
            Stmt::Let(value) => self.plan.serial[*value],
            Stmt::Store { place, .. } => self.plan.shared.contains(&memory(place)),
            _ => true,
        }
    }

    fn push(&mut self, op: Op, ty: Type) -> Value {
        let value = self.body.values.push(Inst { op, ty });
        self.made.block.push(Stmt::Let(value));
        value
    }

    /// Does a statement for both elements.
    fn both(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(value) => {
                if matches!(self.forms[*value], Form::Itself) {
                    self.forms[*value] = self.computed(*value);
                }
            }
            Stmt::Store {
                place,
                index,
                value,
                site,
            } => self.stored(*place, *index, *value, *site),
            _ => unreachable!("other statements are done for one element after the other"),
        }
    }

    fn computed(&mut self, value: Value) -> Form {
        let Inst { op, ty } = self.body.values[value].clone();
        if op == Op::Element {
            return self.elements();
        }
        if self.plan.uniform[value] {
            let op = self.copied(op, ty, 0);
            return Form::Common(self.push(op, ty));
        }
        if let Op::Load { place, .. } = op
            && ty == Type::F64
            && let Some(loaded) = self.loaded(value, place, &op)
        {
            return loaded;
        }
        if self.plan.is_shared(self.body, value) {
            return Form::Vector(self.in_lanes(op, ty));
        }
        Form::Each([0, 1].map(|element| {
            let op = self.copied(op.clone(), ty, element);
            self.push(op, ty)
        }))
    }

    fn elements(&mut self) -> Form {
        let first = self.push(Op::Element, Type::I64);
        let one = self.push(Op::Const(1), Type::I64);
        let op = Op::Binary(BinaryOp::Add, first, one);
        let second = self.push(op, Type::I64);
        Form::Each([first, second])
    }

    /// An operation with the operands of one element.
    fn copied(&mut self, mut op: Op, ty: Type, element: usize) -> Op {
        if let Op::Load { place, index, site } = op {
            let bytes = u64::from(ty.scalar.bytes());
            let (place, index) = self.spot(place, index, bytes, element);
            return Op::Load { place, index, site };
        }
        op.map_operands(|operand| self.lane(operand, element));
        op
    }

    /// An operation on vectors.
    fn in_lanes(&mut self, mut op: Op, ty: Type) -> Value {
        op.map_operands(|operand| self.vector(operand));
        self.push(op, ty.with_lanes(2))
    }

    /// A load of both elements' doubles, if it takes less than a load for each.
    fn loaded(&mut self, value: Value, place: Place, op: &Op) -> Option<Form> {
        let Op::Load { index, .. } = *op else {
            return None;
        };
        if is_next_door(self.body, self.plan, place) && self.plan.uniform[index] {
            let op = self.copied(op.clone(), VECTOR, 0);
            return Some(Form::Vector(self.push(op, VECTOR)));
        }
        let (first, second) = *self.pairs.get(&value)?;
        let Op::Load { place, index, site } = self.body.values[first].op else {
            unreachable!("neighbours are loads");
        };
        let rows = [0, 1].map(|element| {
            // The first of the two may stand behind the other, and its index too.
            let own = self.constant(index);
            let (place, index) = self.spot(place, own, 8, element);
            self.push(Op::Load { place, index, site }, VECTOR)
        });
        let [a, b] = rows;
        let firsts = self.push(Op::Shuffle(a, b, [0, 2, 0, 0]), VECTOR);
        let seconds = self.push(Op::Shuffle(a, b, [1, 3, 0, 0]), VECTOR);
        self.forms[first] = Form::Vector(firsts);
        self.forms[second] = Form::Vector(seconds);
        Some(self.forms[value])
    }

    /// An index that may be needed before the statement that defines it.
    fn constant(&mut self, index: Value) -> Value {
        let Inst { op, ty } = self.body.values[index].clone();
        self.push(op, ty)
    }

    fn stored(&mut self, place: Place, index: Value, value: Value, site: Site) {
        let is_double = self.body.ty(value) == Type::F64;
        let together = is_double && is_next_door(self.body, self.plan, place);
        if together && self.plan.uniform[index] {
            let value = self.vector(value);
            return self.store(place, index, value, site, 0);
        }
        for element in 0..2 {
            let value = self.lane(value, element);
            self.store(place, index, value, site, element);
        }
    }

    /// Where one element accesses values of some bytes: the second's own row counts from the first's, which saves an address.
    fn spot(
        &mut self,
        mut place: Place,
        index: Value,
        bytes: u64,
        element: usize,
    ) -> (Place, Value) {
        let distance = row_distance(self.body, self.plan, place);
        let own = self.lane(index, element);
        match distance.filter(|distance| element == 1 && distance % bytes == 0) {
            Some(distance) => {
                place.map_operands(|operand| self.lane(operand, 0));
                (place, self.shifted(own, (distance / bytes) as i64))
            }
            None => {
                place.map_operands(|operand| self.lane(operand, element));
                (place, own)
            }
        }
    }

    /// An index so many entries on.
    fn shifted(&mut self, index: Value, by: i64) -> Value {
        if let Some(at) = self.body.int_constant(index) {
            return self.push(Op::Const(at.wrapping_add(by) as u64), Type::I64);
        }
        let by = self.push(Op::Const(by as u64), Type::I64);
        let op = Op::Binary(BinaryOp::Add, index, by);
        self.push(op, Type::I64)
    }

    fn store(&mut self, place: Place, index: Value, value: Value, site: Site, element: usize) {
        let bytes = u64::from(self.body.ty(value).scalar.bytes());
        let (place, index) = self.spot(place, index, bytes, element);
        self.made.block.push(Stmt::Store {
            place,
            index,
            value,
            site,
        });
    }

    /// Does a statement for one element.
    fn one(&mut self, stmt: &Stmt, element: usize) {
        match stmt {
            Stmt::Let(value) => {
                let Inst { op, ty } = self.body.values[*value].clone();
                let op = self.copied(op, ty, element);
                let copy = self.push(op, ty);
                self.forms[*value] = Form::Each([copy; 2]);
            }
            Stmt::Set(var, value) => {
                let value = self.lane(*value, element);
                self.made.block.push(Stmt::Set(*var, value));
            }
            Stmt::Store {
                place,
                index,
                value,
                site,
            } => {
                let value = self.lane(*value, element);
                self.store(*place, *index, value, *site, element);
            }
            _ => unreachable!("the plan refuses other statements"),
        }
    }

    /// A value of one element.
    fn lane(&mut self, value: Value, element: usize) -> Value {
        match self.forms[value] {
            Form::Itself => value,
            Form::Common(common) => common,
            Form::Each(values) => values[element],
            Form::Vector(vector) => {
                if let Some(lane) = self.lanes[value][element].expand() {
                    return lane;
                }
                let ty = self.body.ty(value);
                let lane = self.push(Op::Lane(vector, element as u8), ty);
                self.lanes[value][element] = lane.into();
                lane
            }
        }
    }

    /// A vector of both elements' values.
    fn vector(&mut self, value: Value) -> Value {
        if let Some(known) = self.vectors[value].expand() {
            return known;
        }
        let ty = self.body.ty(value).with_lanes(2);
        let vector = match self.forms[value] {
            Form::Vector(vector) => return vector,
            Form::Each(values) => {
                let [a, b] = values.map(|scalar| self.push(Op::Splat(scalar), ty));
                self.push(Op::Shuffle(a, b, [0, 2, 0, 0]), ty)
            }
            Form::Itself | Form::Common(_) => self.repeated(value, ty),
        };
        self.vectors[value] = vector.into();
        vector
    }

    /// A value in both lanes; made before the first element if it is known then.
    fn repeated(&mut self, value: Value, ty: Type) -> Value {
        let op = match self.body.constant(value) {
            Some(bits) => Op::Const(bits),
            None => Op::Splat(self.lane(value, 0)),
        };
        let is_known = matches!(self.forms[value], Form::Itself);
        let is_early = is_known || matches!(op, Op::Const(_));
        let vector = self.body.values.push(Inst { op, ty });
        match is_early {
            true => self.made.before.push(Stmt::Let(vector)),
            false => self.made.block.push(Stmt::Let(vector)),
        }
        vector
    }
}
