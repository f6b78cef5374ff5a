//! What keeps a store from its work or makes it slower, each condition with what to do about it.
//!
//! Looks at everything that opening, reading and writing depend on; if the mode is one that writes and there is a place for it, writes
//! one temporary file to see whether that goes, and removes it again. Invariants: goes through the verified directory's descriptor;
//! makes no directory and changes nothing else; messages are escaped.

use crate::config::{Mode, StoreConfig};
use crate::disk::metadata::{escaped, unix_now};
use crate::disk::shared::{State, Why, is_read_only};
use crate::disk::store::Store;
use crate::disk::sys::{FILE_MODE, Sys};
use crate::disk::tree::Tree;
use crate::disk::trust::Refusal;
use crate::disk::{path, secret};
use crate::error::Bypass;
use rustix::io::Errno;
use std::os::fd::AsFd;
use std::path::Path;

/// Clocks may differ by so many seconds.
const SKEW_MAX_S: u64 = 60;
/// Less free space than this is told.
const FREE_BYTES_MIN: u64 = 64 << 20;
/// Fewer entries that found no room are no matter.
const LEFT_OUT_MIN: u64 = 100;
/// A temporary file older than this was left by a killed process.
const TEMP_STALE_S: u64 = 3600;

/// How much a condition matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// The directory is not used at all.
    Refused,
    /// Nothing is kept, or entries miss.
    Degraded,
    /// It costs time or space, or only looks odd.
    Note,
}

impl Severity {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Degraded => "degraded",
            Self::Note => "note",
        }
    }
}

/// Something that keeps a store from its work or makes it slower.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Condition {
    /// Stable name of the condition.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was found, with the path; control characters are escaped.
    pub what: String,
    /// What to do.
    pub advice: &'static str,
}

/// The conditions found so far.
#[derive(Default)]
struct Findings(Vec<Condition>);

impl Findings {
    fn add(&mut self, severity: Severity, code: &'static str, what: String, advice: &'static str) {
        self.0.push(Condition {
            code,
            severity,
            what: escaped_once(&what),
            advice,
        });
    }
}

/// Paths in messages of ours are escaped already; nothing that is left may steer a terminal.
fn escaped_once(text: &str) -> String {
    match text.chars().any(char::is_control) {
        true => escaped(text),
        false => text.to_owned(),
    }
}

impl Store {
    /// Every condition that makes a store of this directory slower or keeps it from its work, the worst first. Reads every
    /// entry. `mode` is the one that programs use, which need not be that of this look.
    pub fn diagnose(&self, mode: Mode) -> Vec<Condition> {
        let mut found = Findings::default();
        self::mode(mode, &mut found);
        bounds(&self.shared.config, &mut found);
        match self.state() {
            State::Disabled { why } => disabled(&self.shared.sys, &why, &mut found),
            State::ReadOnly {
                why: why @ Why::NotWritable(_),
            } => read_only(&why.to_string(), &mut found),
            _ => {}
        }
        if let Some(tree) = self.shared.tree() {
            root(&tree, &mut found);
            space(&tree, &mut found);
            if !matches!(mode, Mode::Off | Mode::ReadOnly) {
                probe(&tree, &mut found);
            }
            temporaries(&tree, &mut found);
            self.contents(&mut found);
        }
        found.0.sort_by_key(|condition| condition.severity);
        found.0
    }

