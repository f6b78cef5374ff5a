//! The documents are enough: a reader made from `cache/FORMAT.md` and `compiler/PREIMAGE.md` alone reads a directory that an engine
//! filled, checks every hash, and understands preimages, records and hints to the last byte.

use parloop::{Arg, DType, Engine, Map, Set};
use parloop_compiler::ShortcutRecord;
use parloop_compiler::fingerprint::decode_request;
use parloop_tests::cached::{directory, flush, run_small};
use std::fs;
use std::path::Path;

/// Reads bytes from front to back.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    fn number(&mut self, bytes: usize) -> u64 {
        let taken = self.bytes(bytes).iter().rev();
        taken.fold(0, |n, byte| n << 8 | u64::from(*byte))
    }

    fn u8(&mut self) -> u64 {
        self.number(1)
    }

    fn u16(&mut self) -> u64 {
        self.number(2)
    }

    fn u32(&mut self) -> u64 {
        self.number(4)
    }

    fn u64(&mut self) -> u64 {
        self.number(8)
    }

    /// A choice of so many, or a flag if there are two.
    fn of(&mut self, many: u64) -> u64 {
        let chosen = self.u8();
        assert!(chosen < many, "{chosen} of {many}");
        chosen
    }

    fn text(&mut self) -> String {
        let len = self.u32() as usize;
        String::from_utf8(self.bytes(len).to_vec()).unwrap()
    }

    fn many<T>(&mut self, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let len = self.u32();
        (0..len).map(|_| item(self)).collect()
    }

    fn maybe<T>(&mut self, item: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.of(2) == 1).then(|| item(self))
    }

    fn end(&self) {
        assert!(self.0.is_empty(), "{} bytes are left", self.0.len());
    }
}

/// What a preimage says, as far as it is compared.
#[derive(Debug, Default, PartialEq)]
struct Request {
    build_id: String,
    abi: u64,
    level: String,
    features: usize,
    options: [u64; 4],
    hosts: Vec<String>,
    /// Dtype, dim, layout, access, dat.
    args: Vec<[u64; 5]>,
    params: usize,
    constants: usize,
    values: usize,
    /// In blocks of blocks too.
    statements: usize,
}

/// Tags and bytes of a preimage's parts.
type Parts = Vec<(u64, Vec<u8>)>;

fn preimage(bytes: &[u8]) -> (Request, Parts) {
    let mut r = Reader(bytes);
    let mut parts = Parts::new();
    assert_eq!((r.bytes(8), r.u32()), (&b"parloopR"[..], 1));
    let mut request = Request::default();
    let mut last = 0;
    while !r.0.is_empty() {
        let tag = r.u8();
        assert!(tag == last + 1 || (tag == 7 && last == 7) || (tag == 8 && last == 6));
        last = tag;
        let len = r.u32() as usize;
        let bytes = r.bytes(len);
        parts.push((tag, bytes.to_vec()));
        let mut part = Reader(bytes);
        let p = &mut part;
        match tag {
            1 => request.build_id = p.text(),
            2 => request.abi = p.u32(),
            3 => {
                p.of(5);
                (request.level, request.features) = (p.text(), p.many(Reader::text).len());
            }
            4 => request.options = [p.of(2), p.of(2), p.u8(), p.u16()],
            5 => request.hosts = p.many(host),
            6 => assert!(p.of(2) + p.of(2) < 3),
            7 => request.args.push(argument(p)),
            8 => kernel(p, &mut request),
            _ => panic!("part {tag}"),
        }
        part.end();
    }
    assert_eq!(last, 8);
    (request, parts)
}

/// Those of a tag, one after the other, and how many.
fn of_tag(parts: &Parts, tag: u64) -> (u32, Vec<u8>) {
    let of_tag = parts.iter().filter(|(t, _)| *t == tag);
    let all: Vec<&[u8]> = of_tag.map(|(_, bytes)| &**bytes).collect();
    (all.len() as u32, all.concat())
}

fn host(r: &mut Reader<'_>) -> String {
    let name = r.text();
    r.many(|r| r.of(12));
    r.of(12);
    name
}

