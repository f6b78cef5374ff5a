//! Variables of the file and kernel constants: scalars that are folded, tables, values read at each run.

use super::num::Num;
use super::place::{Pointer, ReadOnly, Root};
use super::shape::{Kind, Shape};
use super::{Binding, Checked, Checker, ConstantEntry};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{ConstantSlot, Scalar};
use crate::source::ConstantDecl;
use crate::syntax::ast::{Decl, DeclId, Derived};

impl Checker<'_, '_> {
    /// A variable of the file.
    pub(super) fn global(&mut self, id: DeclId, span: Span) -> Checked<Binding> {
        if let Some(known) = self.globals.get(&id) {
            return Ok(known.clone());
        }
        let decl = self.unit.ast.decl(id);
        let binding = self.global_binding(id, decl, span);
        let known = binding.clone().unwrap_or(Binding::None);
        self.globals.insert(id, known);
        binding
    }

    fn global_binding(&mut self, id: DeclId, decl: Decl, span: Span) -> Checked<Binding> {
        if self.unit.ast.derived(decl.ty).contains(&Derived::Function) {
            let message = "a function can only be called";
            return Err(self.error("function-as-value", span, message));
        }
        let mut shape = self.local_shape(decl)?;
        if decl.storage.is_extern || self.is_declared(decl) && decl.init.is_none() {
            return self.extern_constant(decl, &shape);
        }
        let name = self.unit.text(decl.name).to_owned();
        if !shape.is_const && !decl.storage.is_static {
            let message = format!("`{name}` is a variable of the file that may change");
            let found = Diagnostic::error("mutable-global", span, message);
            let help = "declare it const, or extern and as a kernel constant";
            let found = found
                .with_related(decl.span, "declared here")
                .with_help(help);
            return Err(self.report(found));
        }
        let not_constant = "the value of a variable of the file must be a constant";
        match shape.kind {
            Kind::Scalar if shape.is_complex => {
                Err(self.no_complex("a complex variable of the file", decl.span))
            }
            Kind::Scalar => match self.unit.global_value(id) {
                Some(num) => Ok(Binding::Fixed(num)),
                None => Err(self.error("not-constant", decl.span, not_constant)),
            },
            Kind::Array => {
                let bits = match decl.init {
                    Some(init) => {
                        let contents = self.contents(init, &mut shape)?;
                        self.fold_contents(&contents, &shape)
                    }
                    None => Some(vec![0; shape.len() as usize]),
                };
                match bits {
                    Some(bits) => {
                        let why = match shape.is_const {
                            true => ReadOnly::Const,
                            false => ReadOnly::Static,
                        };
                        Ok(Binding::Array(self.table(bits, &shape, why)))
                    }
                    None => Err(self.error("not-constant", decl.span, not_constant)),
                }
            }
            _ => {
                let message = "a variable of the file of this type is not in the kernel language";
                Err(self.error("not-in-language", decl.span, message))
            }
        }
    }

    fn is_declared(&self, decl: Decl) -> bool {
        let name = self.unit.text(decl.name);
        self.text.constants.iter().any(|c| c.name == name)
    }

    /// `extern const double gam;`: a kernel constant, whether the caller names it or not.
    pub(super) fn extern_constant(&mut self, decl: Decl, shape: &Shape) -> Checked<Binding> {
        let name = self.unit.text(decl.name).to_owned();
        let known = self.text.constants.iter().position(|c| c.name == name);
        if shape.is_complex {
            return Err(self.no_complex("a complex kernel constant", decl.span));
        }
        if !matches!(shape.kind, Kind::Scalar | Kind::Array) || shape.open && known.is_none() {
            let message = "a kernel constant is a scalar or an array of known extent";
            return Err(self.error("bad-constant", decl.span, message));
        }
        let Some(at) = known else {
            return Ok(self.constant_binding(&name, shape.scalar, &shape.dims, shape.len()));
        };
        let declared = &self.text.constants[at];
        let same_size = shape.open || shape.len() == u64::from(declared.dim);
        if declared.dtype.scalar() != shape.scalar || !same_size {
            let message = format!(
                "`{name}` is a kernel constant of {} {}, declared differently here",
                declared.dim, declared.dtype
            );
            return Err(self.error("constant-mismatch", decl.span, message));
        }
        if declared.specialised.is_some() {
            return Ok(self.specialised(declared));
        }
        let dims = if shape.open {
            [u64::from(declared.dim)].as_slice().into()
        } else {
            shape.dims.clone()
        };
        Ok(self.constant_binding(&name, shape.scalar, &dims, u64::from(declared.dim)))
    }

    /// A kernel constant that the caller named.
    pub(super) fn declared_constant(&mut self, at: u32) -> Binding {
        if let Some(known) = self.declared.get(&at) {
            return known.clone();
        }
        let declared = &self.text.constants[at as usize];
        let len = u64::from(declared.dim);
        let dims: &[u64] = if declared.dim == 1 { &[] } else { &[len] };
        let binding = match declared.specialised {
            Some(_) => self.specialised(declared),
            None => self.constant_binding(&declared.name, declared.dtype.scalar(), dims, len),
        };
        self.declared.insert(at, binding.clone());
        binding
    }

    fn specialised(&mut self, declared: &ConstantDecl) -> Binding {
        let bits = declared.specialised.clone().unwrap_or_default();
        let scalar = declared.dtype.scalar();
        if declared.dim == 1 {
            let value = bits.first().copied().unwrap_or(0);
            return Binding::Fixed(Num::constant(scalar, value));
        }
        let shape = Shape {
            kind: Kind::Array,
            scalar,
            is_complex: false,
            dims: [u64::from(declared.dim)].as_slice().into(),
            extent: None,
            is_const: true,
            open: false,
        };
        let mut bits = bits;
        bits.resize(declared.dim as usize, 0);
        Binding::Array(self.table(bits, &shape, ReadOnly::Constant))
    }

    fn constant_binding(&mut self, name: &str, scalar: Scalar, dims: &[u64], len: u64) -> Binding {
        let known = self.constants.iter().position(|c| c.name == name);
        let at = known.unwrap_or_else(|| {
            self.constants.push(ConstantEntry {
                name: name.to_owned(),
                slot: ConstantSlot {
                    scalar,
                    dim: len as u32,
                },
                number: None,
            });
            self.constants.len() - 1
        });
        let mut pointer = Pointer::to_array(Root::Constant(at), scalar, dims);
        pointer.read_only = Some(ReadOnly::Constant);
        if dims.is_empty() {
            return Binding::Element(pointer);
        }
        Binding::Array(pointer)
    }
}
