//! Brings a database to the shape this binary needs. The migrations are embedded: there is nothing to install. Of several
//! processes that start at once one migrates, and the others wait for it.

use std::fs::File;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::{QueryableByName, sql_query, sql_types};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{Backend, DbConn, open};
use super::{ailment, hold, place, shape};
use crate::error::{Error, Result};

pub(super) const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
pub(super) const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// The number of the advisory lock that whoever migrates holds: "nigran" in ASCII.
const ADVISORY: i64 = 0x6e69_6772_616e;

/// Runs what has not run yet and returns the names of the migrations that did. While another process migrates the same
/// database, it waits.
pub(super) fn migrate(url: &str) -> Result<Vec<String>> {
    // Held until this function ends.
    let _turn = match Backend::of(url)? {
        Backend::Sqlite => Some(turn(url)?),
        Backend::Postgres => None,
    };
    let place = place(url);
    match &mut open(url)? {
        DbConn::Sqlite(conn) => run(&place, conn, SQLITE),
        DbConn::Postgres(conn) => {
            wait(conn)?;
            // The lock ends with the connection.
            run(&place, conn, POSTGRES)
        }
    }
}

fn run<DB: diesel::backend::Backend>(
    place: &str,
    conn: &mut impl MigrationHarness<DB>,
    migrations: EmbeddedMigrations,
) -> Result<Vec<String>> {
    let failed = |cause| not_migrated(place, cause);
    let applied = shape::applied(conn).map_err(failed)?;
    shape::refuse_newer(place, &applied, &shape::versions::<DB>(&migrations).map_err(failed)?)?;
    let ran = conn.run_pending_migrations(migrations).map_err(failed)?;
    Ok(ran.iter().map(ToString::to_string).collect())
}

/// Why a database was not migrated: what ails it, where that can be told.
fn not_migrated(place: &str, cause: Box<dyn std::error::Error + Send + Sync>) -> Error {
    match ailment::of(&cause.to_string()) {
        Some(ailment) => {
            let detail = format!("{place} cannot be migrated: {}", ailment.remedy());
            let mut error = Error::unavailable("database_unavailable", detail);
            error.cause = Some(cause);
            error
        }
        None => Error::internal("migrating the database", cause),
    }
}

fn turn(url: &str) -> Result<File> {
    let path = hold::beside(url, "migrating");
    let failed = |cause: std::io::Error| {
        Error::invalid(
            "database_not_writable",
            format!(
                "{} cannot be written ({cause}); the server needs to write into its folder",
                path.display()
            ),
        )
    };
    let file = hold::lockable(&path).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = sql_types::Bool)]
    locked: bool,
}

/// Takes the lock, however long another process migrates.
fn wait(conn: &mut PgConnection) -> Result<()> {
    let tried: Locked = sql_query("SELECT pg_try_advisory_lock($1) AS locked")
        .bind::<sql_types::BigInt, _>(ADVISORY)
        .get_result(conn)?;
    if !tried.locked {
        tracing::info!("another process migrates the database; waiting for it");
        conn.batch_execute("SET statement_timeout = 0; SET lock_timeout = 0")?;
        sql_query("SELECT pg_advisory_lock($1)").bind::<sql_types::BigInt, _>(ADVISORY).execute(conn)?;
    }
    Ok(())
}
