//! How far a kernel reaches through its pointers, as its text tells; and when the caller has to say.

use parloop_compiler::{
    Extent, ExtentError, KernelText, Reach, Source, check_kernel, function_signature,
};

/// The extents that a text has as a plain function.
fn extents(text: &str) -> Result<Vec<u32>, ExtentError> {
    let text = format!("#include <stdint.h>\n{text}");
    let text = KernelText {
        text: &text,
        function: None,
        constants: &[],
        hosts: &[],
    };
    let checked = check_kernel(&text).unwrap_or_else(|e| panic!("{}: {e:?}", text.text));
    let signature = function_signature(&checked, &[])?;
    Ok(signature.args.iter().map(|arg| arg.dim).collect())
}

fn check(cases: &[(&str, &[u32])]) {
    for (text, expected) in cases {
        assert_eq!(extents(text).as_deref(), Ok(*expected), "{text}");
    }
}

#[test]
fn declared_extents_come_first() {
    check(&[
        (
            "void k(double A[12][12], double x[3]) { A[0][0] = x[1]; }",
            &[144, 3],
        ),
        ("void k(double A[][4]) { A[2][1] = 1; }", &[12]),
        (
            "void k(double (*A)[4], void *unused, int n) { A[2][1] = n; }",
            &[12, 1, 1],
        ),
    ]);
}

#[test]
fn row_pointers_have_rows_and_values() {
    let rows = |text: &str, given: Extent| -> Result<[u32; 2], ExtentError> {
        let text = KernelText {
            text,
            function: None,
            constants: &[],
            hosts: &[],
        };
        let checked = check_kernel(&text).unwrap_or_else(|e| panic!("{}: {e:?}", text.text));
        let signature = function_signature(&checked, &[given])?;
        let arg = signature.args[0];
        match arg.source {
            Source::Rows(rows) => Ok([rows, arg.dim]),
            other => panic!("{other:?}"),
        }
    };
    let open = Extent::default();
    for (text, given, expected) in [
        ("void k(double **x) { x[3][1] = x[0][4]; }", open, [4, 5]),
        (
            "void k(double **x) { for (int i = 0; i < 3; i++) for (int j = 0; j < 2; j++) x[i][j + 1] = 0; }",
            open,
            [3, 3],
        ),
        ("void k(double *x[6]) { x[3][1] = 1; }", open, [6, 2]),
        ("void k(double **x) { }", open, [1, 1]),
        ("void k(double **x) { x[3][1] = 1; }", [2, 1].into(), [2, 1]),
        ("void k(double **x) { x[3][1] = 1; }", 7.into(), [4, 7]),
        (
            "void k(double **x) { x[3][(int)x[0][0]] = 1; }",
            7.into(),
            [4, 7],
        ),
        (
            "void k(double *x[2]) { x[(int)x[0][0]][1] = 1; }",
            open,
            [2, 2],
        ),
    ] {
        assert_eq!(rows(text, given), Ok(expected), "{text}");
    }
    for text in [
        "void k(double **x) { x[3][(int)x[0][0]] = 1; }",
        "void k(double **x) { x[(int)x[0][0]][3] = 1; }",
    ] {
        let told = rows(text, open).unwrap_err();
        assert_eq!(told, ExtentError::Rows { name: "x".into() }, "{text}");
    }
}

#[test]
fn indices_are_followed_through_loops_and_arithmetic() {
    check(&[
        (
            "void k(double *A) { for (int i = 0; i < 3; i++) for (int j = 0; j < 4; j++) A[4 * i + j] = 1; }",
            &[12],
        ),
        (
            "void k(double *A) { for (int i = 9; i >= 2; i -= 2) A[i - 1] = 1; }",
            &[9],
        ),
        (
            "void k(double *A) { for (int i = 0; i < 3; i++) for (int j = i; j < 5; j++) A[j - i + 2] = 1; }",
            &[7],
        ),
        (
            "void k(double *A, const int *n) { A[n[0] & 7] = 1; A[n[1] > 3 ? 9 : 2] = 1; }",
            &[10, 2],
        ),
        (
            "void k(double *A, const unsigned *n) { A[n[0] % 5] = 1; }",
            &[5, 1],
        ),
        (
            "void k(double *A, const int *n) { A[n[0] % 5 + 4] = 1; }",
            &[9, 1],
        ),
        (
            "void k(double *A, const double *x) { A[x[0] > x[1]] = 1; A[!(x[2] > 0) + 1] = 2; }",
            &[3, 3],
        ),
    ]);
}

#[test]
fn values_of_tables_and_of_constant_arrays_bound_indices() {
    check(&[
        (
            "void k(double *A, const double *w) {
                static const int dofs[2][3] = {{0, 4, 8}, {2, 10, 6}};
                for (int q = 0; q < 2; q++) for (int i = 0; i < 3; i++) A[dofs[q][i]] += w[i]; }",
            &[11, 3],
        ),
        // Which row is known at run time only; what stands in all of them is known.
        (
            "void k(double *A, const int *entity) {
                static const int8_t dofs[3][2] = {{1, 2}, {0, 2}, {0, 1}};
                for (int i = 0; i < 2; i++) A[3 * dofs[entity[0]][i]] += 1; }",
            &[7, 1],
        ),
        (
            "void k(double *A) { int at[3]; at[0] = 5; at[1] = 1; for (int i = 0; i < 3; i++) A[at[i]] = 1; }",
            &[6],
        ),
    ]);
}

