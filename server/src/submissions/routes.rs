//! Submissions over HTTP.

use std::future::Future;
use std::pin::Pin;

use actix_web::http::header;
use actix_web::web::{Data, Json, Path, Payload, Query as QueryString};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev, get, post, put};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

use super::Submissions;
use super::filter::Query;
use super::ingest::Filed;
use super::model::SubmissionId;
use super::quarantine::QuarantineView;
use super::reading::Reader;
use super::receipt::Receipt;
use super::views::{ListedRevision, ListedSubmission, SubmissionView};
use super::{batch, corrections, photos, review};
use crate::accounts::{Actor, Permission};
use crate::error::{Error, Result};
use crate::http::{Cursor, Page, Problems, body, if_match};

/// The room's operations.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(file)
        .service(list)
        .service(show)
        .service(history)
        .service(revision)
        .service(raw)
        .service(quarantined)
        .service(reprocess)
        .service(batch::file)
        .service(corrections::correct)
        .configure(review::routes)
        .service(photos::receive)
        .service(photos::show);
}

/// `?reason=`: why sensitive answers are wanted. It is recorded.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Why {
    /// Why sensitive answers are wanted, such as `case-review`; recorded in the audit log.
    pub(super) reason: Option<String>,
}

/// Who acts on which submission, and which revision of it was on the page.
pub(super) struct Acting {
    pub(super) actor: Actor,
    pub(super) id: SubmissionId,
    /// The content hash in `If-Match`; none: whoever acts did not say.
    pub(super) known: Option<String>,
}

impl FromRequest for Acting {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Acting>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let actor = Actor::from_request(request, payload);
        let (id, known) = (parse_id(request.match_info().query("id")), if_match(request));
        // Who it is comes first: a stranger is not told what is wrong with the request.
        Box::pin(async move { Ok(Acting { actor: actor.await?, id: id?, known: known? }) })
    }
}

/// File a submission, or revise it. Sending it twice is the same as sending it once.
///
/// The id is made by the phone. A resend of a stored revision answers 200 and the same receipt. Other content under
/// the same id needs `If-Match` with the content hash of the last revision.
#[utoipa::path(
    tag = "submissions",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = Option<String>, Header, description = "`\"<content hash of the last revision>\"`, to revise it")
    ),
    request_body(content = serde_json::Value, example = json!({
        "form": "child-labour-inspection", "version": 1, "facility": null,
        "started_at": "2026-11-20T08:12:00+05:00", "finished_at": "2026-11-20T08:47:10+05:00",
        "device": { "id": "phone-7", "app": "nigran-android/1.2", "clock": "2026-11-20T09:00:00+05:00" },
        "location": { "lat": 30.1841, "lon": 67.0014, "accuracy_m": 9.0, "altitude_m": 1680.0,
            "fixed_at": "2026-11-20T08:14:02+05:00", "provider": "gps", "mocked": false },
        "answers": { "b1": { "inspection_no": "CLI-QTA1-2026-0101", "visit_type": "routine" } },
        "media": [{ "name": "front.jpg", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "size": 204800, "type": "image/jpeg" }]
    })),
    responses(
        (status = CREATED, body = Receipt, description = "A revision was stored"),
        (status = OK, body = Receipt, description = "This very content was stored before"),
        (status = ACCEPTED, body = Receipt, description = "It cannot be evaluated and is kept in quarantine"),
        (status = CONFLICT, body = crate::http::Problem, description = "Other content is stored under this id", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = crate::http::Problem, description = "The stored revision is a newer one", content_type = "application/problem+json"),
        (status = PAYLOAD_TOO_LARGE, body = crate::http::Problem, description = "Larger than the limit", content_type = "application/problem+json"),
        Problems
    )
)]
#[put("/v1/submissions/{id}")]
async fn file(
    desk: Data<Submissions>,
    on: Acting,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let body = body(&request, payload, desk.limits.submission_bytes).await?;
    let filed = desk.file(on.actor, on.id, body, on.known).await?;
    Ok(answer(filed))
}

pub(super) fn answer(filed: Filed) -> HttpResponse {
    let (mut answer, receipt) = match filed {
        Filed::Stored(receipt) => (HttpResponse::Created(), receipt),
        Filed::Repeated(receipt) => (HttpResponse::Ok(), receipt),
        Filed::Quarantined(receipt) => (HttpResponse::Accepted(), receipt),
    };
    answer.insert_header((header::ETAG, format!("\"{}\"", receipt.content_hash))).json(receipt)
}

