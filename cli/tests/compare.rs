//! `parloop compare`: kernels agree with the C compiler's code, wrong extents and missing values are told, broken files refused.

mod support;

use serde_json::Value;
use support::{Place, keys};

const KERNELS: &str = "
    #include <math.h>
    static double square(double x) { return x * x; }
    static void mass(double *A, const double *coords, const double w[2]) {
        double area = fabs((coords[2] - coords[0]) * (coords[5] - coords[1]) - (coords[4] - coords[0]) * (coords[3] - coords[1]));
        for (int i = 0; i < 3; i++) for (int j = 0; j < 3; j++) A[3 * i + j] += area * w[0] * (i == j ? 2 : 1) / 24 + square(w[1]);
    }
    void gather(int64_t *n, float *f, const int *index, const float *table, int shift) {
        n[0] += index[0] << shift; f[0] = sinf(table[index[0]]);
    }
    void picked(double **w, const int *n) { w[0][0] = w[n[0]][1]; }
";

fn have_cc() -> bool {
    std::process::Command::new("cc")
        .arg("--version")
        .output()
        .is_ok()
}

fn file(place: &Place, name: &str, text: &str) -> String {
    place.file(name, text).display().to_string()
}

fn refused(place: &Place, args: &[&str]) -> String {
    let output = place.parloop(args).assert().failure().get_output().clone();
    String::from_utf8(output.stderr).unwrap()
}

fn json(place: &Place, args: &[&str]) -> Value {
    serde_json::from_str(&place.printed(&[args, &["--json"]].concat())).unwrap()
}

#[test]
fn kernels_agree_and_what_is_not_compared_says_why() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    let file = file(&place, "kernels.c", KERNELS);
    let report = json(
        &place,
        &["compare", &file, "--extent", "table=4", "--flags", "-O2"],
    );
    assert_eq!(
        keys(&report),
        ["compiling", "file", "functions", "schema", "skipped"]
    );
    let compiling = &report["compiling"];
    assert_eq!(keys(compiling), ["cc_us", "parloop_us", "ratio", "threads"]);
    assert!(compiling["parloop_us"].as_f64().unwrap() > 0.0);
    let names = |list: &str| -> Vec<String> {
        let list = report[list].as_array().unwrap();
        list.iter()
            .map(|f| f["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("functions"), ["mass", "gather"]);
    assert_eq!(names("skipped"), ["picked"]);
    let why = |index: usize| report["skipped"][index]["why"].as_str().unwrap();
    assert!(why(0).contains("--extent w=ROWSxN"), "{report}");
    for f in report["functions"].as_array().unwrap() {
        let wanted = [
            "agrees",
            "baselines",
            "cc",
            "compile_ratio",
            "max_rel",
            "max_ulp",
            "name",
            "not_finite",
            "parloop",
            "run_ratio",
            "untouched",
        ];
        assert_eq!(keys(f), wanted);
        assert_eq!(f["agrees"], true, "{f}");
        assert_eq!(
            keys(&f["cc"]),
            [
                "compile_us",
                "compiler",
                "flags",
                "ns_per_call",
                "run_ratio"
            ]
        );
        assert_eq!(
            keys(&f["parloop"]),
            ["compile_us", "level", "ns_per_call", "object_bytes"]
        );
        assert_eq!(f["baselines"][0]["flags"], "-O2");
    }
}

#[test]
fn rows_behind_row_pointers_are_compared_one_by_one() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    let path = file(&place, "kernels.c", KERNELS);
    let picked = [
        "compare",
        &path,
        "--function",
        "picked",
        "--extent",
        "w=4x3",
    ];
    let report = json(&place, &picked);
    assert_eq!(report["functions"][0]["agrees"], true, "{report}");
    let text = "void both(double **y, const double *x[3], int **n) {
            for (int i = 0; i < 2; i++) for (int j = 0; j < 3; j++) { y[i][j] += x[i + 1][j] - x[0][j]; n[j][i] *= 2; } }
        void part(double **y, const double *x) { y[0][0] = x[0]; y[1][0] += x[1]; }";
    let path = file(&place, "rows.c", text);
    let report = json(&place, &["compare", &path]);
    assert_eq!(report["functions"].as_array().unwrap().len(), 2, "{report}");
    for function in report["functions"].as_array().unwrap() {
        assert_eq!(function["agrees"], true, "{report}");
        assert_eq!(function["untouched"], serde_json::json!([]), "{report}");
    }
    // The texts are one to us and another to the C compiler: its second row is small, and so is what is wrong there.
    let text = "void k(double **y, const double *x) {\n y[0][0] = 1e9 * x[0];\n#ifdef __OPTIMIZE__\n y[1][0] = x[0];\n#else\n y[1][0] = 1.0001 * x[0];\n#endif\n}";
    let path = file(&place, "apart.c", text);
    let output = place
        .parloop(&["compare", &path, "--rtol", "1e-6", "--json"])
        .assert()
        .code(1);
    let report: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let found = report["functions"][0]["max_rel"].as_f64().unwrap();
    assert!((9e-5..1.1e-4).contains(&found), "{report}");
}

