//! Pointers and what they point to. Every pointer is known at compile time as a place and an index, which may be a value.

use super::complex::Complex;
use super::num::{Num, Repr};
use super::{Checked, Checker, Poison};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{Array, BinaryOp, Op, Place, Scalar, Value, Var};
use smallvec::SmallVec;

/// Extents, outermost first.
pub(super) type Dims = SmallVec<[u64; 4]>;

/// What a pointer is an offset from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Root {
    /// A local array.
    Array(Array),
    /// A table, by its place in the checker's list.
    Table(usize),
    /// A kernel constant, by its place in the checker's list.
    Constant(usize),
    /// A pointer parameter.
    Param(u16),
    /// An array of row pointers: the index counts rows.
    Rows(u16),
    /// One row.
    Row(u16, Value),
    /// A scalar variable; only index 0 exists.
    Var(Var),
}

/// Why something is not to be written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum ReadOnly {
    /// Its type says `const`.
    Const,
    /// A kernel constant.
    Constant,
    /// A static array.
    Static,
}

/// A pointer to `dims`-shaped arrays of scalars, or to scalars where there are no `dims`.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Pointer {
    pub(super) root: Root,
    pub(super) scalar: Scalar,
    /// Whether there are two of these scalars to an entry.
    pub(super) is_complex: bool,
    pub(super) dims: Dims,
    /// In scalars from the start of the root, of type `I64`.
    pub(super) index: Num,
    /// The extent of the array it points into, and where in it, while both are known.
    pub(super) extent: Option<(u64, i64)>,
    pub(super) read_only: Option<ReadOnly>,
    /// An index that is out of its extent: told when it is read or written.
    pub(super) outside: Option<(i64, u64)>,
    /// The same of an outer dimension.
    pub(super) outer: Option<(i64, u64)>,
}

/// Something that has an address, or a name.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Lvalue {
    /// A scalar variable; the flag: `const`.
    Var(Var, Scalar, bool),
    /// A complex variable: its parts and their type; the flag: `const`.
    Pair(Var, Var, Scalar, bool),
    /// The name of a complex number that never changes.
    FixedComplex(Complex),
    /// A scalar that a pointer points to.
    Element(Pointer),
    /// An array, which becomes a pointer to its first entry.
    Array(Pointer),
    /// The name of a pointer.
    Pointer(Pointer),
    /// The name of a scalar that never changes; the flag: `const`.
    Fixed(Num),
}

impl Pointer {
    pub(super) fn new(root: Root, scalar: Scalar) -> Pointer {
        Pointer {
            root,
            scalar,
            is_complex: false,
            dims: Dims::new(),
            index: Num::index(0),
            extent: None,
            read_only: None,
            outside: None,
            outer: None,
        }
    }

    /// To an array of that shape, as it decays.
    pub(super) fn to_array(root: Root, scalar: Scalar, dims: &[u64]) -> Pointer {
        Pointer {
            dims: dims.iter().skip(1).copied().collect(),
            extent: dims.first().map(|extent| (*extent, 0)),
            ..Pointer::new(root, scalar)
        }
    }

    /// Scalars from one entry to the next.
    fn stride(&self) -> u64 {
        let parts = self.parts();
        self.dims.iter().fold(parts, |a, b| a.saturating_mul(*b))
    }

    /// Scalars of one entry.
    pub(super) fn parts(&self) -> u64 {
        if self.is_complex { 2 } else { 1 }
    }
}

impl Checker<'_, '_> {
    /// The pointer moved by `offset` entries.
    pub(super) fn offset(&mut self, pointer: Pointer, offset: Num, negative: bool) -> Pointer {
        let mut offset = self.convert(offset, Scalar::I64);
        if negative {
            offset = self.index_binary(BinaryOp::Sub, Num::index(0), offset);
        }
        let stride = pointer.stride();
        let mut moved = pointer;
        moved.extent = moved
            .extent
            .zip(offset.integer())
            .map(|((extent, at), by)| {
                let entry = (i128::from(at) + by).clamp(i64::MIN.into(), i64::MAX.into());
                (extent, entry as i64)
            });
        moved.outside = match moved.extent {
            Some((extent, at)) if at < 0 || at as u64 >= extent => Some((at, extent)),
            _ => None,
        };
        let scaled = self.index_binary(BinaryOp::Mul, offset, Num::index(stride as i64));
        moved.index = self.index_binary(BinaryOp::Add, moved.index, scaled);
        moved
    }

