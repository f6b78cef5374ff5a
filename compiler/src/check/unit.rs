//! A file as the checker sees it: its items by name, each parsed and resolved when it is first needed.

use super::constant;
use super::num::Num;
use super::resolve::{self, Resolved};
use crate::diagnostic::{Diagnostic, Span};
use crate::source::ConstantDecl;
use crate::syntax::ast::{Ast, Decl, DeclId, ExprId, Full, Init};
use crate::syntax::items::{self, Item, ItemKind};
use crate::syntax::parser::{Parser, TypeNames};
use crate::syntax::token::{Name, Tokens};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::rc::Rc;

/// What a name in an expression stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entity {
    /// Not a name, or one that was reported.
    None,
    /// A parameter or local of the function.
    Local(DeclId),
    /// A variable of the file.
    Global(DeclId),
    /// An enumerator.
    Enumerator(i32),
    /// A kernel constant, by its place in the caller's list.
    Constant(u32),
    /// A constant of a standard header, by its place in the built-in list.
    Builtin(u32),
}

/// What a name of the file's outermost scope stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outer {
    Item(usize),
    Entity(Entity),
}

/// A file.
pub(super) struct Unit<'a> {
    pub(super) tokens: &'a Tokens,
    pub(super) items: &'a [Item],
    pub(super) ast: Ast,
    pub(super) constants: &'a [ConstantDecl],
    pub(super) errors: Vec<Diagnostic>,
    types: TypeNames,
    outer: HashMap<Name, Outer>,
    functions: HashMap<Name, usize>,
    /// By expression.
    pub(super) entities: Vec<Entity>,
    parsed: HashMap<usize, Option<Rc<Resolved>>>,
    /// Of scalar variables of the file, if constant.
    values: HashMap<DeclId, Option<Num>>,
    /// Variables whose declarations were refused: what they are is not known.
    pub(super) broken: HashSet<Name>,
    /// Items of the file being parsed within one another.
    nested: u32,
}

/// A text's tokens and items: what does not depend on which of its functions is wanted.
#[derive(Debug)]
pub(super) struct Lexed {
    tokens: Tokens,
    items: Vec<Item>,
    errors: Vec<Diagnostic>,
}

impl Lexed {
    /// Lexes and splits a text.
    pub(super) fn new(text: &str) -> Lexed {
        let mut errors = Vec::new();
        let tokens = crate::syntax::preprocess(text, &mut errors);
        let items = items::split(&tokens.list, &mut errors);
        Lexed {
            tokens,
            items,
            errors,
        }
    }
}

/// How many declarations of the file may need one another in a row.
const NESTED_MAX: u32 = 200;

