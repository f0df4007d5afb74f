//! Filling in answer by answer: the same outcome as judging everything anew, and only what depends on a change is evaluated.

use super::{context, form};
use crate::Form;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static FORM: LazyLock<Form> = LazyLock::new(|| {
    let calculated =
        |kind: &str, rule: &str| json!({"type": kind, "title": "C", "readOnly": true, "x-calculate": rule});
    let level = |title: &str| json!({"type": "integer", "minimum": 0, "maximum": 2, "title": title, "x-non-answers": ["not_applicable"]});
    form(
        json!({
            "entry": {"type": "string", "title": "Entry", "x-required": true, "oneOf": [{"const": "full", "title": "Full"}, {"const": "no", "title": "No"}]},
            "n": {"type": "integer", "title": "N", "x-non-answers": ["refused"], "x-constraints": [{"rule": "this < 9 && this != m", "message": "M", "level": "warning"}]},
            "m": {"type": "integer", "title": "M", "x-relevant": "n > 2"},
            "sum": calculated("number", "n + m"), "twice": calculated("number", "sum * 2"),
            "photo": {"$ref": "#/$defs/media", "title": "Photo", "x-relevant": "twice > 6"}
        }),
        json!({"properties": {
            "a1": {"type": "object", "title": "A", "properties": {
                "entry": {"type": "string", "title": "Entry", "x-required": true, "oneOf": [{"const": "full", "title": "Full"}, {"const": "no", "title": "No"}]},
                "n": {"type": "integer", "title": "N", "x-non-answers": ["refused"], "x-constraints": [{"rule": "this < 9 && this != m", "message": "M", "level": "warning"}]},
                "m": {"type": "integer", "title": "M", "x-relevant": "n > 2"},
                "sum": calculated("number", "n + m"), "twice": calculated("number", "sum * 2"),
                "photo": {"$ref": "#/$defs/media", "title": "Photo", "x-relevant": "twice > 6"},
                "k_one": level("One"), "k_two": level("Two"),
                "why": {"type": "string", "title": "Why", "x-required": "non_answer(n) == 'refused'", "x-choices": {"rows": "rooms", "value": "room"}}
            }},
            "a2": {"type": "object", "title": "B", "x-relevant": "entry == 'full' && n > 0", "properties": {
                "rooms": {"type": "array", "maxItems": 4, "minItems": 1, "title": "Rooms", "x-key": "room", "x-relevant": "coalesce(m, 0) != 7", "x-required": "n > 1", "items": {"type": "object", "properties": {
                    "room": {"type": "string", "maxLength": 4, "title": "Room", "x-constraints": [{"rule": "count(rooms.filter(r, r.room == room)) == 1", "message": "Twice", "level": "error"}]},
                    "factor": {"type": "integer", "title": "Factor"},
                    "beds": {"type": "array", "maxItems": 3, "title": "Beds", "x-key": "bed", "x-relevant": "factor > 0", "items": {"type": "object", "properties": {
                        "bed": {"type": "integer", "title": "Bed", "x-relevant": "n != 4"}, "worth": calculated("number", "bed * factor + n")}}},
                    "room_worth": calculated("number", "sum(beds.map(b, b.worth))")
                }, "x-constraints": [{"rule": "room_worth < 40", "message": "Dear", "level": "info"}]}},
                "district": {"type": "string", "title": "District", "x-choices": {"list": "district", "filter": "choice.division == (n > 3 ? 'Q' : 'M')"}},
                "all_worth": calculated("number", "sum(rooms.map(r, r.room_worth))")
            }},
            "a3": {"type": "object", "title": "C", "properties": {
                "rating": calculated("string", "score.audit.stops > 0 ? 'stop' : score.audit.total > 50 ? 'green' : 'red'"),
                "plan": {"type": "string", "title": "Plan", "x-relevant": "rating == 'red' || all_worth > 20"}
            }}
        },
        "x-scores": {"audit": {"title": "A", "item_max": 2, "domains": [{"code": "D1", "title": "D", "weight": 1, "items": [{"question": "k_one", "weight": 2, "stop": true}, {"question": "k_two"}]}]}},
        "x-constraints": [{"code": "X-1", "rule": "rooms.all(r, r.beds.exists(b, b.bed > 0))", "message": "M", "level": "warning"}, {"code": "X-2", "rule": "entry == 'full'", "message": "M", "level": "info"}],
        "x-findings": [
            {"code": "F-1", "scope": "rooms", "when": "room_worth > 10 || factor > 5", "if_unknown": "provisional", "severity": "major", "title": "T", "action": "A", "disclose": false},
            {"code": "F-2", "scope": "form", "when": "all_worth > 20", "if_unknown": "provisional", "severity": "minor", "title": "T", "action": "A", "disclose": true},
            {"code": "F-3", "scope": "form", "when": "score.audit.total < 60", "severity": "minor", "title": "T", "action": "A", "disclose": true, "supersedes": ["F-2"]}
        ]}),
    )
});

