//! Webhooks as administrators see them. The secret is shown when it is made, and never again.

use serde::Serialize;

use super::model::{Webhook, WebhookId};
use crate::accounts::Line;
use crate::db::At;
use crate::error::Result;

/// A program that is told.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "name": "CPMIS", "url": "https://cpmis.example.org/nigran",
    "kinds": ["finding.urgent", "referral.*"], "areas": ["PK226"], "line": "swd", "enabled": true,
    "disabled_because": null, "failing_since": null, "resume_at": null, "both_sign_until": null, "made_at": "2026-11-20T12:00:00Z",
    "changed_at": "2026-11-20T12:00:00Z"
}))]
pub(super) struct WebhookView {
    /// Its id.
    id: WebhookId,
    /// What people call it.
    name: String,
    /// Where it is called.
    url: String,
    /// Kinds it is told of; none named: all.
    kinds: Vec<String>,
    /// Areas it is told of; none named: all.
    areas: Vec<String>,
    /// Only of this line.
    line: Option<Line>,
    /// Whether it is called.
    enabled: bool,
    /// Why the server switched it off, if it did.
    disabled_because: Option<String>,
    /// Nothing came through from then on.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    failing_since: Option<At>,
    /// It is left alone until then.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    resume_at: Option<At>,
    /// Until then the secret before the last signs as well.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    both_sign_until: Option<At>,
    /// When it was made.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    made_at: At,
    /// When it was last changed.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    changed_at: At,
}

/// A webhook with the secret it signs with.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct WebhookWithSecret {
    /// The webhook.
    #[serde(flatten)]
    pub(super) webhook: WebhookView,
    /// The secret. It is shown here and nowhere else.
    pub(super) secret: String,
}

/// Every webhook.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Webhooks {
    /// Oldest first.
    pub(super) items: Vec<WebhookView>,
}

/// What is sent again.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({ "queued": 42, "next": null }))]
pub(super) struct Replayed {
    /// Notices that will be sent, each under the id it had.
    pub(super) queued: usize,
    /// Send it as `after` to go on: there are more.
    pub(super) next: Option<String>,
}

impl WebhookView {
    pub(super) fn of(row: Webhook) -> Result<WebhookView> {
        Ok(WebhookView {
            kinds: row.kinds()?,
            areas: row.areas()?,
            id: row.id,
            name: row.name,
            url: row.url,
            line: row.line,
            enabled: row.enabled,
            disabled_because: row.disabled_because,
            failing_since: row.failing_since,
            resume_at: row.resume_at,
            both_sign_until: row.previous_until,
            made_at: row.made_at,
            changed_at: row.changed_at,
        })
    }
}
