//! Expressions. Chains of binary operators are walked in a loop; everything else recurses to the depth the parser allowed.

use super::constant;
use super::num::{Num, Repr};
use super::place::{Lvalue, Pointer, Root};
use super::shape::Kind;
use super::unit::Entity;
use super::{Binding, Checked, Checker, Operand, Poison};
use crate::diagnostic::Span;
use crate::ir::{Op, Scalar, UnaryOp};
use crate::syntax::ast::{Binary, Expr, ExprId, Full, TypeId, Unary};
use smallvec::SmallVec;

impl Checker<'_, '_> {
    /// The number that a whole expression has.
    pub(super) fn full_num(&mut self, full: Full) -> Checked<Num> {
        self.num(full.root)
    }

    /// The number that an expression has.
    pub(super) fn num(&mut self, id: ExprId) -> Checked<Num> {
        let operand = self.rvalue(id)?;
        self.number(operand, self.unit.ast.span(id))
    }

    /// A condition, as `Bool`.
    pub(super) fn condition(&mut self, id: ExprId) -> Checked<Num> {
        let operand = self.rvalue(id)?;
        self.operand_truth(operand, self.unit.ast.span(id))
    }

    /// The value of an expression.
    pub(super) fn rvalue(&mut self, id: ExprId) -> Checked<Operand> {
        let span = self.unit.ast.span(id);
        self.enter(span)?;
        let result = self.rvalue_inner(id, span);
        self.leave();
        result
    }

    fn rvalue_inner(&mut self, id: ExprId, span: Span) -> Checked<Operand> {
        match self.unit.ast.expr(id) {
            Expr::Literal(at) => {
                let literal = self.unit.tokens.literals[at as usize];
                Ok(Operand::Num(Num::constant(literal.ty, literal.bits)))
            }
            Expr::Bool(value) => Ok(Operand::Num(Num::int(i32::from(value)))),
            Expr::Name(_) | Expr::Index(..) | Expr::Unary(Unary::Deref, _) => self.loaded(id, span),
            Expr::Unary(Unary::Address, target) => self.address(target, span),
            Expr::Unary(op, operand) => self.unary(op, operand, span),
            Expr::Binary(..) => self.chain(id),
            Expr::Assign(op, target, value) => self.assign(op, target, value),
            Expr::Conditional(cond, then, other) => self.conditional(cond, then, other, span),
            Expr::Call(name, args) => self.call(name, args, span),
            Expr::Cast(ty, operand) => self.cast(ty, operand, span),
            Expr::SizeofType(ty) => self.sizeof_type(ty).map(Operand::Num),
            Expr::SizeofValue(operand) => self.sizeof_expr(operand, span).map(Operand::Num),
        }
    }

    // Apart, and never inlined, as are its neighbours: what is in the frame of `rvalue_inner` is on the stack once a level.
    #[inline(never)]
    fn loaded(&mut self, id: ExprId, span: Span) -> Checked<Operand> {
        // Most are names of scalars, which need no place to be read from.
        if let Some(num) = self.named_scalar(id) {
            return Ok(Operand::Num(num));
        }
        let from = self.lvalue(id)?;
        self.load(from, span)
    }

    /// What a local scalar holds, if an expression is its name.
    fn named_scalar(&mut self, id: ExprId) -> Option<Num> {
        let Entity::Local(decl) = self.unit.entity(id) else {
            return None;
        };
        match self.frame.bindings[self.frame.resolved.index(decl)] {
            Binding::Fixed(num) => Some(num),
            Binding::Var(var, scalar, _) => Some(Num::value(scalar, self.b.get(var))),
            _ => None,
        }
    }

    #[inline(never)]
    fn chain(&mut self, id: ExprId) -> Checked<Operand> {
        let mut operators: SmallVec<[(Binary, ExprId, ExprId); 4]> = SmallVec::new();
        let mut first = id;
        while let Expr::Binary(op, left, right) = self.unit.ast.expr(first) {
            operators.push((op, right, first));
            first = left;
        }
        let mut left = self.rvalue(first);
        let mut left_id = first;
        for (op, right, node) in operators.into_iter().rev() {
            left = match op {
                Binary::And | Binary::Or => self.logical(op, left, left_id, right),
                Binary::Comma => {
                    let right = self.rvalue(right);
                    left.and(right)
                }
                _ => self.binary(op, (left, left_id), right, node),
            };
            left_id = node;
        }
        left
    }

