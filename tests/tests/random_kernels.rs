//! Random kernels mean the same in the interpreter, natively and in C.
//!
//! A kernel is drawn as a tree of small numbers and written as C by rules that make every tree a valid kernel, so that a tree
//! shrunk is a kernel still. *Tame* kernels have a meaning in C; they are compared with the C compiler's code in strict mode.
//! *Wild* ones index, divide, shift, convert and loop as they like, which parloop defines or stops; natively and in the
//! interpreter they must end alike, and alike before and after passes. `PARLOOP_TEST_CASES=n` draws n of each.

use parloop_compiler::{DType, FloatMode};
use parloop_tests::case::Case;
use parloop_tests::oracle::{STRICT, build, c_file, have_cc};
use parloop_tests::ways::{End, Mode, Native, interpret, stages};
use parloop_tests::world::{Over, Taste, World, difference};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// An expression: what it is, and what it is made of.
#[derive(Clone, Debug)]
enum Expr {
    Leaf(u8, u8),
    One(u8, Box<Expr>),
    Two(u8, Box<Expr>, Box<Expr>),
    Three(Box<Expr>, Box<Expr>, Box<Expr>),
}

#[derive(Clone, Debug)]
enum Stmt {
    /// A place, an operator, a value.
    Assign(u8, u8, Expr),
    Local(u8, Expr),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    For(u8, Expr, Vec<Stmt>),
    While(Expr, Vec<Stmt>),
    Switch(Expr, Vec<Stmt>, Vec<Stmt>),
    /// Leaves a loop or the kernel under a condition.
    Leave(u8, Expr),
}

#[derive(Clone, Debug)]
struct Drawn {
    params: Vec<(u8, u8, u8)>,
    body: Vec<Stmt>,
    seed: u64,
}

fn expr() -> impl Strategy<Value = Expr> {
    let leaf = (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Expr::Leaf(a, b));
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (any::<u8>(), inner.clone()).prop_map(|(op, a)| Expr::One(op, Box::new(a))),
            (any::<u8>(), inner.clone(), inner.clone()).prop_map(|(op, a, b)| Expr::Two(
                op,
                Box::new(a),
                Box::new(b)
            )),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| Expr::Three(
                Box::new(a),
                Box::new(b),
                Box::new(c)
            )),
        ]
    })
}

fn stmts(depth: u32) -> BoxedStrategy<Vec<Stmt>> {
    let simple = prop_oneof![
        4 => (any::<u8>(), any::<u8>(), expr()).prop_map(|(p, o, e)| Stmt::Assign(p, o, e)),
        2 => (any::<u8>(), expr()).prop_map(|(t, e)| Stmt::Local(t, e)),
        1 => (any::<u8>(), expr()).prop_map(|(k, e)| Stmt::Leave(k, e)),
    ];
    if depth == 0 {
        return prop::collection::vec(simple, 0..4).boxed();
    }
    let inner = stmts(depth - 1);
    let stmt = prop_oneof![
        6 => simple,
        1 => (expr(), inner.clone(), inner.clone()).prop_map(|(c, a, b)| Stmt::If(c, a, b)),
        1 => (any::<u8>(), expr(), inner.clone()).prop_map(|(k, e, b)| Stmt::For(k, e, b)),
        1 => (expr(), inner.clone()).prop_map(|(c, b)| Stmt::While(c, b)),
        1 => (expr(), inner.clone(), inner).prop_map(|(c, a, b)| Stmt::Switch(c, a, b)),
    ];
    prop::collection::vec(stmt, 1..6).boxed()
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let params = prop::collection::vec(any::<(u8, u8, u8)>(), 2..6);
    (params, stmts(2), any::<u64>()).prop_map(|(params, body, seed)| Drawn { params, body, seed })
}

/// Parameters in an arguments' line.
const PATHS: [&str; 7] = [
    "",
    "at ends 0",
    "at ends 1",
    "through wide",
    "at gaps 1",
    "through holes",
    "global",
];
const ACCESSES: [&str; 6] = ["read", "write", "rw", "inc", "min", "max"];
const TYPES: [&str; 8] = ["f64", "f64", "f32", "i32", "i64", "u32", "i8", "u16"];

