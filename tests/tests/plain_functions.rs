//! Kernels as plain C functions: called through their own prototypes, from several threads, cold and warm, and never beyond what
//! their parameters point to.

#![allow(unsafe_code)]

use parloop::{Config, Engine, Error, Extent, ExtentError, Fault, Function};
use parloop_cache::{Event, Observer};
use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

fn engine(directory: &Path) -> Engine {
    Engine::builder().cache_dir(directory).build().unwrap()
}

fn function(engine: &Engine, text: &str, extents: &[u32]) -> Result<Function, Error> {
    let extents: Vec<Extent> = extents.iter().copied().map(Extent::from).collect();
    engine.function(&engine.kernel(text, None), &extents)
}

fn alone(text: &str) -> Function {
    function(&Engine::builder().build().unwrap(), text, &[]).unwrap()
}

const AXPY: &str = "void axpy(double *restrict y, const double *restrict x, double a, int n) {
    for (int i = 0; i < 5; i++) y[i] += (n > 1) * a * x[i]; }";
type Axpy = extern "C" fn(*mut f64, *const f64, f64, i32) -> i32;

fn axpy(of: &Function) -> Axpy {
    // SAFETY: the type is that of the text.
    unsafe { std::mem::transmute::<*const std::ffi::c_void, Axpy>(of.as_ptr()) }
}

#[test]
fn a_function_is_called_through_its_own_prototype() {
    let function = alone(AXPY);
    let (mut y, x) = ([1.0; 5], [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(axpy(&function)(y.as_mut_ptr(), x.as_ptr(), 0.5, 2), 0);
    assert_eq!(y, [1.0, 1.5, 2.0, 2.5, 3.0]);
    assert_eq!(axpy(&function)(y.as_mut_ptr(), x.as_ptr(), 0.5, 1), 0);
    assert_eq!(y, [1.0, 1.5, 2.0, 2.5, 3.0]);
}

#[test]
fn more_parameters_than_registers_and_narrow_ones_arrive() {
    type Many = extern "C" fn(
        *mut f64,
        u8,
        i8,
        u16,
        i64,
        f32,
        f64,
        f32,
        i32,
        u32,
        i16,
        f64,
        bool,
        *const i32,
    ) -> i32;
    let function = alone(
        "void k(double *r, uint8_t a, int8_t b, uint16_t c, int64_t d, float e, double f, float g, int h, unsigned i, short j,
                double l, bool m, const int *n) {
             r[0] = a + 2.0 * b + 3.0 * c + 4.0 * d; r[1] = e + 2 * f + 3 * g; r[2] = h + 2.0 * i + 3.0 * j; r[3] = l; r[4] = m;
             r[5] = n[1]; }",
    );
    // SAFETY: the type is that of the text.
    let call = unsafe { std::mem::transmute::<*const std::ffi::c_void, Many>(function.as_ptr()) };
    let mut r = [0.0; 6];
    let n = [7, 8];
    assert_eq!(
        call(
            r.as_mut_ptr(),
            200,
            -3,
            60000,
            -5,
            0.5,
            0.25,
            0.125,
            -9,
            4_000_000_000,
            -30,
            2.5,
            true,
            n.as_ptr()
        ),
        0
    );
    let first = 200.0 - 6.0 + 180_000.0 - 20.0;
    let third = -9.0 + 8e9 - 90.0;
    assert_eq!(r, [first, 0.5 + 0.5 + 0.375, third, 2.5, 1.0, 8.0]);
}

#[test]
fn an_index_from_a_table_of_integers_reaches_as_far_as_its_entries() {
    let text = "void across(double *out, const double *x, const int *facet) {
        static const int ends[3][2] = {{-1, 2}, {0, 2}, {0, 1}};
        *out = x[3 * (ends[*facet][1] + 1)] - x[ends[*facet][0] + 1]; }";
    let engine = Engine::builder().build().unwrap();
    let across = function(&engine, text, &[]).unwrap();
    type Across = extern "C" fn(*mut f64, *const f64, *const i32) -> i32;
    // SAFETY: the type is that of the text.
    let call = unsafe { std::mem::transmute::<*const std::ffi::c_void, Across>(across.as_ptr()) };
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];
    let mut out = 0.0;
    for (facet, difference) in [(0, 9.0), (1, 8.0), (2, 5.0)] {
        assert_eq!(call(&mut out, x.as_ptr(), &facet), 0);
        assert_eq!(out, difference);
    }
}

