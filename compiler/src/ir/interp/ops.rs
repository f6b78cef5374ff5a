//! What each operation does to the interpreter's state: arithmetic by `eval`, loads and stores with their bounds.

use super::machine::{Halt, Lanes, Level, Machine};
use super::memory::{InterpError, KernelArg, Pointer, read, write};
use crate::abi;
use crate::ir::body::{Array, Inst, Op, Place, Site, Symbol, Table, Value};
use crate::ir::eval;
use crate::ir::limits::LANES_MAX;
use crate::ir::types::{Scalar, Type};
use cranelift_entity::EntityRef;

/// Where the scalars of a place lie.
#[derive(Clone, Copy)]
enum Spot {
    Array(Array),
    Table(Table),
    Constant(usize),
    /// A buffer, an offset in bytes, and how many scalars are good there, if anyone knows.
    Buffer(usize, i64, Option<u64>),
}

impl Machine<'_> {
    pub(super) fn op(&mut self, inst: &Inst) -> Result<Lanes, Halt> {
        let Inst { op, ty } = inst;
        let ty = *ty;
        let one = |bits: u64| [bits, 0, 0, 0];
        Ok(match op {
            Op::Const(bits) => self.lanes(ty, |_| *bits),
            Op::Unary(op, a) => {
                let a = self.values[*a];
                self.lanes(ty, |i| eval::unary(*op, ty.scalar, a[i]))
            }
            Op::Binary(op, a, b) => {
                let (a, b) = (self.values[*a], self.values[*b]);
                let mut lanes = [0; LANES_MAX];
                for i in 0..usize::from(ty.lanes) {
                    let result = eval::binary(*op, ty.scalar, a[i], b[i]);
                    lanes[i] = result.ok_or(Halt::Error(InterpError::Division))?;
                }
                lanes
            }
            Op::Compare(op, a, b) => {
                let scalar = self.body.ty(*a).scalar;
                let (a, b) = (self.values[*a], self.values[*b]);
                self.lanes(ty, |i| u64::from(eval::compare(*op, scalar, a[i], b[i])))
            }
            Op::Select(cond, a, b) if ty.scalar == Scalar::Addr => {
                self.values[if self.values[*cond][0] != 0 { *a } else { *b }]
            }
            Op::Select(cond, a, b) => {
                let [cond, a, b] = [cond, a, b].map(|v| self.values[*v]);
                self.lanes(ty, |i| if cond[i] != 0 { a[i] } else { b[i] })
            }
            Op::Fma(a, b, c) => {
                let [a, b, c] = [a, b, c].map(|v| self.values[*v]);
                self.lanes(ty, |i| eval::fma(ty.scalar, a[i], b[i], c[i]))
            }
            Op::Convert(a) => {
                let from = self.body.ty(*a).scalar;
                let a = self.values[*a];
                self.lanes(ty, |i| eval::convert(from, ty.scalar, a[i]))
            }
            Op::Get(var) => self.vars[var.index()],
            Op::Load { place, index, site } => self.load(place, *index, *site, ty)?,
            Op::Call(symbol, args) => one(self.call(*symbol, args)?),
            Op::CheckIndex { index, len, site } => {
                let found = self.int(*index);
                let good = u64::try_from(found).is_ok_and(|i| i < *len);
                one(guard(good, abi::BAD_INDEX, *site, found)? as u64)
            }
            Op::CheckDivisor { divisor, site } => {
                let bits = self.values[*divisor];
                guard(bits[0] != 0, abi::DIVISION_BY_ZERO, *site, 0)?;
                bits
            }
            Op::Element => one(self.element),
            Op::ElementAfter(after) => {
                let there = self.others.len().min(usize::from(*after));
                one(self.others[..there].last().copied().unwrap_or(self.element))
            }
            // A counter is set by its loop and never computed.
            Op::Counter => one(0),
            Op::Splat(_) | Op::Lane(..) | Op::Shuffle(..) => self.lane_op(op, ty),
            Op::Param(_) | Op::ArgBase(_) | Op::MapEntry { .. } | Op::RowAddr { .. } => {
                self.level_op(op)?
            }
        })
    }

    /// Operations that move lanes about.
    fn lane_op(&self, op: &Op, ty: Type) -> Lanes {
        match op {
            Op::Splat(a) => {
                let bits = self.values[*a][0];
                self.lanes(ty, |_| bits)
            }
            Op::Lane(a, lane) => [self.values[*a][usize::from(*lane)], 0, 0, 0],
            Op::Shuffle(a, b, mask) => {
                let width = usize::from(self.body.ty(*a).lanes);
                let (a, b) = (self.values[*a], self.values[*b]);
                let pick = |lane: usize| {
                    if lane < width {
                        a[lane]
                    } else {
                        b[lane - width]
                    }
                };
                self.lanes(ty, |i| pick(usize::from(mask[i])))
            }
            _ => [0; LANES_MAX],
        }
    }

    fn lanes(&self, ty: Type, bits: impl Fn(usize) -> u64) -> Lanes {
        let mut lanes = [0; LANES_MAX];
        for (i, lane) in lanes.iter_mut().enumerate().take(usize::from(ty.lanes)) {
            *lane = bits(i);
        }
        lanes
    }

    fn call(&self, symbol: Symbol, args: &[Value]) -> Result<u64, Halt> {
        let host = &self.body.symbols[symbol];
        let args: Vec<u64> = args.iter().map(|a| self.values[*a][0]).collect();
        let result = self.hosts.call(host, &args);
        let missing = || Halt::Error(InterpError::NoHost(host.name.clone()));
        let bits = result.ok_or_else(missing)?;
        Ok(eval::mask(host.result, bits))
    }

    /// Operations that only kernels or only loops have.
    fn level_op(&self, op: &Op) -> Result<Lanes, Halt> {
        let binding = |arg: u16| match &self.level {
            Level::Loop { memory, .. } => memory.args.get(usize::from(arg)),
            Level::Kernel { .. } => None,
        };
        let missing = |arg: u16| Halt::Error(InterpError::Argument(usize::from(arg)));
        match op {
            Op::Param(param) => {
                let arg = match &self.level {
                    Level::Kernel { memory, .. } => memory.args.get(usize::from(*param)),
                    Level::Loop { .. } => None,
                };
                let Some(KernelArg::Value(bits)) = arg else {
                    return Err(missing(*param));
                };
                let scalar = match &self.level {
                    Level::Kernel { kernel, .. } => kernel.params[usize::from(*param)].scalar,
                    Level::Loop { .. } => Scalar::I64,
                };
                Ok([eval::mask(scalar, *bits), 0, 0, 0])
            }
            Op::ArgBase(arg) => {
                let bound = binding(*arg).ok_or_else(|| missing(*arg))?;
                Ok([bound.buffer as u64, bound.offset, 0, 0])
            }
            Op::MapEntry {
                arg,
                element,
                column,
            } => {
                let bound = binding(*arg).and_then(|b| b.map.as_ref());
                let map = bound.ok_or_else(|| missing(*arg))?;
                let arity = self.arity(*arg);
                let index =
                    i128::from(self.int(*element)) * i128::from(arity) + i128::from(*column);
                let entry = usize::try_from(index).ok().and_then(|i| map.entries.get(i));
                let entry = entry.ok_or(out_of_bounds("a map", index as i64))?;
                Ok([*entry as u64, 0, 0, 0])
            }
            Op::RowAddr { base, row, stride } => {
                let [buffer, offset, ..] = self.values[*base];
                let distance = (self.int(*row) as u64).wrapping_mul(*stride);
                Ok([buffer, offset.wrapping_add(distance), 0, 0])
            }
            _ => Ok([0; LANES_MAX]),
        }
    }

    fn arity(&self, arg: u16) -> u16 {
        let Level::Loop { looped, .. } = &self.level else {
            return 0;
        };
        let source = looped.signature.args[usize::from(arg)].source;
        source.map().map_or(0, |map| map.arity)
    }

    fn load(&self, place: &Place, index: Value, site: Site, ty: Type) -> Result<Lanes, Halt> {
        let index = self.int(index);
        if let Place::RowPointers(arg) = place {
            return self.row_pointer(*arg, index);
        }
        let spot = self.spot(place, index, ty.lanes, site)?;
        let mut lanes = [0; LANES_MAX];
        if let (Spot::Array(array), Scalar::Addr) = (spot, ty.scalar) {
            let words = self.address_words(array, index)?;
            lanes[..2].copy_from_slice(&self.arrays[array.index()][words]);
            return Ok(lanes);
        }
        for (i, lane) in lanes.iter_mut().enumerate().take(usize::from(ty.lanes)) {
            let at = i128::from(index) + i as i128;
            let bits = self.read(spot, at, ty.scalar);
            *lane = bits.ok_or(out_of_bounds(name(spot), at as i64))?;
        }
        Ok(lanes)
    }

    fn row_pointer(&self, arg: u16, row: i64) -> Result<Lanes, Halt> {
        let missing = Halt::Error(InterpError::Argument(usize::from(arg)));
        let Level::Loop { memory, .. } = &self.level else {
            return Err(missing);
        };
        let bound = memory.args.get(usize::from(arg)).ok_or(missing)?;
        let found = usize::try_from(row)
            .ok()
            .and_then(|row| bound.rows.get(row));
        let (buffer, offset) = found.ok_or(out_of_bounds("row pointers", row))?;
        Ok([*buffer as u64, *offset, 0, 0])
    }

    pub(super) fn store(
        &mut self,
        place: &Place,
        index: Value,
        value: Value,
        site: Site,
    ) -> Result<(), Halt> {
        let (index, ty) = (self.int(index), self.body.ty(value));
        let spot = self.spot(place, index, ty.lanes, site)?;
        let lanes = self.values[value];
        if let (Spot::Array(array), Scalar::Addr) = (spot, ty.scalar) {
            let words = self.address_words(array, index)?;
            self.arrays[array.index()][words].copy_from_slice(&lanes[..2]);
            return Ok(());
        }
        for (i, bits) in lanes.into_iter().enumerate().take(usize::from(ty.lanes)) {
            let at = i128::from(index) + i as i128;
            let done = self.write(spot, at, ty.scalar, bits);
            done.ok_or(out_of_bounds(name(spot), at as i64))?;
        }
        Ok(())
    }

    /// Where an entry of a local array of addresses lies.
    fn address_words(&self, array: Array, index: i64) -> Result<std::ops::Range<usize>, Halt> {
        let at = usize::try_from(index).ok();
        let at = at.filter(|at| (*at as u64) < self.body.arrays[array].len);
        let at = at.ok_or(out_of_bounds("a local array", index))?;
        Ok(2 * at..2 * at + 2)
    }

    /// Finds a place. In a kernel by itself, an index out of range stops here.
    fn spot(&self, place: &Place, index: i64, lanes: u8, site: Site) -> Result<Spot, Halt> {
        let pointer = |p: &Pointer| Spot::Buffer(p.buffer, p.offset as i64, Some(p.len));
        let spot = match place {
            Place::Array(array) => Spot::Array(*array),
            Place::Table(table) => Spot::Table(*table),
            Place::Constant(slot) => Spot::Constant(usize::from(*slot)),
            Place::Row { addr, .. } => {
                let [buffer, offset, ..] = self.values[*addr];
                Spot::Buffer(buffer as usize, offset as i64, None)
            }
            Place::RowPointers(arg) => {
                return Err(Halt::Error(InterpError::Argument(usize::from(*arg))));
            }
            Place::Param(param) => match self.kernel_arg(*param) {
                Some(KernelArg::Pointer(p)) => pointer(p),
                _ => return Err(Halt::Error(InterpError::Argument(usize::from(*param)))),
            },
            Place::ParamRow { param, row } => {
                let Some(KernelArg::Rows(rows)) = self.kernel_arg(*param) else {
                    return Err(Halt::Error(InterpError::Argument(usize::from(*param))));
                };
                let row = self.int(*row);
                let found = usize::try_from(row).ok().and_then(|row| rows.get(row));
                let stop = Halt::Stop {
                    status: abi::BAD_INDEX,
                    site,
                    value: row,
                };
                pointer(found.ok_or(stop)?)
            }
        };
        if let Level::Kernel { .. } = self.level {
            let last = i128::from(index) + i128::from(lanes);
            let good = index >= 0 && last <= i128::from(self.len(spot));
            guard(good, abi::BAD_INDEX, site, index)?;
        }
        Ok(spot)
    }

    fn kernel_arg(&self, param: u16) -> Option<&KernelArg> {
        match &self.level {
            Level::Kernel { memory, .. } => memory.args.get(usize::from(param)),
            Level::Loop { .. } => None,
        }
    }

    /// How many scalars a place of a kernel has.
    fn len(&self, spot: Spot) -> u64 {
        match spot {
            Spot::Array(array) => self.body.arrays[array].len,
            Spot::Table(table) => self.body.tables[table].bits.len() as u64,
            Spot::Buffer(.., len) => len.unwrap_or(u64::MAX),
            Spot::Constant(slot) => match &self.level {
                Level::Kernel { kernel, .. } => u64::from(kernel.constants[slot].dim),
                Level::Loop { looped, .. } => u64::from(looped.constants[slot].dim),
            },
        }
    }

    fn read(&self, spot: Spot, index: i128, scalar: Scalar) -> Option<u64> {
        let at = index.checked_mul(i128::from(scalar.bytes()))?;
        let (buffers, constants) = match &self.level {
            Level::Kernel { memory, .. } => (&memory.buffers, &memory.constants),
            Level::Loop { memory, .. } => (&memory.buffers, &memory.constants),
        };
        match spot {
            Spot::Array(array) => {
                let entries = &self.arrays[array.index()];
                entries.get(usize::try_from(index).ok()?).copied()
            }
            Spot::Table(table) => {
                let entries = &self.body.tables[table].bits;
                entries.get(usize::try_from(index).ok()?).copied()
            }
            Spot::Constant(slot) => read(constants.get(slot)?, at, scalar),
            Spot::Buffer(buffer, offset, _) => {
                read(buffers.get(buffer)?, at + i128::from(offset), scalar)
            }
        }
    }

    fn write(&mut self, spot: Spot, index: i128, scalar: Scalar, bits: u64) -> Option<()> {
        let at = index.checked_mul(i128::from(scalar.bytes()))?;
        let buffers = match &mut self.level {
            Level::Kernel { memory, .. } => &mut memory.buffers,
            Level::Loop { memory, .. } => &mut memory.buffers,
        };
        match spot {
            Spot::Array(array) => {
                let entries = &mut self.arrays[array.index()];
                *entries.get_mut(usize::try_from(index).ok()?)? = bits;
                Some(())
            }
            Spot::Table(_) | Spot::Constant(_) => None,
            Spot::Buffer(buffer, offset, _) => {
                let buffer = buffers.get_mut(buffer)?;
                write(buffer, at + i128::from(offset), scalar, bits)
            }
        }
    }
}

fn name(spot: Spot) -> &'static str {
    match spot {
        Spot::Array(_) => "a local array",
        Spot::Table(_) => "a table",
        Spot::Constant(_) => "a kernel constant",
        Spot::Buffer(..) => "a buffer",
    }
}

fn out_of_bounds(what: &'static str, index: i64) -> Halt {
    Halt::Error(InterpError::OutOfBounds { what, index })
}

/// Stops unless `good`; gives back the value.
fn guard(good: bool, status: u32, site: Site, value: i64) -> Result<i64, Halt> {
    let stop = Halt::Stop {
        status,
        site,
        value,
    };
    if good { Ok(value) } else { Err(stop) }
}
