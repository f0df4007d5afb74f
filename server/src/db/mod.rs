//! The database: one door for reading (`db.read`) and one for writing (`db.write`), the same over SQLite and
//! PostgreSQL. Writes of all callers are committed together by one writer; an answer comes after the commit that covers it.
//! What is written most, filings, has lanes of its own on PostgreSQL (`db.lane`).

mod address;
mod admission;
pub(crate) mod ailment;
mod connection;
pub mod copying;
mod desk;
mod faults;
mod hold;
mod lane;
mod later;
pub mod likeness;
mod mark;
mod migrations;
mod packed;
mod pool;
mod replica;
pub mod schema;
mod settings;
mod shape;
mod snapshot;
mod tls;
mod transaction;
mod types;
mod unnest;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use diesel::prelude::*;

pub use admission::{Found, admit, place};
pub use connection::{Backend, DbConn};
pub use hold::{Hold, hold};
pub use lane::{Lane, Verb};
pub use later::Later;
pub use likeness::Likeness;
pub use packed::Packed;
pub use settings::Settings;
pub use shape::{back_to, forward_to, known_shape, known_shapes, migrate, newest_shape, shape};
pub use snapshot::{look, snapshot};
pub use transaction::{By, Tx};
pub use types::{At, Json, storable};

use crate::clock::{Clock, Ids};
use crate::error::{Error, Result};
use desk::Desk;
use lane::Closing;
use pool::Pool;
use replica::Replica;
use transaction::Bell;
use writer::Writer;

pub(crate) use connection::each_backend;
pub(crate) use faults::is_lost;
pub(crate) use types::{text_enum, text_id};
pub(crate) use unnest::{Statement, Unnest, insert_all, names, unnest};

/// A handle on the database; clones share it.
#[derive(Clone)]
pub struct Db {
    readers: Pool,
    /// A copy that may lag behind, where there is one.
    copy: Option<Replica>,
    writer: Arc<Writer>,
    lanes: Arc<Mutex<Vec<Arc<dyn Closing>>>>,
    desks: Arc<Desks>,
    backend: Backend,
    clock: Clock,
    bell: Bell,
    /// The second at which the clock was last looked at for having been set back.
    last_seen: Arc<AtomicI64>,
}

/// What a desk is made of.
struct Desks {
    source: connection::Source,
    clock: Clock,
    ids: Ids,
    bell: Bell,
    /// How many a lane has.
    lane: u32,
}

impl Desks {
    fn open(&self) -> Result<Desk> {
        Desk::open(self.source.clone(), self.clock.clone(), self.ids.clone(), self.bell.clone())
    }

    /// For work that is done for many at once.
    fn open_for_many(&self) -> Result<Desk> {
        Desk::open(self.source.for_many(), self.clock.clone(), self.ids.clone(), self.bell.clone())
    }
}

impl Db {
    /// Opens the database at `url` (`sqlite:PATH` or `postgres://…`), which must be migrated already.
    pub fn open(url: &str, clock: Clock, ids: Ids) -> Result<Db> {
        Db::connect(&Settings::of(url), clock, ids)
    }

    /// Opens the database these settings name, which must be migrated already.
    pub fn connect(settings: &Settings, clock: Clock, ids: Ids) -> Result<Db> {
        settings.checked()?;
        let copy = settings.copy()?.map(|source| Replica::of(source, settings));
        let (source, bell) = (settings.source()?, Bell::default());
        let desks = Desks { source, clock: clock.clone(), ids, bell: bell.clone(), lane: settings.writers };
        // First, since its error says most plainly what is wrong.
        let writer = Arc::new(Writer::start(desks.open()?)?);
        let readers = Pool::open(settings.source()?, settings)?;
        let backend = Backend::of(&settings.url)?;
        let (lanes, desks) = (Arc::default(), Arc::new(desks));
        let last_seen = Arc::new(AtomicI64::new(i64::MAX));
        Ok(Db { readers, copy, writer, lanes, desks, backend, clock, bell, last_seen })
    }

    /// The kind of database behind this handle.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// How many connections to read with are in use, and how many are free.
    pub fn connections(&self) -> (u32, u32) {
        self.readers.in_use()
    }

    /// The instant by the clock that units of work go by.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Changes whenever a unit of work of this process has left work behind (`Tx::ring`).
    pub(crate) fn bell(&self) -> tokio::sync::watch::Receiver<()> {
        self.bell.ear()
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
        self.readers.with(query)
    }

    /// `read` for what may be some seconds old: from the read replica (`database.read_url`), where there is one that is to be
    /// had; otherwise, and when the replica gives the query up, from the database itself. Not for permissions, and not for
    /// what a caller has just written.
    pub async fn read_lately<T, F>(&self, query: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut DbConn) -> Result<T> + Send + 'static,
    {
        let db = self.clone();
        let read = move || {
            let answered = db.copy.as_ref().and_then(|replica| replica.read(&db.readers, &query));
            answered.unwrap_or_else(|| db.read_here(query))
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|cause| Error::internal("reading the database", cause))?
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

    /// Opens a lane for `verb`: what is asked of it by many at once shares statements and commits.
    pub fn lane<V: Verb>(&self, verb: V) -> Result<Lane<V>> {
        if self.backend == Backend::Sqlite {
            return Ok(Lane::through_the_writer(self.clone(), verb));
        }
        let desks = (0..self.desks.lane).map(|_| self.desks.open_for_many()).collect::<Result<Vec<_>>>()?;
        let (lane, closing) = Lane::over(self.clone(), verb, desks)?;
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).push(closing);
        Ok(lane)
    }

    /// Finishes what was accepted and stops the writers. Later writes are refused.
    pub fn close(&self) {
        for lane in self.lanes.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            lane.close();
        }
        self.writer.close();
    }
}

/// The URL of the SQLite file in a data folder.
pub fn url_in(data_dir: &Path) -> String {
    format!("sqlite:{}", data_dir.join("nigran.sqlite").display())
}
