//! Modes that doubt hits: `verify` makes every one again, `audit` a part of them and runs those in the interpreter, too.

use parloop::{CodeSource, Config, Engine, Mode, Set};
use parloop_cache::{Key, Metadata, Publication, Table};
use parloop_compiler::ShortcutRecord;
use parloop_kernels::airfoil::mesh::{Blocks, Mesh};
use parloop_tests::cached::{
    Airfoil, SMALL, WARM, airfoil_texts, directory, flush, payloads, run_small, watched,
};
use parloop_tests::log::Log;
use std::path::Path;
use std::sync::Arc;

fn doubting(directory: &Path, mode: Mode, every: u32) -> (Engine, Arc<Log>) {
    let log = Arc::new(Log::default());
    let mut config = Config::default();
    config.cache_dir = Some(directory.to_owned());
    config.cache_mode = mode;
    config.audit_every = every;
    let builder = Engine::builder().config(config).observer(log.clone());
    (builder.build().unwrap(), log)
}

/// Puts the code of another kernel in place of that of [`SMALL`], as only the owner of the key can.
fn plant(directory: &Path) {
    let (engine, _log) = watched(directory);
    run_small(&engine, SMALL);
    flush(&engine);
    let store = engine.store();
    let [(key, _)] = &payloads(&engine)[..] else {
        panic!("one entry");
    };
    let key: Key = key.parse().unwrap();
    let genuine = store.inspect(Table::Objects, &key).unwrap();
    let (_temp, elsewhere) = parloop_tests::cached::directory();
    let (other, _log) = watched(&elsewhere);
    let set = Set::new("cells", 3).unwrap();
    let (a, b) = (
        other.dat(&set, "a", 1, &[1.0; 3]),
        other.dat(&set, "b", 1, &[0.0; 3]),
    );
    let kernel = other.kernel(&SMALL.replace("2.0", "3.0"), None);
    other
        .par_loop(&kernel, &set, &[a.unwrap().read(), b.unwrap().inc()])
        .unwrap();
    flush(&other);
    let payload = payloads(&other).pop().unwrap().1;
    assert!(store.remove(Table::Objects, &key));
    let publication = Publication {
        payload: payload.into(),
        preimage: genuine.preimage().into(),
        metadata: Metadata::default(),
    };
    store.publish(Table::Objects, &key, publication, None);
    flush(&engine);
}

fn and(lines: &[&'static str], more: &[&'static str]) -> Vec<&'static str> {
    [lines, more].concat()
}

#[test]
fn every_hit_is_made_again_and_told() {
    let (_temp, path) = directory();
    let (one, log) = doubting(&path, Mode::Verify, 1);
    assert_eq!(run_small(&one, SMALL).source(), CodeSource::Compiled);
    flush(&one);
    assert!(log.lines().contains(&"disk publish".to_owned()));
    let (two, log) = doubting(&path, Mode::Verify, 1);
    assert_eq!(run_small(&two, SMALL).source(), CodeSource::Disk);
    let verified = [
        "shortcut hit",
        "shortcut verified",
        "memory miss: absent",
        "disk hit",
        "compile",
        "disk verified",
    ];
    assert_eq!(log.lines(), verified);
    run_small(&two, SMALL);
    assert_eq!(
        log.lines(),
        ["shortcut hit", "shortcut verified", "memory hit"],
        "what is in memory was verified"
    );
    assert_eq!((two.compilations(), two.stats().verified), (1, 3));
    let counts = two.store().lifetime();
    assert_eq!((counts.disk_hits, counts.saved.as_nanos()), (1, 0));
}

#[test]
fn row_s13_a_difference_is_told_and_the_fresh_code_is_used_and_kept() {
    for mode in [Mode::Verify, Mode::Audit] {
        let (_temp, path) = directory();
        plant(&path);
        let (one, log) = doubting(&path, mode, 1);
        assert_eq!(run_small(&one, SMALL).source(), CodeSource::Compiled);
        flush(&one);
        let taken_back = [
            "compile",
            "disk retract",
            "disk reject: differs",
            "disk miss: differs",
        ];
        let mut expected = and(&WARM, &taken_back);
        if mode == Mode::Verify {
            expected.insert(1, "shortcut verified");
        }
        if mode == Mode::Audit {
            expected.push("memory verified");
        }
        expected.push("disk publish");
        assert_eq!(log.lines(), expected, "{mode:?}");
        // No hit, by any count.
        let (stats, counts) = (one.stats(), one.store().lifetime());
        assert_eq!((stats.disk_hits, stats.shortcut_hits), (0, 1), "{mode:?}");
        // The engine that planted it missed once, and hit nothing.
        assert_eq!((counts.disk_hits, counts.disk_misses), (0, 2), "{mode:?}");
        let (two, log) = watched(&path);
        run_small(&two, SMALL);
        assert_eq!(log.lines(), WARM, "healed");
    }
}

/// Puts a record that leads where it should, and says what is not so, in place of that of [`SMALL`], as only the owner of the key can.
fn plant_record(directory: &Path, change: impl Fn(&mut ShortcutRecord)) {
    let (engine, _log) = watched(directory);
    run_small(&engine, SMALL);
    flush(&engine);
    let store = engine.store();
    let listed = store.entries_of(Table::Shortcuts).next().unwrap();
    let entry = listed.entry.unwrap();
    let mut record = ShortcutRecord::decode(entry.payload()).unwrap();
    change(&mut record);
    assert!(store.remove(Table::Shortcuts, &listed.key));
    let publication = Publication {
        payload: record.encode().into(),
        preimage: entry.preimage().into(),
        metadata: Metadata::default(),
    };
    store.publish(Table::Shortcuts, &listed.key, publication, None);
    flush(&engine);
}

