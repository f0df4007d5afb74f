//! The bucket. Requests are signed in their URL (`signer.rs`) and made by an HTTP client of our own, which streams what it
//! sends and reads. A file's SHA-256, which we have anyway, travels signed as `x-amz-checksum-sha256`, so the store refuses
//! content that was damaged on the way; what comes back is held against it by those who read (`verified.rs`).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RANGE, RETRY_AFTER,
};
use reqwest::{Body, Response, StatusCode};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

pub(super) use super::failure::Failure;
use super::failure::element;
use super::joined::Joined;
use super::range::ByteRange;
use super::signer::Signer;

/// How often a request is made before its failure is believed.
const ATTEMPTS: u32 = 4;
/// The wait before the second attempt at most; three times as long before each further one.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest wait between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// After this long no further attempt is begun: whoever waits is better told to come back.
const ENOUGH: Duration = Duration::from_secs(25);
/// How long the store may take to begin its answer, or to send the next piece of it.
const PATIENCE: Duration = Duration::from_secs(20);
/// The slowest upload that is waited for, in bytes a second.
const CRAWL: u64 = 64 * 1024;
/// Bytes read from a spooled file at a time.
const PIECE: usize = 128 * 1024;

type Result<T, E = Failure> = std::result::Result<T, E>;

/// How the store is asked to encrypt what it keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// With keys of its own (SSE-S3).
    Store,
    /// With a key of its key service (SSE-KMS); none: the bucket's own.
    KeyService(Option<String>),
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
    signer: Signer,
    http: reqwest::Client,
    encryption: Option<Encryption>,
}

impl Bucket {
    pub(super) fn new(signer: Signer, http: reqwest::Client, encryption: Option<Encryption>) -> Bucket {
        Bucket { signer, http, encryption }
    }

    pub(super) fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Checks that the bucket is there and open to us.
    pub(super) async fn is_there(&self) -> Result<()> {
        timed("look", self.again(|| self.page("", 1))).await.map(drop)
    }

    /// Makes the bucket.
    pub(super) async fn make(&self) -> Result<()> {
        let url = self.signer.put("/", None).await?;
        let location = match self.signer.address().region.as_str() {
            // Amazon and others refuse it as a location.
            "us-east-1" | "" => String::new(),
            region => format!(
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
            ),
        };
        let request = self.http.put(url).header(CONTENT_LENGTH, location.len()).body(location);
        match answer(request, PATIENCE).await {
            // Another process of ours was quicker.
            Err(Failure::Refused { status: 409, code, .. }) if code == "BucketAlreadyOwnedByYou" => Ok(()),
            made => made.map(drop),
        }
    }

    /// Puts an object; when this returns, the store has it. A key never has two contents, so putting twice is harmless.
    pub(super) async fn put(self: &Arc<Self>, put: &Put<'_>, content: &Content) -> Result<()> {
        timed("put", self.again(|| self.put_once(put, content))).await
    }

