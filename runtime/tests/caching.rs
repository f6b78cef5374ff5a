//! Cold and warm runs: the exact events of each, the same bytes, and what a damaged or missing file costs.

mod support;

use parloop::{CodeSource, DType, Engine, Mode, PreparedLoop, Set};
use std::path::{Path, PathBuf};
use support::{Log, flush, watched};

const TEXT: &str = "void add(const double *a, double *b) { b[0] += a[0]; }";

/// A cache directory that is not there yet.
fn directory() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("cache");
    (temp, path)
}

/// Prepares the loop of `text` over a direct dat pair.
fn prepare(engine: &Engine, text: &str) -> PreparedLoop {
    let set = Set::new("s", 3).unwrap();
    let a = engine.dat(&set, "a", 1, &[1.0, 2.0, 3.0]).unwrap();
    let b = engine.dat_zeroed(&set, "b", 1, DType::F64).unwrap();
    let kernel = engine.kernel(text, None);
    let mut prepared = engine.prepare(&kernel, &set, &[a.read(), b.inc()]).unwrap();
    prepared.run().unwrap();
    assert_eq!(*b.data::<f64>().unwrap(), [1.0, 2.0, 3.0]);
    prepared
}

const COLD: [&str; 4] = [
    "shortcut miss: absent",
    "memory miss: absent",
    "disk miss: absent",
    "compile",
];
const WARM: [&str; 3] = ["shortcut hit", "memory miss: absent", "disk hit"];

