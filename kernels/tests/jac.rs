//! jac: the grid, and the iteration against its solution in closed form.
//!
//! The closed form knows nothing of edges or of the order of operations, so agreement is to rounding: in double to 1e-12, in
//! single precision to 2e-5.

use parloop_kernels::jac::mesh::{Grid, GridError, SQUARES_MAX};
use parloop_kernels::jac::reference::{Real, Reference, Totals, analytic};

fn check_against_closed_form<T: Real + Into<f64>>(squares: u64, iterations: u32, tolerance: f64) {
    let grid = Grid::<T>::new(squares).unwrap();
    let mut reference = Reference::new(&grid);
    let mut totals = Totals {
        u_sum: T::from(0.0),
        u_max: T::from(0.0),
    };
    for _ in 0..iterations {
        totals = reference.iterate();
    }
    let (expected, expected_totals) = analytic(squares as usize, iterations);
    let label = format!("{squares} squares, {iterations} iterations");
    for (node, (&u, expected)) in reference.u.iter().zip(&expected).enumerate() {
        assert!(
            (u.into() - expected).abs() < tolerance,
            "{label}, node {node}: {u:?} for {expected}"
        );
    }
    let sum_off = totals.u_sum.into() / expected_totals.u_sum - 1.0;
    let max_off = totals.u_max.into() - expected_totals.u_max;
    assert!(
        sum_off.abs() < tolerance && max_off.abs() < tolerance,
        "{label}: {totals:?}, {expected_totals:?}"
    );
    assert!(
        reference.du.iter().all(|&du| du == T::from(0.0)),
        "{label}: du is left at zero"
    );
}

#[test]
fn the_double_iteration_is_the_closed_form() {
    for (squares, iterations) in [(2, 1), (2, 5), (3, 4), (6, 1), (10, 2), (10, 100), (33, 50)] {
        check_against_closed_form::<f64>(squares, iterations, 1e-12);
    }
}

#[test]
fn the_single_precision_iteration_is_close_to_the_closed_form() {
    for (squares, iterations) in [(2, 1), (6, 3), (10, 100), (33, 50)] {
        check_against_closed_form::<f32>(squares, iterations, 2e-5);
    }
}

#[test]
fn the_iteration_converges_to_one_everywhere() {
    let grid = Grid::<f64>::new(12).unwrap();
    let mut reference = Reference::new(&grid);
    let totals = (0..1500).map(|_| reference.iterate()).last().unwrap();
    assert!(
        (totals.u_sum - 121.0).abs() < 1e-10 && (totals.u_max - 1.0).abs() < 1e-12,
        "{totals:?}"
    );
}

#[test]
fn edges_are_the_nonzeros_and_rows_with_their_right_side_sum_to_zero() {
    for squares in [2, 3, 4, 9] {
        let grid = Grid::<f64>::new(squares).unwrap();
        let side = squares as usize - 1;
        assert_eq!(grid.nnode(), side * side);
        assert_eq!(grid.nedge(), side * side + 4 * side * (side - 1));
        assert_eq!(grid.edges.len(), 2 * grid.nedge());
        let mut row_sums = grid.r.clone();
        for (edge, a) in grid.edges.chunks(2).zip(&grid.a) {
            row_sums[edge[0] as usize] += a;
            assert!((edge[1] as usize) < grid.nnode());
        }
        assert!(
            row_sums.iter().all(|&sum| sum == 0.0),
            "{squares} squares: {row_sums:?}"
        );
    }
}

#[test]
fn the_matrix_is_symmetric() {
    let grid = Grid::<f32>::new(5).unwrap();
    let nonzeros: Vec<(i32, i32, f32)> = grid
        .edges
        .chunks(2)
        .zip(&grid.a)
        .map(|(edge, &a)| (edge[0], edge[1], a))
        .collect();
    assert!(
        nonzeros
            .iter()
            .all(|&(row, column, a)| nonzeros.contains(&(column, row, a)))
    );
}

#[test]
fn a_grid_without_interior_nodes_or_beyond_its_maps_is_refused() {
    for squares in [0, 1] {
        assert_eq!(
            Grid::<f64>::new(squares),
            Err(GridError::NoNodes { squares })
        );
    }
    for squares in [SQUARES_MAX + 1, u64::MAX] {
        assert_eq!(
            Grid::<f64>::new(squares),
            Err(GridError::TooLarge {
                squares,
                limit: SQUARES_MAX
            })
        );
    }
}
