//! `parloop cache`: explaining, verifying, warming, collecting, and what the doctor says.

mod support;

use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use support::Place;

const FILL: [&str; 6] = ["bench", "airfoil", "--blocks", "2,3", "--iterations", "1"];

const KERNEL: &str = "void scale(const double *a, double *b) {
    b[0] = 0.5 * a[0];
}
void pick(const double *a, const int *n, double *b) {
    b[0] = a[n[0]];
}
void lost(double *b) {
    b[0] = nowhere;
}
";

/// The file of an entry.
fn entry_file(place: &Place, fingerprint: &str) -> PathBuf {
    let shard = place.cache().join("v1/objects").join(&fingerprint[..2]);
    shard.join(fingerprint)
}

fn entries(place: &Place) -> Vec<Value> {
    let listing = place.json(&["cache", "ls", "--json"]);
    listing["entries"].as_array().unwrap().clone()
}

#[test]
fn entries_are_listed_by_what_is_asked_for() {
    let place = Place::new();
    for _ in 0..3 {
        place.printed(&FILL);
    }
    let by = |sort: &str, field: &str| -> Vec<f64> {
        let listing = place.json(&["cache", "ls", "--json", "--sort", sort]);
        let entries = listing["entries"].as_array().unwrap();
        entries.iter().map(|e| e[field].as_f64().unwrap()).collect()
    };
    let falling = |numbers: &[f64]| numbers.is_sorted_by(|a, b| a >= b);
    assert!(falling(&by("size", "file_bytes")));
    assert!(falling(&by("saved", "saved_us")));
    assert!(by("age", "created_unix_s").is_sorted());
    let uses = by("uses", "uses");
    assert!(falling(&uses) && uses[0] >= 2.0, "{uses:?}");
    let text = place.printed(&["cache", "ls", "--sort", "size"]);
    assert!(text.starts_with("fingerprint"), "{text}");
    place.failure(&["cache", "ls", "--sort", "colour"], 2);
}

#[test]
fn misses_are_counted_by_reason_over_processes() {
    let place = Place::new();
    place.printed(&FILL);
    place.printed(&FILL);
    let lifetime = place.json(&["cache", "stats", "--json"])["lifetime"].clone();
    let misses = json!({"disk absent": 5, "shortcut absent": 5});
    assert_eq!(
        (&lifetime["misses"], &lifetime["disk_hits"]),
        (&misses, &json!(5))
    );
    assert!(lifetime["saved_us"].as_f64().unwrap() > 0.0);
    let text = place.printed(&["cache", "stats"]);
    assert!(text.contains("missed     disk absent: 5"), "{text}");
}

#[test]
fn rejections_are_counted_by_reason() {
    let place = Place::new();
    place.printed(&FILL);
    let listing = place.json(&["cache", "ls", "--json"]);
    let fingerprint = listing["entries"][0]["fingerprint"].as_str().unwrap();
    let shard = place.cache().join("v1/objects").join(&fingerprint[..2]);
    fs::write(shard.join(fingerprint), "").unwrap();
    place.printed(&FILL);
    let lifetime = place.json(&["cache", "stats", "--json"])["lifetime"].clone();
    assert_eq!(lifetime["rejects"], json!({"disk truncated": 1}));
    let text = place.printed(&["cache", "stats"]);
    assert!(text.contains("rejected   disk truncated: 1"), "{text}");
}

