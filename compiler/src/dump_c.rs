//! A loop as one self-contained C99 file: the caller's own kernel text, and the wrapper that a careful OP2 user would write by
//! hand. The system's C compiler makes of it the oracle of strict mode and the baseline of every performance figure.
//!
//! Entry and argument blocks are those of `abi`. The kernel's text stands unchanged but for what would clash with the rest of
//! the file (see `neutral`). Kernel constants are globals, filled from the context on entry, or `static const` when they are
//! specialised. Accesses follow the design to the letter: what an indirect INC or WRITE gets is a zeroed local, a READ at one
//! entry of a map is read in place, a `through` is packed, a reduction runs in locals that are loaded before the first element
//! and stored after the last. There are no guards: where a kernel would be stopped, C leaves its behaviour undefined.
//!
//! Of a plain function it is the kernel's text alone, with its constants.
//!
//! Names outside of the kernel's text begin with `pl_` or `parloop_`.

mod argument;
mod neutral;
mod value;

use crate::options::FloatMode;
use crate::signature::{ArgSignature, DType, IndexWidth, Iteration, Signature, Source};
use crate::source::{CheckedKernel, ConstantDecl, KernelText, ParamInfo};
use argument::Argument;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What kernels take from `stdlib.h`; the header declares much else, whose names a kernel may give to functions of its own.
const STDLIB: [(&str, &str); 3] = [
    ("abs", "int abs(int);"),
    ("labs", "long labs(long);"),
    ("llabs", "long long llabs(long long);"),
];

/// Reductions of more values than this are not kept in locals across elements.
const ACCUMULATORS_MAX: u32 = 16;

/// The C file of a loop. `strict` asks for what `FloatMode::Strict` promises, bit for bit.
pub fn dump_c(
    text: &KernelText<'_>,
    checked: &CheckedKernel,
    signature: &Signature,
    strict: bool,
) -> String {
    let float = match strict {
        true => FloatMode::Strict,
        false => FloatMode::Contract,
    };
    let file = File {
        text,
        checked,
        dats: dats(checked, signature),
        maps: maps(signature),
        args: Argument::all(signature, &checked.params, float),
        float,
        is_function: signature.iteration == Iteration::Function,
        neutral: neutral::neutralise(text.text),
    };
    file.print()
}

/// A dat or a global as the wrapper sees it.
struct Dat {
    /// The first argument that uses it.
    arg: usize,
    dtype: DType,
    dim: u32,
    is_global: bool,
    /// Whether nothing in the loop may write to it, not even a kernel that is careless with `const`.
    is_const: bool,
    /// Whether some argument writes it.
    is_written: bool,
}

impl Dat {
    /// Whether its running values are kept in locals.
    fn accumulates(&self) -> bool {
        self.is_global && self.is_written && self.dim <= ACCUMULATORS_MAX
    }
}

fn dats(checked: &CheckedKernel, signature: &Signature) -> BTreeMap<u16, Dat> {
    let mut dats: BTreeMap<u16, Dat> = BTreeMap::new();
    for (i, arg) in signature.args.iter().enumerate() {
        let ArgSignature {
            source,
            dtype,
            dim,
            layout: _,
            access,
            dat,
        } = *arg;
        if source == Source::Element {
            continue;
        }
        let is_const = !access.writes() && checked.params.get(i).is_some_and(is_read_only);
        let known = dats.entry(dat).or_insert(Dat {
            arg: i,
            dtype,
            dim,
            is_global: source == Source::Global,
            is_const: true,
            is_written: false,
        });
        known.is_const &= is_const;
        known.is_written |= access.writes();
        known.dim = known.dim.max(dim);
    }
    dats
}

fn is_read_only(param: &ParamInfo) -> bool {
    param.is_const || param.passing == crate::ir::Passing::Value
}

/// The first argument of each map slot, and the C type of the map's entries.
fn maps(signature: &Signature) -> BTreeMap<u16, (usize, &'static str)> {
    let mut maps = BTreeMap::new();
    for (i, arg) in signature.args.iter().enumerate() {
        if let Some(map) = arg.source.map() {
            let ty = match map.width {
                IndexWidth::I32 => "int32_t",
                IndexWidth::I64 => "int64_t",
            };
            maps.entry(map.slot).or_insert((i, ty));
        }
    }
    maps
}

