//! Kernels as plain functions: in the interpreter, natively and through the C compiler, on arrays that are apart and on arrays
//! that overlap where C lets them.
//!
//! The kernel as checked, interpreted, is what is meant; the function after all passes, interpreted, and native code equal it in
//! strict mode, bit for bit, and so does C. In every mode native code equals the interpreter on what was compiled.

use parloop::{Engine, Error, Extent};
use parloop_compiler::{FloatMode, abi};
use parloop_tests::oracle::call_function;
use parloop_tests::plain::{Plain, doubles, ints, some};
use parloop_tests::ways::{Mode, stages};

#[test]
fn pointers_that_may_meet_may_overlap() {
    let both = |text: &str, args: &[(usize, usize)]| Plain::new(text, vec![some(40)], args).check();
    // A chain through memory, forwards; a copy that overlaps itself, backwards; one row ahead.
    let chain =
        "void k(double *y, const double *x) { for (int i = 0; i < 30; i++) y[i] = x[i] + 1.0; }";
    for at in [0, 8, 16, 24, 40] {
        both(chain, &[(0, at), (0, 0)]);
        both(chain, &[(0, 0), (0, at)]);
    }
    let short =
        "void k(double *y, const double *x) { for (int i = 0; i < 4; i++) y[i] = 2.0 * x[i]; }";
    for at in [0, 8, 16, 24] {
        both(short, &[(0, at), (0, 0)]);
        both(short, &[(0, 0), (0, at)]);
    }
    // A value known from one name is changed through the other.
    let through = "void k(double *a, double *b) { a[0] = 1.0; b[0] = 2.0; a[1] = a[0] + b[0]; }";
    both(through, &[(0, 0), (0, 0)]);
    both(through, &[(0, 0), (0, 8)]);
    // What is read twice through a pointer to `const` is read twice.
    let twice =
        "void k(const double *n, double *y) { y[0] = n[0] * 2.0; y[1] = n[0] * 3.0; y[2] = n[0]; }";
    both(twice, &[(0, 0), (0, 0)]);
    both(twice, &[(0, 8), (0, 0)]);
    // A bound that the loop changes under its own feet.
    let bound = "void k(double *y, const double *n) { for (int i = 0; i < 8; i++) y[i] += n[0]; }";
    both(bound, &[(0, 0), (0, 16)]);
    // Both ends of an edge in one cell.
    let edge = "void k(const double *x1, const double *x2, double *r1, double *r2) {
        for (int i = 0; i < 4; i++) { double f = 0.5 * (x2[i] - x1[i]); r1[i] += f; r2[i] -= f; } }";
    both(edge, &[(0, 0), (0, 64), (0, 128), (0, 128)]);
    both(edge, &[(0, 0), (0, 64), (0, 128), (0, 136)]);
    both(edge, &[(0, 0), (0, 0), (0, 0), (0, 0)]);
}

#[test]
fn what_only_copies_stores_in_the_order_of_the_text() {
    let text = "void k(const float *restrict a, float *x, float *y) {
        y[0] = a[0]; y[1] = a[1]; x[0] = a[2]; x[1] = a[3]; }";
    for at in [0, 4, 8] {
        for args in [[(0, 0), (1, at), (1, 8)], [(0, 0), (1, 8), (1, at)]] {
            Plain::new(text, vec![some(4), some(4)], &args).check();
        }
    }
}

#[test]
fn pointers_to_other_types_may_meet_where_c_says_so() {
    let signs = "void k(int *a, unsigned *b) { a[0] = -1; b[0] += 5u; a[1] = a[0]; b[2] = 7; a[3] = a[2]; }";
    let memory = || vec![ints([3, 1, 4, 1, 5])];
    Plain::new(signs, memory(), &[(0, 0), (0, 0)]).check();
    Plain::new(signs, memory(), &[(0, 0), (0, 4)]).check();
    let bytes = "#include <stdint.h>
        void k(double *a, uint8_t *b, int *c) {
            a[0] = 1.0; b[7] = 0xc0; b[6] = 0; a[1] = a[0]; c[0] = b[0] + 1; b[1] = 9; c[1] = c[0]; }";
    let args = [(0, 0), (0, 0), (0, 16)];
    Plain::new(bytes, vec![some(4)], &args).check();
    let args = [(0, 0), (0, 16), (0, 16)];
    Plain::new(bytes, vec![some(4)], &args).check();
}

