//! Nouns of the submissions room.

use std::collections::BTreeMap;

use diesel::prelude::*;
use form_engine::{Asked, Finding, Violation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::receipt::{RECEIPT_TYPE, ReceiptClaims};
use crate::accounts::{self, Kind, Tokens};
use crate::db::schema::{findings, place_tags, quarantine, revisions, submissions};
use crate::db::{At, Json, Packed, text_enum, text_id};
use crate::error::Result;
use crate::places::PlaceTag;

text_id! {
    /// A submission's id: a UUID the phone made.
    SubmissionId
}

text_enum! {
    /// What the rules say of the answers.
    Verdict {
        /// Nothing is wrong.
        Valid = "valid",
        /// Something should be looked at.
        Warnings = "warnings",
        /// A rule is broken. The answers are stored all the same.
        Invalid = "invalid",
        /// The answers could not be evaluated, and wait for an administrator.
        Quarantined = "quarantined",
    }
}

impl From<form_engine::Verdict> for Verdict {
    fn from(verdict: form_engine::Verdict) -> Verdict {
        match verdict {
            form_engine::Verdict::Valid => Verdict::Valid,
            form_engine::Verdict::Warnings => Verdict::Warnings,
            form_engine::Verdict::Invalid => Verdict::Invalid,
        }
    }
}

text_enum! {
    /// Whether every file the submission declares has arrived.
    MediaState {
        /// All are here.
        Complete = "complete",
        /// Some are still to come.
        Awaiting = "awaiting",
    }
}

text_enum! {
    /// Where a submission stands with its reviewer.
    Review {
        /// Not looked at yet.
        Received = "received",
        /// Sent back for correction.
        Returned = "returned",
        /// Taken.
        Accepted = "accepted",
        /// Turned down.
        Rejected = "rejected",
    }
}

text_enum! {
    /// What a reviewer does.
    Action {
        /// Takes it.
        Accept = "accept",
        /// Sends it back for correction.
        Return = "return",
        /// Turns it down.
        Reject = "reject",
        /// Takes a decision back: it is to be looked at again.
        Reopen = "reopen",
    }
}

/// A file the envelope declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeclaredMedia {
    /// Its name, unique in the submission.
    pub name: String,
    /// Hex SHA-256 of its content.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type, such as `image/jpeg`.
    #[serde(rename = "type")]
    pub content_type: String,
}

/// Something that smells wrong. A flag never refuses anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Flag {
    /// Stable, for programs: `poor_accuracy`.
    pub code: String,
    /// For people, in English and Urdu.
    pub message: BTreeMap<String, String>,
    /// The figures it rests on, with their units in the names.
    pub figures: Map<String, Value>,
}

/// Everything the server says of one revision; stored with it, and never changed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Judgement {
    /// What the rules say of the answers.
    pub verdict: Verdict,
    /// The answers, normalised; irrelevant ones are gone.
    pub answers: Value,
    /// Calculated values, by path.
    pub calculated: Map<String, Value>,
    /// Everything that is wrong or worth saying.
    pub violations: Vec<Violation>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Scores, by name.
    pub scores: Map<String, Value>,
    /// The answers that name the submission in a list.
    pub summary: Map<String, Value>,
    /// What smells wrong.
    pub flags: Vec<Flag>,
    /// Where the visit took place, by the boundaries of that day.
    pub place: PlaceTag,
    /// The files the envelope declares.
    pub declared: Vec<DeclaredMedia>,
    /// When the visit began, in the sender's own offset.
    pub started_at: Option<String>,
    /// When it ended, in the sender's own offset.
    pub finished_at: String,
    /// What it corrects, where it follows a revision that was returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Correction>,
    /// What the form asks of its reviewer about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked_at_review: Vec<Asked>,
}

/// What a revision changes of the one before, which a reviewer had sent back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Correction {
    /// The revision that was returned.
    pub of_revision: i32,
    /// What the filer says about it.
    pub note: Option<String>,
    /// Paths of the answers that changed.
    pub changed: Vec<String>,
    /// Those of them that nobody asked to be changed, and that the filer did not name either.
    pub beyond_return: Vec<String>,
}

