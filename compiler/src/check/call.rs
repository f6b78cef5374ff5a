//! Calls: helper functions are inlined, host functions become IR calls.

use super::complex::Complex;
use super::num::Num;
use super::place::{Pointer, ReadOnly, Root};
use super::shape::{Kind, Shape};
use super::{
    Binding, Checked, Checker, Frame, Operand, Poison, Returned, complex, library, math, suggest,
};
use crate::diagnostic::{Diagnostic, Span};
use crate::ir::{HostSymbol, Var};
use crate::syntax::ast::{DeclId, List};
use crate::syntax::token::Name;
use smallvec::SmallVec;
use std::rc::Rc;

/// Values of arguments.
pub(super) type Args = SmallVec<[Num; 4]>;

impl Checker<'_, '_> {
    pub(super) fn call(&mut self, name: Name, args: List, span: Span) -> Checked<Operand> {
        if let Some(item) = self.unit.function_item(name) {
            return self.inline(item, args, span);
        }
        let text = self.unit.text(name).to_owned();
        let host = self.text.hosts.iter().find(|host| host.name == text);
        if let Some(host) = host {
            return self.host_call(host, args, span).map(Operand::Num);
        }
        if complex::is_known(&text) {
            return self.complex_call(&text, args, span);
        }
        if let Some(result) = self.library_call(&text, args, span) {
            return result;
        }
        if math::is_known(&text) {
            let args = self.arguments(args)?;
            return self.math_call(&text, &args, span).map(Operand::Num);
        }
        for at in args.range() {
            let _: Checked<Operand> = self.rvalue(self.unit.ast.args[at]);
        }
        Err(self.unknown_function(&text, span))
    }

    fn unknown_function(&mut self, text: &str, span: Span) -> Poison {
        let message = format!("`{text}` is not a function that kernels can call");
        let found = Diagnostic::error("undeclared-function", span, message);
        let plain = text.strip_prefix("__builtin_").unwrap_or(text);
        let help = match library::way_round(plain) {
            Some(help) => Some(help.to_owned()),
            None => {
                let items = self.unit.items.iter().take(suggest::NAMES_MAX);
                let mut known: Vec<&str> = items
                    .filter_map(|item| item.names.first())
                    .map(|name| self.unit.tokens.names.text(*name))
                    .collect();
                known.extend(math::names().map(|name| -> &str { name }));
                suggest::nearest(text, known.into_iter())
                    .map(|near| format!("did you mean `{near}`?"))
                    .or_else(|| {
                        Some(
                            "put its body into the text, or register it as a host function"
                                .to_owned(),
                        )
                    })
            }
        };
        self.report(match help {
            Some(help) => found.with_help(help),
            None => found,
        })
    }

    /// All arguments as numbers.
    pub(super) fn arguments(&mut self, list: List) -> Checked<Args> {
        let nums: SmallVec<[Checked<Num>; 4]> = list
            .range()
            .map(|at| self.num(self.unit.ast.args[at]))
            .collect();
        nums.into_iter().collect()
    }

    pub(super) fn wrong_count(&mut self, wanted: usize, given: usize, span: Span) -> Poison {
        let plural = if wanted == 1 { "" } else { "s" };
        let message = format!("this function takes {wanted} argument{plural}, not {given}");
        self.error("wrong-argument-count", span, message)
    }

    fn host_call(&mut self, host: &HostSymbol, list: List, span: Span) -> Checked<Num> {
        let args = self.arguments(list)?;
        self.symbol_call(host, &args, span)
    }

    /// A call of a host function, its arguments converted as its prototype says.
    pub(super) fn symbol_call(
        &mut self,
        host: &HostSymbol,
        args: &[Num],
        span: Span,
    ) -> Checked<Num> {
        if args.len() != host.params.len() {
            return Err(self.wrong_count(host.params.len(), args.len(), span));
        }
        let values = args.iter().zip(&host.params);
        let values = values.map(|(arg, ty)| self.converted(*arg, *ty)).collect();
        let symbol = self.b.symbol(host);
        Ok(Num::value(host.result, self.b.call(symbol, values)))
    }

    /// Walks the body of a function of the file in place of a call.
    fn inline(&mut self, item: usize, args: List, span: Span) -> Checked<Operand> {
        if self.path.contains(&item) {
            let name = self.unit.text(self.unit.items[item].names[0]).to_owned();
            let message = format!("`{name}` calls itself; recursion is not in the kernel language");
            let found = Diagnostic::error("recursion", span, message);
            return Err(self.report(found.with_help("use a loop")));
        }
        let values: Vec<Checked<Operand>> = args
            .range()
            .map(|at| self.rvalue(self.unit.ast.args[at]))
            .collect();
        let resolved = self.unit.function(item).ok_or(Poison)?;
        let params = resolved.function.params;
        if params.len as usize != values.len() {
            return Err(self.wrong_count(params.len as usize, values.len(), span));
        }
        let values: Vec<Operand> = values.into_iter().collect::<Checked<_>>()?;
        let result_ty = resolved.function.result;
        let mut frame = Frame::new(Rc::clone(&resolved), None);
        std::mem::swap(&mut self.frame, &mut frame);
        self.path.push(item);
        let targets = std::mem::take(&mut self.targets);
        let in_switch = std::mem::take(&mut self.in_switch);
        let spans: SmallVec<[Span; 4]> = args
            .range()
            .map(|at| self.unit.ast.span(self.unit.ast.args[at]))
            .collect();
        let result = self.inline_body(&resolved, result_ty, values, &spans);
        self.in_switch = in_switch;
        self.targets = targets;
        self.path.pop();
        self.frame = frame;
        result
    }

