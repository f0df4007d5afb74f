//! Completing: a visit that is filed completes every assignment it is the visit of, in the transaction that files it. What
//! is filed twice completes once; what completes nothing is filed all the same.

use serde_json::json;

use super::ledger::{self, Note};
use super::model::{Assignment, Deed, Origin, State, services_of};
use super::rotation::names_of;
use super::{Assignments, store};
use crate::accounts::Kind;
use crate::db::{At, DbConn, Tx};
use crate::error::Result;
use crate::submissions::{self, Areas, Decision, FiledRevision, Review};

/// A visit that was made, as far as completing needs to know.
struct Made<'m> {
    submission: &'m str,
    kind: Kind,
    account: &'m str,
    finished_at: At,
}

impl Assignments {
    /// Completes what a filed visit is the visit of. A correction may say that it was made elsewhere.
    pub(super) fn complete_by(&self, tx: &mut Tx, filed: &FiledRevision) -> Result<()> {
        let made = Made {
            submission: filed.submission.as_str(),
            kind: filed.kind,
            account: filed.account,
            finished_at: filed.finished_at,
        };
        let names = where_to(tx.conn, filed.kind, filed.facility, filed.areas)?;
        if filed.revision > 1 {
            for row in store::completed_by(tx.conn, made.submission)? {
                if !names.contains(&row.facility) {
                    reopen(tx, row, "The visit that completed it was to another place.")?;
                }
            }
        }
        complete(tx, &made, &names)
    }

    /// A rejected visit counts for nothing, until that is taken back.
    pub(super) fn follow_decision(&self, tx: &mut Tx, decision: &Decision) -> Result<()> {
        let submission = decision.submission.as_str();
        match (decision.before, decision.now) {
            (before, Review::Rejected) if before != Review::Rejected => {
                for row in store::completed_by(tx.conn, submission)? {
                    reopen(tx, row, "The visit that completed it was rejected.")?;
                }
                for row in store::born_of(tx.conn, Origin::Audit, submission)? {
                    if row.state == State::Open {
                        ledger::cancel(tx, row, "The audit it follows from was rejected.")?;
                    }
                }
                self.reset_next_audit_of(tx, decision)
            }
            (Review::Rejected, now) if now != Review::Rejected => {
                let Some(facts) = submissions::facts(tx.conn, submission)? else { return Ok(()) };
                let names = where_to(tx.conn, decision.kind, decision.facility, decision.areas)?;
                let made = Made {
                    submission,
                    kind: decision.kind,
                    account: decision.account,
                    finished_at: facts.finished_at,
                };
                complete(tx, &made, &names)?;
                self.reset_next_audit_of(tx, decision)
            }
            _ => Ok(()),
        }
    }

    fn reset_next_audit_of(&self, tx: &mut Tx, decision: &Decision) -> Result<()> {
        match (decision.kind, decision.facility) {
            (Kind::Audit, Some(facility)) => self.reset_next_audit(tx, facility),
            _ => Ok(()),
        }
    }
}

/// What assignments call the place of a visit: every id its facility is known by, or the district that was asked about.
fn where_to(conn: &mut DbConn, kind: Kind, facility: Option<&str>, areas: Areas) -> Result<Vec<String>> {
    match (kind, facility) {
        (Kind::Toolkit, _) => Ok(areas.district.map(services_of).into_iter().collect()),
        (_, Some(facility)) => names_of(conn, facility),
        (_, None) => Ok(Vec::new()),
    }
}

/// `names`: what assignments call the place.
fn complete(tx: &mut Tx, made: &Made, names: &[String]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    for before in store::open_at(tx.conn, names, made.kind)? {
        if !is_visit_of(made, &before)? {
            continue;
        }
        let row = Assignment {
            state: State::Done,
            completed_by: Some(made.submission.to_owned()),
            completed_account: Some(made.account.to_owned()),
            completed_at: Some(At::from(tx.now())),
            ..before.clone()
        };
        let late = before.due_at < made.finished_at;
        let note = Note {
            submission: Some(made.submission.to_owned()),
            details: json!({ "late": late }),
            ..Note::default()
        };
        ledger::amend(tx, &before, row, Deed::Completed, note)?;
    }
    Ok(())
}

/// Whether this visit is the one that was wanted: made since, not the one it follows from, and by somebody in turn.
fn is_visit_of(made: &Made, row: &Assignment) -> Result<bool> {
    let follows_from_it = row.origin_id.as_deref() == Some(made.submission);
    let out_of_turn = row.not_for()?.iter().any(|account| account == made.account);
    Ok(!follows_from_it && !out_of_turn && made.finished_at >= row.counts_from)
}

fn reopen(tx: &mut Tx, before: Assignment, why: &str) -> Result<()> {
    let submission = before.completed_by.clone();
    let row = Assignment {
        state: State::Open,
        completed_by: None,
        completed_account: None,
        completed_at: None,
        ..before.clone()
    };
    let note = Note { submission, ..Note::because(why) };
    ledger::amend(tx, &before, row, Deed::Reopened, note).map(drop)
}
