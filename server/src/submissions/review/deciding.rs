//! Deciding: one unit of work that adds the decision, moves the head, records the event and tells those who watch. What was
//! decided stands: the same decision sent again by the same person is answered with what stands, any other is told who was first.

use serde_json::json;

use super::answering::{self, Answering};
use super::answers;
use super::model::{Comment, ReviewRow};
use super::requests::{ReviewRequest, Wish, commented};
use super::views::{Candour, DecisionView};
use super::{REVIEWING, store};
use crate::accounts::{Actor, Kind};
use crate::audit::{self, Event};
use crate::db::{At, DbConn, Json, Tx};
use crate::error::{Error, Result};
use crate::feed::{self, Audience, What};
use crate::queue::{self, Job};
use crate::submissions::model::{Action, Head, MediaState, Review, SubmissionId, Verdict};
use crate::submissions::reading::{Reader, Sight, unknown};
use crate::submissions::settling::{out_of_date, visit};
use crate::submissions::watching::{Areas, Decision, Watchers};
use crate::submissions::{Submissions, store as heads};

/// Everything a decision is made from.
pub(super) struct Case {
    pub(super) id: SubmissionId,
    pub(super) reviewer: Actor,
    pub(super) sight: Sight,
    pub(super) wish: Wish,
    /// The revision that was looked at; none: the one that stands.
    pub(super) seen: Option<i32>,
    /// Its hash, where the reviewer names it.
    pub(super) if_match: Option<String>,
    /// What the reviewer answers, judged.
    pub(super) answers: Option<Answering>,
}

impl Submissions {
    /// Decides about a submission.
    pub(super) async fn review(
        &self,
        reviewer: Actor,
        id: SubmissionId,
        request: ReviewRequest,
        header: Option<String>,
    ) -> Result<DecisionView> {
        reviewer.may_any(REVIEWING)?;
        let if_match = same_page(request.if_match.clone(), header)?;
        let mut wish = request.wish(self.clock.now())?;
        let reader = Reader { actor: reviewer, reason: None };
        let head = self.visible(&reader, &id).await?;
        may_decide(&reader.actor, &head)?;
        if !wish.comments.is_empty() {
            wish.comments = self.placed(wish.comments, &head).await?;
        }
        let given = wish.answers.take();
        // What is decided already is answered by what stands, whatever comes with it.
        let answers = match given.filter(|_| head.review == Review::Received) {
            Some(given) => Some(self.judged_with(&head, given, wish.answers_version.unwrap_or(0)).await?),
            None => None,
        };
        let sight = reader.sight();
        let seen = Some(head.revision);
        self.decide(Case { id, reviewer: reader.actor, sight, wish, seen, if_match, answers }).await
    }

    /// All decisions about a submission, oldest first, as far as the reader may know of them.
    pub(super) async fn decisions(&self, reader: Reader, id: SubmissionId) -> Result<Vec<DecisionView>> {
        let head = self.visible(&reader, &id).await?;
        let sensitive = reader.sees_sensitive(&head, self.clock.now());
        if sensitive {
            self.note_reading(&reader, &head, "decisions").await?;
        }
        let candour = reader.candour(&head, sensitive);
        let rows = self.db.read(move |conn| store::history(conn, &head.id)).await?;
        rows.into_iter().map(|row| DecisionView::of(row, candour)).collect()
    }

    /// The comments, checked against the form and the answers of the revision that stands.
    async fn placed(&self, comments: Vec<Comment>, head: &Head) -> Result<Vec<Comment>> {
        let release = self.release_of(head)?;
        if let Some(own) = comments.iter().find(|it| release.compiled.is_asked_of_reviewer(name_in(&it.path)))
        {
            let detail =
                format!("{} is answered at review; the filer has no such question to correct", own.path);
            return Err(Error::invalid("question_of_reviewer", detail).with("path", own.path.clone()));
        }
        let (id, n) = (head.id.clone(), head.revision);
        self.db
            .read(move |conn| {
                let revision = heads::revision(conn, &id, n)?.ok_or_else(|| unknown(&id))?;
                commented(comments, &release.outline, &revision.judgement()?)
            })
            .await
    }

