//! The text form of kernels and loops; `read` takes it back.
//!
//! One statement a line, blocks indented by two. Every arena entry is printed, values that no statement computes as `loose`
//! lines, so that reading gives back the same body, sound or not. Floats are shown by their bits, with the decimal value in a
//! comment. The first line says `kernel` or `loop`; declarations follow, then the blocks.

use super::body::{Block, Body, For, Inst, Op, Place, Stmt, Value};
use super::kernel::{ConstantSlot, Kernel, Param, Passing};
use super::loops::Loop;
use super::types::{Scalar, Type};
use crate::signature::{
    Access, ArgSignature, DType, IndexWidth, Iteration, Layout, MapUse, Source,
};
use cranelift_entity::EntitySet;
use std::fmt::{self, Display, Formatter};

impl Display for Kernel {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "kernel")?;
        for Param { passing, scalar } in &self.params {
            writeln!(f, "param {} {scalar}", passing_name(*passing))?;
        }
        constants(f, &self.constants)?;
        let printer = Printer { body: &self.body };
        printer.declarations(f, &[&self.body.root])?;
        printer.section(f, "body", &self.body.root)
    }
}

impl Display for Loop {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "loop")?;
        let iteration = match self.signature.iteration {
            Iteration::Elements => "elements",
            Iteration::Function => "function",
        };
        writeln!(f, "iteration {iteration}")?;
        writeln!(f, "allow_conflicts {}", self.signature.allow_conflicts)?;
        for arg in &self.signature.args {
            argument(f, arg)?;
        }
        constants(f, &self.constants)?;
        let printer = Printer { body: &self.body };
        let blocks: Vec<&Block> = self.blocks().collect();
        printer.declarations(f, &blocks)?;
        printer.section(f, "before", &self.before)?;
        printer.section(f, "body", &self.body.root)?;
        if let Some(wide) = &self.wide {
            let rest = if wide.covers_rest { " rest" } else { "" };
            let strip = if wide.is_strip { " strip" } else { "" };
            let name = format!("wide {}{rest}{strip}", wide.elements);
            printer.section(f, &name, &wide.block)?;
        }
        printer.section(f, "after", &self.after)
    }
}

/// The word for a way of passing.
pub(super) const fn passing_name(passing: Passing) -> &'static str {
    match passing {
        Passing::Value => "value",
        Passing::Pointer => "pointer",
        Passing::Rows => "rows",
        Passing::Unused => "unused",
    }
}

/// The word for a data type.
pub(super) const fn dtype_name(dtype: DType) -> &'static str {
    match dtype {
        DType::C64 => "c64",
        DType::C128 => "c128",
        real => real.scalar().name(),
    }
}

/// The word for a layout.
pub(super) const fn layout_name(layout: Layout) -> &'static str {
    match layout {
        Layout::Aos => "aos",
        Layout::Soa => "soa",
        Layout::Strided => "strided",
    }
}

/// The word for an access.
pub(super) const fn access_name(access: Access) -> &'static str {
    match access {
        Access::Read => "read",
        Access::Write => "write",
        Access::Rw => "rw",
        Access::Inc => "inc",
        Access::Min => "min",
        Access::Max => "max",
    }
}

fn argument(f: &mut Formatter<'_>, arg: &ArgSignature) -> fmt::Result {
    let ArgSignature {
        source,
        dtype,
        dim,
        layout,
        access,
        dat,
    } = arg;
    f.write_str("arg ")?;
    match source {
        Source::Direct => f.write_str("direct")?,
        Source::At(map, entry) => {
            write!(f, "at {entry} of ")?;
            map_use(f, map)?;
        }
        Source::Through(map) => {
            f.write_str("through ")?;
            map_use(f, map)?;
        }
        Source::Global => f.write_str("global")?,
        Source::Element => f.write_str("element")?,
        Source::Value => f.write_str("value")?,
        Source::Rows(rows) => write!(f, "rows {rows}")?,
    }
    let (dtype, layout, access) = (
        dtype_name(*dtype),
        layout_name(*layout),
        access_name(*access),
    );
    writeln!(f, " {access} {dtype} dim {dim} {layout} dat {dat}")
}

fn map_use(f: &mut Formatter<'_>, map: &MapUse) -> fmt::Result {
    let MapUse {
        slot,
        arity,
        width,
        partial,
    } = map;
    let width = match width {
        IndexWidth::I32 => "i32",
        IndexWidth::I64 => "i64",
    };
    let partial = if *partial { "partial" } else { "total" };
    write!(f, "map {slot} arity {arity} {width} {partial}")
}

fn constants(f: &mut Formatter<'_>, constants: &[ConstantSlot]) -> fmt::Result {
    for ConstantSlot { scalar, dim } in constants {
        writeln!(f, "constant {scalar} dim {dim}")?;
    }
    Ok(())
}

struct Printer<'a> {
    body: &'a Body,
}