#[test]
fn a_nan_stays_one_though_its_payload_may_change() {
    // A signalling one: what subtracts nothing need not make it quiet.
    let text =
        "void k(unsigned char *b, float *x) { b[0] += 1; x[0] -= 0.0f; x[1] = x[0] * 1.0f; }";
    let bytes = [7, 0, 0, 0, 1, 0, 0x80, 0xff, 0, 0, 0x80, 0x3f].to_vec();
    Plain::new(text, vec![bytes], &[(0, 0), (0, 4)]).check();
}

#[test]
fn restrict_pointers_are_apart_and_nothing_is_read_twice_for_them() {
    let text = |restrict: &str| {
        format!(
            "void k(double *{restrict} y, const double *{restrict} n) {{
                for (int i = 0; i < 8; i++) y[i] += n[0] * n[1]; }}"
        )
    };
    let buffers = || vec![some(8), some(2)];
    for restrict in [
        "",
        "restrict",
        "__restrict__",
        "__restrict",
        "const restrict",
    ] {
        Plain::new(&text(restrict), buffers(), &[(0, 0), (1, 0)]).check();
    }
    let loads = |restrict: &str| {
        let plain = Plain::new(&text(restrict), buffers(), &[(0, 0), (1, 0)]);
        let stages = stages(&plain.front(), Mode::native(FloatMode::Strict)).unwrap();
        stages.optimised.to_string().matches("= load").count()
    };
    assert!(
        loads("restrict") < loads(""),
        "{} {}",
        loads("restrict"),
        loads("")
    );
}

#[test]
fn each_pointer_has_its_own_extent_even_where_they_may_meet() {
    let text = "void k(double *a, double *b, const int *i) { a[i[0]] = 1.0; b[i[1]] = 2.0; b[i[2]] += a[i[0]]; }";
    let case = |i: [i32; 3]| {
        Plain::new(text, vec![some(20), ints(i)], &[(0, 0), (0, 40), (1, 0)])
            .with_extents([10u32, 3, 0])
    };
    for i in [[9, 2, 0], [0, 0, 0], [5, 0, 2], [7, 2, 2]] {
        let case = case(i);
        assert_eq!(case.meant(&case.front()).0.status, abi::OK, "{i:?}");
        case.check();
    }
    for (i, value) in [
        ([10, 0, 0], 10),
        ([9, 3, 0], 3),
        ([0, 0, 9], 9),
        ([-1, 0, 0], -1),
    ] {
        let case = case(i);
        let ended = case.meant(&case.front()).0;
        assert_eq!(
            (ended.status, ended.value),
            (abi::BAD_INDEX, value),
            "{i:?}"
        );
        case.check();
    }
}

#[test]
fn a_bad_index_leaves_what_lies_beyond_the_extent_alone() {
    let text =
        "void k(double *a, const int *i) { for (int n = 0; n < 6; n++) a[i[n]] = 100.0 + n; }";
    let at = ints([0, 3, 4, 1, -1, 7]);
    for mode in Mode::all() {
        let case = Plain::new(text, vec![some(12), at.clone()], &[(0, 32), (1, 0)])
            .with_extents([4u32, 6]);
        let (status, buffers) = case.native(mode);
        assert_eq!(status as u32, abi::BAD_INDEX);
        let (before, after) = (&case.buffers[0], &buffers[0]);
        assert_eq!(before[..32], after[..32], "{mode:?}: before the array");
        assert_eq!(before[64..], after[64..], "{mode:?}: behind the array");
    }
}

