//! What integers the tables, local arrays and variables of a kernel can hold, wherever they are read.
//!
//! Tables hold what stands in them; arrays of which all stores are of constants, those and zero. A variable that is set to
//! constants and moved by constants holds, besides, as many moves as the loops around them have trips: `k = 0` before two nested
//! loops with `A[k++]` inside. All else is not known.

use super::bounds::{Bounds, hull};
use crate::ir::{Array, BinaryOp, Block, Body, For, Op, Place, Scalar, Stmt, Value, Var, integer};
use rustc_hash::FxHashMap as HashMap;

/// What places hold; `None`, or no entry, if that is not known.
pub(super) struct Holds {
    tables: Vec<Option<Bounds>>,
    arrays: HashMap<Array, Option<Bounds>>,
    variables: HashMap<Var, Option<Bounds>>,
    /// Reads after which a variable moves on in the same trip, and by how much: they see no more than that leaves.
    before: HashMap<Value, i64>,
}

impl Holds {
    /// Looks at all that is stored in a body.
    pub(super) fn of(body: &Body) -> Holds {
        let mut stores = Stores {
            body,
            path: Vec::new(),
            frames: 0,
            leaves: false,
            arrays: HashMap::default(),
            moves: HashMap::default(),
            before: HashMap::default(),
        };
        stores.block(&body.root);
        let table = |bits: &mut dyn Iterator<Item = Option<i64>>| {
            let points = bits.map(|entry| entry.map(|entry| (entry, entry)));
            points.reduce(|a, b| Some(hull(a?, b?))).flatten()
        };
        let tables = body.tables.values().map(|data| {
            let mut entries = data.bits.iter().map(|bits| integer(data.scalar, *bits));
            let is_integer = data.scalar.is_int();
            is_integer.then(|| table(&mut entries)).flatten()
        });
        let leaves = stores.leaves;
        let variables = stores.moves.iter();
        Holds {
            tables: tables.collect(),
            variables: variables
                .map(|(var, moves)| (*var, moves.bounds(leaves)))
                .collect(),
            arrays: stores.arrays,
            before: if leaves {
                HashMap::default()
            } else {
                stores.before
            },
        }
    }

    /// What a load from a place gives.
    pub(super) fn place(&self, place: &Place) -> Option<Bounds> {
        match place {
            Place::Table(table) => *self.tables.get(table.as_u32() as usize)?,
            Place::Array(array) => *self.arrays.get(array)?,
            _ => None,
        }
    }

    /// What the reading `value` of a variable gives.
    pub(super) fn read(&self, var: Var, value: Value) -> Option<Bounds> {
        let (low, high) = (*self.variables.get(&var)?)?;
        let by = self.before.get(&value).copied().unwrap_or(0);
        Some((low.checked_sub(by.min(0))?, high.checked_sub(by.max(0))?))
    }
}

/// What a statement stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Frame {
    /// Its number among all.
    id: u32,
    around: Around,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    /// A loop of so many trips.
    Trips(u64),
    /// A loop of nobody knows how many.
    Loop,
    Branch,
}

/// All that a variable is set to.
#[derive(Default)]
struct Moves {
    /// Reads since it was last set, and what they stand in.
    fresh: Vec<(Value, Option<Frame>)>,
    /// Constants, and where they are set.
    resets: Vec<(i64, Vec<Frame>)>,
    /// Constants that are added, and where.
    steps: Vec<(i64, Vec<Frame>)>,
    unknown: bool,
}

impl Moves {
    /// Steps count from a reset that runs in every trip around them; from the start if that is not sure, as where loops are
    /// left early.
    fn bounds(&self, leaves: bool) -> Option<Bounds> {
        if self.unknown {
            return None;
        }
        let points = self.resets.iter().map(|(value, _)| (*value, *value));
        let (mut low, mut high) = points.reduce(hull)?;
        let always = |path: &&Vec<Frame>| {
            let certain = |frame: &Frame| matches!(frame.around, Around::Trips(_));
            let inside = |(_, step): &(i64, Vec<Frame>)| step.starts_with(path);
            !leaves && path.iter().all(certain) && self.steps.iter().all(inside)
        };
        let paths = self.resets.iter().map(|(_, path)| path).filter(always);
        let outer = paths.map(Vec::len).max().unwrap_or(0);
        for (by, path) in &self.steps {
            let trips = path[outer..]
                .iter()
                .try_fold(1i64, |all, frame| match frame.around {
                    Around::Trips(trips) => all.checked_mul(i64::try_from(trips).ok()?),
                    Around::Loop => None,
                    Around::Branch => Some(all),
                });
            let far = by.checked_mul(trips?)?;
            low = low.checked_add(far.min(0))?;
            high = high.checked_add(far.max(0))?;
        }
        Some((low, high))
    }
}

