//! Code for machines that are not this one: compilers of another build, CPUs with other features, another architecture.
//!
//! Tests named `row_..` are of faults that a cache directory shared by many hosts has to survive.

use parloop::{CodeSource, Engine, Set};
use parloop_cache::{Expect, Key, Publication, Table};
use parloop_compiler::ShortcutRecord;
use parloop_compiler::fingerprint::{Identity, decode_request, encode};
use parloop_compiler::{FloatMode, Level, compile};
use parloop_tests::cached::{
    COLD, SMALL, WARM, directory as directory_of_its_own, files, flush, run_small, visit, watched,
};
use parloop_tests::case::Case;
use parloop_tests::ways::{Mode, request};
use std::path::Path;

const CORPORA: [&str; 4] = [
    include_str!("../corpus/accesses.c"),
    include_str!("../corpus/across.c"),
    include_str!("../corpus/math.c"),
    include_str!("../corpus/nests.c"),
];

/// `e_machine` of the System V ABI.
const X86_64: u16 = 62;
const AARCH64: u16 = 183;

#[test]
fn every_level_has_code_for_every_kernel_and_says_of_which_machine_it_is() {
    for case in CORPORA.into_iter().flat_map(Case::corpus) {
        let front = case.check().unwrap();
        for level in Level::ALL {
            for float in [
                FloatMode::Strict,
                FloatMode::Contract,
                FloatMode::Reassociate,
            ] {
                let mut mode = Mode::native(float);
                mode.level = level;
                // The code generator's own verifier runs in tests.
                let object = compile(&request(&front, mode)).unwrap().object;
                let machine = u16::from_le_bytes([object[18], object[19]]);
                let expected = if level.is_x86_64() { X86_64 } else { AARCH64 };
                assert_eq!(machine, expected, "{level}");
            }
        }
    }
}

#[test]
fn objects_for_aarch64_have_the_form_that_a_loader_asks_for() {
    use object::{Object, ObjectSection, ObjectSymbol, RelocationFlags, elf};
    for case in CORPORA.into_iter().flat_map(Case::corpus) {
        let front = case.check().unwrap();
        let mut mode = Mode::native(FloatMode::Contract);
        mode.level = Level::Aarch64;
        let bytes = compile(&request(&front, mode)).unwrap().object;
        let file = object::File::parse(&*bytes).unwrap();
        assert_eq!(file.architecture(), object::Architecture::Aarch64);
        assert_eq!(file.kind(), object::ObjectKind::Relocatable);
        let text = file.section_by_name(".text").expect("there is code");
        let code = text.data().unwrap();
        assert!(!code.is_empty() && code.len() % 4 == 0);
        let mut entries = file.symbols().filter(|symbol| {
            symbol.is_global()
                && symbol.is_definition()
                && symbol.kind() == object::SymbolKind::Text
        });
        let entry = entries.next().expect("the loop");
        assert!(entries.next().is_none(), "one entry");
        assert_eq!(entry.section_index(), Some(text.index()));
        assert!(entry.address() % 4 == 0 && entry.address() < code.len() as u64);
        for section in file.sections() {
            for (at, relocation) in section.relocations() {
                let absolute = RelocationFlags::Elf {
                    r_type: elf::R_AARCH64_ABS64,
                };
                assert_eq!(relocation.flags(), absolute);
                assert!(at + 8 <= section.size());
            }
        }
    }
}

#[test]
fn row_10_another_build_of_the_compiler_has_entries_of_its_own() {
    let case = Case::corpus(CORPORA[0]).into_iter().next().unwrap();
    let front = case.check().unwrap();
    let request = request(&front, Mode::native(FloatMode::Contract));
    let ours = parloop_compiler::Preimage::of(&request);
    let (again, here) = decode_request(ours.as_bytes()).unwrap();
    assert_eq!(again, request);
    // The same version, made of other sources.
    let other = Identity {
        build_id: format!("{}0", here.build_id),
        ..here.clone()
    };
    let theirs = encode(&request, &other);
    assert_ne!(ours.fingerprint(), theirs.fingerprint());
    assert_eq!(encode(&request, &here).fingerprint(), ours.fingerprint());
}

/// The build of which [`write_as_another_build`] says that it is.
fn other_build() -> Identity {
    let preimage = |text: &str| {
        let case = Case::corpus(text).into_iter().next().unwrap();
        let front = case.check().unwrap();
        parloop_compiler::Preimage::of(&request(&front, Mode::native(FloatMode::Contract)))
    };
    let (_, here) = decode_request(preimage(CORPORA[0]).as_bytes()).unwrap();
    Identity {
        build_id: format!("{}0", here.build_id),
        ..here
    }
}

