//! What the readers of the cache directory make of any bytes: what the document of the format says of them, without harm.
//!
//! A case is a genuine entry, metadata or record, changed. Most entries get a keyed hash that is right again, so that what lies
//! behind it is reached; each is read by the store and by a second reader, made from `cache/FORMAT.md` alone, and the two must agree
//! to the byte or to the reason. The default run is the same each time. `PARLOOP_FUZZ_SECONDS=n` goes on for n seconds for each
//! reader, from a fresh seed, which it prints; `PARLOOP_FUZZ_SEED=n` gives the seed. A case that breaks the promise is kept below
//! `target/tmp/fuzz`, and `PARLOOP_FUZZ_INPUT=path` runs it alone. Objects are changed in `runtime/src/code/tests/hostile.rs`.

use parloop_cache::{Entry, Expect, Key, Metadata, Miss, Publication, Store, StoreConfig, Table};
use parloop_compiler::{
    ConstantDecl, DType, Fingerprint, KernelText, ShortcutRecord, check_kernel,
};
use parloop_kernels::airfoil::Constants;
use parloop_tests::cached::airfoil_texts;
use parloop_tests::fuzzing::Fuzzing;
use parloop_tests::meter::{Meter, peak_of};
use parloop_tests::mutate;
use parloop_tests::world::Dice;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[global_allocator]
static METER: Meter = Meter;

/// Cases of a default run, of each reader.
const CASES: u64 = 4_000;

/// Seed of a default run.
const SEED: u64 = 20_261_122;

/// What a case may take before it counts as a hang.
const LIMIT: Duration = Duration::from_secs(20);

/// Bytes that may be held at once for the smallest case, and for each byte of a case more.
const PEAK_BYTES: usize = 64 << 10;
const PEAK_BYTES_EACH: usize = 64;

const KEY: Key = Key::new([0x35; 32]);
const PREIMAGE: &[u8] = b"all that the compiler reads";
const TRAILER: usize = 152;

/// Where a case is kept.
fn kept(name: &str, case: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}.{}.case", blake3::hash(case).to_hex()));
    fs::write(&path, case).unwrap();
    path
}

/// What runs now, and since when.
type Running = Mutex<(Instant, Vec<u8>)>;

