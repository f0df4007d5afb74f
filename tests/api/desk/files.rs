//! Files of a draft: the workbook members edit in a spreadsheet program, and the file translators work on.

use calamine::{Data, Reader, Xlsx};
use harness::committee::draft;
use harness::{Answer, Person, TestApp, on_both_databases};
use reqwest::Method;
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

on_both_databases!(
    a_member_reorders_rows_and_adds_a_language_in_a_spreadsheet,
    what_is_wrong_in_a_workbook_is_told_by_sheet_and_cell,
    a_file_that_is_no_workbook_leaves_the_draft_untouched,
    a_workbook_sent_back_as_it_came_is_no_new_version,
    translators_get_a_file_and_their_words_come_back,
    only_the_author_uploads_and_only_over_what_was_on_the_screen,
);

const FORM: &str = "child-labour-inspection";

fn path(draft: &Value, below: &str) -> String {
    format!("/v1/drafts/{}{below}", draft["id"].as_str().unwrap())
}

async fn upload(author: &Person, draft: &Value, below: &str, version: u32, bytes: Vec<u8>) -> Answer {
    let request =
        author.request(Method::PUT, &path(draft, below)).header("If-Match", &format!("\"{version}\""));
    request.header("Content-Type", "application/octet-stream").bytes(bytes).send().await
}

async fn workbook(author: &Person, draft: &Value) -> Book {
    let answer = author.get(&path(draft, "/workbook")).await;
    answer.expect(200);
    assert_eq!(answer.header("etag"), Some("\"2\""));
    Book::of(&answer.bytes)
}

/// A workbook as a spreadsheet program shows it: every sheet as rows of texts.
struct Book(Vec<(String, Vec<Vec<String>>)>);

impl Book {
    fn of(bytes: &[u8]) -> Book {
        let mut workbook: Xlsx<_> = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
        let sheets = workbook.sheet_names().into_iter().map(|name| {
            let range = workbook.worksheet_range(&name).unwrap();
            let text = |cell: &Data| if let Data::Empty = cell { String::new() } else { cell.to_string() };
            (name, range.rows().map(|row| row.iter().map(text).collect()).collect())
        });
        Book(sheets.collect())
    }

    fn sheet(&mut self, name: &str) -> &mut Vec<Vec<String>> {
        &mut self.0.iter_mut().find(|(known, _)| known == name).unwrap().1
    }

    fn row(&mut self, sheet: &str, first: &str) -> usize {
        self.sheet(sheet).iter().position(|row| row[0] == first).unwrap()
    }

    fn set(&mut self, sheet: &str, first: &str, column: &str, text: &str) {
        let (row, rows) = (self.row(sheet, first), self.sheet(sheet));
        let column = rows[0].iter().position(|name| name == column).unwrap();
        rows[row][column] = text.to_owned();
    }

