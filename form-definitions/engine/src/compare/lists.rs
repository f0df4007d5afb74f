//! Choices: of named lists and of short lists written with a question. A choice is known by its code; a code that stands more
//! than once, with different dates, by its place among them.

use super::keywords::union;
use super::outline::{Item, Outline};
use super::sentences::{Said, spell};
use super::{At, ChangeKind, Comparing, Grade};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

/// Where a list stands, for every change told of it.
struct Place<'s> {
    path: String,
    section: Option<&'s str>,
    called: Said,
}

impl Comparing<'_> {
    /// Which list a question chooses from, and what of it is offered.
    pub(super) fn choices_of(&mut self, old: &Item<'_>, new: &Item<'_>) {
        let named =
            |item: &Item<'_>| item.fields.get("x-choices").and_then(|choices| choices.get("list")).cloned();
        let inline = |item: &Item<'_>| item.fields.get("oneOf").and_then(Value::as_array).cloned();
        let (before, after) = (named(old), named(new));
        match (inline(old), inline(new)) {
            (Some(one), Some(other)) => {
                let (_, section, called) = self.of_item(new, "");
                let place =
                    Place { path: format!("{}/oneOf", new.pointer), section: section.as_deref(), called };
                self.choices(
                    &as_items(&one, &self.old, new.name),
                    &as_items(&other, &self.new, new.name),
                    &place,
                );
            }
            (one, other) if before != after || one.is_some() != other.is_some() => {
                let chosen = [one.is_some() || before.is_some(), other.is_some() || after.is_some()];
                if chosen == [true, true] {
                    self.another_list(old, new);
                }
            }
            _ => {}
        }
        let filter =
            |item: &Item<'_>| item.fields.get("x-choices").and_then(|choices| choices.get("filter")).cloned();
        let at = self.of_item(new, "/x-choices/filter");
        let (before, after) = (filter(old), filter(new));
        self.differ(
            ChangeKind::ChoiceFilterChanged,
            Grade::Compatible,
            || at,
            before.as_ref(),
            after.as_ref(),
        );
        let rest = |item: &Item<'_>| item.fields.get("x-choices").cloned().unwrap_or_default();
        let (path, section, what) = self.of_item(new, "/x-choices");
        self.rest(&rest(old), &rest(new), &["list", "filter"], &path, section.as_deref(), &what);
    }

    /// Old answers fit as long as the other list has their codes.
    fn another_list(&mut self, old: &Item<'_>, new: &Item<'_>) {
        let called =
            |item: &Item<'_>| match item.fields.get("x-choices").and_then(|choices| choices.get("list")) {
                Some(list) => list.clone(),
                None => json!("choices of its own"),
            };
        let (before, after) = (codes(old, &self.old), codes(new, &self.new));
        let grade = if before.iter().all(|code| after.contains(code)) {
            Grade::Compatible
        } else {
            Grade::NeedsMigration
        };
        let at = self.of_item(new, "/x-choices/list");
        let at = At { path: at.0, section: new.section, what: at.2 };
        self.tell(ChangeKind::ChoiceListChanged, grade, at, Some(&called(old)), Some(&called(new)));
    }

    pub(super) fn lists(&mut self) {
        let (old, new) = (&self.old.package.lists, &self.new.package.lists);
        for name in union(old, new) {
            let (before, after) = (old.get(&name), new.get(&name));
            let title =
                |language: &str| after.or(before).and_then(|list| list.get("title")?.get(language)?.as_str());
            let called = Said::named(title("en"), title("ur"), &name);
            let place = Place { path: format!("/lists/{name}"), section: None, called: called.clone() };
            let whole = |kind| (kind, At { path: place.path.clone(), section: None, what: called.clone() });
            let (Some(one), Some(other)) = (before, after) else {
                let (kind, at) =
                    whole(if after.is_some() { ChangeKind::ListAdded } else { ChangeKind::ListRemoved });
                let name = json!(name);
                self.tell(kind, Grade::Compatible, at, before.map(|_| &name), after.map(|_| &name));
                continue;
            };
            self.choices(&items(one), &items(other), &place);
            for keyword in union(fields(one), fields(other)).into_iter().filter(|keyword| keyword != "items")
            {
                let grade = if keyword == "columns" { Grade::Compatible } else { Grade::Labels };
                let at = || (format!("{}/{keyword}", place.path), None, called.clone());
                self.differ(ChangeKind::ListChanged, grade, at, one.get(&keyword), other.get(&keyword));
            }
        }
    }

    fn choices(&mut self, old: &[(String, Value)], new: &[(String, Value)], place: &Place<'_>) {
        let by_code =
            |items: &[(String, Value)]| -> HashMap<String, Value> { items.iter().cloned().collect() };
        let (before, after) = (by_code(old), by_code(new));
        for (key, item) in old.iter().filter(|(key, _)| !after.contains_key(key)) {
            self.choice(ChangeKind::ChoiceRemoved, Grade::Breaking, key, place, (Some(item), item), None);
        }
        for (key, item) in new {
            match before.get(key) {
                None => self.choice(
                    ChangeKind::ChoiceAdded,
                    Grade::Compatible,
                    key,
                    place,
                    (None, item),
                    Some(item),
                ),
                Some(before) => self.same_choice(key, before, item, place),
            }
        }
        let order = |these: &[(String, Value)], those: &HashMap<String, Value>| {
            let stays = these.iter().filter(|(key, _)| those.contains_key(key));
            json!(stays.map(|(key, _)| key).collect::<Vec<_>>())
        };
        let (before, after) = (order(old, &after), order(new, &before));
        let at = || (place.path.clone(), place.section.map(str::to_owned), place.called.clone());
        self.differ(ChangeKind::ChoicesReordered, Grade::Labels, at, Some(&before), Some(&after));
    }

    fn same_choice(&mut self, key: &str, old: &Value, new: &Value, place: &Place<'_>) {
        let part = |item: &Value, keyword: &str| item.get(keyword).filter(|value| !value.is_null()).cloned();
        let (before, after) = (part(old, "valid_to"), part(new, "valid_to"));
        if before != after {
            let spelled = |value: &Option<Value>| value.as_ref().map(spell);
            let shorter = match (spelled(&before), spelled(&after)) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(before), Some(after)) => after < before,
            };
            let kind = if shorter { ChangeKind::ChoiceRetired } else { ChangeKind::ChoiceReinstated };
            self.choice(kind, Grade::Compatible, key, place, (before.as_ref(), new), after.as_ref());
        }
        let (before, after) = (part(old, "title"), part(new, "title"));
        if before != after {
            let kind = ChangeKind::ChoiceRelabelled;
            self.choice(kind, Grade::Labels, key, place, (before.as_ref(), new), after.as_ref());
        }
        let others = |item: &Value| -> Value {
            let kept = fields(item).iter().filter(|(key, value)| {
                !["code", "title", "valid_to"].contains(&key.as_str()) && !value.is_null()
            });
            Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
        };
        let (before, after) = (others(old), others(new));
        if before != after {
            self.choice(
                ChangeKind::ChoiceChanged,
                Grade::Compatible,
                key,
                place,
                (Some(&before), new),
                Some(&after),
            );
        }
    }

    /// `before.1` is the choice that names itself.
    fn choice(
        &mut self,
        kind: ChangeKind,
        grade: Grade,
        key: &str,
        place: &Place<'_>,
        before: (Option<&Value>, &Value),
        after: Option<&Value>,
    ) {
        let title = |language: &str| before.1.get("title").and_then(|title| title.get(language)?.as_str());
        let what = Said::of(&Said::named(title("en"), title("ur"), key), &place.called);
        let at = At { path: format!("{}/{key}", place.path), section: place.section, what };
        self.tell(kind, grade, at, before.0, after);
    }
}

