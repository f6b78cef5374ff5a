//! reduce on the runtime: its five loops, for each of the element types asked for.
//!
//! Sums on nodes go on from iteration to iteration and wrap in integers; all else is the same after each iteration.

use super::mesh::{Network, values};
use super::reference::Globals;
use super::{Element, ElementType, GAP, GLOBALS, HIGH_ENDS, LOW_ENDS, SUM_ENDS, text};
use crate::app::{App, AppError, AppLoop, Runner, Sizes, get, run_loop, set};
use crate::text::KernelText;
use parloop::{Arg, Dat, Engine, Global, Map, Set, Value};
use std::borrow::Cow;

/// Seed of the edges' values.
const SEED: u64 = 11;

/// An element type that the runtime holds too.
pub trait Reducible: Element + Value {
    /// The value as `double`, rounded where it does not fit.
    fn to_f64(self) -> f64;
}

macro_rules! reducible {
    ($($rust:ty)*) => {$(
        impl Reducible for $rust {
            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    )*};
}

reducible! { f64 f32 i64 i32 i16 i8 u64 u32 u16 u8 }

/// Calls `$function::<T>($args)` with the Rust type of an element type.
macro_rules! with_type {
    ($element:expr, $function:ident($($args:expr),*)) => {
        match $element {
            ElementType::F64 => $function::<f64>($($args),*),
            ElementType::F32 => $function::<f32>($($args),*),
            ElementType::I64 => $function::<i64>($($args),*),
            ElementType::I32 => $function::<i32>($($args),*),
            ElementType::I16 => $function::<i16>($($args),*),
            ElementType::I8 => $function::<i8>($($args),*),
            ElementType::U64 => $function::<u64>($($args),*),
            ElementType::U32 => $function::<u32>($($args),*),
            ElementType::U16 => $function::<u16>($($args),*),
            ElementType::U8 => $function::<u8>($($args),*),
        }
    };
}

/// The data of one element type.
#[derive(Debug)]
pub struct Results {
    /// The type.
    pub element: ElementType,
    /// Values of the edges, which all loops but `gap` reduce.
    pub v: Dat,
    /// On nodes: what `sum_ends` adds up.
    pub sums: Dat,
    /// On nodes: what `low_ends` lowers.
    pub lows: Dat,
    /// On nodes: what `high_ends` raises, and `gap` reads.
    pub highs: Dat,
    /// On edges: what `gap` writes.
    pub width: Dat,
    sum: Global,
    low: Global,
    high: Global,
    widest: Global,
}

impl Results {
    /// What `globals` left. `T` is the Rust type of `element`.
    ///
    /// # Errors
    /// [`AppError::Data`] for another type, or while somebody else writes the globals.
    pub fn globals<T: Reducible>(&self) -> Result<Globals<T>, AppError> {
        Ok(Globals {
            sum: get(&self.sum)?,
            low: get(&self.low)?,
            high: get(&self.high)?,
        })
    }

    /// What `gap` left in its global. `T` is the Rust type of `element`.
    ///
    /// # Errors
    /// As [`Results::globals`].
    pub fn widest<T: Reducible>(&self) -> Result<T, AppError> {
        Ok(get(&self.widest)?)
    }
}

/// reduce, ready to run.
#[derive(Debug)]
pub struct Reduce {
    sizes: Sizes,
    results: Vec<Results>,
    loops: Vec<AppLoop>,
}

impl Reduce {
    /// Sets reduce up on `network` for these types, and gets the code of five loops for each.
    ///
    /// # Errors
    /// [`AppError`].
    pub fn new(
        engine: &Engine,
        network: &Network,
        types: &[ElementType],
    ) -> Result<Reduce, AppError> {
        let nodes = Set::new("nodes", network.nnode)?;
        let edges = Set::new("edges", network.nedge())?;
        let ends = Map::new("ends", &edges, &nodes, 2, network.edges.as_slice())?;
        let mut reduce = Reduce {
            sizes: Sizes {
                nodes: network.nnode,
                edges: network.nedge(),
                ..Sizes::default()
            },
            results: Vec::new(),
            loops: Vec::new(),
        };
        for element in types {
            let results = with_type!(*element, make(engine, &nodes, &edges))?;
            reduce
                .loops
                .extend(prepare(engine, &results, &edges, &ends)?);
            reduce.results.push(results);
        }
        reduce.reset()?;
        Ok(reduce)
    }

    /// Data and results, by type, in the order asked for.
    pub fn results(&self) -> &[Results] {
        &self.results
    }
}

impl App for Reduce {
    fn loops(&self) -> &[AppLoop] {
        &self.loops
    }

    fn loops_mut(&mut self) -> &mut [AppLoop] {
        &mut self.loops
    }

    fn sizes(&self) -> Sizes {
        self.sizes
    }

    fn reset(&mut self) -> Result<(), AppError> {
        for results in &self.results {
            with_type!(results.element, start(results))?;
            with_type!(results.element, start_globals(results))?;
        }
        Ok(())
    }

    /// Reports the widest gap of the last type.
    fn iterate_with(&mut self, run: &mut Runner<'_>) -> Result<f64, AppError> {
        let mut reported = 0.0;
        for (n, results) in self.results.iter().enumerate() {
            with_type!(results.element, start_globals(results))?;
            for index in 5 * n..5 * n + 5 {
                run_loop(&mut self.loops, index, run)?;
            }
            reported = with_type!(results.element, widest(results))?;
        }
        Ok(reported)
    }
}

fn make<T: Reducible>(engine: &Engine, nodes: &Set, edges: &Set) -> Result<Results, AppError> {
    let zeroed = |set: &Set, name| engine.dat_zeroed(set, name, 1, T::DTYPE);
    let global = |name| engine.global(name, &[T::ZERO]);
    Ok(Results {
        element: T::TYPE,
        v: engine.dat(edges, "v", 1, &values::<T>(edges.size(), SEED))?,
        sums: zeroed(nodes, "sums")?,
        lows: zeroed(nodes, "lows")?,
        highs: zeroed(nodes, "highs")?,
        width: zeroed(edges, "width")?,
        sum: global("sum")?,
        low: global("low")?,
        high: global("high")?,
        widest: global("widest")?,
    })
}

fn prepare(
    engine: &Engine,
    results: &Results,
    edges: &Set,
    ends: &Map,
) -> Result<Vec<AppLoop>, AppError> {
    let Results {
        element,
        v,
        sums,
        lows,
        highs,
        width,
        sum,
        low,
        high,
        widest,
    } = results;
    let prepare = |kernel: &KernelText, args: &[Arg<'_>]| {
        let text = text(kernel, *element);
        let handle = engine.kernel(&text, Some(kernel.function));
        let prepared = engine.prepare(&handle, edges, args)?;
        let mut made = AppLoop::new(kernel, edges.size(), prepared);
        made.label = format!("{} {}", kernel.function, element.c_name());
        made.text = Cow::Owned(text);
        Ok::<_, AppError>(made)
    };
    Ok(vec![
        prepare(&GLOBALS, &[v.read(), sum.inc(), low.min(), high.max()])?,
        prepare(
            &SUM_ENDS,
            &[v.read(), sums.inc().at(ends, 0), sums.inc().at(ends, 1)],
        )?,
        prepare(
            &LOW_ENDS,
            &[v.read(), lows.min().at(ends, 0), lows.min().at(ends, 1)],
        )?,
        prepare(&HIGH_ENDS, &[v.read(), highs.max().through(ends)])?,
        prepare(
            &GAP,
            &[highs.read().through(ends), width.write(), widest.max()],
        )?,
    ])
}

fn start<T: Reducible>(results: &Results) -> Result<(), AppError> {
    let Results {
        sums,
        lows,
        highs,
        width,
        ..
    } = results;
    for (dat, value) in [
        (sums, T::ZERO),
        (lows, T::HIGHEST),
        (highs, T::LOWEST),
        (width, T::ZERO),
    ] {
        dat.data_mut::<T>()?.fill(value);
    }
    Ok(())
}

fn start_globals<T: Reducible>(results: &Results) -> Result<(), AppError> {
    set(&results.sum, T::ZERO)?;
    set(&results.low, T::HIGHEST)?;
    set(&results.high, T::LOWEST)?;
    Ok(set(&results.widest, T::LOWEST)?)
}

fn widest<T: Reducible>(results: &Results) -> Result<f64, AppError> {
    Ok(results.widest::<T>()?.to_f64())
}
