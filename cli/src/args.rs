//! The command line's shape: commands and their options. Options that are settings of an engine are made in `settings`.

use clap::{Args, Parser, Subcommand, ValueEnum};
use parloop::Extent;
use parloop_kernels::catalogue::{Part, Size};
use parloop_kernels::order::Order;
use std::path::PathBuf;

/// What is no setting of an engine.
const LOG_HELP: &str = "PARLOOP_LOG=FILTER in the environment has all that the caches and the compiler do told on standard error: `debug` every \
hit, miss, compilation and write, `warn` only what is wrong, `info` where code is kept, `parloop::cache=debug` all but explanations of misses";

/// Loops of C kernels over unstructured meshes, compiled in-process and cached.
#[derive(Debug, Parser)]
#[command(name = "parloop", version, after_help = LOG_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a benchmark and report the time of each loop
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Compile the kernels of a C file: diagnostics, sizes, time of each stage
    Check(CheckArgs),
    /// Run the kernels of a C file through the system's C compiler and through parloop, and compare results and times
    ///
    /// Arguments are random, drawn again while results are not finite. Results are also compared with the other values below 16 that
    /// the kernel takes for each integer, all combinations up to 16 and as many random ones of more, and with zeros in the arrays of
    /// floats that it reads and writes, so that what it adds is seen beside nothing. Times are those of one draw.
    Compare(CompareArgs),
    /// Look into the cache directory
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Show each setting, its value, and where it came from
    Config(ConfigArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    #[command(flatten)]
    App(AppCommand),
    /// All of them, with a summary of the ratios
    All(AllArgs),
    /// How long the loops of all of them take from C text to a function that can be called, and where that goes
    Compile(CompileBenchArgs),
}

/// Loops that are run and timed.
#[derive(Debug, Subcommand)]
pub(crate) enum AppCommand {
    /// Flow past an airfoil: five loops, the field's standard benchmark
    Airfoil(AirfoilArgs),
    /// Jacobi iteration for a 5-point Laplacian over an edge set
    Jac(JacArgs),
    /// Reductions alone: INC, MIN and MAX of several types
    Reduce(ReduceArgs),
    /// Loops by themselves: STREAM, a sparse product, integrals of finite elements, a shallow-water code's
    Catalogue(CatalogueArgs),
}

/// What all benchmarks take.
#[derive(Clone, Debug, Args)]
pub(crate) struct BenchArgs {
    /// Iterations to run [default: 1000, of the catalogue 30; under `all` 200 and 30]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) iterations: Option<u64>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) with: ComparedWith,
    /// More flags to compare with, beside those that the ratio is of; with a compiler's name first if it is another one
    #[arg(
        long = "baseline",
        value_name = "[CC ]FLAGS",
        requires = "compare",
        allow_hyphen_values = true
    )]
    pub(crate) baselines: Vec<String>,
}

/// What loops are compared with.
#[derive(Clone, Debug, Args)]
pub(crate) struct ComparedWith {
    /// Also compile each loop as C by the system's C compiler ($CC, else cc), and run it in turn with ours where loops are run
    #[arg(long, value_name = "WITH")]
    pub(crate) compare: Option<CompareWith>,
    /// What the C compiler is told
    #[arg(
        long,
        value_name = "FLAGS",
        default_value = "-O3 -march=native",
        requires = "compare",
        allow_hyphen_values = true
    )]
    pub(crate) cc_flags: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum CompareWith {
    /// The system's C compiler
    Cc,
}

