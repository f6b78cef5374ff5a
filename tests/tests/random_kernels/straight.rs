//! Kernels on doubles or floats with no control flow but short branches, as assembly over edges and cells is: rows that are an
//! element's own, rows of one or all entries of a map, globals, increments that meet. Several elements at once are for these.

use proptest::prelude::*;
use std::fmt::Write;

/// A kernel as it is drawn: inputs, results, statements.
pub(crate) fn straight() -> impl Strategy<Value = Straight> {
    let inputs = prop::collection::vec(any::<[u8; 2]>(), 1..4);
    let results = prop::collection::vec(any::<[u8; 3]>(), 1..4);
    let steps = prop::collection::vec(any::<[u8; 5]>(), 2..24);
    let (of_floats, chosen) = (any::<bool>(), any::<[u8; 3]>());
    (inputs, results, steps, of_floats, chosen, any::<u64>()).prop_map(
        |(inputs, results, steps, of_floats, chosen, seed)| Straight {
            inputs,
            results,
            steps,
            of_floats,
            chosen,
            seed,
        },
    )
}

/// A kernel as it was drawn.
#[derive(Clone, Debug)]
pub(crate) struct Straight {
    inputs: Vec<[u8; 2]>,
    results: Vec<[u8; 3]>,
    steps: Vec<[u8; 5]>,
    of_floats: bool,
    /// Whether an entry of a row is chosen by what the element before left, whether one of a global, and what becomes of that.
    chosen: [u8; 3],
    pub(crate) seed: u64,
}

const INPUT_PATHS: [&str; 6] = ["", "", "at ends 0", "at ends 1", "through wide", "global"];
const RESULTS: [(&str, &str); 10] = [
    ("write", ""),
    ("rw", ""),
    ("inc", ""),
    ("inc", "at ends 0"),
    ("inc", "at ends 1"),
    ("inc", "through wide"),
    ("write", "at ends 1"),
    ("min", "at ends 0"),
    ("max", "through wide"),
    ("inc", "global"),
];

fn pick<T: Copy>(from: &[T], by: u8) -> T {
    from[usize::from(by) % from.len()]
}

/// How many values a path of a dimension shows.
fn values(path: &str, dim: u8) -> u8 {
    if path.starts_with("through") {
        3 * dim
    } else {
        dim
    }
}

impl Straight {
    /// The file of a corpus with this kernel alone.
    pub(crate) fn file(&self) -> String {
        // Scalar, its C type, and what its functions and literals end with.
        let (scalar, ty, f) = match self.of_floats {
            true => ("f32", "float", "f"),
            false => ("f64", "double", ""),
        };
        let (mut args, mut params, mut body) = (Vec::new(), Vec::new(), String::new());
        let mut known: Vec<String> = Vec::new();
        for (n, [path, dim]) in self.inputs.iter().enumerate() {
            let (path, dim) = (pick(&INPUT_PATHS, *path), 1 + dim % 8);
            args.push(format!("read {scalar} {dim} {path}"));
            params.push(format!("const {ty} *a{n}"));
            known.extend((0..values(path, dim)).map(|i| format!("a{n}[{i}]")));
        }
        if self.chosen[0].is_multiple_of(4) {
            args.push("rw i32 1 global".to_owned());
            params.push("int *turn".to_owned());
            body += "  int side = *turn & 1; *turn = *turn ^ 1;\n";
            for row in self.rows_of_two() {
                writeln!(body, "  {ty} of_{row} = {row}[side];").unwrap();
                known.push(format!("of_{row}"));
            }
        }
        for (n, step) in self.steps.iter().enumerate() {
            let value = expression(step, &known, f);
            let (first, last) = (&known[0], &known[known.len() - 1]);
            match step[0] {
                0..180 => writeln!(body, "  {ty} t{n} = {value};"),
                180..220 => writeln!(
                    body,
                    "  {ty} t{n} = {last}; if (a0[0] < {last}) t{n} = {value} - {first};"
                ),
                _ => writeln!(
                    body,
                    "  {ty} t{n}; if ({last} > 1) {{ t{n} = {value}; if (t{n} < {first}) t{n} = {first}; }} \
                     else t{n} = {last} - {first};"
                ),
            }
            .unwrap();
            known.push(format!("t{n}"));
        }
        for (n, [which, dim, order]) in self.results.iter().enumerate() {
            let ((access, path), dim) = (pick(&RESULTS, *which), 1 + dim % 4);
            // Increments of one dimension meet in one dat.
            let shared = format!(" of r{dim}");
            let meets = access == "inc" && path.contains("ends");
            let of = if meets { &shared } else { "" };
            args.push(format!("{access} {scalar} {dim} {path}{of}"));
            params.push(format!("{ty} *x{n}"));
            for i in 0..values(path, dim) {
                let entry = format!("x{n}[{i}]");
                let at = known.len() - 1 - usize::from(order.wrapping_mul(i + 1)) % known.len();
                let value = &known[at];
                let statement = match access {
                    "write" if order % 4 == 0 => {
                        let first = &known[0];
                        format!("{entry} = {first}; if ({value} < {first}) {entry} = {value};")
                    }
                    "rw" if order % 4 == 0 => format!(
                        "if ({value} > 1) {entry} = {value} * 0.5{f}; else if ({value} < {entry}) {entry} -= {value};"
                    ),
                    "write" => format!("{entry} = {value};"),
                    "rw" => format!("{entry} = {entry} * 0.5{f} - {value};"),
                    "min" if order % 3 == 0 => format!("if ({value} < {entry}) {entry} = {value};"),
                    "max" if order % 3 == 0 => {
                        format!("{entry} = {entry} > {value} ? {entry} : {value};")
                    }
                    "min" => format!("{entry} = fmin{f}({entry}, {value}) + 0.0{f};"),
                    "max" => format!("{entry} = fmax{f}({entry}, {value}) + 0.0{f};"),
                    _ if order % 3 == 0 => format!("{entry} -= {value} * {};", known[0]),
                    _ => format!("{entry} += {value};"),
                };
                writeln!(body, "  {statement}").unwrap();
            }
        }
        if self.chosen[1].is_multiple_of(4) {
            let access = pick(&["rw", "max", "min"], self.chosen[2]);
            args.extend([
                "read i32 1 global".to_owned(),
                format!("{access} {scalar} 4 global"),
            ]);
            params.extend(["const int *which".to_owned(), format!("{ty} *kept")]);
            let last = &known[known.len() - 1];
            let value = match access {
                "rw" => format!("kept[*which & 3] * 0.5{f} - {last}"),
                _ => format!("f{access}{f}(kept[*which & 3], {last}) + 0.0{f}"),
            };
            writeln!(body, "  kept[*which & 3] = {value};").unwrap();
        }
        format!(
            "// == straight\n// args: {}\nvoid k({}) {{\n{body}}}\n",
            args.join("; "),
            params.join(", ")
        )
    }

