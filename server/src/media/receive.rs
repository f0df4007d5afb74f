//! A file coming in: read, measured, hashed and looked at as it comes; stored only if all of it came and is what was
//! said. Small files stay in memory, larger ones wait in the spool. What fails a check leaves nothing behind.

use std::collections::HashMap;
use std::fmt::Display;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use tokio::sync::OwnedMutexGuard;

use super::bucket::{Content, Put};
use super::kinds::{self, MediaKind};
use super::model::{MediaHash, Stored};
use super::names::MediaName;
use super::service::Media;
use super::spool::Spooled;
use super::store;
use crate::config::MediaConfig;
use crate::db::Db;
use crate::error::{Error, Result};

/// A file up to this size is kept in memory while it comes in.
const SMALL: usize = 256 * 1024;

/// What is said of a file before it comes.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Its name; the extension must agree with the bytes.
    pub name: MediaName,
    /// Its size, where declared (`Content-Length`, the envelope).
    pub size: Option<u64>,
    /// Its hash, where declared.
    pub sha256: Option<MediaHash>,
    /// Its content type, where declared.
    pub content_type: Option<String>,
}

impl Media {
    /// Takes a file in: checks it against `expected` and the limits, puts it into the bucket unless it is there
    /// already, and returns once it is durable. Nothing is recorded in the database: that is `attach`.
    pub async fn receive<S, E>(&self, db: &Db, expected: &Expected, body: S) -> Result<Stored>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Display,
    {
        let mut intake = Intake::begin(self.config(), self.spool(), expected)?;
        let mut body = std::pin::pin!(body);
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|cause| {
                truncated(format!("the upload broke off after {} bytes ({cause})", intake.size))
            })?;
            intake.add(&piece).await?;
        }
        let (stored, content) = intake.finish().await?;
        metrics::counter!("nigran_media_received_bytes").increment(stored.size);
        self.keep(db, &stored, &content).await?;
        Ok(stored)
    }

    /// Puts the file into the bucket unless it is there. Of several senders of one file, one puts, the others wait.
    async fn keep(&self, db: &Db, stored: &Stored, content: &Waiting) -> Result<()> {
        let (_turn, waited) = self.turns().take(&stored.sha256).await;
        let hash = stored.sha256.clone();
        if (waited || db.read(move |conn| store::known(conn, &hash)).await?) && self.has(stored).await? {
            metrics::counter!("nigran_media_deduplicated").increment(1);
            return Ok(());
        }
        self.put(stored, content.content()).await
    }

    async fn has(&self, stored: &Stored) -> Result<bool> {
        let key = stored.sha256.key();
        let size = self.ask(|bucket| async move { bucket.head(&key).await }).await?;
        Ok(size == Some(stored.size))
    }

    async fn put(&self, stored: &Stored, content: Content) -> Result<()> {
        let Stored { sha256, size, content_type } = stored.clone();
        self.ask(|bucket| async move {
            let (key, digest) = (sha256.key(), sha256.digest());
            bucket.put(&Put { key: &key, size, sha256: Some(&digest), content_type }, &content).await
        })
        .await
    }
}

/// A file that came in whole and waits to be put. The spooled file lives as long as this does.
enum Waiting {
    Small(Bytes),
    Large(Spooled),
}

impl Waiting {
    fn content(&self) -> Content {
        match self {
            Waiting::Small(bytes) => Content::Bytes(bytes.clone()),
            Waiting::Large(spooled) => Content::File(spooled.path().to_owned()),
        }
    }
}

/// A file coming in.
struct Intake<'a> {
    expected: &'a Expected,
    limit: u64,
    folder: &'a Path,
    hasher: Sha256,
    size: u64,
    kind: Option<MediaKind>,
    /// The first bytes, until the kind is known.
    head: Vec<u8>,
    buffer: BytesMut,
    spooled: Option<Spooled>,
}

