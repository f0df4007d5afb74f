//! What is found: per child, folded, withheld, provisional, with the answers it rests on.

use super::{evaluate, form};
use crate::{Form, Outcome};
use serde_json::{Value, json};

fn finding(code: &str, scope: &str, when: &str, severity: &str, disclose: bool) -> Value {
    json!({"code": code, "scope": scope, "when": when, "severity": severity, "title": code, "action": "Act", "disclose": disclose,
        "basis": [{"law": format!("Law of {code}"), "section": "3", "certainty": "H"}], "due": {"days": 1}, "refer_to": "cpu"})
}

fn inspection() -> Form {
    let mut absorbing =
        finding("AGE-02", "children", "age < param.age.child_max && est == 'mine'", "emergency", true);
    absorbing["supersedes"] = json!(["AGE-01"]);
    let mut deepest =
        finding("HAZ-03", "children", "age < 15 && est == 'mine' && underground", "emergency", true);
    deepest["supersedes"] = json!(["AGE-02"]);
    let mut undecided = finding("HRS-01", "children", "span > 7", "major", true);
    undecided["if_unknown"] = json!("provisional");
    form(
        json!({
            "est": {"type": "string", "title": "Type", "oneOf": [{"const": "mine", "title": "Mine"}, {"const": "shop", "title": "Shop"}]},
            "children": {"type": "array", "maxItems": 20, "title": "Children", "x-key": "code", "x-sensitivity": "sensitive", "x-purpose": "the law", "x-retention": "five years", "items": {"type": "object", "properties": {
                "code": {"type": "string", "title": "Code"}, "age": {"type": "integer", "title": "Age"}, "bonded": {"type": "boolean", "title": "Bonded"},
                "underground": {"type": "boolean", "title": "Underground", "x-relevant": "est == 'mine'"},
                "start": {"$ref": "#/$defs/time", "title": "Start"}, "end": {"$ref": "#/$defs/time", "title": "End"},
                "span": {"type": "number", "title": "Span", "readOnly": true, "x-calculate": "hours_between(start, end)"}
            }}}
        }),
        json!({
            "x-findings": [
                finding("AGE-01", "children", "age < param.age.child_max", "critical", true), absorbing, deepest, undecided,
                finding("BON-01", "children", "bonded", "emergency", false),
                finding("ENT-01", "form", "count(children) == 0", "minor", true)
            ],
            "x-disclosure": {"over": "children", "severities": ["critical", "emergency"], "except": ["HAZ-03"]}
        }),
    )
}

fn found(outcome: &Outcome) -> Vec<String> {
    outcome
        .findings
        .iter()
        .map(|one| {
            format!(
                "{} {}{}",
                one.code,
                one.row.as_deref().unwrap_or("-"),
                if one.disclose { "" } else { " withheld" }
            )
        })
        .collect()
}

fn child(code: &str, age: u32) -> Value {
    json!({"code": code, "age": age, "bonded": false, "start": "08:00", "end": "12:00"})
}

#[test]
fn the_graver_finding_absorbs_the_weaker_and_keeps_its_law() {
    let outcome =
        evaluate(&inspection(), json!({"est": "mine", "children": [child("K-1", 12), child("K-2", 16)]}));

    assert_eq!(found(&outcome), ["AGE-02 K-1"]);
    assert_eq!(outcome.findings[0].superseded, ["AGE-01"]);
    let laws: Vec<&str> = outcome.findings[0].basis.iter().map(|basis| basis.law.as_str()).collect();
    assert_eq!(laws, ["Law of AGE-02", "Law of AGE-01"]);
    assert_eq!(outcome.findings[0].due_at.as_deref(), Some("2026-11-21T15:30:00+05:00"));
}

#[test]
fn folding_goes_all_the_way_up_and_only_within_one_row() {
    let mut deep = child("K-1", 12);
    deep["underground"] = json!(true);
    let outcome = evaluate(&inspection(), json!({"est": "mine", "children": [deep, child("K-2", 13)]}));

    assert_eq!(found(&outcome), ["AGE-02 K-2", "HAZ-03 K-1"]);
    assert_eq!(outcome.findings[1].superseded, ["AGE-01", "AGE-02"]);
}

#[test]
fn one_withheld_finding_withholds_the_childs_others_save_those_that_save_a_life() {
    let mut bonded = child("K-1", 12);
    bonded["bonded"] = json!(true);
    let mut bonded_below = bonded.clone();
    bonded_below["code"] = json!("K-2");
    bonded_below["underground"] = json!(true);
    let outcome =
        evaluate(&inspection(), json!({"est": "mine", "children": [bonded, bonded_below, child("K-3", 12)]}));

    assert_eq!(
        found(&outcome),
        ["AGE-02 K-1 withheld", "AGE-02 K-3", "HAZ-03 K-2", "BON-01 K-1 withheld", "BON-01 K-2 withheld"]
    );
}

#[test]
fn a_finding_shows_the_answers_it_rests_on() {
    let outcome = evaluate(&inspection(), json!({"est": "mine", "children": [child("K-1", 12)]}));

    let because = serde_json::to_value(&outcome.findings[0].because).unwrap();
    assert_eq!(because, json!([{"path": "children[0].age", "value": 12}, {"path": "est", "value": "mine"}]));
}

#[test]
fn what_cannot_be_decided_names_the_questions_it_hinges_on() {
    let outcome = evaluate(
        &inspection(),
        json!({"est": "shop", "children": [{"code": "K-1", "age": 17, "bonded": false, "start": "08:00"}]}),
    );

    assert_eq!(found(&outcome), ["HRS-01 K-1"]);
    assert!(outcome.findings[0].provisional);
    assert_eq!(outcome.findings[0].hinges_on, ["children[0].end"]);
    assert_eq!(outcome.findings[0].because, []);
}

#[test]
fn a_row_without_a_key_is_told_by_its_number_and_the_form_by_none() {
    let keyless = evaluate(
        &inspection(),
        json!({"est": "shop", "children": [{"age": 12, "bonded": false, "start": "08:00", "end": "09:00"}]}),
    );
    let empty = evaluate(&inspection(), json!({"est": "shop"}));

    assert_eq!(found(&keyless), ["AGE-01 #1"]);
    assert_eq!(found(&empty), ["ENT-01 -"]);
}
