//! Why a loop was not found: the nearest entry that is kept and in what it differs, when asked and, to who wants it, as an event.

use parloop::{
    Config, DType, Engine, Error, Event, Explanation, FloatMode, Level, Map, Mode, Observer,
    Options, Set,
};
use parloop_cache::{Key, Publication, Table};
use parloop_compiler::Preimage;
use parloop_compiler::fingerprint::decode_request;
use parloop_tests::cached::{COLD, SMALL, WARM, directory, flush, run_small, watched};
use parloop_tests::log::{Log, line};
use std::path::Path;
use std::sync::Arc;

/// A log that wants misses explained.
#[derive(Default)]
struct Curious(Log);

impl Observer for Curious {
    fn event(&self, event: &Event) {
        self.0.event(event);
    }

    fn wants_explanations(&self) -> bool {
        true
    }
}

fn curious(directory: &Path, change: impl FnOnce(&mut Config)) -> (Engine, Arc<Curious>) {
    let log = Arc::new(Curious::default());
    let mut config = Config::default();
    config.cache_dir = Some(directory.to_owned());
    change(&mut config);
    let builder = Engine::builder().config(config).observer(log.clone());
    (builder.build().unwrap(), log)
}

/// What was explained: whether an entry was near, and the lines.
fn explained(log: &Curious) -> Vec<(bool, Vec<String>)> {
    let events = log.0.events().into_iter();
    let explained = events.filter_map(|event| match event {
        Event::Explained {
            nearest,
            differences,
            ..
        } => Some((nearest.is_some(), differences)),
        _ => None,
    });
    explained.collect()
}

/// What an engine says of a kernel of the shape of [`SMALL`] on dats of this type and dim.
fn explain(engine: &Engine, text: &str, dim: usize) -> Explanation {
    let set = Set::new("cells", 3).unwrap();
    let dat = |name| engine.dat_zeroed(&set, name, dim, DType::F64).unwrap();
    let (a, b) = (dat("a"), dat("b"));
    let kernel = engine.kernel(text, None);
    engine.explain(&kernel, &set, &[a.read(), b.inc()]).unwrap()
}

fn lines(explanation: &Explanation) -> Vec<String> {
    let nearest = explanation.nearest.as_ref();
    nearest.map_or_else(Vec::new, |nearest| {
        nearest
            .differences
            .iter()
            .map(ToString::to_string)
            .collect()
    })
}

#[test]
fn a_miss_is_explained_to_who_wants_it_before_it_is_compiled() {
    let (_temp, path) = directory();
    let (one, log) = curious(&path, |_| {});
    run_small(&one, SMALL);
    let told: Vec<String> = log.0.events().iter().map(line).collect();
    let mut expected = COLD.to_vec();
    expected.insert(3, "explained: nothing near");
    assert_eq!(told[..5], expected);
    flush(&one);

    let text = SMALL.replace("2.0 * a[0]", "a[0] + a[0]");
    run_small(&one, &text);
    let expected = "kernel body: 1 statement differs: `b[0] = b[0] + (2.0 * a[0])` -> `b[0] = b[0] + (a[0] + a[0])` (line 1)";
    assert_eq!(explained(&log), [(true, vec![expected.to_owned()])]);
    run_small(&one, &text);
    assert_eq!(explained(&log), [], "a hit is not explained");
}

#[test]
fn nobody_who_does_not_want_it_pays_for_it() {
    let (_temp, path) = directory();
    let (one, log) = watched(&path);
    run_small(&one, SMALL);
    flush(&one);
    assert_eq!(log.lines()[..4], COLD);
    let (two, log) = watched(&path);
    run_small(&two, SMALL);
    assert_eq!(log.lines(), WARM);
}

#[test]
fn options_and_levels_that_differ_are_told() {
    let (_temp, path) = directory();
    let (one, _log) = curious(&path, |config| config.level = Some(Level::Baseline));
    run_small(&one, SMALL);
    flush(&one);
    let (two, log) = curious(&path, |config| {
        config.level = Some(Level::Baseline);
        config.options = Options {
            lanes: 1,
            float: FloatMode::Strict,
            ..Options::default()
        };
    });
    run_small(&two, SMALL);
    let lines = ["option float contract -> strict", "option lanes 4 -> 1"];
    assert_eq!(explained(&log), [(true, lines.map(str::to_owned).to_vec())]);
    flush(&two);
    if Engine::builder().level(Level::V2).build().is_ok() {
        let (three, log) = curious(&path, |config| config.level = Some(Level::V2));
        run_small(&three, SMALL);
        let lines = ["CPU level baseline -> x86-64-v2".to_owned()];
        assert_eq!(explained(&log), [(true, lines.to_vec())]);
    }
}

