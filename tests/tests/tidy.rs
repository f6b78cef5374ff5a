//! Rules that a program can check: who may use whom, where `unsafe` is, heads, lengths, and that the documents tell the truth.
//!
//! Offenders are listed, all of them at once. Tests and what follows `#[cfg(test)]` are not counted in lengths.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const CRATES: [&str; 7] = [
    "compiler", "cache", "runtime", "kernels", "cli", "tests", "benches",
];

/// Which crates of the workspace a crate's library and binaries may use.
const MAY_USE: [(&str, &[&str]); 7] = [
    ("parloop-compiler", &[]),
    ("parloop-cache", &[]),
    ("parloop", &["parloop-compiler", "parloop-cache"]),
    ("parloop-kernels", &["parloop"]),
    (
        "parloop-cli",
        &[
            "parloop",
            "parloop-compiler",
            "parloop-cache",
            "parloop-kernels",
        ],
    ),
    (
        "parloop-tests",
        &[
            "parloop",
            "parloop-compiler",
            "parloop-cache",
            "parloop-kernels",
            "parloop-cli",
        ],
    ),
    (
        "parloop-benches",
        &[
            "parloop",
            "parloop-compiler",
            "parloop-cache",
            "parloop-kernels",
            "parloop-cli",
        ],
    ),
];

/// Files that hold unsafe code; all others hold none.
const UNSAFE: [&str; 26] = [
    "runtime/src/code/arena.rs",
    "runtime/src/code/complex.rs",
    "runtime/src/code/invoke.rs",
    "runtime/src/code/memory.rs",
    "runtime/src/code/rank_update/lanes.rs",
    "runtime/src/code/rank_update/mod.rs",
    "runtime/src/code/rank_update/tile.rs",
    "runtime/src/code/symbols.rs",
    "runtime/src/data/buffer.rs",
    "runtime/src/data/guard.rs",
    "runtime/src/data/storage.rs",
    "runtime/src/data/value.rs",
    "runtime/src/engine/builder.rs",
    "runtime/src/engine/mod.rs",
    "runtime/src/fork.rs",
    "runtime/src/par_loop/call.rs",
    "runtime/src/par_loop/prepared.rs",
    "cli/src/bench/compare/library.rs",
    "cli/src/compare/library.rs",
    "tests/src/meter.rs",
    "tests/src/oracle.rs",
    "tests/tests/forked.rs",
    "tests/tests/plain_functions.rs",
    "tests/tests/safe_calls_are_safe.rs",
    "tests/tests/tidy.rs",
    "cache/tests/fork.rs",
];

/// Modules of a crate that a module may not name, below `src/`: the direction that the architecture gives.
const MAY_NOT_NAME: [(&str, &str, &[&str]); 14] = [
    (
        "compiler",
        "syntax",
        &[
            "check",
            "ir",
            "wrap",
            "opt",
            "lower",
            "emit",
            "pipeline",
            "request",
            "fingerprint",
            "encode",
        ],
    ),
    (
        "compiler",
        "ir",
        &[
            "check",
            "wrap",
            "opt",
            "lower",
            "emit",
            "pipeline",
            "request",
            "encode",
            "fingerprint",
        ],
    ),
    (
        "compiler",
        "check",
        &[
            "wrap",
            "opt",
            "lower",
            "emit",
            "pipeline",
            "request",
            "encode",
            "fingerprint",
        ],
    ),
    (
        "compiler",
        "wrap",
        &[
            "syntax",
            "check",
            "opt",
            "lower",
            "emit",
            "pipeline",
            "encode",
            "fingerprint",
        ],
    ),
    (
        "compiler",
        "opt",
        &[
            "syntax",
            "check",
            "wrap",
            "lower",
            "emit",
            "pipeline",
            "encode",
            "fingerprint",
        ],
    ),
    (
        "compiler",
        "lower",
        &[
            "syntax",
            "check",
            "wrap",
            "emit",
            "pipeline",
            "encode",
            "fingerprint",
        ],
    ),
    (
        "compiler",
        "emit",
        &[
            "syntax",
            "check",
            "wrap",
            "pipeline",
            "encode",
            "fingerprint",
        ],
    ),
    (
        "compiler",
        "encode",
        &[
            "syntax", "check", "wrap", "opt", "lower", "emit", "pipeline",
        ],
    ),
    (
        "compiler",
        "abi",
        &[
            "syntax", "check", "ir", "wrap", "opt", "lower", "emit", "pipeline",
        ],
    ),
    ("cache", "key", &["disk", "memory", "object", "stats"]),
    ("cache", "event", &["disk", "memory", "object", "stats"]),
    ("cache", "memory", &["disk", "object"]),
    (
        "runtime",
        "mesh",
        &["data", "engine", "exec", "code", "kernel"],
    ),
    (
        "runtime",
        "code",
        &["data", "mesh", "par_loop", "engine", "exec", "kernel"],
    ),
];

