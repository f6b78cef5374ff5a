//! Kernels over row pointers as plain functions: in the interpreter, natively and through the C compiler, on rows that are apart,
//! that overlap each other or other arrays, that are one row, and that are not there.

use parloop_compiler::{FloatMode, abi};
use parloop_tests::oracle::Passed;
use parloop_tests::plain::{Plain, doubles, ints, some};
use parloop_tests::ways::{Mode, stages};

/// Rows of a buffer that begin at these values of eight bytes.
fn rows(buffer: usize, starts: &[usize]) -> Passed {
    Passed::Rows(starts.iter().map(|start| (buffer, 8 * start)).collect())
}

fn at(buffer: usize, start: usize) -> Passed {
    Passed::Pointer(buffer, 8 * start)
}

#[test]
fn rows_that_are_apart_are_read_and_written_by_constants_loops_and_data() {
    let texts = [
        "void k(double **y, const double **x, const int *n) {
            y[0][0] = x[2][1]; y[1][2] += x[0][0] * x[1][2]; y[n[0]][n[1]] = x[n[1]][n[0]]; y[2][1] = y[n[0]][n[1]] + n[3]; }",
        "void k(double **y, const double **x, const int *n) {
            for (int i = 0; i < 3; i++) for (int j = 0; j < 3; j++) { y[i][j] = 0; for (int l = 0; l < 3; l++) y[i][j] += x[i][l] * x[l][j] + n[3]; } }",
        "static void axpy(double *y, const double *x, double a, int n) { for (int i = 0; i < n; i++) y[i] += a * x[i]; }
         static double total(const double **x, int row) { return x[row][0] + x[row][1] + x[row][2]; }
         void k(double **y, const double **x, const int *n) {
            for (int i = 0; i < 3; i++) axpy(y[i], x[2 - i], total(x, n[i] & 1), 3); }",
        "void k(double *y[3], const double *const *x, const int *n) {
            for (int j = 0; j < 3; j++) for (int i = 0; i < n[3]; i++) y[i][j] = x[j][i] - y[n[0]][n[1]]; }",
    ];
    for text in texts {
        for n in [[0, 2, 1, 3], [2, 2, 2, 2], [1, 0, 2, 0]] {
            let buffers = vec![some(12), doubles((0..12).map(f64::from)), ints(n)];
            let args = [rows(0, &[8, 0, 4]), rows(1, &[1, 9, 5]), at(2, 0)];
            Plain::new(text, buffers, &args)
                .with_extents([[3u32, 3], [3, 3], [0, 4]])
                .check();
        }
    }
}

#[test]
fn rows_that_are_only_copied_are_found_by_their_pointers() {
    let text = "void k(const float **a, float *restrict b) { b[0] = a[0][0]; b[1] = a[0][1]; b[2] = a[1][2]; b[3] = a[1][3]; }";
    let args = [rows(0, &[2, 0]), at(1, 0)];
    Plain::new(text, vec![some(6), some(2)], &args)
        .with_extents([[2u32, 4], [0, 4]])
        .check();
}

#[test]
fn rows_of_integers_and_floats_have_their_own_width() {
    let text = "#include <stdint.h>
        void k(int **a, const float **b, int64_t **c, unsigned **d) {
            for (int i = 0; i < 2; i++) for (int j = 0; j < 3; j++) {
                a[i][j] += (int)(10 * b[1 - i][j]); c[i][j] = (int64_t)a[i][j] << 33; d[i][j] = 5u - a[i][j]; } }";
    let floats = (0..6u16).map(|k| 0.25 * f32::from(k));
    let floats: Vec<u8> = floats.flat_map(f32::to_le_bytes).collect();
    let buffers = vec![ints(0..12), floats, some(6)];
    let args = [
        Passed::Rows(vec![(0, 0), (0, 12)]),
        Passed::Rows(vec![(1, 12), (1, 0)]),
        rows(2, &[0, 3]),
        Passed::Rows(vec![(0, 24), (0, 36)]),
    ];
    Plain::new(text, buffers.clone(), &args).check();
    // Signed and unsigned rows may be one.
    let mut same = args;
    same[3] = Passed::Rows(vec![(0, 12), (0, 4)]);
    Plain::new(text, buffers, &same).check();
}

