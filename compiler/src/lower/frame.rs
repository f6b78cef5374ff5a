//! Where local arrays live: on the stack while they fit, else in the scratch area that the runtime owns.

use super::{Lower, abi};
use crate::ir::{Array, Block, Body, Op, Place, Stmt, for_each_stmt};
use cranelift_codegen::ir::{
    self as clif, InstBuilder, MemFlagsData, StackSlot, StackSlotData, StackSlotKind, types,
};
use cranelift_entity::SecondaryMap;

/// The most bytes of arrays on the stack.
const STACK_BYTES_MAX: u64 = 64 * 1024;

/// Alignment of arrays, so that pairs of values can be moved at once.
const ALIGN_SHIFT: u8 = 4;

/// Where an array lives.
#[derive(Clone, Copy)]
pub(super) enum Home {
    /// In the function's frame.
    Stack(StackSlot),
    /// At this address in the scratch area.
    Scratch(clif::Value),
}

/// Offsets of the arrays that are in the scratch area, and which arrays are used at all.
pub(super) struct Frame {
    scratch: SecondaryMap<Array, Option<u64>>,
    used: SecondaryMap<Array, bool>,
    scratch_bytes: u64,
}

impl Frame {
    pub(super) fn of(body: &Body) -> Frame {
        Frame::of_blocks(body, &[&body.root])
    }

    fn of_blocks(body: &Body, blocks: &[&Block]) -> Frame {
        let mut frame = Frame {
            scratch: SecondaryMap::new(),
            used: SecondaryMap::new(),
            scratch_bytes: 0,
        };
        for block in blocks {
            frame.find_used(body, block);
        }
        let mut on_stack = 0;
        for (array, data) in body.arrays.iter().filter(|(array, _)| frame.used[*array]) {
            let bytes = data.len * u64::from(data.scalar.bytes());
            let bytes = bytes.next_multiple_of(1 << ALIGN_SHIFT);
            if on_stack + bytes <= STACK_BYTES_MAX {
                on_stack += bytes;
                continue;
            }
            frame.scratch[array] = Some(frame.scratch_bytes);
            frame.scratch_bytes += bytes;
        }
        frame
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
pub(crate) fn scratch_bytes(body: &Body) -> u64 {
    Frame::of(body).scratch_bytes
}

impl Lower<'_, '_> {
    /// Gives every used array a home.
    pub(super) fn place_arrays(&mut self) {
        let body = &self.it.body;
        let mut scratch_base = None;
        for (array, data) in body.arrays.iter() {
            if !self.frame.used[array] {
                continue;
            }
            let home = match self.frame.scratch[array] {
                None => {
                    let bytes = data.len * u64::from(data.scalar.bytes());
                    let kind = StackSlotKind::ExplicitSlot;
                    let slot = StackSlotData::new(kind, bytes as u32, ALIGN_SHIFT);
                    Home::Stack(self.b.create_sized_stack_slot(slot))
                }
                Some(offset) => {
                    let base = match scratch_base {
                        Some(base) => base,
                        None => {
                            let flags = MemFlagsData::trusted().with_readonly();
                            let field = abi::ctx::SCRATCH;
                            self.b.ins().load(types::I64, flags, self.ctx, field)
                        }
                    };
                    scratch_base = Some(base);
                    Home::Scratch(self.b.ins().iadd_imm_s(base, offset as i64))
                }
            };
            self.arrays[array] = Some(home);
        }
    }
}
