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

use super::bucket::{Bucket, Encryption, Failure, Got};
use super::credentials::{Credentials, Origin};
use super::embedded::Embedded;
use super::model::MediaHash;
use super::range::ByteRange;
use super::receive::Turns;
use super::signer::{Address, Signer};
use super::spool;
use super::understanding;
use super::verified::verified;
use crate::config::MediaConfig;
use crate::error::{Error, Result};

/// How long a health check may take.
const HEALTH_PATIENCE: Duration = Duration::from_secs(2);
/// How long the first look at the bucket may take.
const START_PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection to the store may take to be made.
const CONNECTING: Duration = Duration::from_secs(5);
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
    /// Starts the service over `data_dir/media`; without a configured endpoint also the embedded store. A bucket that does
    /// not exist is made.
    ///
    /// An external store that cannot be reached is no reason not to start (answers come before photos): it is logged,
    /// and `healthy` says so until it is back. One that refuses our keys or has no bucket and lets us make none is.
    pub async fn start(config: MediaConfig, data_dir: &Path) -> Result<Media> {
        Media::start_knowing(config, data_dir, false).await
    }

    /// The same where the database is asked first: one that `knows_files` is no reason to make an empty bucket for it.
    pub async fn start_knowing(config: MediaConfig, data_dir: &Path, knows_files: bool) -> Result<Media> {
        let failed = |cause: std::io::Error| Error::internal("preparing the media folder", cause);
        let folder = data_dir.join("media");
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let lock = lock(&folder)?;
        let spool = folder.join("spool");
        spool::clear(&spool).map_err(failed)?;
        let runtime = runtime().map_err(|cause| Error::internal("starting the media threads", cause))?;
        let handle = runtime.handle().clone();
        let (embedded, bucket) = match stores(&config, &folder, &handle) {
            Ok((embedded, bucket)) => (embedded, Arc::new(bucket)),
            Err(error) => {
                // Dropped here, it would wait for its threads, which an async caller must not.
                runtime.shutdown_background();
                return Err(error);
            }
        };
        let running = Mutex::new(Some(Running { runtime, embedded, _lock: lock }));
        let decoding = understanding::decoders(config.decode_at_once);
        let turns = Turns::default();
        let media =
            Media { inner: Arc::new(Inner { config, bucket, spool, turns, decoding, handle, running }) };
        media.open_bucket(knows_files).await?;
        Ok(media)
    }

    async fn open_bucket(&self, knows_files: bool) -> Result<()> {
        let looked = self.try_asking(|bucket| async move {
            match bucket.is_there().await {
                Err(Failure::Missing) if !knows_files => match bucket.make().await {
                    // A store says why it makes no bucket; this is no store.
                    Err(Failure::Missing) => Err(Failure::refused(404, "", "", None)),
                    made => made,
                },
                other => other,
            }
        });
        let looked = tokio::time::timeout(START_PATIENCE, looked).await;
        let failure =
            match looked.unwrap_or_else(|_| Err(Failure::Unreachable("it does not answer".to_owned()))) {
                Ok(()) => return Ok(()),
                Err(Failure::Missing) => return Err(self.bucket_missing()),
                Err(failure) => failure,
            };
        match failure.remedy() {
            Some(remedy) => {
                tracing::error!(%failure, "the media store refuses");
                let Address { endpoint, bucket, .. } = self.inner.bucket.signer().address();
                let detail =
                    format!("the media store {endpoint} cannot be used with the bucket {bucket:?}: {remedy}");
                let mut error = Error::invalid("media_bucket_refused", detail);
                error.cause = Some(Box::new(failure));
                Err(error)
            }
            None => {
                tracing::warn!(%failure, "the media store cannot be used yet; photos will be refused until it can");
                Ok(())
            }
        }
    }

    /// The database knows files, and the bucket they lay in is not there.
    fn bucket_missing(&self) -> Error {
        let Address { endpoint, bucket, .. } = self.inner.bucket.signer().address();
        let store = match self.inner.config.endpoint {
            Some(_) => format!("the media store {endpoint} has no bucket {bucket:?}"),
            None => "there is no bucket in the data folder (media/store)".to_owned(),
        };
        Error::conflict(
            "media_bucket_missing",
            format!(
                "{store}, but the database knows photos that lay in one; no empty one was made. Correct media.endpoint and                  media.bucket (and data_dir), or restore the bucket; if the photos are lost for good, make it yourself"
            ),
        )
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

    /// Whether files can be received and opened at the moment; the error says what is wrong with which store.
    pub async fn healthy(&self) -> Result<()> {
        let asked = self.try_asking(|bucket| async move { bucket.is_there().await });
        let why = match tokio::time::timeout(HEALTH_PATIENCE, asked).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(Failure::Missing)) => "the bucket does not exist: restore or make it".to_owned(),
            Ok(Err(failure)) => failure.remedy().map_or_else(|| failure.to_string(), str::to_owned),
            Err(_) => "it does not answer in time".to_owned(),
        };
        let Address { endpoint, bucket, .. } = self.inner.bucket.signer().address();
        let detail = format!(
            "the media store {endpoint} cannot be used with the bucket {bucket:?}: {why}. Photos wait"
        );
        Err(Error::unavailable("media_store_unavailable", detail).retry_after(COME_BACK))
    }

    /// Opens a file, or a part of it that lies within it, for reading. A whole file is held against its hash on the way;
    /// one that is damaged breaks off before its end.
    pub async fn open(&self, sha256: &MediaHash, range: Option<ByteRange>) -> Result<Opened> {
        let key = sha256.key();
        let got = self.ask(|bucket| async move { bucket.get(&key, range).await }).await?;
        let body = match range {
            None => verified(got.body, sha256.clone()),
            Some(_) => got.body,
        };
        Ok(Opened { body, total: got.total, content_type: got.content_type })
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

fn stores(config: &MediaConfig, folder: &Path, handle: &Handle) -> Result<(Option<Embedded>, Bucket)> {
    let embedded = match config.endpoint {
        None => Some(Embedded::start(folder, handle)?),
        Some(_) => None,
    };
    let bucket = bucket(config, embedded.as_ref())?;
    Ok((embedded, bucket))
}

fn bucket(config: &MediaConfig, embedded: Option<&Embedded>) -> Result<Bucket> {
    let address = |endpoint: String, path_style| Address {
        endpoint,
        region: config.region.clone(),
        bucket: config.bucket.clone(),
        path_style,
    };
    let Some(embedded) = embedded else {
        let endpoint = config.endpoint.clone().unwrap_or_default();
        check_endpoint(&endpoint)?;
        let origin = Origin::of(config, |name| std::env::var(name).ok())?;
        let signer = Signer::new(address(endpoint, config.path_style), origin)?;
        return Ok(Bucket::new(signer, client(config, false)?, encryption(config)?));
    };
    let keys = Credentials {
        access: embedded.keys.access.clone(),
        secret: embedded.keys.secret.clone(),
        token: None,
    };
    let signer = Signer::new(address(format!("http://{}", embedded.address), true), Origin::Fixed(keys))?;
    Ok(Bucket::new(signer, client(config, true)?, None))
}

fn check_endpoint(endpoint: &str) -> Result<()> {
    let is_good = reqwest::Url::parse(endpoint)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none());
    match is_good {
        true => Ok(()),
        false => Err(Error::invalid(
            "media_config",
            format!(
                "media.endpoint must be the address of an S3 service, like https://s3.example.org; it is {endpoint:?}"
            ),
        )),
    }
}

