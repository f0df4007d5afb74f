//! What must not matter, does not: the order rules are written in, a question nobody is asked. And where nothing is unknown, a rule means
//! what the `cel` crate's own evaluator says it means.

use super::{evaluate, form, package};
use crate::{cel, compile};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const NUMBERS: [(&str, f64); 3] = [("x", 2.5), ("y", 4.0), ("z", 0.0)];
const TRUTHS: [(&str, bool); 2] = [("p", true), ("q", false)];
const TEXTS: [(&str, &str); 3] = [("t", "quetta"), ("u", "که"), ("v", "etta")];

fn number() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("x".to_owned()),
        Just("y".to_owned()),
        Just("z".to_owned()),
        (0..90_u32).prop_map(|n| format!("{:.1}", f64::from(n) / 4.0))
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), prop_oneof![Just("+"), Just("-"), Just("*")], inner.clone())
                .prop_map(|(a, sign, b)| format!("({a} {sign} {b})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} < {b} ? {b} : {c})")),
            // Nothing is unknown here: a division by zero would be.
            (inner.clone(), 1..9_u32).prop_map(|(a, n)| format!("({a} / {n}.0)")),
            inner.prop_map(|a| format!("-({a})")),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("t".to_owned()),
        Just("u".to_owned()),
        Just("v".to_owned()),
        "[a-u]{1,3}".prop_map(|word| format!("'{word}'")),
        Just("'کو'".to_owned())
    ];
    leaf.prop_recursive(2, 6, 2, |inner| (inner.clone(), inner).prop_map(|(a, b)| format!("({a} + {b})")))
}

