//! Pausing: a deadline stands still for a reason (a court, a flood) and runs on later by the time it stood still. A breach
//! that was recorded stays recorded.

use chrono::Duration;
use serde_json::json;

use super::Findings;
use super::alarms;
use super::casework::Casework;
use super::model::{Deed, FindingId, Note, no_deadline};
use super::requests::{NewPause, NewResume};
use super::steps::{self, Step};
use super::working::{OnPage, note_breach, put_back};
use crate::accounts::{Actor, Permission};
use crate::db::{At, Tx};
use crate::error::{Error, Result};
use crate::http::{needed_words, words};

/// How long a deadline may be told to stand still by one act.
const LONGEST_DAYS: i64 = 366;

impl Findings {
    /// Has a finding's deadline stand still.
    pub(super) async fn pause(&self, actor: Actor, page: OnPage, new: NewPause) -> Result<FindingId> {
        actor.may(Permission::WorkFindings)?;
        let reason = needed_words("reason", Some(new.reason))?;
        self.db.write(actor.by(), move |tx| pause(tx, &actor, &page, &reason, new.until)).await
    }

    /// Has it run again.
    pub(super) async fn resume(&self, actor: Actor, page: OnPage, new: NewResume) -> Result<FindingId> {
        actor.may(Permission::WorkFindings)?;
        let comment = words("comment", new.comment)?;
        self.db.write(actor.by(), move |tx| resume(tx, &actor, &page, comment.clone())).await
    }
}

fn pause(tx: &mut Tx, actor: &Actor, page: &OnPage, reason: &str, until: Option<At>) -> Result<FindingId> {
    let case = page.case(tx, actor)?;
    steps::check(Step::Pause, actor, &case)?;
    if case.paused_at.is_some() {
        return Err(Error::conflict(
            "paused_already",
            format!("the deadline of finding {} stands still already", case.id),
        ));
    }
    let latest = tx.now() + Duration::days(LONGEST_DAYS);
    if until.is_some_and(|until| until.utc() <= tx.now() || until.utc() > latest) {
        return Err(Error::invalid(
            "bad_until",
            format!("`until` lies in the future, at most {LONGEST_DAYS} days ahead"),
        ));
    }
    let mut work = Casework::on(case);
    note_breach(tx, &mut work)?;
    work.case.paused_at = Some(At::from(tx.now()));
    work.case.alarm_at = until;
    work.note(tx, Deed::Paused, Note::said(Some(reason.to_owned()), json!({ "until": until })))?;
    let case = work.put_back(tx)?;
    alarms::set(tx, until)?;
    Ok(case.id)
}

fn resume(tx: &mut Tx, actor: &Actor, page: &OnPage, comment: Option<String>) -> Result<FindingId> {
    let case = page.case(tx, actor)?;
    steps::check(Step::Resume, actor, &case)?;
    if case.paused_at.is_none() {
        return Err(Error::conflict("not_paused", format!("the deadline of finding {} runs", case.id)));
    }
    let mut work = Casework::on(case);
    end(tx, &mut work, comment)?;
    put_back(tx, work).map(|case| case.id)
}

/// Has the deadline run again, later by the time it stood still.
pub(super) fn end(tx: &Tx, work: &mut Casework, comment: Option<String>) -> Result<()> {
    let Some(since) = work.case.paused_at.take() else { return Ok(()) };
    let stood_still = (At::from(tx.now()).micros() - since.micros()).max(0);
    work.case.paused_for = work.case.paused_for.saturating_add(stood_still);
    if work.case.due_at < no_deadline() {
        work.case.due_at = At::from_micros(work.case.due_at.micros().saturating_add(stood_still));
    }
    let details = json!({ "seconds": stood_still / 1_000_000, "due_at": work.case.due_at });
    work.note(tx, Deed::Resumed, Note::said(comment, details))
}