    /// What lies in the tables.
    fn contents(&self, found: &mut Findings) {
        for problem in self.problems() {
            let what = format!("{}: {}", problem.path.to_string_lossy(), problem.code);
            let advice = match problem.code {
                "foreign_name" => {
                    "it is not the cache's and is left alone; remove it if it is nobody else's"
                }
                "not_a_directory" => {
                    "the next program that writes there puts a directory in its place"
                }
                "not_a_file" => {
                    "the next program that writes there puts a file in its place; a directory that is not empty stays: remove it"
                }
                "version" => "another version wrote it; nothing to do",
                _ => "the next run that needs it replaces it; `parloop cache verify` lists all",
            };
            found.add(Severity::Note, problem.code, what, advice);
        }
        let usage = self.usage();
        let config = &self.shared.config;
        if usage.entries() > config.entries_max || usage.bytes() > config.size_bytes_max {
            let what = format!("{} files of {} bytes", usage.entries(), usage.bytes());
            let advice = "more than the bounds; `parloop cache gc` evicts, else the next process that publishes does";
            found.add(Severity::Note, "over_bounds", what, advice);
        }
        let lifetime = self.lifetime();
        let left_out = lifetime.bypasses.get(Bypass::NotWorth.code()).copied();
        let left_out = left_out.unwrap_or_default();
        if left_out >= LEFT_OUT_MIN && left_out > lifetime.published {
            let published = lifetime.published;
            let what = format!(
                "{left_out} times there was no room for an entry, {published} were written"
            );
            let advice =
                "what runs in turn does not fit; raise the bounds on the cache's bytes and entries";
            found.add(Severity::Note, "crowded", what, advice);
        }
        let late = unix_now() + SKEW_MAX_S;
        let from_future = self.entries().filter(|listed| {
            let entry = listed.entry.as_ref();
            entry.is_ok_and(|entry| entry.metadata().created_unix_s > late)
        });
        let from_future = from_future.count();
        if from_future > 0 {
            let what = format!("{from_future} entries say they were made in the future");
            let advice = "set the clock; the cache does not depend on it, its listings do";
            found.add(Severity::Note, "future_entries", what, advice);
        }
    }
}

fn mode(mode: Mode, found: &mut Findings) {
    let (severity, code, advice) = match mode {
        Mode::Off => (Severity::Refused, "mode_off", "set the mode to read-write"),
        Mode::Refresh => (
            Severity::Degraded,
            "mode_refresh",
            "everything is made again; set the mode to read-write when that is done",
        ),
        Mode::ReadOnly => (
            Severity::Degraded,
            "mode_read_only",
            "nothing is kept; set the mode to read-write",
        ),
        Mode::Verify => (
            Severity::Note,
            "mode_verify",
            "every hit is compiled again; set the mode to read-write when that is done",
        ),
        Mode::Audit => (
            Severity::Note,
            "mode_audit",
            "a part of the hits is compiled again and interpreted; set the mode to read-write when that is done",
        ),
        Mode::ReadWrite => return,
    };
    found.add(
        severity,
        code,
        format!("the configured mode is {}", mode.name()),
        advice,
    );
}

/// Bounds that let nothing in.
fn bounds(config: &StoreConfig, found: &mut Findings) {
    for (bound, of) in [
        (config.size_bytes_max, "bytes"),
        (config.entries_max, "entries"),
    ] {
        if bound == 0 {
            let what = format!("the bound on its {of} is zero");
            let advice = "nothing is kept; raise the bound, or set the mode to off";
            found.add(Severity::Degraded, "no_room", what, advice);
        }
    }
}

/// A directory that is not there: made by the first program, if that may.
fn missing(sys: &Sys, path: &Path, kind: std::io::ErrorKind, found: &mut Findings) {
    let what = format!("{}: {kind}", escaped(&path.to_string_lossy()));
    // What is missing is the first component that is: the one before it is there.
    let above = path.parent().unwrap_or(Path::new("/"));
    match sys.may_write_in(rustix::fs::CWD, above) {
        Ok(()) => {
            let advice = "nothing to do: the first program that compiles makes it";
            found.add(Severity::Note, "missing", what, advice);
        }
        Err(errno) => {
            let what = format!("{what}, and it can not be made: {}", errno.kind());
            let advice =
                "see to it that you may write in the directory above, or choose another directory";
            found.add(Severity::Refused, "not_to_be_made", what, advice);
        }
    }
}

