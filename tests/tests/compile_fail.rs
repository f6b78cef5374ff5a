//! What the types forbid does not compile: each file of `compile_fail/` is a misuse, with what the compiler says of it.
//!
//! `TRYBUILD=overwrite` writes down what it says today.

#[test]
fn misuse_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}