/// All files of a table of the cache, sorted.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path)
            } else {
                found.push(path)
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_cold_run_compiles_and_a_warm_one_loads() {
    let (_temp, path) = directory();
    let (engine, log) = watched(&path);
    let cold = prepare(&engine, TEXT);
    assert_eq!(
        (cold.source(), engine.compilations()),
        (CodeSource::Compiled, 1)
    );
    flush(&engine);
    let mut all = log.take_sorted();
    all.retain(|line| !COLD.contains(&line.as_str()));
    assert_eq!(all, ["disk publish", "shortcut publish"]);

    let (engine, log) = watched(&path);
    let warm = prepare(&engine, TEXT);
    assert_eq!(
        (warm.source(), engine.compilations()),
        (CodeSource::Disk, 0)
    );
    assert_eq!(warm.fingerprint(), cold.fingerprint());
    assert_eq!(log.take(), WARM);
}

#[test]
fn a_cold_runs_events_are_these_in_this_order() {
    let (_temp, path) = directory();
    let (engine, log) = watched(&path);
    prepare(&engine, TEXT);
    assert_eq!(log.take(), COLD);
}

#[test]
fn a_second_loop_finds_the_code_in_memory() {
    let (_temp, path) = directory();
    let (engine, log) = watched(&path);
    let set = Set::new("s", 1).unwrap();
    let a = engine.dat_zeroed(&set, "a", 1, DType::F64).unwrap();
    let b = engine.dat_zeroed(&set, "b", 1, DType::F64).unwrap();
    let kernel = engine.kernel(TEXT, None);
    engine
        .par_loop(&kernel, &set, &[a.read(), b.inc()])
        .unwrap();
    log.take();
    engine
        .par_loop(&kernel, &set, &[a.read(), b.inc()])
        .unwrap();
    assert_eq!(
        log.take(),
        ["memory hit"],
        "the kernel remembers its fingerprint"
    );

    flush(&engine);
    log.take();
    let again = engine.kernel(TEXT, None);
    engine.par_loop(&again, &set, &[a.read(), b.inc()]).unwrap();
    assert_eq!(
        log.take(),
        ["shortcut hit", "memory hit"],
        "another handle of the same text"
    );
}

#[test]
fn an_edit_that_changes_nothing_compiles_nothing() {
    let (_temp, path) = directory();
    let (engine, _) = watched(&path);
    prepare(&engine, TEXT);
    flush(&engine);
    let edits = [
        "/* adds */ void add(const double *a, double *b) { b[0] += a[0]; }",
        "void plus(const double *from, double *to)\n{\n  to[0] += from[0];\n}",
    ];
    for edit in edits {
        let (engine, log) = watched(&path);
        let prepared = prepare(&engine, edit);
        assert_eq!(
            (prepared.source(), engine.compilations()),
            (CodeSource::Disk, 0)
        );
        assert_eq!(
            log.take(),
            ["shortcut miss: absent", "memory miss: absent", "disk hit"]
        );
        flush(&engine);
        let (engine, log) = watched(&path);
        prepare(&engine, edit);
        assert_eq!(log.take(), WARM, "the edited text has its own shortcut");
    }
    let (engine, _) = watched(&path);
    prepare(
        &engine,
        "void add(const double *a, double *b) { b[0] += 1.0 * a[0] + 0.0 * 3.5; }",
    );
    assert_eq!(engine.compilations(), 1);
}

#[test]
fn two_engines_make_the_same_bytes() {
    use parloop_cache::{Expect, Key, Store, StoreConfig, Table};
    let payload = || {
        let (_temp, path) = directory();
        let (engine, _) = watched(&path);
        let key: Key = prepare(&engine, TEXT).fingerprint().parse().unwrap();
        flush(&engine);
        drop(engine);
        let store = Store::open(StoreConfig::at(&path), std::sync::Arc::new(()));
        let digest = Expect::PreimageDigest(*key.as_bytes());
        store
            .load(Table::Objects, &key, digest, &|_| true)
            .unwrap()
            .payload()
            .to_vec()
    };
    assert_eq!(payload(), payload());
}

#[test]
fn a_directory_that_is_gone_is_a_miss_and_comes_back() {
    let (_temp, path) = directory();
    let (engine, _) = watched(&path);
    prepare(&engine, TEXT);
    flush(&engine);
    drop(engine);
    std::fs::remove_dir_all(&path).unwrap();
    for (expected, count) in [(CodeSource::Compiled, 1), (CodeSource::Disk, 0)] {
        let (engine, _) = watched(&path);
        assert_eq!(
            (prepare(&engine, TEXT).source(), engine.compilations()),
            (expected, count)
        );
        flush(&engine);
    }
}

/// Damages each cached file in one way; the run after compiles or not, is right, and the one after that hits.
fn heals(damage: impl Fn(&Path)) {
    let (_temp, path) = directory();
    let (engine, _) = watched(&path);
    prepare(&engine, TEXT);
    flush(&engine);
    drop(engine);
    let entries = |path: &Path| {
        let named = |file: &PathBuf| file.file_name().is_some_and(|name| name.len() >= 52);
        files(path).into_iter().filter(named).collect::<Vec<_>>()
    };
    let count = entries(&path).len();
    assert_eq!(count, 2, "an object and a shortcut: {:?}", files(&path));
    for victim in 0..count {
        damage(&entries(&path)[victim]);
        let (engine, log) = watched(&path);
        prepare(&engine, TEXT);
        let told = log.take();
        assert!(
            told.iter()
                .any(|line| line.contains("miss") && !line.contains("memory")),
            "{told:?}"
        );
        flush(&engine);
        drop(engine);
        let (engine, log) = watched(&path);
        assert_eq!(prepare(&engine, TEXT).source(), CodeSource::Disk);
        assert_eq!(log.take(), WARM);
    }
}

#[test]
fn a_deleted_file_is_made_again() {
    heals(|file| std::fs::remove_file(file).unwrap());
}

#[test]
fn a_truncated_file_is_made_again() {
    heals(|file| {
        let bytes = std::fs::read(file).unwrap();
        std::fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    });
}

#[test]
fn a_flipped_byte_is_noticed_and_the_file_made_again() {
    for at in [0usize, 70, 400] {
        heals(|file| {
            let mut bytes = std::fs::read(file).unwrap();
            let at = at.min(bytes.len() - 1);
            bytes[at] ^= 0x10;
            std::fs::write(file, bytes).unwrap();
        });
    }
}

#[test]
fn files_that_are_exchanged_are_not_taken_for_one_another() {
    let (_temp, path) = directory();
    let other = "void sub(const double *a, double *b) { b[0] += a[0] * 1.0; double t = sqrt(b[0]); b[0] += 0.0 * t; }";
    let (engine, _) = watched(&path);
    prepare(&engine, TEXT);
    prepare(&engine, other);
    flush(&engine);
    drop(engine);
    let elves: Vec<PathBuf> = files(&path)
        .into_iter()
        .filter(|f| std::fs::read(f).unwrap().starts_with(b"\x7fELF"))
        .collect();
    assert_eq!(elves.len(), 2);
    let first = std::fs::read(&elves[0]).unwrap();
    std::fs::write(&elves[1], first).unwrap();
    let (engine, _) = watched(&path);
    prepare(&engine, TEXT);
    prepare(&engine, other);
    assert_eq!(engine.compilations(), 1);
}

/// A kernel whose object refers to a host function and to a table.
const CALLS: &str =
    "void add(const double *a, double *b) { b[0] += a[0] + 0.0 * exp(a[0]) * 3.25; }";

/// Where the first relocation of an ELF object stands: offset, kind and symbol, addend, 8 bytes each.
fn relocation(elf: &[u8]) -> usize {
    const RELA: u32 = 4;
    let number = |at: usize, bytes: usize| {
        let mut all = [0; 8];
        all[..bytes].copy_from_slice(&elf[at..at + bytes]);
        u64::from_le_bytes(all) as usize
    };
    let (sections, size, count) = (number(40, 8), number(58, 2), number(60, 2));
    let mut headers = (0..count).map(|n| sections + n * size);
    let rela = headers.find(|header| number(header + 4, 4) as u32 == RELA);
    number(rela.unwrap() + 24, 8)
}

/// Puts another payload in the place of the only entry, as only the owner of the key can.
fn replace_payload(path: &Path, change: impl Fn(&mut [u8])) {
    use parloop_cache::{Publication, Store, StoreConfig, Table};
    let store = Store::open(StoreConfig::at(path), std::sync::Arc::new(()));
    let listed = store.entries_of(Table::Objects).next().unwrap();
    let entry = listed.entry.unwrap();
    let mut payload = entry.payload().to_vec();
    change(&mut payload);
    assert!(store.remove(Table::Objects, &listed.key));
    let publication = Publication {
        payload: payload.into(),
        preimage: entry.preimage().into(),
        metadata: entry.metadata(),
    };
    store.publish(Table::Objects, &listed.key, publication, None);
    assert!(store.flush(std::time::Duration::from_secs(10)));
}

#[test]
fn row_08_a_genuine_object_that_the_loader_refuses_is_rejected_and_compiled() {
    let put = |bytes: &mut [u8], at: usize, value: &[u8]| {
        bytes[at..][..value.len()].copy_from_slice(value);
    };
    let another_machine = |elf: &mut [u8]| elf[18] ^= 1;
    // Relative to the instruction, which no object of ours is.
    let another_kind = |elf: &mut [u8]| {
        let at = relocation(elf) + 8;
        put(elf, at, &2u32.to_le_bytes());
    };
    let out_of_range = |elf: &mut [u8]| {
        let at = relocation(elf);
        put(elf, at, &(1u64 << 30).to_le_bytes());
    };
    let unknown_symbol = |elf: &mut [u8]| {
        let name = b"\0exp\0";
        let at = elf.windows(name.len()).position(|w| w == name).unwrap();
        put(elf, at, b"\0exq\0");
    };
    type Damage<'a> = &'a dyn Fn(&mut [u8]);
    let damages: [(&str, Damage<'_>); 4] = [
        ("load_header", &another_machine),
        ("load_relocation", &another_kind),
        ("load_relocation", &out_of_range),
        ("load_unknown_host", &unknown_symbol),
    ];
    for (code, damage) in damages {
        let (_temp, path) = directory();
        let (engine, _) = watched(&path);
        prepare(&engine, CALLS);
        flush(&engine);
        drop(engine);
        replace_payload(&path, damage);

        let (engine, log) = watched(&path);
        assert_eq!(prepare(&engine, CALLS).source(), CodeSource::Compiled);
        let told = log.take();
        let rejected = [
            "shortcut hit".to_owned(),
            "memory miss: absent".to_owned(),
            format!("disk reject: {code}"),
            format!("disk miss: {code}"),
            "compile".to_owned(),
        ];
        assert_eq!(told, rejected);
        flush(&engine);
        assert_eq!(engine.stats().disk_hits, 0);
        let (engine, log) = watched(&path);
        assert_eq!(prepare(&engine, CALLS).source(), CodeSource::Disk);
        assert_eq!(log.take(), WARM);
    }
}

#[test]
fn who_waited_for_a_lock_in_vain_looks_once_more_before_it_compiles() {
    use std::time::Duration;
    let (_temp, path) = directory();
    let (engine, _) = watched(&path);
    let fingerprint = prepare(&engine, TEXT).fingerprint();
    flush(&engine);
    drop(engine);
    let shard = &fingerprint[..2];
    let entry = path.join("v1/objects").join(shard).join(&fingerprint);
    let aside = path.join("aside");
    std::fs::rename(&entry, &aside).unwrap();
    // As a process that stands still would hold it.
    let held = std::fs::File::options()
        .write(true)
        .open(path.join("v1/locks").join(shard))
        .unwrap();
    held.lock().unwrap();
    let mut config = parloop::Config::default();
    config.cache_dir = Some(path.clone());
    config.cache_wait = Duration::from_secs(2);
    let engine = Engine::new(config).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| prepare(&engine, TEXT).source());
        let disk_missed = || {
            let misses = engine.stats().misses;
            misses.contains_key(&(parloop_cache::Layer::Disk, "absent"))
        };
        while !disk_missed() {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Published by somebody who had no lock either.
        std::fs::rename(&aside, &entry).unwrap();
        assert_eq!(waiting.join().unwrap(), CodeSource::Disk);
    });
    assert_eq!(engine.compilations(), 0);
    drop(held);
}

