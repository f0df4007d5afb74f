//! Each operation as a sentence in English and Urdu. The words are data; labels are those of the language, codes stand between isolates so that
//! they stay whole in a right-to-left text.

mod rules;
mod vocabulary;
mod words;

use super::draft::Draft;
use super::operation::{Operation, ParameterValue, Within};
use crate::package::Package;
use crate::words::{Names, in_quotes, isolated};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A language the program speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// Urdu.
    Ur,
}

impl Language {
    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Ur => "ur",
        }
    }
}

/// Longest text shown in a sentence, in characters.
const LONGEST_SHOWN: usize = 160;
/// Most names shown of an order.
const MOST_SHOWN: usize = 40;

/// An operation read out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sentence {
    /// Which operation, from 0.
    pub operation: usize,
    /// The section it is about, if it is about one.
    pub section: Option<String>,
    /// The operation in words.
    pub text: String,
}

/// Reads out all operations of a provincial version, with the labels things have when their turn comes: also of what an earlier operation adds.
pub fn read_out(base: &Package, operations: &[Operation], language: Language) -> Vec<Sentence> {
    let (result, _) = super::draft(base, operations);
    let (before, after) = (Names::of(base), Names::of(&result));
    let base = &Draft::of(base.clone());
    let sections = super::labels::sections(&result);
    let said = operations.iter().enumerate().map(|(place, operation)| Sentence {
        operation: place,
        section: super::labels::item_of(operation).and_then(|item| sections.get(&item).cloned()),
        text: Teller { names: &before, added: Some(&after), base, language }.sentence(operation),
    });
    said.collect()
}

impl Operation {
    /// The operation as a sentence, with the labels of the package it is applied to.
    pub fn sentence(&self, language: Language, base: &Package) -> String {
        let draft = Draft::of(base.clone());
        Teller { names: &Names::of(base), added: None, base: &draft, language }.sentence(self)
    }
}

struct Teller<'n, 'p> {
    names: &'n Names<'p>,
    /// What things are called once everything is applied, for those the base has not.
    added: Option<&'n Names<'n>>,
    base: &'n Draft,
    language: Language,
}

impl Teller<'_, '_> {
    fn sentence(&self, operation: &Operation) -> String {
        match operation {
            Operation::AddQuestion { into, after, name, question, labels, .. } => {
                let own = match self.language {
                    Language::En => None,
                    Language::Ur => labels.get("ur").and_then(|texts| texts.get(name)).map(String::as_str),
                };
                let title = own.or_else(|| question.get("title")?.as_str()).unwrap_or_default();
                let called = format!("{} ({})", in_quotes(title, self.language), isolated(name));
                let called = self.marked(called, question.contains_key("x-asked-of"));
                let (kind, place) = (self.set(kind_of(question)), self.call(into));
                let parts = [("a", called.as_str()), ("t", &kind), ("p", &place)];
                match after {
                    Some(after) => {
                        self.say("add_after", &[parts[0], parts[1], parts[2], ("b", &self.call(after))])
                    }
                    None => self.say("add_last", &parts),
                }
            }
            Operation::AddSection { after, name, section, labels } => {
                let own = labels.get(self.language.code()).and_then(|texts| texts.get(name));
                let title = own.map(String::as_str).or_else(|| section.get("title")?.as_str());
                let title = in_quotes(title.unwrap_or_default(), self.language);
                let called = format!("{title} ({})", isolated(name));
                match after {
                    Some(after) => self.say("add_section_after", &[("a", &called), ("b", &self.call(after))]),
                    None => self.say("add_section_last", &[("a", &called)]),
                }
            }
            Operation::Hide { question, because, accepting } => {
                let rules = self.list(accepting.iter().map(|rule| isolated(rule)));
                let without = match accepting.is_empty() {
                    true => String::new(),
                    false => self.say("accepting", &[("a", &rules)]),
                };
                self.say(
                    "hide",
                    &[("a", &self.call(question)), ("b", &self.quoted(because)), ("c", &without)],
                )
            }
            Operation::Relabel { key, text } => {
                let old = super::labels::english_of(self.base, key);
                let (called, new) = (self.key(key), self.quoted(text));
                match old {
                    Some(old) => {
                        self.say("relabel", &[("a", &called), ("b", &new), ("c", &self.quoted(&old))])
                    }
                    None => self.say("relabel_new", &[("a", &called), ("b", &new)]),
                }
            }
            Operation::Translate { language, key, text, .. } => {
                let (called, tongue) = (self.key(key), self.language_called(language));
                self.say("translate", &[("a", &called), ("l", &tongue), ("b", &self.quoted(text))])
            }
            Operation::Tighten(limits) => {
                self.say("tighten", &[("a", &self.call(&limits.question)), ("b", &self.limits(limits))])
            }
            Operation::SetParameter(value) => self.parameter(value),
            Operation::AddChoice { choices, code, title, .. } => {
                let label =
                    title.get(self.language.code()).or_else(|| title.get("en")).map_or("", String::as_str);
                let label = in_quotes(label, self.language);
                self.say(
                    "add_choice",
                    &[("p", &self.choices(choices)), ("a", &label), ("b", &isolated(code))],
                )
            }
            Operation::RetireChoice { choices, code, from } => {
                let label = self
                    .choice(choices, code)
                    .map_or_else(|| isolated(code), |label| in_quotes(label, self.language));
                let (called, day, code) = (self.choices(choices), isolated(from), isolated(code));
                self.say("retire_choice", &[("p", &called), ("a", &label), ("b", &code), ("d", &day)])
            }
            Operation::Reorder { within, order } => self.order(within, order),
            Operation::AddRule { rule } => self.new_rule(rule),
            Operation::SetFinding(terms) => self.finding(terms),
            Operation::ReplaceRule { rule, text, level } => self.replaced(rule, text, level.as_deref()),
        }
    }

