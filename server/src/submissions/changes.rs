//! What changed between two sets of normalised answers, question by question. Rows are told apart by their key where the
//! form names one, so that a row taken out in the middle is one change and not a change of every row after it.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::forms::{Outline, Part, Sort};

/// One question whose answer differs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    /// Where it stands now; where it stood, if it is gone.
    pub(super) path: String,
    /// Where it stood before; where it stands now, if it is new.
    pub(super) was: String,
    /// The question, or the repeat a whole row belongs to.
    pub(super) name: String,
    /// What happened.
    pub(super) how: How,
    /// The answer before.
    pub(super) before: Option<Value>,
    /// The answer after.
    pub(super) after: Option<Value>,
    /// The question that names the row, and its answer.
    pub(super) row: Option<(String, Value)>,
}

/// What happened to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum How {
    /// There was none before.
    Added,
    /// There is none any more.
    Removed,
    /// It is another.
    Changed,
}

/// Everything that changed, in the order of asking. `outlines`: the form as it is now, then as it was.
pub(super) fn between(outlines: &[&Outline], before: &Value, after: &Value) -> Vec<Change> {
    let mut comparison = Comparison { outlines, found: Vec::new() };
    comparison.members(before.as_object(), after.as_object(), &Place::default());
    let mut found = std::mem::take(&mut comparison.found);
    found.sort_by_cached_key(|change| {
        let outermost = change.path.split(['.', '[']).next().unwrap_or_default();
        comparison.part(outermost).map_or(usize::MAX, |part| part.place)
    });
    found
}

/// Where a question of a row stands in other answers of the same form: rows are found again by their key. None: its row is gone.
pub(super) fn carried(outline: &Outline, before: &Value, after: &Value, path: &str) -> Option<String> {
    let (mut was, mut now) = (String::new(), String::new());
    let mut steps = path.split('.').peekable();
    while let Some(step) = steps.next() {
        let Some((name, index)) = step.split_once('[').filter(|_| steps.peek().is_some()) else {
            return Some(Place::path(&now, step));
        };
        let index: usize = index.strip_suffix(']')?.parse().ok()?;
        let key = match &outline.part(name)?.sort {
            Sort::Repeat { key } => key.as_deref(),
            _ => return None,
        };
        let rows = |answers: &Value, row: &str| {
            outline
                .value(answers, &Place::path(row, name))
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let pairs = paired(key, &rows(before, &was), &rows(after, &now));
        let found = pairs.into_iter().find_map(|(old, new)| new.filter(|_| old == Some(index)))?;
        was = Place::path(&was, step);
        now = Place::path(&now, &format!("{name}[{found}]"));
    }
    None
}

/// The row that is looked at, as a path before and after.
#[derive(Default)]
struct Place {
    was: String,
    now: String,
    row: Option<(String, Value)>,
}

impl Place {
    fn path(row: &str, name: &str) -> String {
        if row.is_empty() { name.to_owned() } else { format!("{row}.{name}") }
    }
}

struct Comparison<'o> {
    outlines: &'o [&'o Outline],
    found: Vec<Change>,
}

impl<'o> Comparison<'o> {
    fn part(&self, name: &str) -> Option<&'o Part> {
        self.outlines.iter().find_map(|outline| outline.part(name))
    }

    fn members(
        &mut self,
        before: Option<&Map<String, Value>>,
        after: Option<&Map<String, Value>>,
        at: &Place,
    ) {
        let gone = before.into_iter().flat_map(Map::keys).filter(|name| !has(after, name));
        let names = after.into_iter().flat_map(Map::keys).chain(gone);
        for name in names {
            let value = |map: Option<&'_ Map<String, Value>>| map.and_then(|map| map.get(name)).cloned();
            let (old, new) = (value(before), value(after));
            match self.part(name).map(|part| &part.sort) {
                Some(Sort::Section) => self.members(as_map(&old), as_map(&new), at),
                Some(Sort::Repeat { key }) => self.rows(name, key.as_deref(), &old, &new, at),
                _ => self.note(at, name, name, old, new),
            }
        }
    }

    fn rows(&mut self, name: &str, key: Option<&str>, old: &Option<Value>, new: &Option<Value>, at: &Place) {
        let (old, new) = (as_rows(old), as_rows(new));
        for (was, now) in paired(key, old, new) {
            let step = |index: Option<usize>| index.map(|index| format!("{name}[{index}]"));
            let (Some(was_step), Some(now_step)) = (step(was.or(now)), step(now.or(was))) else { continue };
            let row = |rows: &[Value], index: Option<usize>| index.and_then(|index| rows.get(index)).cloned();
            let (before, after) = (row(old, was), row(new, now));
            let named = key.and_then(|key| {
                let value = after.as_ref().or(before.as_ref())?.get(key)?.clone();
                Some((key.to_owned(), value))
            });
            let inside = Place {
                was: Place::path(&at.was, &was_step),
                now: Place::path(&at.now, &now_step),
                row: named,
            };
            match (before, after) {
                (Some(Value::Object(before)), Some(Value::Object(after))) => {
                    self.members(Some(&before), Some(&after), &inside)
                }
                (before, after) => self.note_at(inside.was, inside.now, name, before, after, inside.row),
            }
        }
    }

    fn note(&mut self, at: &Place, step: &str, name: &str, before: Option<Value>, after: Option<Value>) {
        let (was, now) = (Place::path(&at.was, step), Place::path(&at.now, step));
        self.note_at(was, now, name, before, after, at.row.clone());
    }

    fn note_at(
        &mut self,
        was: String,
        path: String,
        name: &str,
        before: Option<Value>,
        after: Option<Value>,
        row: Option<(String, Value)>,
    ) {
        let how = match (&before, &after) {
            (Some(before), Some(after)) if same(before, after) => return,
            (None, None) => return,
            (None, Some(_)) => How::Added,
            (Some(_), None) => How::Removed,
            (Some(_), Some(_)) => How::Changed,
        };
        self.found.push(Change { path, was, name: name.to_owned(), how, before, after, row });
    }
}

