//! Writes one answer into a document of answers, where a person put it or where the form has it.

use crate::definition::{Definition, FORM, FrameId, Named};
use serde_json::{Map, Value};

/// What a change of the answers touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The path leads to nothing in the form or in the answers.
    Nowhere,
    /// One answer.
    Cell,
    /// Rows, or more of the document than one answer.
    Rows,
}

/// One part of a path: `children[2]`.
struct Part<'p> {
    name: &'p str,
    index: Option<usize>,
}

/// Most parts of a path: the deepest repeat and the question in it, and some to spare.
const MOST_PARTS: usize = 8;

fn parts(path: &str) -> Option<Vec<Part<'_>>> {
    path.split('.')
        .take(MOST_PARTS)
        .map(|part| match part.split_once('[') {
            None => Some(Part { name: part, index: None }),
            Some((name, index)) => {
                let index = index.strip_suffix(']')?.parse().ok()?;
                Some(Part { name, index: Some(index) })
            }
        })
        .collect()
}

/// Writes an answer, a row or a repeat. `null` removes it.
pub(crate) fn write_answer(
    definition: &Definition,
    answers: &mut Value,
    path: &str,
    value: Value,
) -> Written {
    let Some(parts) = parts(path).filter(|parts| is_of_form(definition, parts)) else {
        return Written::Nowhere;
    };
    let Some((first, rest)) = parts.split_first() else { return Written::Nowhere };
    let mut whole = true;
    let replaces = rest.is_empty() && first.index.is_none();
    let holder = object(answers, &mut whole)
        .and_then(|root| holder(definition, root, first.name, replaces, &mut whole));
    let written = holder.map_or(Written::Nowhere, |holder| write(holder, first, rest, value, &mut whole));
    // What stood in the way may be gone though the path leads nowhere.
    if whole { written } else { Written::Rows }
}

fn write(
    holder: &mut Map<String, Value>,
    part: &Part<'_>,
    rest: &[Part<'_>],
    value: Value,
    whole: &mut bool,
) -> Written {
    let Some(index) = part.index else {
        match value {
            Value::Null => drop(holder.shift_remove(part.name)),
            value => drop(holder.insert(part.name.to_owned(), value)),
        }
        return Written::Cell;
    };
    let rows = holder.entry(part.name).or_insert_with(|| Value::Array(Vec::new()));
    if !rows.is_array() {
        *rows = Value::Array(Vec::new());
        *whole = false;
    }
    let Value::Array(rows) = rows else { return Written::Nowhere };
    if index > rows.len() || (index == rows.len() && value.is_null() && rest.is_empty()) {
        return Written::Nowhere;
    }
    let Some((next, rest)) = rest.split_first() else {
        match value {
            Value::Null => drop(rows.remove(index)),
            value if index == rows.len() => rows.push(value),
            value => rows[index] = value,
        }
        return Written::Rows;
    };
    if index == rows.len() {
        rows.push(Value::Object(Map::new()));
        *whole = false;
    }
    *whole &= rows[index].is_object();
    let row = object(&mut rows[index], whole);
    row.map_or(Written::Nowhere, |row| write(row, next, rest, value, whole))
}

/// What is answered at a path.
pub(crate) fn read_answer(definition: &Definition, answers: &Value, path: &str) -> Value {
    let read = || {
        let parts = parts(path)?;
        let (first, rest) = parts.split_first()?;
        let nested =
            section_name(definition, first.name).and_then(|section| answers.get(section)?.get(first.name));
        let mut at = nested.filter(|answer| !is_empty(answer)).or_else(|| answers.get(first.name))?;
        at = first.index.map_or(Some(at), |index| at.get(index))?;
        for part in rest {
            at = at.get(part.name)?;
            at = part.index.map_or(Some(at), |index| at.get(index))?;
        }
        Some(at.clone())
    };
    read().unwrap_or(Value::Null)
}

/// Whether each part stands in the rows of the one before.
fn is_of_form(definition: &Definition, parts: &[Part<'_>]) -> bool {
    let mut frame: FrameId = FORM;
    for (place, part) in parts.iter().enumerate() {
        let is_last = place + 1 == parts.len();
        match definition.names.get(part.name) {
            Some(Named::Question(at, _)) if *at == frame && is_last && part.index.is_none() => {}
            Some(Named::Repeat(repeat)) if definition.frames[*repeat].parent == frame => {
                if !is_last && part.index.is_none() {
                    return false;
                }
                frame = *repeat;
            }
            _ => return false,
        }
    }
    true
}

/// The section something of the form itself stands in.
fn section_name<'d>(definition: &'d Definition, name: &str) -> Option<&'d str> {
    let section = match definition.names.get(name)? {
        Named::Question(FORM, slot) => definition.frames[FORM].questions[*slot].section,
        Named::Repeat(repeat) => definition.frames[*repeat].section,
        _ => return None,
    };
    definition.sections.get(section)?.name.as_deref()
}

/// The object an answer of the form stands in: its section, or the root where it was answered flat.
fn holder<'v>(
    definition: &Definition,
    root: &'v mut Map<String, Value>,
    name: &str,
    replaces: bool,
    whole: &mut bool,
) -> Option<&'v mut Map<String, Value>> {
    let Some(section) = section_name(definition, name) else { return Some(root) };
    let is_nested =
        root.get(section).and_then(|section| section.get(name)).is_some_and(|answer| !is_empty(answer));
    if root.contains_key(name) && !is_nested && !replaces {
        return Some(root);
    }
    if replaces {
        root.shift_remove(name);
    }
    let answers = root.entry(section).or_insert_with(|| Value::Object(Map::new()));
    object(answers, whole)
}

fn is_empty(answer: &Value) -> bool {
    answer.is_null() || answer.as_array().is_some_and(Vec::is_empty)
}

/// The value as an object; what is none becomes one.
fn object<'v>(value: &'v mut Value, whole: &mut bool) -> Option<&'v mut Map<String, Value>> {
    if !value.is_object() {
        *whole &= value.is_null();
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}