#[test]
fn a_tabulate_tensor_is_called_through_the_prototype_of_its_callers() {
    let text = "#include <math.h>
        #include <stdint.h>
        void tabulate_tensor(double* restrict A, const double* restrict w, const double* restrict c,
            const double* restrict coordinate_dofs, const int* restrict entity_local_index,
            const uint8_t* restrict quadrature_permutation, void* custom_data)
        {
          static const double weights[3] = {0.25, 0.5, 0.25};
          static const double FE[2][2][3][3] = {
            {{{0.1, 0.2, 0.7}, {0.3, 0.3, 0.4}, {0.6, 0.2, 0.2}}, {{0.7, 0.2, 0.1}, {0.4, 0.3, 0.3}, {0.2, 0.2, 0.6}}},
            {{{0.5, 0.25, 0.25}, {0.125, 0.5, 0.375}, {0.0, 1.0, 0.0}}, {{0.0, 0.0, 1.0}, {0.5, 0.5, 0.0}, {0.3, 0.3, 0.4}}}};
          double J0 = coordinate_dofs[3] - coordinate_dofs[0], J1 = coordinate_dofs[4] - coordinate_dofs[1];
          double sp = sqrt(J0 * J0 + J1 * J1);
          for (int iq = 0; iq < 3; ++iq) {
            double f = 0.0;
            for (int ic = 0; ic < 3; ++ic)
              f += w[ic] * FE[quadrature_permutation[0]][entity_local_index[0]][iq][ic];
            double fw = f * c[0] * weights[iq] * sp;
            for (int i = 0; i < 3; ++i)
              for (int j = 0; j < 3; ++j)
                A[3 * i + j] += fw * FE[quadrature_permutation[0]][entity_local_index[0]][iq][i] *
                                FE[quadrature_permutation[0]][entity_local_index[0]][iq][j];
          }
        }";
    let coordinates = doubles([0.1, 0.2, 0.0, 1.1, -0.1, 0.0]);
    for (facet, permutation) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let buffers = vec![
            some(9),
            some(3),
            some(1),
            coordinates.clone(),
            ints([facet]),
            vec![permutation],
            vec![],
        ];
        let args: Vec<(usize, usize)> = (0..7).map(|k| (k, 0)).collect();
        Plain::new(text, buffers, &args).check();
    }
    // A facet that is not in the table is found out, not read.
    let buffers = vec![
        some(9),
        some(3),
        some(1),
        coordinates,
        ints([2]),
        vec![1],
        vec![],
    ];
    let args: Vec<(usize, usize)> = (0..7).map(|k| (k, 0)).collect();
    let case = Plain::new(text, buffers, &args);
    assert_eq!(case.meant(&case.front()).0.status, abi::BAD_INDEX);
    case.check();
}

#[test]
fn extents_that_do_not_fit_and_stores_through_const_are_refused() {
    let engine = Engine::builder().build().unwrap();
    let function = |text: &str, extents: &[u32]| {
        let kernel = engine.kernel(text, None);
        let extents: Vec<Extent> = extents.iter().copied().map(Extent::from).collect();
        engine.function(&kernel, &extents).map(|_| ())
    };
    let stored = function("void k(const double *a, double *b) { a[0] = b[0]; }", &[]);
    assert!(matches!(stored, Err(Error::Text { .. })), "{stored:?}");
    let surplus = function("void k(double *a) { a[0] = 1.0; }", &[1, 2]);
    assert!(matches!(surplus, Err(Error::Extent { .. })), "{surplus:?}");
    // Less than the text needs is the caller's word: the code keeps to it.
    let short = "void k(double *a) { a[3] = 1.0; }";
    match function(short, &[2]) {
        Ok(()) => {
            let case = Plain::new(short, vec![some(4)], &[(0, 0)]).with_extents([2u32]);
            let (status, buffers) = case.native(Mode::native(FloatMode::Strict));
            assert_eq!(status as u32, abi::BAD_INDEX);
            assert_eq!(buffers, case.buffers);
        }
        Err(error) => assert!(matches!(error, Error::Extent { .. }), "{error:?}"),
    }
}

