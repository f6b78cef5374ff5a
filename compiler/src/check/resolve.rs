//! Names to declarations, and what happens to each local: how often it is used, where assigned, whether its address is taken.
//!
//! One pass in text order with a stack of scopes. An expression's nodes are one range, so no tree is walked.

use super::unit::{Entity, Unit};
use super::{ERRORS_MAX, suggest};
use crate::diagnostic::{Diagnostic, Span};
use crate::syntax::ast::{
    Decl, DeclId, Derived, Expr, ExprId, Full, Function, Init, InitId, List, Stmt, StmtId, TypeId,
    Unary,
};
use crate::syntax::token::Name;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

/// What happens to a parameter or local.
#[derive(Clone, Debug, Default)]
pub(super) struct LocalUse {
    pub(super) uses: u32,
    /// The assignments, in text order.
    pub(super) assigned: Vec<ExprId>,
    pub(super) address_taken: bool,
}

impl LocalUse {
    /// Whether it keeps the value it starts with.
    pub(super) fn is_fixed(&self) -> bool {
        self.assigned.is_empty() && !self.address_taken
    }

    /// Whether an assignment stands among the expressions `start..end`.
    pub(super) fn assigned_in(&self, start: ExprId, end: ExprId) -> bool {
        let at = self.assigned.partition_point(|id| *id < start);
        self.assigned.get(at).is_some_and(|id| *id < end)
    }
}

/// A function whose names are known.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) function: Function,
    /// The first of its declarations; all of them are consecutive.
    pub(super) first: DeclId,
    pub(super) locals: Vec<LocalUse>,
}

impl Resolved {
    pub(super) fn local(&self, decl: DeclId) -> &LocalUse {
        &self.locals[self.index(decl)]
    }

    pub(super) fn index(&self, decl: DeclId) -> usize {
        (decl.0 - self.first.0) as usize
    }
}

/// Resolves a function's names; unknown ones are reported once each.
pub(super) fn function(unit: &mut Unit<'_>, function: Function, first: DeclId) -> Resolved {
    let count = unit.ast.decls.len() - first.index();
    let mut resolver = Resolver {
        unit,
        first,
        locals: vec![LocalUse::default(); count],
        scope: HashMap::default(),
        hidden: Vec::new(),
        depth: 0,
        unknown: function.skipped.iter().copied().collect(),
    };
    resolver.function(&function);
    Resolved {
        function,
        first,
        locals: resolver.locals,
    }
}

/// Resolves a declaration of the file.
pub(super) fn outer_decl(unit: &mut Unit<'_>, decl: Decl) {
    for full in decl_exprs(unit, decl) {
        outer_expr(unit, full);
    }
}

/// Resolves an expression outside functions.
pub(super) fn outer_expr(unit: &mut Unit<'_>, full: Full) {
    let mut unknown = HashSet::default();
    unit.set_entities(full, |unit, id, name| {
        let entity = unit.outer(name);
        if entity == Entity::None && unknown.insert(name) {
            report_unknown(unit, name, id, &[]);
        }
        entity
    });
}

/// The expressions of a declaration: extents, then values.
fn decl_exprs(unit: &Unit<'_>, decl: Decl) -> Vec<Full> {
    let mut found = extents(unit, decl.ty);
    found.extend(
        decl.init
            .into_iter()
            .flat_map(|init| init_exprs(unit, init)),
    );
    found
}

fn extents(unit: &Unit<'_>, ty: TypeId) -> Vec<Full> {
    let steps = unit.ast.derived(ty).iter();
    steps
        .filter_map(|step| match step {
            Derived::Array(extent) => *extent,
            _ => None,
        })
        .collect()
}

