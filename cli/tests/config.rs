//! `parloop config`: defaults, variables and options, in this order, and what is refused.

mod support;

use serde_json::Value;
use support::{Place, keys};

fn setting<'a>(report: &'a Value, name: &str) -> &'a Value {
    let settings = report["settings"].as_array().unwrap();
    settings.iter().find(|s| s["name"] == name).unwrap()
}

#[test]
fn options_win_over_variables_and_variables_over_defaults() {
    let place = Place::new();
    let mut command = place.parloop(&["config", "--json", "--unroll", "8", "--strict"]);
    let output = command
        .env("PARLOOP_LANES", "2")
        .env("PARLOOP_UNROLL", "4")
        .assert()
        .success();
    let report: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let directory = place.cache();
    let cases = [
        ("lanes", "2", "environment"),
        ("unroll", "8", "command line"),
        ("float", "strict", "command line"),
        ("effort", "none", "default"),
        ("cache_dir", directory.to_str().unwrap(), "default"),
    ];
    for (name, value, origin) in cases {
        let found = setting(&report, name);
        assert_eq!(
            (&found["value"], &found["origin"]),
            (&value.into(), &origin.into()),
            "{name}"
        );
    }
}

#[test]
fn every_setting_is_an_option_and_a_variable() {
    let place = Place::new();
    let report = place.json(&["config", "--json"]);
    for setting in report["settings"].as_array().unwrap() {
        assert_eq!(
            keys(setting),
            ["help", "name", "option", "origin", "value", "variable"]
        );
        let text = |name: &str| setting[name].as_str().unwrap();
        let option = format!("{}={}", text("option"), text("value"));
        let given = place.json(&["config", "--json", &option]);
        let found = self::setting(&given, text("name"));
        assert_eq!(found["origin"], "command line", "{option}");
        let mut command = place.parloop(&["config", "--json"]);
        let output = command
            .env(text("variable"), text("value"))
            .assert()
            .success();
        let given: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
        let found = self::setting(&given, text("name"));
        assert_eq!(found["origin"], "environment", "{}", text("variable"));
    }
}

#[test]
fn variables_that_are_no_settings_stop_no_command() {
    let place = Place::new();
    let variables = [
        ("PARLOOP_LOG", "debug"),
        ("PARLOOP_FUZZ_SECONDS", "1"),
        ("PARLOOP_TEST_LONG", "1"),
    ];
    let bench = ["bench", "jac", "--squares", "9", "--iterations", "200"];
    for command in [&["config"][..], &["cache", "stats"], &bench] {
        place.parloop(command).envs(variables).assert().success();
    }
}

#[test]
fn unknown_settings_and_impossible_values_are_wrong_usage() {
    let place = Place::new();
    let mut command = place.parloop(&["config"]);
    let output = command.env("PARLOOP_DRAWER", "1").assert().code(2);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(
        said.contains("drawer") && said.contains("parloop config"),
        "{said}"
    );
    let said = place.failure(&["config", "--steps-max", "-1"], 2);
    assert!(!said.is_empty());
    let said = place.failure(&["config", "--level=z80"], 2);
    assert!(said.contains("z80") && said.contains("native"), "{said}");
    assert!(place.failure(&["bake"], 2).contains("bake"));
}

#[test]
fn a_flag_needs_no_value_and_target_is_another_name_of_level() {
    let place = Place::new();
    let report = place.json(&["config", "--json", "--perf-map"]);
    assert_eq!(setting(&report, "perf_map")["value"], "true");
    let report = place.json(&["config", "--json", "--target", "native"]);
    assert_eq!(setting(&report, "level")["origin"], "command line");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = Place::new();
    let binary = assert_cmd::cargo::cargo_bin!("parloop");
    let mut child = std::process::Command::new(binary)
        .arg("config")
        .env("XDG_CACHE_HOME", place.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn row_22_without_a_home_and_in_a_directory_that_is_gone_loops_run_and_are_not_kept() {
    let place = Place::new();
    let gone = place.path().join("gone");
    let script = "cd \"$1\" && rmdir \"$1\" && shift && exec \"$@\"";
    // A home that is no absolute path is none: nothing is ever kept relative to where a program runs.
    for directory in [&[][..], &["--cache-dir", "relative"]] {
        std::fs::create_dir(&gone).unwrap();
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script, "sh"]).arg(&gone);
        command.arg(assert_cmd::cargo::cargo_bin!("parloop"));
        command.args(["bench", "airfoil", "--blocks", "2,3", "--iterations", "1"]);
        command
            .args(directory)
            .env("HOME", "home")
            .env("XDG_CACHE_HOME", "cache");
        let output = command.env_remove("PARLOOP_CACHE_DIR").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let left = std::fs::read_dir(place.path()).unwrap().count();
        assert_eq!(left, 0, "{directory:?}");
    }
}