impl<'a> Unit<'a> {
    /// The file of a text; typedefs are parsed at once.
    pub(super) fn new(lexed: &'a Lexed, constants: &'a [ConstantDecl]) -> Unit<'a> {
        let Lexed {
            tokens,
            items,
            errors,
        } = lexed;
        let mut ast = Ast::default();
        let types = TypeNames::standard(&tokens.names, &mut ast);
        let mut unit = Unit {
            tokens,
            items,
            ast,
            constants,
            errors: errors.clone(),
            types,
            outer: HashMap::default(),
            functions: HashMap::default(),
            entities: Vec::new(),
            parsed: HashMap::default(),
            values: HashMap::default(),
            broken: HashSet::default(),
            nested: 0,
        };
        unit.index();
        unit.typedefs();
        unit
    }

    fn index(&mut self) {
        for (at, item) in self.items.iter().enumerate() {
            for name in &item.names {
                match item.kind {
                    ItemKind::Function => {
                        let again = self.functions.insert(*name, at);
                        if let Some(first) = again {
                            let text = self.tokens.names.text(*name);
                            let message = format!("`{text}` is defined a second time");
                            let found = Diagnostic::error("redeclaration", item.span, message);
                            let first = self.items[first].span;
                            self.errors
                                .push(found.with_related(first, "first defined here"));
                        }
                    }
                    ItemKind::Variables | ItemKind::Enum => {
                        self.outer.entry(*name).or_insert(Outer::Item(at));
                    }
                    ItemKind::Typedef | ItemKind::Other => {}
                }
            }
        }
    }

    /// Typedefs that are not understood define nothing; their use is what is reported.
    fn typedefs(&mut self) {
        for at in 0..self.items.len() {
            if self.items[at].kind != ItemKind::Typedef {
                continue;
            }
            let mut ignored = Vec::new();
            let list = self.parser(at, &mut ignored, |parser| parser.declaration());
            if list.is_none() {
                let names = &self.items[at].names;
                names.iter().for_each(|name| self.types.refuse(*name));
            }
            for decl in list.into_iter().flat_map(|list| list.range()) {
                let decl = self.ast.decls[decl];
                self.types.define(decl.name, decl.ty);
            }
        }
    }

    fn parser<T>(
        &mut self,
        item: usize,
        errors: &mut Vec<Diagnostic>,
        parse: impl FnOnce(&mut Parser<'_>) -> Result<T, crate::syntax::parser::Failed>,
    ) -> Option<T> {
        let tokens = &self.tokens.list[self.items[item].tokens.clone()];
        self.ast.reserve(tokens.len());
        let mut parser = Parser::new(
            tokens,
            &self.tokens.names,
            &self.types,
            &mut self.ast,
            errors,
        );
        parse(&mut parser).ok()
    }

    pub(super) fn text(&self, name: Name) -> &str {
        self.tokens.names.text(name)
    }

    pub(super) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.errors.push(Diagnostic::error(code, span, message));
    }

    /// The item of a function with a body.
    pub(super) fn function_item(&self, name: Name) -> Option<usize> {
        self.functions.get(&name).copied()
    }

    /// A function, parsed and resolved; `None` if that failed, now or before.
    pub(super) fn function(&mut self, item: usize) -> Option<Rc<Resolved>> {
        if let Some(known) = self.parsed.get(&item) {
            return known.clone();
        }
        let mut errors = std::mem::take(&mut self.errors);
        let before = errors.len();
        let first = DeclId(self.ast.decls.len() as u32);
        let parsed = self.parser(item, &mut errors, |parser| parser.function());
        let well_formed = errors.len() == before;
        self.errors = errors;
        let resolved = parsed.and_then(|function| {
            let resolved = resolve::function(self, function, first);
            well_formed.then(|| Rc::new(resolved))
        });
        self.parsed.insert(item, resolved.clone());
        resolved
    }

    /// What a name means that the function does not declare.
    pub(super) fn outer(&mut self, name: Name) -> Entity {
        match self.outer.get(&name) {
            Some(Outer::Entity(entity)) => return *entity,
            Some(Outer::Item(item)) => self.parse_outer(*item),
            None => {}
        }
        if let Some(Outer::Entity(entity)) = self.outer.get(&name) {
            return *entity;
        }
        let text = self.tokens.names.text(name);
        let constant = self.constants.iter().position(|c| c.name == text);
        let entity = match constant {
            Some(at) => Entity::Constant(at as u32),
            None => match super::builtin::find(text) {
                Some(at) => Entity::Builtin(at),
                None => Entity::None,
            },
        };
        self.outer.insert(name, Outer::Entity(entity));
        entity
    }

    fn parse_outer(&mut self, item: usize) {
        // A name that its own item mentions is not known yet.
        for name in self.items[item].names.clone() {
            if self.outer.get(&name) == Some(&Outer::Item(item)) {
                self.outer.insert(name, Outer::Entity(Entity::None));
            }
        }
        if self.nested >= NESTED_MAX {
            let span = self.items[item].span;
            let message = "too many declarations need one another in a row";
            self.error("too-deep", span, message);
            return;
        }
        self.nested += 1;
        match self.items[item].kind {
            ItemKind::Enum => self.parse_enum(item),
            _ => self.parse_variables(item),
        }
        self.nested -= 1;
    }

    /// The value of a scalar variable of the file that is a constant.
    pub(super) fn global_value(&self, decl: DeclId) -> Option<Num> {
        self.values.get(&decl).copied().flatten()
    }

    fn evaluate(&self, decl: Decl) -> Option<Num> {
        let scalar = constant::scalar_type(self, decl.ty)?;
        let is_fixed = self.ast.ty(decl.ty).is_const || decl.storage.is_static;
        if !is_fixed || decl.storage.is_extern {
            return None;
        }
        match decl.init.map(|init| self.ast.inits[init.index()]) {
            None => Some(Num::constant(scalar, 0)),
            Some(Init::Expr(full)) => {
                let num = constant::fold_unit(self, full.root)?;
                Some(constant::to(num, scalar))
            }
            Some(Init::List(..) | Init::Designated(..)) => None,
        }
    }

    fn parse_variables(&mut self, item: usize) {
        let mut errors = std::mem::take(&mut self.errors);
        let list = self.parser(item, &mut errors, |parser| parser.declaration());
        self.errors = errors;
        if list.is_none() {
            let names = self.items[item].names.iter();
            self.broken.extend(names.copied());
        }
        for at in list.into_iter().flat_map(|list| list.range()) {
            let decl = self.ast.decls[at];
            resolve::outer_decl(self, decl);
            let value = self.evaluate(decl);
            self.values.insert(DeclId(at as u32), value);
            let entity = Outer::Entity(Entity::Global(DeclId(at as u32)));
            self.outer.insert(decl.name, entity);
        }
    }

    fn parse_enum(&mut self, item: usize) {
        let mut errors = std::mem::take(&mut self.errors);
        let list = self.parser(item, &mut errors, |parser| parser.enumerators());
        self.errors = errors;
        let mut next = 0_i32;
        for (name, span, value) in list.unwrap_or_default() {
            if let Some(value) = value {
                resolve::outer_expr(self, value);
                match super::constant::fold_unit(self, value.root) {
                    Some(num) => match num.integer().map(i32::try_from) {
                        Some(Ok(value)) => next = value,
                        _ => self.error("not-constant", span, "an enumerator is an int constant"),
                    },
                    None => self.error("not-constant", span, "an enumerator is an int constant"),
                }
            }
            self.outer
                .insert(name, Outer::Entity(Entity::Enumerator(next)));
            next = next.wrapping_add(1);
        }
    }

    /// What the names of an expression are, each looked up by `find`.
    pub(super) fn set_entities(
        &mut self,
        full: Full,
        mut find: impl FnMut(&mut Unit<'a>, ExprId, Name) -> Entity,
    ) {
        self.entities.resize(self.ast.exprs.len(), Entity::None);
        for at in full.start.0..=full.root.0 {
            let id = ExprId(at);
            if let crate::syntax::ast::Expr::Name(name) = self.ast.expr(id) {
                let entity = find(self, id, name);
                self.entities.resize(self.ast.exprs.len(), Entity::None);
                self.entities[id.index()] = entity;
            }
        }
    }

    pub(super) fn entity(&self, id: ExprId) -> Entity {
        self.entities
            .get(id.index())
            .copied()
            .unwrap_or(Entity::None)
    }
}
