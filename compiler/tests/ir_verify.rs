//! The verifier: one edit of a sound text for each rule that it breaks.

use parloop_compiler::ir::{read_kernel, read_loop, verify_kernel, verify_loop};
use parloop_compiler::{
    KernelText, Level, Options, Request, Target, check_kernel, compile, function_signature,
};

const KERNEL: &str = include_str!("ir/every_op.kernel");
const LOOP: &str = include_str!("ir/res.loop");

/// Replaces one piece of a text, which must be there, and says what the verifier finds.
fn broken(text: &str, old: &str, new: &str) -> String {
    assert!(text.contains(old), "{old}");
    let text = text.replacen(old, new, 1);
    let found = match text.starts_with("kernel") {
        true => verify_kernel(&read_kernel(&text).unwrap_or_else(|e| panic!("{e}: {new}"))),
        false => verify_loop(&read_loop(&text).unwrap_or_else(|e| panic!("{e}: {new}"))),
    };
    match found {
        Ok(()) => "sound".to_owned(),
        Err(error) => error.rule.to_string(),
    }
}

#[test]
fn each_rule_of_a_kernel_is_kept() {
    let check = |old: &str, new: &str, wanted: &str| {
        assert_eq!(broken(KERNEL, old, new), wanted, "{old} -> {new}");
    };
    check("v11", "v11", "sound");
    // Definitions and uses.
    check("v9, v10, v11", "v9, v10, v33", "v33 is not visible");
    check(
        "store param0[v8] = v35",
        "store param0[v8] = v23",
        "v23 is not visible",
    );
    check("load param0[v8]", "load param0[v21]", "v21 is not visible");
    check(
        "  v19: bool = lt v18, v2",
        "  v18: f64 = sqrt v17\n  v19: bool = lt v18, v2",
        "v18 is defined twice",
    );
    check("x1 = v0", "x1 = v36", "v36 is not declared");
    check(
        "  v26: i64 = get x1",
        "  v26: i64 = counter",
        "v26 is a counter outside of its loop",
    );
    for (old, new) in [
        ("labels 4\n", "labels 536870913\n"),
        ("sites 12\n", "sites 536870913\n"),
    ] {
        check(old, new, "a length of 536870913 is out of range");
    }
    // Types.
    check(
        "var x0: f64\n",
        "var x0: f64x3\n",
        "the type f64x3 can't be used here",
    );
    check(
        "var x0: f64\n",
        "var x0: f64x4\n",
        "the type f64x4 can't be used here",
    );
    check(
        "var x0: f64\n",
        "var x0: addr\n",
        "the type addr can't be used here",
    );
    check(
        "array array0: f64",
        "array array0: addr",
        "the type addr can't be used here",
    );
    check(
        "\"exp\" (f64)",
        "\"exp\" (addr)",
        "the type addr can't be used here",
    );
    check("x0 = v20", "x0 = v0", "v0 is i64, not f64");
    check(
        "v26: i64 = get x1",
        "v26: i32 = get x1",
        "v26 is i32, not i64",
    );
    check("sqrt v17", "sqrt v6", "v6 is i32, not f64");
    check(
        "v16: f64 = fma v9, v10, v11",
        "v16: f64 = fma v9, v10, v3",
        "v3 is f32, not f64",
    );
    check(
        "v18: f64 = sqrt v17",
        "v18: i32 = sqrt v6",
        "sqrt is not an operation of i32",
    );
    check(
        "v23: f64 = min v22, v12",
        "v23: f64 = rem v22, v12",
        "rem is not an operation of f64",
    );
    check(
        "v29: i64 = add v26, v28",
        "v29: bool = add v26, v28",
        "add is not an operation of bool",
    );
    check(
        "v30: bool = not v5",
        "v30: f64 = not v9",
        "not is not an operation of f64",
    );
    check(
        "v29: i64 = add v26, v28",
        "v29: i64 = shl v26, v2",
        "v2 is f64, not i64",
    );
    check("v29: i64 = add v26, v28", "v29: i64 = shl v26, v6", "sound");
    check(
        "v19: bool = lt v18, v2",
        "v19: i32 = lt v18, v2",
        "v19 is i32, not bool",
    );
    check("lt v18, v2", "lt v18, v3", "v3 is f32, not f64");
    check(
        "select v19, v18, v2",
        "select v0, v18, v2",
        "v0 is i64, not bool",
    );
    check(
        "call fn0(v16)",
        "call fn0(v16, v16)",
        "a call of a function of 1 parameters has 2 arguments",
    );
    check("call fn0(v16)", "call fn0(v3)", "v3 is f32, not f64");
    check("call fn0(v16)", "call fn1(v16)", "fn1 is not declared");
    check("check_divisor v13", "check_divisor v6", "sound");
    check(
        "v14: i32 = check_divisor v13",
        "v14: f64 = check_divisor v12",
        "check_divisor is not an operation of f64",
    );
    check(
        "check_index v7, 8",
        "check_index v7, 9223372036854775808",
        "a check against 9223372036854775808 is not one of an index",
    );
    check(
        "check_index v7, 8",
        "check_index v6, 8",
        "v6 is i32, not i64",
    );
    check(
        "v5: bool = const 1",
        "v5: bool = const 2",
        "the bits 0x2 are beyond their type",
    );
    check(
        "v3: f32 = const 0x7fc00000",
        "v3: f32 = const 0x17fc00000",
        "the bits 0x17fc00000 are beyond their type",
    );
    check(
        "table1: i32 [1,",
        "table1: i32 [0x1ffffffff,",
        "the bits 0x1ffffffff are beyond their type",
    );
    // Lanes.
    check(
        "v33: f64x2 = add v31, v32",
        "v33: f64x2 = add v31, v2",
        "v2 is f64, not f64x2",
    );
    check(
        "v35: f64 = lane v34, 1",
        "v35: f64 = lane v34, 2",
        "lane 2 does not exist",
    );
    check(
        "v31, v33, 3, 0, 0, 0",
        "v31, v33, 4, 0, 0, 0",
        "lane 4 does not exist",
    );
    check(
        "v31, v33, 3, 0, 0, 0",
        "v31, v33, 3, 0, 1, 0",
        "lane 1 does not exist",
    );
    check(
        "v32: f64x2 = splat v2",
        "v32: f64x2 = splat v3",
        "v3 is f32, not f64",
    );
    // Places.
    check(
        "load param0[v8]",
        "load param1[v8]",
        "param1 is not passed in this way",
    );
    check(
        "load param0[v8]",
        "load param9[v8]",
        "param9 is not declared",
    );
    check("param 1\n", "param 0\n", "param0 is not passed in this way");
    check(
        "v9: f64 = load param0[v8]",
        "v9: f32 = load param0[v8]",
        "a place of f64 is accessed as f32",
    );
    check(
        "load param2[v0][v8]",
        "load param2[v6][v8]",
        "v6 is i32, not i64",
    );
    check(
        "load table0[v0]",
        "load table9[v0]",
        "table9 is not declared",
    );
    check(
        "load constant0[v0]",
        "load constant1[v0]",
        "constant1 is not declared",
    );
    check("load param0[v8]", "load param0[v6]", "v6 is i32, not i64");
    check(
        "store array0[v21] = v23",
        "store table0[v21] = v23",
        "a store to what is only read",
    );
    check(
        "store array0[v21] = v23",
        "store constant0[v21] = v23",
        "a store to what is only read",
    );
    check(
        "store array0[v21]",
        "store array1[v21]",
        "array1 is not declared",
    );
    check("clear array0", "clear array1", "array1 is not declared");
    check(
        "v9: f64 = load param0[v8]",
        "v9: f64 = load row(v8, 0, shared)[v8]",
        "v8 is i64, not addr",
    );
    check(
        "v6: i32 = param 1",
        "v6: i64 = element",
        "element does not exist at this level",
    );
    check(
        "v6: i32 = param 1",
        "v6: addr = arg_base 1",
        "arg_base does not exist at this level",
    );
    check("len 8", "len 0", "a length of 0 is out of range");
    check(
        "len 8",
        "len 999999999999",
        "a length of 999999999999 is out of range",
    );
    check(
        "len 8",
        "len 18446744073709551615",
        "a length of 18446744073709551615 is out of range",
    );
    // Labels and sites.
    check("exit label0", "exit label1", "label1 is not open");
    check("exit label0", "exit label9", "label9 is not open");
    check("block label2", "block label1", "label1 stands twice");
    check("block label2", "block label4", "label4 is not declared");
    check("exit label2", "continue label2", "label2 is not a loop's");
    check(
        "      exit label1\n",
        "      exit label1\n      x1 = v0\n",
        "a statement follows that is never reached",
    );
    check("by 1 site6", "by 0 site6", "a step of zero");
    check("= v0 to v1 by", "= v0 to v6 by", "v6 is i32, not i64");
    check(
        "sites 12",
        "sites 12\nloose v21: i64 = const 3",
        "v21 is not a counter",
    );
    check("site11", "site12", "site12 is not declared");
}

