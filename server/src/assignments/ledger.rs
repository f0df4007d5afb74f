//! Writing assignments: every change is a row that moves, an event that stays, an entry in the audit log, and word to the
//! phones that hold it. Reasons are people's words and stay out of the log.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::model::{Assignment, Deed, EventRow, State};
use super::store;
use crate::audit::{self, Event};
use crate::db::{At, Json, Tx};
use crate::error::{Error, Result};
use crate::feed::{self, Audience, What};
use crate::queue::{self, Job};

/// What is noted of a deed besides who and when.
#[derive(Default)]
pub(super) struct Note {
    pub(super) reason: Option<String>,
    pub(super) submission: Option<String>,
    pub(super) details: Value,
}

impl Note {
    pub(super) fn because(reason: impl Into<String>) -> Note {
        Note { reason: Some(reason.into()), ..Note::default() }
    }
}

/// Enters a new assignment; false: it has been made for this before.
pub(super) fn enter(tx: &mut Tx, row: &Assignment) -> Result<bool> {
    if !store::add(tx.conn, row)? {
        return Ok(false);
    }
    let details = json!({ "origin": row.origin, "origin_id": row.origin_id, "assignee": row.assignee,
        "pool": row.pool, "from_at": row.from_at, "due_at": row.due_at });
    note(tx, row, Deed::Made, Note { reason: Some(row.reason.clone()), details, ..Note::default() })?;
    announce(tx, row, None)?;
    Ok(true)
}

/// Puts an assignment back that changed from `before`, with what was done. Of two who do so at once, one wins.
pub(super) fn amend(
    tx: &mut Tx,
    before: &Assignment,
    mut row: Assignment,
    deed: Deed,
    said: Note,
) -> Result<Assignment> {
    row.version = before.version + 1;
    if !store::update(tx.conn, &row, before.version)? {
        return Err(Error::conflict(
            "assignment_moved_on",
            format!("somebody else has just acted on assignment {}; read it again and decide anew", row.id),
        ));
    }
    note(tx, &row, deed, said)?;
    announce(tx, &row, Some(before))?;
    Ok(row)
}

/// Takes an open assignment back.
pub(super) fn cancel(tx: &mut Tx, before: Assignment, reason: impl Into<String>) -> Result<Assignment> {
    let reason = reason.into();
    let mut row = before.clone();
    row.state = State::Cancelled;
    row.cancelled_because = Some(reason.clone());
    amend(tx, &before, row, Deed::Cancelled, Note::because(reason))
}

fn note(tx: &mut Tx, row: &Assignment, deed: Deed, said: Note) -> Result<()> {
    let details = if said.details.is_null() { json!({}) } else { said.details };
    let event = EventRow {
        assignment_id: row.id.clone(),
        n: row.version,
        at: At::from(tx.now()),
        account_id: tx.by.account.clone(),
        deed,
        state: row.state,
        submission_id: said.submission,
        reason: said.reason,
        details: Json::of(&details)?,
    };
    store::add_event(tx.conn, &event)?;
    let seen = json!({ "n": event.n, "state": event.state, "submission": event.submission_id });
    audit::record(tx, Event::new(deed.as_str(), "assignment", &row.id, seen))
}

/// Tells those who may hold it now, and those who may have held it before.
fn announce(tx: &mut Tx, row: &Assignment, before: Option<&Assignment>) -> Result<()> {
    let mut told = BTreeSet::new();
    for audience in [Some(row), before].into_iter().flatten().filter_map(audience) {
        if told.insert(format!("{audience:?}")) {
            feed::changed(tx, What::Assignment, &row.id, audience)?;
        }
    }
    notify(tx, row, before)
}

/// Leaves word for those a visit was given to, or taken from, by somebody else.
fn notify(tx: &mut Tx, row: &Assignment, before: Option<&Assignment>) -> Result<()> {
    let held = before.and_then(|before| before.assignee.as_ref());
    let is_cancelled = row.state == State::Cancelled && before.is_some_and(|it| it.state == State::Open);
    let told = match &row.assignee {
        Some(to) if row.state == State::Open && held != Some(to) => vec![("assignment.given", to)],
        Some(to) if is_cancelled => vec![("assignment.cancelled", to)],
        _ => Vec::new(),
    };
    let let_go = held.filter(|from| row.assignee.as_ref() != Some(*from));
    for (template, account) in told.into_iter().chain(let_go.map(|from| ("assignment.handed_on", from))) {
        if tx.by.account.as_ref() == Some(account) {
            continue;
        }
        let subject = format!("assignment:{}", row.id);
        let details = json!({
            "template": template, "subject": subject, "link": format!("/v1/assignments/{}", row.id),
            "area": { "province": row.province, "division": row.division, "district": row.district },
            "line": row.line, "audience": [{ "account": account }],
        });
        let key = format!("{template}:{}:{}", row.id, row.version);
        queue::enqueue(tx, Job::new("notify", subject).with(details).once(key))?;
    }
    Ok(())
}

fn audience(row: &Assignment) -> Option<Audience> {
    match &row.assignee {
        Some(account) => Some(Audience::Account(account.clone())),
        None => row.pool.clone().map(Audience::Area),
    }
}
