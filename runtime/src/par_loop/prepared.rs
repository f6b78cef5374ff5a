//! Prepared loops: code and arguments together, to run many times.
//!
//! Invariant: the call in a prepared loop is of code that was acquired for exactly its signature, and its constants are those
//! of the version it has seen; a run first compares that with the engine's.

use super::ArgError;
use super::audit::Audit;
use super::call::{Call, Stopped};
use super::prepare::{acquire, audit, constants, refused};
use super::useful::useful_bytes;
use crate::code::Entry;
use crate::engine::{Engine, Resolution};
use crate::error::{Error, Fault};
use crate::exec::Elements;
use crate::kernel::Kernel;
use crate::mesh::{Set, Subset};
use parloop_compiler::Signature;
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
    pub(super) call: Call,
    /// The version of the engine's constants that `call` has.
    pub(super) constants_seen: u64,
    /// The generation of their declarations that the code was acquired under.
    pub(super) declarations_seen: u64,
    pub(super) domain: Domain,
    pub(super) engine: Engine,
    pub(super) kernel: Kernel,
    pub(super) signature: Signature,
    pub(super) resolution: Arc<Resolution>,
    pub(super) source: CodeSource,
    pub(super) acquire_time: Duration,
    /// What its code is held against when it first runs.
    pub(super) audit: Option<Box<Audit>>,
}

/// What is looped over.
pub(super) enum Domain {
    Set(Set),
    Subset(Subset),
}

impl Domain {
    pub(super) fn set(&self) -> &Set {
        match self {
            Domain::Set(set) => set,
            Domain::Subset(subset) => subset.superset(),
        }
    }

    fn elements(&self) -> Elements<'_> {
        match self {
            Domain::Set(set) => Elements::Range(0, set.size() as u64),
            Domain::Subset(subset) => Elements::Subset(subset.elements()),
        }
    }
}

/// Runs the call, the first time audited if that is due. A run that is refused or has no element does not count as one.
#[inline]
fn run(
    call: &mut Call,
    audit: &mut Option<Box<Audit>>,
    elements: Elements<'_>,
) -> Result<(), Stopped> {
    let Some(due) = audit.as_ref().filter(|_| !elements.is_empty()) else {
        return call.run(elements);
    };
    let outcome = due.run(call, elements);
    if !matches!(outcome, Err(Stopped::Busy(_))) {
        *audit = None;
    }
    outcome
}

impl PreparedLoop {
    /// Runs on the owned elements of the set, or on the elements of the subset, in order.
    ///
    /// # Errors
    /// [`Error::Busy`] if a dat or global is in use, [`Error::Kernel`] if the kernel fails at an element, [`Error::ResultsDiffer`] in
    /// mode `audit`.
    #[inline]
    pub fn run(&mut self) -> Result<(), Error> {
        self.refresh()?;
        let outcome = run(&mut self.call, &mut self.audit, self.domain.elements());
        match outcome {
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
        let outcome = run(&mut self.call, &mut self.audit, elements);
        outcome.map_err(|stopped| self.explain(stopped))
    }

    /// Runs on the listed elements of the loop's set (a subset's superset), in order; the halo may be among them, and an
    /// element may be listed more than once. Checks the list each time: loop over a [`Subset`] to have it checked once.
    ///
    /// # Errors
    /// As [`PreparedLoop::run`]; [`ArgError::Range`].
    pub fn run_list(&mut self, elements: &[u32]) -> Result<(), Error> {
        self.check_elements(elements.iter().max().map_or(0, |last| u64::from(*last) + 1))?;
        self.refresh()?;
        let outcome = run(&mut self.call, &mut self.audit, Elements::List(elements));
        outcome.map_err(|stopped| self.explain(stopped))
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
            self.audit = audit(
                &self.engine,
                &self.signature,
                acquired.audit,
                &acquired.resolution,
            );
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
            Stopped::Differs => {
                let fingerprint = self.fingerprint();
                return Error::ResultsDiffer {
                    kernel,
                    fingerprint,
                };
            }
            Stopped::Failed {
                status,
                site,
                element,
                value,
            } => (status, site, element, value),
        };
        let what = Fault::of_status(status);
        let (line, column) = self.kernel.position(site);
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
