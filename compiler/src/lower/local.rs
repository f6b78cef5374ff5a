//! Functions that the object has besides the loop's own, whose machine code is ours.

use super::{Lower, strip, update_signature};
use crate::microkernel::{Microkernel, Strip};
use cranelift_codegen::ir::{ExtFuncData, ExternalName, FuncRef, UserExternalName};

/// A function that the object has besides the loop's own.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Local {
    Update(Microkernel),
    Strip(Strip),
}

impl Local {
    /// How many arguments it takes.
    pub(crate) fn arguments(&self) -> usize {
        match self {
            Local::Update(microkernel) => microkernel.steps.len(),
            Local::Strip(_) => strip::ARGUMENTS,
        }
    }

    pub(crate) fn code(&self) -> Vec<u8> {
        match self {
            Local::Update(microkernel) => microkernel.code(),
            Local::Strip(strip) => strip.code().expect("the pass has tried it"),
        }
    }
}

/// The functions that the loop's own calls.
#[derive(Debug)]
pub(crate) struct Locals {
    /// The number that the module gives the next function.
    pub(crate) first: u32,
    /// Numbered in this order from then on.
    pub(crate) made: Vec<(Local, FuncRef)>,
}

impl Lower<'_, '_> {
    /// Declares a function of the object, which equal ones share.
    pub(super) fn local(&mut self, local: Local) -> FuncRef {
        let mut known = self.locals.made.iter();
        if let Some((_, function)) = known.find(|(made, _)| *made == local) {
            return *function;
        }
        let number = self.locals.first + self.locals.made.len() as u32;
        let call_conv = self.b.func.signature.call_conv;
        let signature = update_signature(call_conv, local.arguments());
        let signature = self.b.import_signature(signature);
        let name = self
            .b
            .func
            .declare_imported_user_function(UserExternalName::new(0, number));
        let function = self.b.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: false,
            patchable: false,
        });
        self.locals.made.push((local, function));
        function
    }
}
