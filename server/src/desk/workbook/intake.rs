//! Reads the sheets of a workbook whose zip is known to be harmless. Cell by cell: a sheet may declare a million rows and hold three.

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{DataRef, Reader, Xlsx};

use super::cells::{Sheet, a1, shown};
use super::layout::{self, SHEETS};
use super::{CellProblem, at, of_file};

/// Most rows, columns and filled cells of a sheet.
const MOST_ROWS: u32 = 30_000;
const MOST_COLUMNS: u32 = 200;
const MOST_CELLS: usize = 400_000;
/// Problems told at most.
const MOST_TOLD: usize = 100;

type Workbook<'b> = Xlsx<Cursor<&'b [u8]>>;

/// The six sheets, by their place in [`SHEETS`].
pub(super) fn sheets(bytes: &[u8]) -> Result<Vec<Sheet>, Vec<CellProblem>> {
    let mut workbook: Workbook<'_> = Xlsx::new(Cursor::new(bytes)).map_err(|_| {
        let message = "the workbook cannot be read".to_owned();
        vec![of_file(
            "not_a_workbook",
            message,
            "open it in a spreadsheet program and save it again as .xlsx",
        )]
    })?;
    let names = named(&workbook.sheet_names())?;
    let mut sheets = Vec::new();
    let mut problems = Vec::new();
    for (sheet, name) in SHEETS.iter().zip(names) {
        match one(&mut workbook, sheet, &name) {
            Ok(read) => sheets.push(read),
            Err(found) => problems.extend(found),
        }
    }
    problems.truncate(MOST_TOLD);
    if problems.is_empty() { Ok(sheets) } else { Err(problems) }
}

/// What each sheet is called in the file; every sheet must be one of ours.
fn named(written: &[String]) -> Result<Vec<String>, Vec<CellProblem>> {
    let plain = |name: &str| name.trim().to_lowercase();
    let mut problems = Vec::new();
    let mut names = Vec::new();
    for sheet in SHEETS {
        match written.iter().find(|name| plain(name) == *sheet) {
            Some(name) => names.push(name.clone()),
            None => {
                let message = format!("there is no sheet {sheet}");
                let remedy = "download the workbook again and keep the names of its sheets";
                problems.push(at(sheet, String::new(), "missing_sheet", message, remedy));
            }
        }
    }
    for name in written.iter().filter(|name| !SHEETS.contains(&plain(name).as_str())) {
        let message = format!("no sheet is called {}", shown(name));
        let remedy = format!("the sheets are {}: rename it, or remove it", SHEETS.join(", "));
        problems.push(at(
            &name.chars().take(40).collect::<String>(),
            String::new(),
            "unknown_sheet",
            message,
            &remedy,
        ));
    }
    if problems.is_empty() { Ok(names) } else { Err(problems.into_iter().take(MOST_TOLD).collect()) }
}

fn one(workbook: &mut Workbook<'_>, sheet: &'static str, name: &str) -> Result<Sheet, Vec<CellProblem>> {
    let merged = workbook.worksheet_merge_cells(name).and_then(Result::ok).unwrap_or_default();
    if !merged.is_empty() {
        let told = merged.iter().take(20).map(|area| {
            let message = "cells are merged here".to_owned();
            at(
                sheet,
                a1(area.start.0, area.start.1),
                "merged_cells",
                message,
                "take the merging away: each row stands for itself",
            )
        });
        return Err(told.collect());
    }
    let rows = cells(workbook, sheet, name)?;
    let mut read = Sheet::new(sheet);
    let mut rows = rows.into_iter();
    let header = rows.next().filter(|(number, _)| *number == 0).map(|(_, header)| header);
    let Some(header) = header else {
        let message = format!("the sheet {sheet} has no names of columns in its first row");
        return Err(vec![at(
            sheet,
            "A1".to_owned(),
            "missing_column",
            message,
            "copy the first row of the downloaded workbook",
        )]);
    };
    let mut problems = read.name_columns(header, |column| is_known(sheet, column));
    for (column, _) in columns_of(sheet).iter().filter(|(column, _)| !read.has(column)) {
        let message = format!("the sheet {sheet} has no column {column}");
        problems.push(at(
            sheet,
            "A1".to_owned(),
            "missing_column",
            message,
            "copy the column from the downloaded workbook",
        ));
    }
    read.rows = rows.collect();
    if problems.is_empty() { Ok(read) } else { Err(problems) }
}

