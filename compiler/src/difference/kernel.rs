//! Differences of two kernels: parameters, constants' declarations, numbers in the text, statements.
//!
//! Statements are lined up by their shape (operation and type, without numbers of values and variables), so that one that is put in
//! or taken out does not make all that follow differ. A pair differs if its operands do not go together; two numbers that are
//! paired and unequal are told as such, and not as a difference of the statements they stand in. Places (`Site`) are
//! not looked at: they change with the text around them.

use super::align::{Likeness, align};
use super::show::{Show, c_name, number};
use super::{Difference, Names};
use crate::fingerprint::Part;
use crate::ir::{Block, Body, Kernel, Op, Passing, Place, Scalar, Site, Stmt, Type, Value, Var};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// So many statements that differ are shown.
const SHOWN_MAX: usize = 3;
/// So many numbers that differ are told one by one.
const NUMBERS_MAX: usize = 8;

pub(super) fn compare(old: &Kernel, new: &Kernel, names: Names<'_>, found: &mut Vec<Difference>) {
    params(old, new, found);
    constants(old, new, found);
    let (mut old_list, mut new_list) = (List::of(&old.body), List::of(&new.body));
    number_shapes([&mut old_list, &mut new_list]);
    let pairs = align(
        old_list.items.len(),
        new_list.items.len(),
        &Alike {
            old: &old_list,
            new: &new_list,
        },
    );
    let matching = Matching::of(&old_list, &new_list, &pairs);
    matching.numbers(found);
    matching.statements(names, found);
}

fn params(old: &Kernel, new: &Kernel, found: &mut Vec<Difference>) {
    if old.params.len() != new.params.len() {
        let (old, new) = (old.params.len(), new.params.len());
        found.push(Difference::new(Part::Kernel, "parameters", old, new));
        return;
    }
    let shown = |kernel: &Kernel, at: usize| {
        let param = kernel.params[at];
        let stars = match param.passing {
            Passing::Value => "",
            Passing::Pointer => " *",
            Passing::Rows => " **",
            Passing::Unused => " * (unused)",
        };
        format!("{}{stars}", c_name(param.scalar))
    };
    for at in (0..new.params.len()).filter(|at| old.params[*at] != new.params[*at]) {
        let difference = Difference::new(Part::Kernel, "parameter", shown(old, at), shown(new, at));
        found.push(difference.of_argument(at));
    }
}

fn constants(old: &Kernel, new: &Kernel, found: &mut Vec<Difference>) {
    let shown = |kernel: &Kernel| {
        let each = kernel.constants.iter();
        let each = each.map(|slot| format!("{}[{}]", c_name(slot.scalar), slot.dim));
        each.collect::<Vec<_>>().join(", ")
    };
    if old.constants != new.constants {
        let (old, new) = (shown(old), shown(new));
        found.push(Difference::new(
            Part::Kernel,
            "kernel constants read",
            old,
            new,
        ));
    }
}

/// A statement, or the mark between or after its blocks.
struct Item<'a> {
    stmt: Option<&'a Stmt>,
    shape: u32,
    /// Of a number: its bits and type.
    number: Option<(u64, Scalar)>,
    /// The value it defines.
    defines: Option<Value>,
    refs: Vec<Ref>,
    site: Option<Site>,
}

/// Something numbered that a statement names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Ref {
    Value(u32),
    Var(u32),
    Array(u32),
    Table(u32),
    Symbol(u32),
    Label(u32),
}

/// What has to be equal for two statements to go together.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Shape {
    Let(Op, Type),
    Set,
    Store(Place),
    Clear,
    If,
    For(i64),
    Loop,
    Block,
    Exit,
    Continue,
    /// Between the blocks of an `If`.
    Else,
    /// After a statement's blocks.
    End,
}

/// A body as a list.
struct List<'a> {
    body: &'a Body,
    items: Vec<Item<'a>>,
    shapes: Vec<Shape>,
}

