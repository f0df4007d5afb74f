//! A draft as a workbook, for members who work in spreadsheets: six sheets (survey, choices, rules, parameters, translations, settings) written from base
//! and operations, and read back into operations. Pure functions between bytes and operations.
//!
//! Whatever the sheets do not show stands in hidden columns, so that nothing is lost on the way; what a member may not change is told with
//! its sheet and cell. A workbook is a stranger's file: its zip is unpacked and counted before anything reads it.

mod cells;
mod choices;
mod guard;
mod intake;
mod layout;
mod reading;
mod rules;
mod settings;
mod survey;
#[cfg(test)]
mod tests;
mod texts;
mod writing;
pub mod xliff;

use form_engine::Package;
use form_engine::overlay::Operation;
use serde::Serialize;

use crate::error::Result;

pub(crate) use intake::language;

/// One thing wrong in a workbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CellProblem {
    /// The sheet; empty where the file itself is wrong.
    pub sheet: String,
    /// The cell, as `B7`; empty where the file or the whole sheet is wrong.
    pub cell: String,
    /// A stable code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// Largest workbook that is read, in bytes.
pub const LARGEST_WORKBOOK: usize = 10 << 20;

/// Writes a draft as an XLSX workbook: the base with the operations applied to it, as far as they can be applied.
///
/// # Errors
/// Only where the workbook cannot be made at all, as for a text no cell can hold.
pub fn write(base: &Package, operations: &[Operation]) -> Result<Vec<u8>> {
    writing::write(base, operations)
}

/// Reads a workbook back into operations on the base. They have been applied and have passed the form check.
///
/// # Errors
/// Everything wrong with it, by sheet and cell.
pub fn read(base: &Package, bytes: &[u8]) -> Result<Vec<Operation>, Vec<CellProblem>> {
    guard::check(bytes).map_err(|problem| vec![problem])?;
    let sheets = intake::sheets(bytes)?;
    reading::operations(base, &sheets)
}

/// A problem of the file itself.
fn of_file(code: &str, message: String, remedy: &str) -> CellProblem {
    at("", String::new(), code, message, remedy)
}

fn at(sheet: &str, cell: String, code: &str, message: String, remedy: &str) -> CellProblem {
    CellProblem { sheet: sheet.to_owned(), cell, code: code.to_owned(), message, remedy: remedy.to_owned() }
}
