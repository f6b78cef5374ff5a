//! Loops of small kernels, and what a stage of their compilation prints.

#![allow(dead_code)]

use parloop_compiler::{
    Access, ArgSignature, DType, IndexWidth, Iteration, KernelText, Layout, Level, MapUse, Options,
    Request, Signature, Source, Stage, Target, Watch, check_kernel, compile_watched, ir,
};
use std::fmt::Display;

/// Keeps what one stage printed.
struct Keep {
    stage: Stage,
    text: String,
}

impl Watch for Keep {
    fn passed(&mut self, stage: Stage, result: &dyn Display) {
        if stage == self.stage {
            self.text = result.to_string();
        }
    }
}

/// An argument of doubles.
pub(crate) fn arg(dat: u16, dim: u32, access: Access, source: Source) -> ArgSignature {
    let (dtype, layout) = (DType::F64, Layout::Aos);
    ArgSignature {
        source,
        dtype,
        dim,
        layout,
        access,
        dat,
    }
}

/// A map.
pub(crate) fn map(arity: u16, partial: bool) -> MapUse {
    let (slot, width) = (0, IndexWidth::I32);
    MapUse {
        slot,
        arity,
        width,
        partial,
    }
}

/// The statements of a stage, without declarations and unused values.
pub(crate) fn stage_with(
    text: &str,
    args: &[ArgSignature],
    stage: Stage,
    options: Options,
) -> String {
    stage_of(text, args, stage, |request| request.options = options)
}

/// The same for a caller that allows conflicts.
pub(crate) fn conflicting(text: &str, args: &[ArgSignature], stage: Stage) -> String {
    stage_of(text, args, stage, |request| {
        request.signature.allow_conflicts = true;
    })
}

/// The same for a request with the default options that something is changed in.
pub(crate) fn stage_of(
    text: &str,
    args: &[ArgSignature],
    stage: Stage,
    change: impl FnOnce(&mut Request),
) -> String {
    let source = KernelText {
        text,
        function: None,
        constants: &[],
        hosts: &[],
    };
    let checked = check_kernel(&source).expect("the kernel is right");
    let signature = Signature {
        iteration: Iteration::Elements,
        args: args.to_vec(),
        allow_conflicts: false,
    };
    let mut request = Request {
        kernel: checked.kernel,
        signature,
        options: Options::default(),
        target: Target { level: Level::V3 },
    };
    change(&mut request);
    let text = String::new();
    let mut keep = Keep { stage, text };
    compile_watched(&request, &mut keep).expect("the loop compiles");
    if matches!(stage, Stage::Wrapped | Stage::Guarded | Stage::Optimised) {
        let again = ir::read_loop(&keep.text).expect("a stage can be read back");
        assert_eq!(again.to_string(), keep.text);
    }
    let statements = keep.text.lines().filter(|line| !line.starts_with("loose"));
    statements.collect::<Vec<_>>().join("\n")
}

/// The default options, save that elements run one by one.
pub(crate) fn one_by_one() -> Options {
    Options {
        lanes: 1,
        ..Options::default()
    }
}

/// [`stage_with`] elements one by one.
pub(crate) fn stage(text: &str, args: &[ArgSignature], stage: Stage) -> String {
    stage_with(text, args, stage, one_by_one())
}

/// How often a word is there.
pub(crate) fn count(text: &str, word: &str) -> usize {
    text.matches(word).count()
}

/// The element's own row.
pub(crate) const DIRECT: Source = Source::Direct;
