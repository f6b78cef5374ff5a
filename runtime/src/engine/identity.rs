//! What a kernel's text comes to under a signature: its request, and the record that saves parsing it again.
//!
//! Invariant: a record is believed only if the store verified it and the preimage kept with it is that of this very text,
//! signature and engine.

use super::{Engine, Shared, reason};
use crate::error::Error;
use crate::host;
use crate::kernel::Kernel;
use parloop_cache::{Event, Expect, Key, Layer, Metadata, Publication, Table};
use parloop_compiler::{
    CheckedKernel, ConstantDecl, Iteration, KernelText, Preimage, Request, Shortcut,
    ShortcutRecord, Signature, function_signature, provisional_extents,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a kernel and a signature come to.
pub(crate) struct Resolution {
    /// The fingerprint of the request, as the caches know it.
    pub(crate) key: Key,
    /// The same, and what else is known of the kernel without its text.
    pub(crate) record: ShortcutRecord,
}

/// What parsing gives.
pub(super) struct Parsed {
    pub(super) request: Request,
    pub(super) preimage: Arc<[u8]>,
    pub(super) resolution: Arc<Resolution>,
    /// How long that took, which a record saves.
    pub(super) took: Duration,
}

impl Resolution {
    fn of(record: ShortcutRecord) -> Resolution {
        Resolution {
            key: Key::new(record.request_fingerprint.0),
            record,
        }
    }

    /// Whether both say the same of the kernel, in every byte that is kept.
    pub(super) fn is_alike(&self, other: &Resolution) -> bool {
        self.record.encode() == other.record.encode()
    }
}

/// What the front end reads for a kernel.
pub(super) fn text<'a>(
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

impl Engine {
    /// Parses and checks a kernel's text.
    pub(crate) fn check(&self, kernel: &Kernel) -> Result<CheckedKernel, Error> {
        let (_, constants) = self.shared().constants.declarations();
        check(self.shared(), kernel, &constants)
    }
}

fn check(
    shared: &Shared,
    kernel: &Kernel,
    constants: &[ConstantDecl],
) -> Result<CheckedKernel, Error> {
    let checked = shared.texts.check(&text(shared, kernel, constants));
    checked.map_err(|diagnostics| Error::Text {
        kernel: kernel.label(),
        diagnostics,
    })
}

/// Parses the text and makes the request.
pub(super) fn parse(
    shared: &Shared,
    kernel: &Kernel,
    signature: &Signature,
    constants: &[ConstantDecl],
) -> Result<Parsed, Error> {
    let started = Instant::now();
    let checked = check(shared, kernel, constants)?;
    let signature = match signature.iteration {
        Iteration::Elements => signature.clone(),
        Iteration::Function => complete(&checked, signature)?,
    };
    let CheckedKernel {
        name,
        kernel,
        params,
        constants,
        warnings,
        sites: _,
    } = checked;
    let (options, target) = (shared.options, shared.target);
    let request = Request {
        kernel,
        signature,
        options,
        target,
    };
    let preimage = Preimage::of(&request);
    let request_fingerprint = preimage.fingerprint();
    let record = ShortcutRecord {
        request_fingerprint,
        name,
        params,
        constants,
        warnings,
    };
    let preimage = preimage.into_bytes().into();
    Ok(Parsed {
        request,
        preimage,
        resolution: Arc::new(Resolution::of(record)),
        took: started.elapsed(),
    })
}

/// The signature of a plain function, of which the caller gave the extents only.
fn complete(checked: &CheckedKernel, signature: &Signature) -> Result<Signature, Error> {
    function_signature(checked, &provisional_extents(signature)).map_err(|reason| Error::Extent {
        kernel: checked.name.clone(),
        reason,
    })
}

/// What leads past the front end.
pub(super) fn shortcut(
    shared: &Shared,
    kernel: &Kernel,
    signature: &Signature,
    constants: &[ConstantDecl],
) -> Shortcut {
    Shortcut::of(
        &text(shared, kernel, constants),
        &kernel.text_digest(),
        signature,
        &shared.options,
        &shared.target,
    )
}

/// What the disk has under a shortcut.
pub(super) fn recorded(shared: &Shared, shortcut: &Shortcut) -> Option<Arc<Resolution>> {
    let key = Key::new(shortcut.key);
    let expect = Expect::Preimage(&shortcut.preimage);
    let offer = shared
        .store
        .offer(Table::Shortcuts, &key, expect, &host::has)
        .ok()?;
    match ShortcutRecord::decode(offer.entry().payload()) {
        Ok(record) => {
            offer.take();
            Some(Arc::new(Resolution::of(record)))
        }
        Err(_) => {
            offer.refuse(reason::BAD_RECORD);
            None
        }
    }
}

/// Whether a record that was told as a hit says what the text says; else it is taken away.
pub(super) fn is_confirmed(
    shared: &Shared,
    shortcut: &Shortcut,
    recorded: &Resolution,
    parsed: &Parsed,
) -> bool {
    let fresh = &parsed.resolution;
    let is_so = recorded.is_alike(fresh);
    if is_so {
        let (layer, key) = (Layer::Shortcut, Key::new(shortcut.key));
        shared.observer.event(&Event::Verified { layer, key });
    } else if recorded.key == fresh.key {
        retract(shared, shortcut, reason::DIFFERS);
    } else {
        retract(shared, shortcut, reason::MISLED);
    }
    is_so
}

/// Takes a record away that was told as a hit and is no good.
pub(super) fn retract(shared: &Shared, shortcut: &Shortcut, reason: &'static str) {
    shared
        .store
        .retract(Table::Shortcuts, &Key::new(shortcut.key), reason);
}

/// Keeps what a text came to, for processes to come, which save the time that it took.
pub(super) fn keep(shared: &Shared, shortcut: &Shortcut, resolution: &Resolution, took: Duration) {
    let mut metadata = metadata(shared, &resolution.record);
    metadata.compile_time = took;
    let publication = Publication {
        payload: resolution.record.encode().into(),
        preimage: shortcut.preimage.as_slice().into(),
        metadata,
    };
    shared
        .store
        .publish(Table::Shortcuts, &Key::new(shortcut.key), publication, None);
}

/// What entries and records say of themselves.
pub(super) fn metadata(shared: &Shared, record: &ShortcutRecord) -> Metadata {
    let mut metadata = Metadata::default();
    metadata.generator = shared.linker.generator().to_owned();
    metadata.producer = concat!("parloop ", env!("CARGO_PKG_VERSION")).to_owned();
    metadata.label.clone_from(&record.name);
    metadata
}
