//! `parloop bench`: residuals, the JSON object field by field, where code comes from, and sizes that are refused.

mod support;

use serde_json::{Value, json};
use support::{Place, keys};

const TINY: [&str; 6] = ["bench", "airfoil", "--blocks", "4,6", "--iterations", "150"];

fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

fn check_kernel(kernel: &Value, iterations: u64) {
    let number = |name: &str| kernel[name].as_f64().unwrap();
    let calls = kernel["calls"].as_u64().unwrap();
    assert!(calls == iterations || calls == 2 * iterations, "{kernel}");
    assert!(kernel["elements"].as_u64().unwrap() >= calls, "{kernel}");
    assert!(number("ns_per_element_min") <= number("ns_per_element"));
    assert!(number("gb_per_s") > 0.0 && number("acquire_us") > 0.0);
    assert!(number("seconds") > 0.0);
}

#[test]
fn json_is_one_object_with_exactly_the_promised_fields() {
    let place = Place::new();
    let text = place.printed(&with(&TINY, &["--json"]));
    assert_eq!(text.lines().count(), 1, "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    let expected = [
        "app",
        "cache",
        "commit",
        "history",
        "iterations",
        "kernels",
        "machine",
        "mesh",
        "order",
        "rms",
        "schema",
        "seconds",
        "threads",
    ];
    assert_eq!(keys(&report), expected);
    assert_eq!(report["app"], "airfoil");
    assert_eq!(report["iterations"], 150);
    assert_eq!(report["threads"], 1);
    assert_eq!(report["order"], "natural");
    let mesh = json!({"nodes": 91, "cells": 72, "edges": 130, "bedges": 28});
    assert_eq!(report["mesh"], mesh);

    let history = report["history"].as_array().unwrap();
    let at: Vec<&Value> = history.iter().map(|pair| &pair[0]).collect();
    assert_eq!(at, [100, 150]);
    assert_eq!(history[1][1], report["rms"]);

    let kernels = report["kernels"].as_array().unwrap();
    let names: Vec<&Value> = kernels.iter().map(|kernel| &kernel["name"]).collect();
    assert_eq!(
        names,
        ["save_soln", "adt_calc", "res_calc", "bres_calc", "update"]
    );
    for kernel in kernels {
        let expected = [
            "acquire_us",
            "calls",
            "elements",
            "flops_exact",
            "flops_per_element",
            "gb_per_s",
            "gflop_per_s",
            "intensity",
            "name",
            "ns_per_element",
            "ns_per_element_min",
            "seconds",
            "source",
        ];
        assert_eq!(keys(kernel), expected);
        assert_eq!(kernel["source"], "compiled");
        check_kernel(kernel, 150);
    }

    let cache = &report["cache"];
    let expected = [
        "bytes",
        "compiled",
        "disk_hits",
        "entries",
        "memory_hits",
        "misses",
    ];
    assert_eq!(keys(cache), expected);
    assert_eq!(
        (&cache["compiled"], &cache["entries"]),
        (&json!(5), &json!(5))
    );
    assert_eq!(cache["misses"], json!({"absent": 5}));
}

#[test]
fn a_second_run_compiles_nothing_and_says_so_in_its_last_line() {
    let place = Place::new();
    let cold = place.printed(&TINY);
    assert!(
        cold.lines()
            .last()
            .unwrap()
            .contains("5 compiled, 0 from disk"),
        "{cold}"
    );
    let warm = place.printed(&TINY);
    assert!(
        warm.lines()
            .last()
            .unwrap()
            .contains("0 compiled, 5 from disk"),
        "{warm}"
    );
    let residuals =
        |text: &str| -> Vec<String> { text.lines().skip(1).take(2).map(str::to_owned).collect() };
    assert_eq!(residuals(&cold), residuals(&warm));
    let first = residuals(&cold).remove(0);
    let (iteration, residual) = first.trim().split_once("  ").unwrap();
    assert_eq!(
        (iteration, residual.len()),
        ("100", "4.70040e-04".len()),
        "{cold}"
    );
}

