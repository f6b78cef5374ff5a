//! Prepared loops: code and arguments together, to run many times.
//!
//! Invariant: the call in a prepared loop is of code that was acquired for exactly its signature, and its constants are those
//! of the version it has seen; a run first compares that with the engine's.

use super::call::{ArgSlots, Call, Held, Holder, Parts, Stopped};
use super::useful::useful_bytes;
use super::{Arg, ArgError, Binding, Data, Over, bind, check_params};
use crate::code::Entry;
use crate::constants::{ConstantValue, Snapshot};
use crate::data::{Dat, Global};
use crate::engine::{Acquired, Engine, Resolution};
use crate::error::{Error, Fault};
use crate::exec::Elements;
use crate::kernel::Kernel;
use crate::mesh::{Set, Subset};
use parloop_compiler::{Signature, Source, abi};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How the code of a loop was come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodeSource {
    /// It was compiled.
    Compiled,
    /// It was loaded from the cache directory.
    Disk,
    /// It was in memory.
    Memory,
}

impl CodeSource {
    /// The name that reports use.
    pub const fn name(self) -> &'static str {
        match self {
            CodeSource::Compiled => "compiled",
            CodeSource::Disk => "disk",
            CodeSource::Memory => "memory",
        }
    }
}

/// A loop ready to run, again and again: it owns its code and its argument block, and holds its dats, globals and maps.
pub struct PreparedLoop {
    call: Call,
    /// The version of the engine's constants that `call` has.
    constants_seen: u64,
    /// The generation of their declarations that the code was acquired under.
    declarations_seen: u64,
    domain: Domain,
    engine: Engine,
    kernel: Kernel,
    signature: Signature,
    resolution: Arc<Resolution>,
    source: CodeSource,
    acquire_time: Duration,
}

/// What is looped over.
enum Domain {
    Set(Set),
    Subset(Subset),
}

impl Domain {
    fn set(&self) -> &Set {
        match self {
            Domain::Set(set) => set,
            Domain::Subset(subset) => subset.superset(),
        }
    }

    fn elements(&self) -> Elements<'_> {
        match self {
            Domain::Set(set) => Elements::Range(0, set.size() as u64),
            Domain::Subset(subset) => Elements::List(subset.elements()),
        }
    }
}

impl Engine {
    /// Runs `kernel` now on the owned elements of a set, or the elements of a subset, in order.
    ///
    /// # Errors
    /// As [`Engine::prepare`] and [`PreparedLoop::run`].
    pub fn par_loop<'a>(
        &self,
        kernel: &Kernel,
        over: impl Into<Over<'a>>,
        args: &[Arg<'a>],
    ) -> Result<(), Error> {
        prepare(self, kernel, over.into(), args, false)?.run()
    }

    /// Gets a loop ready to run many times.
    ///
    /// # Errors
    /// [`Error::Refused`] if the arguments do not fit, [`Error::Text`] if the kernel does not check, [`Error::Compile`] if it is
    /// too large.
    pub fn prepare<'a>(
        &self,
        kernel: &Kernel,
        over: impl Into<Over<'a>>,
        args: &[Arg<'a>],
    ) -> Result<PreparedLoop, Error> {
        prepare(self, kernel, over.into(), args, false)
    }

    /// The same, and takes arguments that [`ArgError::Conflict`] would refuse. Such a loop runs one element at a time, in order;
    /// what an element reads may be what an earlier one wrote.
    ///
    /// # Errors
    /// As [`Engine::prepare`].
    pub fn prepare_conflicting<'a>(
        &self,
        kernel: &Kernel,
        over: impl Into<Over<'a>>,
        args: &[Arg<'a>],
    ) -> Result<PreparedLoop, Error> {
        prepare(self, kernel, over.into(), args, true)
    }
}