fn condition() -> impl Strategy<Value = String> {
    let sign = || prop_oneof![Just("<"), Just("<="), Just(">"), Just(">="), Just("=="), Just("!=")];
    let list = || prop::collection::vec(number(), 1..4).prop_map(|items| format!("[{}]", items.join(", ")));
    let leaf = prop_oneof![
        Just("p".to_owned()),
        Just("q".to_owned()),
        Just("true".to_owned()),
        (number(), sign(), number()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        (text(), sign(), text()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        (text(), prop_oneof![Just("contains"), Just("startsWith"), Just("endsWith")], text())
            .prop_map(|(a, method, b)| format!("{a}.{method}({b})")),
        (number(), list()).prop_map(|(a, list)| format!("{a} in {list}")),
        (list(), prop_oneof![Just("exists"), Just("all"), Just("exists_one")], sign(), number())
            .prop_map(|(list, each, sign, b)| format!("{list}.{each}(i, i {sign} {b})")),
        (list(), number(), 0..4_u32)
            .prop_map(|(list, b, n)| format!("size({list}.filter(i, i > {b})) > {n}")),
        (list(), number()).prop_map(|(list, b)| format!("{list}.map(i, i * 2.0).exists(i, i > {b})")),
        (text(), text()).prop_map(|(a, b)| format!("size({a}) < size({b})")),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            (inner.clone(), prop_oneof![Just("&&"), Just("||")], inner.clone())
                .prop_map(|(a, sign, b)| format!("({a} {sign} {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn where_nothing_is_unknown_a_rule_means_what_cel_says(rules in prop::collection::vec(condition(), 8)) {
        let mut questions = json!({
            "x": {"type": "number", "title": "X"}, "y": {"type": "number", "title": "Y"}, "z": {"type": "number", "title": "Z"}, "p": {"type": "boolean", "title": "P"}, "q": {"type": "boolean", "title": "Q"},
            "t": {"type": "string", "title": "T"}, "u": {"type": "string", "title": "U"}, "v": {"type": "string", "title": "V"}
        });
        for (place, rule) in rules.iter().enumerate() {
            questions[format!("r{place}")] = json!({"type": "string", "title": "R", "readOnly": true, "x-calculate": format!("({rule}) ? 'yes' : 'no'")});
        }
        let mut answers = Map::new();
        answers.extend(NUMBERS.map(|(name, value)| (name.to_owned(), json!(value))));
        answers.extend(TRUTHS.map(|(name, value)| (name.to_owned(), json!(value))));
        answers.extend(TEXTS.map(|(name, value)| (name.to_owned(), json!(value))));

        let calculated = evaluate(&form(questions, json!({})), Value::Object(answers)).calculated;

        for (place, rule) in rules.iter().enumerate() {
            let ours = calculated.get(&format!("r{place}")).map(|ours| ours == "yes");
            let theirs = cel::interpret(rule, &NUMBERS, &TRUTHS, &TEXTS);
            prop_assert!(ours.is_some());
            prop_assert_eq!(ours, theirs, "{}", rule);
        }
    }
}

fn questions() -> Vec<(&'static str, Value)> {
    let calculated =
        |rule: &str| json!({"type": "number", "title": "C", "readOnly": true, "x-calculate": rule});
    vec![
        (
            "n",
            json!({"type": "integer", "title": "N", "x-required": true, "x-constraints": [{"code": "n1", "rule": "this < 5", "message": "M", "level": "error"}, {"code": "n2", "rule": "this != m", "message": "M", "level": "info"}]}),
        ),
        ("m", json!({"type": "integer", "title": "M", "x-relevant": "n > 2"})),
        ("sum", calculated("n + m")),
        ("twice", calculated("sum * 2")),
        ("shown", json!({"type": "string", "title": "S", "x-relevant": "twice > 6", "x-required": "n > 3"})),
        (
            "rows",
            json!({"type": "array", "maxItems": 4, "title": "R", "x-key": "k", "items": {"type": "object", "properties": {
            "k": {"type": "integer", "title": "K"}, "share": calculated("k / twice")}}}),
        ),
    ]
}

fn statements() -> (Vec<Value>, Vec<Value>) {
    let constraint =
        |code: &str, rule: &str| json!({"code": code, "rule": rule, "message": "M", "level": "warning"});
    let finding = |code: &str, scope: &str, when: &str, weaker: Value| json!({"code": code, "scope": scope, "when": when, "if_unknown": "provisional", "severity": "major", "title": "T", "action": "A", "disclose": true, "supersedes": weaker});
    (
        vec![
            constraint("X1", "n < 3"),
            constraint("X2", "rows.all(r, r.k > 1)"),
            constraint("X3", "twice != 8"),
        ],
        vec![
            finding("F-1", "form", "n > 2", json!([])),
            finding("F-2", "form", "twice > 5", json!(["F-1"])),
            finding("F-3", "rows", "share > 1", json!([])),
            finding("F-4", "rows", "k > 2", json!(["F-3"])),
        ],
    )
}

/// The outcome with everything that has an order in one order.
fn unordered(form: &crate::Form, answers: &Value) -> Value {
    let outcome = evaluate(form, answers.clone());
    let sorted = |items: Vec<String>| {
        let mut items = items;
        items.sort();
        items
    };
    let mut findings = Vec::new();
    for finding in &outcome.findings {
        findings.push(format!(
            "{} {:?} {} {:?} {:?}",
            finding.code, finding.row, finding.provisional, finding.superseded, finding.hinges_on
        ));
    }
    let violations =
        outcome.violations.iter().map(|violation| format!("{} {}", violation.code, violation.path)).collect();
    let calculated = outcome.calculated.iter().map(|(path, value)| format!("{path} {value}")).collect();
    json!({"findings": sorted(findings), "violations": sorted(violations), "calculated": sorted(calculated), "relevance": outcome.relevance})
}

fn in_order(order: &[usize], extra: Option<(&str, Value)>) -> crate::Form {
    let by = |items: Vec<Value>| -> Vec<Value> {
        let mut keyed: Vec<(usize, Value)> = items
            .into_iter()
            .enumerate()
            .map(|(place, item)| (order[place % order.len()] * 10 + place % 7, item))
            .collect();
        keyed.sort_by_key(|(key, _)| *key);
        keyed.into_iter().map(|(_, item)| item).collect()
    };
    let mut asked: Vec<(usize, (&str, Value))> = questions()
        .into_iter()
        .enumerate()
        .map(|(place, question)| (order[place % order.len()], question))
        .collect();
    asked.sort_by_key(|(key, _)| *key);
    let mut written: Map<String, Value> =
        asked.into_iter().map(|(_, (name, question))| (name.to_owned(), question)).collect();
    written.extend(extra.map(|(name, question)| (name.to_owned(), question)));
    let (constraints, findings) = statements();
    let root = json!({"x-constraints": by(constraints), "x-findings": by(findings)});
    compile(&package(Value::Object(written), root))
        .unwrap_or_else(|problems| panic!("{}", super::spell(&problems)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_rules_are_written_in_does_not_matter(
        order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle(), n in 0_i64..6, m in 0_i64..6, keys in prop::collection::vec(0_i64..5, 0..4)
    ) {
        let rows: Vec<Value> = keys.into_iter().map(|key| json!({"k": key})).collect();
        let answers = json!({"n": n, "m": m, "rows": rows});

        prop_assert_eq!(unordered(&in_order(&order, None), &answers), unordered(&in_order(&[0, 1, 2, 3, 4, 5], None), &answers));
    }

    #[test]
    fn a_question_nobody_is_asked_changes_nothing(n in 0_i64..6, m in 0_i64..6) {
        let answers = json!({"n": n, "m": m, "rows": [{"k": 3}]});
        let extra = json!({"type": "string", "title": "E", "x-relevant": "n > 1000", "x-required": true, "x-constraints": [{"rule": "this == 'x'", "message": "M", "level": "error"}]});
        let mut with = unordered(&in_order(&[0, 1, 2, 3, 4, 5], Some(("extra", extra))), &answers);

        let hidden = with["relevance"].as_object_mut().unwrap().remove("extra");

        prop_assert_eq!(hidden, Some(json!(false)));
        prop_assert_eq!(with, unordered(&in_order(&[0, 1, 2, 3, 4, 5], None), &answers));
    }
}
