//! Mistakes in the writing of a questionnaire: of choice lists, parameters, findings, languages; of any size.

use super::{compile, form, package, problems};
use serde_json::{Map, Value, json};

/// The codes and paths of what is refused in a package after one change.
fn changed(change: impl FnOnce(&mut crate::Package)) -> Vec<(String, String)> {
    let mut package = package(
        json!({"n": {"type": "integer", "title": "N"}, "injury": {"type": "string", "title": "I", "x-choices": {"list": "injury"}}}),
        json!({}),
    );
    change(&mut package);
    let refused = compile(&package).err().unwrap_or_default();
    assert!(refused.iter().all(|problem| !problem.remedy.is_empty() && !problem.message.is_empty()));
    refused.into_iter().map(|problem| (problem.code, problem.path)).collect()
}

fn one(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}

#[test]
fn lists_are_held_to_codes_dates_and_titles() {
    let items = |items: Value| move |package: &mut crate::Package| package.lists["injury"]["items"] = items;
    let titled = |code: &str, more: Value| {
        let mut item = json!({"code": code, "title": {"en": code}});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        item
    };

    assert_eq!(
        changed(|package| package.lists["injury"] = json!({"list": "injury"})),
        one("list_without_items", "/lists/injury")
    );
    assert_eq!(
        changed(items(json!([{"title": {"en": "None"}}]))),
        one("choice_without_code", "/lists/injury/items/0")
    );
    assert_eq!(changed(items(json!([{"code": "cut"}]))), one("no_text", "/lists/injury/items/0/title"));
    assert_eq!(
        changed(items(json!([titled("cut", json!({"valid_from": "2026-13-01"}))]))),
        one("not_a_date", "/lists/injury/items/0/valid_from")
    );
    assert_eq!(
        changed(items(json!([titled("cut", json!({})), titled("cut", json!({"valid_from": "2026-01-01"}))]))),
        one("duplicate_choice", "/lists/injury/items/1")
    );
    let one_after_the_other = json!([
        titled("cut", json!({"valid_to": "2026-01-01"})),
        titled("cut", json!({"valid_from": "2026-01-01"}))
    ]);
    assert_eq!(changed(items(one_after_the_other)), []);
}

#[test]
fn two_lists_of_one_name_are_refused_and_not_one_of_them_lost() {
    let lists = [
        json!({"list": "zone", "items": [{"code": "a", "title": {"en": "A"}}]}),
        json!({"list": "zone", "items": [{"code": "b", "title": {"en": "B"}}]}),
    ];
    let package = crate::Package::assemble(
        json!({"type": "object", "title": "T", "properties": {"a1": {"type": "object", "title": "A", "properties": {"zone": {"type": "string", "title": "Z", "x-choices": {"list": "zone"}}}}}}),
        Map::new(),
        &lists,
        &[],
    );
    let refused = compile(&package).err().unwrap();

    assert_eq!(
        refused.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>(),
        ["two lists are called zone"]
    );
    assert_eq!(
        changed(|package| package.lists["injury"]["list"] = json!("wound")),
        one("duplicate_list", "/lists/injury")
    );
}

#[test]
fn parameters_and_baselines_are_held_to_their_rows() {
    let row = |row: Value| move |package: &mut crate::Package| package.parameters = vec![row];

    assert_eq!(changed(row(json!({"key": "a.b"}))), one("parameter_incomplete", "/parameters/0"));
    assert_eq!(
        changed(row(json!({"key": "a.b", "value": 3, "valid_from": "soon"}))),
        one("not_a_date", "/parameters/0/valid_from")
    );
    assert_eq!(
        changed(|package| package.baselines = vec![json!({"value": 3})]),
        one("baseline_key", "/baselines/0")
    );
    assert_eq!(
        changed(|package| package.baselines = vec![
            json!({"key": "A", "value": 3, "year": 2012}),
            json!({"key": "A", "value": 4, "year": 2012})
        ]),
        one("baseline_key", "/baselines/1")
    );
    let mixed =
        [json!({"key": "age.mixed", "value": 3}), json!({"key": "age.mixed", "value": "x", "area": "PK2"})];
    assert_eq!(
        changed(|package| {
            package.parameters = mixed.to_vec();
            package.definition["x-constraints"] =
                json!([{"rule": "n > param.age.mixed", "message": "M", "level": "error"}]);
        }),
        one("mixed_parameter", "/x-constraints/0/rule")
    );
}

