//! Parses an object and accepts or refuses it: the loader's only barrier.
//!
//! Everything is on an allow-list: the header, each section by type and flags, each symbol by kind and name, each relocation
//! by kind, place and target. Invariant: an [`Image`] can be mapped and linked without any further check, its offsets lie in
//! its bytes, and it refers to nothing but its own read-only data, functions of its own and those of the host table. The code bytes themselves
//! can't be judged here; that they are the compiler's is what the cache's keyed hash says.

use super::LoadError;
use super::symbols::{HostAddress, HostTable};
use object::read::elf::{FileHeader as _, SectionHeader as _, SectionTable, Sym as _, SymbolTable};
use object::{LittleEndian, SectionIndex, elf};
use parloop_compiler::abi;

type Header = elf::FileHeader64<LittleEndian>;
type Section = elf::SectionHeader64<LittleEndian>;
const LE: LittleEndian = LittleEndian;

/// The most bytes of an object.
const OBJECT_BYTES_MAX: u64 = 64 << 20;
/// The most sections: code, data, relocations, symbols and two tables of names are what loops have.
const SECTIONS_MAX: usize = 16;
/// Alignments above a page can't be had.
const ALIGNMENT_MAX: u64 = 4096;
/// The most working memory a loop may ask for.
const SCRATCH_BYTES_MAX: u64 = 1 << 30;

#[cfg(target_arch = "x86_64")]
const HOST: (u16, u32) = (elf::EM_X86_64, elf::R_X86_64_64);
#[cfg(target_arch = "aarch64")]
const HOST: (u16, u32) = (elf::EM_AARCH64, elf::R_AARCH64_ABS64);

/// An accepted object.
#[derive(Debug)]
pub(crate) struct Image<'a> {
    pub(crate) code: Part<'a>,
    pub(crate) data: Vec<Part<'a>>,
    /// Host functions referred to, by the table's own names.
    pub(crate) imports: Vec<(&'a str, HostAddress)>,
    pub(crate) relocations: Vec<Relocation>,
    pub(crate) scratch_bytes: u64,
}

/// Bytes to be mapped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) alignment: u64,
}

/// Eight bytes of the code that become an address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relocation {
    pub(crate) offset: u32,
    pub(crate) target: Target,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// A byte of `Image::data[part]`.
    Data { part: usize, offset: u32 },
    /// A function of `Image::code`, which starts there.
    Code { offset: u32 },
    /// `Image::imports[0]`, and so on.
    Import(usize),
}

/// What a section is to the loader, by section number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Ignored,
    Code,
    /// Number in `Image::data`.
    Data(usize),
}

/// The file while it is looked at.
struct File<'a> {
    bytes: &'a [u8],
    sections: SectionTable<'a, Header>,
    roles: Vec<Role>,
    code: Option<(usize, Part<'a>)>,
    data: Vec<Part<'a>>,
    relocations: Option<(usize, &'a Section)>,
    symbols: Option<SymbolTable<'a, Header>>,
}

impl<'a> Image<'a> {
    /// Accepts or refuses `bytes`.
    pub(crate) fn parse(bytes: &'a [u8], hosts: &'a HostTable) -> Result<Image<'a>, LoadError> {
        if bytes.len() as u64 > OBJECT_BYTES_MAX {
            return Err(LoadError::TooLarge {
                bytes: bytes.len() as u64,
                limit: OBJECT_BYTES_MAX,
            });
        }
        let mut file = File::open(bytes)?;
        file.classify_sections()?;
        let (_, code) = file.code.ok_or(LoadError::Info {
            what: "there is no code",
        })?;
        let (symbols, scratch_bytes) = file.symbols(hosts)?;
        let relocations = file.relocations(&symbols)?;
        Ok(Image {
            code,
            data: file.data,
            imports: symbols.imports,
            relocations,
            scratch_bytes,
        })
    }
}

fn header<T>(what: &'static str) -> Result<T, LoadError> {
    Err(LoadError::Header { what })
}

