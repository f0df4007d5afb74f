//! Staying logged in. The access token's life is counted on a clock that nobody sets; the refresh token is written down
//! before the one before it is forgotten. A refresh whose answer was lost spends the token all the same, and using it
//! again closes the session: then the phone logs in anew, which on a real phone means asking for the password.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{Hindrance, Said};
use super::queue::Queue;
use super::wire::{Ask, Wire};
use crate::error::Result;

/// A token is not used in the last moments of its life: the request may be long under way.
const MARGIN: Duration = Duration::from_secs(60);
const FILE: &str = "session.json";

/// Whose phone it is.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The name to log in with.
    pub username: String,
    /// The password.
    pub password: String,
    /// The phone's own id, made once at installation.
    pub device: String,
    /// The app and its version.
    pub app: String,
}

/// What is written down of a session.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Kept {
    refresh_token: Option<String>,
}

/// A session with the server.
pub(super) struct Session {
    owner: Owner,
    kept: Kept,
    access: Option<(String, Instant)>,
    /// How often the password was needed.
    pub(super) logins: u32,
}

impl Session {
    /// The session the phone had, if it had one.
    pub(super) fn open(owner: Owner, queue: &Queue) -> Result<Session> {
        let kept = queue.read(FILE)?.unwrap_or_default();
        Ok(Session { owner, kept, access: None, logins: 0 })
    }

    pub(super) fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The access token did not serve.
    pub(super) fn spoilt(&mut self) {
        self.access = None;
    }

    /// An access token that is good for a while yet.
    pub(super) async fn token(
        &mut self,
        queue: &Queue,
        wire: &Wire,
        deadline: Duration,
    ) -> Result<String, Hindrance> {
        if let Some((token, until)) = &self.access
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let renewed = match self.kept.refresh_token.clone() {
            None => None,
            Some(token) => self.refresh(token, wire, deadline).await?,
        };
        let pair = match renewed {
            Some(pair) => pair,
            None => self.login(wire, deadline).await?,
        };
        self.take(queue, &pair)
    }

    /// None: the token is worth nothing any more.
    async fn refresh(
        &self,
        token: String,
        wire: &Wire,
        deadline: Duration,
    ) -> Result<Option<Value>, Hindrance> {
        let ask = Ask::new(Method::POST, "/v1/auth/refresh").json(&json!({ "refresh_token": token }));
        match wire.send(ask, deadline).await?.said() {
            Ok(Said::Yes(_, pair)) => Ok(Some(pair)),
            Ok(Said::No(problem)) => Err(Hindrance::NeedsLogin(problem)),
            Err(Hindrance::NeedsLogin(problem)) if problem.status == 401 => Ok(None),
            Err(other) => Err(other),
        }
    }

    async fn login(&mut self, wire: &Wire, deadline: Duration) -> Result<Value, Hindrance> {
        let owner = &self.owner;
        let body = json!({
            "username": owner.username, "password": owner.password,
            "device": { "id": owner.device, "name": owner.device, "app": owner.app },
        });
        self.logins += 1;
        match wire.send(Ask::new(Method::POST, "/v1/auth/login").json(&body), deadline).await?.said()? {
            Said::Yes(_, pair) => Ok(pair),
            Said::No(problem) => Err(Hindrance::NeedsLogin(problem)),
        }
    }

    fn take(&mut self, queue: &Queue, pair: &Value) -> Result<String, Hindrance> {
        let text = |member: &str| pair.get(member).and_then(Value::as_str).map(str::to_owned);
        let not_ours = || Hindrance::Later { why: "a login answered without tokens".to_owned(), after: None };
        let (access, refresh) = text("access_token").zip(text("refresh_token")).ok_or_else(not_ours)?;
        let good_for = Duration::from_secs(pair.get("expires_in").and_then(Value::as_u64).unwrap_or(0));
        self.kept = Kept { refresh_token: Some(refresh) };
        // Written before it is used: a phone that dies here must not come back with the one that is spent.
        queue.write(FILE, &self.kept).map_err(|error| Hindrance::Later { why: error.detail, after: None })?;
        self.access = Some((access.clone(), Instant::now() + good_for.saturating_sub(MARGIN)));
        Ok(access)
    }
}
