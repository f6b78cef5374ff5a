//! A loop in a shared object that a C compiler made: loaded, and run on a prepared loop's arguments.
//!
//! Invariant: a `Library` runs only in place of the loop that its C file was
//! printed for, which it knows by the fingerprint.

#![allow(unsafe_code)]

use parloop::{Entry, Error, PreparedLoop};
use parloop_compiler::abi;
use std::path::Path;
use std::time::{Duration, Instant};

/// Code in a shared object, loaded as long as this lives.
pub(crate) struct Library {
    entry: Entry,
    fingerprint: String,
    _owner: libloading::Library,
}

impl Library {
    /// Loads what a C compiler made of the C file of `prepared`.
    pub(crate) fn load(path: &Path, prepared: &PreparedLoop) -> Result<Library, libloading::Error> {
        // SAFETY: the compiler built it a moment ago, in our own temporary directory, from text without initialisers.
        let owner = unsafe { libloading::Library::new(path) }?;
        // SAFETY: `dump_c` gives the function this name and the type of the ABI.
        let entry = *unsafe { owner.get::<Entry>(abi::ENTRY.as_bytes()) }?;
        Ok(Library {
            entry,
            fingerprint: prepared.fingerprint(),
            _owner: owner,
        })
    }

    /// Runs it in place of the loop's own code; gives the time of the call.
    pub(crate) fn run(&self, prepared: &mut PreparedLoop) -> Result<Duration, Error> {
        assert_eq!(
            prepared.fingerprint(),
            self.fingerprint,
            "another loop's code"
        );
        let started = Instant::now();
        // SAFETY: the code was made from this loop's kernel and signature, uses no scratch memory, and `self` owns it.
        let outcome = unsafe { prepared.run_with(self.entry) };
        let time = started.elapsed();
        outcome.map(|()| time)
    }
}
