//! The first run of code that is audited: the same elements again, in the interpreter, on copies of the data.
//!
//! Invariant: what the loop leaves is what its code computed; the interpreter sees copies alone. After a difference nobody relies on
//! what the code computes: the run is an error, and the engine uses the code no more. Its bytes are those of a fresh compilation, so
//! that there is no better code to be had, and what was told is a bug of the compiler's to report.

use super::call::{ArgSlots, Call, Copies, Stopped};
use crate::engine::Engine;
use crate::exec::Elements;
use crate::mesh::Map;
use parloop_cache::{Event, Key, Layer};
use parloop_compiler::ir::Loop;
use parloop_compiler::ir::interp::{self, ArgBinding, Ended, MapBinding, Memory, run_loop};
use parloop_compiler::{DType, abi};
use std::sync::Arc;

/// What the code of a loop is held against.
pub(super) struct Audit {
    pub(super) engine: Engine,
    pub(super) key: Key,
    pub(super) looped: Box<Loop>,
    pub(super) args: Vec<ArgSlots>,
}

impl Audit {
    /// Runs the call, and the interpreter beside it.
    #[cold]
    pub(super) fn run(&self, call: &mut Call, elements: Elements<'_>) -> Result<(), Stopped> {
        let (outcome, copies) = call.run_copied(elements);
        let Some(Copies { before, after }) = copies else {
            return outcome;
        };
        let mut memory = Memory {
            buffers: before,
            args: bindings(&self.args, call.maps()),
            constants: call.constants().map(|value| value.bytes()).collect(),
            steps: call.steps(),
        };
        let elements = match elements {
            Elements::Range(begin, end) => interp::Elements::Range(begin..end),
            Elements::Subset(list) | Elements::List(list) => interp::Elements::List(list),
        };
        let shared = self.engine.shared();
        // What the interpreter can't run, a function of the embedder for one, is not audited.
        let Ok(ended) = run_loop(&self.looped, &mut memory, elements, &shared.hosts) else {
            return outcome;
        };
        let types = call.slots().iter().map(|held| held.data.buffer().dtype());
        if same_end(&outcome, &ended) && same_data(&after, &memory.buffers, types, &ended) {
            let (layer, key) = (Layer::Memory, self.key);
            shared.observer.event(&Event::Verified { layer, key });
            return outcome;
        }
        shared.distrust(&self.key);
        Err(Stopped::Differs)
    }
}

/// Where arguments lie; each map is copied once, however many of them go through it.
fn bindings(args: &[ArgSlots], maps: &[Map]) -> Vec<ArgBinding> {
    let copied = |map: &Map| {
        let rows = 0..map.from_set().total_size();
        let all = rows.flat_map(|row| (0..map.arity()).map(move |column| (row, column)));
        all.filter_map(|(row, column)| map.entry(row, column))
            .collect()
    };
    let maps: Vec<Arc<[i64]>> = maps.iter().map(copied).collect();
    let binding = |arg: &ArgSlots| ArgBinding {
        buffer: arg.data.unwrap_or_default(),
        offset: 0,
        map: arg.map.map(|slot| MapBinding {
            entries: Arc::clone(&maps[slot]),
        }),
        rows: Vec::new(),
    };
    args.iter().map(binding).collect()
}

fn same_end(outcome: &Result<(), Stopped>, ended: &Ended) -> bool {
    match outcome {
        Ok(()) => ended.status == abi::OK,
        Err(Stopped::Failed {
            status,
            site,
            element,
            value,
        }) => {
            let (native, interpreted) = ((status, site), (&ended.status, &ended.site));
            native == interpreted && (*element, *value) == (ended.element, ended.value)
        }
        Err(Stopped::Busy(_) | Stopped::Differs) => false,
    }
}

/// Whether data are the same; after a failure they are not specified.
fn same_data(
    native: &[Vec<u8>],
    interpreted: &[Vec<u8>],
    types: impl Iterator<Item = DType>,
    ended: &Ended,
) -> bool {
    let pairs = native.iter().zip(interpreted);
    ended.status != abi::OK
        || pairs
            .zip(types)
            .all(|((a, b), dtype)| same_values(a, b, dtype))
}

