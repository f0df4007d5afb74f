//! Weighted scores: what is not applicable weighs nothing, what rules read is what is shown.

use super::{evaluate, evaluate_with, form, problems, refused, told};
use crate::Form;
use serde_json::{Value, json};

fn item(title: &str) -> Value {
    json!({"type": "integer", "minimum": 0, "maximum": 2, "title": title, "x-widget": "compliance", "x-non-answers": ["not_applicable"], "x-required": true})
}

fn scores() -> Value {
    json!({"x-scores": {"audit": {"title": "Audit", "item_max": 2, "scale": 100, "places": 1, "domains": [
        {"code": "D1", "title": "Registration", "weight": 3, "items": [{"question": "k_reg", "weight": 3, "stop": true}, {"question": "k_board", "weight": 1}]},
        {"code": "D2", "title": "Safety", "weight": 7, "items": [{"question": "k_fire", "weight": 2, "stop": true}, {"question": "k_exits", "weight": 1}]}
    ]}}})
}

fn questions() -> Value {
    json!({
        "beds": {"type": "integer", "title": "Beds"},
        "k_reg": item("Registered"), "k_board": item("Board"), "k_fire": item("Fire"),
        "k_exits": {"type": "integer", "title": "Exits", "readOnly": true, "x-calculate": "beds > 10 ? 1 : 2"},
        "domain_scores": {"type": "object", "title": "Domains", "readOnly": true, "x-calculate": "score.audit.domains"},
        "total": {"type": "number", "title": "Total", "readOnly": true, "x-calculate": "score.audit.total"},
        "safety": {"type": "number", "title": "Safety", "readOnly": true, "x-calculate": "domain_scores.D2 + 0 * score.audit.domains.D2"},
        "rating": {"type": "string", "title": "Rating", "readOnly": true,
            "x-calculate": "score.audit.stops > 0 ? 'stop' : score.audit.min < 40 || total < 50 ? 'red' : 'green'"}
    })
}

fn audit() -> Form {
    let mut root = scores();
    root["x-findings"] = json!([{"code": "AUD-01", "scope": "form", "when": "score.audit.total < 90", "if_unknown": "provisional", "severity": "major", "title": "Low", "action": "Act", "disclose": true}]);
    form(questions(), root)
}

#[test]
fn domains_are_weighed_into_a_total_after_what_they_rest_on_is_calculated() {
    let outcome = evaluate(&audit(), json!({"beds": 20, "k_reg": 2, "k_board": 1, "k_fire": 1}));

    assert_eq!(
        outcome.scores["audit"],
        json!({"total": 61.3, "min": 50, "stops": 0, "domains": {"D1": 87.5, "D2": 50}})
    );
    assert_eq!(outcome.calculated["domain_scores"], json!({"D1": 87.5, "D2": 50}));
    assert_eq!((&outcome.calculated["safety"], &outcome.calculated["rating"]), (&json!(50), &json!("green")));
    assert_eq!(outcome.findings[0].because[0].path, "score.audit.total");
    assert_eq!(outcome.findings[0].because[0].value, json!(61.3));
}

#[test]
fn what_is_not_applicable_leaves_both_sides_and_an_empty_domain_takes_its_weight_along() {
    let reasons = json!({"k_reg": "not_applicable", "k_board": "not_applicable"});
    let outcome = evaluate_with(&audit(), json!({"beds": 3, "k_fire": 1}), Some(reasons));

    assert_eq!(
        outcome.scores["audit"],
        json!({"total": 66.7, "min": 66.7, "stops": 0, "domains": {"D2": 66.7}})
    );
    assert_eq!(told(&outcome), Vec::<String>::new(), "a reason that is allowed satisfies what is required");
    assert_eq!(outcome.answers["a1"]["domain_scores"], json!({"D2": 66.7}));
}

#[test]
fn one_stop_is_counted_whatever_the_total() {
    let outcome = evaluate(&audit(), json!({"beds": 3, "k_reg": 0, "k_board": 2, "k_fire": 2}));

    assert_eq!(
        outcome.scores["audit"],
        json!({"total": 77.5, "min": 25, "stops": 1, "domains": {"D1": 25, "D2": 100}})
    );
    assert_eq!(outcome.calculated["rating"], "stop");
}

#[test]
fn while_no_item_is_answered_there_is_no_score_and_a_rule_hinges_on_the_items() {
    let outcome = evaluate(&audit(), json!({}));

    assert!(outcome.scores.is_empty());
    assert!(!outcome.calculated.contains_key("domain_scores"));
    assert!(outcome.findings[0].provisional);
    assert_eq!(outcome.findings[0].hinges_on, ["k_reg", "k_board", "k_fire", "beds"]);
}

#[test]
fn a_level_the_item_does_not_have_is_told_and_weighs_nothing() {
    let outcome = evaluate(&audit(), json!({"beds": 3, "k_reg": 2, "k_board": 9, "k_fire": 2}));

    assert_eq!(told(&outcome), ["range at k_board"]);
    assert_eq!(outcome.scores["audit"]["total"], json!(100));
}

#[test]
fn what_the_device_scored_is_compared_number_by_number() {
    let form = audit();
    let differs = |claim: Value| {
        told(&evaluate(
            &form,
            json!({"beds": 20, "k_reg": 2, "k_board": 1, "k_fire": 1, "domain_scores": claim}),
        ))
    };

    assert_eq!(differs(json!({"D2": 50.0, "D1": 87.5})), Vec::<String>::new());
    assert_eq!(differs(json!({"D1": 87.5})), ["calculated_differs at domain_scores"]);
}

#[test]
fn scores_that_cannot_be_weighed_are_refused() {
    let with = |change: fn(&mut Value)| {
        let mut root = scores();
        change(&mut root["x-scores"]["audit"]);
        refused(questions(), root)
    };

    assert_eq!(with(|score| score["domains"][0]["items"][0]["question"] = json!("nobody")), ["unknown_name"]);
    assert_eq!(
        with(|score| score["domains"][0]["items"][0]["question"] = json!("rating")),
        ["unreadable_score", "circle"]
    );
    assert_eq!(
        with(|score| score["domains"][0]["items"][0]["question"] = json!("k_fire")),
        ["unreadable_score"]
    );
    assert_eq!(with(|score| score["domains"][0]["items"][0]["weight"] = json!(0)), ["unreadable_score"]);
    assert_eq!(with(|score| score["domains"][1]["items"] = json!([])), ["unreadable_score"]);
    assert_eq!(with(|score| score["item_max"] = json!("two")), ["unreadable_score"]);
    assert_eq!(
        with(|score| score["domains"][1]["code"] = json!("D1")),
        ["duplicate_name", "unknown_score", "unknown_score"]
    );
    assert_eq!(
        with(|score| score["domains"] = json!([])),
        ["unreadable_score", "unknown_score", "unknown_score"]
    );
}

#[test]
fn a_score_nobody_declared_and_a_score_that_reads_itself_are_refused() {
    let reading = |rule: &str| {
        problems(json!({"n": {"type": "number", "title": "N", "readOnly": true, "x-calculate": rule}}))
    };
    let mut circular = questions();
    circular["k_exits"]["x-calculate"] = json!("score.audit.total > 50 ? 2 : 1");

    assert_eq!(reading("score.none.total")[0].code, "unknown_score");
    let found = crate::compile(&super::package(circular, scores())).err().unwrap();
    assert_eq!(found[0].message, "these wait for each other: k_exits reads score.audit reads k_exits");
}
