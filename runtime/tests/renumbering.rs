//! Renumbering: what orders promise, that loops on a renumbered mesh give the same, and what is refused.

mod support;

use parloop::{
    ArgError, DType, DataError, Error, Map, RenumberError, Renumbering, Set, Subset, Value,
};
use proptest::prelude::*;
use support::{engine, ring};

/// Numbers that look random: a shuffled order of 0..count.
fn shuffled(count: usize) -> Vec<u32> {
    let mut state = 12345u64;
    let mut order: Vec<u32> = (0..count as u32).collect();
    for last in (1..count).rev() {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        order.swap(last, (state >> 33) as usize % (last + 1));
    }
    order
}

/// A grid of `width` x `height` cells: the map from its interior edges to cells, and that from cells to their corners.
fn grid(width: usize, height: usize) -> (Map, Map) {
    let cells = Set::new("cells", width * height).unwrap();
    let nodes = Set::new("nodes", (width + 1) * (height + 1)).unwrap();
    let (mut sides, mut corners) = (Vec::new(), Vec::new());
    for cell in 0..width * height {
        let (i, j) = (cell % width, cell / width);
        let node = i + j * (width + 1);
        corners.extend([node, node + 1, node + width + 2, node + width + 1].map(|n| n as i32));
        if i + 1 < width {
            sides.extend([cell as i32, cell as i32 + 1]);
        }
        if j + 1 < height {
            sides.extend([cell as i32, (cell + width) as i32]);
        }
    }
    let edges = Set::new("edges", sides.len() / 2).unwrap();
    let sides = Map::new("sides", &edges, &cells, 2, sides).unwrap();
    (
        sides,
        Map::new("corners", &cells, &nodes, 4, corners).unwrap(),
    )
}

/// Both arrays are permutations, inverse to each other, and elements stay in their parts of the set.
fn check_valid(renumbering: &Renumbering) {
    let (set, old_of_new) = (renumbering.old_set(), renumbering.old_of_new());
    assert_eq!(old_of_new.len(), set.total_size());
    assert_eq!(renumbering.new_of_old().len(), set.total_size());
    for (new, old) in old_of_new.iter().enumerate() {
        assert_eq!(renumbering.new_of_old()[*old as usize] as usize, new);
    }
    let again = Renumbering::of(set, old_of_new).unwrap();
    assert_eq!(again.new_of_old(), renumbering.new_of_old());
    let new = renumbering.set();
    assert_ne!(new, set);
    assert_eq!(
        (new.core_size(), new.size(), new.total_size()),
        (set.core_size(), set.size(), set.total_size())
    );
}

/// Two sets of a core, a boundary and a halo each, and entries of partial maps of arity 3 between them and from the first to
/// itself.
type Drawn = ([usize; 3], [usize; 3], [Vec<i64>; 3]);

fn meshes() -> impl Strategy<Value = Drawn> {
    let part = || [0usize..12, 0..6, 0..6];
    (part(), part()).prop_flat_map(|(a, b)| {
        let total = |s: [usize; 3]| s.iter().sum::<usize>();
        let entries =
            |from: usize, to: usize| proptest::collection::vec(-1..to as i64, 3 * from..=3 * from);
        let (m, n) = (total(a), total(b));
        (
            Just(a),
            Just(b),
            [entries(m, n), entries(n, m), entries(m, m)],
        )
    })
}

/// The first set, and maps from it, to it, and from it to itself.
fn mesh((a, b, [from, to, own]): Drawn) -> (Set, [Map; 3]) {
    let a = Set::with_halo("a", a[0], a[1], a[2]).unwrap();
    let b = Set::with_halo("b", b[0], b[1], b[2]).unwrap();
    let narrow: Vec<i32> = from.iter().map(|e| *e as i32).collect();
    let maps = [
        Map::partial("from", &a, &b, 3, narrow).unwrap(),
        Map::partial("to", &b, &a, 3, to).unwrap(),
        Map::partial("own", &a, &a, 3, own).unwrap(),
    ];
    (a, maps)
}

