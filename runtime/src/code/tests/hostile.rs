//! Damaged and hand-made objects.

use super::*;
use object::elf;
use std::time::{Duration, Instant};

/// Every damaged object is refused or loaded; both without harm.
fn survives(loader: &Loader, object: &[u8]) -> bool {
    loader.load(object).is_ok()
}

#[test]
fn an_object_cut_at_any_byte_is_refused() {
    let (loader, object) = (Loader::new(), object());
    for length in 0..object.len() {
        assert!(
            !survives(&loader, &object[..length]),
            "{length} of {} bytes",
            object.len()
        );
    }
}

#[test]
fn an_object_with_any_bit_flipped_is_refused_or_loaded_without_harm() {
    let (loader, mut object) = (Loader::new(), object());
    let (mut loaded, bits) = (0, object.len() * 8);
    for bit in 0..bits {
        object[bit / 8] ^= 1 << (bit % 8);
        loaded += usize::from(survives(&loader, &object));
        object[bit / 8] ^= 1 << (bit % 8);
    }
    // Flips in code, tables, names of sections and padding can't be seen here; those in the structure are refused.
    assert!(loaded < bits, "{loaded} of {bits}");
    assert!(survives(&loader, &object));
}

#[test]
fn an_object_at_any_alignment_is_loaded() {
    let (loader, object) = (Loader::new(), object());
    for offset in 0..8 {
        let mut shifted = vec![0; offset];
        shifted.extend_from_slice(&object);
        assert!(survives(&loader, &shifted[offset..]));
    }
}

/// A section header's number in the file, by what it is.
fn section(object: &[u8], kind: u32, flags: u64) -> usize {
    let found = (1..section_count(object)).find(|index| {
        let at = header_offset(object, *index);
        read::<4>(object, at + 4) == u64::from(kind) && read::<8>(object, at + 8) == flags
    });
    found.unwrap()
}

fn section_count(object: &[u8]) -> usize {
    read::<2>(object, 60) as usize
}

/// Where the header of a section lies.
fn header_offset(object: &[u8], index: usize) -> usize {
    read::<8>(object, 40) as usize + index * 64
}

pub(super) fn read<const N: usize>(object: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word[..N].copy_from_slice(&object[at..at + N]);
    u64::from_le_bytes(word)
}

pub(super) fn write<const N: usize>(object: &mut [u8], at: usize, value: u64) {
    object[at..at + N].copy_from_slice(&value.to_le_bytes()[..N]);
}

const CODE: (u32, u64) = (
    elf::SHT_PROGBITS,
    (elf::SHF_ALLOC | elf::SHF_EXECINSTR) as u64,
);
const DATA: (u32, u64) = (elf::SHT_PROGBITS, elf::SHF_ALLOC as u64);
pub(super) const RELOCATIONS: (u32, u64) = (elf::SHT_RELA, elf::SHF_INFO_LINK as u64);
pub(super) const SYMBOLS: (u32, u64) = (elf::SHT_SYMTAB, 0);

/// The header of the section of a kind.
pub(super) fn header_of(object: &[u8], (kind, flags): (u32, u64)) -> usize {
    header_offset(object, section(object, kind, flags))
}

/// Where the content of the section of a kind begins.
pub(super) fn content_of(object: &[u8], which: (u32, u64)) -> usize {
    read::<8>(object, header_of(object, which) + 24) as usize
}

/// Where symbol `name` lies.
pub(super) fn symbol(object: &[u8], name: &[u8]) -> usize {
    let header = header_of(object, SYMBOLS);
    let strings = header_offset(object, read::<4>(object, header + 40) as usize);
    let strings = read::<8>(object, strings + 24) as usize;
    let (start, size) = (
        read::<8>(object, header + 24) as usize,
        read::<8>(object, header + 32) as usize,
    );
    let mut symbols = (start..start + size).step_by(24);
    let named = |at: &usize| {
        let text = &object[strings + read::<4>(object, *at) as usize..];
        text.starts_with(name) && text[name.len()] == 0
    };
    symbols.find(named).unwrap()
}

