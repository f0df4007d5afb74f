//! Finds the operations that lead from a base to an edited package: what comes back from a workbook becomes a proposal like any other.
//!
//! Found in three steps, each on what the ones before made: what stands where and which rules, then English wordings, then other languages. At the
//! end the operations are applied and held against the edited package; what still differs is told as no operation can make it.

use super::apply;
use super::draft::{Draft, Site, Sort};
use super::labels::{all, keyed_items};
use super::operation::{
    Check, Choices, Labels, Needed, NewRule, Operation, ParameterValue, RuleName, Tightening, Within,
};
use super::refusal::{Refusal, RefusalCode as Code, refused};
use crate::compare::compare;
use crate::package::Package;
use crate::translations::{MADE_FROM, languages};
use serde_json::{Map, Number, Value};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Differences told at most.
const MOST_TOLD: usize = 100;

/// The operations that make `edited` of `base`.
///
/// # Errors
/// Whatever differs and no operation can change; the `operation` of such a refusal is the number of operations that were found.
pub fn derive(base: &Package, edited: &Package) -> Result<Vec<Operation>, Vec<Refusal>> {
    let mut deriving = Deriving {
        base: Draft::of(base.clone()),
        edited: Draft::of(edited.clone()),
        operations: Vec::new(),
        lists_given: HashSet::new(),
    };
    deriving.parameters();
    deriving.items();
    deriving.findings();
    deriving.lists();
    deriving.orders();
    deriving.english();
    deriving.translations();
    let mut operations = deriving.operations;
    accept_what_is_accepted(edited, &mut operations);
    let applied = apply::all(base, &operations);
    let mut refusals = applied.refusals;
    if refusals.is_empty() {
        refusals.extend(what_is_left(&applied.draft.package, edited, operations.len()));
    }
    if refusals.is_empty() { Ok(operations) } else { Err(refusals) }
}

/// What differs still, told as the comparison tells it.
fn what_is_left(made: &Package, edited: &Package, operation: usize) -> Vec<Refusal> {
    let mut edited = edited.clone();
    // A version's number is given when it is released.
    edited.version = made.version;
    let number = made.definition.pointer("/x-form/version").cloned();
    if let (Some(number), Some(head)) =
        (number, edited.definition.pointer_mut("/x-form").and_then(Value::as_object_mut))
    {
        head.insert("version".to_owned(), number);
    }
    if super::same(made, &edited) {
        return Vec::new();
    }
    let changes = compare(made, &edited).changes;
    let mut left: Vec<Refusal> = changes
        .into_iter()
        .take(MOST_TOLD)
        .map(|change| {
            let message = change.sentence.get("en").cloned().unwrap_or_default();
            let remedy = "no operation does this: undo it, or have the base changed";
            let mut refusal = refused(Code::NotAnOperation, &change.path, message, remedy);
            refusal.operation = operation;
            *refusal
        })
        .collect();
    if left.is_empty() {
        let message = "the order of checks or of other parts differs".to_owned();
        let mut refusal = refused(Code::NotAnOperation, "", message, "put them in the order of the base");
        refusal.operation = operation;
        left.push(*refusal);
    }
    left
}

/// The edited package already goes without what reads the hidden questions.
fn accept_what_is_accepted(edited: &Package, operations: &mut [Operation]) {
    if !operations.iter().any(|operation| matches!(operation, Operation::Hide { .. })) {
        return;
    }
    let draft = Draft::of(edited.clone());
    let readers = super::inventory::readers(edited);
    let mut hidden_anywhere = BTreeSet::new();
    let mut of_each: Vec<(usize, BTreeSet<String>)> = Vec::new();
    for (place, operation) in operations.iter().enumerate() {
        let Operation::Hide { question, .. } = operation else { continue };
        let (mut names, mut open) = (BTreeSet::new(), vec![question.clone()]);
        while let Some(name) = open.pop() {
            open.extend(draft.children(Some(&name)));
            names.insert(name);
        }
        hidden_anywhere.extend(names.iter().cloned());
        of_each.push((place, names));
    }
    for (place, names) in of_each {
        let reads = readers.iter().filter(|reader| {
            reader.item.as_ref().is_none_or(|item| !hidden_anywhere.contains(item))
                && reader.names.iter().any(|name| names.contains(name))
        });
        let rules: BTreeSet<String> = reads.map(|reader| reader.rule.clone()).collect();
        if let Operation::Hide { accepting, .. } = &mut operations[place] {
            *accepting = rules.into_iter().collect();
        }
    }
}

