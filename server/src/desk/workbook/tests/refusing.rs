//! What is refused, with its sheet and cell; and files that are no workbook of ours at all.

use std::io::Write as _;

use rust_xlsxwriter::Workbook;

use super::{audit, edited, example, inspection, refused, told};
use crate::desk::workbook::cells::a1;
use crate::desk::workbook::{read, write};

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
    for name in crate::desk::workbook::layout::SHEETS {
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
