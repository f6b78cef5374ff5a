//! What lies where hints and locks should: whatever it is, it is told, gives way to a file, and costs no bound and no single flight.

mod support;

use parloop_cache::{Event, Store, StoreConfig};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};
use support::*;

const ENTRIES_MAX: u64 = 10;

fn bounded(place: &Place) -> StoreConfig {
    let mut config = place.config();
    config.entries_max = ENTRIES_MAX;
    config.lock_wait_max = Duration::ZERO;
    config
}

/// Puts something that is no file at a path.
type Plant = fn(at: &Path, victim: &Path);

const PLANTS: [(&str, Plant); 5] = [
    ("a directory", |at, _| fs::create_dir(at).unwrap()),
    ("a link", |at, victim| symlink(victim, at).unwrap()),
    ("a link to nothing", |at, _| symlink("nothing", at).unwrap()),
    ("a FIFO", |at, _| {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, at, kind, mode, 0).unwrap();
    }),
    ("a socket", |at, _| {
        drop(std::os::unix::net::UnixListener::bind(at).unwrap());
    }),
];

/// Takes away whatever lies at a path.
fn clear(at: &Path) {
    let _a_file = fs::remove_file(at);
    let _a_directory = fs::remove_dir_all(at);
}

fn codes(store: &Store) -> Vec<&'static str> {
    store
        .problems()
        .iter()
        .map(|problem| problem.code)
        .collect()
}

#[test]
fn row_41_what_is_no_file_in_the_place_of_a_hint_gives_way_and_the_bounds_hold() {
    for hint in ["usage", "uses", "stats"] {
        for (name, plant) in PLANTS {
            let place = Place::new();
            let victim = place.above().join("victim");
            fs::write(&victim, b"mine").unwrap();
            drop(with_one_entry(&place));
            let at = place.root().join("v1").join(hint);
            clear(&at);
            plant(&at, &victim);
            let (store, _) = open(bounded(&place));
            assert_eq!(codes(&store), ["not_a_file"], "{hint} is {name}");
            for n in 2..40 {
                load(&store, OBJECTS, &key(n), b"preimage").unwrap_err();
                publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
            }
            assert!(store.usage().entries() <= ENTRIES_MAX, "{hint} is {name}");
            assert!(store.collect().is_ok());
            assert_eq!(codes(&store), [""; 0], "{hint} is {name}");
            assert!(fs::symlink_metadata(&at).unwrap().is_file());
            assert_eq!(fs::read(&victim).unwrap(), b"mine");
        }
    }
}

#[test]
fn row_41_a_directory_with_something_in_it_in_the_place_of_a_hint_stays_and_is_told() {
    let place = Place::new();
    drop(with_one_entry(&place));
    let at = place.root().join("v1/usage");
    clear(&at);
    fs::create_dir(&at).unwrap();
    fs::write(at.join("notes"), b"mine").unwrap();
    let (store, _) = open(bounded(&place));
    publish(&store, OBJECTS, &key(2), b"payload", b"preimage");
    assert!(store.collect().is_err());
    assert_eq!(codes(&store), ["not_a_file"]);
    assert_eq!(fs::read(at.join("notes")).unwrap(), b"mine");
    let found = load(&store, OBJECTS, &key(2), b"preimage");
    assert_eq!(found.unwrap().payload(), b"payload");
}

#[test]
fn row_30_what_is_no_file_in_the_place_of_a_lock_gives_way_and_flights_are_single() {
    for of_all in [false, true] {
        for (name, plant) in PLANTS {
            let place = Place::new();
            let victim = place.above().join("victim");
            make_dir(&victim);
            fs::write(victim.join("file"), b"mine").unwrap();
            let (store, _) = open(bounded(&place));
            publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
            drop(store.lock(&key(1)).unwrap());
            let locks = place.root().join("v1/locks");
            let at = match of_all {
                true => locks,
                false => locks.join(&key(1).to_string()[..2]),
            };
            clear(&at);
            plant(&at, &victim);
            let sound = of_all && name == "a directory";
            assert_eq!(codes(&store).is_empty(), sound, "{name}");
            let guard = store.lock(&key(1));
            assert!(guard.is_some(), "{name}, {of_all}");
            let (other, _) = open(bounded(&place));
            assert!(other.lock(&key(1)).is_none(), "{name}, {of_all}");
            assert_eq!(codes(&store), [""; 0]);
            assert_eq!(fs::read(victim.join("file")).unwrap(), b"mine");
            assert_eq!(fs::read_dir(&victim).unwrap().count(), 1);
        }
    }
}

