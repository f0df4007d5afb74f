//! The phone's side of HTTP: a request out, a whole answer back or none, what it weighed and how long it took. What an
//! answer means is read in `answer.rs`.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method};

use crate::error::{Error, Result};

/// No answer unpacks to more than this.
const LARGEST_ANSWER: u64 = 64 * 1024 * 1024;

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
    /// Whether the answer is worth something though it broke off: a batch is answered line by line.
    pub(super) part_will_do: bool,
}

impl Ask {
    pub(super) fn new(method: Method, path: impl Into<String>) -> Ask {
        Ask { method, path: path.into(), headers: Vec::new(), body: Bytes::new(), part_will_do: false }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Ask {
        self.headers.push((name, value.into()));
        self
    }

    /// The answer may come packed: on a slow link it is the longer half.
    pub(super) fn answer_packed(self) -> Ask {
        self.header("accept-encoding", "zstd")
    }

    pub(super) fn body(self, content_type: &str, body: impl Into<Bytes>) -> Ask {
        Ask { body: body.into(), ..self }.header("content-type", content_type)
    }

    pub(super) fn json(self, body: &serde_json::Value) -> Ask {
        self.body("application/json", body.to_string())
    }

    /// The same as `body`, packed: what a slow link carries should be small.
    pub(super) fn packed(self, content_type: &str, body: &[u8]) -> Ask {
        match zstd::bulk::compress(body, 9) {
            Ok(packed) if packed.len() < body.len() => {
                self.body(content_type, packed).header("content-encoding", "zstd")
            }
            _ => self.body(content_type, body.to_vec()),
        }
    }

    /// Bytes on the wire, headers included, nearly.
    fn weight(&self) -> u64 {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        (self.method.as_str().len() + self.path.len() + 60 + headers + self.body.len()) as u64
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    headers: HeaderMap,
    pub(super) body: Bytes,
    /// False: it broke off, for a request that is content with a part.
    pub(super) whole: bool,
    pub(super) took: Duration,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A header that is a number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.header(name)?.trim().parse().ok()
    }
}

/// No whole answer came. Whether the server did what was asked, nobody knows.
#[derive(Clone, Debug)]
pub(super) struct NoAnswer(pub(super) String);

/// A phone's connections to one server.
#[derive(Clone)]
pub(super) struct Wire {
    client: Client,
    url: String,
    sent: Arc<AtomicU64>,
    asked: Arc<AtomicU64>,
}

impl Wire {
    /// To the server at `url`, giving up on making a connection after `patience`.
    pub(super) fn to(url: &str, patience: Duration) -> Result<Wire> {
        let client = Client::builder()
            .connect_timeout(patience)
            .tcp_nodelay(true)
            .pool_max_idle_per_host(1)
            // A sign-in page of somebody's network is no answer of ours.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|cause| Error::internal("preparing to connect", cause))?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Wire { client, url, sent: Arc::default(), asked: Arc::default() })
    }

    /// Bytes given to the network so far, and requests.
    pub(super) fn sent(&self) -> (u64, u64) {
        (self.sent.load(Ordering::Relaxed), self.asked.load(Ordering::Relaxed))
    }

    /// Sends a request and waits for its whole answer, no longer than `deadline`.
    pub(super) async fn send(&self, ask: Ask, deadline: Duration) -> Result<Reply, NoAnswer> {
        self.sent.fetch_add(ask.weight(), Ordering::Relaxed);
        self.asked.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        match tokio::time::timeout(deadline, self.exchange(ask, began)).await {
            Ok(reply) => reply,
            Err(_) => Err(NoAnswer(format!("no answer within {} s", deadline.as_secs()))),
        }
    }

    async fn exchange(&self, ask: Ask, began: Instant) -> Result<Reply, NoAnswer> {
        let lost = |cause: reqwest::Error| NoAnswer(cause.without_url().to_string());
        let part_will_do = ask.part_will_do;
        let mut request = self.client.request(ask.method, format!("{}{}", self.url, ask.path));
        for (name, value) in ask.headers {
            request = request.header(HeaderName::from_static(name), header_value(value)?);
        }
        let mut response = request.body(ask.body).send().await.map_err(lost)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = BytesMut::new();
        let whole = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break true,
                Err(_) if part_will_do => break false,
                Err(cause) => return Err(lost(cause)),
            }
        };
        let body = unpacked(&headers, body.freeze(), whole)?;
        Ok(Reply { status, headers, body, whole, took: began.elapsed() })
    }
}

fn header_value(text: String) -> Result<HeaderValue, NoAnswer> {
    HeaderValue::from_str(&text).map_err(|_| NoAnswer("a header that cannot be sent".to_owned()))
}

/// The body as it was before it was packed; of one that broke off, as much as can be had.
fn unpacked(headers: &HeaderMap, body: Bytes, whole: bool) -> Result<Bytes, NoAnswer> {
    if headers.get("content-encoding").is_none_or(|coding| coding != "zstd") {
        return Ok(body);
    }
    let damaged = |cause: std::io::Error| NoAnswer(format!("the answer cannot be unpacked: {cause}"));
    let mut text = Vec::new();
    let unpacking = zstd::stream::read::Decoder::new(body.as_ref()).map_err(damaged)?;
    match unpacking.take(LARGEST_ANSWER).read_to_end(&mut text) {
        Err(cause) if whole => Err(damaged(cause)),
        _ => Ok(text.into()),
    }
}
