//! Syntax trees to a typed kernel: C's types and conversions, helper functions inlined, everything that is wrong reported.
//!
//! The checker walks the kernel's function in text order and emits IR as it goes; a call of a helper walks the helper's body
//! in its place. What has an error emits nothing and is not reported again. Depth and work are bounded by the constants here.

mod builtin;
mod call;
mod complex;
mod constant;
mod convert;
mod decl;
mod expr;
mod flow;
mod global;
mod init;
mod library;
mod loops;
mod math;
mod num;
mod operators;
mod place;
mod resolve;
mod select;
mod shape;
mod skipped;
mod stmt;
mod suggest;
mod summary;
mod switch;
mod unit;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Span};
use crate::ir::{
    Block, Body, Builder, ConstantSlot, HostSymbol, Kernel, Label, Scalar, Site, Stmt, Table,
    TableData, Value, Var, canonicalize, limits,
};
use crate::source::{CheckedKernel, ConstantDecl, KernelText, ParamInfo};
use crate::syntax::ast::DeclId;
use num::Num;
use place::Pointer;
use resolve::Resolved;
use rustc_hash::FxHashMap as HashMap;
pub use skipped::{SkippedItem, skipped_items};
use smallvec::SmallVec;
use std::rc::Rc;
pub use summary::{FunctionSummary, kernel_functions};
use unit::{Lexed, Unit};

/// Bytes of text.
pub(crate) const TEXT_BYTES_MAX: usize = 16 << 20;
/// How deep expressions, statements and inlined calls may nest together.
pub(crate) const DEPTH_MAX: u16 = 512;
/// IR instructions of a kernel, however long its text.
pub(crate) const INSTRUCTIONS_MAX: usize = 4_000_000;
/// IR instructions that inlined helpers may make of the shortest text, and for each byte of text more: what is compiled takes
/// memory and time by its instructions, and a short text must not take much of either.
pub(crate) const INSTRUCTIONS_SHORT_MAX: usize = 1 << 16;
pub(crate) const INSTRUCTIONS_BYTE_MAX: usize = 2;
/// Room is made for the instructions of so many expressions, at most, before they are needed.
const EXPRESSIONS_ROOM: usize = 1 << 14;
/// Statements looked at, those of inlined functions once for each call.
pub(crate) const STATEMENTS_MAX: u64 = 4_000_000;
/// Errors that are reported.
pub(crate) const ERRORS_MAX: usize = 100;

/// An error was reported; the expression has no value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Poison;

type Checked<T> = Result<T, Poison>;

/// The value of an expression.
#[derive(Clone, PartialEq, Debug)]
enum Operand {
    Num(Num),
    Complex(complex::Complex),
    Pointer(Pointer),
    Void,
}

/// What a name of a function stands for at this point.
#[derive(Clone, Debug)]
enum Binding {
    /// Not declared yet, or with an error.
    None,
    /// A scalar that never changes.
    Fixed(Num),
    /// A scalar; the flag: `const`.
    Var(Var, Scalar, bool),
    /// A complex number that never changes.
    FixedComplex(complex::Complex),
    /// A complex number: its parts and their type; the flag: `const`.
    Pair(Var, Var, Scalar, bool),
    Array(Pointer),
    Pointer(Pointer),
    /// A scalar in memory: a kernel constant.
    Element(Pointer),
    /// A `void *`.
    Opaque,
    /// A pointer that is given its value later, by a statement at this depth within as many loops.
    Later(u16, u32),
}

/// The type of what a function returns.
#[derive(Clone, Copy, Debug)]
struct Returned {
    scalar: Scalar,
    is_complex: bool,
}

/// The function whose body is being walked.
struct Frame {
    resolved: Rc<Resolved>,
    /// By declaration.
    bindings: Vec<Binding>,
    /// What it returns; `None` for void.
    result: Option<Returned>,
    /// What holds it, by part, once a return does not end the body.
    result_vars: SmallVec<[Var; 2]>,
    /// The value of a return that ends the body.
    result_value: Option<Operand>,
    /// The block that a return leaves, once one has to.
    exit: Option<Label>,
}

/// What `break` and `continue` refer to.
#[derive(Clone, Copy, Debug)]
struct Target {
    /// Left by `break`; made when it is needed.
    break_label: Option<Label>,
    next: Next,
}

/// What `continue` does.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// Starts the next iteration of a loop.
    Continue(Label),
    /// Leaves a block at whose end the loop goes on; its label is made when it is needed.
    Leave(Option<Label>),
    /// A switch: the loop around it is meant.
    Outer,
}

/// A table, in the kernel once it is used.
struct TableEntry {
    data: TableData,
    table: Option<Table>,
}

