//! Kernels that add products to an element's matrix or vector in each point of a quadrature, as code generators of finite elements
//! write them, and some that only look like it: such nests are run as rank-k updates.

use proptest::prelude::*;
use std::fmt::Write;

/// A kernel as it is drawn: how long its loops are, the terms of its nests, and how it deviates.
pub(crate) fn integral() -> impl Strategy<Value = Integral> {
    let sizes = (1..15u8, 1..19u8, 3..37u8);
    let terms = prop::collection::vec(any::<[u8; 4]>(), 1..6);
    let nests = prop::collection::vec(any::<[u8; 4]>(), 1..3);
    (sizes, terms, nests, any::<[u8; 6]>(), any::<u64>()).prop_map(
        |((points, rows, columns), terms, nests, choices, seed)| Integral {
            points: points.into(),
            rows: rows.into(),
            columns: columns.into(),
            terms,
            nests,
            choices,
            seed,
        },
    )
}

/// A kernel as it was drawn.
#[derive(Clone, Debug)]
pub(crate) struct Integral {
    points: usize,
    rows: usize,
    columns: usize,
    terms: Vec<[u8; 4]>,
    nests: Vec<[u8; 4]>,
    choices: [u8; 6],
    pub(crate) seed: u64,
}

/// A table of small numbers, some of them zero, that differ from each other: for each facet a row for each point.
fn table(ty: Ty, name: &str, [facets, points, length]: [usize; 3]) -> String {
    let (ty, f) = ty;
    let number = |n: usize| (n * 29 + name.len() * 7 + n * n) % 17;
    let row = |q: usize| {
        let numbers = (0..length).map(|n| format!("{}.25{f}", number(q * length + n) as i32 - 8));
        format!("{{{}}}", numbers.collect::<Vec<_>>().join(", "))
    };
    let facet = |e: usize| {
        let rows: Vec<String> = (0..points).map(|q| row(e * points + q)).collect();
        format!("{{{}}}", rows.join(", "))
    };
    let all: Vec<String> = (0..facets).map(facet).collect();
    format!(
        "  static const {ty} {name}[{facets}][{points}][{length}] = {{{}}};\n",
        all.join(", ")
    )
}

/// How far the columns of a nest start from the first.
const SHIFTS: [usize; 4] = [0, 0, 3, 40];

/// C's name of the kernel's floating-point type, and what its functions and literals end with.
type Ty = (&'static str, &'static str);

impl Integral {
    fn rows(&self) -> usize {
        if self.choices[5].is_multiple_of(4) {
            1
        } else {
            self.rows
        }
    }

    /// How many facets tables have a part for, and which one is meant: known when the kernel runs, if there are several.
    fn facets(&self) -> (usize, &'static str) {
        match self.choices[2] % 4 {
            1 => (2, "[e[0] & 1]"),
            2 => (4, "[e[1] & 1 | e[0] & 2]"),
            _ => (1, "[0]"),
        }
    }

    /// Whether a block is all there is.
    fn is_dense(&self) -> bool {
        self.choices[0] >= 160
    }

    /// Entries of a row, with room for a block beside.
    fn width(&self) -> usize {
        if self.is_dense() {
            return self.columns;
        }
        self.columns + SHIFTS[3] + usize::from(self.choices[5] % 3)
    }

    /// The file of a corpus with this kernel alone.
    pub(crate) fn file(&self) -> String {
        let [of_floats, access, ..] = self.choices;
        let (scalar, ty, f) = match of_floats % 3 {
            0 => ("f32", "float", "f"),
            _ => ("f64", "double", ""),
        };
        let (rows, width) = (self.rows(), self.width());
        let size = match rows {
            1 => width,
            rows if self.is_dense() => rows * width,
            rows => (rows + 1) * width,
        };
        let (arg, path) = match access % 4 {
            0 => ("inc", ""),
            1 => ("rw", ""),
            2 => ("inc", "at ends 0"),
            _ => ("write", ""),
        };
        let mut body = String::new();
        for at in 0..self.terms.len() {
            let (facets, _) = self.facets();
            let sizes = |length| [facets, self.points, length];
            body += &table((ty, f), &format!("X{at}"), sizes(rows + 2));
            body += &table((ty, f), &format!("T{at}"), sizes(self.columns + 2));
        }
        if arg == "write" {
            writeln!(body, "  for (int i = 0; i < {size}; ++i) A[i] = 0;").unwrap();
        }
        writeln!(body, "  for (int q = 0; q < {}; ++q) {{", self.points).unwrap();
        self.point(&mut body, (ty, f));
        self.weights(&mut body, (ty, f));
        for n in 0..self.nests.len() {
            self.nest(&mut body, n);
        }
        writeln!(body, "  }}").unwrap();
        let numbers = 90.max(rows.max(self.columns) + 1);
        format!(
            "// == integral\n// args: {arg} {scalar} {size} {path}; read {scalar} 4; read {scalar} {numbers}; read i32 2\n\
             void k({ty} *A, const {ty} *c, const {ty} *b, const int *e) {{\n{}}}\n",
            body.replace("[q]", &format!("{}[q]", self.facets().1))
        )
    }

