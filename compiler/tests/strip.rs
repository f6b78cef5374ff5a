//! Which loops have a strip, of how many elements, and what it consists of. That results stay the same is tested across the
//! crates, by running.

mod loops;

use loops::{DIRECT, arg, count, map, stage_of, stage_with};
use parloop_compiler::{Access, ArgSignature, DType, Level, Options, Source, Stage};

/// The number of elements of a strip and its statements, if a loop has one.
fn strip(text: &str, args: &[ArgSignature]) -> Option<(u8, String)> {
    let options = Options::default();
    strip_of(&stage_with(text, args, Stage::Optimised, options))
}

fn strip_of(optimised: &str) -> Option<(u8, String)> {
    let (_, strip) = optimised.split_once("\nwide ")?;
    let (elements, strip) = strip.split_once(" strip {")?;
    let (strip, _) = strip.split_once("\n}")?;
    Some((elements.parse().ok()?, strip.to_owned()))
}

const TRIAD: &str =
    "void k(const double *b, const double *c, double *a) { a[0] = b[0] + 3.0 * c[0]; }";

fn triad(dim: u32) -> [ArgSignature; 3] {
    [
        arg(0, dim, Access::Read, DIRECT),
        arg(1, dim, Access::Read, DIRECT),
        arg(2, dim, Access::Write, DIRECT),
    ]
}

#[test]
fn rows_of_one_double_are_put_together() {
    let (elements, strip) = strip(TRIAD, &triad(1)).expect("it pays");
    assert_eq!(elements, 8);
    assert_eq!(count(&strip, "f64x4 = load"), 4, "{strip}");
    assert_eq!(count(&strip, "f64x4 = fma"), 2, "{strip}");
    assert_eq!(count(&strip, "store"), 2, "{strip}");
}

#[test]
fn a_row_of_four_is_a_vector() {
    let text =
        "void k(const double *b, double *a) { for (int i = 0; i < 4; i++) a[i] = sqrt(b[i]); }";
    let args = [
        arg(0, 4, Access::Read, DIRECT),
        arg(1, 4, Access::Write, DIRECT),
    ];
    let (elements, strip) = strip(text, &args).expect("it pays");
    assert_eq!(u32::from(elements), count(&strip, "f64x4 = sqrt") as u32);
}

#[test]
fn rows_of_any_type_are_copied_as_doubles() {
    let copies = |dtype, dim, text: &str| {
        let args = [(0, Access::Read), (1, Access::Write)].map(|(dat, access)| ArgSignature {
            dtype,
            ..arg(dat, dim, access, DIRECT)
        });
        strip(text, &args)
    };
    let floats = "void k(const float *b, float *a) { for (int i = 0; i < 4; i++) a[i] = b[i]; }";
    let (elements, strip) = copies(DType::F32, 4, floats).expect("it pays");
    assert_eq!(elements, 8);
    assert_eq!(count(&strip, "f64x4 = load"), 4, "{strip}");
    assert_eq!(count(&strip, "store"), 4, "{strip}");
    let long = "void k(const long *b, long *a) { a[0] = b[0]; }";
    assert!(copies(DType::I64, 1, long).is_some());
    let odd = "void k(const float *b, float *a) { for (int i = 0; i < 3; i++) a[i] = b[i]; }";
    assert_eq!(copies(DType::F32, 3, odd), None);
    let swapped = "void k(const float *b, float *a) { a[0] = b[1]; a[1] = b[0]; }";
    assert_eq!(copies(DType::F32, 2, swapped), None);
    let changed = "void k(const float *b, float *a) { a[0] = b[0]; a[1] = -b[1]; }";
    assert_eq!(copies(DType::F32, 2, changed), None);
}

#[test]
fn what_is_read_before_all_elements_is_not_copied_as_doubles() {
    let args = [(0, Access::Min, Source::Global), (1, Access::Inc, DIRECT)];
    let args = args.map(|(dat, access, source)| ArgSignature {
        dtype: DType::F32,
        ..arg(dat, 8, access, source)
    });
    let text = "void k(float *g, float *a) { for (int i = 2; i < 4; i++) a[i] = g[i]; }";
    let optimised = loops::stage(text, &args, Stage::Optimised);
    assert_eq!(count(&optimised, "f64 = load"), 0, "{optimised}");
}

#[test]
fn rows_that_fill_vectors_only_together_are_put_together() {
    let text = "void k(const double *b, double *a) { for (int i = 0; i < 3; i++) a[i] = -b[i]; }";
    let args = [
        arg(0, 3, Access::Read, DIRECT),
        arg(1, 3, Access::Write, DIRECT),
    ];
    let (elements, strip) = strip(text, &args).expect("it pays");
    assert_eq!(elements, 4);
    assert_eq!(count(&strip, "store"), 3, "{strip}");
}

#[test]
fn what_four_elements_divide_is_divided_at_once_and_stores_to_a_row_stand_together() {
    let text = "void k(const double *w, const double *b, double *a, double *c, double *s) { double r = 1 / w[0]; \
                for (int i = 0; i < 4; i++) { a[i] = r * b[i]; c[i] = 0; s[0] += b[i]; } }";
    let args = [
        arg(0, 1, Access::Read, DIRECT),
        arg(1, 4, Access::Read, DIRECT),
        arg(2, 4, Access::Write, DIRECT),
        arg(3, 4, Access::Write, DIRECT),
        arg(4, 1, Access::Inc, Source::Global),
    ];
    let (elements, strip) = strip(text, &args).expect("it pays");
    assert_eq!(elements, 4);
    assert_eq!(count(&strip, "f64x4 = div"), 1, "{strip}");
    assert_eq!(count(&strip, ": f64 = div"), 0, "{strip}");
    let rows: Vec<&str> = strip
        .lines()
        .filter_map(|line| line.trim().strip_prefix("store row("))
        .map(|row| row.split(',').next().unwrap())
        .collect();
    assert_eq!(rows.len(), 8);
    let changes = rows.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!(changes, 1, "{rows:?}");
}

#[test]
fn loops_with_more_than_their_own_rows_have_none() {
    let mapped = Source::At(map(2, false), 0);
    let mut args = triad(1);
    args[1].source = mapped;
    assert!(strip(TRIAD, &args).is_none(), "a row of a map");
    let mut args = triad(1);
    args[2] = arg(2, 1, Access::Inc, mapped);
    let text = TRIAD.replace("a[0] =", "a[0] +=");
    assert!(strip(&text, &args).is_none(), "increments of a map's rows");
    let args = [
        arg(0, 1, Access::Read, DIRECT),
        arg(1, 1, Access::Read, DIRECT),
        arg(2, 1, Access::Inc, Source::Global),
    ];
    assert!(strip(&text, &args).is_none(), "a sum alone");
    let text = "void k(const double *b, const double *c, double *a) { a[0] = b[0] < c[0] ? b[0] : exp(c[0]); }";
    assert!(strip(text, &triad(1)).is_none(), "choices and calls");
}

#[test]
fn other_levels_and_fewer_lanes_have_none() {
    for level in [Level::Baseline, Level::V2, Level::Aarch64] {
        let text = stage_of(TRIAD, &triad(1), Stage::Optimised, |request| {
            request.target.level = level;
        });
        assert!(strip_of(&text).is_none(), "{level:?}");
    }
    let text = stage_of(TRIAD, &triad(1), Stage::Optimised, |request| {
        request.options.lanes = 2;
    });
    assert!(strip_of(&text).is_none());
}
