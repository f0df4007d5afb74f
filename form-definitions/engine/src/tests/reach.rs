//! What can never be shown, what nothing protects, and what a phone with ODK Collect could not evaluate.

use super::{form, problems, refused};
use serde_json::{Value, json};

fn with_relevance(rule: &str) -> Value {
    let choice = |title: &str| json!({"type": "string", "title": title, "oneOf": [{"const": "full", "title": "Full"}, {"const": "part", "title": "Part"}, {"const": "refused", "title": "Refused"}]});
    let mut depth = json!({"type": "integer", "title": "Depth", "x-relevant": "entry == 'full'"});
    depth["x-unit"] = json!("metres");
    json!({
        "entry": choice("Entry"), "second": choice("Second"), "open": {"type": "boolean", "title": "Open"}, "n": {"type": "integer", "title": "N"}, "depth": depth,
        "injuries": {"type": "array", "items": {"type": "string"}, "uniqueItems": true, "title": "Injuries", "x-choices": {"list": "injury"}},
        "shown": {"type": "string", "title": "Shown", "x-relevant": rule}
    })
}

#[test]
fn a_question_that_no_answers_can_make_relevant_is_refused() {
    for never in [
        "false",
        "entry == 'full' && entry == 'refused'",
        "entry == 'full' && !(entry == 'full')",
        "entry in ['full', 'part'] && entry == 'refused'",
        "entry != 'full' && entry != 'part' && entry != 'refused'",
        "!(entry in ['full', 'part', 'refused'])",
        "open && !open",
        "open == true && open == false",
        "n > 5 && n < 5",
        "5 > n && n >= 5",
        "n == 3 && n == 4",
        "!known(n) && n > 3",
        "known(n) && !known(n)",
        "'cut' in injuries && !('cut' in injuries)",
        "(entry == 'full' || entry == 'part') && (entry == 'refused' || false)",
        "entry == 'full' ? false : entry == 'full'",
        "coalesce(open, false) && !open",
        "depth > 3 && entry == 'part'",
    ] {
        let found = problems(with_relevance(never));
        assert_eq!(
            found.iter().map(|problem| problem.code.as_str()).collect::<Vec<_>>(),
            ["never_relevant"],
            "{never}"
        );
        assert!(!found[0].remedy.is_empty());
    }
}

#[test]
fn what_may_be_relevant_is_left_alone() {
    for possible in [
        "true",
        "entry == 'full' && second == 'refused'",
        "entry == 'full' || entry == 'refused'",
        "!(entry == 'full' && second == 'full') && entry == 'full'",
        "n >= 5 && n <= 5",
        "!known(n) && entry == 'full'",
        "coalesce(open, true) && !known(n)",
        "'cut' in injuries && 'burn' in injuries",
        "n > count(injuries) && n < 3",
        "depth > 3 && entry == 'full'",
    ] {
        assert_eq!(problems(with_relevance(possible)), [], "{possible}");
    }
}

#[test]
fn a_condition_is_held_against_that_of_its_section_and_rows() {
    let section = |within: &str| {
        json!({"properties": {
            "a1": {"type": "object", "title": "A", "properties": {"entry": {"type": "string", "title": "E", "oneOf": [{"const": "full", "title": "F"}, {"const": "refused", "title": "R"}]}}},
            "a2": {"type": "object", "title": "B", "x-relevant": "entry == 'full'", "properties": {
                "rows": {"type": "array", "maxItems": 3, "title": "R", "x-key": "key", "items": {"type": "object", "properties": {
                    "key": {"type": "string", "title": "K"}, "why": {"type": "string", "title": "W", "x-relevant": within}}}}}}
        }})
    };

    assert_eq!(refused(json!({}), section("entry == 'refused'")), ["never_relevant"]);
    assert_eq!(refused(json!({}), section("key == 'x'")), Vec::<String>::new());
}

fn roster(of_repeat: Value, of_question: Value) -> Value {
    let mut age = json!({"type": "integer", "title": "Age"});
    age.as_object_mut().unwrap().extend(of_question.as_object().unwrap().clone());
    let mut repeat = json!({"type": "array", "maxItems": 9, "title": "Children", "x-key": "age", "items": {"type": "object", "properties": {"age": age}}});
    repeat.as_object_mut().unwrap().extend(of_repeat.as_object().unwrap().clone());
    json!({"children": repeat})
}

