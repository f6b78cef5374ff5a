//! What a text holds that none of some functions needs: read by nobody, so a mistake in it is not found either.
//!
//! An item is needed if its name stands in a function or in another item that is needed; whether that name is hidden by a
//! local is not asked.

use super::unit::Unit;
use crate::diagnostic::{Diagnostics, Span};
use crate::source::KernelText;
use crate::syntax::items::{Item, ItemKind};
use crate::syntax::token::{Name, kw};
use rustc_hash::FxHashMap as HashMap;

/// An item of a text that is skipped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SkippedItem {
    /// Its name, or its first words if it has none.
    pub name: String,
    /// Where it is declared.
    pub span: Span,
    /// Why it is not needed.
    pub why: &'static str,
}

/// The items of a text that none of `functions` needs, in its order.
///
/// # Errors
/// The text is too large, or its tokens or braces are broken.
pub fn skipped_items(
    text: &KernelText<'_>,
    functions: &[&str],
) -> Result<Vec<SkippedItem>, Diagnostics> {
    let lexed = super::lexed(text.text)?;
    let unit = super::load(&lexed, text)?;
    if !unit.errors.is_empty() {
        return Err(unit.into_diagnostics());
    }
    let needed = needed(&unit, functions);
    let items = unit.items.iter().zip(needed);
    let skipped = items.filter(|(_, needed)| !needed);
    Ok(skipped.map(|(item, _)| skip(&unit, item)).collect())
}

/// By item, whether one of `functions` needs it.
fn needed(unit: &Unit<'_>, functions: &[&str]) -> Vec<bool> {
    let mut by_name: HashMap<Name, Vec<usize>> = HashMap::default();
    for (at, item) in unit.items.iter().enumerate() {
        // What is not in the language is of no use to anybody.
        let names = match item.kind {
            ItemKind::Other => &[][..],
            _ => &item.names,
        };
        for name in names {
            by_name.entry(*name).or_default().push(at);
        }
    }
    let mut needed = vec![false; unit.items.len()];
    let names = functions
        .iter()
        .filter_map(|name| unit.tokens.names.find(name));
    let mut open: Vec<usize> = names.filter_map(|name| unit.function_item(name)).collect();
    while let Some(at) = open.pop() {
        if std::mem::replace(&mut needed[at], true) {
            continue;
        }
        let tokens = &unit.tokens.list[unit.items[at].tokens.clone()];
        for token in tokens.iter().filter(|token| token.is_name()) {
            open.extend(by_name.remove(&token.name).into_iter().flatten());
        }
    }
    needed
}

fn skip(unit: &Unit<'_>, item: &Item) -> SkippedItem {
    let tokens = &unit.tokens.list[item.tokens.clone()];
    let is_struct = tokens.iter().any(|t| t.is(kw::STRUCT) || t.is(kw::UNION));
    let name = match item.names.first() {
        Some(name) => unit.text(*name).to_owned(),
        None => {
            let words = tokens.iter().take_while(|t| t.is_word()).take(4);
            let words: Vec<&str> = words.map(|t| unit.text(t.name)).collect();
            words.join(" ")
        }
    };
    let why = match item.kind {
        ItemKind::Function if item.is_void => "no kernel calls it",
        ItemKind::Function => "it returns a value, and no kernel calls it",
        ItemKind::Other => "a prototype without a body",
        _ if is_struct => "no kernel names it; structs are not in the language",
        _ => "no kernel names it",
    };
    SkippedItem {
        name,
        span: item.span,
        why,
    }
}
