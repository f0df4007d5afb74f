//! The questionnaires of this repository with their cases, and cases grown to any number of rows.

use form_engine::cases::{self, Case};
use form_engine::{Form, Package, compile};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// One questionnaire.
pub(crate) struct Questionnaire {
    pub(crate) name: String,
    pub(crate) package: Package,
    folder: PathBuf,
}

/// Every questionnaire, by name.
pub(crate) fn all() -> Vec<Questionnaire> {
    let definitions = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let lists = contents(&definitions.join("choice-lists"));
    let packs =
        [contents(&definitions.join("parameters")), contents(&definitions.join("baselines"))].concat();
    ["child-labour-inspection", "child-protection-toolkit", "shelter-audit"]
        .map(|name| {
            let folder = definitions.join(name);
            let i18n: Map<String, Value> =
                files(&folder.join("i18n")).map(|path| (stem(&path), read(&path))).collect();
            let package = Package::assemble(read(&folder.join("form.json")), i18n, &lists, &packs);
            Questionnaire { name: name.to_owned(), package, folder }
        })
        .into()
}

impl Questionnaire {
    pub(crate) fn compiled(&self) -> Form {
        compile(&self.package).unwrap_or_else(|problems| panic!("{}: {problems:?}", self.name))
    }

    pub(crate) fn case(&self, name: &str) -> Case {
        cases::read(&read(&self.folder.join("cases").join(format!("{name}.json")))).unwrap()
    }

    /// The case with the most answers.
    pub(crate) fn largest_case(&self) -> Case {
        let cases = files(&self.folder.join("cases")).map(|path| self.case(&stem(&path)));
        cases.max_by_key(|case| crate::parts(&case.answers)).unwrap()
    }
}

/// The same answers with so many rows in a list: those there are, over and over, each under a key of its own.
pub(crate) fn grown(answers: &Value, list: &str, key: &str, rows: usize) -> Value {
    let mut answers = answers.clone();
    for section in answers.as_object_mut().unwrap().values_mut() {
        let Some(known) = section.get_mut(list).and_then(Value::as_array_mut) else { continue };
        let first = known[0][key].as_str().unwrap().to_owned();
        let stem = first.trim_end_matches(|c: char| c.is_ascii_digit());
        *known = (0..rows)
            .map(|place| {
                let mut row = known[place % known.len()].clone();
                row[key] = json!(format!("{stem}{:0width$}", place + 1, width = first.len() - stem.len()));
                row
            })
            .collect();
    }
    answers
}

fn contents(folder: &Path) -> Vec<Value> {
    files(folder).map(|path| read(&path)).collect()
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
