//! Declarations: parameters of the kernel, locals, variables of the file, kernel constants.

use super::init::Contents;
use super::num::Num;
use super::place::{Pointer, ReadOnly, Root};
use super::resolve::Resolved;
use super::shape::{Kind, Shape};
use super::{Binding, Checked, Checker, Operand, Poison, Returned, TableEntry};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{ArrayData, Op, Param, Passing, Scalar, Stmt as Ir, TableData};
use crate::signature::DType;
use crate::source::ParamInfo;
use crate::syntax::ast::{Base, Decl, DeclId, Derived, ExprId, Full, Init};

/// Bytes of all local arrays.
const ARRAY_BYTES_MAX: u64 = 1 << 30;

impl Checker<'_, '_> {
    /// The kernel's parameters.
    pub(super) fn kernel_params(&mut self, resolved: &Resolved) -> Vec<Param> {
        let function = &resolved.function;
        let result = self.unit.ast.ty(function.result);
        if result.base != Base::Void || result.derived.len > 0 {
            let message = "a kernel returns void";
            self.error("kernel-result", function.span, message);
            let scalar = super::constant::scalar_type(self.unit, function.result);
            let is_complex = false;
            self.frame.result = scalar.map(|scalar| Returned { scalar, is_complex });
        }
        let mut params = Vec::new();
        for at in function.params.range() {
            let decl = DeclId(at as u32);
            match self.kernel_param(decl, params.len() as u16, resolved) {
                Ok(param) => params.push(param),
                Err(Poison) => {
                    self.params.push(ParamInfo::default_for(String::new()));
                    params.push(Param {
                        passing: Passing::Unused,
                        scalar: Scalar::U8,
                    });
                }
            }
        }
        params
    }

    fn kernel_param(&mut self, id: DeclId, number: u16, resolved: &Resolved) -> Checked<Param> {
        let decl = self.unit.ast.decl(id);
        let shape = self.param_shape(decl)?;
        if number == u16::MAX {
            return Err(self.error("too-large", decl.span, "there are too many parameters"));
        }
        if shape.scalar == Scalar::Bool && matches!(shape.kind, Kind::Pointer | Kind::Rows) {
            let message = "a parameter that points to `bool` is not in the kernel language";
            let found = Diagnostic::error("not-in-language", decl.span, message);
            return Err(self.report(found.with_help("use `uint8_t *`")));
        }
        let passing = match shape.kind {
            Kind::Scalar => Passing::Value,
            Kind::Pointer => Passing::Pointer,
            Kind::Rows => Passing::Rows,
            Kind::Opaque => Passing::Unused,
            Kind::Void | Kind::Array => {
                return Err(self.error("bad-parameter", decl.span, "a parameter can't be void"));
            }
        };
        let mut info = ParamInfo::default_for(self.unit.text(decl.name).to_owned());
        info.passing = passing;
        if shape.is_complex && passing == Passing::Value {
            return Err(self.no_complex("a complex parameter by value", decl.span));
        }
        info.dtype = (passing != Passing::Unused).then(|| match shape.is_complex {
            true => complex_dtype(shape.scalar),
            false => dtype(shape.scalar),
        });
        info.is_const = shape.is_const;
        if matches!(passing, Passing::Pointer | Passing::Rows) {
            info.extents = vec![shape.extent];
            info.extents.extend(shape.dims.iter().map(|n| Some(*n)));
        }
        info.is_restrict = matches!(
            self.unit.ast.derived(decl.ty).first(),
            Some(Derived::Pointer {
                is_restrict: true,
                ..
            })
        );
        self.params.push(info);
        let root = match passing {
            Passing::Rows => Root::Rows(number),
            _ => Root::Param(number),
        };
        let binding = match passing {
            Passing::Unused => Binding::Opaque,
            Passing::Value => self.value_param(id, decl, number, &shape, resolved),
            _ => Binding::Pointer(shape.pointer(root)),
        };
        self.bind(id, binding);
        Ok(Param {
            passing,
            scalar: shape.scalar,
        })
    }

    fn value_param(
        &mut self,
        id: DeclId,
        decl: Decl,
        number: u16,
        shape: &Shape,
        resolved: &Resolved,
    ) -> Binding {
        let index = resolved.index(id);
        let unused =
            decl.name == crate::syntax::token::Name::NONE || resolved.locals[index].uses == 0;
        if unused {
            return Binding::Fixed(Num::constant(shape.scalar, 0));
        }
        self.params[usize::from(number)].read = true;
        let value = self.b.emit(Op::Param(number), shape.scalar);
        let num = Num::value(shape.scalar, value);
        self.scalar_binding(id, num, shape)
    }

