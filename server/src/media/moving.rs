//! Files brought from one store to another, for moving house. Each is read whole, held against its hash, put, and read
//! back: what counts as brought has been seen there. A file is held in memory meanwhile, so few are brought at once.

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use sha2::{Digest, Sha256};

use super::bucket::{Bucket, Content, Failure, Put};
use super::kinds::MediaKind;
use super::model::MediaHash;
use super::service::Media;
pub use super::store::{File, files};
use crate::error::Result;

/// What files of no known kind are said to be.
const UNKNOWN: &str = "application/octet-stream";

/// What came of bringing a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// It was copied, and is there as it was here.
    Copied,
    /// It was there already, as it is here.
    Already,
    /// It is not in the store it should come from.
    Missing,
    /// What is in the store it should come from is not what its name says.
    Damaged,
}

impl Media {
    /// Brings a file to the store of `there`, unless it is there already, and makes sure of its content.
    pub async fn bring(&self, there: &Media, sha256: &str, content_type: &str) -> Result<Brought> {
        let sha256 = MediaHash::parse(sha256)?;
        let content_type = MediaKind::of_content_type(content_type).map_or(UNKNOWN, MediaKind::content_type);
        self.bring_key(there, &sha256.key(), Some(&sha256), content_type).await
    }

    /// Whether a file is in the store and is what its name says.
    pub async fn is_sound(&self, sha256: &str) -> Result<Brought> {
        let sha256 = MediaHash::parse(sha256)?;
        Ok(match self.whole_object(&sha256.key()).await? {
            None => Brought::Missing,
            Some(bytes) if hash_of(&bytes) != sha256 => Brought::Damaged,
            Some(_) => Brought::Already,
        })
    }

    /// Brings a piece of an upload that is under way, by its key.
    pub async fn bring_piece(&self, there: &Media, key: &str) -> Result<Brought> {
        self.bring_key(there, key, None, UNKNOWN).await
    }

    async fn bring_key(
        &self,
        there: &Media,
        key: &str,
        sha256: Option<&MediaHash>,
        content_type: &'static str,
    ) -> Result<Brought> {
        let arrived = there.whole_object(key).await?.map(|bytes| hash_of(&bytes));
        if arrived.is_some() && arrived.as_ref() == sha256 {
            return Ok(Brought::Already);
        }
        let Some(bytes) = self.whole_object(key).await? else { return Ok(Brought::Missing) };
        let hash = hash_of(&bytes);
        if sha256.is_some_and(|sha256| *sha256 != hash) {
            return Ok(Brought::Damaged);
        }
        if arrived.as_ref() == Some(&hash) {
            return Ok(Brought::Already);
        }
        there.put_object(key, bytes, &hash, content_type).await?;
        match there.whole_object(key).await?.map(|bytes| hash_of(&bytes)) {
            Some(read) if read == hash => Ok(Brought::Copied),
            _ => {
                Err(super::service::unavailable(&format!("{key} was put and cannot be read back as it was")))
            }
        }
    }

    async fn put_object(
        &self,
        key: &str,
        bytes: Bytes,
        hash: &MediaHash,
        content_type: &'static str,
    ) -> Result<()> {
        let (key, digest, size) = (key.to_owned(), hash.digest(), bytes.len() as u64);
        self.ask(|bucket| async move {
            let put = Put { key: &key, size, sha256: Some(&digest), content_type };
            bucket.put(&put, &Content::Bytes(bytes)).await
        })
        .await
    }

    async fn whole_object(&self, key: &str) -> Result<Option<Bytes>> {
        let key = key.to_owned();
        self.ask(|bucket| async move {
            match whole(&bucket, &key).await {
                Ok(bytes) => Ok(Some(bytes)),
                Err(Failure::Missing) => Ok(None),
                Err(other) => Err(other),
            }
        })
        .await
    }

    /// Whether the store holds no photo, no document and no piece of an upload.
    pub async fn is_empty(&self) -> Result<bool> {
        self.ask(|bucket| async move {
            for prefix in ["media/", "uploads/"] {
                if !bucket.list(prefix).await?.is_empty() {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await
    }
}

async fn whole(bucket: &Bucket, key: &str) -> std::result::Result<Bytes, Failure> {
    let got = bucket.get(key, None).await?;
    let room = usize::try_from(got.total).unwrap_or_default().min(64 * 1024 * 1024);
    let gather = |mut file: Vec<u8>, piece: Bytes| async move {
        file.extend_from_slice(&piece);
        Ok(file)
    };
    let read = got.body.try_fold(Vec::with_capacity(room), gather).await;
    read.map(Bytes::from).map_err(|cause| Failure::Unreachable(cause.to_string()))
}

fn hash_of(bytes: &[u8]) -> MediaHash {
    MediaHash::of(Sha256::digest(bytes).into())
}
