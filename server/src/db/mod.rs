//! The database: one door for reading (`db.read`) and one for writing (`db.write`), the same over SQLite and
//! PostgreSQL. Writes of all callers are committed together by one writer; an answer comes after the commit that covers it.

mod admission;
pub(crate) mod ailment;
mod connection;
mod hold;
mod migrations;
mod packed;
pub mod schema;
mod snapshot;
mod transaction;
mod types;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::r2d2;

pub use admission::{Found, admit, place};
pub use connection::{Backend, DbConn};
pub use hold::{Hold, hold};
pub use migrations::migrate;
pub use packed::Packed;
pub use snapshot::{look, snapshot};
pub use transaction::{By, Tx};
pub use types::{At, Json, storable};

use crate::clock::{Clock, Ids};
use crate::error::{Error, Result};
use connection::Manager;
use transaction::Bell;
use writer::Writer;

pub(crate) use connection::each_backend;
pub(crate) use types::{text_enum, text_id};

/// A handle on the database; clones share it.
#[derive(Clone)]
pub struct Db {
    readers: r2d2::Pool<Manager>,
    writer: Arc<Writer>,
    backend: Backend,
    clock: Clock,
    bell: Bell,
    /// The second at which the clock was last looked at for having been set back.
    last_seen: Arc<AtomicI64>,
}

impl Db {
    /// Opens the database at `url` (`sqlite:PATH` or `postgres://…`), which must be migrated already.
    pub fn open(url: &str, clock: Clock, ids: Ids) -> Result<Db> {
        let backend = Backend::of(url)?;
        let readers = r2d2::Pool::builder()
            .max_size(backend.reader_count())
            .min_idle(Some(1))
            .connection_timeout(Duration::from_secs(5))
            .build(Manager::reading(url)?)
            .map_err(|cause| Error::internal("opening the database for reading", cause))?;
        let bell = Bell::default();
        let writer = Arc::new(Writer::start(url, clock.clone(), ids, bell.clone())?);
        let last_seen = Arc::new(AtomicI64::new(i64::MAX));
        Ok(Db { readers, writer, backend, clock, bell, last_seen })
    }

    /// The kind of database behind this handle.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The instant by the clock that units of work go by.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Whether the clock has been set back since this was last asked; the first time nobody knows, and it may have been.
    pub(crate) fn clock_was_set_back(&self) -> bool {
        let now = self.now().timestamp();
        self.last_seen.swap(now, Ordering::SeqCst) > now + 60
    }

    /// Whether the database can be used at this moment. A row is written and taken away again, durably: one that can be
    /// read may still take no writes.
    ///
    /// # Errors
    /// What is wrong, and how to mend it.
    pub async fn healthy(&self) -> Result<()> {
        if ailment::damage_was_met() {
            return Err(Error::unavailable("database_unavailable", ailment::Ailment::Damaged.remedy()));
        }
        self.write(By::system(), |tx| {
            let id = uuid::Uuid::new_v4().to_string();
            diesel::insert_into(schema::pulse::table).values(schema::pulse::id.eq(&id)).execute(tx.conn)?;
            diesel::delete(schema::pulse::table.find(&id)).execute(tx.conn)?;
            Ok(())
        })
        .await
    }

    /// Waits until a unit of work of this process has left work behind (`Tx::ring`).
    pub(crate) async fn rung(&self) {
        self.bell.rung().await;
    }

    /// Runs `query` on a reading connection, off the async threads.
    pub async fn read<T, F>(&self, query: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut DbConn) -> Result<T> + Send + 'static,
    {
        let db = self.clone();
        tokio::task::spawn_blocking(move || db.read_here(query))
            .await
            .map_err(|cause| Error::internal("reading the database", cause))?
    }

    /// Runs `query` on a reading connection, on this thread. For command-line tools and blocking code.
    pub fn read_here<T>(&self, query: impl FnOnce(&mut DbConn) -> Result<T>) -> Result<T> {
        let mut conn = self.readers.get().map_err(|cause| {
            tracing::error!(%cause, "no database connection to read with");
            Error::unavailable("database_unavailable", "the database cannot be reached; try again shortly")
                .retry_after(Duration::from_secs(5))
        })?;
        query(&mut conn)
    }

    /// Runs one unit of work and answers once it is durable.
    ///
    /// Units that are queued together share one commit, and a unit may be run a second time when a neighbour
    /// failed: hence `Fn`, and hence nothing inside it may leave the machine.
    pub async fn write<T, F>(&self, by: By, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx) -> Result<T> + Send + 'static,
    {
        self.writer.submit(by, unit)?.await.map_err(|_| writer::gone())?
    }

    /// `write` for callers that are not async.
    pub fn write_here<T, F>(&self, by: By, unit: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx) -> Result<T> + Send + 'static,
    {
        self.writer.submit(by, unit)?.blocking_recv().map_err(|_| writer::gone())?
    }

    /// Finishes what was accepted and stops the writer. Later writes are refused.
    pub fn close(&self) {
        self.writer.close();
    }
}

/// The URL of the SQLite file in a data folder.
pub fn url_in(data_dir: &Path) -> String {
    format!("sqlite:{}", data_dir.join("nigran.sqlite").display())
}