#[derive(Debug, Args)]
pub(crate) struct AirfoilArgs {
    /// Cells of the generated mesh, about
    #[arg(long, value_name = "N", default_value_t = 12_000, group = "mesh_size")]
    pub(crate) cells: u64,
    /// Blocks of the generated mesh: 3 I J cells
    #[arg(long, value_name = "I,J", group = "mesh_size", value_parser = blocks)]
    pub(crate) blocks: Option<(u64, u64)>,
    /// A mesh file instead of a generated mesh
    #[arg(long, value_name = "FILE", group = "mesh_size")]
    pub(crate) mesh: Option<PathBuf>,
    /// Order in which the mesh's sets are numbered; rcm is reverse Cuthill-McKee of the cells of the shuffled mesh, edges sorted
    /// by their lowest cell, nodes as the cells name them
    #[arg(long, value_name = "ORDER", value_enum, default_value_t = OrderArg::Natural)]
    pub(crate) order: OrderArg,
    #[command(flatten)]
    pub(crate) bench: BenchArgs,
}

#[derive(Debug, Args)]
pub(crate) struct JacArgs {
    /// Squares along a side of the grid
    #[arg(long, value_name = "N", default_value_t = 110)]
    pub(crate) squares: u64,
    /// Precision of the numbers
    #[arg(long, value_enum, default_value_t = Precision::Double)]
    pub(crate) precision: Precision,
    /// Order in which nodes and edges are numbered; rcm is reverse Cuthill-McKee of the nodes of the shuffled grid, edges sorted by
    /// their lower node
    #[arg(long, value_name = "ORDER", value_enum, default_value_t = OrderArg::Natural)]
    pub(crate) order: OrderArg,
    #[command(flatten)]
    pub(crate) bench: BenchArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Precision {
    Double,
    Float,
}

/// An [`Order`] as an option.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OrderArg {
    /// As the mesh has them
    Natural,
    /// Random, the same each time
    Shuffled,
    /// Shuffled, then renumbered
    Rcm,
}

impl From<OrderArg> for Order {
    fn from(order: OrderArg) -> Order {
        match order {
            OrderArg::Natural => Order::Natural,
            OrderArg::Shuffled => Order::Shuffled,
            OrderArg::Rcm => Order::Rcm,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ReduceArgs {
    /// Edges of the network; it has half as many nodes
    #[arg(long, value_name = "N", default_value_t = 24_000)]
    pub(crate) edges: u64,
    /// Types to reduce, by their names in C; `all` for every type
    #[arg(
        long,
        value_name = "TYPE,..",
        value_delimiter = ',',
        default_value = "double,float,int64_t,int"
    )]
    pub(crate) types: Vec<String>,
    #[command(flatten)]
    pub(crate) bench: BenchArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CatalogueArgs {
    /// Which loops
    #[arg(long, value_enum, default_value_t = PartArg::Stream)]
    pub(crate) part: PartArg,
    /// Data of each loop, about: 1 MiB, 8 MiB or 256 MiB
    #[arg(long, value_enum, default_value_t = SizeArg::L2)]
    pub(crate) size: SizeArg,
    /// Order in which elements, nodes and degrees of freedom are numbered; STREAM has none
    #[arg(long, value_name = "ORDER", value_enum, default_value_t = OrderArg::Natural)]
    pub(crate) order: OrderArg,
    #[command(flatten)]
    pub(crate) bench: BenchArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AllArgs {
    /// Data of each loop of the catalogue, about: 1 MiB, 8 MiB or 256 MiB; airfoil has 12,000, 96,000 or 720,000 cells, jac and
    /// reduce grow alike
    #[arg(long, value_enum, default_value_t = SizeArg::L2)]
    pub(crate) size: SizeArg,
    /// Order in which all meshes are numbered
    #[arg(long, value_name = "ORDER", value_enum, default_value_t = OrderArg::Natural)]
    pub(crate) order: OrderArg,
    /// Draw the ratios as a chart in this file
    #[arg(long, value_name = "FILE", requires = "compare")]
    pub(crate) svg: Option<PathBuf>,
    /// Draw what each loop does a second over what it does with a byte, under what the machine can do, in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) roofline: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) bench: BenchArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompileBenchArgs {
    /// Only the loops of this app: airfoil, jac, reduce, or a part of the catalogue
    #[arg(long, value_name = "APP")]
    pub(crate) app: Option<String>,
    /// How often each loop is compiled; times are medians
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rounds: u64,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) with: ComparedWith,
    /// Count the instructions of one compilation of each loop with valgrind's callgrind, at x86-64-v3: to a hundredth the same
    /// again, their mean to a thousandth, however busy the machine is
    #[arg(long)]
    pub(crate) instructions: bool,
    /// What `--json --instructions` printed before: show how the counts differ from it
    #[arg(long, value_name = "FILE", requires = "instructions")]
    pub(crate) against: Option<PathBuf>,
    /// Compile each loop once, for whoever counts
    #[arg(long, hide = true)]
    pub(crate) counted: bool,
}

/// A [`Part`] as an option.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum PartArg {
    Stream,
    Spmv,
    ShallowWater,
    FemTriangle,
    FemQuadrilateral,
    FemTetrahedron,
    FemHexahedron,
}

impl From<PartArg> for Part {
    fn from(part: PartArg) -> Part {
        match part {
            PartArg::Stream => Part::Stream,
            PartArg::Spmv => Part::Spmv,
            PartArg::ShallowWater => Part::ShallowWater,
            PartArg::FemTriangle => Part::FemTriangle,
            PartArg::FemQuadrilateral => Part::FemQuadrilateral,
            PartArg::FemTetrahedron => Part::FemTetrahedron,
            PartArg::FemHexahedron => Part::FemHexahedron,
        }
    }
}

/// A [`Size`] as an option.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SizeArg {
    /// What a core's first cache holds
    L1,
    /// What a core's own cache holds
    L2,
    /// What the cache shared by cores holds
    L3,
    /// More than caches hold
    Memory,
}

