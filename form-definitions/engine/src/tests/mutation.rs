//! Mistakes made on purpose in rules.

use super::{evaluate, form};
use serde_json::json;

#[test]
fn each_operator_and_number_of_a_rule_is_changed_once_and_put_back() {
    let mut form = form(
        json!({"n": {"type": "integer", "title": "N"}, "much": {"type": "boolean", "title": "M", "readOnly": true,
            "x-calculate": "!(coalesce(n, 0) <= 10) && coalesce(n, 0) in [20]"}}),
        json!({}),
    );
    let mutants = form.mutants();

    let changes: Vec<&str> = mutants.iter().map(|mutant| mutant.change.as_str()).collect();
    let much = |form: &crate::Form, n: i64| evaluate(form, json!({"n": n})).calculated["much"].clone();
    let of = |change: &str| mutants.iter().find(|mutant| mutant.change == change).unwrap();
    let either = form.with_mutant(of("&& becomes ||"), |form| much(form, 15));
    let affirmed = form.with_mutant(of("! is dropped"), |form| much(form, 20));

    for change in [
        "<= becomes <",
        "<= becomes >",
        "10 becomes 11",
        "10 becomes 9",
        "in becomes not in",
        "20 becomes 21",
    ] {
        assert!(changes.contains(&change), "{change} in {changes:?}");
    }
    assert_eq!((either, affirmed), (Some(json!(true)), Some(json!(false))));
    assert_eq!((much(&form, 15), much(&form, 20)), (json!(false), json!(true)));
}
