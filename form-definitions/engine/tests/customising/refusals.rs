//! What is refused, and what the member is told.

use super::*;

#[test]
fn what_the_base_locks_is_refused_with_its_reason() {
    let refusals =
        refused(toolkit(), json!([{"op": "hide", "question": "cv_consent", "because": "It takes time."}]));

    assert_eq!(codes(&refusals), [(0, "locked")]);
    assert_eq!(
        refusals[0].locked.as_deref(),
        Some("Consent comes first and cannot be dropped from any version.")
    );
}

#[test]
fn what_stands_in_a_locked_place_cannot_be_hidden_with_the_place() {
    let refusals = refused(toolkit(), json!([{"op": "hide", "question": "cv", "because": "It takes time."}]));

    assert_eq!(codes(&refusals), [(0, "locked")]);
}

#[test]
fn hiding_what_rules_read_says_which() {
    let refusals =
        refused(inspection(), json!([{"op": "hide", "question": "children", "because": "Too long."}]));

    assert_eq!(codes(&refusals), [(0, "needed_elsewhere")]);
    assert!(refusals[0].message.contains("constraint:B9-X3"), "{}", refusals[0].message);
    assert!(refusals[0].remedy.contains("accepting"));
}

#[test]
fn tightening_only_narrows() {
    let of = |limits: Value| {
        let mut operation = json!({"op": "tighten", "question": "children"});
        operation.as_object_mut().unwrap().extend(limits.as_object().unwrap().clone());
        apply(inspection(), &operations(json!([operation]))).err().map(|refusals| refusals[0].code.clone())
    };

    assert_eq!(of(json!({"max_items": 100})), None);
    assert_eq!(of(json!({"max_items": 200})).as_deref(), Some("would_widen"));
    assert_eq!(of(json!({"max_items": 300})).as_deref(), Some("would_widen"));
    assert_eq!(of(json!({"maximum": 3})).as_deref(), Some("does_not_fit"));
    assert_eq!(of(json!({})).as_deref(), Some("changes_nothing"));
}

#[test]
fn an_unknown_member_of_an_operation_is_refused() {
    for written in [
        json!({"op": "tighten", "question": "children", "widen": 3}),
        json!({"op": "hide", "question": "children", "because": "x", "force": true}),
        json!({"op": "delete", "question": "children"}),
    ] {
        assert!(serde_json::from_value::<Operation>(written.clone()).is_err(), "{written}");
    }
}

#[test]
fn operations_that_apply_twice_refer_to_nothing_or_wait_for_each_other_are_refused_one_by_one() {
    let question = json!({"type": "boolean", "title": "Extra"});
    let labels = |name: &str| json!({"ur": {name: "مزید"}});
    let refusals = refused(
        inspection(),
        json!([
            {"op": "hide", "question": "export_chain", "because": "Not needed."},
            {"op": "hide", "question": "export_chain", "because": "Not needed."},
            {"op": "hide", "question": "export_chian", "because": "Not needed."},
            {"op": "add_question", "into": "b2", "after": "extra_b", "name": "extra_a", "question": question, "labels": labels("extra_a")},
            {"op": "add_question", "into": "b2", "after": "extra_a", "name": "extra_b", "question": question, "labels": labels("extra_b")},
        ]),
    );

    assert_eq!(
        codes(&refusals),
        [(1, "applied_twice"), (2, "unknown_target"), (3, "added_later"), (4, "unknown_target")]
    );
    assert_eq!(refusals[1].remedy, "did you mean export_chain?");
}

#[test]
fn what_the_form_check_says_is_told_of_the_operation_it_comes_from() {
    let refusals = refused(
        inspection(),
        json!([
            {"op": "hide", "question": "export_chain", "because": "Not needed."},
            {"op": "replace_rule", "rule": {"relevance": "b7"}, "text": "entri == 'full'"},
            {"op": "add_question", "into": "b2", "name": "no_urdu", "question": {"type": "boolean", "title": "No Urdu"}},
        ]),
    );

    assert_eq!(codes(&refusals), [(2, "no_translation"), (1, "unknown_name")]);
    assert_eq!(refusals[1].problem.as_ref().unwrap().remedy, "did you mean entry?");
}

#[test]
fn rules_that_would_wait_for_each_other_are_refused() {
    let refusals = refused(
        inspection(),
        json!([
            {"op": "add_rule", "rule": {"kind": "relevance", "on": "est_type", "text": "seasonal"}},
            {"op": "add_rule", "rule": {"kind": "relevance", "on": "seasonal", "text": "est_type == 'farm'"}},
        ]),
    );

    assert!(refusals.iter().any(|refusal| refusal.code == "circle"), "{}", told(&refusals));
}

#[test]
fn a_parameter_is_never_rewritten_and_never_of_another_kind() {
    let value = |changes: Value| {
        let mut operation = json!({"op": "set_parameter", "key": "age.child_max", "value": 15, "valid_from": "2027-01-01", "source": "Act", "certainty": "H"});
        operation.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        refused(inspection(), json!([operation]))[0].code.clone()
    };

    assert_eq!(value(json!({"valid_from": "2021-05-01"})), "day_taken");
    assert_eq!(value(json!({"valid_from": "2020-01-01"})), "day_taken");
    assert_eq!(value(json!({"valid_from": "soon"})), "bad_date");
    assert_eq!(value(json!({"valid_to": "2026-01-01"})), "bad_date");
    assert_eq!(value(json!({"value": "fifteen"})), "wrong_value");
    assert_eq!(value(json!({"unit": "days"})), "wrong_value");
    assert_eq!(value(json!({"certainty": "sure"})), "wrong_value");
    assert_eq!(value(json!({"source": " "})), "bad_text");
    assert_eq!(value(json!({"key": "age.child_mx"})), "unknown_target");
    assert_eq!(value(json!({"key": "age.child_mx", "unit": "years"})), "unread_parameter");
}

