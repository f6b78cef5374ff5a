//! What the machine can do at most, as far as measured: bandwidth by STREAM's triad, arithmetic by fused multiply-adds.
//!
//! The triad is the catalogue's, at the size that was asked for, by the faster of all codes. The multiply-adds are a small program
//! that the C compiler makes, of independent sums in the widest vectors: those that parloop emits are 128 bits wide, so its own
//! loops would not show what the machine has.

use super::report::Report;
use crate::cc::Cc;
use serde::Serialize;
use std::path::Path;
use std::process::Command;

/// What bounds loops on a machine.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Peaks {
    /// Of useful bytes.
    pub(super) triad_gb_per_s: Option<f64>,
    /// Of one core, in double precision; `None` where there is no C compiler.
    pub(super) fma_gflop_per_s: Option<f64>,
}

impl Peaks {
    /// Of this machine; `apps` are what was measured.
    pub(super) fn of(apps: &[Report]) -> Peaks {
        Peaks {
            triad_gb_per_s: triad(apps),
            fma_gflop_per_s: Cc::find(None).ok().and_then(|cc| fma(&cc)),
        }
    }
}

impl Peaks {
    /// In a line; nothing if nothing could be measured.
    pub(super) fn told(&self) -> String {
        let triad = self
            .triad_gb_per_s
            .map(|rate| format!("triad {rate:.1} GB/s"));
        let fma = self.fma_gflop_per_s;
        let fma = fma.map(|rate| format!("multiply-adds {rate:.1} GFLOP/s"));
        let told: Vec<String> = triad.into_iter().chain(fma).collect();
        match told.is_empty() {
            true => String::new(),
            false => format!("one core: {}\n\n", told.join(", ")),
        }
    }
}

fn triad(apps: &[Report]) -> Option<f64> {
    let stream = apps.iter().find(|report| report.app == "stream")?;
    let triad = stream
        .kernels
        .iter()
        .find(|kernel| kernel.name == "triad")?;
    let all = std::iter::once(triad.baseline.as_ref())
        .flatten()
        .chain(&triad.baselines);
    // A baseline moves the same bytes in another time.
    let others = all.filter_map(|baseline| baseline.ratio);
    Some(triad.gb_per_s * others.fold(1.0, f64::max))
}

/// Sums that do not wait for each other, as many as registers hold, and the best of some runs.
const PROGRAM: &str = r#"
#include <stdio.h>
#include <time.h>
#define PEAK(BYTES, SUMS)                                                                          \
    static double peak##BYTES(void)                                                                \
    {                                                                                              \
        typedef double vector __attribute__((vector_size(BYTES)));                                 \
        vector sums[SUMS], x, y;                                                                   \
        for (unsigned lane = 0; lane < BYTES / 8; lane++) { x[lane] = 0.999; y[lane] = 1e-3; }     \
        for (int k = 0; k < SUMS; k++) sums[k] = y * (double)k;                                    \
        double best = 0;                                                                           \
        for (int run = 0; run < 20; run++) {                                                       \
            struct timespec from, to;                                                              \
            clock_gettime(CLOCK_MONOTONIC, &from);                                                 \
            for (int i = 0; i < 200000; i++) {                                                     \
                _Pragma("GCC unroll 16") for (int k = 0; k < SUMS; k++) sums[k] = sums[k] * x + y; \
            }                                                                                      \
            clock_gettime(CLOCK_MONOTONIC, &to);                                                   \
            double ns = (to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec);             \
            double rate = 200000.0 * SUMS * 2 * (BYTES / 8) / ns;                                  \
            if (rate > best) best = rate;                                                          \
        }                                                                                          \
        double all = 0;                                                                            \
        for (int k = 0; k < SUMS; k++) all += sums[k][0];                                          \
        return all == 0.123 ? 0 : best;                                                            \
    }
PEAK(16, 12)
PEAK(32, 12)
PEAK(64, 12)
int main(void)
{
    double best = peak16(), other = peak32();
    if (other > best) best = other;
    other = peak64();
    printf("%.17g\n", other > best ? other : best);
    return 0;
}
"#;

/// In operations a nanosecond: billions a second.
fn fma(cc: &Cc) -> Option<f64> {
    let directory = tempfile::Builder::new()
        .prefix("parloop-peak-")
        .tempdir()
        .ok()?;
    let [source, program] = ["peak.c", "peak"].map(|name| directory.path().join(name));
    std::fs::write(&source, PROGRAM).ok()?;
    let made = cc
        .program(["-O3", "-march=native", "-w"], &source, &program)
        .ok()?;
    made.status.success().then(|| run(&program))?
}

fn run(program: &Path) -> Option<f64> {
    let output = Command::new(program).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.trim()
        .parse()
        .ok()
        .filter(|rate: &f64| rate.is_finite() && *rate > 0.0)
}