/// A kernel constant, in the kernel once it is used.
struct ConstantEntry {
    name: String,
    slot: ConstantSlot,
    number: Option<u16>,
}

struct Checker<'u, 'a> {
    unit: &'u mut Unit<'a>,
    text: KernelText<'a>,
    b: Builder,
    sites: Vec<Span>,
    frame: Frame,
    /// The functions being walked, outermost first.
    path: Vec<usize>,
    globals: HashMap<DeclId, Binding>,
    /// Kernel constants that the caller names, by their place in its list.
    declared: HashMap<u32, Binding>,
    tables: Vec<TableEntry>,
    constants: Vec<ConstantEntry>,
    slots: Vec<usize>,
    params: Vec<ParamInfo>,
    targets: Vec<Target>,
    /// Loops around this point.
    loops: u32,
    /// Branches around this point that are never taken.
    dead: u32,
    /// Whether the statement is directly in a switch, where a value of one section is not seen in the next.
    in_switch: bool,
    depth: u16,
    work: u64,
    /// Of all local arrays.
    array_bytes: u64,
    stopped: bool,
    warnings: Vec<Diagnostic>,
}

/// Makes a kernel of a text: parses, picks the function, checks, inlines its helpers.
///
/// # Errors
/// All that is wrong with the function and what it calls.
pub fn check_kernel(text: &KernelText<'_>) -> Result<CheckedKernel, Diagnostics> {
    check(text, &lexed(text.text)?)
}

/// A text lexed and split into its items, for checking several of its functions.
#[derive(Debug)]
pub struct LexedText {
    text: Box<str>,
    lexed: Lexed,
}

impl LexedText {
    /// Lexes a text.
    ///
    /// # Errors
    /// The text is too large.
    pub fn new(text: &str) -> Result<LexedText, Diagnostics> {
        Ok(LexedText {
            lexed: lexed(text)?,
            text: text.into(),
        })
    }

    /// Whether it is made of this text.
    pub fn is_of(&self, text: &str) -> bool {
        *self.text == *text
    }

    /// [`check_kernel`] of this text, without lexing it again.
    ///
    /// # Errors
    /// As [`check_kernel`].
    pub fn check(
        &self,
        function: Option<&str>,
        constants: &[ConstantDecl],
        hosts: &[HostSymbol],
    ) -> Result<CheckedKernel, Diagnostics> {
        let text = KernelText {
            text: &self.text,
            function,
            constants,
            hosts,
        };
        check(&text, &self.lexed)
    }
}

fn check(text: &KernelText<'_>, lexed: &Lexed) -> Result<CheckedKernel, Diagnostics> {
    let mut unit = load(lexed, text)?;
    let Some(item) = summary::pick(&mut unit, text.function) else {
        return Err(unit.into_diagnostics());
    };
    let Some(resolved) = unit.function(item) else {
        summary::parse_helpers(&mut unit, item);
        return Err(unit.into_diagnostics());
    };
    let mut checker = Checker::new(&mut unit, *text, resolved);
    checker.path.push(item);
    let checked = checker.kernel();
    if unit.errors.iter().any(|e| e.severity == Severity::Error) {
        return Err(unit.into_diagnostics());
    }
    Ok(checked)
}

/// The tokens of a text that is not too large.
fn lexed(text: &str) -> Result<Lexed, Diagnostics> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the text has more than {TEXT_BYTES_MAX} bytes");
        let found = Diagnostic::error("too-large", Span::default(), message);
        return Err(Diagnostics(vec![found]));
    }
    Ok(Lexed::new(text))
}

/// The file that a text's items make.
fn load<'a>(lexed: &'a Lexed, text: &KernelText<'a>) -> Result<Unit<'a>, Diagnostics> {
    let mut unit = Unit::new(lexed, text.constants);
    // The tokens end where expansion gave up; what is missing then is not worth telling.
    let gave_up = |e: &Diagnostic| e.code == "too-large" || e.code == "too-deep";
    if unit.errors.iter().any(gave_up) {
        unit.errors.retain(gave_up);
        return Err(unit.into_diagnostics());
    }
    Ok(unit)
}

impl Unit<'_> {
    /// The errors in text order, each once.
    fn into_diagnostics(mut self) -> Diagnostics {
        self.errors.sort_by(|a, b| {
            (a.span.start, a.span.end, &a.code).cmp(&(b.span.start, b.span.end, &b.code))
        });
        self.errors
            .dedup_by(|a, b| a.code == b.code && a.span == b.span && a.message == b.message);
        self.errors.truncate(ERRORS_MAX);
        Diagnostics(self.errors)
    }
}

