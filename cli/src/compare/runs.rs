//! Both codes on the same arguments, and what their results show together.
//!
//! Invariant: code from the C compiler runs only on arguments on which our guarded code has run without failing.

use super::difference::{Difference, is_finite};
use super::inputs::Values;
use super::library::Library;
use super::phase::{Phase, Phases};
use crate::error::CliError;
use parloop::Function;
use parloop_compiler::{ArgSignature, ParamInfo};

/// A kernel's two codes.
pub(super) struct Codes<'a> {
    pub(super) function: &'a Function,
    pub(super) driver: &'a Library,
    pub(super) phases: &'a Phases<'a>,
}

impl Codes<'_> {
    /// # Errors
    /// If our code fails on these arguments.
    pub(super) fn run(&self, before: Vec<Values>) -> Result<Run, CliError> {
        self.phases.enter(Phase::Ours)?;
        let ours = self.ours(&before)?;
        let mut theirs = before.clone();
        self.phases.enter(Phase::Theirs)?;
        self.driver.run_theirs(&mut theirs, 1);
        Ok(Run {
            before,
            ours,
            theirs,
        })
    }

    /// What our code makes of arguments.
    pub(super) fn ours(&self, before: &[Values]) -> Result<Vec<Values>, parloop::Error> {
        let mut ours = before.to_vec();
        let status = self.driver.run_ours(self.function, &mut ours, 1);
        self.function.check(status)?;
        Ok(ours)
    }
}

/// The same arguments before and after a run of each code.
pub(super) struct Run {
    pub(super) before: Vec<Values>,
    ours: Vec<Values>,
    theirs: Vec<Values>,
}

impl Run {
    /// Whether a code gave nothing but finite numbers. That the other did not is a difference between them.
    pub(super) fn is_finite(&self) -> bool {
        [&self.ours, &self.theirs]
            .iter()
            .any(|values| values.iter().all(is_finite))
    }
}

/// What all runs have shown.
pub(super) struct Seen {
    pub(super) difference: Difference,
    /// Whether some result was no number in both codes alike.
    pub(super) not_finite: bool,
    /// By parameter, whether its array may be written, and was ever changed.
    written: Vec<bool>,
    touched: Vec<bool>,
}

impl Seen {
    pub(super) fn new(args: &[ArgSignature]) -> Seen {
        Seen {
            difference: Difference::default(),
            not_finite: false,
            written: args.iter().map(|arg| arg.access.writes()).collect(),
            touched: vec![false; args.len()],
        }
    }

    /// Runs whose arrays hold numbers of one size.
    pub(super) fn add(&mut self, runs: &[Run]) {
        for index in self.written() {
            let results = runs
                .iter()
                .map(|run| (&run.ours[index], &run.theirs[index]));
            let results: Vec<_> = results.collect();
            self.difference = self.difference.worst(Difference::of(&results));
            self.not_finite |= !results.iter().all(|(_, theirs)| is_finite(theirs));
        }
        runs.iter().for_each(|run| self.note_touched(run));
    }

    /// Notes what a run has changed.
    pub(super) fn note_touched(&mut self, run: &Run) {
        for index in self.written() {
            let (before, after) = (&run.before[index], &run.theirs[index]);
            let changed = |k: usize| after.bytes(k) != before.bytes(k);
            self.touched[index] |= (0..after.len()).any(changed);
        }
    }

    fn written(&self) -> Vec<usize> {
        let all = 0..self.written.len();
        all.filter(|index| self.written[*index]).collect()
    }

    /// Arrays that the kernel stores to and that no run changed.
    pub(super) fn untouched<'a>(
        &'a self,
        params: &'a [ParamInfo],
    ) -> impl Iterator<Item = &'a ParamInfo> {
        let pairs = params.iter().zip(&self.touched);
        pairs
            .filter(|(param, touched)| param.written && !**touched)
            .map(|(param, _)| param)
    }
}
