//! One kernel function through every stage, with a clock on each, and with the printable form of the one that is asked for.

use super::infer;
use crate::args::Dump;
use crate::clock::{Clock, FRONT_END};
use parloop_compiler::{
    CheckedKernel, Compiled, Diagnostic, Fingerprint, KernelText, LexedText, Options, Preimage,
    Request, Severity, Signature, Stage, Target, compile_watched, dump_c,
};
use std::time::{Duration, Instant};

/// What became of a kernel function.
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) findings: Vec<Diagnostic>,
    /// What the code generator's side says, if it refuses.
    pub(crate) refusal: Option<String>,
    pub(crate) made: Option<Made>,
    /// By the stages' names, in order.
    pub(crate) stages: Vec<(&'static str, Duration)>,
    /// What the stage that was asked for made.
    pub(crate) dump: Option<String>,
}

/// What a compilation made.
pub(crate) struct Made {
    pub(crate) signature: Signature,
    pub(crate) compiled: Compiled,
    pub(crate) fingerprint: Fingerprint,
}

impl Outcome {
    pub(crate) fn is_ok(&self) -> bool {
        self.made.is_some()
    }
}

/// Compiles the function that `text` names, as a direct loop. The text is lexed already, once for all its functions.
pub(crate) fn compile(
    text: &KernelText<'_>,
    lexed: &LexedText,
    options: Options,
    target: Target,
    dump: Option<Dump>,
) -> Outcome {
    let mut outcome = Outcome {
        name: text.function.unwrap_or_default().to_owned(),
        findings: Vec::new(),
        refusal: None,
        made: None,
        stages: Vec::new(),
        dump: None,
    };
    let started = Instant::now();
    let checked = lexed.check(text.function, text.constants, text.hosts);
    outcome.stages.push((FRONT_END, started.elapsed()));
    match checked {
        Err(diagnostics) => outcome.findings = diagnostics.0,
        Ok(checked) => outcome.translate(text, checked, options, target, dump),
    }
    outcome
}

impl Outcome {
    fn translate(
        &mut self,
        text: &KernelText<'_>,
        checked: CheckedKernel,
        options: Options,
        target: Target,
        dump: Option<Dump>,
    ) {
        let signature = infer::signature(&checked);
        let strict = options.float == parloop_compiler::FloatMode::Strict;
        self.dump = match dump {
            Some(Dump::Ir) => Some(checked.kernel.to_string()),
            Some(Dump::C) => Some(dump_c(text, &checked, &signature, strict)),
            _ => None,
        };
        self.findings = checked.warnings;
        let request = Request {
            kernel: checked.kernel,
            signature,
            options,
            target,
        };
        let mut clock = Clock::new(dump.and_then(stage));
        let compiled = compile_watched(&request, &mut clock);
        self.stages.append(&mut clock.stages);
        if let Some(printed) = clock.printed {
            self.dump = Some(printed);
        }
        match compiled {
            Ok(compiled) => {
                self.made = Some(Made {
                    compiled,
                    fingerprint: Preimage::of(&request).fingerprint(),
                    signature: request.signature,
                });
            }
            Err(error) => self.refusal = Some(error.to_string()),
        }
    }

    /// Whether any finding is an error.
    pub(crate) fn has_errors(&self) -> bool {
        let is_error = |finding: &Diagnostic| finding.severity == Severity::Error;
        self.refusal.is_some() || self.findings.iter().any(is_error)
    }
}

/// The stage of the pipeline that prints what is asked for.
fn stage(dump: Dump) -> Option<Stage> {
    match dump {
        Dump::Kernel => Some(Stage::Prepared),
        Dump::Wrapped => Some(Stage::Wrapped),
        Dump::Guarded => Some(Stage::Guarded),
        Dump::Optimised => Some(Stage::Optimised),
        Dump::Clif => Some(Stage::Clif),
        Dump::Tokens | Dump::Ast | Dump::Ir | Dump::C | Dump::Object | Dump::Asm => None,
    }
}