struct Deriving {
    base: Draft,
    edited: Draft,
    operations: Vec<Operation>,
    /// Lists that came along with a question.
    lists_given: HashSet<String>,
}

impl Deriving {
    fn parameters(&mut self) {
        let known: HashSet<String> = self.base.package.parameters.iter().map(Value::to_string).collect();
        let declared = self.edited.package.definition.get("x-parameters").and_then(Value::as_array);
        let declared: Vec<&str> = declared.into_iter().flatten().filter_map(Value::as_str).collect();
        let text = |row: &Value, keyword: &str| row.get(keyword).and_then(Value::as_str).map(str::to_owned);
        let mut new: Vec<(usize, ParameterValue)> = Vec::new();
        for row in self.edited.package.parameters.iter().filter(|row| !known.contains(&row.to_string())) {
            let Some(key) = text(row, "key") else { continue };
            let first =
                self.base.package.parameters.iter().find(|row| text(row, "key").as_ref() == Some(&key));
            let unit = text(row, "unit");
            let place = declared.iter().position(|known| *known == key).unwrap_or(usize::MAX);
            new.push((
                place,
                ParameterValue {
                    unit: unit
                        .filter(|unit| first.is_none_or(|first| text(first, "unit").as_ref() != Some(unit))),
                    value: row.get("value").cloned().unwrap_or_default(),
                    valid_from: text(row, "valid_from").unwrap_or_default(),
                    valid_to: text(row, "valid_to"),
                    area: text(row, "area"),
                    source: text(row, "source").unwrap_or_default(),
                    certainty: text(row, "certainty").unwrap_or_default(),
                    key,
                },
            ));
        }
        new.sort_by_key(|(place, _)| *place);
        self.operations.extend(new.into_iter().map(|(_, value)| Operation::SetParameter(value)));
    }