#[test]
fn the_bound_on_memory_is_on_the_pages_that_code_takes() {
    const PAGE: u64 = 4096;
    let mut config = parloop::Config::default();
    assert!(config.memory_entries_max < 40_000, "of 65,530 mappings");
    config.memory_bytes_max = 3 * PAGE;
    let engine = Engine::new(config).unwrap();
    for i in 0..6 {
        prepare(
            &engine,
            &format!("void k(const double *a, double *b) {{ b[0] += a[0] + {i}.0 - {i}.0; }}"),
        );
    }
    let info = engine.cache_info();
    assert!((1..=2).contains(&info.loops), "{info}");
    let loops = info.loops as u64;
    assert!(info.code_bytes > loops * PAGE, "{info}");
    assert!(info.code_bytes <= 3 * PAGE, "{info}");
}

/// The lock files of a directory, none of which may be held.
fn no_lock_is_held(path: &Path) {
    let locks = files(&path.join("v1/locks"));
    assert!(!locks.is_empty());
    for lock in locks {
        let file = std::fs::File::options().write(true).open(lock).unwrap();
        file.try_lock().unwrap();
    }
}

#[test]
fn row_34_all_who_wait_for_a_compilation_that_fails_get_its_error_and_nothing_is_kept() {
    let (_temp, path) = directory();
    let (engine, _) = watched(&path);
    engine.declare_constant("gam", &[1.4]).unwrap();
    let text = "void k(const double *a, double *b) { b[0] = gam * a[0]; }";
    // A constant that is read at run time is nothing for a plain function, which the compiler finds out.
    let failed = || {
        let outcome = engine.function(&engine.kernel(text, None), &[]);
        outcome.unwrap_err()
    };
    std::thread::scope(|scope| {
        let asking = [(); 8].map(|()| scope.spawn(failed));
        for error in asking.map(|thread| thread.join().unwrap()) {
            assert!(matches!(error, parloop::Error::Compile { .. }), "{error}");
        }
    });
    flush(&engine);
    no_lock_is_held(&path);
    assert_eq!(engine.store().usage().objects, 0);
    assert!(matches!(failed(), parloop::Error::Compile { .. }));
    engine.specialise("gam", true).unwrap();
    engine.function(&engine.kernel(text, None), &[]).unwrap();
    assert_eq!(engine.cache_info().loops, 1);
}

