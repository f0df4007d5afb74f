//! A mail server that keeps letters in memory. It can be told to be down, to refuse, to hang, and to take a letter and lose
//! the line before it says so.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temper {
    /// It takes what it is given.
    Good,
    /// It closes every connection at once.
    Down,
    /// It takes connections and says nothing; when it gets another temper, it closes them.
    Silent,
    /// It answers every recipient with 550.
    RefusesRecipients,
    /// It takes a letter, and the line breaks before it says so.
    LosesAnswers,
}

/// A letter it has taken.
#[derive(Clone, Debug)]
pub struct Letter {
    /// To whom.
    pub to: String,
    /// As it came.
    pub raw: String,
}

impl Letter {
    /// A header, unfolded and decoded.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.raw.split("\r\n\r\n").next()?.replace("\r\n ", " ").replace("\r\n\t", " ");
        let line = head
            .lines()
            .find(|line| line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name)))?;
        Some(decoded_words(line.split_once(':')?.1.trim()))
    }

    /// The text, decoded.
    pub fn text(&self) -> String {
        let body = self.raw.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        match self.header("Content-Transfer-Encoding").unwrap_or_default().to_lowercase().as_str() {
            "base64" => {
                let packed: String = body.split_whitespace().collect();
                String::from_utf8(STANDARD.decode(packed).expect("base64")).expect("UTF-8")
            }
            "quoted-printable" => quoted_printable(body),
            _ => body.to_owned(),
        }
    }
}

/// When the line is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secured {
    /// When the other side asks for it: STARTTLS. Nothing is taken before.
    OnRequest,
    /// From the first byte.
    FromTheFirstByte,
}

struct Shared {
    tls: Option<(TlsAcceptor, Secured)>,
    temper: Mutex<Temper>,
    letters: Mutex<Vec<Letter>>,
}

/// A running mail server; it stops when it is dropped.
pub struct MailServer {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

impl MailServer {
    /// Starts one that behaves well.
    pub async fn start() -> MailServer {
        MailServer::listen(None).await
    }

    /// Starts one that takes letters over TLS only; with the certificate, in PEM, it calls itself `localhost` by.
    pub async fn secured(when: Secured) -> (MailServer, String) {
        let made =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate can be made");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = tokio_rustls::rustls::crypto::ring::default_provider();
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .expect("TLS can be spoken")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("the key fits the certificate");
        let server = MailServer::listen(Some((TlsAcceptor::from(Arc::new(config)), when))).await;
        (server, made.cert.pem())
    }

