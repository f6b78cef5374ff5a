//! Sound kernels made from bytes: whatever the bytes, the result passes the verifier and stops soon.

use parloop_compiler::ir::{
    ArrayData, BinaryOp, Builder, CompareOp, ConstantSlot, Kernel, Op, Param, Passing, Place,
    Scalar, Stmt, TableData, Type, UnaryOp, Value, Var,
};

/// A kernel of `double *p, int64_t n, double **rows` over one kernel constant of four doubles.
pub(crate) fn kernel(bytes: &[u8]) -> Kernel {
    let mut maker = Maker {
        bytes,
        at: 0,
        b: Builder::default(),
        values: Vec::new(),
        vars: Vec::new(),
        depth: 0,
    };
    for ty in [
        Scalar::F64,
        Scalar::I64,
        Scalar::I32,
        Scalar::F64,
        Scalar::Bool,
    ] {
        let var = maker.b.var(ty);
        maker.vars.push(var);
    }
    for len in [4, 1, 7] {
        maker.b.body.arrays.push(ArrayData {
            scalar: Scalar::F64,
            len,
        });
        let bits = vec![0x4000_0000_0000_0000; len as usize];
        maker.b.body.tables.push(TableData {
            scalar: Scalar::F64,
            bits,
        });
    }
    for (bits, ty) in [
        (1.5f64.to_bits(), Scalar::F64),
        (2, Scalar::I64),
        (7, Scalar::I32),
        (1, Scalar::Bool),
    ] {
        let value = maker.b.constant(bits, ty);
        maker.values.push(value);
    }
    maker.statements();
    let param = |passing, scalar| Param { passing, scalar };
    Kernel {
        params: vec![
            param(Passing::Pointer, Scalar::F64),
            param(Passing::Value, Scalar::I64),
            param(Passing::Rows, Scalar::F64),
        ],
        constants: vec![
            ConstantSlot {
                scalar: Scalar::F64,
                dim: 4
            };
            2
        ],
        body: maker.b.finish(),
    }
}

struct Maker<'a> {
    bytes: &'a [u8],
    at: usize,
    b: Builder,
    /// Visible values.
    values: Vec<Value>,
    vars: Vec<Var>,
    depth: usize,
}