/// The head of a submission as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = submissions, treat_none_as_null = true)]
pub(super) struct Head {
    pub(super) id: SubmissionId,
    pub(super) form: String,
    pub(super) version: i32,
    pub(super) kind: Kind,
    pub(super) revision: i32,
    pub(super) content_hash: String,
    pub(super) account_id: String,
    pub(super) device_id: Option<String>,
    pub(super) facility: Option<String>,
    pub(super) verdict: Verdict,
    pub(super) media: MediaState,
    pub(super) review: Review,
    pub(super) received_at: At,
    pub(super) changed_at: At,
    pub(super) finished_at: At,
    pub(super) province: Option<String>,
    pub(super) division: Option<String>,
    pub(super) district: Option<String>,
    pub(super) tehsil: Option<String>,
    pub(super) lat: Option<f64>,
    pub(super) lon: Option<f64>,
    pub(super) edition: Option<String>,
    pub(super) findings: i32,
    pub(super) summary: Json,
    /// Its place in the review queue, see `risk.rs`.
    pub(super) queue_rank: i32,
}

/// A revision as a row.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = revisions)]
pub(super) struct Revision {
    pub(super) submission_id: SubmissionId,
    pub(super) revision: i32,
    pub(super) content_hash: String,
    pub(super) release_hash: String,
    pub(super) account_id: String,
    pub(super) device_id: Option<String>,
    pub(super) received_at: At,
    /// The bytes as they came and what was said of them, packed as a pair.
    pub(super) content: Packed,
    /// See [`Revision::receipt`].
    pub(super) receipt: String,
}

/// What a replay needs of a head.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = submissions)]
pub(super) struct PastHead {
    pub(super) id: SubmissionId,
    pub(super) district: Option<String>,
}

/// What a replay needs of a revision.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = revisions)]
pub(super) struct PastRevision {
    pub(super) submission_id: SubmissionId,
    pub(super) revision: i32,
    pub(super) content_hash: String,
    pub(super) account_id: String,
    pub(super) content: Packed,
}

/// Where a revision was found to lie by a later edition of the boundaries than the one it was filed under.
/// Each edition adds a row; it overwrites none.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = place_tags)]
pub(super) struct TagRow {
    pub(super) submission_id: SubmissionId,
    pub(super) revision: i32,
    pub(super) tagged_at: At,
    pub(super) status: String,
    pub(super) edition: String,
    pub(super) tag: Json,
}

impl Revision {
    /// Signs its receipt, and keeps of it what cannot be written anew.
    pub(super) fn sign(&mut self, tokens: &Tokens, declared: &[DeclaredMedia]) -> Result<()> {
        let claims = ReceiptClaims::of(self, declared);
        self.receipt = accounts::shortened(&tokens.sign(&claims, RECEIPT_TYPE)?, &claims, RECEIPT_TYPE);
        Ok(())
    }

    /// Its receipt, as it was given to whoever filed it.
    pub(super) fn receipt(&self, declared: &[DeclaredMedia]) -> Result<String> {
        accounts::whole(&self.receipt, &ReceiptClaims::of(self, declared), RECEIPT_TYPE)
    }

    /// The bytes as they came.
    pub(super) fn raw(&self) -> Result<Vec<u8>> {
        self.content.unpack_first()
    }

    /// What was said of them.
    pub(super) fn judgement(&self) -> Result<Judgement> {
        self.content.read_second()
    }
}

/// A finding as a row: what is searched for. The whole finding stands in the revision's judgement.
#[derive(Clone, Insertable)]
#[diesel(table_name = findings, treat_none_as_default_value = false)]
pub(super) struct FindingRow {
    pub(super) submission_id: SubmissionId,
    pub(super) revision: i32,
    pub(super) position: i32,
    pub(super) code: String,
    pub(super) severity: String,
    pub(super) row_key: Option<String>,
    pub(super) provisional: bool,
    pub(super) disclose: bool,
    pub(super) due_at: Option<At>,
    pub(super) refer_to: Option<String>,
}

/// A submission that could not be evaluated, as a row.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = quarantine)]
pub(super) struct Quarantined {
    pub(super) id: String,
    pub(super) submission_id: SubmissionId,
    pub(super) content_hash: String,
    pub(super) account_id: String,
    pub(super) device_id: Option<String>,
    pub(super) received_at: At,
    pub(super) reason: String,
    pub(super) detail: String,
    pub(super) raw: Packed,
    pub(super) released_at: Option<At>,
}
