//! What came of a file, line by line.

use serde::Serialize;

use super::lines::Checked;

/// As many problems are listed one by one; beyond, they are counted.
const LISTED: usize = 10_000;

/// Something wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(example = json!({ "line": 17, "column": "lat", "code": "swapped_coordinates", "message": "lat and lon seem to be exchanged: …" }))]
pub struct LineProblem {
    /// The line it begins in, from one; the header is a line.
    pub line: u64,
    /// The column; none: the whole line.
    pub column: Option<String>,
    /// Stable, for programs.
    pub code: &'static str,
    /// Names the thing and the remedy.
    pub message: String,
}

/// What came of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "done": false, "lines": 100000, "good": 99000, "unchanged": 0, "imported": 0, "problem_count": 1000,
    "problems": [{ "line": 17, "column": "lat", "code": "swapped_coordinates", "message": "lat and lon seem to be exchanged: …" }],
    "warning_count": 1, "warnings": [{ "line": 20, "column": null, "code": "possible_duplicate",
        "message": "may be PK226-K-0042 (Demo Kiln One, 80 m away), which is registered; …" }], "not_compared": 0
}))]
pub struct Report {
    /// Whether anything was to be stored, and was.
    pub done: bool,
    /// Lines after the header.
    pub lines: u64,
    /// Lines without a problem.
    pub good: u64,
    /// Of those, lines the register had already.
    pub unchanged: u64,
    /// Facilities that were stored.
    pub imported: u64,
    /// Problems in all.
    pub problem_count: u64,
    /// The first 10000 of them, in the order of the lines.
    pub problems: Vec<LineProblem>,
    /// Of a dry run: good lines that may be a place the register has, or that the file has twice. They are imported all
    /// the same.
    pub warning_count: u64,
    /// The first 10000 of them, in the order of the lines.
    pub warnings: Vec<LineProblem>,
    /// Of a dry run: good lines without a position that were too many to be compared by name.
    pub not_compared: u64,
}

impl Report {
    pub(super) fn warn(&mut self, warnings: Vec<LineProblem>, not_compared: u64) {
        self.warning_count += warnings.len() as u64;
        self.not_compared += not_compared;
        let room = LISTED.saturating_sub(self.warnings.len());
        self.warnings.extend(warnings.into_iter().take(room));
    }

    pub(super) fn take_in(&mut self, checked: &[Checked]) {
        for line in checked {
            self.lines += 1;
            match line {
                Checked::New(_) => self.good += 1,
                Checked::Unchanged => {
                    self.good += 1;
                    self.unchanged += 1;
                }
                Checked::Bad(problems) => {
                    self.problem_count += problems.len() as u64;
                    let room = LISTED.saturating_sub(self.problems.len());
                    self.problems.extend(problems.iter().take(room).cloned());
                }
            }
        }
    }
}
