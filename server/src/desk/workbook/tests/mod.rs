//! The workbook, told with the three real questionnaires: what a member may do in a spreadsheet, and what is refused with its cell.

mod editing;
mod refusing;
mod round_trip;
mod translators;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use form_engine::Package;
use form_engine::overlay::{Operation, apply, fingerprint};
use rust_xlsxwriter::Workbook;
use serde_json::{Map, Value, json};

use super::cells::a1;
use super::{CellProblem, read, write};

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
