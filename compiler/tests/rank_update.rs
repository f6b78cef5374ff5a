//! Which nests are run as rank-k updates, and which only look like one. Seen in the code generator's input, where an update is a
//! call; that results stay the same is tested across the crates, by running.

mod loops;

use loops::{DIRECT, arg, count, map, stage};
use parloop_compiler::{Access, ArgSignature, DType, Source, Stage};

/// 16 points of a quadrature, 6 rows and columns: too little for a call in each point, enough for one of all.
const TABLES: &str = "static const double W[16] = {1}; static const double X[16][7] = {{1, 2, 3, 4, 5, 6}}; \
                      static const double T[16][7] = {{6, 5, 4, 3, 2, 1}};";

fn args() -> [ArgSignature; 3] {
    [
        arg(0, 90, Access::Inc, DIRECT),
        arg(1, 16, Access::Read, DIRECT),
        arg(2, 4, Access::Rw, DIRECT),
    ]
}

/// How many updates a kernel's loop over the points of a quadrature has.
fn updates(points: &str) -> usize {
    updates_of(points, 16)
}

/// The same of so many points.
fn updates_of(points: &str, count: usize) -> usize {
    let tables = TABLES.replace("[16]", &format!("[{count}]"));
    let text = format!(
        "void k(double *A, const double *c, double *d) {{ {tables} for (int q = 0; q < {count}; q++) {{ double w = W[q] * c[0]; {points} }} }}"
    );
    let text = stage(&text, &args(), Stage::Clif);
    calls(&text)
}

fn calls(clif: &str) -> usize {
    count(clif, "call fn")
}

/// A nest with a statement inside.
fn nest(statement: &str) -> String {
    format!("for (int i = 0; i < 6; i++) for (int j = 0; j < 6; j++) {statement}")
}

#[test]
fn products_of_rows_and_columns_are_added_for_all_points_at_once() {
    for statement in [
        "A[6 * i + j] += X[q][i] * (w * T[q][j]);",
        "A[6 * i + j] += w * T[q][j + 1] * X[q][i];",
        "A[9 * i + j + 3] += c[i] * T[q][j] ;",
        "A[15 * i + 2 * j] += X[q][i] * (w * T[q][j]);",
        "{ A[6 * i + j] += w * T[q][j]; A[6 * i + j] += X[q][i] * X[q][j]; }",
    ] {
        assert_eq!(updates(&nest(statement)), 1, "{statement}");
    }
    // Columns in the outer loop are turned inside first.
    let turned = "for (int j = 0; j < 6; j++) for (int i = 0; i < 6; i++) A[6 * i + j] += X[q][i] * (w * T[q][j]);";
    assert_eq!(updates(turned), 1);
    let row = "for (int j = 0; j < 21; j++) A[j] += w * T[q % 1][j % 1 + 2];";
    assert_eq!(updates(row), 0, "one number is no row");
}

#[test]
fn a_product_that_is_added_twice_is_fused_both_times() {
    let twice = "A[6 * i + j] += X[q][i] * (w * T[q][j]);";
    let between = "A[6 * i + j] += X[q][i] * X[q][j];";
    let statement = format!("{{ {twice} {between} {twice} }}");
    assert_eq!(updates(&nest(&statement)), 1);
}

#[test]
fn an_array_that_is_filled_with_a_row_of_a_table_is_not_needed() {
    let fill = "double t[6]; for (int j = 0; j < 6; j++) t[j] = w * T[q][j];";
    let one = format!("{fill} {}", nest("A[6 * i + j] += X[q][i] * t[j];"));
    assert_eq!(updates(&one), 1);
    let two = format!("{one} {}", nest("A[36 + 6 * i + j] += X[q][i + 1] * t[j];"));
    assert_eq!(updates(&two), 2);
    // Whoever else reads it needs it, and it would have to be kept for each point.
    let read = format!("{one} d[1] += t[2];");
    assert_eq!(updates(&read), 0);
    let sum = "double t[6]; for (int j = 0; j < 6; j++) t[j] = w * T[q][j] + 1;";
    let kept = format!("{sum} {}", nest("A[6 * i + j] += X[q][i] * t[j];"));
    assert_eq!(updates(&kept), 0);
    // Nothing says what the last entry holds.
    let short = "double t[6] = {0}; for (int j = 0; j < 5; j++) t[j] = w * T[q][j];";
    let open = format!("{short} {}", nest("A[6 * i + j] += X[q][i] * t[j];"));
    assert_eq!(updates(&open), 0);
}

#[test]
fn points_that_see_what_is_added_are_done_one_after_the_other() {
    let update = nest("A[6 * i + j] += X[q][i] * (w * T[q][j]);");
    for beside in [
        "d[0] += A[0];",
        "A[80] = w;",
        "if (w > 9) break;",
        "if (w > 9) continue;",
        "while (w > 9) w = w - 1;",
    ] {
        assert_eq!(updates(&format!("{beside} {update}")), 0, "{beside}");
    }
    for beside in ["d[0] += w;", "if (w > 9) w = w - 1;", "d[0] = d[0] / w;"] {
        let scaled = format!("{beside} double v = w; {update}");
        assert_eq!(updates(&scaled), 1, "{beside}");
    }
}

