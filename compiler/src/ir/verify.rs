//! Judges kernels and loops: every value defined once and before its use, every type right, every label and place in scope.
//!
//! What passes here may be inlined, interpreted and lowered without further checks. One walk, linear in the body, its stack
//! bounded by `NESTING_MAX`. What it does not judge: whether an index is in range (`CheckIndex` guards that) and whether
//! alias regions overlap in memory (the runtime refuses such arguments).

mod ops;
mod rule;
mod types;

pub use rule::{Rule, VerifyError};

use super::body::{Array, Block, Body, For, Inst, Label, Op, Place, Site, Stmt, Value, Var};
use super::kernel::{Kernel, Passing};
use super::limits::{COUNT_MAX, LOCAL_BYTES_MAX, NESTING_MAX};
use super::loops::Loop;
use super::types::{Scalar, Type};
use crate::signature::{ArgSignature, Iteration, Source};
use cranelift_entity::SecondaryMap;
use std::collections::BTreeMap;

/// Checks a kernel.
///
/// # Errors
/// The first rule that is broken, in the order of the text.
pub fn verify_kernel(kernel: &Kernel) -> Result<(), VerifyError> {
    let mut verifier = Verifier::new(&kernel.body, Level::Kernel(kernel));
    let found = verifier.declarations();
    let found = found.and_then(|()| verifier.block(&kernel.body.root, Phase::Element));
    found.map_err(|rule| verifier.error(rule))
}

/// Checks a loop.
///
/// # Errors
/// The first rule that is broken, in the order of the text.
pub fn verify_loop(looped: &Loop) -> Result<(), VerifyError> {
    let mut verifier = Verifier::new(&looped.body, Level::Loop(looped));
    let found = verifier.whole_loop(looped);
    found.map_err(|rule| verifier.error(rule))
}

/// What a body is the body of.
#[derive(Clone, Copy)]
enum Level<'a> {
    Kernel(&'a Kernel),
    Loop(&'a Loop),
}

/// Which part of a loop is walked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Once, before or after all elements; nothing there may fail.
    Once,
    /// For each element.
    Element,
    /// For several elements at once; nothing there may fail or use local arrays.
    Wide,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Scope {
    #[default]
    Never,
    Open,
    Closed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Block,
    Loop,
}

/// What keeps addresses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holder {
    Array(Array),
    Var(Var),
}

#[derive(Clone, Copy)]
struct Dat {
    scalar: Scalar,
    written: bool,
}

struct Verifier<'a> {
    body: &'a Body,
    level: Level<'a>,
    /// Whether a value is visible here, was, or is not yet defined.
    scopes: SecondaryMap<Value, Scope>,
    /// Visible values in order of definition; blocks pop what they defined.
    visible: Vec<Value>,
    /// The dat slot that an `Addr` value points into.
    slots: SecondaryMap<Value, u16>,
    /// Whether a label is open; those not yet seen are absent.
    labels: BTreeMap<Label, Scope>,
    /// The dat slot of the addresses that a local array or a variable holds, once one was stored.
    held: BTreeMap<Holder, u16>,
    /// What the arguments that use a dat slot make of it.
    dats: BTreeMap<u16, Dat>,
    /// What the accesses to a dat slot move, once there was one.
    units: BTreeMap<u16, Scalar>,
    /// The first argument of each map slot.
    maps: BTreeMap<u16, u16>,
    open_labels: Vec<(Label, Target)>,
    depth: usize,
    statement: usize,
    phase: Phase,
    /// How many elements run at once, if each of them may be the last.
    elements_at_once: u8,
    /// Whether vectors may have four doubles.
    in_strip: bool,
}

type Checked<T = ()> = Result<T, Rule>;

/// Fails with `rule` unless `sound`.
fn ensure(sound: bool, rule: Rule) -> Checked {
    if sound { Ok(()) } else { Err(rule) }
}