/// Cuthill and McKee's order from `root`, as the paper has it, over a list of neighbours for each element.
fn textbook(neighbours: &[Vec<u32>], root: u32) -> Vec<u32> {
    let mut order = vec![root];
    let mut at = 0;
    while at < order.len() {
        let mut next = neighbours[order[at] as usize].clone();
        next.retain(|n| !order.contains(n));
        next.sort_by_key(|n| (neighbours[*n as usize].len(), *n));
        order.extend(next);
        at += 1;
    }
    order
}

/// The length of the shortest way from `root` to the element that is farthest from it.
fn eccentricity(neighbours: &[Vec<u32>], root: u32) -> usize {
    let (mut level, mut seen, mut depth) = (vec![root], vec![root], 0);
    loop {
        let mut next: Vec<u32> = level
            .iter()
            .flat_map(|e| neighbours[*e as usize].clone())
            .collect();
        next.sort_unstable();
        next.dedup();
        next.retain(|n| !seen.contains(n));
        if next.is_empty() {
            return depth;
        }
        seen.extend(&next);
        (level, depth) = (next, depth + 1);
    }
}

proptest! {
    #[test]
    fn an_order_is_a_permutation_within_core_and_boundary_whatever_the_maps(drawn in meshes()) {
        let (set, maps) = mesh(drawn.clone());
        let [from, to, own] = &maps;
        let rcm = Renumbering::rcm(&set, &[from, to, own]).unwrap();
        check_valid(&rcm);
        let (other, others) = mesh(drawn);
        let again = Renumbering::rcm(&other, &others.each_ref()).unwrap();
        prop_assert_eq!(rcm.old_of_new(), again.old_of_new());
        for map in &maps {
            check_valid(&Renumbering::rcm(&set, &[map]).unwrap());
            check_valid(&Renumbering::along(&set, map).unwrap());
        }
    }

    #[test]
    fn maps_say_the_same_after_renumbering(drawn in meshes()) {
        let (set, maps) = mesh(drawn);
        let rcm = Renumbering::rcm(&set, &maps.each_ref()).unwrap();
        for map in &maps {
            let new = rcm.map(map).unwrap();
            prop_assert_eq!((new.name(), new.arity(), new.is_partial()), (map.name(), 3, true));
            let is_from = map.from_set() == &set;
            let is_to = map.to_set() == &set;
            prop_assert_eq!(new.from_set() == rcm.set(), is_from);
            prop_assert_eq!(new.to_set() == rcm.set(), is_to);
            for row in 0..map.from_set().total_size() {
                let new_row = if is_from { rcm.new_of_old()[row] as usize } else { row };
                for column in 0..3 {
                    let entry = map.entry(row, column).unwrap();
                    let there = new.entry(new_row, column).unwrap();
                    match usize::try_from(entry) {
                        Ok(entry) if is_to => prop_assert_eq!(there, i64::from(rcm.new_of_old()[entry])),
                        _ => prop_assert_eq!(there, entry),
                    }
                }
            }
            let back = rcm.inverse().map(&new).unwrap();
            prop_assert_eq!((back.from_set(), back.to_set()), (map.from_set(), map.to_set()));
            for row in 0..map.from_set().total_size() {
                for column in 0..3 {
                    prop_assert_eq!(back.entry(row, column), map.entry(row, column));
                }
            }
        }
    }

    #[test]
    fn rcm_is_the_textbooks_order_backwards_part_by_part(
        count in 1usize..40,
        pairs in proptest::collection::btree_set((0u32..40, 0u32..40), 0..60),
    ) {
        let mut neighbours = vec![Vec::new(); count];
        let mut ends = Vec::new();
        for (a, b) in pairs {
            if a < b && (b as usize) < count {
                neighbours[a as usize].push(b);
                neighbours[b as usize].push(a);
                ends.extend([a as i32, b as i32]);
            }
        }
        let nodes = Set::new("nodes", count).unwrap();
        let edges = Set::new("edges", ends.len() / 2).unwrap();
        let ends = Map::new("ends", &edges, &nodes, 2, ends).unwrap();
        let found = Renumbering::rcm(&nodes, &[&ends]).unwrap();

        let mut rest = found.old_of_new();
        let mut lowest_before = None;
        while !rest.is_empty() {
            // A part ends with its root, so its size is that of what hangs together with its first element.
            let part = textbook(&neighbours, rest[0]).len();
            let (this, others) = rest.split_at(part);
            let root = this[part - 1];
            let mut expected = textbook(&neighbours, root);
            expected.reverse();
            prop_assert_eq!(this, &expected[..]);
            let lowest = this.iter().min().copied();
            prop_assert!(lowest > lowest_before, "parts come in the order of their lowest elements");
            prop_assert!(eccentricity(&neighbours, root) >= eccentricity(&neighbours, lowest.unwrap()));
            (rest, lowest_before) = (others, lowest);
        }
    }
}

