//! Why the disk did not answer: one enum of stable reasons.
//!
//! Invariant: a reason's code never changes meaning once released; statistics, logs and tests name reasons by code.
//! A miss is never an error to the user of the cache: it costs a compilation.

/// Why [`Store::load`](crate::Store::load) returned no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Miss {
    /// Nothing is kept under the key.
    #[error("no entry")]
    Absent,
    /// The store has no usable directory, or its mode is off.
    #[error("the store is disabled")]
    Disabled,
    /// The mode asks for everything to be made again.
    #[error("the mode is refresh")]
    Refresh,
    /// The file is empty, shorter than a trailer, or was cut while it was read.
    #[error("the file is too short")]
    Truncated,
    /// The file does not end in the format's magic number.
    #[error("not a cache file")]
    BadMagic,
    /// The file is of another format version; it is left in place.
    #[error("another format version")]
    Version,
    /// The lengths in the trailer do not add up to the file's.
    #[error("lengths do not add up")]
    BadLengths,
    /// The keyed hash does not match: damage, a forgery, or a secret key that was replaced.
    #[error("the keyed hash does not match")]
    BadMac,
    /// A genuine file of the other table lies under this name.
    #[error("a file of the other table")]
    WrongTable,
    /// A genuine file of another key lies under this name.
    #[error("a file of another key")]
    WrongKey,
    /// Genuine, of this key, but made from another preimage: two preimages share a digest.
    #[error("made from another preimage")]
    PreimageDiffers,
    /// The metadata is not as the format says.
    #[error("malformed metadata")]
    BadMetadata,
    /// The entry needs a CPU feature that the host lacks; it is left in place.
    #[error("needs a CPU feature that the host lacks")]
    FeatureMissing,
    /// A directory, FIFO, socket, device or symbolic link lies under the entry's name.
    #[error("not a regular file")]
    NotRegular,
    /// The file belongs to another user or has further hard links.
    #[error("owned or linked by another")]
    Foreign,
    /// The file is larger than the store's cap for one entry.
    #[error("larger than the cap for one entry")]
    TooLarge,
    /// There is no usable secret key, and none could be written.
    #[error("no secret key")]
    NoSecret,
    /// A system call failed.
    #[error("input/output error: {0}")]
    Io(std::io::ErrorKind),
}

impl Miss {
    /// All of them, in a fixed order, to which new ones are added at the end.
    pub const ALL: [Self; 18] = [
        Self::Absent,
        Self::Disabled,
        Self::Refresh,
        Self::Truncated,
        Self::BadMagic,
        Self::Version,
        Self::BadLengths,
        Self::BadMac,
        Self::WrongTable,
        Self::WrongKey,
        Self::PreimageDiffers,
        Self::BadMetadata,
        Self::FeatureMissing,
        Self::NotRegular,
        Self::Foreign,
        Self::TooLarge,
        Self::NoSecret,
        Self::Io(std::io::ErrorKind::Other),
    ];

    /// Codes in the order of [`Miss::ALL`].
    const CODES: [&'static str; 18] = [
        "absent",
        "disabled",
        "refresh",
        "truncated",
        "bad_magic",
        "version",
        "bad_lengths",
        "bad_mac",
        "wrong_table",
        "wrong_key",
        "preimage_differs",
        "bad_metadata",
        "feature_missing",
        "not_regular",
        "foreign",
        "too_large",
        "no_secret",
        "io",
    ];

    /// Where it stands in [`Miss::ALL`].
    fn place(&self) -> usize {
        match self {
            Self::Absent => 0,
            Self::Disabled => 1,
            Self::Refresh => 2,
            Self::Truncated => 3,
            Self::BadMagic => 4,
            Self::Version => 5,
            Self::BadLengths => 6,
            Self::BadMac => 7,
            Self::WrongTable => 8,
            Self::WrongKey => 9,
            Self::PreimageDiffers => 10,
            Self::BadMetadata => 11,
            Self::FeatureMissing => 12,
            Self::NotRegular => 13,
            Self::Foreign => 14,
            Self::TooLarge => 15,
            Self::NoSecret => 16,
            Self::Io(_) => 17,
        }
    }

