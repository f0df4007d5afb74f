//! Choices of named lists and of the short lists written with a question: more of them, an end for them, another order. None is ever taken out: old
//! answers keep their meaning, and exports their labels.

use super::super::draft::{shown, unknown};
use super::super::labels::keyed_items;
use super::super::operation::Choices;
use super::super::refusal::{Outcome, Refusal, RefusalCode as Code, locked, refused};
use super::questions::permuted;
use super::{Work, day, language, readable};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

impl Work<'_> {
    /// The items of a list, each with its key.
    fn items(&self, choices: &Choices) -> Result<Vec<(String, Value)>, Box<Refusal>> {
        match choices {
            Choices::List(list) => {
                self.draft.find_list(list)?;
                let list = self.draft.package.lists.get(list).unwrap_or(&Value::Null);
                Ok(keyed_items(list).into_iter().map(|(key, item)| (key, item.clone())).collect())
            }
            Choices::Question(name) => {
                let site = self.draft.find(name)?;
                let Some(own) = self.draft.fields(&site.pointer).get("oneOf").and_then(Value::as_array)
                else {
                    let list = self
                        .draft
                        .fields(&site.pointer)
                        .get("x-choices")
                        .and_then(|it| it.get("list")?.as_str());
                    let remedy = match list {
                        Some(list) => format!("it chooses from the list {list}: name that"),
                        None => "name a question with choices".to_owned(),
                    };
                    let message = format!("{name} has no choices written with it");
                    return Err(refused(Code::DoesNotFit, name, message, &remedy));
                };
                let code =
                    |item: &Value| item.get("const").and_then(Value::as_str).unwrap_or_default().to_owned();
                Ok(own.iter().map(|item| (code(item), item.clone())).collect())
            }
        }
    }

    pub(super) fn known_code(&self, choices: &Choices, code: &str) -> Outcome {
        match self.items(choices)?.iter().any(|(known, _)| known == code) {
            true => Ok(()),
            false => Err(unknown("choice", code, None)),
        }
    }

    /// Where the items stand, for writing.
    fn write_items(&mut self, choices: &Choices) -> Option<&mut Vec<Value>> {
        match choices {
            Choices::List(list) => self.draft.package.lists.get_mut(list)?.get_mut("items")?.as_array_mut(),
            Choices::Question(name) => {
                let pointer = self.draft.site(name)?.pointer.clone();
                self.draft.write(&pointer)?.get_mut("oneOf")?.as_array_mut()
            }
        }
    }

    fn choices_unlocked(&self, choices: &Choices) -> Outcome {
        match choices {
            Choices::List(list) => {
                let reason =
                    self.draft.package.lists.get(list).and_then(|list| list.get("x-locked")?.as_str());
                reason.map_or(Ok(()), |reason| Err(locked(list, reason)))
            }
            Choices::Question(name) => {
                let site = self.draft.find(name)?;
                self.draft.unlocked(&site.pointer, name)
            }
        }
    }

    fn touch_choices(&mut self, choices: &Choices) {
        match choices {
            Choices::List(list) => self.touch(format!("/lists/{list}")),
            Choices::Question(name) => {
                if let Some(pointer) = self.draft.site(name).map(|site| site.pointer.clone()) {
                    self.touch(pointer);
                }
            }
        }
    }

    pub(super) fn add_choice(
        &mut self,
        choices: &Choices,
        code: &str,
        title: &BTreeMap<String, String>,
        columns: &Map<String, Value>,
        valid_from: Option<&str>,
        after: Option<&str>,
    ) -> Outcome {
        let items = self.items(choices)?;
        self.choices_unlocked(choices)?;
        is_a_code(code)?;
        if items
            .iter()
            .any(|(known, item)| known == code || item.get("code").and_then(Value::as_str) == Some(code))
        {
            let message = format!("{} has a choice {code} already", choices.called());
            let remedy = "give it another code: one that was retired is never used again for something else";
            return Err(refused(Code::NameTaken, code, message, remedy));
        }
        if !title.contains_key("en") {
            let message = format!("the choice {code} has no English text");
            return Err(refused(Code::BadText, code, message, "give its title in English too"));
        }
        for (tongue, text) in title {
            if tongue != "en" {
                language(tongue)?;
            }
            readable(code, text)?;
        }
        if let Some(from) = valid_from {
            day(code, from)?;
        }
        self.known_columns(choices, code, columns)?;
        let at = match after {
            None => items.len(),
            Some(after) => match items.iter().position(|(known, _)| known == after) {
                Some(place) => place + 1,
                None => return Err(unknown("choice", after, None)),
            },
        };
        self.write_choice(choices, code, title, columns, valid_from, at);
        Ok(())
    }

    fn known_columns(&self, choices: &Choices, code: &str, columns: &Map<String, Value>) -> Outcome {
        let known: Vec<&str> = match choices {
            Choices::Question(_) => Vec::new(),
            Choices::List(list) => {
                let list =
                    self.draft.package.lists.get(list).and_then(|list| list.get("columns")?.as_array());
                list.into_iter().flatten().filter_map(Value::as_str).collect()
            }
        };
        if let Some(strange) = columns.keys().find(|column| !known.contains(&column.as_str())) {
            let message = format!("{} has no column {}", choices.called(), shown(strange));
            let remedy = format!("its columns are: {}", known.join(", "));
            return Err(refused(Code::DoesNotFit, code, message, &remedy));
        }
        Ok(())
    }

    fn write_choice(
        &mut self,
        choices: &Choices,
        code: &str,
        title: &BTreeMap<String, String>,
        columns: &Map<String, Value>,
        valid_from: Option<&str>,
        at: usize,
    ) {
        for tongue in title.keys().filter(|tongue| *tongue != "en") {
            self.declare(tongue);
        }
        let mut item = Map::new();
        match choices {
            Choices::List(_) => {
                item.insert("code".to_owned(), code.into());
                item.insert("title".to_owned(), json!(title));
                item.extend(columns.clone());
            }
            Choices::Question(name) => {
                item.insert("const".to_owned(), code.into());
                item.insert("title".to_owned(), json!(title.get("en")));
                for (tongue, text) in title.iter().filter(|(tongue, _)| *tongue != "en") {
                    self.write_label(tongue, &format!("{name}={code}"), text);
                }
            }
        }
        if let Some(from) = valid_from {
            item.insert("valid_from".to_owned(), from.into());
        }
        if let Some(items) = self.write_items(choices) {
            items.insert(at.min(items.len()), Value::Object(item));
        }
        self.touch_choices(choices);
    }

    pub(super) fn retire_choice(&mut self, choices: &Choices, code: &str, from: &str) -> Outcome {
        let items = self.items(choices)?;
        self.choices_unlocked(choices)?;
        let Some(place) = items.iter().position(|(known, _)| known == code) else {
            return Err(unknown("choice", code, None));
        };
        let item = &items[place].1;
        if let Some(reason) = item.get("x-locked").and_then(Value::as_str) {
            return Err(locked(code, reason));
        }
        let end = day(code, from)?;
        let text = |keyword: &str| item.get(keyword).and_then(Value::as_str);
        if let Some(ends) = text("valid_to").filter(|ends| *ends <= from) {
            let message = format!("{code} ends on {ends} already");
            return Err(refused(
                Code::ChangesNothing,
                code,
                message,
                "retire it from an earlier day, or leave it",
            ));
        }
        if text("valid_from").is_some_and(|begins| day(code, begins).is_ok_and(|begins| begins >= end)) {
            let message = format!("{code} would end on {from}, before it begins");
            return Err(refused(Code::BadDate, code, message, "give a later day"));
        }
        let lasts = |item: &Value| {
            let until = |keyword: &str| item.get(keyword).and_then(Value::as_str);
            until("valid_to").is_none_or(|to| to > from)
        };
        if !items.iter().enumerate().any(|(other, (_, item))| other != place && lasts(item)) {
            let message = format!("{code} is the last choice of {}", choices.called());
            return Err(refused(Code::LastChoice, code, message, "add another first, or hide the question"));
        }
        let item = self.write_items(choices).and_then(|items| items.get_mut(place)?.as_object_mut());
        if let Some(item) = item {
            item.insert("valid_to".to_owned(), from.into());
        }
        self.touch_choices(choices);
        Ok(())
    }

    pub(super) fn reorder_choices(&mut self, choices: &Choices, order: &[String]) -> Outcome {
        let items = self.items(choices)?;
        self.choices_unlocked(choices)?;
        let now: Vec<String> = items.iter().map(|(key, _)| key.clone()).collect();
        permuted(choices.called(), &now, order)?;
        let mut by_key: HashMap<String, Value> = items.into_iter().collect();
        let sorted: Vec<Value> = order.iter().filter_map(|key| by_key.remove(key)).collect();
        if let Some(items) = self.write_items(choices) {
            // Two items of one code keep telling themselves apart by who stands first.
            *items = sorted;
        }
        self.touch_choices(choices);
        Ok(())
    }
}

fn is_a_code(code: &str) -> Outcome {
    let fits = !code.is_empty()
        && code.len() <= 64
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if !fits {
        let message = format!("{} cannot be the code of a choice", shown(code));
        let remedy = "use Latin letters, digits, - and _, at most 64";
        return Err(refused(Code::BadName, code, message, remedy));
    }
    Ok(())
}
