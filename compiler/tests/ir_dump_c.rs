//! The C file of a loop: compiled without a warning, and run against what the accesses mean. Without a C compiler only the
//! text is made.

use parloop_compiler::ir::{Kernel, Passing};
use parloop_compiler::{
    Access, ArgSignature, CheckedKernel, ConstantDecl, DType, IndexWidth, Iteration, KernelText,
    Layout, MapUse, ParamInfo, Signature, Source, check_kernel, dump_c,
};
use std::path::PathBuf;
use std::process::Command;

/// A parameter as the front end would tell of it: `const double x[][2]` is `("x", Pointer, F64, [None, Some(2)], true)`.
fn param(passing: Passing, dtype: DType, extents: &[Option<u64>], is_const: bool) -> ParamInfo {
    ParamInfo {
        name: String::new(),
        passing,
        dtype: Some(dtype),
        extents: extents.to_vec(),
        is_const,
        is_restrict: false,
        read: true,
        written: !is_const,
    }
}

fn pointer(dtype: DType, is_const: bool) -> ParamInfo {
    param(Passing::Pointer, dtype, &[None], is_const)
}

fn arg(source: Source, access: Access, dtype: DType, dim: u32, dat: u16) -> ArgSignature {
    ArgSignature {
        source,
        dtype,
        dim,
        layout: Layout::Aos,
        access,
        dat,
    }
}

fn map(slot: u16, arity: u16, width: IndexWidth, partial: bool) -> MapUse {
    MapUse {
        slot,
        arity,
        width,
        partial,
    }
}

fn dump(
    text: &str,
    name: &str,
    constants: &[ConstantDecl],
    args: Vec<(ParamInfo, ArgSignature)>,
    strict: bool,
) -> String {
    let (params, args) = args.into_iter().unzip();
    let plain = constants.iter().filter(|c| c.specialised.is_none());
    let checked = CheckedKernel {
        name: name.to_owned(),
        kernel: Kernel::default(),
        params,
        constants: plain.map(|c| c.name.clone()).collect(),
        warnings: vec![],
        sites: vec![],
    };
    let text = KernelText {
        text,
        function: None,
        constants,
        hosts: &[],
    };
    let signature = Signature {
        iteration: Iteration::Elements,
        args,
        allow_conflicts: false,
    };
    dump_c(&text, &checked, &signature, strict)
}

