//! The text form of kernels and loops: what is printed is read back, and no text does harm.

use parloop_compiler::ir::{Kernel, Loop, read_kernel, read_loop, verify_kernel, verify_loop};
use proptest::prelude::*;

const KERNEL: &str = include_str!("ir/every_op.kernel");
const LOOP: &str = include_str!("ir/res.loop");

fn kernel(text: &str) -> Kernel {
    read_kernel(text).unwrap_or_else(|e| panic!("{e}"))
}

fn looped(text: &str) -> Loop {
    read_loop(text).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_kernel_of_every_operation_is_printed_as_it_was_read() {
    let kernel = kernel(KERNEL);
    assert_eq!(kernel.to_string(), KERNEL);
    verify_kernel(&kernel).unwrap();
}

#[test]
fn a_loop_is_printed_as_it_was_read() {
    let looped = looped(LOOP);
    assert_eq!(looped.to_string(), LOOP);
    verify_loop(&looped).unwrap();
}

#[test]
fn values_that_no_statement_computes_are_kept() {
    let text =
        "kernel\nlabels 0\nsites 0\nloose v0: f64 = const 0x0000000000000001 ; 5e-324\nbody {\n}\n";
    assert_eq!(kernel(text).to_string(), text);
}

#[test]
fn a_name_of_any_characters_is_kept() {
    let mut kernel = kernel(KERNEL);
    let symbol = kernel.body.symbols.keys().next().unwrap();
    kernel.body.symbols[symbol].name = "a\"b\\u{7}\n\u{7}é;".to_owned();
    assert_eq!(read_kernel(&kernel.to_string()).unwrap(), kernel);
}

#[test]
fn an_error_names_its_line_and_what_was_expected() {
    let check = |text: &str, message: &str| {
        assert_eq!(
            read_kernel(text).unwrap_err().to_string(),
            message,
            "{text}"
        );
    };
    check("", "line 0: expected kernel");
    check("loop", "line 1: expected kernel");
    check("kernel\nbody {", "line 2: expected a statement or }");
    check("kernel\nbody {\n}\nbody {", "line 4: expected the end");
    check("kernel\nbody {\n  exit\n}", "line 3: expected label");
    check(
        "kernel\nbody {\n  v0: f64 = frob\n}",
        "line 3: expected an operation",
    );
    check(
        "kernel\nbody {\n  v0: f64 = const 1.5\n}",
        "line 3: expected bits in hexadecimal",
    );
    check(
        "kernel\nbody {\n  v0: i8 = const 128\n}",
        "line 3: expected a number of the type",
    );
    check(
        "kernel\nbody {\n  v9: i8 = const 1\n}",
        "line 3: expected a smaller number of a value",
    );
    check(
        "kernel\nbody {\n  v2: i8 = const 1\n}",
        "line 4: expected a definition of each value, unused ones included",
    );
    check(
        "kernel\nbody {\n} else {\n}",
        "line 3: expected an if before the else",
    );
    check(
        "kernel\narray array1: f64 len 2",
        "line 2: expected declarations numbered in order",
    );
}

#[test]
fn blocks_nested_beyond_the_limit_are_refused() {
    let mut text = String::from("kernel\nlabels 1\nbody {\n");
    text.push_str(&"block label0 {\n".repeat(100_000));
    let error = read_kernel(&text).unwrap_err();
    assert_eq!(error.expected, "blocks that are not nested so deep");
}

#[test]
fn every_prefix_of_a_text_gives_an_error_or_a_kernel() {
    for end in 0..KERNEL.len() {
        let _ = read_kernel(&KERNEL[..end]);
        let _ = read_loop(&LOOP[..end.min(LOOP.len())]);
    }
}

proptest! {
    /// What an edited text is read as, if anything, is judged without harm and prints as what is read back.
    #[test]
    fn edited_texts_do_no_harm(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..3u8), 1..6),
    ) {
        for (text, is_kernel) in [(KERNEL, true), (LOOP, false)] {
            let mut lines: Vec<&str> = text.lines().collect();
            let words: Vec<&str> = text.split_whitespace().collect();
            let mut changed = Vec::new();
            for (at, with, how) in &edits {
                let line = at.index(lines.len());
                match how {
                    0 => { lines.remove(line); }
                    1 => lines.insert(line, lines[with.index(lines.len())]),
                    _ => changed.push((line, words[with.index(words.len())], with.index(8))),
                }
            }
            let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
            for (line, word, which) in changed {
                if let Some(line) = lines.get_mut(line) {
                    let mut parts: Vec<&str> = line.split_whitespace().collect();
                    if let Some(part) = parts.get_mut(which) { *part = word; }
                    *line = parts.join(" ");
                }
            }
            let text = lines.join("\n");
            if is_kernel {
                if let Ok(kernel) = read_kernel(&text) {
                    let _ = verify_kernel(&kernel);
                    prop_assert_eq!(read_kernel(&kernel.to_string()).unwrap(), kernel);
                }
            } else if let Ok(looped) = read_loop(&text) {
                let _ = verify_loop(&looped);
                prop_assert_eq!(read_loop(&looped.to_string()).unwrap(), looped);
            }
        }
    }
}
