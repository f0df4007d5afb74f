//! Working a finding: what supervisors, inspectors and those who decide do with it. Whoever acts may say which version
//! they saw (`If-Match`); acting on an older one is refused, and of two who act at once the second is told.

use serde_json::json;

use super::casework::Casework;
use super::model::{Case, Deed, FindingId, Note, Proposal, Severity, State, Wish};
use super::reading::{Sight, visible};
use super::requests::{Evidence, NewDecision, NewSeverity, NewTransition};
use super::steps::{self, Needs, Step};
use super::{Findings, alarms, evidence, notices, pausing, store};
use crate::accounts::{Actor, Permission};
use crate::db::{At, Json, Tx};
use crate::error::{Error, Result};
use crate::http::{needed_words, words};

/// Which finding, and which version of it was on the page.
pub(super) type OnPage = crate::http::OnPage<FindingId>;

impl OnPage {
    /// The case as it stands, if the person may see it and saw it as it stands.
    pub(super) fn case(&self, tx: &mut Tx, actor: &Actor) -> Result<Case> {
        let case = visible(tx.conn, &self.id, &Sight::of(actor))?;
        match self.version {
            Some(known) if known != case.version => Err(Error::stale(
                "finding_stale",
                format!(
                    "finding {} has moved on from version {known} to {}; read it again",
                    case.id, case.version
                ),
            )
            .with("version", case.version)
            .with("state", case.state.as_str())),
            _ => Ok(case),
        }
    }
}

impl Findings {
    /// Moves a finding.
    pub(super) async fn transition(
        &self,
        actor: Actor,
        page: OnPage,
        new: NewTransition,
    ) -> Result<FindingId> {
        actor.may(Permission::WorkFindings)?;
        let comment = words("comment", new.comment)?;
        let evidence = new.evidence.unwrap_or_default().bounded()?;
        let by = actor.by();
        let room = self.clone();
        self.db
            .write(by, move |tx| {
                let before = page.case(tx, &actor)?.state;
                let id = step(tx, &actor, &page, new.to, comment.clone(), &evidence)?;
                room.tell_followers(tx, &id, before)?;
                Ok(id)
            })
            .await
    }

    /// Raises a finding's severity, or asks for a lower one.
    pub(super) async fn grade(&self, actor: Actor, page: OnPage, new: NewSeverity) -> Result<FindingId> {
        actor.may(Permission::RaiseFindings)?;
        let comment = needed_words("comment", Some(new.comment))?;
        let by = actor.by();
        self.db.write(by, move |tx| grade(tx, &actor, &page, new.severity, &comment)).await
    }

    /// Decides what somebody else asked for.
    pub(super) async fn decide(&self, actor: Actor, page: OnPage, new: NewDecision) -> Result<FindingId> {
        actor.may(Permission::DecideFindings)?;
        let comment = needed_words("comment", Some(new.comment))?;
        let by = actor.by();
        self.db.write(by, move |tx| decide(tx, &actor, &page, new.agree, &comment)).await
    }
}

fn step(
    tx: &mut Tx,
    actor: &Actor,
    page: &OnPage,
    to: State,
    comment: Option<String>,
    shown: &Evidence,
) -> Result<FindingId> {
    let case = page.case(tx, actor)?;
    let step = step_to(&case, to)?;
    let row = steps::check(step, actor, &case)?;
    if row.needs != Needs::Nothing && comment.is_none() {
        return Err(Error::invalid("words_needed", format!("{step} needs a `comment` that says why")));
    }
    if row.needs == Needs::Evidence && shown.is_empty() {
        return Err(Error::invalid(
            "evidence_needed",
            format!("{step} needs `evidence`: names of photos that have arrived, or a later submission"),
        ));
    }
    evidence::check(tx, &case, shown)?;
    if step == Step::Dismiss {
        return propose(tx, case, Wish::Dismissal, None, comment.unwrap_or_default());
    }
    if step == Step::Verify {
        evidence::by_a_second_person(tx, &case, actor, shown)?;
    }
    move_case(tx, case, step, comment, shown).map(|case| case.id)
}

/// Which step leads from where the case stands to `to`.
fn step_to(case: &Case, to: State) -> Result<Step> {
    match to {
        State::Acknowledged if case.state == State::Open => Ok(Step::Acknowledge),
        State::Acknowledged => Ok(Step::Reopen),
        State::Remedied => Ok(Step::Remedy),
        State::Verified => Ok(Step::Verify),
        State::Dismissed => Ok(Step::Dismiss),
        State::Referred => Err(Error::invalid(
            "referral_needed",
            "a finding is referred by sending it to somebody: POST /v1/findings/{id}/referrals",
        )),
        State::Open | State::Superseded => Err(Error::invalid(
            "state_not_chosen",
            format!(
                "nobody moves a finding to {to}: the rules do; name acknowledged, remedied, verified or dismissed"
            ),
        )),
    }
}

