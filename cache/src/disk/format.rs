//! The file format: every offset and constant, and how a file is written and checked. `FORMAT.md` says it in prose.
//!
//! A file is `payload | metadata | trailer`. Invariant: nothing is parsed before the trailer's keyed hash, which covers
//! every byte of the file but itself, has been verified; lengths are checked against the file before they are used.
//! Where files lie and who may own them is left to other modules.

use crate::disk::Table;
use crate::disk::metadata;
use crate::error::Miss;
use crate::key::{KEY_LEN, Key};
use std::ops::Range;

/// Version of the file format, and of the tree that files lie in.
pub(crate) const FORMAT_VERSION: u32 = 1;
/// The last bytes of every file, of every version.
pub(crate) const MAGIC: [u8; 8] = *b"parloop\x1a";

/// Length of the trailer, and the offsets in it, all from its start; integers are little-endian.
pub(crate) const TRAILER_LEN: usize = 152;
pub(crate) const PAYLOAD_LEN_AT: usize = 0; // u64
pub(crate) const METADATA_LEN_AT: usize = 8; // u64
pub(crate) const COST_AT: usize = 16; // u64, nanoseconds
pub(crate) const TABLE_AT: usize = 24; // u8
pub(crate) const RESERVED_AT: usize = 25; // 15 zero bytes
pub(crate) const KEY_AT: usize = 40; // 32 bytes
pub(crate) const PREIMAGE_DIGEST_AT: usize = 72; // 32 bytes
pub(crate) const MAC_AT: usize = 104; // 32 bytes
pub(crate) const VERSION_AT: usize = 136; // u32
pub(crate) const TRAILER_LEN_AT: usize = 140; // u32
pub(crate) const MAGIC_AT: usize = 144; // 8 bytes

/// Length of the keyed hash.
pub(crate) const MAC_LEN: usize = 32;
/// What is hashed is as long as a multiple of this. BLAKE3 hashes several pieces of 1 KiB side by side: fifteen and a part of one
/// take it twice as long as sixteen.
const HASHED_BLOCK: usize = 4096;

/// A trailer, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) payload_len: u64,
    pub(crate) metadata_len: u64,
    pub(crate) cost_ns: u64,
    pub(crate) table: u8,
    pub(crate) key: Key,
    pub(crate) preimage_digest: [u8; 32],
    pub(crate) mac: [u8; MAC_LEN],
}

/// Where the parts of a verified file lie in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) trailer: Trailer,
    pub(crate) payload: Range<usize>,
    pub(crate) metadata: Range<usize>,
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

impl Trailer {
    /// Decodes a trailer of this version; nothing in it is to be believed yet.
    pub(crate) fn decode(raw: &[u8; TRAILER_LEN]) -> Result<Self, Miss> {
        if raw[MAGIC_AT..] != MAGIC {
            return Err(Miss::BadMagic);
        }
        if u32::from_le_bytes(bytes_at(raw, VERSION_AT)) != FORMAT_VERSION {
            return Err(Miss::Version);
        }
        Ok(Self {
            payload_len: u64::from_le_bytes(bytes_at(raw, PAYLOAD_LEN_AT)),
            metadata_len: u64::from_le_bytes(bytes_at(raw, METADATA_LEN_AT)),
            cost_ns: u64::from_le_bytes(bytes_at(raw, COST_AT)),
            table: raw[TABLE_AT],
            key: Key::new(bytes_at::<KEY_LEN>(raw, KEY_AT)),
            preimage_digest: bytes_at(raw, PREIMAGE_DIGEST_AT),
            mac: bytes_at(raw, MAC_AT),
        })
    }
}

/// What a file is to contain.
pub(crate) struct Content<'a> {
    pub(crate) table: Table,
    pub(crate) key: &'a Key,
    pub(crate) payload: &'a [u8],
    pub(crate) metadata: &'a [u8],
    pub(crate) preimage_digest: [u8; 32],
    pub(crate) cost_ns: u64,
}

/// The bytes of a file, trailer and keyed hash included.
pub(crate) fn encode(content: &Content<'_>, secret: &[u8; 32]) -> Vec<u8> {
    let body = content.payload.len() + content.metadata.len();
    let mut file = Vec::with_capacity(capacity(body + TRAILER_LEN));
    file.extend_from_slice(content.payload);
    file.extend_from_slice(content.metadata);
    file.resize(body + TRAILER_LEN, 0);
    let trailer = &mut file[body..];
    let mut put = |at: usize, bytes: &[u8]| trailer[at..at + bytes.len()].copy_from_slice(bytes);
    put(
        PAYLOAD_LEN_AT,
        &(content.payload.len() as u64).to_le_bytes(),
    );
    put(
        METADATA_LEN_AT,
        &(content.metadata.len() as u64).to_le_bytes(),
    );
    put(COST_AT, &content.cost_ns.to_le_bytes());
    put(TABLE_AT, &[content.table.code()]);
    put(RESERVED_AT, &[0; KEY_AT - RESERVED_AT]);
    put(KEY_AT, content.key.as_bytes());
    put(PREIMAGE_DIGEST_AT, &content.preimage_digest);
    put(VERSION_AT, &FORMAT_VERSION.to_le_bytes());
    put(TRAILER_LEN_AT, &(TRAILER_LEN as u32).to_le_bytes());
    put(MAGIC_AT, &MAGIC);
    let mac = keyed_hash(&mut file, body + MAC_AT, secret);
    file[body + MAC_AT..][..MAC_LEN].copy_from_slice(mac.as_bytes());
    file
}

