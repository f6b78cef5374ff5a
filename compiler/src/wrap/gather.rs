//! What runs before the kernel for each element: rows located, staged arrays filled.

use super::bind::{self, Usage};
use super::{ARITY_MAX, Binding, STRAIGHT_COPY_MAX, Wrap, load, store};
use crate::error::{CompileError, Mismatch};
use crate::ir::limits::LOCAL_BYTES_MAX;
use crate::ir::{
    Array, ArrayData, BinaryOp, Builder, CompareOp, Op, Passing, Place, Region, Scalar, Stmt, Type,
    Value,
};
use crate::options::FloatMode;
use crate::signature::{Access, ArgSignature, Iteration, MapUse, Source};

impl Wrap<'_> {
    /// Binds every parameter, emitting what has to run before the kernel.
    pub(super) fn gather(&mut self) -> Result<Vec<Binding>, CompileError> {
        let usage = bind::usage(self.kernel);
        let args = self.signature.args.clone();
        let bound = args.iter().zip(usage).enumerate();
        let bindings = bound
            .map(|(index, (arg, usage))| self.bind(index as u16, arg, usage))
            .collect();
        self.check_arrays()?;
        bindings
    }

    /// Refuses rows that are too long for a local array.
    fn check_arrays(&self) -> Result<(), CompileError> {
        let bytes = |a: &ArrayData| a.len.saturating_mul(u64::from(a.scalar.bytes()));
        let arrays = self.builder.body.arrays.values().map(bytes);
        match arrays.max() {
            Some(size) if size > LOCAL_BYTES_MAX => Err(CompileError::TooLarge {
                what: "a copy of an argument's rows",
                size,
                limit: LOCAL_BYTES_MAX,
            }),
            _ => Ok(()),
        }
    }

    fn bind(
        &mut self,
        index: u16,
        arg: &ArgSignature,
        usage: Usage,
    ) -> Result<Binding, CompileError> {
        if !usage.used && !writes_anyway(arg, self.float) {
            return Ok(Binding::Unused);
        }
        if usage.stored && !arg.access.writes() {
            let (index, mismatch) = (usize::from(index), Mismatch::Stored);
            return Err(CompileError::Argument { index, mismatch });
        }
        let passing = self.kernel.params[index as usize].passing;
        Ok(match arg.source {
            Source::Element => Binding::Value(self.element),
            Source::Value => Binding::Value(self.global_value(index, arg)),
            Source::Global if passing == Passing::Value => {
                Binding::Value(self.global_value(index, arg))
            }
            Source::Global => self.bind_global(index, arg),
            Source::Direct => self.bind_direct(index, arg),
            Source::Rows(_) => Binding::RowPointers {
                arg: index,
                region: self.region(arg),
            },
            Source::At(map, column) => self.bind_rows(index, arg, map, &[column], usage),
            Source::Through(map) if map.arity > ARITY_MAX => {
                return Err(CompileError::TooLarge {
                    what: "the arity of a map",
                    size: u64::from(map.arity),
                    limit: u64::from(ARITY_MAX),
                });
            }
            Source::Through(map) => {
                let columns: Vec<u16> = (0..map.arity).collect();
                self.bind_rows(index, arg, map, &columns, usage)
            }
        })
    }

    /// Emits statements that run once before the first element.
    pub(super) fn emit_before<T>(&mut self, emit: impl FnOnce(&mut Builder) -> T) -> T {
        self.builder.open();
        let result = emit(&mut self.builder);
        self.before.extend(self.builder.close());
        result
    }

    /// The base address of an argument's dat: that of the first argument with this dat, so that it takes one register. What
    /// shares a slot in a plain function only may overlap.
    fn base(&mut self, index: u16) -> Value {
        let args = &self.signature.args;
        let same = |arg: &ArgSignature| {
            arg.dat == args[usize::from(index)].dat && arg.source != Source::Element
        };
        let first = match self.signature.iteration {
            Iteration::Elements => args.iter().position(same),
            Iteration::Function => None,
        };
        let index = first.map_or(index, |first| first as u16);
        if let Some(base) = self.bases[index as usize] {
            return base;
        }
        let base = self.emit_before(|b| b.emit(Op::ArgBase(index), Type::ADDR));
        self.bases[index as usize] = Some(base);
        base
    }

    fn global_value(&mut self, index: u16, arg: &ArgSignature) -> Value {
        let place = self.global_place(index, arg);
        let scalar = arg.dtype.scalar();
        self.emit_before(|b| {
            let zero = b.i64(0);
            load(b, place, zero, scalar)
        })
    }

    pub(super) fn global_place(&mut self, index: u16, arg: &ArgSignature) -> Place {
        Place::Row {
            addr: self.base(index),
            region: self.region(arg),
        }
    }

    /// A global: READ, and anything long, in place; else a running value in a local array, or a staged array whose content
    /// is added to (or becomes) the running value after each element.
    fn bind_global(&mut self, index: u16, arg: &ArgSignature) -> Binding {
        let dim = u64::from(arg.dim);
        let short = dim <= STRAIGHT_COPY_MAX;
        let array = |wrap: &mut Wrap<'_>| wrap.new_array(arg, dim);
        match arg.access {
            Access::Inc | Access::Write => {
                if short {
                    self.load_accumulators(index, arg);
                }
                let array = array(self);
                self.start_from_zero(array, arg.access);
                Binding::Staged { array, dim }
            }
            Access::Min | Access::Max | Access::Rw if short => {
                let array = match self.running.get(&arg.dat) {
                    Some(array) => *array,
                    None => self.load_running(index, arg),
                };
                Binding::Staged { array, dim }
            }
            Access::Read | Access::Min | Access::Max | Access::Rw => self.in_place(index, arg),
        }
    }

    fn in_place(&mut self, index: u16, arg: &ArgSignature) -> Binding {
        Binding::Rows {
            addrs: vec![self.base(index)],
            dim: u64::from(arg.dim),
            region: self.region(arg),
        }
    }

    /// The running values of a global, in an array that the kernel works on.
    fn load_running(&mut self, index: u16, arg: &ArgSignature) -> Array {
        let dim = u64::from(arg.dim);
        let array = self.new_array(arg, dim);
        let place = self.global_place(index, arg);
        let scalar = arg.dtype.scalar();
        self.emit_before(|b| copy(b, place, Place::Array(array), dim, scalar));
        self.running.insert(arg.dat, array);
        array
    }

    /// Has a global's running values in variables.
    fn load_accumulators(&mut self, index: u16, arg: &ArgSignature) {
        if self.accumulators.contains_key(&arg.dat) {
            return;
        }
        let place = self.global_place(index, arg);
        let scalar = arg.dtype.scalar();
        let vars = self.emit_before(|b| {
            let load = |b: &mut Builder, i: u64| {
                let at = b.i64(i as i64);
                let value = load(b, place, at, scalar);
                let var = b.var(scalar);
                b.set(var, value);
                var
            };
            (0..u64::from(arg.dim)).map(|i| load(b, i)).collect()
        });
        self.accumulators.insert(arg.dat, vars);
    }

    fn bind_direct(&mut self, index: u16, arg: &ArgSignature) -> Binding {
        let base = self.base(index);
        let addr = self.row_addr(base, self.element, arg);
        Binding::Rows {
            addrs: vec![addr],
            dim: u64::from(arg.dim),
            region: self.region(arg),
        }
    }

    fn row_addr(&mut self, base: Value, row: Value, arg: &ArgSignature) -> Value {
        let stride = arg.row_bytes();
        self.builder
            .emit(Op::RowAddr { base, row, stride }, Type::ADDR)
    }

    /// The map's entry for this element, as `I64`.
    pub(super) fn map_entry(&mut self, map: MapUse, column: u16) -> Value {
        let arg = self.map_owner(map.slot, map.width);
        let element = self.element;
        let op = Op::MapEntry {
            arg,
            element,
            column,
        };
        self.builder.emit(op, Type::I64)
    }

    fn bind_rows(
        &mut self,
        index: u16,
        arg: &ArgSignature,
        map: MapUse,
        columns: &[u16],
        usage: Usage,
    ) -> Binding {
        let pointer = self.kernel.params[index as usize].passing == Passing::Pointer;
        let single = columns.len() == 1 && pointer;
        let in_place = !map.partial && (usage.constant || single);
        match arg.access {
            Access::Read | Access::Rw if in_place => self.rows(index, arg, map, columns),
            Access::Rw if !map.partial => self.row_table(index, arg, map, columns),
            Access::Read | Access::Rw | Access::Min | Access::Max => {
                self.staged_copy(index, arg, map, columns)
            }
            Access::Inc | Access::Write => {
                let dim = u64::from(arg.dim);
                let array = self.new_array(arg, columns.len() as u64 * dim);
                self.start_from_zero(array, arg.access);
                Binding::Staged { array, dim }
            }
        }
    }

    /// Zeroes a staged array. Increments of floats start from -0, to which adding is exact, so that the first addition folds
    /// away; not in strict mode, where a kernel that reads what it increments sees C's +0.
    fn start_from_zero(&mut self, array: Array, access: Access) {
        let ArrayData { scalar, len } = self.builder.body.arrays[array];
        let exact = access == Access::Inc && scalar.is_float() && self.float != FloatMode::Strict;
        if !exact || len > STRAIGHT_COPY_MAX * 4 {
            return self.builder.push(Stmt::Clear(array));
        }
        let minus_zero = 1 << (scalar.bytes() * 8 - 1);
        let zero = self.builder.constant(minus_zero, scalar);
        for i in 0..len {
            let at = self.builder.i64(i as i64);
            let place = Place::Array(array);
            store(&mut self.builder, place, at, zero);
        }
    }

    /// The address of the row that `column` of the map names.
    pub(super) fn mapped_row(
        &mut self,
        index: u16,
        arg: &ArgSignature,
        map: MapUse,
        column: u16,
    ) -> (Value, Value) {
        let base = self.base(index);
        let row = self.map_entry(map, column);
        (row, self.row_addr(base, row, arg))
    }

    fn rows(&mut self, index: u16, arg: &ArgSignature, map: MapUse, columns: &[u16]) -> Binding {
        let addr = |column: &u16| self.mapped_row(index, arg, map, *column).1;
        let addrs = columns.iter().map(addr).collect();
        Binding::Rows {
            addrs,
            dim: u64::from(arg.dim),
            region: self.region(arg),
        }
    }

    fn row_table(
        &mut self,
        index: u16,
        arg: &ArgSignature,
        map: MapUse,
        columns: &[u16],
    ) -> Binding {
        let len = columns.len() as u64;
        let scalar = Scalar::Addr;
        let table = self.builder.body.arrays.push(ArrayData { scalar, len });
        for (k, column) in columns.iter().enumerate() {
            let (_, addr) = self.mapped_row(index, arg, map, *column);
            let at = self.builder.i64(k as i64);
            store(&mut self.builder, Place::Array(table), at, addr);
        }
        Binding::RowTable {
            table,
            arity: len,
            dim: u64::from(arg.dim),
            region: self.region(arg),
        }
    }

    /// All rows copied to a local array; rows of a partial map that are not there read as zero.
    fn staged_copy(
        &mut self,
        index: u16,
        arg: &ArgSignature,
        map: MapUse,
        columns: &[u16],
    ) -> Binding {
        let dim = u64::from(arg.dim);
        let array = self.new_array(arg, columns.len() as u64 * dim);
        let region = self.region(arg);
        if map.partial {
            self.builder.push(Stmt::Clear(array));
        }
        for (k, column) in columns.iter().enumerate() {
            let (row, addr) = self.mapped_row(index, arg, map, *column);
            let from = Place::Row { addr, region };
            let copy = RowCopy {
                row: map.partial.then_some(row),
                first: k as u64 * dim,
                dim,
                scalar: arg.dtype.scalar(),
            };
            copy.gather(&mut self.builder, from, array);
        }
        Binding::Staged { array, dim }
    }

    fn new_array(&mut self, arg: &ArgSignature, len: u64) -> Array {
        let scalar = arg.dtype.scalar();
        let len = len.max(1);
        self.builder.body.arrays.push(ArrayData { scalar, len })
    }
}