#[test]
fn the_nearest_entry_is_the_one_that_differs_least() {
    let (_temp, path) = directory();
    let (engine, _log) = watched(&path);
    for number in ["2.0", "(a[0] / a[0] + 1.0)"] {
        run_small(&engine, &SMALL.replace("2.0", number));
    }
    let other = "void other(const double *x, double *y) { y[0] += 2.0 * (x[0] * 1.0); }";
    run_small(&engine, other);
    flush(&engine);

    let asked = explain(&engine, SMALL, 1);
    assert_eq!(asked.miss, None, "{asked}");

    let text = SMALL.replace("2.0", "\n3.0");
    let asked = explain(&engine, &text, 1);
    assert_eq!(asked.miss, Some("absent"));
    assert_eq!(lines(&asked), ["constant 2.0 -> 3.0 (line 2)"]);
    assert!(asked.to_string().contains("nearest is"), "{asked}");

    let asked = explain(&engine, SMALL, 4);
    assert_eq!(
        lines(&asked),
        ["argument 0: dim 1 -> 4", "argument 1: dim 1 -> 4"]
    );
    assert_eq!(engine.compilations(), 3, "explaining compiles nothing");
}

/// Keeps entries of the one request that is kept with other dims, which nobody compiles.
fn keep_with_other_dims(engine: &Engine, count: u32) {
    let store = engine.store();
    let kept = store.entries_of(Table::Objects).next().unwrap();
    let kept = kept.entry.unwrap();
    let (mut request, _) = decode_request(kept.preimage()).unwrap();
    for dim in 100..100 + count {
        request.signature.args.iter_mut().for_each(|a| a.dim = dim);
        let preimage = Preimage::of(&request);
        let key = Key::new(preimage.fingerprint().0);
        let publication = Publication {
            payload: kept.payload().into(),
            preimage: preimage.into_bytes().into(),
            metadata: kept.metadata(),
        };
        store.publish(Table::Objects, &key, publication, None);
    }
    flush(engine);
}

/// How many entries were looked at for each explanation, and whether these were all.
fn looked_at(log: &Curious) -> Vec<(u64, bool)> {
    let events = log.0.events().into_iter();
    let looked = events.filter_map(|event| match event {
        Event::Explained { entries, all, .. } => Some((entries, all)),
        _ => None,
    });
    looked.collect()
}

#[test]
fn who_asks_gets_the_nearest_of_all_entries_and_an_event_says_when_it_did_not_look_at_all() {
    let (_temp, path) = directory();
    let (engine, log) = curious(&path, |_| {});
    run_small(&engine, SMALL);
    flush(&engine);
    assert_eq!(looked_at(&log), [(0, true)]);
    let same = SMALL.replace("2.0 * a[0]", "a[0] + a[0]");
    run_small(&engine, &same);
    assert_eq!(looked_at(&log), [(1, true)]);

    let (_temp, path) = directory();
    let (engine, log) = curious(&path, |_| {});
    run_small(&engine, SMALL);
    flush(&engine);
    keep_with_other_dims(&engine, 4500);
    // Where in the listing the nearest lies is chance: with each of these it is another file.
    for dim in [1, 103, 2000, 4599] {
        let asked = explain(&engine, &SMALL.replace("2.0", "3.0"), dim);
        assert_eq!(lines(&asked), ["constant 2.0 -> 3.0 (line 1)"], "dim {dim}");
    }
    log.0.events();
    run_small(&engine, &same);
    assert_eq!(looked_at(&log), [(1024, false)]);
}

#[test]
fn a_renamed_kernel_is_known_by_its_meaning() {
    let (_temp, path) = directory();
    let (engine, _log) = watched(&path);
    run_small(&engine, SMALL);
    flush(&engine);
    let renamed = "void sum(const double *from, double *to) { to[0] += 2.0 * from[0]; }";
    let asked = explain(&engine, renamed, 2);
    let dims = ["argument 0: dim 1 -> 2", "argument 1: dim 1 -> 2"];
    assert_eq!(lines(&asked), dims);
    assert_eq!(asked.nearest.unwrap().label, "add");
}