fn prepare(
    engine: &Engine,
    kernel: &Kernel,
    over: Over<'_>,
    args: &[Arg<'_>],
    allow_conflicts: bool,
) -> Result<PreparedLoop, Error> {
    if !kernel.belongs_to(engine) {
        return Err(Error::OtherEngine {
            kernel: kernel.label(),
        });
    }
    let refuse = |kernel: String, reason| refused(kernel, over.set(), reason);
    let binding = bind(&engine.shared().registry, over, args, allow_conflicts)
        .map_err(|reason| refuse(kernel.label(), reason))?;
    let (acquired, constants) = acquire(engine, kernel, over.set(), &binding.signature)?;
    let name = &acquired.resolution.record.name;
    let scratch_bytes = acquired.code.scratch_bytes();
    let call =
        Call::new(parts(engine, &binding, acquired.code, constants.values)).ok_or_else(|| {
            Error::OutOfMemory {
                kernel: name.clone(),
                bytes: scratch_bytes,
            }
        })?;
    let domain = match over {
        Over::Set(set) => Domain::Set(set.clone()),
        Over::Subset(subset) => Domain::Subset(subset.clone()),
    };
    Ok(PreparedLoop {
        call,
        constants_seen: constants.version,
        declarations_seen: constants.generation,
        domain,
        engine: engine.clone(),
        kernel: kernel.clone(),
        signature: binding.signature,
        resolution: acquired.resolution,
        source: acquired.source,
        acquire_time: acquired.duration,
    })
}

fn refused(kernel: String, set: &Set, reason: ArgError) -> Error {
    Error::Refused {
        kernel,
        set: set.name().to_owned(),
        reason: Box::new(reason),
    }
}

/// Code, and the values of the constants it reads, as of one moment.
fn acquire(
    engine: &Engine,
    kernel: &Kernel,
    set: &Set,
    signature: &Signature,
) -> Result<(Acquired, Snapshot), Error> {
    loop {
        let acquired = engine.acquire(kernel, signature, |record| {
            check_params(&record.params, signature)
                .map_err(|reason| refused(record.name.clone(), set, reason))
        })?;
        let constants = constants(engine, &acquired.resolution)?;
        // Else a constant was declared or folded meanwhile, and the code may have another value folded in.
        if constants.generation == acquired.generation {
            return Ok((acquired, constants));
        }
    }
}

/// The values that a kernel's constants have now.
fn constants(engine: &Engine, resolution: &Resolution) -> Result<Snapshot, Error> {
    let record = &resolution.record;
    let snapshot = engine.shared().constants.snapshot(&record.constants);
    snapshot.ok_or_else(|| Error::Constant {
        kernel: record.name.clone(),
    })
}

/// The binding, owned.
fn parts(
    engine: &Engine,
    binding: &Binding<'_>,
    code: Arc<crate::code::Code>,
    values: Vec<Arc<ConstantValue>>,
) -> Parts {
    let held = |slot: &super::Slot<'_>| match slot.data {
        Data::Dat(dat) => Some(Held {
            data: Holder::Dat(dat.clone()),
            written: slot.written,
        }),
        Data::Global(global) => Some(Held {
            data: Holder::Global(global.clone()),
            written: slot.written,
        }),
        Data::Element => None,
    };
    let arg_slots = |arg: &parloop_compiler::ArgSignature| ArgSlots {
        data: (arg.source != Source::Element).then_some(usize::from(arg.dat)),
        map: arg.source.map().map(|map| usize::from(map.slot)),
    };
    Parts {
        code,
        args: binding.signature.args.iter().map(arg_slots).collect(),
        slots: binding.slots.iter().filter_map(held).collect(),
        maps: binding.maps.iter().map(|map| (*map).clone()).collect(),
        values,
        steps: engine.shared().config.steps_max,
    }
}

impl PreparedLoop {
    /// Runs on the owned elements of the set, or on the elements of the subset, in order.
    ///
    /// # Errors
    /// [`Error::Busy`] if a dat or global is in use, [`Error::Kernel`] if the kernel fails at an element.
    #[inline]
    pub fn run(&mut self) -> Result<(), Error> {
        self.refresh()?;
        match self.call.run(self.domain.elements()) {
            Ok(()) => Ok(()),
            Err(stopped) => Err(self.explain(stopped)),
        }
    }

    /// Runs other code in place of the loop's own, on the same arguments: to compare the two.
    ///
    /// # Errors
    /// As [`PreparedLoop::run`]; what the kernel's text says of a failure is only known of the loop's own code.
    ///
    /// # Safety
    /// `entry` is code for exactly this loop's [`signature`](PreparedLoop::signature) and kernel, by the convention of
    /// `parloop_compiler::abi`, needs no more scratch memory than the loop's own, and may be called until this returns.
    pub unsafe fn run_with(&mut self, entry: Entry) -> Result<(), Error> {
        self.refresh()?;
        // SAFETY: passed on to the caller.
        let outcome = unsafe { self.call.run_entry(entry, self.domain.elements()) };
        outcome.map_err(|stopped| self.explain(stopped))
    }

