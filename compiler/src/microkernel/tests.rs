//! Encodings against those of the GNU assembler, and tilings.

use super::Shape;
use super::asm::Address::{R8, R9, R10, R11, Rax, Rcx, Rdi, Rdx, Rsi};
use super::asm::Operand::{Broadcast, Memory as InMemory, Register};
use super::asm::Width::{Bits128, Bits256, Bits512, One};
use super::asm::{Address, Assembler, Memory, Vector};
use super::strip::{Arithmetic, Spot, Step, Strip};
use super::tile::{Tiling, registers};
use crate::ir::Scalar;

fn v(number: u8) -> Vector {
    Vector(number)
}

fn at(base: Address, offset: i32) -> Memory {
    Memory { base, offset }
}

/// An instruction as the assembler writes it, how we make it, and its bytes.
type Case = (&'static str, fn(&mut Assembler), &'static str);

fn check(scalar: Scalar, has_evex: bool, cases: &[Case]) {
    for (text, make, bytes) in cases {
        let mut assembler = Assembler::new(scalar, has_evex);
        make(&mut assembler);
        let made: Vec<String> = assembler
            .finish()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(made.join(" "), *bytes, "{text}");
    }
}

#[test]
fn instructions_on_doubles_of_avx2_are_encoded_as_assemblers_do() {
    check(
        Scalar::F64,
        false,
        &[
            (
                "mov r10, [rbp+16]",
                |a| a.load_address(R10, 16),
                "4c 8b 55 10",
            ),
            (
                "add r11, 0x12345",
                |a| a.advance(R11, 0x12345),
                "49 81 c3 45 23 01 00",
            ),
            (
                "prefetchw [rcx+512]",
                |a| a.prefetch_to_store(at(Rcx, 512)),
                "0f 0d 89 00 02 00 00",
            ),
            (
                "prefetchw [r11+512]",
                |a| a.prefetch_to_store(at(R11, 512)),
                "41 0f 0d 8b 00 02 00 00",
            ),
            (
                "mov eax, 7; kmovw k1, eax",
                |a| a.mask_register(3),
                "b8 07 00 00 00 c5 f8 92 c8",
            ),
            (
                "vmovupd ymm9, [rdi]",
                |a| a.load(v(9), Bits256, at(Rdi, 0), false),
                "c4 61 7d 10 0f",
            ),
            (
                "vmovsd xmm2, [rsi+0x1000]",
                |a| a.load(v(2), One, at(Rsi, 0x1000), false),
                "c4 e1 7b 10 96 00 10 00 00",
            ),
            (
                "vmovupd xmm3, [rdx+16]",
                |a| a.load(v(3), Bits128, at(Rdx, 16), false),
                "c4 e1 79 10 5a 10",
            ),
            (
                "vmaskmovpd ymm4, ymm15, [rcx+8]",
                |a| a.load_lanes(v(4), v(15), Bits256, at(Rcx, 8)),
                "c4 e2 05 2d 61 08",
            ),
            (
                "vmovddup xmm6, [rdi+8]",
                |a| a.broadcast(v(6), Bits128, at(Rdi, 8)),
                "c4 e1 7b 12 77 08",
            ),
            (
                "vbroadcastsd ymm7, [rdi+40]",
                |a| a.broadcast(v(7), Bits256, at(Rdi, 40)),
                "c4 e2 7d 19 7f 28",
            ),
            (
                "vmulpd ymm10, ymm11, ymm12",
                |a| a.multiply(v(10), Bits256, v(11), Register(v(12))),
                "c4 41 25 59 d4",
            ),
            (
                "vaddsd xmm1, xmm9, xmm10",
                |a| a.add(v(1), One, v(9), Register(v(10))),
                "c4 c1 33 58 ca",
            ),
            (
                "vfmadd231pd ymm0, ymm13, ymm14",
                |a| a.multiply_add(v(0), Bits256, v(13), Register(v(14))),
                "c4 c2 95 b8 c6",
            ),
            (
                "vxorps xmm11, xmm11, xmm11",
                |a| a.zero(v(11)),
                "c4 41 20 57 db",
            ),
            (
                "mov r10, [rdi+0x12345678]",
                |a| a.load_address_from(R10, at(Rdi, 0x1234_5678)),
                "4c 8b 97 78 56 34 12",
            ),
            (
                "vsubpd ymm3, ymm12, [r8+64]",
                |a| a.subtract(v(3), Bits256, v(12), InMemory(at(R8, 64))),
                "c4 c1 1d 5c 58 40",
            ),
            (
                "vdivsd xmm3, xmm9, [rax]",
                |a| a.divide(v(3), One, v(9), InMemory(at(Rax, 0))),
                "c4 e1 33 5e 18",
            ),
            (
                "vdivpd ymm10, ymm2, ymm11",
                |a| a.divide(v(10), Bits256, v(2), Register(v(11))),
                "c4 41 6d 5e d3",
            ),
            (
                "vsqrtpd ymm9, ymm14",
                |a| a.square_root(v(9), Bits256, v(14)),
                "c4 41 7d 51 ce",
            ),
            (
                "vsqrtsd xmm9, xmm14, xmm14",
                |a| a.square_root(v(9), One, v(14)),
                "c4 41 0b 51 ce",
            ),
            (
                "vandpd ymm1, ymm10, ymm3",
                |a| a.and(v(1), Bits256, v(10), Register(v(3))),
                "c4 e1 2d 54 cb",
            ),
            (
                "vxorpd xmm9, xmm2, xmm12",
                |a| a.xor(v(9), Bits128, v(2), Register(v(12))),
                "c4 41 69 57 cc",
            ),
            (
                "vmovapd xmm11, xmm4",
                |a| a.copy(v(11), Bits128, v(4)),
                "c4 61 79 28 dc",
            ),
            (
                "vmovapd ymm4, ymm13",
                |a| a.copy(v(4), Bits256, v(13)),
                "c4 c1 7d 28 e5",
            ),
            (
                "vbroadcastsd ymm12, xmm9",
                |a| a.broadcast_first(v(12), v(9)),
                "c4 42 7d 19 e1",
            ),
            (
                "vpermpd ymm9, ymm12, 0xaa",
                |a| a.spread(v(9), v(12), 2),
                "c4 43 fd 01 cc aa",
            ),
            (
                "vunpckhpd xmm9, xmm12, xmm12",
                |a| a.second_double(v(9), v(12)),
                "c4 41 19 15 cc",
            ),
            (
                "vfmadd231sd xmm4, xmm13, [r9+8]",
                |a| a.multiply_add(v(4), One, v(13), InMemory(at(R9, 8))),
                "c4 c2 91 b9 61 08",
            ),
            (
                "vextractf128 xmm3, ymm12, 1",
                |a| a.upper_half(v(3), v(12), Bits256),
                "c4 63 7d 19 e3 01",
            ),
        ],
    );
}

