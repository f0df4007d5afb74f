//! The sheets `settings` (what the workbook was made from, and titles that stand nowhere else) and `parameters` (legal limits with their days).

use std::collections::{BTreeMap, HashSet};

use form_engine::Package;
use form_engine::overlay::{Operation, ParameterValue};
use serde_json::Value;

use super::cells::{Row, Sheet, shown};
use super::layout::{EDITION, PARAMETERS, SETTINGS};
use super::reading::Places;

/// The rows of `settings`.
pub(super) fn rows(base: &Package, result: &Package) -> Vec<BTreeMap<String, String>> {
    let title =
        |keyword: &str| result.definition.get(keyword).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut said = vec![
        ("workbook".to_owned(), EDITION.to_owned()),
        ("form".to_owned(), base.form.clone()),
        ("base version".to_owned(), base.version.to_string()),
        ("base hash".to_owned(), base.hash()),
        ("title".to_owned(), title("title")),
        ("description".to_owned(), title("description")),
    ];
    for (name, list) in &result.lists {
        said.push((format!("list {name}"), list_title(list).to_owned()));
    }
    said.into_iter()
        .map(|(key, value)| BTreeMap::from([("setting".to_owned(), key), ("value".to_owned(), value)]))
        .collect()
}

fn list_title(list: &Value) -> &str {
    let title = list.get("title").unwrap_or(&Value::Null);
    title.get("en").unwrap_or(title).as_str().unwrap_or_default()
}

/// Refuses a workbook of another base, and writes its titles into the edited package.
pub(super) fn read(sheet: &Sheet, base: &Package, edited: &mut Package, places: &mut Places) {
    let mut seen = HashSet::new();
    let expected =
        [("workbook", EDITION.to_owned()), ("form", base.form.clone()), ("base hash", base.hash())];
    for row in sheet.rows() {
        let (key, value) = (row.trimmed("setting").to_owned(), row.text("value").to_owned());
        if !seen.insert(key.clone()) {
            places.problems.push(row.problem(
                "setting",
                "duplicate_key",
                format!("{} stands there twice", shown(&key)),
                "remove one of the two",
            ));
            continue;
        }
        if let Some((_, wanted)) = expected.iter().find(|(known, _)| *known == key) {
            if value.trim() != wanted {
                let message = format!("the workbook was made from another {key}");
                let remedy = "download the workbook of this draft again, and carry your changes over";
                places.problems.push(row.problem("value", "another_base", message, remedy));
            }
            continue;
        }
        match key.as_str() {
            "base version" => {}
            "title" | "description" => retitle(&key, &row, edited, places),
            _ => list(&key, &row, edited, places),
        }
    }
    for (key, _) in expected.iter().filter(|(key, _)| !seen.contains(*key)) {
        let message = format!("the setting {key} is missing");
        let remedy = "download the workbook of this draft again, and carry your changes over";
        places.problems.push(super::at(SETTINGS, "A1".to_owned(), "missing_row", message, remedy));
    }
}

fn retitle(keyword: &str, row: &Row<'_>, edited: &mut Package, places: &mut Places) {
    let key = if keyword == "title" { "form" } else { "form#description" };
    places.note(key, row, "value");
    let Some(root) = edited.definition.as_object_mut() else { return };
    let now = root.get(keyword).and_then(Value::as_str).unwrap_or_default();
    if now.trim() != row.trimmed("value") {
        root.insert(keyword.to_owned(), row.text("value").into());
    }
}

fn list(key: &str, row: &Row<'_>, edited: &mut Package, places: &mut Places) {
    let name = key.strip_prefix("list ").map(str::trim);
    let Some(list) = name.and_then(|name| edited.lists.get_mut(name)) else {
        let message = format!("there is no setting {}", shown(key));
        places.problems.push(row.problem("setting", "unknown_target", message, "remove the row"));
        return;
    };
    places.note(&format!("~{}", name.unwrap_or_default()), row, "value");
    if list_title(list).trim() == row.trimmed("value") {
        return;
    }
    match list.get_mut("title").and_then(Value::as_object_mut) {
        Some(title) => drop(title.insert("en".to_owned(), row.text("value").into())),
        None => {
            if let Some(list) = list.as_object_mut() {
                list.insert("title".to_owned(), row.text("value").into());
            }
        }
    }
}

