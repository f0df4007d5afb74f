//! Notifications over HTTP: one's own settings, and for administrators the webhooks and the outbox.

use actix_web::web::{Data, Json, Path, Query as QueryString};
use actix_web::{get, post, put};
use utoipa_actix_web::service_config::ServiceConfig;

use super::confirming::Confirmation;
use super::deliveries::{DeliveryView, Query};
use super::settings::{NewSettings, Settings};
use super::{Notifications, webhooks};
use crate::accounts::{AccountId, Actor};
use crate::error::{Error, Result};
use crate::http::{Page, Problem, Problems};

/// The room's operations.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(own).service(set_own).service(confirm).service(letter).service(of).service(set_for);
    webhooks::routes(config);
    config.service(outbox).service(retry);
}

/// How am I told?
#[utoipa::path(tag = "notifications", responses((status = OK, body = Settings), Problems))]
#[get("/v1/me/notifications")]
async fn own(room: Data<Notifications>, actor: Actor) -> Result<Json<Settings>> {
    room.own_settings(actor).await.map(Json)
}

/// Set when, where and in which language I am told.
#[utoipa::path(
    tag = "notifications",
    request_body = NewSettings,
    responses((status = OK, body = Settings), Problems)
)]
#[put("/v1/me/notifications")]
async fn set_own(room: Data<Notifications>, actor: Actor, new: Json<NewSettings>) -> Result<Json<Settings>> {
    room.set_own(actor, new.into_inner()).await.map(Json)
}

/// Enter the code of the letter that was sent to my address. From then on letters go there.
#[utoipa::path(
    tag = "notifications",
    request_body = Confirmation,
    responses(
        (status = OK, body = Settings),
        (status = CONFLICT, body = Problem, description = "There is no address to confirm", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/me/notifications/confirmation")]
async fn confirm(
    room: Data<Notifications>,
    actor: Actor,
    entered: Json<Confirmation>,
) -> Result<Json<Settings>> {
    room.confirm(actor, entered.into_inner()).await.map(Json)
}

/// Have another letter with a code sent to my address; the code before holds no longer.
#[utoipa::path(
    tag = "notifications",
    responses(
        (status = OK, body = Settings),
        (status = CONFLICT, body = Problem, description = "There is no address to confirm", content_type = "application/problem+json"),
        (status = TOO_MANY_REQUESTS, body = Problem, description = "One was sent just now", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/me/notifications/letter")]
async fn letter(room: Data<Notifications>, actor: Actor) -> Result<Json<Settings>> {
    room.another_letter(actor).await.map(Json)
}

/// How is somebody told? For administrators.
#[utoipa::path(
    tag = "notifications",
    params(("id" = AccountId, Path)),
    responses((status = OK, body = Settings), Problems)
)]
#[get("/v1/accounts/{id}/notifications")]
async fn of(room: Data<Notifications>, actor: Actor, id: Path<AccountId>) -> Result<Json<Settings>> {
    room.settings_of(actor, id.into_inner()).await.map(Json)
}

/// Set when, where and in which language somebody is told. For administrators.
#[utoipa::path(
    tag = "notifications",
    params(("id" = AccountId, Path)),
    request_body = NewSettings,
    responses((status = OK, body = Settings), Problems)
)]
#[put("/v1/accounts/{id}/notifications")]
async fn set_for(
    room: Data<Notifications>,
    actor: Actor,
    id: Path<AccountId>,
    new: Json<NewSettings>,
) -> Result<Json<Settings>> {
    room.set_for(actor, id.into_inner(), new.into_inner()).await.map(Json)
}

/// What is sent to people and programs, newest first: what waits, what arrived, and what could not be delivered.
#[utoipa::path(tag = "notifications", params(Query), responses((status = OK, body = Page<DeliveryView>), Problems))]
#[get("/v1/deliveries")]
async fn outbox(
    room: Data<Notifications>,
    actor: Actor,
    query: QueryString<Query>,
) -> Result<Json<Page<DeliveryView>>> {
    room.deliveries(actor, query.into_inner()).await.map(Json)
}

/// Have a delivery tried again now that waits or is parked.
#[utoipa::path(
    tag = "notifications",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses(
        (status = OK, body = DeliveryView),
        (status = CONFLICT, body = Problem, description = "It was sent, or there is nobody to send it to", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/deliveries/{id}/retry")]
async fn retry(room: Data<Notifications>, actor: Actor, id: Path<String>) -> Result<Json<DeliveryView>> {
    let id = id.parse().map_err(|_| Error::invalid("bad_id", "a delivery's id is a UUID"))?;
    room.retry(actor, id).await.map(Json)
}
