//! Measurements, not assertions: run with `--release -- --ignored --nocapture`.

#![expect(clippy::print_stderr, reason = "what they are for")]

mod support;

use parloop::{Engine, Set};
use std::time::{Duration, Instant};
use support::flush;

const RES_CALC: &str = r"
void res_calc(const double *x1, const double *x2, const double *q1, const double *q2, const double *adt1,
              const double *adt2, double *res1, double *res2) {
  double dx = x1[0] - x2[0], dy = x1[1] - x2[1];
  double ri = 1.0 / q1[0];
  double p1 = gm1 * (q1[3] - 0.5 * ri * (q1[1] * q1[1] + q1[2] * q1[2]));
  double vol1 = ri * (q1[1] * dy - q1[2] * dx);
  ri = 1.0 / q2[0];
  double p2 = gm1 * (q2[3] - 0.5 * ri * (q2[1] * q2[1] + q2[2] * q2[2]));
  double vol2 = ri * (q2[1] * dy - q2[2] * dx);
  double mu = 0.5 * (adt1[0] + adt2[0]) * eps;
  double f = 0.5 * (vol1 * q1[0] + vol2 * q2[0]) + mu * (q1[0] - q2[0]);
  res1[0] += f; res2[0] -= f;
  f = 0.5 * (vol1 * q1[1] + p1 * dy + vol2 * q2[1] + p2 * dy) + mu * (q1[1] - q2[1]);
  res1[1] += f; res2[1] -= f;
  f = 0.5 * (vol1 * q1[2] - p1 * dx + vol2 * q2[2] - p2 * dx) + mu * (q1[2] - q2[2]);
  res1[2] += f; res2[2] -= f;
  f = 0.5 * (vol1 * (q1[3] + p1) + vol2 * (q2[3] + p2)) + mu * (q1[3] - q2[3]);
  res1[3] += f; res2[3] -= f;
}";

fn median(name: &str, runs: usize, mut work: impl FnMut() -> Duration) {
    let mut times: Vec<Duration> = (0..runs).map(|_| work()).collect();
    times.sort_unstable();
    let [least, half, most] = [0, runs / 2, runs * 9 / 10].map(|n| times[n]);
    eprintln!("{name}: median {half:?}, least {least:?}, nine in ten within {most:?}");
}

struct Edges {
    engine: Engine,
    edges: Set,
    maps: [parloop::Map; 2],
    dats: [parloop::Dat; 4],
}

fn empty_mesh(engine: Engine) -> Edges {
    engine.declare_constant("gm1", &[0.4f64]).unwrap();
    engine.declare_constant("eps", &[0.05f64]).unwrap();
    let set = |name| Set::new(name, 0).unwrap();
    let (nodes, cells, edges) = (set("nodes"), set("cells"), set("edges"));
    let map = |name, to| parloop::Map::new(name, &edges, to, 2, Vec::<i32>::new()).unwrap();
    let dat = |set, name, dim| {
        engine
            .dat_zeroed(set, name, dim, parloop::DType::F64)
            .unwrap()
    };
    Edges {
        maps: [map("pedge", &nodes), map("pecell", &cells)],
        dats: [
            dat(&nodes, "x", 2),
            dat(&cells, "q", 4),
            dat(&cells, "adt", 1),
            dat(&cells, "res", 4),
        ],
        edges,
        engine,
    }
}

impl Edges {
    fn args(&self) -> [parloop::Arg<'_>; 8] {
        let [pedge, pecell] = &self.maps;
        let [x, q, adt, res] = &self.dats;
        [
            x.read().at(pedge, 0),
            x.read().at(pedge, 1),
            q.read().at(pecell, 0),
            q.read().at(pecell, 1),
            adt.read().at(pecell, 0),
            adt.read().at(pecell, 1),
            res.inc().at(pecell, 0),
            res.inc().at(pecell, 1),
        ]
    }
}

#[test]
#[ignore = "a measurement"]
fn launches_on_an_empty_set() {
    let mesh = empty_mesh(Engine::builder().build().unwrap());
    let kernel = mesh.engine.kernel(RES_CALC, Some("res_calc"));
    let mut prepared = mesh
        .engine
        .prepare(&kernel, &mesh.edges, &mesh.args())
        .unwrap();
    median("prepared, res_calc (4 dats)", 101, || {
        let start = Instant::now();
        for _ in 0..10_000 {
            prepared.run().unwrap();
        }
        start.elapsed() / 10_000
    });
    median("unprepared, res_calc", 101, || {
        let start = Instant::now();
        for _ in 0..1000 {
            mesh.engine
                .par_loop(&kernel, &mesh.edges, &mesh.args())
                .unwrap();
        }
        start.elapsed() / 1000
    });
    let save = mesh.engine.kernel(
        "void s(const double *q, double *r) { r[0] = q[0]; }",
        Some("s"),
    );
    let cells = mesh.dats[1].set().clone();
    let args = [mesh.dats[1].read(), mesh.dats[3].write()];
    let mut prepared = mesh.engine.prepare(&save, &cells, &args).unwrap();
    median("prepared, save (2 dats)", 101, || {
        let start = Instant::now();
        for _ in 0..10_000 {
            prepared.run().unwrap();
        }
        start.elapsed() / 10_000
    });
}

