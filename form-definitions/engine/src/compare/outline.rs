//! A package as a flat outline: every section, repeat and question by name, with where it stands.

use super::sentences::Said;
use crate::package::Package;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Deeper than any form that compiles.
const DEEPEST: usize = 8;

/// One package, by names.
pub(super) struct Outline<'p> {
    pub(super) package: &'p Package,
    pub(super) root: &'p Map<String, Value>,
    /// In the order of asking.
    pub(super) items: Vec<Item<'p>>,
    by_name: HashMap<&'p str, usize>,
}

/// A section, a repeat or a question.
#[derive(Clone)]
pub(super) struct Item<'p> {
    pub(super) name: &'p str,
    pub(super) sort: Sort,
    /// The section it stands in; a section stands in itself.
    pub(super) section: Option<&'p str>,
    /// The repeat whose row it stands in.
    pub(super) row_of: Option<&'p str>,
    pub(super) pointer: String,
    pub(super) fields: &'p Map<String, Value>,
    /// Named by the plain `required` of what it stands in.
    pub(super) plainly_required: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Section,
    Repeat,
    Question,
}

impl<'p> Outline<'p> {
    pub(super) fn of(package: &'p Package) -> Outline<'p> {
        static NOTHING: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        let root = package.definition.as_object().unwrap_or(&NOTHING);
        let mut items = Vec::new();
        gather(root, "", None, None, 0, &mut items);
        let mut by_name = HashMap::new();
        for (place, item) in items.iter().enumerate() {
            by_name.entry(item.name).or_insert(place);
        }
        // A name used twice is a mistake that `compile` tells of; here the first counts.
        let mut place = 0;
        items.retain(|item: &Item<'_>| {
            place += 1;
            by_name.get(item.name) == Some(&(place - 1))
        });
        let by_name = items.iter().enumerate().map(|(place, item)| (item.name, place)).collect();
        Outline { package, root, items, by_name }
    }

    pub(super) fn item(&self, name: &str) -> Option<&Item<'p>> {
        self.by_name.get(name).and_then(|place| self.items.get(*place))
    }

    /// The text of a key in a language of the package.
    pub(super) fn label(&self, language: &str, key: &str) -> Option<&'p str> {
        self.package.i18n.get(language)?.get("labels")?.get(key)?.as_str()
    }

    /// “Zone” (zone), in both languages; marked where only the reviewer answers it.
    pub(super) fn call(&self, name: &str) -> Said {
        let title = self.item(name).and_then(|item| item.fields.get("title")?.as_str());
        let at_review = self.item(name).is_some_and(|item| item.fields.contains_key("x-asked-of"));
        Said::named(title, self.label("ur", name), name).at_review(at_review)
    }
}

fn gather<'p>(
    fields: &'p Map<String, Value>,
    pointer: &str,
    section: Option<&'p str>,
    row_of: Option<&'p str>,
    depth: usize,
    items: &mut Vec<Item<'p>>,
) {
    let required: Vec<&str> = fields
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = fields.get("properties").and_then(Value::as_object).filter(|_| depth < DEEPEST);
    for (name, schema) in properties.into_iter().flatten() {
        let Some(fields) = schema.as_object() else { continue };
        let pointer = format!("{pointer}/properties/{name}");
        let sort = sort(fields, depth);
        let section = if sort == Sort::Section { Some(name.as_str()) } else { section };
        items.push(Item {
            name,
            sort,
            section,
            row_of,
            pointer: pointer.clone(),
            fields,
            plainly_required: required.contains(&name.as_str()),
        });
        match sort {
            Sort::Section => gather(fields, &pointer, section, None, depth + 1, items),
            Sort::Repeat => {
                let row = fields.get("items").and_then(Value::as_object);
                if let Some(row) = row {
                    gather(row, &format!("{pointer}/items"), section, Some(name), depth + 1, items);
                }
            }
            Sort::Question => {}
        }
    }
}

fn sort(fields: &Map<String, Value>, depth: usize) -> Sort {
    let of = fields.get("items").and_then(|items| items.get("type")?.as_str());
    match fields.get("type").and_then(Value::as_str) {
        Some("object") if depth == 0 => Sort::Section,
        Some("array") if of == Some("object") => Sort::Repeat,
        _ => Sort::Question,
    }
}
