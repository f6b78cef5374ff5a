//! Cheaper operations that give the same bits, and how they are laid out for the machine.

mod loops;

use loops::{DIRECT, arg, count, one_by_one, stage, stage_of, stage_with};
use parloop_compiler::{Access, FloatMode, Level, Options, Source, Stage};

/// What becomes of a kernel that computes `y` of `x` and `m`.
fn optimised(body: &str) -> String {
    let args = [
        arg(0, 8, Access::Read, DIRECT),
        arg(1, 8, Access::Write, DIRECT),
        arg(2, 8, Access::Read, DIRECT),
    ];
    let text = format!("void k(const double *x, double *y, const double *m) {{ {body} }}");
    let options = Options {
        float: FloatMode::Strict,
        ..one_by_one()
    };
    stage_with(&text, &args, Stage::Optimised, options)
}

#[test]
fn a_quotient_by_a_power_of_two_is_a_product() {
    for by in ["2", "-4.0", "0.125", "0x1p1022"] {
        let made = optimised(&format!("y[0] = x[0] / {by};"));
        assert_eq!(
            (count(&made, " div "), count(&made, " mul ")),
            (0, 1),
            "{by}: {made}"
        );
    }
    // One divided by these is rounded, subnormal or infinite.
    for by in ["3", "0x1p1023", "0x1p-1074", "0.0", "1.0 / 0.0"] {
        let made = optimised(&format!("y[0] = x[0] / ({by});"));
        assert_eq!(
            (count(&made, " div "), count(&made, " mul ")),
            (1, 0),
            "{by}: {made}"
        );
    }
}

#[test]
fn sums_take_in_the_signs_of_what_they_add() {
    let inverse =
        "double n = -x[1]; double q = n / m[0]; y[0] = x[0] + q * m[1]; y[1] = x[2] - n * m[2];";
    let made = optimised(inverse);
    assert_eq!(count(&made, " neg "), 0, "{made}");
    assert_eq!(
        (count(&made, " sub "), count(&made, " add ")),
        (1, 1),
        "{made}"
    );
    let constant = optimised("double n = -x[1]; y[0] = n * 3.0;");
    assert_eq!(count(&constant, " neg "), 0, "{constant}");
    let twice = optimised(
        "double n = -x[1], p = -m[0]; y[0] = n * p; y[1] = -(-x[3]); y[2] = fabs(-x[4]);",
    );
    assert_eq!(count(&twice, " neg "), 0, "{twice}");
}

#[test]
fn a_sign_stays_where_nothing_takes_it_in() {
    // Two products would be negated in place of one factor.
    let made = optimised("double n = -x[1]; y[0] = n * m[0]; y[1] = n * m[1]; y[2] = n;");
    assert_eq!(count(&made, " neg "), 1, "{made}");
}

#[test]
fn a_factor_that_is_not_used_again_is_the_one_that_is_overwritten() {
    let read = |dat| arg(dat, 1, Access::Read, DIRECT);
    let args = [read(0), read(1), read(2), arg(3, 2, Access::Write, DIRECT)];
    let first_of = |product: &str| {
        let text = format!(
            "void k(const double *a, const double *b, const double *c, double *y) {{ y[0] = {product} + c[0]; y[1] = a[0]; }}"
        );
        let made = stage(&text, &args, Stage::Optimised);
        let line = |what: &str| {
            made.lines()
                .find(|line| line.contains(what))
                .expect("a line")
                .trim()
                .to_owned()
        };
        let loaded = line(", 1, readonly)[");
        let sum = line(" fma ");
        let name = loaded.split(':').next().expect("a name");
        sum.contains(&format!(" fma {name},"))
    };
    // `a` is used again, `b` is not.
    assert!(first_of("a[0] * b[0]"));
    assert!(first_of("b[0] * a[0]"));
}

#[test]
fn entries_that_a_vector_is_loaded_from_are_stored_as_vectors() {
    let args = [
        arg(0, 40, Access::Read, DIRECT),
        arg(1, 400, Access::Inc, DIRECT),
    ];
    // Unlike values: nothing is saved by storing two of them at once.
    let text = "void k(const double *x, double *y) {
        double t[20];
        for (int j = 0; j < 20; j += 2) { t[j] = x[j] / x[0]; t[j + 1] = sqrt(x[j + 1]); }
        for (int i = 0; i < 20; i++) for (int j = 0; j < 20; j++) y[20 * i + j] += t[j] / x[i];
    }";
    let made = stage(text, &args, Stage::Optimised);
    assert!(made.contains("f64x2 = load array"), "{made}");
    assert_eq!(count(&made, "store array"), 10, "{made}");
}

#[test]
fn floats_that_all_elements_need_and_registers_do_not_hold_lie_in_memory() {
    let args = [
        arg(0, 24, Access::Read, Source::Global),
        arg(1, 1, Access::Read, DIRECT),
        arg(2, 24, Access::Write, DIRECT),
    ];
    let of = |values: usize, level: Level| {
        let sums = (0..values).map(|n| format!("y[{n}] = g[{n}] / x[0] + sqrt(g[{n}]);"));
        let text = format!(
            "void k(const double *g, const double *x, double *y) {{ {} }}",
            sums.collect::<String>()
        );
        let made = stage_of(&text, &args, Stage::Optimised, |request| {
            request.options = one_by_one();
            request.target.level = level;
        });
        let (before, body) = made.split_once("\nbody").expect("a body");
        (count(before, "store array"), count(body, "load array"))
    };
    assert_eq!(of(4, Level::V3), (0, 0));
    // As many as are too many, each loaded where it is used.
    let (stored, loaded) = of(24, Level::V3);
    assert!(
        stored > 8 && stored < 48 && loaded == stored,
        "{stored} {loaded}"
    );
    // Instructions of this machine have no operands in memory.
    assert_eq!(of(24, Level::Aarch64), (0, 0));
}

#[test]
fn beside_what_fills_all_registers_even_few_floats_from_outside_lie_in_memory() {
    let of = |values: u32| {
        let args = [
            arg(0, 2, Access::Read, Source::Global),
            arg(1, values, Access::Read, DIRECT),
            arg(2, values, Access::Write, DIRECT),
        ];
        // All roots are held until their sum is known.
        let roots = (0..values).map(|n| format!("double t{n} = sqrt(x[{n}]); s += t{n};"));
        let quotients = (0..values).map(|n| format!("y[{n}] = t{n} / s + g[{}];", n % 2));
        let text = format!(
            "void k(const double *g, const double *x, double *y) {{ double s = 0; {} {} }}",
            roots.collect::<String>(),
            quotients.collect::<String>()
        );
        let made = stage_of(&text, &args, Stage::Optimised, |request| {
            request.options = one_by_one();
        });
        let (before, _) = made.split_once("\nbody").expect("a body");
        count(before, "store array")
    };
    assert_eq!(of(4), 0);
    assert!(of(40) > 0);
}
