//! From a kernel and a signature to code: memory, disk, compiler, in this order.
//!
//! `Search::begin` finds the fingerprint (remembered by the kernel, or recorded on disk, or by parsing the text), `finish` the code
//! of it; `together` does so for several kernels. Invariants: whatever the disk holds, the caller gets code made from its own
//! request or an error that is not the cache's; code just compiled goes through the loader that reads the disk's.

use super::doubt::{Doubt, Keep};
use super::identity::{self, Parsed, Resolution};
use super::{Engine, Shared, doubt, explain, reason};
use crate::code::{Code, LoadError};
use crate::error::Error;
use crate::host;
use crate::kernel::Kernel;
use crate::par_loop::CodeSource;
use crate::perf_map;
use parloop_cache::{Cost, Event, Expect, FlightGuard, Layer, Offer, Publication, Table};
use parloop_compiler::ir::Loop;
use parloop_compiler::{ConstantDecl, Shortcut, ShortcutRecord, Signature};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// No lock is refused that late unless it was waited for.
const WAITED_MIN: Duration = Duration::from_millis(1);

/// Code, and how it was come by.
pub(crate) struct Acquired {
    pub(crate) code: Arc<Code>,
    pub(crate) resolution: Arc<Resolution>,
    /// Of the kernel constants' declarations that the code was made from.
    pub(crate) generation: u64,
    pub(crate) source: CodeSource,
    /// How long it took, not counting what else was done meanwhile.
    pub(crate) duration: Duration,
    /// The loop that the code is of, if its results are to be audited.
    pub(crate) audit: Option<Box<Loop>>,
}

/// A kernel and a signature on their way to code.
pub(super) struct Search<'a> {
    shared: &'a Shared,
    kernel: &'a Kernel,
    signature: &'a Signature,
    /// Kernel constants as the front end reads them, and their generation.
    constants: Arc<Vec<ConstantDecl>>,
    generation: u64,
    resolution: Arc<Resolution>,
    /// There if the text had to be parsed.
    parsed: Option<Parsed>,
    /// What leads to the fingerprint without parsing, unless the kernel remembered it.
    shortcut: Option<Shortcut>,
    /// How long the front end took, if the disk is to be told of the shortcut.
    unrecorded: Option<Duration>,
    /// See [`Acquired::audit`].
    audit: Option<Box<Loop>>,
    /// The kernel's parameters were not those of the record that they were checked by.
    replaced: bool,
}

/// Why `Search::fetch` found nothing.
enum Unmade {
    Failed(Error),
    /// The record led to another kernel than the text does.
    Misled(Box<Parsed>),
}

impl From<Error> for Unmade {
    fn from(error: Error) -> Unmade {
        Unmade::Failed(error)
    }
}

impl Engine {
    /// The code for `kernel` under `signature`, compiled if it is neither in memory nor on disk. `check` sees the kernel's
    /// parameters before anything is looked for.
    pub(crate) fn acquire(
        &self,
        kernel: &Kernel,
        signature: &Signature,
        check: impl Fn(&ShortcutRecord) -> Result<(), Error>,
    ) -> Result<Acquired, Error> {
        let started = Instant::now();
        Search::begin(self.shared(), kernel, signature)?.finish(started, check)
    }
}

