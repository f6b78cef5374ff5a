//! The encoding of requests: every field is in it, it comes back as it was, and no bytes do harm.

use parloop_compiler::fingerprint::{Identity, Part, decode_request, encode, parts};
use parloop_compiler::ir::{
    BinaryOp, CompareOp, Kernel, Op, Passing, Place, Scalar, Stmt, UnaryOp, read_kernel,
};
use parloop_compiler::{
    Access, ArgSignature, ConstantDecl, DType, DecodeError, Diagnostic, Effort, Fingerprint,
    FloatMode, IndexWidth, Iteration, KernelText, Layout, Level, MapUse, Options, ParamInfo,
    Preimage, Request, Shortcut, ShortcutRecord, Signature, Source, Span, Target, TextDigest,
    build_id,
};
use std::collections::BTreeMap;

fn map() -> MapUse {
    MapUse {
        slot: 0,
        arity: 2,
        width: IndexWidth::I32,
        partial: false,
    }
}

fn arg(source: Source, access: Access, dat: u16) -> ArgSignature {
    ArgSignature {
        source,
        dtype: DType::F64,
        dim: 4,
        layout: Layout::Aos,
        access,
        dat,
    }
}

fn kernel() -> Kernel {
    read_kernel(include_str!("ir/every_op.kernel")).unwrap()
}

fn request() -> Request {
    Request {
        kernel: kernel(),
        signature: Signature {
            iteration: Iteration::Elements,
            args: vec![
                arg(Source::Direct, Access::Read, 0),
                arg(Source::At(map(), 1), Access::Inc, 1),
                arg(Source::Through(map()), Access::Read, 2),
                arg(Source::Global, Access::Min, 3),
            ],
            allow_conflicts: false,
        },
        options: Options::default(),
        target: Target { level: Level::V3 },
    }
}

fn identity() -> Identity {
    Identity {
        build_id: "1".into(),
        abi: 1,
    }
}

/// Gives `Place`s of a load to edit.
fn place(kernel: &mut Kernel, wanted: impl Fn(&Place) -> bool) -> &mut Place {
    let mut ops = kernel.body.values.values_mut().map(|i| &mut i.op);
    ops.find_map(|op| match op {
        Op::Load { place, .. } if wanted(place) => Some(place),
        _ => None,
    })
    .unwrap()
}

fn op(kernel: &mut Kernel, wanted: impl Fn(&Op) -> bool) -> &mut Op {
    kernel
        .body
        .values
        .values_mut()
        .map(|i| &mut i.op)
        .find(|op| wanted(op))
        .unwrap()
}

