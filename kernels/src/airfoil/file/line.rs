//! The lines of a mesh file and the fields in them, with the place that an error needs.
//!
//! A line is bounded, so an endless one costs no memory. Lines are counted from 1, blank ones included, so that a number in an
//! error is the one an editor shows. Which records come in which order is left to [`mod@super::read`].

use std::io::{BufRead, Read};
use std::path::Path;

use super::error::{Fault, MeshFileError, Record, SetName};
use crate::airfoil::mesh::SET_SIZE_MAX;
use crate::airfoil::{BOUND_FAR_FIELD, BOUND_WALL};

/// Most bytes of a line, its end included.
pub const LINE_BYTES_MAX: usize = 4096;

/// Most characters of a file's text that an error repeats.
const QUOTED_CHARS_MAX: usize = 40;

/// The non-blank lines of a source.
pub(super) struct Lines<'p, R> {
    input: R,
    path: &'p Path,
    buffer: Vec<u8>,
    number: u64,
}

impl<'p, R: BufRead> Lines<'p, R> {
    /// The lines of `input`, called `path` in errors.
    pub(super) fn new(input: R, path: &'p Path) -> Lines<'p, R> {
        Lines {
            input,
            path,
            buffer: Vec::new(),
            number: 0,
        }
    }

    /// The next line, which must be there: `seen` of `expected` such records came before.
    pub(super) fn expect(
        &mut self,
        record: Record,
        expected: u64,
        seen: u64,
    ) -> Result<Line<'_>, MeshFileError> {
        if self.advance(record)? {
            return Ok(self.current(record));
        }
        Err(self.current(record).fault(Fault::Ended {
            record,
            expected,
            found: seen,
        }))
    }

    /// The next line, if there is one.
    pub(super) fn next(&mut self, record: Record) -> Result<Option<Line<'_>>, MeshFileError> {
        Ok(if self.advance(record)? {
            Some(self.current(record))
        } else {
            None
        })
    }

    fn current(&self, record: Record) -> Line<'_> {
        Line {
            text: &self.buffer,
            path: self.path,
            number: self.number,
            record,
        }
    }

    /// Goes to the next line that is not blank; false, with the last line's number kept, at the end of the file.
    fn advance(&mut self, record: Record) -> Result<bool, MeshFileError> {
        loop {
            self.buffer.clear();
            let limit = LINE_BYTES_MAX as u64;
            let length = (&mut self.input)
                .take(limit)
                .read_until(b'\n', &mut self.buffer)
                .map_err(|source| MeshFileError::Read {
                    path: self.path.into(),
                    line: self.number + 1,
                    source,
                })?;
            if length == 0 {
                self.number = self.number.max(1);
                return Ok(false);
            }
            self.number += 1;
            if length == LINE_BYTES_MAX && !self.buffer.ends_with(b"\n") {
                return Err(self.current(record).fault(Fault::LineTooLong {
                    record,
                    limit: LINE_BYTES_MAX,
                }));
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }
}

/// One line, with what an error about it needs.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    /// The whole line, its end included.
    pub(super) text: &'a [u8],
    path: &'a Path,
    number: u64,
    record: Record,
}

impl<'a> Line<'a> {
    /// An error at this line.
    #[cold]
    pub(super) fn fault(&self, fault: Fault) -> MeshFileError {
        MeshFileError::Malformed {
            path: self.path.into(),
            line: self.number,
            fault,
        }
    }

    /// The fields of the line, exactly `N`.
    pub(super) fn fields<const N: usize>(&self) -> Result<[&'a [u8]; N], MeshFileError> {
        let mut fields = [&self.text[..0]; N];
        let mut found = 0;
        for field in self
            .text
            .split(u8::is_ascii_whitespace)
            .filter(|field| !field.is_empty())
        {
            if let Some(slot) = fields.get_mut(found) {
                *slot = field;
            }
            found += 1;
        }
        if found == N {
            return Ok(fields);
        }
        Err(self.fault(Fault::FieldCount {
            record: self.record,
            expected: N,
            found,
        }))
    }

