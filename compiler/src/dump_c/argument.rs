//! How one argument reaches the kernel and comes back, as C.

use super::ACCUMULATORS_MAX;
use crate::ir::Passing;
use crate::options::FloatMode;
use crate::signature::{Access, ArgSignature, DType, MapUse, Signature, Source};
use crate::source::ParamInfo;
use std::fmt::Write;

/// Locals of more values than this start from +0 in any mode.
const LISTED_MAX: u64 = 64;

/// An argument and the parameter that takes it.
pub(super) struct Argument {
    index: usize,
    pub(super) signature: ArgSignature,
    passing: Passing,
    /// Whether C takes a plain pointer without a cast.
    is_plain: bool,
    is_const: bool,
    float: FloatMode,
}

/// What the kernel's pointer points to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Placing {
    /// The data itself.
    InPlace,
    /// A local that starts from zero.
    Zeroed,
    /// A local that starts from the data.
    Copied,
}

macro_rules! put {
    ($out:expr, $($format:tt)*) => { let _ = writeln!($out, $($format)*); };
}

impl Argument {
    pub(super) fn all(
        signature: &Signature,
        params: &[ParamInfo],
        float: FloatMode,
    ) -> Vec<Argument> {
        let with_param = |(index, arg): (usize, &ArgSignature)| {
            let param = params.get(index);
            Argument {
                index,
                signature: *arg,
                passing: param.map_or(Passing::Pointer, |p| p.passing),
                is_plain: param.is_none_or(|p| p.extents.len() < 2 && has_one_name(arg.dtype)),
                is_const: param.is_some_and(|p| p.is_const),
                float,
            }
        };
        signature.args.iter().enumerate().map(with_param).collect()
    }

    fn placing(&self) -> Placing {
        let ArgSignature { source, access, .. } = self.signature;
        let Some(map) = source.map() else {
            let staged = matches!(access, Access::Inc | Access::Write);
            return match source {
                Source::Global if staged => Placing::Zeroed,
                _ => Placing::InPlace,
            };
        };
        let one_row = matches!(source, Source::At(..)) || map.arity == 1;
        let in_place = !map.partial && (one_row || self.passing == Passing::Rows);
        match access {
            Access::Read | Access::Rw if in_place => Placing::InPlace,
            Access::Inc | Access::Write => Placing::Zeroed,
            Access::Read | Access::Rw | Access::Min | Access::Max => Placing::Copied,
        }
    }

    /// Writes what has to run before the kernel; returns what the kernel gets.
    pub(super) fn gather(&self, out: &mut String, accumulates: bool) -> String {
        let ArgSignature {
            source,
            dtype,
            dim,
            dat,
            ..
        } = self.signature;
        if source == Source::Element {
            return self.element();
        }
        let data = match accumulates {
            true => format!("pl_a{dat}"),
            false => format!("pl_d{dat}"),
        };
        if self.passing == Passing::Value {
            return format!("{data}[0]");
        }
        let local = format!("pl_t{}", self.index);
        let extent = self.signature.extent().max(1);
        match self.placing() {
            Placing::InPlace => match source {
                Source::Global | Source::Element | Source::Value | Source::Rows(_) => {
                    return self.pointer(&data);
                }
                Source::Direct => {
                    return self.pointer(&format!("&{data}[pl_e * {dim}]"));
                }
                Source::At(map, entry) => {
                    let row = format!("&{data}[pl_r{}_{entry} * {dim}]", map.slot);
                    return self.rows_or_pointer(out, &[row]);
                }
                Source::Through(map) => {
                    let MapUse { slot, arity, .. } = map;
                    let row =
                        |k| format!("&{data}[(int64_t)pl_m{slot}[pl_e * {arity} + {k}] * {dim}]");
                    let rows: Vec<String> = (0..arity).map(row).collect();
                    return self.rows_or_pointer(out, &rows);
                }
            },
            Placing::Zeroed => {
                put!(
                    out,
                    "        {dtype} {local}[{extent}] = {{{}}};",
                    self.zeros(extent)
                );
            }
            Placing::Copied => {
                let zero = match source.map().is_some_and(|map| map.partial) {
                    true => " = {0}",
                    false => "",
                };
                put!(out, "        {dtype} {local}[{extent}]{zero};");
                self.each_row(out, |row, t| format!("{t} = pl_d{dat}[{row}];"));
            }
        }
        if self.passing != Passing::Rows {
            return self.pointer(&local);
        }
        let arity = extent / u64::from(dim.max(1));
        let rows: Vec<String> = (0..arity)
            .map(|k| format!("&{local}[{k} * {dim}]"))
            .collect();
        self.rows_or_pointer(out, &rows)
    }

    /// Initialisers of a local that starts from zero. Increments of floats start from -0, to which adding is exact, so that
    /// the C compiler drops the first addition as it would if the kernel added in place; not in strict mode, where a kernel
    /// that reads what it increments sees +0.
    fn zeros(&self, extent: u64) -> String {
        let ArgSignature { access, dtype, .. } = self.signature;
        let exact = access == Access::Inc && dtype.scalar().is_float();
        if !exact || self.float == FloatMode::Strict || extent > LISTED_MAX {
            return "0".to_owned();
        }
        vec!["-0.0"; extent as usize].join(", ")
    }

