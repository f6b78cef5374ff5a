//! How the elements of a loop are run: in which order, in how many calls.

mod sequential;

pub(crate) use sequential::{Elements, run};
