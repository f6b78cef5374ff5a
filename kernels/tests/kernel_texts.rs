//! The C texts: a C compiler takes each without a warning, and computes with it what the Rust reference computes.
//!
//! Where there is no C compiler the tests say so and pass. Agreement is bit for bit: built with `-ffp-contract=off`, both
//! sides do the same operations in the same order.
#![expect(
    clippy::print_stderr,
    reason = "a test that has nothing to compile with says so"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use parloop_kernels::airfoil::reference as airfoil_reference;
use parloop_kernels::airfoil::{self, Constants};
use parloop_kernels::jac;
use parloop_kernels::reduce::{self, ElementType};
use parloop_kernels::text::KernelText;

/// A text, ready to compile, with the name that a failure shows.
struct Unit {
    name: String,
    source: String,
}

/// What a C compiler needs before a kernel: the headers its functions and types come from, and the constants.
fn prelude(element: &str) -> String {
    let mut text = String::from("#include <math.h>\n#include <stdint.h>\n");
    for (name, values) in Constants::published().named() {
        let extent = if values.len() > 1 {
            format!("[{}]", values.len())
        } else {
            String::new()
        };
        writeln!(text, "extern const double {name}{extent};").unwrap();
    }
    writeln!(text, "extern const {element} alpha;").unwrap();
    text
}

fn unit(kernel: &KernelText, element: &str, source: &str) -> Unit {
    Unit {
        name: format!("{} ({element})", kernel.file),
        source: prelude(element) + source,
    }
}

fn all_units() -> Vec<Unit> {
    let mut units: Vec<Unit> = airfoil::KERNELS
        .iter()
        .map(|k| unit(k, "double", k.source))
        .collect();
    for kernel in &jac::KERNELS {
        let element = if kernel.file.ends_with("_f32.c") {
            "float"
        } else {
            "double"
        };
        units.push(unit(kernel, element, kernel.source));
    }
    for kernel in &reduce::KERNELS {
        for element in ElementType::ALL {
            units.push(unit(
                kernel,
                element.c_name(),
                &reduce::text(kernel, element),
            ));
        }
    }
    units
}

fn have_cc() -> bool {
    let found = Command::new("cc")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("not checked: there is no C compiler `cc`");
    }
    found
}

/// Compiles `source` with `arguments` in `directory`; gives what the compiler said, which should be nothing.
fn cc(directory: &Path, source: &str, arguments: &[&str]) -> String {
    std::fs::write(directory.join("unit.c"), source).unwrap();
    let output = Command::new("cc")
        .current_dir(directory)
        .args([
            "-O3",
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-ffp-contract=off",
            "unit.c",
        ])
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        said
    } else {
        format!("{said}\nfailed: {}", output.status)
    }
}

#[test]
fn a_c_compiler_takes_every_kernel_without_a_warning() {
    if !have_cc() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for Unit { name, source } in all_units() {
        let said = cc(directory.path(), &source, &["-c", "-o", "unit.o"]);
        assert_eq!(said, "", "{name}");
    }
}

#[test]
fn the_text_of_a_kernel_defines_the_function_it_says() {
    for kernel in airfoil::KERNELS
        .iter()
        .chain(&jac::KERNELS)
        .chain(&reduce::KERNELS)
    {
        assert!(
            kernel
                .source
                .contains(&format!("inline void {}(", kernel.function)),
            "{}",
            kernel.file
        );
    }
}

/// A C initialiser of exactly these values.
fn list(values: &[f64]) -> String {
    let exact = values.iter().map(|v| format!("{v:?}"));
    format!("{{{}}}", exact.collect::<Vec<_>>().join(", "))
}

/// The state of a flow that is neither uniform nor aligned with anything, and corners of a skewed cell.
const Q1: [f64; 4] = [1.01, 0.46, 0.021, 2.59];
const Q2: [f64; 4] = [0.98, 0.44, -0.034, 2.63];
const X: [[f64; 2]; 4] = [[0.12, 0.31], [1.17, 0.26], [1.09, 1.41], [0.07, 1.33]];
const ADT: [f64; 2] = [5.4, 6.1];
const START: [f64; 4] = [0.3, -0.2, 0.1, 0.05];

/// A program that calls each airfoil kernel on the values above and prints the bits of what they write.
fn airfoil_program() -> String {
    let mut text = String::from(
        "#include <math.h>\n#include <stdint.h>\n#include <stdio.h>\n#include <string.h>\n",
    );
    for (name, values) in Constants::published().named() {
        let (extent, value) = if values.len() > 1 {
            ("[4]", list(values))
        } else {
            ("", format!("{:?}", values[0]))
        };
        writeln!(text, "static const double {name}{extent} = {value};").unwrap();
    }
    for kernel in airfoil::KERNELS {
        text += &kernel.source.replace("inline void", "static inline void");
    }
    for (name, values) in [("q1", &Q1), ("q2", &Q2), ("start", &START)] {
        writeln!(text, "static double {name}[4] = {};", list(values)).unwrap();
    }
    let rows: Vec<String> = X.iter().map(|x| list(x)).collect();
    writeln!(
        text,
        "static double x[4][2] = {{{}}}, adt[2] = {};",
        rows.join(", "),
        list(&ADT)
    )
    .unwrap();
    text + include_str!("airfoil_program.c")
}

/// What the program prints, from the Rust reference.
fn airfoil_expected() -> Vec<f64> {
    use airfoil_reference::{adt_calc, bres_calc, res_calc, save_soln, update};
    let constants = Constants::published();
    let side = [&X[0], &X[1]];
    let mut out = Vec::new();

    let mut qold = [0.0; 4];
    save_soln(&Q1, &mut qold);
    out.extend(qold);

    let mut adt = 0.0;
    adt_calc(&constants, [&X[0], &X[1], &X[2], &X[3]], &Q1, &mut adt);
    out.push(adt);

    let (mut res1, mut res2) = (START, START);
    res_calc(&constants, side, [&Q1, &Q2], ADT, &mut res1, &mut res2);
    out.extend(res1.into_iter().chain(res2));

    for bound in [airfoil::BOUND_WALL, airfoil::BOUND_FAR_FIELD] {
        let mut res = START;
        bres_calc(&constants, side, &Q1, ADT[0], &mut res, bound);
        out.extend(res);
    }

    let (mut q, mut res, mut rms) = (Q1, START, 0.25);
    update(&Q2, &mut q, &mut res, ADT[0], &mut rms);
    out.extend(q.into_iter().chain(res).chain([rms]));
    out
}

#[test]
fn the_airfoil_kernels_compute_what_the_reference_computes_bit_for_bit() {
    if !have_cc() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(
        cc(
            directory.path(),
            &airfoil_program(),
            &["-o", "program", "-lm"]
        ),
        ""
    );
    let output = Command::new(directory.path().join("program"))
        .output()
        .unwrap();
    let printed: Vec<f64> = String::from_utf8(output.stdout)
        .unwrap()
        .split_ascii_whitespace()
        .map(|bits| f64::from_bits(u64::from_str_radix(bits, 16).unwrap()))
        .collect();
    assert_eq!(printed, airfoil_expected());
}
