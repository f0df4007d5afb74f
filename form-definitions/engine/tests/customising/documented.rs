//! `docs/for-the-committee.md` says what the program says: its worked example applies, and is read back in the very sentences that stand there.

use super::*;
use form_engine::compare;
use form_engine::overlay::{Language, read_out};

/// The operations of the worked example, and the page they stand in.
fn documented() -> (Vec<Operation>, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/for-the-committee.md");
    let page = std::fs::read_to_string(path).unwrap();
    let start = page.find("{ \"operations\": [").unwrap();
    let end = start + page[start..].find("\n```").unwrap();
    let written: Value = serde_json::from_str(&page[start..end]).unwrap();
    (operations(written["operations"].clone()), page)
}

#[test]
fn the_worked_example_of_the_page_applies_and_is_read_back_as_it_stands_there() {
    let (example, page) = documented();

    let package = apply(inspection(), &example).unwrap_or_else(|refusals| panic!("{}", told(&refusals)));

    let one_line = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let operations = read_out(inspection(), &example, Language::En).into_iter().map(|it| it.text);
    let changes = compare(inspection(), &package).changes.into_iter().map(|it| it.sentence["en"].clone());
    for sentence in operations.chain(changes) {
        let said = sentence.replace(['\u{2068}', '\u{2069}'], "");
        assert!(one_line.contains(&said), "docs/for-the-committee.md lacks: {said}");
    }
}
