//! Runs one input at a time under a watch, and keeps those that break a promise.

use crate::come::Input;
use parloop_tests::meter::peak_of;
use parloop_tests::mutate::pieces;
use std::cell::RefCell;
use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What an input may take before it counts as a hang: a thousand times what such inputs take.
const LIMIT: Duration = Duration::from_secs(20);

/// Bytes that may be held at once for the smallest input, and for each byte of input more: room for what helpers and unrolling
/// may make of a short text, times what the code generator takes for an instruction.
pub(crate) const PEAK_BYTES: usize = 512 << 20;
const PEAK_BYTES_EACH: usize = 4_000;

/// How often, and for how long, a finding is tried smaller.
const SHRINKS: usize = 1_500;
const SHRINKING: Duration = Duration::from_secs(60);

thread_local! {
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// An input that broke a promise.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) input: Input,
    /// Where it panicked, or which bound it broke: equal for findings of one cause.
    pub(crate) place: String,
    pub(crate) what: String,
    pub(crate) kept: PathBuf,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.kept.display();
        writeln!(f, "{}: {}", self.place, self.what)?;
        writeln!(f, "  kept in {path}; to replay:")?;
        write!(
            f,
            "  PARLOOP_FUZZ_INPUT={path} cargo test -p parloop-tests --test fuzz"
        )
    }
}

/// What runs now, for the watch.
struct Running {
    since: Instant,
    path: PathBuf,
}

pub(crate) struct Hold {
    folder: PathBuf,
    running: Mutex<Option<Running>>,
}

impl Hold {
    pub(crate) fn new(folder: PathBuf) -> Hold {
        fs::create_dir_all(&folder).unwrap();
        std::panic::set_hook(Box::new(|info| {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            PLACE.replace(place);
        }));
        Hold {
            folder,
            running: Mutex::new(None),
        }
    }

    /// Runs on a thread with the stack that a thread has by default, while this one watches that no input takes too long.
    #[expect(
        clippy::print_stderr,
        reason = "nothing else can be told of a process that ends"
    )]
    pub(crate) fn on_a_thread<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let result = std::thread::scope(|scope| {
            let worker = scope.spawn(work);
            while !worker.is_finished() {
                std::thread::sleep(Duration::from_millis(20));
                let running = self.running.lock().unwrap();
                if let Some(running) = &*running
                    && running.since.elapsed() > LIMIT
                {
                    eprintln!("{} takes more than {LIMIT:?}", running.path.display());
                    std::process::abort();
                }
            }
            worker.join()
        });
        drop(std::panic::take_hook());
        result.unwrap_or_else(|_| panic!("the fuzzer itself panicked at {}", PLACE.take()))
    }

    /// Runs one input: its end and the bytes it held at its highest, or what it broke.
    pub(crate) fn run(
        &self,
        input: &Input,
        run: impl FnOnce() -> String,
    ) -> Result<(String, usize), Finding> {
        let path = self.folder.join(format!("running.{}", input.extension()));
        fs::write(&path, &input.content).unwrap();
        *self.running.lock().unwrap() = Some(Running {
            since: Instant::now(),
            path: path.clone(),
        });
        let (ended, peak) = peak_of(|| catch_unwind(AssertUnwindSafe(run)));
        *self.running.lock().unwrap() = None;
        let _gone = fs::remove_file(path);
        let finding = |place: String, what: String| Finding {
            input: input.clone(),
            place,
            what,
            kept: PathBuf::new(),
        };
        let end = ended.map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text
                .or(panic.downcast_ref::<&str>().copied())
                .unwrap_or("a panic");
            finding(PLACE.take(), text.chars().take(20_000).collect())
        })?;
        let bound = PEAK_BYTES + PEAK_BYTES_EACH * input.content.len();
        if peak > bound {
            let what = format!("{peak} bytes held, {bound} are allowed, {end}");
            return Err(finding("memory".to_owned(), what));
        }
        Ok((end, peak))
    }

    /// A finding made smaller while it breaks the same promise, and kept.
    pub(crate) fn shrunk(
        &self,
        mut finding: Finding,
        run: impl Fn(&Input) -> Option<Finding>,
    ) -> Finding {
        let binary = finding.input.is_binary();
        let mut size = if binary {
            64
        } else {
            pieces(&finding.input.text()).len() / 2
        };
        let (mut tries, start) = (0, Instant::now());
        while size > 0 && !binary {
            let mut at = 0;
            loop {
                let mut left = pieces(&finding.input.text());
                let enough = tries >= SHRINKS || start.elapsed() > SHRINKING;
                if at >= left.len() || enough {
                    break;
                }
                left.drain(at..(at + size).min(left.len()));
                let smaller = Input {
                    content: left.concat().into_bytes(),
                    ..finding.input.clone()
                };
                tries += 1;
                match run(&smaller).filter(|other| other.place == finding.place) {
                    Some(other) => finding = other,
                    None => at += size,
                }
            }
            size /= 2;
        }
        let digest = finding
            .input
            .content
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
            });
        finding.kept = self
            .folder
            .join(format!("{digest:016x}.{}", finding.input.extension()));
        fs::write(&finding.kept, &finding.input.content).unwrap();
        finding
    }
}
