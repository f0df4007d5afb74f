//! A program that is called by webhooks. It keeps the calls, and answers as it is told to: well, with an error, with a
//! redirect, with a flood, or not at all.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manners {
    /// 204.
    Good,
    /// This status.
    Answers(u16),
    /// 302 to there.
    SendsOn(String),
    /// It takes the call and does not answer; when it gets other manners, it drops the line.
    Hangs,
    /// It takes the call and drops the line.
    Drops,
    /// 200 and a body without end.
    Floods,
}

/// A call it was given.
#[derive(Clone, Debug)]
pub struct Call {
    /// Headers, by lower-case name.
    pub headers: HashMap<String, String>,
    /// The body as it came.
    pub body: String,
    /// Whether it was answered well.
    pub taken: bool,
}

impl Call {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a call is JSON")
    }

    /// The header `webhook-id`.
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    /// Whether it is signed with this secret, as the specification says and by means of our own.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("a secret is base64");
        let signed = format!("{}.{}.{}", self.id(), self.headers["webhook-timestamp"], self.body);
        let signature = format!("v1,{}", STANDARD.encode(hmac_sha256(&key, signed.as_bytes())));
        self.headers["webhook-signature"].split(' ').any(|one| one == signature)
    }
}

/// HMAC as RFC 2104 defines it, so that the server's is not checked with itself.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    use sha2::{Digest as _, Sha256};
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let padded = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().to_vec()
}

struct Shared {
    manners: Mutex<Manners>,
    calls: Mutex<Vec<Call>>,
}

/// A running program; it stops when it is dropped.
pub struct Program {
    /// Where it is called.
    pub url: String,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

impl Program {
    /// Starts one that answers well.
    pub async fn start() -> Program {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address: SocketAddr = listener.local_addr().expect("it listens");
        let shared = Arc::new(Shared { manners: Mutex::new(Manners::Good), calls: Mutex::default() });
        let serving = shared.clone();
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = serving.clone();
                tokio::spawn(async move { serve(stream, &shared).await });
            }
        });
        Program { url: format!("http://{address}/hook"), shared, listening }
    }

    /// From now on it answers so.
    pub fn be(&self, manners: Manners) {
        *self.shared.manners.lock().unwrap_or_else(PoisonError::into_inner) = manners;
    }

    /// All calls so far, in order, taken or not.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The calls it took.
    pub fn taken(&self) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.taken).collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) {
    let mut left = Vec::new();
    while let Some((head, body)) = request(&mut stream, &mut left).await {
        let manners = shared.manners.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let headers = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let taken = manners == Manners::Good;
        shared.calls.lock().unwrap_or_else(PoisonError::into_inner).push(Call { headers, body, taken });
        let answer = match manners {
            Manners::Good => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
            Manners::Answers(status) => format!("HTTP/1.1 {status} So\r\ncontent-length: 2\r\n\r\nno"),
            Manners::SendsOn(to) => {
                format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
            }
            Manners::Hangs => {
                while *shared.manners.lock().unwrap_or_else(PoisonError::into_inner) == Manners::Hangs {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                return;
            }
            Manners::Drops => return,
            Manners::Floods => {
                let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                let mut chunk = format!("{:x}\r\n", 64 * 1024).into_bytes();
                chunk.extend(vec![b'x'; 64 * 1024]);
                chunk.extend(b"\r\n");
                if stream.write_all(head.as_bytes()).await.is_err() {
                    return;
                }
                while stream.write_all(&chunk).await.is_ok() {}
                return;
            }
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Reads one request; none: the line is closed.
async fn request(stream: &mut TcpStream, left: &mut Vec<u8>) -> Option<(String, String)> {
    loop {
        if let Some(end) = left.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&left[..end]).into_owned();
            let length: usize = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse().ok())
                .unwrap_or(0);
            if left.len() >= end + 4 + length {
                let body = String::from_utf8_lossy(&left[end + 4..end + 4 + length]).into_owned();
                left.drain(..end + 4 + length);
                return Some((head, body));
            }
        }
        let mut some = [0; 8192];
        match stream.read(&mut some).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => left.extend_from_slice(&some[..count]),
        }
    }
}
