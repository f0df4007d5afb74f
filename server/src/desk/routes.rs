//! The desk over HTTP: proposals, votes, consents, minutes. Drafts stand in `authoring/routes.rs`, who sits on the Committee in
//! `committee/routes.rs`.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::http::header;
use actix_web::web::{Data, Json, Path, Query};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder, dev, get, post, put};
use serde::Serialize;
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;

use super::authoring::{self, StoredView};
use super::minutes::Shape;
use super::model::ProposalId;
use super::requests::{NewComment, NewConsent, NewProposal, NewReplay, NewVote, Opening, Reason};
use super::views::{CommentView, ListedProposal, ProposalQuery, ProposalView, ReleaseDecision};
use super::voting::Taken;
use super::{Desk, break_glass, committee, requests};
use crate::accounts::Actor;
use crate::error::{Error, Result};
use crate::http::{Cursor, Page, Problem, Problems, if_match};

/// The room's operations.
pub(crate) fn routes(config: &mut ServiceConfig) {
    authoring::routes::routes(config);
    config
        .service(list)
        .service(propose)
        .service(show)
        .service(freeze)
        .service(package)
        .service(readiness)
        .service(stored)
        .service(replay);
    config.service(open).service(withdraw).service(comments).service(comment).service(vote).service(consent);
    config.service(minutes).service(minutes_page).service(decisions);
    break_glass::routes::routes(config);
    committee::routes::routes(config);
}

/// Proposals, the newest first.
#[utoipa::path(tag = "committee", params(ProposalQuery), responses((status = OK, body = Page<ListedProposal>), Problems))]
#[get("/v1/proposals")]
async fn list(
    room: Data<Desk>,
    actor: Actor,
    query: Query<ProposalQuery>,
) -> Result<Json<Page<ListedProposal>>> {
    room.list_proposals(actor, query.into_inner()).await.map(Json)
}

/// Propose a draft's version: it is frozen, and known from then on by its hash.
#[utoipa::path(
    tag = "committee",
    request_body = NewProposal,
    responses(
        (status = CREATED, body = ProposalView),
        (status = CONFLICT, body = Problem, description = "Another release came meanwhile", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "The draft has moved on", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/proposals")]
async fn propose(room: Data<Desk>, actor: Actor, new: Json<NewProposal>) -> Result<HttpResponse> {
    let id = room.propose(actor.clone(), new.into_inner()).await?;
    shown(&room, actor, id, HttpResponse::Created()).await
}

/// A proposal with its text in sentences, its votes and how they stand.
#[utoipa::path(
    tag = "committee",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = ProposalView), Problems)
)]
#[get("/v1/proposals/{id}")]
async fn show(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<HttpResponse> {
    shown(&room, actor, id_of(&id)?, HttpResponse::Ok()).await
}

/// Freeze a proposal anew. It gets another hash, goes back to discussion, and every vote on it is void.
#[utoipa::path(
    tag = "committee",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = String, Header, description = "`\"<version>\"`: what you acted on")
    ),
    request_body = NewProposal,
    responses(
        (status = OK, body = ProposalView),
        (status = CONFLICT, body = Problem, description = "It is settled, or another release came meanwhile", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It or its draft has moved on", content_type = "application/problem+json"),
        Problems
    )
)]
#[put("/v1/proposals/{id}")]
async fn freeze(
    room: Data<Desk>,
    actor: Actor,
    on: On<ProposalId>,
    new: Json<NewProposal>,
) -> Result<HttpResponse> {
    room.freeze_again(actor.clone(), on.id.clone(), on.known, new.into_inner()).await?;
    shown(&room, actor, on.id, HttpResponse::Ok()).await
}