impl<'a> List<'a> {
    fn of(body: &'a Body) -> List<'a> {
        let mut list = List {
            body,
            items: Vec::new(),
            shapes: Vec::new(),
        };
        list.block(&body.root);
        list
    }

    /// Nesting is bounded by the verifier.
    fn block(&mut self, block: &'a Block) {
        for stmt in block {
            self.stmt(stmt);
            let mut blocks = stmt.blocks();
            let Some(first) = blocks.next() else { continue };
            self.block(first);
            if let Some(second) = blocks.next() {
                self.mark(Shape::Else);
                self.block(second);
            }
            self.mark(Shape::End);
        }
    }

    fn mark(&mut self, shape: Shape) {
        self.push(None, shape, None, Vec::new(), None);
    }

    fn push(
        &mut self,
        stmt: Option<&'a Stmt>,
        shape: Shape,
        defines: Option<Value>,
        refs: Vec<Ref>,
        site: Option<Site>,
    ) {
        let number = defines.and_then(|value| {
            let inst = &self.body.values[value];
            match inst.op {
                Op::Const(bits) => Some((bits, inst.ty.scalar)),
                _ => None,
            }
        });
        self.items.push(Item {
            stmt,
            shape: 0,
            number,
            defines,
            refs,
            site,
        });
        self.shapes.push(shape);
    }

    fn stmt(&mut self, stmt: &'a Stmt) {
        let mut refs = Vec::new();
        stmt.for_each_operand(|value| refs.push(Ref::Value(value.as_u32())));
        let (mut defines, mut at) = (None, None);
        let shape = match stmt {
            Stmt::Let(value) => {
                let inst = &self.body.values[*value];
                defines = Some(*value);
                inst.op
                    .for_each_operand(|value| refs.push(Ref::Value(value.as_u32())));
                Shape::Let(bare(&inst.op, &mut refs, &mut at), inst.ty)
            }
            Stmt::Set(var, _) => {
                refs.push(Ref::Var(var.as_u32()));
                Shape::Set
            }
            Stmt::Store { place, site, .. } => {
                at = Some(*site);
                Shape::Store(bare_place(*place, &mut refs))
            }
            Stmt::Clear(array) => {
                refs.push(Ref::Array(array.as_u32()));
                Shape::Clear
            }
            Stmt::If { .. } => Shape::If,
            Stmt::For(it) => {
                (defines, at) = (Some(it.counter), Some(it.site));
                refs.push(Ref::Label(it.label.as_u32()));
                Shape::For(it.step)
            }
            Stmt::Loop { label, site, .. } => {
                at = Some(*site);
                refs.push(Ref::Label(label.as_u32()));
                Shape::Loop
            }
            Stmt::Block { label, .. } => {
                refs.push(Ref::Label(label.as_u32()));
                Shape::Block
            }
            Stmt::Exit(label) => {
                refs.push(Ref::Label(label.as_u32()));
                Shape::Exit
            }
            Stmt::Continue(label) => {
                refs.push(Ref::Label(label.as_u32()));
                Shape::Continue
            }
        };
        self.push(Some(stmt), shape, defines, refs, at);
    }
}

/// An operation without what is numbered, which goes to `refs`.
fn bare(op: &Op, refs: &mut Vec<Ref>, at: &mut Option<Site>) -> Op {
    let nothing = Value::from_u32(0);
    let mut op = op.clone();
    op.map_operands(|_| nothing);
    match &mut op {
        Op::Const(bits) => *bits = 0,
        Op::Get(var) => {
            refs.push(Ref::Var(var.as_u32()));
            *var = Var::from_u32(0);
        }
        Op::Load { place, site, .. } => {
            *at = Some(*site);
            *place = bare_place(*place, refs);
            *site = Site::from_u32(0);
        }
        Op::Call(symbol, _) => {
            refs.push(Ref::Symbol(symbol.as_u32()));
            *symbol = crate::ir::Symbol::from_u32(0);
        }
        Op::CheckIndex { site, .. } | Op::CheckDivisor { site, .. } => {
            *at = Some(*site);
            *site = Site::from_u32(0);
        }
        _ => {}
    }
    op
}

fn bare_place(place: Place, refs: &mut Vec<Ref>) -> Place {
    match place {
        Place::Array(array) => {
            refs.push(Ref::Array(array.as_u32()));
            Place::Array(crate::ir::Array::from_u32(0))
        }
        Place::Table(table) => {
            refs.push(Ref::Table(table.as_u32()));
            Place::Table(crate::ir::Table::from_u32(0))
        }
        Place::ParamRow { param, .. } => Place::ParamRow {
            param,
            row: Value::from_u32(0),
        },
        other => other,
    }
}

/// Gives equal shapes of two lists one number.
fn number_shapes(lists: [&mut List<'_>; 2]) {
    let mut numbers: FxHashMap<Shape, u32> = FxHashMap::default();
    for list in lists {
        for (item, shape) in list.items.iter_mut().zip(list.shapes.drain(..)) {
            let next = numbers.len() as u32;
            item.shape = *numbers.entry(shape).or_insert(next);
        }
    }
}

struct Alike<'a> {
    old: &'a List<'a>,
    new: &'a List<'a>,
}

impl Likeness for Alike<'_> {
    /// Equal numbers rather than others, and statements rather than marks.
    fn score(&self, old: usize, new: usize) -> u8 {
        let (old, new) = (&self.old.items[old], &self.new.items[new]);
        match () {
            () if old.shape != new.shape => 0,
            () if old.stmt.is_none() => 1,
            () if old.number != new.number => 3,
            () => 4,
        }
    }

