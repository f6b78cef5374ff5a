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
        takes_zeros: true,
    };
    let last = trials.draws()?;
    trials.choices(&last)?;
    Ok((trials.seen, last))
}

struct Trials<'a> {
    codes: &'a Codes<'a>,
    args: &'a [ArgSignature],
    seen: Seen,
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
            self.seen.add(&run);
            self.vary_from_zero(&run.before);
            last = Some(run.before);
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
            self.vary(chosen);
        }
        Ok(())
    }

    fn vary_from_zero(&mut self, drawn: &[Values]) {
        if !self.takes_zeros {
            return;
        }
        if let Some(zeroed) = from_zero(self.codes.function.params(), drawn) {
            self.takes_zeros = self.vary(zeroed);
        }
    }

    /// Whether our code takes these arguments.
    fn vary(&mut self, arguments: Vec<Values>) -> bool {
        let Ok(run) = self.codes.run(arguments) else {
            return false;
        };
        if run.is_finite() {
            self.seen.add(&run);
        }
        true
    }
}
