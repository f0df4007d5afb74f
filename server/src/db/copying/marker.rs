//! How far a move has come, written into the database that is moved into, in the transaction of the rows it tells of. As
//! long as it stands there, the database is half a house, and no server starts on it.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};

use crate::db::DbConn;
use crate::error::{Error, Result};

const TABLE: &str = "__nigran_transfer";
/// The row that says what is being moved in.
const SOURCE: &str = "source";

/// How far a move has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marker {
    /// What is being moved in: words by which it is known again.
    pub source: String,
    /// For each part that was begun, where it stands.
    pub places: BTreeMap<String, String>,
}

#[derive(QueryableByName)]
struct MarkerRow {
    #[diesel(sql_type = Text)]
    part: String,
    #[diesel(sql_type = Text)]
    place: String,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// The marker in this database; none: nobody is moving in.
pub fn marker(conn: &mut DbConn) -> Result<Option<Marker>> {
    let known = match conn {
        DbConn::Sqlite(_) => format!("SELECT COUNT(*) AS n FROM sqlite_master WHERE name = '{TABLE}'"),
        DbConn::Postgres(_) => format!("SELECT COUNT(to_regclass('{TABLE}')) AS n"),
    };
    if sql_query(known).get_result::<Counted>(conn)?.n == 0 {
        return Ok(None);
    }
    let rows: Vec<MarkerRow> = sql_query(format!("SELECT part, place FROM {TABLE}")).load(conn)?;
    let mut places: BTreeMap<String, String> = rows.into_iter().map(|row| (row.part, row.place)).collect();
    Ok(Some(Marker { source: places.remove(SOURCE).unwrap_or_default(), places }))
}

/// Says that `source` is being moved in from now on, unless that was said already.
pub fn begin_if_new(conn: &mut DbConn, source: &str, is_known: bool) -> Result<()> {
    if is_known {
        return Ok(());
    }
    conn.transaction(|conn| begin(conn, source))
}

fn begin(conn: &mut DbConn, source: &str) -> Result<()> {
    sql_query(format!("CREATE TABLE {TABLE} (part TEXT PRIMARY KEY, place TEXT NOT NULL)")).execute(conn)?;
    step(conn, SOURCE, None, source)
}

/// Notes that `part` stands at `place` now. Whoever notes it must know where it stood `before`: of two movers, one fails.
pub fn step(conn: &mut DbConn, part: &str, before: Option<&str>, place: &str) -> Result<()> {
    let moved = match before {
        None => sql_query(format!("INSERT INTO {TABLE} (part, place) VALUES ($1, $2)"))
            .bind::<Text, _>(part)
            .bind::<Text, _>(place)
            .execute(conn)?,
        Some(before) => sql_query(format!("UPDATE {TABLE} SET place = $1 WHERE part = $2 AND place = $3"))
            .bind::<Text, _>(place)
            .bind::<Text, _>(part)
            .bind::<Text, _>(before)
            .execute(conn)?,
    };
    match moved {
        1 => Ok(()),
        _ => Err(Error::conflict(
            "transfer_running",
            "another transfer is moving into the same database; wait for it",
        )),
    }
}

/// Says that the move is done.
pub fn end(conn: &mut DbConn) -> Result<()> {
    sql_query(format!("DROP TABLE {TABLE}")).execute(conn)?;
    Ok(())
}