#[test]
fn rows_may_overlap_each_other_in_any_way() {
    let texts = [
        "void k(double **w) { w[0][0] = 1.0; w[1][0] = 2.0; w[2][0] = w[0][0] + w[1][0]; w[2][1] = w[0][1] * w[1][1]; }",
        "void k(double **restrict w) { for (int i = 0; i < 8; i++) { w[0][i] = w[1][i] + 1.0; w[2][i] += w[0][i]; } }",
        "void k(double **w) { for (int i = 0; i < 3; i++) for (int j = 0; j < 8; j++) w[i][j] = 0.5 * w[(i + 1) % 3][j]; }",
        "void k(double **w) { for (int j = 0; j < 4; j++) for (int i = 0; i < 2; i++) w[i][4 * i + j] = w[2][0] + i + 2 * j; }",
        "void k(double **w) { for (int j = 0; j < 4; j++) for (int i = 0; i < 2; i++) w[0][4 * i + j] += w[1][4 * i + j]; }",
        "void k(double **w) { for (int j = 0; j < 40; j++) w[1][j % 8] = w[0][(j + 1) % 8] + w[2][0] * w[2][1]; }",
    ];
    let starts: [[usize; 3]; 9] = [
        [0, 8, 16],
        [0, 0, 0],
        [0, 0, 8],
        [3, 3, 8],
        [0, 1, 2],
        [2, 1, 0],
        [4, 0, 4],
        [0, 4, 8],
        [9, 10, 9],
    ];
    for text in texts {
        for starts in starts {
            Plain::new(text, vec![some(24)], &[rows(0, &starts)]).check();
        }
    }
}

#[test]
fn a_nest_over_rows_that_overlap_keeps_its_order() {
    // Entry (0, j + 3) of the first row is entry (1, j) of the second.
    for row in ["i & 1", "0", "1", "j & 1"] {
        for old in [format!("0.5 * w[{row}][20 * i + j]"), "0.5".to_owned()] {
            let text = format!(
                "void k(double **w) {{ for (int j = 0; j < 20; j++) for (int i = 0; i < 20; i++)
                    w[{row}][20 * i + j] = {old} + i + 40 * j; }}"
            );
            let case = Plain::new(&text, vec![some(440)], &[rows(0, &[20, 3])]);
            case.with_extents([[2u32, 400]]).check();
        }
    }
}

#[test]
fn rows_may_overlap_what_other_parameters_point_to() {
    let text = "void k(double **w, double *y, const double **x) {
        for (int i = 0; i < 2; i++) for (int j = 0; j < 6; j++) { w[i][j] += x[1 - i][j]; y[j] = w[i][j] + x[i][0] * y[0]; } }";
    let apart = || {
        Plain::new(
            text,
            vec![some(60)],
            &[rows(0, &[0, 6]), at(0, 12), rows(0, &[20, 30])],
        )
    };
    apart().check();
    for (w, y, x) in [
        ([0, 6], 0, [20, 30]),
        ([0, 6], 5, [20, 30]),
        ([0, 6], 20, [20, 21]),
        ([0, 6], 12, [6, 0]),
        ([0, 6], 12, [1, 7]),
        ([3, 3], 3, [3, 3]),
        ([1, 0], 2, [0, 2]),
    ] {
        let args = [rows(0, &w), at(0, y), rows(0, &x)];
        Plain {
            args: args.to_vec(),
            ..apart()
        }
        .check();
    }
    // What is read once behind a `restrict` pointer is read again behind a row.
    let loads = |kind: &str| {
        let text = format!(
            "void k(double {kind} y, const double *restrict n) {{ for (int i = 0; i < 8; i++) {{ {} }} }}",
            if kind == "**" {
                "y[0][i] += y[1][0] * n[0];"
            } else {
                "y[i] += n[1] * n[0];"
            }
        );
        let args = if kind == "**" {
            rows(0, &[0, 10])
        } else {
            at(0, 0)
        };
        let plain = Plain::new(&text, vec![some(40), some(2)], &[args, at(1, 0)]);
        plain.check();
        let stages = stages(&plain.front(), Mode::native(FloatMode::Strict)).unwrap();
        stages.optimised.to_string().matches("= load").count()
    };
    assert!(loads("**") > loads("*restrict"));
}

