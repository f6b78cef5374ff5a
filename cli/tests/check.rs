//! `parloop check`: carets under mistakes, sizes of what compiles, every stage's printable form.

mod support;

use serde_json::Value;
use support::{Place, keys};

const TWO_KERNELS: &str = "static double half(double x) { return 0.5 * x; }
void first(const double *a, double *b) { b[1] = half(a[2]); }
void second(int i, int *a) { *a = i; }
";

#[test]
fn a_mistake_is_drawn_with_its_line_and_a_caret() {
    let place = Place::new();
    let path = place.file("broken.c", "void f(double *a) {\n  a[0] = b;\n}\n");
    let output = place
        .parloop(&["check", path.to_str().unwrap()])
        .assert()
        .code(1)
        .get_output()
        .clone();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.contains("broken.c:2:10"), "{printed}");
    let mut lines = printed
        .lines()
        .skip_while(|line| !line.contains("a[0] = b;"));
    let (text, caret) = (lines.next().unwrap(), lines.next().unwrap());
    let bar = text.find('|').unwrap();
    assert_eq!(
        caret.find('^').unwrap() - bar,
        "|   a[0] = ".len(),
        "{printed}"
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("1 of 1 kernel functions"), "{said}");
}

#[test]
fn code_is_made_for_machines_that_are_not_this_one() {
    let place = Place::new();
    let file = place.file("one.c", "void one(double *a) { a[0] = 1.0; }");
    let file = file.to_str().unwrap();
    let mut fingerprints = Vec::new();
    for level in ["aarch64", "v2", "v3", "v4", "baseline"] {
        let report = place.json(&["check", file, "--json", "--level", level]);
        fingerprints.push(report["functions"][0]["fingerprint"].to_string());
    }
    fingerprints.sort();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 5, "{fingerprints:?}");
    let full = place.json(&["check", file, "--json", "--target", "x86-64-v2"]);
    let full = full["functions"][0]["fingerprint"].to_string();
    assert!(fingerprints.contains(&full), "{fingerprints:?}");
    place.failure(&["check", file, "--level", "v9"], 2);
    let said = place.failure(&["bench", "airfoil", "--level", "aarch64"], 2);
    assert!(said.contains("if the host has them"), "{said}");
}

#[test]
fn all_kernels_of_a_file_are_compiled_and_helpers_are_not() {
    let place = Place::new();
    let path = place.file("two.c", TWO_KERNELS);
    let path = path.to_str().unwrap();
    let report = place.json(&["check", path, "--json"]);
    assert_eq!(keys(&report), ["file", "functions", "skipped", "total_us"]);
    assert_eq!(report["file"], path);
    let functions = report["functions"].as_array().unwrap();
    let names: Vec<&Value> = functions.iter().map(|f| &f["name"]).collect();
    assert_eq!(names, ["first", "second"]);
    for function in functions {
        let expected = [
            "clif_instructions",
            "diagnostics",
            "fingerprint",
            "name",
            "object_bytes",
            "ok",
            "stage_us",
        ];
        assert_eq!(keys(function), expected);
        assert_eq!(function["ok"], true);
        assert!(function["object_bytes"].as_u64().unwrap() > 0);
        assert!(function["clif_instructions"].as_u64().unwrap() > 0);
        assert_eq!(function["fingerprint"].as_str().unwrap().len(), 52);
        let stages = keys(&function["stage_us"]);
        for stage in [
            "check",
            "kernel",
            "wrapped",
            "guarded",
            "optimised",
            "clif",
            "object",
        ] {
            assert!(stages.contains(&stage), "{stages:?}");
        }
    }
    let only = place.json(&["check", path, "--json", "--function", "second"]);
    assert_eq!(only["functions"].as_array().unwrap().len(), 1);
    assert_eq!(
        only["functions"][0]["fingerprint"],
        functions[1]["fingerprint"]
    );
}

