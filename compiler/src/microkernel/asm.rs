//! Encodes the instructions of x86-64 that microkernels are made of.
//!
//! Formats and opcodes are those of the Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2. Of AVX2 the
//! instructions have the VEX prefix, of AVX-512 the EVEX prefix: 32 registers, masks, and operands that are one value in memory
//! for all lanes.

use crate::ir::Scalar;

/// A vector register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Vector(pub(super) u8);

/// A register for addresses; none that needs an encoding of its own as a base.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Address {
    Rax = 0,
    Rcx = 1,
    Rdx = 2,
    Rsi = 6,
    Rdi = 7,
    R8 = 8,
    R9 = 9,
    R10 = 10,
    R11 = 11,
}

/// A place in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    pub(super) base: Address,
    pub(super) offset: i32,
}

/// How much of a register an instruction is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Width {
    /// The first lane.
    One,
    Bits128,
    Bits256,
    Bits512,
}

impl Width {
    pub(super) fn bytes(self, scalar: Scalar) -> u32 {
        match self {
            Width::One => scalar.bytes(),
            Width::Bits128 => 16,
            Width::Bits256 => 32,
            Width::Bits512 => 64,
        }
    }

    /// The field of a prefix that says it.
    fn field(self) -> u8 {
        match self {
            Width::One | Width::Bits128 => 0,
            Width::Bits256 => 1,
            Width::Bits512 => 2,
        }
    }
}

/// What an instruction's last operand is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operand {
    Register(Vector),
    Memory(Memory),
    /// One value in memory for all lanes; with the EVEX prefix only.
    Broadcast(Memory),
}

/// The prefix that was its own byte before vectors had theirs.
#[derive(Clone, Copy)]
enum Mandatory {
    None = 0,
    P66 = 1,
    PF3 = 2,
    PF2 = 3,
}

/// The table that an opcode is in.
#[derive(Clone, Copy)]
enum Map {
    P0f = 1,
    P0f38 = 2,
    P0f3a = 3,
}

/// An opcode with what its prefix says.
#[derive(Clone, Copy)]
struct Opcode {
    map: Map,
    mandatory: Mandatory,
    is_wide: bool,
    byte: u8,
}

/// Instructions of one kind of float, one after the other.
#[derive(Debug)]
pub(super) struct Assembler {
    bytes: Vec<u8>,
    scalar: Scalar,
    has_evex: bool,
}

/// Where a loop starts.
#[derive(Clone, Copy)]
pub(super) struct Label(usize);

/// A displacement that is not known yet: of four bytes, to what comes after them.
#[derive(Clone, Copy)]
pub(super) struct Hole(usize);

