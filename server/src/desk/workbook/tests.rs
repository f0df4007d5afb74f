//! The workbook, told with the three real questionnaires: what a member may do in a spreadsheet, and what is refused with its cell.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use form_engine::Package;
use form_engine::overlay::{Operation, apply, draft, fingerprint};
use proptest::prelude::*;
use proptest::sample::Index;
use rust_xlsxwriter::Workbook;
use serde_json::{Map, Value, json};

use super::cells::a1;
use super::{CellProblem, read, write, xliff};

fn definitions() -> PathBuf {
    match std::env::var_os("NIGRAN_FORM_DEFINITIONS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../form-definitions"),
    }
}

fn json_of(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn files(folder: PathBuf) -> Vec<(String, Value)> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let json = paths.iter().filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    json.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), json_of(path))).collect()
}

fn load(form: &str) -> Package {
    let contents =
        |name: &str| files(definitions().join(name)).into_iter().map(|(_, file)| file).collect::<Vec<_>>();
    let i18n: Map<String, Value> = files(definitions().join(form).join("i18n")).into_iter().collect();
    let packs = [contents("parameters"), contents("baselines")].concat();
    Package::assemble(
        json_of(&definitions().join(form).join("form.json")),
        i18n,
        &contents("choice-lists"),
        &packs,
    )
}

fn inspection() -> &'static Package {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    PACKAGE.get_or_init(|| load("child-labour-inspection"))
}

fn toolkit() -> &'static Package {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    PACKAGE.get_or_init(|| load("child-protection-toolkit"))
}

fn audit() -> &'static Package {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    PACKAGE.get_or_init(|| load("shelter-audit"))
}

fn operations(written: Value) -> Vec<Operation> {
    serde_json::from_value(written).unwrap()
}

fn example() -> Vec<Operation> {
    operations(json!([
        {"op": "set_parameter", "key": "age.adolescent_max", "value": 17, "valid_from": "2027-01-01", "source": "Notification SO(Lab) 1/2026", "certainty": "M"},
        {"op": "add_question", "into": "b2", "after": "seasonal", "name": "shift_night", "question": {"type": "boolean", "title": "Night shift is run", "x-required": true}, "labels": {"ur": {"shift_night": "رات کی شفٹ چلتی ہے"}}},
        {"op": "add_question", "into": "b5", "name": "visits", "question": {"type": "array", "title": "Visits", "maxItems": 9, "x-key": "visit_code", "items": {"type": "object", "additionalProperties": false, "properties": {
            "visit_code": {"type": "string", "title": "Code", "x-constraints": [{"code": "visit_code", "rule": "size(visit_code) > 2", "message": "Too short", "level": "error"}]}}}},
            "labels": {"ur": {"visits": "دورے", "visit_code": "کوڈ", "!visit_code": "بہت چھوٹا"}}},
        {"op": "hide", "question": "export_chain", "because": "Asked by the customs office instead."},
        {"op": "relabel", "key": "seasonal", "text": "Work only in some seasons"},
        {"op": "add_choice", "choices": {"list": "est"}, "code": "bakery", "title": {"en": "Bakery", "ur": "نانبائی"}, "after": "shop"},
        {"op": "retire_choice", "choices": {"list": "est"}, "code": "fishing", "from": "2027-01-01"},
        {"op": "add_rule", "rule": {"kind": "finding", "finding": {"code": "NIG-01", "scope": "form", "when": "shift_night", "severity": "minor", "title": "Night shift", "basis": [{"law": "Factories Act", "certainty": "M"}], "action": "Write it down", "due": {"days": 9}, "refer_to": null, "disclose": true}, "labels": {"ur": {"@NIG-01": "رات", "@NIG-01.action": "لکھیں"}}}},
        {"op": "translate", "language": "brh", "key": "b1", "text": "معائنہ او معائنہ کار"}
    ]))
}

fn told(problems: &[CellProblem]) -> String {
    problems.iter().map(|it| format!("{}!{} {} {}\n", it.sheet, it.cell, it.code, it.message)).collect()
}