    /// The stable name of the reason, as statistics and logs show it.
    pub fn code(&self) -> &'static str {
        Self::CODES[self.place()]
    }

    /// Whether the file itself is at fault, so that it is rejected and taken away. An entry of another version, of
    /// a stronger CPU or of a colliding preimage is sound, and a failed system call says nothing about the file.
    pub fn is_defect(&self) -> bool {
        match self {
            Self::Truncated
            | Self::BadMagic
            | Self::BadLengths
            | Self::BadMac
            | Self::WrongTable
            | Self::WrongKey
            | Self::BadMetadata
            | Self::NotRegular
            | Self::Foreign
            | Self::TooLarge => true,
            Self::Absent
            | Self::Disabled
            | Self::Refresh
            | Self::Version
            | Self::PreimageDiffers
            | Self::FeatureMissing
            | Self::NoSecret
            | Self::Io(_) => false,
        }
    }
}

/// Why something was not stored, told in [`Event::Bypass`](crate::Event::Bypass) by its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bypass {
    /// The file would be larger than one may be, or no file may be kept.
    OverLimit,
    /// The directory is only read: the mode says so, or it can't be written to.
    ReadOnly,
    /// The store has no usable directory, its mode is off, or it was closed.
    Disabled,
    /// A write failed a short time ago.
    BackingOff,
    /// Too much is waiting to be written.
    QueueFull,
    /// The thread that writes could not be started.
    NoThread,
    /// A sound entry of the same preimage is there.
    Present,
    /// A system call failed.
    Io,
    /// There is no room, and what it would replace is worth as much.
    NotWorth,
}

impl Bypass {
    /// All of them, in a fixed order, to which new ones are added at the end.
    pub const ALL: [Self; 9] = [
        Self::OverLimit,
        Self::ReadOnly,
        Self::Disabled,
        Self::BackingOff,
        Self::QueueFull,
        Self::NoThread,
        Self::Present,
        Self::Io,
        Self::NotWorth,
    ];

    /// The stable name of the reason, as statistics and logs show it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OverLimit => "over_limit",
            Self::ReadOnly => "read_only",
            Self::Disabled => "disabled",
            Self::BackingOff => "backing_off",
            Self::QueueFull => "queue_full",
            Self::NoThread => "no_thread",
            Self::Present => "present",
            Self::Io => "io",
            Self::NotWorth => "not_worth",
        }
    }
}

/// What a warning is about, told in [`Event::Warning`](crate::Event::Warning) by its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Caution {
    /// The directory is not used, or only read.
    Directory,
    /// A file could not be written.
    Write,
}

impl Caution {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Directory, Self::Write];

    /// The stable name of the condition.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Write => "write",
        }
    }
}

/// Codes for which whoever loads entries rejects genuine ones, in a fixed order, to which new ones are added at the end. A code that
/// is in no table is counted as `other`.
pub const REJECTIONS: [&str; 13] = [
    "bad_record",
    "misled",
    "differs",
    "results_differ",
    "load_too_large",
    "load_header",
    "load_section",
    "load_symbol",
    "load_unknown_host",
    "load_relocation",
    "load_info",
    "load_map",
    OTHER,
];

const OTHER: &str = "other";

/// So many reasons of [`REASONS`] are of misses and rejections, those of [`Miss::ALL`] first.
pub(crate) const CAUSES: usize = Miss::ALL.len() + REJECTIONS.len();

/// All reasons by which is counted: of misses, of rejections, and of what was not stored.
pub(crate) const REASONS: [&str; CAUSES + Bypass::ALL.len()] = {
    let mut all = [OTHER; CAUSES + Bypass::ALL.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < Miss::ALL.len() {
            Miss::CODES[at]
        } else if at < CAUSES {
            REJECTIONS[at - Miss::ALL.len()]
        } else {
            Bypass::ALL[at - CAUSES].code()
        };
        at += 1;
    }
    all
};

/// The place of a code in [`REASONS`], or the first part of them.
pub(crate) fn place(reasons: &[&str], code: &str) -> usize {
    let of = |code: &str| reasons.iter().position(|reason| *reason == code);
    of(code).or_else(|| of(OTHER)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_no_table_is_counted_as_other() {
        let counted = |reasons: &[&'static str], code| reasons[place(reasons, code)];
        assert_eq!(counted(&REASONS, "load_info"), "load_info");
        assert_eq!(counted(&REASONS, "of another program"), OTHER);
        assert_eq!(counted(&REASONS[..CAUSES], "present"), OTHER);
    }

    #[test]
    fn the_list_of_misses_has_each_in_its_place() {
        for (at, miss) in Miss::ALL.iter().enumerate() {
            assert_eq!(miss.place(), at, "{miss}");
        }
    }
}
