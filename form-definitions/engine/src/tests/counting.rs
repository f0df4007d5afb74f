//! Counting rows that hold one value is looked up, not looked for: the same answer, in time that grows with the rows.

use super::{evaluate, form};
use serde_json::{Value, json};

fn roster() -> crate::Form {
    let unique = json!([{"code": "twice", "rule": "count(rows.filter(r, r.key == key)) == 1", "message": "Twice", "level": "error"}]);
    form(
        json!({
            "rows": {"type": "array", "maxItems": 1000, "title": "R", "x-key": "n", "items": {"type": "object", "properties": {
                "n": {"type": "integer", "title": "N"}, "key": {"type": "string", "title": "K", "x-constraints": unique}, "to": {"type": "string", "title": "To"},
                "same": {"type": "integer", "title": "S", "readOnly": true, "x-calculate": "count(rows.filter(r, r.n == n))"},
                "ranked": {"type": "integer", "title": "R", "readOnly": true, "x-calculate": "size(rows.filter(r, same == r.same))"}
            }}},
            "none": {"type": "integer", "title": "None", "readOnly": true, "x-calculate": "count(rows.filter(r, r.key == 'z'))"}
        }),
        json!({"x-constraints": [{"code": "linked", "rule": "rows.all(a, !known(a.to) || count(rows.filter(b, b.key == a.to)) > 0)", "message": "M", "level": "error"}]}),
    )
}

#[test]
fn a_value_is_counted_in_all_rows_that_hold_it_and_an_unknown_in_none() {
    let rows = json!([{"n": 1, "key": "a", "to": "b"}, {"n": 1.0, "key": "b"}, {"n": 2, "key": "a", "to": "z"}, {"key": ""}]);

    let outcome = evaluate(&roster(), json!({"rows": rows}));

    let same: Vec<&Value> = (0..4).map(|n| &outcome.calculated[&format!("rows[{n}].same")]).collect();
    assert_eq!(same, [2, 2, 1, 0]);
    assert_eq!(outcome.calculated["rows[0].ranked"], 2, "a calculation counts what is calculated by then");
    assert_eq!(outcome.calculated["none"], 0);
    assert_eq!(
        super::told(&outcome),
        ["twice at rows[0].key", "duplicate at rows[1].n", "twice at rows[2].key", "linked at "]
    );
}

#[test]
fn the_work_grows_with_the_rows_and_not_with_their_square() {
    let cost = |rows: u64| {
        let rows: Vec<Value> = (0..rows).map(|n| json!({"n": n, "key": format!("K-{n}")})).collect();
        evaluate(&roster(), json!({"rows": rows})).cost
    };

    assert!(cost(1_000) < 12 * cost(100), "{} {}", cost(1_000), cost(100));
}
