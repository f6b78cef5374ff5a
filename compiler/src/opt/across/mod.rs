//! Several elements at once, consecutive ones or, where one block runs for the rest of a range too, any that differ.
//!
//! Of the statements of one element, what is the same for all is computed once; arithmetic on the vectors' kind of float is done
//! for all in one instruction; integers, addresses and calls are done for each. What an element could see of the one before -
//! sums carried from element to element, and rows that maps lead to and the loop writes - is done last, for one element after the
//! other, in the order of the text. So each lane computes what its element did, and memory changes in the same order: results
//! are the same bits.
//!
//! Only for statements without checks, whose loops run equally often for all, whose branches do nothing but compute, load what is
//! there for every element and store to the element's own rows, and only where the arithmetic that is saved is worth more than what moves
//! lanes about. A map's rows that are read and written in place rule it out: an element may read what the one before writes.

mod alike;
mod cost;
mod emit;
mod loads;
mod own;
mod plan;
mod repeat;
mod straighten;

use crate::ir::{Loop, Stmt, Type, Wide, for_each_stmt};
use crate::opt::crowded::Crowded;
use crate::opt::dead::used;
use crate::opt::has_loops;
use crate::opt::simplify::simplify_once;
use crate::options::Options;
use crate::signature::{Access, Iteration};
use crate::target::Target;
use plan::Plan;
pub(super) use repeat::{own_copy, repeat, twice, work};

/// Longer kernels stay as they are: what they compute is spilled anyway, and there would be two copies to compile.
const STATEMENTS_MAX: usize = 2000;

/// Gives a loop statements for several elements at once, where that is allowed and there is arithmetic to share.
pub(super) fn across_elements(it: &mut Loop, options: &Options, target: &Target) {
    let mut statements = 0;
    for_each_stmt(&it.body.root, &mut |_| statements += 1);
    let is_short = statements <= STATEMENTS_MAX;
    let vector = plan::vector_for(&it.body, &it.body.root, options.lanes);
    let Some(vector) = vector.filter(|_| is_short && is_allowed(it)) else {
        return;
    };
    let one = cost::cost(&it.body, &it.body.root, target);
    let has_branches = it
        .body
        .root
        .iter()
        .any(|stmt| !matches!(stmt, Stmt::For(_)) && stmt.has_blocks());
    if !has_branches {
        it.wide = of_all(it, vector, one, target);
    } else if let Some(straight) = straighten::straightened(it) {
        let root = std::mem::replace(&mut it.body.root, straight);
        // What branches did each for itself is done once.
        simplify_once(&mut it.body, &Crowded::new());
        let straight = std::mem::take(&mut it.body.root);
        it.body.root = used(&it.body, straight);
        it.wide = of_all(it, vector, one, target);
        it.body.root = root;
    }
}

/// The statements for several elements of those of one, which have no branches; `one` is what those cost as they are.
fn of_all(it: &mut Loop, vector: Type, one: u32, target: &Target) -> Option<Wide> {
    let plan = Plan::of(it, vector, target).filter(|plan| plan.saves_something(it))?;
    let least = cost::least_of_all(&it.body, &it.body.root, &plan);
    if !is_cheaper(
        least,
        plan.has_loops,
        one.saturating_mul(u32::from(vector.lanes)),
    ) {
        return None;
    }
    let made = emit::emit(it, &plan);
    it.before.extend(made.before);
    Some(Wide {
        elements: vector.lanes,
        covers_rest: plan.covers_rest,
        is_strip: false,
        block: made.block,
    })
}

/// Keeps the statements for several elements only if they cost less than doing those for one as often.
pub(super) fn keep_cheaper(it: &mut Loop, target: &Target) {
    let Some(wide) = &it.wide else {
        return;
    };
    let one = cost_of_trip(it, None, target);
    let one = one.saturating_mul(u32::from(wide.elements));
    let all = cost_of_trip(it, Some(wide), target);
    if !is_cheaper(all, has_loops(&wide.block), one) {
        it.wide = None;
    }
}

/// Whether statements for several elements at once cost less than those for one as often.
///
/// Statements with loops are long: what is spilled, which no cost counts, is spilled for all elements at once. Others may have
/// had branches, of which both sides are compiled now, so they must be cheaper as they are.
fn is_cheaper(all: u32, has_loops: bool, one_as_often: u32) -> bool {
    let counted = if has_loops { all / 4 * 3 } else { all };
    counted < one_as_often
}

/// Whether statements for several elements that cover the rest, too, cost so much less than those for one that packing these
/// would not change it.
pub(super) fn is_clearly_cheaper(it: &Loop, target: &Target) -> bool {
    let Some(wide) = it.wide.as_ref().filter(|wide| wide.covers_rest) else {
        return false;
    };
    let one = cost_of_trip(it, None, target);
    let all = cost_of_trip(it, Some(wide), target);
    all < one.saturating_mul(u32::from(wide.elements)) / 8 * 7
}

/// What a trip of a loop costs, about, that does statements for several elements, or those for one.
pub(super) fn cost_of_trip(it: &Loop, wide: Option<&Wide>, target: &Target) -> u32 {
    match wide {
        Some(wide) => cost::cost_of_all(&it.body, &wide.block, target),
        None => cost::cost(&it.body, &it.body.root, target),
    }
}

/// Whether the arguments let several elements be in flight.
fn is_allowed(it: &Loop) -> bool {
    let signature = &it.signature;
    let in_place = |access| access == Access::Rw;
    let mut args = signature.args.iter();
    signature.iteration == Iteration::Elements
        && !signature.allow_conflicts
        && !args.any(|arg| arg.source.map().is_some() && in_place(arg.access))
}
