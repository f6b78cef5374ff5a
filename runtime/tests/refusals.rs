//! What is refused before a loop runs: one test each, with the error it gives and what its message says.

mod support;

use parloop::{
    Access, Arg, ArgError, DType, Dat, Engine, Error, Global, Map, Over, Set, Subset, element_index,
};
use support::{engine, ring};

/// Nodes, edges of a ring of five, a second set and a map to it, and data on all of them.
struct World {
    engine: Engine,
    nodes: Set,
    edges: Set,
    ends: Map,
    other: Set,
    to_other: Map,
    x: Dat,
    w: Dat,
    y: Dat,
    g: Global,
}

fn world() -> World {
    let engine = engine();
    let (nodes, edges, ends) = ring(5);
    let other = Set::new("other", 5).unwrap();
    let to_other = Map::new("to_other", &edges, &other, 1, [0, 1, 2, 3, 4]).unwrap();
    let dat = |set, name, dim| engine.dat_zeroed(set, name, dim, DType::F64).unwrap();
    World {
        x: dat(&nodes, "x", 2),
        w: dat(&edges, "w", 1),
        y: dat(&other, "y", 1),
        g: engine.global("g", &[0.0f64, 0.0]).unwrap(),
        engine,
        nodes,
        edges,
        ends,
        other,
        to_other,
    }
}

