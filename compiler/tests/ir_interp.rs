//! The interpreter: each operation against a table of bits, and loops and kernels as wholes.

use parloop_compiler::abi;
use parloop_compiler::ir::interp::{
    ArgBinding, Elements, Ended, Hosts, InterpError, KernelArg, KernelMemory, MapBinding, Memory,
    Pointer, run_kernel, run_loop,
};
use parloop_compiler::ir::{HostSymbol, eval, read_kernel, read_loop};
use std::sync::Arc;

const TABLE: &str = include_str!("ir/operations.txt");

/// Bits as the tables write them: `1.5`, `-0.0`, `nan`, `inf`, an integer, or hexadecimal.
fn bits(ty: &str, text: &str) -> u64 {
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).unwrap();
    }
    match ty {
        "f64" => text.parse::<f64>().unwrap().to_bits(),
        "f32" => u64::from(text.parse::<f32>().unwrap().to_bits()),
        "i8" => text.parse::<i8>().unwrap() as u8 as u64,
        "i16" => text.parse::<i16>().unwrap() as u16 as u64,
        "i32" => text.parse::<i32>().unwrap() as u32 as u64,
        "i64" => text.parse::<i64>().unwrap() as u64,
        _ => text.parse::<u64>().unwrap(),
    }
}

/// Runs one operation of a table line in a kernel that stores its result, in one lane or in as many as the type may have.
fn run_line(op: &str, operands: &[(&str, &str)], ty: &str, lanes: usize) -> Vec<u64> {
    let wide = |ty: &str| {
        if lanes == 1 {
            ty.to_owned()
        } else {
            format!("{ty}x{lanes}")
        }
    };
    let mut text =
        format!("kernel\nparam pointer {ty}\nlabels 0\nsites 1\nbody {{\nv0: i64 = const 0\n");
    let mut names = Vec::new();
    for (i, (ty, value)) in operands.iter().enumerate() {
        let id = 1 + i;
        text += &format!("v{id}: {} = const 0x{:x}\n", wide(ty), bits(ty, value));
        names.push(format!("v{id}"));
    }
    let id = 1 + operands.len();
    let operands = names.join(", ");
    text += &format!(
        "v{id}: {} = {op} {operands}\nstore param0[v0] = v{id} site0\n}}\n",
        wide(ty)
    );
    let kernel = read_kernel(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let mut memory = KernelMemory {
        buffers: vec![vec![0; 32]],
        args: vec![KernelArg::Pointer(Pointer {
            buffer: 0,
            offset: 0,
            len: lanes as u64,
        })],
        ..KernelMemory::default()
    };
    let ended = run_kernel(&kernel, &mut memory, &()).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(ended.status, abi::OK, "{text}");
    let size = match ty {
        "bool" | "i8" | "u8" => 1,
        "i16" | "u16" => 2,
        "i32" | "u32" | "f32" => 4,
        _ => 8,
    };
    let lane = |chunk: &[u8]| {
        let mut bits = [0; 8];
        bits[..size].copy_from_slice(chunk);
        u64::from_le_bytes(bits)
    };
    memory.buffers[0][..size * lanes]
        .chunks(size)
        .map(lane)
        .collect()
}

#[test]
fn every_operation_gives_the_bits_of_the_table() {
    for line in TABLE
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (op, rest) = words.split_first().unwrap();
        let equals = rest.iter().position(|w| *w == "=").unwrap();
        let pairs: Vec<(&str, &str)> = rest[..equals].chunks(2).map(|p| (p[0], p[1])).collect();
        let (ty, wanted) = (rest[equals + 1], rest[equals + 2]);
        let is_nan = |b: u64| match ty {
            "f64" => f64::from_bits(b).is_nan(),
            "f32" => f32::from_bits(b as u32).is_nan(),
            _ => false,
        };
        let wide = pairs
            .iter()
            .map(|p| p.0)
            .chain([ty])
            .all(|t| !matches!(t, "f64" | "i64" | "u64"));
        for lanes in [1, 2, 4] {
            if lanes == 4 && !wide {
                continue;
            }
            for found in run_line(op, &pairs, ty, lanes) {
                let right = if wanted == "nan" {
                    is_nan(found)
                } else {
                    found == bits(ty, wanted)
                };
                assert!(right, "{line}: found {found:#x} in {lanes} lanes");
            }
        }
    }
}

#[test]
fn a_trip_count_never_wraps() {
    let check =
        |lo, hi, step, trips| assert_eq!(eval::trip_count(lo, hi, step), trips, "{lo} {hi} {step}");
    check(0, 10, 1, 10);
    check(0, 10, 3, 4);
    check(10, 0, 1, 0);
    check(10, 0, -3, 4);
    check(0, 10, -1, 0);
    check(i64::MIN, i64::MAX, 1, u64::MAX);
    check(i64::MAX, i64::MIN, -1, u64::MAX);
    check(i64::MAX, i64::MIN, i64::MIN, 2);
    check(0, i64::MAX, i64::MAX, 1);
}

