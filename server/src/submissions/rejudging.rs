//! Judging past visits again, by other rules than those they were filed under: for whoever wants to know what a change would have
//! meant. Nothing is written. Every visit is judged in its own circumstances, rebuilt as filing builds them (`judging.rs`,
//! `surroundings.rs`): its place, its facility and last visit, its filer, what its reviewer answered, and the law of its own day.
//!
//! What a newcomer would get wrong: the stored judgement is not reused as the "before". It does not say which questions were
//! hidden, and it was made with what the register knew then; against it, everything learnt since would look like the work of
//! the new rules. Both rules are run in the same circumstances, so that whatever differs is the rules' doing.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use form_engine::{Outcome, User};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::envelope::Envelope;
use super::model::{PastRevision, SubmissionId};
use super::surroundings::{self, Filed, Reads};
use super::watching::Watchers;
use super::{judging, review, store};
use crate::accounts::{self, AccountId};
use crate::canonical;
use crate::db::{At, Db, DbConn, Packed};
use crate::error::Result;
use crate::forms::Release;
use crate::places::Places;

/// Which visits are judged again.
#[derive(Clone, Debug)]
pub struct Past {
    /// Those filed with a release of this form.
    pub form: String,
    /// As they stood at this instant: later revisions and later submissions do not count.
    pub through: At,
    /// Those that ended from the first instant on and before the second.
    pub between: Option<(At, At)>,
}

/// A stored visit, not yet unpacked.
pub struct PastVisit {
    id: SubmissionId,
    district: Option<String>,
    revision: i32,
    content_hash: String,
    account: String,
    content: Packed,
    /// What its reviewer had answered about the revision; none: nothing, or neither release asks.
    reviewer: Option<Map<String, Value>>,
}

/// Some visits, one after the other.
pub struct Stretch {
    /// Those that were wanted.
    pub visits: Vec<PastVisit>,
    /// How many were looked at.
    pub looked: usize,
    /// The last of those; none: there was none.
    pub last: Option<String>,
    /// Whether there may be more after it.
    pub more: bool,
}

/// A visit judged by both rules.
pub struct Rejudged {
    /// The submission; never to be shown.
    pub id: SubmissionId,
    /// The district it belongs to.
    pub district: Option<String>,
    /// When it was begun and ended, by the phone's clock.
    pub began: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended: DateTime<Utc>,
    /// What the release in force says.
    pub before: Outcome,
    /// What the proposed one says.
    pub after: Outcome,
    /// Names everything that went into the judging but the rules: two that agree were judged alike.
    pub mark: [u8; 32],
}

/// Judges past visits by two releases of their form. Clones share what is known of the filers.
#[derive(Clone)]
pub struct Rejudging {
    db: Db,
    places: Places,
    watchers: Watchers,
    rules: Arc<[Arc<Release>; 2]>,
    reads: Reads,
    /// Either of them asks something of the reviewer.
    asks_reviewer: bool,
    filers: Arc<RwLock<HashMap<String, User>>>,
}

impl Rejudging {
    /// By the release in force and the proposed one. `watchers` are the rooms that remember things of a last visit.
    pub fn new(
        db: Db,
        places: Places,
        watchers: Watchers,
        before: Arc<Release>,
        after: Arc<Release>,
    ) -> Rejudging {
        let reads = Reads::of(&before).and(Reads::of(&after));
        let asks_reviewer = before.compiled.asks_reviewer() || after.compiled.asks_reviewer();
        let rules = Arc::new([before, after]);
        Rejudging { db, places, watchers, rules, reads, asks_reviewer, filers: Arc::default() }
    }

