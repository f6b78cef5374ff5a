//! What the passes make of small loops, seen in the printed stages.
//!
//! Each test states one property of one pass; that results stay the same is tested across the crates, by running.

mod loops;

use loops::{DIRECT, arg, count, map, one_by_one, stage, stage_of, stage_with};
use parloop_compiler::{
    Access, ArgSignature, DType, FloatMode, Iteration, Level, Options, Source, Stage,
};

#[test]
fn a_short_loop_is_unrolled_and_a_long_one_is_not() {
    let args = [arg(0, 32, Access::Write, DIRECT)];
    let short = "void k(double *y) { for (int i = 0; i < 16; i++) y[i] = i; }";
    let long = "void k(double *y) { for (int i = 0; i < 32; i++) y[i] = i; }";
    assert_eq!(count(&stage(short, &args, Stage::Prepared), "for "), 0);
    assert_eq!(count(&stage(long, &args, Stage::Prepared), "for "), 1);
}

#[test]
fn an_index_that_is_proven_has_no_check_and_another_has_one() {
    let args = [
        arg(0, 32, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let proven = "void k(const double *x, double *y) { double s = 0; \
                  for (int i = 0; i < 32; i++) s += x[i]; y[0] = s; }";
    let open = "void k(const double *x, double *y) { y[0] = x[(int)x[0]]; }";
    let past = "void k(const double *x, double *y) { double s = 0; \
                for (int i = 0; i < 33; i++) s += x[i]; y[0] = s; }";
    assert_eq!(
        count(&stage(proven, &args, Stage::Guarded), "check_index"),
        0
    );
    assert_eq!(count(&stage(open, &args, Stage::Guarded), "check_index"), 1);
    assert_eq!(count(&stage(past, &args, Stage::Guarded), "check_index"), 1);
}

#[test]
fn an_index_that_is_shifted_by_more_than_its_bits_is_shifted_by_what_is_left_of_the_count() {
    let args = [
        arg(0, 32, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let checks = |index: &str| {
        let text = format!(
            "void k(const double *x, double *y) {{ int n = (int)x[0]; y[0] = x[{index}]; }}"
        );
        count(&stage(&text, &args, Stage::Guarded), "check_index")
    };
    // Of 32 bits, by 40 is by 8.
    assert_eq!(checks("(n & 0x7fff) >> 40"), 1);
    assert_eq!(checks("(n & 0x1fff) >> 40"), 0);
    assert_eq!(checks("(n & 1) << 36"), 0);
    assert_eq!(checks("(n & 3) << 36"), 1);
}

#[test]
fn a_table_is_not_read_before_its_index_is_checked() {
    let args = [
        arg(0, 32, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let clif = |index: &str| {
        let text = format!(
            "static const double t[3] = {{1, 2, 4}};\n\
             void k(const double *x, double *y) {{ y[0] = t[{index}]; }}"
        );
        stage(&text, &args, Stage::Clif)
    };
    for index in ["(int)x[0]", "(int)x[0] & 1"] {
        let clif = clif(index);
        let loads = clif.lines().filter(|line| line.contains("load.f64"));
        let (mut all, mut movable) = (0, 0);
        for load in loads {
            all += 1;
            movable += u32::from(load.contains("can_move"));
        }
        assert_eq!((all, movable), (2, 0), "{clif}");
    }
}

#[test]
fn a_product_that_is_added_is_fused_unless_the_sum_is_carried_round_a_loop() {
    let args = [
        arg(0, 32, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let plain = "void k(const double *x, double *y) { y[0] = x[0] * x[1] + x[2]; }";
    let carried = "void k(const double *x, double *y) { double s = 0; \
                   for (int i = 0; i < 32; i++) s += x[i] * x[i]; y[0] = s; }";
    assert_eq!(count(&stage(plain, &args, Stage::Optimised), "fma"), 1);
    assert_eq!(count(&stage(carried, &args, Stage::Optimised), "fma"), 0);
}

#[test]
fn strict_mode_fuses_nothing() {
    let args = [
        arg(0, 3, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let options = Options {
        float: FloatMode::Strict,
        ..one_by_one()
    };
    let text = "void k(const double *x, double *y) { y[0] = x[0] * x[1] + x[2]; }";
    let optimised = stage_with(text, &args, Stage::Optimised, options);
    assert_eq!(count(&optimised, "fma"), 0);
}

#[test]
fn a_reduction_over_elements_is_added_once_an_element_and_stored_once() {
    let args = [
        arg(0, 4, Access::Read, DIRECT),
        arg(1, 1, Access::Inc, Source::Global),
    ];
    let text = "void k(const double *x, double *s) { for (int i = 0; i < 4; i++) *s += x[i]; }";
    let optimised = stage(text, &args, Stage::Optimised);
    let (elements, after) = optimised.split_once("after {").expect("there is an end");
    assert_eq!(count(elements, "store"), 0);
    assert_eq!(count(after, "store"), 1);
}

#[test]
fn rows_read_through_a_map_are_read_in_place_where_indices_are_known() {
    let args = [
        arg(0, 2, Access::Read, Source::Through(map(3, false))),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let known = "void k(const double *x, double *y) { y[0] = x[5] - x[0]; }";
    let open = "void k(const double *x, double *y) { y[0] = x[(int)x[0]]; }";
    let place = |text| count(&stage(text, &args, Stage::Wrapped), "store array");
    assert_eq!(place(known), 0);
    assert_eq!(place(open), 6);
}

#[test]
fn a_row_of_a_partial_map_is_touched_only_where_it_is() {
    let args = [
        arg(0, 1, Access::Read, DIRECT),
        arg(1, 1, Access::Inc, Source::At(map(1, true), 0)),
    ];
    let text = "void k(const double *x, double *y) { y[0] += x[0]; }";
    let wrapped = stage(text, &args, Stage::Wrapped);
    assert_eq!(count(&wrapped, "ge v"), 1, "{wrapped}");
    assert_eq!(count(&wrapped, "if "), 1, "{wrapped}");
}

#[test]
fn neighbouring_doubles_are_moved_in_pairs() {
    let args = [
        arg(0, 4, Access::Read, DIRECT),
        arg(1, 4, Access::Write, DIRECT),
    ];
    let text = "void k(const double *x, double *y) { for (int i = 0; i < 4; i++) y[i] = x[i]; }";
    let optimised = stage(text, &args, Stage::Optimised);
    assert_eq!(count(&optimised, "f64x2 = load"), 2);
    assert_eq!(count(&optimised, "store"), 2);
}

#[test]
fn neighbouring_floats_are_moved_four_at_a_time() {
    let float = |slot, access| ArgSignature {
        dtype: DType::F32,
        ..arg(slot, 6, access, DIRECT)
    };
    let args = [float(0, Access::Read), float(1, Access::Write)];
    let text =
        "void k(const float *x, float *y) { for (int i = 0; i < 6; i++) y[i] = x[i] * 2.0f; }";
    let optimised = stage(text, &args, Stage::Optimised);
    assert_eq!(count(&optimised, "f32x4 = load"), 1, "{optimised}");
    assert_eq!(count(&optimised, "f32x4 = mul"), 1, "{optimised}");
    assert_eq!(count(&optimised, "store"), 3, "{optimised}");
}

#[test]
fn a_store_at_a_computed_index_leaves_known_what_its_neighbours_hold() {
    let args = [
        arg(0, 128, Access::Rw, DIRECT),
        arg(1, 3, Access::Read, DIRECT),
    ];
    let text = "void k(double *y, const double *x) { int n = (int)x[0] & 31;
        y[n] += x[1]; y[n + 64] += x[1]; y[n] += x[2]; y[n + 64] += x[2]; }";
    let optimised = stage(text, &args, Stage::Optimised);
    assert_eq!(count(&optimised, "store"), 2, "{optimised}");
    assert_eq!(count(&optimised, "f64 = load row"), 5, "{optimised}");
    // Of another computed index nothing says that it is apart.
    let text = "void k(double *y, const double *x) { int n = (int)x[0] & 31, m = (int)x[1] & 31;
        y[n] += x[1]; y[m] += x[1]; y[n] += x[2]; }";
    let optimised = stage(text, &args, Stage::Optimised);
    assert_eq!(count(&optimised, "store"), 3, "{optimised}");
}

#[test]
fn a_pair_does_not_move_across_a_store_that_may_touch_it() {
    let args = [
        arg(0, 2, Access::Rw, Source::At(map(2, false), 0)),
        arg(0, 2, Access::Rw, Source::At(map(2, false), 1)),
    ];
    // The second row may be the first: x[1] is read after it may have been written.
    let text = "void k(double *a, double *b) { b[0] = a[0]; b[1] = a[1]; }";
    let optimised = stage(text, &args, Stage::Optimised);
    assert_eq!(count(&optimised, "f64x2 = load"), 0, "{optimised}");
}

#[test]
fn what_no_element_changes_is_computed_before_the_first() {
    let args = [
        arg(0, 1, Access::Read, Source::Global),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let text = "void k(const double *dt, double *y) { y[0] = y[0] + sqrt(dt[0]); }";
    let text = text.replace("y[0] + ", "");
    let optimised = stage(&text, &args, Stage::Optimised);
    let (before, elements) = optimised.split_once("body {").expect("there are elements");
    assert_eq!(count(before, "sqrt"), 1);
    assert_eq!(count(elements, "sqrt"), 0);
}

#[test]
fn arguments_of_one_dat_share_one_base_address() {
    let args = [
        arg(0, 1, Access::Read, Source::At(map(2, false), 0)),
        arg(0, 1, Access::Read, Source::At(map(2, false), 1)),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let text = "void k(const double *a, const double *b, double *y) { y[0] = a[0] + b[0]; }";
    assert_eq!(count(&stage(text, &args, Stage::Optimised), "arg_base"), 2);
}

#[test]
fn an_increment_that_starts_from_zero_is_not_added_to_it() {
    let args = [
        arg(0, 1, Access::Read, DIRECT),
        arg(1, 1, Access::Inc, Source::At(map(1, false), 0)),
    ];
    let text = "void k(const double *x, double *y) { y[0] += x[0]; }";
    let body = |options| {
        let optimised = stage_with(text, &args, Stage::Optimised, options);
        count(&optimised, "= add")
    };
    let strict = Options {
        float: FloatMode::Strict,
        ..one_by_one()
    };
    assert_eq!(body(one_by_one()), 1);
    assert_eq!(body(strict), 2);
}

#[test]
fn an_increment_that_the_kernel_never_makes_adds_zero_in_strict_mode() {
    let args = [arg(0, 1, Access::Inc, Source::At(map(1, false), 0))];
    let strict = Options {
        float: FloatMode::Strict,
        ..one_by_one()
    };
    let text = "void k(double *y) { }";
    let body = |options| count(&stage_with(text, &args, Stage::Optimised, options), "= add");
    assert_eq!(body(strict), 1);
    assert_eq!(body(one_by_one()), 0);
}

#[test]
fn a_nest_that_walks_down_columns_is_turned_only_where_entries_stay_apart() {
    let args = [
        arg(0, 441, Access::Inc, DIRECT),
        arg(1, 42, Access::Read, DIRECT),
    ];
    let nest = |body: &str| {
        let text = format!(
            "void k(double *A, const double *u) {{ for (int j = 0; j < 20; j++) \
             for (int i = 0; i < 21; i++) {body} }}"
        );
        stage(&text, &args, Stage::Optimised)
    };
    // Turned, the inner loop is over neighbours, and two of them are one.
    assert!(nest("A[20 * i + j] -= u[i] * u[21 + j];").contains("f64x2"));
    // These overlap: trips of another order would add in another order.
    assert!(!nest("A[2 * i + j] -= u[i] * u[21 + j];").contains("f64x2"));
    assert!(!nest("A[20 * i + j] += A[20 * i + j + 1];").contains("f64x2"));
}

#[test]
fn a_long_loop_over_neighbours_takes_them_in_pairs() {
    let args = [
        arg(0, 37, Access::Write, DIRECT),
        arg(1, 37, Access::Read, DIRECT),
    ];
    let text =
        "void k(double *y, const double *x) { for (int i = 0; i < 37; i++) y[i] = 2 * x[i]; }";
    let optimised = stage(text, &args, Stage::Optimised);
    assert!(optimised.contains("by 4"), "{optimised}");
    // Two pairs in the loop; what is left of 37 trips is one.
    assert_eq!(count(&optimised, "store row"), 3, "{optimised}");
}

#[test]
fn a_store_that_is_overwritten_unseen_is_gone() {
    let args = [
        arg(0, 40, Access::Rw, DIRECT),
        arg(1, 1, Access::Read, DIRECT),
    ];
    let stores = |body: &str| {
        let text =
            format!("void k(double *y, const double *x) {{ int n = (int)x[0] & 31; {body} }}");
        count(&stage(&text, &args, Stage::Optimised), "store row")
    };
    assert_eq!(stores("y[n] = 1; y[n] += x[0]; y[n] *= 2;"), 1);
    assert_eq!(stores("y[n] = 1; y[3] = y[n + 1]; y[n] = 2;"), 2);
    assert_eq!(stores("y[n] = 1; y[3] = y[(n * 3) & 7]; y[n] = 2;"), 3);
}

/// How many values that a printed block defines are held at once, at most: defined before and used behind some line.
fn held_at_once(text: &str) -> usize {
    let mut ranges: std::collections::BTreeMap<&str, (usize, usize)> = Default::default();
    for (at, line) in text.lines().map(str::trim).enumerate() {
        for word in line.split(|c: char| !c.is_alphanumeric()) {
            if let Some(range) = ranges.get_mut(word) {
                range.1 = at;
            }
        }
        if let Some((value, _)) = line.split_once(": ") {
            ranges.insert(value, (at, at));
        }
    }
    let held = |at: usize| {
        let ranges = ranges.values();
        ranges.filter(|(from, to)| *from < at && at < *to).count()
    };
    (0..text.lines().count()).map(held).max().unwrap_or(0)
}

#[test]
fn values_are_computed_shortly_before_they_are_used() {
    // All products first, all sums then, as generators write it.
    let products: String = (0..40)
        .map(|i| format!("double p{i} = x[{}] * x[{}];", 2 * i, 79 - 2 * i))
        .collect();
    let sums: String = (0..40).map(|i| format!("y[{i}] = p{i} - 1.0;")).collect();
    let text = format!("void k(const double *x, double *y) {{ {products} {sums} }}");
    let args = [
        arg(0, 80, Access::Read, Source::Direct),
        arg(1, 40, Access::Write, Source::Direct),
    ];
    let body = stage(&text, &args, Stage::Optimised);
    let body = body.split("body {").last().unwrap_or_default();
    assert!(held_at_once(body) < 10, "{}\n{body}", held_at_once(body));
}

#[test]
fn a_load_stays_before_the_store_that_changes_what_it_loads() {
    let text = "void k(double *x) { double a = x[0], b = x[1]; x[0] = b; x[1] = a; x[2] = a - b; }";
    let body = stage(
        text,
        &[arg(0, 3, Access::Rw, Source::Direct)],
        Stage::Optimised,
    );
    let at = |what: &str| body.find(what).unwrap_or(usize::MAX);
    assert!(at("= load") < at("store"), "{body}");
    let stores = body.find("store").unwrap_or(0);
    assert!(!body[stores..].contains("= load"), "{body}");
}

#[test]
fn a_store_leaves_known_what_other_entries_of_its_row_hold() {
    let writes: String = (0..30).map(|i| format!("x[{i}] += y[{i}];")).collect();
    let text = format!("void k(double *x, const double *y) {{ {writes} {writes} }}");
    let args = [
        arg(0, 30, Access::Rw, Source::Direct),
        arg(1, 30, Access::Read, Source::Direct),
    ];
    let body = stage(&text, &args, Stage::Optimised);
    // One load and one store for each pair of entries, though each is added to twice.
    assert_eq!(count(&body, "store"), 15, "{body}");
}

#[test]
fn a_check_that_a_counted_loop_begins_with_is_made_once() {
    let args = [
        arg(0, 1, Access::Read, DIRECT),
        arg(1, 40, Access::Inc, Source::Global),
    ];
    let check = |body: &str| {
        let text = format!(
            "void k(const double *x, double *y) {{ static const double t[3] = {{1, 2, 4}}; int at = (int)x[0];
                for (int i = 0; i < 40; i++) {{ {body} }} }}"
        );
        let optimised = stage(&text, &args, Stage::Optimised);
        let (before, inside) = optimised.split_once("  for ").expect("a loop");
        (count(before, "check_index"), count(inside, "check_index"))
    };
    assert_eq!(check("y[i] += t[at] * i;"), (1, 0));
    // Behind what else may fail it may be the second thing to be noticed.
    assert_eq!(check("y[i] += 1 / (int)y[0]; y[i] += t[at] * y[0];").0, 0);
}

#[test]
fn checks_of_neighbouring_indices_are_one() {
    let args = [
        arg(0, 10, Access::Rw, DIRECT),
        arg(1, 1, Access::Read, DIRECT),
    ];
    let text = "static const double t[3][10] = {{1, 2, 3}};
        void k(double *y, const double *x) { for (int i = 0; i < 10; i++) y[i] += t[(int)x[0]][i]; }";
    let optimised = stage(text, &args, Stage::Optimised);
    // One beside the ten that tell which fails; the table's row is loaded in pairs then.
    assert_eq!(count(&optimised, "check_index"), 11, "{optimised}");
    assert_eq!(count(&optimised, "f64x2 = load table"), 5, "{optimised}");
    // Behind a division, whose check comes first, nothing is joined to what stands before it.
    let text = "void k(double *y, const double *x) { int n = (int)x[0]; y[n] = 1; y[n + 1] = 1 / n; y[n + 2] = 2; }";
    let optimised = stage(text, &args, Stage::Optimised);
    assert_eq!(count(&optimised, "check_index"), 3, "{optimised}");
}

#[test]
fn the_square_of_a_complex_number_is_no_call() {
    let complex = |slot, access| ArgSignature {
        dtype: DType::C128,
        ..arg(slot, 1, access, DIRECT)
    };
    let args = [complex(0, Access::Read), complex(1, Access::Write)];
    let calls = |exponent: &str| {
        let text = format!(
            "#include <complex.h>\nvoid k(const double complex *x, double complex *y) {{ y[0] = cpow(x[0], {exponent}); }}"
        );
        count(&stage(&text, &args, Stage::Optimised), "call")
    };
    assert_eq!(calls("2"), 0);
    assert_eq!(calls("2.5"), 2);
    assert_eq!(calls("2 + I"), 2);
}

#[test]
fn arrays_that_crowd_an_inner_loop_stay_in_memory() {
    let args = [
        arg(0, 72, Access::Rw, DIRECT),
        arg(1, 8, Access::Read, DIRECT),
    ];
    // Six arrays of eight entries are more than registers hold, and three are not.
    let loads = |arrays: usize| {
        let names = || (0..arrays).map(|n| (b'a' + n as u8) as char);
        let filled: String = names().map(|n| format!("{n}[j] = x[0] * x[j];")).collect();
        let sum: String = names().map(|n| format!("+ x[i] * {n}[j]")).collect();
        let declared: String = names().map(|n| format!("double {n}[8] = {{0}};")).collect();
        let text = format!(
            "void k(double *y, const double *x) {{ for (int q = 0; q < 99; q++) {{ {declared} \
             for (int j = 0; j < 8; j++) {{ {filled} }} \
             for (int i = 0; i < 9; i++) for (int j = 0; j < 8; j++) y[8 * i + j] += q {sum}; }} }}"
        );
        let optimised = stage(&text, &args, Stage::Optimised);
        // What is filled need not be cleared, and what is read is two neighbours at once.
        assert_eq!(count(&optimised, "clear"), 0, "{optimised}");
        count(&optimised, "f64x2 = load array")
    };
    assert_eq!(loads(6), 6 * 4);
    assert_eq!(loads(3), 0);
}

#[test]
fn sums_that_crowd_a_loop_stay_in_memory() {
    // What is added to rows of a map is staged; thirty sums are more than registers hold, and nine are not.
    let stores = |rows: u32, dim: u32| {
        let args = [
            arg(0, 1, Access::Read, DIRECT),
            arg(
                1,
                dim,
                Access::Inc,
                Source::Through(map(rows as u16, false)),
            ),
        ];
        let text = format!(
            "void k(const double *x, double *y) {{ for (int q = 0; q < 40; q++) {{ \
             double s = sqrt(x[0] + q); for (int i = 0; i < {rows}; i++) \
             for (int c = 0; c < {dim}; c++) y[{dim} * i + c] += s / (q + i + c); }} }}"
        );
        count(&stage(&text, &args, Stage::Optimised), "store array")
    };
    assert!(stores(10, 3) >= 15);
    assert_eq!(stores(3, 3), 0);
}

#[test]
fn a_trip_that_stores_neighbours_is_not_joined_with_the_next() {
    let args = [
        arg(0, 80, Access::Rw, DIRECT),
        arg(1, 80, Access::Read, DIRECT),
    ];
    let step = |stored: &str| {
        let text = format!(
            "void k(double *y, const double *x) {{ for (int i = 0; i < 40; i++) {{ {stored} }} }}"
        );
        let optimised = stage(&text, &args, Stage::Optimised);
        let line = optimised.lines().find(|line| line.contains("for label"));
        line.expect("it is a loop").to_string()
    };
    assert!(step("y[2 * i] = x[i]; y[2 * i + 1] = x[i] + 1;").contains("by 1 "));
    assert!(step("y[i] = x[i];").contains("by 4 "));
}

#[test]
fn more_loads_than_registers_stay_in_their_loop() {
    let args = [
        arg(0, 40, Access::Write, DIRECT),
        arg(1, 40, Access::Read, DIRECT),
    ];
    let before_the_loop = |entries: usize| {
        let sum: String = (0..entries).map(|n| format!("+ i * x[{n}]")).collect();
        let text = format!(
            "void k(double *y, const double *x) {{ for (int i = 0; i < 20; i++) {{ y[2 * i] = 1 {sum}; y[2 * i + 1] = 0; }} }}"
        );
        let optimised = stage(&text, &args, Stage::Optimised);
        let (before, _) = optimised.split_once("for label").expect("it is a loop");
        count(before, "load row(")
    };
    assert_eq!(before_the_loop(10), 10);
    assert_eq!(before_the_loop(30), 0);
}

#[test]
fn arrays_are_zeroed_unless_they_are_written_whole_before_anything_reads_them() {
    let args = [
        arg(0, 1, Access::Rw, DIRECT),
        arg(1, 2, Access::Read, DIRECT),
    ];
    let zeroed = |body: &str| {
        let text = format!("void k(double *y, const double *x) {{ {body} }}");
        count(&stage(&text, &args, Stage::Wrapped), "clear array") == 1
    };
    let trips = "for (int i = 0; i < (int)x[0]; i++)";
    let filled = "for (int j = 0; j < 40; j++) t[j] = x[1];";
    let summed = "for (int j = 0; j < 40; j++) y[0] += t[j];";
    let in_the_loop = format!("{trips} {{ double t[40]; {filled} {summed} }}");
    assert!(!zeroed(&in_the_loop));
    // The loop may make no trip, and each but the first sees what the last one left.
    assert!(zeroed(&format!(
        "double t[40]; {trips} {{ {filled} }} {summed}"
    )));
    assert!(zeroed(&format!(
        "double t[40]; {trips} {{ {summed} {filled} }}"
    )));
    let branch = "if (x[0] > 0) { t[0] = 1; t[1] = 2; }";
    assert!(zeroed(&format!(
        "double t[2]; {branch} y[0] = t[0] + t[1];"
    )));
    assert!(!zeroed(
        "double t[2]; if (x[0] > 0) { t[0] = 1; t[1] = 2; y[0] = t[0] + t[1]; }"
    ));
    let early = format!(
        "double t[40]; for (int j = 0; j < 40; j++) {{ if (x[0] < j) break; t[j] = 1; }} {summed}"
    );
    assert!(zeroed(&early));
    let ahead = "double t[40]; for (int j = 0; j < 40; j++) { t[j] = 1; y[0] += t[39 - j]; }";
    assert!(zeroed(ahead));
    let choice = |default: &str| {
        format!(
            "double t[2]; switch ((int)x[0]) {{ case 1: t[0] = 1; t[1] = 2; break; {default} }} y[0] = t[0] + t[1];"
        )
    };
    assert!(zeroed(&choice("")));
    assert!(zeroed(&choice("default: t[0] = 2;")));
}

/// The statements of a kernel that reads two doubles, `x`, and writes one, `y`.
fn of_pair(text: &str) -> String {
    let args = [
        arg(0, 2, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let text = format!("void k(const double *x, double *y) {{ {text} }}");
    stage(&text, &args, Stage::Optimised)
}

#[test]
fn a_branch_that_only_sets_variables_is_a_choice() {
    let least = of_pair("double s = x[0]; if (x[1] < s) s = x[1]; y[0] = s;");
    assert_eq!(count(&least, "if "), 0, "{least}");
    assert_eq!(count(&least, "= select"), 1, "{least}");
    let both = of_pair(
        "double s = x[0], t = x[1]; if (s > t) { double r = s; s = t - 1; t = r; } y[0] = s - 2 * t;",
    );
    assert_eq!(count(&both, "if "), 0, "{both}");
    assert_eq!(count(&both, "= select"), 2, "{both}");
    let nested = of_pair("double a = x[0], b = x[1]; y[0] = a < 0 ? -a : b < a ? b : a;");
    assert_eq!(count(&nested, "if "), 0, "{nested}");
}

#[test]
fn a_branch_around_what_costs_more_stays_one() {
    for text in [
        "double s = x[0]; if (x[1] < s) s = x[1] / s; y[0] = s;",
        "double s = x[0]; if (x[1] < s) s = exp(s); y[0] = s;",
        "y[0] = x[0]; if (x[1] < x[0]) y[0] = x[1] * (x[0] - 3) * (x[0] + x[1] * 7) - x[0] * x[0] * x[1];",
    ] {
        let kept = of_pair(text);
        assert_eq!(count(&kept, "if "), 1, "{kept}");
    }
}

#[test]
fn a_minimum_that_the_kernel_takes_is_not_taken_again() {
    let args = [
        arg(0, 1, Access::Read, DIRECT),
        arg(1, 1, Access::Min, Source::At(map(2, false), 0)),
    ];
    for text in ["if (*v < *y) *y = *v;", "*y = *y > *v ? *v : *y;"] {
        let text = format!("void k(const double *v, double *y) {{ {text} }}");
        let found = stage(&text, &args, Stage::Optimised);
        assert_eq!(count(&found, "= select"), 1, "{found}");
        assert_eq!(count(&found, "= min"), 0, "{found}");
    }
}

#[test]
fn a_carried_sum_is_fused_where_a_trip_has_more_to_do_than_wait_for_it() {
    let args = [
        arg(0, 64, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let busy = "void k(const double *x, double *y) { double s = 0; \
                for (int i = 0; i < 64; i++) { \
                  double a = x[i], b = sqrt(a - 1), c = sqrt(b - a), d = sqrt(c - b), e = sqrt(d - c); \
                  double f = (a - b) / (c - d), g = (a - e) / (b - d), h = (c - e) / (f - g); \
                  double p = sqrt(h - a) / (g - a), q = sqrt(p - f) / (p - g); \
                  s += sqrt(p - q) * sqrt(q - h); } y[0] = s; }";
    let found = stage(busy, &args, Stage::Optimised);
    assert!(count(&found, "= fma") > 0, "{found}");
    assert_eq!(
        count(&found, "= add v"),
        count(&found, "i64 = add v"),
        "{found}"
    );
}

#[test]
fn constants_of_arithmetic_are_loaded_before_all_elements_while_registers_have_room() {
    let map = Source::At(map(2, false), 0);
    let kept = |products: usize| {
        let args = [
            arg(0, 64, Access::Read, map),
            arg(1, 1, Access::Write, DIRECT),
        ];
        // So many values are held at a time.
        let all: Vec<String> = (0..products).map(|k| format!("sqrt(a[{k}])")).collect();
        let sum = |by: &str| {
            all.iter()
                .map(|value| format!("{value} * {by}"))
                .collect::<Vec<_>>()
                .join(" + ")
        };
        let held = format!("({}) / ({})", sum("2.5"), sum("a[63]"));
        let text = format!("void k(const double *a, double *y) {{ y[0] = {held} - 2.5; }}");
        let options = Options {
            lanes: 1,
            ..Options::default()
        };
        let found = stage_with(&text, &args, Stage::Optimised, options);
        let (before, body) = found.split_once("\nbody {").unwrap();
        assert!(before.contains("; 2.5"), "{found}");
        count(body, "= get x")
    };
    assert_eq!((kept(2), kept(20)), (1, 0));
}

#[test]
fn what_chooses_keeps_its_constants() {
    let args = [
        arg(0, 1, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let text = "void k(const double *x, double *y) { y[0] = fmin(fmax(x[0], -1.5), 2.5); }";
    let found = stage(text, &args, Stage::Optimised);
    assert_eq!(count(&found, "= get x"), 0, "{found}");
}

#[test]
fn the_least_so_far_is_an_instruction_where_elements_do_much_else() {
    let args = [
        arg(0, 8, Access::Read, DIRECT),
        arg(1, 1, Access::Min, Source::Global),
    ];
    let clif = |value: &str| {
        let text = format!(
            "void k(const double *a, double *least) {{ double v = {value}; if (v < *least) *least = v; }}"
        );
        let options = Options {
            lanes: 1,
            ..Options::default()
        };
        stage_with(&text, &args, Stage::Clif, options)
    };
    // The comparison that is no minimum says when nothing changes.
    let is_branch = |clif: &str| clif.contains("fcmp uge") || clif.contains("fcmp ule");
    let short = clif("a[0] * a[1]");
    assert!(is_branch(&short), "{short}");
    let long = clif(
        "(a[0] * a[1] + a[2] * a[3] + a[4] * a[5]) / (a[6] * a[7] + sqrt(a[0] + a[1]) * (a[2] - a[3]))",
    );
    assert!(!is_branch(&long), "{long}");
}

/// The most additions, also fused ones, that wait for each other in a part of a printed loop.
fn additions_in_turn(text: &str) -> usize {
    let mut depth = std::collections::HashMap::new();
    let mut most = 0;
    for line in text.lines() {
        let Some((value, op)) = line
            .trim()
            .split_once(": f64")
            .and_then(|(value, rest)| Some((value, rest.split_once("= ")?.1)))
        else {
            continue;
        };
        let operands = op.split([' ', ',']).filter_map(|word| depth.get(word));
        let before = operands.max().copied().unwrap_or(0);
        let own = before + usize::from(op.starts_with("add ") || op.starts_with("fma "));
        most = most.max(own);
        depth.insert(value.to_owned(), own);
    }
    most
}

#[test]
fn long_sums_are_dealt_out_where_the_caller_allows() {
    let found = |float: FloatMode, args: &[ArgSignature], body: &str| {
        let options = Options {
            float,
            lanes: 1,
            ..Options::default()
        };
        let text = format!("void k(const double *x, double *y) {{ {body} }}");
        let found = stage_with(&text, args, Stage::Optimised, options);
        let (_, body) = found.split_once("\nbody {").unwrap();
        additions_in_turn(body)
    };
    let own = [
        arg(0, 64, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let short = "double s = 0; for (int i = 0; i < 16; i++) s += x[i] * x[i + 16]; y[0] = s;";
    let [text, split] =
        [FloatMode::Contract, FloatMode::Reassociate].map(|float| found(float, &own, short));
    assert!(text >= 15, "{text}");
    assert!(split <= 7, "{split}");
    // A trip waits for one addition.
    let long = "double s = 0; for (int i = 0; i < 64; i++) s += sqrt(x[i]); y[0] = s;";
    let [text, split] =
        [FloatMode::Contract, FloatMode::Reassociate].map(|float| found(float, &own, long));
    assert!(split < text, "{split} of {text}");
    let all = [
        arg(0, 8, Access::Read, DIRECT),
        arg(1, 1, Access::Inc, Source::Global),
    ];
    let mixed = "*y += x[0] / x[1]; *y += x[2] / x[3]; *y -= x[4]; *y += x[5] / x[6];";
    for body in [short.replace("16", "4"), mixed.to_owned()] {
        let args = if body == mixed { &all } else { &own };
        let strict = found(FloatMode::Strict, args, &body);
        assert!(
            found(FloatMode::Reassociate, args, &body) <= strict,
            "{body}"
        );
    }
}

#[test]
fn sums_that_share_what_they_add_grow_side_by_side() {
    let args = [
        arg(0, 8, Access::Read, DIRECT),
        arg(1, 8, Access::Read, DIRECT),
        arg(2, 16, Access::Write, DIRECT),
    ];
    // Sixteen entries of eight sums: one sum after the other would hold all of both rows.
    let text = "void k(const double *a, const double *b, double *y) { \
                double s[8] = {0}; \
                for (int k = 0; k < 8; k++) for (int i = 0; i < 8; i++) s[i] += a[k] * b[(k + i) % 8]; \
                for (int i = 0; i < 8; i++) y[2 * i] = s[i] * s[7 - i]; }";
    let found = stage(text, &args, Stage::Optimised);
    let (_, body) = found.split_once("\nbody {").unwrap();
    let products: Vec<&str> = body
        .lines()
        .filter(|line| line.contains("= fma") || line.contains("f64 = mul"))
        .collect();
    // The first eight do not add to each other.
    for line in &products[1..8] {
        let first = products[0].trim().split(':').next().unwrap();
        assert!(
            !line.contains(&format!("{first},")) && !line.ends_with(first),
            "{body}"
        );
    }
}

/// The code generator's input for a kernel.
fn clif(text: &str, args: &[ArgSignature]) -> String {
    stage(text, args, Stage::Clif)
}

#[test]
fn the_first_rows_of_a_plain_function_are_at_its_pointers() {
    let args = [
        arg(0, 3, Access::Read, DIRECT),
        arg(1, 3, Access::Rw, DIRECT),
    ];
    let text = "void k(const double *x, double *y) { y[2] = x[1]; }";
    let function = stage_of(text, &args, Stage::Clif, |request| {
        request.signature.iteration = Iteration::Function;
    });
    assert_eq!(count(&function, "imul"), 0, "{function}");
    assert_eq!(count(&function, "iadd"), 0, "{function}");
}

#[test]
fn two_scalars_are_joined_by_one_move_behind_the_first() {
    let args = [
        arg(0, 4, Access::Read, DIRECT),
        arg(1, 2, Access::Write, DIRECT),
    ];
    let of = |entry| format!("1 / (x[{entry}] * x[{entry}] + sqrt(2 + x[{entry}]))");
    let text = format!(
        "void k(const double *x, double *y) {{ y[0] = {}; y[1] = {}; }}",
        of(0),
        of(2)
    );
    let options = Options {
        lanes: 1,
        ..Options::default()
    };
    let joined = stage_with(&text, &args, Stage::Clif, options);
    assert_eq!(count(&joined, "insertlane"), 1, "{joined}");
    // The code generator would clear a register first.
    assert_eq!(count(&joined, "scalar_to_vector"), 0, "{joined}");
    assert_eq!(count(&joined, "shuffle"), 0, "{joined}");
}

#[test]
fn lanes_of_two_vectors_that_are_stored_side_by_side_are_moved_there_at_once() {
    let args = [
        arg(0, 2, Access::Read, DIRECT),
        arg(1, 2, Access::Write, DIRECT),
    ];
    let text = "void k(const double *w, double *x) { double s = w[0] / (1 + w[1] * w[1]); \
                double t = sqrt(1 + s * s) / (2 + s), u = s / (3 + t) + t / (4 + s); \
                x[0] = s * t; x[1] = u; }";
    let together = stage_with(text, &args, Stage::Clif, Options::default());
    // Two to turn the rows, and two to turn them back; of each two, one puts a first lane where it belongs.
    assert_eq!(count(&together, "= shuffle"), 2, "{together}");
    assert_eq!(count(&together, "insertlane"), 2, "{together}");
    assert_eq!(count(&together, "splat"), 0, "{together}");
}

/// A loop that adds to the rows at both ends of edges what it computes of so many rows there, as the code generator is given it.
fn over_edges(dats: u16) -> String {
    let at = |column| Source::At(map(2, false), column);
    let names: Vec<String> = (0..dats).map(|dat| format!("w{dat}")).collect();
    let read = (0..dats).map(|dat| arg(dat, 2, Access::Read, at(dat % 2)));
    let args: Vec<ArgSignature> = read.chain([arg(dats, 2, Access::Inc, at(0))]).collect();
    let params = names.iter().map(|name| format!("const double *{name}, "));
    let terms = names
        .iter()
        .map(|w| format!(" + {w}[0] / (1 + {w}[1] * {w}[1])"));
    let (params, terms): (String, String) = (params.collect(), terms.collect());
    let text = format!(
        "void k({params}double *x) {{ double s = 1{terms}, t = sqrt(1 + s * s) / (2 + s); \
         x[0] += s * t; x[1] += t / (1 + s * s); }}"
    );
    let function = stage_with(&text, &args, Stage::Clif, Options::default());
    let (_, blocks) = function.split_once("block0(").expect("it has blocks");
    blocks.to_owned()
}

/// Addresses that are loaded from the arguments before the first element, and by elements.
fn bases(blocks: &str) -> (usize, usize) {
    let is_base = "load.i64 notrap aligned readonly can_move";
    let (before, turns) = blocks.split_once("\n\nblock").expect("it has several");
    (count(before, is_base), count(turns, is_base))
}

#[test]
fn addresses_of_few_dats_are_loaded_once_and_of_many_in_each_turn() {
    // Two of dats and one of the map.
    assert_eq!(bases(&over_edges(1)), (3, 0));
    // The map's is there when a turn begins, and is loaded once more while it runs.
    assert_eq!(bases(&over_edges(5)), (1, 7));
}

#[test]
fn a_range_and_a_list_go_one_way_round() {
    let blocks = over_edges(1);
    assert_eq!(count(&blocks, "sqrt"), 1, "{blocks}");
    // Whether there is an element, a list, another turn; and a second element, in front of what is added to its row.
    assert_eq!(count(&blocks, "brif"), 4, "{blocks}");
    // One element at a time: the loop inside it has another.
    let args = [
        arg(0, 40, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let text = "void k(const double *x, double *y) { double s = 0; \
                for (int i = 0; i < 40; i++) s = s / 2 + x[i]; y[0] = s; }";
    let single = stage(text, &args, Stage::Clif);
    assert_eq!(count(&single, "brif"), 4, "{single}");
}

#[test]
fn minima_are_one_instruction_and_other_choices_between_floats_are_no_branches() {
    let args = [
        arg(0, 2, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
    ];
    // The code generator makes minsd of such a comparison and choice.
    let least = clif(
        "void k(const double *x, double *y) { y[0] = x[0] < x[1] ? x[0] : x[1]; }",
        &args,
    );
    assert_eq!(
        (count(&least, "fcmp lt"), count(&least, "= select")),
        // One says where in the list the loop starts.
        (1, 1 + 1),
        "{least}"
    );
    let other =
        "void k(const double *x, double *y) { y[0] = x[0] < x[1] ? x[1] - x[0] : x[0] - x[1]; }";
    let other = clif(other, &args);
    assert_eq!(
        (count(&other, "= bitselect"), count(&other, "= select")),
        (1, 1),
        "{other}"
    );
}

#[test]
fn the_greatest_so_far_is_compared_so_that_it_stays_a_branch() {
    let args = [
        arg(0, 1, Access::Read, DIRECT),
        arg(1, 1, Access::Max, Source::Global),
    ];
    let found = clif(
        "void k(const double *x, double *y) { if (*x > *y) *y = *x; }",
        &args,
    );
    // `minsd` would chain the elements; the code generator makes a branch of a choice by this comparison.
    assert_eq!(count(&found, "fcmp ule"), 1, "{found}");
}

#[test]
fn integers_are_divided_by_constants_without_a_division() {
    let args = [
        arg(0, 4, Access::Read, DIRECT),
        arg(1, 4, Access::Write, DIRECT),
    ];
    let text = "void k(const double *x, double *y) { int i = (int)x[0]; unsigned u = (unsigned)x[1]; \
                long l = (long)x[2]; unsigned long m = (unsigned long)x[3]; \
                y[0] = i / 7; y[1] = u % 10u; y[2] = l / -12; y[3] = m % 1000000007ul; }";
    let found = clif(text, &args);
    for division in ["sdiv", "udiv", "srem", "urem"] {
        assert_eq!(count(&found, division), 0, "{found}");
    }
    let open = clif(
        "void k(const double *x, double *y) { y[0] = (int)x[0] / (int)x[1]; }",
        &args,
    );
    assert_eq!(count(&open, "= sdiv"), 1, "{open}");
}

#[test]
fn what_a_loop_takes_from_outside_as_vectors_is_computed_as_vectors() {
    let args = [
        arg(0, 3, Access::Read, DIRECT),
        arg(1, 36, Access::Inc, DIRECT),
    ];
    let integral = "void k(const double *c, double *A) { \
        static const double T[3][6] = {{0.1,0.2,0.3,0.4,0.5,0.6},{1,2,3,4,5,6},{7,8,9,10,11,12}}; \
        static const double U[3][6] = {{0.3,0.2,0.1,0.4,0.5,0.6},{3,2,1,4,5,6},{9,8,7,10,11,12}}; \
        for (int q = 0; q < 3; q++) { \
          double t[6], u[6], v[6], w[6]; \
          for (int j = 0; j < 6; j++) { \
            t[j] = c[0] * T[q][j]; u[j] = c[1] * U[q][j]; \
            v[j] = c[1] * T[q][j]; w[j] = c[2] * U[q][j]; } \
          for (int j = 0; j < 6; j++) for (int i = 0; i < 6; i++) { \
            A[6 * i + j] += T[q][i] * t[j]; A[6 * i + j] += T[q][i] * u[j]; \
            A[6 * i + j] += U[q][i] * v[j]; A[6 * i + j] += U[q][i] * w[j]; } } }";
    // A machine without means for updates.
    let made = stage_of(integral, &args, Stage::Optimised, |request| {
        request.target.level = Level::Aarch64;
        request.options = one_by_one();
    });
    assert!(count(&made, "f64x2 = fma") > 0, "{made}");
    // Twelve products of a point, and those of the weights.
    assert!(count(&made, "f64x2 = mul") >= 12, "{made}");
    assert!(count(&made, "f64 = mul") <= 6, "{made}");
}

#[test]
fn what_a_variable_starts_with_is_set_where_no_branch_replaces_it() {
    let args = [
        arg(0, 8, Access::Read, DIRECT),
        arg(1, 2, Access::Write, DIRECT),
    ];
    // How many variables are set before the branch, and in it. What is called keeps it one.
    let sets = |branches: &str| {
        let text = format!(
            "void k(const double *x, double *y) {{ double a = 3, b = 4; {branches} y[0] = a; y[1] = b; }}"
        );
        let text = stage(&text, &args, Stage::Optimised);
        let (before, inside) = text.split_once("  if ").unwrap();
        let of = |text: &str| {
            let is_set = |line: &&str| {
                ["x0 = ", "x1 = "].map(|set| line.trim_start().starts_with(set)) != [false; 2]
            };
            text.lines().filter(is_set).count()
        };
        (of(before), of(inside))
    };
    let one = "if (x[0] > 0) a = exp(x[1]) + sin(x[2]);";
    assert_eq!(sets(one), (0, 2), "{one}");
    let each = "if (x[0] > 0) a = exp(x[1]); else b = exp(x[2]);";
    assert_eq!(sets(each), (0, 4), "{each}");
    let read = "if (x[0] > 0) { y[0] = exp(a * x[3]); a = exp(x[1]); } else b = exp(x[2]);";
    assert_eq!(sets(read), (0, 4), "{read}");
    let inner = "if (x[0] > 0) { if (x[1] > 0) a = exp(x[1]); else b = exp(x[2]); }";
    assert_eq!(sets(inner), (2, 2), "{inner}");
}
