//! Hostile surroundings: foreign, open and swapped directories, symbolic links, planted and forged files.
//!
//! Some need a second user id, which only root can give files to; without it they check what they can.

mod support;

use parloop_cache::{Refusal, State, StoreConfig, Table, Why};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::sync::Arc;
use support::*;

const STRANGER: u32 = 54321;

/// Gives a file to another user; whether that was possible.
fn give_away(path: &Path) -> bool {
    std::os::unix::fs::lchown(path, Some(STRANGER), Some(STRANGER)).is_ok()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// What must come of a directory that is refused: no file in it, one warning that names `named`, memory only.
#[track_caller]
fn check_refused(config: StoreConfig, named: &Path) -> Refusal {
    let (store, recorder) = open(config);
    let State::Disabled {
        why: Why::Refused(refusal),
    } = store.state()
    else {
        panic!("not refused: {:?}", store.state());
    };
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    assert_eq!(
        answer(&store, OBJECTS, &key(1), b"preimage"),
        Err("disabled")
    );
    assert!(store.lock(&key(1)).is_none());
    let warnings = recorder.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains(&*named.to_string_lossy()),
        "{warnings:?} does not name {named:?}"
    );
    refusal
}

#[test]
fn row_s01_a_root_that_others_may_write_is_refused() {
    let place = Place::new();
    fs::create_dir(place.root()).unwrap();
    for mode in [0o777, 0o770, 0o702, 0o1777, 0o720] {
        set_mode(&place.root(), mode);
        let refusal = check_refused(place.config(), &place.root());
        assert!(matches!(refusal, Refusal::WritableByOthers { mode: found, .. } if found == mode));
        assert_eq!(
            fs::read_dir(place.root()).unwrap().count(),
            0,
            "something was written"
        );
    }
    set_mode(&place.root(), 0o755);
    assert_eq!(place.open().0.state(), State::ReadWrite);
}

#[test]
fn row_s02_a_root_of_another_user_is_refused() {
    let place = Place::new();
    fs::create_dir(place.root()).unwrap();
    set_mode(&place.root(), 0o700);
    if give_away(&place.root()) {
        let refusal = check_refused(place.config(), &place.root());
        assert!(matches!(
            refusal,
            Refusal::ForeignOwner {
                owner: STRANGER,
                ..
            }
        ));
    }
}

#[test]
fn row_s02_an_ancestor_that_others_own_or_may_write_is_refused_and_named() {
    let place = Place::new();
    let middle = place.above().join("middle");
    make_dir(&middle);
    make_dir(&middle.join("inner"));
    let config = StoreConfig::at(middle.join("inner/cache"));
    set_mode(&middle, 0o777);
    check_refused(config.clone(), &middle);
    set_mode(&middle, 0o775);
    check_refused(config.clone(), &middle);
    set_mode(&middle, 0o1777);
    assert_eq!(
        open(config.clone()).0.state(),
        State::ReadWrite,
        "sticky is fine above the root"
    );
    set_mode(&middle, 0o755);
    if give_away(&middle) {
        check_refused(config, &middle);
    }
}

#[test]
fn row_s03_a_symbolic_link_of_another_user_is_refused_and_ones_own_is_followed() {
    let place = Place::new();
    let real = place.above().join("real");
    fs::create_dir(&real).unwrap();
    set_mode(&real, 0o700);
    let link = place.above().join("link");
    symlink(&real, &link).unwrap();
    let (store, _) = open(StoreConfig::at(link.join("cache")));
    assert_eq!(store.state(), State::ReadWrite);
    assert!(real.join("cache/secret").exists());
    drop(store);
    if give_away(&link) {
        let refusal = check_refused(StoreConfig::at(link.join("cache")), &link);
        assert!(matches!(refusal, Refusal::SymbolicLink { .. }));
        check_refused(StoreConfig::at(&link), &link);
    }
}

