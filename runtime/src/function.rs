//! A kernel as a plain C function, for programs that do their own loops.
//!
//! Invariant: the pointer that a [`Function`] gives is to its kernel's code, compiled, cached and checked as a loop's is, and is
//! there as long as the `Function` or a clone of it. What it is called with is the caller's to get right, as with any C function.

use crate::code::{Code, Entry, Failure, take_failure};
use crate::engine::{Acquired, Engine, Explanation};
use crate::error::{Error, Fault};
use crate::kernel::Kernel;
use crate::par_loop::CodeSource;
use parloop_cache::Key;
use parloop_compiler::{
    Extent, Iteration, ParamInfo, Signature, abi, provisional_function_signature,
};
use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A kernel that C can call. A cheap `Send + Sync` handle, made by [`Engine::function`].
#[derive(Clone)]
pub struct Function {
    code: Arc<Code>,
    kernel: Kernel,
    name: Arc<str>,
    params: Arc<[ParamInfo]>,
    key: Key,
    source: CodeSource,
    acquire: Duration,
}

impl Engine {
    /// A kernel as a plain C function, compiled, cached and loaded as a loop is. No argument goes through a map here: pointers, and
    /// arrays of row pointers (`double **x`), are passed on as they are.
    ///
    /// `extents` tells, by parameter, how many values a pointer points to (`12.into()`), or how many row pointers there are, each
    /// to how many values (`[4, 2].into()`). What is 0 or left out is taken from what the text declares (`double A[12]`), else from
    /// what its indices can be seen to reach. The code never goes beyond an extent: an index that would, of a row or of a value in
    /// it, makes the call fail.
    ///
    /// # Errors
    /// [`Error::Extent`] if an index depends on data and no extent is given; [`Error::Compile`] if the kernel reads a kernel
    /// constant that is not specialised; [`Error::Text`], [`Error::Load`], [`Error::OtherEngine`] as for a loop.
    pub fn function(&self, kernel: &Kernel, extents: &[Extent]) -> Result<Function, Error> {
        let signature = signature(self, kernel, extents)?;
        let acquired = self.acquire(kernel, &signature, |_| Ok(()))?;
        Ok(Function::of(kernel, acquired))
    }

    /// Several kernels, each with extents, as plain C functions: what [`Engine::function`] gives for each, in this order. Those of
    /// a form, say, which a program needs all of before it can begin.
    ///
    /// What has to be compiled is compiled by as many threads as `compile_threads` says: by default one on each core that the
    /// process may use, which is one in all for a process bound to a core.
    pub fn functions(&self, wanted: &[(&Kernel, &[Extent])]) -> Vec<Result<Function, Error>> {
        let signature = |(kernel, extents): &(&Kernel, &[Extent])| signature(self, kernel, extents);
        let signatures: Vec<_> = wanted.iter().map(signature).collect();
        let sound = wanted.iter().zip(&signatures);
        let sound =
            sound.filter_map(|((kernel, _), signature)| Some((*kernel, signature.as_ref().ok()?)));
        let mut acquired = self
            .acquire_together(&sound.collect::<Vec<_>>())
            .into_iter();
        let function =
            |((kernel, _), signature): (&(&Kernel, &[Extent]), Result<Signature, Error>)| {
                signature?;
                let acquired = acquired.next().expect("each sound one is answered");
                Ok(Function::of(kernel, acquired?))
            };
        wanted.iter().zip(signatures).map(function).collect()
    }

    /// As [`Engine::explain`], for a kernel as a plain function.
    ///
    /// # Errors
    /// As [`Engine::function`], save what only compiling finds.
    pub fn explain_function(
        &self,
        kernel: &Kernel,
        extents: &[Extent],
    ) -> Result<Explanation, Error> {
        let signature = signature(self, kernel, extents)?;
        self.explain_signature(kernel, &signature, |_| Ok(()))
    }
}

/// The signature of a kernel of this engine, which the text completes.
fn signature(engine: &Engine, kernel: &Kernel, extents: &[Extent]) -> Result<Signature, Error> {
    if !kernel.belongs_to(engine) {
        return Err(Error::OtherEngine {
            kernel: kernel.label(),
        });
    }
    let signature: Signature = provisional_function_signature(extents);
    debug_assert_eq!(signature.iteration, Iteration::Function);
    Ok(signature)
}

impl Function {
    fn of(kernel: &Kernel, acquired: Acquired) -> Function {
        let record = &acquired.resolution.record;
        Function {
            name: record.name.as_str().into(),
            params: record.params.as_slice().into(),
            key: acquired.resolution.key,
            kernel: kernel.clone(),
            code: acquired.code,
            source: acquired.source,
            acquire: acquired.duration,
        }
    }

    /// The function, to be cast to a pointer of the kernel's own C prototype; valid while this handle or a clone of it lives.
    ///
    /// It may be called from many threads at once. It returns an `int` that a caller of the `void` prototype ignores: 0, or that it
    /// stopped, which [`Function::check`] explains. Each pointer must be aligned for its type and valid for its extent, save one
    /// that the kernel does not get to use; arrays may overlap where C lets them: no `restrict` pointer's, and those of types that
    /// may alias; rows as well, but no array of row pointers with anything that is written. After a failure the arrays it writes hold valid values that are not specified. A call may spend 2^32 steps in
    /// loops without a known length, whatever the engine's `steps_max`, which is for elements of loops.
    pub fn as_ptr(&self) -> *const c_void {
        let entry: Entry = self.code.entry();
        entry as *const c_void
    }

    /// What a returned status means. Call it on the thread that called the function, before it calls another.
    ///
    /// # Errors
    /// [`Error::Function`] with line and value, [`Error::OutOfMemory`].
    pub fn check(&self, status: i32) -> Result<(), Error> {
        if status == abi::OK as i32 {
            return Ok(());
        }
        let unknown = Failure {
            status: status as u32,
            site: u32::MAX,
            value: 0,
        };
        let failure = take_failure().filter(|failure| failure.status as i32 == status);
        let Failure {
            status,
            site,
            value,
        } = failure.unwrap_or(unknown);
        let kernel = self.name.to_string();
        if status == abi::OUT_OF_MEMORY {
            return Err(Error::OutOfMemory {
                kernel,
                bytes: usize::try_from(value).unwrap_or(0),
            });
        }
        let (line, column) = self.kernel.position(site);
        Err(Error::Function {
            kernel,
            line,
            column,
            what: Fault::of_status(status),
            value,
        })
    }

    /// The kernel's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Length of its object.
    pub fn object_bytes(&self) -> u64 {
        self.code.object_bytes()
    }

    /// Its parameters, as its author wrote them.
    pub fn params(&self) -> &[ParamInfo] {
        &self.params
    }

    /// The fingerprint of its code, as the cache directory names it.
    pub fn fingerprint(&self) -> String {
        self.key.to_string()
    }

    /// Where its code came from, and how long that took.
    pub fn source(&self) -> (CodeSource, Duration) {
        (self.source, self.acquire)
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({}, {:?})", self.name, self.code)
    }
}
