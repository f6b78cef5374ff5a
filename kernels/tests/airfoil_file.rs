//! Mesh files: what is written reads back, and whatever is wrong with a file is said with file, line, expected and found.
//!
//! Every refusal is checked as a value, the common ones also as the message a user sees. Most work on a mesh of two cells, one
//! line of which is replaced.

use std::io::{self, BufReader, Read};
use std::path::Path;

use parloop_kernels::airfoil::file::{Fault, LINE_BYTES_MAX, MeshFileError, Record, SetName};
use parloop_kernels::airfoil::file::{read, read_from, write, write_to};
use parloop_kernels::airfoil::mesh::{Blocks, Mesh, SET_SIZE_MAX};

/// Two cells side by side: line 1 counts, 2-7 nodes, 8-9 cells, 10 the edge, 11-12 two of the boundary edges.
const TWO_CELLS: &str = "\
6 2 1 2
0.0 0.0
1.0 0.0
2.0 0.0
0.0 1.0
1.0 1.0
2.0 1.0
0 1 4 3
1 2 5 4
1 4 1 0
1 0 0 1
4 5 1 2
";

fn parse(text: &str) -> Result<Mesh, MeshFileError> {
    read_from(text.as_bytes(), "two.dat")
}

/// `TWO_CELLS` with line `line` (from 1) replaced.
fn with_line(line: usize, text: &str) -> String {
    let replaced = TWO_CELLS
        .lines()
        .enumerate()
        .map(|(at, old)| if at + 1 == line { text } else { old });
    replaced.collect::<Vec<_>>().join("\n") + "\n"
}

#[track_caller]
fn check_fault(text: &str, line: u64, fault: Fault) {
    match parse(text) {
        Err(MeshFileError::Malformed {
            path,
            line: found_line,
            fault: found,
        }) => {
            assert_eq!(
                (path.as_path(), found_line, found),
                (Path::new("two.dat"), line, fault)
            );
        }
        other => panic!("expected {fault:?}, got {other:?}"),
    }
}

#[track_caller]
fn check_message(text: &str, message: &str) {
    assert_eq!(parse(text).unwrap_err().to_string(), message);
}

fn written(mesh: &Mesh) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_to(mesh, &mut bytes).unwrap();
    bytes
}

#[test]
fn a_file_holds_counts_nodes_cells_edges_and_boundary_edges() {
    let mesh = parse(TWO_CELLS).unwrap();
    assert_eq!(
        [mesh.nnode(), mesh.ncell(), mesh.nedge(), mesh.nbedge()],
        [6, 2, 1, 2]
    );
    assert_eq!(mesh.x[8..], [1.0, 1.0, 2.0, 1.0]);
    assert_eq!(mesh.cells, [0, 1, 4, 3, 1, 2, 5, 4]);
    assert_eq!((mesh.edges, mesh.edge_cells), (vec![1, 4], vec![1, 0]));
    assert_eq!(
        (mesh.bedges, mesh.bedge_cells, mesh.bound),
        (vec![1, 0, 4, 5], vec![0, 1], vec![1, 2])
    );
}

#[test]
fn spaces_tabs_blank_lines_and_a_missing_last_line_end_do_not_matter() {
    let spread = format!(
        "\n{}",
        TWO_CELLS.replace(' ', " \t ").replace('\n', " \r\n\n")
    );
    assert_eq!(parse(&spread).unwrap(), parse(TWO_CELLS).unwrap());
    assert_eq!(
        parse(TWO_CELLS.trim_end()).unwrap(),
        parse(TWO_CELLS).unwrap()
    );
}

#[test]
fn a_generated_mesh_reads_back_as_it_was_written() {
    for (i, j) in [(1, 1), (2, 3), (50, 80)] {
        let mesh = Mesh::generate(Blocks::new(i, j).unwrap()).unwrap();
        assert_eq!(
            read_from(written(&mesh).as_slice(), "written").unwrap(),
            mesh
        );
    }
}

#[test]
fn a_file_on_disk_reads_back_as_it_was_written() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mesh.dat");
    let mesh = Mesh::generate(Blocks::new(5, 8).unwrap()).unwrap();
    write(&mesh, &path).unwrap();
    assert_eq!(read(&path).unwrap(), mesh);
}

