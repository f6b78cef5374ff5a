//! `parloop config`: each setting, its value, and where that came from.

use crate::args::ConfigArgs;
use crate::error::CliError;
use crate::output;
use crate::settings::option_name;
use crate::table::{lines, table};
use parloop::{Config, Setting};
use serde::Serialize;
use std::io::Write;

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    settings: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    value: &'a str,
    origin: String,
    option: String,
    variable: &'a str,
    help: &'a str,
}

pub(crate) fn run(args: &ConfigArgs, config: &Config, out: &mut dyn Write) -> Result<(), CliError> {
    let settings = config.settings();
    if args.json {
        let report = Report {
            schema: "parloop.config/1",
            settings: settings.iter().map(row).collect(),
        };
        output::json(out, &report)?;
        return Ok(());
    }
    let mut shown = table(&["setting", "value", "from", "option", "variable"], &[]);
    for setting in &settings {
        let value = if setting.value.is_empty() {
            "(none)"
        } else {
            &setting.value
        };
        shown.add_row([
            setting.name,
            value,
            &setting.origin.to_string(),
            &format!("--{}", option_name(setting)),
            &setting.variable,
        ]);
    }
    write!(out, "{}", lines(&shown))?;
    Ok(())
}

fn row(setting: &Setting) -> Row<'_> {
    Row {
        name: setting.name,
        value: &setting.value,
        origin: setting.origin.to_string(),
        option: format!("--{}", option_name(setting)),
        variable: &setting.variable,
        help: setting.help,
    }
}
