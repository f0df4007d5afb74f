//! The form as a whole, its sections, names and repeats.

use super::{A, Q, ROW, Row, among, at, q, set};
use crate::codes::Code;
use serde_json::{Map, Value, json};

/// The form as a whole, its sections, names and repeats.
pub(super) fn of_shape() -> Vec<Row> {
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    let crowd: Map<String, Value> =
        (0..5001).map(|n| (format!("q{n}"), json!({"type": "boolean", "title": "Q"}))).collect();
    let nested = |name: &str, inner: Value| json!({"type": "array", "maxItems": 2, "title": "N", "x-key": format!("{name}_k"), "items": {"type": "object", "properties": {format!("{name}_k"): {"type": "string", "title": "K"}, format!("{name}_r"): inner}}});
    let too_deep =
        nested("n1", nested("n2", nested("n3", nested("n4", json!({"type": "string", "title": "S"})))));
    vec![
        set(&q("note"), deep, Code::TooDeep, "", "the definition is nested more than 48 deep"),
        set(
            "/definition/description",
            json!("x".repeat(4 << 20)),
            Code::TooLarge,
            "",
            "the definition is 4197",
        ),
        among(set(
            Q,
            Value::Object(crowd),
            Code::TooLarge,
            "",
            "the form has 5001 questions, at most 5000 are read",
        )),
        among(set(
            "/definition/title",
            json!(7),
            Code::NotASchema,
            "",
            "7 is not of type \"string\" at /title",
        )),
        set(
            &format!("{Q}/word/pattern"),
            json!("("),
            Code::BadSchema,
            &q("word"),
            "the schema of word cannot be used: ",
        ),
        set("/definition/type", json!("array"), Code::NotAForm, "", "the definition is not an object schema"),
        among(at("/definition/properties", Value::Null, Code::NoSections, "the form has no sections")),
        among(at("/definition/properties/a2", json!(7), Code::NotASchema, "a2 is not a schema")),
        at(
            "/definition/properties/a2",
            json!({"type": "object", "title": "B"}),
            Code::NoQuestions,
            "there are no questions here",
        ),
        at(
            &format!("{A}/required"),
            json!(["nobody"]),
            Code::UnknownName,
            "nobody is required but does not exist here",
        ),
        at(
            "/definition/required",
            json!(["nobody"]),
            Code::UnknownName,
            "nobody is required but does not exist here",
        ),
        among(at(&q("note"), json!(7), Code::NotASchema, "note is not a schema")),
        at(
            &q("inner"),
            json!({"type": "object", "title": "I", "properties": {}}),
            Code::SectionInSection,
            "inner is a section within a section or row",
        ),
        at("/definition/if", json!({}), Code::UnsupportedKeyword, "if has no meaning here"),
        at("/definition/x-colour", json!("red"), Code::UnknownKeyword, "x-colour has no meaning here"),
        at(
            &format!("{Q}/note/x-relevent"),
            json!("true"),
            Code::UnknownKeyword,
            "x-relevent has no meaning on a question",
        ),
        at(
            &q("Bad Name"),
            json!({"type": "string", "title": "B"}),
            Code::BadName,
            "\"Bad Name\" cannot be a name",
        ),
        at(
            &q("this"),
            json!({"type": "string", "title": "T"}),
            Code::ReservedName,
            "this means something else in rules",
        ),
        at(
            &format!("{ROW}/day"),
            json!({"type": "string", "title": "D"}),
            Code::DuplicateName,
            "the name day is used twice",
        ),
        set(
            &q("deep"),
            too_deep,
            Code::RepeatTooDeep,
            &format!("{Q}/deep/items/properties/n1_r/items/properties/n2_r/items/properties/n3_r"),
            "n3_r is a repeat more than 3 deep",
        ),
        at(
            &format!("{Q}/children/maxItems"),
            Value::Null,
            Code::RepeatWithoutLimit,
            "the repeat children has no usable maxItems",
        ),
        at(
            &format!("{Q}/children/maxItems"),
            json!(90_000),
            Code::RepeatWithoutLimit,
            "the repeat children has no usable maxItems",
        ),
        at(
            &format!("{Q}/children/minItems"),
            json!(300),
            Code::LimitsCrossed,
            "children wants at least 300 and at most 200 rows",
        ),
        at(
            &format!("{Q}/children/x-key"),
            Value::Null,
            Code::RepeatWithoutKey,
            "the rows of children have no key among their questions",
        ),
    ]
}