/// Round and back; what comes back makes the same package.
fn returns(base: &Package, operations: &[Operation]) {
    let bytes = write(base, operations).unwrap();
    let back = read(base, &bytes).unwrap_or_else(|problems| panic!("{}", told(&problems)));
    let (one, other) = (apply(base, operations).unwrap(), apply(base, &back).unwrap());
    assert_eq!(fingerprint(&one), fingerprint(&other), "{back:#?}");
}

/// The workbook as a member edits it: every sheet as rows of texts.
struct Edited {
    sheets: Vec<(String, Vec<Vec<String>>)>,
}

impl Edited {
    fn of(bytes: &[u8]) -> Edited {
        use calamine::{Data, Reader, Xlsx};
        let mut workbook: Xlsx<_> = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
        let sheets = workbook.sheet_names().into_iter().map(|name| {
            let range = workbook.worksheet_range(&name).unwrap();
            let text = |cell: &Data| if let Data::Empty = cell { String::new() } else { cell.to_string() };
            (name, range.rows().map(|row| row.iter().map(text).collect()).collect())
        });
        Edited { sheets: sheets.collect() }
    }

    fn sheet(&mut self, name: &str) -> &mut Vec<Vec<String>> {
        &mut self.sheets.iter_mut().find(|(known, _)| known == name).unwrap().1
    }

    fn column(&mut self, sheet: &str, column: &str) -> usize {
        self.sheet(sheet)[0].iter().position(|name| name == column).unwrap()
    }

    /// The row whose first columns say so.
    fn row(&mut self, sheet: &str, starts: &[&str]) -> usize {
        let rows = self.sheet(sheet);
        rows.iter().position(|row| row.iter().zip(starts).all(|(cell, start)| cell == start)).unwrap()
    }

    fn set(&mut self, sheet: &str, starts: &[&str], column: &str, text: &str) -> String {
        let (row, column) = (self.row(sheet, starts), self.column(sheet, column));
        self.sheet(sheet)[row][column] = text.to_owned();
        a1(row as u32, column as u32)
    }

    fn add(&mut self, sheet: &str, at: usize, cells: &[(&str, &str)]) {
        let header = self.sheet(sheet)[0].clone();
        let row = header.iter().map(|name| {
            cells.iter().find(|(column, _)| column == name).map_or("", |(_, text)| text).to_owned()
        });
        let row = row.collect();
        self.sheet(sheet).insert(at, row);
    }

    fn saved(&self) -> Vec<u8> {
        let mut workbook = Workbook::new();
        for (name, rows) in &self.sheets {
            let sheet = workbook.add_worksheet();
            sheet.set_name(name).unwrap();
            for (number, row) in rows.iter().enumerate() {
                for (column, text) in row.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
                    sheet.write_string(number as u32, column as u16, text).unwrap();
                }
            }
        }
        workbook.save_to_buffer().unwrap()
    }
}

fn edited(base: &Package, operations: &[Operation]) -> Edited {
    Edited::of(&write(base, operations).unwrap())
}

fn refused(bytes: &[u8]) -> Vec<(String, String)> {
    let problems = read(inspection(), bytes).expect_err("refused");
    problems.into_iter().map(|it| (format!("{}!{}", it.sheet, it.cell), it.code)).collect()
}

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

#[test]
fn what_is_wrong_is_told_with_its_cell() {
    let mut book = edited(inspection(), &[]);
    let relevant = book.set("survey", &["b7"], "relevant", "entri == 'full'");
    assert_eq!(refused(&book.saved()), [(format!("survey!{relevant}"), "unknown_name".to_owned())]);

    let mut book = edited(inspection(), &[]);
    let most = book.set("survey", &["children"], "most", "400");
    let name = a1(book.row("survey", &["children"]) as u32, 0);
    let problems = refused(&book.saved());
    assert!(problems == [(format!("survey!{name}"), "would_widen".to_owned())], "{problems:?} {most}");

    let mut book = edited(inspection(), &[]);
    let value = book.set("parameters", &["age.child_max"], "value", "15");
    assert_eq!(refused(&book.saved()), [(format!("parameters!{value}"), "day_taken".to_owned())]);

    let mut book = edited(inspection(), &[]);
    let row = book.row("survey", &["export_chain"]);
    book.sheet("survey").remove(row);
    assert_eq!(refused(&book.saved())[0], ("survey!A1".to_owned(), "missing_row".to_owned()));

    let mut book = edited(inspection(), &[]);
    let hidden = book.set("survey", &["children"], "hidden because", "Too long");
    let problems = refused(&book.saved());
    assert_eq!(
        problems,
        [(
            format!("survey!{}", a1(book.row("survey", &["children"]) as u32, 0)),
            "needed_elsewhere".to_owned()
        )],
        "{hidden}"
    );
}

