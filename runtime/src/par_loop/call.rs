//! The call itself: borrows taken, code run, borrows given back.
//!
//! Invariant: the arguments of a `Call` were checked for exactly its code, their dats, maps and constants are held by it, and
//! no element it is given lies beyond the loop's set. So what the code reads and writes is there, and the borrows keep others
//! off it. Running hashes nothing, allocates nothing and waits for nobody.

use crate::code::{Code, Entry};
use crate::constants::ConstantValue;
use crate::data::{AlignedBytes, Buffer, Dat, DataError, Global};
use crate::exec::{self, Elements};
use crate::mesh::Map;
use parloop_compiler::abi;
use std::sync::Arc;

/// Code and everything it needs to run.
pub(crate) struct Call {
    entry: Entry,
    block: Block,
    slots: Box<[Held]>,
    steps: u64,
    /// Owns what `entry` points into.
    code: Arc<Code>,
    maps: Vec<Map>,
}

/// What the code gets pointers to.
struct Block {
    args: Box<[abi::Arg]>,
    constants: Box<[*const u8]>,
    scratch: AlignedBytes,
    /// Own what `constants` points to.
    values: Vec<Arc<ConstantValue>>,
}

// SAFETY: the pointers are to memory that `Call` holds (dats, maps, constants), which any thread may use under a borrow.
unsafe impl Send for Block {}
// SAFETY: a shared block is never followed; running takes `&mut`.
unsafe impl Sync for Block {}

/// A dat or global that a loop holds, and how it borrows it.
pub(crate) struct Held {
    pub(crate) data: Holder,
    pub(crate) written: bool,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    Dat(Dat),
    Global(Global),
}

impl Holder {
    pub(crate) fn buffer(&self) -> &Buffer {
        match self {
            Holder::Dat(dat) => dat.buffer(),
            Holder::Global(global) => global.buffer(),
        }
    }
}

impl Held {
    #[inline]
    fn take(&self) -> bool {
        let borrow = self.data.buffer().borrow();
        if self.written {
            borrow.write()
        } else {
            borrow.read()
        }
    }

    #[inline]
    fn give_back(&self) {
        let borrow = self.data.buffer().borrow();
        if self.written {
            borrow.end_write()
        } else {
            borrow.end_read()
        }
    }
}

/// Why a call did not run to its end.
pub(crate) enum Stopped {
    /// Somebody else holds a dat or global; nothing ran.
    Busy(DataError),
    /// It ran, and the interpreter came to something else.
    Differs,
    /// The kernel failed at an element; those before it ran.
    Failed {
        status: u32,
        site: u32,
        element: u64,
        value: i64,
    },
}

/// What the slots of a call held before and after a run.
pub(crate) struct Copies {
    pub(crate) before: Vec<Vec<u8>>,
    pub(crate) after: Vec<Vec<u8>>,
}

/// An argument by the slots of its dat and map.
pub(crate) struct ArgSlots {
    pub(crate) data: Option<usize>,
    pub(crate) map: Option<usize>,
}

/// What a call is made of.
pub(crate) struct Parts {
    pub(crate) code: Arc<Code>,
    pub(crate) args: Vec<ArgSlots>,
    pub(crate) slots: Vec<Held>,
    pub(crate) maps: Vec<Map>,
    pub(crate) values: Vec<Arc<ConstantValue>>,
    pub(crate) steps: u64,
}

impl Call {
    /// `None` if there is no memory to work in.
    pub(crate) fn new(parts: Parts) -> Option<Call> {
        let Parts {
            code,
            args,
            slots,
            maps,
            values,
            steps,
        } = parts;
        let scratch = AlignedBytes::zeroed(code.scratch_bytes())?;
        let block_arg = |arg: &ArgSlots| abi::Arg {
            base: arg.data.map_or(std::ptr::null_mut(), |slot| {
                slots[slot].data.buffer().base()
            }),
            map: arg.map.map_or(std::ptr::null(), |slot| maps[slot].base()),
            element_stride: 0,
            component_stride: 0,
        };
        let args = args.iter().map(block_arg).collect();
        let constants = values.iter().map(|value| value.base()).collect();
        let block = Block {
            args,
            constants,
            scratch,
            values,
        };
        Some(Call {
            entry: code.entry(),
            block,
            slots: slots.into(),
            steps,
            code,
            maps,
        })
    }

    /// Runs the code on `elements`, each of which is below the size of the loop's set, halo included.
    #[inline]
    pub(crate) fn run(&mut self, elements: Elements<'_>) -> Result<(), Stopped> {
        // SAFETY: `self.code` lives, and the arguments were checked for it.
        unsafe { self.run_entry(self.entry, elements) }
    }

