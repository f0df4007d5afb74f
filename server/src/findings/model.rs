//! Nouns of the findings room. A case is a finding somebody must act on; what happened to it is a row of events that
//! are only ever added. The case's version is the number of its last event, so whoever acts on an older one is told.

use std::sync::Arc;

use chrono::NaiveDate;
use diesel::prelude::*;
use form_engine::Texts;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::accounts::{Kind, Line};
use crate::db::schema::{finding_cases, finding_events};
use crate::db::{At, Json, text_enum, text_id};
use crate::error::Result;
use crate::http::PathId;

text_id! {
    /// A finding's id.
    FindingId
}

impl PathId for FindingId {
    const WHOSE: &'static str = "a finding's";
}

text_enum! {
    /// Where a finding stands.
    State {
        /// Raised; nobody has said yet that they have seen it.
        Open = "open",
        /// The supervisor has seen it and owns it.
        Acknowledged = "acknowledged",
        /// It was sent to a body.
        Referred = "referred",
        /// It is said to be put right.
        Remedied = "remedied",
        /// That it was put right has been checked.
        Verified = "verified",
        /// It was no finding; two people say so.
        Dismissed = "dismissed",
        /// The rules no longer say it.
        Superseded = "superseded",
    }
}

impl State {
    /// Those whose deadline runs.
    pub const RUNNING: [State; 3] = [State::Open, State::Acknowledged, State::Referred];

    /// Those that are still somebody's work: also what has to be seen yet.
    pub const UNFINISHED: [State; 4] = [State::Open, State::Acknowledged, State::Referred, State::Remedied];

    /// Whether somebody still has to put it right.
    pub fn runs(self) -> bool {
        State::RUNNING.contains(&self)
    }
}

text_enum! {
    /// How grave a finding is, mildest first.
    Severity {
        /// Information.
        Info = "info",
        /// Minor.
        Minor = "minor",
        /// Major.
        Major = "major",
        /// Critical.
        Critical = "critical",
        /// A danger that cannot wait.
        Emergency = "emergency",
        /// Work or care must stop.
        Stop = "stop",
    }
}

impl From<form_engine::Severity> for Severity {
    fn from(severity: form_engine::Severity) -> Severity {
        use form_engine::Severity as S;
        match severity {
            S::Info => Severity::Info,
            S::Minor => Severity::Minor,
            S::Major => Severity::Major,
            S::Critical => Severity::Critical,
            S::Emergency => Severity::Emergency,
            S::Stop => Severity::Stop,
        }
    }
}

text_enum! {
    /// Why a finding is superseded.
    Cause {
        /// A correction of the answers took it away.
        Corrected = "corrected",
        /// It was provisional, and the missing answer came.
        Answered = "answered",
        /// A graver finding on the same subject took it in.
        Folded = "folded",
        /// The submission now says it is about another facility.
        Moved = "moved",
        /// The submission was rejected.
        Rejected = "rejected",
        /// It was found again after it was said to be put right; the new case goes on.
        Recurred = "recurred",
    }
}

text_enum! {
    /// What happened to a finding.
    #[schema(as = FindingDeed)]
    Deed {
        /// The rules raised it.
        Opened = "finding.opened",
        /// A later visit found it again.
        SeenAgain = "finding.seen_again",
        /// It was provisional and is certain now.
        Firmed = "finding.firmed",
        /// The rules say it differently now: severity, disclosure, deadline.
        Changed = "finding.changed",
        /// One of several visits that showed it no longer does.
        NotSeen = "finding.not_seen",
        /// The rules no longer say it.
        Superseded = "finding.superseded",
        /// It holds again: the correction was corrected, the rejection taken back.
        Revived = "finding.revived",
        /// Somebody has seen it and owns it.
        Acknowledged = "finding.acknowledged",
        /// It is said to be put right.
        Remedied = "finding.remedied",
        /// That it was put right has been checked.
        Verified = "finding.verified",
        /// It was not put right after all, or not to be dismissed.
        Reopened = "finding.reopened",
        /// Somebody asks to dismiss it.
        DismissalProposed = "finding.dismissal_proposed",
        /// A second person agreed to dismiss it.
        Dismissed = "finding.dismissed",
        /// Somebody asks for a lower severity.
        LoweringProposed = "finding.lowering_proposed",
        /// A second person agreed to a lower severity.
        Lowered = "finding.severity_lowered",
        /// What was asked for was turned down.
        ProposalDeclined = "finding.proposal_declined",
        /// Somebody raised its severity.
        Raised = "finding.severity_raised",
        /// Its deadline stands still.
        Paused = "finding.paused",
        /// Its deadline runs again, later by the time it stood still.
        Resumed = "finding.resumed",
        /// Nobody owned it in time: the next in the referral matrix hears of it.
        Escalated = "finding.escalated",
        /// Its deadline passed.
        Breached = "finding.breached",
        /// A referral is asked for, and waits for the supervisor.
        ReferralAsked = "referral.asked",
        /// It was sent to a body.
        ReferralSent = "referral.sent",
        /// The supervisor agreed to a referral without consent or legal basis.
        ReferralApproved = "referral.approved",
        /// The supervisor turned a referral down.
        ReferralWithdrawn = "referral.withdrawn",
        /// Somebody spoke to the receiver.
        ReferralVoiced = "referral.confirmed_by_voice",
        /// The receiver took it.
        ReferralAccepted = "referral.accepted",
        /// The receiver turned it down.
        ReferralDeclined = "referral.declined",
        /// The receiver did not answer in time.
        ReferralUnanswered = "referral.unanswered",
        /// The receiver has done its part.
        ReferralDone = "referral.done",
    }
}