impl<'a> Search<'a> {
    /// Finds out the fingerprint.
    pub(super) fn begin(
        shared: &'a Shared,
        kernel: &'a Kernel,
        signature: &'a Signature,
    ) -> Result<Search<'a>, Error> {
        let (generation, constants) = shared.constants.declarations();
        let (resolution, parsed, shortcut);
        let mut unrecorded = None;
        if let Some(remembered) = kernel.recall(signature, generation) {
            (resolution, parsed, shortcut) = (remembered, None, None);
        } else {
            let path = identity::shortcut(shared, kernel, signature, &constants);
            let recorded = identity::recorded(shared, &path);
            (resolution, parsed) = match recorded {
                Some(recorded) if !doubt::all(shared) => (recorded, None),
                recorded => {
                    let parsed = identity::parse(shared, kernel, signature, &constants)?;
                    let is_so = |recorded| identity::is_confirmed(shared, &path, recorded, &parsed);
                    if !recorded.as_deref().is_some_and(is_so) {
                        unrecorded = Some(parsed.took);
                    }
                    (parsed.resolution.clone(), Some(parsed))
                }
            };
            kernel.remember(signature, generation, &resolution);
            shortcut = Some(path);
        }
        Ok(Search {
            shared,
            kernel,
            signature,
            constants,
            generation,
            resolution,
            parsed,
            shortcut,
            unrecorded,
            audit: None,
            replaced: false,
        })
    }

    /// How much there may be to compile: the values of a kernel that had to be parsed. What is known without is most often kept.
    pub(super) fn size(&self) -> Option<usize> {
        let parsed = self.parsed.as_ref()?;
        Some(parsed.request.kernel.body.values.len())
    }

    /// Comes to code, on which work `started`. `check` sees the kernel's parameters before anything is looked for.
    pub(super) fn finish(
        mut self,
        started: Instant,
        check: impl Fn(&ShortcutRecord) -> Result<(), Error>,
    ) -> Result<Acquired, Error> {
        self.check(&check)?;
        let mut found = self.fetch();
        if let Err(Unmade::Misled(parsed)) = found {
            self.correct(*parsed);
            check(&self.resolution.record)?;
            found = self.fetch();
        }
        let (code, source) = found.map_err(|unmade| match unmade {
            Unmade::Failed(error) => error,
            // A parsed text has one fingerprint.
            Unmade::Misled(parsed) => Error::Load {
                kernel: parsed.resolution.record.name.clone(),
                reason: LoadError::Info {
                    what: "the kernel has two fingerprints",
                },
            },
        })?;
        if self.replaced {
            check(&self.resolution.record)?;
        }
        Ok(Acquired {
            code,
            resolution: self.resolution,
            generation: self.generation,
            source,
            duration: started.elapsed(),
            audit: self.audit,
        })
    }

    /// Whether the kernel's parameters are as the caller wants them. Nobody is refused for what only a record says.
    fn check(&mut self, check: impl Fn(&ShortcutRecord) -> Result<(), Error>) -> Result<(), Error> {
        let checked = check(&self.resolution.record);
        if checked.is_ok() || self.parsed.is_some() {
            return checked;
        }
        match self.parse() {
            Ok(parsed) => self.parsed = Some(parsed),
            Err(Unmade::Misled(parsed)) => self.correct(*parsed),
            Err(Unmade::Failed(error)) => return Err(error),
        }
        check(&self.resolution.record)
    }

    /// Goes on from what the text says instead of what the record said.
    fn correct(&mut self, parsed: Parsed) {
        self.replace_record(&parsed, reason::MISLED);
        self.parsed = Some(parsed);
    }

    fn replace_record(&mut self, parsed: &Parsed, reason: &'static str) {
        if let Some(shortcut) = &self.shortcut {
            identity::retract(self.shared, shortcut, reason);
        }
        self.resolution = parsed.resolution.clone();
        self.kernel
            .remember(self.signature, self.generation, &self.resolution);
        self.unrecorded = Some(parsed.took);
    }

    /// Finds or makes the code of the fingerprint.
    fn fetch(&mut self) -> Result<(Arc<Code>, CodeSource), Unmade> {
        let shared = self.shared;
        let key = self.resolution.key;
        if shared.distrusted.has(&key) {
            return Err(Unmade::Failed(Error::ResultsDiffer {
                kernel: self.resolution.record.name.clone(),
                fingerprint: key.to_string(),
            }));
        }
        let mut source = CodeSource::Memory;
        let code = shared.classes.get_or_try_init(&key, || {
            let (code, from, time) = self.make()?;
            source = from;
            if shared.config.perf_map {
                perf_map::note(&code, &self.resolution.record.name);
            }
            let bytes = code.weight_bytes();
            Ok::<_, Unmade>((code, Cost { bytes, time }))
        })?;
        if let (Some(shortcut), Some(took)) = (&self.shortcut, self.unrecorded) {
            identity::keep(shared, shortcut, &self.resolution, took);
        }
        Ok((code, source))
    }

    /// The code from the disk, else compiled, and how long compiling it took.
    fn make(&mut self) -> Result<(Code, CodeSource, Duration), Unmade> {
        let (shared, key) = (self.shared, self.resolution.key);
        let expect = match &self.parsed {
            Some(parsed) => Expect::Preimage(&parsed.preimage),
            None => Expect::PreimageDigest(*key.as_bytes()),
        };
        if let Ok(offer) = shared.store.offer(Table::Objects, &key, expect, &host::has)
            && let Some((offer, code)) = from_disk(shared, offer)
        {
            return self.hit(offer, code);
        }
        let parsed = self.parse()?;
        explain::tell(shared, self.kernel, &parsed);
        let asked = Instant::now();
        let guard = shared.store.lock(&key);
        let expect = Expect::Preimage(&parsed.preimage);
        // Whoever waited, were it in vain, may find what another process published meanwhile.
        if (guard.is_some() || asked.elapsed() >= WAITED_MIN)
            && let Ok(offer) = shared
                .store
                .offer_again(Table::Objects, &key, expect, &host::has)
            && let Some((offer, code)) = from_disk(shared, offer)
        {
            self.parsed = Some(parsed);
            return self.hit(offer, code);
        }
        let made = compile(shared, &parsed, None)?;
        let took = made.duration;
        let code = keep(shared, &parsed, made, guard)?;
        Ok((code, CodeSource::Compiled, took))
    }

    /// The request, parsed if it was not yet, and of the fingerprint that is looked for. A record that led to this fingerprint but
    /// says other things of the kernel is replaced.
    fn parse(&mut self) -> Result<Parsed, Unmade> {
        if let Some(parsed) = self.parsed.take() {
            return Ok(parsed);
        }
        let parsed = identity::parse(self.shared, self.kernel, self.signature, &self.constants)?;
        if parsed.resolution.key != self.resolution.key {
            return Err(Unmade::Misled(Box::new(parsed)));
        }
        if !parsed.resolution.is_alike(&self.resolution) {
            self.replace_record(&parsed, reason::DIFFERS);
            self.replaced = true;
        }
        Ok(parsed)
    }

    /// Code from the disk, made again first if it is to be doubted; what differs is replaced, and the hit taken back.
    fn hit(
        &mut self,
        offer: Offer<'_>,
        code: Code,
    ) -> Result<(Code, CodeSource, Duration), Unmade> {
        let (shared, key) = (self.shared, self.resolution.key);
        let time = offer.entry().compile_time();
        let Some(doubt) = doubt::due(shared) else {
            offer.take();
            return Ok((code, CodeSource::Disk, time));
        };
        let entry = offer.take_to_compare();
        let parsed = self.parse()?;
        let mut again = Keep::default();
        let watched = doubt == Doubt::Results;
        let made = compile(shared, &parsed, watched.then_some(&mut again))?;
        self.audit = again.looped();
        if made.object == entry.payload() {
            let layer = Layer::Disk;
            shared.observer.event(&Event::Verified { layer, key });
            return Ok((code, CodeSource::Disk, time));
        }
        shared.store.retract(Table::Objects, &key, reason::DIFFERS);
        let time = made.duration;
        Ok((
            keep(shared, &parsed, made, None)?,
            CodeSource::Compiled,
            time,
        ))
    }
}

