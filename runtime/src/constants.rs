//! Kernel constants: values that kernels name, owned by an engine (OP2's `op_decl_const`).
//!
//! Invariant: a value is never changed in place; setting one replaces it and then raises the version, so a loop that has seen
//! the current version runs with the current values. What the front end reads, names, types and folded values, is a list of
//! its own with a generation: code made from an older generation may be out of date.

use crate::data::Real;
use crate::fork::Section;
use parloop_compiler::{ConstantDecl, DType};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Why a kernel constant could not be declared or set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConstantError {
    /// Not a C identifier.
    #[error("`{name}` is no name for a kernel constant; use letters, digits and `_`")]
    Name {
        /// The name.
        name: String,
    },
    /// No values, or more than a kernel can index.
    #[error("kernel constant `{name}`: {found} values are not possible; give from 1 to 2^32 - 1")]
    Length {
        /// Its name.
        name: String,
        /// What was given.
        found: usize,
    },
    /// Declared before, with another type or number of values.
    #[error("kernel constant `{name}` is {expected_dim} x {expected}, not {found_dim} x {found}")]
    Differs {
        /// Its name.
        name: String,
        /// Type it was declared with.
        expected: DType,
        /// Values it was declared with.
        expected_dim: usize,
        /// Type given now.
        found: DType,
        /// Values given now.
        found_dim: usize,
    },
    /// Never declared.
    #[error("there is no kernel constant `{name}`; declare it first")]
    Unknown {
        /// The name.
        name: String,
    },
}

/// The value of a constant at some version.
#[derive(Debug)]
pub(crate) struct ConstantValue {
    /// The values' bytes, from the first word on.
    words: Box<[u64]>,
}

impl ConstantValue {
    fn of<T: Real>(values: &[T]) -> ConstantValue {
        let size = size_of::<T>();
        let mut words = vec![0u64; size_of_val(values).div_ceil(8)];
        // Values are naturally aligned in words: 8 is a multiple of their size.
        for (i, value) in values.iter().enumerate() {
            let bit = i * size % 8 * 8;
            let bit = if cfg!(target_endian = "big") {
                64 - 8 * size - bit
            } else {
                bit
            };
            words[i * size / 8] |= value.bits() << bit;
        }
        ConstantValue {
            words: words.into(),
        }
    }

    /// The values' bytes, and zeros up to a whole word.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.words
            .iter()
            .flat_map(|word| word.to_ne_bytes())
            .collect()
    }

    /// The address of the first value.
    pub(crate) fn base(&self) -> *const u8 {
        self.words.as_ptr().cast()
    }
}

/// Values of some constants at one moment.
pub(crate) struct Snapshot {
    /// Of all values.
    pub(crate) version: u64,
    /// Of what the front end reads.
    pub(crate) generation: u64,
    pub(crate) values: Vec<Arc<ConstantValue>>,
}

struct Constant {
    dtype: DType,
    dim: u32,
    bits: Vec<u64>,
    value: Arc<ConstantValue>,
    specialised: bool,
}

#[derive(Default)]
struct State {
    by_name: BTreeMap<Box<str>, Constant>,
    declarations: Arc<Vec<ConstantDecl>>,
    generation: u64,
}

/// The constants of an engine.
#[derive(Default)]
pub(crate) struct Constants {
    version: AtomicU64,
    /// No process forks while it is locked.
    state: RwLock<State>,
}

/// A lock held, and until it is given up no fork.
struct Held<G> {
    guard: G,
    _section: Section,
}

impl<G: Deref> Deref for Held<G> {
    type Target = G::Target;

    fn deref(&self) -> &G::Target {
        &self.guard
    }
}

impl<G: DerefMut> DerefMut for Held<G> {
    fn deref_mut(&mut self) -> &mut G::Target {
        &mut self.guard
    }
}

impl Constants {
    /// Raised by every change; a loop that has seen it has the current values.
    #[inline]
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// What the front end reads, by name, and its generation.
    pub(crate) fn declarations(&self) -> (u64, Arc<Vec<ConstantDecl>>) {
        let state = self.read();
        (state.generation, state.declarations.clone())
    }