/// A finding without a deadline: its day never comes.
pub(super) fn no_deadline() -> At {
    let day = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or(NaiveDate::MAX);
    At::from(day.and_time(chrono::NaiveTime::MIN).and_utc())
}

/// What the rule says of a finding, as far as lists need it; the whole finding stands in the revision's judgement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Rule {
    /// The form.
    pub(super) form: String,
    /// The submission whose visit opened the case: the deadline counts from its end, unless its reviewer opened it.
    pub(super) opened_in: String,
    /// What was found, by language.
    pub(super) title: Arc<Texts>,
    /// How grave the rule thinks it.
    pub(super) severity: Severity,
    /// Who hears of it when the deadline passes, where the matrix does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) escalate_to: Option<String>,
    /// Deadline 0, the same day, confirmed by voice: somebody must answer within so many hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) answer_within_hours: Option<i64>,
    /// When the answer of a reviewer opened the case: its deadline counts from there, for nobody could act before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) answered_at: Option<At>,
}

impl Rule {
    /// Whether its deadline is the same day.
    pub(super) fn is_same_day(&self) -> bool {
        self.answer_within_hours.is_some()
    }
}

text_enum! {
    /// What a second person has to agree to.
    Wish {
        /// That it is dismissed.
        Dismissal = "dismissal",
        /// That its severity is lowered.
        Lowering = "lowering",
    }
}

/// What somebody asks a second person for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub(super) struct Proposal {
    /// What is asked for.
    pub(super) wish: Wish,
    /// The severity asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) severity: Option<Severity>,
    /// Who asks.
    pub(super) by: String,
    /// Since when.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub(super) at: At,
    /// Why.
    pub(super) reason: String,
}

/// A case as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = finding_cases, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct Case {
    pub(super) id: FindingId,
    pub(super) key: String,
    pub(super) code: String,
    pub(super) kind: Kind,
    pub(super) facility: Option<String>,
    /// The submission and revision that show it last.
    pub(super) submission_id: String,
    pub(super) revision: i32,
    /// The key of the row it is about; `-`: the whole visit.
    pub(super) subject: String,
    pub(super) rule: Json,
    pub(super) state: State,
    pub(super) cause: Option<Cause>,
    pub(super) severity: Severity,
    pub(super) provisional: bool,
    pub(super) disclose: bool,
    pub(super) refer_to: Option<String>,
    /// How often it had been put right before it was found again.
    pub(super) recurrence: i32,
    pub(super) opened_at: At,
    /// When the visit ended that opened it: the deadline counts from there, unless its reviewer opened it.
    pub(super) visited_at: At,
    pub(super) due_at: At,
    /// When the clock next has to look at it.
    pub(super) alarm_at: Option<At>,
    /// How often it has gone up the referral matrix.
    pub(super) level: i32,
    pub(super) breached_at: Option<At>,
    pub(super) paused_at: Option<At>,
    /// For how many microseconds its deadline has stood still so far.
    pub(super) paused_for: i64,
    pub(super) proposal: Option<Json>,
    pub(super) opened_by: String,
    /// Who filed the submission that shows it last.
    pub(super) filed_by: String,
    pub(super) province: Option<String>,
    pub(super) division: Option<String>,
    pub(super) district: Option<String>,
    pub(super) version: i32,
}

/// The subject of a finding about the whole visit.
pub(super) const WHOLE_VISIT: &str = "-";

impl Case {
    pub(super) fn rule(&self) -> Result<Rule> {
        self.rule.read()
    }

    pub(super) fn proposal(&self) -> Result<Option<Proposal>> {
        self.proposal.as_ref().map(Json::read).transpose()
    }

    pub(super) fn line(&self) -> Line {
        line_of(self.kind)
    }

    pub(super) fn is_overdue(&self, now: At) -> bool {
        self.state.runs() && self.paused_at.is_none() && self.due_at < now
    }
}

/// The line that answers for findings of a kind.
pub(super) fn line_of(kind: Kind) -> Line {
    match kind {
        Kind::Inspection => Line::Labour,
        Kind::Audit | Kind::Toolkit => Line::Swd,
    }
}

/// Something that happened to a case, as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = finding_events, treat_none_as_default_value = false)]
pub(super) struct EventRow {
    pub(super) finding_id: FindingId,
    pub(super) n: i32,
    pub(super) at: At,
    pub(super) account_id: Option<String>,
    pub(super) deed: Deed,
    pub(super) from_state: State,
    pub(super) to_state: State,
    pub(super) submission_id: Option<String>,
    pub(super) revision: Option<i32>,
    pub(super) comment: Option<String>,
    pub(super) details: Json,
}

/// What is noted of a deed besides who and when.
#[derive(Clone, Debug, Default)]
pub(super) struct Note {
    pub(super) comment: Option<String>,
    /// The revision that caused it.
    pub(super) shown_by: Option<(String, i32)>,
    pub(super) details: Value,
}

impl Note {
    pub(super) fn of(details: Value) -> Note {
        Note { details, ..Note::default() }
    }

    pub(super) fn said(comment: Option<String>, details: Value) -> Note {
        Note { comment, details, ..Note::default() }
    }

    pub(super) fn shown(submission: &str, revision: i32, details: Value) -> Note {
        Note { shown_by: Some((submission.to_owned(), revision)), details, ..Note::default() }
    }
}
