//! Every access, by every path, on maps with and without repeated targets, against the same loop in plain Rust.
//!
//! The reference works on 64-bit integers that are wrapped to the data's type after every step; values stay small enough
//! for the floating-point types to be exact.

mod support;

use parloop::{Access, Arg, DType, Dat, Engine, Global, Map, Set, Subset, Value};
use support::engine;

const DIM: usize = 2;

/// A data type with its C name, from and to integers.
trait Number: Value {
    const C: &'static str;
    fn of(value: i64) -> Self;
    fn to(self) -> i64;
}

macro_rules! numbers {
    ($($ty:ty, $c:literal;)*) => {$(
        impl Number for $ty {
            const C: &'static str = $c;
            fn of(value: i64) -> $ty {
                value as $ty
            }
            fn to(self) -> i64 {
                self as i64
            }
        }
    )*};
}

numbers! {
    f64, "double"; f32, "float"; i8, "int8_t"; u8, "uint8_t"; i16, "int16_t"; u16, "uint16_t"; i32, "int";
    u32, "unsigned int"; i64, "int64_t"; u64, "uint64_t";
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Path {
    Direct,
    At(usize),
    Through,
    Global,
}

/// What a kernel does to its argument `p` of `count` values, given `w[DIM]`; row `r` of several adds `r` to `w`.
fn kernel_text(c: &str, access: Access, count: usize) -> String {
    let update = match access {
        Access::Read => "out[i % 2] += p[i] * (i + 1);",
        Access::Write => "p[i] = w[i % 2] + i / 2;",
        Access::Rw => "p[i] = w[i % 2] + i / 2 - p[i];",
        Access::Inc => "p[i] += w[i % 2] + i / 2;",
        Access::Min => "if (w[i % 2] + i / 2 < p[i]) p[i] = w[i % 2] + i / 2;",
        Access::Max => "if (w[i % 2] + i / 2 > p[i]) p[i] = w[i % 2] + i / 2;",
    };
    let constness = if access == Access::Read { "const " } else { "" };
    format!(
        "void k(const {c} *w, {c} *out, {constness}{c} *p) {{ for (int i = 0; i < {count}; i++) {{ {update} }} }}"
    )
}

/// The same in Rust.
fn apply(access: Access, wrap: fn(i64) -> i64, w: &[i64], out: &mut [i64], p: &mut [i64]) {
    for i in 0..p.len() {
        let given = w[i % 2] + (i / 2) as i64;
        match access {
            Access::Read => out[i % 2] = wrap(out[i % 2] + p[i] * (i as i64 + 1)),
            Access::Write => p[i] = wrap(given),
            Access::Rw => p[i] = wrap(given - p[i]),
            Access::Inc => p[i] = wrap(p[i] + given),
            Access::Min => p[i] = p[i].min(given),
            Access::Max => p[i] = p[i].max(given),
        }
    }
}

/// A dat in the reference.
struct Rows {
    values: Vec<i64>,
    wrap: fn(i64) -> i64,
}

impl Rows {
    /// What the kernel sees of the rows, -1 for one that is missing.
    fn gather(&self, access: Access, rows: &[i64], indirect: bool) -> Vec<i64> {
        let zero = indirect && matches!(access, Access::Write | Access::Inc);
        let value = |row: i64, c: usize| match usize::try_from(row) {
            Ok(row) if !zero => self.values[row * DIM + c],
            _ => 0,
        };
        rows.iter()
            .flat_map(|row| (0..DIM).map(move |c| value(*row, c)))
            .collect()
    }

    fn scatter(&mut self, access: Access, rows: &[i64], indirect: bool, local: &[i64]) {
        for (i, value) in local.iter().enumerate() {
            let Ok(row) = usize::try_from(rows[i / DIM]) else {
                continue;
            };
            let place = &mut self.values[row * DIM + i % DIM];
            *place = match access {
                Access::Read => *place,
                Access::Inc if indirect => (self.wrap)(*place + value),
                Access::Min => (*place).min(*value),
                Access::Max => (*place).max(*value),
                Access::Write | Access::Rw | Access::Inc => *value,
            };
        }
    }
}

/// Which elements run.
#[derive(Clone, Debug)]
enum Order {
    All,
    Range(usize, usize),
    List(Vec<u32>),
    Subset(Vec<u32>),
}

struct Mesh {
    from: Set,
    to: Set,
    map: Map,
    rows: Vec<Vec<i64>>,
}

/// Small numbers that look random.
fn scatter(seed: usize, bound: usize) -> usize {
    (seed.wrapping_mul(2_654_435_761) >> 7) % bound
}

#[derive(Clone, Copy, Debug)]
enum Targets {
    /// Each element its own rows.
    Distinct,
    /// Few rows, shared by many elements, never twice in one.
    Repeated,
    /// The same, with missing entries.
    Partial,
}

fn mesh(size: usize, targets: Targets, wide: bool) -> Mesh {
    let to_size = match targets {
        Targets::Distinct => 2 * size,
        Targets::Repeated | Targets::Partial => 7,
    };
    let (from, to) = (
        Set::new("from", size).unwrap(),
        Set::new("to", to_size).unwrap(),
    );
    let row = |e: usize| {
        let first = scatter(e + 3, 7);
        match targets {
            Targets::Distinct => vec![(2 * size - 1 - 2 * e) as i64, (2 * size - 2 - 2 * e) as i64],
            Targets::Repeated => vec![first as i64, ((first + 1 + e % 3) % 7) as i64],
            Targets::Partial if e.is_multiple_of(3) => vec![-1, first as i64],
            Targets::Partial if e.is_multiple_of(5) => vec![-1, -1],
            Targets::Partial => vec![first as i64, ((first + 2) % 7) as i64],
        }
    };
    let rows: Vec<Vec<i64>> = (0..size).map(row).collect();
    let entries: Vec<i64> = rows.concat();
    let narrow: Vec<i32> = entries.iter().map(|e| *e as i32).collect();
    let map = match (targets, wide) {
        (Targets::Partial, true) => Map::partial("map", &from, &to, 2, entries),
        (Targets::Partial, false) => Map::partial("map", &from, &to, 2, narrow),
        (_, true) => Map::new("map", &from, &to, 2, entries),
        (_, false) => Map::new("map", &from, &to, 2, narrow),
    };
    Mesh {
        map: map.unwrap(),
        from,
        to,
        rows,
    }
}

fn initial(count: usize, seed: usize) -> Vec<i64> {
    (0..count).map(|i| scatter(i + seed, 9) as i64).collect()
}

fn dat<T: Number>(engine: &Engine, set: &Set, name: &str, values: &[i64]) -> Dat {
    let values: Vec<T> = values.iter().map(|v| T::of(*v)).collect();
    engine.dat(set, name, DIM, &values).unwrap()
}

fn values<T: Number>(data: &[T]) -> Vec<i64> {
    data.iter().map(|v| v.to()).collect()
}

fn with<'a>(access: Access, dat: &'a Dat) -> Arg<'a> {
    match access {
        Access::Read => dat.read(),
        Access::Write => dat.write(),
        Access::Rw => dat.rw(),
        Access::Inc => dat.inc(),
        Access::Min => dat.min(),
        Access::Max => dat.max(),
    }
}