/// Whether an argument is written back even if the kernel never names it: an indirect or global WRITE; and in strict mode an
/// INC, whose +0 turns a -0 into +0.
fn writes_anyway(arg: &ArgSignature, float: FloatMode) -> bool {
    let staged = !matches!(arg.source, Source::Direct | Source::Rows(_));
    match arg.access {
        Access::Write => staged,
        Access::Inc => staged && float == FloatMode::Strict,
        Access::Read | Access::Rw | Access::Min | Access::Max => false,
    }
}

/// A row copied to its part of a staged array.
struct RowCopy {
    /// For partial maps: the entry, -1 if there is no row.
    row: Option<Value>,
    /// Index of the row's first value in the array.
    first: u64,
    dim: u64,
    scalar: Scalar,
}

impl RowCopy {
    fn gather(&self, b: &mut Builder, from: Place, to: Array) {
        guarded(b, self.row, |b| {
            each_index(b, self.dim, |b, i| {
                let value = load(b, from, i, self.scalar);
                let at = offset(b, i, self.first);
                store(b, Place::Array(to), at, value);
            });
        });
    }
}

/// Runs `emit` under `row >= 0` if there is a row to test.
pub(super) fn guarded(b: &mut Builder, row: Option<Value>, emit: impl FnOnce(&mut Builder)) {
    let Some(row) = row else { return emit(b) };
    let zero = b.i64(0);
    let cond = b.compare(CompareOp::Ge, row, zero);
    b.open();
    emit(b);
    let then = b.close();
    let other = Vec::new();
    b.push(Stmt::If { cond, then, other });
}

