//! The last text of several kernels, lexed: whoever asks for one of its kernels asks for the next one soon.
//!
//! Nothing waits here: a thread that finds the place taken lexes for itself, and so does a child forked meanwhile.

use parloop_compiler::{CheckedKernel, Diagnostics, KernelText, LexedText, check_kernel};
use std::sync::{Arc, Mutex, TryLockError};

/// Larger texts are not kept: tokens take some five times the text.
const KEPT_BYTES_MAX: usize = 8 << 20;

/// The place of one text.
#[derive(Default)]
pub(crate) struct Texts {
    last: Mutex<Option<Arc<LexedText>>>,
}

impl Texts {
    /// [`check_kernel`], which lexes the text unless it is the last one.
    pub(crate) fn check(&self, text: &KernelText<'_>) -> Result<CheckedKernel, Diagnostics> {
        // Who does not say which function has a text of one.
        if text.function.is_none() || text.text.len() > KEPT_BYTES_MAX {
            return check_kernel(text);
        }
        let lexed = match self.known(text.text) {
            Some(lexed) => lexed,
            None => self.keep(LexedText::new(text.text)?),
        };
        lexed.check(text.function, text.constants, text.hosts)
    }

    fn known(&self, text: &str) -> Option<Arc<LexedText>> {
        let last = match self.last.try_lock() {
            Ok(last) => last,
            Err(TryLockError::Poisoned(last)) => last.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let last = Arc::clone(last.as_ref()?);
        last.is_of(text).then_some(last)
    }

    fn keep(&self, lexed: LexedText) -> Arc<LexedText> {
        let lexed = Arc::new(lexed);
        let before = match self.last.try_lock() {
            Ok(mut last) => last.replace(Arc::clone(&lexed)),
            Err(_) => None,
        };
        // Freed after the lock.
        drop(before);
        lexed
    }
}
