//! What reviewers ask for, checked before anything is looked up.

use chrono::{DateTime, Duration, FixedOffset, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::model::Comment;
use crate::db::{At, storable};
use crate::error::{Error, Result};
use crate::forms::{Outline, Sort};
use crate::submissions::model::{Action, Judgement};

/// The longest reason or note, in characters.
const LONGEST: usize = 4000;
/// The longest comment on a question, in characters.
const LONGEST_COMMENT: usize = 2000;
/// Comments of one decision at most.
const MOST_COMMENTS: usize = 500;
/// How far off a deadline may be.
const FARTHEST_DAYS: i64 = 366;

/// `POST /v1/submissions/{id}/review`
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({
    "action": "return", "reason": "ages do not match the register",
    "fields": [{ "path": "children[0].age_years", "comment": "the register says 13" }],
    "due_at": "2026-11-27T00:00:00+05:00", "if_match": "9f2c…"
}))]
pub(super) struct ReviewRequest {
    /// What is done.
    pub(super) action: Action,
    /// Why. Needed to reject and to reopen; to return, unless there are comments. The filer reads it.
    #[serde(default)]
    pub(super) reason: Option<String>,
    /// What reviewers note for themselves. The filer does not read it.
    #[serde(default)]
    pub(super) notes: Option<String>,
    /// What is wrong, question by question.
    #[serde(default)]
    pub(super) fields: Vec<CommentRequest>,
    /// Until when a returned submission is to be corrected. It can be corrected later, too.
    #[serde(default)]
    pub(super) due_at: Option<DateTime<FixedOffset>>,
    /// What the form asks of its reviewer: path -> answer, all of them. Left out: what was answered before stands.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub(super) answers: Option<Map<String, Value>>,
    /// The `version` of the reviewer's answers that were looked at; 0: there were none.
    #[serde(default)]
    pub(super) answers_version: Option<i32>,
    /// The content hash of the revision that was looked at; `If-Match` says the same.
    #[serde(default)]
    pub(super) if_match: Option<String>,
}

/// What is wrong with one place of the answers.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct CommentRequest {
    /// A question (`departure_time`, `children[0].age_years`), a row, a repeat or a section.
    pub(super) path: String,
    /// What is wrong with it.
    pub(super) comment: String,
}

/// A request that holds together.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) action: Action,
    pub(super) reason: Option<String>,
    pub(super) notes: Option<String>,
    pub(super) comments: Vec<Comment>,
    pub(super) due_at: Option<At>,
    /// What the reviewer answers.
    pub(super) answers: Option<Map<String, Value>>,
    /// The version of the reviewer's answers that was looked at, if it is said.
    pub(super) answers_version: Option<i32>,
    /// Only what is valid, complete, without findings and without flags.
    pub(super) only_if_clean: bool,
}

impl Wish {
    /// Accepting what is clean, without a word.
    pub(super) fn accept_if_clean() -> Wish {
        Wish {
            action: Action::Accept,
            reason: None,
            notes: None,
            comments: Vec::new(),
            due_at: None,
            answers: None,
            answers_version: None,
            only_if_clean: true,
        }
    }
}

impl ReviewRequest {
    /// What is wished, if it holds together. Which questions there are is checked against the form, see [`commented`].
    pub(super) fn wish(self, now: DateTime<Utc>) -> Result<Wish> {
        let reason = text("reason", self.reason)?;
        let notes = text("notes", self.notes)?;
        match self.action {
            Action::Reject | Action::Reopen if reason.is_none() => return Err(reason_missing(self.action)),
            Action::Return if reason.is_none() && self.fields.is_empty() => {
                return Err(reason_missing(self.action));
            }
            Action::Accept | Action::Reopen if !self.fields.is_empty() => {
                return Err(Error::invalid(
                    "comments_not_taken",
                    "comments on questions go with `return` or `reject`; say anything else in `reason`",
                ));
            }
            Action::Reopen if self.answers.is_some() => {
                let detail = "answer once it is reopened, with the next decision or ahead of it";
                return Err(Error::invalid("answers_not_taken", detail));
            }
            _ => {}
        }
        Ok(Wish {
            action: self.action,
            reason,
            notes,
            comments: self
                .fields
                .into_iter()
                .map(comment)
                .collect::<Result<Vec<_>>>()
                .and_then(not_too_many)?,
            due_at: due(self.action, self.due_at, now)?,
            answers: self.answers,
            answers_version: self.answers_version,
            only_if_clean: false,
        })
    }
}

