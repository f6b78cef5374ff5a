//! Writes the statements for several elements.

use super::loads::{Groups, is_next_door, row_distance};
use super::own::Own;
use super::plan::Plan;
use crate::abi;
use crate::ir::{
    BinaryOp, Block, Body, CompareOp, Inst, Loop, Op, Place, Site, Stmt, Type, Value, per_value,
};
use crate::opt::simplify::memory;
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;

/// The most elements at once.
pub(super) const ELEMENTS_MAX: usize = 4;

/// Those of a list differ.
const _: () = assert!(ELEMENTS_MAX <= abi::APART);

/// The statements for several elements.
pub(super) struct Made {
    /// What is computed before the first element for them.
    pub(super) before: Block,
    pub(super) block: Block,
}

/// Writes the statements of a loop for several elements.
pub(super) fn emit(it: &mut Loop, plan: &Plan) -> Made {
    let groups = Groups::of(&it.body, plan);
    let root = std::mem::take(&mut it.body.root);
    let body = &mut it.body;
    let mut pass = Emit {
        plan,
        groups,
        forms: per_value(body),
        vectors: per_value(body),
        lanes: per_value(body),
        body,
        own: Own::default(),
        numbers: None,
        integers: Vec::new(),
        made: Made {
            before: Block::new(),
            block: Block::with_capacity(root.len()),
        },
    };
    let (mut serial, mut own_rows) = (Vec::new(), Vec::new());
    for stmt in &root {
        if pass.is_serial(stmt) {
            serial.push(stmt);
        } else if plan.covers_rest && Emit::is_own_store(stmt) {
            own_rows.push(stmt);
        } else {
            pass.all(stmt);
        }
    }
    // One row after the other: nobody knows that they differ.
    for element in 0..plan.elements() {
        own_rows.iter().for_each(|stmt| pass.one(stmt, element));
    }
    for element in 0..plan.elements() {
        match element > 0 && plan.covers_rest {
            true => pass.one_if_there(&serial, element),
            false => serial.iter().for_each(|stmt| pass.one(stmt, element)),
        }
    }
    let Emit {
        integers, mut made, ..
    } = pass;
    let first = integers.into_iter().map(|(_, value)| Stmt::Let(value));
    let block: Block = first.chain(made.block).collect();
    made.block = block;
    it.body.root = root;
    made
}

/// What a value of one element is for several.
#[derive(Clone, Copy, Default)]
pub(super) enum Form {
    /// The value itself: it is defined before all elements, or not treated yet.
    #[default]
    Itself,
    /// One value for all.
    Common(Value),
    /// A value for each; beyond the last element the first's again.
    Each([Value; ELEMENTS_MAX]),
    /// A vector of all.
    Vector(Value),
}

pub(super) struct Emit<'a> {
    pub(super) body: &'a mut Body,
    pub(super) plan: &'a Plan,
    groups: Groups,
    pub(super) forms: SecondaryMap<Value, Form>,
    /// Vectors made of other forms.
    pub(super) vectors: SecondaryMap<Value, PackedOption<Value>>,
    /// Lanes taken out of vectors.
    pub(super) lanes: SecondaryMap<Value, [PackedOption<Value>; ELEMENTS_MAX]>,
    pub(super) own: Own,
    /// The numbers of the elements, once they are computed.
    numbers: Option<[Value; ELEMENTS_MAX]>,
    /// Constants of indices, each once: at the beginning, so that all statements see them.
    integers: Vec<(i64, Value)>,
    pub(super) made: Made,
}