/// The package a proposal would release, and the cases it was tried on.
#[utoipa::path(
    tag = "committee",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = Value, description = "`{package, hash, cases}`"), Problems)
)]
#[get("/v1/proposals/{id}/package")]
async fn package(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<Json<Value>> {
    room.proposed_package(actor, id_of(&id)?).await.map(Json)
}

/// What keeps a proposal from being put to the vote: cases that fail, languages that are not complete. And what should be said aloud before it is: a
/// limit that would hold before the release that brings it.
#[utoipa::path(
    tag = "committee",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = Value, description = "`{ready, obstacles: [{code, detail, …}], warnings: [{code, detail, …}]}`"), Problems)
)]
#[get("/v1/proposals/{id}/readiness")]
async fn readiness(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<Json<Value>> {
    room.readiness(actor, id_of(&id)?).await.map(Json)
}

/// What a proposal would break of what is stored, operation by operation.
#[utoipa::path(
    tag = "committee",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = StoredView), Problems)
)]
#[get("/v1/proposals/{id}/stored")]
async fn stored(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<Json<StoredView>> {
    room.proposal_harm(actor, id_of(&id)?).await.map(Json)
}

/// Try a proposal on past visits, in the background: what it would have meant. The proposal then shows how far it has come. One that sets
/// limits of the law is tried on some as soon as it is made, as if they had always been in force.
#[utoipa::path(
    tag = "committee",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    request_body = NewReplay,
    responses((status = ACCEPTED, body = Value, description = "`{id}`: GET /v1/replays/{id} tells how far it has come"), Problems)
)]
#[post("/v1/proposals/{id}/replay")]
async fn replay(
    room: Data<Desk>,
    actor: Actor,
    id: Path<String>,
    new: Json<NewReplay>,
) -> Result<HttpResponse> {
    let id = room.replay(actor, id_of(&id)?, new.into_inner()).await?;
    Ok(HttpResponse::Accepted().json(serde_json::json!({ "id": id })))
}

/// Open the vote. Its author may, and the chair.
#[utoipa::path(
    tag = "committee",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = String, Header, description = "`\"<version>\"`: what you acted on")
    ),
    request_body = Opening,
    responses(
        (status = OK, body = ProposalView),
        (status = CONFLICT, body = Problem, description = "It is not ready: `obstacles` says why", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has moved on", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/proposals/{id}/open")]
async fn open(
    room: Data<Desk>,
    actor: Actor,
    on: On<ProposalId>,
    opening: Json<Opening>,
) -> Result<HttpResponse> {
    room.open_vote(actor.clone(), on.id.clone(), on.known, opening.into_inner()).await?;
    shown(&room, actor, on.id, HttpResponse::Ok()).await
}

/// Take a proposal back.
#[utoipa::path(
    tag = "committee",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = String, Header, description = "`\"<version>\"`: what you acted on")
    ),
    request_body = Reason,
    responses(
        (status = OK, body = ProposalView),
        (status = CONFLICT, body = Problem, description = "It is settled", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has moved on", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/proposals/{id}/withdraw")]
async fn withdraw(
    room: Data<Desk>,
    actor: Actor,
    on: On<ProposalId>,
    new: Json<Reason>,
) -> Result<HttpResponse> {
    room.withdraw(actor.clone(), on.id.clone(), on.known, new.into_inner().reason).await?;
    shown(&room, actor, on.id, HttpResponse::Ok()).await
}

/// The comments on a proposal, oldest first.
#[utoipa::path(
    tag = "committee",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), Cursor),
    responses((status = OK, body = Page<CommentView>), Problems)
)]
#[get("/v1/proposals/{id}/comments")]
async fn comments(
    room: Data<Desk>,
    actor: Actor,
    id: Path<String>,
    cursor: Query<Cursor>,
) -> Result<Json<Page<CommentView>>> {
    room.list_comments(actor, id_of(&id)?, cursor.into_inner()).await.map(Json)
}

/// Comment on a proposal. Observers may, too.
#[utoipa::path(
    tag = "committee",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    request_body = NewComment,
    responses((status = CREATED, body = CommentView), Problems)
)]
#[post("/v1/proposals/{id}/comments")]
async fn comment(
    room: Data<Desk>,
    actor: Actor,
    id: Path<String>,
    new: Json<NewComment>,
) -> Result<HttpResponse> {
    let comment = room.comment(actor, id_of(&id)?, new.into_inner()).await?;
    Ok(HttpResponse::Created().json(room.show_comment(comment).await?))
}

