//! Who may look at data when: many readers or one writer, an error at once for who comes too late.

mod support;

use parloop::{DType, DataError, Error, Set};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::engine;

const COPY: &str = "void copy(const double *a, double *b) { b[0] = a[0]; }";

#[test]
fn readers_share_and_a_writer_is_alone() {
    let engine = engine();
    let set = Set::new("s", 3).unwrap();
    let dat = engine.dat(&set, "a", 1, &[1.0, 2.0, 3.0]).unwrap();
    let (first, second) = (dat.data::<f64>().unwrap(), dat.data::<f64>().unwrap());
    assert_eq!(*first, *second);
    assert_eq!(
        dat.data_mut::<f64>().unwrap_err(),
        DataError::Reading { name: "a".into() }
    );
    drop((first, second));
    let mut writer = dat.data_mut::<f64>().unwrap();
    assert_eq!(
        dat.data::<f64>().unwrap_err(),
        DataError::Writing { name: "a".into() }
    );
    assert_eq!(
        dat.data_mut::<f64>().unwrap_err(),
        DataError::Writing { name: "a".into() }
    );
    writer[1] = 20.0;
    drop(writer);
    assert_eq!(*dat.data::<f64>().unwrap(), [1.0, 20.0, 3.0]);
}

#[test]
fn a_view_has_the_type_of_the_data() {
    let engine = engine();
    let global = engine.global("g", &[1i32, 2]).unwrap();
    let wrong = DataError::WrongView {
        name: "g".into(),
        asked: DType::U32,
        found: DType::I32,
    };
    assert_eq!(global.data::<u32>().unwrap_err(), wrong);
    assert_eq!(global.data_mut::<u32>().unwrap_err(), wrong);
    assert_eq!(*global.data::<i32>().unwrap(), [1, 2]);
}

#[test]
fn a_loop_is_refused_while_a_guard_is_in_its_way() {
    let engine = engine();
    let set = Set::new("s", 2).unwrap();
    let a = engine.dat(&set, "a", 1, &[1.0, 2.0]).unwrap();
    let b = engine.dat(&set, "b", 1, &[0.0, 0.0]).unwrap();
    let kernel = engine.kernel(COPY, None);
    let mut prepared = engine
        .prepare(&kernel, &set, &[a.read(), b.write()])
        .unwrap();
    let busy = |outcome: Result<(), Error>| match outcome {
        Err(Error::Busy { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };

    let guard = a.data::<f64>().unwrap();
    prepared.run().expect("READ shares with a reader");
    drop(guard);
    let guard = a.data_mut::<f64>().unwrap();
    assert_eq!(
        busy(prepared.run()),
        DataError::Writing { name: "a".into() }
    );
    drop(guard);
    let guard = b.data::<f64>().unwrap();
    assert_eq!(
        busy(prepared.run()),
        DataError::Reading { name: "b".into() }
    );
    drop(guard);
    a.data_mut::<f64>()
        .expect("a refused loop gives back what it had taken");
    prepared.run().unwrap();
    assert_eq!(*b.data::<f64>().unwrap(), [1.0, 2.0]);
}

#[test]
fn writes_are_counted() {
    let engine = engine();
    let set = Set::new("s", 2).unwrap();
    let a = engine.dat(&set, "a", 1, &[1.0, 2.0]).unwrap();
    let b = engine.dat_zeroed(&set, "b", 1, DType::F64).unwrap();
    let (before_a, before_b) = (a.version(), b.version());
    let kernel = engine.kernel(COPY, None);
    for _ in 0..3 {
        engine
            .par_loop(&kernel, &set, &[a.read(), b.write()])
            .unwrap();
    }
    drop(b.data::<f64>().unwrap());
    drop(b.data_mut::<f64>().unwrap());
    assert_eq!((a.version() - before_a, b.version() - before_b), (0, 4));
}

#[test]
fn loops_of_many_threads_share_what_they_read_and_never_wait() {
    let engine = engine();
    let set = Set::new("s", 1000).unwrap();
    let a = engine.dat(&set, "a", 1, &[1.5; 1000]).unwrap();
    let shared = engine.dat_zeroed(&set, "shared", 1, DType::F64).unwrap();
    let kernel = engine.kernel(
        "void add(const double *a, double *b) { b[0] += a[0]; }",
        None,
    );
    let ran = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let own = engine.dat_zeroed(&set, "own", 1, DType::F64).unwrap();
                for _ in 0..200 {
                    engine
                        .par_loop(&kernel, &set, &[a.read(), own.inc()])
                        .unwrap();
                    match engine.par_loop(&kernel, &set, &[a.read(), shared.inc()]) {
                        Ok(()) => drop(ran.fetch_add(1, Ordering::Relaxed)),
                        Err(Error::Busy { .. }) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
                assert!(own.data::<f64>().unwrap().iter().all(|v| *v == 300.0));
            });
        }
    });
    let expected = 1.5 * ran.load(Ordering::Relaxed) as f64;
    assert!(shared.data::<f64>().unwrap().iter().all(|v| *v == expected));
    assert_eq!(engine.compilations(), 1);
}

