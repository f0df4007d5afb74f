//! The keys of texts: what each names, where its English stands, and where its translations.

use super::draft::{Draft, lock_of, unknown};
use super::operation::{Choices, NewRule, Operation, RuleName, Within};
use super::refusal::{Refusal, RefusalCode as Code, refused};
use crate::package::Package;
use serde_json::Value;
use std::collections::HashMap;

/// Where a text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// A member of the definition: the object's pointer, and the keyword.
    Definition(String, &'static str),
    /// The title of a named list, or of one of its items.
    List(String, Option<usize>),
}

/// A text, found by its key.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) home: Home,
    /// The base's reason, where what the text belongs to is locked.
    pub(super) lock: Option<String>,
}

/// The key of a list's item that stands there for the n-th time under its code.
pub(super) fn item_key(code: &str, times: usize) -> String {
    if times <= 1 { code.to_owned() } else { format!("{code}.{times}") }
}

/// The items of a list with the keys they are known by: `CODE`, and `CODE.2` for a second one with other dates.
pub(crate) fn keyed_items(list: &Value) -> Vec<(String, &Value)> {
    let mut seen: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
    let items = list.get("items").and_then(Value::as_array);
    let keyed = items.into_iter().flatten().map(|item| {
        let code = item.get("code").and_then(Value::as_str).unwrap_or_default();
        let times = seen.entry(code).or_default();
        *times += 1;
        (item_key(code, *times), item)
    });
    keyed.collect()
}

impl Draft {
    /// Finds a text by its key.
    pub(super) fn find_text(&self, key: &str) -> Result<Found, Box<Refusal>> {
        if let Some(rest) = key.strip_prefix('~') {
            return self.find_list_text(key, rest);
        }
        if let Some(code) = key.strip_prefix('!') {
            let pointer = self.find_check(code)?;
            let mut lock = lock_of(self.fields(&pointer)).map(str::to_owned);
            // A check of a locked question is part of the question.
            let owner = pointer.rsplit_once("/x-constraints/").map_or("", |(owner, _)| owner);
            if lock.is_none() && !owner.is_empty() {
                lock = lock_of(self.fields(owner)).map(str::to_owned);
            }
            return Ok(Found { home: Home::Definition(pointer, "message"), lock });
        }
        if let Some(code) = key.strip_prefix('@') {
            let (code, keyword) =
                code.strip_suffix(".action").map_or((code, "title"), |code| (code, "action"));
            let pointer = self.find_finding(code)?;
            let lock = lock_of(self.fields(&pointer)).map(str::to_owned);
            return Ok(Found { home: Home::Definition(pointer, keyword), lock });
        }
        if let Some((name, code)) = key.split_once('=') {
            let site = self.find(name)?;
            let choices = self.fields(&site.pointer).get("oneOf").and_then(Value::as_array);
            let place = choices
                .into_iter()
                .flatten()
                .position(|choice| choice.get("const").and_then(Value::as_str) == Some(code));
            let place = place.ok_or_else(|| unknown("choice written with a question", key, None))?;
            let lock = lock_of(self.fields(&site.pointer)).map(str::to_owned);
            return Ok(Found {
                home: Home::Definition(format!("{}/oneOf/{place}", site.pointer), "title"),
                lock,
            });
        }
        let (name, keyword) = key.strip_suffix("#hint").map_or((key, "title"), |name| (name, "description"));
        match key {
            "form" => return Ok(self.of_form("title")),
            "form#description" => return Ok(self.of_form("description")),
            _ => {}
        }
        let site = self.find(name)?;
        let lock = lock_of(self.fields(&site.pointer)).map(str::to_owned);
        Ok(Found { home: Home::Definition(site.pointer, keyword), lock })
    }

    fn of_form(&self, keyword: &'static str) -> Found {
        let lock = lock_of(self.fields("")).map(str::to_owned);
        Found { home: Home::Definition(String::new(), keyword), lock }
    }

    fn find_list_text(&self, key: &str, rest: &str) -> Result<Found, Box<Refusal>> {
        let (name, code) = rest.split_once('=').map_or((rest, None), |(name, code)| (name, Some(code)));
        self.find_list(name)?;
        let list = self.package.lists.get(name).unwrap_or(&Value::Null);
        let mut lock = list.get("x-locked").and_then(Value::as_str).map(str::to_owned);
        let item = match code {
            None => None,
            Some(code) => {
                let place = keyed_items(list).iter().position(|(known, _)| known == code);
                let place = place.ok_or_else(|| unknown("choice", key, None))?;
                let item = list.get("items").and_then(|items| items.get(place));
                let own = item.and_then(|item| item.get("x-locked")?.as_str());
                lock = lock.or(own.map(str::to_owned));
                Some(place)
            }
        };
        Ok(Found { home: Home::List(name.to_owned(), item), lock })
    }

