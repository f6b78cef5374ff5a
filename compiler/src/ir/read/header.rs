//! The declarations before the blocks.

use super::cursor::Cursor;
use crate::error::ReadError;
use crate::ir::body::{ArrayData, Body, HostSymbol, TableData};
use crate::ir::kernel::{ConstantSlot, Param, Passing};
use crate::ir::print::{access_name, dtype_name, layout_name, passing_name};
use crate::signature::{Access, ArgSignature, DType, IndexWidth, Layout, MapUse, Source};

type Read<T = ()> = Result<T, ReadError>;

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

const PASSINGS: [Passing; 4] = [
    Passing::Value,
    Passing::Pointer,
    Passing::Rows,
    Passing::Unused,
];

const LAYOUTS: [Layout; 3] = [Layout::Aos, Layout::Soa, Layout::Strided];

impl Cursor<'_> {
    /// Reads a declaration of a body's arena; false if `word` begins none.
    pub(super) fn declaration(&mut self, word: &str, body: &mut Body) -> Read<bool> {
        match word {
            "var" => {
                self.next_id("x", body.vars.len())?;
                self.eat(":")?;
                body.vars.push(self.ty()?);
            }
            "array" => {
                self.next_id("array", body.arrays.len())?;
                self.eat(":")?;
                let scalar = self.scalar()?;
                self.eat("len")?;
                let len = self.number("a number of entries")?;
                body.arrays.push(ArrayData { scalar, len });
            }
            "table" => {
                self.next_id("table", body.tables.len())?;
                self.eat(":")?;
                let scalar = self.scalar()?;
                self.eat("[")?;
                let bits = self.list("]", |c| c.bits(scalar))?;
                body.tables.push(TableData { scalar, bits });
            }
            "symbol" => {
                self.next_id("fn", body.symbols.len())?;
                self.eat(":")?;
                let name = self.name()?;
                self.eat("(")?;
                let params = self.list(")", Cursor::scalar)?;
                let result = self.scalar()?;
                body.symbols.push(HostSymbol {
                    name,
                    params,
                    result,
                });
            }
            "labels" => body.labels = self.number("a number of labels")?,
            "sites" => body.sites = self.number("a number of sites")?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The number of an entity, which must be the next of its arena.
    fn next_id(&mut self, prefix: &'static str, len: usize) -> Read {
        let id = self.id(prefix)?;
        if id as usize == len {
            Ok(())
        } else {
            Err(self.expected("declarations numbered in order"))
        }
    }

    pub(super) fn param(&mut self) -> Read<Param> {
        let word = self.word("a way of passing")?;
        let passing = PASSINGS.into_iter().find(|p| passing_name(*p) == word);
        let passing = passing.ok_or(self.expected("a way of passing"))?;
        let scalar = self.scalar()?;
        Ok(Param { passing, scalar })
    }

    pub(super) fn constant(&mut self) -> Read<ConstantSlot> {
        let scalar = self.scalar()?;
        let dim = self.dim()?;
        Ok(ConstantSlot { scalar, dim })
    }

    fn dim(&mut self) -> Read<u32> {
        self.eat("dim")?;
        self.number("a number of values")
    }

    pub(super) fn argument(&mut self) -> Read<ArgSignature> {
        let source = match self.word("a source")? {
            "direct" => Source::Direct,
            "at" => {
                let entry = self.number("a map entry")?;
                self.eat("of")?;
                Source::At(self.map_use()?, entry)
            }
            "through" => Source::Through(self.map_use()?),
            "global" => Source::Global,
            "element" => Source::Element,
            "value" => Source::Value,
            "rows" => Source::Rows(self.number("a number of rows")?),
            _ => return Err(self.expected("a source")),
        };
        let word = self.word("an access")?;
        let access = Access::ALL.into_iter().find(|a| access_name(*a) == word);
        let access = access.ok_or(self.expected("an access"))?;
        let word = self.word("a data type")?;
        let dtype = DTYPES.into_iter().find(|d| dtype_name(*d) == word);
        let dtype = dtype.ok_or(self.expected("a data type"))?;
        let dim = self.dim()?;
        let word = self.word("a layout")?;
        let layout = LAYOUTS.into_iter().find(|l| layout_name(*l) == word);
        let layout = layout.ok_or(self.expected("a layout"))?;
        self.eat("dat")?;
        let dat = self.number("a dat slot")?;
        Ok(ArgSignature {
            source,
            dtype,
            dim,
            layout,
            access,
            dat,
        })
    }

    fn map_use(&mut self) -> Read<MapUse> {
        self.eat("map")?;
        let slot = self.number("a map slot")?;
        self.eat("arity")?;
        let arity = self.number("a number of entries")?;
        let width = match self.flag("i32", "i64")? {
            false => IndexWidth::I32,
            true => IndexWidth::I64,
        };
        let partial = self.flag("total", "partial")?;
        Ok(MapUse {
            slot,
            arity,
            width,
            partial,
        })
    }
}
