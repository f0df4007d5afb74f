//! The register as a table: CSV in and out. A file is read twice, line by line: first every problem of every line is listed,
//! then what is good is stored. Memory does not grow with the file, except for the codes in it. A line that was imported
//! before, by this file or by an export of this register, is found unchanged: importing twice is importing once.

mod cells;
mod columns;
mod export;
mod likely;
mod lines;
mod report;
pub(super) mod routes;
mod storing;

use std::io::Read;
use std::path::Path;

pub use export::export;
pub use report::{LineProblem, Report};

use super::Facilities;
use super::sight::Sight;
use crate::db::By;
use crate::error::{Error, Result};
use likely::Likely;
use lines::{Checked, Checker, Lines};

/// Lines checked, and stored, in one go.
const BATCH: usize = 250;

/// What is done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is stored.
    DryRun,
    /// Everything is stored, or where any line has a problem nothing.
    AllOrNothing,
    /// The lines without problems are stored.
    GoodLines,
}

impl Facilities {
    /// Imports the file at `path`, within what `sight` reaches; `tell` hears how many bytes of it are read. Blocks.
    pub fn import(
        &self,
        path: &Path,
        mode: Mode,
        sight: &Sight,
        by: &By,
        tell: impl FnMut(u64),
    ) -> Result<Report> {
        let open = || {
            let file = std::fs::File::open(path).map_err(|cause| {
                Error::invalid("file_unreadable", format!("{} cannot be read: {cause}", path.display()))
            })?;
            Ok(Box::new(file) as Box<dyn Read>)
        };
        self.import_from(&open, mode, sight, by, tell)
    }

    /// Imports what `open` opens, which is opened once to be checked and once to be stored.
    pub(super) fn import_from(
        &self,
        open: &dyn Fn() -> Result<Box<dyn Read>>,
        mode: Mode,
        sight: &Sight,
        by: &By,
        mut tell: impl FnMut(u64),
    ) -> Result<Report> {
        let mut report = Report::default();
        let mut likely = (mode == Mode::DryRun).then(|| Likely::new(sight));
        self.each_batch(open()?, sight, &mut tell, |checked| {
            report.take_in(&checked);
            if let Some(likely) = &mut likely {
                let (warnings, left_out) = self.db.read_here(|conn| likely.look(conn, &checked))?;
                report.warn(warnings, left_out);
            }
            Ok(())
        })?;
        let refused = mode == Mode::AllOrNothing && report.problem_count > 0;
        if mode == Mode::DryRun || refused {
            return Ok(report);
        }
        self.each_batch(open()?, sight, &mut tell, |checked| {
            report.imported += self.store(checked, by)?;
            Ok(())
        })?;
        report.done = true;
        Ok(report)
    }

    fn each_batch(
        &self,
        file: Box<dyn Read>,
        sight: &Sight,
        tell: &mut impl FnMut(u64),
        mut with: impl FnMut(Vec<Checked>) -> Result<()>,
    ) -> Result<()> {
        let mut lines = Lines::of(file)?;
        let mut checker = Checker::new(&self.places, sight);
        loop {
            let batch = lines.next(BATCH)?;
            if batch.is_empty() {
                return Ok(());
            }
            let checked = batch.into_iter().map(|line| checker.check(line)).collect();
            let checked = self.db.read_here(|conn| checker.compare(conn, checked))?;
            tell(lines.bytes());
            with(checked)?;
        }
    }
}
