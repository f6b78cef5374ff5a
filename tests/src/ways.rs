//! Two ways to run a case: its IR in the interpreter, and natively through an engine.

use crate::case::{Case, Constant, Front, MapKind, Path};
use crate::oracle::Libm;
use crate::world::{Over, Values, World};
use num_complex::Complex;
use parloop::{
    Arg, Dat, Engine, Error, Fault, Global, Kernel, Map, PreparedLoop, Set, element_index,
};
use parloop_compiler::ir::interp::{
    ArgBinding, Elements, InterpError, MapBinding, Memory, run_loop,
};
use parloop_compiler::ir::{Loop, read_loop};
use parloop_compiler::{
    Access, CompileError, DType, Effort, FloatMode, IndexWidth, Level, Options, Preimage, Request,
    Stage, Target, Watch, abi, compile_watched,
};
use std::fmt;

/// Steps that an element may spend, in every way of running.
pub const STEPS: u64 = 10_000;

/// Choices of a compilation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mode {
    /// Options.
    pub options: Options,
    /// CPU features.
    pub level: Level,
}

impl Mode {
    /// The highest level of this host, strict or not.
    pub fn native(float: FloatMode) -> Mode {
        let level = host_levels().pop().unwrap();
        let options = Options {
            float,
            ..Options::default()
        };
        Mode { options, level }
    }

    /// Modes that differ in all that chooses code.
    pub fn all() -> Vec<Mode> {
        let mut modes = Vec::new();
        for float in [
            FloatMode::Strict,
            FloatMode::Contract,
            FloatMode::Reassociate,
        ] {
            let native = Mode::native(float);
            modes.push(native);
            let choices = [
                (native.level, 0, Effort::Speed, 1),
                (host_levels()[0], 4, Effort::None, 1),
                (native.level, 16, Effort::Speed, 2),
            ];
            for (level, unroll, effort, lanes) in choices {
                let options = Options {
                    float,
                    effort,
                    lanes,
                    unroll,
                };
                modes.push(Mode { options, level });
            }
        }
        modes
    }
}

/// The levels that this host runs, from the lowest.
pub fn host_levels() -> Vec<Level> {
    let runs = |level: &Level| Engine::builder().level(*level).build().is_ok();
    Level::ALL.into_iter().filter(runs).collect()
}

/// How a run ended, and what it left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// The dats and globals, by slot, little-endian.
    pub data: Vec<Vec<u8>>,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// All elements ran.
    Done,
    /// The kernel stopped.
    Stopped {
        /// A status of `abi`.
        status: u32,
        /// The element.
        element: u64,
        /// The offending value.
        value: i64,
        /// The line of the text.
        line: Option<u32>,
    },
}

/// A loop at some stages of its compilation, read back from what was printed.
#[derive(Clone, Debug)]
pub struct Stages {
    /// As wrapped, before passes.
    pub wrapped: Loop,
    /// With its accesses checked.
    pub guarded: Loop,
    /// After all passes.
    pub optimised: Loop,
    /// What it was compiled from.
    pub preimage: Preimage,
    /// The object.
    pub object: Vec<u8>,
}

#[derive(Default)]
struct Printed(Vec<(Stage, String)>);

impl Watch for Printed {
    fn passed(&mut self, stage: Stage, result: &dyn fmt::Display) {
        if !matches!(stage, Stage::Clif | Stage::Object) {
            self.0.push((stage, result.to_string()));
        }
    }
}

/// The request of a case.
pub fn request(front: &Front, mode: Mode) -> Request {
    Request {
        kernel: front.checked.kernel.clone(),
        signature: front.signature.clone(),
        options: mode.options,
        target: Target { level: mode.level },
    }
}

