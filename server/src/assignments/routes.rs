//! Assignments over HTTP.

use actix_web::http::header;
use actix_web::web::{Data, Json, Path, Query as QueryString};
use actix_web::{HttpRequest, HttpResponse, get, post};
use utoipa_actix_web::service_config::ServiceConfig;

use super::Assignments;
use super::filter::{Query, id_of};
use super::model::AssignmentId;
use super::planner;
use super::requests::{NewAssignee, NewAssignment, NewCancellation};
use super::views::{AssignmentView, ListedAssignment};
use super::working::OnPage;
use crate::accounts::Actor;
use crate::error::{Error, Result};
use crate::http::{Page, Problem, Problems, if_match};

/// The room's operations.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(make).service(show).service(take).service(assign).service(cancel);
    planner::routes::routes(config);
}

/// The assignments you may see, what is due soonest first: in the field your own and those free to take, in the office
/// those of your line and areas. Unless told otherwise, the open ones.
#[utoipa::path(tag = "assignments", params(Query), responses((status = OK, body = Page<ListedAssignment>), Problems))]
#[get("/v1/assignments")]
async fn list(
    room: Data<Assignments>,
    actor: Actor,
    query: QueryString<Query>,
) -> Result<Json<Page<ListedAssignment>>> {
    room.list(actor, query.into_inner()).await.map(Json)
}

/// Make an assignment: somebody's, or for whoever of a district's pool takes it.
#[utoipa::path(
    tag = "assignments",
    request_body = NewAssignment,
    responses(
        (status = CREATED, body = AssignmentView),
        (status = CONFLICT, body = Problem, description = "The facility is no longer run, or it is not that person's turn", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/assignments")]
async fn make(room: Data<Assignments>, actor: Actor, new: Json<NewAssignment>) -> Result<HttpResponse> {
    let id = room.make(actor.clone(), new.into_inner()).await?;
    shown(&room, actor, id, HttpResponse::Created()).await
}

/// One assignment with its history, what is known of the place, and what you may do with it.
#[utoipa::path(
    tag = "assignments",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = AssignmentView), Problems)
)]
#[get("/v1/assignments/{id}")]
async fn show(room: Data<Assignments>, actor: Actor, id: Path<String>) -> Result<HttpResponse> {
    shown(&room, actor, id_of(&id)?, HttpResponse::Ok()).await
}

/// Take an assignment from the pool. Of two who take it at once one gets it; taking one's own again changes nothing.
#[utoipa::path(
    tag = "assignments",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = Option<String>, Header, description = "`\"<version>\"`: what you acted on")
    ),
    responses(
        (status = OK, body = AssignmentView),
        (status = CONFLICT, body = Problem, description = "It is taken, done or cancelled, or it is not your turn", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has moved on", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/assignments/{id}/take")]
async fn take(
    room: Data<Assignments>,
    actor: Actor,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let id = room.take(actor.clone(), on_page(&id, &request)?).await?;
    shown(&room, actor, id, HttpResponse::Ok()).await
}

/// Hand an assignment to somebody, or put it into a pool.
#[utoipa::path(
    tag = "assignments",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = Option<String>, Header, description = "`\"<version>\"`: what you acted on")
    ),
    request_body = NewAssignee,
    responses(
        (status = OK, body = AssignmentView),
        (status = CONFLICT, body = Problem, description = "It is done or cancelled, or it is not that person's turn", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has moved on", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/assignments/{id}/assign")]
async fn assign(
    room: Data<Assignments>,
    actor: Actor,
    id: Path<String>,
    request: HttpRequest,
    new: Json<NewAssignee>,
) -> Result<HttpResponse> {
    let id = room.assign(actor.clone(), on_page(&id, &request)?, new.into_inner()).await?;
    shown(&room, actor, id, HttpResponse::Ok()).await
}

/// Take an assignment back, for a reason.
#[utoipa::path(
    tag = "assignments",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = Option<String>, Header, description = "`\"<version>\"`: what you acted on")
    ),
    request_body = NewCancellation,
    responses(
        (status = OK, body = AssignmentView),
        (status = CONFLICT, body = Problem, description = "It is done or cancelled already", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has moved on", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/assignments/{id}/cancel")]
async fn cancel(
    room: Data<Assignments>,
    actor: Actor,
    id: Path<String>,
    request: HttpRequest,
    new: Json<NewCancellation>,
) -> Result<HttpResponse> {
    let id = room.cancel(actor.clone(), on_page(&id, &request)?, new.into_inner().reason).await?;
    shown(&room, actor, id, HttpResponse::Ok()).await
}

async fn shown(
    room: &Assignments,
    actor: Actor,
    id: AssignmentId,
    mut answer: actix_web::HttpResponseBuilder,
) -> Result<HttpResponse> {
    let view = room.show(actor, id).await?;
    Ok(answer.insert_header((header::ETAG, view.etag())).json(view))
}

/// Which assignment a request is about, and which version of it was on the page.
fn on_page(id: &str, request: &HttpRequest) -> Result<OnPage> {
    let version = match if_match(request)? {
        None => None,
        Some(tag) => Some(tag.parse().map_err(|_| {
            Error::invalid(
                "bad_if_match",
                "If-Match takes the `version` in double quotes, as the ETag gave it",
            )
        })?),
    };
    Ok(OnPage { id: id_of(id)?, version })
}