/// Files whose one long function is a single `match` with a short arm for each operation.
const LONG: [&str; 1] = ["compiler/src/ir/verify/ops.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The Rust files of the workspace, by their paths from its root, with their texts.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = CRATES.iter().map(|name| root().join(name)).collect();
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target") {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path
                    .strip_prefix(root())
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                // What trybuild compiles is not ours to head.
                if !name.contains("compile_fail/") {
                    found.push((name, fs::read_to_string(&path).unwrap()));
                }
            }
        }
    }
    found.sort();
    found
}

fn is_test(name: &str) -> bool {
    name.split('/')
        .any(|part| part == "tests" || part == "tests.rs")
        || name.starts_with("benches/")
}

/// The lines of a file without its unit tests.
fn code(text: &str) -> Vec<&str> {
    text.lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .collect()
}

/// A line without its comment and the contents of its strings, roughly.
fn bare(line: &str) -> String {
    let (mut out, mut quoted, mut escaped) = (String::new(), false, false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '\'' if !quoted && chars.peek() == Some(&'"') => drop(chars.next()),
            '"' => quoted = !quoted,
            '/' if !quoted && chars.peek() == Some(&'/') => break,
            _ if quoted => {}
            c => out.push(c),
        }
    }
    out
}

fn none(what: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{what}:\n{}", offenders.join("\n"));
}

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Of each package: its name, folder, and the workspace's packages that it uses, those of its tests apart.
fn packages() -> Vec<(String, String, Vec<String>)> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let name = |p: &serde_json::Value| p["name"].as_str().unwrap().to_owned();
    let names: Vec<String> = packages.iter().map(name).collect();
    let package = |p: &serde_json::Value| {
        let manifest = Path::new(p["manifest_path"].as_str().unwrap());
        let folder = manifest
            .parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let uses = p["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|d| d["kind"] != "dev");
        let uses = uses.map(name).filter(|d| names.contains(d)).collect();
        (name(p), folder, uses)
    };
    packages.iter().map(package).collect()
}

#[test]
fn crates_use_only_what_they_may() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    let mut offenders = Vec::new();
    for (name, _, uses) in packages() {
        let may = allowed.get(name.as_str());
        for used in uses {
            if !may.is_some_and(|may| may.contains(&used.as_str())) {
                offenders.push(format!("{name} uses {used}"));
            }
        }
    }
    none("dependencies against the direction", &offenders);
}

#[test]
fn modules_name_only_those_that_come_before_them() {
    let mut offenders = Vec::new();
    for (name, text) in sources() {
        for (krate, module, forbidden) in MAY_NOT_NAME {
            let inside = [
                format!("{krate}/src/{module}/"),
                format!("{krate}/src/{module}.rs"),
            ];
            if !inside.iter().any(|start| name.starts_with(start)) || is_test(&name) {
                continue;
            }
            for (number, line) in code(&text).into_iter().enumerate() {
                // What a number's type is and how numbers are computed is one thing for all.
                let line = bare(line)
                    .replace("crate::ir::Scalar", "")
                    .replace("crate::ir::eval", "");
                for other in forbidden {
                    let names = line.contains(&format!("crate::{other}::"))
                        || line.contains(&format!("crate::{other};"));
                    if names {
                        offenders.push(format!("{name}:{}: {module} names {other}", number + 1));
                    }
                }
            }
        }
    }
    none("modules against the direction", &offenders);
}

#[test]
fn unsafe_code_is_where_it_is_said_to_be() {
    let word = concat!("uns", "afe");
    let mut offenders = Vec::new();
    for (name, text) in sources() {
        let holds = text.lines().map(bare).any(|line| {
            let rest = line
                .replace(concat!("uns", "afe_code"), "")
                .replace(concat!("uns", "afe_op_in"), "");
            rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|w| w == word)
        });
        if holds && !UNSAFE.contains(&name.as_str()) && !name.contains("/tests/") {
            offenders.push(name);
        }
    }
    none(
        "unsafe code outside of the files that are listed here",
        &offenders,
    );
    for file in UNSAFE {
        let there =
            root().join(file).exists() || file.starts_with("cli/") || file.starts_with("cache/");
        assert!(there, "{file} is listed and does not exist");
    }
}

#[test]
fn every_file_has_a_head() {
    let mut offenders = Vec::new();
    for (name, text) in sources() {
        let head = text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .count();
        if head == 0 {
            offenders.push(name);
        }
    }
    none("files without a head", &offenders);
}

#[test]
fn files_are_of_readable_length() {
    let mut offenders = Vec::new();
    for (name, text) in sources().iter().filter(|(name, _)| !is_test(name)) {
        let lines = code(text).len();
        if lines > 600 {
            offenders.push(format!("{name}: {lines} lines"));
        }
    }
    none("files of more than 600 lines", &offenders);
}