    /// Runs other code than the call's own on its arguments.
    ///
    /// # Safety
    /// `entry` may be called while this runs, takes arguments of this call's signature, and needs no more scratch memory than
    /// the call's own code.
    #[inline]
    pub(crate) unsafe fn run_entry(
        &mut self,
        entry: Entry,
        elements: Elements<'_>,
    ) -> Result<(), Stopped> {
        self.take_borrows()?;
        // SAFETY: passed on to the caller; the borrows are held.
        let outcome = unsafe { self.run_borrowed(entry, elements) };
        self.give_back(self.slots.len());
        outcome
    }

    /// As [`Call::run`], and gives copies of what the slots held before and after, if there is memory for them and it ran.
    pub(crate) fn run_copied(
        &mut self,
        elements: Elements<'_>,
    ) -> (Result<(), Stopped>, Option<Copies>) {
        if let Err(stopped) = self.take_borrows() {
            return (Err(stopped), None);
        }
        let before = self.copy_slots();
        // SAFETY: `self.code` lives, the arguments were checked for it, and the borrows are held.
        let outcome = unsafe { self.run_borrowed(self.entry, elements) };
        let after = before.as_ref().and_then(|_| self.copy_slots());
        self.give_back(self.slots.len());
        let copies = before.zip(after);
        (
            outcome,
            copies.map(|(before, after)| Copies { before, after }),
        )
    }

    /// What the slots hold. Their borrows are held.
    fn copy_slots(&self) -> Option<Vec<Vec<u8>>> {
        let copy = |held: &Held| {
            // SAFETY: the caller's borrow keeps writers out; any value is made of initialised bytes.
            let bytes: &[u8] = unsafe { held.data.buffer().storage().slice() };
            let mut copied = Vec::new();
            copied.try_reserve_exact(bytes.len()).ok()?;
            copied.extend_from_slice(bytes);
            Some(copied)
        };
        self.slots.iter().map(copy).collect()
    }

    /// Runs code while the borrows of all slots are held.
    ///
    /// # Safety
    /// As [`Call::run_entry`], and the caller holds the borrows.
    #[inline]
    unsafe fn run_borrowed(&mut self, entry: Entry, elements: Elements<'_>) -> Result<(), Stopped> {
        let mut ctx = abi::Ctx {
            constants: self.block.constants.as_ptr(),
            scratch: self.block.scratch.base(),
            steps: self.steps,
            site: 0,
            reserved: 0,
            element: 0,
            value: 0,
        };
        let args = self.block.args.as_ptr();
        let status = exec::run(elements, |list, begin, end| {
            // SAFETY: the caller vouches for the code; the arguments are borrowed; the elements are the set's (see above).
            unsafe { entry(&raw mut ctx, args, list, begin, end) }
        });
        if status == abi::OK {
            return Ok(());
        }
        Err(Stopped::Failed {
            status,
            site: ctx.site,
            element: ctx.element,
            value: ctx.value,
        })
    }

    #[inline]
    fn take_borrows(&self) -> Result<(), Stopped> {
        match self.slots.iter().position(|slot| !slot.take()) {
            None => Ok(()),
            Some(refused) => Err(self.refuse(refused)),
        }
    }

    #[cold]
    fn refuse(&self, refused: usize) -> Stopped {
        let conflict = self.slots[refused].data.buffer().conflict();
        self.give_back(refused);
        Stopped::Busy(conflict)
    }

    #[inline]
    fn give_back(&self, count: usize) {
        self.slots[..count].iter().for_each(Held::give_back);
    }

    pub(crate) fn slots(&self) -> &[Held] {
        &self.slots
    }

    /// Puts other data in a slot, of the same type and dim, on the same set. `uses` are the arguments of that slot.
    pub(crate) fn rebind(&mut self, slot: usize, data: Holder, uses: impl Iterator<Item = usize>) {
        let base = data.buffer().base();
        uses.for_each(|arg| self.block.args[arg].base = base);
        self.slots[slot].data = data;
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// The values of the kernel constants, by slot.
    pub(crate) fn constants(&self) -> impl Iterator<Item = &ConstantValue> {
        self.block.values.iter().map(|value| &**value)
    }

    pub(crate) fn maps(&self) -> &[Map] {
        &self.maps
    }

    /// Runs other code for the same arguments from now on; false, and nothing done, if there is no memory for it.
    pub(crate) fn set_code(&mut self, code: Arc<Code>) -> bool {
        let Some(scratch) = AlignedBytes::zeroed(code.scratch_bytes()) else {
            return false;
        };
        self.block.scratch = scratch;
        self.entry = code.entry();
        self.code = code;
        true
    }

    /// Uses other values of the kernel constants: those of the names that the code has slots for.
    pub(crate) fn set_constants(&mut self, values: Vec<Arc<ConstantValue>>) {
        self.block.constants = values.iter().map(|value| value.base()).collect();
        self.block.values = values;
    }
}
