//! Filing: the order of work of the whole service. Read, judge, geotag, then one transaction that stores the
//! revision, its findings and the audit event, then a signed receipt. Sending it again is the same as sending it once.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use super::Submissions;
use super::envelope::{Envelope, Received};
use super::flags::{self, Travel};
use super::judging;
use super::model::{FindingRow, Head, Judgement, MediaState, Review, Revision, SubmissionId};
use super::quarantine::{self, Reason};
use super::receipt::{RECEIPT_TYPE, Receipt, ReceiptClaims};
use super::store;
use super::watching::{Areas, FiledRevision, Watchers};
use crate::accounts::{Actor, Permission, Tokens};
use crate::audit::{self, Event};
use crate::db::{At, DbConn, Json, Packed, Tx, storable};
use crate::error::{Error, Result};
use crate::forms::Release;
use crate::media;

/// Up to this size a submission is judged on the thread that received it: that takes less time than handing it over
/// would. Larger ones must not keep others waiting.
const JUDGED_AT_ONCE: usize = 64 * 1024;

/// What a filing came to.
pub(super) enum Filed {
    /// A revision was stored.
    Stored(Receipt),
    /// This very content is stored already.
    Repeated(Receipt),
    /// It could not be evaluated and is kept in quarantine.
    Quarantined(Receipt),
}

/// A filing, judged and packed, ready to be stored.
struct Filing {
    id: SubmissionId,
    filer: Actor,
    if_match: Option<String>,
    content_hash: String,
    release: Arc<Release>,
    judgement: Judgement,
    /// The boundary sets it was located by.
    edition: Option<String>,
    finished_at: At,
    facility: Option<String>,
    device_id: Option<String>,
    point: Option<(f64, f64)>,
    content: Packed,
    summary: Json,
    travel: Travel,
}

impl Submissions {
    /// Files `body` under `id`, or revises it when `if_match` carries the hash of the stored revision.
    pub(super) async fn file(
        &self,
        filer: Actor,
        id: SubmissionId,
        body: Bytes,
        if_match: Option<String>,
    ) -> Result<Filed> {
        filer.may_any(&[Permission::FileInspections, Permission::FileAudits, Permission::FileToolkit])?;
        let by = filer.by();
        let prepared = match body.len() <= JUDGED_AT_ONCE {
            true => self.prepare(filer, id, &body, if_match)?,
            false => {
                let desk = self.clone();
                tokio::task::spawn_blocking(move || desk.prepare(filer, id, &body, if_match))
                    .await
                    .map_err(|cause| Error::internal("judging a submission", cause))??
            }
        };
        let (tokens, watchers) = (self.accounts.tokens().clone(), self.watchers.clone());
        let filed = match prepared {
            Prepared::Judged(filing) => {
                self.db.write(by, move |tx| settle(tx, &filing, &tokens, &watchers)).await
            }
            Prepared::Unreadable(reason) => self
                .db
                .write(by, move |tx| quarantine::keep(tx, &reason, &tokens))
                .await
                .map(Filed::Quarantined),
        }?;
        note(&filed);
        Ok(filed)
    }

    /// Reads and judges: everything that needs no transaction.
    fn prepare(
        &self,
        filer: Actor,
        id: SubmissionId,
        body: &[u8],
        if_match: Option<String>,
    ) -> Result<Prepared> {
        let received = Received::read(body)?;
        let content_hash = received.content_hash.clone();
        let unreadable = |filer: &Actor, reason, detail| {
            Reason::new(id.clone(), filer, content_hash.clone(), reason, detail, body)
                .map(Prepared::Unreadable)
        };
        let envelope = match received.envelope() {
            Ok(envelope) => envelope,
            Err(why) => return unreadable(&filer, "envelope_unreadable", why),
        };
        let Some(release) = self.forms.release(&envelope.form, envelope.version)? else {
            let what = format!("form {} has no release {}", envelope.form, envelope.version);
            return unreadable(&filer, "release_unknown", what);
        };
        filer.may_file(release.kind)?;
        let filing = self.judged(filer, id, if_match, content_hash.clone(), release, envelope, body)?;
        Ok(Prepared::Judged(Box::new(filing)))
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "one call site; a struct of the same fields would be the result itself"
    )]
    fn judged(
        &self,
        filer: Actor,
        id: SubmissionId,
        if_match: Option<String>,
        content_hash: String,
        release: Arc<Release>,
        envelope: Envelope,
        body: &[u8],
    ) -> Result<Filing> {
        let judgement =
            judging::judge(&envelope, &release, &filer, &self.places, &self.flags, self.clock.now());
        Ok(Filing {
            edition: self.places.edition(),
            finished_at: At::from(envelope.finished_at),
            device_id: filer.device.clone().or_else(|| envelope.device.as_ref()?.id.clone()).map(storable),
            point: envelope.location.as_ref().map(|location| (location.lat, location.lon)),
            travel: Travel::of(&envelope, &self.flags),
            facility: envelope.facility.map(storable),
            content: Packed::pair(body, &judgement)?,
            summary: Json::of(&judgement.summary)?,
            id,
            filer,
            if_match,
            content_hash,
            release,
            judgement,
        })
    }
}

