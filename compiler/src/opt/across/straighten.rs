//! Statements without control flow that do what some with branches do: both sides are computed, and selects choose.
//!
//! Only where both sides do nothing but compute, set variables and load what is there for every element: no stores, no calls, no
//! rows that partial maps lead to, and not too much of it. Variables become values on the way; only those that carry something to the next element, or
//! behind the last, are set, at the end.

use crate::ir::{Block, Body, Inst, Loop, Op, Place, Stmt, Value, Var, for_each_stmt};
use crate::opt::unroll::Copy;
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;
use std::collections::{BTreeMap, BTreeSet};

/// The most instructions that are computed whether they count or not.
const SPECULATED_MAX: usize = 64;

/// A copy of a loop's statements without branches, if they can do without.
pub(super) fn straightened(it: &mut Loop) -> Option<Block> {
    let root = std::mem::take(&mut it.body.root);
    let mut speculated = 0;
    let found = root.iter().all(|stmt| match stmt {
        Stmt::If { then, other, .. } => {
            may_speculate(it, then, &mut speculated) && may_speculate(it, other, &mut speculated)
        }
        stmt => stmt.blocks().next().is_none(),
    });
    let may = found && speculated <= SPECULATED_MAX;
    let copy = may.then(|| Copy::new(&mut it.body).block(&root));
    it.body.root = root;
    let copy = copy?;
    let mut pass = Straighten {
        kept: variables_read(&it.body, &it.after),
        body: &mut it.body,
        same: SecondaryMap::new(),
        begun: BTreeMap::new(),
        held: BTreeMap::new(),
        out: Block::new(),
    };
    pass.block(copy);
    Some(pass.finish())
}

/// Whether a block does nothing that has to be left out. Counts what it computes.
fn may_speculate(it: &Loop, block: &Block, count: &mut usize) -> bool {
    *count += block.len();
    block.iter().all(|stmt| match stmt {
        Stmt::Let(value) => match &it.body.values[*value].op {
            Op::Get(_) => true,
            Op::Call(..) => false,
            Op::Load { place, index, .. } => is_there(it, place, *index),
            op => op.is_pure(),
        },
        Stmt::Set(..) => true,
        Stmt::If { then, other, .. } => {
            may_speculate(it, then, count) && may_speculate(it, other, count)
        }
        _ => false,
    })
}

/// Whether an entry is there for every element: constant indices were checked against the row when the loop was made, and
/// only partial maps lead nowhere.
fn is_there(it: &Loop, place: &Place, index: Value) -> bool {
    let Place::Row { addr, .. } = place else {
        return false;
    };
    let Op::RowAddr { row, .. } = it.body.values[*addr].op else {
        return false;
    };
    let leads_there = match it.body.values[row].op {
        Op::Element => true,
        Op::MapEntry { arg, .. } => {
            let map = it.signature.args[usize::from(arg)].source.map();
            map.is_some_and(|map| !map.partial)
        }
        _ => false,
    };
    leads_there && it.body.int_constant(index).is_some()
}

/// The variables that a block reads.
fn variables_read(body: &Body, block: &Block) -> BTreeSet<Var> {
    let mut found = BTreeSet::new();
    for_each_stmt(block, &mut |stmt| {
        if let Stmt::Let(value) = stmt
            && let Op::Get(var) = body.values[*value].op
        {
            found.insert(var);
        }
    });
    found
}

struct Straighten<'a> {
    body: &'a mut Body,
    /// Variables whose value is needed behind the element.
    kept: BTreeSet<Var>,
    /// What to use in place of a value.
    same: SecondaryMap<Value, PackedOption<Value>>,
    /// What variables hold when the element begins, as far as anything asks.
    begun: BTreeMap<Var, Value>,
    /// What those that are set hold.
    held: BTreeMap<Var, Value>,
    out: Block,
}

impl Straighten<'_> {
    fn resolve(&self, value: Value) -> Value {
        self.same[value].expand().unwrap_or(value)
    }

    fn block(&mut self, block: Block) {
        for mut stmt in block {
            stmt.map_operands(|value| self.resolve(value));
            match stmt {
                Stmt::Let(value) => self.instruction(value),
                Stmt::Set(var, value) => drop(self.held.insert(var, value)),
                Stmt::If { cond, then, other } => self.branch(cond, then, other),
                other => self.out.push(other),
            }
        }
    }

    fn instruction(&mut self, value: Value) {
        let mut op = std::mem::replace(&mut self.body.values[value].op, Op::Const(0));
        op.map_operands(|operand| self.resolve(operand));
        let var = match op {
            Op::Get(var) => Some(var),
            _ => None,
        };
        self.body.values[value].op = op;
        match var {
            Some(var) => self.same[value] = self.holds(var).into(),
            None => self.out.push(Stmt::Let(value)),
        }
    }

    /// What a variable holds here.
    fn holds(&mut self, var: Var) -> Value {
        let known = self.held.get(&var).or_else(|| self.begun.get(&var));
        if let Some(known) = known {
            return *known;
        }
        // Variables are set at the end, so that reading one gives what the element before left.
        let (op, ty) = (Op::Get(var), self.body.vars[var]);
        let value = self.body.values.push(Inst { op, ty });
        self.out.push(Stmt::Let(value));
        self.begun.insert(var, value);
        self.kept.insert(var);
        value
    }

    fn branch(&mut self, cond: Value, then: Block, other: Block) {
        let before = self.held.clone();
        self.block(then);
        let taken = std::mem::replace(&mut self.held, before.clone());
        self.block(other);
        let left = std::mem::replace(&mut self.held, before);
        let vars: BTreeSet<Var> = taken.keys().chain(left.keys()).copied().collect();
        for var in vars {
            let mut after = |side: &BTreeMap<Var, Value>| match side.get(&var) {
                Some(value) => *value,
                None => self.holds(var),
            };
            let (a, b) = (after(&taken), after(&left));
            let chosen = if a == b { a } else { self.choice(cond, a, b) };
            self.held.insert(var, chosen);
        }
    }

    fn choice(&mut self, cond: Value, a: Value, b: Value) -> Value {
        let (op, ty) = (Op::Select(cond, a, b), self.body.ty(a));
        let chosen = self.body.values.push(Inst { op, ty });
        self.out.push(Stmt::Let(chosen));
        chosen
    }

    fn finish(mut self) -> Block {
        for (var, value) in self.held {
            if self.kept.contains(&var) && self.begun.get(&var) != Some(&value) {
                self.out.push(Stmt::Set(var, value));
            }
        }
        self.out
    }
}
