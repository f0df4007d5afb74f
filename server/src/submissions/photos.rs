//! Photos and documents of a submission over HTTP. They may come before the answers or after them; the last one to
//! arrive completes the submission.

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Data, Path, Payload, Query as QueryString};
use actix_web::{HttpRequest, HttpResponse, get, put};
use futures_util::TryStreamExt as _;
use serde::Serialize;

use super::Submissions;
use super::ingest::missing_media;
use super::model::{DeclaredMedia, Head, MediaState, SubmissionId};
use super::reading::unknown;
use super::routes::{parse_id, reader};
use super::showing::Wish;
use super::store;
use crate::accounts::{Actor, Permission};
use crate::db::{At, DbConn, Tx};
use crate::error::{Error, Result};
use crate::feed::{self, Audience, What};
use crate::http::Problems;
use crate::media::{self, Asked, Attached, Expected, MediaHash, MediaName, Stored};

/// What arrived, and what is still to come.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "submission": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "name": "front.jpg", "sha256": "9f86d0…", "size": 204800,
    "type": "image/jpeg", "media": "complete", "media_missing": []
}))]
pub(crate) struct Arrived {
    submission: SubmissionId,
    name: String,
    sha256: String,
    size: u64,
    #[serde(rename = "type")]
    content_type: String,
    /// Whether every file the submission declares has arrived; none: its answers have not.
    media: Option<MediaState>,
    media_missing: Vec<String>,
}

/// Send a file of a submission in one go. Sending it twice is the same as sending it once; another file under the
/// same name is refused.
#[utoipa::path(
    tag = "media",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("name" = String, Path, example = "front.jpg")
    ),
    request_body(content = Vec<u8>, content_type = "image/jpeg", description = "The file: JPEG, PNG, WebP, HEIC or PDF"),
    responses(
        (status = CREATED, body = Arrived, description = "It was stored"),
        (status = OK, body = Arrived, description = "This very file was here before"),
        (status = CONFLICT, body = crate::http::Problem, description = "Another file has this name", content_type = "application/problem+json"),
        (status = PAYLOAD_TOO_LARGE, body = crate::http::Problem, description = "Larger than the limit", content_type = "application/problem+json"),
        (status = UNSUPPORTED_MEDIA_TYPE, body = crate::http::Problem, description = "Not a kind of file that is taken", content_type = "application/problem+json"),
        Problems
    )
)]
#[put("/v1/submissions/{id}/media/{name}")]
pub(super) async fn receive(
    desk: Data<Submissions>,
    actor: Actor,
    path: Path<(String, String)>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let (id, name) = path.into_inner();
    let (id, name) = (parse_id(&id)?, MediaName::parse(&name)?);
    let expected = desk.expected(&actor, &id, &name, &request).await?;
    let bytes = payload.map_err(|cause| std::io::Error::other(cause.to_string()));
    let stored = desk.media.receive(&desk.db, &expected, bytes).await?;
    let (is_new, arrived) = desk.attach(actor, id, name, stored).await?;
    let mut answer = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(answer.json(arrived))
}

/// A file of a submission, whole or a range of it.
///
/// Photos are shown as copies: upright JPEGs without position, time or device. `size=original` gives the file as it was
/// sent to those who may see everything; they say why, and the log holds it. Filers get back what they sent.
#[utoipa::path(
    tag = "media",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("name" = String, Path, example = "front.jpg"),
        Wish
    ),
    responses(
        (status = OK, body = Vec<u8>, content_type = "image/jpeg"),
        (status = PARTIAL_CONTENT, body = Vec<u8>, content_type = "image/jpeg"),
        (status = TEMPORARY_REDIRECT, description = "To the store itself, where the operator set that (`media.presigned_reading`); without the Authorization header"),
        (status = NOT_MODIFIED, description = "What the caller has already (If-None-Match)"),
        (status = RANGE_NOT_SATISFIABLE, description = "The file has no such range"),
        (status = SERVICE_UNAVAILABLE, body = crate::http::Problem, description = "The copy is not made yet; Retry-After says when to ask again", content_type = "application/problem+json"),
        Problems
    )
)]
#[get("/v1/submissions/{id}/media/{name}")]
pub(super) async fn show(
    desk: Data<Submissions>,
    actor: Actor,
    path: Path<(String, String)>,
    wish: QueryString<Wish>,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let (id, name) = path.into_inner();
    let (id, name) = (parse_id(&id)?, MediaName::parse(&name)?);
    let Wish { size, reason } = wish.into_inner();
    let served = desk.served(reader(actor, reason)?, id, &name, size).await?;
    let header = |key| request.headers().get(key).and_then(|value: &HeaderValue| value.to_str().ok());
    let tag = format!("\"{}\"", served.tag);
    if header(header::IF_NONE_MATCH).is_some_and(|known| known.split(',').any(|one| one.trim() == tag)) {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish());
    }
    if let Some(link) = desk.link_served(&served).await? {
        return Ok(HttpResponse::TemporaryRedirect()
            .insert_header((header::LOCATION, link))
            .insert_header((header::CACHE_CONTROL, "private, no-store"))
            .finish());
    }
    let (mut answer, range) = match media::asked(header(header::RANGE), served.total) {
        Asked::Whole => (HttpResponse::Ok(), None),
        Asked::Part(range) => (HttpResponse::PartialContent(), Some(range)),
        Asked::Beyond => {
            let all = format!("bytes */{}", served.total);
            return Ok(HttpResponse::RangeNotSatisfiable()
                .insert_header((header::CONTENT_RANGE, all))
                .finish());
        }
    };
    if let Some(range) = range {
        answer.insert_header((header::CONTENT_RANGE, range.content_range(served.total)));
    }
    let opened = desk.open_served(&served, range).await?;
    let length = range.map_or(served.total, |range| range.length());
    answer
        .insert_header((header::CONTENT_TYPE, served.content_type))
        .insert_header((header::ETAG, tag))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_DISPOSITION, "attachment"))
        .insert_header((header::CONTENT_ENCODING, HeaderValue::from_static("identity")))
        .no_chunking(length);
    Ok(answer.streaming(opened.body))
}

