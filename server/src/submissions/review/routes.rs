//! Review over HTTP.

use actix_web::web::{Data, Json, Path, Query as QueryString};
use actix_web::{get, post, put};
use utoipa_actix_web::service_config::ServiceConfig;

use super::answering::AnswerRequest;
use super::answers::ReviewAnswers;
use super::clean::{AcceptRequest, Accepted};
use super::difference::{DiffQuery, Difference};
use super::queue::{QueueQuery, Queued};
use super::requests::ReviewRequest;
use super::views::DecisionView;
use crate::accounts::Actor;
use crate::error::Result;
use crate::http::{Page, Problems};
use crate::submissions::Submissions;
use crate::submissions::routes::{Acting, Why, parse_id, reader};

/// The operations of review.
pub(in crate::submissions) fn routes(config: &mut ServiceConfig) {
    config
        .service(review)
        .service(answer)
        .service(decisions)
        .service(difference)
        .service(queue)
        .service(accept);
}

/// Accept a submission, return it for correction, reject it, or reopen what was decided.
///
/// The decision is about the revision that stands: `if_match` (or `If-Match`) carries the hash of the one that was looked at, and
/// a newer one is 412. What was decided is reopened before it is decided anew, by a second person. The same decision sent again
/// by the same person is answered with what stands.
#[utoipa::path(
    tag = "review",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = Option<String>, Header, description = "`\"<content hash of the revision looked at>\"`")
    ),
    request_body = ReviewRequest,
    responses(
        (status = OK, body = DecisionView),
        (status = CONFLICT, body = crate::http::Problem, description = "Somebody else decided before; `decided` says in what role and when", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = crate::http::Problem, description = "The submission has moved on to a newer revision", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/submissions/{id}/review")]
async fn review(
    desk: Data<Submissions>,
    on: Acting,
    body: Json<ReviewRequest>,
) -> Result<Json<DecisionView>> {
    desk.review(on.actor, on.id, body.into_inner(), on.known).await.map(Json)
}

/// Answer what the form asks of its reviewer, ahead of the decision.
///
/// All answers come together and are judged together with the revision that stands: what is wrong with them is 400, with every violation.
/// They stand apart from what was filed, with who and when, and are never sent to a phone. `answers_version` names the answers that were
/// looked at: if somebody answered meanwhile it is 412. A new revision keeps them as suggestions only.
#[utoipa::path(
    tag = "review",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = Option<String>, Header, description = "`\"<content hash of the revision looked at>\"`")
    ),
    request_body = AnswerRequest,
    responses(
        (status = OK, body = ReviewAnswers),
        (status = CONFLICT, body = crate::http::Problem, description = "It is decided already", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = crate::http::Problem, description = "Another revision, or other answers, stand there by now", content_type = "application/problem+json"),
        Problems
    )
)]
#[put("/v1/submissions/{id}/review-answers")]
async fn answer(
    desk: Data<Submissions>,
    on: Acting,
    body: Json<AnswerRequest>,
) -> Result<Json<ReviewAnswers>> {
    desk.answer(on.actor, on.id, body.into_inner(), on.known).await.map(Json)
}

/// The decisions about a submission, oldest first. Reasons and comments are for its filer, and for those who may read sensitive
/// answers and say why.
#[utoipa::path(
    tag = "review",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), Why),
    responses((status = OK, body = Page<DecisionView>), Problems)
)]
#[get("/v1/submissions/{id}/decisions")]
async fn decisions(
    desk: Data<Submissions>,
    actor: Actor,
    id: Path<String>,
    why: QueryString<Why>,
) -> Result<Json<Page<DecisionView>>> {
    let id = parse_id(&id)?;
    let items = desk.decisions(reader(actor, why.into_inner().reason)?, id).await?;
    Ok(Json(Page { items, next: None }))
}

/// What differs between two revisions, by the labels of the questions. Without `reason`, sensitive answers are held back.
#[utoipa::path(
    tag = "review",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), DiffQuery, Why),
    responses((status = OK, body = Difference), Problems)
)]
#[get("/v1/submissions/{id}/diff")]
async fn difference(
    desk: Data<Submissions>,
    actor: Actor,
    id: Path<String>,
    query: QueryString<DiffQuery>,
    why: QueryString<Why>,
) -> Result<Json<Difference>> {
    let id = parse_id(&id)?;
    desk.difference(reader(actor, why.into_inner().reason)?, id, query.into_inner()).await.map(Json)
}

/// What waits for review in one's areas: the gravest findings first, then the most flags and violations, then the oldest.
#[utoipa::path(tag = "review", params(QueueQuery), responses((status = OK, body = Page<Queued>), Problems))]
#[get("/v1/review-queue")]
async fn queue(
    desk: Data<Submissions>,
    actor: Actor,
    query: QueryString<QueueQuery>,
) -> Result<Json<Page<Queued>>> {
    desk.queue(actor, query.into_inner()).await.map(Json)
}

/// Accept what is clean: valid, complete, without findings and without flags. Each is a decision of its own; what is not clean
/// is answered by a problem and left where it is.
#[utoipa::path(
    tag = "review",
    request_body = AcceptRequest,
    responses((status = OK, body = Accepted), Problems)
)]
#[post("/v1/review-queue/accept")]
async fn accept(desk: Data<Submissions>, actor: Actor, body: Json<AcceptRequest>) -> Result<Json<Accepted>> {
    desk.accept_clean(actor, body.into_inner()).await.map(Json)
}
