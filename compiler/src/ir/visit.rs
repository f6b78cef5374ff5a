//! Walks over operands and statements, so that a pass names only what it treats.

use super::body::{Block, Op, Place, Stmt, Value};

impl Place {
    /// Calls `f` on each value the place names.
    pub fn for_each_operand(&self, mut f: impl FnMut(Value)) {
        match *self {
            Place::ParamRow { row, .. } => f(row),
            Place::Row { addr, .. } => f(addr),
            Place::Array(_) | Place::Table(_) | Place::Param(_) => {}
            Place::Constant(_) | Place::RowPointers(_) => {}
        }
    }

    /// Replaces each value the place names.
    pub fn map_operands(&mut self, mut f: impl FnMut(Value) -> Value) {
        match self {
            Place::ParamRow { row, .. } => *row = f(*row),
            Place::Row { addr, .. } => *addr = f(*addr),
            Place::Array(_) | Place::Table(_) | Place::Param(_) => {}
            Place::Constant(_) | Place::RowPointers(_) => {}
        }
    }
}

impl Op {
    /// Calls `f` on each operand, in order.
    pub fn for_each_operand(&self, mut f: impl FnMut(Value)) {
        match self {
            Op::Const(_)
            | Op::Get(_)
            | Op::Param(_)
            | Op::Counter
            | Op::Element
            | Op::ElementAfter(_) => {}
            Op::ArgBase(_) => {}
            Op::Unary(_, a) | Op::Convert(a) | Op::Splat(a) | Op::Lane(a, _) => f(*a),
            Op::Binary(_, a, b) | Op::Compare(_, a, b) | Op::Shuffle(a, b, _) => {
                f(*a);
                f(*b);
            }
            Op::Select(a, b, c) | Op::Fma(a, b, c) => {
                f(*a);
                f(*b);
                f(*c);
            }
            Op::Load { place, index, .. } => {
                place.for_each_operand(&mut f);
                f(*index);
            }
            Op::Call(_, args) => args.iter().for_each(|a| f(*a)),
            Op::CheckIndex { index, .. } => f(*index),
            Op::CheckDivisor { divisor, .. } => f(*divisor),
            Op::MapEntry { element, .. } => f(*element),
            Op::RowAddr { base, row, .. } => {
                f(*base);
                f(*row);
            }
        }
    }

    /// Replaces each operand, in order.
    pub fn map_operands(&mut self, mut f: impl FnMut(Value) -> Value) {
        match self {
            Op::Const(_)
            | Op::Get(_)
            | Op::Param(_)
            | Op::Counter
            | Op::Element
            | Op::ElementAfter(_) => {}
            Op::ArgBase(_) => {}
            Op::Unary(_, a) | Op::Convert(a) | Op::Splat(a) | Op::Lane(a, _) => *a = f(*a),
            Op::Binary(_, a, b) | Op::Compare(_, a, b) | Op::Shuffle(a, b, _) => {
                *a = f(*a);
                *b = f(*b);
            }
            Op::Select(a, b, c) | Op::Fma(a, b, c) => {
                *a = f(*a);
                *b = f(*b);
                *c = f(*c);
            }
            Op::Load { place, index, .. } => {
                place.map_operands(&mut f);
                *index = f(*index);
            }
            Op::Call(_, args) => args.iter_mut().for_each(|a| *a = f(*a)),
            Op::CheckIndex { index, .. } => *index = f(*index),
            Op::CheckDivisor { divisor, .. } => *divisor = f(*divisor),
            Op::MapEntry { element, .. } => *element = f(*element),
            Op::RowAddr { base, row, .. } => {
                *base = f(*base);
                *row = f(*row);
            }
        }
    }

    /// Whether the result depends on the operands alone and nothing can fail, so that it may be computed anywhere its
    /// operands are known, or not at all.
    pub fn is_pure(&self) -> bool {
        match self {
            Op::Get(_) | Op::Load { .. } | Op::Counter => false,
            Op::CheckIndex { .. } | Op::CheckDivisor { .. } => false,
            Op::Const(_) | Op::Unary(..) | Op::Binary(..) | Op::Compare(..) | Op::Select(..) => {
                true
            }
            Op::Fma(..) | Op::Convert(_) | Op::Call(..) | Op::Param(_) => true,
            Op::Element | Op::ElementAfter(_) => true,
            Op::ArgBase(_) | Op::MapEntry { .. } | Op::RowAddr { .. } => true,
            Op::Splat(_) | Op::Lane(..) | Op::Shuffle(..) => true,
        }
    }