/// Vote. The signature is the member's own, over the RFC 8785 form of `{proposal, hash, vote, reason, at}` with `dissent` and `casting` where
/// they are given. Sending the same vote again changes nothing.
#[utoipa::path(
    tag = "committee",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    request_body = NewVote,
    responses(
        (status = CREATED, body = ProposalView),
        (status = OK, body = ProposalView, description = "The same vote was counted before"),
        (status = CONFLICT, body = Problem, description = "Votes are not taken, or yours was", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "The proposal has another hash now", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/proposals/{id}/votes")]
async fn vote(room: Data<Desk>, actor: Actor, id: Path<String>, new: Json<NewVote>) -> Result<HttpResponse> {
    let id: ProposalId = id_of(&id)?;
    let answer = match room.vote(actor.clone(), id.clone(), new.into_inner()).await? {
        Taken::New => HttpResponse::Created(),
        Taken::Already => HttpResponse::Ok(),
    };
    shown(&room, actor, id, answer).await
}

/// Consent to a proposal as the head of a department, or refuse. The signature is the head's own, over the RFC 8785 form of `{proposal, hash,
/// head, answer, reason, at}`. Sending the same answer again changes nothing.
#[utoipa::path(
    tag = "committee",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    request_body = NewConsent,
    responses(
        (status = CREATED, body = ProposalView),
        (status = OK, body = ProposalView, description = "The same answer was taken before"),
        (status = CONFLICT, body = Problem, description = "It is settled, was answered, or is nothing the department is asked about", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "The proposal has another hash now", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/proposals/{id}/consent")]
async fn consent(
    room: Data<Desk>,
    actor: Actor,
    id: Path<String>,
    new: Json<NewConsent>,
) -> Result<HttpResponse> {
    let id: ProposalId = id_of(&id)?;
    let answer = match room.consent(actor.clone(), id.clone(), new.into_inner()).await? {
        Taken::New => HttpResponse::Created(),
        Taken::Already => HttpResponse::Ok(),
    };
    shown(&room, actor, id, answer).await
}

/// The minutes of a decision: a signed document, to be checked offline with `nigran minutes verify`.
#[utoipa::path(
    tag = "committee",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = Value, description = "`{minutes, hash, signature}`"), Problems)
)]
#[get("/v1/proposals/{id}/minutes")]
async fn minutes(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<HttpResponse> {
    let document = room.minutes(actor, id_of(&id)?, Shape::Json).await?;
    Ok(HttpResponse::Ok().content_type("application/json").body(document))
}

/// The minutes as a page that prints, in English and Urdu.
#[utoipa::path(
    tag = "committee",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = String, content_type = "text/html"), Problems)
)]
#[get("/v1/proposals/{id}/minutes.html")]
async fn minutes_page(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<HttpResponse> {
    let page = room.minutes(actor, id_of(&id)?, Shape::Page).await?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"));
    Ok(answer.content_type("text/html; charset=utf-8").body(page))
}

/// How the releases of a form came about: voted on, or published without a vote.
#[utoipa::path(
    tag = "committee",
    params(("form" = String, Path, example = "child-protection-toolkit")),
    responses((status = OK, body = Page<ReleaseDecision>), Problems)
)]
#[get("/v1/forms/{form}/decisions")]
async fn decisions(
    room: Data<Desk>,
    actor: Actor,
    form: Path<String>,
) -> Result<Json<Page<ReleaseDecision>>> {
    room.decisions(actor, form.into_inner()).await.map(Json)
}

async fn shown(
    room: &Desk,
    actor: Actor,
    id: ProposalId,
    answer: HttpResponseBuilder,
) -> Result<HttpResponse> {
    let view = room.show_proposal(actor, id).await?;
    Ok(versioned(answer, view.version, &view))
}

/// The id in a path.
pub(super) fn id_of<I: FromStr>(text: &str) -> Result<I> {
    text.parse().map_err(|_| Error::invalid("bad_id", format!("{text:?} is no id; ids are UUIDs")))
}

/// An answer tagged with the version people act on.
pub(super) fn versioned(
    mut answer: HttpResponseBuilder,
    version: i32,
    view: &impl Serialize,
) -> HttpResponse {
    answer.insert_header((header::ETAG, format!("\"{version}\""))).json(view)
}

/// What somebody changes: the id in the path, and the version that was on the page. Whoever changes something says which.
pub(super) struct On<I> {
    pub(super) id: I,
    pub(super) known: i32,
}

impl<I: FromStr + 'static> FromRequest for On<I> {
    type Error = Error;
    type Future = Ready<Result<On<I>>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let id = id_of(request.match_info().get("id").unwrap_or_default());
        ready(id.and_then(|id| Ok(On { id, known: known(request)? })))
    }
}

fn known(request: &HttpRequest) -> Result<i32> {
    let needed = || {
        Error::invalid(
            "if_match_needed",
            "send If-Match with the `version` in double quotes, as the ETag gave it",
        )
    };
    if_match(request)?.ok_or_else(needed)?.parse().map_err(|_| needed())
}

/// Reads a body larger than most.
pub(super) async fn large<T: serde::de::DeserializeOwned>(
    request: &HttpRequest,
    payload: actix_web::web::Payload,
) -> Result<T> {
    let body = crate::http::body(request, payload, requests::LARGEST).await?;
    requests::read(&body)
}