#[test]
fn row_s13_what_a_record_says_of_a_kernel_is_held_against_its_text() {
    type Lie = fn(&mut ShortcutRecord);
    let lies: [Lie; 3] = [
        |record| record.params[1].is_const = true,
        |record| record.constants.push("gam".to_owned()),
        |record| record.params[0].extents = vec![Some(9)],
    ];
    let taken_back = [
        "shortcut retract",
        "shortcut reject: differs",
        "shortcut miss: differs",
    ];
    for (lie, mode) in lies.into_iter().flat_map(|lie| {
        let modes = [Mode::Verify, Mode::Audit];
        modes.map(|mode| (lie, mode))
    }) {
        let (_temp, path) = directory();
        plant_record(&path, lie);
        let (one, log) = doubting(&path, mode, 1);
        assert_eq!(run_small(&one, SMALL).source(), CodeSource::Disk);
        flush(&one);
        let told = log.lines();
        let at = told.iter().position(|line| line == taken_back[0]);
        assert_eq!(told[at.unwrap()..][..3], taken_back, "{told:?}");
        assert!(told.contains(&"shortcut publish".to_owned()), "{told:?}");
        let (two, log) = watched(&path);
        run_small(&two, SMALL);
        assert_eq!(log.lines(), WARM, "healed");
    }
}

#[test]
fn an_audited_hit_runs_in_the_interpreter_too_the_first_time() {
    let (_temp, path) = directory();
    let (one, _log) = watched(&path);
    run_small(&one, SMALL);
    flush(&one);
    let (two, log) = doubting(&path, Mode::Audit, 1);
    let mut prepared = run_small(&two, SMALL);
    let told = and(&WARM, &["compile", "disk verified", "memory verified"]);
    assert_eq!(log.lines(), told);
    prepared.run().unwrap();
    assert_eq!(log.lines(), [""; 0]);
}

#[test]
fn real_loops_pass_the_audit() {
    let (_temp, path) = directory();
    let mesh = Mesh::generate(Blocks::new(2, 3).unwrap()).unwrap();
    let texts = airfoil_texts();
    let (one, _log) = watched(&path);
    let expected = Airfoil::new(&one, &mesh, &texts).unwrap().iterate();
    flush(&one);
    let (two, log) = doubting(&path, Mode::Audit, 1);
    let residual = Airfoil::new(&two, &mesh, &texts).unwrap().iterate();
    assert_eq!(residual.to_bits(), expected.to_bits());
    let lines = log.lines();
    let count = |what: &str| lines.iter().filter(|line| *line == what).count();
    assert_eq!(
        (count("disk verified"), count("memory verified")),
        (5, 5),
        "{lines:?}"
    );
}

#[test]
fn a_part_of_the_hits_is_audited() {
    let (_temp, path) = directory();
    let text = |i: usize| SMALL.replace("2.0 *", &format!("2.0 * a[0] + {i}.0 * a[0] - {i}.0 *"));
    let (one, _log) = watched(&path);
    (1..=8).for_each(|i| drop(run_small(&one, &text(i))));
    flush(&one);
    let (two, log) = doubting(&path, Mode::Audit, 4);
    (1..=8).for_each(|i| drop(run_small(&two, &text(i))));
    let lines = log.lines();
    let count = |what: &str| lines.iter().filter(|line| *line == what).count();
    let counts = ["disk hit", "compile", "disk verified", "memory verified"].map(count);
    assert_eq!(counts, [8, 2, 2, 2], "{lines:?}");
}

#[test]
fn plain_functions_are_made_again_but_not_interpreted() {
    let (_temp, path) = directory();
    let (one, _log) = watched(&path);
    one.function(&one.kernel(SMALL, None), &[]).unwrap();
    flush(&one);
    let (two, log) = doubting(&path, Mode::Audit, 1);
    let function = two.function(&two.kernel(SMALL, None), &[]).unwrap();
    assert_eq!(function.source().0, CodeSource::Disk);
    assert_eq!(log.lines(), and(&WARM, &["compile", "disk verified"]));
}

#[test]
fn a_loop_that_fails_fails_alike_in_the_audit() {
    let (_temp, path) = directory();
    let text = "void at(const double *a, const int *n, double *b) { b[0] = a[n[0]]; }";
    for mode in [Mode::ReadWrite, Mode::Audit] {
        let (engine, log) = doubting(&path, mode, 1);
        let set = Set::new("cells", 3).unwrap();
        let a = engine.dat(&set, "a", 2, &[0.5; 6]).unwrap();
        let n = engine.dat(&set, "n", 1, &[0i32, 1, 7]).unwrap();
        let b = engine.dat(&set, "b", 1, &[0.0; 3]).unwrap();
        let kernel = engine.kernel(text, None);
        let args = [a.read(), n.read(), b.write()];
        let error = engine.par_loop(&kernel, &set, &args).unwrap_err();
        assert!(error.to_string().contains('7'), "{error}");
        flush(&engine);
        if mode == Mode::Audit {
            assert_eq!(log.lines().last().unwrap(), "memory verified");
        }
    }
}