/// Something with a name that can be read, and perhaps written.
#[derive(Clone)]
struct Place {
    name: String,
    /// Entries, if it is indexed.
    len: Option<u32>,
    float: bool,
    written: bool,
}

/// Writes a drawn kernel as C.
struct Writer {
    wild: bool,
    out: String,
    places: Vec<Place>,
    locals: usize,
    /// Loop counters in scope, each below 4.
    counters: Vec<String>,
    loops: u32,
}

impl Writer {
    fn place(&self, which: u8, write: bool) -> Option<&Place> {
        let fit: Vec<&Place> = self.places.iter().filter(|p| p.written || !write).collect();
        (!fit.is_empty()).then(|| fit[usize::from(which) % fit.len()])
    }

    /// An index of `len` entries: a counter, a constant, or in wild kernels whatever `by` says.
    fn index(&self, len: u32, by: u8, inner: Option<&str>) -> String {
        let counter = self
            .counters
            .get(usize::from(by / 8) % self.counters.len().max(1));
        match (by % 4, counter, inner) {
            (0, Some(counter), _) if len >= 4 => counter.clone(),
            (1, Some(counter), _) => format!("{counter} % {len}"),
            (2, _, Some(inner)) if self.wild => inner.to_owned(),
            (2, _, Some(inner)) => format!(
                "({inner}) & {}",
                len.next_power_of_two() / if len.is_power_of_two() { 1 } else { 2 } - 1
            ),
            _ => format!("{}", u32::from(by) % len),
        }
    }

    fn access(&self, place: &Place, by: u8, inner: Option<&str>) -> String {
        match place.len {
            Some(len) => format!("{}[{}]", place.name, self.index(len, by, inner)),
            None => place.name.clone(),
        }
    }

    /// An expression and whether it is floating point.
    fn expr(&self, expr: &Expr) -> (String, bool) {
        match expr {
            Expr::Leaf(which, by) => self.leaf(*which, *by),
            Expr::One(op, a) => self.one(*op, self.expr(a)),
            Expr::Two(op, a, b) => self.two(*op, self.expr(a), self.expr(b)),
            Expr::Three(a, b, c) => {
                let ((a, _), (b, f), (c, g)) = (self.expr(a), self.expr(b), self.expr(c));
                (format!("({a} ? {b} : {c})"), f || g)
            }
        }
    }

    fn leaf(&self, which: u8, by: u8) -> (String, bool) {
        const LITERALS: [(&str, bool); 10] = [
            ("0", false),
            ("1", false),
            ("-3", false),
            ("7u", false),
            ("100000", false),
            ("0.5", true),
            ("-1.25", true),
            ("3.0f", true),
            ("1e-3", true),
            ("0.1", true),
        ];
        if which.is_multiple_of(3) {
            let (text, float) = LITERALS[usize::from(by) % LITERALS.len()];
            return (text.to_owned(), float);
        }
        if which % 7 == 1 && !self.counters.is_empty() {
            return (
                self.counters[usize::from(by) % self.counters.len()].clone(),
                false,
            );
        }
        match self.place(which / 3, false) {
            Some(place) => (self.access(place, by, None), place.float),
            None => ("2".to_owned(), false),
        }
    }

    /// As an integer: floating point is cut first, to where C says what the conversion is.
    fn int(&self, (text, float): (String, bool)) -> String {
        match (float, self.wild) {
            (false, _) => text,
            (true, true) => format!("(int)({text})"),
            (true, false) => format!("(int)fmin(fmax({text}, -1000.0), 1000.0)"),
        }
    }

    fn one(&self, op: u8, a: (String, bool)) -> (String, bool) {
        let float = a.1;
        match op % 10 {
            0 => (format!("(-({}))", a.0), float),
            1 => (format!("(!{})", a.0), false),
            2 => (format!("(~({}))", self.int(a)), false),
            3 => (format!("fabs({})", a.0), true),
            4 => (format!("sqrt(fabs({}))", a.0), true),
            5 => (format!("floor({})", a.0), true),
            6 => (format!("(float)({})", a.0), true),
            7 => (format!("(int8_t)({})", self.int(a)), false),
            8 => (format!("(double)({})", a.0), true),
            _ => {
                let inner = self.int(a);
                match self.place(op / 10, false).filter(|p| p.len.is_some()) {
                    Some(place) => (self.access(place, 2, Some(&inner)), place.float),
                    None => (format!("(unsigned)({inner})"), false),
                }
            }
        }
    }

