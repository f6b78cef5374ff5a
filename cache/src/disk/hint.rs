//! Small files of numbers that processes add to: the form of all hints but the use counters.
//!
//! Invariant: a hint is only ever a hint. What is missing, damaged or of another length reads as `None`; a lock that
//! can't be had costs an addition, not a wait; what is no file is replaced by one. Form: `magic | N x u64 | first 8 bytes of the BLAKE3 hash of those`.

use crate::disk::path;
use crate::disk::sys::Sys;
use crate::disk::tree::Tree;
use rustix::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(1);
const WORD: usize = 8;

/// A hint file of `N` numbers, open and, where locks work, locked until it is dropped.
pub(crate) struct HintFile<const N: usize> {
    sys: Sys,
    file: OwnedFd,
    magic: [u8; WORD],
}

impl<const N: usize> Drop for HintFile<N> {
    fn drop(&mut self) {
        // A child forked meanwhile holds the same lock open: closing alone would not give it up.
        self.sys.unlock(&self.file);
    }
}

impl<const N: usize> HintFile<N> {
    /// Opens and locks the file, made if missing; `None` if another process keeps the lock.
    pub(crate) fn open(tree: &Tree, at: &str, magic: [u8; WORD]) -> io::Result<Option<Self>> {
        let file = tree.open_file(path::VERSION_DIR, at)?;
        for _ in 0..LOCK_TRIES {
            // Without locks an addition may be lost.
            if tree.sys.try_lock(&file).unwrap_or(true) {
                let sys = tree.sys.clone();
                return Ok(Some(Self { sys, file, magic }));
            }
            std::thread::sleep(LOCK_PAUSE);
        }
        Ok(None)
    }

    /// The numbers, if the file holds sound ones.
    pub(crate) fn read(&self, tree: &Tree) -> Option<[u64; N]> {
        let bytes = tree.sys.read_up_to(&self.file, len::<N>()).ok()?;
        decode(&bytes, self.magic)
    }

    pub(crate) fn write(&self, tree: &Tree, numbers: [u64; N]) -> io::Result<()> {
        let bytes = encode(numbers, self.magic);
        tree.sys.write_at(&self.file, &bytes, 0)
    }

    /// When it was last written, by the clock of the file system.
    pub(crate) fn written_unix_s(&self, tree: &Tree) -> io::Result<i64> {
        let facts = tree.sys.facts(&self.file)?;
        Ok(facts.modified_unix_s)
    }
}

/// The numbers of a file, read without a lock and without making it: they may be torn, and then are none.
pub(crate) fn peek<const N: usize>(tree: &Tree, at: &str, magic: [u8; WORD]) -> Option<[u64; N]> {
    let fd = tree.sys.open_read(tree.root(), at).ok()?;
    let bytes = tree.sys.read_up_to(&fd, len::<N>()).ok()?;
    decode(&bytes, magic)
}

const fn len<const N: usize>() -> usize {
    WORD * (N + 2)
}

fn encode<const N: usize>(numbers: [u64; N], magic: [u8; WORD]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len::<N>());
    bytes.extend_from_slice(&magic);
    for number in numbers {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    let check = blake3::hash(&bytes);
    bytes.extend_from_slice(&check.as_bytes()[..WORD]);
    bytes
}

fn decode<const N: usize>(bytes: &[u8], magic: [u8; WORD]) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    for (number, word) in numbers
        .iter_mut()
        .zip(bytes.as_chunks::<WORD>().0.iter().skip(1))
    {
        *number = u64::from_le_bytes(*word);
    }
    (encode(numbers, magic) == bytes).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_41_damaged_hints_are_not_believed() {
        let magic = *b"paruse\x1a\x01";
        let good = encode([3, 4096, 1], magic);
        assert_eq!(good.len(), 40);
        assert_eq!(decode(&good, magic), Some([3, 4096, 1]));
        assert_eq!(decode::<2>(&good, magic), None);
        for len in 0..good.len() {
            assert_eq!(decode::<3>(&good[..len], magic), None, "{len} bytes");
        }
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode::<3>(&bad, magic), None, "bit {bit}");
        }
    }
}