#[test]
fn a_shuffled_grid_gets_the_bandwidth_of_one_numbered_row_by_row() {
    let (sides, corners) = grid(30, 50);
    assert_eq!(sides.row_span().max, 30);
    let cells = Renumbering::of(sides.to_set(), shuffled(1500)).unwrap();
    let (sides, corners) = (cells.map(&sides).unwrap(), cells.map(&corners).unwrap());
    let before = sides.row_span();
    assert!(before.max > 1000 && before.mean > 300.0, "{before:?}");
    for maps in [&[&sides][..], &[&corners], &[&sides, &corners]] {
        let rcm = Renumbering::rcm(cells.set(), maps).unwrap();
        let after = rcm.map(&sides).unwrap().row_span();
        assert!(after.max <= 60 && after.mean <= 32.0, "{after:?}");
    }
    let rcm = Renumbering::rcm(cells.set(), &[&sides]).unwrap();
    let after = rcm.map(&sides).unwrap().row_span();
    assert!(after.max <= 32, "{after:?}");
}

#[test]
fn a_map_to_the_set_itself_makes_neighbours_of_an_element_and_its_entries() {
    let (sides, _) = grid(20, 20);
    let cells = sides.to_set();
    let mut next = vec![[-1i32; 2]; 400];
    for edge in 0..sides.from_set().size() {
        let end = |column| sides.entry(edge, column).unwrap();
        let slot = usize::from(end(1) - end(0) > 1);
        next[end(0) as usize][slot] = end(1) as i32;
    }
    let next = Map::partial("next", cells, cells, 2, next.concat()).unwrap();
    let shuffle = Renumbering::of(cells, shuffled(400)).unwrap();
    let (next, sides) = (shuffle.map(&next).unwrap(), shuffle.map(&sides).unwrap());
    let rcm = Renumbering::rcm(shuffle.set(), &[&next]).unwrap();
    let after = rcm.map(&sides).unwrap().row_span();
    assert!(after.max <= 22, "{after:?}");
}

#[test]
fn sets_follow_each_other() {
    let (sides, corners) = grid(30, 50);
    let edges = Renumbering::of(sides.from_set(), shuffled(sides.from_set().size())).unwrap();
    let nodes = Renumbering::of(corners.to_set(), shuffled(corners.to_set().size())).unwrap();
    let (sides, corners) = (edges.map(&sides).unwrap(), nodes.map(&corners).unwrap());
    assert!(corners.row_span().mean > 500.0);

    let edges = Renumbering::along(edges.set(), &sides).unwrap();
    let sides = edges.map(&sides).unwrap();
    let rows =
        (0..sides.from_set().size()).map(|edge| (sides.entry(edge, 0), sides.entry(edge, 1)));
    assert!(
        rows.is_sorted(),
        "in this grid an edge's first cell is its lower"
    );

    let nodes = Renumbering::along(nodes.set(), &corners).unwrap();
    let corners = nodes.map(&corners).unwrap();
    assert!(corners.row_span().max <= 64, "{:?}", corners.row_span());
    let first: Vec<_> = (0..4).map(|c| corners.entry(0, c).unwrap()).collect();
    assert_eq!(first, [0, 1, 2, 3]);
}