fn encryption(config: &MediaConfig) -> Result<Option<Encryption>> {
    match (config.encryption.as_str(), &config.kms_key) {
        ("", None) => Ok(None),
        ("AES256", None) => Ok(Some(Encryption::Store)),
        ("aws:kms", key) => Ok(Some(Encryption::KeyService(key.clone()))),
        (other, _) => Err(Error::invalid(
            "media_config",
            format!(
                "media.encryption is {other:?}: write AES256, or aws:kms (with media.kms_key, or the bucket's own key), or                  leave both away"
            ),
        )),
    }
}

/// The HTTP client. With `direct` the store is on loopback: no proxy, whatever the environment says.
fn client(config: &MediaConfig, direct: bool) -> Result<reqwest::Client> {
    let wrong = |file: &Path, cause: &dyn std::fmt::Display| {
        Error::invalid("media_config", format!("media.ca_file {} cannot be used: {cause}", file.display()))
    };
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECTING)
        .tcp_nodelay(true)
        // Where a store sends us instead, the signature does not hold: it is a wrong region, and said as that.
        .redirect(reqwest::redirect::Policy::none());
    if direct {
        builder = builder.no_proxy();
    }
    if let Some(file) = config.ca_file.as_deref().filter(|_| !direct) {
        let pem = std::fs::read(file).map_err(|cause| wrong(file, &cause))?;
        let certificates =
            reqwest::Certificate::from_pem_bundle(&pem).map_err(|cause| wrong(file, &cause))?;
        if certificates.is_empty() {
            return Err(wrong(file, &"it holds no certificate in PEM"));
        }
        for certificate in certificates {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(|cause| Error::internal("making the media store's client", cause))
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