    /// Writes what has to run after the kernel.
    pub(super) fn scatter(&self, out: &mut String, accumulates: bool) {
        let ArgSignature {
            source,
            access,
            dim,
            dat,
            ..
        } = self.signature;
        if access == Access::Read || self.placing() == Placing::InPlace {
            return;
        }
        if source.map().is_some() {
            return self.each_row(out, |row, t| self.combine(&format!("pl_d{dat}[{row}]"), t));
        }
        debug_assert!(
            accumulates == (dim <= ACCUMULATORS_MAX),
            "a reduction is kept if it is short"
        );
        let running = if accumulates { "pl_a" } else { "pl_d" };
        let local = format!("pl_t{}", self.index);
        let each = self.combine(&format!("{running}{dat}[pl_c]"), &format!("{local}[pl_c]"));
        put!(
            out,
            "        for (int pl_c = 0; pl_c < {dim}; pl_c++) {each}"
        );
    }

    /// Writes a statement for each scalar of the argument's rows: `each` gets its index in the dat and its local.
    fn each_row(&self, out: &mut String, each: impl Fn(&str, &str) -> String) {
        let dim = self.signature.dim;
        let local = format!("pl_t{}", self.index);
        let guard = |row: &str, partial: bool| match partial {
            true => format!("if ({row} >= 0) "),
            false => String::new(),
        };
        let columns = format!("for (int pl_c = 0; pl_c < {dim}; pl_c++)");
        match self.signature.source {
            Source::At(map, entry) => {
                let row = format!("pl_r{}_{entry}", map.slot);
                let stmt = each(&format!("{row} * {dim} + pl_c"), &format!("{local}[pl_c]"));
                put!(out, "        {}{columns} {stmt}", guard(&row, map.partial));
            }
            Source::Through(map) => {
                let MapUse {
                    slot,
                    arity,
                    partial,
                    ..
                } = map;
                let stmt = each(
                    &format!("pl_r * {dim} + pl_c"),
                    &format!("{local}[pl_k * {dim} + pl_c]"),
                );
                put!(out, "        for (int pl_k = 0; pl_k < {arity}; pl_k++) {{");
                put!(
                    out,
                    "            const int64_t pl_r = pl_m{slot}[pl_e * {arity} + pl_k];"
                );
                put!(
                    out,
                    "            {}{columns} {stmt}",
                    guard("pl_r", partial)
                );
                put!(out, "        }}");
            }
            Source::Direct | Source::Global | Source::Element => {}
            Source::Value | Source::Rows(_) => {}
        }
    }

    /// A statement that stores a local to where it belongs.
    fn combine(&self, data: &str, local: &str) -> String {
        let is_float = self.signature.dtype.scalar().is_float();
        let order = match self.signature.access {
            Access::Inc => return format!("{data} += {local};"),
            Access::Min => "<",
            Access::Max => ">",
            Access::Read | Access::Write | Access::Rw => return format!("{data} = {local};"),
        };
        // A NaN in the data gives way, as in fmin.
        let nan = match is_float {
            true => format!(" || {data} != {data}"),
            false => String::new(),
        };
        format!("{data} = {local} {order} {data}{nan} ? {local} : {data};")
    }

    /// The element's number, by value or, if the kernel insists, by pointer.
    fn element(&self) -> String {
        let dtype = self.signature.dtype;
        match self.passing {
            Passing::Value => format!("({dtype})pl_e"),
            Passing::Pointer | Passing::Rows | Passing::Unused => {
                self.pointer(&format!("({dtype}[]){{({dtype})pl_e}}"))
            }
        }
    }

    /// Hands rows over one by one, if the kernel takes row pointers, else the first.
    fn rows_or_pointer(&self, out: &mut String, rows: &[String]) -> String {
        if self.passing != Passing::Rows {
            return self.pointer(rows.first().map_or("0", String::as_str));
        }
        let qualifier = if self.is_const { "const " } else { "" };
        let (dtype, index, len) = (self.signature.dtype, self.index, rows.len());
        put!(
            out,
            "        {qualifier}{dtype} *pl_p{index}[{len}] = {{{}}};",
            rows.join(", ")
        );
        match self.is_plain {
            true => format!("pl_p{index}"),
            false => format!("(void *)pl_p{index}"),
        }
    }

    /// An expression for a pointer that the parameter takes without a warning.
    fn pointer(&self, expression: &str) -> String {
        match self.is_plain && self.passing != Passing::Unused {
            true => expression.to_owned(),
            false => format!("(void *)({expression})"),
        }
    }
}

/// Whether all C types of this width and sign are one type; `long`, `long long` and the types of bytes are not.
fn has_one_name(dtype: DType) -> bool {
    matches!(
        dtype,
        DType::F64 | DType::F32 | DType::I16 | DType::U16 | DType::I32 | DType::U32
    )
}
