//! Every kind of change, made once to a small questionnaire: what is told of it, and how it is graded.

use super::ChangeKind::{self, *};
use super::Grade::{self, Breaking, Compatible, Identical, Labels, NeedsMigration};
use super::{Comparison, compare};
use crate::{Package, compile};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// A whole package as one JSON value, so that any part of it can be edited by its place.
fn whole() -> Value {
    let text = r##"{
        "form": "visit", "version": 1,
        "definition": {
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Visit", "type": "object", "additionalProperties": false,
            "x-form": {"form": "visit", "version": 1, "kind": "inspection", "languages": [{"code": "en", "dir": "ltr"}, {"code": "ur", "dir": "rtl", "required": false}]},
            "$defs": {"media": {"type": "object", "properties": {"media": {"type": "string"}}}},
            "x-constraints": [{"code": "X1", "rule": "beds >= girls", "message": "More girls than beds", "level": "warning"}],
            "x-findings": [
                {"code": "F-1", "when": "beds < 3", "severity": "minor", "title": "Too few beds", "action": "Write", "basis": [{"law": "Rules"}], "due": {"days": 7}, "refer_to": "swd", "disclose": true, "supersedes": []},
                {"code": "F-2", "scope": "children", "when": "age < param.age.child_max", "severity": "major", "title": "Under age", "action": "Refer", "disclose": false}],
            "x-disclosure": {"over": "children", "severities": ["critical"], "except": []},
            "x-scores": {"audit": {"title": "Audit", "item_max": 2, "scale": 100, "places": 1, "domains": [{"code": "D1", "title": "Beds", "weight": 8, "items": [{"question": "grade", "weight": 3}]}]}},
            "x-facility": {"kind": "shelter", "name": "note"}, "x-summary": ["beds"],
            "properties": {
                "a1": {"type": "object", "title": "House", "additionalProperties": false, "properties": {
                    "beds": {"type": "integer", "title": "Beds", "maximum": 90, "x-unit": "count", "x-required": true, "x-non-answers": ["refused"]},
                    "girls": {"type": "integer", "title": "Girls", "x-constraints": [{"rule": "this >= 0", "message": "Not below 0", "level": "error"}]},
                    "note": {"type": "string", "title": "Note", "description": "In words", "maxLength": 200, "x-relevant": "beds > 0", "x-default": "user.code"},
                    "photo": {"$ref": "#/$defs/media", "title": "Photo", "x-widget": "photo", "x-media": {"max_bytes": 9}},
                    "grade": {"type": "integer", "title": "Grade", "x-locked": "law"}}},
                "a2": {"type": "object", "title": "Place", "additionalProperties": false, "properties": {
                    "zone": {"type": "string", "title": "Zone", "oneOf": [{"const": "a", "title": "A area"}, {"const": "b", "title": "B area"}]},
                    "district": {"type": "string", "title": "District", "x-choices": {"list": "district", "filter": "choice.zone == zone"}},
                    "children": {"type": "array", "title": "Children", "maxItems": 30, "x-key": "code", "items": {"type": "object", "additionalProperties": false, "properties": {
                        "code": {"type": "string", "title": "Code", "x-sensitivity": "internal", "x-purpose": "law", "x-retention": "5y"}, "age": {"type": "integer", "title": "Age", "x-sensitivity": "internal", "x-purpose": "law", "x-retention": "5y"}}}},
                    "children_n": {"type": "integer", "title": "How many", "readOnly": true, "x-calculate": "count(children)"}}}
            }
        },
        "i18n": {"ur": {"lang": "ur", "dir": "rtl", "labels": {"beds": "بستر", "girls": "لڑکیاں", "!X1": "غلط"}}},
        "lists": {
            "district": {"list": "district", "title": {"en": "District", "ur": "ضلع"}, "columns": ["zone"], "items": [
                {"code": "QTA", "title": {"en": "Quetta", "ur": "کوئٹہ"}, "zone": "a"}, {"code": "PSN", "title": {"en": "Pishin"}, "zone": "b"},
                {"code": "OLD", "title": {"en": "Old"}, "zone": "b", "valid_to": "2024-01-01"}]},
            "other": {"list": "other", "items": [{"code": "QTA", "title": {"en": "Quetta"}}]}},
        "parameters": [{"key": "age.child_max", "value": 14, "unit": "years", "valid_from": "2021-05-01", "valid_to": null, "source": "Act"}],
        "baselines": [{"key": "RATE", "value": 23, "year": 2011}]
    }"##;
    serde_json::from_str(text).unwrap()
}

