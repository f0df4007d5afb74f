//! Answering: a reviewer answers what the form asks of reviewers, with the decision or ahead of it. The answers are judged by the engine
//! together with the revision they are about, in the circumstances of its visit; what is wrong with them is said and nothing is stored. Then
//! one unit of work adds the row, brings head and findings into line, and records that it was done, never what was answered.

use std::sync::Arc;

use chrono::Duration;
use form_engine::{Finding, Level, Violation};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answers::{self, ReviewAnswers};
use super::deciding::{decided_already, may_decide, same_page};
use super::model::{AnswersRow, Said};
use super::{REVIEWING, store};
use crate::accounts::Actor;
use crate::audit::{self, Event};
use crate::db::{At, DbConn, Json, Tx};
use crate::error::{Error, Result};
use crate::forms::Release;
use crate::submissions::envelope::Envelope;
use crate::submissions::model::{Head, Judgement, Review, SubmissionId};
use crate::submissions::reading::{Reader, unknown};
use crate::submissions::risk::Risk;
use crate::submissions::settling::out_of_date;
use crate::submissions::surroundings::{self, Filed, Reads, Surroundings};
use crate::submissions::watching::{Areas, FiledRevision, Watchers};
use crate::submissions::{Submissions, flags, judging, rejudging, store as heads};

/// Answers of one reviewer at most.
const MOST: usize = 1000;

/// `PUT /v1/submissions/{id}/review-answers`
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(example = json!({ "answers": { "licence_genuine": "yes" }, "answers_version": 0, "if_match": "9f2c…" }))]
pub(super) struct AnswerRequest {
    /// All answers of the reviewer: path -> answer. What is left out is unanswered.
    #[schema(value_type = Object)]
    pub(super) answers: Map<String, Value>,
    /// The `version` of the answers that were looked at; 0, as when left out: there were none.
    #[serde(default)]
    pub(super) answers_version: i32,
    /// The content hash of the revision that was looked at; `If-Match` says the same.
    #[serde(default)]
    pub(super) if_match: Option<String>,
}

/// A reviewer's answers, judged together with the revision they are about.
pub(super) struct Answering {
    revision: i32,
    received_at: At,
    finished_at: At,
    /// The version that was looked at.
    seen: i32,
    answers: Map<String, Value>,
    said: Said,
    /// What was found in the filing alone.
    filed: Vec<Finding>,
    rank: i32,
    release: Arc<Release>,
    /// The revision's, with what is found in both together.
    judgement: Judgement,
}

impl Submissions {
    /// Stores what a reviewer answers, ahead of the decision.
    pub(super) async fn answer(
        &self,
        reviewer: Actor,
        id: SubmissionId,
        request: AnswerRequest,
        header: Option<String>,
    ) -> Result<ReviewAnswers> {
        reviewer.may_any(REVIEWING)?;
        let if_match = same_page(request.if_match, header)?;
        let reader = Reader { actor: reviewer, reason: None };
        let head = self.visible(&reader, &id).await?;
        may_decide(&reader.actor, &head)?;
        let answering = Arc::new(self.judged_with(&head, request.answers, request.answers_version).await?);
        let (by, watchers, held) = (reader.actor.by(), self.watchers.clone(), answering.clone());
        let row = self
            .db
            .write(by, move |tx| {
                let head = heads::visible_head(tx.conn, &id, &reader.sight())?.ok_or_else(|| unknown(&id))?;
                may_decide(&reader.actor, &head)?;
                if if_match.as_ref().is_some_and(|known| *known != head.content_hash) {
                    return Err(out_of_date(&head));
                }
                put(tx, &held, &reader.actor, &head, &watchers)
            })
            .await?;
        tracing::info!(submission.id = %row.submission_id, revision = row.revision,
            "a reviewer answered about submission {}", row.submission_id);
        answers::of_row(Some(&row), row.n, row.revision, &answering.release.outline, &answering.judgement)
    }

    /// Judges answers together with the revision that stands.
    ///
    /// # Errors
    /// `nothing_asked_of_reviewer`; `review_answers_invalid` with every violation.
    pub(super) async fn judged_with(
        &self,
        head: &Head,
        given: Map<String, Value>,
        seen: i32,
    ) -> Result<Answering> {
        if given.len() > MOST {
            let detail =
                format!("a reviewer has at most {MOST} answers; send those to questions of the reviewer");
            return Err(Error::invalid("too_many_answers", detail));
        }
        let (desk, head) = (self.clone(), head.clone());
        self.db.read(move |conn| desk.judge_with(conn, &head, &given, seen)).await
    }

    fn judge_with(
        &self,
        conn: &mut DbConn,
        head: &Head,
        given: &Map<String, Value>,
        seen: i32,
    ) -> Result<Answering> {
        let release = self.release_of(head)?;
        let revision = heads::revision(conn, &head.id, head.revision)?.ok_or_else(|| unknown(&head.id))?;
        let mut judgement = revision.judgement()?;
        if judgement.asked_at_review.is_empty() {
            return Err(nothing_asked(head));
        }
        let raw = revision.raw()?;
        let envelope: Envelope = serde_json::from_slice(&raw)
            .map_err(|cause| Error::internal("reading a stored envelope", cause))?;
        let around = self.around(conn, head, &envelope, &release)?;
        let user = rejudging::filer(conn, &head.account_id)?;
        let context = judging::context(&envelope, user, &judgement.place, &self.places, &around);
        let non_answers = envelope.non_answers.as_ref();
        let reviewed = release.compiled.review(&envelope.answers, non_answers, given, &context);
        if !reviewed.problems.is_empty() {
            return Err(wrong(reviewed.problems));
        }
        drop(context);
        judgement.findings = reviewed.outcome.findings;
        let late = flags::late(conn, &head.id, head.revision)?;
        Ok(Answering {
            revision: head.revision,
            received_at: revision.received_at,
            finished_at: head.finished_at,
            seen,
            answers: reviewed.answers,
            said: Said { asked: reviewed.asked, findings: judgement.findings.clone() },
            filed: reviewed.filed.findings,
            rank: Risk::with(&judgement, &late).rank(),
            release,
            judgement,
        })
    }

