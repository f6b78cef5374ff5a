//! C text to syntax trees: lexing, preprocessing, finding the items of a file, parsing the ones that are wanted.
//!
//! Nothing here knows of types beyond their spelling. Every stage takes any input: what is wrong becomes a diagnostic.

pub(crate) mod ast;
mod dump;
pub(crate) mod items;
mod lexer;
mod number;
pub(crate) mod parser;
mod preprocess;
pub(crate) mod token;

pub use dump::{dump_ast, dump_tokens};
pub(crate) use preprocess::preprocess;

use crate::diagnostic::Span;
use crate::ir::Scalar;

/// The numbers and characters that a text is written with: bits, type and place of each.
pub(crate) fn literals(text: &str) -> Vec<(u64, Scalar, Span)> {
    let raw = lexer::lex(text, &mut Vec::new());
    let each = raw.literals.iter();
    each.map(|literal| (literal.bits, literal.ty, literal.text))
        .collect()
}