    /// The values of `names` now; `None` if one is not declared.
    pub(crate) fn snapshot(&self, names: &[String]) -> Option<Snapshot> {
        let state = self.read();
        let value = |name: &String| state.by_name.get(name.as_str()).map(|c| c.value.clone());
        let values = names.iter().map(value).collect::<Option<Vec<_>>>()?;
        let version = self.version.load(Ordering::Relaxed);
        Some(Snapshot {
            version,
            generation: state.generation,
            values,
        })
    }

    /// Declares a constant, or sets it if it is declared with this type and number of values.
    pub(crate) fn declare<T: Real>(&self, name: &str, values: &[T]) -> Result<(), ConstantError> {
        if !is_identifier(name) {
            return Err(ConstantError::Name {
                name: name.to_owned(),
            });
        }
        let dim = match u32::try_from(values.len()) {
            Ok(dim @ 1..) => dim,
            _ => {
                return Err(ConstantError::Length {
                    name: name.to_owned(),
                    found: values.len(),
                });
            }
        };
        let mut state = self.lock();
        if state.by_name.contains_key(name) {
            return self.replace(state, name, values);
        }
        let bits = values.iter().map(|v| v.bits()).collect();
        let value = Arc::new(ConstantValue::of(values));
        let constant = Constant {
            dtype: T::DTYPE,
            dim,
            bits,
            value,
            specialised: false,
        };
        state.by_name.insert(name.into(), constant);
        self.redeclared(&mut state);
        Ok(())
    }

    /// Gives a declared constant another value.
    pub(crate) fn set<T: Real>(&self, name: &str, values: &[T]) -> Result<(), ConstantError> {
        self.replace(self.lock(), name, values)
    }

    fn replace<T: Real>(
        &self,
        mut state: Held<RwLockWriteGuard<'_, State>>,
        name: &str,
        values: &[T],
    ) -> Result<(), ConstantError> {
        let Some(constant) = state.by_name.get_mut(name) else {
            return Err(ConstantError::Unknown {
                name: name.to_owned(),
            });
        };
        if constant.dtype != T::DTYPE || constant.dim as usize != values.len() {
            return Err(ConstantError::Differs {
                name: name.to_owned(),
                expected: constant.dtype,
                expected_dim: constant.dim as usize,
                found: T::DTYPE,
                found_dim: values.len(),
            });
        }
        constant.bits = values.iter().map(|v| v.bits()).collect();
        constant.value = Arc::new(ConstantValue::of(values));
        if constant.specialised {
            self.redeclared(&mut state);
        } else {
            self.changed();
        }
        Ok(())
    }

    /// Folds the value of a constant into code from now on, or no longer.
    pub(crate) fn specialise(&self, name: &str, fold: bool) -> Result<(), ConstantError> {
        let mut state = self.lock();
        let Some(constant) = state.by_name.get_mut(name) else {
            return Err(ConstantError::Unknown {
                name: name.to_owned(),
            });
        };
        if constant.specialised != fold {
            constant.specialised = fold;
            self.redeclared(&mut state);
        }
        Ok(())
    }

    /// Has all code looked for anew that was acquired before, as if a declaration had changed.
    pub(crate) fn outdate(&self) {
        let mut state = self.lock();
        state.generation += 1;
        self.changed();
    }

    /// What the front end reads has changed.
    fn redeclared(&self, state: &mut State) {
        let declaration = |name: &str, constant: &Constant| ConstantDecl {
            name: name.to_owned(),
            dtype: constant.dtype,
            dim: constant.dim,
            specialised: constant.specialised.then(|| constant.bits.clone()),
        };
        state.declarations = Arc::new(
            state
                .by_name
                .iter()
                .map(|(name, c)| declaration(name, c))
                .collect(),
        );
        state.generation += 1;
        self.changed();
    }

    /// Called under the lock, after the change.
    fn changed(&self) {
        self.version.fetch_add(1, Ordering::Release);
    }

    fn read(&self) -> Held<RwLockReadGuard<'_, State>> {
        let _section = Section::enter();
        let guard = self.state.read().unwrap_or_else(PoisonError::into_inner);
        Held { guard, _section }
    }

    fn lock(&self) -> Held<RwLockWriteGuard<'_, State>> {
        let _section = Section::enter();
        let guard = self.state.write().unwrap_or_else(PoisonError::into_inner);
        Held { guard, _section }
    }
}

fn is_identifier(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    let mut chars = name.chars();
    chars.next().is_some_and(letter) && chars.all(|c| letter(c) || c.is_ascii_digit())
}
