//! The receipt: what the server answers to a filing, and the signed proof inside it that can be checked offline.

use form_engine::{Finding, Violation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::model::{
    DeclaredMedia, Flag, Head, Judgement, MediaState, Quarantined, Revision, SubmissionId, Verdict,
};
use crate::db::At;
use crate::error::Result;
use crate::places::PlaceTag;

/// The JWS type of a receipt.
pub const RECEIPT_TYPE: &str = "nigran-receipt+jwt";

/// What the signature covers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReceiptClaims {
    /// Always `nigran`.
    pub iss: String,
    /// The submission's id.
    pub sub: String,
    /// The revision; none while in quarantine.
    pub revision: Option<i32>,
    /// Hex SHA-256 of the envelope's canonical form.
    pub content_hash: String,
    /// Hex SHA-256 of the release it was judged by; none while in quarantine.
    pub release_hash: Option<String>,
    /// The files it declares: name and hex SHA-256.
    pub media: Vec<(String, String)>,
    /// When it was stored, RFC 3339.
    pub received_at: String,
}

impl ReceiptClaims {
    /// The claims for a revision.
    pub(super) fn of(revision: &Revision, declared: &[DeclaredMedia]) -> ReceiptClaims {
        ReceiptClaims {
            iss: "nigran".into(),
            sub: revision.submission_id.to_string(),
            revision: Some(revision.revision),
            content_hash: revision.content_hash.clone(),
            release_hash: Some(revision.release_hash.clone()),
            media: declared.iter().map(|media| (media.name.clone(), media.sha256.clone())).collect(),
            received_at: revision.received_at.to_string(),
        }
    }

    /// The claims for something kept in quarantine.
    pub(super) fn of_quarantined(row: &Quarantined) -> ReceiptClaims {
        ReceiptClaims {
            iss: "nigran".into(),
            sub: row.submission_id.to_string(),
            revision: None,
            content_hash: row.content_hash.clone(),
            release_hash: None,
            media: Vec::new(),
            received_at: row.received_at.to_string(),
        }
    }
}

/// What the server answers to a filing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "revision": 1, "content_hash": "9f2c…",
    "received_at": "2026-11-20T04:00:01.204Z", "media": "awaiting", "media_missing": ["front.jpg"],
    "verdict": "valid", "violations": [], "findings": [{ "code": "AGE-02", "severity": "emergency", "row": "CLI-QTA1-2026-0102-C1" }],
    "scores": {}, "place": { "status": "inside", "district": { "code": "PK226", "name_en": "Quetta", "name_ur": "کوئٹہ" } },
    "flags": [], "receipt": "eyJhbGciOiJFZERTQSJ9…"
}))]
pub(super) struct Receipt {
    /// The submission's id.
    pub(super) id: SubmissionId,
    /// The revision this is the receipt of; none while in quarantine.
    pub(super) revision: Option<i32>,
    /// Hex SHA-256 of the envelope's canonical form; send it as `If-Match` to revise.
    pub(super) content_hash: String,
    /// When it was stored.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub(super) received_at: At,
    /// Whether every declared file has arrived.
    pub(super) media: MediaState,
    /// Names of declared files that have not arrived, or arrived with another content.
    pub(super) media_missing: Vec<String>,
    /// What the rules say.
    pub(super) verdict: Verdict,
    /// Everything that is wrong or worth saying: `{path, question, level, code, message, rule}`.
    #[schema(value_type = Vec<Object>)]
    pub(super) violations: Vec<Violation>,
    /// What was found: `{code, severity, row, provisional, disclose, title, basis, action, due_at, refer_to, because}`.
    #[schema(value_type = Vec<Object>)]
    pub(super) findings: Vec<Finding>,
    /// Scores, by name.
    #[schema(value_type = Object)]
    pub(super) scores: Map<String, Value>,
    /// Where the visit took place.
    pub(super) place: Option<PlaceTag>,
    /// What smells wrong.
    pub(super) flags: Vec<Flag>,
    /// Why it is in quarantine, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quarantine: Option<QuarantineNote>,
    /// Compact EdDSA JWS (RFC 7515) over id, revision, hashes and time: proof of filing.
    pub(super) receipt: String,
}

/// Why something is kept in quarantine.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct QuarantineNote {
    /// The record's id, for `POST /v1/quarantine/{id}/reprocess`.
    pub(super) id: String,
    /// Stable, for programs: `release_unknown`.
    pub(super) reason: String,
    /// For people.
    pub(super) detail: String,
}

impl Receipt {
    /// The receipt with flags that stand beside the judgement.
    pub(super) fn with_flags(mut self, late: Vec<Flag>) -> Receipt {
        self.flags.extend(late);
        self
    }

    /// The receipt of a stored revision.
    pub(super) fn of(
        head: &Head,
        revision: Revision,
        judgement: &Judgement,
        media_missing: Vec<String>,
    ) -> Result<Receipt> {
        Ok(Receipt {
            receipt: revision.receipt(&judgement.declared)?,
            id: head.id.clone(),
            revision: Some(revision.revision),
            content_hash: revision.content_hash,
            received_at: revision.received_at,
            media: if media_missing.is_empty() { MediaState::Complete } else { MediaState::Awaiting },
            media_missing,
            verdict: judgement.verdict,
            violations: judgement.violations.clone(),
            findings: judgement.findings.clone(),
            scores: judgement.scores.clone(),
            place: Some(judgement.place.clone()),
            flags: judgement.flags.clone(),
            quarantine: None,
        })
    }

    /// The receipt of something kept in quarantine.
    pub(super) fn of_quarantined(row: Quarantined, receipt: String) -> Receipt {
        Receipt {
            id: row.submission_id,
            revision: None,
            content_hash: row.content_hash,
            received_at: row.received_at,
            media: MediaState::Awaiting,
            media_missing: Vec::new(),
            verdict: Verdict::Quarantined,
            violations: Vec::new(),
            findings: Vec::new(),
            scores: Map::new(),
            place: None,
            flags: Vec::new(),
            quarantine: Some(QuarantineNote { id: row.id, reason: row.reason, detail: row.detail }),
            receipt,
        }
    }
}
