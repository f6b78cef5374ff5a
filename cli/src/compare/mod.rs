//! `parloop compare`: each kernel of a C file through the system's C compiler and through parloop, on the same arguments.
//!
//! The text goes to the C compiler unchanged, with a driver behind it; kernels run in a child process. Nothing comes from a
//! cache: both sides compile anew. A kernel that can't be compared is listed with the reason.

mod child;
mod choices;
mod compiling;
mod difference;
mod driver;
mod inputs;
mod library;
mod phase;
mod report;
mod runs;
mod trials;

use crate::args::CompareArgs;
use crate::cc::{self, Cc};
use crate::error::CliError;
use crate::kernels::KernelFile;
use crate::output;
use child::{Findings, Task};
use parloop::{Config, Extent, ExtentError, Level};
use parloop_compiler::{CheckedKernel, DType, LexedText, dump_c, function_signature};
use report::{Baseline, Compared, Compiling, Report, Skipped};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The flags that results are compared with.
const PLAIN: &str = "-O3 -march=native";

/// How many headers that are not installed a file may include.
const STAND_INS_MAX: usize = 64;

pub(crate) fn run(args: &CompareArgs, config: Config, out: &mut dyn Write) -> Result<(), CliError> {
    if args.child {
        return child::run(&args.file, config, out);
    }
    let comparison = Comparison::new(args, config)?;
    let report = comparison.report()?;
    if args.json {
        output::json(out, &report)?;
    } else {
        write!(out, "{}", output::lines(&report.table()))?;
    }
    verdict(&report, &args.file)
}

/// Success only if something was compared, all of it agrees, and no process died of it.
fn verdict(report: &Report, path: &Path) -> Result<(), CliError> {
    let disagree = report.functions.iter().filter(|f| !f.agrees).count();
    let path = path.to_owned();
    if disagree > 0 {
        return Err(CliError::Disagree { path, disagree });
    }
    if report.crashed > 0 {
        let crashed = report.crashed;
        return Err(CliError::Crashed { path, crashed });
    }
    match report.functions.is_empty() {
        true => Err(CliError::NothingCompared { path }),
        false => Ok(()),
    }
}

struct Comparison<'a> {
    args: &'a CompareArgs,
    config: Config,
    file: KernelFile<'a>,
    cc: Cc,
    /// Sets of flags, the one that results are compared with first.
    flags: Vec<String>,
    directory: TempDir,
}

/// A function that can be compared.
struct Candidate {
    checked: CheckedKernel,
    extents: Vec<Extent>,
}

/// Why a function can't be compared.
struct Unfit {
    why: String,
    /// Constants without a value that it reads.
    reads: Vec<String>,
}

impl From<String> for Unfit {
    fn from(why: String) -> Unfit {
        let reads = Vec::new();
        Unfit { why, reads }
    }
}

/// What became of a candidate's process.
enum Ran {
    Compared(Findings),
    /// It says why it could not.
    Refused(String),
    /// It died, or spoke nonsense.
    Crashed(String),
}

/// A driver that the C compiler made.
struct Built {
    path: PathBuf,
    /// From the text to a loaded shared object.
    time: Duration,
}

