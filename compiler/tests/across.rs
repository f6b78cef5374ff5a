//! Which loops do two elements at once, and in what order they do what elements share.

mod loops;

use loops::{DIRECT, arg, map, stage_of, stage_with};
use parloop_compiler::{Access, ArgSignature, DType, Level, Options, Source, Stage};

/// Arithmetic that is worth doing for two elements at once: of `w[0]` and `w[1]`, `s` and `t`.
const ARITHMETIC: &str =
    "double s = w[0] / (1 + w[1] * w[1]); double t = sqrt(1 + s * s) / (2 + s);";

/// The statements for two elements, if there are any.
fn wide_with(text: &str, args: &[ArgSignature], options: Options) -> Option<String> {
    let optimised = stage_with(text, args, Stage::Optimised, options);
    let (_, wide) = optimised.split_once("\nwide 2 ")?;
    let (wide, _) = wide.split_once("\n}")?;
    Some(wide.to_string())
}

fn wide(text: &str, args: &[ArgSignature]) -> Option<String> {
    let options = Options {
        lanes: 2,
        ..Options::default()
    };
    wide_with(text, args, options)
}

fn at(column: u16) -> Source {
    Source::At(map(2, false), column)
}

/// A kernel of two arguments: what it reads, `w`, and what it does with `s` and `t` to `x`.
fn of_two(what: &str, access: Access, source: Source) -> Option<String> {
    let args = [arg(0, 2, Access::Read, DIRECT), arg(1, 2, access, source)];
    let text = format!("void k(const double *w, double *x) {{ {ARITHMETIC} {what} }}");
    wide(&text, &args)
}

#[test]
fn arithmetic_on_own_rows_is_done_for_two_elements() {
    let wide = of_two("x[0] = s; x[1] = t;", Access::Write, DIRECT).expect("it pays");
    assert_eq!(loops::count(&wide, ": f64x2 = div"), 2, "{wide}");
    assert_eq!(loops::count(&wide, ": f64x2 = sqrt"), 1, "{wide}");
    assert_eq!(loops::count(&wide, ": f64 = div"), 0, "{wide}");
    // A row of each element, both doubles at once, exchanged.
    assert_eq!(loops::count(&wide, "store row"), 2, "{wide}");
    assert_eq!(loops::count(&wide, "f64x2 = shuffle"), 4, "{wide}");
}

