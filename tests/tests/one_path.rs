//! One path: cold and warm runs execute the same bytes through the same loader.
//!
//! Airfoil's five loops with the exact events of each kind of run; the files hold exactly what `compile` returns, from two
//! processes alike; other tools read them as they lie on disk; an edit compiles what it must and nothing else.

use object::{Object, ObjectSymbol};
use parloop::{CodeSource, Engine};
use parloop_compiler::{FloatMode, compile};
use parloop_kernels::airfoil::mesh::{Blocks, Mesh};
use parloop_tests::cached::{
    Airfoil, COLD, SMALL, WARM, WRITTEN, airfoil_texts, directory, files, flush, payloads,
    run_small, visit, watched,
};
use parloop_tests::case::Case;
use parloop_tests::child;
use parloop_tests::ways::{Mode, request};
use std::path::Path;
use std::process::Command;

fn mesh() -> Mesh {
    Mesh::generate(Blocks::new(4, 6).unwrap()).unwrap()
}

/// Airfoil, ten iterations: the engine, where code came from, the residual's bits, and what was told.
fn airfoil(directory: &Path, texts: &[String; 5]) -> (Engine, [CodeSource; 5], u64, Vec<String>) {
    let (engine, log) = watched(directory);
    let mut flow = Airfoil::new(&engine, &mesh(), texts).unwrap();
    let rms = (0..10).map(|_| flow.iterate()).last().unwrap();
    flush(&engine);
    let sources = flow.sources();
    (engine, sources, rms.to_bits(), log.lines())
}

fn lines(each: &[&[&str]]) -> Vec<String> {
    each.concat().into_iter().map(str::to_owned).collect()
}

#[test]
fn a_cold_and_a_warm_run_of_airfoil_tell_exactly_this_and_compute_the_same_bits() {
    let (_temp, path) = directory();
    let (engine, sources, cold, told) = airfoil(&path, &airfoil_texts());
    assert_eq!(sources, [CodeSource::Compiled; 5]);
    let each = [&COLD[..]; 5]
        .into_iter()
        .chain([&WRITTEN[..]; 5])
        .collect::<Vec<_>>();
    assert_eq!(told, lines(&each));
    let before = payloads(&engine);
    assert_eq!((before.len(), engine.compilations()), (5, 5));

    let (engine, sources, warm, told) = airfoil(&path, &airfoil_texts());
    assert_eq!(sources, [CodeSource::Disk; 5]);
    assert_eq!(told, lines(&[&WARM[..]; 5]));
    assert_eq!(engine.compilations(), 0);
    assert_eq!(
        payloads(&engine),
        before,
        "a warm run leaves the files alone"
    );
    assert_eq!(warm, cold);
}

#[test]
fn what_lies_on_disk_is_what_compile_returns() {
    let (_temp, path) = directory();
    visit(&path);
    let case = Case::new("", "read f64 1; inc f64 1", SMALL);
    let request = request(&case.check().unwrap(), Mode::native(FloatMode::Contract));
    let compiled = compile(&request).unwrap().object;
    let (engine, _log) = watched(&path);
    let [(_, payload)] = &payloads(&engine)[..] else {
        panic!("one loop, one entry")
    };
    assert_eq!(*payload, compiled);
}

#[test]
fn two_processes_leave_the_same_payloads_and_a_third_takes_them() {
    let name = "two_processes_leave_the_same_payloads_and_a_third_takes_them";
    if let Some(path) = child::word() {
        let (engine, sources, rms, _told) = airfoil(Path::new(&path), &airfoil_texts());
        child::say(format_args!(
            "{sources:?} {rms:x} {}",
            engine.compilations()
        ));
        return;
    }
    let (one, two) = (directory(), directory());
    let run = |path: &Path| child::run(name, path.to_str().unwrap());
    let (first, second) = (run(&one.1), run(&two.1));
    assert_eq!((first.len(), &first), (1, &second));
    let read = |path: &Path| payloads(&watched(path).0);
    assert_eq!(read(&one.1), read(&two.1));
    let warm = run(&one.1);
    let (cold, warm) = (first[0].replace("Compiled", "Disk"), &warm[0]);
    assert_eq!(cold.strip_suffix('5'), warm.strip_suffix('0'));
}

