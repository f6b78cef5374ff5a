//! What is done with an input: everything that a compilation does, and what tools do beside it.

use parloop_compiler::fingerprint::{self, decode_request};
use parloop_compiler::ir::{Kernel, Passing, read_kernel, read_loop, verify_kernel, verify_loop};
use parloop_compiler::{
    Access, ArgSignature, CheckedKernel, CompileError, ConstantDecl, DType, Effort, Extent,
    FloatMode, IndexWidth, Iteration, KernelText, Layout, Level, MapUse, Options, Preimage,
    Request, Signature, Source, Target, check_kernel, compile, dump_c, function_signature,
    kernel_functions, syntax,
};
use parloop_tests::world::Dice;
use std::fs;
use std::path::Path;

/// What an input is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    C,
    Kernel,
    Loop,
    Request,
}

/// An input.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) kind: Kind,
    pub(crate) content: Vec<u8>,
    /// Draws signature, options and target.
    pub(crate) choices: u64,
}

const EXTENSIONS: [(Kind, &str); 4] = [
    (Kind::C, "c"),
    (Kind::Kernel, "kernel"),
    (Kind::Loop, "loop"),
    (Kind::Request, "request"),
];

impl Input {
    /// A file, its kind by its name; the choices stand before the last dot but one, `NAME.CHOICES.EXTENSION`.
    pub(crate) fn read(path: &Path) -> Input {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (stem, extension) = name.rsplit_once('.').unwrap();
        let kind = EXTENSIONS.iter().find(|e| e.1 == extension);
        Input {
            kind: kind.unwrap_or_else(|| panic!("what is {name}?")).0,
            content: fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())),
            choices: stem
                .rsplit_once('.')
                .and_then(|s| s.1.parse().ok())
                .unwrap_or(0),
        }
    }

    /// How its file's name ends.
    pub(crate) fn extension(&self) -> String {
        let extension = EXTENSIONS.iter().find(|e| e.0 == self.kind).unwrap().1;
        format!("{}.{extension}", self.choices)
    }

    pub(crate) fn is_binary(&self) -> bool {
        self.kind == Kind::Request
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }
}

/// Some options and a target.
fn options(dice: &mut Dice) -> (Options, Target) {
    let options = Options {
        float: if dice.below(2) == 0 {
            FloatMode::Strict
        } else {
            FloatMode::Contract
        },
        effort: if dice.below(4) == 0 {
            Effort::Speed
        } else {
            Effort::None
        },
        lanes: 1,
        unroll: [16, 16, 0, 4, 64][dice.below(5) as usize],
    };
    let level = Level::ALL[dice.below(Level::ALL.len() as u64) as usize];
    (options, Target { level })
}

/// A signature that may fit the kernel.
fn signature(kernel: &Kernel, dice: &mut Dice) -> Signature {
    let tame = dice.below(2) == 0;
    let map = MapUse {
        slot: 0,
        arity: 3,
        width: [IndexWidth::I32, IndexWidth::I64][dice.below(2) as usize],
        partial: dice.below(4) == 0,
    };
    let mut arg = |(i, param): (usize, &parloop_compiler::ir::Param)| {
        // One in a hundred says that the map is another.
        let arity = map.arity + u16::from(dice.below(100) == 0);
        let map = MapUse { arity, ..map };
        let source = match (param.passing, dice.below(8)) {
            (Passing::Rows, _) => Source::Through(map),
            (_, 0) => Source::At(map, dice.below(3) as u16),
            (_, 1) => Source::Through(map),
            (Passing::Value, 2) => Source::Element,
            (Passing::Value, _) | (_, 3) => Source::Global,
            _ => Source::Direct,
        };
        let read = param.passing == Passing::Value;
        let access = match (read, tame) {
            (true, _) => Access::Read,
            (false, true) => Access::Rw,
            _ => Access::ALL[dice.below(6) as usize],
        };
        ArgSignature {
            source,
            dtype: DType::ALL
                .into_iter()
                .find(|d| d.scalar() == param.scalar)
                .unwrap_or(DType::F64),
            dim: if read {
                1
            } else {
                [8, 8, 16, 1, 3, 100][dice.below(6) as usize]
            },
            layout: Layout::Aos,
            access,
            dat: if source == Source::Element {
                0
            } else {
                i as u16
            },
        }
    };
    Signature {
        iteration: Iteration::Elements,
        args: kernel.params.iter().enumerate().map(&mut arg).collect(),
        allow_conflicts: dice.below(4) == 0,
    }
}

/// Compiles; what comes of it in a word or two.
fn object(request: &Request) -> String {
    let preimage = Preimage::of(request);
    let (again, _) = decode_request(preimage.as_bytes()).expect("what is encoded is decoded");
    assert_eq!(Preimage::of(&again), preimage);
    match compile(request) {
        Ok(compiled) => {
            assert!(!compiled.object.is_empty());
            // Roughly how much code: by a quarter of a power of two.
            format!(
                "compiled {}",
                (compiled.clif_instructions as f64).log2().mul_add(4.0, 0.0) as u32
            )
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            format!("not compiled: {}", code(&error))
        }
    }
}

/// An error without its numbers.
fn code(error: &CompileError) -> String {
    error
        .to_string()
        .chars()
        .filter(|c| !c.is_ascii_digit())
        .take(60)
        .collect()
}

