//! tus over HTTP. Every answer speaks the protocol's version, also the problems; what a body brings is handed on as it
//! comes, to work that goes on when the connection does not.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::{Data, Path, Payload};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError, delete, head, options, patch, post,
};
use futures_util::StreamExt as _;
use tokio::sync::{Semaphore, mpsc};
use utoipa_actix_web::service_config::ServiceConfig;

use super::checksum::{ALGORITHMS, Checksum};
use super::intake::{Arrival, Intake};
use super::model::{Upload, UploadState};
use super::{Uploads, protocol};
use crate::accounts::Actor;
use crate::error::{Error, Result};
use crate::http::{Problem, Problems};

/// How long a connection may bring nothing before it is taken to be dead.
const SILENCE: Duration = Duration::from_secs(90);

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");

/// The room's operations.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(abilities)
        .service(create)
        .service(abilities_of_one)
        .service(show)
        .service(append)
        .service(terminate)
        .service(overridden);
}

/// What this server can do of tus. No login, no Tus-Resumable.
#[utoipa::path(
    tag = "media",
    security(()),
    responses((status = NO_CONTENT, headers(
        ("Tus-Version" = String, description = "`1.0.0`"),
        ("Tus-Extension" = String, description = "`creation,creation-with-upload,checksum,expiration,termination`"),
        ("Tus-Max-Size" = u64, description = "The largest file, in bytes"),
        ("Tus-Checksum-Algorithm" = String, description = "`sha256,sha1,md5`")
    ), description = "In the headers"))
)]
#[options("/v1/uploads")]
async fn abilities(desk: Data<Uploads>) -> HttpResponse {
    answered(Ok(able(&desk)))
}

/// What this server can do of tus, asked of one upload.
#[utoipa::path(
    tag = "media",
    security(()),
    params(("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10")),
    responses((status = NO_CONTENT, description = "In the headers, as of /v1/uploads"))
)]
#[options("/v1/uploads/{id}")]
async fn abilities_of_one(desk: Data<Uploads>) -> HttpResponse {
    answered(Ok(able(&desk)))
}

