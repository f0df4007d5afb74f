//! The bucket, through `rust-s3`; the one file that knows that crate.
//!
//! For content it is asked for signed URLs (SigV4) only, and its HTTP client moves the bytes: its own `put_object`
//! holds the whole body in memory, copies it, and hashes it three times over. The file's SHA-256, which we have
//! anyway, travels signed as `x-amz-checksum-sha256`, so the store refuses content that was damaged on the way.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderValue, RANGE};
use reqwest::{Body, Response, StatusCode};
use s3::creds::Credentials;
use s3::error::S3Error;
use s3::region::Region;
use tokio_util::io::ReaderStream;

use super::joined::Joined;
use super::range::ByteRange;

/// How often a request is made before its failure is believed.
const ATTEMPTS: u32 = 3;
/// The wait before the second attempt; four times as long before each further one.
const PAUSE: Duration = Duration::from_millis(150);
/// How long the store may take to begin its answer, or to send the next piece of it.
const PATIENCE: Duration = Duration::from_secs(20);
/// The slowest upload that is waited for, in bytes a second.
const CRAWL: u64 = 64 * 1024;
/// How long a signature holds.
const SIGNED_SECONDS: u32 = 900;
/// Bytes read from a spooled file at a time.
const PIECE: usize = 128 * 1024;

/// Why the bucket did not do as asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// There is no such object, or no such bucket.
    #[error("not found")]
    Missing,
    /// The store answered, and said no.
    #[error("the store answered {status}: {answer}")]
    Refused { status: u16, answer: String },
    /// No usable answer.
    #[error("the store cannot be reached: {0}")]
    Unreachable(String),
}

impl Failure {
    /// Whether trying again may help.
    fn may_pass(&self) -> bool {
        match self {
            Failure::Missing => false,
            Failure::Refused { status, .. } => *status >= 500 || matches!(*status, 408 | 429),
            Failure::Unreachable(_) => true,
        }
    }

    fn of(status: u16, answer: String) -> Failure {
        match status {
            404 => Failure::Missing,
            _ => Failure::Refused { status, answer: answer.chars().take(300).collect() },
        }
    }
}

impl From<S3Error> for Failure {
    fn from(error: S3Error) -> Failure {
        match error {
            S3Error::HttpFailWithBody(status, answer) => Failure::of(status, answer),
            other => Failure::Unreachable(other.to_string()),
        }
    }
}

impl From<reqwest::Error> for Failure {
    // Without the URL, which carries a signature.
    fn from(error: reqwest::Error) -> Failure {
        let error = error.without_url();
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        Failure::Unreachable(causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}")))
    }
}

type Result<T, E = Failure> = std::result::Result<T, E>;

/// Where the bucket is and how to get in.
pub(super) struct Address<'a> {
    pub(super) endpoint: &'a str,
    pub(super) region: &'a str,
    pub(super) bucket: &'a str,
    pub(super) access_key: &'a str,
    pub(super) secret_key: &'a str,
    pub(super) path_style: bool,
    /// The store is on loopback: no proxy, whatever the environment says.
    pub(super) direct: bool,
}

/// Content to put.
#[derive(Clone)]
pub(super) enum Content {
    /// In memory: small files only.
    Bytes(Bytes),
    /// In a file, read as it is sent.
    File(PathBuf),
    /// In other objects of the bucket, read as it is sent.
    Joined(Arc<Joined>),
}

impl Content {
    fn is_spoilt(&self) -> bool {
        matches!(self, Content::Joined(joined) if joined.fault().is_some())
    }
}

/// What is said of an object when it is put.
pub(super) struct Put<'a> {
    pub(super) key: &'a str,
    pub(super) size: u64,
    /// Its SHA-256, where it is known beforehand.
    pub(super) sha256: Option<&'a [u8]>,
    pub(super) content_type: &'static str,
}

/// An object being read.
pub(super) struct Got {
    pub(super) body: BoxStream<'static, std::io::Result<Bytes>>,
    /// Size of the whole object.
    pub(super) total: u64,
    pub(super) content_type: String,
}

/// A bucket.
pub(super) struct Bucket {
    s3: Box<s3::Bucket>,
    http: reqwest::Client,
    region: String,
}

