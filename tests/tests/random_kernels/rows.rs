//! Kernels on doubles that touch nothing but the element's own rows, and globals that they read or add to: strips are for these.

use proptest::prelude::*;
use std::fmt::Write;

/// A kernel as it is drawn: inputs, results, statements.
pub(crate) fn rows() -> impl Strategy<Value = Rows> {
    let inputs = prop::collection::vec(any::<[u8; 2]>(), 1..4);
    let results = prop::collection::vec(any::<[u8; 3]>(), 1..4);
    let steps = prop::collection::vec(any::<[u8; 5]>(), 0..8);
    (inputs, results, steps, 1u8..5, any::<u64>()).prop_map(
        |(inputs, results, steps, dim, seed)| Rows {
            inputs,
            results,
            steps,
            dim,
            seed,
        },
    )
}

/// A kernel as it was drawn.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    inputs: Vec<[u8; 2]>,
    results: Vec<[u8; 3]>,
    steps: Vec<[u8; 5]>,
    /// How many values most rows have.
    dim: u8,
    pub(crate) seed: u64,
}

impl Rows {
    /// The file of a corpus with this kernel alone. What is computed is computed for each value of a row.
    pub(crate) fn file(&self) -> String {
        let (mut args, mut params, mut body) = (Vec::new(), Vec::new(), String::new());
        let dim = self.dim;
        let mut known = Vec::new();
        for (n, [kind, order]) in self.inputs.iter().enumerate() {
            let (own, path) = match kind {
                0..150 => (dim, ""),
                150..210 => (1, ""),
                _ => (1 + order % 3, " global"),
            };
            args.push(format!("read f64 {own}{path}"));
            params.push(format!("const double *a{n}"));
            // One value for all of a row, or each for itself.
            known.push(match own == dim && path.is_empty() {
                true => format!("a{n}[i]"),
                false => format!("a{n}[{}]", order % own),
            });
        }
        let mut each = String::new();
        let mut rows = Vec::new();
        for (n, [kind, order, _]) in self.results.iter().enumerate() {
            let (access, own, path) = match kind {
                0..90 => ("write", dim, ""),
                90..170 => ("rw", dim, ""),
                170..210 => ("inc", dim, ""),
                210..225 => ("write", 1, ""),
                _ => ("inc", 1, " global"),
            };
            args.push(format!("{access} f64 {own}{path}"));
            params.push(format!("double *x{n}"));
            rows.push((n, access, own, *order));
            if access == "rw" {
                known.push(format!("x{n}[i]"));
            }
        }
        for (n, step) in self.steps.iter().enumerate() {
            writeln!(each, "    double t{n} = {};", expression(step, &known)).unwrap();
            known.push(format!("t{n}"));
        }
        for (n, access, own, order) in rows {
            let value = &known[known.len() - 1 - usize::from(order) % known.len().min(4)];
            let index = if own == dim { "i" } else { "0" };
            let operator = match access {
                "inc" if order % 3 == 0 => "-=",
                "inc" => "+=",
                _ => "=",
            };
            writeln!(each, "    x{n}[{index}] {operator} {value};").unwrap();
        }
        write!(body, "  for (int i = 0; i < {dim}; i++) {{\n{each}  }}\n").unwrap();
        format!(
            "// == rows\n// args: {}\nvoid k({}) {{\n{body}}}\n",
            args.join("; "),
            params.join(", ")
        )
    }
}

fn expression([op, a, b, c, k]: &[u8; 5], known: &[String]) -> String {
    let operand = |by: u8| &known[known.len() - 1 - usize::from(by) % known.len()];
    let (a, b, c, k) = (operand(*a), operand(*b), operand(*c), i32::from(*k) - 100);
    match op % 9 {
        0 => format!("{a} + {b}"),
        1 => format!("{a} - {b} * {c}"),
        2 => format!("{a} * {b} + {c}"),
        3 => format!("{a} / (1 + {b} * {b})"),
        4 => format!("sqrt(fabs({a})) * {k}"),
        5 => format!("-({a}) + {k}"),
        6 => format!("0.0 * {a} - 1.0 / (2 + fabs({b}))"),
        7 => format!("{a} * {k} - {c} * {b}"),
        _ => "0.0".to_owned(),
    }
}
