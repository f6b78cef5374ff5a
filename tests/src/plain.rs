//! A kernel as a plain function of pointers and row pointers, on memory of its own: in the interpreter, natively and through the C compiler.
//!
//! The kernel as checked, interpreted, is what is meant; the function after all passes, interpreted, and native code equal it in
//! strict mode, bit for bit, and so does C. In every mode native code equals the interpreter on what was compiled.

use crate::case::Front;
use crate::oracle::{Built, Libm, Passed, STRICT, build, call_function, have_cc};
use crate::ways::{Mode, STEPS, Stages, stages};
use crate::world::{bits, number};
use parloop::{Engine, Extent};
use parloop_compiler::ir::interp::{
    ArgBinding, Elements, Ended, KernelArg, KernelMemory, Memory, Pointer, run_kernel, run_loop,
};
use parloop_compiler::{
    ArgSignature, DType, FloatMode, KernelText, Signature, Source, abi, check_kernel,
    function_signature,
};
use std::ops::Range;

/// A kernel whose parameters are pointers, and what they point to.
#[derive(Clone, Debug)]
pub struct Plain {
    /// The C file.
    pub text: String,
    /// The function, where the text does not tell.
    pub function: Option<String>,
    /// By parameter, 0 where the text tells.
    pub extents: Vec<Extent>,
    /// Values of each buffer, as numbers of the first parameter's type that is in it.
    pub buffers: Vec<Vec<u8>>,
    /// By parameter.
    pub args: Vec<Passed>,
}

/// As bytes.
pub fn doubles(values: impl IntoIterator<Item = f64>) -> Vec<u8> {
    values.into_iter().flat_map(f64::to_le_bytes).collect()
}

/// As bytes.
pub fn ints(values: impl IntoIterator<Item = i32>) -> Vec<u8> {
    values.into_iter().flat_map(i32::to_le_bytes).collect()
}

/// Small numbers that are not whole.
pub fn some(count: usize) -> Vec<u8> {
    doubles((0..count).map(|k| 0.5 + (k * 7 % 11) as f64 / 13.0))
}

impl Plain {
    /// With the extents that its text tells.
    pub fn new(text: &str, buffers: Vec<Vec<u8>>, args: &[impl Clone + Into<Passed>]) -> Plain {
        Plain {
            text: text.to_owned(),
            function: None,
            extents: Vec::new(),
            buffers,
            args: args.iter().cloned().map(Into::into).collect(),
        }
    }