/// Compiles a case and keeps what its stages print.
///
/// # Errors
/// The compiler's.
pub fn stages(front: &Front, mode: Mode) -> Result<Stages, CompileError> {
    let request = request(front, mode);
    let mut printed = Printed::default();
    let compiled = compile_watched(&request, &mut printed)?;
    let read = |stage: Stage| {
        let text = &printed.0.iter().find(|(s, _)| *s == stage).unwrap().1;
        let again = read_loop(text).unwrap_or_else(|e| panic!("{}: {e}\n{text}", stage.name()));
        assert_eq!(
            again.to_string(),
            *text,
            "what is read back prints the same"
        );
        again
    };
    Ok(Stages {
        wrapped: read(Stage::Wrapped),
        guarded: read(Stage::Guarded),
        optimised: read(Stage::Optimised),
        preimage: Preimage::of(&request),
        object: compiled.object,
    })
}

fn constant_bytes(constant: &Constant) -> Vec<u8> {
    let size = constant.dtype.bytes();
    let bytes = constant
        .bits
        .iter()
        .flat_map(|b| b.to_le_bytes().into_iter().take(size));
    bytes.collect()
}

/// The bytes of the constants that a kernel reads, by slot.
pub fn constants_by_slot(case: &Case, front: &Front) -> Vec<Vec<u8>> {
    let named = |name: &String| case.constants.iter().find(|c| c.name == *name).unwrap();
    let names = front.checked.constants.iter();
    names.map(|name| constant_bytes(named(name))).collect()
}

/// Runs a loop in the interpreter.
///
/// # Errors
/// The interpreter's: the loop is unsound, or an access that no guard stopped left its place.
pub fn interpret(
    case: &Case,
    front: &Front,
    looped: &Loop,
    world: &World,
    over: &Over,
) -> Result<Outcome, InterpError> {
    let maps = case.maps();
    let binding = |arg: &crate::case::ArgSpec| ArgBinding {
        buffer: world
            .data
            .iter()
            .position(|d| d.name == arg.data)
            .unwrap_or(0),
        offset: 0,
        rows: Vec::new(),
        map: match arg.path {
            Path::At(map, _) | Path::Through(map) => {
                let slot = maps.iter().position(|m| *m == map).unwrap();
                let entries = world.maps[slot].1.as_slice().into();
                Some(MapBinding { entries })
            }
            _ => None,
        },
    };
    let mut memory = Memory {
        buffers: world.data.iter().map(|d| d.bytes.clone()).collect(),
        args: case.args.iter().map(binding).collect(),
        constants: constants_by_slot(case, front),
        steps: STEPS,
    };
    let elements = match over {
        Over::All => Elements::Range(0..u64::from(world.size)),
        Over::Range(begin, end) => Elements::Range(u64::from(*begin)..u64::from(*end)),
        Over::List(list) => Elements::List(list),
    };
    let ended = run_loop(looped, &mut memory, elements, Libm::here())?;
    let end = match ended.status {
        abi::OK => End::Done,
        status => End::Stopped {
            status,
            element: ended.element,
            value: ended.value,
            line: front
                .checked
                .sites
                .get(ended.site as usize)
                .map(|span| span.line(&case.text)),
        },
    };
    Ok(Outcome {
        end,
        data: memory.buffers,
    })
}

/// Calls `$body` with `$T` as the Rust type of a dtype.
#[macro_export]
macro_rules! with_type {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            parloop::DType::F64 => {
                type $T = f64;
                $body
            }
            parloop::DType::F32 => {
                type $T = f32;
                $body
            }
            parloop::DType::I8 => {
                type $T = i8;
                $body
            }
            parloop::DType::U8 => {
                type $T = u8;
                $body
            }
            parloop::DType::I16 => {
                type $T = i16;
                $body
            }
            parloop::DType::U16 => {
                type $T = u16;
                $body
            }
            parloop::DType::I32 => {
                type $T = i32;
                $body
            }
            parloop::DType::U32 => {
                type $T = u32;
                $body
            }
            parloop::DType::I64 => {
                type $T = i64;
                $body
            }
            parloop::DType::U64 => {
                type $T = u64;
                $body
            }
            other => panic!("no data of type {other}"),
        }
    };
}