    fn parameter(&self, value: &ParameterValue) -> String {
        let known = self
            .base
            .package
            .parameters
            .iter()
            .find(|row| row.get("key").and_then(Value::as_str) == Some(&value.key));
        let unit = value.unit.as_deref().or_else(|| known?.get("unit")?.as_str());
        let shown = value.value.as_str().map_or_else(|| value.value.to_string(), str::to_owned);
        let shown = [Some(shown.as_str()), unit].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let until = value.valid_to.as_ref().map(|day| self.say("until", &[("a", &isolated(day))]));
        let area = value.area.as_ref().map(|area| self.say("in_area", &[("a", &isolated(area))]));
        let place = [until, area].into_iter().flatten().collect::<String>();
        self.say(
            "parameter",
            &[
                ("a", &isolated(&value.key)),
                ("b", &isolated(&shown)),
                ("d", &isolated(&value.valid_from)),
                ("p", &place),
                ("s", &self.quoted(&value.source)),
                ("c", &self.set(&value.certainty)),
            ],
        )
    }

    fn order(&self, within: &Within, order: &[String]) -> String {
        match within {
            Within::Sections => {
                self.say("order_sections", &[("b", &self.list(order.iter().map(|name| self.call(name))))])
            }
            Within::Questions(place) => {
                let names = self.list(order.iter().map(|name| self.call(name)));
                self.say("order_questions", &[("p", &self.call(place)), ("b", &names)])
            }
            Within::Choices(choices) => {
                let names = self.list(order.iter().map(|code| isolated(code)));
                self.say("order_choices", &[("p", &self.choices(choices)), ("b", &names)])
            }
        }
    }
}

fn kind_of(question: &serde_json::Map<String, Value>) -> &'static str {
    let text = |keyword: &str| question.get(keyword).and_then(Value::as_str);
    let chosen = question.contains_key("x-choices") || question.contains_key("oneOf");
    let rows = question.get("items").and_then(|items| items.get("type")?.as_str()) == Some("object");
    match (text("type"), text("format")) {
        (Some("array"), _) if rows => "rows",
        (Some("array"), _) if chosen => "choices",
        (Some("string"), _) if chosen => "choice",
        (Some("string"), Some("date")) => "date",
        (Some("string"), _) => "string",
        (Some("integer"), _) => "integer",
        (Some("number"), _) => "number",
        (Some("boolean"), _) => "boolean",
        _ => "other",
    }
}
