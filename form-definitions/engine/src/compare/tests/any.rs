//! Whatever two packages hold, comparing them ends, and says the same each time.

use crate::Package;
use crate::compare::Grade::Identical;
use crate::compare::compare;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

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
        prop_assert_eq!(there.grade == Identical, crate::compare::unnumbered(&old) == crate::compare::unnumbered(&new));
        prop_assert_eq!(serde_json::to_string(&there).unwrap(), serde_json::to_string(&compare(&old, &new)).unwrap());
    }
}