#[test]
fn an_index_that_runs_along_is_followed() {
    check(&[
        (
            "void k(double *A) { int n = 0; for (int i = 0; i < 3; i++) for (int j = 0; j < 4; j++) A[n++] = 1; }",
            &[12],
        ),
        (
            "void k(double *A) { for (int i = 0; i < 30; i++) { int n = 0; for (int j = 0; j < 4; j++) { A[n] = 1; n += 2; } } }",
            &[7],
        ),
        (
            "void k(double *A, const double *x) { int n = 3; for (int i = 0; i < 3; i++) if (x[i] > 0) n--; A[n] = 1; }",
            &[4, 3],
        ),
        (
            "void k(double *A) { unsigned char n = 2; for (int i = 0; i < 3; i++) { A[n] = 1; n = n + 2; } }",
            &[7],
        ),
    ]);
}

#[test]
fn an_index_that_depends_on_data_is_named() {
    let unknown = |name: &str| {
        Err(ExtentError::Unknown {
            name: name.to_owned(),
        })
    };
    for (text, name) in [
        ("void k(double *A, const int *n) { A[n[0]] = 1; }", "A"),
        (
            "void k(double *A, int n) { for (int i = 0; i < n; i++) A[i] = 1; }",
            "A",
        ),
        (
            "void k(double *A, const double *x, const int *n) { A[0] = x[2 * n[1] + 1]; }",
            "x",
        ),
        (
            "void k(double *A, const int *n) { int at[2] = {0, 1}; at[1] = n[0]; A[at[0]] = 1; }",
            "A",
        ),
        (
            "void k(double *A, const double *x) { int n = 0; while (x[0] > n) n++; A[n] = 1; }",
            "A",
        ),
        (
            "void k(double *A, const double *x) { int k = 0; for (int i = 0; i < 3; i++) { A[i] = x[k]; k = (unsigned char)(k - 1); } }",
            "x",
        ),
        (
            "void k(double *A, const double *x) { int k = 1; for (int i = 0; i < 3; i++) { A[i] = x[k]; k = (_Bool)(k + 1); } }",
            "x",
        ),
        (
            "void k(double *A, const int *n) { int t = 0; for (int i = 0; i < 9; i++) { int s = t; t = 0; t = s + 1; } A[t * n[0]] = 1; }",
            "A",
        ),
    ] {
        assert_eq!(extents(text), unknown(name), "{text}");
    }
}

#[test]
fn a_reset_that_may_not_run_is_none() {
    // The index grows over all trips where the branch is not taken, or the rest of the trip is skipped.
    check(&[
        (
            "void k(double *A, const double *x) {
                int n = 0; for (int i = 0; i < 5; i++) { if (x[i] > 0) n = 0; n++; A[n] = 1; } }",
            &[6, 5],
        ),
        (
            "void k(double *A, const double *x) {
                int n = 0; for (int i = 0; i < 5; i++) { n++; A[n] = 1; if (x[i] > 0) continue; n = 0; } }",
            &[6, 5],
        ),
    ]);
}

#[test]
fn rows_are_counted_apart_from_values() {
    let text = "void k(double **w) { for (int i = 0; i < 4; i++) w[i][2] = 1; }";
    let text = KernelText {
        text,
        function: None,
        constants: &[],
        hosts: &[],
    };
    let reach = Reach::of(&check_kernel(&text).unwrap());
    assert_eq!(
        (reach[0].rows, reach[0].values, reach[0].open),
        (4, 3, false)
    );
}

#[test]
fn loops_that_never_run_and_counts_beyond_the_bits_are_survived() {
    let texts = [
        "void k(double *A, const int *n) { for (int i = 1; i < 1; i++) A[(n[0] & 3) / i] = 1; }",
        "void k(double *A, const int *n) { for (int i = 1; i < 1; i++) A[(n[0] & 3) % i] = 1; }",
        "void k(double *A, const int *n) { for (int i = 3; i > 7; i--) A[(n[0] & 3) % i] = 1; }",
        "void k(double *A, const int *n) { for (int i = 5; i < (n[0] & 3); i++) A[(n[0] & 7) / (i - 4)] = 1; }",
        "void k(double *A, const int *n) { for (int i = 5; i < (n[0] & 3); i++) A[7 % (i - 4)] = 1; }",
    ];
    for text in texts {
        let _either = extents(text);
    }
    // Of 32 bits, by 40 is by 8: the text does not tell, and says so.
    let far = "void k(double *A, const int *n) { A[(n[0] & 0x7fff) >> 40] = 1; }";
    assert!(extents(far).is_err(), "{:?}", extents(far));
}
