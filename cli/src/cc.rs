//! The system's C compiler: a C file in, a shared object out.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Command, Output};

/// A C compiler that was found to run.
#[derive(Debug)]
pub(crate) struct Cc {
    /// The command's words: a wrapper such as ccache may stand first.
    command: Vec<String>,
    version: String,
}

impl Cc {
    /// The given command, else `$CC`, else `cc`. The error names the command.
    pub(crate) fn find(command: Option<&str>) -> Result<Cc, (String, io::Error)> {
        let variable = std::env::var("CC").unwrap_or_default();
        let mut command = words(command.unwrap_or(&variable));
        if command.is_empty() {
            command.push("cc".to_owned());
        }
        match version(&command) {
            Ok(version) => Ok(Cc { command, version }),
            Err(error) => Err((command.join(" "), error)),
        }
    }

    /// What it says of itself, in a line.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Compiles a C file to a shared object.
    pub(crate) fn shared<S: AsRef<OsStr>>(
        &self,
        flags: impl IntoIterator<Item = S>,
        source: &Path,
        object: &Path,
    ) -> io::Result<Output> {
        Command::new(&self.command[0])
            .args(&self.command[1..])
            // Its messages are read, for headers that are not there.
            .env("LC_ALL", "C")
            .args(flags)
            // A kernel with external linkage could be replaced at load time: it would not be inlined, and one that is named as a
            // function of the C library is would not be what runs.
            .args(["-shared", "-fPIC", "-fno-semantic-interposition"])
            .args(["-Wl,-Bsymbolic", "-o"])
            .arg(object)
            .arg(source)
            .arg("-lm")
            .output()
    }
}

/// The words of a command or of flags.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// The first line of what the compiler says of itself.
fn version(command: &[String]) -> io::Result<String> {
    let output = Command::new(&command[0])
        .args(&command[1..])
        .arg("--version")
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("it ends with {}", output.status)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}