    /// Whether it must stay even if nothing uses its result.
    pub fn can_fail(&self) -> bool {
        matches!(self, Op::CheckIndex { .. } | Op::CheckDivisor { .. })
    }
}

impl Stmt {
    /// Calls `f` on each value that the statement itself uses (not those inside its blocks, nor a `Let`'s operands).
    pub fn for_each_operand(&self, mut f: impl FnMut(Value)) {
        match self {
            Stmt::Let(_) | Stmt::Clear(_) | Stmt::Exit(_) | Stmt::Continue(_) => {}
            Stmt::Loop { .. } | Stmt::Block { .. } => {}
            Stmt::Set(_, value) => f(*value),
            Stmt::Store {
                place,
                index,
                value,
                ..
            } => {
                place.for_each_operand(&mut f);
                f(*index);
                f(*value);
            }
            Stmt::If { cond, .. } => f(*cond),
            Stmt::For(it) => {
                f(it.lo);
                f(it.hi);
            }
        }
    }

    /// Replaces each value that the statement itself uses.
    pub fn map_operands(&mut self, mut f: impl FnMut(Value) -> Value) {
        match self {
            Stmt::Let(_) | Stmt::Clear(_) | Stmt::Exit(_) | Stmt::Continue(_) => {}
            Stmt::Loop { .. } | Stmt::Block { .. } => {}
            Stmt::Set(_, value) => *value = f(*value),
            Stmt::Store {
                place,
                index,
                value,
                ..
            } => {
                place.map_operands(&mut f);
                *index = f(*index);
                *value = f(*value);
            }
            Stmt::If { cond, .. } => *cond = f(*cond),
            Stmt::For(it) => {
                it.lo = f(it.lo);
                it.hi = f(it.hi);
            }
        }
    }

    /// Whether the blocks inside may run more than once.
    pub fn is_loop(&self) -> bool {
        matches!(self, Stmt::For(_) | Stmt::Loop { .. })
    }

    /// Whether blocks are inside the statement. Most have none, and every pass asks.
    #[inline]
    pub fn has_blocks(&self) -> bool {
        matches!(
            self,
            Stmt::If { .. } | Stmt::For(_) | Stmt::Loop { .. } | Stmt::Block { .. }
        )
    }

    /// The blocks inside the statement.
    #[inline]
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        let (first, second) = match self {
            Stmt::If { then, other, .. } => (Some(then), Some(other)),
            Stmt::For(it) => (Some(&it.body), None),
            Stmt::Loop { body, .. } | Stmt::Block { body, .. } => (Some(body), None),
            _ => (None, None),
        };
        Few(first, second)
    }

    /// The blocks inside the statement, to be changed.
    #[inline]
    pub fn blocks_mut(&mut self) -> impl Iterator<Item = &mut Block> {
        let (first, second) = match self {
            Stmt::If { then, other, .. } => (Some(then), Some(other)),
            Stmt::For(it) => (Some(&mut it.body), None),
            Stmt::Loop { body, .. } | Stmt::Block { body, .. } => (Some(body), None),
            _ => (None, None),
        };
        Few(first, second)
    }
}

/// At most two of something, the first before the second.
struct Few<T>(Option<T>, Option<T>);

impl<T> Iterator for Few<T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        match self.0.take() {
            None => self.1.take(),
            first => first,
        }
    }
}

/// Whether something holds for a statement of the block or of the blocks inside.
pub(crate) fn any_stmt(block: &Block, holds: &mut impl FnMut(&Stmt) -> bool) -> bool {
    block.iter().any(|stmt| {
        holds(stmt) || (stmt.has_blocks() && stmt.blocks().any(|inner| any_stmt(inner, holds)))
    })
}

/// Calls `f` on each statement of the block and of the blocks inside, outer ones first. Nesting is bounded by the verifier.
pub fn for_each_stmt<'a>(block: &'a Block, f: &mut impl FnMut(&'a Stmt)) {
    for stmt in block {
        f(stmt);
        if stmt.has_blocks() {
            for inner in stmt.blocks() {
                for_each_stmt(inner, f);
            }
        }
    }
}
