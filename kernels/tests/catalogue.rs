//! The catalogue's loops run in every order, on as many elements, with the same code, and begin again when told.

use parloop::Engine;
use parloop_kernels::app::App;
use parloop_kernels::catalogue::{Catalogue, Part, Size};
use parloop_kernels::order::Order;

#[test]
fn each_part_runs_in_each_order_with_the_same_code() {
    let engine = Engine::builder().build().unwrap();
    for part in Part::ALL {
        let mut compiled = None;
        let mut elements = None;
        for order in Order::ALL {
            let mut app = Catalogue::new(&engine, part, Size::L2, order).unwrap();
            let count: Vec<usize> = app.loops().iter().map(|of| of.elements).collect();
            assert!(count.iter().all(|count| *count > 0), "{part:?} {count:?}");
            assert_eq!(elements.get_or_insert(count.clone()), &count);
            let so_far = engine.compilations();
            assert_eq!(
                *compiled.get_or_insert(so_far),
                so_far,
                "{part:?} {order:?}"
            );
            app.iterate().unwrap();
            app.reset().unwrap();
            app.iterate().unwrap();
        }
    }
}

#[test]
fn loops_have_about_the_data_that_their_size_says() {
    let engine = Engine::builder().build().unwrap();
    for part in Part::ALL {
        let app = Catalogue::new(&engine, part, Size::L2, Order::Natural).unwrap();
        for of in app.loops() {
            let bytes = of.prepared.useful_bytes() as f64 / Size::L2.bytes() as f64;
            assert!(
                (0.05..3.0).contains(&bytes),
                "{part:?} {}: {bytes}",
                of.label
            );
        }
    }
}
