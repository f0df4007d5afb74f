//! `nigran simulate --months`: a year of a province on a server of its own, which nobody else reaches and whose clock is
//! moved. At the end the books are printed; what does not add up is named, and the command then ends with code 3.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use chrono::{DateTime, Utc};

use super::progress::Bar;
use super::say;
use crate::accounts::bootstrap;
use crate::app::{self, App};
use crate::clock::{Clock, Ids};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::year::{Played, Server, Year};

/// How likely somebody goes out on a working day.
const PACE: f64 = 0.5;

/// A year about to be simulated.
pub(super) struct SimulatedYear {
    pub(super) people: u32,
    pub(super) months: u32,
    pub(super) seed: u64,
    /// Where the server keeps its data; without it, a folder of its own that is removed afterwards.
    pub(super) folder: Option<PathBuf>,
}

impl SimulatedYear {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let kept = self.folder.is_some();
        let folder = self.folder.clone().unwrap_or_else(|| {
            std::env::temp_dir().join(format!("nigran-year-{}", uuid::Uuid::now_v7().simple()))
        });
        let is_empty = std::fs::read_dir(&folder).map_or(true, |mut files| files.next().is_none());
        if kept && !is_empty {
            return Err(Error::invalid(
                "folder_in_use",
                format!("{} is not empty; name a folder that is, or none", folder.display()),
            ));
        }
        std::fs::create_dir_all(&folder).map_err(|cause| {
            Error::invalid("folder_not_made", format!("{} cannot be made: {cause}", folder.display()))
        })?;
        let began = Instant::now();
        let played = self.play(folder.clone()).await;
        if !kept {
            // What could not be removed is in the machine's own temporary folder.
            let _ = std::fs::remove_dir_all(&folder);
        }
        let played = played?;
        table(&played, began);
        Ok(match played.account.adds_up() {
            true => ExitCode::SUCCESS,
            false => ExitCode::from(super::NOT_AS_IT_SHOULD_BE),
        })
    }

    async fn play(&self, folder: PathBuf) -> Result<Played> {
        let mut config =
            Config { listen: "127.0.0.1:0".to_owned(), data_dir: folder, workers: 2, ..Config::default() };
        // Jobs are run when the clock has been moved, by whoever moves it.
        config.jobs.at_once = 0;
        let clock = Clock::manual(beginning());
        let app = App::open(&config, clock.clone(), Ids::counted()).await?;
        let password = format!("simulated administrator of seed {}", self.seed);
        let (db, secret) = (app.db.clone(), password.clone());
        tokio::task::spawn_blocking(move || bootstrap::ensure_admin(&db, &secret))
            .await
            .map_err(|cause| Error::internal("making the first account", cause))??;
        let running = app::serve(&config, app)?;
        let url = format!("http://{}", running.address);
        let days = self.months * 365 / 12;
        let year = Year { people: self.people as usize, days, seed: self.seed, pace: PACE };
        say(&format!(
            "{} people, {days} days from {}, seed {}",
            self.people,
            beginning().date_naive(),
            self.seed
        ));
        let server = Server {
            app: &running.app,
            url: &url,
            clock: &clock,
            administrator: ("admin".to_owned(), password),
        };
        let bar = Bar::new("days");
        let played = year.play(&server, |day, _| bar.show(day.into(), days.into())).await;
        bar.finish();
        running.stop().await?;
        played
    }
}

/// When every simulated year begins.
fn beginning() -> DateTime<Utc> {
    DateTime::from_timestamp(1_798_700_400, 0).unwrap_or_default()
}

fn table(played: &Played, began: Instant) {
    let row = |what: &str, value: String| say(&format!("{what:40} {value:>14}"));
    let account = &played.account;
    row("submissions filed", played.filed.to_string());
    row("corrected after they were sent back", played.revised.to_string());
    counts("decisions of reviewers", &played.decisions);
    row("findings opened", account.opened.to_string());
    row("  deadline met", account.met.to_string());
    row("  deadline breached", account.breached.to_string());
    row("  deadline stands still", account.paused.to_string());
    row("  deadline still to come", account.running.to_string());
    row("  taken back by the rules before it", account.withdrawn.to_string());
    row("  no deadline", account.without.to_string());
    row("times a deadline was stopped", account.pauses.to_string());
    row("steps up the referral matrix", account.escalations.to_string());
    counts("referrals", &account.referrals);
    counts("visits assigned", &account.assignments);
    counts("notices", &account.notices);
    counts("refused", &played.refused);
    row("requests", played.requests.to_string());
    row("jobs", played.jobs.to_string());
    row("events", account.events.to_string());
    say(&format!("digest of the events {}", account.digest));
    row("took", format!("{:.1} s", began.elapsed().as_secs_f64()));
    match account.adds_up() {
        true => say("every deadline is accounted for"),
        false => {
            say("not as it should be:");
            account.mistakes.iter().for_each(|mistake| say(&format!("  {mistake}")));
        }
    }
}

fn counts(heading: &str, counts: &BTreeMap<String, u64>) {
    if counts.is_empty() {
        return;
    }
    say(heading);
    for (what, count) in counts {
        say(&format!("  {what:38} {count:>14}"));
    }
}
