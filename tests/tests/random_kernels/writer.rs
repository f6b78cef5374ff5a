//! Writes a tree as C: what is in scope, and what statements become.
//!
//! A *tame* text has a meaning in C: indices are in range, divisors and shift counts are those that C takes, floating point is
//! cut before it becomes an integer, loops end. A *wild* one does as it likes. `values` and `loops` are wild by themselves.

use crate::tree::{Expr, Stmt};
use crate::types::Ty;

/// Something with a name that can be read, and perhaps written.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) ty: Ty,
    /// Entries by dimension, if it is indexed.
    pub(crate) dims: Vec<u32>,
    pub(crate) written: bool,
    /// Whether it is an array of row pointers, and no memory of its own.
    pub(crate) rows: bool,
}

impl Place {
    pub(crate) fn new(name: &str, ty: Ty, dims: &[u32], written: bool) -> Place {
        Place {
            name: name.to_owned(),
            ty,
            dims: dims.to_vec(),
            written,
            rows: false,
        }
    }
}

/// A loop's counter: from 0 to below `max`, where that is known.
#[derive(Clone, Debug)]
pub(crate) struct Counter {
    pub(crate) name: String,
    pub(crate) ty: Ty,
    pub(crate) max: Option<u32>,
}

/// How a helper takes a parameter.
#[derive(Clone, Debug)]
pub(crate) enum Taken {
    Value(Ty),
    /// Of as many values, and whether they are written.
    Pointer(Ty, u32, bool),
}

/// A helper that was written.
#[derive(Clone, Debug)]
pub(crate) struct Func {
    pub(crate) name: String,
    /// What it gives; those that give nothing write through pointers.
    pub(crate) result: Option<Ty>,
    pub(crate) params: Vec<Taken>,
}

/// Where statements leave to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Inside {
    Loop,
    Switch,
}

/// Writes.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) wild_values: bool,
    pub(crate) wild_loops: bool,
    pub(crate) out: String,
    pub(crate) places: Vec<Place>,
    pub(crate) counters: Vec<Counter>,
    pub(crate) funcs: Vec<Func>,
    /// Of the helper that is written.
    pub(crate) result: Option<Ty>,
    names: usize,
    inside: Vec<Inside>,
}

impl Writer {
    pub(crate) fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    pub(crate) fn line(&mut self, text: &str) {
        self.out += &"  ".repeat(1 + self.inside.len());
        self.out += text;
        self.out.push('\n');
    }

    pub(crate) fn block(&mut self, stmts: &[Stmt]) {
        let places = self.places.len();
        stmts.iter().for_each(|stmt| self.stmt(stmt));
        self.places.truncate(places);
    }