#[test]
fn instructions_on_floats_of_avx2_are_encoded_as_assemblers_do() {
    check(
        Scalar::F32,
        false,
        &[
            (
                "vmovups [r8+24], ymm1",
                |a| a.store(v(1), Bits256, at(R8, 24)),
                "c4 c1 7c 11 48 18",
            ),
            (
                "vmovss [r11-4], xmm12",
                |a| a.store(v(12), One, at(R11, -4)),
                "c4 41 7a 11 63 fc",
            ),
            (
                "vbroadcastss ymm8, [rsi+4]",
                |a| a.broadcast(v(8), Bits256, at(Rsi, 4)),
                "c4 62 7d 18 46 04",
            ),
            (
                "vmulss xmm1, xmm2, [rdi+4]",
                |a| a.multiply(v(1), One, v(2), InMemory(at(Rdi, 4))),
                "c4 e1 6a 59 4f 04",
            ),
            (
                "vaddps ymm1, ymm9, ymm10",
                |a| a.add(v(1), Bits256, v(9), Register(v(10))),
                "c4 c1 34 58 ca",
            ),
            (
                "vfmadd231ss xmm0, xmm13, [rdi+4]",
                |a| a.multiply_add(v(0), One, v(13), InMemory(at(Rdi, 4))),
                "c4 e2 11 b9 47 04",
            ),
            (
                "vmovsd [rdi+8], xmm9",
                |a| a.store_two_floats(v(9), at(Rdi, 8)),
                "c4 61 7b 11 4f 08",
            ),
            (
                "vextractps [r8+4], xmm10, 2",
                |a| a.store_third_float(v(10), at(R8, 4)),
                "c4 43 79 17 50 04 02",
            ),
        ],
    );
}

