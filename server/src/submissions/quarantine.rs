//! Quarantine: what cannot be evaluated at all is kept byte for byte, receipted, and shown to the administrator, who
//! can have it filed once the cause (an unpublished release, say) is gone.

use serde::Serialize;
use serde_json::json;

use super::Submissions;
use super::ingest::Filed;
use super::model::{Quarantined, SubmissionId};
use super::receipt::{RECEIPT_TYPE, Receipt, ReceiptClaims};
use super::store;
use crate::accounts::{Actor, Permission, Tokens};
use crate::audit::{self, Event};
use crate::db::{At, Packed, Tx, storable};
use crate::error::{Error, Result};
use crate::http::{Cursor, Page};

/// Something that cannot be evaluated, and why.
pub(super) struct Reason {
    id: SubmissionId,
    account_id: String,
    device_id: Option<String>,
    content_hash: String,
    reason: &'static str,
    detail: String,
    raw: Packed,
}

impl Reason {
    pub(super) fn new(
        id: SubmissionId,
        filer: &Actor,
        content_hash: String,
        reason: &'static str,
        detail: String,
        body: &[u8],
    ) -> Result<Reason> {
        Ok(Reason {
            id,
            account_id: filer.account.to_string(),
            device_id: filer.device.clone(),
            content_hash,
            reason,
            detail: storable(detail),
            raw: Packed::bytes(body)?,
        })
    }
}

/// Keeps it, or finds that it is kept already.
pub(super) fn keep(tx: &mut Tx, reason: &Reason, tokens: &Tokens) -> Result<Receipt> {
    if let Some(row) = store::kept(tx.conn, &reason.id, &reason.content_hash)? {
        return receipt(row, tokens);
    }
    let row = Quarantined {
        id: tx.new_id().to_string(),
        submission_id: reason.id.clone(),
        content_hash: reason.content_hash.clone(),
        account_id: reason.account_id.clone(),
        device_id: reason.device_id.clone(),
        received_at: At::from(tx.now()),
        reason: reason.reason.to_owned(),
        detail: reason.detail.clone(),
        raw: reason.raw.clone(),
        released_at: None,
    };
    store::keep(tx.conn, &row)?;
    let details = json!({ "reason": row.reason, "content_hash": row.content_hash });
    audit::record(tx, Event::new("submission.quarantined", "submission", &row.submission_id, details))?;
    receipt(row, tokens)
}

fn receipt(row: Quarantined, tokens: &Tokens) -> Result<Receipt> {
    let signed = tokens.sign(&ReceiptClaims::of_quarantined(&row), RECEIPT_TYPE)?;
    Ok(Receipt::of_quarantined(row, signed))
}

/// A quarantined submission as the administrator sees it: what happened, never what was answered.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-…", "submission": "0190b7a4-…", "account": "0190b7a0-…", "reason": "release_unknown",
    "detail": "form child-labour-inspection has no release 9", "received_at": "2026-11-20T04:00:01Z", "size_bytes": 4096
}))]
pub(super) struct QuarantineView {
    /// The record's id.
    pub(super) id: String,
    /// The id it was sent under.
    pub(super) submission: SubmissionId,
    /// Who sent it.
    pub(super) account: String,
    /// Stable, for programs.
    pub(super) reason: String,
    /// For people.
    pub(super) detail: String,
    /// When it was stored.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub(super) received_at: At,
    /// Its size as it came.
    pub(super) size_bytes: usize,
}

impl QuarantineView {
    fn of(row: Quarantined) -> Result<QuarantineView> {
        Ok(QuarantineView {
            size_bytes: row.raw.unpack()?.len(),
            id: row.id,
            submission: row.submission_id,
            account: row.account_id,
            reason: row.reason,
            detail: row.detail,
            received_at: row.received_at,
        })
    }
}

impl Submissions {
    /// What waits in quarantine.
    pub(super) async fn quarantined(&self, reader: Actor, cursor: Cursor) -> Result<Page<QuarantineView>> {
        reader.may(Permission::ManageQuarantine)?;
        let after: String = cursor.place()?.unwrap_or_default();
        let limit = cursor.limit();
        let rows = self.db.read(move |conn| store::waiting(conn, &after, limit as i64 + 1)).await?;
        let views = rows.into_iter().map(QuarantineView::of).collect::<Result<Vec<_>>>()?;
        Ok(Page::of(views, limit, |view| view.id.clone()))
    }

    /// Files a quarantined submission again, on behalf of whoever sent it. It stays in quarantine if the cause is
    /// still there.
    pub(super) async fn reprocess(&self, manager: Actor, id: String) -> Result<Filed> {
        manager.may(Permission::ManageQuarantine)?;
        let missing =
            Error::not_found("quarantine_unknown", format!("nothing is kept in quarantine under {id}"));
        let wanted = id.clone();
        let row = self.db.read(move |conn| store::kept_by_id(conn, &wanted)).await?.ok_or(missing)?;
        let filer = self.accounts.actor_of(&row.account_id, row.device_id.clone()).await?;
        let body = row.raw.unpack()?.into();
        let filed = self.file(filer, row.submission_id.clone(), body, None).await?;
        if !matches!(filed, Filed::Quarantined(_)) {
            self.db
                .write(manager.by(), move |tx| {
                    store::release_from_quarantine(tx.conn, &id, At::from(tx.now()))?;
                    let details = json!({ "quarantine": id });
                    audit::record(
                        tx,
                        Event::new("submission.released", "submission", &row.submission_id, details),
                    )
                })
                .await?;
        }
        Ok(filed)
    }
}
