//! The build id: what a compilation depends on besides its request, as one word in the environment variable PARLOOP_BUILD_ID.
//!
//! It is the crate's version and a BLAKE3 hash of the crate's sources and manifest (relative paths in order, and contents; no
//! times) and of the versions of the crates that shape the bytes of an object. Those come from the workspace's lock file, or,
//! where the crate is built by itself, from the `=` pins of its own manifest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Crates whose version shows in the bytes of an object.
const SHAPING: [&str; 8] = [
    "cranelift-codegen",
    "cranelift-entity",
    "cranelift-frontend",
    "cranelift-module",
    "cranelift-object",
    "object",
    "regalloc2",
    "target-lexicon",
];

fn main() -> io::Result<()> {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    println!(
        "cargo::rustc-env=PARLOOP_BUILD_ID={}",
        build_id(&root, &version)?
    );
    // A directory stands for all that is in it.
    for path in ["src", "build.rs", "Cargo.toml"].map(|p| root.join(p)) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    if let Some(lock) = workspace_lock(&root) {
        println!("cargo::rerun-if-changed={}", lock.display());
    }
    Ok(())
}

/// The build id of the crate at `root`.
pub(crate) fn build_id(root: &Path, version: &str) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut add = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    for relative in sources(root)? {
        add(relative.as_bytes());
        add(&fs::read(root.join(&relative))?);
    }
    for (name, version) in shaping_versions(root)? {
        add(name.as_bytes());
        add(version.as_bytes());
    }
    Ok(format!("{version}+{}", hasher.finalize().to_hex()))
}

/// Manifest, build script and all files under `src`, relative to `root`, with slashes, in order.
fn sources(root: &Path) -> io::Result<Vec<String>> {
    let mut found = vec!["Cargo.toml".to_owned(), "build.rs".to_owned()];
    let mut open = vec!["src".to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(root.join(&directory))? {
            let entry = entry?;
            let path = format!("{directory}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The lock file of the workspace that the crate is a member of; a packaged crate is in none.
fn workspace_lock(root: &Path) -> Option<PathBuf> {
    let parent = root.parent()?;
    let manifest = fs::read_to_string(parent.join("Cargo.toml")).ok()?;
    let lock = parent.join("Cargo.lock");
    let is_member = manifest.lines().any(|line| line.trim() == "[workspace]");
    (is_member && lock.is_file()).then_some(lock)
}

/// Name and version of each crate that shapes bytes.
fn shaping_versions(root: &Path) -> io::Result<Vec<(&'static str, String)>> {
    let lock = workspace_lock(root);
    let text = fs::read_to_string(lock.as_deref().unwrap_or(&root.join("Cargo.toml")))?;
    let find = if lock.is_some() { locked } else { pinned };
    let missing = |name| {
        io::Error::other(format!(
            "{name} has no version in the lock file and no `=` pin"
        ))
    };
    let each = SHAPING.iter().map(|name| {
        let versions = find(&text, name);
        if versions.is_empty() {
            return Err(missing(name));
        }
        Ok((*name, versions.join(" ")))
    });
    each.collect()
}

/// The versions of a package in a lock file; there may be more than one.
fn locked(lock: &str, name: &str) -> Vec<String> {
    let packages = lock.split("[[package]]").filter(|package| {
        let found = package
            .lines()
            .find_map(|line| line.strip_prefix("name = "));
        found.is_some_and(|found| unquoted(found) == name)
    });
    let version = |package: &str| {
        let line = package
            .lines()
            .find_map(|line| line.strip_prefix("version = "))?;
        Some(unquoted(line).to_owned())
    };
    packages.filter_map(version).collect()
}

/// The pin of a dependency in a packaged manifest, where each has a table of its own.
fn pinned(manifest: &str, name: &str) -> Vec<String> {
    let head = format!("[dependencies.{name}]");
    let lines = manifest.lines().skip_while(|line| line.trim() != head);
    let mut table = lines.skip(1).take_while(|line| !line.starts_with('['));
    let version = table.find_map(|line| line.strip_prefix("version = "));
    let pin = version.and_then(|version| unquoted(version).strip_prefix('='));
    pin.map(str::to_owned).into_iter().collect()
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches('"')
}
