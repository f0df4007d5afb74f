//! What administrators ask for about webhooks, checked before anything is looked up.

use chrono::{DateTime, FixedOffset, TimeDelta};
use serde::Deserialize;

use super::guard;
use crate::accounts::Line;
use crate::config::WebhookConfig;
use crate::error::{Error, Result};
use crate::notifications::wording::Wording;

/// Kinds and areas one webhook names at most.
const MOST: usize = 100;

/// `POST /v1/webhooks`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "CPMIS", "url": "https://cpmis.example.org/nigran", "kinds": ["referral.*", "finding.urgent"],
    "areas": ["PK226"], "line": "swd"
}))]
pub(super) struct NewWebhook {
    /// What people call it.
    pub(super) name: String,
    /// Where it is called: a public `https://` address.
    pub(super) url: String,
    /// Kinds it is told of: `referral.created`, `finding.*`; none named: all.
    #[serde(default)]
    pub(super) kinds: Vec<String>,
    /// Codes of provinces, divisions or districts it is told of; none named: all.
    #[serde(default)]
    pub(super) areas: Vec<String>,
    /// Only of this line.
    pub(super) line: Option<Line>,
    /// Whether it is called; true unless told.
    pub(super) enabled: Option<bool>,
}

/// What is to change of a webhook. What is left out stays.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "enabled": true, "kinds": ["referral.*"] }))]
pub(super) struct WebhookChange {
    /// What people call it.
    pub(super) name: Option<String>,
    /// Where it is called.
    pub(super) url: Option<String>,
    /// Kinds it is told of, all of them.
    pub(super) kinds: Option<Vec<String>>,
    /// Areas it is told of, all of them.
    pub(super) areas: Option<Vec<String>>,
    /// The line; null: both.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Line>)]
    pub(super) line: Option<Option<Line>>,
    /// Whether it is called. What waited while it was switched off goes out when it is switched on.
    pub(super) enabled: Option<bool>,
}

/// Tells "null" from "left out".
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Line>>, D::Error> {
    Option::<Line>::deserialize(deserializer).map(Some)
}

/// For how long the secret before signs as well unless told, and at most, in hours.
const OVERLAP: u16 = 24;
const LONGEST_OVERLAP: u16 = 168;

/// `POST /v1/webhooks/{id}/secret?overlap_hours=…`
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Overlap {
    /// For how many hours the old secret signs beside the new one: 0 to 168, 24 unless told. 0: it leaked, and signs nothing any more.
    pub(super) overlap_hours: Option<u16>,
}

impl Overlap {
    pub(super) fn checked(&self) -> Result<TimeDelta> {
        match self.overlap_hours.unwrap_or(OVERLAP) {
            hours @ 0..=LONGEST_OVERLAP => Ok(TimeDelta::hours(i64::from(hours))),
            _ => Err(Error::invalid(
                "overlap_invalid",
                format!("`overlap_hours` is 0 to {LONGEST_OVERLAP}: for so long both secrets sign"),
            )),
        }
    }
}

/// `POST /v1/webhooks/{id}/replay?from=…`
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Replay {
    /// Notices from this instant on.
    #[param(value_type = String, example = "2026-11-20T00:00:00+05:00")]
    pub(super) from: String,
    /// `next` of the replay before.
    pub(super) after: Option<String>,
}

impl Replay {
    pub(super) fn from(&self) -> Result<DateTime<FixedOffset>> {
        // A plus that was not written as %2B arrives as a space.
        let text = self.from.replace(' ', "+");
        DateTime::parse_from_rfc3339(&text)
            .map_err(|_| Error::invalid("bad_from", "`from` is an instant such as 2026-11-20T00:00:00Z"))
    }
}

impl NewWebhook {
    pub(super) fn checked(self, config: &WebhookConfig, wording: &Wording) -> Result<NewWebhook> {
        Ok(NewWebhook {
            name: name(&self.name)?,
            url: guard::checked(&self.url, config)?,
            kinds: kinds(self.kinds, wording)?,
            areas: areas(self.areas)?,
            ..self
        })
    }
}

impl WebhookChange {
    pub(super) fn checked(self, config: &WebhookConfig, wording: &Wording) -> Result<WebhookChange> {
        Ok(WebhookChange {
            name: self.name.as_deref().map(name).transpose()?,
            url: self.url.as_deref().map(|url| guard::checked(url, config)).transpose()?,
            kinds: self.kinds.map(|all| kinds(all, wording)).transpose()?,
            areas: self.areas.map(areas).transpose()?,
            ..self
        })
    }
}

fn name(text: &str) -> Result<String> {
    let text = text.trim();
    match (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(Error::invalid(
            "webhook_name_invalid",
            "`name` has 1 to 100 characters and no control characters",
        )),
    }
}

/// Kinds there are, or beginnings of them: `finding.*`.
fn kinds(mut kinds: Vec<String>, wording: &Wording) -> Result<Vec<String>> {
    let mut known: Vec<&str> = wording.kinds().filter(|kind| !kind.starts_with("operations.")).collect();
    known.sort_unstable();
    kinds.sort();
    kinds.dedup();
    let is_known = |kind: &String| match kind.strip_suffix(".*") {
        Some(room) => known.iter().any(|it| it.split('.').next() == Some(room)),
        None => known.contains(&kind.as_str()),
    };
    match kinds.iter().find(|kind| !is_known(kind)) {
        Some(kind) => {
            let kind: String = kind.chars().take(100).collect();
            Err(Error::invalid(
                "kind_unknown",
                format!("there are no notices of kind {kind:?}; name some of `kinds`"),
            )
            .with("kinds", known))
        }
        None => Ok(kinds),
    }
}

fn areas(mut areas: Vec<String>) -> Result<Vec<String>> {
    areas.sort();
    areas.dedup();
    let is_code = |area: &String| {
        (2..=64).contains(&area.len())
            && area.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    match areas.len() <= MOST && areas.iter().all(is_code) {
        true => Ok(areas),
        false => Err(Error::invalid(
            "area_invalid",
            format!("`areas` has at most {MOST} codes of the boundaries, such as PK226"),
        )),
    }
}