    /// A scalar that starts with a value: fixed where nothing changes it.
    pub(super) fn scalar_binding(&mut self, id: DeclId, num: Num, shape: &Shape) -> Binding {
        let is_fixed = self.frame.resolved.local(id).is_fixed();
        if is_fixed && (!self.in_switch || num.bits().is_some()) {
            return Binding::Fixed(num);
        }
        let var = self.b.var(shape.scalar);
        let value = self.value(num);
        self.b.set(var, value);
        Binding::Var(var, shape.scalar, shape.is_const)
    }

    /// A local declaration.
    pub(super) fn declare(&mut self, id: DeclId) {
        let decl = self.unit.ast.decl(id);
        self.work += 1;
        let binding = self.local(id, decl).unwrap_or(Binding::None);
        self.bind(id, binding);
    }

    fn local(&mut self, id: DeclId, decl: Decl) -> Checked<Binding> {
        if self.unit.ast.derived(decl.ty).contains(&Derived::Function) {
            return Ok(Binding::None);
        }
        if decl.storage.is_typedef {
            return Ok(Binding::None);
        }
        let shape = match self.local_shape(decl) {
            Ok(shape) => shape,
            Err(poison) => {
                self.init_effects(decl);
                return Err(poison);
            }
        };
        if decl.storage.is_extern {
            return self.extern_constant(decl, &shape);
        }
        match shape.kind {
            Kind::Scalar => self.local_scalar(id, decl, &shape),
            Kind::Array => self.local_array(id, decl, shape),
            Kind::Pointer => self.local_pointer(id, decl, &shape),
            Kind::Void | Kind::Rows | Kind::Opaque => {
                let message = "a local of this type is not in the kernel language";
                Err(self.error("not-in-language", decl.span, message))
            }
        }
    }

    /// A static variable or array that the kernel assigns.
    pub(super) fn changed_static(&mut self, span: Span) -> Poison {
        let message = "a static variable that changes is not in the kernel language";
        let found = Diagnostic::error("not-in-language", span, message);
        let help = "make it a parameter: nothing else lives from one element to the next";
        self.report(found.with_help(help))
    }

    /// Errors in the value of a declaration that has one itself.
    fn init_effects(&mut self, decl: Decl) {
        if let Some(init) = decl.init
            && let Init::Expr(full) = self.unit.ast.inits[init.index()]
        {
            self.effects(full);
        }
    }

    fn local_scalar(&mut self, id: DeclId, decl: Decl, shape: &Shape) -> Checked<Binding> {
        let is_fixed = self.frame.resolved.local(id).is_fixed();
        if decl.storage.is_static && !is_fixed {
            return Err(self.changed_static(decl.span));
        }
        let Some(init) = decl.init else {
            return Ok(self.zeroed_scalar(id, shape));
        };
        let full = match self.unit.ast.inits[init.index()] {
            Init::Expr(full) => full,
            Init::Designated(full, _) => full,
            Init::List(list, span) => match self.unit.ast.init_lists[list.range()] {
                [only] => match self.unit.ast.inits[only.index()] {
                    Init::Expr(full) => full,
                    Init::List(_, span) => return Err(self.bad_braces(span)),
                    Init::Designated(index, _) => {
                        let span = self.unit.ast.span(index.root);
                        return Err(self.bad_braces(span));
                    }
                },
                _ => return Err(self.bad_braces(span)),
            },
        };
        if self.frame.resolved.local(id).uses == 0 {
            self.unused_value(full);
            return Ok(Binding::None);
        }
        if shape.is_complex {
            return self.local_complex(id, full, shape);
        }
        let span = self.unit.ast.span(full.root);
        let operand = self.rvalue(full.root);
        let num = match operand.and_then(|operand| self.number_as(operand, shape.scalar, span)) {
            Ok(num) => num,
            // Whatever it is, it is declared: its uses are right or wrong by themselves.
            Err(poison) => return self.poisoned_scalar(id, shape).ok_or(poison),
        };
        Ok(self.scalar_binding(id, num, shape))
    }

    fn local_complex(&mut self, id: DeclId, full: Full, shape: &Shape) -> Checked<Binding> {
        let operand = self.rvalue(full.root)?;
        let z = self.as_complex(operand, shape.scalar, self.unit.ast.span(full.root))?;
        let z = self.held_complex(z);
        Ok(self.complex_binding(id, z, shape.is_const))
    }