struct Exp;
impl Hosts for Exp {
    fn call(&self, host: &HostSymbol, args: &[u64]) -> Option<u64> {
        (host.name == "exp").then(|| f64::from_bits(args[0]).exp().to_bits())
    }
}

fn bytes(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn doubles(bytes: &[u8]) -> Vec<f64> {
    bytes
        .chunks(8)
        .map(|c| f64::from_le_bytes(c.try_into().unwrap()))
        .collect()
}

/// Memory for `res.loop`: three edges over four cells, the last edge with an entry of -1.
fn res_memory() -> Memory {
    let first = MapBinding {
        entries: [0, 1, 1, 2, 3, 0].into(),
    };
    let second = MapBinding {
        entries: [0, 2, 1, 2, 0, -1].into(),
    };
    let bind = |buffer, offset, map: Option<&MapBinding>| ArgBinding {
        buffer,
        offset,
        map: map.cloned(),
        rows: Vec::new(),
    };
    Memory {
        buffers: vec![
            bytes(&[1.0, 9.0, 2.0, 9.0, 4.0, 9.0, 8.0, 9.0]),
            bytes(&[0.0, 0.0, 100.0]),
            bytes(&[0.0; 9]),
            bytes(&[-1.0, 0.5]),
        ],
        args: vec![
            bind(0, 0, Some(&first)),
            bind(0, 0, Some(&first)),
            bind(1, 0, Some(&second)),
            bind(2, 0, Some(&second)),
            bind(3, 8, None),
            ArgBinding::default(),
        ],
        constants: vec![bytes(&[1.0])],
        steps: 10,
    }
}

#[test]
fn a_loop_runs_a_range_or_a_list_of_elements_in_order() {
    let looped = read_loop(include_str!("ir/res.loop")).unwrap();
    let done = Ended {
        status: abi::OK,
        site: 0,
        element: 0,
        value: 0,
    };
    let mut memory = res_memory();
    assert_eq!(
        run_loop(&looped, &mut memory, Elements::Range(0..3), &()),
        Ok(done)
    );
    assert_eq!(doubles(&memory.buffers[1]), [0.0, 0.0, 103.0]);
    assert_eq!(doubles(&memory.buffers[3]), [-1.0, 11.5]);
    let mut memory = res_memory();
    assert_eq!(
        run_loop(&looped, &mut memory, Elements::List(&[2, 2, 0]), &()),
        Ok(done)
    );
    assert_eq!(doubles(&memory.buffers[1]), [0.0, 0.0, 101.0]);
    assert_eq!(doubles(&memory.buffers[3]), [-1.0, 17.5]);
}

#[test]
fn an_access_out_of_memory_is_an_error_and_never_a_panic() {
    let looped = read_loop(include_str!("ir/res.loop")).unwrap();
    let run = |memory: &mut Memory| run_loop(&looped, memory, Elements::Range(0..9), &());
    let found = run(&mut res_memory());
    assert_eq!(
        found,
        Err(InterpError::OutOfBounds {
            what: "a map",
            index: 6
        })
    );
    for entry in [4, -1, i64::MIN / 16, i64::MAX] {
        let mut memory = res_memory();
        let map = memory.args[0].map.as_mut().unwrap();
        Arc::make_mut(&mut map.entries)[0] = entry;
        assert!(
            matches!(
                run(&mut memory),
                Err(InterpError::OutOfBounds {
                    what: "a buffer",
                    ..
                })
            ),
            "{entry}"
        );
    }
    let mut memory = res_memory();
    memory.args.truncate(1);
    assert_eq!(run(&mut memory), Err(InterpError::Argument(2)));
}

fn every_op_memory(index: i32) -> KernelMemory {
    let pointer = |offset, len| Pointer {
        buffer: 0,
        offset,
        len,
    };
    KernelMemory {
        buffers: vec![bytes(&[0.25; 24])],
        args: vec![
            KernelArg::Pointer(pointer(0, 8)),
            KernelArg::Value(index as u32 as u64),
            KernelArg::Rows(vec![pointer(64, 8), pointer(128, 8)]),
            KernelArg::Unused,
        ],
        constants: vec![bytes(&[2.0; 4])],
        steps: 9,
    }
}

#[test]
fn a_kernel_runs_as_a_function() {
    let kernel = read_kernel(include_str!("ir/every_op.kernel")).unwrap();
    let mut memory = every_op_memory(3);
    assert_eq!(
        run_kernel(&kernel, &mut memory, &Exp).unwrap().status,
        abi::OK
    );
    // exp(fma(0.25, 0.25, 2)) has a root beyond 1.5, so all of the array is min(1.5, 1); lane 1 of the shuffle is array[0].
    assert_eq!(doubles(&memory.buffers[0])[3], 1.0);
    assert_eq!(doubles(&memory.buffers[0])[8 + 3], 1.0);
    let missing = run_kernel(&kernel, &mut every_op_memory(3), &());
    assert_eq!(missing, Err(InterpError::NoHost("exp".into())));
}

#[test]
fn guards_and_budgets_stop_with_site_and_value() {
    let kernel = read_kernel(include_str!("ir/every_op.kernel")).unwrap();
    let stopped = |edit: &dyn Fn(&mut KernelMemory)| {
        let mut memory = every_op_memory(3);
        edit(&mut memory);
        let e = run_kernel(&kernel, &mut memory, &Exp).unwrap();
        (e.status, e.site, e.value)
    };
    assert_eq!(
        stopped(&|m| m.args[1] = KernelArg::Value(8)),
        (abi::BAD_INDEX, 0, 8)
    );
    let minus = |m: &mut KernelMemory| m.args[1] = KernelArg::Value(0xffff_ffff);
    assert_eq!(stopped(&minus), (abi::BAD_INDEX, 0, -1));
    let shorter = |m: &mut KernelMemory| {
        m.args[0] = KernelArg::Pointer(Pointer {
            buffer: 0,
            offset: 0,
            len: 3,
        });
    };
    assert_eq!(stopped(&shorter), (abi::BAD_INDEX, 1, 3));
    assert_eq!(
        stopped(&|m| m.args[2] = KernelArg::Rows(vec![])),
        (abi::BAD_INDEX, 2, 0)
    );
    // The loop runs nine times, the last one to leave; the counted loop has constant bounds and costs nothing.
    assert_eq!(stopped(&|m| m.steps = 8), (abi::OUT_OF_STEPS, 8, 1));
    assert_eq!(stopped(&|m| m.steps = 9), (abi::OK, 0, 0));
}

#[test]
fn a_counted_loop_costs_its_trips_unless_its_bounds_are_constant() {
    let text = "kernel\nparam value i64\nlabels 1\nsites 1\nbody {\nv0: i64 = const 0\nv1: i64 = param 0\n\
                for label0 v2 = v0 to v1 by 1 site0 {\nexit label0\n}\n}\n";
    let kernel = read_kernel(text).unwrap();
    let run = |n: i64| {
        let mut memory = KernelMemory {
            args: vec![KernelArg::Value(n as u64)],
            steps: 10,
            ..KernelMemory::default()
        };
        let e = run_kernel(&kernel, &mut memory, &()).unwrap();
        (e.status, e.value)
    };
    assert_eq!(run(10), (abi::OK, 0));
    assert_eq!(run(-1), (abi::OK, 0));
    assert_eq!(run(11), (abi::OUT_OF_STEPS, 11));
    assert_eq!(run(i64::MAX), (abi::OUT_OF_STEPS, i64::MAX));
}

#[test]
fn the_first_element_that_fails_is_named_and_nothing_runs_after_it() {
    let text = "loop\niteration elements\nallow_conflicts false\narg global rw i32 dim 1 aos dat 0\n\
                arg direct read i32 dim 1 aos dat 1\nvar x0: i32\nlabels 0\nsites 1\nbefore {\n\
                v0: addr = arg_base 0\nv1: addr = arg_base 1\nv2: i64 = const 0\n}\nbody {\nv3: i64 = element\n\
                v4: addr = row_addr v1, v3, 4\nv5: i32 = load row(v4, 1, readonly)[v2] site0\n\
                v6: i32 = check_divisor v5 site0\nv7: i32 = const 12\nv8: i32 = div v7, v6\n\
                store row(v0, 0, shared)[v2] = v8 site0\n}\nafter {\nv9: i32 = get x0\n\
                store row(v0, 0, shared)[v2] = v9 site0\n}\n";
    let looped = read_loop(text).unwrap();
    let mut memory = Memory {
        buffers: vec![
            vec![0; 4],
            [3, 4, 0, 6]
                .into_iter()
                .flat_map(i32::to_le_bytes)
                .collect(),
        ],
        args: vec![
            ArgBinding {
                buffer: 0,
                ..ArgBinding::default()
            },
            ArgBinding {
                buffer: 1,
                ..ArgBinding::default()
            },
        ],
        ..Memory::default()
    };
    let ended = run_loop(&looped, &mut memory, Elements::Range(1..4), &()).unwrap();
    assert_eq!(
        ended,
        Ended {
            status: abi::DIVISION_BY_ZERO,
            site: 0,
            element: 2,
            value: 0
        }
    );
    assert_eq!(memory.buffers[0], [3, 0, 0, 0]);
    let ended = run_loop(&looped, &mut memory, Elements::List(&[1, 3]), &()).unwrap();
    assert_eq!(ended.status, abi::OK);
    assert_eq!(memory.buffers[0], [0, 0, 0, 0]);
}
