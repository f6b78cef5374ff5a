//! What accepted kernels compute: each file of `front/runs` holds `k(double *x, int *n)` and, in its last line, what it leaves.
//!
//! Both arrays have 16 entries, `x[i] = 1 + i / 2` and `n[i] = i` at first. With `BLESS=1` the last lines are rewritten.

use parloop_compiler::ir::interp::{Hosts, KernelArg, KernelMemory, Pointer, run_kernel};
use parloop_compiler::ir::{HostSymbol, verify_kernel};
use parloop_compiler::{KernelText, check_kernel};
use std::fmt::Write;
use std::path::Path;

struct NoHosts;

impl Hosts for NoHosts {
    fn call(&self, _: &HostSymbol, _: &[u64]) -> Option<u64> {
        None
    }
}

/// Runs the kernel and prints what it leaves.
fn outcome(text: &str) -> String {
    let text = KernelText {
        text,
        function: Some("k"),
        constants: &[],
        hosts: &[],
    };
    let checked = match check_kernel(&text) {
        Ok(checked) => checked,
        Err(found) => {
            let all = found.0.iter().map(|d| d.render("k.c", text.text));
            panic!("{}", all.collect::<Vec<_>>().join("\n"))
        }
    };
    if let Err(error) = verify_kernel(&checked.kernel) {
        panic!("{error}\n{}", checked.kernel);
    }
    let x = (0..16).flat_map(|i| (1.0 + f64::from(i) / 2.0).to_le_bytes());
    let n = (0..16_i32).flat_map(i32::to_le_bytes);
    let pointer = |buffer| {
        KernelArg::Pointer(Pointer {
            buffer,
            offset: 0,
            len: 16,
        })
    };
    let mut memory = KernelMemory {
        buffers: vec![x.collect(), n.collect()],
        args: vec![pointer(0), pointer(1)],
        steps: 10_000,
        ..KernelMemory::default()
    };
    let ended = run_kernel(&checked.kernel, &mut memory, &NoHosts).expect("a sound kernel");
    let mut out = format!("// status {}", ended.status);
    for bytes in memory.buffers[0].chunks_exact(8) {
        let value = f64::from_le_bytes(bytes.try_into().expect("8 bytes"));
        write!(out, " {value:?}").expect("a string");
    }
    for bytes in memory.buffers[1].chunks_exact(4) {
        let value = i32::from_le_bytes(bytes.try_into().expect("4 bytes"));
        write!(out, " {value}").expect("a string");
    }
    out
}

#[test]
fn kernels_compute_what_their_files_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/front/runs");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of runs")
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a readable file");
        let kernel = text.split("// status").next().unwrap_or_default();
        let found = outcome(kernel);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, format!("{kernel}{found}\n")).expect("a writable file");
            continue;
        }
        let wanted = text.lines().last().unwrap_or_default();
        assert_eq!(found, wanted, "{}", file.display());
    }
}
