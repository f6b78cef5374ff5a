//! What a record of figures has to name: the machine and the commit.

/// The commit that this command was built from; `unknown` if its sources were no repository.
pub(crate) const COMMIT: &str = env!("BUILT_FROM_COMMIT");

/// Processor, number of processors, architecture and operating system.
pub(crate) fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let (arch, system) = (std::env::consts::ARCH, std::env::consts::OS);
    let model = model().unwrap_or_else(|| "unknown processor".to_owned());
    format!("{model}, {processors} processors, {arch}, {system}")
}

/// The processor's name, where the system tells it.
fn model() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    let (_, name) = line.split_once(':')?;
    Some(name.split_whitespace().collect::<Vec<_>>().join(" "))
}
