//! The C kernels, built by the system's C compiler, against the Rust references, bit for bit.
//!
//! Built with `-ffp-contract=off`, both sides do the same operations in the same order. Where there is no C compiler the tests
//! say so and pass.

mod compiler_help;

use std::fmt::Write as _;
use std::process::Command;

use compiler_help::{cc, have_cc};
use parloop_kernels::airfoil::{self, Constants, reference as airfoil_reference};
use parloop_kernels::jac;
use parloop_kernels::jac::mesh::Grid;
use parloop_kernels::jac::reference::{Real, Reference};
use parloop_kernels::reduce::mesh::{Network, values};
use parloop_kernels::reduce::reference::{Globals, gap, globals, high_ends, low_ends, sum_ends};
use parloop_kernels::reduce::{self, Element};
use parloop_kernels::text::KernelText;

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
    let mut constants = String::new();
    for (name, values) in Constants::published().named() {
        let (extent, value) = if values.len() > 1 {
            ("[4]", list(values))
        } else {
            ("", format!("{:?}", values[0]))
        };
        writeln!(constants, "static const double {name}{extent} = {value};").unwrap();
    }
    let mut text = program_start(
        &constants,
        airfoil::KERNELS.iter().map(|kernel| kernel.source),
    );
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
    text + include_str!("c/airfoil_program.c")
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

/// Headers, declarations, then the kernels' texts as functions of this one program.
fn program_start<'a>(declarations: &str, texts: impl IntoIterator<Item = &'a str>) -> String {
    let headers = ["math.h", "stdint.h", "stdio.h", "string.h"];
    let mut text: String = headers
        .iter()
        .map(|header| format!("#include <{header}>\n"))
        .collect();
    text += declarations;
    for kernel in texts {
        text += &kernel.replace("inline void", "static inline void");
    }
    text
}

/// A C array `name` of `values`, written so that they come back exactly.
fn array<T: std::fmt::Debug>(element: &str, name: &str, values: &[T]) -> String {
    let listed: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
    format!(
        "static {element} {name}[{}] = {{{}}};\n",
        values.len(),
        listed.join(", ")
    )
}

/// Builds and runs `program`; gives the bits it prints, a double a line, in hexadecimal.
fn run(program: &str) -> Vec<f64> {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(cc(directory.path(), program, &["-o", "program", "-lm"]), "");
    let output = Command::new(directory.path().join("program"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout)
        .unwrap()
        .split_ascii_whitespace()
        .map(|bits| f64::from_bits(u64::from_str_radix(bits, 16).unwrap()))
        .collect()
}

/// A value as the double that a C program prints for it; sample values and their sums are exact in decimal.
fn as_double(value: impl std::fmt::Debug) -> f64 {
    format!("{value:?}").parse().unwrap()
}

#[test]
fn the_airfoil_kernels_compute_what_the_reference_computes() {
    if have_cc() {
        assert_eq!(run(&airfoil_program()), airfoil_expected());
    }
}

fn check_jac<T: Real + Into<f64>>(element: &str, kernels: &[KernelText]) {
    let grid = Grid::<T>::new(7).unwrap();
    let declarations = format!("#define T {element}\nstatic const T alpha = 1;\n");
    let mut program = program_start(&declarations, kernels.iter().map(|kernel| kernel.source));
    program += &array("int", "edges", &grid.edges);
    program += &array(element, "a", &grid.a);
    program += &array(element, "r", &grid.r);
    writeln!(
        program,
        "enum {{ NNODE = {}, NEDGE = {} }};",
        grid.nnode(),
        grid.nedge()
    )
    .unwrap();
    program += include_str!("c/jac_program.c");

    let mut reference = Reference::new(&grid);
    let mut expected: Vec<f64> = Vec::new();
    for _ in 0..5 {
        let totals = reference.iterate();
        expected.extend([totals.u_sum.into(), totals.u_max.into()]);
    }
    expected.extend(reference.u.iter().map(|&u| u.into()));
    assert_eq!(run(&program), expected, "{element}");
}

#[test]
fn the_jac_kernels_compute_what_the_reference_computes() {
    if have_cc() {
        check_jac::<f64>("double", &jac::KERNELS[..2]);
        check_jac::<f32>("float", &jac::KERNELS[2..]);
    }
}

fn check_reduce<T: Element>() {
    let element = T::TYPE.c_name();
    let network = Network::new(20, 90).unwrap();
    let (v, start) = (
        values::<T>(network.nedge(), 3),
        values::<T>(network.nnode, 4),
    );
    let texts = reduce::KERNELS.map(|kernel| reduce::text(&kernel, T::TYPE));
    let declarations = format!("#define T {element}\n");
    let mut program = program_start(&declarations, texts.iter().map(String::as_str));
    program += &array("int", "edges", &network.edges);
    program += &array(element, "v", &v);
    program += &array(element, "start", &start);
    writeln!(
        program,
        "enum {{ NNODE = {}, NEDGE = {} }};",
        network.nnode,
        network.nedge()
    )
    .unwrap();
    program += include_str!("c/reduce_program.c");

    let (mut sums, mut lows, mut highs) = (start.clone(), start.clone(), start.clone());
    let mut width = vec![T::ZERO; network.nedge()];
    let first = Globals {
        sum: T::ZERO,
        low: v[0],
        high: v[0],
    };
    let totals = globals(&v, first);
    sum_ends(&network.edges, &v, &mut sums);
    low_ends(&network.edges, &v, &mut lows);
    high_ends(&network.edges, &v, &mut highs);
    let widest = gap(&network.edges, &start, &mut width, T::ZERO);
    let results = [
        vec![totals.sum, totals.low, totals.high, widest],
        sums,
        lows,
        highs,
        width,
    ]
    .concat();
    let expected: Vec<f64> = results.into_iter().map(as_double).collect();
    assert_eq!(run(&program), expected, "{element}");
}

#[test]
fn the_reduce_kernels_compute_what_the_reference_computes_in_every_type() {
    if have_cc() {
        check_reduce::<f64>();
        check_reduce::<f32>();
        check_reduce::<i64>();
        check_reduce::<i32>();
        check_reduce::<i16>();
        check_reduce::<i8>();
        check_reduce::<u64>();
        check_reduce::<u32>();
        check_reduce::<u16>();
        check_reduce::<u8>();
    }
}