#[test]
fn what_is_no_directory_where_the_cache_has_one_is_told_and_gives_way() {
    for dir in ["v1", "v1/objects", "v1/locks", "v1/tmp"] {
        let place = Place::new();
        drop(with_one_entry(&place));
        let at = place.root().join(dir);
        clear(&at);
        fs::write(&at, b"no directory").unwrap();
        let (store, recorder) = place.open();
        assert_eq!(codes(&store), ["not_a_directory"], "{dir}");
        assert!(store.lock(&key(1)).is_some(), "{dir}");
        check_heals(&store, &recorder);
        assert!(codes(&store).is_empty() || dir == "v1/tmp", "{dir}");
    }
}

/// A configuration under which no file can be renamed without replacing, and whose background thread waits, with both names in place,
/// until the second switch is on. The first tells that it does.
fn renaming_in_two_steps(place: &Place) -> (StoreConfig, Arc<AtomicBool>, Arc<AtomicBool>) {
    let (linked, go_on) = (Arc::new(AtomicBool::new(false)), Arc::default());
    let mut config = place.config();
    let (set, wait): (_, Arc<AtomicBool>) = (linked.clone(), Arc::clone(&go_on));
    let after_link = AtomicBool::new(false);
    config.faults = Some(Arc::new(move |call| {
        if std::thread::current().name() != Some("parloop-publish") {
            return None;
        }
        match call {
            "rename" => return Some(22),
            "link" => after_link.store(true, SeqCst),
            "unlink" if after_link.swap(false, SeqCst) => {
                set.store(true, SeqCst);
                while !wait.load(SeqCst) {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            _ => {}
        }
        None
    }));
    (config, linked, go_on)
}

#[test]
fn row_14_an_entry_that_is_just_being_moved_into_place_is_no_tampering() {
    let place = Place::new();
    let (config, linked, go_on) = renaming_in_two_steps(&place);
    let (writer, written) = open(config);
    writer.publish(OBJECTS, &key(1), publication(b"payload", b"preimage"), None);
    let deadline = Instant::now() + PATIENCE;
    while !linked.load(SeqCst) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(linked.load(SeqCst));
    let (reader, recorder) = place.open();
    for _ in 0..5 {
        assert_eq!(
            answer(&reader, OBJECTS, &key(1), b"preimage"),
            Ok(b"payload".to_vec())
        );
    }
    go_on.store(true, SeqCst);
    assert!(writer.flush(PATIENCE));
    assert!(load(&reader, OBJECTS, &key(1), b"preimage").is_ok());
    let hit = |event: &Event| matches!(event, Event::Hit { .. });
    assert!(recorder.take().iter().all(hit));
    assert!(matches!(written.take()[..], [Event::Publish { .. }]));
    assert_eq!(place.temporary_files(), 0);
}

#[test]
fn row_17_an_entry_whose_writer_was_killed_between_its_two_names_is_no_tampering() {
    let place = Place::new();
    let (store, recorder, _) = with_one_entry(&place);
    let second = place.root().join("v1/tmp").join("a".repeat(16));
    fs::hard_link(place.entry_path(OBJECTS, &key(1)), &second).unwrap();
    assert!(load(&store, OBJECTS, &key(1), b"preimage").is_ok());
    recorder.take();
    // A third one is nobody's of ours.
    let third = place.above().join("third");
    fs::hard_link(&second, &third).unwrap();
    check_defect_heals(&place, &store, &recorder, "foreign");
}