    fn inner(&mut self, inside: Inside, stmts: &[Stmt]) {
        self.inside.push(inside);
        self.block(stmts);
        self.inside.pop();
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Assign(which, op, expr) => self.assign(*which, *op, expr),
            Stmt::Local(ty, shape, expr) => self.local(*ty, *shape, expr),
            Stmt::If(cond, then, other) => self.branch(cond, then, other),
            Stmt::For(form, ty, bound, body) => self.counted(*form, *ty, bound, body),
            Stmt::While(form, cond, body) => self.until(*form, cond, body),
            Stmt::Switch(form, on, arms) => self.switch(*form, on, arms),
            Stmt::Leave(kind, cond) => self.leave(*kind, cond),
            Stmt::Call(which, place, expr) => self.call(*which, *place, expr),
            // A walk is long enough by itself.
            Stmt::Walk(..) if self.inside.contains(&Inside::Loop) => {}
            Stmt::Walk(by, expr) => self.walk(*by, expr),
            Stmt::Block(body) => {
                self.line("{");
                self.block(body);
                self.line("}");
            }
        }
    }

    fn branch(&mut self, cond: &Expr, then: &[Stmt], other: &[Stmt]) {
        let cond = self.expr(cond).text;
        self.line(&format!("if ({cond}) {{"));
        self.block(then);
        if !other.is_empty() {
            self.line("} else {");
            self.block(other);
        }
        self.line("}");
    }

    fn leave(&mut self, kind: u8, cond: &Expr) {
        let cond = self.expr(cond);
        let in_loop = self.inside.contains(&Inside::Loop);
        let how = match (kind % 4, self.inside.last(), self.result) {
            (1, ..) if in_loop => "continue;".to_owned(),
            (2 | 3, Some(_), _) => "break;".to_owned(),
            (.., Some(ty)) => format!("return {};", self.to(cond.clone(), ty)),
            (.., None) => "return;".to_owned(),
        };
        self.line(&format!("if ({}) {how}", cond.text));
    }

    fn assign(&mut self, which: u8, op: u8, expr: &Expr) {
        let Some(place) = self.place(which, true).cloned() else {
            return;
        };
        let to = self.access(&place, op / 16, None);
        let value = self.expr(expr);
        let int = !place.ty.float();
        // A number that is not whole is cut before an operator computes with it, so that it stays within the place's type.
        let kind = if place.ty == Ty::Bool {
            Ty::I32
        } else {
            place.ty
        };
        let value = match op % 16 {
            9..=12 if int => self.int(value, kind),
            _ => self.to(value, kind),
        };
        let text = match op % 16 {
            0..=4 => format!("{to} = {value};"),
            5 | 6 => format!("{to} += {value};"),
            7 => format!("{to} -= {value};"),
            8 => format!("{to} *= {value};"),
            9 if int => format!("{to} /= {};", self.divisor(&value, place.ty)),
            9 => format!("{to} /= {value};"),
            10 if int => format!("{to} %= {};", self.divisor(&value, place.ty)),
            11 if int => format!(
                "{to} {}= {value};",
                ["&", "|", "^"][usize::from(op / 16) % 3]
            ),
            12 if int => {
                let count = self.count(&value, place.ty.promoted());
                format!("{to} {}= {count};", ["<<", ">>"][usize::from(op / 16) % 2])
            }
            13 => format!("{to}++;"),
            14 => format!("--{to};"),
            _ => format!("{to} = {to} + ({value});"),
        };
        self.line(&text);
    }

    fn local(&mut self, ty: u8, shape: u8, expr: &Expr) {
        if shape % 12 == 5 && self.pointer(shape / 12) {
            return;
        }
        let (c, ty) = (Ty::of(ty).name(shape / 64), Ty::of(ty));
        let value = self.expr(expr);
        let value = self.to(value, ty);
        let name = self.name("t");
        let (dims, init): (&[u32], String) = match shape % 12 {
            6 => (&[4], format!("{{1, {value}}}")),
            7 => (&[2, 3], format!("{{{{{value}, 1}}, {{2}}}}")),
            8 => (
                &[2, 2, 2],
                format!("{{{{{{1}}, {{2, {value}}}}}, {{{{3}}}}}}"),
            ),
            9 => (&[40], format!("{{0, {value}, 2}}")),
            10 => (&[3], "{0}".to_owned()),
            _ => (&[], value),
        };
        let extents: String = dims.iter().map(|d| format!("[{d}]")).collect();
        let constant = shape % 12 == 4;
        let head = if constant { "const " } else { "" };
        // What has no first value is zero, which C does not say.
        match shape % 12 {
            10 | 11 if self.wild_values => self.line(&format!("{c} {name}{extents};")),
            _ => self.line(&format!("{head}{c} {name}{extents} = {init};")),
        }
        self.places.push(Place::new(&name, ty, dims, !constant));
    }

    /// A pointer into an array.
    fn pointer(&mut self, by: u8) -> bool {
        let fit = |p: &&Place| p.dims.len() > usize::from(p.rows);
        let fit: Vec<Place> = self.places.iter().filter(fit).cloned().collect();
        if fit.is_empty() {
            return false;
        }
        let place = &fit[usize::from(by) % fit.len()];
        let (from, len) = self.row(place, by);
        let skip = u32::from(by) % len;
        let name = self.name("q");
        let constness = if place.written { "" } else { "const " };
        let c = place.ty.name(by);
        let from = match by % 3 {
            0 => format!("&{from}[{skip}]"),
            1 if skip == 0 => from,
            _ => format!("{from} + {skip}"),
        };
        self.line(&format!("{constness}{c} *{name} = {from};"));
        self.places
            .push(Place::new(&name, place.ty, &[len - skip], place.written));
        true
    }

    /// A row of an array, and its length.
    pub(crate) fn row(&self, place: &Place, by: u8) -> (String, u32) {
        let (last, outer) = place.dims.split_last().unwrap();
        let mut text = place.name.clone();
        for dim in outer {
            text += &format!("[{}]", self.index(*dim, by, None));
        }
        (text, *last)
    }

    fn counted(&mut self, form: u8, ty: u8, bound: &Expr, body: &[Stmt]) {
        let outermost = !self.inside.contains(&Inside::Loop);
        let (ty, name) = (Ty::counter(ty), self.name("i"));
        let n = u32::from(form / 16) % 5;
        let some = self.expr(bound);
        let some = self.int(some, Ty::I32);
        let up = |max: u32| (format!("{name} = 0; {name} < {max}; {name}++"), Some(max));
        let (head, max) = match form % 16 {
            0 => up(n),
            1 => (format!("{name} = 0; {name} <= {n}; ++{name}"), Some(n + 1)),
            2 => (format!("{name} = 0; {name} != {n}; {name} += 1"), Some(n)),
            3 => (format!("{name} = {n}; {name} > 0; {name}--"), Some(n + 1)),
            4 if ty.signed() => (
                format!("{name} = {n}; {name} >= 0; {name} -= 2"),
                Some(n + 1),
            ),
            5 => (
                format!("{name} = 1; {name} < {n}; {name} += 2"),
                Some(n.max(1)),
            ),
            6 if outermost => up(17 + 5 * n),
            7 if outermost => (
                format!("{name} = 0; {name} < {}; {name} += 3", 40 + n),
                Some(40 + n),
            ),
            8 | 9 if self.wild_loops => {
                (format!("{name} = 0; {name} < ({some}) % 9; {name}++"), None)
            }
            10 if self.wild_loops => (format!("{name} = {some}; {name} != {n}; {name}++"), None),
            11 => (format!("{name} = {n}; {name}-- > 0; "), Some(n.max(1))),
            12 => (
                format!("{name} = (({some}) & 1); {name} < {n}; {name}++"),
                Some(n.max(1)),
            ),
            _ => (
                format!("{name} = 0; {name} < (({some}) & 3); {name}++"),
                Some(3),
            ),
        };
        // A counter from outside is there after the loop.
        if form >= 200 {
            self.line(&format!("{} {name};", ty.name(form)));
            self.line(&format!("for ({head}) {{"));
        } else {
            self.line(&format!("for ({} {head}) {{", ty.name(form)));
        }
        self.counters.push(Counter {
            name: name.clone(),
            ty,
            max,
        });
        let writes = self.wild_loops && form % 32 == 16;
        if writes {
            self.places.push(Place::new(&name, ty, &[], true));
        }
        self.inner(Inside::Loop, body);
        if writes {
            self.places.pop();
        }
        self.counters.pop();
        self.line("}");
        if form >= 200 {
            self.places.push(Place::new(&name, ty, &[], false));
        }
    }

    fn until(&mut self, form: u8, cond: &Expr, body: &[Stmt]) {
        let name = self.name("n");
        let cond = self.expr(cond).text;
        self.line(&format!("int {name} = 0;"));
        let (head, foot) = match (form % 4, self.wild_loops) {
            (0 | 1, true) => (format!("while ({cond}) {{"), "}".to_owned()),
            (2, true) => ("do {".to_owned(), format!("}} while ({cond});")),
            (0, _) => (
                format!("while ({name} < 5 && ({cond})) {{ {name}++;"),
                "}".to_owned(),
            ),
            (1, _) => (format!("while ({name}++ < 3) {{"), "}".to_owned()),
            (2, _) => (
                format!("do {{ {name}++;"),
                format!("}} while ({name} < 4 && ({cond}));"),
            ),
            _ => (
                format!("for (;;) {{ if ({name}++ > 3 || !({cond})) break;"),
                "}".to_owned(),
            ),
        };
        self.line(&head);
        self.inner(Inside::Loop, body);
        self.line(&foot);
    }

    fn switch(&mut self, form: u8, on: &Expr, arms: &[Vec<Stmt>; 3]) {
        let on = self.expr(on);
        let on = self.int(on, Ty::I32);
        let on = if form >= 128 {
            on
        } else {
            format!("({on}) & 3")
        };
        let [first, second, third, end] = match form % 4 {
            0 => ["case 1:", "case 2:", "break; default:", ""],
            1 => ["default:", "case 0:", "break; case 3:", "break;"],
            2 => [
                "case 0: case 1:",
                "break; case 2:",
                "break; default:",
                "break;",
            ],
            _ => [
                "case -1: case 5:",
                "case 2147483647: case 'a':",
                "break; case 0:",
                "",
            ],
        };
        self.line(&format!("switch ({on}) {{"));
        for (label, arm) in [first, second, third].into_iter().zip(arms) {
            self.line(&format!("{label} {{"));
            self.inner(Inside::Switch, arm);
            self.line("}");
        }
        self.line(&format!("{end} }}"));
    }

    fn call(&mut self, which: u8, place: u8, expr: &Expr) {
        let fit = self.funcs.iter().filter(|f| f.result.is_none());
        let fit: Vec<Func> = fit.cloned().collect();
        if fit.is_empty() {
            return;
        }
        let func = &fit[usize::from(which) % fit.len()];
        let value = self.expr(expr);
        if let Some(args) = self.args(func, place, &value, &value) {
            self.line(&format!("{}({args});", func.name));
        }
    }
}
