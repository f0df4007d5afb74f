//! What an answer means for the phone. Three things only: it is done; it will never be done like this; or nobody knows,
//! and the same bytes are to be sent again. Somebody's sign-in page, a balancer's error and a cut-off answer are all of
//! the third sort: only what our own server says in its own words counts.

use std::time::Duration;

use serde_json::Value;

use super::model::Problem;
use super::wire::{NoAnswer, Reply};

/// Why nothing could be done for now.
#[derive(Clone, Debug)]
pub(super) enum Hindrance {
    /// Try again, not before this long.
    Later { why: String, after: Option<Duration> },
    /// The server failed over this one request; others may go through.
    Faulty { why: String, after: Option<Duration> },
    /// Nobody is logged in, and nobody can be without a person.
    NeedsLogin(Problem),
}

impl From<NoAnswer> for Hindrance {
    fn from(NoAnswer(why): NoAnswer) -> Hindrance {
        Hindrance::Later { why, after: None }
    }
}

/// What the server said.
#[derive(Clone, Debug)]
pub(super) enum Said {
    /// A success, with its status and JSON.
    Yes(u16, Value),
    /// A refusal that will not change by itself.
    No(Problem),
}

/// Codes of refusals that a damaged transmission causes: the same bytes, whole, will be taken.
const SPOILT_ON_THE_WAY: &[&str] = &["body_truncated", "media_truncated", "media_hash_mismatch"];

/// Codes of refusals that concern the phone or its owner rather than what was sent.
const ABOUT_THE_PHONE: &[&str] = &["device_revoked", "account_disabled", "session_closed"];

impl Reply {
    /// What the answer says.
    pub(super) fn said(&self) -> Result<Said, Hindrance> {
        let after = self.number("retry-after").map(Duration::from_secs);
        let later = |why: String| Hindrance::Later { why, after };
        match self.status {
            200..=299 => match serde_json::from_slice(&self.body) {
                Ok(json) => Ok(Said::Yes(self.status, json)),
                Err(_) => Err(later("an answer that is not our server's".to_owned())),
            },
            408 | 423 | 425 | 429 | 460 | 502..=504 => Err(later(format!("answered {}", self.status))),
            500..=599 => Err(Hindrance::Faulty { why: format!("answered {}", self.status), after }),
            status => match self.problem() {
                None => Err(later(format!("answered {status}, not by our server"))),
                Some(problem) if SPOILT_ON_THE_WAY.contains(&problem.code.as_str()) => {
                    Err(Hindrance::Faulty { why: problem.code, after })
                }
                Some(problem) if status == 401 || ABOUT_THE_PHONE.contains(&problem.code.as_str()) => {
                    Err(Hindrance::NeedsLogin(problem))
                }
                Some(problem) => Ok(Said::No(problem)),
            },
        }
    }

    /// The problem document, if it is one.
    pub(super) fn problem(&self) -> Option<Problem> {
        let ours = self.header("content-type")?.starts_with("application/problem+json");
        let json: Value = ours.then(|| serde_json::from_slice(&self.body).ok())??;
        Problem::read(self.status, &json)
    }
}

impl Problem {
    /// A problem document, as far as a phone acts on it.
    pub(super) fn read(status: u16, json: &Value) -> Option<Problem> {
        let text = |member: &str| json.get(member).and_then(Value::as_str).map(str::to_owned);
        Some(Problem {
            status,
            code: text("code")?,
            detail: text("detail").unwrap_or_default(),
            content_hash: text("content_hash"),
        })
    }
}
