//! Each operation as a sentence in English and Urdu. The words are data; labels are those of the language, codes stand between isolates so that
//! they stay whole in a right-to-left text.

use super::draft::Draft;
use super::operation::{Choices, Needed, NewRule, Operation, ParameterValue, RuleName, Tightening, Within};
use crate::package::Package;
use crate::words::{Names, in_quotes, in_words, isolated};
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

/// Names of languages: code, English, Urdu.
const LANGUAGES: &[(&str, &str, &str)] = &[
    ("ur", "Urdu", "اردو"),
    ("bal", "Balochi", "بلوچی"),
    ("ps", "Pashto", "پشتو"),
    ("brh", "Brahui", "براہوی"),
    ("sd", "Sindhi", "سندھی"),
    ("skr", "Saraiki", "سرائیکی"),
    ("fa", "Persian", "فارسی"),
    ("haz", "Hazaragi", "ہزارگی"),
];

/// What is said: a name, English, Urdu.
const WORDS: &[(&str, &str, &str)] = &[
    ("add_after", "Ask {a} ({t}) in {p}, after {b}.", "{p} میں {b} کے بعد {a} ({t}) پوچھا جائے۔"),
    ("add_last", "Ask {a} ({t}) at the end of {p}.", "{p} کے آخر میں {a} ({t}) پوچھا جائے۔"),
    ("add_filter", "Offer in {a} only the choices where {b}.", "{a} میں صرف وہ انتخاب دیے جائیں جن میں {b}۔"),
    ("hide", "No longer ask {a}: {b}.{c}", "{a} اب نہ پوچھا جائے: {b}۔{c}"),
    ("accepting", " What goes without it: {a}.", " اس کے بغیر رہ جائے گا: {a}۔"),
    ("relabel", "Say {b} instead of {c} for {a}.", "{a} کے لیے {c} کی جگہ {b} لکھا جائے۔"),
    ("relabel_new", "Say {b} for {a}.", "{a} کے لیے {b} لکھا جائے۔"),
    ("translate", "Say {a} in {l}: {b}.", "{a} کا {l} متن: {b}۔"),
    ("tighten", "Take {a} more strictly: {b}.", "{a} کی حد سخت کی جائے: {b}۔"),
    (
        "parameter",
        "Let the legal limit {a} be {b} from {d}{p}: {s} (certainty {c}).",
        "قانونی حد {a} {d} سے{p} {b} ہو: {s} (یقین {c})۔",
    ),
    ("add_choice", "Offer one choice more in {p}: {a} ({b}).", "{p} میں ایک اور انتخاب دیا جائے: {a} ({b})۔"),
    (
        "retire_choice",
        "No longer offer {a} ({b}) in {p} from {d} on; answers that have it keep it.",
        "{p} میں {a} ({b}) {d} سے نہ دیا جائے؛ پرانے جواب قائم رہیں۔",
    ),
    ("order_sections", "Put the sections in another order: {b}.", "حصوں کی ترتیب بدلی جائے: {b}۔"),
    (
        "order_questions",
        "Put the questions of {p} in another order: {b}.",
        "{p} کے سوالوں کی ترتیب بدلی جائے: {b}۔",
    ),
    (
        "order_choices",
        "Put the choices of {p} in another order: {b}.",
        "{p} کے انتخابوں کی ترتیب بدلی جائے: {b}۔",
    ),
    (
        "add_constraint",
        "Check on {p} ({c}, {l}) that {b}; otherwise say {m}.",
        "{p} پر جانچ ہو ({c}، {l}) کہ {b}؛ ورنہ کہا جائے {m}۔",
    ),
    ("add_relevance", "Show {a} only when {b}.", "{a} صرف اس وقت دکھایا جائے جب {b}۔"),
    ("add_finding", "Raise the finding {a} ({c}, {l}) when {b}.", "نتیجہ {a} ({c}، {l}) نکالا جائے جب {b}۔"),
    (
        "new_constraint",
        "Check {a} differently: {b} — instead of: {c}",
        "جانچ {a} یوں ہو: {b} — اس کی جگہ: {c}",
    ),
    (
        "new_relevance",
        "Show {a} when {b} — instead of when {c}",
        "{a} تب دکھایا جائے جب {b} — اس کی جگہ: جب {c}",
    ),
    (
        "new_required",
        "Need an answer to {a} when {b} — instead of when {c}",
        "{a} کا جواب تب ضروری ہو جب {b} — اس کی جگہ: جب {c}",
    ),
    ("new_calculation", "Work out {a} as {b} — instead of {c}", "{a} یوں نکالا جائے: {b} — اس کی جگہ: {c}"),
    (
        "new_filter",
        "Offer in {a} the choices where {b} — instead of where {c}",
        "{a} میں وہ انتخاب ہوں جن میں {b} — اس کی جگہ: جن میں {c}",
    ),
    (
        "new_default",
        "Fill in {a} beforehand as {b} — instead of {c}",
        "{a} پہلے سے یوں بھرا ہو: {b} — اس کی جگہ: {c}",
    ),
    (
        "new_finding",
        "Raise the finding {a} when {b} — instead of when {c}",
        "نتیجہ {a} تب نکالا جائے جب {b} — اس کی جگہ: جب {c}",
    ),
    ("level", " (level {l})", " (درجہ {l})"),
    ("minimum", "at least {a}", "کم از کم {a}"),
    ("maximum", "at most {a}", "زیادہ سے زیادہ {a}"),
    ("min_length", "at least {a} characters", "کم از کم {a} حروف"),
    ("max_length", "at most {a} characters", "زیادہ سے زیادہ {a} حروف"),
    ("min_items", "at least {a} entries", "کم از کم {a} اندراج"),
    ("max_items", "at most {a} entries", "زیادہ سے زیادہ {a} اندراج"),
    ("required", "an answer is always needed", "جواب ہمیشہ ضروری ہے"),
    ("required_when", "an answer is also needed when {a}", "جواب تب بھی ضروری ہے جب {a}"),
    ("without", "without the choices {a}", "ان انتخابوں کے بغیر: {a}"),
    ("check", "checking ({c}) that {b}", "جانچ ({c}) کہ {b}"),
    ("until", " until before {a}", " {a} سے پہلے تک"),
    ("in_area", " in {a}", " {a} میں"),
    ("hint", "the hint of {a}", "{a} کا اشارہ"),
    ("message", "the message of the check {a}", "جانچ {a} کا پیغام"),
    ("action", "what to do about the finding {a}", "نتیجہ {a} پر کارروائی"),
    ("finding", "the finding {a}", "نتیجہ {a}"),
    ("form", "the form", "فارم"),
    ("choice_of", "the choice {a} of {p}", "{p} کا انتخاب {a}"),
    ("list", "the list {a}", "فہرست {a}"),
    ("nothing", "nothing", "کچھ نہیں"),
];