    fn binary(
        &mut self,
        op: Binary,
        (left, left_id): (Checked<Operand>, ExprId),
        right_id: ExprId,
        node: ExprId,
    ) -> Checked<Operand> {
        let right = self.rvalue(right_id);
        let (left, right) = (left?, right?);
        let span = self.unit.ast.span(node);
        match (left, right) {
            (Operand::Num(a), Operand::Num(b)) => self.arithmetic(op, a, b, span).map(Operand::Num),
            (left @ Operand::Complex(_), right @ (Operand::Complex(_) | Operand::Num(_)))
            | (left @ Operand::Num(_), right @ Operand::Complex(_)) => {
                self.complex_binary(op, left, right, span)
            }
            (Operand::Pointer(p), Operand::Num(n)) if matches!(op, Binary::Add | Binary::Sub) => {
                self.moved(p, n, op == Binary::Sub, span)
            }
            (Operand::Num(n), Operand::Pointer(p)) if op == Binary::Add => {
                self.moved(p, n, false, span)
            }
            (Operand::Void, _) => {
                let span = self.unit.ast.span(left_id);
                Err(self.error("void-value", span, "this has no value"))
            }
            (_, Operand::Void) => {
                let span = self.unit.ast.span(right_id);
                Err(self.error("void-value", span, "this has no value"))
            }
            _ => {
                let message = "pointers can be indexed and moved, nothing else";
                Err(self.error("pointer-as-number", span, message))
            }
        }
    }

    /// A pointer plus or minus an integer.
    fn moved(&mut self, p: Pointer, n: Num, negative: bool, span: Span) -> Checked<Operand> {
        if n.ty.is_float() {
            return Err(self.error("bad-operand", span, "an index is an integer"));
        }
        Ok(Operand::Pointer(self.offset(p, n, negative)))
    }

    /// What an expression denotes that has an address or a name.
    pub(super) fn lvalue(&mut self, id: ExprId) -> Checked<Lvalue> {
        let span = self.unit.ast.span(id);
        match self.unit.ast.expr(id) {
            Expr::Name(_) => self.name(id, span),
            Expr::Unary(Unary::Deref, operand) => {
                let pointer = self.pointer(operand)?;
                Ok(self.deref(pointer))
            }
            Expr::Index(base, index) => {
                let moved = self.indexed(base, index, span)?;
                Ok(self.deref(moved))
            }
            _ => Err(self.error("not-assignable", span, "this can't be assigned")),
        }
    }

    /// The pointer `base + index`, whichever of the two is the pointer.
    fn indexed(&mut self, base: ExprId, index: ExprId, span: Span) -> Checked<Pointer> {
        let base_value = self.rvalue(base);
        let index_value = self.rvalue(index);
        match (base_value?, index_value?) {
            (Operand::Pointer(pointer), Operand::Num(num))
            | (Operand::Num(num), Operand::Pointer(pointer)) => {
                if num.ty.is_float() {
                    return Err(self.error("bad-operand", span, "an index is an integer"));
                }
                Ok(self.offset(pointer, num, false))
            }
            (Operand::Pointer(_), _) => {
                Err(self.error("bad-operand", span, "an index is an integer"))
            }
            _ => Err(self.error(
                "not-a-pointer",
                span,
                "only pointers and arrays have entries",
            )),
        }
    }

    /// An operand that must be a pointer.
    fn pointer(&mut self, id: ExprId) -> Checked<Pointer> {
        match self.rvalue(id)? {
            Operand::Pointer(pointer) => Ok(pointer),
            _ => {
                let span = self.unit.ast.span(id);
                Err(self.error("not-a-pointer", span, "this is not a pointer"))
            }
        }
    }