    /// What compilation saw of the arguments.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Runs on elements `begin..end` of the loop's set (a subset's superset), in order; the halo may be among them.
    ///
    /// # Errors
    /// As [`PreparedLoop::run`]; [`ArgError::Range`].
    pub fn run_range(&mut self, begin: usize, end: usize) -> Result<(), Error> {
        self.check_elements(end as u64)?;
        self.refresh()?;
        let elements = Elements::Range(begin.min(end) as u64, end as u64);
        self.call
            .run(elements)
            .map_err(|stopped| self.explain(stopped))
    }

    /// Runs on the listed elements of the loop's set (a subset's superset), in order; the halo may be among them, and an
    /// element may be listed more than once. Checks the list each time: loop over a [`Subset`] to have it checked once.
    ///
    /// # Errors
    /// As [`PreparedLoop::run`]; [`ArgError::Range`].
    pub fn run_list(&mut self, elements: &[u32]) -> Result<(), Error> {
        self.check_elements(elements.iter().max().map_or(0, |last| u64::from(*last) + 1))?;
        self.refresh()?;
        self.call
            .run(Elements::List(elements))
            .map_err(|stopped| self.explain(stopped))
    }

    fn check_elements(&self, end: u64) -> Result<(), Error> {
        let set = self.domain.set();
        let size = set.total_size() as u64;
        if end <= size {
            return Ok(());
        }
        let reason = ArgError::Range {
            set: set.name().to_owned(),
            end,
            size,
        };
        Err(refused(self.name().to_owned(), set, reason))
    }

