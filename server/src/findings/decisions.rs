//! What a reviewer's decision does to findings: a rejected submission counts for nothing, so what it alone showed is
//! superseded; when the rejection is taken back, it holds again.

use serde_json::json;

use super::casework::Casework;
use super::model::{Case, Cause, Deed, Note, State};
use super::reconcile::{shown_elsewhere, shows, stood_at, superseded};
use super::{Findings, alarms, store};
use crate::db::Tx;
use crate::error::Result;
use crate::submissions::{Decision, Review};

impl Findings {
    /// Brings the findings of a submission into line with what was decided about it.
    pub(super) fn follow(&self, tx: &mut Tx, decision: &Decision) -> Result<()> {
        match (decision.before, decision.now) {
            (before, Review::Rejected) if before != Review::Rejected => self.discount(tx, decision),
            (Review::Rejected, now) if now != Review::Rejected => restore(tx, decision),
            _ => Ok(()),
        }
    }

    fn discount(&self, tx: &mut Tx, decision: &Decision) -> Result<()> {
        for case in store::shown_by(tx.conn, decision.submission.as_str())? {
            if !(case.state.runs() || case.state == State::Remedied) {
                continue;
            }
            let note = |details| Note::shown(decision.submission.as_str(), decision.revision, details);
            match shown_elsewhere(tx, &case, decision.submission.as_str())? {
                Some((submission, revision)) => {
                    let mut work = Casework::on(case);
                    (work.case.submission_id, work.case.revision) = (submission, revision);
                    work.note(tx, Deed::NotSeen, note(json!({ "cause": Cause::Rejected })))?;
                    work.put_back(tx)?;
                }
                None => {
                    superseded(tx, &case, Cause::Rejected, note(json!({ "cause": Cause::Rejected })))?;
                    self.tell_followers(tx, &case.id, case.state)?;
                }
            }
        }
        Ok(())
    }
}

fn restore(tx: &mut Tx, decision: &Decision) -> Result<()> {
    let is_withdrawn = |case: &Case| case.state == State::Superseded && case.cause == Some(Cause::Rejected);
    for case in store::shown_by(tx.conn, decision.submission.as_str())? {
        if case.state.runs() && !shows(tx, &case, decision.submission.as_str())? {
            let mut work = Casework::on(case);
            let note = Note::shown(decision.submission.as_str(), decision.revision, json!({}));
            work.note(tx, Deed::SeenAgain, note)?;
            work.put_back(tx)?;
            continue;
        }
        // Another visit may have opened it anew meanwhile; that one goes on.
        if !is_withdrawn(&case) || store::running(tx.conn, &case.key)?.is_some() {
            continue;
        }
        let state = stood_at(tx, &case)?;
        let mut work = Casework::on(case);
        work.case.cause = None;
        let note = Note::shown(decision.submission.as_str(), decision.revision, json!({}));
        work.moved(tx, Deed::Revived, state, note)?;
        let case = work.put_back(tx)?;
        alarms::set(tx, case.alarm_at)?;
    }
    Ok(())
}
