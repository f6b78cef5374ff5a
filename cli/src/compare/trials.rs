//! The arguments that both codes of a kernel are compared on: a few draws, and variants of draws.
//!
//! A draw has to be taken by the kernel, and gives numbers if that can be had. Variants have other integers, or zeros in arrays that
//! are added to; they count only where the kernel takes them and gives numbers, for it may not be meant for them.

use super::choices::Choices;
use super::inputs::{Taste, Values, draw, from_zero};
use super::phase::Phase;
use super::runs::{Codes, Run, Seen};
use crate::error::CliError;
use parloop_compiler::ArgSignature;

/// How many draws of arguments results are compared on, and how many more are made while some output was never touched (a flux
/// out of a cell is none where the flow goes in).
const SEEDS: u64 = 2;
const SEEDS_MAX: u64 = 24;

/// What the runs from zero may hold.
const KEPT_BYTES_MAX: usize = 256 << 20;

/// What all runs have shown, and the last draw.
///
/// # Errors
/// If our code fails on every draw.
pub(super) fn trials(
    codes: &Codes<'_>,
    args: &[ArgSignature],
) -> Result<(Seen, Vec<Values>), CliError> {
    let mut trials = Trials {
        codes,
        args,
        seen: Seen::new(args),
        from_zero: Vec::new(),
        takes_zeros: true,
    };
    let last = trials.draws()?;
    trials.choices(&last)?;
    trials.seen.add(&trials.from_zero);
    Ok((trials.seen, last))
}

struct Trials<'a> {
    codes: &'a Codes<'a>,
    args: &'a [ArgSignature],
    seen: Seen,
    /// Runs from zero: of a facet met from both sides all that is added may cancel, and only the others tell how much that is.
    from_zero: Vec<Run>,
    /// False once our code failed on zeros: that may have been a loop without end, which takes seconds to be stopped.
    takes_zeros: bool,
}

impl Trials<'_> {
    /// Runs on draws, each also from zero; gives the last.
    fn draws(&mut self) -> Result<Vec<Values>, CliError> {
        let params = self.codes.function.params();
        let mut last = None;
        for seed in 0..SEEDS_MAX {
            if seed >= SEEDS && self.seen.untouched(params).next().is_none() {
                break;
            }
            let run = self.accepted(seed)?;
            self.vary_from_zero(&run.before);
            last = Some(run.before.clone());
            self.seen.add(&[run]);
        }
        Ok(last.expect("there are seeds"))
    }

    /// Draws arguments until our code runs on them without failing, and, if that can be had, gives numbers.
    fn accepted(&self, seed: u64) -> Result<Run, CliError> {
        let mut other = None;
        let mut refused = None;
        for taste in Taste::ladder(seed) {
            let before = draw(self.codes.function.params(), self.args, taste);
            match self.codes.run(before) {
                Ok(run) if run.is_finite() => return Ok(run),
                Ok(run) => other = other.or(Some(run)),
                Err(error) => refused = Some(error),
            }
        }
        match (other, refused) {
            (Some(run), _) => Ok(run),
            (None, Some(error)) => Err(error),
            (None, None) => unreachable!("each draw is accepted or refused"),
        }
    }

    /// Runs on combinations of the integers that the kernel takes, as drawn and from zero.
    fn choices(&mut self, drawn: &[Values]) -> Result<(), CliError> {
        self.codes.phases.enter(Phase::Ours)?;
        let takes = |values: &[Values]| self.codes.ours(values).is_ok();
        let choices = Choices::find(self.codes.function.params(), drawn, takes);
        for chosen in choices.combinations(drawn) {
            self.vary_from_zero(&chosen);
            if let Some(run) = self.taken(chosen)
                && run.is_finite()
            {
                self.seen.add(&[run]);
            }
        }
        Ok(())
    }

    fn vary_from_zero(&mut self, drawn: &[Values]) {
        let bytes: usize = drawn.iter().map(|v| v.len() * v.dtype.bytes()).sum();
        if !self.takes_zeros || self.from_zero.len() * 3 * bytes > KEPT_BYTES_MAX {
            return;
        }
        let Some(zeroed) = from_zero(self.codes.function.params(), drawn) else {
            return;
        };
        let run = self.taken(zeroed);
        self.takes_zeros = run.is_some();
        if let Some(run) = run.filter(Run::is_finite) {
            self.seen.note_touched(&run);
            self.from_zero.push(run);
        }
    }

    /// A run, if our code takes these arguments.
    fn taken(&self, arguments: Vec<Values>) -> Option<Run> {
        self.codes.run(arguments).ok()
    }
}