    /// Uses another dat or global where argument `arg` has one now, and with it all arguments that share it. It must have the
    /// same type and dim, be on the same set, and not be used by the loop's other arguments.
    ///
    /// # Errors
    /// [`ArgError::Rebind`], [`ArgError::OtherEngine`].
    pub fn rebind<'a>(&mut self, arg: usize, to: impl Into<Bound<'a>>) -> Result<(), Error> {
        let to = match to.into() {
            Bound::Dat(dat) => Holder::Dat(dat.clone()),
            Bound::Global(global) => Holder::Global(global.clone()),
        };
        match self.rebinding(arg, &to) {
            Ok(slot) => {
                let uses = self.signature.args.iter().enumerate();
                let uses =
                    uses.filter(|(_, a)| a.source != Source::Element && usize::from(a.dat) == slot);
                self.call.rebind(slot, to, uses.map(|(index, _)| index));
                Ok(())
            }
            Err(reason) => Err(refused(self.name().to_owned(), self.domain.set(), reason)),
        }
    }

    /// The slot of argument `arg`, if it can be bound to `to`.
    fn rebinding(&self, arg: usize, to: &Holder) -> Result<usize, ArgError> {
        let buffer = to.buffer();
        let data = || buffer.name().to_owned();
        let refuse = |what| {
            Err(ArgError::Rebind {
                arg,
                data: data(),
                what,
            })
        };
        let Some(signature) = self.signature.args.get(arg) else {
            return refuse("there is no such argument");
        };
        if signature.source == Source::Element {
            return refuse("an element index is bound to nothing");
        }
        if !buffer.belongs_to(&self.engine.shared().registry) {
            return Err(ArgError::OtherEngine { arg, data: data() });
        }
        let slot = usize::from(signature.dat);
        let same_place = match (&self.call.slots()[slot].data, to) {
            (Holder::Dat(now), Holder::Dat(to)) => now.set() == to.set(),
            (Holder::Global(_), Holder::Global(_)) => true,
            _ => false,
        };
        if !same_place {
            return refuse("it is on another set");
        }
        if buffer.dtype() != signature.dtype || buffer.dim() != signature.dim {
            return refuse("it has another type or dim");
        }
        let others = self
            .call
            .slots()
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != slot);
        if others.into_iter().any(|(_, held)| held.data == *to) {
            return refuse("another argument uses it");
        }
        Ok(slot)
    }

    /// The kernel's name.
    pub fn name(&self) -> &str {
        &self.resolution.record.name
    }

    /// Where its code came from when it was prepared.
    pub fn source(&self) -> CodeSource {
        self.source
    }

    /// How long getting the code took when it was prepared.
    pub fn acquire_time(&self) -> Duration {
        self.acquire_time
    }

    /// The fingerprint of its code, as the cache directory names it.
    pub fn fingerprint(&self) -> String {
        self.resolution.key.to_string()
    }

    /// Bytes that one run has to move: each distinct value touched counts once for each direction (READ and WRITE once, INC and
    /// RW twice), each map entry once. Walks the maps.
    pub fn useful_bytes(&self) -> u64 {
        let (slots, maps) = (self.call.slots(), self.call.maps());
        match &self.domain {
            Domain::Set(set) => useful_bytes(&self.signature, slots, maps, 0..set.size() as u32),
            Domain::Subset(subset) => useful_bytes(
                &self.signature,
                slots,
                maps,
                subset.elements().iter().copied(),
            ),
        }
    }

    /// Sees to it that the values of kernel constants are the current ones.
    #[inline]
    fn refresh(&mut self) -> Result<(), Error> {
        if self.engine.shared().constants.version() == self.constants_seen {
            return Ok(());
        }
        self.refresh_now()
    }

    #[cold]
    fn refresh_now(&mut self) -> Result<(), Error> {
        let mut constants = constants(&self.engine, &self.resolution)?;
        if constants.generation != self.declarations_seen {
            // A folded value may have changed: the code is looked for anew, and most often the same.
            let acquired;
            (acquired, constants) = acquire(
                &self.engine,
                &self.kernel,
                self.domain.set(),
                &self.signature,
            )?;
            let bytes = acquired.code.scratch_bytes();
            if !self.call.set_code(acquired.code) {
                return Err(Error::OutOfMemory {
                    kernel: self.name().to_owned(),
                    bytes,
                });
            }
            self.resolution = acquired.resolution;
            self.declarations_seen = constants.generation;
        }
        self.call.set_constants(constants.values);
        self.constants_seen = constants.version;
        Ok(())
    }

    #[cold]
    fn explain(&self, stopped: Stopped) -> Error {
        let kernel = self.name().to_owned();
        let (status, site, element, value) = match stopped {
            Stopped::Busy(reason) => return Error::Busy { kernel, reason },
            Stopped::Failed {
                status,
                site,
                element,
                value,
            } => (status, site, element, value),
        };
        let what = match status {
            abi::DIVISION_BY_ZERO => Fault::DivisionByZero,
            abi::OUT_OF_STEPS => Fault::OutOfSteps,
            _ => Fault::IndexOutOfRange,
        };
        // The text is parsed again: code that was found by a shortcut knows no lines.
        let checked = self.kernel.check().ok();
        let span = checked
            .as_ref()
            .and_then(|checked| checked.sites.get(site as usize));
        let text = self.kernel.text();
        let line = span.map(|span| span.line(text));
        let column = span.map(|span| column(text, span.start as usize));
        Error::Kernel {
            kernel,
            line,
            column,
            element,
            what,
            value,
        }
    }
}

/// The column of a byte of a text, from 1.
fn column(text: &str, at: usize) -> u32 {
    let head = &text.as_bytes()[..at.min(text.len())];
    let line_start = head
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    u32::try_from(head.len() - line_start + 1).unwrap_or(u32::MAX)
}

/// What an argument can be bound to: a dat or a global.
#[derive(Clone, Copy, Debug)]
pub enum Bound<'a> {
    /// A dat.
    Dat(&'a Dat),
    /// A global.
    Global(&'a Global),
}

impl<'a> From<&'a Dat> for Bound<'a> {
    fn from(dat: &'a Dat) -> Bound<'a> {
        Bound::Dat(dat)
    }
}

impl<'a> From<&'a Global> for Bound<'a> {
    fn from(global: &'a Global) -> Bound<'a> {
        Bound::Global(global)
    }
}

impl fmt::Debug for PreparedLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PreparedLoop({} over {}, {})",
            self.name(),
            self.domain.set().name(),
            self.source.name()
        )
    }
}
