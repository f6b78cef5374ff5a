//! Signatures never see data: one entry serves every mesh, and growing it compiles nothing.
//!
//! Counted by the engine's own calls of the compiler, not by the cache's statistics.

use parloop::{CodeSource, DType, Engine, Map, Set, Subset};
use parloop_kernels::airfoil::mesh::{Blocks, Mesh};
use parloop_tests::cached::{Airfoil, airfoil_texts, directory, flush, payloads, watched};

const TEXT: &str = "void k(const double *x, double *a, double *b, double *s) { a[0] += x[0]; b[0] -= x[0]; s[0] += x[0] * x[0]; }";

/// A loop over a ring of `size` edges, with names made from `name`; its fingerprint.
fn ring(engine: &Engine, size: usize, name: &str) -> (String, CodeSource) {
    let of = |what: &str| format!("{name}{what}");
    let nodes = Set::with_halo(&of("nodes"), size / 2, size - size / 2, size % 3).unwrap();
    let edges = Set::new(&of("edges"), size).unwrap();
    let entries: Vec<i32> = (0..size)
        .flat_map(|i| [i, (i * 7 + 1) % size])
        .map(|i| i as i32)
        .collect();
    let ends = Map::new(&of("ends"), &edges, &nodes, 2, entries).unwrap();
    let values: Vec<f64> = (0..size).map(|i| i as f64).collect();
    let x = engine.dat(&edges, &of("x"), 1, &values).unwrap();
    let r = engine.dat_zeroed(&nodes, &of("r"), 1, DType::F64).unwrap();
    let s = engine.global(&of("s"), &[0.0]).unwrap();
    let args = [
        x.read(),
        r.inc().at(&ends, 0),
        r.inc().at(&ends, 1),
        s.inc(),
    ];
    let kernel = engine.kernel(TEXT, None);
    let mut prepared = engine.prepare(&kernel, &edges, &args).unwrap();
    prepared.run().unwrap();
    prepared.run_range(0, size / 2).unwrap();
    if size > 3 {
        prepared.run_list(&[3, 1, 1, 0]).unwrap();
        let some = Subset::new(&edges, [2, 0]).unwrap();
        let part = engine.prepare(&kernel, &some, &args).unwrap();
        assert_eq!(
            (part.fingerprint(), part.source()),
            (prepared.fingerprint(), CodeSource::Memory)
        );
    }
    (prepared.fingerprint(), prepared.source())
}

#[test]
fn a_mesh_may_grow_shrink_vanish_and_change_its_names_and_values() {
    let (_temp, path) = directory();
    let (engine, _log) = watched(&path);
    let (fingerprint, source) = ring(&engine, 7, "");
    assert_eq!((source, engine.compilations()), (CodeSource::Compiled, 1));
    for (size, name) in [
        (8, ""),
        (100_000, "large "),
        (1, "tiny "),
        (0, "empty "),
        (9, "again "),
    ] {
        assert_eq!(
            ring(&engine, size, name),
            (fingerprint.clone(), CodeSource::Memory),
            "{size}"
        );
    }
    assert_eq!(engine.compilations(), 1);
    flush(&engine);
    assert_eq!(payloads(&engine).len(), 1);
    let (engine, _log) = watched(&path);
    assert_eq!(
        ring(&engine, 1234, "elsewhere "),
        (fingerprint, CodeSource::Disk)
    );
    assert_eq!(engine.compilations(), 0);
}

#[test]
fn airfoil_on_a_growing_mesh_compiles_five_loops_in_all() {
    let engine = Engine::builder().build().unwrap();
    for (i, j) in [(2, 3), (4, 6), (10, 16)] {
        let mesh = Mesh::generate(Blocks::new(i, j).unwrap()).unwrap();
        let mut flow = Airfoil::new(&engine, &mesh, &airfoil_texts()).unwrap();
        assert!(flow.iterate().is_finite());
        assert_eq!(engine.compilations(), 5);
    }
}

#[test]
fn values_of_kernel_constants_compile_nothing_unless_they_are_folded() {
    let engine = Engine::builder().build().unwrap();
    let set = Set::new("cells", 2).unwrap();
    let a = engine.dat_zeroed(&set, "a", 1, DType::F64).unwrap();
    engine.declare_constant("gam", &[1.5]).unwrap();
    let kernel = engine.kernel("void k(double *a) { a[0] = gam; }", None);
    let mut prepared = engine.prepare(&kernel, &set, &[a.write()]).unwrap();
    let mut check = |value: f64, compilations: u64| {
        engine.set_constant("gam", &[value]).unwrap();
        prepared.run().unwrap();
        assert_eq!(*a.data::<f64>().unwrap(), [value, value]);
        assert_eq!(engine.compilations(), compilations, "{value}");
    };
    check(1.5, 1);
    check(-2.0, 1);
    engine.specialise("gam", true).unwrap();
    check(3.0, 2);
    check(4.0, 3);
    check(3.0, 3);
    engine.specialise("gam", false).unwrap();
    check(7.0, 3);
}
