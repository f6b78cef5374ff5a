//! Names of types: those of the standard headers, and a file's typedefs.

use super::super::ast::{Ast, Base, List, TypeId, TypeNode};
use super::super::token::{Name, Names};
use crate::diagnostic::Span;
use crate::ir::Scalar;

/// Types that standard headers name, in LP64.
const STANDARD: &[(&str, Scalar)] = &[
    ("int8_t", Scalar::I8),
    ("uint8_t", Scalar::U8),
    ("int16_t", Scalar::I16),
    ("uint16_t", Scalar::U16),
    ("int32_t", Scalar::I32),
    ("uint32_t", Scalar::U32),
    ("int64_t", Scalar::I64),
    ("uint64_t", Scalar::U64),
    ("int_least8_t", Scalar::I8),
    ("uint_least8_t", Scalar::U8),
    ("int_least16_t", Scalar::I16),
    ("uint_least16_t", Scalar::U16),
    ("int_least32_t", Scalar::I32),
    ("uint_least32_t", Scalar::U32),
    ("int_least64_t", Scalar::I64),
    ("uint_least64_t", Scalar::U64),
    ("int_fast8_t", Scalar::I8),
    ("uint_fast8_t", Scalar::U8),
    ("int_fast16_t", Scalar::I64),
    ("uint_fast16_t", Scalar::U64),
    ("int_fast32_t", Scalar::I64),
    ("uint_fast32_t", Scalar::U64),
    ("int_fast64_t", Scalar::I64),
    ("uint_fast64_t", Scalar::U64),
    ("intptr_t", Scalar::I64),
    ("uintptr_t", Scalar::U64),
    ("intmax_t", Scalar::I64),
    ("uintmax_t", Scalar::U64),
    ("ptrdiff_t", Scalar::I64),
    ("size_t", Scalar::U64),
    ("ssize_t", Scalar::I64),
    ("uint", Scalar::U32),
    ("float_t", Scalar::F32),
    ("double_t", Scalar::F64),
];

/// Typedefs outside the language that are remembered; the rest are unknown names.
const REFUSED_MAX: usize = 64;

/// Types by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct TypeNames {
    by_name: Vec<Option<TypeId>>,
    /// Names of typedefs that are not in the language.
    refused: Vec<Name>,
}

impl TypeNames {
    /// The standard names that the text uses.
    pub(crate) fn standard(names: &Names, ast: &mut Ast) -> TypeNames {
        let mut types = TypeNames {
            by_name: vec![None; names.len()],
            refused: Vec::new(),
        };
        for (text, scalar) in STANDARD {
            if let Some(name) = names.find(text) {
                ast.types.push(TypeNode {
                    base: Base::Scalar(*scalar),
                    is_const: false,
                    derived: List::default(),
                    span: Span::default(),
                });
                types.define(name, TypeId(ast.types.len() as u32 - 1));
            }
        }
        types
    }

    /// The type of a name, if it is a type's.
    pub(crate) fn find(&self, name: Name) -> Option<TypeId> {
        self.by_name.get(name.0 as usize).copied().flatten()
    }

    /// Whether it is a typedef of something that is not in the language.
    pub(crate) fn is_refused(&self, name: Name) -> bool {
        self.refused.contains(&name)
    }

    /// Adds a typedef that is not in the language, for its uses to be told.
    pub(crate) fn refuse(&mut self, name: Name) {
        if self.find(name).is_none() && self.refused.len() < REFUSED_MAX {
            self.refused.push(name);
        }
    }

    /// Adds a typedef.
    pub(crate) fn define(&mut self, name: Name, ty: TypeId) {
        if let Some(slot) = self.by_name.get_mut(name.0 as usize) {
            *slot = Some(ty);
        }
    }
}