#[test]
fn what_the_kernel_does_not_get_to_read_need_not_be_there() {
    // The second pointer leads nowhere, as that of a form without coefficients does; the flag says not to look.
    let nowhere = (0, (usize::MAX / 2) & !15);
    let texts = [
        "void k(double *restrict y, const double *restrict w, const int *restrict flag) {
            y[0] += flag[0] ? w[0] : 1.0; }",
        "void k(double *restrict y, const double *restrict w, const int *restrict flag) {
            for (int i = 0; i < 4; i++) if (flag[0]) y[i] += w[i] * w[0]; }",
        "void k(double *restrict y, const double *restrict w, const int *restrict flag) {
            for (int i = 0; i < 40; i++) { if (flag[0] && w[0] > 0) y[i % 4] += w[1]; else y[i % 4] += 1.0; } }",
        "void k(double *restrict y, const double *restrict w, const int *restrict flag) {
            double s = 0.0; for (int i = 0; i < flag[0]; i++) s += w[0] * w[1]; y[0] = s; }",
        "void k(double *restrict y, const double *restrict w, const int *restrict flag) {
            for (int i = 0; i < 30; i++) if (flag[0] > i) y[i % 4] = w[i % 2]; }",
        "void k(const double *restrict y, double *restrict w, const int *restrict flag) {
            for (int i = 0; i < flag[0]; i++) w[0] += y[i]; }",
        "void k(const double *restrict y, double *restrict w, const int *restrict flag) {
            for (int i = 0; i < 30; i++) if (flag[0]) { w[0] += y[0]; w[1] = y[1]; } }",
        "void k(double *restrict y, const double *restrict w, const int *restrict flag) {
            int i = 0; while (1) { if (i >= flag[0]) break; y[i] = w[0] * w[1]; i++; } }",
        "void k(double *restrict y, const double *restrict w, const int *restrict flag) {
            for (int i = 0; i < 30; i++) { if (!flag[0]) continue; y[i % 4] += w[0]; } }",
        "void k(double *restrict y, const double *restrict w, const int *restrict flag) {
            for (int i = 0; i < 30; i++) { if (!flag[0]) return; y[i % 4] += w[0]; } }",
        "void k(double *restrict y, const double *restrict w, const int *restrict flag) {
            for (int j = 0; j < flag[0]; j++) for (int i = 0; i < 30; i++) y[i % 4] += w[0]; }",
        "void k(double *restrict y, const double *restrict w, const int *restrict flag) {
            if (flag[0]) { y[0] = w[0]; y[1] = w[1]; } else { y[0] = 1.0; y[1] = 2.0; } }",
    ];
    for text in texts {
        for mode in Mode::all() {
            let case = Plain::new(text, vec![some(4), ints([0])], &[(0, 0), nowhere, (1, 0)])
                .with_extents([4u32, 4, 1]);
            assert_eq!(case.native(mode).0 as u32, abi::OK, "{text}\n{mode:?}");
        }
    }
}

#[test]
fn of_neighbouring_bad_indices_the_first_is_told() {
    let text = "static const double t[5][4] = {{1, 2, 3}, {4, 5}};
        void k(double *restrict y, const int *restrict n) {
            y[n[0] + 3] += t[n[1]][2]; y[n[0] + 1] += t[n[1]][0]; y[n[0]] += t[n[1] + 1][3]; y[n[0] + 2] += t[n[1]][3]; }";
    for n in -5..12 {
        for m in -3..7 {
            let case = Plain::new(text, vec![some(8), ints([n, m])], &[(0, 0), (1, 0)]);
            case.with_extents([8u32, 2]).check();
        }
    }
}

#[test]
fn what_the_kernel_would_read_after_it_stopped_need_not_be_there() {
    let nowhere = (0, (usize::MAX / 2) & !15);
    let texts = [
        "void k(double *restrict y, const double *restrict p, const int *restrict n) {
            for (int i = 0; i < 40; i++) { y[n[0]] = 1; y[n[1]] = 2; y[i] = p[0]; } }",
        "void k(double *restrict y, const double *restrict p, const int *restrict n) {
            for (int i = 0; i < 40; i++) { if (i < n[0]) y[n[1]] = 2; y[i] = p[0]; } }",
        "void k(double *restrict y, const double *restrict p, const int *restrict n) {
            for (int i = 0; i < 40; i++) { for (int j = 0; j < 30; j++) y[n[1] + j] = 2; y[i] = p[0]; } }",
    ];
    for text in texts {
        for mode in Mode::all() {
            let case = Plain::new(
                text,
                vec![some(40), ints([1, 99])],
                &[(0, 0), nowhere, (1, 0)],
            );
            let case = case.with_extents([40u32, 1, 2]);
            let (status, _) = case.native(mode);
            assert_eq!(status as u32, abi::BAD_INDEX, "{text}\n{mode:?}");
        }
    }
}

#[test]
#[ignore = "spends four billion steps"]
fn a_call_that_never_ends_runs_out_of_steps_and_says_so() {
    let engine = Engine::builder().build().unwrap();
    let text = "void k(double *y) {\n  while (y[0] < 1.0) { y[1] = y[0]; } }";
    let function = engine.function(&engine.kernel(text, None), &[]).unwrap();
    let mut buffers = [some(4)];
    let status = call_function(&function, &mut buffers, &[(0, 0)]);
    assert_eq!(status as u32, abi::OUT_OF_STEPS);
    let told = function.check(status).unwrap_err().to_string();
    assert!(
        told.contains("line 2") && told.contains("budget of a call"),
        "{told}"
    );
}