fn init_exprs(unit: &Unit<'_>, init: InitId) -> Vec<Full> {
    let mut found = Vec::new();
    let mut open = vec![init];
    while let Some(init) = open.pop() {
        match unit.ast.inits[init.index()] {
            Init::Expr(full) => found.push(full),
            Init::Designated(index, value) => {
                found.push(index);
                open.push(value);
            }
            Init::List(list, _) => {
                open.extend(unit.ast.init_lists[list.range()].iter().rev());
            }
        }
    }
    found
}

fn report_unknown(unit: &mut Unit<'_>, name: Name, id: ExprId, locals: &[String]) {
    if unit.broken.contains(&name) {
        return;
    }
    let text = unit.text(name).to_owned();
    let span = unit.ast.span(id);
    let known = match text.as_str() {
        "NULL" => Some((
            "a null pointer",
            "no pointer of a kernel is null: leave the test out",
        )),
        "__func__" | "__FUNCTION__" => {
            Some(("a string", "kernels compute and nothing else: remove it"))
        }
        _ => None,
    };
    if let Some((what, help)) = known {
        let message = format!("{what} is not in the kernel language");
        let found = Diagnostic::error("not-in-language", span, message);
        unit.errors.push(found.with_help(help));
        return;
    }
    let is_function = unit.function_item(name).is_some() || super::math::is_known(&text);
    if is_function {
        let message = format!("`{text}` is a function and can only be called");
        unit.error("function-as-value", span, message);
        return;
    }
    // One misspelt file is enough to suggest for.
    if unit.errors.len() > ERRORS_MAX {
        unit.error("undeclared-name", span, format!("`{text}` is not declared"));
        return;
    }
    let constants = unit.constants.iter().map(|c| c.name.as_str());
    let near = suggest::nearest(&text, locals.iter().map(String::as_str).chain(constants));
    let mut found = Diagnostic::error("undeclared-name", span, format!("`{text}` is not declared"));
    if let Some(near) = near {
        found = found.with_help(format!("did you mean `{near}`?"));
    }
    unit.errors.push(found);
}

struct Resolver<'u, 'a> {
    unit: &'u mut Unit<'a>,
    first: DeclId,
    locals: Vec<LocalUse>,
    /// The declaration that a name means here, and the depth of its scope.
    scope: HashMap<Name, (DeclId, u32)>,
    /// What names meant before they were declared again, or nothing.
    hidden: Vec<(Name, Option<(DeclId, u32)>)>,
    depth: u32,
    unknown: HashSet<Name>,
}

impl Resolver<'_, '_> {
    fn function(&mut self, function: &Function) {
        self.depth = 1;
        for at in function.params.range() {
            let decl = self.unit.ast.decls[at];
            for full in extents(self.unit, decl.ty) {
                self.full(full);
            }
            if decl.name != Name::NONE {
                self.declare(DeclId(at as u32), decl.name, decl.span);
            }
        }
        // The outermost block shares the parameters' scope.
        if let Stmt::Block(list) = self.unit.ast.stmt(function.body) {
            self.stmts(list);
        }
    }

    fn declare(&mut self, id: DeclId, name: Name, span: Span) {
        let before = self.scope.insert(name, (id, self.depth));
        if let Some((first, depth)) = before
            && depth == self.depth
        {
            let first = self.unit.ast.decl(first).span;
            let message = format!("`{}` is declared a second time", self.unit.text(name));
            let found = Diagnostic::error("redeclaration", span, message);
            self.unit
                .errors
                .push(found.with_related(first, "first declared here"));
        }
        self.hidden.push((name, before));
    }

    fn nested(&mut self, inside: impl FnOnce(&mut Self)) {
        let mark = self.hidden.len();
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        while self.hidden.len() > mark {
            match self.hidden.pop() {
                Some((name, Some(before))) => {
                    self.scope.insert(name, before);
                }
                Some((name, None)) => {
                    self.scope.remove(&name);
                }
                None => {}
            }
        }
    }

    fn stmts(&mut self, list: List) {
        for at in list.range() {
            self.stmt(self.unit.ast.stmt_lists[at]);
        }
    }

