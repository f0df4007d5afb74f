//! Reads a questionnaire from its folder: `form.json`, its languages, and the lists, parameters and baselines beside it.
//!
//! Whatever lies there is read in bounded time and memory: files have a greatest size, nesting a greatest depth, and no
//! key may stand twice in an object, which would make the first of two questions vanish without a word.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use form_engine::{Package, Problem};
use serde_json::{Map, Value};

use super::{Beside, Questionnaire};
use crate::error::{Error, Result};
use crate::json;

/// Largest file that is read: the engine takes definitions of 4 MiB, a release carries its lists too.
const LARGEST: u64 = 8 << 20;
/// Most files of one folder.
const MOST_FILES: usize = 1_000;

/// What could be read, and what could not.
pub(super) struct Gathered {
    /// None when there is nothing to look at further.
    pub(super) package: Option<Package>,
    pub(super) problems: Vec<Problem>,
}

/// Gathers a questionnaire.
///
/// # Errors
/// When the file itself cannot be opened. What is wrong inside files is told as problems.
pub(super) fn gather(questionnaire: &Questionnaire) -> Result<Gathered> {
    let file = match questionnaire.file.is_dir() {
        true => questionnaire.file.join("form.json"),
        false => questionnaire.file.clone(),
    };
    let mut problems = Vec::new();
    let Some(definition) = read(&file, &mut problems)? else {
        return Ok(Gathered { package: None, problems });
    };
    if definition.get("definition").is_some_and(Value::is_object) {
        return Ok(saved_release(&file, definition, problems));
    }
    if !definition.is_object() {
        problems.push(problem(
            &file,
            "not_a_form",
            "a questionnaire is a JSON object".to_owned(),
            "see form-definitions/README.md",
        ));
        return Ok(Gathered { package: None, problems });
    }
    let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
    let i18n = json_files(&folder.join("i18n"), &mut problems)?;
    let i18n: Map<String, Value> = i18n.into_iter().map(|(path, text)| (stem(&path), text)).collect();
    let beside =
        |told: &Option<PathBuf>, name: &str| told.clone().unwrap_or_else(|| folder.join("..").join(name));
    let Beside { lists, parameters, baselines } = &questionnaire.beside;
    let lists = json_files(&beside(lists, "choice-lists"), &mut problems)?;
    same_name("list", &lists, &mut problems);
    let mut packs = json_files(&beside(parameters, "parameters"), &mut problems)?;
    packs.extend(json_files(&beside(baselines, "baselines"), &mut problems)?);
    same_name("pack", &packs, &mut problems);
    let contents =
        |files: Vec<(PathBuf, Value)>| files.into_iter().map(|(_, content)| content).collect::<Vec<_>>();
    let package = Package::assemble(definition, i18n, &contents(lists), &contents(packs));
    Ok(Gathered { package: Some(package), problems })
}

/// Reads one JSON file; what is wrong with its content becomes a problem.
///
/// # Errors
/// When it cannot be opened or read.
pub(super) fn read(path: &Path, problems: &mut Vec<Problem>) -> Result<Option<Value>> {
    let unreadable =
        |cause: std::io::Error| Error::invalid("unreadable", format!("{}: {cause}", path.display()));
    let mut bytes = Vec::new();
    File::open(path).map_err(unreadable)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        let message = format!("the file is larger than {} MiB", LARGEST >> 20);
        problems.push(problem(
            path,
            "too_large",
            message,
            "move long lists to choice-lists, or split the questionnaire",
        ));
        return Ok(None);
    }
    match json::parse(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            let message = error.detail.replace("the body", "the file");
            problems.push(problem(path, error.code, message, remedy(error.code)));
            Ok(None)
        }
    }
}

fn remedy(code: &str) -> &'static str {
    match code {
        "json_too_deep" => {
            "a questionnaire is sections, repeats and questions: flatten what is nested deeper"
        }
        "json_duplicate_key" => {
            "a name stands twice in one object and the first would be lost: rename one of them"
        }
        "not_utf8" => "save the file as UTF-8",
        _ => "look at the line and column named: a comma, a quote or a bracket is missing or too many",
    }
}

fn saved_release(file: &Path, release: Value, mut problems: Vec<Problem>) -> Gathered {
    let package = serde_json::from_value::<Package>(release).map_err(|cause| {
        let message = format!("this is no release: {cause}");
        problems.push(problem(
            file,
            "not_a_release",
            message,
            "save it whole from GET /v1/forms/FORM/releases/VERSION",
        ));
    });
    Gathered { package: package.ok(), problems }
}

/// The JSON files of a folder, by name; none when there is no such folder.
fn json_files(folder: &Path, problems: &mut Vec<Problem>) -> Result<Vec<(PathBuf, Value)>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|kind| kind == "json")).take(MOST_FILES).collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        if let Some(content) = read(&path, problems)? {
            files.push((path, content));
        }
    }
    Ok(files)
}

/// Two files that give themselves the same name: only one could be meant.
fn same_name(what: &str, files: &[(PathBuf, Value)], problems: &mut Vec<Problem>) {
    let named = |content: &Value| content.get(what).and_then(Value::as_str).map(str::to_owned);
    for (place, (path, content)) in files.iter().enumerate() {
        let Some(name) = named(content) else { continue };
        if let Some((earlier, _)) =
            files[..place].iter().find(|(_, earlier)| named(earlier).as_ref() == Some(&name))
        {
            let message = format!("the {what} {name} is also in {}", earlier.display());
            problems.push(problem(
                path,
                "duplicate_list",
                message,
                "keep one of the two files, or rename one",
            ));
        }
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

fn problem(path: &Path, code: &str, message: String, remedy: &str) -> Problem {
    Problem {
        path: path.display().to_string(),
        rule: None,
        position: None,
        code: code.to_owned(),
        message,
        remedy: remedy.to_owned(),
    }
}