fn package(whole: Value) -> Package {
    serde_json::from_value(whole).unwrap()
}

/// Puts `value` at the place; `null` takes away what is there.
fn edited(place: &str, value: Value) -> Value {
    let mut whole = whole();
    let (holder, key) = place.rsplit_once('/').unwrap();
    match whole.pointer_mut(holder).unwrap_or_else(|| panic!("{place}")) {
        Value::Object(fields) if value.is_null() => drop(fields.shift_remove(key).unwrap()),
        Value::Object(fields) => drop(fields.insert(key.to_owned(), value)),
        Value::Array(items) if value.is_null() => drop(items.remove(key.parse().unwrap())),
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        _ => panic!("{place}"),
    }
    whole
}

fn after(place: &str, value: Value) -> Comparison {
    compare(&package(whole()), &package(edited(place, value)))
}

const A1: &str = "/definition/properties/a1/properties";
const A2: &str = "/definition/properties/a2/properties";
const ROW: &str = "/definition/properties/a2/properties/children/items/properties";

/// Where something is edited, to what, and what is told: kind, grade, path.
fn table() -> Vec<(String, Value, ChangeKind, Grade, &'static str)> {
    let at = |base: &str, rest: &str| format!("{base}{rest}");
    let root = |rest: &str| at("/definition", rest);
    let question = |title: &str| json!({"type": "integer", "title": title});
    let must = json!({"type": "integer", "title": "T", "x-required": true});
    let section = json!({"type": "object", "title": "More", "properties": {"more": {"type": "integer", "title": "M", "x-required": true}}});
    let repeat = json!({"type": "array", "title": "Rooms", "maxItems": 3, "x-key": "room", "items": {"type": "object", "properties": {"room": {"type": "integer", "title": "R"}}}});
    vec![
        ("/form".into(), json!("other"), FormReplaced, Breaking, "/x-form/form"),
        (root("/x-form/kind"), json!("audit"), HeadChanged, Compatible, "/x-form/kind"),
        (
            root("/x-form/languages/-"),
            json!({"code": "bal", "dir": "rtl"}),
            LanguageAdded,
            Labels,
            "/i18n/bal",
        ),
        (root("/x-form/languages/0"), Value::Null, LanguageRemoved, Labels, "/i18n/en"),
        ("/i18n/ur/draft".into(), json!(true), LanguageChanged, Labels, "/i18n/ur"),
        (
            "/i18n/ur/made_from".into(),
            json!({"beds": "Bed"}),
            TranslationOutdated,
            Labels,
            "/i18n/ur/beds/made_from",
        ),
        (
            at(A1, "/note/x-hidden"),
            json!("By law"),
            QuestionHidden,
            Compatible,
            "/properties/a1/properties/note/x-hidden",
        ),
        ("/i18n/ur/labels/beds".into(), json!("پلنگ"), TranslationChanged, Labels, "/i18n/ur/beds"),
        (root("/properties/a3"), section, SectionAdded, Compatible, "/properties/a3"),
        (root("/properties/a2"), Value::Null, SectionRemoved, Breaking, "/properties/a2"),
        (at(A1, "/more"), question("More"), QuestionAdded, Compatible, "/properties/a1/properties/more"),
        (at(A1, "/more"), must.clone(), QuestionAdded, NeedsMigration, "/properties/a1/properties/more"),
        (
            at(A1, "/more"),
            json!({"type": "integer", "title": "T", "x-required": true, "x-asked-of": "reviewer"}),
            ReviewerQuestionAdded,
            Compatible,
            "/properties/a1/properties/more",
        ),
        (
            at(A1, "/girls/x-asked-of"),
            json!("reviewer"),
            AskedOfChanged,
            Breaking,
            "/properties/a1/properties/girls/x-asked-of",
        ),
        (
            at(ROW, "/more"),
            must,
            QuestionAdded,
            NeedsMigration,
            "/properties/a2/properties/children/items/properties/more",
        ),
        (at(A1, "/photo"), Value::Null, QuestionRemoved, Breaking, "/properties/a1/properties/photo"),
        (at(A1, "/note/type"), json!("integer"), QuestionRetyped, Breaking, "/properties/a1/properties/note"),
        (
            at(A1, "/girls/type"),
            json!("number"),
            QuestionRetyped,
            Compatible,
            "/properties/a1/properties/girls",
        ),
        (
            at(A1, "/girls/type"),
            json!("string"),
            QuestionRetyped,
            NeedsMigration,
            "/properties/a1/properties/girls",
        ),
        (at(A1, "/rooms"), repeat.clone(), RepeatAdded, Compatible, "/properties/a1/properties/rooms"),
        (at(A2, "/children"), Value::Null, RepeatRemoved, Breaking, "/properties/a2/properties/children"),
        (
            at(A2, "/children/maxItems"),
            json!(40),
            RepeatLimitsChanged,
            Compatible,
            "/properties/a2/properties/children",
        ),
        (
            at(A2, "/children/maxItems"),
            json!(20),
            RepeatLimitsChanged,
            NeedsMigration,
            "/properties/a2/properties/children",
        ),
        (
            at(A2, "/children/minItems"),
            json!(1),
            RepeatLimitsChanged,
            NeedsMigration,
            "/properties/a2/properties/children",
        ),
        (
            at(A2, "/children/x-key"),
            json!("age"),
            RepeatKeyChanged,
            NeedsMigration,
            "/properties/a2/properties/children/x-key",
        ),
        (
            at(A1, "/note/x-relevant"),
            json!("beds > 1"),
            RelevanceChanged,
            Compatible,
            "/properties/a1/properties/note/x-relevant",
        ),
        (
            at(A1, "/girls/x-required"),
            json!(true),
            RequiredChanged,
            NeedsMigration,
            "/properties/a1/properties/girls/x-required",
        ),
        (
            at(A1, "/girls/x-required"),
            json!("beds > 0"),
            RequiredChanged,
            Compatible,
            "/properties/a1/properties/girls/x-required",
        ),
        (
            at(A1, "/beds/x-required"),
            Value::Null,
            RequiredChanged,
            Compatible,
            "/properties/a1/properties/beds/x-required",
        ),
        (
            at(A2, "/children_n/x-calculate"),
            json!("count(children) + 1"),
            CalculationChanged,
            Compatible,
            "/properties/a2/properties/children_n/x-calculate",
        ),
        (
            at(A1, "/grade/x-calculate"),
            json!("beds"),
            AskedOrCalculated,
            NeedsMigration,
            "/properties/a1/properties/grade/x-calculate",
        ),
        (
            at(A1, "/note/x-default"),
            json!("user.role"),
            DefaultChanged,
            Compatible,
            "/properties/a1/properties/note/x-default",
        ),
        (
            at(A1, "/beds/maximum"),
            json!(80),
            LimitChanged,
            NeedsMigration,
            "/properties/a1/properties/beds/maximum",
        ),
        (
            at(A1, "/beds/maximum"),
            json!(99),
            LimitChanged,
            Compatible,
            "/properties/a1/properties/beds/maximum",
        ),
        (
            at(A1, "/beds/minimum"),
            json!(1),
            LimitChanged,
            NeedsMigration,
            "/properties/a1/properties/beds/minimum",
        ),
        (
            at(A1, "/note/maxLength"),
            Value::Null,
            LimitChanged,
            Compatible,
            "/properties/a1/properties/note/maxLength",
        ),
        (
            at(A1, "/note/pattern"),
            json!("^a"),
            LimitChanged,
            NeedsMigration,
            "/properties/a1/properties/note/pattern",
        ),
        (
            at(A1, "/beds/x-non-answers"),
            json!([]),
            NonAnswersChanged,
            Compatible,
            "/properties/a1/properties/beds/x-non-answers",
        ),
        (
            at(A1, "/beds/x-unit"),
            json!("metres"),
            UnitChanged,
            NeedsMigration,
            "/properties/a1/properties/beds/x-unit",
        ),
        (
            at(A1, "/photo/x-media"),
            json!({"max_bytes": 5}),
            MediaChanged,
            Compatible,
            "/properties/a1/properties/photo/x-media",
        ),
        (
            at(A1, "/photo/x-widget"),
            json!("document"),
            WidgetChanged,
            Labels,
            "/properties/a1/properties/photo/x-widget",
        ),
        (
            at(A1, "/grade/x-locked"),
            Value::Null,
            LockChanged,
            Labels,
            "/properties/a1/properties/grade/x-locked",
        ),
        (
            at(ROW, "/age/x-sensitivity"),
            json!("protected"),
            PrivacyChanged,
            Compatible,
            "/properties/a2/properties/children/items/properties/age/x-sensitivity",
        ),
        (
            at(A1, "/beds/x-constraints"),
            json!([{"rule": "this > 0", "message": "M", "level": "error"}]),
            ConstraintAdded,
            Compatible,
            "/properties/a1/properties/beds/x-constraints/beds",
        ),
        (
            at(A1, "/girls/x-constraints"),
            Value::Null,
            ConstraintRemoved,
            Compatible,
            "/properties/a1/properties/girls/x-constraints/girls",
        ),
        (
            root("/x-constraints/0/rule"),
            json!("beds > girls"),
            ConstraintChanged,
            Compatible,
            "/x-constraints/X1",
        ),
        (
            root("/x-constraints/0/level"),
            json!("error"),
            ConstraintLevelChanged,
            Compatible,
            "/x-constraints/X1",
        ),
        (
            at(A2, "/district/x-choices/list"),
            json!("other"),
            ChoiceListChanged,
            NeedsMigration,
            "/properties/a2/properties/district/x-choices/list",
        ),
        (
            at(A2, "/district/x-choices/filter"),
            Value::Null,
            ChoiceFilterChanged,
            Compatible,
            "/properties/a2/properties/district/x-choices/filter",
        ),
        (
            at(A2, "/zone/oneOf/-"),
            json!({"const": "c", "title": "C"}),
            ChoiceAdded,
            Compatible,
            "/properties/a2/properties/zone/oneOf/c",
        ),
        (
            at(A2, "/zone/oneOf/0"),
            Value::Null,
            ChoiceRemoved,
            Breaking,
            "/properties/a2/properties/zone/oneOf/a",
        ),
        (
            "/lists/district/items/-".into(),
            json!({"code": "HUB"}),
            ChoiceAdded,
            Compatible,
            "/lists/district/HUB",
        ),
        (
            "/lists/district/items/0/valid_to".into(),
            json!("2026-01-01"),
            ChoiceRetired,
            Compatible,
            "/lists/district/QTA",
        ),
        (
            "/lists/district/items/2/valid_to".into(),
            json!("2025-01-01"),
            ChoiceReinstated,
            Compatible,
            "/lists/district/OLD",
        ),
        ("/lists/district/items/0".into(), Value::Null, ChoiceRemoved, Breaking, "/lists/district/QTA"),
        (
            "/lists/district/items/0/title/en".into(),
            json!("Q"),
            ChoiceRelabelled,
            Labels,
            "/lists/district/QTA",
        ),
        ("/lists/district/items/0/zone".into(), json!("b"), ChoiceChanged, Compatible, "/lists/district/QTA"),
        ("/lists/district/title/en".into(), json!("Districts"), ListChanged, Labels, "/lists/district/title"),
        ("/lists/third".into(), json!({"list": "third", "items": []}), ListAdded, Compatible, "/lists/third"),
        ("/lists/other".into(), Value::Null, ListRemoved, Compatible, "/lists/other"),
        (
            root("/x-findings/-"),
            json!({"code": "F-3", "when": "beds > 9", "title": "Many"}),
            FindingAdded,
            Compatible,
            "/x-findings/F-3",
        ),
        (root("/x-findings/0"), Value::Null, FindingRemoved, Compatible, "/x-findings/F-1"),
        (
            root("/x-findings/0/when"),
            json!("beds < 4"),
            FindingConditionChanged,
            Compatible,
            "/x-findings/F-1/when",
        ),
        (
            root("/x-findings/0/severity"),
            json!("stop"),
            FindingSeverityChanged,
            Compatible,
            "/x-findings/F-1/severity",
        ),
        (
            root("/x-findings/0/basis"),
            json!([{"law": "Act"}]),
            FindingBasisChanged,
            Compatible,
            "/x-findings/F-1/basis",
        ),
        (
            root("/x-findings/0/due"),
            json!({"days": 2}),
            FindingDeadlineChanged,
            Compatible,
            "/x-findings/F-1/due",
        ),
        (
            root("/x-findings/0/escalate_to"),
            json!("head"),
            FindingReferralChanged,
            Compatible,
            "/x-findings/F-1/refer_to",
        ),
        (
            root("/x-findings/0/disclose"),
            json!(false),
            FindingDisclosureChanged,
            Compatible,
            "/x-findings/F-1/disclose",
        ),
        (
            root("/x-findings/0/supersedes"),
            json!(["F-2"]),
            FindingSupersedesChanged,
            Compatible,
            "/x-findings/F-1/supersedes",
        ),
        (root("/x-findings/0/title"), json!("Few beds"), TextChanged, Labels, "/x-findings/F-1/title"),
        (root("/x-disclosure/except"), json!(["F-2"]), DisclosureChanged, Compatible, "/x-disclosure"),
        (root("/x-scores/more"), json!({"title": "More"}), ScoreAdded, Compatible, "/x-scores/more"),
        (root("/x-scores/audit"), Value::Null, ScoreRemoved, Compatible, "/x-scores/audit"),
        (root("/x-scores/audit/places"), json!(0), ScoreChanged, Compatible, "/x-scores/audit"),
        (
            root("/x-scores/audit/domains/0/items/-"),
            json!({"question": "beds"}),
            ScorePartAdded,
            Compatible,
            "/x-scores/audit/domains/D1/items/beds",
        ),
        (
            root("/x-scores/audit/domains/0"),
            Value::Null,
            ScorePartRemoved,
            Compatible,
            "/x-scores/audit/domains/D1",
        ),
        (
            root("/x-scores/audit/domains/0/items/0/weight"),
            json!(1),
            ScoreWeightChanged,
            Compatible,
            "/x-scores/audit/domains/D1/items/grade/weight",
        ),
        (
            "/parameters/-".into(),
            json!({"key": "wage.min", "value": 1}),
            ParameterAdded,
            Compatible,
            "/parameters/wage.min",
        ),
        ("/parameters/0".into(), Value::Null, ParameterRemoved, Compatible, "/parameters/age.child_max"),
        (
            "/parameters/-".into(),
            json!({"key": "age.child_max", "value": 16, "valid_from": "2026-07-01"}),
            ParameterChanged,
            Compatible,
            "/parameters/age.child_max/2026-07-01",
        ),
        (
            "/parameters/0/source".into(),
            json!("Gazette"),
            ParameterSourceChanged,
            Labels,
            "/parameters/age.child_max/2021-05-01",
        ),
        ("/baselines/0/value".into(), json!(24), BaselineChanged, Compatible, "/baselines/RATE"),
        (root("/x-facility/name"), json!("zone"), FacilityChanged, Compatible, "/x-facility"),
        (root("/x-summary"), json!(["zone"]), SummaryChanged, Compatible, "/x-summary"),
        (
            at(A1, "/note/description"),
            json!("Shortly"),
            TextChanged,
            Labels,
            "/properties/a1/properties/note/description",
        ),
        (root("/title"), json!("Visits"), TextChanged, Labels, "/title"),
        (root("/$defs/media/title"), json!("File"), OtherChanged, Compatible, "/$defs"),
        (
            at(A1, "/beds/x-novelty"),
            json!(1),
            OtherChanged,
            Compatible,
            "/properties/a1/properties/beds/x-novelty",
        ),
    ]
}