impl World {
    /// Why a loop over the edges is refused.
    fn refusal(&self, text: &str, args: &[Arg<'_>]) -> ArgError {
        self.refusal_over(&self.edges, text, args)
    }

    fn refusal_over<'a>(
        &self,
        over: impl Into<Over<'a>>,
        text: &str,
        args: &[Arg<'a>],
    ) -> ArgError {
        let kernel = self.engine.kernel(text, None);
        let error = self.engine.par_loop(&kernel, over, args).unwrap_err();
        assert_eq!(
            self.engine.compilations(),
            0,
            "refused before it is compiled"
        );
        match error {
            Error::Refused { reason, .. } => *reason,
            other => panic!("{other}"),
        }
    }
}

/// Asserts on the variant, its fields as far as given, and words of the message.
macro_rules! assert_refused {
    ($reason:expr, $pattern:pat, $($word:literal),*) => {{
        let reason = $reason;
        let message = reason.to_string();
        assert!(matches!(reason, $pattern), "{reason:?}");
        $(assert!(message.contains($word), "{message}");)*
    }};
}

const ONE: &str = "void k(double *a) { a[0] += 1.0; }";
const TWO: &str = "void k(double *a, double *b) { a[0] += b[0]; b[0] += 1.0; }";
const READ: &str = "void k(const double *a) { double t = a[0]; }";

#[test]
fn another_number_of_arguments() {
    let w = world();
    let reason = w.refusal(ONE, &[w.w.inc(), w.w.inc()]);
    assert_refused!(
        reason,
        ArgError::Count {
            expected: 1,
            found: 2
        },
        "1 parameters",
        "2 arguments"
    );
    assert_refused!(
        w.refusal(ONE, &[]),
        ArgError::Count {
            expected: 1,
            found: 0
        },
        "0 arguments"
    );
}

#[test]
fn data_of_another_engine() {
    let (w, foreign) = (world(), engine());
    let dat = foreign
        .dat_zeroed(&w.edges, "foreign", 1, DType::F64)
        .unwrap();
    assert_refused!(
        w.refusal(ONE, &[dat.inc()]),
        ArgError::OtherEngine { arg: 0, .. },
        "foreign"
    );
    let global = foreign.global("g", &[1.0]).unwrap();
    assert_refused!(
        w.refusal(ONE, &[global.inc()]),
        ArgError::OtherEngine { arg: 0, .. },
        "engine"
    );
}

#[test]
fn a_kernel_of_another_engine() {
    let w = world();
    let kernel = engine().kernel(ONE, Some("k"));
    let error = w
        .engine
        .par_loop(&kernel, &w.edges, &[w.w.inc()])
        .unwrap_err();
    assert!(matches!(error, Error::OtherEngine { .. }), "{error}");
}

#[test]
fn a_dat_of_another_set_without_a_map() {
    let w = world();
    let reason = w.refusal(ONE, &[w.x.inc()]);
    assert_refused!(
        reason,
        ArgError::DirectOnOtherSet { arg: 0, .. },
        "`x` is on `nodes`",
        "`edges`"
    );
}

#[test]
fn a_map_from_another_set() {
    let w = world();
    let reason = w.refusal_over(&w.nodes, ONE, &[w.x.inc().at(&w.ends, 0)]);
    assert_refused!(
        reason,
        ArgError::MapFromOtherSet { arg: 0, .. },
        "`ends` is from `edges`",
        "`nodes`"
    );
}

#[test]
fn a_map_to_another_set_than_the_dats() {
    let w = world();
    let reason = w.refusal(ONE, &[w.x.inc().at(&w.to_other, 0)]);
    assert_refused!(
        reason,
        ArgError::MapToOtherSet { arg: 0, .. },
        "leads to `other`",
        "`x` is on `nodes`"
    );
}

#[test]
fn sets_that_only_look_alike_are_different() {
    let w = world();
    let twin = Set::new("edges", 5).unwrap();
    let dat = w.engine.dat_zeroed(&twin, "twin", 1, DType::F64).unwrap();
    assert_refused!(
        w.refusal(ONE, &[dat.inc()]),
        ArgError::DirectOnOtherSet { .. },
        "twin"
    );
}

#[test]
fn a_subset_takes_its_supersets_maps_and_dats() {
    let w = world();
    let subset = Subset::new(&w.edges, [3, 1]).unwrap();
    let reason = w.refusal_over(&subset, ONE, &[w.x.inc()]);
    assert_refused!(reason, ArgError::DirectOnOtherSet { .. }, "`edges`");
    let kernel = w.engine.kernel("void k(double *a) { a[0] += 1.0; }", None);
    w.engine
        .par_loop(&kernel, &subset, &[w.x.inc().at(&w.ends, 0)])
        .unwrap();
    w.engine.par_loop(&kernel, &subset, &[w.w.inc()]).unwrap();
    assert_eq!(*w.w.data::<f64>().unwrap(), [0.0, 1.0, 0.0, 1.0, 0.0]);
}

#[test]
fn an_entry_that_the_map_lacks() {
    let w = world();
    for index in [2, 70_000, usize::MAX] {
        let reason = w.refusal(ONE, &[w.x.inc().at(&w.ends, index)]);
        assert_refused!(
            reason,
            ArgError::MapIndex {
                arg: 0,
                arity: 2,
                ..
            },
            "`ends`",
            "counted from 0"
        );
    }
}

#[test]
fn a_map_on_a_global_or_an_element_index() {
    let w = world();
    for arg in [
        w.g.inc().at(&w.ends, 0),
        w.g.inc().through(&w.ends),
        element_index().at(&w.ends, 0),
    ] {
        assert_refused!(
            w.refusal(ONE, &[arg]),
            ArgError::MapWithoutDat { arg: 0 },
            "no map"
        );
    }
}

#[test]
fn more_arguments_than_a_signature_numbers() {
    let w = world();
    let args = vec![w.w.inc(); 2000];
    assert_refused!(
        w.refusal(ONE, &args),
        ArgError::TooMany { found: 2000, .. },
        "2000"
    );
}

/// All accesses of a dat, on which both paths are put.
fn accesses(dat: &Dat) -> [Arg<'_>; 6] {
    [
        dat.read(),
        dat.write(),
        dat.rw(),
        dat.inc(),
        dat.min(),
        dat.max(),
    ]
}

/// Accesses that may meet on one dat through maps, by their place in `Access::ALL`.
fn meets(first: usize, second: usize) -> bool {
    let mixes = [Access::Read, Access::Inc, Access::Min, Access::Max];
    first == second && mixes.contains(&Access::ALL[first])
}

#[test]
fn one_dat_in_several_arguments_all_direct_goes_in_any_mix() {
    let w = world();
    let kernel = w.engine.kernel("void k(void *a, void *b) { }", None);
    for first in accesses(&w.w) {
        for second in accesses(&w.w) {
            w.engine
                .prepare(&kernel, &w.edges, &[first, second])
                .unwrap();
        }
    }
}

#[test]
fn one_dat_in_several_arguments_through_a_map_needs_one_access() {
    let w = world();
    let kernel = w.engine.kernel("void k(void *a, void *b) { }", None);
    for (i, first) in accesses(&w.x).into_iter().enumerate() {
        for (j, second) in accesses(&w.x).into_iter().enumerate() {
            let args = [first.at(&w.ends, 0), second.through(&w.ends)];
            let outcome = w.engine.prepare(&kernel, &w.edges, &args);
            match outcome {
                Ok(_) => assert!(meets(i, j), "{} {}", Access::ALL[i], Access::ALL[j]),
                Err(Error::Refused { reason, .. }) => {
                    assert!(!meets(i, j), "{} {}", Access::ALL[i], Access::ALL[j]);
                    assert_refused!(
                        *reason,
                        ArgError::Conflict {
                            first: 0,
                            second: 1,
                            ..
                        },
                        "`x`",
                        "allow"
                    );
                }
                Err(other) => panic!("{other}"),
            }
            w.engine
                .prepare_conflicting(&kernel, &w.edges, &args)
                .unwrap();
        }
    }
}

#[test]
fn one_dat_direct_and_through_a_map_needs_one_access() {
    let w = world();
    let to_self = Map::new("to_self", &w.edges, &w.edges, 1, [1, 2, 3, 4, 0]).unwrap();
    let kernel = w.engine.kernel("void k(void *a, void *b) { }", None);
    for (i, first) in accesses(&w.w).into_iter().enumerate() {
        for (j, second) in accesses(&w.w).into_iter().enumerate() {
            let args = [first, second.at(&to_self, 0)];
            let outcome = w.engine.prepare(&kernel, &w.edges, &args);
            assert_eq!(
                outcome.is_ok(),
                meets(i, j),
                "{} {}",
                Access::ALL[i],
                Access::ALL[j]
            );
        }
    }
}

#[test]
fn one_global_in_several_arguments_needs_one_access() {
    let w = world();
    let reason = w.refusal(TWO, &[w.g.inc(), w.g.rw()]);
    assert_refused!(
        reason,
        ArgError::Conflict {
            first_access: Access::Inc,
            second_access: Access::Rw,
            ..
        },
        "`g`"
    );
}

#[test]
fn data_of_another_type() {
    let w = world();
    let ints = w
        .engine
        .dat_zeroed(&w.edges, "ints", 1, DType::I32)
        .unwrap();
    let reason = w.refusal(ONE, &[ints.inc()]);
    assert_refused!(
        reason,
        ArgError::Type {
            arg: 0,
            expected: DType::F64,
            found: DType::I32,
            ..
        },
        "`a` is double",
        "int"
    );
    assert_refused!(
        w.refusal("void k(float *a) { a[0] += 1.0f; }", &[w.w.inc()]),
        ArgError::Type { .. },
        "float"
    );
}

#[test]
fn an_element_index_for_a_float() {
    let w = world();
    let reason = w.refusal(
        "void k(double i, double *a) { a[0] = i; }",
        &[element_index(), w.w.write()],
    );
    assert_refused!(reason, ArgError::Type { arg: 0, .. }, "`i`");
}

#[test]
fn another_number_of_values() {
    let w = world();
    let cases = [
        ("void k(double a[2]) { a[0] += 1.0; }", w.w.inc()),
        (
            "void k(double a[3]) { a[0] += 1.0; }",
            w.x.inc().at(&w.ends, 0),
        ),
        (
            "void k(double a[3]) { a[0] += 1.0; }",
            w.x.inc().through(&w.ends),
        ),
        (
            "void k(double a[2][3]) { a[0][0] += 1.0; }",
            w.x.inc().through(&w.ends),
        ),
        (
            "void k(double a[][3]) { a[0][0] += 1.0; }",
            w.x.inc().through(&w.ends),
        ),
        ("void k(double a[3]) { a[0] += 1.0; }", w.g.inc()),
    ];
    for (text, arg) in cases {
        assert_refused!(
            w.refusal(text, &[arg]),
            ArgError::Dim { arg: 0, .. },
            "`a` declares",
            "values"
        );
    }
}

#[test]
fn another_number_of_rows() {
    let w = world();
    let reason = w.refusal(
        "void k(double a[3][2]) { a[0][0] += 1.0; }",
        &[w.x.inc().through(&w.ends)],
    );
    assert_refused!(
        reason,
        ArgError::Arity {
            arg: 0,
            expected: 3,
            found: 2,
            ..
        },
        "3 rows",
        "2 entries"
    );
}

#[test]
fn extents_that_fit_are_taken() {
    let w = world();
    let cases = [
        ("void k(double a[1]) { a[0] += 1.0; }", w.w.inc()),
        (
            "void k(double *a) { a[0] += 1.0; }",
            w.x.inc().through(&w.ends),
        ),
        (
            "void k(double a[4]) { a[0] += 1.0; }",
            w.x.inc().through(&w.ends),
        ),
        (
            "void k(double a[2][2]) { a[0][0] += 1.0; }",
            w.x.inc().through(&w.ends),
        ),
        (
            "void k(double a[][2]) { a[0][0] += 1.0; }",
            w.x.inc().through(&w.ends),
        ),
        (
            "void k(double **a) { a[0][0] += 1.0; }",
            w.x.inc().through(&w.ends),
        ),
        ("void k(double a[2]) { a[0] += 1.0; }", w.g.inc()),
    ];
    for (text, arg) in cases {
        let kernel = w.engine.kernel(text, None);
        w.engine
            .prepare(&kernel, &w.edges, &[arg])
            .unwrap_or_else(|e| panic!("{text}: {e}"));
    }
}

#[test]
fn a_pointer_where_the_kernel_takes_a_value() {
    let w = world();
    let text = "void k(double a, double *b) { b[0] += a; }";
    for arg in [
        w.w.read(),
        w.y.read().at(&w.to_other, 0),
        w.g.read(),
        w.g.inc(),
    ] {
        let reason = w.refusal(text, &[arg, w.w.inc()]);
        assert!(
            matches!(
                reason,
                ArgError::Passing { arg: 0, .. } | ArgError::Conflict { .. }
            ),
            "{reason}"
        );
    }
}

#[test]
fn an_element_index_where_the_kernel_takes_a_pointer() {
    let w = world();
    let reason = w.refusal(
        "void k(int *i, double *a) { a[0] = i[0]; }",
        &[element_index(), w.w.write()],
    );
    assert_refused!(
        reason,
        ArgError::Passing { arg: 0, .. },
        "a pointer",
        "a value"
    );
}

#[test]
fn one_row_where_the_kernel_takes_row_pointers() {
    let w = world();
    let text = "void k(double **a) { a[0][0] += 1.0; }";
    for arg in [w.w.inc(), w.x.inc().at(&w.ends, 0), w.g.inc()] {
        assert_refused!(
            w.refusal(text, &[arg]),
            ArgError::Passing { arg: 0, .. },
            "row pointers"
        );
    }
}

#[test]
fn a_const_parameter_under_an_access_that_writes() {
    let w = world();
    for arg in &accesses(&w.w)[1..] {
        assert_refused!(
            w.refusal(READ, &[*arg]),
            ArgError::ConstParameter { arg: 0, .. },
            "`a` is const"
        );
    }
}

#[test]
fn a_read_argument_that_the_kernel_writes() {
    let w = world();
    assert_refused!(
        w.refusal(ONE, &[w.w.read()]),
        ArgError::ReadIsWritten { arg: 0, .. },
        "`a`",
        "READ"
    );
    let kernel = w
        .engine
        .kernel("void k(double *a) { double t = a[0]; }", None);
    w.engine.prepare(&kernel, &w.edges, &[w.w.read()]).unwrap();
}

#[test]
fn an_unused_void_pointer_takes_anything() {
    let w = world();
    let kernel = w.engine.kernel("void k(void *a) { }", None);
    for arg in [
        w.w.read(),
        w.x.inc().through(&w.ends),
        w.g.rw(),
        element_index(),
    ] {
        w.engine.prepare(&kernel, &w.edges, &[arg]).unwrap();
    }
}

#[test]
fn elements_beyond_the_set() {
    let w = world();
    let kernel = w.engine.kernel(ONE, None);
    let mut prepared = w.engine.prepare(&kernel, &w.edges, &[w.w.inc()]).unwrap();
    for outcome in [
        prepared.run_range(0, 6),
        prepared.run_list(&[0, 5]),
        prepared.run_range(9, 7),
    ] {
        let Err(Error::Refused { reason, .. }) = outcome else {
            panic!("{outcome:?}")
        };
        assert_refused!(*reason, ArgError::Range { size: 5, .. }, "`edges`");
    }
    prepared.run_range(4, 2).unwrap();
    assert_eq!(*w.w.data::<f64>().unwrap(), [0.0; 5], "nothing ran");
}

#[test]
fn a_rebinding_that_changes_the_signature() {
    let w = world();
    let kernel = w.engine.kernel(
        "void k(double *a, const double *b, int i) { a[0] += b[0]; }",
        None,
    );
    let args = [w.w.inc(), w.y.read().at(&w.to_other, 0), element_index()];
    let mut prepared = w.engine.prepare(&kernel, &w.edges, &args).unwrap();
    let wide = w
        .engine
        .dat_zeroed(&w.edges, "wide", 2, DType::F64)
        .unwrap();
    let float = w
        .engine
        .dat_zeroed(&w.edges, "float", 1, DType::F32)
        .unwrap();
    let one = w.engine.global("one", &[1.0]).unwrap();
    let cases: [(usize, parloop::Bound<'_>, &str); 8] = [
        (3, (&w.w).into(), "no such argument"),
        (2, (&w.w).into(), "element index"),
        (0, (&w.y).into(), "another set"),
        (0, (&one).into(), "another set"),
        (0, (&wide).into(), "type or dim"),
        (0, (&float).into(), "type or dim"),
        (1, (&w.w).into(), "another set"),
        (0, (&w.x).into(), "another set"),
    ];
    for (arg, to, word) in cases {
        let Err(Error::Refused { reason, .. }) = prepared.rebind(arg, to) else {
            panic!("{word}")
        };
        assert!(
            matches!(*reason, ArgError::Rebind { .. }) && reason.to_string().contains(word),
            "{reason}"
        );
    }
    let foreign = engine()
        .dat_zeroed(&w.edges, "foreign", 1, DType::F64)
        .unwrap();
    let Err(Error::Refused { reason, .. }) = prepared.rebind(0, &foreign) else {
        panic!("foreign")
    };
    assert!(matches!(*reason, ArgError::OtherEngine { .. }), "{reason}");
}

#[test]
fn a_rebinding_to_what_another_argument_uses() {
    let w = world();
    let more = w
        .engine
        .dat_zeroed(&w.edges, "more", 1, DType::F64)
        .unwrap();
    let kernel = w
        .engine
        .kernel("void k(double *a, const double *b) { a[0] += b[0]; }", None);
    let mut prepared = w
        .engine
        .prepare(&kernel, &w.edges, &[w.w.inc(), more.read()])
        .unwrap();
    let Err(Error::Refused { reason, .. }) = prepared.rebind(0, &more) else {
        panic!("taken")
    };
    assert!(
        reason.to_string().contains("another argument uses it"),
        "{reason}"
    );
}

#[test]
fn a_kernel_that_does_not_parse_or_check() {
    let w = world();
    for text in [
        "void k(double *a) { a[0] = ; }",
        "void k(double *a) { a[0] = b; }",
        "",
        "int x;",
    ] {
        let kernel = w.engine.kernel(text, None);
        for error in [
            kernel.check().unwrap_err(),
            w.engine
                .par_loop(&kernel, &w.edges, &[w.w.inc()])
                .unwrap_err(),
        ] {
            let Error::Text { diagnostics, .. } = error else {
                panic!("{error}")
            };
            assert!(!diagnostics.0.is_empty());
        }
    }
}

#[test]
fn a_function_that_the_text_lacks() {
    let w = world();
    let kernel = w.engine.kernel(ONE, Some("absent"));
    let error = kernel.check().unwrap_err();
    assert!(error.to_string().contains("absent"), "{error}");
}

#[test]
fn nothing_runs_when_a_loop_is_refused() {
    let w = world();
    w.refusal(TWO, &[w.w.inc(), w.x.inc()]);
    assert_eq!((w.w.version(), w.other.size()), (0, 5));
}
