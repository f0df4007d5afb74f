//! Reading what was filed, within the reader's areas. What a reader may not see does not exist for them: 404.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Submissions;
use super::model::{
    DeclaredMedia, Flag, Head, Judgement, MediaState, Revision, Review, SubmissionId, Verdict,
};
use super::{ingest, redaction, store};
use crate::accounts::{Actor, Kind, Scope};
use crate::audit::{self, Event};
use crate::db::At;
use crate::error::{Error, Result};
use crate::http::{Cursor, Page};
use crate::places::PlaceTag;

/// `GET /v1/submissions?…`
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Filed with this form.
    pub(super) form: Option<String>,
    /// In this district: `PK226`.
    pub(super) district: Option<String>,
    /// Standing so with the reviewer.
    pub(super) review: Option<Review>,
    /// Judged so by the rules.
    pub(super) verdict: Option<Verdict>,
    /// About this facility.
    pub(super) facility: Option<String>,
    /// Within `west,south,east,north`, in degrees.
    pub(super) bbox: Option<String>,
    /// Visits that ended at or after this date or instant.
    pub(super) from: Option<String>,
    /// Visits that ended before this date or instant.
    pub(super) to: Option<String>,
    /// `next` of the page before.
    pub(super) after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    pub(super) limit: Option<u16>,
}

/// A query made sense of.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) form: Option<String>,
    pub(super) district: Option<String>,
    pub(super) review: Option<Review>,
    pub(super) verdict: Option<Verdict>,
    pub(super) facility: Option<String>,
    pub(super) bbox: Option<[f64; 4]>,
    pub(super) from: Option<At>,
    pub(super) to: Option<At>,
    pub(super) after: Option<(At, String)>,
    pub(super) limit: i64,
}

impl Query {
    fn filter(self) -> Result<(Filter, usize)> {
        let cursor = Cursor { after: self.after, limit: self.limit };
        let after: Option<(i64, String)> = cursor.place()?;
        let filter = Filter {
            form: self.form,
            district: self.district,
            review: self.review,
            verdict: self.verdict,
            facility: self.facility,
            bbox: self.bbox.as_deref().map(bbox).transpose()?,
            from: self.from.as_deref().map(instant).transpose()?,
            to: self.to.as_deref().map(instant).transpose()?,
            after: after.map(|(at, id)| (At::from_micros(at), id)),
            limit: cursor.limit() as i64 + 1,
        };
        Ok((filter, cursor.limit()))
    }
}

fn bbox(text: &str) -> Result<[f64; 4]> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
    numbers
        .and_then(|numbers| numbers.try_into().ok())
        .ok_or_else(|| Error::invalid("bad_bbox", "bbox is west,south,east,north in degrees: 66.9,30.1,67.1,30.3"))
}

fn instant(text: &str) -> Result<At> {
    let at = DateTime::parse_from_rfc3339(text).map(At::from).ok();
    let day = || Some(At::from(text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc()));
    at.or_else(day).ok_or_else(|| {
        Error::invalid("bad_instant", format!("{text:?} is neither a date (2026-11-20) nor an instant (RFC 3339)"))
    })
}

/// A submission in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "form": "child-labour-inspection", "version": 1, "revision": 1,
    "content_hash": "9f2c…", "verdict": "valid", "media": "complete", "review": "received",
    "received_at": "2026-11-20T04:00:01Z", "finished_at": "2026-11-20T03:47:10Z", "filed_by": "0190b7a0-…",
    "facility": null, "district": "PK226", "findings": 2, "summary": { "inspection_no": "CLI-QTA1-2026-0101" }
}))]
pub(super) struct ListedSubmission {
    id: SubmissionId,
    form: String,
    version: i32,
    revision: i32,
    content_hash: String,
    verdict: Verdict,
    media: MediaState,
    review: Review,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    received_at: At,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    finished_at: At,
    filed_by: String,
    facility: Option<String>,
    district: Option<String>,
    findings: usize,
    #[schema(value_type = Object)]
    summary: Map<String, Value>,
}