impl From<SizeArg> for Size {
    fn from(size: SizeArg) -> Size {
        match size {
            SizeArg::L1 => Size::L1,
            SizeArg::L2 => Size::L2,
            SizeArg::L3 => Size::L3,
            SizeArg::Memory => Size::Memory,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The C file
    pub(crate) file: PathBuf,
    /// Only this function
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// Declare a kernel constant: a name, a type if it is not double, a number of values if it is not 1
    #[arg(
        long = "constant",
        value_name = "NAME[:TYPE][:DIM]",
        value_delimiter = ','
    )]
    pub(crate) constants: Vec<String>,
    /// Print one JSON object
    #[arg(long, conflicts_with = "dump")]
    pub(crate) json: bool,
    /// Print what a stage makes
    #[arg(long, value_name = "STAGE")]
    pub(crate) dump: Option<Dump>,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The C file
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) kernels: KernelsArgs,
    /// Also run the C compiler's code with these flags instead of -O3 -march=native; may be given several times
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    pub(crate) flags: Vec<String>,
    /// The C compiler, if not $CC or cc
    #[arg(long, value_name = "COMMAND")]
    pub(crate) cc: Option<String>,
    /// Where the C compiler looks for headers besides
    #[arg(long, value_name = "DIR")]
    pub(crate) include: Vec<PathBuf>,
    /// Largest relative difference of floats that agrees [default: 1e-12, 1e-5 with float]; integers have to be equal
    #[arg(long, value_name = "X")]
    pub(crate) rtol: Option<f64>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Do what the file says, in a process of its own
    #[arg(long, hide = true)]
    pub(crate) child: bool,
}

/// `PARAM=N` or `PARAM=ROWSxN`.
fn extent(text: &str) -> Result<(String, Extent), String> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n > 0);
    let read = |text: &str| match text.split_once('x') {
        None => number(text).map(Extent::from),
        Some((rows, values)) => Some([number(rows)?, number(values)?].into()),
    };
    let parts = text.split_once('=');
    parts
        .and_then(|(name, extent)| Some((name.to_owned(), read(extent)?)))
        .ok_or_else(|| "write PARAM=N, or PARAM=ROWSxN for row pointers, from 1 on".to_owned())
}

