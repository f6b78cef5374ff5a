//! Registers of a strip's values, assigned in one walk.

use super::{Id, Step, Strip, place};
use crate::microkernel::asm::{Memory, Operand, Vector, Width};

/// Which register a value is in, and which are free.
pub(super) struct Registers {
    pub(super) assigned: Vec<Option<Vector>>,
    /// Loads that are operands of the step that uses them.
    pub(super) in_memory: Vec<Option<Memory>>,
    is_wide: Vec<bool>,
    /// By step: whether it stores something, or something that is needed uses its value.
    pub(super) is_needed: Vec<bool>,
    /// Whether a value's last use has passed.
    pub(super) is_over: Vec<bool>,
    /// The step that uses a value last; none if it is never used, the number of steps if it outlives the trip.
    last_use: Vec<Option<usize>>,
    free: Vec<Vector>,
    /// How many values are in each: a vector, and the scalar that is its first lane.
    values: [u8; 16],
    /// Where what is carried is between trips.
    pub(super) homes: Vec<Vector>,
    /// By value: the home that it should get to, and the value that is there before.
    wanted: Vec<Option<(Vector, Id)>>,
    first_step: usize,
    steps: usize,
}

impl Registers {
    pub(super) fn of(strip: &Strip) -> Option<Registers> {
        let (first_step, steps) = (strip.first_step(), strip.steps.len());
        let mut registers = Registers {
            assigned: vec![None; first_step + steps],
            in_memory: vec![None; first_step + steps],
            is_wide: vec![false; first_step + steps],
            is_needed: vec![false; steps],
            is_over: vec![false; first_step + steps],
            last_use: vec![None; first_step + steps],
            values: [0; 16],
            free: (0..16).rev().map(Vector).collect(),
            homes: Vec::new(),
            wanted: vec![None; first_step + steps],
            first_step,
            steps,
        };
        registers.look_at(strip);
        registers.assign_early(strip)?;
        Some(registers)
    }

    /// Finds widths, last uses and loads that are operands.
    fn look_at(&mut self, strip: &Strip) {
        let mut uses = vec![0; self.assigned.len()];
        let mut last_store = None;
        for value in &strip.carried {
            self.last_use[*value] = Some(self.steps);
            uses[*value] += 1;
        }
        for (at, step) in strip.steps.iter().enumerate().rev() {
            let is_used = self.last_use[strip.id_of(at)].is_some();
            self.is_needed[at] = is_used || matches!(step, Step::Store { .. });
            if !self.is_needed[at] {
                continue;
            }
            for operand in step.operands() {
                self.last_use[operand].get_or_insert(at);
                uses[operand] += 1;
            }
        }
        for (at, step) in strip.steps.iter().enumerate() {
            self.is_wide[strip.id_of(at)] = match *step {
                Step::Load { is_wide, .. } => is_wide,
                Step::Zeros | Step::Splat(_) | Step::Spread(..) => true,
                Step::Lane(..) | Step::Store { .. } => false,
                Step::SquareRoot(a) | Step::Binary(_, a, _) | Step::MultiplyAdd(a, ..) => {
                    self.is_wide[a]
                }
            };
        }
        for (at, step) in strip.steps.iter().enumerate() {
            if let Step::Store { .. } = step {
                last_store = Some(at);
            }
            if !self.is_needed[at] {
                continue;
            }
            let Some(operand) = step.last_operand().filter(|operand| uses[*operand] == 1) else {
                continue;
            };
            let Some(loaded) = operand.checked_sub(self.first_step) else {
                continue;
            };
            if let Step::Load { from, .. } = strip.steps[loaded]
                && last_store.is_none_or(|store| store < loaded)
            {
                self.in_memory[operand] = Some(place(from));
            }
        }
    }

