//! What the specifications share: kernels with their calls as data, and the ways of running them.
//!
//! [`case`] says what a kernel and its arguments are, [`world`] makes a mesh and values for them, [`ways`] runs a case in the
//! interpreter and natively, [`oracle`] through the system's C compiler, [`plain`] does all that with plain functions, [`log`] writes
//! events down, [`fuzzing`] says how long a fuzzer runs. The specifications themselves are in `tests/`, a file for each promise or behaviour.

pub mod cached;
pub mod case;
pub mod child;
pub mod fuzzing;
pub mod log;
pub mod meter;
pub mod mutate;
pub mod oracle;
pub mod plain;
pub mod ways;
pub mod world;
