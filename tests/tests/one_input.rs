//! One input: `compile` is a pure function of its request, and all of the request is in the fingerprint.
//!
//! A table of edits that must not change the fingerprint, a table of edits that must, each field of each argument and each
//! option changed by itself, and the bytes that two threads and two processes make of one request.

use parloop_compiler::fingerprint::{Identity, Part, encode, parts};
use parloop_compiler::ir::{HostSymbol, Scalar};
use parloop_compiler::{
    Access, ArgSignature, ConstantDecl, DType, Effort, Fingerprint, FloatMode, IndexWidth,
    KernelText, Layout, Level, MapUse, Options, Preimage, Request, Source, Target, Workspace, abi,
    build_id, check_kernel, compile, compile_in,
};
use parloop_tests::case::Case;
use parloop_tests::child;
use parloop_tests::ways::{Mode, Native};
use parloop_tests::world::{Taste, World};
use std::collections::HashMap;
use std::fmt::Write;

const TEXT: &str = "\
// Flux of an edge.
#define HALF 0.5
static double scale(double x, double y) { return x * y; }
void flux(const double *x, const double *q, double *res, double *rms, const int *n) {
  double t[2] = {0.25, 1.0};
  double d = x[0] - q[1] * gam;
  int count = 3;
  for (int i = 0; i < 2; i++) {
    t[i] = scale(t[i], d) + HALF;
  }
  if (*n > count)
    res[0] += t[0];
  else
    res[1] -= t[1] / 3.0;
  *rms += d * d;
}
";

fn case() -> Case {
    Case::new(
        "flux",
        "read f64 1 at ends 0; read f64 2 through wide; inc f64 2 at ends 1; inc f64 1 global; read i32 1",
        TEXT,
    )
    .constant("gam f64 1.4")
}

