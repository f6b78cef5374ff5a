//! Declared types: what a name's type means for a kernel.

use super::constant;
use super::num::Num;
use super::place::Dims;
use super::unit::Entity;
use super::{Binding, Checked, Checker, Poison};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::Scalar;
use crate::syntax::ast::{Base, Decl, Derived, Full, TypeId};
use smallvec::SmallVec;

/// Entries of one array.
pub(super) const ARRAY_ENTRIES_MAX: u64 = 1 << 28;

/// What is declared.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Kind {
    Void,
    Scalar,
    Array,
    Pointer,
    /// Pointers to pointers.
    Rows,
    /// A `void *`.
    Opaque,
}

/// A type: its kind, the scalars in it, and the extents behind the pointer or of the array.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    pub(super) scalar: Scalar,
    /// Whether there are two of these scalars to a value.
    pub(super) is_complex: bool,
    pub(super) dims: Dims,
    /// Of a parameter written as an array.
    pub(super) extent: Option<u64>,
    pub(super) is_const: bool,
    /// Of an array whose first extent comes from its initialiser.
    pub(super) open: bool,
}

enum Step {
    Pointer,
    Array(Option<u64>),
    Function,
}

impl Checker<'_, '_> {
    /// The type of a local or a name of the file.
    pub(super) fn local_shape(&mut self, decl: Decl) -> Checked<Shape> {
        let steps = self.steps(decl.ty)?;
        self.shape(decl.ty, steps, decl.span)
    }

    /// The type of a parameter: an array is a pointer.
    pub(super) fn param_shape(&mut self, decl: Decl) -> Checked<Shape> {
        let mut steps = self.param_steps(decl.ty)?;
        let mut extent = None;
        if let Some(Step::Array(given)) = steps.first() {
            extent = *given;
            steps[0] = Step::Pointer;
        }
        let shape = self.shape(decl.ty, steps, decl.span)?;
        Ok(Shape { extent, ..shape })
    }

    /// The type of a cast.
    pub(super) fn cast_shape(&mut self, ty: TypeId) -> Checked<Shape> {
        let steps = self.steps(ty)?;
        let span = self.unit.ast.ty(ty).span;
        self.shape(ty, steps, span)
    }

    /// As `steps`; an outermost extent that is no constant, as in `double x[n]`, is none, for C ignores it.
    fn param_steps(&mut self, ty: TypeId) -> Checked<SmallVec<[Step; 4]>> {
        let list: SmallVec<[Derived; 4]> = self.unit.ast.derived(ty).into();
        match list.first() {
            Some(Derived::Array(Some(extent))) if self.constant(*extent).is_none() => {
                let mut steps = SmallVec::from_iter([Step::Array(None)]);
                steps.extend(self.steps_of(&list[1..])?);
                Ok(steps)
            }
            _ => self.steps_of(&list),
        }
    }

    fn steps(&mut self, ty: TypeId) -> Checked<SmallVec<[Step; 4]>> {
        let list: SmallVec<[Derived; 4]> = self.unit.ast.derived(ty).into();
        self.steps_of(&list)
    }

    fn steps_of(&mut self, list: &[Derived]) -> Checked<SmallVec<[Step; 4]>> {
        let mut steps = SmallVec::new();
        for step in list {
            steps.push(match step {
                Derived::Pointer { .. } => Step::Pointer,
                Derived::Function => Step::Function,
                Derived::Array(None) => Step::Array(None),
                Derived::Array(Some(extent)) => Step::Array(Some(self.extent(*extent)?)),
            });
        }
        Ok(steps)
    }

    fn shape(&mut self, ty: TypeId, steps: SmallVec<[Step; 4]>, span: Span) -> Checked<Shape> {
        let node = self.unit.ast.ty(ty);
        let is_void = node.base == Base::Void;
        let is_complex = matches!(node.base, Base::Complex(_));
        let scalar = match node.base {
            Base::Scalar(scalar) | Base::Complex(scalar) => scalar,
            Base::Void => Scalar::U8,
            Base::Unknown => return Err(Poison),
        };
        let (kind, rest) = match steps.as_slice() {
            [] if is_void => (Kind::Void, &steps[..]),
            [] => (Kind::Scalar, &steps[..]),
            [Step::Pointer] if is_void => (Kind::Opaque, &steps[1..]),
            [Step::Pointer, Step::Pointer] if !is_void => (Kind::Rows, &steps[2..]),
            [Step::Pointer, rest @ ..] if !is_void => (Kind::Pointer, rest),
            [Step::Array(_), ..] if !is_void => (Kind::Array, &steps[..]),
            _ => return Err(self.bad_shape(span)),
        };
        let mut dims = Dims::new();
        let mut open = false;
        for (at, step) in rest.iter().enumerate() {
            match step {
                Step::Array(Some(extent)) => dims.push(*extent),
                Step::Array(None) if at == 0 && kind == Kind::Array => {
                    open = true;
                    dims.push(1);
                }
                _ => return Err(self.bad_shape(span)),
            }
        }
        let entries = dims.iter().try_fold(1_u64, |a, b| a.checked_mul(*b));
        if entries.is_none_or(|n| n > ARRAY_ENTRIES_MAX) {
            return Err(self.error("too-large", span, "this array is too large"));
        }
        Ok(Shape {
            kind,
            scalar,
            is_complex,
            dims,
            extent: None,
            is_const: node.is_const,
            open,
        })
    }

    fn bad_shape(&mut self, span: Span) -> Poison {
        let message = "a type like this is not in the kernel language";
        self.error("not-in-language", span, message)
    }

    fn extent(&mut self, extent: Full) -> Checked<u64> {
        let span = self.unit.ast.span(extent.root);
        match self.constant(extent) {
            Some(num) => match num.integer() {
                Some(n) if n > 0 && n <= i128::from(ARRAY_ENTRIES_MAX) => Ok(n as u64),
                Some(n) if n > 0 => Err(self.error("too-large", span, "this extent is too large")),
                _ => Err(self.error(
                    "bad-extent",
                    span,
                    "an extent is an integer greater than zero",
                )),
            },
            None => {
                let message = "an extent must be a constant expression";
                let found = Diagnostic::error("non-constant-extent", span, message);
                Err(self.report(found.with_help("give the array the largest size it needs")))
            }
        }
    }

    /// The value of an expression, if it is a constant; locals that never change count.
    pub(super) fn constant(&self, full: Full) -> Option<Num> {
        constant::fold(self.unit, full.root, &|entity| self.known(entity))
    }

    fn known(&self, entity: Entity) -> Option<Num> {
        match entity {
            Entity::Local(decl) => {
                let at = self.frame.resolved.index(decl);
                match self.frame.bindings.get(at) {
                    Some(Binding::Fixed(num)) => num.bits().map(|_| *num),
                    _ => None,
                }
            }
            Entity::Constant(at) => {
                let declared = &self.text.constants[at as usize];
                let bits = declared
                    .specialised
                    .as_ref()
                    .filter(|_| declared.dim == 1)?;
                Some(Num::constant(declared.dtype.scalar(), *bits.first()?))
            }
            _ => None,
        }
    }
}