    /// What was looked up when the revision was filed, looked up again.
    fn around(
        &self,
        conn: &mut DbConn,
        head: &Head,
        envelope: &Envelope,
        release: &Release,
    ) -> Result<Surroundings> {
        let reads = Reads::of(release);
        let filed = Filed { id: &head.id, account: &head.account_id, follows: None, envelope, reads };
        match filed.asks() {
            true => surroundings::look_up(conn, &filed, &self.watchers),
            false => Ok(Surroundings::default()),
        }
    }
}

/// Adds the answers, in the unit of work of whoever calls.
pub(super) fn put(
    tx: &mut Tx,
    answering: &Answering,
    reviewer: &Actor,
    head: &Head,
    watchers: &Watchers,
) -> Result<AnswersRow> {
    if answering.revision != head.revision {
        return Err(out_of_date(head));
    }
    let figures = Figures {
        findings: answering.said.findings.len() as i32,
        rank: answering.rank,
        at: At::from(tx.now()),
    };
    if head.review != Review::Received || !store::hold_for_answers(tx.conn, head, &figures)? {
        let now = heads::head(tx.conn, &head.id)?.ok_or_else(|| unknown(&head.id))?;
        let last = store::last(tx.conn, &head.id)?;
        return Err(if now.revision == head.revision {
            decided_already(&now, last.as_ref())
        } else {
            out_of_date(&now)
        });
    }
    // The head is held from here on: nobody else answers or decides meanwhile.
    let last = store::last_answers(tx.conn, &head.id)?;
    if let Some(last) = last.as_ref().filter(|last| is_the_same(last, answering, reviewer)) {
        return Ok(last.clone());
    }
    let version = last.as_ref().map_or(0, |last| last.n);
    unchanged_since(answering.seen, version)?;
    let earlier = last.filter(|last| last.revision == head.revision).map(|last| last.said()).transpose()?;
    let delay = Duration::seconds((tx.now() - answering.finished_at.utc()).num_seconds());
    let row = AnswersRow {
        submission_id: head.id.clone(),
        n: version + 1,
        id: tx.new_id().to_string(),
        revision: head.revision,
        answered_by: reviewer.account.to_string(),
        role: reviewer.role,
        answered_at: At::from(tx.now()),
        answers: Json::of(&answering.answers)?,
        said: Json::of(&answering.said.clone().dated(&answering.filed, earlier.as_ref(), delay))?,
    };
    store::add_answers(tx.conn, &row)?;
    let missing = answering.said.asked.iter().filter(|it| it.is_missing()).count();
    // How many, never what.
    let details = json!({
        "revision": row.revision, "version": row.n, "answered": answering.answers.len(), "missing": missing,
    });
    audit::record(tx, Event::new("submission.review_answered", "submission", &head.id, details))?;
    watchers.reviewed(tx, &as_filed(answering, head, row.answered_at))?;
    Ok(row)
}

/// What of the head follows from the answers.
pub(super) struct Figures {
    pub(super) findings: i32,
    pub(super) rank: i32,
    pub(super) at: At,
}

/// Passes whoever looked at the answers that stand.
pub(super) fn unchanged_since(seen: i32, version: i32) -> Result<()> {
    if seen == version {
        return Ok(());
    }
    let detail = format!(
        "somebody answered meanwhile: the answers stand at version {version}, not {seen}; read them and send `answers_version`"
    );
    Err(Error::stale("review_answers_stale", detail).with("answers_version", version))
}

/// Whether these are the answers that stand, sent again by whoever gave them.
fn is_the_same(last: &AnswersRow, answering: &Answering, reviewer: &Actor) -> bool {
    last.revision == answering.revision
        && last.n == answering.seen + 1
        && last.answered_by == reviewer.account.as_str()
        && last.answers().is_ok_and(|answers| answers == answering.answers)
}

fn as_filed<'a>(answering: &'a Answering, head: &'a Head, answered_at: At) -> FiledRevision<'a> {
    FiledRevision {
        submission: &head.id,
        revision: head.revision,
        form: &head.form,
        kind: head.kind,
        release: &answering.release,
        facility: head.facility.as_deref(),
        account: &head.account_id,
        areas: Areas::of(head),
        finished_at: answering.finished_at,
        received_at: answering.received_at,
        before: Some(head.review),
        answered_at: Some(answered_at),
        findings: &answering.said.findings,
        judgement: &answering.judgement,
    }
}

fn nothing_asked(head: &Head) -> Error {
    Error::invalid(
        "nothing_asked_of_reviewer",
        format!(
            "{} version {} asks nothing of its reviewer here; leave `answers` out",
            head.form, head.version
        ),
    )
}

fn wrong(problems: Vec<Violation>) -> Error {
    let places: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).take(10).collect();
    let detail =
        format!("correct the answers at {}; `violations` says what is wrong with each", places.join(", "));
    debug_assert!(problems.iter().all(|problem| problem.level == Level::Error));
    Error::invalid("review_answers_invalid", detail).with("violations", json!(problems))
}
