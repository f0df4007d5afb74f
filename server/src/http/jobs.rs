//! The queue over HTTP, for administrators: what waits, what failed, and having it tried again. It stands here and
//! not in the queue, since who may look is the accounts' affair.

use actix_web::web::{Data, Json, Path, Query as QueryString};
use actix_web::{get, post};
use serde::Deserialize;
use serde_json::json;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{Cursor, Page, Problems};
use crate::accounts::{Actor, Permission};
use crate::audit::{self, Event};
use crate::db::Db;
use crate::error::Result;
use crate::queue::{self, JobState, JobView, Wanted};

/// The operations of this file.
pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(retry);
}

/// `GET /v1/jobs?…`
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Only jobs in this state: `waiting`, `running`, `parked`.
    state: Option<JobState>,
    /// Only jobs of this kind: `photo.understand`.
    kind: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    limit: Option<u16>,
}

/// Work that waits, runs or is parked, oldest first. What is done is not in it.
#[utoipa::path(tag = "operations", params(Query), responses((status = OK, body = Page<JobView>), Problems))]
#[get("/v1/jobs")]
async fn list(db: Data<Db>, actor: Actor, query: QueryString<Query>) -> Result<Json<Page<JobView>>> {
    actor.may(Permission::ManageJobs)?;
    let Query { state, kind, after, limit } = query.into_inner();
    let cursor = Cursor { after, limit };
    let limit = cursor.limit();
    let wanted = Wanted { state, kind, after: cursor.place()?.unwrap_or_default(), limit: limit as i64 + 1 };
    let jobs = db.read(move |conn| queue::list(conn, &wanted)).await?;
    Ok(Json(Page::of(jobs, limit, |job| job.id.clone())))
}

/// Have a job run now that waits or is parked.
#[utoipa::path(
    tag = "operations",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses(
        (status = OK, body = JobView, description = "It runs at once"),
        (status = CONFLICT, body = crate::http::Problem, description = "It is running", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/jobs/{id}/retry")]
async fn retry(db: Data<Db>, actor: Actor, id: Path<String>) -> Result<Json<JobView>> {
    actor.may(Permission::ManageJobs)?;
    let id = id.into_inner();
    let job = db
        .write(actor.by(), move |tx| {
            let job = queue::retry(tx, &id)?;
            audit::record(tx, Event::new("job.retried", "job", &id, json!({ "kind": job.kind })))?;
            Ok(job)
        })
        .await?;
    Ok(Json(job))
}