    async fn put_once(self: &Arc<Self>, put: &Put<'_>, content: &Content) -> Result<()> {
        let headers = self.headers(put)?;
        let url = self.signer.put(put.key, Some(headers.clone())).await?;
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
            Err(_) if content.is_spoilt() => {
                Err(Failure::refused(422, "", "the content is not what was said of it", None))
            }
            // An object that is put cannot be missing: the bucket is.
            Err(Failure::Missing) => {
                Err(Failure::refused(404, "NoSuchBucket", "there is no such bucket", None))
            }
            done => done.map(drop),
        }
    }

    fn headers(&self, put: &Put<'_>) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(put.content_type));
        if let Some(sha256) = put.sha256 {
            headers.insert("x-amz-checksum-sha256", header_value(&BASE64.encode(sha256))?);
        }
        const ENCRYPTION: HeaderName = HeaderName::from_static("x-amz-server-side-encryption");
        match &self.encryption {
            None => {}
            Some(Encryption::Store) => drop(headers.insert(ENCRYPTION, HeaderValue::from_static("AES256"))),
            Some(Encryption::KeyService(key)) => {
                headers.insert(ENCRYPTION, HeaderValue::from_static("aws:kms"));
                if let Some(key) = key {
                    headers.insert("x-amz-server-side-encryption-aws-kms-key-id", header_value(key)?);
                }
            }
        }
        Ok(headers)
    }

    /// Opens an object, or a part of it, for reading.
    pub(super) async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Got> {
        timed("get", self.again(|| self.get_once(key, range))).await
    }

    async fn get_once(&self, key: &str, range: Option<ByteRange>) -> Result<Got> {
        let url = self.signer.get(key, &[]).await?;
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
        // A signed URL is for one method; its first byte is as cheap as its head.
        match self.get(key, Some(ByteRange { first: 0, last: 0 })).await {
            Ok(got) => Ok(Some(got.total)),
            Err(Failure::Missing) => Ok(None),
            // An empty object has no first byte.
            Err(Failure::Refused { status: 416, .. }) => Ok(Some(0)),
            Err(other) => Err(other),
        }
    }

    /// Removes an object; there being none is no failure.
    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        let removed = self.again(|| async {
            let url = self.signer.delete(key).await?;
            answer(self.http.delete(url), PATIENCE).await.map(drop)
        });
        match timed("delete", removed).await {
            Err(Failure::Missing) => Ok(()),
            other => other,
        }
    }

    /// Keys that begin with `prefix`, at most a thousand. No key of ours has a character XML would write otherwise.
    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let page = timed("list", self.again(|| self.page(prefix, 1000))).await?;
        let contents = page.split("<Contents>").skip(1);
        Ok(contents.filter_map(|object| element(object, "Key")).map(str::to_owned).collect())
    }

    async fn page(&self, prefix: &str, most: u32) -> Result<String> {
        let most = most.to_string();
        let query = [("list-type", "2"), ("max-keys", most.as_str()), ("prefix", prefix)];
        let url = self.signer.get("/", &query[..if prefix.is_empty() { 2 } else { 3 }]).await?;
        let response = answer(self.http.get(url), PATIENCE).await?;
        let text = tokio::time::timeout(PATIENCE, response.text()).await;
        let page =
            text.map_err(|_| Failure::Unreachable("the list did not come to its end".to_owned()))??;
        match page.contains("<ListBucketResult") {
            true => Ok(page),
            false => Err(Failure::refused(400, "", &page, None)),
        }
    }

    /// Makes a request until it succeeds, fails for good, or was made often enough. Credentials that are refused are read
    /// again, once.
    async fn again<T, F: Future<Output = Result<T>>>(&self, request: impl Fn() -> F) -> Result<T> {
        let (began, mut attempt, mut renewed) = (Instant::now(), 1, false);
        loop {
            match request().await {
                Err(failure) if !renewed && failure.is_about_credentials() && self.signer.renew() => {
                    renewed = true;
                }
                Err(failure) if failure.may_pass() && attempt < ATTEMPTS && began.elapsed() < ENOUGH => {
                    metrics::counter!("nigran_media_store_retries_total").increment(1);
                    tracing::warn!(%failure, attempt, "the media store failed; trying again");
                    tokio::time::sleep(pause(attempt, failure.wait())).await;
                    attempt += 1;
                }
                done => return done,
            }
        }
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

/// How long to wait before the next attempt: longer each time, and by chance, so that those who failed together do not
/// come back together; not before the store asked for.
fn pause(attempt: u32, asked: Option<Duration>) -> Duration {
    let most = (PAUSE * 3u32.saturating_pow(attempt - 1)).min(LONGEST_PAUSE).as_millis() as u64;
    let by_chance = Uuid::new_v4().as_u64_pair().1 % (most / 2).max(1);
    Duration::from_millis(most / 2 + by_chance).max(asked.unwrap_or_default().min(LONGEST_PAUSE))
}

/// Sends a request and waits for the head of a good answer.
async fn answer(request: reqwest::RequestBuilder, patience: Duration) -> Result<Response> {
    let waited = tokio::time::timeout(patience, request.send()).await;
    let response = waited.map_err(|_| Failure::Unreachable("it took too long to answer".to_owned()))??;
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status().as_u16();
    let wait =
        header(&response, RETRY_AFTER.as_str()).and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let text = tokio::time::timeout(PATIENCE, response.text()).await;
    Err(Failure::of(status, &text.ok().and_then(Result::ok).unwrap_or_default(), wait))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_differ() {
        for _ in 0..50 {
            let (first, third) = (pause(1, None), pause(3, None));
            assert!((100..200).contains(&first.as_millis()), "{first:?}");
            assert!((900..1800).contains(&third.as_millis()), "{third:?}");
        }
        assert_eq!(pause(1, Some(Duration::from_secs(2))), Duration::from_secs(2));
        assert_eq!(pause(1, Some(Duration::from_secs(3600))), LONGEST_PAUSE);
    }
}
