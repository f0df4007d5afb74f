//! The rule language: the test vectors of the domain, and its traps.

use super::{evaluate, form};
use serde_json::{Value, json};

fn questions() -> Value {
    json!({
        "x": {"type": "number", "title": "X"}, "a": {"type": "integer", "title": "A"}, "b": {"type": "integer", "title": "B"},
        "yes": {"type": "boolean", "title": "Yes"}, "no": {"type": "boolean", "title": "No"}, "open": {"type": "boolean", "title": "Open"},
        "word": {"type": "string", "maxLength": 50, "title": "Word"}, "day": {"type": "string", "format": "date", "title": "Day"},
        "expiry": {"type": "string", "format": "date", "title": "Expiry"}, "starts": {"$ref": "#/$defs/time", "title": "Start"}, "ends": {"$ref": "#/$defs/time", "title": "End"},
        "gps": {"$ref": "#/$defs/geopoint", "title": "GPS"}, "photo": {"$ref": "#/$defs/media", "title": "Photo"},
        "injuries": {"type": "array", "items": {"type": "string"}, "uniqueItems": true, "title": "Injuries", "x-choices": {"list": "injury"}},
        "zone": {"type": "string", "title": "Zone", "oneOf": [{"const": "a", "title": "A"}, {"const": "b", "title": "B"}]},
        "children": {"type": "array", "maxItems": 200, "title": "Children", "x-key": "child_code", "items": {"type": "object", "additionalProperties": false, "properties": {
            "child_code": {"type": "string", "maxLength": 20, "title": "Code"}, "age": {"type": "number", "title": "Age"},
            "reports_to": {"type": "string", "maxLength": 20, "title": "Reports to"},
            "is_unique": {"type": "string", "title": "Unique", "readOnly": true, "x-calculate": "count(children.filter(c, c.child_code == child_code)) == 1 ? 'true' : 'false'"}
        }}}
    })
}

fn answers() -> Value {
    json!({"yes": true, "no": false, "a": 3, "b": 0, "day": "2026-11-11", "expiry": "2026-03-01", "starts": "20:00", "ends": "06:00", "injuries": ["none", "cut"],
        "word": "نگران", "gps": {"lat": 30.2, "lon": 67.0, "accuracy_m": 80}, "photo": {"media": "front.jpg", "faces_checked": true}, "zone": "b",
        "children": [{"child_code": "K-1", "age": 12, "reports_to": "K-2"}, {"child_code": "K-1", "age": 14}, {"age": null}]})
}

/// What a rule comes out as; null when it stays unknown.
fn value(kind: Value, rule: &str) -> Value {
    let mut with_rule = questions();
    let mut question = json!({"title": "Result", "readOnly": true, "x-calculate": rule});
    question.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
    with_rule.as_object_mut().unwrap().insert("result".to_owned(), question);
    let outcome = evaluate(&form(with_rule, json!({})), answers());
    outcome.calculated.get("result").cloned().unwrap_or(Value::Null)
}

fn number(rule: &str) -> Value {
    value(json!({"type": "number"}), rule)
}

fn truth(rule: &str) -> Option<bool> {
    let spelled = value(json!({"type": "string"}), &format!("({rule}) ? 'true' : 'false'"));
    spelled.as_str().map(|text| text == "true")
}

#[test]
fn the_domains_test_vectors_come_out_as_written() {
    assert_eq!(truth("x >= 0 && x <= 100"), None, "1");
    assert_eq!(truth("!(selected(injuries, 'none') && size(injuries) > 1)"), Some(false), "2");
    assert_eq!(number("hours_between(starts, ends)"), json!(10), "3");
    assert_eq!(number("round(100 * a / b, 1)"), json!(null), "4");
    assert_eq!(number("count(children.filter(c, c.age < param.age.child_max))"), json!(1), "5");
    assert_eq!(number("min([x, 12])"), json!(12), "6");
    assert_eq!(number("days_between(day, expiry)"), json!(-255), "9");
    assert_eq!(number("months_between('2025-03-31', '2025-04-30')"), json!(0), "10");
    let rows = evaluate(&form(questions(), json!({})), answers()).calculated;
    assert_eq!([&rows["children[0].is_unique"], &rows["children[1].is_unique"]], ["false", "false"], "11");
    assert_eq!(
        truth(
            "children.exists(r, known(r.reports_to) && count(children.filter(q, q.child_code == r.reports_to)) == 0)"
        ),
        Some(true),
        "12"
    );
    assert_eq!(
        value(json!({"type": "string"}), "a > 0 ? 'stop' : 98.6 >= 90 ? 'green' : 'red'"),
        json!("stop"),
        "13"
    );
    assert_eq!(
        value(json!({"type": "string"}), "b > 0 ? 'stop' : min([37.5, 90.0]) < 40 ? 'red' : 'amber'"),
        json!("red"),
        "14"
    );
    assert_eq!((truth("open || true"), truth("open && true")), (Some(true), None), "15");
}

#[test]
fn unknown_goes_through_logic_as_three_values() {
    let (t, f, u) = (Some(true), Some(false), None);
    let table = [
        ("yes && yes", t),
        ("yes && no", f),
        ("yes && open", u),
        ("no && open", f),
        ("open && no", f),
        ("open && open", u),
        ("yes || open", t),
        ("open || yes", t),
        ("no || open", u),
        ("no || no", f),
        ("!open", u),
        ("!no", t),
        ("open ? true : true", u),
        ("x > 3", u),
        ("x == x", u),
        ("known(x)", f),
        ("!known(x)", t),
        ("coalesce(open, false)", f),
    ];

    for (rule, expected) in table {
        assert_eq!(truth(rule), expected, "{rule}");
    }
}

