//! Reading tables page by page, in the order of their primary key, from one instant of the database.

use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::sqlite::Sqlite;
use serde::{Deserialize, Serialize};

use super::catalogue::Table;
use super::cells::{Cell, Found, Row, Tally};
use super::{listed, quoted};
use crate::db::DbConn;
use crate::db::connection::Backend;
use crate::db::snapshot::file_of;
use crate::error::{Error, Result};

/// How many bytes a page should have.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// How many rows a page has at most, and how many the first of a table, when nobody knows yet how large they are.
const MOST_ROWS: usize = 4000;
const FIRST_ROWS: usize = 50;

/// The primary key of a row, as it is written down to read on from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(Vec<KeyPart>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum KeyPart {
    Bool(bool),
    Int(i64),
    Text(String),
}

/// Opens the database at `url`, which must be there, to be read as it stands at this instant and not to be written.
pub fn open(url: &str) -> Result<DbConn> {
    if Backend::of(url)? == Backend::Sqlite {
        file_of(url)?;
    }
    let mut conn = crate::db::connection::open(url)?;
    let begun = match &mut conn {
        DbConn::Sqlite(conn) => {
            conn.batch_execute("PRAGMA query_only = ON; BEGIN; SELECT 1 FROM sqlite_master")
        }
        DbConn::Postgres(conn) => conn.batch_execute(
            "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
             BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1",
        ),
    };
    begun?;
    Ok(conn)
}

/// How many others are connected to this database; nobody can tell for SQLite.
pub fn users(conn: &mut DbConn) -> Result<i64> {
    match conn {
        DbConn::Sqlite(_) => Ok(0),
        DbConn::Postgres(postgres) => {
            // Within a transaction PostgreSQL goes on saying what it said first, unless it is told to look again.
            postgres.batch_execute("SELECT pg_stat_clear_snapshot()")?;
            counted(
                conn,
                "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE datname = current_database() \
                 AND pid <> pg_backend_pid() AND COALESCE(backend_type, 'client backend') = 'client backend'",
            )
        }
    }
}

/// Whether a table has no rows.
pub fn is_empty(conn: &mut DbConn, table: &Table) -> Result<bool> {
    let any = format!("SELECT COUNT(*) AS n FROM (SELECT 1 FROM {} LIMIT 1) AS one", quoted(&table.name));
    Ok(counted(conn, &any)? == 0)
}

/// How many rows a table has.
pub fn count(conn: &mut DbConn, table: &Table) -> Result<i64> {
    counted(conn, &format!("SELECT COUNT(*) AS n FROM {}", quoted(&table.name)))
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn counted(conn: &mut DbConn, query: &str) -> Result<i64> {
    Ok(sql_query(query).get_result::<Counted>(conn)?.n)
}

/// The rows after this key, or the first ones, in the order of the key; about as many as make a good page. `last` is the
/// page before, by which that is judged. None left: an empty page.
pub fn page(conn: &mut DbConn, table: &Table, after: Option<&Key>, last: &[Row]) -> Result<Vec<Row>> {
    let keys = listed(table.key.iter().map(|at| table.columns[*at].name.as_str()));
    let places: Vec<String> = (1..=table.key.len()).map(|n| format!("${n}")).collect();
    let after_key = match after {
        Some(_) => format!(" WHERE ({keys}) > ({})", places.join(", ")),
        None => String::new(),
    };
    let query = format!(
        "SELECT {} FROM {}{after_key} ORDER BY {keys} LIMIT {}",
        listed(table.columns.iter().map(|column| column.name.as_str())),
        quoted(&table.name),
        rows_for(last),
    );
    let parts = after.map(|key| key.0.clone()).unwrap_or_default();
    let found: Vec<Found> = match conn {
        DbConn::Sqlite(conn) => {
            let query =
                parts.into_iter().fold(sql_query(query).into_boxed::<Sqlite>(), |query, part| match part {
                    KeyPart::Bool(truth) => query.bind::<Bool, _>(truth),
                    KeyPart::Int(number) => query.bind::<BigInt, _>(number),
                    KeyPart::Text(text) => query.bind::<Text, _>(text),
                });
            query.load(conn)?
        }
        DbConn::Postgres(conn) => {
            let query =
                parts.into_iter().fold(sql_query(query).into_boxed::<Pg>(), |query, part| match part {
                    KeyPart::Bool(truth) => query.bind::<Bool, _>(truth),
                    KeyPart::Int(number) => query.bind::<BigInt, _>(number),
                    KeyPart::Text(text) => query.bind::<Text, _>(text),
                });
            query.load(conn)?
        }
    };
    Ok(found.into_iter().map(|Found(row)| kept(table, row)).collect())
}

fn kept(table: &Table, row: Row) -> Row {
    row.into_iter().zip(&table.columns).map(|(cell, column)| cell.kept_as(column.sort)).collect()
}

fn rows_for(last: &[Row]) -> usize {
    if last.is_empty() {
        return FIRST_ROWS;
    }
    let bytes: usize = last.iter().flatten().map(Cell::bytes).sum();
    (last.len() * PAGE_BYTES / bytes.max(1)).clamp(1, MOST_ROWS)
}

/// The key of a row.
///
/// # Errors
/// `table_unmovable` when a part of it is a fraction, bytes, or nothing.
pub fn key_of(table: &Table, row: &[Cell]) -> Result<Key> {
    let part = |at: &usize| match row.get(*at) {
        Some(Cell::Bool(truth)) => Ok(KeyPart::Bool(*truth)),
        Some(Cell::Int(number)) => Ok(KeyPart::Int(*number)),
        Some(Cell::Text(text)) => Ok(KeyPart::Text(text.clone())),
        _ => Err(Error::conflict(
            "table_unmovable",
            format!("the key of {} holds a fraction, bytes, or nothing", table.name),
        )),
    };
    table.key.iter().map(part).collect::<Result<_>>().map(Key)
}

/// Counts and adds up all rows of a table. `seen` is told how many each page brought.
pub fn tally(conn: &mut DbConn, table: &Table, mut seen: impl FnMut(u64)) -> Result<Tally> {
    let (mut tally, mut after, mut last) = (Tally::default(), None, Vec::new());
    loop {
        let rows = page(conn, table, after.as_ref(), &last)?;
        let Some(end) = rows.last() else { return Ok(tally) };
        after = Some(key_of(table, end)?);
        rows.iter().for_each(|row| tally.add(row));
        seen(rows.len() as u64);
        last = rows;
    }
}
