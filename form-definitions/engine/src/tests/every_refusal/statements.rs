//! Constraints, findings, disclosure, summary and scores; and what takes more than one part to be wrong.

use super::{A, Q, Row, among, at, set, spoilt};
use crate::Package;
use crate::codes::Code;
use serde_json::{Map, Value, json};

/// Constraints, findings, disclosure, summary and scores.
pub(super) fn of_statements() -> Vec<Row> {
    let finding = "/definition/x-findings/0";
    let domain = "/definition/x-scores/s/domains/0";
    let item = json!({"question": "girls", "weight": 1});
    vec![
        at(&format!("{Q}/word/x-constraints"), json!({}), Code::NotAList, "x-constraints is not a list"),
        set(
            &format!("{Q}/word/x-constraints"),
            json!([{"message": "M"}]),
            Code::NotARule,
            &format!("{Q}/word/x-constraints/0/rule"),
            "there is no rule",
        ),
        set(
            "/definition/x-findings/1/code",
            json!("F-1"),
            Code::DuplicateName,
            "/definition/x-findings/1",
            "two findings are called F-1",
        ),
        at(
            &format!("{finding}/supersedes"),
            json!(["F-9"]),
            Code::UnknownName,
            "F-1 supersedes F-9, which is no finding",
        ),
        set(&format!("{finding}/supersedes"), json!(["F-1"]), Code::Circle, finding, "F-1 supersedes itself"),
        set(
            "/definition/x-findings/1/code",
            Value::Null,
            Code::FindingWithoutCode,
            "/definition/x-findings/1",
            "a finding has no code",
        ),
        at(
            &format!("{finding}/disclose"),
            Value::Null,
            Code::UndecidedDisclosure,
            "F-1 does not say whether it may be disclosed",
        ),
        at("/definition/x-findings/1/scope", json!("nowhere"), Code::UnknownName, "nowhere is no repeat"),
        at(&format!("{finding}/if_unknown"), json!("shout"), Code::UnknownWord, "if_unknown is \"shout\""),
        at(&format!("{finding}/due"), json!({"weeks": 1}), Code::NoDeadline, "due is {\"weeks\":1}"),
        at("/definition/x-findings/1/when", Value::Null, Code::NotARule, "there is no when"),
        at(
            &format!("{finding}/severity"),
            json!("mild"),
            Code::Unreadable,
            "severity: unknown variant `mild`",
        ),
        at("/definition/x-disclosure/except", json!(["F-9"]), Code::UnknownName, "F-9 is no finding"),
        set(
            "/definition/x-summary",
            json!(["age"]),
            Code::UnknownName,
            "/x-summary/0",
            "\"age\" is no question of the form itself",
        ),
        among(at("/definition/x-scores", json!([]), Code::UnreadableScore, "x-scores is not an object")),
        set(
            "/definition/x-scores/s/domains/1/code",
            json!("D1"),
            Code::DuplicateName,
            "/x-scores/s/domains/1",
            "domain 1 has no code of its own",
        ),
        set(
            "/definition/x-scores/s/domains",
            json!([]),
            Code::UnreadableScore,
            "/x-scores/s",
            "the score has no domains",
        ),
        set(
            &format!("{domain}/items/-"),
            item,
            Code::UnreadableScore,
            &format!("{domain}/items/1"),
            "girls counts twice in one score",
        ),
        set(&format!("{domain}/items"), json!([]), Code::UnreadableScore, domain, "the domain has no items"),
        among(at(
            &format!("{domain}/items/0/question"),
            json!("age"),
            Code::UnknownName,
            "\"age\" is no question of the form itself",
        )),
        at(
            &format!("{domain}/items/0/question"),
            json!("word"),
            Code::UnreadableScore,
            "word is not a number",
        ),
        at(
            &format!("{domain}/weight"),
            json!(0),
            Code::UnreadableScore,
            "weight is not a number greater than 0",
        ),
    ]
}

/// What takes more than one part to be wrong.
pub(super) fn of_several_parts() -> Vec<Row> {
    let mut contradicting = spoilt(&format!("{A}/x-relevant"), json!("prev.open_findings > 3"));
    contradicting.definition["properties"]["a2"] = json!({"type": "object", "title": "B", "x-relevant": "yes", "properties": {"never": {"type": "string", "title": "N", "x-relevant": "!yes"}}});
    let mut in_urdu = spoilt("/definition/x-form/languages/-", json!({"code": "ur", "dir": "rtl"}));
    in_urdu.i18n.insert("ur".to_owned(), json!({"labels": {}}));
    let mut slot =
        spoilt("/definition/x-form/languages/-", json!({"code": "ur", "dir": "rtl", "required": false}));
    slot.i18n.insert("ur".to_owned(), json!({"draft": true, "labels": {}}));
    let long = format!("girls > 0{}", " && girls > 0".repeat(400));
    let deep = format!("{}girls{} > 0", "(".repeat(800), ")".repeat(800));
    let tall = format!("girls > 0{}", " + 1".repeat(200));
    let wide: Map<String, Value> = (0..30)
        .map(|n| {
            let relevant = format!("children.exists(a, children.exists(b, a.age + {n} == b.age || a.age == b.age + {n} || a.age * 2 > b.age + {n}))");
            (format!("w{n}"), json!({"type": "string", "title": "W", "x-relevant": relevant}))
        })
        .collect();
    let mut dear = spoilt(&format!("{Q}/children/maxItems"), json!(250));
    dear.definition["properties"]["a1"]["properties"].as_object_mut().unwrap().extend(wide);
    let row = |spoilt: Package, code: Code, path: &str, message: &str| Row {
        spoilt,
        code,
        path: path.to_owned(),
        position: None,
        message: message.to_owned(),
        alone: false,
    };
    let note = "/properties/a1/properties/note/x-relevant";
    let with_rule = |rule: &str| spoilt(&format!("{Q}/note/x-relevant"), json!(rule));
    vec![
        row(
            contradicting,
            Code::NeverRelevant,
            "/properties/a2/properties/never/x-relevant",
            "this is never shown: it contradicts the condition of the section or rows it stands in",
        ),
        row(
            in_urdu.clone(),
            Code::NoTranslation,
            "/properties/a1/properties/girls",
            "girls has no text in ur",
        ),
        row(in_urdu, Code::NoTranslation, "/lists/injury/items/0/title", "injury=none has no text in ur"),
        row(slot.clone(), Code::NoTranslation, "/x-form/languages", "texts are missing in ur: form"),
        row(slot, Code::DraftTranslation, "/x-form/languages", "the texts in ur are a draft"),
        row(with_rule(&long), Code::RuleTooLong, note, "the rule is 5209 bytes long, at most 4096 are read"),
        row(with_rule(&deep), Code::RuleTooDeep, note, "the rule is nested more than 100 deep").at(100),
        row(with_rule(&tall), Code::RuleTooDeep, note, "the rule is nested more than 100 deep").at(406),
        row(with_rule("word.matches('(')"), Code::BadPattern, note, "regex parse error").at(13),
        row(with_rule("word.matches('(a{1000}){1000}')"), Code::BadPattern, note, "exceeds size limit")
            .at(13),
        row(dear, Code::FormTooDear, "", "in the worst case the form takes "),
    ]
}
