//! A kernel as a tree of small numbers, and how such trees are drawn. What a number means is the writer's; every tree is a kernel.

use proptest::prelude::*;

/// An expression: what it is, and what it is made of.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Leaf(u8, u8),
    One(u8, Box<Expr>),
    Two(u8, Box<Expr>, Box<Expr>),
    Three(Box<Expr>, Box<Expr>, Box<Expr>),
    /// A function, of `math.h` or a helper, and its arguments.
    Call(u8, Box<Expr>, Box<Expr>),
}

#[derive(Clone, Debug)]
pub(crate) enum Stmt {
    /// A place, an operator, a value.
    Assign(u8, u8, Expr),
    /// A type, a shape, a first value.
    Local(u8, u8, Expr),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    /// A form, the counter's type, a bound.
    For(u8, u8, Expr, Vec<Stmt>),
    /// `while` or `do`.
    While(u8, Expr, Vec<Stmt>),
    /// A form and three arms.
    Switch(u8, Expr, [Vec<Stmt>; 3]),
    /// Leaves a loop, a switch or the function under a condition.
    Leave(u8, Expr),
    /// A helper that writes through pointers, which places it is given, and a value.
    Call(u8, u8, Expr),
    Block(Vec<Stmt>),
    /// A walk through an array, and a value for it.
    Walk([u8; 8], Expr),
}

/// A function that the kernel calls.
#[derive(Clone, Debug)]
pub(crate) struct Helper {
    /// Type of the result, where it gives one.
    pub(crate) result: u8,
    pub(crate) params: Vec<(u8, u8)>,
    pub(crate) body: Vec<Stmt>,
    pub(crate) end: Expr,
}

/// A kernel, what stands around it, and how it is called.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    /// Path, access, type and dimension of each argument, and how it is spelled.
    pub(crate) params: Vec<(u8, u8, u8, u8)>,
    /// Type, number of values and first value of each kernel constant.
    pub(crate) constants: Vec<(u8, u8, u8)>,
    /// Type and shape of each table.
    pub(crate) tables: Vec<(u8, u8)>,
    pub(crate) helpers: Vec<Helper>,
    pub(crate) body: Vec<Stmt>,
    pub(crate) choices: u8,
    pub(crate) seed: u64,
}

fn expr() -> impl Strategy<Value = Expr> {
    let leaf = (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Expr::Leaf(a, b));
    leaf.prop_recursive(4, 24, 3, |inner| {
        let one = inner.clone().prop_map(Box::new);
        let boxed = || one.clone();
        prop_oneof![
            2 => (any::<u8>(), boxed()).prop_map(|(op, a)| Expr::One(op, a)),
            3 => (any::<u8>(), boxed(), boxed()).prop_map(|(op, a, b)| Expr::Two(op, a, b)),
            1 => (boxed(), boxed(), boxed()).prop_map(|(a, b, c)| Expr::Three(a, b, c)),
            1 => (any::<u8>(), boxed(), boxed()).prop_map(|(f, a, b)| Expr::Call(f, a, b)),
        ]
    })
}

fn stmts(depth: u32) -> BoxedStrategy<Vec<Stmt>> {
    let n = any::<u8>;
    let simple = prop_oneof![
        6 => (n(), n(), expr()).prop_map(|(p, o, e)| Stmt::Assign(p, o, e)),
        3 => (n(), n(), expr()).prop_map(|(t, s, e)| Stmt::Local(t, s, e)),
        1 => (n(), expr()).prop_map(|(k, e)| Stmt::Leave(k, e)),
        1 => (n(), n(), expr()).prop_map(|(h, p, e)| Stmt::Call(h, p, e)),
    ];
    if depth == 0 {
        return prop::collection::vec(simple, 0..4).boxed();
    }
    let inner = stmts(depth - 1);
    let inner = || inner.clone();
    let stmt = prop_oneof![
        10 => simple,
        2 => (expr(), inner(), inner()).prop_map(|(c, a, b)| Stmt::If(c, a, b)),
        3 => (n(), n(), expr(), inner()).prop_map(|(k, t, e, b)| Stmt::For(k, t, e, b)),
        1 => (n(), expr(), inner()).prop_map(|(k, c, b)| Stmt::While(k, c, b)),
        1 => (n(), expr(), inner(), inner(), inner())
            .prop_map(|(k, on, a, b, c)| Stmt::Switch(k, on, [a, b, c])),
        1 => inner().prop_map(Stmt::Block),
        1 => (any::<[u8; 8]>(), expr()).prop_map(|(by, e)| Stmt::Walk(by, e)),
    ];
    prop::collection::vec(stmt, 1..6).boxed()
}

fn helper() -> impl Strategy<Value = Helper> {
    let params = prop::collection::vec(any::<(u8, u8)>(), 1..4);
    (any::<u8>(), params, stmts(1), expr()).prop_map(|(result, params, body, end)| Helper {
        result,
        params,
        body,
        end,
    })
}

/// Kernels that walk through arrays.
pub(crate) fn walking() -> impl Strategy<Value = Drawn> {
    let walk = (any::<[u8; 8]>(), expr()).prop_map(|(by, e)| Stmt::Walk(by, e));
    drawn_of(prop::collection::vec(walk, 1..4).boxed())
}

/// Kernels, what stands around them, and how they are called.
pub(crate) fn drawn() -> impl Strategy<Value = Drawn> {
    drawn_of(stmts(2))
}

fn drawn_of(body: BoxedStrategy<Vec<Stmt>>) -> impl Strategy<Value = Drawn> {
    let vec = prop::collection::vec::<proptest::strategy::BoxedStrategy<_>>;
    let params = prop::collection::vec(any::<(u8, u8, u8, u8)>(), 2..6);
    let constants = prop::collection::vec(any::<(u8, u8, u8)>(), 0..3);
    let tables = prop::collection::vec(any::<(u8, u8)>(), 0..3);
    let around = (params, constants, tables, vec(helper().boxed(), 0..3));
    (around, body, any::<u8>(), any::<u64>()).prop_map(
        |((params, constants, tables, helpers), body, choices, seed)| Drawn {
            params,
            constants,
            tables,
            helpers,
            body,
            choices,
            seed,
        },
    )
}