    fn is_equal(&self, old: usize, new: usize) -> bool {
        let (old, new) = (&self.old.items[old], &self.new.items[new]);
        old.shape == new.shape && old.number == new.number
    }
}

/// What was paired with what, and which items differ.
struct Matching<'a> {
    old: &'a List<'a>,
    new: &'a List<'a>,
    pairs: &'a [(usize, usize)],
    old_differs: Vec<bool>,
    new_differs: Vec<bool>,
}

impl<'a> Matching<'a> {
    fn of(old: &'a List<'a>, new: &'a List<'a>, pairs: &'a [(usize, usize)]) -> Matching<'a> {
        let mut matching = Matching {
            old,
            new,
            pairs,
            old_differs: vec![true; old.items.len()],
            new_differs: vec![true; new.items.len()],
        };
        let mut known: BTreeMap<Ref, Ref> = BTreeMap::new();
        for (i, j) in pairs {
            let (was, is) = (&old.items[*i], &new.items[*j]);
            let together = was.refs.len() == is.refs.len()
                && was.refs.iter().zip(&is.refs).all(|(a, b)| {
                    let bound = known.get(a).copied();
                    match (bound, a) {
                        (Some(bound), _) => bound == *b,
                        (None, Ref::Value(_)) => false,
                        (None, _) if same_declaration(old.body, new.body, *a, *b) => {
                            known.insert(*a, *b);
                            true
                        }
                        (None, _) => false,
                    }
                });
            if let (Some(a), Some(b)) = (was.defines, is.defines) {
                known.insert(Ref::Value(a.as_u32()), Ref::Value(b.as_u32()));
            }
            matching.old_differs[*i] = !together;
            matching.new_differs[*j] = !together;
        }
        matching
    }

    /// Numbers that are paired and unequal.
    fn numbers(&self, found: &mut Vec<Difference>) {
        let mut told = BTreeSet::new();
        for (i, j) in self.pairs {
            let (Some(was), Some(is)) = (self.old.items[*i].number, self.new.items[*j].number)
            else {
                continue;
            };
            if was == is || told.len() >= NUMBERS_MAX || !told.insert((was.0, is.0)) {
                continue;
            }
            let (old, new) = (number(was.0, was.1), number(is.0, is.1));
            let mut difference = Difference::new(Part::Kernel, "constant", old, new);
            difference.literal = Some(is);
            difference.site = self.site_from(*j);
            found.push(difference);
        }
    }

    /// The first place at or after an item of the new kernel.
    fn site_from(&self, item: usize) -> Option<u32> {
        let rest = self.new.items[item..].iter();
        rest.filter_map(|item| item.site)
            .map(|site| site.as_u32())
            .next()
    }

    /// Statements that differ: those whose result no other of them uses stand for all.
    fn statements(&self, names: Names<'_>, found: &mut Vec<Difference>) {
        let old_roots = roots(self.old, &self.old_differs);
        let new_roots = roots(self.new, &self.new_differs);
        let paired: BTreeMap<usize, usize> = self.pairs.iter().map(|(i, j)| (*j, *i)).collect();
        let (old_wholes, new_wholes) = (wholes(self.old), wholes(self.new));
        let show = |list: &List<'_>, whole: usize| {
            let show = Show {
                body: list.body,
                names,
            };
            let whole = list.items[whole].stmt;
            whole.map(|stmt| format!("`{}`", show.stmt(stmt)))
        };
        let show_old = |at: usize| show(self.old, old_wholes[at]);
        let show_new = |at: usize| show(self.new, new_wholes[at]);
        let mut shown = Vec::new();
        let mut unpaired: BTreeSet<usize> = old_roots.iter().copied().collect();
        for at in &new_roots {
            let was = paired.get(at).filter(|was| unpaired.remove(was));
            shown.push(match was {
                Some(was) => (show_old(*was), show_new(*at)),
                None => (None, show_new(*at)),
            });
        }
        shown.extend(unpaired.iter().map(|at| (show_old(*at), None)));
        let mut told: Vec<String> = shown.iter().filter_map(pair_text).collect();
        told.dedup();
        if told.is_empty() {
            return;
        }
        let mut text = told[..told.len().min(SHOWN_MAX)].join("; ");
        if told.len() > SHOWN_MAX {
            text += "; ..";
        }
        let mut difference = Difference::new(Part::Kernel, "statements", "", text);
        difference.count = told.len();
        difference.site = new_roots.first().and_then(|at| self.site_from(*at));
        found.push(difference);
    }
}

