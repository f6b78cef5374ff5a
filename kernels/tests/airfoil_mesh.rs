//! The airfoil mesh generator: sizes, the published mesh number for number, and the rules that orientation must keep.
//!
//! The published file is not needed: digests computed from it stand here. Orientation is checked by geometry, not by the
//! numbering that the generator uses.

use parloop_kernels::airfoil::mesh::{Asked, Blocks, Mesh, MeshError, SET_SIZE_MAX};
use parloop_kernels::airfoil::{BOUND_FAR_FIELD, BOUND_WALL};

/// FNV-1a, 64 bits, over the little-endian bytes of each value as i64.
fn digest(values: impl IntoIterator<Item = i64>) -> u64 {
    let bytes = values.into_iter().flat_map(i64::to_le_bytes);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Digests in the order of a mesh file: coordinates in millionths, cells, edges (nodes, cells), boundary edges (nodes, cell,
/// bound).
fn digests(mesh: &Mesh) -> [u64; 4] {
    let wide = |values: &[i32]| values.iter().map(|&v| i64::from(v)).collect::<Vec<_>>();
    let edges = mesh
        .edges
        .chunks(2)
        .zip(mesh.edge_cells.chunks(2))
        .flat_map(|(n, c)| wide(&[n[0], n[1], c[0], c[1]]));
    let bedges = mesh
        .bedges
        .chunks(2)
        .zip(&mesh.bedge_cells)
        .zip(&mesh.bound);
    [
        digest(mesh.x.iter().map(|x| (x * 1e6).round() as i64)),
        digest(wide(&mesh.cells)),
        digest(edges),
        digest(bedges.flat_map(|((n, &cell), &bound)| wide(&[n[0], n[1], cell, bound]))),
    ]
}

/// Twice the signed area of the triangle a, b, c: positive if they turn to the left.
fn turn(a: [f64; 2], b: [f64; 2], c: [f64; 2]) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

struct Geometry<'m> {
    mesh: &'m Mesh,
}

impl Geometry<'_> {
    fn point(&self, node: i32) -> [f64; 2] {
        let at = 2 * node as usize;
        [self.mesh.x[at], self.mesh.x[at + 1]]
    }

    fn corners(&self, cell: i32) -> [[f64; 2]; 4] {
        let at = 4 * cell as usize;
        [0, 1, 2, 3].map(|k| self.point(self.mesh.cells[at + k]))
    }

    fn area(&self, cell: i32) -> f64 {
        let [a, b, c, d] = self.corners(cell);
        0.5 * (turn(a, b, c) + turn(a, c, d))
    }

    /// Whether the edge is a side of the cell, walked clockwise: then the cell is on its right. Compared by place, because the
    /// nodes of the wake cut lie twice in one place.
    fn is_on_the_right(&self, cell: i32, edge: &[i32]) -> bool {
        let corners = self.corners(cell);
        let walked = [self.point(edge[0]), self.point(edge[1])];
        (0..4).any(|k| [corners[(k + 1) % 4], corners[k]] == walked)
    }
}

fn check_invariants(i: u64, j: u64) {
    let blocks = Blocks::new(i, j).unwrap();
    let mesh = Mesh::generate(blocks).unwrap();
    assert_eq!(
        [mesh.nnode(), mesh.ncell(), mesh.nedge(), mesh.nbedge()],
        [
            blocks.nodes(),
            blocks.cells(),
            blocks.edges(),
            blocks.bedges()
        ],
        "sizes of {i},{j}"
    );
    assert_eq!(mesh.edge_cells.len(), mesh.edges.len());
    assert_eq!(
        [mesh.bedges.len(), mesh.bedge_cells.len()],
        [2 * mesh.nbedge(), mesh.nbedge()]
    );

    let geometry = Geometry { mesh: &mesh };
    for cell in 0..mesh.ncell() as i32 {
        assert!(
            geometry.area(cell) > 0.0,
            "cell {cell} of {i},{j} has area {}",
            geometry.area(cell)
        );
    }
    let mut sides = vec![0; mesh.ncell()];
    for (nodes, cells) in mesh.edges.chunks(2).zip(mesh.edge_cells.chunks(2)) {
        assert_ne!(
            cells[0], cells[1],
            "edge {nodes:?} of {i},{j} has one cell twice"
        );
        assert!(
            geometry.is_on_the_right(cells[0], nodes),
            "edge {nodes:?} of {i},{j}, cell {}",
            cells[0]
        );
        assert!(
            geometry.is_on_the_right(cells[1], &[nodes[1], nodes[0]]),
            "edge {nodes:?}, cell {}",
            cells[1]
        );
        cells.iter().for_each(|&cell| sides[cell as usize] += 1);
    }
    for (nodes, &cell) in mesh.bedges.chunks(2).zip(&mesh.bedge_cells) {
        assert!(
            geometry.is_on_the_right(cell, nodes),
            "boundary edge {nodes:?} of {i},{j}, cell {cell}"
        );
        sides[cell as usize] += 1;
    }
    assert!(
        sides.iter().all(|&sides| sides == 4),
        "each cell of {i},{j} has four sides"
    );
}

