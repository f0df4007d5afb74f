//! Choices of lists and of questions, and the order of whatever has one.

use super::super::apply;
use super::super::draft::{Draft, Sort};
use super::super::labels::keyed_items;
use super::super::operation::{Choices, NewRule, Operation, RuleName, Within};
use super::Deriving;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

impl Deriving {
    pub(super) fn choices_of(&mut self, name: &str, before: &Map<String, Value>, after: &Map<String, Value>) {
        if let (Some(Value::Array(one)), Some(Value::Array(other))) =
            (before.get("oneOf"), after.get("oneOf"))
        {
            let key = |item: &Value| item.get("const").and_then(Value::as_str).unwrap_or_default().to_owned();
            let keyed =
                |items: &[Value]| items.iter().map(|item| (key(item), item.clone())).collect::<Vec<_>>();
            self.choices(&Choices::Question(name.to_owned()), &keyed(one), &keyed(other));
        }
        let filter = |fields: &Map<String, Value>| {
            fields.get("x-choices").and_then(|choices| choices.get("filter")?.as_str()).map(str::to_owned)
        };
        match (filter(before), filter(after)) {
            (None, Some(text)) => {
                let rule = NewRule::Filter { on: name.to_owned(), text };
                self.operations.push(Operation::AddRule { rule });
            }
            (Some(one), Some(text)) if one != text => {
                let rule = RuleName::Filter(name.to_owned());
                self.operations.push(Operation::ReplaceRule { rule, text, level: None });
            }
            (Some(_), None) => {
                let rule = RuleName::Filter(name.to_owned());
                self.operations.push(Operation::ReplaceRule { rule, text: "true".to_owned(), level: None });
            }
            _ => {}
        }
    }

    /// New choices, and those that end.
    fn choices(&mut self, choices: &Choices, old: &[(String, Value)], new: &[(String, Value)]) {
        let known: BTreeMap<&str, &Value> = old.iter().map(|(key, item)| (key.as_str(), item)).collect();
        let mut before: Option<&str> = None;
        let text = |item: &Value, keyword: &str| item.get(keyword).and_then(Value::as_str).map(str::to_owned);
        for (key, item) in new {
            let ends = text(item, "valid_to");
            match known.get(key.as_str()) {
                None => {
                    let title = self.choice_title(choices, key, item);
                    let fields = item.as_object().cloned().unwrap_or_default();
                    let columns = fields.into_iter().filter(|(keyword, _)| {
                        !["code", "const", "title", "valid_from", "valid_to"].contains(&keyword.as_str())
                    });
                    self.operations.push(Operation::AddChoice {
                        choices: choices.clone(),
                        code: key.clone(),
                        title,
                        columns: columns.collect(),
                        valid_from: text(item, "valid_from"),
                        after: before.map(str::to_owned),
                    });
                    if let Some(from) = ends {
                        let (choices, code) = (choices.clone(), key.clone());
                        self.operations.push(Operation::RetireChoice { choices, code, from });
                    }
                }
                Some(old) if text(old, "valid_to") != ends => {
                    if let Some(from) = ends {
                        let (choices, code) = (choices.clone(), key.clone());
                        self.operations.push(Operation::RetireChoice { choices, code, from });
                    }
                }
                Some(_) => {}
            }
            before = Some(key);
        }
    }

    fn choice_title(&self, choices: &Choices, key: &str, item: &Value) -> BTreeMap<String, String> {
        let mut title = BTreeMap::new();
        match item.get("title") {
            Some(Value::String(english)) => drop(title.insert("en".to_owned(), english.clone())),
            Some(Value::Object(texts)) => {
                title.extend(
                    texts.iter().filter_map(|(code, text)| Some((code.clone(), text.as_str()?.to_owned()))),
                );
            }
            _ => {}
        }
        if let Choices::Question(name) = choices {
            let key = format!("{name}={key}");
            for (language, texts) in self.labels(std::slice::from_ref(&key)) {
                title.extend(texts.into_values().map(|text| (language.clone(), text)));
            }
        }
        title
    }

    pub(super) fn lists(&mut self) {
        let names: Vec<String> = self.edited.package.lists.keys().cloned().collect();
        for name in names {
            let items = |draft: &Draft| -> Option<Vec<(String, Value)>> {
                let list = draft.package.lists.get(&name)?;
                Some(keyed_items(list).into_iter().map(|(key, item)| (key, item.clone())).collect())
            };
            if let (Some(old), Some(new)) = (items(&self.base), items(&self.edited)) {
                self.choices(&Choices::List(name.clone()), &old, &new);
            }
        }
    }

    /// Where what was found so far leaves another order than the edited one.
    pub(super) fn orders(&mut self) {
        let made = apply::all(&self.base.package, &self.operations).draft;
        let mut places: Vec<(Within, Vec<String>, Vec<String>)> =
            vec![(Within::Sections, made.children(None), self.edited.children(None))];
        let mut open = self.edited.children(None);
        while let Some(name) = open.pop() {
            if self.edited.site(&name).is_none_or(|site| site.sort == Sort::Question) {
                continue;
            }
            let now = self.edited.children(Some(&name));
            open.extend(now.iter().cloned());
            places.push((Within::Questions(name.clone()), made.children(Some(&name)), now));
        }
        for (name, list) in &self.edited.package.lists {
            let keys = |list: &Value| keyed_items(list).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
            if let Some(known) = made.package.lists.get(name) {
                places.push((Within::Choices(Choices::List(name.clone())), keys(known), keys(list)));
            }
        }
        for (name, one, other) in self.own_choices(&made) {
            places.push((Within::Choices(Choices::Question(name)), one, other));
        }
        for (within, now, wanted) in places {
            let (mut one, mut other) = (now.clone(), wanted.clone());
            one.sort();
            other.sort();
            // What came or went otherwise is told at the end.
            if now != wanted && one == other {
                self.operations.push(Operation::Reorder { within, order: wanted });
            }
        }
    }

    /// The codes of choices written with questions, as made and as edited.
    fn own_choices(&self, made: &Draft) -> Vec<(String, Vec<String>, Vec<String>)> {
        let mut found = Vec::new();
        let mut open = self.edited.children(None);
        while let Some(name) = open.pop() {
            open.extend(self.edited.children(Some(&name)));
            let codes = |draft: &Draft| -> Option<Vec<String>> {
                let choices = draft.fields(&draft.site(&name)?.pointer).get("oneOf")?.as_array()?;
                Some(
                    choices
                        .iter()
                        .map(|it| it.get("const").and_then(Value::as_str).unwrap_or_default().to_owned())
                        .collect(),
                )
            };
            if let (Some(one), Some(other)) = (codes(made), codes(&self.edited)) {
                found.push((name, one, other));
            }
        }
        found
    }
}
