//! What each operation asks of its operands and its result.

use super::{Checked, Holder, Level, Phase, Rule, Verifier, ensure, types};
use crate::ir::body::{BinaryOp, Inst, Op, Place, Value};
use crate::ir::kernel::Passing;
use crate::ir::types::{Scalar, Type};
use crate::signature::Source;

impl Verifier<'_> {
    /// Checks the operation of a value that is about to be defined.
    pub(super) fn op(&mut self, value: Value, inst: &Inst) -> Checked {
        let Inst { op, ty } = inst;
        let ty = *ty;
        let is_of_strip = self.in_strip && ty == Type::F64.with_lanes(4);
        ensure(types::is_valid(ty) || is_of_strip, Rule::BadType(ty))?;
        let wrong = |name| Rule::NotAnOperation { name, ty };
        match op {
            Op::Const(bits) => ensure(types::fits(*bits, ty.scalar), Rule::BadBits(*bits)),
            Op::Unary(op, a) => {
                self.typed(*a, ty)?;
                ensure(types::has_unary(*op, ty.scalar), wrong(op.name()))
            }
            Op::Binary(op, a, b) => {
                ensure(types::has_binary(*op, ty.scalar), wrong(op.name()))?;
                self.typed(*a, ty)?;
                self.second(*op, *b, ty)
            }
            Op::Compare(op, a, b) => {
                let operand = self.visible_type(*a)?;
                self.typed(*b, operand)?;
                ensure(operand.scalar != Scalar::Addr, wrong(op.name()))?;
                let wanted = Type::BOOL.with_lanes(operand.lanes);
                ensure(ty == wanted, Rule::mismatch(value, ty, wanted))
            }
            Op::Select(cond, a, b) => {
                self.typed(*cond, Type::BOOL.with_lanes(ty.lanes))?;
                self.typed(*a, ty)?;
                self.typed(*b, ty)?;
                self.select_region(value, *a, *b, ty)
            }
            Op::Fma(a, b, c) => {
                [a, b, c].into_iter().try_for_each(|v| self.typed(*v, ty))?;
                ensure(ty.scalar.is_float(), wrong("fma"))
            }
            Op::Convert(a) => {
                let from = self.visible_type(*a)?;
                let addr = from.scalar == Scalar::Addr || ty.scalar == Scalar::Addr;
                ensure(from.lanes == ty.lanes && !addr, wrong("convert"))
            }
            Op::Get(var) => {
                let held = self.var(*var)?;
                ensure(held == ty, Rule::mismatch(value, ty, held))?;
                self.held_region(value, Some(Holder::Var(*var)), ty)
            }
            Op::Load { place, index, site } => {
                self.typed(*index, Type::I64)?;
                self.site(*site)?;
                match place {
                    Place::RowPointers(arg) => self.slots[value] = self.row_pointers(*arg)?,
                    Place::Array(array) => {
                        self.held_region(value, Some(Holder::Array(*array)), ty)?;
                    }
                    _ => self.held_region(value, None, ty)?,
                }
                self.place(place, ty.scalar)
            }
            Op::Call(symbol, args) => {
                let host = self.body.symbols.get(*symbol);
                let host = host.ok_or(Rule::NoSuchEntry("fn", symbol.as_u32()))?;
                let (wanted, found) = (host.params.len(), args.len());
                ensure(wanted == found, Rule::WrongArguments { wanted, found })?;
                for (arg, scalar) in args.iter().zip(&host.params) {
                    self.typed(*arg, Type::of(*scalar))?;
                }
                let result = Type::of(host.result);
                ensure(ty == result, Rule::mismatch(value, ty, result))
            }
            Op::Counter => Err(Rule::CounterOutsideFor(value)),
            Op::Splat(_) | Op::Lane(..) | Op::Shuffle(..) => self.lane_op(value, op, ty),
            Op::CheckIndex { .. } | Op::CheckDivisor { .. } => self.guard(op, ty),
            Op::Param(_)
            | Op::Element
            | Op::ElementAfter(_)
            | Op::ArgBase(_)
            | Op::MapEntry { .. }
            | Op::RowAddr { .. } => self.level_op(value, op, ty),
        }
    }

    fn second(&self, op: BinaryOp, b: Value, ty: Type) -> Checked {
        if !matches!(op, BinaryOp::Shl | BinaryOp::Shr) {
            return self.typed(b, ty);
        }
        let count = self.visible_type(b)?;
        let sound = count.scalar.is_int() && count.lanes == ty.lanes;
        ensure(sound, Rule::mismatch(b, count, ty))
    }

    fn select_region(&mut self, value: Value, a: Value, b: Value, ty: Type) -> Checked {
        if ty.scalar == Scalar::Addr {
            let slot = self.slots[a];
            ensure(slot == self.slots[b], Rule::MixedRegions(a, b))?;
            self.slots[value] = slot;
        }
        Ok(())
    }

    /// An address that was kept lies in the region of those that were put there.
    fn held_region(&mut self, value: Value, holder: Option<Holder>, ty: Type) -> Checked {
        if ty.scalar == Scalar::Addr {
            let slot = holder.and_then(|holder| self.held.get(&holder));
            self.slots[value] = *slot.ok_or(Rule::BadType(ty))?;
        }
        Ok(())
    }

    /// Operations that move lanes about.
    fn lane_op(&self, value: Value, op: &Op, ty: Type) -> Checked {
        match op {
            Op::Splat(a) => self.typed(*a, Type::of(ty.scalar)),
            Op::Lane(a, lane) => {
                let from = self.visible_type(*a)?;
                ensure(*lane < from.lanes, Rule::NoSuchLane(*lane))?;
                let wanted = Type::of(from.scalar);
                ensure(ty == wanted, Rule::mismatch(value, ty, wanted))
            }
            Op::Shuffle(a, b, mask) => self.shuffle(*a, *b, *mask, ty),
            _ => Ok(()),
        }
    }

    fn shuffle(&self, a: Value, b: Value, mask: [u8; 4], ty: Type) -> Checked {
        let from = self.visible_type(a)?;
        self.typed(b, from)?;
        let wanted = from.with_lanes(ty.lanes);
        ensure(ty == wanted, Rule::mismatch(a, from, ty))?;
        for (i, lane) in mask.into_iter().enumerate() {
            // Entries beyond the result's lanes are 0, so that equal shuffles are equal.
            let used = i < usize::from(ty.lanes);
            let end = if used { 2 * from.lanes } else { 1 };
            ensure(lane < end, Rule::NoSuchLane(lane))?;
        }
        Ok(())
    }

    fn guard(&self, op: &Op, ty: Type) -> Checked {
        ensure(self.phase == Phase::Element, Rule::FailsOutsideElements)?;
        match op {
            Op::CheckIndex { index, len, site } => {
                self.site(*site)?;
                ensure(*len <= i64::MAX as u64, Rule::BadCheck(*len))?;
                self.typed(*index, Type::I64)?;
                ensure(ty == Type::I64, Rule::mismatch(*index, Type::I64, ty))
            }
            Op::CheckDivisor { divisor, site } => {
                self.site(*site)?;
                self.typed(*divisor, ty)?;
                let name = "check_divisor";
                let sound = ty.scalar.is_int() && ty.lanes == 1;
                ensure(sound, Rule::NotAnOperation { name, ty })
            }
            _ => Ok(()),
        }
    }

    /// Operations that only kernels or only loops have.
    fn level_op(&mut self, value: Value, op: &Op, ty: Type) -> Checked {
        let wanted = match op {
            Op::Param(param) => Type::of(self.param(*param, Passing::Value)?),
            Op::Element => {
                self.only_loops("element")?;
                ensure(self.phase != Phase::Once, Rule::NoElement)?;
                Type::I64
            }
            Op::ElementAfter(after) => {
                let elements = self.elements_at_once;
                let sound = self.phase == Phase::Wide && (1..elements).contains(after);
                ensure(sound, Rule::NoElement)?;
                Type::I64
            }
            Op::ArgBase(arg) => {
                self.slots[value] = self.base_slot(*arg)?;
                Type::ADDR
            }
            Op::MapEntry {
                arg,
                element,
                column,
            } => {
                self.typed(*element, Type::I64)?;
                self.map_entry(*arg, *column)?;
                Type::I64
            }
            Op::RowAddr {
                base,
                row,
                stride: _,
            } => {
                self.only_loops("row_addr")?;
                self.typed(*base, Type::ADDR)?;
                self.typed(*row, Type::I64)?;
                self.slots[value] = self.slots[*base];
                Type::ADDR
            }
            _ => return Ok(()),
        };
        ensure(ty == wanted, Rule::mismatch(value, ty, wanted))
    }

    fn only_loops(&self, name: &'static str) -> Checked {
        let in_loop = matches!(self.level, Level::Loop(_));
        ensure(in_loop, Rule::WrongLevel(name))
    }

    /// The slot of an argument that has an address.
    fn base_slot(&self, arg: u16) -> Checked<u16> {
        let Level::Loop(looped) = self.level else {
            return Err(Rule::WrongLevel("arg_base"));
        };
        let data = looped.signature.args.get(usize::from(arg));
        let data = data.filter(|a| !matches!(a.source, Source::Element | Source::Rows(_)));
        let data = data.ok_or(Rule::NoSuchEntry("arg", u32::from(arg)))?;
        Ok(data.dat)
    }

    fn map_entry(&self, arg: u16, column: u16) -> Checked {
        let Level::Loop(looped) = self.level else {
            return Err(Rule::WrongLevel("map_entry"));
        };
        let data = looped.signature.args.get(usize::from(arg));
        let map = data.and_then(|a| a.source.map());
        let map = map.ok_or(Rule::NoSuchMapEntry(arg))?;
        let first = self.maps.get(&map.slot) == Some(&arg);
        ensure(first && column < map.arity, Rule::NoSuchMapEntry(arg))
    }
}