fn request(kernel: &Kernel, signature: Signature, dice: &mut Dice) -> Request {
    let (options, target) = options(dice);
    Request {
        kernel: kernel.clone(),
        signature,
        options,
        target,
    }
}

/// What is declared for every text: a value, a table and one that is folded.
pub(crate) fn constants() -> Vec<ConstantDecl> {
    let constant = |name: &str, dtype, dim, specialised| ConstantDecl {
        name: name.into(),
        dtype,
        dim,
        specialised,
    };
    vec![
        constant("count", DType::I32, 1, None),
        constant("folded", DType::I32, 1, Some(vec![3])),
        constant("gam", DType::F64, 1, None),
        constant("gm1", DType::F64, 1, None),
        constant("qinf", DType::F64, 4, None),
        constant("table", DType::F64, 3, None),
    ]
}

/// A text: every kernel of it, or what is wrong with it.
fn text(text: &str, dice: &mut Dice) -> String {
    let constants = constants();
    let whole = KernelText {
        text,
        function: None,
        constants: &constants,
        hosts: &[],
    };
    let _ = syntax::dump_tokens(text);
    let _ = syntax::dump_ast(text);
    let functions = kernel_functions(&whole).unwrap_or_default();
    let chosen = match check_kernel(&whole) {
        Err(_) if !functions.is_empty() => {
            let at = dice.below(functions.len() as u64) as usize;
            Some(functions[at].name.clone())
        }
        _ => None,
    };
    let one = KernelText {
        function: chosen.as_deref(),
        ..whole
    };
    let checked = match check_kernel(&one) {
        Ok(checked) => checked,
        Err(errors) => {
            assert!(!errors.0.is_empty() && errors.0.len() <= 1000);
            for error in errors.0.iter().take(3) {
                assert!(!error.render("k.c", text).is_empty());
            }
            let mut codes: Vec<&str> = errors.0.iter().map(|e| &*e.code).collect();
            codes.sort_unstable();
            codes.dedup();
            codes.truncate(3);
            return format!("refused: {}", codes.join(", "));
        }
    };
    verify_kernel(&checked.kernel).unwrap_or_else(|e| panic!("{e}\n{}", checked.kernel));
    assert_eq!(checked.sites.len() as u32, checked.kernel.body.sites);
    let end = kernel(&checked.kernel, dice);
    function(&one, &checked, dice);
    let warned = if checked.warnings.is_empty() {
        ""
    } else {
        ", with warnings"
    };
    format!("{end}{warned}")
}

/// A checked text as a plain function, and as C.
fn function(text: &KernelText<'_>, checked: &CheckedKernel, dice: &mut Dice) {
    let signature = signature(&checked.kernel, dice);
    if signature.args.iter().all(|a| a.source.map().is_none()) {
        assert!(!dump_c(text, checked, &signature, dice.below(2) == 0).is_empty());
    }
    let extents: &[u32] = [&[][..], &[8; 4], &[1], &[u32::MAX; 2]][dice.below(4) as usize];
    let extents: Vec<Extent> = extents.iter().map(|extent| (*extent).into()).collect();
    if let Ok(signature) = function_signature(checked, &extents) {
        let request = request(&checked.kernel, signature, dice);
        let _end = object(&request);
    }
}

/// A kernel that was verified: read back, and compiled.
fn kernel(kernel: &Kernel, dice: &mut Dice) -> String {
    let printed = kernel.to_string();
    let again = read_kernel(&printed).unwrap_or_else(|e| panic!("{e}\n{printed}"));
    assert_eq!(
        again.to_string(),
        printed,
        "what is read back prints the same"
    );
    let signature = signature(kernel, dice);
    let request = request(kernel, signature, dice);
    object(&request)
}

/// Everything that is done with an input; how it ended.
pub(crate) fn come(input: &Input) -> String {
    let mut dice = Dice(input.choices);
    match input.kind {
        Kind::C => text(&input.text(), &mut dice),
        Kind::Kernel => match read_kernel(&input.text()) {
            Err(error) => {
                assert!(!error.to_string().is_empty());
                "not read".to_owned()
            }
            Ok(read) => match verify_kernel(&read) {
                Err(error) => format!("not sound: {:?}", error.rule),
                Ok(()) => kernel(&read, &mut dice),
            },
        },
        Kind::Loop => match read_loop(&input.text()) {
            Err(error) => {
                assert!(!error.to_string().is_empty());
                "not read".to_owned()
            }
            Ok(read) => {
                let printed = read.to_string();
                let again = read_loop(&printed).unwrap_or_else(|e| panic!("{e}\n{printed}"));
                assert_eq!(again.to_string(), printed);
                match verify_loop(&read) {
                    Err(error) => format!("not sound: {:?}", error.rule),
                    Ok(()) => "sound".to_owned(),
                }
            }
        },
        Kind::Request => {
            let _ = fingerprint::parts(&input.content);
            match decode_request(&input.content) {
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    "not decoded".to_owned()
                }
                Ok((request, identity)) => {
                    let again = fingerprint::encode(&request, &identity);
                    assert_eq!(
                        again.as_bytes(),
                        input.content,
                        "what is decoded is encoded alike"
                    );
                    match verify_kernel(&request.kernel) {
                        Err(error) => format!("not sound: {:?}", error.rule),
                        Ok(()) => object(&request),
                    }
                }
            }
        }
    }
}
