//! Making one call. Redirects are not followed, proxies of the environment not used, the answer's body not read, and the
//! whole call is limited in time: whatever the other side does, it costs little.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde::Serialize;

use super::guard::Guard;
use super::signing;
use crate::config::WebhookConfig;
use crate::db::At;
use crate::error::{Error, Result};
use crate::notifications::model::{Notice, Outcome};

/// Calls other programs; clones share connections.
#[derive(Clone)]
pub(in crate::notifications) struct Caller {
    http: reqwest::Client,
    pub(super) config: WebhookConfig,
}

/// What a call says.
#[derive(Serialize)]
struct Told<'n> {
    id: &'n str,
    kind: &'n str,
    /// The code people call it by.
    subject: &'n str,
    link: &'n str,
    occurred_at: At,
}

/// What came of a call.
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    /// The other side wants no more calls, ever.
    pub(super) is_gone: bool,
}

impl Answer {
    /// Whether nobody answered.
    pub(super) fn is_none(&self) -> bool {
        matches!(self.outcome, Outcome::NoAnswer(_))
    }
}

impl Caller {
    /// Prepares to call by the settings.
    pub(in crate::notifications) fn new(config: &WebhookConfig) -> Result<Caller> {
        let patience = Duration::from_secs(config.timeout_seconds.max(1));
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .dns_resolver(std::sync::Arc::new(Guard { allow_private: config.allow_private }))
            .https_only(!config.allow_http)
            .connect_timeout(patience)
            .timeout(patience)
            .pool_max_idle_per_host(4)
            .user_agent(concat!("nigran/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|cause| Error::internal("preparing to call webhooks", cause))?;
        Ok(Caller { http, config: config.clone() })
    }

    /// Calls `url` to tell of a notice.
    pub(super) async fn call(
        &self,
        url: &str,
        secrets: &[String],
        notice: &Notice,
        link: &str,
        at: DateTime<Utc>,
    ) -> Result<Answer> {
        // What was taken when it was named may be forbidden by today's settings.
        if let Err(refused) = super::guard::checked(url, &self.config) {
            return Ok(Answer { outcome: Outcome::Refused(refused.detail), is_gone: false });
        }
        let told = Told {
            id: notice.id.as_str(),
            kind: &notice.kind,
            subject: &notice.code,
            link,
            occurred_at: notice.occurred_at,
        };
        let body = serde_json::to_string(&told).map_err(|cause| Error::internal("writing a call", cause))?;
        let signature = signing::signatures(secrets, notice.id.as_str(), at.timestamp(), &body)?;
        let answer = self
            .http
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", notice.id.as_str())
            .header("webhook-timestamp", at.timestamp().to_string())
            .header("webhook-signature", signature)
            .body(body)
            .send()
            .await;
        Ok(match answer {
            Ok(answer) => of_status(answer.status()),
            Err(cause) => Answer { outcome: Outcome::NoAnswer(reason(&cause)), is_gone: false },
        })
    }
}

fn of_status(status: StatusCode) -> Answer {
    let outcome = match status.is_success() {
        true => Outcome::Taken,
        false => Outcome::Refused(format!("it answered {}", status.as_u16())),
    };
    Answer { outcome, is_gone: status == StatusCode::GONE }
}

/// Why there was no answer, without the address: it may hold a secret.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match std::ptr::addr_eq(cause, error) {
        true => "it could not be called".to_owned(),
        false => format!("it could not be called: {cause}"),
    }
}