    /// Parameters with rows of at least two values.
    fn rows_of_two(&self) -> Vec<String> {
        let inputs = self.inputs.iter().enumerate();
        let read = inputs
            .filter(|(_, [_, dim])| 1 + dim % 8 >= 2)
            .map(|(n, _)| format!("a{n}"));
        let results = self.results.iter().enumerate();
        let updated = results
            .filter(|(_, [which, dim, _])| pick(&RESULTS, *which).0 == "rw" && 1 + dim % 4 >= 2);
        read.chain(updated.map(|(n, _)| format!("x{n}"))).collect()
    }
}

/// C leaves open which of two zeros is the least; the sum with 0 is the same for both.
fn expression([op, a, b, c, k]: &[u8; 5], known: &[String], f: &str) -> String {
    // Most operands are of the latest.
    let operand = |by: u8| {
        let back = usize::from(by) % known.len();
        &known[known.len()
            - 1
            - if by < 192 {
                back % 6 % known.len()
            } else {
                back
            }]
    };
    let (a, b, c, k) = (operand(*a), operand(*b), operand(*c), i32::from(*k) - 100);
    let first = &known[0];
    let early = &known[known.len().min(3) - 1];
    match op % 16 {
        0 => format!("{a} + {b}"),
        1 => format!("{a} - {b} * {c}"),
        2 => format!("{a} * {b} + {c}"),
        // Several are divided by the same.
        3 => format!("{a} / (1 + {first} * {first})"),
        4 => format!("sqrt{f}(fabs{f}({a})) * {k}"),
        5 => format!("(fmin{f}({a}, {b}) + 0.0{f}) - {c}"),
        6 => format!("(fmax{f}({a}, {b}) + 0.0{f}) * 0.25{f}"),
        7 => format!("-({a}) + {k}"),
        8 => format!("{a} < {b} ? {c} : {a}"),
        9 => format!("floor{f}({a} * 4) - rint{f}({b})"),
        10 => format!("({a} - {b}) / (2 + fabs{f}({c}))"),
        11 | 12 => format!("({a} - {b}) / (1 + {first} * {first})"),
        13 => format!("{a} * {b} / (2 + fabs{f}({early}))"),
        14 => format!("{a} / (2 + fabs{f}({early}))"),
        _ => format!("sqrt{f}(1 + {a} * {a}) - {b} * {k}"),
    }
}
