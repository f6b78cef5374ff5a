//! Loops end to end: conventions, kernel constants, rebinding, and kernels that fail.

mod support;

use parloop::{DType, Error, Fault, Map, Set, element_index};
use std::sync::Arc;
use support::{engine, ring};

#[test]
fn a_loop_over_edges_adds_into_nodes() {
    let engine = engine();
    let (nodes, edges, ends) = ring(5);
    let weight = engine
        .dat(&edges, "weight", 1, &[1.0, 2.0, 3.0, 4.0, 5.0])
        .unwrap();
    let sum = engine.dat(&nodes, "sum", 1, &[0.0; 5]).unwrap();
    let kernel = engine.kernel(
        "void add(const double *w, double *a, double *b) { a[0] += w[0]; b[0] += 10.0 * w[0]; }",
        Some("add"),
    );
    let args = [
        weight.read(),
        sum.inc().at(&ends, 0),
        sum.inc().at(&ends, 1),
    ];
    engine.par_loop(&kernel, &edges, &args).unwrap();
    assert_eq!(*sum.data::<f64>().unwrap(), [51.0, 12.0, 23.0, 34.0, 45.0]);
    engine.par_loop(&kernel, &edges, &args).unwrap();
    assert_eq!(engine.compilations(), 1);
}

#[test]
fn one_compilation_serves_every_mesh() {
    let engine = engine();
    let kernel = engine.kernel(
        "void add(double *a, double *b) { a[0] += 1.0; b[0] += 2.0; }",
        None,
    );
    for size in [1, 5, 100, 10_000] {
        let (nodes, edges, ends) = ring(size);
        let sum = engine.dat_zeroed(&nodes, "sum", 1, DType::F64).unwrap();
        engine
            .par_loop(
                &kernel,
                &edges,
                &[sum.inc().at(&ends, 0), sum.inc().at(&ends, 1)],
            )
            .unwrap();
        assert!(sum.data::<f64>().unwrap().iter().all(|v| *v == 3.0));
    }
    assert_eq!(engine.compilations(), 1);
}

#[test]
fn elements_of_the_halo_run_only_when_asked_for() {
    let engine = engine();
    let set = Set::with_halo("cells", 2, 1, 2).unwrap();
    let dat = engine.dat_zeroed(&set, "d", 1, DType::I32).unwrap();
    let kernel = engine.kernel("void mark(int *a) { a[0] += 1; }", None);
    let mut prepared = engine.prepare(&kernel, &set, &[dat.rw()]).unwrap();
    prepared.run().unwrap();
    prepared.run_range(3, 5).unwrap();
    prepared.run_list(&[4, 4, 0]).unwrap();
    assert_eq!(*dat.data::<i32>().unwrap(), [2, 1, 1, 1, 3]);
}

#[test]
fn a_kernel_gets_the_elements_number_by_value() {
    let engine = engine();
    let set = Set::new("s", 4).unwrap();
    for ty in ["int", "unsigned int", "int64_t", "uint64_t"] {
        let dat = engine.dat_zeroed(&set, "d", 1, DType::F64).unwrap();
        let text = format!("void k({ty} i, double *a) {{ a[0] = 10 * i; }}");
        let kernel = engine.kernel(&text, None);
        let mut prepared = engine
            .prepare(&kernel, &set, &[element_index(), dat.write()])
            .unwrap();
        prepared.run().unwrap();
        assert_eq!(*dat.data::<f64>().unwrap(), [0.0, 10.0, 20.0, 30.0], "{ty}");
        dat.data_mut::<f64>().unwrap().fill(-1.0);
        prepared.run_list(&[3, 1]).unwrap();
        assert_eq!(
            *dat.data::<f64>().unwrap(),
            [-1.0, 10.0, -1.0, 30.0],
            "{ty}"
        );
    }
}

#[test]
fn a_read_global_of_one_value_can_be_passed_by_value() {
    let engine = engine();
    let set = Set::new("s", 2).unwrap();
    let (dt, dat) = (
        engine.global("dt", &[0.5]).unwrap(),
        engine.dat(&set, "d", 1, &[1.0, 2.0]).unwrap(),
    );
    let kernel = engine.kernel("void step(double dt, double *a) { a[0] += dt; }", None);
    engine
        .par_loop(&kernel, &set, &[dt.read(), dat.rw()])
        .unwrap();
    assert_eq!(*dat.data::<f64>().unwrap(), [1.5, 2.5]);
}