impl<'a> Comparison<'a> {
    fn new(args: &'a CompareArgs, config: Config) -> Result<Comparison<'a>, CliError> {
        let file = KernelFile::read(&args.file, &args.kernels)?;
        let cc = Cc::find(args.cc.as_deref());
        let directory = tempfile::Builder::new()
            .prefix("parloop-compare-")
            .tempdir()?;
        driver::write_headers(directory.path())?;
        let mut flags = vec![PLAIN.to_owned()];
        flags.extend(args.flags.iter().cloned());
        Ok(Comparison {
            args,
            config,
            file,
            cc: cc.map_err(|(command, source)| CliError::NoCompiler { command, source })?,
            flags,
            directory,
        })
    }

    fn report(&self) -> Result<Report, CliError> {
        let mut skipped = Vec::new();
        let mut candidates = Vec::new();
        let mut unset = BTreeSet::new();
        let lexed = self.file.lexed()?;
        for name in self.file.names()? {
            match self.candidate(&lexed, &name) {
                Ok(candidate) => candidates.push(candidate),
                Err(Unfit { why, reads }) => {
                    unset.extend(reads);
                    skipped.push(Skipped { name, why });
                }
            }
        }
        let mut functions = Vec::new();
        let drivers = match candidates.is_empty() {
            true => Vec::new(),
            false => self.drivers(&candidates, &unset)?,
        };
        let mut crashed = 0;
        for (index, candidate) in candidates.iter().enumerate() {
            let name = candidate.checked.name.clone();
            match self.findings(index, candidate, &drivers)? {
                Ran::Compared(findings) => {
                    functions.push(self.compared(candidate, findings, &drivers));
                }
                Ran::Refused(why) => skipped.push(Skipped { name, why }),
                Ran::Crashed(why) => {
                    crashed += 1;
                    skipped.push(Skipped { name, why });
                }
            }
        }
        let compiling = self.compile_times(&candidates, &mut functions, &drivers)?;
        Ok(Report {
            schema: 1,
            file: self.args.file.display().to_string(),
            compiling,
            functions,
            skipped,
            crashed,
        })
    }

    /// Fills in how long compiling took: of each function, and of all together against the C compiler.
    fn compile_times(
        &self,
        candidates: &[Candidate],
        functions: &mut [Compared],
        drivers: &[Built],
    ) -> Result<Option<Compiling>, CliError> {
        let Some(plain) = drivers.first().filter(|_| !functions.is_empty()) else {
            return Ok(None);
        };
        let named = |f: &Compared| candidates.iter().find(|c| c.checked.name == f.name);
        let compared: Vec<&Candidate> = functions.iter().filter_map(named).collect();
        let times = compiling::time_compiling(self, &compared)?;
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        let ratio = times.together.as_secs_f64() / plain.time.as_secs_f64();
        for (function, time) in functions.iter_mut().zip(times.each) {
            function.parloop.compile_us = micros(time);
            function.compile_ratio = ratio;
        }
        Ok(Some(Compiling {
            threads: times.threads,
            parloop_us: micros(times.together),
            cc_us: micros(plain.time),
            ratio,
        }))
    }

    /// The function if it can be one for C to call, else why not.
    fn candidate(&self, lexed: &LexedText, name: &str) -> Result<Candidate, Unfit> {
        let checked = self.file.check(lexed, name)?;
        if let Some(constant) = checked.constants.first() {
            return Err(Unfit {
                why: format!("it reads `{constant}`: give --constant {constant}=VALUE"),
                reads: checked.constants,
            });
        }
        let extents = self.file.extents(&checked.params);
        function_signature(&checked, &extents).map_err(|reason| match &reason {
            ExtentError::Unknown { name } => format!("{reason} with --extent {name}=N"),
            ExtentError::Rows { name } => format!("{reason} with --extent {name}=ROWSxN"),
            _ => reason.to_string(),
        })?;
        Ok(Candidate { checked, extents })
    }

    fn drivers(
        &self,
        candidates: &[Candidate],
        unset: &BTreeSet<String>,
    ) -> Result<Vec<Built>, CliError> {
        let functions: Vec<_> = candidates
            .iter()
            .map(|c| (c.checked.name.clone(), c.checked.params.clone()))
            .collect();
        let text = match self.file.values.is_empty() {
            true => self.file.text.clone(),
            // Values stand in the file instead of what declares them.
            false => self.with_constants(candidates),
        };
        let source = self.directory.path().join("driver.c");
        std::fs::write(&source, driver::c_file(&text, &functions, unset))?;
        let flags = self.flags.iter().enumerate();
        flags
            .map(|(number, flags)| self.build(&source, number, flags))
            .collect()
    }

    fn with_constants(&self, candidates: &[Candidate]) -> String {
        let first = &candidates[0];
        let text = self.file.kernel_text(Some(&first.checked.name));
        let signature = function_signature(&first.checked, &first.extents);
        signature.map_or_else(
            |_| self.file.text.clone(),
            |signature| dump_c(&text, &first.checked, &signature, false),
        )
    }

    fn build(&self, source: &Path, number: usize, flags: &str) -> Result<Built, CliError> {
        let path = self.directory.path().join(format!("driver_{number}.so"));
        let directory = |path: &Path| path.display().to_string();
        let parent = self
            .args
            .file
            .parent()
            .filter(|p| !p.as_os_str().is_empty());
        let mut all = cc::words(flags);
        // With the second, kernels that are `inline` and no more are there to be called.
        all.extend([
            "-w".to_owned(),
            "-fgnu89-inline".to_owned(),
            "-I".to_owned(),
            directory(parent.unwrap_or(Path::new("."))),
        ]);
        for include in &self.args.include {
            all.extend(["-I".to_owned(), directory(include)]);
        }
        all.extend(["-idirafter".to_owned(), directory(self.directory.path())]);
        let mut stand_ins = 0;
        loop {
            let started = Instant::now();
            let output = self.cc.shared(&all, source, &path)?;
            let time = started.elapsed();
            if output.status.success() {
                return Ok(Built { path, time });
            }
            let message = String::from_utf8_lossy(&output.stderr).into_owned();
            let missing = driver::missing_header(&message);
            let is_new = |header: &String| {
                stand_ins < STAND_INS_MAX && !self.directory.path().join(header).exists()
            };
            let Some(header) = missing.filter(is_new) else {
                return Err(CliError::CcRefused {
                    path: self.args.file.clone(),
                    flags: flags.to_owned(),
                    message,
                });
            };
            stand_ins += 1;
            driver::write_empty_header(self.directory.path(), &header)?;
        }
    }

    /// What a child process finds, or how it ended.
    fn findings(
        &self,
        index: usize,
        candidate: &Candidate,
        drivers: &[Built],
    ) -> Result<Ran, CliError> {
        let text = self.directory.path().join("text.c");
        std::fs::write(&text, &self.file.text)?;
        let task = Task {
            text,
            function: candidate.checked.name.clone(),
            extents: candidate
                .extents
                .iter()
                .map(|extent| [extent.rows, extent.values])
                .collect(),
            constants: self.file.values.clone(),
            index,
            phase: self.directory.path().join("phase"),
            drivers: drivers.iter().map(|built| built.path.clone()).collect(),
        };
        let path = self.directory.path().join("task.json");
        std::fs::write(
            &path,
            serde_json::to_vec(&task).map_err(std::io::Error::from)?,
        )?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["compare", "--child"]).arg(&path);
        for setting in self.config.settings() {
            command.env(&setting.variable, &setting.value);
        }
        let output = command.stdin(Stdio::null()).output()?;
        if output.status.success() {
            return Ok(match serde_json::from_slice(&output.stdout) {
                Ok(findings) => Ran::Compared(findings),
                Err(error) => Ran::Crashed(format!("what it printed can't be read: {error}")),
            });
        }
        let told = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(1) {
            let told = told.trim().trim_start_matches("parloop: ");
            return Ok(Ran::Refused(told.to_owned()));
        }
        let phase = std::fs::read_to_string(&task.phase).unwrap_or_default();
        let told = told.lines().next().unwrap_or_default();
        let colon = if told.is_empty() { "" } else { ": " };
        Ok(Ran::Crashed(format!(
            "{phase} ended with {}{colon}{told}",
            output.status
        )))
    }

