//! Every kind of change, made once to a small questionnaire: what is told of it, and how it is graded.

mod any;
mod kinds;
mod telling;

use super::{Comparison, compare};
use crate::Package;
use serde_json::Value;

/// A whole package as one JSON value, so that any part of it can be edited by its place.
fn whole() -> Value {
    let text = r##"{
        "form": "visit", "version": 1,
        "definition": {
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Visit", "type": "object", "additionalProperties": false,
            "x-form": {"form": "visit", "version": 1, "kind": "inspection", "languages": [{"code": "en", "dir": "ltr"}, {"code": "ur", "dir": "rtl", "required": false}]},
            "$defs": {"media": {"type": "object", "properties": {"media": {"type": "string"}}}},
            "x-constraints": [{"code": "X1", "rule": "beds >= girls", "message": "More girls than beds", "level": "warning"}],
            "x-findings": [
                {"code": "F-1", "when": "beds < 3", "severity": "minor", "title": "Too few beds", "action": "Write", "basis": [{"law": "Rules"}], "due": {"days": 7}, "refer_to": "swd", "disclose": true, "supersedes": []},
                {"code": "F-2", "scope": "children", "when": "age < param.age.child_max", "severity": "major", "title": "Under age", "action": "Refer", "disclose": false}],
            "x-disclosure": {"over": "children", "severities": ["critical"], "except": []},
            "x-scores": {"audit": {"title": "Audit", "item_max": 2, "scale": 100, "places": 1, "domains": [{"code": "D1", "title": "Beds", "weight": 8, "items": [{"question": "grade", "weight": 3}]}]}},
            "x-facility": {"kind": "shelter", "name": "note"}, "x-summary": ["beds"],
            "properties": {
                "a1": {"type": "object", "title": "House", "additionalProperties": false, "properties": {
                    "beds": {"type": "integer", "title": "Beds", "maximum": 90, "x-unit": "count", "x-required": true, "x-non-answers": ["refused"]},
                    "girls": {"type": "integer", "title": "Girls", "x-constraints": [{"rule": "this >= 0", "message": "Not below 0", "level": "error"}]},
                    "note": {"type": "string", "title": "Note", "description": "In words", "maxLength": 200, "x-relevant": "beds > 0", "x-default": "user.code"},
                    "photo": {"$ref": "#/$defs/media", "title": "Photo", "x-widget": "photo", "x-media": {"max_bytes": 9}},
                    "grade": {"type": "integer", "title": "Grade", "x-locked": "law"}}},
                "a2": {"type": "object", "title": "Place", "additionalProperties": false, "properties": {
                    "zone": {"type": "string", "title": "Zone", "oneOf": [{"const": "a", "title": "A area"}, {"const": "b", "title": "B area"}]},
                    "district": {"type": "string", "title": "District", "x-choices": {"list": "district", "filter": "choice.zone == zone"}},
                    "children": {"type": "array", "title": "Children", "maxItems": 30, "x-key": "code", "items": {"type": "object", "additionalProperties": false, "properties": {
                        "code": {"type": "string", "title": "Code", "x-sensitivity": "internal", "x-purpose": "law", "x-retention": "5y"}, "age": {"type": "integer", "title": "Age", "x-sensitivity": "internal", "x-purpose": "law", "x-retention": "5y"}}}},
                    "children_n": {"type": "integer", "title": "How many", "readOnly": true, "x-calculate": "count(children)"}}}
            }
        },
        "i18n": {"ur": {"lang": "ur", "dir": "rtl", "labels": {"beds": "بستر", "girls": "لڑکیاں", "!X1": "غلط"}}},
        "lists": {
            "district": {"list": "district", "title": {"en": "District", "ur": "ضلع"}, "columns": ["zone"], "items": [
                {"code": "QTA", "title": {"en": "Quetta", "ur": "کوئٹہ"}, "zone": "a"}, {"code": "PSN", "title": {"en": "Pishin"}, "zone": "b"},
                {"code": "OLD", "title": {"en": "Old"}, "zone": "b", "valid_to": "2024-01-01"}]},
            "other": {"list": "other", "items": [{"code": "QTA", "title": {"en": "Quetta"}}]}},
        "parameters": [{"key": "age.child_max", "value": 14, "unit": "years", "valid_from": "2021-05-01", "valid_to": null, "source": "Act"}],
        "baselines": [{"key": "RATE", "value": 23, "year": 2011}]
    }"##;
    serde_json::from_str(text).unwrap()
}

fn package(whole: Value) -> Package {
    serde_json::from_value(whole).unwrap()
}

/// Puts `value` at the place; `null` takes away what is there.
fn edited(place: &str, value: Value) -> Value {
    let mut whole = whole();
    let (holder, key) = place.rsplit_once('/').unwrap();
    match whole.pointer_mut(holder).unwrap_or_else(|| panic!("{place}")) {
        Value::Object(fields) if value.is_null() => drop(fields.shift_remove(key).unwrap()),
        Value::Object(fields) => drop(fields.insert(key.to_owned(), value)),
        Value::Array(items) if value.is_null() => drop(items.remove(key.parse().unwrap())),
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        _ => panic!("{place}"),
    }
    whole
}

fn after(place: &str, value: Value) -> Comparison {
    compare(&package(whole()), &package(edited(place, value)))
}

const A1: &str = "/definition/properties/a1/properties";
const A2: &str = "/definition/properties/a2/properties";
const ROW: &str = "/definition/properties/a2/properties/children/items/properties";
