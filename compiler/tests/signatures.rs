//! A signature that does not fit its kernel, or itself, is refused with the argument at fault; it is never compiled to something.

use parloop_compiler::{
    Access, ArgSignature, CompileError, DType, IndexWidth, Iteration, KernelText, Layout, Level,
    MapUse, Mismatch, Options, Request, Signature, Source, Target, check_kernel, compile,
};

const MAP: MapUse = MapUse {
    slot: 0,
    arity: 3,
    width: IndexWidth::I32,
    partial: false,
};

fn arg(source: Source, access: Access, dat: u16) -> ArgSignature {
    ArgSignature {
        source,
        dtype: DType::F64,
        dim: 2,
        layout: Layout::Aos,
        access,
        dat,
    }
}

fn refused(text: &str, args: &[ArgSignature]) -> CompileError {
    let text = KernelText {
        text,
        function: None,
        constants: &[],
        hosts: &[],
    };
    let checked = check_kernel(&text).unwrap();
    let request = Request {
        kernel: checked.kernel,
        signature: Signature {
            iteration: Iteration::Elements,
            args: args.to_vec(),
            allow_conflicts: false,
        },
        options: Options::default(),
        target: Target {
            level: Level::Baseline,
        },
    };
    compile(&request).unwrap_err()
}

const COPY: &str = "void k(const double *x, double *y) { y[0] = x[1]; }";

#[test]
fn a_store_through_an_argument_that_is_read_is_refused() {
    let args = [
        arg(Source::Direct, Access::Read, 0),
        arg(Source::Direct, Access::Read, 1),
    ];
    let (index, mismatch) = (1, Mismatch::Stored);
    assert_eq!(
        refused(COPY, &args),
        CompileError::Argument { index, mismatch }
    );
}

#[test]
fn one_slot_is_one_map_and_one_dat_and_entries_are_the_maps() {
    let slot = |one, other: ArgSignature| {
        let args = [arg(one, Access::Read, 0), other];
        let (index, mismatch) = (1, Mismatch::Slot);
        assert_eq!(
            refused(COPY, &args),
            CompileError::Argument { index, mismatch }
        );
    };
    let (arity, width) = (4, IndexWidth::I64);
    let at = Source::At(MAP, 0);
    slot(
        at,
        arg(Source::At(MapUse { arity, ..MAP }, 0), Access::Inc, 1),
    );
    slot(
        at,
        arg(Source::At(MapUse { width, ..MAP }, 0), Access::Inc, 1),
    );
    slot(at, arg(Source::At(MAP, 3), Access::Inc, 1));
    let dim = 3;
    slot(
        Source::Direct,
        ArgSignature {
            dim,
            ..arg(Source::Direct, Access::Rw, 0)
        },
    );
    slot(Source::Direct, arg(Source::Global, Access::Inc, 0));
}

#[test]
fn rows_that_no_local_array_can_hold_are_refused() {
    let long = ArgSignature {
        dim: 1 << 30,
        ..arg(Source::Through(MAP), Access::Read, 0)
    };
    let text = "void k(const double *x, double *y) { y[0] = x[(int)y[1]]; }";
    let error = refused(text, &[long, arg(Source::Direct, Access::Rw, 1)]);
    assert!(matches!(error, CompileError::TooLarge { .. }), "{error:?}");
}