/// Announce a file (tus creation); its first bytes may come along (creation-with-upload).
///
/// A file this server has already, from this account or declared by its own submission, is complete at once: the answer
/// says `Upload-Offset` = `Upload-Length`. Announced again while nothing was sent, it is the same upload; with
/// `resume` among the metadata also one that has bytes, and the answer's `Upload-Offset` says how many.
#[utoipa::path(
    tag = "media",
    params(
        ("Tus-Resumable" = String, Header, example = "1.0.0"),
        ("Upload-Length" = u64, Header, description = "Size of the file in bytes", example = 204_800),
        ("Upload-Metadata" = String, Header, description = "Keys with values in base64, separated by commas: `submission` (its id), `name`, `sha256` (hex), \
            `type`; `resume` without a value", example = "submission MDE5MGI3YTQtNWMxZS03ZTU1LTlkNDMtMGM3YzlhNGMxZjEw,name ZnJvbnQuanBn,…"),
        ("Upload-Checksum" = Option<String>, Header, description = "Checksum of the bytes that come along: `sha256 <base64>`")
    ),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream", description = "Nothing, or the first bytes"),
    responses(
        (status = CREATED, description = "Send the bytes to `Location`", headers(
            ("Location" = String, description = "The upload"),
            ("Upload-Offset" = u64, description = "How many bytes are here"),
            ("Upload-Expires" = String, description = "Until when it waits for the next bytes")
        )),
        (status = CONFLICT, body = Problem, description = "Another file has this name", content_type = "application/problem+json"),
        (status = GONE, body = Problem, description = "It was ended while its bytes came", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "Another version of tus", content_type = "application/problem+json"),
        (status = PAYLOAD_TOO_LARGE, body = Problem, description = "Larger than the limit", content_type = "application/problem+json"),
        (status = UNSUPPORTED_MEDIA_TYPE, body = Problem, description = "Not a kind of file that is taken", content_type = "application/problem+json"),
        (status = TOO_MANY_REQUESTS, body = Problem, description = "Too many uploads of this account are open", content_type = "application/problem+json"),
        (status = 460, body = Problem, description = "The bytes are not those of the checksum", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/uploads")]
async fn create(
    desk: Data<Uploads>,
    actor: Result<Actor>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    answered(created(&desk, actor, &request, payload).await)
}

async fn created(
    desk: &Uploads,
    actor: Result<Actor>,
    request: &HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let (actor, headers) = (actor?, Headers(request));
    protocol::check_version(headers.get("tus-resumable"))?;
    if headers.get("upload-defer-length").is_some() {
        return Err(Error::invalid(
            "upload_length_deferred",
            "send Upload-Length: a file that is announced has a size",
        ));
    }
    let size = protocol::length(headers.get("upload-length"))?;
    let wanted = protocol::wanted(headers.get("upload-metadata"), size)?;
    let checksum = headers.checksum()?;
    let brings_bytes = headers.get("content-type").is_some_and(|kind| kind.starts_with(protocol::BYTES));
    let mut upload = desk.create(&actor, wanted).await?;
    if brings_bytes && upload.state == UploadState::Open && upload.received == 0 {
        let intake = desk.begin(upload.clone(), 0, headers.length(), checksum)?;
        let received = bring(desk, intake, payload).await?;
        upload = desk.find(&actor, upload.id.as_str()).await?;
        upload.received = upload.received.max(received as i64);
    }
    let mut answer = HttpResponse::Created();
    answer.insert_header((header::LOCATION, format!("/v1/uploads/{}", upload.id)));
    stand(&mut answer, &upload);
    Ok(answer.finish())
}

/// How far an upload has come.
#[utoipa::path(
    tag = "media",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("Tus-Resumable" = String, Header, example = "1.0.0")
    ),
    responses(
        (status = OK, description = "`Upload-Offset` = `Upload-Length`: the file is with its submission", headers(
            ("Upload-Offset" = u64, description = "How many bytes are here; continue from there"),
            ("Upload-Length" = u64, description = "How many there will be"),
            ("Upload-Metadata" = String, description = "As it was sent"),
            ("Upload-Expires" = String, description = "Until when it waits for the next bytes")
        )),
        (status = GONE, body = Problem, description = "It expired, was given up, or was refused: begin a new one", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "Another version of tus", content_type = "application/problem+json"),
        Problems
    )
)]
#[head("/v1/uploads/{id}")]
async fn show(
    desk: Data<Uploads>,
    actor: Result<Actor>,
    id: Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    answered(shown(&desk, actor, &id, &request).await)
}

async fn shown(
    desk: &Uploads,
    actor: Result<Actor>,
    id: &str,
    request: &HttpRequest,
) -> Result<HttpResponse> {
    let actor = actor?;
    protocol::check_version(Headers(request).get("tus-resumable"))?;
    let upload = desk.find(&actor, id).await?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("Upload-Length", upload.size().to_string()));
    answer.insert_header(("Upload-Metadata", upload.metadata.clone()));
    stand(&mut answer, &upload);
    Ok(answer.finish())
}

