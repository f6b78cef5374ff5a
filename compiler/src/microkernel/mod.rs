//! Microkernels: machine code with the vectors of AVX2 and AVX-512, which the code generator does not have: for one small rank-k
//! update each, and for the steps of a strip of elements (`strip`).
//!
//! Of an update, a block of entries is cut into tiles whose entries stay in registers while all products are added to them, in the order of the
//! text; rows end in narrower or masked vectors, so that nothing beside the entries is touched. Every extent and every step is
//! part of the code: what varies from call to call are the addresses, which come as arguments by the C calling convention. Code
//! does nothing but load, multiply, add and store, so it can't fail, and refers to nothing outside itself.

mod asm;
pub(crate) mod strip;
#[cfg(test)]
mod tests;
mod tile;

pub(crate) use strip::Strip;
pub(crate) use tile::Shape;

use crate::ir::Scalar;
use asm::{Address, Assembler, Hole, Memory, Operand, Vector, Width};
use tile::{Tile, Tiling};

/// Addresses come in these registers.
const ARGUMENTS: [Address; 6] = [
    Address::Rdi,
    Address::Rsi,
    Address::Rdx,
    Address::Rcx,
    Address::R8,
    Address::R9,
];

/// Those that come on the stack are loaded to these.
const MORE: [Address; 2] = [Address::R10, Address::R11];

/// Where the caller's part of the stack starts, from the frame pointer: behind that of the caller and the address to return to.
const STACKED: i8 = 16;

/// The most addresses that a microkernel takes.
pub(crate) const POINTERS_MAX: usize = ARGUMENTS.len() + MORE.len();

/// Strides and offsets are below this many bytes, so that sums of them are offsets of instructions.
pub(crate) const REACH_BYTES_MAX: u64 = 1 << 28;

/// A place relative to an address that the microkernel is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    /// Which address.
    pub(crate) pointer: u8,
    /// Bytes after it.
    pub(crate) offset: i32,
}

/// Values in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Factor {
    /// In the first trip, of the first row or column.
    pub(crate) first: Place,
    /// Bytes to that of the next trip; all factors of one address have the same, if the trips are not unrolled.
    pub(crate) trip_bytes: i32,
}

/// Products that are added to all entries: `row * (scale * columns)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Term {
    /// Neighbours, one for each column.
    pub(crate) columns: Factor,
    /// One for all entries.
    pub(crate) scale: Option<Factor>,
    pub(crate) row: Factor,
    /// Bytes to the factor of the next row.
    pub(crate) row_bytes: i32,
}

/// An update, with all but its addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Microkernel {
    pub(crate) shape: Shape,
    /// Whether a product and its addition are rounded once.
    pub(crate) is_fused: bool,
    pub(crate) entries: Place,
    /// Bytes from one row of entries to the next.
    pub(crate) row_bytes: i32,
    /// Whether entries are zero before, and need not be loaded.
    pub(crate) starts_from_zero: bool,
    /// In the order in which they are added.
    pub(crate) terms: Vec<Term>,
    /// Bytes that each address moves by from trip to trip; zero where the trips are unrolled.
    pub(crate) steps: Vec<i32>,
}

impl Microkernel {
    /// The function.
    pub(crate) fn code(&self) -> Vec<u8> {
        let tiling = Tiling::of(&self.shape);
        let mut writer = Writer {
            it: self,
            asm: Assembler::new(self.shape.scalar, self.shape.has_avx512),
            mask: None,
            masked_lanes: tiling.row.masked_lanes,
            highest: 0,
        };
        writer.all(&tiling);
        writer.asm.finish()
    }

    /// How often the terms are written down.
    fn copies(&self) -> u64 {
        match self.shape.is_unrolled() {
            true => self.shape.trips,
            false => 1,
        }
    }

    fn is_last(&self, tiling: &Tiling, tile: &Tile) -> bool {
        tiling.tiles().last().as_ref() == Some(tile)
    }
}

/// Which lanes masked instructions are about.
#[derive(Clone, Copy)]
enum Mask {
    /// Those of the mask register.
    Register,
    /// Those of a vector, read from behind the code.
    Vector(Vector),
}

struct Writer<'a> {
    it: &'a Microkernel,
    asm: Assembler,
    mask: Option<Mask>,
    masked_lanes: u32,
    /// One more than the highest register used, as the caller counts them.
    highest: u8,
}

