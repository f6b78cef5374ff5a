//! Everything there is to run: the apps and all parts of the catalogue.

use crate::args::{
    AirfoilArgs, AppCommand, BenchArgs, CatalogueArgs, JacArgs, OrderArg, PartArg, Precision,
    ReduceArgs, SizeArg,
};
use clap::ValueEnum;

/// Iterations of airfoil, jac and reduce, unless more or fewer are asked for.
const ITERATIONS: u64 = 200;

/// How large the apps are: cells of airfoil, squares along jac's side, edges of reduce.
struct Sizes {
    cells: u64,
    squares: u64,
    edges: u64,
}

/// The field's standard meshes of airfoil, and between them one that a core's own cache does not hold; the other apps alike.
fn sizes(size: SizeArg) -> Sizes {
    let (cells, squares, edges) = match size {
        SizeArg::L1 => (300, 17, 400),
        SizeArg::L2 => (12_000, 110, 24_000),
        SizeArg::L3 => (96_000, 311, 192_000),
        SizeArg::Memory => (720_000, 852, 1_440_000),
    };
    Sizes {
        cells,
        squares,
        edges,
    }
}

/// The commands that run all of it.
pub(super) fn commands(size: SizeArg, order: OrderArg, bench: &BenchArgs) -> Vec<AppCommand> {
    let app = || BenchArgs {
        iterations: bench.iterations.or(Some(ITERATIONS)),
        ..bench.clone()
    };
    let Sizes {
        cells,
        squares,
        edges,
    } = sizes(size);
    let mut commands = vec![
        AppCommand::Airfoil(AirfoilArgs {
            cells,
            blocks: None,
            mesh: None,
            order,
            bench: app(),
        }),
        AppCommand::Jac(JacArgs {
            squares,
            precision: Precision::Double,
            order,
            bench: app(),
        }),
        AppCommand::Reduce(ReduceArgs {
            edges,
            types: vec!["double".to_owned()],
            bench: app(),
        }),
    ];
    commands.extend(PartArg::value_variants().iter().map(|part| {
        AppCommand::Catalogue(CatalogueArgs {
            part: *part,
            size,
            order,
            bench: bench.clone(),
        })
    }));
    commands
}
