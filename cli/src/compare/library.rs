//! A driver in a shared object that a C compiler made: loaded, and asked to call functions.
//!
//! Invariant: what is called has the prototype that the driver was written for, and gets arrays of the extents that its signature
//! says, each its own.

#![allow(unsafe_code)]

use super::driver::{address_name, call_name};
use super::inputs::Values;
use parloop::Function;
use std::ffi::{c_int, c_long, c_void};
use std::path::Path;

type Call = unsafe extern "C" fn(*const c_void, *const *mut u8, c_long) -> c_int;
type Address = unsafe extern "C" fn() -> *const c_void;

/// The C compiler's code of one function.
pub(super) struct Library {
    ours: Call,
    theirs: Call,
    kernel: *const c_void,
    _owner: libloading::Library,
}

/// What a driver hands to a function.
struct Args {
    /// One for each parameter.
    pointers: Vec<*mut u8>,
    /// What those point to that are to row pointers.
    _rows: Vec<Vec<*mut u8>>,
}

impl Args {
    fn of(values: &mut [Values]) -> Args {
        let mut rows = Vec::new();
        let pointer = |values: &mut Values| match values.row_addresses() {
            None => values.address(),
            Some(mut addresses) => {
                let base = addresses.as_mut_ptr().cast();
                rows.push(addresses);
                base
            }
        };
        Args {
            pointers: values.iter_mut().map(pointer).collect(),
            _rows: rows,
        }
    }
}

impl Library {
    /// Loads function number `index` of a driver.
    pub(super) fn load(path: &Path, index: usize) -> Result<Library, libloading::Error> {
        // SAFETY: the compiler built it a moment ago, in our own temporary directory; this process is for running it.
        let owner = unsafe { libloading::Library::new(path) }?;
        let call = call_name(index);
        // SAFETY: the driver gives these functions these names and types.
        let ours = *unsafe { owner.get::<Call>(call.as_bytes()) }?;
        // SAFETY: as above.
        let theirs = *unsafe { owner.get::<Call>(format!("{call}_void").as_bytes()) }?;
        // SAFETY: as above.
        let address = *unsafe { owner.get::<Address>(address_name(index).as_bytes()) }?;
        // SAFETY: it takes nothing and only returns an address.
        let kernel = unsafe { address() };
        Ok(Library {
            ours,
            theirs,
            kernel,
            _owner: owner,
        })
    }

    /// Calls our function `times` times, or until it fails; gives its status.
    pub(super) fn run_ours(&self, function: &Function, values: &mut [Values], times: usize) -> i32 {
        let args = Args::of(values);
        let args = &args.pointers;
        // SAFETY: the function was compiled from the text that the driver includes, for arrays of these lengths, and lives.
        unsafe { (self.ours)(function.as_ptr(), args.as_ptr(), times as c_long) }
    }

    /// Calls the C compiler's function `times` times.
    pub(super) fn run_theirs(&self, values: &mut [Values], times: usize) {
        let args = Args::of(values);
        let args = &args.pointers;
        // SAFETY: our guarded code has run on the same values without leaving an array, so this code stays inside too.
        unsafe { (self.theirs)(self.kernel, args.as_ptr(), times as c_long) };
    }
}
