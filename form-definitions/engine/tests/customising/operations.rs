//! What each operation does.

use super::*;
use form_engine::overlay::{Base, Language, Overlay, read_out};
use form_engine::{Grade, compare, compile};

#[test]
fn the_worked_example_of_the_committee_applies_and_passes_the_form_check() {
    let package = applied(inspection(), worked_example());

    assert!(compile(&package).is_ok());
    let names: Vec<&String> =
        package.definition["properties"]["b2"]["properties"].as_object().unwrap().keys().collect();
    let at = names.iter().position(|name| *name == "seasonal").unwrap();
    assert_eq!([names[at + 1], names[at + 2]], ["shift_night", "shift_workers"]);
    let languages = package.definition["x-form"]["languages"].as_array().unwrap();
    assert_eq!(languages.last().unwrap(), &json!({"code": "brh", "dir": "rtl", "required": false}));
    assert_eq!(package.i18n["brh"]["labels"]["shift_night"], "نن نا شفٹ");
    assert_eq!(compare(inspection(), &package).grade, Grade::NeedsMigration);
}

#[test]
fn a_new_value_of_a_parameter_leaves_the_values_of_earlier_days() {
    let package = applied(inspection(), json!([worked_example()[0]]));

    let rows: Vec<&Value> =
        package.parameters.iter().filter(|row| row["key"] == "age.adolescent_max").collect();
    assert_eq!(rows.len(), 2);
    assert_eq!((&rows[0]["value"], &rows[0]["valid_to"]), (&json!(18), &Value::Null));
    assert_eq!(
        (&rows[1]["value"], &rows[1]["valid_from"], &rows[1]["unit"]),
        (&json!(17), &json!("2027-01-01"), &rows[0]["unit"])
    );
}

#[test]
fn what_is_hidden_stays_in_the_schema_and_is_never_asked() {
    let package = applied(inspection(), json!([worked_example()[3]]));

    let question = &package.definition["properties"]["b2"]["properties"]["export_chain"];
    assert_eq!(question["x-relevant"], "false");
    assert_eq!(question["x-hidden"], "Asked by the customs office instead.");
    assert_eq!(
        question["title"],
        inspection().definition["properties"]["b2"]["properties"]["export_chain"]["title"]
    );
}

#[test]
fn a_retired_choice_is_kept_with_its_last_day() {
    let package = applied(
        inspection(),
        json!([{"op": "retire_choice", "choices": {"list": "est"}, "code": "fishing", "from": "2027-01-01"}]),
    );

    let items = package.lists["est"]["items"].as_array().unwrap();
    let item = items.iter().find(|item| item["code"] == "fishing").unwrap();
    assert_eq!(item["valid_to"], "2027-01-01");
    assert_eq!(items.len(), inspection().lists["est"]["items"].as_array().unwrap().len());
}

#[test]
fn a_reworded_question_marks_its_translations_as_made_from_the_old_words() {
    let old = inspection().definition["properties"]["b2"]["properties"]["seasonal"]["title"].clone();
    let reworded = json!({"op": "relabel", "key": "seasonal", "text": "Work only in some seasons"});

    let package = applied(inspection(), json!([reworded]));
    let translated = applied(
        inspection(),
        json!([reworded, {"op": "translate", "language": "ur", "key": "seasonal", "text": "صرف بعض موسموں میں کام"}]),
    );

    assert_eq!(package.i18n["ur"]["made_from"], json!({"seasonal": old}));
    assert!(translated.i18n["ur"].get("made_from").is_none());
}

#[test]
fn every_operation_reads_as_a_sentence_in_both_languages() {
    let operations = operations(worked_example());

    let english = read_out(inspection(), &operations, Language::En);
    let urdu = read_out(inspection(), &operations, Language::Ur);

    assert_eq!(
        english[0].text,
        "Let the legal limit \u{2068}age.adolescent_max\u{2069} be \u{2068}17 years; adolescent = under\u{2069} from \u{2068}2027-01-01\u{2069}: “\u{2068}Notification SO(Lab) 1/2026\u{2069}” (certainty middling)."
    );
    assert_eq!(
        english[2].text,
        "Ask “Workers on the night shift” (\u{2068}shift_workers\u{2069}) (whole number) in “Workplace” (\u{2068}b2\u{2069}), after “Night shift is run” (\u{2068}shift_night\u{2069})."
    );
    assert_eq!(english[3].section.as_deref(), Some("b2"));
    for (operation, sentence) in operations.iter().zip(&urdu) {
        assert!(sentence.text.ends_with('۔') || sentence.text.ends_with('“'), "{}", sentence.text);
        assert!(!sentence.text.contains(['{', '}']), "{operation:?}");
    }
}

