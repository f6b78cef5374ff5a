//! Canonical form: what does not matter is gone, what does is kept; and every form of a body, text and bytes, keeps it.

#[path = "ir/random.rs"]
mod random;

use parloop_compiler::fingerprint::{Identity, decode_request, encode};
use parloop_compiler::ir::interp::{Ended, KernelArg, KernelMemory, Pointer, run_kernel};
use parloop_compiler::ir::{Kernel, canonicalize, read_kernel, verify_kernel};
use parloop_compiler::{Iteration, Level, Options, Request, Signature, Target};
use proptest::prelude::*;

const KERNEL: &str = include_str!("ir/every_op.kernel");

fn canon(text: &str) -> Kernel {
    let kernel = read_kernel(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    canonicalize(&kernel).kernel
}

/// Edits that leave the canonical form alone.
#[test]
fn what_does_not_matter_is_gone() {
    let same = |edits: &[(&str, &str)]| {
        let mut text = KERNEL.to_owned();
        for (old, new) in edits {
            assert!(text.contains(old), "{old}");
            text = text.replace(old, new);
        }
        assert_eq!(
            canon(&text).to_string(),
            canon(KERNEL).to_string(),
            "{edits:?}"
        );
    };
    same(&[("v29", "v99"), ("v30", "v29"), ("v99", "v30")]);
    same(&[
        ("label0", "label9"),
        ("label1", "label0"),
        ("labels 4", "labels 10"),
    ]);
    same(&[
        ("var x0: f64\nvar x1: i64", "var x0: i64\nvar x1: f64"),
        ("x0 ", "x8 "),
        ("x1 ", "x0 "),
        ("x8 ", "x1 "),
        ("get x0", "get x8"),
        ("get x1", "get x0"),
        ("get x8", "get x1"),
    ]);
    same(&[("labels 4", "array array1: i32 len 3\nlabels 4")]);
    same(&[
        ("symbol fn0", "symbol fn0: \"log\" (f64) f64\nsymbol fn1"),
        ("call fn0", "call fn1"),
    ]);
    same(&[
        (
            "constant f64 dim 4",
            "constant i32 dim 1\nconstant f64 dim 4",
        ),
        ("constant0", "constant1"),
    ]);
    // Dead code: an instruction, a variable that is only set, an array that is only cleared, a constant twice.
    same(&[(
        "  x1 = v0\n",
        "  x1 = v0\n  v36: f64 = sqrt v2\n  v37: f64 = add v36, v36\n",
    )]);
    same(&[
        ("labels 4", "var x2: f64\nlabels 4"),
        (
            "  x1 = v0\n",
            "  v36: f64 = sqrt v2\n  x2 = v36\n  x1 = v0\n",
        ),
    ]);
    same(&[
        ("labels 4", "array array1: i32 len 3\nlabels 4"),
        ("  x1 = v0\n", "  clear array1\n  x1 = v0\n"),
    ]);
    same(&[("  x1 = v0\n", "  v36: i64 = const 0\n  x1 = v36\n")]);
    same(&[(
        "  x1 = v0\n",
        "  x1 = v0\n  v36: f64 = load table0[v0] site4\n",
    )]);
}

/// Edits that change it: an access or a guard that may fail, a loop that may spend steps, a site.
#[test]
fn what_may_fail_is_kept() {
    let differs = |old: &str, new: &str| {
        assert!(KERNEL.contains(old), "{old}");
        let text = KERNEL.replacen(old, new, 1);
        assert_ne!(canon(&text).to_string(), canon(KERNEL).to_string(), "{new}");
    };
    differs(
        "  x1 = v0\n",
        "  x1 = v0\n  v36: f64 = load param0[v0] site4\n",
    );
    differs(
        "  x1 = v0\n",
        "  x1 = v0\n  v36: f64 = load table0[v1] site4\n",
    );
    differs(
        "  x1 = v0\n",
        "  x1 = v0\n  v36: i64 = check_index v0, 1 site4\n",
    );
    differs(
        "  x1 = v0\n",
        "  x1 = v0\n  v36: i32 = check_divisor v6 site4\n",
    );
    differs(
        "  x1 = v0\n",
        "  x1 = v0\n  for label3 v36 = v0 to v7 by 1 site4 {\n  }\n",
    );
    differs("site10", "site11");
    differs("sites 12", "sites 13");
}

#[test]
fn slots_of_kernel_constants_follow_their_appearance() {
    let text = "kernel\nparam pointer f64\nconstant f64 dim 1\nconstant f64 dim 2\nconstant i32 dim 3\nlabels 0\nsites 1\nbody {\n\
                v0: i64 = const 0\nv1: i32 = load constant2[v0] site0\nv2: f64 = load constant1[v0] site0\n\
                v3: f64 = load constant0[v0] site0\nv4: f64 = convert v1\nv5: f64 = add v3, v4\nstore param0[v0] = v5 site0\n}\n";
    let canonical = canonicalize(&read_kernel(text).unwrap());
    assert_eq!(canonical.constants, [2, 0]);
    let dims: Vec<u32> = canonical.kernel.constants.iter().map(|c| c.dim).collect();
    assert_eq!(dims, [3, 1]);
    verify_kernel(&canonical.kernel).unwrap();
}

fn run(kernel: &Kernel, n: i64, constants: &[u16]) -> (Ended, Vec<Vec<u8>>) {
    let pointer = |offset, len| Pointer {
        buffer: 0,
        offset,
        len,
    };
    let values = |first: i32| {
        (0..4)
            .flat_map(|i| f64::from(first + i).to_le_bytes())
            .collect()
    };
    let all: [Vec<u8>; 2] = [values(1), values(-9)];
    let mut memory = KernelMemory {
        buffers: vec![
            (0..24)
                .flat_map(|i| (0.25 * f64::from(i)).to_le_bytes())
                .collect(),
        ],
        args: vec![
            KernelArg::Pointer(pointer(0, 8)),
            KernelArg::Value(n as u64),
            KernelArg::Rows(vec![pointer(64, 8), pointer(128, 8)]),
        ],
        constants: constants
            .iter()
            .map(|slot| all[usize::from(*slot)].clone())
            .collect(),
        steps: 200,
    };
    let ended = run_kernel(kernel, &mut memory, &()).unwrap();
    (ended, memory.buffers)
}

proptest! {
    #[test]
    fn canonical_form_is_sound_fixed_and_means_the_same(bytes in prop::collection::vec(any::<u8>(), 0..400), n in -3..9i64) {
        let kernel = random::kernel(&bytes);
        prop_assert_eq!(verify_kernel(&kernel), Ok(()));
        let canonical = canonicalize(&kernel);
        prop_assert_eq!(verify_kernel(&canonical.kernel), Ok(()));
        let again = canonicalize(&canonical.kernel);
        prop_assert_eq!(&again.kernel, &canonical.kernel);
        let slots: Vec<u16> = (0..again.constants.len() as u16).collect();
        prop_assert_eq!(again.constants, slots);
        prop_assert_eq!(run(&kernel, n, &[0, 1]), run(&canonical.kernel, n, &canonical.constants));
    }

    #[test]
    fn text_and_bytes_give_back_any_kernel(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let kernel = random::kernel(&bytes);
        prop_assert_eq!(&read_kernel(&kernel.to_string()).unwrap(), &kernel);
        let request = Request {
            kernel,
            signature: Signature { iteration: Iteration::Elements, args: vec![], allow_conflicts: true },
            options: Options::default(),
            target: Target { level: Level::Baseline },
        };
        let identity = Identity { build_id: String::new(), abi: 0 };
        let preimage = encode(&request, &identity);
        prop_assert_eq!(decode_request(preimage.as_bytes()), Ok((request, identity)));
    }
}
