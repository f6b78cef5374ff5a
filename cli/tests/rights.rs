//! The command as another user, with more rights than that user, and without a home. All of this takes root to arrange.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use support::Place;

/// A user that no machine knows.
const UID: &str = "54321";
const FILL: [&str; 6] = ["bench", "airfoil", "--blocks", "2,3", "--iterations", "1"];

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A copy of a program that everybody may run, in a directory that everybody may enter.
fn copy(place: &Place, program: &Path, mode: u32) -> PathBuf {
    allow(place.path(), 0o755);
    let copy = place.path().join(program.file_name().unwrap());
    fs::copy(program, &copy).unwrap();
    allow(&copy, mode);
    copy
}

/// A directory of that user.
fn own(place: &Place, name: &str) -> PathBuf {
    let path = place.path().join(name);
    fs::create_dir(&path).unwrap();
    let uid = UID.parse().ok();
    std::os::unix::fs::chown(&path, uid, uid).unwrap();
    path
}

/// A program run as that user, without a home; nothing if this is not root, or there is no `setpriv`.
fn as_another(program: &Path, args: &[&str], variables: &[(&str, &Path)]) -> Option<Output> {
    let ids = ["--reuid", UID, "--regid", UID, "--clear-groups"];
    let works = Command::new("setpriv").args(ids).arg("true").output();
    if !works.is_ok_and(|output| output.status.success()) {
        skipped("only root can run programs as another user");
        return None;
    }
    let mut command = Command::new("setpriv");
    command.args(ids).arg(program).args(args).env_clear();
    command.envs(variables.iter().copied());
    Some(command.output().unwrap())
}

#[expect(clippy::print_stderr, reason = "a test that checks nothing says so")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn row_s14_a_program_with_its_owners_rights_has_no_cache_on_disk() {
    let place = Place::new();
    let parloop = Path::new(assert_cmd::cargo::cargo_bin!("parloop"));
    let home = own(&place, "home");
    let run = |program: &Path| as_another(program, &FILL, &[("XDG_CACHE_HOME", &home)]);
    // Where such rights are not given, there is nothing to see.
    let id = copy(&place, Path::new("/usr/bin/id"), 0o4755);
    let Some(told) = as_another(&id, &["-u"], &[]) else {
        return;
    };
    if text(&told.stdout).trim() != "0" {
        return skipped("this file system gives no program its owner's rights");
    }
    let elevated = run(&copy(&place, parloop, 0o4755)).unwrap();
    let said = text(&elevated.stderr);
    assert!(elevated.status.success(), "{said}");
    assert!(said.contains("the cache on disk is off"), "{said}");
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
    // The same program without them has one.
    let plain = run(&copy(&place, parloop, 0o755)).unwrap();
    assert_eq!(text(&plain.stderr), "");
    assert!(home.join("parloop/secret").exists());
}

#[test]
fn row_22_a_user_that_nobody_knows_without_a_home_runs_loops_and_keeps_none() {
    let place = Place::new();
    let parloop = Path::new(assert_cmd::cargo::cargo_bin!("parloop"));
    let parloop = copy(&place, parloop, 0o755);
    let Some(run) = as_another(&parloop, &FILL, &[]) else {
        return;
    };
    assert!(run.status.success(), "{}", text(&run.stderr));
    let path = as_another(&parloop, &["cache", "path"], &[]).unwrap();
    let said = text(&path.stderr);
    assert_eq!(path.status.code(), Some(1), "{}{said}", text(&path.stdout));
    assert!(said.contains("no cache directory is configured"), "{said}");
}