    fn two(&self, op: u8, a: (String, bool), b: (String, bool)) -> (String, bool) {
        let float = a.1 || b.1;
        let plain = ["+", "-", "*", "+", "*"];
        let compare = ["<", "<=", ">", ">=", "==", "!="];
        match op % 16 {
            n @ 0..=4 => (
                format!("({} {} {})", a.0, plain[usize::from(n)], b.0),
                float,
            ),
            5 => (format!("({} / {})", a.0, b.0), true)
                .filter_float(float, || self.divided("/", &a, &b)),
            6 => (self.divided("%", &a, &b), false),
            7 => (
                format!("({} {} {})", a.0, compare[usize::from(op / 16) % 6], b.0),
                false,
            ),
            8 => (format!("({} && {})", a.0, b.0), false),
            9 => (format!("({} || {})", a.0, b.0), false),
            n @ 10..=12 => {
                let op = ["&", "|", "^"][usize::from(n) - 10];
                (format!("({} {op} {})", self.int(a), self.int(b)), false)
            }
            n @ 13..=14 => {
                let op = if n == 13 { "<<" } else { ">>" };
                let count = self.int(b);
                let count = if self.wild {
                    count
                } else {
                    format!("({count} & 7)")
                };
                (format!("({} {op} {count})", self.int(a)), false)
            }
            _ => (
                format!(
                    "{}({}, {})",
                    if (op / 16).is_multiple_of(2) {
                        "fmin"
                    } else {
                        "fmax"
                    },
                    a.0,
                    b.0
                ),
                true,
            ),
        }
    }

    /// An integer division; tame ones are by 1 to 8.
    fn divided(&self, op: &str, a: &(String, bool), b: &(String, bool)) -> String {
        let (a, b) = (self.int(a.clone()), self.int(b.clone()));
        match self.wild {
            true => format!("({a} {op} {b})"),
            false => format!("({a} {op} (({b} & 7) + 1))"),
        }
    }

    fn line(&mut self, text: &str) {
        let depth = 1 + self.counters.len();
        self.out += &"  ".repeat(depth);
        self.out += text;
        self.out.push('\n');
    }

    fn block(&mut self, stmts: &[Stmt]) {
        let places = self.places.len();
        stmts.iter().for_each(|stmt| self.stmt(stmt));
        self.places.truncate(places);
    }

