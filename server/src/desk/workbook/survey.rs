//! The sheet `survey`: one row a section, repeat or question, in the order of asking.

use std::collections::{BTreeMap, HashMap, HashSet};

use form_engine::Package;
use form_engine::overlay::Operation;
use serde_json::{Map, Value, json};

use super::cells::{Row, Sheet, shown};
use super::layout::SURVEY;
use super::reading::Places;

/// Deeper than any form that compiles.
const DEEPEST: usize = 8;

/// A section, repeat or question of a package.
pub(super) struct Item<'p> {
    pub(super) name: &'p str,
    pub(super) parent: Option<&'p str>,
    pub(super) pointer: String,
    pub(super) fields: &'p Map<String, Value>,
}

/// All of them, in the order of asking.
pub(super) fn items(package: &Package) -> Vec<Item<'_>> {
    fn gather<'p>(
        fields: &'p Map<String, Value>,
        at: (&str, Option<&'p str>),
        depth: usize,
        found: &mut Vec<Item<'p>>,
    ) {
        let inner = fields.get("properties").and_then(Value::as_object).filter(|_| depth < DEEPEST);
        for (name, item) in inner.into_iter().flatten() {
            let Some(fields) = item.as_object() else { continue };
            let pointer = format!("{}/properties/{name}", at.0);
            found.push(Item { name, parent: at.1, pointer: pointer.clone(), fields });
            match row_of(fields) {
                Some(row) => gather(row, (&format!("{pointer}/items"), Some(name)), depth + 1, found),
                None => gather(fields, (&pointer, Some(name)), depth + 1, found),
            }
        }
    }
    let mut found = Vec::new();
    if let Some(root) = package.definition.as_object() {
        gather(root, ("", None), 0, &mut found);
    }
    found
}

/// The object a repeat's rows are made of.
pub(super) fn row_of(fields: &Map<String, Value>) -> Option<&Map<String, Value>> {
    fields
        .get("items")
        .and_then(Value::as_object)
        .filter(|row| row.get("type").and_then(Value::as_str) == Some("object"))
}

/// The rows of the sheet.
pub(super) fn rows(
    base: &Package,
    result: &Package,
    operations: &[Operation],
) -> Vec<BTreeMap<String, String>> {
    let known: HashSet<&str> = items(base).into_iter().map(|item| item.name).collect();
    let accepted: HashMap<&str, String> = operations
        .iter()
        .filter_map(|operation| match operation {
            Operation::Hide { question, accepting, .. } => Some((question.as_str(), accepting.join(", "))),
            _ => None,
        })
        .collect();
    let rows = items(result).into_iter().map(|item| {
        let mut row: BTreeMap<String, String> = BTreeMap::new();
        row.insert("name".to_owned(), item.name.to_owned());
        row.insert("in".to_owned(), item.parent.unwrap_or_default().to_owned());
        row.insert("type".to_owned(), type_of(item.fields, item.parent.is_none()).to_owned());
        row.insert("list".to_owned(), list_of(item.fields).to_owned());
        for column in EDITABLE.iter().chain(SHOWN) {
            row.insert((*column).to_owned(), render(item.fields, column));
        }
        row.insert("goes without it".to_owned(), accepted.get(item.name).cloned().unwrap_or_default());
        row.insert("locked".to_owned(), text(item.fields, "x-locked").to_owned());
        if !known.contains(item.name) {
            row.insert("details".to_owned(), Value::Object(apart(item.fields)).to_string());
        }
        row
    });
    rows.collect()
}

/// A question without what has rows of its own: what stands in it, and its checks.
fn apart(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut own = fields.clone();
    own.shift_remove("x-constraints");
    own.shift_remove("properties");
    if let Some(row) = own.get_mut("items").and_then(Value::as_object_mut)
        && row.contains_key("properties")
    {
        row.insert("properties".to_owned(), json!({}));
        row.shift_remove("x-constraints");
    }
    own
}

/// Columns operations can change.
const EDITABLE: &[&str] = &[
    "label",
    "hint",
    "relevant",
    "required",
    "calculation",
    "default",
    "choice filter",
    "minimum",
    "maximum",
    "shortest",
    "longest",
    "fewest",
    "most",
    "hidden because",
];
/// Columns that are decided when a question is added.
const SHOWN: &[&str] = &["asked of", "unit", "sensitivity", "purpose", "retention"];

fn keyword(column: &str) -> &'static str {
    match column {
        "label" => "title",
        "hint" => "description",
        "relevant" => "x-relevant",
        "required" => "x-required",
        "calculation" => "x-calculate",
        "default" => "x-default",
        "minimum" => "minimum",
        "maximum" => "maximum",
        "shortest" => "minLength",
        "longest" => "maxLength",
        "fewest" => "minItems",
        "most" => "maxItems",
        "asked of" => "x-asked-of",
        "unit" => "x-unit",
        "sensitivity" => "x-sensitivity",
        "purpose" => "x-purpose",
        "retention" => "x-retention",
        "hidden because" => "x-hidden",
        _ => "",
    }
}

