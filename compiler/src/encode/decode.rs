//! Decodes what the encoder wrote; whatever else it is given, it gives an error.
//!
//! What is decoded is encoded to the same bytes again: flags are 0 or 1, tags are known, nothing is left over. Memory is
//! bounded by the bytes, whatever lengths they claim.

use super::Encoder;
use crate::error::DecodeError;
use crate::ir::{HostSymbol, Scalar};
use crate::options::{Effort, FloatMode, Options};
use crate::signature::{
    Access, ArgSignature, DType, IndexWidth, Iteration, Layout, MapUse, Signature, Source,
};
use crate::target::{Level, Target};

pub(crate) type Decoded<T = ()> = Result<T, DecodeError>;

const DTYPES: [DType; 13] = [
    DType::F64,
    DType::F32,
    DType::I8,
    DType::U8,
    DType::I16,
    DType::U16,
    DType::I32,
    DType::U32,
    DType::I64,
    DType::U64,
    DType::Bool,
    DType::C64,
    DType::C128,
];

/// Reads bytes from front to back.
#[derive(Clone, Debug)]
pub(crate) struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Decoder<'a> {
        Decoder { bytes, at: 0 }
    }

    /// An error at what was read last, `size` bytes.
    pub(crate) fn unexpected(&self, size: usize, expected: &'static str) -> DecodeError {
        DecodeError::Unexpected {
            at: self.at.saturating_sub(size),
            expected,
        }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(crate) fn end(&self) -> Decoded {
        if self.is_at_end() {
            Ok(())
        } else {
            Err(self.unexpected(0, "the end"))
        }
    }

    pub(crate) fn take(&mut self, len: usize) -> Decoded<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let taken = rest
            .get(..len)
            .ok_or(DecodeError::Truncated(self.bytes.len()))?;
        self.at += len;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Decoded<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Decoded<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Decoded<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Decoded<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn flag(&mut self) -> Decoded<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.unexpected(1, "a flag")),
        }
    }

    pub(crate) fn len(&mut self) -> Decoded<usize> {
        Ok(self.u32()? as usize)
    }

    pub(crate) fn text(&mut self) -> Decoded<String> {
        let len = self.len()?;
        let bytes = self.take(len)?;
        let text = std::str::from_utf8(bytes);
        text.map(str::to_owned)
            .map_err(|_| self.unexpected(len, "text"))
    }

    pub(crate) fn sequence<T>(
        &mut self,
        mut item: impl FnMut(&mut Decoder<'a>) -> Decoded<T>,
    ) -> Decoded<Vec<T>> {
        // Not reserved: the length may be a lie, and each item takes at least a byte.
        (0..self.len()?)
            .map(|_| item(self))
            .collect::<Decoded<Vec<T>>>()
    }

    /// One of the variants, by its tag.
    pub(crate) fn choice<T: Copy>(&mut self, variants: &[T], expected: &'static str) -> Decoded<T> {
        let tag = self.u8()?;
        let variant = variants.get(usize::from(tag)).copied();
        variant.ok_or(self.unexpected(1, expected))
    }

    /// A part and its tag.
    pub(crate) fn part(&mut self) -> Decoded<(u8, &'a [u8])> {
        let tag = self.u8()?;
        let len = self.len()?;
        Ok((tag, self.take(len)?))
    }

    pub(crate) fn scalar(&mut self) -> Decoded<Scalar> {
        self.choice(&Scalar::ALL, "a scalar type")
    }

    pub(crate) fn dtype(&mut self) -> Decoded<DType> {
        self.choice(&DTYPES, "a data type")
    }

    /// A signature, still without arguments.
    pub(crate) fn iteration(&mut self) -> Decoded<Signature> {
        Ok(Signature {
            iteration: self.choice(&[Iteration::Elements, Iteration::Function], "an iteration")?,
            args: Vec::new(),
            allow_conflicts: self.flag()?,
        })
    }

    pub(crate) fn argument(&mut self) -> Decoded<ArgSignature> {
        let source = match self.u8()? {
            0 => Source::Direct,
            1 => Source::At(self.map_use()?, self.u16()?),
            2 => Source::Through(self.map_use()?),
            3 => Source::Global,
            4 => Source::Element,
            5 => Source::Value,
            6 => Source::Rows(self.u32()?),
            _ => return Err(self.unexpected(1, "a source")),
        };
        const LAYOUTS: [Layout; 3] = [Layout::Aos, Layout::Soa, Layout::Strided];
        Ok(ArgSignature {
            source,
            dtype: self.dtype()?,
            dim: self.u32()?,
            layout: self.choice(&LAYOUTS, "a layout")?,
            access: self.choice(&Access::ALL, "an access")?,
            dat: self.u16()?,
        })
    }

    fn map_use(&mut self) -> Decoded<MapUse> {
        const WIDTHS: [IndexWidth; 2] = [IndexWidth::I32, IndexWidth::I64];
        Ok(MapUse {
            slot: self.u16()?,
            arity: self.u16()?,
            width: self.choice(&WIDTHS, "a width")?,
            partial: self.flag()?,
        })
    }

    pub(crate) fn options(&mut self) -> Decoded<Options> {
        const FLOATS: [FloatMode; 3] = [
            FloatMode::Contract,
            FloatMode::Strict,
            FloatMode::Reassociate,
        ];
        const EFFORTS: [Effort; 2] = [Effort::None, Effort::Speed];
        Ok(Options {
            float: self.choice(&FLOATS, "a float mode")?,
            effort: self.choice(&EFFORTS, "an effort")?,
            lanes: self.u8()?,
            unroll: self.u16()?,
        })
    }

    pub(crate) fn target(&mut self) -> Decoded<Target> {
        let start = self.at;
        let level = self.choice(&Level::ALL, "a level")?;
        let mut known = Encoder::default();
        known.target(&Target { level });
        self.at = start;
        if self.take(known.bytes.len())? == known.bytes {
            Ok(Target { level })
        } else {
            Err(self.unexpected(known.bytes.len(), "the features of a level"))
        }
    }

    pub(crate) fn host(&mut self) -> Decoded<HostSymbol> {
        Ok(HostSymbol {
            name: self.text()?,
            params: self.sequence(Decoder::scalar)?,
            result: self.scalar()?,
        })
    }
}
