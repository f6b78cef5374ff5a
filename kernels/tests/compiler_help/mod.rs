//! The system's C compiler, for tests that hand it a kernel's text.
//!
//! Contraction is off, so that what it builds does the operations the text says. Where there is no `cc`, tests that need one
//! print a line and pass.

use std::path::Path;
use std::process::Command;

/// Whether there is a C compiler; says so where there is none.
#[expect(
    clippy::print_stderr,
    reason = "a test that has nothing to compile with says so"
)]
pub(crate) fn have_cc() -> bool {
    let found = Command::new("cc")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("not checked: there is no C compiler `cc`");
    }
    found
}

/// Compiles `source` with `arguments` in `directory`; gives what the compiler said, which should be nothing.
pub(crate) fn cc(directory: &Path, source: &str, arguments: &[&str]) -> String {
    std::fs::write(directory.join("unit.c"), source).unwrap();
    let output = Command::new("cc")
        .current_dir(directory)
        .args([
            "-O3",
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-ffp-contract=off",
            "unit.c",
        ])
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        said
    } else {
        format!("{said}\nfailed: {}", output.status)
    }
}
