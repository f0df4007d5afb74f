//! The planner over HTTP.

use actix_web::web::{Data, Json, Query as QueryString};
use actix_web::{HttpResponse, get, post};
use utoipa_actix_web::service_config::ServiceConfig;

use super::requests::{NewPlan, Query};
use super::views::{Plan, PlanAssigned};
use crate::accounts::Actor;
use crate::assignments::Assignments;
use crate::error::Result;
use crate::http::{Problem, Problems};

pub(in crate::assignments) fn routes(config: &mut ServiceConfig) {
    config.service(plan).service(assign);
}

/// Which places of a district to visit first, with every term of every score, part of them drawn by lot. The same question
/// on the same facts has the same answer. Nothing is written.
#[utoipa::path(tag = "planner", params(Query), responses((status = OK, body = Plan), Problems))]
#[get("/v1/planner")]
async fn plan(room: Data<Assignments>, actor: Actor, query: QueryString<Query>) -> Result<Json<Plan>> {
    room.plan(actor, query.into_inner()).await.map(Json)
}

/// Turn a plan into assignments in the district's pool. What was made before for the same place and day is named, not made
/// again.
#[utoipa::path(
    tag = "planner",
    request_body = NewPlan,
    responses(
        (status = CREATED, body = PlanAssigned),
        (status = CONFLICT, body = Problem, description = "No such questionnaire is published", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/planner/assignments")]
async fn assign(room: Data<Assignments>, actor: Actor, new: Json<NewPlan>) -> Result<HttpResponse> {
    let done = room.enact(actor, new.into_inner()).await?;
    Ok(HttpResponse::Created().json(done))
}
