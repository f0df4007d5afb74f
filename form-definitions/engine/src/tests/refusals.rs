//! What `form check` refuses, each with its place and a remedy.

use super::{form, problems, refused};
use crate::compile;
use serde_json::{Value, json};

fn with_rule(rule: &str) -> Value {
    json!({
        "girls": {"type": "integer", "title": "Girls"}, "word": {"type": "string", "title": "Word", "maxLength": 20}, "day": {"type": "string", "format": "date", "title": "Day"},
        "district": {"type": "string", "title": "District", "x-choices": {"list": "district"}},
        "children": {"type": "array", "maxItems": 200, "title": "Children", "x-key": "code", "items": {"type": "object", "properties": {
            "code": {"type": "string", "title": "Code"}, "age": {"type": "integer", "title": "Age"}}}},
        "shown": {"type": "string", "title": "Shown", "x-relevant": rule}
    })
}

#[test]
fn each_mistake_in_a_rule_is_refused_by_name() {
    let table = [
        ("girl > 0", "unknown_name"),
        ("a1 == 1", "unknown_name"),
        ("age > 3", "in_a_row"),
        ("children.age > 3", "in_a_row"),
        ("girls", "not_a_condition"),
        ("girls > word", "impossible_types"),
        ("day > 3", "impossible_types"),
        ("day > '2026-13-01'", "wrong_literal"),
        ("word == null", "compared_with_null"),
        ("district == 'LHR'", "unknown_choice"),
        ("district in ['QTA', 'LHR']", "unknown_choice"),
        ("girls > param.age.none", "unknown_parameter"),
        ("girls > baseline.NONE", "unknown_baseline"),
        ("frobnicate(girls)", "unknown_function"),
        ("children.exists(girls, true)", "hidden_name"),
        ("children.exists(c, c.beds > 3)", "unknown_name"),
        ("word.matches('(')", "bad_pattern"),
        ("word.matches(word)", "pattern_not_fixed"),
        ("girls > ", "syntax"),
        ("{'a': 1} == 3", "not_supported"),
        ("this > 3", "no_this"),
        ("choice.code == 'a'", "unknown_name"),
        ("[1, 'a'].exists(i, i == 1)", "mixed_list"),
        ("sum(children) > 3", "wrong_argument"),
        ("days_between(day, 3) > 1", "wrong_argument"),
        ("shown == 'x'", "circle"),
        ("", "syntax"),
        ("false", "never_relevant"),
        ("girls.exists(g, g > 3)", "not_a_list"),
        ("-word == 'x'", "impossible_types"),
        ("visit.hour > 3", "unknown_name"),
        ("children.exists(a, children.exists(b, children.exists(c, a.age + b.age == c.age)))", "too_dear"),
    ];

    for (rule, code) in table {
        let found = problems(with_rule(rule));
        assert_eq!(found.iter().map(|problem| problem.code.as_str()).collect::<Vec<_>>(), [code], "{rule}");
        assert_eq!(found[0].path, "/properties/a1/properties/shown/x-relevant", "{rule}");
        assert!(!found[0].remedy.is_empty() && found[0].rule.is_some(), "{rule}");
    }
}

#[test]
fn a_problem_points_at_the_place_in_the_rule() {
    let found = problems(with_rule("word == 'x' && girlz > 0"));

    assert_eq!(found[0].position, Some(15));
    assert_eq!(found[0].remedy, "did you mean girls?");
}

#[test]
fn circles_are_named_question_by_question() {
    let calculated =
        |rule: &str| json!({"type": "number", "title": "N", "readOnly": true, "x-calculate": rule});
    let found = problems(
        json!({"one": calculated("two + 1"), "two": calculated("three * 2"), "three": calculated("one - 1"), "free": calculated("1 + 1")}),
    );

    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "these wait for each other: one reads two reads three reads one");
}

#[test]
fn a_section_cannot_be_hidden_by_its_own_question() {
    let section = |relevant: &str| json!({"properties": {"a1": {"type": "object", "title": "A", "x-relevant": relevant, "properties": {"n": {"type": "integer", "title": "N", "x-relevant": "true"}}}}});

    assert_eq!(refused(json!({}), section("n > 3")), ["circle"]);
    assert_eq!(refused(json!({}), section("true")), Vec::<String>::new());
}

