//! The `parloop` command.
fn main() {}