#[test]
fn each_rule_of_a_loop_is_kept() {
    let check = |old: &str, new: &str, wanted: &str| {
        assert_eq!(broken(LOOP, old, new), wanted, "{old} -> {new}");
    };
    check("v11", "v11", "sound");
    check(
        "v16: f64 = get x0",
        "v16: f64 = add v8, v8",
        "v8 is not visible",
    );
    check("arg_base 0", "arg_base 5", "arg5 is not declared");
    check("arg_base 0", "arg_base 9", "arg9 is not declared");
    check(
        "map_entry 0, v5, 0",
        "map_entry 1, v5, 0",
        "argument 1 has no such map entry",
    );
    check(
        "map_entry 0, v5, 0",
        "map_entry 0, v5, 2",
        "argument 0 has no such map entry",
    );
    check(
        "map_entry 0, v5, 0",
        "map_entry 4, v5, 0",
        "argument 4 has no such map entry",
    );
    check(
        "row(v7, 0, readonly)",
        "row(v7, 1, shared)",
        "v7 is not an address in the region of slot 1",
    );
    check(
        "row(v7, 0, readonly)",
        "row(v7, 7, shared)",
        "v7 is not an address in the region of slot 7",
    );
    check("row(v7, 0, readonly)", "row(v7, 0, shared)", "sound");
    check(
        "row(v11, 1, shared)[v3] site2",
        "row(v11, 1, readonly)[v3] site2",
        "the region of slot 1 is written by an argument",
    );
    check(
        "store row(v11, 1, shared)",
        "store row(v11, 1, readonly)",
        "a store to what is only read",
    );
    check(
        "v8: f64 = load row(v7",
        "v8: f32 = load row(v7",
        "a place of f64 is accessed as f32",
    );
    check(
        "v8: f64 = load row(v7, 0, readonly)",
        "v8: f64 = load param0",
        "param does not exist at this level",
    );
    check("v5: i64 = element", "v5: i64 = const 1", "sound");
    check(
        "v16: f64 = get x0",
        "v16: i64 = element",
        "there is no element here",
    );
    check(
        "v3: i64 = const 0\n",
        "v17: i64 = const 0\n  v3: i64 = check_index v17, 8 site0\n",
        "what may fail stands outside of the elements",
    );
    check(
        "row_addr v0, v6, 16",
        "row_addr v6, v6, 16",
        "v6 is i64, not addr",
    );
    // Addresses may be kept and chosen among, but not mixed.
    let kept = |slots: &str| {
        let text = LOOP.replace(
            "labels 0",
            "array array0: addr len 2\nvar x1: addr\nlabels 0",
        );
        broken(
            &text,
            "  v8: f64 = load row(v7",
            &format!("  {slots}\n  v8: f64 = load row(v17"),
        )
    };
    let stored = "store array0[v3] = v7 site0\n";
    assert_eq!(
        kept(&format!("{stored}v17: addr = load array0[v3] site0")),
        "sound"
    );
    assert_eq!(
        kept("v17: addr = load array0[v3] site0"),
        "the type addr can't be used here"
    );
    assert_eq!(
        kept(&format!(
            "{stored}store array0[v3] = v1 site0\nv17: addr = load array0[v3] site0"
        )),
        "v1 is not an address in the region of slot 0"
    );
    assert_eq!(kept("x1 = v7\nv17: addr = get x1"), "sound");
    assert_eq!(
        kept("v18: bool = const 1\nv17: addr = select v18, v7, v0"),
        "sound"
    );
    assert_eq!(
        kept("v18: bool = const 1\nv17: addr = select v18, v7, v1"),
        "v7 and v1 are addresses in different regions"
    );
}