fn pair_text((old, new): &(Option<String>, Option<String>)) -> Option<String> {
    match (old, new) {
        (Some(old), Some(new)) => Some(format!("{old} -> {new}")),
        (None, Some(new)) => Some(format!("added {new}")),
        (Some(old), None) => Some(format!("removed {old}")),
        (None, None) => None,
    }
}

/// For each item, the statement that it is a part of: that of its value's only use, and so on; else itself.
fn wholes(list: &List<'_>) -> Vec<usize> {
    let mut users: BTreeMap<Ref, (usize, usize)> = BTreeMap::new();
    for (at, item) in list.items.iter().enumerate() {
        for used in &item.refs {
            let (count, last) = users.entry(*used).or_insert((0, at));
            *count += 1;
            *last = at;
        }
    }
    let mut wholes: Vec<usize> = (0..list.items.len()).collect();
    // Uses follow definitions, so what follows an item is known before it.
    for at in (0..list.items.len()).rev() {
        if let Some(Stmt::Let(value)) = list.items[at].stmt
            && let Some((1, user)) = users.get(&Ref::Value(value.as_u32()))
        {
            wholes[at] = wholes[*user];
        }
    }
    wholes
}

/// Whether two variables, arrays, tables or functions that are seen first at the same place are declared alike.
fn same_declaration(old: &Body, new: &Body, a: Ref, b: Ref) -> bool {
    use crate::ir::{Array, Symbol, Table};
    match (a, b) {
        (Ref::Var(a), Ref::Var(b)) => old.vars[Var::from_u32(a)] == new.vars[Var::from_u32(b)],
        (Ref::Array(a), Ref::Array(b)) => {
            old.arrays[Array::from_u32(a)] == new.arrays[Array::from_u32(b)]
        }
        (Ref::Table(a), Ref::Table(b)) => {
            old.tables[Table::from_u32(a)] == new.tables[Table::from_u32(b)]
        }
        (Ref::Symbol(a), Ref::Symbol(b)) => {
            old.symbols[Symbol::from_u32(a)] == new.symbols[Symbol::from_u32(b)]
        }
        (Ref::Label(_), Ref::Label(_)) => true,
        _ => false,
    }
}

/// The items that differ and define nothing that another of them uses.
fn roots(list: &List<'_>, differs: &[bool]) -> Vec<usize> {
    let marked = || list.items.iter().enumerate().filter(|(at, _)| differs[*at]);
    let used: BTreeSet<Ref> = marked()
        .flat_map(|(_, item)| item.refs.iter().copied())
        .collect();
    let is_used = |value: Value| used.contains(&Ref::Value(value.as_u32()));
    let is_root = |item: &Item<'_>| match item.stmt {
        None => false,
        Some(Stmt::Let(value)) => !is_used(*value),
        Some(_) => true,
    };
    marked()
        .filter(|(_, item)| is_root(item))
        .map(|(at, _)| at)
        .collect()
}
