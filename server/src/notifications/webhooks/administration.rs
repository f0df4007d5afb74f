//! Making, changing and removing webhooks, and having them told again what they were told.

use chrono::TimeDelta;
use serde_json::json;

use super::model::{Webhook, WebhookId};
use super::requests::{NewWebhook, Replay, WebhookChange};
use super::sending::SWITCHED_OFF;
use super::views::{Replayed, WebhookView, WebhookWithSecret};
use super::{signing, store as webhooks};
use crate::accounts::{Actor, Permission};
use crate::audit::{self, Event};
use crate::db::{At, Json, Tx};
use crate::error::{Error, Result};
use crate::notifications::model::{Channel, Delivery, NoticeId, State};
use crate::notifications::{Notifications, WEBHOOK, event, store};
use crate::queue::{self, Job};

/// More webhooks than anybody needs.
const MOST: usize = 50;
/// Notices one replay looks at.
const REPLAYED: i64 = 2000;

impl Notifications {
    /// Every webhook.
    pub(super) async fn webhooks(&self, actor: Actor) -> Result<Vec<WebhookView>> {
        actor.may(Permission::ManageNotifications)?;
        let all = self.db.read(webhooks::all).await?;
        all.into_iter().map(WebhookView::of).collect()
    }

    /// One webhook.
    pub(super) async fn webhook(&self, actor: Actor, id: WebhookId) -> Result<WebhookView> {
        actor.may(Permission::ManageNotifications)?;
        let found =
            self.db.read(move |conn| webhooks::webhook(conn, &id)?.ok_or_else(|| unknown(&id))).await?;
        WebhookView::of(found)
    }

    /// Makes a webhook; the answer holds its secret.
    pub(super) async fn make_webhook(&self, actor: Actor, new: NewWebhook) -> Result<WebhookWithSecret> {
        actor.may(Permission::ManageNotifications)?;
        let new = new.checked(&self.caller.config, &self.wording)?;
        let (room, secret) = (self.clone(), signing::new_secret()?);
        let shown = secret.clone();
        let row = self
            .db
            .write(actor.by(), move |tx| {
                if webhooks::all(tx.conn)?.len() >= MOST {
                    let why = format!("there are {MOST} webhooks; remove one that nobody needs");
                    return Err(Error::conflict("too_many_webhooks", why));
                }
                let row = room.drafted(tx, &new, &secret)?;
                webhooks::add(tx.conn, &row)?;
                let details = json!({ "kinds": new.kinds, "areas": new.areas, "line": new.line, "enabled": row.enabled });
                audit::record(tx, Event::new("webhook.made", "webhook", &row.id, details))?;
                Ok(row)
            })
            .await?;
        Ok(WebhookWithSecret { webhook: WebhookView::of(row)?, secret: shown })
    }

    fn drafted(&self, tx: &Tx, new: &NewWebhook, secret: &str) -> Result<Webhook> {
        let (id, now) = (WebhookId::from(tx.new_id()), At::from(tx.now()));
        Ok(Webhook {
            secret: self.sealer.close(secret, &id)?,
            id,
            name: new.name.clone(),
            url: new.url.clone(),
            kinds: Json::of(&new.kinds)?,
            areas: Json::of(&new.areas)?,
            line: new.line,
            enabled: new.enabled.unwrap_or(true),
            disabled_because: None,
            made_by: tx.by.account.clone(),
            made_at: now,
            changed_at: now,
            failures: 0,
            failing_since: None,
            resume_at: None,
            previous_secret: None,
            previous_until: None,
        })
    }

    /// Changes a webhook. Its failures are forgotten: whoever changes it has looked at it.
    pub(super) async fn change_webhook(
        &self,
        actor: Actor,
        id: WebhookId,
        change: WebhookChange,
    ) -> Result<WebhookView> {
        actor.may(Permission::ManageNotifications)?;
        let change = change.checked(&self.caller.config, &self.wording)?;
        let row = self.db.write(actor.by(), move |tx| apply(tx, &id, &change)).await?;
        WebhookView::of(row)
    }

    /// Gives a webhook a new secret; the old one signs beside it for so long. The one before that signs nothing any more.
    pub(super) async fn new_secret(
        &self,
        actor: Actor,
        id: WebhookId,
        overlap: TimeDelta,
    ) -> Result<WebhookWithSecret> {
        actor.may(Permission::ManageNotifications)?;
        let (room, secret) = (self.clone(), signing::new_secret()?);
        let shown = secret.clone();
        let row = self
            .db
            .write(actor.by(), move |tx| {
                let mut row = webhooks::webhook(tx.conn, &id)?.ok_or_else(|| unknown(&id))?;
                let renewed = room.sealer.close(&secret, &row.id)?;
                let before = std::mem::replace(&mut row.secret, renewed);
                let overlaps = !overlap.is_zero();
                row.previous_secret = overlaps.then_some(before);
                row.previous_until = overlaps.then(|| At::from(tx.now() + overlap));
                row.changed_at = At::from(tx.now());
                webhooks::update(tx.conn, &row)?;
                let details = json!({ "previous_until": row.previous_until });
                audit::record(tx, Event::new("webhook.secret_renewed", "webhook", &row.id, details))?;
                Ok(row)
            })
            .await?;
        Ok(WebhookWithSecret { webhook: WebhookView::of(row)?, secret: shown })
    }