/// As `with_type`, for all that dats may hold.
macro_rules! with_value {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            DType::C64 => {
                type $T = Complex<f32>;
                $body
            }
            DType::C128 => {
                type $T = Complex<f64>;
                $body
            }
            real => with_type!(real, $T => $body),
        }
    };
}

/// A case in an engine: what runs in every world.
#[derive(Debug)]
pub struct Native {
    /// The engine.
    pub engine: Engine,
    kernel: Kernel,
    case: Case,
}

/// A dat or a global.
enum Held {
    Dat(Dat),
    Global(Global),
}

impl Native {
    /// A case in an engine of its own, which keeps code in memory only.
    pub fn new(case: &Case, mode: Mode) -> Native {
        let builder = Engine::builder().options(mode.options).level(mode.level);
        let engine = builder.steps_max(STEPS).build().unwrap();
        Native::with(engine, case)
    }

    /// A case in an engine.
    pub fn with(engine: Engine, case: &Case) -> Native {
        for constant in &case.constants {
            with_type!(constant.dtype, T => {
                let bytes = constant_bytes(constant);
                let values: Vec<T> = numbers(&bytes);
                engine.declare_constant(&constant.name, &values).unwrap();
            });
            engine.specialise(&constant.name, constant.folded).unwrap();
        }
        let kernel = engine.kernel(&case.text, case.function.as_deref());
        Native {
            engine,
            kernel,
            case: case.clone(),
        }
    }

    /// Runs it.
    ///
    /// # Errors
    /// All but those of a kernel that stopped, which are an outcome.
    pub fn run(&self, world: &World, over: &Over) -> Result<Outcome, Error> {
        let (held, mut prepared) = self.prepare(world)?;
        let ran = match over {
            Over::All => prepared.run(),
            Over::Range(begin, end) => prepared.run_range(*begin as usize, *end as usize),
            Over::List(list) => prepared.run_list(list),
        };
        let end = match ran {
            Ok(()) => End::Done,
            Err(Error::Kernel {
                line,
                element,
                what,
                value,
                ..
            }) => End::Stopped {
                status: match what {
                    Fault::DivisionByZero => abi::DIVISION_BY_ZERO,
                    Fault::OutOfSteps => abi::OUT_OF_STEPS,
                    _ => abi::BAD_INDEX,
                },
                element,
                value,
                line,
            },
            Err(error) => return Err(error),
        };
        let data = world
            .data
            .iter()
            .zip(&held)
            .map(|(values, held)| read(values, held));
        Ok(Outcome {
            end,
            data: data.collect(),
        })
    }

    /// The fingerprint that the engine has for it.
    ///
    /// # Errors
    /// As preparing it.
    pub fn fingerprint(&self, world: &World) -> Result<String, Error> {
        Ok(self.prepare(world)?.1.fingerprint())
    }

    fn prepare(&self, world: &World) -> Result<(Vec<Held>, PreparedLoop), Error> {
        let set = Set::new("elements", world.size as usize).unwrap();
        let targets = Set::new("targets", world.targets as usize).unwrap();
        let maps: Vec<Map> = world
            .maps
            .iter()
            .map(|m| map(&set, &targets, m.0, &m.1))
            .collect();
        let held: Vec<Held> = world
            .data
            .iter()
            .map(|d| hold(&self.engine, &set, &targets, d))
            .collect();
        let kinds = self.case.maps();
        let of = |map: MapKind| &maps[kinds.iter().position(|m| *m == map).unwrap()];
        let args: Vec<Arg<'_>> = self
            .case
            .args
            .iter()
            .map(|arg| {
                if arg.path == Path::Element {
                    return element_index();
                }
                let slot = world.data.iter().position(|d| d.name == arg.data).unwrap();
                let plain = accessed(&held[slot], arg.access);
                match arg.path {
                    Path::At(map, entry) => plain.at(of(map), usize::from(entry)),
                    Path::Through(map) => plain.through(of(map)),
                    _ => plain,
                }
            })
            .collect();
        let prepared = match self.case.conflicts {
            true => self.engine.prepare_conflicting(&self.kernel, &set, &args)?,
            false => self.engine.prepare(&self.kernel, &set, &args)?,
        };
        Ok((held, prepared))
    }
}

