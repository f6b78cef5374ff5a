//! `FORMAT.md` is enough: a reader and a writer made from it alone agree with the store.

mod support;

use parloop_cache::{Key, Table};
use support::*;

/// The text of a key, by the document.
fn text_of(key: &[u8; 32]) -> String {
    let alphabet = b"abcdefghijklmnopqrstuvwxyz234567";
    let bits: Vec<u8> = key
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |i| byte >> i & 1))
        .chain([0; 4])
        .collect();
    bits.chunks(5)
        .map(|five| alphabet[five.iter().fold(0, |n, bit| n * 2 + usize::from(*bit))] as char)
        .collect()
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .rev()
        .fold(0, |n, byte| n << 8 | usize::from(*byte))
}

fn secret_of(place: &Place) -> [u8; 32] {
    let secret = std::fs::read(place.root().join("secret")).unwrap();
    assert_eq!((secret.len(), &secret[..8]), (56, &b"parkey\x1a\x01"[..]));
    assert_eq!(secret[40..], blake3::hash(&secret[..40]).as_bytes()[..16]);
    secret[8..40].try_into().unwrap()
}

fn keyed_hash(file: &[u8], secret: &[u8; 32]) -> [u8; 32] {
    let n = file.len();
    let padding = vec![0; n.next_multiple_of(4096) - n];
    let hashed = [&file[..n - 48], &[0; 32], &file[n - 16..], &padding].concat();
    *blake3::keyed_hash(secret, &hashed).as_bytes()
}

#[test]
fn a_reader_made_from_the_document_reads_what_the_store_wrote() {
    let place = Place::new();
    let (store, _) = place.open();
    let k = key(5);
    publish(
        &store,
        Table::Shortcuts,
        &k,
        b"the payload",
        b"the preimage",
    );
    let text = text_of(k.as_bytes());
    let path = place
        .root()
        .join("v1/shortcuts")
        .join(&text[..2])
        .join(&text);
    let file = std::fs::read(path).unwrap();
    let t = &file[file.len() - 152..];
    assert_eq!(t[144..], *b"parloop\x1a");
    assert_eq!((number(&t[136..140]), number(&t[140..144])), (1, 152));
    let (payload, metadata) = (number(&t[..8]), number(&t[8..16]));
    assert_eq!(payload + metadata + 152, file.len());
    assert_eq!(file[..payload], *b"the payload");
    assert_eq!(
        (number(&t[16..24]), t[24], &t[25..40]),
        (500_000, 2, &[0; 15][..])
    );
    assert_eq!(
        (&t[40..72], &t[72..104]),
        (
            &k.as_bytes()[..],
            &blake3::hash(b"the preimage").as_bytes()[..]
        )
    );
    assert_eq!(t[104..136], keyed_hash(&file, &secret_of(&place)));

    let mut fields = &file[payload..payload + metadata];
    let mut read = Vec::new();
    while !fields.is_empty() {
        let len = number(&fields[4..8]);
        read.push((number(&fields[..4]), fields[8..8 + len].to_vec()));
        fields = &fields[8 + len..];
    }
    let text = |tag: usize| {
        read.iter()
            .find(|(t, _)| *t == tag)
            .map(|(_, bytes)| &bytes[..])
    };
    assert_eq!(text(1), Some(&b"the preimage"[..]));
    assert_eq!(text(2), Some(&b"fma"[..]));
    assert_eq!(
        (text(3), text(5)),
        (Some(&b"none"[..]), Some(&b"res_calc"[..]))
    );
    assert_eq!(text(6).map(<[u8]>::len), Some(8));
}

#[test]
fn the_store_reads_what_a_writer_made_from_the_document_wrote() {
    let place = Place::new();
    let (store, _) = place.open();
    let k = Key::new([0xc3; 32]);
    let preimage = b"all that was read";
    let mut file = b"\x7fELF and so on".to_vec();
    let payload = file.len() as u64;
    for (tag, bytes) in [(1u32, &preimage[..]), (77, b"of the future"), (5, b"label")] {
        file.extend(tag.to_le_bytes());
        file.extend((bytes.len() as u32).to_le_bytes());
        file.extend(bytes);
    }
    let metadata = file.len() as u64 - payload;
    file.extend(payload.to_le_bytes());
    file.extend(metadata.to_le_bytes());
    file.extend(9u64.to_le_bytes());
    file.push(1);
    file.extend([0; 15]);
    file.extend(k.as_bytes());
    file.extend(blake3::hash(preimage).as_bytes());
    file.extend([0; 32]);
    file.extend(1u32.to_le_bytes());
    file.extend(152u32.to_le_bytes());
    file.extend(b"parloop\x1a");
    let mac = keyed_hash(&file, &secret_of(&place));
    let n = file.len();
    file[n - 48..n - 16].copy_from_slice(&mac);
    let path = place.entry_path(Table::Objects, &k);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, file).unwrap();
    let entry = load(&store, Table::Objects, &k, preimage).unwrap();
    assert_eq!(entry.payload(), b"\x7fELF and so on");
    assert_eq!(entry.metadata().label, "label");
}
