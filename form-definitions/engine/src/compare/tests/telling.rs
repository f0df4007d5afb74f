//! What a change reads like, and where it stands.

use super::{A1, A2, ROW, after, edited, package, whole};
use crate::compare::ChangeKind::*;
use crate::compare::Grade::{Breaking, Identical, Labels, NeedsMigration};
use crate::compare::compare;
use crate::compile;
use serde_json::{Value, json};

#[test]
fn another_order_changes_nothing_but_what_people_see() {
    let mut reordered = whole();
    let reverse = |value: &mut Value| match value {
        Value::Array(items) => items.reverse(),
        Value::Object(fields) => *fields = std::mem::take(fields).into_iter().rev().collect(),
        _ => {}
    };
    for place in [
        "/definition/properties",
        "/definition/properties/a1/properties",
        ROW,
        "/definition/x-findings",
        "/lists/district/items",
    ] {
        reverse(reordered.pointer_mut(place).unwrap());
    }

    let comparison = compare(&package(whole()), &package(reordered));

    let kinds: Vec<_> = comparison.changes.iter().map(|change| (change.kind, change.path.as_str())).collect();
    assert_eq!(comparison.grade, Labels);
    assert_eq!(
        kinds,
        [
            (QuestionsReordered, "/properties/a2/properties/children"),
            (QuestionsReordered, "/properties/a1"),
            (SectionsReordered, ""),
            (FindingsReordered, "/x-findings"),
            (ChoicesReordered, "/lists/district"),
        ]
    );
}

#[test]
fn a_question_that_moves_keeps_its_answers_unless_rows_come_between() {
    let moved = |to: &str| {
        let mut moved = whole();
        let question = moved.pointer_mut(A1).unwrap().as_object_mut().unwrap().remove("grade").unwrap();
        moved.pointer_mut(to).unwrap()["grade"] = question;
        compare(&package(whole()), &package(moved))
    };
    let (to_section, to_rows) = (moved(A2), moved(ROW));

    assert_eq!((to_section.changes[0].kind, to_section.grade), (QuestionMoved, NeedsMigration));
    assert_eq!(to_section.changes[0].sentence["en"], "“Grade” (grade) moved from a1 to a2.");
    assert_eq!((to_rows.changes[0].kind, to_rows.grade), (QuestionMoved, Breaking));
}

#[test]
fn a_rule_is_shown_before_and_after_and_the_sentence_names_the_thing_in_both_languages() {
    let comparison = after(&format!("{A1}/girls/x-relevant"), json!("beds > 0"));
    let change = &comparison.changes[0];

    assert_eq!(change.sentence["en"], "“Girls” (girls) is now shown only on a condition.");
    assert_eq!(change.sentence["ur"], "”لڑکیاں“ (girls) اب صرف ایک شرط پر دکھایا جاتا ہے۔");
    assert_eq!((&change.before, &change.after), (&None, &Some(json!("beds > 0"))));
    assert_eq!(change.section.as_deref(), Some("a1"));
    let removed = after(&format!("{A1}/note/x-relevant"), Value::Null);
    assert_eq!(removed.changes[0].sentence["en"], "“Note” (note) is now always shown.");
    let wage = after("/parameters/0/value", json!(16));
    assert_eq!(
        wage.changes[0].sentence["en"],
        "The parameter age.child_max was 14 years, from 2021-05-01; it is now 16 years, from 2021-05-01."
    );
}

#[test]
fn what_comes_with_a_new_thing_is_told_with_it() {
    let mut with_question = edited(
        &format!("{A1}/cots"),
        json!({"type": "integer", "title": "Cots", "x-constraints": [{"code": "C1", "rule": "this >= 0", "message": "M"}]}),
    );
    with_question["i18n"]["ur"]["labels"]["cots"] = json!("پالنے");
    with_question["i18n"]["ur"]["labels"]["!C1"] = json!("غلط");

    let comparison = compare(&package(whole()), &package(with_question));

    assert_eq!(comparison.changes.iter().map(|change| change.kind).collect::<Vec<_>>(), [QuestionAdded]);
    assert_eq!(comparison.changes[0].sentence["ur"], "سوال ”پالنے“ (cots) شامل کیا گیا۔");
}

#[test]
fn the_number_of_a_release_alone_is_no_change_and_the_questionnaire_used_here_is_sound() {
    let mut next = whole();
    next["version"] = json!(2);
    next["definition"]["x-form"]["version"] = json!(2);
    assert_eq!(compare(&package(whole()), &package(next)).grade, Identical);
    let problems = compile(&package(whole())).err().unwrap_or_default();
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn rules_are_shown_before_and_after_in_words_and_changes_stand_by_section() {
    let mut new = edited("/definition/properties/a1/properties/note/x-relevant", json!("beds >= 3"));
    new["definition"]["x-findings"][0]["when"] = json!("beds < 2");

    let comparison = compare(&package(whole()), &package(new));

    let parts: Vec<_> = comparison.by_section().collect();
    assert_eq!(parts.len(), 2);
    assert_eq!(
        (parts[0].0.title["en"].as_str(), parts[1].0.title["en"].as_str()),
        ("House", "The whole form")
    );
    let relevance = &parts[0].1[0];
    assert_eq!(relevance.before_in_words.as_ref().unwrap()["en"], "“Beds” is more than \u{2068}0\u{2069}");
    assert_eq!(relevance.after_in_words.as_ref().unwrap()["ur"], "”بستر“ کم از کم \u{2068}3\u{2069} ہو");
    let finding = &parts[1].1[0];
    assert_eq!(finding.after_in_words.as_ref().unwrap()["en"], "“Beds” is less than \u{2068}2\u{2069}");
}