/// The walk.
struct Stores<'a> {
    body: &'a Body,
    path: Vec<Frame>,
    frames: u32,
    /// Whether some loop or block is left early.
    leaves: bool,
    arrays: HashMap<Array, Option<Bounds>>,
    moves: HashMap<Var, Moves>,
    before: HashMap<Value, i64>,
}

impl Stores<'_> {
    fn block(&mut self, block: &Block) {
        for stmt in block {
            self.statement(stmt);
        }
    }

    fn statement(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(value) => {
                if let Op::Get(var) = self.body.values[*value].op {
                    let read = (*value, self.path.last().copied());
                    self.moves.entry(var).or_default().fresh.push(read);
                }
            }
            Stmt::Set(var, value) => self.set(*var, *value),
            Stmt::Store {
                place: Place::Array(array),
                value,
                ..
            } => {
                let constant = self.body.int_constant(*value);
                self.hold(*array, constant);
            }
            Stmt::Store { .. } => {}
            Stmt::Clear(array) => self.hold(*array, Some(0)),
            Stmt::If { then, other, .. } => {
                self.inside(Around::Branch, then);
                self.inside(Around::Branch, other);
            }
            Stmt::For(it) => self.inside(self.trips(it), &it.body),
            Stmt::Loop { body, .. } => self.inside(Around::Loop, body),
            Stmt::Block { body, .. } => self.block(body),
            Stmt::Exit(_) | Stmt::Continue(_) => self.leaves = true,
        }
    }

    fn inside(&mut self, around: Around, block: &Block) {
        let id = self.frames;
        self.frames += 1;
        self.path.push(Frame { id, around });
        self.block(block);
        self.path.pop();
    }

    fn trips(&self, it: &For) -> Around {
        self.body.trips(it).map_or(Around::Loop, Around::Trips)
    }

    /// Local arrays start from zero.
    fn hold(&mut self, array: Array, constant: Option<i64>) {
        let held = self.arrays.entry(array).or_insert(Some((0, 0)));
        *held = held.and_then(|held| Some(hull(held, (constant?, constant?))));
    }

    fn set(&mut self, var: Var, value: Value) {
        let constant = self.body.int_constant(value);
        let step = self.step(var, value);
        let path = || self.path.clone();
        let (constant, step) = (constant.map(|c| (c, path())), step.map(|s| (s, path())));
        let moves = self.moves.entry(var).or_default();
        let reads = std::mem::take(&mut moves.fresh);
        match (constant, step) {
            (Some(reset), _) => moves.resets.push(reset),
            (None, Some(step)) => {
                let here = self.path.last().copied();
                let same = reads.into_iter().filter(|(_, frame)| *frame == here);
                self.before.extend(same.map(|(read, _)| (read, step.0)));
                moves.steps.push(step);
            }
            (None, None) => moves.unknown = true,
        }
    }

    /// By how much a value is more than what the variable held.
    fn step(&self, var: Var, value: Value) -> Option<i64> {
        let bytes = self.body.vars[var].scalar.bytes();
        let unconverted = |value| self.unconverted(value, bytes);
        let before = |value: Value| {
            let moves = self.moves.get(&var)?;
            let value = unconverted(value);
            let fresh = |(read, _): &(Value, _)| *read == value;
            moves.fresh.iter().any(fresh).then_some(())
        };
        let by = |value: Value| self.body.int_constant(unconverted(value));
        match self.body.values[unconverted(value)].op {
            Op::Binary(BinaryOp::Add, a, b) => match (before(a), before(b)) {
                (Some(()), None) => by(b),
                (None, Some(())) => by(a),
                _ => None,
            },
            Op::Binary(BinaryOp::Sub, a, b) => before(a).and(by(b))?.checked_neg(),
            _ => None,
        }
    }

    /// The value before conversions that keep its low `bytes`: where the variable can hold the sum, none of them changes it.
    fn unconverted(&self, mut value: Value, bytes: u32) -> Value {
        while let Op::Convert(from) = self.body.values[value].op {
            let (to, scalar) = (self.body.ty(value).scalar, self.body.ty(from).scalar);
            if to == Scalar::Bool || !scalar.is_int() || scalar.bytes() < bytes {
                break;
            }
            value = from;
        }
        value
    }
}
