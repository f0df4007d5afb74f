//! Acting on something that was read before: which one, and which version of it was on the page (`If-Match`). Whoever acts
//! on an older one is refused by the room; here only what was said is read.

use std::str::FromStr;

use actix_web::HttpRequest;

use super::request::if_match;
use crate::db::storable;
use crate::error::{Error, Result};

/// How long what people write may be.
const LONGEST: usize = 4000;

/// An id that stands in a path.
pub trait PathId: FromStr {
    /// Whose it is, for people who wrote something else: `a finding's`.
    const WHOSE: &'static str;
}

/// What somebody acts on, and which version of it was on the page.
#[derive(Clone, Debug)]
pub struct OnPage<Id> {
    /// The id in the path.
    pub id: Id,
    /// None: whoever asks did not say.
    pub version: Option<i32>,
}

impl<Id: PathId> OnPage<Id> {
    /// Reads it from a request whose path has an `id`.
    pub(crate) fn of(request: &HttpRequest) -> Result<OnPage<Id>> {
        let id = path_id(request.match_info().get("id").unwrap_or_default())?;
        let Some(tag) = if_match(request)? else { return Ok(OnPage { id, version: None }) };
        let version = tag.parse().map_err(|_| {
            Error::invalid(
                "bad_if_match",
                "If-Match takes the `version` in double quotes, as the ETag gave it",
            )
        })?;
        Ok(OnPage { id, version: Some(version) })
    }
}

/// An id as a path has it.
pub(crate) fn path_id<Id: PathId>(text: &str) -> Result<Id> {
    text.parse()
        .map_err(|_| Error::invalid("bad_id", format!("{text:?} is not a UUID; {} id is one", Id::WHOSE)))
}

/// The version that was on the page, for the API description.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "it is described, never built")]
pub struct KnownVersion {
    /// `"<version>"`: what you acted on.
    #[param(rename = "If-Match")]
    if_match: Option<String>,
}

/// What acting on something can be answered with besides, for the API description.
#[derive(utoipa::IntoResponses)]
pub enum Contested {
    /// It does not stand so that this can be done.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] super::Problem),
    /// It has moved on since it was read.
    #[response(status = 412, content_type = "application/problem+json")]
    Stale(#[to_schema] super::Problem),
}

/// What somebody wrote, trimmed; none: nothing.
pub(crate) fn words(member: &'static str, text: Option<String>) -> Result<Option<String>> {
    let text = text.map(|text| storable(text.trim().to_owned())).filter(|text| !text.is_empty());
    match text {
        Some(text) if text.chars().count() > LONGEST => Err(Error::invalid(
            "text_too_long",
            format!("`{member}` may have {LONGEST} characters; what is longer belongs into a document"),
        )),
        text => Ok(text),
    }
}

/// What somebody must write.
pub(crate) fn needed_words(member: &'static str, text: Option<String>) -> Result<String> {
    words(member, text)?.ok_or_else(|| {
        Error::invalid(
            "words_needed",
            format!("`{member}` must say why; whoever reads it later was not there"),
        )
    })
}