/// Changes an object in one way, and says how the loader should answer.
fn refused(how: &str, code: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut object = object();
    change(&mut object);
    let error = Loader::new().load(&object).expect_err(how);
    assert_eq!(error.code(), code, "{how}: {error}");
}

#[test]
fn a_foreign_header_is_refused() {
    let cases: [(&str, usize, u8); 11] = [
        ("32 bits", 4, elf::ELFCLASS32),
        ("big-endian", 5, elf::ELFDATA2MSB),
        ("another version", 6, 2),
        ("another system", 7, elf::ELFOSABI_FREEBSD),
        ("padding", 12, 1),
        ("an executable", 16, elf::ET_EXEC as u8),
        ("a shared library", 16, elf::ET_DYN as u8),
        ("another machine", 18, elf::EM_RISCV as u8),
        ("an entry point", 24, 16),
        ("flags", 48, 1),
        ("program headers", 56, 1),
    ];
    for (how, at, value) in cases {
        refused(how, "load_header", |object| object[at] = value);
    }
}

#[test]
fn sections_that_loops_do_not_have_are_refused() {
    let field = |how: &str, which, field: usize, value: u64| {
        refused(how, "load_section", |object| {
            let at = header_of(object, which) + field;
            write::<8>(object, at, value);
        });
    };
    let flags = |flags: u32| u64::from(flags);
    field(
        "writable data",
        DATA,
        8,
        flags(elf::SHF_ALLOC | elf::SHF_WRITE),
    );
    field(
        "writable code",
        CODE,
        8,
        flags(elf::SHF_ALLOC | elf::SHF_EXECINSTR | elf::SHF_WRITE),
    );
    field(
        "thread-local data",
        DATA,
        8,
        flags(elf::SHF_ALLOC | elf::SHF_TLS),
    );
    field(
        "a second piece of code",
        DATA,
        8,
        flags(elf::SHF_ALLOC | elf::SHF_EXECINSTR),
    );
    field(
        "compressed data",
        DATA,
        8,
        flags(elf::SHF_ALLOC | elf::SHF_COMPRESSED),
    );
    field("an address", CODE, 16, 0x1000);
    field("bytes outside the file", CODE, 24, 1 << 40);
    field("a size beyond the file", DATA, 32, u64::MAX);
    field("an alignment that is no power of two", DATA, 48, 24);
    field("an alignment above a page", CODE, 48, 1 << 20);
    field("symbols of another size", SYMBOLS, 56, 16);
    field("relocations of another size", RELOCATIONS, 56, 16);
    let kind = |how: &str, which, kind: u32| {
        refused(how, "load_section", |object| {
            let at = header_of(object, which) + 4;
            write::<4>(object, at, u64::from(kind));
        });
    };
    kind("zeroed data", DATA, elf::SHT_NOBITS);
    kind("functions run at start", DATA, elf::SHT_INIT_ARRAY);
    kind("a dynamic section", DATA, elf::SHT_DYNAMIC);
    kind("relocations without addends", RELOCATIONS, elf::SHT_REL);
    kind("a group", RELOCATIONS, elf::SHT_GROUP);
    refused("relocations of data", "load_section", |object| {
        let data = section(object, DATA.0, DATA.1) as u64;
        let at = header_of(object, RELOCATIONS) + 44;
        write::<4>(object, at, data);
    });
    refused("relocations by another table", "load_section", |object| {
        let at = header_of(object, RELOCATIONS) + 40;
        write::<4>(object, at, 1);
    });
}

#[test]
fn too_many_sections_are_refused() {
    refused("a thousand sections", "load_header", |object| {
        let null = vec![0; 64 * 1000];
        let at = object.len().next_multiple_of(8);
        object.resize(at, 0);
        object.extend_from_slice(&null);
        write::<8>(object, 40, at as u64);
        write::<2>(object, 60, 1000);
        write::<2>(object, 62, 0);
    });
}

