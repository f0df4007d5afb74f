//! RFC 9457 problem documents. The only place that turns an error into a status.

use std::collections::BTreeMap;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Kind};

/// The body of every error answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "type": "about:blank", "title": "Conflict", "status": 409, "code": "submission_conflict",
    "detail": "this id already holds other content; send If-Match with the stored hash to revise it"
}))]
pub struct Problem {
    /// Always `about:blank`: the `code` says what it is.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The status in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// Stable, for programs.
    pub code: &'static str,
    /// Names the thing and the remedy, for people.
    pub detail: String,
    /// Names this request in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Further members, according to the code.
    #[serde(flatten)]
    #[schema(ignore)]
    pub members: BTreeMap<&'static str, Value>,
}

/// The error answers every operation can give, for the API description.
#[derive(utoipa::IntoResponses)]
pub enum Problems {
    /// The request cannot be understood.
    #[response(status = 400, content_type = "application/problem+json")]
    Invalid(#[to_schema] Problem),
    /// Not logged in, or the token is not good.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(#[to_schema] Problem),
    /// Not allowed.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] Problem),
    /// No such thing, or none this person may know of.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] Problem),
    /// Not possible at the moment; see Retry-After.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] Problem),
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self.kind {
            Kind::Invalid => StatusCode::BAD_REQUEST,
            Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Gone => StatusCode::GONE,
            // tus's own status; no registered one says that bytes were damaged on the way.
            Kind::Damaged => StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST),
            Kind::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Stale => StatusCode::PRECONDITION_FAILED,
            Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Kind::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        if let Some(wait) = self.retry_after {
            answer.insert_header((header::RETRY_AFTER, wait.as_secs().max(1)));
        }
        if self.kind == Kind::Unauthenticated {
            answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        answer.content_type("application/problem+json").json(Problem::of(self))
    }
}

impl Problem {
    /// The document of an error. What lay behind it is logged here, and only here.
    pub(crate) fn of(error: &Error) -> Problem {
        if let Some(cause) = &error.cause {
            tracing::error!(code = error.code, cause = %cause, "{}", error.detail);
        }
        let status = error.status_code();
        Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Checksum Mismatch"),
            status: status.as_u16(),
            code: error.code,
            detail: error.detail.clone(),
            request_id: super::watch::request_id(),
            members: error.members.clone(),
        }
    }
}

/// Turns the framework's own complaint about a body into ours.
pub(super) fn bad_json(error: actix_web::error::JsonPayloadError, _: &HttpRequest) -> actix_web::Error {
    use actix_web::error::JsonPayloadError as E;
    match error {
        E::Overflow { limit } | E::OverflowKnownLength { limit, .. } => {
            Error::too_large("body_too_large", format!("the body is larger than {limit} bytes"))
        }
        E::ContentType => Error::unsupported("not_json", "send the body as Content-Type: application/json"),
        other => Error::invalid("bad_json", format!("the body cannot be read: {other}")),
    }
    .into()
}

/// Turns the framework's own complaint about the query string into ours.
pub(super) fn bad_query(error: actix_web::error::QueryPayloadError, _: &HttpRequest) -> actix_web::Error {
    Error::invalid("bad_query", format!("the query cannot be read: {error}")).into()
}

/// Turns the framework's own complaint about a path segment into ours.
pub(super) fn bad_path(error: actix_web::error::PathError, _: &HttpRequest) -> actix_web::Error {
    Error::invalid("bad_path", format!("the path cannot be read: {error}")).into()
}