fn text<'p>(fields: &'p Map<String, Value>, keyword: &str) -> &'p str {
    fields.get(keyword).and_then(Value::as_str).unwrap_or_default()
}

fn list_of(fields: &Map<String, Value>) -> &str {
    fields.get("x-choices").and_then(|choices| choices.get("list")?.as_str()).unwrap_or_default()
}

/// A part of a question as its cell shows it.
fn render(fields: &Map<String, Value>, column: &str) -> String {
    let value = match column {
        "choice filter" => fields.get("x-choices").and_then(|choices| choices.get("filter")),
        _ => fields.get(keyword(column)),
    };
    match (column, value) {
        ("required", Some(Value::Bool(always))) => (if *always { "yes" } else { "no" }).to_owned(),
        (_, Some(Value::String(text))) => text.clone(),
        (_, Some(value)) if !value.is_null() => value.to_string(),
        _ => String::new(),
    }
}

fn type_of(fields: &Map<String, Value>, at_root: bool) -> &'static str {
    let kind = text(fields, "type");
    let has_choices = fields.contains_key("oneOf") || fields.contains_key("x-choices");
    match (kind, text(fields, "format")) {
        ("object", _) if at_root => "section",
        ("array", _) if row_of(fields).is_some() => "rows",
        ("array", _) => "several of",
        ("string", _) if has_choices => "one of",
        ("string", "date") => "date",
        ("string", "date-time") => "moment",
        ("string", _) => "text",
        ("integer", _) => "whole number",
        ("number", _) => "number",
        ("boolean", _) => "yes or no",
        ("object", _) => "calculated",
        _ => match text(fields, "$ref").rsplit('/').next().unwrap_or_default() {
            "time" => "time",
            "geopoint" => "place",
            "media" => "photo",
            _ => "other",
        },
    }
}

/// The plain schema of a new question.
fn schema(kind: &str, list: &str) -> Option<Map<String, Value>> {
    let written = match kind {
        "text" => json!({"type": "string", "maxLength": 500}),
        "whole number" => json!({"type": "integer"}),
        "number" => json!({"type": "number"}),
        "yes or no" => json!({"type": "boolean"}),
        "date" => json!({"type": "string", "format": "date"}),
        "time" => json!({"$ref": "#/$defs/time"}),
        "place" => json!({"$ref": "#/$defs/geopoint"}),
        "one of" => json!({"type": "string", "x-choices": {"list": list}}),
        "several of" => {
            json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true, "x-choices": {"list": list}})
        }
        _ => return None,
    };
    written.as_object().cloned()
}

/// What the rows of the sheet say.
pub(super) struct Survey {
    /// What may go without a hidden question, as the sheet says.
    pub(super) accepting: HashMap<String, Vec<String>>,
}

/// Writes what the sheet says into the edited package.
pub(super) fn read(sheet: &Sheet, edited: &mut Package, places: &mut Places) -> Survey {
    let mut reading =
        Reading { edited, places, pointers: HashMap::new(), order: Vec::new(), accepting: HashMap::new() };
    let known: Vec<(String, Option<String>, String)> = items(reading.edited)
        .into_iter()
        .map(|item| (item.name.to_owned(), item.parent.map(str::to_owned), item.pointer))
        .collect();
    let base: HashMap<String, (Option<String>, String)> = known
        .iter()
        .map(|(name, parent, pointer)| (name.clone(), (parent.clone(), pointer.clone())))
        .collect();
    let mut seen: HashMap<String, String> = HashMap::new();
    for row in sheet.rows() {
        let name = row.trimmed("name").to_owned();
        if name.is_empty() {
            let remedy = "give each row a name, or empty the row";
            reading.places.problems.push(row.problem(
                "name",
                "no_name",
                "this row has no name".to_owned(),
                remedy,
            ));
            continue;
        }
        if let Some(earlier) = seen.get(&name) {
            let message = format!("{name} stands in {earlier} already");
            let remedy = "names are unique: remove one of the two rows, or give it another name";
            reading.places.problems.push(row.problem("name", "duplicate_key", message, remedy));
            continue;
        }
        seen.insert(name.clone(), row.cell("name"));
        reading.places.note(&name, &row, "name");
        reading.places.rows.insert(name.clone(), row.number);
        match base.get(&name) {
            Some((parent, pointer)) => reading.known(&row, &name, parent.as_deref(), pointer),
            None => reading.add(&row, &name),
        }
    }
    for (name, ..) in known.iter().filter(|(name, ..)| !seen.contains_key(name)) {
        let message = format!("the row of {name} is missing");
        let remedy = "put it back; what is no longer asked gets a reason in the column `hidden because`";
        reading.places.problems.push(super::at(SURVEY, "A1".to_owned(), "missing_row", message, remedy));
    }
    reading.put_in_order();
    Survey { accepting: reading.accepting }
}

