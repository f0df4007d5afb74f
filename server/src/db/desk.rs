//! Where transactions are made. A batch is done all at once and committed once: group commit. When that fails, the batch is
//! rolled back and each of its parts is done in a savepoint of its own, so that one person's mistake costs the others
//! nothing; what failed because of what others did at the same time (a deadlock) is tried again.
//!
//! A connection that breaks before the commit has taken everything back, and the batch is done anew on another one. Broken
//! *while* committing leaves open whether it took place: a batch that may be done twice is done again, and finds what it
//! wrote; for any other the database is asked, by a mark written in the same transaction.

use std::thread::sleep;
use std::time::{Duration, Instant};

use diesel::Connection as _;
use diesel::connection::{AnsiTransactionManager, TransactionManager};

use super::ailment::{self, Ailment};
use super::connection::{DbConn, Source};
use super::faults::Fault;
use super::later::Pending;
use super::mark::Mark;
use super::transaction::{Bell, By, Tx};
use super::{At, each_backend};
use crate::clock::{Clock, Ids};
use crate::error::{Error, Result};

/// For how long a database that has gone is waited for before callers are told to come back.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often a part is tried that failed because of others.
const TRIES: usize = 4;

/// Units of work that share a transaction.
pub(super) trait Batch {
    /// How many.
    fn len(&self) -> usize;
    /// Whether doing it again after a commit of unknown outcome does no harm.
    fn is_repeatable(&self) -> bool;
    /// Does all of it. The first failure ends it.
    fn all(&mut self, at: &mut Place<'_>) -> Result<(), Fault>;
    /// Does one part of it, and keeps what came of it; true when it succeeded.
    fn one(&mut self, n: usize, at: &mut Place<'_>) -> bool;
    /// Why a part failed, if it did.
    fn fault(&self, n: usize) -> Option<Fault>;
}

/// What a unit of work is done with.
pub(super) struct Place<'p> {
    conn: &'p mut DbConn,
    clock: &'p Clock,
    ids: &'p Ids,
    pending: &'p mut Pending,
}

impl Place<'_> {
    pub(super) fn tx(&mut self, by: By) -> Tx<'_> {
        Tx::new(self.conn, by, self.clock.now(), self.ids, self.pending)
    }

    /// Writes what the units done here have left to be written.
    pub(super) fn write_pending(&mut self) -> Result<()> {
        self.pending.write(self.conn)
    }
}

/// A connection of its own, and what units of work are given beside it.
pub(super) struct Desk {
    source: Source,
    conn: Option<DbConn>,
    clock: Clock,
    ids: Ids,
    bell: Bell,
    mark: Mark,
    /// Since when the database cannot be reached.
    gone_since: Option<Instant>,
}

/// Why nothing of a batch is acknowledged.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lost {
    /// Nothing of it stands; what ails the database, where that is known.
    NotCommitted(Option<Ailment>),
    /// Whether it stands is not known.
    Unknown,
}

/// How a transaction failed.
enum Failure {
    /// Nothing of it stands.
    Before(Error),
    /// The connection broke while it was committed.
    During(Error),
}

impl Desk {
    pub(super) fn open(source: Source, clock: Clock, ids: Ids, bell: Bell) -> Result<Desk> {
        let mut conn = source.open()?;
        let mark = Mark::new(&mut conn, At::from(clock.now()))?;
        Ok(Desk { source, conn: Some(conn), clock, ids, bell, mark, gone_since: None })
    }

    /// Does the batch and commits it.
    pub(super) fn carry_out(&mut self, batch: &mut dyn Batch) -> Result<(), Lost> {
        loop {
            let cause = match self.attempt(batch) {
                Ok(()) => {
                    self.gone_since = None;
                    return Ok(());
                }
                Err(Failure::Before(cause)) => cause,
                Err(Failure::During(cause)) if batch.is_repeatable() => cause,
                Err(Failure::During(cause)) => match self.did_commit()? {
                    true => {
                        self.gone_since = None;
                        self.bell.ring();
                        return Ok(());
                    }
                    false => cause,
                },
            };
            // Whatever state the connection is in, the next transaction does not begin in it.
            self.conn = None;
            if !self.waits_for_the_database(&cause) {
                tracing::error!(%cause, units = batch.len(), "a batch of writes was not committed");
                return Err(Lost::NotCommitted(ailment_of(&cause)));
            }
        }
    }

    fn attempt(&mut self, batch: &mut dyn Batch) -> Result<(), Failure> {
        let mut pending = Pending::default();
        let rung = match self.together(batch, &mut pending)? {
            true => pending.rung,
            false => self.one_by_one(batch)?,
        };
        if rung {
            self.bell.ring();
        }
        Ok(())
    }

    /// Everything in one go; false: a part failed, and nothing of it stands.
    fn together(&mut self, batch: &mut dyn Batch, pending: &mut Pending) -> Result<bool, Failure> {
        begin(self.connected()?).map_err(Failure::Before)?;
        let Desk { conn, clock, ids, .. } = &mut *self;
        let Some(conn) = conn.as_mut() else { return Ok(false) };
        let mut place = Place { conn: &mut *conn, clock, ids, pending };
        let done =
            batch.all(&mut place).and_then(|()| place.write_pending().map_err(|cause| Fault::of(&cause)));
        match done {
            Ok(()) => self.end(!batch.is_repeatable()).map(|()| true),
            Err(Fault::Broken) => Err(Failure::Before(Error::internal("writing", "the connection broke"))),
            Err(Fault::Passing | Fault::Own) => rollback(conn).map(|()| false).map_err(Failure::Before),
        }
    }