fn disabled(sys: &Sys, why: &Why, found: &mut Findings) {
    let refusal = match why {
        Why::NoDirectory => {
            let advice = "set the cache directory, or HOME for the usual place";
            return found.add(Severity::Refused, "no_directory", why.to_string(), advice);
        }
        Why::Refused(refusal) => refusal,
        // Told as the mode.
        _ => return,
    };
    let (severity, code, advice) = match refusal {
        Refusal::ForeignOwner { .. } => (
            Severity::Refused,
            "foreign_owner",
            "choose a directory below one of your own, or have its owner changed",
        ),
        Refusal::WritableByOthers { .. } => (
            Severity::Refused,
            "writable_by_others",
            "take the right to write from group and others (chmod go-w), or choose another directory",
        ),
        Refusal::SymbolicLink { .. } => (
            Severity::Refused,
            "symbolic_link",
            "name the place that the link points to, or make the link yourself",
        ),
        Refusal::NotADirectory { .. } => (
            Severity::Refused,
            "not_a_directory",
            "remove what lies there, or choose another directory",
        ),
        Refusal::BadPath { .. } => (Severity::Refused, "bad_path", "give an absolute path"),
        Refusal::Elevated => (
            Severity::Refused,
            "elevated",
            "a program with more rights than its user keeps nothing; run it without",
        ),
        Refusal::Io {
            path,
            kind: kind @ std::io::ErrorKind::NotFound,
        } => return missing(sys, path, *kind, found),
        Refusal::Io { .. } => (
            Severity::Refused,
            "unreadable",
            "see to it that you may open it",
        ),
    };
    found.add(severity, code, refusal.to_string(), advice);
}

fn read_only(what: &str, found: &mut Findings) {
    let advice = "entries are used and none is kept; see to it that you may write there, or choose another directory";
    found.add(Severity::Degraded, "read_only", what.to_owned(), advice);
}

/// The directory itself, its secret, and what else lies in it.
fn root(tree: &Tree, found: &mut Findings) {
    if let Ok(facts) = tree.sys.facts(tree.root())
        && facts.mode & 0o077 != 0
    {
        let what = format!("the directory has mode {:04o}", facts.mode & 0o7777);
        let advice =
            "others may see when entries change, though not read them; chmod 700 hides that";
        found.add(Severity::Note, "open_to_others", what, advice);
    }
    match secret::read(&tree.sys, tree.root(), tree.uid) {
        Ok(Some(_)) => {}
        Ok(None) if tree.sys.facts_at(tree.root(), path::SECRET).is_ok() => {
            let what = "the key in `secret` is damaged, or was open to others".to_owned();
            let advice = "nothing to do: it is made anew, and all entries miss once";
            found.add(Severity::Degraded, "secret", what, advice);
        }
        Ok(None) => {}
        Err(errno) => {
            let what = format!("the key in `secret` can not be read: {}", errno.kind());
            let advice = "see to it that you may read it, or remove it";
            found.add(Severity::Degraded, "secret", what, advice);
        }
    }
    for name in tree.sys.names(tree.root(), ".").unwrap_or_default() {
        match name.as_str() {
            path::SECRET | path::VERSION_DIR => {}
            other if path::is_other_version(other) => {
                let what = format!("`{}` is the tree of another format version", escaped(&name));
                let advice = "nothing to do: that version's programs use it, this one does not count it, and once nothing used it for 30 days, and that was seen on five, it goes";
                found.add(Severity::Note, "other_version", what, advice);
            }
            _ => {
                let what = format!("`{}`: foreign_name", escaped(&name));
                let advice =
                    "it is not the cache's and is left alone; remove it if it is nobody else's";
                found.add(Severity::Note, "foreign_name", what, advice);
            }
        }
    }
}

/// What file system it is, and how much room there is.
fn space(tree: &Tree, found: &mut Findings) {
    if let Ok(facts) = rustix::fs::fstatvfs(tree.root()) {
        let free = facts.f_bavail.saturating_mul(facts.f_frsize);
        if free < FREE_BYTES_MIN {
            let what = format!("{free} bytes are free on its file system");
            let advice = "make room, or lower the bound on the cache's bytes";
            found.add(Severity::Degraded, "full", what, advice);
        }
        if facts.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
            read_only("its file system is mounted read-only", found);
        }
    }
    #[cfg(target_os = "linux")]
    if let Ok(facts) = rustix::fs::fstatfs(tree.root())
        && let kind = tree
            .sys
            .told("network")
            .map_or(facts.f_type as u32, |kind| kind as u32)
        && let Some(name) = network(kind)
    {
        let what = format!("it lies on a network file system ({name})");
        let advice = "hits take as long as the server; a directory on a local disk is faster";
        found.add(Severity::Note, "network", what, advice);
    }
}

