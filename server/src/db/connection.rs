//! Connections. The backend is chosen by the URL's scheme and by nothing else: diesel's own `establish` tries one
//! after the other, and would create a SQLite file named like a mistyped PostgreSQL URL.

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::r2d2;
use diesel::sqlite::SqliteConnection;

use crate::error::{Error, Result};

/// A connection to either database. Queries are written once, for this.
#[derive(diesel::MultiConnection)]
pub enum DbConn {
    /// SQLite, bundled.
    Sqlite(SqliteConnection),
    /// PostgreSQL, or what speaks its protocol.
    Postgres(PgConnection),
}

/// Runs the same diesel text on whichever backend is behind a [`DbConn`]: for upserts and batches, which
/// diesel cannot write for both at once.
macro_rules! each_backend {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn {
            $crate::db::DbConn::Sqlite($c) => $body,
            $crate::db::DbConn::Postgres($c) => $body,
        }
    };
}
pub(crate) use each_backend;

/// Which database a URL means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// `sqlite:PATH`
    Sqlite,
    /// `postgres://…` or `postgresql://…`
    Postgres,
}

impl Backend {
    /// Reads the scheme of `url`.
    pub fn of(url: &str) -> Result<Backend> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Backend::Sqlite),
            Some("postgres" | "postgresql") => Ok(Backend::Postgres),
            _ => Err(Error::invalid("database_url", "database.url must start with sqlite: or postgres://")),
        }
    }

    pub(super) fn reader_count(self) -> u32 {
        match self {
            Backend::Sqlite => 4,
            Backend::Postgres => 8,
        }
    }
}

const SQLITE_ALWAYS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA temp_store = memory; PRAGMA wal_autocheckpoint = 2000;";

/// Opens a connection that may write.
pub(super) fn open(url: &str) -> Result<DbConn> {
    let opened = match Backend::of(url)? {
        Backend::Sqlite => open_sqlite(url, SQLITE_ALWAYS).map(DbConn::Sqlite),
        Backend::Postgres => PgConnection::establish(url).map(DbConn::Postgres),
    };
    opened.map_err(|cause| super::admission::not_opened(url, &cause))
}

fn open_sqlite(url: &str, pragmas: &str) -> ConnectionResult<SqliteConnection> {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = path.strip_prefix("//").unwrap_or(path);
    let mut conn = SqliteConnection::establish(path)?;
    conn.batch_execute(pragmas).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Makes connections that only read, for the pool.
pub(super) struct Manager {
    url: String,
    backend: Backend,
}

impl Manager {
    pub(super) fn reading(url: &str) -> Result<Manager> {
        Ok(Manager { url: url.to_owned(), backend: Backend::of(url)? })
    }
}

impl r2d2::ManageConnection for Manager {
    type Connection = DbConn;
    type Error = diesel::ConnectionError;

    fn connect(&self) -> Result<DbConn, ConnectionError> {
        let readonly = |cause| ConnectionError::CouldntSetupConfiguration(cause);
        match self.backend {
            Backend::Sqlite => {
                let pragmas = format!("{SQLITE_ALWAYS} PRAGMA query_only = ON;");
                open_sqlite(&self.url, &pragmas).map(DbConn::Sqlite)
            }
            Backend::Postgres => {
                let mut conn = PgConnection::establish(&self.url)?;
                conn.batch_execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
                    .map_err(readonly)?;
                Ok(DbConn::Postgres(conn))
            }
        }
    }

    fn is_valid(&self, conn: &mut DbConn) -> Result<(), ConnectionError> {
        conn.batch_execute("SELECT 1").map_err(ConnectionError::CouldntSetupConfiguration)
    }

    fn has_broken(&self, _conn: &mut DbConn) -> bool {
        false
    }
}
