//! Runs kernels and loops as IR, on memory that can't be left: the meaning that every pass and native code must keep, bit for
//! bit.
//!
//! Rules that native code follows too:
//! - A list is run part by part (`abi::parts`), each as one call of compiled code: `before` and `after` run for each.
//! - Variables and local arrays are zero when a loop is called, not at each element: what an element must not see of the one
//!   before, the wrapper sets or clears. Numbers are those of `eval`.
//! - Each element may spend `steps`. An iteration of a `Loop` costs 1, taken when it begins; if none is left, the loop stops
//!   with `OUT_OF_STEPS` at the `Loop`'s site and value 1. A `For` of which a bound is not a `Const` costs its whole trip
//!   count (`eval::trip_count`) when it is entered; if that many are not left, it stops with `OUT_OF_STEPS` at the `For`'s site
//!   and the trip count as value, its 64 bits reinterpreted. A `For` between two `Const`s costs nothing.
//! - `CheckIndex` stops with `BAD_INDEX` and the index, `CheckDivisor` with `DIVISION_BY_ZERO` and 0.
//! - In a kernel by itself every load and store is guarded at its own site, as the wrapper will do once it knows the extents:
//!   `BAD_INDEX` and the index (of a row pointer: the row). In a loop an access outside of its place is an error of whoever
//!   built the loop, and of the interpreter's result.
//! - A loop's statements for several elements run wherever as many consecutive ones follow, from the first on.
//! - The first element that stops ends the call, and `after` does not run.

mod machine;
mod memory;
mod ops;

pub use memory::{
    ArgBinding, Elements, Ended, Hosts, InterpError, KernelArg, KernelMemory, MapBinding, Memory,
    Pointer,
};

use super::kernel::Kernel;
use super::loops::{Loop, Wide};
use super::verify::{verify_kernel, verify_loop};
use crate::abi;
use machine::{Halt, Level, Machine};

/// Runs a loop on elements, in order.
///
/// # Errors
/// The loop is unsound, an access left its place, or a host function is not in the table.
pub fn run_loop(
    looped: &Loop,
    memory: &mut Memory,
    elements: Elements<'_>,
    hosts: &dyn Hosts,
) -> Result<Ended, InterpError> {
    verify_loop(looped)?;
    let steps = memory.steps;
    let mut machine = Machine::new(&looped.body, Level::Loop { looped, memory }, hosts)?;
    let ended = elements.parts().into_iter().try_for_each(|part| {
        machine.zero();
        machine.once(&looped.before)?;
        run_part(&mut machine, looped, part, steps)?;
        machine.once(&looped.after)
    });
    settle(ended, machine.element)
}

/// Runs what one call of compiled code does between `before` and `after`.
fn run_part(
    machine: &mut Machine<'_>,
    looped: &Loop,
    part: Elements<'_>,
    steps: u64,
) -> Result<(), Halt> {
    let mut each = part.iter();
    while let Some(element) = each.next() {
        let Some(wide) = &looped.wide else {
            machine.run(element, steps)?;
            continue;
        };
        let at_once = together(element, &each, wide);
        if !wide.covers_rest && at_once.len() < usize::from(wide.elements) {
            machine.run(element, steps)?;
            continue;
        }
        machine.run_wide(&at_once, &wide.block)?;
        // The others are done, too.
        each.by_ref().take(at_once.len() - 1).for_each(drop);
    }
    Ok(())
}

/// The elements from one on that run at once: where the rest is not covered each is the one after the one before.
fn together(
    element: u64,
    following: &(impl Iterator<Item = u64> + Clone),
    wide: &Wide,
) -> Vec<u64> {
    let mut at_once = vec![element];
    for next in following.clone().take(usize::from(wide.elements) - 1) {
        if !wide.covers_rest && next != element + at_once.len() as u64 {
            break;
        }
        at_once.push(next);
    }
    at_once
}

/// Runs a kernel once, as a plain function.
///
/// # Errors
/// The kernel is unsound, an argument is not of its parameter's kind, or a host function is not in the table.
pub fn run_kernel(
    kernel: &Kernel,
    memory: &mut KernelMemory,
    hosts: &dyn Hosts,
) -> Result<Ended, InterpError> {
    verify_kernel(kernel)?;
    memory.matches(kernel)?;
    let steps = memory.steps;
    let mut machine = Machine::new(&kernel.body, Level::Kernel { kernel, memory }, hosts)?;
    let ended = machine.run(0, steps);
    settle(ended, 0)
}

fn settle(ended: Result<(), Halt>, element: u64) -> Result<Ended, InterpError> {
    match ended {
        Ok(()) => Ok(Ended {
            status: abi::OK,
            site: 0,
            element: 0,
            value: 0,
        }),
        Err(Halt::Stop {
            status,
            site,
            value,
        }) => Ok(Ended {
            status,
            site: site.as_u32(),
            element,
            value,
        }),
        Err(Halt::Error(error)) => Err(error),
    }
}