const ROWS: &str = "loop
iteration function
allow_conflicts false
arg rows 3 rw f64 dim 2 aos dat 0
arg direct read f64 dim 2 aos dat 1
labels 0
sites 2
before {
  v0: addr = arg_base 1
  v1: i64 = const 0
}
body {
  v2: f64 = load row(v0, 1, readonly)[v1] site0
  v3: addr = load rows0[v1] site1
  store row(v3, 0, shared)[v1] = v2 site1
}
after {
}
";

#[test]
fn each_rule_of_row_pointers_is_kept() {
    let check = |old: &str, new: &str, wanted: &str| {
        assert_eq!(broken(ROWS, old, new), wanted, "{old} -> {new}");
    };
    check("v2", "v2", "sound");
    assert_eq!(read_loop(ROWS).unwrap().to_string(), ROWS);
    check("load rows0", "load rows1", "rows1 is not declared");
    check("load rows0", "load rows7", "rows7 is not declared");
    check("arg_base 1", "arg_base 0", "arg0 is not declared");
    check(
        "v3: addr = load rows0",
        "v3: i64 = load rows0",
        "a place of addr is accessed as i64",
    );
    check(
        "row(v3, 0, shared)",
        "row(v3, 1, shared)",
        "v3 is not an address in the region of slot 1",
    );
    check(
        "store row(v3, 0, shared)[v1] = v2",
        "store rows0[v1] = v3",
        "a store to what is only read",
    );
    let kernel = KERNEL.replace("load param0[v8]", "load rows0[v8]");
    let found = verify_kernel(&read_kernel(&kernel).unwrap());
    assert_eq!(
        found.unwrap_err().rule.to_string(),
        "rows does not exist at this level"
    );
}

