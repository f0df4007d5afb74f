//! Findings as readers see them.

use form_engine::{Basis, Evidence, Finding, Texts};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

use super::model::{
    Case, Cause, Deed, EventRow, FindingId, Proposal, Severity, State, WHOLE_VISIT, no_deadline,
};
use super::referrals::ReferralBrief;
use super::steps::Step;
use crate::accounts::Kind;
use crate::db::At;
use crate::error::Result;

/// A finding in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "code": "AGE-01", "title": { "en": "Child under 14 employed" },
    "kind": "inspection", "severity": "critical", "state": "open", "provisional": false, "disclose": true,
    "subject": "CLI-QTA1-2026-0102-C1", "submission": "0190b7a4-…", "facility": null, "district": "PK226",
    "recurrence": 0, "refer_to": "cpu", "opened_at": "2026-11-20T12:00:00Z", "due_at": "2026-11-21T07:45:00Z",
    "overdue": false, "deadline": "running", "level": 0, "proposal": null, "version": 1
}))]
pub(super) struct ListedFinding {
    /// Its id.
    pub(super) id: FindingId,
    /// The rule.
    code: String,
    /// What was found, by language.
    #[schema(value_type = Object)]
    title: Arc<Texts>,
    kind: Kind,
    /// As people see it now.
    severity: Severity,
    state: State,
    /// Why it is superseded, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    /// The rule could not be decided, because an answer is missing.
    provisional: bool,
    /// May be told to the employer or facility.
    disclose: bool,
    /// The key of the row it is about, such as a child's code; none: the whole visit.
    subject: Option<String>,
    /// The submission that shows it last.
    submission: String,
    facility: Option<String>,
    district: Option<String>,
    /// How often it had been put right before it was found again.
    recurrence: i32,
    /// The body it is meant for.
    refer_to: Option<String>,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    opened_at: At,
    /// None: it has no deadline.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    due_at: Option<At>,
    /// Its deadline has passed, and it is still to be put right.
    overdue: bool,
    /// How the deadline stands.
    deadline: Deadline,
    /// How often it has gone up the referral matrix.
    level: i32,
    /// Whether a second person is asked for something.
    proposal: Option<super::model::Wish>,
    /// Counts what happened; send it as `If-Match`.
    version: i32,
    #[serde(skip)]
    pub(super) sorted_by: At,
}

/// How a deadline stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Deadline {
    /// It runs.
    Running,
    /// It stands still.
    Paused,
    /// It passed before the finding was put right. It can still be put right.
    Breached,
    /// The finding was put right, or came to nothing, before it passed.
    Met,
    /// There is none.
    None,
}

/// A finding with its history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "code": "AGE-01", "severity": "critical", "state": "acknowledged",
    "rule_severity": "critical", "revision": 1, "same_day": false, "receivers": [{ "code": "cpu", "title": { "en": "Child Protection Unit" } }], "may": ["refer", "remedy"],
    "basis": [{ "law": "Balochistan Employment of Children Act 2021", "section": "3", "certainty": "M" }],
    "because": [{ "path": "children[0].age_for_rules", "value": 13 }], "referrals": [],
    "history": [{ "n": 1, "deed": "finding.opened", "from": "open", "to": "open", "at": "2026-11-20T12:00:00Z" }]
}))]
pub(super) struct FindingView {
    #[serde(flatten)]
    listed: ListedFinding,
    /// The revision that shows it last.
    revision: i32,
    /// How grave the rule thinks it.
    rule_severity: Severity,
    /// Deadline 0: somebody must be spoken to the same day.
    same_day: bool,
    /// Since when its deadline stands still.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    paused_at: Option<At>,
    /// When its deadline was seen to have passed.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    breached_at: Option<At>,
    /// The day it is due is a day off: why, by language. It is due all the same.
    #[schema(value_type = Object)]
    day_off: Option<Texts>,
    /// Who receives it first, by the referral matrix.
    receivers: Vec<Receiver>,
    /// What a second person is asked for.
    proposed: Option<Proposal>,
    /// The law it rests on.
    #[schema(value_type = Vec<Object>)]
    basis: Vec<Arc<Basis>>,
    /// What to do, by language.
    #[schema(value_type = Object)]
    action: Option<Arc<Texts>>,
    /// The answers it rests on, as far as the reader may see them.
    #[schema(value_type = Vec<Object>)]
    because: Vec<Evidence>,
    /// The unanswered questions a provisional finding hinges on.
    hinges_on: Vec<String>,
    /// Weaker findings on the same subject that are folded into it.
    folded: Vec<String>,
    /// Questions whose answers are held back; read with `?reason=` if you may see them.
    redacted: Vec<String>,
    referrals: Vec<ReferralBrief>,
    /// What you may do with it now.
    may: Vec<Step>,
    history: Vec<EventView>,
}