    /// Decides in a unit of work of its own.
    pub(super) async fn decide(&self, case: Case) -> Result<DecisionView> {
        let (by, watchers) = (case.reviewer.by(), self.watchers.clone());
        let row = self.db.write(by, move |tx| decide(tx, &case, &watchers)).await?;
        metrics::counter!("nigran_decisions_total", "action" => row.action.as_str()).increment(1);
        tracing::info!(submission.id = %row.submission_id, revision = row.revision, action = %row.action,
            "{} submission {}", row.action.past(), row.submission_id);
        DecisionView::of(row, Candour::Reviewer)
    }
}

/// The revision the page was of, said once or twice alike.
pub(super) fn same_page(member: Option<String>, header: Option<String>) -> Result<Option<String>> {
    match (member, header) {
        (Some(member), Some(header)) if member != header => Err(Error::invalid(
            "bad_if_match",
            "If-Match and `if_match` name two revisions; send the one that was looked at",
        )),
        (member, header) => Ok(member.or(header)),
    }
}

/// `children[0].age_years` -> `age_years`.
fn name_in(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// The line and the post must be the right ones, and nobody reviews their own.
pub(super) fn may_decide(reviewer: &Actor, head: &Head) -> Result<()> {
    reviewer.may(Kind::reviewing(head.kind))?;
    match head.account_id == reviewer.account.as_str() {
        true => Err(Error::forbidden(
            "own_submission",
            "nobody reviews what they filed themselves; ask another reviewer of the area",
        )),
        false => Ok(()),
    }
}

fn decide(tx: &mut Tx, case: &Case, watchers: &Watchers) -> Result<ReviewRow> {
    let head = heads::visible_head(tx.conn, &case.id, &case.sight)?.ok_or_else(|| unknown(&case.id))?;
    may_decide(&case.reviewer, &head)?;
    let named_another = case.if_match.as_ref().is_some_and(|known| *known != head.content_hash);
    if named_another || case.seen.is_some_and(|seen| seen != head.revision) {
        return Err(out_of_date(&head));
    }
    let last = store::last(tx.conn, &head.id)?;
    if !case.wish.action.is_possible_from(head.review) {
        return match last {
            Some(last) if is_the_same(&last, case, &head)? => Ok(last),
            last => Err(decided_already(&head, last.as_ref())),
        };
    }
    if case.wish.action == Action::Reopen {
        by_another(last.as_ref(), case, head.review)?;
    }
    if case.wish.only_if_clean {
        clean(tx.conn, &head)?;
    }
    if let Some(answers) = &case.answers {
        answering::put(tx, answers, &case.reviewer, &head, watchers)?;
    }
    let row = row(tx, case, &head, last.map_or(1, |last| last.n + 1))?;
    store::add(tx.conn, &row)?;
    let now = case.wish.action.leads_to();
    if !store::move_head(tx.conn, &head, now, row.decided_at)? {
        // Another process was in between; run again, this unit will see what it did.
        return Err(decided_already(&head, None));
    }
    // Nobody answers from here on: the head is held.
    if case.answers.is_none()
        && let Some(seen) = case.wish.answers_version
    {
        let standing = store::last_answers(tx.conn, &head.id)?;
        answering::unchanged_since(seen, standing.map_or(0, |row| row.n))?;
    }
    if case.wish.action == Action::Accept {
        answers::nothing_awaited(tx.conn, &head)?;
    }
    audit::record(tx, Event::new("submission.reviewed", "submission", &head.id, details(&row, now)))?;
    if head.review == Review::Rejected || now == Review::Rejected {
        visit(tx, &Head { review: now, ..head.clone() })?;
    }
    feed::changed(tx, What::Submission, &head.id, Audience::Account(head.account_id.clone()))?;
    watchers.decided(tx, &decision(&row, &head, now))?;
    tell_filer(tx, &head, now)?;
    Ok(row)
}

/// Leaves word for whoever filed it that it came back or was turned down; what reviewers wrote stays here.
fn tell_filer(tx: &mut Tx, head: &Head, now: Review) -> Result<()> {
    let template = match now {
        Review::Returned => "submission.returned",
        Review::Rejected => "submission.rejected",
        Review::Received | Review::Accepted => return Ok(()),
    };
    let subject = format!("submission:{}", head.id);
    let details = json!({
        "template": template, "subject": subject, "link": format!("/v1/submissions/{}", head.id),
        "area": { "province": head.province, "division": head.division, "district": head.district },
        "line": head.kind.line(), "audience": [{ "account": head.account_id }],
    });
    let key = format!("{template}:{}:{}", head.id, tx.now().timestamp_micros());
    queue::enqueue(tx, Job::new("notify", subject).with(details).once(key))
}

fn row(tx: &Tx, case: &Case, head: &Head, n: i32) -> Result<ReviewRow> {
    let wish = &case.wish;
    Ok(ReviewRow {
        submission_id: head.id.clone(),
        n,
        id: tx.new_id().to_string(),
        revision: head.revision,
        action: wish.action,
        decided_by: case.reviewer.account.to_string(),
        role: case.reviewer.role,
        decided_at: At::from(tx.now()),
        reason: wish.reason.clone(),
        notes: wish.notes.clone(),
        comments: Json::of(&wish.comments)?,
        due_at: wish.due_at,
    })
}

/// Ids, counts and outcomes: what was written about the answers is case content.
fn details(row: &ReviewRow, now: Review) -> serde_json::Value {
    json!({
        "decision": row.id,
        "revision": row.revision,
        "action": row.action,
        "review": now,
        "comments": row.comments().map_or(0, |comments| comments.len()),
        "due_at": row.due_at,
    })
}

fn decision<'a>(row: &'a ReviewRow, head: &'a Head, now: Review) -> Decision<'a> {
    Decision {
        id: &row.id,
        submission: &head.id,
        revision: row.revision,
        form: &head.form,
        kind: head.kind,
        facility: head.facility.as_deref(),
        account: &head.account_id,
        areas: Areas::of(head),
        action: row.action,
        before: head.review,
        now,
        by: &row.decided_by,
        at: row.decided_at,
        reason: row.reason.as_deref(),
        due_at: row.due_at,
    }
}

/// Whether this is the decision that stands, sent again by whoever made it.
fn is_the_same(last: &ReviewRow, case: &Case, head: &Head) -> Result<bool> {
    let wish = &case.wish;
    Ok(last.revision == head.revision
        && last.action == wish.action
        && last.decided_by == case.reviewer.account.as_str()
        && last.reason == wish.reason
        && last.due_at == wish.due_at
        && last.comments()? == wish.comments)
}

/// A decision is taken back by a second person; what was only sent back, by whoever sent it as well.
fn by_another(last: Option<&ReviewRow>, case: &Case, review: Review) -> Result<()> {
    let is_own = last.is_some_and(|last| last.decided_by == case.reviewer.account.as_str());
    match is_own && review != Review::Returned {
        true => Err(Error::forbidden(
            "second_person_needed",
            "whoever decided does not reopen it; ask another reviewer of the area",
        )),
        false => Ok(()),
    }
}

/// Passes what needs no look: valid, complete, without findings, without flags.
fn clean(conn: &mut DbConn, head: &Head) -> Result<()> {
    let refuse = |what: &str| {
        let detail = format!("submission {} {what}; look at it and decide about it by itself", head.id);
        Err(Error::conflict("not_clean", detail))
    };
    match head {
        Head { verdict: Verdict::Warnings | Verdict::Invalid | Verdict::Quarantined, .. } => {
            return refuse("is not valid");
        }
        Head { media: MediaState::Awaiting, .. } => return refuse("still waits for files"),
        Head { findings: 1.., .. } => return refuse("has findings"),
        // What was filed before ranks were kept may have flags all the same.
        Head { queue_rank: 0, .. } => {}
        _ => return refuse("has flags"),
    }
    let revision = heads::revision(conn, &head.id, head.revision)?.ok_or_else(|| unknown(&head.id))?;
    match revision.judgement()?.flags.is_empty() {
        true => Ok(()),
        false => refuse("has flags"),
    }
}

/// Says who was first: the role, not the name.
pub(super) fn decided_already(head: &Head, last: Option<&ReviewRow>) -> Error {
    let error = |detail| {
        Error::conflict("already_decided", detail)
            .with("review", head.review.as_str())
            .with("revision", head.revision)
    };
    match last {
        _ if head.review == Review::Received => {
            let mut error =
                error(format!("submission {} waits for a decision; there is none to take back", head.id));
            error.code = "not_decided";
            error
        }
        Some(last) => {
            let by = format!("{} by a {} at {}", last.action.past(), last.role, last.decided_at);
            error(format!("submission {} was {by}; reopen it to decide anew", head.id))
                .with("decided", json!({ "action": last.action, "role": last.role, "at": last.decided_at }))
        }
        None => error(format!("submission {} is {}; reopen it to decide anew", head.id, head.review)),
    }
}