#[test]
fn a_question_about_a_child_says_who_may_see_it_why_and_for_how_long() {
    let of_child = json!({"x-subject": "child"});
    let protected = json!({"x-sensitivity": "internal", "x-purpose": "the law", "x-retention": "five years"});
    let half = json!({"x-sensitivity": "internal", "x-purpose": "the law"});
    let over = json!({"x-disclosure": {"over": "children", "severities": ["critical"]}});

    assert_eq!(refused(roster(json!({}), json!({})), json!({})), Vec::<String>::new(), "not about a child");
    assert_eq!(refused(roster(of_child.clone(), json!({})), json!({})), ["unprotected"]);
    assert_eq!(refused(roster(of_child.clone(), half.clone()), json!({})), ["unprotected"]);
    assert_eq!(
        refused(roster(json!({}), json!({})), over.clone()),
        ["unprotected"],
        "what disclosure closes over"
    );
    assert_eq!(refused(roster(of_child, protected.clone()), over), Vec::<String>::new());
    let said_once = json!({"x-subject": "child", "x-sensitivity": "internal", "x-purpose": "the law", "x-retention": "five years"});
    assert_eq!(refused(roster(said_once, json!({})), json!({})), Vec::<String>::new(), "said of the repeat");
    assert_eq!(
        problems(roster(json!({"x-subject": "child"}), half))[0].message,
        "age is about a child and lacks x-retention"
    );
    assert_eq!(
        refused(roster(json!({"x-subject": "adult"}), json!({"x-sensitivity": "secret"})), json!({})),
        ["unknown_word", "unknown_word"]
    );
}

#[test]
fn rules_that_odk_collect_has_no_words_for_are_warned_of() {
    let warned = |rule: &str| -> Vec<String> {
        let mut questions = with_relevance("true");
        questions["shown"]["x-relevant"] = json!(rule);
        questions["gps"] = json!({"$ref": "#/$defs/geopoint", "title": "GPS"});
        questions["rows"] = json!({"type": "array", "maxItems": 9, "title": "R", "x-key": "key", "items": {"type": "object", "properties": {"key": {"type": "string", "title": "K"}, "beds": {"type": "integer", "title": "B"}}}});
        let form = form(questions, json!({}));
        let odk = form.warnings().iter().filter(|warning| warning.code == "not_in_odk");
        odk.map(|warning| warning.message.split("it uses ").last().unwrap_or_default().to_owned()).collect()
    };

    for (rule, uses) in [
        ("in_area(gps, 'QTA')", "in_area"),
        ("distance_m(gps, visit.location) > 200", "distance_m"),
        ("prev.open_findings > 0", "the last visit (prev)"),
        ("facility.beds > 3", "the facility's record (facility)"),
        ("count(unique(rows.map(r, r.key))) > 1", "unique"),
        ("rows.exists(r, rows.exists(q, q.key == r.key))", "rows looked through for each row"),
        ("sum(rows.map(r, r.beds * 2)) > 3", "a value worked out for each row (calculate it in the row)"),
        ("injuries.exists(i, i.startsWith('c'))", "choices looked through with more than == or in"),
        (
            "visit.zone == 'a' && user.role == 'auditor'",
            "the place of the visit (visit.district, visit.zone); the role and areas of the user",
        ),
        ("non_answer(n) == 'refused'", "non_answer"),
    ] {
        assert_eq!(warned(rule), [uses], "{rule}");
    }
    for translated in [
        "rows.filter(r, r.beds > 3).exists(r, r.key == 'x')",
        "sum(rows.map(r, r.beds)) > 3 && today > '2026-01-01'",
        "injuries.exists(i, i in ['cut', 'burn']) && count(injuries) > 1",
        "size([n, depth].filter(i, i == 0)) > 1",
        "n > param.age.child_max && gps.accuracy_m < 50",
    ] {
        assert_eq!(warned(translated), Vec::<String>::new(), "{translated}");
    }
}
