//! What makes two compilations the same. The request is encoded; the encoding, the *preimage*, is kept and compared; its
//! digest names the entry.
//!
//! | input | in it? | why |
//! |---|---|---|
//! | format version of the encoding | yes | bytes of two versions must never be taken for one another |
//! | the compiler's build id | yes | a changed compiler, or code generator, makes other code |
//! | ABI version | yes | code and runtime must agree on every offset |
//! | target level and its features, by name | yes | they choose instructions |
//! | every option, lanes included | yes | they choose code |
//! | host functions called: name and types | yes | they become symbols and calls |
//! | iteration kind, `allow_conflicts` | yes | they choose the shape of the loop |
//! | each argument: source, map slot, arity, width, partial, entry, rows, dtype, dim, layout, access, dat slot | yes | they choose gather, scatter and alias regions |
//! | the kernel: parameters, constants' types and dims, statements, literals by their bits | yes | it is the code |
//! | site numbers | yes | code stores them when it fails |
//! | specialised values of kernel constants | yes, as literals | they are folded into the code |
//! | other values of kernel constants | never | read at each run |
//! | names of kernels, parameters, locals, dats, constants; comments, spans, spelling of literals | never | they change no code; canonical form has none |
//! | set sizes, map values, layer counts, data, pointers | never | one entry serves every mesh |
//! | cache path, files, times, hosts, ranks, processes, threads, environment | never | the compiler sees none of them |
//!
//! The *shortcut* is a second digest, of all that the front end reads, names and text included; see `shortcut`.

mod shortcut;

pub use crate::encode::FORMAT_VERSION;
pub use shortcut::{Shortcut, ShortcutRecord, TextDigest};

use crate::abi;
use crate::encode::{Decoder, Encoder};
use crate::error::DecodeError;
use crate::request::Request;
use std::fmt;
use std::str::FromStr;

/// Identity of this compiler: its version and a hash of all that shapes its output (see `build.rs`).
pub const fn build_id() -> &'static str {
    env!("PARLOOP_BUILD_ID")
}

/// First bytes of a preimage; the format version follows.
const MAGIC: [u8; 8] = *b"parloopR";

/// The digest of a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = DecodeError;

    /// Reads 64 hexadecimal digits.
    fn from_str(hex: &str) -> Result<Fingerprint, DecodeError> {
        let wrong = |at| DecodeError::Unexpected {
            at,
            expected: "64 hexadecimal digits",
        };
        let digits = hex.as_bytes();
        if digits.len() != 64 {
            return Err(wrong(digits.len().min(64)));
        }
        let mut bytes = [0; 32];
        for (i, pair) in digits.chunks_exact(2).enumerate() {
            let digit = |d: u8| (d as char).to_digit(16);
            let (high, low) = (digit(pair[0]), digit(pair[1]));
            let (Some(high), Some(low)) = (high, low) else {
                return Err(wrong(2 * i));
            };
            bytes[i] = (high << 4 | low) as u8;
        }
        Ok(Fingerprint(bytes))
    }
}

/// A part of a preimage, so that two can be compared part by part. The order is that of the encoding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Part {
    /// The compiler's build id.
    Compiler = 1,
    /// ABI version.
    Abi = 2,
    /// Target level and features.
    Target = 3,
    /// Options.
    Options = 4,
    /// Host functions that the kernel calls.
    Hosts = 5,
    /// Iteration kind and conflicts.
    Iteration = 6,
    /// One argument; there are as many parts as arguments, in order.
    Argument = 7,
    /// The kernel.
    Kernel = 8,
}

impl Part {
    /// All of them, in the order of the encoding.
    pub const ALL: [Part; 8] = [
        Part::Compiler,
        Part::Abi,
        Part::Target,
        Part::Options,
        Part::Hosts,
        Part::Iteration,
        Part::Argument,
        Part::Kernel,
    ];

    /// What to call it.
    pub const fn name(self) -> &'static str {
        match self {
            Part::Compiler => "compiler",
            Part::Abi => "abi",
            Part::Target => "target",
            Part::Options => "options",
            Part::Hosts => "hosts",
            Part::Iteration => "iteration",
            Part::Argument => "argument",
            Part::Kernel => "kernel",
        }
    }
}

/// The encoding of a request and of the compiler that takes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Preimage(Vec<u8>);