fn map(from: &Set, to: &Set, kind: MapKind, entries: &[i64]) -> Map {
    let (name, arity) = (kind.name(), usize::from(kind.arity()));
    let narrow = || entries.iter().map(|e| *e as i32).collect::<Vec<i32>>();
    match (kind.width(), kind.partial()) {
        (IndexWidth::I32, false) => Map::new(name, from, to, arity, narrow()),
        (IndexWidth::I64, false) => Map::new(name, from, to, arity, entries),
        (IndexWidth::I32, true) => Map::partial(name, from, to, arity, narrow()),
        (IndexWidth::I64, true) => Map::partial(name, from, to, arity, entries),
    }
    .unwrap()
}

fn hold(engine: &Engine, set: &Set, targets: &Set, values: &Values) -> Held {
    let (name, dim) = (values.name.as_str(), values.dim as usize);
    with_value!(values.dtype, T => {
        let numbers: Vec<T> = numbers(&values.bytes);
        match values.path {
            Path::Global => Held::Global(engine.global(name, &numbers).unwrap()),
            Path::Direct | Path::Element => Held::Dat(engine.dat(set, name, dim, &numbers).unwrap()),
            Path::At(..) | Path::Through(_) => Held::Dat(engine.dat(targets, name, dim, &numbers).unwrap()),
        }
    })
}

fn accessed(held: &Held, access: Access) -> Arg<'_> {
    macro_rules! arg {
        ($data:expr) => {
            match access {
                Access::Read => $data.read(),
                Access::Write => $data.write(),
                Access::Rw => $data.rw(),
                Access::Inc => $data.inc(),
                Access::Min => $data.min(),
                Access::Max => $data.max(),
            }
        };
    }
    match held {
        Held::Dat(dat) => arg!(dat),
        Held::Global(global) => arg!(global),
    }
}

fn read(values: &Values, held: &Held) -> Vec<u8> {
    with_value!(values.dtype, T => {
        let data = match held {
            Held::Dat(dat) => dat.data::<T>(),
            Held::Global(global) => global.data::<T>(),
        };
        data.unwrap().iter().flat_map(|v| v.to_bytes()).collect()
    })
}

/// A number that is kept as little-endian bytes.
pub trait Number: Copy {
    /// From its bytes.
    fn from_bytes(bytes: &[u8]) -> Self;
    /// Its bytes.
    fn to_bytes(self) -> Vec<u8>;
}

macro_rules! numbers {
    ($($T:ty)*) => {$(
        impl Number for $T {
            fn from_bytes(bytes: &[u8]) -> $T {
                <$T>::from_le_bytes(bytes.try_into().unwrap())
            }

            fn to_bytes(self) -> Vec<u8> {
                self.to_le_bytes().to_vec()
            }
        }
    )*};
}

impl<T: Number> Number for Complex<T> {
    fn from_bytes(bytes: &[u8]) -> Complex<T> {
        let (re, im) = bytes.split_at(bytes.len() / 2);
        Complex::new(T::from_bytes(re), T::from_bytes(im))
    }

    fn to_bytes(self) -> Vec<u8> {
        [self.re.to_bytes(), self.im.to_bytes()].concat()
    }
}

numbers! { f64 f32 i8 u8 i16 u16 i32 u32 i64 u64 }

/// Bytes as numbers.
pub fn numbers<T: Number>(bytes: &[u8]) -> Vec<T> {
    bytes
        .chunks_exact(size_of::<T>())
        .map(T::from_bytes)
        .collect()
}

/// The size of a value of a type, for those who only have the type.
pub fn size(dtype: DType) -> usize {
    dtype.bytes()
}
