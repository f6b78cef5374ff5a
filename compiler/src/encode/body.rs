//! Encodes kernels: parameters, constants, arenas in order of their ids, then statements, blocks within blocks.

use super::Encoder;
use crate::ir::{
    ArrayData, Block, Body, ConstantSlot, For, Inst, Kernel, Op, Param, Place, Region, Site, Stmt,
    TableData, Type, Value,
};

impl Encoder {
    /// A kernel without the host functions it calls.
    pub(crate) fn kernel(&mut self, kernel: &Kernel) {
        let Kernel {
            params,
            constants,
            body,
        } = kernel;
        self.sequence(params.iter(), |e, Param { passing, scalar }| {
            e.u8(*passing as u8);
            e.scalar(*scalar);
        });
        self.sequence(constants.iter(), |e, ConstantSlot { scalar, dim }| {
            e.scalar(*scalar);
            e.u32(*dim);
        });
        self.body(body);
    }

    fn body(&mut self, body: &Body) {
        let Body {
            values,
            vars,
            arrays,
            tables,
            symbols: _, // a part of their own
            labels,
            sites,
            root,
        } = body;
        self.u32(*labels);
        self.u32(*sites);
        self.sequence(vars.values(), |e, ty| e.ty(*ty));
        self.sequence(arrays.values(), |e, ArrayData { scalar, len }| {
            e.scalar(*scalar);
            e.u64(*len);
        });
        self.sequence(tables.values(), |e, TableData { scalar, bits }| {
            e.scalar(*scalar);
            e.sequence(bits.iter(), |e, bits| e.u64(*bits));
        });
        self.sequence(values.values(), |e, Inst { op, ty }| {
            e.ty(*ty);
            e.op(op);
        });
        self.block(root);
    }

    fn ty(&mut self, ty: Type) {
        let Type { scalar, lanes } = ty;
        self.scalar(scalar);
        self.u8(lanes);
    }

    fn value(&mut self, value: Value) {
        self.u32(value.as_u32());
    }

    fn site(&mut self, site: Site) {
        self.u32(site.as_u32());
    }

    fn tagged<const N: usize>(&mut self, tag: u8, values: [Value; N]) {
        self.u8(tag);
        values.into_iter().for_each(|v| self.value(v));
    }

    fn op(&mut self, op: &Op) {
        match op {
            Op::Const(bits) => {
                self.u8(0);
                self.u64(*bits);
            }
            Op::Unary(op, a) => self.chosen(1, *op as u8, [*a]),
            Op::Binary(op, a, b) => self.chosen(2, *op as u8, [*a, *b]),
            Op::Compare(op, a, b) => self.chosen(3, *op as u8, [*a, *b]),
            Op::Select(cond, a, b) => self.tagged(4, [*cond, *a, *b]),
            Op::Fma(a, b, c) => self.tagged(5, [*a, *b, *c]),
            Op::Convert(a) => self.tagged(6, [*a]),
            Op::Get(var) => {
                self.u8(7);
                self.u32(var.as_u32());
            }
            Op::Load { place, index, site } => {
                self.tagged(8, [*index]);
                self.place(place);
                self.site(*site);
            }
            Op::Call(symbol, args) => {
                self.u8(9);
                self.u32(symbol.as_u32());
                self.sequence(args.iter(), |e, arg| e.value(*arg));
            }
            Op::CheckIndex { index, len, site } => {
                self.tagged(10, [*index]);
                self.u64(*len);
                self.site(*site);
            }
            Op::CheckDivisor { divisor, site } => {
                self.tagged(11, [*divisor]);
                self.site(*site);
            }
            Op::Counter => self.u8(12),
            Op::Splat(a) => self.tagged(13, [*a]),
            Op::Lane(a, lane) => {
                self.tagged(14, [*a]);
                self.u8(*lane);
            }
            Op::Shuffle(a, b, mask) => {
                self.tagged(15, [*a, *b]);
                mask.iter().for_each(|lane| self.u8(*lane));
            }
            Op::Param(param) => self.numbered(16, *param),
            Op::Element => self.u8(17),
            Op::ElementAfter(after) => {
                self.u8(21);
                self.u8(*after);
            }
            Op::ArgBase(arg) => self.numbered(18, *arg),
            Op::MapEntry {
                arg,
                element,
                column,
            } => {
                self.tagged(19, [*element]);
                self.u16(*arg);
                self.u16(*column);
            }
            Op::RowAddr { base, row, stride } => {
                self.tagged(20, [*base, *row]);
                self.u64(*stride);
            }
        }
    }

    fn chosen<const N: usize>(&mut self, tag: u8, op: u8, values: [Value; N]) {
        self.tagged(tag, values);
        self.u8(op);
    }

    fn numbered(&mut self, tag: u8, number: u16) {
        self.u8(tag);
        self.u16(number);
    }

    fn place(&mut self, place: &Place) {
        match place {
            Place::Array(array) => {
                self.u8(0);
                self.u32(array.as_u32());
            }
            Place::Table(table) => {
                self.u8(1);
                self.u32(table.as_u32());
            }
            Place::Param(param) => self.numbered(2, *param),
            Place::ParamRow { param, row } => {
                self.tagged(3, [*row]);
                self.u16(*param);
            }
            Place::Constant(slot) => self.numbered(4, *slot),
            Place::Row {
                addr,
                region: Region { slot, readonly },
            } => {
                self.tagged(5, [*addr]);
                self.u16(*slot);
                self.flag(*readonly);
            }
            Place::RowPointers(arg) => self.numbered(6, *arg),
        }
    }

    fn block(&mut self, block: &Block) {
        self.sequence(block.iter(), Encoder::stmt);
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(value) => self.tagged(0, [*value]),
            Stmt::Set(var, value) => {
                self.tagged(1, [*value]);
                self.u32(var.as_u32());
            }
            Stmt::Store {
                place,
                index,
                value,
                site,
            } => {
                self.tagged(2, [*index, *value]);
                self.place(place);
                self.site(*site);
            }
            Stmt::Clear(array) => {
                self.u8(3);
                self.u32(array.as_u32());
            }
            Stmt::If { cond, then, other } => {
                self.tagged(4, [*cond]);
                self.block(then);
                self.block(other);
            }
            Stmt::For(data) => {
                let For {
                    label,
                    counter,
                    lo,
                    hi,
                    step,
                    site,
                    body,
                } = &**data;
                self.tagged(5, [*counter, *lo, *hi]);
                self.u32(label.as_u32());
                self.u64(*step as u64);
                self.site(*site);
                self.block(body);
            }
            Stmt::Loop { label, site, body } => {
                self.u8(6);
                self.u32(label.as_u32());
                self.site(*site);
                self.block(body);
            }
            Stmt::Block { label, body } => {
                self.u8(7);
                self.u32(label.as_u32());
                self.block(body);
            }
            Stmt::Exit(label) => {
                self.u8(8);
                self.u32(label.as_u32());
            }
            Stmt::Continue(label) => {
                self.u8(9);
                self.u32(label.as_u32());
            }
        }
    }
}
