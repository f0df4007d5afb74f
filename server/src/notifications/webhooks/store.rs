//! Queries of webhooks.

use diesel::prelude::*;

use super::model::{Webhook, WebhookId};
use crate::db::DbConn;
use crate::db::schema::webhooks;
use crate::error::Result;

pub(super) fn enabled(conn: &mut DbConn) -> Result<Vec<Webhook>> {
    Ok(webhooks::table
        .filter(webhooks::enabled.eq(true))
        .order(webhooks::id)
        .select(Webhook::as_select())
        .load(conn)?)
}

/// All of them, oldest first; there are never many.
pub(super) fn all(conn: &mut DbConn) -> Result<Vec<Webhook>> {
    Ok(webhooks::table.order(webhooks::id).select(Webhook::as_select()).load(conn)?)
}

pub(super) fn webhook(conn: &mut DbConn, id: &WebhookId) -> Result<Option<Webhook>> {
    Ok(webhooks::table.find(id).select(Webhook::as_select()).first(conn).optional()?)
}

pub(super) fn add(conn: &mut DbConn, row: &Webhook) -> Result<()> {
    diesel::insert_into(webhooks::table).values(row).execute(conn)?;
    Ok(())
}

pub(super) fn update(conn: &mut DbConn, row: &Webhook) -> Result<()> {
    diesel::update(webhooks::table.find(&row.id)).set(row).execute(conn)?;
    Ok(())
}

/// Writes down how the last calls went, and nothing an administrator may be changing meanwhile.
pub(super) fn note_health(conn: &mut DbConn, row: &Webhook) -> Result<()> {
    diesel::update(webhooks::table.find(&row.id))
        .set((
            webhooks::failures.eq(row.failures),
            webhooks::failing_since.eq(row.failing_since),
            webhooks::resume_at.eq(row.resume_at),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn remove(conn: &mut DbConn, id: &WebhookId) -> Result<bool> {
    Ok(diesel::delete(webhooks::table.find(id)).execute(conn)? == 1)
}
