//! Settling: the transaction of one filing (`together.rs` has that of many). Is the id known, is this very content stored, is it the next revision of what
//! stands there? Then head, revision, findings and the audit event are written together, and those who watch are told.

use std::sync::Arc;

use serde_json::json;

use super::flags::{self, Neighbours, Seen, Whereabouts};
use super::ingest::{Area, Filed, missing_media};
use super::model::{FindingRow, Head, Judgement, MediaState, Review, Revision, SubmissionId};
use super::receipt::Receipt;
use super::store;
use super::watching::{Areas, FiledRevision, Watchers};
use crate::accounts::{Actor, Tokens};
use crate::audit::{self, Event};
use crate::db::{At, Json, Packed, Tx, storable};
use crate::error::{Error, Result};
use crate::facilities::{self, FacilityId};
use crate::feed::{self, Audience, What};
use crate::forms::Release;
use crate::media;

/// A filing, judged and packed, ready to be stored.
pub(super) struct Filing {
    pub(super) id: SubmissionId,
    pub(super) filer: Arc<Actor>,
    pub(super) if_match: Option<String>,
    pub(super) content_hash: String,
    pub(super) release: Arc<Release>,
    pub(super) judgement: Judgement,
    /// The boundary sets it was located by.
    pub(super) edition: Option<String>,
    pub(super) finished_at: At,
    pub(super) facility: Option<String>,
    pub(super) device_id: Option<String>,
    pub(super) point: Option<(f64, f64)>,
    pub(super) content: Packed,
    pub(super) summary: Json,
    pub(super) queue_rank: i32,
    /// Where and when, to be compared with what the database knows.
    pub(super) whereabouts: Whereabouts,
    /// The revision it was judged to follow, and where that stood with its reviewer.
    pub(super) followed: Option<(i32, Review)>,
}

/// What settling came to.
#[allow(clippy::large_enum_variant, reason = "it is nearly always the large one, and never kept")]
pub(super) enum Settled {
    /// It is done.
    Done(Filed),
    /// A reviewer decided about the revision it follows after it was judged: it must be judged anew.
    Overtaken,
}

/// Stores the filing, or finds that it is stored already, or that something else stands in its place.
pub(super) fn settle(tx: &mut Tx, filing: &Filing, tokens: &Tokens, watchers: &Watchers) -> Result<Settled> {
    let Some(head) = store::head(tx.conn, &filing.id)? else {
        return match filing.if_match {
            None => store_revision(tx, filing, None, tokens, watchers),
            Some(_) => Err(nothing_to_revise(&filing.id)),
        };
    };
    if head.account_id != filing.filer.account.as_str() {
        return Err(Error::not_found(
            "submission_unknown",
            "you have filed no submission with this id; make a new id",
        ));
    }
    if let Some(earlier) = store::revision_with_hash(tx.conn, &filing.id, &filing.content_hash)? {
        return repeated(tx, &head, earlier);
    }
    match &filing.if_match {
        None => Err(other_content(&head)),
        Some(known) if *known != head.content_hash => Err(out_of_date(&head)),
        Some(_) if filing.followed != Some((head.revision, head.review)) => Ok(Settled::Overtaken),
        Some(_) => store_revision(tx, filing, Some(&head), tokens, watchers),
    }
}

fn store_revision(
    tx: &mut Tx,
    filing: &Filing,
    before: Option<&Head>,
    tokens: &Tokens,
    watchers: &Watchers,
) -> Result<Settled> {
    let mut revision = filing.revision(tx, before);
    revision.sign(tokens, &filing.judgement.declared)?;
    if !filing.judgement.declared.is_empty() {
        media::hold_still(tx.conn, &[filing.id.as_str()])?;
    }
    let missing = missing_media(tx.conn, &filing.id, &filing.judgement)?;
    let head = filing.head(tx, before, &revision, missing.is_empty());
    if !store::put_head(tx.conn, &head, before)? {
        return Ok(Settled::Overtaken);
    }
    store::add_revisions(tx.conn, &[&revision])?;
    store::add_findings(tx.conn, &filing.finding_rows(revision.revision))?;
    tell(tx, filing, before, head, revision, missing, watchers, None).map(Settled::Done)
}

/// Records a revision that was just stored, tells those who are to hear of it, and makes its receipt.
#[allow(clippy::too_many_arguments, reason = "two call sites; all of it is what was just stored")]
pub(super) fn tell(
    tx: &mut Tx,
    filing: &Filing,
    before: Option<&Head>,
    head: Head,
    revision: Revision,
    missing: Vec<String>,
    watchers: &Watchers,
    neighbours: Option<Neighbours>,
) -> Result<Filed> {
    let deed = if before.is_some() { "submission.revised" } else { "submission.filed" };
    audit::record(tx, Event::new(deed, "submission", &filing.id, filing.audit_details(revision.revision)))?;
    visit(tx, &head)?;
    feed::changed(tx, What::Submission, &filing.id, Audience::Account(head.account_id.clone()))?;
    watchers.filed(tx, &filing.as_filed(&head, &revision, before))?;
    if missing.len() < filing.judgement.declared.len() {
        flags::about_media(tx, &head.id)?;
    }
    let others = match neighbours {
        Some(others) => others,
        None => Neighbours::of(tx.conn, &head)?,
    };
    let (about, areas) = (&filing.whereabouts, &filing.filer.areas);
    let late = flags::after_filing(tx, &head, &filing.judgement, about, &others, areas)?;
    Ok(Filed::Stored(Receipt::of(&head, revision, &filing.judgement, missing)?.with_flags(late)))
}