#[test]
fn a_parameter_compared_with_a_choice_holds_codes_of_its_list() {
    let rule = |rule: &str| {
        problems(json!({
            "injury": {"type": "string", "title": "I", "x-choices": {"list": "injury"}}, "district": {"type": "string", "title": "D", "x-choices": {"list": "district"}},
            "shown": {"type": "string", "title": "S", "x-relevant": rule}
        }))
    };

    assert_eq!(rule("injury in param.strong.signs"), []);
    assert_eq!(rule("district in param.strong.signs")[0].code, "unknown_choice");
    assert_eq!(
        rule("injury == district")[0].message,
        "a choice of injury and a choice of district have no code in common"
    );
    assert_eq!(rule("injury == (district == 'QTA' ? 'cut' : 'scald')")[0].code, "unknown_choice");
}

#[test]
fn a_calculated_choice_is_held_to_its_list_on_every_way() {
    let calculated = |rule: &str| {
        problems(
            json!({"n": {"type": "integer", "title": "N"}, "worst": {"type": "string", "title": "W", "x-choices": {"list": "injury"}, "readOnly": true, "x-calculate": rule}}),
        )
    };

    assert_eq!(calculated("n > 3 ? 'burn' : n > 1 ? 'cut' : 'none'"), []);
    assert_eq!(calculated("n > 3 ? 'burn' : n > 1 ? 'scratch' : 'none'")[0].code, "unknown_choice");
}

#[test]
fn statements_are_held_to_their_words() {
    let root = |root: Value| {
        changed(move |package| {
            package.definition.as_object_mut().unwrap().extend(root.as_object().unwrap().clone())
        })
    };
    let finding = |more: Value| {
        let mut finding = json!({"code": "F-1", "when": "n > 3", "severity": "major", "title": "T", "action": "A", "disclose": true});
        finding.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"x-findings": [finding]})
    };

    assert_eq!(root(json!({"x-constraints": {}})), one("not_a_list", "/x-constraints"));
    assert_eq!(
        root(json!({"x-constraints": [{"message": "M"}]})),
        one("not_a_rule", "/x-constraints/0/rule")
    );
    assert_eq!(
        root(json!({"x-constraints": [{"rule": "n > 3", "message": "M", "level": "mild"}]})),
        one("unreadable", "/x-constraints/0/level")
    );
    assert_eq!(
        root(json!({"x-constraints": [{"rule": "n > 3", "level": "error"}]})),
        one("no_text", "/x-constraints/0")
    );
    assert_eq!(
        root(json!({"x-findings": [{"when": "n > 3"}]})),
        one("finding_without_code", "/x-findings/0")
    );
    assert_eq!(root(finding(json!({"scope": "nowhere"}))), one("unknown_name", "/x-findings/0/scope"));
    assert_eq!(root(finding(json!({"if_unknown": "loud"}))), one("unknown_word", "/x-findings/0/if_unknown"));
    assert_eq!(root(finding(json!({"due": "soon"}))), one("no_deadline", "/x-findings/0/due"));
    assert_eq!(
        root(finding(json!({"disclose": null}))),
        one("undecided_disclosure", "/x-findings/0/disclose")
    );
    assert_eq!(
        root(finding(json!({"supersedes": ["F-2"]}))),
        one("unknown_name", "/x-findings/0/supersedes")
    );
    assert_eq!(root(finding(json!({"basis": [{"section": "3"}]}))), one("unreadable", "/x-findings/0/basis"));
    assert_eq!(
        root(json!({"x-disclosure": {"over": "n", "severities": []}})),
        one("unknown_name", "/x-disclosure/scope")
    );
    assert_eq!(
        root(json!({"x-disclosure": {"severities": [], "except": ["F-9"]}})),
        one("unknown_name", "/x-disclosure/except")
    );
    assert_eq!(root(json!({"x-summary": ["nobody"]})), one("unknown_name", "/x-summary/0"));
    assert_eq!(root(json!({"required": ["nobody"]})), one("unknown_name", "/required"));
    assert_eq!(root(json!({"x-scores": []})), one("unreadable_score", "/x-scores"));
    assert_eq!(
        root(json!({"minProperties": "three"})),
        vec![
            ("unsupported_keyword".to_owned(), "/minProperties".to_owned()),
            ("not_a_schema".to_owned(), String::new())
        ]
    );
    let twice = finding(json!({}))["x-findings"][0].clone();
    assert_eq!(root(json!({"x-findings": [twice.clone(), twice]})), one("duplicate_name", "/x-findings/1"));
}

