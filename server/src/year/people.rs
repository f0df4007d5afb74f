//! People with accounts: they log in when they must, ask and act over HTTP, and keep what they were told. A refusal is an
//! answer like any other and is counted; what is not an answer at all ends the year.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::collector::Chance;
use crate::error::{Error, Result};

/// A token is not used in the last moments of its life.
const MARGIN_SECONDS: i64 = 60;

/// A person at work.
pub(super) struct Person {
    /// The name to log in with.
    pub(super) username: String,
    /// The account's id.
    pub(super) id: String,
    /// The person's code: `INS-004`.
    pub(super) code: String,
    /// The district worked in.
    pub(super) district: String,
    /// What the person's decisions begin with.
    pub(super) chance: Chance,
    /// Refusals, by code.
    pub(super) refused: BTreeMap<String, u64>,
    /// Requests.
    pub(super) requests: u64,
    wire: Wire,
    password: String,
    tokens: Option<Tokens>,
}

struct Tokens {
    access: String,
    refresh: String,
    until: DateTime<Utc>,
}

/// The server, and the time.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) http: Client,
    pub(super) url: String,
    pub(super) clock: Clock,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    /// The body, if what was asked was done.
    pub(super) fn done(self) -> Option<Value> {
        (self.status < 300).then_some(self.body)
    }
}

/// A request.
pub(super) struct Ask {
    method: Method,
    path: String,
    body: Option<(String, Vec<u8>)>,
    if_match: Option<String>,
}

impl Ask {
    pub(super) fn get(path: impl Into<String>) -> Ask {
        Ask { method: Method::GET, path: path.into(), body: None, if_match: None }
    }

    pub(super) fn post(path: impl Into<String>, body: &Value) -> Ask {
        Ask { method: Method::POST, ..Ask::get(path) }.with("application/json", body.to_string().into_bytes())
    }

    pub(super) fn put(path: impl Into<String>, content_type: &str, bytes: Vec<u8>) -> Ask {
        Ask { method: Method::PUT, ..Ask::get(path) }.with(content_type, bytes)
    }

    /// Acting on this version or revision, and no other.
    pub(super) fn on(self, version: impl ToString) -> Ask {
        Ask { if_match: Some(format!("\"{}\"", version.to_string())), ..self }
    }

    fn with(self, content_type: &str, bytes: Vec<u8>) -> Ask {
        Ask { body: Some((content_type.to_owned(), bytes)), ..self }
    }
}

impl Person {
    /// Somebody with an account, who has not logged in.
    pub(super) fn new(wire: &Wire, username: &str, password: &str, district: &str, chance: Chance) -> Person {
        Person {
            username: username.to_owned(),
            id: String::new(),
            code: String::new(),
            district: district.to_owned(),
            chance,
            refused: BTreeMap::new(),
            requests: 0,
            wire: wire.clone(),
            password: password.to_owned(),
            tokens: None,
        }
    }

    /// Asks who one is.
    pub(super) async fn introduce(&mut self) -> Result<()> {
        let me = self.must(Ask::get("/v1/me")).await?;
        (self.id, self.code) = (text(&me, "id"), text(&me, "code"));
        Ok(())
    }

    /// Asks, and has the answer, whatever it is.
    pub(super) async fn ask(&mut self, ask: Ask) -> Result<Answer> {
        let token = self.token().await?;
        let line = format!("{} {}", ask.method, ask.path);
        let answer = self.send(ask, Some(&token)).await?;
        if answer.status >= 500 {
            return Err(Error::internal("playing a year", format!("{line} was answered {}", answer.body)));
        }
        if answer.status >= 400 {
            let code = answer.body.get("code").and_then(Value::as_str).unwrap_or("no_code").to_owned();
            *self.refused.entry(code).or_default() += 1;
        }
        Ok(answer)
    }

    /// Asks for what must not be refused.
    pub(super) async fn must(&mut self, ask: Ask) -> Result<Value> {
        let line = format!("{} {}", ask.method, ask.path);
        let answer = self.ask(ask).await?;
        match answer.status < 300 {
            true => Ok(answer.body),
            false => Err(Error::internal(
                "playing a year",
                format!("{} was refused {line}: {}", self.username, answer.body),
            )),
        }
    }

    /// The items of a list's first page.
    pub(super) async fn list(&mut self, path: impl Into<String>) -> Result<Vec<Value>> {
        let page = self.must(Ask::get(path)).await?;
        Ok(page.get("items").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    /// An access token that is good for a while yet, by the server's clock.
    async fn token(&mut self) -> Result<String> {
        let now = self.wire.clock.now();
        if let Some(tokens) = self.tokens.as_ref().filter(|tokens| now < tokens.until) {
            return Ok(tokens.access.clone());
        }
        let renewed = match self.tokens.take() {
            Some(tokens) => {
                let body = json!({ "refresh_token": tokens.refresh });
                self.send(Ask::post("/v1/auth/refresh", &body), None).await?.done()
            }
            None => None,
        };
        let pair = match renewed {
            Some(pair) => pair,
            None => {
                let body = json!({ "username": self.username, "password": self.password });
                let answer = self.send(Ask::post("/v1/auth/login", &body), None).await?;
                let said = answer.body.to_string();
                answer.done().ok_or_else(|| {
                    Error::unavailable("no_login", format!("{} cannot log in: {said}", self.username))
                })?
            }
        };
        let lasts = pair.get("expires_in").and_then(Value::as_i64).unwrap_or_default();
        let tokens = Tokens {
            access: text(&pair, "access_token"),
            refresh: text(&pair, "refresh_token"),
            until: now + Duration::seconds(lasts - MARGIN_SECONDS),
        };
        let access = tokens.access.clone();
        self.tokens = Some(tokens);
        Ok(access)
    }

    async fn send(&mut self, ask: Ask, token: Option<&str>) -> Result<Answer> {
        let lost = |cause: reqwest::Error| Error::internal("playing a year", cause.without_url());
        let mut request = self.wire.http.request(ask.method, format!("{}{}", self.wire.url, ask.path));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(known) = ask.if_match {
            request = request.header("If-Match", known);
        }
        if let Some((content_type, bytes)) = ask.body {
            request = request.header("Content-Type", content_type).body(bytes);
        }
        self.requests += 1;
        let response = request.send().await.map_err(lost)?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.map_err(lost)?;
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }
}

/// A text member; empty: there is none.
pub(super) fn text(of: &Value, member: &str) -> String {
    of.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// An instant; none: there is none.
pub(super) fn instant(of: &Value, member: &str) -> Option<DateTime<Utc>> {
    of.get(member)?.as_str()?.parse().ok()
}