    /// The next visits after this id, of at most `limit` looked at. `wanted` says which ids are.
    pub fn stretch(
        &self,
        past: &Past,
        after: &str,
        limit: usize,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Stretch> {
        self.db.read_here(|conn| {
            let mut heads = store::past(conn, past, after, limit as i64)?;
            let (looked, last) = (heads.len(), heads.last().map(|head| head.id.to_string()));
            heads.retain(|head| wanted(head.id.as_str()));
            let ids: Vec<SubmissionId> = heads.iter().map(|head| head.id.clone()).collect();
            let mut districts: HashMap<SubmissionId, Option<String>> =
                heads.into_iter().map(|head| (head.id, head.district)).collect();
            let mut revisions = store::revisions_by(conn, &ids, past.through)?;
            // The newest of each comes first.
            revisions.dedup_by(|later, first| later.submission_id == first.submission_id);
            let mut answered = match self.asks_reviewer {
                true => review::answered_by(conn, &ids, past.through)?,
                false => HashMap::new(),
            };
            let visit = |revision: PastRevision| PastVisit {
                district: districts.remove(&revision.submission_id).flatten(),
                reviewer: answered.remove(&(revision.submission_id.clone(), revision.revision)),
                id: revision.submission_id,
                revision: revision.revision,
                content_hash: revision.content_hash,
                account: revision.account_id,
                content: revision.content,
            };
            let visits = revisions.into_iter().map(visit).collect();
            Ok(Stretch { visits, looked, last, more: looked == limit })
        })
    }

    /// Judges a visit. None: its last revision by then does not belong to what is asked for.
    pub fn judge(&self, visit: &PastVisit, past: &Past) -> Result<Option<Rejudged>> {
        let raw = visit.content.unpack_first()?;
        let Ok(envelope) = serde_json::from_slice::<Envelope>(&raw) else { return Ok(None) };
        let ended = At::from(envelope.finished_at);
        let is_within = past.between.is_none_or(|(from, to)| from <= ended && ended < to);
        if !is_within || envelope.form != past.form {
            return Ok(None);
        }
        let user = self.filer(&visit.account)?;
        let filed = Filed {
            id: &visit.id,
            account: &visit.account,
            follows: None,
            envelope: &envelope,
            reads: self.reads,
        };
        let around = match filed.asks() {
            true => self.db.read_here(|conn| surroundings::look_up(conn, &filed, &self.watchers))?,
            false => surroundings::Surroundings::default(),
        };
        let mark = mark(visit, &user, &around);
        let place = judging::locate(&envelope, &self.places);
        let context = judging::context(&envelope, user, &place, &self.places, &around);
        let [before, after] = self.rules.as_ref();
        let non_answers = envelope.non_answers.as_ref();
        let judged = |release: &Release| match &visit.reviewer {
            Some(given) => {
                release.compiled.review(&envelope.answers, non_answers, given, &context).standing()
            }
            None => release.compiled.evaluate(&envelope.answers, non_answers, &context),
        };
        Ok(Some(Rejudged {
            before: judged(before),
            after: judged(after),
            id: visit.id.clone(),
            district: visit.district.clone(),
            began: envelope.started_at.map(|at| at.to_utc()),
            ended: envelope.finished_at.to_utc(),
            mark,
        }))
    }

    /// Who filed it, as the rules may ask.
    fn filer(&self, account: &str) -> Result<User> {
        if let Some(known) = self.filers.read().unwrap_or_else(PoisonError::into_inner).get(account) {
            return Ok(known.clone());
        }
        let user = self.db.read_here(|conn| filer(conn, account))?;
        self.filers.write().unwrap_or_else(PoisonError::into_inner).insert(account.to_owned(), user.clone());
        Ok(user)
    }
}

/// An account as the rules may ask about it.
pub(super) fn filer(conn: &mut DbConn, account: &str) -> Result<User> {
    let Ok(id) = account.parse::<AccountId>() else { return Ok(User::default()) };
    let found = accounts::account(conn, &id)?;
    Ok(found.map_or_else(User::default, |account| User {
        code: account.code,
        role: account.role.to_string(),
        areas: account.areas,
    }))
}

fn mark(visit: &PastVisit, user: &User, around: &surroundings::Surroundings) -> [u8; 32] {
    let mut circumstances = json!({
        "id": visit.id, "revision": visit.revision, "content": visit.content_hash, "district": visit.district,
        "user": user, "prev": around.prev, "facility": around.facility,
    });
    if let Some(given) = &visit.reviewer {
        circumstances["reviewer"] = json!(given);
    }
    let text = canonical::to_vec(&circumstances).unwrap_or_default();
    Sha256::digest(text).into()
}

/// How many submissions `past` asks for, or could: those of a period whose end was revised later are counted too.
pub fn count_past(conn: &mut DbConn, past: &Past) -> Result<i64> {
    store::count_past(conn, past)
}

/// The ids `past` could ask for, after this one.
pub fn past_ids(conn: &mut DbConn, past: &Past, after: &str, limit: i64) -> Result<Vec<String>> {
    store::past_ids(conn, past, after, limit)
}
