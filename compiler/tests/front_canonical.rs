//! What a kernel is made into does not depend on how its text is written, only on what it says.

use parloop_compiler::ir::Kernel;
use parloop_compiler::{KernelText, check_kernel};
use rstest::rstest;

fn kernel(text: &str, function: &str) -> Kernel {
    let text = KernelText {
        text,
        function: Some(function),
        constants: &[],
        hosts: &[],
    };
    match check_kernel(&text) {
        Ok(checked) => checked.kernel,
        Err(errors) => panic!("{errors}\n{}", text.text),
    }
}

const BASE: &str = "static const double T[2] = {0.5, 1};
static double h(double a) { if (a > 1) return 1; return a; }
void k(const double *x, double *y, int n) { double s = 0; for (int i = 0; i < 4; i++) { s += x[i] * T[i % 2]; } y[0] = h(s) + n; }";

#[rstest]
#[case::names("k", &[("double *y", "double *out"), ("y[0]", "out[0]"), ("int i", "int j"), ("i < 4; i++", "j < 4; j++"), ("x[i]", "x[j]"), ("i % 2", "j % 2")])]
#[case::comments("k", &[("double s", "/* a sum */ double s"), ("y[0] =", "// here\n y[0] =")])]
#[case::white_space("k", &[(" ", "  \n ")])]
#[case::literals("k", &[("0.5", "0x1p-1"), ("i < 4", "i < 0x4")])]
#[case::unused_functions("k", &[("void k", "void other(float *q) { q[0] = sinf(2); } void k")])]
#[case::unused_tables("k", &[("void k", "static const float U[3] = {1}; void k"), ("double s", "static const int V[2] = {1, 2}; double s")])]
#[case::unused_macros("k", &[("void k", "#define Z 3\nvoid k")])]
#[case::macros("k", &[("static const", "#define FOUR 4\nstatic const"), ("i < 4", "i < FOUR")])]
#[case::unused_locals("k", &[("double s", "double unused, a[3]; double s")])]
#[case::values_nobody_reads("k", &[("double s", "double waste = n * 3.0; double s"), ("y[0] =", "waste = waste + 1; y[0] =")])]
#[case::attributes("k", &[("void k", "__attribute__((noinline)) static void k"), ("const double *x", "double const *__restrict__ x")])]
#[case::the_kernels_name("other", &[("void k", "void other")])]
#[case::the_helpers_name("k", &[(" h(", " help(")])]
#[case::parentheses("k", &[("h(s) + n", "((h((s))) + (n))")])]
#[case::array_parameters("k", &[("const double *x", "const double x[]")])]
fn the_same_kernel_is_made_of(#[case] function: &str, #[case] edits: &[(&str, &str)]) {
    let mut text = BASE.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    assert_eq!(
        kernel(BASE, "k").to_string(),
        kernel(&text, function).to_string()
    );
}

#[rstest]
#[case::a_constant("0.5", "0.25")]
#[case::a_bound("i < 4", "i < 3")]
#[case::an_operator("s +=", "s -=")]
#[case::a_type("int n", "long n")]
#[case::constness("const double *x", "float *x")]
#[case::a_comparison("a > 1", "a >= 1")]
fn another_kernel_is_made_of(#[case] from: &str, #[case] to: &str) {
    assert!(BASE.contains(from));
    let text = BASE.replace(from, to);
    assert_ne!(
        kernel(BASE, "k").to_string(),
        kernel(&text, "k").to_string()
    );
}

#[test]
fn a_kernel_constant_whose_value_nobody_reads_is_not_in_the_kernel() {
    let text = KernelText {
        text: "extern const double cfl; extern const double gam;
               void k(double *y) { double unused = cfl * 2; y[0] = gam; }",
        function: None,
        constants: &[],
        hosts: &[],
    };
    let checked = check_kernel(&text).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(checked.constants, ["gam"]);
    assert_eq!(checked.kernel.constants.len(), 1);
}
