//! The cubic spline through given points, with not-a-knot ends: the third derivative is continuous at the second and the
//! last but one point as well. These are the ends with which the published mesh comes out, number for number.
//!
//! The spline is kept as the slope at each knot (de Boor, "A Practical Guide to Splines", chapter IV), found once by
//! elimination of a tridiagonal system; outside the knots the first and last pieces go on.

/// A piecewise cubic with continuous second derivative.
#[derive(Clone, Debug)]
pub(super) struct Spline {
    /// Knots, strictly increasing.
    x: Vec<f64>,
    /// Values at the knots.
    y: Vec<f64>,
    /// First derivatives at the knots.
    slope: Vec<f64>,
}

impl Spline {
    /// The spline through (x, y): at least four points, x strictly increasing.
    pub(super) fn not_a_knot(x: Vec<f64>, y: Vec<f64>) -> Spline {
        assert!(
            x.len() >= 4 && x.len() == y.len(),
            "a not-a-knot spline needs four points"
        );
        let slope = slopes(&x, &y);
        Spline { x, y, slope }
    }

    /// The value at `at`.
    pub(super) fn value(&self, at: f64) -> f64 {
        let above = self.x.partition_point(|&knot| knot <= at);
        let k = above.clamp(1, self.x.len() - 1) - 1;
        let h = self.x[k + 1] - self.x[k];
        let chord = (self.y[k + 1] - self.y[k]) / h;
        let (s0, s1) = (self.slope[k], self.slope[k + 1]);
        let c2 = (3.0 * chord - 2.0 * s0 - s1) / h;
        let c3 = (s0 + s1 - 2.0 * chord) / (h * h);
        let t = at - self.x[k];
        self.y[k] + t * (s0 + t * (c2 + t * c3))
    }
}

/// Slopes at the knots: rows `lower[k] s[k-1] + diagonal[k] s[k] + upper[k] s[k+1] = right[k]`, solved by elimination.
fn slopes(x: &[f64], y: &[f64]) -> Vec<f64> {
    let n = x.len();
    let h: Vec<f64> = x.windows(2).map(|w| w[1] - w[0]).collect();
    let chord: Vec<f64> = y
        .windows(2)
        .zip(&h)
        .map(|(w, h)| (w[1] - w[0]) / h)
        .collect();

    let mut lower = vec![0.0; n];
    let mut diagonal = vec![0.0; n];
    let mut upper = vec![0.0; n];
    let mut right = vec![0.0; n];
    for k in 1..n - 1 {
        lower[k] = h[k];
        diagonal[k] = 2.0 * (h[k - 1] + h[k]);
        upper[k] = h[k - 1];
        right[k] = 3.0 * (h[k] * chord[k - 1] + h[k - 1] * chord[k]);
    }
    (diagonal[0], upper[0], right[0]) = end_row([h[0], h[1]], [chord[0], chord[1]]);
    (diagonal[n - 1], lower[n - 1], right[n - 1]) =
        end_row([h[n - 2], h[n - 3]], [chord[n - 2], chord[n - 3]]);

    for k in 1..n {
        let factor = lower[k] / diagonal[k - 1];
        diagonal[k] -= factor * upper[k - 1];
        right[k] -= factor * right[k - 1];
    }
    right[n - 1] /= diagonal[n - 1];
    for k in (0..n - 1).rev() {
        right[k] = (right[k] - upper[k] * right[k + 1]) / diagonal[k];
    }
    right
}

/// The row of an end knot, seen from that end inwards: its diagonal, the coefficient of its neighbour, its right side.
fn end_row(h: [f64; 2], chord: [f64; 2]) -> (f64, f64, f64) {
    let both = h[0] + h[1];
    let right = ((h[0] + 2.0 * both) * h[1] * chord[0] + h[0] * h[0] * chord[1]) / both;
    (h[1], both, right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cubic_is_its_own_spline_inside_and_outside_the_knots() {
        let cubic = |x: f64| 2.0 - x + 3.0 * x * x - 0.5 * x * x * x;
        let x = vec![-2.0, -1.5, 0.1, 0.7, 2.0, 2.25, 4.0];
        let y = x.iter().map(|&x| cubic(x)).collect();
        let spline = Spline::not_a_knot(x, y);
        for step in 0..70 {
            let at = -2.5 + 0.1 * f64::from(step);
            assert!((spline.value(at) - cubic(at)).abs() < 1e-11, "at {at}");
        }
    }

    #[test]
    fn four_points_are_enough() {
        let spline = Spline::not_a_knot(vec![0.0, 1.0, 3.0, 4.0], vec![0.0, 1.0, 27.0, 64.0]);
        assert!((spline.value(2.0) - 8.0).abs() < 1e-12);
    }
}
