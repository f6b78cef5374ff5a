//! Calls of the machine code that an update has for itself.

use super::update::{ALIGN_SHIFT, FACTOR};
use super::{Local, Lower};
use crate::ir::Scalar;
use crate::microkernel::{Factor as Operand, Microkernel, Place as At, Shape, Term};
use crate::opt::{Factor, Origin, RankUpdate, Rows};
use cranelift_codegen::ir::{self as clif, InstBuilder, StackSlotData, StackSlotKind, types};

/// The addresses that a call passes.
struct Pointers {
    all: Vec<clif::Value>,
    /// Of each, what it leads to, and bytes that it moves by from trip to trip.
    keys: Vec<(Origin, i32)>,
    is_unrolled: bool,
    bytes: i64,
    /// Where factors are put that are not in memory, and how many are there.
    values: Option<(clif::StackSlot, i32)>,
}

impl Pointers {
    /// The number of an address, if it is known.
    fn find(&self, origin: Origin, trip_bytes: i32) -> Option<u8> {
        let key = self.key(origin, trip_bytes);
        let found = self.keys.iter().position(|known| *known == key);
        found.map(|at| at as u8)
    }

    fn add(&mut self, origin: Origin, trip_bytes: i32, address: clif::Value) -> u8 {
        self.keys.push(self.key(origin, trip_bytes));
        self.all.push(address);
        (self.all.len() - 1) as u8
    }

    /// Addresses are shared by what moves alike; nothing does if the trips are unrolled.
    fn key(&self, origin: Origin, trip_bytes: i32) -> (Origin, i32) {
        (origin, if self.is_unrolled { 0 } else { trip_bytes })
    }

    fn bytes(&self, step: i64) -> i32 {
        (step * self.bytes) as i32
    }
}

impl Lower<'_, '_> {
    /// Calls a microkernel for an update, of zeros if `is_fresh`.
    pub(super) fn call_microkernel(&mut self, update: &RankUpdate, shape: Shape, is_fresh: bool) {
        let mut pointers = Pointers {
            all: Vec::new(),
            keys: Vec::new(),
            is_unrolled: shape.is_unrolled(),
            bytes: i64::from(update.scalar.bytes()),
            values: None,
        };
        let entries = self.operand(&mut pointers, &update.entries, update.scalar);
        let mut terms = Vec::with_capacity(update.terms.len());
        for term in &update.terms {
            let row_step = match &term.row_factor {
                Factor::Entries(rows) => rows.row_step,
                Factor::Value(_) => 0,
            };
            let columns = self.operand(&mut pointers, &term.factors, update.scalar);
            let scale = term
                .scale
                .map(|scale| self.one(&mut pointers, scale, update.scalar));
            terms.push(Term {
                columns,
                scale,
                row: self.one(&mut pointers, term.row_factor, update.scalar),
                row_bytes: pointers.bytes(row_step),
            });
        }
        let row_bytes = pointers.bytes(update.entries.row_step);
        let steps = pointers.keys.iter().map(|(_, step)| *step).collect();
        let microkernel = Microkernel {
            shape,
            is_fused: update.is_fused,
            entries: entries.first,
            row_bytes,
            starts_from_zero: is_fresh,
            terms,
            steps,
        };
        let function = self.local(Local::Update(microkernel));
        self.b.ins().call(function, &pointers.all);
    }

    /// Entries as an operand.
    fn operand(&mut self, pointers: &mut Pointers, rows: &Rows, scalar: Scalar) -> Operand {
        let trip_bytes = pointers.bytes(rows.trip_step);
        let (origin, offset) = match (rows.first, rows.place) {
            (Some(first), place) => {
                let is_on_stack = self.is_on_stack(place);
                let origin = if is_on_stack {
                    Origin::of(rows)
                } else {
                    Origin::Scratch
                };
                (origin, self.start_of(place) + first * pointers.bytes)
            }
            (None, _) => (Origin::of(rows), 0),
        };
        let pointer = pointers.find(origin, trip_bytes).unwrap_or_else(|| {
            let address = match origin {
                Origin::Entry(..) => self.first_of(rows, scalar),
                _ => {
                    self.define_operands(rows);
                    self.base(rows.place)
                }
            };
            pointers.add(origin, trip_bytes, address)
        });
        Operand {
            first: At {
                pointer,
                // Within reach, or the update would not be run so.
                offset: offset as i32,
            },
            trip_bytes,
        }
    }

    /// A factor as an operand; what is not in memory is put there.
    fn one(&mut self, pointers: &mut Pointers, factor: Factor, scalar: Scalar) -> Operand {
        let value = match factor {
            Factor::Entries(rows) => return self.operand(pointers, &rows, scalar),
            Factor::Value(value) => self.value(value),
        };
        let (slot, count) = *pointers.values.get_or_insert_with(|| {
            let data = StackSlotData::new(StackSlotKind::ExplicitSlot, 0, ALIGN_SHIFT);
            (self.b.create_sized_stack_slot(data), 0)
        });
        let offset = FACTOR * count;
        pointers.values = Some((slot, count + 1));
        self.b.func.sized_stack_slots[slot].size = (FACTOR * (count + 1)) as u32;
        self.b.ins().stack_store(types::I64, value, slot, offset);
        let pointer = pointers.find(Origin::Values, 0).unwrap_or_else(|| {
            let address = self.b.ins().stack_addr(types::I64, slot, 0);
            pointers.add(Origin::Values, 0, address)
        });
        Operand {
            first: At { pointer, offset },
            trip_bytes: 0,
        }
    }
}
