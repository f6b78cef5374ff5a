//! The interpreter's state and its walk over statements. The body has been verified, so every id is good and every value is
//! defined before it is read; nesting is bounded, and so is the stack.

use super::memory::{Hosts, InterpError, KernelMemory, Memory};
use crate::abi;
use crate::ir::body::{ArrayData, Block, Body, For, Label, Site, Stmt, Value};
use crate::ir::eval;
use crate::ir::kernel::Kernel;
use crate::ir::limits::LANES_MAX;
use crate::ir::loops::Loop;
use crate::ir::types::Scalar;
use cranelift_entity::{EntityRef, SecondaryMap};

/// The bits of each lane; of an address, the buffer and the offset in bytes.
pub(super) type Lanes = [u64; LANES_MAX];

/// Entries of all local arrays together.
const ENTRIES_MAX: u64 = 1 << 24;

/// What is run.
pub(super) enum Level<'a> {
    Kernel {
        kernel: &'a Kernel,
        memory: &'a mut KernelMemory,
    },
    Loop {
        looped: &'a Loop,
        memory: &'a mut Memory,
    },
}

/// Why a run ends early.
pub(super) enum Halt {
    Stop { status: u32, site: Site, value: i64 },
    Error(InterpError),
}

/// Where control goes after a statement.
enum Flow {
    Next,
    Exit(Label),
    Continue(Label),
}

pub(super) struct Machine<'a> {
    pub(super) body: &'a Body,
    pub(super) level: Level<'a>,
    pub(super) hosts: &'a dyn Hosts,
    pub(super) values: SecondaryMap<Value, Lanes>,
    pub(super) vars: Vec<Lanes>,
    pub(super) arrays: Vec<Vec<u64>>,
    /// The element that runs, or ran last.
    pub(super) element: u64,
    /// The others of those that run at once: the second, and so on.
    pub(super) others: Vec<u64>,
    steps: u64,
}

/// Room for the entries of a local array; an address takes two words.
fn zeroed(data: &ArrayData) -> Vec<u64> {
    let words = if data.scalar == Scalar::Addr { 2 } else { 1 };
    vec![0; words * data.len as usize]
}

impl<'a> Machine<'a> {
    pub(super) fn new(
        body: &'a Body,
        level: Level<'a>,
        hosts: &'a dyn Hosts,
    ) -> Result<Machine<'a>, InterpError> {
        let lens = body.arrays.values().map(|a| a.len);
        let entries = lens.fold(0, u64::saturating_add);
        if entries > ENTRIES_MAX {
            return Err(InterpError::TooLarge(entries));
        }
        let mut values = SecondaryMap::new();
        values.resize(body.values.len());
        Ok(Machine {
            body,
            level,
            hosts,
            values,
            vars: vec![[0; LANES_MAX]; body.vars.len()],
            arrays: body.arrays.values().map(zeroed).collect(),
            element: 0,
            others: Vec::new(),
            steps: 0,
        })
    }

    /// Makes variables and local arrays zero, as a call does.
    pub(super) fn zero(&mut self) {
        self.vars.fill([0; LANES_MAX]);
        self.arrays.iter_mut().for_each(|array| array.fill(0));
    }

    /// Runs what stands before or after the elements.
    pub(super) fn once(&mut self, block: &Block) -> Result<(), Halt> {
        self.block(block).map(drop)
    }

    /// Runs the statements of one element.
    pub(super) fn run(&mut self, element: u64, steps: u64) -> Result<(), Halt> {
        self.element = element;
        self.steps = steps;
        let body = self.body;
        self.block(&body.root).map(drop)
    }

    /// Runs the statements of several elements at once.
    pub(super) fn run_wide(&mut self, at_once: &[u64], block: &Block) -> Result<(), Halt> {
        self.element = at_once[0];
        self.others = at_once[1..].to_vec();
        self.block(block).map(drop)
    }

    fn block(&mut self, block: &Block) -> Result<Flow, Halt> {
        for stmt in block {
            let flow = self.stmt(stmt)?;
            if !matches!(flow, Flow::Next) {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn stmt(&mut self, stmt: &Stmt) -> Result<Flow, Halt> {
        match stmt {
            Stmt::Let(value) => {
                let lanes = self.op(&self.body.values[*value])?;
                self.values[*value] = lanes;
            }
            Stmt::Set(var, value) => self.vars[var.index()] = self.values[*value],
            Stmt::Store {
                place,
                index,
                value,
                site,
            } => self.store(place, *index, *value, *site)?,
            Stmt::Clear(array) => self.arrays[array.index()].fill(0),
            Stmt::If { cond, then, other } => {
                let taken = self.values[*cond][0] != 0;
                return self.block(if taken { then } else { other });
            }
            Stmt::For(data) => return self.counted(data),
            Stmt::Loop { label, site, body } => return self.endless(*label, *site, body),
            Stmt::Block { label, body } => {
                return Ok(match self.block(body)? {
                    Flow::Exit(to) if to == *label => Flow::Next,
                    flow => flow,
                });
            }
            Stmt::Exit(label) => return Ok(Flow::Exit(*label)),
            Stmt::Continue(label) => return Ok(Flow::Continue(*label)),
        }
        Ok(Flow::Next)
    }

    fn counted(&mut self, data: &For) -> Result<Flow, Halt> {
        let For {
            label,
            counter,
            lo,
            hi,
            step,
            site,
            body,
        } = data;
        let (first, last) = (self.int(*lo), self.int(*hi));
        let trips = eval::trip_count(first, last, *step);
        let constant = |v| self.body.constant(v).is_some();
        if !(constant(*lo) && constant(*hi)) {
            self.spend(trips, *site)?;
        }
        let mut at = first;
        for _ in 0..trips {
            self.values[*counter] = [at as u64, 0, 0, 0];
            match self.block(body)? {
                Flow::Exit(to) if to == *label => break,
                Flow::Continue(to) if to == *label => {}
                Flow::Next => {}
                flow => return Ok(flow),
            }
            at = at.wrapping_add(*step);
        }
        Ok(Flow::Next)
    }

    fn endless(&mut self, label: Label, site: Site, body: &Block) -> Result<Flow, Halt> {
        loop {
            self.spend(1, site)?;
            match self.block(body)? {
                Flow::Exit(to) if to == label => return Ok(Flow::Next),
                Flow::Continue(to) if to == label => {}
                Flow::Next => {}
                flow => return Ok(flow),
            }
        }
    }

    fn spend(&mut self, steps: u64, site: Site) -> Result<(), Halt> {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => Err(Halt::Stop {
                status: abi::OUT_OF_STEPS,
                site,
                value: steps as i64,
            }),
        }
    }

    /// The value of an `I64`.
    pub(super) fn int(&self, value: Value) -> i64 {
        self.values[value][0] as i64
    }
}
