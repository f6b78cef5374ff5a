//! Declarations: specifiers, declarators, initialisers, parameters, function heads.

use super::super::ast::{
    Base, Decl, Derived, ExprId, Full, Function, Init, InitId, List, NESTING_MAX, Storage, TypeId,
    TypeNode,
};
use super::super::token::{Kind, Name, Token, kw};
use super::{Parsed, Parser};
use crate::diagnostic::Span;
use crate::ir::Scalar;

/// The words of a declaration before its names, counted.
#[derive(Default)]
struct Words {
    longs: u8,
    short: bool,
    signed: bool,
    unsigned: bool,
    char: bool,
    int: bool,
    float: bool,
    double: bool,
    void: bool,
    bool: bool,
    complex: bool,
    named: Option<TypeId>,
    unknown: bool,
}

impl Words {
    fn is_empty(&self) -> bool {
        let plain = self.short || self.signed || self.unsigned || self.char || self.int;
        let other = self.float || self.double || self.void || self.bool || self.complex;
        self.longs == 0 && !plain && !other && self.named.is_none() && !self.unknown
    }

    /// The scalar that the words name; `None` if they do not go together.
    fn scalar(&self) -> Option<Scalar> {
        let integer = self.longs > 0 || self.short || self.signed || self.unsigned || self.int;
        let kinds = [self.char, self.float, self.double, self.bool];
        match kinds {
            [false, true, false, false] if !integer => Some(Scalar::F32),
            [false, false, true, false] if !integer => Some(Scalar::F64),
            [false, false, false, true] if !integer => Some(Scalar::Bool),
            [true, false, false, false] if self.longs == 0 && !self.short && !self.int => {
                Some(if self.unsigned {
                    Scalar::U8
                } else {
                    Scalar::I8
                })
            }
            [false, false, false, false] => self.integer(),
            _ => None,
        }
    }

    fn integer(&self) -> Option<Scalar> {
        let signed_twice = self.signed && self.unsigned;
        match (self.longs, self.short) {
            _ if signed_twice => None,
            (0, false) => Some(if self.unsigned {
                Scalar::U32
            } else {
                Scalar::I32
            }),
            (0, true) => Some(if self.unsigned {
                Scalar::U16
            } else {
                Scalar::I16
            }),
            (1 | 2, false) => Some(if self.unsigned {
                Scalar::U64
            } else {
                Scalar::I64
            }),
            _ => None,
        }
    }
}

/// What stands before the names of a declaration.
#[derive(Clone, Copy)]
pub(super) struct Specifiers {
    pub(super) base: TypeNode,
    pub(super) storage: Storage,
}

/// A name with the steps to its base type.
pub(super) struct Declarator {
    name: Name,
    span: Span,
    derived: Vec<Derived>,
}