impl Maker<'_> {
    fn pick(&mut self, n: usize) -> usize {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(byte) % n
    }

    /// A visible value of a type; there is one of each.
    fn of(&mut self, scalar: Scalar) -> Value {
        let body = &self.b.body;
        let fits: Vec<Value> = self
            .values
            .iter()
            .copied()
            .filter(|v| body.ty(*v) == Type::of(scalar))
            .collect();
        fits[self.pick(fits.len())]
    }

    fn emit(&mut self, op: Op, ty: Scalar) {
        let value = self.b.emit(op, ty);
        self.values.push(value);
    }

    fn statements(&mut self) {
        while self.at < self.bytes.len() {
            match self.pick(14) {
                0..=6 => self.instruction(),
                7 => {
                    let which = self.pick(self.vars.len());
                    let var = self.vars[which];
                    let value = self.of(self.b.body.vars[var].scalar);
                    self.b.set(var, value);
                }
                8 => {
                    let (place, index, value) =
                        (self.place(true), self.of(Scalar::I64), self.of(Scalar::F64));
                    let site = self.b.body.site();
                    self.b.store(place, index, value, site);
                }
                9 => {
                    let arrays: Vec<_> = self.b.body.arrays.keys().collect();
                    let array = arrays[self.pick(arrays.len())];
                    self.b.push(Stmt::Clear(array));
                }
                10 if self.depth < 5 => {
                    let cond = self.of(Scalar::Bool);
                    let then = self.nested();
                    let other = self.nested();
                    self.b.push(Stmt::If { cond, then, other });
                }
                11 if self.depth < 5 => {
                    let (lo, hi) = (self.of(Scalar::I64), self.of(Scalar::I64));
                    let step = [1, 2, -1][self.pick(3)];
                    let open = self.b.open_for(lo, hi, step);
                    let mark = self.values.len();
                    self.values.push(open.counter);
                    self.inside(mark);
                    self.leave(Some(open.label), true);
                    self.b.close_for(open);
                }
                12 if self.depth < 5 => {
                    let (label, site) = (self.b.body.label(), self.b.body.site());
                    self.b.open();
                    self.inside(self.values.len());
                    self.leave(Some(label), true);
                    let body = self.b.close();
                    let is_loop = self.pick(2) == 0;
                    let endless = !matches!(body.last(), Some(Stmt::Continue(_)));
                    self.b.push(match is_loop || !endless {
                        true => Stmt::Loop { label, site, body },
                        false => Stmt::Block { label, body },
                    });
                }
                _ if self.depth > 0 => return,
                _ => {}
            }
        }
    }

    fn nested(&mut self) -> Vec<Stmt> {
        self.b.open();
        self.inside(self.values.len());
        self.b.close()
    }

    fn inside(&mut self, mark: usize) {
        self.depth += 1;
        self.statements();
        self.values.truncate(mark.max(4));
        self.depth -= 1;
    }

    fn leave(&mut self, label: Option<parloop_compiler::ir::Label>, may_continue: bool) {
        let Some(label) = label else { return };
        match self.pick(3) {
            0 => self.b.push(Stmt::Exit(label)),
            1 if may_continue => self.b.push(Stmt::Continue(label)),
            _ => {}
        }
    }

    fn place(&mut self, store: bool) -> Place {
        let arrays: Vec<_> = self.b.body.arrays.keys().collect();
        let tables: Vec<_> = self.b.body.tables.keys().collect();
        match self.pick(if store { 4 } else { 6 }) {
            0 | 1 => Place::Array(arrays[self.pick(3)]),
            2 => Place::Param(0),
            3 => Place::ParamRow {
                param: 2,
                row: self.of(Scalar::I64),
            },
            4 => Place::Table(tables[self.pick(3)]),
            _ => Place::Constant(self.pick(2) as u16),
        }
    }

    fn instruction(&mut self) {
        let (op, ty) = match self.pick(12) {
            0 => (
                Op::Const((self.pick(5) as f64 - 2.0).to_bits()),
                Scalar::F64,
            ),
            1 => (Op::Const((self.pick(12) as i64 - 2) as u64), Scalar::I64),
            2 => {
                let op = [UnaryOp::Neg, UnaryOp::Sqrt, UnaryOp::Abs, UnaryOp::Rint][self.pick(4)];
                (Op::Unary(op, self.of(Scalar::F64)), Scalar::F64)
            }
            3 => {
                let ops = [
                    BinaryOp::Add,
                    BinaryOp::Sub,
                    BinaryOp::Mul,
                    BinaryOp::Div,
                    BinaryOp::Min,
                ];
                let op = ops[self.pick(5)];
                (
                    Op::Binary(op, self.of(Scalar::F64), self.of(Scalar::F64)),
                    Scalar::F64,
                )
            }
            4 => {
                let ops = [
                    BinaryOp::Add,
                    BinaryOp::Mul,
                    BinaryOp::Shl,
                    BinaryOp::Shr,
                    BinaryOp::Xor,
                ];
                let op = ops[self.pick(5)];
                let ty = [Scalar::I64, Scalar::I32][self.pick(2)];
                (Op::Binary(op, self.of(ty), self.of(ty)), ty)
            }
            5 => {
                let ty = [Scalar::I64, Scalar::I32, Scalar::F64][self.pick(3)];
                let op = CompareOp::ALL[self.pick(6)];
                (Op::Compare(op, self.of(ty), self.of(ty)), Scalar::Bool)
            }
            6 => {
                let types = [Scalar::F64, Scalar::I64, Scalar::I32, Scalar::Bool];
                let (from, to) = (types[self.pick(4)], types[self.pick(4)]);
                (Op::Convert(self.of(from)), to)
            }
            7 => {
                let which = self.pick(self.vars.len());
                let var = self.vars[which];
                (Op::Get(var), self.b.body.vars[var].scalar)
            }
            8 | 9 => {
                let (place, index) = (self.place(false), self.of(Scalar::I64));
                let site = self.b.body.site();
                (Op::Load { place, index, site }, Scalar::F64)
            }
            10 => {
                let site = self.b.body.site();
                let len = self.pick(9) as u64;
                (
                    Op::CheckIndex {
                        index: self.of(Scalar::I64),
                        len,
                        site,
                    },
                    Scalar::I64,
                )
            }
            _ => (Op::Param(1), Scalar::I64),
        };
        self.emit(op, ty);
    }
}
