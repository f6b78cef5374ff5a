//! From a kernel and a signature to code: memory, disk, compiler, in this order.
//!
//! `resolve` finds the fingerprint (remembered by the kernel, or by a shortcut on disk, or by parsing the text); `fetch` finds
//! the code of a fingerprint. Invariants: whatever the disk holds, the caller gets code made from its own request or an error
//! that is not the cache's; code just compiled goes through the loader that reads the disk's.

use super::identity::{self, Named, Record};
use super::observe::second_look;
use super::{Engine, Shared};
use crate::code::{Code, LoadError};
use crate::error::Error;
use crate::host;
use crate::kernel::Kernel;
use crate::par_loop::CodeSource;
use crate::perf_map;
use parloop_cache::{Event, Expect, Key, Metadata, Publication, Table};
use parloop_compiler::{CheckedKernel, ConstantDecl, KernelText, ParamInfo, Request, Signature};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// What is known of a kernel without its text at hand.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// The function's name.
    pub(crate) name: String,
    pub(crate) params: Vec<ParamInfo>,
    /// Names of the kernel constants it reads, by slot.
    pub(crate) constants: Vec<String>,
}

/// What a kernel and a signature come to.
pub(crate) struct Resolution {
    /// The fingerprint of the request.
    pub(crate) key: Key,
    pub(crate) facts: Facts,
}

/// Code, and how it was come by.
pub(crate) struct Acquired {
    pub(crate) code: Arc<Code>,
    pub(crate) resolution: Arc<Resolution>,
    /// Of the kernel constants' declarations that the code was made from.
    pub(crate) generation: u64,
    pub(crate) source: CodeSource,
    pub(crate) duration: Duration,
}

/// A kernel and a signature on their way to code.
struct Search<'a> {
    engine: &'a Engine,
    kernel: &'a Kernel,
    signature: &'a Signature,
    /// Kernel constants as the front end reads them.
    constants: Arc<Vec<ConstantDecl>>,
    generation: u64,
    resolution: Arc<Resolution>,
    /// There if the text had to be parsed.
    parsed: Option<Parsed>,
    /// What leads to the fingerprint without parsing, unless the kernel remembered it.
    shortcut: Option<Named>,
    /// Whether the disk is to be told of the shortcut.
    unrecorded: bool,
}

struct Parsed {
    request: Request,
    named: Named,
    facts: Facts,
}

/// Why `Search::make` made nothing.
enum Unmade {
    Failed(Error),
    /// The shortcut led to another kernel than the text does.
    Misled(Box<Parsed>),
}

impl From<Error> for Unmade {
    fn from(error: Error) -> Unmade {
        Unmade::Failed(error)
    }
}

impl Engine {
    /// The code for `kernel` under `signature`, compiled if it is neither in memory nor on disk. `check` sees the kernel's
    /// parameters before anything is compiled.
    pub(crate) fn acquire(
        &self,
        kernel: &Kernel,
        signature: &Signature,
        check: impl FnOnce(&Facts) -> Result<(), Error>,
    ) -> Result<Acquired, Error> {
        let started = Instant::now();
        let mut search = Search::begin(self, kernel, signature)?;
        check(&search.resolution.facts)?;
        let (code, source) = search.fetch()?;
        let Search {
            resolution,
            generation,
            ..
        } = search;
        Ok(Acquired {
            code,
            resolution,
            generation,
            source,
            duration: started.elapsed(),
        })
    }

    /// Parses and checks a kernel's text.
    pub(crate) fn check(&self, kernel: &Kernel) -> Result<CheckedKernel, Error> {
        let (_, constants) = self.shared().constants.declarations();
        identity::check_kernel(&text(self.shared(), kernel, &constants)).map_err(|diagnostics| {
            Error::Text {
                kernel: kernel.label(),
                diagnostics,
            }
        })
    }
}

/// What the front end reads for a kernel.
fn text<'a>(
    shared: &'a Shared,
    kernel: &'a Kernel,
    constants: &'a [ConstantDecl],
) -> KernelText<'a> {
    KernelText {
        text: kernel.text(),
        function: kernel.function(),
        constants,
        hosts: shared.hosts.extra(),
    }
}

