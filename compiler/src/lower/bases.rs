//! Addresses that all elements start from: those of dats, of maps and of read-only data.
//!
//! Those of dats and maps are loaded from the arguments once, before the first element. Where they are too many for registers beside what elements
//! compute, each turn loads those it needs, where it first does: those of maps, which all else waits for, before the turn begins.
//! Left alone, the code generator does much the same, but looks for a register for each of them first, takes others' away and
//! splits them, which is a good part of its work, and stores some again in every turn.

use super::frame::Kept;
use super::turns::Turn;
use super::{Lower, abi};
use crate::ir::{Loop, Op, Stmt, for_each_stmt};
use crate::opt::has_loops;
use cranelift_codegen::ir::{self as clif, InstBuilder, MemFlagsData, types};
use smallvec::SmallVec;
use std::collections::BTreeSet;

/// So many have registers, beside that of read-only data.
const IN_REGISTERS: usize = 4;

/// An address by what it is of.
#[derive(Clone, Copy, PartialEq)]
enum Base {
    /// All arguments.
    Args,
    /// The data of one.
    Data(u16),
    /// The map of one.
    Map(u16),
    /// Read-only data.
    Pool,
    /// The addresses of kernel constants, and one of them.
    Constants,
    Constant(u16),
}

/// Where addresses come from.
#[derive(Default)]
pub(super) struct Bases {
    /// Whether each turn loads those it needs.
    by_turn: bool,
    /// Whether elements run.
    have_begun: bool,
    /// Where the arguments' address is while elements run.
    kept: Option<Kept>,
    /// The arguments whose maps elements read.
    maps: BTreeSet<u16>,
    /// Of a plain function: its parameters.
    params: Vec<clif::Value>,
    /// What has been loaded where all statements see it that follow.
    loaded: SmallVec<[(Base, clif::Value); 8]>,
}

impl Bases {
    /// How addresses are best come by in a loop. One inside that is short would load some in every trip, and one element by itself
    /// would wait for them.
    pub(super) fn of(it: &Loop) -> Bases {
        let is_straight =
            Turn::of(it).is_some_and(|turn| turn.elements > 1 && !has_loops(turn.block));
        let maps = maps(it);
        Bases {
            by_turn: is_straight && maps.len() + data(it).count() > IN_REGISTERS,
            maps,
            ..Bases::default()
        }
    }

    /// What a turn begins with.
    fn first(&self) -> impl Iterator<Item = Base> {
        let args = self.by_turn.then_some(Base::Args);
        let maps = self.maps.iter().filter(|_| self.by_turn);
        args.into_iter().chain(maps.map(|arg| Base::Map(*arg)))
    }
}

/// The arguments whose maps elements read.
fn maps(it: &Loop) -> BTreeSet<u16> {
    let mut args = BTreeSet::new();
    for block in it.element_blocks() {
        for_each_stmt(block, &mut |stmt| {
            if let Stmt::Let(value) = stmt
                && let Op::MapEntry { arg, .. } = it.body.values[*value].op
            {
                args.insert(arg);
            }
        });
    }
    args
}

/// The arguments whose data's addresses are used, as often as they are asked for.
fn data(it: &Loop) -> impl Iterator<Item = u16> {
    it.before.iter().filter_map(|stmt| match stmt {
        Stmt::Let(value) => match it.body.values[*value].op {
            Op::ArgBase(arg) => Some(arg),
            _ => None,
        },
        _ => None,
    })
}

impl Lower<'_, '_> {
    /// Loads the bases of maps before the first element, unless each turn does.
    pub(super) fn load_maps(&mut self) {
        if !self.bases.by_turn {
            for arg in self.bases.maps.clone() {
                self.at_hand(Base::Map(arg));
            }
        }
    }

    /// The address of a plain function's next parameter.
    pub(super) fn take_base(&mut self, address: clif::Value) {
        self.bases.params.push(address);
    }

