//! Declarations: specifiers, declarators, initialisers, parameters, function heads.

use super::super::ast::{
    Decl, Derived, ExprId, Full, Function, Init, InitId, List, NESTING_MAX, Storage, TypeId,
    TypeNode,
};
use super::super::token::{Kind, Name, kw};
use super::{Parsed, Parser};
use crate::diagnostic::Span;

/// A name with the steps to its base type.
pub(super) struct Declarator {
    name: Name,
    span: Span,
    derived: Vec<Derived>,
}

impl Parser<'_> {
    /// A declarator; without a name where `abstract_ok`.
    pub(super) fn declarator(&mut self, abstract_ok: bool) -> Parsed<Declarator> {
        self.enter()?;
        let result = self.declarator_inner(abstract_ok);
        self.leave();
        result
    }

    fn declarator_inner(&mut self, abstract_ok: bool) -> Parsed<Declarator> {
        let pointers = self.pointers();
        let token = self.peek();
        let nested = token.kind == Kind::LParen
            && (matches!(self.ahead(1).kind, Kind::Star | Kind::LParen) || self.ahead(1).is_name())
            && !self.starts_type(1);
        let mut result = Declarator {
            name: Name::NONE,
            span: token.span,
            derived: Vec::new(),
        };
        if token.is_name() {
            self.at += 1;
            result.name = token.name;
        } else if nested {
            self.at += 1;
            result = self.declarator(abstract_ok)?;
            self.expect(Kind::RParen)?;
        } else if token.is_word() {
            let what = self.describe(token);
            return Err(self.error("syntax", token.span, format!("{what} can't be a name")));
        } else if !abstract_ok {
            return Err(self.expected("a name"));
        }
        self.suffixes(&mut result)?;
        result.derived.extend(pointers.into_iter().rev());
        if result.derived.len() > usize::from(NESTING_MAX) {
            return Err(self.error("too-deep", result.span, "this type has too many levels"));
        }
        self.skip_attributes();
        Ok(result)
    }

    fn pointers(&mut self) -> Vec<Derived> {
        let mut pointers = Vec::new();
        loop {
            if self.eat(Kind::Star) {
                pointers.push(Derived::Pointer {
                    is_const: false,
                    is_restrict: false,
                });
            } else if self.is(kw::CONST) || self.is(kw::CONST_GNU) || self.is(kw::CONST_GNU2) {
                if let Some(Derived::Pointer { is_const, .. }) = pointers.last_mut() {
                    *is_const = true;
                }
                self.at += 1;
            } else if [kw::RESTRICT, kw::RESTRICT_GNU, kw::RESTRICT_GNU2]
                .into_iter()
                .any(|word| self.is(word))
            {
                if let Some(Derived::Pointer { is_restrict, .. }) = pointers.last_mut() {
                    *is_restrict = true;
                }
                self.at += 1;
            } else if self.is(kw::VOLATILE) || self.is(kw::VOLATILE_GNU) {
                self.at += 1;
            } else if !self.skip_attributes() {
                return pointers;
            }
        }
    }

    fn suffixes(&mut self, result: &mut Declarator) -> Parsed<()> {
        loop {
            match self.kind() {
                Kind::LBracket => {
                    self.at += 1;
                    let extent = self.extent()?;
                    result.derived.push(Derived::Array(extent));
                }
                Kind::LParen => {
                    let span = self.peek().span;
                    if !result.derived.is_empty() {
                        let help = "call the function itself";
                        return Err(self.refuse(span, "a function pointer", Some(help)));
                    }
                    self.skip_group();
                    result.derived.push(Derived::Function);
                    return Ok(());
                }
                _ => return Ok(()),
            }
        }
    }

    /// What stands between `[` and `]`, and the `]`.
    fn extent(&mut self) -> Parsed<Option<Full>> {
        while self.peek().is_word()
            && [
                kw::STATIC,
                kw::CONST,
                kw::RESTRICT,
                kw::RESTRICT_GNU,
                kw::RESTRICT_GNU2,
            ]
            .contains(&self.peek().name)
        {
            self.at += 1;
        }
        if self.eat(Kind::RBracket) {
            return Ok(None);
        }
        let extent = self.full_assignment()?;
        self.expect(Kind::RBracket)?;
        Ok(Some(extent))
    }

    /// A type from a base and steps; a typedef's own steps come last.
    fn make_type(&mut self, base: TypeNode, derived: &[Derived]) -> TypeId {
        let list = if derived.is_empty() {
            base.derived
        } else {
            let mut all = derived.to_vec();
            all.extend_from_slice(&self.ast.derived[base.derived.range()]);
            self.push_derived(&all)
        };
        self.ast.types.push(TypeNode {
            derived: list,
            ..base
        });
        TypeId(self.ast.types.len() as u32 - 1)
    }

    /// A type without a name, as in a cast.
    pub(super) fn type_name(&mut self) -> Parsed<TypeId> {
        let specifiers = self.specifiers()?;
        self.no_enumerators(specifiers.base.span)?;
        let declarator = self.declarator(true)?;
        if declarator.name != Name::NONE {
            return Err(self.error("syntax", declarator.span, "a type has no name here"));
        }
        Ok(self.make_type(specifiers.base, &declarator.derived))
    }

    /// A declaration up to and with its semicolon.
    pub(crate) fn declaration(&mut self) -> Parsed<List> {
        self.enumerators.clear();
        let specifiers = self.specifiers()?;
        let mut decls = std::mem::take(&mut self.enumerators);
        if self.eat(Kind::Semicolon) {
            return Ok(self.push_decls(&decls));
        }
        loop {
            let declarator = self.declarator(false)?;
            let ty = self.make_type(specifiers.base, &declarator.derived);
            if specifiers.storage.is_typedef && self.blocks > 0 {
                self.local_types.push((declarator.name, ty));
            }
            let init = match self.eat(Kind::Assign) {
                true => Some(self.initializer()?),
                false => None,
            };
            if self.kind() == Kind::Colon {
                let span = self.peek().span;
                return Err(self.refuse(span, "a bit-field", Some("use masks and shifts")));
            }
            if self.kind() == Kind::LBrace && declarator.derived.contains(&Derived::Function) {
                let help = "put it before the kernel";
                return Err(self.refuse(declarator.span, "a function in a function", Some(help)));
            }
            decls.push(Decl {
                name: declarator.name,
                span: declarator.span,
                ty,
                init,
                storage: specifiers.storage,
            });
            if !self.eat(Kind::Comma) {
                break;
            }
        }
        self.expect(Kind::Semicolon)?;
        Ok(self.push_decls(&decls))
    }

    /// Enumerators have no scope to go to here.
    fn no_enumerators(&mut self, span: Span) -> Parsed<()> {
        if std::mem::take(&mut self.enumerators).is_empty() {
            return Ok(());
        }
        let help = "declare it in a statement of its own";
        Err(self.refuse(span, "an enum declared here", Some(help)))
    }

    fn push_decls(&mut self, decls: &[Decl]) -> List {
        let start = self.ast.decls.len() as u32;
        self.ast.decls.extend_from_slice(decls);
        List {
            start,
            len: decls.len() as u32,
        }
    }

    fn initializer(&mut self) -> Parsed<InitId> {
        let span = self.peek().span;
        let init = if self.eat(Kind::LBrace) {
            self.enter()?;
            let items = self.initializer_list();
            self.leave();
            let items = items?;
            let start = self.ast.init_lists.len() as u32;
            self.ast.init_lists.extend_from_slice(&items);
            let len = items.len() as u32;
            Init::List(List { start, len }, self.since(span))
        } else {
            Init::Expr(self.full_assignment()?)
        };
        self.ast.inits.push(init);
        Ok(InitId(self.ast.inits.len() as u32 - 1))
    }

    fn initializer_list(&mut self) -> Parsed<Vec<InitId>> {
        let mut items = Vec::new();
        while !self.eat(Kind::RBrace) {
            if self.kind() == Kind::Dot {
                let span = self.peek().span;
                return Err(self.refuse_struct(span));
            }
            items.push(match self.kind() {
                Kind::LBracket => self.designated()?,
                _ => self.initializer()?,
            });
            if !self.eat(Kind::Comma) {
                self.expect(Kind::RBrace)?;
                break;
            }
        }
        Ok(items)
    }

    /// `[2] = value`.
    fn designated(&mut self) -> Parsed<InitId> {
        let start = self.peek().span;
        self.at += 1;
        let index = self.full_assignment()?;
        if self.kind() == Kind::Ellipsis {
            let help = "write the values out";
            return Err(self.refuse(start, "a range of entries", Some(help)));
        }
        self.expect(Kind::RBracket)?;
        if matches!(self.kind(), Kind::LBracket | Kind::Dot) {
            let help = "put the inner values in braces: `[1] = {[2] = 3}`";
            return Err(self.refuse(start, "a designator of more than one level", Some(help)));
        }
        self.expect(Kind::Assign)?;
        self.enter()?;
        let value = self.initializer();
        self.leave();
        self.ast.inits.push(Init::Designated(index, value?));
        Ok(InitId(self.ast.inits.len() as u32 - 1))
    }

    /// A function with its body.
    pub(crate) fn function(&mut self) -> Parsed<Function> {
        let specifiers = self.specifiers()?;
        let pointers = self.pointers();
        let name = self.peek();
        if !name.is_name() {
            return Err(self.expected("the function's name"));
        }
        self.at += 1;
        self.no_enumerators(specifiers.base.span)?;
        let result = self.make_type(specifiers.base, &pointers);
        self.expect(Kind::LParen)?;
        let params = self.params()?;
        self.skip_attributes();
        let body = self.block()?;
        Ok(Function {
            name: name.name,
            span: name.span,
            result,
            params,
            body,
            end: self.last_span(),
            skipped: std::mem::take(&mut self.skipped),
        })
    }

    fn params(&mut self) -> Parsed<List> {
        let mut decls = Vec::new();
        if self.is(kw::VOID) && self.ahead(1).kind == Kind::RParen {
            self.at += 2;
            return Ok(List::default());
        }
        if self.eat(Kind::RParen) {
            return Ok(List::default());
        }
        loop {
            if self.kind() == Kind::Ellipsis {
                let span = self.peek().span;
                let help = "give the function the parameters it needs";
                return Err(self.refuse(span, "a variable number of arguments", Some(help)));
            }
            let specifiers = self.specifiers()?;
            self.no_enumerators(specifiers.base.span)?;
            let declarator = self.declarator(true)?;
            if declarator.derived.contains(&Derived::Function) {
                let help = "call the function itself";
                return Err(self.refuse(declarator.span, "a function pointer", Some(help)));
            }
            let ty = self.make_type(specifiers.base, &declarator.derived);
            decls.push(Decl {
                name: declarator.name,
                span: declarator.span,
                ty,
                init: None,
                storage: Storage::default(),
            });
            if !self.eat(Kind::Comma) {
                break;
            }
        }
        self.expect(Kind::RParen)?;
        Ok(self.push_decls(&decls))
    }

    /// The enumerators of an enum: names with their values, if given.
    pub(crate) fn enumerators(&mut self) -> Parsed<Vec<(Name, Span, Option<Full>)>> {
        while !matches!(self.kind(), Kind::LBrace | Kind::End) {
            self.at += 1;
        }
        self.expect(Kind::LBrace)?;
        let mut found = Vec::new();
        while !self.eat(Kind::RBrace) {
            let token = self.advance();
            if !token.is_name() {
                self.at -= 1;
                return Err(self.expected("a name"));
            }
            let value = match self.eat(Kind::Assign) {
                true => Some(self.full_assignment()?),
                false => None,
            };
            found.push((token.name, token.span, value));
            if !self.eat(Kind::Comma) {
                self.expect(Kind::RBrace)?;
                break;
            }
        }
        Ok(found)
    }

    /// An expression without a comma, as one of its own.
    fn full_assignment(&mut self) -> Parsed<Full> {
        let start = ExprId(self.ast.exprs.len() as u32);
        let root = self.assignment()?;
        Ok(Full { start, root })
    }
}