/// Runs what a reader does with cases that `make` draws; `read` says whether it took one, and panics if it took it wrongly.
fn fuzz(
    name: &str,
    make: impl Fn(&mut Dice) -> Vec<u8> + Sync,
    read: impl Fn(&[u8]) -> bool + Sync,
) {
    if let Ok(path) = std::env::var("PARLOOP_FUZZ_INPUT") {
        let path = Path::new(&path);
        let file = path.file_name().unwrap().to_string_lossy();
        if file.split('.').next() == Some(name) {
            read(&fs::read(path).unwrap());
        }
        return;
    }
    let Fuzzing { seed, until } = Fuzzing::asked(SEED);
    let running = Mutex::new((Instant::now(), Vec::new()));
    let (cases, taken) = std::thread::scope(|scope| {
        let worker = scope.spawn(|| all(name, &make, &read, &running, seed, until));
        while !worker.is_finished() {
            std::thread::sleep(Duration::from_millis(5));
            let (since, case) = &*running.lock().unwrap_or_else(PoisonError::into_inner);
            if since.elapsed() > LIMIT {
                told(&format!(
                    "{} takes more than {LIMIT:?}",
                    kept(name, case).display()
                ));
                std::process::abort();
            }
        }
        worker
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    told(&format!(
        "{name}: seed {seed}: {cases} cases, {taken} taken"
    ));
    // A fuzzer whose cases are all refused, or all taken, proves nothing.
    assert!(taken * 50 > cases && taken < cases, "{taken} of {cases}");
}

/// All cases of a run: how many, and how many were taken.
fn all(
    name: &str,
    make: &dyn Fn(&mut Dice) -> Vec<u8>,
    read: &dyn Fn(&[u8]) -> bool,
    running: &Running,
    seed: u64,
    until: Option<Instant>,
) -> (u64, u64) {
    let (mut cases, mut taken) = (0u64, 0u64);
    while until.map_or(cases < CASES, |until| Instant::now() < until) {
        let case = make(&mut Dice(seed ^ cases.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        *running.lock().unwrap() = (Instant::now(), case.clone());
        cases += 1;
        let (ended, peak) = peak_of(|| catch_unwind(AssertUnwindSafe(|| read(&case))));
        let bound = PEAK_BYTES + PEAK_BYTES_EACH * case.len();
        match ended {
            Ok(took) if peak <= bound => taken += u64::from(took),
            Ok(_) => {
                let path = kept(name, &case);
                panic!("{peak} bytes held, {bound} are allowed: {}", path.display());
            }
            Err(panic) => {
                told(&format!("kept in {}", kept(name, &case).display()));
                std::panic::resume_unwind(panic);
            }
        }
    }
    (cases, taken)
}

#[expect(
    clippy::print_stderr,
    reason = "a run that was asked for says how far it came"
)]
fn told(text: &str) {
    eprintln!("{text}");
}

/// A store with one entry, and what is needed to forge others.
struct Place {
    _temp: tempfile::TempDir,
    store: Store,
    path: PathBuf,
    secret: [u8; 32],
    genuine: Vec<u8>,
}

impl Place {
    fn new() -> Place {
        let (temp, root) = parloop_tests::cached::directory();
        let store = Store::open(StoreConfig::at(&root), Arc::new(()));
        let mut metadata = Metadata::default();
        metadata.features = vec!["fma".into(), "avx2".into()];
        metadata.generator = "none".into();
        metadata.producer = "tests".into();
        metadata.label = "a label \u{1b}[2J".into();
        metadata.compile_time = Duration::from_micros(500);
        let publication = Publication {
            payload: (0..=200).collect::<Vec<u8>>().into(),
            preimage: PREIMAGE.into(),
            metadata,
        };
        store.publish(Table::Objects, &KEY, publication, None);
        assert!(store.flush(Duration::from_secs(30)));
        let text = KEY.to_string();
        let path = root.join("v1/objects").join(&text[..2]).join(text);
        Place {
            _temp: temp,
            store,
            secret: fs::read(root.join("secret")).unwrap()[8..40]
                .try_into()
                .unwrap(),
            genuine: fs::read(&path).unwrap(),
            path,
        }
    }

    fn keyed_hash(&self, file: &[u8]) -> [u8; 32] {
        let n = file.len();
        let padding = vec![0; n.next_multiple_of(4096) - n];
        let hashed = [&file[..n - 48], &[0; 32], &file[n - 16..], &padding].concat();
        *blake3::keyed_hash(&self.secret, &hashed).as_bytes()
    }

    /// Makes the keyed hash right.
    fn seal(&self, file: &mut [u8]) {
        let n = file.len();
        if n >= TRAILER {
            let mac = self.keyed_hash(file);
            file[n - 48..n - 16].copy_from_slice(&mac);
        }
    }

    /// The genuine entry with other metadata.
    fn with_metadata(&self, metadata: &[u8]) -> Vec<u8> {
        let (payload, _) = lengths(&self.genuine);
        let trailer = &self.genuine[self.genuine.len() - TRAILER..];
        let mut file = [&self.genuine[..payload as usize], metadata, trailer].concat();
        let at = file.len() - TRAILER + 8;
        file[at..at + 8].copy_from_slice(&(metadata.len() as u64).to_le_bytes());
        self.seal(&mut file);
        file
    }

    fn metadata(&self) -> &[u8] {
        let (payload, metadata) = lengths(&self.genuine);
        &self.genuine[payload as usize..][..metadata as usize]
    }

    /// What the document says of a file under [`KEY`].
    fn expected(&self, file: &[u8]) -> Result<Read, &'static str> {
        if file.len() < TRAILER {
            return Err("truncated");
        }
        let trailer = &file[file.len() - TRAILER..];
        let (payload, metadata) = lengths(file);
        if trailer[144..] != *b"parloop\x1a" {
            return Err("bad_magic");
        }
        if trailer[136..140] != [1, 0, 0, 0] {
            return Err("version");
        }
        if u128::from(payload) + u128::from(metadata) + TRAILER as u128 != file.len() as u128 {
            return Err("bad_lengths");
        }
        if trailer[104..136] != self.keyed_hash(file) {
            return Err("bad_mac");
        }
        if trailer[24] != 1 {
            return Err("wrong_table");
        }
        if trailer[40..72] != *KEY.as_bytes() {
            return Err("wrong_key");
        }
        let fields = &file[payload as usize..file.len() - TRAILER];
        let mut read = fields_of(fields).ok_or("bad_metadata")?;
        read.payload = file[..payload as usize].to_vec();
        read.metadata.compile_time = Duration::from_nanos(number(&trailer[16..24]));
        Ok(read)
    }

    /// Has the store read a file, and compares; whether it took it.
    fn read(&self, file: &[u8]) -> bool {
        // Some file systems write out at once what replaces a file, but not what is new.
        let _absent_at_first = fs::remove_file(&self.path);
        fs::write(&self.path, file).unwrap();
        let expected = self.expected(file);
        agree(&self.store.inspect(Table::Objects, &KEY), &expected);
        let expect = Expect::Preimage(PREIMAGE);
        let looked = self.store.look(Table::Objects, &KEY, expect, &|_| true);
        let expected = expected.and_then(|read| match read.preimage == PREIMAGE {
            true => Ok(read),
            false => Err("preimage_differs"),
        });
        agree(&looked, &expected);
        looked.is_ok()
    }
}

/// What is in an entry.
#[derive(Debug, Default, PartialEq)]
struct Read {
    payload: Vec<u8>,
    preimage: Vec<u8>,
    metadata: Metadata,
}

/// Holds what the store found against what the document says.
#[track_caller]
fn agree(found: &Result<Entry, Miss>, expected: &Result<Read, &'static str>) {
    let found = found.as_ref().map(|entry| Read {
        payload: entry.payload().to_vec(),
        preimage: entry.preimage().to_vec(),
        metadata: entry.metadata(),
    });
    assert_eq!(&found.map_err(Miss::code), expected);
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |n, byte| n << 8 | u64::from(*byte))
}