/// Send bytes from an offset on. What has come when the connection breaks off counts, unless a checksum was to be held
/// against all of it.
#[utoipa::path(
    tag = "media",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("Tus-Resumable" = String, Header, example = "1.0.0"),
        ("Upload-Offset" = u64, Header, description = "Where these bytes begin: where the upload stands", example = 0),
        ("Upload-Checksum" = Option<String>, Header, description = "`sha256 <base64>`, `sha1 …` or `md5 …` of the body")
    ),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream", description = "The bytes, as many as you like"),
    responses(
        (status = NO_CONTENT, description = "They are here", headers(
            ("Upload-Offset" = u64, description = "Where the upload stands now; at its length, the file is with its submission"),
            ("Upload-Expires" = String, description = "Until when it waits for the next bytes")
        )),
        (status = CONFLICT, body = Problem, description = "The upload stands elsewhere (`upload_offset_mismatch`): ask with HEAD; or another file has the name (`media_conflict`)", content_type = "application/problem+json"),
        (status = GONE, body = Problem, description = "It expired, was given up, or was refused: begin a new one", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "Another version of tus", content_type = "application/problem+json"),
        (status = UNSUPPORTED_MEDIA_TYPE, body = Problem, description = "Not bytes of a file, or not the kind of file it was announced as", content_type = "application/problem+json"),
        (status = 460, body = Problem, description = "The bytes are not those of the checksum; none were kept", content_type = "application/problem+json"),
        Problems
    )
)]
#[patch("/v1/uploads/{id}")]
async fn append(
    desk: Data<Uploads>,
    actor: Result<Actor>,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    answered(appended(&desk, actor, &id, &request, payload).await)
}

async fn appended(
    desk: &Uploads,
    actor: Result<Actor>,
    id: &str,
    request: &HttpRequest,
    payload: Payload,
) -> Result<HttpResponse> {
    let (actor, headers) = (actor?, Headers(request));
    protocol::check_version(headers.get("tus-resumable"))?;
    protocol::check_body(headers.get("content-type"), headers.get("content-encoding"))?;
    let offset = protocol::offset(headers.get("upload-offset"))?;
    let checksum = headers.checksum()?;
    let upload = desk.find(&actor, id).await?;
    let intake = desk.begin(upload, offset, headers.length(), checksum)?;
    let received = bring(desk, intake, payload).await?;
    let mut upload = desk.find(&actor, id).await?;
    upload.received = upload.received.min(received as i64);
    let mut answer = HttpResponse::NoContent();
    stand(&mut answer, &upload);
    Ok(answer.finish())
}

/// Give an upload up. What had come of it is removed; the file of a complete one stays with its submission.
#[utoipa::path(
    tag = "media",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("Tus-Resumable" = String, Header, example = "1.0.0")
    ),
    responses(
        (status = NO_CONTENT, description = "It is no more"),
        (status = GONE, body = Problem, description = "It had ended before", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "Another version of tus", content_type = "application/problem+json"),
        Problems
    )
)]
#[delete("/v1/uploads/{id}")]
async fn terminate(
    desk: Data<Uploads>,
    actor: Result<Actor>,
    id: Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    answered(terminated(&desk, actor, &id, &request).await)
}

async fn terminated(
    desk: &Uploads,
    actor: Result<Actor>,
    id: &str,
    request: &HttpRequest,
) -> Result<HttpResponse> {
    let actor = actor?;
    protocol::check_version(Headers(request).get("tus-resumable"))?;
    desk.terminate(&actor, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// For clients that cannot send PATCH, HEAD or DELETE: the method stands in `X-HTTP-Method-Override`.
#[utoipa::path(
    tag = "media",
    params(
        ("id" = uuid::Uuid, Path, example = "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10"),
        ("X-HTTP-Method-Override" = String, Header, description = "`PATCH`, `HEAD` or `DELETE`", example = "PATCH"),
        ("Tus-Resumable" = String, Header, example = "1.0.0")
    ),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream", description = "As of the method meant"),
    responses(
        (status = OK, description = "As of HEAD"),
        (status = NO_CONTENT, description = "As of PATCH or DELETE"),
        (status = CONFLICT, body = Problem, description = "As of PATCH", content_type = "application/problem+json"),
        (status = GONE, body = Problem, description = "It has ended", content_type = "application/problem+json"),
        (status = PRECONDITION_FAILED, body = Problem, description = "Another version of tus", content_type = "application/problem+json"),
        (status = UNSUPPORTED_MEDIA_TYPE, body = Problem, description = "As of PATCH", content_type = "application/problem+json"),
        (status = 460, body = Problem, description = "As of PATCH", content_type = "application/problem+json"),
        Problems
    )
)]
#[post("/v1/uploads/{id}")]
async fn overridden(
    desk: Data<Uploads>,
    actor: Result<Actor>,
    id: Path<String>,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let meant = Headers(&request).get("x-http-method-override").unwrap_or_default().to_ascii_uppercase();
    answered(match meant.as_str() {
        "PATCH" => appended(&desk, actor, &id, &request, payload).await,
        "DELETE" => terminated(&desk, actor, &id, &request).await,
        "HEAD" => shown(&desk, actor, &id, &request).await,
        _ => Err(Error::invalid(
            "method_override_missing",
            "POST to an upload needs X-HTTP-Method-Override: PATCH, HEAD or DELETE",
        )),
    })
}

