//! Referrals over HTTP.

use actix_web::http::header;
use actix_web::web::{Data, Json, Path, Query as QueryString};
use actix_web::{HttpResponse, get, post};
use utoipa_actix_web::service_config::ServiceConfig;

use super::filter::Query;
use super::model::{ReferralId, Voice};
use super::requests::{NewAnswer, NewApproval, NewReferral};
use super::views::ReferralView;
use crate::accounts::{Acting, Actor};
use crate::error::Result;
use crate::findings::{FindingId, Findings};
use crate::http::{Contested, KnownVersion, Page, Problems, path_id};

/// The operations of referrals.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(refer).service(list).service(show).service(answer).service(approve).service(voiced);
}

/// Send a finding to a body. Without consent or legal basis, the supervisor decides whether it goes.
#[utoipa::path(
    tag = "referrals",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        KnownVersion
    ),
    request_body = NewReferral,
    responses(
        (status = CREATED, body = ReferralView, description = "It is sent, or waits for the supervisor"),
        Contested,
        Problems
    )
)]
#[post("/v1/findings/{id}/referrals")]
async fn refer(room: Data<Findings>, on: Acting<FindingId>, new: Json<NewReferral>) -> Result<HttpResponse> {
    let sent = room.refer(on.actor.clone(), on.page, new.into_inner()).await?;
    let view = room.referral(on.actor, sent).await?;
    Ok(HttpResponse::Created().insert_header((header::ETAG, view.etag())).json(view))
}

/// The referrals you may see, newest first. A receiver sees those addressed to it.
#[utoipa::path(tag = "referrals", params(Query), responses((status = OK, body = Page<ReferralView>), Problems))]
#[get("/v1/referrals")]
async fn list(
    room: Data<Findings>,
    actor: Actor,
    query: QueryString<Query>,
) -> Result<Json<Page<ReferralView>>> {
    room.referrals(actor, query.into_inner()).await.map(Json)
}

/// One referral. A receiver sees the part addressed to it, and nothing else of the case.
#[utoipa::path(
    tag = "referrals",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f12")),
    responses((status = OK, body = ReferralView), Problems)
)]
#[get("/v1/referrals/{id}")]
async fn show(room: Data<Findings>, actor: Actor, id: Path<String>) -> Result<HttpResponse> {
    shown(&room, actor, path_id(&id)?).await
}

/// Accept a referral, turn it down, say what came of it; or take it back.
#[utoipa::path(
    tag = "referrals",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f12"),
        KnownVersion
    ),
    request_body = NewAnswer,
    responses(
        (status = OK, body = ReferralView),
        Contested,
        Problems
    )
)]
#[post("/v1/referrals/{id}/transitions")]
async fn answer(room: Data<Findings>, on: Acting<ReferralId>, new: Json<NewAnswer>) -> Result<HttpResponse> {
    let id = room.answer(on.actor.clone(), on.page, new.into_inner()).await?;
    shown(&room, on.actor, id).await
}

/// Say whether a referral without consent or legal basis is right.
#[utoipa::path(
    tag = "referrals",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f12"),
        KnownVersion
    ),
    request_body = NewApproval,
    responses(
        (status = OK, body = ReferralView),
        Contested,
        Problems
    )
)]
#[post("/v1/referrals/{id}/approval")]
async fn approve(
    room: Data<Findings>,
    on: Acting<ReferralId>,
    new: Json<NewApproval>,
) -> Result<HttpResponse> {
    let id = room.approve(on.actor.clone(), on.page, new.into_inner()).await?;
    shown(&room, on.actor, id).await
}

/// Write down that somebody spoke to the receiver: the system's copy is not the alert.
#[utoipa::path(
    tag = "referrals",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f12"),
        KnownVersion
    ),
    request_body(content = Voice, example = json!({ "spoke_to": "duty officer", "at": "2026-11-20T12:30:00+05:00" })),
    responses((status = OK, body = ReferralView), Contested, Problems)
)]
#[post("/v1/referrals/{id}/voice")]
async fn voiced(room: Data<Findings>, on: Acting<ReferralId>, said: Json<Voice>) -> Result<HttpResponse> {
    let id = room.voiced(on.actor.clone(), on.page, said.into_inner()).await?;
    shown(&room, on.actor, id).await
}

async fn shown(room: &Findings, actor: Actor, id: ReferralId) -> Result<HttpResponse> {
    let view = room.referral(actor, id).await?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, view.etag())).json(view))
}
