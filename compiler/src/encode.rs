//! The canonical encoding of what compilation reads: equal values give equal bytes, different values different bytes.
//!
//! Little-endian, no padding. A number has its own width; a sequence is its length as `u32` and its items; a text is a
//! sequence of bytes; a choice is one tag byte, then its fields; a flag is 0 or 1; floats are their bits. Structs are
//! destructured without `..` and enums matched without `_`, so that a new field or variant does not compile until it is
//! encoded. Tags and order are part of `FORMAT_VERSION`; never reuse a tag. `decode` is the other direction.

mod body;
mod decode;
mod decode_body;
mod signature;

pub(crate) use decode::Decoder;

use crate::ir::Scalar;
use crate::signature::DType;

/// Changes whenever equal values are encoded otherwise, or the list of parts changes.
pub const FORMAT_VERSION: u32 = 1;

/// Collects bytes.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    pub(crate) bytes: Vec<u8>,
}

impl Encoder {
    pub(crate) fn u8(&mut self, n: u8) {
        self.bytes.push(n);
    }

    pub(crate) fn u16(&mut self, n: u16) {
        self.bytes.extend_from_slice(&n.to_le_bytes());
    }

    pub(crate) fn u32(&mut self, n: u32) {
        self.bytes.extend_from_slice(&n.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, n: u64) {
        self.bytes.extend_from_slice(&n.to_le_bytes());
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.u8(u8::from(flag));
    }

    /// A length. What is longer than 2^32 never gets here: texts and bodies are bounded far below.
    pub(crate) fn len(&mut self, len: usize) {
        self.u32(u32::try_from(len).unwrap_or(u32::MAX));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.len(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn sequence<T>(
        &mut self,
        items: impl ExactSizeIterator<Item = T>,
        mut item: impl FnMut(&mut Encoder, T),
    ) {
        self.len(items.len());
        for each in items {
            item(self, each);
        }
    }

    pub(crate) fn scalar(&mut self, scalar: Scalar) {
        self.u8(scalar as u8);
    }

    pub(crate) fn dtype(&mut self, dtype: DType) {
        self.u8(dtype as u8);
    }

    /// A part of known tag, preceded by its length, so that a reader can skip or compare it as a whole.
    pub(crate) fn part(&mut self, tag: u8, fill: impl FnOnce(&mut Encoder)) {
        self.u8(tag);
        let at = self.bytes.len();
        self.u32(0);
        fill(self);
        let len = self.bytes.len() - at - 4;
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        self.bytes[at..at + 4].copy_from_slice(&len.to_le_bytes());
    }
}