/// A body of the referral matrix.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Receiver {
    /// Its code, as a referral names it.
    pub(super) code: String,
    /// Its name, by language.
    #[schema(value_type = Object)]
    pub(super) title: Texts,
}

/// Something that happened to a finding.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct EventView {
    /// The finding's version after it.
    n: i32,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    at: At,
    /// By which account; none: by the clock.
    by: Option<String>,
    deed: Deed,
    from: State,
    to: State,
    /// The submission and revision that caused it.
    submission: Option<String>,
    revision: Option<i32>,
    comment: Option<String>,
    /// What else belongs to it: evidence, severities, bodies.
    #[schema(value_type = Object)]
    details: Value,
}

/// What is shown of a finding besides itself.
pub(super) struct Shown {
    pub(super) events: Vec<EventRow>,
    pub(super) referrals: Vec<ReferralBrief>,
    pub(super) may: Vec<Step>,
    pub(super) day_off: Option<Texts>,
    pub(super) receivers: Vec<Receiver>,
    /// With what people wrote.
    pub(super) with_words: bool,
}

pub(super) fn listed(case: &Case, now: At) -> Result<ListedFinding> {
    Ok(ListedFinding {
        id: case.id.clone(),
        code: case.code.clone(),
        title: case.rule()?.title,
        kind: case.kind,
        severity: case.severity,
        state: case.state,
        cause: case.cause,
        provisional: case.provisional,
        disclose: case.disclose,
        subject: Some(case.subject.clone()).filter(|subject| subject != WHOLE_VISIT),
        submission: case.submission_id.clone(),
        facility: case.facility.clone(),
        district: case.district.clone(),
        recurrence: case.recurrence,
        refer_to: case.refer_to.clone(),
        opened_at: case.opened_at,
        due_at: Some(case.due_at).filter(|due| *due < no_deadline()),
        overdue: case.is_overdue(now),
        deadline: deadline(case, now),
        level: case.level,
        proposal: case.proposal()?.map(|proposal| proposal.wish),
        version: case.version,
        sorted_by: case.due_at,
    })
}

fn deadline(case: &Case, now: At) -> Deadline {
    if case.due_at >= no_deadline() {
        return Deadline::None;
    }
    match (case.breached_at.is_some() || case.is_overdue(now), case.paused_at, case.state.runs()) {
        (_, Some(_), true) => Deadline::Paused,
        (true, _, _) => Deadline::Breached,
        (false, _, true) => Deadline::Running,
        (false, _, false) => Deadline::Met,
    }
}

pub(super) fn finding(
    case: &Case,
    said: Option<(Finding, Vec<String>)>,
    shown: Shown,
    now: At,
) -> Result<FindingView> {
    let rule = case.rule()?;
    let (said, redacted) = said.unzip();
    let said = said.as_ref();
    let words = shown.with_words;
    Ok(FindingView {
        listed: listed(case, now)?,
        revision: case.revision,
        rule_severity: rule.severity,
        same_day: rule.is_same_day(),
        paused_at: case.paused_at,
        breached_at: case.breached_at,
        day_off: shown.day_off,
        receivers: shown.receivers,
        proposed: case.proposal()?.filter(|_| words || shown.may.contains(&Step::Decide)),
        basis: said.map(|said| said.basis.clone()).unwrap_or_default(),
        action: said.map(|said| Arc::clone(&said.action)),
        because: said.map(|said| said.because.clone()).unwrap_or_default(),
        hinges_on: said.map(|said| said.hinges_on.clone()).unwrap_or_default(),
        folded: said.map(|said| said.superseded.clone()).unwrap_or_default(),
        redacted: redacted.unwrap_or_default(),
        referrals: shown.referrals,
        may: shown.may,
        history: shown.events.into_iter().map(|row| event(row, words)).collect::<Result<_>>()?,
    })
}

fn event(row: EventRow, words: bool) -> Result<EventView> {
    let mut details: Value = row.details.read()?;
    if let (false, Some(members)) = (words, details.as_object_mut()) {
        members.remove("evidence");
    }
    Ok(EventView {
        n: row.n,
        at: row.at,
        by: row.account_id,
        deed: row.deed,
        from: row.from_state,
        to: row.to_state,
        submission: row.submission_id,
        revision: row.revision,
        comment: row.comment.filter(|_| words),
        details,
    })
}

impl FindingView {
    /// Its entity tag.
    pub(super) fn etag(&self) -> String {
        format!("\"{}\"", self.listed.version)
    }
}