    fn name(&mut self, id: ExprId, span: Span) -> Checked<Lvalue> {
        let binding = match self.unit.entity(id) {
            Entity::None => return Err(Poison),
            Entity::Local(decl) => {
                let at = self.frame.resolved.index(decl);
                self.frame.bindings[at].clone()
            }
            Entity::Global(decl) => self.global(decl, span)?,
            Entity::Constant(at) => self.declared_constant(at),
            Entity::Enumerator(value) => Binding::Fixed(Num::int(value)),
            Entity::Builtin(at) => match super::builtin::value(at) {
                Some(num) => Binding::Fixed(num),
                None => Binding::FixedComplex(super::complex::Complex::unit()),
            },
        };
        match binding {
            Binding::None => Err(Poison),
            Binding::Fixed(num) => Ok(Lvalue::Fixed(num)),
            Binding::Var(var, scalar, is_const) => Ok(Lvalue::Var(var, scalar, is_const)),
            Binding::Pair(re, im, scalar, is_const) => Ok(Lvalue::Pair(re, im, scalar, is_const)),
            Binding::FixedComplex(z) => Ok(Lvalue::FixedComplex(z)),
            Binding::Array(pointer) => Ok(Lvalue::Array(pointer)),
            Binding::Pointer(pointer) => Ok(Lvalue::Pointer(pointer)),
            Binding::Element(pointer) => Ok(Lvalue::Element(pointer)),
            Binding::Later(..) => {
                let message = "this pointer has no value yet";
                Err(self.error("reassigned-pointer", span, message))
            }
            Binding::Opaque => {
                let message = "a `void *` has no known type here";
                Err(self.error("void-pointer", span, message))
            }
        }
    }

    #[inline(never)]
    fn address(&mut self, target: ExprId, span: Span) -> Checked<Operand> {
        let pointer = match self.lvalue(target)? {
            // Of an entry of an inner array the whole array may be meant.
            Lvalue::Element(pointer) => Pointer {
                extent: None,
                outside: None,
                ..pointer
            },
            Lvalue::Var(var, scalar, is_const) => Pointer {
                extent: Some((1, 0)),
                read_only: is_const.then_some(super::place::ReadOnly::Const),
                ..Pointer::new(Root::Var(var), scalar)
            },
            // A pointer to the whole array: one more level.
            Lvalue::Array(mut pointer) => {
                let extent = pointer.extent.map_or(1, |(extent, _)| extent);
                pointer.dims.insert(0, extent);
                pointer.extent = Some((1, 0));
                pointer
            }
            Lvalue::Pair(..) | Lvalue::FixedComplex(_) => {
                let what = "the address of a complex variable";
                let message = format!("{what} is not in the kernel language");
                let found = crate::diagnostic::Diagnostic::error("not-in-language", span, message);
                return Err(self.report(found.with_help("make it an array of one")));
            }
            Lvalue::Pointer(_) | Lvalue::Fixed(_) => {
                let message = "the address of this is not in the kernel language";
                return Err(self.error("not-in-language", span, message));
            }
        };
        Ok(Operand::Pointer(pointer))
    }

    #[inline(never)]
    fn unary(&mut self, op: Unary, operand: ExprId, span: Span) -> Checked<Operand> {
        let by = match op {
            Unary::PreIncrement | Unary::PostIncrement => Some(Binary::Add),
            Unary::PreDecrement | Unary::PostDecrement => Some(Binary::Sub),
            _ => None,
        };
        if let Some(by) = by {
            return self.step(op, operand, by).map(Operand::Num);
        }
        let of = self.unit.ast.span(operand);
        let num = match self.rvalue(operand)? {
            Operand::Complex(z) => return self.complex_unary(op, z, span),
            operand => self.number(operand, of)?,
        };
        let result = match constant::unary(op, num) {
            Some(folded) => Ok(folded),
            None => self.emit_unary(op, num, span),
        };
        result.map(Operand::Num)
    }