/// Runs `emit` for each index below `len`: one after another when there are few, else in a loop.
pub(super) fn each_index(b: &mut Builder, len: u64, mut emit: impl FnMut(&mut Builder, Value)) {
    if len <= STRAIGHT_COPY_MAX {
        for i in 0..len {
            let at = b.i64(i as i64);
            emit(b, at);
        }
        return;
    }
    let lo = b.i64(0);
    let hi = b.i64(len as i64);
    let open = b.open_for(lo, hi, 1);
    emit(b, open.counter);
    b.close_for(open);
}

/// `index + by`, folded if it can be.
pub(super) fn offset(b: &mut Builder, index: Value, by: u64) -> Value {
    if let Some(index) = b.body.int_constant(index) {
        return b.i64(index + by as i64);
    }
    let by = b.i64(by as i64);
    b.binary(BinaryOp::Add, index, by)
}

/// Copies `len` scalars from one place to another.
pub(super) fn copy(b: &mut Builder, from: Place, to: Place, len: u64, scalar: Scalar) {
    each_index(b, len, |b, i| {
        let value = load(b, from, i, scalar);
        store(b, to, i, value);
    });
}

/// The place of a row.
pub(super) fn row(addr: Value, region: Region) -> Place {
    Place::Row { addr, region }
}