fn fields(value: &Value) -> &Map<String, Value> {
    static NOTHING: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NOTHING)
}

/// The items of a named list by code; from the second of one code on, `CODE.2`.
fn items(list: &Value) -> Vec<(String, Value)> {
    let items = list.get("items").and_then(Value::as_array);
    keyed(items.into_iter().flatten().cloned())
}

fn keyed(items: impl Iterator<Item = Value>) -> Vec<(String, Value)> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    items
        .map(|item| {
            let code = item.get("code").map(spell).unwrap_or_default();
            let times = seen.entry(code.clone()).or_default();
            *times += 1;
            (if *times == 1 { code } else { format!("{code}.{times}") }, item)
        })
        .collect()
}

/// `oneOf: [{const, title}]` as the items of a list, with the Urdu labels of `name=code`.
fn as_items(choices: &[Value], outline: &Outline<'_>, name: &str) -> Vec<(String, Value)> {
    keyed(choices.iter().map(|choice| {
        let code = choice.get("const").cloned().unwrap_or_default();
        let mut item = fields(choice).clone();
        item.remove("const");
        let english = item.remove("title").unwrap_or_default();
        let urdu = outline.label("ur", &format!("{name}={}", spell(&code)));
        item.insert("code".to_owned(), code);
        item.insert("title".to_owned(), json!({"en": english, "ur": urdu}));
        Value::Object(item)
    }))
}

fn codes(item: &Item<'_>, outline: &Outline<'_>) -> Vec<String> {
    let own = item.fields.get("oneOf").and_then(Value::as_array);
    if let Some(own) = own {
        return as_items(own, outline, item.name).into_iter().map(|(code, _)| code).collect();
    }
    let list = item.fields.get("x-choices").and_then(|choices| choices.get("list")?.as_str());
    let list = list.and_then(|list| outline.package.lists.get(list));
    list.map(items).unwrap_or_default().into_iter().map(|(code, _)| code).collect()
}