fn text(member: &str, text: Option<String>) -> Result<Option<String>> {
    let text = text.map(|text| storable(text.trim().to_owned())).filter(|text| !text.is_empty());
    match text.as_ref().is_some_and(|text| text.chars().count() > LONGEST) {
        true => Err(Error::invalid("text_too_long", format!("`{member}` has at most {LONGEST} characters"))),
        false => Ok(text),
    }
}

fn comment(field: CommentRequest) -> Result<Comment> {
    let (path, comment) = (field.path.trim().to_owned(), storable(field.comment.trim().to_owned()));
    if comment.is_empty() || comment.chars().count() > LONGEST_COMMENT {
        return Err(Error::invalid(
            "bad_comment",
            format!("the comment on {path:?} must have 1 to {LONGEST_COMMENT} characters"),
        ));
    }
    Ok(Comment { path, question: None, comment })
}

fn not_too_many(comments: Vec<Comment>) -> Result<Vec<Comment>> {
    match comments.len() > MOST_COMMENTS {
        true => {
            let detail =
                format!("a decision has at most {MOST_COMMENTS} comments; comment on sections instead");
            Err(Error::invalid("too_many_comments", detail))
        }
        false => Ok(comments),
    }
}

fn due(action: Action, due_at: Option<DateTime<FixedOffset>>, now: DateTime<Utc>) -> Result<Option<At>> {
    let Some(due_at) = due_at else { return Ok(None) };
    if action != Action::Return {
        return Err(Error::invalid("due_at_not_taken", "`due_at` goes with `return`; leave it out"));
    }
    if due_at <= now || due_at > now + Duration::days(FARTHEST_DAYS) {
        return Err(Error::invalid(
            "bad_due_at",
            format!("`due_at` must lie ahead, by {FARTHEST_DAYS} days at most"),
        ));
    }
    Ok(Some(At::from(due_at)))
}

fn reason_missing(action: Action) -> Error {
    let detail = match action {
        Action::Return => "say in `reason`, or in `fields` question by question, what is to be corrected",
        _ => "say why in `reason`; the filer reads it",
    };
    Error::invalid("reason_missing", detail)
}

/// The comments with the questions they are about; those that are about nothing in the form or the answers are all named.
pub(super) fn commented(
    comments: Vec<Comment>,
    outline: &Outline,
    judgement: &Judgement,
) -> Result<Vec<Comment>> {
    let mut nowhere = Vec::new();
    let mut placed = Vec::new();
    for comment in comments {
        match outline.find(&comment.path).filter(|_| has_row(outline, judgement, &comment.path)) {
            Some(part) => {
                let asks = matches!(part.sort, Sort::Question | Sort::Calculated);
                placed.push(Comment { question: asks.then(|| part.name.clone()), ..comment });
            }
            None => nowhere.push(comment.path),
        }
    }
    if nowhere.is_empty() {
        return Ok(placed);
    }
    let detail = format!("the form has no question, or these answers no row, at {}", nowhere.join(", "));
    Err(Error::invalid("question_unknown", detail).with("paths", nowhere))
}

/// Whether the innermost row a path goes through is there. A question itself may be unanswered.
fn has_row(outline: &Outline, judgement: &Judgement, path: &str) -> bool {
    match path.rfind(']') {
        Some(end) => outline.value(&judgement.answers, &path[..=end]).is_some(),
        None => true,
    }
}
