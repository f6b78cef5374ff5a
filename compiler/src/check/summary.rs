//! Which functions a text has, which may be kernels, and which one is meant.

use super::unit::Unit;
use super::{Checked, Poison};
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::source::KernelText;
use crate::syntax::items::ItemKind;
use crate::syntax::token::Name;
use rustc_hash::FxHashSet as HashSet;

/// A function of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionSummary {
    /// Its name.
    pub name: String,
    /// Where its name stands in its definition.
    pub span: Span,
    /// Whether it may be a kernel: it returns nothing.
    pub is_kernel: bool,
    /// Whether another function of the text calls it.
    pub is_called: bool,
}

/// The functions of a text, in its order. Functions that return nothing and that no other calls are its kernels.
///
/// # Errors
/// The text is too large, or its tokens or braces are broken.
pub fn kernel_functions(text: &KernelText<'_>) -> Result<Vec<FunctionSummary>, Diagnostics> {
    let lexed = super::lexed(text.text)?;
    let unit = super::load(&lexed, text)?;
    if !unit.errors.is_empty() {
        return Err(unit.into_diagnostics());
    }
    Ok(summaries(&unit))
}

fn summaries(unit: &Unit<'_>) -> Vec<FunctionSummary> {
    let functions = || {
        let items = unit.items.iter();
        items.filter(|item| item.kind == ItemKind::Function)
    };
    let mut called: HashSet<Name> = HashSet::default();
    for item in functions() {
        called.extend(item.calls.iter().filter(|name| item.names[0] != **name));
    }
    functions()
        .map(|item| FunctionSummary {
            name: unit.text(item.names[0]).to_owned(),
            span: item.span,
            is_kernel: item.is_void,
            is_called: called.contains(&item.names[0]),
        })
        .collect()
}

/// The item of the kernel; a missing or unclear one is reported.
pub(super) fn pick(unit: &mut Unit<'_>, function: Option<&str>) -> Option<usize> {
    let name = match function {
        Some(name) => name.to_owned(),
        None => match only_kernel(unit) {
            Ok(name) => name,
            Err(Poison) => return None,
        },
    };
    let item = unit
        .tokens
        .names
        .find(&name)
        .and_then(|name| unit.function_item(name));
    if item.is_none() && unit.errors.is_empty() {
        let all = summaries(unit);
        let near = super::suggest::nearest(&name, all.iter().map(|f| f.name.as_str()));
        let message = format!("the text has no function `{name}`");
        let found = Diagnostic::error("no-kernel", Span::default(), message);
        unit.errors.push(match near {
            Some(near) => found.with_help(format!("did you mean `{near}`?")),
            None => found,
        });
    }
    item
}

fn only_kernel(unit: &mut Unit<'_>) -> Checked<String> {
    let all = summaries(unit);
    let candidates: Vec<_> = all.iter().filter(|f| f.is_kernel && !f.is_called).collect();
    let found = match candidates.as_slice() {
        [one] => return Ok(one.name.clone()),
        [] => {
            let message = "the text has no function that returns void and that no other calls";
            Diagnostic::error("no-kernel", Span::default(), message)
        }
        [first, rest @ ..] => {
            let message = "the text has several functions that may be the kernel";
            let mut found = Diagnostic::error("unclear-kernel", first.span, message)
                .with_help("say which function is meant");
            for other in rest.iter().take(10) {
                found = found.with_related(other.span, "another one");
            }
            found
        }
    };
    // After broken tokens the functions are anyone's guess.
    if unit.errors.is_empty() {
        unit.errors.push(found);
    }
    Err(Poison)
}

/// Parses what a function that does not parse calls, to report all of it at once.
pub(super) fn parse_helpers(unit: &mut Unit<'_>, item: usize) {
    let mut seen = HashSet::from_iter([item]);
    let mut open = vec![item];
    while let Some(item) = open.pop() {
        for name in unit.items[item].calls.clone() {
            if let Some(helper) = unit.function_item(name)
                && seen.insert(helper)
            {
                unit.function(helper);
                open.push(helper);
            }
        }
    }
}
