//! Webhooks: programs that are told. Each call says of what kind something is, its code, its link and when it happened,
//! signed as Standard Webhooks (standardwebhooks.com) has it; what was found stands behind the login.
//!
//! What a newcomer would get wrong: a call may arrive twice (an answer can be lost), but always with the same
//! `webhook-id`; and of one subject calls arrive in order, each only after the one before was taken or given up.

mod administration;
mod caller;
mod guard;
mod model;
mod requests;
mod routes;
mod sealing;
mod sending;
mod signing;
mod store;
mod views;

pub(super) use caller::Caller;
pub(super) use model::WebhookId;
pub(super) use routes::routes;
pub(super) use sealing::Sealer;

use super::model::Notice;
use crate::db::DbConn;
use crate::error::Result;

/// The webhooks in use that asked for such notices.
pub(super) fn that_want(conn: &mut DbConn, notice: &Notice) -> Result<Vec<WebhookId>> {
    let mut wanting = Vec::new();
    for webhook in store::enabled(conn)? {
        if webhook.wants(notice)? {
            wanting.push(webhook.id);
        }
    }
    Ok(wanting)
}
