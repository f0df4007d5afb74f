//! Referrals as senders and receivers see them.

use std::sync::Arc;

use form_engine::Texts;
use serde::Serialize;
use serde_json::{Map, Value};

use super::model::{Approval, Basis, Referral, ReferralId, ReferralState, Voice};
use crate::db::At;
use crate::error::Result;
use crate::findings::model::{Case, FindingId, Severity, WHOLE_VISIT, no_deadline};

/// A referral among those of a finding.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ReferralBrief {
    /// Its id.
    id: ReferralId,
    body: String,
    unit: Option<String>,
    state: ReferralState,
    basis: Basis,
    /// What the supervisor says to an override.
    approval: Option<Approval>,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    sent_at: At,
    /// By when the receiver must answer.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    answer_by: At,
    /// Why it was turned down or taken back.
    reason: Option<String>,
    outcome: Option<String>,
}

pub(super) fn brief(referral: Referral, with_words: bool) -> ReferralBrief {
    ReferralBrief {
        id: referral.id,
        body: referral.body,
        unit: referral.unit,
        state: referral.state,
        basis: referral.basis,
        approval: referral.approval,
        sent_at: referral.sent_at,
        answer_by: referral.answer_by,
        reason: referral.reason.filter(|_| with_words),
        outcome: referral.outcome,
    }
}

/// A referral. A receiver sees the finding by name and the part addressed to it; nothing else of the case.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f12", "body": "cpu", "unit": "CPU-QUETTA", "state": "sent",
    "code": "AGE-01", "title": { "en": "Child under 14 employed" }, "severity": "critical",
    "child": "CLI-QTA1-2026-0102-C1", "district": "PK226", "sent_at": "2026-11-20T12:00:00Z",
    "answer_by": "2026-11-20T21:00:00Z", "due_at": "2026-11-21T07:45:00Z", "same_day": false,
    "basis": "given", "part": { "summary": "Wants to go back to school.", "answers": { "age_years": 13 } },
    "case_number": null, "outcome": null, "version": 1
}))]
pub(crate) struct ReferralView {
    /// Its id.
    pub(super) id: ReferralId,
    /// The finding; only for those on the sender's side.
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<FindingId>,
    body: String,
    unit: Option<String>,
    state: ReferralState,
    /// The rule.
    code: String,
    /// What was found, by language.
    #[schema(value_type = Object)]
    title: Arc<Texts>,
    severity: Severity,
    /// The child's code; none: the finding is about the place.
    child: Option<String>,
    district: Option<String>,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub(super) sent_at: At,
    /// By when the receiver must answer.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    answer_by: At,
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    due_at: Option<At>,
    /// Deadline 0: somebody must be spoken to the same day.
    same_day: bool,
    /// That somebody spoke to the receiver.
    voice: Option<Voice>,
    basis: Basis,
    /// Who agreed, which law, or why neither was waited for.
    basis_note: Option<String>,
    approval: Option<Approval>,
    part: PartView,
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    answered_at: Option<At>,
    reason: Option<String>,
    case_number: Option<String>,
    outcome: Option<String>,
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    done_at: Option<At>,
    /// Counts what happened; send it as `If-Match`.
    version: i32,
}

/// The part of a case that the receiver sees.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(super) struct PartView {
    /// The chosen questions.
    pub(super) fields: Vec<String>,
    pub(super) summary: Option<String>,
    /// Their answers as the submission stands now; only for the receiver.
    #[schema(value_type = Object)]
    pub(super) answers: Map<String, Value>,
}

/// Who looks at a referral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Eyes {
    /// It is addressed to them.
    Receiver,
    /// They work with the finding.
    Sender,
    /// They count, and read no words.
    Counter,
}

pub(super) fn view(
    referral: Referral,
    case: &Case,
    eyes: Eyes,
    answers: Map<String, Value>,
) -> Result<ReferralView> {
    let rule = case.rule()?;
    let words = eyes != Eyes::Counter;
    let mut part = PartView { answers, ..PartView::default() };
    if words {
        let chosen = referral.part()?;
        (part.fields, part.summary) = (chosen.fields, chosen.summary);
    }
    Ok(ReferralView {
        finding: (eyes != Eyes::Receiver).then(|| case.id.clone()),
        code: case.code.clone(),
        title: Arc::clone(&rule.title),
        severity: case.severity,
        child: Some(case.subject.clone()).filter(|subject| subject != WHOLE_VISIT),
        due_at: Some(case.due_at).filter(|due| *due < no_deadline()),
        same_day: rule.is_same_day(),
        voice: referral.voice()?.filter(|_| words),
        part,
        id: referral.id,
        body: referral.body,
        unit: referral.unit,
        state: referral.state,
        district: referral.district,
        sent_at: referral.sent_at,
        answer_by: referral.answer_by,
        basis: referral.basis,
        basis_note: Some(referral.basis_note).filter(|note| words && !note.is_empty()),
        approval: referral.approval,
        answered_at: referral.answered_at,
        reason: referral.reason.filter(|_| words),
        case_number: referral.case_number,
        outcome: referral.outcome,
        done_at: referral.done_at,
        version: referral.version,
    })
}

impl ReferralView {
    /// Its entity tag.
    pub(super) fn etag(&self) -> String {
        format!("\"{}\"", self.version)
    }
}