#[test]
fn lent_storage_is_used_in_place_and_its_owner_kept() {
    let engine = engine();
    let set = Set::new("s", 4).unwrap();
    let mut values = vec![1.0f64, 2.0, 3.0, 4.0];
    let base = values.as_mut_ptr();
    let owner = Arc::new(values);
    // SAFETY: the vector is kept by the owner and not touched meanwhile.
    let dat =
        unsafe { engine.dat_from_raw(&set, "lent", 1, DType::F64, base.cast(), owner.clone()) }
            .unwrap();
    let kernel = engine.kernel("void twice(double *a) { a[0] *= 2.0; }", None);
    let mut prepared = engine.prepare(&kernel, &set, &[dat.rw()]).unwrap();
    prepared.run().unwrap();
    assert_eq!(*dat.data::<f64>().unwrap(), [2.0, 4.0, 6.0, 8.0]);
    drop(dat);
    assert_eq!(Arc::strong_count(&owner), 2, "the prepared loop keeps it");
    drop(prepared);
    assert_eq!(Arc::strong_count(&owner), 1);
    assert_eq!(*owner, [2.0, 4.0, 6.0, 8.0]);
}

#[test]
fn storage_that_another_dat_occupies_is_refused_until_that_is_gone() {
    let engine = engine();
    let set = Set::new("s", 4).unwrap();
    let mut memory = vec![0u64; 16];
    let base: *mut u8 = memory.as_mut_ptr().cast();
    // SAFETY: `memory` outlives the dats and is not touched meanwhile; so for all calls here.
    let lend = |name: &str, offset: usize| unsafe {
        engine.dat_from_raw(&set, name, 1, DType::F64, base.wrapping_add(offset), ())
    };
    let first = lend("first", 0).unwrap();
    assert_eq!(
        lend("second", 24).unwrap_err(),
        DataError::Overlap {
            name: "second".into()
        }
    );
    assert_eq!(
        lend("same", 0).unwrap_err(),
        DataError::Overlap {
            name: "same".into()
        }
    );
    let next = lend("next", 32).unwrap();
    // SAFETY: as above.
    let global = unsafe { engine.global_from_raw("g", 2, DType::F64, base.wrapping_add(56), ()) };
    assert_eq!(global.unwrap_err(), DataError::Overlap { name: "g".into() });
    drop(first);
    lend("again", 0).unwrap();
    let own = engine.dat_zeroed(&set, "own", 1, DType::F64).unwrap();
    let inside = own.data_mut::<f64>().unwrap().as_mut_ptr();
    // SAFETY: refused.
    let refused = unsafe { engine.dat_from_raw(&set, "inside", 1, DType::F64, inside.cast(), ()) };
    assert!(refused.is_err());
    drop(next);
}

#[test]
fn lent_storage_that_is_null_or_misaligned_is_refused() {
    let engine = engine();
    let set = Set::new("s", 1).unwrap();
    let mut memory = [0u64; 4];
    let base: *mut u8 = memory.as_mut_ptr().cast();
    for pointer in [
        std::ptr::null_mut(),
        base.wrapping_add(4),
        base.wrapping_add(1),
    ] {
        // SAFETY: refused.
        let refused = unsafe { engine.dat_from_raw(&set, "d", 1, DType::F64, pointer, ()) };
        assert!(matches!(refused, Err(DataError::BadPointer { .. })));
    }
    let empty = Set::new("empty", 0).unwrap();
    // SAFETY: no values are lent.
    let dat = unsafe { engine.dat_from_raw(&empty, "d", 1, DType::F64, std::ptr::null_mut(), ()) }
        .unwrap();
    assert!(dat.data::<f64>().unwrap().is_empty());
}

#[test]
fn data_that_can_not_be_made_is_refused() {
    let engine = engine();
    let set = Set::new("s", 4_000_000_000).unwrap();
    let small = Set::new("small", 2).unwrap();
    assert!(matches!(
        engine.dat_zeroed(&set, "d", 0, DType::F64),
        Err(DataError::Dim { dim: 0, .. })
    ));
    assert!(matches!(
        engine.dat_zeroed(&set, "d", 1 << 32, DType::F64),
        Err(DataError::Dim { .. })
    ));
    assert!(matches!(
        engine.dat_zeroed(&set, "d", 1 << 31, DType::F64),
        Err(DataError::OutOfMemory { .. })
    ));
    assert!(matches!(
        engine.dat_zeroed(&small, "d", 1, DType::Bool),
        Err(DataError::Type { .. })
    ));
    assert!(matches!(
        engine.dat(&small, "d", 2, &[1.0; 3]),
        Err(DataError::Length {
            expected: 4,
            found: 3,
            ..
        })
    ));
    assert!(matches!(
        engine.global::<f64>("g", &[]),
        Err(DataError::Dim { dim: 0, .. })
    ));
}

#[test]
fn own_storage_is_aligned_to_a_cache_line_and_zero() {
    let engine = engine();
    for size in [0, 1, 3, 1000] {
        let set = Set::new("s", size).unwrap();
        let dat = engine.dat_zeroed(&set, "d", 3, DType::F32).unwrap();
        let data = dat.data::<f32>().unwrap();
        assert_eq!((data.as_ptr().addr() % 64, data.len()), (0, 3 * size));
        assert!(data.iter().all(|v| *v == 0.0));
    }
}

#[test]
fn a_dat_of_more_than_2_to_the_31_values_works() {
    let engine = engine();
    let size = (1usize << 31) + 10;
    let set = Set::new("s", size).unwrap();
    let dat = engine.dat_zeroed(&set, "bytes", 1, DType::U8).unwrap();
    let kernel = engine.kernel("void mark(unsigned char *a) { a[0] = 7; }", None);
    let mut prepared = engine.prepare(&kernel, &set, &[dat.write()]).unwrap();
    prepared.run_range(size - 3, size).unwrap();
    let data = dat.data::<u8>().unwrap();
    assert_eq!(data[size - 5..], [0, 0, 7, 7, 7]);
}
