//! Quotients and roots of neighbouring elements become one of all: a unit does one after the other, whatever their width.

use super::{Group, Run};
use crate::ir::{Stmt, Value};
use crate::opt::strip::is_slow;

impl Run<'_> {
    /// Packs those that so many elements compute alike from what lies side by side.
    pub(super) fn pack_slow(&mut self, elements: usize) {
        let all: Vec<Value> = self
            .statements
            .iter()
            .filter_map(|stmt| match stmt {
                Stmt::Let(value) if is_slow(&self.body.values[*value]) => Some(*value),
                _ => None,
            })
            .collect();
        let lanes = usize::from(self.vector.lanes);
        let of_each = all.len() / elements;
        if elements < lanes || !all.len().is_multiple_of(elements) {
            return;
        }
        for several in all.chunks_exact(lanes * of_each.max(1)) {
            for number in 0..of_each {
                let alike = several.iter().skip(number).step_by(of_each);
                self.pack_alike(&alike.copied().collect());
            }
        }
    }

    /// Packs some that are alike, if their operands are there together before the first is needed.
    fn pack_alike(&mut self, values: &Group) {
        self.work = 0;
        let plan = self.plan(values, 0);
        let is_early = values.iter().all(|value| plan.at <= self.defined[value]);
        if plan.gain < 0 || !is_early {
            return;
        }
        let vector = self.build(&plan);
        for (lane, value) in values.iter().enumerate() {
            self.take(*value, vector, lane as u8, plan.at);
        }
    }
}