    /// The value of a local that nothing reads: kept only for what it does.
    fn unused_value(&mut self, full: Full) {
        let (_, block) = self.aside(|c| c.full_num(full));
        let does_nothing = block.iter().all(|stmt| match stmt {
            Ir::Let(value) => !matches!(
                self.b.body.values[*value].op,
                Op::CheckIndex { .. } | Op::CheckDivisor { .. }
            ),
            _ => false,
        });
        if !does_nothing {
            self.splice(block);
        }
    }

    fn bad_braces(&mut self, span: Span) -> Poison {
        let message = "a scalar takes one value";
        self.error("bad-initialiser", span, message)
    }

    fn poisoned_scalar(&mut self, id: DeclId, shape: &Shape) -> Option<Binding> {
        if self.frame.resolved.local(id).is_fixed() {
            return None;
        }
        let var = self.b.var(shape.scalar);
        Some(Binding::Var(var, shape.scalar, shape.is_const))
    }

    fn zeroed_scalar(&mut self, id: DeclId, shape: &Shape) -> Binding {
        let local = self.frame.resolved.local(id);
        if shape.is_complex {
            let zero = Num::constant(shape.scalar, 0);
            let z = super::complex::Complex { re: zero, im: zero };
            return self.complex_binding(id, z, shape.is_const);
        }
        if local.uses == 0 || local.is_fixed() {
            return Binding::Fixed(Num::constant(shape.scalar, 0));
        }
        let var = self.b.var(shape.scalar);
        if self.loops > 0 {
            let zero = self.zero(shape.scalar);
            self.b.set(var, zero);
        }
        Binding::Var(var, shape.scalar, shape.is_const)
    }

    fn local_pointer(&mut self, id: DeclId, decl: Decl, shape: &Shape) -> Checked<Binding> {
        let local = self.frame.resolved.local(id);
        let changes = !local.is_fixed();
        let once = local.assigned.len() == 1 && !local.address_taken;
        let Some(Init::Expr(full)) = decl.init.map(|init| self.unit.ast.inits[init.index()]) else {
            if once {
                return Ok(Binding::Later(self.depth, self.loops));
            }
            return Err(self.pointer_without_value(decl.span));
        };
        self.pointer_value(full.root, changes, shape, decl.span)
            .map(Binding::Pointer)
    }

    fn pointer_without_value(&mut self, span: Span) -> Poison {
        let message = "a pointer is given its value where it is declared, or by one statement of the same block";
        let found = Diagnostic::error("reassigned-pointer", span, message);
        self.report(found.with_help("declare it with `= &x[..]`"))
    }

    /// The one assignment of a pointer that was declared without a value.
    #[inline(never)] // Its locals are not to lie in every level of a recursion.
    pub(super) fn late_pointer(
        &mut self,
        id: DeclId,
        (depth, loops): (u16, u32),
        value: ExprId,
        span: Span,
    ) -> Checked<()> {
        // Only what the same block computes is seen wherever the pointer is.
        if self.depth != depth + 1 || self.loops != loops {
            return Err(self.pointer_without_value(span));
        }
        let shape = self.local_shape(self.unit.ast.decl(id))?;
        let pointer = self.pointer_value(value, false, &shape, span)?;
        self.bind(id, Binding::Pointer(pointer));
        Ok(())
    }

    fn pointer_value(
        &mut self,
        value: ExprId,
        changes: bool,
        shape: &Shape,
        span: Span,
    ) -> Checked<Pointer> {
        let pointer = match self.rvalue(value)? {
            Operand::Pointer(pointer) => pointer,
            _ => {
                let message = "a pointer takes the address of an array's entry";
                return Err(self.error("not-a-pointer", span, message));
            }
        };
        if changes {
            let message = "a pointer that changes is not in the kernel language";
            let found = Diagnostic::error("reassigned-pointer", span, message);
            let help = "index it with a variable that changes instead";
            return Err(self.report(found.with_help(help)));
        }
        if self.in_switch && pointer.index.bits().is_none() {
            let message = "a pointer declared directly in a switch has a constant index";
            let found = Diagnostic::error("not-in-language", span, message);
            return Err(self.report(found.with_help("put braces around the section")));
        }
        self.reshaped(pointer, shape, span)
    }

