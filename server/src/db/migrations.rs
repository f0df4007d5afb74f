//! Brings a database to the shape this binary needs. The migrations are embedded: there is nothing to install.

use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{DbConn, open};
use crate::error::{Error, Result};

pub(super) const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
pub(super) const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Runs what has not run yet and returns the names of the migrations that did.
pub(super) fn migrate(url: &str) -> Result<Vec<String>> {
    let done = match &mut open(url)? {
        DbConn::Sqlite(conn) => run(conn, SQLITE),
        DbConn::Postgres(conn) => run(conn, POSTGRES),
    };
    done.map_err(|cause| Error::internal("migrating the database", cause))
}

fn run<DB: diesel::backend::Backend>(
    conn: &mut impl MigrationHarness<DB>,
    migrations: EmbeddedMigrations,
) -> diesel::migration::Result<Vec<String>> {
    super::shape::refuse_newer(conn, &migrations)?;
    Ok(conn.run_pending_migrations(migrations)?.iter().map(ToString::to_string).collect())
}