#[test]
fn a_version_that_only_reorders_has_another_hash() {
    let section = inspection().definition["properties"]["b6"]["properties"].as_object().unwrap();
    let mut order: Vec<&String> = section.keys().collect();
    order.swap(0, 1);
    let overlay = |operations: Vec<Operation>| Overlay { base: Base::of(inspection()), operations };
    let reorder = operations(json!([{"op": "reorder", "within": {"questions": "b6"}, "order": order}]));

    let package = apply(inspection(), &reorder).unwrap();

    let now: Vec<&String> =
        package.definition["properties"]["b6"]["properties"].as_object().unwrap().keys().collect();
    assert_eq!(now, order);
    assert_ne!(overlay(reorder).hash(), overlay(Vec::new()).hash());
}

#[test]
fn a_replaced_rule_is_told_in_words_with_what_it_was() {
    let operations =
        operations(json!([{"op": "replace_rule", "rule": {"relevance": "b7"}, "text": "entry == 'full'"}]));

    let sentence = operations[0].sentence(Language::En, inspection());

    assert!(sentence.contains("is “Full”") || sentence.contains("is “"), "{sentence}");
    assert!(sentence.contains("instead of when"), "{sentence}");
}

#[test]
fn the_committee_adds_a_question_that_only_the_reviewer_answers() {
    let added = |question: Value| {
        json!([{"op": "add_question", "into": "b1", "name": "licence_genuine", "question": question,
            "labels": {"ur": {"licence_genuine": "کیا لائسنس اصلی ہے؟"}}}])
    };
    let question = json!({"type": "boolean", "title": "Is the licence genuine?", "x-asked-of": "reviewer", "x-required": true});

    let package = applied(inspection(), added(question));

    let form = compile(&package).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert!(form.asks_reviewer() && form.is_asked_of_reviewer("licence_genuine"));
    let comparison = compare(inspection(), &package);
    assert_eq!(comparison.grade, Grade::Compatible, "what is filed needs no answer to it");
    let told = comparison.changes.iter().find(|change| change.path.ends_with("licence_genuine")).unwrap();
    assert!(told.sentence["en"].contains("the reviewer answers it"), "{}", told.sentence["en"]);
    let read_by_the_phone = json!([
        added(json!({"type": "boolean", "title": "Is it?", "x-asked-of": "reviewer"}))[0],
        {"op": "replace_rule", "rule": {"relevance": "b7"}, "text": "licence_genuine"}
    ]);
    let refusals = refused(inspection(), read_by_the_phone);
    assert!(told_of(&refusals).contains("is answered at review"), "{}", told_of(&refusals));
}

