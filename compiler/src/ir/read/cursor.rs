//! One line of IR text, read from left to right.

use crate::error::ReadError;
use crate::ir::body::{Label, Site, Value};
use crate::ir::types::{Scalar, Type};

/// What is left of a line.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a str,
    line: usize,
}

type Read<T = ()> = Result<T, ReadError>;

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, line: usize) -> Cursor<'a> {
        Cursor {
            rest: text.trim(),
            line,
        }
    }

    pub(super) fn is_blank(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with(';')
    }

    pub(super) fn expected(&self, expected: &'static str) -> ReadError {
        ReadError {
            line: self.line,
            expected,
        }
    }

    /// Nothing but a comment may follow.
    pub(super) fn end(&self) -> Read {
        if self.is_blank() {
            Ok(())
        } else {
            Err(self.expected("the end of the line"))
        }
    }

    fn advance(&mut self, bytes: usize) -> &'a str {
        let (head, rest) = self.rest.split_at(bytes);
        self.rest = rest.trim_start();
        head
    }

    /// Takes punctuation or a word if it comes next.
    pub(super) fn try_eat(&mut self, token: &str) -> bool {
        let follows = self.rest.strip_prefix(token).is_some_and(|after| {
            let is_word = token.ends_with(|c: char| c.is_ascii_alphanumeric());
            let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
            !(is_word && after.starts_with(goes_on))
        });
        if follows {
            self.advance(token.len());
        }
        follows
    }

    pub(super) fn eat(&mut self, token: &'static str) -> Read {
        if self.try_eat(token) {
            Ok(())
        } else {
            Err(self.expected(token))
        }
    }

    /// One of two words; true for the second.
    pub(super) fn flag(&mut self, no: &'static str, yes: &'static str) -> Read<bool> {
        if self.try_eat(yes) {
            return Ok(true);
        }
        self.eat(no).map(|()| false)
    }

    /// Letters, digits and underscores, not beginning with a digit.
    pub(super) fn word(&mut self, expected: &'static str) -> Read<&'a str> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let len = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        if len == 0 || self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.expected(expected));
        }
        Ok(self.advance(len))
    }

    /// Whether an entity of this prefix comes next.
    pub(super) fn at_id(&self, prefix: &str) -> bool {
        let digits = self.rest.strip_prefix(prefix);
        digits.is_some_and(|d| d.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// The number of an entity that prints as `prefix` and a number.
    pub(super) fn id(&mut self, prefix: &'static str) -> Read<u32> {
        if !self.at_id(prefix) {
            return Err(self.expected(prefix));
        }
        self.rest = &self.rest[prefix.len()..];
        let id = self.number::<u32>("the number of an entity")?;
        if id == u32::MAX {
            return Err(self.expected("a smaller number"));
        }
        Ok(id)
    }

    pub(super) fn value(&mut self) -> Read<Value> {
        self.id("v").map(Value::from_u32)
    }

    pub(super) fn label(&mut self) -> Read<Label> {
        self.id("label").map(Label::from_u32)
    }

    pub(super) fn site(&mut self) -> Read<Site> {
        self.id("site").map(Site::from_u32)
    }

    /// A comma and what follows it.
    pub(super) fn comma<T>(&mut self, next: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.eat(",")?;
        next(self)
    }

    /// A decimal number that fits `T`.
    pub(super) fn number<T: TryFrom<i128>>(&mut self, expected: &'static str) -> Read<T> {
        let wrong = self.expected(expected);
        let sign = usize::from(self.rest.starts_with('-'));
        let digits = &self.rest[sign..];
        let is_digit = |c: char| c.is_ascii_digit();
        let len = digits.find(|c| !is_digit(c)).unwrap_or(digits.len());
        let text = self.advance(sign + len);
        let number: i128 = text.parse().map_err(|_| wrong)?;
        T::try_from(number).map_err(|_| wrong)
    }

    /// The bits of a constant: in decimal if the type is an integer's and holds it, or in hexadecimal.
    pub(super) fn bits(&mut self, scalar: Scalar) -> Read<u64> {
        if let Some(hex) = self.rest.strip_prefix("0x") {
            let is_digit = |c: char| c.is_ascii_hexdigit();
            let len = hex.find(|c| !is_digit(c)).unwrap_or(hex.len());
            let wrong = self.expected("a hexadecimal number of up to 64 bits");
            let text = self.advance(2 + len);
            return u64::from_str_radix(&text[2..], 16).map_err(|_| wrong);
        }
        let expected = "a number of the type";
        Ok(match scalar {
            Scalar::Bool => u64::from(self.number::<u8>(expected)?),
            Scalar::I8 => u64::from(self.number::<i8>(expected)? as u8),
            Scalar::U8 => u64::from(self.number::<u8>(expected)?),
            Scalar::I16 => u64::from(self.number::<i16>(expected)? as u16),
            Scalar::U16 => u64::from(self.number::<u16>(expected)?),
            Scalar::I32 => u64::from(self.number::<i32>(expected)? as u32),
            Scalar::U32 => u64::from(self.number::<u32>(expected)?),
            Scalar::I64 => self.number::<i64>(expected)? as u64,
            Scalar::U64 => self.number(expected)?,
            Scalar::F32 | Scalar::F64 | Scalar::Addr => {
                return Err(self.expected("bits in hexadecimal"));
            }
        })
    }

    pub(super) fn scalar(&mut self) -> Read<Scalar> {
        let word = self.word("a scalar type")?;
        Scalar::from_name(word).ok_or(self.expected("a scalar type"))
    }

    /// A scalar type, or one with lanes as in `f64x2`.
    pub(super) fn ty(&mut self) -> Read<Type> {
        let wrong = self.expected("a type");
        let word = self.word("a type")?;
        let (name, lanes) = match word.split_once('x') {
            Some((name, lanes)) => (name, lanes.parse().map_err(|_| wrong)?),
            None => (word, 1),
        };
        let scalar = Scalar::from_name(name).ok_or(wrong)?;
        Ok(Type { scalar, lanes })
    }

    /// Items between an opening mark, just read, and `end`, separated by commas.
    pub(super) fn list<T>(
        &mut self,
        end: &'static str,
        mut item: impl FnMut(&mut Self) -> Read<T>,
    ) -> Read<Vec<T>> {
        let mut items = Vec::new();
        while !self.try_eat(end) {
            if !items.is_empty() {
                self.eat(",")?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A name between quotes.
    pub(super) fn name(&mut self) -> Read<String> {
        let wrong = self.expected("a name between quotes");
        let quoted = self.rest.strip_prefix('"').ok_or(wrong)?;
        let (name, rest) = quoted.split_once('"').ok_or(wrong)?;
        self.rest = rest.trim_start();
        let mut parts = name.split("\\u{");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (code, tail) = part.split_once('}').ok_or(wrong)?;
            let code = u32::from_str_radix(code, 16).map_err(|_| wrong)?;
            text.push(char::from_u32(code).ok_or(wrong)?);
            text.push_str(tail);
        }
        Ok(text)
    }
}