/// What a build of the same version, made of other sources, keeps of [`SMALL`], in a directory of its own or in one of ours: code that
/// computes something else. Gives the object's key and preimage.
fn write_as_another_build(directory: &Path) -> (Key, Vec<u8>) {
    let (_temp, elsewhere) = directory_of_its_own();
    let (engine, _log) = watched(&elsewhere);
    run_small(&engine, SMALL);
    flush(&engine);
    let only = |table| {
        let listed = engine.store().entries_of(table).next().unwrap();
        listed.entry.unwrap()
    };
    let (object, shortcut) = (only(Table::Objects), only(Table::Shortcuts));
    let other = other_build();
    let (request, _) = decode_request(object.preimage()).unwrap();
    let preimage = encode(&request, &other);
    let key = Key::new(preimage.fingerprint().0);
    let mut record = ShortcutRecord::decode(shortcut.payload()).unwrap();
    record.request_fingerprint = preimage.fingerprint();
    let mut path = shortcut.preimage().to_vec();
    path[20..52].copy_from_slice(blake3::hash(other.build_id.as_bytes()).as_bytes());

    let (engine, _log) = watched(directory);
    let publish = |table, key: &Key, payload: &[u8], preimage: &[u8]| {
        let publication = Publication {
            payload: payload.into(),
            preimage: preimage.into(),
            metadata: object.metadata(),
        };
        engine.store().publish(table, key, publication, None);
    };
    publish(Table::Objects, &key, b"code of theirs", preimage.as_bytes());
    let shortcut_key = Key::new(*blake3::hash(&path).as_bytes());
    publish(Table::Shortcuts, &shortcut_key, &record.encode(), &path);
    flush(&engine);
    (key, preimage.as_bytes().to_vec())
}

#[test]
fn row_10_two_builds_share_a_directory_and_each_hits_its_own_entries_only() {
    let (_temp, path) = directory_of_its_own();
    let (key, preimage) = write_as_another_build(&path);
    // An upgrade: what is there is another build's, and is told as such.
    let (engine, _log) = watched(&path);
    let set = Set::new("cells", 3).unwrap();
    let a = engine.dat(&set, "a", 1, &[0.0; 3]).unwrap();
    let b = engine.dat(&set, "b", 1, &[0.0; 3]).unwrap();
    let kernel = engine.kernel(SMALL, None);
    let asked = engine.explain(&kernel, &set, &[a.read(), b.inc()]).unwrap();
    assert_eq!(asked.miss, Some("absent"));
    let differences = asked.nearest.unwrap().differences;
    assert_eq!(differences.len(), 1);
    assert!(differences[0].to_string().contains("compiler"));
    drop(kernel);

    let (source, told) = visit(&path);
    assert_eq!(
        (source, &told[..4]),
        (CodeSource::Compiled, &COLD.map(str::to_owned)[..])
    );
    assert!(!told.iter().any(|line| line.contains("reject")), "{told:?}");
    // Nobody chases the other's entries out.
    for _ in 0..2 {
        assert_eq!(
            visit(&path),
            (CodeSource::Disk, WARM.map(str::to_owned).to_vec())
        );
        let theirs = Expect::Preimage(&preimage);
        let found = engine.store().look(Table::Objects, &key, theirs, &|_| true);
        assert_eq!(found.unwrap().payload(), b"code of theirs");
    }
    let (objects, shortcuts) = (
        engine.store().usage().objects,
        engine.store().usage().shortcuts,
    );
    assert_eq!((objects, shortcuts), (2, 2));

    // Even under the name of ours it is not taken for ours.
    let theirs = engine.store().path_of(Table::Objects, &key).unwrap();
    let of_ours = files(&path).into_iter().find(|file| {
        file.to_string_lossy().contains("objects") && file.file_name() != theirs.file_name()
    });
    std::fs::copy(&theirs, of_ours.unwrap()).unwrap();
    let (source, told) = visit(&path);
    assert_eq!(source, CodeSource::Compiled);
    assert!(
        told.contains(&"disk reject: wrong_key".to_owned()),
        "{told:?}"
    );
    assert_eq!(visit(&path).0, CodeSource::Disk, "healed");
}

#[test]
fn row_13_an_entry_requires_the_features_of_its_level_and_no_tuning() {
    let native = Engine::builder().build().unwrap().level();
    for level in Level::ALL {
        let directory = tempfile::tempdir().unwrap();
        let engine = Engine::builder().cache_dir(directory.path()).level(level);
        let Ok(engine) = engine.build() else {
            // Of another architecture, or more than this host has.
            assert_ne!(level, native);
            continue;
        };
        let fingerprint = run_small(&engine, SMALL).fingerprint();
        flush(&engine);
        let store = engine.store();
        let mut entries = store.entries_of(Table::Objects);
        let found = entries.find(|listed| listed.key.to_string() == fingerprint);
        let found = found.expect("it is kept");
        let entry = found.entry.unwrap();
        let required = entry.metadata().features;
        // Whatever else this host has.
        assert_eq!(required, level.features(), "{level}");
        // What code may use, and nothing of what a CPU is merely fast at.
        let known = |name: &String| name.starts_with("has_");
        assert!(required.iter().all(known), "{required:?}");

        // A host that has just these, by what its system lets programs use, takes the entry; one that lacks any leaves it.
        let expect = Expect::Preimage(entry.preimage());
        let look = |has: &dyn Fn(&str) -> bool| store.look(Table::Objects, &found.key, expect, has);
        assert!(look(&|feature| level.features().contains(&feature)).is_ok());
        for lacking in level.features() {
            let missed = look(&|feature| feature != *lacking).unwrap_err();
            assert_eq!(missed.code(), "feature_missing", "{level}: {lacking}");
        }
        assert!(store.path_of(Table::Objects, &found.key).is_some());
    }
}