    /// What is computed in a point.
    fn point(&self, body: &mut String, (ty, f): Ty) {
        let [.., point, deviation, _] = self.choices;
        writeln!(body, "    {ty} w = c[0] + c[1] * X0[q][0];").unwrap();
        match point % 6 {
            0 => writeln!(body, "    if (w > 1) w = w * 0.5{f} - c[2];"),
            1 => writeln!(body, "    for (int k = 0; k < 4; ++k) w += b[k] * T0[q][k % 2];"),
            2 if deviation % 8 == 0 => writeln!(body, "    if (w > 100) break;"),
            3 => writeln!(body, "    w = fabs{f}(w) / (1 + c[3] * c[3]);"),
            4 => writeln!(
                body,
                "    {ty} u = 0, v = {}; for (int k = 0; k < {}; ++k) {{ u += b[2 * k + 1] * T0[q][k]; v += T0[q][k] * b[{}]; }} w += u - v;",
                if deviation % 8 == 4 { "c[1]" } else { "0" },
                self.columns + 2,
                if deviation % 8 == 5 { "k" } else { "2 * k" },
            ),
            _ => Ok(()),
        }
        .unwrap();
    }

    /// The weights of the terms, and rows of tables times them.
    fn weights(&self, body: &mut String, (ty, _): Ty) {
        let sum = if self.choices[4] % 16 == 1 {
            " + b[0]"
        } else {
            ""
        };
        for (at, [.., how]) in self.terms.iter().enumerate() {
            let by = if how % 2 == 0 { "w" } else { "c[2]" };
            writeln!(body, "    {ty} f{at} = {by} * c[{}];", at % 4).unwrap();
            if how % 4 < 2 {
                let length = self.columns + usize::from(how % 3);
                writeln!(
                    body,
                    "    {ty} t{at}[{}] = {{0}};\n    for (int j = 0; j < {length}; ++j) t{at}[j] = f{at} * T{at}[q][j]{sum};",
                    length + 1
                )
                .unwrap();
            }
        }
    }

    /// The entry that a nest adds to.
    fn entry(&self, n: usize) -> String {
        let [shift, first_row, kind, _] = self.nests[n];
        let (rows, columns, width) = (self.rows(), self.columns, self.width());
        // Most of the time the second nest adds to other entries.
        let shift = SHIFTS[3 - (usize::from(shift) / (1 + 5 * n) + 3 * (1 - n)) % 4];
        let first_row = usize::from(first_row % 2);
        match (rows, kind % 16) {
            _ if self.is_dense() => format!("A[{columns} * i + j]"),
            (1, _) => format!("A[j + {shift}]"),
            (_, 0) => format!("A[2 * i + j + {shift}]"),
            (_, 1..4) if 2 * columns <= width => format!("A[(i + {first_row}) * {width} + 2 * j]"),
            (_, 1..4) => format!("A[i * {width} + j]"),
            _ => format!("A[(i + {first_row}) * {width} + (j + {shift})]"),
        }
    }

    fn nest(&self, body: &mut String, n: usize) {
        let [_, _, order, _, deviation, _] = self.choices;
        let (rows, last) = (self.rows(), self.nests[n][3]);
        let outer = format!("for (int i = 0; i < {rows}; ++i)");
        let inner = format!("for (int j = 0; j < {}; ++j)", self.columns);
        let loops = match (rows, order % 3) {
            (1, _) => format!("{{ int i = 0; {inner}"),
            (_, 0) => format!("{{ {inner} {outer}"),
            _ => format!("{{ {outer} {inner}"),
        };
        writeln!(body, "    {loops} {{").unwrap();
        let entry = self.entry(n);
        for at in 0..self.terms.len() {
            // Every other product may be added to a block beside.
            let entry = match entry.rsplit_once("(j + ") {
                Some((row, _)) if last % 3 == 1 && at % 2 == 1 => {
                    format!("{row}(j + {})]", SHIFTS[3])
                }
                _ => entry.clone(),
            };
            let op = if self.terms[at][2] % 64 == 7 {
                "-="
            } else {
                "+="
            };
            writeln!(body, "      {entry} {op} {};", self.product(at)).unwrap();
        }
        writeln!(body, "    }} }}").unwrap();
        if deviation % 8 == 3 && last % 2 == 0 && n == 0 {
            writeln!(body, "    A[1] = A[0] + w;").unwrap();
        }
    }

    /// What a term adds.
    fn product(&self, at: usize) -> String {
        let [row, column, swap, how] = self.terms[at];
        let factor = match (row % 32, self.rows()) {
            (0, _) => format!("f{at}"),
            (1, _) => "b[i % 7]".to_owned(),
            (2 | 3, 2..) => "b[i]".to_owned(),
            _ => format!("X{at}[q][i + {}]", row % 2),
        };
        let columns = match (how % 4, column % 16) {
            (0 | 1, _) => format!("t{at}[j + {}]", u8::from(how % 3 == 1)),
            (2, 0) => "b[j]".to_owned(),
            (2, _) => format!("T{at}[q][j]"),
            _ => format!("(f{at} * T{at}[q][j + {}])", column % 2),
        };
        match swap % 2 {
            0 => format!("{factor} * {columns}"),
            _ => format!("{columns} * {factor}"),
        }
    }
}
