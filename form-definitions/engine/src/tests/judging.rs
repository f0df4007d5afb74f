//! Relevance, calculations, required answers, constraints, choices, shape: what an inspector is told and what is kept.

use super::{evaluate, evaluate_with, form, told};
use crate::{Level, Verdict};
use serde_json::{Value, json};

fn roster() -> Value {
    json!({
        "entry": {"type": "string", "title": "Entry", "x-required": true, "oneOf": [{"const": "full", "title": "Full"}, {"const": "refused", "title": "Refused"}]},
        "girls": {"type": "integer", "minimum": 0, "maximum": 500, "title": "Girls", "x-required": true, "x-relevant": "entry == 'full'", "x-non-answers": ["refused"]},
        "boys": {"type": "integer", "minimum": 0, "title": "Boys", "x-relevant": "entry == 'full'"},
        "total": {"type": "integer", "title": "Total", "readOnly": true, "x-calculate": "girls + coalesce(boys, 0)"},
        "why_few": {"type": "string", "maxLength": 20, "title": "Why", "x-relevant": "count(children) < total", "x-required": "count(children) < total"},
        "children": {
            "type": "array", "maxItems": 3, "minItems": 2, "title": "Children", "x-key": "code", "x-relevant": "entry == 'full'",
            "x-constraints": [{"code": "A-X1", "rule": "size(this) <= total", "message": "Too many rows", "level": "warning"}],
            "items": {"type": "object", "additionalProperties": false, "properties": {
                "code": {"type": "string", "maxLength": 10, "title": "Code", "x-required": true},
                "age": {"type": "integer", "title": "Age", "x-constraints": [{"rule": "this >= 3 && this <= 19", "message": "Age 3–19", "level": "error"}]},
                "age_doc": {"type": "number", "title": "By document", "x-relevant": "age < param.age.child_max"}
            }}
        }
    })
}

#[test]
fn a_clean_visit_is_valid_and_written_in_form_order_by_section() {
    let outcome = evaluate(
        &form(roster(), json!({"x-summary": ["entry", "total"]})),
        json!({
            "children": [{"age": 12, "code": "K-1", "age_doc": 12.5}, {"code": "K-2", "age": 15}], "girls": 2.0, "entry": "full"
        }),
    );

    assert_eq!(outcome.verdict(), Verdict::Valid, "{:?}", told(&outcome));
    assert_eq!(
        outcome.answers.to_string(),
        r#"{"a1":{"entry":"full","girls":2,"total":2,"children":[{"code":"K-1","age":12,"age_doc":12.5},{"code":"K-2","age":15}]}}"#
    );
    assert_eq!(outcome.calculated.get("total"), Some(&json!(2)));
    assert_eq!(outcome.summary, *json!({"entry": "full", "total": 2}).as_object().unwrap());
    assert_eq!(outcome.relevance.keys().collect::<Vec<_>>(), ["children[1].age_doc", "why_few"]);
}

#[test]
fn what_is_hidden_is_gone_before_anything_else_looks() {
    let outcome = evaluate(
        &form(roster(), json!({})),
        json!({"a1": {"entry": "refused", "girls": -7, "boys": "many", "children": [{"age": 99}], "why_few": "closed"}}),
    );

    assert_eq!(told(&outcome), Vec::<String>::new());
    assert_eq!(outcome.answers, json!({"a1": {"entry": "refused"}}));
    assert_eq!(outcome.relevance.keys().collect::<Vec<_>>(), ["boys", "children", "girls", "why_few"]);
}

#[test]
fn everything_wrong_is_told_in_the_order_of_the_form() {
    let outcome = evaluate(
        &form(roster(), json!({})),
        json!({"a1": {
        "girls": 900, "entry": "full", "boys": "many", "stranger": 1,
        "children": [{"code": "K-1", "age": 2}, 7, {"code": "K-1", "age": 12, "height": 120}, {"code": "K-4"}]
    }, "nobody": true}),
    );

    assert_eq!(
        told(&outcome),
        [
            "unknown_question at stranger",
            "range at girls",
            "type at boys",
            "required at why_few",
            "too_many at children",
            "age at children[0].age",
            "type at children[1]",
            "required at children[1].code",
            "unknown_question at children[2].height",
            "duplicate at children[2].code",
            "unknown_question at nobody",
        ]
    );
    assert_eq!(
        outcome.answers["a1"]["children"],
        json!([{"code": "K-1", "age": 2}, {}, {"code": "K-1", "age": 12}])
    );
    assert_eq!(outcome.verdict(), Verdict::Invalid);
    assert!(outcome.violations.iter().all(|violation| violation.message.contains_key("en")));
}

