//! What stands where: what is new, and what is written differently on what there was.

use super::super::draft::{Site, Sort};
use super::super::labels::all;
use super::super::operation::{Labels, Needed, NewRule, Operation, RuleName, Tightening};
use super::Deriving;
use crate::package::Package;
use crate::translations::languages;
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;

impl Deriving {
    /// Section by section: what is new, and what is written differently on what there was.
    pub(super) fn items(&mut self) {
        self.root_checks();
        let mut open: Vec<Option<String>> = vec![None];
        while let Some(place) = open.pop() {
            let mut inner = Vec::new();
            let mut before: Option<String> = None;
            for name in self.edited.children(place.as_deref()) {
                match (self.base.site(&name).cloned(), self.edited.site(&name).cloned()) {
                    (Some(old), Some(new)) => {
                        self.item(&name, &old, &new);
                        if new.sort != Sort::Question {
                            inner.push(Some(name.clone()));
                        }
                    }
                    (None, Some(new)) if place.is_some() => self.added(&name, &new, before.as_deref()),
                    (None, Some(new)) if new.sort == Sort::Section => {
                        self.section(&name, &new, before.as_deref());
                        inner.push(Some(name.clone()));
                    }
                    // A question beside the sections: told at the end as what no operation can make.
                    _ => {}
                }
                before = Some(name);
            }
            open.extend(inner.into_iter().rev());
        }
    }

    fn added(&mut self, name: &str, site: &Site, before: Option<&str>) {
        let mut question = self.edited.fields(&site.pointer).clone();
        let hidden = take_hidden(&mut question);
        let lists = self.lists_of(&Value::Object(question.clone()));
        self.operations.push(Operation::AddQuestion {
            into: site.parent.clone().unwrap_or_default(),
            after: before.map(str::to_owned),
            name: name.to_owned(),
            labels: self.labels_of(name, &question),
            question,
            lists,
        });
        self.hide(name, hidden);
    }

    /// A new section; what stands in it follows question by question.
    fn section(&mut self, name: &str, site: &Site, before: Option<&str>) {
        let mut section = self.edited.fields(&site.pointer).clone();
        section.shift_remove("properties");
        let hidden = take_hidden(&mut section);
        self.operations.push(Operation::AddSection {
            after: before.map(str::to_owned),
            name: name.to_owned(),
            labels: self.labels_of(name, &section),
            section,
        });
        self.hide(name, hidden);
    }

    /// Hides what was just added, where it was hidden.
    fn hide(&mut self, name: &str, because: Option<String>) {
        let question = name.to_owned();
        let hide = |because| Operation::Hide { question, because, accepting: Vec::new() };
        self.operations.extend(because.map(hide));
    }

