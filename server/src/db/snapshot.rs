//! Copies of a SQLite database taken while it is in use, and a look into such a copy that leaves it as it is.

use std::path::Path;

use diesel::connection::Connection;
use diesel::sqlite::SqliteConnection;
use diesel::{RunQueryDsl, sql_query, sql_types};

use super::connection::{Backend, DbConn};
use crate::error::{Error, Result};

/// Writes the SQLite database at `url` as it stands now to the new file `to`. Whoever writes meanwhile is not kept
/// waiting, and what they write is not in the copy: it is one instant of the database.
///
/// # Errors
/// `not_sqlite` for another database; `no_database` when there is no file (none is made).
pub fn snapshot(url: &str, to: &Path) -> Result<()> {
    let from = file_of(url)?;
    let failed = |cause: &dyn std::fmt::Display| Error::internal("copying the database", cause.to_string());
    let mut conn = SqliteConnection::establish(from).map_err(|cause| failed(&cause))?;
    sql_query("PRAGMA busy_timeout = 30000").execute(&mut conn)?;
    sql_query("VACUUM INTO ?")
        .bind::<sql_types::Text, _>(to.display().to_string())
        .execute(&mut conn)
        .map_err(|cause| failed(&cause))?;
    let file = std::fs::File::open(to).map_err(|cause| failed(&cause))?;
    file.sync_all().map_err(|cause| failed(&cause))
}

/// Runs `query` on a database file nobody has open, which it can neither change nor make.
pub fn look<T>(file: &Path, query: impl FnOnce(&mut DbConn) -> Result<T>) -> Result<T> {
    let address = format!("file:{}?mode=ro&immutable=1", escaped(&file.display().to_string()));
    let conn = SqliteConnection::establish(&address).map_err(|cause| {
        Error::internal("opening a copy of the database", format!("{}: {cause}", file.display()))
    })?;
    query(&mut DbConn::Sqlite(conn))
}

pub(super) fn file_of(url: &str) -> Result<&str> {
    if Backend::of(url)? != Backend::Sqlite {
        return Err(Error::invalid(
            "not_sqlite",
            "only the embedded database is copied by this program; for PostgreSQL use pg_dump or pg_basebackup \
             (docs/OPERATIONS.md)",
        ));
    }
    let file = url.strip_prefix("sqlite:").unwrap_or(url);
    let file = file.strip_prefix("//").unwrap_or(file);
    match Path::new(file).is_file() {
        true => Ok(file),
        false => {
            Err(Error::not_found("no_database", format!("there is no database at {file}; check data_dir")))
        }
    }
}

/// A path inside a `file:` URI.
pub(super) fn escaped(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}
