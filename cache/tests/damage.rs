//! Damaged files: whatever is in place of an entry or of the secret is a miss with a reason, and heals.

mod support;

use parloop_cache::{Event, Expect, Key, Miss, Table};
use std::collections::BTreeSet;
use std::os::unix::fs::{FileExt, symlink};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use support::*;

#[test]
fn row_01_an_entry_truncated_at_every_offset_is_a_miss_and_heals() {
    let place = Place::new();
    let (store, recorder, file) = with_one_entry(&place);
    let path = place.entry_path(OBJECTS, &key(1));
    for len in 1..file.len() {
        std::fs::write(&path, &file[..len]).unwrap();
        let reason = if len < 152 { "truncated" } else { "bad_magic" };
        check_defect_heals(&place, &store, &recorder, reason);
    }
}

#[test]
fn row_02_every_flipped_bit_of_an_entry_is_a_miss_and_heals() {
    let place = Place::new();
    let (store, recorder, file) = with_one_entry(&place);
    let path = place.entry_path(OBJECTS, &key(1));
    let mut reasons = BTreeSet::new();
    for bit in 0..file.len() * 8 {
        let mut bad = file.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &bad).unwrap();
        let reason = answer(&store, OBJECTS, &key(1), b"preimage")
            .expect_err("a flipped bit was not noticed");
        reasons.insert(reason);
        check_heals(&store, &recorder);
    }
    assert_eq!(
        reasons,
        BTreeSet::from(["bad_lengths", "bad_mac", "bad_magic", "version"])
    );
}

#[test]
fn row_02_every_flipped_bit_of_a_shortcut_is_a_miss_and_heals() {
    let place = Place::new();
    let (store, recorder) = place.open();
    let k = key(1);
    publish(&store, Table::Shortcuts, &k, b"record", b"source");
    let path = place.entry_path(Table::Shortcuts, &k);
    let file = std::fs::read(&path).unwrap();
    for bit in 0..file.len() * 8 {
        let mut bad = file.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &bad).unwrap();
        assert!(
            load(&store, Table::Shortcuts, &k, b"source").is_err(),
            "bit {bit}"
        );
        publish(&store, Table::Shortcuts, &k, b"record", b"source");
        assert_eq!(
            answer(&store, Table::Shortcuts, &k, b"source"),
            Ok(b"record".to_vec())
        );
    }
    let misses = recorder
        .take()
        .iter()
        .filter(|e| matches!(e, Event::Miss { .. }))
        .count();
    assert_eq!(misses, file.len() * 8);
}

#[test]
fn row_03_an_entry_replaced_by_another_valid_entry_is_a_miss_and_heals() {
    let place = Place::new();
    let (store, recorder, _) = with_one_entry(&place);
    publish(&store, OBJECTS, &key(2), b"other", b"other preimage");
    std::fs::copy(
        place.entry_path(OBJECTS, &key(2)),
        place.entry_path(OBJECTS, &key(1)),
    )
    .unwrap();
    check_defect_heals(&place, &store, &recorder, "wrong_key");
}

#[test]
fn row_03_a_shortcut_in_place_of_an_object_is_a_miss_and_heals() {
    let place = Place::new();
    let (store, recorder, _) = with_one_entry(&place);
    publish(&store, Table::Shortcuts, &key(1), b"record", b"preimage");
    std::fs::copy(
        place.entry_path(Table::Shortcuts, &key(1)),
        place.entry_path(OBJECTS, &key(1)),
    )
    .unwrap();
    check_defect_heals(&place, &store, &recorder, "wrong_table");
}

/// An eight-bit hash: many preimages for a key.
fn weak_key(preimage: &[u8]) -> Key {
    let sum = preimage
        .iter()
        .fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    Key::new([sum; 32])
}