    fn compared(&self, candidate: &Candidate, findings: Findings, drivers: &[Built]) -> Compared {
        let floats = candidate
            .checked
            .params
            .iter()
            .filter_map(|param| param.dtype);
        let single = floats
            .into_iter()
            .any(|d| matches!(d, DType::F32 | DType::C64));
        let limit = self.args.rtol.unwrap_or(if single { 1e-5 } else { 1e-12 });
        let difference = findings.difference;
        let baselines = drivers
            .iter()
            .zip(&self.flags)
            .zip(&findings.cc_ns_per_call);
        let mut baselines = baselines.map(|((built, flags), ns_per_call)| Baseline {
            compiler: self.cc.version().to_owned(),
            flags: flags.clone(),
            compile_us: built.time.as_secs_f64() * 1e6,
            ns_per_call: *ns_per_call,
            run_ratio: findings.ns_per_call / ns_per_call,
        });
        let cc = baselines.next().expect("there is a plain baseline");
        Compared {
            name: candidate.checked.name.clone(),
            agrees: !difference.unlike
                && difference.max_rel <= limit
                && findings.untouched.is_empty(),
            max_rel: difference.max_rel,
            max_ulp: difference.max_ulp,
            untouched: findings.untouched,
            not_finite: findings.not_finite,
            run_ratio: cc.run_ratio,
            cc,
            baselines: baselines.collect(),
            parloop: report::Ours {
                // Timed when all functions are known.
                compile_us: 0.0,
                ns_per_call: findings.ns_per_call,
                object_bytes: findings.object_bytes,
                level: self.config.level.map_or("native", Level::name),
            },
            compile_ratio: 0.0,
        }
    }
}
