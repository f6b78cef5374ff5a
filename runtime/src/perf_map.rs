//! Tells `perf` the names of loops: a line for each in `/tmp/perf-PID.map`, the file it looks for.
//!
//! Written only on request. Lines are never taken back: an address that is reused later has a later line. Everybody may write to that
//! directory and guess the name, so the file is this user's own or is left alone: no link is followed, to no device is written.

use crate::code::Code;
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Appends the line of a loop. A file that can't be written costs names in a profile, nothing else.
pub(crate) fn note(code: &Code, kernel: &str) {
    let (address, bytes) = code.range();
    let plain = |c: char| if c.is_ascii_graphic() { c } else { '_' };
    let name: String = kernel.chars().map(plain).collect();
    let path = format!("/tmp/perf-{}.map", std::process::id());
    let file = open_own(path.as_ref());
    let _names_missing =
        file.and_then(|mut file| writeln!(file, "{address:x} {bytes:x} parloop::{name}"));
}

/// A file to append to, made if it is missing: a regular one, of this user, with one name.
fn open_own(path: &Path) -> io::Result<File> {
    // Without waiting for whoever would read a FIFO.
    let how = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW;
    let how = how | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = open(path, how, Mode::RUSR | Mode::WUSR)?;
    let stat = fstat(&file)?;
    let is_own = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
        && stat.st_uid == rustix::process::geteuid().as_raw()
        && stat.st_nlink == 1;
    match is_own {
        true => Ok(file.into()),
        false => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    #[test]
    fn only_a_file_of_ones_own_is_written_to() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("perf-1.map");
        let appends = |text: &str| open_own(&path).and_then(|mut f| f.write_all(text.as_bytes()));
        appends("one\n").unwrap();
        appends("two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let victim = temp.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        fs::remove_file(&path).unwrap();
        symlink(&victim, &path).unwrap();
        appends("through a link").unwrap_err();
        fs::remove_file(&path).unwrap();
        fs::hard_link(&victim, &path).unwrap();
        appends("by another name").unwrap_err();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        appends("into a directory").unwrap_err();
        fs::remove_dir(&path).unwrap();

        // Only root may give files away.
        fs::write(&path, "").unwrap();
        if chown(&path, Some(12_345), None).is_ok() {
            appends("of somebody else").unwrap_err();
            assert_eq!(fs::read_to_string(&path).unwrap(), "");
        }
    }
}
