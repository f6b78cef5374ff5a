//! The kernels of `kernels/fixtures`, as their authors wrote them: each accepted unchanged and in agreement with the C compiler's
//! code. Large files take long in the C compiler; they are compared with `PARLOOP_TEST_LONG=1`.

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use support::Place;

/// Bytes of the largest text that is compared without being asked.
const SHORT: u64 = 40_000;

fn c_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            c_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "c") {
            found.push(path);
        }
    }
}

fn fixtures() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kernels/fixtures");
    c_files(&root, &mut found);
    found.sort();
    assert!(found.len() > 30, "{found:?}");
    found
}

/// What a file's first line says after `parloop compare`: extents and constants that its text leaves open.
fn options(text: &str) -> Vec<&str> {
    let first = text.lines().next().unwrap_or_default();
    let given = first.split_once("parloop compare");
    given.map_or(Vec::new(), |(_, options)| {
        options.split_whitespace().collect()
    })
}

#[test]
fn every_fixture_is_accepted_as_it_is() {
    let place = Place::new();
    for path in fixtures() {
        let report = place.json(&["check", path.to_str().unwrap(), "--json"]);
        let functions = report["functions"].as_array().unwrap();
        assert!(!functions.is_empty(), "{}", path.display());
        for function in functions {
            assert_eq!(function["ok"], true, "{}: {function}", path.display());
        }
    }
}

#[test]
fn every_fixture_agrees_with_the_c_compiler() {
    let has_cc = std::process::Command::new("cc").arg("--version").output();
    if has_cc.is_err() {
        return;
    }
    let long = std::env::var_os("PARLOOP_TEST_LONG").is_some();
    let place = Place::new();
    for path in fixtures() {
        if !long && path.metadata().unwrap().len() > SHORT {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut command = vec!["compare", path.to_str().unwrap(), "--json"];
        command.extend(options(&text));
        let output = place.parloop(&command).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let skipped = report["skipped"].as_array().unwrap();
        assert!(skipped.is_empty(), "{}: {skipped:?}", path.display());
        let compared = report["functions"].as_array().unwrap();
        assert!(!compared.is_empty(), "{}", path.display());
        for function in compared {
            assert_eq!(function["agrees"], true, "{}: {function}", path.display());
        }
    }
}
