//! No text, however hostile, makes the front end panic, overflow a small stack or take more than linear time.

use parloop_compiler::ir::verify_kernel;
use parloop_compiler::{KernelText, check_kernel, kernel_functions, syntax};
use proptest::prelude::*;
use rstest::rstest;

/// Bytes of stack that any text must do with.
const STACK_BYTES: usize = 2 << 20;

const SEEDS: &[&str] = &[
    include_str!("front/runs/arrays.c"),
    include_str!("front/runs/control.c"),
    include_str!("front/runs/helpers.c"),
    include_str!("front/runs/loops.c"),
    include_str!("front/runs/math.c"),
    include_str!("front/runs/promotions.c"),
];

const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ";",
    ",",
    "*",
    "&",
    "-",
    "++",
    "=",
    "+=",
    "?",
    ":",
    "0",
    "1",
    "2.5f",
    "x",
    "n",
    "k",
    "int",
    "double",
    "const",
    "static",
    "struct",
    "if",
    "else",
    "for",
    "while",
    "do",
    "switch",
    "case",
    "default",
    "break",
    "continue",
    "return",
    "sizeof",
    "#define x ",
    "#if ",
    "#endif\n",
    "#else\n",
    "\n",
    "/*",
    "*/",
    "//",
    "\"",
    "'",
    "\\\n",
    "##",
    "...",
    "(double*)",
    "void",
    "extern",
    "typedef",
    "enum {",
    "\u{fc}",
    "\0",
];

/// Everything the front end does with a text; what it accepts must be sound.
fn survive(text: &str) -> Vec<String> {
    let kernel = KernelText {
        text,
        function: text.contains("k(").then_some("k"),
        constants: &[],
        hosts: &[],
    };
    let _ = kernel_functions(&kernel);
    let _ = syntax::dump_tokens(text);
    let _ = syntax::dump_ast(text);
    match check_kernel(&kernel) {
        Ok(checked) => {
            verify_kernel(&checked.kernel)
                .unwrap_or_else(|e| panic!("{e}\n{text}\n{}", checked.kernel));
            assert_eq!(checked.sites.len() as u32, checked.kernel.body.sites);
            Vec::new()
        }
        Err(errors) => {
            assert!(!errors.0.is_empty());
            let shown = errors.0.iter().take(3);
            let _: Vec<String> = shown.map(|e| e.render("k.c", text)).collect();
            errors.0.iter().map(|e| e.code.to_string()).collect()
        }
    }
}

fn survive_on_a_small_stack(text: String) -> Vec<String> {
    let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
    let thread = builder.spawn(move || survive(&text)).expect("a thread");
    thread.join().expect("no panic")
}

fn nested(open: &str, inner: &str, close: &str, times: usize) -> String {
    let (open, close) = (open.repeat(times), close.repeat(times));
    format!("void k(int *a) {{ {open}{inner}{close} }}")
}

#[rstest]
#[case::parentheses("a[0] = ", "(", "a[1]", ");")]
#[case::signs("a[0] = ", "- ", "a[1];", "")]
#[case::indices("a[0] = ", "a[", "0", "]")]
#[case::operators(
    "a[0] = ",
    "a[1] || a[1] && a[1] | a[1] ^ a[1] & a[1] == a[1] < a[1] << a[1] + a[1] * (",
    "1",
    ")"
)]
#[case::choices("a[0] = ", "a[1] ? 1 : ", "2;", "")]
#[case::blocks("", "{", "", "}")]
#[case::ifs("", "if (a[0]) ", ";", "")]
#[case::loops("", "while (a[0]) {", "", "}")]
#[case::steps("", "for (; a[0]; a[1]++) { if (a[1]) continue; ", "", "}")]
#[case::switches("", "switch (a[0]) { case 1: ", "", "}")]
#[case::declarators("int ", "(", "x", ")")]
#[case::pointers("int ", "*", "x;", "")]
#[case::extents("int x", "[1]", ";", "")]
#[case::values("int x[1] = ", "{", "1", "}")]
#[case::casts("a[0] = ", "(int) ", "1;", "")]
#[case::assignments("", "a[0] = ", "1;", "")]
#[case::calls("a[0] = ", "abs(", "1", ")")]
#[case::complex_calls("a[0] = ", "csqrt(", "1", ")")]
fn nesting_beyond_the_limit_is_one_error(
    #[case] head: &str,
    #[case] open: &str,
    #[case] inner: &str,
    #[case] close: &str,
) {
    for times in [100, 200, 500, 600, 20_000] {
        let close = close.trim_end_matches(';');
        let text = nested(open, inner, close, times).replacen("{ ", &format!("{{ {head}"), 1);
        let text = text.replace(" }", "; }");
        let codes = survive_on_a_small_stack(text);
        let deep = codes.iter().filter(|code| *code == "too-deep").count();
        assert!(times <= 500 || deep == 1, "{times}: {codes:?}");
    }
}