impl Bucket {
    pub(super) fn at(address: &Address<'_>) -> Result<Bucket, S3Error> {
        let region = Region::Custom {
            region: address.region.to_owned(),
            endpoint: address.endpoint.trim_end_matches('/').to_owned(),
        };
        let credentials =
            Credentials::new(Some(address.access_key), Some(address.secret_key), None, None, None)?;
        let mut bucket = s3::Bucket::new(address.bucket, region, credentials)?;
        if address.direct {
            *bucket = bucket.set_proxy(reqwest::Proxy::custom(|_| None::<reqwest::Url>))?;
        }
        if address.path_style {
            bucket.set_path_style();
        }
        bucket.set_request_timeout(Some(PATIENCE));
        Ok(Bucket { http: bucket.http_client(), s3: bucket, region: address.region.to_owned() })
    }

    /// The crate's own bucket, for tests that speak S3 to the embedded store directly.
    #[cfg(test)]
    pub(super) fn raw(&self) -> &s3::Bucket {
        &self.s3
    }

    /// Checks that the bucket is there and open to us; makes it if it is missing.
    pub(super) async fn ensure(&self) -> Result<()> {
        match self.head_once("/").await {
            Ok(_) => Ok(()),
            Err(Failure::Missing) => self.make().await,
            Err(other) => Err(other),
        }
    }

    /// CreateBucket by a signed URL: `rust-s3`'s own names `us-east-1` as location, which Amazon and moto refuse.
    async fn make(&self) -> Result<()> {
        let url = self.s3.presign_put("/", SIGNED_SECONDS, None, None).await?;
        let location = match self.region.as_str() {
            "us-east-1" | "" => String::new(),
            region => format!(
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
            ),
        };
        let request = self.http.put(url).header(CONTENT_LENGTH, location.len()).body(location);
        match answer(request, PATIENCE).await {
            // Another process of ours was quicker.
            Err(Failure::Refused { status: 409, answer }) if answer.contains("BucketAlreadyOwnedByYou") => {
                Ok(())
            }
            made => made.map(drop),
        }
    }

    /// Puts an object; when this returns, the store has it. A key never has two contents, so putting twice is harmless.
    pub(super) async fn put(self: &Arc<Self>, put: &Put<'_>, content: &Content) -> Result<()> {
        timed("put", again(|| self.put_once(put, content))).await
    }

    async fn put_once(self: &Arc<Self>, put: &Put<'_>, content: &Content) -> Result<()> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(put.content_type));
        if let Some(sha256) = put.sha256 {
            headers.insert("x-amz-checksum-sha256", header_value(&BASE64.encode(sha256))?);
        }
        let url = self.s3.presign_put(put.key, SIGNED_SECONDS, Some(headers.clone()), None).await?;
        let body = match content {
            Content::Bytes(bytes) => Body::from(bytes.clone()),
            Content::File(path) => {
                let file = tokio::fs::File::open(path)
                    .await
                    .map_err(|cause| Failure::Unreachable(cause.to_string()))?;
                Body::wrap_stream(ReaderStream::with_capacity(file, PIECE))
            }
            Content::Joined(joined) => Body::wrap_stream(joined.read(self)),
        };
        // A length of its own, for a stream has none and S3 takes no chunked bodies.
        let request = self.http.put(url).headers(headers).header(CONTENT_LENGTH, put.size).body(body);
        match answer(request, PATIENCE + Duration::from_secs(put.size / CRAWL)).await {
            // Sent again, it would be spoilt again.
            Err(_) if content.is_spoilt() => Err(Failure::Refused {
                status: 422,
                answer: "the content is not what was said of it".to_owned(),
            }),
            // An object that is put cannot be missing: the bucket is. A health check makes it again.
            Err(Failure::Missing) => {
                Err(Failure::Refused { status: 404, answer: "there is no such bucket".to_owned() })
            }
            done => done.map(drop),
        }
    }

    /// Opens an object, or a part of it, for reading.
    pub(super) async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Got> {
        timed("get", again(|| self.get_once(key, range))).await
    }

