//! Nouns of the audit log.

use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::db::schema::{audit_events, audit_seals};
use crate::db::{At, Json};

/// Something that was done: `submission.filed` to `submission:6f…`.
/// `details` holds codes, counts and hashes; never answers, names or positions.
#[derive(Clone, Debug)]
pub struct Event {
    /// `noun.deed`, stable.
    pub action: &'static str,
    /// `noun:id` of what it was done to.
    pub subject: String,
    /// What else a reader of the log must know.
    pub details: Value,
}

impl Event {
    /// `action` done to the `noun` with this `id`.
    pub fn new(action: &'static str, noun: &str, id: impl std::fmt::Display, details: Value) -> Event {
        Event { action, subject: format!("{noun}:{id}"), details }
    }
}

#[derive(Insertable)]
#[diesel(table_name = audit_events)]
pub(super) struct NewEvent {
    pub(super) at: At,
    pub(super) account_id: Option<String>,
    pub(super) device_id: Option<String>,
    pub(super) action: String,
    pub(super) subject: String,
    pub(super) details: Json,
}

/// An event as it stands in the log.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = audit_events)]
pub struct RecordedEvent {
    /// Its number. Numbers rise, but may have gaps.
    pub seq: i64,
    /// When.
    pub at: At,
    /// By which account; none: by the system.
    pub account_id: Option<String>,
    /// From which device.
    pub device_id: Option<String>,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Details, as JSON.
    pub details: Json,
}

impl RecordedEvent {
    /// SHA-256 over every column, each preceded by its length so that no two events run together.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.seq.to_be_bytes());
        hasher.update(self.at.micros().to_be_bytes());
        let columns = [
            self.account_id.as_deref(),
            self.device_id.as_deref(),
            Some(&*self.action),
            Some(&*self.subject),
            Some(self.details.as_str()),
        ];
        for column in columns {
            let (length, text) = column.map_or((u64::MAX, ""), |text| (text.len() as u64, text));
            hasher.update(length.to_be_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.finalize().into()
    }
}

/// A link of the chain: the events it covers, in commit order, and the hash that binds them to the link before.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_seals)]
pub struct Seal {
    /// 1, 2, 3 … without gaps.
    pub n: i64,
    /// When it was sealed.
    pub sealed_at: At,
    /// The hash of the seal before; empty for the first.
    pub previous: String,
    /// For each event its number (8 bytes, big-endian) and its digest (32 bytes).
    pub members: Vec<u8>,
    /// SHA-256 in hex over number, instant, previous hash and members.
    pub hash: String,
}

const MEMBER: usize = 40;

impl Seal {
    /// Seals `events` as link `n` after the link whose hash is `previous`.
    pub fn over(n: i64, sealed_at: At, previous: String, events: &[RecordedEvent]) -> Seal {
        let members = events
            .iter()
            .flat_map(|event| event.seq.to_be_bytes().into_iter().chain(event.digest()))
            .collect();
        let mut seal = Seal { n, sealed_at, previous, members, hash: String::new() };
        seal.hash = seal.digest();
        seal
    }

    /// The hash this seal should have.
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.n.to_be_bytes());
        hasher.update(self.sealed_at.micros().to_be_bytes());
        hasher.update(self.previous.as_bytes());
        hasher.update(&self.members);
        hex::encode(hasher.finalize())
    }

    /// The events it covers: number and digest.
    pub fn members(&self) -> impl Iterator<Item = (i64, [u8; 32])> + '_ {
        self.members.chunks_exact(MEMBER).filter_map(|member| {
            let (seq, digest) = member.split_at(8);
            Some((i64::from_be_bytes(seq.try_into().ok()?), digest.try_into().ok()?))
        })
    }
}

/// An event as the log's readers see it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "seq": 412, "at": "2026-11-20T04:00:01Z", "account": "0190b7a0-…", "device": "phone-7", "action": "submission.filed",
    "subject": "submission:0190b7a4-5c1e-7e55-9d43-0c7c9a4c1f10", "details": { "revision": 1, "verdict": "valid" }
}))]
pub struct EventView {
    /// Its number.
    pub seq: i64,
    /// When.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub at: At,
    /// By which account; none: by the system.
    pub account: Option<String>,
    /// From which device.
    pub device: Option<String>,
    /// What was done: `submission.filed`.
    pub action: String,
    /// To what: `submission:6f…`.
    pub subject: String,
    /// Codes, counts and hashes.
    pub details: Value,
}

impl EventView {
    pub(super) fn of(event: RecordedEvent) -> crate::error::Result<EventView> {
        Ok(EventView {
            details: event.details.read()?,
            seq: event.seq,
            at: event.at,
            account: event.account_id,
            device: event.device_id,
            action: event.action,
            subject: event.subject,
        })
    }
}
