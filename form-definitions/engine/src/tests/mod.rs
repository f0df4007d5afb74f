//! The engine from outside: small questionnaires, their answers, and what people are told.

mod agreement;
mod at_review;
mod conformance;
mod counting;
mod every_refusal;
mod every_violation;
mod explaining;
mod filling;
mod findings;
mod hostile;
mod judging;
mod language;
mod mutation;
mod offering;
mod reach;
mod refusals;
mod scores;
mod specification;
mod spelling;
mod writing;

use crate::{Context, Form, NoAreas, Outcome, Package, Problem, User, Visit, compile};
use serde_json::{Map, Value, json};

/// A questionnaire of one section `a1`, with whatever else stands at its root.
fn package(questions: Value, root: Value) -> Package {
    let mut definition = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Test", "type": "object", "additionalProperties": false, "x-facility": {"kind": "workplace", "code": "est", "prev": ["open_findings", "nothing"]},
        "x-form": {"form": "test", "version": 1, "languages": [{"code": "en", "dir": "ltr"}, {"code": "ur", "dir": "rtl", "required": false}]},
        "$defs": {
            "time": {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
            "geopoint": {
                "type": "object", "required": ["lat", "lon"], "additionalProperties": false,
                "properties": {"lat": {"type": "number", "minimum": -90, "maximum": 90}, "lon": {"type": "number"}, "accuracy_m": {"type": "number"}, "altitude_m": {"type": "number"}}
            },
            "media": {"type": "object", "required": ["media"], "properties": {"media": {"type": "string"}, "faces_checked": {"type": "boolean"}}}
        },
        "properties": {"a1": {"type": "object", "title": "A", "additionalProperties": false, "properties": questions}}
    });
    if let (Some(definition), Value::Object(root)) = (definition.as_object_mut(), root) {
        definition.extend(root);
    }
    let lists = [
        json!({"list": "injury", "columns": [], "items": [{"code": "none", "title": {"en": "None"}}, {"code": "cut", "title": {"en": "Cut", "ur": "کٹ"}}, {"code": "burn", "title": {"en": "Burn"}}]}),
        json!({"list": "district", "columns": ["division"], "items": [
            {"code": "QTA", "title": {"en": "Quetta", "ur": "کوئٹہ"}, "division": "Q"}, {"code": "PSN", "title": {"en": "Pishin"}, "division": "Q"},
            {"code": "KCH", "title": {"en": "Kech"}, "division": "M"},
            {"code": "OLD", "title": {"en": "Old"}, "division": "Q", "valid_from": "2000-01-01", "valid_to": "2026-11-20"}]}),
    ];
    let packs = [json!({"pack": "labour", "rows": [
        {"key": "age.child_max", "value": 14, "unit": "years", "valid_from": "2021-05-01", "valid_to": null, "area": null},
        {"key": "age.dispute_years", "value": 1, "unit": "years", "valid_from": "2021-05-01", "valid_to": null, "area": null},
        {"key": "strong.signs", "value": ["burn", "cut"], "valid_from": "2021-05-01", "valid_to": null, "area": null}
    ], "baselines": [{"key": "BR_RATE", "value": 23, "year": 2011}]})];
    let i18n: Map<String, Value> = Map::from_iter([(
        "ur".to_owned(),
        json!({"lang": "ur", "dir": "rtl", "draft": true, "labels": {"girls": "لڑکیاں", "!A-X1": "غلط"}}),
    )]);
    Package::assemble(definition, i18n, &lists, &packs)
}

fn form(questions: Value, root: Value) -> Form {
    compile(&package(questions, root)).unwrap_or_else(|problems| panic!("{}", spell(&problems)))
}

/// The codes of everything refused.
fn refused(questions: Value, root: Value) -> Vec<String> {
    match compile(&package(questions, root)) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|problem| problem.code).collect(),
    }
}

fn problems(questions: Value) -> Vec<Problem> {
    compile(&package(questions, json!({}))).err().unwrap_or_default()
}

fn spell(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Evaluates on the afternoon of 20 November 2026, in Quetta.
fn evaluate(form: &Form, answers: Value) -> Outcome {
    evaluate_with(form, answers, None)
}

fn evaluate_with(form: &Form, answers: Value, non_answers: Option<Value>) -> Outcome {
    form.evaluate(&answers, non_answers.as_ref(), &context())
}

fn context() -> Context<'static> {
    let visit = Visit {
        district: Some("QTA".to_owned()),
        ..Visit::finished("2026-11-20T15:30:00+05:00".parse().unwrap())
    };
    let user = User { code: "LI-7".to_owned(), role: "inspector".to_owned(), areas: vec!["QTA".to_owned()] };
    let mut context = Context::new(visit, user, &NoAreas);
    context.prev = Some(json!({"open_findings": 2, "a1": {"zone": "a"}}));
    context
}

/// `code at path` of every violation, in order.
fn told(outcome: &Outcome) -> Vec<String> {
    outcome.violations.iter().map(|violation| format!("{} at {}", violation.code, violation.path)).collect()
}