/// Of payload and metadata, as the trailer has them.
fn lengths(file: &[u8]) -> (u64, u64) {
    let trailer = &file[file.len() - TRAILER..];
    (number(&trailer[..8]), number(&trailer[8..16]))
}

/// The fields of metadata, as the document has them; of those that are there once, the last counts.
fn fields_of(mut fields: &[u8]) -> Option<Read> {
    let (mut read, mut preimages) = (Read::default(), 0);
    while !fields.is_empty() {
        let (head, rest) = fields.split_at_checked(8)?;
        let (bytes, rest) = rest.split_at_checked(number(&head[4..]) as usize)?;
        fields = rest;
        let text = || std::str::from_utf8(bytes).ok().map(str::to_owned);
        match number(&head[..4]) {
            1 => {
                preimages += 1;
                read.preimage = bytes.to_vec();
            }
            2 => read
                .metadata
                .features
                .push(text().filter(|name| !name.is_empty())?),
            3 => read.metadata.generator = text()?,
            4 => read.metadata.producer = text()?,
            5 => read.metadata.label = text()?,
            6 if bytes.len() != 8 => return None,
            6 => read.metadata.created_unix_s = number(bytes),
            _ => {}
        }
    }
    (preimages == 1).then_some(read)
}

/// Bytes changed somewhere in a range.
fn changed(bytes: &[u8], range: std::ops::Range<usize>, dice: &mut Dice) -> Vec<u8> {
    let mut part = bytes[range.clone()].to_vec();
    mutate::bytes(&mut part, dice);
    [&bytes[..range.start], &part, &bytes[range.end..]].concat()
}

#[test]
fn row_s12_changed_entries_are_refused_for_the_reason_that_the_document_says() {
    let place = Place::new();
    let end = place.genuine.len();
    let make = |dice: &mut Dice| {
        let part = match dice.below(4) {
            0 => end - TRAILER..end,
            // Lengths and what follows them.
            1 => end - TRAILER..end - TRAILER + 24,
            _ => 0..end,
        };
        let mut file = changed(&place.genuine, part, dice);
        if dice.below(8) != 0 {
            place.seal(&mut file);
        }
        file
    };
    assert!(place.read(&place.genuine));
    fuzz("entry", make, |file| place.read(file));
}

#[test]
fn row_s12_changed_metadata_are_read_as_the_document_says() {
    let place = Place::new();
    let genuine = place.metadata().to_vec();
    let make = |dice: &mut Dice| {
        let mut fields = changed(&genuine, 0..genuine.len(), dice);
        // Another field, most often one that may be there again.
        if dice.below(3) == 0 {
            let length = dice.below(12) as u32;
            fields.extend((dice.below(9) as u32).to_le_bytes());
            fields.extend(length.to_le_bytes());
            fields.extend((0..length).map(|_| dice.below(128) as u8));
        }
        fields
    };
    fuzz("metadata", make, |fields| {
        place.read(&place.with_metadata(fields))
    });
}

/// The kernel constants of airfoil.
fn constants() -> Vec<ConstantDecl> {
    let named = Constants::published();
    let named = named.named();
    let declared = named.iter().map(|(name, values)| ConstantDecl {
        name: (*name).to_owned(),
        dtype: DType::F64,
        dim: values.len() as u32,
        specialised: None,
    });
    declared.collect()
}

/// Records of real kernels, and one with everything that a record may have.
fn records() -> Vec<Vec<u8>> {
    let odd = "void odd(const double *restrict a, double **rows, int n, float _Complex *z, double *unused) {
        double sum; for (int i = 0; i < n; i++) { sum += a[i]; } rows[0][1] = sum; z[0] = 1.0f; }";
    let of = |text: &String| {
        let text = KernelText {
            text,
            function: None,
            constants: &constants(),
            hosts: &[],
        };
        let checked = check_kernel(&text).unwrap_or_else(|e| panic!("{e}"));
        let record = ShortcutRecord {
            request_fingerprint: Fingerprint([7; 32]),
            name: checked.name,
            params: checked.params,
            constants: checked.constants,
            warnings: checked.warnings,
        };
        record.encode()
    };
    let mut texts = airfoil_texts().to_vec();
    texts.push(odd.to_owned());
    texts.iter().map(of).collect()
}

#[test]
fn row_s12_changed_records_are_refused_or_are_what_would_be_written() {
    let records = records();
    let make = |dice: &mut Dice| {
        let record = &records[dice.below(records.len() as u64) as usize];
        changed(record, 0..record.len(), dice)
    };
    fuzz("record", make, |bytes| {
        match ShortcutRecord::decode(bytes) {
            Ok(record) => {
                assert_eq!(record.encode(), bytes);
                true
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                false
            }
        }
    });
}