/// Words of closed sets: code, English, Urdu.
const SETS: &[(&str, &str, &str)] = &[
    ("error", "stops filing", "اندراج روکتی ہے"),
    ("warning", "warns", "خبردار کرتی ہے"),
    ("info", "informs", "بتاتی ہے"),
    ("action", "asks for action", "کارروائی مانگتی ہے"),
    ("minor", "minor", "معمولی"),
    ("major", "major", "بڑا"),
    ("critical", "critical", "نازک"),
    ("emergency", "emergency", "ہنگامی"),
    ("stop", "stops the home", "ادارہ بند"),
    ("H", "high", "اعلیٰ"),
    ("M", "middling", "درمیانہ"),
    ("L", "low", "کم"),
    ("string", "text", "متن"),
    ("integer", "whole number", "پورا عدد"),
    ("number", "number", "عدد"),
    ("boolean", "yes or no", "ہاں یا نہیں"),
    ("date", "date", "تاریخ"),
    ("choice", "one of several", "کئی میں سے ایک"),
    ("choices", "several of several", "کئی میں سے کئی"),
    ("rows", "rows", "سطریں"),
    ("other", "answer", "جواب"),
];

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
    fn pick<'t>(&self, en: &'t str, ur: &'t str) -> &'t str {
        match self.language {
            Language::En => en,
            Language::Ur => ur,
        }
    }

    /// Fills the words of a name.
    fn say(&self, word: &str, parts: &[(&str, &str)]) -> String {
        let template =
            WORDS.iter().find(|(known, ..)| *known == word).map_or("", |(_, en, ur)| self.pick(en, ur));
        let mut text = String::new();
        let mut rest = template;
        while let Some(at) = rest.find('{') {
            text.push_str(&rest[..at]);
            let end = rest[at..].find('}').map_or(rest.len(), |end| at + end + 1);
            let gap = &rest[at + 1..end.saturating_sub(1).max(at + 1)];
            text.push_str(parts.iter().find(|(name, _)| *name == gap).map_or("", |(_, said)| said));
            rest = &rest[end..];
        }
        text.push_str(rest);
        text
    }

    fn set(&self, word: &str) -> String {
        match SETS.iter().find(|(known, ..)| *known == word) {
            Some((_, en, ur)) => self.pick(en, ur).to_owned(),
            None => isolated(word),
        }
    }

    /// “Label” (code).
    fn call(&self, name: &str) -> String {
        let label = self.names.label(name, self.language).or_else(|| self.added?.label(name, self.language));
        match label {
            Some(label) => format!("{} ({})", in_quotes(label, self.language), isolated(name)),
            None => isolated(name),
        }
    }

    fn rule(&self, text: &str) -> String {
        let names = self.added.unwrap_or(self.names);
        in_words(text, names, self.language).unwrap_or_else(|| isolated(text))
    }

    fn old_rule(&self, text: &str) -> String {
        in_words(text, self.names, self.language).unwrap_or_else(|| isolated(text))
    }

    fn quoted(&self, text: &str) -> String {
        let text = text.trim();
        let cut: String = match text.chars().count() > LONGEST_SHOWN {
            true => text.chars().take(LONGEST_SHOWN).chain(['…']).collect(),
            false => text.to_owned(),
        };
        // A text may be in either script, whatever the sentence is in.
        match self.language {
            Language::En => format!("“\u{2068}{cut}\u{2069}”"),
            Language::Ur => format!("”\u{2068}{cut}\u{2069}“"),
        }
    }

    fn list(&self, items: impl Iterator<Item = String>) -> String {
        let mut said: Vec<String> = items.take(MOST_SHOWN + 1).collect();
        if said.len() > MOST_SHOWN {
            said.truncate(MOST_SHOWN);
            said.push("…".to_owned());
        }
        said.join(self.pick(", ", "، "))
    }

    fn choices(&self, choices: &Choices) -> String {
        match choices {
            Choices::Question(name) => self.call(name),
            Choices::List(name) => {
                let title = self.base.package.lists.get(name).and_then(|list| list.get("title"));
                let title = title.and_then(|title| {
                    title.get(self.language.code()).or_else(|| title.get("en")).unwrap_or(title).as_str()
                });
                match title {
                    Some(title) => self.say(
                        "list",
                        &[("a", &format!("{} ({})", in_quotes(title, self.language), isolated(name)))],
                    ),
                    None => self.say("list", &[("a", &isolated(name))]),
                }
            }
        }
    }

    fn choice(&self, choices: &Choices, code: &str) -> Option<&str> {
        match choices {
            Choices::List(list) => self.names.list_choice(list, code, self.language),
            Choices::Question(name) => self.names.choice(name, code, self.language),
        }
    }

    fn language_called(&self, code: &str) -> String {
        match LANGUAGES.iter().find(|(known, ..)| *known == code) {
            Some((_, en, ur)) => self.pick(en, ur).to_owned(),
            None => isolated(code),
        }
    }

    /// What a key names.
    fn key(&self, key: &str) -> String {
        if let Some(rest) = key.strip_prefix('~') {
            let (list, code) = rest.split_once('=').map_or((rest, None), |(list, code)| (list, Some(code)));
            let choices = Choices::List(list.to_owned());
            let called = self.choices(&choices);
            return match code {
                None => called,
                Some(code) => {
                    let label = self.choice(&choices, code).map(|label| in_quotes(label, self.language));
                    let label = format!("{} ({})", label.unwrap_or_default(), isolated(code));
                    self.say("choice_of", &[("a", label.trim()), ("p", &called)])
                }
            };
        }
        if let Some(code) = key.strip_prefix('!') {
            return self.say("message", &[("a", &isolated(code))]);
        }
        if let Some(code) = key.strip_prefix('@') {
            return match code.strip_suffix(".action") {
                Some(code) => self.say("action", &[("a", &isolated(code))]),
                None => self.say("finding", &[("a", &isolated(code))]),
            };
        }
        if let Some((name, code)) = key.split_once('=') {
            return self.say("choice_of", &[("a", &isolated(code)), ("p", &self.call(name))]);
        }
        match key {
            "form" => self.say("form", &[]),
            "form#description" => self.say("hint", &[("a", &self.say("form", &[]))]),
            _ => match key.strip_suffix("#hint") {
                Some(name) => self.say("hint", &[("a", &self.call(name))]),
                None => self.call(key),
            },
        }
    }

    fn sentence(&self, operation: &Operation) -> String {
        match operation {
            Operation::AddQuestion { into, after, name, question, labels, .. } => {
                let own = match self.language {
                    Language::En => None,
                    Language::Ur => labels.get("ur").and_then(|texts| texts.get(name)).map(String::as_str),
                };
                let title = own.or_else(|| question.get("title")?.as_str()).unwrap_or_default();
                let called = format!("{} ({})", in_quotes(title, self.language), isolated(name));
                let (kind, place) = (self.set(kind_of(question)), self.call(into));
                let parts = [("a", called.as_str()), ("t", &kind), ("p", &place)];
                match after {
                    Some(after) => {
                        self.say("add_after", &[parts[0], parts[1], parts[2], ("b", &self.call(after))])
                    }
                    None => self.say("add_last", &parts),
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
            Operation::ReplaceRule { rule, text, level } => self.replaced(rule, text, level.as_deref()),
        }
    }

    fn limits(&self, limits: &Tightening) -> String {
        let mut said = Vec::new();
        let numbers = [
            ("minimum", limits.minimum.as_ref().map(ToString::to_string)),
            ("maximum", limits.maximum.as_ref().map(ToString::to_string)),
            ("min_length", limits.min_length.map(|limit| limit.to_string())),
            ("max_length", limits.max_length.map(|limit| limit.to_string())),
            ("min_items", limits.min_items.map(|limit| limit.to_string())),
            ("max_items", limits.max_items.map(|limit| limit.to_string())),
        ];
        for (word, limit) in numbers {
            said.extend(limit.map(|limit| self.say(word, &[("a", &isolated(&limit))])));
        }
        match &limits.required {
            Some(Needed::Always) => said.push(self.say("required", &[])),
            Some(Needed::When(rule)) => said.push(self.say("required_when", &[("a", &self.rule(rule))])),
            None => {}
        }
        if !limits.without.is_empty() {
            let codes = limits.without.iter().map(|code| {
                match self.names.choice(&limits.question, code, self.language) {
                    Some(label) => format!("{} ({})", in_quotes(label, self.language), isolated(code)),
                    None => isolated(code),
                }
            });
            said.push(self.say("without", &[("a", &self.list(codes))]));
        }
        if let Some(check) = &limits.check {
            said.push(self.say("check", &[("c", &isolated(&check.code)), ("b", &self.rule(&check.rule))]));
        }
        said.join(self.pick("; ", "؛ "))
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

    fn new_rule(&self, rule: &NewRule) -> String {
        match rule {
            NewRule::Constraint { on, check, .. } => {
                let place = if on == "form" { self.say("form", &[]) } else { self.call(on) };
                let message = check.messages.get(self.language.code()).unwrap_or(&check.message);
                self.say(
                    "add_constraint",
                    &[
                        ("p", &place),
                        ("c", &isolated(&check.code)),
                        ("l", &self.set(&check.level)),
                        ("b", &self.rule(&check.rule)),
                        ("m", &self.quoted(message)),
                    ],
                )
            }
            NewRule::Relevance { on, text } => {
                self.say("add_relevance", &[("a", &self.call(on)), ("b", &self.rule(text))])
            }
            NewRule::Filter { on, text } => {
                self.say("add_filter", &[("a", &self.call(on)), ("b", &self.rule(text))])
            }
            NewRule::Finding { finding, labels } => {
                let text = |keyword: &str| finding.get(keyword).and_then(Value::as_str).unwrap_or_default();
                let code = text("code");
                let own = labels.get(self.language.code()).and_then(|texts| texts.get(&format!("@{code}")));
                let title = in_quotes(own.map_or_else(|| text("title"), String::as_str), self.language);
                let (code, weight, rule) =
                    (isolated(code), self.set(text("severity")), self.rule(text("when")));
                self.say("add_finding", &[("a", &title), ("c", &code), ("l", &weight), ("b", &rule)])
            }
        }
    }

    fn replaced(&self, rule: &RuleName, text: &str, level: Option<&str>) -> String {
        let (kind, name) = rule.parts();
        let called = match rule {
            RuleName::Constraint(_) | RuleName::Finding(_) => isolated(name),
            _ => self.call(name),
        };
        let old = super::labels::rule_in(self.base, rule);
        let old = old.map_or_else(|| self.say("nothing", &[]), |old| self.old_rule(&old));
        let said = self.say(&format!("new_{kind}"), &[("a", &called), ("b", &self.rule(text)), ("c", &old)]);
        let level = level.map(|level| self.say("level", &[("l", &self.set(level))])).unwrap_or_default();
        let end = self.pick(".", "۔");
        format!("{said}{level}{end}")
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