#[test]
fn mistakes_of_shape_are_refused_all_at_once() {
    let questions = json!({
        "Bad Name": {"type": "string", "title": "B"},
        "this": {"type": "string", "title": "T"},
        "odd": {"type": "null", "title": "O"},
        "half": {"type": "number", "title": "H", "readOnly": true},
        "listless": {"type": "string", "title": "L", "x-choices": {"list": "nowhere"}},
        "broken": {"type": "string", "title": "P", "pattern": "("},
        "rows": {"type": "array", "title": "R", "items": {"type": "object", "properties": {"n": {"type": "integer", "title": "N"}}}},
        "reason": {"type": "string", "title": "R", "x-non-answers": ["too_shy"]},
        "inner": {"type": "object", "title": "I", "properties": {}}
    });
    let found = refused(
        questions,
        json!({"if": {}, "x-findings": [{"code": "F-1", "when": "nobody", "scope": "nowhere", "severity": "mild"}]}),
    );

    for code in [
        "bad_name",
        "reserved_name",
        "unknown_kind",
        "calculated_or_asked",
        "unknown_list",
        "bad_schema",
        "repeat_without_limit",
        "repeat_without_key",
        "unknown_non_answer",
        "section_in_section",
        "unsupported_keyword",
    ] {
        assert!(found.iter().any(|known| known == code), "{code} in {found:?}");
    }
}

#[test]
fn a_name_is_used_once_in_the_whole_questionnaire() {
    let questions = json!({
        "age": {"type": "integer", "title": "Age"},
        "rows": {"type": "array", "maxItems": 3, "title": "R", "x-key": "age", "items": {"type": "object", "properties": {"age": {"type": "integer", "title": "Age"}}}}
    });

    assert_eq!(refused(questions, json!({})), ["duplicate_name"]);
}

#[test]
fn findings_that_fold_each_other_away_are_refused() {
    let finding = |code: &str, supersedes: &str| json!({"code": code, "when": "true", "severity": "major", "title": "T", "action": "A", "disclose": true, "supersedes": [supersedes]});
    let circle = json!({"x-findings": [finding("F-1", "F-2"), finding("F-2", "F-1")]});

    assert_eq!(refused(json!({"n": {"type": "integer", "title": "N"}}), circle), ["circle", "circle"]);
}

#[test]
fn a_missing_text_in_a_required_language_is_refused_and_in_a_slot_summed_up() {
    let questions =
        json!({"girls": {"type": "integer", "title": "Girls"}, "boys": {"type": "integer", "title": "Boys"}});
    let mut package = super::package(questions.clone(), json!({}));
    let mut languages = package.definition["x-form"]["languages"].clone();

    let warned: Vec<String> =
        form(questions, json!({})).warnings().iter().map(|warning| warning.message.clone()).collect();
    languages[1]["required"] = json!(true);
    package.definition["x-form"]["languages"] = languages;
    let refused = compile(&package).err().unwrap();

    assert_eq!(warned[0], "3 of 4 texts are missing in ur: form, a1, boys");
    assert_eq!(warned[1], "the texts in ur are a draft");
    let refused: Vec<(&str, &str)> =
        refused.iter().map(|problem| (problem.path.as_str(), problem.message.as_str())).collect();
    assert_eq!(
        refused,
        [
            ("/title", "form has no text in ur"),
            ("/properties/a1", "a1 has no text in ur"),
            ("/properties/a1/properties/boys", "boys has no text in ur")
        ]
    );
}

#[test]
fn a_known_answer_may_be_relied_on_behind_known() {
    let calculated = |rule: &str| json!({"n": {"type": "integer", "title": "N"}, "flag": {"type": "boolean", "title": "F", "readOnly": true, "x-calculate": rule}});

    for sure in [
        "known(n) && n > 3",
        "!known(n) || n > 3",
        "known(n) ? n > 3 : false",
        "coalesce(n > 3, false)",
        "!(!known(n) || n > 3)",
    ] {
        form(calculated(sure), json!({}));
    }
    for unsure in [
        "n > 3",
        "known(n) || n > 3",
        "!known(n) && n > 3",
        "known(n) ? true : n > 3",
        "max([n]) > 3",
        "6 / n > 1",
    ] {
        assert_eq!(refused(calculated(unsure), json!({})), ["boolean_can_be_unknown"], "{unsure}");
    }
}

#[test]
fn any_json_at_all_may_be_offered_as_a_questionnaire() {
    for nonsense in [
        json!(null),
        json!([]),
        json!(7),
        json!({"type": "object"}),
        json!({"type": "object", "properties": []}),
        json!({"type": "object", "properties": {"a": 1, "b": {"type": "object", "properties": 3}}}),
    ] {
        let mut package = super::package(json!({}), json!({}));
        package.definition = nonsense;
        assert!(compile(&package).is_err());
    }
}