fn argument(r: &mut Reader<'_>) -> [u64; 5] {
    let source = r.of(7);
    if source == 1 || source == 2 {
        r.bytes(2 * 2);
        r.of(2);
        r.of(2);
    }
    match source {
        1 => drop(r.u16()),
        6 => drop(r.u32()),
        _ => {}
    }
    [r.of(13), r.u32(), r.of(3), r.of(6), r.u16()]
}

fn kernel(r: &mut Reader<'_>, request: &mut Request) {
    request.params = r.many(|r| (r.of(4), r.of(12))).len();
    request.constants = r.many(|r| (r.of(12), r.u32())).len();
    let (_labels, _sites) = (r.u32(), r.u32());
    let ty = |r: &mut Reader<'_>| (r.of(12), r.u8());
    r.many(ty);
    r.many(|r| (r.of(12), r.u64()));
    r.many(|r| (r.of(12), r.many(Reader::u64)));
    let values = r.many(|r| {
        ty(r);
        operation(r);
    });
    request.values = values.len();
    request.statements = block(r);
}

fn operation(r: &mut Reader<'_>) {
    let tag = r.of(17);
    let operands = [0, 1, 2, 2, 3, 3, 1, 0, 1, 0, 1, 1, 0, 1, 1, 2, 0];
    r.bytes(4 * operands[tag as usize]);
    match tag {
        0 => drop(r.u64()),
        1 => drop(r.of(8)),
        2 => drop(r.of(13)),
        3 => drop(r.of(6)),
        7 | 11 => drop(r.u32()),
        8 => {
            place(r);
            r.u32();
        }
        9 => {
            r.u32();
            r.many(Reader::u32);
        }
        10 => drop((r.u64(), r.u32())),
        14 => drop(r.u8()),
        15 => drop(r.u32()),
        16 => drop(r.u16()),
        _ => {}
    }
}

fn place(r: &mut Reader<'_>) {
    match r.of(5) {
        0 | 1 => drop(r.u32()),
        3 => drop((r.u32(), r.u16())),
        _ => drop(r.u16()),
    }
}

fn block(r: &mut Reader<'_>) -> usize {
    let inner = r.many(|r| {
        let tag = r.of(10);
        match tag {
            0 | 3 | 8 | 9 => drop(r.u32()),
            1 => drop(r.u64()),
            2 => {
                r.u64();
                place(r);
                r.u32();
            }
            4 => {
                r.u32();
                return block(r) + block(r);
            }
            5 => {
                r.bytes(3 * 4 + 4 + 8 + 4);
                return block(r);
            }
            6 => {
                r.u64();
                return block(r);
            }
            _ => {
                r.u32();
                return block(r);
            }
        }
        0
    });
    inner.len() + inner.iter().sum::<usize>()
}

/// Statements of a block, those of blocks within counted, by the library.
fn statements(block: &[parloop_compiler::ir::Stmt]) -> usize {
    use parloop_compiler::ir::Stmt;
    let inner = |stmt: &Stmt| match stmt {
        Stmt::If { then, other, .. } => statements(then) + statements(other),
        Stmt::For(data) => statements(&data.body),
        Stmt::Loop { body, .. } | Stmt::Block { body, .. } => statements(body),
        _ => 0,
    };
    block.len() + block.iter().map(inner).sum::<usize>()
}

fn by_the_library(preimage: &[u8]) -> Request {
    let (request, identity) = decode_request(preimage).unwrap();
    let parloop_compiler::Options {
        float,
        effort,
        lanes,
        unroll,
    } = request.options;
    let level = request.target.level;
    let arg = |arg: &parloop_compiler::ArgSignature| {
        let (layout, access) = (arg.layout as u64, arg.access as u64);
        [
            arg.dtype as u64,
            arg.dim.into(),
            layout,
            access,
            arg.dat.into(),
        ]
    };
    Request {
        build_id: identity.build_id,
        abi: identity.abi.into(),
        level: level.name().to_owned(),
        features: level.features().len(),
        options: [float as u64, effort as u64, lanes.into(), unroll.into()],
        hosts: request
            .kernel
            .body
            .symbols
            .values()
            .map(|host| host.name.clone())
            .collect(),
        args: request.signature.args.iter().map(arg).collect(),
        params: request.kernel.params.len(),
        constants: request.kernel.constants.len(),
        values: request.kernel.body.values.len(),
        statements: statements(&request.kernel.body.root),
    }
}

