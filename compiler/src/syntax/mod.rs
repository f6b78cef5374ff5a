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
