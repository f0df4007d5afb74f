//! Questions, their lists, parameters, texts and protection.

use super::{Q, ROW, Row, among, at, q, set};
use crate::codes::Code;
use serde_json::{Value, json};

/// Questions, their lists, parameters, texts and protection.
pub(super) fn of_questions() -> Vec<Row> {
    let choose = |rows: &str, value: &str| json!({"rows": rows, "value": value});
    let first = format!("{Q}/first/x-choices");
    let list = |code: &str| json!({"code": code, "title": {"en": code}});
    let rows = "/parameters";
    let nested = json!({"type": "string", "title": "S", "x-choices": choose("tools", "tool")});
    vec![
        at(
            &q("note"),
            json!({"type": "null", "title": "N"}),
            Code::UnknownKind,
            "note is of no kind of question there is",
        ),
        at(&format!("{Q}/at/$ref"), json!("#/$defs/other"), Code::UnknownKind, "at refers to #/$defs/other"),
        set(
            "/definition/$defs/geopoint",
            Value::Null,
            Code::UnknownReference,
            &format!("{Q}/spot/$ref"),
            "the form has no $defs/geopoint",
        ),
        at(
            &format!("{Q}/district/x-choices/list"),
            json!("nowhere"),
            Code::UnknownList,
            "district chooses from \"nowhere\", which is no list",
        ),
        set(
            &first,
            json!({"rows": "children"}),
            Code::UnknownRows,
            &first,
            "first does not say which value of which rows it offers",
        ),
        set(&first, choose("word", "code"), Code::UnknownRows, &first, "\"word\" is no repeat"),
        set(
            &q("second"),
            nested,
            Code::UnknownRows,
            &format!("{Q}/second/x-choices"),
            "the rows of tools cannot be seen from here",
        ),
        set(
            &first,
            choose("children", "height"),
            Code::UnknownRows,
            &first,
            "the rows of children have no \"height\"",
        ),
        set(
            &first,
            choose("children", "age"),
            Code::UnknownRows,
            &first,
            "age is not what this question takes",
        ),
        set(
            &format!("{Q}/word/readOnly"),
            json!(true),
            Code::CalculatedOrAsked,
            &q("word"),
            "word is half calculated, half asked",
        ),
        at(
            &format!("{Q}/word/x-non-answers"),
            json!(["too_shy"]),
            Code::UnknownNonAnswer,
            "too_shy is no reason for not answering",
        ),
        set(
            &format!("{Q}/photo/x-asked-of"),
            json!("reviewer"),
            Code::NotForReviewer,
            &format!("{Q}/photo/x-asked-of"),
            "photo is answered at review and cannot have a file",
        ),
        at(&format!("{Q}/yes/x-asked-of"), json!("anyone"), Code::UnknownWord, "x-asked-of is \"anyone\""),
        among(set(
            &format!("{Q}/girls/x-asked-of"),
            json!("reviewer"),
            Code::ReviewerOnly,
            &format!("{Q}/note/x-relevant"),
            "girls is answered at review",
        )),
        at(&format!("{Q}/note/x-relevant"), json!(7), Code::NotARule, "x-relevant is 7, which is not a rule"),
        at(
            "/lists/injury/list",
            json!("district"),
            Code::DuplicateList,
            "the list injury calls itself district",
        )
        .named("/lists/injury"),
        set(
            "/lists/district#2",
            json!({"list": "district", "items": []}),
            Code::DuplicateList,
            "/lists/district#2",
            "two lists are called district",
        ),
        set(
            "/lists/injury/items",
            Value::Null,
            Code::ListWithoutItems,
            "/lists/injury",
            "the list injury has no items",
        ),
        set(
            "/lists/injury/items/-",
            list("cut"),
            Code::DuplicateChoice,
            "/lists/injury/items/3",
            "the code cut stands twice in injury on the same day",
        ),
        set(
            "/lists/injury/items/-",
            list(""),
            Code::ChoiceWithoutCode,
            "/lists/injury/items/3",
            "a list item has no code",
        ),
        set(
            &format!("{Q}/colour/oneOf/-"),
            json!({"const": "red", "title": "R"}),
            Code::ChoiceWithoutCode,
            &format!("{Q}/colour/oneOf/2"),
            "choice 2 of colour has no code of its own",
        ),
        at(
            "/lists/district/items/3/valid_to",
            json!("soon"),
            Code::NotADate,
            "valid_to is \"soon\", which is not a date",
        ),
        set(
            &format!("{rows}/-"),
            json!({"key": "", "value": 1}),
            Code::ParameterIncomplete,
            &format!("{rows}/2"),
            "a parameter row has no key or no value",
        ),
        among(set(
            &format!("{rows}/-"),
            json!({"key": "age.child_max", "value": "fourteen"}),
            Code::MixedParameter,
            &format!("{Q}/limits/x-calculate"),
            "the values of age.child_max are of different types",
        ))
        .at(15),
        set(
            "/baselines/-",
            json!({"key": "BR_RATE", "value": 24, "year": 2011}),
            Code::BaselineKey,
            "/baselines/1",
            "the baseline \"BR_RATE\" has no key, or the same area and year as another row",
        ),
        at(
            &format!("{Q}/word/x-sensitivity"),
            json!("secret"),
            Code::UnknownWord,
            "x-sensitivity is \"secret\"",
        ),
        at(&format!("{Q}/children/x-subject"), json!("adult"), Code::UnknownWord, "x-subject is \"adult\""),
        among(set(
            &format!("{Q}/children/x-purpose"),
            Value::Null,
            Code::Unprotected,
            &format!("{ROW}/age"),
            "age is about a child and lacks x-purpose",
        )),
        set(&format!("{Q}/word/title"), Value::Null, Code::NoText, &q("word"), "word has no English text"),
        at("/lists/injury/items/0/title", json!({}), Code::NoText, "injury=none has no English text"),
    ]
}
