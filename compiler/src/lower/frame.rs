//! Where local arrays live: on the stack while they fit, else in the scratch area that the runtime owns.

use super::{Lower, abi};
use crate::ir::{Array, Block, Body, Loop, Op, Place, Stmt, for_each_stmt};
use cranelift_codegen::ir::{
    self as clif, InstBuilder, MemFlagsData, StackSlotData, StackSlotKind, types,
};
use cranelift_entity::SecondaryMap;
use cranelift_frontend::FunctionBuilder;

/// Alignment of arrays, so that pairs of values can be moved at once.
const ALIGN_SHIFT: u8 = 4;

/// Where an array lives: at an offset from an address that all arrays of its kind share.
#[derive(Clone, Copy)]
pub(super) struct Home {
    pub(super) base: clif::Value,
    pub(super) offset: i32,
}

/// Numbers of 64 bits on the stack, for what would take registers from others.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    base: clif::Value,
}

impl Kept {
    const BYTES: usize = 8;
    const ALIGN_SHIFT: u8 = 3;

    /// Room for so many, made where all see it who use it.
    pub(super) fn new(b: &mut FunctionBuilder<'_>, count: usize) -> Kept {
        let size = (count * Kept::BYTES) as u32;
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, size, Kept::ALIGN_SHIFT);
        let slot = b.create_sized_stack_slot(data);
        Kept {
            base: b.ins().stack_addr(types::I64, slot, 0),
        }
    }

    /// Where one lies, counted from the first.
    pub(super) const fn offset(at: usize) -> i32 {
        (at * Kept::BYTES) as i32
    }

    pub(super) fn load(self, b: &mut FunctionBuilder<'_>, offset: i32) -> clif::Value {
        let flags = MemFlagsData::trusted();
        b.ins().load(types::I64, flags, self.base, offset)
    }

    pub(super) fn store(self, b: &mut FunctionBuilder<'_>, offset: i32, value: clif::Value) {
        b.ins()
            .store(MemFlagsData::trusted(), value, self.base, offset);
    }
}

/// Where the arrays that are used lie.
pub(super) struct Frame {
    stack: SecondaryMap<Array, Option<u32>>,
    scratch: SecondaryMap<Array, Option<u64>>,
    used: SecondaryMap<Array, bool>,
    stack_bytes: u32,
    scratch_bytes: u64,
}

impl Frame {
    pub(super) fn of(it: &Loop) -> Frame {
        let blocks: Vec<&Block> = it.blocks().collect();
        Frame::of_blocks(&it.body, &blocks)
    }

    fn of_blocks(body: &Body, blocks: &[&Block]) -> Frame {
        let mut frame = Frame {
            stack: SecondaryMap::new(),
            scratch: SecondaryMap::new(),
            used: SecondaryMap::new(),
            stack_bytes: 0,
            scratch_bytes: 0,
        };
        for block in blocks {
            frame.find_used(body, block);
        }
        for (array, data) in body.arrays.iter().filter(|(array, _)| frame.used[*array]) {
            let bytes = data.len * u64::from(data.scalar.bytes());
            let bytes = bytes.next_multiple_of(1 << ALIGN_SHIFT);
            if u64::from(frame.stack_bytes) + bytes <= abi::STACK_ARRAY_BYTES_MAX {
                frame.stack[array] = Some(frame.stack_bytes);
                frame.stack_bytes += bytes as u32;
                continue;
            }
            frame.scratch[array] = Some(frame.scratch_bytes);
            frame.scratch_bytes += bytes;
        }
        frame
    }

    /// Bytes of scratch area that they need.
    pub(super) fn scratch_bytes(&self) -> u64 {
        self.scratch_bytes
    }

    fn find_used(&mut self, body: &Body, block: &Block) {
        for_each_stmt(block, &mut |stmt| {
            let place = match stmt {
                Stmt::Let(value) => match &body.values[*value].op {
                    Op::Load { place, .. } => Some(place),
                    _ => None,
                },
                Stmt::Store { place, .. } => Some(place),
                Stmt::Clear(array) => {
                    self.used[*array] = true;
                    None
                }
                _ => None,
            };
            if let Some(Place::Array(array)) = place {
                self.used[*array] = true;
            }
        });
    }
}

/// Bytes of scratch area that a loop needs.
pub(crate) fn scratch_bytes(it: &Loop) -> u64 {
    Frame::of(it).scratch_bytes
}

impl Lower<'_, '_> {
    /// Gives every used array a home.
    pub(super) fn place_arrays(&mut self) {
        let stack = (self.frame.stack_bytes > 0).then(|| self.stack_base());
        let scratch = (self.frame.scratch_bytes > 0).then(|| self.scratch_base());
        for array in self.it.body.arrays.keys() {
            let (on_stack, in_scratch) = (self.frame.stack[array], self.frame.scratch[array]);
            self.arrays[array] = match (stack.zip(on_stack), scratch.zip(in_scratch)) {
                (Some((base, offset)), _) => Some(Home {
                    base,
                    offset: offset as i32,
                }),
                (None, Some((base, offset))) => Some(self.in_scratch(base, offset)),
                (None, None) => None,
            };
        }
    }

    /// Whether a place is no array in working memory.
    pub(super) fn is_on_stack(&self, place: Place) -> bool {
        !matches!(place, Place::Array(array) if self.frame.stack[array].is_none())
    }

    fn stack_base(&mut self) -> clif::Value {
        let kind = StackSlotKind::ExplicitSlot;
        let slot = StackSlotData::new(kind, self.frame.stack_bytes, ALIGN_SHIFT);
        let slot = self.b.create_sized_stack_slot(slot);
        self.b.ins().stack_addr(types::I64, slot, 0)
    }

    fn scratch_base(&mut self) -> clif::Value {
        if self.externals.function.is_some() {
            return self.host_scratch(self.frame.scratch_bytes);
        }
        let flags = MemFlagsData::trusted().with_readonly();
        let field = abi::ctx::SCRATCH;
        self.b.ins().load(types::I64, flags, self.ctx, field)
    }

    fn in_scratch(&mut self, base: clif::Value, offset: u64) -> Home {
        match i32::try_from(offset) {
            Ok(offset) => Home { base, offset },
            Err(_) => Home {
                base: self.b.ins().iadd_imm_s(base, offset as i64),
                offset: 0,
            },
        }
    }
}
