//! Maps an accepted object: a small trait, so that another generator's objects can join, and the one for Cranelift's.
//!
//! Cranelift's JIT module copies bytes, applies relocations and changes protections: writable while it fills the pages, then
//! executable, never both. It panics on unknown symbols, which [`Image`] rules out, and looks through the whole
//! process for names it was not told, so it is told each import's address and nothing else is ever named.

use super::LoadError;
use super::memory::CodeMemory;
use super::object::{Image, Target};
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::Signature;
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, ModuleError, ModuleReloc, ModuleRelocTarget};
use parloop_compiler::abi;
use std::sync::Arc;

/// Maps accepted objects of one code generator.
pub(crate) trait Linker: Send + Sync {
    /// The name that entries on disk are marked with.
    fn generator(&self) -> &'static str;

    /// Maps the code and data of `image` and fills in its addresses.
    fn link(&self, image: &Image<'_>) -> Result<CodeMemory, LoadError>;
}

/// For objects that Cranelift made.
pub(crate) struct CraneliftLinker {
    /// Shared by all modules: making one costs more than linking.
    isa: Arc<dyn TargetIsa>,
}

impl CraneliftLinker {
    /// For this host.
    pub(crate) fn new() -> Result<CraneliftLinker, LoadError> {
        let failed = |message: String| LoadError::Map { message };
        let mut flags = settings::builder();
        for (name, value) in [("is_pic", "false"), ("use_colocated_libcalls", "false")] {
            flags.set(name, value).map_err(|e| failed(e.to_string()))?;
        }
        let host = cranelift_native::builder().map_err(|e| failed(e.to_owned()))?;
        let isa = host
            .finish(settings::Flags::new(flags))
            .map_err(|e| failed(e.to_string()))?;
        Ok(CraneliftLinker { isa })
    }
}

impl Linker for CraneliftLinker {
    fn generator(&self) -> &'static str {
        "cranelift"
    }

    fn link(&self, image: &Image<'_>) -> Result<CodeMemory, LoadError> {
        let mut builder = JITBuilder::with_isa(self.isa.clone(), Box::new(|_| String::new()));
        for (name, address) in &image.imports {
            builder.symbol(*name, address.pointer());
        }
        // Owned from here on, so that an early return frees what was mapped.
        let mut memory = CodeMemory::new(JITModule::new(builder));
        let entry = define(memory.module(), image).map_err(|e| LoadError::Map {
            message: e.to_string(),
        })?;
        memory.set_entry(entry, image.code.bytes.len());
        Ok(memory)
    }
}

/// Declares, fills and finishes the module of an image.
#[expect(
    clippy::result_large_err,
    reason = "the error is the code generator's, and never met on an accepted image"
)]
fn define(module: &mut JITModule, image: &Image<'_>) -> Result<FuncId, ModuleError> {
    // Nothing is called through the declarations, so one signature does for all.
    let signature = Signature::new(CallConv::SystemV);
    let mut imports = Vec::with_capacity(image.imports.len());
    for (name, _) in &image.imports {
        imports.push(module.declare_function(name, Linkage::Import, &signature)?);
    }
    let entry = module.declare_function(abi::ENTRY, Linkage::Export, &signature)?;
    let whole = Whole::of(image);
    let relocations: Vec<ModuleReloc> = relocations(image, &imports, entry, &whole).collect();
    module.define_function_bytes(entry, whole.alignment, &whole.bytes, &relocations)?;
    module.finalize_definitions()?;
    Ok(entry)
}

/// Code with its data behind it: one mapping costs half of what two do, and a small loop has one page.
struct Whole {
    bytes: Vec<u8>,
    alignment: u64,
    /// Where each part of the data starts.
    data: Vec<u32>,
}

/// Code and data share no cache line.
const LINE: u64 = 64;

impl Whole {
    fn of(image: &Image<'_>) -> Whole {
        let mut whole = Whole {
            bytes: image.code.bytes.to_vec(),
            alignment: image.code.alignment,
            data: Vec::with_capacity(image.data.len()),
        };
        for part in &image.data {
            let alignment = part.alignment.max(LINE);
            let start = whole.bytes.len().next_multiple_of(alignment as usize);
            whole.bytes.resize(start, 0);
            whole.bytes.extend_from_slice(part.bytes);
            whole.alignment = whole.alignment.max(alignment);
            whole.data.push(start as u32);
        }
        whole
    }
}

fn relocations(
    image: &Image<'_>,
    imports: &[FuncId],
    entry: FuncId,
    whole: &Whole,
) -> impl Iterator<Item = ModuleReloc> {
    image.relocations.iter().map(move |relocation| {
        let (name, addend) = match relocation.target {
            Target::Import(import) => (ModuleRelocTarget::from(imports[import]), 0),
            Target::Data { part, offset } => {
                let start = ModuleRelocTarget::FunctionOffset(entry, whole.data[part]);
                (start, i64::from(offset))
            }
        };
        ModuleReloc {
            offset: relocation.offset,
            kind: Reloc::Abs8,
            name,
            addend,
        }
    })
}
