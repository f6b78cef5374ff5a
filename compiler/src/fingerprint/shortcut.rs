//! The source shortcut: from all that the front end reads straight to the fingerprint of what it would make of it.
//!
//! Its preimage has a fixed size: versions, then one full-length digest for each part. Equal preimages mean equal inputs, so
//! that a record found under the key is believed only if the preimage kept with it is the same.
//!
//! | input | in it? | why |
//! |---|---|---|
//! | format, ABI and shortcut versions, build id | yes | another front end reads otherwise |
//! | kernel text, byte for byte; the chosen function | yes | they are what is read |
//! | each kernel constant: name, dtype, dim, specialised value | yes | names resolve to them |
//! | the host-symbol table: names and types | yes | names resolve to them |
//! | signature, options, target | yes | they are the rest of the request |
//! | values of constants that are not specialised, data, sizes, paths, environment | never | they are not read |

use super::{Fingerprint, build_id};
use crate::abi;
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::encode::{Decoder, Encoder, FORMAT_VERSION};
use crate::error::DecodeError;
use crate::ir::Passing;
use crate::options::Options;
use crate::signature::Signature;
use crate::source::{KernelText, ParamInfo};
use crate::target::Target;

/// Changes with the layout of shortcuts and records.
const VERSION: u32 = 2;

/// First bytes of a shortcut's preimage.
const MAGIC: [u8; 8] = *b"parloopS";

/// First bytes of a record.
const RECORD_MAGIC: [u8; 8] = *b"parloopT";

/// The key of a text with all else that the front end and the request depend on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shortcut {
    /// Digest of the preimage.
    pub key: [u8; 32],
    /// Versions and digests, to be kept with the record and compared.
    pub preimage: Vec<u8>,
}

/// The digest of a text, which all kernels of it share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextDigest([u8; 32]);

impl TextDigest {
    /// Computes it, in one pass over the text.
    pub fn of(text: &str) -> TextDigest {
        TextDigest(*blake3::hash(text.as_bytes()).as_bytes())
    }
}

impl Shortcut {
    /// Computes it, without a look at the text: `whole` is its digest.
    pub fn of(
        text: &KernelText<'_>,
        whole: &TextDigest,
        signature: &Signature,
        options: &Options,
        target: &Target,
    ) -> Shortcut {
        let KernelText {
            text: _in_whole,
            function,
            constants,
            hosts,
        } = text;
        let mut e = Encoder::default();
        e.bytes.reserve(512);
        let mut preimage = Vec::with_capacity(8 + 3 * 4 + 6 * 32);
        preimage.extend_from_slice(&MAGIC);
        for version in [VERSION, FORMAT_VERSION, abi::VERSION] {
            preimage.extend_from_slice(&version.to_le_bytes());
        }
        preimage.extend_from_slice(blake3::hash(build_id().as_bytes()).as_bytes());
        preimage.extend_from_slice(&whole.0);
        let mut digest = |bytes: &[u8]| {
            preimage.extend_from_slice(blake3::hash(bytes).as_bytes());
        };
        let mut part = |fill: &dyn Fn(&mut Encoder)| {
            e.bytes.clear();
            fill(&mut e);
            digest(&e.bytes);
        };
        part(&|e| {
            e.flag(function.is_some());
            e.text(function.unwrap_or_default());
        });
        part(&|e| {
            e.sequence(constants.iter(), Encoder::constant_decl);
            e.sequence(hosts.iter(), Encoder::host);
        });
        part(&|e| {
            e.iteration(signature);
            e.sequence(signature.args.iter(), Encoder::argument);
        });
        part(&|e| {
            e.options(options);
            e.target(target);
        });
        Shortcut {
            key: *blake3::hash(&preimage).as_bytes(),
            preimage,
        }
    }
}

/// What a shortcut leads to: the entry, and what else the front end would have said about the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShortcutRecord {
    /// Of the request that the text makes.
    pub request_fingerprint: Fingerprint,
    /// The function's name.
    pub name: String,
    /// Its parameters, for checking calls.
    pub params: Vec<ParamInfo>,
    /// Names of the kernel constants it reads, by slot.
    pub constants: Vec<String>,
    /// What is doubtful in the text.
    pub warnings: Vec<Diagnostic>,
}

