//! What a person is offered: beginnings and choices.

use super::{context, evaluate, form, problems, told};
use crate::Form;
use serde_json::{Value, json};

fn inspection() -> Form {
    form(
        json!({
            "inspector": {"type": "string", "title": "Inspector", "x-default": "user.code"},
            "on": {"type": "string", "format": "date", "title": "On", "x-default": "today"},
            "due": {"type": "string", "format": "date", "title": "Due", "x-default": "add_days(on, 30)"},
            "zone": {"type": "string", "title": "Zone", "x-default": "visit.zone"},
            "division": {"type": "string", "title": "Division", "oneOf": [{"const": "Q", "title": "Quetta"}, {"const": "M", "title": "Makran"}]},
            "district": {"type": "string", "title": "District", "x-choices": {"list": "district", "filter": "choice.division == division"}},
            "children": {"type": "array", "maxItems": 3, "title": "Children", "x-key": "code", "items": {"type": "object", "properties": {
                "code": {"type": "string", "title": "Code"}, "n": {"type": "integer", "title": "N", "x-default": "count(children)"},
                "age": {"type": "integer", "title": "Age"},
                "kind": {"type": "string", "title": "Kind", "x-default": "code.startsWith('A-') ? 'own' : null"}}}},
            "findings": {"type": "array", "maxItems": 3, "title": "Findings", "x-key": "seq", "items": {"type": "object", "properties": {
                "seq": {"type": "integer", "title": "Seq"},
                "child": {"type": "string", "title": "Child", "x-choices": {"rows": "children", "value": "code", "filter": "choice.age < param.age.child_max"}}}}},
            "follow_up": {"type": "integer", "title": "Follow-up", "x-choices": {"rows": "findings", "value": "seq"}},
            "told": {"type": "array", "items": {"type": "string"}, "uniqueItems": true, "title": "Told", "x-choices": {"rows": "children", "value": "code"}}
        }),
        json!({}),
    )
}

#[test]
fn a_new_form_begins_with_its_defaults_and_what_is_unknown_is_left_out() {
    let defaults = inspection().defaults(&context());

    assert_eq!(json!(defaults), json!({"inspector": "LI-7", "on": "2026-11-20", "due": "2026-12-20"}));
}

#[test]
fn a_new_row_begins_with_what_it_holds_and_the_rest_by_default() {
    let form = inspection();
    let answers = json!({"children": [{"code": "A-1", "n": 7}, {"code": "B-2"}]});
    let row = |path: &str| json!(form.row_defaults(path, &answers, &context()));

    assert_eq!(row("children"), json!({"n": 3}));
    assert_eq!(row("children[0]"), json!({"kind": "own"}));
    assert_eq!(row("children[1]"), json!({"n": 2}));
    assert_eq!(row("nobody"), json!({}));
    let full = json!({"children": [{}, {}, {}]});
    assert!(form.row_defaults("children", &full, &context()).is_empty(), "there is no fourth row");
}

#[test]
fn choices_are_those_in_force_that_the_filter_lets_through() {
    let form = inspection();
    let offered = |answers: Value| -> Vec<Value> {
        form.choices("district", &answers, &context()).into_iter().map(|choice| choice.value).collect()
    };

    assert_eq!(offered(json!({"division": "Q"})), ["QTA", "PSN"], "OLD ended before the day of the visit");
    assert_eq!(offered(json!({"division": "M"})), ["KCH"]);
    assert_eq!(offered(json!({})), Vec::<Value>::new());
    assert_eq!(form.choices("district", &json!({"division": "Q"}), &context())[0].title["ur"], "کوئٹہ");
    assert_eq!(form.choices("division", &json!({}), &context())[1].title["en"], "Makran");
    assert!(form.choices("inspector", &json!({}), &context()).is_empty());
}

#[test]
fn rows_of_the_form_are_offered_and_held_to() {
    let form = inspection();
    let answers = |child: &str, follow_up: i64, heard: Value| {
        json!({
            "children": [{"code": "A-1", "age": 12}, {"code": "B-2", "age": 15}, {"code": "C-3"}],
            "findings": [{"seq": 1, "child": child}], "follow_up": follow_up, "told": heard
        })
    };
    let right = answers("A-1", 1, json!(["B-2", "C-3"]));
    let wrong = answers("B-2", 2, json!(["A-1", "Z-9"]));

    let offered = form.choices("findings[0].child", &right, &context());

    assert_eq!(offered.iter().map(|choice| &choice.value).collect::<Vec<_>>(), ["A-1"]);
    assert_eq!(form.choices("follow_up", &right, &context())[0].value, json!(1));
    assert_eq!(told(&evaluate(&form, right)), Vec::<String>::new());
    assert_eq!(
        told(&evaluate(&form, wrong)),
        ["choice at findings[0].child", "choice at follow_up", "choice at told[1]"]
    );
}

#[test]
fn rows_that_cannot_be_chosen_from_are_refused() {
    let choosing = |choices: Value| {
        let questions = json!({
            "rooms": {"type": "array", "maxItems": 3, "title": "Rooms", "x-key": "room", "items": {"type": "object", "properties": {
                "room": {"type": "string", "title": "Room"}, "beds": {"type": "array", "maxItems": 3, "title": "Beds", "x-key": "bed",
                    "items": {"type": "object", "properties": {"bed": {"type": "integer", "title": "Bed"}}}}}}},
            "best": {"type": "string", "title": "Best", "x-choices": choices}
        });
        problems(questions).into_iter().map(|problem| (problem.code, problem.path)).collect::<Vec<_>>()
    };
    let refused = vec![("unknown_rows".to_owned(), "/properties/a1/properties/best/x-choices".to_owned())];

    assert_eq!(choosing(json!({"rows": "rooms", "value": "room"})), []);
    assert_eq!(choosing(json!({"rows": "houses", "value": "room"})), refused);
    assert_eq!(choosing(json!({"rows": "rooms", "value": "door"})), refused);
    assert_eq!(choosing(json!({"rows": "beds", "value": "bed"})), refused);
    assert_eq!(choosing(json!({"rows": "rooms"})), refused);
    assert_eq!(choosing(json!({"rows": "rooms", "value": "room", "list": "district"})), refused);
}