#[test]
fn an_error_names_its_statement() {
    let kernel = read_kernel(&KERNEL.replace("by 1 site6", "by 0 site6")).unwrap();
    let error = verify_kernel(&kernel).unwrap_err();
    assert_eq!(error.to_string(), "statement 24: a step of zero");
}

#[test]
fn the_loop_of_the_largest_sound_kernel_is_sound() {
    let text = KernelText {
        text: "void k(double *x, const int *i) { if (*i) x[*i] += 1.0; }",
        function: None,
        constants: &[],
        hosts: &[],
    };
    let mut checked = check_kernel(&text).unwrap();
    (checked.kernel.body.labels, checked.kernel.body.sites) = (1 << 29, 1 << 29);
    verify_kernel(&checked.kernel).unwrap();
    let signature = function_signature(&checked, &[8.into()]).unwrap();
    let target = Target { level: Level::V3 };
    let request = Request {
        kernel: checked.kernel,
        signature,
        options: Options::default(),
        target,
    };
    compile(&request).unwrap();
}

#[test]
fn statements_for_several_elements_fail_nothing_and_know_how_many_there_are() {
    let declared = LOOP.replacen("var x0: f64\n", "var x0: f64\narray array0: f64 len 4\n", 1);
    let check = |statements: &str, wanted: &str| {
        let wide = format!("wide 2 {{\n{statements}\n}}\nafter {{");
        assert_eq!(broken(&declared, "after {", &wide), wanted, "{statements}");
    };
    check(
        "v17: i64 = element\nv18: i64 = map_entry 0, v17, 1",
        "sound",
    );
    check(
        "v17: i64 = check_index v3, 8 site0",
        "what may fail stands outside of the elements",
    );
    check("clear array0\nv17: f64 = load array0[v3] site0", "sound");
    check("v17: i64 = element_after 1", "there is no element here");
    let covering = |statements: &str, wanted: &str| {
        let wide = format!("wide 2 rest {{\n{statements}\n}}\nafter {{");
        assert_eq!(broken(LOOP, "after {", &wide), wanted, "{statements}");
    };
    covering("v17: i64 = element_after 1", "sound");
    for after in [0, 2] {
        let none = format!("v17: i64 = element_after {after}");
        covering(&none, "there is no element here");
    }
    let zeros = "v17: f64x4 = const 0x0000000000000000";
    check(zeros, "the type f64x4 can't be used here");
    let strip = |opening: &str| format!("{opening} {{\n{zeros}\n}}\nafter {{");
    for sound in ["wide 1 strip", "wide 8 strip"] {
        assert_eq!(broken(LOOP, "after {", &strip(sound)), "sound");
    }
    for (unsound, elements) in [("wide 16 strip", 16), ("wide 2 rest strip", 2)] {
        let wanted = format!("statements for {elements} elements at once");
        assert_eq!(broken(LOOP, "after {", &strip(unsound)), wanted);
    }
    let of_three = "statements for 3 elements at once";
    assert_eq!(broken(LOOP, "after {", "wide 3 {\n}\nafter {"), of_three);
    let in_a_function = "statements for 2 elements at once";
    assert_eq!(
        broken(ROWS, "after {", "wide 2 {\n}\nafter {"),
        in_a_function
    );
}

#[test]
fn what_moves_a_row_in_doubles_moves_all_of_it_so() {
    let text = "loop\niteration elements\nallow_conflicts false\narg direct read f32 dim 4 aos dat 0\n\
                arg direct write f32 dim 4 aos dat 1\nlabels 0\nsites 4\nbefore {\n}\nbody {\n  v0: i64 = element\n  \
                v1: i64 = const 0\n  v2: addr = arg_base 0\n  v3: addr = row_addr v2, v0, 16\n  v4: addr = arg_base 1\n  \
                v5: addr = row_addr v4, v0, 16\n  v6: f64 = load row(v3, 0, readonly)[v1] site0\n  \
                store row(v5, 1, shared)[v1] = v6 site1\n  v7: f64 = load row(v3, 0, readonly)[v1] site2\n}\nafter {\n}\n";
    assert_eq!(broken(text, "element", "element"), "sound");
    let mixed = broken(text, "v7: f64", "v7: f32");
    assert_eq!(mixed, "a place of f64 is accessed as f32");
}
