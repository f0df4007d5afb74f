//! The conformance cases of google/cel-spec, for as much of CEL as our rules are.
//!
//! What we refuse (maps, bytes, messages, conversions) is refused when a form is checked. What we accept must come out as CEL
//! says, except where we differ on purpose: one number type, and unknown instead of an error.

use super::{evaluate, package};
use crate::compile;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::path::PathBuf;

const FILES: [&str; 9] =
    ["basic", "comparisons", "fp_math", "integer_math", "lists", "logic", "macros", "parse", "string"];

/// Where we differ on purpose, and why.
fn on_purpose(case: &Value) -> Option<&'static str> {
    let expr = case["expr"].as_str().unwrap_or_default();
    let math = case["file"].as_str().is_some_and(|file| file.ends_with("_math"));
    match &case["want"] {
        want if want["v"] == "" => Some("an empty text is no answer"),
        want if want["t"] == "error" && math => {
            Some("there is one number type: whole numbers do not overflow, and mix with others")
        }
        _ if expr.contains("0.0/0.0") => {
            Some("what is not a number is unknown, and nothing equals the unknown")
        }
        _ if expr.contains("null") => Some("null is unknown, and nothing equals the unknown"),
        _ => None,
    }
}

fn cases() -> Option<Vec<Value>> {
    let shared = std::env::var_os("SHARED_DATA").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let text = std::fs::read_to_string(shared.join("cel-spec/cases.json")).ok()?;
    let cases: Vec<Value> = serde_json::from_str(&text).ok()?;
    let applies = |case: &Value| {
        let bound = case["bindings"].as_array().is_some_and(|bindings| !bindings.is_empty());
        FILES.contains(&case["file"].as_str().unwrap_or_default())
            && case["check_only"] == json!(false)
            && !bound
    };
    Some(cases.into_iter().filter(applies).collect())
}

/// A calculation that says what the expression comes out as.
fn question(case: &Value) -> Option<Value> {
    let rule = case["expr"].as_str()?;
    match case["want"]["t"].as_str()? {
        "int" | "uint" | "double" => {
            Some(json!({"type": "number", "title": "N", "readOnly": true, "x-calculate": rule}))
        }
        "bool" => Some(
            json!({"type": "string", "title": "B", "readOnly": true, "x-calculate": format!("({rule}) ? 'true' : 'false'")}),
        ),
        "string" => Some(json!({"type": "string", "title": "S", "readOnly": true, "x-calculate": rule})),
        "error" => Some(
            json!({"type": "string", "title": "E", "readOnly": true, "x-calculate": format!("({rule}) == 1 ? 'known' : 'known'")}),
        ),
        _ => None,
    }
}

fn wanted(case: &Value) -> Value {
    let value = &case["want"]["v"];
    match case["want"]["t"].as_str().unwrap_or_default() {
        "bool" => json!(value.to_string()),
        "string" => value.clone(),
        "error" => Value::Null,
        _ => value
            .as_str()
            .and_then(|text| text.parse::<f64>().ok())
            .or(value.as_f64())
            .map_or(Value::Null, |number| json!(number)),
    }
}

#[test]
fn what_we_accept_of_cel_means_what_cel_says() {
    let Some(cases) = cases() else {
        eprintln!("skipped: shared/cel-spec/cases.json is absent (set SHARED_DATA)");
        return;
    };
    let mut questions: Map<String, Value> = cases
        .iter()
        .enumerate()
        .filter_map(|(place, case)| Some((format!("q{place}"), question(case)?)))
        .collect();
    let refused = compile(&package(json!(questions), json!({}))).err().unwrap_or_default();
    let refused: HashSet<String> =
        refused.iter().filter_map(|problem| problem.path.split('/').nth(4).map(str::to_owned)).collect();
    questions.retain(|name, _| !refused.contains(name));
    let form = super::form(json!(questions), json!({}));

    let calculated = evaluate(&form, json!({})).calculated;

    let mut differ = Vec::new();
    for (place, case) in
        cases.iter().enumerate().filter(|(place, _)| questions.contains_key(&format!("q{place}")))
    {
        let got = calculated.get(&format!("q{place}")).cloned().unwrap_or(Value::Null);
        let (expr, want) = (case["expr"].as_str().unwrap_or_default(), wanted(case));
        let same = got == want || got.as_f64().zip(want.as_f64()).is_some_and(|(got, want)| got == want);
        if !same && on_purpose(case).is_none() {
            differ.push(format!("{expr} is {got}, CEL says {want}"));
        }
    }
    assert!(questions.len() > 300, "only {} of {} cases apply", questions.len(), cases.len());
    assert!(differ.is_empty(), "{} of {} differ:\n{}", differ.len(), questions.len(), differ.join("\n"));
}
