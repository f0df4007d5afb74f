//! Sheets into operations: the edited package is put together from the base, operations are found that lead to it, and whatever is refused is told with the
//! cell it stands in.

use std::collections::HashMap;

use form_engine::Package;
use form_engine::overlay::{self, Operation, Refusal, derive};

use super::cells::{Row, Sheet};
use super::layout::{PARAMETERS, SETTINGS, SURVEY};
use super::{CellProblem, at, choices, rules, settings, survey, texts};

/// Problems told at most.
const MOST_TOLD: usize = 200;
/// Most rows of the survey: more questions than any form has.
const MOST_ITEMS: usize = 8_000;

/// Where things stand in the sheets, and what is wrong with them.
#[derive(Default)]
pub(super) struct Places {
    pub(super) problems: Vec<CellProblem>,
    /// By name, key or path: sheet and cell.
    cells: HashMap<String, (&'static str, String)>,
    /// The row of a question on the survey.
    pub(super) rows: HashMap<String, u32>,
}

impl Places {
    pub(super) fn note(&mut self, what: &str, row: &Row<'_>, column: &str) {
        self.cells.entry(what.to_owned()).or_insert_with(|| (row.sheet.name, row.cell(column)));
    }
}

/// The operations the sheets say.
pub(super) fn operations(base: &Package, sheets: &[Sheet]) -> Result<Vec<Operation>, Vec<CellProblem>> {
    let [of_survey, of_choices, of_rules, of_parameters, of_translations, of_settings] = sheets else {
        return Err(vec![super::of_file(
            "not_a_workbook",
            "the workbook has other sheets".to_owned(),
            "download it again",
        )]);
    };
    debug_assert_eq!((of_parameters.name, of_settings.name), (PARAMETERS, SETTINGS));
    let mut places = Places::default();
    let mut edited = base.clone();
    if of_survey.rows.len() > MOST_ITEMS {
        let message = format!("the survey has {} rows, at most {MOST_ITEMS} are read", of_survey.rows.len());
        return Err(vec![at(
            SURVEY,
            String::new(),
            "too_many_cells",
            message,
            "remove rows that are no questions",
        )]);
    }
    settings::read(of_settings, base, &mut edited, &mut places);
    // Of another questionnaire everything is wrong; the first reason is the one to tell.
    if places.problems.iter().any(|problem| problem.code == "another_base") {
        return Err(told(places.problems));
    }
    let survey = survey::read(of_survey, &mut edited, &mut places);
    rules::read(of_rules, &mut edited, &mut places);
    choices::read(of_choices, &mut edited, &mut places);
    let mut operations = settings::parameters(of_parameters, base, &mut places);
    if !places.problems.is_empty() {
        return Err(told(places.problems));
    }
    let found = derive(base, &edited).map_err(|refusals| told(in_cells(refusals, of_survey, &places)))?;
    operations.extend(found);
    accept(&mut operations, &survey.accepting);
    let (so_far, refusals) = overlay::draft(base, &operations);
    if !refusals.is_empty() {
        return Err(told(in_cells(refusals, of_survey, &places)));
    }
    operations.extend(texts::read(of_translations, &so_far, &mut places));
    if !places.problems.is_empty() {
        return Err(told(places.problems));
    }
    match overlay::apply(base, &operations) {
        Ok(_) => Ok(operations),
        Err(refusals) => Err(told(in_cells(refusals, of_survey, &places))),
    }
}

fn told(mut problems: Vec<CellProblem>) -> Vec<CellProblem> {
    problems.truncate(MOST_TOLD);
    problems
}

/// What may go without a hidden question is what the member wrote, not what happens to read it.
fn accept(operations: &mut [Operation], accepted: &HashMap<String, Vec<String>>) {
    for operation in operations {
        if let Operation::Hide { question, accepting, .. } = operation {
            *accepting = accepted.get(question).cloned().unwrap_or_default();
        }
    }
}

fn in_cells(refusals: Vec<Refusal>, survey: &Sheet, places: &Places) -> Vec<CellProblem> {
    refusals.into_iter().map(|refusal| in_cell(refusal, survey, places)).collect()
}

/// Where a refusal stands: at the keyword the form check names, at the thing it is about, or at the top of the survey.
fn in_cell(refusal: Refusal, survey: &Sheet, places: &Places) -> CellProblem {
    let of_check = refusal.problem.as_ref().and_then(|problem| of_path(&problem.path, survey, places));
    let about = refusal.about.as_deref().unwrap_or_default();
    let found = of_check
        .or_else(|| places.cells.get(about).cloned())
        .or_else(|| of_path(about, survey, places))
        .or_else(|| places.cells.get(about.split(['#', '=']).next().unwrap_or_default()).cloned());
    let (sheet, cell) = found.unwrap_or((SURVEY, "A1".to_owned()));
    at(sheet, cell, &refusal.code, refusal.message, &refusal.remedy)
}

/// The cell of a place in the definition: its last name we know, in the column of its keyword.
fn of_path(path: &str, survey: &Sheet, places: &Places) -> Option<(&'static str, String)> {
    if let Some(found) = places.cells.get(path) {
        return Some(found.clone());
    }
    let parts: Vec<&str> = path.split('/').collect();
    let known = parts.iter().rposition(|part| places.cells.contains_key(*part))?;
    let name = parts[known];
    let column = match *parts.get(known + 1).unwrap_or(&"") {
        "x-relevant" => "relevant",
        "x-required" => "required",
        "x-calculate" => "calculation",
        "x-default" => "default",
        "x-choices" if parts.last() == Some(&"filter") => "choice filter",
        "x-choices" => "list",
        "title" => "label",
        "description" => "hint",
        _ => "",
    };
    let row = places.rows.get(name);
    match row.and_then(|number| survey.rows().find(|row| row.number == *number)) {
        Some(row) if !column.is_empty() => Some((SURVEY, row.cell(column))),
        _ => places.cells.get(name).cloned(),
    }
}
