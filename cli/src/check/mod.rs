//! `parloop check`: compiles every kernel function of a C file, without running it, and says what is wrong or how large it is.
//!
//! A kernel is compiled as a loop with direct arguments, so its fingerprint is that of such a loop. The cache is not touched.

mod compile;
mod constants;
mod infer;
mod report;

use crate::args::{CheckArgs, Dump};
use crate::error::CliError;
use crate::{kernels, objdump, output};
use compile::Outcome;
pub(crate) use constants::one as declared_constant;
use parloop::{Config, Engine, Mode};
use parloop_compiler::{
    Diagnostics, KernelText, LexedText, SkippedItem, Target, skipped_items, syntax,
};
use report::Report;
use std::io::{IsTerminal, Write};
use std::time::Instant;

/// A file to check.
struct Source<'a> {
    args: &'a CheckArgs,
    /// As messages name it.
    file: String,
    text: String,
}

pub(crate) fn run(
    args: &CheckArgs,
    mut config: Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let source = Source {
        args,
        file: args.file.display().to_string(),
        text: kernels::text(&args.file)?,
    };
    if let Some(dump @ (Dump::Tokens | Dump::Ast)) = args.dump {
        return source.dump_syntax(dump, out);
    }
    config.cache_mode = Mode::Off;
    let wanted = config.level.take();
    let native = Engine::new(config.clone())?.level();
    let target = Target {
        level: wanted.unwrap_or(native),
    };
    let started = Instant::now();
    let outcomes = source.compile(&config, target)?;
    let total = started.elapsed();
    if let Some(dump) = args.dump {
        source.print_dumps(dump, &outcomes, out)?;
    } else if args.json {
        let skipped = source.skipped(&outcomes);
        let report = Report::new(&source.file, &source.text, &outcomes, &skipped, total);
        output::json(out, &report)?;
    } else {
        source.print_findings(&outcomes, out)?;
        if outcomes.iter().any(Outcome::is_ok) {
            write!(out, "{}", report::sizes(&outcomes, total))?;
        }
        let skipped = source.skipped(&outcomes);
        write!(out, "{}", report::skipped(&source.text, &skipped))?;
    }
    source.verdict(&outcomes)
}

impl Source<'_> {
    fn compile(&self, config: &Config, target: Target) -> Result<Vec<Outcome>, CliError> {
        let constants = constants::parse(&self.args.constants)?;
        let whole = KernelText {
            text: &self.text,
            function: None,
            constants: &constants,
            hosts: &[],
        };
        let names = match self.kernels(&whole)? {
            Ok(names) => names,
            Err(diagnostics) => return Ok(vec![Outcome::of_file(diagnostics)]),
        };
        let lexed = match LexedText::new(&self.text) {
            Ok(lexed) => lexed,
            Err(diagnostics) => return Ok(vec![Outcome::of_file(diagnostics)]),
        };
        let compile = |name: &String| {
            let text = KernelText {
                function: Some(name),
                ..whole
            };
            compile::compile(&text, &lexed, config.options, target, self.args.dump)
        };
        Ok(names.iter().map(compile).collect())
    }

    /// What none of the functions needs; nothing if the file can't be read.
    fn skipped(&self, outcomes: &[Outcome]) -> Vec<SkippedItem> {
        let text = KernelText {
            text: &self.text,
            function: None,
            constants: &[],
            hosts: &[],
        };
        let names: Vec<&str> = outcomes.iter().map(|o| o.name.as_str()).collect();
        skipped_items(&text, &names).unwrap_or_default()
    }

    /// The functions to compile, or why the file as a whole can't be read.
    fn kernels(&self, text: &KernelText<'_>) -> Result<Result<Vec<String>, Diagnostics>, CliError> {
        if let Some(name) = &self.args.function {
            // Whether it is there is for the checker to say, which also knows what else it might be.
            return Ok(Ok(vec![name.clone()]));
        }
        match kernels::kernel_names(text) {
            Ok(names) if names.is_empty() => Err(kernels::no_kernel(&self.args.file)),
            found => Ok(found),
        }
    }

    fn print_findings(&self, outcomes: &[Outcome], out: &mut dyn Write) -> Result<(), CliError> {
        for outcome in outcomes {
            let findings = report::findings(&self.file, &self.text, outcome);
            write!(out, "{findings}")?;
        }
        Ok(())
    }

    fn verdict(&self, outcomes: &[Outcome]) -> Result<(), CliError> {
        let failed = outcomes.iter().filter(|o| !o.is_ok() || o.has_errors());
        match failed.count() {
            0 => Ok(()),
            failed => Err(CliError::Rejected {
                path: self.args.file.clone(),
                failed,
                total: outcomes.len(),
            }),
        }
    }

    fn dump_syntax(&self, dump: Dump, out: &mut dyn Write) -> Result<(), CliError> {
        let shown = match dump {
            Dump::Ast => syntax::dump_ast(&self.text),
            _ => Ok(syntax::dump_tokens(&self.text)),
        };
        match shown {
            Ok(shown) => write!(out, "{shown}")?,
            Err(diagnostics) => {
                let outcomes = [Outcome::of_file(diagnostics)];
                self.print_findings(&outcomes, &mut std::io::stderr())?;
                return self.verdict(&outcomes);
            }
        }
        Ok(())
    }

    fn print_dumps(
        &self,
        dump: Dump,
        outcomes: &[Outcome],
        out: &mut dyn Write,
    ) -> Result<(), CliError> {
        if dump == Dump::Object && std::io::stdout().is_terminal() {
            return Err(CliError::BinaryOnTerminal);
        }
        self.print_findings(outcomes, &mut std::io::stderr())?;
        let titled = outcomes.len() > 1 && dump != Dump::Object && dump != Dump::C;
        for outcome in outcomes {
            if titled {
                writeln!(out, "== {}", outcome.name)?;
            }
            match (dump, &outcome.made) {
                (Dump::Object, Some(made)) => out.write_all(&made.compiled.object)?,
                (Dump::Asm, Some(made)) => {
                    write!(out, "{}", objdump::disassemble(&made.compiled.object)?)?;
                }
                _ => write!(
                    out,
                    "{}",
                    ended(outcome.dump.as_deref().unwrap_or_default())
                )?,
            }
        }
        Ok(())
    }
}

/// With a line end, whatever it had; nothing stays nothing.
fn ended(text: &str) -> String {
    match text.trim_end_matches('\n') {
        "" => String::new(),
        text => format!("{text}\n"),
    }
}

impl Outcome {
    /// A file that is not even a list of functions.
    fn of_file(diagnostics: Diagnostics) -> Outcome {
        Outcome {
            name: String::new(),
            findings: diagnostics.0,
            refusal: None,
            made: None,
            stages: Vec::new(),
            dump: None,
        }
    }
}
