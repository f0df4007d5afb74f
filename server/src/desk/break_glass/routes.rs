//! Publishing without a vote, over HTTP.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use utoipa_actix_web::service_config::ServiceConfig;

use super::GlassView;
use crate::accounts::Actor;
use crate::desk::Desk;
use crate::desk::model::ProposalId;
use crate::desk::requests::{Agreement, NewGlass};
use crate::desk::routes::id_of;
use crate::error::Result;
use crate::http::{Page, Problem, Problems};

/// Operations on it.
pub(in crate::desk) fn routes(config: &mut ServiceConfig) {
    config.service(ask).service(glasses).service(agree).service(refuse);
}

/// Ask that a proposal be published without a vote. The chair or the deputy must agree within a day.
#[utoipa::path(
    tag = "committee",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    request_body = NewGlass,
    responses(
        (status = CREATED, body = GlassView),
        (status = CONFLICT, body = Problem, description = "It is settled, or not ready", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has another hash now", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/proposals/{id}/break-glass")]
async fn ask(room: Data<Desk>, actor: Actor, id: Path<String>, new: Json<NewGlass>) -> Result<HttpResponse> {
    let asked = room.ask_break_glass(actor, id_of(&id)?, new.into_inner()).await?;
    Ok(HttpResponse::Created().json(asked))
}

/// Everything that was asked to be published without a vote, the newest first.
#[utoipa::path(tag = "committee", responses((status = OK, body = Page<GlassView>), Problems))]
#[get("/v1/break-glass")]
async fn glasses(room: Data<Desk>, actor: Actor) -> Result<Json<Page<GlassView>>> {
    room.list_break_glass(actor).await.map(Json)
}

/// Agree to it, with a signature: it is published at once, and everybody in office is told.
#[utoipa::path(
    tag = "committee",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    request_body = Agreement,
    responses(
        (status = OK, body = GlassView),
        (status = CONFLICT, body = Problem, description = "It is settled, or nobody agreed in time", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has another hash now", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/break-glass/{id}/agree")]
async fn agree(
    room: Data<Desk>,
    actor: Actor,
    id: Path<String>,
    new: Json<Agreement>,
) -> Result<Json<GlassView>> {
    room.agree_to_break_glass(actor, id_of::<ProposalId>(&id)?.to_string(), new.into_inner()).await.map(Json)
}

/// Refuse it.
#[utoipa::path(
    tag = "committee",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses(
        (status = OK, body = GlassView),
        (status = CONFLICT, body = Problem, description = "It is settled", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/break-glass/{id}/refuse")]
async fn refuse(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<Json<GlassView>> {
    room.refuse_break_glass(actor, id_of::<ProposalId>(&id)?.to_string()).await.map(Json)
}