#[test]
fn rows_are_the_or_and_the_and_of_what_is_said_of_each() {
    let (t, f, u) = (Some(true), Some(false), None);
    let table = [
        ("children.exists(c, c.age == 12)", t),
        ("children.exists(c, c.age == 13)", u),
        ("children.all(c, c.age > 3)", u),
        ("children.all(c, c.age > 12)", f),
        ("children.exists_one(c, c.age == 12)", u),
        ("children.exists_one(c, c.age >= 12)", f),
        ("children.exists_one(c, known(c.child_code) && c.age == 14)", t),
        ("children.filter(c, c.age > 3).all(c, c.age < 15)", t),
        ("[].exists(i, i == 1)", f),
        ("[].all(i, i == 1)", t),
        ("'cut' in injuries", t),
        ("'burn' in injuries", f),
        ("zone in ['a', 'b']", t),
        ("x in [1, 2]", u),
        ("3 in [x, a]", t),
        ("4 in [x, a]", u),
        ("injuries.exists(i, i in param.strong.signs)", t),
        ("selected(zone, 'b')", t),
    ];

    for (rule, expected) in table {
        assert_eq!(truth(rule), expected, "{rule}");
    }
}

#[test]
fn numbers_are_of_one_kind_and_errors_are_unknown() {
    let table = [
        ("7 / 2", json!(3.5)),
        ("6 / 2", json!(3)),
        ("7 % 4", json!(3)),
        ("a / b", json!(null)),
        ("a % b", json!(null)),
        ("a + x", json!(null)),
        ("-a", json!(-3)),
        ("round(2.675, 2)", json!(2.68)),
        ("round(2.5)", json!(3)),
        ("sum(children.map(c, c.age))", json!(26)),
        ("avg(children.map(c, c.age))", json!(13)),
        ("max(children.map(c, c.age))", json!(14)),
        ("sum([x])", json!(null)),
        ("count(children)", json!(3)),
        ("size(injuries)", json!(2)),
        ("size(word)", json!(5)),
        ("count(unique(children.map(c, c.child_code)))", json!(1)),
        ("size([zone, word, 'b'].filter(i, i == 'b'))", json!(2)),
        ("children[1].age", json!(14)),
        ("children[9].age", json!(null)),
        ("gps.accuracy_m", json!(80)),
        ("gps.altitude_m", json!(null)),
        ("baseline.BR_RATE * 2", json!(46)),
        ("prev.open_findings", json!(2)),
        ("prev.nothing", json!(null)),
        ("facility.beds", json!(null)),
        ("year_of(day)", json!(2026)),
        ("age_years('2012-11-21')", json!(13)),
        ("1e308 * 10", json!(null)),
        ("children.map(c, c.age > 12, c.age)[0]", json!(14)),
        ("days_between(day, today)", json!(9)),
        ("hours_between(visit.finished_at, visit.finished_at)", json!(0)),
    ];

    for (rule, expected) in table {
        assert_eq!(number(rule), expected, "{rule}");
    }
}

#[test]
fn texts_dates_and_moments_are_read_where_they_meet() {
    let text = |rule: &str| value(json!({"type": "string"}), rule);
    let date = |rule: &str| value(json!({"type": "string", "format": "date"}), rule);
    let time = |rule: &str| value(json!({"$ref": "#/$defs/time"}), rule);

    assert_eq!(text("word + '!'"), json!("نگران!"));
    assert_eq!(text("user.code"), json!("LI-7"));
    assert_eq!(text("visit.district"), json!("QTA"));
    assert_eq!(text("prev.zone"), json!("a"));
    assert_eq!(text("photo.media"), json!("front.jpg"));
    assert_eq!(date("add_days(day, 30)"), json!("2026-12-11"));
    assert_eq!(date("today"), json!("2026-11-20"));
    assert_eq!(time("time_of(visit.finished_at)"), json!("15:30"));
    assert_eq!(truth("day < '2026-12-01' && starts > '19:00' && day in ['2026-11-11']"), Some(true));
    assert_eq!(
        truth("visit.finished_at > '2026-11-20T10:00:00Z' && time_of(visit.finished_at) < '16:00'"),
        Some(true)
    );
    assert_eq!(
        truth(
            "word.matches('^[ا-ی]+$') && word.startsWith('نگ') && word.endsWith('ان') && word.contains('گر')"
        ),
        Some(true)
    );
    assert_eq!(truth("photo.faces_checked"), Some(true));
    assert_eq!(truth("in_area(gps, 'QTA')"), None);
}

#[test]
fn a_girl_of_twelve_is_not_lost_to_an_unanswered_question() {
    let with_ages = |rule: &str| {
        let age = |title: &str| json!({"type": "number", "title": title});
        json!({
            "child_says": age("Says"), "employer_says": age("Employer"), "observed": age("Observed"),
            "spread": {"type": "number", "title": "Spread", "readOnly": true, "x-calculate": "max([child_says, employer_says, observed]) - min([child_says, employer_says, observed])"},
            "disputed": {"type": "boolean", "title": "Disputed", "readOnly": true, "x-calculate": rule}
        })
    };
    let rule = "coalesce(spread, 0) > param.age.dispute_years || (coalesce(min([child_says, observed]), 99) < param.age.child_max && coalesce(employer_says, 0) >= param.age.child_max)";
    let form = form(with_ages(rule), json!({}));
    let disputed = |answers: Value| evaluate(&form, answers).calculated["disputed"].clone();

    assert_eq!(disputed(json!({"child_says": 12, "employer_says": 16})), json!(true), "7");
    assert_eq!(disputed(json!({"observed": 12})), json!(false), "8");
    assert_eq!(disputed(json!({})), json!(false));
    assert_eq!(super::refused(with_ages("spread > 1"), json!({})), ["boolean_can_be_unknown"]);
}