#[test]
fn duplicated_keys_and_look_alike_letters_are_told_with_their_cell() {
    let mut book = edited(inspection(), &[]);
    let row = book.row("survey", &["seasonal"]);
    let twice = book.sheet("survey")[row].clone();
    book.sheet("survey").insert(row + 1, twice);
    assert_eq!(
        refused(&book.saved()),
        [(format!("survey!{}", a1(row as u32 + 1, 0)), "duplicate_key".to_owned())]
    );

    // The о is Cyrillic.
    let mut book = edited(inspection(), &[]);
    book.add("survey", row, &[("name", "n\u{43E}ise"), ("in", "b6"), ("type", "text"), ("label", "Noise")]);
    let problems = read(inspection(), &book.saved()).unwrap_err();
    assert_eq!(
        (problems[0].cell.as_str(), problems[0].code.as_str()),
        (a1(row as u32, 0).as_str(), "bad_name")
    );
    assert!(problems[0].message.contains("U+043E"));
}

#[test]
fn wrong_sheets_and_columns_are_told() {
    let mut book = edited(inspection(), &[]);
    book.sheets[1].0 = "Choises".to_owned();
    assert_eq!(
        refused(&book.saved()),
        [
            ("choices!".to_owned(), "missing_sheet".to_owned()),
            ("Choises!".to_owned(), "unknown_sheet".to_owned())
        ]
    );

    let mut book = edited(inspection(), &[]);
    book.sheet("survey")[0][4] = "lable".to_owned();
    assert_eq!(
        refused(&book.saved()),
        [
            ("survey!E1".to_owned(), "unknown_column".to_owned()),
            ("survey!A1".to_owned(), "missing_column".to_owned())
        ]
    );
}

#[test]
fn a_workbook_of_another_base_is_refused() {
    let bytes = write(audit(), &[]).unwrap();

    let problems = read(inspection(), &bytes).unwrap_err();

    assert!(problems.iter().any(|problem| problem.code == "another_base"), "{}", told(&problems));
}

#[test]
fn formulas_and_merged_cells_are_refused_with_their_cell() {
    let mut workbook = Workbook::new();
    for name in super::layout::SHEETS {
        let sheet = workbook.add_worksheet();
        sheet.set_name(*name).unwrap();
        if *name == "survey" {
            sheet.write_string(0, 0, "name").unwrap();
            sheet.write_formula(4, 2, "=HYPERLINK(\"http://example.org\")").unwrap();
        }
        if *name == "choices" {
            sheet.merge_range(2, 1, 3, 2, "both", &rust_xlsxwriter::Format::new()).unwrap();
        }
    }

    let problems = refused(&workbook.save_to_buffer().unwrap());

    assert!(problems.contains(&("survey!C5".to_owned(), "formula".to_owned())), "{problems:?}");
    assert!(problems.contains(&("choices!B3".to_owned(), "merged_cells".to_owned())), "{problems:?}");
}

#[test]
fn a_million_rows_declared_cost_nothing_and_a_cell_in_the_last_is_refused() {
    let mut book = edited(inspection(), &[]);
    let mut workbook = Workbook::new();
    for (name, rows) in &book.sheets {
        let sheet = workbook.add_worksheet();
        sheet.set_name(name).unwrap();
        for (number, row) in rows.iter().enumerate() {
            for (column, text) in row.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
                sheet.write_string(number as u32, column as u16, text).unwrap();
            }
        }
        // A formatted cell without content lets a sheet declare all its rows.
        sheet.write_blank(1_048_575, 16_383, &rust_xlsxwriter::Format::new().set_bold()).unwrap();
    }
    assert_eq!(read(inspection(), &workbook.save_to_buffer().unwrap()).unwrap(), Vec::new());

    let sheet = workbook.worksheet_from_name("choices").unwrap();
    sheet.write_string(1_048_575, 0, "x").unwrap();
    assert_eq!(
        refused(&workbook.save_to_buffer().unwrap()),
        [("choices!A1048576".to_owned(), "too_many_cells".to_owned())]
    );
    book.sheets.clear();
}

