//! Submissions: filing, judging, reading. A submission is a head that moves (review, media, place) over revisions
//! that never change. Nothing a person filled in is lost: answers that break rules are stored with every violation
//! listed, and what cannot be evaluated at all is kept byte for byte in quarantine.

mod batch;
mod changes;
mod corrections;
mod envelope;
mod facts;
mod filter;
mod flags;
mod for_phone;
mod ingest;
mod judging;
mod likenesses;
mod listing;
mod model;
mod photo_jobs;
mod photos;
mod quarantine;
mod reading;
mod receipt;
mod redaction;
mod rejudging;
mod retagging;
mod review;
mod risk;
mod routes;
mod settling;
mod showing;
mod store;
mod surroundings;
mod tallies;
mod together;
mod views;
mod watching;

use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::config::{FlagConfig, Limits};
use crate::db::{Db, Lane};
use crate::forms::Forms;
use crate::media::Media;
use crate::places::Places;

pub use facts::{Facts, LastVisit, facts, judged, last_accepted, last_visit, readable};
pub use flags::COMPARE_PHOTOS;
pub use for_phone::{Filed, filed_for_phone};
pub use likenesses::Likenesses;
pub use model::{
    Action, Correction, DeclaredMedia, Flag, Judgement, MediaState, Review, SubmissionId, Verdict,
};
pub(crate) use photos::{attach, declared, no_strangers};
pub use receipt::{RECEIPT_TYPE, ReceiptClaims};
pub use review::{
    CommentForPhone, ReceiptForPhone, ReturnedForPhone, receipts_for_phone, returned_for_phone,
};
pub use together::{Outcome, Ready, Settling};
pub use watching::{Areas, Decision, FiledRevision, Watcher, Watchers};

pub use rejudging::{Past, PastVisit, Rejudged, Rejudging, Stretch, count_past, past_ids};
pub use tallies::{ReleaseTally, SMALL_CELL, Tallies, tallies};

pub(crate) use routes::routes;

/// What filing and reading need; clones share it.
#[derive(Clone)]
pub struct Submissions {
    /// The database.
    pub db: Db,
    /// Accounts, for the key that signs receipts.
    pub accounts: Accounts,
    /// The published forms.
    pub forms: Forms,
    /// Boundaries.
    pub places: Places,
    /// Photos.
    pub media: Media,
    /// The time.
    pub clock: Clock,
    /// From where things smell wrong.
    pub flags: FlagConfig,
    /// How much is taken at once.
    pub limits: Limits,
    /// Who hears of what is filed and decided.
    pub watchers: Watchers,
    /// Where filings are stored, many at once.
    pub intake: Lane<Settling>,
    /// What filings are like, to be packed by.
    pub likenesses: Likenesses,
}

/// The hash the server would name these bytes by: SHA-256 of the envelope's RFC 8785 form, in hex.
pub fn content_hash(bytes: &[u8]) -> crate::error::Result<String> {
    envelope::Received::read(bytes).map(|received| received.content_hash)
}
