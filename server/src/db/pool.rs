//! Connections that read, as many as are set and no more. Whoever waits for one too long is told to come back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::RunQueryDsl as _;
use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::r2d2;
use diesel::sql_types::Double;

use super::connection::{DbConn, Manager, Source};
use super::faults::Fault;
use super::settings::Settings;
use crate::error::{Error, Result};

pub(super) type Held = r2d2::PooledConnection<Manager>;

/// A pool of connections; clones share it.
#[derive(Clone)]
pub(super) struct Pool {
    connections: r2d2::Pool<Manager>,
    /// When it was last asked how far it lags behind, and whether that was too far.
    lag: Arc<Mutex<Option<(Instant, bool)>>>,
}

/// A replica that lags farther behind than this, in seconds, is not asked.
const STALE: f64 = 30.0;
/// How often a replica is asked how far it lags behind.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Seconds between what a replica has received and what it shows; nothing for what is no replica.
const LAG: &str = "COALESCE(CASE WHEN pg_is_in_recovery() \
     AND pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn() \
     THEN EXTRACT(EPOCH FROM now() - pg_last_xact_replay_timestamp())::float8 END, 0)";

impl Pool {
    pub(super) fn open(source: Source, settings: &Settings) -> Result<Pool> {
        let pool = builder(settings).build(Manager(source));
        let pool = pool.map_err(|cause| Error::internal("opening the database for reading", cause))?;
        Ok(Pool { connections: pool, lag: Arc::default() })
    }

    /// The same of a replica, which need not be there yet.
    pub(super) fn of_replica(source: Source, settings: &Settings) -> Pool {
        Pool { connections: builder(settings).build_unchecked(Manager(source)), lag: Arc::default() }
    }

    /// Runs `query` on a connection, once one is free.
    pub(super) fn with<T>(&self, query: impl FnOnce(&mut DbConn) -> Result<T>) -> Result<T> {
        let held = self.connections.get().map_err(|cause| {
            let connections = self.connections.state().connections;
            tracing::error!(%cause, connections, "no database connection to read with");
            let detail = match connections {
                0 => "the database cannot be reached; try again shortly",
                _ => "every connection to the database is in use; try again shortly",
            };
            Error::unavailable("database_unavailable", detail).retry_after(Duration::from_secs(5))
        })?;
        Pool::run(held, query)
    }

    /// How many connections are in use, and how many are free.
    pub(super) fn in_use(&self) -> (u32, u32) {
        let state = self.connections.state();
        (state.connections.saturating_sub(state.idle_connections), state.idle_connections)
    }

    /// A connection to a replica that is free at once and shows what is not too old; none: it is to be read elsewhere.
    pub(super) fn ready(&self) -> Option<Held> {
        let mut held = self.connections.try_get()?;
        let mut lag = self.lag.lock().unwrap_or_else(PoisonError::into_inner);
        let is_stale = match *lag {
            Some((asked, is_stale)) if asked.elapsed() < LOOK_EVERY => is_stale,
            _ => {
                let is_stale = is_stale(&mut held);
                *lag = Some((Instant::now(), is_stale));
                is_stale
            }
        };
        (!is_stale).then_some(held)
    }

    /// Runs `query` on this connection; one that broke is not used again.
    pub(super) fn run<T>(mut held: Held, query: impl FnOnce(&mut DbConn) -> Result<T>) -> Result<T> {
        query(&mut held.conn).map_err(|error| match Fault::of(&error) {
            Fault::Own => error,
            Fault::Broken => {
                held.is_broken = true;
                error
            }
            // A server that goes away may say so in words of its own; whether it is there still, it can be asked.
            Fault::Passing => match held.conn.batch_execute("SELECT 1") {
                Ok(()) => error,
                Err(cause) => {
                    held.is_broken = true;
                    Error::from(cause)
                }
            },
        })
    }
}

fn builder(settings: &Settings) -> r2d2::Builder<Manager> {
    r2d2::Pool::builder()
        .max_size(settings.reader_count())
        .min_idle(Some(1))
        .connection_timeout(settings.wait)
}

/// Whether the replica is too far behind, or does not say.
fn is_stale(held: &mut Held) -> bool {
    let DbConn::Postgres(conn) = &mut held.conn else { return false };
    match diesel::select(sql::<Double>(LAG)).get_result::<f64>(conn) {
        Ok(seconds) if seconds <= STALE => false,
        Ok(seconds) => {
            tracing::warn!(seconds, "the read replica lags behind; reading from the primary");
            true
        }
        Err(cause) => {
            tracing::warn!(%cause, "the read replica does not answer; reading from the primary");
            held.is_broken = true;
            true
        }
    }
}
