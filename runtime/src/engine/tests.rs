//! Engines whose code can't be mapped: a condition of the process, of which no entry is to blame.

use super::Engine;
use crate::code::{CodeMemory, CraneliftLinker, Image, Linker, LoadError};
use crate::error::Error;
use crate::par_loop::CodeSource;
use parloop_cache::{Layer, Table};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

const TEXT: &str = "void twice(const double *a, double *b) { b[0] = 2.0 * a[0]; }";

/// Has no memory the first times that it is asked.
struct Short(AtomicU32);

impl Linker for Short {
    fn generator(&self) -> &'static str {
        CraneliftLinker.generator()
    }

    fn link(&self, image: &Image<'_>) -> Result<CodeMemory, LoadError> {
        let left = self
            .0
            .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        match left {
            Ok(_) => Err(LoadError::Map {
                message: "Cannot allocate memory".to_owned(),
            }),
            Err(_) => CraneliftLinker.link(image),
        }
    }
}

/// An engine that maps nothing so many times.
fn short(directory: &Path, times: u32) -> Engine {
    let mut engine = Engine::builder().cache_dir(directory).build().unwrap();
    Arc::get_mut(&mut engine.0).unwrap().linker = Box::new(Short(times.into()));
    engine
}

fn source(engine: &Engine) -> Result<CodeSource, Error> {
    let made = engine.function(&engine.kernel(TEXT, None), &[])?;
    assert!(engine.flush(Duration::from_secs(10)));
    Ok(made.source().0)
}

#[test]
fn an_entry_that_there_is_no_memory_for_is_missed_and_stays() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("cache");
    assert_eq!(source(&short(&path, 0)).unwrap(), CodeSource::Compiled);
    // Looked at before and after the lock is taken.
    let engine = short(&path, 2);
    assert_eq!(source(&engine).unwrap(), CodeSource::Compiled);
    let stats = engine.stats();
    assert_eq!(stats.misses.get(&(Layer::Disk, "load_map")), Some(&1));
    assert!(stats.rejects.is_empty(), "{stats:?}");
    assert_eq!((stats.disk_hits, stats.published), (0, 0), "it is there");
    assert_eq!(source(&short(&path, 0)).unwrap(), CodeSource::Disk);
}

#[test]
fn where_nothing_can_be_mapped_the_caller_is_told_and_what_is_kept_stays() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("cache");
    let engine = short(&path, u32::MAX);
    let error = source(&engine).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the code of kernel `twice` was not loaded: mapping the code failed: Cannot allocate memory"
    );
    assert_eq!(engine.cache_info().loops, 0);
    // Memory is there again, in the same engine.
    let engine = short(&path, 1);
    source(&engine).unwrap_err();
    assert_eq!(source(&engine).unwrap(), CodeSource::Compiled);

    let engine = short(&path, u32::MAX);
    source(&engine).unwrap_err();
    assert_eq!(engine.store().entries_of(Table::Objects).count(), 1);
    assert!(engine.stats().rejects.is_empty());
    assert_eq!(source(&short(&path, 0)).unwrap(), CodeSource::Disk);
}