impl ShortcutRecord {
    /// As bytes, for the store.
    pub fn encode(&self) -> Vec<u8> {
        let ShortcutRecord {
            request_fingerprint,
            name,
            params,
            constants,
            warnings,
        } = self;
        let mut e = Encoder::default();
        e.bytes.extend_from_slice(&RECORD_MAGIC);
        e.u32(VERSION);
        e.bytes.extend_from_slice(&request_fingerprint.0);
        e.text(name);
        e.sequence(params.iter(), Encoder::param_info);
        e.sequence(constants.iter(), |e, name| e.text(name));
        e.sequence(warnings.iter(), Encoder::diagnostic);
        e.bytes
    }

    /// From bytes.
    ///
    /// # Errors
    /// They are not exactly what `encode` makes of some record.
    pub fn decode(bytes: &[u8]) -> Result<ShortcutRecord, DecodeError> {
        let mut d = Decoder::new(bytes);
        if d.array::<8>()? != RECORD_MAGIC {
            return Err(d.unexpected(8, "a shortcut's record"));
        }
        match d.u32()? {
            VERSION => {}
            version => return Err(DecodeError::Version(version)),
        }
        let record = ShortcutRecord {
            request_fingerprint: Fingerprint(d.array()?),
            name: d.text()?,
            params: d.sequence(Decoder::param_info)?,
            constants: d.sequence(Decoder::text)?,
            warnings: d.sequence(Decoder::diagnostic)?,
        };
        d.end()?;
        Ok(record)
    }
}

const PASSINGS: [Passing; 4] = [
    Passing::Value,
    Passing::Pointer,
    Passing::Rows,
    Passing::Unused,
];

impl Encoder {
    fn param_info(&mut self, param: &ParamInfo) {
        let ParamInfo {
            name,
            passing,
            dtype,
            extents,
            is_const,
            is_restrict,
            read,
            written,
        } = param;
        self.text(name);
        self.u8(*passing as u8);
        self.option(*dtype, Encoder::dtype);
        self.sequence(extents.iter(), |e, extent| e.option(*extent, Encoder::u64));
        self.flag(*is_const);
        self.flag(*is_restrict);
        self.flag(*read);
        self.flag(*written);
    }

    fn diagnostic(&mut self, diagnostic: &Diagnostic) {
        let Diagnostic {
            severity,
            code,
            message,
            span,
            related,
            help,
        } = diagnostic;
        self.flag(*severity == Severity::Warning);
        self.text(code);
        self.text(message);
        self.span(*span);
        self.sequence(related.iter(), |e, (span, label)| {
            e.span(*span);
            e.text(label);
        });
        self.option(help.as_deref(), Encoder::text);
    }

    fn span(&mut self, span: Span) {
        let Span { start, end } = span;
        self.u32(start);
        self.u32(end);
    }

    fn option<T>(&mut self, option: Option<T>, some: impl FnOnce(&mut Encoder, T)) {
        self.flag(option.is_some());
        if let Some(value) = option {
            some(self, value);
        }
    }
}

impl<'a> Decoder<'a> {
    fn param_info(&mut self) -> Result<ParamInfo, DecodeError> {
        Ok(ParamInfo {
            name: self.text()?,
            passing: self.choice(&PASSINGS, "a way of passing")?,
            dtype: self.option(Decoder::dtype)?,
            extents: self.sequence(|d| d.option(Decoder::u64))?,
            is_const: self.flag()?,
            is_restrict: self.flag()?,
            read: self.flag()?,
            written: self.flag()?,
        })
    }

    fn diagnostic(&mut self) -> Result<Diagnostic, DecodeError> {
        Ok(Diagnostic {
            severity: match self.flag()? {
                true => Severity::Warning,
                false => Severity::Error,
            },
            code: self.text()?.into(),
            message: self.text()?,
            span: self.span()?,
            related: self.sequence(|d| Ok((d.span()?, d.text()?)))?,
            help: self.option(Decoder::text)?,
        })
    }

    fn span(&mut self) -> Result<Span, DecodeError> {
        Ok(Span {
            start: self.u32()?,
            end: self.u32()?,
        })
    }

    fn option<T>(
        &mut self,
        some: impl FnOnce(&mut Decoder<'a>) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        self.flag()?.then(|| some(self)).transpose()
    }
}