#[test]
fn what_touches_nothing_comes_last_in_its_old_order() {
    let (from, to) = (Set::new("from", 5).unwrap(), Set::new("to", 9).unwrap());
    let map = Map::partial("m", &from, &to, 2, [-1, -1, 8, 3, -1, -1, 3, 4, -1, 3]).unwrap();
    let rows = Renumbering::along(&from, &map).unwrap();
    assert_eq!(rows.old_of_new(), [4, 3, 1, 0, 2]);
    let targets = Renumbering::along(&to, &map).unwrap();
    assert_eq!(targets.old_of_new(), [8, 3, 4, 0, 1, 2, 5, 6, 7]);
    let alone = Renumbering::rcm(&from, &[]).unwrap();
    assert_eq!(alone.old_of_new(), [0, 1, 2, 3, 4]);
}

#[test]
fn neither_long_chains_nor_a_target_that_all_share_cost_more_than_their_entries() {
    const COUNT: usize = 300_000;
    let set = Set::new("links", COUNT).unwrap();
    let names = shuffled(COUNT);
    let pairs = names.windows(2).flat_map(|pair| [pair[0], pair[1]]);
    let pairs: Vec<i64> = pairs.map(i64::from).collect();
    let joints = Set::new("joints", COUNT - 1).unwrap();
    let chain = Map::new("chain", &joints, &set, 2, pairs).unwrap();
    let rcm = Renumbering::rcm(&set, &[&chain]).unwrap();
    assert_eq!(rcm.map(&chain).unwrap().row_span().max, 1);

    let hub = Set::new("hub", 1).unwrap();
    let to_hub = Map::new("to_hub", &set, &hub, 1, vec![0i32; COUNT]).unwrap();
    check_valid(&Renumbering::rcm(&set, &[&to_hub]).unwrap());
    check_valid(&Renumbering::rcm(&set, &[&to_hub, &chain]).unwrap());
    check_valid(&Renumbering::rcm(&hub, &[&to_hub]).unwrap());
}

#[test]
fn core_and_boundary_are_ordered_each_for_itself_and_the_halo_stays() {
    // A chain 7 - 0 - 5 - 2 - 4 - 1 - 3 - 6, of which 6 and 7 are the halo and 4 and 5 the boundary.
    let set = Set::with_halo("nodes", 4, 2, 2).unwrap();
    let edges = Set::new("edges", 7).unwrap();
    let entries = [7, 0, 0, 5, 5, 2, 2, 4, 4, 1, 1, 3, 3, 6];
    let chain = Map::new("chain", &edges, &set, 2, entries).unwrap();
    let rcm = Renumbering::rcm(&set, &[&chain]).unwrap();
    let (core, rest) = rcm.old_of_new().split_at(4);
    assert!(core == [0, 2, 1, 3] || core == [3, 1, 2, 0], "{core:?}");
    assert!(rest == [5, 4, 6, 7] || rest == [4, 5, 6, 7], "{rest:?}");
    check_valid(&rcm);

    let values: Vec<i32> = (0..8).collect();
    let dat = engine().dat(&set, "d", 1, &values).unwrap();
    let new = rcm.dat(&dat).unwrap();
    let new = new.data::<i32>().unwrap();
    assert_eq!(new[6..], [6, 7]);
    assert!(
        new.iter()
            .zip(rcm.old_of_new())
            .all(|(a, b)| *a == *b as i32)
    );
    let halo_only = Set::with_halo("ghosts", 0, 0, 3).unwrap();
    assert_eq!(
        Renumbering::rcm(&halo_only, &[]).unwrap().old_of_new(),
        [0, 1, 2]
    );
}