#[test]
fn violations_speak_english_and_urdu() {
    let outcome = evaluate(
        &form(roster(), json!({})),
        json!({"entry": "full", "girls": 1, "children": [{"code": "a"}, {"code": "b"}]}),
    );
    let missing = evaluate(&form(roster(), json!({})), json!({"entry": "full"}));

    assert_eq!(told(&outcome), ["A-X1 at children"]);
    assert_eq!(
        (outcome.violations[0].level, outcome.violations[0].message["ur"].as_str()),
        (Level::Warning, "غلط")
    );
    assert_eq!(outcome.violations[0].rule.as_deref(), Some("size(this) <= total"));
    assert_eq!(missing.violations[0].message["en"], "An answer is required: Girls.");
    assert_eq!(missing.violations[0].message["ur"], "جواب ضروری ہے: لڑکیاں۔");
}

#[test]
fn one_row_too_few_is_told_but_no_rows_at_all_is_unanswered() {
    let one = evaluate(
        &form(roster(), json!({})),
        json!({"entry": "full", "girls": 1, "children": [{"code": "a"}]}),
    );
    let none = evaluate(&form(roster(), json!({})), json!({"entry": "full", "girls": 0, "children": []}));

    assert_eq!(told(&one), ["too_few at children"]);
    assert_eq!(told(&none), Vec::<String>::new());
}

#[test]
fn a_reason_may_stand_instead_of_an_answer_where_the_form_allows_it() {
    let questions = || {
        let mut questions = roster();
        questions["said"] =
            json!({"type": "string", "title": "Said", "readOnly": true, "x-calculate": "non_answer(girls)"});
        questions
    };
    let refused = evaluate_with(
        &form(questions(), json!({})),
        json!({"entry": "full"}),
        Some(json!({"girls": "refused", "boys": "refused", "children[4].age": "not_known"})),
    );

    assert_eq!(
        told(&refused),
        ["non_answer_not_allowed at boys", "non_answer_not_allowed at children[4].age"]
    );
    assert_eq!(refused.non_answers, *json!({"girls": "refused"}).as_object().unwrap());
    assert_eq!(refused.calculated["said"], "refused");
}

#[test]
fn the_servers_calculation_counts_and_the_difference_is_a_warning() {
    let form = form(roster(), json!({}));
    let differs = evaluate(&form, json!({"entry": "full", "girls": 2, "total": 7, "why_few": "gone"}));
    let agrees = evaluate(&form, json!({"entry": "full", "girls": 2, "total": 2.0, "why_few": "gone"}));

    assert_eq!(
        (told(&differs), differs.verdict()),
        (vec!["calculated_differs at total".to_owned()], Verdict::Warnings)
    );
    assert_eq!(differs.answers["a1"]["total"], 2);
    assert_eq!(told(&agrees), Vec::<String>::new());
}

#[test]
fn choices_are_held_to_their_list_its_dates_and_its_filter() {
    let form = form(
        json!({
            "division": {"type": "string", "title": "Division", "oneOf": [{"const": "Q", "title": "Quetta"}, {"const": "M", "title": "Makran"}]},
            "district": {"type": "string", "title": "District", "x-choices": {"list": "district", "filter": "choice.division == division"}},
            "injuries": {"type": "array", "items": {"type": "string"}, "uniqueItems": true, "title": "Injuries", "x-choices": {"list": "injury"}}
        }),
        json!({}),
    );
    let wrong = |answers: Value| told(&evaluate(&form, answers));

    assert_eq!(wrong(json!({"division": "Q", "district": "QTA", "injuries": ["cut"]})), Vec::<String>::new());
    assert_eq!(wrong(json!({"division": "M", "district": "QTA"})), ["choice at district"]);
    assert_eq!(wrong(json!({"district": "QTA"})), ["choice at district"], "an unknown filter offers nothing");
    assert_eq!(
        wrong(json!({"division": "Q", "district": "OLD"})),
        ["choice at district"],
        "no longer in force on the day of the visit"
    );
    assert_eq!(wrong(json!({"injuries": ["cut", "flu"]})), ["choice at injuries[1]"]);
    assert_eq!(wrong(json!({"injuries": ["cut", "cut"]})), ["duplicate at injuries"]);
    assert_eq!(wrong(json!({"injuries": vec!["cut"; 4000]})), ["too_many at injuries"]);
    assert_eq!(wrong(json!({"injuries": "cut"})), ["type at injuries"]);
}