    /// Removes a webhook; what waited for it is dropped.
    pub(super) async fn remove_webhook(&self, actor: Actor, id: WebhookId) -> Result<()> {
        actor.may(Permission::ManageNotifications)?;
        self.db
            .write(actor.by(), move |tx| {
                if !webhooks::remove(tx.conn, &id)? {
                    return Err(unknown(&id));
                }
                let (now, why) = (At::from(tx.now()), Some("the webhook was removed"));
                for from in [State::Pending, State::Parked] {
                    store::move_all(tx.conn, id.as_str(), (from, None), (State::Dropped, why), now)?;
                }
                audit::record(tx, Event::new("webhook.removed", "webhook", &id, json!({})))
            })
            .await
    }

    /// Has everything from an instant on sent again to a webhook, each notice under the id it had.
    pub(super) async fn replay(&self, actor: Actor, id: WebhookId, replay: Replay) -> Result<Replayed> {
        actor.may(Permission::ManageNotifications)?;
        let from = At::from(replay.from()?);
        let after = replay.after.as_deref().map(place).transpose()?;
        self.db.write(actor.by(), move |tx| replay_in(tx, &id, from, after.clone())).await
    }
}

fn apply(tx: &mut Tx, id: &WebhookId, change: &WebhookChange) -> Result<Webhook> {
    let before = webhooks::webhook(tx.conn, id)?.ok_or_else(|| unknown(id))?;
    let mut row = before.clone();
    row.name = change.name.clone().unwrap_or(row.name);
    row.url = change.url.clone().unwrap_or(row.url);
    if let Some(kinds) = &change.kinds {
        row.kinds = Json::of(kinds)?;
    }
    if let Some(areas) = &change.areas {
        row.areas = Json::of(areas)?;
    }
    row.line = change.line.unwrap_or(row.line);
    row.enabled = change.enabled.unwrap_or(row.enabled);
    row.came_through();
    if row.enabled {
        row.disabled_because = None;
    }
    if row == before {
        return Ok(row);
    }
    let now = At::from(tx.now());
    row.changed_at = now;
    webhooks::update(tx.conn, &row)?;
    match row.enabled {
        true => {
            store::move_all(
                tx.conn,
                id.as_str(),
                (State::Parked, Some(SWITCHED_OFF)),
                (State::Pending, None),
                now,
            )?;
            queue::enqueue_sooner(tx, Job::new(WEBHOOK, id.as_str()).once(id.as_str()))?;
        }
        false => {
            let to = (State::Parked, Some(SWITCHED_OFF));
            store::move_all(tx.conn, id.as_str(), (State::Pending, None), to, now)?;
        }
    }
    let details = json!({ "kinds": row.kinds()?, "areas": row.areas()?, "line": row.line, "enabled": row.enabled,
        "url_changed": row.url != before.url });
    audit::record(tx, Event::new("webhook.changed", "webhook", id, details))?;
    Ok(row)
}

fn replay_in(tx: &mut Tx, id: &WebhookId, from: At, after: Option<(At, NoticeId)>) -> Result<Replayed> {
    let webhook = webhooks::webhook(tx.conn, id)?.ok_or_else(|| unknown(id))?;
    if !webhook.enabled {
        let why = format!("webhook {id} is switched off; switch it on before it is told again");
        return Err(Error::conflict("webhook_disabled", why));
    }
    let (from, after) = match &after {
        Some((at, id)) => (*at, Some(id)),
        None => (from, None),
    };
    let looked = store::notices_from(tx.conn, from, after, REPLAYED)?;
    let mut wanted = Vec::new();
    for notice in &looked {
        if webhook.wants(notice)? && !event::is_operations(&notice.kind) {
            wanted.push(notice);
        }
    }
    let now = At::from(tx.now());
    let ids: Vec<NoticeId> = wanted.iter().map(|notice| notice.id.clone()).collect();
    let mut queued = store::again(tx.conn, id.as_str(), &ids, now)?;
    let missed: Vec<Delivery> = wanted
        .iter()
        .map(|notice| {
            let delivery = Delivery::of(notice, tx.new_id().into(), Channel::Webhook, id.as_str(), now);
            Delivery { created_at: now, ..delivery }
        })
        .collect();
    queued += store::add(tx.conn, &missed)?;
    queue::enqueue_sooner(tx, Job::new(WEBHOOK, id.as_str()).once(id.as_str()))?;
    audit::record(
        tx,
        Event::new("webhook.replayed", "webhook", id, json!({ "from": from, "queued": queued })),
    )?;
    let more = looked.last().filter(|_| looked.len() as i64 == REPLAYED);
    let next = more.map(|last| format!("{}~{}", last.occurred_at.micros(), last.id));
    Ok(Replayed { queued, next })
}

/// Where a replay goes on.
fn place(text: &str) -> Result<(At, NoticeId)> {
    let read = || {
        let (at, id) = text.split_once('~')?;
        Some((At::from_micros(at.parse().ok()?), id.parse().ok()?))
    };
    read().ok_or_else(|| {
        Error::invalid("bad_cursor", "`after` must be the `next` of an earlier page, unchanged")
    })
}

fn unknown(id: &WebhookId) -> Error {
    Error::not_found("webhook_unknown", format!("there is no webhook {id}"))
}
