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

    /// Compiles a C file to a program.
    pub(crate) fn program<S: AsRef<OsStr>>(
        &self,
        flags: impl IntoIterator<Item = S>,
        source: &Path,
        program: &Path,
    ) -> io::Result<Output> {
        let mut command = self.command();
        command.args(flags).arg("-o").arg(program).arg(source);
        command.output()
    }

    /// The compiler, to be told what to do.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.command[0]);
        // Its messages are read, for headers that are not there.
        command.args(&self.command[1..]).env("LC_ALL", "C");
        command
    }

    /// Compiles a C file to a shared object.
    pub(crate) fn shared<S: AsRef<OsStr>>(
        &self,
        flags: impl IntoIterator<Item = S>,
        source: &Path,
        object: &Path,
    ) -> io::Result<Output> {
        self.command()
            .args(flags)
            // A kernel with external linkage could be replaced at load time: it would not be inlined, and one that is named as a
            // function of the C library is would not be what runs.
            .args(["-shared", "-fPIC", "-fno-semantic-interposition"])
            // Under -ffast-math gcc 12 adds code that makes subnormal numbers zero in the whole process that loads the object. What
            // else would be added is of no use to functions alone.
            .arg("-nostartfiles")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flag_adds_code_that_runs_when_the_object_is_loaded() {
        let Ok(cc) = Cc::find(None) else {
            // Nothing here to compile with.
            return;
        };
        let directory = tempfile::tempdir().unwrap();
        let [source, object] = ["half.c", "half.so"].map(|name| directory.path().join(name));
        std::fs::write(&source, "void half(double *x) { x[0] *= 0.5; }\n").unwrap();
        let made = cc.shared(["-O3", "-ffast-math"], &source, &object).unwrap();
        assert!(made.status.success(), "{made:?}");
        let bytes = std::fs::read(&object).unwrap();
        let has = |name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
        assert!(has(b"half") && !has(b"set_fast_math"));
    }
}
