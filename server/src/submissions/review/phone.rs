//! What a phone is told of its submissions: which were sent back and why, and the receipts of what arrived.

use serde::Serialize;

use super::model::Comment;
use super::store;
use crate::accounts::Role;
use crate::db::{At, DbConn};
use crate::error::Result;
use crate::submissions::ingest::missing_media;
use crate::submissions::model::{Action, MediaState, Review, SubmissionId, Verdict};
use crate::submissions::store as heads;

/// A submission that was sent back, as its filer's phone gets it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReturnedForPhone {
    /// The submission.
    pub submission: SubmissionId,
    /// The form it was filled with.
    pub form: String,
    /// The release.
    pub version: i32,
    /// The revision that was sent back.
    pub revision: i32,
    /// Its hash: send it as `if_match` with the correction.
    pub content_hash: String,
    /// Why, in the reviewer's words.
    pub reason: Option<String>,
    /// What is wrong, question by question.
    pub fields: Vec<CommentForPhone>,
    /// Until when it is to be corrected; later is possible, too.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    pub due_at: Option<At>,
    /// The role of whoever sent it back.
    pub role: Role,
    /// When it was sent back.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub returned_at: At,
}

/// A reviewer's comment on one place of the answers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CommentForPhone {
    /// A question, a row, a repeat or a section.
    pub path: String,
    /// The question's name; none: it is about a section or rows.
    pub question: Option<String>,
    /// What is wrong with it.
    pub comment: String,
}

/// What the server holds of a submission, as its filer's phone gets it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReceiptForPhone {
    /// The submission.
    pub submission: SubmissionId,
    /// The revision that stands.
    pub revision: i32,
    /// Its hash.
    pub content_hash: String,
    /// When it was stored.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub received_at: At,
    /// What the rules say of it.
    pub verdict: Verdict,
    /// Where it stands with its reviewer.
    pub review: Review,
    /// Whether all its files have arrived.
    pub media: MediaState,
    /// Names of those that have not.
    pub media_missing: Vec<String>,
    /// The signed receipt.
    pub receipt: String,
}

/// Of these submissions, those that this account filed and that were sent back to it.
pub fn returned_for_phone(conn: &mut DbConn, account: &str, ids: &[String]) -> Result<Vec<ReturnedForPhone>> {
    let mut all = Vec::new();
    for head in store::heads_of(conn, account, ids)? {
        let last = store::last(conn, &head.id)?;
        let sent_back = head.review == Review::Returned;
        let Some(last) = last.filter(|row| sent_back && row.action == Action::Return) else { continue };
        all.push(ReturnedForPhone {
            fields: last.comments()?.into_iter().map(CommentForPhone::of).collect(),
            submission: head.id,
            form: head.form,
            version: head.version,
            revision: head.revision,
            content_hash: head.content_hash,
            reason: last.reason,
            due_at: last.due_at,
            role: last.role,
            returned_at: last.decided_at,
        });
    }
    Ok(all)
}

/// Of these submissions, what the server holds of those this account filed.
pub fn receipts_for_phone(conn: &mut DbConn, account: &str, ids: &[String]) -> Result<Vec<ReceiptForPhone>> {
    let mut all = Vec::new();
    for head in store::heads_of(conn, account, ids)? {
        let Some(revision) = heads::revision(conn, &head.id, head.revision)? else { continue };
        let judgement = revision.judgement()?;
        let media_missing = match head.media {
            MediaState::Complete => Vec::new(),
            MediaState::Awaiting => missing_media(conn, &head.id, &judgement)?,
        };
        all.push(ReceiptForPhone {
            submission: head.id,
            revision: head.revision,
            content_hash: head.content_hash,
            received_at: revision.received_at,
            verdict: head.verdict,
            review: head.review,
            media: head.media,
            media_missing,
            receipt: revision.receipt(&judgement.declared)?,
        });
    }
    Ok(all)
}

impl CommentForPhone {
    fn of(comment: Comment) -> CommentForPhone {
        CommentForPhone { path: comment.path, question: comment.question, comment: comment.comment }
    }
}
