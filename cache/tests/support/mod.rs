//! What the cache's tests share: a directory, an observer that records, and one way to publish and to load.
#![allow(dead_code, reason = "each test binary uses its part")]

use parloop_cache::{
    Entry, Event, Expect, Key, Layer, Metadata, Miss, Observer, Publication, Store, StoreConfig,
    Table,
};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Records every event.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<Event>>);

impl Observer for Recorder {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Recorder {
    /// The events since the last call. All times but those of compilations are none, for tests compare no times.
    pub(crate) fn take(&self) -> Vec<Event> {
        let mut events = self.take_as_told();
        for event in &mut events {
            if let Event::Hit { duration, .. }
            | Event::Publish { duration, .. }
            | Event::Collect { duration, .. } = event
            {
                *duration = Duration::ZERO;
            }
        }
        events
    }

    /// The events since the last call, with their times.
    pub(crate) fn take_as_told(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The warnings since the last call of `take`.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        let text = |event: &Event| match event {
            Event::Warning { message, .. } => Some(message.clone()),
            _ => None,
        };
        events.iter().filter_map(text).collect()
    }
}

/// A directory for a cache, removed at the end.
pub(crate) struct Place {
    temp: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            temp: private_temp_dir(),
        }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.temp.path().join("cache")
    }

    pub(crate) fn above(&self) -> &Path {
        self.temp.path()
    }

    pub(crate) fn config(&self) -> StoreConfig {
        let mut config = StoreConfig::at(self.root());
        config.retry_after = Duration::ZERO;
        config
    }

    pub(crate) fn open(&self) -> (Store, Arc<Recorder>) {
        open(self.config())
    }

    /// The path of an entry, as FORMAT.md says it.
    pub(crate) fn entry_path(&self, table: Table, key: &Key) -> PathBuf {
        let text = key.to_string();
        let table = match table {
            Table::Objects => "objects",
            Table::Shortcuts => "shortcuts",
        };
        self.root()
            .join("v1")
            .join(table)
            .join(&text[..2])
            .join(text)
    }

    pub(crate) fn temporary_files(&self) -> usize {
        std::fs::read_dir(self.root().join("v1/tmp")).map_or(0, Iterator::count)
    }
}

/// A temporary directory that nobody else may write, whatever the umask.
fn private_temp_dir() -> tempfile::TempDir {
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    tempfile::Builder::new()
        .permissions(private)
        .tempdir()
        .unwrap()
}

/// Makes a directory that a cache may lie in, whatever the umask.
pub(crate) fn make_dir(path: &Path) {
    std::fs::create_dir(path).unwrap();
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

pub(crate) fn open(config: StoreConfig) -> (Store, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    (Store::open(config, recorder.clone()), recorder)
}

pub(crate) fn key(n: u64) -> Key {
    let mut bytes = [0x5a; 32];
    bytes[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    bytes[24..].copy_from_slice(&n.wrapping_mul(0xd1b5_4a32_d192_ed03).to_le_bytes());
    Key::new(bytes)
}

pub(crate) fn publication(payload: &[u8], preimage: &[u8]) -> Publication {
    let mut metadata = Metadata::default();
    metadata.label = "res_calc".into();
    metadata.generator = "none".into();
    metadata.features = vec!["fma".into()];
    metadata.compile_time = Duration::from_micros(500);
    Publication {
        payload: payload.into(),
        preimage: preimage.into(),
        metadata,
    }
}

pub(crate) fn publish(store: &Store, table: Table, key: &Key, payload: &[u8], preimage: &[u8]) {
    store.publish(table, key, publication(payload, preimage), None);
    assert!(store.flush(PATIENCE), "the publication did not end in time");
}

pub(crate) fn load(store: &Store, table: Table, key: &Key, preimage: &[u8]) -> Result<Entry, Miss> {
    store.load(table, key, Expect::Preimage(preimage), &|_| true)
}

/// The payload loaded, or the code of the miss.
pub(crate) fn answer(
    store: &Store,
    table: Table,
    key: &Key,
    preimage: &[u8],
) -> Result<Vec<u8>, &'static str> {
    load(store, table, key, preimage)
        .map(|entry| entry.payload().to_vec())
        .map_err(|miss| miss.code())
}

pub(crate) const OBJECTS: Table = Table::Objects;
pub(crate) const DISK: Layer = Layer::Disk;

pub(crate) fn miss(key: Key, reason: &'static str) -> Event {
    Event::Miss {
        layer: DISK,
        key,
        reason,
    }
}

pub(crate) fn reject(key: Key, reason: &'static str) -> Event {
    Event::Reject {
        layer: DISK,
        key,
        reason,
    }
}

/// What must come of a defect in place of an entry: exactly this rejection and miss, no entry left, and after the next
/// publication a hit.
#[track_caller]
pub(crate) fn check_defect_heals(
    place: &Place,
    store: &Store,
    recorder: &Recorder,
    reason: &'static str,
) {
    let k = key(1);
    recorder.take();
    assert_eq!(answer(store, OBJECTS, &k, b"preimage"), Err(reason));
    assert_eq!(recorder.take(), [reject(k, reason), miss(k, reason)]);
    let path = place.entry_path(OBJECTS, &k);
    assert!(
        std::fs::symlink_metadata(&path).is_err(),
        "the defective file is still there"
    );
    check_heals(store, recorder);
}

/// The next publication makes a hit of it.
#[track_caller]
pub(crate) fn check_heals(store: &Store, recorder: &Recorder) {
    let k = key(1);
    publish(store, OBJECTS, &k, b"payload", b"preimage");
    assert_eq!(
        answer(store, OBJECTS, &k, b"preimage"),
        Ok(b"payload".to_vec())
    );
    recorder.take();
}

/// A store with one small entry under `key(1)`, and the bytes of its file.
pub(crate) fn with_one_entry(place: &Place) -> (Store, Arc<Recorder>, Vec<u8>) {
    let (store, recorder) = place.open();
    publish(&store, OBJECTS, &key(1), b"payload", b"preimage");
    let file = std::fs::read(place.entry_path(OBJECTS, &key(1))).unwrap();
    recorder.take();
    (store, recorder, file)
}
