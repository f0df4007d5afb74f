//! Why: which rule, on which answers, and what left it unknown.

use super::{context, form};
use crate::{Explained, Form, Reason, RulePurpose, Unknown};
use serde_json::{Value, json};

fn with_rule(rule: &str) -> Form {
    form(
        json!({
            "n": {"type": "integer", "title": "N", "x-non-answers": ["refused"]}, "m": {"type": "integer", "title": "M"}, "zero": {"type": "integer", "title": "Zero"},
            "day": {"type": "string", "format": "date", "title": "Day"}, "gps": {"$ref": "#/$defs/geopoint", "title": "GPS"},
            "entry": {"type": "string", "title": "Entry", "oneOf": [{"const": "full", "title": "Full"}, {"const": "no", "title": "No"}]},
            "hidden": {"type": "integer", "title": "Hidden", "x-relevant": "entry == 'full'"},
            "half": {"type": "number", "title": "Half", "readOnly": true, "x-calculate": "m / 2"},
            "rows": {"type": "array", "maxItems": 9, "title": "Rows", "x-key": "key", "items": {"type": "object", "properties": {"key": {"type": "string", "title": "Key"}, "age": {"type": "integer", "title": "Age"}}}}
        }),
        json!({"x-findings": [{"code": "F-1", "scope": "form", "when": rule, "severity": "major", "title": "T", "action": "A", "disclose": true}]}),
    )
}

fn explained(rule: &str, answers: Value) -> Explained {
    let form = with_rule(rule);
    let answers = answers.as_object().cloned().unwrap_or_default();
    let explanation = form.explain(&json!(answers), Some(&json!({"n": "refused"})), &context());
    explanation.rules.into_iter().find(|one| one.purpose == RulePurpose::Finding).unwrap()
}

fn why(rule: &str) -> Vec<(String, Option<String>, Reason)> {
    let answers = json!({"entry": "no", "zero": 0, "gps": {"lat": 30.1, "lon": 67.0}, "rows": [{"key": "a", "age": 3}, {"key": "b"}]});
    let unknown = explained(rule, answers).unknown;
    unknown.into_iter().map(|Unknown { part, path, reason }| (part, path, reason)).collect()
}

fn one(part: &str, path: Option<&str>, reason: Reason) -> Vec<(String, Option<String>, Reason)> {
    vec![(part.to_owned(), path.map(str::to_owned), reason)]
}

#[test]
fn what_is_unknown_is_traced_to_its_smallest_part_and_its_reason() {
    for (rule, part, path, reason) in [
        ("m + 1 > 3", "m", Some("m"), Reason::Unanswered),
        ("n > 3", "n", Some("n"), Reason::NonAnswer("refused".to_owned())),
        ("hidden > 3", "hidden", Some("hidden"), Reason::NotRelevant),
        ("half > 3", "half", Some("half"), Reason::NotCalculated),
        ("10 / zero > 3", "10 / zero", None, Reason::NotComputable),
        ("prev.nothing > 3", "prev.nothing", None, Reason::NoEarlierVisit),
        ("facility.beds > 3", "facility.beds", None, Reason::NoFacility),
        ("visit.zone == 'a'", "visit.zone", None, Reason::NotSaid),
        ("gps.altitude_m > 3", "gps.altitude_m", None, Reason::NoSuchPart),
        ("in_area(gps, 'QTA')", "in_area(gps, 'QTA')", None, Reason::NoBoundaries),
        ("rows.exists(r, r.age > 7)", "r.age", Some("rows[1].age"), Reason::Unanswered),
        ("max([m]) > 3", "m", Some("m"), Reason::Unanswered),
        (
            "sum(rows.filter(r, r.key == 'z').map(r, r.age)) > 3",
            "sum(rows.filter(r, r.key == 'z').map(r, r.age))",
            None,
            Reason::OfNothing,
        ),
        ("known(m) ? true : null", "null", None, Reason::Written),
        ("entry == 'full' || m > 3", "m", Some("m"), Reason::Unanswered),
        ("3 in [m, zero]", "m", Some("m"), Reason::Unanswered),
        ("rows[7].age > 3", "rows[7]", None, Reason::NoSuchPart),
        ("hours_between(visit.started_at, visit.finished_at) > 3", "visit.started_at", None, Reason::NotSaid),
    ] {
        assert_eq!(why(rule), one(part, path, reason), "{rule}");
    }
    assert_eq!(why("m > 3 && n > 3").len(), 2);
    assert_eq!(why("entry == 'no'"), []);
}

#[test]
fn a_parameter_that_is_not_in_force_is_named() {
    let mut package = super::package(
        json!({"n": {"type": "integer", "title": "N", "x-constraints": [{"rule": "this < param.age.child_max", "message": "M", "level": "error"}]}}),
        json!({}),
    );
    package.parameters[0]["valid_from"] = json!("2030-01-01");
    let form = crate::compile(&package).unwrap();

    let explanation = form.explain(&json!({"n": 3}), None, &context());

    assert_eq!(
        explanation.rules[0].unknown.first().map(|unknown| &unknown.reason),
        Some(&Reason::NoParameter),
        "{:?}",
        explanation.rules
    );
    assert_eq!(explanation.rules[0].unknown[0].part, "param.age.child_max");
    assert_eq!(explanation.rules[0].because[0].path, "n");
    assert_eq!(explanation.rules[0].code.as_deref(), Some("n"));
}

#[test]
fn every_rule_that_ran_is_told_in_the_order_of_the_form_with_what_it_read() {
    let form = with_rule("count(rows.filter(r, r.age < param.age.child_max)) > 0");
    let answers = json!({"entry": "full", "m": 5, "rows": [{"key": "a", "age": 3}]});

    let explanation = form.explain(&answers, None, &context());

    let told: Vec<(RulePurpose, &str, &Value)> =
        explanation.rules.iter().map(|one| (one.purpose, one.path.as_str(), &one.result)).collect();
    assert_eq!(
        told,
        [
            (RulePurpose::Relevant, "hidden", &json!(true)),
            (RulePurpose::Calculation, "half", &json!(2.5)),
            (RulePurpose::Finding, "", &json!(true)),
        ]
    );
    assert_eq!(explanation.rules[2].pointer, "/x-findings/0/when");
    assert_eq!(explanation.rules[2].because[0].path, "rows[0].age");
    assert_eq!(explanation.outcome.cost, form.evaluate(&answers, None, &context()).cost);
}
