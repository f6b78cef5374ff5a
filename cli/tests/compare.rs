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
    void pointers(double **w) { w[0][0] = w[1][0]; }
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
    assert_eq!(keys(&report), ["file", "functions", "schema", "skipped"]);
    let names = |list: &str| -> Vec<String> {
        let list = report[list].as_array().unwrap();
        list.iter()
            .map(|f| f["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("functions"), ["mass", "gather"]);
    assert_eq!(names("skipped"), ["pointers"]);
    let why = |index: usize| report["skipped"][index]["why"].as_str().unwrap();
    assert!(why(0).contains("row pointers"), "{report}");
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
fn kernel_constants_get_values() {
    if !have_cc() {
        return;
    }
    let place = Place::new();
    let text =
        "extern const double gam; void wants(double *y, const double *x) { y[0] = gam * x[0]; }";
    let file = file(&place, "kernels.c", text);
    let report = json(&place, &["compare", &file]);
    let why = report["skipped"][0]["why"].as_str().unwrap();
    assert!(why.contains("gam=VALUE"), "{report}");
    let report = json(&place, &["compare", &file, "--constant", "gam=1.4"]);
    assert_eq!(report["functions"][0]["agrees"], true, "{report}");
}

#[test]
fn wrong_usage_is_refused_with_what_to_write() {
    let place = Place::new();
    let file = file(&place, "kernels.c", KERNELS);
    for (args, told) in [
        (["--extent", "table"], "PARAM=N"),
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