fn told_of(refusals: &[form_engine::overlay::Refusal]) -> String {
    refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A section with a question, a default more, one less, and a finding treated differently.
fn further() -> Value {
    json!([
        {"op": "add_section", "after": "b2", "name": "b2_heat", "section": {"title": "Heat"}, "labels": {"ur": {"b2_heat": "گرمی"}}},
        {"op": "add_question", "into": "b2_heat", "name": "heat_shade", "question": {"type": "boolean", "title": "There is shade"}, "labels": {"ur": {"heat_shade": "سایہ ہے"}}},
        {"op": "add_rule", "rule": {"kind": "default", "on": "heat_shade", "text": "true"}},
        {"op": "replace_rule", "rule": {"default": "zone"}, "text": "null"},
        {"op": "set_finding", "finding": "AGE-01", "severity": "emergency", "due": {"hours": 12}, "refer_to": "police"}
    ])
}

#[test]
fn a_section_comes_with_its_questions_one_by_one() {
    let package = applied(inspection(), further());

    let sections: Vec<&String> = package.definition["properties"].as_object().unwrap().keys().collect();
    let at = sections.iter().position(|name| *name == "b2").unwrap();
    assert_eq!(sections[at + 1], "b2_heat");
    let section = &package.definition["properties"]["b2_heat"];
    assert_eq!((&section["type"], &section["additionalProperties"]), (&json!("object"), &json!(false)));
    assert_eq!(section["properties"]["heat_shade"]["x-default"], "true");
    assert_eq!(package.i18n["ur"]["labels"]["b2_heat"], "گرمی");
    let compared = compare(inspection(), &package);
    let told: Vec<&str> =
        compared.changes.iter().filter_map(|it| it.sentence["en"].split('“').next()).collect();
    assert!(compared.changes.iter().any(|it| it.path == "/properties/b2_heat"), "{told:?}");
}

#[test]
fn a_default_comes_and_goes() {
    let package = applied(inspection(), further());

    let zone = package.definition.pointer("/properties/b1/properties/zone").unwrap();
    assert!(zone.get("x-default").is_none());
    let told: Vec<String> =
        compare(inspection(), &package).changes.into_iter().map(|change| change.path).collect();
    assert!(told.contains(&"/properties/b1/properties/zone/x-default".to_owned()), "{told:?}");
}

#[test]
fn a_finding_weighs_more_is_due_sooner_and_goes_elsewhere() {
    let package = applied(inspection(), further());

    let findings = package.definition["x-findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["code"] == "AGE-01").unwrap();
    assert_eq!(
        (&finding["severity"], &finding["due"], &finding["refer_to"]),
        (&json!("emergency"), &json!({"hours": 12}), &json!("police"))
    );
    let told: Vec<String> =
        compare(inspection(), &package).changes.into_iter().map(|change| change.path).collect();
    for part in ["severity", "due", "refer_to"] {
        assert!(told.contains(&format!("/x-findings/AGE-01/{part}")), "{told:?}");
    }
}

#[test]
fn sections_defaults_and_findings_read_as_sentences_too() {
    let operations = operations(further());
    let plain = |sentences: Vec<form_engine::overlay::Sentence>| -> Vec<String> {
        sentences.into_iter().map(|it| it.text.replace(['\u{2068}', '\u{2069}'], "")).collect()
    };

    let english = plain(read_out(inspection(), &operations, Language::En));
    let urdu = plain(read_out(inspection(), &operations, Language::Ur));

    assert_eq!(english[0], "Begin a new section “Heat” (b2_heat) after “Workplace” (b2).");
    assert_eq!(english[1], "Ask “There is shade” (heat_shade) (yes or no) at the end of “Heat” (b2_heat).");
    assert!(english[2].starts_with("Fill in “There is shade” (heat_shade) beforehand as "), "{}", english[2]);
    assert!(english[3].starts_with("No longer fill in “Policing zone” (zone) beforehand"), "{}", english[3]);
    assert_eq!(
        english[4],
        "Treat the finding “Child under 14 employed” (AGE-01) differently: it is emergency, not critical; it must be dealt with within 12 hours, not 1 day; it goes to police, not to cpu."
    );
    assert!(urdu[0].contains("نیا حصہ ”گرمی“ (b2_heat)"), "{}", urdu[0]);
    assert!(urdu[4].contains("شدت ہنگامی ہو، نازک نہیں"), "{}", urdu[4]);
    for sentence in &urdu {
        assert!(sentence.ends_with('۔') && !sentence.contains(['{', '}']), "{sentence}");
    }
}

#[test]
fn a_rule_can_be_taken_away_by_saying_what_goes_without_it() {
    let package = applied(
        inspection(),
        json!([
            {"op": "replace_rule", "rule": {"relevance": "b7"}, "text": "true"},
            {"op": "replace_rule", "rule": {"required": "zone"}, "text": "false"},
        ]),
    );

    assert!(package.definition["properties"]["b7"].get("x-relevant").is_none());
    assert!(package.definition.pointer("/properties/b1/properties/zone/x-required").is_none());
}
