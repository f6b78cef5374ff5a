//! What the apps have in common: loops that are prepared once, and an iteration that runs them in turn.
//!
//! Whoever drives an app may put himself between the iteration and its loops, to time them or to run them otherwise:
//! [`App::iterate_with`] hands him each loop when it is due. An app keeps its dats and globals; the loops hold them too.

use crate::text::KernelText;
use parloop::{
    ConstantError, DataError, Error, Global, MeshError, PreparedLoop, RenumberError, Value,
};
use std::borrow::Cow;

/// Why an app could not be set up or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// Its mesh is not one.
    #[error(transparent)]
    Mesh(#[from] MeshError),
    /// Its sets could not be renumbered.
    #[error(transparent)]
    Order(#[from] RenumberError),
    /// Its data could not be made or looked at.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A kernel constant could not be declared.
    #[error(transparent)]
    Constant(#[from] ConstantError),
    /// A loop could not be prepared or run.
    #[error(transparent)]
    Loop(#[from] Error),
}

/// A loop of an app, ready to run, and what it was made from.
#[derive(Debug)]
pub struct AppLoop {
    /// What reports call it: the kernel's name, with a type where an app has several.
    pub label: String,
    /// Elements of a call.
    pub elements: usize,
    /// The kernel's C function.
    pub function: &'static str,
    /// File name to show in diagnostics.
    pub file: &'static str,
    /// The kernel's C text.
    pub text: Cow<'static, str>,
    /// The loop itself.
    pub prepared: PreparedLoop,
}

impl AppLoop {
    pub(crate) fn new(kernel: &KernelText, elements: usize, prepared: PreparedLoop) -> AppLoop {
        AppLoop {
            label: kernel.function.to_owned(),
            elements,
            function: kernel.function,
            file: kernel.file,
            text: Cow::Borrowed(kernel.source),
            prepared,
        }
    }
}

/// Elements of the sets that the field's reports name; 0 for a set that an app does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sizes {
    /// Nodes.
    pub nodes: usize,
    /// Cells.
    pub cells: usize,
    /// Interior edges.
    pub edges: usize,
    /// Boundary edges.
    pub bedges: usize,
}

/// Is handed each loop of an iteration when it is due, with its place in [`App::loops`], and runs it.
pub type Runner<'a> = dyn FnMut(usize, &mut PreparedLoop) -> Result<(), Error> + 'a;

/// An iteration of loops over a mesh.
pub trait App {
    /// Its loops, in the order in which an iteration first runs them.
    fn loops(&self) -> &[AppLoop];

    /// The same, to run one by itself.
    fn loops_mut(&mut self) -> &mut [AppLoop];

    /// Sizes of its sets.
    fn sizes(&self) -> Sizes;

    /// Puts all data back to where it was when the app was made.
    ///
    /// # Errors
    /// [`AppError::Data`] while somebody else holds a dat.
    fn reset(&mut self) -> Result<(), AppError>;

    /// One iteration, each loop run by `run`. Gives the number that the app reports.
    ///
    /// # Errors
    /// What `run` returns; [`AppError::Data`] while somebody else holds a global.
    fn iterate_with(&mut self, run: &mut Runner<'_>) -> Result<f64, AppError>;

    /// One iteration. Gives the number that the app reports.
    ///
    /// # Errors
    /// As [`App::iterate_with`].
    fn iterate(&mut self) -> Result<f64, AppError> {
        self.iterate_with(&mut |_, prepared| prepared.run())
    }

    /// Runs `iterations` iterations; gives (iteration, number) at each multiple of `every` and at the last one.
    ///
    /// # Errors
    /// As [`App::iterate_with`].
    fn history(&mut self, iterations: usize, every: usize) -> Result<Vec<(usize, f64)>, AppError> {
        let mut history = Vec::new();
        for iteration in 1..=iterations {
            let number = self.iterate()?;
            if iteration % every.max(1) == 0 || iteration == iterations {
                history.push((iteration, number));
            }
        }
        Ok(history)
    }
}

/// Runs loop `index` of `loops` by way of `run`.
pub(crate) fn run_loop(
    loops: &mut [AppLoop],
    index: usize,
    run: &mut Runner<'_>,
) -> Result<(), AppError> {
    Ok(run(index, &mut loops[index].prepared)?)
}

/// Sets the only value of a global.
pub(crate) fn set<T: Value>(global: &Global, value: T) -> Result<(), DataError> {
    global.data_mut::<T>()?[0] = value;
    Ok(())
}

/// The only value of a global.
pub(crate) fn get<T: Value>(global: &Global) -> Result<T, DataError> {
    Ok(global.data::<T>()?[0])
}
