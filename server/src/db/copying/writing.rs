//! Writing rows of any table, many in one statement: as arrays on PostgreSQL, as lists of values on SQLite.

use diesel::connection::SimpleConnection;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Double, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};

use super::catalogue::{Sort, Table};
use super::cells::{Cell, Row};
use super::{listed, quoted};
use crate::db::{DbConn, each_backend};
use crate::error::Result;

/// How many values SQLite takes in one statement; its own limit is 32 766.
const SQLITE_VALUES: usize = 30_000;

/// Opens the database at `url` to move into; a SQLite file is made where there is none.
pub fn open_to_write(url: &str) -> Result<DbConn> {
    let mut conn = crate::db::connection::open(url)?;
    if let DbConn::Postgres(conn) = &mut conn {
        conn.batch_execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")?;
    }
    Ok(conn)
}

/// Writes rows. One that is there already is an error: nobody else writes to a database that is moved into.
pub fn insert(conn: &mut DbConn, table: &Table, rows: Vec<Row>) -> Result<()> {
    match conn {
        DbConn::Sqlite(conn) => insert_sqlite(conn, table, rows),
        DbConn::Postgres(conn) => insert_postgres(conn, table, rows),
    }
}

fn names(table: &Table) -> String {
    listed(table.columns.iter().map(|column| column.name.as_str()))
}

fn insert_sqlite(conn: &mut SqliteConnection, table: &Table, rows: Vec<Row>) -> Result<()> {
    let at_once = (SQLITE_VALUES / table.columns.len()).max(1);
    let places = format!("({})", vec!["?"; table.columns.len()].join(", "));
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let some: Vec<Row> = rows.by_ref().take(at_once).collect();
        let values = vec![places.as_str(); some.len()].join(", ");
        let query = format!("INSERT INTO {} ({}) VALUES {values}", quoted(&table.name), names(table));
        let query = some.into_iter().flatten().fold(
            sql_query(query).into_boxed::<Sqlite>(),
            |query, cell| match cell {
                Cell::Null => query.bind::<Nullable<Text>, _>(None::<String>),
                Cell::Text(text) => query.bind::<Text, _>(text),
                Cell::Int(number) => query.bind::<BigInt, _>(number),
                Cell::Real(number) => query.bind::<Double, _>(number),
                Cell::Bool(truth) => query.bind::<Bool, _>(truth),
                Cell::Bytes(bytes) => query.bind::<Binary, _>(bytes),
            },
        );
        query.execute(conn)?;
    }
    Ok(())
}

fn insert_postgres(conn: &mut PgConnection, table: &Table, rows: Vec<Row>) -> Result<()> {
    let arrays: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| format!("${}::{}[]", at + 1, word(column.sort)))
        .collect();
    let numbers = if table.numbered.is_some() { " OVERRIDING SYSTEM VALUE" } else { "" };
    let query = format!(
        "INSERT INTO {} ({}){numbers} SELECT * FROM unnest({})",
        quoted(&table.name),
        names(table),
        arrays.join(", ")
    );
    let columns = table.columns.iter().zip(by_column(table.columns.len(), rows));
    let query = columns.fold(sql_query(query).into_boxed::<Pg>(), |query, (column, cells)| {
        let cells = cells.into_iter();
        match column.sort {
            Sort::Text => query.bind::<Array<Nullable<Text>>, _>(cells.map(text).collect::<Vec<_>>()),
            Sort::Int => query.bind::<Array<Nullable<BigInt>>, _>(cells.map(int).collect::<Vec<_>>()),
            Sort::Real => query.bind::<Array<Nullable<Double>>, _>(cells.map(real).collect::<Vec<_>>()),
            Sort::Bool => query.bind::<Array<Nullable<Bool>>, _>(cells.map(truth).collect::<Vec<_>>()),
            Sort::Bytes => query.bind::<Array<Nullable<Binary>>, _>(cells.map(bytes).collect::<Vec<_>>()),
        }
    });
    query.execute(conn)?;
    Ok(())
}

fn word(sort: Sort) -> &'static str {
    match sort {
        Sort::Text => "text",
        Sort::Int => "bigint",
        Sort::Real => "double precision",
        Sort::Bool => "boolean",
        Sort::Bytes => "bytea",
    }
}

fn by_column(count: usize, rows: Vec<Row>) -> Vec<Vec<Cell>> {
    let mut columns: Vec<Vec<Cell>> = (0..count).map(|_| Vec::with_capacity(rows.len())).collect();
    for row in rows {
        for (column, cell) in columns.iter_mut().zip(row) {
            column.push(cell);
        }
    }
    columns
}

fn text(cell: Cell) -> Option<String> {
    if let Cell::Text(text) = cell { Some(text) } else { None }
}

fn int(cell: Cell) -> Option<i64> {
    if let Cell::Int(number) = cell { Some(number) } else { None }
}

fn real(cell: Cell) -> Option<f64> {
    if let Cell::Real(number) = cell { Some(number) } else { None }
}

fn truth(cell: Cell) -> Option<bool> {
    if let Cell::Bool(truth) = cell { Some(truth) } else { None }
}

fn bytes(cell: Cell) -> Option<Vec<u8>> {
    if let Cell::Bytes(bytes) = cell { Some(bytes) } else { None }
}

/// Takes every row out of a table.
pub fn clear(conn: &mut DbConn, table: &Table) -> Result<()> {
    sql_query(format!("DELETE FROM {}", quoted(&table.name))).execute(conn)?;
    Ok(())
}

/// Has the database number the table's next row after the highest number that was moved in. SQLite does so by itself.
pub fn renumber(conn: &mut DbConn, table: &Table) -> Result<()> {
    if let (DbConn::Postgres(conn), Some(column)) = (conn, &table.numbered) {
        let name = quoted(&table.name);
        sql_query(format!(
            "SELECT setval(pg_get_serial_sequence($1, $2), GREATEST(COALESCE(MAX({}), 0), 1), COUNT(*) > 0) FROM {name}",
            quoted(column)
        ))
        .bind::<Text, _>(name)
        .bind::<Text, _>(column)
        .execute(conn)?;
    }
    Ok(())
}

/// Has the database look at what is in its tables now, so that it plans its queries accordingly.
pub fn analyse(conn: &mut DbConn) -> Result<()> {
    each_backend!(conn, |c| c.batch_execute("ANALYZE"))?;
    Ok(())
}