#[test]
fn conflicting_arguments_run_one_element_at_a_time_in_order() {
    let engine = engine();
    let set = Set::new("s", 5).unwrap();
    let next = Map::new("next", &set, &set, 1, [1, 2, 3, 4, 0]).unwrap();
    let dat = engine
        .dat(&set, "d", 1, &[1.0, 0.0, 0.0, 0.0, 0.0])
        .unwrap();
    let kernel = engine.kernel(
        "void pass(const double *a, double *b) { b[0] = a[0] + 1.0; }",
        None,
    );
    let args = [dat.read(), dat.write().at(&next, 0)];
    assert!(engine.prepare(&kernel, &set, &args).is_err());
    engine
        .prepare_conflicting(&kernel, &set, &args)
        .unwrap()
        .run()
        .unwrap();
    assert_eq!(*dat.data::<f64>().unwrap(), [6.0, 2.0, 3.0, 4.0, 5.0]);
}

#[test]
fn a_changed_constant_never_gives_an_old_result() {
    let engine = engine();
    let set = Set::new("s", 1).unwrap();
    let dat = engine.dat_zeroed(&set, "d", 1, DType::F64).unwrap();
    let value = || dat.data::<f64>().unwrap()[0];
    engine.declare_constant("gam", &[1.5f64]).unwrap();
    engine.declare_constant("table", &[1i32, 2, 3]).unwrap();
    let kernel = engine.kernel("void k(double *a) { a[0] = gam * table[2]; }", None);
    let mut prepared = engine.prepare(&kernel, &set, &[dat.write()]).unwrap();
    prepared.run().unwrap();
    assert_eq!(value(), 4.5);
    engine.set_constant("gam", &[2.0f64]).unwrap();
    prepared.run().unwrap();
    assert_eq!(value(), 6.0);
    engine.declare_constant("table", &[0i32, 0, -1]).unwrap();
    prepared.run().unwrap();
    assert_eq!((value(), engine.compilations()), (-2.0, 1));

    engine.specialise("gam", true).unwrap();
    prepared.run().unwrap();
    assert_eq!((value(), engine.compilations()), (-2.0, 2));
    engine.set_constant("gam", &[5.0f64]).unwrap();
    prepared.run().unwrap();
    assert_eq!((value(), engine.compilations()), (-5.0, 3));
    engine.set_constant("gam", &[2.0f64]).unwrap();
    prepared.run().unwrap();
    assert_eq!(
        (value(), engine.compilations()),
        (-2.0, 3),
        "this value was folded before"
    );
    engine.declare_constant("unrelated", &[1.0f32]).unwrap();
    prepared.run().unwrap();
    assert_eq!((value(), engine.compilations()), (-2.0, 3));
    engine.specialise("gam", false).unwrap();
    engine.set_constant("gam", &[7.0f64]).unwrap();
    engine.par_loop(&kernel, &set, &[dat.write()]).unwrap();
    assert_eq!((value(), engine.compilations()), (-7.0, 3));
}

#[test]
fn constants_of_every_type_reach_the_kernel() {
    let engine = engine();
    let set = Set::new("s", 1).unwrap();
    let dat = engine.dat_zeroed(&set, "d", 10, DType::F64).unwrap();
    engine.declare_constant("c0", &[1.25f64, -1.0]).unwrap();
    engine.declare_constant("c1", &[1.5f32, -2.0]).unwrap();
    engine.declare_constant("c2", &[0i8, -3]).unwrap();
    engine.declare_constant("c3", &[0u8, 200]).unwrap();
    engine.declare_constant("c4", &[0i16, -5]).unwrap();
    engine.declare_constant("c5", &[0u16, 60_000]).unwrap();
    engine.declare_constant("c6", &[0i32, -7]).unwrap();
    engine
        .declare_constant("c7", &[0u32, 4_000_000_000])
        .unwrap();
    engine.declare_constant("c8", &[0i64, -9]).unwrap();
    engine.declare_constant("c9", &[0u64, 10]).unwrap();
    let lines: String = (0..10).map(|i| format!("a[{i}] = c{i}[1];")).collect();
    let kernel = engine.kernel(&format!("void k(double *a) {{ {lines} }}"), None);
    engine.par_loop(&kernel, &set, &[dat.write()]).unwrap();
    let expected = [
        -1.0, -2.0, -3.0, 200.0, -5.0, 60_000.0, -7.0, 4e9, -9.0, 10.0,
    ];
    assert_eq!(*dat.data::<f64>().unwrap(), expected);
}