/// The names of network file systems, by the numbers that Linux gives them.
#[cfg(target_os = "linux")]
const fn network(kind: u32) -> Option<&'static str> {
    match kind {
        0x6969 => Some("NFS"),
        0x517b | 0xfe53_4d42 | 0xff53_4d42 => Some("SMB"),
        0x0bd0_0bd0 => Some("Lustre"),
        0x00c3_6400 => Some("Ceph"),
        0x6573_5546 => Some("FUSE"),
        0x4750_4653 => Some("GPFS"),
        _ => None,
    }
}

/// Writes a temporary file, and sees what comes of it. Where nothing was ever written, asks whether one may.
fn probe(tree: &Tree, found: &mut Findings) {
    let written = tree.sys.random::<10>().and_then(|random| {
        let at = path::temp(random);
        let fd = tree.sys.create(tree.root(), &at)?;
        Ok((at, fd))
    });
    let (at, fd) = match written {
        Ok(written) => written,
        // The first that writes makes the directory, or another in the place of what is none.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return may_write(tree, found),
        Err(errno) if is_read_only(errno) => {
            return read_only(&format!("a file can not be made: {}", errno.kind()), found);
        }
        Err(errno) => return unwritten(errno, found),
    };
    let outcome = tree
        .sys
        .chmod(&fd, FILE_MODE)
        .and_then(|()| tree.sys.write(&fd, &[0; 4096]));
    if let Err(errno) = outcome {
        unwritten(errno, found);
    }
    if let Ok(facts) = tree.sys.facts(fd.as_fd()) {
        let now = unix_now().saturating_add_signed(tree.sys.told("skew").map_or(0, i64::from));
        let skew = facts.modified_unix_s.unsigned_abs().abs_diff(now);
        if skew > SKEW_MAX_S {
            let what = format!("the file system's clock is {skew} s apart from this host's");
            let advice = "set the clocks; nothing is wrong meanwhile, but left-over files are swept too early or too late";
            found.add(Severity::Note, "clock_skew", what, advice);
        }
    }
    if let Err(errno) = tree.sys.try_lock(&fd) {
        let what = format!("files can not be locked: {}", errno.kind());
        let advice = "processes that start together may compile the same loop; results are right all the same";
        found.add(Severity::Note, "no_locks", what, advice);
    }
    let _left_to_the_sweep = tree.sys.unlink(tree.root(), &at);
}

/// Whether a directory may be made in the root.
fn may_write(tree: &Tree, found: &mut Findings) {
    if let Err(errno) = tree.sys.may_write_in(tree.root(), ".") {
        let what = format!("a directory can not be made: {}", errno.kind());
        read_only(&what, found);
    }
}

fn unwritten(errno: Errno, found: &mut Findings) {
    let what = format!("a file can not be written: {}", errno.kind());
    match errno {
        Errno::NOSPC | Errno::DQUOT => {
            let advice = "make room, or lower the bound on the cache's bytes";
            found.add(Severity::Degraded, "full", what, advice);
        }
        _ => {
            let advice = "nothing is kept until writing works again; see to the file system";
            found.add(Severity::Degraded, "write", what, advice);
        }
    }
}

fn temporaries(tree: &Tree, found: &mut Findings) {
    let now = i64::try_from(unix_now()).unwrap_or(i64::MAX);
    let names = tree
        .sys
        .names(tree.root(), path::TEMP_DIR)
        .unwrap_or_default();
    let stale = names.iter().filter(|name| {
        let at = format!("{}/{name}", path::TEMP_DIR);
        let facts = tree.sys.facts_at(tree.root(), &at);
        path::is_temp(name)
            && facts.is_ok_and(|facts| facts.modified_unix_s.abs_diff(now) > TEMP_STALE_S)
    });
    let stale = stale.count();
    if stale > 0 {
        let what = format!("{stale} temporary files were left by processes that were killed");
        let advice = "nothing to do: the next process that publishes removes them; so does `parloop cache gc`";
        found.add(Severity::Note, "left_over", what, advice);
    }
}
