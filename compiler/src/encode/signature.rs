//! Encodes signatures, options and targets, each argument by itself so that two can be compared one by one.

use super::Encoder;
use crate::ir::HostSymbol;
use crate::options::Options;
use crate::signature::{ArgSignature, MapUse, Signature, Source};
use crate::source::ConstantDecl;
use crate::target::Target;

impl Encoder {
    /// What a signature says besides its arguments.
    pub(crate) fn iteration(&mut self, signature: &Signature) {
        let Signature {
            iteration,
            args: _, // each a part of its own
            allow_conflicts,
        } = signature;
        self.u8(*iteration as u8);
        self.flag(*allow_conflicts);
    }

    pub(crate) fn argument(&mut self, arg: &ArgSignature) {
        let ArgSignature {
            source,
            dtype,
            dim,
            layout,
            access,
            dat,
        } = arg;
        match source {
            Source::Direct => self.u8(0),
            Source::At(map, entry) => {
                self.u8(1);
                self.map_use(map);
                self.u16(*entry);
            }
            Source::Through(map) => {
                self.u8(2);
                self.map_use(map);
            }
            Source::Global => self.u8(3),
            Source::Element => self.u8(4),
            Source::Value => self.u8(5),
            Source::Rows(rows) => {
                self.u8(6);
                self.u32(*rows);
            }
        }
        self.dtype(*dtype);
        self.u32(*dim);
        self.u8(*layout as u8);
        self.u8(*access as u8);
        self.u16(*dat);
    }

    fn map_use(&mut self, map: &MapUse) {
        let MapUse {
            slot,
            arity,
            width,
            partial,
        } = map;
        self.u16(*slot);
        self.u16(*arity);
        self.u8(*width as u8);
        self.flag(*partial);
    }

    pub(crate) fn options(&mut self, options: &Options) {
        let Options {
            float,
            effort,
            lanes,
            unroll,
        } = options;
        self.u8(*float as u8);
        self.u8(*effort as u8);
        self.u8(*lanes);
        self.u16(*unroll);
    }

    /// The level, and what it stands for: a level that gains a feature is another target.
    pub(crate) fn target(&mut self, target: &Target) {
        let Target { level } = target;
        self.u8(*level as u8);
        self.text(level.name());
        self.sequence(level.features().iter(), |e, feature| e.text(feature));
    }

    pub(crate) fn host(&mut self, host: &HostSymbol) {
        let HostSymbol {
            name,
            params,
            result,
        } = host;
        self.text(name);
        self.sequence(params.iter(), |e, scalar| e.scalar(*scalar));
        self.scalar(*result);
    }

    pub(crate) fn constant_decl(&mut self, constant: &ConstantDecl) {
        let ConstantDecl {
            name,
            dtype,
            dim,
            specialised,
        } = constant;
        self.text(name);
        self.dtype(*dtype);
        self.u32(*dim);
        self.flag(specialised.is_some());
        let bits = specialised.as_deref().unwrap_or_default();
        self.sequence(bits.iter(), |e, bits| e.u64(*bits));
    }
}
