//! From an edited package back to operations: whatever operations made, operations are found that make it again.

use super::*;
use form_engine::overlay::{derive, fingerprint};
use proptest::prelude::*;
use proptest::sample::Index;

/// Applies what operations can be applied, one after the other, and leaves out the rest.
fn as_far_as_it_goes(base: &Package, candidates: &[Operation]) -> (Package, Vec<Operation>) {
    let (_, refusals) = form_engine::overlay::draft(base, candidates);
    let stopped: Vec<usize> = refusals.iter().map(|refusal| refusal.operation).collect();
    let kept: Vec<Operation> = candidates
        .iter()
        .enumerate()
        .filter(|(at, _)| !stopped.contains(at))
        .map(|(_, it)| it.clone())
        .collect();
    let (package, _) = form_engine::overlay::draft(base, &kept);
    (package, kept)
}

fn returns(base: &Package, package: &Package) {
    let found = derive(base, package).unwrap_or_else(|refusals| panic!("{}", told(&refusals)));
    let (again, refusals) = form_engine::overlay::draft(base, &found);
    assert!(refusals.is_empty(), "{}", told(&refusals));
    assert_eq!(fingerprint(&again), fingerprint(package), "{found:#?}");
}

#[test]
fn the_worked_example_comes_back_as_the_same_proposal() {
    let package = applied(inspection(), worked_example());

    let found = derive(inspection(), &package).unwrap();

    let again = apply(inspection(), &found).unwrap();
    assert_eq!(fingerprint(&again), fingerprint(&package));
    // The Brahui of the new question comes with the question.
    assert_eq!(found.len(), operations(worked_example()).len() - 1);
}

#[test]
fn nothing_is_found_where_nothing_differs() {
    for base in [inspection(), toolkit(), audit()] {
        assert_eq!(derive(base, base), Ok(Vec::new()));
    }
}

#[test]
fn what_no_operation_can_make_is_told() {
    let mut edited = inspection().clone();
    edited.definition["properties"]["b2"]["properties"].as_object_mut().unwrap().shift_remove("export_chain");
    edited.definition["properties"]["b5"]["properties"]["children"]["maxItems"] = json!(400);
    edited.definition["x-findings"][0]["disclose"] = json!(false);

    let refusals = derive(inspection(), &edited).unwrap_err();

    assert!(codes(&refusals).contains(&(0, "would_widen")), "{}", told(&refusals));
    edited.definition["properties"]["b5"]["properties"]["children"]["maxItems"] = json!(200);
    let refusals = derive(inspection(), &edited).unwrap_err();
    let about: Vec<&str> = refusals.iter().filter_map(|refusal| refusal.about.as_deref()).collect();
    assert!(about.contains(&"/properties/b2/properties/export_chain"), "{about:?}");
    assert!(about.contains(&"/x-findings/ENT-01/disclose"), "{about:?}");
    assert!(refusals.iter().all(|refusal| refusal.code == "not_an_operation"));
}

/// The names in a package: sections, repeats, questions.
fn names(package: &Package) -> Vec<(String, Value)> {
    fn gather(item: &Value, found: &mut Vec<(String, Value)>) {
        for (name, inner) in item["properties"].as_object().into_iter().flatten() {
            found.push((name.clone(), inner.clone()));
            gather(if inner["items"].is_object() { &inner["items"] } else { inner }, found);
        }
    }
    let mut found = Vec::new();
    gather(&package.definition, &mut found);
    found
}

