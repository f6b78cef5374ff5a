//! The apps on the runtime against their plain Rust references.
//!
//! Where products and sums may be fused the last bits differ, so airfoil is compared to 1e-10; in strict mode, and for reduce,
//! whose sums are exact, bit for bit.

use parloop::{Engine, FloatMode, Options};
use parloop_kernels::airfoil::app::Airfoil;
use parloop_kernels::airfoil::mesh::{Blocks, Mesh};
use parloop_kernels::airfoil::reference::Reference;
use parloop_kernels::app::App;
use parloop_kernels::jac::app::{Jac, Precision};
use parloop_kernels::jac::mesh::Grid;
use parloop_kernels::jac::reference;
use parloop_kernels::order::Order;
use parloop_kernels::reduce::app::{Reduce, Reducible};
use parloop_kernels::reduce::mesh::{Network, values};
use parloop_kernels::reduce::reference::{Globals, gap, globals, high_ends, low_ends, sum_ends};
use parloop_kernels::reduce::{Element, ElementType};

fn strict() -> Engine {
    let options = Options {
        float: FloatMode::Strict,
        ..Options::default()
    };
    Engine::builder().options(options).build().unwrap()
}

fn contracting() -> Engine {
    Engine::builder().build().unwrap()
}

#[test]
fn airfoil_reaches_the_references_residuals() {
    let mesh = Mesh::generate(Blocks::SMALL).unwrap();
    let mut app = Airfoil::new(&contracting(), &mesh).unwrap();
    let found = app.history(200, 100).unwrap();
    let expected = Reference::new(&mesh).history(200, 100);
    assert_eq!(found.len(), expected.len());
    for ((iteration, found), (_, expected)) in found.iter().zip(&expected) {
        let off = (found / expected - 1.0).abs();
        assert!(off < 1e-10, "iteration {iteration}: {found:e}, off {off:e}");
    }
}

