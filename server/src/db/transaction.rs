//! What a unit of work is given: the connection, who acts, the instant, and new ids.

use chrono::{DateTime, Utc};
use diesel::Connection as _;
use tokio::sync::watch;
use uuid::Uuid;

use super::connection::DbConn;
use super::later::{Later, Pending};
use crate::clock::Ids;
use crate::error::Result;

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

/// Rung after the commit of a unit of work that leaves work behind, and heard by whoever does it.
#[derive(Clone, Debug)]
pub(super) struct Bell(watch::Sender<()>);

impl Default for Bell {
    fn default() -> Bell {
        Bell(watch::channel(()).0)
    }
}

impl Bell {
    pub(super) fn ring(&self) {
        self.0.send_replace(());
    }

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
    pending: &'c mut Pending,
}

impl<'c> Tx<'c> {
    pub(super) fn new(
        conn: &'c mut DbConn,
        by: By,
        now: DateTime<Utc>,
        ids: &'c Ids,
        pending: &'c mut Pending,
    ) -> Tx<'c> {
        Tx { conn, by, now, ids, pending }
    }

    /// The instant of this unit; it does not move while the unit runs.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// An id nobody has had before.
    pub fn new_id(&self) -> Uuid {
        self.ids.next()
    }

    /// Has `row` written at the end of the transaction, together with those like it. Until then no query finds it.
    pub fn later(&mut self, row: impl Later) {
        self.pending.add(row);
    }

    /// Does `work` as a part that can fail alone: its error takes back what it wrote, and nothing else.
    pub(crate) fn attempt<T>(&mut self, work: impl FnOnce(&mut Tx) -> Result<T>) -> Result<T> {
        let before = self.pending.mark();
        let Tx { conn, by, now, ids, pending } = self;
        let done = conn.transaction(|conn| work(&mut Tx { conn, by: by.clone(), now: *now, ids, pending }));
        if done.is_err() {
            self.pending.back_to(&before);
        }
        done
    }

    /// Says that this unit leaves work behind for whoever listens at `Db::bell`; they hear it after the commit.
    pub(crate) fn ring(&mut self) {
        self.pending.rung = true;
    }
}