#[test]
fn constants_are_refused_with_a_reason() {
    use parloop::ConstantError::{Differs, Length, Name, Unknown};
    let engine = engine();
    assert!(matches!(
        engine.declare_constant("a b", &[1.0]),
        Err(Name { .. })
    ));
    assert!(matches!(
        engine.declare_constant("", &[1.0]),
        Err(Name { .. })
    ));
    assert!(matches!(
        engine.declare_constant::<f64>("a", &[]),
        Err(Length { .. })
    ));
    assert!(matches!(
        engine.set_constant("a", &[1.0]),
        Err(Unknown { .. })
    ));
    assert!(matches!(engine.specialise("a", true), Err(Unknown { .. })));
    engine.declare_constant("a", &[1.0f64]).unwrap();
    assert!(matches!(
        engine.set_constant("a", &[1.0f32]),
        Err(Differs { .. })
    ));
    assert!(matches!(
        engine.declare_constant("a", &[1.0, 2.0]),
        Err(Differs { .. })
    ));
}

#[test]
fn a_rebound_loop_works_on_the_other_data_and_keeps_its_code() {
    let engine = engine();
    let (nodes, edges, ends) = ring(3);
    let dat = |set, name, value: f64| engine.dat(set, name, 1, &[value; 3]).unwrap();
    let (a, b) = (dat(&nodes, "a", 0.0), dat(&nodes, "b", 0.0));
    let (w, v) = (dat(&edges, "w", 1.0), dat(&edges, "v", 10.0));
    let (g, h) = (
        engine.global("g", &[0.0]).unwrap(),
        engine.global("h", &[0.0]).unwrap(),
    );
    let text = "void k(const double *w, double *p, double *q, double *g) { p[0] += w[0]; q[0] += w[0]; g[0] += w[0]; }";
    let kernel = engine.kernel(text, None);
    let args = [
        w.read(),
        a.inc().at(&ends, 0),
        a.inc().at(&ends, 1),
        g.inc(),
    ];
    let mut prepared = engine.prepare(&kernel, &edges, &args).unwrap();
    prepared.run().unwrap();
    prepared.rebind(0, &v).unwrap();
    prepared.rebind(2, &b).unwrap();
    prepared.rebind(3, &h).unwrap();
    prepared.run().unwrap();
    assert_eq!(*a.data::<f64>().unwrap(), [2.0; 3]);
    assert_eq!(
        *b.data::<f64>().unwrap(),
        [20.0; 3],
        "both arguments that shared `a` follow"
    );
    assert_eq!(
        (g.data::<f64>().unwrap()[0], h.data::<f64>().unwrap()[0]),
        (3.0, 30.0)
    );
    prepared.rebind(0, &v).expect("to the same again");
    assert_eq!(engine.compilations(), 1);
}

/// Runs a kernel over one integer dat and says how it failed.
fn failure(text: &str, values: &[i32]) -> Error {
    let engine = parloop::Engine::builder().steps_max(1000).build().unwrap();
    let set = Set::new("s", values.len()).unwrap();
    let dat = engine.dat(&set, "d", 1, values).unwrap();
    let kernel = engine.kernel(text, None);
    let mut prepared = engine.prepare(&kernel, &set, &[dat.rw()]).unwrap();
    let error = prepared.run().unwrap_err();
    drop(dat.data_mut::<i32>().expect("the borrow is given back"));
    error
}

