//! The loops of reduce in plain Rust: what the C kernels and the loops over them are checked against.
//!
//! Each function is a whole loop over the edges, in order, with parloop's meaning of the accesses: an increment is gathered
//! from zero and added after the kernel; MIN and MAX start from the data and are combined with it on the way back.

use super::Element;

/// The globals of the direct loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Globals<T> {
    /// Sum of all values (INC).
    pub sum: T,
    /// Lowest value (MIN).
    pub low: T,
    /// Highest value (MAX).
    pub high: T,
}

impl<T: Element> Globals<T> {
    /// Where the loop starts: the sum at zero, the extremes beyond every value.
    pub const START: Globals<T> = Globals {
        sum: T::ZERO,
        low: T::HIGHEST,
        high: T::LOWEST,
    };
}

/// Loop `globals`: reduces v, `[nedge]`, into `start`.
pub fn globals<T: Element>(v: &[T], start: Globals<T>) -> Globals<T> {
    v.iter().fold(start, |so_far, &v| Globals {
        sum: so_far.sum.plus(v),
        low: lower(so_far.low, v),
        high: higher(so_far.high, v),
    })
}

/// Loop `sum_ends`: adds v, `[nedge]`, to `nodes`, `[nnode]`, at the first end and 2 v at the second; edges `[nedge][2]`.
pub fn sum_ends<T: Element>(edges: &[i32], v: &[T], nodes: &mut [T]) {
    for (&[n1, n2], &v) in edges.as_chunks::<2>().0.iter().zip(v) {
        nodes[n1 as usize] = nodes[n1 as usize].plus(v);
        nodes[n2 as usize] = nodes[n2 as usize].plus(v.plus(v));
    }
}

/// Loop `low_ends`: lowers `nodes`, `[nnode]`, to v, `[nedge]`, at both ends; edges `[nedge][2]`.
pub fn low_ends<T: Element>(edges: &[i32], v: &[T], nodes: &mut [T]) {
    for (ends, &v) in edges.as_chunks::<2>().0.iter().zip(v) {
        for &node in ends {
            nodes[node as usize] = lower(nodes[node as usize], v);
        }
    }
}

/// Loop `high_ends`: raises `nodes`, `[nnode]`, to v, `[nedge]`, at both ends; edges `[nedge][2]`.
pub fn high_ends<T: Element>(edges: &[i32], v: &[T], nodes: &mut [T]) {
    for (ends, &v) in edges.as_chunks::<2>().0.iter().zip(v) {
        for &node in ends {
            nodes[node as usize] = higher(nodes[node as usize], v);
        }
    }
}

/// Loop `gap`: the distance of both ends' values, from `nodes`, `[nnode]`, into `width`, `[nedge]`; gives the widest of all and
/// `start`.
pub fn gap<T: Element>(edges: &[i32], nodes: &[T], width: &mut [T], start: T) -> T {
    let mut widest = start;
    for (&[n1, n2], width) in edges.as_chunks::<2>().0.iter().zip(width) {
        let (a, b) = (nodes[n1 as usize], nodes[n2 as usize]);
        *width = if a > b { a.minus(b) } else { b.minus(a) };
        widest = higher(widest, *width);
    }
    widest
}

/// The lower of two values, `so_far` if they compare equal or not at all.
fn lower<T: Element>(so_far: T, value: T) -> T {
    if value < so_far { value } else { so_far }
}

/// The higher of two values, `so_far` if they compare equal or not at all.
fn higher<T: Element>(so_far: T, value: T) -> T {
    if value > so_far { value } else { so_far }
}