#[test]
fn kernel_constants_get_values() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    let text =
        "extern const double gam; void wants(double *y, const double *x) { y[0] = gam * x[0]; }";
    let file = file(&place, "kernels.c", text);
    let output = place.parloop(&["compare", &file]).assert().code(1);
    let shown = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    assert!(shown.contains("gam=VALUE"), "{shown}");
    let report = json(&place, &["compare", &file, "--constant", "gam=1.4"]);
    assert_eq!(report["functions"][0]["agrees"], true, "{report}");
}

#[test]
fn a_constant_without_a_value_leaves_out_the_functions_that_read_it_and_no_others() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    let text = "extern double gam; extern const float rates[3];
        void wants(double *y, const double *x) { y[0] = gam * rates[1] * x[0]; }
        void plain(double *y, const double *x) { y[0] = 2 * x[0]; }";
    let report = json(&place, &["compare", &file(&place, "kernels.c", text)]);
    assert_eq!(report["functions"][0]["name"], "plain", "{report}");
    assert_eq!(report["functions"][0]["agrees"], true, "{report}");
    assert_eq!(report["skipped"][0]["name"], "wants", "{report}");
}

#[test]
fn wrong_usage_is_refused_with_what_to_write() {
    let place = Place::new();
    let file = file(&place, "kernels.c", KERNELS);
    for (args, told) in [
        (["--extent", "table"], "PARAM=N"),
        (["--extent", "w=3x"], "PARAM=ROWSxN"),
        (["--extent", "w=0x3"], "PARAM=ROWSxN"),
        (["--constant", "gam"], "NAME=VALUE"),
        (["--cc", "no-such-compiler"], "no-such-compiler"),
    ] {
        let errors = refused(&place, &[&["compare", file.as_str()][..], &args].concat());
        assert!(errors.contains(told), "{errors}");
    }
}

#[test]
fn a_text_that_the_c_compiler_does_not_take_is_told_in_its_words() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    let file = file(
        &place,
        "odd.c",
        "void k(double *y) { y[0] = 1; }\nint unknown_to_c = undeclared;\n",
    );
    let errors = refused(&place, &["compare", &file]);
    assert!(errors.contains("undeclared"), "{errors}");
}

#[test]
fn a_process_that_dies_is_a_failure_and_says_of_what() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    // 32 MB of locals are working memory to us, and past the stack to the C compiler's code.
    let text = "void big(double *y, const double *x) {
        double t[4000000];
        for (int i = 0; i < 4000000; i++) t[i] = x[0] * i;
        double s = 0;
        for (int i = 0; i < 4000000; i++) s += t[(i * 7) % 4000000];
        y[0] = s; }
      void small(double *y, const double *x) { y[0] = x[0]; }";
    let file = file(&place, "big.c", text);
    let output = place
        .parloop(&["compare", &file, "--json"])
        .assert()
        .code(1);
    let output = output.get_output().clone();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["functions"][0]["name"], "small", "{report}");
    assert_eq!(report["skipped"][0]["name"], "big", "{report}");
    let why = report["skipped"][0]["why"].as_str().unwrap();
    assert!(
        why.contains("running the C compiler's code ended with signal"),
        "{why}"
    );
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("1 functions did not survive"), "{told}");
}

#[test]
fn a_run_that_compares_nothing_is_no_success() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    let cases = [
        (
            "void k(double *y, const int *i) { y[0] = 1 / (i[0] - i[0]); }",
            "k",
            "division by zero",
        ),
        ("void k(double *y) { y[0] = 1; }", "nope", "nope"),
        (
            "void k(double *y, const double *x, int n) { y[0] = x[n]; }",
            "k",
            "--extent x=N",
        ),
    ];
    for (text, function, told) in cases {
        let file = file(&place, "none.c", text);
        let args = ["compare", &file, "--function", function];
        let output = place.parloop(&args).assert().code(1).get_output().clone();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.contains("skipped") && shown.contains(told), "{shown}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains("nothing was compared"), "{errors}");
    }
}

