//! Misses are explained to who listens to the trace. Alone in its process: `tracing` remembers for each place in the code whether
//! anybody listens, and tests that run beside it, to whom nobody does, would be asked too.

use parloop::{DType, Engine, Set};
use parloop_tests::cached::{SMALL, directory, flush, run_small, watched};
use std::sync::Arc;

/// Keeps what it is told of explanations: the text of each field.
#[derive(Default)]
struct Listener(std::sync::Mutex<Vec<std::collections::BTreeMap<&'static str, String>>>);

/// The fields of an event, for who listens to `tracing`.
struct Fields(std::collections::BTreeMap<&'static str, String>);

impl tracing::field::Visit for Fields {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

/// So that the test can ask what the subscriber, which `tracing` owns, was told.
#[derive(Clone, Default)]
struct Subscriber(Arc<Listener>);

impl tracing::Subscriber for Subscriber {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "parloop::explain" && *metadata.level() <= tracing::Level::DEBUG
    }

    fn new_span(&self, _span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _span: &tracing::span::Id, _values: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _span: &tracing::span::Id, _follows: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields(Default::default());
        event.record(&mut fields);
        self.0.0.lock().unwrap().push(fields.0);
    }

    fn enter(&self, _span: &tracing::span::Id) {}

    fn exit(&self, _span: &tracing::span::Id) {}
}

#[test]
fn a_miss_is_explained_to_who_listens_to_the_trace() {
    let (_temp, path) = directory();
    let subscriber = Subscriber::default();
    let told = subscriber.0.clone();
    // No observer wants explanations; the trace alone asks for them.
    let changed = SMALL.replace("2.0", "2.0 * 1.5 * a[0] - a[0] + 1.0");
    let kept = tracing::subscriber::with_default(subscriber, || {
        let (engine, _log) = watched(&path);
        run_small(&engine, SMALL);
        flush(&engine);
        let kept = told.0.lock().unwrap().clone();
        explain_by_running(&engine, &changed);
        kept
    });
    assert_eq!(kept.len(), 1, "the first loop misses too");
    assert_eq!((&*kept[0]["nearest"], &*kept[0]["entries"]), ("", "0"));
    let told = told.0.lock().unwrap();
    let last = told.last().unwrap();
    assert_eq!(told.len(), 2);
    assert_eq!(last["nearest"].len(), 52, "{last:?}");
    assert_eq!((&*last["entries"], &*last["all"]), ("1", "true"));
    assert!(
        last["differences"].contains("kernel") || last["differences"].contains("2.0"),
        "{last:?}"
    );
    assert_eq!(last["key"].len(), 52);
}

/// Runs a kernel of the shape of [`SMALL`], whatever it computes.
fn explain_by_running(engine: &Engine, text: &str) {
    let set = Set::new("cells", 3).unwrap();
    let dat = |name| engine.dat_zeroed(&set, name, 1, DType::F64).unwrap();
    let (a, b) = (dat("a"), dat("b"));
    let kernel = engine.kernel(text, None);
    engine
        .par_loop(&kernel, &set, &[a.read(), b.inc()])
        .unwrap();
}
