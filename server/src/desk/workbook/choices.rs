//! The sheet `choices`: one row a choice, of the named lists and of the short lists written with questions (`question:zone`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use form_engine::Package;
use serde_json::{Map, Value, json};

use super::cells::{Row, Sheet, shown};
use super::layout::{CHOICE_COLUMNS, CHOICES};
use super::reading::Places;
use super::survey::items;

/// What the list of a question is called here.
const OF_QUESTION: &str = "question:";

/// What stands before the name of a list's column that is called as one of the sheet's own: `column list`.
const OF_LIST: &str = "column ";

/// The choices of a package, list by list.
struct List {
    /// As the sheet calls it.
    called: String,
    items: Vec<Value>,
    columns: Vec<Column>,
}

/// A column of a list.
struct Column {
    /// As the list calls it.
    keyword: String,
    /// As the sheet calls it.
    called: String,
}

impl Column {
    fn of(keyword: &str) -> Column {
        let taken = CHOICE_COLUMNS.iter().any(|(own, _)| *own == keyword) || keyword.starts_with(OF_LIST);
        let called = if taken { format!("{OF_LIST}{keyword}") } else { keyword.to_owned() };
        Column { keyword: keyword.to_owned(), called }
    }
}

fn lists(package: &Package) -> Vec<List> {
    let named = package.lists.iter().map(|(name, list)| List {
        called: name.clone(),
        items: list.get("items").and_then(Value::as_array).cloned().unwrap_or_default(),
        columns: columns(list),
    });
    let mut lists: Vec<List> = named.collect();
    for item in items(package) {
        if let Some(own) = item.fields.get("oneOf").and_then(Value::as_array) {
            let called = format!("{OF_QUESTION}{}", item.name);
            lists.push(List { called, items: own.clone(), columns: Vec::new() });
        }
    }
    lists
}

/// The list's own columns. One that is called as a column of the sheet is (`list` of the hazards) stands under `column list`.
fn columns(list: &Value) -> Vec<Column> {
    let columns =
        list.get("columns").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    columns.map(Column::of).collect()
}

/// The columns of all lists: those of the sheet beside its own.
pub(super) fn list_columns(package: &Package) -> Vec<String> {
    let all: BTreeSet<String> =
        package.lists.values().flat_map(columns).map(|column| column.called).collect();
    all.into_iter().collect()
}

/// Whether every value of a column is a text: then its cells are texts as they are, otherwise they are written as data.
fn is_text(items: &[Value], column: &str) -> bool {
    items.iter().filter_map(|item| item.get(column)).filter(|value| !value.is_null()).all(Value::is_string)
}

fn spelled(value: Option<&Value>, plain: bool) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if plain => text.clone(),
        Some(value) => value.to_string(),
    }
}

fn english(item: &Value) -> &str {
    let title = item.get("title").unwrap_or(&Value::Null);
    title.get("en").unwrap_or(title).as_str().unwrap_or_default()
}

fn code(item: &Value) -> &str {
    item.get("code").or_else(|| item.get("const")).and_then(Value::as_str).unwrap_or_default()
}