#[test]
fn every_finite_coordinate_reads_back_bit_for_bit() {
    let mut mesh = parse(TWO_CELLS).unwrap();
    let hard = [
        -0.0,
        0.1,
        -1e-6,
        1e-7,
        1.0 / 3.0,
        1e300,
        -1e-300,
        f64::MIN_POSITIVE / 8.0,
        f64::MAX,
        123_456.789_012,
        8999999999.999999,
        1e16,
    ];
    mesh.x = hard.to_vec();
    let back = read_from(written(&mesh).as_slice(), "written").unwrap();
    let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&back.x), bits(&hard));
}

#[test]
fn generated_coordinates_are_written_with_six_decimals() {
    let text = String::from_utf8(written(&Mesh::generate(Blocks::SMALL).unwrap())).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "12231 12000 23820 360",
            "9.000000 -0.000000",
            "8.761600 -0.000000"
        ]
    );
    assert_eq!(lines[lines.len() - 1], "0 151 0 2");
}

#[test]
fn a_file_that_ends_early_is_refused_wherever_it_ends() {
    let lines: Vec<&str> = TWO_CELLS.lines().collect();
    let sections = [
        (1, Record::Node, 6),
        (7, Record::Cell, 2),
        (9, Record::Edge, 1),
        (10, Record::BoundaryEdge, 2),
    ];
    for kept in 1..lines.len() {
        let (start, record, expected) =
            *sections.iter().rfind(|(start, ..)| *start <= kept).unwrap();
        let text = lines[..kept].join("\n");
        check_fault(
            &text,
            kept as u64,
            Fault::Ended {
                record,
                expected,
                found: (kept - start) as u64,
            },
        );
    }
    check_fault(
        "",
        1,
        Fault::Ended {
            record: Record::Counts,
            expected: 1,
            found: 0,
        },
    );
    check_message(
        &lines[..8].join("\n"),
        "two.dat:8: the file ends: expected 2 cell lines, found 1",
    );
}

#[test]
fn a_file_cut_at_any_byte_is_refused() {
    for kept in 0..TWO_CELLS.len() - 1 {
        assert!(parse(&TWO_CELLS[..kept]).is_err(), "cut after {kept} bytes");
    }
}

#[test]
fn a_file_with_any_byte_changed_is_refused_or_is_a_mesh() {
    for at in 0..TWO_CELLS.len() {
        for byte in [b'0', b'5', b'9', b'-', b'.', b'e', b' ', b'\n', 0, 0xff] {
            let mut bytes = TWO_CELLS.as_bytes().to_vec();
            bytes[at] = byte;
            let Ok(mesh) = read_from(bytes.as_slice(), "changed") else {
                continue;
            };
            let nodes =
                [&mesh.cells, &mesh.edges, &mesh.bedges].map(|map| map.iter().max().copied());
            assert!(
                nodes
                    .iter()
                    .all(|node| node.unwrap_or(0) < mesh.nnode() as i32),
                "byte {at}"
            );
            let cells = mesh.edge_cells.iter().chain(&mesh.bedge_cells);
            assert!(
                cells.into_iter().all(|&cell| cell < mesh.ncell() as i32),
                "byte {at}"
            );
            assert!(mesh.x.iter().all(|x| x.is_finite()), "byte {at}");
        }
    }
}

#[test]
fn a_wrong_count_shows_where_the_sections_no_longer_fit() {
    let node = Record::Node;
    check_fault(
        &with_line(1, "7 2 1 2"),
        8,
        Fault::FieldCount {
            record: node,
            expected: 2,
            found: 4,
        },
    );
    let cell = Record::Cell;
    check_fault(
        &with_line(1, "5 2 1 2"),
        7,
        Fault::FieldCount {
            record: cell,
            expected: 4,
            found: 2,
        },
    );
    check_fault(
        &with_line(1, "6 2 2 2"),
        12,
        Fault::Ended {
            record: Record::BoundaryEdge,
            expected: 2,
            found: 1,
        },
    );
    check_message(
        &with_line(1, "5 2 1 2"),
        "two.dat:7: expected 4 fields (n1 n2 n3 n4) of the cell line, found 2",
    );
}

#[test]
fn a_line_with_a_field_too_many_or_too_few_is_refused() {
    for (line, text, record, expected, found) in [
        (1, "6 2 1", Record::Counts, 4, 3),
        (1, "6 2 1 2 9", Record::Counts, 4, 5),
        (3, "1.0", Record::Node, 2, 1),
        (3, "1.0 0.0 0.0", Record::Node, 2, 3),
        (9, "1 2 5", Record::Cell, 4, 3),
        (10, "1 4 1 0 0", Record::Edge, 4, 5),
        (12, "4 5 1", Record::BoundaryEdge, 4, 3),
    ] {
        check_fault(
            &with_line(line, text),
            line as u64,
            Fault::FieldCount {
                record,
                expected,
                found,
            },
        );
    }
}

