//! Reading requests the way every room does, and answering what phones re-read.

use actix_web::http::header::{self, HeaderName};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use crate::error::{Error, Result};

/// The whole body, up to `limit` bytes. What came packed is unpacked as it is read (`unpacking.rs`): what inflates beyond
/// the limit is refused while it inflates, so that a small body cannot become a large one in memory.
pub(crate) async fn body(request: &HttpRequest, payload: Payload, limit: usize) -> Result<Bytes> {
    let too_large = || Error::too_large("body_too_large", format!("the body is larger than {limit} bytes"));
    let declared: Option<usize> =
        header_text(request, header::CONTENT_LENGTH).and_then(|text| text.parse().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut chunks = payload.into_inner();
    let mut whole = BytesMut::with_capacity(declared.unwrap_or(4096).min(limit));
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|cause| {
            Error::invalid(
                "body_truncated",
                format!("the body broke off or cannot be unpacked: {cause}; send it again"),
            )
        })?;
        if whole.len() + chunk.len() > limit {
            return Err(too_large());
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

/// The hash in `If-Match`, without its quotes.
pub(crate) fn if_match(request: &HttpRequest) -> Result<Option<String>> {
    let Some(text) = header_text(request, header::IF_MATCH) else { return Ok(None) };
    let hash = text.trim().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match hash {
        Some(hash) if !hash.contains('"') => Ok(Some(hash.to_owned())),
        _ => Err(Error::invalid("bad_if_match", "If-Match takes one content hash in double quotes")),
    }
}

/// An answer with a strong entity tag: 304 when the phone has it already.
pub(crate) fn tagged(request: &HttpRequest, etag: &str, caching: &'static str, body: &Bytes) -> HttpResponse {
    let known = known_tag(request, etag);
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header((header::ETAG, etag)).insert_header((header::CACHE_CONTROL, caching));
    match known {
        true => answer.finish(),
        false => answer.content_type("application/json").body(body.clone()),
    }
}

/// Whether `If-None-Match` names this tag.
pub(crate) fn known_tag(request: &HttpRequest, etag: &str) -> bool {
    header_text(request, header::IF_NONE_MATCH).is_some_and(|tags| {
        tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    })
}

fn header_text(request: &HttpRequest, name: HeaderName) -> Option<&str> {
    request.headers().get(name)?.to_str().ok()
}