fn with_global(access: Access, global: &Global) -> Arg<'_> {
    match access {
        Access::Read => global.read(),
        Access::Write => global.write(),
        Access::Rw => global.rw(),
        Access::Inc => global.inc(),
        Access::Min => global.min(),
        Access::Max => global.max(),
    }
}

/// Runs one loop both ways and compares all data.
fn check<T: Number>(engine: &Engine, mesh: &Mesh, path: Path, access: Access, order: &Order) {
    let wrap: fn(i64) -> i64 = |value| T::of(value).to();
    let size = mesh.from.size();
    let w = initial(size * DIM, 1);
    let mut out = initial(size * DIM, 2);
    let rows_of_data = match path {
        Path::Direct => size,
        Path::At(_) | Path::Through => mesh.to.size(),
        Path::Global => 1,
    };
    let mut data = Rows {
        values: initial(rows_of_data * DIM, 3),
        wrap,
    };

    let w_dat = dat::<T>(engine, &mesh.from, "w", &w);
    let out_dat = dat::<T>(engine, &mesh.from, "out", &out);
    let on = if path == Path::Direct {
        &mesh.from
    } else {
        &mesh.to
    };
    let start: Vec<T> = data.values.iter().map(|v| T::of(*v)).collect();
    let global = engine.global(
        "p",
        &start[..if path == Path::Global {
            DIM
        } else {
            1.min(start.len())
        }],
    );
    let p_dat = (path != Path::Global).then(|| dat::<T>(engine, on, "p", &data.values));
    let p = match (&p_dat, path) {
        (Some(dat), Path::At(index)) => with(access, dat).at(&mesh.map, index),
        (Some(dat), Path::Through) => with(access, dat).through(&mesh.map),
        (Some(dat), _) => with(access, dat),
        (None, _) => with_global(access, global.as_ref().unwrap()),
    };
    let count = if path == Path::Through { 2 * DIM } else { DIM };
    let kernel = engine.kernel(&kernel_text(T::C, access, count), None);
    let args = [w_dat.read(), out_dat.rw(), p];
    let elements: Vec<u32> = match order {
        Order::All => {
            engine.par_loop(&kernel, &mesh.from, &args).unwrap();
            (0..size as u32).collect()
        }
        Order::Range(begin, end) => {
            engine
                .prepare(&kernel, &mesh.from, &args)
                .unwrap()
                .run_range(*begin, *end)
                .unwrap();
            (*begin as u32..*end as u32).collect()
        }
        Order::List(list) => {
            engine
                .prepare(&kernel, &mesh.from, &args)
                .unwrap()
                .run_list(list)
                .unwrap();
            list.clone()
        }
        Order::Subset(list) => {
            let subset = Subset::new(&mesh.from, list.clone()).unwrap();
            engine.par_loop(&kernel, &subset, &args).unwrap();
            list.clone()
        }
    };

    // A global is reduced as an indirect dat is.
    let indirect = path != Path::Direct;
    for e in elements {
        let e = e as usize;
        let rows = match path {
            Path::Direct => vec![e as i64],
            Path::At(index) => vec![mesh.rows[e][index]],
            Path::Through => mesh.rows[e].clone(),
            Path::Global => vec![0],
        };
        let mut local = data.gather(access, &rows, indirect);
        let range = e * DIM..(e + 1) * DIM;
        apply(access, wrap, &w[range.clone()], &mut out[range], &mut local);
        data.scatter(access, &rows, indirect, &local);
    }
    let what = format!("{} {path:?} {access} {order:?} {:?}", T::C, mesh.map);
    assert_eq!(values(&out_dat.data::<T>().unwrap()), out, "out of {what}");
    let found = match &p_dat {
        Some(dat) => values(&dat.data::<T>().unwrap()),
        None => values(&global.unwrap().data::<T>().unwrap()),
    };
    assert_eq!(found, data.values, "p of {what}");
    assert_eq!(values(&w_dat.data::<T>().unwrap()), w, "w of {what}");
}

