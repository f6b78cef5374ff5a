//! Settings from the environment: what is taken, what is refused, and where each value is said to come from.
//!
//! A process can't change its environment safely, so each case is this test program run again with another one.

use parloop::Config;
use std::process::Command;

#[test]
#[ignore = "run by the other tests, with an environment of their own"]
#[expect(clippy::print_stdout, reason = "read by the parent")]
fn child() {
    match Config::from_env() {
        Err(error) => println!("error: {error}"),
        Ok(config) => {
            let line =
                |s: parloop::Setting| println!("setting {}={} ({})", s.name, s.value, s.origin);
            config.settings().into_iter().for_each(line);
        }
    }
}

/// What `Config::from_env` makes of an environment.
fn with(environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env_clear();
    let output = command.envs(environment.iter().copied()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn assert_says(environment: &[(&str, &str)], line: &str) {
    let told = with(environment);
    assert!(told.lines().any(|l| l.ends_with(line)), "{line}\n{told}");
}

#[test]
fn the_cache_directory_is_named_or_the_users() {
    let named = [
        ("PARLOOP_CACHE_DIR", "/named"),
        ("XDG_CACHE_HOME", "/xdg"),
        ("HOME", "/home/me"),
    ];
    assert_says(&named, "setting cache_dir=/named (environment)");
    assert_says(&named[1..], "setting cache_dir=/xdg/parloop (default)");
    assert_says(
        &named[2..],
        "setting cache_dir=/home/me/.cache/parloop (default)",
    );
    assert_says(
        &[("XDG_CACHE_HOME", "relative"), ("HOME", "/h")],
        "setting cache_dir=/h/.cache/parloop (default)",
    );
    assert_says(
        &[("PARLOOP_CACHE_DIR", ""), ("HOME", "/h")],
        "setting cache_dir= (environment)",
    );
}

#[test]
fn every_setting_has_a_variable() {
    let cases = [
        (
            "PARLOOP_CACHE_MODE",
            "read-only",
            "setting cache_mode=read-only (environment)",
        ),
        ("PARLOOP_LANES", "2", "setting lanes=2 (environment)"),
        (
            "PARLOOP_FLOAT",
            "strict",
            "setting float=strict (environment)",
        ),
        (
            "PARLOOP_LEVEL",
            "native",
            "setting level=native (environment)",
        ),
        (
            "PARLOOP_STEPS_MAX",
            "77",
            "setting steps_max=77 (environment)",
        ),
        (
            "PARLOOP_PERF_MAP",
            "true",
            "setting perf_map=true (environment)",
        ),
        ("HOME", "/h", "setting steps_max=4294967296 (default)"),
    ];
    for (variable, value, line) in cases {
        assert_says(&[(variable, value)], line);
    }
}

#[test]
fn variables_that_name_no_setting_or_an_impossible_value_are_refused() {
    let unknown = with(&[("PARLOOP_CACHE_DRAWER", "x")]);
    assert!(
        unknown.contains("error: there is no setting `cache_drawer` (environment)"),
        "{unknown}"
    );
    let impossible = with(&[("PARLOOP_LANES", "many")]);
    assert!(
        impossible.contains("error: setting `lanes` (environment): `many` is not possible"),
        "{impossible}"
    );
}