/// Room for a file of so many bytes that [`verify`] will not have to enlarge.
pub(crate) fn capacity(file_bytes: usize) -> usize {
    file_bytes.next_multiple_of(HASHED_BLOCK)
}

/// The keyed hash of a file whose own hash, at `mac_at`, counts as zero, and zeros up to a whole block. No two files give the
/// same bytes: a file does not end in zeros, but in [`MAGIC`]. The file is as it was afterwards.
fn keyed_hash(file: &mut Vec<u8>, mac_at: usize, secret: &[u8; 32]) -> blake3::Hash {
    let len = file.len();
    let own: [u8; MAC_LEN] = bytes_at(file, mac_at);
    file[mac_at..][..MAC_LEN].fill(0);
    file.resize(capacity(len), 0);
    let hash = blake3::keyed_hash(secret, file);
    file.truncate(len);
    file[mac_at..][..MAC_LEN].copy_from_slice(&own);
    hash
}

/// Checks form, lengths and keyed hash of a whole file, which is left as it was; not yet that it is the file that was asked for.
pub(crate) fn verify(file: &mut Vec<u8>, secret: &[u8; 32]) -> Result<Verified, Miss> {
    let (body, raw) = file
        .split_last_chunk::<TRAILER_LEN>()
        .ok_or(Miss::Truncated)?;
    let trailer = Trailer::decode(raw)?;
    let body = body.len();
    let body_len = body as u64;
    if trailer.payload_len.checked_add(trailer.metadata_len) != Some(body_len) {
        return Err(Miss::BadLengths);
    }
    let mac = keyed_hash(file, body + MAC_AT, secret);
    // `blake3::Hash` compares in constant time.
    if mac != blake3::Hash::from_bytes(trailer.mac) {
        return Err(Miss::BadMac);
    }
    // No overflow: the sum is the length of a slice.
    let split = trailer.payload_len as usize;
    Ok(Verified {
        trailer,
        payload: 0..split,
        metadata: split..body,
    })
}

impl Verified {
    /// Whether this is the file that was asked for.
    pub(crate) fn matches(&self, table: Table, key: &Key) -> Result<(), Miss> {
        if self.trailer.table != table.code() {
            return Err(Miss::WrongTable);
        }
        if self.trailer.key != *key {
            return Err(Miss::WrongKey);
        }
        Ok(())
    }

    /// The metadata, parsed.
    pub(crate) fn metadata<'a>(&self, file: &'a [u8]) -> Result<metadata::View<'a>, Miss> {
        metadata::View::parse(&file[self.metadata.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::metadata::Metadata;
    use proptest::prelude::*;

    const SECRET: [u8; 32] = [9; 32];

    fn sample() -> Vec<u8> {
        let metadata = Metadata::default().encode(b"preimage");
        let content = Content {
            table: Table::Objects,
            key: &Key::new([3; 32]),
            payload: b"payload",
            metadata: &metadata,
            preimage_digest: [4; 32],
            cost_ns: 5,
        };
        encode(&content, &SECRET)
    }

    #[test]
    fn the_offsets_of_the_trailer_follow_each_other_without_gaps() {
        let offsets = [
            (PAYLOAD_LEN_AT, 8),
            (METADATA_LEN_AT, 8),
            (COST_AT, 8),
            (TABLE_AT, 1),
            (RESERVED_AT, 15),
            (KEY_AT, KEY_LEN),
            (PREIMAGE_DIGEST_AT, 32),
            (MAC_AT, MAC_LEN),
            (VERSION_AT, 4),
            (TRAILER_LEN_AT, 4),
            (MAGIC_AT, 8),
        ];
        let end = offsets.iter().fold(0, |at, (offset, len)| {
            assert_eq!(*offset, at);
            at + len
        });
        assert_eq!(end, TRAILER_LEN);
    }

    proptest! {
        #[test]
        fn row_s12_no_bytes_make_the_reader_panic(mut file: Vec<u8>) {
            prop_assert!(verify(&mut file, &SECRET).is_err());
        }

        #[test]
        fn row_s12_no_body_with_a_genuine_hash_makes_the_reader_panic(
            body in prop::collection::vec(any::<u8>(), 0..300),
            payload_len in 0u64..310,
            trailer: [u8; 32],
        ) {
            let mut file = [&body[..], &sample()[sample().len() - TRAILER_LEN..]].concat();
            let at = body.len();
            file[at..at + 8].copy_from_slice(&payload_len.to_le_bytes());
            let rest = (body.len() as u64).wrapping_sub(payload_len);
            file[at + 8..at + 16].copy_from_slice(&rest.to_le_bytes());
            file[at + 16..at + 48].copy_from_slice(&trailer);
            let mac = keyed_hash(&mut file, at + MAC_AT, &SECRET);
            file[at + MAC_AT..at + MAC_AT + MAC_LEN].copy_from_slice(mac.as_bytes());
            if let Ok(parts) = verify(&mut file, &SECRET)
                && let Ok(view) = parts.metadata(&file)
            {
                view.to_metadata(0);
            }
        }
    }
}
