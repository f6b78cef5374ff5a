//! `PARLOOP_LOG`: what the caches do, a line each on standard error, for people and for programs.

mod support;

use std::path::Path;
use support::Place;

const FILL: [&str; 6] = ["bench", "airfoil", "--blocks", "2,3", "--iterations", "1"];

/// The lines of our targets that a run says with this filter.
fn said(place: &Place, args: &[&str], filter: &str) -> Vec<String> {
    let mut command = place.parloop(args);
    let output = command.env("PARLOOP_LOG", filter).assert().success();
    let said = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    let ours = said.lines().filter(|line| line.contains(" parloop::"));
    ours.map(str::to_owned).collect()
}

fn count(lines: &[String], parts: &[&str]) -> usize {
    let has = |line: &&String| parts.iter().all(|part| line.contains(part));
    lines.iter().filter(has).count()
}

#[test]
fn hits_misses_compilations_and_files_are_lines_with_stable_fields() {
    let place = Place::new();
    let cold = said(&place, &FILL, "parloop::cache=debug");
    let of = |lines: &[String], event: &str, more: &[&str]| {
        let event = format!("DEBUG parloop::cache: event=\"{event}\"");
        count(lines, &[&[&*event], more].concat())
    };
    let absent = ["layer=\"disk\" key=", "reason=\"absent\""];
    assert_eq!(of(&cold, "miss", &absent), 5, "{cold:#?}");
    assert_eq!(of(&cold, "compile", &["key=", "duration_us="]), 5);
    assert_eq!(of(&cold, "publish", &["layer=\"disk\"", "bytes="]), 5);
    let warm = said(&place, &FILL, "parloop::cache=debug");
    assert_eq!(
        of(&warm, "hit", &["layer=\"disk\"", "saved_us="]),
        5,
        "{warm:#?}"
    );
    assert_eq!(of(&warm, "compile", &[]), 0);
    let directory = format!("directory={:?} mode=\"read-write\"", place.cache());
    let where_to = ["INFO parloop::cache: cache directory", &*directory];
    assert_eq!(count(&warm, &where_to), 1, "{warm:#?}");
    assert_eq!(said(&place, &FILL, "info").len(), 1, "where, and no more");
    assert_eq!(said(&place, &FILL, "warn"), [""; 0]);
    assert_eq!(said(&place, &FILL, ""), [""; 0]);
    let explained = said(&place, &[&FILL[..], &["--lanes", "1"]].concat(), "debug");
    let option = [
        "DEBUG parloop::explain: event=\"explained\"",
        "option lanes 4 -> 1",
    ];
    assert!(count(&explained, &option) > 0, "{explained:#?}");
}

#[test]
fn what_is_wrong_is_a_warning_and_steers_no_terminal() {
    let place = Place::new();
    place.printed(&FILL);
    let listing = place.json(&["cache", "ls", "--json"]);
    let file = Path::new(listing["entries"][0]["file"].as_str().unwrap());
    std::fs::write(file, "junk").unwrap();
    let lines = said(&place, &FILL, "warn");
    let rejected = "WARN parloop::cache: event=\"reject\" layer=\"disk\" key=";
    assert_eq!(
        count(&lines, &[rejected, "reason=\"truncated\""]),
        1,
        "{lines:#?}"
    );
    assert_eq!(lines.len(), 1);

    let odd = place.path().join("a\u{1b}[2Jb\nc");
    let args = [&FILL[..], &["--cache-dir", odd.to_str().unwrap()]].concat();
    let lines = said(&place, &args, "info");
    assert!(
        lines.iter().all(|line| !line.contains('\u{1b}')),
        "{lines:?}"
    );
    assert_eq!(count(&lines, &["a\\u{1b}[2Jb\\nc"]), 1, "{lines:?}");
}

#[test]
fn a_filter_that_is_none_is_wrong_usage_and_the_help_names_the_variable() {
    let place = Place::new();
    let mut command = place.parloop(&["config"]);
    let output = command.env("PARLOOP_LOG", "parloop=loud").assert().code(2);
    let said = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(said.contains("PARLOOP_LOG: `parloop=loud`"), "{said}");
    assert!(place.printed(&["--help"]).contains("PARLOOP_LOG=FILTER"));
}