#[test]
fn symbols_that_loops_do_not_have_are_refused() {
    let entry = abi::ENTRY.as_bytes();
    let field = |how: &str, code: &str, name: &[u8], at: usize, byte: u8| {
        refused(how, code, |object| {
            let symbol = symbol(object, name);
            object[symbol + at] = byte;
        });
    };
    let info = |bind: u8, kind: u8| bind << 4 | kind;
    field(
        "a local loop function",
        "load_symbol",
        entry,
        4,
        info(elf::STB_LOCAL, elf::STT_FUNC),
    );
    field(
        "a weak loop function",
        "load_symbol",
        entry,
        4,
        info(elf::STB_WEAK, elf::STT_FUNC),
    );
    field(
        "a loop function that is not there",
        "load_unknown_host",
        entry,
        6,
        0,
    );
    refused("a loop function in the data", "load_symbol", |object| {
        let data = section(object, DATA.0, DATA.1) as u64;
        let symbol = symbol(object, entry);
        write::<2>(object, symbol + 6, data);
    });
    field(
        "a loop function that starts later",
        "load_symbol",
        entry,
        8,
        4,
    );
    field(
        "an indirect function",
        "load_symbol",
        entry,
        4,
        info(elf::STB_GLOBAL, elf::STT_GNU_IFUNC),
    );
    field("a shorter loop function", "load_symbol", entry, 16, 1);
    field(
        "a thread-local variable",
        "load_symbol",
        b"parloop_info",
        4,
        info(elf::STB_GLOBAL, elf::STT_TLS),
    );
    field(
        "an unusual visibility",
        "load_symbol",
        b"parloop_info",
        5,
        elf::STV_PROTECTED | 1,
    );
    field(
        "data outside its section",
        "load_symbol",
        b"parloop_info",
        10,
        1,
    );
    field("data of another size", "load_info", b"parloop_info", 16, 8);
    field(
        "a weak import",
        "load_symbol",
        b"exp",
        4,
        info(elf::STB_WEAK, elf::STT_NOTYPE),
    );
    field("an absolute address", "load_symbol", b"exp", 6, 0xf1);
}

#[test]
fn functions_outside_the_table_are_refused() {
    for name in ["dup", "err", "brk"] {
        refused(name, "load_unknown_host", |object| {
            let at = object.windows(5).position(|w| w == b"\0exp\0").unwrap();
            object[at + 1..at + 4].copy_from_slice(name.as_bytes());
        });
    }
}

#[test]
fn relocations_that_loops_do_not_have_are_refused() {
    let entry = |how: &str, at: usize, value: u64| {
        refused(how, "load_relocation", |object| {
            let first = content_of(object, RELOCATIONS);
            write::<8>(object, first + at, value);
        });
    };
    let (_, absolute) = (elf::R_X86_64_PC32, elf::R_X86_64_64);
    for (how, kind) in [
        ("relative", elf::R_X86_64_PC32),
        ("through a table", elf::R_X86_64_GOTPCREL),
        ("32 bits", elf::R_X86_64_32),
        ("a copy", elf::R_X86_64_COPY),
        ("none", elf::R_X86_64_NONE),
    ] {
        refused(how, "load_relocation", |object| {
            let first = content_of(object, RELOCATIONS);
            write::<4>(object, first + 8, u64::from(kind));
        });
    }
    entry("a place outside the code", 0, 1 << 20);
    entry("a place at the end of time", 0, u64::MAX - 3);
    entry("no symbol", 8, u64::from(absolute));
    entry(
        "a symbol that is not there",
        8,
        9999 << 32 | u64::from(absolute),
    );
    entry("an addend beyond the data", 16, 1 << 30);
    entry("a negative addend", 16, (-8i64) as u64);
    refused("the loop's own function", "load_relocation", |object| {
        let header = header_of(object, SYMBOLS);
        let entry = symbol(object, abi::ENTRY.as_bytes()) - read::<8>(object, header + 24) as usize;
        let first = content_of(object, RELOCATIONS);
        write::<8>(
            object,
            first + 8,
            ((entry / 24) as u64) << 32 | u64::from(absolute),
        );
    });
    refused("two in one place", "load_relocation", |object| {
        let first = content_of(object, RELOCATIONS);
        let place = read::<8>(object, first);
        write::<8>(object, first + 24, place + 4);
    });
}

