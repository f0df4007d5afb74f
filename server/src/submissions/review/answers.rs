//! What reviewers answered themselves: the questions the form asks of its reviewer (`x-asked-of`), answered about one revision and kept
//! apart from it. Rows are only ever added; the last one about the revision that stands is what counts.
//!
//! What a newcomer would get wrong: a correction does not take the reviewer's answers along. What was answered about the revision before is
//! suggested, and counts again once a reviewer has said it again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use form_engine::{Asked, Finding};
use serde::Serialize;
use serde_json::{Map, Value};

use super::model::AnswersRow;
use super::store;
use crate::accounts::Role;
use crate::db::{At, DbConn};
use crate::error::{Error, Result};
use crate::forms::{Outline, Release};
use crate::submissions::model::{Head, Judgement, SubmissionId};
use crate::submissions::reading::unknown;
use crate::submissions::{changes, redaction, store as heads};

/// What a reviewer is asked about a submission, and what was answered.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "version": 1, "revision": 2, "answers": { "licence_genuine": "yes" }, "by": "0190b7a0-…", "role": "supervisor",
    "at": "2026-11-20T09:30:00Z",
    "asked": [{ "path": "licence_genuine", "question": "licence_genuine", "label": { "en": "Is the licence genuine?" },
        "required": true, "answered": true }],
    "missing": [], "suggested": {}
}))]
pub(in crate::submissions) struct ReviewAnswers {
    /// Send it as `answers_version` when you answer: 0 while nobody has answered.
    version: i32,
    /// The revision it is about.
    revision: i32,
    /// Path -> answer.
    #[schema(value_type = Object)]
    answers: Map<String, Value>,
    /// The account of whoever answered.
    by: Option<String>,
    /// Their role.
    role: Option<Role>,
    /// When.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    at: Option<At>,
    /// The questions asked of the reviewer.
    asked: Vec<AskedView>,
    /// Paths that must be answered before the submission can be accepted.
    missing: Vec<String>,
    /// What was answered about an earlier revision: it counts once it is answered again.
    #[schema(value_type = Object)]
    suggested: Map<String, Value>,
}

/// A question asked of the reviewer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AskedView {
    /// Where it stands: `children[0].age_settled`.
    path: String,
    question: String,
    /// What people read, by language.
    label: BTreeMap<String, String>,
    /// The submission cannot be accepted without an answer.
    required: bool,
    answered: bool,
}

/// What a reviewer is asked about a revision and what was answered; none: the form asks its reviewer nothing there. Without `sensitive`,
/// what is held back is left out and named in `taken`.
pub(in crate::submissions) fn about(
    conn: &mut DbConn,
    head: &Head,
    revision: i32,
    release: &Release,
    judgement: &Judgement,
    sensitive: bool,
    taken: &mut BTreeSet<String>,
) -> Result<Option<ReviewAnswers>> {
    if judgement.asked_at_review.is_empty() {
        return Ok(None);
    }
    let last = store::last_answers(conn, &head.id)?;
    let version = last.as_ref().map_or(0, |row| row.n);
    let standing = store::answers_about(conn, &head.id, revision)?;
    let earlier = last.filter(|row| row.revision < revision && standing.is_none());
    let mut suggested = match &earlier {
        Some(row) => suggestions(conn, row, &release.outline, judgement)?,
        None => Map::new(),
    };
    let mut shown = of_row(standing.as_ref(), version, revision, &release.outline, judgement)?;
    if !sensitive {
        for answers in [&mut shown.answers, &mut suggested] {
            redaction::take_paths(answers, &release.sensitive, taken);
        }
    }
    shown.suggested = suggested;
    Ok(Some(shown))
}

