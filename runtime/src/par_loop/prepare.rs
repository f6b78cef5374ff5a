//! Getting a loop ready: arguments bound and checked, code acquired, all of it put together.
//!
//! Invariant: what a prepared loop gets here, code, arguments and constants, fits together: the code was acquired for the
//! binding's signature, under the declarations that the constants' values are of.

use super::audit::Audit;
use super::call::{ArgSlots, Call, Held, Holder, Parts};
use super::prepared::Domain;
use super::{Arg, ArgError, Binding, Data, Over, PreparedLoop, bind, check_params};
use crate::constants::{ConstantValue, Snapshot};
use crate::engine::{Acquired, Engine, Explanation, Resolution};
use crate::error::Error;
use crate::kernel::Kernel;
use crate::mesh::Set;
use parloop_compiler::ir::Loop;
use parloop_compiler::{ArgSignature, Signature, Source};
use std::sync::Arc;

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

    /// Why a loop is, or is not, in the cache directory, and what else is there that comes nearest to it: in which arguments,
    /// numbers, statements and options that differs. Parses the text and reads all entries, which takes some 20 µs for
    /// each; runs nothing, compiles nothing, and sends no event.
    ///
    /// # Errors
    /// As [`Engine::prepare`], save what only compiling finds.
    pub fn explain<'a>(
        &self,
        kernel: &Kernel,
        over: impl Into<Over<'a>>,
        args: &[Arg<'a>],
    ) -> Result<Explanation, Error> {
        explain(self, kernel, over.into(), args, false)
    }

    /// The same of a loop as [`Engine::prepare_conflicting`] takes it.
    ///
    /// # Errors
    /// As [`Engine::explain`].
    pub fn explain_conflicting<'a>(
        &self,
        kernel: &Kernel,
        over: impl Into<Over<'a>>,
        args: &[Arg<'a>],
    ) -> Result<Explanation, Error> {
        explain(self, kernel, over.into(), args, true)
    }
}

fn explain(
    engine: &Engine,
    kernel: &Kernel,
    over: Over<'_>,
    args: &[Arg<'_>],
    allow_conflicts: bool,
) -> Result<Explanation, Error> {
    if !kernel.belongs_to(engine) {
        return Err(Error::OtherEngine {
            kernel: kernel.label(),
        });
    }
    let binding = bind(&engine.shared().registry, over, args, allow_conflicts)
        .map_err(|reason| refused(kernel.label(), over.set(), reason))?;
    engine.explain_signature(kernel, &binding.signature, |record| {
        check_params(&record.params, &binding.signature)
            .map_err(|reason| refused(record.name.clone(), over.set(), reason))
    })
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
    let audit = audit(
        engine,
        &binding.signature,
        acquired.audit,
        &acquired.resolution,
    );
    Ok(PreparedLoop {
        call,
        audit,
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

pub(super) fn refused(kernel: String, set: &Set, reason: ArgError) -> Error {
    Error::Refused {
        kernel,
        set: set.name().to_owned(),
        reason: Box::new(reason),
    }
}

/// Code, and the values of the constants it reads, as of one moment.
pub(super) fn acquire(
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

/// What code is held against that was acquired for this signature, if it is to be audited.
pub(super) fn audit(
    engine: &Engine,
    signature: &Signature,
    looped: Option<Box<Loop>>,
    resolution: &Resolution,
) -> Option<Box<Audit>> {
    Some(Box::new(Audit {
        engine: engine.clone(),
        key: resolution.key,
        looped: looped?,
        args: signature.args.iter().map(arg_slots).collect(),
    }))
}

fn arg_slots(arg: &ArgSignature) -> ArgSlots {
    ArgSlots {
        data: (arg.source != Source::Element).then_some(usize::from(arg.dat)),
        map: arg.source.map().map(|map| usize::from(map.slot)),
    }
}

/// The values that a kernel's constants have now.
pub(super) fn constants(engine: &Engine, resolution: &Resolution) -> Result<Snapshot, Error> {
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
    Parts {
        code,
        args: binding.signature.args.iter().map(arg_slots).collect(),
        slots: binding.slots.iter().filter_map(held).collect(),
        maps: binding.maps.iter().map(|map| (*map).clone()).collect(),
        values,
        steps: engine.shared().config.steps_max,
    }
}
