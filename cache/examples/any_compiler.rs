//! The store with the output of another compiler: objects that `cc` makes, compiled once by however many processes.
//!
//! Run it twice, or two at once: `cargo run -p parloop-cache --example any_compiler -- DIRECTORY FILE.c`. The directory, and those
//! above it, must be writable by nobody else.

#![allow(clippy::print_stdout, reason = "an example says what it does")]

use parloop_cache::{
    Entry, Event, Expect, Key, Layer, Metadata, Miss, Observer, Publication, Store, StoreConfig,
    Table, trace,
};
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const FLAGS: [&str; 4] = ["-O2", "-c", "-xc", "-"];

/// Says what became of an object.
struct Told;

impl Observer for Told {
    fn event(&self, event: &Event) {
        trace(event);
        match event {
            Event::Hit { layer, saved, .. } if *layer == Layer::Disk => {
                println!("a hit, which saved {saved:?}");
            }
            Event::Miss { reason, .. } => println!("a miss: {reason}"),
            Event::Publish { bytes, .. } => println!("{bytes} bytes written"),
            _ => {}
        }
    }
}

/// All that the compiler reads. Here that is its version, its options and one text without `#include`.
fn preimage(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let version = Command::new("cc").arg("--version").output()?.stdout;
    let flags = FLAGS.join(" ");
    let parts = [&version[..], flags.as_bytes(), text.as_bytes()];
    // Lengths keep one part's end from passing for the next one's beginning.
    let part = |part: &[u8]| [&part.len().to_le_bytes()[..], part].concat();
    Ok(parts.map(part).concat())
}

fn compile(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut object = tempfile::NamedTempFile::new()?;
    let mut child = Command::new("cc")
        .args(FLAGS)
        .arg("-o")
        .arg(object.path())
        .stdin(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(text.as_bytes())?;
    }
    if !child.wait()?.success() {
        return Err("cc does not take it".into());
    }
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(object.as_file_mut(), &mut bytes)?;
    Ok(bytes)
}

/// The object of a text: kept, or made by this process while others that want it wait.
fn object(store: &Store, text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let preimage = preimage(text)?;
    let key = Key::new(*blake3::hash(&preimage).as_bytes());
    let expect = Expect::Preimage(&preimage);
    // The flags ask for no CPU feature, so none is stored and none is looked for.
    let here = |_feature: &str| true;
    let payload = |entry: Entry| entry.payload().to_vec();
    let found: Result<Entry, Miss> = store.load(Table::Objects, &key, expect, &here);
    if let Ok(entry) = found {
        return Ok(payload(entry));
    }
    let guard = store.lock(&key);
    if let Ok(offer) = store.offer_again(Table::Objects, &key, expect, &here) {
        // Another process was first.
        return Ok(payload(offer.take()));
    }
    let started = Instant::now();
    let object = compile(text)?;
    let mut metadata = Metadata::default();
    metadata.generator = "cc".to_owned();
    metadata.compile_time = started.elapsed();
    let publication = Publication {
        payload: object.as_slice().into(),
        preimage: preimage.into(),
        metadata,
    };
    store.publish(Table::Objects, &key, publication, guard);
    Ok(object)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, file] = &arguments[..] else {
        return Err("usage: any_compiler DIRECTORY FILE.c".into());
    };
    let store = Store::open(StoreConfig::at(Path::new(directory)), Arc::new(Told));
    let text = std::fs::read_to_string(file)?;
    println!("an object of {} bytes", object(&store, &text)?.len());
    store.flush(Duration::from_secs(5));
    Ok(())
}
