//! Passes over kernels and loops. Each is a function of its own; the order is here.

mod across;
mod alias;
mod checks;
mod contract;
mod copies;
mod crowded;
mod dead;
mod effects;
mod exact;
mod factors;
mod fold;
mod guard;
mod hoist;
mod indices;
mod interchange;
mod interval;
mod keep;
mod linear;
mod order;
mod overwritten;
mod pack;
mod partial;
mod powers;
mod quotients;
mod rank_update;
mod runs;
mod scalars;
mod simplify;
mod sink;
mod spill;
mod stores;
mod strip;
mod turned;
mod unroll;
mod widen;

use crate::ir::{Block, Body, Kernel, Loop, Op, Stmt, Var, any_stmt, for_each_stmt};
use crate::options::{FloatMode, Options};
use crate::target::Target;
use crowded::Crowded;
pub(crate) use rank_update::{Factor, Means, Origin, RankUpdate, Rows, Touched, filled};
use std::collections::BTreeSet;
pub(crate) use strip::{Input, StripCall};

/// Makes a kernel's indices as constant as they get, before it is wrapped: loops unrolled, constants folded.
pub(crate) fn prepare(kernel: &mut Kernel, options: &Options, target: &Target) {
    simplify::simplify_once(&mut kernel.body, &Crowded::new());
    let values = kernel.body.values.len();
    widen::widen_indices(&mut kernel.body);
    if options.unroll > 1 {
        if rank_update::has_blocks(&kernel.body, target) {
            // Indices are sums by now: an entry that is stored to is known to be none of the others.
            simplify::simplify_once(&mut kernel.body, &Crowded::new());
            rank_update::fission(&mut kernel.body, target);
        }
        interchange::interchange(&mut kernel.body);
        rank_update::forward(&mut kernel.body, target);
    }
    unroll::unroll(&mut kernel.body, options.unroll, target, true);
    if options.float != FloatMode::Strict {
        powers::expand_powers(&mut kernel.body);
    }
    exact::cheapen(&mut kernel.body);
    if kernel.body.values.len() > values {
        let crowded = crowded::crowded(&kernel.body);
        simplify::simplify_once(&mut kernel.body, &crowded);
    }
    overwritten::remove_overwritten(&mut kernel.body);
}

/// Makes every access of a loop safe. Nests are turned first: regions are known by now, and nothing can fail yet.
pub(crate) fn guard(it: &mut Loop, options: &Options) {
    if options.unroll > 1 {
        interchange::interchange(&mut it.body);
    }
    guard::guard(it);
}

/// Makes a loop fast: first what one element does, then several side by side, then the order of it all.
pub(crate) fn optimise(it: &mut Loop, options: &Options, target: &Target) {
    let crowded = crowded::crowded(&it.body);
    scalar_code(it, options, target, &crowded);
    let mut values = it.body.values.len();
    copies::copy_doubles(it);
    let has_copies = it.body.values.len() > values;
    let strip = strip::statements(it, options, target);
    if strip.is_none() {
        across::across_elements(it, options, target);
        of_several(it, turned::turn_late);
    }
    if it.wide.is_none() && !has_copies {
        // What was made to see what several elements would cost is no part of the loop.
        values = it.body.values.len();
    }
    pack_each(it, target);
    if it.wide.is_none() {
        quotients::pair_quotients(&mut it.body);
    }
    if strip.is_none() && across::repeat(it, options.lanes) {
        // What neighbours store may be a vector now.
        each_body(it, pack::pack);
    }
    if options.float == FloatMode::Reassociate && strip.is_none() {
        // Sums of several elements.
        of_several(it, |body| partial::split_sums(body, target));
    }
    each_body(it, stores::group_stores);
    if it.body.values.len() > values {
        hoist::hoist(it, &crowded);
        hoist_of_several(it, &crowded);
        if it.element_blocks().any(has_loops) {
            // What was packed has no other use then.
            dead::remove_dead(it);
            each_body(it, pack::pack_joined);
        }
    }
    sink::sink_constants(&mut it.body);
    dead::remove_dead(it);
    each_body(it, order::order);
    each_body(it, factors::order_factors);
    let needs = spill::spill(it, target);
    keep::keep_constants(it, target, needs);
    if let Some(strip) = strip {
        strip::keep_cheaper(it, strip, target);
    }
}