/// One thing a member might do, anywhere in the form.
fn candidate(base: &'static Package) -> impl Strategy<Value = Operation> {
    let names = names(base);
    let lists: Vec<String> = base.lists.keys().cloned().collect();
    let keys: Vec<String> =
        base.parameters.iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect();
    let findings: Vec<String> = base.definition["x-findings"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect();
    (any::<Index>(), any::<Index>(), 0..19_u8, 0..60_u8).prop_map(move |(one, other, what, number)| {
        let (name, fields) = one.get(&names).clone();
        let place = other.get(&names).0.clone();
        let list = other.get(&lists).clone();
        let language = ["brh", "bal", "ps", "ur"][usize::from(number % 4)];
        let items: Vec<String> = base.lists[&list]["items"].as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap().to_owned()).collect();
        let few = usize::from(number % 4);
        let severity = ["minor", "major", "critical", "emergency"][few];
        let body = ["cpu", "police", "health", "education"][few];
        let (kind, goes_without_saying) =
            [("default", "null"), ("relevance", "true"), ("required", "false"), ("filter", "true")][few];
        let written = match what {
            0 => json!({"op": "hide", "question": name, "because": format!("Reason {number}")}),
            1 => json!({"op": "relabel", "key": name, "text": format!("Other words {number}")}),
            2 => json!({"op": "translate", "language": language, "key": name, "text": format!("متن {number}")}),
            3 => json!({"op": "translate", "language": language, "key": format!("~{list}={}", items[usize::from(number) % items.len()]), "text": format!("انتخاب {number}")}),
            4 => json!({"op": "tighten", "question": name, "maximum": number, "required": "always"}),
            5 => json!({"op": "tighten", "question": name, "max_length": number, "check": {"code": format!("Z-{number}"), "rule": "true", "message": "Never said", "level": "warning", "messages": {"ur": "کبھی نہیں"}}}),
            6 if !keys.is_empty() => json!({"op": "set_parameter", "key": one.get(&keys), "value": number, "valid_from": format!("2027-01-{:02}", number % 28 + 1), "source": "Act", "certainty": "M"}),
            7 => json!({"op": "add_choice", "choices": {"list": list}, "code": format!("z{number}"), "title": {"en": "More", "ur": "مزید"}, "after": items[0]}),
            8 => json!({"op": "retire_choice", "choices": {"list": list}, "code": items[usize::from(number) % items.len()], "from": format!("2027-02-{:02}", number % 28 + 1)}),
            9 => {
                let mut order: Vec<String> = fields["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
                order.reverse();
                json!({"op": "reorder", "within": {"questions": name}, "order": order})
            }
            10 => json!({"op": "add_question", "into": place, "name": format!("z_{number}"), "question": {"type": "boolean", "title": format!("Question {number}"), "x-sensitivity": "internal", "x-purpose": "Trial", "x-retention": "One year"}, "labels": {"ur": {format!("z_{number}"): "سوال"}}}),
            11 => json!({"op": "add_rule", "rule": {"kind": "relevance", "on": name, "text": "true || false"}}),
            12 if !findings.is_empty() => json!({"op": "replace_rule", "rule": {"finding": one.get(&findings)}, "text": format!("1 > {number}")}),
            13 => json!({"op": "tighten", "question": name, "without": [items[0]]}),
            14 => json!({"op": "add_section", "after": name, "name": format!("zs_{number}"), "section": {"title": format!("Section {number}"), "description": "What it is for"}, "labels": {"ur": {format!("zs_{number}"): "حصہ"}}}),
            15 if !findings.is_empty() => json!({"op": "set_finding", "finding": one.get(&findings), "severity": severity, "due": {"days": number}}),
            16 if !findings.is_empty() => json!({"op": "set_finding", "finding": one.get(&findings), "refer_to": body, "due": {"hours": number}}),
            17 => json!({"op": "add_rule", "rule": {"kind": "default", "on": name, "text": format!("'{number}'")}}),
            18 => json!({"op": "replace_rule", "rule": {kind: name}, "text": goes_without_saying}),
            _ => json!({"op": "replace_rule", "rule": {"constraint": name}, "text": format!("this != {number}"), "level": "info"}),
        };
        serde_json::from_value(written).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_done_to_the_inspection_is_found_again(candidates in prop::collection::vec(candidate(inspection()), 1..25)) {
        let (package, _) = as_far_as_it_goes(inspection(), &candidates);
        returns(inspection(), &package);
    }

    #[test]
    fn whatever_was_done_to_the_audit_is_found_again(candidates in prop::collection::vec(candidate(audit()), 1..25)) {
        let (package, _) = as_far_as_it_goes(audit(), &candidates);
        returns(audit(), &package);
    }

    #[test]
    fn whatever_was_done_to_the_toolkit_is_found_again(candidates in prop::collection::vec(candidate(toolkit()), 1..25)) {
        let (package, _) = as_far_as_it_goes(toolkit(), &candidates);
        returns(toolkit(), &package);
    }
}