    /// An operation on indices, folded where it is trivial.
    pub(super) fn index_binary(&mut self, op: BinaryOp, a: Num, b: Num) -> Num {
        if let (Some(x), Some(y)) = (a.bits(), b.bits())
            && let Some(bits) = super::num::binary(op, Scalar::I64, x, y)
        {
            return Num::constant(Scalar::I64, bits);
        }
        let neutral = if op == BinaryOp::Mul { 1 } else { 0 };
        if b.bits() == Some(neutral) {
            return a;
        }
        if a.bits() == Some(neutral) && op != BinaryOp::Sub {
            return b;
        }
        let (a, b) = (self.value(a), self.value(b));
        Num::value(Scalar::I64, self.b.binary(op, a, b))
    }

    /// What a pointer points to.
    pub(super) fn deref(&mut self, pointer: Pointer) -> Lvalue {
        if let Root::Rows(param) = pointer.root {
            let row = self.value(pointer.index);
            return Lvalue::Array(Pointer {
                root: Root::Row(param, row),
                index: Num::index(0),
                extent: None,
                ..pointer
            });
        }
        if pointer.dims.is_empty() {
            return Lvalue::Element(pointer);
        }
        Lvalue::Array(Pointer {
            extent: Some((pointer.dims[0], 0)),
            dims: pointer.dims[1..].into(),
            outer: pointer.outer.or(pointer.outside),
            outside: None,
            ..pointer
        })
    }

    /// The value that an lvalue holds.
    pub(super) fn load(&mut self, from: Lvalue, span: Span) -> Checked<super::Operand> {
        Ok(match from {
            Lvalue::Var(var, scalar, _) => {
                let value = self.b.get(var);
                super::Operand::Num(Num::value(scalar, value))
            }
            Lvalue::Pair(re, im, scalar, _) => {
                let [re, im] = [re, im].map(|var| Num::value(scalar, self.b.get(var)));
                super::Operand::Complex(Complex { re, im })
            }
            Lvalue::FixedComplex(z) => super::Operand::Complex(z),
            Lvalue::Element(pointer) if pointer.is_complex => {
                super::Operand::Complex(self.load_complex(&pointer, span)?)
            }
            Lvalue::Fixed(num) => super::Operand::Num(num),
            Lvalue::Array(pointer) | Lvalue::Pointer(pointer) => super::Operand::Pointer(pointer),
            Lvalue::Element(pointer) => super::Operand::Num(self.load_element(&pointer, span)?),
        })
    }

    pub(super) fn load_element(&mut self, pointer: &Pointer, span: Span) -> Checked<Num> {
        self.within(pointer, span)?;
        if let Some(known) = self.known_entry(pointer) {
            return Ok(known);
        }
        if let Root::Var(var) = pointer.root {
            self.only_entry(pointer, span);
            let value = self.b.get(var);
            return Ok(Num::value(pointer.scalar, value));
        }
        let place = self.place(pointer.root);
        if let Some(param) = param_of(pointer.root) {
            self.params[usize::from(param)].read = true;
        }
        let index = self.value(pointer.index);
        let site = self.site(span);
        let value = self.b.load(place, index, pointer.scalar, site);
        Ok(Num::value(pointer.scalar, value))
    }

    /// A scalar variable has the entry 0 alone; an index that is not known is checked as it runs.
    fn only_entry(&mut self, pointer: &Pointer, span: Span) {
        if pointer.index.bits().is_none() {
            let index = self.value(pointer.index);
            let site = self.site(span);
            let check = Op::CheckIndex {
                index,
                len: 1,
                site,
            };
            self.b.emit(check, Scalar::I64);
        }
    }

    /// An entry of a table at a constant index.
    fn known_entry(&self, pointer: &Pointer) -> Option<Num> {
        let Root::Table(table) = pointer.root else {
            return None;
        };
        let at = usize::try_from(pointer.index.integer()?).ok()?;
        let bits = self.tables[table].data.bits.get(at)?;
        Some(Num::constant(pointer.scalar, *bits))
    }

