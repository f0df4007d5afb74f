//! The shape of a database: the version of the last migration it has been through. Which it has, which this program knows,
//! and the way back to an older one.

use diesel::migration::{Migration as _, MigrationSource};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel::{sql_query, sql_types};
use diesel_migrations::MigrationHarness;

use super::connection::{DbConn, open};
use super::copying;
use super::migrations::{self, POSTGRES, SQLITE};
use crate::error::{Error, Result};

/// Brings the database at `url` to the shape this program knows and returns the names of the migrations that were run.
///
/// # Errors
/// `transfer_unfinished` for one that is being moved into (`nigran transfer`) and where not all has arrived.
pub fn migrate(url: &str) -> Result<Vec<String>> {
    match copying::marker(&mut open(url)?)? {
        None => migrations::migrate(url),
        Some(_) => Err(Error::conflict(
            "transfer_unfinished",
            "a transfer into this database was begun and not finished; run nigran transfer again, it goes on where it was",
        )),
    }
}

/// Refuses a database that a newer version has brought to its shape: this one does not know what its tables mean.
pub(super) fn refuse_newer(place: &str, applied: &[String], known: &[String]) -> Result<()> {
    let Some(newest) = applied.iter().filter(|version| !known.contains(version)).max() else { return Ok(()) };
    let detail = format!(
        "{place} was brought to shape {newest} by a newer version of this program; this one knows shapes up to {}. Nothing was \
         changed: start the newer version, have it go back first (nigran migrate --back-to), or restore the backup that was \
         taken before the upgrade",
        known.last().map_or("none", String::as_str)
    );
    Err(Error::conflict("database_newer", detail))
}

/// The versions of migrations, oldest first.
pub(super) fn versions<DB: diesel::backend::Backend>(
    migrations: &impl MigrationSource<DB>,
) -> diesel::migration::Result<Vec<String>> {
    let all = migrations.migrations()?;
    let mut known: Vec<String> = all.iter().map(|migration| migration.name().version().to_string()).collect();
    known.sort();
    Ok(known)
}

/// The versions of the migrations a database has been through, newest first.
pub(super) fn applied<DB: diesel::backend::Backend>(
    conn: &mut impl MigrationHarness<DB>,
) -> diesel::migration::Result<Vec<String>> {
    Ok(conn.applied_migrations()?.iter().map(ToString::to_string).collect())
}

/// Every shape this program knows, oldest first.
pub fn known_shapes() -> Result<Vec<String>> {
    versions::<Sqlite>(&SQLITE).map_err(|cause| Error::internal("reading the migrations", cause))
}

/// The shape this program brings a database to.
pub fn newest_shape() -> Result<String> {
    Ok(known_shapes()?.last().cloned().unwrap_or_default())
}

/// Makes sure that this program has known this shape.
///
/// # Errors
/// `shape_unknown`.
pub fn known_shape(version: &str) -> Result<()> {
    match known_shapes()?.iter().any(|known| known == version) {
        true => Ok(()),
        false => Err(unknown(version)),
    }
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = sql_types::BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = sql_types::Text)]
    version: String,
}

/// The shape a database has; empty: it is none of ours.
pub fn shape(conn: &mut DbConn) -> Result<String> {
    let is_there = match conn {
        DbConn::Sqlite(_) => {
            "SELECT COUNT(*) AS n FROM sqlite_master WHERE type = 'table' AND name = '__diesel_schema_migrations'"
        }
        DbConn::Postgres(_) => "SELECT COUNT(to_regclass('__diesel_schema_migrations')) AS n",
    };
    if sql_query(is_there).get_result::<Counted>(conn)?.n == 0 {
        return Ok(String::new());
    }
    let newest = "SELECT COALESCE(MAX(version), '') AS version FROM __diesel_schema_migrations";
    Ok(sql_query(newest).get_result::<Version>(conn)?.version)
}

/// Brings an empty or older database at `url` to one of the shapes this program has known. For tests of what follows.
///
/// # Errors
/// `shape_unknown` when there is no such shape.
pub fn forward_to(url: &str, version: &str) -> Result<()> {
    known_shape(version)?;
    let mut conn = open(url)?;
    while shape(&mut conn)?.as_str() < version {
        let ran = match &mut conn {
            DbConn::Sqlite(conn) => conn.run_next_migration(SQLITE).map(drop),
            DbConn::Postgres(conn) => conn.run_next_migration(POSTGRES).map(drop),
        };
        ran.map_err(|cause| Error::internal("migrating the database", cause))?;
    }
    Ok(())
}

/// Takes the database at `url` back to the shape an older version of this program knows, named by the last migration that
/// stays, and returns the migrations that were undone. What they had added goes: take a backup first.
///
/// # Errors
/// `shape_unknown` when the database never had that shape.
pub fn back_to(url: &str, version: &str) -> Result<Vec<String>> {
    let mut conn = open(url)?;
    let mut undone = Vec::new();
    loop {
        let had = match &mut conn {
            DbConn::Sqlite(conn) => applied(conn),
            DbConn::Postgres(conn) => applied(conn),
        };
        let had = had.map_err(|cause| Error::internal("reading the shape of the database", cause))?;
        match had.iter().position(|had| had == version) {
            None => return Err(unknown(version)),
            Some(0) => return Ok(undone),
            Some(_) => {}
        }
        let reverted = match &mut conn {
            DbConn::Sqlite(conn) => conn.revert_last_migration(SQLITE).map(|version| version.to_string()),
            DbConn::Postgres(conn) => conn.revert_last_migration(POSTGRES).map(|version| version.to_string()),
        };
        undone.push(reverted.map_err(|cause| Error::internal("taking the database back", cause))?);
    }
}

fn unknown(version: &str) -> Error {
    let detail = format!(
        "there is no shape {version} to go to; name the last migration that is to stay, as in 20261124000017"
    );
    Error::invalid("shape_unknown", detail)
}