/// Hands a body on as it comes. When the connection is gone this ends, and the intake finds that nothing more comes
/// and keeps what it has.
async fn bring(desk: &Uploads, intake: Intake, mut payload: Payload) -> Result<u64> {
    let (sender, receiver) = mpsc::channel(1);
    let taking = desk.media.run(intake.run(receiver));
    let turns = Arc::new(Semaphore::new(1));
    let mut fell_silent = false;
    // What has come is not asked for before what came earlier has gone: a connection holds up to four times 128 KiB otherwise.
    while let Ok(turn) = Arc::clone(&turns).acquire_owned().await {
        let arrival = match tokio::time::timeout(SILENCE, payload.next()).await {
            Ok(Some(Ok(bytes))) => Arrival::Bytes(bytes, turn),
            Ok(None) => Arrival::End,
            Ok(Some(Err(_))) => break,
            Err(_) => {
                fell_silent = true;
                break;
            }
        };
        let is_end = matches!(arrival, Arrival::End);
        // Nobody takes it: the file is whole, or something was wrong.
        if sender.send(arrival).await.is_err() || is_end {
            break;
        }
    }
    drop(sender);
    let received = taking.await.map_err(|cause| Error::internal("taking bytes in", cause))??;
    match fell_silent {
        true => {
            Err(Error::unavailable("upload_stalled", "nothing came for too long; ask with HEAD and continue"))
        }
        false => Ok(received),
    }
}

struct Headers<'r>(&'r HttpRequest);

impl Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        // One that is not text says something, and nothing that could be read: not the same as saying nothing.
        self.0.headers().get(name).map(|value| value.to_str().unwrap_or("\u{fffd}"))
    }

    fn length(&self) -> Option<u64> {
        self.get(header::CONTENT_LENGTH.as_str())?.parse().ok()
    }

    fn checksum(&self) -> Result<Option<Checksum>> {
        self.get("upload-checksum").map(Checksum::parse).transpose()
    }
}

fn able(desk: &Uploads) -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((TUS_VERSION, protocol::VERSION))
        .insert_header(("Tus-Extension", protocol::EXTENSIONS))
        .insert_header(("Tus-Max-Size", desk.media.largest().to_string()))
        .insert_header(("Tus-Checksum-Algorithm", ALGORITHMS))
        .finish()
}

/// Where the upload stands. A complete one waits for nothing.
fn stand(answer: &mut HttpResponseBuilder, upload: &Upload) {
    answer.insert_header(("Upload-Offset", upload.received().to_string()));
    if upload.state == UploadState::Open {
        answer.insert_header(("Upload-Expires", protocol::http_date(upload.expires_at)));
    }
}

/// Makes any outcome an answer in the protocol's terms.
fn answered(outcome: Result<HttpResponse>) -> HttpResponse {
    let mut answer = outcome.unwrap_or_else(|error| error.error_response());
    let is_other_version = answer.status() == StatusCode::PRECONDITION_FAILED;
    let headers = answer.headers_mut();
    headers.insert(TUS_RESUMABLE, HeaderValue::from_static(protocol::VERSION));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if is_other_version {
        headers.insert(TUS_VERSION, HeaderValue::from_static(protocol::VERSION));
    }
    answer
}
