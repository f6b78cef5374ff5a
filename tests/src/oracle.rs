//! The system's C compiler as an oracle: a case as a C file, built, loaded and called as compiled loops are.
//!
//! Also the process's own libm, for the interpreter. The unsafe code is that of the two calls into loaded libraries; their
//! signatures are those of `abi` and of `math.h`.

use crate::case::{Case, Front};
use crate::ways::{End, Outcome, constants_by_slot};
use crate::world::{Over, World};
use libloading::Library;
use parloop::Function;
use parloop_compiler::ir::interp::Hosts;
use parloop_compiler::ir::{HostSymbol, Scalar};
use parloop_compiler::{KernelText, abi, dump_c};
use std::ffi::{CString, c_void};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// Flags of the strict oracle.
pub const STRICT: [&str; 7] = [
    "-O2",
    "-ffp-contract=off",
    "-fno-builtin",
    "-fwrapv",
    "-fno-strict-aliasing",
    // gcc 12 takes `0.0 - n` for `-(double)n` if `n` is an integer, though of 0 that is -0.
    "-frounding-math",
    // gcc 12 vectorises loops wrongly that store to one entry twice and load its neighbours.
    "-fno-tree-vectorize",
];

/// Whether there is a C compiler; says so, once, where there is none.
#[expect(
    clippy::print_stderr,
    reason = "a test that has nothing to compare with says so"
)]
pub fn have_cc() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let output = Command::new("cc").arg("--version").output();
        let found = output.is_ok_and(|output| output.status.success());
        if !found {
            eprintln!("not compared with C: there is no compiler `cc`");
        }
        found
    })
}

/// The C file of a case.
pub fn c_file(case: &Case, front: &Front, strict: bool) -> String {
    let text = KernelText {
        text: &case.text,
        function: case.function.as_deref(),
        constants: &front.constants,
        hosts: &[],
    };
    dump_c(&text, &front.checked, &front.signature, strict)
}

/// A case, built by the C compiler and loaded.
pub struct Built {
    library: Library,
}

type Entry = unsafe extern "C" fn(*mut abi::Ctx, *const abi::Arg, *const u32, u64, u64) -> u32;

/// Builds a C file in `directory` and loads it. Panics with what the compiler says.
pub fn build(directory: &Path, stem: &str, c: &str, flags: &[&str]) -> Built {
    let (source, object) = (format!("{stem}.c"), format!("{stem}.so"));
    std::fs::write(directory.join(&source), c).unwrap();
    let output = Command::new("cc")
        .current_dir(directory)
        .args([
            "-std=c99",
            "-D_DEFAULT_SOURCE",
            "-w",
            "-fPIC",
            "-shared",
            "-o",
            &object,
            &source,
        ])
        .args(flags)
        .arg("-lm")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{c}");
    // SAFETY: the library was just built from a file without initialisers.
    let library = unsafe { Library::new(directory.join(object)) };
    Built {
        library: library.unwrap(),
    }
}

/// Bytes at an address that suits every type.
struct Aligned {
    words: Vec<u64>,
    len: usize,
}

