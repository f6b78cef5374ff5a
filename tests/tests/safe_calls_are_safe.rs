//! Safe calls are safe: no safe call, and no kernel text, reads or writes out of bounds or brings the process down.
//!
//! Kernels that index, divide and loop beyond what they may are stopped and reported with kernel, line, element and value, the
//! process goes on, and bytes around the data are as before. Borrows, lists and rebinding refuse what would not be safe.

use parloop::{Arg, DType, DataError, Engine, Error, Fault, Map, Set};
use parloop_compiler::abi;
use parloop_tests::case::Case;
use parloop_tests::ways::{End, Mode, Native, interpret, stages};
use parloop_tests::world::{Over, Taste, World};

/// A kernel that is stopped: its text, where, and with what.
struct Stop {
    what: &'static str,
    args: &'static str,
    text: &'static str,
    fault: u32,
    line: u32,
    element: u64,
    value: i64,
}

/// The element's number drives all of them: `e` is 0, 1, ..., 9.
const STOPS: [Stop; 20] = [
    Stop {
        what: "an index beyond a direct row",
        args: "index; write f64 4",
        text: "void k(int e, double *b) {\n  b[e] = 1; }",
        fault: abi::BAD_INDEX,
        line: 2,
        element: 4,
        value: 4,
    },
    Stop {
        what: "an index before a direct row",
        args: "index; rw f64 4",
        text: "void k(int e, double *b) {\n\n  b[2 - e] += 1; }",
        fault: abi::BAD_INDEX,
        line: 3,
        element: 3,
        value: -1,
    },
    Stop {
        what: "a read beyond",
        args: "index; read f64 3; write f64 1",
        text: "void k(int e, const double *a, double *b) {\n  b[0] = a[e * 2]; }",
        fault: abi::BAD_INDEX,
        line: 2,
        element: 2,
        value: 4,
    },
    Stop {
        what: "a huge index",
        args: "index; read f64 3; write f64 1",
        text: "void k(int64_t e, const double *a, double *b) {\n  b[0] = a[e * 0x2000000000000000]; }",
        fault: abi::BAD_INDEX,
        line: 2,
        element: 1,
        value: 0x2000_0000_0000_0000,
    },
    Stop {
        what: "an index beyond a row at an entry",
        args: "index; inc f64 2 at ends 0",
        text: "void k(int e, double *b) { b[e] += 1; }",
        fault: abi::BAD_INDEX,
        line: 1,
        element: 2,
        value: 2,
    },
    Stop {
        what: "an index beyond rows through a map",
        args: "index; read f64 2 through wide; write f64 1",
        text: "void k(int e, const double *a, double *b) { b[0] = a[e]; }",
        fault: abi::BAD_INDEX,
        line: 1,
        element: 6,
        value: 6,
    },
    Stop {
        what: "a row beyond rows by pointers",
        args: "index; read f64 1 through wide; write f64 1",
        text: "void k(int e, double **a, double *b) {\n b[0] = a[e][0]; }",
        fault: abi::BAD_INDEX,
        line: 2,
        element: 3,
        value: 3,
    },
    Stop {
        what: "an entry beyond a row by pointers",
        args: "index; rw f64 2 through wide",
        text: "void k(int e, double **a) {\n a[1][e] = 3; }",
        fault: abi::BAD_INDEX,
        line: 2,
        element: 2,
        value: 2,
    },
    Stop {
        what: "an index beyond a local array",
        args: "index; write f64 1",
        text: "void k(int e, double *b) {\n  double t[5] = {0};\n  t[e] = 1;\n  b[0] = t[0]; }",
        fault: abi::BAD_INDEX,
        line: 3,
        element: 5,
        value: 5,
    },
    Stop {
        what: "an index into the next row of a matrix is the matrix's, one beyond it is not",
        args: "index; write f64 1",
        text: "void k(int e, double *b) {\n  double t[2][2] = {{0}};\n  b[0] = t[1][e - 2]; }",
        fault: abi::BAD_INDEX,
        line: 3,
        element: 4,
        value: 4,
    },
    Stop {
        what: "an index beyond a table",
        args: "index; write f64 1",
        text: "static const double t[3] = {1, 2, 3};\nvoid k(int e, double *b) {\n  b[0] = t[e]; }",
        fault: abi::BAD_INDEX,
        line: 3,
        element: 3,
        value: 3,
    },
    Stop {
        what: "an index beyond a global",
        args: "index; inc f64 2 global",
        text: "void k(int e, double *b) { b[e] += 1; }",
        fault: abi::BAD_INDEX,
        line: 1,
        element: 2,
        value: 2,
    },
    Stop {
        what: "a division by zero",
        args: "index; write i32 1",
        text: "void k(int e, int *b) {\n  int d = 3 - e;\n  b[0] = 12 / d; }",
        fault: abi::DIVISION_BY_ZERO,
        line: 3,
        element: 3,
        value: 0,
    },
    Stop {
        what: "a remainder by zero",
        args: "index; write i64 1",
        text: "void k(int64_t e, int64_t *b) {\n  b[0] = 12 % (e - 1); }",
        fault: abi::DIVISION_BY_ZERO,
        line: 2,
        element: 1,
        value: 0,
    },
    Stop {
        what: "an unsigned division by zero",
        args: "index; write u32 1",
        text: "void k(unsigned e, unsigned *b) { b[0] = 12u / (e & 4 ? 0 : 1); }",
        fault: abi::DIVISION_BY_ZERO,
        line: 1,
        element: 4,
        value: 0,
    },
    Stop {
        what: "a division assigned",
        args: "index; rw u8 1",
        text: "void k(int e, uint8_t *b) { b[0] /= 2 - e; }",
        fault: abi::DIVISION_BY_ZERO,
        line: 1,
        element: 2,
        value: 0,
    },
    Stop {
        what: "a loop without end",
        args: "index; write f64 1",
        text: "void k(int e, double *b) {\n  b[0] = 0;\n  while (e == 1) b[0] += 1; }",
        fault: abi::OUT_OF_STEPS,
        line: 3,
        element: 1,
        value: 1,
    },
    Stop {
        what: "a loop for ever in a function",
        args: "index; write f64 1",
        text: "static double f(double x) {\n  for (;;) x += 1;\n  return x; }\nvoid k(int e, double *b) { b[0] = e < 2 ? 1 : f(2); }",
        fault: abi::OUT_OF_STEPS,
        line: 2,
        element: 2,
        value: 1,
    },
    Stop {
        what: "a count beyond the budget",
        args: "index; write i64 1",
        text: "void k(int64_t e, int64_t *b) {\n  int64_t n = e * 6000;\n  b[0] = 0;\n  for (int64_t i = 0; i < n; i++) b[0] += i; }",
        fault: abi::OUT_OF_STEPS,
        line: 4,
        element: 2,
        value: 1,
    },
    Stop {
        what: "the least integer by -1 is no fault, the index made of it is",
        args: "index; write f64 2",
        text: "void k(int e, double *b) {\n  int m = -2147483647 - 1;\n  b[e == 1 ? m / -1 : 0] = 1; }",
        fault: abi::BAD_INDEX,
        line: 3,
        element: 1,
        value: -2_147_483_648,
    },
];

