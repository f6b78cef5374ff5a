//! A kernel and how it is called, as data: the C text, and a line for its arguments.
//!
//! The arguments' line is a list with `;` between its items, each `ACCESS TYPE DIM [PATH] [of NAME]`: `read f64 4`,
//! `inc f64 4 at ends 0`, `read f64 2 through wide`, `max i32 1 global`, or `index`. Arguments `of` one name share their
//! dat. Maps have fixed names, see [`MapKind`]. A corpus file holds many cases: `// == NAME` begins one, `// args: ...`
//! follows, and lines `// constant: NAME TYPE VALUES`, `// folded: NAME TYPE VALUES` and `// conflicts` where they are needed.

use parloop_compiler::ir::HostSymbol;
use parloop_compiler::{
    Access, ArgSignature, CheckedKernel, ConstantDecl, DType, Diagnostics, IndexWidth, Iteration,
    KernelText, Layout, MapUse, Signature, Source, check_kernel,
};

/// The maps that arguments may go through, from the set that is looped over to the target set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapKind {
    /// `ends`: arity 2, 32-bit.
    Ends,
    /// `wide`: arity 3, 64-bit.
    Wide,
    /// `gaps`: arity 3, 32-bit, partial.
    Gaps,
    /// `holes`: arity 2, 64-bit, partial.
    Holes,
}

impl MapKind {
    /// All of them.
    pub const ALL: [MapKind; 4] = [MapKind::Ends, MapKind::Wide, MapKind::Gaps, MapKind::Holes];

    /// Its name in an arguments' line.
    pub fn name(self) -> &'static str {
        match self {
            MapKind::Ends => "ends",
            MapKind::Wide => "wide",
            MapKind::Gaps => "gaps",
            MapKind::Holes => "holes",
        }
    }

    /// Entries an element.
    pub fn arity(self) -> u16 {
        match self {
            MapKind::Ends | MapKind::Holes => 2,
            MapKind::Wide | MapKind::Gaps => 3,
        }
    }

    /// Width of an entry.
    pub fn width(self) -> IndexWidth {
        match self {
            MapKind::Ends | MapKind::Gaps => IndexWidth::I32,
            MapKind::Wide | MapKind::Holes => IndexWidth::I64,
        }
    }

    /// Whether entries may be -1.
    pub fn partial(self) -> bool {
        matches!(self, MapKind::Gaps | MapKind::Holes)
    }
}

/// How an argument gets to its values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Path {
    /// The element's own row.
    Direct,
    /// The row of one entry of a map.
    At(MapKind, u16),
    /// The rows of all entries of a map.
    Through(MapKind),
    /// The values of a global.
    Global,
    /// The element's number.
    Element,
}

/// One argument.
#[derive(Clone, PartialEq, Debug)]
pub struct ArgSpec {
    /// What the kernel may do.
    pub access: Access,
    /// Type of a value.
    pub dtype: DType,
    /// Values an element.
    pub dim: u32,
    /// How the values are reached.
    pub path: Path,
    /// The dat's or global's name; equal names are one.
    pub data: String,
}

/// A kernel constant.
#[derive(Clone, PartialEq, Debug)]
pub struct Constant {
    /// Its name in the kernel.
    pub name: String,
    /// Its type.
    pub dtype: DType,
    /// Its values, by their bits.
    pub bits: Vec<u64>,
    /// Whether the value is folded into the code.
    pub folded: bool,
}

/// A kernel and how it is called.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// C text.
    pub text: String,
    /// The function, where the text does not tell.
    pub function: Option<String>,
    /// Its arguments.
    pub args: Vec<ArgSpec>,
    /// Constants that the kernel names.
    pub constants: Vec<Constant>,
    /// Whether conflicting arguments are taken.
    pub conflicts: bool,
}

/// What the front end makes of a case, and what it read.
#[derive(Clone, Debug)]
pub struct Front {
    /// The kernel.
    pub checked: CheckedKernel,
    /// The arguments as compilation sees them.
    pub signature: Signature,
    /// The constants as the front end saw them.
    pub constants: Vec<ConstantDecl>,
}

/// A type by its short name in an arguments' line.
pub fn dtype(name: &str) -> DType {
    let found = DType::ALL.into_iter().find(|d| short(*d) == name);
    found.unwrap_or_else(|| panic!("no type `{name}`"))
}

/// The short name of a type.
pub fn short(dtype: DType) -> &'static str {
    match dtype {
        DType::C64 => "c64",
        DType::C128 => "c128",
        real => real.scalar().name(),
    }
}

fn access(name: &str) -> Access {
    let found = Access::ALL
        .into_iter()
        .find(|a| a.name().eq_ignore_ascii_case(name));
    found.unwrap_or_else(|| panic!("no access `{name}`"))
}

fn map_kind(name: &str) -> MapKind {
    let found = MapKind::ALL.into_iter().find(|m| m.name() == name);
    found.unwrap_or_else(|| panic!("no map `{name}`"))
}

/// The bits of a number that is written as `text`.
pub fn bits(dtype: DType, text: &str) -> u64 {
    match dtype {
        DType::F64 => text.parse::<f64>().map(f64::to_bits).ok(),
        DType::F32 => text.parse::<f32>().map(|v| u64::from(v.to_bits())).ok(),
        _ => text.parse::<i128>().map(|v| v as u64).ok(),
    }
    .map(|bits| match dtype.bytes() {
        8 => bits,
        bytes => bits & ((1 << (8 * bytes)) - 1),
    })
    .unwrap_or_else(|| panic!("`{text}` is no {dtype}"))
}

