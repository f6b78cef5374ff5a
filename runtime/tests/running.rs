//! A first loop, end to end.

mod support;

use support::{engine, ring};

#[test]
fn a_loop_over_edges_adds_into_nodes() {
    let engine = engine();
    let (nodes, edges, ends) = ring(5);
    let weight = engine
        .dat(&edges, "weight", 1, &[1.0, 2.0, 3.0, 4.0, 5.0])
        .unwrap();
    let sum = engine.dat(&nodes, "sum", 1, &[0.0; 5]).unwrap();
    let kernel = engine.kernel(
        "void add(const double *w, double *a, double *b) { a[0] += w[0]; b[0] += 10.0 * w[0]; }",
        Some("add"),
    );
    let args = [
        weight.read(),
        sum.inc().at(&ends, 0),
        sum.inc().at(&ends, 1),
    ];
    engine.par_loop(&kernel, &edges, &args).unwrap();
    assert_eq!(*sum.data::<f64>().unwrap(), [51.0, 12.0, 23.0, 34.0, 45.0]);
    assert_eq!(engine.compilations(), 1);
    engine.par_loop(&kernel, &edges, &args).unwrap();
    assert_eq!(engine.compilations(), 1);
}
