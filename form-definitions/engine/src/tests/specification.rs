//! The examples of `vocabulary/rules.md`, run: each says what a rule comes out as with the answers written above it.

use super::{context, form};
use serde_json::{Map, Value, json};

const SPECIFICATION: &str = include_str!("../../../vocabulary/rules.md");

/// One example: `rule ⇒ value`, and where it stands.
struct Example {
    line: usize,
    rule: String,
    value: Value,
    answers: Value,
    non_answers: Value,
}

/// Reads the blocks fenced with ```rules: a line that begins with `answers` or `non_answers` holds for the lines after it, in its block.
fn examples() -> Vec<Example> {
    let mut examples = Vec::new();
    let (mut inside, mut answers, mut non_answers) = (false, json!({}), json!({}));
    for (place, line) in SPECIFICATION.lines().enumerate() {
        let parse = |text: &str| -> Value {
            serde_json::from_str(text).unwrap_or_else(|error| panic!("line {}: {error}: {text}", place + 1))
        };
        if line.starts_with("```") {
            inside = line == "```rules";
            (answers, non_answers) = (json!({}), json!({}));
        } else if let (true, Some(given)) = (inside, line.strip_prefix("answers ")) {
            answers = parse(given);
        } else if let (true, Some(given)) = (inside, line.strip_prefix("non_answers ")) {
            non_answers = parse(given);
        } else if let (true, Some((rule, value))) = (inside, line.split_once('⇒')) {
            let value = match value.trim() {
                "unknown" => Value::Null,
                value => parse(value),
            };
            examples.push(Example {
                line: place + 1,
                rule: rule.trim().to_owned(),
                value,
                answers: answers.clone(),
                non_answers: non_answers.clone(),
            });
        }
    }
    examples
}

/// The questions the examples speak of.
fn questions() -> Map<String, Value> {
    let questions = json!({
        "a": {"type": "number", "title": "A", "x-non-answers": ["refused", "not_known"]}, "b": {"type": "number", "title": "B"},
        "yes": {"type": "boolean", "title": "Yes"}, "no": {"type": "boolean", "title": "No"}, "open": {"type": "boolean", "title": "Open"},
        "word": {"type": "string", "title": "Word"}, "day": {"type": "string", "format": "date", "title": "Day"}, "born": {"type": "string", "format": "date", "title": "Born"},
        "starts": {"$ref": "#/$defs/time", "title": "Starts"}, "ends": {"$ref": "#/$defs/time", "title": "Ends"},
        "gps": {"$ref": "#/$defs/geopoint", "title": "GPS"}, "gate": {"$ref": "#/$defs/geopoint", "title": "Gate"}, "photo": {"$ref": "#/$defs/media", "title": "Photo"},
        "injuries": {"type": "array", "items": {"type": "string"}, "uniqueItems": true, "title": "Injuries", "x-choices": {"list": "injury"}},
        "zone": {"type": "string", "title": "Zone", "oneOf": [{"const": "a", "title": "A"}, {"const": "b", "title": "B"}]},
        "hidden": {"type": "integer", "title": "Hidden", "x-relevant": "zone == 'a'"},
        "k_fire": {"type": "integer", "title": "Fire", "x-non-answers": ["not_applicable"]}, "k_exits": {"type": "integer", "title": "Exits", "x-non-answers": ["not_applicable"]},
        "children": {"type": "array", "maxItems": 200, "title": "Children", "x-key": "code", "items": {"type": "object", "properties": {
            "code": {"type": "string", "title": "Code"}, "age": {"type": "number", "title": "Age"}}}}
    });
    questions.as_object().cloned().unwrap_or_default()
}

/// What a rule comes out as, by way of a calculation of the type its value has.
fn outcome(example: &Example) -> Value {
    let rule = &example.rule;
    let calculated = match &example.value {
        Value::Number(_) => json!({"type": "number", "x-calculate": rule}),
        Value::Bool(_) => json!({"type": "string", "x-calculate": format!("({rule}) ? 'true' : 'false'")}),
        Value::Object(_) => json!({"type": "object", "x-calculate": rule}),
        Value::Array(_) => {
            json!({"type": "string", "x-calculate": format!("({rule}) == {} ? 'same' : 'other'", example.value.to_string().replace('"', "'"))})
        }
        Value::Null => {
            json!({"type": "string", "x-calculate": format!("known({rule}) ? 'known' : 'unknown'")})
        }
        Value::String(_) => json!({"type": "string", "x-calculate": rule}),
    };
    let mut questions = questions();
    let mut result = calculated;
    result["title"] = json!("Result");
    result["readOnly"] = json!(true);
    questions.insert("result".to_owned(), result);
    let score = json!({"x-scores": {"audit": {"title": "Audit", "item_max": 2, "domains": [
        {"code": "D1", "title": "Safety", "weight": 1, "items": [{"question": "k_fire", "weight": 2, "stop": true}, {"question": "k_exits", "weight": 1}]}]}}});
    let form = form(Value::Object(questions), score);
    let result = form.evaluate(&example.answers, Some(&example.non_answers), &context()).calculated;
    result.get("result").cloned().unwrap_or(Value::Null)
}

fn expected(value: &Value) -> Value {
    match value {
        Value::Bool(truth) => json!(truth.to_string()),
        Value::Array(_) => json!("same"),
        Value::Null => json!("unknown"),
        value => value.clone(),
    }
}

#[test]
fn every_example_of_the_specification_comes_out_as_written() {
    let examples = examples();
    let mut wrong = Vec::new();

    for example in &examples {
        let (got, wanted) = (outcome(example), expected(&example.value));
        let same = got == wanted || got.as_f64().zip(wanted.as_f64()).is_some_and(|(a, b)| a == b);
        if !same {
            wrong.push(format!("rules.md:{}: {} is {got}, not {wanted}", example.line, example.rule));
        }
    }

    assert!(examples.len() > 120, "only {} examples", examples.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_function_is_specified() {
    for function in [
        "selected",
        "count",
        "size",
        "sum",
        "min",
        "max",
        "avg",
        "unique",
        "coalesce",
        "known",
        "has",
        "round",
        "days_between",
        "months_between",
        "hours_between",
        "add_days",
        "year_of",
        "age_years",
        "distance_m",
        "in_area",
        "time_of",
        "non_answer",
        "exists",
        "all",
        "exists_one",
        "filter",
        "map",
        "contains",
        "startsWith",
        "endsWith",
        "matches",
    ] {
        assert!(
            examples().iter().any(|example| example.rule.contains(&format!("{function}("))),
            "{function} has no example"
        );
    }
}
