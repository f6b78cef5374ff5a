//! Loads, stores and addresses.

use super::frame::Home;
use super::{Lower, clif_type};
use crate::ir::{Array, BinaryOp, Body, Op, Place, Scalar, Type, Value};
use crate::signature::IndexWidth;
use cranelift_codegen::ir::{
    self as clif, AliasRegion, AliasRegionData, InstBuilder, MemFlagsData, types,
};
use cranelift_frontend::FunctionBuilder;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Alias regions, made when first used.
pub(super) struct Regions {
    by_id: BTreeMap<u32, AliasRegion>,
}

/// Numbers of the regions that are not dats.
const LOCAL_REGIONS: u32 = 1 << 20;
/// From this one on local arrays have a region in common: the code generator's flags have room for 65,535.
const LOCAL_REGIONS_MAX: u32 = 1 << 15;
const FIXED_REGION: u32 = 1 << 19;
const MAP_REGION: u32 = FIXED_REGION + 1;

impl Regions {
    pub(super) fn new() -> Regions {
        Regions {
            by_id: BTreeMap::new(),
        }
    }

    fn get(&mut self, b: &mut FunctionBuilder<'_>, user_id: u32) -> AliasRegion {
        *self.by_id.entry(user_id).or_insert_with(|| {
            let description = "memory".into();
            let data = AliasRegionData {
                user_id,
                description,
            };
            b.func.dfg.alias_regions.insert(data)
        })
    }
}

/// Counts of shifts that a block of the code generator's has.
#[derive(Default)]
pub(super) struct Counts {
    block: Option<clif::Block>,
    known: SmallVec<[(u32, clif::Value); 4]>,
}

/// An address: base, constant offset.
struct Address {
    base: clif::Value,
    offset: i32,
}

impl Lower<'_, '_> {
    pub(super) fn load(&mut self, place: Place, index: Value, ty: Type) -> clif::Value {
        let address = self.address(place, index, ty.scalar);
        // None may move: the check of its index must come first, and the code generator does not see that it depends on it.
        let flags = self.flags(place, ty);
        self.b
            .ins()
            .load(clif_type(ty), flags, address.base, address.offset)
    }

    pub(super) fn store(&mut self, place: Place, index: Value, value: Value) {
        let ty = self.it.body.ty(value);
        let value = self.value(value);
        let address = self.address(place, index, ty.scalar);
        let flags = self.flags(place, ty);
        self.b
            .ins()
            .store(flags, value, address.base, address.offset);
    }

    fn flags(&mut self, place: Place, ty: Type) -> MemFlagsData {
        // Only natural alignment is assumed: pairs of values may lie at any value, and so may doubles that narrower ones are moved in.
        let is_row = matches!(place, Place::Row { .. });
        let trusted = match ty {
            Type { lanes: 1, scalar } if !(is_row && scalar == Scalar::F64) => {
                MemFlagsData::trusted()
            }
            _ => MemFlagsData::new().with_notrap(),
        };
        let (flags, id) = match place {
            Place::Array(array) => (
                trusted,
                LOCAL_REGIONS + array.as_u32().min(LOCAL_REGIONS_MAX),
            ),
            Place::Row { region, .. } => {
                let flags = match region.readonly {
                    true => trusted.with_readonly(),
                    false => trusted,
                };
                (flags, u32::from(region.slot))
            }
            // They are there only if the kernel gets to use them, so that reading them must not move.
            Place::RowPointers(_) => (trusted.with_readonly(), FIXED_REGION),
            Place::Table(_) | Place::Constant(_) => (trusted.with_readonly(), FIXED_REGION),
            Place::Param(_) | Place::ParamRow { .. } => {
                unreachable!("a loop has no parameter places")
            }
        };
        let region = self.regions.get(&mut self.b, id);
        flags.with_alias_region(Some(region))
    }

    /// Where an entry of a place lies.
    pub(super) fn address_of(&mut self, place: Place, index: Value, scalar: Scalar) -> clif::Value {
        let Address { base, offset } = self.address(place, index, scalar);
        self.b.ins().iadd_imm_s(base, i64::from(offset))
    }

    fn address(&mut self, place: Place, index: Value, scalar: Scalar) -> Address {
        let bytes = i64::from(scalar.bytes());
        let (base, start) = (self.base(place), self.start_of(place));
        let (index, constant) = split(&self.it.body, index);
        let folded = constant
            .checked_mul(bytes)
            .and_then(|offset| offset.checked_add(start))
            .and_then(|offset| i32::try_from(offset).ok());
        let (base, offset) = match folded {
            Some(offset) => (base, offset),
            None => {
                let offset = constant.wrapping_mul(bytes).wrapping_add(start);
                (self.b.ins().iadd_imm_s(base, offset), 0)
            }
        };
        let Some(index) = index else {
            return Address { base, offset };
        };
        let index = self.value(index);
        let scaled = match bytes {
            1 => index,
            _ => self.shifted(index, bytes.ilog2()),
        };
        Address {
            base: self.b.ins().iadd(base, scaled),
            offset,
        }
    }