#[test]
fn the_files_are_objects_as_they_lie_on_disk() {
    let (_temp, path) = directory();
    airfoil(&path, &airfoil_texts());
    let objects: Vec<_> = files(&path)
        .into_iter()
        .filter(|f| f.to_string_lossy().contains("objects"))
        .collect();
    assert_eq!(objects.len(), 5);
    for file in &objects {
        let bytes = std::fs::read(file).unwrap();
        let parsed = object::File::parse(&*bytes).unwrap();
        let defines = |name: &str| {
            parsed
                .symbols()
                .any(|s| s.name() == Ok(name) && s.is_definition())
        };
        assert!(defines(parloop_compiler::abi::ENTRY));
    }
    let tools = [
        ("nm", None, "T parloop_loop\n"),
        ("objdump", Some("-d"), "<parloop_loop>:"),
    ];
    for (tool, argument, shown) in tools {
        let mut command = Command::new(tool);
        // A system without binutils has nothing to check here.
        let Ok(output) = command.args(argument).args(&objects).output() else {
            continue;
        };
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{tool}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(said.matches(shown).count(), 5, "{said}");
    }
}

/// Runs airfoil cold, then edited: how often the compiler ran then.
fn compilations_after(edit: impl Fn(&mut [String; 5])) -> (u64, Vec<String>) {
    let (_temp, path) = directory();
    airfoil(&path, &airfoil_texts());
    let mut texts = airfoil_texts();
    edit(&mut texts);
    assert_ne!(texts, airfoil_texts());
    let (engine, _, _, told) = airfoil(&path, &texts);
    let (again, _, _, after) = airfoil(&path, &texts);
    assert_eq!(
        (again.compilations(), after),
        (0, lines(&[&WARM[..]; 5])),
        "the run after hits"
    );
    (engine.compilations(), told)
}

#[test]
fn a_comment_or_a_name_edited_compiles_nothing() {
    let found = ["shortcut miss: absent", "memory miss: absent", "disk hit"];
    let mut expected = lines(&[&WARM, &WARM, &found, &WARM, &WARM]);
    expected.push("shortcut publish".to_owned());
    let edits: [fn(&mut [String; 5]); 4] = [
        |t| t[2].insert_str(0, "/* edited */\n"),
        |t| t[2] = t[2].replace("vol1", "volume_of_1"),
        |t| t[2] = t[2].replace("res_calc", "fluxes"),
        |t| t[2] = t[2].replace("0.5 *", "5e-1 *").replace("  ", "\t"),
    ];
    for edit in edits {
        assert_eq!(compilations_after(edit), (0, expected.clone()));
    }
}

#[test]
fn a_constant_edited_compiles_that_one_loop() {
    let (count, told) = compilations_after(|t| t[2] = t[2].replace("0.5 * eps", "0.25 * eps"));
    let mut expected = lines(&[&WARM, &WARM, &COLD, &WARM, &WARM]);
    expected.extend(lines(&[&WRITTEN]));
    assert_eq!((count, told), (1, expected));
}

#[test]
fn one_of_many_threads_and_engines_compiles() {
    let (_temp, path) = directory();
    let (engine, log) = watched(&path);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| run_small(&engine, SMALL));
        }
    });
    assert_eq!(engine.compilations(), 1);
    let compiled = log.lines().iter().filter(|line| *line == "compile").count();
    assert_eq!(compiled, 1);
    flush(&engine);
    // A second engine on the same directory, while the first lives.
    assert_eq!(visit(&path), (CodeSource::Disk, lines(&[&WARM])));
}
