//! Statements without blocks of their own, heads of counted loops, and operations.

use super::cursor::Cursor;
use crate::error::ReadError;
use crate::ir::body::{
    Array, BinaryOp, Block, CompareOp, For, Inst, Op, Place, Region, Stmt, Symbol, Table, UnaryOp,
    Value, Var,
};
use crate::ir::types::Type;

type Read<T = ()> = Result<T, ReadError>;

impl Cursor<'_> {
    /// `v1: f64 = add v2, v3`.
    pub(super) fn definition(&mut self) -> Read<(Value, Inst)> {
        let value = self.value()?;
        self.eat(":")?;
        let ty = self.ty()?;
        self.eat("=")?;
        let op = self.op(ty)?;
        Ok((value, Inst { op, ty }))
    }

    /// The statement that `word` begins, unless it has a block.
    pub(super) fn simple_stmt(&mut self, word: &str) -> Read<Option<Stmt>> {
        Ok(Some(match word {
            "store" => {
                let (place, index) = self.place()?;
                self.eat("=")?;
                Stmt::Store {
                    place,
                    index,
                    value: self.value()?,
                    site: self.site()?,
                }
            }
            "clear" => Stmt::Clear(Array::from_u32(self.id("array")?)),
            "exit" => Stmt::Exit(self.label()?),
            "continue" => Stmt::Continue(self.label()?),
            _ => return Ok(None),
        }))
    }

    /// `label0 v5 = v1 to v2 by 1 site3`, without its body.
    pub(super) fn counted(&mut self) -> Read<For> {
        let label = self.label()?;
        let counter = self.value()?;
        self.eat("=")?;
        let lo = self.value()?;
        self.eat("to")?;
        let hi = self.value()?;
        self.eat("by")?;
        Ok(For {
            label,
            counter,
            lo,
            hi,
            step: self.number("a step")?,
            site: self.site()?,
            body: Block::new(),
        })
    }

    fn op(&mut self, ty: Type) -> Read<Op> {
        let word = self.word("an operation")?;
        if let Some(op) = UnaryOp::ALL.into_iter().find(|op| op.name() == word) {
            return Ok(Op::Unary(op, self.value()?));
        }
        if let Some(op) = BinaryOp::ALL.into_iter().find(|op| op.name() == word) {
            return Ok(Op::Binary(op, self.value()?, self.second()?));
        }
        if let Some(op) = CompareOp::ALL.into_iter().find(|op| op.name() == word) {
            return Ok(Op::Compare(op, self.value()?, self.second()?));
        }
        Ok(match word {
            "const" => Op::Const(self.bits(ty.scalar)?),
            "select" => Op::Select(self.value()?, self.second()?, self.second()?),
            "fma" => Op::Fma(self.value()?, self.second()?, self.second()?),
            "convert" => Op::Convert(self.value()?),
            "get" => Op::Get(Var::from_u32(self.id("x")?)),
            "load" => {
                let (place, index) = self.place()?;
                let site = self.site()?;
                Op::Load { place, index, site }
            }
            "call" => {
                let symbol = Symbol::from_u32(self.id("fn")?);
                self.eat("(")?;
                Op::Call(symbol, self.list(")", Cursor::value)?.into())
            }
            "counter" => Op::Counter,
            "splat" => Op::Splat(self.value()?),
            "lane" => Op::Lane(self.value()?, self.comma(Cursor::lane)?),
            "shuffle" => {
                let (a, b) = (self.value()?, self.second()?);
                let mut mask = [0; 4];
                for entry in &mut mask {
                    *entry = self.comma(Cursor::lane)?;
                }
                Op::Shuffle(a, b, mask)
            }
            _ => return self.guard_or_level_op(word),
        })
    }

    fn guard_or_level_op(&mut self, word: &str) -> Read<Op> {
        let number = "a number";
        Ok(match word {
            "check_index" => Op::CheckIndex {
                index: self.value()?,
                len: self.comma(|c| c.number("a length"))?,
                site: self.site()?,
            },
            "check_divisor" => Op::CheckDivisor {
                divisor: self.value()?,
                site: self.site()?,
            },
            "param" => Op::Param(self.number(number)?),
            "element" => Op::Element,
            "element_after" => Op::ElementAfter(self.number(number)?),
            "arg_base" => Op::ArgBase(self.number(number)?),
            "map_entry" => Op::MapEntry {
                arg: self.number(number)?,
                element: self.second()?,
                column: self.comma(|c| c.number(number))?,
            },
            "row_addr" => Op::RowAddr {
                base: self.value()?,
                row: self.second()?,
                stride: self.comma(|c| c.number(number))?,
            },
            _ => return Err(self.expected("an operation")),
        })
    }

    fn second(&mut self) -> Read<Value> {
        self.comma(Cursor::value)
    }

    fn lane(&mut self) -> Read<u8> {
        self.number("a lane")
    }

    /// A place and the index in brackets that follows it.
    fn place(&mut self) -> Read<(Place, Value)> {
        let place = if self.at_id("array") {
            Place::Array(Array::from_u32(self.id("array")?))
        } else if self.at_id("table") {
            Place::Table(Table::from_u32(self.id("table")?))
        } else if self.at_id("constant") {
            Place::Constant(self.slot("constant")?)
        } else if self.at_id("rows") {
            Place::RowPointers(self.slot("rows")?)
        } else if self.at_id("param") {
            let param = self.slot("param")?;
            let first = self.index()?;
            if !self.try_eat("[") {
                return Ok((Place::Param(param), first));
            }
            let index = self.value()?;
            self.eat("]")?;
            return Ok((Place::ParamRow { param, row: first }, index));
        } else {
            self.eat("row")?;
            self.eat("(")?;
            let addr = self.value()?;
            let slot = self.comma(|c| c.number("a dat slot"))?;
            let readonly = self.comma(|c| c.flag("shared", "readonly"))?;
            self.eat(")")?;
            let region = Region { slot, readonly };
            Place::Row { addr, region }
        };
        Ok((place, self.index()?))
    }

    fn slot(&mut self, prefix: &'static str) -> Read<u16> {
        let wrong = self.expected("a number below 65536");
        u16::try_from(self.id(prefix)?).map_err(|_| wrong)
    }

    fn index(&mut self) -> Read<Value> {
        self.eat("[")?;
        let index = self.value()?;
        self.eat("]")?;
        Ok(index)
    }
}