/// The registers of a tile.
struct Registers {
    /// Of the factors of the columns; those of the entries come before.
    columns: u8,
    /// One for all lanes.
    broadcast: u8,
    /// A product that is rounded by itself.
    product: u8,
}

impl Writer<'_> {
    fn all(&mut self, tiling: &Tiling) {
        self.asm.enter();
        let stacked = self.it.steps.len().saturating_sub(ARGUMENTS.len());
        for (at, register) in MORE.into_iter().enumerate().take(stacked) {
            self.asm.load_address(register, STACKED + 8 * at as i8);
        }
        let hole = self.prepare_mask();
        for tile in tiling.tiles() {
            self.tile(tiling, &tile);
        }
        self.asm.leave(self.dirties_upper_halves());
        if let Some(hole) = hole {
            self.asm.fill(hole, self.masked_lanes);
        }
    }

    /// Prepares the mask, if rows end in a part of a vector.
    fn prepare_mask(&mut self) -> Option<Hole> {
        if self.masked_lanes == 0 {
            return None;
        }
        if self.it.shape.has_avx512 {
            self.asm.mask_register(self.masked_lanes);
            self.mask = Some(Mask::Register);
            return None;
        }
        let vector = self.register(tile::registers(&self.it.shape) - 1);
        self.mask = Some(Mask::Vector(vector));
        Some(self.asm.mask_vector(vector))
    }

    /// Registers are taken from 16 on where there are so many: what they hold slows nobody down, and needs not be cleared.
    fn register(&mut self, number: u8) -> Vector {
        self.highest = self.highest.max(number + 1);
        match self.it.shape.has_avx512 {
            true => Vector((number + 16) % 32),
            false => Vector(number),
        }
    }

    fn dirties_upper_halves(&self) -> bool {
        !self.it.shape.has_avx512 || self.highest > 16
    }

    fn tile(&mut self, tiling: &Tiling, tile: &Tile) {
        let it = self.it;
        let entries = (tile.rows.clone().count() * tile.vectors.len()) as u8;
        let registers = Registers {
            columns: entries,
            broadcast: entries + tile.vectors.len() as u8,
            product: entries + tile.vectors.len() as u8 + 1,
        };
        self.load_entries(tiling, tile);
        if it.copies() == it.shape.trips {
            for trip in 0..it.copies() {
                self.trip(tiling, tile, &registers, trip as i32);
            }
        } else {
            self.asm.count(it.shape.trips as u32);
            let label = self.asm.label();
            self.trip(tiling, tile, &registers, 0);
            self.advance(1);
            self.asm.again(label);
            if !it.is_last(tiling, tile) {
                self.advance(-(it.shape.trips as i32));
            }
        }
        self.store_entries(tiling, tile, &registers);
    }

    /// Moves all addresses by so many trips.
    fn advance(&mut self, trips: i32) {
        for (pointer, step) in self.it.steps.iter().enumerate() {
            if *step != 0 {
                self.asm.advance(address(pointer as u8), step * trips);
            }
        }
    }

    /// The vectors of a tile's entries, and where they lie.
    fn entries<'t>(
        &self,
        tiling: &'t Tiling,
        tile: &Tile,
    ) -> impl Iterator<Item = (&'t tile::Part, Memory)> + use<'t> {
        let (first, row_bytes) = (self.it.entries, self.it.row_bytes);
        let parts = &tiling.row.vectors[tile.vectors.clone()];
        tile.rows.clone().flat_map(move |row| {
            let start = memory(first, row_bytes * row as i32);
            parts
                .iter()
                .map(move |part| (part, moved(start, part.offset)))
        })
    }

    fn load_entries(&mut self, tiling: &Tiling, tile: &Tile) {
        for ((part, at), number) in self.entries(tiling, tile).zip(0..) {
            let register = self.register(number);
            match self.it.starts_from_zero {
                true => self.asm.zero(register),
                false => self.load(register, part, at),
            }
        }
    }

    fn store_entries(&mut self, tiling: &Tiling, tile: &Tile, registers: &Registers) {
        // Nothing is multiplied any more.
        let spare = self.register(registers.broadcast);
        for ((part, at), number) in self.entries(tiling, tile).zip(0..) {
            let register = self.register(number);
            self.store(register, spare, part, at);
        }
    }

    fn load(&mut self, to: Vector, part: &tile::Part, from: Memory) {
        match self.mask.filter(|_| part.is_masked) {
            Some(Mask::Vector(mask)) => self.asm.load_lanes(to, mask, part.width, from),
            mask => self.asm.load(to, part.width, from, mask.is_some()),
        }
    }

    fn store(&mut self, from: Vector, spare: Vector, part: &tile::Part, to: Memory) {
        match part.is_masked {
            true => self.store_pieces(from, spare, part.width, to),
            false => self.asm.store(from, part.width, to),
        }
    }

    /// Stores the first lanes of a vector in pieces: loads of what a masked store has stored wait until it has reached the cache.
    fn store_pieces(&mut self, mut from: Vector, spare: Vector, width: Width, mut to: Memory) {
        let scalar = self.it.shape.scalar;
        let mut rest = self.masked_lanes * scalar.bytes();
        for (whole, half) in [
            (Width::Bits512, Width::Bits256),
            (Width::Bits256, Width::Bits128),
        ] {
            let bytes = half.bytes(scalar);
            if width < whole || rest < bytes {
                continue;
            }
            self.asm.store(from, half, to);
            rest -= bytes;
            to = moved(to, bytes as i32);
            if rest > 0 {
                self.asm.upper_half(spare, from, whole);
                from = spare;
            }
        }
        match (scalar, rest) {
            (_, 0) => {}
            (Scalar::F32, 8..) => {
                self.asm.store_two_floats(from, to);
                if rest > 8 {
                    self.asm.store_third_float(from, moved(to, 8));
                }
            }
            _ => self.asm.store(from, Width::One, to),
        }
    }

    /// Adds the products of one trip.
    fn trip(&mut self, tiling: &Tiling, tile: &Tile, registers: &Registers, trip: i32) {
        let it = self.it;
        let parts = &tiling.row.vectors[tile.vectors.clone()];
        let of_trip = |factor: &Factor| memory(factor.first, factor.trip_bytes * trip);
        for term in &it.terms {
            let columns = of_trip(&term.columns);
            for (part, number) in parts.iter().zip(registers.columns..) {
                let register = self.register(number);
                self.load(register, part, moved(columns, part.offset));
            }
            if let Some(scale) = &term.scale {
                let scale = self.for_all(parts, registers, of_trip(scale));
                for (part, number) in parts.iter().zip(registers.columns..) {
                    let register = self.register(number);
                    self.asm.multiply(register, part.width, register, scale);
                }
            }
            let mut number = 0;
            for row in tile.rows.clone() {
                let factor = moved(of_trip(&term.row), term.row_bytes * row as i32);
                let factor = self.for_all(parts, registers, factor);
                for (part, column) in parts.iter().zip(registers.columns..) {
                    let entry = self.register(number);
                    let column = self.register(column);
                    number += 1;
                    self.add_product(entry, part.width, (column, factor), registers);
                }
            }
        }
    }

    /// A value in memory as operand of instructions on each of some vectors.
    fn for_all(&mut self, parts: &[tile::Part], registers: &Registers, at: Memory) -> Operand {
        let is_one = parts.iter().all(|part| part.width == Width::One);
        match parts {
            _ if is_one => Operand::Memory(at),
            [_] if self.it.shape.has_avx512 => Operand::Broadcast(at),
            _ => {
                let register = self.register(registers.broadcast);
                let widths = parts.iter().map(|part| part.width);
                let widest = widths.max().unwrap_or(Width::One);
                self.asm.broadcast(register, widest, at);
                Operand::Register(register)
            }
        }
    }

    fn add_product(
        &mut self,
        entry: Vector,
        width: Width,
        (column, factor): (Vector, Operand),
        registers: &Registers,
    ) {
        if self.it.is_fused {
            return self.asm.multiply_add(entry, width, column, factor);
        }
        let product = self.register(registers.product);
        self.asm.multiply(product, width, column, factor);
        self.asm
            .add(entry, width, entry, Operand::Register(product));
    }
}

fn address(pointer: u8) -> Address {
    let pointer = usize::from(pointer);
    match ARGUMENTS.get(pointer) {
        Some(register) => *register,
        None => MORE[pointer - ARGUMENTS.len()],
    }
}

fn memory(place: Place, offset: i32) -> Memory {
    Memory {
        base: address(place.pointer),
        offset: place.offset + offset,
    }
}

fn moved(at: Memory, by: i32) -> Memory {
    Memory {
        offset: at.offset + by,
        ..at
    }
}