#[test]
fn row_04_two_preimages_of_one_digest_are_both_usable() {
    for table in Table::ALL {
        let place = Place::new();
        let (store, recorder) = place.open();
        let (k, other) = (weak_key(b"ab"), weak_key(b"ba"));
        assert_eq!(k, other);
        publish(&store, table, &k, b"first", b"ab");
        assert_eq!(answer(&store, table, &k, b"ba"), Err("preimage_differs"));
        publish(&store, table, &k, b"second", b"ba");
        for _ in 0..2 {
            assert_eq!(answer(&store, table, &k, b"ab"), Ok(b"first".to_vec()));
            assert_eq!(answer(&store, table, &k, b"ba"), Ok(b"second".to_vec()));
        }
        let digest = *blake3::hash(b"ba").as_bytes();
        let by_digest = store.load(table, &k, Expect::PreimageDigest(digest), &|_| true);
        assert_eq!(by_digest.unwrap().payload(), b"second");
        let rejects = recorder
            .take()
            .iter()
            .filter(|e| matches!(e, Event::Reject { .. }))
            .count();
        assert_eq!(rejects, 0, "a collision is no defect");
    }
}

#[test]
fn row_04_with_more_preimages_of_one_digest_than_names_no_answer_is_wrong() {
    let place = Place::new();
    let (store, _) = place.open();
    let preimages: Vec<[u8; 2]> = (0..12).map(|i| [i, 100 - i]).collect();
    for p in &preimages {
        publish(&store, OBJECTS, &weak_key(p), &[p[0]], p);
    }
    let hits = preimages
        .iter()
        .filter(|p| match answer(&store, OBJECTS, &weak_key(*p), *p) {
            Ok(payload) => payload == [p[0]] || panic!("a wrong payload"),
            Err(reason) => reason != "preimage_differs",
        });
    assert_eq!(hits.count(), 4);
}

#[test]
fn row_05_an_empty_entry_is_a_miss_and_heals() {
    let place = Place::new();
    let (store, recorder, _) = with_one_entry(&place);
    std::fs::write(place.entry_path(OBJECTS, &key(1)), b"").unwrap();
    check_defect_heals(&place, &store, &recorder, "truncated");
}

#[test]
fn row_06_a_sparse_entry_of_4_gib_is_a_miss_without_being_read() {
    let place = Place::new();
    let (store, recorder, _) = with_one_entry(&place);
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(place.entry_path(OBJECTS, &key(1)))
        .unwrap();
    file.set_len(4 << 30).unwrap();
    check_defect_heals(&place, &store, &recorder, "too_large");
}

#[test]
fn row_06_length_fields_of_any_value_are_a_miss() {
    let place = Place::new();
    let (store, recorder, good) = with_one_entry(&place);
    let trailer = good.len() - 152;
    for field in [trailer, trailer + 8] {
        for value in [
            u64::MAX,
            u64::MAX - 7,
            1 << 63,
            1 << 32,
            good.len() as u64,
            0,
        ] {
            let mut bad = good.clone();
            bad[field..field + 8].copy_from_slice(&value.to_le_bytes());
            std::fs::write(place.entry_path(OBJECTS, &key(1)), &bad).unwrap();
            check_defect_heals(&place, &store, &recorder, "bad_lengths");
        }
    }
}

#[test]
fn row_07_garbage_a_directory_a_fifo_or_a_socket_in_place_of_an_entry_is_a_miss_and_heals() {
    let place = Place::new();
    let (store, recorder, _) = with_one_entry(&place);
    let path = place.entry_path(OBJECTS, &key(1));
    let again = || std::fs::remove_file(&path).unwrap();

    again();
    std::fs::write(&path, vec![0xa5; 5000]).unwrap();
    check_defect_heals(&place, &store, &recorder, "bad_magic");

    again();
    std::fs::create_dir(&path).unwrap();
    check_defect_heals(&place, &store, &recorder, "not_regular");

    again();
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("inside"), b"x").unwrap();
    check_defect_heals(&place, &store, &recorder, "not_regular");

    again();
    let fifo = rustix::fs::FileType::Fifo;
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &path, fifo, mode, 0).unwrap();
    // The FIFO, and the directory with something in it that was moved aside.
    let problems = store.problems();
    assert_eq!(problems.len(), 2);
    assert!(problems.iter().all(|problem| problem.code == "not_regular"));
    assert!(
        problems[0].path.ends_with(key(1).to_string()) && problems[1].path.starts_with("v1/tmp")
    );
    check_defect_heals(&place, &store, &recorder, "not_regular");

    again();
    let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    check_defect_heals(&place, &store, &recorder, "not_regular");
}