#[test]
fn a_deleted_file_is_one_counted_miss_and_the_run_after_hits_again() {
    let place = Place::new();
    place.printed(&TINY);
    let listing = place.json(&["cache", "ls", "--json"]);
    let key = listing["entries"][0]["fingerprint"].as_str().unwrap();
    let file = place.cache().join("v1/objects").join(&key[..2]).join(key);
    std::fs::remove_file(&file).unwrap();
    let healed = place.json(&with(&TINY, &["--json"]));
    assert_eq!(healed["cache"]["compiled"], 1);
    assert_eq!(healed["cache"]["misses"], json!({"absent": 1}));
    let after = place.json(&with(&TINY, &["--json"]));
    assert_eq!(
        (&after["cache"]["compiled"], &after["cache"]["misses"]),
        (&json!(0), &json!({}))
    );
}

#[test]
fn other_meshes_need_no_other_code() {
    let place = Place::new();
    place.printed(&TINY);
    let args = [
        "bench",
        "airfoil",
        "--cells",
        "300",
        "--iterations",
        "1",
        "--json",
    ];
    let other = place.json(&args);
    assert_eq!(
        (&other["cache"]["compiled"], &other["cache"]["entries"]),
        (&json!(0), &json!(5))
    );
}

#[test]
fn a_mesh_file_gives_what_the_generated_mesh_gives() {
    use parloop_kernels::airfoil::file;
    use parloop_kernels::airfoil::mesh::{Blocks, Mesh};
    let place = Place::new();
    let path = place.path().join("mesh.dat");
    file::write(&Mesh::generate(Blocks::new(4, 6).unwrap()).unwrap(), &path).unwrap();
    let path = path.to_str().unwrap();
    let args = [
        "bench",
        "airfoil",
        "--mesh",
        path,
        "--iterations",
        "150",
        "--json",
    ];
    let (read, generated) = (place.json(&args), place.json(&with(&TINY, &["--json"])));
    assert_eq!(read["history"], generated["history"]);
}

#[test]
fn an_order_changes_no_result_needs_no_other_code_and_is_named() {
    let place = Place::new();
    let jac = ["bench", "jac", "--squares", "9", "--iterations", "200"];
    for (app, loops) in [(&TINY, 5), (&jac, 2)] {
        let natural = place.json(&with(app, &["--json", "--order", "natural"]));
        assert_eq!(natural["cache"]["compiled"], loops);
        for order in ["shuffled", "rcm"] {
            let report = place.json(&with(app, &["--json", "--order", order]));
            assert_eq!(report["order"], order);
            assert_eq!(report["cache"]["compiled"], 0);
            assert_eq!(report["mesh"], natural["mesh"]);
            let rms = |report: &Value| report["rms"].as_f64().unwrap();
            let off = (rms(&report) / rms(&natural) - 1.0).abs();
            assert!(off < 1e-10, "{order}: {report}");
            let printed = place.printed(&with(app, &["--order", order]));
            let heading = printed.lines().next().unwrap();
            assert!(heading.contains(&format!("{order} order")), "{heading}");
        }
    }
    let natural = place.json(&with(&TINY, &["--json"]));
    let shuffled = || place.json(&with(&TINY, &["--json", "--order", "shuffled"]));
    assert_eq!(shuffled()["history"], shuffled()["history"]);
    assert_ne!(
        shuffled()["history"],
        natural["history"],
        "sums in another order"
    );
}

#[test]
fn a_renumbered_mesh_is_compared_with_the_c_compiler_too() {
    if std::process::Command::new("cc")
        .arg("--version")
        .output()
        .is_err()
    {
        // Nothing here to compare with.
        return;
    }
    let place = Place::new();
    let report = place.json(&with(
        &TINY,
        &["--json", "--compare", "cc", "--order", "rcm"],
    ));
    assert_eq!(report["order"], "rcm");
    assert!(report["ratio_geomean"].as_f64().unwrap() > 0.0);
}