type Edit = (&'static str, fn(&mut Request));

const EDITS: &[Edit] = &[
    ("dtype", |r| r.signature.args[0].dtype = DType::F32),
    ("dtype of the same size", |r| {
        r.signature.args[0].dtype = DType::I64
    }),
    ("dim", |r| r.signature.args[0].dim = 5),
    ("layout", |r| r.signature.args[0].layout = Layout::Soa),
    ("access", |r| r.signature.args[0].access = Access::Rw),
    ("dat slot", |r| r.signature.args[1].dat = 0),
    ("source", |r| r.signature.args[0].source = Source::Global),
    ("element", |r| r.signature.args[0].source = Source::Element),
    ("by value", |r| r.signature.args[0].source = Source::Value),
    ("rows", |r| r.signature.args[0].source = Source::Rows(1)),
    ("more rows", |r| {
        r.signature.args[0].source = Source::Rows(2)
    }),
    ("form", |r| r.signature.iteration = Iteration::Function),
    ("entry", |r| {
        r.signature.args[1].source = Source::At(map(), 0)
    }),
    ("through", |r| {
        r.signature.args[1].source = Source::Through(map())
    }),
    ("map slot", |r| {
        r.signature.args[1].source = Source::At(MapUse { slot: 1, ..map() }, 1)
    }),
    ("arity", |r| {
        r.signature.args[1].source = Source::At(MapUse { arity: 3, ..map() }, 1)
    }),
    ("width", |r| {
        r.signature.args[1].source = Source::At(
            MapUse {
                width: IndexWidth::I64,
                ..map()
            },
            1,
        );
    }),
    ("partial", |r| {
        r.signature.args[1].source = Source::At(
            MapUse {
                partial: true,
                ..map()
            },
            1,
        )
    }),
    ("an argument more", |r| {
        r.signature.args.push(arg(Source::Direct, Access::Read, 0))
    }),
    ("an argument less", |r| r.signature.args.truncate(3)),
    ("two arguments swapped", |r| r.signature.args.swap(0, 1)),
    ("conflicts", |r| r.signature.allow_conflicts = true),
    ("float mode", |r| r.options.float = FloatMode::Strict),
    ("effort", |r| r.options.effort = Effort::Speed),
    ("lanes", |r| r.options.lanes = 2),
    ("unroll", |r| r.options.unroll = 17),
    ("baseline", |r| r.target.level = Level::Baseline),
    ("v2", |r| r.target.level = Level::V2),
    ("v4", |r| r.target.level = Level::V4),
    ("aarch64", |r| r.target.level = Level::Aarch64),
    ("passing", |r| r.kernel.params[0].passing = Passing::Rows),
    ("type of a parameter", |r| {
        r.kernel.params[0].scalar = Scalar::F32
    }),
    ("a parameter less", |r| r.kernel.params.truncate(3)),
    ("type of a kernel constant", |r| {
        r.kernel.constants[0].scalar = Scalar::F32
    }),
    ("dim of a kernel constant", |r| {
        r.kernel.constants[0].dim = 3
    }),
    ("last bit of a literal", |r| {
        *op(&mut r.kernel, |op| matches!(op, Op::Const(b) if *b > 8)) =
            Op::Const(0x3ff8000000000001);
    }),
    ("sign of zero", |r| {
        *op(&mut r.kernel, |op| *op == Op::Const(0)) = Op::Const(1 << 63)
    }),
    ("last bit of a table", |r| {
        let table = r.kernel.body.tables.keys().next().unwrap();
        r.kernel.body.tables[table].bits[1] ^= 1;
    }),
    ("type of a table", |r| {
        let table = r.kernel.body.tables.keys().next().unwrap();
        r.kernel.body.tables[table].scalar = Scalar::I64;
    }),
    ("type of a variable", |r| {
        let var = r.kernel.body.vars.keys().next().unwrap();
        r.kernel.body.vars[var].scalar = Scalar::F32;
    }),
    ("lanes of a variable", |r| {
        let var = r.kernel.body.vars.keys().next().unwrap();
        r.kernel.body.vars[var].lanes = 2;
    }),
    ("length of an array", |r| {
        let array = r.kernel.body.arrays.keys().next().unwrap();
        r.kernel.body.arrays[array].len = 9;
    }),
    ("type of an array", |r| {
        let array = r.kernel.body.arrays.keys().next().unwrap();
        r.kernel.body.arrays[array].scalar = Scalar::I64;
    }),
    ("name of a host function", |r| {
        let symbol = r.kernel.body.symbols.keys().next().unwrap();
        r.kernel.body.symbols[symbol].name.push('2');
    }),
    ("parameters of a host function", |r| {
        let symbol = r.kernel.body.symbols.keys().next().unwrap();
        r.kernel.body.symbols[symbol].params.push(Scalar::F64);
    }),
    ("result of a host function", |r| {
        let symbol = r.kernel.body.symbols.keys().next().unwrap();
        r.kernel.body.symbols[symbol].result = Scalar::F32;
    }),
    ("an operator of one operand", |r| {
        let Op::Unary(op, _) = op(&mut r.kernel, |op| matches!(op, Op::Unary(..))) else {
            return;
        };
        *op = UnaryOp::Abs;
    }),
    ("an operator of two operands", |r| {
        let Op::Binary(op, ..) = op(&mut r.kernel, |op| matches!(op, Op::Binary(..))) else {
            return;
        };
        *op = BinaryOp::Rem;
    }),
    ("the order of operands", |r| {
        let Op::Binary(_, a, b) = op(&mut r.kernel, |op| matches!(op, Op::Binary(..))) else {
            return;
        };
        std::mem::swap(a, b);
    }),
    ("a comparison", |r| {
        let Op::Compare(op, ..) = op(&mut r.kernel, |op| matches!(op, Op::Compare(..))) else {
            return;
        };
        *op = CompareOp::Le;
    }),
    ("a guard's length", |r| {
        let Op::CheckIndex { len, .. } =
            op(&mut r.kernel, |op| matches!(op, Op::CheckIndex { .. }))
        else {
            return;
        };
        *len = 9;
    }),
    ("a lane", |r| {
        let Op::Lane(_, lane) = op(&mut r.kernel, |op| matches!(op, Op::Lane(..))) else {
            return;
        };
        *lane = 0;
    }),
    ("a mask", |r| {
        let Op::Shuffle(_, _, mask) = op(&mut r.kernel, |op| matches!(op, Op::Shuffle(..))) else {
            return;
        };
        mask[0] = 2;
    }),
    ("a parameter's place", |r| {
        *place(&mut r.kernel, |p| matches!(p, Place::Param(_))) = Place::Param(3);
    }),
    ("a constant's place", |r| {
        *place(&mut r.kernel, |p| matches!(p, Place::Constant(_))) = Place::Constant(1);
    }),
    ("a kind of place", |r| {
        *place(&mut r.kernel, |p| matches!(p, Place::Constant(0))) = Place::Param(0);
    }),
    ("a site", |r| r.kernel.body.sites += 1),
    ("a label", |r| r.kernel.body.labels += 1),
    ("a statement less", |r| drop(r.kernel.body.root.pop())),
    ("a statement twice", |r| {
        let last = r.kernel.body.root.last().unwrap().clone();
        r.kernel.body.root.push(last);
    }),
    ("a step", |r| {
        let for_of = |s: &mut Stmt| {
            if let Stmt::For(data) = s {
                data.step = 2
            }
        };
        r.kernel.body.root.iter_mut().for_each(for_of);
    }),
    ("a branch", |r| {
        let cond = r.kernel.body.values.keys().nth(5).unwrap();
        r.kernel.body.root.push(Stmt::If {
            cond,
            then: vec![],
            other: vec![],
        });
    }),
    ("a statement moved out of a branch", |r| {
        let Some(Stmt::Block { body, .. }) = r.kernel.body.root.last_mut() else {
            return;
        };
        let last = body.pop().unwrap();
        r.kernel.body.root.push(last);
    }),
];

#[test]
fn every_edit_of_a_request_gives_other_bytes() {
    let mut seen: BTreeMap<Vec<u8>, &str> = BTreeMap::new();
    seen.insert(Preimage::of(&request()).into_bytes(), "unchanged");
    for (name, edit) in EDITS {
        let mut edited = request();
        edit(&mut edited);
        let bytes = Preimage::of(&edited).into_bytes();
        assert_eq!(seen.insert(bytes, name), None, "{name}");
    }
    for identity in [
        identity(),
        Identity {
            abi: 2,
            ..identity()
        },
        Identity {
            build_id: "2".into(),
            abi: 1,
        },
    ] {
        let bytes = encode(&request(), &identity).into_bytes();
        assert_eq!(seen.insert(bytes, "identity"), None, "{identity:?}");
    }
}

#[test]
fn what_is_encoded_is_decoded() {
    for (name, edit) in EDITS {
        let mut edited = request();
        edit(&mut edited);
        let preimage = encode(&edited, &identity());
        assert_eq!(
            decode_request(preimage.as_bytes()),
            Ok((edited, identity())),
            "{name}"
        );
    }
    let (_, this) = decode_request(Preimage::of(&request()).as_bytes()).unwrap();
    assert_eq!(this.build_id, build_id());
}

#[test]
fn no_bytes_do_harm_and_what_is_decoded_is_encoded_the_same() {
    let check = |bytes: &[u8]| {
        if let Ok((request, identity)) = decode_request(bytes) {
            assert_eq!(encode(&request, &identity).as_bytes(), bytes);
        }
    };
    let bytes = encode(&request(), &identity()).into_bytes();
    for end in 0..bytes.len() {
        assert!(decode_request(&bytes[..end]).is_err(), "{end}");
    }
    for at in 0..bytes.len() {
        for flip in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
            let mut edited = bytes.clone();
            edited[at] ^= flip;
            check(&edited);
        }
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(decode_request(&longer).is_err());
    let mut newer = bytes;
    newer[8] = 0xff;
    assert_eq!(decode_request(&newer), Err(DecodeError::Version(0xff)));
}

#[test]
fn blocks_nested_beyond_the_limit_are_refused() {
    let mut request = request();
    let label = request.kernel.body.label();
    for _ in 0..600 {
        let body = std::mem::take(&mut request.kernel.body.root);
        request.kernel.body.root = vec![Stmt::Block { label, body }];
    }
    let preimage = Preimage::of(&request);
    assert_eq!(
        decode_request(preimage.as_bytes()),
        Err(DecodeError::TooDeep)
    );
}

#[test]
fn two_requests_can_be_compared_part_by_part() {
    let mut edited = request();
    edited.signature.args[2].dim = 1;
    edited.options.unroll = 1;
    let (old, new) = (Preimage::of(&request()), Preimage::of(&edited));
    let (old, new) = (
        parts(old.as_bytes()).unwrap(),
        parts(new.as_bytes()).unwrap(),
    );
    let differ = old.iter().zip(&new).filter(|(a, b)| a != b);
    let names: Vec<&str> = differ.map(|((part, _), _)| part.name()).collect();
    assert_eq!(names, ["options", "argument"]);
    assert_eq!(old.iter().filter(|(p, _)| *p == Part::Argument).count(), 4);
}

#[test]
fn a_fingerprint_is_read_as_it_is_written() {
    let fingerprint = Preimage::of(&request()).fingerprint();
    let text = fingerprint.to_string();
    assert_eq!(text.len(), 64);
    assert_eq!(text.parse(), Ok(fingerprint));
    assert!(text[1..].parse::<Fingerprint>().is_err());
    assert!(format!("x{}", &text[1..]).parse::<Fingerprint>().is_err());
}

#[test]
fn every_input_of_the_front_end_is_in_the_shortcut() {
    let constant = |name: &str, dtype, dim, specialised| ConstantDecl {
        name: name.into(),
        dtype,
        dim,
        specialised,
    };
    let host = kernel().body.symbols.values().next().unwrap().clone();
    let hosts = [host];
    let plain = [constant("gam", DType::F64, 1, None)];
    let texts: Vec<(&str, Option<&str>, Vec<ConstantDecl>, &[_])> = vec![
        ("void f() {}", None, plain.to_vec(), &hosts),
        ("void f() {} ", None, plain.to_vec(), &hosts),
        ("void f() {}", Some("f"), plain.to_vec(), &hosts),
        ("void f() {}", Some(""), plain.to_vec(), &hosts),
        ("void f() {}", None, vec![], &hosts),
        (
            "void f() {}",
            None,
            vec![constant("gan", DType::F64, 1, None)],
            &hosts,
        ),
        (
            "void f() {}",
            None,
            vec![constant("gam", DType::F32, 1, None)],
            &hosts,
        ),
        (
            "void f() {}",
            None,
            vec![constant("gam", DType::F64, 2, None)],
            &hosts,
        ),
        (
            "void f() {}",
            None,
            vec![constant("gam", DType::F64, 1, Some(vec![]))],
            &hosts,
        ),
        (
            "void f() {}",
            None,
            vec![constant("gam", DType::F64, 1, Some(vec![0]))],
            &hosts,
        ),
        (
            "void f() {}",
            None,
            vec![constant("gam", DType::F64, 1, Some(vec![1 << 63]))],
            &hosts,
        ),
        ("void f() {}", None, plain.to_vec(), &[]),
    ];
    let Request {
        signature,
        options,
        target,
        ..
    } = request();
    let mut seen = BTreeMap::new();
    for (text, function, constants, hosts) in &texts {
        let text = KernelText {
            text,
            function: *function,
            constants,
            hosts,
        };
        let shortcut = Shortcut::of(
            &text,
            &TextDigest::of(text.text),
            &signature,
            &options,
            &target,
        );
        assert_eq!(
            seen.insert(shortcut.key, shortcut.preimage),
            None,
            "{text:?}"
        );
    }
    let text = KernelText {
        text: texts[0].0,
        function: None,
        constants: &plain,
        hosts: &hosts,
    };
    for (name, edit) in &EDITS[..28] {
        let mut edited = request();
        edit(&mut edited);
        let whole = TextDigest::of(text.text);
        let shortcut = Shortcut::of(
            &text,
            &whole,
            &edited.signature,
            &edited.options,
            &edited.target,
        );
        assert_eq!(seen.insert(shortcut.key, shortcut.preimage), None, "{name}");
    }
}

fn record() -> ShortcutRecord {
    let param = |name: &str, dtype, extents| ParamInfo {
        name: name.into(),
        passing: Passing::Pointer,
        dtype,
        extents,
        is_const: true,
        is_restrict: dtype.is_some(),
        read: true,
        written: false,
    };
    let span = Span { start: 3, end: 9 };
    ShortcutRecord {
        request_fingerprint: Preimage::of(&request()).fingerprint(),
        name: "res_calc".into(),
        params: vec![
            param("x", Some(DType::F64), vec![None, Some(2)]),
            param("", None, vec![]),
        ],
        constants: vec!["gam".into(), "eps".into()],
        warnings: vec![
            Diagnostic::warning("unused", span, "`é` is not used").with_help("drop it"),
            Diagnostic::warning("shadow", span, "again").with_related(span, "here"),
        ],
    }
}

#[test]
fn a_shortcut_record_comes_back_as_it_was_and_no_bytes_do_harm() {
    let bytes = record().encode();
    assert_eq!(ShortcutRecord::decode(&bytes), Ok(record()));
    for end in 0..bytes.len() {
        assert!(ShortcutRecord::decode(&bytes[..end]).is_err());
    }
    for at in 0..bytes.len() {
        for flip in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
            let mut edited = bytes.clone();
            edited[at] ^= flip;
            if let Ok(record) = ShortcutRecord::decode(&edited) {
                assert_eq!(record.encode(), edited);
            }
        }
    }
}

