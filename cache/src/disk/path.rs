//! Every name in the directory is made here, relative to the root, and recognised here.
//!
//! ```text
//! <root>/secret                                 the key of the keyed hash
//!       /v1/objects/<2>/<52>[-1 .. -3]          entries, by the first two characters of the key
//!       /v1/shortcuts/<2>/<52>[-1 .. -3]
//!       /v1/locks/<2>                           lock files of the single flight
//!       /v1/tmp/<16>                            files being written
//!       /v1/usage, /v1/uses, /v1/stats           hints: totals, uses of entries, counts for people
//!       /v1/unused                               hint: on how many days trees of other versions were seen unused
//! ```
//!
//! Invariant: names are fixed-length lower-case base32 below 64 characters; nothing that `clear` or the collector
//! removes fails to be recognised by [`parse_entry`] or [`is_temp`].

use crate::disk::Table;
use crate::key::{KEY_TEXT_LEN, Key};

/// Names an entry may take: the plain one, and alternates for preimages that share a digest.
pub(crate) const SLOTS: u8 = 4;
/// Length of a shard's name.
pub(crate) const SHARD_LEN: usize = 2;
const TEMP_LEN: usize = 16;

pub(crate) const SECRET: &str = "secret";
pub(crate) const VERSION_DIR: &str = "v1";
pub(crate) const LOCKS_DIR: &str = "v1/locks";
pub(crate) const TEMP_DIR: &str = "v1/tmp";
pub(crate) const USAGE: &str = "v1/usage";
pub(crate) const USES: &str = "v1/uses";
pub(crate) const STATS: &str = "v1/stats";
pub(crate) const UNUSED: &str = "v1/unused";
/// All hints.
pub(crate) const HINTS: [&str; 4] = [USAGE, USES, STATS, UNUSED];

/// The name of a table's directory in the tree of any version.
pub(crate) fn table_name(table: Table) -> &'static str {
    match table {
        Table::Objects => "objects",
        Table::Shortcuts => "shortcuts",
    }
}

/// The directory of a table.
pub(crate) fn table_dir(table: Table) -> &'static str {
    match table {
        Table::Objects => "v1/objects",
        Table::Shortcuts => "v1/shortcuts",
    }
}

/// The directory that an entry lies in.
pub(crate) fn shard_dir(table: Table, key: &Key) -> String {
    shard_dir_named(table, &key.to_string()[..SHARD_LEN])
}

/// A shard's directory by the shard's name.
pub(crate) fn shard_dir_named(table: Table, shard: &str) -> String {
    format!("{}/{shard}", table_dir(table))
}

/// The path of an entry.
pub(crate) fn entry(table: Table, key: &Key, slot: u8) -> String {
    let text = key.text();
    let text = std::str::from_utf8(&text).unwrap_or_default();
    let mut path = String::with_capacity(80);
    path.push_str(table_dir(table));
    path.push('/');
    path.push_str(&text[..SHARD_LEN]);
    path.push('/');
    path.push_str(text);
    if slot > 0 {
        path.push('-');
        path.push(char::from(b'0' + slot));
    }
    path
}

/// The key and slot that a file name in a shard stands for, if it is one of ours.
pub(crate) fn parse_entry(name: &str) -> Option<(Key, u8)> {
    let (text, rest) = name.split_at_checked(KEY_TEXT_LEN)?;
    let key = text.parse().ok()?;
    match rest.as_bytes() {
        [] => Some((key, 0)),
        [b'-', digit @ b'1'..=b'9'] if digit - b'0' < SLOTS => Some((key, digit - b'0')),
        _ => None,
    }
}

/// The lock file for a key.
pub(crate) fn lock(key: &Key) -> String {
    format!("{LOCKS_DIR}/{}", &key.to_string()[..SHARD_LEN])
}

/// The last component of a path.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Whether a name in the root is that of another format version's tree: `v` and a number without leading zeros.
pub(crate) fn is_other_version(name: &str) -> bool {
    let number = name.strip_prefix('v').unwrap_or_default();
    let digits = !number.is_empty() && number.len() <= 9 && !number.starts_with('0');
    digits && number.bytes().all(|c| c.is_ascii_digit()) && name != VERSION_DIR
}

/// Whether a name could be a shard's or a lock file's.
pub(crate) fn is_shard(name: &str) -> bool {
    name.len() == SHARD_LEN && is_base32(name)
}

/// The path of a temporary file made from random bytes.
pub(crate) fn temp(random: [u8; 10]) -> String {
    let mut bytes = [0; 32];
    bytes[..10].copy_from_slice(&random);
    format!("{TEMP_DIR}/{}", &Key::new(bytes).to_string()[..TEMP_LEN])
}

/// Whether a name in the temporary directory is one of ours.
pub(crate) fn is_temp(name: &str) -> bool {
    name.len() == TEMP_LEN && is_base32(name)
}

fn is_base32(name: &str) -> bool {
    name.bytes().all(|c| matches!(c, b'a'..=b'z' | b'2'..=b'7'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_42_names_are_lower_case_base32_below_64_characters_and_are_recognised() {
        let key = Key::new([0xa5; 32]);
        for slot in 0..SLOTS {
            let path = entry(Table::Objects, &key, slot);
            let name = path.rsplit('/').next().unwrap();
            assert!(name.len() < 64);
            assert!(
                name.bytes()
                    .all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-')),
                "{name}"
            );
            assert_eq!(parse_entry(name), Some((key, slot)));
            assert!(path.starts_with(&shard_dir(Table::Objects, &key)));
        }
        assert!(is_temp(temp([9; 10]).rsplit('/').next().unwrap()));
        assert!(is_shard(lock(&key).rsplit('/').next().unwrap()));
    }

    #[test]
    fn a_name_that_is_not_ours_is_not_recognised() {
        let text = Key::new([1; 32]).to_string();
        for name in [
            "",
            "readme",
            &text[1..],
            &format!("{text}-0"),
            &format!("{text}-4"),
            &format!("{text}.o"),
        ] {
            assert_eq!(parse_entry(name), None, "{name}");
        }
        assert!(!is_shard("..") && !is_shard("a") && !is_temp("aaaaaaaaaaaaaa.."));
        assert!(is_other_version("v2") && is_other_version("v10"));
        assert!(
            ["v1", "v", "v02", "v2x", "v-2", "2", "w2", "v0"]
                .iter()
                .all(|n| !is_other_version(n))
        );
    }
}
