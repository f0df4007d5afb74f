//! Choice lists: named lists of the package, and short lists written with a question.
//!
//! A code may stand more than once with different dates: districts were split, and the old code is right for an old visit.

use super::Constant;
use super::reader::Reader;
use crate::codes::Code;
use crate::eval::dates::parse_date;
use crate::outcome::Texts;
use chrono::NaiveDate;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

pub(crate) type ListId = usize;

/// A list of codes with their columns and dates.
#[derive(Default)]
pub(crate) struct ChoiceList {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    pub(crate) items: Vec<ChoiceItem>,
    by_code: HashMap<String, Vec<usize>>,
}

/// One code that can be chosen while it is in force.
pub(crate) struct ChoiceItem {
    pub(crate) code: String,
    /// Its place in the list.
    pub(crate) place: u32,
    pub(crate) title: Arc<Texts>,
    valid_from: Option<NaiveDate>,
    valid_to: Option<NaiveDate>,
    /// In the order of the list's columns.
    pub(crate) columns: Vec<Constant>,
}

impl ChoiceItem {
    /// Whether the item is in force on that day: from `valid_from`, up to but not on `valid_to`.
    pub(crate) fn is_in_force(&self, on: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= on) && self.valid_to.is_none_or(|to| on < to)
    }

    /// Whether both are in force on some day.
    fn overlaps(&self, other: &ChoiceItem) -> bool {
        let begins_before =
            |from: Option<NaiveDate>, to: Option<NaiveDate>| from.zip(to).is_none_or(|(from, to)| from < to);
        begins_before(self.valid_from, other.valid_to) && begins_before(other.valid_from, self.valid_to)
    }
}

impl ChoiceList {
    /// Most items one code has.
    pub(crate) fn most_of_one_code(&self) -> usize {
        self.by_code.values().map(Vec::len).max().unwrap_or(0)
    }

    pub(crate) fn has(&self, code: &str) -> bool {
        self.by_code.contains_key(code)
    }

    /// The items of that code, whatever their dates.
    pub(crate) fn items_of(&self, code: &str) -> impl Iterator<Item = &ChoiceItem> {
        self.by_code.get(code).into_iter().flatten().filter_map(|&place| self.items.get(place))
    }

    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    fn push(&mut self, mut item: ChoiceItem) {
        item.place = self.items.len() as u32;
        self.by_code.entry(item.code.clone()).or_default().push(self.items.len());
        self.items.push(item);
    }
}

/// Reads a named list (`choice-lists/<list>.json`).
pub(crate) fn read_named(reader: &mut Reader<'_>, name: &str, list: &Value) -> ChoiceList {
    let pointer = format!("/lists/{name}");
    if let Some(called) = list.get("list").and_then(Value::as_str).filter(|called| *called != name) {
        let (message, remedy) = match name.starts_with(called) {
            true => (
                format!("two lists are called {called}"),
                "keep one of them, or give the other a name of its own",
            ),
            false => {
                (format!("the list {name} calls itself {called}"), "let `list` be the name it is known by")
            }
        };
        reader.problem(&pointer, Code::DuplicateList, message, remedy);
    }
    let names = list.get("columns").and_then(Value::as_array);
    let names = names.into_iter().flatten().filter_map(Value::as_str);
    let mut read = ChoiceList {
        name: name.to_owned(),
        columns: names.map(str::to_owned).collect(),
        ..ChoiceList::default()
    };
    let Some(items) = list.get("items").and_then(Value::as_array) else {
        reader.problem(
            &pointer,
            Code::ListWithoutItems,
            format!("the list {name} has no items"),
            "give it `items`, an array of {code, title}",
        );
        return read;
    };
    for (place, item) in items.iter().enumerate() {
        let pointer = format!("{pointer}/items/{place}");
        let Some(item) = read_item(reader, &pointer, item, &read) else { continue };
        if read.items_of(&item.code).any(|earlier| earlier.overlaps(&item)) {
            reader.problem(
                &pointer,
                Code::DuplicateChoice,
                format!("the code {} stands twice in {name} on the same day", item.code),
                "give it another code, or let the first end (valid_to) before the second begins (valid_from)",
            );
        }
        read.push(item);
    }
    read
}

/// Reads a short list written with the question: `oneOf: [{const, title}]`.
pub(crate) fn read_inline(
    reader: &mut Reader<'_>,
    pointer: &str,
    name: &str,
    choices: &[Value],
) -> ChoiceList {
    let mut read = ChoiceList { name: name.to_owned(), ..ChoiceList::default() };
    let date = |reader: &mut Reader<'_>, choice: &Value, place: usize, keyword: &str| {
        let fields = choice.as_object()?;
        read_date(reader, &format!("{pointer}/oneOf/{place}"), fields, keyword)
    };
    for (place, choice) in choices.iter().enumerate() {
        let code = choice.get("const").and_then(Value::as_str).unwrap_or_default();
        if code.is_empty() || read.has(code) {
            let message = format!("choice {place} of {name} has no code of its own");
            reader.problem(
                &format!("{pointer}/oneOf/{place}"),
                Code::ChoiceWithoutCode,
                message,
                "give each choice a different text as `const`",
            );
            continue;
        }
        read.push(ChoiceItem {
            title: reader.texts(
                &format!("{pointer}/oneOf/{place}/title"),
                &format!("{name}={code}"),
                choice.get("title").and_then(Value::as_str).unwrap_or_default(),
            ),
            code: code.to_owned(),
            place: 0,
            valid_from: date(reader, choice, place, "valid_from"),
            valid_to: date(reader, choice, place, "valid_to"),
            columns: Vec::new(),
        });
    }
    read
}

fn read_item(reader: &mut Reader<'_>, pointer: &str, item: &Value, list: &ChoiceList) -> Option<ChoiceItem> {
    let empty = Map::new();
    let fields = item.as_object().unwrap_or(&empty);
    let code = fields.get("code").and_then(Value::as_str).unwrap_or_default();
    if code.is_empty() {
        reader.problem(
            pointer,
            Code::ChoiceWithoutCode,
            "a list item has no code".to_owned(),
            "give it a non-empty text as `code`",
        );
        return None;
    }
    let columns = list.columns.iter().map(|column| {
        let cell = fields.get(column).unwrap_or(&Value::Null);
        Constant::from_json(cell)
    });
    Some(ChoiceItem {
        code: code.to_owned(),
        place: 0,
        title: reader.own_texts(pointer, &format!("{}={code}", list.name), fields.get("title")),
        columns: columns.collect(),
        valid_from: read_date(reader, pointer, fields, "valid_from"),
        valid_to: read_date(reader, pointer, fields, "valid_to"),
    })
}

/// A date of validity; absent and null are "no limit".
pub(super) fn read_date(
    reader: &mut Reader<'_>,
    pointer: &str,
    fields: &Map<String, Value>,
    name: &str,
) -> Option<NaiveDate> {
    let value = fields.get(name).filter(|value| !value.is_null())?;
    let date = value.as_str().and_then(parse_date);
    if date.is_none() {
        reader.problem(
            &format!("{pointer}/{name}"),
            Code::NotADate,
            format!("{name} is {value}, which is not a date"),
            "write it as YYYY-MM-DD, or null",
        );
    }
    date
}
