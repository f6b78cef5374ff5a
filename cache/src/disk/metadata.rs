//! Metadata: what an entry says of itself, as a list of `tag u32 | length u32 | bytes`.
//!
//! Invariants: parsing never allocates more than a view of the bytes, never panics, and skips tags it does not know, so
//! that fields can be added within a format version. What is printed of it is escaped where it is printed.

use crate::error::Miss;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) const TAG_PREIMAGE: u32 = 1;
pub(crate) const TAG_FEATURE: u32 = 2;
pub(crate) const TAG_GENERATOR: u32 = 3;
pub(crate) const TAG_PRODUCER: u32 = 4;
pub(crate) const TAG_LABEL: u32 = 5;
pub(crate) const TAG_CREATED: u32 = 6;

/// What an entry says of itself besides its preimage and payload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// CPU features the payload needs, by the names that the caller's `host_has` knows. None may be empty.
    pub features: Vec<String>,
    /// Name of the code generator.
    pub generator: String,
    /// Version and build of the program that wrote the entry.
    pub producer: String,
    /// What the payload was made from, for people: a kernel's name. Never part of a key.
    pub label: String,
    /// How long the payload took to make: what a hit saves.
    pub compile_time: Duration,
    /// When the entry was made, in seconds since 1970; zero asks [`publish`](crate::Store::publish) to fill it in.
    pub created_unix_s: u64,
}

impl Metadata {
    /// The label with control characters, quotes and backslashes escaped: fit for a terminal or a log.
    pub fn label_escaped(&self) -> String {
        escaped(&self.label)
    }

    /// The bytes of the metadata section.
    pub(crate) fn encode(&self, preimage: &[u8]) -> Vec<u8> {
        // Destructured, so that a new field does not compile until it is written or ruled out.
        let Self {
            features,
            generator,
            producer,
            label,
            compile_time: _in_trailer,
            created_unix_s,
        } = self;
        let mut out = Vec::with_capacity(preimage.len() + 128);
        let mut put = |tag: u32, bytes: &[u8]| {
            // Longer values do not fit the length field; the store's cap on an entry is far below.
            let bytes = &bytes[..bytes.len().min(u32::MAX as usize)];
            out.extend_from_slice(&tag.to_le_bytes());
            out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            out.extend_from_slice(bytes);
        };
        put(TAG_PREIMAGE, preimage);
        for feature in features {
            put(TAG_FEATURE, feature.as_bytes());
        }
        put(TAG_GENERATOR, generator.as_bytes());
        put(TAG_PRODUCER, producer.as_bytes());
        put(TAG_LABEL, label.as_bytes());
        put(TAG_CREATED, &created_unix_s.to_le_bytes());
        out
    }

    /// The nanoseconds that go into the trailer.
    pub(crate) fn cost_ns(&self) -> u64 {
        u64::try_from(self.compile_time.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Seconds since 1970, zero before that.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs())
}

/// A text with everything escaped that could steer a terminal or break a log line.
pub(crate) fn escaped(text: &str) -> String {
    text.escape_debug().to_string()
}

/// Parsed metadata that borrows the file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct View<'a> {
    raw: &'a [u8],
    pub(crate) preimage: &'a [u8],
    /// Where the preimage begins in the metadata.
    pub(crate) preimage_at: usize,
    generator: &'a str,
    producer: &'a str,
    pub(crate) label: &'a str,
    created_unix_s: u64,
}

impl<'a> View<'a> {
    pub(crate) fn parse(raw: &'a [u8]) -> Result<Self, Miss> {
        let mut view = View {
            raw,
            ..View::default()
        };
        let mut preimages = 0;
        let mut fields = Fields { rest: raw };
        while let Some(field) = fields.next() {
            let (tag, bytes) = field?;
            match tag {
                TAG_PREIMAGE => {
                    view.preimage = bytes;
                    view.preimage_at = raw.len() - fields.rest.len() - bytes.len();
                    preimages += 1;
                }
                TAG_FEATURE if text(bytes)?.is_empty() => return Err(Miss::BadMetadata),
                TAG_GENERATOR => view.generator = text(bytes)?,
                TAG_PRODUCER => view.producer = text(bytes)?,
                TAG_LABEL => view.label = text(bytes)?,
                TAG_CREATED => {
                    view.created_unix_s =
                        u64::from_le_bytes(bytes.try_into().map_err(|_| Miss::BadMetadata)?);
                }
                _ => {}
            }
        }
        if preimages != 1 {
            Err(Miss::BadMetadata)
        } else {
            Ok(view)
        }
    }

    pub(crate) fn to_metadata(self, cost_ns: u64) -> Metadata {
        Metadata {
            features: features(self.raw).map(str::to_owned).collect(),
            generator: self.generator.to_owned(),
            producer: self.producer.to_owned(),
            label: self.label.to_owned(),
            compile_time: Duration::from_nanos(cost_ns),
            created_unix_s: self.created_unix_s,
        }
    }
}

/// The features needed, of metadata that was parsed once, so that each is known to be text.
pub(crate) fn features(raw: &[u8]) -> impl Iterator<Item = &str> {
    let fields = Fields { rest: raw }.map_while(Result::ok);
    fields
        .filter(|(tag, _)| *tag == TAG_FEATURE)
        .filter_map(|(_, bytes)| text(bytes).ok())
}

fn text(bytes: &[u8]) -> Result<&str, Miss> {
    std::str::from_utf8(bytes).map_err(|_| Miss::BadMetadata)
}

struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, &'a [u8]), Miss>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = split_field(self.rest);
        self.rest = field.map_or(&[], |(_, _, rest)| rest);
        Some(
            field
                .map(|(tag, bytes, _)| (tag, bytes))
                .ok_or(Miss::BadMetadata),
        )
    }
}

fn split_field(raw: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let (tag, raw) = raw.split_first_chunk::<4>()?;
    let (len, raw) = raw.split_first_chunk::<4>()?;
    let (bytes, rest) = raw.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
    Some((u32::from_le_bytes(*tag), bytes, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Metadata {
        Metadata {
            features: vec!["avx2".into(), "fma".into()],
            generator: "cranelift".into(),
            producer: "test 1".into(),
            label: "res_calc".into(),
            compile_time: Duration::from_micros(640),
            created_unix_s: 7,
        }
    }

    #[test]
    fn metadata_is_read_back_as_written_and_unknown_fields_are_skipped() {
        let mut raw = sample().encode(b"preimage");
        raw.extend_from_slice(&[99, 0, 0, 0, 2, 0, 0, 0, 1, 2]);
        let view = View::parse(&raw).unwrap();
        assert_eq!(view.preimage, b"preimage");
        assert_eq!(raw[view.preimage_at..][..8], *b"preimage");
        assert_eq!(view.to_metadata(sample().cost_ns()), sample());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(raw: Vec<u8>) {
            if let Ok(view) = View::parse(&raw) {
                view.to_metadata(0);
            }
        }

        #[test]
        fn no_truncation_or_flip_makes_the_parser_panic(cut in 0usize..200, at in 0usize..200, bit in 0u8..8) {
            let mut raw = sample().encode(b"preimage");
            raw.truncate(cut);
            if let Some(byte) = raw.get_mut(at) {
                *byte ^= 1 << bit;
            }
            if let Ok(view) = View::parse(&raw) {
                view.to_metadata(0);
            }
        }
    }

    #[test]
    fn row_s20_control_characters_in_a_label_are_escaped() {
        let metadata = Metadata {
            label: "a\x1b[2J\nb".into(),
            ..sample()
        };
        assert_eq!(metadata.label_escaped(), "a\\u{1b}[2J\\nb");
    }
}
