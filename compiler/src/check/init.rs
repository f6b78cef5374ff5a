//! Initialisers of arrays: C's rules for braces, including those left out. What has no value is zero.

use super::constant;
use super::num::{self, Num};
use super::place::Pointer;
use super::shape::{ARRAY_ENTRIES_MAX, Shape};
use super::{Checked, Checker, Operand};
use crate::diagnostic::Span;
use crate::ir::Scalar;
use crate::syntax::ast::{Expr, ExprId, Full, Init, InitId, List, Unary};
use std::collections::BTreeMap;
use std::ops::Range;

/// Which entry gets which value.
#[derive(Default)]
pub(super) struct Contents {
    /// In order.
    entries: Vec<(u64, Full)>,
    /// All of them once a designator has been met: then an entry may be given another value, and the last counts.
    designated: Option<BTreeMap<u64, Full>>,
}

impl Contents {
    /// Whether every one of `len` entries has a value.
    pub(super) fn covers(&self, len: u64) -> bool {
        self.entries().count() as u64 == len
    }

    fn entries(&self) -> impl Iterator<Item = (u64, Full)> {
        let designated = self.designated.iter().flatten();
        let designated = designated.map(|(at, full)| (*at, *full));
        self.entries.iter().copied().chain(designated)
    }

    fn put(&mut self, at: u64, full: Full) {
        match &mut self.designated {
            Some(entries) => {
                entries.insert(at, full);
            }
            None => self.entries.push((at, full)),
        }
    }

    fn meet_designator(&mut self) {
        let entries = self.designated.get_or_insert_default();
        entries.extend(self.entries.drain(..));
    }

    /// Takes back the values of entries that get others in braces: what those leave out is zero.
    fn take_back(&mut self, entries: Range<u64>) {
        if let Some(designated) = &mut self.designated {
            designated.extract_if(entries, |_, _| true).for_each(drop);
        }
    }
}

/// Reads the values of one list in order, for itself or for lists inside whose braces were left out.
struct Cursor {
    list: List,
    at: u32,
    /// Whether the list is that of the dimension being filled, so that designators count in it.
    own: bool,
}

impl Checker<'_, '_> {
    /// Where the values of an initialiser go. An open first extent is made to fit.
    pub(super) fn contents(&mut self, init: InitId, shape: &mut Shape) -> Checked<Contents> {
        let mut contents = Contents::default();
        let list = match self.unit.ast.inits[init.index()] {
            Init::List(list, _) => list,
            Init::Expr(full) | Init::Designated(full, _) => {
                let span = self.unit.ast.span(full.root);
                let message = "an array takes its values in braces";
                return Err(self.error("bad-initialiser", span, message));
            }
        };
        if shape.open {
            shape.dims[0] = ARRAY_ENTRIES_MAX;
        }
        let mut cursor = Cursor {
            list,
            at: 0,
            own: true,
        };
        let dims = shape.dims.clone();
        let count = self.dimension(&mut cursor, &dims, 0, &mut contents)?;
        if cursor.at < list.len {
            let id = self.unit.ast.init_lists[list.range()][cursor.at as usize];
            let span = self.init_span(id);
            return Err(self.error(
                "bad-initialiser",
                span,
                "there are more values than entries",
            ));
        }
        if shape.open {
            shape.dims[0] = count.max(1);
            if shape.len() > ARRAY_ENTRIES_MAX {
                let span = self.init_span(init);
                return Err(self.error("too-large", span, "this array is too large"));
            }
        }
        Ok(contents)
    }

    fn init_span(&self, id: InitId) -> crate::diagnostic::Span {
        match self.unit.ast.inits[id.index()] {
            Init::Expr(full) | Init::Designated(full, _) => self.unit.ast.span(full.root),
            Init::List(_, span) => span,
        }
    }

    /// Fills one dimension from `first` on; returns how many of its entries got something.
    fn dimension(
        &mut self,
        cursor: &mut Cursor,
        dims: &[u64],
        first: u64,
        contents: &mut Contents,
    ) -> Checked<u64> {
        let Some((extent, inner)) = dims.split_first() else {
            return Ok(0);
        };
        let stride: u64 = inner.iter().fold(1, |a, b| a.saturating_mul(*b));
        let (mut done, mut most) = (0, 0);
        while cursor.at < cursor.list.len {
            let mut is_designated = false;
            let mut id = self.unit.ast.init_lists[cursor.list.range()][cursor.at as usize];
            if let Init::Designated(index, value) = self.unit.ast.inits[id.index()] {
                if !cursor.own {
                    break;
                }
                done = self.designator(index, *extent)?;
                contents.meet_designator();
                id = value;
                is_designated = true;
            }
            if done >= *extent {
                break;
            }
            let at = first.saturating_add(done.saturating_mul(stride));
            match self.unit.ast.inits[id.index()] {
                Init::Expr(full) if inner.is_empty() => {
                    contents.put(at, full);
                    cursor.at += 1;
                }
                // Braces left out: the inner array goes on in this list.
                Init::Expr(_) if is_designated => {
                    let span = self.init_span(id);
                    let message = "an entry that is an array takes its values in braces here";
                    return Err(self.error("bad-initialiser", span, message));
                }
                Init::Expr(_) => {
                    let own = std::mem::replace(&mut cursor.own, false);
                    self.dimension(cursor, inner, at, contents)?;
                    cursor.own = own;
                }
                Init::Designated(..) => return Ok(most),
                Init::List(list, span) => {
                    cursor.at += 1;
                    contents.take_back(at..at.saturating_add(stride));
                    self.braced(list, inner, at, contents, span)?;
                }
            }
            done += 1;
            most = done.max(most);
        }
        Ok(most)
    }