/// Panics at the first compilation that it is told of.
struct Fragile(std::sync::atomic::AtomicBool);

impl parloop::Observer for Fragile {
    fn event(&self, event: &parloop::Event) {
        let compiled = matches!(event, parloop::Event::Compile { .. });
        if compiled && self.0.swap(false, std::sync::atomic::Ordering::SeqCst) {
            panic!("an observer's own fault");
        }
    }
}

#[test]
fn row_34_a_panic_in_an_observer_is_its_callers_and_leaves_no_lock_nor_anybody_waiting() {
    let (_temp, path) = directory();
    let fragile = std::sync::Arc::new(Fragile(true.into()));
    let engine = Engine::builder().cache_dir(&path).observer(fragile);
    let engine = engine.build().unwrap();
    let outcomes = std::thread::scope(|scope| {
        let asking = [(); 4].map(|()| scope.spawn(|| drop(prepare(&engine, TEXT))));
        asking.map(|thread| thread.join().is_ok())
    });
    // One met it; of the others one made the code.
    assert_eq!(outcomes.iter().filter(|well| !**well).count(), 1);
    assert_eq!(engine.compilations(), 2);
    flush(&engine);
    no_lock_is_held(&path);
    prepare(&engine, TEXT);
    assert_eq!(engine.compilations(), 2);
    drop(engine);
    let (engine, _) = watched(&path);
    assert_eq!(prepare(&engine, TEXT).source(), CodeSource::Disk);
}