    /// Refuses an index that is certainly out of range.
    fn within(&mut self, pointer: &Pointer, span: Span) -> Checked<()> {
        let size = match pointer.root {
            Root::Array(array) => Some(self.b.body.arrays[array].len),
            Root::Table(table) => Some(self.tables[table].data.bits.len() as u64),
            Root::Constant(at) => Some(u64::from(self.constants[at].slot.dim)),
            Root::Var(_) => Some(1),
            Root::Param(_) | Root::Rows(_) | Root::Row(..) => None,
        };
        let outside = pointer.outer.or(pointer.outside).or_else(|| {
            let index = i64::try_from(pointer.index.integer()?).ok()?;
            let last = size.unwrap_or(i64::MAX as u64);
            (index < 0 || index as u64 >= last).then_some((index, last))
        });
        match outside {
            Some((index, extent)) if self.dead == 0 => {
                let message = match i64::try_from(extent) {
                    Ok(i64::MAX) => format!("index {index} is out of range"),
                    _ => format!("index {index} is out of range: there are {extent} entries"),
                };
                Err(self.error("index-out-of-range", span, message))
            }
            Some(_) => Err(Poison),
            None => Ok(()),
        }
    }

    /// Stores a number of the lvalue's own type.
    pub(super) fn store(&mut self, to: &Lvalue, value: Num, span: Span) -> Checked<()> {
        match to {
            Lvalue::Var(var, _, false) => {
                let value = self.value(value);
                self.b.set(*var, value);
                Ok(())
            }
            Lvalue::Pair(..) | Lvalue::FixedComplex(_) => {
                let z = self.as_complex(super::Operand::Num(value), value.ty, span)?;
                self.store_complex(to, z, span)
            }
            Lvalue::Element(pointer) if pointer.is_complex => {
                let z = self.as_complex(super::Operand::Num(value), pointer.scalar, span)?;
                self.store_complex(to, z, span)
            }
            Lvalue::Var(_, _, true) | Lvalue::Fixed(_) => {
                Err(self.error("const-store", span, "this is `const`"))
            }
            Lvalue::Array(_) => {
                Err(self.error("not-assignable", span, "an array can't be assigned"))
            }
            Lvalue::Pointer(_) => Err(self.report(
                Diagnostic::error(
                    "reassigned-pointer",
                    span,
                    "a pointer that changes is not in the kernel language",
                )
                .with_help("index it with a variable that changes instead"),
            )),
            Lvalue::Element(pointer) => self.store_element(pointer, value, span),
        }
    }

    fn store_element(&mut self, pointer: &Pointer, value: Num, span: Span) -> Checked<()> {
        if let Some(why) = pointer.read_only {
            let message = match why {
                ReadOnly::Static => return Err(self.changed_static(span)),
                ReadOnly::Const => "this stores through a pointer or array that is `const`",
                ReadOnly::Constant => "a kernel constant can't be written",
            };
            return Err(self.error("const-store", span, message));
        }
        self.within(pointer, span)?;
        let value = self.value(value);
        if let Root::Var(var) = pointer.root {
            self.only_entry(pointer, span);
            self.b.set(var, value);
            return Ok(());
        }
        let place = self.place(pointer.root);
        if let Some(param) = param_of(pointer.root) {
            self.params[usize::from(param)].written = true;
        }
        let index = self.value(pointer.index);
        let site = self.site(span);
        self.b.store(place, index, value, site);
        Ok(())
    }

    /// The IR place of a root; tables and constants enter the kernel when they are first used.
    fn place(&mut self, root: Root) -> Place {
        match root {
            Root::Array(array) => Place::Array(array),
            Root::Table(at) => {
                let known = self.tables[at].table;
                let table = known.unwrap_or_else(|| {
                    let data = self.tables[at].data.clone();
                    self.b.body.tables.push(data)
                });
                self.tables[at].table = Some(table);
                Place::Table(table)
            }
            Root::Constant(at) => Place::Constant(self.constant_slot(at)),
            Root::Param(param) | Root::Rows(param) => Place::Param(param),
            Root::Row(param, row) => Place::ParamRow { param, row },
            Root::Var(_) => Place::Param(0),
        }
    }

    /// The value of a number, in the body.
    pub(super) fn value(&mut self, num: Num) -> Value {
        match num.repr {
            Repr::Const(bits) => self.b.constant(bits, num.ty),
            Repr::Value(value) => value,
            Repr::Truth(value) => self.b.emit(Op::Convert(value), num.ty),
        }
    }
}

fn param_of(root: Root) -> Option<u16> {
    match root {
        Root::Param(param) | Root::Row(param, _) => Some(param),
        _ => None,
    }
}