/// What `--dump` prints, in the order of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dump {
    /// Tokens after preprocessing
    Tokens,
    /// Syntax trees
    Ast,
    /// The kernel as the front end makes it
    Ir,
    /// A self-contained C file: the kernel and the loop around it
    C,
    /// The kernel, its short loops unrolled
    Kernel,
    /// The loop: gather, kernel, scatter
    Wrapped,
    /// The loop with its accesses checked
    Guarded,
    /// The loop after all passes
    Optimised,
    /// The code generator's input
    Clif,
    /// The object file, as bytes
    Object,
    /// The object, disassembled by objdump
    Asm,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Print the cache directory
    Path,
    /// List the entries
    Ls(LsArgs),
    /// Count entries and bytes; hits, misses and rejections by reason and the time saved over the directory's life
    Stats(JsonArgs),
    /// Show an entry: what it was made from, and its code
    Inspect(InspectArgs),
    /// Say why the kernels of a file, or an entry, are not found: the nearest entry, and in what it differs
    Explain(ExplainArgs),
    /// Authenticate every entry and record
    Verify(VerifyArgs),
    /// Say what makes the cache slower or refuses it, and what to do
    Doctor(JsonArgs),
    /// Evict what is beyond the bounds, and sweep temporary files that were left
    Gc,
    /// Remove single entries; the next run that needs one compiles it again
    Rm(RmArgs),
    /// Remove entries, shortcuts, temporary files and counts; the secret key and locks stay, and so does what is not the cache's
    Clear,
    /// Compile the kernels of C files as plain functions, so that the next process finds them
    Warm(WarmArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LsArgs {
    /// What comes first: by name, or the largest, oldest, most used, or what saved most
    #[arg(long, value_enum, value_name = "BY", default_value_t = LsSort::Name)]
    pub(crate) sort: LsSort,
    /// Only entries of kernels of this name, with the file of each
    #[arg(long, value_name = "NAME")]
    pub(crate) kernel: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a listing is sorted by.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LsSort {
    /// The kernel's name
    Name,
    /// Bytes of the file
    Size,
    /// When it was compiled
    Age,
    /// How often it was used of late
    Uses,
    /// Compile time that was saved of late
    Saved,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A C file, or a fingerprint or the beginning of one
    #[arg(value_name = "FILE|FINGERPRINT")]
    pub(crate) subject: String,
    #[command(flatten)]
    pub(crate) kernels: KernelsArgs,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which kernels of a C file, and what they need to be known.
#[derive(Debug, Args)]
pub(crate) struct KernelsArgs {
    /// Only this function
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// The value of a kernel constant (double), or values of an array, folded into the code; `explain` also takes a constant without
    /// a value, NAME[:TYPE][:DIM], which loops read at run time
    #[arg(long = "constant", value_name = "NAME=VALUE[,VALUE..]")]
    pub(crate) constants: Vec<String>,
    /// How many values a pointer parameter points to, or how many row pointers there are to how many values each, where its text
    /// does not tell or tells too little; holds for parameters of this name of any function
    #[arg(long = "extent", value_name = "PARAM=N|ROWSxN", value_parser = extent)]
    pub(crate) extents: Vec<(String, Extent)>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Also compile each entry again, from the kernel that it keeps, and compare
    #[arg(long)]
    pub(crate) deep: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WarmArgs {
    /// C files
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) kernels: KernelsArgs,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct JsonArgs {
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The fingerprint, or the beginning of it
    pub(crate) fingerprint: String,
    /// Leave the disassembly out
    #[arg(long)]
    pub(crate) no_asm: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RmArgs {
    /// Fingerprints, or the beginnings of some
    #[arg(required = true, value_name = "FINGERPRINT")]
    pub(crate) fingerprints: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads `I,J`.
fn blocks(text: &str) -> Result<(u64, u64), String> {
    let wrong = || format!("`{text}` is not I,J: two numbers and a comma, such as 50,80");
    let (i, j) = text.split_once(',').ok_or_else(wrong)?;
    let number = |text: &str| text.trim().parse().map_err(|_| wrong());
    Ok((number(i)?, number(j)?))
}