#[test]
fn questions_and_repeats_are_held_to_their_shape() {
    let of = |question: Value| -> Vec<String> {
        problems(json!({"q": question})).into_iter().map(|problem| problem.code).collect()
    };
    let repeat = |more: Value| {
        let mut repeat = json!({"type": "array", "maxItems": 3, "title": "R", "x-key": "k", "items": {"type": "object", "properties": {"k": {"type": "string", "title": "K"}}}});
        repeat.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        repeat
    };

    assert_eq!(of(json!(7)), ["not_a_schema", "not_a_schema"]);
    assert_eq!(of(json!({"$ref": "#/$defs/place", "title": "Q"})), ["unknown_kind"]);
    assert_eq!(
        of(
            json!({"type": "string", "title": "Q", "oneOf": [{"const": "a", "title": "A"}, {"const": "a", "title": "A"}]})
        ),
        ["choice_without_code"]
    );
    assert_eq!(of(json!({"type": "string", "title": "Q", "x-relevant": 7})), ["not_a_rule"]);
    assert_eq!(of(json!({"type": "string"})), ["no_text"]);
    assert_eq!(of(repeat(json!({}))), Vec::<String>::new());
    assert_eq!(of(repeat(json!({"minItems": 9}))), ["limits_crossed"]);
    assert_eq!(of(repeat(json!({"maxItems": 100_000}))), ["repeat_without_limit"]);
    assert_eq!(of(repeat(json!({"x-key": "z"}))), ["repeat_without_key"]);
    assert_eq!(of(repeat(json!({"items": {"type": "object"}}))), ["no_questions", "repeat_without_key"]);
    assert_eq!(
        of(repeat(
            json!({"items": {"type": "object", "required": ["z"], "properties": {"k": {"type": "string", "title": "K"}}}})
        )),
        ["unknown_name"]
    );
    let deep = ["d", "c", "b", "a"].iter().fold(json!({"type": "string", "title": "K"}), |inner, name| {
        json!({"type": "array", "maxItems": 2, "title": "R", "x-key": format!("k_{name}"), "items": {"type": "object", "properties": {format!("k_{name}"): {"type": "string", "title": "K"}, format!("in_{name}"): inner}}})
    });
    assert_eq!(of(deep), ["repeat_too_deep"]);
    let mut without_defs = package(json!({"at": {"$ref": "#/$defs/time", "title": "At"}}), json!({}));
    without_defs.definition["$defs"] = json!({});
    assert_eq!(compile(&without_defs).err().unwrap()[0].code, "unknown_reference");
}

#[test]
fn a_place_in_a_rule_is_counted_in_characters_whatever_the_script() {
    let found = problems(
        json!({"word": {"type": "string", "title": "W"}, "shown": {"type": "string", "title": "S", "x-relevant": "word == 'نگران' && گرل > 0"}}),
    );
    let named = problems(
        json!({"word": {"type": "string", "title": "W"}, "shown": {"type": "string", "title": "S", "x-relevant": "word == 'نگران 😀' && girl > 0"}}),
    );
    let two_lines = problems(
        json!({"word": {"type": "string", "title": "W"}, "shown": {"type": "string", "title": "S", "x-relevant": "word == 'نگران' &&\n girl > 0"}}),
    );

    assert_eq!((found[0].code.as_str(), found[0].position), ("syntax", Some(19)));
    assert_eq!((named[0].code.as_str(), named[0].position), ("unknown_name", Some(21)));
    assert_eq!((two_lines[0].code.as_str(), two_lines[0].position), ("unknown_name", Some(20)));
}