#[test]
fn anything_after_the_last_record_is_refused() {
    let trailing = |found: &str| Fault::TrailingData {
        records: 12,
        found: found.into(),
    };
    check_fault(&format!("{TWO_CELLS}0 1 0 1\n"), 13, trailing("0 1 0 1"));
    check_fault(&format!("{TWO_CELLS}\n\n  x"), 15, trailing("x"));
    let long = "y".repeat(100);
    check_fault(
        &format!("{TWO_CELLS}{long}"),
        13,
        trailing(&format!("{}...", &long[..40])),
    );
    check_message(
        &format!("{TWO_CELLS}0 1 0 1\n"),
        "two.dat:13: expected the end of the file after 12 lines of data, found `0 1 0 1`",
    );
}

#[test]
fn an_index_out_of_range_is_named_with_its_set() {
    let nodes = |record, field, found: &str| Fault::IndexOutOfRange {
        record,
        field,
        set: SetName::Nodes,
        size: 6,
        found: found.into(),
    };
    let cells = |record, field, found: &str| Fault::IndexOutOfRange {
        record,
        field,
        set: SetName::Cells,
        size: 2,
        found: found.into(),
    };
    check_fault(&with_line(8, "0 6 4 3"), 8, nodes(Record::Cell, "n2", "6"));
    check_fault(
        &with_line(9, "1 2 5 -1"),
        9,
        nodes(Record::Cell, "n4", "-1"),
    );
    check_fault(
        &with_line(10, "4294967296 4 1 0"),
        10,
        nodes(Record::Edge, "n1", "4294967296"),
    );
    let huge = "99999999999999999999999999";
    check_fault(
        &with_line(10, &format!("1 {huge} 1 0")),
        10,
        nodes(Record::Edge, "n2", huge),
    );
    check_fault(
        &with_line(10, "1 4 2 0"),
        10,
        cells(Record::Edge, "c1", "2"),
    );
    check_fault(
        &with_line(10, "1 4 1 2"),
        10,
        cells(Record::Edge, "c2", "2"),
    );
    check_fault(
        &with_line(11, "1 0 2 1"),
        11,
        cells(Record::BoundaryEdge, "c", "2"),
    );
    check_fault(
        &with_line(12, "4 6 1 2"),
        12,
        nodes(Record::BoundaryEdge, "n2", "6"),
    );
    check_message(
        &with_line(10, "1 4 1 2"),
        "two.dat:10: expected c2 of the edge line to be one of 2 cells, found 2, which is not in 0..2",
    );
}

#[test]
fn what_is_no_number_is_shown() {
    let integer = |record, field, found: &str| Fault::NotAnInteger {
        record,
        field,
        found: found.into(),
    };
    let number = |field, found: &str| Fault::NotANumber {
        record: Record::Node,
        field,
        found: found.into(),
    };
    check_fault(
        &with_line(1, "six 2 1 2"),
        1,
        integer(Record::Counts, "nnode", "six"),
    );
    check_fault(
        &with_line(1, "6 2.0 1 2"),
        1,
        integer(Record::Counts, "ncell", "2.0"),
    );
    check_fault(
        &with_line(8, "0 1x 4 3"),
        8,
        integer(Record::Cell, "n2", "1x"),
    );
    check_fault(
        &with_line(10, "1 4 - 0"),
        10,
        integer(Record::Edge, "c1", "-"),
    );
    check_fault(
        &with_line(12, "4 5 1 wall"),
        12,
        integer(Record::BoundaryEdge, "bound", "wall"),
    );
    check_fault(&with_line(3, "1.0 0,5"), 3, number("y", "0,5"));
    check_fault(&with_line(3, "1.0.0 0.5"), 3, number("x", "1.0.0"));
    check_message(
        &with_line(3, "1.0 up"),
        "two.dat:3: expected a number for y of the node line, found `up`",
    );
}

#[test]
fn bytes_that_are_no_text_are_refused_and_shown_harmlessly() {
    let mut bytes = with_line(3, "1.0 #?").into_bytes();
    let at = bytes.iter().position(|&b| b == b'#').unwrap();
    bytes[at] = 0xff;
    bytes[at + 1] = 0x1b;
    let error = read_from(bytes.as_slice(), "two.dat").unwrap_err();
    assert_eq!(
        error.to_string(),
        "two.dat:3: expected a number for y of the node line, found `\u{fffd}\u{fffd}`"
    );
}

