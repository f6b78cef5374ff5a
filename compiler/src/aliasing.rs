//! Which parameters of a plain function may point to the same memory.
//!
//! The rules are C's: a `restrict` pointer is apart from all others; other pointers may meet if their types may, which those of
//! one type and its other sign do, and those to characters with all. Row pointers are never apart from others, nor from each
//! other: what `restrict` says of `double **restrict x` holds for `x + 1`, not for `x[1]`. The array that holds them is apart: it
//! stays as it is during a call. A loop needs none of this: its arguments tell.

use crate::ir::{Passing, Scalar};
use crate::source::ParamInfo;

/// A dat slot for each parameter: equal where what two point to may overlap.
pub(crate) fn slots(params: &[ParamInfo]) -> Vec<u16> {
    let any_meets_all = params
        .iter()
        .any(|param| kind(param) == Some(Kind::Character));
    // There are few kinds.
    let mut firsts: Vec<(Kind, u16)> = Vec::new();
    let mut slots = Vec::with_capacity(params.len());
    for (index, param) in params.iter().enumerate() {
        let own = index as u16;
        let kind = match kind(param) {
            Some(_) if any_meets_all => Some(Kind::Character),
            kind => kind,
        };
        let Some(kind) = kind else {
            slots.push(own);
            continue;
        };
        let known = firsts.iter().find(|(first, _)| *first == kind);
        slots.push(known.map_or(own, |(_, slot)| *slot));
        if known.is_none() {
            firsts.push((kind, own));
        }
    }
    slots
}

/// Types whose pointers may meet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// With pointers to anything.
    Character,
    Of(Scalar),
}

/// `None` for what shares memory with nothing.
fn kind(param: &ParamInfo) -> Option<Kind> {
    let may_meet = match param.passing {
        Passing::Pointer => !param.is_restrict,
        Passing::Rows => true,
        Passing::Value | Passing::Unused => false,
    };
    let dtype = param.dtype.filter(|_| may_meet)?;
    Some(match dtype.scalar() {
        Scalar::I8 | Scalar::U8 => Kind::Character,
        Scalar::U16 => Kind::Of(Scalar::I16),
        Scalar::U32 => Kind::Of(Scalar::I32),
        Scalar::U64 => Kind::Of(Scalar::I64),
        scalar => Kind::Of(scalar),
    })
}

#[cfg(test)]
mod tests {
    use super::slots;
    use crate::check_kernel;
    use crate::source::KernelText;

    #[test]
    fn pointers_share_a_slot_where_c_lets_them_meet() {
        let cases: [(&str, &[u16]); 9] = [
            (
                "double *a, const double *b, double n, double *c",
                &[0, 0, 2, 0],
            ),
            (
                "double *restrict a, double *b, const double *__restrict__ c, double *d",
                &[0, 1, 2, 1],
            ),
            (
                "double *a, float *b, int *c, unsigned *d, int64_t *e",
                &[0, 1, 2, 2, 4],
            ),
            ("double *a, uint8_t *b, int *c", &[0, 0, 0]),
            ("double *a, const uint8_t *restrict b, int *c", &[0, 1, 2]),
            (
                "double a[3][3], double (*restrict b)[3], void *c, double (*d)[2]",
                &[0, 1, 2, 0],
            ),
            (
                "double * const restrict a, double * restrict const b, double *const c",
                &[0, 1, 2],
            ),
            (
                "double **restrict a, const double **b, double *c, double *restrict d, float **e",
                &[0, 0, 0, 3, 4],
            ),
            ("double **a, uint8_t **restrict b, int *c", &[0, 0, 0]),
        ];
        for (params, expected) in cases {
            let text = format!("#include <stdint.h>\nvoid k({params}) {{ a[0]; }}");
            let text = KernelText {
                text: &text,
                function: None,
                constants: &[],
                hosts: &[],
            };
            let checked = check_kernel(&text).unwrap_or_else(|e| panic!("{params}: {e:?}"));
            assert_eq!(slots(&checked.params), expected, "{params}");
        }
    }
}
