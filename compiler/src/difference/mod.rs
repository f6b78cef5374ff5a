//! In what two requests differ, told from their preimages in words that a user of the language knows.
//!
//! Both sides are decoded, so whatever the bytes are costs time in proportion to their length (and a bounded alignment of the
//! kernels), and never a panic; what can't be decoded is compared as a whole. No two different preimages are told to be alike.
//! Which entry to compare with is for whoever keeps them.

mod align;
mod kernel;
mod lines;
mod show;
mod signature;

use crate::error::DecodeError;
use crate::fingerprint::{FORMAT_VERSION, Identity, Part, decode_request, parts};
use crate::ir::{Scalar, verify_kernel};
use crate::request::Request;
use std::fmt;

pub use signature::describe_argument;

/// One thing in which two requests differ. `Display` says it in a line.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Difference {
    /// The part of the fingerprint.
    pub part: Part,
    /// The argument, from 0, if it is about one.
    pub argument: Option<usize>,
    /// What of it: a stable word, such as `dim`, `lanes`, `constant` or `statements`.
    pub what: &'static str,
    /// What the old request has; empty if it has nothing. Control characters are escaped.
    pub old: String,
    /// What the new one has.
    pub new: String,
    /// Of statements: how many differ.
    pub count: usize,
    /// The line of the new text, from 1, as far as [`locate`](Difference::locate) found it.
    pub line: Option<u32>,
    /// The bits of a number that the new kernel holds, to be looked for in its text.
    literal: Option<(u64, Scalar)>,
    /// A place of the new kernel at or soon after the difference.
    site: Option<u32>,
}

/// Names for what a preimage only numbers: those of the kernel's text, if it is at hand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// Of parameters.
    pub params: &'a [String],
    /// Of kernel constants, by slot.
    pub constants: &'a [String],
}

impl Difference {
    fn new(part: Part, what: &'static str, old: impl fmt::Display, new: impl fmt::Display) -> Self {
        let shown = |side: &dyn fmt::Display| side.to_string().escape_debug().to_string();
        Difference {
            part,
            argument: None,
            what,
            old: shown(&old),
            new: shown(&new),
            count: 1,
            line: None,
            literal: None,
            site: None,
        }
    }

    fn of_argument(self, index: usize) -> Self {
        Difference {
            argument: Some(index),
            ..self
        }
    }

    /// How far apart it puts two requests: 1, or the number of statements.
    pub fn weight(&self) -> usize {
        self.count
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { what, old, new, .. } = self;
        let line = |f: &mut fmt::Formatter<'_>| match self.line {
            Some(line) => write!(f, " (line {line})"),
            None => Ok(()),
        };
        match (self.part, *what) {
            (part, "bytes") => return write!(f, "{} differs", part.name()),
            (Part::Kernel, "statements") => {
                let verb = if self.count == 1 {
                    "statement differs"
                } else {
                    "statements differ"
                };
                write!(f, "kernel body: {} {verb}: {old}{new}", self.count)?;
                return line(f);
            }
            (Part::Compiler, "build") => return write!(f, "compiler changed: {old} -> {new}"),
            (Part::Target, _) => write!(f, "CPU level")?,
            (Part::Options, _) => write!(f, "option {what}")?,
            (Part::Argument, _) => match self.argument {
                Some(index) if what.is_empty() => write!(f, "argument {index}")?,
                Some(index) => write!(f, "argument {index}: {what}")?,
                None => write!(f, "{what}")?,
            },
            (Part::Kernel, "parameter") => {
                write!(f, "parameter {}:", self.argument.unwrap_or_default())?;
            }
            _ => write!(f, "{what}")?,
        }
        match (old.is_empty(), new.is_empty()) {
            (true, _) => write!(f, " added: {new}")?,
            (false, true) => write!(f, " removed: {old}")?,
            (false, false) => write!(f, " {old} -> {new}")?,
        }
        line(f)
    }
}

/// The differences of two preimages, in the order of their parts. None if they are equal.
///
/// # Errors
/// One of them is no preimage at all.
pub fn differences(
    old: &[u8],
    new: &[u8],
    names: Names<'_>,
) -> Result<Vec<Difference>, DecodeError> {
    if old == new {
        return Ok(Vec::new());
    }
    let (old_parts, new_parts) = match (parts(old), parts(new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(DecodeError::Version(old)), Ok(_)) => return Ok(vec![versions(old, FORMAT_VERSION)]),
        (Ok(_), Err(DecodeError::Version(new))) => return Ok(vec![versions(FORMAT_VERSION, new)]),
        (Err(DecodeError::Version(old)), Err(DecodeError::Version(new))) => {
            return Ok(vec![versions(old, new)]);
        }
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    let mut found = match (decode_request(old), decode_request(new)) {
        (Ok(old), Ok(new)) => requests(&old, &new, names),
        _ => Vec::new(),
    };
    // Whatever the words above leave out, and parts that can't be read.
    for part in Part::ALL {
        let bytes = |parts: &[(Part, &[u8])]| -> Vec<Vec<u8>> {
            let of_part = parts.iter().filter(|(p, _)| *p == part);
            of_part.map(|(_, bytes)| bytes.to_vec()).collect()
        };
        let told = found.iter().any(|difference| difference.part == part);
        // The functions that are called are told with the statements that call them.
        let told = told || part == Part::Hosts && found.iter().any(|d| d.part == Part::Kernel);
        if !told && bytes(&old_parts) != bytes(&new_parts) {
            found.push(Difference::new(part, "bytes", "", ""));
        }
    }
    found.sort_by_key(|difference| difference.part);
    Ok(found)
}

fn versions(old: u32, new: u32) -> Difference {
    Difference::new(Part::Compiler, "format version", old, new)
}

fn requests(
    (old, old_by): &(Request, Identity),
    (new, new_by): &(Request, Identity),
    names: Names<'_>,
) -> Vec<Difference> {
    let mut found = Vec::new();
    if old_by.build_id != new_by.build_id {
        let (old, new) = (&old_by.build_id, &new_by.build_id);
        found.push(Difference::new(Part::Compiler, "build", old, new));
    }
    if old_by.abi != new_by.abi {
        found.push(Difference::new(
            Part::Abi,
            "ABI version",
            old_by.abi,
            new_by.abi,
        ));
    }
    if old.target != new.target {
        let (old, new) = (old.target.level, new.target.level);
        found.push(Difference::new(Part::Target, "level", old, new));
    }
    signature::options(&old.options, &new.options, &mut found);
    signature::compare(&old.signature, &new.signature, &mut found);
    // Nothing that walks a kernel may meet an unsound one.
    if verify_kernel(&old.kernel).is_ok() && verify_kernel(&new.kernel).is_ok() {
        kernel::compare(&old.kernel, &new.kernel, names, &mut found);
    }
    found
}