#[test]
fn a_failure_names_kernel_line_and_value_and_the_process_goes_on() {
    let text = "void pick(double *y, const double *x, const int *i) {\n  y[0] = 0;\n  y[0] = x[i[0]] / (10 / i[1]); }";
    let engine = Engine::builder().build().unwrap();
    let unknown = function(&engine, text, &[]);
    assert!(
        matches!(&unknown, Err(Error::Extent { reason: ExtentError::Unknown { name }, .. }) if name == "x"),
        "{unknown:?}"
    );
    let pick = function(&engine, text, &[0, 4, 0]).unwrap();
    type Pick = extern "C" fn(*mut f64, *const f64, *const i32) -> i32;
    // SAFETY: the type is that of the text.
    let call = unsafe { std::mem::transmute::<*const std::ffi::c_void, Pick>(pick.as_ptr()) };
    let (mut y, x) = ([5.0], [1.0, 2.0, 3.0, 4.0]);
    let run =
        |y: &mut [f64; 1], i: [i32; 2]| pick.check(call(y.as_mut_ptr(), x.as_ptr(), i.as_ptr()));
    assert!(run(&mut y, [3, 5]).is_ok());
    assert_eq!(y, [2.0]);
    let expected = [
        ([4, 5], Fault::IndexOutOfRange, 4),
        ([-1, 5], Fault::IndexOutOfRange, -1),
        ([1, 0], Fault::DivisionByZero, 0),
    ];
    for (i, fault, wrong) in expected {
        match run(&mut y, i) {
            Err(Error::Function {
                kernel,
                line,
                what,
                value,
                ..
            }) => {
                assert_eq!(
                    (kernel.as_str(), line, what, value),
                    ("pick", Some(3), fault, wrong)
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(run(&mut y, [0, 1]).is_ok());
}

#[test]
fn many_threads_call_one_function_that_needs_working_memory() {
    let text = "void big(double *y, const double *x) { double t[20000]; for (int i = 0; i < 20000; i++) t[i] = x[0] * i;
        double s = 0; for (int i = 0; i < 20000; i++) s += t[(i * 7) % 20000]; y[0] = s; }";
    let big = alone(text);
    type Big = extern "C" fn(*mut f64, *const f64) -> i32;
    // SAFETY: the type is that of the text.
    let call = unsafe { std::mem::transmute::<*const std::ffi::c_void, Big>(big.as_ptr()) };
    let sums: Vec<f64> = std::thread::scope(|scope| {
        let runs = (1..=4).map(|n| {
            scope.spawn(move || {
                let (mut y, x) = ([0.0], [f64::from(n)]);
                for _ in 0..20 {
                    assert_eq!(call(y.as_mut_ptr(), x.as_ptr()), 0);
                }
                y[0]
            })
        });
        let runs: Vec<_> = runs.collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let whole = 19_999.0 * 10_000.0;
    assert_eq!(sums, [whole, 2.0 * whole, 3.0 * whole, 4.0 * whole]);
}

#[test]
fn a_second_process_would_compile_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let cold = engine(directory.path());
    function(&cold, AXPY, &[]).unwrap();
    assert_eq!(cold.compilations(), 1);
    assert!(cold.flush(std::time::Duration::from_secs(20)));
    let warm = engine(directory.path());
    let again = function(&warm, AXPY, &[]).unwrap();
    assert_eq!((warm.compilations(), warm.stats().disk_hits), (0, 1));
    let mut y = [0.0; 5];
    assert_eq!(axpy(&again)(y.as_mut_ptr(), [1.0; 5].as_ptr(), 2.0, 3), 0);
    assert_eq!(y, [2.0; 5]);
    // Other extents are another function; a comment is not.
    function(&warm, AXPY, &[6, 5]).unwrap();
    function(&warm, &format!("/* y += a x */ {AXPY}"), &[]).unwrap();
    assert_eq!(warm.compilations(), 1);
}

#[test]
fn what_can_be_no_plain_function_is_refused() {
    let engine = Engine::builder().build().unwrap();
    engine.declare_constant("gam", &[1.4]).unwrap();
    let text = "extern const double gam; void k(double *y) { y[0] = gam; }";
    let open = function(&engine, text, &[]);
    assert!(matches!(open, Err(Error::Compile { .. })), "{open:?}");
    engine.specialise("gam", true).unwrap();
    assert!(function(&engine, text, &[]).is_ok());
    let surplus = function(&engine, "void k(double *y) { y[0] = 1; }", &[1, 1]);
    assert!(
        matches!(
            &surplus,
            Err(Error::Extent {
                reason: ExtentError::Surplus { params: 1 },
                ..
            })
        ),
        "{surplus:?}"
    );
}

const FORM: &str = "static double square(double x) { return x * x; }
    void first(double *y) { y[0] = square(3); }
    void second(double *y) { for (int i = 0; i < 4; i++) y[i] = square(i); }
    void wrong(double *y) { y[0] = missing(3); }
    void open(double *y, const int *n) { y[0] = y[n[0]]; }";

#[test]
fn functions_asked_for_together_are_those_asked_for_one_by_one() {
    for threads in [0, 1, 3, 64] {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.compile_threads = threads;
        let engine = Engine::builder().config(config).cache_dir(directory.path());
        let engine = engine.build().unwrap();
        let stranger = Engine::builder().build().unwrap();
        let names = ["second", "first", "wrong", "open", "second"];
        let mut kernels: Vec<_> = names.map(|name| engine.kernel(FORM, Some(name))).into();
        kernels.push(stranger.kernel(FORM, Some("first")));
        let wanted: Vec<(_, &[Extent])> = kernels.iter().map(|kernel| (kernel, &[][..])).collect();
        let found = engine.functions(&wanted);
        let [second, first, wrong, open, again, foreign] = &found[..] else {
            panic!("{found:?}")
        };
        assert!(
            matches!(wrong, Err(Error::Text { kernel, .. }) if kernel == "wrong"),
            "{wrong:?}"
        );
        assert!(matches!(open, Err(Error::Extent { .. })), "{open:?}");
        assert!(
            matches!(foreign, Err(Error::OtherEngine { .. })),
            "{foreign:?}"
        );
        let run = |function: &Result<Function, Error>| {
            type Fill = extern "C" fn(*mut f64) -> i32;
            let address = function.as_ref().unwrap().as_ptr();
            // SAFETY: the type is that of the text.
            let call = unsafe { std::mem::transmute::<*const std::ffi::c_void, Fill>(address) };
            let mut y = [0.5; 4];
            assert_eq!(call(y.as_mut_ptr()), 0);
            y
        };
        assert_eq!(run(first), [9.0, 0.5, 0.5, 0.5]);
        assert_eq!([run(second), run(again)], [[0.0, 1.0, 4.0, 9.0]; 2]);
        assert_eq!(engine.compilations(), 2, "each once");
        assert!(engine.functions(&[]).is_empty());
        // The next process finds them.
        assert!(engine.flush(Duration::from_secs(10)));
        let engine = self::engine(directory.path());
        let kernels = ["first", "second"].map(|name| engine.kernel(FORM, Some(name)));
        let found = engine.functions(&[(&kernels[0], &[]), (&kernels[1], &[])]);
        assert!(found.iter().all(Result::is_ok));
        assert_eq!(engine.compilations(), 0);
    }
}

/// Notes which threads compile, and holds each until there are two of them.
#[derive(Default)]
struct Meeting {
    compiled: Mutex<HashSet<ThreadId>>,
    came: Condvar,
    all: Mutex<HashSet<ThreadId>>,
}

impl Observer for Meeting {
    fn event(&self, event: &Event) {
        let me = std::thread::current().id();
        self.all.lock().unwrap().insert(me);
        if let Event::Compile { .. } = event {
            let mut compiled = self.compiled.lock().unwrap();
            compiled.insert(me);
            self.came.notify_all();
            let alone = |compiled: &mut HashSet<ThreadId>| compiled.len() < 2;
            let patience = Duration::from_secs(20);
            drop(
                self.came
                    .wait_timeout_while(compiled, patience, alone)
                    .unwrap(),
            );
        }
    }
}

#[test]
fn functions_asked_for_together_are_compiled_at_the_same_time_and_kept_ones_need_no_thread() {
    let directory = tempfile::tempdir().unwrap();
    let met = |threads| {
        let mut config = Config::default();
        config.compile_threads = threads;
        let meeting = Arc::new(Meeting::default());
        let engine = Engine::builder().config(config).cache_dir(directory.path());
        let engine = engine.observer(meeting.clone()).build().unwrap();
        let kernels = ["first", "second"].map(|name| engine.kernel(FORM, Some(name)));
        let found = engine.functions(&[(&kernels[0], &[]), (&kernels[1], &[])]);
        assert!(found.iter().all(Result::is_ok));
        assert!(engine.flush(Duration::from_secs(10)));
        let count = |threads: &Mutex<HashSet<ThreadId>>| threads.lock().unwrap().len();
        (count(&meeting.compiled), meeting)
    };
    assert_eq!(met(2).0, 2);
    let (compiled, meeting) = met(2);
    assert_eq!(compiled, 0);
    let here = HashSet::from([std::thread::current().id()]);
    assert_eq!(*meeting.all.lock().unwrap(), here);
}

#[test]
fn row_pointers_are_passed_on_with_rows_and_values_counted_apart() {
    let text = "void k(double **y, const double **x, const int *n) {\n  for (int i = 0; i < 2; i++) y[i][1] = x[n[0]][n[1]]; }";
    let directory = tempfile::tempdir().unwrap();
    let engine = engine(directory.path());
    let kernel = engine.kernel(text, None);
    let open = engine.function(&kernel, &[]);
    let is_rows =
        |reason: &ExtentError| matches!(reason, ExtentError::Rows { name } if name == "x");
    assert!(
        matches!(&open, Err(Error::Extent { reason, .. }) if is_rows(reason)),
        "{open:?}"
    );
    let no_rows = engine.function(&kernel, &[0.into(), [3, 4].into(), [1, 2].into()]);
    assert!(
        matches!(
            &no_rows,
            Err(Error::Extent {
                reason: ExtentError::NoRows { .. },
                ..
            })
        ),
        "{no_rows:?}"
    );
    let function = engine
        .function(&kernel, &[Extent::default(), [3, 4].into()])
        .unwrap();
    type Rows = extern "C" fn(*const *mut f64, *const *const f64, *const i32) -> i32;
    // SAFETY: the type is that of the text.
    let call = unsafe { std::mem::transmute::<*const std::ffi::c_void, Rows>(function.as_ptr()) };
    let x: [[f64; 4]; 3] = std::array::from_fn(|i| std::array::from_fn(|j| (4 * i + j) as f64));
    let x = [&raw const x[2][0], &raw const x[0][0], &raw const x[1][0]];
    let (mut first, mut second) = ([0.0; 2], [0.0; 2]);
    let y = [&raw mut first[0], &raw mut second[0]];
    let run = |n: [i32; 2]| function.check(call(y.as_ptr(), x.as_ptr(), n.as_ptr()));
    assert!(run([0, 3]).is_ok() && run([2, 1]).is_ok());
    for (n, wrong) in [([3, 0], 3), ([-1, 9], -1), ([2, 4], 4), ([0, -2], -2)] {
        match run(n) {
            Err(Error::Function {
                line, what, value, ..
            }) => assert_eq!(
                (line, what, value),
                (Some(2), Fault::IndexOutOfRange, wrong)
            ),
            other => panic!("{n:?}: {other:?}"),
        }
    }
    assert_eq!((first, second), ([0.0, 5.0], [0.0, 5.0]));
    // Other numbers of rows are another function; the same ones are not, in whatever way they are said.
    assert_eq!(engine.compilations(), 1);
    let again = |rows: [u32; 2]| {
        let extents = [[2, 2].into(), rows.into(), 2.into()];
        engine.function(&kernel, &extents).unwrap();
        engine.compilations()
    };
    assert_eq!([again([3, 4]), again([4, 3]), again([4, 3])], [1, 2, 2]);
}

#[test]
fn an_array_that_is_written_may_be_read_back() {
    let function = alone(
        "void k(double A[3][3], const double x[3]) { for (int i = 0; i < 3; i++) for (int j = 0; j < 3; j++) {
             A[i][j] = x[i] * x[j]; if (i > 0) A[i][j] += A[i - 1][j]; } }",
    );
    type Outer = extern "C" fn(*mut f64, *const f64) -> i32;
    // SAFETY: the type is that of the text.
    let call = unsafe { std::mem::transmute::<*const std::ffi::c_void, Outer>(function.as_ptr()) };
    let (mut a, x) = ([0.0; 9], [1.0, 2.0, 3.0]);
    assert_eq!(call(a.as_mut_ptr(), x.as_ptr()), 0);
    assert_eq!(a, [1.0, 2.0, 3.0, 3.0, 6.0, 9.0, 6.0, 12.0, 18.0]);
}
