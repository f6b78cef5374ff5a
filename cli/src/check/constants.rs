//! `--constant NAME[:TYPE][:DIM]`: kernel constants that the embedding program would declare.

use crate::error::CliError;
use parloop_compiler::{ConstantDecl, DType};

/// Reads all of them.
pub(crate) fn parse(specs: &[String]) -> Result<Vec<ConstantDecl>, CliError> {
    specs.iter().map(|spec| one(spec)).collect()
}

/// Reads one.
pub(crate) fn one(spec: &str) -> Result<ConstantDecl, CliError> {
    let wrong = || CliError::Constant {
        spec: spec.to_owned(),
    };
    let mut parts = spec.split(':');
    let name = parts.next().unwrap_or_default();
    let (mut dtype, mut dim) = (DType::F64, 1);
    for (place, part) in parts.enumerate() {
        match (place, part.parse::<u32>(), type_named(part)) {
            (0 | 1, Ok(number @ 1..), _) if dim == 1 => dim = number,
            (0, _, Some(named)) => dtype = named,
            _ => return Err(wrong()),
        }
    }
    if !is_identifier(name) {
        return Err(wrong());
    }
    Ok(ConstantDecl {
        name: name.to_owned(),
        dtype,
        dim,
        specialised: None,
    })
}

fn type_named(name: &str) -> Option<DType> {
    DType::ALL.into_iter().find(|dtype| dtype.c_name() == name)
}

fn is_identifier(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_followed_by_a_type_and_a_number_of_values() {
        let cases = [
            ("gam", DType::F64, 1),
            ("qinf:4", DType::F64, 4),
            ("n:int", DType::I32, 1),
            ("table:float:16", DType::F32, 16),
        ];
        for (spec, dtype, dim) in cases {
            let found = one(spec).unwrap();
            assert_eq!((found.dtype, found.dim), (dtype, dim), "{spec}");
        }
        for spec in ["", "3x", "a:0", "a:quad", "a:4:int", "a:int:4:4", "a b"] {
            assert!(one(spec).is_err(), "{spec}");
        }
    }
}
