//! `nigran form …`: check a questionnaire, try it on answers, publish it, see what changed. Only `publish` opens the database.
//!
//! Every command writes to whatever it is given, so that its words are tested without a process.

mod check;
mod compared;
mod files;
mod marked;
#[cfg(test)]
mod tests;
mod told;
mod trial;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use form_engine::{Package, compile};

use super::open;
use crate::config::Config;
use crate::db::By;
use crate::desk;
use crate::error::{Error, Result};
use crate::forms::Published;
use files::Gathered;

#[derive(Subcommand)]
pub(super) enum Form {
    /// Check a questionnaire before it is published: every mistake with its place and a remedy, its price and its hash.
    #[command(
        after_help = "Examples:\n  nigran form check form-definitions/child-labour-inspection\n  nigran form check my-form/form.json --lists lists --parameters parameters --json\n\nExit codes: 0 sound; 3 refused (with --strict, also when there are warnings); 1 the file cannot be read."
    )]
    Check(check::Check),
    /// Try a questionnaire on answers: what is wrong with them, what is calculated, what is found, and why.
    #[command(
        after_help = "Examples:\n  nigran form try form-definitions/child-labour-inspection form-definitions/child-labour-inspection/cases/b3-disputed-age.json\n  nigran form try my-form answers.json --finished-at 2026-11-20T12:45:00+05:00 --district PK226 --prev last-visit.json\n\nANSWERS is a case (with `context` and `expect`), an envelope as a phone sends it, or the bare answers.\nExit codes: 0 tried; 3 the form is refused, or a case does not come out as it expects; 1 a file cannot be read."
    )]
    Try(trial::Trial),
    /// Publish a questionnaire into the configured database as its next release; a running server offers it within seconds.
    #[command(
        after_help = "Example:\n  nigran form publish form-definitions/child-labour-inspection\n\nExit codes: 0 published, or this very release was published before; 3 refused; 1 it could not be done, for instance because\nx-form.version is not the next number."
    )]
    Publish(Publish),
    /// Say in sentences what changed between two versions of a questionnaire, and what that asks of older answers.
    #[command(
        after_help = "Examples:\n  nigran form compare form-definitions/child-labour-inspection my-form\n  nigran form compare release-3.json my-form/form.json --language ur\n\nOLD and NEW are form folders, form.json files, or releases saved from GET /v1/forms/FORM/releases/VERSION."
    )]
    Compare(compared::Compare),
}

/// A questionnaire and where the files it uses lie.
#[derive(Args)]
pub(super) struct Questionnaire {
    /// A form folder, its form.json, or a whole release saved as JSON.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) beside: Beside,
}

/// Where lists, parameters and baselines lie when not beside the form's folder.
#[derive(Args, Default)]
pub(super) struct Beside {
    /// Folder of the choice lists; otherwise choice-lists beside the form's folder.
    #[arg(long, value_name = "FOLDER")]
    pub(super) lists: Option<PathBuf>,
    /// Folder of the parameters; otherwise parameters beside the form's folder.
    #[arg(long, value_name = "FOLDER")]
    pub(super) parameters: Option<PathBuf>,
    /// Folder of the baselines; otherwise baselines beside the form's folder.
    #[arg(long, value_name = "FOLDER")]
    pub(super) baselines: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct Publish {
    #[command(flatten)]
    questionnaire: Questionnaire,
}

/// How a command ended that could be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Well,
    /// What was looked at is not as it should be.
    Refused,
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> ExitCode {
        match ended {
            Ended::Well => ExitCode::SUCCESS,
            Ended::Refused => ExitCode::from(super::NOT_AS_IT_SHOULD_BE),
        }
    }
}

impl Form {
    /// Carries the command out. The settings are read only where they are needed.
    pub(super) async fn run(self, settings: impl FnOnce() -> Result<Config>) -> Result<ExitCode> {
        let mut words = Vec::new();
        let ended = match self {
            Form::Check(check) => check.run(&mut words),
            Form::Try(trial) => trial.run(&mut words),
            Form::Compare(compare) => compare.run(&mut words),
            Form::Publish(publish) => match publish.package(&mut words)? {
                Some(package) => published(settings()?, package, &mut words).await,
                None => Ok(Ended::Refused),
            },
        };
        // A reader that went away (`| head`) is no failure.
        let _ = std::io::stdout().write_all(&words);
        ended.map(ExitCode::from)
    }
}

impl Publish {
    fn package(self, out: &mut impl Write) -> Result<Option<Package>> {
        gathered(&self.questionnaire, out)
    }
}

/// The questionnaire, if it is sound; otherwise says what is wrong with it.
pub(super) fn gathered(questionnaire: &Questionnaire, out: &mut impl Write) -> Result<Option<Package>> {
    let Gathered { package, problems } = files::gather(questionnaire)?;
    sound(package, problems, out)
}

/// Publishes a sound questionnaire, beside a running server or without one.
async fn published(config: Config, package: Package, out: &mut impl Write) -> Result<Ended> {
    let (form, version, hash) = (package.form.clone(), package.version, package.hash());
    let publishing = tokio::task::spawn_blocking(move || {
        let db = open(&config)?;
        let published = db.write_here(By::system(), move |tx| desk::publish_directly(tx, &package));
        db.close();
        published
    });
    match publishing.await.map_err(|cause| Error::internal("publishing a questionnaire", cause))?? {
        Published::New => line(out, &format!("published {form} {version}"))?,
        Published::Already => line(out, &format!("{form} {version} was published before; nothing changed"))?,
    }
    line(out, &format!("  hash   {hash}"))?;
    Ok(Ended::Well)
}

/// The package if it compiles; otherwise says what is wrong with it.
fn sound(
    package: Option<Package>,
    mut problems: Vec<form_engine::Problem>,
    out: &mut impl Write,
) -> Result<Option<Package>> {
    if let Some(package) = &package {
        problems.extend(compile(package).err().unwrap_or_default());
    }
    if problems.is_empty() {
        return Ok(package);
    }
    problems.iter().try_for_each(|problem| marked::write(out, problem))?;
    line(out, &format!("refused: {}", check::count(problems.len(), "problem")))?;
    Ok(None)
}

fn line(out: &mut impl Write, text: &str) -> Result<()> {
    writeln!(out, "{text}").map_err(not_written)
}

fn not_written(cause: std::io::Error) -> Error {
    Error::internal("writing the answer", cause)
}