/// Makes what one element does fast, one value at a time.
fn scalar_code(it: &mut Loop, options: &Options, target: &Target, crowded: &Crowded) {
    if options.unroll > 1 && has_loops(&it.body.root) {
        // What an index depends on is to be known before the loop.
        hoist::hoist(it, crowded);
        let has_checks = has_checked_loops(&it.body, &it.body.root, false);
        if has_checks && checks::check_ahead(&mut it.body) {
            simplify::simplify_once(&mut it.body, crowded);
        }
        rank_update::evaluate(&mut it.body, target);
        rank_update::distribute(&mut it.body, target);
        // What could not be put together is as short as before.
        unroll::unroll(&mut it.body, options.unroll, target, false);
        hoist::hoist(it, crowded);
        unroll::unroll_partly(&mut it.body, target);
    }
    scalars::arrays_to_variables(&mut it.body, &mut [&mut it.before, &mut it.after], crowded);
    indices::share_indices(&mut it.body);
    clean(it, crowded);
    let has_joined = checks::join_checks(&mut it.body);
    if options.float == FloatMode::Reassociate {
        partial::split_sums(&mut it.body, target);
    }
    if options.float != FloatMode::Strict && target.level.has_fma() {
        let carried = variables_set(&it.before);
        contract::contract(&mut it.body, &carried, target);
    }
    if has_joined {
        clean(it, crowded);
    } else if options.float == FloatMode::Reassociate {
        // The sums that were split.
        dead::remove_dead(it);
    }
    hoist::hoist(it, crowded);
    overwritten::remove_overwritten(&mut it.body);
}

/// Packs the statements of one element and those of several, and keeps the latter if they cost less.
fn pack_each(it: &mut Loop, target: &Target) {
    if it.wide.is_some() {
        of_several(it, pack::pack);
        dead::remove_dead(it);
    }
    if !across::is_clearly_cheaper(it, target) {
        let values = it.body.values.len();
        pack::pack(&mut it.body);
        if it.body.values.len() > values {
            // The scalars that vectors have taken the place of are not to be counted.
            dead::remove_dead(it);
        }
        across::keep_cheaper(it, target);
    }
    if it.wide.as_ref().is_some_and(|wide| wide.covers_rest) {
        // Nothing runs it.
        it.body.root.clear();
    }
}

/// Hoists out of the loops that several elements go round together.
fn hoist_of_several(it: &mut Loop, crowded: &Crowded) {
    let Some(mut wide) = it.wide.take_if(|wide| has_loops(&wide.block)) else {
        return;
    };
    std::mem::swap(&mut it.body.root, &mut wide.block);
    hoist::hoist(it, crowded);
    std::mem::swap(&mut it.body.root, &mut wide.block);
    it.wide = Some(wide);
}

/// Folds, shares, forwards, and drops what is not needed then.
fn clean(it: &mut Loop, crowded: &Crowded) {
    simplify::simplify(&mut it.body, &mut it.before, Some(&mut it.after), crowded);
    dead::remove_dead(it);
}

/// Runs a pass on the statements of one element, if they run, and on those of several.
fn each_body(it: &mut Loop, pass: impl Fn(&mut Body)) {
    if it.wide.as_ref().is_none_or(|wide| !wide.covers_rest) {
        pass(&mut it.body);
    }
    of_several(it, pass);
}

/// Runs a pass on the statements of several elements, if there are any.
fn of_several(it: &mut Loop, pass: impl Fn(&mut Body)) {
    if let Some(wide) = &mut it.wide {
        std::mem::swap(&mut it.body.root, &mut wide.block);
        pass(&mut it.body);
        std::mem::swap(&mut it.body.root, &mut wide.block);
    }
}

/// Whether a block or one inside has a loop.
pub(crate) fn has_loops(block: &Block) -> bool {
    any_stmt(block, &mut Stmt::is_loop)
}

/// Whether a loop of a block checks an index.
fn has_checked_loops(body: &Body, block: &Block, in_loop: bool) -> bool {
    block.iter().any(|stmt| match stmt {
        Stmt::Let(value) => in_loop && matches!(body.values[*value].op, Op::CheckIndex { .. }),
        _ => {
            let in_loop = in_loop || stmt.is_loop();
            let mut blocks = stmt.blocks();
            blocks.any(|inner| has_checked_loops(body, inner, in_loop))
        }
    })
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
pub(crate) fn longest_run(it: &Loop) -> usize {
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
    it.blocks().for_each(|block| of(block, &mut longest));
    longest
}