    fn saved(&self) -> Vec<u8> {
        let mut workbook = Workbook::new();
        for (name, rows) in &self.0 {
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

async fn a_member_reorders_rows_and_adds_a_language_in_a_spreadsheet(app: TestApp) {
    let author = app.login("committee2").await;
    let hide =
        json!([{ "op": "hide", "question": "export_chain", "because": "Asked by the customs office." }]);
    let before = draft(&author, FORM, hide).await;
    let mut book = workbook(&author, &before).await;
    let (one, other) = (book.row("survey", "osh_structure"), book.row("survey", "osh_exits"));
    book.sheet("survey").swap(one, other);
    let (row, column) = (book.row("translations", "b6"), book.sheet("translations")[0].len());
    book.sheet("translations")[0].push("Brahui".to_owned());
    book.sheet("translations")[row].resize(column + 1, String::new());
    book.sheet("translations")[row][column] = "حفاظت او صحت".to_owned();

    let after = upload(&author, &before, "/workbook", 2, book.saved()).await.ok();

    assert_eq!(after["version"], 3);
    let words: Vec<&str> =
        after["operations"].as_array().unwrap().iter().map(|it| it["op"].as_str().unwrap()).collect();
    assert_eq!(words, ["hide", "reorder", "translate"]);
    let history = author.get(&path(&before, "/history")).await.ok();
    assert_eq!(history["items"][0]["how"], "uploaded");
    let again = upload(&author, &before, "/workbook", 3, book.saved()).await.ok();
    assert_eq!(again["version"], 3, "the same content is no new version");
}

async fn what_is_wrong_in_a_workbook_is_told_by_sheet_and_cell(app: TestApp) {
    let author = app.login("committee2").await;
    let before = draft(&author, FORM, json!([{ "op": "relabel", "key": "visit_date", "text": "Day" }])).await;
    let mut book = workbook(&author, &before).await;
    book.set("survey", "b7", "relevant", "entri == 'full'");
    book.set("parameters", "age.child_max", "value", "15");

    let first = upload(&author, &before, "/workbook", 2, book.saved()).await.refused(400, "file_refused");
    book.set("parameters", "age.child_max", "value", "14");
    let then = upload(&author, &before, "/workbook", 2, book.saved()).await.refused(400, "file_refused");

    assert_eq!(
        (&first["cells"][0]["sheet"], &first["cells"][0]["code"]),
        (&json!("parameters"), &json!("day_taken"))
    );
    assert_eq!(then["cells"][0]["sheet"], "survey");
    let row = book.row("survey", "b7") + 1;
    assert_eq!(then["cells"][0]["cell"], format!("G{row}"));
    assert_eq!(then["cells"][0]["remedy"], "did you mean entry?");
    assert_eq!(author.get(&path(&before, "")).await.ok()["version"], 2);
}

async fn a_workbook_sent_back_as_it_came_is_no_new_version(app: TestApp) {
    let author = app.login("committee2").await;
    let before = draft(&author, FORM, json!([{ "op": "relabel", "key": "visit_date", "text": "Day" }])).await;
    let book = workbook(&author, &before).await;

    let after = upload(&author, &before, "/workbook", 2, book.saved()).await.ok();

    assert_eq!((&after["version"], &after["operations"]), (&json!(2), &before["operations"]));
}

async fn a_file_that_is_no_workbook_leaves_the_draft_untouched(app: TestApp) {
    let author = app.login("committee2").await;
    let before = draft(&author, FORM, json!([{ "op": "relabel", "key": "visit_date", "text": "Day" }])).await;

    for bytes in [b"name,label\n".to_vec(), b"PK\x03\x04".to_vec(), Vec::new()] {
        let refused = upload(&author, &before, "/workbook", 2, bytes).await.refused(400, "file_refused");
        assert_eq!(refused["cells"][0]["code"], "not_a_workbook");
    }
    upload(&author, &before, "/workbook", 2, vec![b'P'; 11 << 20]).await.refused(413, "body_too_large");
    let bad = b"<!DOCTYPE xliff [<!ENTITY a \"b\">]><xliff>&a;</xliff>".to_vec();
    let refused = upload(&author, &before, "/translations", 2, bad).await.refused(400, "file_refused");

    assert_eq!(refused["cells"][0]["code"], "not_xliff");
    assert_eq!(author.get(&path(&before, "")).await.ok()["version"], 2);
}

async fn translators_get_a_file_and_their_words_come_back(app: TestApp) {
    let author = app.login("committee2").await;
    let before = draft(&author, FORM, json!([{ "op": "relabel", "key": "visit_date", "text": "Day" }])).await;
    let file = author.get(&path(&before, "/translations/brh")).await;
    assert_eq!(file.expect(200).header("content-type"), Some("application/xliff+xml"));
    let filled = file.text().replacen(
        "<source>Day</source><target state=\"new\"/>",
        "<source>Day</source><target>دے</target>",
        1,
    );

    let after = upload(&author, &before, "/translations", 2, filled.into_bytes()).await.ok();

    assert_eq!(
        after["operations"][1],
        json!({ "op": "translate", "language": "brh", "key": "visit_date", "text": "دے", "made_from": "Day" })
    );
    author.get(&path(&before, "/translations/en")).await.refused(400, "bad_language");
}

async fn only_the_author_uploads_and_only_over_what_was_on_the_screen(app: TestApp) {
    let author = app.login("committee2").await;
    let before = draft(&author, FORM, json!([{ "op": "relabel", "key": "visit_date", "text": "Day" }])).await;
    let book = workbook(&author, &before).await.saved();

    upload(&author, &before, "/workbook", 1, book.clone()).await.refused(412, "draft_stale");
    let other = app.login("committee3").await;
    other.get(&path(&before, "/workbook")).await.expect(200);
    upload(&other, &before, "/workbook", 2, book.clone()).await.refused(403, "not_the_author");
    let inspector = app.inspector().await;
    inspector.get(&path(&before, "/workbook")).await.expect(403);
    upload(&inspector, &before, "/workbook", 2, book).await.expect(403);
}
