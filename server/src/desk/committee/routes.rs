//! The Committee itself over HTTP: its rules, its members, their keys.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::accounts::Actor;
use crate::desk::Desk;
use crate::desk::requests::{Confirmation, EndOfTerm, NewKey, NewMember};
use crate::desk::views::{CommitteeView, KeyView, TermView};
use crate::error::Result;
use crate::http::{Page, Problem, Problems};

/// Operations on it.
pub(in crate::desk) fn routes(config: &mut ServiceConfig) {
    config.service(committee).service(appoint).service(end_term);
    config.service(keys).service(register_key).service(confirm_key).service(revoke_key);
}

/// The Committee: what it governs, by what rules it decides, who sits on it.
#[utoipa::path(tag = "committee", responses((status = OK, body = CommitteeView), Problems))]
#[get("/v1/committee")]
async fn committee(room: Data<Desk>, actor: Actor) -> Result<Json<CommitteeView>> {
    room.committee(actor).await.map(Json)
}

/// Appoint somebody. The chair or the deputy does; while there is neither, the administrator appoints a chair.
#[utoipa::path(
    tag = "committee",
    request_body = NewMember,
    responses(
        (status = CREATED, body = TermView),
        (status = CONFLICT, body = Problem, description = "The person, or a chair, is in office in that time", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/committee/members")]
async fn appoint(room: Data<Desk>, actor: Actor, new: Json<NewMember>) -> Result<HttpResponse> {
    let term = room.appoint(actor, new.into_inner()).await?;
    Ok(HttpResponse::Created().json(room.show_term(term).await?))
}

/// End a term of office now.
#[utoipa::path(
    tag = "committee",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    request_body = EndOfTerm,
    responses(
        (status = OK, body = TermView),
        (status = CONFLICT, body = Problem, description = "It has ended already", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/committee/members/{id}/end")]
async fn end_term(
    room: Data<Desk>,
    actor: Actor,
    id: Path<String>,
    new: Json<EndOfTerm>,
) -> Result<Json<TermView>> {
    let term = room.end_term(actor, id.into_inner(), new.into_inner().reason).await?;
    room.show_term(term).await.map(Json)
}

/// The members' public keys.
#[utoipa::path(tag = "committee", responses((status = OK, body = Page<KeyView>), Problems))]
#[get("/v1/committee/keys")]
async fn keys(room: Data<Desk>, actor: Actor) -> Result<Json<Page<KeyView>>> {
    room.list_keys(actor).await.map(Json)
}

/// Register your public key. The private half stays with you. A second key counts when the first has signed it, or another member has
/// confirmed it.
#[utoipa::path(
    tag = "committee",
    request_body = NewKey,
    responses(
        (status = CREATED, body = KeyView),
        (status = CONFLICT, body = Problem, description = "The key was used before", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/committee/keys")]
async fn register_key(room: Data<Desk>, actor: Actor, new: Json<NewKey>) -> Result<HttpResponse> {
    let key = room.register_key(actor, new.into_inner()).await?;
    Ok(HttpResponse::Created().json(KeyView::from(key)))
}

/// Confirm another member's key, with your own signature over it.
#[utoipa::path(
    tag = "committee",
    params(("id" = String, Path, example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")),
    request_body = Confirmation,
    responses(
        (status = OK, body = KeyView),
        (status = CONFLICT, body = Problem, description = "It is settled already", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/committee/keys/{id}/confirm")]
async fn confirm_key(
    room: Data<Desk>,
    actor: Actor,
    id: Path<String>,
    new: Json<Confirmation>,
) -> Result<Json<KeyView>> {
    room.confirm_key(actor, id.into_inner(), new.into_inner()).await.map(|key| Json(key.into()))
}

/// Revoke a key: your own, or, as chair or deputy, anybody's. Votes it signed stand.
#[utoipa::path(
    tag = "committee",
    params(("id" = String, Path, example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")),
    responses((status = OK, body = KeyView), Problems)
)]
#[post("/v1/committee/keys/{id}/revoke")]
async fn revoke_key(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<Json<KeyView>> {
    room.revoke_key(actor, id.into_inner()).await.map(|key| Json(key.into()))
}
