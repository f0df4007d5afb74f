//! A body on its way to the disk: read in pieces, written in batches off the async threads, checked against what the
//! sender said of it, and only then made visible.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures_util::StreamExt;
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::disk::Disk;
use super::draft::{Digests, Draft, label};
use super::object::Label;

/// Bytes gathered before a thread is bothered; a smaller body is written, synced and placed in one go.
const BATCH: usize = 256 * 1024;

/// What the sender says of the content.
#[derive(Default)]
pub(super) struct Claims {
    pub(super) length: Option<i64>,
    /// `x-amz-checksum-sha256`, base64.
    pub(super) sha256: Option<String>,
    /// `Content-MD5`, base64.
    pub(super) md5: Option<String>,
}

/// What the content becomes.
pub(super) struct Destination {
    pub(super) path: PathBuf,
    pub(super) content_type: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    /// Whether an object already there gives way.
    pub(super) replace: bool,
}

/// Takes `body` in and makes it the object at `destination`. Returns once that is durable.
pub(super) async fn take_in(
    disk: &Arc<Disk>,
    body: Option<StreamingBlob>,
    claims: Claims,
    destination: Destination,
) -> S3Result<Label> {
    let mut draft = None;
    let mut batch = Vec::new();
    let mut gathered = 0;
    if let Some(mut body) = body {
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|cause| S3Error::with_source(S3ErrorCode::IncompleteBody, cause))?;
            gathered += piece.len();
            batch.push(piece);
            if gathered >= BATCH {
                draft = Some(write(disk, draft, std::mem::take(&mut batch), claims.md5.is_some()).await?);
                gathered = 0;
            }
        }
    }
    let disk = disk.clone();
    blocking(move || finish(&disk, draft, &batch, &claims, destination)).await
}

async fn write(disk: &Arc<Disk>, draft: Option<Draft>, batch: Vec<Bytes>, with_md5: bool) -> S3Result<Draft> {
    let disk = disk.clone();
    blocking(move || append(&disk, draft, &batch, with_md5).map_err(failed)).await
}

fn append(disk: &Disk, draft: Option<Draft>, batch: &[Bytes], with_md5: bool) -> io::Result<Draft> {
    let mut draft = match draft {
        Some(draft) => draft,
        None => disk.draft(with_md5)?,
    };
    for piece in batch {
        draft.write(piece)?;
    }
    Ok(draft)
}

fn finish(
    disk: &Disk,
    draft: Option<Draft>,
    batch: &[Bytes],
    claims: &Claims,
    destination: Destination,
) -> S3Result<Label> {
    let mut draft = append(disk, draft, batch, claims.md5.is_some()).map_err(failed)?;
    let digests = draft.digests();
    check(claims, &digests)?;
    let label = label(&digests, destination.content_type, destination.metadata);
    disk.place(draft, &label, &destination.path, destination.replace).map_err(failed)?;
    Ok(label)
}

fn check(claims: &Claims, digests: &Digests) -> S3Result<()> {
    if claims.length.is_some_and(|length| u64::try_from(length) != Ok(digests.size)) {
        return Err(s3_error!(IncompleteBody));
    }
    if claims.sha256.as_ref().is_some_and(|claimed| *claimed != BASE64.encode(digests.sha256)) {
        return Err(s3_error!(BadDigest, "the content has another SHA-256 than x-amz-checksum-sha256 says"));
    }
    let md5 = digests.md5.map(|digest| BASE64.encode(digest));
    if claims.md5.is_some() && claims.md5 != md5 {
        return Err(s3_error!(BadDigest, "the content has another MD5 than Content-MD5 says"));
    }
    Ok(())
}

/// Runs `work` on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> S3Result<T> + Send + 'static,
) -> S3Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(S3Error::internal_error)?
}

/// What a failure of the disk is called in S3's language.
pub(super) fn failed(cause: io::Error) -> S3Error {
    let code = match cause.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => S3ErrorCode::NoSuchKey,
        io::ErrorKind::AlreadyExists => S3ErrorCode::PreconditionFailed,
        io::ErrorKind::InvalidFilename => S3ErrorCode::KeyTooLongError,
        io::ErrorKind::InvalidInput => S3ErrorCode::InvalidArgument,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => S3ErrorCode::ServiceUnavailable,
        _ => S3ErrorCode::InternalError,
    };
    if matches!(code, S3ErrorCode::ServiceUnavailable | S3ErrorCode::InternalError) {
        tracing::error!(%cause, "the embedded media store cannot use its disk");
    }
    S3Error::with_source(code, Box::new(cause))
}
