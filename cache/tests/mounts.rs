//! Real file systems that are full or read-only, in a mount namespace of their own where this user may make one.

mod support;

use parloop_cache::{Event, State, StoreConfig, Why};
use std::path::Path;
use std::process::{Command, Stdio};
use support::*;

const ROOT: &str = "PARLOOP_TEST_ROOT";
const CANNOT_MOUNT: i32 = 77;

/// Runs one test of this file again inside a namespace where `mount` has been run, if this user may do that.
fn again_with_mount(test: &str, place: &Place, mount: &str) {
    let possible = Command::new("unshare")
        .args(["-m", "true"])
        .stderr(Stdio::null())
        .status();
    if !possible.is_ok_and(|status| status.success()) {
        return; // no namespaces here: the same faults are injected in `failing.rs`
    }
    let output = Command::new("unshare")
        .args([
            "-m",
            "sh",
            "-c",
            &format!("{{ {mount}; }} || exit 77; exec \"$1\" --exact {test} --nocapture"),
        ])
        .arg(place.above())
        .arg(std::env::current_exe().unwrap())
        .env(ROOT, place.above().join("mounted/cache"))
        .output()
        .unwrap();
    if output.status.code() == Some(CANNOT_MOUNT) {
        return;
    }
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn inside() -> Option<String> {
    std::env::var(ROOT).ok()
}

#[test]
fn row_19_and_20_a_file_system_of_64_kib_fills_up_and_caching_resumes_when_there_is_space() {
    let Some(root) = inside() else {
        let place = Place::new();
        make_dir(&place.above().join("mounted"));
        let mount = "mount -t tmpfs -o size=64k,mode=700 tmpfs \"$0/mounted\"";
        let test = "row_19_and_20_a_file_system_of_64_kib_fills_up_and_caching_resumes_when_there_is_space";
        return again_with_mount(test, &place, mount);
    };
    let mut config = StoreConfig::at(&root);
    config.retry_after = std::time::Duration::ZERO;
    let (store, recorder) = open(config);
    for n in 0..20 {
        publish(&store, OBJECTS, &key(n), &[n as u8; 6000], b"preimage");
    }
    let kept: Vec<u64> = (0..20)
        .filter(|n| load(&store, OBJECTS, &key(*n), b"preimage").is_ok())
        .collect();
    assert!((3..15).contains(&kept.len()), "{kept:?}");
    assert_eq!(recorder.warnings().len(), 1);
    assert_eq!(
        (store.usage().entries(), store.usage().temporary),
        (kept.len() as u64, 0)
    );
    assert_eq!(store.problems(), []);
    store.clear();
    recorder.take();
    publish(&store, OBJECTS, &key(50), &[1; 6000], b"preimage");
    assert!(matches!(recorder.take()[..], [Event::Publish { .. }]));
}

#[test]
fn row_21_a_file_system_mounted_read_only_is_hit_and_warned_of_once() {
    let Some(root) = inside() else {
        let place = Place::new();
        let mounted = place.above().join("mounted");
        make_dir(&mounted);
        let (store, _) = open(StoreConfig::at(mounted.join("cache")));
        publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
        let mount =
            "mount --bind \"$0/mounted\" \"$0/mounted\" && mount -o remount,bind,ro \"$0/mounted\"";
        let test = "row_21_a_file_system_mounted_read_only_is_hit_and_warned_of_once";
        return again_with_mount(test, &place, mount);
    };
    let (store, recorder) = open(StoreConfig::at(&root));
    for n in 2..5 {
        publish(&store, OBJECTS, &key(n), b"payload", b"preimage");
        assert_eq!(
            answer(&store, OBJECTS, &key(1), b"preimage"),
            Ok(b"payload".to_vec())
        );
    }
    let read_only = Why::NotWritable(std::io::ErrorKind::ReadOnlyFilesystem);
    assert_eq!(store.state(), State::ReadOnly { why: read_only });
    assert_eq!(recorder.warnings().len(), 1);
    assert!(Path::new(&root).join("secret").exists());
}
