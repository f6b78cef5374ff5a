//! The test program run again as another process, to do one of its tests with some word to say what.

use std::process::{Command, Output};

const WORD: &str = "PARLOOP_TESTS_CHILD";

/// What this process was started to do, if it is a child.
pub fn word() -> Option<String> {
    std::env::var(WORD).ok()
}

/// A command that runs the test `name` in another process, with `word` for it. Settings of the environment are left behind.
pub fn command(name: &str, word: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("PARLOOP_") {
            command.env_remove(variable);
        }
    }
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]);
    command.env(WORD, word);
    command
}

/// Runs the test `name` in another process, with `word` for it, and gives the lines that it marked with [`say`].
pub fn run(name: &str, word: &str) -> Vec<String> {
    let output: Output = command(name, word).output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "child `{word}` of {name}: {}\n{out}\n{err}",
        output.status
    );
    out.split(MARK)
        .skip(1)
        .filter_map(|rest| rest.lines().next())
        .map(str::to_owned)
        .collect()
}

const MARK: &str = "<child> ";

/// Says a line to the parent.
#[expect(clippy::print_stdout, reason = "the parent reads it there")]
pub fn say(line: impl std::fmt::Display) {
    println!("{MARK}{line}");
}