#[test]
#[ignore = "a measurement"]
fn acquiring_res_calc() {
    let temp = tempfile::tempdir().unwrap();
    let directory = temp.path().join("cache");
    let start = |directory: Option<&std::path::Path>| {
        let builder = Engine::builder();
        let builder = match directory {
            Some(directory) => builder.cache_dir(directory),
            None => builder,
        };
        empty_mesh(builder.build().unwrap())
    };
    median("cold, no disk", 51, || {
        let mesh = start(None);
        let kernel = mesh.engine.kernel(RES_CALC, Some("res_calc"));
        mesh.engine
            .prepare(&kernel, &mesh.edges, &mesh.args())
            .unwrap()
            .acquire_time()
    });
    let mesh = start(Some(&directory));
    let kernel = mesh.engine.kernel(RES_CALC, Some("res_calc"));
    mesh.engine
        .prepare(&kernel, &mesh.edges, &mesh.args())
        .unwrap();
    flush(&mesh.engine);
    median("warm, through the shortcut, new engine", 51, || {
        let mesh = start(Some(&directory));
        let kernel = mesh.engine.kernel(RES_CALC, Some("res_calc"));
        let prepared = mesh
            .engine
            .prepare(&kernel, &mesh.edges, &mesh.args())
            .unwrap();
        assert_eq!(prepared.source(), parloop::CodeSource::Disk);
        prepared.acquire_time()
    });
    let key: parloop_cache::Key = {
        let kernel = mesh.engine.kernel(RES_CALC, Some("res_calc"));
        let prepared = mesh
            .engine
            .prepare(&kernel, &mesh.edges, &mesh.args())
            .unwrap();
        prepared.fingerprint().parse().unwrap()
    };
    median("verified object read", 201, || {
        let now = Instant::now();
        let digest = parloop_cache::Expect::PreimageDigest(*key.as_bytes());
        let entry = mesh
            .engine
            .store()
            .load(parloop_cache::Table::Objects, &key, digest, &|_| true);
        let took = now.elapsed();
        assert!(entry.unwrap().payload().len() > 1000);
        took
    });
    median("engine made", 51, || {
        let now = Instant::now();
        let engine = Engine::builder().cache_dir(&directory).build().unwrap();
        let made = now.elapsed();
        drop(engine);
        made
    });
}

/// Publishes entries like the one there is, so many in all, of requests whose arguments differ.
fn publish_like_the_first(
    store: &parloop_cache::Store,
    change: impl Fn(&mut parloop_compiler::ArgSignature, usize),
    entries: usize,
) {
    use parloop_cache::{Key, Publication, Table};
    use parloop_compiler::{Preimage, fingerprint};
    let listed = store.entries_of(Table::Objects).next().unwrap();
    let kept = listed.entry.unwrap();
    eprintln!("entries of {} bytes", kept.file_bytes());
    let (mut request, _) = fingerprint::decode_request(kept.preimage()).unwrap();
    for n in 1..entries {
        let args = request.signature.args.iter_mut();
        args.for_each(|arg| change(arg, n));
        let preimage = Preimage::of(&request);
        let publication = Publication {
            payload: kept.payload().into(),
            metadata: kept.metadata(),
            preimage: preimage.as_bytes().into(),
        };
        let key = Key::new(preimage.fingerprint().0);
        store.publish(Table::Objects, &key, publication, None);
        assert!(n % 1000 > 0 || store.flush(Duration::from_secs(60)));
    }
    assert!(store.flush(Duration::from_secs(60)));
}

/// What there is to look at in a large directory, and how long that takes.
#[test]
#[ignore = "a measurement"]
fn explaining_among_100_000_entries() {
    use parloop_cache::{Store, StoreConfig};
    let temp = tempfile::tempdir().unwrap();
    let directory = temp.path().join("cache");
    let mesh = empty_mesh(Engine::builder().cache_dir(&directory).build().unwrap());
    let kernel = mesh.engine.kernel(RES_CALC, Some("res_calc"));
    let prepare = || {
        mesh.engine
            .prepare(&kernel, &mesh.edges, &mesh.args())
            .unwrap()
    };
    prepare();
    flush(&mesh.engine);
    let mut config = StoreConfig::at(&directory);
    config.size_bytes_max = 8 << 30;
    let store = Store::open(config, std::sync::Arc::new(()));
    publish_like_the_first(&store, |arg, n| arg.dim = 100 + n as u32, 100_001);
    let text = RES_CALC.replace("0.5 * ri", "0.75 * ri");
    let other = mesh.engine.kernel(&text, Some("res_calc"));
    median("Engine::explain", 5, || {
        let start = Instant::now();
        let explained = mesh.engine.explain(&other, &mesh.edges, &mesh.args());
        let took = start.elapsed();
        let nearest = explained.unwrap().nearest.unwrap();
        assert_eq!(nearest.fingerprint, prepare().fingerprint());
        took
    });
    median("KeptEntries::read", 5, || {
        let start = Instant::now();
        let entries = parloop::KeptEntries::read(&store);
        let took = start.elapsed();
        drop(entries);
        took
    });
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    eprintln!("{}", peak.unwrap_or_default());
}

