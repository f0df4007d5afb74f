//! Legal limits and standards with their dates. A value is added for the days from its first on; what held before stays written, so that past
//! visits are judged by the law of their day.

use super::super::operation::ParameterValue;
use super::super::refusal::{Outcome, RefusalCode as Code, refused};
use super::{Work, day, readable};
use crate::rules::nearest;
use serde_json::{Map, Value, json};

impl Work<'_> {
    pub(super) fn set_parameter(&mut self, new: &ParameterValue) -> Outcome {
        let key = new.key.as_str();
        complete(new)?;
        let rows: Vec<&Value> =
            self.draft.package.parameters.iter().filter(|row| text(row, "key") == Some(key)).collect();
        if let Some(reason) = rows.iter().find_map(|row| text(row, "x-locked")) {
            return Err(super::super::refusal::locked(key, reason));
        }
        if let Some(known) = rows.first() {
            fits(new, known)?;
        } else if new.unit.is_none() {
            let known = self.draft.package.parameters.iter().filter_map(|row| text(row, "key"));
            let message = format!("no parameter is called {key}");
            let remedy = match nearest(key, known) {
                Some(near) => format!("did you mean {near}? A new parameter needs a unit"),
                None => "name one the form reads; a new parameter needs a unit".to_owned(),
            };
            return Err(refused(Code::UnknownTarget, key, message, &remedy));
        }
        let same_area = rows.iter().filter(|row| text(row, "area") == new.area.as_deref());
        let latest = same_area.filter_map(|row| text(row, "valid_from")).max();
        if let Some(latest) = latest.filter(|latest| *latest >= new.valid_from.as_str()) {
            let message =
                format!("{key} has a value from {latest} on; one from {} would rewrite it", new.valid_from);
            return Err(refused(
                Code::DayTaken,
                key,
                message,
                "give a later first day: past visits keep the value of their day",
            ));
        }
        let unit =
            new.unit.clone().or_else(|| rows.first().and_then(|row| text(row, "unit")).map(str::to_owned));
        let place = self.draft.package.parameters.iter().rposition(|row| text(row, "key") == Some(key));
        self.append(new, unit, place);
        Ok(())
    }

    /// After the other values of its key; a new key keeps the order of keys.
    fn append(&mut self, new: &ParameterValue, unit: Option<String>, last: Option<usize>) {
        let mut row = Map::new();
        row.insert("key".to_owned(), new.key.as_str().into());
        row.insert("value".to_owned(), new.value.clone());
        row.insert("unit".to_owned(), json!(unit));
        row.insert("valid_from".to_owned(), new.valid_from.as_str().into());
        row.insert("valid_to".to_owned(), json!(new.valid_to));
        row.insert("area".to_owned(), json!(new.area));
        row.insert("source".to_owned(), new.source.as_str().into());
        row.insert("certainty".to_owned(), new.certainty.as_str().into());
        let rows = &mut self.draft.package.parameters;
        let at = match last {
            Some(last) => last + 1,
            None => {
                rows.iter().position(|row| text(row, "key") > Some(new.key.as_str())).unwrap_or(rows.len())
            }
        };
        rows.insert(at, Value::Object(row));
        if last.is_none() {
            let declared = self.draft.write("").and_then(|root| root.get_mut("x-parameters")?.as_array_mut());
            if let Some(declared) = declared {
                declared.push(new.key.as_str().into());
            }
        }
        self.touch(format!("/parameters/{}", new.key));
    }
}

fn complete(new: &ParameterValue) -> Outcome {
    let key = new.key.as_str();
    let parts = key.split('.').collect::<Vec<_>>();
    let is_part = |part: &&str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    if parts.len() < 2 || key.len() > 100 || !parts.iter().all(is_part) {
        let message = format!("{} cannot be the key of a parameter", super::super::draft::shown(key));
        return Err(refused(
            Code::BadName,
            key,
            message,
            "write it as in rules, without param.: age.child_max",
        ));
    }
    let from = day(key, &new.valid_from)?;
    if let Some(to) = &new.valid_to
        && day(key, to)? <= from
    {
        let message = format!("{key} would end on {to}, before it begins on {}", new.valid_from);
        return Err(refused(Code::BadDate, key, message, "give a later last day, or none"));
    }
    readable(key, &new.source).map_err(|mut refusal| {
        refusal.remedy = "name the law, notification or decision it rests on".to_owned();
        refusal
    })?;
    if !["H", "M", "L"].contains(&new.certainty.as_str()) {
        let message = format!("the certainty of {key} is {:?}", short(&new.certainty));
        return Err(refused(
            Code::WrongValue,
            key,
            message,
            "write H, M or L: text seen, secondary source, not confirmed",
        ));
    }
    let is_plain = match &new.value {
        Value::Array(items) => {
            items.len() <= 1_000 && items.iter().all(|item| item.is_string() || item.is_number())
        }
        value => value.is_number() || value.is_string() || value.is_boolean(),
    };
    if !is_plain {
        let message = format!("the value of {key} is no number, text, truth or list");
        return Err(refused(Code::WrongValue, key, message, "give a plain value"));
    }
    Ok(())
}

/// The same kind of value in the same unit.
fn fits(new: &ParameterValue, known: &Value) -> Outcome {
    let key = new.key.as_str();
    let old = known.get("value").unwrap_or(&Value::Null);
    if std::mem::discriminant(old) != std::mem::discriminant(&new.value) {
        let message = format!("{key} is {}, and cannot become {}", kind(old), kind(&new.value));
        return Err(refused(Code::WrongValue, key, message, "give a value of the same kind"));
    }
    let unit = text(known, "unit");
    if new.unit.is_some() && new.unit.as_deref() != unit {
        let message = format!(
            "{key} is in {}, not in {}",
            unit.unwrap_or("no unit"),
            new.unit.as_deref().unwrap_or_default()
        );
        return Err(refused(Code::WrongValue, key, message, "convert the value, and leave the unit out"));
    }
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Bool(_) => "true or false",
        Value::Array(_) => "a list",
        Value::Null | Value::Object(_) => "no value",
    }
}

fn short(text: &str) -> String {
    text.chars().take(20).collect()
}

fn text<'v>(row: &'v Value, keyword: &str) -> Option<&'v str> {
    row.get(keyword)?.as_str()
}