    /// The English of a text; none where it has none yet.
    pub(super) fn english(&self, home: &Home) -> Option<&str> {
        self.text_in(home, "", "en")
    }

    /// The text in a language.
    pub(super) fn text_in(&self, home: &Home, key: &str, language: &str) -> Option<&str> {
        match (home, language) {
            (Home::Definition(pointer, keyword), "en") => self.fields(pointer).get(*keyword)?.as_str(),
            (Home::Definition(..), _) => self.package.i18n.get(language)?.get("labels")?.get(key)?.as_str(),
            (Home::List(list, item), _) => {
                let title = self.title(list, *item)?;
                match title {
                    Value::String(english) => (language == "en").then_some(english),
                    title => title.get(language)?.as_str(),
                }
            }
        }
    }

    fn title(&self, list: &str, item: Option<usize>) -> Option<&Value> {
        let list = self.package.lists.get(list)?;
        match item {
            None => list.get("title"),
            Some(place) => list.get("items")?.get(place)?.get("title"),
        }
    }

    /// Writes a text of a named list; a title that was English alone becomes one by language.
    pub(super) fn write_title(&mut self, list: &str, item: Option<usize>, language: &str, text: &str) {
        let Some(list) = self.package.lists.get_mut(list) else { return };
        let holder = match item {
            None => Some(list),
            Some(place) => list.get_mut("items").and_then(|items| items.get_mut(place)),
        };
        let Some(holder) = holder.and_then(Value::as_object_mut) else { return };
        let title = holder.entry("title").or_insert(Value::Null);
        if !title.is_object() {
            let english = title.as_str().map(str::to_owned);
            *title =
                Value::Object(english.into_iter().map(|english| ("en".to_owned(), english.into())).collect());
        }
        if let Some(title) = title.as_object_mut() {
            title.insert(language.to_owned(), text.into());
        }
    }
}

/// Refuses a change of a text whose owner is locked.
pub(super) fn may_change(found: &Found, key: &str) -> Result<(), Box<Refusal>> {
    match &found.lock {
        Some(reason) => Err(super::refusal::locked(key, reason)),
        None => Ok(()),
    }
}

/// There is nothing to say differently.
pub(super) fn same_text(key: &str) -> Box<Refusal> {
    refused(
        Code::ChangesNothing,
        key,
        format!("{key} reads so already"),
        "remove the operation, or write another text",
    )
}

/// The English of a key.
pub(super) fn english_of(draft: &Draft, key: &str) -> Option<String> {
    let found = draft.find_text(key).ok()?;
    draft.english(&found.home).map(str::to_owned)
}

/// The text of a rule of a draft.
pub(super) fn rule_in(draft: &Draft, rule: &RuleName) -> Option<String> {
    let name = rule.parts().1;
    let (pointer, keyword) = match rule {
        RuleName::Constraint(code) => (draft.find_check(code).ok()?, "rule"),
        RuleName::Finding(code) => (draft.find_finding(code).ok()?, "when"),
        RuleName::Filter(_) => (format!("{}/x-choices", draft.site(name)?.pointer), "filter"),
        RuleName::Relevance(_) => (draft.site(name)?.pointer.clone(), "x-relevant"),
        RuleName::Required(_) => (draft.site(name)?.pointer.clone(), "x-required"),
        RuleName::Calculation(_) => (draft.site(name)?.pointer.clone(), "x-calculate"),
        RuleName::Default(_) => (draft.site(name)?.pointer.clone(), "x-default"),
    };
    let text = draft.fields(&pointer).get(keyword)?;
    Some(text.as_str().map_or_else(|| text.to_string(), str::to_owned))
}

/// The section each question, repeat and section stands in.
pub(super) fn sections(package: &Package) -> HashMap<String, String> {
    fn note(fields: &Value, section: &str, depth: usize, found: &mut HashMap<String, String>) {
        let items = fields.get("properties").and_then(Value::as_object).filter(|_| depth < 8);
        for (name, item) in items.into_iter().flatten() {
            found.entry(name.clone()).or_insert_with(|| section.to_owned());
            note(item.get("items").unwrap_or(item), section, depth + 1, found);
        }
    }
    let mut found = HashMap::new();
    let root = package.definition.get("properties").and_then(Value::as_object);
    for (name, section) in root.into_iter().flatten() {
        found.insert(name.clone(), name.clone());
        note(section, name, 1, &mut found);
    }
    found
}

