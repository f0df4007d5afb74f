//! The books of the room: every assignment with all that happened to it, as it is written down, for whoever examines
//! whether everything is accounted for. It is for the machine's own use; nobody is shown it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::model::{AssignmentId, Deed, EventRow, Origin, State};
use super::store;
use crate::db::{At, DbConn};
use crate::error::Result;

/// An assignment as it is written down.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its id.
    pub id: AssignmentId,
    /// The form to fill.
    pub form: String,
    /// The place.
    pub place: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Where it stands.
    pub state: State,
    /// When it is due.
    pub due_at: At,
    /// The submission that completed it.
    pub completed_by: Option<String>,
    /// What happened to it, in order.
    pub events: Vec<Happened>,
}

/// Something that happened to an assignment.
#[derive(Clone, Debug)]
pub struct Happened {
    /// The assignment's version after it.
    pub n: i32,
    /// When.
    pub at: At,
    /// By which account; none: by the system.
    pub account: Option<String>,
    /// What.
    pub deed: Deed,
    /// Where it stood after it.
    pub state: State,
    /// The submission that caused it.
    pub submission: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What else belongs to it.
    pub details: Value,
}

/// Every assignment, in the order in which they were made.
pub fn books(conn: &mut DbConn) -> Result<Vec<Kept>> {
    let mut events: BTreeMap<String, Vec<Happened>> = BTreeMap::new();
    for row in store::all_events(conn)? {
        events.entry(row.assignment_id.to_string()).or_default().push(happened(row)?);
    }
    let rows = store::all(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| Kept {
            events: events.remove(row.id.as_str()).unwrap_or_default(),
            id: row.id,
            form: row.form,
            place: row.facility,
            origin: row.origin,
            state: row.state,
            due_at: row.due_at,
            completed_by: row.completed_by,
        })
        .collect())
}

fn happened(row: EventRow) -> Result<Happened> {
    Ok(Happened {
        n: row.n,
        at: row.at,
        account: row.account_id,
        deed: row.deed,
        state: row.state,
        submission: row.submission_id,
        reason: row.reason,
        details: row.details.read()?,
    })
}
