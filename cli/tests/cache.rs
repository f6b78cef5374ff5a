//! `parloop cache`: listing, totals, one entry, clearing; nothing is made by looking.

mod support;

use serde_json::json;
use support::{Place, keys};

const FILL: [&str; 6] = ["bench", "airfoil", "--blocks", "2,3", "--iterations", "1"];

#[test]
fn looking_makes_no_directory() {
    let place = Place::new();
    assert_eq!(
        place.printed(&["cache", "path"]).trim(),
        place.cache().to_str().unwrap()
    );
    let stats = place.json(&["cache", "stats", "--json"]);
    assert_eq!((&stats["entries"], &stats["bytes"]), (&json!(0), &json!(0)));
    assert!(place.printed(&["cache", "ls"]).starts_with("0 entries"));
    assert!(
        place
            .printed(&["cache", "clear"])
            .starts_with("removed 0 entries")
    );
    assert!(!place.cache().exists());
}

#[test]
fn entries_are_listed_counted_and_cleared_and_nothing_else_is() {
    let place = Place::new();
    place.printed(&FILL);
    let listing = place.json(&["cache", "ls", "--json"]);
    let entries = listing["entries"].as_array().unwrap();
    let names: Vec<&str> = entries
        .iter()
        .map(|e| e["kernel"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["adt_calc", "bres_calc", "res_calc", "save_soln", "update"]
    );
    let stats = place.json(&["cache", "stats", "--json"]);
    assert_eq!(
        (&stats["entries"], &stats["shortcuts"]),
        (&json!(5), &json!(5))
    );
    assert_eq!(stats["problems"], json!([]));
    let text = place.printed(&["cache", "stats"]);
    assert!(text.contains("entries    5 ("), "{text}");

    let foreign = place.cache().join("v1/objects/README");
    std::fs::write(&foreign, "mine").unwrap();
    let problems = place.json(&["cache", "stats", "--json"])["problems"].clone();
    assert_eq!(problems[0]["code"], "foreign_name");
    let removed = place.printed(&["cache", "clear"]);
    assert!(
        removed.starts_with("removed 5 entries, 5 shortcuts"),
        "{removed}"
    );
    assert!(foreign.exists());
    assert_eq!(place.json(&["cache", "stats", "--json"])["entries"], 0);
}

#[test]
fn an_entry_is_shown_by_the_beginning_of_its_fingerprint() {
    let place = Place::new();
    place.printed(&FILL);
    let listing = place.json(&["cache", "ls", "--json"]);
    let entry = &listing["entries"][0];
    assert_eq!(
        keys(entry),
        [
            "compile_us",
            "created_unix_s",
            "file",
            "file_bytes",
            "fingerprint",
            "kernel",
            "object_bytes",
            "saved_us",
            "uses"
        ]
    );
    let key = entry["fingerprint"].as_str().unwrap();
    for prefix in [key, &key[..12]] {
        let shown = place.printed(&["cache", "inspect", prefix, "--no-asm"]);
        for expected in [
            key,
            "adt_calc",
            "cranelift",
            "entry 3 of map 0 (arity 4)",
            "kernel\nparam",
        ] {
            assert!(shown.contains(expected), "{expected}: {shown}");
        }
    }
    // Without a disassembler it says that there is none.
    let shown = place.printed(&["cache", "inspect", key]);
    match std::process::Command::new("objdump").arg("-v").output() {
        Ok(_) => assert!(
            shown.contains("Disassembly of section .text") && shown.contains("ret"),
            "{shown}"
        ),
        Err(_) => assert!(shown.contains("install binutils"), "{shown}"),
    }
    let said = place.failure(&["cache", "inspect", "nosuchentry"], 1);
    assert!(
        said.contains("nosuchentry") && said.contains("cache ls"),
        "{said}"
    );
    let said = place.failure(&["cache", "inspect", ""], 1);
    assert!(said.contains("5 fingerprints"), "{said}");
}

#[test]
fn entries_of_a_kernel_are_listed_with_their_files() {
    let place = Place::new();
    place.printed(&FILL);
    let listing = place.json(&["cache", "ls", "--json", "--kernel", "update"]);
    let entries = listing["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    let file = entries[0]["file"].as_str().unwrap();
    assert!(file.ends_with(entries[0]["fingerprint"].as_str().unwrap()));
    assert!(std::fs::read(file).unwrap().starts_with(b"\x7fELF"));
    let text = place.printed(&["cache", "ls", "--kernel", "update"]);
    assert!(text.lines().any(|line| line == file), "{text}");
    let none = place.printed(&["cache", "ls", "--kernel", "upd"]);
    assert!(none.starts_with("0 entries"), "{none}");
}

#[test]
fn single_entries_are_removed_and_nothing_else_is() {
    let place = Place::new();
    let said = place.failure(&["cache", "rm", "aaaa"], 1);
    assert!(said.contains("aaaa"), "{said}");
    assert!(!place.cache().exists());
    place.printed(&FILL);
    let listing = place.json(&["cache", "ls", "--json"]);
    let entries = listing["entries"].as_array().unwrap();
    let key = |at: usize| entries[at]["fingerprint"].as_str().unwrap();
    let left = || {
        let stats = place.json(&["cache", "stats", "--json"]);
        (stats["entries"].clone(), stats["shortcuts"].clone())
    };
    let missing = "a".repeat(52);
    for (args, why) in [
        (vec![key(0), "nosuchentry"], "nosuchentry"),
        (vec![key(0), &missing], "aaaa"),
        (vec![key(0), ""], "5 fingerprints"),
        (vec!["../secret"], "secret"),
        (vec![key(0), "--cache-mode", "read-only"], "not used"),
    ] {
        let said = place.failure(&[&["cache", "rm"], &args[..]].concat(), 1);
        assert!(said.contains(why), "{said}");
        assert_eq!(left(), (json!(5), json!(5)), "all or nothing");
    }
    place.failure(&["cache", "rm"], 2);
    let removed = place.printed(&["cache", "rm", key(0), &key(1)[..12], key(0)]);
    let expected = format!("removed {} (adt_calc)\n", &key(0)[..12]);
    assert!(removed.starts_with(&expected), "{removed}");
    assert_eq!(removed.lines().count(), 2);
    assert_eq!(left(), (json!(3), json!(5)));
    assert!(place.cache().join("secret").exists());
    place.printed(&FILL);
    assert_eq!(left(), (json!(5), json!(5)), "compiled again");

    // One that is damaged can be removed, too.
    std::fs::write(entries[2]["file"].as_str().unwrap(), "junk").unwrap();
    let removed = place.printed(&["cache", "rm", key(2)]);
    assert!(removed.ends_with("(damaged)\n"), "{removed}");
    assert_eq!(left(), (json!(4), json!(5)));
}

#[test]
fn a_damaged_entry_is_shown_as_such() {
    let place = Place::new();
    place.printed(&FILL);
    let listing = place.json(&["cache", "ls", "--json"]);
    let key = listing["entries"][0]["fingerprint"].as_str().unwrap();
    let file = place.cache().join("v1/objects").join(&key[..2]).join(key);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let listing = place.json(&["cache", "ls", "--json"]);
    let entries = listing["entries"].as_array().unwrap();
    let damaged: Vec<_> = entries
        .iter()
        .filter(|e| e["defect"] == "bad_mac")
        .collect();
    assert_eq!(damaged.len(), 1);
    let said = place.failure(&["cache", "inspect", key], 1);
    assert!(said.contains("damaged"), "{said}");
}

#[test]
fn without_a_directory_there_is_nothing_to_look_into() {
    let place = Place::new();
    let said = place.failure(&["cache", "ls", "--cache-dir", ""], 1);
    assert!(said.contains("--cache-dir"), "{said}");
}
