//! Each condition that slows a store or keeps it from its work is found, with its code; looking changes nothing.

mod support;

use parloop_cache::{Condition, Mode, Severity, Store, StoreConfig};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use support::*;

/// A store that only looks, as the command's does.
fn look(mut config: StoreConfig) -> Store {
    config.mode = Mode::ReadOnly;
    open(config).0
}

fn found(config: StoreConfig) -> Vec<Condition> {
    look(config).diagnose(Mode::ReadWrite)
}

/// What is found, by severity and code; the room on the test's file system left out.
fn codes(config: StoreConfig) -> Vec<(&'static str, &'static str)> {
    let found = found(config);
    for condition in &found {
        assert!(!condition.what.is_empty() && !condition.advice.is_empty());
        assert!(
            !condition.what.chars().any(char::is_control),
            "{condition:?}"
        );
    }
    let each = found.iter().map(|c| (c.severity.name(), c.code));
    each.filter(|(_, code)| !["full", "network"].contains(code))
        .collect()
}

/// Every path below a directory.
fn listed(root: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            paths.push(path.display().to_string());
            if path.is_dir() && !path.is_symlink() {
                open.push(path);
            }
        }
    }
    paths.sort();
    paths
}

#[test]
fn nothing_is_wrong_with_a_sound_directory_and_looking_changes_nothing() {
    let place = Place::new();
    drop(with_one_entry(&place));
    let before = listed(&place.root());
    assert_eq!(codes(place.config()), []);
    assert_eq!(listed(&place.root()), before);
}

#[test]
fn a_directory_that_is_not_there_is_told_and_not_made() {
    let place = Place::new();
    assert_eq!(codes(place.config()), [("note", "missing")]);
    assert!(!place.root().exists());
    assert_eq!(codes(StoreConfig::default()), [("refused", "no_directory")]);
}

#[test]
fn a_directory_that_is_not_there_and_can_not_be_made_is_told() {
    let place = Place::new();
    let mut config = StoreConfig::at(place.above().join("nothing/cache"));
    assert_eq!(codes(config.clone()), [("note", "missing")]);
    for errno in [13, 30] {
        config.faults = Some(Arc::new(move |call| (call == "access").then_some(errno)));
        assert_eq!(codes(config.clone()), [("refused", "not_to_be_made")]);
    }
    // Root may write anywhere.
    let user = rustix::process::geteuid();
    if !user.is_root() {
        let config = StoreConfig::at("/nonexistent/cache");
        assert_eq!(codes(config), [("refused", "not_to_be_made")]);
    }
}