#[test]
fn a_row_or_an_index_out_of_range_stops_the_call_and_leaves_what_lies_beyond_alone() {
    let text = "void k(double **w, const int *n) {
        for (int i = 0; i < 4; i++) w[n[2 * i]][n[2 * i + 1]] = 100.0 + i; }";
    let case = |n: [i32; 8]| {
        let args = [rows(0, &[4, 12, 8]), at(1, 0)];
        Plain::new(text, vec![some(20), ints(n)], &args).with_extents([[3u32, 3], [0, 8]])
    };
    case([0, 0, 1, 2, 2, 1, 2, 2]).check();
    for (n, value) in [
        ([0, 0, 3, 0, 0, 0, 0, 0], 3),
        ([-1, 0, 0, 0, 0, 0, 0, 0], -1),
        ([0, 0, 1, 3, 0, 0, 0, 0], 3),
        ([0, 0, 1, 1, 2, -1, 0, 0], -1),
        // Both are wrong: the row is told, as it is needed first.
        ([0, 0, 1, 1, 7, 9, 0, 0], 7),
        ([0, 0, 0, 0, 0, 0, i32::MIN, i32::MAX], i64::from(i32::MIN)),
    ] {
        let case = case(n);
        let ended = case.meant(&case.front()).0;
        assert_eq!(
            (ended.status, ended.value),
            (abi::BAD_INDEX, value),
            "{n:?}"
        );
        case.check();
        for mode in Mode::all() {
            let (_, buffers) = case.native(mode);
            for beyond in [0..4, 7..8, 11..12, 15..20] {
                let bytes = 8 * beyond.start..8 * beyond.end;
                let (before, after) = (&case.buffers[0], &buffers[0]);
                assert_eq!(
                    before[bytes.clone()],
                    after[bytes],
                    "{n:?} {mode:?} {beyond:?}"
                );
            }
        }
    }
    // Known when compiling, and the caller's word all the same.
    let known = "void k(double **w) { w[2][1] = 1.0; w[1][3] = 2.0; }";
    for extents in [[2u32, 4], [3, 3], [1, 1]] {
        let case = Plain::new(known, vec![some(12)], &[rows(0, &[0, 4, 8])]);
        let case = case.with_extents([extents]);
        assert_eq!(case.meant(&case.front()).0.status, abi::BAD_INDEX);
        case.check();
    }
}

#[test]
fn rows_that_the_kernel_does_not_get_to_use_need_not_be_there() {
    let nowhere = (0, (usize::MAX / 2) & !15);
    let texts = [
        "void k(double *y, const double **w, const int *flag) { y[0] += flag[0] ? w[0][0] : w[1][0]; }",
        "void k(double *y, const double **w, const int *flag) { for (int i = 0; i < 30; i++) y[i % 4] += w[1][i % 3] + (flag[0] ? w[0][i % 3] : 0.0); }",
        "void k(double *y, const double **w, const int *flag) { double s = 0; for (int i = 0; i < flag[0]; i++) s += w[0][0] * w[0][1]; y[0] = s + w[1][0]; }",
        "void k(double *y, const double **w, const int *flag) { for (int i = 0; i < 30; i++) { if (!flag[0]) continue; y[0] += w[0][0]; } }",
        "void k(double *y, const double **w, const int *flag) { for (int i = flag[0]; i < 1; i++) y[0] += w[i + 1][0] + w[i + 1][1]; }",
    ];
    for text in texts {
        let w = Passed::Rows(vec![nowhere, (0, 0)]);
        for mode in Mode::all() {
            let buffers = vec![some(4), ints([0])];
            let args = [at(0, 0), w.clone(), at(1, 0)];
            let case = Plain::new(text, buffers, &args).with_extents([[0u32, 4], [2, 3], [0, 1]]);
            assert_eq!(case.native(mode).0 as u32, abi::OK, "{text}\n{mode:?}");
        }
    }
    // Nor need the array of row pointers.
    let text = "void k(double *y, const double **w, const int *flag) { for (int i = 0; i < 30; i++) if (flag[0]) y[0] += w[0][0]; }";
    for mode in Mode::all() {
        let args = [at(0, 0), nowhere.into(), at(1, 0)];
        let case = Plain::new(text, vec![some(4), ints([0])], &args);
        assert_eq!(case.native(mode).0 as u32, abi::OK, "{mode:?}");
    }
}

#[test]
fn a_residual_over_rows_of_coefficients_is_what_c_makes_of_it() {
    let text = "#include <math.h>
        void residual(double A[6], double **coordinates, double **w0, double *restrict *w1) {
          double J[4];
          J[0] = coordinates[1][0] - coordinates[0][0]; J[1] = coordinates[2][0] - coordinates[0][0];
          J[2] = coordinates[4][0] - coordinates[3][0]; J[3] = coordinates[5][0] - coordinates[3][0];
          double det = fabs(J[0] * J[3] - J[1] * J[2]);
          static const double FE[3][6] = {{0.6, 0.2, 0.2, 0, 0, 0}, {0.2, 0.6, 0.2, 0, 0, 0}, {0, 0, 0, 0.2, 0.2, 0.6}};
          for (int q = 0; q < 3; q++) {
            double f = 0.0, g = 0.0;
            for (int r = 0; r < 6; r++) { f += w0[r][0] * FE[q][r]; g += w1[r][1] * FE[q][r]; }
            for (int j = 0; j < 6; j++) A[j] += (f * f + exp(g)) * FE[q][j] * det;
          } }";
    let buffers = vec![some(6), some(6), some(6), some(12)];
    let singles = |buffer| rows(buffer, &[0, 1, 2, 3, 4, 5]);
    let pairs = rows(3, &[0, 2, 4, 6, 8, 10]);
    Plain::new(text, buffers, &[at(0, 0), singles(1), singles(2), pairs]).check();
}
