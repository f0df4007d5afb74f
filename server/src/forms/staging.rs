//! Giving out what was approved: from a day on, to some and then to more, and back again. A release is written once, by
//! `publishing.rs`; what happens to it here are events, each told to phones and to the audit log.

use chrono::{Duration, NaiveDate};
use form_engine::Package;
use serde::Serialize;
use serde_json::{Value, json};

use super::model::{EventRow, Staged};
use super::plan::{FormPlan, Plan, Planned};
use super::publishing::{self, Published};
use super::rollout::{RolloutDeed, Schedule, Stage, Taking, Widening, beginning_of};
use super::store;
use crate::audit::{self, Event};
use crate::db::{At, Json, Tx, storable};
use crate::error::{Error, Result};
use crate::feed::{self, Audience, What};
use crate::queue::{self, Done, Job, Task};

/// Tells phones that a release has come into force.
pub const EFFECTIVE: &str = "release.effective";

/// The longest grace period, in days.
const LONGEST_GRACE: u16 = 3660;

/// How far ahead a release may be scheduled.
const FARTHEST: Duration = Duration::days(2 * 366);

/// The longest reason.
const REASON_CHARACTERS: usize = 2000;

/// What was approved, and how it is to be given out.
#[derive(Clone, Debug)]
pub struct Approved {
    /// The release; its number must be the next one.
    pub package: Package,
    /// The day in Pakistan from which it is given out, from midnight on. Today or earlier: at once.
    pub effective_from: NaiveDate,
    /// For how many days after it reached them people file older releases without a flag. They file them afterwards, too.
    pub grace_days: u16,
    /// To whom it is given first.
    pub stage: Stage,
    /// The proposal it follows from.
    pub proposal_id: Option<String>,
    /// SHA-256 of the minutes of the decision.
    pub minutes_hash: Option<String>,
    /// The record of publishing it without a vote, where nobody voted.
    pub without_a_vote: Option<String>,
}

/// Publishes what was approved. Doing it twice for the same proposal is the same as doing it once.
///
/// A process that serves forms calls [`super::Forms::refresh`] afterwards; the others notice within two seconds.
pub fn publish_approved(tx: &mut Tx, approved: &Approved) -> Result<Staged> {
    let Approved { package, effective_from, grace_days, proposal_id, minutes_hash, .. } = approved;
    let stage = approved.stage.clone().checked()?;
    if *grace_days > LONGEST_GRACE {
        return Err(Error::invalid(
            "grace_too_long",
            format!("a grace period has at most {LONGEST_GRACE} days"),
        ));
    }
    let now = tx.now();
    let effective_at = beginning_of(*effective_from).max(now);
    if effective_at > now + FARTHEST {
        return Err(Error::invalid("effective_too_far", "a release comes into force within two years"));
    }
    if publishing::written(tx, package)? == Published::Already {
        return published_before(tx, approved);
    }
    let schedule = Schedule {
        effective_at: At::from(effective_at),
        grace_days: *grace_days,
        stage,
        proposal: proposal_id.clone(),
        minutes_hash: minutes_hash.clone(),
        without_a_vote: approved.without_a_vote.clone(),
    };
    let version = package.version as i32;
    write_event(tx, &package.form, version, RolloutDeed::Scheduled, &schedule)?;
    let details = json!({
        "version": version, "hash": package.hash(), "effective_at": schedule.effective_at, "grace_days": grace_days,
        "stage": schedule.stage, "proposal": proposal_id, "minutes_hash": minutes_hash,
        "without_a_vote": schedule.without_a_vote,
    });
    audit::record(tx, Event::new("release.scheduled", "form", &package.form, details))?;
    // Phones hear of it when there is something to hear.
    if effective_at <= now {
        feed::changed(tx, What::Release, &package.form, Audience::Everyone)?;
    } else {
        let job =
            Job::new(EFFECTIVE, package.form.clone()).with(json!({ "version": version })).at(effective_at);
        queue::enqueue(tx, job.once(format!("{} {version}", package.form)))?;
    }
    staged(tx, &package.form, package.version)
}

fn published_before(tx: &mut Tx, approved: &Approved) -> Result<Staged> {
    let staged = staged(tx, &approved.package.form, approved.package.version)?;
    match approved.proposal_id.is_some() && staged.proposal == approved.proposal_id {
        true => Ok(staged),
        false => Err(Error::conflict(
            "release_published",
            format!("{} {} was published before; propose a change to it", staged.form, staged.version),
        )),
    }
}

/// Gives a release to more people than it was given to.
pub fn widen(tx: &mut Tx, form: &str, version: u32, stage: Stage) -> Result<Staged> {
    let stage = stage.checked()?;
    let plan = plan_of(tx, form)?;
    let planned = in_use(&plan, version)?;
    planned.rollout.may_widen_to(&stage)?;
    add(tx, form, planned.head.version, RolloutDeed::Widened, &Widening { stage: stage.clone() })?;
    let details = json!({ "version": version, "from": planned.rollout.stage(), "to": stage });
    audit::record(tx, Event::new("release.widened", "form", form, details))?;
    staged(tx, form, version)
}