#[test]
fn one_of_many_threads_compiles() {
    let (_temp, path) = directory();
    let (engine, _) = watched(&path);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| prepare(&engine, TEXT));
        }
    });
    assert_eq!(engine.compilations(), 1);
}

#[test]
fn without_a_directory_code_is_kept_in_memory() {
    let log = std::sync::Arc::new(Log::default());
    let engine = Engine::builder().observer(log.clone()).build().unwrap();
    prepare(&engine, TEXT);
    assert_eq!(
        log.take(),
        [
            "shortcut miss: disabled",
            "memory miss: absent",
            "disk miss: disabled",
            "compile"
        ]
    );
    prepare(&engine, TEXT);
    assert_eq!(log.take(), ["shortcut miss: disabled", "memory hit"]);
    assert_eq!(engine.compilations(), 1);
}

#[test]
fn the_modes_answer_and_keep_as_they_say() {
    let (_temp, path) = directory();
    let with = |mode| {
        Engine::builder()
            .cache_dir(&path)
            .cache_mode(mode)
            .build()
            .unwrap()
    };
    let run = |mode| {
        let engine = with(mode);
        let source = prepare(&engine, TEXT).source();
        flush(&engine);
        source
    };
    assert_eq!(run(Mode::Off), CodeSource::Compiled);
    assert_eq!(run(Mode::ReadOnly), CodeSource::Compiled);
    assert_eq!(run(Mode::ReadWrite), CodeSource::Compiled);
    assert_eq!(run(Mode::ReadOnly), CodeSource::Disk);
    assert_eq!(run(Mode::Off), CodeSource::Compiled);
    assert_eq!(run(Mode::Refresh), CodeSource::Compiled);
    assert_eq!(run(Mode::ReadWrite), CodeSource::Disk);
}

#[test]
fn code_stays_while_a_prepared_loop_holds_it_though_memory_evicts_it() {
    let mut config = parloop::Config::default();
    config.memory_entries_max = 1;
    let engine = Engine::new(config).unwrap();
    let mut first = prepare(&engine, TEXT);
    for i in 0..20 {
        prepare(
            &engine,
            &format!("void k(const double *a, double *b) {{ b[0] += a[0] + {i}.0 - {i}.0; }}"),
        );
    }
    first.run().unwrap();
    first.run().unwrap();
}

