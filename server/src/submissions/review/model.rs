//! Nouns of review.

use diesel::prelude::*;
use form_engine::{Asked, Finding};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::accounts::Role;
use crate::db::schema::{review_answers, review_events};
use crate::db::{At, Json};
use crate::error::Result;
use crate::submissions::model::{Action, Review, SubmissionId};

/// A decision as a row. Rows are only ever added.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = review_events)]
pub(super) struct ReviewRow {
    pub(super) submission_id: SubmissionId,
    /// The submission's first, second, third decision.
    pub(super) n: i32,
    pub(super) id: String,
    /// The revision decided about.
    pub(super) revision: i32,
    pub(super) action: Action,
    pub(super) decided_by: String,
    pub(super) role: Role,
    pub(super) decided_at: At,
    pub(super) reason: Option<String>,
    /// For reviewers, never for the filer.
    pub(super) notes: Option<String>,
    pub(super) comments: Json,
    pub(super) due_at: Option<At>,
}

impl ReviewRow {
    /// What was said about single questions.
    pub(super) fn comments(&self) -> Result<Vec<Comment>> {
        self.comments.read()
    }
}

/// All that was answered about a revision, as a row.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = review_answers)]
pub(super) struct AnswersRow {
    pub(super) submission_id: SubmissionId,
    /// The submission's first, second, third row.
    pub(super) n: i32,
    pub(super) id: String,
    /// The revision it is about.
    pub(super) revision: i32,
    pub(super) answered_by: String,
    pub(super) role: Role,
    pub(super) answered_at: At,
    /// Path -> answer.
    pub(super) answers: Json,
    /// See [`Said`].
    pub(super) said: Json,
}

/// What the rules say of a revision together with its reviewer's answers.
#[derive(Serialize, Deserialize)]
pub(super) struct Said {
    /// What the reviewer is asked, and which of it is answered.
    pub(super) asked: Vec<Asked>,
    /// What is found in both together.
    pub(super) findings: Vec<Finding>,
}

impl AnswersRow {
    pub(super) fn answers(&self) -> Result<Map<String, Value>> {
        self.answers.read()
    }

    pub(super) fn said(&self) -> Result<Said> {
        self.said.read()
    }
}

/// What a reviewer says about one place of the answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(in crate::submissions) struct Comment {
    /// A question (`departure_time`, `children[0].age_years`), a row, a repeat or a section.
    pub(in crate::submissions) path: String,
    /// The question's name; none: it is about a section or rows.
    #[serde(default)]
    pub(in crate::submissions) question: Option<String>,
    /// What is wrong with it.
    pub(in crate::submissions) comment: String,
}

impl Action {
    /// Where a submission stands afterwards.
    pub(super) fn leads_to(self) -> Review {
        match self {
            Action::Accept => Review::Accepted,
            Action::Return => Review::Returned,
            Action::Reject => Review::Rejected,
            Action::Reopen => Review::Received,
        }
    }

    /// Whether it can be done from there. What has been decided is reopened before it is decided anew.
    pub(super) fn is_possible_from(self, review: Review) -> bool {
        (review == Review::Received) != (self == Action::Reopen)
    }

    /// What was done, for people.
    pub(super) fn past(self) -> &'static str {
        match self {
            Action::Accept => "accepted",
            Action::Return => "returned",
            Action::Reject => "rejected",
            Action::Reopen => "reopened",
        }
    }
}
