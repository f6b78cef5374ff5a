//! What the memory of code promises: writable first, executable then, never both; given back once; an error where there is none.
//! Images are made by hand here, so that they can be of any size. None is run.

use super::super::memory::Draft;
use super::super::object::{Part, Relocation, Target};
use super::*;

/// The permissions of the mapping that holds an address, if any does.
pub(super) fn permissions(address: usize) -> Option<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let holds = |line: &&str| {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let bound = |text| usize::from_str_radix(text, 16).unwrap();
        (bound(start)..bound(end)).contains(&address)
    };
    let line = maps.lines().find(holds)?;
    Some(line.split(' ').nth(1).unwrap().to_owned())
}

/// What lies at an address that the caller keeps mapped.
pub(super) fn bytes_at<'a>(address: usize, len: usize) -> &'a [u8] {
    // SAFETY: callers ask for what they have just linked and still hold, and nobody writes there.
    unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance(address), len) }
}

fn image<'a>(code: &'a [u8], data: &[(&'a [u8], u64)], relocations: &[(u32, Target)]) -> Image<'a> {
    let part = |(bytes, alignment)| Part { bytes, alignment };
    let relocation = |&(offset, target)| Relocation { offset, target };
    Image {
        code: part((code, 16)),
        data: data.iter().copied().map(part).collect(),
        imports: Vec::new(),
        relocations: relocations.iter().map(relocation).collect(),
        scratch_bytes: 0,
    }
}

#[test]
fn memory_is_writable_or_executable_and_never_both() {
    let mut draft = Draft::new(100).unwrap();
    let address = draft.address();
    assert_eq!(permissions(address).unwrap(), "rw-p");
    draft.bytes().fill(7);
    let memory = draft.finish(100).unwrap();
    assert_eq!(memory.code_range(), (address, 100));
    assert_eq!(permissions(address).unwrap(), "r-xp");
    assert_eq!(bytes_at(address, 100), [7; 100]);
}

#[test]
fn memory_is_given_back_whether_it_became_code_or_not() {
    // So large that whoever maps something meanwhile most likely finds another place; tried again if not.
    const BYTES: usize = 64 << 20;
    let gone = |finish: bool| {
        let draft = Draft::new(BYTES).unwrap();
        let middle = draft.address() + BYTES / 2;
        match finish {
            true => drop(draft.finish(1).unwrap()),
            false => drop(draft),
        }
        permissions(middle).is_none()
    };
    for finish in [false, true] {
        assert!((0..10).any(|_| gone(finish)), "{finish}");
    }
}

#[test]
fn memory_that_can_not_be_had_is_an_error() {
    for bytes in [1 << 60, isize::MAX as usize, usize::MAX] {
        let refused = Draft::new(bytes).err().unwrap();
        assert_eq!(refused.code(), "load_map");
    }
}

#[test]
fn parts_lie_where_their_alignment_wants_them_and_relocations_lead_to_them() {
    let code: Vec<u8> = (0..100).collect();
    let (word, page, odd) = ([1u8; 8], [2u8; 4096], [3u8; 13]);
    let data: [(&[u8], u64); 4] = [(&odd, 1), (&word, 8), (&page, 4096), (&odd, 256)];
    let relocations: Vec<(u32, Target)> = (0..4)
        .map(|part| {
            let offset = part as u32;
            (8 + 20 * offset, Target::Data { part, offset })
        })
        .collect();
    let image = image(&code, &data, &relocations);
    let memory = CraneliftLinker.link(&image).unwrap();
    let (start, bytes) = memory.code_range();
    assert_eq!((start % 4096, bytes), (0, 100));
    let linked = bytes_at(start, 100);
    let mut end = start + 100;
    for (n, (bytes, alignment)) in data.iter().enumerate() {
        let at = 8 + 20 * n;
        assert_eq!(linked[at - 8..at], code[at - 8..at]);
        let address = u64::from_ne_bytes(linked[at..at + 8].try_into().unwrap()) as usize - n;
        assert!(address.is_multiple_of(*alignment as usize), "part {n}");
        assert!(address >= end, "part {n} overlaps what is before it");
        assert_eq!(&bytes_at(address, bytes.len()), bytes, "part {n}");
        end = address + bytes.len();
    }
}

#[test]
fn an_import_is_the_address_in_the_table() {
    let hosts = HostTable::with_math();
    let mut image = image(&[0; 32], &[], &[(3, Target::Import(1))]);
    image.imports = ["exp", "sin"].map(|name| hosts.find(name).unwrap()).into();
    let memory = CraneliftLinker.link(&image).unwrap();
    let linked = bytes_at(memory.code_range().0, 32);
    let address = image.imports[1].1.pointer().addr() as u64;
    assert_eq!(linked[3..11], address.to_ne_bytes());
    assert!(linked[..3].iter().chain(&linked[11..]).all(|b| *b == 0));
}

#[test]
fn images_of_any_size_and_number_are_mapped_side_by_side() {
    let large: Vec<u8> = (0..20u32 << 20).map(|i| (i % 251) as u8).collect();
    let whole = image(&large, &[(&large, 4096)], &[]);
    let kept = CraneliftLinker.link(&whole).unwrap();
    assert!(bytes_at(kept.code_range().0, large.len()) == large);
    let many: Vec<_> = (1..3000)
        .map(|len| {
            (
                len,
                CraneliftLinker
                    .link(&image(&large[..len], &[], &[]))
                    .unwrap(),
            )
        })
        .collect();
    let mut ends: Vec<_> = many.iter().map(|(_, memory)| memory.code_range()).collect();
    ends.sort_unstable();
    assert!(
        ends.windows(2)
            .all(|pair| pair[0].0 + pair[0].1 <= pair[1].0)
    );
    for (len, memory) in &many {
        assert_eq!(bytes_at(memory.code_range().0, *len), &large[..*len]);
    }
}
