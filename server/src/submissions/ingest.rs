//! Filing: the order of work of the whole service. Read, judge, geotag, then one transaction (`settling.rs`) that stores the
//! revision, its findings and the audit event, then a signed receipt. Sending it again is the same as sending it once.

use std::sync::Arc;

use bytes::Bytes;

use super::envelope::{Envelope, Received};
use super::flags::Whereabouts;
use super::model::{Judgement, SubmissionId};
use super::quarantine::{self, Reason};
use super::receipt::Receipt;
use super::risk::Risk;
use super::settling::{Filing, Settled};
use super::surroundings::{self, Surroundings};
use super::together::Ready;
use super::watching::Areas;
use super::{Submissions, judging};
use crate::accounts::{Actor, Permission};
use crate::db::{At, DbConn, Json, Packed, Tx, storable};
use crate::error::{Error, Result};
use crate::facilities::FacilityId;
use crate::forms::Release;
use crate::media::{self, Held};

/// Up to this size a submission is judged on the thread that received it: that takes less time than handing it over
/// would. Larger ones must not keep others waiting.
const JUDGED_AT_ONCE: usize = 64 * 1024;

/// How often a revision is judged anew because a reviewer decided while it was judged.
const TRIES: usize = 4;

/// What one needs to file anything; the form then says which of them.
pub(super) const FILING: &[Permission] =
    &[Permission::FileInspections, Permission::FileAudits, Permission::FileToolkit];

/// What a filing came to.
pub(super) enum Filed {
    /// A revision was stored.
    Stored(Receipt),
    /// This very content is stored already.
    Repeated(Receipt),
    /// It could not be evaluated and is kept in quarantine.
    Quarantined(Receipt),
}

/// What somebody sends.
#[derive(Clone)]
pub(super) struct Letter {
    pub(super) filer: Arc<Actor>,
    pub(super) id: SubmissionId,
    pub(super) body: Bytes,
    /// The hash of the revision it revises.
    pub(super) if_match: Option<String>,
}

/// A letter that has been read.
pub(super) struct Opened {
    letter: Letter,
    content_hash: String,
    release: Arc<Release>,
    envelope: Envelope,
}

/// A letter as far as it can be brought without a transaction.
#[derive(Clone)]
pub(super) enum Prepared {
    /// Judged, and ready to be stored.
    Judged(Arc<Filing>),
    /// Ready for quarantine.
    Unreadable(Arc<Reason>),
}