    /// Assigns registers to what is the same in all trips, and to what is carried.
    fn assign_early(&mut self, strip: &Strip) -> Option<()> {
        let mut as_scalar = vec![false; strip.inputs];
        let steps = strip.steps.iter().zip(&self.is_needed);
        let in_trips = steps.filter(|(step, is_needed)| **is_needed && !strip.is_early(**step));
        for (step, _) in in_trips {
            for operand in step.operands().filter(|operand| *operand < strip.inputs) {
                as_scalar[operand] = true;
            }
        }
        for value in &strip.carried {
            if let Some(used) = as_scalar.get_mut(*value) {
                *used = true;
            }
        }
        for (value, _) in as_scalar.iter().enumerate().filter(|(_, used)| **used) {
            let register = self.free.pop()?;
            self.put(value, register);
            self.last_use[value] = Some(self.steps);
        }
        for (number, value) in strip.carried.iter().enumerate() {
            let home = self.free.pop()?;
            let before = strip.inputs + number;
            self.put(before, home);
            self.homes.push(home);
            self.wanted[*value] = Some((home, before));
            self.is_over[before] = self.last_use[before].is_none();
        }
        for (at, step) in strip.steps.iter().enumerate() {
            let id = strip.id_of(at);
            if strip.is_early(*step) && self.last_use[id].is_some() {
                let register = self.free.pop()?;
                self.put(id, register);
                self.last_use[id] = Some(self.steps);
            }
        }
        Some(())
    }

    pub(super) fn width(&self, value: Id) -> Width {
        match self.is_wide[value] {
            true => Width::Bits256,
            false => Width::One,
        }
    }

    /// The register that a value is in.
    pub(super) fn register(&self, value: Id) -> Option<Vector> {
        self.assigned[value]
    }

    pub(super) fn operand(&self, value: Id) -> Option<Operand> {
        match self.in_memory[value] {
            Some(memory) => Some(Operand::Memory(memory)),
            None => self.register(value).map(Operand::Register),
        }
    }

    /// Whether a step uses a value last.
    pub(super) fn ends(&self, value: Id, at: usize) -> bool {
        self.last_use[value] == Some(at)
    }

    /// Whether a register is kept for something that is carried.
    fn is_home(&self, register: Vector) -> bool {
        self.homes.contains(&register)
    }

    /// Frees the registers of what a step uses last.
    pub(super) fn release(&mut self, at: usize, step: Step) {
        for operand in step.operands() {
            if !self.ends(operand, at) || self.is_over[operand] {
                continue;
            }
            self.is_over[operand] = true;
            if let Some(register) = self.register(operand) {
                self.let_go(register);
            }
        }
    }

    fn let_go(&mut self, register: Vector) {
        let values = &mut self.values[usize::from(register.0)];
        *values -= 1;
        if *values == 0 && !self.is_home(register) {
            self.free.push(register);
        }
    }

    fn put(&mut self, value: Id, register: Vector) {
        self.assigned[value] = Some(register);
        self.values[usize::from(register.0)] += 1;
    }

    /// Has a scalar in the register of the vector that it is the first lane of.
    pub(super) fn share(&mut self, scalar: Id, vector: Id) -> Option<()> {
        self.put(scalar, self.register(vector)?);
        Some(())
    }

    /// A register for a value: that of what it is carried on in the place of, if that is free.
    pub(super) fn take(&mut self, value: Id) -> Option<Vector> {
        let home = self.wanted[value]
            .filter(|(_, before)| self.is_over[*before])
            .map(|(home, _)| home);
        let register = match home {
            Some(home) => home,
            None => self.free.pop()?,
        };
        self.put(value, register);
        Some(register)
    }

    /// The register of what an addition has used up, if its result may be there.
    pub(super) fn take_over(&mut self, value: Id, from: Vector) -> Option<Vector> {
        let is_wanted = self.wanted[value].is_some_and(|(home, _)| home == from);
        let is_shared = self.values[usize::from(from.0)] > 1;
        if is_shared || self.is_home(from) && !is_wanted {
            return None;
        }
        // The one value for the other.
        self.assigned[value] = Some(from);
        Some(from)
    }
}