    async fn get_once(&self, key: &str, range: Option<ByteRange>) -> Result<Got> {
        let url = self.s3.presign_get(key, SIGNED_SECONDS, None).await?;
        let mut request = self.http.get(url);
        if let Some(ByteRange { first, last }) = range {
            request = request.header(RANGE, format!("bytes={first}-{last}"));
        }
        let response = answer(request, PATIENCE).await?;
        let total = match range {
            None => header(&response, CONTENT_LENGTH.as_str()).and_then(|length| length.parse().ok()),
            Some(_) => header(&response, CONTENT_RANGE.as_str())
                .and_then(total_of)
                .filter(|_| response.status() == StatusCode::PARTIAL_CONTENT),
        };
        let total = total.ok_or_else(|| {
            Failure::Unreachable("the store does not say how long the object is".to_owned())
        })?;
        let content_type =
            header(&response, CONTENT_TYPE.as_str()).unwrap_or("application/octet-stream").to_owned();
        Ok(Got { body: patient(response), total, content_type })
    }

    /// The size of an object; none: there is none.
    pub(super) async fn head(&self, key: &str) -> Result<Option<u64>> {
        match timed("head", again(|| self.head_once(key))).await {
            Ok(size) => Ok(Some(size)),
            Err(Failure::Missing) => Ok(None),
            Err(other) => Err(other),
        }
    }

    async fn head_once(&self, key: &str) -> Result<u64> {
        let (head, _) = self.s3.head_object(key).await?;
        Ok(head.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default())
    }

    /// Removes an object; there being none is no failure.
    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        let removed = again(|| async { Ok(self.s3.delete_object(key).await.map(drop)?) });
        match timed("delete", removed).await {
            Err(Failure::Missing) => Ok(()),
            other => other,
        }
    }
}

impl Bucket {
    /// Keys that begin with `prefix`, at most a thousand.
    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let listed = again(|| async {
            let (page, _) = self.s3.list_page(prefix.to_owned(), None, None, None, None).await?;
            Ok(page.contents.into_iter().map(|object| object.key).collect())
        });
        timed("list", listed).await
    }
}

/// Measures how long the store takes for a deed, further attempts included.
async fn timed<T>(deed: &'static str, request: impl Future<Output = Result<T>>) -> Result<T> {
    let began = Instant::now();
    let done = request.await;
    let outcome = match &done {
        Ok(_) => "done",
        Err(Failure::Missing) => "missing",
        Err(_) => "failed",
    };
    metrics::histogram!("nigran_media_store_seconds", "deed" => deed, "outcome" => outcome)
        .record(began.elapsed().as_secs_f64());
    done
}

/// Makes a request until it succeeds, fails for good, or was made often enough.
async fn again<T, F: Future<Output = Result<T>>>(request: impl Fn() -> F) -> Result<T> {
    let mut attempt = 1;
    loop {
        match request().await {
            Err(failure) if failure.may_pass() && attempt < ATTEMPTS => {
                tracing::warn!(%failure, attempt, "the media store failed; trying again");
                tokio::time::sleep(PAUSE * 4u32.pow(attempt - 1)).await;
                attempt += 1;
            }
            done => return done,
        }
    }
}

/// Sends a request and waits for the head of a good answer.
async fn answer(request: reqwest::RequestBuilder, patience: Duration) -> Result<Response> {
    let waited = tokio::time::timeout(patience, request.send()).await;
    let response = waited.map_err(|_| Failure::Unreachable("it took too long to answer".to_owned()))??;
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status().as_u16();
    let text = tokio::time::timeout(PATIENCE, response.text()).await;
    Err(Failure::of(status, text.ok().and_then(Result::ok).unwrap_or_default()))
}

/// The body of a response, given up when the store falls silent.
fn patient(response: Response) -> BoxStream<'static, std::io::Result<Bytes>> {
    let pieces = response.bytes_stream().map_err(|error| std::io::Error::other(error.without_url())).boxed();
    futures_util::stream::try_unfold(pieces, |mut pieces| async {
        match tokio::time::timeout(PATIENCE, pieces.next()).await {
            Ok(Some(piece)) => piece.map(|piece| Some((piece, pieces))),
            Ok(None) => Ok(None),
            Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
        }
    })
    .boxed()
}

fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

fn total_of(content_range: &str) -> Option<u64> {
    content_range.rsplit_once('/')?.1.parse().ok()
}

fn header_value(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(|cause| Failure::Unreachable(cause.to_string()))
}
