//! Connections. The backend is chosen by the URL's scheme and by nothing else: diesel's own `establish` tries one
//! after the other, and would create a SQLite file named like a mistyped PostgreSQL URL.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::r2d2;
use diesel::sqlite::SqliteConnection;

use super::{address, tls};
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
}

const SQLITE_ALWAYS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA temp_store = memory; PRAGMA wal_autocheckpoint = 2000;";

/// Opens a connection for migrations and tools: it may write, and take its time.
pub(super) fn open(url: &str) -> Result<DbConn> {
    Source::new(url, Limits::none())?.open()
}

/// For how long a connection of PostgreSQL may be kept waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// By one statement.
    pub(super) statement: Duration,
    /// By somebody else's lock.
    pub(super) lock: Duration,
    /// By ourselves, in the middle of a transaction.
    pub(super) idle: Duration,
}

impl Limits {
    fn none() -> Limits {
        Limits { statement: Duration::ZERO, lock: Duration::ZERO, idle: Duration::ZERO }
    }

    fn sql(self) -> String {
        format!(
            "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {};",
            self.statement.as_millis(),
            self.lock.as_millis(),
            self.idle.as_millis()
        )
    }
}

/// Where connections come from.
#[derive(Clone)]
pub(super) struct Source {
    /// As it was set.
    shown: String,
    /// As the library is given it.
    url: String,
    backend: Backend,
    limits: Limits,
    /// What else PostgreSQL is told first on each connection.
    session: &'static str,
}

/// Plans each statement for what it is given and for the tables as they are now. A plan that was kept from when a table was
/// empty reads all of it for every row asked for, until PostgreSQL has gathered statistics: a minute, on a new database
/// with everybody filing into it. For statements that do the work of many, planning costs nothing beside the work.
const PLANNED_ANEW: &str = "SET plan_cache_mode = force_custom_plan;";

impl Source {
    pub(super) fn new(url: &str, limits: Limits) -> Result<Source> {
        let backend = Backend::of(url)?;
        let shown = url.to_owned();
        let url = match backend {
            Backend::Sqlite => url.to_owned(),
            Backend::Postgres => address::with_patience(&tls::through_the_bridge(url)?),
        };
        Ok(Source { shown, url, backend, limits, session: "" })
    }

    /// The same, for statements that each do the work of many.
    pub(super) fn for_many(&self) -> Source {
        Source { session: PLANNED_ANEW, ..self.clone() }
    }

    /// Whether the database is a file of this process.
    pub(super) fn is_embedded(&self) -> bool {
        self.backend == Backend::Sqlite
    }

    /// Opens a connection that may write.
    pub(super) fn open(&self) -> Result<DbConn> {
        let opened = match self.backend {
            Backend::Sqlite => open_sqlite(&self.url, SQLITE_ALWAYS).map(DbConn::Sqlite),
            Backend::Postgres => self.open_postgres("").map(DbConn::Postgres),
        };
        opened.map_err(|cause| super::admission::not_opened(&self.shown, &cause))
    }

    fn open_reading(&self) -> ConnectionResult<DbConn> {
        match self.backend {
            Backend::Sqlite => {
                let pragmas = format!("{SQLITE_ALWAYS} PRAGMA query_only = ON;");
                open_sqlite(&self.url, &pragmas).map(DbConn::Sqlite)
            }
            Backend::Postgres => self
                .open_postgres("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;")
                .map(DbConn::Postgres),
        }
    }

    fn open_postgres(&self, more: &str) -> ConnectionResult<PgConnection> {
        let mut conn = PgConnection::establish(&self.url)?;
        conn.batch_execute(&format!("{}{}{more}", self.limits.sql(), self.session))
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(conn)
    }
}

fn open_sqlite(url: &str, pragmas: &str) -> ConnectionResult<SqliteConnection> {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = path.strip_prefix("//").unwrap_or(path);
    let mut conn = SqliteConnection::establish(path)?;
    conn.batch_execute(pragmas).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// A connection that only reads, in the pool.
pub(super) struct Reading {
    pub(super) conn: DbConn,
    /// It failed in a way from which it does not recover.
    pub(super) is_broken: bool,
    used_at: Instant,
}

/// Used so lately that it is taken to be alive.
const ALIVE: Duration = Duration::from_millis(500);

/// Makes connections that only read, for the pool.
pub(super) struct Manager(pub(super) Source);

impl r2d2::ManageConnection for Manager {
    type Connection = Reading;
    type Error = ConnectionError;

    fn connect(&self) -> Result<Reading, ConnectionError> {
        Ok(Reading { conn: self.0.open_reading()?, is_broken: false, used_at: Instant::now() })
    }

    /// Asked before each use. A way there and back each time would double the cost of small queries.
    fn is_valid(&self, held: &mut Reading) -> Result<(), ConnectionError> {
        if self.0.is_embedded() || held.used_at.elapsed() < ALIVE {
            return Ok(());
        }
        held.conn.batch_execute("SELECT 1").map_err(ConnectionError::CouldntSetupConfiguration)
    }

    fn has_broken(&self, held: &mut Reading) -> bool {
        held.used_at = Instant::now();
        held.is_broken || std::thread::panicking()
    }
}