impl<'a> File<'a> {
    fn open(bytes: &'a [u8]) -> Result<File<'a>, LoadError> {
        let Ok(head) = Header::parse(bytes) else {
            return header("an ELF file header");
        };
        let ident = head.e_ident();
        if ident.class != elf::ELFCLASS64
            || ident.data != elf::ELFDATA2LSB
            || ident.version != elf::EV_CURRENT
        {
            return header("64 bits, little-endian");
        }
        if ident.os_abi != elf::ELFOSABI_NONE || ident.abi_version != 0 || ident.padding != [0; 7] {
            return header("no particular system");
        }
        if head.e_type(LE) != elf::ET_REL || head.e_machine(LE) != HOST.0 {
            return header("a relocatable file for this processor");
        }
        if head.e_version(LE) != u32::from(elf::EV_CURRENT)
            || head.e_flags(LE) != 0
            || head.e_entry(LE) != 0
        {
            return header("version 1, no flags, no entry point");
        }
        if head.e_phnum(LE) != 0
            || head.e_phoff(LE) != 0
            || usize::from(head.e_ehsize(LE)) != size_of::<Header>()
        {
            return header("no program headers");
        }
        if usize::from(head.e_shentsize(LE)) != size_of::<Section>() {
            return header("section headers of the usual size");
        }
        let Ok(sections) = head.sections(LE, bytes) else {
            return header("section headers inside the file");
        };
        if !(2..=SECTIONS_MAX).contains(&sections.len()) {
            return header("a few sections");
        }
        let roles = vec![Role::Ignored; sections.len()];
        Ok(File {
            bytes,
            sections,
            roles,
            code: None,
            data: Vec::new(),
            relocations: None,
            symbols: None,
        })
    }

    /// Gives each section its role; what has none is refused.
    fn classify_sections(&mut self) -> Result<(), LoadError> {
        const CODE: u64 = (elf::SHF_ALLOC | elf::SHF_EXECINSTR) as u64;
        const DATA: u64 = elf::SHF_ALLOC as u64;
        const LINKED: u64 = elf::SHF_INFO_LINK as u64;
        let sections = self.sections;
        for (index, section) in sections.enumerate() {
            let index = index.0;
            let bad = |what| Err(LoadError::Section { index, what });
            let kind = section.sh_type(LE);
            if index == 0 {
                if kind != elf::SHT_NULL {
                    return bad("the first is not null");
                }
                continue;
            }
            let Ok(bytes) = section.data(LE, self.bytes) else {
                return bad("its bytes lie outside the file");
            };
            if section.sh_addr(LE) != 0 {
                return bad("it has an address");
            }
            let alignment = section.sh_addralign(LE).max(1);
            if !alignment.is_power_of_two() || alignment > ALIGNMENT_MAX {
                return bad("an impossible alignment");
            }
            let part = Part { bytes, alignment };
            match (kind, section.sh_flags(LE)) {
                (elf::SHT_PROGBITS, CODE) if self.code.is_none() && !bytes.is_empty() => {
                    self.roles[index] = Role::Code;
                    self.code = Some((index, part));
                }
                (elf::SHT_PROGBITS, DATA) if !bytes.is_empty() => {
                    self.roles[index] = Role::Data(self.data.len());
                    self.data.push(part);
                }
                // The mark that no executable stack is wanted.
                (elf::SHT_PROGBITS, 0) if bytes.is_empty() => {}
                (elf::SHT_STRTAB, 0) => {}
                (elf::SHT_SYMTAB, 0) if self.symbols.is_none() => {
                    self.symbols = Some(self.symbol_table(index, section)?);
                }
                (elf::SHT_RELA, 0 | LINKED) if self.relocations.is_none() => {
                    self.relocations = Some((index, section));
                }
                _ => return bad("of a kind that loops do not have"),
            }
        }
        Ok(())
    }

    fn symbol_table(
        &self,
        index: usize,
        section: &'a Section,
    ) -> Result<SymbolTable<'a, Header>, LoadError> {
        let bad = |what| Err(LoadError::Section { index, what });
        if section.sh_entsize(LE) != size_of::<elf::Sym64<LittleEndian>>() as u64 {
            return bad("symbols of another size");
        }
        match section.symbols(LE, self.bytes, &self.sections, SectionIndex(index)) {
            Ok(Some(table)) => Ok(table),
            _ => bad("a malformed symbol table"),
        }
    }