/// What is edited, and how.
type Edit<T> = (&'static str, fn(&mut T));

/// What a request is made of.
#[derive(Clone)]
struct Input {
    text: String,
    function: Option<&'static str>,
    constants: Vec<ConstantDecl>,
    hosts: Vec<HostSymbol>,
    case: Case,
}

impl Input {
    fn plain() -> Input {
        Input {
            text: TEXT.to_owned(),
            function: None,
            constants: case().declarations(),
            hosts: Vec::new(),
            case: case(),
        }
    }

    fn request(&self) -> Request {
        let text = KernelText {
            text: &self.text,
            function: self.function,
            constants: &self.constants,
            hosts: &self.hosts,
        };
        let checked = check_kernel(&text).unwrap_or_else(|e| panic!("{e}\n{}", self.text));
        Request {
            kernel: checked.kernel,
            signature: self.case.signature(),
            options: Options::default(),
            target: Target { level: Level::V3 },
        }
    }

    fn fingerprint(&self) -> Fingerprint {
        Preimage::of(&self.request()).fingerprint()
    }
}

/// Edits of the text, each `(what, from, to)`; all places where `from` stands are changed.
const SAME: [(&str, &str, &str); 32] = [
    (
        "a comment edited",
        "Flux of an edge",
        "The flux, per edge; see \"notes\"",
    ),
    ("a comment removed", "// Flux of an edge.\n", ""),
    (
        "a comment in a statement",
        "q[1] * gam",
        "q[1] /* pressure */ * gam",
    ),
    (
        "a comment in the parameters",
        "double *rms, ",
        "double *rms /* sum */, ",
    ),
    ("indentation", "  ", "\t\t"),
    ("blank lines", ";\n", ";\n\n\n"),
    ("line ends of another system", "\n", "\r\n"),
    (
        "a statement over many lines",
        "scale(t[i], d) + HALF",
        "scale(\n t[i],\n d)\n + HALF",
    ),
    ("a local renamed", "count", "limit"),
    ("a local array renamed", "t[", "work["),
    ("a counter renamed", "i", "i"),
    ("a parameter renamed", "rms", "residual"),
    ("the kernel renamed", "flux", "edge_flux"),
    ("a helper renamed", "scale", "product"),
    ("a macro renamed", "HALF", "ONE_HALF"),
    ("a macro spelled out", " + HALF", " + 0.5"),
    (
        "a macro of an expression",
        "#define HALF 0.5",
        "#define TWO 2\n#define HALF 0.5",
    ),
    ("a literal with an exponent", "HALF 0.5", "HALF 5e-1"),
    ("a literal in hexadecimal", "0.25", "0x1p-2"),
    ("a literal without its last digit", "3.0", "3."),
    ("an integer in hexadecimal", "count = 3", "count = 0x3"),
    ("a literal that is converted", "0.25, 1.0", "0.25, 1"),
    ("parentheses", "q[1] * gam", "(((q[1]) * (gam)))"),
    ("braces", "res[0] += t[0];", "{ res[0] += t[0]; }"),
    ("an index for a star", "(*n >", "(n[0] >"),
    ("a star for an index", "x[0]", "*x"),
    ("a helper written out", "scale(t[i], d)", "t[i] * d"),
    ("an unsigned literal", "i < 2", "i < 2L"),
    ("the increment before", "i++", "++i"),
    ("qualifiers", "double *res,", "double *__restrict__ res,"),
    ("storage and inline", "void flux", "static inline void flux"),
    ("a const local", "double d =", "const double d ="),
];

/// Edits of the text that must show.
const OTHER: [(&str, &str, &str); 34] = [
    ("the last bit of a constant", "0.25", "0.25000000000000006"),
    (
        "the last bit of a macro",
        "HALF 0.5",
        "HALF 0.5000000000000001",
    ),
    ("the sign of a constant", "{0.25", "{-0.25"),
    ("a zero's sign", "1.0}", "-0.0}"),
    ("an operator", "x[0] - q[1]", "x[0] + q[1]"),
    ("an operator in a helper", "x * y", "x / y"),
    (
        "operands exchanged",
        "x[0] - q[1] * gam",
        "q[1] * gam - x[0]",
    ),
    (
        "a sum associated otherwise",
        "*rms += d * d",
        "*rms += d * d * d * 1.5",
    ),
    (
        "a product associated otherwise",
        "x[0] - q[1] * gam",
        "(x[0] - q[1]) * gam",
    ),
    ("a comparison", "*n > count", "*n >= count"),
    ("a bound", "i < 2", "i < 1"),
    ("a step", "i++", "i += 2"),
    ("a start", "i = 0", "i = 1"),
    ("an integer", "count = 3", "count = 4"),
    ("an index", "q[1]", "q[2]"),
    ("an index of a store", "res[0] += ", "res[1] += "),
    ("another parameter", "x[0] - q[1]", "q[0] - q[1]"),
    ("the branches exchanged", "(*n > count)", "(!(*n > count))"),
    (
        "a statement more",
        "*rms += d * d;",
        "*rms += d * d; res[1] += 1.0;",
    ),
    ("a statement less", "*rms += d * d;", ""),
    ("a type of a local", "double d =", "float d ="),
    ("the rounding of an expression", "= x[0]", "= (float)x[0]"),
    ("a type of a parameter", "const int *n", "const unsigned *n"),
    ("a value for a pointer", "*n", "n"),
    ("a function", "scale(t[i], d)", "fabs(scale(t[i], d))"),
    (
        "a function of the host",
        "scale(t[i], d)",
        "exp(scale(t[i], d))",
    ),
    (
        "another function of the host",
        "scale(t[i], d)",
        "sin(scale(t[i], d))",
    ),
    ("a literal of float", "3.0", "3.1f"),
    ("the same in double", "3.0", "3.1"),
    ("a return", "if (*n", "if (*n < 0) return;\n  if (*n"),
    (
        "a loop more",
        "  *rms",
        "  for (int j = 0; j < 3; j++)\n  *rms",
    ),
    ("a constant not used", "q[1] * gam", "q[1] * 1.4"),
    ("a constant read twice", "d * d", "d * gam"),
    (
        "a parameter's place",
        "const double *x, const double *q",
        "const double *q, const double *x",
    ),
];

#[test]
fn edits_that_change_no_code_change_no_fingerprint() {
    let plain = Input::plain().fingerprint();
    for (what, from, to) in SAME {
        let mut input = Input::plain();
        input.text = match what {
            "a counter renamed" => TEXT
                .replace("int i =", "int step =")
                .replace("i <", "step <")
                .replace("i++", "step++")
                .replace("t[i]", "t[step]"),
            "a local array renamed" => TEXT
                .replace("double t[", "double work[")
                .replace(" t[", " work[")
                .replace("(t[", "(work["),
            _ => TEXT.replace(from, to),
        };
        assert!(input.text != TEXT, "{what}: nothing edited");
        assert_eq!(input.fingerprint(), plain, "{what}");
    }
}

#[test]
fn what_lies_outside_of_the_text_and_changes_no_code_changes_no_fingerprint() {
    let plain = Input::plain().fingerprint();
    let decl = |name: &str| ConstantDecl {
        name: name.to_owned(),
        dtype: DType::F64,
        dim: 1,
        specialised: None,
    };
    let edits: [Edit<Input>; 5] = [
        ("the function named", |i| i.function = Some("flux")),
        ("a function that nobody calls", |i| {
            i.text += "static int other(int a) { return a + 1; }\n"
        }),
        ("an include", |i| {
            i.text.insert_str(0, "#include <math.h>\n#pragma once\n")
        }),
        ("data that nobody uses", |i| {
            i.text += "static const double unused[3] = {1, 2, 3};\n"
        }),
        ("a host function that nobody calls", |i| {
            i.hosts.push(HostSymbol {
                name: "viscosity".to_owned(),
                params: vec![Scalar::F64],
                result: Scalar::F64,
            });
        }),
    ];
    for (what, edit) in edits {
        let mut input = Input::plain();
        edit(&mut input);
        assert_eq!(input.fingerprint(), plain, "{what}");
    }
    let mut input = Input::plain();
    input.constants.insert(0, decl("alpha"));
    input.constants.push(decl("zeta"));
    assert_eq!(input.fingerprint(), plain, "constants that nobody reads");
    input
        .constants
        .iter_mut()
        .for_each(|c| c.name = c.name.replace("gam", "kappa"));
    input.text = TEXT.replace("gam", "kappa");
    assert_eq!(input.fingerprint(), plain, "a constant renamed");
}

#[test]
fn edits_of_the_text_that_change_the_code_change_the_fingerprint() {
    let mut seen = HashMap::from([(Input::plain().fingerprint(), "the plain text")]);
    for (what, from, to) in OTHER {
        let mut input = Input::plain();
        input.text = TEXT.replace(from, to);
        assert!(input.text != TEXT, "{what}: nothing edited");
        if let Some(before) = seen.insert(input.fingerprint(), what) {
            panic!("`{what}` has the fingerprint of `{before}`");
        }
    }
}

#[test]
fn constants_count_by_type_dim_and_folded_value() {
    let mut seen = HashMap::from([(Input::plain().fingerprint(), "read at each run".to_owned())]);
    let mut check = |what: &str, edit: &dyn Fn(&mut ConstantDecl)| {
        let mut input = Input::plain();
        edit(&mut input.constants[0]);
        if input.constants[0].dim > 1 {
            input.text = TEXT.replace("gam", "gam[0]");
        }
        if let Some(before) = seen.insert(input.fingerprint(), what.to_owned()) {
            panic!("`{what}` has the fingerprint of `{before}`");
        }
    };
    check("another type", &|c| c.dtype = DType::F32);
    check("two values", &|c| c.dim = 2);
    check("three values", &|c| c.dim = 3);
    check("folded", &|c| c.specialised = Some(vec![1.4_f64.to_bits()]));
    check("folded, one bit further", &|c| {
        c.specialised = Some(vec![1.4_f64.to_bits() + 1])
    });
}

/// Fields of an argument, each changed by itself.
fn argument_edits(arg: &ArgSignature) -> Vec<(String, ArgSignature)> {
    let mut edits = Vec::new();
    let mut edit = |what: String, change: &dyn Fn(&mut ArgSignature)| {
        let mut other = *arg;
        change(&mut other);
        if other != *arg {
            edits.push((what, other));
        }
    };
    for dtype in DType::ALL {
        edit(format!("type {dtype}"), &|a| a.dtype = dtype);
    }
    for access in Access::ALL {
        edit(format!("access {access}"), &|a| a.access = access);
    }
    for layout in [Layout::Aos, Layout::Soa, Layout::Strided] {
        edit(format!("layout {layout:?}"), &|a| a.layout = layout);
    }
    edit("dim".to_owned(), &|a| a.dim += 1);
    edit("dat".to_owned(), &|a| a.dat += 1);
    let map = arg.source.map().unwrap_or(MapUse {
        slot: 7,
        arity: 2,
        width: IndexWidth::I32,
        partial: false,
    });
    let maps = [
        (
            "map slot",
            MapUse {
                slot: map.slot + 5,
                ..map
            },
        ),
        (
            "arity",
            MapUse {
                arity: map.arity + 1,
                ..map
            },
        ),
        (
            "partial",
            MapUse {
                partial: !map.partial,
                ..map
            },
        ),
        (
            "width",
            MapUse {
                width: if map.width == IndexWidth::I32 {
                    IndexWidth::I64
                } else {
                    IndexWidth::I32
                },
                ..map
            },
        ),
    ];
    for (what, source) in [
        ("direct", Source::Direct),
        ("global", Source::Global),
        ("element", Source::Element),
        ("at 0", Source::At(map, 0)),
        ("at 1", Source::At(map, 1)),
        ("through", Source::Through(map)),
        ("1 row", Source::Rows(1)),
        ("4 rows", Source::Rows(4)),
    ] {
        edit(what.to_owned(), &|a| a.source = source);
    }
    for (what, map) in maps {
        edit(format!("{what} at"), &|a| a.source = Source::At(map, 0));
        edit(format!("{what} through"), &|a| {
            a.source = Source::Through(map)
        });
    }
    edits
}

#[test]
fn each_field_of_each_argument_changes_the_fingerprint_and_no_part_but_the_argument() {
    let plain = Input::plain().request();
    let preimage = Preimage::of(&plain);
    let mut seen = HashMap::from([(preimage.fingerprint(), "plain".to_owned())]);
    for index in 0..plain.signature.args.len() {
        for (what, arg) in argument_edits(&plain.signature.args[index]) {
            let what = format!("argument {index}: {what}");
            let mut request = plain.clone();
            request.signature.args[index] = arg;
            let other = Preimage::of(&request);
            assert_eq!(changed_parts(&preimage, &other), [Part::Argument], "{what}");
            if let Some(before) = seen.insert(other.fingerprint(), what.clone()) {
                panic!("`{what}` has the fingerprint of `{before}`");
            }
        }
    }
    assert!(seen.len() > 100, "{}", seen.len());
}

fn changed_parts(one: &Preimage, other: &Preimage) -> Vec<Part> {
    let (one, other) = (
        parts(one.as_bytes()).unwrap(),
        parts(other.as_bytes()).unwrap(),
    );
    assert_eq!(one.len(), other.len());
    let pairs = one.iter().zip(&other).filter(|(a, b)| a != b);
    pairs.map(|(a, _)| a.0).collect()
}

#[test]
fn sharing_a_dat_or_a_map_changes_the_fingerprint() {
    let text = "void k(const double *a, const double *b, double *c) { c[0] += a[0] * b[0]; }";
    let kernels = [
        "read f64 1 at ends 0 of p; read f64 1 at ends 1 of p; inc f64 1 at ends 0 of r",
        "read f64 1 at ends 0 of p; read f64 1 at ends 1 of q; inc f64 1 at ends 0 of r",
        "read f64 1 at ends 0 of p; read f64 1 at holes 1 of p; inc f64 1 at ends 0 of r",
        "read f64 1 at ends 0 of p; read f64 1 at wide 1 of p; inc f64 1 at ends 0 of r",
        "read f64 1 at ends 0 of p; read f64 1 at wide 1 of p; inc f64 1 at wide 0 of r",
    ];
    let fingerprints = kernels.map(|args| {
        let mut input = Input::plain();
        (input.text, input.case) = (text.to_owned(), Case::new("", args, text));
        input.fingerprint()
    });
    for (i, one) in fingerprints.iter().enumerate() {
        assert!(
            fingerprints[..i].iter().all(|other| other != one),
            "{}",
            kernels[i]
        );
    }
}

#[test]
fn options_levels_conflicts_and_the_compiler_change_the_fingerprint_and_nothing_else_does() {
    let plain = Input::plain().request();
    let here = Identity {
        build_id: build_id().to_owned(),
        abi: abi::VERSION,
    };
    let preimage = encode(&plain, &here);
    assert_eq!(preimage, Preimage::of(&plain));
    let mut seen = HashMap::from([(preimage.fingerprint(), "plain".to_owned())]);
    let mut check = |what: &str, request: &Request, identity: &Identity, part: Part| {
        let other = encode(request, identity);
        assert_eq!(changed_parts(&preimage, &other), [part], "{what}");
        if let Some(before) = seen.insert(other.fingerprint(), what.to_owned()) {
            panic!("`{what}` has the fingerprint of `{before}`");
        }
    };
    let options: [Edit<Options>; 8] = [
        ("strict", |o| o.float = FloatMode::Strict),
        ("reassociate", |o| o.float = FloatMode::Reassociate),
        ("speed", |o| o.effort = Effort::Speed),
        ("one lane", |o| o.lanes = 1),
        ("two lanes", |o| o.lanes = 2),
        ("unroll less", |o| o.unroll = 15),
        ("unroll nothing", |o| o.unroll = 0),
        ("unroll far", |o| o.unroll = u16::MAX),
    ];
    for (what, edit) in options {
        let mut request = plain.clone();
        edit(&mut request.options);
        check(what, &request, &here, Part::Options);
    }
    for level in Level::ALL.into_iter().filter(|l| *l != Level::V3) {
        let mut request = plain.clone();
        request.target.level = level;
        check(level.name(), &request, &here, Part::Target);
    }
    let mut request = plain.clone();
    request.signature.allow_conflicts = true;
    check("conflicts", &request, &here, Part::Iteration);
    let other = Identity {
        build_id: format!("{}x", here.build_id),
        ..here.clone()
    };
    check("another compiler", &plain, &other, Part::Compiler);
    let other = Identity {
        abi: here.abi + 1,
        ..here.clone()
    };
    check("another ABI", &plain, &other, Part::Abi);
}

#[test]
fn the_engine_asks_with_exactly_this_input_whatever_the_mesh_cache_or_thread() {
    let case = case();
    let mode = Mode::native(FloatMode::Contract);
    let front = case.check().unwrap();
    let fingerprint = Preimage::of(&parloop_tests::ways::request(&front, mode)).fingerprint();
    let key = parloop_cache::Key::new(fingerprint.0).to_string();
    for size in [0, 1, 40] {
        let world = World::new(&case, size, Taste::Plain, 3);
        assert_eq!(
            Native::new(&case, mode).fingerprint(&world).unwrap(),
            key,
            "{size} elements"
        );
    }
    let directory = tempfile::tempdir().unwrap();
    let engine = parloop::Engine::builder()
        .cache_dir(directory.path().join("elsewhere"))
        .build()
        .unwrap();
    let native = Native::with(engine, &case);
    let world = World::new(&case, 5, Taste::Plain, 3);
    let there = std::thread::scope(|s| s.spawn(|| native.fingerprint(&world)).join().unwrap());
    assert_eq!(there.unwrap(), key);
}

/// Some requests of many shapes, and the digest of what each compiles to.
fn digests() -> Vec<String> {
    digests_by(|request| compile(request).unwrap().object)
}

fn digests_by(mut compile: impl FnMut(&Request) -> Vec<u8>) -> Vec<String> {
    let corpora = [
        include_str!("../corpus/statements.c"),
        include_str!("../corpus/accesses.c"),
        include_str!("../corpus/math.c"),
    ];
    let mut digests = Vec::new();
    for case in corpora.into_iter().flat_map(Case::corpus) {
        let front = case.check().unwrap();
        for float in [
            FloatMode::Strict,
            FloatMode::Contract,
            FloatMode::Reassociate,
        ] {
            let request = parloop_tests::ways::request(&front, Mode::native(float));
            let object = compile(&request);
            let mut hex = String::new();
            // FNV-1a, so that the two processes need to share nothing but this line.
            let hash = object.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
                (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3)
            });
            write!(
                hex,
                "{} {} {hash:016x}",
                Preimage::of(&request).fingerprint(),
                object.len()
            )
            .unwrap();
            digests.push(hex);
        }
    }
    digests
}

#[test]
fn memory_that_others_have_worked_in_makes_the_same_bytes() {
    let mut workspace = Workspace::default();
    let again = digests_by(|request| compile_in(&mut workspace, request).unwrap().object);
    assert_eq!(again, digests());
}

#[test]
fn two_threads_and_two_processes_make_the_same_bytes() {
    if child::word().is_some() {
        digests().iter().for_each(child::say);
        return;
    }
    let here = digests();
    let there = std::thread::scope(|scope| {
        let threads = [scope.spawn(digests), scope.spawn(digests)];
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(there, [here.clone(), here.clone()], "threads");
    let name = "two_threads_and_two_processes_make_the_same_bytes";
    assert_eq!(child::run(name, "compile"), here, "another process");
}