#[test]
fn more_choices_than_any_list_has_are_refused() {
    let mut book = edited(inspection(), &[]);
    let width = book.sheet("choices")[0].len();
    for number in 0..40_000 {
        let mut row = vec![String::new(); width];
        row[0] = "est".to_owned();
        row[1] = format!("c{number}");
        row[2] = "More".to_owned();
        book.sheet("choices").push(row);
    }

    assert_eq!(refused(&book.saved())[0].1, "too_many_cells");
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn what_is_no_plain_workbook_is_refused_before_it_is_read() {
    let code = |bytes: &[u8]| read(inspection(), bytes).unwrap_err().remove(0).code;
    let bomb = vec![0_u8; 70 << 20];
    let dense = vec![b' '; 8 << 20];

    assert_eq!(code(b""), "not_a_workbook");
    assert_eq!(code(b"name,label\nseasonal,Seasonal\n"), "not_a_workbook");
    assert_eq!(code(b"PK\x03\x04 and then nothing"), "not_a_workbook");
    assert_eq!(code(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]), "not_a_workbook");
    assert_eq!(code(&vec![b'P'; 11 << 20]), "workbook_too_large");
    assert_eq!(code(&zipped(&[("xl/other.xml", b"<a/>")])), "not_a_workbook");
    assert_eq!(code(&zipped(&[("xl/workbook.xml", b"<a/>"), ("xl/vbaProject.bin", b"x")])), "macros");
    assert_eq!(
        code(&zipped(&[("xl/workbook.xml", b"<a/>"), ("xl/externalLinks/externalLink1.xml", b"x")])),
        "reaches_outside"
    );
    assert_eq!(
        code(&zipped(&[("xl/workbook.xml", b"<a/>"), ("xl/worksheets/sheet1.xml", &bomb)])),
        "zip_bomb"
    );
    assert_eq!(
        code(&zipped(&[("xl/workbook.xml", b"<a/>"), ("xl/worksheets/sheet1.xml", &dense)])),
        "zip_bomb"
    );
    assert_eq!(code(&zipped(&[("xl/workbook.xml", b"<a/>")])), "not_a_workbook");
}

#[test]
fn cut_or_spoilt_workbooks_are_refused_and_never_more() {
    let whole = write(inspection(), &example()).unwrap();
    for part in 1..40 {
        let _ = read(inspection(), &whole[..whole.len() * part / 40]);
        let mut spoilt = whole.clone();
        let at = spoilt.len() * part / 40;
        spoilt[at] ^= 0x55;
        let _ = read(inspection(), &spoilt);
    }
}

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

/// The names in a package.
fn names(package: &Package) -> Vec<(String, Value)> {
    super::survey::items(package)
        .into_iter()
        .map(|item| (item.name.to_owned(), Value::Object(item.fields.clone())))
        .collect()
}

