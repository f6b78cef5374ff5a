//! Engines on cache directories, watched, and a small loop and airfoil to run in them.

use crate::log::Log;
use parloop::{CodeSource, DType, Engine, Error, Global, Map, PreparedLoop, Set};
use parloop_cache::Layer;
use parloop_kernels::airfoil::mesh::Mesh;
use parloop_kernels::airfoil::{self, Constants};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What a small loop that is nowhere kept tells, in this order.
pub const COLD: [&str; 4] = [
    "shortcut miss: absent",
    "memory miss: absent",
    "disk miss: absent",
    "compile",
];
/// What it tells when it is on disk.
pub const WARM: [&str; 3] = ["shortcut hit", "memory miss: absent", "disk hit"];
/// What writing it tells, in this order.
pub const WRITTEN: [&str; 2] = ["disk publish", "shortcut publish"];

/// A cache directory that is not there yet, in a directory that goes with the first value.
pub fn directory() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("cache");
    (temp, path)
}

/// An engine on a cache directory, and what it says.
pub fn watched(directory: &Path) -> (Engine, Arc<Log>) {
    let log = Arc::new(Log::default());
    let builder = Engine::builder().cache_dir(directory);
    (builder.observer(log.clone()).build().unwrap(), log)
}

/// Waits for the files of an engine.
pub fn flush(engine: &Engine) {
    assert!(
        engine.flush(Duration::from_secs(30)),
        "files are written within half a minute"
    );
}

/// A kernel of few bytes.
pub const SMALL: &str = "void add(const double *a, double *b) { b[0] += 2.0 * a[0]; }";

/// Prepares a kernel of the shape of [`SMALL`], runs it, and checks what it computes.
pub fn run_small(engine: &Engine, text: &str) -> PreparedLoop {
    let set = Set::new("cells", 3).unwrap();
    let a = engine.dat(&set, "a", 1, &[1.0, 2.0, 4.0]).unwrap();
    let b = engine.dat_zeroed(&set, "b", 1, DType::F64).unwrap();
    let kernel = engine.kernel(text, None);
    let mut prepared = engine.prepare(&kernel, &set, &[a.read(), b.inc()]).unwrap();
    prepared.run().unwrap();
    assert_eq!(*b.data::<f64>().unwrap(), [2.0, 4.0, 8.0]);
    prepared
}

/// Runs [`SMALL`] in an engine of its own on `directory`: where the code came from, and what was told.
pub fn visit(directory: &Path) -> (CodeSource, Vec<String>) {
    let (engine, log) = watched(directory);
    let source = run_small(&engine, SMALL).source();
    flush(&engine);
    let compiled = source == CodeSource::Compiled;
    assert_eq!(engine.compilations(), u64::from(compiled));
    (source, log.lines())
}

/// All files below a directory, sorted; locks and hints, which no answer depends on, left out.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push(path),
            }
        }
    }
    let entry = |path: &PathBuf| {
        let text = path.to_string_lossy();
        text.contains("/objects/") || text.contains("/shortcuts/") || text.ends_with("/secret")
    };
    found.retain(entry);
    found.sort();
    found
}