/// The code of a verified entry. One that the loader refuses is rejected, and no hit; one that there is no memory for is none either,
/// but stays.
fn from_disk<'a>(shared: &Shared, offer: Offer<'a>) -> Option<(Offer<'a>, Code)> {
    match Code::load(offer.entry().payload(), &shared.hosts, &*shared.linker) {
        Ok(code) => Some((offer, code)),
        // A condition of this process, of which the entry is innocent.
        Err(error @ LoadError::Map { .. }) => {
            offer.leave(error.code());
            None
        }
        Err(error) => {
            offer.refuse(error.code());
            None
        }
    }
}

/// An object that was just compiled.
struct Made {
    object: Vec<u8>,
    duration: Duration,
}

fn compile(shared: &Shared, parsed: &Parsed, watch: Option<&mut Keep>) -> Result<Made, Error> {
    let Resolution { key, record } = &*parsed.resolution;
    let started = Instant::now();
    shared.compilations.fetch_add(1, Ordering::Relaxed);
    let compiled = match watch {
        None => shared.workspaces.compile(&parsed.request),
        Some(watch) => parloop_compiler::compile_watched(&parsed.request, watch),
    };
    let compiled = compiled.map_err(|reason| Error::Compile {
        kernel: record.name.clone(),
        reason: Box::new(reason),
    })?;
    let duration = started.elapsed();
    shared.observer.event(&Event::Compile {
        key: *key,
        duration,
    });
    let object = compiled.object;
    Ok(Made { object, duration })
}

/// Loads what was made as if it came from the disk, and has it kept there.
fn keep(
    shared: &Shared,
    parsed: &Parsed,
    made: Made,
    guard: Option<FlightGuard>,
) -> Result<Code, Error> {
    let Resolution { key, record } = &*parsed.resolution;
    let code = Code::load(&made.object, &shared.hosts, &*shared.linker);
    let code = code.map_err(|reason| Error::Load {
        kernel: record.name.clone(),
        reason,
    })?;
    let mut metadata = identity::metadata(shared, record);
    metadata.compile_time = made.duration;
    let features = shared.target.level.features().iter();
    metadata.features = features.map(|f| (*f).to_owned()).collect();
    if shared.distrusted.has(key) {
        // Found wrong meanwhile, by a loop of another thread.
        return Ok(code);
    }
    let publication = Publication {
        payload: made.object.into(),
        preimage: parsed.preimage.clone(),
        metadata,
    };
    shared
        .store
        .publish(Table::Objects, key, publication, guard);
    Ok(code)
}