impl<'a> Intake<'a> {
    fn begin(config: &MediaConfig, folder: &'a Path, expected: &'a Expected) -> Result<Intake<'a>> {
        let limit = limit(config, expected.name.kind());
        if expected.size.is_some_and(|size| size > limit) {
            return Err(too_large(limit));
        }
        let room = expected.size.and_then(|size| usize::try_from(size).ok()).unwrap_or(SMALL).min(SMALL);
        Ok(Intake {
            expected,
            limit,
            folder,
            hasher: Sha256::new(),
            size: 0,
            kind: None,
            head: Vec::new(),
            buffer: BytesMut::with_capacity(room),
            spooled: None,
        })
    }

    async fn add(&mut self, piece: &[u8]) -> Result<()> {
        self.size += piece.len() as u64;
        if self.size > self.limit {
            return Err(too_large(self.limit));
        }
        if let Some(size) = self.expected.size.filter(|size| self.size > *size) {
            return Err(Error::invalid(
                "media_size_mismatch",
                format!("more bytes came than the {size} that were declared"),
            ));
        }
        self.look_at(piece)?;
        self.hasher.update(piece);
        if self.buffer.len() + piece.len() > SMALL {
            self.spill().await?;
        }
        self.buffer.extend_from_slice(piece);
        Ok(())
    }

    /// Tells the kind as soon as enough bytes are there, so that a wrong file is refused before the rest is sent.
    fn look_at(&mut self, piece: &[u8]) -> Result<()> {
        if self.kind.is_none() {
            let missing = kinds::HEAD - self.head.len();
            self.head.extend_from_slice(&piece[..missing.min(piece.len())]);
            if self.head.len() == kinds::HEAD {
                self.settle_kind()?;
            }
        }
        Ok(())
    }

    fn settle_kind(&mut self) -> Result<MediaKind> {
        let kind =
            kinds::agree(&self.head, self.expected.name.kind(), self.expected.content_type.as_deref())?;
        self.kind = Some(kind);
        Ok(kind)
    }

    async fn spill(&mut self) -> Result<()> {
        let spooled = match &mut self.spooled {
            Some(spooled) => spooled,
            none => none.insert(Spooled::begin(self.folder).await.map_err(cannot_spool)?),
        };
        spooled.write(&self.buffer).await.map_err(cannot_spool)?;
        self.buffer.clear();
        Ok(())
    }

    async fn finish(mut self) -> Result<(Stored, Waiting)> {
        match self.expected.size {
            Some(size) if self.size < size => {
                return Err(truncated(format!("only {} of {size} bytes came", self.size)));
            }
            None if self.size == 0 => return Err(truncated("the file is empty".to_owned())),
            _ => {}
        }
        let kind = match self.kind {
            Some(kind) => kind,
            None => self.settle_kind()?,
        };
        let sha256 = MediaHash::of(std::mem::take(&mut self.hasher).finalize().into());
        if let Some(declared) = self.expected.sha256.as_ref().filter(|declared| **declared != sha256) {
            return Err(hash_mismatch(declared, &sha256));
        }
        let stored = Stored { sha256, size: self.size, content_type: kind.content_type() };
        Ok((stored, self.into_waiting().await?))
    }

    async fn into_waiting(mut self) -> Result<Waiting> {
        if self.spooled.is_some() {
            self.spill().await?;
        }
        match self.spooled {
            None => Ok(Waiting::Small(self.buffer.freeze())),
            Some(mut spooled) => {
                spooled.finish().await.map_err(cannot_spool)?;
                Ok(Waiting::Large(spooled))
            }
        }
    }
}

/// The largest file of a kind.
pub(super) fn limit(config: &MediaConfig, kind: MediaKind) -> u64 {
    if kind.is_document() { config.max_document_bytes } else { config.max_photo_bytes }
}

pub(super) fn too_large(limit: u64) -> Error {
    Error::too_large("media_too_large", format!("the file is larger than {limit} bytes; send it smaller"))
        .with("limit", limit)
}

pub(super) fn hash_mismatch(declared: &MediaHash, actual: &MediaHash) -> Error {
    let detail = format!("the file that came has SHA-256 {actual}, declared was {declared}; send it again");
    Error::invalid("media_hash_mismatch", detail)
        .with("declared_sha256", declared.as_str())
        .with("actual_sha256", actual.as_str())
}

fn truncated(detail: String) -> Error {
    Error::invalid("media_truncated", format!("{detail}; nothing was stored, send it again"))
}

fn cannot_spool(cause: std::io::Error) -> Error {
    if matches!(cause.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) {
        tracing::error!(%cause, "no room to take a file in");
        return super::service::unavailable("there is no room to take the file in");
    }
    Error::internal("taking a file in", cause)
}

/// Whose turn it is to put the file with a certain hash.
#[derive(Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<MediaHash, Arc<tokio::sync::Mutex<()>>>>>);

/// A turn; dropped, it passes to the next in line.
pub(super) struct Turn {
    all: Arc<Mutex<HashMap<MediaHash, Arc<tokio::sync::Mutex<()>>>>>,
    hash: MediaHash,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for the turn, and says whether there was anybody to wait for.
    async fn take(&self, hash: &MediaHash) -> (Turn, bool) {
        let mine =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(hash.clone()).or_default().clone();
        let (guard, waited) = match mine.clone().try_lock_owned() {
            Ok(guard) => (guard, false),
            Err(_) => (mine.lock_owned().await, true),
        };
        (Turn { all: self.0.clone(), hash: hash.clone(), guard: Some(guard) }, waited)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        self.guard = None;
        // Only the map's own handle left: nobody waits.
        if all.get(&self.hash).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            all.remove(&self.hash);
        }
    }
}