    /// With extents of the caller's.
    pub fn with_extents<T: Into<Extent>>(self, extents: impl IntoIterator<Item = T>) -> Plain {
        Plain {
            extents: extents.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// As checked, with its signature.
    pub fn front(&self) -> Front {
        let text = KernelText {
            text: &self.text,
            function: self.function.as_deref(),
            constants: &[],
            hosts: &[],
        };
        let checked = check_kernel(&text).unwrap_or_else(|e| panic!("{}: {e:?}", self.text));
        let signature = function_signature(&checked, &self.extents).unwrap();
        Front {
            checked,
            signature,
            constants: Vec::new(),
        }
    }

    /// The kernel as it is meant.
    pub fn meant(&self, front: &Front) -> (Ended, Vec<Vec<u8>>) {
        let pointer = |at: (usize, usize), arg: &ArgSignature| Pointer {
            buffer: at.0,
            offset: at.1 as u64,
            len: u64::from(arg.dim),
        };
        let arg = |(passed, arg): (&Passed, &ArgSignature)| match passed {
            Passed::Pointer(buffer, offset) => KernelArg::Pointer(pointer((*buffer, *offset), arg)),
            Passed::Rows(rows) => {
                let count = match arg.source {
                    Source::Rows(count) => count as usize,
                    other => panic!("rows for {other:?}"),
                };
                let rows = rows.iter().take(count);
                KernelArg::Rows(rows.map(|at| pointer(*at, arg)).collect())
            }
        };
        let mut memory = KernelMemory {
            buffers: self.buffers.clone(),
            args: self
                .args
                .iter()
                .zip(&front.signature.args)
                .map(arg)
                .collect(),
            constants: Vec::new(),
            steps: STEPS,
        };
        let kernel = &front.checked.kernel;
        let ended = run_kernel(kernel, &mut memory, Libm::here()).unwrap();
        (ended, memory.buffers)
    }

    /// What was compiled, interpreted.
    fn compiled(&self, stages: &Stages) -> (Ended, Vec<Vec<u8>>) {
        let binding = |passed: &Passed| match passed {
            Passed::Pointer(buffer, offset) => ArgBinding {
                buffer: *buffer,
                offset: *offset as u64,
                ..ArgBinding::default()
            },
            Passed::Rows(rows) => ArgBinding {
                rows: rows.iter().map(|at| (at.0, at.1 as u64)).collect(),
                ..ArgBinding::default()
            },
        };
        let mut memory = Memory {
            buffers: self.buffers.clone(),
            args: self.args.iter().map(binding).collect(),
            constants: Vec::new(),
            steps: STEPS,
        };
        let once = Elements::Range(0..1);
        let ended = run_loop(&stages.optimised, &mut memory, once, Libm::here()).unwrap();
        (ended, memory.buffers)
    }

    /// Its status, and what the function that the engine gives leaves.
    pub fn native(&self, mode: Mode) -> (i32, Vec<Vec<u8>>) {
        let builder = Engine::builder().options(mode.options).level(mode.level);
        let engine = builder.build().unwrap();
        let kernel = engine.kernel(&self.text, self.function.as_deref());
        let function = engine.function(&kernel, &self.extents).unwrap();
        let mut buffers = self.buffers.clone();
        let status = call_function(&function, &mut buffers, &self.args);
        (status, buffers)
    }

    fn c(&self, built: &Built, name: &str) -> Vec<Vec<u8>> {
        let mut buffers = self.buffers.clone();
        built.call(name, &mut buffers, &self.args);
        buffers
    }

    /// Runs it in all ways; panics where they differ.
    pub fn check(&self) {
        self.compare(&Mode::all(), true)
            .unwrap_or_else(|difference| panic!("{difference}"));
    }

    /// Runs it in these modes, and through C if C says what it means: its status, or where they differ.
    ///
    /// # Errors
    /// The text, the mode, and what differs.
    pub fn compare(&self, modes: &[Mode], with_c: bool) -> Result<u32, String> {
        let front = self.front();
        let (ended, meant) = self.meant(&front);
        // A call may spend more steps than the interpreter has patience for.
        if ended.status == abi::OUT_OF_STEPS {
            return Ok(ended.status);
        }
        for &mode in modes {
            let told = |what: &str| format!("{what} differ: {mode:?}, {self:?}\n{}", self.text);
            let stages = stages(&front, mode).map_err(|e| told(&e.to_string()))?;
            let (again, after) = self.compiled(&stages);
            let (status, ours) = self.native(mode);
            let strict = mode.options.float == FloatMode::Strict;
            // What is rounded otherwise may come to another end.
            let meant_so = !strict || again.status == ended.status;
            if status as u32 != again.status || !meant_so {
                let all = [ended.status, again.status, status as u32];
                return Err(told(&format!("the statuses {all:?}")));
            }
            if again.status != abi::OK {
                if strict && again.value != ended.value {
                    return Err(told("the offending values"));
                }
                continue;
            }
            if !self.same(&front.signature, &after, &ours) {
                return Err(told("what was compiled and native code"));
            }
            if strict && !self.same(&front.signature, &meant, &ours) {
                return Err(told("what is meant and native code"));
            }
        }
        if with_c && have_cc() && ended.status == abi::OK {
            let directory = tempfile::tempdir().unwrap();
            let built = build(directory.path(), "plain", &self.text, &STRICT);
            let theirs = self.c(&built, &front.checked.name);
            if !self.same(&front.signature, &meant, &theirs) {
                return Err(format!(
                    "what is meant and C differ: {self:?}\n{}",
                    self.text
                ));
            }
        }
        Ok(ended.status)
    }

    /// Whether buffers are the same, NaN payloads aside: they are nobody's promise, and what sees them as bytes may do anything.
    fn same(&self, signature: &Signature, one: &[Vec<u8>], other: &[Vec<u8>]) -> bool {
        let nan = |at: &Reached, buffers: &[Vec<u8>]| {
            let bytes = &buffers[at.buffer][at.bytes.clone()];
            number(at.dtype, bits(bytes)).is_some_and(f64::is_nan)
        };
        let reached = self.reached(signature);
        let (mut one, mut other) = (one.to_vec(), other.to_vec());
        for at in &reached {
            if nan(at, &one) && nan(at, &other) {
                if reached.iter().any(|b| at.is_part_of_another(b)) {
                    return true;
                }
                one[at.buffer][at.bytes.clone()].fill(0);
                other[at.buffer][at.bytes.clone()].fill(0);
            }
        }
        one == other
    }

    fn reached(&self, signature: &Signature) -> Vec<Reached> {
        let mut reached = Vec::new();
        for (passed, arg) in self.args.iter().zip(&signature.args) {
            let starts = match passed {
                Passed::Pointer(buffer, offset) => &vec![(*buffer, *offset)],
                Passed::Rows(rows) => rows,
            };
            for (buffer, start) in starts {
                let bytes = arg.dtype.bytes();
                let values = (0..arg.dim as usize).map(|k| start + k * bytes);
                let within = values.take_while(|at| at + bytes <= self.buffers[*buffer].len());
                reached.extend(within.map(|at| Reached {
                    buffer: *buffer,
                    bytes: at..at + bytes,
                    dtype: arg.dtype,
                }));
            }
        }
        reached
    }
}

/// A value that an argument reaches.
struct Reached {
    buffer: usize,
    bytes: Range<usize>,
    dtype: DType,
}

impl Reached {
    /// Whether `other` has some of its bytes as values of another type.
    fn is_part_of_another(&self, other: &Reached) -> bool {
        let (a, b) = (&self.bytes, &other.bytes);
        self.buffer == other.buffer
            && self.dtype != other.dtype
            && a.start < b.end
            && b.start < a.end
    }
}