#[test]
fn a_form_has_a_price_and_names_its_dearest_rules() {
    let rows = |checks: usize| {
        let constraints: Vec<Value> = (0..checks)
            .map(|_| json!({"rule": "count(rows.filter(r, r.key <= key)) >= 1", "message": "Twice", "level": "error"}))
            .collect();
        json!({
            "twice": {"type": "integer", "title": "T", "readOnly": true, "x-calculate": "count(rows) * 2"},
            "rows": {"type": "array", "maxItems": 500, "title": "R", "x-key": "key", "items": {"type": "object", "properties": {
                "key": {"type": "string", "title": "K", "x-constraints": constraints}}}}
        })
    };
    let form = form(rows(1), json!({}));
    let path = "/properties/a1/properties/rows/items/properties/key/x-constraints/0/rule";

    // 500 times: the comparison and its number, the count, its rows, and for each of 500 rows a comparison of two questions.
    let once = 4 + 500 * 4;
    assert_eq!(form.price().dearest[0], (path.to_owned(), 500 * once));
    assert_eq!(form.price().worst_case_steps, 500 * once + 4);
    assert_eq!(
        problems(rows(30)).into_iter().map(|problem| problem.code).collect::<Vec<_>>(),
        ["form_too_dear"]
    );
}

#[test]
fn a_pattern_that_grows_out_of_bounds_is_refused() {
    let greedy = "(?:[a-z0-9]{1,500}){500}";
    let in_rule = problems(
        json!({"word": {"type": "string", "title": "W", "x-constraints": [{"rule": format!("this.matches('{greedy}')"), "message": "M", "level": "error"}]}}),
    );
    let in_schema = problems(json!({"word": {"type": "string", "title": "W", "pattern": greedy}}));
    let explosive = form(
        json!({"word": {"type": "string", "title": "W", "x-constraints": [{"rule": "this.matches('^(a+)+$')", "message": "M", "level": "error"}]}}),
        json!({}),
    );

    assert_eq!(in_rule[0].code, "bad_pattern");
    assert_eq!(in_schema[0].code, "bad_schema");
    let outcome = super::evaluate(&explosive, json!({"word": format!("{}!", "a".repeat(20_000))}));
    assert_eq!(super::told(&outcome), ["word at word"], "linear in the text, whatever the pattern");
}

#[test]
fn a_definition_of_any_size_and_depth_is_refused_and_not_feared() {
    let long = "x".repeat(10 << 20);
    let parentheses = format!("{}n > 3{}", "(".repeat(800), ")".repeat(800));

    // Making and dropping JSON this deep needs a stack of its own; no JSON text leads to it.
    let deep = || {
        let deep = (0..1_000)
            .fold(json!({}), |inner, _| json!({"type": "object", "title": "D", "properties": {"d": inner}}));
        changed(|package| package.definition["properties"]["a2"] = deep)
    };
    let on_its_own = std::thread::Builder::new().stack_size(256 << 20);
    assert_eq!(on_its_own.spawn(deep).unwrap().join().unwrap(), one("too_deep", ""));
    assert_eq!(changed(|package| package.definition["description"] = json!(long)), one("too_large", ""));
    assert_eq!(
        changed(|package| package.definition["x-constraints"] =
            json!([{"rule": parentheses, "message": "M", "level": "error"}]))[..1],
        one("rule_too_deep", "/x-constraints/0/rule")
    );
    let many: Map<String, Value> =
        (0..5_001).map(|n| (format!("q{n}"), json!({"type": "boolean", "title": "Q"}))).collect();
    assert!(
        changed(|package| package.definition["properties"]["a2"] =
            json!({"type": "object", "title": "A", "properties": many}))
        .contains(&("too_large".to_owned(), String::new()))
    );
    let ten = (0..10).map(|n| (format!("c{n}"), json!({"type": "number", "title": "C", "readOnly": true, "x-calculate": format!("c{} + 1", (n + 1) % 10)})));
    let circle = problems(json!(ten.collect::<Map<_, _>>()));
    assert_eq!(circle.len(), 1);
    assert_eq!(circle[0].message.matches(" reads ").count(), 10);
}
