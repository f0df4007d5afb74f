//! The media service: the bucket, the embedded store when there is one, and the threads both run on.
//!
//! It has a small runtime of its own. HTTP connections to the store belong to the runtime they were opened on, and
//! the web server's workers come and go, one runtime each; here they live as long as the service.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;

use super::bucket::{Address, Bucket, Failure, Got};
use super::embedded::Embedded;
use super::model::MediaHash;
use super::range::ByteRange;
use super::receive::Turns;
use super::spool;
use super::understanding;
use crate::config::MediaConfig;
use crate::error::{Error, Result};

/// How long a health check may take.
const HEALTH_PATIENCE: Duration = Duration::from_secs(2);
/// When to come back after the store failed.
const COME_BACK: Duration = Duration::from_secs(5);
/// Threads that may wait for the disk at once.
const DISK_THREADS: usize = 64;

/// Photos and documents; clones share it.
#[derive(Clone)]
pub struct Media {
    inner: Arc<Inner>,
}

struct Inner {
    config: MediaConfig,
    bucket: Arc<Bucket>,
    spool: PathBuf,
    turns: Turns,
    decoding: Arc<Semaphore>,
    handle: Handle,
    running: Mutex<Option<Running>>,
}

/// What `stop` takes down. The folder is locked as long as this stands: another server in the same folder would clear
/// away files this one is writing.
struct Running {
    runtime: Runtime,
    embedded: Option<Embedded>,
    _lock: File,
}

/// A file opened for reading.
pub struct Opened {
    /// The bytes asked for, as they come from the store.
    pub body: BoxStream<'static, std::io::Result<Bytes>>,
    /// The size of the whole file.
    pub total: u64,
    /// Its content type.
    pub content_type: String,
}

impl Media {
    /// Starts the service over `data_dir/media`; without a configured endpoint also the embedded store.
    ///
    /// An external store that cannot be reached is no reason not to start (answers come before photos): it is logged,
    /// and `healthy` says so until it is back. One that refuses our keys or has no bucket and lets us make none is.
    pub async fn start(config: MediaConfig, data_dir: &Path) -> Result<Media> {
        let failed = |cause: std::io::Error| Error::internal("preparing the media folder", cause);
        let folder = data_dir.join("media");
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let lock = lock(&folder)?;
        let spool = folder.join("spool");
        spool::clear(&spool).map_err(failed)?;
        let runtime = runtime().map_err(|cause| Error::internal("starting the media threads", cause))?;
        let handle = runtime.handle().clone();
        let embedded = match config.endpoint {
            None => Some(Embedded::start(&folder, &handle)?),
            Some(_) => None,
        };
        let bucket = Arc::new(bucket(&config, embedded.as_ref())?);
        let running = Mutex::new(Some(Running { runtime, embedded, _lock: lock }));
        let decoding = understanding::decoders(config.decode_at_once);
        let turns = Turns::default();
        let media =
            Media { inner: Arc::new(Inner { config, bucket, spool, turns, decoding, handle, running }) };
        media.open_bucket().await?;
        Ok(media)
    }