/// The file of a kind: `objects`, `shortcuts` or `secret`. There must be one.
pub fn file(directory: &Path, kind: &str) -> PathBuf {
    let of_kind = |path: &PathBuf| path.to_string_lossy().contains(kind);
    let found: Vec<PathBuf> = files(directory).into_iter().filter(of_kind).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// Payloads of all entries of the object table, with their keys, sorted.
pub fn payloads(engine: &Engine) -> Vec<(String, Vec<u8>)> {
    let objects = engine
        .store()
        .entries()
        .filter(|e| e.table.layer() == Layer::Disk);
    let mut all: Vec<(String, Vec<u8>)> = objects
        .map(|e| (e.key.to_string(), e.entry.unwrap().payload().to_vec()))
        .collect();
    all.sort();
    all
}

/// Airfoil in an engine.
#[derive(Debug)]
pub struct Airfoil {
    /// The loops, in the order of an iteration.
    pub loops: [PreparedLoop; 5],
    rms: Global,
    cells: usize,
    /// The state, `[ncell][4]`.
    pub q: parloop::Dat,
}

/// The kernels' texts, in the order of an iteration.
pub fn airfoil_texts() -> [String; 5] {
    airfoil::KERNELS.map(|kernel| kernel.source.to_owned())
}

impl Airfoil {
    /// Airfoil on a mesh at its published start.
    ///
    /// # Errors
    /// The engine's.
    pub fn new(engine: &Engine, mesh: &Mesh, texts: &[String; 5]) -> Result<Airfoil, Error> {
        let constants = Constants::published();
        for (name, values) in constants.named() {
            engine.declare_constant(name, values).unwrap();
        }
        let set = |name, size| Set::new(name, size).unwrap();
        let (nodes, cells) = (set("nodes", mesh.nnode()), set("cells", mesh.ncell()));
        let (edges, bedges) = (set("edges", mesh.nedge()), set("bedges", mesh.nbedge()));
        let map = |name, from, to, arity, entries: &Vec<i32>| {
            Map::new(name, from, to, arity, entries.clone()).unwrap()
        };
        let pcell = map("pcell", &cells, &nodes, 4, &mesh.cells);
        let pedge = map("pedge", &edges, &nodes, 2, &mesh.edges);
        let pecell = map("pecell", &edges, &cells, 2, &mesh.edge_cells);
        let pbedge = map("pbedge", &bedges, &nodes, 2, &mesh.bedges);
        let pbecell = map("pbecell", &bedges, &cells, 1, &mesh.bedge_cells);
        let start: Vec<f64> = constants.qinf.repeat(mesh.ncell());
        let x = engine.dat(&nodes, "x", 2, &mesh.x).unwrap();
        let q = engine.dat(&cells, "q", 4, &start).unwrap();
        let qold = engine.dat_zeroed(&cells, "qold", 4, DType::F64).unwrap();
        let res = engine.dat_zeroed(&cells, "res", 4, DType::F64).unwrap();
        let adt = engine.dat_zeroed(&cells, "adt", 1, DType::F64).unwrap();
        let bound = engine.dat(&bedges, "bound", 1, &mesh.bound).unwrap();
        let rms = engine.global("rms", &[0.0]).unwrap();
        let args: [(&Set, Vec<parloop::Arg<'_>>); 5] = [
            (&cells, vec![q.read(), qold.write()]),
            (&cells, {
                let corners = (0..4).map(|i| x.read().at(&pcell, i));
                corners.chain([q.read(), adt.write()]).collect()
            }),
            (
                &edges,
                vec![
                    x.read().at(&pedge, 0),
                    x.read().at(&pedge, 1),
                    q.read().at(&pecell, 0),
                    q.read().at(&pecell, 1),
                    adt.read().at(&pecell, 0),
                    adt.read().at(&pecell, 1),
                    res.inc().at(&pecell, 0),
                    res.inc().at(&pecell, 1),
                ],
            ),
            (
                &bedges,
                vec![
                    x.read().at(&pbedge, 0),
                    x.read().at(&pbedge, 1),
                    q.read().at(&pbecell, 0),
                    adt.read().at(&pbecell, 0),
                    res.inc().at(&pbecell, 0),
                    bound.read(),
                ],
            ),
            (
                &cells,
                vec![qold.read(), q.write(), res.rw(), adt.read(), rms.inc()],
            ),
        ];
        let mut loops = Vec::new();
        for ((set, args), text) in args.iter().zip(texts) {
            let kernel = engine.kernel(text, None);
            loops.push(engine.prepare(&kernel, *set, args)?);
        }
        let loops = loops
            .try_into()
            .unwrap_or_else(|_| unreachable!("five loops"));
        Ok(Airfoil {
            loops,
            rms,
            cells: mesh.ncell(),
            q: q.clone(),
        })
    }

    /// One iteration; the residual, `sqrt(sum / cells)`.
    pub fn iterate(&mut self) -> f64 {
        let [save_soln, adt_calc, res_calc, bres_calc, update] = &mut self.loops;
        save_soln.run().unwrap();
        for _ in 0..2 {
            adt_calc.run().unwrap();
            res_calc.run().unwrap();
            bres_calc.run().unwrap();
            self.rms.data_mut::<f64>().unwrap()[0] = 0.0;
            update.run().unwrap();
        }
        let sum = self.rms.data::<f64>().unwrap()[0];
        (sum / self.cells as f64).sqrt()
    }

    /// Where the code of each loop came from.
    pub fn sources(&self) -> [CodeSource; 5] {
        self.loops.each_ref().map(PreparedLoop::source)
    }
}