struct Reading<'e> {
    edited: &'e mut Package,
    places: &'e mut Places,
    /// Where new sections and repeats stand.
    pointers: HashMap<String, String>,
    /// What stands where, in the order of rows.
    order: Vec<(Option<String>, String)>,
    accepting: HashMap<String, Vec<String>>,
}

impl Reading<'_> {
    fn known(&mut self, row: &Row<'_>, name: &str, parent: Option<&str>, pointer: &str) {
        if row.trimmed("in") != parent.unwrap_or_default() {
            let message =
                format!("{name} stands in {}, and cannot be moved", parent.unwrap_or("the form itself"));
            self.places.problems.push(row.problem(
                "in",
                "not_an_operation",
                message,
                "undo it: only the order within a place can change",
            ));
            return;
        }
        self.order.push((parent.map(str::to_owned), name.to_owned()));
        let fields =
            self.edited.definition.pointer(pointer).and_then(Value::as_object).cloned().unwrap_or_default();
        for (column, now) in [("type", type_of(&fields, parent.is_none())), ("list", list_of(&fields))] {
            if row.trimmed(column) != now {
                let message =
                    format!("the {column} of {name} cannot be changed: old answers would lose their meaning");
                self.places.problems.push(row.problem(
                    column,
                    "not_an_operation",
                    message,
                    "undo it, or add a question of your own",
                ));
            }
        }
        for column in SHOWN {
            if row.text(column) != render(&fields, column)
                && row.trimmed(column) != render(&fields, column).trim()
            {
                let message = format!("the {column} of {name} is decided in the base");
                self.places.problems.push(row.problem(column, "not_an_operation", message, "undo it"));
            }
        }
        let edited = self.columns(row, name, fields);
        self.put(pointer, edited);
        self.accepted(row, name);
    }

    fn accepted(&mut self, row: &Row<'_>, name: &str) {
        let rules = row.trimmed("goes without it").split([',', ';', '\n']).map(str::trim);
        let rules: Vec<String> = rules.filter(|rule| !rule.is_empty()).map(str::to_owned).collect();
        self.accepting.insert(name.to_owned(), rules);
    }

    fn put(&mut self, pointer: &str, fields: Map<String, Value>) {
        if let Some(place) = self.edited.definition.pointer_mut(pointer) {
            *place = Value::Object(fields);
        }
    }

    /// The fields with what the cells say differently.
    fn columns(&mut self, row: &Row<'_>, name: &str, mut fields: Map<String, Value>) -> Map<String, Value> {
        let before = fields.clone();
        for column in EDITABLE {
            let (now, said) = (render(&before, column), row.text(column));
            if said == now || said.trim() == now.trim() {
                continue;
            }
            // A question that is asked again is shown as it was.
            let hidden = !row.trimmed("hidden because").is_empty();
            if *column == "relevant" && said.trim() == "false" && !hidden && before.contains_key("x-relevant")
            {
                continue;
            }
            if let Err((message, remedy)) = write(&mut fields, column, said) {
                let message = format!("{message} of {name}");
                self.places.problems.push(row.problem(column, "wrong_value", message, remedy));
            }
        }
        if fields.contains_key("x-hidden") && !before.contains_key("x-hidden") {
            fields.insert("x-relevant".to_owned(), "false".into());
        }
        fields
    }

    /// A section more, before its questions.
    fn add_section(&mut self, row: &Row<'_>, name: &str) {
        let details = row.details();
        let fields = serde_json::from_str::<Map<String, Value>>(&details).unwrap_or_default();
        let mut fields = self.columns(row, name, fields);
        fields.insert("type".to_owned(), "object".into());
        fields.insert("additionalProperties".to_owned(), false.into());
        fields.insert("properties".to_owned(), json!({}));
        let pointer = format!("/properties/{name}");
        self.pointers.insert(name.to_owned(), pointer);
        if let Some(root) = self.edited.definition.get_mut("properties").and_then(Value::as_object_mut) {
            root.insert(name.to_owned(), Value::Object(fields));
            self.order.push((None, name.to_owned()));
            self.accepted(row, name);
        }
    }

    fn add(&mut self, row: &Row<'_>, name: &str) {
        let parent = row.trimmed("in").to_owned();
        if parent.is_empty() && row.trimmed("type") == "section" {
            return self.add_section(row, name);
        }
        let Some(holder) = self.holder(&parent) else {
            let message =
                format!("{name} would stand in {}, which is no section or repeat above it", shown(&parent));
            self.places.problems.push(row.problem(
                "in",
                "unknown_target",
                message,
                "write the name of a section or repeat",
            ));
            return;
        };
        let details = row.details();
        let fields = match details.trim().is_empty() {
            false => serde_json::from_str::<Map<String, Value>>(&details).ok(),
            true => schema(row.trimmed("type"), row.trimmed("list")),
        };
        let Some(mut fields) = fields else {
            let message = format!("{} is no type of a new question", shown(row.trimmed("type")));
            let remedy = "write text, whole number, number, yes or no, date, time, place, one of, several of";
            self.places.problems.push(row.problem("type", "wrong_value", message, remedy));
            return;
        };
        if details.trim().is_empty() {
            for column in SHOWN.iter().filter(|column| !row.trimmed(column).is_empty()) {
                fields.insert(keyword(column).to_owned(), row.trimmed(column).into());
            }
            if !row.trimmed("calculation").is_empty() {
                fields.insert("readOnly".to_owned(), true.into());
            }
        }
        let fields = self.columns(row, name, fields);
        let pointer = format!("{holder}/properties/{name}");
        if fields.get("type").and_then(Value::as_str) == Some("array") && row_of(&fields).is_some() {
            self.pointers.insert(name.to_owned(), format!("{pointer}/items"));
        }
        let place = self
            .edited
            .definition
            .pointer_mut(&holder)
            .and_then(|holder| holder.get_mut("properties")?.as_object_mut());
        if let Some(place) = place {
            place.insert(name.to_owned(), Value::Object(fields));
            self.order.push((Some(parent), name.to_owned()));
            self.accepted(row, name);
        }
    }

    /// What holds the questions of a section or repeat.
    fn holder(&self, name: &str) -> Option<String> {
        if let Some(pointer) = self.pointers.get(name) {
            return Some(pointer.clone());
        }
        let items = items(self.edited);
        let item = items.iter().find(|item| item.name == name)?;
        match row_of(item.fields) {
            Some(_) => Some(format!("{}/items", item.pointer)),
            None => item.parent.is_none().then(|| item.pointer.clone()),
        }
    }

    /// The order of rows is the order of asking.
    fn put_in_order(&mut self) {
        let mut places: Vec<Option<String>> = Vec::new();
        for (place, _) in &self.order {
            if !places.contains(place) {
                places.push(place.clone());
            }
        }
        for place in places {
            let holder = match &place {
                None => Some(String::new()),
                Some(name) => self.holder(name),
            };
            let holder = holder.and_then(|holder| {
                self.edited.definition.pointer_mut(&holder)?.get_mut("properties")?.as_object_mut()
            });
            let Some(holder) = holder else { continue };
            let mut old = std::mem::take(holder);
            for (_, name) in self.order.iter().filter(|(other, _)| *other == place) {
                if let Some((name, item)) = old.shift_remove_entry(name) {
                    holder.insert(name, item);
                }
            }
            holder.extend(old);
        }
    }
}

