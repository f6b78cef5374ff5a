//! Disassembly by the system's `objdump`, where there is one.

use std::io::{self, Write};
use std::process::Command;

/// Why there is no disassembly.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObjdumpError {
    #[error("there is no `objdump` on the PATH to disassemble with; install binutils")]
    Missing,
    #[error("`objdump` can not be run: {0}")]
    Failed(io::Error),
    #[error("`objdump` does not take the object: {message}")]
    Refused { message: String },
}

/// The instructions of an object file.
pub(crate) fn disassemble(object: &[u8]) -> Result<String, ObjdumpError> {
    let mut file = tempfile::Builder::new()
        .prefix("parloop-")
        .suffix(".o")
        .tempfile()
        .map_err(ObjdumpError::Failed)?;
    file.write_all(object).map_err(ObjdumpError::Failed)?;
    let output = Command::new("objdump")
        .args(["-d", "-r", "--no-show-raw-insn"])
        .arg(file.path())
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ObjdumpError::Missing,
            _ => ObjdumpError::Failed(error),
        })?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(ObjdumpError::Refused { message });
    }
    // The first lines name the temporary file.
    let text = String::from_utf8_lossy(&output.stdout);
    let code = text
        .find("Disassembly of section")
        .map_or(&*text, |at| &text[at..]);
    Ok(code.to_owned())
}