#[test]
fn jac_and_reduce_run_in_their_types() {
    let place = Place::new();
    for precision in ["double", "float"] {
        let args = [
            "bench",
            "jac",
            "--squares",
            "9",
            "--iterations",
            "200",
            "--json",
        ];
        let report = place.json(&with(&args, &["--precision", precision]));
        let rms = report["rms"].as_f64().unwrap();
        assert!(rms > 0.99 && rms <= 1.0, "{precision}: {rms}");
        assert_eq!(report["mesh"]["nodes"], 64);
        assert_eq!(report["cache"]["compiled"], 2);
    }
    let args = [
        "bench",
        "reduce",
        "--edges",
        "100",
        "--iterations",
        "3",
        "--json",
    ];
    let report = place.json(&with(&args, &["--types", "double,uint8_t"]));
    let names: Vec<&str> = report["kernels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kernel| kernel["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 10);
    assert_eq!((names[0], names[9]), ("globals double", "gap uint8_t"));
}

#[test]
fn a_comparison_gives_ratios_and_baselines_or_says_that_there_is_no_compiler() {
    let place = Place::new();
    let args = with(&TINY, &["--compare", "cc", "--json"]);
    let mut without = place.parloop(&args);
    let output = without.env("CC", "no-such-compiler").assert().success();
    let output = output.get_output();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report.get("ratio_geomean"), None);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("no C compiler") && said.contains("no-such-compiler"),
        "{said}"
    );

    let compiler = std::process::Command::new("cc").arg("--version").output();
    if compiler.is_err() {
        // Nothing here to compare with.
        return;
    }
    let mut with_compiler = place.parloop(&args);
    let output = with_compiler.env_remove("CC").assert().success();
    let report: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert!(report["ratio_geomean"].as_f64().unwrap() > 0.0);
    for kernel in report["kernels"].as_array().unwrap() {
        assert!(kernel["ratio"].as_f64().unwrap() > 0.0);
        let baseline = &kernel["baseline"];
        let expected = ["compile_us", "compiler", "flags", "ns_per_element", "ratio"];
        assert_eq!(keys(baseline), expected);
        assert_eq!(baseline["flags"], "-O3 -march=native");
        assert!(baseline["compile_us"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn sizes_files_and_options_that_can_not_be_are_refused_with_what_would_do() {
    let place = Place::new();
    let cases: [(&[&str], i32, &str); 13] = [
        (&["--cells", "0"], 2, "at least one cell"),
        (&["--cells", "99999999999"], 2, "too large"),
        (&["--blocks", "0,4"], 2, "at least one cell"),
        (&["--blocks", "5"], 2, "two numbers and a comma"),
        (
            &["--cells", "9", "--blocks", "1,1"],
            2,
            "cannot be used with",
        ),
        (&["--iterations", "0"], 2, "--iterations"),
        (&["--mesh", "no/such/file"], 1, "no/such/file"),
        (&["--sails", "3"], 2, "--sails"),
        (&["--compare", "rust"], 2, "cc"),
        (&["--order", "random"], 2, "natural, shuffled, rcm"),
        (&["--lanes", "3"], 2, "1, 2 or 4"),
        (&["--cc-flags", "-O1"], 2, "--compare"),
        (&["--cache-mode", "maybe"], 2, "read-only"),
    ];
    for (args, code, expected) in cases {
        let said = place.failure(&with(&["bench", "airfoil"], args), code);
        assert!(said.contains(expected), "{args:?}: {said}");
    }
    let said = place.failure(&["bench", "jac", "--squares", "1"], 2);
    assert!(said.contains("2 x 2"), "{said}");
    let said = place.failure(&["bench", "reduce", "--edges", "0"], 2);
    assert!(said.contains("at least one node"), "{said}");
    let said = place.failure(&["bench", "reduce", "--types", "quad"], 2);
    assert!(said.contains("quad") && said.contains("uint16_t"), "{said}");
}

#[test]
fn a_broken_mesh_file_is_named_with_its_line() {
    let place = Place::new();
    let path = place.file("short.dat", "4 1 0 0\n0 0\n1 0\n1 1\n");
    let said = place.failure(&["bench", "airfoil", "--mesh", path.to_str().unwrap()], 1);
    assert!(
        said.contains("short.dat:") && said.contains("expected 4"),
        "{said}"
    );
}

#[test]
fn a_cache_directory_that_can_not_be_used_costs_one_warning() {
    let place = Place::new();
    let file = place.file("occupied", "not a directory");
    let args = with(&TINY, &["--cache-dir", file.to_str().unwrap()]);
    let output = place.parloop(&args).assert().success().get_output().clone();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.matches("warning").count(), 1, "{said}");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("5 compiled, 0 from disk"), "{printed}");
}

#[test]
#[cfg(target_os = "linux")]
fn perf_is_told_the_names_of_loops_on_request() {
    let place = Place::new();
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("parloop"));
    let mut child = command
        .args(TINY)
        .arg("--perf-map")
        .env("XDG_CACHE_HOME", place.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let path = format!("/tmp/perf-{}.map", child.id());
    assert!(child.wait().unwrap().success());
    let map = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let names: Vec<&str> = map
        .lines()
        .filter_map(|line| line.split(' ').nth(2))
        .collect();
    assert_eq!(names.len(), 5, "{map}");
    assert!(names.contains(&"parloop::res_calc"), "{map}");
}

#[test]
fn more_baselines_are_measured_beside_the_first() {
    if std::process::Command::new("cc")
        .arg("--version")
        .output()
        .is_err()
    {
        // Nothing here to compare with.
        return;
    }
    let place = Place::new();
    let part = ["bench", "catalogue", "--part", "stream", "--json"];
    let fast = "-O3 -march=native -ffast-math";
    let more = [
        "--compare",
        "cc",
        "--baseline",
        fast,
        "--baseline",
        "cc -O1",
    ];
    let report = place.json(&[&part[..], &more].concat());
    let kernels = report["kernels"].as_array().unwrap();
    assert_eq!(kernels.len(), 4);
    for kernel in kernels {
        let flags: Vec<&str> = kernel["baselines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|baseline| baseline["flags"].as_str().unwrap())
            .collect();
        assert_eq!(flags, [fast, "cc -O1"]);
        assert_eq!(kernel["baseline"]["flags"], "-O3 -march=native");
        assert_eq!(kernel["baseline"]["ratio"], kernel["ratio"]);
        let first = &kernel["baselines"][0];
        assert!(first["ratio"].as_f64().unwrap() > 0.0);
    }
    let mut unknown =
        place.parloop(&[&part[..], &["--compare", "cc", "--baseline", "no-cc -O1"]].concat());
    let said = unknown.assert().success().get_output().stderr.clone();
    assert!(String::from_utf8_lossy(&said).contains("no-cc"));
}

#[test]
fn all_runs_every_app_and_every_part_of_the_catalogue() {
    let place = Place::new();
    let all = ["bench", "all", "--iterations", "1"];
    let report = place.json(&[&all[..], &["--json", "--order", "rcm"]].concat());
    let apps = report["apps"].as_array().unwrap();
    let named: Vec<&str> = apps.iter().map(|a| a["app"].as_str().unwrap()).collect();
    let expected = [
        "airfoil",
        "jac",
        "reduce",
        "stream",
        "spmv",
        "shallow-water",
        "fem-triangle",
        "fem-quadrilateral",
        "fem-tetrahedron",
        "fem-hexahedron",
    ];
    assert_eq!(named, expected);
    let loops: usize = apps
        .iter()
        .map(|app| app["kernels"].as_array().unwrap().len())
        .sum();
    assert!(loops >= 40, "{loops}");
    assert_eq!(
        (&report["order"], &report["size"]),
        (&"rcm".into(), &"l2".into())
    );
    assert_eq!(
        report["worst"].as_array().unwrap().len(),
        0,
        "nothing is compared"
    );
    // Arithmetic is that of the texts: a residual of airfoil's cells, a triad.
    let kernel = |app: &str, name: &str| {
        let app = apps.iter().find(|a| a["app"] == app).unwrap();
        let kernels = app["kernels"].as_array().unwrap();
        kernels.iter().find(|k| k["name"] == name).unwrap().clone()
    };
    let triad = kernel("stream", "triad");
    assert_eq!(
        (&triad["flops_per_element"], &triad["flops_exact"]),
        (&2.into(), &true.into())
    );
    assert!(
        (triad["intensity"].as_f64().unwrap() - 2.0 / 24.0).abs() < 1e-4,
        "{triad}"
    );
    assert_eq!(kernel("stream", "copy")["gflop_per_s"], 0.0);
    assert_eq!(kernel("airfoil", "bres_calc")["flops_exact"], false);
    assert!(report["peaks"]["triad_gb_per_s"].as_f64().unwrap() > 0.0);
    let chart = place.path().join("roofline.svg");
    let drawn = [&all[..], &["--roofline", chart.to_str().unwrap()]].concat();
    let printed = place.printed(&drawn);
    assert!(printed.contains("hyperelasticity P2 tangent"), "{printed}");
    assert!(printed.contains("one core: triad "), "{printed}");
    let chart = std::fs::read_to_string(chart).unwrap();
    for shown in ["<svg", "stream: triad", "GB/s", "airfoil: adt_calc"] {
        assert!(chart.contains(shown), "{shown}");
    }
    assert!(!chart.contains("stream: copy"), "it computes nothing");
}

fn has_valgrind() -> bool {
    let version = std::process::Command::new("valgrind")
        .arg("--version")
        .output();
    version.is_ok_and(|output| output.status.success())
}

#[test]
fn compilations_are_timed_by_stage() {
    let place = Place::new();
    let report = place.json(&["bench", "compile", "--rounds", "1", "--json"]);
    assert_eq!(report["schema"], "parloop.bench-compile/1");
    let kernels = report["kernels"].as_array().unwrap();
    assert!(kernels.len() >= 40, "{}", kernels.len());
    for kernel in kernels {
        let stages = kernel["stages_us"].as_object().unwrap();
        let named: Vec<&String> = stages.keys().collect();
        let expected = [
            "check",
            "clif",
            "guarded",
            "kernel",
            "object",
            "optimised",
            "wrapped",
        ];
        assert_eq!(named, expected);
        assert!(kernel["callable_us"].as_f64().unwrap() > 0.0, "{kernel}");
        assert!(kernel["object_bytes"].as_u64().unwrap() > 0, "{kernel}");
    }
}

#[test]
fn instructions_of_compilations_are_counted_and_held_against_a_record() {
    if !has_valgrind() {
        // Nothing here to count with.
        return;
    }
    let place = Place::new();
    let stream = ["bench", "compile", "--rounds", "1", "--app", "stream"];
    let counting = [&stream[..], &["--instructions"]].concat();
    let text = place.printed(&[&counting[..], &["--json"]].concat());
    let report: Value = serde_json::from_str(&text).unwrap();
    let kernels = report["kernels"].as_array().unwrap();
    let named: Vec<&Value> = kernels.iter().map(|kernel| &kernel["name"]).collect();
    assert!(named.contains(&&json!("triad")), "{named:?}");
    for kernel in kernels {
        assert!(
            kernel["instructions"].as_u64().unwrap() > 100_000,
            "{kernel}"
        );
    }
    // The same compiler takes as many again.
    let before = place.file("before.json", &text);
    let against = [&counting[..], &["--against", before.to_str().unwrap()]].concat();
    // Whatever level is asked for, valgrind's processor has the one that counts are of.
    let highest = ["config", "--level", "x86-64-v4"];
    let runs_highest = place.parloop(&highest).output().unwrap().status.success();
    let mut again = place.parloop(&against);
    if runs_highest {
        again.env("PARLOOP_LEVEL", "x86-64-v4");
    }
    let printed = again.assert().success().get_output().stdout.clone();
    let printed = String::from_utf8(printed).unwrap();
    let is_same = ["geometric mean 1.00", "geometric mean 0.99"].map(|mean| printed.contains(mean));
    assert!(is_same.contains(&true), "{printed}");
}

#[test]
fn an_app_that_there_is_not_is_refused() {
    let place = Place::new();
    let args = ["bench", "compile", "--app", "aerofoil"];
    let output = place.parloop(&args).assert().code(2).get_output().clone();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("no app `aerofoil`; there are airfoil, jac, "),
        "{told}"
    );
}

#[test]
fn a_record_that_is_none_is_refused() {
    let place = Place::new();
    let other = place.file("other.json", "{\"schema\": 1}");
    let args = ["bench", "compile", "--instructions", "--against"];
    let args = [&args[..], &[other.to_str().unwrap()]].concat();
    let output = place.parloop(&args).assert().failure().get_output().clone();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("no record of `parloop bench compile --json`"),
        "{told}"
    );
}
