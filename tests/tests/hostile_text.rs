//! Hostile kernel texts never panic, hang or exhaust the process: they compile, or are refused with a reason, in bounded time.
//!
//! Deep nesting, macros that multiply, huge literals, long expressions, statements and files, mutated real kernels. A watcher
//! ends the process if one of them takes a minute, so that a hang is seen as one.

use parloop_compiler::ir::Passing;
use parloop_compiler::{
    Access, DType, FloatMode, KernelText, Options, Target, check_kernel, compile,
};
use parloop_compiler::{ArgSignature, Iteration, Layout, Request, Signature, Source};
use parloop_kernels::{airfoil, jac, reduce};
use parloop_tests::ways::Mode;
use parloop_tests::world::Dice;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How far a text came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Came {
    Refused,
    /// Checked, but too large to compile.
    Checked,
    Compiled,
}

/// A signature of direct arguments that fits the parameters.
fn direct(params: &[parloop_compiler::ParamInfo]) -> Signature {
    let arg = |(i, param): (usize, &parloop_compiler::ParamInfo)| ArgSignature {
        source: if param.passing == Passing::Value {
            Source::Global
        } else {
            Source::Direct
        },
        dtype: param.dtype.unwrap_or(DType::F64),
        dim: if param.passing == Passing::Value {
            1
        } else {
            8
        },
        layout: Layout::Aos,
        access: if param.written {
            Access::Rw
        } else {
            Access::Read
        },
        dat: i as u16,
    };
    Signature {
        iteration: Iteration::Elements,
        args: params.iter().enumerate().map(arg).collect(),
        allow_conflicts: false,
    }
}

fn come(text: &str) -> Came {
    let constants = airfoil::Constants::published()
        .named()
        .map(|(name, values)| parloop_compiler::ConstantDecl {
            name: name.to_owned(),
            dtype: DType::F64,
            dim: values.len() as u32,
            specialised: None,
        });
    let checked = check_kernel(&KernelText {
        text,
        function: None,
        constants: &constants,
        hosts: &[],
    });
    let checked = match checked {
        Ok(checked) => checked,
        Err(diagnostics) => {
            assert!(!diagnostics.0.is_empty() && diagnostics.0.len() <= 1000);
            for diagnostic in diagnostics.0.iter().take(3) {
                assert!(!diagnostic.render("k.c", text).is_empty());
            }
            return Came::Refused;
        }
    };
    let request = Request {
        signature: direct(&checked.params),
        kernel: checked.kernel,
        options: Options::default(),
        target: Target {
            level: Mode::native(FloatMode::Contract).level,
        },
    };
    match compile(&request) {
        Ok(compiled) => {
            assert!(!compiled.object.is_empty());
            Came::Compiled
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            Came::Checked
        }
    }
}

/// Runs a text on a thread with the stack that a thread has by default; ends the process if it takes a minute.
#[expect(
    clippy::print_stderr,
    reason = "nothing else can be told of a process that ends"
)]
fn check(what: &str, text: &str) -> Came {
    let (done, wait) = mpsc::channel();
    std::thread::scope(|scope| {
        let worker = scope.spawn(move || {
            let came = come(text);
            let _ = done.send(());
            came
        });
        if wait.recv_timeout(Duration::from_secs(60)) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("{what} takes more than a minute");
            std::process::abort();
        }
        worker.join().unwrap_or_else(|_| panic!("{what} panics"))
    })
}

fn kernel(body: &str) -> String {
    format!("void k(const double *a, double *b) {{ {body} }}\n")
}

