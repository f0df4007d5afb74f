//! Writes the workbook: the rows of each sheet into cells, with what members need to find their way and nothing that changes from one writing to the next.

use std::collections::BTreeMap;

use form_engine::Package;
use form_engine::overlay::{self, Operation};
use form_engine::translations::{Direction, direction};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::layout::{
    CHOICE_COLUMNS, CHOICES, DETAILS, ENGLISH_WAS, LONGEST_DETAILS, MADE_FROM, MOST_DETAILS,
    PARAMETER_COLUMNS, PARAMETERS, RULE_COLUMNS, RULES, SETTING_COLUMNS, SETTINGS, SURVEY, SURVEY_COLUMNS,
    TRANSLATION_COLUMNS, TRANSLATIONS, WAS,
};
use super::{choices, rules, settings, survey, texts};
use crate::error::{Error, Result};

type Row = BTreeMap<String, String>;

/// A column: its name, its width, and whether members see it.
struct Column {
    name: String,
    width: u32,
    hidden: bool,
    right_to_left: bool,
}

impl Column {
    fn shown(name: &str, width: u32) -> Column {
        Column { name: name.to_owned(), width, hidden: false, right_to_left: false }
    }

    fn hidden(name: String) -> Column {
        Column { name, width: 12, hidden: true, right_to_left: false }
    }
}

pub(super) fn write(base: &Package, operations: &[Operation]) -> Result<Vec<u8>> {
    let (result, _) = overlay::draft(base, operations);
    let mut workbook = Workbook::new();
    // Written twice, it is the same to the byte.
    let made = ExcelDateTime::from_ymd(2012, 1, 1).map_err(not_written)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let sheets: [(&str, Vec<Column>, Vec<Row>); 6] = [
        (SURVEY, detailed(SURVEY_COLUMNS), survey::rows(base, &result, operations)),
        (CHOICES, of_choices(&result), choices::rows(&result)),
        (RULES, detailed(RULE_COLUMNS), rules::rows(base, &result)),
        (PARAMETERS, columns(PARAMETER_COLUMNS), settings::parameter_rows(&result)),
        (TRANSLATIONS, of_languages(&result), texts::rows(&result)),
        (SETTINGS, columns(SETTING_COLUMNS), settings::rows(base, &result)),
    ];
    for (name, columns, rows) in sheets {
        fits(&rows)?;
        sheet(workbook.add_worksheet(), name, &columns, &rows).map_err(not_written)?;
    }
    workbook.save_to_buffer().map_err(not_written)
}

/// Nothing is cut: what no cell holds is told.
fn fits(rows: &[Row]) -> Result<()> {
    for (column, text) in rows.iter().flatten() {
        let most = if column == DETAILS { MOST_DETAILS * LONGEST_DETAILS } else { LONGEST_CELL };
        if text.chars().count() > most {
            let start: String = text.chars().take(60).collect();
            return Err(Error::too_large(
                "does_not_fit_a_workbook",
                format!(
                    "{start:?}… is longer than the column {column} of a workbook holds; work on this draft in the desk"
                ),
            ));
        }
    }
    Ok(())
}

/// Most characters of a cell.
const LONGEST_CELL: usize = 32_000;

fn not_written(error: XlsxError) -> Error {
    Error::internal("writing a workbook", error)
}

fn columns(named: &[(&str, u32)]) -> Vec<Column> {
    named.iter().map(|(name, width)| Column::shown(name, *width)).collect()
}

fn detailed(named: &[(&str, u32)]) -> Vec<Column> {
    let mut all = columns(named);
    all.push(Column::hidden(DETAILS.to_owned()));
    all.extend((2..=MOST_DETAILS).map(|number| Column::hidden(format!("{DETAILS} {number}"))));
    all
}

fn of_choices(result: &Package) -> Vec<Column> {
    let mut all = columns(CHOICE_COLUMNS);
    all.extend(choices::list_columns(result).iter().map(|column| Column::shown(column, 14)));
    all
}

fn of_languages(result: &Package) -> Vec<Column> {
    let mut all = columns(TRANSLATION_COLUMNS);
    let languages = texts::language_columns(result);
    for code in &languages {
        let right_to_left = direction(code) == Direction::Rtl;
        all.push(Column { name: code.clone(), width: 48, hidden: false, right_to_left });
    }
    all.push(Column::hidden(ENGLISH_WAS.to_owned()));
    for code in &languages {
        all.push(Column::hidden(format!("{code}{WAS}")));
        all.push(Column::hidden(format!("{code}{MADE_FROM}")));
    }
    all
}

fn sheet(sheet: &mut Worksheet, name: &str, columns: &[Column], rows: &[Row]) -> Result<(), XlsxError> {
    sheet.set_name(name)?;
    sheet.set_freeze_panes(1, 1)?;
    let head = Format::new().set_bold().set_background_color("#E4ECF4");
    let cell = Format::new().set_text_wrap().set_align(FormatAlign::Top).set_num_format("@");
    let right_to_left = cell.clone().set_reading_direction(2).set_align(FormatAlign::Right);
    for (place, column) in (0_u16..).zip(columns) {
        sheet.write_string_with_format(0, place, &column.name, &head)?;
        sheet.set_column_width(place, column.width)?;
        // Empty cells too are text: a date or a code typed there stays as it is typed.
        sheet.set_column_format(place, if column.right_to_left { &right_to_left } else { &cell })?;
        if column.hidden {
            sheet.set_column_hidden(place)?;
        }
    }
    for (number, row) in (1_u32..).zip(rows) {
        for (place, column) in (0_u16..).zip(columns) {
            let text = part(row, &column.name);
            if !text.is_empty() {
                let format = if column.right_to_left { &right_to_left } else { &cell };
                sheet.write_string_with_format(number, place, text, format)?;
            }
        }
    }
    Ok(())
}

/// What a row has in a column; details too long for a cell go on in the next.
fn part(row: &Row, column: &str) -> String {
    let Some(number) = column.strip_prefix(DETAILS) else {
        return row.get(column).cloned().unwrap_or_default();
    };
    let number = number.trim().parse::<usize>().unwrap_or(1);
    let details = row.get(DETAILS).map_or("", String::as_str);
    details.chars().skip((number - 1) * LONGEST_DETAILS).take(LONGEST_DETAILS).collect()
}