    /// The value of `expr` for a place of this kind.
    fn value(&self, expr: &Expr, float: bool) -> String {
        let value = self.expr(expr);
        if float { value.0 } else { self.int(value) }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Assign(which, op, expr) => self.assign(*which, *op, expr),
            Stmt::Local(ty, expr) => self.local(*ty, expr),
            Stmt::If(cond, then, other) => {
                let cond = self.expr(cond).0;
                self.line(&format!("if ({cond}) {{"));
                self.block(then);
                self.line("} else {");
                self.block(other);
                self.line("}");
            }
            Stmt::For(kind, bound, body) => self.counted(*kind, bound, body),
            Stmt::While(cond, body) => self.until(cond, body),
            Stmt::Switch(on, one, two) => {
                let on = self.int(self.expr(on));
                self.line(&format!("switch (({on}) & 3) {{ case 1: {{"));
                self.block(one);
                self.line("} case 2: {");
                self.block(two);
                self.line("} break; default: ; }");
            }
            Stmt::Leave(kind, cond) => {
                let cond = self.expr(cond).0;
                let how = match (kind % 4, self.loops) {
                    (0, _) | (_, 0) => "return",
                    (1, _) => "continue",
                    _ => "break",
                };
                self.line(&format!("if ({cond}) {how};"));
            }
        }
    }

    fn assign(&mut self, which: u8, op: u8, expr: &Expr) {
        let Some(place) = self.place(which, true).cloned() else {
            return;
        };
        let value = self.value(expr, place.float);
        let to = self.access(&place, op / 8, None);
        let text = match (op % 8, place.float) {
            (0..=2, _) => format!("{to} = {value};"),
            (3 | 4, _) => format!("{to} += {value};"),
            (5, _) => format!("{to} -= {value};"),
            (6, true) => format!("{to} *= {value};"),
            (6, false) => format!("{to} ^= {value};"),
            _ => format!("{to}++;"),
        };
        self.line(&text);
    }

    fn local(&mut self, ty: u8, expr: &Expr) {
        let name = format!("t{}", self.locals);
        self.locals += 1;
        let (ty, float, len) = [
            ("double", true, None),
            ("int", false, None),
            ("float", true, None),
            ("unsigned", false, None),
            ("double", true, Some(4)),
            ("int64_t", false, None),
            ("int", false, Some(3)),
            ("int16_t", false, None),
        ][usize::from(ty) % 8];
        let value = self.value(expr, float);
        match len {
            Some(len) => self.line(&format!("{ty} {name}[{len}] = {{1, {value}}};")),
            None => self.line(&format!("{ty} {name} = {value};")),
        }
        self.places.push(Place {
            name,
            len,
            float,
            written: true,
        });
    }

    fn counted(&mut self, kind: u8, bound: &Expr, body: &[Stmt]) {
        let counter = format!("i{}", self.counters.len());
        let bound = match (kind % 3, self.wild) {
            (0, _) => format!("{}", kind % 5),
            (1, true) => format!("({}) % 9", self.int(self.expr(bound))),
            _ => format!("(({}) & 3)", self.int(self.expr(bound))),
        };
        // Counters of tame kernels stay below 4, so that they may index.
        let bound = if self.wild || !kind.is_multiple_of(3) {
            bound
        } else {
            format!("{}", kind % 4)
        };
        self.line(&format!(
            "for (int {counter} = 0; {counter} < {bound}; {counter}++) {{"
        ));
        self.counters.push(counter);
        self.loops += 1;
        self.block(body);
        self.loops -= 1;
        self.counters.pop();
        self.line("}");
    }

    fn until(&mut self, cond: &Expr, body: &[Stmt]) {
        let name = format!("n{}", self.locals);
        self.locals += 1;
        let cond = self.expr(cond).0;
        self.line(&format!("int {name} = 0;"));
        match self.wild {
            true => self.line(&format!("while ({cond}) {{")),
            false => self.line(&format!("while ({name} < 5 && {cond}) {{ {name}++;")),
        }
        self.loops += 1;
        self.block(body);
        self.loops -= 1;
        self.line("}");
    }
}

/// Chooses between the two forms of a division.
trait FilterFloat {
    fn filter_float(self, float: bool, int: impl FnOnce() -> String) -> (String, bool);
}

impl FilterFloat for (String, bool) {
    fn filter_float(self, float: bool, int: impl FnOnce() -> String) -> (String, bool) {
        if float { self } else { (int(), false) }
    }
}

fn case(drawn: &Drawn, wild: bool) -> Case {
    let mut writer = Writer {
        wild,
        out: String::new(),
        places: Vec::new(),
        locals: 0,
        counters: Vec::new(),
        loops: 0,
    };
    let (mut args, mut params) = (Vec::new(), Vec::new());
    for (i, (path, access, rest)) in drawn.params.iter().enumerate() {
        let path = PATHS[usize::from(*path) % PATHS.len()];
        // The last one is written, so that a kernel does something.
        let access = match i + 1 == drawn.params.len() {
            true => ACCESSES[1 + usize::from(*access) % 5],
            false => ACCESSES[usize::from(*access) % 6],
        };
        let ty = TYPES[usize::from(*rest) % TYPES.len()];
        let dim = 1 + u32::from(*rest / 8) % 4;
        // Half of those that may share a dat do.
        let of = match (path, access, rest / 128) {
            ("", _, 1) => format!("of own_{ty}_{dim}"),
            ("global", ..) | (_, "write" | "rw", _) | (.., 0) => format!("of p{i}"),
            _ => format!("of {access}_{ty}_{dim}"),
        };
        args.push(format!("{access} {ty} {dim} {path} {of}"));
        let rows = match path {
            "through wide" => 3,
            "through holes" => 2,
            _ => 1,
        };
        let c = parloop_tests::case::dtype(ty);
        let constness = if access == "read" { "const " } else { "" };
        params.push(format!("{constness}{} *p{i}", c.c_name()));
        writer.places.push(Place {
            name: format!("p{i}"),
            len: Some(dim * rows),
            float: matches!(c, DType::F64 | DType::F32),
            written: access != "read",
        });
    }
    writer.block(&drawn.body);
    let text = format!("void k({}) {{\n{}}}\n", params.join(", "), writer.out);
    Case::new("random", &args.join("; "), &text)
}