impl Aligned {
    fn of(bytes: &[u8]) -> Aligned {
        let mut words = vec![0; bytes.len().div_ceil(8).max(1)];
        for (i, byte) in bytes.iter().enumerate() {
            words[i / 8] |= u64::from(*byte) << (8 * (i % 8));
        }
        Aligned {
            words,
            len: bytes.len(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let bytes = self.words.iter().flat_map(|w| w.to_le_bytes());
        bytes.take(self.len).collect()
    }
}

impl Built {
    /// Calls a `void` function of as many pointers as there are arguments, as `call_function` does.
    pub fn call(&self, name: &str, buffers: &mut [Vec<u8>], args: &[Passed]) {
        // SAFETY: only the address is taken.
        let symbol = unsafe { self.library.get::<unsafe extern "C" fn()>(name.as_bytes()) };
        // What such a function leaves for a status is not looked at.
        call_pointers(*symbol.unwrap() as *const c_void, buffers, args);
    }

    /// Runs it. A kernel that parloop would stop is undefined here and must not be run.
    pub fn run(&self, case: &Case, front: &Front, world: &World, over: &Over) -> Outcome {
        let mut data: Vec<Aligned> = world.data.iter().map(|d| Aligned::of(&d.bytes)).collect();
        let maps: Vec<Aligned> = world
            .maps
            .iter()
            .map(|(kind, entries)| {
                let size = if kind.width() == parloop_compiler::IndexWidth::I32 {
                    4
                } else {
                    8
                };
                let bytes = entries
                    .iter()
                    .flat_map(|e| e.to_le_bytes().into_iter().take(size));
                Aligned::of(&bytes.collect::<Vec<u8>>())
            })
            .collect();
        let values = constants_by_slot(case, front);
        let values: Vec<Aligned> = values.iter().map(|bytes| Aligned::of(bytes)).collect();
        let constants: Vec<*const u8> = values.iter().map(|v| v.words.as_ptr().cast()).collect();
        let args: Vec<abi::Arg> = front
            .signature
            .args
            .iter()
            .map(|arg| abi::Arg {
                base: data
                    .get_mut(usize::from(arg.dat))
                    .map_or(std::ptr::null_mut(), |d| d.words.as_mut_ptr().cast()),
                map: arg.source.map().map_or(std::ptr::null(), |m| {
                    maps[usize::from(m.slot)].words.as_ptr().cast()
                }),
                element_stride: 0,
                component_stride: 0,
            })
            .collect();
        let mut ctx = abi::Ctx {
            constants: constants.as_ptr(),
            scratch: std::ptr::null_mut(),
            steps: 0,
            site: 0,
            reserved: 0,
            element: 0,
            value: 0,
        };
        let (list, begin, end) = match over {
            Over::All => (std::ptr::null(), 0, u64::from(world.size)),
            Over::Range(begin, end) => (std::ptr::null(), u64::from(*begin), u64::from(*end)),
            Over::List(list) => (list.as_ptr(), 0, list.len() as u64),
        };
        // SAFETY: the file defines the entry with the signature of `abi`.
        let entry = unsafe { self.library.get::<Entry>(abi::ENTRY.as_bytes()) }.unwrap();
        // SAFETY: buffers, maps and constants are as large as the signature says, aligned for every type, and live.
        let status = unsafe { entry(&raw mut ctx, args.as_ptr(), list, begin, end) };
        assert_eq!(status, abi::OK);
        Outcome {
            end: End::Done,
            data: data.iter().map(Aligned::bytes).collect(),
        }
    }
}

/// What a function of pointers alone is given: buffers by number, with offsets in bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Passed {
    /// A pointer into a buffer.
    Pointer(usize, usize),
    /// An array of row pointers.
    Rows(Vec<(usize, usize)>),
}

impl From<(usize, usize)> for Passed {
    fn from((buffer, offset): (usize, usize)) -> Passed {
        Passed::Pointer(buffer, offset)
    }
}

/// Calls a kernel as a plain function of pointers alone; gives its status. The buffers come back in place. What the kernel does
/// within its parameters' extents must stay within them.
pub fn call_function(
    function: &Function,
    buffers: &mut [Vec<u8>],
    args: &[impl Clone + Into<Passed>],
) -> i32 {
    assert_eq!(function.params().len(), args.len());
    let args: Vec<Passed> = args.iter().cloned().map(Into::into).collect();
    call_pointers(function.as_ptr(), buffers, &args)
}

/// Calls what lives and takes as many pointers.
fn call_pointers(function: *const c_void, buffers: &mut [Vec<u8>], args: &[Passed]) -> i32 {
    let mut aligned: Vec<Aligned> = buffers.iter().map(|b| Aligned::of(b)).collect();
    let bases: Vec<*mut u8> = aligned
        .iter_mut()
        .map(|a| a.words.as_mut_ptr().cast())
        .collect();
    let address = |at: (usize, usize)| bases[at.0].wrapping_add(at.1);
    let tables = args.iter().map(|arg| match arg {
        Passed::Pointer(..) => Vec::new(),
        Passed::Rows(rows) => rows.iter().copied().map(address).collect(),
    });
    let mut tables: Vec<Vec<*mut u8>> = tables.collect();
    let pointers = args.iter().zip(&mut tables).map(|(arg, table)| match arg {
        Passed::Pointer(buffer, offset) => address((*buffer, *offset)),
        Passed::Rows(_) => table.as_mut_ptr().cast(),
    });
    let pointers: Vec<*mut u8> = pointers.collect();
    let at = |k: usize| pointers[k];
    macro_rules! call {
        ($($P:ident $k:literal)*) => {{
            // SAFETY: it is a function of as many pointers, whose owner the callers hold.
            let function = unsafe {
                std::mem::transmute::<*const c_void, unsafe extern "C" fn($($P),*) -> i32>(function)
            };
            // SAFETY: the buffers live, and are as long as the caller says the function needs.
            unsafe { function($(at($k)),*) }
        }};
    }
    type P = *mut u8;
    let status = match args.len() {
        1 => call!(P 0),
        2 => call!(P 0 P 1),
        3 => call!(P 0 P 1 P 2),
        4 => call!(P 0 P 1 P 2 P 3),
        5 => call!(P 0 P 1 P 2 P 3 P 4),
        6 => call!(P 0 P 1 P 2 P 3 P 4 P 5),
        7 => call!(P 0 P 1 P 2 P 3 P 4 P 5 P 6),
        more => panic!("no function of {more} pointers is called"),
    };
    for (buffer, aligned) in buffers.iter_mut().zip(&aligned) {
        *buffer = aligned.bytes();
    }
    status
}

/// The process's libm, and what GCC adds for complex numbers.
#[derive(Debug)]
pub struct Libm {
    libm: Library,
    libgcc: Library,
}

impl Libm {
    /// It, loaded once.
    pub fn here() -> &'static Libm {
        static LIBM: OnceLock<Libm> = OnceLock::new();
        LIBM.get_or_init(|| {
            // SAFETY: the C library's own; it is loaded already.
            let libm = unsafe { Library::new("libm.so.6") };
            // SAFETY: the compiler's run-time library, which Rust's own library needs too.
            let libgcc = unsafe { Library::new("libgcc_s.so.1") };
            Libm {
                libm: libm.unwrap(),
                libgcc: libgcc.unwrap(),
            }
        })
    }
}

