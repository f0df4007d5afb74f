//! What people send about findings, checked once at the edge.

use serde::{Deserialize, Serialize};

use super::model::{Severity, State};
use crate::db::At;
use crate::error::{Error, Result};

/// How many files may be named as evidence.
const MOST_FILES: usize = 50;

/// `POST /v1/findings/{id}/transitions`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "to": "remedied", "comment": "The child is back in class 4; the kiln keeps a register now.",
    "evidence": { "media": ["register.jpg"], "submission": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f11" }
}))]
pub(super) struct NewTransition {
    /// Where it is to stand: `acknowledged`, `remedied`, `verified`, `dismissed`. `acknowledged` also takes a finding
    /// back that was said to be remedied, or dismissed. `dismissed` asks a second person.
    pub(super) to: State,
    /// In your words.
    #[serde(default)]
    pub(super) comment: Option<String>,
    /// What shows it.
    #[serde(default)]
    pub(super) evidence: Option<Evidence>,
}

/// What shows that a finding was put right.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Evidence {
    /// Names of files that have arrived: of `submission`, or of the submission that shows the finding.
    #[serde(default)]
    pub(super) media: Vec<String>,
    /// A later submission, such as the re-inspection.
    #[serde(default)]
    pub(super) submission: Option<uuid::Uuid>,
}

/// `POST /v1/findings/{id}/severity`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "severity": "emergency", "comment": "The shaft has no second way out." }))]
pub(super) struct NewSeverity {
    /// How grave it is. A higher one stands at once; a lower one is asked of a second person.
    pub(super) severity: Severity,
    /// Why.
    pub(super) comment: String,
}

/// `POST /v1/findings/{id}/proposal`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "agree": true, "comment": "The birth certificate was seen; he is 19." }))]
pub(super) struct NewDecision {
    /// Whether what was asked for is done.
    pub(super) agree: bool,
    /// Why.
    pub(super) comment: String,
}

/// `POST /v1/findings/{id}/pause`
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "The court hears it on 3 December.", "until": "2026-12-03T12:00:00+05:00" }))]
pub(super) struct NewPause {
    /// Why the deadline stands still.
    pub(super) reason: String,
    /// Until when; it then runs again by itself. Without it somebody must have it run again.
    #[serde(default)]
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    pub(super) until: Option<At>,
}

/// `POST /v1/findings/{id}/resume`
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "comment": "The court has ruled." }))]
pub(super) struct NewResume {
    /// In your words.
    #[serde(default)]
    pub(super) comment: Option<String>,
}

impl Evidence {
    /// Whether nothing is named.
    pub(super) fn is_empty(&self) -> bool {
        self.media.is_empty() && self.submission.is_none()
    }

    /// Refuses more files than anybody looks at.
    pub(super) fn bounded(self) -> Result<Evidence> {
        match self.media.len() > MOST_FILES {
            true => {
                Err(Error::invalid("too_many_files", format!("name at most {MOST_FILES} files as evidence")))
            }
            false => Ok(self),
        }
    }
}
