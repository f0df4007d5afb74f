//! Files of a draft over HTTP: its workbook, and its texts for translators.

use actix_web::http::header;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, get, put};
use utoipa_actix_web::service_config::ServiceConfig;

use super::File;
use crate::accounts::Actor;
use crate::desk::Desk;
use crate::desk::authoring::routes::shown;
use crate::desk::model::DraftId;
use crate::desk::routes::{On, id_of};
use crate::desk::views::DraftView;
use crate::desk::workbook::LARGEST_WORKBOOK;
use crate::error::Result;
use crate::http::{self, Problem, Problems};

/// What an XLSX workbook is called on the wire.
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// What an XLIFF file is called on the wire.
const XLIFF: &str = "application/xliff+xml";

/// Operations on files of drafts.
pub(in crate::desk) fn routes(config: &mut ServiceConfig) {
    config.service(download).service(upload).service(export).service(import);
}

/// A draft as an XLSX workbook: survey, choices, rules, parameters, translations, settings.
#[utoipa::path(
    tag = "drafts",
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = OK, body = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), Problems)
)]
#[get("/v1/drafts/{id}/workbook")]
async fn download(room: Data<Desk>, actor: Actor, id: Path<String>) -> Result<HttpResponse> {
    Ok(sent(XLSX, room.draft_workbook(actor, id_of(&id)?).await?))
}

/// Save a draft from its workbook: all its operations, as a new version. What cannot be read or applied is refused by sheet and cell
/// (`cells: [{sheet, cell, code, message, remedy}]`), and the draft stays as it was.
#[utoipa::path(
    tag = "drafts",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = String, Header, description = "`\"<version>\"`: what you wrote over")
    ),
    request_body(content = Vec<u8>, content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    responses(
        (status = OK, body = DraftView),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has moved on", content_type = "application/problem+json"),
        (status = PAYLOAD_TOO_LARGE, body = Problem, content_type = "application/problem+json"),
        Problems
    )
)]
#[put("/v1/drafts/{id}/workbook")]
async fn upload(
    room: Data<Desk>,
    actor: Actor,
    on: On<DraftId>,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse> {
    let bytes = http::body(&request, body, LARGEST_WORKBOOK).await?;
    room.save_workbook(actor.clone(), on.id.clone(), on.known, bytes).await?;
    shown(&room, actor, on.id, HttpResponse::Ok()).await
}

/// A draft's texts in one language as XLIFF 1.2, for translators.
#[utoipa::path(
    tag = "drafts",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("language" = String, Path, example = "brh")
    ),
    responses((status = OK, body = String, content_type = "application/xliff+xml"), Problems)
)]
#[get("/v1/drafts/{id}/translations/{language}")]
async fn export(room: Data<Desk>, actor: Actor, path: Path<(String, String)>) -> Result<HttpResponse> {
    let (id, language) = path.into_inner();
    Ok(sent(XLIFF, room.draft_texts(actor, id_of(&id)?, &language).await?))
}

/// Save a translator's XLIFF file into a draft, as a new version. What cannot be taken is refused unit by unit (`cells`).
#[utoipa::path(
    tag = "drafts",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = String, Header, description = "`\"<version>\"`: what you wrote over")
    ),
    request_body(content = String, content_type = "application/xliff+xml"),
    responses(
        (status = OK, body = DraftView),
        (status = PRECONDITION_FAILED, body = Problem, description = "It has moved on", content_type = "application/problem+json"),
        (status = PAYLOAD_TOO_LARGE, body = Problem, content_type = "application/problem+json"),
        Problems
    )
)]
#[put("/v1/drafts/{id}/translations")]
async fn import(
    room: Data<Desk>,
    actor: Actor,
    on: On<DraftId>,
    request: HttpRequest,
    body: Payload,
) -> Result<HttpResponse> {
    let bytes = http::body(&request, body, LARGEST_WORKBOOK).await?;
    room.save_texts(actor.clone(), on.id.clone(), on.known, bytes).await?;
    shown(&room, actor, on.id, HttpResponse::Ok()).await
}

/// A file to keep, with the version of the draft it shows.
fn sent(kind: &str, file: File) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, kind))
        .insert_header((header::ETAG, format!("\"{}\"", file.version)))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.name)))
        .body(file.bytes)
}