#[test]
fn instructions_on_doubles_of_avx512_are_encoded_as_assemblers_do() {
    check(
        Scalar::F64,
        true,
        &[
            (
                "vmovupd zmm16, [rdi+64]",
                |a| a.load(v(16), Bits512, at(Rdi, 64), false),
                "62 e1 fd 48 10 47 01",
            ),
            (
                "vmovupd zmm31{k1}{z}, [r10+192]",
                |a| a.load(v(31), Bits512, at(R10, 192), true),
                "62 41 fd c9 10 7a 03",
            ),
            (
                "vmovsd xmm17, [rdi+16]",
                |a| a.load(v(17), One, at(Rdi, 16), false),
                "62 e1 ff 08 10 4f 02",
            ),
            (
                "vbroadcastsd zmm18, [rdi+16]",
                |a| a.broadcast(v(18), Bits512, at(Rdi, 16)),
                "62 e2 fd 48 19 57 02",
            ),
            (
                "vmovddup xmm21, [rdx+24]",
                |a| a.broadcast(v(21), Bits128, at(Rdx, 24)),
                "62 e1 ff 08 12 6a 03",
            ),
            (
                "vmulpd zmm22, zmm3, zmm24",
                |a| a.multiply(v(22), Bits512, v(3), Register(v(24))),
                "62 81 e5 48 59 f0",
            ),
            (
                "vaddpd ymm23, ymm30, ymm8",
                |a| a.add(v(23), Bits256, v(30), Register(v(8))),
                "62 c1 8d 20 58 f8",
            ),
            (
                "vfmadd231pd zmm16, zmm24, [r9+4096]{1to8}",
                |a| a.multiply_add(v(16), Bits512, v(24), Broadcast(at(R9, 4096))),
                "62 c2 bd 50 b8 81 00 10 00 00",
            ),
            (
                "vfmadd231sd xmm16, xmm24, [rdi+8]",
                |a| a.multiply_add(v(16), One, v(24), InMemory(at(Rdi, 8))),
                "62 e2 bd 00 b9 47 01",
            ),
            (
                "vpxord xmm29, xmm29, xmm29",
                |a| a.zero(v(29)),
                "62 01 15 00 ef ed",
            ),
            (
                "vextractf64x4 ymm20, zmm5, 1",
                |a| a.upper_half(v(20), v(5), Bits512),
                "62 b3 fd 48 1b ec 01",
            ),
            (
                "vextractf64x2 xmm5, ymm20, 1",
                |a| a.upper_half(v(5), v(20), Bits256),
                "62 e3 fd 28 19 e5 01",
            ),
            (
                "vmovupd [rsi+32], ymm9",
                |a| a.store(v(9), Bits256, at(Rsi, 32)),
                "62 71 fd 28 11 4e 01",
            ),
        ],
    );
}

#[test]
fn instructions_on_floats_of_avx512_are_encoded_as_assemblers_do() {
    check(
        Scalar::F32,
        true,
        &[
            (
                "vmovups ymm20, [rdi+0x1000]",
                |a| a.load(v(20), Bits256, at(Rdi, 0x1000), false),
                "62 e1 7c 28 10 a7 00 10 00 00",
            ),
            (
                "vbroadcastss xmm19, [r8+12]",
                |a| a.broadcast(v(19), Bits128, at(R8, 12)),
                "62 c2 7d 08 18 58 03",
            ),
            (
                "vmulps zmm22, zmm26, [rcx+8]{1to16}",
                |a| a.multiply(v(22), Bits512, v(26), Broadcast(at(Rcx, 8))),
                "62 e1 2c 50 59 71 02",
            ),
            (
                "vfmadd231ps zmm0, zmm31, zmm15",
                |a| a.multiply_add(v(0), Bits512, v(31), Register(v(15))),
                "62 d2 05 40 b8 c7",
            ),
            (
                "vmovsd [rdi+8], xmm17",
                |a| a.store_two_floats(v(17), at(Rdi, 8)),
                "62 e1 ff 08 11 4f 01",
            ),
            (
                "vextractps [rsi+8], xmm18, 2",
                |a| a.store_third_float(v(18), at(Rsi, 8)),
                "62 e3 7d 08 17 56 02 02",
            ),
        ],
    );
}

/// Shapes of all kinds, from one entry to many tiles.
fn shapes() -> impl Iterator<Item = Shape> {
    let scalars = [Scalar::F32, Scalar::F64].into_iter();
    scalars.flat_map(|scalar| {
        [false, true].into_iter().flat_map(move |has_avx512| {
            (1..40).flat_map(move |rows| {
                (1..70).map(move |columns| Shape {
                    scalar,
                    has_avx512,
                    trips: 1,
                    rows,
                    columns,
                    terms: 1,
                })
            })
        })
    })
}

