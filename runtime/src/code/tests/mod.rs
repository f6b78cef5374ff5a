//! The loader against sound, damaged and hostile objects. Damaged ones are validated and mapped, never run: that code bytes
//! are the compiler's own is the keyed hash's business.

mod arena;
mod hostile;
mod mapping;
#[cfg(target_arch = "x86_64")]
mod rank_update;
#[cfg(target_arch = "x86_64")]
mod updates;

use super::{Code, CraneliftLinker, HostTable, Image, Linker, LoadError};
use parloop_compiler::ir::{BinaryOp, Builder, HostSymbol, Kernel, Param, Passing, Place, Scalar};
use parloop_compiler::{
    Access, ArgSignature, DType, Iteration, KernelText, Layout, Level, Options, Request, Signature,
    Source, Target, abi, check_kernel, compile,
};

/// `void f(const double *a, double *b) { b[0] = 3.5 / exp(a[0]); }` over direct arguments; the dividend comes from the pool.
fn request() -> Request {
    let mut builder = Builder::new(Default::default());
    let exp = HostSymbol {
        name: "exp".into(),
        params: vec![Scalar::F64],
        result: Scalar::F64,
    };
    let exp = builder.symbol(&exp);
    let zero = builder.i64(0);
    let site = builder.body.site();
    let loaded = builder.load(Place::Param(0), zero, Scalar::F64, site);
    let called = builder.call(exp, [loaded].into_iter().collect());
    let factor = builder.constant(3.5f64.to_bits(), Scalar::F64);
    let product = builder.binary(BinaryOp::Div, factor, called);
    let site = builder.body.site();
    builder.store(Place::Param(1), zero, product, site);
    let param = Param {
        passing: Passing::Pointer,
        scalar: Scalar::F64,
    };
    let kernel = Kernel {
        params: vec![param; 2],
        constants: Vec::new(),
        body: builder.finish(),
    };
    let arg = |access, dat| ArgSignature {
        source: Source::Direct,
        dtype: DType::F64,
        dim: 1,
        layout: Layout::Aos,
        access,
        dat,
    };
    Request {
        kernel,
        signature: Signature {
            iteration: Iteration::Elements,
            args: vec![arg(Access::Read, 0), arg(Access::Write, 1)],
            allow_conflicts: false,
        },
        options: Options::default(),
        target: Target {
            level: crate::host::native_level(),
        },
    }
}

fn object() -> Vec<u8> {
    compile(&request()).unwrap().object
}

/// Two updates of different shapes: a matrix and a vector of it.
const TWO_UPDATES: &str = "void k(double *a, double *b, const double *w) {
  static const double X[4][6] = {{1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1}, {-1, 3, -5, 7, -9, 11}, {2, 2, 7, 1, 8, 2}};
  for (int q = 0; q < 4; ++q)
    for (int i = 0; i < 6; ++i)
      for (int j = 0; j < 6; ++j) a[6 * i + j] += X[q][i] * (w[q] * X[q][j]);
  for (int q = 0; q < 24; ++q)
    for (int j = 0; j < 5; ++j) b[j] += w[q] * X[1][j + 1];
  }";

fn two_updates(level: Level) -> Vec<u8> {
    let text = KernelText {
        text: TWO_UPDATES,
        function: None,
        constants: &[],
        hosts: &[],
    };
    let kernel = check_kernel(&text).unwrap().kernel;
    let arg = |access, dim, dat| ArgSignature {
        source: Source::Direct,
        dtype: DType::F64,
        dim,
        layout: Layout::Aos,
        access,
        dat,
    };
    let request = Request {
        kernel,
        signature: Signature {
            iteration: Iteration::Elements,
            args: vec![
                arg(Access::Rw, 36, 0),
                arg(Access::Rw, 5, 1),
                arg(Access::Read, 24, 2),
            ],
            allow_conflicts: false,
        },
        ..request()
    };
    let target = Target { level };
    compile(&Request { target, ..request }).unwrap().object
}

struct Loader {
    hosts: HostTable,
    linker: CraneliftLinker,
}

impl Loader {
    fn new() -> Loader {
        Loader {
            hosts: HostTable::with_math(),
            linker: CraneliftLinker,
        }
    }

    fn load(&self, object: &[u8]) -> Result<Code, LoadError> {
        Code::load(object, &self.hosts, &self.linker)
    }
}

#[test]
fn a_compiled_object_is_loaded_and_runs() {
    let code = Loader::new().load(&object()).unwrap();
    let mut values = [0.0f64, 1.0, -2.0];
    let mut results = [0.0f64; 3];
    let arg = |base: *mut f64| abi::Arg {
        base: base.cast(),
        map: std::ptr::null(),
        element_stride: 0,
        component_stride: 0,
    };
    let args = [arg(values.as_mut_ptr()), arg(results.as_mut_ptr())];
    let mut scratch = vec![0u128; code.scratch_bytes().div_ceil(16)];
    let mut ctx = abi::Ctx {
        constants: std::ptr::null(),
        scratch: scratch.as_mut_ptr().cast(),
        steps: 1,
        site: 0,
        reserved: 0,
        element: 0,
        value: 0,
    };
    // SAFETY: the object was compiled for two direct arguments of f64, which these are, with three elements each.
    let status = unsafe { code.entry()(&raw mut ctx, args.as_ptr(), std::ptr::null(), 0, 3) };
    assert_eq!(status, abi::OK);
    assert_eq!(results, values.map(|v| 3.5 / v.exp()));
}