#[test]
fn a_coordinate_that_is_not_finite_is_refused() {
    for found in ["nan", "NaN", "inf", "-inf", "infinity", "1e999"] {
        let fault = Fault::NotFinite {
            record: Record::Node,
            field: "x",
            found: found.into(),
        };
        check_fault(&with_line(5, &format!("{found} 1.0")), 5, fault);
    }
}

#[test]
fn a_bound_other_than_the_known_ones_is_refused() {
    for found in ["0", "3", "-1", "4294967297", "99999999999999999999999"] {
        check_fault(
            &with_line(11, &format!("1 0 0 {found}")),
            11,
            Fault::UnknownBound {
                found: found.into(),
            },
        );
    }
    check_message(
        &with_line(11, "1 0 0 3"),
        "two.dat:11: expected a bound of 1 (wall) or 2 (far field), found 3",
    );
}

#[test]
fn a_mesh_without_cells_is_refused() {
    check_fault("0 0 0 0\n", 1, Fault::NoCells);
    check_fault(&with_line(1, "6 0 1 2"), 1, Fault::NoCells);
}

#[test]
fn a_mesh_without_nodes_has_no_node_for_its_cells() {
    let fault = Fault::IndexOutOfRange {
        record: Record::Cell,
        field: "n1",
        set: SetName::Nodes,
        size: 0,
        found: "0".into(),
    };
    check_fault("0 1 0 0\n0 0 0 0\n", 2, fault);
}

#[test]
fn a_count_that_no_map_can_name_is_refused() {
    for (line, set, found) in [
        ("4294967296 2 1 2", SetName::Nodes, "4294967296"),
        ("6 2147483648 1 2", SetName::Cells, "2147483648"),
        (
            "6 2 18446744073709551616 2",
            SetName::Edges,
            "18446744073709551616",
        ),
        ("6 2 1 -2", SetName::BoundaryEdges, "-2"),
    ] {
        let fault = Fault::CountOutOfRange {
            set,
            limit: SET_SIZE_MAX,
            found: found.into(),
        };
        check_fault(&with_line(1, line), 1, fault);
    }
}

#[test]
fn a_count_is_not_believed_before_its_records_are_seen() {
    let counts = format!("{0} {0} {0} {0}", i32::MAX);
    let text = with_line(1, &counts);
    let fault = Fault::FieldCount {
        record: Record::Node,
        expected: 2,
        found: 4,
    };
    check_fault(&text, 8, fault);
    check_fault(
        &counts,
        1,
        Fault::Ended {
            record: Record::Node,
            expected: i32::MAX as u64,
            found: 0,
        },
    );
}

#[test]
fn an_endless_line_is_refused_at_its_limit() {
    let endless = BufReader::new(io::repeat(b'7'));
    let error = read_from(endless, "endless").unwrap_err();
    let expected = Fault::LineTooLong {
        record: Record::Counts,
        limit: LINE_BYTES_MAX,
    };
    assert!(
        matches!(error, MeshFileError::Malformed { line: 1, ref fault, .. } if *fault == expected),
        "{error}"
    );
}

#[test]
fn a_source_that_fails_is_named_with_the_line() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the cable is out"))
        }
    }
    let source = BufReader::new("6 2 1 2\n0.0 0.0\n".as_bytes().chain(Failing));
    let error = read_from(source, "far.dat").unwrap_err();
    assert_eq!(
        error.to_string(),
        "far.dat:3: can't be read: the cable is out"
    );
}

#[test]
fn files_that_can_not_be_opened_read_or_written_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing/mesh.dat");
    let message = |error: MeshFileError| error.to_string();
    assert!(
        matches!(read(&missing), Err(MeshFileError::Open { ref path, .. }) if *path == missing)
    );
    assert!(message(read(&missing).unwrap_err()).contains("mesh.dat: can't be opened"));
    assert!(message(read(directory.path()).unwrap_err()).contains("can't be read"));
    let mesh = parse(TWO_CELLS).unwrap();
    assert!(
        matches!(write(&mesh, &missing), Err(MeshFileError::Write { ref path, .. }) if *path == missing)
    );
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "a test that has nothing to look at says so"
)]
fn the_published_file_reads_as_the_generated_mesh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/naca0012_12k.dat");
    if !path.exists() {
        eprintln!("not checked: there is no file of the published mesh beside this repository");
        return;
    }
    assert_eq!(read(&path).unwrap(), Mesh::generate(Blocks::SMALL).unwrap());
}
