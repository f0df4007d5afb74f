//! Several objects read as one content: the pieces of an upload on their way to becoming a file. Nothing is held but
//! the bytes that pass. Where a hash is given, the last bytes are passed on only if the whole has it, so that content
//! that is not what was said can never be put whole, whatever the store itself checks.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::bucket::{Bucket, Failure};
use super::model::MediaHash;
use super::verified::held_against;

/// Where a stretch of the content lies.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// In an object of the bucket.
    Object(String),
    /// In memory: what came last.
    Memory(Bytes),
}

/// Why the content cannot be what was said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// An object is not there any more.
    Missing,
    /// It has another hash.
    Hash(MediaHash),
}

/// Several sources as one content.
pub(super) struct Joined {
    sources: Vec<Source>,
    sha256: Option<MediaHash>,
    fault: Mutex<Option<Fault>>,
}

impl Joined {
    pub(super) fn new(sources: Vec<Source>, sha256: Option<MediaHash>) -> Arc<Joined> {
        Arc::new(Joined { sources, sha256, fault: Mutex::new(None) })
    }

    /// What was found wrong so far.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn spoil(&self, fault: Fault) -> io::Error {
        let said = io::Error::new(io::ErrorKind::InvalidData, format!("{fault:?}"));
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        said
    }

    /// The content from its beginning.
    pub(super) fn read(self: &Arc<Self>, bucket: &Arc<Bucket>) -> BoxStream<'static, io::Result<Bytes>> {
        let (joined, bucket) = (self.clone(), bucket.clone());
        let plain = stream::iter(self.sources.clone())
            .then(move |source| open(joined.clone(), bucket.clone(), source))
            .try_flatten()
            .try_filter(|bytes| std::future::ready(!bytes.is_empty()))
            .boxed();
        match &self.sha256 {
            None => plain,
            Some(expected) => {
                let joined = self.clone();
                held_against(plain, expected.clone(), move |actual| joined.spoil(Fault::Hash(actual)))
            }
        }
    }
}

async fn open(
    joined: Arc<Joined>,
    bucket: Arc<Bucket>,
    source: Source,
) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
    match source {
        Source::Memory(bytes) => Ok(stream::iter([Ok(bytes)]).boxed()),
        Source::Object(key) => match bucket.get(&key, None).await {
            Ok(got) => Ok(got.body),
            Err(Failure::Missing) => Err(joined.spoil(Fault::Missing)),
            Err(other) => Err(io::Error::other(other.to_string())),
        },
    }
}
