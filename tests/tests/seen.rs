//! Seen: every hit, miss with its reason, compilation, rejection and eviction is an event; statistics are made from those.
//!
//! A life of an engine with all of them in it is told to an observer, counted from that, and compared with the engine's own
//! statistics and with its count of the compiler's calls.

use parloop::{Config, Engine, Event, Mode, Observer, StatsSnapshot};
use parloop_cache::Stats;
use parloop_tests::cached::{COLD, SMALL, directory, file, flush, run_small, watched};
use parloop_tests::log::{Log, line};
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn text(i: usize) -> String {
    format!(
        "void k(const double *a, double *b) {{ b[0] += {}.0 * a[0] - {i}.0 * a[0]; }}",
        i + 2
    )
}

/// Statistics counted from events alone.
fn counted(events: &[Event]) -> StatsSnapshot {
    let stats = Stats::default();
    events.iter().for_each(|event| stats.event(event));
    stats.snapshot()
}

fn engine(path: &Path, memory_entries: u64, mode: Mode) -> (Engine, Arc<Log>) {
    let log = Arc::new(Log::default());
    let mut config = Config::default();
    config.cache_dir = Some(path.to_owned());
    config.cache_mode = mode;
    config.memory_entries_max = memory_entries;
    (
        Engine::builder()
            .config(config)
            .observer(log.clone())
            .build()
            .unwrap(),
        log,
    )
}

/// Everything an engine told agrees with what it counts.
fn check(what: &str, engine: &Engine, log: &Log) -> Vec<String> {
    flush(engine);
    let events = log.events();
    assert_eq!(engine.stats(), counted(&events), "{what}");
    let compiled = events
        .iter()
        .filter(|e| matches!(e, Event::Compile { .. }))
        .count();
    assert_eq!(engine.compilations(), compiled as u64, "{what}");
    events.iter().map(line).collect()
}

#[test]
fn statistics_are_the_events_and_the_compilers_own_count() {
    let (_temp, path) = directory();
    let (one, log) = engine(&path, 2, Mode::ReadWrite);
    for i in [0, 1, 2, 3, 3, 0, 3] {
        run_small(&one, &text(i));
    }
    let told = check("evictions in memory", &one, &log);
    assert!(
        told.contains(&"memory evict".to_owned()) && told.contains(&"memory hit".to_owned()),
        "{told:?}"
    );

    let (two, log) = engine(&path, 100, Mode::ReadWrite);
    for i in [0, 1, 2, 3, 4] {
        run_small(&two, &text(i));
    }
    let told = check("hits on disk", &two, &log);
    assert_eq!(
        told.iter().filter(|l| *l == "disk hit").count(),
        4,
        "{told:?}"
    );

    for mode in [Mode::Off, Mode::ReadOnly, Mode::Refresh] {
        let (three, log) = engine(&path, 100, mode);
        for i in [4, 5, 5] {
            run_small(&three, &text(i));
        }
        check(&format!("{mode:?}"), &three, &log);
    }
}

#[test]
fn rejections_are_told_with_their_reason() {
    let (_temp, path) = directory();
    let (one, _log) = watched(&path);
    run_small(&one, SMALL);
    flush(&one);
    let victim = file(&path, "objects");
    let mut bytes = fs::read(&victim).unwrap();
    bytes[100] ^= 4;
    fs::write(&victim, bytes).unwrap();
    let (two, log) = watched(&path);
    run_small(&two, SMALL);
    let told = check("a flipped bit", &two, &log);
    for wanted in [
        "disk reject: bad_mac",
        "disk miss: bad_mac",
        "compile",
        "disk publish",
    ] {
        assert_eq!(
            told.iter().filter(|l| *l == wanted).count(),
            1,
            "{wanted}: {told:?}"
        );
    }
}

#[test]
fn failed_loops_are_told_too() {
    let (_temp, path) = directory();
    let (engine, log) = watched(&path);
    let set = parloop::Set::new("s", 1).unwrap();
    let kernel = engine.kernel("void k(double *a) { a[0] = b; }", None);
    let a = engine
        .dat_zeroed(&set, "a", 1, parloop::DType::F64)
        .unwrap();
    engine.par_loop(&kernel, &set, &[a.write()]).unwrap_err();
    let told = check("a text that does not check", &engine, &log);
    assert_eq!(
        told,
        ["shortcut miss: absent"],
        "nothing was compiled, and nothing looked for"
    );
}

#[test]
fn every_event_names_the_key_that_the_loop_names() {
    let (_temp, path) = directory();
    let (engine, log) = watched(&path);
    let fingerprint = run_small(&engine, SMALL).fingerprint();
    flush(&engine);
    let mut lines = Vec::new();
    for event in log.events() {
        match &event {
            Event::Hit { key, layer, .. }
            | Event::Miss { key, layer, .. }
            | Event::Publish { key, layer, .. } => {
                let own = layer.name() != "shortcut";
                assert_eq!(key.to_string() == fingerprint, own, "{event:?}");
            }
            Event::Compile { key, duration } => {
                assert_eq!(key.to_string(), fingerprint);
                assert!(!duration.is_zero());
            }
            other => panic!("{other:?}"),
        }
        lines.push(line(&event));
    }
    assert_eq!(lines[..4], COLD);
}

#[test]
fn an_observer_that_is_slow_or_shared_sees_each_event_once() {
    let log = Arc::new(Log::default());
    let engines = [0, 1].map(|_| Engine::builder().observer(log.clone()).build().unwrap());
    std::thread::scope(|scope| {
        for engine in &engines {
            for _ in 0..4 {
                scope.spawn(|| run_small(engine, SMALL));
            }
        }
    });
    let lines = log.lines();
    let count = |what: &str| lines.iter().filter(|l| *l == what).count();
    // Who waits for another's compilation has missed too.
    let asked = count("memory hit") + count("memory miss: absent");
    assert_eq!((count("compile"), asked), (2, 8), "{lines:?}");
}

#[test]
fn every_reason_for_a_rejection_is_counted_by_itself() {
    let (other, listed) = parloop_cache::REJECTIONS.split_last().unwrap();
    assert_eq!(*other, "other");
    assert_eq!(listed, parloop::rejection_codes());
}