    /// Elements follow: what they need has been loaded, or is loaded in each turn.
    pub(super) fn keep_bases(&mut self) {
        self.bases.have_begun = true;
        if self.bases.by_turn {
            let kept = Kept::new(&mut self.b, 1);
            kept.store(&mut self.b, Kept::offset(0), self.args);
            self.bases.kept = Some(kept);
            self.bases.loaded.clear();
        }
    }

    /// What a turn begins with, loaded before it; `args` is the arguments' address, if it is at hand.
    pub(super) fn first_bases(&mut self, args: Option<clif::Value>) -> SmallVec<[clif::Value; 4]> {
        let first: SmallVec<[Base; 4]> = self.bases.first().collect();
        let args = args.into_iter().map(|args| (Base::Args, args)).collect();
        let known = std::mem::replace(&mut self.bases.loaded, args);
        let bases = first.into_iter().map(|base| self.at_hand(base)).collect();
        self.bases.loaded = known;
        bases
    }

    /// A turn begins with these.
    pub(super) fn begin_turn(&mut self, bases: &[clif::Value]) {
        if self.bases.by_turn {
            let begun = self.bases.first().zip(bases.iter().copied());
            self.bases.loaded = begun.collect();
        }
    }

    /// The arguments' address has been in a register for long enough.
    pub(super) fn end_beginning(&mut self) {
        if self.bases.by_turn {
            self.bases.loaded.retain(|(base, _)| *base != Base::Args);
        }
    }

    /// What a turn has loaded is not seen from here on.
    pub(super) fn forget_bases(&mut self) {
        if self.bases.by_turn {
            self.bases.loaded.clear();
        }
    }

    /// Whether an address is loaded where it is needed.
    pub(super) fn is_by_turn(&self) -> bool {
        self.bases.by_turn
    }

    /// The address of an argument's data.
    pub(super) fn data_base(&mut self, arg: u16) -> clif::Value {
        match self.bases.params.get(usize::from(arg)) {
            Some(param) => *param,
            None => self.at_hand(Base::Data(arg)),
        }
    }

    /// The address of an argument's map.
    pub(super) fn map_base(&mut self, arg: u16) -> clif::Value {
        self.at_hand(Base::Map(arg))
    }

    /// The address of a kernel constant.
    pub(super) fn constant_base(&mut self, slot: u16) -> clif::Value {
        self.at_hand(Base::Constant(slot))
    }

    /// The address of read-only data.
    pub(super) fn pool_base(&mut self) -> clif::Value {
        match self.bases.kept {
            Some(_) => self.at_hand(Base::Pool),
            None => self.pool_base,
        }
    }

    fn at_hand(&mut self, base: Base) -> clif::Value {
        let mut loaded = self.bases.loaded.iter();
        if let Some((_, known)) = loaded.find(|(known, _)| *known == base) {
            return *known;
        }
        let address = match base {
            Base::Args => match self.bases.kept {
                Some(kept) => kept.load(&mut self.b, Kept::offset(0)),
                None => self.args,
            },
            Base::Data(arg) => self.arg_field(arg, abi::arg::BASE),
            Base::Map(arg) => self.arg_field(arg, abi::arg::MAP),
            Base::Pool => self.b.ins().symbol_value(types::I64, self.externals.pool),
            Base::Constants => self.address_at(self.ctx, abi::ctx::CONSTANTS),
            Base::Constant(slot) => {
                let all = self.at_hand(Base::Constants);
                self.address_at(all, i32::from(slot) * 8)
            }
        };
        let is_seen = self.bases.by_turn || !self.bases.have_begun;
        if is_seen && self.nesting == 0 {
            self.bases.loaded.push((base, address));
        }
        address
    }

    fn arg_field(&mut self, arg: u16, field: i32) -> clif::Value {
        let args = self.at_hand(Base::Args);
        self.address_at(args, i32::from(arg) * abi::arg::SIZE + field)
    }

    /// An address in memory that nothing changes.
    fn address_at(&mut self, base: clif::Value, offset: i32) -> clif::Value {
        let flags = MemFlagsData::trusted().with_readonly().with_can_move();
        self.b.ins().load(types::I64, flags, base, offset)
    }
}
