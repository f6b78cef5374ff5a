//! A kernel: its text, and what has been learned of it.
//!
//! Lazy: the text is not parsed while shortcuts lead to code without it. Invariant: what the handle remembers for a signature
//! was made from the current generation of the engine's constants, or is not used.

use crate::engine::{Engine, Resolution};
use crate::error::Error;
use crate::fork::Section;
use parloop_compiler::{CheckedKernel, Signature, TextDigest};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock, RwLock};

/// So many signatures are remembered; a kernel has a few.
const REMEMBERED_MAX: usize = 256;

/// A C function to be run on elements. A cheap handle, made by [`Engine::kernel`].
#[derive(Clone)]
pub struct Kernel(Arc<Inner>);

struct Inner {
    engine: Engine,
    text: Arc<Text>,
    function: Option<Box<str>>,
    remembered: RwLock<HashMap<Signature, Remembered>>,
}

/// A text, which several kernels may share.
pub(crate) struct Text {
    text: Box<str>,
    digest: OnceLock<TextDigest>,
}

impl Text {
    pub(crate) fn new(text: &str) -> Arc<Text> {
        Arc::new(Text {
            text: text.into(),
            digest: OnceLock::new(),
        })
    }
}

struct Remembered {
    generation: u64,
    resolution: Arc<Resolution>,
}

impl Kernel {
    pub(crate) fn of(engine: &Engine, text: Arc<Text>, function: Option<&str>) -> Kernel {
        Kernel(Arc::new(Inner {
            engine: engine.clone(),
            text,
            function: function.map(Into::into),
            remembered: RwLock::default(),
        }))
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.0.text.text
    }

    /// The digest of the text, computed when it is first asked for. Nobody waits for another thread that computes it, nor is there
    /// a fork while one is put in place: a child does not have that thread.
    pub(crate) fn text_digest(&self) -> TextDigest {
        let known = &self.0.text.digest;
        known.get().copied().unwrap_or_else(|| {
            let digest = TextDigest::of(self.text());
            let _section = Section::enter();
            let _another_thread_may_have_been_first = known.set(digest);
            digest
        })
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

    /// What is remembered of a signature. Nobody waits for another thread, here or to remember: see [`Kernel::text_digest`].
    pub(crate) fn recall(&self, signature: &Signature, generation: u64) -> Option<Arc<Resolution>> {
        let remembered = self.0.remembered.try_read().ok()?;
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
        let Ok(mut remembered) = self.0.remembered.try_write() else {
            return;
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_of_one_text_share_it_and_its_digest() {
        let engine = Engine::builder().build().unwrap();
        let text = "void f(double *a) { a[0] = 1; } void g(double *a) { a[0] = 2; }";
        let [f, g] = &engine.kernels(text, &["f", "g"])[..] else {
            panic!("two kernels");
        };
        assert!(Arc::ptr_eq(&f.0.text, &g.0.text));
        assert_eq!(g.0.text.digest.get(), None);
        assert_eq!(f.text_digest(), TextDigest::of(text));
        assert_eq!(g.0.text.digest.get(), Some(&TextDigest::of(text)));
        assert_eq!((f.text(), g.function()), (text, Some("g")));
    }
}
