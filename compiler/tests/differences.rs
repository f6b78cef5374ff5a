//! In what two requests differ, in words; and that no bytes do harm to whoever asks.

use parloop_compiler::fingerprint::{Identity, Part, encode, parts};
use parloop_compiler::{
    Access, ArgSignature, CheckedKernel, DType, Difference, Effort, FloatMode, IndexWidth,
    Iteration, KernelText, Layout, Level, MapUse, Names, Options, Preimage, Request, Signature,
    Source, Target, check_kernel, differences,
};
use proptest::prelude::*;

const TEXT: &str = "void k(const double *a, const double *b, double *c) {
    double s = a[0] - b[0];
    if (s > 0.0)
        c[0] += 0.5 * s;
    c[1] = exp(a[1]);
}";

fn checked(text: &str) -> CheckedKernel {
    let text = KernelText {
        text,
        function: None,
        constants: &[],
        hosts: &[],
    };
    check_kernel(&text).unwrap()
}

fn map(slot: u16) -> MapUse {
    MapUse {
        slot,
        arity: 2,
        width: IndexWidth::I32,
        partial: false,
    }
}

fn arg(source: Source, access: Access, dat: u16) -> ArgSignature {
    ArgSignature {
        source,
        dtype: DType::F64,
        dim: 2,
        layout: Layout::Aos,
        access,
        dat,
    }
}

fn request(text: &str) -> Request {
    Request {
        kernel: checked(text).kernel,
        signature: Signature {
            iteration: Iteration::Elements,
            args: vec![
                arg(Source::At(map(0), 0), Access::Read, 0),
                arg(Source::At(map(0), 1), Access::Read, 0),
                arg(Source::Direct, Access::Inc, 1),
            ],
            allow_conflicts: false,
        },
        options: Options::default(),
        target: Target { level: Level::V3 },
    }
}

fn told(old: &Request, new: &Request) -> Vec<String> {
    let (old, new) = (Preimage::of(old), Preimage::of(new));
    let found = differences(old.as_bytes(), new.as_bytes(), Names::default()).unwrap();
    found.iter().map(Difference::to_string).collect()
}

type Edit = fn(&mut Request);

#[test]
fn each_part_of_a_request_is_told_in_words() {
    let cases: &[(Edit, &[&str])] = &[
        (|_| {}, &[]),
        (
            |r| r.target.level = Level::V4,
            &["CPU level x86-64-v3 -> x86-64-v4"],
        ),
        (|r| r.options.lanes = 1, &["option lanes 4 -> 1"]),
        (|r| r.options.unroll = 4, &["option unroll 16 -> 4"]),
        (
            |r| r.options.float = FloatMode::Strict,
            &["option float contract -> strict"],
        ),
        (
            |r| r.options.effort = Effort::Speed,
            &["option effort none -> speed"],
        ),
        (
            |r| r.signature.allow_conflicts = true,
            &["conflicts allowed false -> true"],
        ),
        (
            |r| r.signature.iteration = Iteration::Function,
            &["loop over elements -> a plain function"],
        ),
        (|r| r.signature.args[2].dim = 4, &["argument 2: dim 2 -> 4"]),
        (
            |r| {
                r.signature.args[0].dtype = DType::F32;
                r.signature.args[2].access = Access::Rw;
            },
            &[
                "argument 0: type double -> float",
                "argument 2: access INC -> RW",
            ],
        ),
        (
            |r| r.signature.args[1].dat = 2,
            &["argument 1: dat that of argument 0 -> its own"],
        ),
        (
            |r| r.signature.args[1].source = Source::At(map(1), 0),
            &[
                "argument 1: map entry 1 -> 0",
                "argument 1: map that of argument 0 -> its own",
            ],
        ),
        (
            |r| {
                r.signature.args[1].source = Source::At(
                    MapUse {
                        width: IndexWidth::I64,
                        partial: true,
                        arity: 3,
                        slot: 0,
                    },
                    1,
                )
            },
            &[
                "argument 1: arity 2 -> 3",
                "argument 1: map entries of 32 bits -> of 64 bits",
                "argument 1: partial map false -> true",
            ],
        ),
        (
            |r| r.signature.args[2].source = Source::Global,
            &["argument 2: given directly -> as a global"],
        ),
    ];
    for (edit, expected) in cases {
        let (old, mut new) = (request(TEXT), request(TEXT));
        edit(&mut new);
        assert_eq!(told(&old, &new), *expected);
    }
}

