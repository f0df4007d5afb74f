//! A mail server that keeps letters in memory. It can be told to be down, to refuse, to hang, and to take a letter and lose
//! the line before it says so.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

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
        let line = head.lines().find(|line| {
            line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
        })?;
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

struct Shared {
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
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let shared = Arc::new(Shared { temper: Mutex::new(Temper::Good), letters: Mutex::default() });
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
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    let mut to = String::new();
    writing.write_all(b"220 sink\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let command = line.to_ascii_uppercase();
        let answer: &[u8] = if command.starts_with("EHLO") {
            b"250-sink\r\n250 8BITMIME\r\n"
        } else if command.starts_with("RCPT TO:") && temper == Temper::RefusesRecipients {
            b"550 no such person here\r\n"
        } else if command.starts_with("RCPT TO:") {
            to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            b"250 ok\r\n"
        } else if command == "DATA" {
            writing.write_all(b"354 go on\r\n").await?;
            let mut raw = String::new();
            while let Some(line) = lines.next_line().await? {
                if line == "." {
                    break;
                }
                raw.push_str(line.strip_prefix('.').unwrap_or(&line));
                raw.push_str("\r\n");
            }
            let letter = Letter { to: to.clone(), raw };
            shared.letters.lock().unwrap_or_else(PoisonError::into_inner).push(letter);
            if temper == Temper::LosesAnswers {
                return Ok(());
            }
            b"250 taken\r\n"
        } else if command == "QUIT" {
            writing.write_all(b"221 bye\r\n").await?;
            return Ok(());
        } else {
            b"250 ok\r\n"
        };
        writing.write_all(answer).await?;
    }
    Ok(())
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
