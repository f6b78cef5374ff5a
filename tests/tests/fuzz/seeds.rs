//! Where inputs begin: texts of the corpus and the catalogue, and what the compiler makes of them.

use crate::come::{Input, Kind, constants};
use parloop_compiler::ir::Passing;
use parloop_compiler::{
    KernelText, Preimage, Request, Stage, Watch, check_kernel, compile_watched,
};
use parloop_tests::case::Case;
use parloop_tests::ways::{Mode, request};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Fixtures longer than this are left out: inputs should be quick.
const FIXTURE_BYTES_MAX: u64 = 20_000;

/// IR longer than this is left out.
const IR_BYTES_MAX: usize = 12_000;

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

/// Keeps what stages print.
struct Printed(Vec<String>);

impl Watch for Printed {
    fn passed(&mut self, stage: Stage, result: &dyn fmt::Display) {
        if matches!(stage, Stage::Wrapped | Stage::Guarded | Stage::Optimised) {
            self.0.push(result.to_string());
        }
    }
}

fn input(kind: Kind, content: impl Into<Vec<u8>>) -> Input {
    Input {
        kind,
        content: content.into(),
        choices: 0,
    }
}

/// What the compiler makes of a request, as inputs.
fn made_of(request: &Request, inputs: &mut Vec<Input>) {
    inputs.push(input(Kind::Request, Preimage::of(request).into_bytes()));
    inputs.push(input(Kind::Kernel, request.kernel.to_string()));
    let mut printed = Printed(Vec::new());
    if compile_watched(request, &mut printed).is_ok() {
        inputs.extend(printed.0.into_iter().map(|text| input(Kind::Loop, text)));
    }
}

/// The corpus: its texts, and of every third case what the compiler makes of it.
fn corpus(inputs: &mut Vec<Input>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let files = files(&folder).into_iter().filter(|path| path.is_file());
    let texts = files.map(|path| fs::read_to_string(path).unwrap());
    let cases: Vec<Case> = texts.flat_map(|text| Case::corpus(&text)).collect();
    for (i, case) in cases.iter().enumerate() {
        inputs.push(input(Kind::C, case.text.as_str()));
        if i % 3 == 0
            && let Ok(front) = case.check()
        {
            let mode = Mode::all()[i % Mode::all().len()];
            made_of(&request(&front, mode), inputs);
        }
    }
}

fn fixtures(inputs: &mut Vec<Input>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kernels/fixtures");
    for part in ["firedrake_old", "op2", "pyop2", "tsfc", "ffcx/c"] {
        for path in files(&folder.join(part)) {
            let short = fs::metadata(&path).unwrap().len() <= FIXTURE_BYTES_MAX;
            if short && path.extension().is_some_and(|e| e == "c") {
                inputs.push(input(Kind::C, fs::read(path).unwrap()));
            }
        }
    }
}

/// Small texts and IR that are as odd as they are valid, or end where they should not.
fn hostile(inputs: &mut Vec<Input>) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let constants = constants();
    for path in files(&tests.join("corpus/hostile")) {
        let one = Input::read(&path);
        if one.kind == Kind::C {
            let text = one.text();
            let text = KernelText {
                text: &text,
                function: None,
                constants: &constants,
                hosts: &[],
            };
            if let Ok(checked) = check_kernel(&text)
                && checked
                    .kernel
                    .params
                    .iter()
                    .all(|p| p.passing != Passing::Rows)
            {
                inputs.push(input(Kind::Kernel, checked.kernel.to_string()));
            }
        }
        inputs.push(one);
    }
    for name in ["every_op.kernel", "res.loop"] {
        inputs.push(Input::read(&tests.join("../compiler/tests/ir").join(name)));
    }
}

/// All seeds, in an order that is always the same.
pub(crate) fn all() -> Vec<Input> {
    let mut inputs = Vec::new();
    corpus(&mut inputs);
    hostile(&mut inputs);
    fixtures(&mut inputs);
    inputs.retain(|i| i.kind == Kind::C || i.content.len() <= IR_BYTES_MAX);
    inputs
}