    /// Section by section: what is new, and what is written differently on what there was.
    fn items(&mut self) {
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
                    // A new section: told at the end as what no operation can make.
                    _ => {}
                }
                before = Some(name);
            }
            open.extend(inner.into_iter().rev());
        }
    }

    fn added(&mut self, name: &str, site: &Site, before: Option<&str>) {
        let mut question = self.edited.fields(&site.pointer).clone();
        let hidden =
            question.shift_remove("x-hidden").and_then(|because| because.as_str().map(str::to_owned));
        if hidden.is_some() {
            question.shift_remove("x-relevant");
        }
        let lists = self.lists_of(&Value::Object(question.clone()));
        self.operations.push(Operation::AddQuestion {
            into: site.parent.clone().unwrap_or_default(),
            after: before.map(str::to_owned),
            name: name.to_owned(),
            labels: self.labels_of(name, &question),
            question,
            lists,
        });
        if let Some(because) = hidden {
            self.operations.push(Operation::Hide {
                question: name.to_owned(),
                because,
                accepting: Vec::new(),
            });
        }
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

    fn labels(&self, keys: &[String]) -> Labels {
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

    fn root_checks(&mut self) {
        let (old, new) = (self.base.fields("").clone(), self.edited.fields("").clone());
        self.checks("form", false, &old, &new);
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
        for (keyword, rule) in [
            ("x-calculate", RuleName::Calculation(name.to_owned())),
            ("x-default", RuleName::Default(name.to_owned())),
        ] {
            if let (Some(one), Some(Value::String(other))) = (before.get(keyword), after.get(keyword))
                && one.as_str() != Some(other)
            {
                self.operations.push(Operation::ReplaceRule { rule, text: other.clone(), level: None });
            }
        }
        self.checks(name, false, &before, &after);
        if old.sort == Sort::Repeat {
            let row = |fields: &Map<String, Value>| fields.get("items").and_then(Value::as_object).cloned();
            if let (Some(one), Some(other)) = (row(&before), row(&after)) {
                self.checks(name, true, &one, &other);
            }
        }
        if hides && let Some(because) = after.get("x-hidden").and_then(Value::as_str) {
            let because = because.to_owned();
            self.operations.push(Operation::Hide {
                question: name.to_owned(),
                because,
                accepting: Vec::new(),
            });
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

    fn choices_of(&mut self, name: &str, before: &Map<String, Value>, after: &Map<String, Value>) {
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

    fn checks(&mut self, on: &str, each_row: bool, before: &Map<String, Value>, after: &Map<String, Value>) {
        let (old, new) = (by_code(before, on), by_code(after, on));
        for (code, check) in &new {
            let text = |it: &Value, keyword: &str| it.get(keyword).and_then(Value::as_str).map(str::to_owned);
            let level = |it: &Value| text(it, "level").unwrap_or_else(|| "error".to_owned());
            match old.iter().find(|(known, _)| known == code) {
                None => {
                    let key = format!("!{code}");
                    let texts = self.labels(std::slice::from_ref(&key));
                    let messages = texts
                        .into_iter()
                        .filter_map(|(language, mut texts)| Some((language, texts.remove(&key)?)));
                    let check = Check {
                        code: code.clone(),
                        rule: text(check, "rule").unwrap_or_default(),
                        message: text(check, "message").unwrap_or_default(),
                        level: level(check),
                        messages: messages.collect(),
                    };
                    let rule = NewRule::Constraint { on: on.to_owned(), each_row, check };
                    self.operations.push(Operation::AddRule { rule });
                }
                Some((_, known)) => {
                    let weight = (level(known) != level(check)).then(|| level(check));
                    let (one, other) = (text(known, "rule"), text(check, "rule"));
                    if one != other || weight.is_some() {
                        let rule = RuleName::Constraint(code.clone());
                        let text = other.unwrap_or_default();
                        self.operations.push(Operation::ReplaceRule { rule, text, level: weight });
                    }
                }
            }
        }
    }

    fn findings(&mut self) {
        let list = |draft: &Draft| -> Vec<Map<String, Value>> {
            let findings = draft.package.definition.get("x-findings").and_then(Value::as_array);
            findings.into_iter().flatten().filter_map(Value::as_object).cloned().collect()
        };
        let code = |finding: &Map<String, Value>| {
            finding.get("code").and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let old = list(&self.base);
        for finding in list(&self.edited) {
            let named = code(&finding);
            match old.iter().find(|known| code(known) == named) {
                None => {
                    let labels = self.labels(&[format!("@{named}"), format!("@{named}.action")]);
                    self.operations.push(Operation::AddRule { rule: NewRule::Finding { finding, labels } });
                }
                Some(known) => {
                    if let Some(Value::String(text)) =
                        finding.get("when").filter(|when| known.get("when") != Some(when))
                    {
                        let (rule, text) = (RuleName::Finding(named), text.clone());
                        self.operations.push(Operation::ReplaceRule { rule, text, level: None });
                    }
                }
            }
        }
    }

    fn lists(&mut self) {
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
    fn orders(&mut self) {
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

    fn english(&mut self) {
        let made = apply::all(&self.base.package, &self.operations).draft;
        for text in all(&self.edited.package) {
            let Ok(found) = made.find_text(&text.key) else { continue };
            if made.english(&found.home) != Some(text.english.as_str()) {
                self.operations.push(Operation::Relabel { key: text.key, text: text.english });
            }
        }
    }

    fn translations(&mut self) {
        let made = apply::all(&self.base.package, &self.operations).draft;
        let texts = all(&self.edited.package);
        for language in languages(&self.edited.package) {
            for text in &texts {
                let (Ok(found), Ok(other)) = (made.find_text(&text.key), self.edited.find_text(&text.key))
                else {
                    continue;
                };
                let Some(wanted) =
                    self.edited.text_in(&other.home, &text.key, &language).filter(|it| !it.is_empty())
                else {
                    continue;
                };
                let from = |draft: &Draft, key: &str| {
                    draft
                        .package
                        .i18n
                        .get(&language)
                        .and_then(|file| file.get(MADE_FROM)?.get(key)?.as_str().map(str::to_owned))
                };
                let same = made.text_in(&found.home, &text.key, &language) == Some(wanted);
                let wanted_from = from(&self.edited, &text.key);
                if same && from(&made, &text.key) == wanted_from {
                    continue;
                }
                self.operations.push(Operation::Translate {
                    language: language.clone(),
                    key: text.key.clone(),
                    text: wanted.to_owned(),
                    made_from: Some(wanted_from.unwrap_or_else(|| text.english.clone())),
                });
            }
        }
    }
}

/// Checks by code, as the form check counts them.
fn by_code(fields: &Map<String, Value>, owner: &str) -> Vec<(String, Value)> {
    let list = fields.get("x-constraints").and_then(Value::as_array);
    let named = list.into_iter().flatten().enumerate().map(|(place, check)| {
        let numbered = if place == 0 { owner.to_owned() } else { format!("{owner}.{}", place + 1) };
        (check.get("code").and_then(Value::as_str).map_or(numbered, str::to_owned), check.clone())
    });
    named.collect()
}
