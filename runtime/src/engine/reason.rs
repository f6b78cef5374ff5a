//! Why a genuine entry or record is taken away all the same: the codes that `Reject` events give, besides the store's own.
//!
//! A code never changes its meaning. The cache's `FORMAT.md` has a row for each.

use crate::code::LoadError;

/// A shortcut's record can't be read.
pub(crate) const BAD_RECORD: &str = "bad_record";
/// A shortcut led to another entry than its text does.
pub(crate) const MISLED: &str = "misled";
/// An object is not what the compiler makes of its request now, or a record not what the front end says of its text.
pub(crate) const DIFFERS: &str = "differs";
/// The results of code are not the interpreter's.
pub(crate) const RESULTS_DIFFER: &str = "results_differ";

/// The codes of all reasons for which an engine has a genuine file taken away.
pub fn rejection_codes() -> Vec<&'static str> {
    let own = [BAD_RECORD, MISLED, DIFFERS, RESULTS_DIFFER];
    own.into_iter().chain(LoadError::CODES).collect()
}