#[test]
fn a_kernel_that_leaves_its_data_is_stopped_and_told_by_line_element_and_value() {
    for stop in &STOPS {
        let case = Case::new(stop.what, stop.args, stop.text);
        let front = case
            .check()
            .unwrap_or_else(|e| panic!("{}: {e}", stop.what));
        let end = End::Stopped {
            status: stop.fault,
            element: stop.element,
            value: stop.value,
            line: Some(stop.line),
        };
        for mode in Mode::all() {
            let what = format!("{}, {mode:?}", stop.what);
            let native = Native::new(&case, mode);
            let world = World::new(&case, 10, Taste::Plain, 5);
            let ran = native.run(&world, &Over::All).unwrap();
            assert_eq!(ran.end, end, "{what}");
            let stages = stages(&front, mode).unwrap();
            let after = interpret(&case, &front, &stages.optimised, &world, &Over::All).unwrap();
            assert_eq!(after.end, end, "{what}, interpreted");
            // Elements before it run, and so does all else, afterwards.
            let before = Over::Range(0, stop.element as u32);
            assert_eq!(
                native.run(&world, &before).unwrap().end,
                End::Done,
                "{what}"
            );
        }
    }
}

#[test]
fn the_error_names_the_kernel_and_reads_well() {
    let engine = Engine::builder().build().unwrap();
    let set = Set::new("cells", 3).unwrap();
    let b = engine.dat_zeroed(&set, "b", 2, DType::F64).unwrap();
    let kernel = engine.kernel("void spill(int e, double *b) {\n  b[e] = 1;\n}", None);
    let error = engine
        .par_loop(&kernel, &set, &[parloop::element_index(), b.write()])
        .unwrap_err();
    let Error::Kernel {
        kernel,
        line,
        element,
        what,
        value,
        ..
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!(
        (kernel.as_str(), *line, *element, *what, *value),
        ("spill", Some(2), 2, Fault::IndexOutOfRange, 2)
    );
    let text = error.to_string();
    assert!(
        text.contains("spill") && text.contains("line 2") && text.contains("element 2"),
        "{text}"
    );
    assert_eq!(*b.data::<f64>().unwrap(), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
}

/// Bytes before and after lent data that nothing may touch.
const FENCE: usize = 4096;

#[test]
fn bytes_around_the_data_are_as_before_whatever_a_kernel_does() {
    let accesses: [fn(&parloop::Dat) -> Arg<'_>; 6] = [
        |d| d.read(),
        |d| d.write(),
        |d| d.rw(),
        |d| d.inc(),
        |d| d.min(),
        |d| d.max(),
    ];
    let set = Set::new("cells", 5).unwrap();
    let map = Map::new("map", &set, &set, 2, vec![4, 0, 0, 4, 1, 1, 4, 4, 0, 3]).unwrap();
    for (i, access) in accesses.iter().enumerate() {
        for path in 0..3 {
            let store = if i == 0 {
                "s[0] = a[n[0] * 3 - 7];"
            } else {
                "a[n[0] * 3 - 7] = 5; a[n[0]] = 6; s[0] = 1;"
            };
            let constness = if i == 0 { "const " } else { "" };
            let text = format!("void k(const int *n, {constness}int *a, int *s) {{ {store} }}");
            let engine = Engine::builder().build().unwrap();
            let mut memory = vec![0x5a5a_5a5a_u32 as i32; 2 * FENCE + 10];
            let base = memory[FENCE..].as_mut_ptr();
            // SAFETY: the ten values lie in `memory`, which outlives the engine's use of them and is not touched meanwhile.
            let a =
                unsafe { engine.dat_from_raw(&set, "a", 2, DType::I32, base.cast(), ()) }.unwrap();
            let s = engine.dat_zeroed(&set, "s", 1, DType::I32).unwrap();
            let kernel = engine.kernel(&text, None);
            for n in [
                -2_000_000_000,
                -1000,
                -1,
                0,
                1,
                2,
                3,
                4,
                5,
                1000,
                715_827_884,
                2_000_000_000,
            ] {
                let n = engine.dat(&set, "n", 1, &[n; 5]).unwrap();
                let arg = match path {
                    0 => access(&a),
                    1 => access(&a).at(&map, 1),
                    _ => access(&a).through(&map),
                };
                // It runs or is stopped.
                match engine.par_loop(&kernel, &set, &[n.read(), arg, s.write()]) {
                    Ok(()) | Err(Error::Kernel { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            drop((a, kernel, engine));
            let fence = |part: &[i32]| part.iter().all(|v| *v == 0x5a5a_5a5a_u32 as i32);
            assert!(
                fence(&memory[..FENCE]) && fence(&memory[FENCE + 10..]),
                "access {i}, path {path}"
            );
        }
    }
}

#[test]
fn views_and_loops_never_share_what_one_of_them_writes() {
    let engine = Engine::builder().build().unwrap();
    let set = Set::new("cells", 2).unwrap();
    let a = engine.dat_zeroed(&set, "a", 1, DType::F64).unwrap();
    let kernel = engine.kernel("void k(double *a) { a[0] += 1; }", None);
    let mut prepared = engine.prepare(&kernel, &set, &[a.rw()]).unwrap();
    let view = a.data::<f64>().unwrap();
    assert!(matches!(prepared.run(), Err(Error::Busy { .. })));
    assert!(matches!(
        a.data_mut::<f64>(),
        Err(DataError::Reading { .. })
    ));
    drop(view);
    let view = a.data_mut::<f64>().unwrap();
    assert!(matches!(prepared.run(), Err(Error::Busy { .. })));
    assert!(matches!(a.data::<f64>(), Err(DataError::Writing { .. })));
    drop(view);
    prepared.run().unwrap();
    assert!(matches!(a.data::<f32>(), Err(DataError::WrongView { .. })));
    // A loop that is stopped gives its borrows back.
    let stopped = engine.kernel("void k(double *a) { a[(int)a[0] + 7] = 1; }", None);
    engine.par_loop(&stopped, &set, &[a.rw()]).unwrap_err();
    assert_eq!(*a.data::<f64>().unwrap(), [1.0, 1.0]);
}

#[test]
fn elements_lists_and_rebinding_beyond_the_set_are_refused() {
    let engine = Engine::builder().build().unwrap();
    let (set, other) = (Set::new("cells", 3).unwrap(), Set::new("nodes", 3).unwrap());
    let a = engine.dat_zeroed(&set, "a", 1, DType::F64).unwrap();
    let kernel = engine.kernel("void k(double *a) { a[0] += 1; }", None);
    let mut prepared = engine.prepare(&kernel, &set, &[a.rw()]).unwrap();
    assert!(prepared.run_range(0, 4).is_err() && prepared.run_range(4, 2).is_ok());
    assert!(prepared.run_range(usize::MAX, usize::MAX).is_err());
    assert!(prepared.run_list(&[0, 3]).is_err() && prepared.run_list(&[u32::MAX]).is_err());
    for (wrong, dtype, dim) in [
        (&other, DType::F64, 1),
        (&set, DType::F32, 1),
        (&set, DType::F64, 2),
    ] {
        let b = engine.dat_zeroed(wrong, "b", dim, dtype).unwrap();
        assert!(prepared.rebind(0, &b).is_err());
    }
    assert!(prepared.rebind(7, &a).is_err());
    prepared.run().unwrap();
    assert_eq!(*a.data::<f64>().unwrap(), [1.0; 3]);
}

#[test]
fn the_process_is_alive_after_a_thousand_stopped_loops() {
    let engine = Engine::builder().steps_max(100).build().unwrap();
    let set = Set::new("cells", 4).unwrap();
    let b = engine.dat_zeroed(&set, "b", 1, DType::F64).unwrap();
    let kernel = engine.kernel(
        "void k(int e, double *b) { while (e > 0) { if (b[0] > 1e300) break; b[0] += 1; } }",
        None,
    );
    let mut prepared = engine
        .prepare(&kernel, &set, &[parloop::element_index(), b.rw()])
        .unwrap();
    for _ in 0..1000 {
        let error = prepared.run().unwrap_err();
        assert!(
            matches!(
                error,
                Error::Kernel {
                    element: 1,
                    what: Fault::OutOfSteps,
                    ..
                }
            ),
            "{error}"
        );
    }
}
