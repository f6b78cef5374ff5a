//! Code for machines that are not this one: compilers of another build, CPUs with other features, another architecture.
//!
//! Tests named `row_..` are of faults that a cache directory shared by many hosts has to survive.

use parloop::{CodeSource, Engine, Set};
use parloop_cache::Table;
use parloop_compiler::fingerprint::{Identity, decode_request, encode};
use parloop_compiler::{FloatMode, Level, compile};
use parloop_tests::case::Case;
use parloop_tests::ways::{Mode, request};

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
            for float in [FloatMode::Strict, FloatMode::Contract] {
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

#[test]
fn row_13_an_entry_requires_the_features_of_its_level_and_no_tuning() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::builder()
        .cache_dir(directory.path())
        .build()
        .unwrap();
    let set = Set::new("set", 3).unwrap();
    let x = engine.dat(&set, "x", 1, &[1.0, 2.0, 3.0]).unwrap();
    let kernel = engine.kernel("void twice(double *x) { x[0] *= 2; }", None);
    let prepared = engine.prepare(&kernel, &set, &[x.rw()]).unwrap();
    assert_eq!(prepared.source(), CodeSource::Compiled);
    assert!(engine.flush(std::time::Duration::from_secs(10)));
    let mut entries = engine.store().entries_of(Table::Objects);
    let found = entries.find(|listed| listed.key.to_string() == prepared.fingerprint());
    let metadata = found.expect("it is kept").entry.unwrap().metadata();
    let required = &metadata.features;
    assert_eq!(*required, engine.level().features());
    // What code may use, and nothing of what a CPU is merely fast at.
    let known = |name: &String| name.starts_with("has_");
    assert!(required.iter().all(known), "{required:?}");
}