/// A submission as it is read.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "form": "child-labour-inspection", "version": 1, "revision": 1,
    "content_hash": "9f2c…", "answers": { "b1": { "inspection_no": "CLI-QTA1-2026-0101" } }, "calculated": { "wf_total": 6 },
    "media": "complete", "media_missing": [], "verdict": "valid", "review": "received", "violations": [], "findings": [],
    "flags": [], "redacted": []
}))]
pub(super) struct SubmissionView {
    id: SubmissionId,
    form: String,
    version: i32,
    revision: i32,
    content_hash: String,
    #[schema(value_type = Object)]
    answers: Value,
    #[schema(value_type = Object)]
    calculated: Map<String, Value>,
    media: MediaState,
    media_missing: Vec<String>,
    /// The files it declares.
    media_declared: Vec<DeclaredMedia>,
    verdict: Verdict,
    review: Review,
    #[schema(value_type = Vec<Object>)]
    violations: Vec<form_engine::Violation>,
    #[schema(value_type = Vec<Object>)]
    findings: Vec<form_engine::Finding>,
    #[schema(value_type = Object)]
    scores: Map<String, Value>,
    #[schema(value_type = Object)]
    summary: Map<String, Value>,
    flags: Vec<Flag>,
    place: PlaceTag,
    facility: Option<String>,
    filed_by: String,
    device: Option<String>,
    started_at: Option<String>,
    finished_at: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    received_at: At,
    receipt: String,
    /// Questions whose answers are held back; read with `?reason=` if you may see them.
    redacted: Vec<String>,
}

/// A revision in a submission's history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "revision": 1, "content_hash": "9f2c…", "release_hash": "5f0c…", "received_at": "2026-11-20T04:00:01Z",
    "verdict": "valid", "findings": 0, "receipt": "eyJ…"
}))]
pub(super) struct ListedRevision {
    revision: i32,
    content_hash: String,
    release_hash: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    received_at: At,
    verdict: Verdict,
    findings: usize,
    receipt: String,
}

/// Somebody who reads, and why.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) actor: Actor,
    /// Why sensitive answers are wanted; without a reason they are held back.
    pub(super) reason: Option<String>,
}

/// What a reader's queries may reach.
pub(super) struct Sight {
    /// For each kind of form.
    pub(super) scopes: Vec<(Kind, Scope)>,
    /// Whose "own" is.
    pub(super) account: String,
    /// Codes of the areas.
    pub(super) areas: Vec<String>,
}

impl Reader {
    pub(super) fn sight(&self) -> Sight {
        Sight {
            scopes: Kind::ALL.iter().map(|&kind| (kind, self.actor.reach(kind).scope)).collect(),
            account: self.actor.account.to_string(),
            areas: self.actor.areas.clone(),
        }
    }

    fn is_filer(&self, head: &Head) -> bool {
        head.account_id == self.actor.account.as_str()
    }

    /// Filers see what they wrote themselves for a while; others give a reason, which is recorded.
    fn sees_sensitive(&self, head: &Head, now: DateTime<Utc>) -> bool {
        let age = now - head.received_at.utc();
        let may = self.actor.reach(head.kind).sensitive_after(age);
        may && (self.is_filer(head) || self.reason.is_some())
    }
}

impl Submissions {
    /// A page of what the reader may see.
    pub(super) async fn list(&self, reader: Reader, query: Query) -> Result<Page<ListedSubmission>> {
        let (filter, limit) = query.filter()?;
        let sight = reader.sight();
        let items = self
            .db
            .read(move |conn| {
                let heads = store::page(conn, &filter, &sight)?;
                let outcomes = store::outcomes(conn, &heads)?;
                heads
                    .into_iter()
                    .filter_map(|head| Some((outcomes.get(&head.id)?, head)))
                    .map(|(outcome, head)| Ok(listed(head, outcome.read()?)))
                    .collect::<Result<Vec<_>>>()
            })
            .await?;
        Ok(Page::of(items, limit, |item| (item.received_at.micros(), item.id.to_string())))
    }

    /// The head of a submission the reader may see.
    pub(super) async fn visible(&self, reader: &Reader, id: &SubmissionId) -> Result<Head> {
        let (sight, wanted) = (reader.sight(), id.clone());
        let head = self.db.read(move |conn| store::visible_head(conn, &wanted, &sight)).await?;
        head.ok_or_else(|| unknown(id))
    }

    /// A submission, or one revision of it.
    pub(super) async fn show(&self, reader: Reader, id: SubmissionId, n: Option<i32>) -> Result<SubmissionView> {
        let head = self.visible(&reader, &id).await?;
        let n = n.unwrap_or(head.revision);
        let sensitive = reader.sees_sensitive(&head, self.clock.now());
        self.note_reading(&reader, &head, if sensitive { "sensitive" } else { "redacted" }).await?;
        let desk = self.clone();
        self.db.read(move |conn| {
            let revision = store::revision(conn, &head.id, n)?.ok_or_else(|| no_revision(&head.id, n))?;
            let tag = store::tag(conn, &head.id, n)?;
            let mut judgement: Judgement = revision.outcome.read()?;
            if let Some(tag) = tag {
                judgement.place = tag.tag.read()?;
            }
            let missing = ingest::missing_media(conn, &head.id, &judgement)?;
            let redacted = if sensitive { Vec::new() } else { desk.hold_back(&head, &mut judgement)? };
            Ok(view(head, revision, judgement, missing, redacted))
        }).await
    }

