//! Tells the command which commit it was built from.
//!
//! `SOURCE_COMMIT` if it is set, else what git says of the sources, else `unknown`. Never fails: a tarball builds as well.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=SOURCE_COMMIT");
    println!("cargo::rerun-if-changed=build.rs");
    let commit = std::env::var("SOURCE_COMMIT")
        .ok()
        .filter(|commit| !commit.is_empty())
        .or_else(from_git)
        .unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=BUILT_FROM_COMMIT={commit}");
}

fn from_git() -> Option<String> {
    watch_head();
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).unwrap_or_default();
    let mark = if changed.is_empty() { "" } else { "+changes" };
    Some(format!("{commit}{mark}"))
}

/// A commit writes the log of HEAD, wherever the repository keeps it.
fn watch_head() {
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"]);
    if let Some(log) = log.filter(|log| Path::new(log).exists()) {
        println!("cargo::rerun-if-changed={log}");
    }
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