    fn stmt(&mut self, id: StmtId) {
        match self.unit.ast.stmt(id) {
            Stmt::Empty | Stmt::Default | Stmt::Break | Stmt::Continue | Stmt::Return(None) => {}
            Stmt::Expr(full) | Stmt::Case(full) | Stmt::Return(Some(full)) => self.full(full),
            Stmt::Decl(list) => {
                for at in list.range() {
                    self.decl(DeclId(at as u32));
                }
            }
            Stmt::Block(list) => self.nested(|r| r.stmts(list)),
            Stmt::If(..) => self.chain(id),
            Stmt::For {
                init,
                cond,
                step,
                body,
                ..
            } => self.nested(|r| {
                init.into_iter().for_each(|init| r.stmt(init));
                cond.into_iter().chain(step).for_each(|full| r.full(full));
                r.nested(|r| r.stmt(body));
            }),
            Stmt::While(cond, body) | Stmt::Switch(cond, body) => {
                self.full(cond);
                self.nested(|r| r.stmt(body));
            }
            Stmt::DoWhile(body, cond) => {
                self.nested(|r| r.stmt(body));
                self.full(cond);
            }
        }
    }

    /// A chain of `else if`, however long.
    fn chain(&mut self, id: StmtId) {
        let mut next = Some(id);
        while let Some(id) = next.take() {
            if let Stmt::If(cond, then, other) = self.unit.ast.stmt(id) {
                self.full(cond);
                self.nested(|r| r.stmt(then));
                next = other;
            } else {
                self.nested(|r| r.stmt(id));
            }
        }
    }

    fn decl(&mut self, id: DeclId) {
        let decl = self.unit.ast.decl(id);
        for full in extents(self.unit, decl.ty) {
            self.full(full);
        }
        let is_prototype = self.unit.ast.derived(decl.ty).contains(&Derived::Function);
        if !is_prototype && !decl.storage.is_typedef {
            self.declare(id, decl.name, decl.span);
        }
        if let Some(init) = decl.init {
            for full in init_exprs(self.unit, init) {
                self.full(full);
            }
        }
    }

    /// Names of an expression, then what it assigns.
    fn full(&mut self, full: Full) {
        let (scope, hidden) = (&self.scope, &self.hidden);
        let (locals, unknown, first) = (&mut self.locals, &mut self.unknown, self.first);
        self.unit.set_entities(full, |unit, id, name| {
            if let Some((decl, _)) = scope.get(&name) {
                locals[(decl.0 - first.0) as usize].uses += 1;
                return Entity::Local(*decl);
            }
            let entity = unit.outer(name);
            if entity == Entity::None && unknown.insert(name) {
                let near_max = match unit.errors.len() {
                    0..=ERRORS_MAX => suggest::NAMES_MAX,
                    _ => 0,
                };
                let declared = hidden.iter().rev().take(near_max);
                let texts: Vec<String> = declared.map(|(n, _)| unit.text(*n).to_owned()).collect();
                report_unknown(unit, name, id, &texts);
            }
            entity
        });
        for at in full.start.0..=full.root.0 {
            let id = ExprId(at);
            match self.unit.ast.expr(id) {
                Expr::Assign(_, target, _) => self.assigns(target, id),
                Expr::Unary(
                    Unary::PreIncrement
                    | Unary::PreDecrement
                    | Unary::PostIncrement
                    | Unary::PostDecrement,
                    target,
                ) => self.assigns(target, id),
                Expr::Unary(Unary::Address, target) => {
                    if let Entity::Local(decl) = self.unit.entity(target) {
                        self.locals[(decl.0 - self.first.0) as usize].address_taken = true;
                    }
                }
                _ => {}
            }
        }
    }

    fn assigns(&mut self, target: ExprId, at: ExprId) {
        if let Entity::Local(decl) = self.unit.entity(target) {
            self.locals[(decl.0 - self.first.0) as usize]
                .assigned
                .push(at);
        }
    }
}