/// The question, repeat or section an operation is about, if it is about one.
pub(super) fn item_of(operation: &Operation) -> Option<String> {
    let of_key = |key: &str| {
        key.split(['#', '=']).next().filter(|name| !name.starts_with(['~', '@', '!'])).map(str::to_owned)
    };
    match operation {
        Operation::AddQuestion { into, .. } => Some(into.clone()),
        Operation::AddSection { name, .. } => Some(name.clone()),
        Operation::Hide { question, .. } => Some(question.clone()),
        Operation::Relabel { key, .. } | Operation::Translate { key, .. } => match key.strip_prefix('!') {
            // The check of a question has its name.
            Some(code) => Some(code.to_owned()),
            None => of_key(key),
        },
        Operation::Tighten(limits) => Some(limits.question.clone()),
        Operation::AddChoice { choices: Choices::Question(name), .. }
        | Operation::RetireChoice { choices: Choices::Question(name), .. }
        | Operation::Reorder {
            within: Within::Questions(name) | Within::Choices(Choices::Question(name)),
            ..
        } => Some(name.clone()),
        Operation::AddRule {
            rule:
                NewRule::Constraint { on, .. }
                | NewRule::Relevance { on, .. }
                | NewRule::Filter { on, .. }
                | NewRule::Default { on, .. },
        } => Some(on.clone()),
        Operation::ReplaceRule { rule, .. } => match rule {
            RuleName::Finding(_) => None,
            rule => Some(rule.parts().1.to_owned()),
        },
        _ => None,
    }
}

/// A text of a package: its key, its English and the section it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) key: String,
    pub(crate) english: String,
    pub(crate) section: Option<String>,
}

/// Every text people read, in the order of the form: what stands in it, its findings, then its lists.
pub(crate) fn all(package: &Package) -> Vec<Text> {
    let mut texts = Texts { found: Vec::new(), section: None };
    let Some(root) = package.definition.as_object() else { return Vec::new() };
    texts.note("form", root.get("title"));
    texts.note("form#description", root.get("description"));
    texts.checks(root, "form");
    for (name, fields) in root.get("properties").and_then(Value::as_object).into_iter().flatten() {
        texts.section = Some(name.clone());
        texts.item(name, fields, 0);
    }
    texts.section = None;
    for finding in root.get("x-findings").and_then(Value::as_array).into_iter().flatten() {
        let code = finding.get("code").and_then(Value::as_str).unwrap_or_default();
        texts.note(&format!("@{code}"), finding.get("title"));
        texts.note(&format!("@{code}.action"), finding.get("action"));
    }
    for (name, list) in &package.lists {
        texts.title(&format!("~{name}"), list.get("title"));
        for (key, item) in keyed_items(list) {
            texts.title(&format!("~{name}={key}"), item.get("title"));
        }
    }
    texts.found
}

struct Texts {
    found: Vec<Text>,
    section: Option<String>,
}

impl Texts {
    fn note(&mut self, key: &str, english: Option<&Value>) {
        if let Some(english) = english.and_then(Value::as_str).filter(|english| !english.is_empty()) {
            let (key, english) = (key.to_owned(), english.to_owned());
            self.found.push(Text { key, english, section: self.section.clone() });
        }
    }

    fn title(&mut self, key: &str, title: Option<&Value>) {
        let english = title.map(|title| title.get("en").unwrap_or(title));
        self.note(key, english);
    }

    fn item(&mut self, name: &str, item: &Value, depth: usize) {
        let Some(fields) = item.as_object().filter(|_| depth < 8) else { return };
        self.note(name, fields.get("title"));
        self.note(&format!("{name}#hint"), fields.get("description"));
        for choice in fields.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
            let code = choice.get("const").and_then(Value::as_str).unwrap_or_default();
            self.note(&format!("{name}={code}"), choice.get("title"));
        }
        self.checks(fields, name);
        let row = fields.get("items").and_then(Value::as_object);
        if let Some(row) = row {
            self.checks(row, name);
        }
        let inner = row.unwrap_or(fields).get("properties").and_then(Value::as_object);
        for (name, item) in inner.into_iter().flatten() {
            self.item(name, item, depth + 1);
        }
    }

    fn checks(&mut self, fields: &serde_json::Map<String, Value>, owner: &str) {
        for (place, check) in
            fields.get("x-constraints").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            let numbered = if place == 0 { owner.to_owned() } else { format!("{owner}.{}", place + 1) };
            let code = check.get("code").and_then(Value::as_str).unwrap_or(&numbered);
            self.note(&format!("!{code}"), check.get("message"));
        }
    }
}