#[test]
#[allow(clippy::print_stderr, reason = "says why it did nothing")]
fn row_07_a_device_in_place_of_an_entry_is_a_miss_and_heals() {
    let place = Place::new();
    let (store, recorder, _) = with_one_entry(&place);
    let path = place.entry_path(OBJECTS, &key(1));
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    use rustix::fs::FileType::{BlockDevice, CharacterDevice};
    // One that can be read for ever, one that always fails, one that makes who reads it wait, and two without a driver.
    let zero = (CharacterDevice, 1, 5);
    for (kind, major, minor) in [
        zero,
        (CharacterDevice, 1, 7),
        (CharacterDevice, 5, 0),
        (CharacterDevice, 240, 77),
        (BlockDevice, 240, 77),
    ] {
        std::fs::remove_file(&path).unwrap();
        let device = rustix::fs::makedev(major, minor);
        match rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, device) {
            Err(rustix::io::Errno::PERM | rustix::io::Errno::ACCESS) => {
                eprintln!("skipped: this user may not make devices");
                return;
            }
            outcome => outcome.unwrap(),
        }
        let problems = store.problems();
        assert_eq!((problems.len(), problems[0].code), (1, "not_regular"));
        check_defect_heals(&place, &store, &recorder, "not_regular");
    }
}

#[test]
fn row_09_an_entry_of_another_format_version_is_a_miss_and_stays_until_it_is_replaced() {
    let place = Place::new();
    let (store, recorder, good) = with_one_entry(&place);
    let path = place.entry_path(OBJECTS, &key(1));
    for version in [0u32, 2, u32::MAX] {
        let mut other = good.clone();
        let at = good.len() - 16;
        other[at..at + 4].copy_from_slice(&version.to_le_bytes());
        std::fs::write(&path, &other).unwrap();
        assert_eq!(
            answer(&store, OBJECTS, &key(1), b"preimage"),
            Err("version")
        );
        assert_eq!(recorder.take(), [miss(key(1), "version")]);
        assert_eq!(std::fs::read(&path).unwrap(), other, "left in place");
        check_heals(&store, &recorder);
    }
}

#[test]
fn row_09_a_tree_of_another_version_is_left_alone() {
    let place = Place::new();
    let (store, _, _) = with_one_entry(&place);
    let other = place.root().join("v2/objects/aa/something");
    std::fs::create_dir_all(other.parent().unwrap()).unwrap();
    std::fs::write(&other, b"of the future").unwrap();
    store.clear();
    assert_eq!(std::fs::read(&other).unwrap(), b"of the future");
}

/// A tree of another version, with all that ours has, and its paths.
fn other_tree(place: &Place, version: &str) -> Vec<std::path::PathBuf> {
    let tree = place.root().join(version);
    let name = key(1).to_string();
    let entry = |table: &str, suffix: &str| format!("{table}/{}/{name}{suffix}", &name[..2]);
    let files = [
        entry("objects", ""),
        entry("objects", "-1"),
        entry("shortcuts", ""),
        format!("locks/{}", &name[..2]),
        format!("tmp/{}", "a".repeat(16)),
        "usage".to_owned(),
        "uses".to_owned(),
        "stats".to_owned(),
    ];
    let mut paths = vec![tree.clone()];
    for file in files {
        let path = tree.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, b"of another time").unwrap();
        paths.extend([path.parent().unwrap().to_owned(), path]);
    }
    paths.extend(["objects", "shortcuts"].map(|table| tree.join(table)));
    paths
}

fn set_time(path: &std::path::Path, time: std::time::SystemTime) {
    std::fs::File::open(path)
        .unwrap()
        .set_modified(time)
        .unwrap();
}

/// Makes the mark of what was seen unused one of yesterday.
fn a_day_passes(place: &Place) {
    let path = place.root().join("v1/unused");
    let mut mark = std::fs::read(&path).unwrap();
    // Magic number, what was seen, on how many days, the last of them, check.
    assert_eq!(mark.len(), 40);
    let day = u64::from_le_bytes(mark[24..32].try_into().unwrap());
    mark[24..32].copy_from_slice(&(day - 1).to_le_bytes());
    let check = blake3::hash(&mark[..32]);
    mark[32..].copy_from_slice(&check.as_bytes()[..8]);
    std::fs::write(path, mark).unwrap();
}