#[test]
fn a_division_by_zero_names_kernel_line_and_element() {
    let error = failure("void k(int *a)\n{\n  a[0] = 10 / a[0];\n}", &[1, 5, 0, 0]);
    let Error::Kernel {
        kernel,
        line,
        element,
        what,
        ..
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!(
        (kernel.as_str(), *line, *element, *what),
        ("k", Some(3), 2, Fault::DivisionByZero)
    );
    assert!(error.to_string().contains("line 3"), "{error}");
}

#[test]
fn an_index_out_of_range_names_its_value() {
    let error = failure(
        "void k(int *a)\n{\n  int t[4] = {1, 2, 3, 4};\n\n  a[0] = t[a[0]];\n}",
        &[3, 0, -7],
    );
    let Error::Kernel {
        line,
        element,
        what,
        value,
        ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(
        (line, element, what, value),
        (Some(5), 2, Fault::IndexOutOfRange, -7)
    );
}

#[test]
fn a_loop_without_end_runs_out_of_steps() {
    let error = failure(
        "void k(int *a) {\n  for (int i = 0; i < a[0]; i++) {\n    a[0] += i % 2; } }",
        &[5, 2_000_000_000],
    );
    let Error::Kernel { element, what, .. } = error else {
        panic!("{error}")
    };
    assert_eq!((element, what), (1, Fault::OutOfSteps));
}

#[test]
fn math_functions_are_those_of_the_process() {
    let engine = engine();
    let set = Set::new("s", 4).unwrap();
    let input = [0.3f64, 1.7, 2.0, 9.5];
    let dat = engine.dat(&set, "d", 1, &input).unwrap();
    let kernel = engine.kernel(
        "void k(double *a) { a[0] = pow(sin(a[0]), 2.0) + exp(-a[0]); }",
        None,
    );
    engine.par_loop(&kernel, &set, &[dat.rw()]).unwrap();
    let near = |(found, x): (&f64, f64)| (found - (x.sin().powf(2.0) + (-x).exp())).abs() < 1e-15;
    assert!(dat.data::<f64>().unwrap().iter().zip(input).all(near));
}

#[test]
fn every_math_function_that_kernels_may_call_is_linked_at_every_level() {
    let calls = "sqrt(x) fabs(x) floor(x) ceil(x) trunc(x) rint(x) nearbyint(x) fmin(x,y) fmax(x,y) copysign(x,y) fma(x,y,x) \
        fdim(x,y) exp(x) exp2(x) exp10(x) expm1(x) log(x) log2(x) log10(x) log1p(x) logb(x) pow(x,y) sin(x) cos(x) \
        tan(x) asin(x) acos(x) atan(x) atan2(x,y) sinh(x) cosh(x) tanh(x) asinh(x) acosh(y) atanh(x) cbrt(x) hypot(x,y) \
        erf(x) erfc(x) tgamma(x) lgamma(x) fmod(x,y) remainder(x,y) nextafter(x,y) round(x) lround(y) llround(y) lrint(y) \
        llrint(y) ilogb(y) ldexp(x,3) scalbn(x,2) scalbln(x,2) j0(x) j1(x) jn(2,x) y0(x) y1(x) yn(2,x)";
    let native = engine();
    let lowest = parloop::Level::ALL
        .into_iter()
        .find(|l| l.is_x86_64() == native.level().is_x86_64());
    let baseline = parloop::Engine::builder()
        .level(lowest.unwrap())
        .build()
        .unwrap();
    for (ty, suffix, dtype) in [("double", "", DType::F64), ("float", "f", DType::F32)] {
        let calls: Vec<String> = calls
            .split_whitespace()
            .map(|c| c.replacen('(', &format!("{suffix}("), 1))
            .collect();
        let lines: String = calls
            .iter()
            .enumerate()
            .map(|(i, c)| format!("r[{i}] = {c};\n"))
            .collect();
        let text = format!("void k({ty} *r) {{ {ty} x = 0.4, y = 1.9; r[0] = x; {lines} }}");
        let results = [&native, &baseline].map(|engine| {
            let set = Set::new("s", 1).unwrap();
            let dat = engine.dat_zeroed(&set, "r", calls.len(), dtype).unwrap();
            engine
                .par_loop(&engine.kernel(&text, None), &set, &[dat.write()])
                .unwrap();
            match dtype {
                DType::F64 => dat.data::<f64>().unwrap().to_vec(),
                _ => dat
                    .data::<f32>()
                    .unwrap()
                    .iter()
                    .map(|v| f64::from(*v))
                    .collect(),
            }
        });
        for ((call, native), baseline) in calls.iter().zip(&results[0]).zip(&results[1]) {
            assert!(
                (native - baseline).abs() <= 1e-7 * native.abs(),
                "{call}: {native} {baseline}"
            );
        }
        assert!(
            (results[0][16] - 0.4f64.ln()).abs() < 1e-6,
            "{}",
            results[0][16]
        );
    }
}

#[test]
fn a_program_lends_functions_to_its_kernels() {
    extern "C" fn twice(x: f64) -> f64 {
        2.0 * x
    }
    use parloop::{HostSymbol, Scalar};
    let symbol = HostSymbol {
        name: "twice".into(),
        params: vec![Scalar::F64],
        result: Scalar::F64,
    };
    // SAFETY: `twice` has this signature and touches nothing.
    let builder = unsafe { parloop::Engine::builder().host_function(symbol, twice as *const u8) };
    let engine = builder.build().unwrap();
    let set = Set::new("s", 2).unwrap();
    let dat = engine.dat(&set, "d", 1, &[1.0, 4.0]).unwrap();
    let kernel = engine.kernel("void k(double *a) { a[0] = twice(a[0]) + 1.0; }", None);
    engine.par_loop(&kernel, &set, &[dat.rw()]).unwrap();
    assert_eq!(*dat.data::<f64>().unwrap(), [3.0, 9.0]);
}

#[test]
fn an_engine_refuses_what_it_can_not_be() {
    use parloop::{HostSymbol, Level, Scalar};
    let symbol = HostSymbol {
        name: "exp".into(),
        params: vec![Scalar::F64],
        result: Scalar::F64,
    };
    // SAFETY: refused, and never called.
    let builder = unsafe { parloop::Engine::builder().host_function(symbol, std::ptr::dangling()) };
    assert!(matches!(builder.build(), Err(Error::HostFunction { .. })));
    let foreign = if cfg!(target_arch = "x86_64") {
        Level::Aarch64
    } else {
        Level::V3
    };
    let refused = |builder: parloop::EngineBuilder, word: &str| {
        let error = builder.build().unwrap_err();
        assert!(
            matches!(error, Error::Config(_)) && error.to_string().contains(word),
            "{error}"
        );
    };
    refused(parloop::Engine::builder().level(foreign), "level");
    let lanes = parloop::Options {
        lanes: 3,
        ..parloop::Options::default()
    };
    refused(parloop::Engine::builder().options(lanes), "1, 2 or 4");
}

#[test]
fn handles_may_go_to_other_threads() {
    fn sent<T: Send>(_: &T) {}
    fn shared<T: Send + Sync>(_: &T) {}
    let engine = engine();
    let (nodes, edges, ends) = ring(3);
    let dat = engine.dat_zeroed(&nodes, "d", 1, DType::F64).unwrap();
    let kernel = engine.kernel("void k(double *a) { a[0] += 1.0; }", None);
    let mut prepared = engine
        .prepare(&kernel, &edges, &[dat.inc().at(&ends, 1)])
        .unwrap();
    shared(&(&engine, &nodes, &edges, &ends, &dat, &kernel));
    sent(&prepared);
    let handle = Arc::new(dat);
    let copy = handle.clone();
    std::thread::spawn(move || {
        prepared.run().unwrap();
        drop(prepared);
        copy.data::<f64>().unwrap().to_vec()
    })
    .join()
    .unwrap();
    assert_eq!(*handle.data::<f64>().unwrap(), [1.0; 3]);
}

#[test]
fn useful_bytes_count_each_distinct_value_and_direction_once() {
    let engine = engine();
    let nodes = Set::new("nodes", 10).unwrap();
    let edges = Set::new("edges", 3).unwrap();
    let ends = Map::new("ends", &edges, &nodes, 2, [0, 1, 1, 2, 2, 0]).unwrap();
    let x = engine.dat_zeroed(&nodes, "x", 2, DType::F64).unwrap();
    let res = engine.dat_zeroed(&nodes, "res", 1, DType::F32).unwrap();
    let w = engine.dat_zeroed(&edges, "w", 1, DType::F64).unwrap();
    let sum = engine.global("sum", &[0.0f64]).unwrap();
    let kernel = engine.kernel(
        "void k(void *a, void *b, void *c, void *d, void *e) { }",
        None,
    );
    let args = [
        x.read().at(&ends, 0),
        x.read().at(&ends, 1),
        res.inc().through(&ends),
        w.write(),
        sum.inc(),
    ];
    let prepared = engine.prepare(&kernel, &edges, &args).unwrap();
    let expected = 3 * 16 + 2 * 3 * 4 + 3 * 8 + 2 * 8 + 3 * 2 * 4;
    assert_eq!(prepared.useful_bytes(), expected);
    let one = parloop::Subset::new(&edges, [1]).unwrap();
    let prepared = engine.prepare(&kernel, &one, &args).unwrap();
    assert_eq!(
        prepared.useful_bytes(),
        2 * 16 + 2 * 2 * 4 + 8 + 2 * 8 + 2 * 4
    );
}