#[test]
fn headers_that_are_not_installed_do_not_matter_to_kernels_that_need_nothing_of_them() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    let text = "#include \"op_seq_of_nobody.h\"\n#include <nobody/inner.h>\n#include <math.h>
        void k(double *y, const double *x) { y[0] = sqrt(x[0]); }";
    let path = file(&place, "headers.c", text);
    let report = json(&place, &["compare", &path]);
    assert_eq!(report["functions"][0]["agrees"], true, "{report}");
    let text = "#include \"../beyond.h\"\nvoid k(double *y) { y[0] = 1; }";
    let path = file(&place, "beyond.c", text);
    let errors = refused(&place, &["compare", &path]);
    assert!(errors.contains("beyond.h"), "{errors}");
    let text =
        "#include \"types_of_nobody.h\"\ntype_of_nobody unknown;\nvoid k(double *y) { y[0] = 1; }";
    let path = file(&place, "types.c", text);
    let errors = refused(&place, &["compare", &path]);
    assert!(errors.contains("type_of_nobody"), "{errors}");
}

#[test]
fn a_difference_from_nothing_but_zeros_is_a_number_in_json_too() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    // The texts are one to us and another to the C compiler.
    let text = "void k(double *y, const double *x) {\n#ifdef __OPTIMIZE__\n y[0] = 0 * x[0];\n#else\n y[0] = x[0];\n#endif\n}";
    let path = file(&place, "apart.c", text);
    let output = place
        .parloop(&["compare", &path, "--json"])
        .assert()
        .code(1);
    let report: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let function = &report["functions"][0];
    assert_eq!(function["agrees"], false, "{report}");
    assert!(function["max_rel"].as_f64().unwrap() > 1.0, "{report}");
    assert!(function["max_ulp"].as_u64().unwrap() > 0, "{report}");
}

#[test]
fn a_kernel_that_moves_its_own_indices_is_timed_where_it_may_go() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    let text = "void k(double y[8], int *at) { y[*at] += 1.0; (*at)++; }";
    let path = file(&place, "moves.c", text);
    let report = json(&place, &["compare", &path]);
    assert_eq!(report["functions"][0]["agrees"], true, "{report}");
}

#[test]
fn integers_agree_if_they_are_equal() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    let text = "#include <stdint.h>
        #ifdef __OPTIMIZE__
        #define ONE 1
        #else
        #define ONE 0
        #endif
        void large(int64_t *n) { n[0] = 4611686018427387904 + ONE; }
        void beside(int *n, float *f, const float *g) { n[0] = 1000000 + ONE; f[0] = g[0]; }
        void equal(int *n, const float *g) { n[0] = 1000000 + (g[0] > 0); }";
    let path = file(&place, "integers.c", text);
    let output = place
        .parloop(&["compare", &path, "--json"])
        .assert()
        .code(1);
    let report: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    for (function, agrees) in [(0, false), (1, false), (2, true)] {
        assert_eq!(report["functions"][function]["agrees"], agrees, "{report}");
    }
}

#[test]
fn a_kernel_may_have_the_name_of_a_function_of_the_c_library() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    let text = "void index(double *y, const double *x) { y[0] = 2 * x[0]; }
        void brk(double *y, const double *x) { y[0] = 3 * x[0]; }";
    let path = file(&place, "names.c", text);
    let report = json(&place, &["compare", &path]);
    for function in [0, 1] {
        assert_eq!(report["functions"][function]["agrees"], true, "{report}");
    }
}

/// What `compare` finds out about the only function of a text, which may mean something else to the C compiler.
fn found(place: &Place, text: &str) -> Value {
    let path = file(place, "found.c", text);
    let output = place.parloop(&["compare", &path, "--json"]).output();
    let report: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    report["functions"][0].clone()
}

#[test]
fn what_is_added_is_compared_however_small_it_is() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    let text =
        "void k(double *A, const double *b) { for (int i = 0; i < 3; i++) A[i] += 1e-20 * b[i]; }";
    let function = found(&place, text);
    assert_eq!(function["agrees"], true, "{function}");
    assert_eq!(function["untouched"], serde_json::json!([]), "{function}");
    for (dtype, small) in [
        ("double", "1e-13"),
        ("float", "1e-7f"),
        ("double _Complex", "1e-13"),
    ] {
        let text = format!(
            "#ifdef __OPTIMIZE__\n#define TEN 10\n#else\n#define TEN 1\n#endif
            void k({dtype} *A, const {dtype} *b) {{ for (int i = 0; i < 3; i++) A[i] += TEN * {small} * b[i]; }}"
        );
        let function = found(&place, &text);
        assert_eq!(function["agrees"], false, "{function}");
        let max_rel = function["max_rel"].as_f64().unwrap();
        assert!((0.89..0.91).contains(&max_rel), "{function}");
    }
}

