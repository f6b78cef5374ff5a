//! Writes all of a drawn kernel: constants, tables and helpers around it, parameters and what they are called with.

use crate::tree::{Drawn, Helper};
use crate::types::Ty;
use crate::writer::{Func, Place, Taken, Writer};
use parloop_compiler::Access;
use parloop_tests::case::Case;

/// How arguments get to their values.
const PATHS: [&str; 8] = [
    "",
    "at ends 0",
    "at ends 1",
    "through wide",
    "at gaps 1",
    "through holes",
    "global",
    "",
];
const ACCESSES: [&str; 6] = ["read", "write", "rw", "inc", "min", "max"];

/// What is wild in a kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Wild {
    pub(crate) values: bool,
    pub(crate) loops: bool,
}

/// What stands before the kernel, and a writer that knows of it.
fn around(drawn: &Drawn, wild: Wild, constants: bool) -> (Writer, Vec<String>) {
    let mut writer = Writer::default();
    (writer.wild_values, writer.wild_loops) = (wild.values, wild.loops);
    let mut lines = Vec::new();
    if constants {
        for (k, (ty, len, value)) in drawn.constants.iter().enumerate() {
            let ((ty, short), len) = (Ty::data(*ty), 1 + u32::from(len / 2) % 3);
            let text = |i: u32| {
                let value = i32::from(*value % 64) + i as i32 * 7;
                match ty.float() {
                    true => format!("{}", f64::from(value) * 0.375 - 3.0),
                    false => format!("{value}"),
                }
            };
            let values: Vec<String> = (0..len).map(text).collect();
            let folded = if value % 2 == 1 { "folded" } else { "constant" };
            lines.push(format!("// {folded}: g{k} {short} {}", values.join(" ")));
            let dims: &[u32] = if len == 1 { &[] } else { &[len] };
            writer
                .places
                .push(Place::new(&format!("g{k}"), ty, dims, false));
        }
    }
    for (k, (ty, shape)) in drawn.tables.iter().enumerate() {
        let (ty, name) = (Ty::data(*ty).0, format!("T{k}"));
        let (dims, values): (&[u32], &str) = match shape % 3 {
            0 => (&[4], "{1, 2, 3}"),
            1 => (&[2, 3], "{{1, 5}, {7, 0, 9}}"),
            _ => (&[2, 2, 2], "{{{3}, {2, 1}}, {{8, 4}, {6}}}"),
        };
        let extents: String = dims.iter().map(|d| format!("[{d}]")).collect();
        writer.out += &format!(
            "static const {} {name}{extents} = {values};\n",
            ty.name(*shape)
        );
        writer.places.push(Place::new(&name, ty, dims, false));
    }
    for (k, drawn) in drawn.helpers.iter().enumerate() {
        helper(&mut writer, k, drawn);
    }
    (writer, lines)
}

fn helper(writer: &mut Writer, k: usize, drawn: &Helper) {
    let outer = writer.places.len();
    let result = (!drawn.result.is_multiple_of(3)).then(|| Ty::of(drawn.result / 3));
    let (mut taken, mut params) = (Vec::new(), Vec::new());
    for (i, (ty, how)) in drawn.params.iter().enumerate() {
        let name = format!("a{i}");
        // What gives a result writes nothing, so that it can stand in any expression.
        let pointer = how.is_multiple_of(3) || result.is_none() && i == 0;
        if pointer {
            let (ty, len) = (Ty::data(*ty).0, 1 + u32::from(how / 3) % 3);
            let written = result.is_none() && (i == 0 || how % 2 == 0);
            let constness = if written { "" } else { "const " };
            params.push(match how % 4 {
                0 => format!("{constness}{} {name}[{len}]", ty.name(*how)),
                _ => format!("{constness}{} *{name}", ty.name(*how)),
            });
            taken.push(Taken::Pointer(ty, len, written));
            writer.places.push(Place::new(&name, ty, &[len], written));
        } else {
            let ty = Ty::of(*ty);
            params.push(format!("{} {name}", ty.name(*how)));
            taken.push(Taken::Value(ty));
            writer.places.push(Place::new(&name, ty, &[], true));
        }
    }
    let c = result.map_or("void", |ty| ty.name(drawn.result));
    let inline = ["static", "static inline"][usize::from(drawn.result / 64) % 2];
    writer.out += &format!("{inline} {c} h{k}({}) {{\n", params.join(", "));
    writer.result = result;
    let inner = writer.places.len();
    writer.block(&drawn.body);
    writer.places.truncate(inner);
    if let Some(ty) = result {
        let end = writer.expr(&drawn.end);
        let end = writer.to(end, ty);
        writer.line(&format!("return {end};"));
    }
    writer.result = None;
    writer.out += "}\n";
    writer.places.truncate(outer);
    writer.funcs.push(Func {
        name: format!("h{k}"),
        result,
        params: taken,
    });
}