    fn local_array(&mut self, id: DeclId, decl: Decl, mut shape: Shape) -> Checked<Binding> {
        let contents = match decl.init {
            Some(init) => Some(self.contents(init, &mut shape)?),
            None if shape.open => {
                let message = "this array needs an extent or values";
                return Err(self.error("non-constant-extent", decl.span, message));
            }
            None => None,
        };
        let is_table = decl.storage.is_static || shape.is_const;
        let constant = match &contents {
            Some(contents) => is_table
                .then(|| self.fold_contents(contents, &shape))
                .flatten(),
            None if decl.storage.is_static => Some(vec![0; shape.len() as usize]),
            None => None,
        };
        if let Some(bits) = constant {
            let why = match shape.is_const {
                true => ReadOnly::Const,
                false => ReadOnly::Static,
            };
            return Ok(Binding::Array(self.table(bits, &shape, why)));
        }
        if decl.storage.is_static {
            let message = "the values of a static array must be constants";
            return Err(self.error("not-constant", decl.span, message));
        }
        self.new_array(id, decl, &shape, contents)
    }

    fn new_array(
        &mut self,
        id: DeclId,
        decl: Decl,
        shape: &Shape,
        contents: Option<Contents>,
    ) -> Checked<Binding> {
        let local = self.frame.resolved.local(id);
        if local.uses == 0 && contents.is_none() {
            return Ok(Binding::None);
        }
        let bytes: u64 = shape.len() * u64::from(shape.scalar.bytes());
        self.array_bytes += bytes;
        if self.array_bytes > ARRAY_BYTES_MAX {
            return Err(self.error("too-large", decl.span, "the local arrays are too large"));
        }
        let array = self.b.body.arrays.push(ArrayData {
            scalar: shape.scalar,
            len: shape.len(),
        });
        let mut pointer = Pointer::to_array(Root::Array(array), shape.scalar, &shape.dims);
        pointer.is_complex = shape.is_complex;
        let is_full = contents
            .as_ref()
            .is_some_and(|c| c.covers(shape.len() / shape.parts()));
        if self.loops > 0 && !is_full {
            self.b.push(Ir::Clear(array));
        }
        if let Some(contents) = contents {
            let skip_zeros = self.loops == 0 || !is_full;
            self.fill(&contents, &pointer, skip_zeros);
        }
        pointer.read_only = shape.is_const.then_some(ReadOnly::Const);
        Ok(Binding::Array(pointer))
    }

    pub(super) fn table(&mut self, bits: Vec<u64>, shape: &Shape, why: ReadOnly) -> Pointer {
        self.tables.push(TableEntry {
            data: TableData {
                scalar: shape.scalar,
                bits,
            },
            table: None,
        });
        let root = Root::Table(self.tables.len() - 1);
        let mut pointer = Pointer::to_array(root, shape.scalar, &shape.dims);
        pointer.is_complex = shape.is_complex;
        pointer.read_only = Some(why);
        pointer
    }
}

impl Shape {
    /// How many scalars an array has.
    pub(super) fn len(&self) -> u64 {
        self.dims.iter().product::<u64>() * self.parts()
    }

    /// Scalars of one value.
    pub(super) fn parts(&self) -> u64 {
        if self.is_complex { 2 } else { 1 }
    }

    /// The pointer that a parameter of this type is.
    pub(super) fn pointer(&self, root: Root) -> Pointer {
        Pointer {
            dims: self.dims.clone(),
            is_complex: self.is_complex,
            extent: self.extent.map(|extent| (extent, 0)),
            read_only: self.is_const.then_some(ReadOnly::Const),
            ..Pointer::new(root, self.scalar)
        }
    }
}

impl ParamInfo {
    fn default_for(name: String) -> ParamInfo {
        ParamInfo {
            name,
            passing: Passing::Unused,
            dtype: None,
            extents: Vec::new(),
            is_const: false,
            is_restrict: false,
            read: false,
            written: false,
        }
    }
}

/// The data type of a complex number of such parts.
fn complex_dtype(scalar: Scalar) -> DType {
    match scalar {
        Scalar::F32 => DType::C64,
        _ => DType::C128,
    }
}

/// The data type of a scalar.
fn dtype(scalar: Scalar) -> DType {
    match scalar {
        Scalar::F64 | Scalar::Addr => DType::F64,
        Scalar::F32 => DType::F32,
        Scalar::I8 => DType::I8,
        Scalar::U8 => DType::U8,
        Scalar::I16 => DType::I16,
        Scalar::U16 => DType::U16,
        Scalar::I32 => DType::I32,
        Scalar::U32 => DType::U32,
        Scalar::I64 => DType::I64,
        Scalar::U64 => DType::U64,
        Scalar::Bool => DType::Bool,
    }
}
