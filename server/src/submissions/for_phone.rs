//! What a phone is told of the submissions filed from it, and from the person's other phones: that they arrived, where
//! they stand. Compact: the whole receipt was the answer to the filing, and a resend gets it again.

use serde::Serialize;

use super::model::{Head, MediaState, Review, SubmissionId, Verdict};
use super::store;
use crate::db::{At, DbConn};
use crate::error::Result;

/// That a submission arrived, and how it stands.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "form": "child-labour-inspection", "revision": 1, "content_hash": "9f2c…",
    "received_at": "2026-11-20T04:00:01.204Z", "changed_at": "2026-11-20T04:00:01.204Z",
    "media": "awaiting", "verdict": "valid", "review": "received"
}))]
pub struct ReceiptForPhone {
    /// The submission's id.
    pub id: SubmissionId,
    /// The form's code.
    pub form: String,
    /// The revision that stands.
    pub revision: i32,
    /// Its content hash: the `If-Match` of the next revision.
    pub content_hash: String,
    /// When the first revision arrived.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub received_at: At,
    /// When it last changed.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub changed_at: At,
    /// Whether every declared file has arrived.
    pub media: MediaState,
    /// What the rules say.
    pub verdict: Verdict,
    /// Where it stands with its reviewer. `returned`: it is to be corrected, see `returned`.
    pub review: Review,
}

impl ReceiptForPhone {
    fn of(head: Head) -> ReceiptForPhone {
        ReceiptForPhone {
            id: head.id,
            form: head.form,
            revision: head.revision,
            content_hash: head.content_hash,
            received_at: head.received_at,
            changed_at: head.changed_at,
            media: head.media,
            verdict: head.verdict,
            review: head.review,
        }
    }
}

/// These submissions, as far as `account` filed them.
pub fn receipts_for_phone(
    conn: &mut DbConn,
    account: &str,
    ids: &[SubmissionId],
) -> Result<Vec<ReceiptForPhone>> {
    Ok(store::filed_by(conn, account, ids)?.into_iter().map(ReceiptForPhone::of).collect())
}

/// A page of what `account` filed from `since` on, in the order in which it first arrived, after this place.
pub fn filed_for_phone(
    conn: &mut DbConn,
    account: &str,
    since: At,
    after: Option<(At, SubmissionId)>,
    limit: i64,
) -> Result<Vec<ReceiptForPhone>> {
    Ok(store::filed_since(conn, account, since, after, limit)?.into_iter().map(ReceiptForPhone::of).collect())
}
