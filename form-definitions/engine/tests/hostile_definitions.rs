//! A real questionnaire with some part of it replaced by any JSON: refused or compiled, never a panic, and never dearer than its price.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use form_engine::{Context, NoAreas, Package, User, Visit, compare, compile};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::LazyLock;

/// The inspection, whole.
static INSPECTION: LazyLock<Package> = LazyLock::new(|| {
    let definitions = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = |name: &str| -> Vec<Value> {
        let entries = std::fs::read_dir(definitions.join(name)).into_iter().flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.iter().map(|path| read(path)).collect()
    };
    let inspection = definitions.join("child-labour-inspection");
    let i18n = Map::from_iter([("ur".to_owned(), read(&inspection.join("i18n/ur.json")))]);
    Package::assemble(
        read(&inspection.join("form.json")),
        i18n,
        &folder("choice-lists"),
        &folder("parameters"),
    )
});

/// What the largest case answers.
static ANSWERS: LazyLock<Value> = LazyLock::new(|| {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../child-labour-inspection/cases");
    read(&cases.join("b2-coal-mine.json"))["answers"].clone()
});

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// JSON that likes what stands in questionnaires.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("object"),
        Just("array"),
        Just("string"),
        Just("integer"),
        Just("#/$defs/time"),
        Just("children"),
        Just("age_years"),
        Just("yn"),
        Just("est"),
        Just("true"),
        Just("entry == 'full'"),
        Just("children.exists(c, c.age_years > 3)"),
        Just("count(children)"),
        Just("x.matches('(a|b)*c')"),
        Just("this > 3"),
        Just("((((1"),
        Just(""),
        Just("عمر"),
        Just("2026-01-01"),
    ];
    let key = prop_oneof![
        Just("type"),
        Just("properties"),
        Just("items"),
        Just("x-relevant"),
        Just("x-required"),
        Just("x-calculate"),
        Just("readOnly"),
        Just("x-constraints"),
        Just("rule"),
        Just("x-choices"),
        Just("list"),
        Just("filter"),
        Just("maxItems"),
        Just("x-key"),
        Just("code"),
        Just("when"),
        Just("scope"),
        Just("title"),
        Just("const"),
        Just("oneOf"),
        Just("$ref"),
        Just("pattern"),
        Just("a"),
        Just("b"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-2_i64..9).prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        word.prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..8).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

/// The JSON pointers of everything within.
fn places(value: &Value, pointer: &str, found: &mut Vec<String>) {
    found.push(pointer.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                places(inner, &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(place, inner)| places(inner, &format!("{pointer}/{place}"), found));
        }
        _ => {}
    }
}

/// The inspection with parts of it replaced.
fn spoilt(parts: &[(Index, Value)]) -> Package {
    static PLACES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let mut found = Vec::new();
        places(&serde_json::to_value(&*INSPECTION).unwrap(), "", &mut found);
        // Half of the places are labels of other languages and columns of lists.
        found.retain(|place| {
            (place.starts_with("/definition") || place.starts_with("/parameters") || place.len() % 7 == 0)
                // Under which number a release goes says nothing of what it holds.
                && place != "/definition/x-form/version"
        });
        found
    });
    let mut package = serde_json::to_value(&*INSPECTION).unwrap();
    for (place, replacement) in parts {
        if let Some(part) = package.pointer_mut(place.get::<String>(&PLACES)) {
            *part = replacement.clone();
        }
    }
    // What is no package at all is refused before the engine sees it.
    serde_json::from_value(package).unwrap_or_else(|_| INSPECTION.clone())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_spoilt_questionnaire_is_refused_or_runs_within_its_price(parts in prop::collection::vec((any::<Index>(), any_json()), 1..4)) {
        let package = spoilt(&parts);
        let comparison = compare(&INSPECTION, &package);

        match compile(&package) {
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                for problem in &problems {
                    prop_assert!(problem.code != "compiler_failed" && !problem.remedy.is_empty() && !problem.message.is_empty(), "{problem:?}");
                }
            }
            Ok(form) => {
                let visit = Visit::finished("2026-11-20T12:00:00+05:00".parse().unwrap());
                let outcome = form.evaluate(&ANSWERS, None, &Context::new(visit, User::default(), &NoAreas));
                prop_assert!(outcome.cost <= form.price().worst_case_steps);
            }
        }
        prop_assert_eq!(comparison.changes.is_empty(), INSPECTION.hash() == package.hash());
    }
}
