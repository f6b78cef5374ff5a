//! What stands before the names of a declaration: types, storage, and words that kernels may hold but need not.

use super::super::ast::{
    Base, Binary, Decl, Expr, ExprId, Full, Init, InitId, List, Storage, TypeId, TypeNode,
};
use super::super::token::{Kind, Name, Token, kw};
use super::{Failed, Parsed, Parser};
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
        self.named_type(token.name).is_some() || self.types.is_refused(token.name)
    }

    /// The type of a name: of a typedef in the function, else of the file.
    fn named_type(&self, name: Name) -> Option<TypeId> {
        let local = self.local_types.iter().rev().find(|local| local.0 == name);
        local.map_or_else(|| self.types.find(name), |local| Some(local.1))
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
                kw::ALIGNAS_MACRO,
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
        if let Some(ty) = self.named_type(token.name) {
            words.named = Some(ty);
            self.at += 1;
            return true;
        }
        if self.types.is_refused(token.name) {
            self.refuse_typedef(token);
            words.unknown = true;
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

    /// A name whose typedef is not in the language.
    fn refuse_typedef(&mut self, token: Token) {
        if !std::mem::replace(&mut self.told_struct, true) {
            let name = self.names.text(token.name);
            let what = format!("the type of `{name}`, a struct or the like,");
            let help = "pass its members as parameters of their own";
            self.refuse(token.span, &what, Some(help));
        }
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
            kw::ENUM => {
                // Enumerators are constants; a variable of the type is an int.
                words.int = true;
                if self.ahead(1).is_name() {
                    self.at += 1;
                }
                if self.ahead(1).kind == Kind::LBrace {
                    self.local_enum()?;
                }
            }
            _ => return self.refused_word(word, span),
        }
        Ok(true)
    }

    /// Types of C that the language leaves out.
    fn refused_word(&mut self, word: Name, span: Span) -> Parsed<bool> {
        let help = match word {
            kw::STRUCT => return Err(self.refuse_struct(span)),
            kw::UNION => {
                "copy bits through no other type; keep each value in a variable of its own"
            }
            kw::TYPEOF | kw::TYPEOF_C23 | kw::AUTO_TYPE => "write the type",
            kw::ATOMIC => "a global under INC, MIN or MAX is combined safely",
            kw::THREAD => "declare it in the function",
            kw::INT128 | kw::INT128_T | kw::UINT128_T => "use int64_t or uint64_t",
            kw::FLOAT128 => "use double",
            kw::FLOAT16 => "use float",
            kw::GENERIC | kw::IMAGINARY => "write the expression for the type that is meant",
            _ => return Ok(false),
        };
        let what = match word {
            kw::UNION => "a union".to_owned(),
            _ => format!("`{}`", self.names.text(word)),
        };
        Err(self.refuse(span, &what, Some(help)))
    }

    /// Structs: told once in a function, for a member access follows every one of them.
    pub(super) fn refuse_struct(&mut self, span: Span) -> Failed {
        if std::mem::replace(&mut self.told_struct, true) {
            return Failed;
        }
        let help = "pass its members as parameters of their own";
        self.refuse(span, "a struct", Some(help))
    }

    /// The enumerators of an enum in a function, which act as `const int` variables; `}` is left.
    fn local_enum(&mut self) -> Parsed<()> {
        let start = self.at;
        let found = self.enumerators()?;
        let span = self.tokens[start].span;
        self.at -= 1;
        self.ast.types.push(TypeNode {
            base: Base::Scalar(Scalar::I32),
            is_const: true,
            derived: List::default(),
            span,
        });
        let ty = TypeId(self.ast.types.len() as u32 - 1);
        let mut before = None;
        for (name, span, value) in found {
            let value = match value {
                Some(value) => value,
                None => self.next_enumerator(before, span),
            };
            before = Some(name);
            self.ast.inits.push(Init::Expr(value));
            self.enumerators.push(Decl {
                name,
                span,
                ty,
                init: Some(InitId(self.ast.inits.len() as u32 - 1)),
                storage: Storage::default(),
            });
        }
        Ok(())
    }

    /// One more than the enumerator before; 0 for the first.
    fn next_enumerator(&mut self, before: Option<Name>, span: Span) -> Full {
        let start = ExprId(self.ast.exprs.len() as u32);
        let root = match before {
            None => self.ast.push_expr(Expr::Bool(false), span),
            Some(before) => {
                let before = self.ast.push_expr(Expr::Name(before), span);
                let one = self.ast.push_expr(Expr::Bool(true), span);
                self.ast
                    .push_expr(Expr::Binary(Binary::Add, before, one), span)
            }
        };
        Full { start, root }
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
        if words.complex {
            return match (words.float, words.double) {
                (true, false) => Ok(node(Base::Complex(Scalar::F32))),
                (false, true) => Ok(node(Base::Complex(Scalar::F64))),
                _ => {
                    let message = "a complex type is `float complex` or `double complex`";
                    Err(self.error("unknown-type", span, message))
                }
            };
        }
        match words.scalar() {
            Some(scalar) => Ok(node(Base::Scalar(scalar))),
            None => Err(self.error("unknown-type", span, "these words do not make a type")),
        }
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
            | kw::ALIGNOF_MACRO
            | kw::ALIGNOF_GNU
            | kw::STATIC_ASSERT
            | kw::STATIC_ASSERT_MACRO
            | kw::PRAGMA
            | kw::GENERIC
    )
}