#[test]
fn row_s03_links_in_a_circle_and_links_upwards_end() {
    let place = Place::new();
    let (a, b) = (place.above().join("a"), place.above().join("b"));
    symlink(&a, &b).unwrap();
    symlink(&b, &a).unwrap();
    let refusal = check_refused(StoreConfig::at(a.join("cache")), place.above());
    assert!(matches!(refusal, Refusal::SymbolicLink { .. }));
    make_dir(&place.above().join("deep"));
    symlink("../deep/./../deep", place.above().join("deep/up")).unwrap();
    assert_eq!(
        open(StoreConfig::at(place.above().join("deep/up/cache")))
            .0
            .state(),
        State::ReadWrite
    );
    assert!(place.above().join("deep/cache/secret").exists());
}

#[test]
fn row_s04_an_entry_that_is_a_symbolic_or_hard_link_is_a_miss_and_heals() {
    let place = Place::new();
    let (store, recorder, good) = with_one_entry(&place);
    let path = place.entry_path(OBJECTS, &key(1));
    let elsewhere = place.above().join("elsewhere");
    fs::write(&elsewhere, &good).unwrap();

    fs::remove_file(&path).unwrap();
    symlink(&elsewhere, &path).unwrap();
    check_defect_heals(&place, &store, &recorder, "not_regular");

    fs::remove_file(&path).unwrap();
    fs::hard_link(&elsewhere, &path).unwrap();
    check_defect_heals(&place, &store, &recorder, "foreign");
    assert_eq!(
        fs::read(&elsewhere).unwrap(),
        good,
        "the other name was touched"
    );
}

#[test]
fn row_s04_an_entry_of_another_user_is_a_miss_and_heals() {
    let place = Place::new();
    let (store, recorder, _) = with_one_entry(&place);
    if give_away(&place.entry_path(OBJECTS, &key(1))) {
        check_defect_heals(&place, &store, &recorder, "foreign");
    }
}

#[test]
fn row_s04_a_shard_that_is_a_symbolic_link_is_never_followed() {
    let place = Place::new();
    let (store, recorder, good) = with_one_entry(&place);
    let shard = place
        .entry_path(OBJECTS, &key(1))
        .parent()
        .unwrap()
        .to_owned();
    let moved = place.above().join("moved");
    fs::rename(&shard, &moved).unwrap();
    symlink(&moved, &shard).unwrap();
    assert!(load(&store, OBJECTS, &key(1), b"preimage").is_err());
    let name = key(1).to_string();
    assert_eq!(fs::read(moved.join(&name)).unwrap(), good);
    store.clear();
    assert_eq!(
        fs::read(moved.join(&name)).unwrap(),
        good,
        "removed through a symbolic link"
    );
    check_heals(&store, &recorder);
    let behind = fs::read(moved.join(&name)).unwrap();
    assert_eq!(behind, good, "written through a symbolic link");
    assert!(fs::symlink_metadata(&shard).unwrap().is_dir());
}

#[test]
fn row_s05_a_directory_swapped_after_opening_is_not_looked_at() {
    let place = Place::new();
    let (store, _, _) = with_one_entry(&place);
    let other = Place::new();
    let (planted, _) = other.open();
    publish(&planted, OBJECTS, &key(2), b"planted", b"2");
    let aside = place.above().join("aside");
    fs::rename(place.root(), &aside).unwrap();
    symlink(other.root(), place.root()).unwrap();
    assert_eq!(answer(&store, OBJECTS, &key(2), b"2"), Err("absent"));
    assert_eq!(
        answer(&store, OBJECTS, &key(1), b"preimage"),
        Ok(b"payload".to_vec())
    );
    publish(&store, OBJECTS, &key(3), b"three", b"3");
    assert!(!other.entry_path(OBJECTS, &key(3)).exists());
}

