//! May lose, never lie: a fault on disk costs a compilation, not a run, and never a wrong byte.
//!
//! Each file that a warm run reads (the object, the shortcut record, the secret key) is deleted, cut at every length, flipped
//! at every byte, and replaced by what does not belong there. The run that meets it computes the right values, counts a miss
//! with a reason, and the run after hits.

use parloop::{CodeSource, Engine, Event, Mode};
use parloop_cache::{Layer, Metadata, Publication, Table};
use parloop_compiler::{Fingerprint, ShortcutRecord};
use parloop_tests::cached::{COLD, SMALL, WARM, directory, file, flush, run_small, visit, watched};
use parloop_tests::child;
use parloop_tests::log::Log;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

const KINDS: [&str; 3] = ["objects", "shortcuts", "secret"];

/// A directory that holds the small loop.
fn filled() -> (tempfile::TempDir, std::path::PathBuf) {
    let (temp, path) = directory();
    assert_eq!(visit(&path).0, CodeSource::Compiled);
    assert_eq!(
        visit(&path),
        (CodeSource::Disk, WARM.map(str::to_owned).to_vec())
    );
    (temp, path)
}

/// Visits after damage: the first says why it missed, the second hits as if nothing had been. Gives what the first told.
fn heals(what: &str, path: &Path) -> Vec<String> {
    let (source, told) = visit(path);
    let named = |line: &&String| line.contains("miss: ") && !line.contains("memory");
    let misses: Vec<&String> = told.iter().filter(named).collect();
    assert!(!misses.is_empty(), "{what}: {told:?}");
    let compiled = told.contains(&"compile".to_owned());
    assert_eq!(source == CodeSource::Compiled, compiled, "{what}");
    let (source, after) = visit(path);
    assert_eq!(
        (source, after),
        (CodeSource::Disk, WARM.map(str::to_owned).to_vec()),
        "{what}, the run after"
    );
    told
}

/// What is told of one defective file, whatever the defect.
fn check_told(what: &str, kind: &str, told: &[String]) {
    let starts = |line: &str, start: &str| line.starts_with(start) && !line.ends_with("absent");
    let count = |start: &str| told.iter().filter(|line| starts(line, start)).count();
    match kind {
        "objects" => {
            assert_eq!(
                (count("disk miss: "), count("disk reject: ")),
                (1, 1),
                "{what}: {told:?}"
            );
            assert!(told.contains(&"compile".to_owned()), "{what}: {told:?}");
        }
        "shortcuts" => {
            assert_eq!(
                (count("shortcut miss: "), count("shortcut reject: ")),
                (1, 1),
                "{what}: {told:?}"
            );
            assert!(told.contains(&"disk hit".to_owned()), "{what}: {told:?}");
        }
        _ => assert!(told.contains(&"compile".to_owned()), "{what}: {told:?}"),
    }
}

#[test]
fn a_deleted_file_is_made_again() {
    for kind in KINDS {
        let (_temp, path) = filled();
        fs::remove_file(file(&path, kind)).unwrap();
        heals(&format!("{kind} deleted"), &path);
    }
    let (_temp, path) = filled();
    fs::remove_dir_all(&path).unwrap();
    let told = heals("all deleted", &path);
    assert_eq!(told[..4], COLD);
}