#[test]
fn deep_nesting_is_refused_or_taken_and_never_overflows_the_stack() {
    for depth in [100, 10_000, 200_000] {
        let nested = |open: &str, middle: &str, close: &str| {
            format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
        };
        let texts = [
            (
                "parentheses",
                kernel(&format!("b[0] = {};", nested("(", "a[0]", ")"))),
            ),
            (
                "open parentheses",
                kernel(&format!("b[0] = {}", "(".repeat(depth))),
            ),
            ("blocks", kernel(&nested("{", "b[0] = 1;", "}"))),
            ("open blocks", kernel(&"{".repeat(depth))),
            ("branches", kernel(&nested("if (a[0]) {", "b[0] = 1;", "}"))),
            (
                "else",
                kernel(&format!(
                    "{} b[0] = 1;",
                    "if (a[0] > 1) b[0] = 2; else ".repeat(depth)
                )),
            ),
            (
                "loops",
                kernel(&nested("for (int i = 0; i < 2; i++) {", "b[0] = 1;", "}")),
            ),
            (
                "whiles",
                kernel(&nested("while (a[0] < 0) {", "b[0] = 1;", "}")),
            ),
            (
                "signs",
                kernel(&format!("b[0] = {}a[0];", "- ".repeat(depth))),
            ),
            (
                "nots",
                kernel(&format!("b[0] = {}a[0];", "!".repeat(depth))),
            ),
            (
                "conditions",
                kernel(&format!("b[0] = {}1;", "a[0] ? 1 : ".repeat(depth))),
            ),
            (
                "indices",
                kernel(&format!(
                    "b[0] = {}0{};",
                    "a[(int)".repeat(depth),
                    "]".repeat(depth)
                )),
            ),
            (
                "casts",
                kernel(&format!("b[0] = {}a[0];", "(float)(double)".repeat(depth))),
            ),
            (
                "stars",
                format!("void k(double {}a) {{ a[0] = 1; }}", "*".repeat(depth)),
            ),
            (
                "initialisers",
                kernel(&format!("double t[1] = {};", nested("{", "1", "}"))),
            ),
            (
                "dimensions",
                kernel(&format!("double t{}; b[0] = 1;", "[1]".repeat(depth))),
            ),
            (
                "calls",
                kernel(&format!("b[0] = {};", nested("sqrt(", "a[0]", ")"))),
            ),
            (
                "assignments",
                kernel(&format!("double x; {} a[0];", "x =".repeat(depth))),
            ),
            (
                "switches",
                kernel(&nested("switch (1) { case 1: ", "b[0] = 1;", "}")),
            ),
            (
                "conditionals of the preprocessor",
                nested("#if 1\n", &kernel("b[0] = 1;"), "#endif\n"),
            ),
        ];
        for (what, text) in texts {
            check(&format!("{depth} {what}"), &text);
        }
    }
}

#[test]
fn long_chains_and_many_arrays_are_refused_or_taken() {
    let mut chain = String::from("double d = a[1] + a[2]; double x = a[0] / d; double t = a[3];");
    for at in 0..30_000 {
        chain += &format!("t = t * a[{}] - {}.5;", at % 4, at % 7);
    }
    chain += "double y = t / d; double z = (t + 1) / d; b[0] = x; b[1] = y; b[2] = z;";
    let mut arrays = String::new();
    for at in 0..70_000 {
        arrays += &format!(
            "double t{at}[2]; t{at}[(int)a[0] & 1] = a[{}]; b[1] += t{at}[(int)a[2] & 1];",
            at % 8
        );
    }
    for (what, body) in [("a chain between quotients", chain), ("arrays", arrays)] {
        check(what, &kernel(&body));
    }
}

#[test]
fn macros_that_multiply_are_refused() {
    let mut doubling = String::from("#define M0 a[0]\n");
    for i in 1..64 {
        doubling += &format!("#define M{i} M{} + M{}\n", i - 1, i - 1);
    }
    let mut calls = String::from("#define F0(x) x * x\n");
    for i in 1..64 {
        calls += &format!("#define F{i}(x) F{}(F{}(x))\n", i - 1, i - 1);
    }
    let bombs = [
        ("doubling", doubling + &kernel("b[0] = M63;")),
        ("calls that double", calls + &kernel("b[0] = F63(a[0]);")),
        (
            "long arguments",
            format!(
                "#define D(x) x + x\n{}",
                kernel(&format!(
                    "b[0] = {}a[0]{};",
                    "D(".repeat(60),
                    ")".repeat(60)
                ))
            ),
        ),
    ];
    for (what, text) in bombs {
        assert_eq!(check(what, &text), Came::Refused, "{what}");
    }
    let itself = "#define X X + 1\n#define Y Z\n#define Z Y\n";
    check(
        "a macro of itself",
        &format!("{itself}{}", kernel("b[0] = X + Y;")),
    );
}

