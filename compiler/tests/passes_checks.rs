//! Checks of indices that are made once, before the loop whose trips need them.

mod loops;

use loops::{DIRECT, arg, count, one_by_one, stage_of};
use parloop_compiler::{Access, ArgSignature, DType, Iteration, Stage};

/// How many checks are outside of the loops that store, and inside them: of a kernel whose table has three rows of twenty.
fn checks(adds: &str) -> (usize, usize) {
    checks_of(adds, Iteration::Elements)
}

fn checks_of(adds: &str, iteration: Iteration) -> (usize, usize) {
    let ints = |dat| ArgSignature {
        dtype: DType::I32,
        ..arg(dat, 2, Access::Read, DIRECT)
    };
    let args = [
        ints(0),
        arg(1, 20, Access::Read, DIRECT),
        arg(2, 40, Access::Rw, DIRECT),
        ints(3),
    ];
    let text = format!(
        "static const double t[3][20] = {{{{1, 2}}, {{3}}, {{4}}}};
         void k(const int *restrict n, const double *restrict x, double *restrict y, const int *restrict m) {{ {adds} }}"
    );
    let optimised = stage_of(&text, &args, Stage::Optimised, |request| {
        request.options = one_by_one();
        request.signature.iteration = iteration;
    });
    let indent = |line: &str| line.len() - line.trim_start().len();
    let (mut outside, mut inside) = (0, 0);
    let mut lines = optimised.lines().peekable();
    while let Some(line) = lines.next() {
        let mut block = line.to_owned();
        let is_loop = ["for ", "loop "].map(|word| line.trim_start().starts_with(word));
        let is_loop = is_loop.contains(&true);
        if is_loop {
            while let Some(inner) = lines.next_if(|inner| indent(inner) > indent(line)) {
                block += inner;
            }
        }
        *(if is_loop && block.contains("store") {
            &mut inside
        } else {
            &mut outside
        }) += count(&block, "check_index");
    }
    assert!(optimised.contains("store"));
    (outside, inside)
}

#[test]
fn an_index_that_only_the_counter_changes_is_checked_before_the_loop() {
    // One tells which trip fails, in a loop of its own, the other holds for all of them.
    let one = "for (int i = 0; i < 20; i++) y[i] += t[n[0]][i] * x[i];";
    assert_eq!(checks(one), (2, 0));
    let down = "for (int i = 18; i >= 0; i--) y[i] += t[n[0]][i + 1] * x[i];";
    assert_eq!(checks(down), (2, 0));
    // Two rows are two families.
    let two = "for (int i = 0; i < 20; i++) y[i] += t[n[0]][i] * t[n[1]][19 - i];";
    assert_eq!(checks(two), (4, 0));
    let nest = "for (int i = 0; i < 20; i++) for (int j = 0; j < 20; j++) y[j] += t[n[0]][i] * t[n[1]][j];";
    assert_eq!(checks(nest), (4, 0));
}

#[test]
fn an_index_that_does_not_change_takes_one_check() {
    let same = "for (int i = 0; i < 20; i++) { y[i] += x[i]; y[i] += t[0][n[0]] * y[i + 20]; }";
    assert_eq!(checks(same), (1, 0));
}

#[test]
fn checks_stay_in_a_loop_that_may_fail_otherwise_or_be_left() {
    let before_none = |adds| checks(adds).0;
    let divides = "for (int i = 0; i < 20; i++) y[i] += t[n[0]][i] * (i / n[1]);";
    assert_eq!(before_none(divides), 0);
    let leaves = "for (int i = 0; i < 20; i++) { if (x[i] > 1) break; y[i] += t[n[0]][i]; }";
    assert_eq!(before_none(leaves), 0);
    let sometimes = "for (int i = 0; i < 20; i++) { if (x[i] > 1) y[i] += t[n[0]][i]; }";
    assert_eq!(before_none(sometimes), 0);
    let open = "for (int i = 0; i < n[1]; i++) y[i & 15] += t[n[0]][i];";
    assert_eq!(before_none(open), 0);
    let computed =
        "int at = n[0]; for (int i = 0; i < 20; i++) { y[i] += t[0][at]; at = at * 5 % 7; }";
    assert_eq!(before_none(computed), 0);
}

#[test]
fn an_index_that_is_never_in_range_is_checked_where_it_is() {
    let never = "for (int i = 0; i < 20; i++) y[i] += t[n[0]][i * 4];";
    assert_eq!(checks(never).0, 0);
}

#[test]
fn a_plain_function_follows_a_pointer_before_it_is_sure_to_be_used_only_if_it_did_before() {
    let both = |row: &str| {
        let adds = format!("for (int i = 0; i < 20; i++) y[i] += t[n[0]][i] * t[{row}][i];");
        checks_of(&adds, Iteration::Function)
    };
    assert_eq!(both("n[1]"), (4, 0));
    // Where the first check fails, `m` may lead nowhere.
    assert_eq!(both("m[0]").0, 0);
}
