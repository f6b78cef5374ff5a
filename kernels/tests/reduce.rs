//! reduce: the reference loops against sums and extremes counted another way, for every element type.
//!
//! Counted node by node, from all edges that touch it, in another order: equal bit for bit, because sample values sum exactly
//! and integers wrap.

use parloop_kernels::reduce::mesh::{Network, NetworkError, SET_SIZE_MAX, values};
use parloop_kernels::reduce::reference::{Globals, gap, globals, high_ends, low_ends, sum_ends};
use parloop_kernels::reduce::{Element, ElementType, KERNELS, text};

/// Runs `$check::<T>()` for every element type.
macro_rules! for_each_type {
    ($check:ident) => {{
        $check::<f64>();
        $check::<f32>();
        $check::<i64>();
        $check::<i32>();
        $check::<i16>();
        $check::<i8>();
        $check::<u64>();
        $check::<u32>();
        $check::<u16>();
        $check::<u8>();
    }};
}

/// Values at the ends of edges that touch `node`, first ends once and second ends `second` times.
fn touching<T: Element>(network: &Network, v: &[T], node: usize, second: usize) -> Vec<T> {
    let mut found = Vec::new();
    for (ends, &v) in network.edges.chunks(2).zip(v) {
        if ends[0] as usize == node {
            found.push(v);
        }
        if ends[1] as usize == node {
            found.extend(vec![v; second]);
        }
    }
    found
}

fn lowest<T: Element>(values: &[T]) -> T {
    values
        .iter()
        .copied()
        .fold(T::HIGHEST, |low, v| if v < low { v } else { low })
}

fn highest<T: Element>(values: &[T]) -> T {
    values
        .iter()
        .copied()
        .fold(T::LOWEST, |high, v| if v > high { v } else { high })
}

fn sum<T: Element>(values: &[T]) -> T {
    values.iter().rev().copied().fold(T::ZERO, T::plus)
}

fn check_globals<T: Element>() {
    let v = values::<T>(1000, 7);
    let expected = Globals {
        sum: sum(&v),
        low: lowest(&v),
        high: highest(&v),
    };
    assert_eq!(globals(&v, Globals::START), expected, "{:?}", T::TYPE);
    let (first, second) = v.split_at(333);
    assert_eq!(
        globals(second, globals(first, Globals::START)),
        expected,
        "{:?} in two parts",
        T::TYPE
    );
}

fn check_ends<T: Element>() {
    let network = Network::new(40, 150).unwrap();
    let v = values::<T>(network.nedge(), 11);
    let start = values::<T>(network.nnode, 12);
    let (mut sums, mut lows, mut highs) = (start.clone(), start.clone(), start.clone());
    sum_ends(&network.edges, &v, &mut sums);
    low_ends(&network.edges, &v, &mut lows);
    high_ends(&network.edges, &v, &mut highs);
    for (node, &start) in start.iter().enumerate() {
        let mut once = touching(&network, &v, node, 1);
        once.push(start);
        let mut weighted = touching(&network, &v, node, 2);
        weighted.push(start);
        let expected = (sum(&weighted), lowest(&once), highest(&once));
        assert_eq!(
            (sums[node], lows[node], highs[node]),
            expected,
            "{:?}, node {node}",
            T::TYPE
        );
    }
}

fn check_gap<T: Element>() {
    let network = Network::new(40, 150).unwrap();
    let nodes = values::<T>(network.nnode, 13);
    let mut width = vec![T::ZERO; network.nedge()];
    let widest = gap(&network.edges, &nodes, &mut width, T::LOWEST);
    assert_eq!(widest, highest(&width), "{:?}", T::TYPE);
    for (edge, ends) in network.edges.chunks(2).enumerate() {
        let (a, b) = (nodes[ends[0] as usize], nodes[ends[1] as usize]);
        assert!(width[edge] >= T::ZERO, "{:?}, edge {edge}", T::TYPE);
        assert_eq!(
            lowest(&[a, b]).plus(width[edge]),
            highest(&[a, b]),
            "{:?}, edge {edge}",
            T::TYPE
        );
    }
    assert_eq!(gap(&[], &nodes, &mut [], widest), widest);
}

#[test]
fn globals_hold_the_sum_and_the_extremes() {
    for_each_type!(check_globals);
}

#[test]
fn nodes_hold_what_the_edges_that_touch_them_bring() {
    for_each_type!(check_ends);
}

#[test]
fn widths_are_the_distances_of_both_ends() {
    for_each_type!(check_gap);
}

#[test]
fn the_network_has_lonely_nodes_shared_nodes_and_loops() {
    let network = Network::new(40, 60).unwrap();
    let mut touched = vec![0; network.nnode];
    network
        .edges
        .iter()
        .for_each(|&node| touched[node as usize] += 1);
    assert!(touched.contains(&0) && touched.iter().any(|&count| count > 4));
    let large = Network::new(100, 2000).unwrap();
    assert!(large.edges.chunks(2).any(|ends| ends[0] == ends[1]));
    assert_eq!(Network::new(40, 60).unwrap(), network);
}

#[test]
fn a_network_that_is_empty_or_beyond_its_maps_is_refused() {
    assert_eq!(
        Network::new(0, 3),
        Err(NetworkError::Empty { nnode: 0, nedge: 3 })
    );
    assert_eq!(
        Network::new(3, 0),
        Err(NetworkError::Empty { nnode: 3, nedge: 0 })
    );
    let (nnode, nedge) = (SET_SIZE_MAX + 1, 1);
    assert_eq!(
        Network::new(nnode, nedge),
        Err(NetworkError::TooLarge {
            nnode,
            nedge,
            limit: SET_SIZE_MAX
        })
    );
}

#[test]
fn a_text_names_the_type_asked_for_and_no_other() {
    for kernel in &KERNELS {
        assert_eq!(text(kernel, ElementType::F64), kernel.source);
        let text = text(kernel, ElementType::U16);
        assert!(
            text.contains("const uint16_t *") && !text.contains("double"),
            "{text}"
        );
    }
}