#[test]
fn inlining_that_multiplies_is_refused() {
    let mut text = String::from("static double f0(double x) { return x * 0.5 + 1; }\n");
    for i in 1..40 {
        text += &format!(
            "static double f{i}(double x) {{ return f{}(x) + f{}(x + 1); }}\n",
            i - 1,
            i - 1
        );
    }
    assert_eq!(
        check("calls that double", &(text + &kernel("b[0] = f39(a[0]);"))),
        Came::Refused
    );
    let recursive = "static double f(double x) { return f(x); }\n";
    assert_eq!(
        check(
            "recursion",
            &format!("{recursive}{}", kernel("b[0] = f(a[0]);"))
        ),
        Came::Refused
    );
    let mutual = "static double g(double x);\nstatic double f(double x) { return g(x); }\nstatic double g(double x) { return f(x); }\n";
    assert_eq!(
        check(
            "mutual recursion",
            &format!("{mutual}{}", kernel("b[0] = f(a[0]);"))
        ),
        Came::Refused
    );
}

#[test]
fn many_variables_in_many_branches_are_refused_before_they_fill_memory() {
    let helpers = "static double f(double x, int n) { while (n > 0) { if (n == 3) return x; n--; } return x + n; }\n";
    let calls = |times: usize| {
        let call = "b[0] = f(f(a[0], (int)a[1]), (int)b[0]) > 1 ? f(a[1], 7) : a[2];\n";
        format!("{helpers}{}", kernel(&call.repeat(times)))
    };
    assert_eq!(check("a hundred calls", &calls(100)), Came::Compiled);
    assert_eq!(check("thousands of calls", &calls(3_000)), Came::Checked);
}

#[test]
fn huge_literals_and_sizes_are_refused_or_taken() {
    let digits = "9".repeat(100_000);
    let texts = [
        ("a long integer", kernel(&format!("b[0] = {digits};"))),
        ("a long fraction", kernel(&format!("b[0] = 0.{digits};"))),
        ("a large exponent", kernel(&format!("b[0] = 1e{digits};"))),
        (
            "a small exponent",
            kernel("b[0] = 1e-400 + 0x1p-2000 + 0x1p+99999999999;"),
        ),
        (
            "a long name",
            kernel(&format!(
                "double {0} = a[0]; b[0] = {0};",
                "x".repeat(100_000)
            )),
        ),
        (
            "a huge array",
            kernel("double t[2000000000]; t[5] = 1; b[0] = t[5];"),
        ),
        (
            "many large arrays",
            kernel(
                &(0..50)
                    .map(|i| format!("double t{i}[30000000]; t{i}[3] = 1; "))
                    .collect::<String>(),
            ),
        ),
        (
            "a product of extents",
            kernel("double t[4294967296][4294967296]; t[0][0] = 1;"),
        ),
        ("a negative extent", kernel("double t[-1]; t[0] = 1;")),
        (
            "nested loops of many trips",
            kernel(
                "for (int i = 0; i < 16; i++) for (int j = 0; j < 16; j++) for (int l = 0; l < 16; l++) for (int m = 0; m < 16; m++) b[0] += a[0];",
            ),
        ),
        (
            "a loop of 2^31 trips",
            kernel("for (int i = 0; i < 2147483647; i++) b[0] += a[0];"),
        ),
        (
            "a shift beyond",
            kernel("b[0] = 1 << 1000; b[1] = 1L >> -5; b[2] = (-2147483647 - 1) / -1;"),
        ),
        (
            "nul and controls",
            kernel("b[0] = 1;").replace("1;", "1;\0\u{7}\u{1b}[31m"),
        ),
        (
            "a long comment",
            format!("/*{}*/{}", "x".repeat(1 << 20), kernel("b[0] = 1;")),
        ),
        ("an open comment", kernel("b[0] = 1; /*")),
        ("an open string", kernel("b[0] = \"abc;")),
        ("only backslashes", "\\\n".repeat(100_000)),
        ("nothing", String::new()),
    ];
    for (what, text) in texts {
        check(what, &text);
    }
}