#[test]
fn an_image_refers_to_its_own_data_and_to_host_functions_only() {
    let (object, hosts) = (object(), HostTable::with_math());
    let image = Image::parse(&object, &hosts).unwrap();
    assert_eq!(image.imports.len(), 1);
    assert_eq!(image.imports[0].0, "exp");
    assert!(!image.relocations.is_empty());
}

/// Ranges of this process that are mapped with these permissions.
fn mappings(permissions: &str) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let has = |line: &&str| {
        line.split_whitespace()
            .nth(1)
            .is_some_and(|p| p.starts_with(permissions))
    };
    maps.lines().filter(has).count()
}

#[test]
fn no_memory_is_ever_writable_and_executable() {
    let (loader, object) = (Loader::new(), object());
    assert_eq!(mappings("rwx"), 0);
    let codes: Vec<Code> = (0..8).map(|_| loader.load(&object).unwrap()).collect();
    assert_eq!(mappings("rwx"), 0);
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    for code in &codes {
        let (address, _) = code.range();
        let holds = |line: &&str| {
            let range = line.split(' ').next().unwrap();
            let (start, end) = range.split_once('-').unwrap();
            let bound = |text| usize::from_str_radix(text, 16).unwrap();
            (bound(start)..bound(end)).contains(&address)
        };
        let line = maps.lines().find(holds).unwrap();
        assert!(line.contains(" r-xp "), "{line}");
    }
}

/// Pages of this process that hold code of no file: ours.
fn code_pages() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let is_ours =
        |line: &&str| line.contains(" r-xp ") && line.split_whitespace().nth(4) == Some("0");
    let bytes = |line: &str| {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let bound = |text| usize::from_str_radix(text, 16).unwrap();
        bound(end) - bound(start)
    };
    let ours: usize = maps.lines().filter(is_ours).map(bytes).sum();
    ours / rustix::param::page_size()
}

#[test]
fn dropped_code_gives_its_memory_back() {
    let (loader, object) = (Loader::new(), object());
    drop(loader.load(&object).unwrap());
    // Other tests run beside this one, some of which hold thousands of pages for a moment.
    let grown = || {
        let before = code_pages();
        for _ in 0..4000 {
            drop(loader.load(&object).unwrap());
        }
        code_pages().saturating_sub(before)
    };
    assert!((0..10).any(|_| grown() < 400));
}

#[test]
fn codes_of_one_linker_are_independent() {
    let (loader, object) = (Loader::new(), object());
    let first = loader.load(&object).unwrap();
    let second = loader.load(&object).unwrap();
    assert_ne!(first.range().0, second.range().0);
    drop(first);
    assert!(second.scratch_bytes() < 1 << 30);
}

#[test]
fn an_embedder_adds_host_functions_but_never_replaces_one() {
    extern "C" fn twice(x: f64) -> f64 {
        2.0 * x
    }
    let symbol = |name: &str| HostSymbol {
        name: name.into(),
        params: vec![Scalar::F64],
        result: Scalar::F64,
    };
    let address = twice as *const u8;
    let mut hosts = HostTable::with_math();
    for (name, taken) in [
        ("twice", true),
        ("twice", false),
        ("exp", false),
        ("", false),
        ("a b", false),
    ] {
        // SAFETY: `twice` has this signature, and the table is not linked against here.
        assert_eq!(unsafe { hosts.add(symbol(name), address) }, taken, "{name}");
    }
    // SAFETY: refused for its address.
    assert!(!unsafe { hosts.add(symbol("nothing"), std::ptr::null()) });
    assert_eq!(hosts.extra(), [symbol("twice")]);
}

#[test]
fn the_generator_is_named() {
    assert_eq!(Loader::new().linker.generator(), "cranelift");
}

#[test]
#[ignore = "a measurement: run it with --release --nocapture"]
#[expect(clippy::print_stderr, reason = "what it is for")]
fn how_long_a_load_takes() {
    let (loader, object) = (Loader::new(), object());
    let time = |name: &str, work: &dyn Fn()| {
        let mut times: Vec<u128> = (0..2000)
            .map(|_| {
                let start = std::time::Instant::now();
                work();
                start.elapsed().as_nanos()
            })
            .collect();
        times.sort_unstable();
        eprintln!("{name}: median {} ns, least {} ns", times[1000], times[0]);
    };
    eprintln!("object: {} bytes", object.len());
    time("validate", &|| {
        drop(Image::parse(&object, &loader.hosts).unwrap())
    });
    time("load and free", &|| drop(loader.load(&object).unwrap()));
    let kept = std::cell::RefCell::new(Vec::new());
    time("load", &|| {
        kept.borrow_mut().push(loader.load(&object).unwrap())
    });
}