#[test]
fn tiles_cover_every_entry_once_and_fit_the_registers() {
    for shape in shapes() {
        let tiling = Tiling::of(&shape);
        let mut covered = vec![0; (shape.rows * shape.columns) as usize];
        for tile in tiling.tiles() {
            let vectors = &tiling.row.vectors[tile.vectors.clone()];
            let held = tile.rows.clone().count() * vectors.len() + vectors.len();
            // One for all lanes, one product, one mask.
            assert!(held + 3 <= usize::from(registers(&shape)), "{shape:?}");
            for (row, part) in tile
                .rows
                .flat_map(|row| vectors.iter().map(move |part| (row, part)))
            {
                let bytes = shape.scalar.bytes();
                let lanes = match part.is_masked {
                    true => tiling.row.masked_lanes,
                    false => part.width.bytes(shape.scalar) / bytes,
                };
                let first = row * shape.columns + part.offset as u64 / u64::from(bytes);
                assert!(u64::from(lanes) <= shape.columns - first % shape.columns);
                for entry in first..first + u64::from(lanes) {
                    covered[entry as usize] += 1;
                }
            }
        }
        assert!(covered.iter().all(|times| *times == 1), "{shape:?}");
    }
}

#[test]
fn loops_are_counted_down_and_aligned() {
    let mut assembler = Assembler::new(Scalar::F64, false);
    assembler.zero(v(0));
    assembler.align();
    let again = assembler.label();
    assembler.count_down(Rsi, again);
    assembler.leave_at_once();
    let bytes = assembler.finish();
    assert_eq!(bytes.len(), 32 + 9 + 4);
    assert_eq!(bytes[5..9], [0x66, 0x66, 0x66, 0x90]);
    assert_eq!(bytes[29..32], [0x66, 0x66, 0x90]);
    // dec rsi; jnz -9; vzeroupper; ret
    let end = [
        0x48, 0xff, 0xce, 0x0f, 0x85, 0xf7, 0xff, 0xff, 0xff, 0xc5, 0xf8, 0x77, 0xc3,
    ];
    assert_eq!(bytes[32..], end);
}

/// Loads so many vectors and stores sums of them only then.
fn loads_then_stores(vectors: i32) -> Strip {
    let spot = |offset| Spot { pointer: 0, offset };
    let loads = (0..vectors).map(|number| Step::Load {
        from: spot(32 * number),
        is_wide: true,
    });
    let mut strip = Strip {
        pointers: vec![1024],
        inputs: 0,
        carried: Vec::new(),
        steps: loads.collect(),
    };
    for number in 0..vectors as usize {
        // Twice the same, which is no operand in memory.
        let sum = Step::Binary(Arithmetic::Add, number, number);
        strip.steps.push(sum);
        strip.steps.push(Step::Store {
            to: spot(32 * number as i32),
            value: strip.steps.len() - 1,
        });
    }
    strip
}

#[test]
fn what_sixteen_registers_do_not_hold_has_no_strip() {
    assert!(loads_then_stores(16).code().is_some());
    assert!(loads_then_stores(17).code().is_none());
    let mut many = loads_then_stores(1);
    many.pointers = vec![32; 8];
    assert!(many.code().is_none(), "addresses");
    let mut carrying = loads_then_stores(15);
    carrying
        .steps
        .iter_mut()
        .for_each(|step| *step = step.map(|value| value + 1));
    carrying.carried = vec![0];
    assert!(carrying.code().is_some());
    carrying.steps.insert(0, Step::Zeros);
    carrying
        .steps
        .iter_mut()
        .skip(1)
        .for_each(|step| *step = step.map(|value| value + 1));
    assert!(carrying.code().is_some(), "zeros that nothing uses");
}

#[test]
fn lines_that_are_only_stored_to_are_asked_for_ahead() {
    let prefetches = |strip: &Strip| {
        let code = strip.code().expect("few registers");
        let opcodes = code.windows(2).filter(|bytes| *bytes == [0x0f, 0x0d]);
        opcodes.count()
    };
    let loaded = loads_then_stores(1);
    assert_eq!(prefetches(&loaded), 0);
    let copied = |vectors, stride| {
        let mut copied = loads_then_stores(vectors);
        copied.pointers = vec![32 * vectors, stride];
        for step in &mut copied.steps {
            if let Step::Store { to, .. } = step {
                to.pointer = 1;
            }
        }
        prefetches(&copied)
    };
    assert_eq!(copied(3, 96), 2);
    // Not those that no trip stores to.
    assert_eq!(copied(3, 1 << 24), 2);
}