    fn emit_unary(&mut self, op: Unary, num: Num, span: Span) -> Checked<Num> {
        if op == Unary::Not {
            let truth = self.truth(num);
            let value = self.value(truth);
            return Ok(Num::truth(self.b.unary(UnaryOp::Not, value)));
        }
        let num = self.promoted(num);
        let ir = match op {
            Unary::Neg => UnaryOp::Neg,
            Unary::BitNot if num.ty.is_int() => UnaryOp::Not,
            Unary::BitNot => {
                return Err(self.error("bad-operand", span, "`~` needs an integer"));
            }
            _ => return Ok(num),
        };
        let value = self.value(num);
        Ok(Num::value(num.ty, self.b.unary(ir, value)))
    }

    /// `++` and `--`.
    fn step(&mut self, op: Unary, operand: ExprId, by: Binary) -> Checked<Num> {
        let span = self.unit.ast.span(operand);
        self.not_static(operand)?;
        let target = self.lvalue(operand)?;
        if let Lvalue::Pointer(_) | Lvalue::Array(_) = target {
            self.store(&target, Num::int(0), span)?;
        }
        let before = match self.load(target.clone(), span)? {
            Operand::Complex(_) => {
                let message = "`++` and `--` take no complex number";
                return Err(self.error("bad-operand", span, message));
            }
            before => self.number(before, span)?,
        };
        let after = self.arithmetic(by, before, Num::int(1), span)?;
        let after = self.convert(after, before.ty);
        self.store(&target, after, span)?;
        let is_prefix = matches!(op, Unary::PreIncrement | Unary::PreDecrement);
        Ok(if is_prefix { after } else { before })
    }

    /// Refuses to change a static variable of the file, which stands for its value.
    fn not_static(&mut self, target: ExprId) -> Checked<()> {
        let Entity::Global(decl) = self.unit.entity(target) else {
            return Ok(());
        };
        let decl = self.unit.ast.decl(decl);
        let is_static = decl.storage.is_static && !self.unit.ast.ty(decl.ty).is_const;
        if is_static && self.unit.ast.derived(decl.ty).is_empty() {
            return Err(self.changed_static(self.unit.ast.span(target)));
        }
        Ok(())
    }

    #[inline(never)]
    fn assign(&mut self, op: Option<Binary>, target: ExprId, value: ExprId) -> Checked<Operand> {
        let span = self.unit.ast.span(target);
        self.not_static(target)?;
        if let (None, Entity::Local(decl)) = (op, self.unit.entity(target))
            && let Binding::Later(depth, loops) =
                self.frame.bindings[self.frame.resolved.index(decl)]
        {
            return self
                .late_pointer(decl, (depth, loops), value, span)
                .map(|()| Operand::Num(Num::int(0)));
        }
        let to = self.lvalue(target);
        match &to {
            Ok(Lvalue::Pointer(_) | Lvalue::Array(_)) => {
                self.store(&to?, Num::int(0), span)?;
                return Ok(Operand::Num(Num::int(0)));
            }
            Ok(to @ Lvalue::Pair(_, _, ty, _)) => {
                return self.assign_complex(op, to, *ty, value, span);
            }
            Ok(to @ Lvalue::FixedComplex(z)) => {
                return self.assign_complex(op, to, z.re.ty, value, span);
            }
            Ok(to @ Lvalue::Element(pointer)) if pointer.is_complex => {
                return self.assign_complex(op, to, pointer.scalar, value, span);
            }
            _ => {}
        }
        if to.is_err() {
            // Its own errors are still worth telling.
            let _: Checked<Operand> = self.rvalue(value);
            return Err(Poison);
        }
        let value = self.rvalue(value);
        let (to, value) = (to?, value?);
        let ty = match &to {
            Lvalue::Var(_, scalar, _) => *scalar,
            Lvalue::Element(pointer) => pointer.scalar,
            Lvalue::Fixed(num) => num.ty,
            Lvalue::Array(_) | Lvalue::Pointer(_) => return Err(Poison),
            Lvalue::Pair(..) | Lvalue::FixedComplex(_) => return Err(Poison),
        };
        let value = match (op, value) {
            (None, value) => self.number_as(value, ty, span)?,
            (Some(op), value @ Operand::Complex(_)) => {
                let before = self.load(to.clone(), span)?;
                let result = self.complex_binary(op, before, value, span)?;
                self.number_as(result, ty, span)?
            }
            (Some(op), value) => {
                let value = self.number(value, span)?;
                let before = self.load(to.clone(), span)?;
                let before = self.number(before, span)?;
                let result = self.arithmetic(op, before, value, span)?;
                self.convert(result, ty)
            }
        };
        let value = self.held(value);
        self.store(&to, value, span)?;
        Ok(Operand::Num(value))
    }

