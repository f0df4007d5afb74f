//! The questionnaires that come with the binary: the folders under `form-definitions`, embedded by the build script.

use form_engine::Package;
use serde_json::{Map, Value};

use crate::error::{Error, Result};

include!(concat!(env!("OUT_DIR"), "/definitions.rs"));

/// The packages of all embedded questionnaires, by form.
pub fn packages() -> Result<Vec<Package>> {
    let lists = under("choice-lists/")?;
    let packs = [under("parameters/")?, under("baselines/")?].concat();
    FILES
        .iter()
        .filter_map(|(name, text)| Some((name.strip_suffix("/form.json")?, text)))
        .map(|(folder, text)| {
            let definition = parse(folder, text)?;
            Ok(Package::assemble(definition, translations(folder)?, &lists, &packs))
        })
        .collect()
}

/// The cases that come with an embedded questionnaire: answers with the outcome they must have.
pub fn cases(form: &str) -> Result<Vec<Value>> {
    under(&format!("{form}/cases/"))
}

fn translations(folder: &str) -> Result<Map<String, Value>> {
    let prefix = format!("{folder}/i18n/");
    FILES
        .iter()
        .filter_map(|(name, text)| Some((name.strip_prefix(&prefix)?.strip_suffix(".json")?, text)))
        .map(|(language, text)| Ok((language.to_owned(), parse(language, text)?)))
        .collect()
}

fn under(prefix: &str) -> Result<Vec<Value>> {
    FILES.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(name, text)| parse(name, text)).collect()
}

fn parse(name: &str, text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|cause| Error::internal("reading a built-in questionnaire", format!("{name}: {cause}")))
}
