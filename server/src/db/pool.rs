//! Connections that read, as many as are set and no more. Whoever waits for one too long is told to come back.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::r2d2;

use super::connection::{DbConn, Manager, Source};
use super::faults::Fault;
use super::settings::Settings;
use crate::error::{Error, Result};

pub(super) type Held = r2d2::PooledConnection<Manager>;

/// A pool of connections; clones share it.
#[derive(Clone)]
pub(super) struct Pool(r2d2::Pool<Manager>);

impl Pool {
    pub(super) fn open(source: Source, settings: &Settings) -> Result<Pool> {
        let pool = builder(settings).build(Manager(source));
        pool.map(Pool).map_err(|cause| Error::internal("opening the database for reading", cause))
    }

    /// The same of a database that need not be there yet.
    pub(super) fn unchecked(source: Source, settings: &Settings) -> Pool {
        Pool(builder(settings).build_unchecked(Manager(source)))
    }

    /// Runs `query` on a connection, once one is free.
    pub(super) fn with<T>(&self, query: impl FnOnce(&mut DbConn) -> Result<T>) -> Result<T> {
        let held = self.0.get().map_err(|cause| {
            let connections = self.0.state().connections;
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
        let state = self.0.state();
        (state.connections.saturating_sub(state.idle_connections), state.idle_connections)
    }

    /// A connection that is free at once.
    pub(super) fn free(&self) -> Option<Held> {
        self.0.try_get()
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
