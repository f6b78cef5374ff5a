//! The signature that a kernel is checked with, from its text alone: a loop whose arguments are all direct.
//!
//! A pointer's dim is what the parameter declares, else one more than the largest index that the kernel is seen to use. An
//! integer by value is the element's index, another value a READ global; a pointer to row pointers goes through a map.

use parloop_compiler::ir::Passing;
use parloop_compiler::{
    Access, ArgSignature, CheckedKernel, DType, IndexWidth, Iteration, Layout, MapUse, ParamInfo,
    Reach, Signature, Source,
};

/// The signature of a direct loop over `checked`.
pub(crate) fn signature(checked: &CheckedKernel) -> Signature {
    let reach = Reach::of(checked);
    let mut slots = Slots::default();
    let params = checked.params.iter().enumerate();
    let args = params
        .map(|(index, param)| argument(param, reach[index], &mut slots))
        .collect();
    Signature {
        iteration: Iteration::Elements,
        args,
        allow_conflicts: false,
    }
}

/// Numbers for dats and maps, each argument its own.
#[derive(Default)]
struct Slots {
    dats: u16,
    maps: u16,
}

impl Slots {
    fn next(number: &mut u16) -> u16 {
        *number += 1;
        *number - 1
    }
}

fn argument(param: &ParamInfo, reach: Reach, slots: &mut Slots) -> ArgSignature {
    let dtype = param.dtype.unwrap_or(DType::F64);
    let values = reach.values.div_ceil(u64::from(dtype.parts()));
    let direct = ArgSignature {
        source: Source::Direct,
        dtype,
        dim: 1,
        layout: Layout::Aos,
        access: access(param),
        dat: 0,
    };
    let integer = dtype.scalar().is_int();
    match param.passing {
        Passing::Value if integer => ArgSignature {
            source: Source::Element,
            dtype: DType::I64,
            access: Access::Read,
            ..direct
        },
        Passing::Value => ArgSignature {
            source: Source::Global,
            access: Access::Read,
            dat: Slots::next(&mut slots.dats),
            ..direct
        },
        Passing::Pointer | Passing::Unused => ArgSignature {
            dim: extent(&param.extents, values),
            dat: Slots::next(&mut slots.dats),
            ..direct
        },
        Passing::Rows => {
            let (outer, inner) = param.extents.split_at(param.extents.len().min(1));
            let arity = u16::try_from(extent(outer, reach.rows)).unwrap_or(u16::MAX);
            ArgSignature {
                source: Source::Through(MapUse {
                    slot: Slots::next(&mut slots.maps),
                    arity,
                    width: IndexWidth::I32,
                    partial: false,
                }),
                dim: extent(inner, values),
                access: match access(param) {
                    // Rows that are read and written in place would run one element at a time; that is not what they are for.
                    Access::Rw => Access::Inc,
                    access => access,
                },
                dat: Slots::next(&mut slots.dats),
                ..direct
            }
        }
    }
}

fn access(param: &ParamInfo) -> Access {
    match (param.read, param.written) {
        (_, false) => Access::Read,
        (false, true) => Access::Write,
        (true, true) => Access::Rw,
    }
}

/// Declared extents multiplied; for those that are not declared, what is reached.
fn extent(declared: &[Option<u64>], reached: u64) -> u32 {
    let known = declared
        .iter()
        .flatten()
        .fold(1u64, |product, extent| product.saturating_mul(*extent));
    let all_known = !declared.is_empty() && declared.iter().all(Option::is_some);
    let extent = if all_known {
        known
    } else {
        reached.max(1).next_multiple_of(known.max(1))
    };
    u32::try_from(extent.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parloop_compiler::{KernelText, check_kernel};

    fn inferred(text: &str) -> Vec<(u32, Access)> {
        let text = KernelText {
            text,
            function: None,
            constants: &[],
            hosts: &[],
        };
        let signature = signature(&check_kernel(&text).unwrap());
        signature
            .args
            .iter()
            .map(|arg| (arg.dim, arg.access))
            .collect()
    }

    #[test]
    fn dims_come_from_indices_and_accesses_from_use() {
        let cases: [(&str, &[(u32, Access)]); 5] = [
            (
                "void f(const double *a, double *b) { b[1] = a[3]; }",
                &[(4, Access::Read), (2, Access::Write)],
            ),
            (
                "void f(double *a) { for (int n = 0; n < 4; n++) a[2 * n + 1] += 1.0; }",
                &[(8, Access::Rw)],
            ),
            (
                "void f(const float x[3][2], float *s) { *s += x[0][0]; }",
                &[(6, Access::Read), (1, Access::Rw)],
            ),
            (
                "void f(int i, int *a) { *a = i; }",
                &[(1, Access::Read), (1, Access::Write)],
            ),
            (
                "void f(void *unused, int *a) { *a = 1; }",
                &[(1, Access::Read), (1, Access::Write)],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(inferred(text), expected, "{text}");
        }
    }
}
