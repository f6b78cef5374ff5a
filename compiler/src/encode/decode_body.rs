//! Decodes kernels, in the order in which `body` encodes them. What comes out may be unsound; `verify_kernel` judges it.

use super::decode::{Decoded, Decoder};
use crate::error::DecodeError;
use crate::ir::limits::NESTING_MAX;
use crate::ir::{
    Array, ArrayData, BinaryOp, Block, Body, CompareOp, ConstantSlot, For, HostSymbol, Inst,
    Kernel, Label, Op, Param, Passing, Place, Region, Site, Stmt, Symbol, Table, TableData, Type,
    UnaryOp, Value, Var,
};

const PASSINGS: [Passing; 4] = [
    Passing::Value,
    Passing::Pointer,
    Passing::Rows,
    Passing::Unused,
];

impl Decoder<'_> {
    pub(crate) fn kernel(&mut self, hosts: Vec<HostSymbol>) -> Decoded<Kernel> {
        let params = self.sequence(|d| {
            Ok(Param {
                passing: d.choice(&PASSINGS, "a way of passing")?,
                scalar: d.scalar()?,
            })
        })?;
        let constants = self.sequence(|d| {
            Ok(ConstantSlot {
                scalar: d.scalar()?,
                dim: d.u32()?,
            })
        })?;
        Ok(Kernel {
            params,
            constants,
            body: self.body(hosts)?,
        })
    }

    fn body(&mut self, hosts: Vec<HostSymbol>) -> Decoded<Body> {
        let (labels, sites) = (self.u32()?, self.u32()?);
        let vars = self.sequence(Decoder::ty)?;
        let arrays = self.sequence(|d| {
            Ok(ArrayData {
                scalar: d.scalar()?,
                len: d.u64()?,
            })
        })?;
        let tables = self.sequence(|d| {
            Ok(TableData {
                scalar: d.scalar()?,
                bits: d.sequence(Decoder::u64)?,
            })
        })?;
        let values = self.sequence(|d| {
            let ty = d.ty()?;
            Ok(Inst { op: d.op()?, ty })
        })?;
        Ok(Body {
            values: values.into_iter().collect(),
            vars: vars.into_iter().collect(),
            arrays: arrays.into_iter().collect(),
            tables: tables.into_iter().collect(),
            symbols: hosts.into_iter().collect(),
            labels,
            sites,
            root: self.block(0)?,
        })
    }

    fn ty(&mut self) -> Decoded<Type> {
        Ok(Type {
            scalar: self.scalar()?,
            lanes: self.u8()?,
        })
    }

    /// The number of an entity; the highest is reserved.
    fn id(&mut self) -> Decoded<u32> {
        match self.u32()? {
            u32::MAX => Err(self.unexpected(4, "the number of an entity")),
            id => Ok(id),
        }
    }

    fn value(&mut self) -> Decoded<Value> {
        self.id().map(Value::from_u32)
    }

    fn site(&mut self) -> Decoded<Site> {
        self.id().map(Site::from_u32)
    }

    fn label(&mut self) -> Decoded<Label> {
        self.id().map(Label::from_u32)
    }

    fn op(&mut self) -> Decoded<Op> {
        Ok(match self.u8()? {
            0 => Op::Const(self.u64()?),
            1 => {
                let a = self.value()?;
                Op::Unary(self.choice(&UnaryOp::ALL, "an operation")?, a)
            }
            2 => {
                let (a, b) = (self.value()?, self.value()?);
                Op::Binary(self.choice(&BinaryOp::ALL, "an operation")?, a, b)
            }
            3 => {
                let (a, b) = (self.value()?, self.value()?);
                Op::Compare(self.choice(&CompareOp::ALL, "a comparison")?, a, b)
            }
            4 => Op::Select(self.value()?, self.value()?, self.value()?),
            5 => Op::Fma(self.value()?, self.value()?, self.value()?),
            6 => Op::Convert(self.value()?),
            7 => Op::Get(self.id().map(Var::from_u32)?),
            8 => {
                let index = self.value()?;
                let place = self.place()?;
                let site = self.site()?;
                Op::Load { place, index, site }
            }
            9 => {
                let symbol = self.id().map(Symbol::from_u32)?;
                Op::Call(symbol, self.sequence(Decoder::value)?.into())
            }
            10 => Op::CheckIndex {
                index: self.value()?,
                len: self.u64()?,
                site: self.site()?,
            },
            11 => Op::CheckDivisor {
                divisor: self.value()?,
                site: self.site()?,
            },
            12 => Op::Counter,
            13 => Op::Splat(self.value()?),
            14 => Op::Lane(self.value()?, self.u8()?),
            15 => Op::Shuffle(self.value()?, self.value()?, self.array()?),
            16 => Op::Param(self.u16()?),
            17 => Op::Element,
            21 => Op::ElementAfter(self.u8()?),
            18 => Op::ArgBase(self.u16()?),
            19 => {
                let element = self.value()?;
                Op::MapEntry {
                    arg: self.u16()?,
                    element,
                    column: self.u16()?,
                }
            }
            20 => Op::RowAddr {
                base: self.value()?,
                row: self.value()?,
                stride: self.u64()?,
            },
            _ => return Err(self.unexpected(1, "an operation")),
        })
    }

    fn place(&mut self) -> Decoded<Place> {
        Ok(match self.u8()? {
            0 => Place::Array(self.id().map(Array::from_u32)?),
            1 => Place::Table(self.id().map(Table::from_u32)?),
            2 => Place::Param(self.u16()?),
            3 => {
                let row = self.value()?;
                Place::ParamRow {
                    param: self.u16()?,
                    row,
                }
            }
            4 => Place::Constant(self.u16()?),
            5 => Place::Row {
                addr: self.value()?,
                region: Region {
                    slot: self.u16()?,
                    readonly: self.flag()?,
                },
            },
            6 => Place::RowPointers(self.u16()?),
            _ => return Err(self.unexpected(1, "a place")),
        })
    }

    fn block(&mut self, depth: usize) -> Decoded<Block> {
        if depth >= NESTING_MAX {
            return Err(DecodeError::TooDeep);
        }
        self.sequence(|d| d.stmt(depth + 1))
    }

    fn stmt(&mut self, depth: usize) -> Decoded<Stmt> {
        Ok(match self.u8()? {
            0 => Stmt::Let(self.value()?),
            1 => {
                let value = self.value()?;
                Stmt::Set(self.id().map(Var::from_u32)?, value)
            }
            2 => {
                let (index, value) = (self.value()?, self.value()?);
                Stmt::Store {
                    place: self.place()?,
                    index,
                    value,
                    site: self.site()?,
                }
            }
            3 => Stmt::Clear(self.id().map(Array::from_u32)?),
            4 => Stmt::If {
                cond: self.value()?,
                then: self.block(depth)?,
                other: self.block(depth)?,
            },
            5 => {
                let (counter, lo, hi) = (self.value()?, self.value()?, self.value()?);
                Stmt::For(Box::new(For {
                    label: self.label()?,
                    counter,
                    lo,
                    hi,
                    step: self.u64()? as i64,
                    site: self.site()?,
                    body: self.block(depth)?,
                }))
            }
            6 => Stmt::Loop {
                label: self.label()?,
                site: self.site()?,
                body: self.block(depth)?,
            },
            7 => Stmt::Block {
                label: self.label()?,
                body: self.block(depth)?,
            },
            8 => Stmt::Exit(self.label()?),
            9 => Stmt::Continue(self.label()?),
            _ => return Err(self.unexpected(1, "a statement")),
        })
    }
}