    /// Appends values read from this line, growing as they come.
    pub(super) fn push<T, const N: usize>(
        &self,
        to: &mut Vec<T>,
        values: [T; N],
    ) -> Result<(), MeshFileError> {
        to.try_reserve(N).map_err(|_| {
            self.fault(Fault::NoMemory {
                record: self.record,
            })
        })?;
        to.extend(values);
        Ok(())
    }

    /// A number of elements of `set`.
    pub(super) fn count(
        &self,
        field: &'static str,
        text: &[u8],
        set: SetName,
    ) -> Result<u64, MeshFileError> {
        match self.integer(field, text)? {
            Some(count) if count <= SET_SIZE_MAX => Ok(count),
            _ => Err(self.fault(Fault::CountOutOfRange {
                set,
                limit: SET_SIZE_MAX,
                found: quoted(text),
            })),
        }
    }

    /// A map value to one of `size` nodes.
    pub(super) fn node(
        &self,
        field: &'static str,
        text: &[u8],
        size: u64,
    ) -> Result<i32, MeshFileError> {
        self.index(field, text, SetName::Nodes, size)
    }

    /// A map value to one of `size` cells.
    pub(super) fn cell(
        &self,
        field: &'static str,
        text: &[u8],
        size: u64,
    ) -> Result<i32, MeshFileError> {
        self.index(field, text, SetName::Cells, size)
    }

    fn index(
        &self,
        field: &'static str,
        text: &[u8],
        set: SetName,
        size: u64,
    ) -> Result<i32, MeshFileError> {
        match self.integer(field, text)? {
            // In range of a set, and sets have at most i32::MAX elements.
            Some(index) if index < size => Ok(index as i32),
            _ => {
                let found = quoted(text);
                Err(self.fault(Fault::IndexOutOfRange {
                    record: self.record,
                    field,
                    set,
                    size,
                    found,
                }))
            }
        }
    }

    /// The kind of a boundary edge.
    pub(super) fn bound(&self, text: &[u8]) -> Result<i32, MeshFileError> {
        match self.integer("bound", text)?.map(i32::try_from) {
            Some(Ok(bound @ (BOUND_WALL | BOUND_FAR_FIELD))) => Ok(bound),
            _ => Err(self.fault(Fault::UnknownBound {
                found: quoted(text),
            })),
        }
    }

    /// The value of an integer, None if it is negative or too large for any use here.
    fn integer(&self, field: &'static str, text: &[u8]) -> Result<Option<u64>, MeshFileError> {
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            let found = quoted(text);
            return Err(self.fault(Fault::NotAnInteger {
                record: self.record,
                field,
                found,
            }));
        }
        let value = digits.iter().try_fold(0_u64, |value, digit| {
            value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        });
        Ok(value.filter(|&value| value == 0 || digits.len() == text.len()))
    }

    /// A finite number.
    pub(super) fn coordinate(
        &self,
        field: &'static str,
        text: &[u8],
    ) -> Result<f64, MeshFileError> {
        let value = std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse::<f64>().ok());
        match value {
            Some(value) if value.is_finite() => Ok(value),
            Some(_) => {
                let found = quoted(text);
                Err(self.fault(Fault::NotFinite {
                    record: self.record,
                    field,
                    found,
                }))
            }
            None => {
                let found = quoted(text);
                Err(self.fault(Fault::NotANumber {
                    record: self.record,
                    field,
                    found,
                }))
            }
        }
    }
}

/// The beginning of a file's text, fit to be shown.
pub(super) fn quoted(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.trim_ascii());
    let mut chars = text.chars().map(|c| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    });
    let mut quoted: String = chars.by_ref().take(QUOTED_CHARS_MAX).collect();
    if chars.next().is_some() {
        quoted.push_str("...");
    }
    quoted
}