/// Name, parameters, constants and warnings of a record, and the key of the object.
fn record(bytes: &[u8]) -> (Vec<u8>, String, Vec<String>, Vec<String>, Vec<String>) {
    let mut r = Reader(bytes);
    assert_eq!((r.bytes(8), r.u32()), (&b"parloopT"[..], 2));
    let key = r.bytes(32).to_vec();
    let name = r.text();
    let params = r.many(|r| {
        let name = r.text();
        r.of(4);
        r.maybe(|r| r.of(13));
        r.many(|r| r.maybe(Reader::u64));
        assert!((0..4).all(|_| r.of(2) < 2));
        name
    });
    let constants = r.many(Reader::text);
    let span = |r: &mut Reader<'_>| assert!(r.u32() <= r.u32());
    let warnings = r.many(|r| {
        assert_eq!(r.of(2), 1);
        let (_code, message) = (r.text(), r.text());
        span(r);
        r.many(|r| {
            span(r);
            r.text()
        });
        r.maybe(Reader::text);
        message
    });
    r.end();
    (key, name, params, constants, warnings)
}

/// Payload and preimage of an entry, all of whose hashes are right.
fn entry(path: &Path, secret: &[u8; 32], table: u64) -> (Vec<u8>, Vec<u8>) {
    let file = fs::read(path).unwrap();
    let n = file.len();
    let mut t = Reader(&file[n - 152..]);
    let (payload, metadata) = (t.u64() as usize, t.u64() as usize);
    let _cost_ns = t.u64();
    assert_eq!((t.u8(), t.bytes(15)), (table, &[0; 15][..]));
    let (key, digest, mac) = (t.bytes(32), t.bytes(32), t.bytes(32));
    assert_eq!((t.u32(), t.u32(), t.bytes(8)), (1, 152, &b"parloop"[..]));
    assert_eq!(payload + metadata + 152, n);
    let zeros = vec![0; n.next_multiple_of(4096) - n];
    let hashed = [&file[..n - 48], &[0; 32], &file[n - 16..], &zeros].concat();
    assert_eq!(mac, blake3::keyed_hash(secret, &hashed).as_bytes());
    let mut fields = Reader(&file[payload..payload + metadata]);
    let mut preimage = None;
    while !fields.0.is_empty() {
        let (tag, len) = (fields.u32(), fields.u32() as usize);
        let bytes = fields.bytes(len);
        if tag == 1 {
            assert!(preimage.replace(bytes.to_vec()).is_none());
        }
    }
    let preimage = preimage.unwrap();
    let hash = *blake3::hash(&preimage).as_bytes();
    // The compiler's keys are the digests of their preimages.
    assert_eq!((digest, key), (&hash[..], &hash[..]));
    let name = path.file_name().unwrap().to_str().unwrap();
    assert_eq!(name, parloop_cache::Key::new(hash).to_string());
    (file[..payload].to_vec(), preimage)
}

/// The files of a table.
fn files(root: &Path, table: &str) -> Vec<std::path::PathBuf> {
    let list = |path: &Path| -> Vec<_> {
        fs::read_dir(path)
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect()
    };
    list(&root.join("v1").join(table))
        .iter()
        .flat_map(|shard| list(shard))
        .collect()
}

/// The numbers of a hint.
fn hint(path: &Path, magic: &[u8]) -> Vec<u64> {
    let file = fs::read(path).unwrap();
    let (body, check) = file.split_at(file.len() - 8);
    assert_eq!(*check, blake3::hash(body).as_bytes()[..8]);
    assert_eq!(&body[..8], magic);
    let mut r = Reader(&body[8..]);
    std::iter::from_fn(|| (!r.0.is_empty()).then(|| r.u64())).collect()
}