/// Looks for unused trees on so many days.
fn look_on_days(place: &Place, store: &parloop_cache::Store, days: u32) {
    for _ in 0..days {
        // Twice on a day is once.
        for _ in 0..2 {
            assert_eq!(store.collect().unwrap().outdated, 0);
        }
        a_day_passes(place);
    }
}

#[test]
fn row_27_a_clock_that_is_a_month_ahead_for_a_while_takes_no_tree_away() {
    let place = Place::new();
    let (store, _, _) = with_one_entry(&place);
    let paths = other_tree(&place, "v2");
    let month = Duration::from_secs(31 * 24 * 3600);
    let ago = std::time::SystemTime::now() - month;
    paths.iter().for_each(|path| set_time(path, ago));
    look_on_days(&place, &store, 4);
    // The clock is set, and programs of the other version come.
    set_time(&place.root().join("v2/uses"), ago + month);
    assert_eq!(store.collect().unwrap().outdated, 0);
    // It is ahead once more, or has been all the time, and something was used meanwhile.
    for hours in [1, 2] {
        let used = ago + Duration::from_secs(hours * 3600);
        set_time(&place.root().join("v2/uses"), used);
        look_on_days(&place, &store, 4);
    }
    assert!(paths.iter().all(|path| path.exists()));
    assert_eq!(store.collect().unwrap().outdated, 8);
}

#[test]
fn row_09_a_tree_of_another_version_goes_once_nothing_in_it_was_used_for_a_month() {
    let day = Duration::from_secs(24 * 3600);
    let now = std::time::SystemTime::now();
    for background in [false, true] {
        // Long ago, and as far in the future: clocks may jump.
        for time in [now - 31 * day, now + 31 * day] {
            let place = Place::new();
            let (store, recorder, _) = with_one_entry(&place);
            drop(store);
            let paths = other_tree(&place, "v2");
            let used = other_tree(&place, "v3");
            for path in paths.iter().chain(&used) {
                set_time(path, time);
            }
            // One hint is enough to tell that programs of that version come here.
            set_time(&place.root().join("v3/uses"), now - 29 * day);
            let store = place.open().0;
            look_on_days(&place, &store, 4);
            match background {
                true => publish(&store, OBJECTS, &key(9), b"payload", b"preimage"),
                false => assert_eq!(store.collect().unwrap().outdated, 8),
            }
            assert!(!paths[0].exists());
            assert!(used.iter().all(|path| path.exists()));
            assert_eq!(
                answer(&store, OBJECTS, &key(1), b"preimage"),
                Ok(b"payload".to_vec())
            );
            drop(recorder);
        }
    }
}

#[test]
fn row_09_nothing_that_is_not_the_caches_goes_with_an_outdated_tree_and_no_link_is_followed() {
    let place = Place::new();
    let (store, recorder, _) = with_one_entry(&place);
    let old = std::time::SystemTime::UNIX_EPOCH;
    let paths = other_tree(&place, "v2");
    let precious = place.above().join("precious");
    std::fs::create_dir(&precious).unwrap();
    let file = precious.join(key(3).to_string());
    std::fs::write(&file, b"precious").unwrap();
    // Links to it where a tree, a shard and a table would be, and files with other names.
    let link = |at: &str| std::os::unix::fs::symlink(&precious, place.root().join(at)).unwrap();
    ["v3", "v2/objects/zz"].into_iter().for_each(link);
    std::fs::create_dir(place.root().join("v4")).unwrap();
    link("v4/objects");
    let others = ["v2/notes", "v2/objects/readme", "v2/tmp/notes.txt"];
    for other in others {
        std::fs::write(place.root().join(other), b"mine").unwrap();
        set_time(&place.root().join(other), old);
    }
    paths.iter().for_each(|path| set_time(path, old));
    set_time(&place.root().join("v4"), old);
    // The times of links are their own: set with theirs.
    for at in ["v2/objects/zz", "v4/objects"] {
        let times = rustix::fs::Timestamps {
            last_access: rustix::fs::Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            last_modification: rustix::fs::Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
        };
        let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        rustix::fs::utimensat(rustix::fs::CWD, place.root().join(at), &times, flags).unwrap();
    }
    for path in ["v2/objects", "v2/tmp", "v2", "v4"] {
        set_time(&place.root().join(path), old);
    }
    look_on_days(&place, &store, 4);
    recorder.take();
    assert_eq!(store.collect().unwrap().outdated, 8);
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");
    for other in others {
        assert_eq!(std::fs::read(place.root().join(other)).unwrap(), b"mine");
    }
    let evictions = recorder.take();
    let evicted = |event: &Event| matches!(event, Event::Evict { key: k, .. } if *k == key(1));
    assert!(
        evictions.len() == 3 && evictions.iter().all(evicted),
        "{evictions:?}"
    );
}