#[test]
fn a_mistake_in_json_has_its_place() {
    let place = Place::new();
    let path = place.file("broken.c", "void f(double *a) {\n  a[0] = b;\n}\n");
    let args = ["check", path.to_str().unwrap(), "--json"];
    let output = place.parloop(&args).assert().code(1).get_output().clone();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let function = &report["functions"][0];
    assert_eq!(function["ok"], false);
    let found = &function["diagnostics"][0];
    assert_eq!(
        (found["line"].as_u64(), found["column"].as_u64()),
        (Some(2), Some(10))
    );
    assert_eq!(found["severity"], "error");
    assert!(function["fingerprint"].is_null());
}

#[test]
fn what_no_kernel_needs_is_listed() {
    let place = Place::new();
    let text = "struct s { int a; };
static const double w[] = {1, 2}, unused[] = {3};
enum { N = 1 };
int counter;
double prototype(double);
static double half(double x) { return w[N] * x; }
static void broken(double *x) { y = z; }
void f(double *a) { a[0] = half(a[0]); }
int main(void) { return 0; }
";
    let path = place.file("items.c", text);
    let path = path.to_str().unwrap();
    let report = place.json(&["check", path, "--json", "--function", "f"]);
    let skipped = report["skipped"].as_array().unwrap();
    let found: Vec<String> = skipped
        .iter()
        .map(|s| {
            format!(
                "{}@{}: {}",
                s["name"].as_str().unwrap(),
                s["line"],
                s["why"]
            )
        })
        .collect();
    let expected = [
        "struct s@1: \"no kernel names it; structs are not in the language\"",
        "counter@4: \"no kernel names it\"",
        "prototype@5: \"a prototype without a body\"",
        "broken@7: \"no kernel calls it\"",
        "main@9: \"it returns a value, and no kernel calls it\"",
    ];
    assert_eq!(found, expected);
    let output = place
        .parloop(&["check", path, "--function", "f"])
        .assert()
        .success();
    let printed = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let line = "skipped: counter (line 4): no kernel names it\n";
    assert!(printed.contains(line), "{printed}");
}

#[test]
fn constants_are_declared_on_the_command_line() {
    let place = Place::new();
    let path = place.file("c.c", "void f(double *a) { a[0] = gam * qinf[3] + n; }\n");
    let path = path.to_str().unwrap();
    let output = place
        .parloop(&["check", path])
        .assert()
        .code(1)
        .get_output()
        .clone();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("--constant"), "{printed}");
    let shown = place.printed(&[
        "check",
        path,
        "--constant",
        "gam,qinf:4",
        "--constant",
        "n:int",
    ]);
    assert!(shown.contains("WRITE:1"), "{shown}");
    let said = place.failure(&["check", path, "--constant", "gam:quad"], 2);
    assert!(said.contains("NAME:TYPE"), "{said}");
}

#[test]
fn every_stage_prints() {
    let place = Place::new();
    let path = place.file("two.c", TWO_KERNELS);
    let path = path.to_str().unwrap();
    let cases = [
        ("tokens", "word first"),
        ("ast", "(function first"),
        ("ir", "param pointer f64"),
        ("c", "uint32_t parloop_loop("),
        ("kernel", "kernel"),
        ("wrapped", "arg direct read f64"),
        ("guarded", "arg direct read f64"),
        ("optimised", "arg direct read f64"),
        ("clif", "function u0:0"),
    ];
    for (stage, expected) in cases {
        let shown = place.printed(&["check", path, "--function", "first", "--dump", stage]);
        assert!(shown.contains(expected), "{stage}: {shown}");
    }
    let args = ["check", path, "--function", "first", "--dump", "object"];
    let object = place.parloop(&args).assert().success().get_output().clone();
    assert_eq!(&object.stdout[..4], b"\x7fELF");
}

#[test]
fn files_without_kernels_and_missing_files_are_said_so() {
    let place = Place::new();
    let said = place.failure(&["check", "no/such.c"], 1);
    assert!(said.contains("no/such.c"), "{said}");
    let path = place.file("none.c", "static double f(double x) { return x; }\n");
    let said = place.failure(&["check", path.to_str().unwrap()], 1);
    assert!(said.contains("no kernel"), "{said}");
    let path = place.file("two.c", TWO_KERNELS);
    let args = ["check", path.to_str().unwrap(), "--function", "firs"];
    let output = place.parloop(&args).assert().code(1).get_output().clone();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("did you mean `first`"), "{printed}");
}