/// A bit of everything that kernels are made of.
const MUCH: &str = r"
static const double weights[3] = {0.25, 0.5, 0.25};
static double square(double x) { return x * x; }
void much(const double *a, double **b, int *hits, double *least, const float *f) {
  double local[4] = {0.0}; int n = (int) a[0]; unsigned u = (unsigned) n; long i = 0;
  for (int q = 0; q < 3; q++) { for (int k = 0; k < 4; k++) local[k] += weights[q] * a[q] * k; }
  while (i < n) { if (i == 7) break; i++; if (i % 3 == 1) continue; local[i & 3] += sin(a[1]) + scale * gam[i & 1]; }
  for (int k = 0; k < n; k++) { if (local[k & 3] > 1.5 || k > 9) { hits[0] += k / (n + 1); } else { hits[0] -= 1 << (u & 3); } }
  b[0][0] += square(local[0]) + f[0]; b[1][0] += a[2] < 0.0 ? fabs(local[1]) : copysign(local[2], a[0]);
  least[0] = fmin(least[0], local[3]);
}";

fn run_much(engine: &Engine) {
    engine.declare_constant("scale", &[0.5]).unwrap();
    engine.declare_constant("gam", &[1.4, 0.4]).unwrap();
    engine.specialise("scale", true).unwrap();
    let (cells, nodes) = (Set::new("cells", 2).unwrap(), Set::new("nodes", 3).unwrap());
    let map = Map::new("m", &cells, &nodes, 2, vec![0, 1, 1, 2]).unwrap();
    let a = engine.dat(&cells, "a", 3, &[2.0; 6]).unwrap();
    let b = engine.dat_zeroed(&nodes, "b", 1, DType::F64).unwrap();
    let hits = engine.global("hits", &[0i32]).unwrap();
    let least = engine.global("least", &[1e9]).unwrap();
    let f = engine.dat_zeroed(&cells, "f", 1, DType::F32).unwrap();
    let args: [Arg<'_>; 5] = [
        a.read(),
        b.inc().through(&map),
        hits.inc(),
        least.min(),
        f.read(),
    ];
    let kernel = engine.kernel(MUCH, Some("much"));
    engine.par_loop(&kernel, &cells, &args).unwrap();
}

/// As a function of its own parameters; `x` and `z` may overlap, and so may the rows.
const PLAIN: &str =
    "void plain(const double *x, double *restrict y, double *z, int n, const double **rows) {
  y[0] = x[n] + z[1] + rows[1][2];
}";

/// The extent of `x`, the only one that the caller has to give.
const PLAIN_EXTENT: u32 = 8;

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

/// Constants as a front end sees them once they are declared: `gam` is read when a loop runs, `scale` is folded.
fn constants(declared: bool) -> Vec<u8> {
    let number = |n: u32| n.to_le_bytes();
    if !declared {
        return number(0).to_vec();
    }
    let f64 = [0u8];
    let gam = [&text("gam")[..], &f64, &number(2), &[0], &number(0)].concat();
    let bits = 0.5f64.to_bits().to_le_bytes();
    let scale = [
        &text("scale")[..],
        &f64,
        &number(1),
        &[1],
        &number(1),
        &bits,
    ]
    .concat();
    [&number(2)[..], &gam, &scale].concat()
}

/// The preimage of the shortcut of a kernel, from what is known of it and its object's preimage.
fn shortcut(name: &str, request: &Request, object: &Parts) -> Vec<u8> {
    let number = |n: u32| n.to_le_bytes();
    let digest = |bytes: &[u8]| *blake3::hash(bytes).as_bytes();
    let (source, chosen) = match name {
        "much" => (MUCH, Some("much")),
        "plain" => (PLAIN, None),
        _ => (parloop_tests::cached::SMALL, None),
    };
    let function = [
        &[u8::from(chosen.is_some())][..],
        &text(chosen.unwrap_or("")),
    ]
    .concat();
    let lent = number(0);
    let given = [&[0, 3][..], &number(PLAIN_EXTENT), &[0, 0], &[0, 0]].concat();
    let (count, arguments) = match name {
        "plain" => (1, given),
        _ => of_tag(object, 7),
    };
    let signature = [&of_tag(object, 6).1[..], &number(count), &arguments].concat();
    let choices = [of_tag(object, 4).1, of_tag(object, 3).1].concat();
    [
        &b"parloopS"[..],
        &number(2),
        &number(1),
        &number(request.abi as u32),
        &digest(request.build_id.as_bytes()),
        &digest(source.as_bytes()),
        &digest(&function),
        &digest(&[&constants(name != "add")[..], &lent].concat()),
        &digest(&signature),
        &digest(&choices),
    ]
    .concat()
}

