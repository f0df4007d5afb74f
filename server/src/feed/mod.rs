//! What changed, and for whom: the list a phone is brought up to date from. A room that changes something a phone holds
//! says so in the same transaction with [`changed`]; who reads the list keeps a [`Bookmark`] and misses nothing between two
//! readings, whatever commits at the same time.

mod mark;
mod model;
mod recent;
mod store;

use chrono::Duration;

pub use mark::Bookmark;
pub use model::{Audience, Change, What};
pub use recent::{Feed, News};

use crate::db::{At, Tx};
use crate::error::Result;
use model::NewRow;

/// How long a change is kept. Whoever was away for longer starts anew.
pub const KEPT_DAYS: i64 = 60;

/// Tells those who hold it that `subject` changed. For something that moved from one area to another, tell both.
pub fn changed(tx: &mut Tx, what: What, subject: impl ToString, audience: Audience) -> Result<()> {
    let row =
        NewRow { at: At::from(tx.now()), what, subject: subject.to_string(), audience: audience.word() };
    tx.later(row);
    Ok(())
}

/// Forgets what is older than [`KEPT_DAYS`]: for a job, now and then. Returns how many changes went.
pub fn sweep(tx: &mut Tx) -> Result<usize> {
    store::delete_before(tx.conn, At::from(tx.now() - Duration::days(KEPT_DAYS)))
}

/// Declares what every reader remembers void: each starts anew. For whoever restores a backup.
pub fn begin_anew(tx: &mut Tx) -> Result<()> {
    store::begin_epoch(tx.conn, tx.now().timestamp_micros())
}