#[test]
fn a_directory_that_was_never_written_to_stays_as_it_is() {
    let place = Place::new();
    fs::create_dir(place.root()).unwrap();
    fs::set_permissions(place.root(), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(codes(place.config()), []);
    assert_eq!(listed(&place.root()), [""; 0]);
    drop(with_one_entry(&place));
    let temporary = place.root().join("v1/tmp");
    fs::remove_dir_all(&temporary).unwrap();
    fs::write(&temporary, "somebody's").unwrap();
    let before = listed(&place.root());
    found(place.config());
    assert_eq!(listed(&place.root()), before);
    assert_eq!(fs::read(&temporary).unwrap(), b"somebody's");
}

#[test]
fn nothing_is_written_where_programs_write_nothing() {
    let place = Place::new();
    drop(with_one_entry(&place));
    let mut config = place.config();
    config.faults = Some(Arc::new(|call| {
        assert_ne!(call, "create");
        None
    }));
    let store = look(config);
    store.diagnose(Mode::ReadOnly);
    store.diagnose(Mode::Off);
}

#[test]
fn modes_that_keep_the_store_from_its_work_are_told() {
    let place = Place::new();
    drop(with_one_entry(&place));
    let store = look(place.config());
    for (mode, expected) in [
        (Mode::Off, vec!["mode_off"]),
        (Mode::ReadOnly, vec!["mode_read_only"]),
        (Mode::Refresh, vec!["mode_refresh"]),
        (Mode::Verify, vec!["mode_verify"]),
        (Mode::Audit, vec!["mode_audit"]),
        (Mode::ReadWrite, vec![]),
    ] {
        let found = store.diagnose(mode);
        let codes: Vec<&str> = found.iter().map(|c| c.code).collect();
        let codes: Vec<&str> = codes
            .into_iter()
            .filter(|c| c.starts_with("mode"))
            .collect();
        assert_eq!(codes, expected);
    }
}

#[test]
fn what_refuses_a_directory_is_told_by_its_kind() {
    let place = Place::new();
    drop(with_one_entry(&place));
    let chmod = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    chmod(&place.root(), 0o777);
    assert_eq!(codes(place.config()), [("refused", "writable_by_others")]);
    chmod(&place.root(), 0o700);
    chmod(place.above(), 0o777);
    assert_eq!(codes(place.config()), [("refused", "writable_by_others")]);
    chmod(place.above(), 0o700);
    chmod(&place.root(), 0o755);
    assert_eq!(codes(place.config()), [("note", "open_to_others")]);
    let file = place.above().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(
        codes(StoreConfig::at(&file)),
        [("refused", "not_a_directory")]
    );
    let circle = place.above().join("circle");
    symlink(&circle, &circle).unwrap();
    assert_eq!(
        codes(StoreConfig::at(&circle)),
        [("refused", "symbolic_link")]
    );
    let mut elevated = place.config();
    elevated.faults = Some(Arc::new(|call| (call == "elevated").then_some(1)));
    assert_eq!(codes(elevated), [("refused", "elevated")]);
    assert_eq!(codes(StoreConfig::at("")), [("refused", "bad_path")]);
    let mut unreadable = place.config();
    unreadable.faults = Some(Arc::new(|call| (call == "walk_open").then_some(13)));
    assert_eq!(codes(unreadable), [("refused", "unreadable")]);
    let stranger = Some(54321);
    if std::os::unix::fs::chown(place.root(), stranger, stranger).is_ok() {
        assert_eq!(codes(place.config()), [("refused", "foreign_owner")]);
    }
}

#[test]
fn what_only_costs_time_is_told() {
    let place = Place::new();
    drop(with_one_entry(&place));
    for (seam, number, code) in [
        ("lock", 37, "no_locks"),
        ("skew", 3600, "clock_skew"),
        ("skew", -3600, "clock_skew"),
        ("network", 0x6969, "network"),
    ] {
        let mut config = place.config();
        config.faults = Some(Arc::new(move |call| (call == seam).then_some(number)));
        let found = found(config);
        let told = found.iter().find(|condition| condition.code == code);
        assert_eq!(told.unwrap().severity, Severity::Note, "{code}");
    }
    let mut config = place.config();
    config.faults = Some(Arc::new(|call| (call == "skew").then_some(30)));
    assert_eq!(codes(config), [], "clocks differ by a little");
}

#[test]
fn bounds_of_zero_and_a_cache_that_is_too_small_are_told() {
    let place = Place::new();
    for bytes in [true, false] {
        let mut config = place.config();
        match bytes {
            true => config.size_bytes_max = 0,
            false => config.entries_max = 0,
        }
        let found = codes(config);
        assert!(found.contains(&("degraded", "no_room")), "{found:?}");
    }
    let mut config = place.config();
    config.entries_max = 1;
    let (store, _) = open(config.clone());
    for n in 0..300 {
        let n = n % 2;
        if load(&store, OBJECTS, &key(n), b"preimage").is_err() {
            publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
        }
    }
    drop(store);
    assert_eq!(codes(config), [("note", "crowded")]);
}

#[test]
fn what_is_no_file_in_the_place_of_a_hint_is_told() {
    let place = Place::new();
    drop(with_one_entry(&place));
    let usage = place.root().join("v1/usage");
    fs::remove_file(&usage).unwrap();
    symlink("elsewhere", &usage).unwrap();
    assert_eq!(codes(place.config()), [("note", "not_a_file")]);
    fs::remove_file(&usage).unwrap();
    fs::write(place.root().join("v1/locks"), "").unwrap();
    assert_eq!(codes(place.config()), [("note", "not_a_directory")]);
}

#[test]
fn what_does_not_belong_there_is_told_with_its_name_escaped() {
    let place = Place::new();
    drop(with_one_entry(&place));
    let root = place.root();
    fs::create_dir(root.join("v7")).unwrap();
    fs::write(root.join("note\x1b[2J"), "").unwrap();
    fs::write(root.join("v1/objects/README"), "").unwrap();
    let entry = place.entry_path(OBJECTS, &key(1));
    fs::remove_file(&entry).unwrap();
    fs::create_dir(&entry).unwrap();
    let mut codes = codes(place.config());
    codes.sort_unstable();
    let expected = [
        "foreign_name",
        "foreign_name",
        "not_regular",
        "other_version",
    ];
    assert_eq!(codes, expected.map(|code| ("note", code)));
    let said: Vec<String> = found(place.config()).into_iter().map(|c| c.what).collect();
    assert!(
        said.iter().any(|what| what.contains("note\\u{1b}[2J")),
        "{said:?}"
    );
}

#[test]
fn damage_and_left_overs_are_told() {
    let place = Place::new();
    drop(with_one_entry(&place));
    let root = place.root();
    let left = root.join("v1/tmp").join("a".repeat(16));
    fs::create_dir_all(root.join("v1/tmp")).unwrap();
    fs::write(&left, "").unwrap();
    let old = fs::File::options().write(true).open(&left).unwrap();
    old.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(codes(place.config()), [("note", "left_over")]);
    fs::remove_file(left).unwrap();
    let entry = place.entry_path(OBJECTS, &key(1));
    let mut bytes = fs::read(&entry).unwrap();
    bytes[3] ^= 1;
    fs::write(&entry, bytes).unwrap();
    assert_eq!(codes(place.config()), [("note", "bad_mac")]);
    fs::write(root.join("secret"), "damaged").unwrap();
    let codes = codes(place.config());
    assert!(codes.contains(&("degraded", "secret")), "{codes:?}");
}

#[test]
fn bounds_that_are_exceeded_and_entries_from_the_future_are_told() {
    let place = Place::new();
    let (store, _recorder) = place.open();
    let mut late = publication(b"payload", b"preimage");
    late.metadata.created_unix_s = u64::MAX;
    store.publish(OBJECTS, &key(1), late, None);
    assert!(store.flush(PATIENCE));
    publish(&store, OBJECTS, &key(2), b"payload", b"preimage");
    drop(store);
    let mut config = place.config();
    config.entries_max = 1;
    let expected = [("note", "over_bounds"), ("note", "future_entries")];
    assert_eq!(codes(config), expected);
}

#[test]
fn a_disk_that_is_full_or_can_not_be_written_is_told() {
    for (call, errno, code) in [
        ("write", 28, "full"),
        ("create", 122, "full"),
        ("create", 30, "read_only"),
        ("create", 13, "read_only"),
        ("write", 5, "write"),
    ] {
        let place = Place::new();
        drop(with_one_entry(&place));
        let mut config = place.config();
        config.faults = Some(Arc::new(move |name| (name == call).then_some(errno)));
        let found = found(config);
        let degraded = found.iter().filter(|c| c.severity == Severity::Degraded);
        let codes: Vec<&str> = degraded.map(|c| c.code).collect();
        assert!(codes.contains(&code), "{call} {errno}: {codes:?}");
        assert_eq!(place.temporary_files(), 0);
    }
}
