//! The pieces of uploads: objects of their own under `uploads/<upload>/`, until the last byte has come and they become
//! a file. A key is used once: two senders of the same bytes never write to the same object, so what the database
//! names is what was put. What no row names is removed with the upload, by its prefix.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::bucket::{Bucket, Content, Failure, Put};
use super::joined::{Fault, Joined, Source};
use super::kinds::{self, MediaKind};
use super::model::{MediaHash, Stored};
use super::names::MediaName;
use super::range::ByteRange;
use super::receive::{self, Expected};
use super::service::Media;
use super::store;
use crate::db::{Db, DbConn};
use crate::error::{Error, Result};

/// How many objects are removed at once.
const REMOVALS: usize = 8;
/// What pieces are said to be; nobody outside is ever given one.
const PIECE_TYPE: &str = "application/octet-stream";

/// A piece of an upload, in the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The key of its object.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
}

/// What came of putting pieces together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assembled {
    /// The file is in the bucket, durably.
    Stored(Stored),
    /// A piece is not there any more: somebody put some together meanwhile. Look again which there are.
    Moved,
}

impl Media {
    /// Keeps bytes as a piece of an upload that begins at `first`; when this returns, the bucket has it.
    pub async fn keep_piece(&self, upload: &str, first: u64, bytes: Bytes) -> Result<Piece> {
        let piece = Piece { key: new_key(upload, first), size: bytes.len() as u64 };
        let kept = piece.clone();
        self.ask(|bucket| async move {
            let digest = Sha256::digest(&bytes);
            let put = Put {
                key: &kept.key,
                size: kept.size,
                sha256: Some(digest.as_slice()),
                content_type: PIECE_TYPE,
            };
            bucket.put(&put, &Content::Bytes(bytes)).await
        })
        .await?;
        Ok(piece)
    }

    /// Puts neighbouring pieces together as one; the old ones stay. None: one of them is not there any more.
    pub async fn merge_pieces(&self, upload: &str, first: u64, pieces: &[Piece]) -> Result<Option<Piece>> {
        let merged = Piece { key: new_key(upload, first), size: pieces.iter().map(|piece| piece.size).sum() };
        let joined = Joined::new(pieces.iter().map(source).collect(), None);
        let put = self.put_joined(joined.clone(), merged.key.clone(), merged.size, None, PIECE_TYPE).await;
        match (put, joined.fault()) {
            (Ok(()), _) => Ok(Some(merged)),
            (Err(_), Some(_)) => Ok(None),
            (Err(error), None) => Err(error),
        }
    }

    /// Makes the pieces, and the bytes in memory that follow them, the file that was `expected`: its size is what they
    /// have together, its hash and its kind are checked on the way. Nothing is recorded in the database.
    pub async fn assemble(&self, pieces: &[Piece], last: Bytes, expected: &Expected) -> Result<Assembled> {
        let Some(sha256) = expected.sha256.clone() else {
            return Err(Error::internal("putting pieces together", "no hash is expected"));
        };
        let size = pieces.iter().map(|piece| piece.size).sum::<u64>() + last.len() as u64;
        let mut sources: Vec<Source> = pieces.iter().map(source).collect();
        sources.push(Source::Memory(last));
        let Some(head) = self.head_of(pieces, &sources).await? else { return Ok(Assembled::Moved) };
        let kind = kinds::agree(&head, expected.name.kind(), expected.content_type.as_deref())?;
        let joined = Joined::new(sources, Some(sha256.clone()));
        let digest = sha256.digest();
        let put =
            self.put_joined(joined.clone(), sha256.key(), size, Some(digest), kind.content_type()).await;
        match (put, joined.fault()) {
            (Ok(()), _) => Ok(Assembled::Stored(Stored { sha256, size, content_type: kind.content_type() })),
            (Err(_), Some(Fault::Missing)) => Ok(Assembled::Moved),
            (Err(_), Some(Fault::Hash(actual))) => Err(receive::hash_mismatch(&sha256, &actual)),
            (Err(error), None) => Err(error),
        }
    }

    async fn put_joined(
        &self,
        joined: Arc<Joined>,
        key: String,
        size: u64,
        digest: Option<Vec<u8>>,
        content_type: &'static str,
    ) -> Result<()> {
        self.ask(|bucket| async move {
            let put = Put { key: &key, size, sha256: digest.as_deref(), content_type };
            bucket.put(&put, &Content::Joined(joined)).await
        })
        .await
    }