#[test]
fn an_argument_that_is_put_in_changes_nothing_about_the_others() {
    let (old, mut new) = (request(TEXT), request(TEXT));
    let mut args = new.signature.args.clone();
    args.insert(0, arg(Source::Global, Access::Min, 0));
    args.iter_mut().skip(1).for_each(|arg| arg.dat += 1);
    new.signature.args = args;
    assert_eq!(
        told(&old, &new),
        [
            "arguments 3 -> 4",
            "argument 0 added: MIN 2 x double, global, slot 0"
        ]
    );
    assert_eq!(
        told(&new, &old),
        [
            "arguments 4 -> 3",
            "argument 0 removed: MIN 2 x double, global, slot 0"
        ]
    );
}

#[test]
fn another_compiler_is_told_and_its_name_escaped() {
    let by = |build_id: &str, abi| Identity {
        build_id: build_id.to_owned(),
        abi,
    };
    let (old, new) = (
        encode(&request(TEXT), &by("1\x1b[2J", 3)),
        encode(&request(TEXT), &by("2", 4)),
    );
    let found = differences(old.as_bytes(), new.as_bytes(), Names::default()).unwrap();
    let told: Vec<String> = found.iter().map(Difference::to_string).collect();
    assert_eq!(
        told,
        ["compiler changed: 1\\u{1b}[2J -> 2", "ABI version 3 -> 4"]
    );
}

/// What is told of two texts, with names and lines of the second.
fn told_of_texts(old: &str, new: &str) -> Vec<String> {
    let kernel = checked(new);
    let params: Vec<String> = kernel.params.iter().map(|p| p.name.clone()).collect();
    let names = Names {
        params: &params,
        constants: &kernel.constants,
    };
    let (old, by) = (Preimage::of(&request(old)), Preimage::of(&request(new)));
    let mut found = differences(old.as_bytes(), by.as_bytes(), names).unwrap();
    found
        .iter_mut()
        .for_each(|difference| difference.locate(new, &kernel));
    found.iter().map(Difference::to_string).collect()
}

#[test]
fn a_number_of_the_text_is_told_with_its_line() {
    let new = TEXT.replace("0.5", "0.25");
    assert_eq!(told_of_texts(TEXT, &new), ["constant 0.5 -> 0.25 (line 4)"]);
    let negative = TEXT.replace("0.5", "-0.75");
    assert_eq!(
        told_of_texts(TEXT, &negative),
        ["constant 0.5 -> -0.75 (line 4)"]
    );
    let two = TEXT.replace("0.5", "2e3").replace("> 0.0", "> 1.0");
    assert_eq!(
        told_of_texts(TEXT, &two),
        [
            "constant 0.0 -> 1.0 (line 3)",
            "constant 0.5 -> 2000.0 (line 4)"
        ]
    );
}

#[test]
fn statements_that_differ_are_counted_and_shown() {
    let cases = [
        (
            TEXT.replace("0.5 * s", "0.5 / s"),
            "kernel body: 1 statement differs: `c[0] = c[0] + (0.5 * (a[0] - b[0]))` -> `c[0] = c[0] + (0.5 / (a[0] - b[0]))` (line 4)",
        ),
        (
            TEXT.replace("exp(a[1])", "log(a[1])"),
            "kernel body: 1 statement differs: `c[1] = exp(a[1])` -> `c[1] = log(a[1])` (line 5)",
        ),
        (
            TEXT.replace("c[1] =", "c[0] -= b[1]; c[1] ="),
            "kernel body: 1 statement differs: added `c[0] = c[0] - b[1]` (line 5)",
        ),
        (
            TEXT.replace("    c[1] = exp(a[1]);\n", ""),
            "kernel body: 1 statement differs: removed `c[1] = exp(a[1])`",
        ),
    ];
    for (new, expected) in cases {
        assert_eq!(told_of_texts(TEXT, &new), [expected]);
    }
}

#[test]
fn a_loop_that_is_put_in_leaves_the_rest_alone() {
    let looped = "void k(const double *a, const double *b, double *c) {
    for (int i = 0; i < 2; i++) { c[i] += a[i]; }
    double s = 0.0;
    for (int i = 0; i < 2; i++) { s += b[i]; if (s > 3.0) break; }
    c[0] += s;
}";
    let more = looped.replace(
        "    c[0] += s;",
        "    int n = 0; while (n < 3) { n += 2; c[1] += 1.5; }\n    c[0] += s;",
    );
    let told = told_of_texts(looped, &more);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("kernel body: "), "{told:?}");
    assert!(told[0].contains("added"), "{told:?}");
    assert!(!told[0].contains("->"), "{told:?}");
}