/// Writes a cell into a question.
fn write(fields: &mut Map<String, Value>, column: &str, said: &str) -> Result<(), (String, &'static str)> {
    let word = said.trim();
    let keyword = keyword(column);
    match column {
        "minimum" | "maximum" | "shortest" | "longest" | "fewest" | "most" => {
            if word.is_empty() {
                fields.shift_remove(keyword);
                return Ok(());
            }
            let number = serde_json::from_str::<Value>(word).ok().filter(Value::is_number);
            let number = number
                .ok_or_else(|| (format!("{} is no number: the {column}", shown(word)), "write a number"))?;
            fields.insert(keyword.to_owned(), number);
        }
        "required" => {
            let value = match word {
                "" | "no" | "false" => None,
                "yes" | "true" => Some(Value::Bool(true)),
                rule => Some(rule.into()),
            };
            match value {
                Some(value) => drop(fields.insert(keyword.to_owned(), value)),
                None => drop(fields.shift_remove(keyword)),
            }
        }
        "choice filter" => {
            let choices = fields.entry("x-choices").or_insert_with(|| json!({}));
            if let Some(choices) = choices.as_object_mut() {
                match word {
                    "" => drop(choices.shift_remove("filter")),
                    rule => drop(choices.insert("filter".to_owned(), rule.into())),
                }
                if choices.is_empty() {
                    fields.shift_remove("x-choices");
                }
            }
        }
        _ if word.is_empty() => drop(fields.shift_remove(keyword)),
        // Labels keep their spaces and lines; rules do not need them.
        "label" | "hint" => drop(fields.insert(keyword.to_owned(), said.into())),
        _ => drop(fields.insert(keyword.to_owned(), word.into())),
    }
    Ok(())
}
