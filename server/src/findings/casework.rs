//! A case on the desk: read, changed, and put back together with the events that say what was done. Putting it back
//! fails when somebody else was faster; of two people who act at once, one wins and the other is told.

use serde_json::{Value, json};

use super::deadlines;
use super::model::{Case, Deed, EventRow, Note, State};
use super::store;
use crate::audit::{self, Event};
use crate::db::{At, Json, Tx};
use crate::error::{Error, Result};

/// A case being worked on in a unit of work.
pub(super) struct Casework {
    pub(super) case: Case,
    read: i32,
    events: Vec<EventRow>,
}

impl Casework {
    /// Takes a stored case.
    pub(super) fn on(case: Case) -> Casework {
        Casework { read: case.version, case, events: Vec::new() }
    }

    /// Notes a deed that leaves the case where it stands.
    pub(super) fn note(&mut self, tx: &Tx, deed: Deed, note: Note) -> Result<()> {
        let stands = self.case.state;
        self.moved(tx, deed, stands, note)
    }

    /// Notes a deed that moves the case to `state`.
    pub(super) fn moved(&mut self, tx: &Tx, deed: Deed, state: State, note: Note) -> Result<()> {
        let event = event(tx, &mut self.case, deed, state, note)?;
        self.events.push(event);
        Ok(())
    }

    /// Whether anything was noted.
    pub(super) fn is_changed(&self) -> bool {
        !self.events.is_empty()
    }

    /// Puts the case back: its alarm set anew, its events added, each in the audit log. Nothing noted: nothing is
    /// written.
    pub(super) fn put_back(mut self, tx: &mut Tx) -> Result<Case> {
        if self.events.is_empty() {
            return Ok(self.case);
        }
        if self.case.paused_at.is_none() {
            self.case.alarm_at = deadlines::next_alarm(&self.case, &self.case.rule()?);
        }
        if !store::update(tx.conn, &self.case, self.read)? {
            return Err(moved_on(&self.case));
        }
        store::add_events(tx.conn, &self.events)?;
        for event in &self.events {
            audit::record(tx, audited(event))?;
        }
        Ok(self.case)
    }
}

/// Counts the case's version up by a deed, moves it, and says so.
pub(super) fn event(tx: &Tx, case: &mut Case, deed: Deed, state: State, note: Note) -> Result<EventRow> {
    case.version += 1;
    let from = std::mem::replace(&mut case.state, state);
    let (submission_id, revision) = note.shown_by.unzip();
    Ok(EventRow {
        finding_id: case.id.clone(),
        n: case.version,
        at: At::from(tx.now()),
        account_id: tx.by.account.clone(),
        deed,
        from_state: from,
        to_state: state,
        submission_id,
        revision,
        comment: note.comment,
        details: Json::of(&if note.details.is_null() { json!({}) } else { note.details })?,
    })
}

/// The event as the audit log has it: states and numbers; comments and evidence stay out.
fn audited(event: &EventRow) -> Event {
    let details: Value = json!({ "n": event.n, "from": event.from_state, "to": event.to_state });
    Event::new(event.deed.as_str(), "finding", &event.finding_id, details)
}

fn moved_on(case: &Case) -> Error {
    Error::stale(
        "finding_moved_on",
        format!("somebody else has just acted on finding {}; read it again and decide anew", case.id),
    )
}