#[test]
fn row_s06_temporary_names_are_random_and_created_exclusively() {
    let place = Place::new();
    let (store, _, _) = with_one_entry(&place);
    // What is planted among the temporary files is neither followed nor used.
    let victim = place.above().join("victim");
    fs::write(&victim, b"mine").unwrap();
    for i in 0..32u8 {
        let name: String = (0..16).map(|_| char::from(b'a' + i % 26)).collect();
        let _ = symlink(&victim, place.root().join("v1/tmp").join(name));
    }
    for n in 10..30 {
        publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
        assert!(load(&store, OBJECTS, &key(n), b"preimage").is_ok());
    }
    assert_eq!(fs::read(&victim).unwrap(), b"mine");
}

#[test]
fn row_s07_an_entry_forged_with_another_secret_is_a_miss_and_told() {
    let place = Place::new();
    let (store, recorder, _) = with_one_entry(&place);
    let forger = Place::new();
    let (forging, _) = forger.open();
    publish(&forging, OBJECTS, &key(1), b"evil", b"preimage");
    fs::copy(
        forger.entry_path(OBJECTS, &key(1)),
        place.entry_path(OBJECTS, &key(1)),
    )
    .unwrap();
    check_defect_heals(&place, &store, &recorder, "bad_mac");
}

#[test]
fn row_s08_an_old_entry_replayed_under_another_key_or_preimage_is_a_miss() {
    let place = Place::new();
    let (store, recorder, old) = with_one_entry(&place);
    publish(&store, OBJECTS, &key(2), b"new", b"new preimage");
    fs::write(place.entry_path(OBJECTS, &key(2)), &old).unwrap();
    recorder.take();
    assert_eq!(
        answer(&store, OBJECTS, &key(2), b"new preimage"),
        Err("wrong_key")
    );
    // Rewriting the key in the trailer breaks the keyed hash, which covers it.
    let mut moved = old.clone();
    let at = old.len() - 152 + 40;
    moved[at..at + 32].copy_from_slice(key(2).as_bytes());
    fs::write(place.entry_path(OBJECTS, &key(2)), &moved).unwrap();
    assert_eq!(
        answer(&store, OBJECTS, &key(2), b"new preimage"),
        Err("bad_mac")
    );
}

#[test]
fn row_s14_a_process_with_more_rights_than_its_user_has_no_cache_on_disk() {
    let place = Place::new();
    let mut config = place.config();
    config.faults = Some(Arc::new(|call| (call == "elevated").then_some(1)));
    let (store, recorder) = open(config);
    assert_eq!(
        store.state(),
        State::Disabled {
            why: Why::Refused(Refusal::Elevated)
        }
    );
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    assert_eq!(recorder.warnings().len(), 1);
    assert!(!place.root().exists());
}

#[test]
fn row_s15_an_explicit_path_into_another_users_directory_is_checked_like_any_other() {
    let place = Place::new();
    let theirs = place.above().join("theirs");
    make_dir(&theirs);
    make_dir(&theirs.join("cache"));
    let cache = theirs.join("cache");
    if give_away(&theirs) {
        // Even where the last directory is one's own.
        check_refused(StoreConfig::at(&cache), &theirs);
        assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);
        // And where the last one alone is not, which only root can arrange.
        chown(&theirs, Some(0), Some(0)).unwrap();
        assert!(give_away(&cache));
        check_refused(StoreConfig::at(&cache), &cache);
        assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);
    }
}

fn check_modes(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let facts = fs::symlink_metadata(&path).unwrap();
        let expected = if facts.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(facts.mode() & 0o7777, expected, "{path:?}");
        if facts.is_dir() {
            check_modes(&path);
        }
    }
}

#[test]
fn row_s16_modes_are_0600_and_0700_whatever_the_umask() {
    // The umask belongs to the process, so each one gets its own.
    if let Ok(root) = std::env::var("PARLOOP_TEST_ROOT") {
        let (store, _) = open(StoreConfig::at(&root));
        drop(store.lock(&key(1)));
        publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
        assert!(load(&store, OBJECTS, &key(1), b"preimage").is_ok());
        return;
    }
    for umask in ["000", "022", "077", "777"] {
        let place = Place::new();
        let test = std::env::current_exe().unwrap();
        let line =
            "umask $0; exec \"$1\" --exact row_s16_modes_are_0600_and_0700_whatever_the_umask";
        let status = std::process::Command::new("sh")
            .args(["-c", line, umask])
            .arg(&test)
            .env("PARLOOP_TEST_ROOT", place.root())
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "umask {umask}");
        assert_eq!(
            fs::metadata(place.root()).unwrap().mode() & 0o7777,
            0o700,
            "umask {umask}"
        );
        check_modes(&place.root());
    }
}

