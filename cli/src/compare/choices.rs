//! Integers among the arguments, which may select a row of a table or a branch: the values that a kernel takes for each, and
//! combinations of them.
//!
//! Which values are valid is found by running our guarded code, which fails where one leads it out of an array.

use super::inputs::Values;
use parloop_compiler::ir::Passing;
use parloop_compiler::{DType, ParamInfo};
use std::ops::Range;

/// Values below this are tried.
const VALUES: u64 = 16;
/// Up to so many combinations there are all; of more, so many at random.
const COMBINATIONS: usize = 16;
/// The integers of longer arrays are not tried one by one, but with all of them equal.
const APART: usize = 4;

/// Some integers of an argument, and the values that the kernel takes for each.
struct Choice {
    param: usize,
    places: Range<usize>,
    values: Vec<u64>,
}

impl Choice {
    fn places(&self) -> impl Iterator<Item = (usize, usize, &[u64])> {
        let places = self.places.clone();
        places.map(|place| (self.param, place, self.values.as_slice()))
    }
}

/// What a kernel's integers may be.
pub(super) struct Choices(Vec<Choice>);

impl Choices {
    /// Tries each integer by itself, the other arguments being as drawn; `takes` says whether the kernel runs without failing.
    pub(super) fn find(
        params: &[ParamInfo],
        drawn: &[Values],
        takes: impl Fn(&[Values]) -> bool,
    ) -> Choices {
        let mut found = Vec::new();
        for (param, (info, values)) in params.iter().zip(drawn).enumerate() {
            if info.passing == Passing::Unused || !info.read || values.is_float() {
                continue;
            }
            for places in groups(values.len()) {
                let values = accepted(drawn, param, &places, &takes);
                found.push(Choice {
                    param,
                    places,
                    values,
                });
            }
        }
        found.retain(|choice| choice.values.len() > 1);
        Choices(found)
    }

    /// The arguments with all combinations, or random ones in which each value of each integer occurs. None if there is nothing to
    /// choose.
    pub(super) fn combinations(&self, drawn: &[Values]) -> impl Iterator<Item = Vec<Values>> {
        let places: Vec<_> = self.0.iter().flat_map(Choice::places).collect();
        let sizes: Vec<usize> = places.iter().map(|(_, _, values)| values.len()).collect();
        let (count, picks) = match places.is_empty() {
            true => (0, Vec::new()),
            false => picks(&sizes),
        };
        (0..count).map(move |number| {
            let mut arguments = drawn.to_vec();
            for ((param, place, values), picks) in places.iter().zip(&picks) {
                arguments[*param].set_integer(*place, values[picks[number]]);
            }
            arguments
        })
    }
}

fn groups(len: usize) -> impl Iterator<Item = Range<usize>> {
    let size = if len <= APART { 1 } else { len };
    (0..len).step_by(size).map(move |first| first..first + size)
}

/// The first values in a row that the kernel takes: what comes after is most often beyond an array too.
fn accepted(
    drawn: &[Values],
    param: usize,
    places: &Range<usize>,
    takes: impl Fn(&[Values]) -> bool,
) -> Vec<u64> {
    let mut tried = drawn.to_vec();
    let mut taken = |value: &u64| {
        for place in places.clone() {
            tried[param].set_integer(place, *value);
        }
        takes(&tried)
    };
    let limit = match drawn[param].dtype {
        DType::Bool => 2,
        _ => VALUES,
    };
    let mut values = 0..limit;
    let first = values.find(&mut taken);
    first.into_iter().chain(values.take_while(taken)).collect()
}

/// How many combinations there are of choices of these sizes, and by choice what is picked in each.
fn picks(sizes: &[usize]) -> (usize, Vec<Vec<usize>>) {
    let bounded = |all: usize, size: &usize| Some(all * size).filter(|all| *all <= COMBINATIONS);
    match sizes.iter().try_fold(1, bounded) {
        Some(all) => (all, each_pick(sizes, all)),
        None => (COMBINATIONS, random_picks(sizes)),
    }
}

fn each_pick(sizes: &[usize], all: usize) -> Vec<Vec<usize>> {
    let mut stride = 1;
    let pick = |&size: &usize| {
        let picks = (0..all).map(|number| number / stride % size).collect();
        stride *= size;
        picks
    };
    sizes.iter().map(pick).collect()
}

/// A shuffle of all behind another, so that none is left out.
fn random_picks(sizes: &[usize]) -> Vec<Vec<usize>> {
    let mut random = fastrand::Rng::with_seed(0);
    let pick = |&size: &usize| {
        let mut picks = Vec::new();
        while picks.len() < COMBINATIONS {
            let mut all: Vec<usize> = (0..size).collect();
            random.shuffle(&mut all);
            picks.extend(all);
        }
        picks.truncate(COMBINATIONS);
        picks
    };
    sizes.iter().map(pick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn few_combinations_are_all_tried_and_of_many_each_value_is() {
        let (count, few) = picks(&[3, 1, 5]);
        let pairs: BTreeSet<_> = few[0].iter().zip(&few[2]).collect();
        assert_eq!((count, pairs.len()), (15, 15));
        let (count, many) = picks(&[16, 6, 3]);
        for (size, picks) in [16, 6, 3].into_iter().zip(many) {
            assert_eq!(picks.len(), count);
            assert_eq!(picks.into_iter().collect::<BTreeSet<_>>().len(), size);
        }
    }
}