#[test]
fn row_11_an_entry_that_needs_a_feature_the_host_lacks_is_a_miss_and_stays() {
    let place = Place::new();
    let (store, recorder, good) = with_one_entry(&place);
    let expect = Expect::Preimage(b"preimage");
    let without = store.load(OBJECTS, &key(1), expect, &|feature| feature != "fma");
    assert_eq!(without.unwrap_err(), Miss::FeatureMissing);
    assert_eq!(recorder.take(), [miss(key(1), "feature_missing")]);
    assert_eq!(
        std::fs::read(place.entry_path(OBJECTS, &key(1))).unwrap(),
        good
    );
    assert!(
        store
            .load(OBJECTS, &key(1), expect, &|feature| feature == "fma")
            .is_ok()
    );
}

#[test]
fn row_18_any_prefix_followed_by_zeros_is_a_miss_as_after_a_power_cut() {
    let place = Place::new();
    let (store, recorder, good) = with_one_entry(&place);
    for kept in 0..good.len() {
        let mut torn = vec![0; good.len()];
        torn[..kept].copy_from_slice(&good[..kept]);
        if torn == good {
            continue;
        }
        std::fs::write(place.entry_path(OBJECTS, &key(1)), &torn).unwrap();
        assert!(
            load(&store, OBJECTS, &key(1), b"preimage").is_err(),
            "{kept} bytes kept"
        );
        check_heals(&store, &recorder);
    }
}

#[test]
fn row_24_an_entry_that_is_empty_for_a_moment_is_a_hit() {
    let place = Place::new();
    let (store, _, good) = with_one_entry(&place);
    drop(store);
    let path = place.entry_path(OBJECTS, &key(1));
    std::fs::write(&path, b"").unwrap();
    let looks = AtomicUsize::new(0);
    let mut config = place.config();
    config.faults = Some(Arc::new(move |call| {
        // The first look is at the secret, the second one finds the file empty, the third one whole.
        if call == "open" && looks.fetch_add(1, SeqCst) == 2 {
            let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.write_all_at(&good, 0).unwrap();
        }
        None
    }));
    let (store, recorder) = open(config);
    assert_eq!(
        answer(&store, OBJECTS, &key(1), b"preimage"),
        Ok(b"payload".to_vec())
    );
    assert!(matches!(recorder.take()[..], [Event::Hit { .. }]));
}

#[test]
fn row_25_an_entry_removed_or_replaced_after_it_was_loaded_stays_valid() {
    let place = Place::new();
    let (store, _, _) = with_one_entry(&place);
    let path = place.entry_path(OBJECTS, &key(1));
    let entry = load(&store, OBJECTS, &key(1), b"preimage").unwrap();
    std::fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(0)
        .unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(
        (entry.payload(), entry.preimage()),
        (&b"payload"[..], &b"preimage"[..])
    );
    assert_eq!(entry.metadata().label, "res_calc");
}

#[test]
fn row_26_a_large_entry_cut_in_place_after_it_was_loaded_stays_valid_for_no_file_is_mapped() {
    let place = Place::new();
    let (store, _) = place.open();
    let payload = vec![7; 1 << 20];
    publish(&store, OBJECTS, &key(1), &payload, b"preimage");
    let entry = load(&store, OBJECTS, &key(1), b"preimage").unwrap();
    let path = place.entry_path(OBJECTS, &key(1));
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(0).unwrap();
    assert_eq!(entry.payload(), payload);
    #[cfg(target_os = "linux")]
    {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let root = place.root().to_string_lossy().into_owned();
        assert!(!maps.contains(&root), "{maps}");
    }
}