#[test]
fn what_is_warmed_is_found_by_the_next_process_and_the_rest_is_refused_with_its_reason() {
    let place = Place::new();
    let file = place.file("kernels.c", KERNEL);
    let file = file.to_str().unwrap();
    let warm = ["cache", "warm", "--json", file];
    let output = place.parloop(&warm).assert().code(1).get_output().clone();
    let warmed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let told: Vec<(&str, &str)> = warmed
        .as_array()
        .unwrap()
        .iter()
        .map(|w| (w["kernel"].as_str().unwrap(), w["source"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("scale", "compiled"), ("pick", ""), ("lost", "")]);
    let refused = |at: usize| warmed[at]["refused"].as_str().unwrap().to_owned();
    assert!(refused(1).contains("extent"), "{}", refused(1));
    assert!(refused(2).contains("nowhere"), "{}", refused(2));
    assert_eq!(entries(&place).len(), 1);

    let again = ["cache", "warm", file, "--function", "scale"];
    let text = place.printed(&again);
    assert!(text.contains("scale: disk in"), "{text}");
    let with = [
        "cache",
        "warm",
        file,
        "--function",
        "pick",
        "--extent",
        "a=8",
    ];
    let text = place.printed(&with);
    assert!(text.contains("pick: compiled in"), "{text}");
    let with = [
        "cache",
        "warm",
        file,
        "--function",
        "lost",
        "--constant",
        "nowhere=1.5",
    ];
    let text = place.printed(&with);
    assert!(text.contains("lost: compiled in"), "{text}");
    assert_eq!(entries(&place).len(), 3);
    let said = place.failure(&["cache", "warm", file, "--cache-mode", "read-only"], 1);
    assert!(said.contains("not used"), "{said}");
}

#[test]
fn a_file_that_can_not_be_read_is_told_and_the_others_are_warmed() {
    let place = Place::new();
    let good = "void good(const double *a, double *b) { b[0] = a[0]; }";
    let first = place.file("first.c", good);
    let last = place.file("last.c", &good.replace("b[0] = a", "b[0] = 2 * a"));
    let none = place.file("none.c", "int no_kernel(int i) { return i; }");
    let deep = place.file("deep.c", "#if 1\nvoid f(double *a) { a[0] = 1; }\n");
    let huge = place.file("huge.c", &" ".repeat(17 << 20));
    let missing = place.path().join("miss\u{1b}[2Jing.c");
    let files = [&first, &none, &deep, &huge, &missing, &last];
    let files = files.map(|path| path.to_str().unwrap());
    let warm = |args: &[&str]| {
        let output = place.parloop(&[args, &files].concat()).assert().code(1);
        let output = output.get_output().clone();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    };
    let (told, said) = warm(&["cache", "warm", "--json"]);
    let warmed: Value = serde_json::from_str(&told).unwrap();
    let of = |at: usize| (&warmed[at]["kernel"], &warmed[at]["source"]);
    assert_eq!(of(0), (&json!("good"), &json!("compiled")));
    let last = warmed.as_array().unwrap().len() - 1;
    assert_eq!(of(last), (&json!("good"), &json!("compiled")));
    for at in 1..last {
        assert_eq!(warmed[at]["file"], files[at], "{warmed}");
        assert_eq!(of(at), (&json!(""), &json!("")), "{warmed}");
    }
    assert_eq!(last, files.len() - 1);
    assert!(
        said.contains("0 of 2 kernel functions are not warmed; 4 of 6 files"),
        "{said}"
    );
    assert_eq!(entries(&place).len(), 2);

    let (told, said) = warm(&["cache", "warm"]);
    assert!(told.contains("good: disk in"), "{told}");
    assert!(told.contains("none.c: not warmed: "), "{told}");
    let escaped = "miss\\u{1b}[2Jing.c: not warmed: ";
    assert!(told.contains(escaped) && !told.contains('\x1b'), "{told}");
    assert!(!said.contains('\x1b'), "{said}");
}

#[test]
fn row_s20_what_texts_and_arguments_hold_is_escaped_where_it_is_quoted() {
    let place = Place::new();
    let file = place.file("odd.c", "void f(double *a) { a[0] = \x1b[2J; }");
    let (file, name) = (file.to_str().unwrap(), "no\x1b[2Jname");
    for args in [
        &["cache", "warm", file][..],
        &["cache", "warm", file, "--function", name],
        &["cache", "explain", file],
        &["cache", "explain", file, "--function", name],
        &["cache", "inspect", name],
        &["cache", "ls", "--cache-dir", name],
        &["compare", file, "--function", name],
        &["cache", "warm", name],
    ] {
        let output = place.parloop(args).assert().get_output().clone();
        let told = [output.stdout, output.stderr].concat();
        assert!(!told.contains(&0x1b), "{args:?}: {}", told.escape_ascii());
    }
}

#[test]
fn two_processes_started_together_on_40_cold_kernels_compile_each_once_in_all() {
    let place = Place::new();
    let kernel = |n| format!("void k{n}(const double *a, double *b) {{ b[0] = {n}.5 * a[0]; }}\n");
    let text: String = (0..40).map(kernel).collect();
    // Each reads its kernels from a pipe: once both have it open, both are given them.
    let pipes = ["one.c", "two.c"].map(|name| place.path().join(name));
    let made = std::process::Command::new("mkfifo").args(&pipes).status();
    assert!(made.unwrap().success());
    let sources = std::thread::scope(|scope| {
        let processes = pipes.each_ref().map(|pipe| {
            let warm = ["cache", "warm", "--json", pipe.to_str().unwrap()];
            let place = &place;
            scope.spawn(move || place.json(&warm))
        });
        // Opening waits for the reader.
        let open = |pipe: &PathBuf| fs::File::options().write(true).open(pipe).unwrap();
        for mut pipe in pipes.each_ref().map(open) {
            pipe.write_all(text.as_bytes()).unwrap();
        }
        let told = processes.map(|process| process.join().unwrap());
        let of = |told: &Value| -> Vec<String> {
            let kernels = told.as_array().unwrap().iter();
            kernels
                .map(|k| k["source"].as_str().unwrap().to_owned())
                .collect()
        };
        told.each_ref().map(of).concat()
    });
    let count = |source: &str| sources.iter().filter(|s| *s == source).count();
    assert_eq!((count("compiled"), count("disk")), (40, 40), "{sources:?}");
    assert_eq!(entries(&place).len(), 40);
}

#[test]
fn what_memory_does_not_keep_is_warmed_all_the_same() {
    let place = Place::new();
    let file = place.file("kernels.c", KERNEL);
    let warm = ["cache", "warm", file.to_str().unwrap()];
    let none = ["--function", "scale", "--memory-entries-max", "0"];
    let text = place.printed(&[&warm[..], &none].concat());
    assert!(text.contains("scale: compiled in"), "{text}");
    assert_eq!(entries(&place).len(), 1);
    let too_large = [
        "--function",
        "scale",
        "--unroll",
        "4",
        "--cache-entries-max",
        "0",
    ];
    let said = place.failure(&[&warm[..], &too_large].concat(), 1);
    assert!(said.contains("not all"), "{said}");
}

#[test]
fn extents_of_rows_are_for_parameters_that_have_rows() {
    let place = Place::new();
    let text = "void flat(const double *x, const int *n, double *b) { b[0] = x[n[0]]; }
void rows(double **x, const int *n, double *b) { b[0] = x[n[0]][n[0]]; }";
    let file = place.file("both.c", text);
    let warm = ["cache", "warm", file.to_str().unwrap()];
    let extents = ["--extent", "x=3x2", "--extent", "x=8"];
    let text = place.printed(&[&warm[..], &extents].concat());
    assert!(text.contains("flat: compiled in"), "{text}");
    assert!(text.contains("rows: compiled in"), "{text}");
}

#[test]
fn a_file_is_explained_by_the_nearest_entries_with_lines() {
    let place = Place::new();
    let file = place.file("kernels.c", KERNEL);
    let path = file.to_str().unwrap();
    let scale = ["cache", "explain", path, "--function", "scale"];
    let text = place.printed(&scale);
    assert!(
        text.contains("is not kept\n  no entry is near it"),
        "{text}"
    );
    place.printed(&["cache", "warm", path, "--function", "scale"]);
    let text = place.printed(&scale);
    let key = entries(&place)[0]["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned();
    let kept_in = format!("is kept\n  in {}\n", entry_file(&place, &key).display());
    assert!(text.ends_with(&kept_in), "{text}");
    place.file("kernels.c", &KERNEL.replace("0.5", "0.25"));
    let text = place.printed(&scale);
    assert!(text.contains("constant 0.5 -> 0.25 (line 2)"), "{text}");
    let all = place.json(&["cache", "explain", path, "--json", "--lanes", "1"]);
    let told: Vec<&str> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["kernel"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["scale", "pick", "lost"]);
    let differences = json!(["option lanes 4 -> 1", "constant 0.5 -> 0.25 (line 2)"]);
    assert_eq!(all[0]["differences"], differences);
    assert!(all[1]["refused"].as_str().unwrap().contains("extent"));
}

#[test]
fn the_loops_of_a_file_are_explained_by_those_that_are_kept() {
    let place = Place::new();
    place.printed(&FILL);
    let text = parloop_kernels::airfoil::KERNELS[0].source;
    let file = place.file("save_soln.c", text);
    let told = place.printed(&["cache", "explain", file.to_str().unwrap()]);
    assert!(
        told.contains(
            "save_soln, a loop of (READ 4 x double, direct, dat 0; WRITE 4 x double, direct, dat 1)"
        ),
        "{told}"
    );
    assert!(told.contains("is kept"), "{told}");
}

#[test]
fn loops_that_read_constants_at_run_time_are_found_if_these_are_named() {
    let place = Place::new();
    place.printed(&FILL);
    let kernel = &parloop_kernels::airfoil::KERNELS[1];
    let file = place.file("adt_calc.c", kernel.source);
    let file = file.to_str().unwrap();
    let without = place.printed(&["cache", "explain", file]);
    assert!(without.contains("say so with --constant"), "{without}");
    let mut args = vec!["cache", "explain", file];
    for name in ["gam", "gm1", "cfl", "eps", "qinf:4"] {
        args.extend(["--constant", name]);
    }
    let told = place.printed(&args);
    let is_kept = |line: &str| line.contains("a loop of (") && line.ends_with(" is kept");
    assert!(told.lines().any(is_kept), "{told}");
    assert!(told.contains("not known as a plain function"), "{told}");
}

#[test]
fn an_entry_is_explained_by_what_would_be_asked_for_and_what_is_near() {
    let place = Place::new();
    let file = place.file("kernels.c", KERNEL);
    let path = file.to_str().unwrap();
    place.printed(&["cache", "warm", path, "--function", "scale"]);
    let key = entries(&place)[0]["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned();
    place.printed(&[
        "cache",
        "warm",
        path,
        "--function",
        "scale",
        "--unroll",
        "4",
    ]);
    let told = place.json(&[
        "cache",
        "explain",
        &key[..12],
        "--json",
        "--float",
        "strict",
    ]);
    assert_eq!(
        told[0]["differences"],
        json!(["option float contract -> strict"])
    );
    assert_eq!(told[0]["kept"], json!(false));
    assert_eq!(told[1]["differences"], json!(["option unroll 4 -> 16"]));
    let said = place.failure(&["cache", "explain", "nosuch.c"], 1);
    assert!(
        said.contains("nosuch.c") && said.contains("No such file"),
        "{said}"
    );
    let said = place.failure(&["cache", "explain", "nosuchentry"], 1);
    assert!(said.contains("nosuchentry"), "{said}");
}

#[test]
fn verifying_authenticates_all_and_deep_compiles_again() {
    let place = Place::new();
    let text = place.printed(&["cache", "verify"]);
    assert!(
        text.starts_with("0 entries and 0 shortcuts are sound"),
        "{text}"
    );
    place.printed(&FILL);
    let report = place.json(&["cache", "verify", "--deep", "--json"]);
    let counts = |name: &str| report[name].as_u64().unwrap();
    assert_eq!((counts("entries"), counts("shortcuts")), (5, 5));
    assert_eq!((counts("compiled"), counts("other_builds")), (5, 0));

    let key = entries(&place)[2]["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned();
    let file = entry_file(&place, &key);
    let mut bytes = fs::read(&file).unwrap();
    bytes[200] ^= 8;
    fs::write(&file, bytes).unwrap();
    let output = place
        .parloop(&["cache", "verify", "--json"])
        .assert()
        .code(1)
        .get_output()
        .clone();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!([{"table": "entry", "fingerprint": key, "code": "bad_mac"}]);
    assert_eq!(report["defects"], expected);
    assert!(file.exists(), "verifying only looks");
    let said = place.failure(&["cache", "verify"], 1);
    assert!(said.contains("1 of 10 files"), "{said}");
}

#[test]
fn collecting_goes_down_to_the_bounds() {
    let place = Place::new();
    let text = place.printed(&["cache", "gc"]);
    assert!(text.starts_with("evicted 0 files"), "{text}");
    assert!(!place.cache().exists());
    place.printed(&FILL);
    let text = place.printed(&["cache", "gc"]);
    assert!(
        text.starts_with("evicted 0 files") && text.contains("10 files"),
        "{text}"
    );
    let text = place.printed(&["cache", "gc", "--cache-entries-max", "4"]);
    assert!(text.starts_with("evicted 6 files"), "{text}");
    let stats = place.json(&["cache", "stats", "--json"]);
    let left = stats["entries"].as_u64().unwrap() + stats["shortcuts"].as_u64().unwrap();
    assert_eq!(left, 4);
    for command in ["gc", "clear"] {
        let read_only = ["--cache-mode", "read-only", "--cache-entries-max", "1"];
        let said = place.failure(&[&["cache", command][..], &read_only].concat(), 1);
        assert!(said.contains("not used"), "{said}");
    }
    assert_eq!(place.json(&["cache", "stats", "--json"]), stats);
}

#[test]
fn the_doctor_says_what_is_wrong_and_what_to_do() {
    let place = Place::new();
    let text = place.printed(&["cache", "doctor"]);
    assert!(text.contains("note  missing: "), "{text}");
    assert!(!place.cache().exists());
    place.printed(&FILL);
    fs::create_dir(place.cache().join("v9")).unwrap();
    let told = place.json(&["cache", "doctor", "--json", "--cache-mode", "refresh"]);
    let codes: Vec<&str> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["code"].as_str().unwrap())
        .collect();
    let codes: Vec<&str> = codes
        .into_iter()
        .filter(|c| !["full", "network"].contains(c))
        .collect();
    assert_eq!(codes, ["mode_refresh", "other_version"]);
    let file = place.file("file", "");
    let said = place.failure(
        &["cache", "doctor", "--cache-dir", file.to_str().unwrap()],
        1,
    );
    assert!(said.contains("not used"), "{said}");
    place.failure(&["cache", "doctor", "--cache-dir", ""], 1);
}

#[test]
fn row_s20_names_with_control_characters_are_escaped_wherever_they_are_printed() {
    let place = Place::new();
    place.printed(&FILL);
    fs::write(place.cache().join("v1/objects/a\x1b[2Jb"), "").unwrap();
    for args in [
        ["cache", "stats"],
        ["cache", "doctor"],
        ["cache", "verify"],
        ["cache", "ls"],
    ] {
        let text = place.printed(&args);
        assert!(!text.contains('\x1b'), "{args:?}: {text:?}");
    }
    let text = place.printed(&["cache", "stats"]);
    assert!(text.contains("a\\u{1b}[2Jb"), "{text}");
}

#[test]
fn sizes_and_counts_are_printed_at_the_end_if_asked_for() {
    let place = Place::new();
    for (run, disk) in [(0, "0 hits, 5 misses"), (1, "5 hits, 0 misses")] {
        let mut command = place.parloop(&FILL);
        command.env("PARLOOP_CACHE_INFO", "1");
        let output = command.assert().success().get_output().clone();
        let said = String::from_utf8(output.stderr).unwrap();
        let starts = |what: &str| said.lines().any(|line| line.starts_with(what));
        assert!(
            starts("parloop: code in memory: 5 loops, "),
            "{run}: {said}"
        );
        assert!(
            starts(&format!("parloop: code on disk: {disk}; ")),
            "{run}: {said}"
        );
        assert!(
            starts("parloop: objects by identity: 0 built"),
            "{run}: {said}"
        );
        assert_eq!(
            starts("parloop: missed: disk absent: 5"),
            run == 0,
            "{said}"
        );
        let saved_none = said.contains("; 0.0 ms saved by hits on disk");
        assert_eq!(saved_none, run == 0, "{said}");
    }
}

#[test]
fn evictions_are_among_the_counts() {
    let place = Place::new();
    let mut command = place.parloop(&FILL);
    command.env("PARLOOP_CACHE_INFO", "1");
    command.env("PARLOOP_MEMORY_ENTRIES_MAX", "2");
    let output = command.assert().success().get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    let evicted = said
        .lines()
        .find_map(|line| line.strip_prefix("parloop: evicted: memory: "));
    assert!(evicted.unwrap().parse::<u64>().unwrap() >= 1, "{said}");
    assert!(
        said.contains("parloop: code in memory: 2 loops, "),
        "{said}"
    );
}
