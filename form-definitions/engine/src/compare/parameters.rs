//! Parameters and baselines. A value of a parameter is known by its key, its area and its first day.

use super::keywords::union;
use super::sentences::{Said, spell};
use super::{At, ChangeKind, Comparing, Grade};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What decides which value counts, and what it is.
const DECISIVE: &[&str] = &["value", "unit", "area", "valid_from", "valid_to"];

impl Comparing<'_> {
    pub(super) fn parameters(&mut self) {
        let (old, new) = (by_key(&self.old.package.parameters), by_key(&self.new.package.parameters));
        for key in union(&old, &new) {
            let path = format!("/parameters/{key}");
            let (before, after) = (old.get(&key), new.get(&key));
            match (before, after) {
                (Some(before), Some(after)) => self.values(before, after, &key, &path),
                _ => {
                    let kind = if after.is_some() {
                        ChangeKind::ParameterAdded
                    } else {
                        ChangeKind::ParameterRemoved
                    };
                    let whole = |rows: Option<&Vec<&Value>>| {
                        rows.map(|rows| Value::from_iter(rows.iter().map(|row| decisive(row))))
                    };
                    let at = At { path, section: None, what: Said::both(&key) };
                    self.tell(kind, Grade::Compatible, at, whole(before).as_ref(), whole(after).as_ref());
                }
            }
        }
        self.baselines();
    }

    fn values(&mut self, old: &[&Value], new: &[&Value], key: &str, path: &str) {
        let (old, new) = (by_beginning(old), by_beginning(new));
        for beginning in union(&old, &new) {
            let (before, after) = (old.get(&beginning).copied(), new.get(&beginning).copied());
            let path = format!("{path}/{beginning}");
            let at = || (path.clone(), None, Said::both(key));
            let (one, other) = (before.map(decisive), after.map(decisive));
            self.differ(ChangeKind::ParameterChanged, Grade::Compatible, at, one.as_ref(), other.as_ref());
            if let (Some(before), Some(after)) = (before, after) {
                let (one, other) = (rest(before), rest(after));
                self.differ(ChangeKind::ParameterSourceChanged, Grade::Labels, at, Some(&one), Some(&other));
            }
        }
    }

    fn baselines(&mut self) {
        let (old, new) = (by_key(&self.old.package.baselines), by_key(&self.new.package.baselines));
        for key in union(&old, &new) {
            let whole = |rows: &BTreeMap<String, Vec<&Value>>| {
                rows.get(&key).map(|rows| match rows.as_slice() {
                    [single] => Value::Object(without_key(single)),
                    several => Value::from_iter(several.iter().map(|row| Value::Object(without_key(row)))),
                })
            };
            let at = || (format!("/baselines/{key}"), None, Said::both(&key));
            let (before, after) = (whole(&old), whole(&new));
            self.differ(ChangeKind::BaselineChanged, Grade::Compatible, at, before.as_ref(), after.as_ref());
        }
    }
}

fn by_key(rows: &[Value]) -> BTreeMap<String, Vec<&Value>> {
    let mut named: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for row in rows {
        let key = row.get("key").and_then(Value::as_str).unwrap_or_default();
        named.entry(key.to_owned()).or_default().push(row);
    }
    named
}

/// `PK226 2026-07-01`: one row of a parameter.
fn by_beginning<'p>(rows: &[&'p Value]) -> BTreeMap<String, &'p Value> {
    let mut named = BTreeMap::new();
    for row in rows {
        let part = |keyword: &str| row.get(keyword).filter(|value| !value.is_null()).map(spell);
        let beginning =
            [part("area"), part("valid_from")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let beginning = if beginning.is_empty() { "always".to_owned() } else { beginning };
        named.entry(beginning).or_insert(*row);
    }
    named
}

fn decisive(row: &Value) -> Value {
    let parts = DECISIVE.iter().filter_map(|keyword| Some((keyword.to_string(), row.get(keyword)?.clone())));
    Value::Object(parts.filter(|(_, value)| !value.is_null()).collect())
}

fn rest(row: &Value) -> Value {
    let fields = row.as_object().into_iter().flatten();
    let kept = fields.filter(|(keyword, _)| !DECISIVE.contains(&keyword.as_str()) && *keyword != "key");
    Value::Object(kept.map(|(keyword, value)| (keyword.clone(), value.clone())).collect())
}

fn without_key(row: &Value) -> Map<String, Value> {
    let fields = row.as_object().into_iter().flatten();
    fields
        .filter(|(keyword, _)| *keyword != "key")
        .map(|(keyword, value)| (keyword.clone(), value.clone()))
        .collect()
}
