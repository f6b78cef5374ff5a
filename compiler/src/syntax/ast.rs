//! The syntax tree: flat arenas, children by number and before their parents.
//!
//! An expression's nodes lie together, so that one pass over a range sees them all; `height` bounds how deep a walk over the
//! tree goes when it follows the left operands of binary operators in a loop. Dropping a tree is dropping a few vectors.

use super::token::Name;
use crate::diagnostic::Span;
use crate::ir::Scalar;

/// How deep statements and expressions may nest.
pub(crate) const NESTING_MAX: u16 = 512;

/// Links of a chain of `else if`: beyond it, code generation would take too long.
pub(crate) const LINKS_MAX: usize = 10_000;

macro_rules! ids {
    ($($name:ident)*) => {$(
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub(crate) struct $name(pub(crate) u32);
        impl $name {
            pub(crate) fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}
ids! { ExprId StmtId DeclId TypeId InitId }

/// A run of entries of one of the lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct List {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

impl List {
    pub(crate) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

/// An expression that is not part of another one: its root, and the first of its nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Full {
    pub(crate) start: ExprId,
    pub(crate) root: ExprId,
}

/// One operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unary {
    Plus,
    Neg,
    Not,
    BitNot,
    Deref,
    Address,
    PreIncrement,
    PreDecrement,
    PostIncrement,
    PostDecrement,
}

/// Two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Binary {
    Mul,
    Div,
    Rem,
    Add,
    Sub,
    Shl,
    Shr,
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
    BitAnd,
    BitXor,
    BitOr,
    And,
    Or,
    Comma,
}

/// An expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Expr {
    /// A literal, by number.
    Literal(u32),
    /// `true` or `false`.
    Bool(bool),
    Name(Name),
    Unary(Unary, ExprId),
    Binary(Binary, ExprId, ExprId),
    /// An assignment, with its operator if compound.
    Assign(Option<Binary>, ExprId, ExprId),
    Conditional(ExprId, ExprId, ExprId),
    /// A call by name; the arguments are in `Ast::args`.
    Call(Name, List),
    Index(ExprId, ExprId),
    Cast(TypeId, ExprId),
    SizeofType(TypeId),
    SizeofValue(ExprId),
}

/// What a declaration's type starts from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Base {
    Void,
    Scalar(Scalar),
    /// Complex, of two such parts.
    Complex(Scalar),
    /// Something that was reported.
    Unknown,
}

/// One step from a declared name to its base type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Derived {
    /// A pointer; what it points to is the rest.
    Pointer {
        /// Whether the pointer itself is `const`.
        is_const: bool,
        is_restrict: bool,
    },
    /// An array, with its extent if given.
    Array(Option<Full>),
    /// A function (of a prototype).
    Function,
}

/// A type as written: `derived` lists the steps from the name outwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TypeNode {
    pub(crate) base: Base,
    pub(crate) is_const: bool,
    /// In `Ast::derived`.
    pub(crate) derived: List,
    pub(crate) span: Span,
}

/// How a name is declared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Storage {
    pub(crate) is_static: bool,
    pub(crate) is_extern: bool,
    pub(crate) is_typedef: bool,
}

/// A declared name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Decl {
    pub(crate) name: Name,
    pub(crate) span: Span,
    pub(crate) ty: TypeId,
    pub(crate) init: Option<InitId>,
    pub(crate) storage: Storage,
}

/// An initialiser.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Init {
    Expr(Full),
    /// In `Ast::init_lists`.
    List(List, Span),
    /// `[i] = value`, in a list.
    Designated(Full, InitId),
}

/// A statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stmt {
    Empty,
    Expr(Full),
    /// Declarations, consecutive in `Ast::decls`.
    Decl(List),
    /// In `Ast::stmt_lists`.
    Block(List),
    If(Full, StmtId, Option<StmtId>),
    For {
        init: Option<StmtId>,
        cond: Option<Full>,
        step: Option<Full>,
        body: StmtId,
        /// One past the last expression of the body.
        end: ExprId,
    },
    While(Full, StmtId),
    DoWhile(StmtId, Full),
    Switch(Full, StmtId),
    /// A label of a switch; what follows it is its statements.
    Case(Full),
    Default,
    Break,
    Continue,
    Return(Option<Full>),
}