impl Emit<'_> {
    /// Whether a statement is done for one element after the other.
    fn is_serial(&self, stmt: &Stmt) -> bool {
        match stmt {
            Stmt::Let(value) => self.plan.serial[*value],
            Stmt::Set(var, _) => self.plan.carried.contains(var),
            Stmt::Store {
                place: Place::Array(_),
                ..
            }
            | Stmt::Clear(_)
            | Stmt::For(_) => false,
            // The last element may run in the place of one that is not there: it stores the same twice.
            Stmt::Store { place, .. } => self.plan.shared.contains(&memory(place)),
            _ => true,
        }
    }

    /// Whether a statement stores to an element's own row.
    fn is_own_store(stmt: &Stmt) -> bool {
        let is_array = |place: &Place| matches!(place, Place::Array(_));
        matches!(stmt, Stmt::Store { place, .. } if !is_array(place))
    }

    pub(super) fn push(&mut self, op: Op, ty: Type) -> Value {
        let value = self.body.values.push(Inst { op, ty });
        self.made.block.push(Stmt::Let(value));
        value
    }

    /// A constant of an index.
    pub(super) fn integer(&mut self, number: i64) -> Value {
        let mut known = self.integers.iter();
        if let Some((_, value)) = known.find(|(known, _)| *known == number) {
            return *value;
        }
        let (op, ty) = (Op::Const(number as u64), Type::I64);
        let value = self.body.values.push(Inst { op, ty });
        self.integers.push((number, value));
        value
    }

    /// What `f` makes for each element.
    pub(super) fn each(
        &mut self,
        mut f: impl FnMut(&mut Self, usize) -> Value,
    ) -> [Value; ELEMENTS_MAX] {
        let mut values = [f(self, 0); ELEMENTS_MAX];
        let elements = self.plan.elements();
        for (element, value) in values.iter_mut().enumerate().take(elements).skip(1) {
            *value = f(self, element);
        }
        values
    }

    /// Does a statement for all elements.
    pub(super) fn all(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(value) => {
                if matches!(self.forms[*value], Form::Itself) {
                    self.forms[*value] = self.computed(*value);
                }
            }
            Stmt::Store {
                place: Place::Array(array),
                index,
                value,
                site,
            } => self.kept(*array, *index, *value, *site),
            Stmt::Store {
                place,
                index,
                value,
                site,
            } => self.stored(*place, *index, *value, *site),
            Stmt::Set(var, value) => self.set(*var, *value),
            Stmt::Clear(array) => {
                let array = self.widened(*array);
                self.made.block.push(Stmt::Clear(array));
            }
            Stmt::For(it) => self.repeated_for_all(it),
            _ => unreachable!("other statements are done for one element after the other"),
        }
    }

    fn computed(&mut self, value: Value) -> Form {
        let Inst { op, ty } = self.body.values[value].clone();
        if op == Op::Element {
            return self.elements();
        }
        match op {
            Op::Get(var) if self.plan.own.contains(&var) => return self.got(var, ty),
            Op::Load { place, index, site } if ty == self.plan.float() => match place {
                Place::Array(array) => return Form::Vector(self.array_entries(array, index, site)),
                Place::Table(table) if self.repeats(table, index) => {
                    return Form::Vector(self.table_entries(table, index, site));
                }
                _ => {}
            },
            _ => {}
        }
        if self.plan.uniform[value] {
            let op = self.copied(op, ty, 0);
            return Form::Common(self.push(op, ty));
        }
        if let Op::Load { place, .. } = op
            && ty == self.plan.float()
            && let Some(loaded) = self.loaded(value, place, &op)
        {
            return loaded;
        }
        if self.plan.is_shared(self.body, value) {
            return Form::Vector(self.in_lanes(op, ty));
        }
        Form::Each(self.each(|pass, element| {
            let op = pass.copied(op.clone(), ty, element);
            pass.push(op, ty)
        }))
    }

    fn elements(&mut self) -> Form {
        let first = self.push(Op::Element, Type::I64);
        let numbers = self.each(|pass, element| match element {
            0 => first,
            _ if pass.plan.covers_rest => pass.push(Op::ElementAfter(element as u8), Type::I64),
            _ => pass.shifted(first, element as i64),
        });
        if self.own.loops == 0 {
            self.numbers = Some(numbers);
        }
        Form::Each(numbers)
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
        self.push(op, ty.with_lanes(self.plan.vector.lanes))
    }

    /// A load of all elements' floats, if it takes less than a load for each.
    fn loaded(&mut self, value: Value, place: Place, op: &Op) -> Option<Form> {
        let Op::Load { index, .. } = *op else {
            return None;
        };
        let vector = self.plan.vector;
        if is_next_door(self.body, self.plan, place) && self.plan.uniform[index] {
            let op = self.copied(op.clone(), vector, 0);
            return Some(Form::Vector(self.push(op, vector)));
        }
        let group = self.groups.of_value(value)?.clone();
        let Op::Load { place, site, .. } = self.body.values[group.like].op else {
            unreachable!("groups are of loads");
        };
        let bytes = u64::from(vector.scalar.bytes());
        let rows: Vec<Value> = (0..self.plan.elements())
            .step_by(group.elements_in_row)
            .map(|element| {
                // The first of a group may stand behind the others, and its index too.
                let own = self.integer(group.entry);
                let (place, index) = self.spot(place, own, bytes, element);
                self.push(Op::Load { place, index, site }, vector)
            })
            .collect();
        let columns = self.turned(&rows);
        for (column, member) in columns.into_iter().zip(&group.members) {
            if let Some(member) = member {
                self.forms[*member] = Form::Vector(column);
            }
        }
        Some(self.forms[value])
    }

    /// Vectors of the first entries of some rows, of the second, and so on.
    fn turned(&mut self, rows: &[Value]) -> Vec<Value> {
        let vector = self.plan.vector;
        let mut shuffle = |a, b, lanes| self.push(Op::Shuffle(a, b, lanes), vector);
        match (rows, vector.lanes) {
            (&[a, b], 2) => vec![shuffle(a, b, [0, 2, 0, 0]), shuffle(a, b, [1, 3, 0, 0])],
            // Two elements in a row.
            (&[a, b], _) => vec![shuffle(a, b, [0, 2, 4, 6]), shuffle(a, b, [1, 3, 5, 7])],
            (&[a, b, c, d], _) => {
                let (low, high) = ([0, 4, 1, 5], [2, 6, 3, 7]);
                let firsts = (shuffle(a, b, low), shuffle(c, d, low));
                let lasts = (shuffle(a, b, high), shuffle(c, d, high));
                vec![
                    shuffle(firsts.0, firsts.1, [0, 1, 4, 5]),
                    shuffle(firsts.0, firsts.1, [2, 3, 6, 7]),
                    shuffle(lasts.0, lasts.1, [0, 1, 4, 5]),
                    shuffle(lasts.0, lasts.1, [2, 3, 6, 7]),
                ]
            }
            _ => unreachable!("rows are as many as lanes, or two"),
        }
    }

    fn stored(&mut self, place: Place, index: Value, value: Value, site: Site) {
        let is_float = self.body.ty(value) == self.plan.float();
        let together = is_float && is_next_door(self.body, self.plan, place);
        if together && self.plan.uniform[index] {
            let value = self.vector(value);
            return self.store(place, index, value, site, 0);
        }
        for element in 0..self.plan.elements() {
            let value = self.lane(value, element);
            self.store(place, index, value, site, element);
        }
    }

    /// Where one element accesses values of some bytes: its own row counts from the first's, which saves an address.
    fn spot(
        &mut self,
        mut place: Place,
        index: Value,
        bytes: u64,
        element: usize,
    ) -> (Place, Value) {
        let distance = row_distance(self.body, self.plan, place);
        let own = self.lane(index, element);
        match distance.filter(|distance| element > 0 && distance % bytes == 0) {
            Some(distance) => {
                place.map_operands(|operand| self.lane(operand, 0));
                let entries = (distance / bytes) * element as u64;
                (place, self.shifted(own, entries as i64))
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
            return self.integer(at.wrapping_add(by));
        }
        let by = self.integer(by);
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

    /// Does statements for one element unless the one before was the last.
    fn one_if_there(&mut self, statements: &[&Stmt], element: usize) {
        let [before, own] = [element - 1, element].map(|at| self.number(at));
        let is_there = Op::Compare(CompareOp::Ne, own, before);
        let cond = self.push(is_there, Type::BOOL);
        let around = std::mem::take(&mut self.made.block);
        statements.iter().for_each(|stmt| self.one(stmt, element));
        let then = std::mem::replace(&mut self.made.block, around);
        let other = Block::new();
        self.made.block.push(Stmt::If { cond, then, other });
    }

    /// The number of one element, which the statements may have computed.
    fn number(&mut self, element: usize) -> Value {
        if let Some(numbers) = self.numbers {
            return numbers[element];
        }
        match element {
            0 => self.push(Op::Element, Type::I64),
            after => self.push(Op::ElementAfter(after as u8), Type::I64),
        }
    }

    /// Does a statement for one element.
    fn one(&mut self, stmt: &Stmt, element: usize) {
        match stmt {
            Stmt::Let(value) => {
                let Inst { op, ty } = self.body.values[*value].clone();
                let op = self.copied(op, ty, element);
                let copy = self.push(op, ty);
                self.forms[*value] = Form::Each([copy; ELEMENTS_MAX]);
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
    pub(super) fn lane(&mut self, value: Value, element: usize) -> Value {
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
                self.own.cached.push(value);
                lane
            }
        }
    }

    /// A vector of all elements' values.
    pub(super) fn vector(&mut self, value: Value) -> Value {
        if let Some(known) = self.vectors[value].expand() {
            return known;
        }
        let lanes = self.plan.vector.lanes;
        let ty = self.body.ty(value).with_lanes(lanes);
        let vector = match self.forms[value] {
            Form::Vector(vector) => return vector,
            Form::Each(values) => self.joined(&values[..usize::from(lanes)], ty),
            Form::Itself | Form::Common(_) => self.repeated(value, ty),
        };
        self.vectors[value] = vector.into();
        self.own.cached.push(value);
        vector
    }

    /// A vector of scalars, one put in behind the other.
    fn joined(&mut self, values: &[Value], ty: Type) -> Value {
        let splats = values
            .iter()
            .map(|scalar| self.push(Op::Splat(*scalar), ty))
            .collect::<Vec<_>>();
        match splats[..] {
            [a, b] => self.push(Op::Shuffle(a, b, [0, 2, 0, 0]), ty),
            [a, b, c, d] => {
                let two = self.push(Op::Shuffle(a, b, [0, 4, 2, 3]), ty);
                let three = self.push(Op::Shuffle(two, c, [0, 1, 4, 3]), ty);
                self.push(Op::Shuffle(three, d, [0, 1, 2, 4]), ty)
            }
            _ => unreachable!("two or four elements are done at once"),
        }
    }

    /// A value in all lanes; made before the first element if it is known then.
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