    /// The same number, emitted once if it is to be used twice.
    fn held(&mut self, num: Num) -> Num {
        match num.repr {
            Repr::Truth(value) => Num::value(num.ty, self.b.emit(Op::Convert(value), num.ty)),
            _ => num,
        }
    }

    #[inline(never)]
    fn cast(&mut self, ty: TypeId, operand: ExprId, span: Span) -> Checked<Operand> {
        let shape = self.cast_shape(ty)?;
        let is_name = matches!(self.unit.ast.expr(operand), Expr::Name(_));
        if shape.kind == Kind::Void && is_name {
            return Ok(Operand::Void);
        }
        let value = self.rvalue(operand)?;
        match (shape.kind, value) {
            (Kind::Void, _) => Ok(Operand::Void),
            (Kind::Scalar, value) if shape.is_complex => self
                .as_complex(value, shape.scalar, span)
                .map(Operand::Complex),
            (Kind::Scalar, value) => self.number_as(value, shape.scalar, span).map(Operand::Num),
            (Kind::Pointer, Operand::Pointer(pointer)) => {
                self.reshaped(pointer, &shape, span).map(Operand::Pointer)
            }
            _ => Err(self.error("bad-cast", span, "this cast is not in the kernel language")),
        }
    }

    #[inline(never)]
    fn sizeof_type(&mut self, ty: TypeId) -> Checked<Num> {
        let shape = self.cast_shape(ty)?;
        let bytes = match shape.kind {
            Kind::Void => 1,
            Kind::Scalar => u64::from(shape.scalar.bytes()) * shape.parts(),
            Kind::Array => shape.len() * u64::from(shape.scalar.bytes()),
            Kind::Pointer | Kind::Rows | Kind::Opaque => 8,
        };
        Ok(Num::constant(Scalar::U64, bytes))
    }

    /// The operand is looked at, not run.
    #[inline(never)]
    fn sizeof_expr(&mut self, operand: ExprId, span: Span) -> Checked<Num> {
        let target = match self.unit.ast.expr(operand) {
            Expr::Name(_) | Expr::Index(..) | Expr::Unary(Unary::Deref, _) => {
                self.lvalue(operand)?
            }
            Expr::Literal(at) => {
                Lvalue::Fixed(Num::constant(self.unit.tokens.literals[at as usize].ty, 0))
            }
            _ => match self.aside(|c| c.rvalue(operand)).0? {
                Operand::Num(num) => Lvalue::Fixed(num),
                Operand::Complex(z) => Lvalue::FixedComplex(z),
                Operand::Pointer(pointer) => Lvalue::Pointer(pointer),
                Operand::Void => {
                    return Err(self.error("void-value", span, "this has no value"));
                }
            },
        };
        let bytes = match target {
            Lvalue::Var(_, scalar, _) => u64::from(scalar.bytes()),
            Lvalue::Fixed(num) => u64::from(num.ty.bytes()),
            Lvalue::Element(pointer) => u64::from(pointer.scalar.bytes()) * pointer.parts(),
            Lvalue::Pair(_, _, scalar, _) => 2 * u64::from(scalar.bytes()),
            Lvalue::FixedComplex(z) => 2 * u64::from(z.re.ty.bytes()),
            Lvalue::Pointer(_) => 8,
            Lvalue::Array(pointer) => {
                let outer = pointer.extent.map_or(1, |(extent, _)| extent);
                let inner: u64 = pointer.dims.iter().product();
                outer * inner * u64::from(pointer.scalar.bytes()) * pointer.parts()
            }
        };
        Ok(Num::constant(Scalar::U64, bytes))
    }
}
