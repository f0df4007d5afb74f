//! Every message the engine itself has for answers, in English and Urdu: one mistake for each way of making it.

use super::{evaluate_with, form};
use crate::codes::BuiltIn;
use crate::{Form, Level, Violation};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn visit() -> Form {
    form(
        json!({
            "word": {"type": "string", "title": "Word", "minLength": 2, "maxLength": 3, "pattern": "^[a-z]+$"},
            "n": {"type": "integer", "title": "N", "minimum": 0, "maximum": 5},
            "open": {"type": "number", "title": "Open", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "multipleOf": 0.25},
            "size": {"type": "string", "title": "Size", "enum": ["small", "large"]},
            "day": {"type": "string", "format": "date", "title": "Day", "x-non-answers": ["refused"]},
            "district": {"type": "string", "title": "District", "x-choices": {"list": "district"}},
            "hurt": {"type": "array", "items": {"type": "string"}, "uniqueItems": true, "minItems": 2, "maxItems": 2, "title": "Hurt", "x-choices": {"list": "injury"}},
            "spot": {"$ref": "#/$defs/geopoint", "title": "Spot"},
            "rows": {"type": "array", "minItems": 2, "maxItems": 3, "title": "Rows", "x-key": "code", "items": {"type": "object", "properties": {
                "code": {"type": "string", "title": "Code"}, "must": {"type": "integer", "title": "Must", "x-required": "code == 'x'"}}}},
            "twice": {"type": "integer", "title": "Twice", "readOnly": true, "x-calculate": "n * 2"},
            "settled": {"type": "integer", "title": "Settled", "x-asked-of": "reviewer"},
            "needed": {"type": "string", "title": "Needed", "x-required": true, "x-relevant": "n == 5"}
        }),
        json!({}),
    )
}

/// Answers, the place, the code, and what is said in English.
fn table() -> Vec<(Value, &'static str, BuiltIn, &'static str)> {
    let type_told = "This is not the kind of answer the question takes.";
    let row = |code: &str| json!({"code": code});
    vec![
        (json!(7), "", BuiltIn::Type, type_told),
        (json!({"a1": 7}), "a1", BuiltIn::Type, type_told),
        (json!({"n": "many"}), "n", BuiltIn::Type, type_told),
        (json!({"n": 1.5}), "n", BuiltIn::Type, type_told),
        (json!({"spot": {}}), "spot", BuiltIn::Type, type_told),
        (json!({"hurt": ["cut", 3]}), "hurt[1]", BuiltIn::Type, type_told),
        (json!({"rows": 3}), "rows", BuiltIn::Type, type_told),
        (json!({"rows": [row("a"), 3]}), "rows[1]", BuiltIn::Type, type_told),
        (json!({"day": "2026-02-30"}), "day", BuiltIn::Format, "This is not written as it should be (date)."),
        (json!({"word": "AB"}), "word", BuiltIn::Pattern, "This does not have the form it should have."),
        (json!({"n": -1}), "n", BuiltIn::Range, "This is out of range: it must be ≥ 0."),
        (json!({"n": 6}), "n", BuiltIn::Range, "This is out of range: it must be ≤ 5."),
        (json!({"open": 0}), "open", BuiltIn::Range, "This is out of range: it must be > 0."),
        (json!({"open": 1}), "open", BuiltIn::Range, "This is out of range: it must be < 1."),
        (json!({"open": 0.3}), "open", BuiltIn::Range, "This is out of range: it must be × 0.25."),
        (
            json!({"spot": {"lat": 95, "lon": 67}}),
            "spot.lat",
            BuiltIn::Range,
            "This is out of range: it must be ≤ 90.",
        ),
        (json!({"word": "abcd"}), "word", BuiltIn::TooLong, "This is too long: at most 3 characters."),
        (json!({"word": "a"}), "word", BuiltIn::TooShort, "This is too short: at least 2 characters."),
        (
            json!({"hurt": ["cut", "burn", "none"]}),
            "hurt",
            BuiltIn::TooMany,
            "There are too many: at most 2.",
        ),
        (
            json!({"hurt": ["cut", "burn", "none", "cut"]}),
            "hurt",
            BuiltIn::TooMany,
            "There are too many: at most 3.",
        ),
        (
            json!({"rows": [row("a"), row("b"), row("c"), row("d")]}),
            "rows",
            BuiltIn::TooMany,
            "There are too many: at most 3.",
        ),
        (json!({"hurt": ["cut"]}), "hurt", BuiltIn::TooFew, "There are too few: at least 2."),
        (json!({"rows": [row("a")]}), "rows", BuiltIn::TooFew, "There are too few: at least 2."),
        (json!({"hurt": ["cut", "cut"]}), "hurt", BuiltIn::Duplicate, "This stands here more than once."),
        (
            json!({"rows": [row("a"), row("a")]}),
            "rows[1].code",
            BuiltIn::Duplicate,
            "This stands here more than once.",
        ),
        (
            json!({"size": "vast"}),
            "size",
            BuiltIn::Choice,
            "“vast” is not among the choices here, or was not in force on the day of the visit.",
        ),
        (
            json!({"district": "OLD"}),
            "district",
            BuiltIn::Choice,
            "“OLD” is not among the choices here, or was not in force on the day of the visit.",
        ),
        (
            json!({"hurt": ["cut", "hanged"]}),
            "hurt[1]",
            BuiltIn::Choice,
            "“hanged” is not among the choices here, or was not in force on the day of the visit.",
        ),
        (json!({"n": 5}), "needed", BuiltIn::Required, "An answer is required: Needed."),
        (
            json!({"rows": [row("x"), row("y")]}),
            "rows[0].must",
            BuiltIn::Required,
            "An answer is required: Must.",
        ),
        (json!({"shoe": 3}), "shoe", BuiltIn::UnknownQuestion, "The form has no question “shoe” here."),
        (
            json!({"rows": [{"code": "a", "shoe": 3}, row("b")]}),
            "rows[0].shoe",
            BuiltIn::UnknownQuestion,
            "The form has no question “shoe” here.",
        ),
        (
            json!({"n": 2, "twice": 5}),
            "twice",
            BuiltIn::CalculatedDiffers,
            "The device calculated 5; the server's value counts.",
        ),
        (
            json!({"settled": 5}),
            "settled",
            BuiltIn::AskedOfReviewer,
            "“settled” is answered by the reviewer, not when the form is filled in.",
        ),
        (
            json!({"twice": 5}),
            "twice",
            BuiltIn::CalculatedDiffers,
            "The device calculated 5; the server's value counts.",
        ),
    ]
}