    fn inline_body(
        &mut self,
        resolved: &Rc<super::resolve::Resolved>,
        result: crate::syntax::ast::TypeId,
        values: Vec<Operand>,
        spans: &[Span],
    ) -> Checked<Operand> {
        let shape = self.cast_shape(result)?;
        self.frame.result = match shape.kind {
            Kind::Void => None,
            Kind::Scalar => Some(Returned {
                scalar: shape.scalar,
                is_complex: shape.is_complex,
            }),
            _ => {
                let span = resolved.function.span;
                let message = "a function that returns a pointer is not in the kernel language";
                return Err(self.error("not-in-language", span, message));
            }
        };
        let mut ok = Ok(());
        for ((at, value), span) in resolved.function.params.range().zip(values).zip(spans) {
            ok = ok.and(self.argument(DeclId(at as u32), value, *span));
        }
        ok?;
        self.work += 1;
        self.body(resolved);
        let Some(ty) = self.frame.result else {
            return Ok(Operand::Void);
        };
        let mut part = |var: Var| Num::value(ty.scalar, self.b.get(var));
        match self.frame.result_vars[..] {
            [] => self.frame.result_value.take().ok_or(Poison),
            [re, im] => Ok(Operand::Complex(Complex::new(part(re), part(im)))),
            [var, ..] => Ok(Operand::Num(part(var))),
        }
    }

    /// Binds a parameter of an inlined function.
    fn argument(&mut self, id: DeclId, value: Operand, span: Span) -> Checked<()> {
        let decl = self.unit.ast.decl(id);
        let shape = self.param_shape(decl)?;
        let binding = match (shape.kind, value) {
            (Kind::Scalar, value @ (Operand::Num(_) | Operand::Complex(_))) if shape.is_complex => {
                let z = self.as_complex(value, shape.scalar, span)?;
                let z = self.held_complex(z);
                self.complex_binding(id, z, shape.is_const)
            }
            (Kind::Scalar, value @ (Operand::Num(_) | Operand::Complex(_))) => {
                let num = self.number_as(value, shape.scalar, span)?;
                self.scalar_binding(id, num, &shape)
            }
            (Kind::Pointer, Operand::Pointer(pointer)) => {
                Binding::Pointer(self.reshaped(pointer, &shape, span)?)
            }
            (Kind::Rows, Operand::Pointer(pointer)) => match pointer.root {
                Root::Rows(_) if pointer.scalar == shape.scalar => Binding::Pointer(pointer),
                _ => return Err(self.error("pointer-type", span, "this is not an array of rows")),
            },
            (Kind::Opaque, Operand::Pointer(_)) => Binding::Opaque,
            (Kind::Scalar, Operand::Pointer(_)) => {
                let message = "a number is needed here, not a pointer";
                return Err(self.error("pointer-as-number", span, message));
            }
            (_, Operand::Num(_) | Operand::Complex(_)) => {
                let message = "a pointer is needed here, not a number";
                return Err(self.error("not-a-pointer", span, message));
            }
            _ => return Err(self.error("bad-argument", span, "this can't be an argument")),
        };
        self.bind(id, binding);
        Ok(())
    }

    /// A pointer as another pointer type sees it: same scalars, perhaps other dimensions.
    pub(super) fn reshaped(&mut self, from: Pointer, to: &Shape, span: Span) -> Checked<Pointer> {
        let same = from.scalar == to.scalar && from.is_complex == to.is_complex;
        if !same || matches!(from.root, Root::Rows(_)) {
            let kind = |is_complex| if is_complex { "complex " } else { "" };
            let message = format!(
                "a pointer to {}{} can't become one to {}{}",
                kind(from.is_complex),
                from.scalar,
                kind(to.is_complex),
                to.scalar
            );
            let message = match from.root {
                Root::Rows(_) => "an array of rows can't become a pointer to numbers".to_owned(),
                _ => message,
            };
            return Err(self.error("pointer-type", span, message));
        }
        let read_only = from
            .read_only
            .or_else(|| to.is_const.then_some(ReadOnly::Const));
        // What it points to may be part of a larger array, which kernels walk through as a whole.
        Ok(Pointer {
            extent: to.extent.map(|extent| (extent, 0)),
            dims: to.dims.clone(),
            read_only,
            ..from
        })
    }
}
