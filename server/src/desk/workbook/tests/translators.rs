//! The file translators work on.

use form_engine::overlay::apply;
use serde_json::json;

use super::{inspection, operations};
use crate::desk::workbook::xliff;

#[test]
fn translators_get_a_file_and_their_words_come_back() {
    let reworded = operations(json!([
        {"op": "relabel", "key": "seasonal", "text": "Work < in \"some\" seasons & others"},
        {"op": "translate", "language": "brh", "key": "b1", "text": "old"}
    ]));
    let file = String::from_utf8(xliff::write(inspection(), &reworded, "brh")).unwrap();
    let filled = file
        .replace("<source>Work &lt; in &quot;some&quot; seasons &amp; others</source><target state=\"new\"/>", "<source>Work &lt; in &quot;some&quot; seasons &amp; others</source><target>موسم &amp; &#x6CC;</target>")
        .replace(">old<", ">new<");

    let untouched = xliff::read(inspection(), &reworded, file.as_bytes()).unwrap();
    let back = xliff::read(inspection(), &reworded, filled.as_bytes()).unwrap();

    assert_eq!(untouched, reworded);
    let package = apply(inspection(), &back).unwrap();
    assert_eq!(package.i18n["brh"]["labels"]["seasonal"], "موسم & ی");
    assert_eq!(package.i18n["brh"]["labels"]["b1"], "new");
    assert_eq!(back.len(), 3);
}

#[test]
fn a_translators_file_cannot_do_more_than_translate() {
    let file = String::from_utf8(xliff::write(inspection(), &[], "brh")).unwrap();
    let code = |text: &str| xliff::read(inspection(), &[], text.as_bytes()).unwrap_err().remove(0).code;
    let unit = |inner: &str| file.replacen("<target state=\"new\"/>", inner, 1);

    assert_eq!(code("<?xml version=\"1.0\"?><!DOCTYPE xliff [<!ENTITY a \"aaaa\">]><xliff/>"), "not_xliff");
    assert_eq!(code(&unit("<target>&bomb;</target>")), "not_xliff");
    assert_eq!(code(&unit("<target>a <g id=\"1\">b</g></target>")), "not_a_text");
    assert_eq!(code(&file.replace("</file>", "")), "not_xliff");
    assert_eq!(code(&file.replace("child-labour-inspection", "another")), "another_base");
    assert_eq!(code(&file.replace("target-language=\"brh\"", "target-language=\"en\"")), "bad_language");
    assert_eq!(code(&unit("<target>x</target>").replacen("id=\"form\"", "id=\"fоrm\"", 1)), "unknown_target");
    assert_eq!(code(&"<a>".repeat(5_000)), "not_xliff");
    assert_eq!(code("{}"), "not_xliff");
}