    /// Lists a new question uses and the base has not.
    fn lists_of(&mut self, question: &Value) -> Map<String, Value> {
        let mut found = Map::new();
        let mut open = vec![question];
        while let Some(value) = open.pop() {
            match value {
                Value::Object(fields) => {
                    let list = fields.get("x-choices").and_then(|choices| choices.get("list")?.as_str());
                    if let Some(list) = list
                        && !self.base.package.lists.contains_key(list)
                        && self.lists_given.insert(list.to_owned())
                        && let Some(content) = self.edited.package.lists.get(list)
                    {
                        found.insert(list.to_owned(), content.clone());
                    }
                    open.extend(fields.values());
                }
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
        found
    }

    /// The texts of a new question in other languages: its own, and those of what stands in it.
    fn labels_of(&self, name: &str, question: &Map<String, Value>) -> Labels {
        let mut only = Package {
            form: String::new(),
            version: 0,
            definition: serde_json::json!({"properties": {name: question}}),
            i18n: Map::new(),
            lists: Map::new(),
            parameters: Vec::new(),
            baselines: Vec::new(),
        };
        let keys: Vec<String> = all(&only).into_iter().map(|text| text.key).collect();
        only.definition = Value::Null;
        self.labels(&keys)
    }

    pub(super) fn labels(&self, keys: &[String]) -> Labels {
        let mut labels = Labels::new();
        for language in languages(&self.edited.package) {
            let file = self.edited.package.i18n.get(&language).and_then(|file| file.get("labels"));
            let texts: BTreeMap<String, String> = keys
                .iter()
                .filter_map(|key| Some((key.clone(), file?.get(key)?.as_str()?.to_owned())))
                .filter(|(_, text)| !text.is_empty())
                .collect();
            if !texts.is_empty() {
                labels.insert(language, texts);
            }
        }
        labels
    }

    fn item(&mut self, name: &str, old: &Site, new: &Site) {
        if old.parent != new.parent || old.sort != new.sort {
            return;
        }
        let (before, after) =
            (self.base.fields(&old.pointer).clone(), self.edited.fields(&new.pointer).clone());
        let hides = after.contains_key("x-hidden") && !before.contains_key("x-hidden");
        if !hides {
            self.relevance(name, &before, &after);
        }
        self.limits(name, old, &before, &after);
        self.choices_of(name, &before, &after);
        if let (Some(one), Some(Value::String(text))) = (before.get("x-calculate"), after.get("x-calculate"))
            && one.as_str() != Some(text)
        {
            let (rule, text) = (RuleName::Calculation(name.to_owned()), text.clone());
            self.operations.push(Operation::ReplaceRule { rule, text, level: None });
        }
        self.default(name, &before, &after);
        self.checks(name, false, &before, &after);
        if old.sort == Sort::Repeat {
            let row = |fields: &Map<String, Value>| fields.get("items").and_then(Value::as_object).cloned();
            if let (Some(one), Some(other)) = (row(&before), row(&after)) {
                self.checks(name, true, &one, &other);
            }
        }
        if hides {
            self.hide(name, after.get("x-hidden").and_then(Value::as_str).map(str::to_owned));
        }
    }

    /// What a question is filled in with beforehand: come, changed or gone.
    fn default(&mut self, name: &str, before: &Map<String, Value>, after: &Map<String, Value>) {
        let rule =
            |fields: &Map<String, Value>| fields.get("x-default").and_then(Value::as_str).map(str::to_owned);
        match (rule(before), rule(after)) {
            (None, Some(text)) => {
                let rule = NewRule::Default { on: name.to_owned(), text };
                self.operations.push(Operation::AddRule { rule });
            }
            (Some(one), other) if other.as_ref() != Some(&one) => {
                let rule = RuleName::Default(name.to_owned());
                let text = other.unwrap_or_else(|| "null".to_owned());
                self.operations.push(Operation::ReplaceRule { rule, text, level: None });
            }
            _ => {}
        }
    }

    fn relevance(&mut self, name: &str, before: &Map<String, Value>, after: &Map<String, Value>) {
        let rule =
            |fields: &Map<String, Value>| fields.get("x-relevant").and_then(Value::as_str).map(str::to_owned);
        match (rule(before), rule(after)) {
            (None, Some(text)) => {
                let rule = NewRule::Relevance { on: name.to_owned(), text };
                self.operations.push(Operation::AddRule { rule });
            }
            (Some(one), other) if other.as_ref() != Some(&one) => {
                let rule = RuleName::Relevance(name.to_owned());
                let text = other.unwrap_or_else(|| "true".to_owned());
                self.operations.push(Operation::ReplaceRule { rule, text, level: None });
            }
            _ => {}
        }
    }

    fn limits(&mut self, name: &str, site: &Site, before: &Map<String, Value>, after: &Map<String, Value>) {
        let mut limits = Tightening { question: name.to_owned(), ..Tightening::default() };
        let changed = |keyword: &str| after.get(keyword).filter(|now| before.get(keyword) != Some(now));
        let number = |keyword: &str| -> Option<Number> { changed(keyword)?.as_number().cloned() };
        let length = |keyword: &str| changed(keyword).and_then(Value::as_u64);
        limits.minimum = number("minimum");
        limits.maximum = number("maximum");
        (limits.min_length, limits.max_length) = (length("minLength"), length("maxLength"));
        (limits.min_items, limits.max_items) = (length("minItems"), length("maxItems"));
        let plainly = {
            let holder = site.pointer.rsplit_once("/properties/").map_or("", |(holder, _)| holder);
            let required = self.base.fields(holder).get("required").and_then(Value::as_array);
            required.into_iter().flatten().any(|known| known.as_str() == Some(name))
        };
        let mut replaced = None;
        if before.get("x-required") != after.get("x-required") {
            match (before.get("x-required"), after.get("x-required")) {
                (None | Some(Value::Bool(false)) | Some(Value::String(_)), Some(Value::Bool(true)))
                    if !plainly =>
                {
                    limits.required = Some(Needed::Always);
                }
                (None | Some(Value::Bool(false)), Some(Value::String(rule))) if !plainly => {
                    limits.required = Some(Needed::When(rule.clone()));
                }
                (Some(_), Some(Value::String(rule))) => replaced = Some(rule.clone()),
                (Some(_), None | Some(Value::Bool(false))) => replaced = Some("false".to_owned()),
                _ => {}
            }
        }
        if limits != (Tightening { question: name.to_owned(), ..Tightening::default() }) {
            self.operations.push(Operation::Tighten(limits));
        }
        if let Some(text) = replaced {
            let rule = RuleName::Required(name.to_owned());
            self.operations.push(Operation::ReplaceRule { rule, text, level: None });
        }
    }
}

/// Takes the mark of what is hidden off, and gives the reason.
fn take_hidden(fields: &mut Map<String, Value>) -> Option<String> {
    let because = fields.shift_remove("x-hidden")?.as_str().map(str::to_owned);
    fields.shift_remove("x-relevant");
    because
}