#[test]
fn row_25_an_entry_unlinked_or_truncated_between_open_and_read_is_a_hit_or_a_miss() {
    for truncate in [false, true] {
        let place = Place::new();
        let path = place.entry_path(OBJECTS, &key(1));
        let armed = Arc::new(AtomicBool::new(false));
        let mut config = place.config();
        let trigger = armed.clone();
        config.faults = Some(Arc::new(move |call| {
            if call == "read" && trigger.swap(false, SeqCst) {
                if truncate {
                    std::fs::OpenOptions::new()
                        .write(true)
                        .open(&path)
                        .unwrap()
                        .set_len(9)
                        .unwrap();
                } else {
                    std::fs::remove_file(&path).unwrap();
                }
            }
            None
        }));
        let (store, _) = open(config);
        publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
        armed.store(true, SeqCst);
        let expected = if truncate {
            Err("truncated")
        } else {
            Ok(b"payload".to_vec())
        };
        assert_eq!(answer(&store, OBJECTS, &key(1), b"preimage"), expected);
    }
}

#[test]
fn a_secret_damaged_at_any_bit_is_replaced_and_entries_miss_once() {
    let place = Place::new();
    let (store, _, _) = with_one_entry(&place);
    drop(store);
    let path = place.root().join("secret");
    for bit in 0..56 * 8 {
        let mut secret = std::fs::read(&path).unwrap();
        assert_eq!(secret.len(), 56);
        secret[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &secret).unwrap();
        let (store, recorder) = place.open();
        assert_eq!(
            answer(&store, OBJECTS, &key(1), b"preimage"),
            Err("bad_mac"),
            "bit {bit}"
        );
        check_heals(&store, &recorder);
    }
}

