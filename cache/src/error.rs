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
    /// The stable name of the reason, as statistics and logs show it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Disabled => "disabled",
            Self::Refresh => "refresh",
            Self::Truncated => "truncated",
            Self::BadMagic => "bad_magic",
            Self::Version => "version",
            Self::BadLengths => "bad_lengths",
            Self::BadMac => "bad_mac",
            Self::WrongTable => "wrong_table",
            Self::WrongKey => "wrong_key",
            Self::PreimageDiffers => "preimage_differs",
            Self::BadMetadata => "bad_metadata",
            Self::FeatureMissing => "feature_missing",
            Self::NotRegular => "not_regular",
            Self::Foreign => "foreign",
            Self::TooLarge => "too_large",
            Self::NoSecret => "no_secret",
            Self::Io(_) => "io",
        }
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
