//! The outbox as administrators see it: what is to be sent, what was, and what could not be; of what kind, and never about
//! whom.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::model::{Channel, Delivery, DeliveryId, Notice, NoticeId, State};
use super::{MAIL, Notifications, WEBHOOK, store};
use crate::accounts::{Actor, Permission};
use crate::audit::{self, Event};
use crate::db::At;
use crate::error::{Error, Result};
use crate::http::{Cursor, Page};
use crate::queue::{self, Job};

/// `GET /v1/deliveries?…`
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Standing so: `pending`, `sent`, `parked`, `dropped`.
    state: Option<State>,
    /// By this channel: `mail`, `webhook`.
    channel: Option<Channel>,
    /// To this account or webhook.
    recipient: Option<uuid::Uuid>,
    /// `next` of the page before.
    after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    limit: Option<u16>,
}

/// Which deliveries a reader wants.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) state: Option<State>,
    pub(super) channel: Option<Channel>,
    pub(super) recipient: Option<String>,
    pub(super) after: Option<DeliveryId>,
    pub(super) limit: i64,
}

/// A notice on its way to one recipient.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "notice": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f0f",
    "kind": "referral.created", "code": "REF-9A4C1F10", "channel": "mail",
    "recipient": "0193a4b2-7c1e-7d3a-9f00-2b6c1d5e8a41", "state": "parked", "attempts": 80,
    "due_at": "2026-11-23T12:00:00Z", "occurred_at": "2026-11-20T12:00:00Z", "done_at": "2026-11-23T12:00:00Z",
    "last_error": "the mail server cannot be used: Connection refused (os error 111)"
}))]
pub(super) struct DeliveryView {
    /// Its id.
    id: DeliveryId,
    /// The notice; the `webhook-id` of a call.
    notice: NoticeId,
    /// Of what kind it is.
    kind: String,
    /// The code of what it is about.
    code: String,
    /// By what it is sent.
    channel: Channel,
    /// The account or the webhook.
    recipient: String,
    /// Where it stands.
    state: State,
    /// How often it was tried.
    attempts: i32,
    /// When it may be tried next; for a digest, when that is written.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    due_at: At,
    /// When what it tells of happened.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    occurred_at: At,
    /// When it was sent, parked or dropped.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    done_at: Option<At>,
    /// Why it failed last.
    last_error: Option<String>,
}

impl DeliveryView {
    fn of((row, notice): (Delivery, Notice)) -> DeliveryView {
        DeliveryView {
            id: row.id,
            notice: row.notice_id,
            kind: notice.kind,
            code: notice.code,
            channel: row.channel,
            recipient: row.recipient,
            state: row.state,
            attempts: row.attempts,
            due_at: row.due_at,
            occurred_at: notice.occurred_at,
            done_at: row.done_at,
            last_error: row.last_error,
        }
    }
}

impl Notifications {
    /// A page of deliveries, newest first.
    pub(super) async fn deliveries(&self, actor: Actor, query: Query) -> Result<Page<DeliveryView>> {
        actor.may(Permission::ManageNotifications)?;
        let Query { state, channel, recipient, after, limit } = query;
        let cursor = Cursor { after, limit };
        let limit = cursor.limit();
        let wanted = Wanted {
            state,
            channel,
            recipient: recipient.map(|id| id.hyphenated().to_string()),
            after: cursor.place()?,
            limit: limit as i64 + 1,
        };
        let rows = self.db.read(move |conn| store::page(conn, &wanted)).await?;
        Ok(Page::of(rows.into_iter().map(DeliveryView::of).collect(), limit, |item| item.id.clone()))
    }

    /// Has a delivery that was parked or waits tried again now, with all its attempts before it.
    pub(super) async fn retry(&self, actor: Actor, id: DeliveryId) -> Result<DeliveryView> {
        actor.may(Permission::ManageNotifications)?;
        self.db
            .write(actor.by(), move |tx| {
                let unknown = || Error::not_found("delivery_unknown", format!("there is no delivery {id}"));
                let mut row = store::delivery(tx.conn, &id)?.ok_or_else(unknown)?;
                if !matches!(row.state, State::Parked | State::Pending) {
                    let why = format!(
                        "delivery {id} is {}; only what is pending or parked is tried again",
                        row.state
                    );
                    return Err(Error::conflict("delivery_ended", why));
                }
                let now = At::from(tx.now());
                row = Delivery {
                    state: State::Pending,
                    attempts: 0,
                    due_at: now,
                    since: None,
                    done_at: None,
                    ..row
                };
                store::put_back(tx.conn, &row)?;
                let (kind, subject) = match row.channel {
                    Channel::Mail => (MAIL, &row.bundle),
                    Channel::Webhook => (WEBHOOK, &row.recipient),
                };
                queue::enqueue_sooner(tx, Job::new(kind, subject).once(subject))?;
                let details = json!({ "channel": row.channel });
                audit::record(tx, Event::new("delivery.retried", "delivery", &row.id, details))?;
                let notice = store::notices_of(tx.conn, std::slice::from_ref(&row.notice_id))?.pop();
                let notice =
                    notice.ok_or_else(|| Error::internal("reading a delivery", "its notice is gone"))?;
                Ok(DeliveryView::of((row, notice)))
            })
            .await
    }
}
