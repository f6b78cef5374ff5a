//! Passes over kernels and loops. Each is a function of its own; the order is here.

mod alias;
mod contract;
mod dead;
mod effects;
mod fold;
mod guard;
mod hoist;
mod interval;
mod pairs;
mod scalars;
mod simplify;
mod stores;
mod unroll;

use crate::ir::{Block, Body, Kernel, Loop, Stmt, Var, for_each_stmt};
use crate::options::{FloatMode, Options};
use crate::target::Target;
use std::collections::BTreeSet;

/// Makes a kernel's indices as constant as they get, before it is wrapped: loops unrolled, constants folded.
pub(crate) fn prepare(kernel: &mut Kernel, options: &Options) {
    simplify::simplify_once(&mut kernel.body);
    unroll::unroll(&mut kernel.body, options.unroll);
    simplify::simplify_once(&mut kernel.body);
}

/// Makes every access of a loop safe.
pub(crate) fn guard(it: &mut Loop) {
    guard::guard(it);
}

/// Makes a loop fast.
pub(crate) fn optimise(it: &mut Loop, options: &Options, target: &Target) {
    let Loop {
        body,
        before,
        after,
        ..
    } = it;
    scalars::arrays_to_variables(body, &mut [&mut *before, &mut *after]);
    simplify::simplify(body, before, Some(after));
    dead::remove_dead(body, before, after);
    if options.float == FloatMode::Contract && target.level.has_fma() {
        let carried = variables_set(before);
        contract::contract(body, &carried);
    }
    hoist::hoist(it);
    let Loop {
        body,
        before,
        after,
        ..
    } = it;
    simplify::simplify(body, before, Some(after));
    dead::remove_dead(body, before, after);
    pairs::pack_pairs(body);
    stores::group_stores(body);
    dead::remove_dead(body, before, after);
}

/// The variables that a block sets.
fn variables_set(block: &Block) -> BTreeSet<Var> {
    let mut vars = BTreeSet::new();
    for_each_stmt(block, &mut |stmt| {
        if let Stmt::Set(var, _) = stmt {
            vars.insert(*var);
        }
    });
    vars
}

/// How long the longest run of instructions without a branch or a loop is.
pub(crate) fn longest_run(body: &Body) -> usize {
    fn of(block: &Block, longest: &mut usize) {
        let mut run = 0;
        for stmt in block {
            let mut blocks = stmt.blocks().peekable();
            if blocks.peek().is_some() {
                *longest = run.max(*longest);
                run = 0;
                blocks.for_each(|inner| of(inner, longest));
            } else {
                run += 1;
            }
        }
        *longest = run.max(*longest);
    }
    let mut longest = 0;
    of(&body.root, &mut longest);
    longest
}
