//! Any JSON at all, deep, huge and wrongly typed: never a panic, always the same bytes, and normalising twice is once.

use super::{evaluate, evaluate_with, form};
use crate::{Form, compile};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static FORM: LazyLock<Form> = LazyLock::new(|| {
    let calculated =
        |kind: &str, rule: &str| json!({"type": kind, "title": "C", "readOnly": true, "x-calculate": rule});
    form(
        json!({
            "est": {"type": "string", "title": "Type", "oneOf": [{"const": "mine", "title": "Mine"}, {"const": "shop", "title": "Shop"}], "x-required": true},
            "n": {"type": "integer", "minimum": 0, "title": "N", "x-non-answers": ["refused"]}, "x": {"type": "number", "title": "X"},
            "day": {"type": "string", "format": "date", "title": "Day", "x-constraints": [{"rule": "this <= today && months_between(this, today) < 3", "message": "M", "level": "error"}]},
            "start": {"$ref": "#/$defs/time", "title": "Start"}, "at": {"type": "string", "format": "date-time", "title": "At"},
            "gps": {"$ref": "#/$defs/geopoint", "title": "GPS"}, "photo": {"$ref": "#/$defs/media", "title": "Photo"},
            "district": {"type": "string", "title": "District", "x-choices": {"list": "district", "filter": "choice.division == 'Q'"}},
            "injuries": {"type": "array", "items": {"type": "string"}, "uniqueItems": true, "title": "Injuries", "x-choices": {"list": "injury"}, "x-relevant": "est == 'mine'"},
            "twice": calculated("number", "n * 2 + coalesce(x, 0)"), "later": {"type": "string", "format": "date", "title": "L", "readOnly": true, "x-calculate": "add_days(day, x)"},
            "far": calculated("number", "distance_m(gps, gps) + gps.accuracy_m"), "said": calculated("string", "non_answer(n) + coalesce(est, '')"),
            "rows": {"type": "array", "maxItems": 4, "title": "Rows", "x-key": "n_row", "x-relevant": "n > 0", "items": {"type": "object", "properties": {
                "n_row": {"type": "integer", "title": "N", "x-required": "est == 'shop'"}, "flag": {"type": "boolean", "title": "F"},
                "same": {"type": "number", "title": "S", "readOnly": true, "x-calculate": "count(rows.filter(r, r.n_row == n_row))"}}}}
        }),
        json!({
            "x-constraints": [{"code": "X1", "rule": "rows.all(r, r.same == 1) && !injuries.exists(i, i in param.strong.signs)", "message": "M", "level": "warning"}],
            "x-findings": [{"code": "F-1", "scope": "rows", "when": "flag || twice > 3", "if_unknown": "provisional", "severity": "major", "title": "T", "action": "A", "disclose": false}]
        }),
    )
});

/// JSON that likes the names and words of the form.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("mine"),
        Just("shop"),
        Just("cut"),
        Just("2026-11-01"),
        Just("2026-02-30"),
        Just("07:30"),
        Just("99:99"),
        Just("QTA"),
        Just("2026-11-20T10:00:00+05:00"),
        Just(""),
        Just("نگران"),
        Just("refused"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| json!(n)),
        (-5_i64..20).prop_map(Value::from),
        word.prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        Just("a1"),
        Just("est"),
        Just("n"),
        Just("x"),
        Just("day"),
        Just("start"),
        Just("at"),
        Just("gps"),
        Just("photo"),
        Just("district"),
        Just("injuries"),
        Just("twice"),
        Just("rows"),
        Just("n_row"),
        Just("flag"),
        Just("lat"),
        Just("lon"),
        Just("accuracy_m"),
        Just("media"),
        Just("nobody"),
        Just(""),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..12).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>()
            )),
        ]
    })
}

fn bytes(answers: &Value, non_answers: &Value) -> String {
    serde_json::to_string(&evaluate_with(&FORM, answers.clone(), Some(non_answers.clone()))).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_answers_give_the_same_bytes(answers in any_json(), non_answers in any_json()) {
        prop_assert_eq!(bytes(&answers, &non_answers), bytes(&answers, &non_answers));
    }

    #[test]
    fn normalising_twice_is_once(answers in any_json()) {
        let first = evaluate(&FORM, answers);
        let second = evaluate(&FORM, first.answers.clone());

        prop_assert_eq!(first.answers.to_string(), second.answers.to_string());
        prop_assert_eq!(first.calculated, second.calculated);
        prop_assert_eq!(first.relevance, second.relevance);
    }

    #[test]
    fn no_answers_cost_more_than_the_price_of_the_form(answers in any_json(), non_answers in any_json()) {
        let cost = evaluate_with(&FORM, answers, Some(non_answers)).cost;

        prop_assert!(cost <= FORM.price().worst_case_steps, "{} of {:?}", cost, FORM.price());
    }
}

proptest! {
    // Compiling is dearer than evaluating.
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_definition_compiles_or_is_refused(definition in any_json(), rule in "[a-z0-9_ .()<>=!&|?:'+*/%\\[\\],-]{0,60}") {
        let mut package = super::package(json!({"n": {"type": "integer", "title": "N", "x-relevant": rule}}), json!({}));
        let _ = compile(&package);
        package.definition = definition;
        prop_assert!(compile(&package).is_err());
    }
}

#[test]
fn deep_and_huge_answers_cost_no_more_than_the_form_allows() {
    // Four times deeper than any JSON text that serde_json reads.
    let deep = (0..500).fold(json!(1), |inner, _| json!([inner]));
    let rows: Vec<Value> = (0..50_000).map(|n| json!({"n_row": n, "flag": true})).collect();
    let strangers: Map<String, Value> = (0..50_000).map(|n| (format!("stranger_{n}"), json!(n))).collect();

    let outcome = evaluate(
        &FORM,
        json!({"n": 5, "est": "mine", "rows": rows, "injuries": vec!["cut"; 100_000], "a1": strangers}),
    );
    let of_depth = evaluate(&FORM, json!({"rows": deep.clone(), "gps": deep.clone(), "est": deep}));

    assert!(
        outcome.violations.len() < 250 && outcome.cost < 5_000,
        "{} {}",
        outcome.violations.len(),
        outcome.cost
    );
    assert_eq!(outcome.answers["a1"]["rows"].as_array().unwrap().len(), 4);
    assert!(!of_depth.violations.is_empty());
}

#[test]
fn the_deepest_rule_that_is_accepted_runs_on_a_small_stack() {
    let rule = format!("{}n{}", "(1 + ".repeat(90), ")".repeat(90));
    let form = form(
        json!({"n": {"type": "integer", "title": "N"}, "sum": {"type": "number", "title": "S", "readOnly": true, "x-calculate": rule}}),
        json!({}),
    );

    let small = std::thread::Builder::new().stack_size(1 << 20);
    let summed = small
        .spawn(move || evaluate(&form, json!({"n": 1})).calculated["sum"].clone())
        .unwrap()
        .join()
        .unwrap();

    assert_eq!(summed, 91);
}
