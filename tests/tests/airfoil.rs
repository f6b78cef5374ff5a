//! Airfoil, compiled and run, against its reference in Rust and the published residuals.
//!
//! Strict code equals the reference bit for bit; contracted code reaches the published residuals. 200 iterations on 12,000
//! cells; 1000 with `PARLOOP_TEST_LONG=1`.

use parloop::{CodeSource, Engine, FloatMode, Options};
use parloop_kernels::airfoil::mesh::{Blocks, Mesh};
use parloop_kernels::airfoil::reference::Reference;
use parloop_tests::cached::{Airfoil, airfoil_texts, directory, flush, payloads, watched};

/// Residuals of the mesh of 12,000 cells, each 100 iterations.
const PUBLISHED: [&str; 10] = [
    "4.70040e-4",
    "2.26306e-4",
    "1.37526e-4",
    "9.06551e-5",
    "6.51651e-5",
    "4.74569e-5",
    "3.43733e-5",
    "1.62360e-5",
    "1.03773e-5",
    "4.25361e-6",
];

fn engine(float: FloatMode) -> Engine {
    let options = Options {
        float,
        ..Options::default()
    };
    Engine::builder().options(options).build().unwrap()
}

#[test]
fn contracted_code_reaches_the_published_residuals() {
    let mesh = Mesh::generate(Blocks::SMALL).unwrap();
    let mut flow = Airfoil::new(&engine(FloatMode::Contract), &mesh, &airfoil_texts()).unwrap();
    let hundreds = if std::env::var_os("PARLOOP_TEST_LONG").is_some() {
        10
    } else {
        2
    };
    for published in &PUBLISHED[..hundreds] {
        let mut rms = 0.0;
        for _ in 0..100 {
            rms = flow.iterate();
        }
        assert_eq!(format!("{rms:.5e}"), *published);
    }
}

#[test]
fn strict_code_equals_the_reference_bit_for_bit() {
    let mesh = Mesh::generate(Blocks::new(20, 32).unwrap()).unwrap();
    let mut flow = Airfoil::new(&engine(FloatMode::Strict), &mesh, &airfoil_texts()).unwrap();
    let mut reference = Reference::new(&mesh);
    for iteration in 0..60 {
        let expected = reference.iterate();
        let rms = flow.iterate();
        assert_eq!(
            rms.to_bits(),
            expected.to_bits(),
            "iteration {iteration}: {rms:e}, {expected:e}"
        );
    }
    let q = flow.q.data::<f64>().unwrap();
    assert_eq!(*q, *reference.q.as_flattened());
}

#[test]
fn five_entries_serve_meshes_of_all_sizes() {
    let (_temp, path) = directory();
    for (i, cells) in [600, 3_000, 12_000].into_iter().enumerate() {
        let (engine, _log) = watched(&path);
        let mesh = Mesh::generate(Blocks::for_cells(cells).unwrap()).unwrap();
        let mut flow = Airfoil::new(&engine, &mesh, &airfoil_texts()).unwrap();
        assert!(flow.iterate() > 0.0);
        flush(&engine);
        let source = if i == 0 {
            CodeSource::Compiled
        } else {
            CodeSource::Disk
        };
        assert_eq!(flow.sources(), [source; 5], "{cells} cells");
        assert_eq!(engine.compilations(), if i == 0 { 5 } else { 0 });
        assert_eq!(payloads(&engine).len(), 5);
    }
}