impl Printer<'_> {
    fn declarations(&self, f: &mut Formatter<'_>, blocks: &[&Block]) -> fmt::Result {
        let body = self.body;
        for (var, ty) in body.vars.iter() {
            writeln!(f, "var {var}: {ty}")?;
        }
        for (array, data) in body.arrays.iter() {
            writeln!(f, "array {array}: {} len {}", data.scalar, data.len)?;
        }
        for (table, data) in body.tables.iter() {
            write!(f, "table {table}: {} [", data.scalar)?;
            for (i, bits) in data.bits.iter().enumerate() {
                f.write_str(if i == 0 { "" } else { ", " })?;
                number(f, *bits, data.scalar)?;
            }
            writeln!(f, "]")?;
        }
        for (symbol, host) in body.symbols.iter() {
            write!(f, "symbol {symbol}: \"{}\" (", Escaped(&host.name))?;
            list(f, &host.params)?;
            writeln!(f, ") {}", host.result)?;
        }
        writeln!(f, "labels {}", body.labels)?;
        writeln!(f, "sites {}", body.sites)?;
        let stated = self.stated(blocks);
        for (value, inst) in body.values.iter() {
            if !stated.contains(value) {
                f.write_str("loose ")?;
                self.definition(f, value, inst)?;
            }
        }
        Ok(())
    }

    /// The values whose instruction is told by a statement: those under a `Let`, and proper counters of a `For`.
    fn stated(&self, blocks: &[&Block]) -> EntitySet<Value> {
        let mut stated = EntitySet::with_capacity(self.body.values.len());
        let mut odd = Vec::new();
        let mut open: Vec<&Block> = blocks.to_vec();
        while let Some(block) = open.pop() {
            for stmt in block {
                match stmt {
                    Stmt::Let(value) => drop(stated.insert(*value)),
                    Stmt::If { then, other, .. } => open.extend([then, other]),
                    Stmt::For(data) => {
                        if self.is_counter(data.counter) {
                            stated.insert(data.counter);
                        } else {
                            odd.push(data.counter);
                        }
                        open.push(&data.body);
                    }
                    Stmt::Loop { body, .. } | Stmt::Block { body, .. } => open.push(body),
                    Stmt::Set(..)
                    | Stmt::Store { .. }
                    | Stmt::Clear(_)
                    | Stmt::Exit(_)
                    | Stmt::Continue(_) => {}
                }
            }
        }
        for value in odd {
            stated.remove(value);
        }
        stated
    }

    fn is_counter(&self, value: Value) -> bool {
        let proper = Inst {
            op: Op::Counter,
            ty: Type::I64,
        };
        self.body.values.get(value) == Some(&proper)
    }

    fn section(&self, f: &mut Formatter<'_>, name: &str, block: &Block) -> fmt::Result {
        writeln!(f, "{name} {{")?;
        self.block(f, block, 1)?;
        writeln!(f, "}}")
    }

    fn block(&self, f: &mut Formatter<'_>, block: &Block, depth: usize) -> fmt::Result {
        for stmt in block {
            indent(f, depth)?;
            self.stmt(f, stmt, depth)?;
        }
        Ok(())
    }

    fn nested(&self, f: &mut Formatter<'_>, block: &Block, depth: usize) -> fmt::Result {
        writeln!(f, " {{")?;
        self.block(f, block, depth + 1)?;
        indent(f, depth)?;
        f.write_str("}")
    }

    fn stmt(&self, f: &mut Formatter<'_>, stmt: &Stmt, depth: usize) -> fmt::Result {
        match stmt {
            Stmt::Let(value) => match self.body.values.get(*value) {
                Some(inst) => return self.definition(f, *value, inst),
                None => write!(f, "{value}")?,
            },
            Stmt::Set(var, value) => write!(f, "{var} = {value}")?,
            Stmt::Store {
                place,
                index,
                value,
                site,
            } => {
                f.write_str("store ")?;
                self::place(f, place)?;
                write!(f, "[{index}] = {value} {site}")?;
            }
            Stmt::Clear(array) => write!(f, "clear {array}")?,
            Stmt::If { cond, then, other } => {
                write!(f, "if {cond}")?;
                self.nested(f, then, depth)?;
                if !other.is_empty() {
                    f.write_str(" else")?;
                    self.nested(f, other, depth)?;
                }
            }
            Stmt::For(data) => {
                let For {
                    label,
                    counter,
                    lo,
                    hi,
                    step,
                    site,
                    body,
                } = &**data;
                write!(f, "for {label} {counter} = {lo} to {hi} by {step} {site}")?;
                self.nested(f, body, depth)?;
            }
            Stmt::Loop { label, site, body } => {
                write!(f, "loop {label} {site}")?;
                self.nested(f, body, depth)?;
            }
            Stmt::Block { label, body } => {
                write!(f, "block {label}")?;
                self.nested(f, body, depth)?;
            }
            Stmt::Exit(label) => write!(f, "exit {label}")?,
            Stmt::Continue(label) => write!(f, "continue {label}")?,
        }
        writeln!(f)
    }

    fn definition(&self, f: &mut Formatter<'_>, value: Value, inst: &Inst) -> fmt::Result {
        write!(f, "{value}: {} = ", inst.ty)?;
        op(f, &inst.op, inst.ty)?;
        writeln!(f)
    }
}