/// Compiles `file` with `main` behind it, runs it and gives what it prints; `None` without a C compiler.
fn run(test: &str, file: &str, main: &str) -> Option<String> {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let source = directory.join(format!("{test}.c"));
    let program = directory.join(test);
    let text =
        format!("{file}\n#include <stdio.h>\nint main(void)\n{{\n{main}\n    return 0;\n}}\n");
    std::fs::write(&source, &text).unwrap();
    let flags = ["-std=c99", "-O3", "-Wall", "-Werror", "-o"];
    let compiled = Command::new("cc")
        .args(flags)
        .arg(&program)
        .arg(&source)
        .arg("-lm")
        .output()
        .ok()?;
    let errors = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{errors}\n{text}");
    let output = Command::new(&program).output().unwrap();
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Runs the same on a range and on a list of elements, strictly and not.
fn check(
    test: &str,
    dump: impl Fn(bool) -> String,
    setup: &str,
    call: (&str, usize),
    show: &str,
    wanted: &str,
) {
    let (args, n) = call;
    let list: Vec<String> = (0..n).map(|e| e.to_string()).collect();
    let list = list.join(", ");
    for strict in [false, true] {
        for (which, elems) in [("range", "0"), ("list", "elems")] {
            let main = format!(
                "{setup}\n    static const uint32_t elems[] = {{{list}}};\n    (void)elems;\n\
                 struct parloop_arg args[] = {{{args}}};\n    \
                 if (parloop_loop(&ctx, args, {elems}, 0, {n})) return 1;\n{show}"
            );
            let test = format!("{test}_{strict}_{which}");
            if let Some(found) = run(&test, &dump(strict), &main) {
                assert_eq!(found.trim(), wanted, "{test}");
            }
        }
    }
}

const SHOW: &str = "#define SHOW(x) for (unsigned i = 0; i < sizeof x / sizeof *x; i++) printf(\"%g \", (double)x[i])\n";

#[test]
fn res_calc_reads_in_place_and_adds_after_the_kernel() {
    let text = "#include \"global.h\"\nextern const double gm1, eps[2];\n\
        inline void res_calc(const double *x1, const double *x2, const double *q1, double *res1, double *res2) {\n\
        double f = gm1 * (x1[0] - x2[1]) + eps[1] * q1[0];\n  res1[0] += f;\n  res2[0] -= f;\n}\n";
    let edge = map(0, 2, IndexWidth::I32, false);
    let args = || {
        vec![
            (
                pointer(DType::F64, true),
                arg(Source::At(edge, 0), Access::Read, DType::F64, 2, 0),
            ),
            (
                pointer(DType::F64, true),
                arg(Source::At(edge, 1), Access::Read, DType::F64, 2, 0),
            ),
            (
                pointer(DType::F64, true),
                arg(Source::Direct, Access::Read, DType::F64, 1, 1),
            ),
            (
                pointer(DType::F64, false),
                arg(Source::At(edge, 0), Access::Inc, DType::F64, 1, 2),
            ),
            (
                pointer(DType::F64, false),
                arg(Source::At(edge, 1), Access::Inc, DType::F64, 1, 2),
            ),
        ]
    };
    let constant = |name: &str, dim| ConstantDecl {
        name: name.into(),
        dtype: DType::F64,
        dim,
        specialised: None,
    };
    let constants = [constant("gm1", 1), constant("eps", 2)];
    let setup = "    double x[] = {1, 2, 3, 4, 5, 6}, q[] = {10, 20, 30}, res[] = {100, 200, 300};\n    \
        int32_t m[] = {0, 1, 1, 2, 2, 2};\n    double gm = 2, ep[] = {7, 0.5};\n    \
        const void *constants[] = {&gm, ep};\n    struct parloop_ctx ctx = {constants};";
    let call = ("{x, m}, {x, m}, {q}, {res, m}, {res, m}", 3);
    // f = 2 * (x[m0][0] - x[m1][1]) + q / 2: -1, 4, 13.
    let wanted = "99 205 296";
    let show = format!("{SHOW}    SHOW(res);");
    check(
        "res_calc",
        |strict| dump(text, "res_calc", &constants, args(), strict),
        setup,
        call,
        &show,
        wanted,
    );
    let file = dump(text, "res_calc", &constants, args(), false);
    assert!(
        file.contains("for (uint64_t pl_e = pl_begin; pl_e < pl_end; pl_e++) {"),
        "{file}"
    );
    assert!(
        file.contains(
            "res_calc(&pl_d0[pl_r0_0 * 2], &pl_d0[pl_r0_1 * 2], &pl_d1[pl_e * 1], pl_t3, pl_t4);"
        ),
        "{file}"
    );
}

#[test]
fn every_access_of_a_global_means_what_it_says() {
    let text = "static void k(const double *x, double *sum, float *least, int *most, int64_t *last, double *run, double g) {\n\
        sum[1] += g * *x;\n  if (*x < *least) *least = *x;\n  if (*x > *most) *most = *x;\n  last[0] += *x; *run = *run * 2 + *x;\n}\n";
    let args = || {
        let global = |access, dtype, dim, dat| arg(Source::Global, access, dtype, dim, dat);
        vec![
            (
                pointer(DType::F64, true),
                arg(Source::Direct, Access::Read, DType::F64, 1, 0),
            ),
            (
                pointer(DType::F64, false),
                global(Access::Inc, DType::F64, 2, 1),
            ),
            (
                pointer(DType::F32, false),
                global(Access::Min, DType::F32, 1, 2),
            ),
            (
                pointer(DType::I32, false),
                global(Access::Max, DType::I32, 1, 3),
            ),
            (
                pointer(DType::I64, false),
                global(Access::Write, DType::I64, 1, 4),
            ),
            (
                pointer(DType::F64, false),
                global(Access::Rw, DType::F64, 1, 5),
            ),
            (
                param(Passing::Value, DType::F64, &[], false),
                global(Access::Read, DType::F64, 1, 6),
            ),
        ]
    };
    let setup = "    double x[] = {3, 1, 2}, sum[] = {1, 10}, run[] = {1}, g[] = {2};\n    float least[] = {9};\n    \
        int most[] = {2};\n    int64_t last[] = {77};\n    struct parloop_ctx ctx = {0};";
    let call = ("{x}, {sum}, {least}, {most}, {last}, {run}, {g}", 3);
    let show = format!("{SHOW}    SHOW(sum); SHOW(least); SHOW(most); SHOW(last); SHOW(run);");
    check(
        "globals",
        |strict| dump(text, "k", &[], args(), strict),
        setup,
        call,
        &show,
        "1 22 1 3 2 24",
    );
}

#[test]
fn rows_through_maps_are_packed_and_missing_ones_are_zero() {
    let text = "void k(const double x[][2], double **y, double *z, double *w, unsigned e, void *unused) {\n\
        for (int i = 0; i < 3; i++) {\n    y[i][0] += 1 + x[i][1];\n    z[i] = e;\n    if (x[i][0] < w[i]) w[i] = x[i][0];\n  }\n}\n";
    let cells = map(0, 3, IndexWidth::I64, true);
    let total = map(1, 3, IndexWidth::I32, false);
    let args = || {
        let two = [None, Some(2)];
        vec![
            (
                param(Passing::Pointer, DType::F64, &two, true),
                arg(Source::Through(cells), Access::Read, DType::F64, 2, 0),
            ),
            (
                param(Passing::Rows, DType::F64, &[None], false),
                arg(Source::Through(total), Access::Rw, DType::F64, 1, 1),
            ),
            (
                pointer(DType::F64, false),
                arg(Source::Through(total), Access::Write, DType::F64, 1, 2),
            ),
            (
                pointer(DType::F64, false),
                arg(Source::Through(cells), Access::Min, DType::F64, 1, 3),
            ),
            (
                param(Passing::Value, DType::U32, &[], false),
                arg(Source::Element, Access::Read, DType::U32, 1, 0),
            ),
            (
                param(Passing::Unused, DType::I8, &[None], false),
                arg(Source::Direct, Access::Read, DType::I8, 1, 4),
            ),
        ]
    };
    let setup = "    double x[] = {1, 2, -3, 4, 5, 6}, y[] = {0, 0, 0, 0}, z[] = {9, 9, 9, 9}, w[] = {0, 0, 8, 9};\n    \
        int64_t c[] = {0, 1, -1, 2, -1, 2};\n    int32_t t[] = {0, 1, 2, 2, 1, 2};\n    int8_t u[] = {0, 0};\n    \
        struct parloop_ctx ctx = {0};";
    let call = ("{x, c}, {y, t}, {z, t}, {w, c}, {0}, {u}", 2);
    let show = format!("{SHOW}    SHOW(y); SHOW(z); SHOW(w);");
    check(
        "through",
        |strict| dump(text, "k", &[], args(), strict),
        setup,
        call,
        &show,
        "3 6 15 0 0 1 1 9 0 -3 5 9",
    );
}

#[test]
fn specialised_constants_are_exact_and_own_names_are_left_alone() {
    let text = "#define eps 4\nstatic double unused(double x) { return x; }\nvoid k(double *x) { *x += third * eps; }\n";
    let constant = |name: &str, bits: f64| ConstantDecl {
        name: name.into(),
        dtype: DType::F64,
        dim: 1,
        specialised: Some(vec![bits.to_bits()]),
    };
    let constants = [
        constant("third", 1.0 / 3.0),
        constant("eps", 9.0),
        constant("other", 1.0),
    ];
    let args = || {
        vec![(
            pointer(DType::F64, false),
            arg(Source::Direct, Access::Rw, DType::F64, 1, 0),
        )]
    };
    let setup = "    double x[] = {0};\n    struct parloop_ctx ctx = {0};";
    let show = "    printf(\"%a\", x[0]);";
    let wanted = "0x1.5555555555555p+0";
    check(
        "special",
        |strict| dump(text, "k", &constants, args(), strict),
        setup,
        ("{x}", 1),
        show,
        wanted,
    );
}

#[test]
fn a_loop_over_no_dats_compiles() {
    let text = "void k(double *x) { *x += 1; }";
    let args = || {
        vec![(
            pointer(DType::F64, false),
            arg(Source::Global, Access::Inc, DType::F64, 40, 0),
        )]
    };
    let setup = "    double x[40] = {0};\n    struct parloop_ctx ctx = {0};";
    check(
        "no_dats",
        |strict| dump(text, "k", &[], args(), strict),
        setup,
        ("{x}", 4),
        "printf(\"%g\", x[0]);",
        "4",
    );
}

#[test]
fn a_constant_that_is_named_but_never_read_is_declared() {
    let text = "void k(double *x) { *x += 1 ? 2.0 : gam; }";
    let constants = [ConstantDecl {
        name: "gam".into(),
        dtype: DType::F64,
        dim: 1,
        specialised: None,
    }];
    let signature = Signature {
        iteration: Iteration::Elements,
        args: vec![arg(Source::Direct, Access::Rw, DType::F64, 1, 0)],
        allow_conflicts: false,
    };
    let whole = KernelText {
        text,
        function: None,
        constants: &constants,
        hosts: &[],
    };
    let checked = check_kernel(&whole).unwrap();
    assert!(checked.constants.is_empty());
    let setup = "    double x[] = {1};\n    struct parloop_ctx ctx = {0};";
    check(
        "unread",
        |strict| dump_c(&whole, &checked, &signature, strict),
        setup,
        ("{x}", 1),
        "printf(\"%g\", x[0]);",
        "3",
    );
}
