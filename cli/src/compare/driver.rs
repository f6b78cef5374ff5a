//! The C file that reaches a file's kernels from outside: its own text unchanged, and for each function one that calls any
//! function of the same prototype, and one that tells its address.
//!
//! Static functions are reached in this way too. Names begin with `pl_compare_`.

use parloop_compiler::ParamInfo;
use parloop_compiler::ir::Passing;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Component, Path};

/// Headers that generated kernels include, for machines without the programs that they were generated for. Real ones are preferred.
const HEADERS: [(&str, &str); 2] = [
    ("ufcx.h", include_str!("ufcx.h")),
    ("petsc.h", include_str!("petsc.h")),
];

/// Writes the headers to `directory`.
pub(super) fn write_headers(directory: &Path) -> std::io::Result<()> {
    HEADERS
        .iter()
        .try_for_each(|(name, text)| std::fs::write(directory.join(name), text))
}

/// The header that a C compiler says is not there, if that is what it says: a relative path that stays below.
pub(super) fn missing_header(message: &str) -> Option<String> {
    let line = message.lines().find(|line| line.contains("fatal error:"))?;
    let (_, told) = line.split_once("fatal error:")?;
    let name = told
        .strip_suffix(": No such file or directory")
        .or_else(|| told.strip_suffix(" file not found"))?;
    let name = name.trim().trim_matches('\'');
    let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    let stays = Path::new(name).components().all(plain) && !name.is_empty();
    stays.then(|| name.to_owned())
}

/// Puts an empty header where a missing one is looked for: kernels that need nothing of it are compared all the same, and others
/// are told what they lack in the C compiler's words.
pub(super) fn write_empty_header(directory: &Path, name: &str) -> std::io::Result<()> {
    let path = directory.join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, "")
}

/// The name of the function that calls function `index`.
pub(super) fn call_name(index: usize) -> String {
    format!("pl_compare_call_{index}")
}

/// The name of the function that gives the address of function `index`.
pub(super) fn address_name(index: usize) -> String {
    format!("pl_compare_address_{index}")
}

/// The C file for a text and the functions in it.
///
/// `unset` are constants that others of the text's functions read: without them the whole would not load.
pub(super) fn c_file(
    text: &str,
    functions: &[(String, Vec<ParamInfo>)],
    unset: &BTreeSet<String>,
) -> String {
    let mut out =
        String::from("#include <stdint.h>\n#include <stdbool.h>\n#include <math.h>\n#line 1\n");
    out.push_str(text);
    out.push('\n');
    for name in unset {
        let _ = writeln!(out, "__typeof__({name}) {name};");
    }
    for (index, (name, params)) in functions.iter().enumerate() {
        let (types, values): (Vec<_>, Vec<_>) = params.iter().enumerate().map(parameter).unzip();
        let (types, values) = (types.join(", "), values.join(", "));
        let (call, address) = (call_name(index), address_name(index));
        // Writing to a string can't fail.
        let _ = writeln!(
            out,
            "int {call}(void *pl_f, void **pl_a, long pl_n) {{ int pl_s = 0; (void)pl_a;\n\
             \x20 for (long pl_i = 0; pl_i < pl_n && !pl_s; pl_i++) pl_s = ((int (*)({types}))pl_f)({values});\n\
             \x20 return pl_s; }}\n\
             int {call}_void(void *pl_f, void **pl_a, long pl_n) {{ (void)pl_a;\n\
             \x20 for (long pl_i = 0; pl_i < pl_n; pl_i++) ((void (*)({types}))pl_f)({values});\n\
             \x20 return 0; }}\n\
             void *{address}(void) {{ return (void *){name}; }}"
        );
    }
    out
}

fn parameter((index, param): (usize, &ParamInfo)) -> (String, String) {
    match (param.passing, param.dtype) {
        (Passing::Value, Some(dtype)) => {
            let name = dtype.c_name();
            (name.to_owned(), format!("*({name} *)pl_a[{index}]"))
        }
        _ => ("void *".to_owned(), format!("pl_a[{index}]")),
    }
}