    fn hold_back(&self, head: &Head, judgement: &mut Judgement) -> Result<Vec<String>> {
        let release = self
            .forms
            .release(&head.form, head.version as u32)?
            .ok_or_else(|| Error::internal("reading a submission", "its release is gone"))?;
        Ok(redaction::redact(judgement, &release.sensitive).into_iter().collect())
    }

    /// All revisions of a submission, oldest first.
    pub(super) async fn history(&self, reader: Reader, id: SubmissionId) -> Result<Vec<ListedRevision>> {
        let head = self.visible(&reader, &id).await?;
        let rows = self.db.read(move |conn| store::history(conn, &head.id)).await?;
        rows.into_iter().map(listed_revision).collect()
    }

    /// The bytes of the current revision as they came. They cannot be redacted, so they are for those who may see
    /// everything.
    pub(super) async fn raw(&self, reader: Reader, id: SubmissionId) -> Result<Vec<u8>> {
        let head = self.visible(&reader, &id).await?;
        if !reader.sees_sensitive(&head, self.clock.now()) {
            return Err(Error::forbidden(
                "sensitive",
                "the raw bytes hold sensitive answers; those who may see them give ?reason=",
            ));
        }
        self.note_reading(&reader, &head, "raw").await?;
        let row = self.db.read(move |conn| store::revision(conn, &head.id, head.revision)).await?;
        row.ok_or_else(|| unknown(&id))?.raw.unpack()
    }

    /// Records who read somebody else's submission, and why.
    pub(super) async fn note_reading(&self, reader: &Reader, head: &Head, what: &'static str) -> Result<()> {
        if reader.is_filer(head) {
            return Ok(());
        }
        let (id, reason) = (head.id.clone(), reader.reason.clone());
        let details = json!({ "what": what, "reason": reason });
        self.db
            .write(reader.actor.by(), move |tx| {
                audit::record(tx, Event::new("submission.read", "submission", &id, details.clone()))
            })
            .await
    }
}

fn listed(head: Head, judgement: Judgement) -> ListedSubmission {
    ListedSubmission {
        id: head.id,
        form: head.form,
        version: head.version,
        revision: head.revision,
        content_hash: head.content_hash,
        verdict: head.verdict,
        media: head.media,
        review: head.review,
        received_at: head.received_at,
        finished_at: head.finished_at,
        filed_by: head.account_id,
        facility: head.facility,
        district: head.district,
        findings: judgement.findings.len(),
        summary: judgement.summary,
    }
}

fn listed_revision(row: Revision) -> Result<ListedRevision> {
    let judgement: Judgement = row.outcome.read()?;
    Ok(ListedRevision {
        revision: row.revision,
        content_hash: row.content_hash,
        release_hash: row.release_hash,
        received_at: row.received_at,
        verdict: judgement.verdict,
        findings: judgement.findings.len(),
        receipt: row.receipt,
    })
}

fn view(
    head: Head,
    revision: Revision,
    judgement: Judgement,
    media_missing: Vec<String>,
    redacted: Vec<String>,
) -> SubmissionView {
    SubmissionView {
        id: head.id,
        form: head.form,
        version: head.version,
        revision: revision.revision,
        content_hash: revision.content_hash,
        answers: judgement.answers,
        calculated: judgement.calculated,
        media: if media_missing.is_empty() { MediaState::Complete } else { MediaState::Awaiting },
        media_missing,
        media_declared: judgement.declared,
        verdict: judgement.verdict,
        review: head.review,
        violations: judgement.violations,
        findings: judgement.findings,
        scores: judgement.scores,
        summary: judgement.summary,
        flags: judgement.flags,
        place: judgement.place,
        facility: head.facility,
        filed_by: head.account_id,
        device: revision.device_id,
        started_at: judgement.started_at,
        finished_at: judgement.finished_at,
        received_at: revision.received_at,
        receipt: revision.receipt,
        redacted,
    }
}

/// What is told of a submission that does not exist, and of one that is none of the reader's business.
pub(super) fn unknown(id: &SubmissionId) -> Error {
    Error::not_found("submission_unknown", format!("there is no submission {id} that you may see"))
}

fn no_revision(id: &SubmissionId, n: i32) -> Error {
    Error::not_found("revision_unknown", format!("submission {id} has no revision {n}"))
}