#[allow(
    dead_code,
    clippy::print_stdout,
    reason = "the build script's own entry is not called"
)]
#[path = "../build.rs"]
mod build_script;

#[test]
fn the_build_id_is_that_of_the_sources_and_stable() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let id = build_script::build_id(root, env!("CARGO_PKG_VERSION")).unwrap();
    assert_eq!(id, build_id());
    assert_eq!(
        id,
        build_script::build_id(root, env!("CARGO_PKG_VERSION")).unwrap()
    );
    let (version, hash) = id.split_once('+').unwrap();
    assert_eq!((version, hash.len()), (env!("CARGO_PKG_VERSION"), 64));
}

#[test]
fn the_build_id_of_a_packaged_crate_comes_from_its_pins() {
    let root = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("packaged");
    std::fs::create_dir_all(root.join("src/deep")).unwrap();
    let names = "codegen entity frontend module object";
    let pins = |object: &str| {
        let cranelift = names.split(' ').map(|name| format!("cranelift-{name}"));
        let all = cranelift.chain(["regalloc2", "target-lexicon"].map(str::to_owned));
        let tables = all.map(|name| {
            format!("[dependencies.{name}]\nversion = \"=0.135.8\"\nfeatures = [\n]\n\n")
        });
        format!(
            "[package]\n\n{}[dependencies.object]\nversion = \"{object}\"\n",
            tables.collect::<String>()
        )
    };
    let id = |object: &str, source: &str| {
        std::fs::write(root.join("Cargo.toml"), pins(object)).unwrap();
        std::fs::write(root.join("build.rs"), "").unwrap();
        std::fs::write(root.join("src/deep/a.rs"), source).unwrap();
        build_script::build_id(&root, "0.1.0").map_err(|e| e.to_string())
    };
    let first = id("=0.39.1", "1").unwrap();
    assert_eq!(id("=0.39.1", "1").unwrap(), first);
    assert_ne!(id("=0.39.1", "2").unwrap(), first);
    assert_ne!(id("=0.39.2", "1").unwrap(), first);
    let unpinned = id("0.39.1", "1").unwrap_err();
    assert_eq!(
        unpinned,
        "object has no version in the lock file and no `=` pin"
    );
}