impl Parser<'_> {
    /// Whether a declaration or a type name starts `n` tokens ahead.
    pub(super) fn starts_type(&self, n: usize) -> bool {
        let token = self.ahead(n);
        if !token.is_word() {
            return false;
        }
        if token.name.is_keyword() {
            return starts_declaration(token.name);
        }
        self.types.find(token.name).is_some()
    }

    /// Skips attributes and the like; whether there were any.
    pub(super) fn skip_attributes(&mut self) -> bool {
        let start = self.at;
        loop {
            let token = self.peek();
            let grouped = [
                kw::ATTRIBUTE,
                kw::ATTRIBUTE2,
                kw::DECLSPEC,
                kw::ALIGNAS,
                kw::PRAGMA,
            ];
            if grouped.into_iter().any(|word| token.is(word)) {
                self.at += 1;
                if self.kind() == Kind::LParen {
                    self.skip_group();
                }
            } else if token.is(kw::EXTENSION) {
                self.at += 1;
            } else if self.kind() == Kind::LBracket && self.ahead(1).kind == Kind::LBracket {
                self.skip_group();
            } else {
                return self.at > start;
            }
        }
    }

    /// The words before the names of a declaration.
    pub(super) fn specifiers(&mut self) -> Parsed<Specifiers> {
        let start = self.peek().span;
        let mut words = Words::default();
        let mut storage = Storage::default();
        let mut is_const = false;
        loop {
            if self.skip_attributes() {
                continue;
            }
            let token = self.peek();
            if !token.is_word() {
                break;
            }
            if !token.name.is_keyword() {
                if !words.is_empty() || !self.type_word(token, &mut words) {
                    break;
                }
                continue;
            }
            match token.name {
                kw::CONST | kw::CONST_GNU | kw::CONST_GNU2 => is_const = true,
                kw::STATIC => storage.is_static = true,
                kw::EXTERN => storage.is_extern = true,
                kw::TYPEDEF => storage.is_typedef = true,
                kw::AUTO
                | kw::REGISTER
                | kw::INLINE
                | kw::INLINE_GNU
                | kw::INLINE_GNU2
                | kw::FORCEINLINE
                | kw::NORETURN
                | kw::RESTRICT
                | kw::RESTRICT_GNU
                | kw::RESTRICT_GNU2
                | kw::VOLATILE
                | kw::VOLATILE_GNU => {}
                word => {
                    if !self.scalar_word(word, &mut words)? {
                        break;
                    }
                }
            }
            self.at += 1;
        }
        let span = self.since(start);
        let base = self.base_type(&words, is_const, span)?;
        Ok(Specifiers { base, storage })
    }

    /// A name in the place of a type. Unknown ones are reported where a declaration must be.
    fn type_word(&mut self, token: Token, words: &mut Words) -> bool {
        if let Some(ty) = self.types.find(token.name) {
            words.named = Some(ty);
            self.at += 1;
            return true;
        }
        let next = self.ahead(1);
        let declares = next.is_name() || next.kind == Kind::Star || next.is(kw::CONST);
        if declares {
            let name = self.names.text(token.name).to_owned();
            self.error(
                "unknown-type",
                token.span,
                format!("`{name}` is not a type"),
            );
            words.unknown = true;
            self.at += 1;
        }
        declares
    }

    fn scalar_word(&mut self, word: Name, words: &mut Words) -> Parsed<bool> {
        let span = self.peek().span;
        match word {
            kw::VOID => words.void = true,
            kw::CHAR => words.char = true,
            kw::SHORT => words.short = true,
            kw::INT => words.int = true,
            kw::LONG => words.longs += 1,
            kw::FLOAT => words.float = true,
            kw::DOUBLE => words.double = true,
            kw::SIGNED | kw::SIGNED_GNU => words.signed = true,
            kw::UNSIGNED => words.unsigned = true,
            kw::BOOL | kw::BOOL_MACRO => words.bool = true,
            kw::COMPLEX | kw::COMPLEX_MACRO => words.complex = true,
            kw::STRUCT => {
                return Err(self.refuse(
                    span,
                    "a struct",
                    Some("pass its members as parameters of their own"),
                ));
            }
            kw::UNION => return Err(self.refuse(span, "a union", None)),
            kw::ENUM => {
                // Enumerators are constants; a variable of the type is an int.
                words.int = true;
                if self.ahead(1).is_name() {
                    self.at += 1;
                }
                if self.ahead(1).kind == Kind::LBrace {
                    return Err(self.refuse(
                        span,
                        "an enum declared in a function",
                        Some("declare it outside"),
                    ));
                }
            }
            kw::TYPEOF | kw::ATOMIC | kw::THREAD | kw::GENERIC | kw::IMAGINARY => {
                let what = format!("`{}`", self.names.text(word));
                return Err(self.refuse(span, &what, None));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn base_type(&mut self, words: &Words, is_const: bool, span: Span) -> Parsed<TypeNode> {
        let node = |base| TypeNode {
            base,
            is_const,
            derived: List::default(),
            span,
        };
        if words.unknown {
            return Ok(node(Base::Unknown));
        }
        if words.complex {
            return Err(self.error("complex", span, "complex numbers are not in the language"));
        }
        if let Some(named) = words.named {
            let named = self.type_node(named);
            return Ok(TypeNode {
                is_const: is_const || named.is_const,
                span,
                ..named
            });
        }
        if words.double && words.longs > 0 {
            return Err(self.refuse(span, "long double", Some("use double")));
        }
        if words.void {
            return Ok(node(Base::Void));
        }
        if words.is_empty() {
            return Err(self.expected("a type"));
        }
        match words.scalar() {
            Some(scalar) => Ok(node(Base::Scalar(scalar))),
            None => Err(self.error("unknown-type", span, "these words do not make a type")),
        }
    }

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
                pointers.push(Derived::Pointer(false));
            } else if self.is(kw::CONST) || self.is(kw::CONST_GNU) || self.is(kw::CONST_GNU2) {
                if let Some(Derived::Pointer(is_const)) = pointers.last_mut() {
                    *is_const = true;
                }
                self.at += 1;
            } else if [
                kw::RESTRICT,
                kw::RESTRICT_GNU,
                kw::RESTRICT_GNU2,
                kw::VOLATILE,
                kw::VOLATILE_GNU,
            ]
            .into_iter()
            .any(|word| self.is(word))
            {
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
        let declarator = self.declarator(true)?;
        if declarator.name != Name::NONE {
            return Err(self.error("syntax", declarator.span, "a type has no name here"));
        }
        Ok(self.make_type(specifiers.base, &declarator.derived))
    }

    /// A declaration up to and with its semicolon.
    pub(crate) fn declaration(&mut self) -> Parsed<List> {
        let specifiers = self.specifiers()?;
        let mut decls = Vec::new();
        if self.eat(Kind::Semicolon) {
            return Ok(List::default());
        }
        loop {
            let declarator = self.declarator(false)?;
            let ty = self.make_type(specifiers.base, &declarator.derived);
            let init = match self.eat(Kind::Assign) {
                true => Some(self.initializer()?),
                false => None,
            };
            if self.kind() == Kind::Colon {
                let span = self.peek().span;
                return Err(self.refuse(span, "a bit-field", None));
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
            if matches!(self.kind(), Kind::Dot | Kind::LBracket) {
                let span = self.peek().span;
                let help = "write the values in order";
                return Err(self.refuse(span, "a designated initialiser", Some(help)));
            }
            items.push(self.initializer()?);
            if !self.eat(Kind::Comma) {
                self.expect(Kind::RBrace)?;
                break;
            }
        }
        Ok(items)
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
                return Err(self.refuse(span, "a variable number of arguments", None));
            }
            let specifiers = self.specifiers()?;
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

fn starts_declaration(word: Name) -> bool {
    !matches!(
        word,
        kw::BREAK
            | kw::CASE
            | kw::CONTINUE
            | kw::DEFAULT
            | kw::DO
            | kw::ELSE
            | kw::FOR
            | kw::GOTO
            | kw::IF
            | kw::RETURN
            | kw::SIZEOF
            | kw::SWITCH
            | kw::WHILE
            | kw::TRUE
            | kw::FALSE
            | kw::ASM
            | kw::ASM_GNU
            | kw::ALIGNOF
            | kw::STATIC_ASSERT
            | kw::PRAGMA
            | kw::GENERIC
    )
}
