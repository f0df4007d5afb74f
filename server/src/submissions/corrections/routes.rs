//! Corrections over HTTP.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, post};

use super::patching::CorrectionRequest;
use crate::error::Result;
use crate::http::{Problems, body};
use crate::submissions::Submissions;
use crate::submissions::receipt::Receipt;
use crate::submissions::routes::{Acting, answer};

/// Correct single questions of a submission, without sending the rest again.
///
/// The answers are written into the revision named by `if_match`, and the outcome is judged and stored as a revision like any
/// other; the receipt is that of the new revision. Sending it twice is the same as sending it once. `null` takes an answer back.
/// What was not sent back by the reviewer and is not named in `also_changed` is flagged `changed_beyond_return`.
#[utoipa::path(
    tag = "submissions",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("If-Match" = Option<String>, Header, description = "The same as `if_match`, in double quotes")
    ),
    request_body = CorrectionRequest,
    responses(
        (status = CREATED, body = Receipt, description = "A revision was stored"),
        (status = OK, body = Receipt, description = "This very correction was stored before"),
        (status = PRECONDITION_FAILED, body = crate::http::Problem, description = "The stored revision is a newer one", content_type = "application/problem+json"),
        (status = PAYLOAD_TOO_LARGE, body = crate::http::Problem, description = "Larger than the limit", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/submissions/{id}/corrections")]
pub(in crate::submissions) async fn correct(
    desk: Data<Submissions>,
    on: Acting,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let body = body(&request, payload, desk.limits.submission_bytes).await?;
    desk.correct(on.actor, on.id, body, on.known).await.map(answer)
}