#[test]
fn airfoil_reaches_the_published_residuals() {
    let mesh = Mesh::generate(Blocks::SMALL).unwrap();
    let mut app = Airfoil::new(&contracting(), &mesh).unwrap();
    let found = app.history(1000, 100).unwrap();
    let found: Vec<String> = found.iter().map(|(_, rms)| format!("{rms:.5e}")).collect();
    let published = [
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
    assert_eq!(found, published);
}

#[test]
fn strict_airfoil_is_the_reference_bit_for_bit() {
    let mesh = Mesh::generate(Blocks::for_cells(2_000).unwrap()).unwrap();
    let mut app = Airfoil::new(&strict(), &mesh).unwrap();
    let mut reference = Reference::new(&mesh);
    for iteration in 1..=20 {
        let (found, expected) = (app.iterate().unwrap(), reference.iterate());
        assert_eq!(
            found.to_bits(),
            expected.to_bits(),
            "iteration {iteration}: {found:e} {expected:e}"
        );
    }
    assert_eq!(
        &*app.q().data::<f64>().unwrap(),
        reference.q.as_flattened(),
        "q"
    );
    assert_eq!(&*app.adt().data::<f64>().unwrap(), &*reference.adt, "adt");
}

#[test]
fn airfoil_is_the_same_flow_in_every_order() {
    let mesh = Mesh::generate(Blocks::for_cells(2_000).unwrap()).unwrap();
    let engine = contracting();
    let expected = Reference::new(&mesh).history(100, 10);
    for order in Order::ALL {
        let mut app = Airfoil::in_order(&engine, &mesh, order).unwrap();
        let found = app.history(100, 10).unwrap();
        for ((iteration, found), (_, expected)) in found.iter().zip(&expected) {
            let off = (found / expected - 1.0).abs();
            let name = order.name();
            assert!(off < 1e-9, "{name} {iteration}: {found:e}, off {off:e}");
        }
    }
    assert_eq!(engine.compilations(), 5);
}

#[test]
fn jac_is_the_same_iteration_in_every_order() {
    let grid = Grid::<f64>::new(40).unwrap();
    let engine = contracting();
    let mut expected = None;
    for order in Order::ALL {
        let mut app = Jac::in_order(&engine, &grid, order).unwrap();
        app.history(60, 60).unwrap();
        let totals = app.totals().unwrap();
        let mut u = app.u().data::<f64>().unwrap().to_vec();
        u.sort_by(f64::total_cmp);
        let (sum, max, sorted) = expected.get_or_insert((totals.u_sum, totals.u_max, u.clone()));
        assert!((totals.u_sum / *sum - 1.0).abs() < 1e-12, "{order:?}");
        assert!((totals.u_max / *max - 1.0).abs() < 1e-12, "{order:?}");
        let pairs = u.iter().zip(sorted);
        assert!(
            pairs.into_iter().all(|(a, b)| (*a - *b).abs() < 1e-12),
            "{order:?}"
        );
    }
    assert_eq!(engine.compilations(), 2);
}

#[test]
fn each_loop_can_be_run_on_its_own_and_reset_goes_back_to_the_start() {
    let mesh = Mesh::generate(Blocks::for_cells(500).unwrap()).unwrap();
    let mut app = Airfoil::new(&contracting(), &mesh).unwrap();
    let first = app.history(5, 1).unwrap();
    app.save_soln().run().unwrap();
    app.adt_calc().run().unwrap();
    app.res_calc().run().unwrap();
    assert!(app.res().data::<f64>().unwrap().iter().any(|r| *r != 0.0));
    app.bres_calc().run().unwrap();
    app.update().run().unwrap();
    app.reset().unwrap();
    assert_eq!(app.history(5, 1).unwrap(), first);
}

#[test]
fn a_runner_sees_every_loop_in_order() {
    let mesh = Mesh::generate(Blocks::for_cells(500).unwrap()).unwrap();
    let mut app = Airfoil::new(&contracting(), &mesh).unwrap();
    let mut seen = Vec::new();
    app.iterate_with(&mut |index, prepared| {
        seen.push((index, prepared.name().to_owned()));
        prepared.run()
    })
    .unwrap();
    let order: Vec<usize> = seen.iter().map(|(index, _)| *index).collect();
    assert_eq!(order, [0, 1, 2, 3, 4, 1, 2, 3, 4]);
    for (index, name) in seen {
        assert_eq!(app.loops()[index].label, name);
    }
}

fn check_jac<T: Precision>() {
    let grid = Grid::<T>::new(30).unwrap();
    let mut app = Jac::new(&strict(), &grid).unwrap();
    let mut reference = reference::Reference::new(&grid);
    for _ in 0..50 {
        app.iterate().unwrap();
        assert_eq!(app.totals().unwrap(), reference.iterate());
    }
    assert_eq!(&*app.u().data::<T>().unwrap(), &*reference.u);
}

#[test]
fn strict_jac_is_the_reference_bit_for_bit_in_both_precisions() {
    check_jac::<f64>();
    check_jac::<f32>();
}

fn check_reduce<T: Reducible>() {
    let network = Network::new(300, 1_000).unwrap();
    let mut app = Reduce::new(&contracting(), &network, &[T::TYPE]).unwrap();
    let v = values::<T>(network.nedge(), 11);
    let mut sums = vec![T::ZERO; network.nnode];
    let mut lows = vec![T::HIGHEST; network.nnode];
    let mut highs = vec![T::LOWEST; network.nnode];
    let mut width = vec![T::ZERO; network.nedge()];
    let mut widest = T::LOWEST;
    for _ in 0..3 {
        app.iterate().unwrap();
        sum_ends(&network.edges, &v, &mut sums);
        low_ends(&network.edges, &v, &mut lows);
        high_ends(&network.edges, &v, &mut highs);
        widest = gap(&network.edges, &highs, &mut width, T::LOWEST);
    }
    let found = &app.results()[0];
    let label = T::TYPE.c_name();
    assert_eq!(
        found.globals::<T>().unwrap(),
        globals(&v, Globals::START),
        "{label}"
    );
    assert_eq!(&*found.sums.data::<T>().unwrap(), &*sums, "{label} sums");
    assert_eq!(&*found.lows.data::<T>().unwrap(), &*lows, "{label} lows");
    assert_eq!(&*found.highs.data::<T>().unwrap(), &*highs, "{label} highs");
    assert_eq!(&*found.width.data::<T>().unwrap(), &*width, "{label} width");
    assert_eq!(found.widest::<T>().unwrap(), widest, "{label} widest");
}

#[test]
fn reduce_is_the_reference_for_every_element_type() {
    check_reduce::<f64>();
    check_reduce::<f32>();
    check_reduce::<i64>();
    check_reduce::<i32>();
    check_reduce::<i16>();
    check_reduce::<i8>();
    check_reduce::<u64>();
    check_reduce::<u32>();
    check_reduce::<u16>();
    check_reduce::<u8>();
}

#[test]
fn reduce_takes_many_types_at_once() {
    let network = Network::new(20, 50).unwrap();
    let mut app = Reduce::new(&contracting(), &network, &ElementType::ALL).unwrap();
    assert_eq!(app.loops().len(), 50);
    let first = app.iterate().unwrap();
    assert_eq!(app.iterate().unwrap(), first);
    assert_eq!(u8::TYPE, ElementType::U8);
}