#[test]
fn a_secret_that_is_missing_cut_open_to_others_or_no_file_is_replaced() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let (store, _, _) = with_one_entry(&place);
    drop(store);
    let path = place.root().join("secret");
    let remove = || std::fs::remove_file(&path).unwrap();
    let damages: [&dyn Fn(); 7] = [
        &remove,
        &|| std::fs::write(&path, b"").unwrap(),
        &|| std::fs::write(&path, [0; 55]).unwrap(),
        &|| std::fs::write(&path, [0; 4096]).unwrap(),
        &|| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap(),
        &|| {
            remove();
            symlink("/dev/zero", &path).unwrap();
        },
        &|| {
            remove();
            std::fs::create_dir(&path).unwrap();
        },
    ];
    for (i, damage) in damages.iter().enumerate() {
        damage();
        let (store, recorder) = place.open();
        assert_eq!(
            answer(&store, OBJECTS, &key(1), b"preimage"),
            Err("bad_mac"),
            "damage {i}"
        );
        check_heals(&store, &recorder);
        let facts = std::fs::symlink_metadata(&path).unwrap();
        assert!(facts.is_file());
        assert_eq!(facts.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_running_store_goes_on_with_a_secret_that_another_replaced() {
    let place = Place::new();
    let (first, _, _) = with_one_entry(&place);
    std::fs::write(place.root().join("secret"), b"damaged").unwrap();
    let (second, recorder) = place.open();
    assert_eq!(
        answer(&second, OBJECTS, &key(1), b"preimage"),
        Err("bad_mac")
    );
    check_heals(&second, &recorder);
    // The first store learns of the new secret when a hash fails, and both read what either writes.
    assert_eq!(
        answer(&first, OBJECTS, &key(1), b"preimage"),
        Ok(b"payload".to_vec())
    );
    publish(&first, OBJECTS, &key(2), b"two", b"2");
    assert_eq!(answer(&second, OBJECTS, &key(2), b"2"), Ok(b"two".to_vec()));
}

#[test]
fn a_secret_removed_under_a_running_store_comes_back_and_nothing_misses() {
    let place = Place::new();
    let (store, _, _) = with_one_entry(&place);
    std::fs::remove_file(place.root().join("secret")).unwrap();
    publish(&store, OBJECTS, &key(2), b"two", b"2");
    let (fresh, _) = place.open();
    assert_eq!(
        answer(&fresh, OBJECTS, &key(1), b"preimage"),
        Ok(b"payload".to_vec())
    );
    assert_eq!(answer(&fresh, OBJECTS, &key(2), b"2"), Ok(b"two".to_vec()));
}

#[test]
fn an_entry_that_the_caller_rejects_is_counted_and_removed() {
    let place = Place::new();
    let (store, recorder, _) = with_one_entry(&place);
    store.reject(OBJECTS, &key(1), "relocation");
    assert_eq!(recorder.take(), [reject(key(1), "relocation")]);
    assert_eq!(answer(&store, OBJECTS, &key(1), b"preimage"), Err("absent"));
    check_heals(&store, &recorder);
}

/// Everything that a power cut may leave of a file: of its pages each is there or zero; the end may be missing.
fn torn(good: &[u8], page: usize) -> Vec<Vec<u8>> {
    let pages = good.len().div_ceil(page);
    let mut all = Vec::new();
    for lost in 1u32..1 << pages {
        let mut file = good.to_vec();
        for (n, part) in file.chunks_mut(page).enumerate() {
            if lost >> n & 1 == 1 {
                part.fill(0);
            }
        }
        all.push(file);
    }
    all.extend((0..pages).map(|whole| good[..whole * page].to_vec()));
    all.retain(|file| file != good);
    all
}

#[test]
fn row_18_an_entry_that_lost_any_of_its_pages_is_a_miss() {
    let place = Place::new();
    let (store, recorder) = place.open();
    let payload: Vec<u8> = (0..30_000u32).map(|n| ((n * n) >> 7) as u8 | 1).collect();
    for table in Table::ALL {
        publish(&store, table, &key(1), &payload, b"preimage");
        let path = place.entry_path(table, &key(1));
        let good = std::fs::read(&path).unwrap();
        for file in torn(&good, 4096) {
            std::fs::write(&path, &file).unwrap();
            assert!(load(&store, table, &key(1), b"preimage").is_err());
            assert!(!path.exists(), "it is taken away");
        }
        publish(&store, table, &key(1), &payload, b"preimage");
        assert!(load(&store, table, &key(1), b"preimage").is_ok());
        recorder.take();
    }
}

#[test]
fn row_01_and_18_a_secret_cut_or_zeroed_from_any_byte_on_is_replaced_and_entries_miss_once() {
    let place = Place::new();
    drop(with_one_entry(&place));
    let path = place.root().join("secret");
    let good = std::fs::read(&path).unwrap();
    for len in 0..good.len() {
        let mut zeroed = good.clone();
        zeroed[len..].fill(0);
        for file in [good[..len].to_vec(), zeroed] {
            if file == good {
                continue;
            }
            std::fs::write(&path, &file).unwrap();
            let (store, recorder) = place.open();
            let found = answer(&store, OBJECTS, &key(1), b"preimage");
            assert_eq!(found, Err("bad_mac"), "{len} bytes");
            check_heals(&store, &recorder);
            drop(store);
            // The old key is not the new one, so what it made is unsound.
            assert_ne!(std::fs::read(&path).unwrap(), good);
        }
    }
}

#[test]
fn row_01_a_shortcut_truncated_at_every_offset_is_a_miss_and_heals() {
    let place = Place::new();
    let (store, _) = place.open();
    let shortcuts = Table::Shortcuts;
    publish(&store, shortcuts, &key(1), b"record", b"text");
    let path = place.entry_path(shortcuts, &key(1));
    let good = std::fs::read(&path).unwrap();
    for len in 0..good.len() {
        std::fs::write(&path, &good[..len]).unwrap();
        let reason = if len < 152 { "truncated" } else { "bad_magic" };
        assert_eq!(answer(&store, shortcuts, &key(1), b"text"), Err(reason));
        assert!(!path.exists());
    }
    publish(&store, shortcuts, &key(1), b"record", b"text");
    assert!(load(&store, shortcuts, &key(1), b"text").is_ok());
}
