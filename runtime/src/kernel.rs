//! A kernel: its text, and what has been learned of it.
//!
//! Lazy: the text is not parsed while shortcuts lead to code without it. Invariant: what the handle remembers for a signature
//! was made from the current generation of the engine's constants, or is not used.

use crate::engine::{Engine, Resolution};
use crate::error::Error;
use parloop_compiler::{CheckedKernel, Signature};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// So many signatures are remembered; a kernel has a few.
const REMEMBERED_MAX: usize = 256;

/// A C function to be run on elements. A cheap handle, made by [`Engine::kernel`].
#[derive(Clone)]
pub struct Kernel(Arc<Inner>);

struct Inner {
    engine: Engine,
    text: Box<str>,
    function: Option<Box<str>>,
    remembered: RwLock<HashMap<Signature, Remembered>>,
}

struct Remembered {
    generation: u64,
    resolution: Arc<Resolution>,
}

impl Kernel {
    pub(crate) fn of(engine: &Engine, text: &str, function: Option<&str>) -> Kernel {
        Kernel(Arc::new(Inner {
            engine: engine.clone(),
            text: text.into(),
            function: function.map(Into::into),
            remembered: RwLock::default(),
        }))
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The function's name, as far as it was given.
    pub fn function(&self) -> Option<&str> {
        self.0.function.as_deref()
    }

    /// Parses and checks the text now. Gives the kernel's name, parameters, constants and warnings.
    ///
    /// # Errors
    /// [`Error::Text`] with all that is wrong.
    pub fn check(&self) -> Result<CheckedKernel, Error> {
        self.0.engine.check(self)
    }

    /// Line and column of a site, from 1. The text is parsed again: code that was found by a shortcut knows no lines.
    pub(crate) fn position(&self, site: u32) -> (Option<u32>, Option<u32>) {
        let checked = self.check().ok();
        let span = checked
            .as_ref()
            .and_then(|checked| checked.sites.get(site as usize));
        let text = self.text();
        let line = span.map(|span| span.line(text));
        (line, span.map(|span| column(text, span.start as usize)))
    }

    /// The name for messages before the text is known.
    pub(crate) fn label(&self) -> String {
        self.function().unwrap_or("the kernel").to_owned()
    }

    pub(crate) fn belongs_to(&self, engine: &Engine) -> bool {
        self.0.engine.is(engine)
    }

    pub(crate) fn recall(&self, signature: &Signature, generation: u64) -> Option<Arc<Resolution>> {
        let remembered = self
            .0
            .remembered
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let found = remembered
            .get(signature)
            .filter(|r| r.generation == generation)?;
        Some(found.resolution.clone())
    }

    pub(crate) fn remember(
        &self,
        signature: &Signature,
        generation: u64,
        resolution: &Arc<Resolution>,
    ) {
        let mut remembered = self
            .0
            .remembered
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(
            signature.clone(),
            Remembered {
                generation,
                resolution: resolution.clone(),
            },
        );
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

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernel({}, {} bytes)", self.label(), self.text().len())
    }
}
