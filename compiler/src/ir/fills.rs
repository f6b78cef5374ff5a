//! Which arrays a loop fills from end to end, so that nothing of what they held before is left.

use super::body::{Array, Block, Body, For, Op, Place, Stmt};
use super::visit::for_each_stmt;
use std::collections::BTreeSet;

impl Body {
    /// The arrays to whose every entry a loop stores, before anything reads them.
    pub(crate) fn filled_by(&self, it: &For) -> BTreeSet<Array> {
        let from_the_first = self.int_constant(it.lo) == Some(0) && it.step == 1;
        let (true, Some(end)) = (from_the_first, self.int_constant(it.hi)) else {
            return BTreeSet::new();
        };
        let mut filled: BTreeSet<Array> = it
            .body
            .iter()
            .filter_map(|stmt| match stmt {
                Stmt::Store {
                    place: Place::Array(array),
                    index,
                    ..
                } if *index == it.counter => Some(*array),
                _ => None,
            })
            .filter(|array| self.arrays[*array].len as i64 == end)
            .collect();
        if !filled.is_empty() {
            self.keep_unread(&it.body, &mut filled);
        }
        filled
    }

    /// Drops the arrays that a block loads from; all of them if it may be left early.
    fn keep_unread(&self, block: &Block, arrays: &mut BTreeSet<Array>) {
        for_each_stmt(block, &mut |stmt| match stmt {
            Stmt::Let(value) => {
                if let Op::Load {
                    place: Place::Array(array),
                    ..
                } = self.values[*value].op
                {
                    arrays.remove(&array);
                }
            }
            Stmt::Exit(_) | Stmt::Continue(_) => arrays.clear(),
            _ => {}
        });
    }
}