fn arg(index: usize, text: &str) -> ArgSpec {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words == ["index"] {
        return ArgSpec {
            access: Access::Read,
            dtype: DType::I64,
            dim: 1,
            path: Path::Element,
            data: format!("arg{index}"),
        };
    }
    let (words, data) = match words.as_slice() {
        [words @ .., "of", name] => (words, (*name).to_owned()),
        words => (words, format!("arg{index}")),
    };
    let [what, ty, dim, path @ ..] = words else {
        panic!("`{text}` is no argument");
    };
    let path = match path {
        [] => Path::Direct,
        ["global"] => Path::Global,
        ["at", map, entry] => Path::At(map_kind(map), entry.parse().unwrap()),
        ["through", map] => Path::Through(map_kind(map)),
        _ => panic!("`{text}` goes no way"),
    };
    ArgSpec {
        access: access(what),
        dtype: dtype(ty),
        dim: dim.parse().unwrap(),
        path,
        data,
    }
}

fn constant(text: &str, folded: bool) -> Constant {
    let mut words = text.split_whitespace();
    let (name, ty) = (words.next().unwrap(), dtype(words.next().unwrap()));
    Constant {
        name: name.to_owned(),
        dtype: ty,
        bits: words.map(|word| bits(ty, word)).collect(),
        folded,
    }
}

impl Case {
    /// A case of a text and an arguments' line.
    pub fn new(name: &str, args: &str, text: &str) -> Case {
        let items = args.split(';').filter(|item| !item.trim().is_empty());
        Case {
            name: name.to_owned(),
            text: text.to_owned(),
            function: None,
            args: items.enumerate().map(|(i, item)| arg(i, item)).collect(),
            constants: Vec::new(),
            conflicts: false,
        }
    }

    /// The same, with a constant given as `NAME TYPE VALUES`.
    #[must_use]
    pub fn constant(mut self, text: &str) -> Case {
        self.constants.push(constant(text, false));
        self
    }

    /// The same, with the kernel named.
    #[must_use]
    pub fn function(mut self, name: &str) -> Case {
        self.function = Some(name.to_owned());
        self
    }

    /// The cases of a corpus file.
    pub fn corpus(file: &str) -> Vec<Case> {
        let mut cases = Vec::new();
        for part in file.split("// == ").skip(1) {
            let (name, rest) = part.split_once('\n').unwrap();
            let mut args = None;
            let mut case = Case::new(name.trim(), "", "");
            for line in rest.lines() {
                if let Some(line) = line.strip_prefix("// args:") {
                    args = Some(line);
                } else if let Some(line) = line.strip_prefix("// constant:") {
                    case.constants.push(constant(line, false));
                } else if let Some(line) = line.strip_prefix("// folded:") {
                    case.constants.push(constant(line, true));
                } else if let Some(line) = line.strip_prefix("// function:") {
                    case.function = Some(line.trim().to_owned());
                } else if line == "// conflicts" {
                    case.conflicts = true;
                } else {
                    case.text += line;
                    case.text.push('\n');
                }
            }
            let args = args.unwrap_or_else(|| panic!("`{name}` has no arguments"));
            case.args = Case::new("", args, "").args;
            cases.push(case);
        }
        cases
    }

    /// The dats and globals, each by the first argument that uses it.
    pub fn data(&self) -> Vec<&ArgSpec> {
        let mut data: Vec<&ArgSpec> = Vec::new();
        for arg in self.args.iter().filter(|a| a.path != Path::Element) {
            if data.iter().all(|known| known.data != arg.data) {
                data.push(arg);
            }
        }
        data
    }

    /// The maps that arguments use, by slot.
    pub fn maps(&self) -> Vec<MapKind> {
        let mut maps = Vec::new();
        for arg in &self.args {
            if let Path::At(map, _) | Path::Through(map) = arg.path
                && !maps.contains(&map)
            {
                maps.push(map);
            }
        }
        maps
    }

    /// What compilation sees of the arguments.
    pub fn signature(&self) -> Signature {
        let (data, maps) = (self.data(), self.maps());
        let used = |map: MapKind| MapUse {
            slot: maps.iter().position(|m| *m == map).unwrap() as u16,
            arity: map.arity(),
            width: map.width(),
            partial: map.partial(),
        };
        let signature = |arg: &ArgSpec| ArgSignature {
            source: match arg.path {
                Path::Direct => Source::Direct,
                Path::At(map, entry) => Source::At(used(map), entry),
                Path::Through(map) => Source::Through(used(map)),
                Path::Global => Source::Global,
                Path::Element => Source::Element,
            },
            dtype: arg.dtype,
            dim: arg.dim,
            layout: Layout::Aos,
            access: arg.access,
            dat: data.iter().position(|d| d.data == arg.data).unwrap_or(0) as u16,
        };
        Signature {
            iteration: Iteration::Elements,
            args: self.args.iter().map(signature).collect(),
            allow_conflicts: self.conflicts,
        }
    }

    /// The constants as the front end sees them.
    pub fn declarations(&self) -> Vec<ConstantDecl> {
        let declare = |c: &Constant| ConstantDecl {
            name: c.name.clone(),
            dtype: c.dtype,
            dim: c.bits.len() as u32,
            specialised: c.folded.then(|| c.bits.clone()),
        };
        let mut declarations: Vec<ConstantDecl> = self.constants.iter().map(declare).collect();
        declarations.sort_by(|a, b| a.name.cmp(&b.name));
        declarations
    }

    /// What the front end makes of it.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn check(&self) -> Result<Front, Diagnostics> {
        let constants = self.declarations();
        let hosts: &[HostSymbol] = &[];
        let checked = check_kernel(&KernelText {
            text: &self.text,
            function: self.function.as_deref(),
            constants: &constants,
            hosts,
        })?;
        Ok(Front {
            checked,
            signature: self.signature(),
            constants,
        })
    }
}