impl<'a> Search<'a> {
    /// Finds out the fingerprint.
    fn begin(
        engine: &'a Engine,
        kernel: &'a Kernel,
        signature: &'a Signature,
    ) -> Result<Search<'a>, Error> {
        let shared = engine.shared();
        let (generation, constants) = shared.constants.declarations();
        if let Some(resolution) = kernel.recall(signature, generation) {
            return Ok(Search {
                engine,
                kernel,
                signature,
                constants,
                generation,
                resolution,
                parsed: None,
                shortcut: None,
                unrecorded: false,
            });
        }
        let text = text(shared, kernel, &constants);
        let shortcut = identity::shortcut(&text, signature, &shared.options, &shared.target);
        let (resolution, parsed) = match recorded(shared, &shortcut) {
            Some(resolution) => (Arc::new(resolution), None),
            None => {
                let parsed = parse(engine, kernel, signature, &text)?;
                (Arc::new(parsed.resolution()), Some(parsed))
            }
        };
        kernel.remember(signature, generation, &resolution);
        let (shortcut, unrecorded) = (Some(shortcut), parsed.is_some());
        Ok(Search {
            engine,
            kernel,
            signature,
            constants,
            generation,
            resolution,
            parsed,
            shortcut,
            unrecorded,
        })
    }

    /// Finds or makes the code of the fingerprint.
    fn fetch(&mut self) -> Result<(Arc<Code>, CodeSource), Error> {
        match self.fetch_once() {
            Err(Unmade::Misled(parsed)) => {
                let shared = self.engine.shared();
                if let Some(shortcut) = &self.shortcut {
                    shared
                        .store
                        .reject(Table::Shortcuts, &shortcut.key, "misled");
                }
                self.resolution = Arc::new(parsed.resolution());
                self.parsed = Some(*parsed);
                self.unrecorded = true;
                self.kernel
                    .remember(self.signature, self.generation, &self.resolution);
                self.fetch_once()
            }
            outcome => outcome,
        }
        .map_err(|unmade| match unmade {
            Unmade::Failed(error) => error,
            // Parsed by now, so the fingerprint is the text's own.
            Unmade::Misled(parsed) => Error::Load {
                kernel: parsed.facts.name,
                reason: LoadError::Info {
                    what: "the kernel has two fingerprints",
                },
            },
        })
    }

    fn fetch_once(&mut self) -> Result<(Arc<Code>, CodeSource), Unmade> {
        let shared = self.engine.shared();
        let key = self.resolution.key;
        let mut source = CodeSource::Memory;
        let code = shared.classes.get_or_try_init(&key, || {
            let (code, from) = self.make()?;
            source = from;
            if shared.config.perf_map {
                perf_map::note(&code, &self.resolution.facts.name);
            }
            let weight = code.weight_bytes();
            Ok::<_, Unmade>((code, weight))
        })?;
        if let (Some(shortcut), Some(parsed), true) =
            (&self.shortcut, &self.parsed, self.unrecorded)
        {
            publish_record(shared, shortcut, parsed);
        }
        Ok((code, source))
    }

    /// The code from the disk, else compiled.
    fn make(&mut self) -> Result<(Code, CodeSource), Unmade> {
        let shared = self.engine.shared();
        let key = self.resolution.key;
        let expect = match &self.parsed {
            Some(parsed) => Expect::Preimage(&parsed.named.preimage),
            None => Expect::PreimageDigest(*key.as_bytes()),
        };
        if let Some(code) = from_disk(shared, &key, expect) {
            return Ok((code, CodeSource::Disk));
        }
        let parsed = match self.parsed.take() {
            Some(parsed) => parsed,
            None => {
                let text = text(shared, self.kernel, &self.constants);
                parse(self.engine, self.kernel, self.signature, &text)?
            }
        };
        if parsed.named.key != key {
            return Err(Unmade::Misled(Box::new(parsed)));
        }
        let parsed = self.parsed.insert(parsed);
        let guard = shared.store.lock(&key);
        let expect = Expect::Preimage(&parsed.named.preimage);
        if guard.is_some()
            && let Some(code) = second_look(|| from_disk(shared, &key, expect))
        {
            return Ok((code, CodeSource::Disk));
        }
        let (object, compile_time) = compile(shared, parsed)?;
        let name = parsed.facts.name.clone();
        let code = match Code::load(&object, &shared.hosts, &*shared.linker) {
            Ok(code) => code,
            Err(reason) => {
                return Err(Error::Load {
                    kernel: name,
                    reason,
                }
                .into());
            }
        };
        let publication = Publication {
            payload: object.into(),
            preimage: parsed.named.preimage.clone(),
            metadata: metadata(shared, name, compile_time),
        };
        shared
            .store
            .publish(Table::Objects, &key, publication, guard);
        Ok((code, CodeSource::Compiled))
    }
}

