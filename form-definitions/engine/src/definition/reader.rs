//! Carries what is found wrong while a package is read, and the labels of its languages.

use crate::codes::Code;
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
    /// How many texts were asked for.
    texts: usize,
}

/// A language besides English.
struct Language<'p> {
    code: String,
    labels: Option<&'p Map<String, Value>>,
    draft: bool,
    /// Whether a missing text stops the form; a slot for a language still to come does not.
    required: bool,
    /// How many texts it lacks, and which first.
    missing: usize,
    first: Vec<String>,
}

/// How many missing texts of a slot are named.
const NAMED_MISSING: usize = 5;

impl<'p> Reader<'p> {
    /// A reader of the languages the form declares and the package carries.
    pub(crate) fn new(definition: &Value, i18n: &'p Map<String, Value>) -> Self {
        let declared = definition.pointer("/x-form/languages").and_then(Value::as_array);
        let declared: BTreeMap<&str, bool> = declared
            .into_iter()
            .flatten()
            .filter_map(|language| {
                let required = language.get("required").and_then(Value::as_bool).unwrap_or(true);
                Some((language.get("code")?.as_str()?, required))
            })
            .collect();
        let carried = i18n.keys().map(|code| (code.as_str(), false));
        let mut languages: BTreeMap<&str, bool> = carried.collect();
        languages.extend(&declared);
        languages.remove("en");
        let languages = languages.into_iter().map(|(code, required)| Language {
            code: code.to_owned(),
            labels: i18n.get(code).and_then(|file| file.get("labels")?.as_object()),
            draft: i18n.get(code).and_then(|file| file.get("draft")?.as_bool()).unwrap_or(false),
            required,
            missing: 0,
            first: Vec::new(),
        });
        Reader { languages: languages.collect(), ..Reader::default() }
    }

    #[cfg(test)]
    pub(crate) fn for_test() -> Self {
        Reader::default()
    }

    pub(crate) fn problem(&mut self, path: &str, code: Code, message: String, remedy: &str) {
        self.problems.push(problem(path, code, message, remedy));
    }

    pub(crate) fn warn(&mut self, path: &str, code: Code, message: String, remedy: &str) {
        self.warnings.push(problem(path, code, message, remedy));
    }

    /// The English text with its translations. One that a required language lacks is refused.
    pub(crate) fn texts(&mut self, pointer: &str, key: &str, english: &str) -> Arc<Texts> {
        let mut texts: Texts = BTreeMap::new();
        self.english(pointer, key, english);
        texts.insert("en".to_owned(), english.to_owned());
        for place in 0..self.languages.len() {
            let language = &self.languages[place];
            let text = language.labels.and_then(|labels| labels.get(key)?.as_str());
            match text.filter(|text| !text.is_empty()) {
                Some(text) => drop(texts.insert(language.code.clone(), text.to_owned())),
                None => {
                    let remedy = format!("add {key:?} to the labels of i18n/{}.json", language.code);
                    self.lacks(place, pointer, key, &remedy);
                }
            }
        }
        Arc::new(texts)
    }

    /// The texts a list item carries itself: `{en, ur, …}`, or English alone.
    pub(crate) fn own_texts(&mut self, pointer: &str, key: &str, title: Option<&Value>) -> Arc<Texts> {
        let pointer = format!("{pointer}/title");
        let mut texts: Texts = BTreeMap::new();
        match title {
            Some(Value::String(english)) => drop(texts.insert("en".to_owned(), english.clone())),
            Some(Value::Object(title)) => {
                let written =
                    title.iter().filter_map(|(code, text)| Some((code.clone(), text.as_str()?.to_owned())));
                texts.extend(written.filter(|(_, text)| !text.is_empty()));
            }
            _ => {}
        }
        self.english(&pointer, key, texts.get("en").map_or("", String::as_str));
        for place in 0..self.languages.len() {
            let code = &self.languages[place].code;
            if !texts.contains_key(code) {
                let remedy = format!("add {code:?} to the title of the item");
                self.lacks(place, &pointer, key, &remedy);
            }
        }
        Arc::new(texts)
    }

    fn english(&mut self, pointer: &str, key: &str, english: &str) {
        self.texts += 1;
        if english.trim().is_empty() {
            self.problem(
                pointer,
                Code::NoText,
                format!("{key} has no English text"),
                "write one as its title, message or action",
            );
        }
    }

    fn lacks(&mut self, place: usize, pointer: &str, key: &str, remedy: &str) {
        let language = &mut self.languages[place];
        if !language.required {
            language.missing += 1;
            if language.first.len() < NAMED_MISSING {
                language.first.push(key.to_owned());
            }
            return;
        }
        let message = format!("{key} has no text in {}", language.code);
        self.problem(pointer, Code::NoTranslation, message, remedy);
    }

    /// Says once for each language that is not whole, or not approved, how it stands.
    pub(crate) fn sum_up_languages(&mut self) {
        let mut warnings = Vec::new();
        for language in &self.languages {
            let code = &language.code;
            if language.missing > 0 {
                let message = format!(
                    "{} of {} texts are missing in {code}: {}{}",
                    language.missing,
                    self.texts,
                    language.first.join(", "),
                    if language.missing > language.first.len() { ", …" } else { "" }
                );
                let remedy = format!("add them to i18n/{code}.json and to the titles of the lists");
                warnings.push(problem("/x-form/languages", Code::NoTranslation, message, &remedy));
            }
            if language.draft {
                let message = format!("the texts in {code} are a draft");
                let remedy = format!("have them approved, then remove \"draft\" from i18n/{code}.json");
                warnings.push(problem("/x-form/languages", Code::DraftTranslation, message, &remedy));
            }
        }
        self.warnings.extend(warnings);
    }

    /// Reports keywords nothing here understands: an error where they would silently not be checked.
    pub(crate) fn refuse_unknown(&mut self, pointer: &str, fields: &Map<String, Value>, known: &[&str]) {
        for keyword in fields.keys().filter(|keyword| !known.contains(&keyword.as_str())) {
            let path = format!("{pointer}/{keyword}");
            let message = format!("{keyword} has no meaning here");
            if keyword.starts_with("x-") {
                self.warn(&path, Code::UnknownKeyword, message, "check its spelling, or remove it");
            } else {
                let remedy =
                    "say it with x-relevant, x-required or x-constraints, which can be explained to people";
                self.problem(&path, Code::UnsupportedKeyword, message, remedy);
            }
        }
    }
}

fn problem(path: &str, code: Code, message: String, remedy: &str) -> Problem {
    Problem {
        path: path.to_owned(),
        rule: None,
        position: None,
        code: code.as_str().to_owned(),
        message,
        remedy: remedy.to_owned(),
    }
}