/// What reading a letter came to.
pub(super) enum Reading {
    /// It can be judged.
    Opened(Box<Opened>),
    /// It cannot.
    Unreadable(Arc<Reason>),
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
        filer.may_any(FILING)?;
        let letter = Letter { filer: Arc::new(filer), id, body, if_match };
        let first = self.prepare(&letter).await?;
        self.settle(&letter, first).await
    }

    /// Stores what was prepared; prepares it anew when a reviewer decided meanwhile about the revision it follows.
    pub(super) async fn settle(&self, letter: &Letter, first: Prepared) -> Result<Filed> {
        let mut prepared = first;
        for _ in 0..TRIES {
            if let Settled::Done(filed) = self.settle_once(&letter.filer, prepared).await? {
                note(&filed);
                return Ok(filed);
            }
            prepared = self.prepare(letter).await?;
        }
        Err(Error::unavailable("busy", "reviewers decide about it at this moment; send it again shortly")
            .retry_after(std::time::Duration::from_secs(1)))
    }

    async fn settle_once(&self, filer: &Actor, prepared: Prepared) -> Result<Settled> {
        match prepared {
            Prepared::Judged(filing) => {
                self.intake.submit(filer.by(), Ready(filing)).await.map(|outcome| outcome.0)
            }
            Prepared::Unreadable(reason) => {
                let tokens = self.accounts.tokens().clone();
                let unit = move |tx: &mut Tx<'_>| quarantine::keep(tx, &reason, &tokens);
                self.db.write(filer.by(), unit).await.map(Filed::Quarantined).map(Settled::Done)
            }
        }
    }

    /// Reads and judges, here if that is quickly done and asks nothing of the database.
    async fn prepare(&self, letter: &Letter) -> Result<Prepared> {
        if letter.body.len() > JUDGED_AT_ONCE {
            let (desk, letter) = (self.clone(), letter.clone());
            return aside(move || desk.prepare_here(letter)).await;
        }
        match self.open(letter.clone())? {
            Reading::Unreadable(reason) => Ok(Prepared::Unreadable(reason)),
            Reading::Opened(opened) if opened.asks() => {
                let desk = self.clone();
                aside(move || desk.judged(*opened)).await
            }
            Reading::Opened(opened) => self.judged(*opened),
        }
    }

    /// Reads and judges on this thread, which may wait for the database.
    pub(super) fn prepare_here(&self, letter: Letter) -> Result<Prepared> {
        let received = Received::read(&letter.body)?;
        self.prepare_received(letter, received)
    }

    /// Judges on this thread what has been read already.
    pub(super) fn prepare_received(&self, letter: Letter, received: Received) -> Result<Prepared> {
        match self.open_received(letter, received)? {
            Reading::Unreadable(reason) => Ok(Prepared::Unreadable(reason)),
            Reading::Opened(opened) => self.judged(*opened),
        }
    }

    fn open(&self, letter: Letter) -> Result<Reading> {
        let received = Received::read(&letter.body)?;
        self.open_received(letter, received)
    }

    fn open_received(&self, letter: Letter, received: Received) -> Result<Reading> {
        let content_hash = received.content_hash.clone();
        let unreadable = |letter: Letter, content_hash, reason, detail| {
            Reason::new(letter.id, &letter.filer, content_hash, reason, detail, &letter.body)
                .map(|reason| Reading::Unreadable(Arc::new(reason)))
        };
        let envelope = match received.envelope() {
            Ok(envelope) => envelope,
            Err(why) => return unreadable(letter, content_hash, "envelope_unreadable", why),
        };
        let Some(release) = self.forms.release(&envelope.form, envelope.version)? else {
            let what = format!("form {} has no release {}", envelope.form, envelope.version);
            return unreadable(letter, content_hash, "release_unknown", what);
        };
        letter.filer.may_file(release.kind)?;
        Ok(Reading::Opened(Box::new(Opened { letter, content_hash, release, envelope })))
    }

    fn judged(&self, opened: Opened) -> Result<Prepared> {
        let around = match opened.asks() {
            true => self.db.read_here(|conn| self.surroundings(conn, &opened.asking()))?,
            false => Surroundings::default(),
        };
        let Opened { letter, content_hash, release, envelope } = opened;
        let now = self.clock.now();
        let began = std::time::Instant::now();
        let judgement =
            judging::judge(&envelope, &release, &letter.filer, &self.places, &self.flags, now, &around);
        metrics::histogram!("nigran_evaluation_seconds").record(began.elapsed().as_secs_f64());
        let content = match self.likenesses.of(&self.db, &release) {
            Some(likeness) => Packed::pair_like(&letter.body, &judgement, likeness)?,
            None => Packed::pair(&letter.body, &judgement)?,
        };
        let device_id = letter.filer.device.clone().or_else(|| envelope.device.as_ref()?.id.clone());
        Ok(Prepared::Judged(Arc::new(Filing {
            whereabouts: Whereabouts::of(&envelope, &self.flags),
            edition: self.places.edition(),
            finished_at: At::from(envelope.finished_at),
            device_id: device_id.map(storable),
            point: envelope.location.as_ref().map(|location| (location.lat, location.lon)),
            facility: envelope.facility.map(known_as),
            content,
            summary: Json::of(&judgement.summary)?,
            queue_rank: Risk::of(&judgement).rank(),
            followed: around.before.map(|before| (before.revision, before.review)),
            id: letter.id,
            filer: letter.filer,
            if_match: letter.if_match,
            content_hash,
            release,
            judgement,
        })))
    }
}

impl Opened {
    fn asking(&self) -> surroundings::Filed<'_> {
        surroundings::Filed {
            id: &self.letter.id,
            account: self.letter.filer.account.as_str(),
            follows: self.letter.if_match.as_deref(),
            envelope: &self.envelope,
            release: &self.release,
        }
    }

    fn asks(&self) -> bool {
        self.asking().asks()
    }
}

/// A facility's id in one spelling; whatever else stands in its place is kept.
fn known_as(facility: String) -> String {
    facility.parse::<FacilityId>().map_or_else(|_| storable(facility), |id| id.to_string())
}

/// Runs what takes long, or waits for the database, off the async threads.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|cause| Error::internal("judging a submission", cause))?
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

/// Names of declared files that are not here with the declared content.
pub(super) fn missing_media(
    conn: &mut DbConn,
    id: &SubmissionId,
    judgement: &Judgement,
) -> Result<Vec<String>> {
    if judgement.declared.is_empty() {
        return Ok(Vec::new());
    }
    Ok(missing_of(judgement, &media::arrived(conn, id.as_str())?))
}

/// Names of declared files that are not among those that arrived.
pub(super) fn missing_of(judgement: &Judgement, arrived: &[Held]) -> Vec<String> {
    let is_here = |name: &str, sha256: &str| arrived.iter().any(|it| it.name == name && it.sha256 == sha256);
    judgement
        .declared
        .iter()
        .filter(|declared| !is_here(&declared.name, &declared.sha256))
        .map(|declared| declared.name.clone())
        .collect()
}

/// The areas a submission belongs to, which decide who reads it.
pub(super) struct Area {
    pub(super) province: Option<String>,
    pub(super) division: Option<String>,
    pub(super) district: Option<String>,
    pub(super) tehsil: Option<String>,
}

impl Area {
    /// The codes alone, as those who watch are told of them.
    pub(super) fn codes(&self) -> Areas<'_> {
        Areas {
            province: self.province.as_deref(),
            division: self.division.as_deref(),
            district: self.district.as_deref(),
            tehsil: self.tehsil.as_deref(),
        }
    }

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
