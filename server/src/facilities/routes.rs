//! The register over HTTP.

use actix_web::http::header;
use actix_web::web::{Bytes, Data, Json, Path, Payload, Query as QueryString};
use actix_web::{HttpRequest, HttpResponse, get, patch, post, put};
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;

use super::Facilities;
use super::changes::{Aim, Because, Confirmation};
use super::coverage::{self as coverage_of, CoverageList};
use super::facts::Facts;
use super::merging::Merge;
use super::model::FacilityId;
use super::search::Query;
use super::sight::Sight;
use super::views::{EventView, FacilityView, ListedFacility, PossibleDuplicate, Registered};
use crate::accounts::{Actor, Permission};
use crate::error::{Error, Result};
use crate::http::{Cursor, Page, Problem, Problems, body, if_match, tagged};

/// The largest facility, in bytes.
const LARGEST: usize = 64 * 1024;

/// The room's operations.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(list)
        // Before `{id}`, which would take their last segment for an id.
        .service(coverage)
        .service(super::table::routes::import)
        .service(super::table::routes::export)
        .service(register)
        .service(show)
        .service(correct)
        .service(history)
        .service(duplicates)
        .service(confirm)
        .service(close)
        .service(reopen)
        .service(merge)
        .service(unmerge);
}

/// Facilities by name, code, nearness, box, district, kind and standing, within the reader's line and areas.
///
/// By name the best come first and by `near` the nearest, 300 at most; otherwise they come by code.
#[utoipa::path(tag = "facilities", params(Query), responses((status = OK, body = Page<ListedFacility>), Problems))]
#[get("/v1/facilities")]
async fn list(
    room: Data<Facilities>,
    actor: Actor,
    query: QueryString<Query>,
) -> Result<Json<Page<ListedFacility>>> {
    room.find(Sight::of(&actor)?, query.into_inner()).await.map(Json)
}

/// What of the register is licensed, visited, never visited and overdue, by district and line.
#[utoipa::path(tag = "facilities", params(coverage_of::Query), responses((status = OK, body = CoverageList), Problems))]
#[get("/v1/facilities/coverage")]
async fn coverage(
    room: Data<Facilities>,
    actor: Actor,
    query: QueryString<coverage_of::Query>,
) -> Result<Json<CoverageList>> {
    actor.may(Permission::CountFacilities)?;
    room.coverage(&actor, query.into_inner()).await.map(Json)
}

/// Register a facility found in the field, or revise one's own while it is provisional. Sending it twice is the same as
/// sending it once.
///
/// The id is made by the phone. Other facts under the same id need `If-Match` with the ETag it was read with. The answer
/// offers facilities it may be the same as.
#[utoipa::path(
    tag = "facilities",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = Option<String>, Header, description = "The ETag it was read with, to revise it")
    ),
    request_body = Facts,
    responses(
        (status = CREATED, body = Registered, description = "It was stored"),
        (status = OK, body = Registered, description = "These very facts were stored before"),
        (status = CONFLICT, body = Problem, description = "Other facts are stored under this id", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has changed since", content_type = "application/problem+json"),
        (status = PAYLOAD_TOO_LARGE, body = Problem, description = "Larger than 64 KiB", content_type = "application/problem+json"),
        Problems
    )
)]
#[put("/v1/facilities/{id}")]
async fn register(
    room: Data<Facilities>,
    actor: Actor,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let (id, known) = (parse_id(&id)?, known(&request)?);
    let body = body(&request, payload, LARGEST).await?;
    let (is_new, registered) = room.register(actor, id, &body, known).await?;
    let mut answer = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.insert_header((header::ETAG, registered.facility.etag.clone())).json(registered))
}

/// One facility as it stands now. One that was merged says into which.
#[utoipa::path(
    tag = "facilities",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses(
        (status = OK, body = FacilityView, headers(("ETag" = String))),
        (status = NOT_MODIFIED, description = "It is as it was when that ETag was given"),
        Problems
    )
)]
#[get("/v1/facilities/{id}")]
async fn show(
    room: Data<Facilities>,
    actor: Actor,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let facility = room.show(Sight::of(&actor)?, parse_id(&id)?).await?;
    let text = serde_json::to_vec(&facility).map_err(|cause| Error::internal("writing a facility", cause))?;
    Ok(tagged(&request, &facility.etag, "private, no-cache", &Bytes::from(text)))
}

/// Correct what is known of a facility: a merge patch (RFC 7396). Needs `If-Match` with the ETag it was read with.
#[utoipa::path(
    tag = "facilities",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = String, Header, description = "The ETag it was read with")
    ),
    request_body(content = Value, example = json!({ "name_en": "Demo Kiln One", "capacity": null })),
    responses(
        (status = OK, body = FacilityView),
        (status = CONFLICT, body = Problem, description = "It was merged into another", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has changed since", content_type = "application/problem+json"),
        Problems
    )
)]
#[patch("/v1/facilities/{id}")]
async fn correct(
    room: Data<Facilities>,
    actor: Actor,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let aim = aim(actor, Permission::UpdateFacilities, &id, &request)?;
    if aim.known.is_none() {
        return Err(Error::invalid(
            "if_match_missing",
            "send If-Match with the ETag the facility was read with",
        ));
    }
    let patch: serde_json::Map<String, Value> = said(&request, payload).await?;
    room.correct(aim, patch).await.map(answer)
}

