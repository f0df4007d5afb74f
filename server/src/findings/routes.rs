//! Findings over HTTP.

use actix_web::http::header;
use actix_web::web::{Data, Json, Path, Query as QueryString};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::Findings;
use super::copy::{EmployerCopy, Format};
use super::filter::Query;
use super::model::FindingId;
use super::referrals;
use super::requests::{NewDecision, NewPause, NewResume, NewSeverity, NewTransition};
use super::views::{FindingView, ListedFinding};
use crate::accounts::{Acting, Actor};
use crate::error::{Error, Result};
use crate::http::{Contested, KnownVersion, Page, Problems, path_id};

/// The room's operations.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(list)
        .service(show)
        .service(transition)
        .service(grade)
        .service(decide)
        .service(pause)
        .service(resume)
        .service(employer_copy);
    referrals::routes::routes(config);
}

/// `?reason=`: why sensitive answers are wanted. It is recorded.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Why {
    /// Why sensitive answers are wanted, such as `case-review`; recorded in the audit log.
    reason: Option<String>,
}

/// The findings you may see, what is due soonest first. Unless told otherwise, those that are not finished.
#[utoipa::path(tag = "findings", params(Query), responses((status = OK, body = Page<ListedFinding>), Problems))]
#[get("/v1/findings")]
async fn list(
    room: Data<Findings>,
    actor: Actor,
    query: QueryString<Query>,
) -> Result<Json<Page<ListedFinding>>> {
    room.list(actor, query.into_inner()).await.map(Json)
}

/// One finding with its history. Without `reason`, answers to sensitive questions are held back.
#[utoipa::path(
    tag = "findings",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), Why),
    responses((status = OK, body = FindingView), Problems)
)]
#[get("/v1/findings/{id}")]
async fn show(
    room: Data<Findings>,
    actor: Actor,
    id: Path<String>,
    why: QueryString<Why>,
) -> Result<HttpResponse> {
    shown(&room, actor, path_id(&id)?, why.into_inner().reason).await
}

/// Move a finding: acknowledge it, say that it is remedied or verified, ask to dismiss it.
#[utoipa::path(
    tag = "findings",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        KnownVersion
    ),
    request_body = NewTransition,
    responses(
        (status = OK, body = FindingView),
        Contested,
        Problems
    )
)]
#[post("/v1/findings/{id}/transitions")]
async fn transition(
    room: Data<Findings>,
    on: Acting<FindingId>,
    new: Json<NewTransition>,
) -> Result<HttpResponse> {
    let id = room.transition(on.actor.clone(), on.page, new.into_inner()).await?;
    shown(&room, on.actor, id, None).await
}

/// Raise a finding's severity, or ask a second person to lower it.
#[utoipa::path(
    tag = "findings",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        KnownVersion
    ),
    request_body = NewSeverity,
    responses(
        (status = OK, body = FindingView),
        Contested,
        Problems
    )
)]
#[post("/v1/findings/{id}/severity")]
async fn grade(room: Data<Findings>, on: Acting<FindingId>, new: Json<NewSeverity>) -> Result<HttpResponse> {
    let id = room.grade(on.actor.clone(), on.page, new.into_inner()).await?;
    shown(&room, on.actor, id, None).await
}

/// Agree to a dismissal or a lower severity that somebody else asked for, or turn it down.
#[utoipa::path(
    tag = "findings",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        KnownVersion
    ),
    request_body = NewDecision,
    responses(
        (status = OK, body = FindingView),
        Contested,
        Problems
    )
)]
#[post("/v1/findings/{id}/proposal")]
async fn decide(room: Data<Findings>, on: Acting<FindingId>, new: Json<NewDecision>) -> Result<HttpResponse> {
    let id = room.decide(on.actor.clone(), on.page, new.into_inner()).await?;
    shown(&room, on.actor, id, None).await
}

/// Have a finding's deadline stand still, for a reason.
#[utoipa::path(
    tag = "findings",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        KnownVersion
    ),
    request_body = NewPause,
    responses(
        (status = OK, body = FindingView),
        Contested,
        Problems
    )
)]
#[post("/v1/findings/{id}/pause")]
async fn pause(room: Data<Findings>, on: Acting<FindingId>, new: Json<NewPause>) -> Result<HttpResponse> {
    let id = room.pause(on.actor.clone(), on.page, new.into_inner()).await?;
    shown(&room, on.actor, id, None).await
}

/// Have its deadline run again, later by the time it stood still.
#[utoipa::path(
    tag = "findings",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        KnownVersion
    ),
    request_body = NewResume,
    responses(
        (status = OK, body = FindingView),
        Contested,
        Problems
    )
)]
#[post("/v1/findings/{id}/resume")]
async fn resume(room: Data<Findings>, on: Acting<FindingId>, new: Json<NewResume>) -> Result<HttpResponse> {
    let id = room.resume(on.actor.clone(), on.page, new.into_inner()).await?;
    shown(&room, on.actor, id, None).await
}

/// `?format=`
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// `json`, `text` or `html`.
    #[serde(default)]
    format: Format,
}

/// What the employer or the home may be handed: the findings that may be disclosed, and nothing by which the others
/// could be guessed. English and Urdu; the page prints.
#[utoipa::path(
    tag = "findings",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), Wanted),
    responses((status = OK, body = EmployerCopy), Problems)
)]
#[get("/v1/submissions/{id}/employer-copy")]
async fn employer_copy(
    room: Data<Findings>,
    actor: Actor,
    id: Path<String>,
    form: QueryString<Wanted>,
) -> Result<HttpResponse> {
    let id = id.parse().map_err(|_| {
        Error::invalid("bad_id", format!("{:?} is not a UUID; a submission's id is one", id.as_str()))
    })?;
    let format = form.into_inner().format;
    let copy = room.employer_copy(actor, id, format).await?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    Ok(match format {
        Format::Json => answer.json(copy),
        Format::Text => answer.content_type("text/plain; charset=utf-8").body(copy.as_text()),
        Format::Html => answer.content_type("text/html; charset=utf-8").body(copy.as_html()),
    })
}

async fn shown(room: &Findings, actor: Actor, id: FindingId, reason: Option<String>) -> Result<HttpResponse> {
    let view = room.show(actor, id, reason).await?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, view.etag())).json(view))
}
