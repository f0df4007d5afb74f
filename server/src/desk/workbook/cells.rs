//! A sheet as it was read: rows of texts under named columns, each with its cell.

use std::collections::{BTreeMap, HashMap};

use super::{CellProblem, at};

/// One sheet.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) name: &'static str,
    /// Columns by their name as it is written in the first row.
    columns: HashMap<String, u32>,
    /// Rows below the first, by number from 0, each with its texts by column.
    pub(super) rows: Vec<(u32, BTreeMap<u32, String>)>,
}

/// One row of a sheet.
#[derive(Clone, Copy)]
pub(super) struct Row<'s> {
    pub(super) sheet: &'s Sheet,
    pub(super) number: u32,
    cells: &'s BTreeMap<u32, String>,
}

impl Sheet {
    pub(super) fn new(name: &'static str) -> Sheet {
        Sheet { name, ..Sheet::default() }
    }

    /// Takes the first row as the names of columns.
    pub(super) fn name_columns(
        &mut self,
        header: BTreeMap<u32, String>,
        known: impl Fn(&str) -> bool,
    ) -> Vec<CellProblem> {
        let mut problems = Vec::new();
        for (column, text) in header {
            let name = text.trim().to_owned();
            let here = || a1(0, column);
            if !known(&name) {
                let message = format!("the sheet {} has no column {}", self.name, shown(&name));
                let remedy = "name it as the downloaded workbook does, or remove the column";
                problems.push(at(self.name, here(), "unknown_column", message, remedy));
            } else if self.columns.insert(name.clone(), column).is_some() {
                let message = format!("the column {name} stands there twice");
                problems.push(at(self.name, here(), "duplicate_column", message, "remove one of the two"));
            }
        }
        problems
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    /// The rows that hold anything.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(number, cells)| Row { sheet: self, number: *number, cells })
    }
}

impl Row<'_> {
    /// The text in a column; empty where there is none.
    pub(super) fn text(&self, column: &str) -> &str {
        self.sheet.columns.get(column).and_then(|column| self.cells.get(column)).map_or("", String::as_str)
    }

    pub(super) fn trimmed(&self, column: &str) -> &str {
        self.text(column).trim()
    }

    /// The cell of a column, as `B7`; of the first column where the sheet has not that one.
    pub(super) fn cell(&self, column: &str) -> String {
        a1(self.number, self.sheet.columns.get(column).copied().unwrap_or(0))
    }

    pub(super) fn problem(&self, column: &str, code: &str, message: String, remedy: &str) -> CellProblem {
        at(self.sheet.name, self.cell(column), code, message, remedy)
    }

    /// What stands in the hidden columns of details.
    pub(super) fn details(&self) -> String {
        let first = self.text(super::layout::DETAILS);
        let more =
            (2..=super::layout::MOST_DETAILS).map(|n| self.text(&format!("{} {n}", super::layout::DETAILS)));
        std::iter::once(first).chain(more).collect()
    }
}

/// A cell as spreadsheets name it: row and column from 0.
pub(super) fn a1(row: u32, column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = u64::from(column) + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or(0)));
        rest /= 26;
    }
    format!("{}{}", letters.iter().rev().collect::<String>(), u64::from(row) + 1)
}

/// A text as a message shows it: short, with letters of other scripts told apart from the Latin ones they look like.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    match short.chars().find(|c| !c.is_ascii()) {
        Some(strange) => format!("{short:?} (with {strange:?}, U+{:04X})", u32::from(strange)),
        None => format!("{short:?}"),
    }
}
