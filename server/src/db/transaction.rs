//! What a unit of work is given: the connection, who acts, the instant, and new ids.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::connection::DbConn;
use crate::clock::Ids;

/// On whose behalf something is written. Nobody: the system itself (a start-up, a job).
#[derive(Clone, Debug, Default)]
pub struct By {
    /// The account's id.
    pub account: Option<String>,
    /// The device it came from.
    pub device: Option<String>,
}

impl By {
    /// The system itself.
    pub fn system() -> By {
        By::default()
    }
}

/// One unit of work inside a transaction.
pub struct Tx<'c> {
    /// The connection, inside the transaction.
    pub conn: &'c mut DbConn,
    /// On whose behalf.
    pub by: By,
    now: DateTime<Utc>,
    ids: &'c Ids,
}

impl<'c> Tx<'c> {
    pub(super) fn new(conn: &'c mut DbConn, by: By, now: DateTime<Utc>, ids: &'c Ids) -> Tx<'c> {
        Tx { conn, by, now, ids }
    }

    /// The instant of this unit; it does not move while the unit runs.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// An id nobody has had before.
    pub fn new_id(&self) -> Uuid {
        self.ids.next()
    }
}