/// Holds a violation to its code and words; its Urdu says as much.
fn holds(violation: &Violation, path: &str, code: BuiltIn, english: &str) -> bool {
    let said = |language: &str| violation.message.get(language).map_or("", String::as_str);
    let level = if code == BuiltIn::CalculatedDiffers { Level::Warning } else { Level::Error };
    let is_urdu =
        said("ur").chars().any(|c| ('\u{0600}'..'\u{0700}').contains(&c)) && !said("ur").contains("{}");
    violation.path == path
        && violation.code == code.as_str()
        && said("en") == english
        && is_urdu
        && violation.level == level
}

#[test]
fn each_mistake_in_an_answer_is_told_where_it_stands_in_english_and_urdu() {
    let form = visit();

    let wrong: Vec<String> = table()
        .into_iter()
        .filter_map(|(answers, path, code, english)| {
            let told = evaluate_with(&form, answers.clone(), None).violations;
            let is_told = told.len() == 1 && holds(&told[0], path, code, english);
            (!is_told).then(|| format!("{answers}: {told:?}"))
        })
        .collect();

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn reasons_that_cannot_stand_are_told_too() {
    let form = visit();
    let told = |reasons: Value| evaluate_with(&form, json!({}), Some(reasons)).violations;
    let not_allowed = BuiltIn::NonAnswerNotAllowed;

    let shy = told(json!({"day": "too_shy"}));
    assert!(
        holds(&shy[0], "day", not_allowed, "“too_shy” cannot stand instead of an answer here."),
        "{shy:?}"
    );
    let elsewhere = told(json!({"n": "refused"}));
    assert!(holds(&elsewhere[0], "n", not_allowed, "“refused” cannot stand instead of an answer here."));
    let nowhere = told(json!({"rows[7].must": "refused"}));
    assert!(holds(
        &nowhere[0],
        "rows[7].must",
        not_allowed,
        "“refused” cannot stand instead of an answer here."
    ));
    let no_object = told(json!(7));
    assert!(holds(
        &no_object[0],
        "non_answers",
        BuiltIn::Type,
        "This is not the kind of answer the question takes."
    ));
    assert!(told(json!({"day": "refused"})).is_empty());
}

/// Fails when a code is added to the engine without answers that provoke it.
#[test]
fn every_code_of_a_violation_stands_in_the_table() {
    let mut provoked: BTreeSet<BuiltIn> = table().into_iter().map(|(_, _, code, _)| code).collect();
    // At review, in `at_review.rs`.
    provoked.extend([BuiltIn::NonAnswerNotAllowed, BuiltIn::AskedOfCollector]);

    let missing: Vec<&str> =
        BuiltIn::ALL.iter().filter(|code| !provoked.contains(code)).map(|code| code.as_str()).collect();

    assert_eq!(missing, Vec::<&str>::new());
}