#[test]
fn loops_on_a_renumbered_mesh_give_the_same_and_compile_nothing() {
    let engine = engine();
    let (sides, corners) = grid(17, 23);
    let (edges, cells) = (sides.from_set().clone(), sides.to_set().clone());
    let place: Vec<f64> = (0..18 * 24 * 2)
        .map(|i| (f64::from(i) * 0.37).sin())
        .collect();
    let start: Vec<f64> = (0..17 * 23).map(|i| (f64::from(i) * 0.11).cos()).collect();
    let x = engine.dat(corners.to_set(), "x", 2, &place).unwrap();
    let u = engine.dat(&cells, "u", 1, &start).unwrap();
    let average = engine.kernel(
        "void average(const double *a, const double *b, const double *c, const double *d, double *u) {
            u[0] += sqrt(a[0] * a[0] + b[1] * b[1]) / (2.0 + c[0] * d[1]);
        }",
        None,
    );
    let spread = engine.kernel(
        "void spread(const double *a, const double *b, double *fa, double *fb, double *total) {
            double f = b[0] * 3.0 - a[0]; fa[0] += f; fb[0] += f; total[0] += f;
        }",
        None,
    );
    // The results on the cells, and the sum, on a mesh with these sets.
    let run = |sides: &Map, corners: &Map, x: &parloop::Dat, u: &parloop::Dat| {
        let (edges, cells) = (sides.from_set(), corners.from_set());
        let f = engine.dat_zeroed(cells, "f", 1, DType::F64).unwrap();
        let total = engine.global("total", &[0.0]).unwrap();
        let corner = |index| x.read().at(corners, index);
        let args = [corner(0), corner(1), corner(2), corner(3), u.rw()];
        engine.par_loop(&average, cells, &args).unwrap();
        let args = [
            u.read().at(sides, 0),
            u.read().at(sides, 1),
            f.inc().at(sides, 0),
            f.inc().at(sides, 1),
            total.inc(),
        ];
        engine.par_loop(&spread, edges, &args).unwrap();
        let total = total.data::<f64>().unwrap()[0];
        (f, total)
    };

    let other = Renumbering::of(&cells, shuffled(cells.size())).unwrap();
    let (mixed_sides, mixed_corners) = (other.map(&sides).unwrap(), other.map(&corners).unwrap());
    let mixed_u = other.dat(&u).unwrap();
    let (f, total) = run(&sides, &corners, &x, &u);
    assert_eq!(engine.compilations(), 2);

    let rcm = Renumbering::rcm(other.set(), &[&mixed_sides]).unwrap();
    let sides = rcm.map(&mixed_sides).unwrap();
    let corners = rcm.map(&mixed_corners).unwrap();
    let edges = Renumbering::along(&edges, &sides).unwrap();
    let sides = edges.map(&sides).unwrap();
    let nodes = Renumbering::along(x.set(), &corners).unwrap();
    let corners = nodes.map(&corners).unwrap();
    let (new_x, new_u) = (nodes.dat(&x).unwrap(), rcm.dat(&mixed_u).unwrap());
    let (new_f, new_total) = run(&sides, &corners, &new_x, &new_u);
    assert_eq!(
        engine.compilations(),
        2,
        "signatures see neither sets nor orders"
    );

    let back = |dat| {
        other
            .inverse()
            .dat(&rcm.inverse().dat(dat).unwrap())
            .unwrap()
    };
    let (back_u, back_f) = (back(&new_u), back(&new_f));
    assert_eq!((back_u.set(), back_u.name()), (&cells, "u"));
    assert_eq!(
        *back_u.data::<f64>().unwrap(),
        *u.data::<f64>().unwrap(),
        "bit for bit"
    );
    let (found, expected) = (back_f.data::<f64>().unwrap(), f.data::<f64>().unwrap());
    for (found, expected) in found.iter().zip(&*expected) {
        assert!(
            (found - expected).abs() <= 1e-14 * expected.abs().max(1.0),
            "{found} {expected}"
        );
    }
    assert!(
        (new_total - total).abs() <= 1e-12 * total.abs().max(1.0),
        "{new_total} {total}"
    );
    assert_ne!(*found, *start, "something was computed");
}

#[test]
fn a_row_that_a_partial_map_leaves_out_is_left_out_afterwards() {
    let engine = engine();
    let cells = Set::new("cells", 4).unwrap();
    let (u, v) = (
        engine.dat(&cells, "u", 1, &[1.0, 2.0, 4.0, 8.0]).unwrap(),
        engine.dat_zeroed(&cells, "v", 1, DType::F64).unwrap(),
    );
    let right = Map::partial("right", &cells, &cells, 1, [2i64, -1, 1, 0]).unwrap();
    let kernel = engine.kernel(
        "void k(const double *r, double *v) { v[0] = 1.0 + r[0]; }",
        None,
    );
    let rcm = Renumbering::rcm(&cells, &[&right]).unwrap();
    let new_right = rcm.map(&right).unwrap();
    let (new_u, new_v) = (rcm.dat(&u).unwrap(), rcm.dat(&v).unwrap());
    let args = [new_u.read().at(&new_right, 0), new_v.write()];
    engine.par_loop(&kernel, rcm.set(), &args).unwrap();
    let v = rcm.inverse().dat(&new_v).unwrap();
    assert_eq!(*v.data::<f64>().unwrap(), [5.0, 1.0, 3.0, 2.0]);
}