fn move_case(tx: &mut Tx, case: Case, step: Step, comment: Option<String>, shown: &Evidence) -> Result<Case> {
    let (deed, to) = match step {
        Step::Acknowledge => (Deed::Acknowledged, State::Acknowledged),
        Step::Remedy => (Deed::Remedied, State::Remedied),
        Step::Verify => (Deed::Verified, State::Verified),
        _ => (Deed::Reopened, State::Acknowledged),
    };
    if step == Step::Reopen
        && let Some(other) = store::running(tx.conn, &case.key)?
    {
        return Err(Error::conflict(
            "finding_goes_on",
            format!("a later visit found it again; finding {other} goes on, work that one"),
        )
        .with("finding", other.as_str()));
    }
    let mut work = Casework::on(case);
    note_breach(tx, &mut work)?;
    if to == State::Remedied {
        if work.case.paused_at.is_some() {
            pausing::end(tx, &mut work, None)?;
        }
        work.case.proposal = None;
    }
    let details = match shown.is_empty() {
        true => json!({}),
        false => json!({ "evidence": shown }),
    };
    work.moved(tx, deed, to, Note::said(comment, details))?;
    put_back(tx, work)
}

/// A deadline that passed before the clock looked has passed all the same.
pub(super) fn note_breach(tx: &Tx, work: &mut Casework) -> Result<()> {
    let now = At::from(tx.now());
    if !work.case.is_overdue(now) || work.case.breached_at.is_some() {
        return Ok(());
    }
    work.case.breached_at = Some(now);
    work.note(tx, Deed::Breached, Note::of(json!({ "due_at": work.case.due_at, "arrived_late": false })))
}

/// Puts a case back and has the clock look at it when it must.
pub(super) fn put_back(tx: &mut Tx, work: Casework) -> Result<Case> {
    let before = work.case.alarm_at;
    let case = work.put_back(tx)?;
    if case.alarm_at != before {
        alarms::set(tx, case.alarm_at)?;
    }
    Ok(case)
}

fn propose(
    tx: &mut Tx,
    case: Case,
    wish: Wish,
    severity: Option<Severity>,
    reason: String,
) -> Result<FindingId> {
    if let Some(stands) = case.proposal()? {
        return Err(Error::conflict(
            "proposal_stands",
            format!("a {} of finding {} waits for a second person already", stands.wish, case.id),
        ));
    }
    let by = tx.by.account.clone().unwrap_or_default();
    let proposal = Proposal { wish, severity, by, at: At::from(tx.now()), reason: reason.clone() };
    let (deed, details) = match wish {
        Wish::Dismissal => (Deed::DismissalProposed, json!({})),
        Wish::Lowering => (Deed::LoweringProposed, json!({ "severity": [case.severity, severity] })),
    };
    let mut work = Casework::on(case);
    work.case.proposal = Some(Json::of(&proposal)?);
    work.note(tx, deed, Note::said(Some(reason), details))?;
    let case = put_back(tx, work)?;
    notices::tell(tx, "finding.proposal", &case, vec![notices::deciders(&case)])?;
    Ok(case.id)
}

fn grade(tx: &mut Tx, actor: &Actor, page: &OnPage, to: Severity, comment: &str) -> Result<FindingId> {
    let case = page.case(tx, actor)?;
    if to == case.severity {
        return Err(Error::conflict("severity_same", format!("finding {} is {to} already", case.id)));
    }
    if to < case.severity {
        steps::check(Step::Lower, actor, &case)?;
        return propose(tx, case, Wish::Lowering, Some(to), comment.to_owned());
    }
    steps::check(Step::Raise, actor, &case)?;
    let was_urgent = case.severity >= Severity::Emergency;
    let details = json!({ "severity": [case.severity, to] });
    let mut work = Casework::on(case);
    work.case.severity = to;
    work.note(tx, Deed::Raised, Note::said(Some(comment.to_owned()), details))?;
    let case = put_back(tx, work)?;
    if to >= Severity::Emergency && !was_urgent {
        notices::tell(tx, "finding.urgent", &case, vec![notices::supervisors(&case)])?;
    }
    Ok(case.id)
}

fn decide(tx: &mut Tx, actor: &Actor, page: &OnPage, agree: bool, comment: &str) -> Result<FindingId> {
    let case = page.case(tx, actor)?;
    let proposal = case.proposal()?.ok_or_else(|| {
        Error::conflict(
            "nothing_proposed",
            format!("nobody asks for anything about finding {}; it may be decided", case.id),
        )
    })?;
    steps::check(Step::Decide, actor, &case)?;
    let me = actor.account.as_str();
    if [proposal.by.as_str(), &case.opened_by, &case.filed_by].contains(&me) {
        return Err(Error::forbidden(
            "own_proposal",
            "whoever asks, or filed it, does not decide; somebody else must",
        ));
    }
    let mut work = Casework::on(case);
    work.case.proposal = None;
    note_breach(tx, &mut work)?;
    let said = |details| Note::said(Some(comment.to_owned()), details);
    match (agree, proposal.wish, proposal.severity) {
        (true, Wish::Dismissal, _) => {
            work.case.paused_at = None;
            work.moved(tx, Deed::Dismissed, State::Dismissed, said(json!({ "asked_by": proposal.by })))?;
        }
        (true, Wish::Lowering, Some(to)) => {
            let details = json!({ "asked_by": proposal.by, "severity": [work.case.severity, to] });
            work.case.severity = to;
            work.note(tx, Deed::Lowered, said(details))?;
        }
        _ => work.note(tx, Deed::ProposalDeclined, said(json!({ "wish": proposal.wish })))?,
    }
    let case = put_back(tx, work)?;
    notices::tell(tx, "finding.decided", &case, vec![notices::account(&proposal.by)])?;
    Ok(case.id)
}
