//! What the front end refuses, with code and line: `front/rejects.txt`. Every error of a text is expected, not only the first.

use parloop_compiler::{KernelText, check_kernel};

/// Codes and lines of all errors of a text.
fn found(text: &str) -> String {
    let function = text.contains(" k(").then_some("k");
    let kernel = KernelText {
        text,
        function,
        constants: &[],
        hosts: &[],
    };
    let Err(errors) = check_kernel(&kernel) else {
        return String::new();
    };
    let mut shown = Vec::new();
    for error in &errors.0 {
        assert!(!error.render("k.c", text).is_empty());
        shown.push(format!("{}@{}", error.code, error.span.line(text)));
    }
    shown.join(" ")
}

#[test]
fn each_mistake_gives_its_code_at_its_line() {
    let cases = include_str!("front/rejects.txt");
    let mut wrong = Vec::new();
    for case in cases.split("\n== ").skip(1) {
        let (head, text) = case.split_once("---\n").expect("a text after ---");
        let (name, wanted) = head.split_once('\n').expect("codes after the name");
        let got = found(text);
        if got != wanted.trim() {
            wrong.push(format!(
                "{name}\n  wanted: {}\n  found:  {got}",
                wanted.trim()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