impl<'u, 'a> Checker<'u, 'a> {
    fn new(unit: &'u mut Unit<'a>, text: KernelText<'a>, resolved: Rc<Resolved>) -> Self {
        Checker {
            unit,
            text,
            b: Builder::default(),
            sites: Vec::new(),
            frame: Frame::new(resolved, None),
            path: Vec::new(),
            globals: HashMap::default(),
            declared: HashMap::default(),
            tables: Vec::new(),
            constants: Vec::new(),
            slots: Vec::new(),
            params: Vec::new(),
            targets: Vec::new(),
            loops: 0,
            dead: 0,
            in_switch: false,
            depth: 0,
            work: 0,
            array_bytes: 0,
            stopped: false,
            warnings: Vec::new(),
        }
    }

    fn report(&mut self, found: Diagnostic) -> Poison {
        // Far more than is shown, so that a loop over a broken helper does not pile up errors.
        if self.unit.errors.len() < 100 * ERRORS_MAX {
            self.unit.errors.push(found);
        }
        Poison
    }

    fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> Poison {
        self.report(Diagnostic::error(code, span, message))
    }

    fn site(&mut self, span: Span) -> Site {
        self.sites.push(span);
        self.b.body.site()
    }

    /// One level deeper; every success is followed by `leave`.
    fn enter(&mut self, span: Span) -> Checked<()> {
        if self.stopped {
            return Err(Poison);
        }
        if self.depth >= DEPTH_MAX {
            self.stopped = true;
            let message = "functions, statements and expressions are nested too deeply here";
            return Err(self.error("too-deep", span, message));
        }
        let allowed = INSTRUCTIONS_SHORT_MAX + INSTRUCTIONS_BYTE_MAX * self.text.text.len();
        if self.b.body.values.len() > allowed.min(INSTRUCTIONS_MAX) || self.work > STATEMENTS_MAX {
            self.stopped = true;
            let message = "with its helper functions inlined, this kernel is too large";
            return Err(self.error("too-large", span, message));
        }
        self.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Walks the kernel's function.
    fn kernel(mut self) -> CheckedKernel {
        let resolved = Rc::clone(&self.frame.resolved);
        let params = self.kernel_params(&resolved);
        // An expression becomes an instruction, more or less, but for those of tables.
        let exprs = self.unit.ast.exprs.len().min(EXPRESSIONS_ROOM);
        self.b.body.values.reserve(exprs);
        self.b.reserve(exprs);
        self.body(&resolved);
        let body = std::mem::take(&mut self.b).finish();
        if nesting(&body) > limits::NESTING_MAX {
            let message = "with its helper functions inlined, this kernel is nested too deeply";
            self.error("too-deep", resolved.function.span, message);
        }
        let name = self.unit.text(resolved.function.name).to_owned();
        let slots = self.slots.iter().map(|at| &self.constants[*at]);
        let (constants, names): (Vec<_>, Vec<_>) = slots.map(|c| (c.slot, &c.name)).unzip();
        let canonical = canonicalize(&Kernel {
            params,
            constants,
            body,
        });
        let name_of = |slot: &u16| names[usize::from(*slot)].clone();
        CheckedKernel {
            name,
            kernel: canonical.kernel,
            params: self.params,
            constants: canonical.constants.iter().map(name_of).collect(),
            warnings: self.warnings,
            sites: self.sites,
        }
    }

    /// The number of a kernel constant, given when it is first used.
    fn constant_slot(&mut self, at: usize) -> u16 {
        if let Some(number) = self.constants[at].number {
            return number;
        }
        let number = self.slots.len() as u16;
        self.slots.push(at);
        self.constants[at].number = Some(number);
        number
    }

    /// A value that no statement holds: `0` of a type.
    fn zero(&mut self, scalar: Scalar) -> Value {
        self.b.constant(0, scalar)
    }
}

/// How deep the blocks of a body nest.
fn nesting(body: &Body) -> usize {
    let mut deepest = 0;
    let mut open: Vec<(&Block, usize)> = vec![(&body.root, 1)];
    while let Some((block, depth)) = open.pop() {
        deepest = deepest.max(depth);
        for stmt in block {
            match stmt {
                Stmt::If { then, other, .. } => {
                    open.extend([(then, depth + 1), (other, depth + 1)]);
                }
                Stmt::For(counted) => open.push((&counted.body, depth + 1)),
                Stmt::Loop { body, .. } | Stmt::Block { body, .. } => open.push((body, depth + 1)),
                _ => {}
            }
        }
    }
    deepest
}

impl Frame {
    fn new(resolved: Rc<Resolved>, result: Option<Returned>) -> Frame {
        Frame {
            bindings: vec![Binding::None; resolved.locals.len()],
            resolved,
            result,
            result_vars: SmallVec::new(),
            result_value: None,
            exit: None,
        }
    }
}
