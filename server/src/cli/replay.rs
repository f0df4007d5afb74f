//! `nigran replay`: what a proposed release would have meant, tried here and now. It reads the database beside a running server or
//! without one, and writes nothing.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use clap::Args;

use super::form::{Beside, Questionnaire, gathered};
use super::progress::Bar;
use super::{NOT_AS_IT_SHOULD_BE, open, say};
use crate::accounts::Accounts;
use crate::assignments::Assignments;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::At;
use crate::error::{Error, Result};
use crate::findings::Findings;
use crate::forms::Forms;
use crate::places::Places;
use crate::replay::{self, Asked, Law, Over, Replays, Report};
use crate::submissions::Watchers;

/// Try a proposed questionnaire on past submissions: verdicts and findings gained and lost, questions without an answer, minutes.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  nigran replay --package my-form\n  nigran replay --package my-form --form child-labour-inspection --against 1 --sample 1000 --seed 7\n  nigran replay --package release-2.json --from 2026-01-01T00:00:00+05:00 --to 2026-07-01T00:00:00+05:00 --json\n\nPACKAGE is a form folder, its form.json, or a whole release saved as JSON. Nothing is written.\nExit codes: 0 tried; 3 the questionnaire is refused; 1 it could not be done."
)]
pub(super) struct Replay {
    /// The form the package must be of.
    #[arg(long)]
    form: Option<String>,
    /// The proposed questionnaire.
    #[arg(long, value_name = "FILE")]
    package: PathBuf,
    #[command(flatten)]
    beside: Beside,
    /// The release to compare with; otherwise the newest one.
    #[arg(long, value_name = "VERSION")]
    against: Option<u32>,
    /// Only so many submissions, drawn by lot.
    #[arg(long, value_name = "N", conflicts_with_all = ["from", "to"])]
    sample: Option<u32>,
    /// Which: the same seed draws the same.
    #[arg(long, default_value_t = 0, requires = "sample")]
    seed: u64,
    /// Only visits that ended from this instant on.
    #[arg(long, value_name = "INSTANT", requires = "to")]
    from: Option<DateTime<Utc>>,
    /// Only visits that ended before this instant.
    #[arg(long, value_name = "INSTANT", requires = "from")]
    to: Option<DateTime<Utc>>,
    /// As the submissions stood at this instant; an earlier report names one.
    #[arg(long, value_name = "INSTANT")]
    through: Option<DateTime<Utc>>,
    /// Judge as if the limits it brings had always been in force, not by the law of each visit's day.
    #[arg(long)]
    as_if_in_force: bool,
    /// Print the whole report as JSON.
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub(super) async fn run(self, config: &Config) -> Result<ExitCode> {
        let mut words = Vec::new();
        let questionnaire = Questionnaire { file: self.package.clone(), beside: self.beside };
        let Some(package) = gathered(&questionnaire, &mut words)? else {
            say(String::from_utf8_lossy(&words).trim_end());
            return Ok(ExitCode::from(NOT_AS_IT_SHOULD_BE));
        };
        if let Some(form) = self.form.as_ref().filter(|form| **form != package.form) {
            let what = format!("{} is a release of {}, not of {form}", self.package.display(), package.form);
            return Err(Error::invalid("other_form", what));
        }
        let over = match (self.sample, self.from, self.to) {
            (Some(size), ..) => Over::Sample { size, seed: self.seed },
            (None, Some(from), Some(to)) => Over::Period { from: At::from(from), to: At::from(to) },
            _ => Over::All,
        };
        let law = if self.as_if_in_force { Law::AsIfInForce } else { Law::OfTheDay };
        let (against, json) = (self.against, self.json);
        // Which release it is held against is known once the database is open.
        let asked = Asked { package, against: 0, over, law, through: self.through.map(At::from) };
        let config = config.clone();
        let trying = move || tried(&config, asked, against);
        let (report, hash) = tokio::task::spawn_blocking(trying)
            .await
            .map_err(|cause| Error::internal("trying a questionnaire", cause))??;
        told(&report, &hash, json)
    }
}

fn tried(config: &Config, asked: Asked, against: Option<u32>) -> Result<(Report, String)> {
    let db = open(config)?;
    let forms = Forms::new(db.clone());
    let places = db.read_here(Places::load)?;
    let accounts = Accounts::open(db.clone(), Clock::System, &config.data_dir.join("keys"))?;
    let findings = Findings::open(db.clone(), Clock::System, forms.clone())?;
    let assignments = Assignments::open(db.clone(), Clock::System)?;
    let watchers = Watchers::new(vec![Arc::new(findings), Arc::new(assignments)]);
    let room = Replays::new(db.clone(), forms, places, watchers, accounts.tokens());
    let against = match against {
        Some(against) => against,
        None => room.newest(&asked.package.form)?,
    };
    let bar = Bar::new("judging");
    let tried = room.try_here(Asked { against, ..asked }, |done, all| bar.show(done, all));
    bar.finish();
    db.close();
    tried
}

fn told(report: &Report, hash: &str, json: bool) -> Result<ExitCode> {
    let text = match json {
        true => serde_json::to_string(report).map_err(|cause| Error::internal("writing a report", cause))?,
        false => format!("{}report   {hash}", replay::table(report)),
    };
    say(&text);
    Ok(ExitCode::SUCCESS)
}
