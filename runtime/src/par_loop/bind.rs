//! From a list of arguments to a signature and a binding: what compilation sees, and what it must not see.
//!
//! Invariant: a binding's maps start at the loop's set, lead to their dats' sets, and its dats belong to one engine; its
//! accesses conflict only where the caller allowed it. The signature numbers dats and maps by first use, so that it is the
//! same for all loops that share things in the same way.

use super::{Arg, ArgError, Data, Over, Path};
use crate::data::Registry;
use crate::mesh::{Map, Set};
use parloop_compiler::{Access, ArgSignature, DType, Iteration, Layout, MapUse, Signature, Source};
use std::sync::Arc;

/// As many as slot numbers go round, and far more than a function has registers for.
const ARGS_MAX: usize = 1024;

/// Arguments, checked against the mesh.
pub(crate) struct Binding<'a> {
    pub(crate) signature: Signature,
    /// The dats and globals, by the signature's slots.
    pub(crate) slots: Vec<Slot<'a>>,
    /// The maps, by the signature's slots.
    pub(crate) maps: Vec<&'a Map>,
}

/// A dat or global of a loop.
#[derive(Clone, Copy)]
pub(crate) struct Slot<'a> {
    pub(crate) data: Data<'a>,
    /// Whether any argument writes it.
    pub(crate) written: bool,
}

/// Checks and numbers `args`.
pub(crate) fn bind<'a>(
    registry: &Arc<Registry>,
    over: Over<'a>,
    args: &[Arg<'a>],
    allow_conflicts: bool,
) -> Result<Binding<'a>, ArgError> {
    if args.len() > ARGS_MAX {
        return Err(ArgError::TooMany {
            found: args.len(),
            limit: ARGS_MAX,
        });
    }
    let mut binding = Binding {
        signature: Signature {
            iteration: Iteration::Elements,
            args: Vec::with_capacity(args.len()),
            allow_conflicts,
        },
        slots: Vec::with_capacity(args.len()),
        maps: Vec::new(),
    };
    for (index, arg) in args.iter().enumerate() {
        check_engine(registry, index, arg)?;
        check_sets(over.set(), index, arg)?;
        let signature = binding.number(index, arg)?;
        binding.signature.args.push(signature);
    }
    if !allow_conflicts {
        check_conflicts(&binding)?;
    }
    Ok(binding)
}

fn check_engine(registry: &Arc<Registry>, arg: usize, given: &Arg<'_>) -> Result<(), ArgError> {
    match given.data.buffer() {
        Some(buffer) if !buffer.belongs_to(registry) => Err(ArgError::OtherEngine {
            arg,
            data: buffer.name().to_owned(),
        }),
        _ => Ok(()),
    }
}

fn check_sets(set: &Set, arg: usize, given: &Arg<'_>) -> Result<(), ArgError> {
    let Data::Dat(dat) = given.data else {
        return match given.path {
            Path::Direct => Ok(()),
            Path::At(..) | Path::Through(_) => Err(ArgError::MapWithoutDat { arg }),
        };
    };
    let names = |set: &Set| set.name().to_owned();
    let Some(map) = given.path.map() else {
        if dat.set() == set {
            return Ok(());
        }
        let dat_set = names(dat.set());
        return Err(ArgError::DirectOnOtherSet {
            arg,
            dat: dat.name().to_owned(),
            dat_set,
            set: names(set),
        });
    };
    let name = map.name().to_owned();
    if map.from_set() != set {
        return Err(ArgError::MapFromOtherSet {
            arg,
            map: name,
            from: names(map.from_set()),
            set: names(set),
        });
    }
    if map.to_set() != dat.set() {
        let (to, dat_set) = (names(map.to_set()), names(dat.set()));
        return Err(ArgError::MapToOtherSet {
            arg,
            map: name,
            to,
            dat: dat.name().to_owned(),
            dat_set,
        });
    }
    Ok(())
}

impl<'a> Binding<'a> {
    /// The signature of an argument; gives its dat and map their slots.
    fn number(&mut self, index: usize, arg: &Arg<'a>) -> Result<ArgSignature, ArgError> {
        let source = match (arg.data, arg.path) {
            (Data::Element, _) => return Ok(element_signature()),
            (Data::Global(_), _) => Source::Global,
            (Data::Dat(_), Path::Direct) => Source::Direct,
            (Data::Dat(_), Path::At(map, entry)) => match u16::try_from(entry) {
                Ok(narrow) if entry < map.arity() => Source::At(self.map_use(map), narrow),
                _ => {
                    let name = map.name().to_owned();
                    return Err(ArgError::MapIndex {
                        arg: index,
                        map: name,
                        index: entry,
                        arity: map.arity(),
                    });
                }
            },
            (Data::Dat(_), Path::Through(map)) => Source::Through(self.map_use(map)),
        };
        let Some(buffer) = arg.data.buffer() else {
            return Ok(element_signature());
        };
        let same = |slot: &Slot<'_>| {
            slot.data
                .buffer()
                .is_some_and(|other| std::ptr::eq(other, buffer))
        };
        let dat = self.slots.iter().position(same).unwrap_or(self.slots.len());
        if dat == self.slots.len() {
            self.slots.push(Slot {
                data: arg.data,
                written: false,
            });
        }
        self.slots[dat].written |= arg.access.writes();
        Ok(ArgSignature {
            source,
            dtype: buffer.dtype(),
            dim: buffer.dim(),
            layout: Layout::Aos,
            access: arg.access,
            // At most `ARGS_MAX` slots.
            dat: dat as u16,
        })
    }

    fn map_use(&mut self, map: &'a Map) -> MapUse {
        let slot = self
            .maps
            .iter()
            .position(|other| *other == map)
            .unwrap_or(self.maps.len());
        if slot == self.maps.len() {
            self.maps.push(map);
        }
        MapUse {
            // At most `ARGS_MAX` slots.
            slot: slot as u16,
            arity: map.narrow_arity(),
            width: map.width(),
            partial: map.is_partial(),
        }
    }
}

/// The signature of every element index.
fn element_signature() -> ArgSignature {
    ArgSignature {
        source: Source::Element,
        dtype: DType::I64,
        dim: 1,
        layout: Layout::Aos,
        access: Access::Read,
        dat: 0,
    }
}

/// One dat in several arguments: all direct, or all with one access that any order of elements serves. A global counts as
/// one that goes through a map.
fn check_conflicts(binding: &Binding<'_>) -> Result<(), ArgError> {
    for (slot, data) in binding.slots.iter().enumerate() {
        let args = binding.signature.args.iter().enumerate();
        let uses = || {
            args.clone()
                .filter(|(_, a)| a.source != Source::Element && usize::from(a.dat) == slot)
        };
        let Some((first, first_use)) = uses().next() else {
            continue;
        };
        if uses().all(|(_, a)| a.source == Source::Direct) {
            continue;
        }
        let mixes = |access: Access| {
            matches!(
                access,
                Access::Read | Access::Inc | Access::Min | Access::Max
            )
        };
        let clash = |a: &ArgSignature| a.access != first_use.access || !mixes(a.access);
        if let Some((second, second_use)) = uses().skip(1).find(|(_, a)| clash(a)) {
            return Err(ArgError::Conflict {
                first,
                second,
                data: data
                    .data
                    .buffer()
                    .map(|b| b.name().to_owned())
                    .unwrap_or_default(),
                first_access: first_use.access,
                second_access: second_use.access,
            });
        }
    }
    Ok(())
}
