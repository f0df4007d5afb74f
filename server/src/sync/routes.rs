//! Sync over HTTP: one operation, asked by every phone whenever it has a signal, and mostly for nothing.

use actix_web::http::header;
use actix_web::web::{Data, Query as QueryString};
use actix_web::{HttpRequest, HttpResponse, get};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa_actix_web::service_config::ServiceConfig;

use super::Sync;
use super::model::Answer;
use super::reading::Brought;
use crate::accounts::{Actor, Permission};
use crate::error::Result;
use crate::http::{Problems, known_tag};

const CACHING: &str = "private, no-cache";

/// The room's operation.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(sync);
}

/// `GET /v1/sync?…`
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Query {
    /// The `cursor` of the answer before; none: start anew.
    cursor: Option<String>,
    /// Items on a page: 1 to 500, 200 unless told. Releases and boundary sets are not counted.
    limit: Option<u16>,
}

/// What changed for this person on this device since the cursor was given out.
///
/// Ask again while `more` is true. With the ETag of the last answer as `If-None-Match` it answers 304 when nothing has
/// changed; the cursor then stays good. A cursor may be used again: it gives the same page or a newer one.
#[utoipa::path(
    tag = "sync",
    params(Query, ("If-None-Match" = Option<String>, Header, description = "The ETag of the answer the cursor came with")),
    responses(
        (status = OK, body = Answer, headers(("ETag" = String))),
        (status = NOT_MODIFIED, description = "Nothing has changed; keep the cursor"),
        Problems
    )
)]
#[get("/v1/sync")]
async fn sync(
    room: Data<Sync>,
    actor: Actor,
    query: QueryString<Query>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    actor.may_any(&[Permission::FileInspections, Permission::FileAudits, Permission::FileToolkit])?;
    let Query { cursor, limit } = query.into_inner();
    // An empty one is what a phone without a cursor may well send.
    let cursor = cursor.filter(|cursor| !cursor.is_empty());
    let limit = usize::from(limit.unwrap_or(200).clamp(1, 500));
    let tag = cursor.as_deref().map(tag_of);
    let content = tag.as_deref().is_some_and(|tag| known_tag(&request, tag));
    Ok(match (room.bring(actor, cursor.as_deref(), limit, content).await?, tag) {
        (Brought::Page(answer), _) => HttpResponse::Ok()
            .insert_header((header::ETAG, tag_of(&answer.cursor)))
            .insert_header((header::CACHE_CONTROL, CACHING))
            .json(answer),
        (Brought::Nothing, tag) => HttpResponse::NotModified()
            .insert_header((header::ETAG, tag.unwrap_or_default()))
            .insert_header((header::CACHE_CONTROL, CACHING))
            .finish(),
    })
}

/// The tag of the answer that gave out this cursor.
fn tag_of(cursor: &str) -> String {
    format!("\"{}\"", hex::encode(&Sha256::digest(cursor)[..8]))
}