fn text(item: &Value, keyword: &str) -> String {
    item.get(keyword).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The rows of the sheet.
pub(super) fn rows(result: &Package) -> Vec<BTreeMap<String, String>> {
    let mut rows = Vec::new();
    for list in lists(result) {
        let plain: HashMap<&str, bool> = list
            .columns
            .iter()
            .map(|column| (column.keyword.as_str(), is_text(&list.items, &column.keyword)))
            .collect();
        for item in &list.items {
            let mut row = BTreeMap::from([
                ("list".to_owned(), list.called.clone()),
                ("code".to_owned(), code(item).to_owned()),
                ("label".to_owned(), english(item).to_owned()),
                ("valid from".to_owned(), text(item, "valid_from")),
                ("valid to".to_owned(), text(item, "valid_to")),
            ]);
            for column in &list.columns {
                let plain = plain.get(column.keyword.as_str()).copied().unwrap_or(false);
                row.insert(column.called.clone(), spelled(item.get(&column.keyword), plain));
            }
            rows.push(row);
        }
    }
    rows
}

/// Writes what the sheet says into the edited package. `result` is the draft the base and the details of new questions make.
pub(super) fn read(sheet: &Sheet, edited: &mut Package, places: &mut Places) {
    let known = list_columns(edited);
    for column in sheet.columns().filter(|column| !CHOICE_COLUMNS.iter().any(|(own, _)| own == column)) {
        if !known.iter().any(|other| other == column) {
            let message = format!("no list has a column {}", shown(column));
            let remedy = "remove the column, or name it as the downloaded workbook does";
            places.problems.push(super::at(CHOICES, "A1".to_owned(), "unknown_column", message, remedy));
        }
    }
    let mut by_list: BTreeMap<String, Vec<Row<'_>>> = BTreeMap::new();
    for row in sheet.rows() {
        by_list.entry(row.trimmed("list").to_owned()).or_default().push(row);
    }
    for list in lists(edited) {
        let rows = by_list.remove(&list.called).unwrap_or_default();
        if let Some(items) = one_list(&list, &rows, places) {
            put(edited, &list.called, items);
        }
    }
    // What is left are lists of the member's own, for questions of the member's own.
    for (name, rows) in by_list {
        new_list(&name, &rows, edited, places);
    }
}

fn new_list(name: &str, rows: &[Row<'_>], edited: &mut Package, places: &mut Places) {
    let Some(first) = rows.first() else { return };
    let fits = !name.is_empty()
        && name.len() <= 63
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'));
    if !fits {
        let message = format!("{} is no name of a list", shown(name));
        let remedy = "name a list of the base, or a new one in Latin lower-case letters, digits, - and _";
        places.problems.push(first.problem("list", "unknown_target", message, remedy));
        return;
    }
    let list = List { called: name.to_owned(), items: Vec::new(), columns: Vec::new() };
    places.note(&format!("/lists/{name}"), first, "list");
    if let Some(items) = one_list(&list, rows, places) {
        let title = json!({"en": name});
        edited
            .lists
            .insert(name.to_owned(), json!({"list": name, "title": title, "columns": [], "items": items}));
        edited.lists.sort_keys();
    }
}

/// The items of a list as its rows say; none where they cannot be told.
fn one_list(list: &List, rows: &[Row<'_>], places: &mut Places) -> Option<Vec<Value>> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    let mut known: HashMap<String, &Value> = HashMap::new();
    for item in &list.items {
        let times = times.entry(code(item)).or_default();
        *times += 1;
        known.insert(key(code(item), *times), item);
    }
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut items = Vec::new();
    for row in rows {
        let code = row.trimmed("code").to_owned();
        if code.is_empty() {
            places.problems.push(row.problem(
                "code",
                "no_name",
                "this choice has no code".to_owned(),
                "give it one, or empty the row",
            ));
            continue;
        }
        let times = seen.entry(code.clone()).or_default();
        *times += 1;
        let key = key(&code, *times);
        note(list, &key, row, places);
        match known.remove(&key) {
            Some(item) => items.push(changed(list, item, row, places)),
            None if *times > 1 => {
                let message = format!("{code} stands in {} more often than in the base", list.called);
                let remedy = "a code means one thing: give the choice another code";
                places.problems.push(row.problem("code", "duplicate_key", message, remedy));
            }
            None => items.push(added(list, &code, row, places)),
        }
    }
    let mut missing: Vec<String> = known.into_keys().collect();
    missing.sort();
    for key in missing {
        let message = format!("the row of {key} of {} is missing", list.called);
        let remedy = "put it back; what is no longer offered gets a last day in `valid to`";
        places.problems.push(super::at(CHOICES, "A1".to_owned(), "missing_row", message, remedy));
    }
    Some(items)
}

/// What messages of the engine call this choice.
fn note(list: &List, key: &str, row: &Row<'_>, places: &mut Places) {
    match list.called.strip_prefix(OF_QUESTION) {
        Some(question) => places.note(&format!("{question}={key}"), row, "label"),
        None => {
            places.note(&format!("~{}={key}", list.called), row, "label");
            places.note(&format!("/lists/{}/{key}", list.called), row, "code");
            places.note(&format!("{}={key}", list.called), row, "code");
        }
    }
}

fn key(code: &str, times: usize) -> String {
    if times <= 1 { code.to_owned() } else { format!("{code}.{times}") }
}

fn changed(list: &List, item: &Value, row: &Row<'_>, places: &mut Places) -> Value {
    let mut fields = item.as_object().cloned().unwrap_or_default();
    if row.text("label") != english(item) && row.trimmed("label") != english(item).trim() {
        retitle(&mut fields, row.text("label"));
    }
    for (column, keyword) in [("valid from", "valid_from"), ("valid to", "valid_to")] {
        let said = row.trimmed(column);
        if said != text(item, keyword) {
            match said {
                "" => drop(fields.shift_remove(keyword)),
                day => drop(fields.insert(keyword.to_owned(), day.into())),
            }
        }
    }
    for column in &list.columns {
        let now = spelled(item.get(&column.keyword), is_text(&list.items, &column.keyword));
        let called = column.called.as_str();
        if row.text(called) != now && row.trimmed(called) != now.trim() {
            let message = format!("the {} of {} is decided in the base", column.keyword, code(item));
            places.problems.push(row.problem(
                called,
                "not_an_operation",
                message,
                "undo it, or add a choice of your own",
            ));
        }
    }
    Value::Object(fields)
}

fn retitle(fields: &mut Map<String, Value>, english: &str) {
    match fields.get_mut("title").and_then(Value::as_object_mut) {
        Some(title) => drop(title.insert("en".to_owned(), english.into())),
        None => drop(fields.insert("title".to_owned(), english.into())),
    }
}

fn added(list: &List, code: &str, row: &Row<'_>, places: &mut Places) -> Value {
    let mut fields = Map::new();
    if list.called.starts_with(OF_QUESTION) {
        fields.insert("const".to_owned(), code.into());
        fields.insert("title".to_owned(), row.text("label").into());
    } else {
        fields.insert("code".to_owned(), code.into());
        fields.insert("title".to_owned(), json!({"en": row.text("label")}));
    }
    for column in list.columns.iter().filter(|column| !row.trimmed(&column.called).is_empty()) {
        let said = row.text(&column.called);
        let value = match is_text(&list.items, &column.keyword) {
            true => Some(said.into()),
            false => serde_json::from_str(said).ok(),
        };
        match value {
            Some(value) => drop(fields.insert(column.keyword.clone(), value)),
            None => {
                let message = format!("{} cannot be the {} of {code}", shown(said), column.keyword);
                let remedy = "write it as the other rows of the list do";
                places.problems.push(row.problem(&column.called, "wrong_value", message, remedy));
            }
        }
    }
    for (column, keyword) in [("valid from", "valid_from"), ("valid to", "valid_to")] {
        if !row.trimmed(column).is_empty() {
            fields.insert(keyword.to_owned(), row.trimmed(column).into());
        }
    }
    Value::Object(fields)
}

fn put(edited: &mut Package, called: &str, items: Vec<Value>) {
    match called.strip_prefix(OF_QUESTION) {
        None => {
            if let Some(list) = edited.lists.get_mut(called).and_then(Value::as_object_mut) {
                list.insert("items".to_owned(), Value::Array(items));
            }
        }
        Some(question) => {
            let pointer = super::survey::items(edited)
                .into_iter()
                .find(|item| item.name == question)
                .map(|item| item.pointer);
            let fields = pointer.and_then(|pointer| edited.definition.pointer_mut(&pointer)?.as_object_mut());
            if let Some(fields) = fields {
                fields.insert("oneOf".to_owned(), Value::Array(items));
            }
        }
    }
}