impl Assembler {
    pub(super) fn new(scalar: Scalar, has_evex: bool) -> Assembler {
        Assembler {
            bytes: Vec::with_capacity(1024),
            scalar,
            has_evex,
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// `push rbp; mov rbp, rsp`
    pub(super) fn enter(&mut self) {
        self.bytes.extend([0x55, 0x48, 0x89, 0xe5]);
    }

    /// `pop rbp; ret`, after `vzeroupper` where code of the caller could be slowed down by what registers hold.
    pub(super) fn leave(&mut self, clears_upper: bool) {
        if clears_upper {
            self.bytes.extend([0xc5, 0xf8, 0x77]);
        }
        self.bytes.extend([0x5d, 0xc3]);
    }

    /// `mov address, [rbp + offset]`
    pub(super) fn load_address(&mut self, to: Address, offset: i8) {
        let number = to as u8;
        let rex = 0x48 | number >> 3 << 2;
        self.bytes
            .extend([rex, 0x8b, 0x45 | (number & 7) << 3, offset as u8]);
    }

    /// `mov address, [base + offset]`
    pub(super) fn load_address_from(&mut self, to: Address, Memory { base, offset }: Memory) {
        let (number, from) = (to as u8, base as u8);
        let rex = 0x48 | number >> 3 << 2 | from >> 3;
        self.bytes
            .extend([rex, 0x8b, 0x80 | (number & 7) << 3 | from & 7]);
        self.bytes.extend(offset.to_le_bytes());
    }

    /// `add address, by`
    pub(super) fn advance(&mut self, address: Address, by: i32) {
        let number = address as u8;
        let rex = 0x48 | number >> 3;
        self.bytes.extend([rex, 0x81, 0xc0 | number & 7]);
        self.bytes.extend(by.to_le_bytes());
    }

    /// Asks for a line of the cache that will be stored to: `prefetchw [base + offset]`, which does nothing where processors have
    /// it not, nor where there is no memory.
    pub(super) fn prefetch_to_store(&mut self, Memory { base, offset }: Memory) {
        let number = base as u8;
        if number >= 8 {
            self.bytes.push(0x41);
        }
        self.bytes.extend([0x0f, 0x0d, 0x88 | number & 7]);
        self.bytes.extend(offset.to_le_bytes());
    }

    /// `mov eax, count`
    pub(super) fn count(&mut self, count: u32) {
        self.bytes.push(0xb8);
        self.bytes.extend(count.to_le_bytes());
    }

    pub(super) fn label(&self) -> Label {
        Label(self.bytes.len())
    }

    /// `dec eax; jnz label`
    pub(super) fn again(&mut self, label: Label) {
        self.bytes.extend([0xff, 0xc8, 0x0f, 0x85]);
        let back = label.0 as i64 - (self.bytes.len() as i64 + 4);
        self.bytes.extend((back as i32).to_le_bytes());
    }

    /// `dec address; jnz label`
    pub(super) fn count_down(&mut self, count: Address, label: Label) {
        let number = count as u8;
        let rex = 0x48 | number >> 3;
        self.bytes
            .extend([rex, 0xff, 0xc8 | number & 7, 0x0f, 0x85]);
        let back = label.0 as i64 - (self.bytes.len() as i64 + 4);
        self.bytes.extend((back as i32).to_le_bytes());
    }

    /// `ret`, after `vzeroupper`
    pub(super) fn leave_at_once(&mut self) {
        self.bytes.extend([0xc5, 0xf8, 0x77, 0xc3]);
    }

    /// Goes on at a multiple of 32 bytes, where loops start best, after instructions of up to four bytes that do nothing.
    pub(super) fn align(&mut self) {
        const NOP: [u8; 4] = [0x66, 0x66, 0x66, 0x90];
        let mut left = self.bytes.len().next_multiple_of(32) - self.bytes.len();
        while left > 0 {
            let size = left.min(NOP.len());
            self.bytes.extend(&NOP[NOP.len() - size..]);
            left -= size;
        }
    }

    /// The first `count` lanes are those of masked instructions: `mov eax, bits; kmovw k1, eax`.
    pub(super) fn mask_register(&mut self, count: u32) {
        self.count((1 << count) - 1);
        self.bytes.extend([0xc5, 0xf8, 0x92, 0xc8]);
    }

    /// The same in a vector register, from where `fill` says later: `vmovdqu ymm, [rip + ..]`.
    pub(super) fn mask_vector(&mut self, to: Vector) -> Hole {
        let rex = if to.0 < 8 { 0xe1 } else { 0x61 };
        self.bytes
            .extend([0xc4, rex, 0x7e, 0x6f, 0x05 | (to.0 & 7) << 3]);
        self.bytes.extend([0; 4]);
        Hole(self.bytes.len() - 4)
    }

    /// Ends the code with a mask of the first `count` lanes of 256 bits.
    pub(super) fn fill(&mut self, hole: Hole, count: u32) {
        let start = self.bytes.len().next_multiple_of(32);
        self.bytes.resize(start, 0xcc);
        let size = self.scalar.bytes();
        for byte in 0..32 {
            self.bytes.push(if byte < count * size { 0xff } else { 0 });
        }
        let distance = (start - (hole.0 + 4)) as u32;
        self.bytes[hole.0..][..4].copy_from_slice(&distance.to_le_bytes());
    }

    /// All lanes, or the one, become zero.
    pub(super) fn zero(&mut self, to: Vector) {
        let xor = match self.has_evex {
            // vpxord
            true => Opcode {
                map: Map::P0f,
                mandatory: Mandatory::P66,
                is_wide: false,
                byte: 0xef,
            },
            // vxorps
            false => self.plain(Mandatory::None, 0x57),
        };
        self.put(xor, Width::Bits128, to, to, Operand::Register(to), false);
    }

    /// Loads all lanes, or those of the mask register and zeros in the others.
    pub(super) fn load(&mut self, to: Vector, width: Width, from: Memory, masked: bool) {
        let opcode = self.arithmetic(width, 0x10);
        self.put(opcode, width, to, Vector(0), Operand::Memory(from), masked);
    }

    pub(super) fn store(&mut self, from: Vector, width: Width, to: Memory) {
        let opcode = self.arithmetic(width, 0x11);
        self.put(opcode, width, from, Vector(0), Operand::Memory(to), false);
    }

    /// Loads the lanes that a vector has as mask, zero in the others; without EVEX.
    pub(super) fn load_lanes(&mut self, to: Vector, mask: Vector, width: Width, from: Memory) {
        let opcode = Opcode {
            map: Map::P0f38,
            ..self.plain(Mandatory::P66, 0x2c | u8::from(self.scalar == Scalar::F64))
        };
        self.put(opcode, width, to, mask, Operand::Memory(from), false);
    }

    /// The upper half of a vector of so many bits, to the lower half of another register.
    pub(super) fn upper_half(&mut self, to: Vector, from: Vector, width: Width) {
        let opcode = Opcode {
            map: Map::P0f3a,
            is_wide: self.has_evex,
            // vextractf64x4, and vextractf64x2 or vextractf128
            byte: if width == Width::Bits512 { 0x1b } else { 0x19 },
            ..self.plain(Mandatory::P66, 0)
        };
        self.put(opcode, width, from, Vector(0), Operand::Register(to), false);
        self.bytes.push(1);
    }

    /// Stores the first two floats: `vmovsd`, which moves bits.
    pub(super) fn store_two_floats(&mut self, from: Vector, to: Memory) {
        let opcode = Opcode {
            is_wide: self.has_evex,
            ..self.plain(Mandatory::PF2, 0x11)
        };
        let to = Operand::Memory(to);
        self.put_scaled(opcode, Width::One, (from, Vector(0)), to, false, 8);
    }

    /// Stores the third float: `vextractps`.
    pub(super) fn store_third_float(&mut self, from: Vector, to: Memory) {
        let opcode = Opcode {
            map: Map::P0f3a,
            ..self.plain(Mandatory::P66, 0x17)
        };
        let to = Operand::Memory(to);
        self.put_scaled(opcode, Width::Bits128, (from, Vector(0)), to, false, 4);
        self.bytes.push(2);
    }

    /// One value to all lanes.
    pub(super) fn broadcast(&mut self, to: Vector, width: Width, from: Memory) {
        let opcode = match (width, self.scalar) {
            (Width::One, _) => return self.load(to, width, from, false),
            // vmovddup
            (Width::Bits128, Scalar::F64) => Opcode {
                is_wide: self.has_evex,
                ..self.plain(Mandatory::PF2, 0x12)
            },
            // vbroadcastsd
            (_, Scalar::F64) => Opcode {
                map: Map::P0f38,
                is_wide: self.has_evex,
                ..self.plain(Mandatory::P66, 0x19)
            },
            // vbroadcastss
            _ => Opcode {
                map: Map::P0f38,
                ..self.plain(Mandatory::P66, 0x18)
            },
        };
        // What is loaded is one value, and that is what short displacements count.
        let from = Operand::Memory(from);
        self.put_scaled(
            opcode,
            width,
            (to, Vector(0)),
            from,
            false,
            self.scalar.bytes(),
        );
    }

    /// `to = a * b`
    pub(super) fn multiply(&mut self, to: Vector, width: Width, a: Vector, b: Operand) {
        let opcode = self.arithmetic(width, 0x59);
        self.put(opcode, width, to, a, b, false);
    }

    /// `to = a + b`
    pub(super) fn add(&mut self, to: Vector, width: Width, a: Vector, b: Operand) {
        let opcode = self.arithmetic(width, 0x58);
        self.put(opcode, width, to, a, b, false);
    }

    /// `to = a - b`
    pub(super) fn subtract(&mut self, to: Vector, width: Width, a: Vector, b: Operand) {
        let opcode = self.arithmetic(width, 0x5c);
        self.put(opcode, width, to, a, b, false);
    }

    /// `to = a / b`
    pub(super) fn divide(&mut self, to: Vector, width: Width, a: Vector, b: Operand) {
        let opcode = self.arithmetic(width, 0x5e);
        self.put(opcode, width, to, a, b, false);
    }

    /// The square root of all lanes, or of the one; the others of that are those of `a`.
    pub(super) fn square_root(&mut self, to: Vector, width: Width, a: Vector) {
        let opcode = self.arithmetic(width, 0x51);
        let second = if width == Width::One { a } else { Vector(0) };
        self.put(opcode, width, to, second, Operand::Register(a), false);
    }

    /// Bits that both have, of whole vectors; without EVEX.
    pub(super) fn and(&mut self, to: Vector, width: Width, a: Vector, b: Operand) {
        let opcode = self.arithmetic(width, 0x54);
        self.put(opcode, width, to, a, b, false);
    }

    /// Bits that one of them has, of whole vectors; without EVEX.
    pub(super) fn xor(&mut self, to: Vector, width: Width, a: Vector, b: Operand) {
        let opcode = self.arithmetic(width, 0x57);
        self.put(opcode, width, to, a, b, false);
    }

    /// `to = from`, of whole vectors.
    pub(super) fn copy(&mut self, to: Vector, width: Width, from: Vector) {
        let opcode = self.arithmetic(width, 0x28);
        self.put(opcode, width, to, Vector(0), Operand::Register(from), false);
    }

    /// The first lane of doubles to all of 256 bits: `vbroadcastsd`; without EVEX.
    pub(super) fn broadcast_first(&mut self, to: Vector, from: Vector) {
        let opcode = Opcode {
            map: Map::P0f38,
            ..self.plain(Mandatory::P66, 0x19)
        };
        let width = Width::Bits256;
        self.put(opcode, width, to, Vector(0), Operand::Register(from), false);
    }

    /// One of four doubles to all of 256 bits: `vpermpd`; without EVEX.
    pub(super) fn spread(&mut self, to: Vector, from: Vector, lane: u8) {
        let opcode = Opcode {
            map: Map::P0f3a,
            is_wide: true,
            ..self.plain(Mandatory::P66, 0x01)
        };
        let width = Width::Bits256;
        self.put(opcode, width, to, Vector(0), Operand::Register(from), false);
        // Two bits for each lane of the result.
        self.bytes.push(0b01_01_01_01 * lane);
    }

    /// The second of two doubles to the first lane: `vunpckhpd`; without EVEX.
    pub(super) fn second_double(&mut self, to: Vector, from: Vector) {
        let opcode = self.plain(Mandatory::P66, 0x15);
        let last = Operand::Register(from);
        self.put(opcode, Width::Bits128, to, from, last, false);
    }

    /// `to += a * b`, rounded once: the form 231.
    pub(super) fn multiply_add(&mut self, to: Vector, width: Width, a: Vector, b: Operand) {
        let opcode = Opcode {
            map: Map::P0f38,
            mandatory: Mandatory::P66,
            is_wide: self.scalar == Scalar::F64,
            byte: 0xb8 | u8::from(width == Width::One),
        };
        self.put(opcode, width, to, a, b, false);
    }

    fn plain(&self, mandatory: Mandatory, byte: u8) -> Opcode {
        Opcode {
            map: Map::P0f,
            mandatory,
            is_wide: false,
            byte,
        }
    }

    /// Moves and arithmetic, of which there are four forms: of one or all lanes, of doubles or floats.
    fn arithmetic(&self, width: Width, byte: u8) -> Opcode {
        let is_double = self.scalar == Scalar::F64;
        let mandatory = match (width, is_double) {
            (Width::One, true) => Mandatory::PF2,
            (Width::One, false) => Mandatory::PF3,
            (_, true) => Mandatory::P66,
            (_, false) => Mandatory::None,
        };
        Opcode {
            is_wide: is_double && self.has_evex,
            ..self.plain(mandatory, byte)
        }
    }

    fn put(
        &mut self,
        opcode: Opcode,
        width: Width,
        register: Vector,
        second: Vector,
        last: Operand,
        masked: bool,
    ) {
        let scale = match last {
            Operand::Broadcast(_) => self.scalar.bytes(),
            _ => width.bytes(self.scalar),
        };
        self.put_scaled(opcode, width, (register, second), last, masked, scale);
    }

    fn put_scaled(
        &mut self,
        opcode: Opcode,
        width: Width,
        registers: (Vector, Vector),
        last: Operand,
        masked: bool,
        scale: u32,
    ) {
        match self.has_evex {
            true => self.evex(opcode, width, registers, last, masked),
            false => self.vex(opcode, width, registers, last),
        }
        self.bytes.push(opcode.byte);
        let register = (registers.0.0 & 7) << 3;
        match last {
            Operand::Register(Vector(number)) => self.bytes.push(0xc0 | register | number & 7),
            Operand::Memory(memory) | Operand::Broadcast(memory) => {
                let scale = if self.has_evex { scale } else { 1 };
                self.memory(register, memory, scale as i32);
            }
        }
    }

    /// Base and displacement, which is a multiple of `scale` if it is short.
    fn memory(&mut self, register: u8, Memory { base, offset }: Memory, scale: i32) {
        let base = base as u8 & 7;
        let short = i8::try_from(offset / scale)
            .ok()
            .filter(|_| offset % scale == 0);
        match short {
            Some(0) => self.bytes.push(register | base),
            Some(short) => self.bytes.extend([0x40 | register | base, short as u8]),
            None => {
                self.bytes.push(0x80 | register | base);
                self.bytes.extend(offset.to_le_bytes());
            }
        }
    }

    fn vex(
        &mut self,
        opcode: Opcode,
        width: Width,
        (register, second): (Vector, Vector),
        last: Operand,
    ) {
        let [high, _] = last_high(last);
        let first = flag(register.0 < 8, 7) | 0x40 | flag(!high, 5) | opcode.map as u8;
        let fields = flag(opcode.is_wide, 7) | (!second.0 & 15) << 3 | width.field() << 2;
        self.bytes
            .extend([0xc4, first, fields | opcode.mandatory as u8]);
    }

    fn evex(
        &mut self,
        opcode: Opcode,
        width: Width,
        (register, second): (Vector, Vector),
        last: Operand,
        masked: bool,
    ) {
        let [high, higher] = last_high(last);
        let first = flag(register.0 & 8 == 0, 7)
            | flag(!higher, 6)
            | flag(!high, 5)
            | flag(register.0 & 16 == 0, 4)
            | opcode.map as u8;
        let fields = flag(opcode.is_wide, 7) | (!second.0 & 15) << 3 | 4 | opcode.mandatory as u8;
        let is_broadcast = matches!(last, Operand::Broadcast(_));
        let third = flag(masked, 7)
            | width.field() << 5
            | flag(is_broadcast, 4)
            | flag(second.0 & 16 == 0, 3)
            | u8::from(masked);
        self.bytes.extend([0x62, first, fields, third]);
    }
}

fn flag(is_set: bool, bit: u8) -> u8 {
    u8::from(is_set) << bit
}

/// Bits 3 and 4 of the register that a last operand is or starts from.
fn last_high(last: Operand) -> [bool; 2] {
    match last {
        Operand::Register(Vector(number)) => [number & 8 != 0, number & 16 != 0],
        Operand::Memory(memory) | Operand::Broadcast(memory) => [memory.base as u8 & 8 != 0, false],
    }
}