macro_rules! call {
    ($library:expr, $name:expr, $bits:expr, $($A:ident $at:literal),* => $R:ident) => {{
        // SAFETY: a function of `math.h` with the signature that the front end gives it.
        let function = unsafe { $library.get::<unsafe extern "C" fn($($A),*) -> $R>($name) }.ok()?;
        // SAFETY: as above; it takes no pointer.
        let result = unsafe { function($($A::from_bits_($bits[$at])),*) };
        result.to_bits_()
    }};
}

trait Bits {
    fn from_bits_(bits: u64) -> Self;
    fn to_bits_(self) -> u64;
}

impl Bits for f64 {
    fn from_bits_(bits: u64) -> f64 {
        f64::from_bits(bits)
    }
    fn to_bits_(self) -> u64 {
        self.to_bits()
    }
}

impl Bits for f32 {
    fn from_bits_(bits: u64) -> f32 {
        f32::from_bits(bits as u32)
    }
    fn to_bits_(self) -> u64 {
        u64::from(self.to_bits())
    }
}

impl Bits for i32 {
    fn from_bits_(bits: u64) -> i32 {
        bits as i32
    }
    fn to_bits_(self) -> u64 {
        u64::from(self as u32)
    }
}

impl Bits for i64 {
    fn from_bits_(bits: u64) -> i64 {
        bits as i64
    }
    fn to_bits_(self) -> u64 {
        self as u64
    }
}

/// A complex number as C passes it.
#[repr(C)]
struct Pair<T>(T, T);

