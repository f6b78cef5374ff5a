//! How much arithmetic a kernel is said to do.

use parloop_compiler::{Flops, KernelText, check_kernel};

fn flops(body: &str) -> (u64, bool) {
    let text =
        format!("void k(const double *x, const float *f, const int *n, double *y) {{ {body} }}");
    let source = KernelText {
        text: &text,
        function: None,
        constants: &[],
        hosts: &[],
    };
    let checked = check_kernel(&source).expect("the kernel is right");
    let Flops { count, is_exact } = Flops::of(&checked.kernel);
    (count, is_exact)
}

#[test]
fn operations_on_floats_count_and_others_do_not() {
    assert_eq!(flops("y[0] = x[0] + x[1] * x[2] - x[3] / x[4];"), (4, true));
    assert_eq!(
        flops("y[0] = sqrt(x[0]) + fma(x[0], x[1], x[2]);"),
        (4, true)
    );
    assert_eq!(
        flops("y[0] = -fabs(x[0]); y[n[0] + 2 * n[1]] = floor(x[1]);"),
        (0, true)
    );
    assert_eq!(flops("y[0] = f[0] * f[1]; y[1] = exp(x[0]);"), (2, true));
}

#[test]
fn loops_count_for_each_trip_and_branches_for_the_larger_side() {
    assert_eq!(
        flops("for (int i = 0; i < 10; i++) for (int j = 0; j < 3; j++) y[i] += x[j] * x[i];"),
        (60, true)
    );
    assert_eq!(
        flops("if (x[0] > 0) y[0] = x[0] * x[1]; else y[0] = x[0] + x[1];"),
        (1, true)
    );
    assert_eq!(
        flops("if (x[0] > 0) y[0] = x[0] * x[1] + 1; else y[0] = x[0] + x[1];"),
        (2, false)
    );
    assert_eq!(
        flops("for (int i = 0; i < n[0]; i++) y[0] += x[0];"),
        (1, false)
    );
    let left_early = flops("for (int i = 0; i < 4; i++) { if (x[i] < 0) break; y[i] = x[i] * 2; }");
    assert!(!left_early.1);
}