    async fn listen(tls: Option<(TlsAcceptor, Secured)>) -> MailServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let shared = Arc::new(Shared { tls, temper: Mutex::new(Temper::Good), letters: Mutex::default() });
        let serving = shared.clone();
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = serving.clone();
                tokio::spawn(async move { drop(serve(stream, &shared).await) });
            }
        });
        MailServer { address, shared, listening }
    }

    /// From now on it behaves so.
    pub fn be(&self, temper: Temper) {
        *self.shared.temper.lock().unwrap_or_else(PoisonError::into_inner) = temper;
    }

    /// What it has taken so far, in order.
    pub fn letters(&self) -> Vec<Letter> {
        self.shared.letters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it has taken for one address.
    pub fn letters_to(&self, address: &str) -> Vec<Letter> {
        self.letters().into_iter().filter(|letter| letter.to == address).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let temper = *shared.temper.lock().unwrap_or_else(PoisonError::into_inner);
    match temper {
        Temper::Down => return Ok(()),
        Temper::Silent => {
            while *shared.temper.lock().unwrap_or_else(PoisonError::into_inner) == Temper::Silent {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            return Ok(());
        }
        Temper::Good | Temper::RefusesRecipients | Temper::LosesAnswers => {}
    }
    let Some((tls, when)) = &shared.tls else {
        return talk(stream, shared, temper, Greeting::Plain).await.map(drop);
    };
    let stream = match when {
        Secured::FromTheFirstByte => stream,
        Secured::OnRequest => match talk(stream, shared, temper, Greeting::OffersTls).await? {
            Some(stream) => stream,
            None => return Ok(()),
        },
    };
    let greeting = if *when == Secured::OnRequest { Greeting::None } else { Greeting::Plain };
    talk(tls.accept(stream).await?, shared, temper, greeting).await.map(drop)
}

/// How a conversation begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Greeting {
    Plain,
    OffersTls,
    /// It was said before the line was secured.
    None,
}

/// Takes letters until the other side has no more; gives the stream back when it is to be secured.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    shared: &Shared,
    temper: Temper,
    greeting: Greeting,
) -> std::io::Result<Option<S>> {
    let mut stream = BufStream::new(stream);
    if greeting != Greeting::None {
        say(&mut stream, "220 sink\r\n").await?;
    }
    let mut to = String::new();
    while let Some(line) = line(&mut stream).await? {
        let command = line.to_ascii_uppercase();
        let answer = if command.starts_with("EHLO") && greeting == Greeting::OffersTls {
            "250-sink\r\n250-8BITMIME\r\n250 STARTTLS\r\n"
        } else if command.starts_with("EHLO") {
            "250-sink\r\n250 8BITMIME\r\n"
        } else if command == "STARTTLS" && greeting == Greeting::OffersTls {
            say(&mut stream, "220 go on\r\n").await?;
            return Ok(Some(stream.into_inner()));
        } else if command.starts_with("MAIL FROM:") && greeting == Greeting::OffersTls {
            "530 only over TLS\r\n"
        } else if command.starts_with("RCPT TO:") && temper == Temper::RefusesRecipients {
            "550 no such person here\r\n"
        } else if command.starts_with("RCPT TO:") {
            to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            "250 ok\r\n"
        } else if command == "DATA" {
            say(&mut stream, "354 go on\r\n").await?;
            let raw = letter(&mut stream).await?;
            shared
                .letters
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Letter { to: to.clone(), raw });
            if temper == Temper::LosesAnswers {
                return Ok(None);
            }
            "250 taken\r\n"
        } else if command == "QUIT" {
            say(&mut stream, "221 bye\r\n").await?;
            return Ok(None);
        } else {
            "250 ok\r\n"
        };
        say(&mut stream, answer).await?;
    }
    Ok(None)
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
    text: &str,
) -> std::io::Result<()> {
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}

/// The next line; none: there is none.
async fn line<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufStream<S>,
) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    match stream.read_line(&mut line).await? {
        0 => Ok(None),
        _ => Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned())),
    }
}

/// A letter up to the dot.
async fn letter<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>) -> std::io::Result<String> {
    let mut raw = String::new();
    while let Some(line) = line(stream).await? {
        if line == "." {
            break;
        }
        raw.push_str(line.strip_prefix('.').unwrap_or(&line));
        raw.push_str("\r\n");
    }
    Ok(raw)
}

/// RFC 2047: `=?utf-8?b?…?=` and `=?utf-8?q?…?=`.
fn decoded_words(text: &str) -> String {
    let mut out = String::new();
    for (n, word) in text.split(' ').enumerate() {
        let parts: Vec<&str> = word.split('?').collect();
        match parts.as_slice() {
            ["=", _, how, packed, "="] if how.eq_ignore_ascii_case("b") => {
                let bytes = STANDARD.decode(packed).expect("base64 in a header");
                out.push_str(&String::from_utf8(bytes).expect("UTF-8 in a header"));
            }
            ["=", _, how, packed, "="] if how.eq_ignore_ascii_case("q") => {
                out.push_str(&quoted_printable(&packed.replace('_', " ")));
            }
            _ => {
                if n > 0 {
                    out.push(' ');
                }
                out.push_str(word);
            }
        }
    }
    out
}

fn quoted_printable(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'=').then(|| after.get(..2)).flatten();
        match code.and_then(|code| hex::decode(code).ok()) {
            Some(byte) => {
                bytes.extend(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).expect("UTF-8 in a letter")
}