#[test]
fn what_is_of_the_wrong_type_is_unanswered_but_told() {
    let form = form(
        json!({
            "day": {"type": "string", "format": "date", "title": "Day"}, "start": {"$ref": "#/$defs/time", "title": "Start"}, "gps": {"$ref": "#/$defs/geopoint", "title": "GPS"},
            "photo": {"$ref": "#/$defs/media", "title": "Photo"}, "whole": {"type": "integer", "title": "Whole"}, "code": {"type": "string", "pattern": "^[A-Z]+$", "minLength": 2, "maxLength": 4, "title": "Code"},
            "n": {"type": "integer", "title": "N", "readOnly": true, "x-calculate": "size([known(day), known(start), known(gps), known(photo), known(whole), known(code)].filter(k, k))"}
        }),
        json!({}),
    );
    let outcome = evaluate(
        &form,
        json!({"day": "2026-02-30", "start": "25:00", "gps": {"lat": 95, "lon": 67}, "photo": "front.jpg", "whole": 3.5, "code": "abcde"}),
    );

    assert_eq!(
        told(&outcome),
        [
            "format at day",
            "pattern at start",
            "range at gps.lat",
            "type at photo",
            "type at whole",
            "too_long at code",
            "pattern at code"
        ]
    );
    assert_eq!(outcome.answers["a1"], json!({"gps": {"lat": 95, "lon": 67}, "code": "abcde", "n": 2}));
}

#[test]
fn empty_texts_lists_and_nulls_are_unanswered() {
    let outcome = evaluate(
        &form(roster(), json!({})),
        json!({"a1": null, "entry": "full", "girls": null, "boys": "", "children": []}),
    );

    assert_eq!(told(&outcome), ["required at girls"]);
    assert_eq!(outcome.answers, json!({"a1": {"entry": "full"}}));
}

#[test]
fn photos_are_listed_with_what_was_said_of_faces() {
    let outcome = evaluate(
        &form(
            json!({
                "front": {"$ref": "#/$defs/media", "title": "Front", "x-widget": "photo"},
                "rows": {"type": "array", "maxItems": 2, "title": "Rows", "x-key": "n", "items": {"type": "object", "properties": {"n": {"type": "integer", "title": "N"}, "sign": {"$ref": "#/$defs/media", "title": "Sign"}}}}
            }),
            json!({}),
        ),
        json!({"rows": [{"n": 1, "sign": {"media": "s.png"}}], "front": {"media": "f.jpg", "faces_checked": true}}),
    );

    let listed: Vec<_> = outcome
        .media
        .iter()
        .map(|media| (media.path.as_str(), media.name.as_str(), media.faces_checked))
        .collect();
    assert_eq!(listed, [("front", "f.jpg", Some(true)), ("rows[0].sign", "s.png", None)]);
}

#[test]
fn rows_within_rows_see_their_row_first_then_the_enclosing_one_then_the_form() {
    let outcome = evaluate(
        &form(
            json!({
                "base": {"type": "integer", "title": "Base"},
                "rooms": {"type": "array", "maxItems": 5, "title": "Rooms", "x-key": "room", "items": {"type": "object", "properties": {
                    "room": {"type": "string", "title": "Room"}, "factor": {"type": "integer", "title": "Factor"},
                    "beds": {"type": "array", "maxItems": 5, "title": "Beds", "x-key": "bed", "items": {"type": "object", "properties": {
                        "bed": {"type": "integer", "title": "Bed"}, "worth": {"type": "number", "title": "Worth", "readOnly": true, "x-calculate": "bed * factor + base"}}}},
                    "room_worth": {"type": "number", "title": "Worth", "readOnly": true, "x-calculate": "sum(beds.map(b, b.worth))"}
                }}},
                "all_worth": {"type": "number", "title": "All", "readOnly": true, "x-calculate": "sum(rooms.map(r, r.room_worth))"}
            }),
            json!({}),
        ),
        json!({"base": 1, "rooms": [{"room": "A", "factor": 10, "beds": [{"bed": 1}, {"bed": 2}]}, {"room": "B", "factor": 2, "beds": [{"bed": 3}]}]}),
    );

    assert_eq!(outcome.calculated["rooms[0].beds[1].worth"], 21);
    assert_eq!(outcome.calculated["all_worth"], 39);
    assert_eq!(outcome.violations, []);
}

#[test]
fn a_compiled_form_is_shared_between_threads() {
    fn is_shared<T: Send + Sync>(_: &T) {}

    is_shared(&form(roster(), json!({})));
}
