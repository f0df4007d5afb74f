//! What a unit of work is given: the connection, who acts, the instant, and new ids.

use chrono::{DateTime, Utc};
use tokio::sync::watch;
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

/// Rung by a unit of work that leaves work behind, and heard by whoever does it. What is heard is only that there may
/// be something: whoever looks does so through the same writer, and so after the commit of the unit that rang.
#[derive(Clone, Debug)]
pub(super) struct Bell(watch::Sender<()>);

impl Default for Bell {
    fn default() -> Bell {
        Bell(watch::channel(()).0)
    }
}

impl Bell {
    /// An ear of one's own: everybody who listens hears every ring.
    pub(super) fn ear(&self) -> watch::Receiver<()> {
        self.0.subscribe()
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
    bell: &'c Bell,
}

impl<'c> Tx<'c> {
    pub(super) fn new(
        conn: &'c mut DbConn,
        by: By,
        now: DateTime<Utc>,
        ids: &'c Ids,
        bell: &'c Bell,
    ) -> Tx<'c> {
        Tx { conn, by, now, ids, bell }
    }

    /// The instant of this unit; it does not move while the unit runs.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// An id nobody has had before.
    pub fn new_id(&self) -> Uuid {
        self.ids.next()
    }

    /// Says that this unit leaves work behind for whoever listens at `Db::bell`.
    pub(crate) fn ring(&self) {
        self.bell.0.send_replace(());
    }
}
