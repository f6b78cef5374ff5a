//! Values are computed shortly before they are used, so that few are held at a time.
//!
//! Within a run of statements without control flow, what stores, sets, may fail or is used behind the run keeps its order; all
//! else goes in front of its first use, the operand that needs most registers first (Sethi and Ullman, "The generation of optimal
//! code for arithmetic expressions", 1970). Nothing moves up, and no load moves past a store to what it loads. A run whose own order
//! would have fewer floats spilled keeps it: sums that share what they add grow side by side.

use super::alias::{Origin, Touch, access, touch};
use super::effects::{Effects, effects};
use super::runs::{each_run, is_control};
use super::simplify::{Memory, memory};
use crate::ir::{Block, Body, Op, Place, Stmt, Value, for_each_operand, per_value};
use cranelift_entity::SecondaryMap;
use rustc_hash::FxHashMap as HashMap;

/// Orders the runs of a body's root and the blocks inside.
pub(super) fn order(body: &mut Body) {
    let mut root = std::mem::take(&mut body.root);
    let mut pass = Order {
        at: per_value(body),
        seen: per_value(body),
        body,
        passed: 0,
        walks: 0,
    };
    pass.block(&mut root);
    body.root = root;
}

struct Order<'a> {
    body: &'a Body,
    /// The number of the statement that defines a value; 0 for what was defined before or is not yet.
    at: SecondaryMap<Value, usize>,
    /// The walk along an order that met a value last.
    seen: SecondaryMap<Value, u32>,
    /// How many statements have been numbered.
    passed: usize,
    /// How many such walks there were.
    walks: u32,
}

/// How many floats are held in registers, one being needed to compute.
const REGISTERS: usize = 15;

/// A run of statements without control flow.
struct Run {
    /// The number of its first statement.
    start: usize,
    statements: Block,
    /// Which of them have their place.
    placed: Vec<bool>,
    /// Which of them define what others use.
    used: Vec<bool>,
    /// By statement: how many registers its value takes to compute, about.
    needs: Vec<u16>,
    /// By statement that stores: the loads that have to come before it.
    loads: HashMap<usize, Vec<usize>>,
    ordered: Vec<usize>,
}