#[test]
fn rows_of_one_double_are_loaded_and_stored_for_both() {
    let args = [
        arg(0, 1, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let text = "void k(const double *w, double *x) { x[0] = w[0] / (1 + w[0] * w[0]); }";
    let wide = wide(text, &args).expect("it pays");
    assert_eq!(loops::count(&wide, "f64x2 = load"), 1, "{wide}");
    assert_eq!(loops::count(&wide, "shuffle"), 0, "{wide}");
    assert_eq!(loops::count(&wide, "store"), 1, "{wide}");
}

#[test]
fn one_lane_is_one_element_at_a_time() {
    let args = [
        arg(0, 1, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let text = "void k(const double *w, double *x) { x[0] = w[0] / (1 + w[0] * w[0]); }";
    let options = Options {
        lanes: 1,
        ..Options::default()
    };
    assert_eq!(wide_with(text, &args, options), None);
}

#[test]
fn copies_and_what_pairs_within_an_element_are_done_again_and_not_turned() {
    let args = [
        arg(0, 4, Access::Read, DIRECT),
        arg(1, 4, Access::Write, DIRECT),
    ];
    let copy = "void k(const double *w, double *x) { for (int i = 0; i < 4; i++) x[i] = w[i]; }";
    let scale =
        "void k(const double *w, double *x) { for (int i = 0; i < 4; i++) x[i] = 2 * w[i] + 1; }";
    for text in [copy, scale] {
        let wide = wide(text, &args).expect("it is short");
        assert_eq!(loops::count(&wide, ": f64x2 = load"), 4, "{wide}");
        assert_eq!(loops::count(&wide, "store row"), 4, "{wide}");
        assert_eq!(loops::count(&wide, "row_addr"), 2, "{wide}");
        assert_eq!(loops::count(&wide, "shuffle"), 0, "{wide}");
    }
}

#[test]
fn a_short_trip_is_of_two_vectors_of_doubles() {
    let args = [
        arg(0, 1, Access::Read, DIRECT),
        arg(1, 1, Access::Rw, DIRECT),
    ];
    let text = "void k(const double *w, double *x) { x[0] += 3 * w[0]; }";
    // Higher levels have strips.
    let optimised = stage_of(text, &args, Stage::Optimised, |request| {
        request.target.level = Level::V2;
    });
    let (_, wide) = optimised.split_once("\nwide 4 {").expect("it is short");
    let (wide, _) = wide.split_once("\n}").unwrap();
    assert_eq!(loops::count(wide, ": f64x2 = load"), 4, "{wide}");
    assert_eq!(loops::count(wide, "store row"), 2, "{wide}");
}

#[test]
fn a_sum_that_is_carried_is_added_to_by_one_element_after_the_other() {
    let args = [
        arg(0, 1, Access::Read, DIRECT),
        arg(1, 1, Access::Inc, Source::Global),
    ];
    let text = "void k(const double *w, double *sum) { sum[0] += w[0]; }";
    let optimised = stage_with(text, &args, Stage::Optimised, Options::default());
    let (_, wide) = optimised.split_once("\nwide 4 {").expect("it is short");
    let (wide, _) = wide.split_once("\n}").unwrap();
    assert_eq!(loops::count(wide, ": f64 = add"), 4, "{wide}");
}

#[test]
fn rows_of_a_map_that_are_changed_in_place_forbid_it() {
    assert_eq!(
        of_two("x[0] = s * x[1]; x[1] = t;", Access::Rw, at(0)),
        None
    );
    assert!(of_two("x[0] = s * x[1]; x[1] = t;", Access::Rw, DIRECT).is_some());
}

#[test]
fn a_caller_that_allows_conflicts_forbids_it() {
    let text = format!("void k(const double *w, double *x) {{ {ARITHMETIC} x[0] = s; x[1] = t; }}");
    let args = [
        arg(0, 2, Access::Read, at(0)),
        arg(0, 2, Access::Write, DIRECT),
    ];
    let found = loops::conflicting(&text, &args, Stage::Optimised);
    assert!(!found.contains("wide"), "{found}");
}

#[test]
fn branches_that_only_compute_are_choices() {
    let limited = of_two(
        "double r = s; if (s > t) { r = t / (1 + s * s); t = s; } else if (s < 0) r = -s; x[0] = r; x[1] = t;",
        Access::Rw,
        DIRECT,
    );
    let limited = limited.expect("it pays");
    assert!(limited.contains("f64x2 = select"), "{limited}");
    assert!(!limited.contains("if "), "{limited}");
}

#[test]
fn a_variable_that_a_branch_reads_and_leaves_is_carried_by_no_choice() {
    let args = [
        arg(0, 2, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
        arg(2, 1, Access::Inc, Source::Global),
    ];
    let text = format!(
        "void k(const double *w, double *x, double *sum) {{ {ARITHMETIC} if (s > t) s = t / (1 + s * s); else t = s * s; sum[0] += t; x[0] = s; }}"
    );
    let wide = wide(&text, &args).expect("it pays");
    // Of each branch's two sides one changes a variable: two choices, and the sum for one element after the other.
    assert_eq!(loops::count(&wide, ": f64x2 = select"), 2, "{wide}");
    assert_eq!(loops::count(&wide, ": f64 = get x"), 2, "{wide}");
    assert_eq!(loops::count(&wide, "\n  x"), 2, "{wide}");
}

#[test]
fn branches_that_store_to_own_rows_choose_what_is_stored() {
    let what = "x[0] = s; if (s > t) { x[1] = t; x[0] = x[1] - s; }";
    let wide = of_two(what, Access::Rw, DIRECT).expect("it pays");
    assert!(!wide.contains("if "), "{wide}");
    assert_eq!(loops::count(&wide, ": f64x2 = select"), 2, "{wide}");
    assert_eq!(loops::count(&wide, "store row"), 2, "{wide}");
}

#[test]
fn branches_that_call_loops_and_checks_forbid_it() {
    assert_eq!(
        of_two("x[0] = s; if (s > t) x[1] = exp(t);", Access::Rw, DIRECT),
        None
    );
    let trips = "for (int i = 0; i < 40; i++) x[0] += s * i; x[1] = t;";
    assert_eq!(of_two(trips, Access::Rw, DIRECT), None);
    assert_eq!(
        of_two("x[(int)w[0]] = s; x[1] = t;", Access::Rw, DIRECT),
        None
    );
}

/// The arguments of a kernel that adds to the rows of a map what it computes of its own.
fn adding(access: Access, source: Source) -> [ArgSignature; 2] {
    [arg(0, 2, Access::Read, DIRECT), arg(1, 2, access, source)]
}

/// A loop over the points of a table, that keeps sums in a local array.
const POINTS: &str = "static const double t[3][2] = {{1, 0.5}, {0.25, 3}, {2, 0.125}}; double a[40] = {0}; \
    for (int q = 0; q < 3; q++) { double s = w[0] * t[q][0] / (1 + w[1] * w[1]); for (int i = 0; i < 40; i++) a[i] += s * t[q][1]; }";

/// The statements for several elements, or for as many as are left.
fn for_all(what: &str, access: Access, source: Source) -> Option<String> {
    let text = format!("void k(const double *w, double *x) {{ {POINTS} {what} }}");
    let options = Options {
        lanes: 2,
        ..Options::default()
    };
    let optimised = stage_with(&text, &adding(access, source), Stage::Optimised, options);
    let (_, wide) = optimised.split_once("\nwide 2 rest {")?;
    let (wide, _) = wide.split_once("\n}")?;
    Some(wide.to_string())
}

#[test]
fn elements_go_round_loops_together_and_what_is_left_of_them_with_them() {
    let wide = for_all("x[0] += a[3]; x[1] += a[7];", Access::Inc, at(0)).expect("it pays");
    assert!(wide.contains("for "), "{wide}");
    assert!(loops::count(&wide, ": f64x2 = load array") > 0, "{wide}");
    // What the second adds is left out where there is none.
    let (both, second) = wide.split_once("if ").expect("there may be no second");
    assert!(loops::count(both, "store row") > 0, "{wide}");
    assert!(loops::count(second, "store row") > 0, "{wide}");
    assert!(both.contains("element_after 1"), "{wide}");
}

#[test]
fn own_rows_are_stored_by_each_element_and_the_same_twice_by_the_last() {
    let wide = for_all("x[0] = a[3]; x[1] = a[7];", Access::Write, DIRECT).expect("it pays");
    assert_eq!(loops::count(&wide, "if "), 0, "{wide}");
    assert!(loops::count(&wide, "store row") > 1, "{wide}");
}

#[test]
fn elements_that_maps_lead_from_run_with_what_is_left_of_them() {
    let sums = "double s = sqrt(w[0] * w[0] + w[1] * w[1]); double u = sqrt(1 + s * w[1]) / (2 + s); double t = w[0] / (1 + s * u);";
    let wide = |what: &str, access, source| {
        let text = format!("void k(const double *w, double *x) {{ {sums} {what} }}");
        let options = Options {
            lanes: 2,
            ..Options::default()
        };
        let text = stage_with(&text, &adding(access, source), Stage::Optimised, options);
        let (_, wide) = text.split_once("\nwide 2 ").expect("it pays");
        let (wide, _) = wide.split_once("\n}").unwrap();
        wide.to_string()
    };
    let adds = wide("x[0] += s; x[1] -= t;", Access::Inc, at(0));
    assert!(adds.starts_with("rest "), "{adds}");
    assert_eq!(loops::count(&adds, "element_after 1"), 1, "{adds}");
    let own = wide("x[0] = s; x[1] = t;", Access::Write, DIRECT);
    assert!(!own.starts_with("rest "), "{own}");
}

#[test]
fn rows_that_are_read_after_they_were_stored_and_stores_in_loops_forbid_loops() {
    let again = "x[0] = a[3]; for (int i = 0; i < 40; i++) a[i] += x[0]; x[1] = a[7];";
    // The value that was stored is known; what another entry holds is not.
    assert!(for_all(again, Access::Rw, DIRECT).is_some());
    let entry = "x[0] = a[3]; for (int i = 0; i < 40; i++) a[i] += x[1]; x[1] = a[7];";
    assert_eq!(for_all(entry, Access::Rw, DIRECT), None);
    let inside = "for (int i = 0; i < 40; i++) x[i % 2] += a[i];";
    assert_eq!(for_all(inside, Access::Rw, DIRECT), None);
}

#[test]
fn loops_of_unknown_length_and_integers_in_arrays_forbid_it() {
    let unknown = "for (int i = 0; i < (int)w[0]; i++) a[0] += i; x[0] += a[0];";
    assert_eq!(for_all(unknown, Access::Inc, at(0)), None);
    let integers = "int n[40] = {0}; for (int i = 1; i < 40; i++) n[i] = n[i - 1] * 3 + (int)a[i]; x[0] += n[39];";
    assert_eq!(for_all(integers, Access::Inc, at(0)), None);
}

#[test]
fn arrays_as_large_as_may_be_are_not_kept_for_several_elements() {
    let text = |len: u32| {
        format!(
            "double b[{len}]; for (int i = 0; i < 40; i++) {{ b[i * 100] = a[i] / (1 + a[i] * a[i]); a[i] += b[i * 100] / (2 + w[0]); }} x[0] = b[100] + a[7];"
        )
    };
    assert!(for_all(&text(4000), Access::Write, DIRECT).is_some());
    // Twice as large it is more than a loop's working memory may be.
    assert_eq!(for_all(&text(100_000_000), Access::Write, DIRECT), None);
}

#[test]
fn large_tables_are_kept_once() {
    let numbers: Vec<String> = (0..5000).map(|n| format!("{}.5", n % 91)).collect();
    let text = format!(
        "static const double u[5000] = {{{}}}; for (int i = 0; i < 40; i++) a[i] += u[i * 120] / (1 + w[0] * a[i]); x[0] = a[3] + a[7];",
        numbers.join(", ")
    );
    let wide = for_all(&text, Access::Write, DIRECT).expect("it pays");
    assert!(wide.contains(": f64 = load table"), "{wide}");
}

/// The lines of the statements for two elements that load from or store to the rows of one dat, in order.
fn touches(wide: &str, slot: u32) -> Vec<&str> {
    let region = format!(", {slot}, ");
    let lines = wide
        .lines()
        .filter(|line| line.contains("row(") && line.contains(&region));
    lines
        .map(|line| {
            if line.contains("store") {
                "store"
            } else {
                "load"
            }
        })
        .collect()
}

#[test]
fn rows_that_elements_share_are_changed_for_one_and_then_for_the_other() {
    let increment = of_two("x[0] += s; x[1] += t;", Access::Inc, at(0)).expect("it pays");
    assert_eq!(
        touches(&increment, 1),
        ["load", "store", "load", "store"],
        "{increment}"
    );
    let least = of_two(
        "x[0] = fmin(x[0], s); x[1] = fmin(x[1], t);",
        Access::Min,
        at(0),
    );
    let least = least.expect("it pays");
    let order = touches(&least, 1);
    // All of the first element's come before any of the second's.
    let (first, second) = order.split_at(order.len() / 2);
    for half in [first, second] {
        let stores = half.iter().filter(|touch| **touch == "store");
        assert_eq!(stores.count(), 2, "{least}");
        assert_eq!(half.last(), Some(&"store"), "{least}");
    }
}

#[test]
fn a_sum_over_elements_takes_the_first_and_then_the_second() {
    let sum = of_two("x[0] += s * t;", Access::Inc, Source::Global).expect("it pays");
    let lines: Vec<&str> = sum.lines().map(str::trim).collect();
    let lane = |element: &str| {
        let end = format!(", {element}");
        let found = lines
            .iter()
            .find(|line| line.contains(" = lane ") && line.ends_with(&end));
        let (value, _) = found
            .expect("a lane is taken")
            .split_once(':')
            .expect("it is a value");
        value.to_string()
    };
    let adds = lines.iter().filter(|line| line.contains(": f64 = add"));
    let adds: Vec<&&str> = adds.collect();
    assert_eq!(adds.len(), 2, "{sum}");
    for (add, element) in adds.into_iter().zip(["0", "1"]) {
        assert!(add.ends_with(&format!(", {}", lane(element))), "{sum}");
    }
    let (last, _) = lines
        .iter()
        .rev()
        .find(|line| line.contains(": f64 = add"))
        .unwrap()
        .split_once(':')
        .unwrap();
    assert!(lines.contains(&format!("x0 = {last}").as_str()), "{sum}");
}

#[test]
fn a_choice_that_elements_have_in_common_is_made_for_each() {
    let args = [
        arg(0, 2, Access::Read, Source::Global),
        arg(1, 1, Access::Read, DIRECT),
        arg(2, 1, Access::Write, DIRECT),
    ];
    let text = "void k(const double *g, const double *w, double *x) {
        double s = w[0] / (1 + w[0] * w[0]), t = g[0] < g[1] ? s : w[0]; x[0] = t / (2 + s * t); }";
    let wide = wide(text, &args).expect("it pays");
    assert_eq!(loops::count(&wide, ": f64 = select"), 2, "{wide}");
}

#[test]
fn a_kernel_of_thousands_of_statements_is_compiled_once() {
    let sum = |terms: usize| {
        let text: String = (0..terms)
            .map(|n| format!(" s = s * {n}.5 + x[1];"))
            .collect();
        of_two(&format!("{text} x[0] = s * t;"), Access::Rw, DIRECT)
    };
    assert!(sum(100).is_some());
    assert_eq!(sum(5000), None);
}

#[test]
fn branches_load_what_every_element_has_and_nothing_that_partial_maps_lead_to() {
    let of = |source: Source| {
        let args = [
            arg(0, 2, Access::Read, DIRECT),
            arg(1, 2, Access::Read, source),
            arg(2, 1, Access::Write, DIRECT),
        ];
        let text = format!(
            "void k(const double *w, const double *y, double *x) {{ {ARITHMETIC} if (s > t) s = t / (1 + y[1] * y[1]); x[0] = s * t; }}"
        );
        wide(&text, &args)
    };
    assert!(of(DIRECT).is_some());
    assert!(of(at(1)).is_some());
    assert_eq!(of(Source::At(map(2, true), 1)), None);
}

/// The statements for four elements of a kernel of floats, if there are any.
fn wide_of_floats(text: &str, args: &[ArgSignature]) -> Option<String> {
    let args: Vec<ArgSignature> = args
        .iter()
        .map(|arg| ArgSignature {
            dtype: DType::F32,
            ..*arg
        })
        .collect();
    let optimised = stage_with(text, &args, Stage::Optimised, Options::default());
    let (_, wide) = optimised.split_once("\nwide 4 ")?;
    let (wide, _) = wide.split_once("\n}")?;
    Some(wide.to_string())
}

const OF_FLOATS: &str = "float s = w[0] / (1 + w[1] * w[1]), t = sqrtf(1 + s * s) / (2 + s);";

#[test]
fn floats_are_computed_for_four_elements() {
    let args = [
        arg(0, 1, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let text = "void k(const float *w, float *x) { x[0] = w[0] / (1 + w[0] * w[0]); }";
    let wide = wide_of_floats(text, &args).expect("it pays");
    assert_eq!(loops::count(&wide, ": f32x4 = load"), 1, "{wide}");
    assert_eq!(loops::count(&wide, ": f32x4 = div"), 1, "{wide}");
    assert_eq!(loops::count(&wide, "store"), 1, "{wide}");
    assert_eq!(loops::count(&wide, "shuffle"), 0, "{wide}");
}

#[test]
fn rows_of_two_floats_are_loaded_two_at_a_time() {
    let args = [
        arg(0, 2, Access::Read, DIRECT),
        arg(1, 2, Access::Write, DIRECT),
    ];
    let text = format!("void k(const float *w, float *x) {{ {OF_FLOATS} x[0] = s; x[1] = t; }}");
    let wide = wide_of_floats(&text, &args).expect("it pays");
    assert_eq!(loops::count(&wide, ": f32x4 = load"), 2, "{wide}");
    assert_eq!(loops::count(&wide, "store"), 2, "{wide}");
    assert_eq!(loops::count(&wide, "shuffle"), 4, "{wide}");
}

#[test]
fn rows_of_four_floats_are_loaded_and_stored_whole() {
    let args = [
        arg(0, 4, Access::Read, at(0)),
        arg(1, 4, Access::Write, DIRECT),
    ];
    let text = format!(
        "void k(const float *w, float *x) {{ {OF_FLOATS} x[0] = s; x[1] = t; x[2] = s * t; x[3] = w[3] / s; }}"
    );
    let wide = wide_of_floats(&text, &args).expect("it pays");
    assert_eq!(loops::count(&wide, ": f32x4 = load"), 4, "{wide}");
    assert_eq!(loops::count(&wide, "store"), 4, "{wide}");
    // Turned on the way in, where one column is not needed, and on the way out.
    assert_eq!(loops::count(&wide, "shuffle"), 7 + 8, "{wide}");
}

#[test]
fn what_is_left_of_a_row_is_loaded_with_its_neighbours() {
    let args = [
        arg(0, 6, Access::Read, DIRECT),
        arg(1, 1, Access::Write, DIRECT),
    ];
    let text =
        "void k(const float *w, float *x) { x[0] = w[0] / w[1] + w[2] / w[3] + w[4] / w[5]; }";
    let wide = wide_of_floats(text, &args).expect("it pays");
    assert_eq!(loops::count(&wide, ": f32x4 = load"), 8, "{wide}");
    assert_eq!(loops::count(&wide, ": f32 = load"), 0, "{wide}");
}

#[test]
fn rows_of_two_floats_are_accessed_two_by_two() {
    let access = |dat| if dat < 6 { Access::Read } else { Access::Write };
    let args: Vec<ArgSignature> = (0..8).map(|dat| arg(dat, 2, access(dat), DIRECT)).collect();
    let text = "void k(const float *x, const float *y, const float *z, const float *u, const float *v, \
                const float *w, float *o, float *p) \
                { for (int i = 0; i < 2; i++) { o[i] = x[i] * y[i] + z[i]; p[i] = u[i] * v[i] + w[i]; } }";
    let wide = wide_of_floats(text, &args).expect("it pays");
    assert_eq!(loops::count(&wide, ": f32x4 = load"), 12, "{wide}");
}

#[test]
fn floats_that_elements_share_are_added_for_one_after_the_other() {
    let args = [
        arg(0, 2, Access::Read, DIRECT),
        arg(1, 1, Access::Inc, at(0)),
    ];
    let text = format!("void k(const float *w, float *x) {{ {OF_FLOATS} x[0] += s * t; }}");
    let wide = wide_of_floats(&text, &args).expect("it pays");
    let lines = touches(&wide, 1);
    assert_eq!(lines.len(), 8, "{wide}");
    for pair in lines.chunks(2) {
        assert!(pair[0].contains("load"), "{wide}");
        assert!(pair[1].contains("store"), "{wide}");
    }
}

#[test]
fn quotients_of_which_one_counts_are_one_quotient() {
    let args = [
        loops::arg(0, 2, Access::Read, DIRECT),
        loops::arg(1, 2, Access::Read, DIRECT),
        loops::arg(2, 1, Access::Write, DIRECT),
    ];
    let quotients = |other: &str| {
        let text = format!(
            "void k(const double *q, const double *b, double *r) {{ \
               double d = q[1] - q[0], m = 1; \
               if (d > 0) {{ double t = (b[0] - q[0]) / d; m = t < m ? t : m; }} \
               else if (d < 0) {{ double t = {other}; m = t < m ? t : m; }} \
               r[0] = m / (1 + d * d); }}"
        );
        let wide = wide(&text, &args).expect("it pays");
        loops::count(&wide, ": f64x2 = div")
    };
    // The last line has one of its own.
    assert_eq!(quotients("(b[1] - q[0]) / d"), 2);
    assert_eq!(quotients("(b[0] + q[0]) / (d - 1)"), 2);
    assert_eq!(quotients("sqrt(b[1] / d)"), 3);
}

#[test]
fn rows_that_are_only_combined_are_combined_before_they_are_turned() {
    let shuffles = |more: &str| {
        let args = [
            arg(0, 2, Access::Read, at(0)),
            arg(0, 2, Access::Read, at(1)),
            arg(1, 1, Access::Write, DIRECT),
        ];
        let text = format!(
            "void k(const double *a, const double *b, double *y) {{ \
             double u = a[0] - b[0], v = a[1] - b[1]; y[0] = sqrt(1 + u * u) / (2 + v * v){more}; }}"
        );
        loops::count(&wide(&text, &args).expect("it pays"), "shuffle")
    };
    assert_eq!(shuffles(""), 2);
    // Each row is turned where more of it is taken than the difference.
    assert_eq!(shuffles(" + a[0] * b[1]"), 4);
}