/// One argument of a loop: its line, its parameter, and what the kernel sees.
fn argument(
    i: usize,
    drawn: (u8, u8, u8, u8),
    last: bool,
    conflicts: bool,
) -> (String, String, Place) {
    let (path, access, rest, spelled) = drawn;
    if path == 255 && !last {
        let ty = [Ty::I64, Ty::I32, Ty::U32, Ty::I32][usize::from(access) % 4];
        let name = format!("p{i}");
        return (
            "index".to_owned(),
            format!("{} {name}", ty.name(spelled)),
            Place::new(&name, ty, &[], true),
        );
    }
    let path = PATHS[usize::from(path) % PATHS.len()];
    // The last one is written, so that a kernel does something.
    let access = match last {
        true => ACCESSES[1 + usize::from(access) % 5],
        false => ACCESSES[usize::from(access) % 6],
    };
    let (ty, short) = Ty::data(rest);
    let dim = 1 + u32::from(rest / 16) % 4;
    let shared = spelled % 2 == 1;
    // Half of those that may share a dat do.
    let of = match (path, access) {
        _ if !shared => format!("of p{i}"),
        ("", _) => format!("of own_{short}_{dim}"),
        ("global", _) => format!("of p{i}"),
        (_, _) if conflicts => format!("of any_{short}_{dim}"),
        (_, "write" | "rw") => format!("of p{i}"),
        _ => format!("of {access}_{short}_{dim}"),
    };
    let name = format!("p{i}");
    let constness = if access == "read" { "const " } else { "" };
    let c = ty.name(spelled);
    if path == "global" && access == "read" && spelled % 4 < 2 {
        let line = format!("read {short} 1 global of p{i}");
        return (
            line,
            format!("{c} {name}"),
            Place::new(&name, ty, &[], true),
        );
    }
    let line = format!("{access} {short} {dim} {path} {of}");
    let rows = match path {
        "through wide" => 3,
        "through holes" => 2,
        _ => 1,
    };
    let mut place = Place::new(&name, ty, &[dim * rows], access != "read");
    let param = match spelled / 4 % 8 {
        0 if rows > 1 => {
            place.dims = vec![rows, dim];
            format!("{constness}{c} {name}[{rows}][{dim}]")
        }
        1 | 2 if rows > 1 && matches!(access, "read" | "rw" | "inc") => {
            place.dims = vec![rows, dim];
            place.rows = true;
            format!("{constness}{c} **{name}")
        }
        3 => format!("{constness}{c} {name}[{}]", dim * rows),
        4 if constness.is_empty() => format!("{c} *const {name}"),
        _ => format!("{constness}{c} *{name}"),
    };
    (line, param, place)
}

/// A kernel that a loop calls, as a file of the corpus.
pub(crate) fn looped(drawn: &Drawn, wild: Wild) -> String {
    let (mut writer, mut lines) = around(drawn, wild, true);
    let conflicts = drawn.choices.is_multiple_of(8);
    let (mut args, mut params) = (Vec::new(), Vec::new());
    for (i, param) in drawn.params.iter().enumerate() {
        let last = i + 1 == drawn.params.len();
        let (line, text, place) = argument(i, *param, last, conflicts);
        args.push(line);
        params.push(text);
        writer.places.push(place);
    }
    writer.out += &format!("void k({}) {{\n", params.join(", "));
    writer.block(&drawn.body);
    if conflicts {
        lines.push("// conflicts".to_owned());
    }
    format!(
        "// == random\n// args: {}\n// function: k\n{}\n{}}}\n",
        args.join("; "),
        lines.join("\n"),
        writer.out
    )
}

/// A kernel that is called as a plain function, and the memory that it is called with.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) text: String,
    pub(crate) extents: Vec<u32>,
    /// Types of the buffers; those of parameters, and of what may overlap with them.
    pub(crate) buffers: Vec<(Ty, usize)>,
    /// By parameter: buffer and offset in bytes.
    pub(crate) args: Vec<(usize, usize)>,
}

/// A kernel of pointers alone.
pub(crate) fn called(drawn: &Drawn, wild: Wild) -> Called {
    let (mut writer, _) = around(drawn, wild, false);
    let (mut params, mut made) = (
        Vec::new(),
        Called {
            text: String::new(),
            extents: Vec::new(),
            buffers: Vec::new(),
            args: Vec::new(),
        },
    );
    let mut restricted: Vec<bool> = Vec::new();
    for (i, (path, access, rest, spelled)) in drawn.params.iter().enumerate() {
        let (ty, _) = Ty::data(*rest);
        let written = access % 3 != 0 || i + 1 == drawn.params.len();
        let len = 1 + u32::from(rest / 16) % 8;
        // What may meet an earlier one does, more often than not; what is `restrict` meets nothing.
        let restrict = spelled % 4 == 0;
        let meets = |b: &usize| !restricted[*b] && made.buffers[*b].0.meets(ty);
        let met = (0..made.buffers.len()).filter(meets).collect::<Vec<_>>();
        let (buffer, offset) = match met.len() {
            n if n > 0 && !restrict && path % 4 != 0 => (
                met[usize::from(path / 4) % n],
                usize::from(path / 16) % 4 * ty.bytes(),
            ),
            _ => {
                made.buffers.push((ty, 96));
                restricted.push(restrict);
                (made.buffers.len() - 1, 0)
            }
        };
        // Buffers are as long as the longest, 8 values of 8 bytes behind 3.
        made.args.push((buffer, offset));
        made.extents.push(len);
        let constness = if written { "" } else { "const " };
        let restrict = if restrict { "restrict " } else { "" };
        let name = format!("p{i}");
        params.push(format!(
            "{constness}{} *{restrict}{name}",
            ty.name(*spelled)
        ));
        writer.places.push(Place::new(&name, ty, &[len], written));
    }
    writer.out += &format!("void k({}) {{\n", params.join(", "));
    writer.block(&drawn.body);
    made.text = format!(
        "#include <math.h>\n#include <stdbool.h>\n#include <stdint.h>\n#include <stdlib.h>\n{}}}\n",
        writer.out
    );
    made
}

/// Whether C, which works on copies of what is read and written through a map, does the same as working in place.
pub(crate) fn same_in_c(case: &Case) -> bool {
    let shared = |a: &parloop_tests::case::ArgSpec| {
        case.args.iter().filter(|b| b.data == a.data).count() > 1
    };
    let through = |a: &&parloop_tests::case::ArgSpec| a.access == Access::Rw && shared(a);
    !case.conflicts || case.args.iter().find(through).is_none()
}