    /// Bytes from the base of a place, which others share, to its first entry.
    pub(super) fn start_of(&self, place: Place) -> i64 {
        match place {
            Place::Table(table) => i64::from(self.pool.table_offset(table)),
            Place::Array(array) => i64::from(self.home(array).offset),
            _ => 0,
        }
    }

    pub(super) fn base(&mut self, place: Place) -> clif::Value {
        match place {
            Place::Array(array) => self.home(array).base,
            Place::Row { addr, .. } => self.value(addr),
            Place::RowPointers(arg) => self.data_base(arg),
            Place::Table(_) => self.pool_base(),
            Place::Constant(slot) => self.constant_base(slot),
            Place::Param(_) | Place::ParamRow { .. } => {
                unreachable!("a loop has no parameter places")
            }
        }
    }

    pub(super) fn home(&self, array: Array) -> Home {
        self.arrays[array].expect("used arrays have a home")
    }

    pub(super) fn array_flags(&mut self, array: Array) -> MemFlagsData {
        self.flags(Place::Array(array), Type::I64)
    }

    pub(super) fn map_entry(&mut self, arg: u16, element: Value, column: u16) -> clif::Value {
        let map = self.it.signature.args[usize::from(arg)].source.map();
        let map = map.expect("the argument goes through a map");
        let base = self.map_base(arg);
        let width: i64 = match map.width {
            IndexWidth::I32 => 4,
            IndexWidth::I64 => 8,
        };
        let row = self.row_offset(element, u64::from(map.arity) * width as u64);
        let address = self.b.ins().iadd(base, row);
        let offset = (i64::from(column) * width) as i32;
        let region = self.regions.get(&mut self.b, MAP_REGION);
        let flags = MemFlagsData::trusted()
            .with_readonly()
            .with_alias_region(Some(region));
        match map.width {
            IndexWidth::I32 => self.b.ins().sload32(flags, address, offset),
            IndexWidth::I64 => self.b.ins().load(types::I64, flags, address, offset),
        }
    }

    pub(super) fn row_addr(&mut self, base: Value, row: Value, stride: u64) -> clif::Value {
        let base = self.value(base);
        // All that a plain function has are first rows.
        if self.it.body.int_constant(row) == Some(0) {
            return base;
        }
        let offset = self.row_offset(row, stride);
        self.b.ins().iadd(base, offset)
    }

    /// A row's offset in bytes, computed once where all statements of the element see it.
    fn row_offset(&mut self, row: Value, stride: u64) -> clif::Value {
        if let Some(known) = self.rows.get(&(row, stride)) {
            return *known;
        }
        let index = self.value(row);
        let offset = self.scaled(index, stride);
        if self.nesting == 0 {
            self.rows.insert((row, stride), offset);
        }
        offset
    }

    fn scaled(&mut self, value: clif::Value, by: u64) -> clif::Value {
        match by {
            1 => value,
            by if by.is_power_of_two() => self.shifted(value, by.ilog2()),
            by => self.b.ins().imul_imm_s(value, by as i64),
        }
    }

    /// A value shifted left. The count is written once in a block, however many are shifted by it.
    fn shifted(&mut self, value: clif::Value, by: u32) -> clif::Value {
        let block = self.b.current_block();
        if self.counts.block != block {
            self.counts.block = block;
            self.counts.known.clear();
        }
        let mut known = self.counts.known.iter();
        let count = match known.find(|(count, _)| *count == by) {
            Some((_, value)) => *value,
            None => {
                let value = self.b.ins().iconst(types::I64, i64::from(by));
                self.counts.known.push((by, value));
                value
            }
        };
        self.b.ins().ishl(value, count)
    }
}

/// An index as a variable part and a constant.
fn split(body: &Body, index: Value) -> (Option<Value>, i64) {
    if let Some(constant) = body.int_constant(index) {
        return (None, constant);
    }
    if let Op::Binary(BinaryOp::Add, a, b) = body.values[index].op {
        if let Some(constant) = body.int_constant(b) {
            return (Some(a), constant);
        }
        if let Some(constant) = body.int_constant(a) {
            return (Some(b), constant);
        }
    }
    (Some(index), 0)
}