    /// Each part in a savepoint of its own; those that failed because of others once more. True: work is left behind.
    fn one_by_one(&mut self, batch: &mut dyn Batch) -> Result<bool, Failure> {
        let mut parts: Vec<usize> = (0..batch.len()).collect();
        let mut rung = false;
        for _ in 0..TRIES {
            begin(self.connected()?).map_err(Failure::Before)?;
            for &n in &parts {
                let Desk { conn, clock, ids, .. } = &mut *self;
                let Some(conn) = conn.as_mut() else { return Ok(rung) };
                rung |= one(batch, n, conn, clock, ids)?;
            }
            self.end(!batch.is_repeatable())?;
            parts.retain(|&n| batch.fault(n) == Some(Fault::Passing));
            if parts.is_empty() || self.source.is_embedded() {
                break;
            }
        }
        Ok(rung)
    }

    fn connected(&mut self) -> Result<&mut DbConn, Failure> {
        let conn = match self.conn.take() {
            Some(conn) => conn,
            None => self.source.open().map_err(Failure::Before)?,
        };
        Ok(self.conn.insert(conn))
    }

    /// Commits.
    fn end(&mut self, is_marked: bool) -> Result<(), Failure> {
        let Some(conn) = self.conn.as_mut() else { return Ok(()) };
        if is_marked {
            self.mark.advance(conn, At::from(self.clock.now())).map_err(Failure::Before)?;
        }
        let began = Instant::now();
        let committed = each_backend!(conn, |c| AnsiTransactionManager::commit_transaction(c));
        metrics::histogram!("nigran_commit_seconds").record(began.elapsed().as_secs_f64());
        // What is not known for certain to have been refused may have been committed: the mark tells.
        committed.map_err(Error::from).map_err(|cause| match Fault::of(&cause) {
            Fault::Own => Failure::Before(cause),
            _ if self.source.is_embedded() => Failure::Before(cause),
            Fault::Broken | Fault::Passing => Failure::During(cause),
        })
    }

    /// Asks the database whether the last commit took place.
    fn did_commit(&mut self) -> Result<bool, Lost> {
        self.conn = None;
        loop {
            let asked = self.source.open().and_then(|mut conn| {
                let stands = self.mark.stands(&mut conn)?;
                self.conn = Some(conn);
                Ok(stands)
            });
            match asked {
                Ok(stands) => return Ok(stands),
                Err(cause) if !self.waits_for_the_database(&cause) => {
                    tracing::error!(%cause, "the connection broke during a commit; whether it stands is not known");
                    return Err(Lost::Unknown);
                }
                Err(_) => {}
            }
        }
    }

    /// Waits a little for a database that has gone; false: it has been gone for too long, or it is another failure.
    fn waits_for_the_database(&mut self, cause: &Error) -> bool {
        if self.source.is_embedded() {
            return false;
        }
        let since = *self.gone_since.get_or_insert_with(Instant::now);
        if since.elapsed() > PATIENCE {
            return false;
        }
        tracing::warn!(%cause, "the database was lost; trying again");
        sleep(Duration::from_millis(50 + since.elapsed().as_millis().min(450) as u64));
        true
    }
}

/// Does one part in a savepoint; true: it leaves work behind. An error: the transaction is lost.
fn one(
    batch: &mut dyn Batch,
    n: usize,
    conn: &mut DbConn,
    clock: &Clock,
    ids: &Ids,
) -> Result<bool, Failure> {
    let mut pending = Pending::default();
    // A failed part keeps its own error as its answer; the savepoint takes back what it wrote.
    let done =
        conn.transaction(|conn| match batch.one(n, &mut Place { conn, clock, ids, pending: &mut pending }) {
            true => Ok(()),
            false => Err(diesel::result::Error::RollbackTransaction),
        });
    match done {
        Err(cause) if batch.fault(n).is_none_or(|fault| fault == Fault::Broken) => {
            Err(Failure::Before(cause.into()))
        }
        done => Ok(done.is_ok() && pending.rung),
    }
}

fn begin(conn: &mut DbConn) -> Result<()> {
    match conn {
        // IMMEDIATE: take the write lock now, rather than fail to upgrade a read lock later.
        DbConn::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?,
        DbConn::Postgres(conn) => AnsiTransactionManager::begin_transaction(conn)?,
    }
    Ok(())
}

fn rollback(conn: &mut DbConn) -> Result<()> {
    each_backend!(conn, |c| AnsiTransactionManager::rollback_transaction(c))?;
    Ok(())
}

fn ailment_of(error: &Error) -> Option<Ailment> {
    let behind = error.cause.as_ref().map(ToString::to_string).unwrap_or_default();
    ailment::of(&format!("{error} {behind}"))
}

impl Lost {
    /// What callers are told.
    pub(super) fn error(self) -> Error {
        let error = match self {
            Lost::NotCommitted(Some(ailment)) => Error::unavailable(
                "database_unavailable",
                format!("{}; nothing was stored, send it again later", ailment.remedy()),
            ),
            Lost::NotCommitted(None) => Error::unavailable(
                "database_unavailable",
                "the database did not take the write; nothing was stored, send it again shortly",
            ),
            Lost::Unknown => Error::unavailable(
                "commit_unknown",
                "the database was lost while it stored this, and whether it did is not known; look before sending it again",
            ),
        };
        error.retry_after(Duration::from_secs(5))
    }
}