fn check_rows<T: Value>(values: [T; 6]) {
    let set = Set::new("s", 3).unwrap();
    let turn = Renumbering::of(&set, [2, 0, 1]).unwrap();
    let dat = engine().dat(&set, "d", 2, &values).unwrap();
    let [a, b, c, d, e, f] = values;
    let new = turn.dat(&dat).unwrap();
    assert_eq!(
        (new.dtype(), new.dim(), new.set()),
        (dat.dtype(), 2, turn.set())
    );
    assert_eq!(*new.data::<T>().unwrap(), [e, f, a, b, c, d]);
    let back = turn.inverse().dat(&new).unwrap();
    assert_eq!(*back.data::<T>().unwrap(), values);
    assert_eq!(back.set(), &set);
    assert_ne!(back, dat, "a copy");
}

#[test]
fn rows_of_every_size_move_as_they_are() {
    check_rows([1i8, 2, 3, 4, 5, 6]);
    check_rows([1u16, 2, 3, 4, 5, 6]);
    check_rows([1.0f32, -0.0, 3.0, 4.0, 5.0, 6.0]);
    check_rows([1i64, 2, 3, i64::MIN, 5, 6]);
    check_rows([1.0f64, f64::INFINITY, 3.0, 4.0, 5.0, 6.0]);
    let complex = |re: f64| num_complex::Complex::new(re, -re);
    check_rows([1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(complex));
}

#[test]
fn the_old_mesh_stays_as_it_is_and_does_not_mix_with_the_new() {
    let engine = engine();
    let (nodes, edges, ends) = ring(6);
    let u = engine
        .dat(&nodes, "u", 1, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        .unwrap();
    let s = engine.dat_zeroed(&edges, "s", 1, DType::F64).unwrap();
    let kernel = engine.kernel("void k(const double *a, double *s) { s[0] = a[0]; }", None);
    let rcm = Renumbering::rcm(&nodes, &[&ends]).unwrap();
    let (new_ends, new_u) = (rcm.map(&ends).unwrap(), rcm.dat(&u).unwrap());
    for (map, dat, fits) in [
        (&ends, &u, true),
        (&new_ends, &new_u, true),
        (&ends, &new_u, false),
        (&new_ends, &u, false),
    ] {
        let outcome = engine.par_loop(&kernel, &edges, &[dat.read().at(map, 0), s.write()]);
        match outcome {
            Ok(()) => {
                assert!(fits);
                assert_eq!(*s.data::<f64>().unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
            }
            Err(Error::Refused { reason, .. }) => {
                assert!(
                    !fits && matches!(*reason, ArgError::MapToOtherSet { .. }),
                    "{reason}"
                );
                assert!(
                    reason.to_string().contains("nodes (renumbered)"),
                    "{reason}"
                );
            }
            Err(error) => panic!("{error}"),
        }
    }
    let twice = Renumbering::rcm(rcm.set(), &[&new_ends]).unwrap();
    assert_eq!(twice.set().name(), "nodes (renumbered)");
    assert_eq!(rcm.inverse().set(), &nodes);
}

#[test]
fn subsets_keep_their_elements() {
    let set = Set::new("s", 5).unwrap();
    let turn = Renumbering::of(&set, [4, 2, 0, 1, 3]).unwrap();
    let some = Subset::new(&set, [3, 0, 4]).unwrap();
    let new = turn.subset(&some).unwrap();
    assert_eq!(
        (new.superset(), new.elements()),
        (turn.set(), &[0, 2, 4][..])
    );
    let back = turn.inverse().subset(&new).unwrap();
    assert_eq!((back.superset(), back.elements()), (&set, &[0, 3, 4][..]));
    let error = turn.subset(&new).unwrap_err();
    assert!(
        matches!(error, RenumberError::OtherSubset { .. }),
        "{error}"
    );
}

#[test]
fn empty_sets_are_renumbered_too() {
    let (none, some) = (Set::new("none", 0).unwrap(), Set::new("some", 2).unwrap());
    let from = Map::new("from", &none, &some, 2, [0i32; 0]).unwrap();
    let to = Map::partial("to", &some, &none, 2, [-1; 4]).unwrap();
    for set in [&none, &some] {
        let rcm = Renumbering::rcm(set, &[&from, &to]).unwrap();
        check_valid(&rcm);
        check_valid(&Renumbering::along(set, &from).unwrap());
        assert_eq!(rcm.map(&to).unwrap().entry(0, 0), Some(-1));
    }
    let dat = engine().dat_zeroed(&none, "d", 3, DType::F64).unwrap();
    let rcm = Renumbering::of(&none, []).unwrap();
    assert_eq!(rcm.dat(&dat).unwrap().data::<f64>().unwrap().len(), 0);
    let (from, to) = (from.row_span(), to.row_span());
    assert_eq!((from.max, from.mean, to.max, to.mean), (0, 0.0, 0, 0.0));
}

#[test]
fn orders_that_are_none_are_refused_with_what_is_wrong() {
    let set = Set::with_halo("cells", 2, 2, 1).unwrap();
    let cases: [(&[u32], &str); 7] = [
        (&[0, 1, 2, 3], "lists 4 elements, but it has 5"),
        (&[0, 1, 2, 3, 4, 4], "lists 6 elements, but it has 5"),
        (&[0, 1, 2, 3, 5], "entry 4 is 5, but the set has 5"),
        (&[0, 1, 2, u32::MAX, 4], "entry 3 is 4294967295"),
        (&[0, 1, 1, 3, 4], "entry 2 is 1, which is listed already"),
        (&[0, 2, 1, 3, 4], "element 2 to 1, out of its part"),
        (&[0, 1, 2, 4, 3], "element 4 to 3, out of its part"),
    ];
    for (order, said) in cases {
        let error = Renumbering::of(&set, order).unwrap_err();
        assert!(error.to_string().contains(said), "{order:?}: {error}");
    }
    let good = Renumbering::of(&set, [1, 0, 3, 2, 4]).unwrap();
    check_valid(&good);
    let ghosts = Set::with_halo("ghosts", 0, 0, 2).unwrap();
    let error = Renumbering::of(&ghosts, [1, 0]).unwrap_err();
    assert!(
        matches!(
            error,
            RenumberError::Moved {
                position: 0,
                element: 1,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn what_does_not_hang_on_the_set_is_refused() {
    let engine = engine();
    let (nodes, _edges, ends) = ring(3);
    let other = Set::new("others", 3).unwrap();
    let error = |outcome: Result<Renumbering, RenumberError>| outcome.unwrap_err();
    for error in [
        error(Renumbering::rcm(&other, &[&ends])),
        error(Renumbering::along(&other, &ends)),
        Renumbering::of(&other, [0, 1, 2])
            .unwrap()
            .map(&ends)
            .unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(matches!(error, RenumberError::OtherMap { .. }), "{text}");
        assert!(
            text.contains("`ends` is from `edges` to `nodes`") && text.contains("`others`"),
            "{text}"
        );
    }
    let turn = Renumbering::of(&nodes, [1, 2, 0]).unwrap();
    let dat = engine.dat(&other, "d", 1, &[0.0; 3]).unwrap();
    let error = turn.dat(&dat).unwrap_err();
    assert!(matches!(error, RenumberError::OtherDat { .. }), "{error}");

    let dat = engine.dat(&nodes, "d", 1, &[0.0; 3]).unwrap();
    {
        let _reader = dat.data::<f64>().unwrap();
        assert!(turn.dat(&dat).is_ok(), "readers share");
    }
    let _writer = dat.data_mut::<f64>().unwrap();
    let error = turn.dat(&dat).unwrap_err();
    assert_eq!(
        error,
        RenumberError::Data(DataError::Writing { name: "d".into() })
    );
}
