//! `parloop cache explain`: why the kernels of a file, or an entry, are not found: the nearest entry, and in what it differs.
//!
//! A file says nothing of arguments, so its kernels are explained as plain functions, and as the loops that are kept of kernels of
//! the same name or meaning: what the file's text would come to with those arguments. Of an entry it is told what this program
//! would ask for in its place, and what else is near it.

use super::{inspect, open, short};
use crate::args::ExplainArgs;
use crate::error::CliError;
use crate::kernels::KernelFile;
use crate::output;
use parloop::{Config, Engine, KeptEntries, Mode, Nearest};
use parloop_cache::{Expect, Key, Store, Table};
use parloop_compiler::fingerprint::decode_request;
use parloop_compiler::{
    CheckedKernel, Difference, Iteration, Names, Preimage, Request, Signature, Target,
    describe_argument, differences, function_signature,
};
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Loops of a kernel that are told.
const LOOPS_MAX: usize = 8;

#[derive(Serialize)]
struct Explained {
    kernel: String,
    /// As what: a plain function, or a loop of these arguments.
    form: String,
    fingerprint: String,
    kept: bool,
    /// Where it lies, if it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<String>,
    differences: Vec<String>,
    /// Why nothing can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

pub(super) fn run(
    args: &ExplainArgs,
    directory: &Path,
    config: &Config,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    let store = open(directory, config, Mode::ReadOnly)?;
    let mut quiet = config.clone();
    quiet.cache_mode = Mode::Off;
    let target = Target {
        level: Engine::new(quiet)?.level(),
    };
    let here = Here::new(store, config, target);
    let path = Path::new(&args.subject);
    // What no fingerprint begins with is a file, there or not.
    let explained = if path.is_file() || !may_begin_a_fingerprint(&args.subject) {
        here.file(&KernelFile::read_for_loops(path, &args.kernels)?)?
    } else {
        here.entry(&args.subject)?
    };
    if args.json {
        output::json(out, &explained)?;
        return Ok(());
    }
    explained.iter().try_for_each(|one| print(one, out))
}

fn may_begin_a_fingerprint(subject: &str) -> bool {
    let digit = |c: char| matches!(c, 'a'..='z' | '2'..='7');
    subject.chars().all(digit)
}

fn print(one: &Explained, out: &mut dyn Write) -> Result<(), CliError> {
    let name = output::line(&one.kernel);
    if let Some(refused) = &one.refused {
        writeln!(out, "{name}: {}", output::line(refused))?;
        return Ok(());
    }
    let fingerprint = short(&one.fingerprint);
    let kept = if one.kept { "kept" } else { "not kept" };
    let form = output::line(&one.form);
    writeln!(out, "{name}, {form}: {fingerprint} is {kept}")?;
    if let Some(file) = &one.file {
        writeln!(out, "  in {}", output::line(&file.display().to_string()))?;
    }
    match &one.nearest {
        Some(nearest) => writeln!(out, "  nearest is {}", short(nearest))?,
        None if one.kept => {}
        None => writeln!(out, "  no entry is near it")?,
    }
    for difference in &one.differences {
        writeln!(out, "    {}", output::line(difference))?;
    }
    Ok(())
}

/// Where is looked, and what for.
struct Here<'a> {
    store: Option<Store>,
    /// What the store holds, read once for all kernels.
    kept: KeptEntries,
    config: &'a Config,
    target: Target,
}

