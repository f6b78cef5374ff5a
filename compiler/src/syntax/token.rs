//! Tokens, interned names and keywords.
//!
//! A token is small and flat: what it is, its name or literal by number, and where to report it. Names are compared by
//! number; keywords are the first names of every table, so that a macro may stand for a keyword until expansion is over.

use crate::diagnostic::Span;
use crate::ir::Scalar;
use hashbrown::DefaultHashBuilder;
use hashbrown::hash_table::{Entry, HashTable};
use logos::Logos;
use std::hash::BuildHasher;

/// An interned name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Name(pub(crate) u32);

impl Name {
    /// Of tokens that have no name.
    pub(crate) const NONE: Name = Name(u32::MAX);

    /// Whether it is a word of the language.
    pub(crate) fn is_keyword(self) -> bool {
        (self.0 as usize) < kw::WORDS.len()
    }
}

macro_rules! keywords {
    ($($constant:ident $word:literal)*) => {
        keywords!(@each 0u32; $($constant $word)*);
        /// All of them, in the order of their numbers.
        pub(crate) const WORDS: &[&str] = &[$($word),*];
    };
    (@each $n:expr; $constant:ident $word:literal $($rest:tt)*) => {
        pub(crate) const $constant: Name = Name($n);
        keywords!(@each $n + 1; $($rest)*);
    };
    (@each $n:expr;) => {};
}

/// The keywords as names.
pub(crate) mod kw {
    use super::Name;
    keywords! {
        AUTO "auto" BREAK "break" CASE "case" CHAR "char" CONST "const" CONTINUE "continue" DEFAULT "default" DO "do"
        DOUBLE "double" ELSE "else" ENUM "enum" EXTERN "extern" FLOAT "float" FOR "for" GOTO "goto" IF "if"
        INLINE "inline" INT "int" LONG "long" REGISTER "register" RESTRICT "restrict" RETURN "return" SHORT "short"
        SIGNED "signed" SIZEOF "sizeof" STATIC "static" STRUCT "struct" SWITCH "switch" TYPEDEF "typedef"
        UNION "union" UNSIGNED "unsigned" VOID "void" VOLATILE "volatile" WHILE "while" BOOL "_Bool"
        COMPLEX "_Complex" ALIGNAS "_Alignas" ASM "asm" BOOL_MACRO "bool" COMPLEX_MACRO "complex"
        INLINE_GNU "__inline__" INLINE_GNU2 "__inline" RESTRICT_GNU "__restrict__" RESTRICT_GNU2 "__restrict"
        CONST_GNU "__const" CONST_GNU2 "__const__" ATTRIBUTE "__attribute__" ATTRIBUTE2 "__attribute"
        EXTENSION "__extension__" DECLSPEC "__declspec" TRUE "true" FALSE "false" SIGNED_GNU "__signed__"
        VOLATILE_GNU "__volatile__" ASM_GNU "__asm__" FORCEINLINE "__forceinline" NORETURN "_Noreturn"
        STATIC_ASSERT "_Static_assert" TYPEOF "__typeof__" PRAGMA "_Pragma" ATOMIC "_Atomic" THREAD "_Thread_local"
        GENERIC "_Generic" IMAGINARY "_Imaginary" ALIGNOF "_Alignof" ALIGNAS_MACRO "alignas" ALIGNOF_MACRO "alignof"
        ALIGNOF_GNU "__alignof__" STATIC_ASSERT_MACRO "static_assert" TYPEOF_C23 "typeof" AUTO_TYPE "__auto_type"
        INT128 "__int128" INT128_T "__int128_t" UINT128_T "__uint128_t" FLOAT128 "__float128" FLOAT16 "_Float16"
    }
}

/// The names of a text, one behind the other in one string.
#[derive(Debug, Default)]
pub(crate) struct Names {
    texts: String,
    /// Where each name ends.
    ends: Vec<u32>,
    by_text: HashTable<Name>,
    hasher: DefaultHashBuilder,
}

impl Names {
    /// The keywords alone.
    pub(crate) fn new() -> Names {
        let mut names = Names {
            texts: String::with_capacity(4096),
            ends: Vec::with_capacity(256),
            by_text: HashTable::with_capacity(256),
            hasher: DefaultHashBuilder::default(),
        };
        for word in kw::WORDS {
            names.intern(word);
        }
        names
    }