fn orders(size: usize) -> Vec<Order> {
    let backwards = || (0..size as u32).rev().step_by(2).collect::<Vec<_>>();
    vec![
        Order::All,
        Order::Range(size / 3, size),
        Order::List(backwards()),
        Order::Subset(backwards()),
    ]
}

const PATHS: [Path; 5] = [
    Path::Direct,
    Path::At(0),
    Path::At(1),
    Path::Through,
    Path::Global,
];

#[test]
fn every_access_by_every_path_equals_the_reference() {
    let engine = engine();
    for size in [0, 1, 2, 3, 41] {
        for targets in [Targets::Distinct, Targets::Repeated, Targets::Partial] {
            for wide in [false, true] {
                let mesh = mesh(size, targets, wide);
                for (path, access) in PATHS.into_iter().flat_map(|p| Access::ALL.map(|a| (p, a))) {
                    for order in orders(size) {
                        check::<f64>(&engine, &mesh, path, access, &order);
                    }
                }
            }
        }
    }
}

fn all_paths<T: Number>() {
    let engine = engine();
    let mesh = mesh(23, Targets::Partial, false);
    for (path, access) in PATHS.into_iter().flat_map(|p| Access::ALL.map(|a| (p, a))) {
        check::<T>(&engine, &mesh, path, access, &Order::All);
    }
}

#[test]
fn every_access_equals_the_reference_for_every_type() {
    all_paths::<f32>();
    all_paths::<i8>();
    all_paths::<u8>();
    all_paths::<i16>();
    all_paths::<u16>();
    all_paths::<i32>();
    all_paths::<u32>();
    all_paths::<i64>();
    all_paths::<u64>();
    // And the two complex types, whose arithmetic is tested three ways elsewhere.
    assert_eq!(DType::ALL.len(), 12);
}

#[test]
fn strict_and_vector_code_equal_the_reference_too() {
    let strict = parloop::Options {
        float: parloop::FloatMode::Strict,
        ..parloop::Options::default()
    };
    let lanes = parloop::Options {
        lanes: 2,
        ..parloop::Options::default()
    };
    for options in [strict, lanes] {
        let engine = Engine::builder().options(options).build().unwrap();
        let mesh = mesh(17, Targets::Repeated, false);
        for (path, access) in PATHS.into_iter().flat_map(|p| Access::ALL.map(|a| (p, a))) {
            check::<f64>(&engine, &mesh, path, access, &Order::All);
        }
    }
}