    /// The entry that `[index] =` means.
    fn designator(&mut self, index: Full, extent: u64) -> Checked<u64> {
        let span = self.unit.ast.span(index.root);
        match self.constant(index).map(|num| num.integer()) {
            Some(Some(at)) if at >= 0 && at < i128::from(extent) => Ok(at as u64),
            Some(Some(at)) => {
                let message = format!("index {at} is out of range: there are {extent} entries");
                Err(self.error("index-out-of-range", span, message))
            }
            _ => Err(self.error(
                "not-constant",
                span,
                "this index must be an integer constant",
            )),
        }
    }

    fn braced(
        &mut self,
        list: List,
        inner: &[u64],
        at: u64,
        contents: &mut Contents,
        span: crate::diagnostic::Span,
    ) -> Checked<()> {
        let mut cursor = Cursor {
            list,
            at: 0,
            own: true,
        };
        // Braces around a scalar are allowed.
        let dims = if inner.is_empty() { &[1][..] } else { inner };
        if inner.is_empty()
            && let [id] = self.unit.ast.init_lists[list.range()]
            && matches!(self.unit.ast.inits[id.index()], Init::List(..))
        {
            return Err(self.error("bad-initialiser", span, "there are too many braces here"));
        }
        self.dimension(&mut cursor, dims, at, contents)?;
        if cursor.at < list.len {
            return Err(self.error(
                "bad-initialiser",
                span,
                "there are more values than entries",
            ));
        }
        Ok(())
    }

    /// The bits of an array all of whose values are constants.
    pub(super) fn fold_contents(&self, contents: &Contents, shape: &Shape) -> Option<Vec<u64>> {
        let mut bits = vec![0; shape.len() as usize];
        for (at, full) in contents.entries() {
            // Of a complex entry a constant here is the real part.
            *bits.get_mut((at * shape.parts()) as usize)? =
                match self.literal_bits(full.root, shape.scalar) {
                    Some(known) => known,
                    None => constant::to(self.constant(full)?, shape.scalar).bits()?,
                };
        }
        Some(bits)
    }

    /// The quick way for what large tables hold: a literal, perhaps negated, of the table's own type.
    fn literal_bits(&self, id: ExprId, scalar: Scalar) -> Option<u64> {
        let literal = |id: ExprId| match self.unit.ast.expr(id) {
            Expr::Literal(at) => {
                let literal = self.unit.tokens.literals.get(at as usize)?;
                (literal.ty == scalar).then_some(literal.bits)
            }
            _ => None,
        };
        match self.unit.ast.expr(id) {
            Expr::Unary(Unary::Neg, operand) => {
                literal(operand).map(|bits| num::negate(scalar, bits))
            }
            _ => literal(id),
        }
    }

    fn fill_complex(&mut self, operand: Operand, array: &Pointer, at: u64, span: Span) {
        let entry = Pointer {
            dims: super::place::Dims::new(),
            index: Num::index(2 * at as i64),
            extent: None,
            ..array.clone()
        };
        // What is wrong has been told.
        let _: Checked<()> = self
            .as_complex(operand, array.scalar, span)
            .and_then(|z| self.store_complex(&super::place::Lvalue::Element(entry), z, span));
    }

    /// Stores the values into a new array. Entries are zero already where `skip_zeros`.
    pub(super) fn fill(&mut self, contents: &Contents, array: &Pointer, skip_zeros: bool) {
        for (at, full) in contents.entries() {
            let span = self.unit.ast.span(full.root);
            let Ok(operand) = self.rvalue(full.root) else {
                continue;
            };
            if array.is_complex {
                self.fill_complex(operand, array, at, span);
                continue;
            }
            let Ok(num) = self.number_as(operand, array.scalar, span) else {
                continue;
            };
            if skip_zeros && num.bits() == Some(0) {
                continue;
            }
            let entry = Pointer {
                dims: super::place::Dims::new(),
                index: Num::index(at as i64),
                extent: None,
                ..array.clone()
            };
            // The place is in range and not read-only yet.
            let _: Checked<()> = self.store(&super::place::Lvalue::Element(entry), num, span);
        }
    }
}
