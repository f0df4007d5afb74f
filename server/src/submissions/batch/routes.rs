//! Batches over HTTP.

use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpResponse, post};

use super::answers::Answer;
use super::running;
use crate::accounts::Actor;
use crate::error::Result;
use crate::http::Problems;
use crate::submissions::Submissions;
use crate::submissions::ingest::FILING;

/// File many submissions in one request: an envelope with its `id` a line (NDJSON), and `if_match` where it is a revision.
///
/// Each line is answered by a line, in order, while the batch is still coming in; each is a unit of its own, and a bad line spoils
/// none other. Whatever was answered is stored; after a broken connection send again what has no answer, or all of it: what
/// is stored is answered with the same receipt. Read the answers while you send, or send no more than a thousand lines before you do.
/// Answers are compressed for those who accept it, and then come in larger pieces.
#[utoipa::path(
    tag = "submissions",
    request_body(content = String, content_type = "application/x-ndjson", description = "An envelope with its `id` a line",
        example = "{\"id\":\"0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10\",\"form\":\"child-labour-inspection\",\"version\":1,\"finished_at\":\"2026-11-20T08:47:10+05:00\",\"answers\":{}}\n"),
    responses(
        (status = OK, body = Answer, description = "A line for each line", content_type = "application/x-ndjson"),
        Problems
    )
)]
#[post("/v1/submissions/batch")]
pub(in crate::submissions) async fn file(
    desk: Data<Submissions>,
    actor: Actor,
    payload: Payload,
) -> Result<HttpResponse> {
    actor.may_any(FILING)?;
    let answers = running::start(desk.get_ref().clone(), actor, payload.into_inner());
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(answers))
}