/// What was filed, newest first, within the reader's areas.
#[utoipa::path(tag = "submissions", params(Query), responses((status = OK, body = Page<ListedSubmission>), Problems))]
#[get("/v1/submissions")]
async fn list(
    desk: Data<Submissions>,
    actor: Actor,
    query: QueryString<Query>,
) -> Result<Json<Page<ListedSubmission>>> {
    desk.list(reader(actor, None)?, query.into_inner()).await.map(Json)
}

/// One submission as it stands now. Without `reason`, sensitive answers are held back.
#[utoipa::path(
    tag = "submissions",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), Why),
    responses((status = OK, body = SubmissionView), Problems)
)]
#[get("/v1/submissions/{id}")]
async fn show(
    desk: Data<Submissions>,
    actor: Actor,
    id: Path<String>,
    why: QueryString<Why>,
) -> Result<Json<SubmissionView>> {
    let id = parse_id(&id)?;
    desk.show(reader(actor, why.into_inner().reason)?, id, None).await.map(Json)
}

/// The revisions of a submission, oldest first.
#[utoipa::path(
    tag = "submissions",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = Page<ListedRevision>), Problems)
)]
#[get("/v1/submissions/{id}/revisions")]
async fn history(
    desk: Data<Submissions>,
    actor: Actor,
    id: Path<String>,
) -> Result<Json<Page<ListedRevision>>> {
    let id = parse_id(&id)?;
    let items = desk.history(reader(actor, None)?, id).await?;
    Ok(Json(Page { items, next: None }))
}

/// One revision as it was judged when it was stored.
#[utoipa::path(
    tag = "submissions",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("n" = i32, Path, example = 1),
        Why
    ),
    responses((status = OK, body = SubmissionView), Problems)
)]
#[get("/v1/submissions/{id}/revisions/{n}")]
async fn revision(
    desk: Data<Submissions>,
    actor: Actor,
    path: Path<(String, i32)>,
    why: QueryString<Why>,
) -> Result<Json<SubmissionView>> {
    let (id, n) = path.into_inner();
    let id = parse_id(&id)?;
    desk.show(reader(actor, why.into_inner().reason)?, id, Some(n)).await.map(Json)
}

/// The bytes of the current revision exactly as they were received.
#[utoipa::path(
    tag = "submissions",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"), Why),
    responses((status = OK, body = serde_json::Value), Problems)
)]
#[get("/v1/submissions/{id}/raw")]
async fn raw(
    desk: Data<Submissions>,
    actor: Actor,
    id: Path<String>,
    why: QueryString<Why>,
) -> Result<HttpResponse> {
    let id = parse_id(&id)?;
    let bytes = desk.raw(reader(actor, why.into_inner().reason)?, id).await?;
    Ok(HttpResponse::Ok().content_type("application/json").body(bytes))
}

/// What could not be evaluated, oldest first. It says what happened, never what was answered.
#[utoipa::path(tag = "submissions", params(Cursor), responses((status = OK, body = Page<QuarantineView>), Problems))]
#[get("/v1/quarantine")]
async fn quarantined(
    desk: Data<Submissions>,
    actor: Actor,
    cursor: QueryString<Cursor>,
) -> Result<Json<Page<QuarantineView>>> {
    desk.quarantined(actor, cursor.into_inner()).await.map(Json)
}

/// File again what is kept in quarantine, once its cause is gone.
#[utoipa::path(
    tag = "submissions",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses(
        (status = CREATED, body = Receipt, description = "It was filed"),
        (status = OK, body = Receipt, description = "It had been filed meanwhile"),
        (status = ACCEPTED, body = Receipt, description = "The cause is still there"),
        Problems
    )
)]
#[post("/v1/quarantine/{id}/reprocess")]
async fn reprocess(desk: Data<Submissions>, actor: Actor, id: Path<String>) -> Result<HttpResponse> {
    desk.reprocess(actor, id.into_inner()).await.map(answer)
}

pub(super) fn parse_id(text: &str) -> Result<SubmissionId> {
    text.parse()
        .map_err(|_| Error::invalid("bad_id", format!("{text:?} is not a UUID; a submission's id is one")))
}

/// Somebody who may read submissions at all; which ones, the queries decide.
pub(super) fn reader(actor: Actor, reason: Option<String>) -> Result<Reader> {
    actor.may_any(&[Permission::ReadInspections, Permission::ReadAudits, Permission::ReadToolkit])?;
    Ok(Reader { actor, reason: reason.filter(|reason| !reason.trim().is_empty()) })
}
