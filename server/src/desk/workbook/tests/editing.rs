//! What a member may do in a spreadsheet, and what comes of it.

use form_engine::overlay::{Operation, apply};
use serde_json::json;

use super::{Edited, audit, edited, example, inspection, operations, refused, returns, told, toolkit};
use crate::desk::workbook::cells::a1;
use crate::desk::workbook::{read, write};

#[test]
fn a_workbook_nobody_touched_changes_nothing() {
    for base in [inspection(), toolkit(), audit()] {
        let bytes = write(base, &[]).unwrap();
        assert_eq!(read(base, &bytes).unwrap_or_else(|problems| panic!("{}", told(&problems))), Vec::new());
        assert_eq!(write(base, &[]).unwrap(), bytes, "it is the same to the byte each time");
    }
}

#[test]
fn a_draft_comes_back_whole() {
    returns(inspection(), &example());
}

#[test]
fn a_member_reorders_rows_edits_labels_and_adds_a_language() {
    let mut book = edited(inspection(), &example());
    let (one, other) = (book.row("survey", &["osh_structure"]), book.row("survey", &["osh_exits"]));
    book.sheet("survey").swap(one, other);
    book.set("survey", &["osh_fire"], "label", "Something against fire");
    let language = book.sheet("translations")[0].len();
    book.sheet("translations")[0].push("Balochi".to_owned());
    let row = book.row("translations", &["osh_fire"]);
    let cells = &mut book.sheet("translations")[row];
    cells.resize(language + 1, String::new());
    cells[language] = "آس ءِ سامان".to_owned();

    let back = read(inspection(), &book.saved()).unwrap_or_else(|problems| panic!("{}", told(&problems)));

    let package = apply(inspection(), &back).unwrap();
    let names: Vec<&String> =
        package.definition["properties"]["b6"]["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names[..2], ["osh_exits", "osh_structure"]);
    assert_eq!(
        package.definition["properties"]["b6"]["properties"]["osh_fire"]["title"],
        "Something against fire"
    );
    assert_eq!(package.i18n["bal"]["labels"]["osh_fire"], "آس ءِ سامان");
    // Both were made from the English that stands beside them on that sheet, which is the one before.
    assert!(package.i18n["ur"]["made_from"]["osh_fire"].is_string());
    assert!(package.i18n["bal"]["made_from"]["osh_fire"].is_string());
}

#[test]
fn a_member_adds_a_question_a_choice_a_check_and_a_value_of_the_law_in_plain_words() {
    let mut book = edited(inspection(), &[]);
    let at = book.row("survey", &["osh_exits"]);
    book.add(
        "survey",
        at,
        &[
            ("name", "osh_noise"),
            ("in", "b6"),
            ("type", "one of"),
            ("list", "yn"),
            ("label", "Noise"),
            ("required", "yes"),
        ],
    );
    let list = "yn".to_owned();
    let at = book.row("choices", &[&list]);
    let columns = [("list", list.as_str()), ("code", "unbearable"), ("label", "Unbearable")];
    if inspection().lists.contains_key(&list) {
        book.add("choices", at, &columns);
    }
    book.add(
        "rules",
        1,
        &[
            ("kind", "check"),
            ("on", "b6"),
            ("code", "B6-X9"),
            ("rule", "osh_noise != 'unbearable'"),
            ("level", "warning"),
            ("message", "Look again"),
        ],
    );
    book.add(
        "parameters",
        1,
        &[
            ("key", "age.child_max"),
            ("value", "15"),
            ("valid from", "2027-01-01"),
            ("source", "Act of 2026"),
            ("certainty", "H"),
        ],
    );
    for (key, text) in
        [("osh_noise", "شور"), ("!B6-X9", "دوبارہ دیکھیں"), ("~yn=unbearable", "ناقابل برداشت")]
    {
        book.add("translations", 1, &[("key", key), ("ur", text)]);
    }

    let back = read(inspection(), &book.saved()).unwrap_or_else(|problems| panic!("{}", told(&problems)));

    let words: Vec<&str> = back.iter().map(Operation::word).collect();
    let before_the_others = "reorder";
    assert_eq!(words[..5], ["set_parameter", "add_rule", "add_question", "add_choice", before_the_others]);
    assert!(format!("{:?}", back[4]).contains("\"yn\""), "{:?}", back[4]);
    assert_eq!(words[5..], ["translate"; 3]);
}

#[test]
fn a_member_begins_a_section_and_says_how_a_finding_is_treated() {
    let mut book = edited(inspection(), &[]);
    let at = book.row("survey", &["b3"]);
    let question = [
        ("name", "heat_shade"),
        ("in", "b2_heat"),
        ("type", "yes or no"),
        ("label", "There is shade"),
        ("default", "true"),
    ];
    book.add("survey", at, &question);
    book.add("survey", at, &[("name", "b2_heat"), ("type", "section"), ("label", "Heat")]);
    book.set("survey", &["zone"], "default", "");
    let row = book.sheet("rules").iter().position(|row| row.contains(&"AGE-01".to_owned())).unwrap();
    for (column, text) in [("level", "emergency"), ("due", "12 hours"), ("refer to", "police")] {
        let column = book.column("rules", column);
        book.sheet("rules")[row][column] = text.to_owned();
    }
    for (key, text) in [("b2_heat", "گرمی"), ("heat_shade", "سایہ ہے")] {
        book.add("translations", 1, &[("key", key), ("ur", text)]);
    }

    let back = read(inspection(), &book.saved()).unwrap_or_else(|problems| panic!("{}", told(&problems)));

    let package = apply(inspection(), &back).unwrap();
    let sections: Vec<&String> = package.definition["properties"].as_object().unwrap().keys().collect();
    let at = sections.iter().position(|name| *name == "b2_heat").unwrap();
    assert_eq!((sections[at - 1].as_str(), sections[at + 1].as_str()), ("b2", "b3"));
    assert_eq!(package.definition["properties"]["b2_heat"]["properties"]["heat_shade"]["x-default"], "true");
    assert!(package.definition.pointer("/properties/b1/properties/zone/x-default").is_none());
    let findings = package.definition["x-findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["code"] == "AGE-01").unwrap();
    assert_eq!(
        (&finding["severity"], &finding["due"], &finding["refer_to"]),
        (&json!("emergency"), &json!({"hours": 12}), &json!("police"))
    );
    returns(inspection(), &back);
}

#[test]
fn a_column_of_a_list_that_is_called_as_one_of_the_sheet_is_shown_and_comes_back() {
    let more = operations(json!([
        {"op": "add_choice", "choices": {"list": "haz"}, "code": "hz_scrap", "title": {"en": "Scrap", "ur": "کباڑ"},
         "columns": {"list": "II processes", "origin": "2027", "age_bar": 18, "certainty": "L"}}
    ]));
    let mut book = edited(inspection(), &more);
    let (list, code) = (book.column("choices", "column list"), book.column("choices", "code"));
    let shown = |book: &mut Edited, wanted: &str| {
        book.sheet("choices").iter().find(|row| row[code] == wanted).map(|row| row[list].clone())
    };

    assert_eq!(shown(&mut book, "hz_scrap").as_deref(), Some("II processes"));
    assert_eq!(shown(&mut book, "hz_rail").as_deref(), Some("I occupations"));
    returns(inspection(), &more);
    let row = book.sheet("choices").iter().position(|row| row[code] == "hz_rail").unwrap();
    book.sheet("choices")[row][list] = "II processes".to_owned();
    let cell = a1(row as u32, list as u32);
    assert_eq!(refused(&book.saved()), [(format!("choices!{cell}"), "not_an_operation".to_owned())]);
}

#[test]
fn a_translation_that_was_outdated_stays_so_until_it_is_written_anew() {
    let reworded =
        operations(json!([{"op": "relabel", "key": "seasonal", "text": "Work only in some seasons"}]));
    let mut book = edited(inspection(), &reworded);

    let untouched = apply(inspection(), &read(inspection(), &book.saved()).unwrap()).unwrap();
    book.set("translations", &["seasonal"], "ur", "صرف بعض موسموں میں کام");
    let anew = apply(inspection(), &read(inspection(), &book.saved()).unwrap()).unwrap();

    assert!(untouched.i18n["ur"]["made_from"]["seasonal"].is_string());
    assert!(anew.i18n["ur"].get("made_from").is_none());
}
