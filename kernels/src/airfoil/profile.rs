//! The NACA0012 profile in the plane of w = sqrt(z), where the mesh is a set of upright columns.
//!
//! The square root unfolds the plane round the profile: the profile becomes a low curve over Re w, the wake the axis on both
//! sides of it. Heights are Im w, places are Re w, both in units where the chord has length 1 in z.

use super::spline::Spline;

/// Places of the first and last column lie at -HALF_WIDTH and HALF_WIDTH; every column ends at this height too.
pub(super) const HALF_WIDTH: f64 = 3.0;

/// Points computed on one side of the profile.
const POINTS: usize = 100;

/// The branch point of the square root: a little inside the profile's nose.
const BRANCH_X: f64 = 0.0077;

/// The heights from which the columns rise.
#[derive(Clone, Debug)]
pub(super) struct Feet {
    curve: Spline,
}

impl Feet {
    /// Computes the profile's curve.
    pub(super) fn new() -> Feet {
        let side: Vec<(f64, f64)> = (0..POINTS).map(unfolded_point).collect();
        // The nose, point 0, lies on the mirror axis and must not come twice.
        let mirrored = side[1..].iter().rev().map(|&(re, im)| (-re, im));
        let (x, y) = mirrored.chain(side.iter().copied()).unzip();
        Feet {
            curve: Spline::not_a_knot(x, y),
        }
    }

    /// Height of the foot of column `column` of `3 block_i + 1`: on the profile strictly between the trailing edges, where
    /// columns `block_i` and `2 block_i` stand, and 0 outside.
    pub(super) fn height(&self, column: usize, block_i: usize) -> f64 {
        if block_i < column && column < 2 * block_i {
            self.curve.value(place(column, block_i))
        } else {
            0.0
        }
    }
}

/// Place of column `column` of `3 block_i + 1`, equally spaced.
pub(super) fn place(column: usize, block_i: usize) -> f64 {
    -HALF_WIDTH + column as f64 * (2.0 * HALF_WIDTH / (3 * block_i) as f64)
}

/// Point `k` of one side of the profile, nose first, as (Re w, Im w).
fn unfolded_point(k: usize) -> (f64, f64) {
    let last = POINTS - 1;
    let t = std::f64::consts::FRAC_PI_2 * k as f64 / last as f64;
    let x = t.sin().powi(2);
    let y = if k == last { 0.0 } else { half_thickness(x) };
    complex_sqrt(x - BRANCH_X, y)
}

/// Half the thickness of a NACA 4-digit profile of 12 % at chord position x, with the constants of the published mesh.
fn half_thickness(x: f64) -> f64 {
    0.594689181
        * (0.298222773 * x.sqrt() - 0.127125232 * x - 0.357907906 * x.powi(2)
            + 0.291984971 * x.powi(3)
            - 0.105174696 * x.powi(4))
}

/// Principal square root of a + i b for b >= 0, without cancellation on either side of the axis.
fn complex_sqrt(a: f64, b: f64) -> (f64, f64) {
    let larger = ((a.hypot(b) + a.abs()) / 2.0).sqrt();
    let smaller = if larger == 0.0 {
        0.0
    } else {
        b / (2.0 * larger)
    };
    if a >= 0.0 {
        (larger, smaller)
    } else {
        (smaller, larger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_square_of_an_unfolded_point_is_the_profile_point() {
        for k in 0..POINTS {
            let (re, im) = unfolded_point(k);
            let x = re * re - im * im + BRANCH_X;
            let y = 2.0 * re * im;
            assert!((-1e-15..=1.0 + 1e-15).contains(&x), "point {k}: x = {x}");
            assert!((0.0..0.0601).contains(&y), "point {k}: y = {y}");
        }
    }

    #[test]
    fn the_feet_are_symmetric_and_zero_outside_the_profile() {
        let feet = Feet::new();
        for column in 0..=150 {
            let (left, right) = (feet.height(column, 50), feet.height(150 - column, 50));
            assert!(
                (left - right).abs() < 1e-13,
                "column {column}: {left} and {right}"
            );
            assert_eq!(left == 0.0, !(51..=99).contains(&column), "column {column}");
        }
    }
}