#[test]
fn large_but_honest_texts_are_taken_in_time_that_grows_with_their_size() {
    let sum = |n: usize| kernel(&format!("b[0] = a[0]{};", " + a[1] * 0.5".repeat(n)));
    assert_eq!(
        check("10,000 operators in an expression", &sum(5_000)),
        Came::Compiled
    );
    check("a statement of a megabyte", &sum((1 << 20) / 13));
    let scalars = |n: usize| {
        let lines = (0..n).map(|i| format!("double t{i} = a[{}] * {i}.5 + {};\n", i % 8, i % 7));
        kernel(&(lines.collect::<String>() + &format!("b[0] = t{} + t0;", n - 1)))
    };
    check("100,000 scalars", &scalars(100_000));
    let table = (0..200_000)
        .map(|i| format!("{i}.25, "))
        .collect::<String>();
    let text = format!(
        "static const double t[200000] = {{{table}}};\n{}",
        kernel("b[0] = t[(int)a[0] & 1023];")
    );
    assert_eq!(check("a table of 200,000", &text), Came::Compiled);
    let time = |n: usize| {
        let text = scalars(n);
        let start = Instant::now();
        check("scalars", &text);
        start.elapsed()
    };
    // Linear would be 16 times; a square would be 256. A busy machine may be several times slower than itself.
    let (small, large) = (time(1_000).max(Duration::from_millis(2)), time(16_000));
    assert!(
        large < small * 160,
        "{small:?} for 1,000 lines, {large:?} for 16,000"
    );
}

/// A text with some bytes removed, doubled, swapped, or replaced by those of C.
fn mutated(text: &str, dice: &mut Dice) -> String {
    const BITS: [&str; 24] = [
        "(", ")", "{", "}", "[", "]", ";", ",", "*", "&", "-", "0", "1e", "\"", "'", "#define ",
        "#if ", "/*", "if", "for (", "double ", "int ", "return ", "\u{e9}",
    ];
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..1 + dice.below(6) {
        let at = dice.below(chars.len() as u64) as usize;
        match dice.below(5) {
            0 => drop(chars.remove(at)),
            1 => {
                let len = (dice.below(20) as usize).min(chars.len() - at);
                chars.drain(at..at + len);
            }
            2 => {
                let len = (dice.below(30) as usize).min(chars.len() - at);
                let copy: Vec<char> = chars[at..at + len].to_vec();
                let to = dice.below(chars.len() as u64) as usize;
                chars.splice(to..to, copy);
            }
            3 => {
                let bit = BITS[dice.below(BITS.len() as u64) as usize];
                chars.splice(at..at, bit.chars());
            }
            _ => chars[at] = char::from_u32(dice.below(0x250) as u32).unwrap_or('?'),
        }
        if chars.is_empty() {
            chars.push('v');
        }
    }
    chars.into_iter().collect()
}

#[test]
fn mutated_kernels_are_taken_or_refused() {
    let corpora = [
        include_str!("../corpus/statements.c"),
        include_str!("../corpus/arrays.c"),
        include_str!("../corpus/types.c"),
    ];
    let mut texts: Vec<&str> = corpora
        .iter()
        .flat_map(|c| c.split("// == ").skip(1))
        .collect();
    texts.extend(airfoil::KERNELS.map(|k| k.source));
    texts.extend(jac::KERNELS.map(|k| k.source));
    texts.extend(reduce::KERNELS.map(|k| k.source));
    let count = std::env::var("PARLOOP_TEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(3_000);
    let mut dice = Dice(20_261_121);
    let mut came = [0; 3];
    for i in 0..count {
        let text = mutated(texts[i % texts.len()], &mut dice);
        if text.len() > 100_000 {
            continue;
        }
        came[check(&format!("mutant {i}:\n{text}\n"), &text) as usize] += 1;
    }
    assert!(
        came[Came::Refused as usize] > 0 && came[Came::Compiled as usize] > 0,
        "{came:?}"
    );
}