impl Preimage {
    /// Encodes a request, for this compiler.
    pub fn of(request: &Request) -> Preimage {
        let identity = Identity {
            build_id: build_id().to_owned(),
            abi: abi::VERSION,
        };
        encode(request, &identity)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Its digest.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(*blake3::hash(&self.0).as_bytes())
    }
}

/// Which compiler a request was made for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Its build id.
    pub build_id: String,
    /// Its ABI version.
    pub abi: u32,
}

/// Encodes a request for some compiler: `Preimage::of` is this for the compiler that runs.
pub fn encode(request: &Request, identity: &Identity) -> Preimage {
    let Request {
        kernel,
        signature,
        options,
        target,
    } = request;
    let Identity { build_id, abi } = identity;
    let mut e = Encoder::default();
    e.bytes.reserve(1024 + 16 * kernel.body.values.len());
    e.bytes.extend_from_slice(&MAGIC);
    e.u32(FORMAT_VERSION);
    e.part(Part::Compiler as u8, |e| e.text(build_id));
    e.part(Part::Abi as u8, |e| e.u32(*abi));
    e.part(Part::Target as u8, |e| e.target(target));
    e.part(Part::Options as u8, |e| e.options(options));
    e.part(Part::Hosts as u8, |e| {
        e.sequence(kernel.body.symbols.values(), Encoder::host);
    });
    e.part(Part::Iteration as u8, |e| e.iteration(signature));
    for arg in &signature.args {
        e.part(Part::Argument as u8, |e| e.argument(arg));
    }
    e.part(Part::Kernel as u8, |e| e.kernel(kernel));
    Preimage(e.bytes)
}

/// The parts of a preimage, in order, each with its bytes.
///
/// # Errors
/// The bytes are no preimage of this format. Bytes within a part are not looked at.
pub fn parts(preimage: &[u8]) -> Result<Vec<(Part, &[u8])>, DecodeError> {
    let mut d = Decoder::new(preimage);
    if d.array::<8>()? != MAGIC {
        return Err(d.unexpected(8, "a preimage"));
    }
    match d.u32()? {
        FORMAT_VERSION => {}
        version => return Err(DecodeError::Version(version)),
    }
    let mut parts: Vec<(Part, &[u8])> = Vec::new();
    while !d.is_at_end() {
        let at = d.clone();
        let (tag, bytes) = d.part()?;
        let part = Part::ALL.into_iter().find(|p| *p as u8 == tag);
        let part = part.ok_or(at.unexpected(0, "the tag of a part"))?;
        let last = parts.last().map(|(p, _)| *p);
        let ordered = last.is_none_or(|p| p < part || (p, part) == (Part::Argument, part));
        if !ordered {
            return Err(at.unexpected(0, "parts in order"));
        }
        parts.push((part, bytes));
    }
    Ok(parts)
}

/// Decodes a preimage to the request and the compiler that it was made for.
///
/// # Errors
/// The bytes are not exactly what `encode` makes of some request.
pub fn decode_request(preimage: &[u8]) -> Result<(Request, Identity), DecodeError> {
    let mut parts = parts(preimage)?.into_iter().peekable();
    let mut next = |wanted: Part| match parts.next_if(|(part, _)| *part == wanted) {
        Some((_, bytes)) => Ok(Decoder::new(bytes)),
        None => Err(DecodeError::MissingPart(wanted)),
    };
    let build_id = whole(next(Part::Compiler)?, |d| d.text())?;
    let abi = whole(next(Part::Abi)?, |d| d.u32())?;
    let target = whole(next(Part::Target)?, |d| d.target())?;
    let options = whole(next(Part::Options)?, |d| d.options())?;
    let hosts = whole(next(Part::Hosts)?, |d| d.sequence(Decoder::host))?;
    let mut signature = whole(next(Part::Iteration)?, |d| d.iteration())?;
    while let Ok(argument) = next(Part::Argument) {
        signature.args.push(whole(argument, |d| d.argument())?);
    }
    let kernel = whole(next(Part::Kernel)?, |d| d.kernel(hosts))?;
    let request = Request {
        kernel,
        signature,
        options,
        target,
    };
    Ok((request, Identity { build_id, abi }))
}

/// Decodes all of a part's bytes.
fn whole<'a, T>(
    mut decoder: Decoder<'a>,
    read: impl FnOnce(&mut Decoder<'a>) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    let value = read(&mut decoder)?;
    decoder.end()?;
    Ok(value)
}
