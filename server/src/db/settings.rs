//! How the database is reached, and how much is asked of it at once.

use std::time::Duration;

use super::connection::{Backend, Limits, Source};
use crate::error::{Error, Result};

/// How the database is reached, and how much is asked of it at once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// A copy of it that only reads, and may lag behind.
    pub read_url: Option<String>,
    /// Connections that read; 0: as many as suit the database.
    pub readers: u32,
    /// Connections that take filings on PostgreSQL, beside the one that takes everything else.
    pub writers: u32,
    /// For how long somebody waits for a connection to read with.
    pub wait: Duration,
    /// For how long one statement may run on PostgreSQL.
    pub statement: Duration,
    /// For how long a statement waits for somebody else's lock.
    pub lock: Duration,
    /// How far the replica may be behind and is still asked.
    pub replica_lag: Duration,
}

/// More connections than this no process needs; a mistyped number must not exhaust the server.
const MOST: u32 = 200;

impl Settings {
    /// The database at `url`, and everything else as it is unless told.
    pub fn of(url: &str) -> Settings {
        Settings {
            url: url.to_owned(),
            read_url: None,
            readers: 0,
            writers: 2,
            wait: Duration::from_secs(5),
            statement: Duration::from_secs(30),
            lock: Duration::from_secs(10),
            replica_lag: Duration::from_secs(30),
        }
    }

    /// Refuses what cannot work.
    pub(super) fn checked(&self) -> Result<()> {
        let backend = Backend::of(&self.url)?;
        if !(1..=MOST).contains(&self.writers) || self.readers > MOST {
            return Err(Error::invalid(
                "database_connections",
                format!("database.writers must be 1 to {MOST}, and database.readers 0 to {MOST}"),
            ));
        }
        match &self.read_url {
            Some(copy) if backend != Backend::Postgres || Backend::of(copy)? != Backend::Postgres => {
                Err(Error::invalid(
                    "database_read_url",
                    "database.read_url is for a replica of PostgreSQL; leave it out with SQLite",
                ))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn source(&self) -> Result<Source> {
        Source::new(&self.url, self.limits())
    }

    /// The copy that only reads, where there is one.
    pub(super) fn copy(&self) -> Result<Option<Source>> {
        self.read_url.as_ref().map(|url| Source::new(url, self.limits())).transpose()
    }

    pub(super) fn reader_count(&self) -> u32 {
        match (self.readers, self.url.starts_with("sqlite:")) {
            (0, true) => 4,
            (0, false) => 8,
            (count, _) => count,
        }
    }

    fn limits(&self) -> Limits {
        Limits { statement: self.statement, lock: self.lock, idle: Duration::from_secs(60) }
    }
}
