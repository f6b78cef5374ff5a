//! The C text of a kernel, as the apps hand it to a compiler.
//!
//! Texts are embedded in the library, so that they need no file at run time, and each is valid C99 once the constants it
//! names are declared. What a text means is left to whoever compiles it.

/// One kernel: the C function for one element of a set, and where its text came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelText {
    /// Name of the C function to call.
    pub function: &'static str,
    /// File name to show in diagnostics, for example `airfoil/res_calc.c`.
    pub file: &'static str,
    /// The C text.
    pub source: &'static str,
}
