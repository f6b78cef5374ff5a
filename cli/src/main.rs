//! The `parloop` command: run benchmarks, check kernels, look into the cache, show settings.
//!
//! Exit codes: 0 for success, 1 for failure, 2 for wrong usage. Results go to standard output, everything else to standard
//! error. A reader that goes away early ends the program quietly.

#![deny(unsafe_code)]

mod args;
mod bench;
mod cache;
mod cc;
mod check;
mod clock;
mod compare;
mod config;
mod error;
mod kernels;
mod log;
mod objdump;
mod output;
mod settings;
mod table;
mod watcher;

use args::{Cli, Command};
use clap::{CommandFactory, FromArgMatches};
use error::CliError;
use parloop::Config;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let matches = settings::augment(Cli::command()).get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let mut out = std::io::stdout().lock();
    let config = log::listen().and_then(|()| settings::config(&matches));
    let outcome = config.and_then(|config| run(&cli.command, config, &mut out));
    match outcome.and_then(|()| Ok(out.flush()?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

fn run(command: &Command, config: Config, out: &mut dyn Write) -> Result<(), CliError> {
    match command {
        Command::Bench(command) => bench::run(command, config, out),
        Command::Check(args) => check::run(args, config, out),
        Command::Compare(args) => compare::run(args, config, out),
        Command::Cache(command) => cache::run(command, &config, out),
        Command::Config(args) => config::run(args, &config, out),
    }
}

fn report(error: &CliError) -> ExitCode {
    if error.is_broken_pipe() {
        return ExitCode::SUCCESS;
    }
    // It may name files and quote texts. If standard error is closed there is nobody left to tell.
    let _unheard = writeln!(
        std::io::stderr(),
        "parloop: {}",
        output::lines(&error.to_string())
    );
    ExitCode::from(error.exit_code())
}
