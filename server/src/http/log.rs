//! The audit log over HTTP. It stands here and not in its room, since accounts look at the audit room and not the
//! other way round.

use actix_web::get;
use actix_web::web::{Data, Json, Query as QueryString};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{Cursor, Page, Problems};
use crate::accounts::{Actor, Permission};
use crate::audit::{self, EventView, Wanted};
use crate::db::Db;
use crate::error::Result;

/// The operation of this file.
pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list);
}

/// `GET /v1/audit?…`
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Only what was done to this: `submission:6f…`.
    subject: Option<String>,
    /// Only what this account did.
    account: Option<String>,
    /// Only deeds of this name: `submission.filed`.
    action: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    limit: Option<u16>,
}

/// What was done, by whom, oldest first. Administrators see it without what was done to submissions.
#[utoipa::path(tag = "audit", params(Query), responses((status = OK, body = Page<EventView>), Problems))]
#[get("/v1/audit")]
async fn list(db: Data<Db>, actor: Actor, query: QueryString<Query>) -> Result<Json<Page<EventView>>> {
    actor.may_any(&[Permission::ReadAudit, Permission::ReadOperationsLog])?;
    let Query { subject, account, action, after, limit } = query.into_inner();
    let cursor = Cursor { after, limit };
    let limit = cursor.limit();
    let wanted = Wanted {
        after: cursor.place()?.unwrap_or(0),
        limit: limit as i64 + 1,
        subject,
        account,
        action,
        without_cases: actor.may(Permission::ReadAudit).is_err(),
    };
    let events = db.read_lately(move |conn| audit::log(conn, &wanted)).await?;
    Ok(Json(Page::of(events, limit, |event| event.seq)))
}
