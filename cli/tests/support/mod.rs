//! The command in a clean environment: a cache directory of its own, no settings from outside.

#![allow(dead_code, reason = "each test file uses a part of it")]

use assert_cmd::Command;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A home for a command's cache and files.
pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.path().join("cache").join("parloop")
    }

    /// A file with this content.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// `parloop` with these arguments.
    pub(crate) fn parloop(&self, args: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("parloop"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PARLOOP_") {
                command.env_remove(name);
            }
        }
        command.env("XDG_CACHE_HOME", self.path().join("cache"));
        command.args(args);
        command
    }

    /// What a successful run prints.
    pub(crate) fn printed(&self, args: &[&str]) -> String {
        let output = self.parloop(args).assert().success().get_output().clone();
        String::from_utf8(output.stdout).unwrap()
    }

    /// The one object that a successful run prints.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.printed(args)).unwrap()
    }

    /// What a run prints to standard error when it fails with `code`.
    pub(crate) fn failure(&self, args: &[&str], code: i32) -> String {
        let output = self.parloop(args).assert().code(code).get_output().clone();
        String::from_utf8(output.stderr).unwrap()
    }
}

/// The keys of an object, in order of the alphabet.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}