impl Submissions {
    /// What the file must be: what the envelope declared, or, before the answers, what the request says.
    async fn expected(
        &self,
        actor: &Actor,
        id: &SubmissionId,
        name: &MediaName,
        request: &HttpRequest,
    ) -> Result<Expected> {
        may_file_something(actor)?;
        let declared = self.declared(actor, id, name).await?;
        let header = |key| request.headers().get(key).and_then(|value: &HeaderValue| value.to_str().ok());
        let sent_size = header(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        if let (Some(declared), Some(sent)) = (&declared, sent_size)
            && declared.size != sent
        {
            return Err(size_differs(declared, sent));
        }
        Ok(Expected {
            name: name.clone(),
            size: declared.as_ref().map(|declared| declared.size).or(sent_size),
            sha256: declared.as_ref().map(|declared| MediaHash::parse(&declared.sha256)).transpose()?,
            content_type: header(header::CONTENT_TYPE)
                .map(str::to_owned)
                .or_else(|| declared.map(|declared| declared.content_type)),
        })
    }

    async fn declared(
        &self,
        actor: &Actor,
        id: &SubmissionId,
        name: &MediaName,
    ) -> Result<Option<DeclaredMedia>> {
        let (id, name, account) = (id.clone(), name.clone(), actor.account.to_string());
        self.db.read(move |conn| declared(conn, &id, &name, &account)).await
    }

    async fn attach(
        &self,
        actor: Actor,
        id: SubmissionId,
        name: MediaName,
        stored: Stored,
    ) -> Result<(bool, Arrived)> {
        let account = actor.account.to_string();
        self.db.write(actor.by(), move |tx| attach(tx, &account, &id, &name, &stored)).await
    }
}

/// What the envelope declares of a file; none: it declares no such file, or has not come yet. Somebody else's
/// submission does not exist.
pub(crate) fn declared(
    conn: &mut DbConn,
    id: &SubmissionId,
    name: &MediaName,
    account: &str,
) -> Result<Option<DeclaredMedia>> {
    let Some(head) = store::head(conn, id)? else { return Ok(None) };
    if head.account_id != account {
        return Err(unknown(id));
    }
    let Some(revision) = store::revision(conn, id, head.revision)? else { return Ok(None) };
    Ok(revision.judgement()?.declared.into_iter().find(|declared| declared.name == name.as_str()))
}

/// Gives a file that is in the bucket to the submission, and completes the submission when it was the last one. True:
/// it was not there before.
pub(crate) fn attach(
    tx: &mut Tx,
    account: &str,
    id: &SubmissionId,
    name: &MediaName,
    stored: &Stored,
) -> Result<(bool, Arrived)> {
    media::hold_still(tx.conn, &[id.as_str()])?;
    let head = own_head(tx.conn, id, account)?;
    let attached = media::attach(tx, id.as_str(), name, stored)?;
    let media_missing = head.as_ref().map(|head| settle_media(tx, head)).transpose()?;
    let media = media_missing.as_ref().map(|missing| match missing.is_empty() {
        true => MediaState::Complete,
        false => MediaState::Awaiting,
    });
    let arrived = Arrived {
        submission: id.clone(),
        name: name.as_str().to_owned(),
        sha256: stored.sha256.to_string(),
        size: stored.size,
        content_type: stored.content_type.to_owned(),
        media,
        media_missing: media_missing.unwrap_or_default(),
    };
    Ok((attached == Attached::New, arrived))
}

fn may_file_something(actor: &Actor) -> Result<()> {
    actor.may_any(&[Permission::FileInspections, Permission::FileAudits, Permission::FileToolkit])
}

/// Files that came before the answers belong to whoever sent the first of them.
pub(crate) fn no_strangers(conn: &mut DbConn, id: &SubmissionId, account: &str) -> Result<()> {
    own_head(conn, id, account).map(drop)
}

/// The head of a submission that is this account's, if its answers have come.
fn own_head(conn: &mut DbConn, id: &SubmissionId, account: &str) -> Result<Option<Head>> {
    let head = store::head(conn, id)?;
    let owner = match &head {
        Some(head) => Some(head.account_id.clone()),
        None => media::arrived(conn, id.as_str())?.into_iter().next().map(|held| held.account_id),
    };
    match owner {
        Some(owner) if owner != account => Err(unknown(id)),
        _ => Ok(head),
    }
}

/// Moves the head to `complete` when nothing is missing any more; returns what is.
fn settle_media(tx: &mut Tx, head: &Head) -> Result<Vec<String>> {
    let Some(revision) = store::revision(tx.conn, &head.id, head.revision)? else { return Ok(Vec::new()) };
    let judgement = revision.judgement()?;
    let missing = missing_media(tx.conn, &head.id, &judgement)?;
    let state = if missing.is_empty() { MediaState::Complete } else { MediaState::Awaiting };
    if state != head.media {
        let now = At::from(tx.now());
        store::set_media(tx.conn, &head.id, state, now)?;
        feed::changed(tx, What::Submission, &head.id, Audience::Account(head.account_id.clone()))?;
    }
    Ok(missing)
}

fn size_differs(declared: &DeclaredMedia, sent: u64) -> Error {
    Error::invalid(
        "media_size_mismatch",
        format!("{} is declared with {} bytes, but {sent} are being sent", declared.name, declared.size),
    )
}