#[test]
fn row_s17_names_tell_nothing_and_files_are_the_users_alone() {
    let place = Place::new();
    let (_store, _, _) = with_one_entry(&place);
    check_modes(&place.root());
    let path = place.entry_path(OBJECTS, &key(1));
    assert!(!path.to_string_lossy().contains("res_calc"));
}

#[test]
fn row_s19_clear_removes_only_what_matches_and_follows_nothing() {
    let place = Place::new();
    let (store, _, _) = with_one_entry(&place);
    publish(&store, Table::Shortcuts, &key(2), b"record", b"source");
    let home = place.above().join("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join(key(9).to_string()), b"mine").unwrap();
    let objects = place.root().join("v1/objects");
    symlink(&home, objects.join("zz")).unwrap();
    symlink(home.join(key(9).to_string()), objects.join("bb")).unwrap();
    fs::create_dir(objects.join("cc")).unwrap();
    fs::write(objects.join("cc/notes.txt"), b"mine").unwrap();
    symlink(
        home.join(key(9).to_string()),
        objects.join("cc").join(key(7).to_string()),
    )
    .unwrap();
    let cleared = store.clear();
    assert_eq!(
        (cleared.objects, cleared.shortcuts),
        (2, 1),
        "two files and a planted link"
    );
    assert_eq!(fs::read(home.join(key(9).to_string())).unwrap(), b"mine");
    assert_eq!(fs::read(objects.join("cc/notes.txt")).unwrap(), b"mine");
    assert_eq!(store.usage().entries(), 0);
    assert!(place.root().join("secret").exists());
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    assert!(
        load(&store, OBJECTS, &key(1), b"preimage").is_ok(),
        "the store is usable after clear"
    );
}

#[test]
fn row_s20_control_characters_in_labels_and_paths_are_escaped() {
    let place = Place::new();
    let odd = place.above().join("a\x1b[2J\nb");
    fs::create_dir(&odd).unwrap();
    set_mode(&odd, 0o777);
    let (_store, recorder) = open(StoreConfig::at(odd.join("cache")));
    let warning = recorder.warnings().remove(0);
    assert!(!warning.contains(|c: char| c.is_control()), "{warning:?}");

    let (store, _) = place.open();
    let mut hostile = publication(b"payload", b"preimage");
    hostile.metadata.label = "\x1b]0;title\x07kernel\r\n".into();
    store.publish(OBJECTS, &key(1), hostile, None);
    store.flush(PATIENCE);
    let metadata = load(&store, OBJECTS, &key(1), b"preimage")
        .unwrap()
        .metadata();
    assert_eq!(
        metadata.label_escaped(),
        "\\u{1b}]0;title\\u{7}kernel\\r\\n"
    );
}

#[test]
fn row_s05_a_directory_swapped_between_the_check_and_the_opening_is_not_used() {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    for open_to_all in [false, true] {
        let (place, other) = (Place::new(), Place::new());
        drop(with_one_entry(&place));
        let (planted, _) = other.open();
        publish(&planted, OBJECTS, &key(2), b"planted", b"2");
        drop(planted);
        if open_to_all {
            set_mode(&other.root(), 0o777);
        }
        // The last step of the way: `/` is opened too.
        let last = place.root().components().count();
        let opened = AtomicUsize::new(0);
        let (root, aside) = (place.root(), place.above().join("aside"));
        let theirs = other.root();
        let mut config = place.config();
        config.faults = Some(Arc::new(move |call| {
            if call == "walk_open" && opened.fetch_add(1, SeqCst) + 1 == last {
                fs::rename(&root, &aside).unwrap();
                match open_to_all {
                    true => fs::rename(&theirs, &root).unwrap(),
                    false => symlink(&theirs, &root).unwrap(),
                }
            }
            None
        }));
        let before = fs::read_dir(other.root()).unwrap().count();
        let (store, recorder) = open(config);
        let State::Disabled {
            why: Why::Refused(refusal),
        } = store.state()
        else {
            panic!("{:?}", store.state());
        };
        assert_eq!(
            matches!(refusal, Refusal::WritableByOthers { .. }),
            open_to_all,
            "{refusal}"
        );
        assert_eq!(recorder.warnings().len(), 1);
        if !open_to_all {
            assert_eq!(fs::read_dir(other.root()).unwrap().count(), before);
        }
    }
}

#[test]
fn row_s06_what_lies_under_a_temporary_name_is_neither_followed_nor_written() {
    let place = Place::new();
    let (store, _, _) = with_one_entry(&place);
    drop(store);
    let victim = place.above().join("victim");
    fs::write(&victim, b"mine").unwrap();
    set_mode(&victim, 0o600);
    let name = "a".repeat(16);
    let at = place.root().join("v1/tmp").join(&name);
    let plants: [fn(&Path, &Path); 4] = [
        |at, victim| symlink(victim, at).unwrap(),
        |at, victim| fs::hard_link(victim, at).unwrap(),
        |at, victim| fs::write(at, fs::read(victim).unwrap()).unwrap(),
        |at, victim| symlink(victim.with_file_name("new"), at).unwrap(),
    ];
    let mut config = place.config();
    config.faults = Some(Arc::new(|call| (call == "not_random").then_some(0)));
    for plant in plants {
        plant(&at, &victim);
        let before = fs::symlink_metadata(&at).unwrap().ino();
        let (store, recorder) = open(config.clone());
        publish(&store, OBJECTS, &key(2), b"payload", b"preimage");
        let events = recorder.take();
        let bypassed = |event: &parloop_cache::Event| {
            matches!(event, parloop_cache::Event::Bypass { reason: "io", .. })
        };
        assert!(events.iter().any(bypassed), "{events:?}");
        assert_eq!(answer(&store, OBJECTS, &key(2), b"preimage"), Err("absent"));
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
        assert!(!victim.with_file_name("new").exists());
        assert_eq!(fs::symlink_metadata(&at).unwrap().ino(), before);
        fs::remove_file(&at).unwrap();
    }
    // The name was the one: without anything there it is used.
    let (store, _) = open(config);
    publish(&store, OBJECTS, &key(2), b"payload", b"preimage");
    assert!(load(&store, OBJECTS, &key(2), b"preimage").is_ok());
}

#[test]
fn row_s19_collecting_removes_only_what_matches_and_follows_nothing() {
    let place = Place::new();
    let (store, _, _) = with_one_entry(&place);
    drop(store);
    let home = place.above().join("home");
    make_dir(&home);
    let (entry, temporary) = (home.join(key(9).to_string()), home.join("a".repeat(16)));
    for file in [&entry, &temporary] {
        fs::write(file, b"mine").unwrap();
        let open = fs::File::options().write(true).open(file).unwrap();
        open.set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
    }
    let v1 = place.root().join("v1");
    symlink(&home, v1.join("objects/zz")).unwrap();
    symlink(&home, v1.join("shortcuts")).unwrap();
    fs::remove_dir_all(v1.join("tmp")).unwrap();
    symlink(&home, v1.join("tmp")).unwrap();
    let linked = v1.join("objects").join(&key(1).to_string()[..2]);
    symlink(&entry, linked.join(key(5).to_string())).unwrap();
    let mut config = place.config();
    config.entries_max = 1;
    let (store, _) = open(config);
    store.collect().unwrap();
    for n in 10..20 {
        publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
    }
    store.collect().unwrap();
    for file in [&entry, &temporary] {
        assert_eq!(fs::read(file).unwrap(), b"mine");
    }
    assert_eq!(fs::read_dir(&home).unwrap().count(), 2);
}
