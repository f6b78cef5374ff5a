//! Builds a body statement by statement, keeping the stack of open blocks.
//!
//! Used by the checker, the wrapper and the passes. It types results by its callers' word; `verify` judges them. Constants
//! are not shared here: canonical form and value numbering do that.

use super::body::{BinaryOp, HostSymbol};
use super::body::{
    Block, Body, CallArgs, CompareOp, For, Inst, Label, Op, Place, Site, Stmt, Symbol, UnaryOp,
    Value, Var,
};
use super::types::{Scalar, Type};

/// A body under construction.
#[derive(Debug, Default)]
pub struct Builder {
    /// The arenas. Its `root` is empty until `finish`.
    pub body: Body,
    current: Block,
    outer: Vec<Block>,
}

impl Builder {
    /// Starts with the arenas of `body`; its root is dropped.
    pub fn new(mut body: Body) -> Builder {
        body.root.clear();
        Builder {
            body,
            current: Block::new(),
            outer: Vec::new(),
        }
    }

    /// The body, whose root is what was built. All blocks must be closed.
    pub fn finish(mut self) -> Body {
        assert!(self.outer.is_empty(), "a block was left open");
        self.body.root = self.current;
        self.body
    }

    /// Opens a nested block; statements go there until `close`.
    pub fn open(&mut self) {
        self.outer.push(std::mem::take(&mut self.current));
    }

    /// Closes the innermost block and hands it out, to be put into a statement.
    pub fn close(&mut self) -> Block {
        let outer = self.outer.pop().expect("a block is open");
        std::mem::replace(&mut self.current, outer)
    }

    /// Makes room for so many statements more in the innermost open block.
    pub fn reserve(&mut self, statements: usize) {
        self.current.reserve(statements);
    }

    /// Appends a statement.
    pub fn push(&mut self, stmt: Stmt) {
        self.current.push(stmt);
    }

    /// The statements of the innermost open block so far.
    pub fn current(&self) -> &Block {
        &self.current
    }

    /// Computes `op` here.
    pub fn emit(&mut self, op: Op, ty: impl Into<Type>) -> Value {
        let value = self.body.values.push(Inst { op, ty: ty.into() });
        self.current.push(Stmt::Let(value));
        value
    }

    /// A constant by its bits.
    pub fn constant(&mut self, bits: u64, ty: impl Into<Type>) -> Value {
        self.emit(Op::Const(bits), ty)
    }

    /// An `I64` constant.
    pub fn i64(&mut self, value: i64) -> Value {
        self.constant(value as u64, Scalar::I64)
    }

    /// One operand; the result has its type.
    pub fn unary(&mut self, op: UnaryOp, a: Value) -> Value {
        let ty = self.body.ty(a);
        self.emit(Op::Unary(op, a), ty)
    }

    /// Two operands; the result has the first one's type.
    pub fn binary(&mut self, op: BinaryOp, a: Value, b: Value) -> Value {
        let ty = self.body.ty(a);
        self.emit(Op::Binary(op, a, b), ty)
    }

    /// A comparison.
    pub fn compare(&mut self, op: CompareOp, a: Value, b: Value) -> Value {
        let ty = Type::BOOL.with_lanes(self.body.ty(a).lanes);
        self.emit(Op::Compare(op, a, b), ty)
    }

    /// `if_true` where `cond`, else `if_false`.
    pub fn select(&mut self, cond: Value, if_true: Value, if_false: Value) -> Value {
        let ty = self.body.ty(if_true);
        self.emit(Op::Select(cond, if_true, if_false), ty)
    }

    /// Conversion; nothing is emitted when the type is right already.
    pub fn convert(&mut self, value: Value, scalar: Scalar) -> Value {
        let from = self.body.ty(value);
        if from.scalar == scalar {
            return value;
        }
        let to = Type {
            scalar,
            lanes: from.lanes,
        };
        self.emit(Op::Convert(value), to)
    }

    /// A new variable.
    pub fn var(&mut self, ty: impl Into<Type>) -> Var {
        self.body.vars.push(ty.into())
    }

    /// The value of a variable here.
    pub fn get(&mut self, var: Var) -> Value {
        let ty = self.body.vars[var];
        self.emit(Op::Get(var), ty)
    }

    /// Assigns a variable.
    pub fn set(&mut self, var: Var, value: Value) {
        self.push(Stmt::Set(var, value));
    }

    /// A load of a scalar.
    pub fn load(&mut self, place: Place, index: Value, scalar: Scalar, site: Site) -> Value {
        self.emit(Op::Load { place, index, site }, scalar)
    }

    /// A store.
    pub fn store(&mut self, place: Place, index: Value, value: Value, site: Site) {
        self.push(Stmt::Store {
            place,
            index,
            value,
            site,
        });
    }

    /// The symbol of a host function, declared once.
    pub fn symbol(&mut self, host: &HostSymbol) -> Symbol {
        let known = self.body.symbols.iter().find(|(_, s)| *s == host);
        match known {
            Some((symbol, _)) => symbol,
            None => self.body.symbols.push(host.clone()),
        }
    }

    /// A call of a host function.
    pub fn call(&mut self, symbol: Symbol, args: CallArgs) -> Value {
        let result = self.body.symbols[symbol].result;
        self.emit(Op::Call(symbol, args), result)
    }

    /// Opens the body of a counted loop; the counter is the returned value. `close_for` ends it.
    pub fn open_for(&mut self, lo: Value, hi: Value, step: i64) -> OpenFor {
        let label = self.body.label();
        let site = self.body.site();
        let counter = self.body.values.push(Inst {
            op: Op::Counter,
            ty: Type::I64,
        });
        self.open();
        OpenFor {
            label,
            counter,
            lo,
            hi,
            step,
            site,
        }
    }

    /// Ends a counted loop.
    pub fn close_for(&mut self, open: OpenFor) {
        let body = self.close();
        self.push(Stmt::For(Box::new(For {
            label: open.label,
            counter: open.counter,
            lo: open.lo,
            hi: open.hi,
            step: open.step,
            site: open.site,
            body,
        })));
    }
}

/// A counted loop whose body is being built.
#[derive(Clone, Copy, Debug)]
pub struct OpenFor {
    /// To leave or continue.
    pub label: Label,
    /// The counter, `I64`.
    pub counter: Value,
    lo: Value,
    hi: Value,
    step: i64,
    site: Site,
}