/// Takes back the newest release that is given out or scheduled: whoever had it gets the one before it. Naming the release keeps two
/// who do this at once from going two steps back.
pub fn roll_back(tx: &mut Tx, form: &str, version: u32, reason: &str) -> Result<Staged> {
    let plan = plan_of(tx, form)?;
    let planned = in_use(&plan, version)?;
    let mut standing = plan.in_use();
    let newest = standing.next().map(|it| it.head.version);
    if newest != Some(planned.head.version) {
        let newest = newest.unwrap_or_default();
        return Err(Error::conflict(
            "not_the_newest",
            format!("{form} {newest} is given out after {version}; roll that one back first"),
        ));
    }
    if standing.next().is_none() {
        return Err(Error::conflict(
            "nothing_to_roll_back_to",
            format!(
                "{form} has no release before {version} to go back to; retire it, or publish a better one"
            ),
        ));
    }
    take(tx, planned, RolloutDeed::RolledBack, "release.rolled_back", reason)
}

/// Retires a release: neither it nor any older one is given out any more. If no newer one is, the form is out of use. What was
/// begun with it is filed all the same.
pub fn retire(tx: &mut Tx, form: &str, version: u32, reason: &str) -> Result<Staged> {
    let plan = plan_of(tx, form)?;
    let planned = in_use(&plan, version)?;
    take(tx, planned, RolloutDeed::Retired, "release.retired", reason)
}

fn take(
    tx: &mut Tx,
    planned: &Planned,
    deed: RolloutDeed,
    name: &'static str,
    reason: &str,
) -> Result<Staged> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARACTERS {
        let why = format!("say why, in 1 to {REASON_CHARACTERS} characters; people will ask");
        return Err(Error::invalid("reason_missing", why));
    }
    let (form, version) = (planned.head.form.clone(), planned.head.version);
    add(tx, &form, version, deed, &Taking { reason: storable(reason.to_owned()) })?;
    let details = json!({ "version": version, "hash": planned.head.hash, "reason": reason });
    audit::record(tx, Event::new(name, "form", &form, details))?;
    staged(tx, &form, version.unsigned_abs())
}

/// Writes down that people were told something is wrong with a release. False: they were told before.
pub fn note_alarm(tx: &mut Tx, form: &str, version: u32, figures: &Value) -> Result<bool> {
    let alarms = store::events(tx.conn)?;
    let told = alarms.iter().any(|event| {
        let same = event.form == form && i64::from(event.version) == i64::from(version);
        same && event.deed == RolloutDeed::Alarmed
            && event.details.read::<Value>().is_ok_and(|told| told["code"] == figures["code"])
    });
    if told {
        return Ok(false);
    }
    write_event(tx, form, version as i32, RolloutDeed::Alarmed, figures)?;
    let mut details = figures.clone();
    details["version"] = version.into();
    audit::record(tx, Event::new("release.alarmed", "form", form, details))?;
    Ok(true)
}

/// Tells phones that a release has come into force by now.
pub(super) fn came_into_force(tx: &mut Tx, task: &Task) -> Result<Done> {
    feed::changed(tx, What::Release, &task.subject, Audience::Everyone)?;
    queue::finish(tx, task)
}

/// Writes an event down and tells phones.
fn add(tx: &mut Tx, form: &str, version: i32, deed: RolloutDeed, details: &impl Serialize) -> Result<()> {
    write_event(tx, form, version, deed, details)?;
    feed::changed(tx, What::Release, form, Audience::Everyone)
}

fn write_event(
    tx: &mut Tx,
    form: &str,
    version: i32,
    deed: RolloutDeed,
    details: &impl Serialize,
) -> Result<()> {
    let event = EventRow {
        form: form.to_owned(),
        n: store::next_event(tx.conn, form)?,
        version,
        at: At::from(tx.now()),
        account_id: tx.by.account.clone(),
        deed,
        details: Json::of(details)?,
    };
    match store::add_event(tx.conn, &event)? {
        true => Ok(()),
        false => Err(Error::conflict(
            "rollout_moved",
            format!(
                "somebody decided about {form} at this moment; look again at GET /v1/forms/{form}/rollout"
            ),
        )),
    }
}

fn plan_of(tx: &mut Tx, form: &str) -> Result<FormPlan> {
    let now = At::from(tx.now());
    Plan::read(tx.conn, now)?.into_form(form).ok_or_else(|| {
        Error::not_found("form_unknown", format!("there is no form {form}; GET /v1/forms lists them"))
    })
}

/// The release, unless it was taken back.
fn in_use(plan: &FormPlan, version: u32) -> Result<&Planned> {
    let form = &plan.form;
    let planned = plan.release(version).ok_or_else(|| {
        Error::not_found(
            "release_unknown",
            format!("form {form} has no release {version}; GET /v1/forms/{form} lists them"),
        )
    })?;
    match planned.rollout.taken {
        None => Ok(planned),
        Some((at, deed)) => Err(Error::conflict(
            "release_withdrawn",
            format!(
                "{form} {version} was {} at {at}; publish a new release instead",
                deed.as_str().replace('_', " ")
            ),
        )),
    }
}

fn staged(tx: &mut Tx, form: &str, version: u32) -> Result<Staged> {
    let plan = plan_of(tx, form)?;
    let planned = plan.release(version);
    planned.map(Staged::of).ok_or_else(|| Error::internal("reading a release", "it is gone"))
}