/// All that the file is made from.
struct File<'a> {
    text: &'a KernelText<'a>,
    checked: &'a CheckedKernel,
    dats: BTreeMap<u16, Dat>,
    maps: BTreeMap<u16, (usize, &'static str)>,
    args: Vec<Argument>,
    float: FloatMode,
    is_function: bool,
    neutral: neutral::Neutral,
}

/// Writing to a `String` can't fail.
macro_rules! put {
    ($out:expr, $($format:tt)*) => { let _ = writeln!($out, $($format)*); };
}

impl File<'_> {
    fn print(&self) -> String {
        let mut out = String::new();
        self.head(&mut out);
        for (name, prototype) in STDLIB {
            if self.neutral.uses(name) {
                put!(out, "{prototype}");
            }
        }
        self.constants(&mut out);
        put!(out, "{KERNEL_HEAD}{}\n{KERNEL_TAIL}", self.neutral.text);
        if self.is_function {
            return out;
        }
        self.run(&mut out, false);
        self.run(&mut out, true);
        self.entry(&mut out);
        out
    }

    fn head(&self, out: &mut String) {
        let flags = match self.float {
            FloatMode::Strict => "-O2 -ffp-contract=off -fno-builtin -fwrapv",
            FloatMode::Contract | FloatMode::Reassociate => "-O3 -march=native -ffp-contract=fast",
        };
        put!(out, "/* A loop of the kernel {}. */", self.checked.name);
        put!(out, "/* cc -std=c99 {flags} -fPIC -shared -lm */\n");
        let words = ["complex", "_Complex"].map(|word| self.neutral.uses(word));
        // Not always: it takes the name `I`.
        if words.contains(&true) || self.text.text.contains("<complex.h>") {
            put!(out, "#include <complex.h>");
        }
        out.push_str(HEAD);
        if ["memset", "memcpy"]
            .iter()
            .any(|name| self.neutral.text.contains(name))
        {
            out.push_str("#include <string.h>\n\n");
        }
    }

    /// Kernel constants that the kernel reads, with their slot unless they are specialised.
    fn constants(&self, out: &mut String) {
        let mut fills = String::new();
        for constant in self.text.constants {
            let ConstantDecl {
                name,
                dtype,
                dim,
                specialised,
            } = constant;
            let extent = match dim {
                1 => String::new(),
                dim => format!("[{dim}]"),
            };
            if let Some(bits) = specialised {
                if self.neutral.uses(name) {
                    let values = value::list(*dtype, *dim, bits);
                    put!(out, "static const {dtype} {name}{extent} = {values};");
                }
                continue;
            }
            let Some(slot) = self.checked.constants.iter().position(|c| c == name) else {
                // Named where it is never read: the text needs it, whatever its value.
                if self.neutral.uses(name) {
                    put!(out, "static {dtype} {name}{extent};");
                }
                continue;
            };
            put!(out, "static {dtype} {name}{extent};");
            let from = format!("((const {dtype} *)pl_ctx->constants[{slot}])");
            match dim {
                1 => {
                    put!(fills, "    {name} = *{from};");
                }
                dim => {
                    put!(
                        fills,
                        "    for (int pl_i = 0; pl_i < {dim}; pl_i++) {name}[pl_i] = {from}[pl_i];"
                    );
                }
            }
        }
        let unused = if fills.is_empty() {
            "    (void)pl_ctx;\n"
        } else {
            ""
        };
        put!(
            out,
            "\nstatic void parloop_constants(const struct parloop_ctx *pl_ctx)\n{{\n{fills}{unused}}}\n"
        );
    }

    /// The parameters of the functions that run elements: a pointer for each dat, restricted, as they never overlap.
    fn pointers(&self) -> Vec<(String, String)> {
        let mut pointers = Vec::new();
        for (slot, dat) in &self.dats {
            let qualifier = if dat.is_const { "const " } else { "" };
            let ty = format!("{qualifier}{} *", dat.dtype);
            let declared = format!("{ty}restrict pl_d{slot}");
            pointers.push((declared, format!("({ty})pl_args[{}].base", dat.arg)));
        }
        for (slot, (arg, ty)) in &self.maps {
            let declared = format!("const {ty} *restrict pl_m{slot}");
            pointers.push((declared, format!("(const {ty} *)pl_args[{arg}].map")));
        }
        pointers
    }

    /// The function that runs a range of elements, or a list of them.
    fn run(&self, out: &mut String, list: bool) {
        let mut params: Vec<String> = self.pointers().into_iter().map(|(p, _)| p).collect();
        let name = if list { "pl_list" } else { "pl_range" };
        if list {
            params.push("const uint32_t *restrict pl_elems".to_owned());
        }
        params.push("uint64_t pl_begin, uint64_t pl_end".to_owned());
        put!(
            out,
            "static PARLOOP_RUN void {name}({})\n{{",
            params.join(", ")
        );
        for (slot, dat) in self.accumulators() {
            let (ty, dim) = (dat.dtype, dat.dim);
            put!(out, "    {ty} pl_a{slot}[{dim}];");
            put!(
                out,
                "    for (int pl_c = 0; pl_c < {dim}; pl_c++) pl_a{slot}[pl_c] = pl_d{slot}[pl_c];"
            );
        }
        let body = self.element();
        if list {
            put!(
                out,
                "    for (uint64_t pl_i = pl_begin; pl_i < pl_end; pl_i++) {{"
            );
            if body.contains("pl_e") {
                put!(out, "        const uint64_t pl_e = pl_elems[pl_i];");
            }
        } else {
            put!(
                out,
                "    for (uint64_t pl_e = pl_begin; pl_e < pl_end; pl_e++) {{"
            );
        }
        put!(out, "{body}    }}");
        for (slot, dat) in self.accumulators() {
            let dim = dat.dim;
            put!(
                out,
                "    for (int pl_c = 0; pl_c < {dim}; pl_c++) pl_d{slot}[pl_c] = pl_a{slot}[pl_c];"
            );
        }
        put!(out, "}}\n");
    }

    fn accumulators(&self) -> impl Iterator<Item = (&u16, &Dat)> {
        self.dats.iter().filter(|(_, dat)| dat.accumulates())
    }

    /// What runs for the element `pl_e`.
    fn element(&self) -> String {
        let mut out = String::new();
        let mut rows = BTreeMap::new();
        for arg in &self.args {
            if let Source::At(map, entry) = arg.signature.source {
                rows.insert((map.slot, entry), map.arity);
            }
        }
        for ((slot, entry), arity) in rows {
            put!(
                out,
                "        const int64_t pl_r{slot}_{entry} = pl_m{slot}[pl_e * {arity} + {entry}];"
            );
        }
        let mut passed = Vec::new();
        for arg in &self.args {
            let accumulates = self
                .dats
                .get(&arg.signature.dat)
                .is_some_and(Dat::accumulates);
            passed.push(arg.gather(&mut out, accumulates));
        }
        put!(out, "        {}({});", self.checked.name, passed.join(", "));
        for arg in &self.args {
            let accumulates = self
                .dats
                .get(&arg.signature.dat)
                .is_some_and(Dat::accumulates);
            arg.scatter(&mut out, accumulates);
        }
        out
    }

    fn entry(&self, out: &mut String) {
        let given: Vec<String> = self
            .pointers()
            .into_iter()
            .map(|(_, given)| given + ", ")
            .collect();
        let given = given.concat();
        put!(
            out,
            "uint32_t parloop_loop(struct parloop_ctx *pl_ctx, const struct parloop_arg *pl_args,"
        );
        put!(
            out,
            "                      const uint32_t *pl_elems, uint64_t pl_begin, uint64_t pl_end)\n{{"
        );
        put!(out, "    (void)pl_args;\n    parloop_constants(pl_ctx);");
        put!(
            out,
            "    if (pl_elems)\n        pl_list({given}pl_elems, pl_begin, pl_end);"
        );
        put!(out, "    else\n        pl_range({given}pl_begin, pl_end);");
        put!(out, "    return 0;\n}}");
    }
}

const HEAD: &str = "\
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parloop_arg {
    void *base;
    const void *map;
    int64_t element_stride, component_stride;
};

struct parloop_ctx {
    const void *const *constants;
    void *scratch;
    uint64_t steps;
    uint32_t site, reserved;
    uint64_t element;
    int64_t value;
};

#if defined(__GNUC__)
/* The kernel is inlined, the runs are not: restrict is a promise about parameters. */
#define PARLOOP_RUN __attribute__((flatten, noinline))
#pragma GCC diagnostic ignored \"-Wunused-function\"
#else
#define PARLOOP_RUN
#endif

";

/// A kernel that is `inline` but not `static` has no definition to call in C99.
const KERNEL_HEAD: &str = "\
/* The kernel. */
#define inline
";

const KERNEL_TAIL: &str = "#undef inline\n/* The loop. */\n";