/// What happened to a facility, oldest first: each event with the facts, and so the position, as they then were.
#[utoipa::path(
    tag = "facilities",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), Cursor),
    responses((status = OK, body = Page<EventView>), Problems)
)]
#[get("/v1/facilities/{id}/history")]
async fn history(
    room: Data<Facilities>,
    actor: Actor,
    id: Path<String>,
    cursor: QueryString<Cursor>,
) -> Result<Json<Page<EventView>>> {
    room.history(Sight::of(&actor)?, parse_id(&id)?, cursor.into_inner()).await.map(Json)
}

/// Facilities that may be the same place, the likeliest first: near, and alike by name in either script.
#[utoipa::path(
    tag = "facilities",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = Page<PossibleDuplicate>), Problems)
)]
#[get("/v1/facilities/{id}/duplicates")]
async fn duplicates(
    room: Data<Facilities>,
    actor: Actor,
    id: Path<String>,
) -> Result<Json<Page<PossibleDuplicate>>> {
    let items = room.duplicates(Sight::of(&actor)?, parse_id(&id)?).await?;
    Ok(Json(Page { items, next: None }))
}

/// Confirm a provisional facility. What it may be the same as is answered with 409, until each is named in
/// `not_duplicates` or merged.
#[utoipa::path(
    tag = "facilities",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), ("If-Match" = Option<String>, Header)),
    request_body = Confirmation,
    responses(
        (status = OK, body = Registered),
        (status = CONFLICT, body = Problem, description = "It may be one that is registered, or cannot be confirmed as it is", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has changed since", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/facilities/{id}/confirm")]
async fn confirm(
    room: Data<Facilities>,
    actor: Actor,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let aim = aim(actor, Permission::UpdateFacilities, &id, &request)?;
    let confirmed = room.confirm(aim, said(&request, payload).await?).await?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, confirmed.facility.etag.clone())).json(confirmed))
}

/// Close a facility that is no longer run.
#[utoipa::path(
    tag = "facilities",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), ("If-Match" = Option<String>, Header)),
    request_body = Because,
    responses(
        (status = OK, body = FacilityView),
        (status = CONFLICT, body = Problem, description = "It was merged into another", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has changed since", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/facilities/{id}/close")]
async fn close(
    room: Data<Facilities>,
    actor: Actor,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let aim = aim(actor, Permission::UpdateFacilities, &id, &request)?;
    room.close(aim, said(&request, payload).await?).await.map(answer)
}

/// Open a closed facility again.
#[utoipa::path(
    tag = "facilities",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), ("If-Match" = Option<String>, Header)),
    request_body = Because,
    responses(
        (status = OK, body = FacilityView),
        (status = CONFLICT, body = Problem, description = "It was merged into another", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has changed since", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/facilities/{id}/reopen")]
async fn reopen(
    room: Data<Facilities>,
    actor: Actor,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let aim = aim(actor, Permission::UpdateFacilities, &id, &request)?;
    room.reopen(aim, said(&request, payload).await?).await.map(answer)
}

/// Merge a facility into the one it turned out to be. It stays readable, and the merge can be undone.
#[utoipa::path(
    tag = "facilities",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), ("If-Match" = Option<String>, Header)),
    request_body = Merge,
    responses(
        (status = OK, body = FacilityView),
        (status = CONFLICT, body = Problem, description = "It is merged already, or the merge would close a ring", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has changed since", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/facilities/{id}/merge")]
async fn merge(
    room: Data<Facilities>,
    actor: Actor,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let aim = aim(actor, Permission::MergeFacilities, &id, &request)?;
    room.merge(aim, said(&request, payload).await?).await.map(answer)
}

/// Undo a merge: the facility stands for itself again, and takes along what had come through it.
#[utoipa::path(
    tag = "facilities",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), ("If-Match" = Option<String>, Header)),
    responses(
        (status = OK, body = FacilityView),
        (status = CONFLICT, body = Problem, description = "It is not merged", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has changed since", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/facilities/{id}/unmerge")]
async fn unmerge(
    room: Data<Facilities>,
    actor: Actor,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let aim = aim(actor, Permission::MergeFacilities, &id, &request)?;
    room.unmerge(aim).await.map(answer)
}

fn answer(facility: FacilityView) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::ETAG, facility.etag.clone())).json(facility)
}

fn aim(actor: Actor, needed: Permission, id: &str, request: &HttpRequest) -> Result<Aim> {
    actor.may(needed)?;
    Ok(Aim { id: parse_id(id)?, known: known(request)?, sight: Sight::of(&actor)?, actor })
}

/// The body; an empty one says nothing in particular.
async fn said<T: DeserializeOwned>(request: &HttpRequest, payload: Payload) -> Result<T> {
    let bytes = body(request, payload, LARGEST).await?;
    let value = match bytes.is_empty() {
        true => Value::Object(serde_json::Map::new()),
        false => crate::json::parse(&bytes)?,
    };
    T::deserialize(value)
        .map_err(|cause| Error::invalid("bad_json", format!("the body cannot be read: {cause}")))
}

fn parse_id(text: &str) -> Result<FacilityId> {
    text.parse()
        .map_err(|_| Error::invalid("bad_id", format!("{text:?} is not a UUID; a facility's id is one")))
}

/// The revision in `If-Match`: the part of the ETag before the point. What comes after counts visits and the like, which
/// make no correction stale.
fn known(request: &HttpRequest) -> Result<Option<i32>> {
    let Some(tag) = if_match(request)? else { return Ok(None) };
    let revision = tag.split('.').next().and_then(|revision| revision.parse().ok());
    revision.map(Some).ok_or_else(|| {
        Error::invalid("bad_if_match", "If-Match takes the ETag the facility was read with, in double quotes")
    })
}