macro_rules! complex {
    ($library:expr, $c:expr, $T:ty, $a:expr) => {{
        let a: Vec<$T> = $a.iter().map(|bits| <$T>::from_bits_(*bits)).collect();
        // SAFETY: a function of `complex.h`, or of the compiler's library, with the signature that it has there.
        let pair: Pair<$T> = unsafe {
            match (a.as_slice(), $c.starts_with('_')) {
                ([re, im], _) => {
                    let function =
                        $library.get::<unsafe extern "C" fn(Pair<$T>) -> Pair<$T>>($c.as_bytes());
                    function.ok()?(Pair(*re, *im))
                }
                ([a, b, c, d], true) => {
                    let function = $library
                        .get::<unsafe extern "C" fn($T, $T, $T, $T) -> Pair<$T>>($c.as_bytes());
                    function.ok()?(*a, *b, *c, *d)
                }
                ([a, b, c, d], false) => {
                    let function = $library.get::<unsafe extern "C" fn(Pair<$T>, Pair<$T>) -> Pair<$T>>(
                        $c.as_bytes(),
                    );
                    function.ok()?(Pair(*a, *b), Pair(*c, *d))
                }
                _ => return None,
            }
        };
        [pair.0.to_bits_(), pair.1.to_bits_()]
    }};
}

impl Libm {
    /// One part of a complex function's result; `name` as compiled code has it after `parloop_complex_`.
    fn complex(&self, name: &str, a: &[u64]) -> Option<u64> {
        let (base, part) = name.rsplit_once('_')?;
        let single = base.ends_with('f');
        let c = match base {
            "mul" => "__muldc3".to_owned(),
            "div" => "__divdc3".to_owned(),
            "mulf" => "__mulsc3".to_owned(),
            "divf" => "__divsc3".to_owned(),
            other => format!("c{other}"),
        };
        let library = if c.starts_with('_') {
            &self.libgcc
        } else {
            &self.libm
        };
        let parts = if single {
            complex!(library, c, f32, a)
        } else {
            complex!(library, c, f64, a)
        };
        Some(parts[usize::from(part == "im")])
    }
}

impl Hosts for Libm {
    fn call(&self, host: &HostSymbol, a: &[u64]) -> Option<u64> {
        if let Some(name) = host.name.strip_prefix("parloop_complex_") {
            return self.complex(name, a);
        }
        use Scalar::{F32, F64, I32, I64};
        let (lib, name) = (&self.libm, CString::new(host.name.as_str()).ok()?);
        let name = name.as_bytes_with_nul();
        Some(match (host.params.as_slice(), host.result) {
            ([F64], F64) => call!(lib, name, a, f64 0 => f64),
            ([F32], F32) => call!(lib, name, a, f32 0 => f32),
            ([F64, F64], F64) => call!(lib, name, a, f64 0, f64 1 => f64),
            ([F32, F32], F32) => call!(lib, name, a, f32 0, f32 1 => f32),
            ([F64, F64, F64], F64) => call!(lib, name, a, f64 0, f64 1, f64 2 => f64),
            ([F32, F32, F32], F32) => call!(lib, name, a, f32 0, f32 1, f32 2 => f32),
            ([I32, F64], F64) => call!(lib, name, a, i32 0, f64 1 => f64),
            ([F64, I32], F64) => call!(lib, name, a, f64 0, i32 1 => f64),
            ([F32, I32], F32) => call!(lib, name, a, f32 0, i32 1 => f32),
            ([F64, I64], F64) => call!(lib, name, a, f64 0, i64 1 => f64),
            ([F32, I64], F32) => call!(lib, name, a, f32 0, i64 1 => f32),
            ([F64], I32) => call!(lib, name, a, f64 0 => i32),
            ([F32], I32) => call!(lib, name, a, f32 0 => i32),
            ([F64], I64) => call!(lib, name, a, f64 0 => i64),
            ([F32], I64) => call!(lib, name, a, f32 0 => i64),
            _ => return None,
        })
    }
}
