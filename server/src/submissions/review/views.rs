//! Decisions as they are read. Comments may quote answers: they are for the filer, for whom they were written, and for those who
//! may read sensitive answers and say why.

use serde::Serialize;

use super::model::{Comment, ReviewRow};
use crate::accounts::Role;
use crate::db::At;
use crate::error::Result;
use crate::submissions::model::{Action, Review, SubmissionId};

/// How much of a decision is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::submissions) enum Candour {
    /// Everything.
    Reviewer,
    /// What is said to the filer: not who, and not what reviewers note for themselves.
    Filer,
    /// What was done, and when.
    Outline,
}

/// A decision about a submission.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a5-…", "submission": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "revision": 1, "action": "return",
    "review": "returned", "role": "supervisor", "at": "2026-11-20T09:30:00Z", "reason": "ages do not match the register",
    "fields": [{ "path": "children[0].age_years", "question": "age_years", "comment": "the register says 13" }],
    "due_at": "2026-11-26T19:00:00Z", "withheld": false
}))]
pub(in crate::submissions) struct DecisionView {
    /// The decision's own id.
    id: String,
    /// The submission decided about.
    submission: SubmissionId,
    /// The revision decided about.
    revision: i32,
    /// What was done.
    action: Action,
    /// Where the submission stood afterwards.
    review: Review,
    /// The role of whoever decided.
    role: Role,
    /// The account of whoever decided, for other reviewers.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// When.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    at: At,
    /// Why.
    reason: Option<String>,
    /// What reviewers noted for themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<String>,
    /// What is wrong, question by question.
    fields: Vec<Comment>,
    /// Until when it is to be corrected.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    due_at: Option<At>,
    /// Reason and comments are held back; read with `?reason=` if you may see them.
    withheld: bool,
}

impl DecisionView {
    /// As much of it as is told.
    pub(super) fn of(row: ReviewRow, candour: Candour) -> Result<DecisionView> {
        let comments = row.comments()?;
        let (full, told) = (candour == Candour::Reviewer, candour != Candour::Outline);
        Ok(DecisionView {
            withheld: !told && (row.reason.is_some() || !comments.is_empty()),
            id: row.id,
            submission: row.submission_id,
            revision: row.revision,
            action: row.action,
            review: row.action.leads_to(),
            role: row.role,
            by: full.then_some(row.decided_by),
            at: row.decided_at,
            reason: row.reason.filter(|_| told),
            notes: row.notes.filter(|_| full),
            fields: if told { comments } else { Vec::new() },
            due_at: row.due_at,
        })
    }
}
