//! Objects with functions for rank-k updates beside the loop's own.

use super::hostile::{RELOCATIONS, SYMBOLS, content_of, header_of, read, symbol, write};
use super::*;
use crate::code::object::{Relocation, Target as To};
use object::elf;

/// What `TWO_UPDATES` makes of zeros, with every product rounded with its sum.
fn expected(w: &[f64; 24]) -> ([f64; 36], [f64; 5]) {
    const X: [[f64; 6]; 4] = [
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        [6.0, 5.0, 4.0, 3.0, 2.0, 1.0],
        [-1.0, 3.0, -5.0, 7.0, -9.0, 11.0],
        [2.0, 2.0, 7.0, 1.0, 8.0, 2.0],
    ];
    let (mut a, mut b) = ([0.0; 36], [0.0; 5]);
    for (q, row) in X.iter().enumerate() {
        for (entry, sum) in a.iter_mut().enumerate() {
            *sum = row[entry / 6].mul_add(w[q] * row[entry % 6], *sum);
        }
    }
    for factor in w {
        for (column, sum) in b.iter_mut().enumerate() {
            *sum = factor.mul_add(X[1][column + 1], *sum);
        }
    }
    (a, b)
}

fn runs(level: Level) {
    let object = two_updates(level);
    let code = Loader::new().load(&object).unwrap();
    let mut w: [f64; 24] = std::array::from_fn(|at| 0.1 * at as f64 - 1.0);
    let (mut a, mut b) = ([0.0f64; 36], [0.0f64; 5]);
    let expected = expected(&w);
    let arg = |base: &mut [f64]| abi::Arg {
        base: base.as_mut_ptr().cast(),
        map: std::ptr::null(),
        element_stride: 0,
        component_stride: 0,
    };
    let args = [arg(&mut a), arg(&mut b), arg(&mut w)];
    let mut ctx = abi::Ctx {
        constants: std::ptr::null(),
        scratch: std::ptr::null_mut(),
        steps: 1,
        site: 0,
        reserved: 0,
        element: 0,
        value: 0,
    };
    assert_eq!(code.scratch_bytes(), 0);
    // SAFETY: the object was compiled for three direct arguments of f64, which these are, with one element each.
    let status = unsafe { code.entry()(&raw mut ctx, args.as_ptr(), std::ptr::null(), 0, 1) };
    assert_eq!(status, abi::OK);
    assert_eq!((a, b), expected, "{level:?}");
}

#[test]
fn a_loop_calls_the_functions_of_its_updates() {
    let native = crate::host::native_level();
    for level in [Level::V3, Level::V4] {
        if level <= native {
            runs(level);
        }
    }
}

#[test]
fn functions_of_updates_are_symbols_of_their_own() {
    let object = two_updates(Level::V3);
    let hosts = HostTable::with_math();
    let image = Image::parse(&object, &hosts).unwrap();
    let is_call = |relocation: &&Relocation| matches!(relocation.target, To::Code { .. });
    assert_eq!(image.relocations.iter().filter(is_call).count(), 2);
    for name in ["parloop_local_0", "parloop_local_1"] {
        let at = symbol(&object, name.as_bytes());
        assert_eq!(object[at + 4], elf::STB_LOCAL << 4 | elf::STT_FUNC);
    }
}

/// Changes the object in one way, and says how the loader should answer.
fn refused(how: &str, code: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let mut object = two_updates(Level::V3);
    change(&mut object);
    let error = Loader::new().load(&object).expect_err(how);
    assert_eq!(error.code(), code, "{how}: {error}");
}

#[test]
fn functions_that_are_not_of_updates_are_refused() {
    let field = |how: &str, at: usize, change: fn(u64) -> u64| {
        refused(how, "load_symbol", |object| {
            let at = symbol(object, b"parloop_local_1") + at;
            let value = change(read::<8>(object, at));
            write::<8>(object, at, value);
        });
    };
    field("starts inside the one before", 8, |start| start - 64);
    field("starts later", 8, |start| start + 64);
    field("starts nowhere", 8, |_| u64::MAX);
    field("is empty", 16, |_| 0);
    field("is shorter", 16, |size| size - 1);
    field("is longer", 16, |size| size + 1);
    field("has no end", 16, |_| u64::MAX);
    refused("is seen by others", "load_symbol", |object| {
        let at = symbol(object, b"parloop_local_1");
        object[at + 4] = elf::STB_GLOBAL << 4 | elf::STT_FUNC;
    });
    refused("is data", "load_symbol", |object| {
        let (info, at) = (
            symbol(object, b"parloop_info"),
            symbol(object, b"parloop_local_1"),
        );
        let section = read::<2>(object, info + 6);
        write::<2>(object, at + 6, section);
    });
    refused("has another name", "load_symbol", |object| {
        let name = b"parloop_local_1\0";
        let at = object.windows(16).position(|w| w == name).unwrap();
        object[at + 14] = b'x';
    });
}

#[test]
fn calls_that_lead_elsewhere_are_refused() {
    let number_of = |object: &[u8], name: &str| {
        let table = read::<8>(object, header_of(object, SYMBOLS) + 24) as usize;
        ((symbol(object, name.as_bytes()) - table) / 24) as u64
    };
    let call = |object: &[u8]| {
        let update = number_of(object, "parloop_local_0");
        let first = content_of(object, RELOCATIONS);
        let mut all = (first..).step_by(24);
        all.find(|at| read::<4>(object, at + 12) == update).unwrap()
    };
    refused("into an update", "load_relocation", |object| {
        let at = call(object);
        write::<8>(object, at + 16, 4);
    });
    refused("to the loop's own", "load_relocation", |object| {
        let at = call(object);
        let own = number_of(object, abi::ENTRY);
        write::<4>(object, at + 12, own);
    });
    refused("from inside an update", "load_relocation", |object| {
        let at = call(object);
        let update = read::<8>(object, symbol(object, b"parloop_local_1") + 8);
        write::<8>(object, at, update + 8);
    });
}