impl<'a> Here<'a> {
    fn new(store: Option<Store>, config: &'a Config, target: Target) -> Here<'a> {
        let kept = store.as_ref().map(KeptEntries::read).unwrap_or_default();
        Here {
            store,
            kept,
            config,
            target,
        }
    }

    /// Where the entry of a preimage lies, if it is kept.
    fn kept_in(&self, preimage: &Preimage) -> Option<PathBuf> {
        let store = self.store.as_ref()?;
        let key = Key::new(preimage.fingerprint().0);
        let expect = Expect::Preimage(preimage.as_bytes());
        let _sound = store.look(Table::Objects, &key, expect, &|_| true).ok()?;
        store.path_of(Table::Objects, &key)
    }

    /// What is kept that is nearest to a preimage.
    fn nearest(&self, preimage: &[u8], label: &str, names: Names<'_>) -> Option<Nearest> {
        let store = self.store.as_ref()?;
        self.kept.nearest(store, preimage, label, names)
    }

    fn file(&self, file: &KernelFile<'_>) -> Result<Vec<Explained>, CliError> {
        let lexed = file.lexed()?;
        let mut explained = Vec::new();
        for name in file.names()? {
            match file.check(&lexed, &name) {
                Ok(checked) => {
                    explained.push(self.function(file, &checked));
                    explained.extend(self.loops(file, &checked));
                }
                Err(refused) => explained.push(refusal(&name, refused)),
            }
        }
        Ok(explained)
    }

    /// A kernel as a plain function.
    fn function(&self, file: &KernelFile<'_>, checked: &CheckedKernel) -> Explained {
        if let Some(name) = checked.constants.first() {
            let refused = format!(
                "not known as a plain function: it reads `{name}`; give its value with --constant {name}=VALUE"
            );
            return refusal(&checked.name, refused);
        }
        let signature = match function_signature(checked, &file.extents(&checked.params)) {
            Ok(signature) => signature,
            Err(error) => {
                let refused = format!("not known as a plain function: {error}");
                return refusal(&checked.name, refused);
            }
        };
        self.asked(file, checked, signature, "a plain function".to_owned())
    }

    /// A kernel as the loops that are kept of kernels of its name or meaning.
    fn loops(&self, file: &KernelFile<'_>, checked: &CheckedKernel) -> Vec<Explained> {
        let mut signatures: Vec<Signature> = Vec::new();
        let own = self.preimage(
            checked,
            Signature {
                iteration: Iteration::Elements,
                args: Vec::new(),
                allow_conflicts: false,
            },
        );
        let Some(store) = &self.store else {
            return Vec::new();
        };
        for key in self.kept.signatures_of(&checked.name, own.as_bytes()) {
            let Ok(entry) = store.inspect(Table::Objects, &key) else {
                continue;
            };
            let Ok((kept, _)) = decode_request(entry.preimage()) else {
                continue;
            };
            let fits = kept.signature.args.len() == checked.params.len();
            let is_loop = kept.signature.iteration == Iteration::Elements;
            if !(fits && is_loop) || signatures.contains(&kept.signature) {
                continue;
            }
            signatures.push(kept.signature);
            if signatures.len() == LOOPS_MAX {
                break;
            }
        }
        let asked = signatures.into_iter().map(|signature| {
            let arguments: Vec<String> = signature.args.iter().map(describe_argument).collect();
            let form = format!("a loop of ({})", arguments.join("; "));
            self.asked(file, checked, signature, form)
        });
        let mut explained: Vec<Explained> = asked.collect();
        explained.sort_by(|a, b| a.form.cmp(&b.form));
        explained
    }

    /// A kernel under a signature, as this program asks for it.
    fn preimage(&self, checked: &CheckedKernel, signature: Signature) -> Preimage {
        Preimage::of(&Request {
            kernel: checked.kernel.clone(),
            signature,
            options: self.config.options,
            target: self.target,
        })
    }

    /// What is kept for a request, else what is nearest to it.
    fn asked(
        &self,
        file: &KernelFile<'_>,
        checked: &CheckedKernel,
        signature: Signature,
        form: String,
    ) -> Explained {
        let preimage = self.preimage(checked, signature);
        let params: Vec<String> = checked.params.iter().map(|p| p.name.clone()).collect();
        let names = Names {
            params: &params,
            constants: &checked.constants,
        };
        let place = self.kept_in(&preimage);
        let nearest = match &place {
            Some(_) => None,
            None => self.nearest(preimage.as_bytes(), &checked.name, names),
        };
        let (nearest, mut found) = match nearest {
            Some(nearest) => (Some(nearest.fingerprint), nearest.differences),
            None => (None, Vec::new()),
        };
        for difference in &mut found {
            difference.locate(&file.text, checked);
        }
        Explained {
            kernel: checked.name.clone(),
            form,
            fingerprint: Key::new(preimage.fingerprint().0).to_string(),
            kept: place.is_some(),
            file: place,
            nearest,
            differences: shown(&found),
            refused: None,
        }
    }

    /// An entry: what this program would ask for in its place, and what is nearest to it.
    fn entry(&self, prefix: &str) -> Result<Vec<Explained>, CliError> {
        let Some(store) = &self.store else {
            let prefix = prefix.to_owned();
            return Err(CliError::NoEntry { prefix });
        };
        let key = inspect::find(prefix, store)?;
        let entry = inspect::entry(&key, store)?;
        let label = entry.metadata().label;
        let mut explained = Vec::new();
        if let Ok((kept, _)) = decode_request(entry.preimage()) {
            let now = Preimage::of(&Request {
                options: self.config.options,
                target: self.target,
                ..kept
            });
            let file = self.kept_in(&now);
            let found = differences(entry.preimage(), now.as_bytes(), Names::default());
            explained.push(Explained {
                kernel: label.clone(),
                form: "as this program asks for it".to_owned(),
                fingerprint: Key::new(now.fingerprint().0).to_string(),
                kept: file.is_some(),
                file,
                nearest: (now.as_bytes() != entry.preimage()).then(|| key.to_string()),
                differences: shown(&found.unwrap_or_default()),
                refused: None,
            });
        }
        let nearest = self.nearest(entry.preimage(), &label, Names::default());
        let (nearest, found) = match nearest {
            Some(nearest) => (Some(nearest.fingerprint), nearest.differences),
            None => (None, Vec::new()),
        };
        explained.push(Explained {
            kernel: label,
            form: "as it is kept".to_owned(),
            fingerprint: key.to_string(),
            kept: true,
            file: store.path_of(Table::Objects, &key),
            nearest,
            differences: shown(&found),
            refused: None,
        });
        Ok(explained)
    }
}

fn refusal(kernel: &str, refused: String) -> Explained {
    Explained {
        kernel: kernel.to_owned(),
        form: String::new(),
        fingerprint: String::new(),
        kept: false,
        file: None,
        nearest: None,
        differences: Vec::new(),
        refused: Some(refused),
    }
}

fn shown(differences: &[Difference]) -> Vec<String> {
    differences.iter().map(Difference::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::KernelsArgs;
    use parloop_cache::StoreConfig;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn text(function: usize, factor: usize) -> String {
        format!("void k{function}(const double *a, double *b) {{ b[0] = {factor}.5 * a[0]; }}\n")
    }

    #[test]
    fn entries_are_read_once_however_many_kernels_a_file_has() {
        const KERNELS: usize = 8;
        const FACTORS: usize = 16;
        let temp = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.cache_dir = Some(temp.path().join("cache"));
        let engine = Engine::new(config.clone()).unwrap();
        for kernel in 0..KERNELS {
            for factor in 0..FACTORS {
                let kernel = engine.kernel(&text(kernel, factor), None);
                engine.function(&kernel, &[]).unwrap();
            }
        }
        assert!(engine.flush(std::time::Duration::from_secs(30)));

        let opened = Arc::new(AtomicUsize::new(0));
        let counter = opened.clone();
        let mut settings = StoreConfig::at(temp.path().join("cache"));
        settings.faults = Some(Arc::new(move |call| {
            counter.fetch_add(usize::from(call == "open"), Ordering::Relaxed);
            None
        }));
        let store = Store::open(settings, Arc::new(()));
        opened.store(0, Ordering::Relaxed);
        let target = Target {
            level: engine.level(),
        };
        let here = Here::new(Some(store), &config, target);
        let path = temp.path().join("kernels.c");
        let texts: Vec<String> = (0..KERNELS).map(|kernel| text(kernel, 99)).collect();
        std::fs::write(&path, texts.concat()).unwrap();
        let args = KernelsArgs {
            function: None,
            constants: Vec::new(),
            extents: Vec::new(),
        };
        let explained = here.file(&KernelFile::read(&path, &args).unwrap()).unwrap();
        assert_eq!(explained.len(), KERNELS);
        let differences = explained.iter().map(|one| one.differences[0].as_str());
        for (kernel, difference) in differences.enumerate() {
            let line = kernel + 1;
            assert!(
                difference.ends_with(&format!("-> 99.5 (line {line})")),
                "{difference}"
            );
        }
        // For each kernel once more: to see whether it is kept, for a signature of its name, and the few that are compared in full;
        // and one for the hint of uses.
        let again = KERNELS * (1 + 1 + 16);
        let opened = opened.load(Ordering::Relaxed);
        assert!(opened <= KERNELS * FACTORS + again + 1, "{opened}");
    }
}
