//! Whatever a member does to a draft, it comes back whole from a spreadsheet.

use form_engine::Package;
use form_engine::overlay::{Operation, apply, draft};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};

use super::{audit, inspection, returns, toolkit};

/// The names in a package.
fn names(package: &Package) -> Vec<(String, Value)> {
    crate::desk::workbook::survey::items(package)
        .into_iter()
        .map(|item| (item.name.to_owned(), Value::Object(item.fields.clone())))
        .collect()
}

/// One thing a member might do, anywhere in the form, that can pass the form check.
fn candidate(base: &'static Package) -> impl Strategy<Value = Operation> {
    let (names, lists): (Vec<(String, Value)>, Vec<String>) =
        (names(base), base.lists.keys().cloned().collect());
    let keys: Vec<String> =
        base.parameters.iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect();
    let findings: Vec<String> = base.definition["x-findings"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect();
    (any::<Index>(), any::<Index>(), 0..15_u8, 0..60_u8).prop_map(move |(one, other, what, number)| {
        let (name, fields) = one.get(&names).clone();
        let list = other.get(&lists).clone();
        let language = ["brh", "bal", "ps", "ur"][usize::from(number % 4)];
        let items = base.lists[&list]["items"].as_array().unwrap();
        let item = items[usize::from(number) % items.len()]["code"].as_str().unwrap().to_owned();
        let severity = ["minor", "major", "critical", "emergency"][usize::from(number % 4)];
        let written = match what {
            0 => json!({"op": "hide", "question": name, "because": format!("Reason {number}")}),
            1 => json!({"op": "relabel", "key": name, "text": format!(" Other words \u{2013} {number}\nand a line ")}),
            2 => json!({"op": "translate", "language": language, "key": name, "text": format!("متن {number}")}),
            3 => json!({"op": "translate", "language": language, "key": format!("~{list}={item}"), "text": format!("انتخاب {number}"), "made_from": format!("Old {number}")}),
            4 => json!({"op": "tighten", "question": name, "required": "always", "check": {"code": format!("Z-{number}"), "rule": "true", "message": "Never said", "level": "warning", "messages": {"ur": "کبھی نہیں"}}}),
            5 if !keys.is_empty() => json!({"op": "set_parameter", "key": one.get(&keys), "value": number, "valid_from": format!("2027-01-{:02}", number % 28 + 1), "source": "Act", "certainty": "M"}),
            6 => {
                let columns = base.lists[&list]["columns"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let columns = columns.map(|column| (column.to_owned(), items[0][column].clone()));
                let columns: Map<String, Value> = columns.filter(|(_, value)| !value.is_null()).collect();
                json!({"op": "add_choice", "choices": {"list": list}, "code": format!("z{number}"), "title": {"en": "More", "ur": "مزید"}, "after": item, "columns": columns})
            }
            7 => json!({"op": "retire_choice", "choices": {"list": list}, "code": item, "from": format!("2027-02-{:02}", number % 28 + 1)}),
            8 => {
                let mut order: Vec<String> = fields["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
                order.reverse();
                json!({"op": "reorder", "within": {"questions": name}, "order": order})
            }
            9 => json!({"op": "add_section", "after": name, "name": format!("zs_{number}"), "section": {"title": format!("Section {number}"), "description": "Why"}, "labels": {"ur": {format!("zs_{number}"): "حصہ"}}}),
            10 if !findings.is_empty() => json!({"op": "set_finding", "finding": one.get(&findings), "severity": severity, "due": {"days": number}}),
            11 if !findings.is_empty() => json!({"op": "set_finding", "finding": one.get(&findings), "refer_to": "cpu", "due": {"hours": number}}),
            12 => json!({"op": "add_rule", "rule": {"kind": "default", "on": name, "text": format!("'{number}'")}}),
            13 => json!({"op": "replace_rule", "rule": {"default": name}, "text": "null"}),
            _ => {
                let mut question = json!({"type": "boolean", "title": format!("Question {number}"), "x-sensitivity": "internal", "x-purpose": "Trial", "x-retention": "One year"});
                if number % 2 == 0 {
                    question["x-asked-of"] = "reviewer".into();
                }
                json!({"op": "add_question", "into": other.get(&names).0, "name": format!("z_{number}"), "question": question, "labels": {"ur": {format!("z_{number}"): "سوال"}}})
            }
        };
        serde_json::from_value(written).unwrap()
    })
}

/// The candidates that can be applied and leave a sound form.
fn sound(base: &Package, candidates: Vec<Operation>) -> Vec<Operation> {
    let mut kept = candidates;
    for _ in 0..6 {
        let refusals = match draft(base, &kept).1 {
            refusals if refusals.is_empty() => match apply(base, &kept) {
                Ok(_) => return kept,
                Err(refusals) => refusals,
            },
            refusals => refusals,
        };
        let stopped: Vec<usize> = refusals.iter().map(|refusal| refusal.operation).collect();
        let mut place = 0;
        kept.retain(|_| (!stopped.contains(&place), place += 1).0);
    }
    Vec::new()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_draft_of_the_inspection_comes_back_whole(candidates in prop::collection::vec(candidate(inspection()), 1..20)) {
        returns(inspection(), &sound(inspection(), candidates));
    }

    #[test]
    fn any_draft_of_the_audit_comes_back_whole(candidates in prop::collection::vec(candidate(audit()), 1..20)) {
        returns(audit(), &sound(audit(), candidates));
    }

    #[test]
    fn any_draft_of_the_toolkit_comes_back_whole(candidates in prop::collection::vec(candidate(toolkit()), 1..20)) {
        returns(toolkit(), &sound(toolkit(), candidates));
    }
}