#[test]
fn updates_of_the_same_entries_take_turns() {
    let first = nest("A[6 * i + j] += X[q][i] * (w * T[q][j]);");
    let second = |entry: &str| {
        let second = nest(&format!("A[{entry}] += X[q][i + 1] * (w * T[q][j]);"));
        updates(&format!("{first} {second}"))
    };
    assert_eq!(second("6 * i + j"), 0);
    assert_eq!(second("6 * i + j + 12"), 0);
    assert_eq!(second("7 * i + j + 36"), 0, "rows of another length");
    assert_eq!(second("6 * i + j + 36"), 2);
    // Side by side in rows of twice the length.
    let [left, right] = [0, 6].map(|from| {
        nest(&format!(
            "A[12 * i + j + {from}] += X[q][i] * (w * T[q][j]);"
        ))
    });
    assert_eq!(updates(&format!("{left} {right}")), 2);
    // Two components of a vector each, their rows and columns interleaved.
    let blocks: Vec<String> = [(0, 0), (0, 1), (1, 0)]
        .into_iter()
        .map(|(c, d)| {
            let entry = format!("A[12 * (2 * i + {c}) + 2 * j + {d}]");
            format!(
                "for (int j = 0; j < 6; j++) for (int i = 0; i < 3; i++) {entry} += X[q][i] * (w * T[q][j]);"
            )
        })
        .collect();
    assert_eq!(updates_of(&blocks.concat(), 32), 3);
    assert_eq!(updates_of(&[&*blocks[0], &blocks[0]].concat(), 32), 0);
}

#[test]
fn blocks_that_one_nest_adds_to_are_an_update_each() {
    let nest = |entries: [&str; 2]| {
        let [a, b] = entries.map(|entry| format!("A[{entry}] += X[q][i] * (w * T[q][j]);"));
        updates_of(
            &format!("for (int j = 0; j < 6; j++) for (int i = 0; i < 3; i++) {{ {a} {b} {a} }}"),
            32,
        )
    };
    assert_eq!(
        nest(["12 * (2 * i) + 2 * j", "12 * (2 * i + 1) + 2 * j + 1"]),
        2
    );
    assert_eq!(
        nest(["12 * (2 * i) + 2 * j", "12 * (2 * i) + 2 * j + 4"]),
        0,
        "they overlap"
    );
    let read = "for (int i = 0; i < 6; i++) for (int j = 0; j < 6; j++) \
                { A[6 * i + j] += X[q][i] * T[q][j]; A[6 * i + j + 36] += X[q][i] * A[6 * i + j]; }";
    assert_eq!(updates(read), 0);
    // What is read grows with the rows that are added to it.
    let grows = "double t[6] = {1}; for (int i = 0; i < 6; i++) for (int j = 0; j < 6; j++) \
                 { A[6 * i + j] += X[q][i] * t[j]; t[j] += X[q][i] * T[q][j]; } d[0] += t[1];";
    assert_eq!(updates_of(grows, 64), 0);
}

#[test]
fn sums_over_a_coefficient_are_made_for_all_points() {
    let sum = |start: &str, term: &str| {
        let sums =
            format!("double u = {start}; for (int k = 0; k < 6; k++) u += {term}; d[0] += u;");
        updates_of(&sums, 64)
    };
    assert_eq!(sum("0", "c[k] * X[q][k]"), 1);
    assert_eq!(sum("0", "X[q][k + 1] * c[2 * k + 3]"), 1);
    // They start from what the point has, are of what changes, or of nothing that a table has.
    assert_eq!(sum("w", "c[k] * X[q][k]"), 0);
    assert_eq!(sum("1", "c[k] * X[q][k]"), 0);
    assert_eq!(sum("0", "d[k % 4] * X[q][k]"), 0);
    assert_eq!(sum("0", "w * X[q][k]"), 0);
    assert_eq!(sum("0", "c[k] * c[q % 16]"), 0);
    assert_eq!(sum("0", "c[k] / X[q][k]"), 0);
    assert_eq!(sum("0", "(c[k] + 1) * X[q][k]"), 0);
    assert_eq!(
        updates_of(
            "double u = 0; for (int k = 3; k < 9; k++) u += c[k] * X[q][k - 3]; d[0] += u;",
            64
        ),
        1,
        "terms may be counted from anywhere"
    );
    let left = "if (w > 9) break; double u = 0; for (int k = 0; k < 6; k++) u += c[k] * X[q][k]; d[0] += u;";
    assert_eq!(updates_of(left, 64), 0, "c may not be there");
    let of_two = "double u = 0, v = 0; for (int k = 0; k < 6; k++) { u += c[2 * k] * X[q][k]; v += c[2 * k + 1] * X[q][k]; } d[0] += u * v;";
    assert_eq!(updates_of(of_two, 64), 1, "two components are two rows");
    let kept = "double u = 0; for (int k = 0; k < 6; k++) { u += c[k] * X[q][k]; if (u > 9) u = 9; } d[0] += u;";
    assert_eq!(updates_of(kept, 64), 0);
}