    /// Checks each symbol; also reads the information about the loop, which a symbol names.
    fn symbols(&self, hosts: &'a HostTable) -> Result<(Symbols<'a>, u64), LoadError> {
        let no_info = LoadError::Info {
            what: "it is missing",
        };
        let Some(table) = &self.symbols else {
            return Err(no_info);
        };
        let mut symbols = Symbols {
            targets: vec![None; table.len()],
            imports: Vec::new(),
            functions: Vec::new(),
        };
        let (mut entry, mut info) = (false, None);
        for (index, symbol) in table.enumerate().skip(1) {
            let index = index.0;
            let bad = |what| Err(LoadError::Symbol { index, what });
            let Ok(name) = symbol.name(LE, table.strings()) else {
                return bad("a malformed name");
            };
            let section = symbol.st_shndx(LE);
            let global = symbol.st_bind() == elf::STB_GLOBAL;
            if symbol.st_other() & !elf::STV_HIDDEN != 0 {
                return bad("an unusual visibility");
            }
            match (symbol.st_type(), section) {
                (elf::STT_FILE, elf::SHN_ABS) | (elf::STT_SECTION, _) => {}
                (elf::STT_NOTYPE | elf::STT_FUNC, elf::SHN_UNDEF) if global => {
                    symbols.targets[index] = Some(SymbolTarget::Import(symbols.imports.len()));
                    symbols.imports.push(host(index, name, hosts)?);
                }
                (elf::STT_FUNC, _) => {
                    let function = self.function(index, symbol, name)?;
                    if function.is_local {
                        // In range, so it fits 32 bits: an object has at most 64 MiB.
                        let offset = function.start as u32;
                        symbols.targets[index] = Some(SymbolTarget::Local { offset });
                    } else if std::mem::replace(&mut entry, true) {
                        return bad("two functions of the loop");
                    }
                    symbols.functions.push(function);
                }
                (elf::STT_OBJECT, _) => {
                    let (target, bytes) = self.data_symbol(index, symbol)?;
                    symbols.targets[index] = Some(target);
                    if name == abi::INFO.as_bytes() {
                        if info.replace(bytes).is_some() {
                            return bad("two descriptions of the loop");
                        }
                    } else if !is_numbered(name, abi::TABLE_PREFIX) {
                        return bad("data of an unknown name");
                    }
                }
                _ => return bad("of a kind that loops do not have"),
            }
        }
        if !entry {
            return Err(LoadError::Info {
                what: "the loop's function is missing",
            });
        }
        let code_bytes = self.code.map_or(0, |(_, code)| code.bytes.len() as u64);
        symbols.check_functions(code_bytes)?;
        Ok((symbols, scratch_bytes(info.ok_or(no_info)?)?))
    }

    /// The function of a symbol: the loop's own, or one that only it calls.
    fn function(
        &self,
        index: usize,
        symbol: &elf::Sym64<LittleEndian>,
        name: &[u8],
    ) -> Result<Function, LoadError> {
        let bad = |what| Err(LoadError::Symbol { index, what });
        let is_local = is_numbered(name, abi::LOCAL_PREFIX);
        if !is_local && name != abi::ENTRY.as_bytes() {
            return bad("of a kind that loops do not have");
        }
        let bytes = self.code.map_or(&[][..], |(_, code)| code.bytes);
        let (start, size) = (symbol.st_value(LE), symbol.st_size(LE));
        let is_there = range(bytes, start, size).is_some_and(|bytes| !bytes.is_empty());
        if self.role(symbol.st_shndx(LE)) != Some(Role::Code) || !is_there {
            return bad("a function outside the code");
        }
        let is_global = symbol.st_bind() == elf::STB_GLOBAL;
        if is_global == is_local {
            return bad("the loop's function is not the one that others see");
        }
        if !is_local && start != 0 {
            return bad("the loop's function is not the first of the code");
        }
        Ok(Function {
            is_local,
            start,
            end: start + size,
            index,
        })
    }