/// From a request to a function that can be called, in a small and in a large directory in turn. The entries are of one object: what is
/// in it depends on rows' length for none of them.
#[test]
#[ignore = "a measurement, with 100 000 files"]
fn a_hit_from_request_to_callable_among_100_000_entries() {
    let sizes = [100, 100_000];
    let directories = sizes.map(|_| tempfile::tempdir().unwrap());
    let engines = directories.each_ref().map(|directory| {
        let mut config = parloop::Config::default();
        config.cache_dir = Some(directory.path().join("cache"));
        config.cache_bytes_max = 8 << 30;
        config.memory_bytes_max = 0;
        Engine::new(config).unwrap()
    });
    let (text, least) = (long_one(66), 66);
    let set = Set::new("cells", 0).unwrap();
    let acquire = |engine: &Engine, n: usize| {
        let [a, b] = ["a", "b"].map(|name| {
            engine
                .dat_zeroed(&set, name, least + n, parloop::DType::F64)
                .unwrap()
        });
        let kernel = engine.kernel(&text, None);
        let prepared = engine.prepare(&kernel, &set, &[a.read(), b.write()]);
        let prepared = prepared.unwrap();
        (prepared.source(), prepared.acquire_time())
    };
    for (engine, entries) in engines.iter().zip(sizes) {
        acquire(engine, 0);
        flush(engine);
        publish_like_the_first(
            engine.store(),
            |args, n| args.dim = (least + n) as u32,
            entries,
        );
    }
    let mut times = [Vec::new(), Vec::new()];
    // The first time a text is seen with such arguments it is checked, and a shortcut written: all are seen once before.
    for at in 0..20_000usize {
        let at = at % 10_000;
        for ((engine, entries), times) in engines.iter().zip(sizes).zip(&mut times) {
            let (source, took) = acquire(engine, at * 7919 % entries);
            assert_eq!(source, parloop::CodeSource::Disk);
            times.push(took);
        }
    }
    for (times, entries) in times.iter_mut().zip(sizes) {
        let mut times = times.iter().copied().skip(10_000);
        median(&format!("among {entries}"), 10_000, || {
            times.next().unwrap()
        });
    }
}

/// From a request that is known to a function that can be called: the entry is read and verified, its object checked and mapped.
/// An entry is more than its object, which is why there are two.
#[test]
#[ignore = "a measurement"]
fn a_hit_on_disk_of_16_kib() {
    hits_on_disk("an entry of 16 KiB", 66);
    hits_on_disk("an object of 16 KiB", 110);
}

/// A kernel of so many statements.
fn long_one(values: usize) -> String {
    let statement = |n: usize| format!("b[{n}] = a[{}] * {n}.5 + a[{n}];", (n * 7 + 3) % values);
    let statements: String = (0..values).map(statement).collect();
    format!("void long_one(const double *a, double *b) {{ {statements} }}")
}

/// Hits on the entry of a kernel of so many statements.
fn hits_on_disk(name: &str, values: usize) {
    let temp = tempfile::tempdir().unwrap();
    let text = long_one(values);
    let mut config = parloop::Config::default();
    config.cache_dir = Some(temp.path().join("cache"));
    // Nothing stays in memory.
    config.memory_bytes_max = 0;
    let engine = Engine::new(config).unwrap();
    let set = Set::new("cells", 1).unwrap();
    let [a, b] = ["a", "b"].map(|name| {
        engine
            .dat_zeroed(&set, name, values, parloop::DType::F64)
            .unwrap()
    });
    let kernel = engine.kernel(&text, None);
    let prepare = || {
        engine
            .prepare(&kernel, &set, &[a.read(), b.write()])
            .unwrap()
    };
    let key: parloop_cache::Key = prepare().fingerprint().parse().unwrap();
    flush(&engine);
    let digest = parloop_cache::Expect::PreimageDigest(*key.as_bytes());
    let load = || {
        let store = engine.store();
        store.load(parloop_cache::Table::Objects, &key, digest, &|_| true)
    };
    let entry = load().unwrap();
    let (object, file) = (entry.payload().len(), entry.file_bytes());
    eprintln!("{name}: an object of {object} bytes in a file of {file}");
    median("  of that, read and verified", 1001, || {
        let start = Instant::now();
        let entry = load();
        let took = start.elapsed();
        drop(entry.unwrap());
        took
    });
    let hit = || {
        let prepared = prepare();
        assert_eq!(prepared.source(), parloop::CodeSource::Disk);
        prepared
    };
    median("  request in hand to callable", 1001, || {
        hit().acquire_time()
    });
    let mut kept = Vec::with_capacity(1001);
    median("  the same, all code kept", 1001, || {
        kept.push(hit());
        kept.last().unwrap().acquire_time()
    });
}
