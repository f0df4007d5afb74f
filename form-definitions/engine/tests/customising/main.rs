//! Customising, told on the three questionnaires of this repository: what a province may do to a base, what it may not, and what it reads like.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod deriving;
mod documented;
mod operations;
mod rebasing;
mod refusals;
mod translating;

use form_engine::Package;
use form_engine::overlay::{Operation, Refusal, apply};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

fn definitions() -> PathBuf {
    match std::env::var_os("NIGRAN_FORM_DEFINITIONS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join(".."),
    }
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(folder: PathBuf) -> Vec<(String, Value)> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let json = paths.iter().filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    json.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), read(path))).collect()
}

fn load(form: &str) -> Package {
    let contents =
        |name: &str| files(definitions().join(name)).into_iter().map(|(_, file)| file).collect::<Vec<_>>();
    let i18n: Map<String, Value> = files(definitions().join(form).join("i18n")).into_iter().collect();
    let packs = [contents("parameters"), contents("baselines")].concat();
    Package::assemble(
        read(&definitions().join(form).join("form.json")),
        i18n,
        &contents("choice-lists"),
        &packs,
    )
}

fn inspection() -> &'static Package {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    PACKAGE.get_or_init(|| load("child-labour-inspection"))
}

fn toolkit() -> &'static Package {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    PACKAGE.get_or_init(|| load("child-protection-toolkit"))
}

fn audit() -> &'static Package {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    PACKAGE.get_or_init(|| load("shelter-audit"))
}

/// Operations as a proposal writes them.
fn operations(written: Value) -> Vec<Operation> {
    serde_json::from_value(written).unwrap()
}

fn applied(base: &Package, written: Value) -> Package {
    apply(base, &operations(written)).unwrap_or_else(|refusals| panic!("{}", told(&refusals)))
}

fn refused(base: &Package, written: Value) -> Vec<Refusal> {
    apply(base, &operations(written)).expect_err("refused")
}

fn told(refusals: &[Refusal]) -> String {
    refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The codes of what is refused, with the operation.
fn codes(refusals: &[Refusal]) -> Vec<(usize, &str)> {
    refusals.iter().map(|refusal| (refusal.operation, refusal.code.as_str())).collect()
}

/// A worked example: a limit, two questions, one hidden, labels in Brahui.
fn worked_example() -> Value {
    json!([
        {"op": "set_parameter", "key": "age.adolescent_max", "value": 17, "valid_from": "2027-01-01", "source": "Notification SO(Lab) 1/2026", "certainty": "M"},
        {"op": "add_question", "into": "b2", "after": "seasonal", "name": "shift_night", "question": {"type": "boolean", "title": "Night shift is run", "x-required": true},
         "labels": {"ur": {"shift_night": "رات کی شفٹ چلتی ہے"}}},
        {"op": "add_question", "into": "b2", "after": "shift_night", "name": "shift_workers", "question": {"type": "integer", "minimum": 0, "title": "Workers on the night shift", "x-relevant": "shift_night"},
         "labels": {"ur": {"shift_workers": "رات کی شفٹ کے مزدور"}}},
        {"op": "hide", "question": "export_chain", "because": "Asked by the customs office instead."},
        {"op": "translate", "language": "brh", "key": "b1", "text": "معائنہ او معائنہ کار"},
        {"op": "translate", "language": "brh", "key": "shift_night", "text": "نن نا شفٹ"}
    ])
}
