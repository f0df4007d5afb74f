//! Watching what a release does once it is given out: how much of what comes in with it breaks rules, is sent back, turned down or
//! cannot be read at all, beside the release before it and district by district. A recurring job looks, and tells the Committee
//! when a share is beyond what the settings say; to whom a release is given is the forms room's business.

mod alarms;
mod model;
mod routes;

use std::collections::BTreeMap;

use chrono::Duration;
use serde_json::json;

pub(crate) use routes::routes;

use crate::config::RolloutConfig;
use crate::db::{At, By, Db, DbConn, Tx};
use crate::error::{Error, Result};
use crate::forms::{self, Staged};
use crate::queue::{self, Done, Job, Task};
use crate::submissions::{self, ReleaseTally, Tallies};
use model::{Alarm, Rates, Rollout, Watched};

/// The job that looks.
pub const WATCH: &str = "rollouts.watch";

/// How often it looks: a bad release is to be seen within hours.
const EVERY: Duration = Duration::minutes(10);

/// However the settings read, no more days than this are looked at.
const LONGEST_WATCH: i64 = 366;

/// What tells people; the room of notifications carries it out.
const NOTIFY: &str = "notify";

/// The room's service; clones share it.
#[derive(Clone)]
pub struct Rollouts {
    db: Db,
    settings: RolloutConfig,
}

impl Rollouts {
    /// The room over these.
    pub fn new(db: Db, settings: RolloutConfig) -> Rollouts {
        Rollouts { db, settings }
    }

    /// How the releases of a form do.
    fn view(&self, conn: &mut DbConn, form: &str) -> Result<Rollout> {
        let since = self.since();
        let releases = forms::staged(conn, form, self.db.now())?;
        if releases.is_empty() {
            let what = format!("there is no form {form}; GET /v1/forms lists them");
            return Err(Error::not_found("form_unknown", what));
        }
        let tallies = submissions::tallies(conn, form, since)?;
        let releases = self.watched(releases, &tallies);
        Ok(Rollout { form: form.to_owned(), since, releases })
    }

    fn since(&self) -> At {
        At::from(self.db.now() - Duration::days(self.settings.watch_days.clamp(1, LONGEST_WATCH)))
    }

    /// Each release with what came in with it, and beside the one before it.
    fn watched(&self, releases: Vec<Staged>, tallies: &Tallies) -> Vec<Watched> {
        let totals: Vec<ReleaseTally> = releases.iter().map(|it| total(tallies, it.version)).collect();
        let before = |at: usize| totals[at + 1..].iter().find(|tally| tally.filed > 0).copied();
        let alarms: Vec<Vec<Alarm>> =
            (0..totals.len()).map(|at| alarms::raised(&totals[at], before(at), &self.settings)).collect();
        releases
            .into_iter()
            .zip(totals)
            .zip(alarms)
            .map(|((release, total), alarms)| {
                let by_district = of_release(tallies, release.version);
                Watched::of(release, total, by_district, alarms)
            })
            .collect()
    }

    /// Looks at every form, and tells of what is newly beyond the settings: a job that recurs. Looking may take a while, and so
    /// does not happen where filings are written.
    pub async fn look(&self, task: Task) -> Result<Done> {
        let room = self.clone();
        let found = self.db.read(move |conn| room.found(conn)).await?;
        self.db
            .write(By::system(), move |tx| {
                found.iter().try_for_each(|(form, version, alarm)| tell(tx, form, *version, alarm))?;
                let next = tx.now() + EVERY;
                queue::again(tx, &task, next)
            })
            .await
    }

    /// What is beyond the settings with releases that were given out by decision and are in use.
    fn found(&self, conn: &mut DbConn) -> Result<Vec<(String, u32, Alarm)>> {
        let is_watched = |release: &Staged| release.grace_days.is_some() && release.withdrawn_at.is_none();
        let mut found = Vec::new();
        for listed in forms::current(conn)? {
            if !forms::staged(conn, &listed.form, self.db.now())?.iter().any(is_watched) {
                continue;
            }
            let watched = self.view(conn, &listed.form)?.releases.into_iter();
            for Watched { release, alarms, .. } in watched.filter(|watched| is_watched(&watched.release)) {
                let told = |alarm| (release.form.clone(), release.version, alarm);
                found.extend(alarms.into_iter().map(told));
            }
        }
        Ok(found)
    }
}

/// Tells of an alarm, unless that was done before.
fn tell(tx: &mut Tx, form: &str, version: u32, alarm: &Alarm) -> Result<()> {
    if !forms::note_alarm(tx, form, version, &json!(alarm))? {
        return Ok(());
    }
    tracing::warn!(form, version, alarm = alarm.code, "{form} {version}: {}", alarm.code);
    notify(tx, form, version, alarm)
}

fn notify(tx: &mut Tx, form: &str, version: u32, alarm: &Alarm) -> Result<()> {
    let subject = format!("form:{form}");
    let details = json!({
        "template": "release.alarmed", "subject": subject, "link": format!("/v1/forms/{form}/rollout"), "urgent": true,
        "audience": [{ "role": "committee" }, { "role": "admin" }],
    });
    let key = format!("release.alarmed:{form}:{version}:{}", alarm.code);
    queue::enqueue(tx, Job::new(NOTIFY, subject).with(details).once(key))
}

fn of_release(tallies: &Tallies, version: u32) -> BTreeMap<Option<String>, ReleaseTally> {
    let all = tallies.iter().filter(|((of, _), _)| *of == version);
    all.map(|((_, district), tally)| (district.clone(), *tally)).collect()
}

fn total(tallies: &Tallies, version: u32) -> ReleaseTally {
    let all = of_release(tallies, version);
    all.into_values().fold(ReleaseTally::default(), ReleaseTally::and)
}

impl Rates {
    fn of(tally: &ReleaseTally) -> Rates {
        let share =
            |count: i64, of: i64| (of > 0).then(|| (1000.0 * count as f64 / of as f64).round() / 1000.0);
        Rates {
            filed: tally.filed,
            invalid: tally.invalid,
            warned: tally.warned,
            returned: tally.returned,
            rejected: tally.rejected,
            quarantined: tally.quarantined,
            invalid_share: share(tally.invalid, tally.filed),
            sent_back_share: share(tally.returned + tally.rejected, tally.filed),
            quarantined_share: share(tally.quarantined, tally.filed + tally.quarantined),
        }
    }
}