/// What went wrong, with the kernel that shows it.
fn fail(case: &Case, what: impl std::fmt::Display) -> TestCaseError {
    let args: Vec<String> = case.args.iter().map(|a| format!("{a:?}")).collect();
    TestCaseError::fail(format!("{what}\n{}\n{}", args.join("\n"), case.text))
}

/// What wild kernels may be refused for.
const CERTAIN: [&str; 2] = ["index-out-of-range", "division-by-zero"];

fn modes() -> Vec<Mode> {
    let mut modes = Mode::all();
    modes.retain(|m| m.options.lanes == 1);
    modes
}

fn check(case: &Case, seed: u64, with_c: bool) -> Result<(), TestCaseError> {
    let front = match case.check() {
        Ok(front) => front,
        // What is certainly wrong is said before anything is compiled.
        Err(e) if !with_c && e.0.iter().all(|d| CERTAIN.contains(&&*d.code)) => return Ok(()),
        Err(e) => return Err(fail(case, format_args!("not accepted: {e}"))),
    };
    let directory = tempfile::tempdir().unwrap();
    let c = (with_c && have_cc()).then(|| {
        build(
            directory.path(),
            "random",
            &c_file(case, &front, true),
            &STRICT,
        )
    });
    for mode in modes() {
        let stages = stages(&front, mode).map_err(|e| fail(case, e))?;
        let native = Native::new(case, mode);
        for (size, taste, over) in [
            (9, Taste::Plain, Over::All),
            (5, Taste::Special, Over::All),
            (6, Taste::Plain, Over::List(vec![3, 4, 0, 0, 5])),
        ] {
            let world = World::new(case, size, taste, seed);
            let what = format!("{mode:?}, {size} elements, {taste:?}, {over:?}");
            let ours = native
                .run(&world, &over)
                .map_err(|e| fail(case, format_args!("{what}: {e}")))?;
            let pairs = [
                ("after passes", &stages.optimised, true),
                ("before passes", &stages.guarded, false),
            ];
            for (stage, looped, always) in pairs {
                if !always && mode.options.float != FloatMode::Strict {
                    continue;
                }
                let theirs = interpret(case, &front, looped, &world, &over)
                    .map_err(|e| fail(case, format_args!("{what}: {stage}: {e}")))?;
                if ours.end != theirs.end {
                    let ends = format!("{what}: native {:?}, {stage} {:?}", ours.end, theirs.end);
                    return Err(fail(case, ends));
                }
                if ours.end == End::Done
                    && let Some(at) = difference(&world.data, &ours.data, &theirs.data)
                {
                    return Err(fail(case, format_args!("{what}: native and {stage}: {at}")));
                }
            }
            if let (Some(c), FloatMode::Strict) = (&c, mode.options.float) {
                if ours.end != End::Done {
                    return Err(fail(
                        case,
                        format_args!("{what}: a tame kernel ended {:?}", ours.end),
                    ));
                }
                let theirs = c.run(case, &front, &world, &over);
                if let Some(at) = difference(&world.data, &ours.data, &theirs.data) {
                    return Err(fail(case, format_args!("{what}: native and C: {at}")));
                }
            }
        }
    }
    Ok(())
}

fn soak(wild: bool) {
    let asked = std::env::var("PARLOOP_TEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    let config = Config {
        cases: asked.unwrap_or(60),
        failure_persistence: None,
        max_shrink_iters: if wild { 2_000 } else { 300 },
        ..Config::default()
    };
    // The suite draws the same kernels each time, a soak draws others.
    let mut runner = match asked {
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
        Some(_) => TestRunner::new(config),
    };
    let result = runner.run(&drawn(), |drawn| {
        check(&case(&drawn, wild), drawn.seed, !wild)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn tame_kernels_mean_the_same_in_the_interpreter_natively_and_in_c() {
    soak(false);
}

#[test]
fn wild_kernels_mean_the_same_or_stop_alike_in_the_interpreter_and_natively() {
    soak(true);
}