#[test]
fn row_12_a_host_that_gains_features_compiles_its_level_once_and_leaves_the_lower_one() {
    let (_temp, path) = directory();
    let lowest = if cfg!(target_arch = "x86_64") {
        parloop::Level::Baseline
    } else {
        parloop::Level::Aarch64
    };
    let at = |level: parloop::Level| {
        let engine = Engine::builder().cache_dir(&path).level(level);
        let engine = engine.build().unwrap();
        let prepared = prepare(&engine, TEXT);
        flush(&engine);
        (prepared.fingerprint(), prepared.source())
    };
    let native = Engine::builder().build().unwrap().level();
    let before = at(lowest);
    let after = at(native);
    // The lowest level is all that some hosts have.
    assert_eq!(after.0 == before.0, native == lowest);
    let first = match native == lowest {
        true => CodeSource::Disk,
        false => CodeSource::Compiled,
    };
    assert_eq!(after.1, first);
    for level in [lowest, native, lowest] {
        assert_eq!(at(level).1, CodeSource::Disk, "{level}: both stay");
    }
}

#[test]
fn perf_is_told_the_names_of_loops_on_request() {
    let mut config = parloop::Config::default();
    config.perf_map = true;
    let engine = Engine::new(config).unwrap();
    prepare(
        &engine,
        "void seen_by_perf(const double *a, double *b) { b[0] += a[0]; }",
    );
    let path = format!("/tmp/perf-{}.map", std::process::id());
    let lines = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let line = lines
        .lines()
        .find(|line| line.ends_with(" parloop::seen_by_perf"))
        .unwrap();
    assert!(
        line.split(' ')
            .take(2)
            .all(|word| u64::from_str_radix(word, 16).is_ok()),
        "{line}"
    );
}

#[test]
fn loops_run_and_are_prepared_anew_while_the_directory_is_collected() {
    const LOOPS: u64 = 12;
    const ENTRIES_MAX: u64 = 6;
    let (_temp, path) = directory();
    let text = |n: u64| {
        format!(
            "void add(const double *a, double *b) {{ b[0] += (a[0] + {n}.0) - {n}.0; }}",
            n = n + 1
        )
    };
    let mut config = parloop_cache::StoreConfig::at(&path);
    config.entries_max = ENTRIES_MAX;
    let collector = parloop_cache::Store::open(config, std::sync::Arc::new(()));
    let mut collections = 0;
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            for _ in 0..20 {
                let (engine, _log) = watched(&path);
                let mut loops: Vec<PreparedLoop> =
                    (0..LOOPS).map(|n| prepare(&engine, &text(n))).collect();
                flush(&engine);
                loops
                    .iter_mut()
                    .for_each(|prepared| prepared.run().unwrap());
            }
        });
        while !running.is_finished() {
            // Nothing is there to begin with.
            collections += u64::from(collector.collect().is_ok());
        }
        running.join().unwrap();
    });
    assert!(collections > 0);
    collector.collect().unwrap();
    assert!(collector.usage().entries() <= ENTRIES_MAX);
}

#[test]
fn a_record_that_is_used_outlives_objects_that_are_not_and_cost_little() {
    use parloop_cache::{Key, Metadata, Publication, Table};
    use std::time::Duration;
    let (_temp, path) = directory();
    let mut config = parloop::Config::default();
    config.cache_dir = Some(path.clone());
    config.cache_entries_max = 20;
    let visit = || {
        let engine = Engine::new(config.clone()).unwrap();
        prepare(&engine, TEXT);
        flush(&engine);
        engine
    };
    for _ in 0..4 {
        visit();
    }
    let engine = visit();
    let record = || engine.store().entries_of(Table::Shortcuts).next();
    let kept = record().unwrap().entry.unwrap().metadata();
    assert!(!kept.compile_time.is_zero());
    for n in 0..40 {
        let mut metadata = Metadata::default();
        metadata.compile_time = Duration::from_nanos(1);
        let publication = Publication {
            payload: [n; 100].into(),
            preimage: [n].into(),
            metadata,
        };
        let key = Key::new([n + 1; 32]);
        engine
            .store()
            .publish(Table::Objects, &key, publication, None);
        flush(&engine);
    }
    assert!(engine.store().usage().entries() <= 20);
    assert!(record().is_some(), "the record went first");
}
