//! A newer base under a provincial version: what goes along, and what people decide.

use super::*;
use form_engine::overlay::{Choice, ConflictKind, Resolution, rebase, resolve};

/// The inspection as UNICEF might release it next year.
fn next_year() -> Package {
    let mut next = inspection().clone();
    next.version = 2;
    next.definition["x-form"]["version"] = json!(2);
    next.definition["properties"]["b2"]["properties"]["seasonal"]["title"] =
        json!("Works in some seasons only");
    next.definition["properties"]["b7"]["x-relevant"] = json!("entry != 'refused'");
    next.definition["properties"]["b2"]["properties"].as_object_mut().unwrap().shift_remove("export_chain");
    next.definition["properties"]["b6"]["properties"]
        .as_object_mut()
        .unwrap()
        .insert("osh_noise".to_owned(), json!({"type": "boolean", "title": "Noise"}));
    next.i18n["ur"]["labels"]["osh_noise"] = json!("شور");
    next.parameters
        .iter_mut()
        .filter(|row| row["key"] == "age.light_min")
        .for_each(|row| row["value"] = json!(13));
    next
}

fn ours() -> Value {
    let mut order: Vec<String> = inspection().definition["properties"]["b6"]["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    order.swap(0, 1);
    json!([
        {"op": "relabel", "key": "seasonal", "text": "Seasonal work"},
        {"op": "replace_rule", "rule": {"relevance": "b7"}, "text": "entry == 'full'"},
        {"op": "hide", "question": "export_chain", "because": "Not needed."},
        {"op": "set_parameter", "key": "age.light_min", "value": 14, "valid_from": "2027-01-01", "source": "Act", "certainty": "H"},
        {"op": "add_question", "into": "b2", "after": "export_chain", "name": "shift_night", "question": {"type": "boolean", "title": "Night shift"}, "labels": {"ur": {"shift_night": "رات کی شفٹ"}}},
        {"op": "reorder", "within": {"questions": "b6"}, "order": order},
        {"op": "translate", "language": "brh", "key": "seasonal", "text": "موسم"},
        {"op": "add_question", "into": "b6", "name": "osh_noise", "question": {"type": "string", "title": "Noise in words"}, "labels": {"ur": {"osh_noise": "شور"}}},
    ])
}

#[test]
fn conflicts_with_a_new_base_are_listed_with_both_sides_and_the_rest_goes_along() {
    let rebased = rebase(inspection(), &next_year(), &operations(ours()));

    let kinds: Vec<(usize, ConflictKind)> =
        rebased.conflicts.iter().map(|conflict| (conflict.operation, conflict.kind)).collect();
    assert_eq!(
        kinds,
        [
            (0, ConflictKind::TextChanged),
            (1, ConflictKind::RuleChanged),
            (2, ConflictKind::TargetGone),
            (3, ConflictKind::ParameterChanged),
            (7, ConflictKind::SameNameAdded),
        ]
    );
    assert_eq!(rebased.conflicts[1].base_before, inspection().definition["properties"]["b7"]["x-relevant"]);
    assert_eq!(rebased.conflicts[1].base_now, "entry != 'refused'");
    assert_eq!(rebased.from, [4, 5, 6]);
}

#[test]
fn what_goes_along_is_fitted_to_the_new_base() {
    let rebased = rebase(inspection(), &next_year(), &operations(ours()));

    let written = serde_json::to_value(&rebased.operations).unwrap();
    let names: Vec<String> = inspection().definition["properties"]["b2"]["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let at = names.iter().position(|name| name == "export_chain").unwrap();
    assert_eq!(written[0]["after"], json!(names[at - 1]));
    let order = written[1]["order"].as_array().unwrap();
    assert_eq!(order.last().unwrap(), "osh_noise");
    assert_eq!(
        written[2]["made_from"],
        inspection().definition["properties"]["b2"]["properties"]["seasonal"]["title"]
    );
}

#[test]
fn people_decide_each_conflict_and_the_result_is_a_version_of_the_new_base() {
    let (next, ours) = (next_year(), operations(ours()));
    let rebased = rebase(inspection(), &next, &ours);
    let other = operations(json!([{"op": "relabel", "key": "osh_noise", "text": "Loud noise"}])).remove(0);
    let decided = [
        Resolution { operation: 0, choice: Choice::KeepOurs },
        Resolution { operation: 1, choice: Choice::TakeTheirs },
        Resolution { operation: 2, choice: Choice::TakeTheirs },
        Resolution { operation: 3, choice: Choice::KeepOurs },
        Resolution { operation: 7, choice: Choice::Edited(Box::new(other)) },
    ];

    let undecided = resolve(&next, &ours, &rebased, &decided[..4]).unwrap_err();
    let resolved = resolve(&next, &ours, &rebased, &decided).unwrap();

    assert_eq!(codes(&undecided), [(7, "undecided")]);
    let words: Vec<&str> = resolved.iter().map(Operation::word).collect();
    assert_eq!(words, ["relabel", "set_parameter", "add_question", "reorder", "translate", "relabel"]);
    assert!(apply(&next, &resolved).is_ok());
}

#[test]
fn what_the_new_base_does_already_is_absorbed() {
    let (mut next, ours) =
        (next_year(), json!([{"op": "relabel", "key": "seasonal", "text": "Works in some seasons only"}]));
    next.definition["properties"]["b3"]["x-locked"] = json!("By law.");

    let rebased = rebase(inspection(), &next, &operations(ours));
    let locked = rebase(
        inspection(),
        &next,
        &operations(json!([{"op": "relabel", "key": "b3", "text": "Getting in"}])),
    );

    assert_eq!((rebased.operations.len(), rebased.absorbed.len(), rebased.conflicts.len()), (0, 1, 0));
    assert_eq!(locked.conflicts[0].kind, ConflictKind::Locked);
    assert_eq!(locked.conflicts[0].refusal.as_ref().unwrap().locked.as_deref(), Some("By law."));
}

#[test]
fn a_version_goes_along_unchanged_onto_the_same_base() {
    let ours = operations(worked_example());

    let rebased = rebase(inspection(), inspection(), &ours);

    assert_eq!(rebased.operations, ours);
    assert!(rebased.conflicts.is_empty() && rebased.absorbed.is_empty());
}

#[test]
fn sections_defaults_and_findings_go_along_or_are_put_to_people() {
    let ours = operations(json!([
        {"op": "add_section", "after": "b2", "name": "b2_heat", "section": {"title": "Heat"}, "labels": {"ur": {"b2_heat": "گرمی"}}},
        {"op": "add_question", "into": "b2_heat", "name": "heat_shade", "question": {"type": "boolean", "title": "Shade"}, "labels": {"ur": {"heat_shade": "سایہ"}}},
        {"op": "set_finding", "finding": "AGE-01", "severity": "emergency"},
        {"op": "set_finding", "finding": "AGE-03", "due": {"days": 3}},
        {"op": "replace_rule", "rule": {"default": "zone"}, "text": "null"},
    ]));
    let mut next = next_year();
    for finding in next.definition["x-findings"].as_array_mut().unwrap() {
        match finding["code"].as_str() {
            Some("AGE-01") => finding["severity"] = json!("major"),
            Some("AGE-03") => finding["due"] = json!({"days": 3}),
            _ => {}
        }
    }

    let rebased = rebase(inspection(), &next, &ours);

    let kinds: Vec<(usize, ConflictKind)> =
        rebased.conflicts.iter().map(|conflict| (conflict.operation, conflict.kind)).collect();
    assert_eq!(kinds, [(2, ConflictKind::FindingChanged)]);
    assert_eq!(
        (&rebased.conflicts[0].base_before["severity"], &rebased.conflicts[0].base_now["severity"]),
        (&json!("critical"), &json!("major"))
    );
    assert_eq!(rebased.absorbed.iter().map(|it| it.operation).collect::<Vec<_>>(), [3]);
    assert_eq!(rebased.from, [0, 1, 4]);
}
