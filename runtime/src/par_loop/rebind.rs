//! Other data for a prepared loop.
//!
//! Invariant: a rebinding never changes the signature, so the code still fits.

use super::call::Holder;
use super::prepare::refused;
use super::{ArgError, PreparedLoop};
use crate::data::{Dat, Global};
use crate::error::Error;
use parloop_compiler::Source;

impl PreparedLoop {
    /// Uses another dat or global where argument `arg` has one now, and with it all arguments that share it. It must have the
    /// same type and dim, be on the same set, and not be used by the loop's other arguments.
    ///
    /// # Errors
    /// [`ArgError::Rebind`], [`ArgError::OtherEngine`].
    pub fn rebind<'a>(&mut self, arg: usize, to: impl Into<Bound<'a>>) -> Result<(), Error> {
        let to = match to.into() {
            Bound::Dat(dat) => Holder::Dat(dat.clone()),
            Bound::Global(global) => Holder::Global(global.clone()),
        };
        match self.rebinding(arg, &to) {
            Ok(slot) => {
                let uses = self.signature.args.iter().enumerate();
                let uses =
                    uses.filter(|(_, a)| a.source != Source::Element && usize::from(a.dat) == slot);
                self.call.rebind(slot, to, uses.map(|(index, _)| index));
                Ok(())
            }
            Err(reason) => Err(refused(self.name().to_owned(), self.domain.set(), reason)),
        }
    }

    /// The slot of argument `arg`, if it can be bound to `to`.
    fn rebinding(&self, arg: usize, to: &Holder) -> Result<usize, ArgError> {
        let buffer = to.buffer();
        let data = || buffer.name().to_owned();
        let refuse = |what| {
            Err(ArgError::Rebind {
                arg,
                data: data(),
                what,
            })
        };
        let Some(signature) = self.signature.args.get(arg) else {
            return refuse("there is no such argument");
        };
        if signature.source == Source::Element {
            return refuse("an element index is bound to nothing");
        }
        if !buffer.belongs_to(&self.engine.shared().registry) {
            return Err(ArgError::OtherEngine { arg, data: data() });
        }
        let slot = usize::from(signature.dat);
        let same_place = match (&self.call.slots()[slot].data, to) {
            (Holder::Dat(now), Holder::Dat(to)) => now.set() == to.set(),
            (Holder::Global(_), Holder::Global(_)) => true,
            _ => false,
        };
        if !same_place {
            return refuse("it is on another set");
        }
        if buffer.dtype() != signature.dtype || buffer.dim() != signature.dim {
            return refuse("it has another type or dim");
        }
        let others = self
            .call
            .slots()
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != slot);
        if others.into_iter().any(|(_, held)| held.data == *to) {
            return refuse("another argument uses it");
        }
        Ok(slot)
    }
}

/// What an argument can be bound to: a dat or a global.
#[derive(Clone, Copy, Debug)]
pub enum Bound<'a> {
    /// A dat.
    Dat(&'a Dat),
    /// A global.
    Global(&'a Global),
}

impl<'a> From<&'a Dat> for Bound<'a> {
    fn from(dat: &'a Dat) -> Bound<'a> {
        Bound::Dat(dat)
    }
}

impl<'a> From<&'a Global> for Bound<'a> {
    fn from(global: &'a Global) -> Bound<'a> {
        Bound::Global(global)
    }
}
