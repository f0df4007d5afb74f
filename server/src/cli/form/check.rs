//! `nigran form check`: is the questionnaire sound?

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use form_engine::{Package, Price, Problem, compile};
use serde_json::json;

use super::files::{self, Gathered};
use super::{Ended, Questionnaire, line, marked};
use crate::error::Result;

/// Warnings of one code that are shown when not all are asked for.
const SHOWN_OF_ONE_CODE: usize = 5;
/// Rules that are shown with their price.
const SHOWN_OF_THE_DEAREST: usize = 3;

#[derive(Args)]
pub(in crate::cli) struct Check {
    #[command(flatten)]
    pub(super) questionnaire: Questionnaire,
    /// Answer in JSON, for tools.
    #[arg(long)]
    pub(super) json: bool,
    /// Refuse a questionnaire with warnings too.
    #[arg(long)]
    pub(super) strict: bool,
    /// Show every warning, not only the first five of each sort.
    #[arg(long)]
    pub(super) all: bool,
}

/// What checking came to.
struct Checked {
    package: Option<Package>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    /// Known only of a sound questionnaire.
    price: Option<Price>,
}

impl Check {
    pub(super) fn run(self, out: &mut impl Write) -> Result<Ended> {
        let checked = check(files::gather(&self.questionnaire)?);
        let refused = !checked.problems.is_empty() || self.strict && !checked.warnings.is_empty();
        match self.json {
            true => self.for_tools(&checked, refused, out)?,
            false => self.for_people(&checked, refused, out)?,
        }
        Ok(if refused { Ended::Refused } else { Ended::Well })
    }

    fn for_tools(&self, checked: &Checked, refused: bool, out: &mut impl Write) -> Result<()> {
        let package = checked.package.as_ref();
        let report = json!({
            "file": self.questionnaire.file.display().to_string(),
            "form": package.map(|package| &package.form),
            "version": package.map(|package| package.version),
            "hash": package.map(Package::hash),
            "sound": !refused,
            "price": checked.price,
            "problems": checked.problems,
            "warnings": checked.warnings,
        });
        line(out, &format!("{report:#}"))
    }

    fn for_people(&self, checked: &Checked, refused: bool, out: &mut impl Write) -> Result<()> {
        checked.problems.iter().try_for_each(|problem| marked::write(out, problem))?;
        self.warnings(&checked.warnings, out)?;
        let (problems, warnings) = (checked.problems.len(), checked.warnings.len());
        let verdict = if refused { "refused" } else { "sound" };
        line(out, &format!("{verdict}: {}, {}", count(problems, "problem"), count(warnings, "warning")))?;
        if let Some(package) = &checked.package {
            line(out, &format!("  form   {} {}", package.form, package.version))?;
            line(out, &format!("  hash   {}", package.hash()))?;
        }
        checked.price.as_ref().map_or(Ok(()), |price| priced(price, out))
    }

    /// A language without texts warns of every one of them: the first few say it.
    fn warnings(&self, warnings: &[Problem], out: &mut impl Write) -> Result<()> {
        let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
        for warning in warnings {
            let times = shown.entry(&warning.code).or_default();
            *times += 1;
            if self.all || *times <= SHOWN_OF_ONE_CODE {
                write!(out, "warning: ").map_err(super::not_written)?;
                marked::write(out, warning)?;
            }
        }
        for (code, times) in shown.into_iter().filter(|(_, times)| !self.all && *times > SHOWN_OF_ONE_CODE) {
            line(out, &format!("warning: {} more [{code}]; --all shows them", times - SHOWN_OF_ONE_CODE))?;
        }
        if warnings.is_empty() { Ok(()) } else { line(out, "") }
    }
}

fn check(gathered: Gathered) -> Checked {
    let Gathered { package, mut problems } = gathered;
    let (mut warnings, mut price) = (Vec::new(), None);
    match package.as_ref().map(compile) {
        Some(Ok(form)) => {
            warnings.extend_from_slice(form.warnings());
            price = Some(form.price().clone());
        }
        Some(Err(found)) => problems.extend(found),
        None => {}
    }
    Checked { package, problems, warnings, price }
}

fn priced(price: &Price, out: &mut impl Write) -> Result<()> {
    line(out, &format!("  price  {} steps in the worst case; the dearest rules:", price.worst_case_steps))?;
    price
        .dearest
        .iter()
        .take(SHOWN_OF_THE_DEAREST)
        .try_for_each(|(path, steps)| line(out, &format!("         {steps:>9}  {path}")))
}

/// `1 problem`, `2 problems`.
pub(super) fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        0 => format!("no {what}s"),
        _ => format!("{number} {what}s"),
    }
}