impl Order<'_> {
    fn block(&mut self, statements: &mut Block) {
        for inner in statements.iter_mut().flat_map(Stmt::blocks_mut) {
            self.block(inner);
        }
        each_run(statements, is_control, |run| self.run(run));
    }

    fn run(&mut self, statements: Block) -> Block {
        if statements.len() < 3 {
            return statements;
        }
        let changed = effects(&statements);
        let mut run = Run {
            start: self.passed + 1,
            needs: Vec::with_capacity(statements.len()),
            loads: HashMap::default(),
            ordered: Vec::with_capacity(statements.len()),
            placed: vec![false; statements.len()],
            used: vec![false; statements.len()],
            statements,
        };
        self.passed += run.statements.len();
        let roots = self.roots(&mut run, &changed);
        let mut open = Vec::new();
        for at in roots {
            self.emit(&mut run, at, &mut open);
        }
        let len = run.statements.len();
        let ordered = self.spilled(&run, run.ordered.iter().copied());
        if ordered > 0 && self.spilled(&run, 0..len) < ordered {
            return run.statements;
        }
        let mut statements: Vec<Option<Stmt>> = run.statements.into_iter().map(Some).collect();
        let ordered = run.ordered.into_iter();
        ordered.filter_map(|at| statements[at].take()).collect()
    }

    /// How much is spilled in an order, about: by how many floats each statement that computes one has too many. What nothing in the
    /// run uses is held to its end.
    fn spilled(&mut self, run: &Run, order: impl DoubleEndedIterator<Item = usize>) -> usize {
        self.walks += 1;
        let body = self.body;
        let is_held =
            |value: Value| body.ty(value).scalar.is_float() && body.constant(value).is_none();
        let defined = |at: usize| match run.statements[at] {
            Stmt::Let(value) if is_held(value) => Some(value),
            _ => None,
        };
        let unused = (0..run.statements.len()).filter(|at| !run.used[*at]);
        let mut held = unused.filter_map(defined).count();
        let mut spilled = 0;
        for at in order.rev() {
            if defined(at).is_some() {
                spilled += held.saturating_sub(REGISTERS);
                held -= 1;
            }
            for_each_operand(body, &run.statements[at], |operand| {
                if is_held(operand) {
                    let walk = std::mem::replace(&mut self.seen[operand], self.walks);
                    held += usize::from(walk != self.walks);
                }
            });
        }
        spilled
    }

    /// The statements that keep their order. Numbers all of them, and says what each needs.
    fn roots(&mut self, run: &mut Run, changed: &Effects) -> Vec<usize> {
        let mut keeps = vec![true; run.statements.len()];
        let mut waiting = Waiting::default();
        let mut wait = |at, loads: Vec<usize>| {
            if !loads.is_empty() {
                run.loads.insert(at, loads);
            }
        };
        for (at, stmt) in run.statements.iter().enumerate() {
            let mut needs = [0u16; 2];
            for_each_operand(self.body, stmt, |operand| {
                let need = match self.at[operand].checked_sub(run.start) {
                    Some(at) => {
                        run.used[at] = true;
                        run.needs[at]
                    }
                    None => 0,
                };
                let [most, second] = needs;
                needs = match need > most {
                    true => [need, most],
                    false => [most, second.max(need)],
                };
            });
            let [most, second] = needs;
            run.needs.push(most.max(second.saturating_add(1)));
            if let Stmt::Let(value) = stmt {
                self.at[*value] = run.start + at;
                keeps[at] = is_pinned(&self.body.values[*value].op, changed);
            }
            if let Stmt::Clear(array) = stmt {
                wait(at, waiting.take_all(memory(&Place::Array(*array))));
            }
            // Most loads are of what nothing here changes.
            let Some((place, .., is_store)) = access(self.body, stmt) else {
                continue;
            };
            if !changed.memory.contains(&memory(&place)) {
                continue;
            }
            match touch(self.body, stmt) {
                Some(store) if is_store => wait(at, waiting.take(&store)),
                Some(load) => waiting.add(load, at),
                None => {}
            }
        }
        (0..run.used.len())
            .filter(|at| keeps[*at] || !run.used[*at])
            .collect()
    }

    /// Emits a statement behind what it needs.
    fn emit(&self, run: &mut Run, root: usize, open: &mut Vec<(usize, bool)>) {
        if !run.loads.is_empty() {
            for load in run.loads.remove(&root).unwrap_or_default() {
                self.emit(run, load, open);
            }
        }
        open.push((root, false));
        while let Some((at, is_ready)) = open.pop() {
            if run.placed[at] {
                continue;
            }
            if is_ready {
                run.placed[at] = true;
                run.ordered.push(at);
                continue;
            }
            let stmt = &run.statements[at];
            open.push((at, true));
            let first = open.len();
            for_each_operand(self.body, stmt, |operand| {
                if let Some(at) = self.at[operand].checked_sub(run.start)
                    && !run.placed[at]
                {
                    open.push((at, false));
                }
            });
            // The last is taken first.
            if open.len() > first + 1 {
                open[first..].sort_by_key(|(at, _)| run.needs[*at]);
            }
        }
    }
}

/// Whether an operation has to stay where it is among what a run changes.
fn is_pinned(op: &Op, changed: &Effects) -> bool {
    match op {
        Op::Get(var) => changed.vars.contains(var),
        Op::Load { .. } => false,
        other => !other.is_pure(),
    }
}

/// Loads that no store has overtaken yet, by memory and entry.
#[derive(Default)]
struct Waiting {
    by_memory: HashMap<Memory, Loads>,
}

/// Loads of one memory that count from one origin.
#[derive(Default)]
struct Loads {
    origin: Option<Origin>,
    by_entry: HashMap<i64, Vec<usize>>,
    /// Loads from other origins.
    others: Vec<usize>,
}

impl Waiting {
    fn add(&mut self, load: Touch, at: usize) {
        let loads = self.by_memory.entry(load.memory()).or_default();
        let origin = load.origin();
        if *loads.origin.get_or_insert_with(|| origin.clone()) != origin {
            loads.others.push(at);
            return;
        }
        for lane in 0..i64::from(load.ty.lanes) {
            let entry = load.index.constant.wrapping_add(lane);
            loads.by_entry.entry(entry).or_default().push(at);
        }
    }

    /// The loads that a store may overwrite the values of.
    fn take(&mut self, store: &Touch) -> Vec<usize> {
        let Some(loads) = self.by_memory.get_mut(&store.memory()) else {
            return Vec::new();
        };
        if loads.origin != Some(store.origin()) {
            return self.take_all(store.memory());
        }
        let mut taken = std::mem::take(&mut loads.others);
        for lane in 0..i64::from(store.ty.lanes) {
            let entry = store.index.constant.wrapping_add(lane);
            taken.extend(loads.by_entry.remove(&entry).unwrap_or_default());
        }
        taken.sort_unstable();
        taken
    }

    fn take_all(&mut self, memory: Memory) -> Vec<usize> {
        let loads = self.by_memory.remove(&memory).unwrap_or_default();
        let mut taken: Vec<usize> = loads.by_entry.into_values().flatten().collect();
        taken.extend(loads.others);
        taken.sort_unstable();
        taken
    }
}