#[test]
fn functions_are_of_readable_length() {
    let mut offenders = Vec::new();
    for (name, text) in sources().iter().filter(|(name, _)| !is_test(name)) {
        let mut open: Option<(usize, usize, String)> = None;
        for (number, line) in code(text).into_iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let is_fn = line.trim_start().split(' ').take(4).any(|w| w == "fn")
                && !line.trim_end().ends_with(';');
            match &open {
                None if is_fn => open = Some((number, indent, line.trim().to_owned())),
                Some((start, at, head)) if line.trim() == "}" && indent == *at => {
                    let lines = number - start + 1;
                    if lines > 70 && !LONG.contains(&name.as_str()) {
                        offenders.push(format!("{name}:{}: {lines} lines: {head}", start + 1));
                    }
                    open = None;
                }
                Some((start, ..))
                    if *start == number.saturating_sub(1) && line.trim().is_empty() =>
                {
                    open = None
                }
                _ => {}
            }
        }
    }
    none("functions of more than 70 lines", &offenders);
}

#[test]
fn nothing_is_left_to_do() {
    let words = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("db", "g!("),
        concat!("FIX", "ME"),
        concat!("TO", "DO"),
    ];
    let mut offenders = Vec::new();
    for (name, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                offenders.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("unfinished code", &offenders);
}

#[test]
fn no_test_is_ignored_without_a_reason() {
    let mark = concat!("#[ig", "nore]");
    let has = |(name, text): &(String, String)| text.contains(mark).then(|| name.clone());
    none(
        "tests ignored without a reason",
        &sources().iter().filter_map(has).collect::<Vec<_>>(),
    );
}

/// The files that are kept, as the version control lists them; all of the sources where there is none.
fn kept() -> Vec<(String, String)> {
    let output = Command::new("git")
        .args(["ls-files"])
        .current_dir(root())
        .output();
    let listed = output.ok().filter(|o| o.status.success());
    let Some(listed) = listed else {
        return sources();
    };
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let text = |name: &str| Some((name.to_owned(), fs::read_to_string(root().join(name)).ok()?));
    listed.lines().filter_map(text).collect()
}

#[test]
fn no_file_names_a_home_directory() {
    let places = [
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("/Us", "ers/"),
    ];
    let mut offenders = Vec::new();
    for (name, text) in kept() {
        for (number, line) in text.lines().enumerate() {
            // Nobody's home: an example in a test.
            let line = line.replace(concat!("/ho", "me/me"), "");
            if places.iter().any(|place| line.contains(place)) {
                offenders.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("paths of somebody's machine", &offenders);
}

#[test]
fn the_table_of_crates_is_the_workspace() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut missing = String::new();
    let packages = packages();
    for (name, folder, uses) in &packages {
        let start = format!("| `{folder}/` | `{name}` |");
        let Some(row) = text.lines().find(|line| line.starts_with(&start)) else {
            writeln!(missing, "no row `{start}`").unwrap();
            continue;
        };
        let imports = row.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap();
        for used in uses {
            let folder = &packages.iter().find(|p| p.0 == *used).unwrap().1;
            if !imports.contains(folder.as_str()) && !imports.contains("all") {
                writeln!(
                    missing,
                    "`{name}` uses {folder}, which its row does not say"
                )
                .unwrap();
            }
        }
    }
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| `") && line.contains("` | `parloop"))
        .count();
    assert_eq!(missing, "");
    assert_eq!(rows, packages.len(), "rows of the table");
}

#[test]
fn the_promises_have_their_files() {
    for promise in [
        "one_input",
        "one_path",
        "may_lose_never_lie",
        "no_dangling_code",
        "signatures_never_see_data",
        "safe_calls_are_safe",
        "seen",
    ] {
        assert!(
            root().join(format!("tests/tests/{promise}.rs")).exists(),
            "{promise}"
        );
    }
}

#[test]
fn the_readme_names_how_to_run_and_how_to_test() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    for command in [
        "cargo run --release -- bench airfoil",
        "cargo test --workspace",
    ] {
        assert!(text.contains(command), "{command}");
    }
}

/// The targets of a document's links that are files: neither addresses nor places in the document itself.
fn links(text: &str) -> Vec<&str> {
    let ends = text.split("](").skip(1);
    let targets = ends.filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    targets
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .collect()
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for document in ["README.md", "ARCHITECTURE.md", "compiler/LANGUAGE.md"] {
        let path = root().join(document);
        let text = fs::read_to_string(&path).unwrap();
        for target in links(&text) {
            if !path.parent().unwrap().join(target).exists() {
                broken.push(format!("{document}: {target}"));
            }
        }
    }
    none("links to files that do not exist", &broken);
}