#[rstest]
#[case::doubling(|i: usize| if i == 0 { "#define A0 1+\n".into() } else { format!("#define A{i} A{p} A{p}\n", p = i - 1) }, "a[0] = A40 1;")]
#[case::helpers(|i: usize| if i == 0 { "static int f0(int x) { return x; }\n".into() } else { format!("static int f{i}(int x) {{ return f{p}(x) + f{p}(x); }}\n", p = i - 1) }, "a[0] = f40(a[1]);")]
fn what_grows_exponentially_is_refused(#[case] line: fn(usize) -> String, #[case] body: &str) {
    let head: String = (0..=40).map(line).collect();
    let codes = survive_on_a_small_stack(format!("{head}void k(int *a) {{ {body} }}"));
    assert_eq!(codes, ["too-large"]);
}

/// A kernel whose helpers call one another twice each, `times` deep, on memory, so that no call can be shared.
fn doubling(times: usize) -> String {
    let first = "static double f0(double *x, double y) { x[0] = x[0] * y + x[1]; return x[0]; }\n";
    let calls = |i: usize| {
        let inner = i - 1;
        format!(
            "static double f{i}(double *x, double y) {{ return f{inner}(x, y) + f{inner}(x, y + 1); }}\n"
        )
    };
    let helpers: String = (1..=times).map(calls).collect();
    format!("{first}{helpers}void k(double *x) {{ x[2] = f{times}(x, x[3]); }}")
}

#[test]
fn what_a_short_text_grows_to_is_bounded_by_its_length() {
    assert_eq!(survive_on_a_small_stack(doubling(10)), Vec::<String>::new());
    assert_eq!(survive_on_a_small_stack(doubling(15)), ["too-large"]);
}

#[test]
fn long_chains_of_operators_and_statements_are_taken() {
    let mut text = "void k(double *a) { a[0] = a[1]".to_owned();
    for i in 0..10_000 {
        text += ["+", "*", "-", "/"][i % 4];
        text += &format!("a[{}]", i % 9);
    }
    text += "; if (a[0] > 0";
    for i in 0..10_000 {
        text += &format!(" && a[{}] > {i}", i % 9);
    }
    text += ") a[0] = 1;";
    for i in 0..20_000 {
        text += &format!("double x{i} = a[{}]; a[1] += x{i};\n", i % 5);
    }
    text += "}";
    assert_eq!(survive_on_a_small_stack(text), Vec::<String>::new());
}

#[test]
fn long_chains_of_else_if_are_taken_and_do_not_nest() {
    let found = |links: usize| {
        let head: String = (0..links)
            .map(|i| format!("if (a[0] == {i}) a[1] += {i}; else "))
            .collect();
        survive_on_a_small_stack(format!("void k(int *a) {{ {head} a[2] = 1; }}"))
    };
    for links in [31, 32, 33, 600, 10_000] {
        assert_eq!(found(links), Vec::<String>::new());
    }
    for links in [10_001, 100_000] {
        assert_eq!(found(links), ["too-large"]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(text in "\\PC*") {
        survive(&text);
    }

    #[test]
    fn changed_kernels_are_survived(
        seed in 0..SEEDS.len(),
        cut in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..20_usize, 0..PIECES.len()), 0..6),
    ) {
        let mut text = SEEDS[seed].to_owned();
        for (at, removed, piece) in edits {
            let at = text.floor_char_boundary(at.index(text.len()));
            let end = text.floor_char_boundary((at + removed).min(text.len()));
            text.replace_range(at..end, PIECES[piece]);
        }
        survive(&text);
        text.truncate(text.floor_char_boundary(cut.index(text.len())));
        survive(&text);
    }

    #[test]
    fn pieces_of_c_are_survived(pieces in prop::collection::vec(0..PIECES.len(), 0..60)) {
        let body: Vec<&str> = pieces.iter().map(|at| PIECES[*at]).collect();
        survive(&format!("void k(double *x, int *n) {{ {} }}", body.join(" ")));
    }
}