#[test]
fn a_start_from_zero_that_a_kernel_is_not_meant_for_does_not_count() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    for text in [
        "void k(double *y, const double *x) { y[0] = x[0] / y[0]; }",
        "#include <math.h>\nvoid k(float *y, const float *x) { y[0] += logf(y[1]) + x[0]; y[1] += 1; }",
        "void k(double *y, const int *n) { y[0] += n[0] % (int)(y[0] + 1.9); y[1] += n[0] / (int)(10 * y[1]); }",
    ] {
        let function = found(&place, text);
        assert_eq!(function["agrees"], true, "{function}");
        assert_eq!(function["not_finite"], false, "{function}");
    }
}

#[test]
fn each_value_that_an_index_may_have_is_compared() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    let right = [[1, 2, 3], [4, 5, 6]];
    let kernel = |table: [[i32; 3]; 2]| {
        let table = format!("{table:?}").replace('[', "{").replace(']', "}");
        format!(
            "static const double t[2][3] = {table};
            void k(double *A, const double *w, const int *entity_local_index, const unsigned char *quadrature_permutation) {{
                A[0] += w[0] * t[quadrature_permutation[0]][entity_local_index[0]]; }}"
        )
    };
    for row in 0..2 {
        for column in 0..3 {
            let mut wrong = right;
            wrong[row][column] = 9;
            let (right, wrong) = (kernel(right), kernel(wrong));
            let text = format!("#ifdef __OPTIMIZE__\n{wrong}\n#else\n{right}\n#endif\n");
            let function = found(&place, &text);
            assert_eq!(function["agrees"], false, "{row} {column}: {function}");
        }
    }
    let function = found(&place, &kernel(right));
    assert_eq!(function["agrees"], true, "{function}");
}

#[test]
fn of_many_combinations_of_indices_each_value_of_each_is_compared() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    // Two facets of a hexahedron and two of their turns, and a row of a table that a loop goes through with an array of indices.
    for wrong in ["t[4][0]", "p[7]", "m[5]"] {
        let text = format!(
            "void k(double *A, const int *facet, const unsigned char *turn, const int *rows, const double *w) {{
                double t[6][2] = {{{{0}}}}, p[8] = {{0}}, m[6] = {{0}};
                #ifdef __OPTIMIZE__
                {wrong} = 1;
                #endif
                for (int i = 0; i < 9; i++) A[0] += w[0] + m[rows[i]];
                A[0] += t[facet[0]][0] + t[facet[1]][1] + p[turn[0]] + p[turn[1]]; }}"
        );
        let function = found(&place, &text);
        assert_eq!(function["agrees"], false, "{wrong}: {function}");
    }
}

#[test]
fn an_integer_that_gives_no_numbers_is_none_that_a_kernel_is_meant_for() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    let text =
        "void k(const int *stage, const double *x, double *y) { y[0] = x[0] / (5 - *stage); }";
    let function = found(&place, text);
    assert_eq!(function["agrees"], true, "{function}");
    assert_eq!(function["not_finite"], false, "{function}");
}

#[test]
fn numbers_are_drawn_again_until_results_are_finite() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    let ordered = "#include <math.h>\nvoid k(double *y, const double *x) { y[0] = sqrt(x[0] - x[1]) + sqrt(x[2] - x[3]); }";
    let near_one = "#include <math.h>\nvoid k(double *y, const double *x) { y[0] = acosh(x[0] + 0.05) + asin(x[0] - 0.05); }";
    let never = "#include <math.h>\nvoid k(double *y, const double *x) { y[0] = sqrt(-1 - x[0]); }";
    for (text, not_finite) in [(ordered, false), (near_one, false), (never, true)] {
        let function = found(&place, text);
        assert_eq!(function["agrees"], true, "{function}");
        assert_eq!(function["not_finite"], not_finite, "{function}");
    }
    // Drawing again is for what no code can compute, not for what one can't.
    let text = "#include <math.h>\n#ifdef __OPTIMIZE__\n#define LEAST 0\n#else\n#define LEAST 0.6\n#endif
        void k(double *y, const double *x) { y[0] = sqrt(x[0] - LEAST) + sqrt(x[1] - LEAST) + sqrt(x[2] - LEAST); }";
    let function = found(&place, text);
    assert_eq!(function["agrees"], false, "{function}");
}

#[test]
fn what_cancels_in_one_run_is_measured_by_what_others_add() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    // Both sides of one facet: what is added is noise, which fused operations leave elsewhere than others do.
    let text = "void k(double *A, const double *x, const int *restrict e) {
        double s = 0;
        for (int i = 0; i < 4; i++) s += x[4 * (e[0] & 1) + i] * x[8 + i] - x[4 * (e[1] & 1) + i] * x[8 + i];
        A[0] += s; }";
    let path = file(&place, "cancels.c", text);
    let report = json(&place, &["compare", &path]);
    assert_eq!(report["functions"][0]["agrees"], true, "{report}");
}
