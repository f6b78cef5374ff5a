//! Which quotients are computed two at a time, and which weights of points. That results stay the same is tested across the
//! crates, by running.

mod loops;

use loops::{DIRECT, arg, count, stage, stage_with};
use parloop_compiler::{Access, Options, Stage};

/// The statements of a kernel that reads four values of a row `w` and writes one of four, `x`.
fn optimised(body: &str) -> String {
    let args = [
        arg(0, 4, Access::Read, DIRECT),
        arg(1, 4, Access::Write, DIRECT),
    ];
    let text = format!("void k(const double *w, double *x) {{ {body} }}");
    stage(&text, &args, Stage::Optimised)
}

/// How many divisions are of two, and how many of one.
fn divisions(body: &str) -> (usize, usize) {
    let text = optimised(body);
    (count(&text, ": f64x2 = div"), count(&text, ": f64 = div"))
}

const DIVISOR: &str = "double d = w[0] * w[3] - w[1] * w[2];";

#[test]
fn what_is_divided_by_the_same_is_divided_two_at_a_time() {
    let three = format!(
        "{DIVISOR} double a = w[0] / d; double b = (w[1] - w[2]) / d; double c = w[3] * w[3] / d; \
         x[0] = a * b; x[1] = b - c; x[2] = c + a; x[3] = a - 3 * b;"
    );
    assert_eq!(divisions(&three), (1, 1));
    let four = three.replace("x[3] = a", "double e = (w[2] + 1) / d; x[3] = e");
    assert_eq!(divisions(&four), (2, 0));
    let two = three.replace("double c = w[3] * w[3] / d", "double c = w[3] * w[3]");
    assert_eq!(divisions(&two), (0, 2), "too few");
}

#[test]
fn a_quotient_that_waits_for_another_is_not_divided_with_it() {
    let chain = format!(
        "{DIVISOR} double a = w[0] / d; double b = (a - w[2]) / d; double c = (b + w[1]) / d; \
         x[0] = a; x[2] = b; x[1] = c * a; x[3] = 1;"
    );
    assert_eq!(divisions(&chain), (0, 3));
    // The first and the third, which waits for nothing; the second waits for the first.
    let passed = chain.replace("(b + w[1])", "(w[3] + w[1])");
    assert_eq!(divisions(&passed), (1, 1));
}

#[test]
fn a_quotient_that_another_divisor_s_waits_for_stays_with_what_comes_before_it() {
    // The second by `e` needs the first by `d`, which brings its own second with it.
    let crossed = "double d = w[0] * w[3] - w[1] * w[2]; double e = w[0] + d; double f = w[1] / e; \
                   double a = w[1] / d; double b = (w[2] + 1) / d; double c = w[3] * w[3] / d; \
                   double g = a * 2 / e; double h = (w[2] - w[3]) / e; x[0] = f + g; x[1] = a - b; x[2] = b * c; x[3] = h * g;";
    assert_eq!(divisions(crossed), (2, 2));
}

/// Quotients by `d` and by `e` of which one, `q`, is a second by `d` only after it moved for one by `e`.
const MOVED: &str = "double e = w[0] + w[3]; double d = w[1] + w[2]; double n = w[2] - w[1]; double f = w[1] / e; \
    double a = w[2] / d; double q = n / d; double c = q * 2 / e; double z = (w[0] - w[3]) / d; double y = (w[0] - w[2]) / e;";

#[test]
fn a_quotient_that_moved_for_another_s_dividend_stays_where_it_went() {
    // So many sums side by side keep the order of the text: what stands behind its use is not put right by a later pass.
    let names = ["f", "a", "c", "q", "z", "y"];
    let mut body = MOVED.to_owned();
    for sum in 0..17 {
        body += &format!("double s{sum} = {};", names[sum % 6]);
    }
    for product in 0..40 {
        let [a, b] = [product % 4, (product + 1) % 4];
        body += &format!("double t{product} = w[{a}] * w[{b}];");
        for sum in 0..17 {
            let by = 1 + (product * 3 + sum * 7) % 11;
            body += &format!("s{sum} += t{product} * {by}.5;");
        }
    }
    for sum in 0..17 {
        body += &format!("x[{}] += s{sum};", sum % 4);
    }
    let args = [
        arg(0, 4, Access::Read, DIRECT),
        arg(1, 4, Access::Inc, DIRECT),
    ];
    for lanes in [1, 4] {
        let options = Options {
            lanes,
            ..Options::default()
        };
        let text = format!("void k(const double *w, double *x) {{ {body} }}");
        // The verifier runs after the passes.
        assert!(!stage_with(&text, &args, Stage::Optimised, options).is_empty());
    }
}

#[test]
fn weights_of_points_are_computed_two_at_a_time() {
    let args = [
        arg(0, 48, Access::Read, DIRECT),
        arg(1, 4, Access::Inc, DIRECT),
    ];
    let text = "void k(const double *w, double *A) { for (int q = 0; q < 4; q++) { double s = fabs(w[q] + w[8 + q]); \
                double f = (s + w[16 + q]) * sqrt(w[24 + q] * s); for (int i = 0; i < 4; i++) A[i] += f * w[32 + 4 * q + i]; } }";
    let text = stage(text, &args, Stage::Optimised);
    assert_eq!(count(&text, ": f64x2 = sqrt"), 2, "{text}");
    assert_eq!(count(&text, ": f64 = sqrt"), 0, "{text}");
    assert_eq!(count(&text, ": f64 = lane"), 4, "{text}");
}