#[test]
fn a_file_cut_at_any_length_is_a_miss_that_heals() {
    for kind in KINDS {
        let (_temp, path) = filled();
        for len in 0..fs::metadata(file(&path, kind)).unwrap().len() as usize {
            let victim = file(&path, kind);
            let bytes = fs::read(&victim).unwrap();
            fs::write(&victim, &bytes[..len]).unwrap();
            let what = format!("{kind} cut to {len} of {} bytes", bytes.len());
            check_told(&what, kind, &heals(&what, &path));
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_is_a_miss_that_heals() {
    for kind in KINDS {
        let (_temp, path) = filled();
        let len = fs::metadata(file(&path, kind)).unwrap().len() as usize;
        // Every bit of the secret, and of the longer files one of each byte: the store's own tests flip all of an entry.
        let bits: Vec<usize> = match kind {
            "secret" => (0..len * 8).collect(),
            _ => (0..len).map(|at| at * 8 + at % 8).collect(),
        };
        for bit in bits {
            let at = bit / 8;
            let victim = file(&path, kind);
            let mut bytes = fs::read(&victim).unwrap();
            bytes[at] ^= 1 << (bit % 8);
            fs::write(&victim, &bytes).unwrap();
            let what = format!("{kind} flipped at bit {bit} of {} bytes", bytes.len());
            let told = heals(&what, &path);
            if told.iter().any(|line| line.ends_with("miss: version")) {
                // The file of another version is left in place; this version's has a place of its own.
                assert!(kind != "secret" && at + 16 >= bytes.len(), "{what}");
                fs::remove_file(&victim).unwrap();
                visit(&path);
                continue;
            }
            check_told(&what, kind, &told);
        }
    }
}

#[test]
fn what_does_not_belong_there_is_a_miss_that_heals() {
    type Replace = fn(&Path, &Path);
    let replacements: [(&str, Replace); 6] = [
        ("nothing in it", |victim, _| fs::write(victim, []).unwrap()),
        ("garbage", |victim, _| {
            fs::write(victim, vec![0x5a; 3000]).unwrap()
        }),
        ("appended to", |victim, _| {
            let bytes = fs::read(victim).unwrap();
            fs::write(victim, [bytes, vec![0; 8]].concat()).unwrap();
        }),
        ("a directory", |victim, _| {
            fs::remove_file(victim).unwrap();
            fs::create_dir(victim).unwrap();
        }),
        ("a link to the right file", |victim, other| {
            fs::rename(victim, other).unwrap();
            symlink(other, victim).unwrap();
        }),
        ("a second name of the file", |victim, other| {
            fs::hard_link(victim, other).unwrap()
        }),
    ];
    for kind in ["objects", "shortcuts"] {
        for (what, replace) in replacements {
            let (temp, path) = filled();
            replace(&file(&path, kind), &temp.path().join("other"));
            let (source, told) = visit(&path);
            assert_eq!(
                source == CodeSource::Compiled,
                kind == "objects",
                "{what}: {told:?}"
            );
            let (source, told) = visit(&path);
            assert_eq!(
                (source, told.as_slice()),
                (CodeSource::Disk, &WARM.map(str::to_owned)[..]),
                "{what}"
            );
        }
    }
}

#[test]
fn an_entry_under_another_ones_name_is_never_taken_for_it() {
    let (_temp, path) = filled();
    let first = file(&path, "objects");
    let other = "void k(const double *a, double *b) { b[0] += a[0] + a[0] + 0.0 * a[0]; }";
    let (engine, _log) = watched(&path);
    run_small(&engine, other);
    flush(&engine);
    let files = parloop_tests::cached::files(&path);
    let second = files
        .into_iter()
        .find(|f| f.to_string_lossy().contains("objects") && *f != first);
    let second = second.unwrap();
    let (one, two) = (fs::read(&first).unwrap(), fs::read(&second).unwrap());
    fs::write(&first, &two).unwrap();
    fs::write(&second, &one).unwrap();
    let (engine, log) = watched(&path);
    assert_eq!(run_small(&engine, SMALL).source(), CodeSource::Compiled);
    assert_eq!(run_small(&engine, other).source(), CodeSource::Compiled);
    flush(&engine);
    let wrong = log
        .lines()
        .iter()
        .filter(|line| *line == "disk miss: wrong_key")
        .count();
    assert_eq!(wrong, 2);
    assert_eq!(visit(&path).0, CodeSource::Disk);
}

fn engine_in(path: &Path, mode: Mode) -> (Engine, Arc<Log>) {
    let log = Arc::new(Log::default());
    let builder = Engine::builder()
        .cache_dir(path)
        .cache_mode(mode)
        .observer(log.clone());
    (builder.build().unwrap(), log)
}

#[test]
fn a_read_only_mode_hits_and_writes_nothing() {
    let (_temp, path) = filled();
    let listed = |path: &Path| {
        let bytes = |f: std::path::PathBuf| (f.clone(), fs::read(f).unwrap());
        parloop_tests::cached::files(path)
            .into_iter()
            .map(bytes)
            .collect::<Vec<_>>()
    };
    let before = listed(&path);
    let (engine, log) = engine_in(&path, Mode::ReadOnly);
    assert_eq!(run_small(&engine, SMALL).source(), CodeSource::Disk);
    let other = "void k(const double *a, double *b) { b[0] += a[0] * 4.0 - 2.0 * a[0]; }";
    assert_eq!(run_small(&engine, other).source(), CodeSource::Compiled);
    assert_eq!(run_small(&engine, other).source(), CodeSource::Memory);
    flush(&engine);
    assert_eq!(listed(&path), before);
    let warnings = log
        .lines()
        .iter()
        .filter(|line| line.starts_with("warning"))
        .count();
    assert!(warnings <= 1, "{warnings} warnings");
}

/// An engine on a directory that can't be used: one warning, and code in memory only.
fn memory_only(what: &str, path: &Path) {
    let (engine, log) = watched(path);
    assert_eq!(
        run_small(&engine, SMALL).source(),
        CodeSource::Compiled,
        "{what}"
    );
    assert_eq!(
        run_small(&engine, SMALL).source(),
        CodeSource::Memory,
        "{what}"
    );
    let other = "void k(const double *a, double *b) { b[0] += a[0] / 0.5; }";
    assert_eq!(
        run_small(&engine, other).source(),
        CodeSource::Compiled,
        "{what}"
    );
    flush(&engine);
    let events = log.events();
    let warnings: Vec<&Event> = events
        .iter()
        .filter(|e| matches!(e, Event::Warning { .. }))
        .collect();
    assert_eq!(warnings.len(), 1, "{what}: {warnings:?}");
    let hits = events
        .iter()
        .filter(|e| parloop_tests::log::line(e).contains("publish"));
    assert_eq!(hits.count(), 0, "{what}");
}

#[test]
fn a_directory_that_can_not_be_trusted_or_made_costs_one_warning() {
    let temp = tempfile::tempdir().unwrap();
    let open = temp.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    memory_only("open to all", &open);
    let group = temp.path().join("group");
    fs::create_dir(&group).unwrap();
    fs::set_permissions(&group, fs::Permissions::from_mode(0o770)).unwrap();
    memory_only("open to a group", &group);
    let file = temp.path().join("file");
    fs::write(&file, "no directory").unwrap();
    memory_only("a file", &file);
    memory_only("below a file", &file.join("cache"));
    memory_only(
        "where nothing can be made",
        Path::new("/proc/parloop-cache"),
    );
    let elsewhere = temp.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o777)).unwrap();
    memory_only("below a directory open to all", &elsewhere.join("cache"));
}

#[test]
fn a_directory_of_another_user_is_not_used() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root can give a directory away.
    }
    let temp = tempfile::tempdir().unwrap();
    let foreign = temp.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::set_permissions(&foreign, fs::Permissions::from_mode(0o700)).unwrap();
    std::os::unix::fs::chown(&foreign, Some(12345), Some(12345)).unwrap();
    memory_only("another user's", &foreign);
}

