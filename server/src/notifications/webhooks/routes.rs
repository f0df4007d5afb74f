//! Webhooks over HTTP, for administrators.

use actix_web::http::header;
use actix_web::web::{Data, Json, Path, Query};
use actix_web::{HttpResponse, delete, get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;

use super::model::WebhookId;
use super::requests::{NewWebhook, Overlap, Replay, WebhookChange};
use super::views::{Replayed, WebhookView, WebhookWithSecret, Webhooks};
use crate::accounts::Actor;
use crate::error::{Error, Result};
use crate::http::{Problem, Problems};
use crate::notifications::Notifications;

/// The operations of this file.
pub(in crate::notifications) fn routes(config: &mut ServiceConfig) {
    config
        .service(list)
        .service(make)
        .service(show)
        .service(change)
        .service(remove)
        .service(renew)
        .service(replay);
}

/// Every program that is told, oldest first.
#[utoipa::path(tag = "notifications", responses((status = OK, body = Webhooks), Problems))]
#[get("/v1/webhooks")]
async fn list(room: Data<Notifications>, actor: Actor) -> Result<Json<Webhooks>> {
    Ok(Json(Webhooks { items: room.webhooks(actor).await? }))
}

/// Have a program told. The answer holds the secret calls are signed with, once.
#[utoipa::path(
    tag = "notifications",
    request_body = NewWebhook,
    responses(
        (status = CREATED, body = WebhookWithSecret),
        (status = CONFLICT, body = Problem, description = "There are too many", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/webhooks")]
async fn make(room: Data<Notifications>, actor: Actor, new: Json<NewWebhook>) -> Result<HttpResponse> {
    let made = room.make_webhook(actor, new.into_inner()).await?;
    Ok(HttpResponse::Created().insert_header(NO_STORE).json(made))
}

/// One program that is told.
#[utoipa::path(
    tag = "notifications",
    params(("id" = WebhookId, Path)),
    responses((status = OK, body = WebhookView), Problems)
)]
#[get("/v1/webhooks/{id}")]
async fn show(room: Data<Notifications>, actor: Actor, id: Path<String>) -> Result<Json<WebhookView>> {
    room.webhook(actor, id_of(&id)?).await.map(Json)
}

/// Change what a program is told, where it is called, or whether.
#[utoipa::path(
    tag = "notifications",
    params(("id" = WebhookId, Path)),
    request_body = WebhookChange,
    responses((status = OK, body = WebhookView), Problems)
)]
#[patch("/v1/webhooks/{id}")]
async fn change(
    room: Data<Notifications>,
    actor: Actor,
    id: Path<String>,
    change: Json<WebhookChange>,
) -> Result<Json<WebhookView>> {
    room.change_webhook(actor, id_of(&id)?, change.into_inner()).await.map(Json)
}

/// Tell a program no more. What waited for it is dropped.
#[utoipa::path(
    tag = "notifications",
    params(("id" = WebhookId, Path)),
    responses((status = NO_CONTENT), Problems)
)]
#[delete("/v1/webhooks/{id}")]
async fn remove(room: Data<Notifications>, actor: Actor, id: Path<String>) -> Result<HttpResponse> {
    room.remove_webhook(actor, id_of(&id)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Give a program a new secret. The answer holds it, once. For a day, unless told otherwise, calls are signed with the old one as well (two
/// signatures in `webhook-signature`, with a space between), so that the program can change over without missing a call.
#[utoipa::path(
    tag = "notifications",
    params(("id" = WebhookId, Path), Overlap),
    responses((status = OK, body = WebhookWithSecret), Problems)
)]
#[post("/v1/webhooks/{id}/secret")]
async fn renew(
    room: Data<Notifications>,
    actor: Actor,
    id: Path<String>,
    overlap: Query<Overlap>,
) -> Result<HttpResponse> {
    let renewed = room.new_secret(actor, id_of(&id)?, overlap.checked()?).await?;
    Ok(HttpResponse::Ok().insert_header(NO_STORE).json(renewed))
}

/// Have everything since an instant sent again, in order and under the same ids, whether it arrived or not.
#[utoipa::path(
    tag = "notifications",
    params(("id" = WebhookId, Path), Replay),
    responses(
        (status = OK, body = Replayed),
        (status = CONFLICT, body = Problem, description = "It is switched off", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/webhooks/{id}/replay")]
async fn replay(
    room: Data<Notifications>,
    actor: Actor,
    id: Path<String>,
    query: Query<Replay>,
) -> Result<Json<Replayed>> {
    room.replay(actor, id_of(&id)?, query.into_inner()).await.map(Json)
}

/// An answer with a secret in it, which nobody on the way may keep.
const NO_STORE: (header::HeaderName, &str) = (header::CACHE_CONTROL, "no-store");

fn id_of(text: &str) -> Result<WebhookId> {
    text.parse().map_err(|_| Error::invalid("bad_id", "a webhook's id is a UUID"))
}
