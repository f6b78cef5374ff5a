//! What this machine is: the one place that asks.
//!
//! A feature counts only where both processor and operating system support it, which is what the standard library's tests say.

use parloop_compiler::Level;

/// The highest level whose features this host has all of.
pub(crate) fn native_level() -> Level {
    let runs = |level: &&Level| level.is_x86_64() == cfg!(target_arch = "x86_64") && runs(**level);
    // There is a level without features for each architecture that the crate builds for.
    *Level::ALL.iter().rev().find(runs).unwrap_or(&LOWEST)
}

#[cfg(target_arch = "x86_64")]
const LOWEST: Level = Level::Baseline;
#[cfg(target_arch = "aarch64")]
const LOWEST: Level = Level::Aarch64;

/// Whether this host can run code of `level`.
pub(crate) fn runs(level: Level) -> bool {
    level.is_x86_64() == cfg!(target_arch = "x86_64")
        && level.features().iter().all(|name| has(name))
}

/// Whether this host has a CPU feature, by the code generator's name for it.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has(feature: &str) -> bool {
    use std::is_x86_feature_detected as detected;
    match feature {
        "has_cmpxchg16b" => detected!("cmpxchg16b"),
        "has_sse3" => detected!("sse3"),
        "has_ssse3" => detected!("ssse3"),
        "has_sse41" => detected!("sse4.1"),
        "has_sse42" => detected!("sse4.2"),
        "has_popcnt" => detected!("popcnt"),
        "has_avx" => detected!("avx"),
        "has_avx2" => detected!("avx2"),
        "has_fma" => detected!("fma"),
        "has_bmi1" => detected!("bmi1"),
        "has_bmi2" => detected!("bmi2"),
        "has_lzcnt" => detected!("lzcnt"),
        "has_avx512f" => detected!("avx512f"),
        "has_avx512dq" => detected!("avx512dq"),
        "has_avx512vl" => detected!("avx512vl"),
        _ => false,
    }
}

/// Whether this host has a CPU feature: levels of this architecture name none.
#[cfg(target_arch = "aarch64")]
pub(crate) fn has(_feature: &str) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_native_level_runs_and_so_does_each_below_it() {
        let native = native_level();
        for level in Level::ALL
            .into_iter()
            .filter(|l| l.is_x86_64() == native.is_x86_64())
        {
            assert_eq!(runs(level), level <= native, "{level}");
        }
    }

    #[test]
    fn an_unknown_feature_is_one_that_the_host_lacks() {
        assert!(!has("has_teleport"));
    }
}