/// Which row became which. By key where every row has one and no two the same, else by place.
fn paired(key: Option<&str>, old: &[Value], new: &[Value]) -> Vec<(Option<usize>, Option<usize>)> {
    let (Some(was), Some(now)) = (keys(key, old), keys(key, new)) else {
        let longest = old.len().max(new.len());
        return (0..longest)
            .map(|n| (Some(n).filter(|n| *n < old.len()), Some(n).filter(|n| *n < new.len())))
            .collect();
    };
    let place: HashMap<&str, usize> = was.iter().enumerate().map(|(n, key)| (key.as_str(), n)).collect();
    let here: HashMap<&str, usize> = now.iter().enumerate().map(|(n, key)| (key.as_str(), n)).collect();
    let kept = now.iter().enumerate().map(|(n, key)| (place.get(key.as_str()).copied(), Some(n)));
    let gone = was.iter().enumerate().filter(|(_, key)| !here.contains_key(key.as_str()));
    kept.chain(gone.map(|(n, _)| (Some(n), None))).collect()
}

/// The keys of all rows as text; none: a row has none, or two have the same.
fn keys(key: Option<&str>, rows: &[Value]) -> Option<Vec<String>> {
    let keys: Vec<String> = rows
        .iter()
        .map(|row| row.get(key?).filter(|value| !value.is_null()).map(Value::to_string))
        .collect::<Option<_>>()?;
    let distinct: std::collections::HashSet<&String> = keys.iter().collect();
    (distinct.len() == keys.len()).then_some(keys)
}

fn has(map: Option<&Map<String, Value>>, name: &str) -> bool {
    map.is_some_and(|map| map.contains_key(name))
}

fn as_map(value: &Option<Value>) -> Option<&Map<String, Value>> {
    value.as_ref().and_then(Value::as_object)
}

fn as_rows(value: &Option<Value>) -> &[Value] {
    value.as_ref().and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether two answers are the same; 1 and 1.0 are.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use form_engine::Package;
    use serde_json::json;

    fn outline() -> Outline {
        let definition = json!({
            "x-form": { "form": "f", "version": 1 },
            "properties": {
                "b1": { "properties": { "left": { "type": "string" }, "n": { "type": "integer" } } },
                "b5": { "properties": {
                    "children": { "type": "array", "x-key": "code", "items": { "properties": {
                        "code": { "type": "string" }, "age": { "type": "integer" }
                    } } },
                    "rooms": { "type": "array", "items": { "properties": { "beds": { "type": "integer" } } } }
                } }
            }
        });
        Outline::of(&Package::assemble(definition, Default::default(), &[], &[]))
    }

    fn told(before: Value, after: Value) -> Vec<(String, String, How)> {
        let outline = outline();
        let changes = between(&[&outline], &before, &after);
        changes.into_iter().map(|change| (change.was, change.path, change.how)).collect()
    }

    #[test]
    fn answers_that_differ_are_named_by_their_question() {
        let before = json!({ "b1": { "left": "09:00", "n": 1 } });
        let after = json!({ "b5": { "rooms": [] }, "b1": { "left": "12:00", "n": 1.0 } });

        assert_eq!(told(before.clone(), after), [("left".into(), "left".into(), How::Changed)]);
        assert_eq!(
            told(before, json!({ "b1": { "n": 2 } })),
            [("left".into(), "left".into(), How::Removed), ("n".into(), "n".into(), How::Changed)]
        );
    }

    #[test]
    fn rows_keep_their_identity_when_one_before_them_goes() {
        let row = |code: &str, age: i32| json!({ "code": code, "age": age });
        let before = json!({ "b5": { "children": [row("C1", 9), row("C2", 12)] } });
        let after = json!({ "b5": { "children": [row("C2", 13), row("C3", 5)] } });

        assert_eq!(
            told(before, after),
            [
                ("children[1].age".to_owned(), "children[0].age".to_owned(), How::Changed),
                ("children[1]".to_owned(), "children[1]".to_owned(), How::Added),
                ("children[0]".to_owned(), "children[0]".to_owned(), How::Removed),
            ]
        );
    }

    #[test]
    fn rows_without_a_key_are_compared_by_place() {
        let before = json!({ "b5": { "rooms": [{ "beds": 2 }] } });
        let after = json!({ "b5": { "rooms": [{ "beds": 3 }, { "beds": 4 }] } });

        assert_eq!(
            told(before, after),
            [
                ("rooms[0].beds".to_owned(), "rooms[0].beds".to_owned(), How::Changed),
                ("rooms[1]".to_owned(), "rooms[1]".to_owned(), How::Added),
            ]
        );
    }
}