#[test]
fn information_that_makes_no_sense_is_refused() {
    for (how, at, value) in [
        ("another version", 0, 99),
        ("not zero", 4, 1),
        ("a terabyte", 13, 1),
    ] {
        refused(how, "load_info", |object| {
            let symbol = symbol(object, b"parloop_info");
            let value_at = read::<8>(object, symbol + 8) as usize;
            let header = header_offset(object, read::<2>(object, symbol + 6) as usize);
            let data = read::<8>(object, header + 24) as usize;
            object[data + value_at + at] = value;
        });
    }
    refused("information by another name", "load_symbol", |object| {
        let at = object
            .windows(13)
            .position(|w| w == b"parloop_info\0")
            .unwrap();
        object[at..at + 12].copy_from_slice(b"parloop_inf\0");
    });
}

#[test]
fn an_object_of_enormous_size_is_refused_before_it_is_looked_at() {
    let object = vec![0u8; (64 << 20) + 1];
    let error = Loader::new().load(&object).unwrap_err();
    assert_eq!(error.code(), "load_too_large");
}

#[test]
fn row_s12_changed_objects_are_refused_or_loaded_without_harm() {
    let loader = Loader::new();
    let asked = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let seconds = asked("PARLOOP_FUZZ_SECONDS").unwrap_or(0);
    let until = Instant::now() + Duration::from_secs(seconds);
    // The suite damages it in the same ways each time, a longer run in others.
    let fresh = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let given = asked("PARLOOP_FUZZ_SEED");
    let seed = given.unwrap_or(if seconds > 0 { fresh } else { 0 });
    let mut state = 0x2545_F491_4F6C_DD1Du64 ^ seed;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    };
    let objects = [object(), two_updates(Level::V3)];
    let (mut rounds, mut loaded) = (0u64, 0u64);
    while rounds < 20_000 || Instant::now() < until {
        let mut damaged = objects[draw(objects.len())].clone();
        for _ in 0..1 + draw(3) {
            let at = draw(damaged.len());
            let word = damaged[at..].first_chunk::<8>().copied();
            match (draw(8), word) {
                // An offset, a size or a number at the end of its range, or that of another place.
                (0, Some(_)) => {
                    let ends = [0, 1, 7, 1 << 31, 1 << 32, 1 << 63, u64::MAX - 7, u64::MAX];
                    write::<8>(&mut damaged, at & !7, ends[draw(8)]);
                }
                (1, Some(word)) => {
                    let to = draw(damaged.len() - 7) & !7;
                    damaged[to..to + 8].copy_from_slice(&word);
                }
                (2, _) if draw(16) == 0 => damaged.truncate(at + 1),
                _ => damaged[at] = draw(256) as u8,
            }
        }
        loaded += u64::from(survives(&loader, &damaged));
        rounds += 1;
    }
    // Flips in code and tables can't be seen here.
    assert!(0 < loaded && loaded < rounds, "{loaded} of {rounds}");
    told(seed, rounds, loaded);
}

#[expect(
    clippy::print_stderr,
    reason = "a run that was asked for says how far it came"
)]
fn told(seed: u64, rounds: u64, loaded: u64) {
    eprintln!("object: seed {seed}, {rounds} cases, {loaded} loaded");
}