#[test]
fn each_change_is_told_by_its_kind_place_and_grade() {
    for (place, value, kind, grade, path) in table() {
        let comparison = after(&place, value);

        let told: Vec<_> = comparison
            .changes
            .iter()
            .map(|change| (change.kind, change.grade, change.path.as_str()))
            .collect();
        assert_eq!(told, [(kind, grade, path)], "{place}");
        assert_eq!(comparison.grade, grade, "{place}");
    }
}

#[test]
fn no_kind_of_change_is_without_a_test() {
    let mut tested: BTreeSet<ChangeKind> = table().into_iter().map(|(_, _, kind, _, _)| kind).collect();
    tested.extend([
        SectionsReordered,
        QuestionsReordered,
        FindingsReordered,
        ChoicesReordered,
        QuestionMoved,
    ]);

    let untested: Vec<_> = ChangeKind::ALL.iter().filter(|kind| !tested.contains(kind)).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

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

/// A package out of any JSON that likes the words of packages.
fn any_package() -> impl Strategy<Value = Package> {
    let leaf = prop_oneof![
        Just(json!("object")),
        Just(json!("array")),
        Just(json!("integer")),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0_i64..3).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
        Just(json!("2026-01-01")),
        Just(json!("عمر")),
    ];
    let key = prop_oneof![
        Just("properties"),
        Just("items"),
        Just("type"),
        Just("title"),
        Just("x-findings"),
        Just("x-scores"),
        Just("x-constraints"),
        Just("code"),
        Just("rule"),
        Just("oneOf"),
        Just("const"),
        Just("x-choices"),
        Just("list"),
        Just("domains"),
        Just("x-form"),
        Just("languages"),
        Just("labels"),
        Just("x-required"),
        Just("required"),
        Just("maxItems"),
        Just("a"),
        Just("b"),
        Just("ur"),
        Just("value"),
        Just("key"),
        Just("valid_to"),
    ];
    let json = leaf.prop_recursive(6, 80, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>()
            )),
        ]
    });
    let map = prop::collection::vec(("[a-b]", json.clone()), 0..3)
        .prop_map(|fields| fields.into_iter().collect::<Map<_, _>>());
    let rows = prop::collection::vec(json.clone(), 0..4);
    (json, map.clone(), map, rows.clone(), rows).prop_map(
        |(definition, i18n, lists, parameters, baselines)| Package {
            form: "f".to_owned(),
            version: 1,
            definition,
            i18n,
            lists,
            parameters,
            baselines,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_release_is_identical_to_itself_and_to_nothing_else(old in any_package(), new in any_package()) {
        prop_assert_eq!(compare(&old, &old).grade, Identical);
        let there = compare(&old, &new);
        prop_assert_eq!(there.grade == Identical, super::unnumbered(&old) == super::unnumbered(&new));
        prop_assert_eq!(serde_json::to_string(&there).unwrap(), serde_json::to_string(&compare(&old, &new)).unwrap());
    }
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
