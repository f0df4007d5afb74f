//! Submissions as readers see them.

use serde::Serialize;
use serde_json::{Map, Value};

use super::model::{
    Correction, DeclaredMedia, Flag, Head, Judgement, MediaState, Review, Revision, SubmissionId, Verdict,
};
use super::review::{DecisionView, ReviewAnswers};
use crate::db::At;
use crate::error::Result;
use crate::places::PlaceTag;

/// A submission in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "form": "child-labour-inspection", "version": 1, "revision": 1,
    "content_hash": "9f2c…", "verdict": "valid", "media": "complete", "review": "received",
    "received_at": "2026-11-20T04:00:01Z", "finished_at": "2026-11-20T03:47:10Z", "filed_by": "0190b7a0-…",
    "facility": null, "district": "PK226", "findings": 2, "summary": { "inspection_no": "CLI-QTA1-2026-0101" }
}))]
pub(super) struct ListedSubmission {
    pub(super) id: SubmissionId,
    form: String,
    version: i32,
    revision: i32,
    content_hash: String,
    verdict: Verdict,
    media: MediaState,
    review: Review,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub(super) received_at: At,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    finished_at: At,
    filed_by: String,
    facility: Option<String>,
    district: Option<String>,
    findings: i32,
    #[schema(value_type = Object)]
    summary: Value,
}

/// A submission as it is read.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "form": "child-labour-inspection", "version": 1, "revision": 1,
    "content_hash": "9f2c…", "answers": { "b1": { "inspection_no": "CLI-QTA1-2026-0101" } }, "calculated": { "wf_total": 6 },
    "media": "complete", "media_missing": [], "verdict": "valid", "review": "received", "violations": [], "findings": [],
    "flags": [], "redacted": []
}))]
pub(super) struct SubmissionView {
    id: SubmissionId,
    form: String,
    version: i32,
    revision: i32,
    content_hash: String,
    #[schema(value_type = Object)]
    answers: Value,
    #[schema(value_type = Object)]
    calculated: Map<String, Value>,
    media: MediaState,
    media_missing: Vec<String>,
    /// The files it declares.
    media_declared: Vec<DeclaredMedia>,
    verdict: Verdict,
    review: Review,
    #[schema(value_type = Vec<Object>)]
    violations: Vec<form_engine::Violation>,
    #[schema(value_type = Vec<Object>)]
    findings: Vec<form_engine::Finding>,
    #[schema(value_type = Object)]
    scores: Map<String, Value>,
    #[schema(value_type = Object)]
    summary: Map<String, Value>,
    flags: Vec<Flag>,
    place: PlaceTag,
    facility: Option<String>,
    filed_by: String,
    device: Option<String>,
    started_at: Option<String>,
    finished_at: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    received_at: At,
    receipt: String,
    /// What it corrects, where it follows a revision that was returned.
    correction: Option<Correction>,
    /// The last decision about the submission.
    decision: Option<DecisionView>,
    /// What the form asks of its reviewer, and what was answered; for those who may review it.
    #[serde(skip_serializing_if = "Option::is_none")]
    review_answers: Option<ReviewAnswers>,
    /// Questions whose answers are held back; read with `?reason=` if you may see them.
    redacted: Vec<String>,
}

/// A revision in a submission's history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "revision": 1, "content_hash": "9f2c…", "release_hash": "5f0c…", "received_at": "2026-11-20T04:00:01Z",
    "verdict": "valid", "findings": 0, "receipt": "eyJ…"
}))]
pub(super) struct ListedRevision {
    revision: i32,
    content_hash: String,
    release_hash: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    received_at: At,
    verdict: Verdict,
    findings: usize,
    receipt: String,
}

pub(super) fn listed(head: Head) -> Result<ListedSubmission> {
    Ok(ListedSubmission {
        id: head.id,
        form: head.form,
        version: head.version,
        revision: head.revision,
        content_hash: head.content_hash,
        verdict: head.verdict,
        media: head.media,
        review: head.review,
        received_at: head.received_at,
        finished_at: head.finished_at,
        filed_by: head.account_id,
        facility: head.facility,
        district: head.district,
        findings: head.findings,
        summary: head.summary.read()?,
    })
}

pub(super) fn listed_revision(row: Revision) -> Result<ListedRevision> {
    let judgement = row.judgement()?;
    Ok(ListedRevision {
        receipt: row.receipt(&judgement.declared)?,
        revision: row.revision,
        content_hash: row.content_hash,
        release_hash: row.release_hash,
        received_at: row.received_at,
        verdict: judgement.verdict,
        findings: judgement.findings.len(),
    })
}

pub(super) fn view(
    head: Head,
    revision: Revision,
    judgement: Judgement,
    media_missing: Vec<String>,
    decision: Option<DecisionView>,
    review_answers: Option<ReviewAnswers>,
    redacted: Vec<String>,
) -> Result<SubmissionView> {
    Ok(SubmissionView {
        receipt: revision.receipt(&judgement.declared)?,
        id: head.id,
        form: head.form,
        version: head.version,
        revision: revision.revision,
        content_hash: revision.content_hash,
        answers: judgement.answers,
        calculated: judgement.calculated,
        media: if media_missing.is_empty() { MediaState::Complete } else { MediaState::Awaiting },
        media_missing,
        media_declared: judgement.declared,
        verdict: judgement.verdict,
        review: head.review,
        violations: judgement.violations,
        findings: judgement.findings,
        scores: judgement.scores,
        summary: judgement.summary,
        flags: judgement.flags,
        place: judgement.place,
        facility: head.facility,
        filed_by: head.account_id,
        device: revision.device_id,
        started_at: judgement.started_at,
        finished_at: judgement.finished_at,
        received_at: revision.received_at,
        correction: judgement.correction,
        decision,
        review_answers,
        redacted,
    })
}
