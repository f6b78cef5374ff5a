//! Keys: opaque 256-bit names, and how they are written.
//!
//! Invariant: a key's text is always 52 characters of lower-case base32 (RFC 4648 alphabet, no padding), so it is a valid
//! file name on every file system, case-insensitive ones included, and two keys never share a text. What a key is the
//! digest of is the caller's affair; nothing here can make one from an object's identity.

use std::fmt;
use std::str::FromStr;

/// Length in characters of a key's text.
pub(crate) const KEY_TEXT_LEN: usize = 52;
/// Length in bytes of a key.
pub(crate) const KEY_LEN: usize = 32;

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// An opaque 256-bit key: a fingerprint, or the hash that a shortcut is kept under.
///
/// `Display` writes 52 lower-case base32 characters; `FromStr` reads exactly those.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; KEY_LEN]);

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text does not have 52 characters.
    #[error("a key has 52 characters, this has {found}")]
    Length {
        /// Number of bytes in the text.
        found: usize,
    },
    /// A character is outside `a-z2-7`, or the last one has bits that no key sets.
    #[error("character {index} can not stand in a key")]
    Character {
        /// Index of the character, from zero.
        index: usize,
    },
}

impl Key {
    /// A key of these bytes.
    pub const fn new(bytes: [u8; KEY_LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes of the key.
    pub const fn as_bytes(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// Whether the key's text begins with `prefix` (case matters; the empty prefix matches every key).
    pub fn has_prefix(&self, prefix: &str) -> bool {
        self.text().starts_with(prefix.as_bytes())
    }

    /// The key's text as ASCII bytes.
    pub(crate) fn text(&self) -> [u8; KEY_TEXT_LEN] {
        let mut out = [0; KEY_TEXT_LEN];
        for (i, c) in out.iter_mut().enumerate() {
            *c = ALPHABET[usize::from(five_bits(&self.0, i))];
        }
        out
    }
}

/// The `i`-th group of five bits, most significant first; bits past the end are zero.
fn five_bits(bytes: &[u8; KEY_LEN], i: usize) -> u8 {
    let bit = i * 5;
    let high = u16::from(bytes[bit / 8]) << 8;
    let low = bytes.get(bit / 8 + 1).map_or(0, |b| u16::from(*b));
    (((high | low) >> (11 - bit % 8)) & 31) as u8
}

fn digit(c: u8) -> Option<u8> {
    match c {
        b'a'..=b'z' => Some(c - b'a'),
        b'2'..=b'7' => Some(c - b'2' + 26),
        _ => None,
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(s: &str) -> Result<Self, KeyError> {
        if s.len() != KEY_TEXT_LEN {
            return Err(KeyError::Length { found: s.len() });
        }
        let mut bytes = [0u8; KEY_LEN];
        let mut window = 0u32;
        let mut bits = 0;
        let mut at = 0;
        for (index, c) in s.bytes().enumerate() {
            let value = digit(c).ok_or(KeyError::Character { index })?;
            window = (window << 5) | u32::from(value);
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes[at] = (window >> bits) as u8;
                window &= (1 << bits) - 1;
                at += 1;
            }
        }
        // 52 characters carry 260 bits; the last four must be zero, so that a key has one text.
        if window != 0 {
            return Err(KeyError::Character {
                index: KEY_TEXT_LEN - 1,
            });
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text()
            .iter()
            .try_for_each(|c| fmt::Write::write_char(f, char::from(*c)))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_key_is_read_back_from_its_text(bytes: [u8; 32]) {
            let key = Key::new(bytes);
            let text = key.to_string();
            prop_assert_eq!(text.len(), KEY_TEXT_LEN);
            prop_assert_eq!(text.parse::<Key>(), Ok(key));
            prop_assert!(key.has_prefix(&text[..7]));
        }
    }

    #[test]
    fn a_text_that_no_key_writes_is_refused() {
        let good = Key::new([7; 32]).to_string();
        assert_eq!("abc".parse::<Key>(), Err(KeyError::Length { found: 3 }));
        assert_eq!(
            good.to_uppercase().parse::<Key>(),
            Err(KeyError::Character { index: 0 })
        );
        let unused_bits = format!("{}b", &good[..51]);
        assert_eq!(
            unused_bits.parse::<Key>(),
            Err(KeyError::Character { index: 51 })
        );
    }
}
