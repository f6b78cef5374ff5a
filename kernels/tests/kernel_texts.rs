//! The C texts: a C compiler takes each without a warning, once the constants it names are declared.
//!
//! Where there is no C compiler the test says so and passes. What the kernels compute is left to `kernel_runs.rs`.

mod compiler_help;

use std::fmt::Write as _;

use compiler_help::{cc, have_cc};
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