#[test]
fn names_in_look_alike_letters_are_told_apart() {
    // The е is Cyrillic.
    let refusals =
        refused(inspection(), json!([{"op": "hide", "question": "\u{0435}ntry", "because": "Not needed."}]));

    assert!(refusals[0].message.contains("U+0435"), "{}", refusals[0].message);
}

#[test]
fn a_million_operations_are_refused_before_any_is_applied() {
    let one = operations(json!([{"op": "translate", "language": "brh", "key": "b1", "text": "ا"}]));
    let many: Vec<Operation> = (0..30_000).map(|_| one[0].clone()).collect();

    let refusals = apply(inspection(), &many).unwrap_err();

    assert_eq!(codes(&refusals), [(0, "too_many_operations")]);
}

#[test]
fn what_stops_a_danger_to_life_or_shields_a_child_is_never_weakened() {
    let code = |operation: Value| {
        apply(inspection(), &operations(json!([operation]))).err().map(|refusals| refusals[0].code.clone())
    };
    let of = |finding: &str, what: Value| {
        let mut operation = json!({"op": "set_finding", "finding": finding});
        operation.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        code(operation)
    };
    let shielding = inspection().definition["x-findings"].as_array().unwrap().iter();
    let shielding = shielding
        .filter(|finding| finding["disclose"] == false && finding["severity"] == "critical")
        .filter_map(|finding| finding["code"].as_str())
        .next()
        .unwrap();

    assert_eq!(of("HAZ-05", json!({"severity": "minor"})).as_deref(), Some("would_widen"));
    assert_eq!(of("HAZ-05", json!({"due": {"days": 7}})).as_deref(), Some("would_widen"));
    assert_eq!(of(shielding, json!({"severity": "major"})).as_deref(), Some("would_widen"));
    assert_eq!(of(shielding, json!({"severity": "emergency"})), None);
    assert_eq!(of("AGE-01", json!({"severity": "grave"})).as_deref(), Some("wrong_value"));
    assert_eq!(of("AGE-01", json!({"refer_to": "the moon"})).as_deref(), Some("unknown_body"));
    assert_eq!(of("AGE-01", json!({"severity": "critical"})).as_deref(), Some("changes_nothing"));
    assert_eq!(of("AGE-01", json!({})).as_deref(), Some("changes_nothing"));
    assert_eq!(of("AGE-99", json!({"severity": "minor"})).as_deref(), Some("unknown_target"));
    assert_eq!(of("AGE-01", json!({"due": {"days": 4_000_000_000_u32}})).as_deref(), Some("wrong_value"));
}

#[test]
fn what_a_base_locks_of_a_finding_is_only_made_stricter() {
    let mut base = inspection().clone();
    let findings = base.definition["x-findings"].as_array_mut().unwrap();
    let finding = findings.iter_mut().find(|finding| finding["code"] == "AGE-01").unwrap();
    finding["x-locked"] = json!("Fourteen is in the Constitution.");
    let of = |what: Value| {
        let mut operation = json!({"op": "set_finding", "finding": "AGE-01"});
        operation.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        apply(&base, &operations(json!([operation]))).err().map(|refusals| refusals[0].clone())
    };

    assert_eq!(of(json!({"severity": "emergency", "due": {"hours": 6}})), None);
    let lower = of(json!({"severity": "major"})).unwrap();
    assert_eq!(
        (lower.code.as_str(), lower.locked.as_deref()),
        ("locked", Some("Fourteen is in the Constitution."))
    );
    assert_eq!(of(json!({"due": {"days": 2}})).unwrap().code, "locked");
    assert_eq!(of(json!({"refer_to": "police"})).unwrap().code, "locked");
}

#[test]
fn a_section_is_added_empty_under_a_name_of_its_own_and_beside_sections() {
    let of = |written: Value| refused(inspection(), json!([written]))[0].code.clone();
    let section = |name: &str, after: &str, section: Value| {
        of(json!({"op": "add_section", "after": after, "name": name, "section": section}))
    };

    assert_eq!(section("b2", "b1", json!({"title": "Again"})), "name_taken");
    assert_eq!(section("zz", "seasonal", json!({"title": "Within"})), "does_not_fit");
    assert_eq!(section("zz", "nowhere", json!({"title": "Nowhere"})), "unknown_target");
    assert_eq!(section("zz", "b2", json!({"title": ""})), "bad_text");
    assert_eq!(
        section("zz", "b2", json!({"title": "Full", "properties": {"a": {"type": "string"}}})),
        "does_not_fit"
    );
    assert_eq!(section("zz", "b2", json!({"title": "No section", "type": "string"})), "does_not_fit");
    assert_eq!(section("Zz", "b2", json!({"title": "Name"})), "bad_name");
    assert_eq!(
        of(json!({"op": "add_rule", "rule": {"kind": "default", "on": "zone", "text": "'a'"}})),
        "name_taken"
    );
    assert_eq!(
        of(json!({"op": "add_rule", "rule": {"kind": "default", "on": "children", "text": "'a'"}})),
        "does_not_fit"
    );
}
