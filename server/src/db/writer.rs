//! The one writer. It takes what is queued, runs it in one transaction, commits once, and then answers everybody:
//! group commit. When a unit fails, the batch is rolled back and run again with a savepoint around each unit, so
//! that one person's mistake costs the others nothing. A unit whose row another process wrote meanwhile fails on
//! the unique key, is run again, and then finds that row.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::connection::{Connection, TransactionManager};
use tokio::sync::oneshot;

use super::connection::{DbConn, open};
use super::transaction::{Bell, By, Tx};
use crate::clock::{Clock, Ids};
use crate::error::{Error, Result};

/// How many units may wait; past that, callers are told to come back.
const QUEUE: usize = 4096;
/// How many units share one commit at most.
const BATCH: usize = 256;

pub(super) struct Writer {
    queue: Mutex<Option<SyncSender<Box<dyn Unit>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(url: &str, clock: Clock, ids: Ids, bell: Bell) -> Result<Writer> {
        let (sender, receiver) = sync_channel(QUEUE);
        let mut desk = Desk { url: url.to_owned(), conn: Some(open(url)?), clock, ids, bell };
        let thread = std::thread::Builder::new()
            .name("db-writer".into())
            .spawn(move || desk.work(&receiver))
            .map_err(|cause| Error::internal("starting the database writer", cause))?;
        Ok(Writer { queue: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn submit<T, F>(&self, by: By, run: F) -> Result<oneshot::Receiver<Result<T>>>
    where
        T: Send + 'static,
        F: Fn(&mut Tx) -> Result<T> + Send + 'static,
    {
        let (reply, receiver) = oneshot::channel();
        let unit = Box::new(Work { by, run, result: None, reply });
        let queue = self.queue.lock().expect("the queue's lock is never held over a panic");
        match queue.as_ref().map(|queue| queue.try_send(unit)) {
            Some(Ok(())) => Ok(receiver),
            Some(Err(TrySendError::Full(_))) => {
                Err(Error::unavailable("busy", "too many writes are waiting; send it again shortly")
                    .retry_after(Duration::from_secs(1)))
            }
            Some(Err(TrySendError::Disconnected(_))) | None => Err(gone()),
        }
    }

    pub(super) fn close(&self) {
        drop(self.queue.lock().expect("the queue's lock is never held over a panic").take());
        let thread = self.thread.lock().expect("the thread's lock is never held over a panic").take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// What callers are told when the writer has stopped.
pub(super) fn gone() -> Error {
    Error::unavailable("shutting_down", "the server is stopping; send it again shortly")
        .retry_after(Duration::from_secs(2))
}

/// A unit of work with its result type hidden.
trait Unit: Send {
    /// Runs the unit; true when it succeeded.
    fn run(&mut self, conn: &mut DbConn, clock: &Clock, ids: &Ids, bell: &Bell) -> bool;
    /// Tells the caller. `commit` is the fate of the transaction.
    fn answer(self: Box<Self>, commit: Result<()>);
}

struct Work<T, F> {
    by: By,
    run: F,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Unit for Work<T, F>
where
    T: Send,
    F: Fn(&mut Tx) -> Result<T> + Send,
{
    fn run(&mut self, conn: &mut DbConn, clock: &Clock, ids: &Ids, bell: &Bell) -> bool {
        let mut tx = Tx::new(conn, self.by.clone(), clock.now(), ids, bell);
        let result = catch_unwind(AssertUnwindSafe(|| (self.run)(&mut tx)))
            .unwrap_or_else(|_| Err(Error::internal("writing", "the unit of work panicked")));
        let succeeded = result.is_ok();
        self.result = Some(result);
        succeeded
    }

    fn answer(self: Box<Self>, commit: Result<()>) {
        let answer = match (self.result, commit) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(failed)) => Err(failed),
            (Some(done), Ok(())) => done,
            (None, Ok(())) => Err(Error::internal("writing", "the unit of work was not run")),
        };
        // The caller may have gone away; its write stands all the same.
        let _ = self.reply.send(answer);
    }
}

/// The writer's own thread and connection.
struct Desk {
    url: String,
    conn: Option<DbConn>,
    clock: Clock,
    ids: Ids,
    bell: Bell,
}

impl Desk {
    fn work(&mut self, queue: &Receiver<Box<dyn Unit>>) {
        while let Ok(first) = queue.recv() {
            let mut batch = vec![first];
            batch.extend(queue.try_iter().take(BATCH - 1));
            metrics::histogram!("nigran_write_batch").record(batch.len() as f64);
            let commit = self.commit(&mut batch);
            if let Err(cause) = &commit {
                let why = cause.cause.as_ref().map(ToString::to_string).unwrap_or_default();
                tracing::error!(%cause, why, units = batch.len(), "a batch of writes was not committed");
                self.conn = None;
            }
            for unit in batch {
                unit.answer(commit.as_ref().copied().map_err(not_committed));
            }
        }
    }

    /// Commits the batch: all at once if all succeed, else each in its own savepoint.
    fn commit(&mut self, batch: &mut [Box<dyn Unit>]) -> Result<()> {
        let conn = match self.conn.take() {
            Some(conn) => self.conn.insert(conn),
            None => self.conn.insert(open(&self.url)?),
        };
        begin(conn)?;
        if batch.iter_mut().all(|unit| unit.run(conn, &self.clock, &self.ids, &self.bell)) {
            return end(conn);
        }
        rollback(conn)?;
        begin(conn)?;
        for unit in batch {
            // A failed unit keeps its own error as its answer; the savepoint has taken back what it wrote.
            let _ = conn.transaction(|conn| match unit.run(conn, &self.clock, &self.ids, &self.bell) {
                true => Ok(()),
                false => Err(diesel::result::Error::RollbackTransaction),
            });
        }
        end(conn)
    }
}

fn not_committed(cause: &Error) -> Error {
    let behind = cause.cause.as_ref().map(ToString::to_string).unwrap_or_default();
    let detail = match super::ailment::of(&format!("{cause} {behind}")) {
        Some(ailment) => format!("{}; nothing was stored, send it again later", ailment.remedy()),
        None => "the database did not take the write; nothing was stored, send it again shortly".to_owned(),
    };
    Error::unavailable("database_unavailable", detail).retry_after(Duration::from_secs(5))
}

fn begin(conn: &mut DbConn) -> Result<()> {
    match conn {
        // IMMEDIATE: take the write lock now, rather than fail to upgrade a read lock later.
        DbConn::Sqlite(conn) => {
            diesel::connection::AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?;
        }
        DbConn::Postgres(conn) => {
            diesel::connection::AnsiTransactionManager::begin_transaction(conn)?;
        }
    }
    Ok(())
}

fn end(conn: &mut DbConn) -> Result<()> {
    super::each_backend!(conn, |c| diesel::connection::AnsiTransactionManager::commit_transaction(c))?;
    Ok(())
}

fn rollback(conn: &mut DbConn) -> Result<()> {
    super::each_backend!(conn, |c| diesel::connection::AnsiTransactionManager::rollback_transaction(c))?;
    Ok(())
}