#[test]
fn the_small_mesh_is_the_published_one_number_for_number() {
    // Computed from the published file of 12,000 cells.
    let published = [
        0xf8fe_71b4_67c0_c51e,
        0xb5fd_4944_aa4d_db09,
        0xcafe_5520_4c8a_c23f,
        0x6e8a_d94b_72a1_c5c7,
    ];
    let mesh = Mesh::generate(Blocks::SMALL).unwrap();
    assert_eq!(
        [mesh.nnode(), mesh.ncell(), mesh.nedge(), mesh.nbedge()],
        [12_231, 12_000, 23_820, 360]
    );
    assert_eq!(digests(&mesh), published);
}

#[test]
fn the_standard_mesh_has_the_published_sizes() {
    let blocks = Blocks::for_cells(720_000).unwrap();
    assert_eq!((blocks.i(), blocks.j()), (400, 600));
    let mesh = Mesh::generate(blocks).unwrap();
    assert_eq!(
        [mesh.nnode(), mesh.ncell(), mesh.nedge(), mesh.nbedge()],
        [721_801, 720_000, 1_438_600, 2_800]
    );
}

#[test]
fn cells_lie_on_the_right_of_their_edges_in_meshes_of_any_shape() {
    let small = (1..=6).flat_map(|i| (1..=6).map(move |j| (i, j)));
    for (i, j) in small.chain([
        (1, 90),
        (90, 1),
        (20, 32),
        (50, 80),
        (150, 40),
        (700, 5),
        (2000, 3),
    ]) {
        check_invariants(i, j);
    }
}

#[test]
fn only_the_profile_is_a_wall() {
    let mesh = Mesh::generate(Blocks::SMALL).unwrap();
    for (edge, nodes) in mesh.bedges.chunks(2).enumerate() {
        let radius = nodes
            .iter()
            .map(|&n| mesh.x[2 * n as usize].hypot(mesh.x[2 * n as usize + 1]));
        let near = radius.fold(0.0, f64::max) < 1.01;
        let expected = if edge < 50 {
            BOUND_WALL
        } else {
            BOUND_FAR_FIELD
        };
        assert_eq!(
            (near, mesh.bound[edge]),
            (expected == BOUND_WALL, expected),
            "boundary edge {edge}"
        );
    }
}

#[test]
fn coordinates_are_rounded_to_six_decimals() {
    let mesh = Mesh::generate(Blocks::new(9, 7).unwrap()).unwrap();
    for x in &mesh.x {
        assert_eq!(format!("{x:.6}").parse::<f64>().unwrap(), *x);
    }
}

#[test]
fn blocks_follow_from_a_number_of_cells() {
    for (cells, i, j) in [
        (1, 1, 2),
        (12_000, 50, 80),
        (48_000, 100, 160),
        (720_000, 400, 600),
        (719_999, 387, 619),
    ] {
        let blocks = Blocks::for_cells(cells).unwrap();
        assert_eq!((blocks.i(), blocks.j()), (i, j), "{cells} cells");
    }
}

#[test]
fn a_mesh_without_cells_is_refused() {
    assert_eq!(
        Blocks::for_cells(0),
        Err(MeshError::NoCells {
            asked: Asked::Cells(0)
        })
    );
    assert_eq!(
        Blocks::new(0, 3),
        Err(MeshError::NoCells {
            asked: Asked::Blocks(0, 3)
        })
    );
    let error = Blocks::new(3, 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a mesh needs at least one cell: asked for blocks 3,0"
    );
}

#[test]
fn a_mesh_too_large_for_its_maps_is_refused() {
    let limit = SET_SIZE_MAX;
    for cells in [1 << 31, 1 << 40, u64::MAX] {
        assert_eq!(
            Blocks::for_cells(cells),
            Err(MeshError::TooLarge {
                asked: Asked::Cells(cells),
                limit
            })
        );
    }
    for (i, j) in [
        (u64::MAX, u64::MAX),
        (1 << 31, 1),
        (1, 1 << 31),
        (100_000, 100_000),
    ] {
        assert_eq!(
            Blocks::new(i, j),
            Err(MeshError::TooLarge {
                asked: Asked::Blocks(i, j),
                limit
            })
        );
    }
}