#[test]
fn texts_of_one_meaning_do_not_differ_and_others_never_seem_alike() {
    let renamed = TEXT.replace(" s", " t").replace("(s", "(t");
    assert_eq!(told_of_texts(TEXT, &renamed), [""; 0]);
    for new in [
        TEXT.replace("c[1]", "c[0]"),
        TEXT.replace("a[0] - b[0]", "b[0] - a[0]"),
        TEXT.replace("double *c", "float *c"),
        TEXT.replace("s > 0.0", "s >= 0.0"),
        TEXT.replace("if (s > 0.0)", ""),
    ] {
        assert!(!told_of_texts(TEXT, &new).is_empty(), "{new}");
    }
}

#[test]
fn a_part_that_can_not_be_read_differs_as_a_whole() {
    let old = Preimage::of(&request(TEXT));
    let mut bytes = old.as_bytes().to_vec();
    let target = parts(&bytes).unwrap()[Part::Target as usize - 1];
    assert_eq!(target.0, Part::Target);
    let at = target.1.as_ptr() as usize - bytes.as_ptr() as usize;
    bytes[at] = 99;
    let found = differences(&bytes, old.as_bytes(), Names::default()).unwrap();
    let told: Vec<String> = found.iter().map(Difference::to_string).collect();
    assert_eq!(told, ["target differs"]);
    assert!(differences(b"parloop", old.as_bytes(), Names::default()).is_err());
    let mut other = old.as_bytes().to_vec();
    other[8] = 77;
    let found = differences(&other, old.as_bytes(), Names::default()).unwrap();
    assert_eq!(found[0].to_string(), "format version 77 -> 1");
}

#[test]
fn kernels_of_thousands_of_statements_are_compared_in_bounded_time() {
    let long = |number: usize, sign: char| {
        let each: Vec<String> = (0..6000)
            .map(|i| format!("c[0] {sign}= a[{}] * {}.0;", i % 2, i + number))
            .collect();
        format!(
            "void k(const double *a, const double *b, double *c) {{ {} }}",
            each.join("\n")
        )
    };
    let told = told_of_texts(&long(2, '+'), &long(3, '-'));
    assert!(!told.is_empty());
    assert!(told.iter().all(|line| line.len() < 2000), "{told:?}");
}

#[test]
fn a_value_that_was_converted_many_times_is_shown_all_the_same() {
    // None of them makes another superfluous.
    const TYPES: [&str; 4] = ["unsigned long", "signed char", "unsigned char", "short"];
    let converted = |sign: char| {
        let each = (1..=100_000).map(|i| format!("{} n{i} = n{};", TYPES[i % 4], i - 1));
        let each = each.collect::<Vec<_>>().join("\n");
        format!(
            "void k(const double *a, const double *b, double *c) {{ int n0 = a[0]; {each} c[0] = {sign}n100000; }}"
        )
    };
    let told = told_of_texts(&converted('+'), &converted('-'));
    let [line] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(line.contains("c[0] = "), "{line}");
}

#[test]
fn an_index_is_shown_without_its_conversions_and_checks() {
    let at = |text: &str| {
        format!("void k(const double *a, const double *b, double *c) {{ int n = a[0]; {text} }}")
    };
    let told = told_of_texts(
        &at("c[n] = b[n % (n + 1)];"),
        &at("c[n] = -b[n % (n + 1)];"),
    );
    assert_eq!(
        told,
        [
            "kernel body: 1 statement differs: `c[(int)a[0]] = b[((int)a[0] % ((int)a[0] + 1))]` -> `c[(int)a[0]] = -b[((int)a[0] % ((int)a[0] + 1))]` (line 1)"
        ]
    );
}

proptest! {
    #[test]
    fn no_bytes_make_the_comparison_panic(
        cut in 0usize..4000,
        changes in prop::collection::vec((0usize..4000, any::<u8>()), 0..4),
    ) {
        let sound = Preimage::of(&request(TEXT));
        let mut bytes = sound.as_bytes().to_vec();
        for (at, byte) in changes {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        bytes.truncate(cut);
        for (old, new) in [(&bytes[..], sound.as_bytes()), (sound.as_bytes(), &bytes)] {
            if let Ok(found) = differences(old, new, Names::default()) {
                prop_assert_eq!(found.is_empty(), old == new);
                found.iter().for_each(|difference| drop(difference.to_string()));
            }
        }
    }
}