    /// Where a symbol of data leads, and its bytes.
    fn data_symbol(
        &self,
        index: usize,
        symbol: &elf::Sym64<LittleEndian>,
    ) -> Result<(SymbolTarget, &'a [u8]), LoadError> {
        let bad = |what| Err(LoadError::Symbol { index, what });
        let Some(Role::Data(part)) = self.role(symbol.st_shndx(LE)) else {
            return bad("data outside the read-only data");
        };
        let (value, size) = (symbol.st_value(LE), symbol.st_size(LE));
        let Some(bytes) = range(self.data[part].bytes, value, size) else {
            return bad("data outside its section");
        };
        // In range, so both fit 32 bits: an object has at most 64 MiB.
        let (offset, size) = (value as u32, size as u32);
        Ok((SymbolTarget::Data { part, offset, size }, bytes))
    }

    fn role(&self, section: u16) -> Option<Role> {
        self.roles.get(usize::from(section)).copied()
    }

    /// Checks each relocation.
    fn relocations(&self, symbols: &Symbols<'a>) -> Result<Vec<Relocation>, LoadError> {
        let Some((index, section)) = self.relocations else {
            return Ok(Vec::new());
        };
        let bad = |what| Err(LoadError::Section { index, what });
        if section.sh_entsize(LE) != size_of::<elf::Rela64<LittleEndian>>() as u64 {
            return bad("relocations of another size");
        }
        let Some((code_section, code)) = self.code else {
            return bad("relocations without code");
        };
        if section.sh_info(LE) as usize != code_section {
            return bad("relocations of something that is not code");
        }
        let Ok(Some((entries, table))) = section.rela(LE, self.bytes) else {
            return bad("malformed relocations");
        };
        if self
            .symbols
            .as_ref()
            .is_none_or(|symbols| symbols.section() != table)
        {
            return bad("relocations by another symbol table");
        }
        let mut relocations = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            relocations.push(relocation(index, entry, code, symbols)?);
        }
        if !relocations.is_sorted_by_key(|r: &Relocation| r.offset) {
            relocations.sort_by_key(|r| r.offset);
        }
        match relocations
            .windows(2)
            .position(|pair| pair[1].offset - pair[0].offset < 8)
        {
            Some(index) => Err(LoadError::Relocation {
                index,
                what: "it overlaps another",
            }),
            None => Ok(relocations),
        }
    }
}

/// The host function that a symbol names.
fn host<'a>(
    index: usize,
    name: &[u8],
    hosts: &'a HostTable,
) -> Result<(&'a str, HostAddress), LoadError> {
    let found = std::str::from_utf8(name).ok();
    found.and_then(|name| hosts.find(name)).ok_or_else(|| {
        let name = name[..name.len().min(64)].escape_ascii().to_string();
        LoadError::UnknownHost { index, name }
    })
}

/// Symbols that relocations may name.
struct Symbols<'a> {
    targets: Vec<Option<SymbolTarget>>,
    imports: Vec<(&'a str, HostAddress)>,
    /// The loop's and those that only it calls; the loop's comes first.
    functions: Vec<Function>,
}

/// A function of the code.
struct Function {
    /// Whether only the loop calls it; it is the loop's own otherwise.
    is_local: bool,
    start: u64,
    end: u64,
    /// Of its symbol.
    index: usize,
}

/// What may lie between functions, which start at lines of the cache.
const GAP_MAX: u64 = 63;