#[test]
fn an_array_that_updates_fill_is_not_cleared() {
    let args = [
        arg(0, 36, Access::Write, DIRECT),
        arg(1, 12, Access::Read, DIRECT),
    ];
    let stores = |before: &str, entries: usize| {
        let update = nest("t[6 * i + j] += c[i] * X[0][j];").replace("X[0]", "c");
        let text = format!(
            "void k(double *A, const double *c) {{ double t[{entries}] = {{0}}; {before} \
             for (int q = 0; q < 16; q++) {update} for (int i = 0; i < 36; i++) A[i] = t[i]; }}"
        );
        let clif = stage(&text, &args, Stage::Clif);
        assert_eq!(calls(&clif), 1, "{clif}");
        count(&clif, "store")
    };
    let filled = stores("", 36);
    assert!(filled < stores("", 38), "two entries are left");
    assert!(
        filled < stores("A[0] = t[3]; t[c[0] > 1] = 1;", 36),
        "something else comes first"
    );
}

/// How many updates a kernel has whose sums read a table with a part for each facet, of which `index` names one.
fn updates_of_facets(integer: &str, index: &str) -> usize {
    let text = format!(
        "void k(const double *c, double *d, const {integer} *f) {{ \
           static const double T[3][16][7] = {{{{{{1, 2}}, {{3}}}}, {{{{4, 5}}}}, {{{{6}}, {{7, 8}}}}}}; \
           for (int q = 0; q < 16; q++) {{ \
             double u = 0; for (int k = 0; k < 6; k++) u += c[k] * T[{index}][q][k]; d[0] += u; }} }}"
    );
    let integers = ArgSignature {
        dtype: if integer == "long" {
            DType::I64
        } else {
            DType::I32
        },
        ..arg(2, 1, Access::Read, DIRECT)
    };
    let args = [
        arg(0, 6, Access::Read, DIRECT),
        arg(1, 1, Access::Rw, DIRECT),
        integers,
    ];
    calls(&stage(&text, &args, Stage::Clif))
}

#[test]
fn the_part_of_a_facet_is_chosen_of_the_turned_table() {
    assert_eq!(updates_of_facets("int", "2"), 1);
    assert_eq!(updates_of_facets("int", "f[0] & 1"), 1);
    assert_eq!(
        updates_of_facets("int", "f[0]"),
        1,
        "checked before the loop"
    );
    // Its part's first index may wrap to one that is in range, of no part.
    assert_eq!(updates_of_facets("long", "f[0]"), 0);
    // The part is not the same in all points.
    assert_eq!(updates_of_facets("int", "f[0] & q & 1"), 0);
}

#[test]
fn what_is_no_sum_of_products_stays_a_nest() {
    for statement in [
        "A[5 * i + j] += X[q][i] * (w * T[q][j]);",
        "A[6 * i + j] += A[36 + i] * (w * T[q][j]);",
        "A[6 * i + j] += X[q][i] * (w * T[q][2 * j % 7]);",
        "A[6 * i + j] = X[q][i] * (w * T[q][j]);",
        "A[6 * i + j] += X[q][i] / T[q][j];",
        "A[6 * i + j] += X[q][i] + T[q][j];",
        "if (i != j) A[6 * i + j] += X[q][i] * (w * T[q][j]);",
        "A[9 * i + 2 * j] += X[q][i] * (w * T[q][j]);",
    ] {
        assert_eq!(updates(&nest(statement)), 0, "{statement}");
    }
}

#[test]
fn factors_that_may_be_the_entries_are_told_from_others() {
    // Both arguments are of one dat: what is added to may be what is read.
    let text = |body: &str| {
        format!(
            "void k(double *A, const double *c) {{ for (int i = 0; i < 20; i++) for (int j = 0; j < 20; j++) {body} }}"
        )
    };
    let update = text("A[20 * i + j] += c[i] * c[20 + j];");
    let apart = [
        arg(0, 400, Access::Inc, DIRECT),
        arg(1, 400, Access::Read, DIRECT),
    ];
    assert_eq!(count(&stage(&update, &apart, Stage::Clif), "call fn"), 1);
    let shared = [
        arg(0, 400, Access::Rw, Source::At(map(2, false), 0)),
        arg(0, 400, Access::Read, Source::At(map(2, false), 1)),
    ];
    assert_eq!(count(&stage(&update, &shared, Stage::Clif), "call fn"), 0);
}

#[test]
fn a_short_update_stays_where_it_is() {
    let args = [
        arg(0, 16, Access::Inc, DIRECT),
        arg(1, 8, Access::Read, DIRECT),
    ];
    let text = "void k(double *A, const double *c) { for (int i = 0; i < 4; i++) \
                for (int j = 0; j < 4; j++) A[4 * i + j] += c[i] * c[4 + j]; }";
    assert_eq!(count(&stage(text, &args, Stage::Clif), "call fn"), 0);
    assert_eq!(
        count(&stage(text, &args, Stage::Prepared), "for "),
        0,
        "it is unrolled"
    );
}