/// A row as reviewers see it, with nothing held back.
pub(super) fn of_row(
    row: Option<&AnswersRow>,
    version: i32,
    revision: i32,
    outline: &Outline,
    judgement: &Judgement,
) -> Result<ReviewAnswers> {
    let asked = match row {
        Some(row) => row.said()?.asked,
        None => judgement.asked_at_review.clone(),
    };
    Ok(ReviewAnswers {
        version,
        revision,
        answers: row.map(AnswersRow::answers).transpose()?.unwrap_or_default(),
        by: row.map(|row| row.answered_by.clone()),
        role: row.map(|row| row.role),
        at: row.map(|row| row.answered_at),
        missing: missing(&asked),
        asked: asked.into_iter().map(|it| AskedView::of(it, outline)).collect(),
        suggested: Map::new(),
    })
}

impl AskedView {
    fn of(asked: Asked, outline: &Outline) -> AskedView {
        AskedView {
            label: outline.part(&asked.question).map(|part| part.label.clone()).unwrap_or_default(),
            path: asked.path,
            question: asked.question,
            required: asked.required,
            answered: asked.answered,
        }
    }
}

fn missing(asked: &[Asked]) -> Vec<String> {
    asked.iter().filter(|it| it.is_missing()).map(|it| it.path.clone()).collect()
}

/// What was answered about an earlier revision, where its rows stand now.
fn suggestions(
    conn: &mut DbConn,
    row: &AnswersRow,
    outline: &Outline,
    now: &Judgement,
) -> Result<Map<String, Value>> {
    let then = heads::revision(conn, &row.submission_id, row.revision)?;
    let then = then.ok_or_else(|| unknown(&row.submission_id))?.judgement()?;
    let carried = row.answers()?.into_iter().filter_map(|(path, answer)| {
        Some((changes::carried(outline, &then.answers, &now.answers, &path)?, answer))
    });
    Ok(carried.collect())
}

/// What is found in a revision together with what its reviewer answered; none: nobody has answered anything.
pub(in crate::submissions) fn findings_at_review(
    conn: &mut DbConn,
    id: &SubmissionId,
    revision: i32,
) -> Result<Option<Vec<Finding>>> {
    let row = store::answers_about(conn, id, revision)?;
    row.map(|row| Ok(row.said()?.findings)).transpose()
}

/// What reviewers had answered about these submissions by then: of each revision what was said last.
pub(in crate::submissions) fn answered_by(
    conn: &mut DbConn,
    ids: &[SubmissionId],
    through: At,
) -> Result<HashMap<(SubmissionId, i32), Map<String, Value>>> {
    let rows = store::answers_by(conn, ids, through)?;
    // A later row about the same revision takes the place of the one before.
    rows.into_iter().map(|row| Ok(((row.submission_id.clone(), row.revision), row.answers()?))).collect()
}

/// Lays what the reviewer answered about a revision into its answers, for those who may know it.
pub(super) fn lay_in(
    conn: &mut DbConn,
    id: &SubmissionId,
    n: i32,
    release: &Release,
    answers: &mut Value,
) -> Result<()> {
    let Some(row) = store::answers_about(conn, id, n)? else { return Ok(()) };
    for (path, answer) in row.answers()? {
        release.compiled.write_answer(answers, &path, answer);
    }
    Ok(())
}

/// Paths that must be answered before the revision that stands can be accepted.
pub(super) fn awaited(conn: &mut DbConn, head: &Head) -> Result<Vec<String>> {
    if let Some(row) = store::answers_about(conn, &head.id, head.revision)? {
        return Ok(missing(&row.said()?.asked));
    }
    let revision = heads::revision(conn, &head.id, head.revision)?.ok_or_else(|| unknown(&head.id))?;
    Ok(missing(&revision.judgement()?.asked_at_review))
}

/// Passes what lacks no answer of its reviewer.
pub(super) fn nothing_awaited(conn: &mut DbConn, head: &Head) -> Result<()> {
    let paths = awaited(conn, head)?;
    if paths.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "submission {} cannot be accepted before its reviewer has answered {}; send them in `answers`",
        head.id,
        paths.join(", ")
    );
    Err(Error::conflict("review_answers_missing", detail).with("questions", paths))
}
