//! Lines two sequences up so that what they have in common is paired: the differences are what is left.
//!
//! Equal heads and tails are paired first. The rest is paired for the highest score if the product of its lengths is within a
//! bound, else not at all, so that no input costs more than a bounded table.

/// The most cells of the table.
const CELLS_MAX: usize = 1 << 22;

/// How well two items go together: 0 not at all.
pub(super) trait Likeness {
    fn score(&self, old: usize, new: usize) -> u8;

    /// Of a pair that has nothing to tell.
    fn is_equal(&self, old: usize, new: usize) -> bool;
}

/// Pairs of indices, both rising.
pub(super) fn align(old: usize, new: usize, likeness: &impl Likeness) -> Vec<(usize, usize)> {
    let shorter = old.min(new);
    let head = (0..shorter).take_while(|at| likeness.is_equal(*at, *at));
    let head = head.count();
    let tail = (1..=shorter - head).take_while(|back| likeness.is_equal(old - back, new - back));
    let tail = tail.count();
    let mut pairs: Vec<(usize, usize)> = (0..head).map(|at| (at, at)).collect();
    let (rows, columns) = (old - head - tail, new - head - tail);
    if rows.saturating_mul(columns) <= CELLS_MAX {
        let middle = best(rows, columns, |i, j| likeness.score(head + i, head + j));
        pairs.extend(middle.into_iter().map(|(i, j)| (head + i, head + j)));
    }
    pairs.extend((1..=tail).rev().map(|back| (old - back, new - back)));
    pairs
}

/// The pairs of the highest sum of scores.
fn best(rows: usize, columns: usize, score: impl Fn(usize, usize) -> u8) -> Vec<(usize, usize)> {
    let width = columns + 1;
    // Cell (i, j): the best sum for what follows row i and column j.
    let mut sums = vec![0u32; (rows + 1) * width];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            let apart = sums[(i + 1) * width + j].max(sums[i * width + j + 1]);
            let together = match score(i, j) {
                0 => 0,
                score => u32::from(score) + sums[(i + 1) * width + j + 1],
            };
            sums[i * width + j] = apart.max(together);
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < rows && j < columns {
        let here = sums[i * width + j];
        let score = score(i, j);
        if score > 0 && here == u32::from(score) + sums[(i + 1) * width + j + 1] {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if here == sums[(i + 1) * width + j] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Letters<'a>(&'a [u8], &'a [u8]);

    impl Likeness for Letters<'_> {
        fn score(&self, old: usize, new: usize) -> u8 {
            u8::from(self.is_equal(old, new))
        }

        fn is_equal(&self, old: usize, new: usize) -> bool {
            self.0[old] == self.1[new]
        }
    }

    fn common(old: &str, new: &str) -> String {
        let letters = Letters(old.as_bytes(), new.as_bytes());
        let pairs = align(old.len(), new.len(), &letters);
        assert!(pairs.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1));
        pairs.iter().map(|(i, _)| letters.0[*i] as char).collect()
    }

    #[test]
    fn what_two_sequences_have_in_common_is_paired() {
        for (old, new, expected) in [
            ("", "", ""),
            ("abc", "abc", "abc"),
            ("abc", "", ""),
            ("abcd", "abxd", "abd"),
            ("abcbdab", "bdcaba", "bcba"),
            ("aa", "aaa", "aa"),
        ] {
            assert_eq!(common(old, new).len(), expected.len(), "{old} {new}");
        }
    }

    #[test]
    fn sequences_too_long_for_the_table_are_paired_at_their_ends_alone() {
        let middle = "x".repeat(3000);
        let (old, new) = (format!("ab{middle}c"), format!("aby{middle}zc"));
        assert_eq!(common(&old, &new), "abc");
    }
}