#[test]
fn nothing_is_near_where_nothing_is_kept_or_all_else_is_strange() {
    let (_temp, path) = directory();
    let (engine, _log) = watched(&path);
    assert!(explain(&engine, SMALL, 1).nearest.is_none());
    let strange = "void far(const double *x, double *y) {
        double s = 0.0;
        for (int i = 0; i < 9; i++) { s += x[0] * i; if (s > 100.0) s = y[0]; }
        y[0] += 2.0 * x[0] + 0.0 * s;
    }";
    run_small(&engine, strange);
    flush(&engine);
    let asked = explain(&engine, SMALL, 1);
    assert!(asked.nearest.is_none(), "{asked}");
    assert!(asked.to_string().contains("no entry is near"), "{asked}");

    let off = Engine::builder().cache_dir(&path).cache_mode(Mode::Off);
    let asked = explain(&off.build().unwrap(), SMALL, 1);
    assert_eq!(asked.miss, Some("disabled"));
}

#[test]
fn a_constant_that_is_folded_in_with_another_value_is_told() {
    let (_temp, path) = directory();
    let text = "void k(const double *a, double *b) {\n    b[0] += gam * a[0];\n}";
    let engine = |value: f64| {
        let (engine, log) = watched(&path);
        engine.declare_constant("gam", &[value]).unwrap();
        engine.specialise("gam", true).unwrap();
        (engine, log)
    };
    let (one, _log) = engine(2.0);
    run_small(&one, text);
    flush(&one);
    let (two, _log) = engine(0.25);
    let told = lines(&explain(&two, text, 1));
    assert_eq!(told, ["constant 2.0 -> 0.25 (line 2)"]);
}

#[test]
fn plain_functions_are_explained_too() {
    let (_temp, path) = directory();
    let (engine, _log) = watched(&path);
    let kernel = engine.kernel(SMALL, None);
    engine.function(&kernel, &[]).unwrap();
    flush(&engine);
    let asked = engine.explain_function(&kernel, &[4.into()]).unwrap();
    assert_eq!(asked.miss, Some("absent"));
    assert_eq!(lines(&asked), ["argument 0: dim 1 -> 4"]);
    let asked = explain(&engine, SMALL, 1);
    assert_eq!(
        lines(&asked)[0],
        "loop a plain function -> over elements",
        "{asked}"
    );
}

#[test]
fn a_loop_with_conflicts_that_the_caller_allows_is_explained_as_it_is_kept() {
    let (_temp, path) = directory();
    let (engine, _log) = watched(&path);
    let set = Set::new("cells", 3).unwrap();
    let next = Map::new("next", &set, &set, 1, [1i32, 2, 0]).unwrap();
    let a = engine.dat(&set, "a", 1, &[1.0, 2.0, 4.0]).unwrap();
    let (read, inc) = (a.read(), a.inc());
    let args = [read.at(&next, 0), inc.at(&next, 0)];
    let kernel = engine.kernel(SMALL, None);
    let refused = engine.explain(&kernel, &set, &args).unwrap_err();
    assert!(matches!(refused, Error::Refused { .. }), "{refused}");
    let asked = engine.explain_conflicting(&kernel, &set, &args).unwrap();
    assert_eq!(asked.miss, Some("absent"));
    let prepared = engine.prepare_conflicting(&kernel, &set, &args).unwrap();
    flush(&engine);
    let asked = engine.explain_conflicting(&kernel, &set, &args).unwrap();
    assert_eq!(
        (asked.miss, asked.fingerprint),
        (None, prepared.fingerprint())
    );
}

#[test]
fn a_store_of_damaged_entries_explains_nothing_and_harms_nobody() {
    let (_temp, path) = directory();
    let (engine, _log) = watched(&path);
    run_small(&engine, SMALL);
    flush(&engine);
    let file = parloop_tests::cached::file(&path, "objects");
    let bytes = std::fs::read(&file).unwrap();
    for at in (0..bytes.len()).step_by(97) {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        std::fs::write(&file, bad).unwrap();
        let asked = explain(&engine, &SMALL.replace("2.0", "3.0"), 1);
        assert!(asked.nearest.is_none(), "byte {at}");
        assert!(file.exists(), "only looked at");
    }
}
