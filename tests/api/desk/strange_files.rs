//! Strangers' files, and operations that lead nowhere: refused with sheet, cell or operation, and the draft is what it was.

use std::io::Write as _;

use harness::committee::draft;
use harness::{Answer, Person, TestApp, on_both_databases};
use reqwest::Method;
use rust_xlsxwriter::{Format, Workbook};
use serde_json::{Value, json};

use super::{FORM, draft_path, relabel};

on_both_databases!(
    every_strange_workbook_is_refused_with_its_cell_and_the_draft_is_untouched,
    operations_that_lead_nowhere_are_refused_and_the_draft_is_untouched,
);

/// The sheets of a workbook of ours.
const SHEETS: [&str; 6] = ["survey", "choices", "rules", "parameters", "translations", "settings"];

async fn upload(author: &Person, draft: &Value, bytes: Vec<u8>) -> Answer {
    let request = author.request(Method::PUT, &draft_path(draft, "/workbook")).header("If-Match", "\"2\"");
    request.header("Content-Type", "application/octet-stream").bytes(bytes).send().await
}

/// A workbook with our sheets and something of one's own in one of them.
fn with(change: impl Fn(&str, &mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    for name in SHEETS {
        let sheet = workbook.add_worksheet();
        sheet.set_name(name).unwrap();
        sheet.write_string(0, 0, "name").unwrap();
        change(name, sheet);
    }
    workbook.save_to_buffer().unwrap()
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The downloaded workbook with the sheet of choices written anew, holding a million of them.
fn a_million_choices(of: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(of)).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    for name in names {
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut archive.by_name(&name).unwrap(), &mut content).unwrap();
        if name == "xl/worksheets/sheet2.xml" {
            content =
                b"<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>"
                    .to_vec();
            for n in 1..=1_000_000 {
                write!(content, "<row r=\"{n}\"><c><v>{n}</v></c></row>").unwrap();
            }
            content.extend(b"</sheetData></worksheet>");
        }
        all.push((name, content));
    }
    let files: Vec<(&str, &[u8])> =
        all.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    zipped(&files)
}

async fn every_strange_workbook_is_refused_with_its_cell_and_the_draft_is_untouched(app: TestApp) {
    let author = app.login("committee2").await;
    let before = draft(&author, FORM, relabel("Day")).await;
    let ours = author.get(&draft_path(&before, "/workbook")).await.bytes.to_vec();
    let written_in = |sheet: &'static str, row: u32, text: &'static str| {
        with(move |name, it| {
            if name == sheet {
                it.write_string(row, 0, text).unwrap();
            }
        })
    };
    let merged = with(|name, sheet| {
        if name == "choices" {
            sheet.merge_range(2, 1, 3, 2, "both", &Format::new()).unwrap();
        }
    });
    let formula = with(|name, sheet| {
        if name == "survey" {
            sheet.write_formula(4, 2, "=HYPERLINK(\"http://example.org\")").unwrap();
        }
    });
    let bomb = vec![0_u8; 70 << 20];

    for (what, bytes, sheet, cell, code) in [
        ("merged cells", merged, "choices", "B3", "merged_cells"),
        ("a formula", formula, "survey", "C5", "formula"),
        (
            "a cell in the last row there can be",
            written_in("choices", 1_048_575, "x"),
            "choices",
            "A1048576",
            "too_many_cells",
        ),
        (
            "a column in another script",
            written_in("survey", 0, "n\u{430}me"),
            "survey",
            "A1",
            "unknown_column",
        ),
        ("a million choices", a_million_choices(&ours), "choices", "A30001", "too_many_cells"),
        ("macros", zipped(&[("xl/workbook.xml", b"<a/>"), ("xl/vbaProject.bin", b"x")]), "", "", "macros"),
        (
            "a zip bomb",
            zipped(&[("xl/workbook.xml", b"<a/>"), ("xl/worksheets/sheet1.xml", &bomb)]),
            "",
            "",
            "zip_bomb",
        ),
    ] {
        let refused = upload(&author, &before, bytes).await.refused(400, "file_refused");
        let told = refused["cells"].as_array().unwrap().iter().any(|problem| {
            problem["sheet"] == sheet
                && problem["cell"] == cell
                && problem["code"] == code
                && problem["remedy"].is_string()
        });
        assert!(told, "{what}: {refused}");
    }
    let mut misnamed = Workbook::new();
    misnamed.add_worksheet().set_name("Choises").unwrap();
    let refused =
        upload(&author, &before, misnamed.save_to_buffer().unwrap()).await.refused(400, "file_refused");
    let codes: Vec<&Value> = refused["cells"].as_array().unwrap().iter().map(|it| &it["code"]).collect();
    assert!(
        codes.contains(&&json!("missing_sheet")) && codes.contains(&&json!("unknown_sheet")),
        "{refused}"
    );

    let after = author.get(&draft_path(&before, "")).await.ok();
    assert_eq!((&after["version"], &after["operations"]), (&json!(2), &before["operations"]));
    assert_eq!(app.count("draft_versions", "how = 'uploaded'"), 0);
}

async fn operations_that_lead_nowhere_are_refused_and_the_draft_is_untouched(app: TestApp) {
    let author = app.login("committee2").await;
    let before = draft(&author, FORM, relabel("Day")).await;
    let twice = json!([
        { "op": "hide", "question": "export_chain", "because": "x" },
        { "op": "hide", "question": "export_chain", "because": "y" }
    ]);
    let nothing = json!([{ "op": "relabel", "key": "visit_date", "text": "Day" }, { "op": "retire_choice", "choices": { "list": "no_such_list" }, "code": "x", "from": "2027-01-01" }]);
    let cycle = json!([
        { "op": "add_question", "into": "b2", "name": "heat_a", "question": { "type": "boolean", "title": "A", "x-relevant": "heat_b" }, "labels": { "ur": { "heat_a": "ا" } } },
        { "op": "add_question", "into": "b2", "name": "heat_b", "question": { "type": "boolean", "title": "B", "x-relevant": "heat_a" }, "labels": { "ur": { "heat_b": "ب" } } }
    ]);
    for (what, operations, operation) in [("twice", twice, 1), ("nothing", nothing, 1), ("a cycle", cycle, 1)]
    {
        let sent = json!({ "operations": operations });
        let refused = author.put_known(&draft_path(&before, ""), &sent, "\"2\"").await;
        let refused = refused.refused(400, "operations_refused");
        let places: Vec<&Value> =
            refused["refusals"].as_array().unwrap().iter().map(|refusal| &refusal["operation"]).collect();
        assert!(
            places.iter().any(|place| **place == json!(operation) || what == "a cycle"),
            "{what}: {refused}"
        );
        assert!(
            refused["refusals"][0]["message"].is_string() && refused["refusals"][0]["remedy"].is_string()
        );
    }
    let many: Vec<Value> =
        (0..5001).map(|n| json!({ "op": "relabel", "key": format!("k{n}"), "text": "x" })).collect();
    author.put_known(&draft_path(&before, ""), &json!({ "operations": many }), "\"2\"").await.expect(400);

    let after = author.get(&draft_path(&before, "")).await.ok();
    assert_eq!((&after["version"], &after["operations"]), (&json!(2), &before["operations"]));
}