/// Equal bits, or two that are no numbers: which of those an operation gives is left open.
fn same_values(a: &[u8], b: &[u8], dtype: DType) -> bool {
    fn each<const N: usize>(a: &[u8], b: &[u8], is_nan: impl Fn([u8; N]) -> bool) -> bool {
        let pairs = a.as_chunks::<N>().0.iter().zip(b.as_chunks::<N>().0);
        pairs
            .into_iter()
            .all(|(a, b)| a == b || is_nan(*a) && is_nan(*b))
    }
    if a == b {
        return true;
    }
    a.len() == b.len()
        && match dtype.real() {
            DType::F64 => each(a, b, |bits| f64::from_ne_bytes(bits).is_nan()),
            DType::F32 => each(a, b, |bits| f32::from_ne_bytes(bits).is_nan()),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::super::call::Holder;
    use super::*;
    use crate::engine::reason::RESULTS_DIFFER;
    use crate::{Engine, Error, Mode, PreparedLoop, Set};
    use parloop_cache::Table;
    use parloop_compiler::ir::read_loop;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Told(Mutex<Vec<Event>>);

    impl parloop_cache::Observer for Told {
        fn event(&self, event: &Event) {
            self.0.lock().unwrap().push(event.clone());
        }
    }

    fn prepared(engine: &Engine, factor: &str) -> PreparedLoop {
        prepare(engine, factor).unwrap()
    }

    fn prepare(engine: &Engine, factor: &str) -> Result<PreparedLoop, Error> {
        let set = Set::new("cells", 3).unwrap();
        let a = engine.dat(&set, "a", 1, &[1.0, 2.0, 4.0]).unwrap();
        let b = engine.dat(&set, "b", 1, &[0.0; 3]).unwrap();
        let text = format!("void k(const double *a, double *b) {{ b[0] += {factor} * a[0]; }}");
        let kernel = engine.kernel(&text, None);
        engine.prepare(&kernel, &set, &[a.read(), b.inc()])
    }

    /// The loop that a kernel of another factor is compiled from.
    fn other_loop(directory: &std::path::Path) -> Box<Loop> {
        for mode in [Mode::ReadWrite, Mode::Audit] {
            let mut config = crate::Config::default();
            config.cache_dir = Some(directory.to_owned());
            config.cache_mode = mode;
            config.audit_every = 1;
            let engine = Engine::new(config).unwrap();
            let prepared = prepared(&engine, "3.0");
            engine.flush(std::time::Duration::from_secs(30));
            if let Some(audit) = prepared.audit {
                let text = audit.looped.to_string();
                return Box::new(read_loop(&text).unwrap());
            }
        }
        panic!("the second engine audits what the first one kept");
    }

    #[test]
    fn code_whose_results_are_not_the_interpreters_is_an_error_and_not_used_again() {
        let temp = tempfile::tempdir().unwrap();
        let told = Arc::new(Told::default());
        let builder = Engine::builder().cache_dir(temp.path().join("own"));
        let engine = builder.observer(told.clone()).build().unwrap();
        let mut before = prepared(&engine, "2.0");
        let mut unlike = prepared(&engine, "4.0");
        let mut prepared_now = prepared(&engine, "2.0");
        let signature = prepared_now.signature.clone();
        let looped = Some(other_loop(&temp.path().join("cache")));
        prepared_now.audit =
            super::super::prepare::audit(&engine, &signature, looped, &prepared_now.resolution);
        before.run().unwrap();
        unlike.run().unwrap();
        engine.flush(std::time::Duration::from_secs(30));
        told.0.lock().unwrap().clear();

        let key = prepared_now.resolution.key;
        let differs = |outcome: Result<(), Error>| match outcome {
            Err(Error::ResultsDiffer { fingerprint, .. }) => fingerprint == key.to_string(),
            _ => false,
        };
        assert!(differs(prepared_now.run()));
        let events = std::mem::take(&mut *told.0.lock().unwrap());
        let (layer, reason) = (Layer::Disk, RESULTS_DIFFER);
        let taken_back = [
            Event::Retract { layer, key },
            Event::Reject { layer, key, reason },
            Event::Miss { layer, key, reason },
        ];
        assert_eq!(events, taken_back);
        assert!(engine.shared().classes.get(&key).is_none());

        let compiled = engine.compilations();
        assert!(differs(prepared_now.run()), "not the second time either");
        assert!(differs(before.run()), "nor by a loop that had the code");
        let again = prepare(&engine, "2.0").map(drop);
        assert!(differs(again), "nor by a new one");
        unlike.run().unwrap();
        assert_eq!(engine.compilations(), compiled);
        assert!(engine.flush(std::time::Duration::from_secs(30)));
        let kept = engine.store().entries_of(Table::Objects);
        let kept: Vec<Key> = kept.map(|listed| listed.key).collect();
        assert_eq!(kept, [unlike.resolution.key]);
    }

    #[test]
    fn a_run_that_checks_nothing_leaves_the_audit_to_the_next() {
        let temp = tempfile::tempdir().unwrap();
        let told = Arc::new(Told::default());
        let engine = Engine::builder().observer(told.clone()).build().unwrap();
        let mut prepared = prepared(&engine, "3.0");
        let signature = prepared.signature.clone();
        let looped = Some(other_loop(&temp.path().join("cache")));
        prepared.audit =
            super::super::prepare::audit(&engine, &signature, looped, &prepared.resolution);
        told.0.lock().unwrap().clear();
        let Holder::Dat(b) = prepared.call.slots()[1].data.clone() else {
            panic!("the second argument is a dat");
        };
        let held = b.data::<f64>().unwrap();
        assert!(matches!(prepared.run(), Err(crate::Error::Busy { .. })));
        drop(held);
        prepared.run_range(1, 1).unwrap();
        prepared.run_list(&[]).unwrap();
        assert_eq!(*told.0.lock().unwrap(), []);
        prepared.run().unwrap();
        let (layer, key) = (Layer::Memory, prepared.resolution.key);
        let verified = Event::Verified { layer, key };
        assert_eq!(*told.0.lock().unwrap(), [verified]);
        assert!(prepared.audit.is_none());
    }

    #[test]
    fn a_map_is_copied_once_for_all_arguments_that_go_through_it() {
        let (edges, cells) = (Set::new("edges", 2).unwrap(), Set::new("cells", 3).unwrap());
        let map = |entries: [i32; 4]| Map::new("map", &edges, &cells, 2, entries).unwrap();
        let maps = [map([0, 1, 1, 2]), map([2, 0, 0, 1])];
        let through = |map: usize| ArgSlots {
            data: Some(0),
            map: Some(map),
        };
        let bound = bindings(&[through(0), through(1), through(0)], &maps);
        let [first, other, again] = &bound[..] else {
            panic!("three arguments");
        };
        let entries = |arg: &ArgBinding| Arc::clone(&arg.map.as_ref().unwrap().entries);
        assert_eq!(entries(first)[..], [0, 1, 1, 2]);
        assert_eq!(entries(other)[..], [2, 0, 0, 1]);
        assert!(Arc::ptr_eq(&entries(first), &entries(again)));
    }

    #[test]
    fn numbers_are_compared_by_their_bits_and_what_is_no_number_by_that() {
        let bytes = |values: &[f64]| -> Vec<u8> {
            values
                .iter()
                .flat_map(|value| value.to_ne_bytes())
                .collect()
        };
        let (nan, other) = (f64::NAN, f64::from_bits(f64::NAN.to_bits() ^ 1 << 63));
        for (a, b, same) in [
            (vec![1.0, nan], vec![1.0, other], true),
            (vec![1.0, nan], vec![2.0, other], false),
            (vec![0.0], vec![-0.0], false),
            (vec![1.0], vec![1.0, 1.0], false),
        ] {
            assert_eq!(same_values(&bytes(&a), &bytes(&b), DType::F64), same);
        }
        assert!(!same_values(&bytes(&[nan]), &bytes(&[other]), DType::I64));
    }
}
