//! Carries what is found wrong while a package is read, and the labels of its languages.

use crate::outcome::Texts;
use crate::problem::Problem;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Collects problems; nothing stops at the first.
#[derive(Default)]
pub(crate) struct Reader<'p> {
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
    languages: Vec<Language<'p>>,
}

struct Language<'p> {
    code: String,
    labels: Option<&'p Map<String, Value>>,
    draft: bool,
}

impl<'p> Reader<'p> {
    /// A reader of the languages the form declares and the package carries.
    pub(crate) fn new(definition: &Value, i18n: &'p Map<String, Value>) -> Self {
        let declared = definition.pointer("/x-form/languages").and_then(Value::as_array);
        let declared = declared.into_iter().flatten().filter_map(|language| language.get("code")?.as_str());
        let mut codes: Vec<&str> =
            declared.chain(i18n.keys().map(String::as_str)).filter(|code| *code != "en").collect();
        codes.sort_unstable();
        codes.dedup();
        let languages = codes.into_iter().map(|code| Language {
            code: code.to_owned(),
            labels: i18n.get(code).and_then(|file| file.get("labels")?.as_object()),
            draft: i18n.get(code).and_then(|file| file.get("draft")?.as_bool()).unwrap_or(false),
        });
        Reader { languages: languages.collect(), ..Reader::default() }
    }

    #[cfg(test)]
    pub(crate) fn for_test() -> Self {
        Reader::default()
    }

    pub(crate) fn problem(&mut self, path: &str, code: &str, message: String, remedy: &str) {
        self.problems.push(problem(path, code, message, remedy));
    }

    pub(crate) fn warn(&mut self, path: &str, code: &str, message: String, remedy: &str) {
        self.warnings.push(problem(path, code, message, remedy));
    }

    /// The English text with its translations; a declared language that lacks one is warned of.
    pub(crate) fn texts(&mut self, pointer: &str, key: &str, english: &str) -> Arc<Texts> {
        let mut texts: Texts = BTreeMap::new();
        if english.is_empty() {
            self.warn(
                pointer,
                "no_text",
                format!("{key} has no English text"),
                "write one as its title, message or action",
            );
        }
        texts.insert("en".to_owned(), english.to_owned());
        let mut missing = Vec::new();
        for language in &self.languages {
            match language.labels.and_then(|labels| labels.get(key)?.as_str()) {
                Some(text) => drop(texts.insert(language.code.clone(), text.to_owned())),
                None if !language.draft => missing.push(language.code.clone()),
                None => {}
            }
        }
        for language in missing {
            let remedy = format!("add {key:?} to the labels of i18n/{language}.json");
            self.warn(pointer, "no_translation", format!("{key} has no text in {language}"), &remedy);
        }
        Arc::new(texts)
    }

    /// Reports keywords nothing here understands: an error where they would silently not be checked.
    pub(crate) fn refuse_unknown(&mut self, pointer: &str, fields: &Map<String, Value>, known: &[&str]) {
        for keyword in fields.keys().filter(|keyword| !known.contains(&keyword.as_str())) {
            let path = format!("{pointer}/{keyword}");
            let message = format!("{keyword} has no meaning here");
            if keyword.starts_with("x-") {
                self.warn(&path, "unknown_keyword", message, "check its spelling, or remove it");
            } else {
                let remedy =
                    "say it with x-relevant, x-required or x-constraints, which can be explained to people";
                self.problem(&path, "unsupported_keyword", message, remedy);
            }
        }
    }
}

fn problem(path: &str, code: &str, message: String, remedy: &str) -> Problem {
    Problem {
        path: path.to_owned(),
        rule: None,
        position: None,
        code: code.to_owned(),
        message,
        remedy: remedy.to_owned(),
    }
}
