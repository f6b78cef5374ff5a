//! Changed texts, changed IR and changed requests are taken or refused: no panic, no hang, memory bounded by their size.
//!
//! Seeds are the corpus, `corpus/hostile`, fixtures of the catalogue, and the IR and requests made of them; what comes to an end
//! that no input came to before becomes a seed too. The default run takes a few seconds and is the same each time.
//! `PARLOOP_FUZZ_SECONDS=n` goes on for n seconds from a fresh seed, which it prints; `PARLOOP_FUZZ_SEED=n` gives the seed.
//! A finding is kept below `target/tmp/fuzz`, shrunk, and `PARLOOP_FUZZ_INPUT=path` runs it alone. An input that ends the
//! process (a full stack, a failed allocation, a hang) is left there as `running.*`. Nothing that is compiled here is run.

mod come;
mod hold;
mod seeds;

use come::{Input, Kind, come};
use hold::{Finding, Hold};
use parloop_tests::fuzzing::Fuzzing;
use parloop_tests::meter::Meter;
use parloop_tests::mutate::{self, Words};
use parloop_tests::world::Dice;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[global_allocator]
static METER: Meter = Meter;

/// Inputs of a default run.
const INPUTS: u64 = 1_500;

/// Seed of a default run.
const SEED: u64 = 20_261_121;

/// Findings of different places after which a run stops.
const FINDINGS_MAX: usize = 8;

/// The most inputs that become seeds.
const POOL_MAX: usize = 20_000;

/// An input made of one seed, with pieces of another.
fn changed(pool: &[Input], seeds: usize, dice: &mut Dice) -> Input {
    // Half of them are of the first seeds: what came later is mostly refused.
    let from = if dice.below(2) == 0 {
        seeds
    } else {
        pool.len()
    };
    let seed = &pool[dice.below(from as u64) as usize];
    let other = &pool[dice.below(pool.len() as u64) as usize];
    let words = if seed.kind == Kind::C {
        Words::C
    } else {
        Words::Ir
    };
    let content = match seed.kind {
        Kind::Request => {
            let mut content = seed.content.clone();
            mutate::bytes(&mut content, dice);
            content
        }
        _ => {
            let other = if other.kind == seed.kind { other } else { seed };
            mutate::text(&seed.text(), &other.text(), words, dice).into_bytes()
        }
    };
    let choices = dice.below(1 << 20);
    Input {
        kind: seed.kind,
        content,
        choices,
    }
}

/// What a run did.
#[derive(Default)]
struct Done {
    inputs: u64,
    findings: Vec<Finding>,
    kinds: BTreeSet<String>,
    compiled: u64,
    slowest: Duration,
    hungriest: f64,
}

fn fuzz(hold: &Hold, seed: u64, until: Option<Instant>) -> Done {
    let mut pool = seeds::all();
    let mut done = Done::default();
    let seeds = pool.len() as u64;
    let go_on = |i: u64| until.map_or(i < INPUTS, |until| Instant::now() < until);
    while go_on(done.inputs) && done.findings.len() < FINDINGS_MAX {
        // Each seed once as it is, then changed ones.
        let i = done.inputs;
        let mut dice = Dice(seed ^ i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let input = match i < seeds {
            true => pool[i as usize].clone(),
            false => changed(&pool, seeds as usize, &mut dice),
        };
        done.inputs += 1;
        let start = Instant::now();
        match hold.run(&input, || come(&input)) {
            Ok((end, peak)) => {
                let held = peak.saturating_sub(hold::PEAK_BYTES) as f64
                    / input.content.len().max(1) as f64;
                done.hungriest = done.hungriest.max(held);
                done.compiled += u64::from(end.starts_with("compiled"));
                if done.kinds.insert(format!("{:?} {end}", input.kind)) && pool.len() < POOL_MAX {
                    pool.push(input);
                }
            }
            Err(finding) => {
                if done
                    .findings
                    .iter()
                    .all(|known| known.place != finding.place)
                {
                    done.findings
                        .push(hold.shrunk(finding, |input| hold.run(input, || come(input)).err()));
                }
            }
        }
        done.slowest = done.slowest.max(start.elapsed());
    }
    done
}

#[expect(
    clippy::print_stderr,
    reason = "a run that was asked for says how far it came"
)]
fn told(done: &Done, seed: u64) {
    eprintln!(
        "seed {seed}: {} inputs, {} compiled, {} kinds of ends, slowest {:?}, {:.0} bytes held for one of input beyond {}",
        done.inputs,
        done.compiled,
        done.kinds.len(),
        done.slowest,
        done.hungriest,
        hold::PEAK_BYTES,
    );
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz")
}

#[test]
fn changed_texts_ir_and_requests_are_taken_or_refused_without_harm() {
    let replayed = std::env::var("PARLOOP_FUZZ_INPUT").ok();
    let replayed = replayed.map(|path| (Input::read(Path::new(&path)), path));
    let hold = Hold::new(folder());
    if let Some((input, path)) = replayed {
        let ended = hold.on_a_thread(|| hold.run(&input, || come(&input)));
        let (end, peak) = ended.unwrap_or_else(|finding| panic!("{finding}"));
        println_of(&format!("{path}: {end}, {peak} bytes held"));
        return;
    }
    let Fuzzing { seed, until } = Fuzzing::asked(SEED);
    let done = hold.on_a_thread(|| fuzz(&hold, seed, until));
    told(&done, seed);
    let findings: Vec<String> = done.findings.iter().map(Finding::to_string).collect();
    assert!(findings.is_empty(), "seed {seed}:\n{}", findings.join("\n"));
    // A fuzzer whose inputs are all refused proves nothing.
    assert!(
        done.compiled * 30 > done.inputs,
        "{} of {}",
        done.compiled,
        done.inputs
    );
}

#[expect(
    clippy::print_stderr,
    reason = "a replay says what became of the input"
)]
fn println_of(text: &str) {
    eprintln!("{text}");
}