/// Tells the register of facilities of the visit, or that there was none: what was rejected was none.
pub(super) fn visit(tx: &mut Tx, head: &Head) -> Result<()> {
    let facility = head.facility.as_ref().and_then(|facility| facility.parse::<FacilityId>().ok());
    match facility.filter(|_| head.review != Review::Rejected) {
        Some(facility) => facilities::visited(tx, &facility, head.finished_at.utc(), head.id.as_str()),
        None if head.revision > 1 || head.review == Review::Rejected => {
            facilities::not_visited(tx, head.id.as_str())
        }
        None => Ok(()),
    }
}

fn repeated(tx: &mut Tx, head: &Head, earlier: Revision) -> Result<Settled> {
    let judgement = earlier.judgement()?;
    let missing = missing_media(tx.conn, &head.id, &judgement)?;
    let late = flags::late(tx.conn, &head.id, earlier.revision)?;
    let receipt = Receipt::of(head, earlier, &judgement, missing)?.with_flags(late);
    Ok(Settled::Done(Filed::Repeated(receipt)))
}

impl Filing {
    /// Who was where and when, to be compared with others.
    pub(super) fn seen(&self) -> Seen<'_> {
        Seen { account: self.filer.account.as_str(), id: &self.id, at: self.finished_at, point: self.point }
    }

    /// The first revision, signed.
    pub(super) fn first_revision(&self, tx: &Tx, tokens: &Tokens) -> Result<Revision> {
        let mut revision = self.revision(tx, None);
        revision.sign(tokens, &self.judgement.declared)?;
        Ok(revision)
    }

    fn revision(&self, tx: &Tx, before: Option<&Head>) -> Revision {
        Revision {
            submission_id: self.id.clone(),
            revision: before.map_or(1, |head| head.revision + 1),
            content_hash: self.content_hash.clone(),
            release_hash: self.release.hash.clone(),
            account_id: self.filer.account.to_string(),
            device_id: self.device_id.clone(),
            received_at: At::from(tx.now()),
            content: self.content.clone(),
            receipt: String::new(),
        }
    }

    pub(super) fn head(&self, tx: &Tx, before: Option<&Head>, revision: &Revision, complete: bool) -> Head {
        let area = Area::of(&self.judgement, &self.release);
        Head {
            id: self.id.clone(),
            form: self.release.form.clone(),
            version: self.release.version as i32,
            kind: self.release.kind,
            revision: revision.revision,
            content_hash: self.content_hash.clone(),
            account_id: self.filer.account.to_string(),
            device_id: self.device_id.clone(),
            facility: self.facility.clone(),
            verdict: self.judgement.verdict,
            media: if complete { MediaState::Complete } else { MediaState::Awaiting },
            review: Review::Received,
            received_at: before.map_or(revision.received_at, |head| head.received_at),
            changed_at: At::from(tx.now()),
            finished_at: self.finished_at,
            province: area.province,
            division: area.division,
            district: area.district,
            tehsil: area.tehsil,
            lat: self.point.map(|(lat, _)| lat),
            lon: self.point.map(|(_, lon)| lon),
            edition: self.edition.clone(),
            findings: self.judgement.findings.len() as i32,
            summary: self.summary.clone(),
            queue_rank: self.queue_rank,
        }
    }

    /// The revision as those who watch are told of it.
    fn as_filed<'a>(
        &'a self,
        head: &'a Head,
        revision: &Revision,
        before: Option<&Head>,
    ) -> FiledRevision<'a> {
        FiledRevision {
            submission: &self.id,
            revision: revision.revision,
            form: &self.release.form,
            kind: self.release.kind,
            release: &self.release,
            facility: self.facility.as_deref(),
            account: &head.account_id,
            areas: Areas::of(head),
            finished_at: self.finished_at,
            received_at: revision.received_at,
            before: before.map(|head| head.review),
            answered_at: None,
            findings: &self.judgement.findings,
            judgement: &self.judgement,
        }
    }

    pub(super) fn finding_rows(&self, revision: i32) -> Vec<FindingRow> {
        self.judgement
            .findings
            .iter()
            .zip(0..)
            .map(|(finding, position)| FindingRow {
                submission_id: self.id.clone(),
                revision,
                position,
                code: finding.code.clone(),
                severity: severity_word(finding.severity),
                row_key: finding.row.clone().map(storable),
                provisional: finding.provisional,
                disclose: finding.disclose,
                due_at: finding
                    .due_at
                    .as_deref()
                    .and_then(|at| at.parse::<chrono::DateTime<chrono::Utc>>().ok())
                    .map(At::from),
                refer_to: finding.refer_to.clone(),
            })
            .collect()
    }

    fn audit_details(&self, revision: i32) -> serde_json::Value {
        json!({
            "revision": revision,
            "content_hash": self.content_hash,
            "release": self.release.hash,
            "verdict": self.judgement.verdict,
            "findings": self.judgement.findings.len(),
        })
    }
}

fn nothing_to_revise(id: &SubmissionId) -> Error {
    Error::stale("nothing_to_revise", format!("no submission {id} is stored; send it without If-Match first"))
}

fn other_content(head: &Head) -> Error {
    Error::conflict(
        "submission_conflict",
        format!("submission {} is stored with other content; to revise it send If-Match with the stored content_hash", head.id),
    )
    .with("revision", head.revision)
    .with("content_hash", head.content_hash.clone())
}

pub(super) fn out_of_date(head: &Head) -> Error {
    Error::stale(
        "revision_stale",
        format!(
            "submission {} has moved on to revision {}; read it and revise that one",
            head.id, head.revision
        ),
    )
    .with("revision", head.revision)
    .with("content_hash", head.content_hash.clone())
}

fn severity_word(severity: form_engine::Severity) -> String {
    serde_json::to_value(severity).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