fn op(f: &mut Formatter<'_>, op: &Op, ty: Type) -> fmt::Result {
    match op {
        Op::Const(bits) => {
            f.write_str("const ")?;
            number(f, *bits, ty.scalar)?;
            match ty.scalar {
                Scalar::F64 => write!(f, " ; {:?}", f64::from_bits(*bits)),
                Scalar::F32 => write!(f, " ; {:?}", f32::from_bits(*bits as u32)),
                _ => Ok(()),
            }
        }
        Op::Unary(op, a) => write!(f, "{} {a}", op.name()),
        Op::Binary(op, a, b) => write!(f, "{} {a}, {b}", op.name()),
        Op::Compare(op, a, b) => write!(f, "{} {a}, {b}", op.name()),
        Op::Select(cond, a, b) => write!(f, "select {cond}, {a}, {b}"),
        Op::Fma(a, b, c) => write!(f, "fma {a}, {b}, {c}"),
        Op::Convert(a) => write!(f, "convert {a}"),
        Op::Get(var) => write!(f, "get {var}"),
        Op::Load { place, index, site } => {
            f.write_str("load ")?;
            self::place(f, place)?;
            write!(f, "[{index}] {site}")
        }
        Op::Call(symbol, args) => {
            write!(f, "call {symbol}(")?;
            list(f, args)?;
            f.write_str(")")
        }
        Op::Param(param) => write!(f, "param {param}"),
        Op::CheckIndex { index, len, site } => write!(f, "check_index {index}, {len} {site}"),
        Op::CheckDivisor { divisor, site } => write!(f, "check_divisor {divisor} {site}"),
        Op::Counter => f.write_str("counter"),
        Op::Element => f.write_str("element"),
        Op::ElementAfter(after) => write!(f, "element_after {after}"),
        Op::ArgBase(arg) => write!(f, "arg_base {arg}"),
        Op::MapEntry {
            arg,
            element,
            column,
        } => write!(f, "map_entry {arg}, {element}, {column}"),
        Op::RowAddr { base, row, stride } => write!(f, "row_addr {base}, {row}, {stride}"),
        Op::Splat(a) => write!(f, "splat {a}"),
        Op::Lane(a, lane) => write!(f, "lane {a}, {lane}"),
        Op::Shuffle(a, b, [m0, m1, m2, m3]) => {
            write!(f, "shuffle {a}, {b}, {m0}, {m1}, {m2}, {m3}")
        }
    }
}

fn place(f: &mut Formatter<'_>, place: &Place) -> fmt::Result {
    match place {
        Place::Array(array) => write!(f, "{array}"),
        Place::Table(table) => write!(f, "{table}"),
        Place::Param(param) => write!(f, "param{param}"),
        Place::ParamRow { param, row } => write!(f, "param{param}[{row}]"),
        Place::Constant(slot) => write!(f, "constant{slot}"),
        Place::RowPointers(arg) => write!(f, "rows{arg}"),
        Place::Row { addr, region } => {
            let access = if region.readonly {
                "readonly"
            } else {
                "shared"
            };
            write!(f, "row({addr}, {}, {access})", region.slot)
        }
    }
}

/// A number of a type by its bits: integers in decimal, floats and bits that do not fit the type in hexadecimal.
fn number(f: &mut Formatter<'_>, bits: u64, scalar: Scalar) -> fmt::Result {
    let fits = scalar.bytes() == 8 || bits >> (8 * scalar.bytes()) == 0;
    match scalar {
        Scalar::I8 if fits => write!(f, "{}", bits as i8),
        Scalar::I16 if fits => write!(f, "{}", bits as i16),
        Scalar::I32 if fits => write!(f, "{}", bits as i32),
        Scalar::I64 => write!(f, "{}", bits as i64),
        Scalar::Bool | Scalar::U8 | Scalar::U16 | Scalar::U32 if fits => write!(f, "{bits}"),
        Scalar::U64 => write!(f, "{bits}"),
        Scalar::F32 if fits => write!(f, "0x{bits:08x}"),
        _ => write!(f, "0x{bits:016x}"),
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, items: &[T]) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        f.write_str(if i == 0 { "" } else { ", " })?;
        write!(f, "{item}")?;
    }
    Ok(())
}

fn indent(f: &mut Formatter<'_>, depth: usize) -> fmt::Result {
    (0..depth).try_for_each(|_| f.write_str("  "))
}

/// A name between quotes: everything but printable ASCII, quotes and backslashes as `\u{..}`.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\u{{{:x}}}", c as u32)?,
                ' '..='~' => write!(f, "{c}")?,
                c => write!(f, "\\u{{{:x}}}", c as u32)?,
            }
        }
        Ok(())
    }
}
