//! Settings of an engine as options: one option for each setting that the runtime knows, on every command.
//!
//! The list is the runtime's own, so a new setting is an option, an environment variable and a line of `parloop config` at
//! once. Options win over variables, variables over defaults.

use crate::error::CliError;
use clap::{Arg, ArgAction, ArgMatches, Command};
use parloop::{Config, Origin, Setting};

const HEADING: &str = "Settings (each also as an environment variable)";

/// `--strict` is short for this setting and value.
const STRICT: (&str, &str) = ("float", "strict");

/// Adds an option for each setting.
pub(crate) fn augment(command: Command) -> Command {
    let settings = Config::default().settings();
    let strict = Arg::new("strict")
        .long("strict")
        .global(true)
        .action(ArgAction::SetTrue)
        .conflicts_with(STRICT.0)
        .help_heading(HEADING)
        .help("short for --float strict: contract nothing, keep the order of the text");
    settings
        .iter()
        .fold(command, |command, setting| command.arg(option(setting)))
        .arg(strict)
}

/// How a setting is spelled as an option.
pub(crate) fn option_name(setting: &Setting) -> String {
    setting.name.replace('_', "-")
}

fn option(setting: &Setting) -> Arg {
    let option = Arg::new(setting.name)
        .long(option_name(setting))
        .global(true)
        .value_name("VALUE")
        .help_heading(HEADING)
        .hide_short_help(true)
        .help(format!("{} [env: {}]", setting.help, setting.variable));
    let is_flag = setting.value == "true" || setting.value == "false";
    match setting.name {
        _ if is_flag => option
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true"),
        "level" => option.alias("target"),
        _ => option,
    }
}

/// The configuration that environment and options come to.
pub(crate) fn config(matches: &ArgMatches) -> Result<Config, CliError> {
    let mut config = Config::from_env()?;
    let runs_nothing = matches.subcommand_name() == Some("check");
    for setting in Config::default().settings() {
        if let Some(value) = matches.get_one::<String>(setting.name) {
            if let ("level", true, Some(level)) =
                (setting.name, runs_nothing, Config::level_named(value))
            {
                // Also one that the host does not have.
                config.level = Some(level);
                continue;
            }
            config.set(setting.name, value, Origin::Option)?;
        }
    }
    if matches.get_flag("strict") {
        config.set(STRICT.0, STRICT.1, Origin::Option)?;
    }
    Ok(config)
}