#[test]
fn a_directory_that_vanishes_under_a_running_engine_comes_back() {
    let (_temp, path) = filled();
    let (engine, _log) = watched(&path);
    run_small(&engine, SMALL);
    fs::remove_dir_all(&path).unwrap();
    let other = "void k(const double *a, double *b) { b[0] += 3.0 * a[0] - a[0]; }";
    assert_eq!(run_small(&engine, other).source(), CodeSource::Compiled);
    flush(&engine);
    let (engine, _log) = watched(&path);
    assert_eq!(run_small(&engine, other).source(), CodeSource::Disk);
}

#[test]
fn many_processes_on_one_directory_are_all_right() {
    let name = "many_processes_on_one_directory_are_all_right";
    if let Some(path) = child::word() {
        for i in 0..8 {
            let (engine, _log) = watched(Path::new(&path));
            run_small(&engine, SMALL);
            let text = format!(
                "void k(const double *a, double *b) {{ b[0] += {}.0 * a[0] - {i}.0 * a[0]; }}",
                i + 2
            );
            run_small(&engine, &text);
            flush(&engine);
        }
        child::say("right");
        return;
    }
    let (_temp, path) = directory();
    let word = path.to_str().unwrap();
    std::thread::scope(|scope| {
        let children = [0; 4].map(|_| scope.spawn(|| child::run(name, word)));
        for child in children {
            assert_eq!(child.join().unwrap(), ["right"]);
        }
    });
    let (engine, _log) = watched(&path);
    assert_eq!(parloop_tests::cached::payloads(&engine).len(), 9);
    assert_eq!(visit(&path).0, CodeSource::Disk);
}

#[test]
fn a_record_that_leads_to_another_kernel_costs_a_look_at_the_text_and_is_no_hit() {
    let (_temp, path) = directory();
    let (one, _log) = watched(&path);
    let fingerprint = run_small(&one, SMALL).fingerprint();
    flush(&one);
    // As only the owner of the key can: the record is genuine and says what is not so.
    let store = one.store();
    let listed = store.entries_of(Table::Shortcuts).next().unwrap();
    let entry = listed.entry.unwrap();
    let mut record = ShortcutRecord::decode(entry.payload()).unwrap();
    record.request_fingerprint = Fingerprint([9; 32]);
    assert!(store.remove(Table::Shortcuts, &listed.key));
    let publication = Publication {
        payload: record.encode().into(),
        preimage: entry.preimage().into(),
        metadata: Metadata::default(),
    };
    store.publish(Table::Shortcuts, &listed.key, publication, None);
    flush(&one);
    let (two, log) = watched(&path);
    assert_eq!(run_small(&two, SMALL).fingerprint(), fingerprint);
    flush(&two);
    let lines = log.lines();
    let taken_back = [
        "shortcut retract",
        "shortcut reject: misled",
        "shortcut miss: misled",
    ];
    let at = lines.iter().position(|line| line == taken_back[0]);
    assert_eq!(lines[at.unwrap()..][..3], taken_back, "{lines:?}");
    let stats = two.stats();
    assert_eq!(
        (stats.shortcut_hits, stats.disk_hits, stats.compiled),
        (0, 1, 0),
        "{lines:?}"
    );
    let misled = stats.misses.get(&(Layer::Shortcut, "misled"));
    assert_eq!(misled, Some(&1));
    let (three, log) = watched(&path);
    run_small(&three, SMALL);
    assert_eq!(log.lines(), WARM, "healed");
}
