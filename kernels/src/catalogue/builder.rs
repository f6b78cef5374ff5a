//! Puts loops together, and remembers what they write.

use crate::app::{AppError, AppLoop};
use crate::draw::Draw;
use parloop::{Arg, Dat, Engine, Global, Set};
use std::borrow::Cow;

/// What loops write, to be put back.
#[derive(Debug)]
pub(super) enum Kept {
    /// Of doubles, zero at first.
    Dat(Dat),
    /// Of floats, zero at first.
    Floats(Dat),
    /// Of one float, and its first value.
    Lowest(Global, f32),
}

pub(super) struct Builder<'a> {
    pub(super) engine: &'a Engine,
    pub(super) loops: Vec<AppLoop>,
    pub(super) kept: Vec<Kept>,
}

impl Builder<'_> {
    /// Adds a loop of a function of a text.
    pub(super) fn add(
        &mut self,
        label: &str,
        function: &'static str,
        text: impl Into<Cow<'static, str>>,
        set: &Set,
        args: &[Arg<'_>],
    ) -> Result<(), AppError> {
        let text = text.into();
        let kernel = self.engine.kernel(&text, Some(function));
        let prepared = self.engine.prepare(&kernel, set, args)?;
        self.loops.push(AppLoop {
            label: label.to_owned(),
            elements: set.size(),
            function,
            file: "catalogue",
            text,
            prepared,
        });
        Ok(())
    }
}

/// Numbers between a half and one and a half, the same each time.
pub(super) fn numbers(count: usize) -> Vec<f64> {
    let mut draw = Draw {
        state: count as u64,
    };
    let mut number = || 0.5 + draw.below(1 << 20) as f64 / (1u64 << 20) as f64;
    (0..count).map(|_| number()).collect()
}