/// One thing a member might do, anywhere in the form, that can pass the form check.
fn candidate(base: &'static Package) -> impl Strategy<Value = Operation> {
    let (names, lists): (Vec<(String, Value)>, Vec<String>) =
        (names(base), base.lists.keys().cloned().collect());
    let keys: Vec<String> =
        base.parameters.iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect();
    let findings: Vec<String> = base.definition["x-findings"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect();
    (any::<Index>(), any::<Index>(), 0..15_u8, 0..60_u8).prop_map(move |(one, other, what, number)| {
        let (name, fields) = one.get(&names).clone();
        let list = other.get(&lists).clone();
        let language = ["brh", "bal", "ps", "ur"][usize::from(number % 4)];
        let items = base.lists[&list]["items"].as_array().unwrap();
        let item = items[usize::from(number) % items.len()]["code"].as_str().unwrap().to_owned();
        let severity = ["minor", "major", "critical", "emergency"][usize::from(number % 4)];
        let written = match what {
            0 => json!({"op": "hide", "question": name, "because": format!("Reason {number}")}),
            1 => json!({"op": "relabel", "key": name, "text": format!(" Other words \u{2013} {number}\nand a line ")}),
            2 => json!({"op": "translate", "language": language, "key": name, "text": format!("متن {number}")}),
            3 => json!({"op": "translate", "language": language, "key": format!("~{list}={item}"), "text": format!("انتخاب {number}"), "made_from": format!("Old {number}")}),
            4 => json!({"op": "tighten", "question": name, "required": "always", "check": {"code": format!("Z-{number}"), "rule": "true", "message": "Never said", "level": "warning", "messages": {"ur": "کبھی نہیں"}}}),
            5 if !keys.is_empty() => json!({"op": "set_parameter", "key": one.get(&keys), "value": number, "valid_from": format!("2027-01-{:02}", number % 28 + 1), "source": "Act", "certainty": "M"}),
            6 => {
                let columns = base.lists[&list]["columns"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let columns = columns.map(|column| (column.to_owned(), items[0][column].clone()));
                let columns: Map<String, Value> = columns.filter(|(_, value)| !value.is_null()).collect();
                json!({"op": "add_choice", "choices": {"list": list}, "code": format!("z{number}"), "title": {"en": "More", "ur": "مزید"}, "after": item, "columns": columns})
            }
            7 => json!({"op": "retire_choice", "choices": {"list": list}, "code": item, "from": format!("2027-02-{:02}", number % 28 + 1)}),
            8 => {
                let mut order: Vec<String> = fields["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
                order.reverse();
                json!({"op": "reorder", "within": {"questions": name}, "order": order})
            }
            9 => json!({"op": "add_section", "after": name, "name": format!("zs_{number}"), "section": {"title": format!("Section {number}"), "description": "Why"}, "labels": {"ur": {format!("zs_{number}"): "حصہ"}}}),
            10 if !findings.is_empty() => json!({"op": "set_finding", "finding": one.get(&findings), "severity": severity, "due": {"days": number}}),
            11 if !findings.is_empty() => json!({"op": "set_finding", "finding": one.get(&findings), "refer_to": "cpu", "due": {"hours": number}}),
            12 => json!({"op": "add_rule", "rule": {"kind": "default", "on": name, "text": format!("'{number}'")}}),
            13 => json!({"op": "replace_rule", "rule": {"default": name}, "text": "null"}),
            _ => {
                let mut question = json!({"type": "boolean", "title": format!("Question {number}"), "x-sensitivity": "internal", "x-purpose": "Trial", "x-retention": "One year"});
                if number % 2 == 0 {
                    question["x-asked-of"] = "reviewer".into();
                }
                json!({"op": "add_question", "into": other.get(&names).0, "name": format!("z_{number}"), "question": question, "labels": {"ur": {format!("z_{number}"): "سوال"}}})
            }
        };
        serde_json::from_value(written).unwrap()
    })
}

/// The candidates that can be applied and leave a sound form.
fn sound(base: &Package, candidates: Vec<Operation>) -> Vec<Operation> {
    let mut kept = candidates;
    for _ in 0..6 {
        let refusals = match draft(base, &kept).1 {
            refusals if refusals.is_empty() => match apply(base, &kept) {
                Ok(_) => return kept,
                Err(refusals) => refusals,
            },
            refusals => refusals,
        };
        let stopped: Vec<usize> = refusals.iter().map(|refusal| refusal.operation).collect();
        let mut place = 0;
        kept.retain(|_| (!stopped.contains(&place), place += 1).0);
    }
    Vec::new()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_draft_of_the_inspection_comes_back_whole(candidates in prop::collection::vec(candidate(inspection()), 1..20)) {
        returns(inspection(), &sound(inspection(), candidates));
    }

    #[test]
    fn any_draft_of_the_audit_comes_back_whole(candidates in prop::collection::vec(candidate(audit()), 1..20)) {
        returns(audit(), &sound(audit(), candidates));
    }

    #[test]
    fn any_draft_of_the_toolkit_comes_back_whole(candidates in prop::collection::vec(candidate(toolkit()), 1..20)) {
        returns(toolkit(), &sound(toolkit(), candidates));
    }
}
