//! The order of Cuthill and McKee, reversed, over the groups of `ties`.
//!
//! A walk goes out from a root level by level and crosses each group once: whoever is in it has a number afterwards, so there
//! is nothing to find there a second time. That makes a walk linear in the entries, whatever the size of groups. A root is found
//! by George and Liu's method: walk, start again from the last level, as long as the walk gets longer.

use super::ties::Ties;
use std::ops::Range;

/// At most so many walks are tried for a better root. Few get beyond 4; the bound keeps time linear.
const TRIALS_MAX: usize = 8;

/// All elements, those that hang together next to each other.
pub(super) fn order(ties: &Ties<'_>) -> Vec<u32> {
    let mut walk = Walk {
        ties,
        degrees: ties.degrees(),
        order: Vec::with_capacity(ties.elements as usize),
        seen: vec![false; ties.elements as usize],
        crossed: ties.flags(),
    };
    for element in 0..ties.elements {
        if !walk.seen[element as usize] {
            let start = walk.order.len();
            walk.see_part(element);
            walk.order[start..].reverse();
        }
    }
    walk.order
}

struct Walk<'a> {
    ties: &'a Ties<'a>,
    degrees: Vec<u32>,
    /// The elements seen, as they were seen.
    order: Vec<u32>,
    seen: Vec<bool>,
    /// `[map][group]`.
    crossed: Vec<Vec<bool>>,
}

/// What a walk came to.
struct Levels {
    /// Levels after the root's.
    depth: usize,
    /// The last one, in the order.
    last: Range<usize>,
}

impl Walk<'_> {
    /// Sees all that hang together with `element`, from a root as far out as is cheaply found.
    fn see_part(&mut self, element: u32) {
        let start = self.order.len();
        let mut levels = self.go(element);
        for _ in 0..TRIALS_MAX {
            let last = self.order[levels.last.clone()].iter().copied();
            let farthest = last.min_by_key(|element| self.rank(*element));
            let Some(root) = farthest.filter(|_| levels.depth > 0) else {
                return;
            };
            self.forget(start);
            let further = self.go(root);
            if further.depth <= levels.depth {
                return;
            }
            levels = further;
        }
    }

    /// Elements of few neighbours first, equal ones by their numbers.
    fn rank(&self, element: u32) -> (u32, u32) {
        (self.degrees[element as usize], element)
    }

    /// Sees all that hang together with `root`, level by level.
    fn go(&mut self, root: u32) -> Levels {
        let mut last = self.order.len()..self.order.len() + 1;
        self.seen[root as usize] = true;
        self.order.push(root);
        let mut depth = 0;
        loop {
            for at in last.clone() {
                self.cross_groups_of(self.order[at]);
            }
            if self.order.len() == last.end {
                return Levels { depth, last };
            }
            last = last.end..self.order.len();
            depth += 1;
        }
    }

    /// Appends the neighbours of `element` that are not seen yet.
    fn cross_groups_of(&mut self, element: u32) {
        let Walk {
            ties,
            degrees,
            order,
            seen,
            crossed,
        } = self;
        let first = order.len();
        ties.each_group(element, |map, group| {
            if std::mem::replace(&mut crossed[map][group as usize], true) {
                return;
            }
            ties.each_member(map, group, |member| {
                if !std::mem::replace(&mut seen[member as usize], true) {
                    order.push(member);
                }
            });
        });
        order[first..].sort_unstable_by_key(|member| (degrees[*member as usize], *member));
    }

    /// Takes back what was seen from `start` on.
    fn forget(&mut self, start: usize) {
        let Walk {
            ties,
            order,
            seen,
            crossed,
            ..
        } = self;
        for element in order.drain(start..) {
            seen[element as usize] = false;
            ties.each_group(element, |map, group| crossed[map][group as usize] = false);
        }
    }
}
