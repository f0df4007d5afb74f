//! Assignments over HTTP.

use actix_web::http::header;
use actix_web::web::{Data, Json, Path, Query as QueryString};
use actix_web::{HttpResponse, get, post};
use utoipa_actix_web::service_config::ServiceConfig;

use super::Assignments;
use super::filter::Query;
use super::model::AssignmentId;
use super::planner;
use super::requests::{NewAssignee, NewAssignment, NewCancellation};
use super::views::{AssignmentView, ListedAssignment};
use crate::accounts::{Acting, Actor};
use crate::error::Result;
use crate::http::{Contested, KnownVersion, Page, Problem, Problems, path_id};

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
    shown(&room, actor, path_id(&id)?, HttpResponse::Ok()).await
}

/// Take an assignment from the pool. Of two who take it at once one gets it; taking one's own again changes nothing.
#[utoipa::path(
    tag = "assignments",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        KnownVersion
    ),
    responses(
        (status = OK, body = AssignmentView),
        Contested,
        Problems
    )
)]
#[post("/v1/assignments/{id}/take")]
async fn take(room: Data<Assignments>, on: Acting<AssignmentId>) -> Result<HttpResponse> {
    let id = room.take(on.actor.clone(), on.page).await?;
    shown(&room, on.actor, id, HttpResponse::Ok()).await
}

/// Hand an assignment to somebody, or put it into a pool.
#[utoipa::path(
    tag = "assignments",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        KnownVersion
    ),
    request_body = NewAssignee,
    responses(
        (status = OK, body = AssignmentView),
        Contested,
        Problems
    )
)]
#[post("/v1/assignments/{id}/assign")]
async fn assign(
    room: Data<Assignments>,
    on: Acting<AssignmentId>,
    new: Json<NewAssignee>,
) -> Result<HttpResponse> {
    let id = room.assign(on.actor.clone(), on.page, new.into_inner()).await?;
    shown(&room, on.actor, id, HttpResponse::Ok()).await
}

/// Take an assignment back, for a reason.
#[utoipa::path(
    tag = "assignments",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        KnownVersion
    ),
    request_body = NewCancellation,
    responses(
        (status = OK, body = AssignmentView),
        Contested,
        Problems
    )
)]
#[post("/v1/assignments/{id}/cancel")]
async fn cancel(
    room: Data<Assignments>,
    on: Acting<AssignmentId>,
    new: Json<NewCancellation>,
) -> Result<HttpResponse> {
    let id = room.cancel(on.actor.clone(), on.page, new.into_inner().reason).await?;
    shown(&room, on.actor, id, HttpResponse::Ok()).await
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