/// A function with its body.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) name: Name,
    pub(crate) span: Span,
    pub(crate) result: TypeId,
    pub(crate) params: List,
    pub(crate) body: StmtId,
    /// The closing brace.
    pub(crate) end: Span,
    /// Names of statements that could not be read.
    pub(crate) skipped: Vec<Name>,
}

/// The arenas of what was parsed so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ast {
    pub(crate) exprs: Vec<Expr>,
    pub(crate) expr_spans: Vec<Span>,
    heights: Vec<u16>,
    pub(crate) args: Vec<ExprId>,
    pub(crate) types: Vec<TypeNode>,
    pub(crate) derived: Vec<Derived>,
    pub(crate) decls: Vec<Decl>,
    pub(crate) inits: Vec<Init>,
    pub(crate) init_lists: Vec<InitId>,
    pub(crate) stmts: Vec<Stmt>,
    pub(crate) stmt_spans: Vec<Span>,
    pub(crate) stmt_lists: Vec<StmtId>,
}

impl Ast {
    /// Makes room for what so many tokens may be parsed to.
    pub(crate) fn reserve(&mut self, tokens: usize) {
        let exprs = tokens / 2;
        self.exprs.reserve(exprs);
        self.expr_spans.reserve(exprs);
        self.heights.reserve(exprs);
        let stmts = tokens / 8;
        self.stmts.reserve(stmts);
        self.stmt_spans.reserve(stmts);
    }

    pub(crate) fn expr(&self, id: ExprId) -> Expr {
        self.exprs[id.index()]
    }

    pub(crate) fn span(&self, id: ExprId) -> Span {
        self.expr_spans[id.index()]
    }

    pub(crate) fn stmt(&self, id: StmtId) -> Stmt {
        self.stmts[id.index()]
    }

    pub(crate) fn stmt_span(&self, id: StmtId) -> Span {
        self.stmt_spans[id.index()]
    }

    pub(crate) fn decl(&self, id: DeclId) -> Decl {
        self.decls[id.index()]
    }

    pub(crate) fn ty(&self, id: TypeId) -> TypeNode {
        self.types[id.index()]
    }

    pub(crate) fn derived(&self, ty: TypeId) -> &[Derived] {
        &self.derived[self.ty(ty).derived.range()]
    }

    pub(crate) fn height(&self, id: ExprId) -> u16 {
        self.heights[id.index()]
    }

    /// A new node. Its height saturates; the parser refuses what is too high.
    pub(crate) fn push_expr(&mut self, expr: Expr, span: Span) -> ExprId {
        let height = self.height_of(expr);
        self.exprs.push(expr);
        self.expr_spans.push(span);
        self.heights.push(height);
        ExprId(self.exprs.len() as u32 - 1)
    }

    fn height_of(&self, expr: Expr) -> u16 {
        let above = |id: ExprId| self.height(id).saturating_add(1);
        match expr {
            Expr::Literal(_) | Expr::Bool(_) | Expr::Name(_) | Expr::SizeofType(_) => 0,
            Expr::Unary(_, a) | Expr::Cast(_, a) | Expr::SizeofValue(a) => above(a),
            // Left operands are walked in a loop.
            Expr::Binary(_, a, b) => self.height(a).max(1).max(above(b)),
            Expr::Assign(_, a, b) | Expr::Index(a, b) => above(a).max(above(b)),
            Expr::Conditional(a, b, c) => above(a).max(above(b)).max(above(c)),
            Expr::Call(_, args) => {
                let args = &self.args[args.range()];
                args.iter().map(|id| above(*id)).max().unwrap_or(0)
            }
        }
    }

    pub(crate) fn push_stmt(&mut self, stmt: Stmt, span: Span) -> StmtId {
        self.stmts.push(stmt);
        self.stmt_spans.push(span);
        StmtId(self.stmts.len() as u32 - 1)
    }
}