    /// The name of a text, new or known.
    pub(crate) fn intern(&mut self, text: &str) -> Name {
        let Names {
            texts,
            ends,
            by_text,
            hasher,
        } = self;
        let known = |name: &Name| text_of(texts, ends, *name) == text;
        let hash_of = |name: &Name| hasher.hash_one(text_of(texts, ends, *name));
        let entry = by_text.entry(hasher.hash_one(text), known, hash_of);
        match entry {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let name = Name(ends.len() as u32);
                entry.insert(name);
                texts.push_str(text);
                ends.push(texts.len() as u32);
                name
            }
        }
    }

    /// The name of a text, if the text has it.
    pub(crate) fn find(&self, text: &str) -> Option<Name> {
        let known = |name: &Name| self.text(*name) == text;
        self.by_text
            .find(self.hasher.hash_one(text), known)
            .copied()
    }

    /// Its text.
    pub(crate) fn text(&self, name: Name) -> &str {
        text_of(&self.texts, &self.ends, name)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

/// Empty for what is no name.
fn text_of<'t>(texts: &'t str, ends: &[u32], name: Name) -> &'t str {
    let at = name.0 as usize;
    let Some(end) = ends.get(at) else { return "" };
    let start = at.checked_sub(1).map_or(0, |before| ends[before]);
    &texts[start as usize..*end as usize]
}

/// A number or character as the text writes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Literal {
    /// Bits, zero-extended to 64.
    pub(crate) bits: u64,
    /// C type.
    pub(crate) ty: Scalar,
    /// Where it is written.
    pub(crate) text: Span,
}

/// What a token is.
#[derive(Logos, Clone, Copy, PartialEq, Eq, Debug)]
#[logos(skip r"[ \t\r\x0b\x0c]+")]
#[logos(skip r"\\\r?\n")]
pub(crate) enum Kind {
    /// A name or keyword.
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Word,
    /// A name that is no longer to be expanded.
    Painted,
    /// A preprocessing number.
    #[regex(r"\.?[0-9]([eEpP][+-]|[A-Za-z0-9_.])*")]
    Number,
    /// A character constant.
    #[regex(r"'([^'\\\n]|\\[^\n])*'")]
    Char,
    /// A string.
    #[regex(r#""([^"\\\n]|\\[^\n])*""#)]
    Str,
    #[token("\n")]
    Newline,
    #[token("//", super::lexer::line_comment)]
    #[token("/*", super::lexer::block_comment)]
    Comment,
    #[token("#")]
    Hash,
    #[token("##")]
    HashHash,
    #[token("(")]
    LParen,
    #[token(")")]
    RParen,
    #[token("[")]
    LBracket,
    #[token("]")]
    RBracket,
    #[token("{")]
    LBrace,
    #[token("}")]
    RBrace,
    #[token(";")]
    Semicolon,
    #[token(",")]
    Comma,
    #[token(":")]
    Colon,
    #[token("?")]
    Question,
    #[token("...")]
    Ellipsis,
    #[token(".")]
    Dot,
    #[token("->")]
    Arrow,
    #[token("=")]
    Assign,
    #[token("+=")]
    AddAssign,
    #[token("-=")]
    SubAssign,
    #[token("*=")]
    MulAssign,
    #[token("/=")]
    DivAssign,
    #[token("%=")]
    RemAssign,
    #[token("&=")]
    AndAssign,
    #[token("|=")]
    OrAssign,
    #[token("^=")]
    XorAssign,
    #[token("<<=")]
    ShlAssign,
    #[token(">>=")]
    ShrAssign,
    #[token("++")]
    Increment,
    #[token("--")]
    Decrement,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    Slash,
    #[token("%")]
    Percent,
    #[token("&")]
    Amp,
    #[token("|")]
    Pipe,
    #[token("^")]
    Caret,
    #[token("~")]
    Tilde,
    #[token("!")]
    Bang,
    #[token("&&")]
    AndAnd,
    #[token("||")]
    OrOr,
    #[token("==")]
    EqEq,
    #[token("!=")]
    NotEq,
    #[token("<")]
    Lt,
    #[token("<=")]
    Le,
    #[token(">")]
    Gt,
    #[token(">=")]
    Ge,
    #[token("<<")]
    Shl,
    #[token(">>")]
    Shr,
    /// A character that C has no use for.
    Stray,
    /// The end of the tokens.
    End,
}

/// A token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: Kind,
    /// Of words the name; of numbers and characters the place in the list of literals.
    pub(crate) name: Name,
    /// Where to report it: its own text, or the macro call it comes from.
    pub(crate) span: Span,
}

impl Token {
    /// Whether it is this keyword.
    pub(crate) fn is(self, keyword: Name) -> bool {
        self.name == keyword && matches!(self.kind, Kind::Word | Kind::Painted)
    }

    /// Whether it is a word, keyword or not.
    pub(crate) fn is_word(self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Painted)
    }

    /// Whether it is a name that is not a keyword.
    pub(crate) fn is_name(self) -> bool {
        self.is_word() && !self.name.is_keyword()
    }
}

/// All tokens of a text after preprocessing, with the tables that they number.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// In order; the last is `End`.
    pub(crate) list: Vec<Token>,
    /// Names by number.
    pub(crate) names: Names,
    /// Literals by number.
    pub(crate) literals: Vec<Literal>,
}