#[test]
fn a_reader_made_from_the_documents_understands_all_that_an_engine_keeps() {
    let (_temp, root) = directory();
    let engine = Engine::builder().cache_dir(&root).build().unwrap();
    run_small(&engine, parloop_tests::cached::SMALL);
    run_much(&engine);
    let plain = engine.kernel(PLAIN, None);
    engine.function(&plain, &[PLAIN_EXTENT.into()]).unwrap();
    flush(&engine);
    drop(engine);
    let secret = fs::read(root.join("secret")).unwrap();
    assert_eq!((secret.len(), &secret[..8]), (56, &b"parkey"[..]));
    assert_eq!(secret[40..], blake3::hash(&secret[..40]).as_bytes()[..16]);
    let secret: [u8; 32] = secret[8..40].try_into().unwrap();

    let (mut objects, mut preimages) = (Vec::new(), Vec::new());
    for path in files(&root, "objects") {
        let (payload, bytes) = entry(&path, &secret, 1);
        assert_eq!(payload[..4], *b"ELF");
        let (request, parts) = preimage(&bytes);
        assert_eq!(request, by_the_library(&bytes));
        objects.push(blake3::hash(&bytes).as_bytes().to_vec());
        preimages.push((request, parts));
        let (request, parts) = preimages.last().unwrap();
        if of_tag(parts, 6).1[0] == 1 {
            let dats: Vec<u64> = request.args.iter().map(|arg| arg[4]).collect();
            assert_eq!(dats, [0, 1, 0, 3, 0]);
        } else if request.args.len() == 5 {
            assert_eq!(request.hosts, ["sin"]);
            assert_eq!((request.params, request.constants), (5, 1));
        }
    }
    assert_eq!(objects.len(), 3);

    let shortcuts = files(&root, "shortcuts");
    for path in &shortcuts {
        let (payload, bytes) = entry(path, &secret, 2);
        let (key, name, params, constants, warnings) = record(&payload);
        assert!(objects.contains(&key));
        let library = ShortcutRecord::decode(&payload).unwrap();
        assert_eq!((&name, &constants), (&library.name, &library.constants));
        assert!(library.params.iter().map(|param| &param.name).eq(&params));
        assert!(
            library
                .warnings
                .iter()
                .map(|warning| &warning.message)
                .eq(&warnings)
        );
        let object = objects.iter().position(|object| *object == key).unwrap();
        let (request, parts) = &preimages[object];
        assert_eq!(request.build_id, parloop_compiler::build_id());
        assert_eq!(bytes, shortcut(&name, request, parts), "{name}");
        if name == "much" {
            assert_eq!(constants, ["gam"]);
        }
    }
    assert_eq!(shortcuts.len(), 3);

    let bytes = |path: &std::path::PathBuf| fs::metadata(path).unwrap().len();
    let all = [files(&root, "objects"), shortcuts].concat();
    let usage = hint(&root.join("v1/usage"), b"paruse");
    assert_eq!(usage[..2], [6, all.iter().map(bytes).sum::<u64>()]);
    let stats = hint(&root.join("v1/stats"), b"parsta");
    // No hit, three misses and three files of each table, nothing rejected or evicted; all missed for the first reason.
    assert_eq!(stats[..8], [0, 0, 3, 3, 6, 0, 0, 0]);
    assert_eq!(stats[8..].iter().filter(|n| **n > 0).count(), 2);
    let uses = fs::read(root.join("v1/uses")).unwrap();
    assert_eq!(uses.len(), 65_536);
    for key in &objects {
        let at = usize::from(key[30]) + 256 * usize::from(key[31]) % 32_768;
        // Never used, and missed once.
        assert_eq!((uses[at], uses[32_768 + at]), (0, 1));
    }
}
