//! The books of the room: every case with all that happened to it, as it is written down, for whoever examines whether
//! everything is accounted for. It is for the machine's own use; nobody is shown it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::model::{Case, Cause, Deed, EventRow, FindingId, State, no_deadline};
use super::referrals::{self, ReferralId, ReferralState};
use super::store;
use crate::db::{At, DbConn};
use crate::error::Result;

/// A case as it is written down.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its id.
    pub id: FindingId,
    /// The rule, the place and the subject.
    pub key: String,
    /// Where it stands.
    pub state: State,
    /// Why it is superseded, if it is.
    pub cause: Option<Cause>,
    /// When it was opened.
    pub opened_at: At,
    /// When it is due; none: it has no deadline.
    pub due_at: Option<At>,
    /// When its deadline was seen to have passed.
    pub breached_at: Option<At>,
    /// Since when its deadline stands still.
    pub paused_at: Option<At>,
    /// For how many microseconds its deadline had stood still before.
    pub paused_for: i64,
    /// How often it has gone up the referral matrix.
    pub level: i32,
    /// What happened to it, in order.
    pub events: Vec<Happened>,
    /// To whom it was sent, in order.
    pub referrals: Vec<KeptReferral>,
}

/// Something that happened to a case.
#[derive(Clone, Debug)]
pub struct Happened {
    /// The case's version after it.
    pub n: i32,
    /// When.
    pub at: At,
    /// By which account; none: by the system.
    pub account: Option<String>,
    /// What.
    pub deed: Deed,
    /// Where the case stood before.
    pub from: State,
    /// Where it stands after.
    pub to: State,
    /// The submission that caused it.
    pub submission: Option<String>,
    /// What was said.
    pub comment: Option<String>,
    /// What else belongs to it.
    pub details: Value,
}

/// A referral as it is written down.
#[derive(Clone, Debug)]
pub struct KeptReferral {
    /// Its id.
    pub id: ReferralId,
    /// The body.
    pub body: String,
    /// Where it stands.
    pub state: ReferralState,
    /// By when the receiver had to answer.
    pub answer_by: At,
}

/// Every case, in the order in which they were opened.
pub fn books(conn: &mut DbConn) -> Result<Vec<Kept>> {
    let mut events: BTreeMap<String, Vec<Happened>> = BTreeMap::new();
    for row in store::all_events(conn)? {
        events.entry(row.finding_id.to_string()).or_default().push(happened(row)?);
    }
    let mut sent = referrals::books(conn)?;
    let cases = store::all_cases(conn)?;
    Ok(cases
        .into_iter()
        .map(|case| {
            let id = case.id.to_string();
            kept(case, events.remove(&id).unwrap_or_default(), sent.remove(&id).unwrap_or_default())
        })
        .collect())
}

fn kept(case: Case, events: Vec<Happened>, referrals: Vec<KeptReferral>) -> Kept {
    Kept {
        id: case.id,
        key: case.key,
        state: case.state,
        cause: case.cause,
        opened_at: case.opened_at,
        due_at: Some(case.due_at).filter(|due| *due < no_deadline()),
        breached_at: case.breached_at,
        paused_at: case.paused_at,
        paused_for: case.paused_for,
        level: case.level,
        events,
        referrals,
    }
}

fn happened(row: EventRow) -> Result<Happened> {
    Ok(Happened {
        n: row.n,
        at: row.at,
        account: row.account_id,
        deed: row.deed,
        from: row.from_state,
        to: row.to_state,
        submission: row.submission_id,
        comment: row.comment,
        details: row.details.read()?,
    })
}