const PATHS: [&str; 24] = [
    "entry",
    "n",
    "m",
    "sum",
    "photo",
    "k_one",
    "k_two",
    "why",
    "district",
    "plan",
    "rooms",
    "rooms[0]",
    "rooms[0].room",
    "rooms[0].factor",
    "rooms[0].beds",
    "rooms[0].beds[0]",
    "rooms[0].beds[0].bed",
    "rooms[0].beds[1].bed",
    "rooms[1]",
    "rooms[1].room",
    "rooms[1].factor",
    "rooms[2].beds[0].bed",
    "nobody",
    "rooms[x].beds",
];

fn value() -> impl Strategy<Value = Value> {
    let room = || {
        ("[AB]", 0_i64..4, prop::collection::vec(0_i64..9, 0..4)).prop_map(|(room, factor, beds)| {
            let beds: Vec<Value> = beds.into_iter().map(|bed| json!({"bed": bed})).collect();
            json!({"room": room, "factor": factor, "beds": beds})
        })
    };
    prop_oneof![
        2 => Just(Value::Null),
        6 => (0_i64..10).prop_map(Value::from),
        2 => prop_oneof![Just("full"), Just("no"), Just("A"), Just("B"), Just("QTA"), Just("KCH"), Just("")].prop_map(Value::from),
        1 => Just(json!({"media": "front.jpg"})),
        2 => room(),
        2 => prop::collection::vec(room(), 0..5).prop_map(Value::from),
        1 => Just(json!([7, {"beds": 3}, null])),
    ]
}

/// A change of an answer, or of a reason instead of one.
fn change() -> impl Strategy<Value = (usize, Value, bool)> {
    (0..PATHS.len(), value(), prop::bool::weighted(0.1))
}

fn start() -> impl Strategy<Value = Value> {
    let rooms = json!([{"room": "A", "factor": 2, "beds": [{"bed": 1}, {"bed": 3}]}, {"room": "B"}]);
    prop_oneof![
        Just(json!({})),
        Just(json!({"entry": "full", "n": 3, "m": 1, "rooms": rooms.clone(), "stranger": 1})),
        Just(json!({"a1": {"entry": "full", "n": 3, "k_one": 1}, "n": 5, "a2": {"rooms": rooms}})),
        Just(json!({"a1": 7, "a2": null, "rooms": "many"})),
        Just(json!([])),
    ]
}

fn without_cost(outcome: &crate::Outcome) -> String {
    let mut outcome = serde_json::to_value(outcome).unwrap();
    outcome.as_object_mut().unwrap().remove("cost");
    outcome.to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_changes_lead_to_what_judging_everything_anew_gives(answers in start(), changes in prop::collection::vec(change(), 1..14)) {
        let context = context();
        let mut session = FORM.start(answers, Map::new(), &context);
        for (path, value, is_reason) in changes {
            if is_reason {
                session.change_non_answer(PATHS[path], ["refused", "not_applicable", "tired"].get(path % 4).copied());
            } else {
                session.change(PATHS[path], value);
            }
            let non_answers = Value::Object(session.non_answers().clone());
            let anew = FORM.evaluate(session.answers(), Some(&non_answers), &context);

            prop_assert_eq!(without_cost(session.outcome()), without_cost(&anew), "after {} in {}", PATHS[path], session.answers());
        }
    }
}

#[test]
fn a_change_tells_what_it_brought_about_and_evaluates_only_what_depends_on_it() {
    let context = context();
    let rooms = json!([{"room": "A", "factor": 2, "beds": [{"bed": 1}]}, {"room": "B", "factor": 1, "beds": [{"bed": 3}]}]);
    let answers = json!({"entry": "full", "n": 3, "m": 1, "rooms": rooms, "k_one": 1});
    let mut session = FORM.start(answers, Map::new(), &context);
    let all =
        session.change("rooms[0]", json!({"room": "A", "factor": 2, "beds": [{"bed": 1}]})).rules_evaluated;

    let bed = session.change("rooms[1].beds[0].bed", json!(9));
    let score = session.change("k_one", json!(0));
    let again = session.change("k_one", json!(0));
    let hidden = session.change("entry", json!("no"));
    let shown = session.change("entry", json!("full"));

    assert_eq!(
        json!(bed.calculated),
        json!({"rooms[1].beds[0].worth": 12, "rooms[1].room_worth": 12, "all_worth": 17})
    );
    assert_eq!(bed.findings_added[0].code, "F-1");
    assert!(bed.rules_evaluated < all / 2, "{} of {all}", bed.rules_evaluated);
    assert_eq!(
        json!(score.scores),
        json!({"audit": {"total": 0, "min": 0, "stops": 1, "domains": {"D1": 0}}})
    );
    assert_eq!(score.calculated["rating"], "stop");
    assert!(score.rules_evaluated <= 4, "{}", score.rules_evaluated);
    assert_eq!(
        (again.calculated.len(), again.rules_evaluated),
        (0, 0),
        "nothing rests on a score that stayed"
    );
    assert!(hidden.hidden.contains(&"a2".to_owned()) && hidden.calculated["all_worth"].is_null());
    assert_eq!(shown.shown, ["a2"]);
    assert_eq!(shown.calculated["all_worth"], 17, "what was answered before it was hidden is there again");
}