/// Tells those who run the service what came in: ids and outcomes, nothing that was answered.
fn note(filed: &Filed) {
    let (how, receipt) = match filed {
        Filed::Stored(receipt) => ("stored", receipt),
        Filed::Repeated(receipt) => ("repeated", receipt),
        Filed::Quarantined(receipt) => ("quarantined", receipt),
    };
    metrics::counter!("nigran_filings_total", "how" => how, "verdict" => receipt.verdict.as_str())
        .increment(1);
    tracing::info!(
        submission.id = %receipt.id,
        revision = receipt.revision,
        verdict = %receipt.verdict,
        findings = receipt.findings.len(),
        "{how} submission {}",
        receipt.id
    );
}

enum Prepared {
    Judged(Box<Filing>),
    Unreadable(Reason),
}

/// Stores the filing, or finds that it is stored already, or that something else stands in its place.
fn settle(tx: &mut Tx, filing: &Filing, tokens: &Tokens, watchers: &Watchers) -> Result<Filed> {
    let head = store::head(tx.conn, &filing.id)?;
    let Some(head) = head else {
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
        Some(_) => store_revision(tx, filing, Some(&head), tokens, watchers),
    }
}

fn store_revision(
    tx: &mut Tx,
    filing: &Filing,
    before: Option<&Head>,
    tokens: &Tokens,
    watchers: &Watchers,
) -> Result<Filed> {
    let mut revision = filing.revision(tx, before);
    revision.receipt =
        tokens.sign(&ReceiptClaims::of(&revision, &filing.judgement.declared), RECEIPT_TYPE)?;
    let missing = missing_media(tx.conn, &filing.id, &filing.judgement)?;
    let head = filing.head(tx, before, &revision, missing.is_empty());
    store::put_head(tx.conn, &head, before.is_some())?;
    store::add_revision(tx.conn, &revision)?;
    store::add_findings(tx.conn, &filing.finding_rows(revision.revision))?;
    let deed = if before.is_some() { "submission.revised" } else { "submission.filed" };
    audit::record(tx, Event::new(deed, "submission", &filing.id, filing.audit_details(revision.revision)))?;
    watchers.filed(tx, &filing.as_filed(&head, &revision, before))?;
    let has_photos = missing.len() < filing.judgement.declared.len();
    let late = flags::after_filing(tx, &head, &filing.travel, has_photos)?;
    Ok(Filed::Stored(Receipt::of(&head, revision, &filing.judgement, missing).with_flags(late)))
}

fn repeated(tx: &mut Tx, head: &Head, earlier: Revision) -> Result<Filed> {
    let judgement = earlier.judgement()?;
    let missing = missing_media(tx.conn, &head.id, &judgement)?;
    let late = flags::late(tx.conn, &head.id, earlier.revision)?;
    Ok(Filed::Repeated(Receipt::of(head, earlier, &judgement, missing).with_flags(late)))
}

/// Names of declared files that are not here with the declared content.
pub(super) fn missing_media(
    conn: &mut DbConn,
    id: &SubmissionId,
    judgement: &Judgement,
) -> Result<Vec<String>> {
    if judgement.declared.is_empty() {
        return Ok(Vec::new());
    }
    let arrived = media::arrived(conn, id.as_str())?;
    let is_here = |name: &str, sha256: &str| arrived.iter().any(|it| it.name == name && it.sha256 == sha256);
    Ok(judgement
        .declared
        .iter()
        .filter(|declared| !is_here(&declared.name, &declared.sha256))
        .map(|declared| declared.name.clone())
        .collect())
}

impl Filing {
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

    fn head(&self, tx: &Tx, before: Option<&Head>, revision: &Revision, complete: bool) -> Head {
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
            findings: &self.judgement.findings,
            judgement: &self.judgement,
        }
    }

    fn finding_rows(&self, revision: i32) -> Vec<FindingRow> {
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

/// The areas a submission belongs to, which decide who reads it.
pub(super) struct Area {
    pub(super) province: Option<String>,
    pub(super) division: Option<String>,
    pub(super) district: Option<String>,
    pub(super) tehsil: Option<String>,
}

impl Area {
    /// Where the fix lies; where that is not known, what was answered: a visit without a fix must not be
    /// invisible to the district's supervisor.
    pub(super) fn of(judgement: &Judgement, release: &Release) -> Area {
        let place = &judgement.place;
        if let Some(district) = &place.district {
            let code = |it: &Option<crate::places::Named>| it.as_ref().map(|place| place.code.clone());
            return Area {
                province: code(&place.province),
                division: code(&place.division),
                district: Some(district.code.clone()),
                tehsil: code(&place.tehsil),
            };
        }
        let answered =
            |list| release.place_answer(&judgement.answers, list).map(|code| storable(code.to_owned()));
        Area {
            province: Some(crate::places::HOME_PROVINCE.to_owned()),
            division: answered("division"),
            district: answered("district"),
            tehsil: answered("tehsil"),
        }
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

fn out_of_date(head: &Head) -> Error {
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