    /// The first bytes, enough to tell the kind. None: a piece is not there any more.
    async fn head_of(&self, pieces: &[Piece], sources: &[Source]) -> Result<Option<Vec<u8>>> {
        let mut head = Vec::with_capacity(kinds::HEAD);
        for (at, source) in sources.iter().enumerate() {
            let missing = kinds::HEAD - head.len();
            match source {
                Source::Memory(bytes) => head.extend_from_slice(&bytes[..missing.min(bytes.len())]),
                Source::Object(key) => {
                    let (key, wanted) = (key.clone(), pieces[at].size.min(missing as u64));
                    match self.ask(|bucket| beginning(bucket, key, wanted)).await? {
                        Some(bytes) => head.extend_from_slice(&bytes),
                        None => return Ok(None),
                    }
                }
            }
            if head.len() >= kinds::HEAD {
                break;
            }
        }
        Ok(Some(head))
    }

    /// Removes pieces.
    pub async fn discard_pieces(&self, pieces: Vec<Piece>) -> Result<()> {
        let keys = pieces.into_iter().map(|piece| piece.key).collect();
        self.ask(|bucket| async move { remove_all(&bucket, keys).await }).await
    }

    /// Removes every piece of an upload, also those no row names.
    pub async fn discard_upload(&self, upload: &str) -> Result<()> {
        let prefix = prefix(upload);
        self.ask(|bucket| async move {
            loop {
                let keys = bucket.list(&prefix).await?;
                if keys.is_empty() {
                    return Ok(());
                }
                remove_all(&bucket, keys).await?;
            }
        })
        .await
    }

    /// The file with this hash, if it is in the bucket with this size and as this kind.
    pub async fn stored(
        &self,
        db: &Db,
        sha256: &MediaHash,
        size: u64,
        kind: MediaKind,
    ) -> Result<Option<Stored>> {
        let hash = sha256.clone();
        let Some(known) = db.read(move |conn| store::object(conn, &hash)).await? else { return Ok(None) };
        if known != (size as i64, kind.content_type().to_owned()) {
            return Ok(None);
        }
        let key = sha256.key();
        let in_bucket = self.ask(|bucket| async move { bucket.head(&key).await }).await?;
        let stored = Stored { sha256: sha256.clone(), size, content_type: kind.content_type() };
        Ok((in_bucket == Some(size)).then_some(stored))
    }

    /// The largest file that is taken under this name.
    pub fn limit(&self, name: &MediaName) -> u64 {
        receive::limit(self.config(), name.kind())
    }

    /// The largest file of any kind.
    pub fn largest(&self) -> u64 {
        self.config().max_photo_bytes.max(self.config().max_document_bytes)
    }
}

/// Checks what is said of a file before any of it comes: its size against the limit, its type against its name.
pub fn check_claims(media: &Media, expected: &Expected) -> Result<()> {
    let limit = media.limit(&expected.name);
    if expected.size.is_some_and(|size| size > limit) {
        return Err(receive::too_large(limit));
    }
    match &expected.content_type {
        Some(declared) => kinds::claim_agrees(expected.name.kind(), declared),
        None => Ok(()),
    }
}

/// Checks the first bytes of a file, as soon as there are enough of them, so that a wrong file is not sent whole.
pub fn check_beginning(bytes: &[u8], expected: &Expected) -> Result<()> {
    match bytes.get(..kinds::HEAD) {
        Some(head) => kinds::agree(head, expected.name.kind(), expected.content_type.as_deref()).map(drop),
        None => Ok(()),
    }
}

/// Whether this account has sent the file with this hash before.
pub fn sent_by(conn: &mut DbConn, sha256: &MediaHash, account: &str) -> Result<bool> {
    store::sent_by(conn, sha256, account)
}

fn prefix(upload: &str) -> String {
    format!("uploads/{upload}/")
}

fn new_key(upload: &str, first: u64) -> String {
    format!("{}{first:012}-{}", prefix(upload), Uuid::new_v4().simple())
}

fn source(piece: &Piece) -> Source {
    Source::Object(piece.key.clone())
}

async fn beginning(bucket: Arc<Bucket>, key: String, wanted: u64) -> Result<Option<Vec<u8>>, Failure> {
    let range = ByteRange { first: 0, last: wanted.saturating_sub(1) };
    match bucket.get(&key, Some(range)).await {
        Err(Failure::Missing) => Ok(None),
        Err(other) => Err(other),
        Ok(got) => {
            let read = got.body.map_ok(|bytes| bytes.to_vec()).try_concat().await;
            read.map(Some).map_err(|cause| Failure::Unreachable(cause.to_string()))
        }
    }
}

async fn remove_all(bucket: &Bucket, keys: Vec<String>) -> Result<(), Failure> {
    let removals = stream::iter(keys).map(|key| async move { bucket.delete(&key).await });
    removals.buffer_unordered(REMOVALS).try_collect::<()>().await
}