/// Every cell with something in it, row by row. A formula is refused: what it comes to is nobody's decision.
fn cells(
    workbook: &mut Workbook<'_>,
    sheet: &'static str,
    name: &str,
) -> Result<BTreeMap<u32, BTreeMap<u32, String>>, Vec<CellProblem>> {
    let broken = || {
        vec![at(
            sheet,
            String::new(),
            "not_a_workbook",
            format!("the sheet {sheet} cannot be read"),
            "save the workbook again",
        )]
    };
    let mut reader = workbook.worksheet_cells_reader(name).map_err(|_| broken())?;
    let mut rows: BTreeMap<u32, BTreeMap<u32, String>> = BTreeMap::new();
    let (mut count, mut formulas) = (0_usize, Vec::new());
    while let Some(cell) = reader.next_cell_with_formula_metadata().map_err(|_| broken())? {
        let (row, column) = cell.pos;
        if cell.formula.is_some() {
            let message = "there is a formula here".to_owned();
            formulas.push(at(sheet, a1(row, column), "formula", message, "write its value instead"));
            if formulas.len() >= MOST_TOLD {
                return Err(formulas);
            }
            continue;
        }
        let Some(text) = text(&cell.value) else { continue };
        count += 1;
        if row >= MOST_ROWS || column >= MOST_COLUMNS || count > MOST_CELLS {
            let message = format!(
                "the sheet {sheet} goes beyond {MOST_ROWS} rows, {MOST_COLUMNS} columns or {MOST_CELLS} cells"
            );
            return Err(vec![at(
                sheet,
                a1(row, column),
                "too_many_cells",
                message,
                "remove what does not belong to the questionnaire",
            )]);
        }
        if rows.entry(row).or_default().insert(column, text).is_some() {
            let message = "this cell stands in the file twice".to_owned();
            return Err(vec![at(
                sheet,
                a1(row, column),
                "not_a_workbook",
                message,
                "save the workbook again",
            )]);
        }
    }
    if formulas.is_empty() { Ok(rows) } else { Err(formulas) }
}

/// A cell as text: whole numbers without a point, dates as days.
fn text(value: &DataRef<'_>) -> Option<String> {
    let text = match value {
        DataRef::Empty => return None,
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(truth) => (if *truth { "yes" } else { "no" }).to_owned(),
        DataRef::DateTime(moment) => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::DateTimeIso(text) => text.chars().take(10).collect(),
        DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => error.to_string(),
    };
    (!text.trim().is_empty()).then_some(text)
}

fn columns_of(sheet: &str) -> &'static [(&'static str, u32)] {
    match sheet {
        layout::SURVEY => layout::SURVEY_COLUMNS,
        layout::CHOICES => layout::CHOICE_COLUMNS,
        layout::RULES => layout::RULE_COLUMNS,
        layout::PARAMETERS => layout::PARAMETER_COLUMNS,
        layout::TRANSLATIONS => layout::TRANSLATION_COLUMNS,
        _ => layout::SETTING_COLUMNS,
    }
}

fn is_known(sheet: &str, column: &str) -> bool {
    let is_column = columns_of(sheet).iter().any(|(known, _)| *known == column);
    let is_details = || {
        let number = column.strip_prefix(layout::DETAILS).map(str::trim);
        matches!(sheet, layout::SURVEY | layout::RULES)
            && number.is_some_and(|number| {
                number.is_empty()
                    || number.parse().is_ok_and(|n: usize| (2..=layout::MOST_DETAILS).contains(&n))
            })
    };
    let is_language = || {
        let code = column
            .strip_suffix(layout::WAS)
            .or_else(|| column.strip_suffix(layout::MADE_FROM))
            .unwrap_or(column);
        sheet == layout::TRANSLATIONS && (column == layout::ENGLISH_WAS || language(code).is_some())
    };
    // The columns of lists are held against the lists.
    let is_of_lists =
        || sheet == layout::CHOICES && !column.is_empty() && column.len() <= 63 && column.is_ascii();
    is_column || is_details() || is_language() || is_of_lists()
}

/// The code of a language a column is named for: by its code or its English name.
pub(crate) fn language(column: &str) -> Option<String> {
    const NAMES: &[(&str, &str)] = &[
        ("urdu", "ur"),
        ("balochi", "bal"),
        ("pashto", "ps"),
        ("brahui", "brh"),
        ("sindhi", "sd"),
        ("saraiki", "skr"),
        ("persian", "fa"),
        ("hazaragi", "haz"),
    ];
    let plain = column.trim().to_lowercase();
    if let Some((_, code)) = NAMES.iter().find(|(name, _)| *name == plain) {
        return Some((*code).to_owned());
    }
    let is_code = (2..=3).contains(&plain.len())
        && plain.bytes().all(|byte| byte.is_ascii_lowercase())
        && plain != "en";
    is_code.then_some(plain)
}