    async fn open_bucket(&self) -> Result<()> {
        let Inner { config, .. } = &*self.inner;
        match self.try_asking(|bucket| async move { bucket.ensure().await }).await {
            Err(Failure::Refused { status, answer }) if status < 500 => {
                tracing::error!(status, answer, "the media store refuses");
                let detail = format!(
                    "the media store refuses the bucket {:?} ({status}): check media.access_key, secret_key and region; the keys \
                     must be allowed to list, read and write it, and to create it if it does not exist",
                    config.bucket
                );
                Err(Error::invalid("media_bucket_refused", detail))
            }
            Err(failure) => {
                tracing::warn!(%failure, "the media store cannot be used yet; photos will be refused until it can");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Finishes what the store has under way and stops it. Files cannot be received or opened afterwards.
    pub async fn stop(&self) {
        let running = self.inner.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { runtime, embedded, _lock }) = running {
            if let Some(embedded) = embedded {
                embedded.stop().await;
            }
            runtime.shutdown_background();
        }
    }

    /// Whether files can be received and opened at the moment. An external bucket that has vanished is made again.
    pub async fn healthy(&self) -> Result<()> {
        let asked = self.ask(|bucket| async move { bucket.ensure().await });
        tokio::time::timeout(HEALTH_PATIENCE, asked)
            .await
            .unwrap_or_else(|_| Err(unavailable("the media store does not answer in time")))
    }

    /// Opens a file, or a part of it that lies within it, for reading.
    pub async fn open(&self, sha256: &MediaHash, range: Option<ByteRange>) -> Result<Opened> {
        let key = sha256.key();
        let got = self.ask(|bucket| async move { bucket.get(&key, range).await }).await?;
        Ok(Opened { body: got.body, total: got.total, content_type: got.content_type })
    }

    /// Opens whatever has this key; none: nothing has.
    pub(super) async fn open_key(&self, key: &str, range: Option<ByteRange>) -> Result<Option<Opened>> {
        let key = key.to_owned();
        let got = self.ask(|bucket| async move {
            match bucket.get(&key, range).await {
                Ok(got) => Ok(Some(got)),
                Err(Failure::Missing) => Ok(None),
                Err(other) => Err(other),
            }
        });
        let opened = |got: Got| Opened { body: got.body, total: got.total, content_type: got.content_type };
        Ok(got.await?.map(opened))
    }

    /// Removes a file from the bucket, whoever holds it: for those who clear away orphans.
    pub async fn remove(&self, sha256: &MediaHash) -> Result<()> {
        let key = sha256.key();
        self.ask(|bucket| async move { bucket.delete(&key).await }).await
    }

    /// Asks the bucket something and says its failures in our words.
    pub(super) async fn ask<T, F>(&self, question: impl FnOnce(Arc<Bucket>) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        self.try_asking(question).await.map_err(|failure| match failure {
            Failure::Missing => Error::internal("reading a file from the media store", failure),
            other => {
                tracing::error!(failure = %other, "the media store failed");
                unavailable("the media store cannot be used at the moment")
            }
        })
    }

    /// Asks on the service's own threads; a caller that goes away meanwhile leaves the question to its end.
    async fn try_asking<T, F>(&self, question: impl FnOnce(Arc<Bucket>) -> F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let asked = self.inner.handle.spawn(question(self.inner.bucket.clone()));
        asked.await.unwrap_or_else(|_| Err(Failure::Unreachable("the media service has stopped".to_owned())))
    }

    /// Runs work that must come to its end though the caller goes away, on the service's own threads.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.inner.handle.spawn(work)
    }

    #[cfg(test)]
    pub(super) fn bucket(&self) -> &Bucket {
        &self.inner.bucket
    }

    pub(super) fn config(&self) -> &MediaConfig {
        &self.inner.config
    }

    pub(super) fn spool(&self) -> &Path {
        &self.inner.spool
    }

    pub(super) fn decoding(&self) -> &Arc<Semaphore> {
        &self.inner.decoding
    }

    pub(super) fn turns(&self) -> &Turns {
        &self.inner.turns
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let running = self.running.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            running.runtime.shutdown_background();
        }
    }
}

/// The answer while the store cannot be used.
pub(super) fn unavailable(why: &str) -> Error {
    Error::unavailable("media_store_unavailable", format!("{why}; nothing was stored, send it again shortly"))
        .retry_after(COME_BACK)
}

fn runtime() -> std::io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    Builder::new_multi_thread()
        .thread_name("media")
        .worker_threads(cores.clamp(1, 4))
        .max_blocking_threads(DISK_THREADS)
        .enable_all()
        .build()
}

fn bucket(config: &MediaConfig, embedded: Option<&Embedded>) -> Result<Bucket> {
    let own = embedded.map(|embedded| (format!("http://{}", embedded.address), &embedded.keys));
    let address = match &own {
        Some((endpoint, keys)) => Address {
            endpoint,
            region: &config.region,
            bucket: &config.bucket,
            access_key: &keys.access,
            secret_key: &keys.secret,
            path_style: true,
            direct: true,
        },
        None => Address {
            endpoint: config.endpoint.as_deref().unwrap_or_default(),
            region: &config.region,
            bucket: &config.bucket,
            access_key: &config.access_key,
            secret_key: &config.secret_key,
            path_style: config.path_style,
            direct: false,
        },
    };
    Bucket::at(&address).map_err(|cause| {
        Error::invalid("media_config", format!("the media store is not configured right: {cause}"))
    })
}

fn lock(folder: &Path) -> Result<File> {
    let failed = |cause: std::io::Error| Error::internal("locking the media folder", cause);
    let file =
        File::options().create(true).truncate(false).write(true).open(folder.join("lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::conflict(
            "data_dir_in_use",
            format!("another server uses {}; give each its own data folder", folder.display()),
        )),
        Err(std::fs::TryLockError::Error(cause)) => Err(failed(cause)),
    }
}
