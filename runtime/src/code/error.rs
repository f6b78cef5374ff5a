//! Why an object is not loaded.
//!
//! For an object from a disk this is a counted miss and never reaches the caller; for one that was just compiled it is a
//! fault of the compiler, and does.

/// What is wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// More bytes than any loop has.
    #[error("the object has {bytes} bytes, over the limit of {limit}")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Not a relocatable ELF object for this machine, or cut short.
    #[error("not a relocatable object for this machine: {what}")]
    Header {
        /// What was expected.
        what: &'static str,
    },
    /// A section that is malformed or of a kind that loops do not have.
    #[error("section {index}: {what}")]
    Section {
        /// Its number.
        index: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A symbol that is malformed or of a kind that loops do not have.
    #[error("symbol {index}: {what}")]
    Symbol {
        /// Its number.
        index: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A reference to a host function that is not in the table.
    #[error("symbol {index}: no host function is named `{name}`")]
    UnknownHost {
        /// The symbol's number.
        index: usize,
        /// Its name as far as it is short, with all but printable ASCII escaped.
        name: String,
    },
    /// A relocation that is malformed or of another kind than 64-bit absolute.
    #[error("relocation {index}: {what}")]
    Relocation {
        /// Its number.
        index: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// Data about the loop that is missing or makes no sense.
    #[error("loop information: {what}")]
    Info {
        /// What is wrong.
        what: &'static str,
    },
    /// Memory could not be had or protected.
    #[error("mapping the code failed: {message}")]
    Map {
        /// What the system said.
        message: String,
    },
}

impl LoadError {
    /// What [`LoadError::code`] gives, in the order of the variants.
    pub const CODES: [&'static str; 8] = [
        "load_too_large",
        "load_header",
        "load_section",
        "load_symbol",
        "load_unknown_host",
        "load_relocation",
        "load_info",
        "load_map",
    ];

    /// The stable name of the reason, as events show it.
    pub fn code(&self) -> &'static str {
        let place = match self {
            LoadError::TooLarge { .. } => 0,
            LoadError::Header { .. } => 1,
            LoadError::Section { .. } => 2,
            LoadError::Symbol { .. } => 3,
            LoadError::UnknownHost { .. } => 4,
            LoadError::Relocation { .. } => 5,
            LoadError::Info { .. } => 6,
            LoadError::Map { .. } => 7,
        };
        Self::CODES[place]
    }
}