impl Symbols<'_> {
    /// Sorts the functions, which have to lie one behind the other, the loop's first, and fill the code.
    fn check_functions(&mut self, code_bytes: u64) -> Result<(), LoadError> {
        self.functions.sort_by_key(|function| function.start);
        let (mut end, mut last) = (0, 0);
        for function in &self.functions {
            let gap = function.start.checked_sub(end);
            if gap.is_none_or(|gap| gap > GAP_MAX) {
                return Err(LoadError::Symbol {
                    index: function.index,
                    what: "a function that does not follow the one before",
                });
            }
            (end, last) = (function.end, function.index);
        }
        match end == code_bytes {
            true => Ok(()),
            false => Err(LoadError::Symbol {
                index: last,
                what: "the functions are not all of the code",
            }),
        }
    }
}

#[derive(Clone, Copy)]
enum SymbolTarget {
    Local { offset: u32 },
    Data { part: usize, offset: u32, size: u32 },
    Import(usize),
}

fn relocation(
    index: usize,
    entry: &elf::Rela64<LittleEndian>,
    code: Part<'_>,
    symbols: &Symbols<'_>,
) -> Result<Relocation, LoadError> {
    let bad = |what| Err(LoadError::Relocation { index, what });
    if entry.r_type(LE, false) != HOST.1 {
        return bad("not a 64-bit absolute address");
    }
    let offset = entry.r_offset.get(LE);
    let end = symbols.functions.first().map_or(0, |loops| loops.end);
    let own = range(code.bytes, 0, end).unwrap_or_default();
    if range(own, offset, 8).is_none() {
        return bad("its place lies outside the loop's function");
    }
    let Some(Some(symbol)) = symbols.targets.get(entry.r_sym(LE, false) as usize) else {
        return bad("its target is neither data nor a function that a loop calls");
    };
    let addend = entry.r_addend.get(LE);
    let target = match *symbol {
        SymbolTarget::Import(_) | SymbolTarget::Local { .. } if addend != 0 => {
            return bad("its target lies inside a function");
        }
        SymbolTarget::Local { offset } => Target::Code { offset },
        SymbolTarget::Import(import) => Target::Import(import),
        SymbolTarget::Data { part, offset, size } => match u32::try_from(addend) {
            Ok(addend) if addend <= size => Target::Data {
                part,
                offset: offset + addend,
            },
            _ => return bad("its target lies outside the data"),
        },
    };
    // In range, so it fits 32 bits: an object has at most 64 MiB.
    Ok(Relocation {
        offset: offset as u32,
        target,
    })
}

/// `size` bytes from `start`, if they are there.
fn range(bytes: &[u8], start: u64, size: u64) -> Option<&[u8]> {
    let start = usize::try_from(start).ok()?;
    let end = start.checked_add(usize::try_from(size).ok()?)?;
    bytes.get(start..end)
}

/// Whether a name is a number after a prefix.
fn is_numbered(name: &[u8], prefix: &str) -> bool {
    let number = name.strip_prefix(prefix.as_bytes());
    number.is_some_and(|n| !n.is_empty() && n.len() <= 10 && n.iter().all(u8::is_ascii_digit))
}

/// Reads the description of the loop.
fn scratch_bytes(info: &[u8]) -> Result<u64, LoadError> {
    let bad = |what| Err(LoadError::Info { what });
    let Ok(info) = <[u8; abi::INFO_BYTES]>::try_from(info) else {
        return bad("of another size");
    };
    let word = u64::from_le_bytes;
    let (first, second) = info.split_at(8);
    let (Ok(first), Ok(second)) = (first.try_into(), second.try_into()) else {
        return bad("of another size");
    };
    if word(first) != u64::from(abi::VERSION) {
        return bad("of another version of the calling convention");
    }
    let scratch_bytes = word(second);
    if scratch_bytes > SCRATCH_BYTES_MAX {
        return bad("more working memory than a loop may have");
    }
    Ok(scratch_bytes)
}