fn text(row: &Value, keyword: &str) -> String {
    row.get(keyword).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn spelled(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) if !value.is_null() => value.to_string(),
        _ => String::new(),
    }
}

/// The columns of a parameter row, with their keyword.
const COLUMNS: &[(&str, &str)] = &[
    ("value", "value"),
    ("unit", "unit"),
    ("valid from", "valid_from"),
    ("valid to", "valid_to"),
    ("area", "area"),
    ("source", "source"),
    ("certainty", "certainty"),
];

/// The rows of `parameters`.
pub(super) fn parameter_rows(result: &Package) -> Vec<BTreeMap<String, String>> {
    let rows = result.parameters.iter().map(|row| {
        let mut said = BTreeMap::from([("key".to_owned(), text(row, "key"))]);
        said.extend(
            COLUMNS.iter().map(|(column, keyword)| ((*column).to_owned(), spelled(row.get(*keyword)))),
        );
        said
    });
    rows.collect()
}

/// The values the sheet has beyond those of the base.
pub(super) fn parameters(sheet: &Sheet, base: &Package, places: &mut Places) -> Vec<Operation> {
    let mut operations = Vec::new();
    let mut met: HashSet<usize> = HashSet::new();
    for row in sheet.rows() {
        let key = row.trimmed("key").to_owned();
        places.note(&key, &row, "value");
        let same = |known: &Value| {
            text(known, "key") == key
                && text(known, "area") == row.trimmed("area")
                && text(known, "valid_from") == row.trimmed("valid from")
        };
        let known =
            base.parameters.iter().enumerate().find(|(place, known)| !met.contains(place) && same(known));
        match known {
            Some((place, known)) => {
                met.insert(place);
                unchanged(&row, known, places);
            }
            None => operations.extend(new_value(&row, &key, base, places)),
        }
    }
    for (_, row) in base.parameters.iter().enumerate().filter(|(place, _)| !met.contains(place)) {
        let message = format!("the row of {} from {} is missing", text(row, "key"), text(row, "valid_from"));
        let remedy = "put it back as it was: past visits keep the value of their day. A new value gets a row of its own";
        places.problems.push(super::at(PARAMETERS, "A1".to_owned(), "missing_row", message, remedy));
    }
    operations
}

fn unchanged(row: &Row<'_>, known: &Value, places: &mut Places) {
    for (column, keyword) in COLUMNS {
        if row.trimmed(column) != spelled(known.get(*keyword)).trim() {
            let message = format!("a value of {} that holds already would be rewritten", text(known, "key"));
            let remedy = "undo it, and give the new value a row of its own with a later first day";
            places.problems.push(row.problem(column, "day_taken", message, remedy));
        }
    }
}

fn new_value(row: &Row<'_>, key: &str, base: &Package, places: &mut Places) -> Option<Operation> {
    let first = base.parameters.iter().find(|known| text(known, "key") == key);
    let said = row.text("value").trim();
    let is_text = first.and_then(|first| first.get("value")).is_some_and(Value::is_string);
    let value = match is_text {
        true => Value::String(said.to_owned()),
        false => serde_json::from_str(said).unwrap_or_else(|_| Value::String(said.to_owned())),
    };
    if said.is_empty() {
        places.problems.push(row.problem(
            "value",
            "wrong_value",
            format!("{key} has no value here"),
            "write one, or empty the row",
        ));
        return None;
    }
    let word = |column: &str| Some(row.trimmed(column).to_owned()).filter(|word| !word.is_empty());
    let unit = word("unit").filter(|unit| first.is_none_or(|first| text(first, "unit") != *unit));
    Some(Operation::SetParameter(ParameterValue {
        key: key.to_owned(),
        value,
        unit,
        valid_from: word("valid from").unwrap_or_default(),
        valid_to: word("valid to"),
        area: word("area"),
        source: row.text("source").to_owned(),
        certainty: word("certainty").unwrap_or_default(),
    }))
}
