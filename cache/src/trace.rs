//! Forwards events to `tracing`, under names that programs may rely on. The crate only emits; whether anything listens is the program's
//! choice.
//!
//! Invariant: each event is one line of the log, with all that it tells; names of fields and their values never change their meaning.

use crate::event::Event;

/// Forwards an event to `tracing`: warnings and rejections at `warn`, all else at `debug`. The target is `parloop::cache`, of
/// explanations `parloop::explain`.
///
/// Each has the field `event`, its name: `hit`, `retract`, `miss`, `compile`, `publish`, `bypass`, `reject`, `evict`, `collect`, `explained`,
/// `verified`, `nondeterministic`, `object_hit`, `object_built` or `warning`. Others, where they apply: `layer` (`memory`, `disk` or
/// `shortcut`), `key`, `reason` (a stable code), `bytes`, `saved_us` and `duration_us` (whole microseconds); of warnings `code` and
/// `message`; of collections `entries`; of explanations `nearest` (a key, or nothing), `differences`, `entries` and `all`.
pub fn trace(event: &Event) {
    match event {
        Event::Warning { code, message } => {
            tracing::warn!(target: "parloop::cache", event = "warning", code, "{message}");
        }
        Event::Reject { layer, key, reason } => {
            tracing::warn!(target: "parloop::cache", event = "reject", layer = layer.name(), %key, reason);
        }
        Event::Explained {
            key,
            nearest,
            differences,
            entries,
            all,
        } => {
            let nearest = nearest.map(|key| key.to_string()).unwrap_or_default();
            let differences = differences.join("; ");
            tracing::debug!(target: "parloop::explain", event = "explained", %key, nearest, differences, entries, all);
        }
        other => at_debug(other),
    }
}

fn at_debug(event: &Event) {
    macro_rules! say {
        ($name:literal $($fields:tt)*) => {
            tracing::debug!(target: "parloop::cache", event = $name $($fields)*)
        };
    }
    let us = |time: &std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    match event {
        Event::Hit {
            layer,
            key,
            saved,
            duration,
        } => {
            let (saved_us, duration_us) = (us(saved), us(duration));
            say!("hit", layer = layer.name(), %key, saved_us, duration_us);
        }
        Event::Retract { layer, key } => say!("retract", layer = layer.name(), %key),
        Event::Miss { layer, key, reason } => {
            say!("miss", layer = layer.name(), %key, reason);
        }
        Event::Compile { key, duration } => say!("compile", %key, duration_us = us(duration)),
        Event::Publish {
            layer,
            key,
            bytes,
            duration,
        } => {
            let duration_us = us(duration);
            say!("publish", layer = layer.name(), %key, bytes, duration_us);
        }
        Event::Bypass { layer, key, reason } => {
            say!("bypass", layer = layer.name(), %key, reason);
        }
        Event::Evict { layer, key, bytes } => say!("evict", layer = layer.name(), %key, bytes),
        Event::Collect {
            entries,
            bytes,
            duration,
        } => say!("collect", entries, bytes, duration_us = us(duration)),
        Event::Verified { layer, key } => say!("verified", layer = layer.name(), %key),
        Event::Nondeterministic { layer, key } => {
            say!("nondeterministic", layer = layer.name(), %key);
        }
        Event::ObjectHit => say!("object_hit"),
        Event::ObjectBuilt { duration, bytes } => {
            say!("object_built", duration_us = us(duration), bytes);
        }
        // Told above, at other levels.
        Event::Warning { .. } | Event::Reject { .. } | Event::Explained { .. } => {}
    }
}

/// Whether anything listens to explanations, at `debug` of the target `parloop::explain`. They cost a look at up to some thousand entries
/// for each miss: who logs all that is said at `debug` and does not want them leaves this target out (`parloop::explain=off`).
pub fn explanations_are_traced() -> bool {
    tracing::enabled!(target: "parloop::explain", tracing::Level::DEBUG)
}
