//! Checks of indices that are made once, before the loop whose trips need them.

mod loops;

use loops::{DIRECT, arg, count, stage_with};
use parloop_compiler::{Access, ArgSignature, DType, Options, Stage};

/// How many checks are outside of the loops that store, and inside them: of a kernel whose table has three rows of twenty.
fn checks(adds: &str) -> (usize, usize) {
    let args = [
        ArgSignature {
            dtype: DType::I32,
            ..arg(0, 2, Access::Read, DIRECT)
        },
        arg(1, 20, Access::Read, DIRECT),
        arg(2, 40, Access::Inc, DIRECT),
    ];
    let text = format!(
        "static const double t[3][20] = {{{{1, 2}}, {{3}}, {{4}}}};
         void k(const int *n, const double *x, double *y) {{ {adds} }}"
    );
    let options = Options {
        lanes: 1,
        ..Options::default()
    };
    let optimised = stage_with(&text, &args, Stage::Optimised, options);
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