impl<'a> Verifier<'a> {
    fn new(body: &'a Body, level: Level<'a>) -> Verifier<'a> {
        Verifier {
            body,
            level,
            scopes: SecondaryMap::new(),
            visible: Vec::new(),
            slots: SecondaryMap::new(),
            labels: BTreeMap::new(),
            held: BTreeMap::new(),
            dats: BTreeMap::new(),
            units: BTreeMap::new(),
            maps: BTreeMap::new(),
            open_labels: Vec::new(),
            depth: 0,
            statement: 0,
            phase: Phase::Element,
            elements_at_once: 0,
            in_strip: false,
        }
    }

    fn error(&self, rule: Rule) -> VerifyError {
        VerifyError {
            statement: self.statement,
            rule,
        }
    }

    fn whole_loop(&mut self, looped: &Loop) -> Checked {
        self.declarations()?;
        self.arguments(&looped.signature.args);
        self.phase = Phase::Once;
        self.statements(&looped.before)?;
        self.block(&looped.body.root, Phase::Element)?;
        if let Some(wide) = &looped.wide {
            let each = looped.signature.iteration == Iteration::Elements;
            let sound = match wide.is_strip {
                true => matches!(wide.elements, 1 | 2 | 4 | 8) && !wide.covers_rest,
                false => matches!(wide.elements, 2 | 4),
            };
            ensure(each && sound, Rule::BadWide(wide.elements))?;
            // Only what covers the rest of a range asks which elements there are.
            self.elements_at_once = if wide.covers_rest { wide.elements } else { 0 };
            self.in_strip = wide.is_strip;
            self.block(&wide.block, Phase::Wide)?;
            self.in_strip = false;
        }
        self.block(&looped.after, Phase::Once)
    }

    fn arguments(&mut self, args: &[ArgSignature]) {
        for (i, arg) in args.iter().enumerate() {
            if let Some(map) = arg.source.map() {
                self.maps.entry(map.slot).or_insert(i as u16);
            }
            if arg.source == Source::Element {
                continue;
            }
            let new = Dat {
                scalar: arg.dtype.scalar(),
                written: false,
            };
            let dat = self.dats.entry(arg.dat).or_insert(new);
            dat.written |= arg.access.writes();
        }
    }

    fn declarations(&self) -> Checked {
        // The loop that is made of a kernel has more of both.
        let most = match self.level {
            Level::Kernel(_) => COUNT_MAX / 2,
            Level::Loop(_) => COUNT_MAX,
        };
        for count in [self.body.labels, self.body.sites] {
            ensure(count <= most, Rule::BadLength(u64::from(count)))?;
        }
        let in_loop = matches!(self.level, Level::Loop(_));
        for ty in self.body.vars.values() {
            let sound = types::is_valid(*ty) && (in_loop || ty.scalar != Scalar::Addr);
            ensure(sound, Rule::BadType(*ty))?;
        }
        for data in self.body.arrays.values() {
            let sound = in_loop || data.scalar != Scalar::Addr;
            ensure(sound, Rule::BadType(data.scalar.into()))?;
            ensure(
                fits_memory(data.len, data.scalar),
                Rule::BadLength(data.len),
            )?;
        }
        for data in self.body.tables.values() {
            let len = data.bits.len() as u64;
            ensure(
                data.scalar != Scalar::Addr,
                Rule::BadType(data.scalar.into()),
            )?;
            ensure(fits_memory(len, data.scalar), Rule::BadLength(len))?;
            for bits in &data.bits {
                ensure(types::fits(*bits, data.scalar), Rule::BadBits(*bits))?;
            }
        }
        for host in self.body.symbols.values() {
            let mut scalars = host.params.iter().chain([&host.result]);
            let sound = scalars.all(|scalar| *scalar != Scalar::Addr);
            ensure(sound, Rule::BadType(Type::ADDR))?;
        }
        Ok(())
    }

    /// A nested block: what it defines is not visible after it.
    fn block(&mut self, block: &Block, phase: Phase) -> Checked {
        ensure(self.depth < NESTING_MAX, Rule::TooDeep)?;
        let (outer, mark) = (self.phase, self.visible.len());
        self.depth += 1;
        self.phase = phase;
        self.statements(block)?;
        self.phase = outer;
        self.depth -= 1;
        for value in self.visible.drain(mark..) {
            self.scopes[value] = Scope::Closed;
        }
        Ok(())
    }

    fn statements(&mut self, block: &Block) -> Checked {
        for (i, stmt) in block.iter().enumerate() {
            self.statement += 1;
            self.stmt(stmt)?;
            let leaves = matches!(stmt, Stmt::Exit(_) | Stmt::Continue(_));
            ensure(!leaves || i + 1 == block.len(), Rule::Unreachable)?;
        }
        Ok(())
    }

    fn stmt(&mut self, stmt: &Stmt) -> Checked {
        match stmt {
            Stmt::Let(value) => {
                let inst = self.inst(*value)?;
                ensure(inst.op != Op::Counter, Rule::CounterOutsideFor(*value))?;
                self.op(*value, inst)?;
                self.define(*value)
            }
            Stmt::Set(var, value) => {
                let (wanted, found) = (self.var(*var)?, self.visible_type(*value)?);
                ensure(wanted == found, Rule::mismatch(*value, found, wanted))?;
                match found.scalar {
                    Scalar::Addr => self.hold(Holder::Var(*var), *value),
                    _ => Ok(()),
                }
            }
            Stmt::Store {
                place,
                index,
                value,
                site,
            } => self.store(place, *index, *value, *site),
            Stmt::Clear(array) => {
                let known = self.body.arrays.is_valid(*array);
                ensure(known, Rule::NoSuchEntry("array", array.as_u32()))
            }
            Stmt::If { cond, then, other } => {
                self.typed(*cond, Type::BOOL)?;
                self.block(then, self.phase)?;
                self.block(other, self.phase)
            }
            Stmt::For(data) => self.counted(data),
            Stmt::Loop { label, site, body } => {
                self.site(*site)?;
                ensure(self.phase == Phase::Element, Rule::FailsOutsideElements)?;
                self.labelled(*label, Target::Loop, body)
            }
            Stmt::Block { label, body } => self.labelled(*label, Target::Block, body),
            Stmt::Exit(label) => self.target(*label).map(drop),
            Stmt::Continue(label) => {
                let target = self.target(*label)?;
                ensure(target == Target::Loop, Rule::ContinueOfBlock(*label))
            }
        }
    }

    fn counted(&mut self, data: &For) -> Checked {
        let For {
            label,
            counter,
            lo,
            hi,
            step,
            site,
            body,
        } = data;
        self.typed(*lo, Type::I64)?;
        self.typed(*hi, Type::I64)?;
        self.site(*site)?;
        ensure(*step != 0, Rule::ZeroStep)?;
        let constant = |v| self.body.constant(v).is_some();
        let free = constant(*lo) && constant(*hi);
        ensure(
            free || self.phase == Phase::Element,
            Rule::FailsOutsideElements,
        )?;
        let inst = self.inst(*counter)?;
        let sound = inst.op == Op::Counter && inst.ty == Type::I64;
        ensure(sound, Rule::NotACounter(*counter))?;
        let mark = self.visible.len();
        self.define(*counter)?;
        self.labelled(*label, Target::Loop, body)?;
        for value in self.visible.drain(mark..) {
            self.scopes[value] = Scope::Closed;
        }
        Ok(())
    }

    fn labelled(&mut self, label: Label, target: Target, body: &Block) -> Checked {
        let known = label.as_u32() < self.body.labels;
        ensure(known, Rule::NoSuchEntry("label", label.as_u32()))?;
        let before = self.labels.insert(label, Scope::Open);
        ensure(before.is_none(), Rule::LabelTwice(label))?;
        self.open_labels.push((label, target));
        self.block(body, self.phase)?;
        self.open_labels.pop();
        self.labels.insert(label, Scope::Closed);
        Ok(())
    }

    /// What an open label stands for.
    fn target(&self, label: Label) -> Checked<Target> {
        let open = self.labels.get(&label) == Some(&Scope::Open);
        ensure(open, Rule::LabelNotOpen(label))?;
        // At most NESTING_MAX are open, and the one wanted is mostly the last.
        let mut labels = self.open_labels.iter().rev();
        let found = labels.find(|(l, _)| *l == label);
        found.map(|(_, t)| *t).ok_or(Rule::LabelNotOpen(label))
    }

    fn inst(&self, value: Value) -> Checked<&'a Inst> {
        let inst = self.body.values.get(value);
        inst.ok_or(Rule::NoSuchEntry("v", value.as_u32()))
    }

    fn define(&mut self, value: Value) -> Checked {
        let fresh = self.scopes[value] == Scope::Never;
        ensure(fresh, Rule::DefinedTwice(value))?;
        self.scopes[value] = Scope::Open;
        self.visible.push(value);
        Ok(())
    }

    /// The type of a value that must be visible here.
    fn visible_type(&self, value: Value) -> Checked<Type> {
        // An index beyond the arena must not grow the map.
        let inst = self.inst(value)?;
        let visible = self.scopes.get(value) == Some(&Scope::Open);
        ensure(visible, Rule::NotVisible(value))?;
        Ok(inst.ty)
    }

    fn typed(&self, value: Value, wanted: Type) -> Checked {
        let found = self.visible_type(value)?;
        ensure(found == wanted, Rule::mismatch(value, found, wanted))
    }

    fn var(&self, var: Var) -> Checked<Type> {
        let ty = self.body.vars.get(var).copied();
        ty.ok_or(Rule::NoSuchEntry("x", var.as_u32()))
    }

    fn site(&self, site: Site) -> Checked {
        let known = site.as_u32() < self.body.sites;
        ensure(known, Rule::NoSuchEntry("site", site.as_u32()))
    }

    /// Notes that an address is kept; what is kept in one place lies in one region.
    fn hold(&mut self, holder: Holder, value: Value) -> Checked {
        let slot = self.slots[value];
        let held = *self.held.entry(holder).or_insert(slot);
        ensure(held == slot, Rule::WrongRegion(value, held))
    }

    fn store(&mut self, place: &Place, index: Value, value: Value, site: Site) -> Checked {
        self.typed(index, Type::I64)?;
        self.site(site)?;
        let ty = self.visible_type(value)?;
        let readonly = match place {
            Place::Table(_) | Place::Constant(_) | Place::RowPointers(_) => true,
            Place::Row { region, .. } => region.readonly,
            Place::Array(_) | Place::Param(_) | Place::ParamRow { .. } => false,
        };
        ensure(!readonly, Rule::StoreToReadonly)?;
        if let (Place::Array(array), Scalar::Addr) = (place, ty.scalar) {
            self.hold(Holder::Array(*array), value)?;
        }
        self.place(place, ty.scalar)
    }

    /// Whether a place exists at this level and holds `scalar`s.
    fn place(&mut self, place: &Place, scalar: Scalar) -> Checked {
        let held = match place {
            Place::Array(array) => {
                let data = self.body.arrays.get(*array);
                data.ok_or(Rule::NoSuchEntry("array", array.as_u32()))?
                    .scalar
            }
            Place::Table(table) => {
                let data = self.body.tables.get(*table);
                data.ok_or(Rule::NoSuchEntry("table", table.as_u32()))?
                    .scalar
            }
            Place::Param(param) => self.param(*param, Passing::Pointer)?,
            Place::ParamRow { param, row } => {
                self.typed(*row, Type::I64)?;
                self.param(*param, Passing::Rows)?
            }
            Place::Constant(slot) => {
                let slots = match self.level {
                    Level::Kernel(kernel) => &kernel.constants,
                    Level::Loop(looped) => &looped.constants,
                };
                let data = slots.get(usize::from(*slot));
                data.ok_or(Rule::NoSuchEntry("constant", u32::from(*slot)))?
                    .scalar
            }
            Place::RowPointers(arg) => {
                self.row_pointers(*arg)?;
                Scalar::Addr
            }
            Place::Row { addr, region } => {
                self.typed(*addr, Type::ADDR)?;
                let slot = region.slot;
                let wrong = Rule::WrongRegion(*addr, slot);
                let dat = self.dats.get(&slot).copied().ok_or(wrong.clone())?;
                ensure(self.slots[*addr] == slot, wrong)?;
                let lie = region.readonly && dat.written;
                ensure(!lie, Rule::WrittenRegion(slot))?;
                self.own_scalar(*addr).unwrap_or(dat.scalar)
            }
        };
        let rule = Rule::PlaceHolds {
            held,
            accessed: scalar,
        };
        let Place::Row { region, .. } = place else {
            return ensure(held == scalar, rule);
        };
        // What a row holds may be moved in whole doubles, if all of it is: indices count what is moved.
        let is_one_kind = self.is_over_elements();
        let as_double = scalar == Scalar::F64 && is_one_kind;
        ensure(held == scalar || as_double, rule)?;
        let unit = *self.units.entry(region.slot).or_insert(scalar);
        let mixed = Rule::PlaceHolds {
            held: unit,
            accessed: scalar,
        };
        ensure(unit == scalar || !is_one_kind, mixed)
    }

    /// Whether these are the statements of elements, where a slot holds scalars of one kind: in plain functions pointers of several may
    /// share one.
    fn is_over_elements(&self) -> bool {
        matches!(self.level, Level::Loop(looped) if looped.signature.iteration == Iteration::Elements)
    }

    /// The dat slot of an argument of row pointers.
    fn row_pointers(&self, arg: u16) -> Checked<u16> {
        let Level::Loop(looped) = self.level else {
            return Err(Rule::WrongLevel("rows"));
        };
        let data = looped.signature.args.get(usize::from(arg));
        let data = data.filter(|arg| matches!(arg.source, Source::Rows(_)));
        data.map(|arg| arg.dat)
            .ok_or(Rule::NoSuchEntry("rows", u32::from(arg)))
    }

    /// Of a plain function: the scalar of the argument that an address is of, whatever else shares its slot.
    fn own_scalar(&self, addr: Value) -> Option<Scalar> {
        let Level::Loop(looped) = self.level else {
            return None;
        };
        let arg = self.body.argument(addr)?;
        let signature = &looped.signature;
        let arg = signature.args.get(usize::from(arg))?;
        (signature.iteration == Iteration::Function).then(|| arg.dtype.scalar())
    }

    /// The scalar of a parameter that must be taken in the given way.
    fn param(&self, param: u16, passing: Passing) -> Checked<Scalar> {
        let Level::Kernel(kernel) = self.level else {
            return Err(Rule::WrongLevel("param"));
        };
        let data = kernel.params.get(usize::from(param));
        let data = data.ok_or(Rule::NoSuchEntry("param", u32::from(param)))?;
        ensure(data.passing == passing, Rule::WrongPassing(param))?;
        Ok(data.scalar)
    }
}

/// Whether `len` entries are at least one and not absurdly many.
fn fits_memory(len: u64, scalar: Scalar) -> bool {
    let bytes = len.checked_mul(u64::from(scalar.bytes()));
    len > 0 && bytes.is_some_and(|bytes| bytes <= LOCAL_BYTES_MAX)
}
