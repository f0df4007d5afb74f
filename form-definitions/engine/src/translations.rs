//! Translations: which languages a form has, and from which English each text was made.

use crate::overlay::labels;
use crate::package::Package;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The member of `i18n/<lang>.json` that keeps, by key, the English a translation was made from where that is no longer the present one.
pub(crate) const MADE_FROM: &str = "made_from";

/// Languages written from right to left.
const RIGHT_TO_LEFT: &[&str] = &[
    "ar", "bal", "bgn", "bgp", "bcc", "brh", "fa", "haz", "he", "pbt", "pnb", "prs", "ps", "pst", "sd",
    "skr", "ug", "ur", "yi",
];

/// Which way a language is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From left to right.
    Ltr,
    /// From right to left.
    Rtl,
}

impl Direction {
    /// `ltr` or `rtl`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Direction::Ltr => "ltr",
            Direction::Rtl => "rtl",
        }
    }
}

/// Which way a language is written, by its code.
pub fn direction(code: &str) -> Direction {
    if RIGHT_TO_LEFT.contains(&code) { Direction::Rtl } else { Direction::Ltr }
}

/// The languages a package declares or carries, besides English, in the order of their codes.
pub fn languages(package: &Package) -> Vec<String> {
    let declared = package.definition.pointer("/x-form/languages").and_then(Value::as_array);
    let declared = declared.into_iter().flatten().filter_map(|language| language.get("code")?.as_str());
    let codes: BTreeSet<&str> = declared.chain(package.i18n.keys().map(String::as_str)).collect();
    codes.into_iter().filter(|code| *code != "en").map(str::to_owned).collect()
}

/// A translation made from English that has changed since.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Outdated {
    /// Which text.
    pub key: String,
    /// The English now.
    pub english: String,
    /// The English it was made from.
    pub made_from: String,
    /// The translation.
    pub text: String,
}

/// How far a language is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Status {
    /// The language's code.
    pub language: String,
    /// Which way it is written: as the form says, or as the language is known to be.
    pub direction: Direction,
    /// Whether the form may not be published without it.
    pub required: bool,
    /// Whether its texts are a draft nobody approved.
    pub draft: bool,
    /// How many texts there are to translate.
    pub texts: usize,
    /// How many are translated, outdated ones among them.
    pub translated: usize,
    /// The keys without a text, in the order of the form.
    pub missing: Vec<String>,
    /// What was made from other English.
    pub outdated: Vec<Outdated>,
}

impl Status {
    /// Whether every text is there and made from the present English.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.outdated.is_empty()
    }

    /// How much is there and up to date, in hundredths, rounded down: 100 only when whole.
    pub fn percent(&self) -> usize {
        let good = self.translated.saturating_sub(self.outdated.len());
        (good * 100).checked_div(self.texts).unwrap_or(100)
    }
}

/// How far each language of a package is, in the order of their codes.
pub fn status(package: &Package) -> Vec<Status> {
    let texts = labels::all(package);
    let titles = Titles::of(package);
    languages(package).into_iter().map(|language| of_language(package, &texts, &titles, language)).collect()
}

/// The titles of lists and their items by key: looked up once, not once a text.
struct Titles<'p>(HashMap<String, &'p Value>);

impl<'p> Titles<'p> {
    fn of(package: &'p Package) -> Titles<'p> {
        let mut titles = HashMap::new();
        for (name, list) in &package.lists {
            titles.extend(list.get("title").map(|title| (format!("~{name}"), title)));
            for (key, item) in labels::keyed_items(list) {
                titles.extend(item.get("title").map(|title| (format!("~{name}={key}"), title)));
            }
        }
        Titles(titles)
    }
}

fn of_language(package: &Package, texts: &[labels::Text], titles: &Titles<'_>, code: String) -> Status {
    let declared = package.definition.pointer("/x-form/languages").and_then(Value::as_array);
    let declared =
        declared.into_iter().flatten().find(|it| it.get("code").and_then(Value::as_str) == Some(&code));
    let file = package.i18n.get(&code);
    let labels = file.and_then(|file| file.get("labels"));
    let made_from = file.and_then(|file| file.get(MADE_FROM));
    let written = |key: &str| match titles.0.get(key) {
        Some(title) => title.get(&code)?.as_str(),
        None => labels?.get(key)?.as_str(),
    };
    let mut status = Status {
        direction: match declared.and_then(|it| it.get("dir")?.as_str()) {
            Some("rtl") => Direction::Rtl,
            Some("ltr") => Direction::Ltr,
            _ => direction(&code),
        },
        required: declared.is_some_and(|it| it.get("required").and_then(Value::as_bool).unwrap_or(true)),
        draft: file.and_then(|file| file.get("draft")?.as_bool()).unwrap_or(false),
        texts: texts.len(),
        translated: 0,
        missing: Vec::new(),
        outdated: Vec::new(),
        language: String::new(),
    };
    for text in texts {
        match written(&text.key).filter(|written| !written.trim().is_empty()) {
            None => status.missing.push(text.key.clone()),
            Some(translation) => {
                status.translated += 1;
                let from = made_from.and_then(|made_from| made_from.get(&text.key)?.as_str());
                if let Some(from) = from.filter(|from| *from != text.english) {
                    status.outdated.push(Outdated {
                        key: text.key.clone(),
                        english: text.english.clone(),
                        made_from: from.to_owned(),
                        text: translation.to_owned(),
                    });
                }
            }
        }
    }
    status.language = code;
    status
}

/// What stops a release that wants these languages whole: each with what it lacks. Empty when it may go.
pub fn lacking(package: &Package, required: &[String]) -> Vec<Status> {
    let known = status(package);
    let mut lacking = Vec::new();
    for language in required.iter().filter(|language| *language != "en") {
        match known.iter().find(|status| status.language == *language) {
            Some(status) if status.is_whole() => {}
            Some(status) => lacking.push(status.clone()),
            None => {
                let texts = labels::all(package);
                lacking.push(of_language(package, &texts, &Titles::of(package), language.clone()));
            }
        }
    }
    lacking
}

/// A text people read, with what it is in each language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key: as in `i18n/<lang>.json`, `~list` and `~list=code` for named lists.
    pub key: String,
    /// The section it belongs to, if it belongs to one.
    pub section: Option<String>,
    /// The English.
    pub english: String,
    /// The other languages it is in.
    pub texts: BTreeMap<String, Translated>,
}

/// A text in another language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translated {
    /// The text.
    pub text: String,
    /// The English it was made from, where that is no longer the present one.
    pub made_from: Option<String>,
}

/// Every text of a package in every language it has, in the order of the form.
pub fn entries(package: &Package) -> Vec<Entry> {
    let titles = Titles::of(package);
    let files: Vec<(String, Option<&Value>)> =
        languages(package).into_iter().map(|code| (code.clone(), package.i18n.get(&code))).collect();
    let entries = labels::all(package).into_iter().map(|text| {
        let mut texts = BTreeMap::new();
        for (code, file) in &files {
            let written = match titles.0.get(&text.key) {
                Some(title) => title.get(code).and_then(Value::as_str),
                None => file.and_then(|file| file.get("labels")?.get(&text.key)?.as_str()),
            };
            if let Some(written) = written.filter(|written| !written.is_empty()) {
                let made_from = file.and_then(|file| file.get(MADE_FROM)?.get(&text.key)?.as_str());
                let made_from = made_from.filter(|made_from| *made_from != text.english).map(str::to_owned);
                texts.insert(code.clone(), Translated { text: written.to_owned(), made_from });
            }
        }
        Entry { key: text.key, section: text.section, english: text.english, texts }
    });
    entries.collect()
}