/// The entry of a fingerprint, verified and loaded. One that the loader refuses is rejected.
fn from_disk(shared: &Shared, key: &Key, expect: Expect<'_>) -> Option<Code> {
    let entry = shared
        .store
        .load(Table::Objects, key, expect, &host::has)
        .ok()?;
    match Code::load(entry.payload(), &shared.hosts, &*shared.linker) {
        Ok(code) => Some(code),
        Err(error) => {
            shared.store.reject(Table::Objects, key, error.code());
            None
        }
    }
}

impl Parsed {
    fn resolution(&self) -> Resolution {
        Resolution {
            key: self.named.key,
            facts: self.facts.clone(),
        }
    }
}

fn parse(
    engine: &Engine,
    kernel: &Kernel,
    signature: &Signature,
    text: &KernelText<'_>,
) -> Result<Parsed, Error> {
    let shared = engine.shared();
    let checked = identity::check_kernel(text).map_err(|diagnostics| Error::Text {
        kernel: kernel.label(),
        diagnostics,
    })?;
    let CheckedKernel {
        name,
        kernel,
        params,
        constants,
        warnings: _,
        sites: _,
    } = checked;
    let request = Request {
        kernel,
        signature: signature.clone(),
        options: shared.options,
        target: shared.target,
    };
    let named = identity::request(&request);
    Ok(Parsed {
        request,
        named,
        facts: Facts {
            name,
            params,
            constants,
        },
    })
}

fn compile(shared: &Shared, parsed: &Parsed) -> Result<(Vec<u8>, Duration), Error> {
    let started = Instant::now();
    shared.compilations.fetch_add(1, Ordering::Relaxed);
    let compiled = parloop_compiler::compile(&parsed.request).map_err(|reason| Error::Compile {
        kernel: parsed.facts.name.clone(),
        reason: Box::new(reason),
    })?;
    let duration = started.elapsed();
    shared.observer.event(&Event::Compile {
        key: parsed.named.key,
        duration,
    });
    Ok((compiled.object, duration))
}

fn metadata(shared: &Shared, label: String, compile_time: Duration) -> Metadata {
    let mut metadata = Metadata::default();
    metadata.features = shared
        .target
        .level
        .features()
        .iter()
        .map(|f| (*f).to_owned())
        .collect();
    metadata.generator = shared.linker.generator().to_owned();
    metadata.producer = concat!("parloop ", env!("CARGO_PKG_VERSION")).to_owned();
    metadata.label = label;
    metadata.compile_time = compile_time;
    metadata
}

/// What the shortcut's record says, if there is one.
fn recorded(shared: &Shared, shortcut: &Named) -> Option<Resolution> {
    let expect = Expect::Preimage(&shortcut.preimage);
    let entry = shared
        .store
        .load(Table::Shortcuts, &shortcut.key, expect, &host::has)
        .ok()?;
    match Record::decode(entry.payload()) {
        Some(Record { key, facts }) => Some(Resolution { key, facts }),
        None => {
            shared
                .store
                .reject(Table::Shortcuts, &shortcut.key, "record");
            None
        }
    }
}

fn publish_record(shared: &Shared, shortcut: &Named, parsed: &Parsed) {
    let record = Record {
        key: parsed.named.key,
        facts: parsed.facts.clone(),
    };
    let publication = Publication {
        payload: record.encode().into(),
        preimage: shortcut.preimage.clone(),
        metadata: Metadata::default(),
    };
    shared
        .store
        .publish(Table::Shortcuts, &shortcut.key, publication, None);
}
