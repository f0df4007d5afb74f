//! Nouns of review.

use chrono::{DateTime, Duration};
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
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Said {
    /// What the reviewer is asked, and which of it is answered.
    pub(super) asked: Vec<Asked>,
    /// What is found in both together; each due when it is, see [`Said::dated`].
    pub(super) findings: Vec<Finding>,
}

impl Said {
    /// The same, said now. What only the answers brought to light is due as long after them as the rule gives, for nobody could have acted
    /// before: `delay` after the visit. What was found at filing, or by earlier answers about the revision, stays due when it was.
    pub(super) fn dated(self, filed: &[Finding], earlier: Option<&Said>, delay: Duration) -> Said {
        let date = |mut finding: Finding| {
            let is_it = |it: &Finding| it.code == finding.code && it.row == finding.row;
            let known = earlier.and_then(|said| said.findings.iter().find(|it| is_it(it)));
            finding.due_at = match (filed.iter().any(is_it), known) {
                (true, _) => finding.due_at,
                (false, Some(known)) => known.due_at.clone(),
                (false, None) => finding.due_at.map(|at| later(at, delay)),
            };
            finding
        };
        Said { findings: self.findings.into_iter().map(date).collect(), ..self }
    }
}

fn later(at: String, delay: Duration) -> String {
    let moved = DateTime::parse_from_rfc3339(&at).ok().and_then(|at| at.checked_add_signed(delay));
    moved.map_or(at, |moved| moved.to_rfc3339())
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn finding(code: &str, row: Option<&str>, due_at: &str) -> Finding {
        serde_json::from_value(json!({
            "code": code, "severity": "major", "row": row, "provisional": false, "hinges_on": [], "disclose": true, "title": {},
            "basis": [], "action": {}, "due_at": due_at, "refer_to": null, "escalate_to": null, "because": [], "superseded": [],
        }))
        .unwrap()
    }

    #[test]
    fn what_an_answer_brought_to_light_is_due_counted_from_the_first_answer_that_did() {
        let due = "2026-11-27T16:40:00+05:00";
        let filed = [finding("AGE-09", Some("K-1"), due)];
        let found = vec![filed[0].clone(), finding("AGE-09", Some("K-2"), due), finding("LIC-09", None, due)];
        let said = Said { asked: Vec::new(), findings: found };
        let dates = |said: &Said| -> Vec<String> {
            said.findings.iter().filter_map(|finding| finding.due_at.clone()).collect()
        };

        let mut first = said.clone().dated(&filed, None, Duration::days(3));
        first.findings.pop();
        let second = said.dated(&filed, Some(&first), Duration::days(5));

        assert_eq!(dates(&first), [due, "2026-11-30T16:40:00+05:00"]);
        assert_eq!(dates(&second), [due, "2026-11-30T16:40:00+05:00", "2026-12-02T16:40:00+05:00"]);
    }
}
